"""Comparisons on files and texts of the test's own. Not proven: Docker, nft and systemd (test/lab)."""

import hashlib
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from geoclic_server import drift, facts
from geoclic_server.compose import Container
from geoclic_server.migrations import Apart


def told(findings):
    return [(found["item"], found["kind"]) for found in findings]


class Trees(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "a").mkdir()
        (self.root / "a/one").write_text("1")
        (self.root / "run").write_text("r")
        (self.root / "run").chmod(0o755)
        (self.root / "link").symlink_to("a/one")
        digest = {text: hashlib.sha256(text.encode()).hexdigest() for text in ("1", "r")}
        self.wanted = {"a/one": f"{digest['1']} -", "run": f"{digest['r']} x", "link": "-> a/one"}

    def compared(self, ignored=(), modes=True):
        return told(drift.compare_tree(self.root, self.wanted, ignored, modes))

    def test_equal(self):
        self.assertEqual(self.compared(), [])

    def test_each_difference(self):
        for change, expected in (
            (lambda: (self.root / "a/one").write_text("2"), ("a/one", "changed")),
            (lambda: (self.root / "a/one").unlink(), ("a/one", "missing")),
            (lambda: (self.root / "a/two").write_text(""), ("a/two", "extra")),
            (lambda: (self.root / "run").chmod(0o644), ("run", "changed")),
            (lambda: ((self.root / "link").unlink(), (self.root / "link").symlink_to("run")), ("link", "changed")),
        ):
            with self.subTest(expected):
                self.setUp()
                change()
                self.assertEqual(self.compared(), [(str(self.root / expected[0]), expected[1])])

    def test_ignored_names_and_modes(self):
        (self.root / "photos").mkdir()
        (self.root / "photos/x").write_text("")
        (self.root / "run").chmod(0o644)
        self.assertEqual(self.compared(["photos"], modes=False), [])

    def test_a_file_as_a_place(self):
        entries = {"": f"{hashlib.sha256(b'1').hexdigest()} -"}
        self.assertEqual(list(drift.compare_tree(self.root / "a/one", entries, [], False)), [])
        self.assertEqual(told(drift.compare_tree(self.root / "run", entries, [], False)), [(str(self.root / "run"), "changed")])


class Certificates(unittest.TestCase):
    def test_what_is_served_what_is_placed_and_what_is_renewed(self):
        def held(serial, days=60.0):
            return {"serial": serial, "notAfter": "then", "daysLeft": days}
        expected = {"schedules": {"DOMAIN": "ville.fr"}}
        for name, kept, placed, known, findings in (
            ("well", "02", held("02"), held("02"), []),
            ("an old one is served", "02", held("02"), held("01"), ["changed"]),
            ("it ends", "02", held("02", 13.0), held("02", 13.0), ["expiring"]),
            ("certbot has none", None, held("02"), held("02"), ["missing"]),
            ("nobody has one", None, None, None, ["missing", "missing"]),
        ):
            with self.subTest(name), mock.patch.object(drift.certificate, "status", lambda _domain, _server, kept=kept: {"serial": kept}), \
                    mock.patch.object(drift.tls, "placed_facts", lambda placed=placed: placed), mock.patch.object(drift.tls, "known_facts", lambda known=known: known):
                self.assertEqual([finding["kind"] for finding in drift._certificate(expected)], findings)


class Schemas(unittest.TestCase):
    def test_what_the_database_lacks_and_what_nobody_can_run_with(self):
        self.assertEqual(told(drift.schema_findings(Apart(["2", "3"], ["5"]))), [("2", "missing"), ("3", "missing"), ("5", "extra")])
        self.assertEqual(list(drift.schema_findings(Apart([], []))), [])


class Texts(unittest.TestCase):
    def test_environment_by_name_only(self):
        found = list(drift.compare_environment({"A": "1", "B": "wrong", "S": "secret", "X": "x"}, {"A": "1", "B": "2", "C": "3"}, ["S", "T"]))
        self.assertEqual(told(found), [("B", "changed"), ("C", "missing"), ("T", "missing"), ("X", "extra")])
        self.assertNotIn("wrong", str(found))

    def test_foreign_keys(self):
        text = "# note\nrestrict,pty ssh-ed25519 QUFB fleet\nssh-rsa QkJC eve@home\ncommand=\"x y\" ssh-ed25519 Q0ND\ngarbage\n"
        found = list(drift.foreign_keys("ubuntu", text, ["ssh-ed25519 QUFB"]))
        self.assertEqual([found[0]["detail"].split()[1], len(found)], ["eve@home", 3])
        self.assertTrue(found[1]["detail"].startswith("SHA256:"))
        self.assertEqual(found[2]["detail"], "a line that is no key")


class Containers(unittest.TestCase):
    def test_each_difference(self):
        def one(service, config_hash="h", status="running"):
            return Container(service, service, config_hash, "", status, "", "", 0, "", "", ())

        found = drift.compare_containers(["ok", "gone", "down", "other"], dict.fromkeys(("ok", "gone", "down", "other"), "h"),
                                         [one("ok"), one("down", status="exited"), one("other", "x"), one("stranger")])
        self.assertEqual(told(found), [("gone", "missing"), ("down", "stopped"), ("other", "changed"), ("stranger", "extra")])


class Activity(unittest.TestCase):
    def test_who_holds_the_lock(self):
        with tempfile.TemporaryDirectory() as folder:
            lock, locks = Path(folder) / "operation.lock", Path(folder) / "locks"
            lock.write_text('{"what": "backup", "pid": 7}')
            locks.write_text("1: POSIX  ADVISORY  WRITE 9 00:1:1 0 EOF\n")
            self.assertIsNone(facts.activity(lock, locks))
            locks.write_text(f"1: FLOCK  ADVISORY  WRITE 7 fe:01:{lock.stat().st_ino} 0 EOF\n")
            self.assertEqual(facts.activity(lock, locks), {"what": "backup", "pid": 7})
            self.assertIsNone(facts.activity(Path(folder) / "none", locks))
