"""Running sums and products, against NumPy's."""

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


def with_nan(function):
    """The function, of an array with a NaN in it."""
    return lambda a, *arguments: function(np.where(a == a.ravel()[1], np.nan, a), *arguments)


spec("cumprod", calls(call(A, 1), call(A, 0), call(A), call(V), call(np.array([2.0, 0, 3, 0]))), np.cumprod)
spec("cumulative_sum", calls(call(V), call(A, axis=0), call(A, axis=-1, include_initial=True)), np.cumulative_sum)
spec("cumulative_prod", calls(call(V), call(A, axis=0), call(A, axis=-1, include_initial=True)), np.cumulative_prod)
spec("nancumsum", calls(call(A), call(A, 1)), with_nan(np.nancumsum), fn=with_nan(mg.nancumsum))
spec("nancumprod", calls(call(A), call(A, 1)), with_nan(np.nancumprod), fn=with_nan(mg.nancumprod))

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
    assert mg.grad(lambda x: np.cumprod(x, axis=0))(3.0) == 1


@pytest.mark.parametrize("function", [np.cumulative_sum, np.cumulative_prod])
def test_several_axes_need_one(function):
    with pytest.raises(ValueError, match=f"{function.__name__}: an array of 2 axes needs axis="):
        function(leaf(A))


@pytest.mark.parametrize("axis", [0, 1, -2])
def test_whole_rows_are_summed_as_numpy_does(axis):
    a = np.linspace(-1, 1, 60).reshape(3, 5, 4)
    np.testing.assert_array_equal(cumulative._summed_by_rows(a, axis, None), np.cumsum(a, axis=axis), strict=True)
    np.testing.assert_array_equal(cumulative._summed_by_rows(a[0], 0, None), np.cumsum(a[0], axis=0), strict=True)
