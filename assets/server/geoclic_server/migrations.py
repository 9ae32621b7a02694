"""Which migrations run, in which order, and how their text is read. Pure."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Migration:
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def ordered(names: Sequence[str], first: Sequence[str]) -> list[str]:
    """The files named first, then the numbered ones by number and name, then the rest by name."""
    present = [name for name in first if name in names]
    rest = [name for name in names if name not in first]

    def key(name: str) -> tuple[int, int, str]:
        number = re.match(r"(\d+)", name)
        return (0, int(number.group(1)), name) if number else (1, 0, name)

    return present + sorted(rest, key=key)


def pending(migrations: Sequence[Migration], applied: dict[str, str]) -> tuple[list[Migration], list[str]]:
    """Those to run, and the names of those that were applied with another content."""
    to_run = [migration for migration in migrations if migration.name not in applied]
    changed = [migration.name for migration in migrations if applied.get(migration.name, migration.sha256) != migration.sha256]
    return to_run, changed


def statements(sql: str) -> list[tuple[int, str]]:
    """Statements with the line on which each begins (from 1); quotes, dollar quotes and comments are understood."""
    found: list[tuple[int, str]] = []
    start, position = 0, 0
    token = re.compile(r"--[^\n]*|/\*|'|\"|\$([A-Za-z_][A-Za-z0-9_]*)?\$|;")
    while match := token.search(sql, position):
        text = match.group(0)
        if text == ";":
            found.append((start, sql[start : match.start()]))
            start = position = match.end()
        elif text.startswith("--"):
            position = match.end()
        elif text == "/*":
            position = _comment_end(sql, match.end())
        elif text in ("'", '"'):
            position = _quote_end(sql, match.start(), text)
        else:
            end = sql.find(text, match.end())
            position = len(sql) if end < 0 else end + len(text)
    found.append((start, sql[start:]))
    return [(line, statement) for offset, statement in found for line, statement in [_trimmed(sql, offset, statement)] if statement]


def _comment_end(sql: str, position: int) -> int:
    """PostgreSQL's comments nest."""
    depth = 1
    while depth:
        match = re.compile(r"/\*|\*/").search(sql, position)
        if not match:
            return len(sql)
        depth += 1 if match.group(0) == "/*" else -1
        position = match.end()
    return position


def _quote_end(sql: str, start: int, quote: str) -> int:
    escapes = quote == "'" and re.search(r"(^|[^A-Za-z0-9_])[eE]$", sql[max(0, start - 2) : start]) is not None
    position = start + 1
    while position < len(sql):
        if escapes and sql[position] == "\\":
            position += 2
        elif sql[position] == quote:
            if sql[position + 1 : position + 2] != quote:
                return position + 1
            position += 2
        else:
            position += 1
    return position


def _trimmed(sql: str, offset: int, statement: str) -> tuple[int, str]:
    """The statement without leading blanks and comments, and its line."""
    leading = re.match(r"(\s+|--[^\n]*(\n|$)|/\*.*?\*/)*", statement, re.DOTALL)
    skipped = leading.end() if leading else 0
    return sql.count("\n", 0, offset + skipped) + 1, statement[skipped:].strip()


_CONTROL = re.compile(r"(BEGIN|START\s+TRANSACTION|COMMIT|END)(\s+(WORK|TRANSACTION))?", re.IGNORECASE)


def without_own_transaction(sql: str) -> list[tuple[int, str]]:
    """The statements of a file without its own BEGIN and COMMIT: the tool's transaction, with the ledger's row, is around."""
    return [(line, statement) for line, statement in statements(sql) if not _CONTROL.fullmatch(statement)]


def masked_transaction(sql: str) -> str:
    """The file with its own BEGIN and COMMIT blanked; every other line keeps its number."""
    lines = sql.split("\n")
    for line, statement in statements(sql):
        if _CONTROL.fullmatch(statement):
            lines[line - 1] = re.sub(rf"{re.escape(statement.split()[0])}[^;]*;?", "", lines[line - 1], count=1)
    return "\n".join(lines)


def psql_failure(stderr: str) -> str:
    """The first error of psql, with its file and line where psql names them: `file.sql:42: ERROR: …`."""
    lines = stderr.splitlines()
    for index, line in enumerate(lines):
        match = re.search(r"(?:psql:)?([^\s:]+\.sql:\d+|<stdin>:\d+)?:?\s*(ERROR|FATAL|PANIC):\s*(.*)", line)
        if match:
            details = [text.strip() for text in lines[index + 1 : index + 4] if text.startswith(("DETAIL:", "HINT:", "LINE "))]
            return " ".join([f"{match.group(1) or ''}: {match.group(2)}: {match.group(3)}".lstrip(": "), *details])
    return stderr.strip()[-400:] or "psql failed without a message"
