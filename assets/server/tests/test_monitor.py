"""Looks, mends and the report, with the server answered for. Not proven: Docker, nft and nginx (test/lab)."""

import contextlib
import errno
import json
import tempfile
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest import mock

from geoclic_server import certificate, firewall, layout, monitor, tls
from geoclic_server.compose import Container
from geoclic_server.failure import Failure
from geoclic_server.maintenance import Marker
from geoclic_server.process import Result
from geoclic_server.record import Record

NOW = datetime(2027, 3, 1, 12, tzinfo=timezone.utc)


def held(serial, days):
    return {"serial": serial, "issuer": "x", "notAfter": (NOW + timedelta(days=days)).isoformat(), "daysLeft": float(days)}


def codes(problems):
    return [problem["code"] for problem in problems]


class Report(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "monitor.json"
        patch = mock.patch.object(monitor, "PATH", self.path)
        patch.start()
        self.addCleanup(patch.stop)

    def check(self, **looks):
        return monitor._work_through(looks, {"client": "ville", "everyMinutes": 5})

    def told(self):
        return json.loads(self.path.read_text())

    def test_a_look_that_fails_is_a_finding_and_hides_no_other(self):
        def broken():
            raise Failure("DOCKER_DOWN", "docker", "Cannot connect", "look.")

        def defect():
            raise KeyError("services")
        problems = self.check(a=broken, b=lambda: [monitor._problem("DISK_FULL", "/")], c=defect)
        self.assertEqual(codes(problems), ["LOOK_FAILED", "DISK_FULL", "LOOK_FAILED"])
        self.assertEqual(problems[0]["item"], "a: Cannot connect (DOCKER_DOWN)")
        self.assertEqual(self.told()["problems"], problems)

    def test_a_check_that_is_killed_leaves_no_yesterdays_no_problem(self):
        class Killed(BaseException):
            pass

        def hangs():
            raise Killed
        self.check(machine=lambda: [], containers=lambda: [monitor._problem("SERVICE_DOWN", "api")])
        checked = self.told()["checkedAt"]
        with self.assertRaises(Killed):
            self.check(machine=lambda: [monitor._problem("DISK_FULL", "/")], containers=hangs)
        told = self.told()
        self.assertEqual((codes(told["problems"]), told["pending"], told["checkedAt"]), (["DISK_FULL", "SERVICE_DOWN"], ["containers"], checked))

    def test_on_a_full_disk_what_can_be_put_right_is(self):
        done = []
        with mock.patch.object(monitor.layout, "write", side_effect=OSError(errno.ENOSPC, "No space left on device")), self.assertRaises(OSError):
            self.check(leftovers=lambda: done.append("leftovers") or [], door=lambda: done.append("door") or [])
        self.assertEqual(done, ["leftovers", "door"])

    def test_an_old_report_is_a_problem(self):
        def report(minutes, every=5, **more):
            return {"checkedAt": (NOW - timedelta(minutes=minutes)).isoformat(), "everyMinutes": every, **more}
        for name, known, running, expected in (
            ("fresh", report(5), 9e9, []), ("one missed", report(14), 9e9, []), ("old", report(16), 9e9, ["MONITOR_SILENT"]),
            ("hourly", report(120, 60), 9e9, []), ("hourly, old", report(130, 60), 9e9, ["MONITOR_SILENT"]), ("never", None, 9e9, ["MONITOR_SILENT"]),
            ("never, a young town", None, 60, []), ("no release", None, None, []), ("a clock set back", report(-600), 9e9, ["MONITOR_SILENT"]), ("broken", {"checkedAt": "x"}, 9e9, ["MONITOR_SILENT"]),
        ):
            with self.subTest(name):
                self.assertEqual(codes(monitor.silence(known, running, NOW.timestamp())), expected)
        self.assertIn("stopped at: containers", monitor.silence(report(60, pending=["containers"], startedAt="then"), 9e9, NOW.timestamp())[0]["text"])

    def test_the_hanging_docker_is_told_after_what_needs_none(self):
        names = list(monitor._looks("ville.fr"))
        self.assertLess(names.index("backup"), names.index("containers"))
        self.assertLess(names.index("certificate"), names.index("health"))
        self.assertLess(names.index("door"), names.index("health"))


class Certificates(unittest.TestCase):
    def test_what_is_served_counts(self):
        for name, placed, served, expected in (
            ("well", held("02", 60), held("02", 60), []),
            ("a reload that was missed", held("02", 90), held("01", 30), ["CERTIFICATE_NOT_SERVED"]),
            ("missed until the end", held("02", 90), held("01", 3), ["CERTIFICATE_NOT_SERVED", "CERTIFICATE_ENDS"]),
            ("ends", held("02", 13), held("02", 13), ["CERTIFICATE_ENDS"]),
            ("nobody answers: the file", held("02", 13), None, ["CERTIFICATE_ENDS"]),
            ("nobody answers", held("02", 90), None, []),
            ("none", None, None, ["CERTIFICATE_MISSING"]),
        ):
            with self.subTest(name):
                self.assertEqual(codes(monitor.certificate_problems(placed, served)), expected)

    def test_each_check_deploys(self):
        called = []
        with mock.patch.object(tls, "placed_facts", lambda: held("02", 60)), mock.patch.object(tls, "shown_facts", lambda _domain: held("02", 60)):
            for failure, expected in ((None, []), (Failure("BUSY", "lock", "x", "y"), []), (Failure("INGRESS_REFUSES", "certificate", "host not found", "y"), ["INGRESS_REFUSES"])):
                def deploy(domain, failure=failure):
                    called.append(domain)
                    if failure:
                        raise failure
                with mock.patch.object(certificate, "deploy", deploy):
                    self.assertEqual(codes(monitor._certificate("ville.fr")), expected)
        self.assertEqual(called, ["ville.fr"] * 3)


class Leftovers(unittest.TestCase):
    def test_what_a_cut_run_left_is_settled_or_told(self):
        class Lock:
            def __init__(self, is_held):
                self.is_held = is_held

            def __call__(self, _what):
                return self

            def __enter__(self):
                if self.is_held:
                    raise Failure("BUSY", "lock", "an activation is going on here", "wait.")

            def __exit__(self, *_):
                pass

        for is_held, left, expected in ((False, [], []), (False, ["handover: Docker is down (DOCKER_DOWN)"], ["LEFT_BY_A_RUN"]), (True, ["not asked"], [])):
            with self.subTest(is_held=is_held, left=left), mock.patch.object(monitor, "operation", Lock(is_held)), \
                    mock.patch.object(monitor.settling, "settle", lambda left=left: left):
                self.assertEqual(codes(monitor._leftovers()), expected)


class MidstOfARun(unittest.TestCase):
    """A release `old` runs, a run that holds the lock brings `new`; `later` is what it does while the monitor waits."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.clock, self.is_held, self.running, self.marker, self.noted, self.found = 0.0, True, "a" * 12, None, None, []
        self.later = lambda: None
        for target, name, value in (
            (monitor, "operation", self.lock), (monitor.time, "monotonic", lambda: self.clock), (monitor.time, "sleep", self.sleep),
            (monitor, "containers", lambda _project: list(self.found)), (layout, "RELEASES", self.root),
            (layout, "running_release", lambda: self.running), (monitor.record, "read", lambda: self.noted), (monitor.maintenance, "opened", lambda: self.marker),
            (monitor.town, "health_problem", lambda *_words: self.problem),
        ):
            patch = mock.patch.object(target, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        self.problem = None
        for release, image in (("a" * 12, "old"), ("b" * 12, "new")):
            (self.root / release).mkdir()
            rules = {name: {"image": f"{name}:{image}", "stateful": name == "db", "ingress": name == "nginx"} for name in ("db", "api", "nginx")}
            (self.root / release / "release.json").write_text(json.dumps(
                {"format": 1, "id": release, "project": "deploy", "adapter": {"health": {"path": "/"}}, "services": rules}))

    @contextlib.contextmanager
    def lock(self, _what):
        if self.is_held:
            raise Failure("BUSY", "lock", "an activation is going on here", "wait.")
        yield

    def sleep(self, seconds):
        self.clock += seconds
        self.later()

    def runs(self, *names, stopped=()):
        self.found = [Container(name, name.split(":")[0], "", name, status, "healthy" if status == "running" else "", "", 0, "", "", ())
                      for status, some in (("running", names), ("exited", stopped)) for name in some]

    def look(self):
        return [problem["text"] for problem in monitor._looks("ville.fr")["containers"]()]

    def test_the_coming_release_may_run_in_the_formers_place(self):
        self.noted = Record("b" * 12, "a" * 12, "ville.fr", "ville", {})
        self.runs("db:old", "api:new", "nginx:old", stopped=["api:old"])
        self.assertEqual((self.look(), self.clock), ([], 0))

    def test_a_commit_between_two_looks_is_no_finding(self):
        self.runs("db:new", "api:new", "nginx:new", stopped=["db:old", "api:old", "nginx:old"])

        def commit():
            self.running = "b" * 12
        self.later = commit
        self.assertEqual(self.look(), [])

    def test_an_exchange_that_takes_its_time_is_no_finding_and_one_without_an_end_is(self):
        self.runs("db:old", "api:old", stopped=["nginx:old"])
        self.assertEqual(self.look(), ["nginx: exited"])
        self.assertGreater(self.clock, monitor._EXCHANGE_SECONDS)
        self.clock = 0

        def ends():
            self.runs("db:old", "api:old", "nginx:old")
        self.later = ends
        self.assertEqual((self.look(), self.clock), ([], 1))

    def test_behind_the_page_of_a_run_those_that_write_are_stopped_on_purpose(self):
        self.marker, self.problem = Marker("b" * 12, None), "HTTP 503"
        self.runs("db:old", "nginx:old", stopped=["api:old"])
        self.assertEqual((self.look(), monitor._looks("ville.fr")["health"]()), ([], []))
        # Nobody works any more, and the page is on.
        self.is_held = False
        self.assertEqual((self.look(), codes(monitor._looks("ville.fr")["health"]())), (["api: exited"], ["UNHEALTHY"]))

    def test_without_a_run_what_is_down_is_told_at_once(self):
        self.is_held, self.noted = False, Record("b" * 12, "a" * 12, "ville.fr", "ville", {})
        self.runs("db:old", "api:new", "nginx:old")
        self.assertEqual((self.look(), self.clock), (["api: healthy"], 0))


class Translation(unittest.TestCase):
    def test_dockers_rules(self):
        masquerade = "-P POSTROUTING ACCEPT\n-A POSTROUTING -s 172.18.0.0/16 ! -o br-1 -j MASQUERADE\n"
        for name, rules, tables, expected in (
            ("there", masquerade, "", []), ("flushed", "-P POSTROUTING ACCEPT\n", "table inet geoclic\n", ["DOCKER_RULES_GONE"]),
            ("Docker's own nftables", "-P POSTROUTING ACCEPT\n", "table ip docker-bridges\n", []), ("cannot be seen", None, "", []),
        ):
            with self.subTest(name):
                self.assertEqual(codes(monitor.translation_problems(rules, tables)), expected)


class Firewall(unittest.TestCase):
    """`put_back` with a kernel of the test's own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.kernel, self.ports = None, "port 22\n"
        (self.folder / "rules").write_text(firewall.rules([22]))
        for name, value in (("_RULES", self.folder / "rules"), ("_PENDING", self.folder / "pending"), ("_SSHD_FOLDER", self.folder / "sshd"), ("run", self.run_)):
            patch = mock.patch.object(firewall, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def run_(self, words, stdin=None, **_):
        if words[:3] == ["nft", "list", "table"]:
            return Result(0, self.kernel, "") if self.kernel is not None else Result(1, "", "No such file or directory")
        if words[0] == "unshare":
            return Result(0, f"as listed: {stdin}", "")
        if words[:2] == ["nft", "--file"]:
            self.kernel = f"as listed: {Path(words[2]).read_text()}"
            return Result(0, "", "")
        if words[0] == "sshd" and not (self.folder / "sshd").exists():
            return Result(255, "", "Missing privilege separation directory: /run/sshd")
        return Result(0, self.ports if words[0] == "sshd" else "ActiveState=inactive\nListen=[::]:22 (Stream)\n", "")

    def test_rules_that_were_taken_away_or_changed_come_back(self):
        for kernel in (None, "as listed: something else"):
            with self.subTest(kernel):
                self.kernel = kernel
                self.assertIsNone(firewall.put_back())
                self.assertEqual(self.kernel, f"as listed: {firewall.rules([22])}")

    def test_nobody_is_locked_out(self):
        self.ports = "port 2222\n"
        self.assertIn("2222", firewall.put_back())
        self.assertIsNone(self.kernel)

    def test_rules_that_nobody_confirmed_are_left(self):
        (self.folder / "pending").write_text("# 1.0\nx")
        self.assertIsNone(firewall.put_back())
        self.assertIsNone(self.kernel)
        (self.folder / "pending").unlink()
        (self.folder / "rules").unlink()
        self.assertIn("no confirmed rules", firewall.put_back())

    def test_confirmed_rules_follow_nftables_own_from_then_on(self):
        said = []
        (self.folder / "pending").write_text("# 1.0\nx")
        with mock.patch.object(firewall, "run", lambda words, **_: said.append(words)), mock.patch.object(firewall, "_FOLDER", self.folder), mock.patch.object(firewall, "_connected_at", lambda: 2.0):
            firewall.confirm()
        self.assertIn(["systemctl", "start", "geoclic-firewall.service"], said)
        unit = (Path(firewall.__file__).parent.parent / "units/geoclic-firewall.service").read_text()
        for line in ("PartOf=nftables.service", "ReloadPropagatedFrom=nftables.service", "After=local-fs.target nftables.service", "ExecReload=nft --file /etc/geoclic/firewall.nft"):
            self.assertIn(f"{line}\n", unit)

    def test_ports_of_sshd_and_of_a_socket_that_waits_for_it(self):
        dual = "ActiveState=active\nListen=0.0.0.0:22 (Stream)\nListen=[::]:22 (Stream)\n"
        for name, configured, socket, expected in (
            ("sshd", "port 22\nport 2222\naddressfamily any\n", "ActiveState=inactive\nListen=[::]:22 (Stream)\n", [22, 2222]),
            ("a socket, and an sshd that tells nothing", "", dual, [22]), ("Ubuntu's socket on another port", "port 22\n", "ActiveState=active\nListen=2222 (Stream)\n", [22, 2222]),
            ("a Unix socket", "port 22\n", "ActiveState=active\nListen=/run/ssh (Stream)\n", [22]), ("no socket", "port 22\n", "", [22]),
        ):
            with self.subTest(name):
                self.assertEqual(firewall.ssh_ports(configured, socket), expected)
        self.assertEqual(firewall.read_ports(firewall.rules([22, 2222])), {22, 80, 443, 2222})
