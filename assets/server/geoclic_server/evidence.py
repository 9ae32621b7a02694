"""Which migrations a database already has, where nobody wrote it down. Pure.

A reference is made beside it: the suite's init file and migrations on an empty database, each statement with the objects
that it made or dropped there. What of these the town's database has tells what was run on it.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from .migrations import Migration, Statement

Kind = Literal["schema", "data", "harmless", "opaque", "cluster"]
Verdict = Literal["present", "partial", "absent"]

ALREADY_THERE = ("42P07", "42710", "42701", "42723", "42P06", "42P16")
"""Relation, object, column, function, schema exist already; a view has other columns already."""

_ESSENTIAL = ("table ", "view ", "column ", "type ", "label ", "function ", "sequence ", "extension ")
_CLUSTER = re.compile(r"(CREATE|ALTER|DROP)\s+(ROLE|USER|GROUP|DATABASE|TABLESPACE|SYSTEM|SUBSCRIPTION|PUBLICATION)\b", re.IGNORECASE)
_TARGET = re.compile(r"(?:INSERT\s+INTO|UPDATE(?:\s+ONLY)?|COPY|MERGE\s+INTO)\s+((?:\"[^\"]+\"|\w+)(?:\.(?:\"[^\"]+\"|\w+))?)", re.IGNORECASE)
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("create", "alter", "drop"), "schema"),
    **dict.fromkeys(("insert", "update", "delete", "truncate", "merge", "copy", "with", "refresh"), "data"),
    **dict.fromkeys(("comment", "grant", "revoke", "set", "reset", "analyze"), "harmless"),
}


@dataclass(frozen=True)
class Trace:
    """A statement, and what it made and dropped in the reference."""

    statement: Statement
    made: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()


@dataclass(frozen=True)
class TracedFile:
    migration: Migration
    traces: tuple[Trace, ...]


@dataclass(frozen=True)
class FilePlan:
    """What is to be done with a file so that the database has it."""

    migration: Migration
    verdict: Verdict
    statements: tuple[Statement, ...]
    """To run; none of a file that is present."""
    notes: str
    blocked: tuple[int, ...] = ()
    """Lines of a file that was cut which drop or rename what is still there: nobody can tell whether its rows were saved. Or which
    PostgreSQL runs outside transactions only, where an adoption is one."""


def kind(statement: Statement) -> Kind:
    """What a statement may do; `opaque`: anything."""
    if _CLUSTER.match(statement.text):
        return "cluster"
    word = re.match(r"[A-Za-z]*", statement.text)
    return _KINDS.get(word.group().lower() if word else "", "opaque")


def is_traced(statement: Statement) -> bool:
    """Whether it is run in the reference: rows are not needed there, and nothing may leave that database."""
    return kind(statement) in ("schema", "opaque")


def plan(files: Sequence[TracedFile], final: Collection[str], present: Collection[str]) -> list[FilePlan]:
    """`final`: objects of the whole reference; `present`: of the town's database."""
    kept, there = frozenset(final), frozenset(present)
    proven: list[Verdict | None] = [_verdict(file, kept, there) for file in files]
    plans = []
    for index, file in enumerate(files):
        verdict = proven[index]
        if verdict == "present":
            plans.append(FilePlan(file.migration, "present", (), ""))
        elif verdict == "absent" or (verdict is None and _is_after_the_end(proven, index)):
            whole = tuple(trace.statement for trace in file.traces)
            plans.append(FilePlan(file.migration, "absent", whole, ""))
        elif verdict is None:
            plans.append(FilePlan(file.migration, "present", (), "taken as applied: it leaves nothing to see in the schema"))
        else:
            plans.append(_repair(file, kept, there))
    return plans


def is_essential(found: str) -> bool:
    """An object that the suite cannot do without; an index or a name of a constraint it can."""
    return found.startswith(_ESSENTIAL)


def _verdict(file: TracedFile, final: frozenset[str], present: frozenset[str]) -> Verdict | None:
    """By what the file changes as a whole: what it drops and makes again tells nothing. None: nothing of it can be seen."""
    made, gone = _net(file)
    seen, missed = made & final, gone - final
    if not seen and not missed:
        return None
    if seen <= present and not missed & present:
        return "present"
    return "partial" if seen & present or missed - present else "absent"


def _net(file: TracedFile) -> tuple[set[str], set[str]]:
    """Objects that are there after the file and were not before it, and the other way round."""
    made: set[str] = set()
    gone: set[str] = set()
    for trace in file.traces:
        made, gone = (made - trace.gone) | (trace.made - gone), (gone - trace.made) | (trace.gone - made)
    return made, gone


def _made(trace: Trace, final: frozenset[str]) -> frozenset[str]:
    """Without what a later statement dropped or changed."""
    return trace.made & final


def _gone(trace: Trace, final: frozenset[str]) -> frozenset[str]:
    return trace.gone - final


def _is_there(trace: Trace, final: frozenset[str], present: frozenset[str]) -> bool:
    return _made(trace, final) <= present and not _gone(trace, final) & present


def _is_after_the_end(proven: Sequence[Verdict | None], index: int) -> bool:
    """A file of rows alone, behind one that was never run and with none behind it that was."""
    return "absent" in proven[:index] and not {"present", "partial"} & set(proven[index + 1 :])


def _repair(file: TracedFile, final: frozenset[str], present: frozenset[str]) -> FilePlan:
    """A file that was cut, or of which something was taken away since: what is missing, and never rows a second time."""
    fresh = frozenset[str]().union(*(trace.made - present for trace in file.traces))
    chosen, passed, blocked = [], [], []
    for trace in file.traces:
        statement = trace.statement
        if _made(trace, final) or _gone(trace, final):
            if _is_there(trace, final, present):
                continue
            chosen.append(statement)
            if statement.is_alone or any(is_essential(found) for found in _gone(trace, final) & present):
                blocked.append(statement.line)
        elif _is_safe_again(statement, fresh):
            chosen.append(statement)
        else:
            passed.append(statement)
    notes = f"was there in part; run: {_lines(chosen)}" + (f"; not run again: {_lines(passed)}" if passed else "")
    return FilePlan(file.migration, "partial", tuple(chosen), notes, tuple(blocked))


def _is_safe_again(statement: Statement, fresh: frozenset[str]) -> bool:
    """Without a trace of its own: what says the same twice, and rows for what is only now made."""
    match kind(statement):
        case "harmless":
            return True
        case "schema":
            return re.match(r"CREATE\s+OR\s+REPLACE\b", statement.text, re.IGNORECASE) is not None
        case "data":
            return _fills_fresh(statement, fresh)
        case _:
            return False


def _fills_fresh(statement: Statement, fresh: frozenset[str]) -> bool:
    match = _TARGET.match(statement.text)
    if not match:
        return False
    table = match[1].replace('"', "")
    table = table if "." in table else f"public.{table}"
    if f"table {table}" in fresh:
        return True
    columns = [found.removeprefix(f"column {table}.") for found in fresh if found.startswith(f"column {table}.")]
    return statement.text[:6].upper() == "UPDATE" and any(re.search(rf"\b{re.escape(column)}\b", statement.text) for column in columns)


def _lines(statements: Sequence[Statement]) -> str:
    return f"line{'s' if len(statements) != 1 else ''} {', '.join(str(each.line) for each in statements)}" if statements else "nothing"
