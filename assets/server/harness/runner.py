"""Runs a scenario's cuts, each with what may come next, and tells what broke."""

import itertools
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field

from . import invariants
from .effects import Cut
from .machine import Ended, Machine
from .scenarios import MONITOR, Next, Scenario

STATES = ("running", "rebooted")
_PARTS = (0.25, 0.5, 0.75, 0.999)


@dataclass(frozen=True)
class Broken:
    scenario: str
    cut: str
    effect: str
    then: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{self.scenario}, cut {self.cut} ({self.effect}), then {self.then}:", *(f"  - {word}" for word in self.words),
                 f"  again: npm run test:server:harness -- --scenario {self.scenario} --cut {self.cut} --then \"{self.then}\""]
        return "\n".join(lines)


@dataclass
class Count:
    effects: int = 0
    cuts: int = 0
    runs: int = 0
    broken: list[Broken] = field(default_factory=list)


class Runner:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._known: dict[str, set[str]] = {}

    def begin(self, scenario: Scenario) -> tuple[Ended, list[Cut], list[Broken]]:
        """Sets the stage and runs the act without a cut: its effects, and every cut that leaves something of its own."""
        machine = self._machine
        scenario.stage(machine)
        self._ready(scenario.kind, scenario.faults)
        machine.unsynced.forget()
        machine.save("stage")
        whole, seen = machine.observe(scenario.act)
        words = [*invariants.always(machine), *invariants.settled(machine), *scenario.check(machine, whole)]
        broken = [Broken(scenario.name, "none", "the whole act", "nothing", tuple(words))] if words else []
        alike = self._known.setdefault(scenario.family or scenario.name, set())
        return whole, list(_cuts(scenario, whole.effects, seen, alike)), broken

    def cut(self, scenario: Scenario, cut: Cut, effects: tuple[str, ...], chosen: list[tuple[str, Next]], count: Count) -> None:
        """`chosen`: state of the machine, and the act that comes next."""
        machine = self._machine
        effect = effects[cut.number - 1]
        machine.load("stage")
        proven = {one["id"] for one in machine.state.read()["containers"]}
        ended = machine.act(scenario.act, cut)
        machine.die()

        def note(then: str, words: list[str]) -> None:
            count.runs += 1
            if words:
                count.broken.append(Broken(scenario.name, str(cut), effect, then, tuple(words)))

        if cut.how == "term" and ended.status != -signal.SIGTERM:
            return note("nothing", [*invariants.always(machine), *invariants.settled(machine),
                                    *invariants.outcome(machine, ended, scenario.kind, must_succeed=False)] if scenario.kind else [])
        if not ended.is_killed and cut.how != "term":
            return note("nothing", [f"the cut was not reached, it ended with {ended.status}: {ended.said[-300:]}"])
        machine.fault()
        count.cuts += 1
        # One act alone goes on from what is there.
        is_once = len(chosen) == 1
        if not is_once:
            machine.save("cut")
        for state in STATES:
            acts = [each for wanted, each in chosen if wanted == state]
            if not acts:
                continue
            if not is_once:
                machine.load("cut")
            words = self._reboot(proven) if state == "rebooted" else self._hours_later()
            if words:
                note(f"{state}:nothing", words)
            if not is_once:
                machine.save("between")
            for each in acts:
                if not is_once:
                    machine.load("between")
                note(f"{state}:{each.name}", self._next(each, proven))

    def _hours_later(self) -> list[str]:
        self._machine.later(5)
        self._machine.town.write()
        return invariants.always(self._machine)

    def _next(self, act: Next, proven: set[str]) -> list[str]:
        machine = self._machine
        machine.later(2)
        if act.name == "reboot":
            words = self._reboot(proven)
            return [*words, *act.check(machine, Ended(0, "", ()))]
        self._ready(act.kind, act.faults)
        ended = machine.act(act.commands)
        words = act.check(machine, ended)
        machine.fault()
        machine.later(2)
        machine.town.write()
        words += invariants.always(machine)
        if not act.is_settling:
            return words
        if ended.status:
            machine.act(MONITOR.commands)
            words += invariants.afterwards(machine, ended)
        return [*words, *invariants.settled(machine)]

    def _reboot(self, proven: set[str]) -> list[str]:
        machine = self._machine
        ended = machine.reboot()
        machine.town.write()
        told = [f"the boot unit failed: {ended.said[-400:]}"] if ended and ended.status else []
        return [*told, *invariants.always(machine), *invariants.settled(machine), *invariants.after_boot(machine, proven)]

    def _ready(self, kind: object, faults: tuple[str, ...]) -> None:
        if kind is not None:
            self._machine.deliver(kind)  # type: ignore[arg-type]
        self._machine.fault(*faults)


def _cuts(scenario: Scenario, effects: tuple[str, ...], seen: list[str], known: set[str]) -> Iterator[Cut]:
    """`known`: what was there at the cuts of other scenarios with the same stage, act and next acts."""
    for number, (effect, fingerprint) in enumerate(zip(effects, seen), 1):
        is_new = fingerprint not in known
        known.add(fingerprint)
        if is_new:
            yield Cut(number)
            if scenario.has_terms:
                yield Cut(number, "term")
        name = effect.rsplit("/", 1)[-1]
        if is_new and effect.startswith("write ") and not name.startswith("."):
            yield Cut(number, "torn")
        if is_new and effect.startswith("in "):
            yield Cut(number, "late")
            for part in _PARTS:
                yield Cut(number, "stdin", part)


def sample(scenario: Scenario, cuts: list[Cut], effects: tuple[str, ...]) -> list[tuple[Cut, list[tuple[str, Next]]]]:
    """Every kind of effect once, each time at another of its places, with another state and act in turn; of signals a few."""
    alike: dict[tuple[str, str], list[Cut]] = {}
    for cut in cuts:
        if cut.how != "term" or cut.number % 10 == 0:
            alike.setdefault((cut.how, _kind(effects[cut.number - 1])), []).append(cut)
    chosen = sorted((found[place % len(found)] for place, found in enumerate(alike.values())), key=lambda cut: cut.number)
    turns = itertools.cycle(itertools.product(scenario.nexts, STATES))
    return [(cut, [(state, act)]) for cut, (act, state) in ((cut, next(turns)) for cut in chosen)]


def _kind(effect: str) -> str:
    """Without what is drawn by lot or counted: containers, releases, times. A partial file that is left is one as any other."""
    if re.search(r"^chmod \S+/\.\S+\.[a-z0-9_]{8}$", effect):
        return "chmod of a partial file"
    return re.sub(r"[0-9a-f]{12,}|\.[a-z0-9_]{8}$|\d{8}T\d{6}Z", "#", effect)


def everything(scenario: Scenario, cuts: list[Cut], _effects: tuple[str, ...]) -> list[tuple[Cut, list[tuple[str, Next]]]]:
    return [(cut, [(state, act) for state in STATES for act in scenario.nexts]) for cut in cuts]
