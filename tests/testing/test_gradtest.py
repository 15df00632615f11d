"""`gradtest` and the pytest plugin: a property test in one line, shrunk and told in few words."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import GradientError, gradtest
from minigrad.testing import strategies as s
from minigrad.testing.plugin import PROFILES

pytest_plugins = ["pytester"]

test_tanh = gradtest(s.tensors())(mg.tanh)
test_matmul_of_two_strategies = gradtest(s.tensors((2, 3)), s.tensors((3, 2)))(np.matmul)
test_conv2d_from_calls = gradtest(s.conv2d_inputs(), order=1)(mg.conv2d)
test_numpy_with_a_vjp = gradtest(s.tensors(), vjp=lambda g, out, x: g * np.cos(x))(np.sin)
test_relu_at_its_kink = gradtest(s.shapes().map(np.zeros), kink=True)(mg.relu)


@gradtest(s.broadcastable(2))
def test_a_decorated_function(x, y):
    return np.tanh(x * y) + x


def test_the_smallest_input_is_reported():
    @mg.op
    def cubed(x):
        return x**3

    @cubed.vjp("x")
    def _(g, out, x):
        return g * 3 * np.square(x) * np.where(x > 0, 2, 1)

    with pytest.raises(GradientError) as error:
        gradtest(s.tensors())(cubed)()
    assert error.value.op == "cubed"
    assert error.value.index == ()


def test_the_function_stays_within_reach():
    assert test_tanh.fn is mg.tanh
    assert test_a_decorated_function.fn(1.0, 2.0) == np.tanh(2.0) + 1
    assert test_tanh.__name__ == "tanh"


def test_a_strategy_is_needed():
    with pytest.raises(TypeError, match="needs a strategy"):
        gradtest()


SUITE = """
import numpy as np
import minigrad as mg
from hypothesis import settings
from minigrad.testing import gradtest, strategies as s

@mg.op
def cubed(x):
    return x**3

@cubed.vjp("x")
def _(g, out, x):
    return g * 2 * np.square(x)

test_cubed = gradtest(s.tensors((2,)))(cubed)

def test_examples():
    assert settings().max_examples == {examples}
"""


def run(pytester, *options, examples=20):
    pytester.makepyfile(SUITE.replace("{examples}", str(examples)))
    return pytester.runpytest_subprocess("-p", "minigrad.testing.plugin", "-p", "no:cacheprovider", *options)


def test_a_failure_is_told_in_few_words(pytester):
    result = run(pytester, "--minigrad-profile=ci")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*GradientError: cubed: the gradient of x is WRONG*", "*diagnosis: it is 0.666*"])
    result.stdout.fnmatch_lines(["*x (2,) = *-0.0625,  0.0625*"])
    result.stdout.no_fnmatch_line("*checks.py*")
    result.stdout.fnmatch_lines(["*reproduce_failure*"])


@pytest.mark.parametrize("profile", PROFILES)
def test_profiles(pytester, profile):
    result = run(
        pytester, f"--minigrad-profile={profile}", "-k", "examples", examples=PROFILES[profile]["max_examples"]
    )
    result.assert_outcomes(passed=1, deselected=1)


@pytest.mark.parametrize("ci", [True, False])
def test_auto(pytester, monkeypatch, ci):
    if ci:
        monkeypatch.setenv("CI", "1")
    else:
        monkeypatch.delenv("CI", raising=False)
    pytester.makepyfile(f"from hypothesis import settings\ndef test(): assert settings().derandomize == {ci}")
    result = pytester.runpytest_subprocess("-p", "minigrad.testing.plugin", "--minigrad-profile=auto")
    result.assert_outcomes(passed=1)


def test_without_the_option_no_setting_changes(pytester, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    run(pytester, "-k", "examples", examples=100).assert_outcomes(passed=1, deselected=1)
