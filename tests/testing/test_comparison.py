"""The cases of benchmarks/checkers.py: our checker accepts the good VJPs and refuses the bad ones."""

import runpy
from pathlib import Path

import pytest

checkers = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "checkers.py"))


def test_there_are_25_cases():
    assert len(checkers["CASES"]) == 25
    assert len({case.name for case in checkers["CASES"]}) == 25


@pytest.mark.parametrize("case", checkers["CASES"], ids=lambda case: case.name)
def test_no_miss_and_no_false_alarm(case):
    assert checkers["accepted"](checkers["by_minigrad"], case) == case.good
