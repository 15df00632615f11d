"""What a fault is shown to: the calls of the specs, and the tests of the engine, each with its time and its lines.

A fault can only fail a trial that runs its line, so it is shown to those alone, the quickest first.
"""

import multiprocessing
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from faults.injection import FILES, Live
from hypothesis import HealthCheck, Phase, given, seed, settings
from support.specification import SPECS, at_kink, be_exact, compare, prove, refuse

TESTS = Path(__file__).parents[1]
SUITES = ["ops", "derivation", "nn"]
SUITES += [
    f"test_{part}.py" for part in ("operation", "tape", "gradients", "settings", "summation", "tensor", "transforms")
]
SUITES += ["test_engine.py", "test_optim.py", "viz/test_names.py", "viz/test_debug.py"]
_PYTEST = ["-o", "addopts=", "--import-mode=importlib", "--assert=plain", "--capture=no"]
_PYTEST += ["-p", "no:cacheprovider", "-p", "no:terminal"]
_PYTEST += [f"--ignore={TESTS / 'derivation' / 'test_document.py'}"]  # it reads the code, and runs none
_PYTEST += [
    "-k",
    "not TestSpecs and not by_a_spec and not has_a_spec and not pytorch",
]  # the specs are trials themselves
_FILES = {str(file) for file in FILES}
LIVE = Live()
_LOTS = (slice(0, 1), slice(1, 4), slice(4, 12), slice(12, None))  # the first calls of a spec find most


@dataclass(frozen=True)
class Trial:
    """Something that passes on sound code: `run()` raises where it doesn't."""

    name: str
    run: Callable
    seconds: float
    lines: frozenset  # (file, line) pairs


def measured(run):
    """(seconds, lines) of a run."""
    lines = set()

    def line(frame, event, argument):
        lines.add((frame.f_code.co_filename, frame.f_lineno))
        return line

    def call(frame, event, argument):
        return line(frame, event, argument) if frame.f_code.co_filename in _FILES else None

    LIVE.forget()
    start = time.perf_counter()
    threading.settrace(call)
    sys.settrace(call)
    try:
        run()
    finally:
        sys.settrace(None)
        threading.settrace(None)
    return time.perf_counter() - start, frozenset(lines)


def examples(spec, count):
    """A fixed list of calls of a spec: the simplest one, then the first random ones of each of several seeds.

    One run of Hypothesis begins with the simplest, and later draws variants of what it has.
    """
    calls, drawn = [], []
    three = settings(max_examples=3, database=None, phases=[Phase.generate], deadline=None)

    @settings(three, suppress_health_check=list(HealthCheck))
    @given(spec.inputs)
    def draw(call):
        drawn.append(call)

    for i in range(count // 2):
        drawn.clear()
        seed(i)(draw)()
        calls += drawn[1 if calls else 0 :]
    return calls


def of_spec(spec, count):
    """(name, run) of a spec's calls in a few lots, and of its cases."""
    calls = examples(spec, count)
    for lot in _LOTS:
        yield f"{spec.name} {lot}", partial(_prove, spec, calls[lot])
    for case in spec.kinks:
        yield f"{spec.name} kink", partial(at_kink, spec, case)
    for case in spec.exact:
        yield f"{spec.name} exact", partial(be_exact, spec, *case)
    for case in spec.refused:
        yield f"{spec.name} refused", partial(refuse, spec, *case)


def _prove(spec, calls):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for call in calls:
            compare(spec, call)
            prove(spec, call)


class Session:
    """A pytest plugin that hands the collected tests to `work` instead of running them."""

    def __init__(self, work):
        self.work, self.error = work, None

    def pytest_runtestloop(self, session):
        self.work([(item.nodeid, partial(self._run, item)) for item in session.items])
        return True

    def pytest_exception_interact(self, call):
        self.error = call.excinfo.value

    def _run(self, item):
        self.error = None
        item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
        if self.error is not None:
            raise self.error


_named: list[tuple] = []  # (name, run) pairs, inherited by the processes that measure


def _measured(i):
    name, run = _named[i]
    try:
        return measured(run)
    except Exception as error:
        raise RuntimeError(f"{name} fails on sound code: {error!r}") from error


def with_trials(work, count, workers):
    """Call `work` with all trials, quickest first, `count` inputs for each spec or property; pytest's exit code."""
    phases = [Phase.explicit, Phase.generate]
    fixed = settings(max_examples=count, derandomize=True, database=None, deadline=None, phases=phases)
    settings.register_profile("faults", fixed)
    settings.load_profile("faults")

    def measure(tests):
        _named[:] = [pair for spec in SPECS.values() for pair in of_spec(spec, count)] + tests
        with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as processes:
            measures = list(processes.map(_measured, range(len(_named)), chunksize=8))
        trials = [Trial(*pair, *measure) for pair, measure in zip(_named, measures, strict=True)]
        work(sorted(trials, key=lambda trial: trial.seconds))

    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # of plugins the trials need none
    return pytest.main([*_PYTEST, *(str(TESTS / name) for name in SUITES)], plugins=[Session(measure)])
