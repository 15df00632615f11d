"""Running sums and products, against NumPy's."""

import math
import tracemalloc
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.gradients import leaf
from support.specification import Specs, call, calls

import minigrad as mg
from minigrad.ops import cumulative

specs = Specs()
spec = specs.add

RNG = np.random.default_rng(0)
A = RNG.uniform(-2, 2, (2, 5))
V = RNG.uniform(-2, 2, 5)
CUBE = RNG.uniform(-2, 2, (2, 3, 2))


def with_nan(function):
    """The function, of an array with a NaN in it."""
    return lambda a, *arguments: function(np.where(np.arange(a.size).reshape(a.shape) == 1, np.nan, a), *arguments)


spec(
    "cumprod",
    calls(call(A, 1), call(A, 0), call(A), call(V), call(CUBE, 2), call(np.array([2.0, 0, 3, 0]))),
    np.cumprod,
    refused=(
        ((1.0, 1), {}, ValueError, "axis 1 is out of bounds"),
        ((1.0, -2), {}, ValueError, "axis -2 is out of bounds"),
        ((V, -2), {}, ValueError, "axis -2 is out of bounds"),
    ),
)
by_axis = [call(V), call(A, axis=0), call(A, axis=-1, include_initial=True), call(CUBE, axis=1, include_initial=True)]
spec("cumulative_sum", calls(*by_axis), np.cumulative_sum)
spec("cumulative_prod", calls(*by_axis), np.cumulative_prod)
spec("nancumsum", calls(call(A), call(A, 1)), with_nan(np.nancumsum), fn=with_nan(mg.nancumsum))
spec("nancumprod", calls(call(A), call(A, 1)), with_nan(np.nancumprod), fn=with_nan(mg.nancumprod))
spec(
    "running_extremes",
    calls(call(A, axis=0), call(A, axis=1), call(V, axis=0)),
    np.maximum.accumulate,
    fn=np.maximum.accumulate,
)
spec("running", calls(call(A, axis=0), call(A, axis=1)), np.logaddexp.accumulate, fn=np.logaddexp.accumulate)
spec(
    "sums_between", calls(call(A, (0, 1), 1), call(A, (1, 0, 0), 0), call(V, (1,))), np.add.reduceat, fn=np.add.reduceat
)


def from_the_end(g, factors):
    s = [g[-1]]
    for value, factor in zip(g[-2::-1], factors[::-1], strict=True):
        s.insert(0, value + factor * s[0])
    return np.array(s)


spec("_from_the_end", calls(call(A[:, 0], A[1:, 1]), call(A[0], A[1, 1:])), from_the_end, fn=cumulative._from_the_end)

TestSpecs = specs.tests(examples=3)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 8, 9])
def test_running_products_of_any_length(n):
    x = RNG.uniform(0.5, 2, n)
    assert_allclose(np.cumprod(leaf(x)).data, np.cumprod(x), rtol=1e-14)


def test_running_products_of_integers_and_half_precision():
    assert_array_equal(np.cumprod(mg.tensor([1, 2, 3])).data, [1, 2, 6])
    half = np.full(5, 1.5, np.float16)
    assert np.cumprod(leaf(half)).dtype == np.float16
    assert_allclose(np.cumprod(leaf(half)).data, np.cumprod(half.astype(float)), rtol=1e-3)
    ones = (1 + RNG.uniform(-0.1, 0.1, 400)).astype(np.float16)
    assert_allclose(np.cumprod(leaf(ones)).data, np.cumprod(ones.astype(float)), rtol=1e-3)
    assert mg.grad(lambda x: np.cumprod(x, axis=0))(3.0) == 1


@pytest.mark.parametrize("function", [np.cumulative_sum, np.cumulative_prod])
def test_several_axes_need_one(function):
    with pytest.raises(ValueError, match=f"{function.__name__}: an array of 2 axes needs axis="):
        function(leaf(A))


@pytest.mark.parametrize(
    "x", [[1e300], [-1e-200, 1.1e-115, 7e100], [1e-160, -3e-160, 5.0, 7.0], [0.1, 0.0, 3.0], [1e300, 1e-300]]
)
def test_the_gradient_of_a_product_that_nearly_underflows_or_overflows(x):
    """dJ/dX[i], in exact fractions, of the products that floating-point numbers hold."""
    exact, g = [Fraction(float(v)) for v in x], [1e10, 0.25, 3.0, 1.0][: len(x)]
    right = [
        sum(Fraction(g[j]) * math.prod(exact[:i] + exact[i + 1 : j + 1]) for j in range(i, len(x)))
        for i in range(len(x))
    ]
    _, pullback = mg.vjp(np.cumprod, np.array(x))
    assert_allclose(pullback(np.array(g))[0], [float(v) for v in right], rtol=1e-13, atol=1e-323)


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "cumulative_sum", "cumulative_prod", "nancumsum", "nancumprod"])
@pytest.mark.parametrize("dtype", [None, np.float64, np.float32, complex, int])
def test_a_dtype_is_the_one_that_is_computed_in(name, dtype):
    a, wide = np.array([0.1, 3.3, 1e-3], np.float32), dtype not in (None, np.float32)
    a = np.array([3, 100, 2], np.int8) if dtype is int else a
    expected = getattr(np, name)(a, dtype=dtype)
    for found in (getattr(np, name)(mg.tensor(a), dtype=dtype).data, getattr(mg, name)(a, dtype=dtype)):
        assert found.dtype == expected.dtype
        assert_allclose(found, expected, rtol=1e-15 if wide else 3e-7)


def test_one_number_is_a_row_of_one():
    for function in (np.cumulative_sum, np.cumulative_prod):
        for options in ({}, {"include_initial": True}, {"axis": 0}):
            assert_array_equal(function(mg.tensor(0.7), **options).data, function(0.7, **options), strict=True)
        with pytest.raises(ValueError, match=f"^{function.__name__}: .*axis 1 is out of bounds"):
            function(mg.tensor(0.7), axis=1)


@pytest.mark.parametrize("dtype", [np.float64, np.longdouble])
@pytest.mark.parametrize("axis", [0, 1, 2, -2])
def test_whole_rows_are_summed_as_numpy_does(axis, dtype):
    a = np.linspace(-1, 1, 60).reshape(3, 5, 4).astype(dtype) / 3
    a[0] = a[:, 0] = -0.0
    for x, along in ((a, axis), (a[0], 0)):
        found, expected = cumulative._summed_by_rows(x, along, None), np.cumsum(x, axis=along)
        np.testing.assert_array_equal(found, expected, strict=True)
        np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


def test_a_sum_of_small_integers_is_wider():
    assert_array_equal(mg.cumsum(np.array([100, 100], np.int8)), [100, 200])


@pytest.mark.parametrize(
    ("dtype", "wide"), [("e", "f"), ("f", "d"), ("d", "d"), ("g", "g"), (">f8", "d"), ("i8", "i8")]
)
@pytest.mark.parametrize("axis", [0, -2, 1])
def test_running_sums_of_long_rows_have_numpys_bits(dtype, wide, axis):
    a = RNG.normal(0, 3, (4, 600)).astype(dtype)
    assert_array_equal(mg.cumsum(a, axis), np.cumsum(a, axis, wide).astype(a.dtype.newbyteorder("=")), strict=True)


@pytest.mark.parametrize("dtype", ["f", "d", ">f4"])
@pytest.mark.parametrize(("shape", "axis"), [((16_500,), None), ((40, 513), 1), ((600, 3, 11), 0), ((32, 512), -1)])
def test_many_running_sums_are_precise_from_both_ends(shape, axis, dtype):
    a = RNG.normal(0, 3, (*shape[:-1], 2 * shape[-1])).astype(dtype)[..., ::2]
    rounding = np.finfo(dtype).eps * np.abs(a).max() * (1 if "f4" in dtype or dtype == "f" else a.size)
    y, pull = mg.vjp(lambda a: mg.cumsum(a, axis), a)
    assert_allclose(y, np.cumsum(a, axis, float), rtol=np.finfo(dtype).eps, atol=rounding)
    g = np.reshape(a, y.shape)
    backwards = np.flip(np.cumsum(np.flip(g, axis), axis, float), axis)
    assert_allclose(pull(g)[0], backwards.reshape(shape), rtol=np.finfo(dtype).eps, atol=rounding)


@pytest.mark.parametrize(("shape", "axis"), [((33, 513), 1), ((600, 3, 11), 0), ((2, 8200), -1), ((17_000,), 0)])
def test_many_running_sums_of_float64_have_numpys_bits(shape, axis):
    a = RNG.normal(0, 3, shape)
    a.flat[::7], a.flat[20::999] = -0.0, np.inf
    for x in (a, np.asfortranarray(a), a.astype(">f8")):
        found, expected = mg.cumsum(x, axis), np.cumsum(x, axis)
        assert_array_equal(found, expected, strict=True)
        assert_array_equal(np.signbit(found), np.signbit(expected))


def test_what_is_not_finite_stays_in_its_row_and_behind_its_place():
    a = np.ones((32, 600), np.float32)
    a[1, 99], a[2, 40], a[2, 500], a[3, 33] = np.inf, -np.inf, np.inf, np.nan
    with np.errstate(invalid="ignore"):
        y, pull = mg.vjp(lambda a: mg.cumsum(a, 1), a)
        assert_array_equal(y, np.cumsum(a, 1))
        assert_array_equal(pull(a)[0], np.cumsum(a[:, ::-1], 1)[:, ::-1])


def test_slopes_of_a_running_product_are_precise_where_it_is_tiny_and_to_any_order():
    slope = mg.grad(lambda x: mg.cumprod(x)[-1])
    assert_allclose(slope(np.array([1e-320, 0.3, 3.7])), [0.3 * 3.7, 3.7e-320, 0.3e-320], rtol=1e-14, atol=5e-324)
    assert_allclose(slope(np.array([3e-160, 7e-161, 3.7])), [7e-161 * 3.7, 3e-160 * 3.7, 2.1e-320], rtol=1e-14)
    assert_array_equal(mg.jacobian(slope)(np.array([1e-9, 2.0, 3.0])), [[0, 3, 2], [3, 0, 1e-9], [2, 1e-9, 0]])


def test_second_derivatives_of_running_products_take_no_array_for_each_bit_of_their_length():
    x = np.random.default_rng(0).uniform(0.99, 1.01, 20_000)
    for f in (np.cumprod, np.logaddexp.accumulate):
        curvature = partial(mg.hvp, lambda x, f=f: np.sum(f(x) ** 2), x, np.ones(x.size))
        curvature()
        tracemalloc.start()
        curvature()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 60 * x.nbytes  # 160 and 180 when each step was on the tape


@pytest.mark.parametrize("dtype", [int, np.uint8])
def test_sums_between_indices_in_any_order_give_each_entry_its_g(dtype):
    x, g = np.arange(6.0), np.array([1.0, 10.0, 100.0, 1000.0])
    for indices, expected in (([3, 1, 4, 4], [0, 10, 10, 11, 1100, 1000]), ([1, 2, 4, 5], [0, 1, 10, 10, 100, 1000])):
        found = mg.grad(lambda x, i=indices: np.sum(g * np.add.reduceat(x, np.array(i, dtype))))(x)
        assert_array_equal(found, expected)
