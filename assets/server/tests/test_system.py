import unittest

from geoclic_server.docker_facts import DockerFacts, read_exec_start
from geoclic_server.failure import Failure
from geoclic_server.system import Plan, plan, read_os_release, version


def os_release(name: str, version: str) -> str:
    return f'PRETTY_NAME="Some {name}"\nID={name}\nVERSION_ID="{version}"\n'


BOOKWORM, TRIXIE, NOBLE = os_release("debian", "12"), os_release("debian", "13"), os_release("ubuntu", "24.04")
NOTHING = DockerFacts({})
PLUGIN = "/usr/libexec/docker/cli-plugins/docker-compose"


def made(system: str, found: DockerFacts, *, reachable: bool = True) -> Plan:
    return plan(system, found, is_docker_repository_reachable=reachable)


class PlanTest(unittest.TestCase):
    def test_supported_systems(self) -> None:
        for name, number, codename, restic in [
            ("debian", "12", "bookworm", "binary"),
            ("debian", "13", "trixie", "package"),
            ("ubuntu", "22.04", "jammy", "binary"),
            ("ubuntu", "24.04", "noble", "binary"),
        ]:
            with self.subTest(name + number):
                wanted = made(os_release(name, number), NOTHING)
                self.assertEqual((wanted.codename, wanted.docker, wanted.restic, wanted.remove), (codename, "official", restic, ()))
                self.assertIn("docker-compose-plugin", wanted.packages)
                self.assertEqual("restic" in wanted.packages, restic == "package")

    def test_fails_on_other_systems_and_names_the_allowed(self) -> None:
        for text in (os_release("debian", "11"), os_release("ubuntu", "20.04"), os_release("fedora", "41"), ""):
            with self.subTest(text), self.assertRaises(Failure) as caught:
                made(text, NOTHING)
            self.assertEqual(caught.exception.code, "OS_UNSUPPORTED")
            self.assertIn("debian 13", caught.exception.action)

    def test_only_debian_13_does_without_dockers_repository(self) -> None:
        wanted = made(TRIXIE, NOTHING, reachable=False)
        self.assertEqual(wanted.docker, "distribution")
        self.assertIn("docker-compose", wanted.packages)
        for system in (BOOKWORM, os_release("ubuntu", "22.04"), NOBLE):
            with self.subTest(system), self.assertRaises(Failure) as caught:
                made(system, NOTHING, reachable=False)
            self.assertEqual(caught.exception.code, "DOCKER_REPOSITORY_UNREACHABLE")

    def test_reads_quoted_and_plain_values(self) -> None:
        self.assertEqual(read_os_release('# x\nID="ubuntu"\nVERSION_ID=24.04\nUBUNTU_CODENAME=noble'), ("ubuntu", "24.04"))

    def test_versions_as_their_tools_write_them(self) -> None:
        for text, expected in [("26.1.5+dfsg1", (26, 1)), ("5:27.1.1-1~debian.12~bookworm", (27, 1)), ("v2.24.0-desktop.1", (2, 24)),
                               ("2.26.1-4", (2, 26)), ("", (0, 0)), ("dev", (0, 0)), ("25", (25, 0))]:
            with self.subTest(text):
                self.assertEqual(version(text), expected)


class PresentDockerTest(unittest.TestCase):
    def test_what_is_there_decides(self) -> None:
        for told, system, found, reachable, docker, remove in [
            ("a fit engine is kept", NOBLE, DockerFacts({}, "27.1.1", "2.29.1", PLUGIN), False, "present", ()),
            ("one of 25 with the first Compose that is enough", NOBLE, DockerFacts({"docker-ce": "5:25.0.0"}, "25.0.0", "2.24.0", PLUGIN), False, "present", ()),
            ("an old engine of Docker's own goes up", BOOKWORM, DockerFacts({"docker-ce": "5:24.0.7", "docker-compose-plugin": "2.21.0"}, "24.0.7", "2.21.0", PLUGIN), True, "official", ()),
            ("a Compose that does not know our health checks counts as none", BOOKWORM, DockerFacts({"docker-ce": "5:27.0.1"}, "27.0.1", "2.20.3", PLUGIN), True, "official", ()),
            ("the distribution's packages give way in the same call", NOBLE,
             DockerFacts({"docker.io": "24.0.7", "docker-compose-v2": "2.20.2", "docker-buildx": "0.11", "containerd": "1.7", "runc": "1.1"}, "24.0.7", "2.20.2", PLUGIN),
             True, "official", ("containerd", "docker-buildx", "docker-compose-v2", "docker.io", "runc")),
            ("podman's stand-in gives way", NOBLE, DockerFacts({"podman-docker": "4.9"}, "4.9.3", "", ""), True, "official", ("podman-docker",)),
            ("Debian 13's own engine gets Debian's Compose, no other engine", TRIXIE, DockerFacts({"docker.io": "26.1.5+dfsg1"}, "26.1.5", "", ""), True, "distribution", ()),
        ]:
            with self.subTest(told):
                wanted = made(system, found, reachable=reachable)
                self.assertEqual((wanted.docker, wanted.remove), (docker, remove))
                self.assertEqual([name for name in wanted.remove if name in wanted.packages], [])
                if docker == "present":
                    self.assertEqual([name for name in wanted.packages if "docker" in name], [])

    def test_what_a_person_must_decide_is_refused_before_anything_is_changed(self) -> None:
        for told, found, code, says in [
            ("a snap", DockerFacts({}, "28.1.1", "2.35.0", PLUGIN, snap=True), "DOCKER_FOREIGN", "snap remove docker"),
            ("a swarm", DockerFacts({"docker-ce": "5:27.0.1"}, "27.0.1", "2.29.1", PLUGIN, swarm=True), "DOCKER_SWARM", "docker swarm leave"),
            ("an engine that is stopped and does not come", DockerFacts({"docker.io": "26.1.5+dfsg1"}, "", "2.26.1", PLUGIN, has_unit=True, error="unable to configure"),
             "DOCKER_DOWN", "unable to configure"),
            ("an old engine that no package owns", DockerFacts({}, "20.10.24", "2.17.0", PLUGIN), "DOCKER_FOREIGN", "upgrade it"),
            ("an old Compose in root's folder", DockerFacts({"docker-ce": "5:27.0.1"}, "27.0.1", "2.4.1", "/root/.docker/cli-plugins/docker-compose"),
             "COMPOSE_IN_FRONT", "mv /root/.docker/cli-plugins/docker-compose"),
        ]:
            with self.subTest(told):
                for system in (TRIXIE, NOBLE):
                    with self.assertRaises(Failure) as caught:
                        made(system, found)
                    self.assertEqual(caught.exception.code, code)
                    self.assertIn(says, caught.exception.cause + caught.exception.action)

    def test_the_units_flags(self) -> None:
        shown = ("{ path=/usr/bin/dockerd ; argv[]=/usr/bin/dockerd -H fd:// --log-driver=journald ; ignore_errors=no ; start_time=[n/a] ; pid=0 ; status=0/0 }\n")
        self.assertEqual(read_exec_start(shown), ["/usr/bin/dockerd", "-H", "fd://", "--log-driver=journald"])
        self.assertEqual(read_exec_start(""), [])
