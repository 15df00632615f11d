"""`gradtest` and the pytest plugin: a property test in one line, shrunk and told in few words."""

import datetime
import inspect
import math
import re
import sys
import time
import unittest
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, example, reproduce_failure, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import DidNotReproduce
from hypothesis.internal.reflection import function_digest

import minigrad as mg
from minigrad import testing
from minigrad.testing import GradientError, array_strategies, gradtest, property_tests
from minigrad.testing import strategies as s
from minigrad.testing.options import Options
from minigrad_pytest import PROFILES, pytest_configure

pytest_plugins = ["pytester"]

test_tanh = gradtest(s.tensors())(mg.tanh)
test_matmul_of_two_strategies = gradtest(s.tensors((2, 3)), s.tensors((3, 2)))(np.matmul)
test_conv2d_from_calls = gradtest(s.conv2d_inputs(), order=1)(mg.conv2d)
test_numpy_with_a_vjp = gradtest(s.tensors(), vjp=lambda g, out, x: g * np.cos(x))(np.sin)
test_relu_at_its_kink = gradtest(s.shapes().map(np.zeros), kink=True)(mg.relu)


@gradtest(s.broadcastable(2))
def test_a_decorated_function(x, y):
    return np.tanh(x * y) + x


def test_a_slope_that_no_side_of_a_kink_has_is_wrong():
    @mg.op
    def rectified(z):
        return np.maximum(z, 0)

    rectified.vjp("z", lambda g, out, z: 1.5 * g * (z >= 0))
    with pytest.raises(GradientError, match="rectified"):
        gradtest(s.shapes(min_side=1).map(np.zeros), kink=True)(rectified)()


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


def test_a_vjp_that_is_no_function_of_tensors_is_checked_to_the_first_order():
    def vjp(g, y, x):
        return np.array([a * math.cos(b) for a, b in zip(g.tolist(), x.tolist(), strict=True)], x.dtype)

    gradtest(s.tensors(min_dims=1, max_dims=1), vjp=vjp)(np.sin)()


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


@pytest.fixture(autouse=True)
def _the_plugin_alone(monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def run(pytester, *options, examples=20):
    pytester.makepyfile(SUITE.replace("{examples}", str(examples)))
    return pytester.runpytest_subprocess("-p", "minigrad_pytest", "-p", "no:cacheprovider", *options)


def test_a_failure_is_told_in_few_words(pytester):
    result = run(pytester, "--minigrad-profile=ci")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*GradientError: cubed: the gradient of x is WRONG*", "*diagnosis: it is 0.666*"])
    result.stdout.fnmatch_lines(["*x (2,) = *-0.0847,  0.0755*"])
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
    result = pytester.runpytest_subprocess("-p", "minigrad_pytest", "--minigrad-profile=auto")
    result.assert_outcomes(passed=1)


def test_without_the_option_no_setting_changes(pytester, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    run(pytester, "-k", "examples", examples=100).assert_outcomes(passed=1, deselected=1)


def wrong_sine():
    @mg.op
    def sine(x):
        return np.sin(x)

    sine.vjp("x", lambda g, out, x: 2 * g * np.cos(x))
    return sine


def test_each_has_its_own_entry_in_the_database(monkeypatch):
    def digests():
        monkeypatch.setattr(property_tests, "_made", Counter())  # as in a new process
        tests = [gradtest(s.tensors())(fn) for fn in (mg.tanh, mg.sin, mg.sin, wrong_sine(), wrong_sine())]
        tests += [gradtest(s.tensors(), order=1)(mg.tanh), gradtest(s.tensors((2,)))(mg.tanh)]
        tests += [gradtest(s.tensors())(lambda x: x * 2), gradtest(s.tensors())(lambda x: x * 3)]
        return [function_digest(test.hypothesis.inner_test) for test in tests]

    first = digests()
    assert len(set(first)) == len(first)
    assert digests() == first


def test_it_takes_the_decorators_of_a_hypothesis_test():
    """Above: the printed replay too."""
    drawn = []
    arrays = s.tensors((2,)).map(lambda a: drawn.append(a) or a)
    settings(max_examples=3, database=None)(gradtest(arrays, order=1)(mg.tanh))()
    assert len(drawn) == 3
    with pytest.raises(GradientError, match=r"x \(1,\) = \[1.25\]"):
        example(np.array([1.25]))(gradtest(s.tensors((2,)))(wrong_sine()))()
    failing = settings(print_blob=True, database=None)(gradtest(s.tensors((2,)))(wrong_sine()))
    with pytest.raises(GradientError) as error:
        failing()
    version, blob = re.search(r"reproduce_failure\('(.*?)', b'(.*?)'\)", "\n".join(error.value.__notes__)).groups()
    with pytest.raises(GradientError):
        reproduce_failure(version, blob.encode())(gradtest(s.tensors((2,)))(wrong_sine()))()
    with pytest.raises(DidNotReproduce):
        reproduce_failure(version, blob.encode())(gradtest(s.tensors((2,)))(mg.sin))()


def test_it_takes_the_decorators_of_the_function():
    drawn = []

    @gradtest(s.tensors((2,)).map(lambda a: drawn.append(a) or a), order=1)
    @settings(max_examples=3, database=None)
    @seed(1)
    def sine(x):
        return np.sin(x)

    sine()
    first, drawn[:] = [a.tolist() for a in drawn], []
    sine()
    assert len(first) == 3
    assert first == [a.tolist() for a in drawn]


def test_of_two_failures_one_is_raised():
    def vjp(g, out, x):
        return 2 * g * np.cos(x) if x.ndim < 2 else (g * np.cos(x)).astype(np.float32)

    test = gradtest(s.tensors(), vjp=vjp)(np.sin)
    for _ in range(3):
        with pytest.raises(GradientError):
            test()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kink": True, "float32": False}, "float32 is not among its options for a kink: vjp, argnums, name"),
        ({"kink": True, "order": 2}, "order is not"),
        ({"axis": 0}, "axis is not among its options: vjp"),
    ],
)
def test_options_are_named(options, words):
    with pytest.raises(TypeError, match=words):
        gradtest(s.tensors(), **options)


IMPORTS_NOTHING = """
import sys
import time

def pytest_sessionfinish(session):
    assert session.config.pluginmanager.has_plugin("minigrad_pytest")
    assert not {"hypothesis", "minigrad", "numpy"} & set(sys.modules)
"""


def test_a_run_without_the_option_imports_neither_minigrad_nor_numpy(pytester):
    pytester.makeconftest(IMPORTS_NOTHING)
    pytester.makepyfile("def test(): pass")
    result = pytester.runpytest_subprocess("-p", "minigrad_pytest", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)
    assert result.ret == 0


def test_a_profile_without_hypothesis_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(pytest.UsageError, match=r"^--minigrad-profile needs Hypothesis: pip install hypothesis$"):
        pytest_configure(SimpleNamespace(getoption=lambda name: "dev"))


LINES = """
import numpy as np
from minigrad.testing import check_vjp

def test_two_calls():
    x = np.array([0.5])
    check_vjp(np.sin, x)
    check_vjp(np.sin, x, vjp=lambda g, y, x: 0 * g)
"""


def test_the_line_of_the_failing_call_is_told(pytester):
    pytester.makepyfile(LINES)
    result = pytester.runpytest_subprocess("-p", "minigrad_pytest", "-p", "no:cacheprovider")
    result.stdout.fnmatch_lines(["*told.py:7: check_vjp(np.sin, x, vjp=lambda g, y, x: 0 * g)"])
    result.stdout.no_fnmatch_line("*checks.py*")


@pytest.mark.parametrize("name", ["strategies", "gradtest"])
def test_without_hypothesis_it_says_what_to_install(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    for module in ("strategies", "property_tests"):
        monkeypatch.delitem(sys.modules, f"minigrad.testing.{module}", raising=False)
    with pytest.raises(ModuleNotFoundError, match=f"^{name} draws with Hypothesis: pip install hypothesis$"):
        testing.__getattr__(name)


def test_another_module_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "minigrad.testing.strategies", None)
    with pytest.raises(ModuleNotFoundError, match=r"^import of minigrad\.testing\.strategies"):
        testing.__getattr__("strategies")


@pytest.mark.parametrize("strategies", [(mg.tanh,), (np.sin,), ([1.0],), (s.tensors(), 3)])
def test_what_is_no_strategy_is_refused(strategies):
    with pytest.raises(TypeError, match=r"gradtest: .* is no strategy"):
        gradtest(*strategies)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"argnums": "x"}, "argnums"), ({"argnums": -1}, "argnums"), ({"argnums": ()}, "argnums"),
        ({"order": 0}, "order"), ({"order": 1.5}, "order"), ({"order": True}, "order"), ({"seed": -1}, "seed"),
        ({"seed": None}, "seed"), ({"rtol": "small"}, "rtol"), ({"rtol": -1.0}, "rtol"),
        ({"atol": {"x": None}}, "atol"),
    ],
)  # fmt: skip
def test_bad_options_are_refused_at_once(options, words):
    with pytest.raises((TypeError, ValueError), match=f"gradtest: {words} must be"):
        gradtest(s.tensors(), **options)


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match="decorate a function"):
        gradtest(s.tensors())(3)


def test_settings_above_keep_what_it_needs():
    """Two kinds of failure, and checks that take longer than Hypothesis's deadline."""

    def vjp(g, out, x):
        time.sleep(0.05)
        return 2 * g * np.cos(x) if x.ndim < 2 else (g * np.cos(x)).astype(np.float32)

    test = settings(max_examples=20, database=None)(gradtest(s.tensors(), vjp=vjp)(np.sin))
    with pytest.raises(GradientError):
        test()


def test_a_vjp_that_is_wrong_only_sometimes():
    calls = Counter()

    def vjp(g, out, x):
        calls[""] += 1
        return g * np.cos(x) * (2 if calls[""] // 10 == 20 else 1)

    with pytest.raises(GradientError, match="failed once and passed when it was repeated") as error:
        settings(max_examples=20, database=None)(gradtest(s.tensors((3,)), vjp=vjp)(np.sin))()
    assert error.value.kind == "not deterministic"


def test_the_second_derivative_is_checked_by_default():
    @mg.op
    def cubed(x):
        return x**3

    cubed.vjp("x", lambda g, out, x: g * 3 * np.square(x if isinstance(x, np.ndarray) else x.detach()))
    with pytest.raises(GradientError, match="second derivative of cubed"):
        gradtest(s.tensors(min_side=1))(cubed)()


@pytest.fixture
def proved(monkeypatch):
    """What is proved, in place of the checks: the arguments, what follows, and the number of the round."""
    seen = []

    def prove(function, *rest):
        seen.append((function.arguments(function.x)[0], rest, array_strategies.ROUND.get()))
        if getattr(function.fn, "is_wrong", lambda *_: False)(*seen[-1][0]):
            raise GradientError("wrong", function, None, "is wrong")

    monkeypatch.setattr(property_tests, "prove", prove)
    monkeypatch.setattr(property_tests, "prove_subgradient", prove)
    return seen


def run_once(test):
    settings(max_examples=1, database=None)(test)()


@pytest.mark.parametrize(
    ("strategies", "arguments"),
    [
        ([1.0], [1.0]), ([1.0, 2.0], [1.0, 2.0]), ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), ([(1.0, 2.0)], [1.0, 2.0]),
        ([s.Call((1.0,), {})], [1.0]), ([[1.0, 2.0]], [[1.0, 2.0]]),
    ],
)  # fmt: skip
def test_strategies_of_arguments_of_tuples_and_of_calls(strategies, arguments, proved):
    run_once(gradtest(*map(st.just, strategies), argnums=0)(lambda *inputs: sum(inputs)))
    ((found, _, _),) = proved
    assert [np.asarray(a).tolist() for a in found] == arguments


def test_the_options_are_those_of_check_grads(proved):
    def vjp(g, out, x):
        return g

    def given(**options):
        proved.clear()
        run_once(gradtest(st.just(1.0), **options)(abs))  # it has no attributes
        return proved[0][1]

    assert given() == (Options(order=2),)
    assert given(vjp=vjp) == (Options(),)
    assert given(vjp=vjp, order=3) == (Options(order=3),)
    assert given(vjp=None, order=1, argnums=None) == (Options(),)
    assert given(
        seed=3, rtol=0, atol={"x": 0.5}, float32=False, layouts=False, nondet_tol=0.25, exact=False, argnums=(0,)
    ) == (Options(0, {"x": 0.5}, 3, False, False, 0.25, 2, False),)
    assert given(kink=True, seed=4) == (4,)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rtol": {"x": -1.0}}, "rtol"), ({"argnums": (0, "x")}, "argnums"), ({"argnums": (0, -1)}, "argnums"),
        ({"nondet_tol": -0.5}, "nondet_tol"), ({"argnums": [0]}, "argnums"), ({"argnums": True}, "argnums"),
    ],
)  # fmt: skip
def test_more_bad_options_are_refused_at_once(options, words):
    with pytest.raises((TypeError, ValueError), match=f"gradtest: {words} must be"):
        gradtest(st.just(1.0), **options)


def test_what_is_no_strategy_is_named():
    for given, name in ((mg.tanh, "tanh"), ([1.0], r"\[1.0\]"), (np.sin, "sin")):
        with pytest.raises(TypeError, match=f"^gradtest: {name} is no strategy"):
            gradtest(given)


def test_an_entry_in_the_database_names_module_function_and_options():
    def digest(test):
        return vars(test.hypothesis.inner_test)["_hypothesis_internal_add_digest"].decode()

    class Scaled:
        def __call__(self, x):
            return 2 * x

    assert digest(gradtest(st.just(1.0))(np.tanh)).startswith(f"{__name__} tanh just(1.0) False 2 []")
    assert "Scaled just(1.0) False 1 ['order']" in digest(gradtest(st.just(1.0), order=1)(Scaled()))


@pytest.mark.parametrize(("examples", "rounds"), [(1, 1), (15, 1), (16, 8), (17, 8), (30, 8)])
def test_the_examples_are_shared_by_rounds_of_which_each_has_two_or_more(examples, rounds, proved):
    without_a_skip(settings(max_examples=examples, database=None)(gradtest(st.floats(0, 1))(np.sin)))
    counts = Counter(number for *_, number in proved)
    assert sum(counts.values()) == examples
    assert list(counts) == list(range(rounds))
    assert max(counts.values()) - min(counts.values()) <= 1
    assert array_strategies.ROUND.get() == 0


def without_a_skip(test):
    try:
        test()
    except unittest.SkipTest as skip:  # which pytest does not call a failure
        pytest.fail(f"skipped: {skip}")


@pytest.mark.parametrize("phases", [[Phase.explicit], [Phase.explicit, Phase.shrink]])
def test_examples_above_may_be_all_that_runs(phases, proved):
    test = settings(max_examples=200, phases=phases, database=None)(gradtest(st.floats(0, 1))(np.sin))
    without_a_skip(example(0.25)(example(0.625)(test)))
    assert sorted(float(x) for (x,), *_ in proved) == [0.25, 0.625]
    with pytest.raises(unittest.SkipTest, match="no test cases"):
        settings(phases=[Phase.explicit], database=None)(gradtest(st.floats(0, 1))(np.sin))()


def test_an_example_above_runs_once_and_a_seed_is_kept(proved):
    def draw(*decorators):
        proved.clear()
        test = settings(max_examples=24, database=None, derandomize=False)(gradtest(st.floats(0, 1))(np.sin))
        for decorator in decorators:
            test = decorator(test)
        test()
        return [[float(a) for (a,), _, number in proved if number == i] for i in range(8)]

    first = draw(example(0.625), seed(1))
    assert [values.count(0.625) for values in first] == [1] + [0] * 7
    assert draw(example(0.625), seed(1)) == first
    assert len({tuple(values[-2:]) for values in first}) == 8  # no round draws what another has drawn
    for free, again in zip(draw(), draw(), strict=True):
        assert free != again


def test_a_failure_of_any_round_is_replayed(proved):
    def fn(x):
        return x

    def test(**options):
        return settings(max_examples=200, database=None, **options)(gradtest(st.floats(0, 1))(fn))

    fn.is_wrong = lambda x: array_strategies.ROUND.get() == 5 and x > 0.25
    with pytest.raises(GradientError) as error:
        test(print_blob=True)()
    version, blob = re.search(r"reproduce_failure\('(.*?)', b'(.*?)'\)", "\n".join(error.value.__notes__)).groups()
    with pytest.raises(GradientError):
        reproduce_failure(version, blob.encode())(test())()
    fn.is_wrong = lambda x: False
    with pytest.raises(DidNotReproduce):
        reproduce_failure(version, blob.encode())(test())()


@pytest.fixture
def _default_profile():
    """Hypothesis's own settings, whatever profile is in force."""
    before = settings.get_current_profile_name()
    settings.load_profile("default")
    yield
    settings.load_profile(before)


@pytest.mark.usefixtures("_default_profile")
def test_settings_that_are_kept_and_those_that_it_needs():
    def kept(**chosen):
        return property_tests._kept_settings(settings(**chosen))

    plain = kept()
    assert plain.deadline is None
    assert plain.report_multiple_bugs is False
    assert Phase.explain not in plain.phases
    assert {Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink} <= {*plain.phases}
    assert {HealthCheck.too_slow, HealthCheck.data_too_large} <= {*plain.suppress_health_check}
    assert kept(deadline=50).deadline == datetime.timedelta(milliseconds=50)
    phases = (Phase.generate, Phase.shrink, Phase.explain)
    assert set(kept(phases=phases).phases) == set(phases)
    assert (
        HealthCheck.filter_too_much in kept(suppress_health_check=[HealthCheck.filter_too_much]).suppress_health_check
    )
    assert kept(max_examples=7).max_examples == 7


def test_it_is_a_test_without_arguments():
    def scaled(x, y):
        """Say what it does."""

    test = gradtest(st.just(1.0))(scaled)
    assert (test.__name__, test.__doc__, test.__module__) == ("scaled", "Say what it does.", __name__)
    assert not inspect.signature(test).parameters
    assert not inspect.signature(test.hypothesis.inner_test).parameters.keys() & {"x", "y"}
