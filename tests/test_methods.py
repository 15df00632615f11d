"""Operators, comparisons and methods of Tensors: what they give is what NumPy gives for the arrays."""

import operator

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import minigrad as mg
from minigrad import _methods


def leaf(value):
    return mg.tensor(value, requires_grad=True)


A = np.array([[3.0, 1.0, 2.0], [1.0, 3.0, 3.0]])
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]
OTHERS = [
    2,
    2.0,
    True,
    np.float32(1),
    np.array(3),
    A[::-1],
    A[0],
    [3.0, 1.0, 1.0],
    [[2], [3]],
    np.array([np.nan, 1, 2]),
]


@pytest.mark.parametrize("compare", COMPARISONS)
@pytest.mark.parametrize("other", OTHERS)
def test_comparisons_are_those_of_arrays(compare, other):
    for t in (leaf(A), mg.tensor(A)):
        for given in (other, leaf(np.array(other, float)), mg.tensor(other)):
            for found, expected in ((compare(t, given), compare(A, other)), (compare(given, t), compare(other, A))):
                assert type(found) is np.ndarray
                assert_array_equal(found, expected, strict=True)


@pytest.mark.parametrize("other", [None, "a", "", "3.0"])
def test_a_tensor_equals_neither_none_nor_text(other):
    t = leaf(A)
    assert (t == other) is False
    assert (t != other) is True
    assert (other == t) is False
    assert (other != t) is True
    assert other not in [t]


BOTH = [np.array([[5, 12, 7], [1, 255, 3]]), np.array([3, 1, 2])]
BITWISE = [operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift]


@pytest.mark.parametrize("op", BITWISE)
def test_bitwise_operators_are_those_of_arrays(op):
    a, b = BOTH
    for x, y in ((mg.tensor(a), b), (mg.tensor(a), mg.tensor(b)), (a, mg.tensor(b))):
        assert_array_equal(op(x, y), op(a, b), strict=True)
    assert_array_equal(op(2, mg.tensor(b)), op(2, b), strict=True)
    assert_array_equal(~mg.tensor(a), ~a, strict=True)


PLAIN = [  # methods that give plain arrays, with their arguments
    *((name, arguments) for name in ("any", "all", "argmax", "argmin") for arguments in ((), (0,), (-1,), (None,))),
    *(("argsort", arguments) for arguments in ((), (0,), (1,), (None,))),
    ("argpartition", (1,)), ("argpartition", (1, 0)), ("nonzero", ()),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), PLAIN)
def test_methods_without_a_gradient_give_plain_arrays(name, arguments):
    a = np.array([[3.0, 0.0, 2.0], [0.0, 0.0, 1.0]])
    options = [{}, {"keepdims": True}, {"keepdims": False}] if name in ("any", "all", "argmax", "argmin") else [{}]
    for given in options:
        found, expected = (getattr(x, name)(*arguments, **given) for x in (leaf(a), a))
        for f, e in zip(found, expected, strict=True) if name == "nonzero" else [(found, expected)]:
            assert_array_equal(f, e, strict=True)
            assert type(f) is type(e)


@pytest.mark.parametrize("v", [1.5, [1.0, 4.0], np.array([[2.0]])])
@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted_takes_tensors(v, side):
    a, order = np.array([3.0, 1.0, 2.0, 1.5]), np.array([1, 3, 2, 0])
    for given in (v, mg.tensor(v), leaf(v)):
        found = leaf(a).searchsorted(given, side, order)
        assert_array_equal(found, a.searchsorted(v, side, order), strict=True)


B = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize(
    "axes", [(), (None,), (1, 2, 0), ((2, 0, 1),), ([0, 2, 1],), (np.array([1, 0, 2]),), (-1, np.int64(0), 1)]
)
def test_transpose_is_that_of_arrays(axes):
    assert_array_equal(leaf(B).transpose(*axes).data, B.transpose(*axes))
    assert_array_equal(leaf(B).transpose(()).data, B.T)


@pytest.mark.parametrize("axis", [0, -1, np.int64(0), np.array(0), (0,)])
def test_transpose_of_a_vector_takes_its_axis(axis):
    assert_array_equal(leaf(A[0]).transpose(axis).data, A[0])


@pytest.mark.parametrize("axis", [0, np.array(0), 1.5])
def test_transpose_to_fewer_axes_is_refused(axis):
    with pytest.raises((ValueError, TypeError), match=r"^transpose: axes (don't match array|must be a tuple of ints)"):
        leaf(B).transpose(axis)


def test_shapes_orders_and_casts_are_those_of_arrays():
    t = leaf(B)
    for shape in ((4, 6), ((4, 6),), (-1,), ([2, 12],), (np.int64(24),)):
        for order in ("C", "F"):
            assert_array_equal(t.reshape(*shape, order=order).data, B.reshape(*shape, order=order))
        assert_array_equal(t.view(*shape).data, B.reshape(*shape))
    assert_array_equal(t.view().data, B)
    assert t.astype("f4").dtype == np.float32
    assert t.astype("f4", casting="same_kind").dtype == np.float32
    with pytest.raises(TypeError, match=r"^astype: a cast of float64 to float32 is not 'safe'$"):
        t.astype("f4", casting="safe")
    with pytest.raises(TypeError, match=r"^astype: a cast of float64 to int64 is not 'same_kind'$"):
        t.astype("i8", casting="same_kind")
    assert_array_equal(t.compress([True, False, True], 1).data, B.compress([True, False, True], 1))
    z = np.array([1 + 2j, 3 - 1j])
    assert_array_equal(mg.tensor(z).real.data, z.real)
    assert_array_equal(mg.tensor(z).imag.data, z.imag)


def test_a_method_takes_the_calls_of_numpys_function_as_well():
    def argmax(self, axis=None):
        return self.data.argmax(axis) + 10

    method = _methods._as(np.argmax)(argmax)
    t = mg.tensor(A)
    assert method(t, 1).tolist() == [10, 11]
    assert method(t, 1, keepdims=True).tolist() == [[0], [1]]
    assert method.__name__ == "argmax"


@pytest.mark.parametrize("copied", [lambda t: t.copy("x"), lambda t: t.astype(float, order="x")])
def test_an_order_that_numpy_does_not_know_is_refused(copied):
    for x in (A, leaf(A)):
        with pytest.raises(ValueError, match="order must be one of"):
            copied(x)
