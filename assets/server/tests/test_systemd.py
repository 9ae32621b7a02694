"""What is asked of systemd exists in 249, the oldest one that is supported (Ubuntu 22.04), and several units are never asked at once."""

import ast
import re
import unittest
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from geoclic_server import systemd
from geoclic_server.process import Result

SERVER = Path(__file__).parent.parent
OLDEST = 249

# Version that brought each (systemd's NEWS and the manual pages' "Added in version"; 0: older than 230).
DIRECTIVES = {
    "After": 0, "Before": 0, "Conflicts": 0, "ConditionPathExists": 0, "DefaultDependencies": 0, "Description": 0, "PartOf": 0, "ReloadPropagatedFrom": 0,
    "StartLimitIntervalSec": 230, "StartLimitBurst": 230, "Wants": 0, "Requires": 0,
    "AmbientCapabilities": 0, "ExecReload": 0, "ExecStart": 0, "IOSchedulingClass": 0, "KillMode": 0, "Nice": 0, "NoNewPrivileges": 0, "PrivateTmp": 0,
    "ProtectHome": 0, "ProtectSystem": 0, "RemainAfterExit": 0, "Restart": 0, "RestartSec": 0, "RuntimeMaxSec": 0, "TimeoutStartSec": 0, "TimeoutStopSec": 0,
    "Type": 0, "User": 0, "SuccessExitStatus": 0, "Environment": 0,
    "AccuracySec": 0, "OnCalendar": 0, "Persistent": 0, "RandomizedDelaySec": 0,
    "WantedBy": 0,
    # Of units that are shown.
    "Id": 0, "LoadState": 0, "NextElapseUSecRealtime": 0, "LastTriggerUSec": 0, "Result": 0, "Listen": 0, "ActiveState": 0, "MainPID": 0,
}
OPTIONS = {
    "systemctl": {"--quiet": 0, "--now": 0, "--signal": 0, "--kill-who": 0, "--property": 0, "--value": 230, "--no-block": 0, "--no-reload": 0, "--kill-whom": 252},
    "systemd-run": {"--quiet": 0, "--unit": 0, "--collect": 236, "--property": 0, "--wait": 232, "--pipe": 235, "--on-active": 0, "--no-block": 220},
    "systemd-analyze": {},
}
VERBS = {"systemctl": {"cat", "daemon-reload", "disable", "enable", "is-active", "is-enabled", "is-failed", "kill", "list-unit-files", "reload", "reset-failed", "restart", "show", "start", "stop"},
         "systemd-analyze": {"calendar", "verify"}}


def words(node: ast.expr) -> list[str]:
    """Constant words of a list or of arguments, an f-string by its constant beginning; others as ``."""
    found: list[str] = []
    for each in getattr(node, "elts", []):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            found.append(each.value)
        elif isinstance(each, ast.JoinedStr) and isinstance(first := each.values[0], ast.Constant):
            found.append(str(first.value))
        else:
            found.append("")
    return found


def calls() -> Iterator[tuple[str, list[str]]]:
    """Each list of words in the sources that calls a program of systemd, and words given to functions that add its name."""
    for source in sorted((SERVER / "geoclic_server").glob("*.py")):
        tree = ast.parse(source.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.List) and (listed := words(node)) and listed[0] in OPTIONS:
                yield source.name, listed
            elif isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called in ("_systemctl", "systemd.tell"):
                    given = words(ast.Tuple(node.args))
                    yield source.name, ["systemctl", *(given[1:] if called == "systemd.tell" else given)]


class Oldest(unittest.TestCase):
    def test_every_directive_of_a_unit_is_known(self):
        units = sorted((SERVER / "units").iterdir())
        self.assertGreater(len(units), 4)
        for unit in units:
            for name in re.findall(r"^([A-Z]\w+)=", unit.read_text(), re.MULTILINE):
                with self.subTest(unit.name, name=name):
                    self.assertLessEqual(DIRECTIVES.get(name, 999), OLDEST)

    def test_every_property_of_a_transient_unit_is_known(self):
        for source in sorted((SERVER / "geoclic_server").glob("*.py")):
            if "systemd-run" in source.read_text():
                for name in re.findall(r'"(?:--property=)?([A-Z][A-Za-z]+)=', source.read_text()):
                    with self.subTest(source.name, name=name):
                        self.assertLessEqual(DIRECTIVES.get(name, 999), OLDEST)

    def test_every_word_of_a_command_is_known(self):
        found = list(calls())
        self.assertGreater(len(found), 15)
        for source, (program, *rest) in found:
            options = [word.split("=")[0] for word in rest if word.startswith("--")]
            # The program that systemd-run starts has options of its own.
            own = options if program != "systemd-run" else options[: len([word for word in rest[: (rest + ["python3"]).index("python3")] if word.startswith("--")])]
            for option in own:
                with self.subTest(source, option=option):
                    self.assertLessEqual(OPTIONS[program].get(option, 999), OLDEST)
            verb = next((word for word in rest if word and not word.startswith("-")), None)
            if program in VERBS and verb:
                with self.subTest(source, verb=verb):
                    self.assertIn(verb, VERBS[program])

    def test_no_state_is_asked_of_two_units(self):
        for source, (_, *rest) in calls():
            if any(word in ("is-active", "is-enabled", "is-failed") for word in rest):
                with self.subTest(source, rest=rest):
                    self.assertEqual(len([word for word in rest if not word.startswith("-")]), 2)


class Several(unittest.TestCase):
    def test_one_that_is_disabled_is_enough(self):
        with mock.patch.object(systemd, "run", lambda asked, **_: Result(0 if asked[-1] == "a.timer" else 1, "", "")):
            self.assertTrue(systemd.all_enabled(["a.timer"]))
            self.assertFalse(systemd.all_enabled(["a.timer", "b.timer"]))
            self.assertFalse(systemd.all_active(["b.timer", "a.timer"]))
            self.assertEqual(systemd.not_enabled(["a.timer", "b.timer"]), ["b.timer"])
