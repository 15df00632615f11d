"""Operators on Tensors, in place and not, and the rows of a table of ops."""

import operator
from contextlib import ExitStack
from unittest.mock import patch

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import minigrad as mg
from minigrad import elementwise
from minigrad.elementwise import in_place, operators

BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.mod, operator.floordiv]
IN_PLACE = [
    operator.iadd,
    operator.isub,
    operator.imul,
    operator.itruediv,
    operator.ipow,
    operator.imod,
    operator.ifloordiv,
]
A, B = np.array([1.5, 2.0, 7.25]), np.array([2.0, 3.5, 0.5])


def leaf(value):
    return mg.tensor(value, requires_grad=True)


@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_operators_are_those_of_arrays(op, dtype):
    a = A.astype(dtype)
    for y in (B, leaf(B), B.tolist(), 3, 0.7, np.float32(0.7), np.float64(0.7), np.int64(3), np.array(2.0)):
        y_array = y.data if isinstance(y, mg.Tensor) else np.array(y) if isinstance(y, list) else y
        for found, expected in ((op(leaf(a), y), op(a, y_array)), (op(y, leaf(a)), op(y_array, a))):
            assert isinstance(found, mg.Tensor)
            assert_array_equal(found.data, expected, strict=True)
    swapped = [method(leaf(A), leaf(B)).data for method in operators(mg.ops.subtract)]
    assert_array_equal(swapped, [A - B, B - A])


@pytest.mark.parametrize("update", [*IN_PLACE, operator.imatmul])
def test_a_result_is_rebound_and_its_other_names_keep_the_old_value(update):
    a, b = (A, B) if update is not operator.imatmul else (np.outer(A, B), np.outer(B, A) + np.eye(3))
    expected = update(a.copy(), b) if update is not operator.imatmul else a @ b
    for recorded in (True, False):
        h = old = leaf(a) * 1
        with mg.no_grad() if not recorded else mg.scope("recorded"):
            h = update(h, leaf(b))
        assert h is not old
        assert h.requires_grad is recorded
        assert_array_equal(h.data, expected)
        assert_array_equal(old.data, a)


@pytest.mark.parametrize("update", IN_PLACE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_leaf_under_no_grad_is_updated_as_an_array_is(update, dtype):
    """To the last bit: a Python number takes the dtype of the array."""
    a = np.random.default_rng(0).uniform(1, 2, 300).astype(dtype)
    b = (a[::-1] + 0.3).astype(dtype)
    for y in (0.1, 3, b, b.tolist(), np.float32(0.7), leaf(b), mg.tensor(b[:1])):
        expected, w = a.copy(), leaf(a)
        expected = update(expected, np.array(y) if isinstance(y, list) else y.data if isinstance(y, mg.Tensor) else y)
        with mg.no_grad():
            same = update(w, y)
        assert same is w
        assert_array_equal(w.data, expected, strict=True)


def test_a_leaf_takes_no_update_that_does_not_fit():
    w = leaf([1.0, 2.0])
    with mg.no_grad():
        for y, kind in (
            (np.ones(3), ValueError),
            (1j, TypeError),
            ("a", TypeError),
            (None, TypeError),
            ([1.0, [2.0]], ValueError),
            (np.ma.array([1.0, 2.0], mask=[0, 1]), TypeError),
        ):
            with pytest.raises(kind, match=r"^add: "):
                w += y
    assert w.tolist() == [1, 2]


def test_a_row_of_a_table_is_an_op():
    table = {}
    made = elementwise.elementwise(
        np.hypot, "sqrt(x1^2 + x2^2)", name="length", table=table, x1=None, x2=lambda g, out, x1, x2: g * x2 / out
    )
    assert table == {np.hypot: made}
    assert (made.__name__, made.__doc__, str(made.__signature__)) == (
        "length",
        "sqrt(x1^2 + x2^2)",
        "(x1: 'Array', x2: 'Array') -> 'Array'",
    )
    x = leaf(4.0)
    y = made(3.0, x)
    y.backward()
    assert (y.item(), x.grad) == (5, 0.8)
    with pytest.raises(TypeError, match=r"^length has no VJP for its argument 'x1'"):
        made(x, 1.0)
    with patch.dict(elementwise.stand_ins.NUMPY):
        by_default = elementwise.elementwise(np.ldexp, "", x1=None, x2=None)
        assert elementwise.stand_ins.NUMPY[np.ldexp] is by_default
    assert elementwise.elementwise(np.hypot, "", table=table, x1=None, x2=None).__name__ == "hypot"


def test_operators_in_place_are_made_of_an_op_and_a_ufunc():
    method = in_place(mg.ops.subtract, np.subtract)
    w, h = leaf([3.0]), leaf([3.0]) * 1
    assert method(h, 1.0).tolist() == [2]
    with mg.no_grad():
        assert method(w, 1.0) is w
    assert w.tolist() == [2]
    with pytest.raises(TypeError, match=r"^subtract: a leaf that needs a gradient"):
        method(w, 1.0)


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.iadd, operator.isub])
def test_an_operator_takes_sequences_and_names_what_holds_no_numbers(operation):
    for given in ([1, 2], (1.0, 2.0)):
        for y in (operation(mg.tensor([3.0, 4.0]), given), operation(leaf([3.0, 4.0]) * 1, given)):
            assert type(y) is mg.Tensor
            assert y.tolist() == [operation(3.0, given[0]), operation(4.0, given[1])]
    y = operator.add([1, 2], leaf([3.0, 4.0]))
    assert (type(y), y.tolist()) == (mg.Tensor, [4, 6])
    for given in (None, "a", object()):
        with pytest.raises(TypeError, match=r"^(add|subtract): x2 must hold numbers, not "):
            operation(mg.tensor([3.0, 4.0]), given)
        with pytest.raises(TypeError, match=r"^add: x1 must hold numbers, not "):
            given + leaf([3.0, 4.0])


def outcome(f, x, y):
    """What a call gives and records, or what it raises."""
    try:
        tensor = f(x, y)
    except (FloatingPointError, ValueError) as error:
        return str(error)
    node = tensor.node and (tensor.node.op, tensor.node.parents, tensor.node.scope, hasattr(tensor.node, "seen"))
    return type(tensor.data), str(tensor.tolist()), tensor.dtype, node


def scope():
    return mg.scope("s")


def timed():
    return mg.debug(time=True)


@pytest.mark.parametrize(
    "settings", [(), (scope,), (mg.no_grad,), (mg.debug,), (scope, timed), (scope, mg.no_grad, mg.debug)]
)
def test_an_operator_does_what_its_op_does_whatever_is_in_force(settings):
    x, y, other = leaf(A), mg.tensor(B), leaf(B)
    pairs = [
        (x, y),
        (y, x),
        (x, x),
        (x, other),
        (x, 2.0),
        (2, x),
        (y, 2.0),
        (y, y),
        (x, np.nan),
        (np.inf, y),
        (leaf(2.0), 3.0),
        (x, leaf(np.ones(2))),
    ]
    with ExitStack() as stack:
        for setting in settings:
            stack.enter_context(setting())
        for a, b in pairs:
            assert outcome(operator.sub, a, b) == outcome(mg.subtract, a, b)


class Column:
    """Has NumPy's protocols, but no operators."""

    def __array__(self, dtype=None, copy=None):
        return np.array(B, dtype)

    def __array_ufunc__(self, *_, **__):
        return "of the column"


def test_an_operand_without_operators_is_an_array():
    for found, expected in ((leaf(A) - Column(), A - B), (Column() - leaf(A), B - A)):
        assert_array_equal(found.data, expected, strict=True)


def test_operators_of_large_tensors_are_those_of_small_ones():
    x = leaf(np.full(elementwise.LARGE // 8 + 1, 3.0))
    assert set((x - 1.0).tolist()) == {2.0}
    assert set((1.0 - x).tolist()) == {-2.0}


def test_a_call_of_an_operator_that_does_not_fit_names_its_op():
    with pytest.raises(TypeError, match=r"^power\(\) takes 2 positional arguments"):
        pow(mg.tensor(np.ones(2)), 2, 3)
    with pytest.raises(TypeError, match=r"^add\(\) missing"):
        mg.Tensor.__iadd__(mg.tensor(np.ones(2)))
