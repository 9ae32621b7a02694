"""`python3 -B -m harness`: a sample; `--all`: each cut with each next act; `--scenario NAME --cut CUT --then STATE:ACT`: one of them again."""

import argparse
import multiprocessing
import re
import signal
import sys
import time
import traceback
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty
from typing import Any

from .effects import Cut
from .machine import HarnessError, Machine
from .runner import Broken, Count, Runner, everything, sample
from .scenarios import Scenario, all_scenarios

_UNITS = "unit tests"


def main() -> int:
    options = _options()
    # An end that somebody wishes takes the workers and their servers along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    scenarios = [scenario for scenario in all_scenarios() if options.scenario is None or scenario.name in options.scenario.split(",")]
    if not scenarios:
        sys.exit(f"unknown scenario {options.scenario!r}, expected one of: {', '.join(scenario.name for scenario in all_scenarios())}")
    began = time.monotonic()
    counts, ends, (failed, passed) = _run(scenarios, options)
    broken = [each for count in counts.values() for each in count.broken]
    for end in ends:
        print(f"\n{end}")
    passed += sum(count.runs for count in counts.values()) - len(broken)
    failed += len(broken) + len(ends)
    print(f"\n{time.monotonic() - began:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def _grouped(broken: list[Broken]) -> list[list[Broken]]:
    """What broke in the same words, but for numbers."""
    groups: dict[str, list[Broken]] = {}
    for each in broken:
        groups.setdefault(each.scenario + re.sub(r"[\d.]+|[0-9a-f]{12,}", "#", each.words[0])[:80], []).append(each)
    return list(groups.values())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="harness", description=__doc__)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--scenario", help="one, or several with commas")
    parser.add_argument("--cut", help="57, or 57.torn, 57.late, 57.stdin-0.5, 57.term")
    parser.add_argument("--then", help="running:ACT or rebooted:ACT")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--effects", action="store_true", help="lists the scenario's effects and ends")
    return parser.parse_args()


def _unit_tests(queue: Any) -> None:
    """Tests beside these that need a real PostgreSQL."""
    folder = Path(__file__).parent
    try:
        found = unittest.defaultTestLoader.discover(str(folder), pattern="pg_test_*.py", top_level_dir=str(folder.parent))
        result = unittest.TextTestRunner(verbosity=1).run(found)
    except BaseException:
        return queue.put((None, traceback.format_exc()))
    wrong = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    queue.put((_UNITS, (wrong, result.testsRun - wrong - len(result.skipped))))


def _run(scenarios: list[Scenario], options: argparse.Namespace) -> tuple[dict[str, Count], list[str], tuple[int, int]]:
    """Counts by scenario, how workers ended that did not end well, and the unit tests' failed and passed ones."""
    jobs = 1 if options.cut or options.effects else max(1, options.jobs)
    queue: Any = multiprocessing.Queue()
    shares = _shares(scenarios, options, jobs)
    turn = multiprocessing.Value("i", 0)
    workers = [multiprocessing.Process(target=_worker, args=(index, jobs, shares, turn, options, queue), daemon=True) for index in range(jobs)]
    units = (0, 0)
    left = jobs
    if not options.scenario:
        workers.append(multiprocessing.Process(target=_unit_tests, args=(queue,)))
        left += 1
    for worker in workers:
        worker.start()
    counts, ends = {scenario.name: Count() for scenario in scenarios}, []
    reports = dict.fromkeys(counts, 0)
    while left:
        try:
            name, found = queue.get(timeout=5)
        except Empty:
            if not any(worker.is_alive() for worker in workers):
                ends.append("a worker ended without a word")
                break
            continue
        if name in (None, _UNITS):
            left -= 1
            units = found if name == _UNITS else units
            ends += [found] if found and name is None else []
            continue
        count = counts[name]
        count.effects = max(count.effects, found.effects)
        count.cuts += found.cuts
        count.runs += found.runs
        count.broken += found.broken
        reports[name] += 1
        if reports[name] == (jobs if len(shares) == 1 else 1):
            what = next(scenario.what for scenario in scenarios if scenario.name == name)
            print(f"{name}: {count.effects} effects, {count.cuts} cuts, {count.runs} runs, {len(count.broken)} broken ({what})", flush=True)
            for alike in _grouped(count.broken):
                more = f"\n  and {len(alike) - 1} more like it: {', '.join(f'{each.cut} then {each.then}' for each in alike[1:9])}" if len(alike) > 1 else ""
                print(f"{alike[0]}{more}\n", flush=True)
    for worker in workers:
        worker.join()
    return counts, ends, units


def _shares(scenarios: list[Scenario], options: argparse.Namespace, jobs: int) -> list[list[Scenario]]:
    """What workers take in turn. Of one share each worker does a part of the cuts; else each does whole families, whose stages are then set once."""
    families: dict[str, list[Scenario]] = {}
    for scenario in scenarios:
        families.setdefault(scenario.family or scenario.name, []).append(scenario)
    # The last one is the longest.
    return [scenarios] if options.all or len(families) <= jobs else [*families.values()][::-1]


def _worker(index: int, jobs: int, shares: list[list[Scenario]], turn: Any, options: argparse.Namespace, queue: Any) -> None:
    machine: Machine | None = None
    is_one = len(shares) == 1
    try:
        machine = Machine()
        for share in shares if is_one else _taken(shares, turn):
            for scenario in share:
                queue.put((scenario.name, _scenario(machine, scenario, index if is_one else 0, jobs if is_one else 1, options)))
        queue.put((None, None))
    except BaseException:
        queue.put((None, traceback.format_exc()))
    finally:
        if machine:
            machine.close()


def _taken(shares: list[list[Scenario]], turn: Any) -> Iterator[list[Scenario]]:
    while True:
        with turn.get_lock():
            place = turn.value
            turn.value += 1
        if place >= len(shares):
            return
        yield shares[place]


def _scenario(machine: Machine, scenario: Scenario, index: int, jobs: int, options: argparse.Namespace) -> Count:
    runner, count = Runner(machine), Count()
    whole, cuts, broken = runner.begin(scenario)
    count.effects = len(whole.effects)
    if options.effects:
        print("\n".join(f"{number} {effect}" for number, effect in enumerate(whole.effects, 1)), flush=True)
        return count
    if index == 0:
        count.runs, count.broken = 1, broken
    if options.cut:
        chosen = [pair for pair in everything(scenario, [Cut.read(options.cut)], whole.effects)[0][1] if options.then in (None, f"{pair[0]}:{pair[1].name}", f"{pair[0]}:nothing")]
        runner.cut(scenario, Cut.read(options.cut), whole.effects, chosen, count)
        return count
    choose: Callable[..., Any] = everything if options.all else sample
    for place, (cut, chosen) in enumerate(choose(scenario, cuts, whole.effects)):
        if place % jobs != index:
            continue
        try:
            runner.cut(scenario, cut, whole.effects, chosen, count)
        except HarnessError as error:
            # What the imitation does not know is told, and hides nothing else.
            count.runs += 1
            count.broken.append(Broken(scenario.name, str(cut), whole.effects[cut.number - 1], "the harness ended", (str(error)[-1500:],)))
    return count


if __name__ == "__main__":
    sys.exit(main())
