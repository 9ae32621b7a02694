"""Passwords, tokens, and the limit on failed logins."""

import asyncio
import time
from collections import defaultdict, deque
from datetime import datetime, timedelta, timezone

from jose import JWTError, jwt
from passlib.hash import bcrypt

ALGORITHM = "HS256"
WINDOW_SECONDS = 60
FAILURES_ALLOWED = 5

# Verified when the account is unknown, so that the answer takes as long as for a known one.
_DUMMY = bcrypt.using(rounds=12).hash("nobody has this password")


async def hash_password(password: str) -> str:
    return await asyncio.to_thread(bcrypt.using(rounds=12).hash, password)


async def is_password(password: str, stored: str | None) -> bool:
    try:
        matches = await asyncio.to_thread(bcrypt.verify, password, stored or _DUMMY)
    except (ValueError, TypeError):
        return False
    return matches and stored is not None


def make_token(user: dict, secret: str, minutes: int) -> str:
    claims = {
        "sub": str(user["id"]),
        "email": user["email"],
        "is_super_admin": user["is_super_admin"],
        **{role: user[role] for role in ("role_data", "role_demandes", "role_sig", "role_terrain")},
        "exp": datetime.now(timezone.utc) + timedelta(minutes=minutes),
    }
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def subject(token: str, secret: str) -> str | None:
    """The account's id. What the account may do is read from the database, never from the token."""
    try:
        return jwt.decode(token, secret, algorithms=[ALGORITHM], options={"require_sub": True, "require_exp": True})["sub"]
    except JWTError:
        return None


class FailedLogins:
    """Counts failures of an e-mail over the last minute, in this process's memory."""

    def __init__(self) -> None:
        self._failures: defaultdict[str, deque[float]] = defaultdict(deque)

    def wait_seconds(self, email: str) -> int:
        failures = self._recent(email)
        return 0 if len(failures) < FAILURES_ALLOWED else max(1, round(failures[0] + WINDOW_SECONDS - time.monotonic()))

    def add(self, email: str) -> None:
        if len(self._failures) > 10_000:
            self._failures.clear()
        self._recent(email).append(time.monotonic())

    def forget(self, email: str) -> None:
        self._failures.pop(email, None)

    def _recent(self, email: str) -> deque[float]:
        failures = self._failures[email]
        while failures and failures[0] < time.monotonic() - WINDOW_SECONDS:
            failures.popleft()
        return failures
