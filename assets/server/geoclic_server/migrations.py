"""Which migrations run, in which order, and how their text is read. Pure."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Migration:
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True)
class Statement:
    text: str
    """Without leading blanks and comments, and without its semicolon."""
    start: int
    """Offset of `text` in the file."""
    line: int
    """From 1."""

    @property
    def is_transaction_control(self) -> bool:
        return _CONTROL.fullmatch(self.text) is not None


_CONTROL = re.compile(r"(BEGIN|START\s+TRANSACTION|COMMIT|END)(\s+(WORK|TRANSACTION))?\s*", re.IGNORECASE)
_TOKEN = re.compile(r"--[^\n]*|/\*|[eE]?'|\"|\$(?:[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*)?\$|[();]|[^\W\d]\w*")


def read_migration(name: str, content: bytes) -> Migration:
    """Line ends and a byte order mark do not count. Raises UnicodeDecodeError for what is not UTF-8."""
    return Migration(name, content.decode("utf-8-sig").replace("\r\n", "\n"))


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


def statements(sql: str) -> list[Statement]:
    """The file's statements; quotes, dollar quotes, nested comments, parentheses and SQL bodies (`BEGIN ATOMIC … END`) are understood."""
    return [statement for start, end in _bounds(sql) if (statement := _statement(sql, start, end))]


def without_transaction_control(sql: str) -> str:
    """The file with its own BEGIN and COMMIT blanked, every line where it was: the tool's transaction is around it."""
    for statement in reversed(statements(sql)):
        if statement.is_transaction_control:
            # With the semicolon that ends it.
            end = sql.find(";", statement.start + len(statement.text)) + 1 or len(sql)
            blank = re.sub(r"[^\n]", " ", sql[statement.start : end])
            sql = sql[: statement.start] + blank + sql[end:]
    return sql


def _bounds(sql: str) -> Iterator[tuple[int, int]]:
    start, position, parentheses, body, former = 0, 0, 0, 0, ""
    while match := _TOKEN.search(sql, position):
        token = match.group()
        position = match.end()
        word = token.lower()
        if token == "/*":
            position = _comment_end(sql, position)
        elif token.endswith("'") or token == '"':
            position = _quote_end(sql, position, token[-1], has_escapes=len(token) == 2)
        elif token.startswith("$"):
            end = sql.find(token, position)
            position = len(sql) if end < 0 else end + len(token)
        elif token == "(":
            parentheses += 1
        elif token == ")":
            parentheses = max(0, parentheses - 1)
        elif word == "atomic" and former == "begin":
            body = 1
        elif body and word == "case":
            body += 1
        elif body and word == "end":
            body -= 1
        elif token == ";" and not parentheses and not body:
            yield start, match.start()
            start = position
        if not token.startswith("--") and token != "/*":
            former = word
    yield start, len(sql)


def _comment_end(sql: str, position: int) -> int:
    """PostgreSQL's comments nest."""
    depth = 1
    while depth:
        match = re.compile(r"/\*|\*/").search(sql, position)
        if not match:
            return len(sql)
        depth += 1 if match.group() == "/*" else -1
        position = match.end()
    return position


def _quote_end(sql: str, position: int, quote: str, *, has_escapes: bool) -> int:
    while position < len(sql):
        if has_escapes and sql[position] == "\\":
            position += 2
        elif sql[position] != quote:
            position += 1
        elif sql.startswith(quote, position + 1):
            position += 2
        else:
            return position + 1
    return len(sql)


def _statement(sql: str, start: int, end: int) -> Statement | None:
    position = start
    while match := re.compile(r"\s+|--[^\n]*|/\*").match(sql, position, end):
        position = _comment_end(sql, match.end()) if match.group() == "/*" else match.end()
    text = sql[position:end].rstrip()
    return Statement(text, position, sql.count("\n", 0, position) + 1) if text else None


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


def psql_error(stderr: str) -> SqlError:
    """The first error in what psql (VERBOSITY verbose) wrote; the line is that of the statement's end."""
    lines = stderr.splitlines()
    for index, text in enumerate(lines):
        match = re.match(r"(?:psql:(?:<stdin>|[^:]*):(\d+): )?(?:psql: error: )?(?:ERROR|FATAL|PANIC):\s+(?:([0-9A-Z]{5}): )?(.*)", text)
        if match:
            details = [line.strip() for line in lines[index + 1 : index + 6] if re.match(r"(DETAIL|HINT|LINE \d+|CONTEXT):", line)]
            number = int(match.group(1)) if match.group(1) else None
            return SqlError(number, match.group(2) or "", " ".join([match.group(3), *details])[:600])
    return SqlError(None, "", " ".join(stderr.split())[-400:] or "psql ended without a message")
