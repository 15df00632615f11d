"""Entries in order, against NumPy's."""

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.gradients import leaf
from support.specification import Specs, call, called, calls

import minigrad as mg
from minigrad.testing import strategies as s

specs = Specs()
spec = specs.add

RNG = np.random.default_rng(0)
A = RNG.permuted(np.arange(24.0)).reshape(2, 3, 4) / 8

spec(
    "sort",
    called(s.tensors(min_dims=1, min_side=1, gap=True), st.sampled_from([None, 0, -1])),
    np.sort,
    kinks=((np.array([0.5, 0.5, -1.0]),),),
    refused=(((np.ones(3),), {"kind": "quicksort", "stable": True}, ValueError, "Use only one of them"),),
)
spec(
    "partition",
    calls(call(A, 1), call(A, 2, 1), call(A, 5, None)),
    lambda a, k, axis=-1: np.take_along_axis(a, np.argpartition(a, k, axis), axis),
)
spec("sort_complex", calls(call(RNG.normal(size=6))), np.sort_complex, order=1, opt_outs={"float32": "is complex128"})

TestSpecs = specs.tests()


def test_sort_along_an_axis_that_is_not_there():
    with pytest.raises(np.exceptions.AxisError, match="out of bounds"):
        np.sort(mg.tensor(np.ones((2, 3)), requires_grad=True), 2)


def test_sort_keeps_the_order_of_ties():
    g = np.arange(40.0)
    assert_array_equal(mg.vjp(np.sort, np.zeros(40))[1](g)[0], g)


@pytest.mark.parametrize("axis", [0, 1, -1, None])
@pytest.mark.parametrize("dtype", [np.float32, complex])
@pytest.mark.parametrize(("values", "part"), [(4, 0.1), (4, 0), (1000, 0), (1000, 0.01)])
def test_ties_keep_their_order_along_every_axis(axis, dtype, values, part):
    a = RNG.integers(0, values, (5, 40, 3)).astype(dtype) * RNG.choice([-1, 1], (5, 40, 3))  # 0 and -0 tie
    a[RNG.uniform(size=a.shape) < part] = np.nan
    g = RNG.normal(size=np.sort(a, axis).shape)
    gradient = mg.vjp(lambda a: np.sort(a, axis), a)[1](g)[0]
    order = np.argsort(a, axis, kind="stable")
    assert_array_equal(np.take_along_axis(gradient, order, axis), g)


def test_orders_of_tensors_and_of_real_numbers():
    for kth in (2, mg.tensor(2), [0, 3]):
        found = np.partition(leaf(A), kth).data
        assert_array_equal(np.sort(found), np.sort(A))
        assert_array_equal(found[..., kth], np.sort(A)[..., kth])
    for dtype in (np.float32, np.int8, np.complex64):
        a = np.array([3, 1, 2], dtype)
        assert_array_equal(np.sort_complex(mg.tensor(a)).data, np.sort_complex(a), strict=True)
