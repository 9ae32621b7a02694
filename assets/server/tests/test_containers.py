"""Plans made of containers: replacing them, starting them at boot, finding what is down."""

import dataclasses
import unittest
from typing import Any

from geoclic_server import boot, monitor, replacement
from geoclic_server.compose import Container, read_container
from geoclic_server.record import Kept

RELEASE: dict[str, Any] = {
    "services": {
        "api": {"stateful": False, "ingress": False, "image": "geoclic/api:new"},
        "nginx": {"stateful": False, "ingress": True, "image": "geoclic/nginx:same"},
        "db": {"stateful": True, "ingress": False, "image": "geoclic/db:same"},
        "sig": {"stateful": False, "ingress": False, "image": "geoclic/sig:same"},
    }
}
HASHES = {"api": "new", "nginx": "same", "db": "same", "sig": "same"}


def container(identity: str, service: str = "api", config_hash: str = "same", status: str = "running", health: str = "healthy") -> Container:
    """The digit of `identity` is its age: `a1` is older than `a2`."""
    return Container(identity, service, config_hash, f"geoclic/{service}:{config_hash}", status, health if status == "running" else "", "", 0,
                     f"2026-11-23T00:00:0{identity[-1]}Z", "", ())


class PlanTest(unittest.TestCase):
    def test_order_data_first_ingress_last(self) -> None:
        steps = replacement.plan(RELEASE, HASHES, [])
        self.assertEqual([(step.service, step.is_exclusive) for step in steps], [("db", True), ("api", False), ("sig", False), ("nginx", True)])

    def test_only_what_changed(self) -> None:
        found = [container("a1", "api", "old"), container("n1", "nginx"), container("d1", "db"), container("s1", "sig")]
        self.assertEqual([step.service for step in replacement.plan(RELEASE, HASHES, found) if not step.is_done], ["api"])

    def test_conditions(self) -> None:
        old, stopped_old = container("a1", config_hash="old"), container("a1", config_hash="old", status="exited")
        new = container("a2", config_hash="new")
        for name, found, is_done, fresh, former in [
            ("absent", [], False, None, []),
            ("runs", [new], True, "a2", []),
            ("still starting", [dataclasses.replace(new, health="starting")], True, "a2", []),
            ("unhealthy", [dataclasses.replace(new, health="unhealthy")], False, "a2", []),
            ("stopped", [dataclasses.replace(new, status="exited")], False, "a2", []),
            ("old", [old], False, None, ["a1"]),
            ("interrupted before the old one was stopped", [old, new], False, "a2", ["a1"]),
            ("interrupted after it", [stopped_old, new], True, "a2", ["a1"]),
            ("two new ones", [new, container("a3", config_hash="new", status="created")], True, "a2", ["a3"]),
        ]:
            with self.subTest(name):
                step = replacement.step("api", "new", found, is_exclusive=False)
                self.assertEqual((step.is_done, step.fresh and step.fresh.id, [each.id for each in step.former]), (is_done, fresh, former))

    def test_the_way_back_is_what_runs(self) -> None:
        wanted = {"api": "new", "db": "same"}
        unproven = dataclasses.replace(container("a2", config_hash="new"), restart="no")
        for name, found, expected in [
            ("what runs", [container("a1"), container("a2", config_hash="older", status="exited")], ("a1",)),
            ("not what a cut run left beside it", [container("a1"), unproven], ("a1",)),
            ("nor if it was not marked", [container("a1"), container("a2", config_hash="new")], ("a1",)),
            ("nor in its place", [container("a1", status="exited"), unproven], ("a1",)),
            ("one that is down is to come back", [container("a1", status="exited")], ("a1",)),
            ("it runs the release already", [container("a2", config_hash="new")], ("a2",)),
            ("one that starts again and again", [container("a1", status="restarting")], ("a1",)),
        ]:
            with self.subTest(name):
                self.assertEqual(replacement.way_back(RELEASE["services"], wanted, found, {})["api"].containers, expected)

    def test_what_a_cut_run_without_a_note_left_running_is_no_way_back(self) -> None:
        """Former scripts gave what nobody had proven a policy to restart, and noted no way back."""
        left = [container("a1", config_hash="r1", status="exited"), container("a2", config_hash="r2")]
        for name, wanted, found, expected in [("the same release again", {"api": "r2"}, left, ("a1",)), ("a third one", {"api": "r3"}, left, ("a1",)),
                                              ("all that there is", {"api": "r3"}, left[1:], ("a2",))]:
            with self.subTest(name):
                self.assertEqual(replacement.way_back({}, wanted, found, {"api": "geoclic/api:r1"})["api"].containers, expected)

    def test_the_way_back_knows_what_holds_data_and_what_the_release_has_no_more(self) -> None:
        kept = replacement.way_back({"db": {"stateful": True, "ingress": False, "drainSeconds": 7}}, {}, [container("d1", "db"), container("x1", "chat")], {})
        self.assertEqual(kept, {"db": Kept(("d1",), True, False, 7), "chat": Kept(("x1",), False, False, 30)})

    def test_services_that_are_gone(self) -> None:
        found = [container("a1"), container("x1", "chat")]
        self.assertEqual([each.id for each in replacement.foreign(["api"], found)], ["x1"])


class BootTest(unittest.TestCase):
    def test_starts_what_is_down_and_makes_what_is_missing(self) -> None:
        found = [
            *(container(f"a{age}", config_hash=config_hash, status="exited") for age, config_hash in ((1, "old"), (2, "new"), (3, "x"))),
            *(container("n1", "nginx"), container("n2", "nginx", status="exited")),
            *(container("d1", "db", "other", status="exited"), container("d2", "db", "another", status="exited")),
        ]
        chosen, missing = boot.to_start(["api", "nginx", "db", "sig"], HASHES, found)
        self.assertEqual(([each.id for each in chosen], missing), (["a2", "d2"], ["sig"]))


WANTED = {service: {rules["image"]} for service, rules in RELEASE["services"].items()}


class MonitorTest(unittest.TestCase):
    def test_containers(self) -> None:
        found = [container("a1", config_hash="new"), container("n1", "nginx", health="unhealthy"), container("d1", "db", status="exited")]
        problems = monitor.container_problems(WANTED, found)
        self.assertEqual([problem["text"] for problem in problems], ["nginx: unhealthy", "db: exited", "sig: no container"])

    def test_a_former_image_is_not_the_release(self) -> None:
        problems = monitor.container_problems({"api": WANTED["api"]}, [container("a1", config_hash="old")])
        self.assertEqual(len(problems), 1)

    def test_backup_age(self) -> None:
        day = 86_400.0
        old, new = ({"newest": {"createdAt": f"2026-11-{number}T02:00:00+00:00", "folder": "x"}} for number in (20, 22))
        now = 1_795_388_400.0  # 2026-11-22T23:00:00Z
        for name, last, running, expected in [
            ("young town without one", None, 0.5 * day, []),
            ("old town without one", None, 3 * day, ["BACKUP_OLD"]),
            ("fresh", new, 9 * day, []),
            ("too old", old, 9 * day, ["BACKUP_OLD"]),
            ("rows fell", {**new, "kept": {"folder": "x", "rows": 900, "now": 2}}, 9 * day, ["ROWS_FELL"]),
            ("failed", {**new, "outcome": "failed", "code": "DISK_FULL", "cause": "full"}, 9 * day, ["BACKUP_FAILED"]),
        ]:
            with self.subTest(name):
                self.assertEqual([problem["code"] for problem in monitor.backup_problems(last, running, now)], expected)

    def test_machine_and_certificate(self) -> None:
        self.assertEqual(monitor.machine_problems({"/": 90, "/opt": 91}, {"/": 90}, 95), [{"code": "DISK_FULL", "item": "/opt: 91 %", "text": "/opt is 91 % full"}])
        self.assertEqual([problem["code"] for problem in monitor.machine_problems({}, {"/": 91}, 96)], ["INODES_FULL", "MEMORY_SHORT"])


class ReadContainerTest(unittest.TestCase):
    def test_reads_docker_inspect(self) -> None:
        read = read_container({
            "Id": "abc", "Created": "2026-11-23T00:00:00Z", "RestartCount": 2, "Mounts": [{"Type": "tmpfs"}, {"Source": "/opt/x", "Destination": "/x"}],
            "Config": {"Image": "geoclic/api:1", "Labels": {"com.docker.compose.service": "api", "com.docker.compose.config-hash": "h"}},
            "State": {"Status": "running", "StartedAt": "now", "Health": {"Status": "unhealthy", "Log": [{"Output": "a"}, {"Output": " b\n"}]}},
        })
        self.assertEqual((read.service, read.config_hash, read.condition, read.health_output, read.restarts, read.mounts, read.targets, read.is_fine),
                         ("api", "h", "unhealthy", "b", 2, ("/opt/x",), ("/x",), False))

    def test_without_a_check_its_status_counts(self) -> None:
        read = read_container({"Id": "abc", "Created": "", "Config": {"Image": "x", "Labels": None}, "State": {"Status": "running"}})
        self.assertEqual((read.condition, read.is_fine), ("running", True))
