"""VJPs that are wrong at 0, 1, -1 or equal entries alone are found; kinks, poles and other ranges are left alone."""

import numpy as np
import pytest
from hypothesis import Phase, settings

import minigrad as mg
from minigrad.testing import GradientError, check_grads, check_vjp, exact_points, gradtest
from minigrad.testing import strategies as s

x = np.random.default_rng(0).permutation(np.linspace(-1.57, 1.73, 12)).reshape(3, 4)
y = 0.9 * x[::-1]
exponents = np.array([1, 2, 3, 4])
several, pairs = s.tensors(min_dims=1, min_side=2), s.broadcastable(2)
with_base = s.broadcastable(2, domain=[(0.25, 2), (-2, 2)])
with_logarithm = s.broadcastable(2, domain=[(-2, 2), (0.25, 2)])


def summed(v, a):
    """Undo a broadcast."""
    v = v.sum(tuple(range(v.ndim - a.ndim)))
    return v.sum(tuple(i for i, n in enumerate(a.shape) if n == 1), keepdims=True)


def slopes(first, second):
    """The VJP of a function of two arrays whose slopes are first(out, a, b) and second(out, a, b)."""
    return lambda g, out, a, b: (summed(g * first(out, a, b), a), summed(g * second(out, a, b), b))


def quotient(function):
    """function(x) / x, which tends to 1."""
    return lambda x: np.where(x == 0, 1, function(x) / np.where(x == 0, 1, x))


def in_base(out, a, p):
    return p * a ** (p - 1)


def in_exponent(out, a, p):
    return out * np.log(a)


def except_where(condition, value, slope):
    """The slope with a wrong value where the condition is true."""
    return lambda *arguments: np.where(condition(*arguments), value, slope(*arguments))


WRONG = {
    "x|x|": (lambda x: x * np.abs(x), lambda g, y, x: g * np.where(x == 0, 1, 2 * np.abs(x)), several),
    "x**3": (lambda x: x**3, lambda g, y, x: 3 * g * y / x, several),
    "|x|**1.5": (lambda x: np.abs(x) ** 1.5, lambda g, y, x: 1.5 * g * y / x, several),
    "an output of 0": (np.sin, lambda g, y, x: g * np.where(y == 0, 0, np.cos(x)), several),
    "a sign": (lambda x: x + x**3, lambda g, y, x: g * (np.sign(x) ** 2 + 3 * x * x), several),
    "at 1": (np.square, lambda g, y, x: g * np.where(x == 1, 1, 2 * x), several),
    "at -1": (np.square, lambda g, y, x: g * np.where(x == -1, 1, 2 * x), several),
    "sinc": (quotient(np.sin), lambda g, y, x: g * (np.cos(x) - y) / x, several),
    "expm1": (quotient(np.expm1), lambda g, y, x: np.nan_to_num(g * (np.exp(x) - y) / x), several),
    "prod": (np.prod, lambda g, y, x: g * y / x, several),
    "base 0": (lambda x: x**exponents, lambda g, y, x: g * exponents * y / x, s.tensors((2, 4))),
    "xlogy": (lambda a, b: a * np.log(b), slopes(lambda o, a, b: o / a, lambda o, a, b: a / b), with_logarithm),
    "exponent 0": (
        np.power,
        slopes(in_base, except_where(lambda o, a, p: p == 0, 0, in_exponent)),
        with_base,
    ),
    "exponent 1": (np.power, slopes(except_where(lambda o, a, p: p == 1, 0, in_base), in_exponent), with_base),
    "base 1": (np.power, slopes(in_base, except_where(lambda o, a, p: a == 1, 1, in_exponent)), with_base),
    "equal factors": (
        np.multiply,
        slopes(except_where(lambda o, a, b: a == b, 0, lambda o, a, b: b), lambda o, a, b: a),
        pairs,
    ),
    "logaddexp": (
        np.logaddexp,
        slopes(except_where(lambda o, a, b: a == b, 1, lambda o, a, b: np.exp(a - o)), lambda o, a, b: np.exp(b - o)),
        pairs,
    ),
    "hypot": (
        np.hypot,
        slopes(lambda o, a, b: a / o, except_where(lambda o, a, b: a == 0, 0, lambda o, a, b: b / o)),
        pairs,
    ),
}
few = settings(max_examples=20, database=None, phases=[Phase.generate])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_at_exact_values_alone_is_found(name):
    fn, vjp, inputs = WRONG[name]
    with pytest.raises(GradientError) as error:
        few(gradtest(inputs, vjp=vjp)(lambda *x: fn(*x)))()
    assert error.value.kind == "wrong"
    assert "at 0, 1, -1 or equal entries" in str(error.value)


def of_odd_square(at_zero):
    return lambda g, y, x: g * np.where(x == 0, at_zero, 2 * np.abs(x))


def test_the_report_shows_the_entry():
    for wrong in (1.0, 1e-1, np.nan):
        with pytest.raises(GradientError, match="exact=False") as error:
            check_vjp(lambda x: x * np.abs(x), x, vjp=of_odd_square(wrong), float32=False)
        g = float(str(error.value).split("analytic ")[1].split("\n")[0])
        assert (error.value.kind, error.value.argument, len(error.value.index)) == ("wrong", "x", 2)
        assert abs(error.value.numeric) < 1e-3
        np.testing.assert_allclose(error.value.analytic, g)
    check_vjp(lambda x: x * np.abs(x), x, vjp=of_odd_square(1.0), exact=False)
    check_vjp(lambda x: x * np.abs(x), x, vjp=of_odd_square(0.0))


def test_a_second_derivative_is_checked_there():
    @mg.op
    def cube(x):
        return x**3

    cube.vjp("x", lambda g, y, x: 3 * g * np.square(x) * (1 + 0 * np.sqrt(np.abs(x))))
    for seed in range(5):
        check_vjp(cube, x, seed=seed)
    with pytest.raises(GradientError, match="second derivative of cube"):
        check_grads(cube, x, float32=False)


RIGHT = {
    "relu": (mg.relu, x),
    "abs": (np.abs, x),
    "max": (lambda x: np.max(x, axis=0), x),
    "maximum": (np.maximum, x, y),
    "sort": (lambda x: np.sort(x, axis=None), x),
    "median": (np.median, x),
    "clip": (np.clip, x, 0.8 * y, y + 0.1),
    "log": (np.log, x + 1.8),
    "reciprocal": (np.reciprocal, x),
    "sqrt of |x|": (lambda x: np.sqrt(np.abs(x)), x),
    "x log |x|": (lambda x: x * np.log(np.abs(x)), x),
    "norm": (lambda x: np.linalg.norm(x, axis=0), x),
    "singular values": (np.linalg.svdvals, x),
    "a refusal": (lambda x: x / (1 if np.all(x) else {}), x),
    "another shape": (lambda x: np.sum(x * x, keepdims=bool(np.all(x != 0))), x),
    "complex": (np.sqrt, x + 1j * y),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", RIGHT)
def test_kinks_poles_and_refusals_are_left_alone(name):
    fn, *inputs = RIGHT[name]
    for seed in range(6):
        check_grads(fn, *inputs, seed=seed, float32=False, layouts=False)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_gradient_of_nan_at_a_kink_is_left_alone():
    for seed in range(6):
        check_vjp(np.abs, x, vjp=lambda g, y, x: g * x / np.abs(x), seed=seed)


def test_values_stay_in_the_range_of_their_input():
    low, seen = np.linspace(0.3, 0.9, 8), []
    for values in ([0.0, 1.0, -1.0, 0.5], [0.5], [1.0]):
        for seed in range(4):
            moved = exact_points._moved(low, np.array(values), np.random.default_rng(seed))
            seen.extend(moved)
            assert np.sum(moved != low) == (values == [0.5]) * 4 + (0.5 in values[1:])
    assert set(seen) <= {*low, 0.5}
    moved = exact_points._moved(x, np.array([0.0, 1.0, -1.0, 0.5]), np.random.default_rng(0))
    assert sorted(set(moved.ravel()) - set(x.ravel())) == [-1, 0, 0.5, 1]


def test_an_input_of_one_entry_stays():
    check_vjp(lambda x: x * np.abs(x), np.array(0.5), vjp=of_odd_square(1.0))
    check_vjp(lambda x: x * np.abs(x), np.array([]), vjp=of_odd_square(1.0))
