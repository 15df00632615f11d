"""The injector finds every kind of function, breaks what runs, and reads the comments on faults that may survive."""

import datetime
import os
import textwrap
from pathlib import Path

import pytest
from faults import equivalence, injection
from faults.judge import sample
from faults.trials import measured

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="faults are injected into forked processes")


@pytest.fixture(scope="module")
def found():
    return injection.faults()


def test_every_module_has_its_faults(found):
    modules = {str(path.relative_to(injection.ROOT)) for path in injection.ROOT.rglob("*.py")}
    without = modules - {str(fault.file.relative_to(injection.ROOT)) for fault in found}
    aliases = {name for name in without if name.startswith("compat")}
    assert {Path(name).name for name in without - aliases} <= {
        "__init__.py",
        "catalogue.py",
        "typing.py",
        "foreign_tables.py",
    }  # they do nothing


def test_the_samples_of_successive_days_hold_every_fault_once(found):
    few, start = found[:195], datetime.date(2026, 11, 27)
    samples = [sample(few, 10, start + datetime.timedelta(days=i)) for i in range(20)]
    assert all(9 <= len(chosen) <= 10 for chosen in samples)
    assert sorted(fault.key for chosen in samples for fault in chosen) == sorted(fault.key for fault in few)
    assert sample(few, 10) == sample(few[::-1], 10)
    assert sample(few, 10, seed=1) == sample(few[::-1], 10, seed=1) != sample(few, 10, seed=2)
    assert len({fault.key for fault in sample(few, 300, seed=1)}) == 195


def test_the_lines_that_a_run_reaches_are_noted():
    def run():
        for i in range(3):
            if i == 5:
                raise AssertionError
        return [2 * i for i in range(2)]

    first = run.__code__.co_firstlineno
    wanted = {__file__: set(range(first - 5, first + 10)), "another": {first}}
    assert measured(run, wanted)[1] == {__file__: {first + 1, first + 2, first + 4}}
    assert measured(run, {"another": {first}})[1] == {}


def test_every_fault_has_a_name_of_its_own(found):
    assert len({fault.key for fault in found}) == len(found)


def test_every_argument_of_equivalence_is_about_a_fault(found):
    """A comment that refactoring has left behind, or that never said anything, is named here."""
    written = {(a, change) for file in injection.FILES for a in equivalence.arguments(file) for change in a.changes}
    answered = {pair for fault in found for pair in fault.arguments}
    assert {f"{argument.file}:{argument.line} {change}" for argument, change in written - answered} == set()


@pytest.mark.parametrize(
    ("code", "before", "after", "answered"),
    [
        ("a = max(x, 1)  # equivalent: 1 -> 2 because it says so", "1", "2", True),
        ("a = max(x, 1)  # equivalent: 1 -> 2 because it says so", "1", "0", False),
        ("# equivalent: 1 -> any number because\n# it says so\na = max(x, 1)", "1", "0", True),
        ("# equivalent: 1 -> 2 because it says so\nb = 0\na = max(x, 1)", "1", "2", False),
        ("a = max(x, 1) + 1  # equivalent: 1 -> 2 because it says so", "1", "2", False),  # which of them?
        ("a = max(x, 1) + 1  # equivalent: x, 1 -> x, 2 because it says so", "1", "2", True),
        ("a = x - y  # equivalent: without - y because it says so", "x - y", "x", True),
        ("a = x - y  # equivalent: without - y because it says so", "x - y", "y", False),
        ("a = x - y  # equivalent: any change because it says so", "x - y", "y", True),
        (
            "return x - y  # equivalent: any factor because it says so",
            "return x - y",
            "return (x - y) * 1.000001",
            True,
        ),
        ("return x - y  # equivalent: any factor because it says so", "x - y", "x + y", False),
        ("if x and y:  # equivalent: without and y because it says so\n    a = 1", "x and y", "x", True),
        ("if x and y:  # equivalent: without and y because it says so\n    a = 1", "1", "2", False),
    ],
)
def test_an_argument_is_about_its_statement_and_its_change_alone(code, before, after, answered, tmp_path):
    file = tmp_path / "module.py"
    file.write_text("def f(x, y):\n" + textwrap.indent(code, "    "))
    faults = [f for f in injection.faults_of(file) if (f.before, f.after) == (before, after)]
    assert faults
    assert any(fault.arguments for fault in faults) == answered


@pytest.mark.parametrize("above", ["", "@cached\n"])
def test_an_argument_above_a_function_is_about_all_of_it(above, tmp_path):
    file = tmp_path / "module.py"
    comment = "# equivalent: any change because it says so\n"
    file.write_text(f"{comment}{above}def f(x):\n    if x:\n        return x - 1\n\n\ndef h(x):\n    return x - 1\n")
    answered = {fault.function: bool(fault.arguments) for fault in injection.faults_of(file)}
    assert answered == {"f": True, "h": False}


def test_an_argument_without_a_reason_is_refused(tmp_path):
    file = tmp_path / "module.py"
    file.write_text("a = 1  # equivalent: 1 -> 2\n")
    with pytest.raises(ValueError, match=r"module.py:1: write `# equivalent: CHANGE because REASON`, not '1 -> 2'"):
        equivalence.arguments(file)


def test_vjps_kernels_and_the_engine_have_faults(found):
    """Each kind of function is found: a row of a table, a VJP, the sweep, what it calls, and the call of an op."""
    broken = {fault.function for fault in found}
    for function in ("tanh.x", "conv2d.vjp('x')", "softmax.vjp('z')", "sweep", "fitted", "__call__", "grad"):
        assert any(name == function or name.endswith(f".{function}") for name in broken), function


def test_a_fault_changes_the_running_function(found):
    (fault,) = [f for f in found if f.key == "ops/arithmetic.py tanh.x: 1 - a * a -> 1 + a * a"]
    child = os.fork()
    if child == 0:
        taken = injection.Live().take(fault)
        value = injection.minigrad.tanh.vjps[0](1.0, 0.5, 0.0)
        os._exit(0 if taken and value == 1.25 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
