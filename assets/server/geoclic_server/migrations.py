"""Which migrations run, in which order, and what of their text is run. Pure.

No SQL is read here: where each statement begins and ends was found by PostgreSQL's own parser when the release was made.
"""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Statement:
    text: str
    """Without leading blanks and comments, and without its semicolon."""
    line: int
    """Of its beginning in the file, from 1."""
    is_alone: bool = False
    """PostgreSQL runs it outside transactions only."""
    index: str = ""
    """Name of the index that it makes, where PostgreSQL may leave an invalid one behind."""


@dataclass(frozen=True)
class Migration:
    name: str
    sha256: str
    """Of the text as PostgreSQL gets it: without byte order mark, lines ended by LF."""
    statements: tuple[Statement, ...] | None
    """Those to run; the file's own BEGIN and COMMIT are none. None: the release does not tell them."""
    is_autocommit: bool = False
    """Each statement is kept by itself; else the whole file or nothing of it."""

    def prefix(self, count: int) -> str:
        """sha256 of its first statements: tells whether a changed file begins as the one that was run in part."""
        return hashlib.sha256("\0".join(each.text for each in (self.statements or ())[:count]).encode()).hexdigest()


def read_migration(name: str, content: bytes, told: Mapping[str, Any] | None) -> Migration:
    """`told`: the file's entry in the release (`sql`); None in a release that has none.

    Raises UnicodeDecodeError for what is not UTF-8, ValueError for a file that is not the one that was read when the release was made.
    """
    text = content.decode("utf-8-sig").replace("\r\n", "\n").encode()
    sha256 = hashlib.sha256(text).hexdigest()
    if told is None:
        return Migration(name, sha256, None)
    if told["sha256"] != sha256:
        raise ValueError(f"its sha256 is {sha256}, the release was made with {told['sha256']}")
    return Migration(name, sha256, tuple(_statements(text, told["statements"])), told["mode"] == "autocommit")


def _statements(text: bytes, told: Sequence[Mapping[str, Any]]) -> list[Statement]:
    found, line, position = [], 1, 0
    for each in told:
        start, end = each["start"], each["end"]
        line += text.count(b"\n", position, start)
        position = start
        found.append(Statement(text[start:end].decode(), line, each.get("alone", False), each.get("index", "")))
    return found


def ordered(names: Sequence[str], first: Sequence[str]) -> list[str]:
    """The files named first, then the numbered ones by number and name, then the rest by name."""
    present = [name for name in first if name in names]

    def key(name: str) -> tuple[int, int, str]:
        number = re.match(r"\d+", name)
        return (0, int(number.group()), name) if number else (1, 0, name)

    return present + sorted((name for name in names if name not in present), key=key)


def pending(migrations: Sequence[Migration], applied: Mapping[str, str]) -> tuple[list[Migration], list[str]]:
    """Those to run, and the names of those that were applied with another content."""
    to_run = [migration for migration in migrations if migration.name not in applied]
    changed = [migration.name for migration in migrations if applied.get(migration.name, migration.sha256) != migration.sha256]
    return to_run, changed


@dataclass(frozen=True)
class Apart:
    """How far a database and a release are from each other; nothing where they fit."""

    lacking: list[str]
    """What the release brings and the database has not, in their order."""
    foreign: list[str]
    """What the database has and the release can neither run with nor take back."""


def compare(brought: Sequence[str], applied: Collection[str], breaking: Collection[str]) -> Apart:
    """Names. `breaking`: those that any release is known to call so; others that the release lacks do no harm."""
    return Apart([name for name in brought if name not in applied], sorted(set(applied) & set(breaking) - set(brought)))


@dataclass(frozen=True)
class SqlError:
    """What PostgreSQL refused."""

    line: int | None
    sqlstate: str
    message: str

    def describe(self, name: str) -> str:
        """`090_x.sql:7: column "y" does not exist (42703)`"""
        place = name if self.line is None else f"{name}:{self.line}"
        return f"{place}: {self.message}" + (f" ({self.sqlstate})" if self.sqlstate else "")

    def within(self, statement: Statement) -> "SqlError":
        """With the file's line: the statement's first one where PostgreSQL names none."""
        return SqlError(statement.line + (self.line or 1) - 1, self.sqlstate, self.message)


_REFUSED = re.compile(r"(?:psql: error: )?(?:ERROR|FATAL|PANIC):\s+(?:([0-9A-Z]{5}): )?(.*)")


def psql_error(said: str) -> SqlError | None:
    """The first error in what psql (VERBOSITY verbose, messages not translated) wrote; its line is counted in the statement."""
    lines = said.splitlines()
    for index, text in enumerate(lines):
        match = _REFUSED.match(text)
        if match:
            fields: dict[str, str] = {}
            for field in lines[index + 1 :]:
                if _REFUSED.match(field) or field.startswith("LOCATION:"):
                    break
                named = re.match(r"(DETAIL|HINT|CONTEXT|QUERY|LINE \d+):", field)
                if named:
                    fields[named[1]] = field.strip()
            place = next((name for name in fields if name.startswith("LINE ")), None)
            # With QUERY, the line is one of a function's own text.
            number = int(place.removeprefix("LINE ")) if place and "QUERY" not in fields else None
            told = [fields[name] for name in ("DETAIL", "HINT", "CONTEXT") if name in fields]
            return SqlError(number, match[1] or "", " ".join([match[2], *told])[:600])
    return None


def program_error(said: str) -> SqlError:
    """What a program that failed wrote, as an error."""
    return psql_error(said) or SqlError(None, "", " ".join(said.split())[-400:] or "psql ended without a message")
