"""What joins arrays and cuts them up: value and derivatives by specs, NumPy's arguments and refusals one by one."""

import time

import numpy as np
import pytest
from hypothesis import strategies as st
from support.agreement import array, assert_same, holds
from support.gradients import leaf
from support.specification import Specs, called, of_list

import minigrad as mg
from minigrad.ops.joining import _put_back
from minigrad.stand_ins import NUMPY
from minigrad.testing import strategies as s
from minigrad.testing.strategies import Call

specs = Specs()
spec = specs.add
tensors, two = s.tensors, s.broadcastable(2)
filled = s.tensors(min_dims=1, min_side=1)  # no 0-d array, no empty one
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
spec(
    "_put_back",
    s.tensors((5,)),
    lambda g: np.array([g[2], g[3], g[0] + g[4], g[1], 0]),
    fn=lambda g: _put_back(g, runs=[(2, 4), (0, 3)], axis=0, size=5),
)
spec("roll", called(filled, st.integers(-3, 3), st.sampled_from([None, 0, -1])), np.roll)
spec("dstack", several, of_list(np.dstack), fn=of_list(mg.ops.dstack))
spec(
    "unstack",
    called(s.tensors((2, 3, 2)), axis=st.sampled_from([0, 1, -1])),
    lambda x, axis=0: np.moveaxis(x, axis, 0),
    fn=lambda x, axis=0: np.stack(mg.unstack(x, axis=axis)),
)

TestSpecs = specs.tests()


@pytest.mark.parametrize("length", [8, 9, 17, 3000])
def test_unstack_of_a_long_axis(length):
    x = mg.tensor(np.arange(2.0 * length).reshape(2, length), requires_grad=True)
    slices = mg.unstack(x, axis=1)
    assert_same(np.stack(slices), x.data.T)
    sum((i + 1) * t.sum() for i, t in enumerate(slices)).backward()
    assert np.array_equal(x.grad, np.tile(np.arange(1.0, length + 1), (2, 1)))


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


def test_an_integer_is_appended_in_a_dtype_that_holds_it():
    small = np.array([1], np.int8)
    appended = np.append(mg.tensor(small), 1000)
    assert appended.tolist() == [1, 1000]
    assert appended.dtype == np.append(small, 1000).dtype
    assert np.append(mg.tensor([1.0], dtype=np.float32), 2).dtype == np.float32
    assert mg.grad(lambda x: mg.append(small, x)[-1])(np.array([2.0])) == 1


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_concatenate_and_append(axis):
    shapes = {None: ((2, 3), ()), 0: ((2, 3), (1, 3)), -1: ((2, 3), (2, 1))}[axis]
    holds(np.concatenate, [array(*shape) for shape in shapes], axis)
    holds(np.append, *(array(*shape) for shape in shapes), axis=axis)


def test_concatenate_casts_as_numpy_does():
    t = leaf(array(2, 3))
    for function in (np.concatenate, np.stack, np.hstack, mg.concatenate):
        assert function([t, t], dtype=np.float32, casting="unsafe").dtype == np.float32
        assert function([t, t], casting="same_kind").dtype == np.float64
        with pytest.raises(TypeError, match=rf"^{function.__name__}: a cast of float64 to float32 is not 'safe'$"):
            function([t, t], dtype=np.float32, casting="safe")
        with pytest.raises(TypeError, match=rf"^{function.__name__}: a cast of float64 to int64 is not 'same_kind'$"):
            function([t, t], dtype=int)


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


@pytest.mark.parametrize(("name", "axis"), [("hsplit", 1), ("dsplit", 2), ("split", 0), ("array_split", 0)])
def test_a_split_names_the_axis_that_is_missing(name, axis):
    with pytest.raises(ValueError, match=f"^{name}: axis {axis} is out of bounds for array of dimension 0"):
        getattr(np, name)(mg.tensor(1.0), 1)


@pytest.mark.parametrize("function", [np.split, np.array_split])
def test_a_split_is_a_slice(function):
    """An index array instead would cost a copy, and a scatter backward."""
    a = np.arange(6.0)
    for piece in NUMPY[function](a, [2, 2]):
        assert piece.base is a


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda a: np.stack([a, a[0], a[:1], a[:, :1], a[:, 0]]), ValueError,
         r"stack: the arrays must have one shape, not \(1, 3\), \(2,\), \(2, 1\), \(2, 3\), \(3,\)$"),
        (lambda a: mg.stack([]), ValueError, "stack: the arrays must have one shape, not nothing$"),
        (lambda a: np.vsplit(a[0], 3), ValueError, r"vsplit: the array must have at least two axes, not shape \(3,\)"),
        (lambda a: np.split(a, 2, axis=1), ValueError, "equal division"),
    ],
)  # fmt: skip
def test_wrong_input_is_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call(mg.tensor(np.ones((2, 3)), requires_grad=True))


def test_indices_may_be_tensors():
    assert [a.shape for a in np.split(leaf(np.arange(4.0)), mg.tensor([2]))] == [(2,), (2,)]


@pytest.mark.parametrize(
    ("shift", "axis"),
    [(1, None), (-31, None), (7, 1), (-7, -1), ((1, 5), (0, 2)), (2, (1, 2)), ((1, 1), (2, 2)), ([2, 4], 1), ([3], 0)],
)
def test_roll(shift, axis):
    holds(np.roll, array(2, 3, 4), shift, axis)
    assert_same(np.roll(mg.tensor(array(2, 3, 4)), mg.tensor(shift), axis), np.roll(array(2, 3, 4), shift, axis))


def test_a_shift_of_several_axes_is_refused():
    with pytest.raises(ValueError, match=r"roll: shift must be an int or a sequence of ints, not of shape \(1, 2\)"):
        mg.roll(np.zeros(3), [[1, 2]], 0)


def test_an_empty_axis_is_rolled():
    for axis in (0, 1, (0, 1), None):
        assert np.roll(leaf(np.zeros((0, 3))), 1, axis).shape == (0, 3)


@pytest.mark.parametrize("join", [np.stack, np.concatenate, lambda arrays: np.concatenate(arrays, None)])
def test_the_time_of_thousands_of_parts_grows_with_their_number(join):
    def seconds(n):
        x = [leaf(np.full(1, 2.0)) for _ in range(n)]
        y = join(x)
        start = time.process_time()
        y.backward(np.arange(float(n)).reshape(y.shape))
        spent = time.process_time() - start
        np.testing.assert_array_equal([part.grad[0] for part in x], np.arange(n))
        return spent

    seconds(100)
    few, many = (min(seconds(n) for _ in range(3)) for n in (500, 8000))
    assert many < 60 * few  # 16 times as much; to pass all parts for each takes 150 times as much
