"""Casts and copies: value and derivatives by specs, dtypes one by one."""

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.gradients import leaf
from support.naive import scalar
from support.specification import Specs, called

import minigrad as mg
from minigrad.ops.casting import floating, in_dtype, in_inexact_dtype, inexact, narrowed, widened
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


@pytest.mark.parametrize("form", [np.asarray, leaf, mg.tensor])
def test_the_dtype_that_an_op_computes_in(form):
    for kind, due, wide in (("?", "d", "d"), ("b", "d", "d"), ("e", "e", "f"), ("f", "f", "f"), ("g", "g", "g")):
        x = np.ones(2, kind)
        x = x if kind in "?b" else form(x)
        assert floating(x).dtype == inexact(x).dtype == due
        assert kind in "?b" or floating(x) is x
        assert widened(x).dtype == wide
        assert narrowed(widened(x), x).dtype == due
        assert narrowed(np.ones(2, wide), x, x).dtype == due
    z = form(np.ones(2, "F"))
    assert inexact(z) is widened(z) is z
    with pytest.raises(TypeError, match="complex numbers are not supported"):
        floating(z)


def test_the_dtype_of_a_result_is_that_of_all_arguments_together():
    half, single, whole = (np.ones(2, kind) for kind in "efi")
    assert narrowed(single, half, leaf(half)).dtype == np.float16
    for arguments in ((single,), (half, single), (single, leaf(half)), (leaf(single),), (half, single, single)):
        assert narrowed(single, *arguments) is single
    assert narrowed(single, half, [1.0]).dtype == narrowed(single, whole).dtype == np.float64
    assert narrowed(single, 1j * single) is single  # of complex numbers it may be the size, say


def test_a_cast_that_changes_nothing_is_left_out():
    x = leaf(np.ones(2, np.float32))
    for dtype in (None, np.float32):
        assert in_dtype(x, dtype) is x
    assert in_dtype(x, np.float64).dtype == in_inexact_dtype(x, np.float64).dtype == np.float64
    assert_array_equal(in_inexact_dtype(x, complex).data, [1, 1])
    with pytest.raises(TypeError, match="dtype must be floating-point or complex, not int64"):
        in_inexact_dtype(x, np.int64)


def test_casts_of_complex_numbers_and_to_other_kinds():
    z = leaf([1j, 0])
    assert_array_equal(np.astype(z, bool).data, [True, False])
    assert_array_equal(np.astype(z, np.complex64).data, [1j, 0])
    for dtype in (float, int):
        with pytest.raises(TypeError, match=r"^astype: .* can't hold complex numbers"):
            np.astype(z, dtype)
    for dtype in (str, object, "M8[s]"):
        with pytest.raises(TypeError, match=r"^astype: a Tensor is boolean, integer, floating-point or complex, not"):
            np.astype(leaf([1.0]), dtype)
