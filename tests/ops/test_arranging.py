"""Ops that arrange entries, against NumPy's."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.gradients import leaf
from support.specification import Specs, call, calls

import minigrad as mg

specs = Specs()
spec = specs.add

RNG = np.random.default_rng(0)
A = RNG.permuted(np.arange(1.0, 7)).reshape(2, 3) / 8
B = RNG.uniform(-2, 2, (2, 3))
V = RNG.uniform(-2, 2, 3)
CUBE = RNG.uniform(-2, 2, (2, 3, 2))
first = {"argnums": 0}


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
)
spec(
    "pad",
    calls(
        *[call(A, width) for width in (0, 1, (1, 2), ((1, 0), (0, 2)))],
        *[call(CUBE, 1), call(CUBE, ((1, 0), (0, 2), (1, 1)), constant_values=1.5)],
        *[call(A, {1: 2, -2: (1, 0)}), call(A, {0: 1}, "edge")],
    ),
    np.pad,
    refused=(
        ((V, 1, "means"), {}, ValueError, "mode must be one of 'edge', .* not 'means'"),
        ((V, 1, "reflect"), {"reflect_type": "off"}, ValueError, "and reflect_type 'even' or 'odd'"),
    ),
)
spec("insert", calls(call(A, 1, 2.5, 1), call(A, [0, 2], V[:2], None), call(A, -1, V, 0)), np.insert)
spec("compress", calls(call([True, False], A, 0), call([0, 1, 1], A, 1), call([1, 0, 1], A)), np.compress)
spec("extract", calls(call(A > 0.4, A), call([0, 1, 1], V)), np.extract)
spec(
    "select",
    calls(call(A, B, 0.5)),
    lambda a, b, c: np.select([A < 0.3, A < 0.6], [a, b * a], c),
    fn=lambda a, b, c: mg.select([A < 0.3, A < 0.6], [a, b * a], c),
    refused=((([], []), {}, ValueError, "0 conditions and 0 choices must be as many"),),
)
pieces = [lambda x: x * x, lambda x: np.log(x), 3.0]
spec(
    "piecewise",
    calls(call(A), call(V)),
    lambda x: np.piecewise(x, [x < 0.2, x > 0.55], pieces),
    fn=lambda x: mg.piecewise(x, [x < 0.2, x > 0.55], pieces),
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
    "unstack",
    calls(call(CUBE), call(CUBE, axis=1)),
    lambda x, axis=0: np.moveaxis(x, axis, 0),
    fn=lambda x, axis=0: np.stack(mg.unstack(x, axis=axis)),
)
spec("atleast_3d", calls(call(1.5), call(V), call(A), call(CUBE)), np.atleast_3d)
spec("diagflat", calls(call(V), call(A, 1), call(V, -2)), np.diagflat, options=first)
spec(
    "resize",
    calls(call(V, (2, 4)), call(A, 4), call(A, (0,))),
    np.resize,
    refused=(((np.zeros(0), 3), {}, ValueError, "can't fill 3"),),
)
zeros = np.array([0.0, 1.5, 0, 2, 0])
spec(
    "trim_zeros",
    calls(call(V), call(-V, "f")),
    lambda v, trim="fb": np.trim_zeros(np.pad(v, 1), trim),
    fn=lambda v, trim="fb": mg.trim_zeros(mg.pad(v, 1), trim),
    refused=(((A,), {}, ValueError, "must have one axis"),),
)
spec(
    "apply_along_axis",
    calls(call(A), call(CUBE)),
    lambda a: np.apply_along_axis(lambda v: v[:2] * v[-1], 1, a),
    fn=lambda a: mg.apply_along_axis(lambda v: v[:2] * v[-1], 1, a),
)
spec(
    "apply_over_axes",
    calls(call(A), call(CUBE)),
    lambda a: np.apply_over_axes(np.sum, a, (0, -1)),
    fn=lambda a: mg.apply_over_axes(mg.sum, a, (0, -1)),
)
spec(
    "vectorize",
    calls(call(A, V), call(A, 0.3), call(V, CUBE[0, 0, 0])),
    np.vectorize(lambda a, b: a * b if a > b else a**2),
    fn=lambda a, b: mg.vectorize(lambda a, b: a * b if a > b else a**2)(a, b),
    refused=((("text",), {}, TypeError, "pyfunc must be a function, not str"),),
)
spec(
    "sliding_window_view",
    calls(call(V, 2), call(A, (2, 2)), call(CUBE, 2, 1)),
    np.lib.stride_tricks.sliding_window_view,
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


BORDERS = """
"edge"; "reflect"; "symmetric"; "wrap"; "linear_ramp"; "linear_ramp", end_values=v[0]; "mean"; "median"; "maximum"
"linear_ramp", end_values=((v[0], v[1]), (v[2], 3.0)); "minimum"
"mean", stat_length=2; "maximum", stat_length=((1, 2), (3, 1))
"reflect", reflect_type="odd"; "symmetric", reflect_type="odd"; constant_values=v[0]; constant_values=(v[0], v[1])
constant_values=v[:2]; "constant", constant_values=((v[0], v[1]), (v[2], 3.0)); constant_values=[[v[0]], [1.0]]
"""


@pytest.mark.parametrize("width", [1, ((2, 0), (0, 7))])
@pytest.mark.parametrize("options", BORDERS.replace("\n", "; ").strip("; ").split("; "))
def test_borders(options, width):
    padded = eval(f"lambda a, v, width: np.pad(a, width, {options})", {"np": np})
    x, v = leaf(A), leaf(V)
    assert_allclose(padded(x, v, width).data, padded(A, V, width), 1e-14)
    mg.testing.check_grads(padded, A, V, width, argnums=(0, 1) if "v[" in options else 0)


def test_an_empty_border_and_one_of_a_single_row():
    assert_array_equal(np.pad(leaf(A), 1, "empty").data[1:-1, 1:-1], A)
    assert_array_equal(np.pad(leaf(A[:1]), 2, "reflect", reflect_type="odd").data[:, 2:-2], A[[0] * 5])


def test_r_and_c_join_tensors():
    v, w = leaf(V), mg.tensor(V)
    for ours, theirs in (
        (mg.r_[v, 0, v[1], 1:3], np.r_[V, 0, V[1], 1:3]),
        (mg.r_["0,2", v, V], np.r_["0,2", V, V]),
        (mg.c_[v, [1, 2, 3], w], np.c_[V, [1, 2, 3], V]),
        (mg.r_[w], V),
    ):
        assert_array_equal(ours.data, theirs)
    assert type(mg.r_[V, 1.0]) is np.ndarray
    np.sum(mg.c_[v, v] * [[1.0, 10.0]]).backward()
    assert_array_equal(v.grad, [11, 11, 11])


def test_grids_without_copies():
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0])
    for indexing in ("xy", "ij"):
        for sparse in (False, True):
            given = np.meshgrid(leaf(x), leaf(y), sparse=sparse, indexing=indexing, copy=False)
            for ours, theirs in zip(given, np.meshgrid(x, y, sparse=sparse, indexing=indexing), strict=True):
                assert_array_equal(ours.data, theirs)
