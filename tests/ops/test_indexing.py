"""What picks entries: value and derivatives by specs, NumPy's arguments and refusals one by one."""

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support import naive
from support.agreement import array, assert_same, holds
from support.gradients import leaf
from support.specification import Specs, called

import minigrad as mg
from minigrad.ops.indexing import _names_once, _scattered
from minigrad.testing import strategies as s

specs = Specs()
spec = specs.add
tensors, two = s.tensors, s.broadcastable(2)
matrices = s.tensors(min_dims=2, max_dims=2, min_side=1)
filled = s.tensors(min_dims=1, min_side=1)  # no 0-d array, no empty one
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
    "repeat",
    called(tensors(max_side=3), st.integers(0, 3)) | s.tensors((2, 3)).map(lambda a: (a, [1, 2], 0)),
    np.repeat,
)
spec("flip", filled.flatmap(lambda a: s.axes(a.ndim).map(lambda axis: (a, axis))), np.flip)
spec("fliplr", matrices, np.fliplr, refused=(((np.ones(3),), {}, ValueError, r"two axes, not shape \(3,\)$"),))
spec("flipud", filled, np.flipud, refused=(((1.0,), {}, ValueError, r"one axis, not shape \(\)$"),))
spec(
    "rot90",
    called(matrices, st.integers(-1, 4)),
    np.rot90,
    refused=(
        ((np.ones((2, 2)), 1.5), {}, TypeError, r"k must be an int, not 1.5$"),
        ((np.ones((2, 2)), 1, (0, 1, 0)), {}, ValueError, r"axes must be two, not \(0, 1, 0\)$"),
    ),
)
spec(
    "diagonal",
    called(s.tensors(min_dims=2, max_dims=2, max_side=5), st.integers(-6, 6)),
    np.diagonal,
    refused=(((np.ones(3),), {}, ValueError, r"two axes, not shape \(3,\)$"),),
)
spec(
    "diag",
    called(matrices, st.integers(-1, 1)) | called(filled.map(np.ravel), st.integers(-2, 2)),
    np.diag,
    refused=(((np.ones((2, 2, 2)),), {}, ValueError, r"one axis or two, not shape \(2, 2, 2\)$"),),
)
spec("trace", called(matrices, st.integers(-1, 1)), np.trace)
spec("triu", called(matrices, st.integers(-2, 2)), np.triu)
spec("tril", called(matrices, st.integers(-2, 2)), np.tril)
spec(
    "take",
    called(s.tensors((3, 2)), st.sampled_from([1, [0, 2, 2], [[0, 1], [1, 1]]]), st.sampled_from([None, 0, -2])),
    np.take,
    exact=(((3.0, [0, 0], 0), [3, 3], 2),),
)
spec("delete", called(s.tensors((3, 2)), st.sampled_from([0, [0, 2]]), st.sampled_from([None, 0])), np.delete)
spec(
    "take_along_axis",
    called(s.tensors((3, 2)), st.sampled_from([[[0, 2]], [[1, 1], [2, 0]]]).map(np.array), st.just(0)),
    np.take_along_axis,
    refused=(
        ((np.ones((2, 3)), np.zeros((5, 1), int), 1), {}, ValueError, r"\(5,1\) \(2,1\)"),
        ((np.ones((2, 3)), np.zeros(2, int), 1), {}, ValueError, r"must have 2 axes, as arr has, not shape \(2,\)$"),
        ((np.ones((2, 3)), np.zeros((2, 1), bool), 1), {}, TypeError, "indices must be integers, not a mask$"),
        ((np.ones((2, 3)), np.array([[0], [3]]), 1), {}, IndexError, "index 3 is out of bounds"),
    ),
)
spec("diagflat", called(filled, st.integers(-2, 2)), np.diagflat)

spec(
    "_scattered",
    st.tuples(s.tensors((2,)), s.tensors(()), s.tensors((2,))),
    lambda a, b, c: np.array([a[0] + b, c[1], a[1], c[0]]),
    fn=lambda *arrays: _scattered(*arrays, indices=[slice(None, None, 2), 0, slice(3, None, -2)], shape=(4,)),
)

TestSpecs = specs.tests()


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (np.repeat, (2,)),
        (np.repeat, (2, 0)),
        (np.repeat, (3, 1)),
        (np.repeat, (3, -1)),
        (np.flip, ((0, 2),)),
        (np.take, ([1, 0, 1],)),
        (np.take, ([2, 0, 2], 1)),
        (np.take, ([[3, 0]], -1)),
        (np.delete, (1, 1)),
        (np.sort, ()),
        (np.sort, (None,)),
        (np.sort, (0,)),
        (np.sort, (1,)),
        (np.triu, ()),
        (np.triu, (1,)),
        (np.tril, (-1,)),
        (np.diagonal, (1, 1, 2)),
        (np.diagonal, (1, 2, 0)),
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


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint64, np.array])
@pytest.mark.parametrize("function", [np.diag, np.diagonal, np.trace])
def test_a_diagonal_is_counted_by_integers_of_any_kind(function, kind):
    for a in (array(3, 4), array(4, 3).T):
        holds(function, a, kind(1))
    if function is np.diag:
        assert_same(mg.diag(mg.tensor(array(200)), kind(100)), np.diag(array(200), 100))


def test_take_along_axis():
    a = array(2, 3)
    for axis in (0, 1, -1):
        holds(np.take_along_axis, a, np.argsort(a, axis), axis)
    holds(np.take_along_axis, a, np.array([[-1], [1]]), 1)
    holds(np.take_along_axis, a[:1], np.array([[0], [2], [0]]), 1)
    holds(np.take_along_axis, array(2, 3, 4), np.array([[[0], [1], [-1]]]), 2)
    holds(np.take_along_axis, a, np.array([5, 0, 5]), None)


BOOLEAN = np.array([True, False, True])


@pytest.mark.parametrize(
    "index", [1, np.int64(1), slice(2), None, ..., BOOLEAN, (BOOLEAN, None), (0,), (None, slice(1, 3), ...)]
)
def test_what_can_name_no_entry_twice_is_scattered_by_an_assignment(index):
    assert _names_once(index)
    holds_scattered(index)


@pytest.mark.parametrize("index", [[1, 1], np.array([0, 0]), (np.array([0, 0, 2]),), (None, [2, 2])])
def test_what_may_name_an_entry_twice_is_added(index):
    assert not _names_once(index)
    holds_scattered(index)


def holds_scattered(index):
    x = np.array([1.0, 2.0, 4.0])
    g = np.ones(x[index].shape)
    right = np.zeros(3)
    np.add.at(right, index, g)
    assert_array_equal(mg.vjp(lambda x: x[index], mg.tensor(x))[1](g)[0], right)


@pytest.mark.parametrize("repeats", [1, 3, 40])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, complex])
@pytest.mark.parametrize(
    ("index", "shape"),
    [
        (lambda i: i, (5, 12_000)),
        (lambda i: i, (5, 20)),
        (lambda i: (slice(None), i), (3, 5, 4000)),
        (lambda i: (i, i[::-1]), (5, 5, 20)),
        (lambda i: (..., i), (4, 5)),
        (lambda i: (..., i), (2, 3, 5)),
        (lambda i: (i, ...), (5, 3, 4)),
        (lambda i: (i, i[::-1]), (5, 5, 4000)),
        (lambda i: (slice(None), i, slice(None)), (3, 5, 2)),
        (lambda i: (i, slice(None), i), (5, 3, 5)),
        (lambda i: (slice(None), np.isin(np.arange(5), i)), (3, 5, 20)),
        (lambda i: (i[:1], slice(None)), (9, 20)),
        (lambda i: (np.eye(3, 5, dtype=bool), i[:3]), (3, 5, 20)),
        (lambda i: (slice(None), i, None), (3, 5)),
    ],
)
def test_rows_and_columns_are_added_back_however_often_they_are_named(index, shape, dtype, repeats):
    index = index(np.tile([0, -2, 2], repeats))
    g = np.random.default_rng(0).normal(size=np.zeros(shape)[index].shape).astype(dtype)
    right = np.zeros(shape, np.result_type(dtype, float))
    np.add.at(right, index, g)
    found = mg.vjp(lambda x: x[index], np.zeros(shape, dtype))[1](g)[0]
    assert found.dtype == dtype
    np.testing.assert_allclose(found, right, rtol=10 * np.finfo(dtype).eps, atol=20 * np.finfo(dtype).eps)


@pytest.mark.parametrize("index", [np.array([3, 1, 3, 4, 3, 1]), np.array([[2, 1], [2, 2]]), np.arange(20) // 18])
def test_long_rows_are_added_back_if_some_are_named_more_often_than_others(index):
    g = np.random.default_rng(0).normal(size=(*index.shape, 12_000))
    right = np.zeros((6, 12_000))
    np.add.at(right, index, g)
    assert_allclose(mg.ops.scatter(g, index, right.shape), right, rtol=1e-14, atol=1e-14)


def test_out_is_refused_where_entries_only_move():
    for call in (lambda t, out: np.take(t, [0, 2], out=out), lambda t, out: t.take([0, 2], out=out)):
        with pytest.raises(TypeError, match=r"^take\(.*\): got an unexpected keyword argument 'out'$"):
            call(leaf([1.5, 2.5, 3.5]), np.zeros(2))


def test_indices_may_be_tensors():
    x, index = leaf(np.arange(4.0)), mg.tensor([2])
    assert np.take(x, index).item() == 2
    assert np.take_along_axis(x, index, 0).item() == 2
    assert np.delete(x, index).shape == (3,)
    assert np.repeat(x, index).shape == (8,)


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


def test_a_few_values_are_scattered_to_many_entries():
    right = np.zeros((3, 9, 9))
    np.add.at(right, [0, 0, 2], 1.5)
    assert_array_equal(mg.ops.scatter(np.array(1.5), np.array([0, 0, 2]), (3, 9, 9)), right)
    apart = (np.array([0, 0, 2]), slice(None), np.array([1, 1, 3]))
    right = np.zeros((3, 9, 9))
    np.add.at(right, apart, 1.5)
    assert_array_equal(mg.ops.scatter(np.array(1.5), apart, (3, 9, 9)), right)


@pytest.mark.parametrize("shape", [(3, 4), (0, 4), (3, 0)])
def test_nothing_is_scattered_to_no_entries(shape):
    none = np.array([], int)
    for index in (none, (none, none), (slice(None), none), (none, slice(None)), (..., none)):
        assert_array_equal(mg.ops.scatter(np.zeros(shape)[index], index, shape), np.zeros(shape))


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


def test_the_second_derivatives_of_two_slices():
    hessian = mg.hessian(lambda x: x[0] * x[1] ** 2)(np.array([2.0, 3.0, *np.ones(6)]))
    expected = np.zeros((8, 8))
    expected[:2, :2] = [[0, 6], [6, 4]]
    assert_allclose(hessian, expected)


def test_what_is_left_after_a_deletion_is_a_copy():
    x = np.arange(4.0)
    mg.delete(x, 3)[:] = 9
    assert_array_equal(x, np.arange(4.0))


def test_an_index_of_more_axes_than_there_are_is_refused():
    for index in (((1, 2), (3, 4)), ([0, 0], 1), (np.array([0, 1]), slice(None))):
        with pytest.raises(IndexError, match=r"^scatter: too many indices for array"):
            mg.ops.scatter(np.ones(2), index, (3,))


def test_rows_that_are_picked_once_or_not_at_all():
    a = np.arange(12.0).reshape(4, 3)
    for picks in ([3, 0, 2], [[1], [0]], [], [0, 0, 3]):
        index = np.array(picks, int)
        g = np.arange(1.0, 1 + a[index].size).reshape(a[index].shape)
        expected = np.zeros_like(a)
        np.add.at(expected, index, g)
        assert_array_equal(mg.vjp(lambda a, index=index: a[index], a)[1](g)[0], expected)
    assert_array_equal(mg.ops.scatter(np.ones((1, 3)), np.array([], int), (4, 3)), np.zeros((4, 3)))
    columns = np.arange(40) % 3
    for layout in (a, np.asfortranarray(a)):
        assert_array_equal(mg.ops.getitem(layout, (slice(None), columns)), a[:, columns])
    with pytest.raises(IndexError, match="out of bounds"):
        leaf(a)[:, columns + 1]
