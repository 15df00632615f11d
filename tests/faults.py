"""Fault injection: is a wrong VJP caught? `python tests/faults.py` breaks minigrad's code in every place and counts.

Each fault is one change of the syntax tree of a function of ops/, tape.py or operation.py. It is put
into the running functions (`__code__`) of a forked process, where the specs and the tests then run.
"""

import argparse
import ast
import contextlib
import copy
import functools
import gc
import os
import signal
import sys
import time
import types
import warnings
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from mutations import variants
from specification import at_kink, be_exact, compare, prove, refuse
from specs import SPECS
from survivors import EQUIVALENT

import minigrad

ROOT = Path(minigrad.__file__).parent
TESTS = Path(__file__).parent
FILES = sorted((ROOT / "ops").rglob("[!_]*.py")) + [ROOT / "operation.py", ROOT / "tape.py"]
SUITES = ["ops", "test_operation.py", "test_tape.py", "test_tensor.py", "test_transforms.py", "test_engine.py"]
SURVIVED, KILLED, CRASHED, HUNG, NOT_TAKEN = range(5)
SECONDS = 120  # for one fault
_PYTEST = ["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
_NEAR = 10  # specs asked before the suites


@dataclass(frozen=True)
class Fault:
    """One change: `before` -> `after` in a function. `path` leads to the syntax node from the module's."""

    file: Path
    function: str
    line: int
    before: str
    after: str
    path: tuple
    variant: int
    nth: int

    @property
    def key(self):
        """A name that other lines of the file don't change."""
        repeated = f" ({self.nth})" if self.nth else ""
        return f"{self.file.relative_to(ROOT)} {self.function}{repeated}: {self.before} -> {self.after}"


@functools.cache
def source(file):
    """The text of a file, read once: someone may be at work on it."""
    return file.read_text()


def faults():
    """Every fault, file by file."""
    found = []
    for file in FILES:
        seen = Counter()
        for path, node, function in _sites(ast.parse(source(file))):
            for variant, new in enumerate(variants(node)):
                what = (function, " ".join(ast.unparse(node).split()), " ".join(ast.unparse(new).split()))
                if what[1] != what[2]:
                    found.append(Fault(file, function, node.lineno, *what[1:], path, variant, seen[what]))
                    seen[what] += 1
    return found


def _sites(tree):
    """(path, node, name of the function) of every node that runs when a function does, but messages of errors."""
    pending = [((), tree, "")]
    while pending:
        path, node, function = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            name = _name(node, tree, path)
            function = f"{function}.{name}" if function else name
            fields = ["body"]
        elif isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            fields = []
        elif isinstance(node, (ast.AnnAssign, ast.arguments, ast.JoinedStr)):
            fields = ["value"] if isinstance(node, ast.AnnAssign) else []
        elif isinstance(node, ast.keyword) and node.arg == "strict":  # an assertion: it changes no result
            fields = []
        else:
            fields = [name for name, _ in ast.iter_fields(node)]
        if function and not isinstance(node, (ast.FunctionDef, ast.Lambda)) and hasattr(node, "lineno"):
            yield path, node, function
        for name in fields:
            value = getattr(node, name)
            children = enumerate(value) if isinstance(value, list) else [(None, value)]
            pending += [((*path, (name, i)), child, function) for i, child in children if isinstance(child, ast.AST)]


def _name(node, tree, path):
    """A function's name; that of a VJP tells its op and argument."""
    decorators = [d for d in getattr(node, "decorator_list", ()) if isinstance(d, ast.Call) and "vjp" in ast.unparse(d)]
    if decorators:
        return ast.unparse(decorators[0])
    if isinstance(node, ast.FunctionDef):
        return node.name
    statement = tree.body[path[0][1]]
    target = ast.unparse(statement.targets[0]) if isinstance(statement, ast.Assign) else "lambda"
    keywords = [k.arg for k in ast.walk(statement) if isinstance(k, ast.keyword) and k.value is node]
    return f"{target}.{keywords[0]}" if keywords and keywords[0] else target


def broken(fault):
    """The module's code with the fault in it."""
    tree = ast.parse(source(fault.file))
    parent = node = tree
    for name, i in fault.path:
        parent, node = node, getattr(node, name) if i is None else getattr(node, name)[i]
    new = ast.copy_location(copy.deepcopy(variants(node)[fault.variant]), node)
    name, i = fault.path[-1]
    if i is None:
        setattr(parent, name, new)
    else:
        getattr(parent, name)[i] = new
    return compile(ast.fix_missing_locations(tree), str(fault.file), "exec")


def codes(code):
    """Every code object in a module's, by (name, line, count)."""
    found, count, pending = {}, Counter(), [code]
    while pending:
        code = pending.pop(0)
        place = (code.co_name, code.co_firstlineno)
        found[(*place, count[place])] = code
        count[place] += 1
        pending += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return found


def inject(fault, live):
    """Put the fault into the running functions; whether any took it. `live` comes from `running()`."""
    original = codes(compile(source(fault.file), str(fault.file), "exec"))
    changed = codes(broken(fault))
    taken = False
    for key, old in original.items():
        new = changed.get(key)
        if new is not None and new != old:
            for function in live.get((str(fault.file), old), ()):
                with contextlib.suppress(ValueError):  # another number of closed-over names
                    function.__code__ = new
                    taken = True
    for cached in gc.get_objects():  # what the sound code computed earlier would hide the fault
        if isinstance(cached, functools._lru_cache_wrapper) and cached.__module__.startswith("minigrad."):
            cached.cache_clear()
    return taken


def running():
    """The functions of the files that are alive, by (file, code)."""
    names, found = {str(file) for file in FILES}, {}
    for function in gc.get_objects():
        if isinstance(function, types.FunctionType) and function.__code__.co_filename in names:
            found.setdefault((function.__code__.co_filename, function.__code__), []).append(function)
    return found


def examples(spec, count):
    """A fixed list of calls of a spec, from several seeds: one run of Hypothesis draws much alike."""
    drawn = []
    every = settings(max_examples=-(-count // 4), database=None, phases=[Phase.generate], deadline=None)

    @settings(every, suppress_health_check=list(HealthCheck))
    @given(spec.inputs)
    def draw(call):
        drawn.append(call)

    for i in range(4):
        seed(i)(draw)()
    return drawn


class Proof:
    """What each fault is shown to: the specs whose code it is in, then the suites of the engine."""

    def __init__(self, count):
        self.calls = {name: examples(spec, count) for name, spec in SPECS.items()}
        self.reached = {name: self._reached(name) for name in SPECS}
        self.live = running()

    def _reached(self, name):
        """The (file, function's first line) pairs that a spec runs through."""
        names, found = {str(file) for file in FILES}, set()

        def profile(frame, event, argument):
            if event == "call" and frame.f_code.co_filename in names:
                found.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

        sys.setprofile(profile)
        try:
            for call in self.calls[name][-6:]:
                prove(SPECS[name], call, order=1)
        finally:
            sys.setprofile(None)
        return found

    def order(self, fault):
        """The specs that run the broken function, those that run least else first."""
        lines = {node.lineno for node in _functions_around(fault)}
        near = [n for n, found in self.reached.items() if any((str(fault.file), line) in found for line in lines)]
        return sorted(near or SPECS, key=lambda n: len(self.reached[n]))

    def verdict(self, fault):
        """Run everything against an injected fault (None: against sound code); SURVIVED, KILLED, CRASHED."""
        near = self.order(fault) if fault else list(SPECS)
        try:
            for name in near[:_NEAR]:
                self._prove(SPECS[name])
            for spec in SPECS.values():
                for case in spec.refused:
                    refuse(spec, *case)
            if pytest.main([*_PYTEST, *(str(TESTS / name) for name in SUITES)]) != pytest.ExitCode.OK:
                return KILLED
            for name in near[_NEAR:]:
                self._prove(SPECS[name], 2)
        except (AssertionError, pytest.fail.Exception):
            return KILLED
        except Exception:
            return CRASHED
        return SURVIVED

    def _prove(self, spec, count=None):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for call in self.calls[spec.name][:count]:
                compare(spec, call)
                prove(spec, call)
            for inputs in spec.kinks:
                at_kink(spec, inputs)
            for case in spec.exact:
                be_exact(spec, *case)


def _functions_around(fault):
    """The syntax nodes of the functions that the fault is in (decorated ones begin at the decorator's line)."""
    node, found = ast.parse(source(fault.file)), []
    for name, i in fault.path:
        node = getattr(node, name) if i is None else getattr(node, name)[i]
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            found.append(node.decorator_list[0] if getattr(node, "decorator_list", ()) else node)
    return found


def _child(proof, fault):
    """Judge a fault (None: the sound code) in this forked process, and end it."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (the process ends with it)
    signal.signal(signal.SIGALRM, lambda *_: os._exit(HUNG))
    signal.alarm(SECONDS)
    status = CRASHED
    try:
        status = proof.verdict(fault) if fault is None or inject(fault, proof.live) else NOT_TAKEN
    finally:
        os._exit(status)


def judge(chosen, proof, workers=2, report=lambda fault, status: None):
    """{fault: SURVIVED, KILLED, CRASHED or HUNG}; a fault that no running function can take is left out."""
    waiting, running_now, verdicts = list(chosen)[::-1], {}, {}
    while waiting or running_now:
        while waiting and len(running_now) < workers:
            fault = waiting.pop()
            pid = os.fork()
            if pid == 0:
                _child(proof, fault)
            running_now[pid] = fault
        pid, status = os.wait()
        fault, code = running_now.pop(pid), os.waitstatus_to_exitcode(status)
        if code != NOT_TAKEN:
            verdicts[fault] = code if code in (SURVIVED, KILLED, HUNG) else CRASHED
            report(fault, verdicts[fault])
    return verdicts


def sound(proof):
    """Whether code without a fault passes all that the faults are shown to."""
    pid = os.fork()
    if pid == 0:
        _child(proof, None)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == SURVIVED


def sample(found, count):
    """The same faults every time, whatever else is in the files: those whose names' checksums are the smallest."""
    return sorted(found, key=lambda fault: zlib.crc32(fault.key.encode()))[:count]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, help="only so many faults, always the same")
    parser.add_argument("--file", help="only the files whose name contains this")
    parser.add_argument("--examples", type=int, default=30, help="inputs for each spec")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    start = time.perf_counter()
    found = [fault for fault in faults() if not arguments.file or arguments.file in fault.file.name]
    found = sample(found, arguments.sample) if arguments.sample else found
    proof = Proof(arguments.examples)
    if not sound(proof):
        print("the tests fail without a fault: nothing to learn")
        return 1

    judged = Counter()

    def report(fault, status):
        judged[status] += 1
        if judged.total() % 100 == 0:
            print(f"{judged.total()} of {len(found)}", file=sys.stderr, flush=True)
        if status == SURVIVED:
            print(f"  survived: {fault.file.name}:{fault.line} {fault.key}", flush=True)

    verdicts = judge(found, proof, arguments.workers, report)
    count, equivalent = Counter(verdicts.values()), [f for f, v in verdicts.items() if not v and f.key in EQUIVALENT]
    real = len(verdicts) - len(equivalent)
    print(
        f"injected {len(verdicts)}: killed {count[KILLED]}, crashed {count[CRASHED]}, hung {count[HUNG]}, "
        f"survived {count[SURVIVED]}, of which {len(equivalent)} are argued to be equivalent\n"
        f"caught: {1 - count[SURVIVED] / len(verdicts):.2%} of all, "
        f"{(len(verdicts) - count[SURVIVED]) / real:.2%} of those not equivalent; {time.perf_counter() - start:.0f} s"
    )
    return int(count[SURVIVED] > len(equivalent))


if __name__ == "__main__":
    sys.exit(main())
