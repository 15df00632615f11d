"""Ops that arrange entries, against NumPy's."""

import math
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.gradients import leaf
from support.specification import Specs, call, calls

import minigrad as mg
from minigrad.testing import check_grads

specs = Specs()
spec = specs.add
RNG = np.random.default_rng(0)
A = RNG.permuted(np.arange(1.0, 7)).reshape(2, 3) / 8
B = RNG.uniform(-2, 2, (2, 3))
V = RNG.uniform(-2, 2, 3)
CUBE = RNG.uniform(-2, 2, (2, 3, 2))


def written(write):
    """A function that writes in place, as one that returns the array."""

    def function(a, *arguments):
        a = a.copy()
        write(a, *arguments)
        return a

    return function


spec(
    "array",
    calls(call(V, 2.0)),
    lambda v, x: np.array([[v[0], 1.0], [x, v[2]]]),
    fn=lambda v, x: mg.array([[v[0], 1.0], [x, v[2]]]),
    opt_outs={"float32": "np.array makes float64 of a number beside it"},
)
spec(
    "block",
    calls(call(A, B, V)),
    lambda a, b, v: np.block([[a, b], [v, v]]),
    fn=lambda a, b, v: mg.block([[a, b], [v, v]]),
    refused=((([[A], [np.ones((1, 2))]],), {}, ValueError, "must match exactly"),),
)
spec("insert", calls(call(A, 1, 2.5, 1), call(A, [0, 2], V[:2], None), call(A, -1, V, 0)), np.insert)
spec("compress", calls(call([True, False], A, 0), call([0, 1, 1], A, 1), call([1, 0, 1], A)), np.compress)
spec("extract", calls(call(A > 0.4, A), call([0, 1, 1], V)), np.extract)
spec(
    "select",
    calls(call(A, B, 0.5)),
    lambda a, b, c: np.select([A < 0.3, A < 0.6], [a, b * a], c),
    fn=lambda a, b, c: mg.select([A < 0.3, A < 0.6], [a, b * a], c),
    refused=(
        (([], []), {}, ValueError, "0 conditions and 0 choices must be as many"),
        (([A > 0], [A, A]), {}, ValueError, "1 conditions and 2 choices must be as many"),
        ((A > 0, [A, A]), {}, TypeError, "condlist and choicelist must be lists"),
        (([A > 0], A), {}, TypeError, "condlist and choicelist must be lists"),
    ),
)
pieces = [lambda x: x * x, lambda x: np.log(x), 3.0]
spec(
    "piecewise",
    calls(call(A), call(V)),
    lambda x: np.piecewise(x, [x < 0.2, x > 0.55], pieces),
    fn=lambda x: mg.piecewise(x, [x < 0.2, x > 0.55], pieces),
    refused=(((V, [V > 0], np.sin), {}, TypeError, "funclist must be a list of functions or numbers"),),
)
spec(
    "choose",
    calls(call(A, V)),
    lambda a, v: np.choose([2, 0, 1], [a[0], a[1], v]),
    fn=lambda a, v: mg.choose([2, 0, 1], [a[0], a[1], v]),
)
places = np.array([[0, 2], [1, 0]])
spec(
    "put_along_axis",
    calls(call(A, places, B[:, :2], 1), call(A, np.array([[1, 0, 1]]), 4.0, 0)),
    written(np.put_along_axis),
)
spec("put", calls(call(A, [0, 4], V[:2]), call(A, 3, 1.5)), written(np.put))
spec("place", calls(call(A, A > 0.3, V[:2]), call(V, [True, False, True], V[:1])), written(np.place))
spec("fill_diagonal", calls(call(A, 2.5), call(B, V[:2])), written(np.fill_diagonal))
spec(
    "apply_along_axis",
    calls(call(A), call(CUBE)),
    lambda a: np.apply_along_axis(lambda v: v[:2] * v[-1], 1, a),
    fn=lambda a: mg.apply_along_axis(lambda v: v[:2] * v[-1], 1, a),
    refused=((("text", 0, A), {}, TypeError, "func1d must be a function, not str"),),
)
spec(
    "apply_over_axes",
    calls(call(A), call(CUBE)),
    lambda a: np.apply_over_axes(np.sum, a, (0, -1)),
    fn=lambda a: mg.apply_over_axes(mg.sum, a, (0, -1)),
    refused=((("text", A, 0), {}, TypeError, "func must be a function, not str"),),
)
spec(
    "vectorize",
    calls(call(A, V), call(A, 0.3), call(V, CUBE[0, 0, 0])),
    np.vectorize(lambda a, b: a * b if a > b else a**2),
    fn=lambda a, b: mg.vectorize(lambda a, b: a * b if a > b else a**2)(a, b),
    refused=((("text",), {}, TypeError, "pyfunc must be a function, not str"),),
)

TestSpecs = specs.tests(examples=3)


def test_an_array_of_nested_lists():
    x = leaf([1.0, 2.0])
    made = mg.array([[x[0], 2.0], [3.0, x[1] ** 2]])
    assert_array_equal(made.data, [[1, 2], [3, 4]])
    np.sum(made).backward()
    assert_array_equal(x.grad, [1, 4])
    assert mg.array([x, x * 2]).shape == (2, 2)
    assert mg.array((x, [1.0, 2.0]), dtype=np.float32).dtype == np.float32
    assert mg.array(x) is not x
    assert mg.array(x).requires_grad
    assert type(mg.array([1.0, 2.0])) is np.ndarray
    assert mg.array([]).shape == (0,)
    assert mg.array([[], []]).shape == (2, 0)
    for ragged in ([x[0], [x[1]]], [[x[0]], [x[0], x[1]]], [x, x[0]]):
        with pytest.raises(ValueError, match="array: "):
            mg.array(ragged)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda t: np.fill_diagonal(t, 1), "np.fill_diagonal can't write to a Tensor: mg.fill_diagonal returns"),
        (lambda t: np.put_along_axis(t, np.array([[0]]), 1, 1), "mg.put_along_axis returns a new one"),
        (lambda t: np.put(t, 0, 1), "mg.put returns a new one"),
        (lambda t: np.place(t, t > 0, 1), "mg.place returns a new one"),
        (lambda t: np.copyto(t, 1), "mg.where returns a new one"),
        (lambda t: np.add.at(t, [0], 1), r"np.add.at can't write in place with a Tensor: mg.ops.scatter\("),
    ],
)
def test_what_writes_names_what_returns(call, name):
    with pytest.raises(TypeError, match=name):
        call(leaf(A))


def test_a_later_piece_wins_and_wrong_counts_are_refused():
    x = np.array([1.0, 2.0, 3.0])
    f = [lambda x: x, lambda x: -x]
    assert_array_equal(np.piecewise(leaf(x), [x > 0, x > 2], f).data, np.piecewise(x, [x > 0, x > 2], f))
    with pytest.raises(ValueError, match="piecewise: 1 conditions need as many functions"):
        np.piecewise(leaf(x), [x > 0], [1, 2, 3])


@pytest.mark.parametrize(
    ("function", "value"),
    [
        (lambda a, c: np.insert(a, c, 9.0), [2, 0, 0]),
        (lambda a, c: np.compress(c, a), [True, False, True]),
        (lambda a, c: np.extract(c, a), [[True, False, True], [False, False, True]]),
        (lambda a, c: np.select([c, a > 0.4], [a, -a], 7), A > 0.6),
        (lambda a, c: np.piecewise(a, c, [np.negative, 3.0]), [A > 0.6]),
        (lambda a, c: np.choose(c, [a, -a, 2.0]), [0, 2, 1]),
        (lambda a, c: np.choose(c, [a, -a], mode="clip"), [0, 5, -1]),
        (lambda a, c: np.choose(c, [a, -a], mode="wrap"), [0, 5, -1]),
    ],
)
def test_a_condition_or_an_index_may_be_a_tensor(function, value):
    assert_array_equal(function(leaf(A), mg.tensor(value)).data, function(A, np.array(value)))


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.complex64])
def test_what_is_written_takes_the_dtype_of_the_array(dtype):
    a, values = B.astype(dtype), np.array([7.75, 2.5])
    for ours, theirs, *arguments in (
        (mg.put, np.put, [0, 3], values),
        (mg.put_along_axis, np.put_along_axis, np.array([[1]]), 7.75, 0),
        (mg.fill_diagonal, np.fill_diagonal, values),
        (mg.insert, None, 1, values[:1]),
    ):
        expected = written(theirs)(a, *arguments) if theirs else np.insert(a, *arguments)
        assert_array_equal(ours(mg.tensor(a), *arguments).data, expected, strict=True)


def test_what_is_written_by_a_tensor_of_places():
    places, mask = mg.tensor([[0, 2], [1, 0]]), mg.tensor(A > 0.3)
    assert_array_equal(mg.put_along_axis(A, places, 9.0, 1), written(np.put_along_axis)(A, places.data, 9.0, 1))
    assert_array_equal(mg.put(A, places, [7.0, 8.0]), written(np.put)(A, places.data, [7.0, 8.0]))
    assert_array_equal(mg.place(A, mask, [7.0, 8.0]), written(np.place)(A, mask.data, [7.0, 8.0]))
    assert_array_equal(mg.put(V, [4, -5], [7.0, 8.0], "wrap"), written(np.put)(V, [4, -5], [7.0, 8.0], "wrap"))
    tall = np.zeros((6, 2))
    for wrap in (False, True):
        assert_array_equal(mg.fill_diagonal(tall, V, wrap), written(np.fill_diagonal)(tall, V, wrap))


@pytest.mark.parametrize(
    "nest",
    [
        lambda x: [[[A, x]], [[x, 2 * A]]],
        lambda x: [x, V[:2, None]],
        lambda x: [[x], [V]],
        lambda x: [3.0, x[0]],
        lambda x: [[3.0, 4.0], [5.0, x[0, 1]]],
        lambda x: [[CUBE, x[:, :, None]]],
        lambda x: [np.ones((1, 2, 3)), x],
        lambda x: x,
    ],
)
def test_blocks_nested_to_any_depth(nest):
    assert_array_equal(np.block(nest(leaf(A))).data, np.block(nest(A)))


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_a_function_of_slices_along_any_axis_with_arguments(axis):
    def outer(v, factor, power=1):
        return np.reshape(v, (-1, 1)) * np.reshape(v, (1, -1)) ** power * factor

    for function, arguments in ((outer, {"power": 2}), (lambda v, factor: np.sum(v) * factor, {})):
        found = np.apply_along_axis(function, axis, leaf(CUBE), 3.0, **arguments)
        assert_array_equal(found.data, np.apply_along_axis(function, axis, CUBE, 3.0, **arguments))


@pytest.mark.parametrize("axes", [1, -1, (0, 2), [2, 0]])
def test_functions_over_axes_may_keep_them(axes):
    for function in (np.sum, lambda a, axis: np.sum(a, axis, keepdims=True), np.cumsum):
        found = np.apply_over_axes(function, leaf(CUBE), axes)
        assert_array_equal(found.data, np.apply_over_axes(function, CUBE, axes))


def test_functions_of_pieces_get_the_other_arguments():
    f = [lambda x, a, b=0: a * x + b, 5]
    assert_array_equal(np.piecewise(leaf(V), V > 0, f, 2, b=1).data, np.piecewise(V, V > 0, f, 2, b=1))


def test_r_and_c_join_tensors():
    v, w = leaf(V), mg.tensor(V)
    for ours, theirs in (
        (mg.r_[v, 0, v[1], 1:3], np.r_[V, 0, V[1], 1:3]),
        (mg.r_["0,2", v, V], np.r_["0,2", V, V]),
        (mg.c_[v, [1, 2, 3], w], np.c_[V, [1, 2, 3], V]),
        (mg.r_[w], V),
        (mg.r_[leaf(A)], A),
    ):
        assert_array_equal(ours.data, theirs)
    assert type(mg.r_[V, 1.0]) is np.ndarray
    np.sum(mg.c_[v, v] * [[1.0, 10.0]]).backward()
    assert_array_equal(v.grad, [11, 11, 11])


SIGNATURES = [
    ("(n),(n)->()", np.dot, (A, V)),
    ("(m, n),(n)->(m)", lambda a, b: a @ b, (np.stack([A, B]), np.stack([B[:, None], A[:, None]])[:, 0])),
    ("(n)->(),(n)", lambda a: (np.sum(a), a * a), (A,)),
    ("()->(k)", lambda a: np.stack([a, a * a]), (A,)),
]


@pytest.mark.parametrize(("signature", "function", "arrays"), SIGNATURES)
def test_a_function_of_the_last_axes(signature, function, arrays):
    ours = mg.vectorize(function, signature=signature)
    expected = np.vectorize(function, signature=signature.replace(" ", ""))(*arrays)
    found = ours(*map(leaf, arrays))
    for a, b in zip(*((x if isinstance(x, tuple) else (x,)) for x in (found, expected)), strict=True):
        assert_array_equal(a.data, b)
    check_grads(ours, *arrays)


def test_a_function_of_each_of_no_entries():
    for shape in ((0,), (0, 3), (2, 0)):
        assert mg.vectorize(lambda a: 2 * a)(leaf(np.ones(shape))).shape == shape
    assert mg.vectorize(np.sum, signature="(n)->()")(leaf(np.ones((2, 0, 3)))).shape == (2, 0)


@pytest.mark.parametrize(
    ("signature", "arrays", "message"),
    [
        ("n->()", (A,), "signature must be such as"),
        ("(n),(n)->()", (A, V[:1]), "axes of one name differ in size"),
        ("(n),(n)->()", (A,), "do not fit the signature"),
        ("(n)->()", (np.ones(()),), "do not fit the signature"),
        ("(n)->()", (A,), "what the function returned does not fit the signature"),
        ("(n)->(n)", (A[:0],), "there is no entry"),
        ("(n)->(),()", (CUBE[:, :, 0],), "what the function returned does not fit the signature"),
    ],
)
def test_arrays_that_do_not_fit_a_signature_are_refused(signature, arrays, message):
    with pytest.raises(ValueError, match=f"vectorize: .*{message}"):
        mg.vectorize(lambda *a: a[0], signature=signature)(*arrays)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("index", [1, -1, [2], [0, 3], [1, 1, 0], slice(0, 2), np.array(0), [*range(4)] * 5])
def test_values_are_inserted_where_numpy_inserts_them(index, axis):
    a, several = np.arange(16.0).reshape(4, 4), np.arange(20.0, 28).reshape(2, 4)
    count = np.arange(4)[index].size
    rows = [0.5, np.array([0.5])] + [several if axis == 0 or np.ndim(index) == 0 else several.T] * (count == 1)
    for values in rows:
        t, v = leaf(a), leaf(values)
        out = np.insert(t, index, v, axis)
        assert_array_equal(out.data, np.insert(a, index, values, axis), strict=True)
        out.sum().backward()
        assert_array_equal(t.grad, np.ones(a.shape))
        assert_array_equal(v.grad, np.full(v.shape, (out.size - a.size) / v.size))


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("index", [1, [1], [0, 2], slice(0, 2), np.array([True, False, True]), []])
def test_slices_of_several_axes_are_inserted_where_numpy_inserts_them(index, axis):
    a = np.arange(27.0).reshape(3, 3, 3)
    for shape in ((2, 3, 3), (3, 2, 3), (3, 3, 2), (1, 3, 3), (3, 3, 1), (3, 3), (0, 3, 3)):
        values = 100 + np.arange(float(math.prod(shape))).reshape(shape)
        try:
            expected = np.insert(a, index, values, axis)
        except (ValueError, IndexError) as error:
            with pytest.raises(type(error)):
                mg.insert(a, index, values, axis)
        else:
            assert_array_equal(mg.insert(a, index, values, axis), expected, strict=True)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.insert(x, [3, 50], 1.0, axis=0),
        lambda x: np.pad(x, 3, "reflect"),
        lambda x: np.compress(np.arange(len(x)) % 2 == 0, x, axis=0),
        lambda x: np.resize(x, x.size + 7),
        lambda x: mg.put_along_axis(x, np.zeros((len(x), 1), int), 1.0, 1),
        lambda x: np.delete(x, 7, 1),
    ],
)
def test_what_moves_most_entries_together_needs_no_number_for_each(call):
    x = leaf(np.ones((300, 300), np.float32))
    call(x).sum().backward()
    x.grad = None
    tracemalloc.start()
    call(x).sum().backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * x.nbytes  # a number for each entry and counts of them take 12 and more
