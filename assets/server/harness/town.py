"""The town as the public meets it, and the rows that the public writes."""

import json
from pathlib import Path

from . import suite
from .cluster import Cluster, SqlRefused
from .docker import HANDOVER, Container, Docker
from .state import State


class Town:
    def __init__(self, folder: Path, state: State, docker: Docker, cluster: Cluster) -> None:
        self._folder, self._state, self._docker, self._cluster = folder, state, docker, cluster
        self._written = folder / "public.jsonl"

    def ingress(self) -> Container | None:
        """The one that answers the ports."""
        value = self._state.read()
        if "ip geoclic_handover" in value["tables"]:
            second = self._docker.find(HANDOVER)
            return second if second and second["status"] == "running" else None
        holding = [one for one in self._docker.running("nginx") if one["ports"]]
        return holding[0] if holding else None

    def page_file(self, ingress: Container) -> Path:
        """One of somebody else's shows none."""
        for source, target in ingress["binds"]:
            if Path(suite.PAGE).is_relative_to(target):
                return Path(source) / Path(suite.PAGE).relative_to(target)
        return Path("/nonexistent/page")

    @property
    def is_page_on(self) -> bool:
        return (self._folder / "root/opt/geoclic/shared/static/portal" / Path(suite.PAGE).name).exists()

    def serving(self) -> list[Container]:
        """The API's containers that requests may reach now."""
        ingress = self.ingress()
        if ingress is None:
            return []
        running = self._docker.running("api")
        if ingress["leads"] is None:
            return running
        leads = set(ingress["leads"].values())
        return [one for one in running if one["address"] in leads] or running

    def get(self, path: str) -> tuple[int, bytes]:
        ingress = self.ingress()
        if ingress is None:
            return 0, b""
        if path.startswith("/.well-known/acme-challenge/"):
            source = next((Path(source) for source, target in ingress["binds"] if target == "/var/www/acme"), Path("/nonexistent"))
            file = source / path[1:]
            return (200, file.read_bytes()) if file.exists() else (404, b"")
        if self.page_file(ingress).exists():
            return 503, b"maintenance"
        if path == "/.well-known/geoclic-fleet/release":
            file = self._folder / "root/opt/geoclic/shared/public/release.json"
            return (200, file.read_bytes()) if file.exists() else (404, b"")
        serving = self.serving()
        if not serving:
            return 502, b"no upstream"
        healths = {self._docker.health(one) for one in serving}
        gate = any(self._docker.has_fault("gate", one) for one in serving)
        return 200, json.dumps({"status": "healthy" if healths == {"healthy"} and not gate else "degraded"}).encode()

    @property
    def is_healthy(self) -> bool:
        status, body = self.get("/api/health")
        return status == 200 and json.loads(body)["status"] == "healthy"

    def served_certificate(self) -> str | None:
        ingress = self.ingress()
        return ingress["certificate"] if ingress else None

    def certificate(self, serial: str) -> str:
        return str(self._state.value["certificates"][serial][0])

    def write(self) -> bool:
        """A citizen writes where he can; a row that was acknowledged is remembered outside of the server."""
        ingress = self.ingress()
        if ingress is None or self.page_file(ingress).exists() or not self._docker.running("db"):
            return False
        serving = [one for one in self.serving() if self._docker.fits(one)]
        if not serving:
            return False
        name = f"row-{len(self.rows()) + 1}"
        column = suite.column(serving[0]["image"])
        try:
            self._cluster.talk(suite.DATABASE, f"insert into reports (id, {column}) values ('{name}', 'x')")
        except SqlRefused:
            return False
        with self._written.open("a") as file:
            file.write(json.dumps(name) + "\n")
        return True

    def look_at_dump(self) -> None:
        """What the API writes by itself after a dump that is to be the way back would be gone with it."""
        value = self._state.read()
        writers = [one["image"] for one in self._docker.running("api")]
        if self.is_page_on and writers:
            value["exclusions"].append(f"{', '.join(writers)} ran, and could write, while the way back was dumped behind the page")
            self._state.write()

    def give_up_rows(self) -> None:
        """A person chose an older backup: what came since is in the database that the restore kept."""
        present = {name for (name,) in self._cluster.ask(suite.DATABASE, "select id from public.reports")}
        rows = [name for name in self.rows() if name in present]
        self._written.write_text("".join(json.dumps(name) + "\n" for name in rows))

    def rows(self) -> list[str]:
        """Acknowledged ones."""
        return [json.loads(line) for line in self._written.read_text().splitlines()] if self._written.exists() else []
