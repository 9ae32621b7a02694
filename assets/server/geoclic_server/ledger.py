"""The table that says which files a database has, as SQL. Pure.

It is always named with its schema: a file may leave another search_path behind.
"""

from .migrations import Migration

_TOOL = "geoclic-fleet 1"


class Ledger:
    def __init__(self, name: str) -> None:
        self.table = f"public.{name}"
        self.progress = f"public.{name}_progress"
        """Files of which each statement is kept by itself, while they are being run."""

    def create(self) -> str:
        return (f"CREATE TABLE {self.table} (name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(),"
                " duration_ms integer NOT NULL, outcome text NOT NULL, notes text NOT NULL, tool_version text NOT NULL, breaking boolean)")

    def complete(self) -> str:
        """For a ledger of former days; `breaking` is NULL where nobody wrote it down."""
        return f"ALTER TABLE {self.table} ADD COLUMN IF NOT EXISTS breaking boolean"

    def record(self, entry: Migration, *, breaking: bool, outcome: str = "applied", notes: str = "") -> str:
        duration = "(extract(epoch from clock_timestamp() - transaction_timestamp()) * 1000)::integer"
        values = ", ".join([literal(entry.name), literal(entry.sha256), duration, literal(outcome), literal(notes), literal(_TOOL), str(breaking)])
        return f"INSERT INTO {self.table} (name, sha256, duration_ms, outcome, notes, tool_version, breaking) VALUES ({values})"

    def has(self, entry: Migration) -> str:
        return f"SELECT FROM {self.table} WHERE name = {literal(entry.name)} AND sha256 = {literal(entry.sha256)}"

    def breaking(self) -> str:
        """Names; also of a ledger that lacks the column."""
        return f"SELECT name FROM {self.table} AS entry WHERE to_jsonb(entry) ->> 'breaking' = 'true'"

    def create_progress(self) -> str:
        return (f"CREATE TABLE IF NOT EXISTS {self.progress} (name text PRIMARY KEY, done integer NOT NULL, is_begun boolean NOT NULL,"
                " prefix text NOT NULL, at timestamptz NOT NULL DEFAULT now())")

    def read_progress(self, entry: Migration) -> str:
        return f"SELECT done, is_begun, prefix FROM {self.progress} WHERE name = {literal(entry.name)}"

    def begun(self) -> str:
        return f"SELECT name FROM {self.progress} ORDER BY 1"

    def note_progress(self, entry: Migration, done: int, *, is_begun: bool) -> str:
        """`is_begun`: the statement behind the `done` ones may have been run too."""
        values = f"{literal(entry.name)}, {done}, {is_begun}, {literal(entry.prefix(done))}"
        return (f"INSERT INTO {self.progress} (name, done, is_begun, prefix) VALUES ({values}) ON CONFLICT (name) DO UPDATE"
                " SET done = excluded.done, is_begun = excluded.is_begun, prefix = excluded.prefix, at = now()")

    def forget_progress(self, entry: Migration) -> str:
        return f"DELETE FROM {self.progress} WHERE name = {literal(entry.name)}"

    def drop(self) -> list[str]:
        return [f"DROP TABLE IF EXISTS {self.table}", f"DROP TABLE IF EXISTS {self.progress}"]


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
