"""What the API reads from its environment, checked once at start."""

import hashlib
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent

# Values printed in a compose file protect nobody: whoever reads the file can sign tokens.
KNOWN_SECRETS = {
    "change_this_secret_key_in_production",
    "insecure-fallback-of-the-stand-in-suite",
}


@dataclass(frozen=True)
class Settings:
    database_url: str
    jwt_secret: str
    token_minutes: int
    photos: Path
    photo_max_bytes: int
    cors_origins: tuple[str, ...]
    is_health_compatible: bool
    has_faults: bool
    version: str
    build: str
    git: str | None
    python: str
    start_seconds: float


def load() -> Settings:
    """Raises SystemExit with one line when a secret is missing or known."""
    env = os.environ
    secret = env.get("JWT_SECRET_KEY", "")
    if len(secret) < 32 or secret in KNOWN_SECRETS:
        reason = "is empty" if not secret else "is shorter than 32 characters" if len(secret) < 32 else "is a known default"
        sys.exit(f"JWT_SECRET_KEY {reason}; expected 32 or more random characters")
    url = env.get("DATABASE_URL", "")
    if not url:
        sys.exit("DATABASE_URL is empty; expected postgresql+asyncpg://user:password@host:port/name")
    return Settings(
        database_url=url.replace("postgresql+asyncpg://", "postgresql://", 1),
        jwt_secret=secret,
        token_minutes=int(env.get("JWT_ACCESS_TOKEN_EXPIRE_MINUTES", "60")),
        photos=Path(env.get("PHOTO_STORAGE_PATH", "/app/photos")),
        photo_max_bytes=int(env.get("PHOTO_MAX_SIZE_MB", "10")) * 1024 * 1024,
        cors_origins=tuple(origin.strip() for origin in env.get("CORS_ORIGINS", "").split(",") if origin.strip()),
        is_health_compatible=env.get("HEALTH_COMPAT", "1") != "0",
        has_faults=env.get("LAB_FAULTS") == "1",
        version=(HERE / "version.txt").read_text().strip(),
        build=source_hash(),
        git=env.get("GIT_COMMIT") or None,
        python=platform.python_version(),
        start_seconds=float(env.get("API_START_SECONDS", "0")),
    )


def source_hash() -> str:
    """12 hex characters over the API's own files: the same sources give the same build everywhere."""
    digest = hashlib.sha256()
    for path in sorted(HERE.glob("*.py")) + [HERE / "version.txt", HERE / "requirements.txt"]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
