"""What moves entries, held to NumPy's own value, its refusals, and the VJP to finite differences."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import minigrad as mg
from minigrad.operation import NUMPY
from minigrad.ops.shaping import _names_once
from minigrad.testing import check_vjp


def array(*shape):
    return np.random.default_rng(0).permutation(np.arange(1.0, np.prod(shape) + 1)).reshape(shape)


def as_tensors(argument):
    if isinstance(argument, list) and any(isinstance(a, np.ndarray) for a in argument):
        return [mg.tensor(a) for a in argument]
    return mg.tensor(argument) if isinstance(argument, np.ndarray) else argument


def holds(function, *arguments, **options):
    """NumPy's function has NumPy's value on Tensors too, and what stands for it a right VJP."""
    value = function(*map(as_tensors, arguments), **options)
    expected = function(*arguments, **options)
    if isinstance(expected, (list, tuple)):
        assert len(value) == len(expected)
        for found, right in zip(value, expected, strict=True):
            assert_same(found, right)
    else:
        assert_same(value, expected)
        ours = NUMPY[function]
        if isinstance(arguments[0], list):
            check_vjp(lambda *arrays: ours(arrays, *arguments[1:], **options), *arguments[0])
        else:
            check_vjp(ours, *arguments, **options)


def assert_same(found, right):
    assert isinstance(found, mg.Tensor)
    assert found.dtype == right.dtype
    assert_array_equal(found.data, right, strict=True)


@pytest.mark.parametrize("axes", [None, (0, -1, 1), (-1, 0, 1), (2, -3, -2), (1, 2, 0), (-2, -1, -3)])
def test_transpose(axes):
    holds(np.transpose, array(2, 3, 4), axes)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (np.ravel, ("F",)),
        (np.swapaxes, (0, -1)),
        (np.matrix_transpose, ()),
        (np.moveaxis, (0, -1)),
        (np.moveaxis, ([0, 1], [-1, 0])),
        (np.rollaxis, (2,)),
        (np.expand_dims, (1,)),
        (np.expand_dims, ((0, -1),)),
        (np.tile, (2,)),
        (np.repeat, (2,)),
        (np.roll, (1,)),
        (np.flip, ((0, 2),)),
        (np.take, ([1, 0, 1],)),
        (np.delete, (1, 1)),
        (np.sort, ()),
        (np.sort, (None,)),
        (np.sort, (0,)),
        (np.sort, (1,)),
        (np.pad, (1,)),
        (np.pad, ((1, 2),)),
        (np.pad, (((1, 0), (0, 2), (1, 1)),)),
        (np.triu, ()),
        (np.triu, (1,)),
        (np.tril, (-1,)),
        (np.diagonal, (1, 1, 2)),
        (np.trace, (-1, 0, 2)),
    ],
)
def test_of_three_axes(function, arguments):
    holds(function, array(2, 3, 4), *arguments)


def test_of_two_axes():
    holds(np.trace, array(2, 3), 1)
    holds(np.fliplr, array(2, 3))
    holds(np.flipud, array(2, 3))
    holds(np.rot90, array(2, 3), 3)
    assert_array_equal(mg.ops.flatten(array(2, 3)), array(2, 3).flatten())


def test_squeeze():
    holds(np.squeeze, array(1, 3, 1))
    holds(np.squeeze, array(1, 3, 1), -1)


@pytest.mark.parametrize("function", [np.triu, np.tril])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (3, 2), (4, 2, 3)])
@pytest.mark.parametrize("k", [-1, 0, 1])
def test_triangles(function, shape, k):
    holds(function, array(*shape), k)


@pytest.mark.parametrize("function", [np.triu, np.tril])
def test_a_triangle_selects_and_does_not_multiply(function):
    a = np.array([[np.inf, np.inf], [np.inf, 1.0]])
    assert_same(function(mg.tensor(a)), function(a))


@pytest.mark.parametrize("k", [-2, -1, 0, 1, 2])
def test_diag(k):
    holds(np.diag, array(3), k)
    holds(np.diag, array(3, 4), k)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4)])
def test_atleast(shape):
    holds(np.atleast_1d, array(*shape))
    holds(np.atleast_2d, array(*shape))


@pytest.mark.parametrize("function", [np.hstack, np.vstack, np.dstack, np.column_stack, np.stack])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4)])
def test_stacks(function, shape):
    holds(function, [array(*shape)])
    holds(function, [array(*shape), 2 * array(*shape)])


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (np.hstack, ((), (2,))),
        (np.hstack, ((3, 1), (3, 2))),
        (np.vstack, ((2,), (3, 2))),
        (np.vstack, ((1, 2), (3, 2))),
        (np.dstack, ((2,), (1, 2, 3))),
        (np.dstack, ((2, 3), (2, 3, 2))),
        (np.column_stack, ((3,), (3, 2))),
        (np.column_stack, ((), (1, 2))),
    ],
)
def test_stacks_of_unlike_arrays(function, shapes):
    holds(function, [array(*shape) for shape in shapes])


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2])
def test_stack_along_an_axis(axis):
    holds(np.stack, [array(2, 3), 2 * array(2, 3)], axis)


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_concatenate_and_append(axis):
    shapes = {None: ((2, 3), ()), 0: ((2, 3), (1, 3)), -1: ((2, 3), (2, 1))}[axis]
    holds(np.concatenate, [array(*shape) for shape in shapes], axis)
    holds(np.append, *(array(*shape) for shape in shapes), axis=axis)


@pytest.mark.parametrize("sections", [1, 2, [1, 3], [0, 2], [2, 2], [3, 9], (1,), np.array([1])])
@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (np.split, (4, 2)),
        (np.array_split, (4, 2)),
        (np.vsplit, (4, 2)),
        (np.vsplit, (4, 2, 3)),
        (np.hsplit, (4,)),
        (np.hsplit, (3, 4)),
        (np.hsplit, (3, 4, 2)),
        (np.dsplit, (3, 2, 4)),
    ],
)
def test_splits(function, shape, sections):
    holds(function, array(*shape), sections)


def test_array_split_into_unequal_pieces_along_any_axis():
    holds(np.array_split, array(5), 3)
    holds(np.array_split, array(2), 3)
    holds(np.array_split, array(2, 5), 3, axis=1)
    holds(np.split, array(2, 3, 4), 3, axis=-2)


@pytest.mark.parametrize("function", [np.split, np.array_split])
def test_a_split_is_a_slice(function):
    """An index array instead would cost a copy, and a scatter backward."""
    a = np.arange(6.0)
    for piece in NUMPY[function](a, [2, 2]):
        assert piece.base is a


@pytest.mark.parametrize("indexing", ["xy", "ij"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_meshgrid(count, indexing):
    xi = [array(n) for n in (2, 3, 4)[:count]]
    holds(np.meshgrid, *xi, indexing=indexing)
    for i in range(count):
        check_vjp(lambda *xi, i=i: NUMPY[np.meshgrid](*xi, indexing=indexing)[i], *xi)


def test_take_along_axis():
    a = array(2, 3)
    for axis in (0, 1, -1):
        holds(np.take_along_axis, a, np.argsort(a, axis), axis)
    holds(np.take_along_axis, a, np.array([5, 0, 5]), None)


def test_sort_keeps_the_order_of_ties():
    g = np.arange(40.0)
    assert_array_equal(mg.vjp(np.sort, np.zeros(40))[1](g)[0], g)


@pytest.mark.parametrize("dtype", [None, np.float32, np.float64])
def test_full_like_has_the_dtype_of_the_array_or_the_given_one(dtype):
    for a in (np.zeros((2, 3), np.float32), np.zeros(2), np.zeros(2, np.float16)):
        right = np.full_like(a, 1.5, dtype=dtype)
        assert_array_equal(np.full_like(mg.tensor(a), 1.5, dtype=dtype), right, strict=True)
        assert_same(mg.ops.full_like(a, mg.tensor(1.5), dtype), right)
        assert_same(mg.ops.full_like(mg.tensor(a), mg.tensor(1.5), dtype), right)


BOOLEAN = np.array([True, False, True])


@pytest.mark.parametrize("index", [1, np.int64(1), slice(2), None, ..., BOOLEAN, (0,), (None, slice(1, 3), ...)])
def test_what_can_name_no_entry_twice_is_scattered_by_an_assignment(index):
    assert _names_once(index)
    holds_scattered(index)


@pytest.mark.parametrize("index", [[1, 1], np.array([0, 0]), (np.array([0, 0, 2]),), (None, [2, 2]), (BOOLEAN,)])
def test_what_may_name_an_entry_twice_is_added(index):
    assert not _names_once(index)
    holds_scattered(index)


def holds_scattered(index):
    x = np.array([1.0, 2.0, 4.0])
    g = np.ones(x[index].shape)
    right = np.zeros(3)
    np.add.at(right, index, g)
    assert_array_equal(mg.vjp(lambda x: x[index], mg.tensor(x))[1](g)[0], right)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda a: np.stack([a, a[0], a[:1], a[:, :1], a[:, 0]]), ValueError,
         r"stack: the arrays must have one shape, not \(1, 3\), \(2,\), \(2, 1\), \(2, 3\), \(3,\)$"),
        (lambda a: mg.stack([]), ValueError, "stack: the arrays must have one shape, not nothing$"),
        (lambda a: np.vsplit(a[0], 3), ValueError, r"vsplit: the array must have at least two axes, not shape \(3,\)"),
        (lambda a: np.pad(a, {0: 1}), TypeError, "pad: pad_width must be a number or pairs of numbers, not a dict"),
        (lambda a: np.pad(a, 1, "edge"), ValueError, "pad: mode must be 'constant', not 'edge'"),
        (lambda a: np.reshape(a, -1, "K"), ValueError, "reshape: order must be 'C' or 'F', not 'K'"),
        (lambda a: np.ravel(a, "K"), ValueError, "reshape: order must be 'C' or 'F', not 'K'"),
        (lambda a: np.meshgrid(a[0], indexing="yx"), ValueError, "meshgrid: indexing must be 'xy' or 'ij', not 'yx'"),
        (lambda a: np.split(a, 2, axis=1), ValueError, "equal division"),
        (lambda a: np.sort(a, 2), np.exceptions.AxisError, "out of bounds"),
        (lambda a: np.expand_dims(a, 3), np.exceptions.AxisError, "out of bounds"),
        (lambda a: np.squeeze(a, 0), ValueError, "size not equal to one"),
    ],
)  # fmt: skip
def test_wrong_input_is_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call(mg.tensor(np.ones((2, 3)), requires_grad=True))
