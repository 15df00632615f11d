"""Activations and softmax: value and derivatives by specs, conventions and extremes one by one."""

import math
import tracemalloc
import warnings
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support import naive
from support.gradients import slopes
from support.naive import scalar
from support.specification import Specs, called

import minigrad as mg
from minigrad.ops import activations
from minigrad.testing import strategies as s
from minigrad.testing.strategies import Call

specs = Specs()
spec = specs.add
tensors, apart = s.tensors, s.tensors(gap=True)
KINK = (np.array([0.0, 0.5, -0.5]),)

for name, reference, domain in [
    ("sigmoid", lambda z: 1 / (1 + math.exp(-z)), (-4, 4)), ("softplus", lambda z: math.log(1 + math.exp(z)), (-4, 4)),
    ("silu", lambda z: z / (1 + math.exp(-z)), (-4, 4)),
    ("gelu", lambda z: z * math.erfc(-z / math.sqrt(2)) / 2, (-3, 3)),
]:  # fmt: skip
    spec(name, tensors(domain=domain), scalar(reference))
spec("normal_cdf", tensors(domain=(-3, 3)), scalar(NormalDist().cdf), fn=activations._normal)
spec("logaddexp", s.broadcastable(2), scalar(lambda x, y: math.log(math.exp(x) + math.exp(y))))

spec("relu", apart, scalar(lambda z: max(z, 0.0)), kinks=(KINK,))
spec(
    "leaky_relu",
    called(apart, st.sampled_from([0.01, 0.25])),
    lambda z, slope: np.where(z > 0, z, z * slope),
    kinks=(KINK, (*KINK, 0.25)),
    options={"argnums": 0},
)
spec(
    "elu",
    called(apart, st.sampled_from([1.0, 0.5])),
    lambda z, alpha: np.where(z > 0, z, alpha * (np.exp(z) - 1)),
    kinks=(KINK, (*KINK, 0.5)),
    options={"argnums": 0},
)
far = np.array([[1e3, 0.0], [-1e3, -2e3], [0.0, -1e3]])  # e**Z overflows, or underflows in a whole row
spec(
    "logsumexp",
    s.reductions(keepdims=False).flatmap(lambda c: st.booleans().map(lambda keep: Call((*c.arguments, keep), {}))),
    naive.logsumexp,
    exact=(((far, 1), [1e3, -1e3, 0], [[1, 0]] * 3),),
)
along = s.tensors(min_dims=1, min_side=1).flatmap(
    lambda a: s.axes(a.ndim, none=False, several=False).map(lambda axis: (a, axis))
)
spec("softmax", along, naive.softmax, exact=(((far, 1), [[1, 0]] * 3, np.zeros((3, 2))),))
spec(
    "log_softmax",
    along,
    lambda z, axis: np.log(naive.softmax(z, axis)),
    exact=(((far, 1), [[0, -1e3]] * 3, [[-1, 1]] * 3),),
)

TestSpecs = specs.tests()


@pytest.mark.parametrize("dtype", [bool, np.int8, np.int64])
def test_relu_of_integers_is_of_integers(dtype):
    z = np.array([-2, 0, 3]).astype(dtype)
    assert mg.relu(z).dtype == np.maximum(z, 0).dtype
    assert_array_equal(mg.relu(z), np.maximum(z, 0))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_relu_has_no_negative_zero(dtype):
    for shape in ((), (1,), (3,)):
        assert not np.signbit(mg.relu(np.full(shape, -0.0, dtype))).any()


@pytest.mark.parametrize("dtype", [np.longdouble, np.dtype(float).newbyteorder()])
def test_gelu_of_numbers_that_are_computed_in_float64(dtype):
    z = np.linspace(-20, 20, 41)
    (a, pullback), (expected, slopes) = mg.vjp(mg.gelu, z.astype(dtype)), mg.vjp(mg.gelu, z)
    assert a.dtype == dtype
    assert_allclose(a.astype(float), expected, rtol=1e-15)
    assert_allclose(pullback(np.ones(41))[0].astype(float), slopes(np.ones(41))[0], rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log_softmax_of_many_short_rows_is_that_of_each(dtype):
    z = np.random.default_rng(0).normal(0, 40, (200, 100)).astype(dtype)
    z[3, 50], z[4, 7], z[5] = np.nan, np.inf, -200
    g = np.cos(np.arange(20_000.0)).reshape(200, 100).astype(dtype)
    with np.errstate(invalid="ignore"):
        a, pullback = mg.vjp(mg.log_softmax, z)
        each = [mg.vjp(mg.log_softmax, row) for row in z]
        assert_allclose(a, [a for a, _ in each], rtol=20 * np.finfo(dtype).eps, atol=4 * np.finfo(dtype).eps)
        slopes = [pull(row)[0] for (_, pull), row in zip(each, g, strict=True)]
        assert_allclose(pullback(g)[0], slopes, rtol=1e-5, atol=100 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gelu_of_many_entries_is_that_of_few_of_them(dtype):
    z = np.random.default_rng(0).normal(0, 3, (2, 300_000)).astype(dtype)
    for x, few in ((z, np.s_[:, ::30_000]), (z.T, np.s_[::30_000]), (z[:, ::-2], np.s_[:, ::30_000])):
        a, pullback = mg.vjp(mg.gelu, x)
        expected, pull = mg.vjp(mg.gelu, x[few])
        assert_allclose(a[few], expected, rtol=1e-6)
        assert_allclose(pullback(x)[0][few], pull(x[few])[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("f", [mg.relu, mg.sigmoid])
def test_an_activation_takes_one_new_array(f):
    z = np.linspace(-4, 4, 100_000)
    tracemalloc.start()
    f(z)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * z.nbytes


def test_the_second_derivative_of_elu_at_0_is_the_mean_of_both_sides():
    second = mg.grad(mg.grad(lambda z: mg.elu(z, 3.0)))
    assert [second(-1e-9), second(0.0), second(1e-9)] == pytest.approx([3, 1.5, 0])


@pytest.mark.parametrize(
    ("shape", "axis", "by_column"),
    [((50, 32), -1, True), ((50, 32), 1, True), ((50, 33), -1, False), ((50, 20), 0, False), ((3, 50, 4), -1, False)],
)
@pytest.mark.parametrize("f", [mg.softmax, mg.log_softmax])
def test_rows_of_few_entries_are_reduced_column_by_column(f, shape, axis, by_column):
    z = np.random.default_rng(0).normal(size=shape)
    a = f(z, axis)
    assert a.flags.f_contiguous == by_column
    assert a.flags.c_contiguous != by_column
    assert_allclose(a, f(np.stack([z, z]), axis if axis < 0 else axis + 1)[0], rtol=1e-12)


def test_relu_and_its_relatives_at_0():
    assert_array_equal(slopes(mg.relu, [-1, 0, 2]), [0, 0, 1])
    assert_array_equal(slopes(lambda z: mg.leaky_relu(z, 0.1), [-1, 0, 2]), [0.1, 0.1, 1])
    assert_array_equal(slopes(lambda z: mg.elu(z, 2.0), [0, 2]), [2, 1])


def test_relu_of_special_values():
    y = mg.relu(np.array([-np.inf, np.nan, -0.0, -3.0, np.inf]))
    assert_array_equal(y, [0, np.nan, 0, 0, np.inf])
    assert not np.signbit(y[[0, 2, 3]]).any()
    assert not np.signbit(mg.relu(np.full(101, -0.0, np.float32))).any()


def test_softmax_and_its_relatives_do_not_overflow():
    z = np.array([[1000.0, 0.0, -1000.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_array_equal(mg.softmax(z), [[1, 0, 0]])
        assert_array_equal(mg.log_softmax(z), [[0, -1000, -2000]])
        assert_array_equal(mg.logsumexp(z), 1000)
        assert_array_equal(mg.sigmoid(z), [[1, 0.5, 0]])
        assert_array_equal(mg.softplus(z), [[1000, np.log(2), 0]])
        assert mg.softmax_cross_entropy(z, np.array([2])) == 2000
        assert mg.sigmoid(np.array(-700.0)) == np.exp(-700.0)
    assert mg.logsumexp(np.array([-np.inf, 0.0])) == 0
    assert mg.logsumexp(np.array([-np.inf, -np.inf])) == -np.inf
    rows = np.array([[-np.inf, -np.inf], [0.0, 1.0], [-np.inf, 2.0]])
    for z, axis in ((rows, 1), (rows.T, 0)):
        (dz,) = mg.vjp(lambda z, axis=axis: mg.logsumexp(z, axis=axis), z)[1](np.ones(3))
        assert_allclose(
            np.moveaxis(dz, axis, 1), [[0.5, 0.5], [1 / (1 + np.e), 1 / (1 + 1 / np.e)], [0, 1]], rtol=1e-15
        )


@pytest.mark.parametrize("inf", [np.inf, -np.inf])
def test_logaddexp_of_equal_infinities_shares_g_and_leaves_other_entries_alone(inf):
    dx, dy = mg.grad(lambda x, y: np.sum(np.logaddexp(x, y)), (0, 1))(np.array([inf, 1.0]), np.array([inf, 3.0]))
    np.testing.assert_allclose(dx, [0.5, 1 / (1 + math.exp(2))])
    np.testing.assert_allclose(dy, [0.5, 1 / (1 + math.exp(-2))])


@pytest.mark.parametrize("special", [0, 59.9, 60.1, -61, 1e4, -1e4, np.nan, -np.inf, np.inf])
@pytest.mark.parametrize(("dtype", "ulps"), [(np.float16, 1), (np.float32, 40), (np.float64, 40)])
@pytest.mark.parametrize("axis", [-1, 0])
def test_softmax_of_many_entries_is_that_of_each_row(axis, dtype, ulps, special):
    z = np.random.default_rng(0).normal(0, 4, (300, 70)).astype(dtype)
    z[7, 5] = special
    wide = z.astype(np.longdouble)
    e = (
        np.exp(wide - wide.max(axis, keepdims=True))
        if special != np.inf
        else np.exp(np.where(wide == np.inf, 1e4, wide))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        a = mg.softmax(z, axis=axis)
    assert a.dtype == dtype
    expected = e / e.sum(axis, keepdims=True)
    assert_allclose(a, expected.astype(dtype), rtol=ulps * np.finfo(dtype).eps, atol=np.finfo(dtype).tiny)


@pytest.mark.parametrize("slope", [-0.5, -0.0, 0.0, 1.0, 1.5, -1e300, np.inf, np.nan])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_leaky_relu_takes_any_slope(slope, dtype):
    z = np.array([-2, 3, 0.5], dtype)
    with np.errstate(over="ignore"):
        expected = np.where(z > 0, z, z * dtype(slope))
        y = mg.leaky_relu(mg.tensor(z, requires_grad=True), slope)
        np.testing.assert_array_equal(y.data, expected, strict=True)
        np.testing.assert_array_equal(mg.leaky_relu(z[0], slope), expected[0])
        slopes = mg.grad(lambda z: mg.leaky_relu(z, slope).sum())(z)
        np.testing.assert_array_equal(slopes, np.array([slope, 1, 1]).astype(dtype), strict=True)


@pytest.mark.parametrize(
    "f", [mg.elu, mg.gelu, mg.leaky_relu, mg.sigmoid, mg.silu, mg.softplus, mg.softmax, mg.log_softmax]
)
def test_gradients_in_float16_are_rounded_once(f):
    z = np.linspace(-4, 4, 30).astype(np.float16)
    weight = np.cos(np.arange(30.0))
    found = mg.grad(lambda z: np.sum(f(z) * weight.astype(np.float16)))(z)
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, mg.grad(lambda z: np.sum(f(z) * weight))(z.astype(float)), rtol=3e-3, atol=2e-3)
    if f in (mg.silu, mg.gelu):  # which have a product in A
        slope, right = (mg.grad(lambda z: np.sum(f(z)))(z) for z in (z, z.astype(float)))
        assert np.all(np.abs(slope - right) <= 0.51 * np.spacing(np.abs(right).astype(np.float16)))


@pytest.mark.parametrize("f", [mg.silu, mg.gelu])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_zero_among_the_entries_has_slope_one_half(f, dtype):
    z = np.array([0.0, 1.5, -2.0, 0.0], dtype)
    found = mg.grad(lambda z: np.sum(f(z)))(z)
    assert_array_equal(found[[0, 3]], 0.5)
    assert_allclose(found, [mg.grad(f)(float(each)) for each in z], rtol=1e-5 if dtype is np.float32 else 1e-13)


ELEMENTWISE = [mg.relu, mg.leaky_relu, mg.elu, mg.sigmoid, mg.softplus, mg.silu, mg.gelu]


@pytest.mark.parametrize("f", ELEMENTWISE)
@pytest.mark.parametrize("z", [[-1.5, 2.0], [[1, -2]], [True], 1, True, 1.5, np.float64(-1.5), np.array(1.5)])
def test_activations_of_what_is_no_array_of_numbers_with_fractions(f, z):
    expected = f(np.ravel(z).astype(float)).reshape(np.shape(z))
    assert_allclose(f(z), expected, rtol=1e-15)
    assert isinstance(f(z), np.ndarray if np.ndim(z) else np.generic)


@pytest.mark.parametrize("f", [*ELEMENTWISE, mg.softmax, mg.log_softmax])
def test_activations_of_no_entries_and_of_complex_ones(f):
    assert f(np.zeros((0, 3))).shape == (0, 3)
    for z in (1j, [1j], np.array([1j]), mg.tensor([1j])):
        with pytest.raises(TypeError, match=rf"^{f.__name__}: complex numbers are not supported"):
            f(z)


@pytest.mark.parametrize(
    ("f", "second"),
    [
        (mg.silu, lambda z: (s := 1 / (1 + np.exp(-z))) * (1 - s) * (2 + z * (1 - 2 * s))),
        (mg.gelu, lambda z: np.exp(-z * z / 2) / math.sqrt(2 * math.pi) * (2 - z * z)),
    ],
)
def test_second_derivatives_of_products_with_a_probability_are_precise_near_0(f, second):
    z = np.array([1e-9, -1e-6, 1e-3, 0.0, 0.5])
    found = mg.grad(lambda z: np.sum(mg.grad(lambda z: np.sum(f(z)))(z)))(z)
    assert_allclose(found, second(z), rtol=1e-13)


def test_logaddexp_in_float32_is_precise_and_else_numpys_to_the_bit():
    x, y = np.random.default_rng(0).normal(0, 5, (2, 2000))
    x[:5], y[:5] = [np.inf, np.inf, -np.inf, -np.inf, 1e38], [np.inf, 1, -np.inf, 1, -1e38]
    right = np.logaddexp(x.astype(np.float32), y.astype(np.float32), dtype=float)
    found = mg.logaddexp(x.astype(np.float32), y.astype(np.float32))
    assert found.dtype == np.float32
    assert_allclose(found, right, rtol=3e-7, atol=3e-7)
    for dtype in (np.float16, np.float64):
        a, b = x[5:].astype(dtype), y[5:].astype(dtype)
        assert_array_equal(mg.logaddexp(a, b), np.logaddexp(a, b), strict=True)


def test_derivatives_of_logaddexp_at_equal_numbers_and_of_one_infinity():
    assert mg.grad(lambda x: mg.grad(mg.logaddexp)(x, 2.0))(2.0) == 0.25
    assert mg.grad(mg.logaddexp, (0, 1))(np.inf, 1.0) == (1, 0)
    assert mg.grad(mg.logaddexp, (0, 1))(-np.inf, 1.0) == (0, 1)


def test_a_row_of_negative_infinities_has_no_softmax():
    z = np.array([[-np.inf, -np.inf], [0.0, 0.0], [np.inf, 0.0]])
    with np.errstate(all="ignore"):
        assert_array_equal(mg.softmax(z), [[np.nan, np.nan], [0.5, 0.5], [1, 0]])
        assert_array_equal(mg.log_softmax(z)[::2], [[np.nan, np.nan], [0, -np.inf]])
