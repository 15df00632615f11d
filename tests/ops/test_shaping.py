"""What moves entries: value and derivatives by specs, NumPy's arguments and refusals one by one."""

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view as view
from numpy.testing import assert_allclose, assert_array_equal
from support.agreement import array, assert_same, holds
from support.gradients import leaf
from support.specification import Specs, called, drawn_from

import minigrad as mg
from minigrad.ops.shaping import _over_windows
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
spec("flatten", called(tensors(), st.sampled_from("CF")), lambda a, order: np.array(a).flatten(order))
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
spec("tile", called(tensors(max_side=3), st.sampled_from([2, (2, 1), (1, 3), (2, 1, 2)])), np.tile)
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
spec("atleast_3d", tensors(), np.atleast_3d)

spec(
    "sliding_window_view",
    drawn_from(s.tensors((3, 4)), lambda a: st.sampled_from([(2, 1), ((2, 3),), ((2, 1), (1, 0)), ((2, 2), (0, 0))])),
    view,
)
spec(
    "_over_windows",
    s.tensors((3, 2, 2)),
    lambda g: np.pad(np.array(g)[..., 0], ((0, 1), (0, 0))) + np.pad(np.array(g)[..., 1], ((1, 0), (0, 0))),
    fn=lambda g: _over_windows(g, sizes=(2,), axes=(0,), shape=(4, 2)),
)
TestSpecs = specs.tests()


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
    ],
)
def test_of_three_axes(function, arguments):
    holds(function, array(2, 3, 4), *arguments)


def test_flatten():
    assert_array_equal(mg.ops.flatten(array(2, 3)), array(2, 3).flatten())


def test_squeeze():
    holds(np.squeeze, array(1, 3, 1))
    holds(np.squeeze, array(1, 3, 1), -1)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4)])
def test_atleast(shape):
    holds(np.atleast_1d, array(*shape))
    holds(np.atleast_2d, array(*shape))


@pytest.mark.parametrize("function", [np.atleast_1d, np.atleast_2d, np.atleast_3d])
def test_atleast_of_several_is_a_tuple(function):
    x = np.array([1.0, 2.0])
    found = function(leaf(x), 3.0)
    assert type(found) is tuple
    for ours, expected in zip(found, function(x, 3.0), strict=True):
        assert_array_equal(getattr(ours, "data", ours), expected)
    found[0].sum().backward()
    assert function() == ()


def test_an_open_mesh_keeps_the_gradient():
    x, w = np.array([1.0, 2.0]), np.array([[3.0], [5.0]])
    assert_array_equal(mg.grad(lambda x: np.sum(np.ix_(x, [1, 2])[0] * w))(x), [3.0, 5.0])
    assert isinstance(np.ix_(mg.tensor([0, 1]), [1])[0], np.ndarray)  # an index


@pytest.mark.parametrize("indexing", ["xy", "ij"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_meshgrid(count, indexing):
    xi = [array(n) for n in (2, 3, 4)[:count]]
    holds(np.meshgrid, *xi, indexing=indexing)
    for i in range(count):
        check_vjp(lambda *xi, i=i: NUMPY[np.meshgrid](*xi, indexing=indexing)[i], *xi)


@pytest.mark.parametrize("dtype", [None, np.float32, np.float64])
def test_full_like_has_the_dtype_of_the_array_or_the_given_one(dtype):
    for a in (np.zeros((2, 3), np.float32), np.zeros(2), np.zeros(2, np.float16)):
        right = np.full_like(a, 1.5, dtype=dtype)
        assert_array_equal(np.full_like(mg.tensor(a), 1.5, dtype=dtype), right, strict=True)
        assert_same(mg.ops.full_like(a, mg.tensor(1.5), dtype), right)
        assert_same(mg.ops.full_like(mg.tensor(a), mg.tensor(1.5), dtype), right)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda a: np.reshape(a, -1, "K"), ValueError, "reshape: order must be 'C' or 'F', not 'K'"),
        (lambda a: np.reshape(a, 3, 2), ValueError, "order must be 'C' or 'F', not 2: give the shape as one tuple"),
        (lambda a: np.ravel(a, "K"), ValueError, "ravel: order must be 'C' or 'F', not 'K'"),
        (lambda a: np.meshgrid(a[0], indexing="yx"), ValueError, "meshgrid: indexing must be 'xy' or 'ij', not 'yx'"),
        (lambda a: np.expand_dims(a, 3), np.exceptions.AxisError, "out of bounds"),
        (lambda a: np.squeeze(a, 0), ValueError, "size not equal to one"),
    ],
)  # fmt: skip
def test_wrong_input_is_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call(mg.tensor(np.ones((2, 3)), requires_grad=True))


def test_grids_without_copies():
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0])
    for indexing in ("xy", "ij"):
        for sparse in (False, True):
            given = np.meshgrid(leaf(x), leaf(y), sparse=sparse, indexing=indexing, copy=False)
            for ours, theirs in zip(given, np.meshgrid(x, y, sparse=sparse, indexing=indexing), strict=True):
                assert_array_equal(ours.data, theirs)


@pytest.mark.parametrize("reps", [2, (2, 1), (1, 3), (2, 1, 3), (0, 2), [3], mg.tensor([2, 1, 3]), (1, 2, 1, 3)])
def test_tiles(reps):
    plain = getattr(reps, "data", reps)
    for shape in ((), (3,), (2, 3), (2, 3, 4)):
        assert_same(np.tile(leaf(array(*shape)), reps), np.tile(array(*shape), plain))


@pytest.mark.parametrize("start", [0, 1, 2, 3, -1, -3])
@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_axes_are_rolled_as_by_numpy(axis, start):
    assert_same(np.rollaxis(leaf(array(2, 3, 4)), axis, start), np.rollaxis(array(2, 3, 4), axis, start))


@pytest.mark.parametrize("source", [0, 1, -1, (0, 1), (2, 0), (-1, 0, 1)])
def test_axes_are_moved_as_by_numpy(source):
    for destination in (-1, 1, 0, (0, 2), (-1, 0), (1, 2, 0)):
        if np.ndim(source) == np.ndim(destination) and np.size(source) == np.size(destination):
            assert_same(
                np.moveaxis(leaf(array(2, 3, 4)), source, destination), np.moveaxis(array(2, 3, 4), source, destination)
            )


@pytest.mark.parametrize("name", ["atleast_1d", "atleast_2d", "atleast_3d"])
def test_several_arrays_with_at_least_some_axes(name):
    numpy, ours = getattr(np, name), getattr(mg, name)
    given = [np.array(2.0), np.arange(3.0), [1.0, 2.0], np.ones((2, 3)), np.ones((2, 1, 3)), np.ones((0, 2)), 4.0]
    for found in (numpy(mg.tensor(2.0), *given[1:]), ours(*given)):
        assert type(found) is tuple
        for part, expected in zip(found, numpy(*given), strict=True):
            assert_array_equal(part, expected, strict=True)
    assert ours() == numpy()
    assert_array_equal(ours([1.0, 2.0]), numpy([1.0, 2.0]), strict=True)
    t = mg.tensor([1.0, 2.0], requires_grad=True)
    sum(np.sum(part**2) for part in numpy(t, 3.0, t)).backward()
    assert_array_equal(t.grad, [4.0, 8.0])


@pytest.mark.parametrize(("sizes", "axes"), [((2,), 0), ((2, 3), (1, 0)), ((2, 2), (0, 0)), ((4, 5), None)])
def test_each_entry_gets_the_sum_over_its_windows(sizes, axes):
    x = np.arange(20.0).reshape(4, 5)
    g = np.random.default_rng(0).normal(size=view(x, sizes, axes).shape)
    expected = np.zeros(x.size)
    np.add.at(expected, view(np.arange(20).reshape(4, 5), sizes, axes), g)
    for dtype in (np.float32, np.float64):
        t = leaf(x.astype(dtype))
        view(t, sizes, axes).backward(g.astype(dtype))
        assert t.grad.dtype == dtype
        assert_allclose(t.grad.ravel(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble, np.complex64, np.int8])
def test_a_large_transposed_matrix_in_another_shape_is_numpys(dtype):
    x = (np.arange(128.0 * 1024) % 113).astype(dtype).reshape(128, 1024)
    for shape in (-1, (64, 2048), (1024, 16, 8), (1024, 128)):
        found = mg.reshape(x.T, shape)
        assert_array_equal(found, np.reshape(x.T, shape), strict=True)
        assert np.shares_memory(found, x) == np.shares_memory(np.reshape(x.T, shape), x)
    with pytest.raises(ValueError, match=r"^reshape: cannot reshape array of size 131072 into shape \(3,7\)"):
        mg.reshape(x.T, (3, 7))


def test_windows_of_an_array_are_a_copy():
    x = np.arange(4.0)
    mg.sliding_window_view(x, 2)[:] = 0
    assert_array_equal(x, np.arange(4.0))


def test_how_often_an_array_is_repeated_may_be_true_but_no_float():
    x = np.array([1.0, 2.0])
    assert_array_equal(mg.grad(lambda x: np.sum(np.tile(x, (3, True))))(x), [3, 3])
    with pytest.raises(TypeError, match=r"^tile: reps must be an int or a tuple of ints, not 1\.0$"):
        np.tile(mg.tensor(x, requires_grad=True), 1.0)
