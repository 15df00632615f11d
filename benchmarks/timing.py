"""Time libraries in turn in one process, check their results against each other, report minima and medians."""

import statistics
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np


class Case(NamedTuple):
    """One line of the table.

    runs: library -> a function without arguments that does the work and returns its results, in the same order
          for each library
    goals: library -> the greatest ratio to it that is wanted
    """

    group: str
    name: str
    runs: dict[str, Callable]
    goals: Mapping[str, float] = MappingProxyType({})
    tolerance: float = 1e-4


class Line(NamedTuple):
    """A measurement: the ratios of minigrad's time (or memory) to that of a peer."""

    group: str
    name: str
    ours: float
    unit: str
    peer: str
    of_minima: float
    of_medians: float
    goal: float | None


def check(case):
    """Raise ValueError unless all libraries return the same results as minigrad."""
    results = {library: run() for library, run in case.runs.items()}
    ours = results.pop("minigrad")
    for library, theirs in results.items():
        for i, (x, y) in enumerate(zip(ours, theirs, strict=True)):
            x, y = np.asarray(x), np.asarray(y)
            error = np.abs(x - y).max() / max(np.abs(y).max(), 1e-30) if x.shape == y.shape else np.inf
            if not error <= case.tolerance:
                raise ValueError(
                    f"{case.group}, {case.name}: result {i} of minigrad {x.shape} is not that of {library} "
                    f"{y.shape}: relative error {error:.1e}"
                )


def measure(case, rounds, budget, clock, block):
    """Return {library: seconds of a run in each round}; a round times each library in turn.

    A run is repeated for about `block` seconds, like the steps of a training. With a shorter block, more of
    the time goes into refilling caches after another library ran. The rounds stop after `budget` seconds, but
    there are at least five.
    """
    check(case)
    repeats = {library: _repeats(run, block) for library, run in case.runs.items()}
    seconds: dict[str, list[float]] = {library: [] for library in case.runs}
    end = time.perf_counter() + budget
    for finished in range(rounds):
        if finished >= 5 and time.perf_counter() > end:
            break
        for library, run in case.runs.items():
            n = repeats[library]
            start = clock()
            for _ in range(n):
                run()
            seconds[library].append((clock() - start) / n)
    return seconds


def rounds(run, most, budget):
    """Return the seconds of each call of run, for `budget` seconds: at least five, after two to warm up."""
    seconds: list[float] = []
    run()
    run()
    end = time.perf_counter() + budget
    while len(seconds) < 5 or (len(seconds) < most and time.perf_counter() < end):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return seconds


def _repeats(run, block):
    run()
    start = time.perf_counter()
    run()
    return max(1, min(1000, round(block / max(time.perf_counter() - start, 1e-9))))


def compare(case, rounds, budget, clock, block):
    """Measure a case; return a Line for each peer."""
    seconds = measure(case, rounds, budget, clock, block)
    return lines(case.group, case.name, {k: [1e6 * s for s in v] for k, v in seconds.items()}, "us", case.goals)


def lines(group, name, measured, unit, goals):
    """Return a Line for each peer from the measurements of each library."""
    ours = measured["minigrad"]
    return [
        Line(
            group,
            name,
            min(ours),
            unit,
            peer,
            min(ours) / min(theirs),
            statistics.median(ours) / statistics.median(theirs),
            goals.get(peer),
        )
        for peer, theirs in measured.items()
        if peer != "minigrad"
    ]
