"""What is killed, and what may come next."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import invariants, suite
from .machine import RENEWAL, Act, Ended, Machine
from .suite import Kind

Check = Callable[[Machine, Ended], list[str]]


@dataclass(frozen=True)
class Next:
    """One act that may follow a cut."""

    name: str
    commands: Act
    kind: Kind | None = None
    """Release that it delivers before."""
    faults: tuple[str, ...] = ()
    check: Check = lambda _machine, _ended: []
    is_settling: bool = True


@dataclass(frozen=True)
class Scenario:
    name: str
    what: str
    act: Act
    nexts: tuple[Next, ...]
    stage: Callable[[Machine], None]
    kind: Kind | None = None
    faults: tuple[str, ...] = ()
    check: Check = lambda _machine, _ended: []
    """After the act that nobody killed."""
    has_terms: bool = False
    """SIGTERM at every effect too."""
    family: str = ""
    """Of scenarios of one family the acts and what may come next are the same until something fails: what was cut once is not cut again."""


def activate(kind: Kind) -> Act:
    return [["activate", "start", "--release", kind.id, "--domain", suite.DOMAIN]]


def _unhealthy(kind: Kind) -> str:
    return f"unhealthy {kind.images['api']}"


def _activation(name: str, kind: Kind, *, faults: tuple[str, ...] = (), must_succeed: bool = True) -> Next:
    def check(machine: Machine, ended: Ended) -> list[str]:
        return invariants.outcome(machine, ended, kind, must_succeed=must_succeed and not faults)

    return Next(name, activate(kind), kind, faults, check)


def _told(machine: Machine, ended: Ended) -> list[str]:
    """A command that is not to fail."""
    return [] if ended.status == 0 else [f"it failed: {ended.said[-500:]}"]


def _backed_up(machine: Machine, ended: Ended) -> list[str]:
    """Its timer does not begin before a release runs."""
    return _told(machine, ended) if machine.current else []


BACKUP = Next("backup", [["backup"]], check=_backed_up, is_settling=False)
MONITOR = Next("monitor", [["monitor", "--domain", suite.DOMAIN]], check=_told)


def _nexts(former: Kind, kind: Kind, third: Kind, *, can_go_back: bool) -> tuple[Next, ...]:
    return (
        _activation("same", kind),
        _activation("same, its service fails", kind, faults=(_unhealthy(kind),)),
        _activation("same, an image is missing", kind, faults=(f"missing {kind.images['api']}",)),
        _activation("same, the gate fails", kind, faults=(f"gate {kind.images['api']}",)),
        _activation("former", former, must_succeed=can_go_back),
        _activation("former, its service fails", former, faults=(_unhealthy(former),)),
        _activation("third", third, must_succeed=can_go_back),
        _activation("third, its service fails", third, faults=(_unhealthy(third),)),
        Next("cancel", [["activate", "cancel", "--release", kind.id]], check=_told, is_settling=False),
        BACKUP,
        MONITOR,
        Next("reboot", []),
    )


def _fresh(machine: Machine) -> None:
    machine.begin()


def _running(kind: Kind) -> Callable[[Machine], None]:
    def stage(machine: Machine) -> None:
        machine.begin()
        machine.deliver(kind)
        ended = machine.act(activate(kind))
        if ended.status:
            raise AssertionError(ended.said)
        machine.town.write()

    return stage


def _update(name: str, what: str, kind: Kind, third: Kind, *, former: Kind = suite.FORMER, faults: tuple[str, ...] = (), fails: bool = False,
            can_go_back: bool = True, has_terms: bool = False, stage: Callable[[Machine], None] | None = None) -> Scenario:
    def check(machine: Machine, ended: Ended) -> list[str]:
        return invariants.outcome(machine, ended, kind, must_succeed=not (fails or faults)) + (["it was to fail"] if (fails or faults) and ended.status == 0 else [])

    found = _nexts(former, kind, third, can_go_back=can_go_back)
    family = f"update to {kind.id}" if stage is None and not fails else name
    if fails:
        # The release itself is broken.
        found = tuple(_activation(each.name, kind, must_succeed=False) if each.name == "same" else each for each in found)
    return Scenario(name, what, activate(kind), found, stage or _running(former), kind, faults, check, has_terms, family)


def all_scenarios() -> Sequence[Scenario]:
    return (
        _update("additive", "an update with an additive migration", suite.ADDITIVE, suite.ADDITIVE_THIRD, has_terms=True),
        _update("breaking", "an update with breaking migrations behind the page", suite.BREAKING, suite.BREAKING_THIRD, can_go_back=False, has_terms=True),
        _update("failing-service", "an update whose service stays unhealthy", suite.ADDITIVE, suite.ADDITIVE_THIRD, faults=(_unhealthy(suite.ADDITIVE),)),
        _update("failing-service-breaking", "the same behind the page", suite.BREAKING, suite.BREAKING_THIRD, faults=(_unhealthy(suite.BREAKING),), can_go_back=False),
        _update("failing-migration", "an update whose second migration fails", suite.ADDITIVE_FAILING, suite.ADDITIVE_THIRD, fails=True),
        _update("failing-migration-breaking", "the same behind the page", suite.BREAKING_FAILING, suite.BREAKING_THIRD, fails=True, can_go_back=False),
        _update("first", "the first activation", suite.FORMER, suite.ADDITIVE_THIRD, former=suite.ADDITIVE, stage=_fresh),
        _update("database-image", "an update that exchanges the database's image", suite.DATABASE_IMAGE, suite.ADDITIVE_THIRD),
        _update("ingress", "an update that exchanges the ingress", suite.INGRESS, suite.ADDITIVE_THIRD),
        _restored(),
        _environment(),
        _failing_environment(),
        _backup(),
        _renewal(),
        _retirement(),
        _adoption(),
    )


def _restored() -> Scenario:
    """The running release on the schema of an older backup."""
    def stage(machine: Machine) -> None:
        _running(suite.FORMER)(machine)
        machine.do(["backup"])
        machine.later(1)
        machine.deliver(suite.BREAKING)
        ended = machine.act(activate(suite.BREAKING))
        if ended.status:
            raise AssertionError(ended.said)
        machine.do(["restore", machine.backups()[-1].name])
        machine.town.give_up_rows()
        machine.do(*MONITOR.commands)
        if "SCHEMA_BEHIND" not in machine.findings():
            raise AssertionError("the monitor does not see that the schema is behind")

    return _update("restored", "the running release's migrations after an older backup was restored, behind the page", suite.BREAKING, suite.BREAKING_THIRD,
                   can_go_back=False, stage=stage)


def _write_environment(text: str) -> Sequence[str]:
    return ["write-env", '<{"secrets": ["DB_PASSWORD"]}\n' + text]


def _failing_environment() -> Scenario:
    def fails(machine: Machine, ended: Ended) -> list[str]:
        return invariants.outcome(machine, ended, suite.FORMER, must_succeed=False)

    return dataclasses.replace(_environment(), name="failing-environment", family="environment", what="the same, and the gate does not pass", faults=("gate MODE=two",), check=fails)


def _environment() -> Scenario:
    """Same release, other containers."""
    kind = suite.FORMER
    changed, back = _write_environment(suite.CHANGED_ENVIRONMENT), _write_environment(suite.ENVIRONMENT)

    def succeeds(machine: Machine, ended: Ended) -> list[str]:
        return invariants.outcome(machine, ended, kind, must_succeed=True)

    def fails(machine: Machine, ended: Ended) -> list[str]:
        return invariants.outcome(machine, ended, kind, must_succeed=False)

    nexts = (
        Next("same", [changed, *activate(kind)], check=succeeds),
        Next("same, its service fails", [changed, *activate(kind)], faults=("unhealthy MODE=two",), check=fails),
        Next("same, the gate fails", [changed, *activate(kind)], faults=("gate MODE=two",), check=fails),
        Next("former", [back, *activate(kind)], check=succeeds),
        Next("third", activate(suite.ADDITIVE), suite.ADDITIVE, check=lambda machine, ended: invariants.outcome(machine, ended, suite.ADDITIVE, must_succeed=True)),
        BACKUP, MONITOR, Next("reboot", []),
    )
    return Scenario("environment", "another environment under the same release", [changed, *activate(kind)], nexts, _running(kind), kind, check=succeeds,
                    family="environment")


def _backup() -> Scenario:
    def stage(machine: Machine) -> None:
        _running(suite.FORMER)(machine)
        for _ in range(9):
            machine.later(24)
            machine.town.write()
            machine.do(["backup"])
        machine.later(24)

    def whole(machine: Machine, ended: Ended) -> list[str]:
        return [*_told(machine, ended), *invariants.newest_backup(machine)]

    nexts = (Next("backup", [["backup"]], check=whole), Next("backup, the disk is full", [["backup"]], faults=("full",), is_settling=False),
             _activation("third", suite.ADDITIVE), MONITOR, Next("reboot", []))
    return Scenario("backup", "the daily backup, nine older ones", [["backup"]], nexts, stage, check=whole)


def _renewal() -> Scenario:
    def stage(machine: Machine) -> None:
        _running(suite.FORMER)(machine)
        machine.do(["certificate", "issue", "--domain", suite.DOMAIN, "--email", "a@example.org", "--server", "https://acme.example/directory"])

    nexts = (Next("monitor", MONITOR.commands, check=lambda machine, ended: [*_told(machine, ended), *invariants.certificate(machine)]),
             Next("reboot", [], check=_after_boot_and_monitor),
             _activation("third", suite.ADDITIVE), _activation("ingress", suite.INGRESS), BACKUP)
    return Scenario("renewal", "certbot's renewal with its hook", [RENEWAL], nexts, stage,
                    check=lambda machine, ended: [*_told(machine, ended), *invariants.certificate(machine)])


def _after_boot_and_monitor(machine: Machine, _ended: Ended) -> list[str]:
    """The monitor's timer comes minutes after a boot."""
    served = [] if machine.town.served_certificate() else ["no certificate is served after the boot"]
    machine.act(MONITOR.commands)
    return [*served, *invariants.certificate(machine)]


def _retirement() -> Scenario:
    export = [["retire", "export"]]

    def whole(machine: Machine, ended: Ended) -> list[str]:
        is_open = ["the town is open after its last backup"] if machine.town.ingress() else []
        return [*_told(machine, ended), *is_open, *invariants.newest_backup(machine, every_row=True)]

    nexts = (Next("same", export, check=whole, is_settling=False), Next("same, the disk is full", export, faults=("full",), check=invariants.opened_again),
             Next("monitor", MONITOR.commands, check=lambda machine, ended: [*_told(machine, ended), *invariants.opened_again(machine, ended)]),
             Next("reboot", [], check=invariants.opened_again), _activation("third", suite.ADDITIVE), BACKUP)
    return Scenario("retirement", "the last backup of a town that ends", export, nexts, _running(suite.FORMER), check=whole)


def _adoption() -> Scenario:
    kind = suite.ADDITIVE
    act = [*activate(kind), ["schedules", "--backup", "03:30", "--monitor-minutes", "5", "--domain", suite.DOMAIN]]

    def stage(machine: Machine) -> None:
        machine.begin()
        machine.adopt()
        machine.town.write()

    def ended_well(machine: Machine, ended: Ended) -> list[str]:
        return [*_told(machine, ended), *(invariants.runs(machine, kind) if ended.status == 0 else [])]

    def failed(machine: Machine, ended: Ended) -> list[str]:
        return [] if machine.town.is_healthy or machine.current else [f"the former installation does not serve, told is {ended.failure}: {ended.said[-400:]}"]

    nexts = (Next("same", act, kind, check=ended_well), Next("same, its service fails", act, kind, faults=(_unhealthy(kind),), check=failed),
             Next("same, an image is missing", act, kind, faults=(f"missing {kind.images['api']}",), check=failed),
             Next("reboot", [], check=failed))
    return Scenario("adoption", "an installation of the tool before this one is taken over", act, nexts, stage, kind, check=ended_well)
