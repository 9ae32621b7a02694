"""How environment files are read, against a table that compose-go 2.0.2 and 2.16.2 both gave, and against Compose where there is one."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from geoclic_server import environment, layout
from geoclic_server.environment_file import Unreadable, read
from geoclic_server.failure import Failure

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "environment-cases.json").read_text())


def compose() -> list[str] | None:
    """Command line of a Compose 2; GEOCLIC_COMPOSE names one that is no plugin."""
    candidates = [[named] if (named := os.environ.get("GEOCLIC_COMPOSE")) else ["docker", "compose"]]
    for words in candidates:
        if shutil.which(words[0]) and subprocess.run([*words, "version"], capture_output=True, check=False).returncode == 0:
            return words
    return None


class TableTest(unittest.TestCase):
    def test_as_compose_does(self) -> None:
        self.assertGreater(len(CASES), 60)
        for case in CASES:
            with self.subTest(case["text"]):
                if case["values"] is None:
                    with self.assertRaises(Unreadable):
                        read(case["text"])
                else:
                    self.assertEqual(read(case["text"]), case["values"])

    def test_a_problem_tells_its_line_and_no_value(self) -> None:
        with self.assertRaises(Unreadable) as caught:
            read("A=1\n# x\nB='secret\nmore\n")
        self.assertEqual(str(caught.exception), "line 3: a quoted value has no end")

    @unittest.skipUnless(compose(), "no Compose 2 here")
    def test_compose_itself(self) -> None:
        words = compose()
        assert words
        names = {name for case in CASES for name in case["values"] or {} if name.isidentifier() and name.isascii()}
        described = "services:\n  x:\n    image: x\n    environment:\n" + "".join(f"      {name}: ${{{name}-unset}}\n" for name in sorted(names))
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "compose.yml").write_text(described)
            for case in CASES:
                (Path(folder) / "env").write_bytes(case["text"].encode())
                end = subprocess.run([*words, "--project-directory", folder, "-p", "x", "--env-file", f"{folder}/env", "-f", f"{folder}/compose.yml", "config", "--format", "json"],
                                     capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"], "HOME": folder})
                with self.subTest(case["text"]):
                    if case["values"] is None:
                        self.assertNotEqual(end.returncode, 0)
                    else:
                        shown = {name: value.replace("$$", "$") for name, value in json.loads(end.stdout)["services"]["x"]["environment"].items()}
                        self.assertEqual(shown, {name: case["values"].get(name, "unset") for name in names})


class FileTest(unittest.TestCase):
    def test_the_ends_of_lines_stay(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / ".env"
            path.write_bytes(b"A='one\r\ntwo'\r\nB=3\r\n")
            self.assertEqual(environment.read_file(path), {"A": "one\r\ntwo", "B": "3"})

    def test_an_unreadable_one_is_a_failure(self) -> None:
        with self.assertRaises(Failure) as caught:
            environment.read("A='secret\n")
        self.assertEqual((caught.exception.code, "secret" in caught.exception.cause), ("ENVIRONMENT_UNREADABLE", False))


class AdoptionTest(unittest.TestCase):
    def check(self, text: str, wanted: dict[str, str], differing: list[str]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / ".env"
            path.write_text(text)
            with mock.patch.object(environment.predecessor, "ENVIRONMENT", path), mock.patch.object(environment.predecessor, "differing", lambda _secrets: differing), \
                    mock.patch("builtins.print"):
                environment._check_adopted(wanted, ["DB_PASSWORD"])

    def test_every_form_of_the_former_file_is_the_same_secret(self) -> None:
        for text in ("DB_PASSWORD = s3cret-$x\n", "DB_PASSWORD: \"s3cret-\"\n", "export DB_PASSWORD='s3cret-'\n"):
            self.check(text, {"DB_PASSWORD": "s3cret-"}, [])
        with self.assertRaises(Failure):
            self.check("DB_PASSWORD: other\n", {"DB_PASSWORD": "s3cret-"}, [])

    def test_what_containers_run_with_counts(self) -> None:
        with self.assertRaises(Failure) as caught:
            self.check("DB_PASSWORD=s3cret-\n", {"DB_PASSWORD": "s3cret-"}, ["DB_PASSWORD (DATABASE_URL of api)"])
        self.assertEqual(caught.exception.code, "SECRET_CHANGED")
        self.assertIn("DB_PASSWORD (DATABASE_URL of api)", caught.exception.cause)
        self.assertNotIn("s3cret", caught.exception.cause)


class OwnFileTest(unittest.TestCase):
    def test_a_password_with_a_quote_reaches_the_database(self) -> None:
        from geoclic_server.database import Database

        for written, password in (("'it\\'s'", "it's"), ("'\\'x\\''", "'x'"), ("'pa$word'", "pa$word"), ("plain", "plain")):
            with tempfile.TemporaryDirectory() as folder, mock.patch.object(layout, "ENVIRONMENT", Path(folder) / "env"):
                layout.ENVIRONMENT.write_text(f"A=1\nDB_PASSWORD={written}\n")
                adapter = {"name": "geo", "user": "geoclic", "ledger": "schema_history", "service": "db"}
                self.assertEqual(Database({"project": "deploy", "adapter": {"database": adapter}}).environment()["PGPASSWORD"], password)


if __name__ == "__main__":
    unittest.main()
