"""Small releases of an imitated suite: a database, an API that fits one schema alone, an ingress."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CLIENT, DOMAIN, PROJECT = "ville-test", "ville.example.org", "deploy"
DATABASE, LEDGER = "geoclic_db", "fleet_migrations"
PAGE = "/usr/share/nginx/portal/.maintenance"
ENVIRONMENT = "DB_PASSWORD='secret-of-the-harness'\nMODE='one'\n"
CHANGED_ENVIRONMENT = ENVIRONMENT.replace("one", "two")
INIT = "CREATE TABLE reports (id text PRIMARY KEY, text text NOT NULL);\nCREATE TABLE jobs (id text PRIMARY KEY);\n"


def additive(number: int) -> str:
    """First and last statement leave something to see, so that half a file is told from a whole one."""
    return f"ALTER TABLE reports ADD COLUMN m{number}_first integer;\nUPDATE reports SET m{number}_first = 1;\nALTER TABLE reports ADD COLUMN m{number}_last integer;\n"


def breaking(number: int, old: str, new: str) -> str:
    return additive(number) + f"ALTER TABLE reports RENAME COLUMN {old} TO {new};\n"


def failing(number: int) -> str:
    return additive(number) + "SELECT no_such_function();\n"


@dataclass(frozen=True)
class Kind:
    """What distinguishes a release."""

    id: str
    migrations: Mapping[str, str] = field(default_factory=dict)
    breaking: Sequence[str] = ()
    column: str = "text"
    """Of the table of reports, the one that its API writes."""
    database_image: str = "geoclic/db:1"
    ingress_image: str = "geoclic/nginx:1"
    page_text: str = "one"

    @property
    def images(self) -> dict[str, str]:
        return {"db": self.database_image, "api": f"geoclic/api:{self.id}", "nginx": self.ingress_image}


M1 = {"001_one.sql": additive(1)}
M23 = {"002_two.sql": breaking(2, "text", "body"), "003_three.sql": breaking(3, "body", "content")}
M4 = {"004_four.sql": additive(4)}
M5 = {"005_five.sql": failing(5)}

FORMER = Kind("aaaaaaaaaaaa")
ADDITIVE = Kind("bbbbbbbbbbbb", M1, page_text="two")
ADDITIVE_THIRD = Kind("cccccccccccc", {**M1, **M4}, page_text="three")
ADDITIVE_FAILING = Kind("dddddddddddd", {**M1, **M5})
BREAKING = Kind("eeeeeeeeeeee", {**M1, **M23}, tuple(M23), column="content", page_text="two")
BREAKING_THIRD = Kind("ffffffffffff", {**M1, **M23, **M4}, tuple(M23), column="content", page_text="three")
BREAKING_FAILING = Kind("abababababab", {**M1, **M23, **M5}, (*M23, *M5), column="content")
DATABASE_IMAGE = Kind("acacacacacac", M1, database_image="geoclic/db:2")
INGRESS = Kind("adadadadadad", M1, ingress_image="geoclic/nginx:2", page_text="two")

KINDS = {kind.id: kind for kind in (FORMER, ADDITIVE, ADDITIVE_THIRD, ADDITIVE_FAILING, BREAKING, BREAKING_THIRD, BREAKING_FAILING, DATABASE_IMAGE, INGRESS)}
SQL = {**M1, **M23, **M4, **M5}


def column(image: str) -> str:
    """That an API of this image writes; an image by another name is the former installation's."""
    kind = KINDS.get(image.partition(":")[2])
    return kind.column if kind else "text"


def deliver(kind: Kind, opt: Path) -> None:
    """As the operator's side leaves a release on the server; `opt`: the tool's folder there."""
    folder = opt / "releases" / kind.id
    suite = folder / "suite"
    for path, text in _tree(kind).items():
        (suite / path).parent.mkdir(parents=True, exist_ok=True)
        (suite / path).write_text(text)
    (folder / "release.json").write_text(json.dumps(_release(kind, opt), indent=1) + "\n")
    # YAML holds JSON.
    (folder / "compose.yml").write_text(json.dumps(compose_file(kind, opt), indent=1) + "\n")


def _tree(kind: Kind) -> dict[str, str]:
    return {
        "database/init.sql": INIT,
        **{f"database/migrations/{name}": text for name, text in kind.migrations.items()},
        "database/migrations/.keep": "",
        "nginx/nginx.conf": _nginx(),
        "www/index.html": f"<p>{kind.page_text}</p>\n",
        "VERSION": f"1.{kind.id}\n",
    }


def _nginx() -> str:
    return "resolver 127.0.0.11 valid=1s;\nset $api http://api:8000;\nlocation /api/ { proxy_pass $api; }\n"


def _binds(opt: Path) -> list[dict[str, Any]]:
    digest = hashlib.sha256(_nginx().encode()).hexdigest()[:16]
    return [{"source": "nginx", "target": str(opt / "shared/binds" / digest), "hash": digest, "files": {}}]


def _release(kind: Kind, opt: Path) -> dict[str, Any]:
    services = {
        "db": {"image": kind.images["db"], "stateful": True, "ingress": False, "drainSeconds": 1},
        "api": {"image": kind.images["api"], "stateful": False, "ingress": False, "drainSeconds": 1},
        "nginx": {"image": kind.images["nginx"], "stateful": False, "ingress": True, "drainSeconds": 1},
    }
    adapter = {
        "name": "geoclic", "project": PROJECT, "compose": "docker-compose.yml",
        "services": {name: {} for name in services},
        "database": {"service": "db", "name": DATABASE, "user": "geoclic", "ledger": LEDGER, "init": "database/init.sql",
                     "migrations": "database/migrations", "first": [], "tolerate": {}, "breaking": [name for name in kind.breaking if name in kind.migrations],
                     "autocommit": []},
        "files": {"service": "api", "volume": "deploy_photos_data", "path": "/app/photos"},
        "ingress": {"service": "nginx", "maintenance": PAGE, "public": "/usr/share/nginx/public"},
        "health": {"path": "/api/health", "field": "status", "equals": "healthy"},
        "tls": {"service": "nginx", "test": ["nginx", "-tq"], "reload": ["nginx", "-s", "reload"]},
        "demo": {"allowed": False},
    }
    return {
        "format": 1, "id": kind.id, "version": f"1.{kind.id}", "project": PROJECT, "scripts": "0" * 12, "services": services,
        "binds": _binds(opt), "static": [{"source": "www", "target": str(opt / "shared/static/portal"), "mountPoints": []}],
        "hooks": {}, "sql": {"files": {path: _told(text) for path, text in _tree(kind).items() if path.endswith(".sql")}, "passedOver": []}, "adapter": adapter,
    }


def _told(text: str) -> dict[str, Any]:
    """How the operator's side tells a file: here each line is one statement."""
    lines = text.splitlines()
    starts = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines))]
    return {"sha256": hashlib.sha256(text.encode()).hexdigest(), "mode": "transaction",
            "statements": [{"start": start, "end": start + len(line) - 1} for start, line in zip(starts, lines)]}


def compose_file(kind: Kind, opt: Path) -> dict[str, Any]:
    shared = opt / "shared"

    def bind(source: Path, target: str) -> dict[str, Any]:
        return {"type": "bind", "source": str(source), "target": target, "read_only": True}

    return {
        "name": PROJECT,
        "services": {
            "db": {"image": kind.images["db"], "restart": "unless-stopped", "environment": {"POSTGRES_PASSWORD": "${DB_PASSWORD}"},
                   "volumes": [{"type": "volume", "source": "db_data", "target": "/var/lib/postgresql/data"}]},
            "api": {"image": kind.images["api"], "restart": "unless-stopped", "environment": {"DB_PASSWORD": "${DB_PASSWORD}", "MODE": "${MODE}"},
                    "volumes": [{"type": "volume", "source": "photos_data", "target": "/app/photos"}, {**bind(shared / "logs/api", "/var/log/api"), "read_only": False}]},
            "nginx": {"image": kind.images["nginx"], "restart": "unless-stopped", "environment": {},
                      "ports": [{"mode": "ingress", "target": port, "published": str(port), "protocol": "tcp"} for port in (80, 443)],
                      "volumes": [bind(Path(_binds(opt)[0]["target"]), "/etc/nginx/conf.d"), bind(shared / "static/portal", "/usr/share/nginx/portal"),
                                  bind(shared / "tls", "/etc/nginx/ssl"), bind(shared / "acme", "/var/www/acme"), bind(shared / "public", "/usr/share/nginx/public")]},
        },
        "volumes": {"db_data": {"name": f"{PROJECT}_db_data"}, "photos_data": {"name": f"{PROJECT}_photos_data"}},
        "networks": {"default": {"name": f"{PROJECT}_default"}},
    }


def predecessor_file(opt: Path) -> dict[str, Any]:
    """Of the installation before this tool: other folders, images built on the server."""
    described = compose_file(FORMER, opt)
    for name, service in described["services"].items():
        service["image"] = f"{PROJECT}-{name}"
        service["environment"] = {key: value.replace("${DB_PASSWORD}", "secret-of-the-harness").replace("${MODE}", "one") for key, value in service["environment"].items()}
    deploy = opt / "deploy"
    described["services"]["nginx"]["volumes"] = [
        {"type": "bind", "source": str(deploy / "nginx"), "target": "/etc/nginx/conf.d"}, {"type": "bind", "source": str(deploy / "www/certbot"), "target": "/var/www/acme"}]
    described["services"]["api"]["volumes"] = described["services"]["api"]["volumes"][:1]
    return described
