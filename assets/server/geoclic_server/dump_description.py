"""What a dump says of its database itself: how it was made, its settings, owner, rights and comment. Pure.

pg_restore restores these only with `--create`, under the very name that was dumped. Here they are told apart from its text
(`pg_restore --create --schema-only -f -`), so that a copy can be made under another name and get them with the name.
"""

import re
from dataclasses import dataclass

_HEADER = re.compile(r"^--\n-- Name: (?P<name>[^\n]*); Type: (?P<type>[A-Z ]+); Schema: [^\n]*\n--\n", re.MULTILINE)
_IDENTIFIER = r'(?:"(?:[^"]|"")+"|[^\s"]+)'
_CREATE = re.compile(rf"^CREATE DATABASE (?P<name>{_IDENTIFIER}) WITH (?P<options>.*);$", re.MULTILINE)
_OWNER = re.compile(rf"^ALTER DATABASE {_IDENTIFIER} OWNER TO {_IDENTIFIER};$", re.MULTILINE)
# Behind these two, pg_restore begins a session in the new database.
_SESSION = re.compile(r"\n\n(?:\\unrestrict |\\connect )")


@dataclass(frozen=True)
class Description:
    name: str
    options: str
    """What follows `CREATE DATABASE … WITH`."""
    properties: str
    """Statements that give a database of that name its owner, settings, comment and rights."""
    search_path: str
    """What follows `SET search_path TO`; empty where the database sets none."""


def read_description(text: str, user: str) -> Description | None:
    """`user`: whose own settings in the database count before the database's. None where the dump does not tell of a database."""
    create, statements = None, []
    headers = list(_HEADER.finditer(text))
    for header, following in zip(headers, [*headers[1:], None], strict=True):
        body = text[header.end() : following.start() if following else len(text)]
        kind, is_of_database = header["type"], header["name"].startswith("DATABASE ")
        if kind in ("DATABASE", "DATABASE PROPERTIES"):
            body = _SESSION.split(body, maxsplit=1)[0]
            if kind == "DATABASE":
                create = create or _CREATE.search(body)
                owner = _OWNER.search(body)
                body = owner[0] if owner else ""
            statements.append(body)
        elif is_of_database and kind in ("COMMENT", "ACL", "SECURITY LABEL"):
            statements.append(_end(body))
    if create is None:
        return None
    properties = "\n".join(filter(None, (statement.strip() for statement in statements)))
    return Description(_plain(create["name"]), create["options"], properties, _search_path(properties, create["name"], user))


def _end(body: str) -> str:
    """Behind the last entry stand pg_restore's own last words."""
    return re.split(r"\n\n(?:--\n-- PostgreSQL database dump complete\n|\\unrestrict )", body, maxsplit=1)[0]


def _search_path(properties: str, name: str, user: str) -> str:
    for role in (rf"ALTER ROLE (?:{re.escape(user)}|{re.escape(_quoted(user))}) IN DATABASE", "ALTER DATABASE"):
        found = re.search(rf"^{role} {re.escape(name)} SET search_path TO (.*);$", properties, re.MULTILINE)
        if found:
            return found[1]
    return ""


def _plain(identifier: str) -> str:
    return identifier[1:-1].replace('""', '"') if identifier.startswith('"') else identifier


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
