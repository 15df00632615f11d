"""Reductions: value and derivatives by specs, NumPy's arguments, conventions and extremes one by one."""

import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support.gradients import leaf, numeric, slopes
from support.specification import Specs

import minigrad as mg
from minigrad import grad
from minigrad.testing import strategies as s
from minigrad.testing.strategies import Call

specs = Specs()
spec = specs.add
filled = s.tensors(min_dims=1, min_side=1)  # no 0-d array, no empty one
TIES = np.array([[0.5, 0.5, -1.0], [0.25, 0.25, 0.25]])

spec("sum", s.reductions(min_side=0), np.sum)
spec(
    "mean",
    s.reductions(),
    lambda a, axis, keepdims: np.sum(a, axis, keepdims=keepdims) / (a.size / max(1, np.sum(a, axis).size)),
)
spec(
    "max",
    s.reductions(gap=True),
    lambda a, axis, keepdims: -np.min(-a, axis, keepdims=keepdims),
    kinks=((np.array([[0.5, 0.5, -1.0], [0.25, 0.25, 0.25]]),), (np.array([[0.5, 0.5, -1.0], [0.25, 0.125, 0.25]]), 1)),
)
spec(
    "min",
    s.reductions(gap=True),
    lambda a, axis, keepdims: -np.max(-a, axis, keepdims=keepdims),
    kinks=((np.array([[0.5, 0.5, -1.0], [-1.0, 0.25, 0.25]]),), (np.array([[0.5, 0.5, 1.0], [0.25, 0.25, 0.25]]), -1)),
)
spec("ptp", s.reductions(gap=True).filter(lambda c: c[0][0].size > 1), np.ptp, kinks=((TIES,), (TIES, 1)))
spec("prod", s.reductions(), lambda a, axis, keepdims: np.multiply.reduce(a, axis, keepdims=keepdims))
spec(
    "var",
    s.reductions(several=True)
    .flatmap(lambda c: st.integers(0, 1).map(lambda ddof: Call(c.arguments, {**c.parameters, "ddof": ddof})))
    .filter(lambda c: c[0][0].size / max(1, np.sum(*c[0]).size) > 1),
    lambda a, axis, ddof, keepdims: (
        np.sum(np.square(a - np.mean(a, axis, keepdims=True)), axis, keepdims=keepdims)
        / (a.size / np.sum(a, axis).size - ddof)
    ),
)
spec("cumsum", filled.flatmap(lambda a: s.axes(a.ndim, several=False).map(lambda axis: (a, axis))), np.cumsum)
spec(
    "diff",
    filled.flatmap(lambda a: st.tuples(st.just(a), st.integers(1, 2), s.axes(a.ndim, none=False, several=False))),
    np.diff,
    refused=(((np.zeros(2), -1), {}, ValueError, "n must be at least 0, not -1"),),
)
spec(
    "average",
    st.tuples(filled, st.none())
    | s.tensors((2, 3)).map(lambda a: Call((a, 1), {"weights": np.array([1.0, 2.0, 0.5])}))
    | s.tensors((3, 2, 2)).map(lambda a: Call((a, 0), {"weights": np.array([1.0, 2.0, 0.5])}))
    | st.tuples(s.tensors((2, 3)), s.tensors((2, 3), domain=(0.5, 2))).map(lambda d: Call((d[0], 0, d[1]), {})),
    np.average,
    fn=lambda a, axis, weights=None: mg.ops.average(a, axis, weights),
    options={"argnums": 0},
    refused=(
        ((np.zeros((2, 3)), 1, np.ones(2)), {}, ValueError, r"weights \(2,\) fit neither a \(2, 3\) nor its axis 1"),
        ((np.zeros((2, 3)), None, np.ones(3)), {}, ValueError, r"weights \(3,\) fit neither a .* nor its axis None"),
        ((np.zeros((2, 3)), (0, 1), np.ones((3, 2))), {}, ValueError, r"weights \(3, 2\) fit neither a \(2, 3\)"),
    ),
)
one_axis = s.reductions(gap=True, several=False)
spec("median", one_axis.filter(lambda c: c[0][0].ndim > 0), np.median, kinks=((TIES[0],), (TIES, 0)))
spec(
    "trapezoid",
    st.tuples(filled, st.none(), st.sampled_from([1.0, 0.5])).map(lambda d: Call(d[:2], {"dx": d[2], "axis": 0}))
    | st.tuples(s.tensors((2, 3)), s.tensors((3,), gap=True)).map(lambda d: Call(d, {})),
    np.trapezoid,
)

TestSpecs = specs.tests()

RNG = np.random.default_rng(0)
A = RNG.normal(size=(2, 3, 4))
SQUARE = RNG.normal(size=(3, 3))


def test_std_of_constant_rows_is_0():
    x = np.repeat([[0.1], [0.2], [0.7]], 6, axis=1)
    assert np.any(np.mean(x, axis=1) != x[:, 0])  # the mean is rounded
    assert_array_equal(mg.std(x, axis=1), np.zeros(3))
    assert_array_equal(slopes(lambda x: mg.std(x, axis=1), x), np.zeros((3, 6)))


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("f", [np.sum, np.mean, np.max, np.min, np.ptp, np.prod, np.var, np.std, np.median])
def test_each_row_of_a_square_gets_its_own_gradient(f, axis, keepdims):
    y = np.asarray(f(SQUARE, axis=axis, keepdims=keepdims))
    g = np.arange(1.0, y.size + 1).reshape(y.shape)
    _, pullback = mg.vjp(lambda a: f(a, axis=axis, keepdims=keepdims), SQUARE)
    expected = numeric(lambda a: g * f(a, axis=axis, keepdims=keepdims), SQUARE)
    assert_allclose(pullback(g)[0], expected, atol=1e-8)


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1), (2, 0), (-1, 1), (0, 1, 2)])
def test_prod_with_zeros_over_any_axes(axis):
    a = A.copy()
    a[0, 1, 2] = a[1, 1, 2] = a[1, 0, 3] = 0
    y, pullback = mg.vjp(lambda a: np.prod(a, axis=axis), a)
    g = np.arange(1.0, np.size(y) + 1).reshape(np.shape(y))
    assert_allclose(pullback(g)[0], numeric(lambda a: g * np.prod(a, axis=axis), a), atol=1e-8)


def test_prod_where_some_products_are_infinite():
    x = np.array([[np.inf, 2.0], [3.0, 4.0]])
    assert_array_equal(slopes(lambda x: np.prod(x, axis=1), x), [[2, np.inf], [4, 3]])


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_diff_any_number_of_times(n):
    assert_allclose(np.diff(leaf(A), n, axis=2).data, np.diff(A, n, axis=2), atol=1e-14)
    assert_allclose(mg.diff(A, n, axis=1), np.diff(A, n, axis=1), atol=1e-14)


@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1, -2, -3, np.int64(1), (0, 1), (2, 0), (-1, 1)])
def test_average_with_weights_of_its_axes(axis):
    sizes = A.shape if axis is None else np.take(A.shape, axis)
    w = RNG.uniform(1, 2, sizes)
    assert_allclose(mg.average(A, axis, w), np.average(A, axis, w))
    assert_allclose(mg.average(A.tolist(), axis, w.tolist()), np.average(A, axis, w))

    def ours(a, w):
        return np.average(a, axis, w)

    y, pullback = mg.vjp(ours, A, w)
    assert_allclose(y, ours(A, w))
    da, dw = pullback(np.ones(np.shape(y)))
    assert_allclose(da, numeric(lambda a: ours(a, w), A), atol=1e-8)
    assert_allclose(dw, numeric(lambda w: ours(A, w), w), atol=1e-8)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_trapezoid_over_any_of_three_axes(axis):
    x = np.cumsum(RNG.uniform(1, 2, A.shape), axis)
    for points in (x, np.moveaxis(x, axis, -1)[0, 0]):
        assert_allclose(np.trapezoid(leaf(A), points, axis=axis).data, np.trapezoid(A, points, axis=axis))
    assert_allclose(mg.trapezoid(A, dx=0.5, axis=axis), np.trapezoid(A, dx=0.5, axis=axis))


def test_trapezoid_along_any_axis():
    y, x = np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[0.0, 0.0], [1.0, 3.0]])
    assert_array_equal(np.trapezoid(leaf(y), x=x, axis=0).data, np.trapezoid(y, x=x, axis=0))
    assert_array_equal(np.trapezoid(leaf(y), x=[0.0, 2.0]).data, np.trapezoid(y, x=[0.0, 2.0]))
    with pytest.raises(ValueError, match="trapezoid: x must have one axis or those of y"):
        np.trapezoid(leaf(np.ones((2, 2, 2))), x=x)


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_spreads_of_large_numbers_that_hardly_differ_are_precise(dtype, axis):
    whole = np.random.default_rng(0).integers(0, 9, (7, 5))
    x = (2 / np.finfo(dtype).eps + 2 * whole).astype(dtype)  # 2 apart: the mean is rounded by as much as 1
    for f in (np.var, np.std):
        value, pullback = mg.vjp(lambda x, f=f: f(x, axis=axis), x)
        expected = mg.vjp(lambda x, f=f: f(x, axis=axis), 2.0 * whole)
        assert_allclose(value, expected[0], rtol=4 * np.finfo(dtype).eps)
        g = np.ones(np.shape(value))
        assert_allclose(pullback(g)[0], expected[1](g)[0], rtol=0, atol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("function", [np.var, np.std])
@pytest.mark.parametrize("a", [[0.0, 1.0, 2.0], [2.0, 2.0]])
def test_no_freedom_left_is_a_division_by_0(function, a):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_array_equal(function(leaf(a), ddof=len(a)).data, function(a, ddof=len(a)))


def test_a_running_sum_of_a_number():
    assert grad(lambda x: np.sum(np.cumsum(x, axis=0)))(3.0) == 1


SMALL = [
    np.array([200, 200], np.uint8), np.array([100, 100, -100], np.int8), np.array([2**62] * 2), np.array([True, True]),
    np.array([1e308]), np.array([3e38], np.float32), np.array([65000] * 2, np.float16), np.array([3, 1, 2]),
]  # fmt: skip


@pytest.mark.parametrize("a", SMALL)
@pytest.mark.parametrize("function", [np.median, np.mean])
def test_the_middle_does_not_wrap_around(function, a):
    assert_array_equal(function(mg.tensor(a)).data, function(a))
    assert function(mg.tensor(a)).dtype == function(a).dtype


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
def test_median_of_nothing():
    assert_array_equal(np.median(mg.tensor(np.ones((2, 0))), axis=1).data, [np.nan] * 2)
    assert np.median(mg.tensor(np.ones((2, 0))), axis=1, keepdims=True).shape == (2, 1)


@pytest.mark.parametrize("a", [a for a in SMALL if a.dtype.kind != "f"])
def test_integers_are_computed_with_as_floating_point_numbers(a):
    t, real = mg.tensor(a), a.astype(float)
    assert_allclose(np.std(t).data, np.std(real))
    assert_allclose(np.linalg.norm(t, 1).data, np.linalg.norm(real, 1))
    assert_allclose(np.average(t, weights=mg.tensor(a)).data, np.average(real, weights=real))
    for f in (mg.softmax, mg.log_softmax, mg.logsumexp):
        assert_allclose(f(a), f(real), rtol=1e-3)
    assert mg.norm(np.array([-128], np.int8), np.inf) == 128


def test_prod_over_the_other_axis_of_an_empty_array():
    assert grad(lambda a: np.sum(np.prod(a, axis=0)))(np.zeros((3, 0))).shape == (3, 0)


def test_median_over_axes_and_of_nan():
    a = np.random.default_rng(0).normal(size=(2, 3, 4))
    for axis in (None, 0, 1, (0, 1), (0, 2), (1, -1)):
        for keepdims in (False, True):
            expected = np.median(a, axis=axis, keepdims=keepdims)
            assert_allclose(np.median(leaf(a), axis=axis, keepdims=keepdims).data, expected)
    assert np.isnan(np.median(leaf([1.0, np.nan, 2.0])).item())
    assert np.median(leaf([-np.inf, 1.0, np.inf])).item() == 1


@pytest.mark.filterwarnings("ignore:Mean of empty", "ignore:Degrees of freedom", "ignore:invalid value")
def test_std_of_nothing():
    assert np.isnan(np.std(leaf(np.ones(0))).item())


def test_prod_takes_no_square_of_memory():
    x = np.ones(2000)
    grad(np.prod)(x)  # what the first call loads is not counted
    tracemalloc.start()
    assert_array_equal(grad(np.prod)(x), x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50 * x.nbytes


def test_a_norm_of_infinity_is_infinite():
    assert mg.norm(np.array([np.inf, 1.0])) == np.inf
    assert np.isnan(mg.norm(np.array([np.nan, 1.0])))


@pytest.mark.parametrize("f", [np.max, np.min])
def test_a_tie_over_an_axis_is_split(f):
    x = np.array([[1.0, 1, 5], [2, 2, 2]]) * (1 if f is np.min else -1)
    assert_array_equal(mg.grad(lambda x: np.sum(f(x, axis=1)))(x), [[0.5, 0.5, 0], [1 / 3] * 3])


def l2(x):
    return mg.l2_pool2d(x, 2)


@pytest.mark.parametrize("f", [l2, np.linalg.norm, lambda x: np.linalg.norm(x, axis=(1, 2))])
def test_a_norm_at_0_has_derivative_0_at_every_order(f):
    x = np.zeros((1, 2, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        g = mg.grad(lambda x: np.sum(f(x)))
        assert_array_equal(g(x), x)
        assert_array_equal(mg.hessian(lambda x: np.sum(f(x)))(x), np.zeros((1, 2, 2, 1, 2, 2)))


@pytest.mark.parametrize("f", [l2, mg.norm])
@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1.0, 1e200, 1e307])
def test_a_norm_neither_overflows_nor_underflows(f, scale):
    x = np.array([[[3.0, 4.0], [0.0, 0.0]]]) * scale
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.squeeze(f(x)) == pytest.approx(5 * scale, rel=1e-3)
        np.testing.assert_allclose(mg.grad(lambda x: np.sum(f(x)))(x), [[[0.6, 0.8], [0, 0]]], rtol=2e-3)


@pytest.mark.parametrize("value", [0.1, 0.0, 1e300, 1.7e308, -1.7e308])
def test_std_of_constant_data_has_derivative_0(value):
    x = np.full(7, value)
    with np.errstate(over="ignore", invalid="ignore"):  # in the sum
        assert mg.std(x) == 0
        assert_array_equal(mg.grad(np.std)(x), np.zeros(7))
        assert_array_equal(mg.hessian(np.std)(x), np.zeros((7, 7)))
        rows = np.stack([x, np.arange(7.0)])
        assert_array_equal(np.std(leaf(rows), axis=1).data, [0, 2])


def test_prod_with_zeros():
    x = np.array([2.0, 0.0, 3.0])
    assert_array_equal(mg.grad(np.prod)(x), [0, 6, 0])
    assert_array_equal(mg.hessian(np.prod)(x), [[0, 3, 0], [3, 0, 2], [0, 2, 0]])


def test_prod_of_tiny_entries_to_any_order():
    x = np.array([1e-150, 2.0, 3.0])
    assert_array_equal(mg.hessian(np.prod)(x), [[0, 3, 2], [3, 0, 1e-150], [2, 1e-150, 0]])
    assert_array_equal(mg.grad(mg.grad(mg.grad(np.prod)))(1e-9), 0)


def test_prod_where_the_product_under_or_overflows():
    for sign in (1, -1):
        assert_array_equal(mg.grad(np.prod)(np.array([sign * 1e-200, 1e-200])), [1e-200, sign * 1e-200])
        assert_array_equal(mg.grad(np.prod)(np.array([sign * np.inf, 2.0])), [2, sign * np.inf])


def test_a_tie_of_very_many():
    x = np.zeros(70_000, np.float16)
    assert mg.grad(np.max)(x).dtype == np.float16
    assert mg.grad(lambda x: np.sum(np.max(x, axis=1)))(np.zeros((1, 70_000))).sum() == pytest.approx(1)
    assert np.all(mg.grad(np.max)(x) > 0)


@pytest.mark.filterwarnings("ignore:Degrees of freedom")
@pytest.mark.parametrize("f", [np.var, np.std])
def test_no_degrees_of_freedom_give_no_finite_derivative(f):
    with np.errstate(all="ignore"):
        assert not np.isfinite(mg.grad(lambda x: f(x, ddof=3))(np.arange(3.0))).any()


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("f", [np.max, np.min, np.prod])
def test_an_array_without_axes_may_be_reduced_over_its_only_or_last_one(f, axis):
    value, gradient = mg.value_and_grad(lambda x: f(x, axis=axis))(3.0)
    assert (value, gradient) == (3, 1)


@pytest.mark.parametrize("axis", [0, -1, (), None])
def test_an_array_without_axes_is_reduced_as_by_numpy(axis):
    for f in (np.sum, np.prod, np.max, np.min):
        t = leaf(np.float64(3.0))
        result = f(t, axis=axis, keepdims=True)
        assert result.shape == ()
        assert result.item() == 3
        result.backward()
        assert t.grad == 1
        assert np.isnan(np.var(t, axis=axis, ddof=np.nan).item())
    with pytest.raises(np.exceptions.AxisError, match="sum: axis 1"):
        np.sum(leaf(3.0), axis=1)


def test_weights_whose_sum_is_zero():
    """NumPy refuses them: not infinity with a warning."""
    for weights in (np.array([1.0, -1.0]), leaf([1.0, -1.0])):
        with pytest.raises(ZeroDivisionError, match="average: the weights' sum is 0"):
            np.average(leaf([1.0, 2.0]), weights=weights)
    with pytest.raises(ZeroDivisionError, match="average"):
        mg.average(np.ones((2, 2)), 1, np.array([[1.0, 1.0], [2.0, -2.0]]))


def test_diff_with_what_stands_before_and_after():
    a, x = np.array([[1.0, 4.0, 2.0], [0.5, 3.0, 3.0]]), leaf(2.0)
    for options in ({"prepend": 0.5}, {"append": a[:, :1]}, {"n": 2, "axis": 0, "prepend": a[:1], "append": 2.0}):
        assert_array_equal(np.diff(leaf(a), **options).data, np.diff(a, **options))
    np.sum(np.diff(leaf(a), prepend=x)).backward()
    assert x.grad == -2


def test_average_and_the_sum_of_its_weights():
    a, w = np.array([[1.0, 4.0], [3.0, 2.0], [0.5, 7.0]]), np.array([3.0, 1.0])
    each = [{"axis": axis, "keepdims": kept} for axis in (None, 0, 1) for kept in (False, True)]
    weighted = [options | {"weights": a} for options in each] + [
        {"axis": 1, "keepdims": k, "weights": w} for k in (0, 1)
    ]
    for options in (*each, *weighted):
        found, expected = (np.average(x, returned=True, **options) for x in (leaf(a), a))
        for ours, theirs in zip(found, expected, strict=True):
            assert np.shape(ours) == np.shape(theirs)
            assert_array_equal(getattr(ours, "data", ours), theirs)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f8"])
@pytest.mark.parametrize("axis", [0, 1, -1, -2, -3])
def test_running_sums_of_long_rows_are_those_of_numpy(dtype, axis):
    a = np.random.default_rng(0).normal(size=(3, 20, 600)).astype(dtype)
    wide = {"e": np.float32, "f": np.float64}.get(a.dtype.char, a.dtype.newbyteorder("="))
    for x in (a, a.T, a[::-1]):
        assert_array_equal(mg.cumsum(x, axis), np.cumsum(x, axis, wide).astype(a.dtype))


def test_no_differences_leave_the_array_as_it_is():
    x = np.arange(3.0)
    np.testing.assert_array_equal(np.diff(mg.tensor(x), 0, prepend=1.0).data, np.diff(x, 0, prepend=1.0))


@pytest.mark.parametrize("f", [np.var, np.std])
@pytest.mark.parametrize("ddof", [2, 3])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_variance_without_degrees_of_freedom_has_no_derivative(f, ddof):
    assert np.isnan(mg.grad(lambda x: f(x, ddof=ddof))(np.array([1.0, 3.0]))).all()


def test_the_variance_of_float32_far_from_0_is_that_of_its_entries():
    x = (1e4 + np.random.default_rng(0).normal(size=5000)).astype(np.float32)
    assert_allclose(mg.var(x), np.var(x.astype(float)), rtol=1e-6)
    assert_allclose(mg.grad(mg.var)(x), mg.grad(mg.var)(x.astype(float)), atol=1e-9)


def test_constant_rows_beside_others_deviate_by_0():
    x = np.array([[0.1, 0.1, 0.1], [1.0, 2.0, 4.0]])
    value, gradient = mg.value_and_grad(lambda x: np.sum(np.std(x, axis=1) * [1.0, 0.0]))(x)
    assert value == 0
    assert_array_equal(gradient, 0)


@pytest.mark.parametrize("y", [np.float32, np.float64])
@pytest.mark.parametrize("x", [np.float32, np.float64, int])
def test_the_dtype_of_an_integral_is_that_of_numpy(y, x):
    y, x = np.array([1.0, 2.0, 4.0], y), np.array([0, 1, 3], x)
    t = mg.tensor(y, requires_grad=True)
    assert np.trapezoid(t, x).dtype == np.trapezoid(y, x).dtype


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_few_degrees_of_freedom_and_kept_axes():
    for n, ddof in ((2, 0), (2, 1), (3, 2), (3, 1)):
        assert_array_equal(mg.grad(lambda x, ddof=ddof: np.std(x, ddof=ddof))(np.full(n, 0.1)), np.zeros(n))
    rows = np.array([[1.0, 4.0], [2.0, 2.0]])
    for keepdims in (False, True):
        for ddof in (0, 1, 2, 3):
            found = np.std(leaf(rows), axis=1, ddof=ddof, keepdims=keepdims).data
            assert_allclose(found, np.std(rows, axis=1, ddof=ddof, keepdims=keepdims), rtol=1e-14, strict=True)
    assert np.isnan(mg.grad(lambda x: np.std(x, ddof=2))(rows[0])).all()


@pytest.mark.parametrize("axis", [0, 1])
def test_a_norm_that_overflows_has_a_unit_vector_as_gradient(axis):
    x = np.array([[1.5e308, 1.5e308], [-3.0, 4.0], [0.0, 0.0]])
    x = x if axis else x.T
    with np.errstate(over="ignore"):
        y, pullback = mg.vjp(lambda x: mg.norm(x, axis=axis), x)
    assert_array_equal(y, [np.inf, 5, 0])
    expected = np.array([[0.5**0.5, 0.5**0.5], [-0.6, 0.8], [0, 0]])
    assert_allclose(pullback(np.ones(3))[0], expected if axis else expected.T)


@pytest.mark.parametrize("size", [1e-200, 1e-160, 1e-100, 1e100, 1e160, 1e200])
def test_a_norm_beside_one_of_another_size_is_precise(size):
    x = np.array([[3.0 * size, 4.0 * size], [3.0, 4.0]])
    for rows in (x, x[::-1]):
        y, pullback = mg.vjp(lambda x: mg.norm(x, axis=1), rows)
        assert_allclose(y, 5 / 3 * rows[:, 0], rtol=1e-15)
        for g in (np.ones(2), 1 / y):
            assert_allclose(pullback(g)[0], g[:, None] * [[0.6, 0.8]], rtol=1e-15)


def test_the_spread_of_entries_far_from_0_is_precise():
    x = np.stack([np.arange(1.0, 8) ** 2, np.arange(-7.0, 0) ** 3, [-3.0, -2, -1, 0, 1, 2, 3]])
    far = x + 2.0**50  # without rounding
    for f in (np.var, np.std):
        for rows, expected in ((far, x), (far[:1], x[:1])):
            assert_allclose(f(leaf(rows), axis=1).data, f(expected, axis=1), rtol=1e-14)
            slopes_of = mg.grad(lambda x, f=f: np.sum(f(x, axis=1)))
            assert_allclose(slopes_of(rows), slopes_of(expected), rtol=1e-12, atol=1e-14)
    with np.errstate(invalid="ignore"):
        assert np.isnan(np.std(leaf([np.inf, np.inf])).item())


def test_the_derivative_of_a_product_is_precise_in_float32_and_that_of_complex_numbers_exact():
    a = np.random.default_rng(0).uniform(0.9, 1.1, 10000).astype(np.float32)
    exact = np.prod(a, dtype=float) / a.astype(float)
    assert_allclose(mg.grad(mg.prod)(a), exact, rtol=1.5e-7)
    z = np.array([1 + 2j, 3 - 1j])
    assert_array_equal(mg.grad(lambda z: np.real(mg.prod(z)))(z), z[::-1])


def test_a_nan_is_the_extreme_and_an_empty_mean_warns():
    for extreme in (mg.max, mg.min):
        assert_array_equal(mg.grad(extreme)(np.array([1.0, np.nan, 3.0])), [0, 1, 0])
    for a in (np.ones(0), np.ones((2, 0), np.float32)):
        with np.errstate(invalid="ignore"), pytest.warns(RuntimeWarning, match="Mean of empty slice"):
            assert np.isnan(mg.mean(a))


def test_norms_of_large_negative_entries_and_of_none():
    assert_allclose(mg.norm(np.array([-3e200, -4e200])), 5e200)
    assert_array_equal(mg.norm(np.ones((2, 0)), axis=1), [0, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("extreme", [np.max, np.min, np.nanmax, np.nanmin])
def test_extremes_of_many_short_rows_are_numpys(extreme, dtype):
    rng = np.random.default_rng(0)
    for columns in (2, 5, 10, 24):
        a = rng.integers(-2, 2, (3000, columns)).astype(dtype)  # with ties
        if dtype is not np.int64:
            a[a == 0] *= rng.choice([-1, 1], np.count_nonzero(a == 0))  # 0 and -0
            a[:3, 1] = np.nan
        for keepdims in (False, True):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = getattr(mg, extreme.__name__)(a, -1, keepdims=keepdims)
            expected = extreme(a, -1, keepdims=keepdims)
            assert (found.shape, found.dtype) == (expected.shape, dtype)
            assert found.tobytes() == expected.tobytes()


def test_the_gradient_of_nanmax_beside_a_row_of_nan_splits_a_tie():
    a = np.array([[np.nan, np.nan], [1.0, 1.0]])
    assert_array_equal(mg.grad(lambda a: np.sum(np.nanmax(a, 1)))(a), [[0, 0], [0.5, 0.5]])
