"""What is said and read is UTF-8, whatever locale an SSH client brings along. Not proven here: sshd's AcceptEnv and sudo's env_keep."""

import re
import shutil
import subprocess
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

SERVER = Path(__file__).parents[1]


class LocaleTest(unittest.TestCase):
    def test_a_command_says_and_reads_what_the_locale_could_not(self) -> None:
        with TemporaryDirectory() as folder:
            shutil.copy(SERVER / "command", folder)
            (Path(folder) / "facts").symlink_to("command")
            (Path(folder) / "text").write_text("mairie d'Évry …", encoding="utf-8")
            (Path(folder) / "run.py").write_text("import sys\nprint(sys.argv[1], open(sys.argv[2]).read())\n", encoding="utf-8")
            # An ASCII locale without Python's own ways out of it stands for ISO-8859-15, which a machine may not have.
            ascii_only = {"PATH": "/usr/bin:/bin:/usr/local/bin", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
            said = subprocess.run([f"{folder}/facts", f"{folder}/text"], env=ascii_only, capture_output=True, check=False)
        self.assertEqual((0, "facts mairie d'Évry …\n"), (said.returncode, said.stdout.decode()), said.stderr)

    def test_every_python_that_is_started_is_told_so(self) -> None:
        started = {}
        for file in [SERVER / "command", *SERVER.glob("geoclic_server/*.py"), *SERVER.glob("units/*")]:
            text = file.read_text(encoding="utf-8")
            # As words of a list, or at the beginning of a shell's line.
            for rest in re.findall(r'(?:"python3", |\b(?:exec|ExecStart=)\s*(?:/usr/bin/)?python3 )(.*)', text):
                started.setdefault(file.name, []).append(rest.replace('", "', " ").strip('"'))
        self.assertEqual({"command", "activation.py", "certificate.py", "firewall.py"}, set(started))
        for file, rests in started.items():
            for rest in rests:
                self.assertTrue(rest.startswith("-X utf8 "), f"{file}: python3 {rest}")

