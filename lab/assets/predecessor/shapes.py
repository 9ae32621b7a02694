"""Schemas that the former tool left behind, in every shape that its migrations are known for, each adopted by the server's own scripts.

Runs on an adopted server, beside the town's database, and prints one line of JSON a shape:
{"shape", "ledger": {name: outcome} | null, "failure": code | null, "zones", "demandes", "short"}.
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, "/opt/geoclic/server")
from geoclic_server.adoption import Adoption  # noqa: E402
from geoclic_server.database import Database  # noqa: E402
from geoclic_server.failure import Failure  # noqa: E402

INIT = """
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE TABLE p (id serial PRIMARY KEY, color integer);
INSERT INTO p (color) VALUES (4294961915); -- out of range, as the original's
CREATE TABLE zones (id serial PRIMARY KEY, nom text, old_c text);
CREATE TABLE demandes (id serial PRIMARY KEY, statut text);
CREATE TYPE kind AS ENUM ('a', 'b');
"""
MIGRATIONS = {
    # Leaves its search path to whoever comes next.
    "003_index.sql": "CREATE INDEX idx_p ON p (color); SET search_path = pg_catalog;",
    # The type exists already.
    "004_type.sql": "CREATE TYPE kind AS ENUM ('a', 'b'); CREATE TABLE short (code text PRIMARY KEY, k kind); INSERT INTO short VALUES ('seed', 'a');",
    "006_view.sql": "ALTER TABLE demandes ADD COLUMN priorite int; CREATE VIEW v AS SELECT d.*, 1 AS x FROM demandes d;",
    # The view has other columns already.
    "007_view.sql": "ALTER TABLE demandes ADD COLUMN svc int; CREATE OR REPLACE VIEW v AS SELECT d.*, 1 AS x FROM demandes d;",
    # A second run would lose the town's zones.
    "014_zones.sql": "BEGIN; DROP TABLE IF EXISTS zones CASCADE; CREATE TABLE zones (id serial PRIMARY KEY, nom text, parent int); COMMIT;",
    "020_rows.sql": "INSERT INTO demandes (statut) VALUES ('seed');",
    "024_column.sql": "ALTER TABLE p ADD COLUMN extra text NOT NULL DEFAULT 'x';",
    "030_moves.sql": "ALTER TABLE demandes ADD COLUMN note text; UPDATE demandes SET note = statut; ALTER TABLE p DROP COLUMN color;",
}
SHAPES = {
    "everything": ((), ""),
    "until 007": (("014_zones.sql", "020_rows.sql", "024_column.sql", "030_moves.sql"), ""),
    "004 cut": ((), "DROP TABLE short"),
    "a column missing": ((), "ALTER TABLE zones DROP COLUMN parent"),
    "030 cut": (("030_moves.sql",), "ALTER TABLE demandes ADD COLUMN note text"),
    "of somebody else": (("(init)", *MIGRATIONS), "CREATE TABLE somebody (); CREATE TABLE zones (nom text); DROP TABLE zones"),
}
NAME = "geoclic_lab_shapes"


def psql(database: str, sql: str) -> str:
    container = Database(release()).attach().container
    words = ["docker", "exec", "-i", container, "psql", "-XAtq", "-U", "geoclic", "-d", database]
    return subprocess.run(words, input=sql, capture_output=True, text=True, check=False).stdout.strip()


def told(text: str) -> dict:
    """As a release tells a file: no semicolon stands inside a statement or a comment here."""
    statements = [match for match in re.finditer(r"(?:(?:--[^\n]*)?\s)*([^;]*)", text) if match[1].strip() not in ("", "BEGIN", "COMMIT")]
    return {"sha256": hashlib.sha256(text.encode()).hexdigest(), "mode": "transaction",
            "statements": [{"start": len(text[: each.start(1)].encode()), "end": len(text[: each.end(1)].encode())} for each in statements]}


def release() -> dict:
    database = {"service": "db", "user": "geoclic", "name": NAME, "init": "init.sql", "migrations": "migrations", "first": [], "ledger": "fleet_migrations",
                "tolerate": {}, "breaking": []}
    files = {"init.sql": told(INIT), **{f"migrations/{name}": told(text) for name, text in MIGRATIONS.items()}}
    return {"project": "deploy", "adapter": {"database": database}, "sql": {"files": files}}


def adopt(folder: Path) -> str | None:
    adoption = Adoption(Database(release()).attach(), lambda _step, _text: None)
    try:
        adoption.carry_out(adoption.plan(folder))
    except Failure as failure:
        return failure.code
    return None


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "migrations").mkdir()
        (folder / "init.sql").write_text(INIT)
        for file, sql in MIGRATIONS.items():
            (folder / "migrations" / file).write_text(sql)
        for shape, (skipped, after) in SHAPES.items():
            psql("geoclic_db", f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
            psql("geoclic_db", f"CREATE DATABASE {NAME}")
            for file, sql in {"(init)": INIT, **MIGRATIONS}.items():
                if file not in skipped:
                    psql(NAME, sql)
            psql(NAME, f"INSERT INTO zones (nom) VALUES ('bourg'); INSERT INTO demandes (statut) VALUES ('vraie'); {after}")
            failure = adopt(folder)
            ledger = psql(NAME, "SELECT json_object_agg(name, outcome ORDER BY name) FROM fleet_migrations")
            rows = {table: psql(NAME, f"SELECT string_agg({column}, ' ' ORDER BY {column}) FROM {table}")
                    for table, column in (("zones", "nom"), ("demandes", "statut"), ("short", "code"))}
            print(json.dumps({"shape": shape, "failure": failure, "ledger": json.loads(ledger) if ledger else None, **rows}), flush=True)
        psql("geoclic_db", f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")


main()
