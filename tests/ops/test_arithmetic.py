"""Elementwise arithmetic: value and derivatives by specs, conventions and extremes one by one."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support.gradients import leaf, second, slopes
from support.naive import scalar
from support.specification import Specs, called

import minigrad as mg
from minigrad.ops import exponentials
from minigrad.ops.arithmetic import selected
from minigrad.testing import strategies as s
from minigrad.testing.strategies import Call

specs = Specs()
spec = specs.add
tensors, apart, two = s.tensors, s.tensors(gap=True), s.broadcastable(2)
SCALES = (1, 10, 1e3, 1e-3)
KINK = (np.array([0.0, 0.5, -0.5]),)
for name, reference, domain in [
    ("exp", math.exp, (-2, 2)), ("exp2", lambda x: 2**x, (-2, 2)), ("expm1", math.expm1, (-2, 2)),
    ("log", math.log, (0.25, 4)), ("log2", math.log2, (0.25, 4)), ("log10", math.log10, (0.25, 4)),
    ("log1p", math.log1p, (-0.75, 4)), ("sqrt", math.sqrt, (0.25, 4)), ("cbrt", lambda x: x ** (1 / 3), (0.25, 4)),
    ("square", lambda x: x * x, (-2, 2)), ("reciprocal", lambda x: 1 / x, (0.25, 4)),
    ("negative", lambda x: -x, (-2, 2)), ("positive", float, (-2, 2)),
    ("sin", math.sin, (-4, 4)), ("cos", math.cos, (-4, 4)), ("tan", math.tan, (-1.25, 1.25)),
    ("arcsin", math.asin, (-0.875, 0.875)), ("arccos", math.acos, (-0.875, 0.875)), ("arctan", math.atan, (-2, 2)),
    ("sinh", math.sinh, (-2, 2)), ("cosh", math.cosh, (-2, 2)), ("tanh", math.tanh, (-2, 2)),
    ("arcsinh", math.asinh, (-2, 2)), ("arccosh", math.acosh, (1.25, 4)), ("arctanh", math.atanh, (-0.875, 0.875)),
    ("deg2rad", math.radians, (-4, 4)), ("rad2deg", math.degrees, (-4, 4)), ("erf", math.erf, (-2, 2)),
]:  # fmt: skip
    spec(name, tensors(domain=domain), scalar(reference))
between = tensors(gap=True, domain=(0.125, 0.875)) | tensors(gap=True, domain=(-1.4375, -1.0625))
spec("abs", apart, scalar(lambda x: x if x > 0 else -x), kinks=(KINK,))
spec("sign", apart, scalar(lambda x: math.copysign(1, x)))
spec("floor", between, scalar(math.floor))
spec("ceil", between, scalar(math.ceil))
spec("trunc", between.filter(lambda x: not np.any(np.abs(np.abs(x) - 1) < 0.05)), scalar(math.trunc))
spec("rint", tensors(domain=(0.625, 1.375)) | tensors(domain=(-1.375, -0.625)), scalar(round))
spec(
    "round",
    called(tensors(domain=(0.6, 1.4)), st.just(0)) | called(tensors(domain=(0.26, 0.34)), st.just(1)),
    lambda a, n: scalar(lambda x: round(x, n))(a),
)
spec(
    "clip",
    called(tensors(gap=True, domain=(-3, 3)), st.sampled_from([None, -0.5, -1.25]), st.sampled_from([None, 0.75]))
    | st.just((np.array([-2.0, 0.3, 2.0, 0.1]), np.array([-1.0, 0.0, 0.5, 0.7]), np.array([1.0, 0.5, 1.5, 0.4]))),
    lambda a, low, high: np.fmin(np.fmax(a, np.nan if low is None else low), np.nan if high is None else high),
    kinks=((np.array([-1.0, 0.5, 1.0, 2.0]), -1.0, 1.0),),
)
for name, reference in [
    ("add", lambda x, y: x + y),
    ("subtract", lambda x, y: x - y),
    ("multiply", lambda x, y: x * y),
]:
    spec(name, s.broadcastable(2, scales=SCALES), scalar(reference))
spec("divide", s.broadcastable(2, domain=[(-2, 2), (0.25, 2)]), scalar(lambda x, y: x / y))
spec("power", s.broadcastable(2, domain=[(0.25, 2), (-2, 3)]), scalar(math.pow))
spec("arctan2", s.broadcastable(2, domain=[(-2, 2), (0.25, 2)]), scalar(math.atan2))
spec(
    "hypot",
    s.broadcastable(2, domain=[(-2, 2), (0.25, 2)]),
    scalar(math.hypot),
    kinks=((np.array([0.0, 3.0]), np.array([0.0, 4.0])),),
)
quotients = s.broadcastable(2, domain=[(2.25, 2.625), (0.9375, 1.0625)]) | s.broadcastable(
    2, domain=[(-2.625, -2.25), (0.9375, 1.0625)]
)
spec("remainder", quotients, scalar(lambda x, y: x - y * math.floor(x / y)))
spec("floor_divide", quotients, scalar(lambda x, y: math.floor(x / y)))
ties = (np.array([0.5, -1.0, 0.25]), np.array([0.5, 1.0, 0.25]))
spec("maximum", s.broadcastable(2, gap=True), scalar(lambda x, y: max(x, y)), kinks=(ties,))
spec("minimum", s.broadcastable(2, gap=True), scalar(lambda x, y: min(x, y)), kinks=(ties,))
spec(
    "where",
    st.tuples(st.booleans(), two).map(lambda d: Call((d[0], *d[1]), {}))
    | two.map(lambda d: Call((np.add(*d) > 0, *d), {})),
    lambda c, x, y: scalar(lambda c, x, y: x if c else y)(c, x, y),
)
spec(
    "selected",
    two.map(lambda d: Call((np.add(*d), d[0] > 0), {})),
    scalar(lambda g, chosen: g if chosen else 0),
    fn=selected,
    options={"argnums": 0},
)

TestSpecs = specs.tests()
TINY = np.finfo(float).tiny


@pytest.mark.parametrize("x", [1, [1, 2], np.array([1, 2], np.int32), mg.tensor([1, 2])])
def test_erf_of_integers_is_no_integer(x):
    assert_array_equal(np.ravel(mg.erf(x)), np.ravel(mg.erf(np.asarray(getattr(x, "data", x), float))))
    for dtype in "efdg":
        assert mg.erf(np.ones(2, dtype)).dtype == dtype


def test_clip_wants_each_bound_once():
    for bounds in ((0, 1, {"min": 0}), (0, 1, {"max": 2}), (None, 1, {"max": 2})):
        with pytest.raises(ValueError, match="clip: a_min and min are one bound"):
            mg.clip(np.ones(2), bounds[0], bounds[1], **bounds[2])


def test_clip_takes_the_bounds_by_either_name():
    x = np.array([-2.0, 0.5, 2.0])
    for bounds in ({"min": -1}, {"max": 1}, {"min": -1, "max": 1}, {"a_min": -1, "a_max": 1}):
        expected = np.clip(x, **bounds)
        assert_array_equal(np.clip(leaf(x), **{"a_min": None, "a_max": None} | bounds).data, expected)
        assert_array_equal(mg.clip(x, **bounds), expected)


@pytest.mark.parametrize("scale", [1e-200, 1e150])
def test_hypot_does_not_leave_the_range_by_its_gradient(scale):
    assert mg.grad(lambda x: mg.hypot(x, 0.0) * scale)(scale) == scale
    assert mg.grad(lambda x: mg.hypot(0.0, x) * scale)(scale) == scale


@pytest.mark.filterwarnings("ignore:overflow")
def test_hypot_that_overflows_has_a_finite_derivative():
    dx, dy = slopes(np.hypot, np.array([1.2e308, 3.0]), np.array([1.6e308, 4.0]))
    assert_allclose([dx, dy], [[0.6, 0.6], [0.8, 0.8]], rtol=1e-15)


def test_hypot_at_0_has_derivative_0_at_both_orders():
    x, y = np.array([0.0, 1.0, 2.0, 0.6]), np.array([0.0, 0.0, 0.0, 0.8])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for f in (np.hypot, lambda x, y: np.hypot(y, x)):
            dx, dy = slopes(f, x, y)
            assert_allclose(dx, [0, 1, 1, 0.6], rtol=1e-15)
            assert_allclose(dy, [0, 0, 0, 0.8], rtol=1e-15)
            for i in (0, 1):
                assert_array_equal(mg.grad(lambda x, y, f=f, i=i: mg.grad(f, i)(x, y), (0, 1))(0.0, 0.0), [0, 0])


@pytest.mark.parametrize("f", [np.sign, np.floor, np.ceil, np.rint, np.trunc, np.round])
def test_nan_in_the_gradient_is_not_lost_where_the_derivative_is_0(f):
    _, pullback = mg.vjp(f, np.array([0.3, 0.3, np.nan]))
    assert_array_equal(pullback(np.array([1.0, np.nan, 1.0]))[0], [0, np.nan, np.nan])


def test_an_exponent_of_0_beside_others():
    assert_array_equal(slopes(lambda x: x ** np.array([0.0, 2.0]), [0.0, 3.0]), [0, 6])


def test_a_base_of_0_under_exponents_that_are_not_positive():
    """dA/dX2 = A ln X1, as it is: -inf."""
    with np.errstate(divide="ignore"):
        assert_array_equal(slopes(lambda p: np.zeros(3) ** p, [0.0, -1.0, 2.0]), [-np.inf, -np.inf, 0])


def test_the_mixed_derivatives_of_power_at_the_base_0_are_those_of_the_base_1():
    """As its docstring says: 1 stands for the base, so dA/dX1 = X2 * 1**(X2 - 1), and dA/dX2 = A ln 1."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mg.grad(lambda p: mg.grad(lambda x: x**p)(0.0))(0.0) == 1
        assert mg.grad(lambda x: mg.grad(lambda p: x**p)(1.0))(0.0) == 0


def test_the_mixed_derivative_of_power_replaces_no_other_base():
    mixed = mg.grad(lambda p, x: mg.grad(lambda x: x**p)(x))
    assert mixed(0.0, TINY) == 1 / TINY
    with np.errstate(invalid="ignore"):
        assert np.isnan(mixed(0.0, -2.0))  # the powers of -2 are not a function of the exponent


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize(
    ("f", "due"),
    [
        (mg.relu, [[0, 0, 0, 0.25], [0, 0, 0, 0.25]]),
        (lambda x: np.where(x > 0, x, 0), [[0, 0, 0, 0.25], [0, 0, 0, 0.25]]),
        (lambda x: mg.max_pool2d(x[None], 2), [[np.inf, 0, 0, 0.25], [0, 0, 0, 0]]),
        (lambda x: mg.max_pool2d(x[None], 2, stride=1), [[np.inf, np.inf, 0, 0.25], [0, 0, 0, 0]]),
    ],
)
def test_what_is_not_selected_gets_0_from_an_infinite_gradient(f, due, dtype):
    x = mg.tensor([[0, 0, 0, 4], [0, 0, 0, 4]], dtype=dtype, requires_grad=True)
    with np.errstate(divide="ignore"):
        np.sqrt(f(x)).sum().backward()
    assert_array_equal(x.grad, due)
    assert x.grad.dtype == dtype


@pytest.mark.parametrize("f", [np.abs, np.fabs])
def test_abs_at_0(f):
    assert_array_equal(slopes(f, [-2, 0, 3, -np.inf, np.inf]), [-1, 0, 1, -1, 1])


@pytest.mark.parametrize("f", [np.maximum, np.minimum])
def test_a_tie_of_two_is_split(f):
    x, y = slopes(f, [1, 2, 3], [2, 2, 2])
    first = np.array([0, 0.5, 1]) if f is np.maximum else np.array([1, 0.5, 0])
    assert_array_equal(x, first)
    assert_array_equal(y, 1 - first)


def test_nan_is_not_lost_in_a_maximum():
    assert_array_equal(slopes(lambda x: np.max(x, axis=0), [1, np.nan, 2]), [0, 1, 0])
    assert_array_equal(slopes(np.maximum, [np.nan], [1.0]), ([1], [1]))


def test_clip_on_a_bound():
    assert_array_equal(slopes(lambda x: np.clip(x, 0, 1), [-1, 0, 0.5, 1, 2]), [0, 1, 1, 1, 0])


def test_power_at_0():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x, p = slopes(np.power, [0, 0, 2], [2, 1, 0])
        assert_array_equal(x, [0, 1, 0])
        assert_array_equal(p, [0, 0, np.log(2)])
        assert_array_equal(slopes(lambda x: x**0, [0, 1]), [0, 0])
        assert_array_equal(second(lambda x: x**2, [0, 1]), [2, 2])
        assert_array_equal(second(lambda x: x**1, [0, 1]), [0, 0])
        assert_array_equal(second(lambda x: x**0, [0, 1]), [0, 0])


def test_the_mixed_derivative_of_power_where_the_exponent_is_0():
    mixed = mg.grad(lambda p: mg.grad(lambda x: x**p)(3.0))
    assert mixed(0.0) == pytest.approx(1 / 3)


def test_where_selects():
    x = np.array([0.0, 4.0])
    gradient = mg.vjp(lambda a, b: np.where(x > 0, a, b), np.ones(2), np.ones(2))[1](np.array([np.nan, np.inf]))
    assert_array_equal(gradient[0], [0, np.inf])
    assert_array_equal(gradient[1], [np.nan, 0])


def test_sqrt_and_log_at_0():
    with np.errstate(divide="ignore"):
        assert_array_equal(slopes(np.sqrt, [0, 4]), [np.inf, 0.25])
        assert_array_equal(slopes(np.log, [0, 4]), [np.inf, 0.25])


@pytest.mark.parametrize("f", [np.sign, np.floor, np.ceil, np.rint, np.trunc, np.round])
def test_piecewise_constant_functions_have_derivative_0(f):
    assert_array_equal(slopes(f, [-1.5, 0, 2.3]), [0, 0, 0])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("n", [3, 4, 3.0, 4.0, 5, 2, -3, np.float32(3), np.array(4)])
def test_powers_are_those_of_numpy(n, dtype):
    """Of negative bases, of extremes, and beyond what the dtype holds: the same bits for a small array."""
    info = np.finfo(dtype)
    extremes = [0.0, -0.0, np.inf, -np.inf, np.nan, info.max, -info.max, info.tiny, info.smallest_subnormal, 1.5, -1.5]
    x = np.concatenate([extremes, np.random.default_rng(0).normal(0, 3, 5000)]).astype(dtype)
    with np.errstate(all="ignore"):
        assert_array_equal(mg.power(mg.tensor(x[:100]), n).data, x[:100] ** n, strict=True)
        expected, result = x**n, mg.power(mg.tensor(x), n).data
    assert result.dtype == expected.dtype
    np.testing.assert_array_max_ulp(result, expected, 2)
    assert_array_equal(np.signbit(result), np.signbit(expected))


def test_power_with_small_integers_as_exponents():
    x = np.full(3, 1e3)
    assert_array_equal(slopes(lambda x: x ** np.array([0, 1, 2], np.uint8), x), [0, 1, 2000])
    assert_array_equal(slopes(lambda x: x**0, [1e-310, 5e-324]), [0, 0])


@pytest.mark.parametrize("dtype", [np.float16, np.float64, complex])
def test_exponentials_of_all_but_float32_are_numpys_to_the_last_bit(dtype):
    x = np.linspace(-0.9, 3, 500).astype(dtype)
    assert_array_equal(mg.expm1(x), np.expm1(x), strict=True)
    assert_array_equal(mg.log1p(x), np.log1p(x), strict=True)
    assert_array_equal(exponentials.expm1_below_0(-x), np.expm1(-x), strict=True)


@pytest.mark.parametrize(
    ("f", "by_numpy"),
    [(exponentials.expm1_below_0, np.expm1), (exponentials.log1p_exp, lambda z: np.log1p(np.exp(-np.abs(z))))],
)
def test_parts_of_activations_in_float32_are_precise_to_4_units_in_the_last_place(f, by_numpy):
    x = -(10.0 ** np.random.default_rng(0).uniform(-12, 1.9, 20_000)).astype(np.float32)
    right = by_numpy(x.astype(float))
    assert np.all(np.abs(f(x) - right) <= 4 * np.spacing(np.abs(right).astype(np.float32)))


@pytest.mark.parametrize("f", [np.expm1, np.log1p])
def test_exponentials_of_float32_are_precise_to_4_units_in_the_last_place(f):
    size = 10.0 ** np.random.default_rng(0).uniform(-12, 1.9, 20_000)
    x = np.concatenate([size, -size if f is np.expm1 else -np.minimum(size, 0.999)]).astype(np.float32)
    right = f(x.astype(float))
    assert np.all(np.abs(getattr(mg, f.__name__)(x) - right) <= 4 * np.spacing(np.abs(right).astype(np.float32)))
    edges = np.array([0.0, -0.0, np.inf, np.nan, 1e38 if f is np.log1p else -np.inf, -1 if f is np.log1p else -200])
    with np.errstate(all="ignore"):
        right = f(edges.astype(np.float32))
        found = getattr(mg, f.__name__)(edges.astype(np.float32))
    np.testing.assert_allclose(found, right, rtol=1e-6)
    np.testing.assert_array_equal(np.signbit(found[:2]), [False, True])


def test_an_entry_at_the_upper_bound_of_clip_is_its_own():
    x, bound = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0])
    dx, dbound = slopes(lambda x, bound: mg.clip(x, None, bound), x, bound)
    assert_array_equal(dx, [1, 1, 0])
    assert_array_equal(dbound, [0, 0, 1])


def test_two_equal_bounds_of_clip_share_no_gradient():
    assert mg.grad(lambda low, high: mg.clip(np.array(0.0), low, high), (0, 1))(1.0, 1.0) == (1, 0)
    assert mg.grad(lambda low, high: mg.clip(np.array(2.0), low, high), (0, 1))(1.0, 1.0) == (0, 1)


def test_the_derivative_of_arcsinh_far_out_is_precise():
    assert_allclose(mg.grad(mg.arcsinh)(1e200), 1e-200, rtol=1e-15)


def test_a_base_of_0_stays_where_the_exponent_beside_one_of_0_is_not():
    slope = mg.vjp(lambda p: mg.grad(lambda x: np.sum(x**p))(np.zeros(2)), np.array([0.0, 2.0]))[0]
    assert_array_equal(slope, [0, 0])


def test_the_logarithm_of_a_base_is_in_the_dtype_of_the_power():
    slope = mg.grad(lambda p: mg.power(np.float32([3]), p)[0])(np.float64(1.5))
    assert_allclose(slope, 3**1.5 * math.log(3), rtol=1e-15)
