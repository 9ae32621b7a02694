"""What other people's servers have already, with imitated commands. Not proven here: apt's and Docker's own behaviour (see the lab)."""

import base64
import hashlib
import json
import unittest
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import Mock, patch

from geoclic_server import base, docker_daemon, docker_facts, openpgp
from geoclic_server.apt_sources import docker_sources, without_docker
from geoclic_server.docker_daemon import merged
from geoclic_server.failure import Failure
from geoclic_server.process import Result
from geoclic_server.system import Plan

URL = "https://download.docker.com/linux/debian"
BODY = b"\x04" + b"\0" * 40
PACKET = b"\x99" + len(BODY).to_bytes(2, "big") + BODY
FINGERPRINT = hashlib.sha1(PACKET).hexdigest().upper()
ARMORED = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + base64.b64encode(PACKET) + b"\n-----END PGP PUBLIC KEY BLOCK-----\n"


class SourcesTest(unittest.TestCase):
    def test_every_way_to_write_them(self) -> None:
        for told, path, text, expected in [
            ("one line", "docker.list", f"deb [arch=amd64 signed-by=/k/docker.gpg] {URL} bookworm stable", [("bookworm", "/k/docker.gpg")]),
            ("no options", "docker.list", f"deb {URL} bookworm stable", [("bookworm", "")]),
            ("options in capitals", "a.list", f"deb [Signed-By=/k] {URL} bookworm stable", [("bookworm", "/k")]),
            ("a comment", "docker.list", f"# deb {URL} bookworm stable\n", []),
            ("another repository", "a.list", "deb https://deb.debian.org/debian bookworm main", []),
            ("a stanza", "docker.sources", f"Types: deb\nURIs: {URL}\nSuites: bookworm trixie\nComponents: stable\nSigned-By: /k\n", [("bookworm", "/k"), ("trixie", "/k")]),
            ("a stanza that is off", "docker.sources", f"Enabled: no\nTypes: deb\nURIs: {URL}\nSuites: bookworm\n", []),
            ("a key within", "docker.sources", f"URIs: {URL}\nSuites: bookworm\nSigned-By:\n -----BEGIN\n .\n AAAA\n -----END\n", [("bookworm", "-----BEGIN\n\nAAAA\n-----END")]),
            ("a second stanza", "a.sources", f"Types: deb\nURIs: https://x/\nSuites: a\n\nTypes: deb\nURIs: {URL}/\nSuites: bookworm\n", [("bookworm", "")]),
        ]:
            with self.subTest(told):
                self.assertEqual([(source.suite, source.key) for source in docker_sources({path: text})], expected)

    def test_taken_out_the_rest_stays(self) -> None:
        other = "deb https://deb.debian.org/debian bookworm main"
        self.assertEqual(without_docker("a.list", f"{other}\ndeb {URL} bookworm stable\n"), f"{other}\n")
        self.assertEqual(without_docker("docker.list", f"# Docker\ndeb {URL} bookworm stable\n"), "")
        stanza = "Types: deb\nURIs: https://x/\nSuites: a"
        self.assertEqual(without_docker("a.sources", f"{stanza}\n\nTypes: deb\nURIs: {URL}\nSuites: bookworm\n"), f"{stanza}\n")


class RepositoryTest(unittest.TestCase):
    """`_add_docker_repository` in a folder of its own."""

    def setUp(self) -> None:
        self.folder = Path(self.enter(TemporaryDirectory()))
        (self.folder / "apt/sources.list.d").mkdir(parents=True)
        self.update = Result(0, "", "")
        for target, name, value in [
            (base, "_APT_FOLDER", self.folder / "apt"),
            (base, "_STAMP", self.folder / "lib/base.json"),
            (base, "_DOCKER_KEY", FINGERPRINT),
            (base, "_read_key", lambda _url: PACKET),
            (base, "_apt", lambda *_words: self.update),
        ]:
            self.enter(patch.object(target, name, value))
        self.enter(redirect_stdout(StringIO()))

    def enter(self, manager: Any) -> Any:
        value = manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)
        return value

    def add(self) -> None:
        base._add_docker_repository(Plan("debian 12", "bookworm", (), "official", "binary"))

    def entry(self, name: str) -> Path:
        return self.folder / "apt/sources.list.d" / name

    def names(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "apt").rglob("*") if path.is_file())

    def write_key(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def test_where_there_is_none_ours_is_written(self) -> None:
        self.add()
        self.assertEqual(self.names(), ["geoclic-docker.gpg", "geoclic-docker.sources"])
        self.assertEqual((self.folder / "apt/keyrings/geoclic-docker.gpg").read_bytes(), PACKET)

    def test_one_that_is_there_with_dockers_key_is_used(self) -> None:
        for content in (ARMORED, PACKET):
            text = f"deb [signed-by={self.write_key('k', content)}] {URL} bookworm stable\n"
            self.entry("docker.list").write_text(text)
            self.add()
            self.assertEqual(self.names(), ["docker.list"])
            self.assertEqual(self.entry("docker.list").read_text(), text)

    def test_one_with_another_key_or_none_is_replaced_and_kept_beside(self) -> None:
        for key in ("", f"[signed-by={self.write_key('bad', PACKET[:-1] + b'!')}] ", f"[signed-by={self.folder}/absent] "):
            with self.subTest(key):
                text = f"deb {key}{URL} bookworm stable\n"
                self.entry("docker.list").write_text(text)
                self.add()
                self.assertEqual(self.names(), ["geoclic-docker.gpg", "geoclic-docker.sources"])
                self.assertEqual((self.folder / "lib/former/docker.list").read_text(), text)

    def test_two_that_apt_would_refuse_become_one(self) -> None:
        self.entry("docker.list").write_text(f"deb [signed-by={self.write_key('a', PACKET)}] {URL} bookworm stable\n")
        self.entry("docker.sources").write_text(f"Types: deb\nURIs: {URL}\nSuites: bookworm\nComponents: stable\nSigned-By: {self.write_key('b', PACKET)}\n")
        self.add()
        self.assertEqual(self.names(), ["geoclic-docker.gpg", "geoclic-docker.sources"])

    def test_what_apt_refuses_does_not_stay(self) -> None:
        text = f"deb {URL} bookworm stable\n"
        self.entry("docker.list").write_text(text)
        self.update = Result(100, "", "E: The list of sources could not be read.")
        with self.assertRaises(Failure) as caught:
            self.add()
        self.assertEqual(caught.exception.code, "PACKAGES_FAILED")
        self.assertEqual(self.names(), ["docker.list"])
        self.assertEqual(self.entry("docker.list").read_text(), text)


class KeyTest(unittest.TestCase):
    def test_only_what_was_judged_is_kept(self) -> None:
        self.assertEqual(openpgp.fingerprints(ARMORED), [FINGERPRINT])
        self.assertEqual(openpgp.fingerprints(PACKET), [FINGERPRINT])
        self.assertEqual(openpgp.packets(ARMORED + b"\nbehind\n"), PACKET)
        self.assertEqual(openpgp.fingerprints(ARMORED + ARMORED), [])
        self.assertEqual(openpgp.fingerprints(PACKET + PACKET), [FINGERPRINT, FINGERPRINT])


class DaemonTest(unittest.TestCase):
    OURS: dict[str, Any] = {"live-restore": True, "log-driver": "json-file", "log-opts": {"max-size": "10m"}}

    def test_what_a_flag_says_is_left_to_it(self) -> None:
        for told, flags, expected in [
            ("none", [], self.OURS),
            ("another", ["dockerd", "-H", "fd://"], self.OURS),
            ("the log's driver", ["dockerd", "--log-driver=journald"], {"live-restore": True}),
            ("the log's options", ["dockerd", "--log-opt", "max-size=1m"], {"live-restore": True}),
            ("live-restore", ["dockerd", "--live-restore"], {key: self.OURS[key] for key in ("log-driver", "log-opts")}),
        ]:
            with self.subTest(told):
                self.assertEqual(merged(None, self.OURS, flags), expected)

    def configured(self, present: str | None, answers: dict[str, Result]) -> tuple[str | None, list[str]]:
        """daemon.json afterwards, and the commands."""
        told: list[str] = []

        def run(words: list[str], **_options: Any) -> Result:
            line = " ".join(words)
            told.append(line)
            return next((answer for part, answer in answers.items() if part in line), Result(0, "", ""))

        with TemporaryDirectory() as folder:
            path = Path(folder) / "daemon.json"
            if present is not None:
                path.write_text(present)
            with patch.object(docker_daemon, "_PATH", path), patch.object(docker_daemon, "run", run), patch.object(docker_facts, "run", run), \
                    redirect_stdout(StringIO()):
                try:
                    docker_daemon.configure(self.OURS)
                except Failure as failure:
                    told.append(failure.code)
            return (path.read_text() if path.exists() else None), told

    def test_a_conflict_is_refused_before_the_file_is_written(self) -> None:
        left, told = self.configured('{"hosts": ["fd://"]}', {"--validate": Result(1, "", "the following directives are specified both as a flag and in the configuration file: hosts")})
        self.assertEqual((left, told[-1]), ('{"hosts": ["fd://"]}', "DOCKER_CONFIG_CONFLICT"))
        self.assertFalse([line for line in told if line.startswith("systemctl re")])

    def test_a_configuration_that_the_engine_refuses_is_taken_back(self) -> None:
        for present in (None, '{"debug": true}'):
            with self.subTest(present):
                left, told = self.configured(present, {"systemctl reload": Result(1, "", "no")})
                self.assertEqual((left, told[-1], told[-2]), (present, "UNIT_FAILED", "systemctl start docker.service"))

    def test_an_engine_that_does_not_answer_is_not_restarted(self) -> None:
        _, told = self.configured(None, {"docker ps": Result(1, "", "Cannot connect")})
        self.assertNotIn("systemctl restart docker.service", told)
        self.assertEqual(told[-1], "DOCKER_DOWN")

    def test_containers_that_run_are_not_restarted(self) -> None:
        left, told = self.configured(None, {"docker ps": Result(0, "abc\n", "")})
        self.assertEqual(json.loads(str(left)), self.OURS)
        self.assertNotIn("systemctl restart docker.service", told)

    def test_what_a_run_that_was_cut_has_only_written_is_taken_over(self) -> None:
        text = json.dumps(self.OURS)
        for running, expected in (("abc\n", ["systemctl reload docker.service"]), ("", ["systemctl reload docker.service", "systemctl restart docker.service"])):
            with self.subTest(running):
                left, told = self.configured(text, {"docker ps": Result(0, running, "")})
                self.assertEqual((left, [line for line in told if line.startswith("systemctl re")]), (text, expected))

    def test_broken_json_is_named_and_left(self) -> None:
        for text in ("{", "[]", '"x"'):
            with self.subTest(text):
                self.assertEqual(self.configured(text, {}), (text, ["DOCKER_CONFIG_BROKEN"]))


class SpaceTest(unittest.TestCase):
    class Begun(Exception):
        """The space was found to be enough."""

    def _install(self, free_mib: int, *, is_first: bool) -> None:
        with TemporaryDirectory() as folder:
            stamp = Path(folder) / "base.json"
            if not is_first:
                stamp.write_text("{}")
            with patch.multiple(base, _STAMP=stamp, _is_done=Mock(return_value=False), _await_first_boot=Mock(), plan=Mock(), is_fit=Mock(return_value=True),
                                memory_kib=Mock(return_value=(4 << 20, 0))), patch.object(docker_facts, "read"), \
                    patch.object(base.layout, "make_folders", side_effect=self.Begun), \
                    patch.object(base.shutil, "disk_usage", return_value=Mock(free=free_mib << 20)):
                base.install(22)

    def test_a_first_installation_needs_what_docker_and_the_images_take(self) -> None:
        with self.assertRaises(Failure) as caught:
            self._install(2900, is_first=True)
        self.assertEqual("DISK_FULL", caught.exception.code)
        self.assertRaises(self.Begun, self._install, 3100, is_first=True)

    def test_a_later_one_brings_a_mend_to_a_town_whose_disk_is_nearly_full(self) -> None:
        self.assertRaises(self.Begun, self._install, 600, is_first=False)
        with self.assertRaises(Failure) as caught:
            self._install(400, is_first=False)
        self.assertEqual("DISK_FULL", caught.exception.code)


class AptTest(unittest.TestCase):
    def test_a_lock_of_somebody_else_is_awaited_and_a_failure_is_not_for_ever(self) -> None:
        locked = Result(100, "", "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1 (apt-get)")
        failed = Result(100, "", "E: Unable to fetch")
        for answers, expected in [([locked] * 5 + [Result(0, "", "")], 0), ([failed] * 9, 100), ([failed, Result(0, "", "")], 0)]:
            apt, others = Mock(side_effect=answers), Result(0, "", "")
            run = Mock(side_effect=lambda words, apt=apt, others=others, **_: apt() if words[0] == "apt-get" else others)
            with patch.object(base, "run", run), patch.object(base.time, "sleep"):
                self.assertEqual(base._apt("update").status, expected)
