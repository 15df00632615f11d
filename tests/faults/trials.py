"""What a fault is shown to: the calls of the specs, and the tests of the engine, each with its time and its lines.

A fault can only fail a trial that runs its line, so it is shown to those alone, the quickest first.
"""

import multiprocessing
import os
import sys
import threading
import time
import warnings
from _thread import start_new_thread
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from faults.injection import ROOT, Live
from hypothesis import HealthCheck, Phase, given, seed, settings
from support.specification import SPECS, at_kink, be_exact, compare, prove, refuse

from minigrad import threads

TESTS = Path(__file__).parents[1]
NO_TRIALS = [  # they run other processes, which a fault doesn't reach, or read code instead of running it
    "faults", "fuzz", "examples", "typed", "derivation/test_document.py", "ops/test_precision.py",
    *("test_benchmarks.py", "test_contributing.py", "test_layers.py", "test_order.py", "test_readme.py"),
    "test_training_page.py", "viz/test_browser.py", "viz/test_explorer.py",
]  # fmt: skip
LEAVES = {  # tests of parts that no other part uses: trials of these parts' own faults alone, but for some files
    "viz": ["viz/test_names.py", "viz/test_debug.py"],
    **{part: [] for part in ("testing", "data", "distributed", "onnx", "serialization", "threads")},
}
SLOW = [  # they repeat what others try once, need Hypothesis to shrink, or a browser
    "uniform_error", "kinds_of_broadcast", "another_library", "doubled_entry", "long_chain", "thousand_nodes",
    "time_that_grows", "pool_changes", "training_does_not", "strategies.axes", "what_they_say[strategies]", "shrink",
    "pytorch", "loads_itself_again",
]  # fmt: skip
_PYTEST = ["-o", "addopts=", "--import-mode=importlib", "--assert=plain", "--capture=no"]
_PYTEST += ["-p", "no:cacheprovider", "-p", "no:terminal"]
_PYTEST += [f"--ignore={TESTS / name}" for name in NO_TRIALS]
_SPECS = ["TestSpecs", "by_a_spec", "has_a_spec"]  # they are trials themselves
LIVE = Live()


def _started(function, arguments):
    """Start a thread of minigrad's pool; `threading.settrace` does not reach it by itself."""
    return start_new_thread(lambda: (sys.settrace(threading.gettrace()), function(*arguments)), ())


threads.start_new_thread = _started
_LOTS = (slice(0, 1), slice(1, 4), slice(4, 12), slice(12, None))  # the first calls of a spec find most


@dataclass(frozen=True)
class Trial:
    """Something that passes on sound code: `run()` raises where it doesn't."""

    name: str
    run: Callable
    seconds: float  # of processor time
    lines: dict  # of each file those that it runs and that have a fault

    def runs(self, fault):
        """Whether it runs a line of the fault's statement."""
        return not self.lines.get(str(fault.file), frozenset()).isdisjoint(fault.lines)

    def is_near(self, fault):
        """Whether it stands in the tests of the fault's own part. The specs and all tests do for the ops."""
        first, *rest = fault.file.relative_to(ROOT).with_suffix("").parts
        own = f"tests/{first}/" if rest else f"tests/test_{first.strip('_')}.py"
        return first == "ops" or self.name.startswith(own)


class Lines:
    """A trace function that notes which of the wanted lines are run, and traces no function after its last one."""

    def __init__(self, wanted):
        self._missing = {file: set(lines) for file, lines in wanted.items()}
        self._wanted, self._of = wanted, {}

    def __call__(self, frame, event, argument):
        return self._line if frame.f_code.co_filename in self._missing and self._own(frame.f_code) else None

    def _own(self, code):
        """The wanted lines of a code that are still missing."""
        if id(code) not in self._of:  # its function is kept, and so the code's id is its own
            lines = (line for *_, line in code.co_lines())
            self._of[id(code)] = self._missing[code.co_filename].intersection(lines)
        return self._of[id(code)]

    def _line(self, frame, event, argument):
        own = self._own(frame.f_code)
        if frame.f_lineno in own:
            own.discard(frame.f_lineno)
            self._missing[frame.f_code.co_filename].discard(frame.f_lineno)
        frame.f_trace_lines = bool(own)
        return self._line

    def found(self):
        """The lines of each file that were run."""
        runs = {file: frozenset(lines - self._missing[file]) for file, lines in self._wanted.items()}
        return {file: lines for file, lines in runs.items() if lines}


def measured(run, wanted):
    """(seconds, lines) of a run: which of the wanted lines of each file it runs."""
    lines = Lines(wanted)
    LIVE.forget()
    start = time.process_time()
    before = sys.gettrace(), threading.gettrace()  # of a coverage tool
    threading.settrace(lines)
    sys.settrace(lines)
    try:
        run()
    finally:
        sys.settrace(before[0])
        threading.settrace(before[1])
    return time.process_time() - start, lines.found()


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
        items = [item for item in session.items if not any(part in item.nodeid for part in _SPECS + SLOW)]
        self.work([(item.nodeid, partial(self._run, item)) for item in items])
        return True

    def pytest_exception_interact(self, call):
        self.error = call.excinfo.value

    def _run(self, item):
        self.error, item.repr_failure = None, repr  # nobody reads the text of a traceback, which takes long
        item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
        if self.error is not None:
            raise self.error


_named: list[tuple] = []  # (name, run) pairs, inherited by the processes that measure
_wanted: dict[str, set] = {}  # the lines of each file that have a fault, too


def _measured(i):
    name, run = _named[i]
    try:
        return measured(run, _wanted)
    except (Exception, pytest.fail.Exception) as error:
        raise RuntimeError(f"{name} fails on sound code: {error!r}") from error


def _tests(faults):
    """The files and folders of tests that may catch one of the faults."""
    parts, found = {fault.file.relative_to(ROOT).parts[0].removesuffix(".py") for fault in faults}, []
    for path in sorted(TESTS.iterdir()):
        part = path.stem.removeprefix("test_")
        if part in LEAVES and part not in parts:
            found += LEAVES[part]
        elif (path.is_dir() and path.name[0] not in "._") or path.match("test_*.py"):
            found.append(path.name)
    return [name for name in found if name not in NO_TRIALS]


def with_trials(work, faults, count, workers, tests=()):
    """Call `work` with the trials that run a line of the faults, quickest first; pytest's exit code.

    `count` is the number of inputs for each spec or property. With `tests` only these files or folders are trials, and
    the specs in them.
    """
    phases = [Phase.explicit, Phase.generate]
    fixed = settings(max_examples=count, derandomize=True, database=None, deadline=None, phases=phases)
    settings.register_profile("faults", fixed)
    settings.load_profile("faults")
    for fault in faults:
        _wanted.setdefault(str(fault.file), set()).update(fault.lines)

    def measure(found):
        _named[:] = [pair for spec in SPECS.values() for pair in of_spec(spec, count)] + found
        with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as processes:
            measures = list(processes.map(_measured, range(len(_named)), chunksize=8))
        trials = [Trial(*pair, *measure) for pair, measure in zip(_named, measures, strict=True) if measure[1]]
        work(sorted(trials, key=lambda trial: trial.seconds))

    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # of plugins the trials need none
    chosen = [str(TESTS / name) for name in tests or _tests(faults)]
    return pytest.main([*_PYTEST, *chosen], plugins=[Session(measure)])
