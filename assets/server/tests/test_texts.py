"""What is rendered and what is read: units, firewall, ACME's words, environment, health, journal, retention, keys."""

import base64
import re
import unittest
from datetime import datetime, timezone
from pathlib import Path

from geoclic_server import firewall, openpgp, retention, schedules, town
from geoclic_server.docker_daemon import merged
from geoclic_server.tls import read_date
from geoclic_server.environment import changed_secrets, read
from geoclic_server.facts import schedules as read_schedules
from geoclic_server.failure import Failure, known, one_line
from geoclic_server.journal import summary
from geoclic_server.lock import holder

UNITS = Path(__file__).parent.parent / "units"
# The operator's side reads failures by this (core/commands/ssh.ts).
SERVER_ERROR = re.compile(r"^error ([A-Z0-9_]+) \[([^\]]*)\] ([^:]+): (.*?)\.? Next: (.*)$")


class FailureTest(unittest.TestCase):
    def test_one_line_that_the_operator_reads(self) -> None:
        line = Failure("DISK_FULL", "base.space", "it is full.\n\n  Really: 100 %.", "free space\nand run again.").line("ville-lyon")
        match = SERVER_ERROR.match(line)
        assert match
        self.assertEqual(match.groups(), ("DISK_FULL", "ville-lyon", "base.space", "it is full. | Really: 100 %", "free space | and run again."))

    def test_a_full_disk_is_no_defect(self) -> None:
        self.assertEqual(known(OSError(28, "No space left", "/opt/x"), "backup").line("c"),
                         "error DISK_FULL [c] backup: /opt/x: no space left on the disk. Next: free space on the server, then run again.")
        self.assertEqual(known(KeyError("x"), "backup").code, "DEFECT")
        failure = Failure("X", "s", "c", "a")
        self.assertIs(known(failure, "backup"), failure)

    def test_keeps_the_end_of_long_texts(self) -> None:
        self.assertEqual(one_line("a" * 50 + "\nend", 8), "…aa | end")


class UnitsTest(unittest.TestCase):
    values = {"CLIENT": "ville-lyon", "DOMAIN": "ville-lyon.geoclic.fr", "BACKUP": "02:30", "MINUTES": "5"}

    def test_every_template_is_filled(self) -> None:
        for unit in UNITS.iterdir():
            with self.subTest(unit.name):
                text = schedules.render(unit.read_text(), self.values)
                self.assertNotIn("@", text)
                self.assertTrue(text.startswith("[Unit]\nDescription="))

    def test_times(self) -> None:
        self.assertIn("OnCalendar=*-*-* 02:30:00\n", schedules.render((UNITS / "geoclic-backup.timer").read_text(), self.values))
        self.assertIn("OnCalendar=*-*-* *:00/5:00 UTC\n", schedules.render((UNITS / "geoclic-monitor.timer").read_text(), self.values))

    def test_refuses_what_systemd_would_read_otherwise(self) -> None:
        for name, value in (("BACKUP", "24:00"), ("BACKUP", "2:00\nExecStart=x"), ("MINUTES", "0"), ("MINUTES", "61"), ("DOMAIN", "a b.fr"), ("DOMAIN", "x")):
            with self.subTest(value), self.assertRaises(Failure):
                schedules.schedule({**self.values, name: value})

    def test_reads_systemctl_show(self) -> None:
        shown = (
            "Id=geoclic-backup.timer\nLoadState=loaded\nNextElapseUSecRealtime=Tue 2026-11-24 02:00:57 UTC\nLastTriggerUSec=\n\n"
            "Id=geoclic-backup.service\nLoadState=loaded\nResult=exit-code\n\nId=geoclic-monitor.timer\nLoadState=not-found\n\n"
            "Id=geoclic-monitor.service\nResult=success"
        )
        self.assertEqual(read_schedules(shown), [{"name": "geoclic-backup", "next": "2026-11-24T02:00:57+00:00", "last": None, "result": "exit-code"}])
        self.assertEqual(read_schedules(""), [])


class FirewallTest(unittest.TestCase):
    def test_ports_once_and_sorted(self) -> None:
        self.assertIn("tcp dport { 22, 80, 443, 2222 } accept", firewall.rules([2222, 22, 22]))

    def test_replaces_its_own_table_only(self) -> None:
        text = firewall.rules([22])
        self.assertNotIn("flush", text)
        self.assertEqual(re.findall(r"^(?:delete )?table .*$", text, re.MULTILINE), ["table inet geoclic", "delete table inet geoclic", "table inet geoclic {"])
        self.assertIn("policy drop", text)

    def test_reads_a_process(self) -> None:
        text = "4242 (sshd (odd) name) S 17 " + " ".join(["0"] * 17) + " 123456 " + " ".join(["0"] * 30)
        name, parent, began = firewall.read_stat(text)
        self.assertEqual((name, parent, round(began, 2)), ("sshd (odd) name", 17, 1234.56))


class DatesTest(unittest.TestCase):
    def test_dates_of_both_forms(self) -> None:
        for text in ("2027-03-15 12:00:00Z", "Mar 15 12:00:00 2027 GMT"):
            self.assertEqual(read_date(text), datetime(2027, 3, 15, 12, tzinfo=timezone.utc))


class EnvironmentTest(unittest.TestCase):
    def test_secrets_never_change_silently(self) -> None:
        present = read("A=1\nDB_PASSWORD=x=y\n# B=2\n")
        self.assertEqual(present, {"A": "1", "DB_PASSWORD": "x=y"})
        self.assertEqual(changed_secrets(present, {"DB_PASSWORD": "x=y", "JWT": "new"}, ["DB_PASSWORD", "JWT"]), [])
        self.assertEqual(changed_secrets(present, {"DB_PASSWORD": "z"}, ["DB_PASSWORD"]), ["DB_PASSWORD"])
        self.assertEqual(changed_secrets(present, {}, ["DB_PASSWORD"]), ["DB_PASSWORD"])

    def test_dockers_configuration_is_merged(self) -> None:
        self.assertEqual(merged({"a": 1, "live-restore": False}, {"live-restore": True}), {"a": 1, "live-restore": True})
        self.assertEqual(merged(None, {"live-restore": True}), {"live-restore": True})


class HealthTest(unittest.TestCase):
    rule = {"path": "/api/health", "field": "status", "equals": "healthy"}

    def test_the_json_counts(self) -> None:
        self.assertIsNone(town.unhealthy(self.rule, 200, b'{"status":"healthy"}'))
        for status, body, expected in [
            (200, b'{"status":"degraded"}', "HTTP 200, status is 'degraded', expected 'healthy'"),
            (503, b'{"status":"healthy"}', "HTTP 503"),
            (502, b"<html>Bad Gateway</html>", "HTTP 502, no JSON: <html>"),
            (200, b"[]", "HTTP 200, status is None"),
        ]:
            with self.subTest(body):
                self.assertTrue((town.unhealthy(self.rule, status, body) or "").startswith(expected))


class JournalTest(unittest.TestCase):
    def test_summary(self) -> None:
        start = {"kind": "start", "release": "abc", "what": "activate", "time": 0}
        self.assertEqual(summary([start, {"kind": "step"}])["outcome"], "open")
        end = {"kind": "end", "outcome": "failed", "code": "X", "step": "s", "cause": "c", "next": "n", "time": 61}
        self.assertEqual(
            summary([start, end]),
            {"release": "abc", "what": "activate", "outcome": "failed", "startedAt": "1970-01-01T00:00:00Z", "endedAt": "1970-01-01T00:01:01Z",
             "code": "X", "step": "s", "cause": "c", "next": "n"},
        )

    def test_holder_of_the_lock(self) -> None:
        self.assertEqual(holder('{"what": "the backup", "pid": 7, "since": "now"}'), "the backup (process 7, since now)")
        self.assertEqual(holder(""), "another operation")


class RetentionTest(unittest.TestCase):
    def test_dumps_by_time_not_by_release(self) -> None:
        names = ["before-fff-20261101T000000Z.dump", "before-aaa-20261104T000000Z.dump", "before-bbb-20261102T000000Z.dump", "before-ccc-20261103T000000Z.dump", "x"]
        self.assertEqual(retention.expired_dumps(names), ["before-fff-20261101T000000Z.dump"])
        self.assertEqual(retention.expired_dumps(names[:2]), [])
        self.assertEqual(retention.expired_dumps(names, kept=["before-fff-20261101T000000Z.dump"]), [])

    def test_releases(self) -> None:
        delivered = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0, "e": 5.0}
        for others, expected in ((3, []), (1, ["d", "c"]), (0, ["e", "d", "c"])):
            self.assertEqual(retention.expired_releases(delivered, {"a", "b"}, others), expected)
        self.assertEqual(retention.expired_releases({"a": 1.0}, {"a", None}, 0), [])

    def test_images(self) -> None:
        present = ["geoclic/api:1", "geoclic/api:2", "nginx:alpine", "geoclic-other/api:1"]
        self.assertEqual(retention.unused_images(present, "geoclic", ["geoclic/api:2"]), ["geoclic/api:1"])


class OpenPgpTest(unittest.TestCase):
    # Made by gpg for this test; its private half was never kept.
    key = """-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawPlfRYJKwYBBAHaRw8BAQdAgWvSNWXxWha0flfx/vNQKEhal/BoYVIkC0H/
9yrRZQK0F1Rlc3QgPHRlc3RAZXhhbXBsZS5vcmc+iJAEExYIADgWIQQ8cRiYRaVO
jQFN0KPLRByPJeVwvAUCawPlfQIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAK
CRDLRByPJeVwvMutAP9ECEYw0L7HaQAZPpCFEB0/QbNRgk6uc1L+xTWPtSzjpgEA
okT8tB+f606Q0Jx8U72A4GCHRQ2vkZWrWbT+tUZKWgo=
=O2H8
-----END PGP PUBLIC KEY BLOCK-----
"""
    fingerprint = "3C71189845A54E8D014DD0A3CB441C8F25E570BC"

    def test_fingerprint_as_gpg_tells_it(self) -> None:
        self.assertEqual(openpgp.fingerprints(self.key.encode()), [self.fingerprint])

    def test_tells_every_primary_key(self) -> None:
        body = base64.b64decode("".join(self.key.split("\n\n")[1].split("\n=")[0].splitlines()))
        twice = base64.b64encode(body + body).decode()
        text = f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{twice}\n-----END PGP PUBLIC KEY BLOCK-----\n"
        self.assertEqual(openpgp.fingerprints(text.encode()), [self.fingerprint] * 2)

    def test_anything_else_has_none(self) -> None:
        for text in (b"", b"<html>", b"\xff\xfe", self.key.encode() * 2, b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n"):
            with self.subTest(text[:40]):
                self.assertEqual(openpgp.fingerprints(text), [])
