"""What moves entries: value and derivatives by specs, NumPy's arguments and refusals one by one."""

import inspect

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support import naive
from support.gradients import leaf
from support.specification import Specs, called, drawn_from, of_list

import minigrad as mg
from minigrad.ops.shaping import _names_once
from minigrad.stand_ins import NUMPY
from minigrad.testing import check_vjp
from minigrad.testing import strategies as s
from minigrad.testing.strategies import Call

specs = Specs()
spec = specs.add
tensors, two = s.tensors, s.broadcastable(2)
matrices = s.tensors(min_dims=2, max_dims=2, min_side=1)
filled = s.tensors(min_dims=1, min_side=1)  # no 0-d array, no empty one


def reshapes(a):
    shapes = [(-1,), (a.size,), a.shape[::-1], (1, *a.shape)] if a.size else [a.shape[::-1], (1, *a.shape)]
    return st.tuples(st.sampled_from(shapes), st.sampled_from("CF"))


spec(
    "reshape",
    drawn_from(tensors(), reshapes),
    lambda a, shape, order: np.array(a).ravel(order).reshape(shape, order=order),
    refused=(
        ((np.zeros(2), 2, "A"), {}, ValueError, "order must be"),
        ((np.zeros(3), (2,)), {}, ValueError, "reshape"),
    ),
)
spec("ravel", called(tensors(), st.sampled_from("CF")), lambda a, order: np.array(a.T if order == "F" else a).flatten())
spec("flatten", tensors(), np.ravel)
spec(
    "transpose",
    drawn_from(tensors(), lambda a: st.tuples(st.none() | st.permutations(range(-a.ndim, 0)).map(tuple))),
    np.transpose,
)
spec("swapaxes", drawn_from(filled, lambda a: st.tuples(*2 * [st.integers(-a.ndim, a.ndim - 1)])), np.swapaxes)
spec("matrix_transpose", called(tensors(min_dims=2)), np.matrix_transpose)
spec("moveaxis", drawn_from(filled, lambda a: st.tuples(*2 * [st.integers(-a.ndim, a.ndim - 1)])), np.moveaxis)
spec(
    "rollaxis",
    drawn_from(filled, lambda a: st.tuples(st.integers(-a.ndim, a.ndim - 1), st.integers(0, a.ndim))),
    np.rollaxis,
)
spec("expand_dims", drawn_from(tensors(), lambda a: st.tuples(st.integers(-a.ndim - 1, a.ndim))), np.expand_dims)
spec("squeeze", tensors().map(lambda a: (a[None],)) | tensors().map(lambda a: (a[None], 0)), np.squeeze)
spec("atleast_1d", tensors(), np.atleast_1d)
spec("atleast_2d", tensors(), np.atleast_2d)
spec(
    "broadcast_to",
    drawn_from(tensors(), lambda a: st.sampled_from([((2, *a.shape),), ((1, 3, *a.shape),), (a.shape,)]))
    | s.tensors((3, 1)).map(lambda a: (a, (2, 3, 4))),
    np.broadcast_to,
)
spec(
    "broadcast_arrays",
    two,
    lambda x, y: np.stack([x + 0 * y, y + 0 * x]),
    fn=lambda x, y: mg.stack(mg.broadcast_arrays(x, y)),
)
indexed = tensors(min_dims=1).flatmap(lambda a: s.indices(a.shape).map(lambda index: (a, index)))
spec("getitem", indexed, lambda a, index: np.array(a)[index], kinks=((np.array([1.0, 2.0]), [0, 0]),))
spec(
    "scatter",
    s.shapes(min_dims=1, min_side=1).flatmap(
        lambda shape: s.indices(shape).flatmap(
            lambda index: s.tensors(np.zeros(shape)[index].shape).map(lambda a: (a, index, shape))
        )
    ),
    naive.scatter,
)
spec(
    "concatenate",
    st.tuples(s.tensors((2, 3)), s.tensors((1, 3)), s.tensors((0, 3))).map(lambda d: Call(d, {"axis": 0}))
    | st.tuples(s.tensors((2, 3)), s.tensors((2, 1))).map(lambda d: Call(d, {"axis": -1}))
    | st.tuples(s.tensors((2, 3)), s.tensors(())).map(lambda d: Call(d, {"axis": None})),
    lambda *arrays, axis: np.concatenate(arrays, axis),
    fn=lambda *arrays, axis: mg.concatenate(arrays, axis),
)
several = s.shapes(min_dims=1, max_dims=2).flatmap(lambda shape: st.tuples(s.tensors(shape), s.tensors(shape)))
for name in ["stack", "hstack", "vstack", "column_stack"]:
    spec(name, several, of_list(getattr(np, name)), fn=of_list(getattr(mg.ops, name)))
spec("append", several, np.append)


def joined(split):
    """The pieces as one array, each scaled by its own factor, so that none can stand for another."""
    return lambda a, *arguments: sum((i + 1) * np.sum(piece * piece) for i, piece in enumerate(split(a, *arguments)))


rows = st.sampled_from([2, [1, 3], [0, 2]])
for name in ["split", "array_split", "vsplit", "hsplit"]:
    spec(name, called(s.tensors((4, 2)), rows), joined(getattr(np, name)), fn=joined(getattr(mg.ops, name)))
spec("dsplit", called(s.tensors((2, 1, 4)), rows), joined(np.dsplit), fn=joined(mg.ops.dsplit))
spec("tile", called(tensors(max_side=3), st.sampled_from([2, (2, 1), (1, 3), (2, 1, 2)])), np.tile)
spec(
    "repeat",
    called(tensors(max_side=3), st.integers(0, 3)) | s.tensors((2, 3)).map(lambda a: (a, [1, 2], 0)),
    np.repeat,
)
spec("roll", called(filled, st.integers(-3, 3), st.sampled_from([None, 0, -1])), np.roll)
spec("flip", filled.flatmap(lambda a: s.axes(a.ndim).map(lambda axis: (a, axis))), np.flip)
spec("fliplr", matrices, np.fliplr)
spec("flipud", matrices, np.flipud)
spec("rot90", called(matrices, st.integers(-1, 4)), np.rot90)
spec("diagonal", called(matrices, st.integers(-1, 1)), np.diagonal)
spec("diag", called(matrices, st.integers(-1, 1)) | called(filled.map(np.ravel), st.integers(-2, 2)), np.diag)
spec("trace", called(matrices, st.integers(-1, 1)), np.trace)
spec("triu", called(matrices, st.integers(-2, 2)), np.triu)
spec("tril", called(matrices, st.integers(-2, 2)), np.tril)
spec(
    "take",
    called(s.tensors((3, 2)), st.sampled_from([1, [0, 2, 2], [[0, 1], [1, 1]]]), st.sampled_from([None, 0, -2])),
    np.take,
)
spec("delete", called(s.tensors((3, 2)), st.sampled_from([0, [0, 2]]), st.sampled_from([None, 0])), np.delete)
spec(
    "take_along_axis",
    called(s.tensors((3, 2)), st.sampled_from([[[0, 2]], [[1, 1], [2, 0]]]).map(np.array), st.just(0)),
    np.take_along_axis,
)
spec(
    "sort",
    called(s.tensors(min_dims=1, min_side=1, gap=True), st.sampled_from([None, 0, -1])),
    np.sort,
    kinks=((np.array([0.5, 0.5, -1.0]),),),
)
spec("dstack", several, of_list(np.dstack), fn=of_list(mg.ops.dstack))
grids = st.sampled_from(["xy", "ij"]).flatmap(
    lambda indexing: st.tuples(s.tensors((2,)), s.tensors((3,))).map(lambda d: Call(d, {"indexing": indexing}))
)
spec(
    "meshgrid",
    grids | s.tensors((2,)).map(lambda x: Call((x,), {"indexing": "xy"})),
    lambda *x, indexing: np.stack(np.meshgrid(*x, indexing=indexing)),
    fn=lambda *x, indexing: mg.stack(mg.ops.meshgrid(*x, indexing=indexing)),
    refused=(((np.zeros(2),), {"indexing": "yx"}, ValueError, "must be 'xy' or 'ij'"),),
)
spec("full_like", s.tensors(()).map(lambda v: (np.zeros((2, 3)), v)), np.full_like, options={"argnums": 1})

TestSpecs = specs.tests()


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
        (lambda a: np.reshape(a, -1, "K"), ValueError, "reshape: order must be 'C' or 'F', not 'K'"),
        (lambda a: np.ravel(a, "K"), ValueError, "ravel: order must be 'C' or 'F', not 'K'"),
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


@pytest.mark.parametrize(
    ("function", "name", "options"),
    [
        (np.tile, "A", {"reps": 2}), (np.repeat, "a", {"repeats": 2}), (np.roll, "a", {"shift": 1}), (np.flip, "m", {}),
        (np.fliplr, "m", {}), (np.flipud, "m", {}), (np.rot90, "m", {}), (np.diagonal, "a", {}),
        (np.take, "a", {"indices": [0]}), (np.delete, "arr", {"obj": 0}), (np.rollaxis, "a", {"axis": 1}),
    ],
)  # fmt: skip
def test_the_array_goes_by_numpys_name(function, name, options):
    a = np.arange(6.0).reshape(2, 3)
    assert_array_equal(function(**{name: leaf(a)}, **options).data, function(**{name: a}, **options))
    with pytest.raises(TypeError, match=rf"^{function.__name__}\(.*\): missing .*'{name}'$"):
        getattr(mg.ops, function.__name__)(**options)
    assert name in inspect.signature(getattr(mg.ops, function.__name__)).parameters


def test_out_is_refused_where_entries_only_move():
    for call in (lambda t, out: np.take(t, [0, 2], out=out), lambda t, out: t.take([0, 2], out=out)):
        with pytest.raises(TypeError, match=r"^take\(.*\): got an unexpected keyword argument 'out'$"):
            call(leaf([1.5, 2.5, 3.5]), np.zeros(2))


def test_indices_may_be_tensors():
    x, index = leaf(np.arange(4.0)), mg.tensor([2])
    assert np.take(x, index).item() == 2
    assert np.take_along_axis(x, index, 0).item() == 2
    assert np.delete(x, index).shape == (3,)
    assert [a.shape for a in np.split(x, index)] == [(2,), (2,)]


def test_trace_over_a_stack():
    a = np.arange(18.0).reshape(2, 3, 3)
    assert_array_equal(np.trace(leaf(a), axis1=1, axis2=2).data, np.trace(a, axis1=1, axis2=2))
    assert_array_equal(np.trace(leaf(a), 1, 1, 2).data, np.trace(a, 1, 1, 2))


@pytest.mark.parametrize("size", [3, 300])
@pytest.mark.parametrize("index", [[0, 700], [0, -301], ([0, 0], [1, 700])])
def test_scatter_refuses_an_index_that_is_out_of_bounds(size, index):
    shape = (2, size) if isinstance(index, tuple) else (size,)
    with pytest.raises(IndexError, match=r"^scatter: index -?[0-9]+ is out of bounds"):
        mg.ops.scatter(np.ones(2), index, shape)


def test_scatter_adds_float16_in_a_wider_dtype():
    """Added one by one, 4096 times 0.1 is 256 in float16."""
    a, index = np.full(4096, 0.1, np.float16), np.zeros(4096, int)
    (total,) = mg.ops.scatter(a, index, (1,))
    assert_allclose(total, 4096 * float(a[0]), rtol=1e-3)


@pytest.mark.parametrize(
    "index", [np.array([3, -97, 3]), (np.array([0, 1, 0]), np.array([5, -1, 5])), np.uint8([3, 3, 9])]
)
def test_a_few_rows_of_a_large_array_are_added_where_they_meet(index):
    out, a = np.zeros((100, 100, 4)), np.ones((*np.zeros((100, 100, 4))[index].shape,), np.float32)
    np.add.at(out, index, a)
    assert_array_equal(mg.ops.scatter(a, index, out.shape), out.astype(np.float32))


def test_a_shift_of_several_axes_is_refused():
    with pytest.raises(ValueError, match=r"roll: shift must be an int or a sequence of ints, not of shape \(1, 2\)"):
        mg.roll(np.zeros(3), [[1, 2]], 0)


def test_a_few_values_are_scattered_to_many_entries():
    right = np.zeros((3, 9, 9))
    np.add.at(right, [0, 0, 2], 1.5)
    assert_array_equal(mg.ops.scatter(np.array(1.5), np.array([0, 0, 2]), (3, 9, 9)), right)


@pytest.mark.parametrize("shape", [300, np.array(300), (300,), (300, 4), (300, 1)])
@pytest.mark.parametrize("a", [np.array([1.0, 2.0]).reshape(2, 1), np.ones((1, 1))])
def test_scatter_takes_a_shape_in_any_form_and_broadcasts(a, shape):
    index = np.array([3, 3])
    out, a = np.zeros(shape), a if np.ndim(np.zeros(shape)) == 2 else a[:, 0]
    np.add.at(out, index, a)
    assert_array_equal(mg.ops.scatter(a, index, shape), out)


def test_an_index_of_tuples_has_a_gradient():
    x = np.arange(64.0).reshape(4, 4, 4)
    _, pullback = mg.vjp(lambda x: x[(0, 1, 0), (3, 3, 3)], x)
    expected = np.zeros((4, 4, 4))
    expected[0, 3], expected[1, 3] = 2, 1
    assert_array_equal(pullback(np.ones((3, 4)))[0], expected)
