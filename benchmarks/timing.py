"""Times contestants fairly: alternately in one process, checked against each other, minima and medians."""

import statistics
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np


class Case(NamedTuple):
    """One line of the table.

    runs: library -> a function of no argument that does the work and returns its results, the same ones
          in the same order for each library
    goals: library -> what the ratio to it should reach
    """

    group: str
    name: str
    runs: dict[str, Callable]
    goals: Mapping[str, float] = MappingProxyType({})
    tolerance: float = 1e-4


class Line(NamedTuple):
    """What was measured: the ratios of minigrad's time (or memory) to the peer's."""

    group: str
    name: str
    ours: float
    unit: str
    peer: str
    of_minima: float
    of_medians: float
    goal: float | None


def check(case):
    """Raise ValueError unless every library computes what minigrad computes."""
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
    """Return {library: seconds of each round}: each round runs every library once, in turn.

    A run repeats until it takes `block` seconds, as a training step does; the shorter that is, the
    more of the time goes into caches that the library before has filled. The rounds stop early after
    `budget` seconds, but not before the fifth.
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
    """Return a Line for each peer, from {library: what was measured}."""
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
