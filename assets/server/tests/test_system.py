import unittest

from geoclic_server.failure import Failure
from geoclic_server.system import plan, read_os_release


def os_release(name: str, version: str) -> str:
    return f'PRETTY_NAME="Some {name}"\nID={name}\nVERSION_ID="{version}"\n'


class PlanTest(unittest.TestCase):
    def test_supported_systems(self) -> None:
        for name, version, codename, restic in [
            ("debian", "12", "bookworm", "binary"),
            ("debian", "13", "trixie", "package"),
            ("ubuntu", "22.04", "jammy", "binary"),
            ("ubuntu", "24.04", "noble", "binary"),
        ]:
            with self.subTest(name + version):
                made = plan(os_release(name, version), is_docker_repository_reachable=True, has_docker=False)
                self.assertEqual((made.codename, made.docker, made.restic), (codename, "official", restic))
                self.assertIn("docker-compose-plugin", made.packages)
                self.assertEqual("restic" in made.packages, restic == "package")

    def test_fails_on_other_systems_and_names_the_allowed(self) -> None:
        for text in (os_release("debian", "11"), os_release("ubuntu", "20.04"), os_release("fedora", "41"), ""):
            with self.subTest(text), self.assertRaises(Failure) as caught:
                plan(text, is_docker_repository_reachable=True, has_docker=True)
            self.assertEqual(caught.exception.code, "OS_UNSUPPORTED")
            self.assertIn("debian 13", caught.exception.action)

    def test_only_debian_13_does_without_dockers_repository(self) -> None:
        made = plan(os_release("debian", "13"), is_docker_repository_reachable=False, has_docker=False)
        self.assertEqual(made.docker, "distribution")
        self.assertIn("docker-compose", made.packages)
        for name, version in (("debian", "12"), ("ubuntu", "22.04"), ("ubuntu", "24.04")):
            with self.subTest(name + version), self.assertRaises(Failure) as caught:
                plan(os_release(name, version), is_docker_repository_reachable=False, has_docker=False)
            self.assertEqual(caught.exception.code, "DOCKER_REPOSITORY_UNREACHABLE")

    def test_a_fit_engine_is_kept(self) -> None:
        made = plan(os_release("ubuntu", "24.04"), is_docker_repository_reachable=False, has_docker=True)
        self.assertEqual(made.docker, "present")
        self.assertFalse([package for package in made.packages if "docker" in package])

    def test_reads_quoted_and_plain_values(self) -> None:
        self.assertEqual(read_os_release('# x\nID="ubuntu"\nVERSION_ID=24.04\nUBUNTU_CODENAME=noble'), ("ubuntu", "24.04"))
