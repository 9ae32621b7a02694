"""An imitated Docker Engine and Compose, at the level of command lines. Databases are real, see `cluster`.

What it does not know it refuses aloud: a command line that the tool begins to use must be added here.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import suite
from .cluster import Cluster, SqlRefused
from .state import State

Container = dict[str, Any]
Answer = tuple[int, str, str]

_LABEL = "com.docker.compose"
HANDOVER = "geoclic-handover"


class Unknown(AssertionError):
    """A command line that nobody taught this engine."""


class Docker:
    def __init__(self, state: State, cluster: Cluster, root: Path) -> None:
        self._state, self._cluster, self._root = state, cluster, root

    def run(self, words: Sequence[str]) -> Answer:
        """Every command but `exec` of PostgreSQL's programs."""
        value = self._state.read()
        if not value["is_up"]:
            return 1, "", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
        if words[0] in ("container", "image", "volume", "network"):
            name, rest = f"{words[0]}_{words[1]}", words[2:]
        else:
            name, rest = words[0], words[1:]
        work: Callable[[Sequence[str]], Answer] | None = getattr(self, f"_{name.replace('-', '_')}", None)
        if work is None:
            raise Unknown(f"docker {' '.join(words)}")
        answer = work(list(rest))
        self._state.write()
        return answer

    # What the engine does by itself.

    def boot(self) -> None:
        """After a power cut: what its restart policy brings back, as the real one does it."""
        value = self._state.read()
        value["is_up"], value["tables"] = True, []
        was_running = [one for one in value["containers"] if one["status"] == "running"]
        for one in was_running:
            self._end(one)
        for one in value["containers"]:
            # "unless-stopped" remembers that somebody stopped it; one that was never started is not started.
            is_back = one["policy"] == "always" and one["started"] or one["policy"] == "unless-stopped" and one in was_running and not one["by_hand"]
            if is_back:
                self._begin(one)
        self._state.write()

    def find(self, name: str) -> Container | None:
        found = [one for one in self._state.value["containers"] if one["id"].startswith(name) or one["name"] == name]
        return found[0] if found else None

    def running(self, service: str) -> list[Container]:
        return [one for one in self._state.value["containers"] if one["service"] == service and one["status"] == "running"]

    def has_fault(self, what: str, one: Container) -> bool:
        """By its image, or by a variable of its environment."""
        faults = self._state.value["faults"]
        return f"{what} {one['image']}" in faults or any(f"{what} {name}={value}" in faults for name, value in one["environment"].items())

    def health(self, one: Container) -> str:
        """Of one that runs."""
        if self.has_fault("unhealthy", one):
            return "unhealthy"
        if one["service"] == "api":
            return "healthy" if self.fits(one) else "unhealthy"
        return "healthy"

    def fits(self, api: Container) -> bool:
        """Whether the present schema has what this API writes."""
        column = suite.column(api["image"])
        if not self.running("db"):
            return False
        try:
            return bool(self._cluster.talk(suite.DATABASE, "select 1 from information_schema.columns where table_schema = 'public'"
                                          f" and table_name = 'reports' and column_name = '{column}'"))
        except SqlRefused:
            return False

    # docker NAME

    def _version(self, words: Sequence[str]) -> Answer:
        return 0, "29.0.0\n", ""

    def _info(self, words: Sequence[str]) -> Answer:
        return 0, "29.0.0\n", ""

    def _ps(self, words: list[str]) -> Answer:
        chosen = list(self._state.value["containers"])
        is_all, template, place = False, "", 0
        while place < len(words):
            word = words[place]
            if word == "--filter":
                place += 1
                chosen = [one for one in chosen if _matches(one, words[place])]
            elif word == "--format":
                place += 1
                template = words[place]
            elif word in ("-aq", "-a", "--all"):
                is_all = True
            elif word not in ("-q", "--no-trunc", "--quiet"):
                raise Unknown(f"docker ps {' '.join(words)}")
            place += 1
        shown = [one for one in chosen if is_all or one["status"] == "running"]
        return 0, "".join(f"{_fill(template, one) if template else one['id']}\n" for one in shown), ""

    def _container_ls(self, words: list[str]) -> Answer:
        return self._ps(words)

    def _inspect(self, words: list[str]) -> Answer:
        names, template = _options(words, {"--type": 1, "--format": 1, "-f": 1})
        found = [self.find(name) for name in names]
        missing = [name for name, one in zip(names, found) if one is None]
        shown = [self._inspected(one) for one in found if one]
        said = "".join(f"Error: No such container: {name}\n" for name in missing)
        form = template.get("--format", template.get("-f"))
        if form:
            return (1 if missing else 0), "".join(f"{_go(form, one)}\n" for one in shown), said
        return (1 if missing else 0), json.dumps(shown) + "\n", said

    def _container_inspect(self, words: list[str]) -> Answer:
        return self._inspect(words)

    def _start(self, names: list[str]) -> Answer:
        said = []
        for name in names:
            one = self.find(name)
            if one is None:
                said.append(f"Error response from daemon: No such container: {name}")
                continue
            problem = None if one["status"] == "running" else self._begin(one)
            one["by_hand"] = False
            if problem:
                said.append(f"Error response from daemon: {problem}")
        return (1 if said else 0), "", "\n".join(said)

    def _stop(self, words: list[str]) -> Answer:
        names, _ = _options(words, {"-t": 1, "--time": 1, "--timeout": 1})
        return self._each(names, self._stopped_by_hand)

    def _kill(self, words: list[str]) -> Answer:
        names, _ = _options(words, {"-s": 1, "--signal": 1})
        return self._each(names, self._stopped_by_hand)

    def _rm(self, words: list[str]) -> Answer:
        names, _ = _options(words, {"-f": 0, "--force": 0, "-v": 0})
        return self._each(names, self._remove)

    def _update(self, words: list[str]) -> Answer:
        names, given = _options(words, {"--restart": 1})
        return self._each(names, lambda one: one.update(policy=given["--restart"]))

    def _rename(self, words: list[str]) -> Answer:
        return self._each(words[:1], lambda one: one.update(name=words[1]))

    def _logs(self, words: list[str]) -> Answer:
        return 0, "a last line\n", ""

    def _top(self, words: list[str]) -> Answer:
        return 0, "nginx: worker process\n", ""

    def _exec(self, words: list[str]) -> Answer:
        """What is no program of PostgreSQL's: nginx."""
        one, program = self.exec_of(words)
        if one is None or one["status"] != "running":
            return 1, "", "Error response from daemon: container is not running"
        if program[:1] == ["nginx"]:
            return self._nginx(one, program[1:])
        if program[:1] == ["df"]:
            free = 1 << 10 if "full" in self._state.value["faults"] else 50 << 20
            return 0, f"Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda1 {100 << 20} {(100 << 20) - free} {free} 50% /var/lib/postgresql\n", ""
        raise Unknown(f"docker exec {' '.join(words)}")

    def exec_of(self, words: Sequence[str]) -> tuple[Container | None, list[str]]:
        """Container and program of an exec."""
        names, _ = _options(list(words), {"-i": 0, "-t": 0, "-T": 0, "-e": 1, "--env": 1, "-u": 1, "--user": 1, "--interactive": 0, "-w": 1}, is_program=True)
        return self.find(names[0]), names[1:]

    def _run(self, words: list[str]) -> Answer:
        """A throw-away container that tells a user's numbers."""
        if words[-2:] == ["-c", "id -u; id -g"]:
            return 0, "0\n0\n", ""
        raise Unknown(f"docker run {' '.join(words)}")

    def _image_ls(self, words: list[str]) -> Answer:
        absent = {fault.removeprefix("missing ") for fault in self._state.value["faults"] if fault.startswith("missing ")}
        return 0, "".join(f"{image}\n" for image in self._state.value["images"] if image not in absent), ""

    def _image_inspect(self, words: list[str]) -> Answer:
        names, given = _options(words, {"--format": 1, "-f": 1})
        absent = [name for name in names if name not in self._state.value["images"]]
        if absent:
            return 1, "", f"Error response from daemon: No such image: {absent[0]}"
        form = given.get("--format", "")
        if form == "{{.Config.User}}":
            return 0, "\n", ""
        if form in ("{{.Id}}", "{{.ID}}"):
            return 0, "".join(f"sha256:{hashlib.sha256(name.encode()).hexdigest()}\n" for name in names), ""
        if not form:
            return 0, json.dumps([{"Id": f"sha256:{hashlib.sha256(name.encode()).hexdigest()}", "RepoTags": [name], "Config": {"User": "", "Labels": {}}} for name in names]), ""
        raise Unknown(f"docker image inspect {' '.join(words)}")

    def _image_rm(self, words: list[str]) -> Answer:
        used = {one["image"] for one in self._state.value["containers"]}
        images = self._state.value["images"]
        wrong = [name for name in words if name not in images or name in used]
        self._state.value["images"] = [image for image in images if image not in words or image in used]
        return (1 if wrong else 0), "", "".join(f"Error: {name}\n" for name in wrong)

    def _image_prune(self, words: list[str]) -> Answer:
        return 0, "Total reclaimed space: 0B\n", ""

    def _volume_inspect(self, words: list[str]) -> Answer:
        names, given = _options(words, {"--format": 1, "-f": 1})
        place = self._root / "var/lib/docker/volumes" / names[0] / "_data"
        if not place.exists():
            return 1, "", f"Error response from daemon: get {names[0]}: no such volume"
        form = given.get("--format", given.get("-f"))
        if form == "{{.Mountpoint}}":
            return 0, f"{place}\n", ""
        if form is None:
            return 0, json.dumps([{"Name": names[0], "Mountpoint": str(place)}]), ""
        raise Unknown(f"docker volume inspect {' '.join(words)}")

    def _volume_rm(self, words: list[str]) -> Answer:
        names, _ = _options(words, {"-f": 0, "--force": 0})
        for name in names:
            users = [one["name"] for one in self._state.value["containers"] if name in one["volumes"]]
            if users:
                return 1, "", f"Error response from daemon: remove {name}: volume is in use - [{', '.join(users)}]"
            shutil.rmtree(self._root / "var/lib/docker/volumes" / name, ignore_errors=True)
            if name.endswith("db_data"):
                for database in self._cluster.databases():
                    self._cluster.ask("postgres", f'drop database "{database}" with (force)')
                self._state.value["is_made"] = False
        return 0, "", ""

    def _volume_ls(self, words: list[str]) -> Answer:
        folder = self._root / "var/lib/docker/volumes"
        return 0, "".join(f"{one.name}\n" for one in sorted(folder.iterdir())), ""

    def _network_inspect(self, words: list[str]) -> Answer:
        running = [one for one in self._state.value["containers"] if one["status"] == "running"]
        return 0, json.dumps([{"Name": words[-1], "IPAM": {"Config": [{"Subnet": "172.20.0.0/16", "Gateway": "172.20.0.1"}]},
                               "Containers": {one["id"]: {"IPv4Address": f"{one['address']}/16"} for one in running}}]), ""

    def _network_ls(self, words: list[str]) -> Answer:
        return 0, "abcdef012345\n", ""

    def _network_rm(self, words: list[str]) -> Answer:
        return 0, "", ""

    def _system_df(self, words: list[str]) -> Answer:
        return 0, "", ""

    # docker compose

    def _compose(self, words: list[str]) -> Answer:
        if words[:1] == ["version"]:
            return 0, "2.40.0\n", ""
        rest, given = _options(words, {"--ansi": 1, "--progress": 1, "-p": 1, "--project-directory": 1, "--env-file": 1, "-f": 1, "--profile": 1}, is_program=True)
        if rest[:1] == ["ls"]:
            return 0, "[]", ""
        file = Path(given["-f"])
        if not file.exists():
            return 1, "", f"open {file}: no such file or directory"
        try:
            described = _substituted(json.loads(file.read_text()), Path(given["--env-file"]))
        except KeyError as error:
            return 1, "", f"error while interpolating: required variable {error} is missing a value"
        described["folder"] = given.get("--project-directory", str(file.parent))
        match rest[0]:
            case "config":
                return self._config(described, rest[1:])
            case "up":
                return self._up(described, rest[1:])
            case "create":
                return self._up(described, ["--no-start", *rest[1:]])
            case "run":
                return self._one_off(described, rest[1:])
            case "stop" | "start":
                return self._compose_verb(rest[0], rest[1:])
        raise Unknown(f"docker compose {' '.join(rest)}")

    def _compose_verb(self, verb: str, words: list[str]) -> Answer:
        services, _ = _options(words, {"-t": 1, "--timeout": 1})
        ids = [one["id"] for one in self._state.value["containers"] if one["service"] in services and not one["one_off"]]
        return self._stop(ids) if verb == "stop" else self._start(ids)

    def _config(self, described: dict[str, Any], words: list[str]) -> Answer:
        if words == ["--hash", "*"]:
            return 0, "".join(f"{name} {_hash(service)}\n" for name, service in described["services"].items()), ""
        if words == ["--format", "json"]:
            return 0, json.dumps({key: value for key, value in described.items() if key != "folder"}), ""
        raise Unknown(f"docker compose config {' '.join(words)}")

    def _up(self, described: dict[str, Any], words: list[str]) -> Answer:
        services, given = _options(words, {"-d": 0, "--no-start": 0, "--no-build": 0, "--no-deps": 0, "--no-recreate": 0, "--pull": 1, "--scale": 1, "--wait": 0,
                                           "--force-recreate": 0, "--always-recreate-deps": 0, "--quiet-pull": 0, "--remove-orphans": 0})
        if "--no-recreate" not in given or not services:
            raise Unknown(f"docker compose up {' '.join(words)}")
        scale = dict(part.split("=") for part in [given["--scale"]]) if "--scale" in given else {}
        for service in services:
            own = [one for one in self._state.value["containers"] if one["service"] == service and one["project"] == described["name"] and not one["one_off"]]
            image = described["services"][service]["image"]
            if image not in self._state.value["images"]:
                return 1, "", f"Error response from daemon: No such image: {image}"
            for _ in range(len(own), int(scale.get(service, max(1, len(own))))):
                own.append(self._make(described, service))
            if "-d" in given:
                for one in own:
                    if one["status"] != "running" and (problem := self._begin(one)):
                        return 1, "", f"Error response from daemon: {problem}"
        return 0, "", ""

    def _one_off(self, described: dict[str, Any], words: list[str]) -> Answer:
        names, given = _options(words, {"-d": 0, "--no-deps": 0, "--publish": 1, "-p": 1, "--name": 1, "--rm": 0, "--no-TTY": 0, "-T": 0}, is_program=True)
        if self.find(given["--name"]):
            return 1, "", f"Conflict. The container name {given['--name']} is already in use"
        one = self._make(described, names[0], given["--name"])
        problem = self._begin(one)
        return (1, "", problem) if problem else (0, f"{one['id']}\n", "")

    # Containers' lives.

    def _make(self, described: dict[str, Any], service: str, one_off: str = "") -> Container:
        value = self._state.value
        value["sequence"] += 1
        number = value["sequence"]
        content = described["services"][service]
        volumes = content.get("volumes", [])
        binds = [(volume["source"], volume["target"]) for volume in volumes if volume["type"] == "bind"]
        for source, _ in binds:
            # What Docker does for a path that is missing, to the surprise of many.
            Path(source).mkdir(parents=True, exist_ok=True)
        made: Container = {
            "id": hashlib.sha256(str(number).encode()).hexdigest(), "name": one_off or f"{described['name']}-{service}-{number}", "service": service,
            "project": described["name"], "image": content["image"], "hash": _hash(content), "folder": described["folder"], "one_off": bool(one_off),
            "status": "created", "restarts": 0, "created": _iso(value["clock"], number), "started": "", "policy": "no" if one_off else content.get("restart", "no"),
            "by_hand": False, "volumes": [described["volumes"][volume["source"]]["name"] for volume in volumes if volume["type"] == "volume"], "binds": binds,
            "ports": [] if one_off else [int(port["published"]) for port in content.get("ports", [])], "address": f"172.20.{number // 250}.{number % 250 + 2}",
            "environment": content.get("environment", {}), "certificate": None, "leads": None, "number": number,
        }
        value["containers"].append(made)
        return made

    def place(self, described: dict[str, Any], folder: Path) -> None:
        """Containers that somebody else's Compose made and started."""
        self._state.read()
        for service in described["services"]:
            self._begin(self._make({**described, "folder": str(folder)}, service))
        self._state.write()

    def bring(self, described: dict[str, Any]) -> None:
        """`compose up -d` of a whole file."""
        value = self._state.read()
        for service, content in described["services"].items():
            own = [one for one in value["containers"] if one["service"] == service and not one["one_off"]]
            fit = [one for one in own if one["hash"] == _hash(content)]
            for one in own:
                if one not in fit[:1]:
                    self._remove(one)
            one = fit[0] if fit else self._make(described, service)
            if one["status"] != "running":
                self._begin(one)
        self._state.write()

    def _begin(self, one: Container) -> str | None:
        """What the engine refuses; None when it runs."""
        value = self._state.value
        running = [other for other in value["containers"] if other is not one and other["status"] == "running"]
        if any(set(other["ports"]) & set(one["ports"]) for other in running):
            return f"driver failed programming external connectivity on endpoint {one['name']}: Bind for 0.0.0.0:443 failed: port is already allocated"
        if f"broken {one['image']}" in value["faults"]:
            one.update(status="exited", restarts=3, started=_iso(value["clock"], one["number"]))
            return None
        if one["service"] == "db":
            shared = [other["name"] for other in running if set(other["volumes"]) & set(one["volumes"])]
            if shared:
                value["exclusions"].append(f"{one['name']} was started beside {', '.join(shared)} on one volume")
            for volume in one["volumes"]:
                place = self._root / "var/lib/docker/volumes" / volume / "_data"
                place.mkdir(parents=True, exist_ok=True)
                (place / "PG_VERSION").write_text("15\n")
            if suite.DATABASE not in self._cluster.databases() and not value.get("is_made"):
                self._cluster.ask("postgres", f"create database {suite.DATABASE}")
            value["is_made"] = True
        value["sequence"] += 1
        one.update(status="running", started=_iso(value["clock"], value["sequence"]), by_hand=False)
        if one["service"] == "nginx":
            one["certificate"], one["leads"] = self._pair(), None
            if one["certificate"] is None:
                one.update(status="exited", restarts=3)
        return None

    def _end(self, one: Container) -> None:
        if one["status"] != "running":
            return
        one.update(status="exited", leads=None)
        if one["service"] == "db" and not self.running("db"):
            self._cluster.end_sessions()

    def _stopped_by_hand(self, one: Container) -> None:
        self._end(one)
        one["by_hand"] = True

    def _remove(self, one: Container) -> None:
        self._end(one)
        self._state.value["containers"].remove(one)

    def _each(self, names: Sequence[str], work: Callable[[Container], object]) -> Answer:
        missing = []
        for name in names:
            one = self.find(name)
            if one is None:
                missing.append(name)
            else:
                work(one)
        return (1 if missing else 0), "", "".join(f"Error response from daemon: No such container: {name}\n" for name in missing)

    def _inspected(self, one: Container) -> dict[str, Any]:
        is_running = one["status"] == "running"
        health = self.health(one) if is_running else "unhealthy"
        return {
            "Id": one["id"], "Name": f"/{one['name']}", "Created": one["created"], "RestartCount": one["restarts"],
            "Image": f"sha256:{hashlib.sha256(one['image'].encode()).hexdigest()}",
            "State": {"Status": one["status"], "Running": is_running, "Pid": 4_194_400 + one["number"] if is_running else 0, "StartedAt": one["started"],
                      "ExitCode": 0, "Health": {"Status": health, "Log": [{"Output": f"it is {health}"}]}},
            "Config": {"Image": one["image"], "Env": [f"{key}={value}" for key, value in one["environment"].items()], "Labels": _labels(one)},
            "HostConfig": {"RestartPolicy": {"Name": one["policy"], "MaximumRetryCount": 0}},
            "Mounts": [{"Type": "bind", "Source": source, "Destination": target} for source, target in one["binds"]]
            + [{"Type": "volume", "Name": name, "Source": str(self._root / "var/lib/docker/volumes" / name / "_data"), "Destination": "/data"} for name in one["volumes"]],
            "NetworkSettings": {"Networks": {f"{one['project']}_default": {"IPAddress": one["address"] if is_running else ""}}},
        }

    # The ingress.

    def _pair(self) -> str | None:
        """Serial of the certificate that nginx would load; None when key and chain are no pair."""
        tls = self._root / "opt/geoclic/shared/tls"
        try:
            chain, key = (tls / "fullchain.pem").read_text(), (tls / "privkey.pem").read_text()
        except OSError:
            return None
        return next((serial for serial, pair in self._state.value["certificates"].items() if pair == [chain, key]), None)

    def _nginx(self, one: Container, words: list[str]) -> Answer:
        serial = self._pair()
        if serial is None:
            return 1, "", "nginx: [emerg] SSL_CTX_use_PrivateKey failed (key values mismatch)"
        if words == ["-s", "reload"]:
            one["certificate"] = serial
        return 0, "", ""


def _matches(one: Container, condition: str) -> bool:
    name, _, wanted = condition.partition("=")
    if name == "label":
        label, has_value, value = wanted.partition("=")
        labels = _labels(one)
        return label in labels and (not has_value or labels[label] == value)
    if name == "status":
        return bool(one["status"] == wanted)
    if name == "name":
        return re.search(wanted, one["name"]) is not None
    if name == "volume":
        return wanted in one["volumes"]
    if name == "id":
        return bool(one["id"].startswith(wanted))
    raise Unknown(f"docker ps --filter {condition}")


def _labels(one: Container) -> dict[str, str]:
    return {f"{_LABEL}.project": one["project"], f"{_LABEL}.service": one["service"], f"{_LABEL}.config-hash": one["hash"], f"{_LABEL}.oneoff": str(one["one_off"]),
            f"{_LABEL}.project.working_dir": one["folder"], f"{_LABEL}.container-number": str(one["number"]), f"{_LABEL}.version": "2.40.0"}


def _fill(template: str, one: Container) -> str:
    known = {"{{.ID}}": one["id"], "{{.Names}}": one["name"], "{{.Image}}": one["image"], "{{.State}}": one["status"]}
    for name, value in known.items():
        template = template.replace(name, value)
    if "{{" in template:
        raise Unknown(f"docker ps --format {template}")
    return template


def _go(template: str, inspected: dict[str, Any]) -> str:
    """The few words of Go's templates that are used."""
    def one(match: re.Match[str]) -> str:
        value: Any = inspected
        is_json = match[1].startswith("json ")
        for name in match[1].removeprefix("json ").strip(".").split("."):
            value = value[name] if name else value
        return json.dumps(value) if is_json or isinstance(value, (dict, list)) else str(value).lower() if isinstance(value, bool) else str(value)

    if re.search(r"\{\{\s*(range|if|index|with)", template):
        raise Unknown(f"docker inspect --format {template}")
    return re.sub(r"\{\{\s*((?:json )?[\w.]+)\s*\}\}", one, template)


def _options(words: list[str], known: dict[str, int], *, is_program: bool = False) -> tuple[list[str], dict[str, str]]:
    """Words without options, and the options' values. `is_program`: after the first such word everything is another program's."""
    rest: list[str] = []
    given: dict[str, str] = {}
    place = 0
    while place < len(words):
        word = words[place]
        name, has_value, value = word.partition("=")
        if is_program and rest:
            return rest + words[place:], given
        if word.startswith("-") and has_value and name in known:
            given[name] = value
        elif word in known:
            if known[word]:
                place += 1
            given[word] = words[place]
        elif word.startswith("-") and len(word) > 1:
            raise Unknown(f"option {word} of {' '.join(words)}")
        else:
            rest.append(word)
        place += 1
    return rest, given


def _substituted(described: dict[str, Any], environment: Path) -> dict[str, Any]:
    lines = [line.split("=", 1) for line in environment.read_text().splitlines() if "=" in line and not line.startswith("#")] if environment.exists() else []
    values = {name: value.strip("'") for name, value in lines}

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [fill(inner) for inner in value]
        return re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], value) if isinstance(value, str) else value

    return dict(fill(described))


def _hash(service: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(service, sort_keys=True).encode()).hexdigest()


def _iso(clock: float, number: int) -> str:
    import datetime

    return datetime.datetime.fromtimestamp(clock, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{number:09d}Z"
