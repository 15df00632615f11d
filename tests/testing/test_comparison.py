"""The cases of benchmarks/checkers.py: gradtest accepts the right VJPs and refuses the wrong ones."""

import importlib.util
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
UNSEEN = {  # by a check of one input, which must be of another shape
    "wrong if both are stretched", "wrong for a bias row", "wrong for a number", "transposed if square",
    "only right for matrices", "wrong for an axis of length 1", "wrong for a number only", "raises for an empty array",
}  # fmt: skip


def load(name):
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CASES = load("checker_cases").CASES
checkers = load("checkers")


def test_there_are_more_than_80_cases():
    assert len({case.name for case in CASES}) == len(CASES) >= 80


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_check_vjp_on_one_input(case):
    assert checkers.accepted(checkers.by_minigrad, case) == (case.good or case.name in UNSEEN)


@pytest.mark.parametrize("case", [c for c in CASES if c.good or c.name in UNSEEN], ids=lambda case: case.name)
def test_gradtest_has_no_miss_and_no_false_alarm(case):
    assert checkers.accepted(checkers.by_gradtest, case) == case.good
