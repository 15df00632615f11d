"""Casts and copies: value and derivatives by specs, dtypes one by one."""

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.gradients import leaf
from support.naive import scalar
from support.specification import Specs, called

import minigrad as mg
from minigrad.testing import strategies as s

specs = Specs()
spec = specs.add
spec("copy", s.tensors(domain=(-2, 2)), scalar(float))
spec(
    "astype",
    called(s.tensors(), st.just(np.float64)),
    lambda x, dtype: x,
    opt_outs={"float32": "its result has the dtype that was asked for"},
)

TestSpecs = specs.tests()


def test_astype_of_arrays():
    assert mg.astype(np.array([1.5, -1.5]), int).tolist() == [1, -1]
    assert mg.astype(leaf([1.5]), bool).data.tolist() == [True]


@pytest.mark.parametrize("x", [1.5, [1.5], np.float64(1.5), [[1.5], [2.5]]])
@pytest.mark.parametrize("dtype", [int, np.float32])
def test_astype_of_what_is_no_array(x, dtype):
    result = mg.astype(x, dtype)
    assert_array_equal(result, np.asarray(x, dtype))
    assert result.dtype == dtype


@pytest.mark.parametrize("data", [[True, False], [1, 2], [1.5], 2.0])
def test_a_copy_of_any_dtype_has_memory_of_its_own(data):
    t = mg.tensor(data)
    for made in (t.copy(), np.copy(t), mg.copy(t)):
        assert_array_equal(made.data, t.data)
        assert made.dtype == t.dtype
        assert not np.shares_memory(made.data, t.data)
