"""The other programs of an imitated server: systemd, nftables, certbot and their kin."""

import re
from collections.abc import Sequence
from pathlib import Path

from . import suite
from .docker import Answer, Docker, Unknown
from .state import State

_REAL = ("openssl", "tar", "du", "gzip", "sha256sum")
"""Run as they are: they only read and write what they are told."""
_POSTGRES = ("psql", "pg_dump", "pg_restore", "pg_isready", "vacuumdb", "reindexdb", "createdb", "dropdb", "pg_controldata", "reindexdb", "analyzedb")


class Programs:
    def __init__(self, state: State, docker: Docker, postgres: Path, root: Path) -> None:
        self._state, self._docker, self._postgres, self._root = state, docker, postgres, root

    def real(self, words: Sequence[str]) -> tuple[list[str], dict[str, str]] | None:
        """Words and environment of the real program behind a command; None where the answer is made up."""
        if Path(words[0]).name in _REAL:
            return list(words), {}
        if words[0] != "docker":
            return None
        inner = list(words[1:])
        if inner[:1] == ["compose"] and "exec" in inner:
            # `docker compose … exec SERVICE PROGRAM`
            self._state.read()
            rest = [word for word in inner[inner.index("exec") + 1 :] if word not in ("-T", "-i")]
            running = self._docker.running(rest[0])
            inner = ["exec", running[-1]["id"] if running else "none", *rest[1:]]
        if inner[:1] != ["exec"]:
            return None
        value = self._state.read()
        one, program = self._docker.exec_of(inner[1:])
        if not value["is_up"] or one is None or one["status"] != "running" or one["service"] != "db":
            return None
        if program[0] == "df":
            return None
        if program[0] not in _POSTGRES:
            raise Unknown(f"docker {' '.join(inner)}")
        set_here = dict(word.split("=", 1) for before, word in zip(inner, inner[1:]) if before in ("-e", "--env") and "=" in word)
        return [str(self._postgres / program[0]), *_without_host(program[1:])], set_here

    def made_up(self, words: Sequence[str], stdin: str) -> Answer:
        name, rest = words[0], list(words[1:])
        if name == "docker":
            return self._docker.run(rest)
        value = self._state.read()
        work = getattr(self, f"_{name.replace('-', '_')}", None)
        if work is None:
            raise Unknown(" ".join(words))
        answer: Answer = work(rest, stdin, value)
        self._state.write()
        return answer

    def _systemctl(self, words: list[str], stdin: str, value: dict) -> Answer:
        plain = [word.removesuffix(".service") for word in words if not word.startswith("-")]
        verb, units = plain[0], plain[1:]
        match verb:
            case "is-active":
                active = [unit for unit in units if value["units"].get(unit) == "active"]
                return (0, "active\n", "") if active else (3, "inactive\n", "")
            case "is-enabled":
                enabled = [unit for unit in units if unit in value["enabled"]]
                return (0, "enabled\n", "") if enabled else (1, "disabled\n", "")
            case "enable":
                value["enabled"] = sorted({*value["enabled"], *units})
            case "disable":
                value["enabled"] = [unit for unit in value["enabled"] if unit not in units]
            case "start" | "restart" | "reload-or-restart":
                value["starts"] += [unit for unit in units if unit.startswith("geoclic")]
                value["units"].update({unit: "active" for unit in units if unit.endswith(".timer")})
            case "stop":
                for unit in units:
                    value["units"].pop(unit, None)
            case "kill":
                if not any(unit in value["units"] for unit in units):
                    return 1, "", f"Failed to kill unit {units[0]}.service: Unit not loaded."
            case "show":
                return 0, self._shown(words, units, value), ""
            case "daemon-reload" | "reset-failed":
                pass
            case _:
                raise Unknown(f"systemctl {' '.join(words)}")
        return 0, "", ""

    @staticmethod
    def _shown(words: list[str], units: list[str], value: dict) -> str:
        wanted = next((match[1] for word in words if (match := re.fullmatch(r"(?:--property=|-p)(.*)", word))), "")
        known = {"MainPID": "0", "ActiveState": "inactive", "LoadState": "loaded", "Result": "success", "NextElapseUSecRealtime": "", "LastTriggerUSec": ""}
        blocks = []
        for unit in units:
            state = {**known, "Id": unit, "ActiveState": "active" if value["units"].get(unit) == "active" else "inactive"}
            lines = [state[name] if "--value" in words else f"{name}={state[name]}" for name in wanted.split(",") if name in state]
            blocks.append("\n".join(lines))
        return "\n\n".join(blocks) + "\n"

    def _systemd_run(self, words: list[str], stdin: str, value: dict) -> Answer:
        unit = next((word.partition("=")[2] for word in words if word.startswith("--unit=")), "run-1").removesuffix(".service")
        if value["units"].get(unit) == "active":
            return 1, "", f"Failed to start transient service unit: Unit {unit}.service already exists."
        if unit == "geoclic-activate":
            value["activation"] = words[words.index("activate") :]
        value["units"][unit] = "active"
        return 0, "", ""

    def _systemd_analyze(self, words: list[str], stdin: str, value: dict) -> Answer:
        return 0, "", ""

    def _nft(self, words: list[str], stdin: str, value: dict) -> Answer:
        match words:
            case ["-f", "-"]:
                value["tables"] = sorted({*value["tables"], *re.findall(r"^table (\w+ \w+) \{", stdin, re.MULTILINE)})
            case ["-f" | "--file", _]:
                value["tables"] = sorted({*value["tables"], "inet geoclic"})
            case ["list", "table", family, name] | ["-j", "list", "table", family, name]:
                return (0, f"table {family} {name} {{\n}}\n", "") if f"{family} {name}" in value["tables"] else (1, "", "Error: No such file or directory")
            case ["delete", "table", family, name]:
                if f"{family} {name}" not in value["tables"]:
                    return 1, "", "Error: Could not process rule: No such file or directory"
                value["tables"].remove(f"{family} {name}")
            case ["--check", *_] | ["-c", *_]:
                pass
            case ["list", "tables"]:
                return 0, "".join(f"table {table}\n" for table in value["tables"]), ""
            case ["list", "ruleset"] | ["list", "chain", *_] | ["-j", "list", "ruleset"]:
                return 0, "", ""
            case _:
                raise Unknown(f"nft {' '.join(words)}")
        return 0, "", ""

    def _nsenter(self, words: list[str], stdin: str, value: dict) -> Answer:
        target = re.fullmatch(r"--net=/proc/(\d+)/ns/net", words[0])
        one = next((one for one in value["containers"] if target and one["status"] == "running" and one["number"] == int(target[1]) - 4_194_400), None)
        if one is None:
            return 1, "", f"nsenter: cannot open {words[0]}: No such file or directory"
        match words[1:]:
            case ["ss", *_]:
                return 0, "", ""
            case ["nft", "-f", "-"]:
                one["leads"] = dict(re.findall(r"([\d.]+) : ([\d.]+)", stdin))
            case ["nft", "-j", "list", "map", *_]:
                if one["leads"] is None:
                    return 1, "", "Error: No such file or directory"
                elements = ", ".join(f'["{known}", "{leads}"]' for known, leads in one["leads"].items())
                return 0, f'{{"nftables": [{{"map": {{"elem": [{elements}]}}}}]}}', ""
            case ["nft", "delete", "table", *_]:
                if one["leads"] is None:
                    return 1, "", "Error: No such file or directory"
                one["leads"] = None
            case _:
                raise Unknown(f"nsenter {' '.join(words)}")
        return 0, "", ""

    def _ss(self, words: list[str], stdin: str, value: dict) -> Answer:
        return 0, "", ""

    def _sync(self, words: list[str], stdin: str, value: dict) -> Answer:
        return 0, "", ""

    def _crontab(self, words: list[str], stdin: str, value: dict) -> Answer:
        if words[-1] == "-l":
            return (0, value["cron"], "") if value["cron"] else (1, "", "no crontab for root")
        value["cron"] = stdin
        return 0, "", ""

    def _certbot(self, words: list[str], stdin: str, value: dict) -> Answer:
        """Another certificate of the name each time, or an account."""
        if words[0] == "certonly":
            self.renew(value)
        account = self._root / "etc/letsencrypt/accounts/acme.example/directory/0123456789abcdef"
        account.mkdir(parents=True, exist_ok=True)
        for name, text in {"meta.json": '{"creation_dt": "2026-01-01T00:00:00Z"}', "regr.json": "{}", "private_key.json": "{}"}.items():
            (account / name).write_text(text)
        return 0, "Successfully received certificate.\n", ""

    def renew(self, value: dict) -> str:
        """As certbot writes a new generation; its serial."""
        certbot = self._root / "etc/letsencrypt"
        live, archive, renewal = (certbot / part / suite.DOMAIN for part in ("live", "archive", "renewal"))
        present = (live / "fullchain.pem").read_text() if (live / "fullchain.pem").exists() else ""
        serials = sorted(value["certificates"])
        former = next((serial for serial in serials if value["certificates"][serial][0] == present), serials[-1])
        serial = serials[(serials.index(former) + 1) % len(serials)]
        for folder in (archive, live, renewal.parent):
            folder.mkdir(parents=True, exist_ok=True)
        number = len(list(archive.glob("fullchain*"))) + 1
        chain, key = value["certificates"][serial]
        for name, text in {"cert": chain, "chain": "", "fullchain": chain, "privkey": key}.items():
            (archive / f"{name}{number}.pem").write_text(text)
            link = live / f"{name}.pem"
            link.unlink(missing_ok=True)
            link.symlink_to(f"../../archive/{suite.DOMAIN}/{name}{number}.pem")
        if not renewal.with_name(f"{suite.DOMAIN}.conf").exists():
            named = "".join(f"{name} = {live}/{name}.pem\n" for name in ("cert", "privkey", "chain", "fullchain"))
            renewal.with_name(f"{suite.DOMAIN}.conf").write_text(
                f"version = 4.0.0\narchive_dir = {archive}\n{named}[renewalparams]\nauthenticator = webroot\naccount = 0123456789abcdef\n"
                f"server = https://acme.example/directory\nwebroot_path = {self._root}/opt/geoclic/shared/acme,\n")
        return serial

    def _iptables(self, words: list[str], stdin: str, value: dict) -> Answer:
        return 0, "-P POSTROUTING ACCEPT\n-A POSTROUTING -s 172.20.0.0/16 ! -o br-1 -j MASQUERADE\n", ""

    def _sshd(self, words: list[str], stdin: str, value: dict) -> Answer:
        return 0, "port 22\n", ""


def _without_host(words: Sequence[str]) -> list[str]:
    """Inside the container it is its own host; here it is the private cluster's socket."""
    kept: list[str] = []
    for place, word in enumerate(words):
        if word == "-h" or (place and words[place - 1] == "-h") or word.startswith("--host="):
            continue
        kept.append(word)
    return kept
