"""Errors that help: each public function with each wrong input works, or raises one sentence about that function.

python tests/test_errors.py [NAME ...]    the whole table, or that of some functions: what is not so, and the count
"""

import collections
import inspect
import math
import operator
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.exceptions import AxisError
from numpy.testing import assert_array_equal
from scipy import sparse, special

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

from support import wrong_inputs

import minigrad as mg
from minigrad import errors

FUNCTIONS = [*wrong_inputs.public_functions(), *wrong_inputs.other_functions()]


def table(functions, every=1):
    """Yield (call, with Tensors, outcome) of each call of the table, or of one in so many."""
    for function in functions:
        for tensors in (False, True):
            if not tensors and function.label.startswith(("np.", "Tensor.")):
                continue  # plain NumPy, without minigrad
            for i, call in enumerate(wrong_inputs.calls(function, tensors)):
                if i % every == len(function.label) % every:
                    yield call, tensors, wrong_inputs.outcome(call, tensors)


def test_no_public_name_is_missing_in_the_table():
    modules = {name for name in mg.__all__ if inspect.ismodule(getattr(mg, name))}
    assert set(mg.__all__) - modules - {function.label for function in FUNCTIONS} == set()
    checks = {f"testing.{name}" for name in mg.testing.__all__ if name.startswith("check_")}
    assert checks <= {function.label for function in FUNCTIONS}


def test_a_sample_of_wrong_calls_helps():
    """`python tests/test_errors.py` makes them all."""
    found = [
        f"{outcome.kind}: {call.function.label}, {call.what}: {outcome.text}"
        for call, _, outcome in table(FUNCTIONS, every=23)
        if outcome.kind not in wrong_inputs.HELPFUL
    ]
    assert found == []


def with_axis(function, axis):
    """A call of the table with this axis, or None for a function that takes none."""
    if function.label.startswith("np."):
        return None
    names = [*inspect.signature(function.call).parameters]
    if "axis" not in names:
        return None
    arguments, options = [*function.arguments], dict(function.options)
    if "axis" not in options and names.index("axis") < len(arguments):
        arguments[names.index("axis")] = axis
    else:
        options["axis"] = axis
    if function.label.startswith("Tensor."):
        arguments[0] = mg.tensor(arguments[0])
    return wrong_inputs.Call(function, "an axis", arguments, options)


def test_an_axis_that_is_not_there_is_numpys_error_with_the_op_and_the_shapes():
    calls = [call for axis in (9, -9) for function in FUNCTIONS if (call := with_axis(function, axis))]
    for call in calls:
        function = call.function.call
        with pytest.raises(AxisError) as caught:
            function(*call.arguments, **call.options)
        name = re.escape(call.function.label.removeprefix("Tensor."))
        assert re.match(rf"{name}: ((source|destination): )?axis -?9 is out of bounds .*\(.+\)$", str(caught.value)), (
            call
        )
    assert len(calls) > 100


def test_numbers_and_lists_do_beside_a_tensor():
    """A VJP takes them for the arrays that they stand for."""
    calls = [call for function in FUNCTIONS for call in wrong_inputs.calls_with_other_forms(function)]
    outcomes = [(call.function.label, call.what, wrong_inputs.outcome(call, False)) for call in calls]
    assert [case for case in outcomes if case[2].kind not in wrong_inputs.HELPFUL] == []
    assert sum(outcome.kind == "works" for _, _, outcome in outcomes) > 300


X = np.ones((2, 3))


def leaf(value):
    return mg.tensor(value, requires_grad=True)


NO_OP = "has no op here: use .data where no gradient is needed, or make an op of it and its VJPs by mg.op"
CANT_BE_SET = "can't be set: t.reshape(shape), t.astype(dtype) and mg.where(...) give new Tensors"
NO_TENSOR, AXES = "may not be a Tensor; pass its .data or .item()", "an int, a tuple of ints or None"
A_TEST = "gradtest(strategies.tensors())(function)"
INDEX = "made of integers, slices and arrays of integers"


def fixed_point(f=lambda a: lambda x: x / 2 + a, distance=lambda x, y: abs(x - y), tol=1e-8):
    return mg.fixed_point(f, 1.0, 0.0, distance, tol)


SENTENCES = [
    (lambda: mg.sum(X, 5), AxisError, ("sum: axis 5 is out of bounds for array of dimension 2 (a (2, 3), axis 5)")),
    (lambda: leaf(X[0])[leaf(1.0)], TypeError, f"getitem: index must be {INDEX}, not float64 of shape ()"),
    (lambda: leaf(X).sum("x"), TypeError, ("sum: axis must be an int, a tuple of ints or None, not 'x'")),
    (lambda: mg.sum(X, 0, True), TypeError, ("sum: dtype can't be True: give keepdims= by name")),
    (lambda: mg.exp(X, 0), TypeError, ("exp(x) takes 1 argument, not 2")),
    (lambda: mg.sum(None), TypeError, ("sum: a must hold numbers, not None")),
    (lambda: mg.add(X, "abc"), TypeError, ("add: x2 must hold numbers, not 'abc'")),
    (
        lambda: mg.exp([[1.0], [1.0, 2.0]]),
        ValueError,
        ("exp: x is ragged, its rows differ in length: [[1.0], [1.0, 2.0]]"),
    ),
    (lambda: mg.exp(np.array([None])), TypeError, ("exp: x must hold numbers, not dtype object")),
    (lambda: mg.sum([leaf(1.0)]), TypeError, ("sum: a is a list of Tensors: write mg.array(...) of it")),
    (lambda: mg.floor(X * 1j), TypeError, ("floor: not defined for dtype complex128 (x (2, 3) complex128)")),
    (
        lambda: np.take(leaf(X[0]), 7),
        IndexError,
        ("take: index 7 is out of bounds for axis 0 with size 3 (a (3,), indices 7)"),
    ),
    (lambda: mg.take(X, "a"), TypeError, ("take: indices must be an int or an array of ints, not 'a'")),
    (
        lambda: mg.take(X),
        TypeError,
        ("take(a, indices, axis=None, *, mode='raise'): missing a required argument: 'indices'"),
    ),
    (lambda: mg.tile(X, "ab"), TypeError, ("tile: reps must be an int or a tuple of ints, not 'ab'")),
    (lambda: mg.hstack([X, None]), TypeError, ("hstack: tup[1] must hold numbers, not None")),
    (lambda: mg.concatenate(3), TypeError, ("concatenate: arrays must be a list of arrays, not 3")),
    (lambda: mg.ravel(X, "K"), ValueError, ("ravel: order must be 'C' or 'F', not 'K'")),
    (lambda: mg.eigvalsh(X), ValueError, ("eigvalsh: a must be a square matrix, or a stack of them, not (2, 3)")),
    (
        lambda: mg.full_like(X, np.ones(2)),
        ValueError,
        ("full_like: shapes do not fit: (2,) and requested shape (2,3) (a (2, 3), fill_value (2,))"),
    ),
    (lambda: mg.clip(leaf(X), 1j), TypeError, ("clip: can't differentiate a result of dtype complex128")),
    (
        lambda: mg.tensordot(X, X, "ab"),
        TypeError,
        ("tensordot: axes must be an int or a pair of tuples of ints, not 'ab'"),
    ),
    (lambda: mg.fold2d(3.0, (2, 2), 2), TypeError, ("fold2d: windows must be an array, not 3.0")),
    (
        lambda: mg.conv2d(np.ones((1, 2, 5, 5), object), np.ones((3, 2, 3, 3))),
        TypeError,
        ("conv2d: x and k must be floating-point, integer or boolean, not object"),
    ),
    (
        lambda: mg.softmax_cross_entropy(X, np.eye(3)[:2]),
        ValueError,
        ("softmax_cross_entropy: labels must be class numbers (N,), not one-hot rows (2, 3): pass labels.argmax(1)"),
    ),
    (lambda: mg.matrix_power(np.eye(2), X), TypeError, ("matrix_power: n must be an int, not float64 of shape (2, 3)")),
    (
        lambda: mg.vec([[1.0], [1.0, 2.0]]),
        ValueError,
        ("vec: a is ragged, its rows differ in length: [[1.0], [1.0, 2.0]]"),
    ),
    (
        lambda: np.argmax(leaf(X), 9),
        AxisError,
        ("np.argmax: axis 9 is out of bounds for array of dimension 2 (a (2, 3), axis 9)"),
    ),
    (lambda: np.less(leaf(X), None), TypeError, ("np.less: x2 must hold numbers, not None")),
    (
        lambda: leaf(X).argmax(9),
        AxisError,
        ("argmax: axis 9 is out of bounds for array of dimension 2 (self (2, 3), axis 9)"),
    ),
    (
        lambda: leaf(X).argmax(1, 2),
        TypeError,
        ("np.argmax: output must be an array (a (2, 3), axis 1, out 2)"),
    ),
    (
        lambda: special.mathieu_a(1.0, leaf(X)),
        TypeError,
        (f"scipy.special.mathieu_a {NO_OP}"),
    ),
    (
        lambda: np.isnat(leaf(X)),
        TypeError,
        f"np.isnat {NO_OP}",
    ),
    (
        lambda: np.multiply.at(leaf(X), [0, 1], 2.0),
        TypeError,
        ("np.multiply.at can't write in place with a Tensor: mg.ops.scatter(values, index, shape) returns sums"),
    ),
    (
        lambda: mg.tensor([1, 2], requires_grad=True),
        TypeError,
        ("tensor: only a floating-point Tensor can have a gradient, not int64: pass dtype=float"),
    ),
    (
        lambda: np.insert(leaf(X), None, 2.0),
        TypeError,
        ("insert: obj must be an int, a slice or an array of ints, not None"),
    ),
    (
        lambda: np.delete(leaf(X), [None]),
        TypeError,
        ("delete: obj must be an int, a slice or an array of ints, not [None]"),
    ),
    (
        lambda: special.erf(leaf(X).astype(np.longdouble)),
        TypeError,
        (f"erf: not defined for dtype {np.dtype(np.longdouble)}: pass t.astype(float) (x (2, 3))"),
    ),
    (lambda: mg.tensor(X, dtype="abc"), TypeError, ("tensor: data can't be an array of dtype 'abc': (2, 3)")),
    (
        lambda: mg.tensor(np.ma.masked_array(X)),
        TypeError,
        ("tensor: data is a masked array, which would lose its mask: use mg.where(mask, ...)"),
    ),
    (
        lambda: leaf(X) * sparse.csr_array(X),
        TypeError,
        ("multiply: x2 is a sparse matrix of SciPy: pass its .toarray()"),
    ),
    (
        lambda: leaf(X) @ sparse.csr_array(X.T),
        TypeError,
        ("matmul: x2 is a sparse matrix of SciPy: pass its .toarray()"),
    ),
    (
        lambda: mg.grad(lambda p: mg.sum(p["w"]))({"w": X, "n": [1.0, 3]}),
        TypeError,
        (
            "grad: only a floating-point argument has a derivative, not argument 0['n'][1], which is int64 "
            "3: make it a float, or pass it as another argument"
        ),
    ),
    (
        lambda: mg.grad(np.sum)(np.arange(3)),
        TypeError,
        "grad: only a floating-point argument has a derivative, not argument 0, which is int64 of shape (3,): make it "
        "a float, or pass it as another argument",
    ),
    (
        lambda: mg.grad(lambda x: mg.tensor(True))(2.0),
        TypeError,
        "grad: the function must return a floating-point scalar, not bool of shape ()",
    ),
    (lambda: mg.tensor([1, 2], float), TypeError, "tensor: give options by name: requires_grad=, dtype=, name="),
    (lambda: leaf(X).sum().backward(None, True), TypeError, "backward: give options by name: retain_graph="),
    (
        lambda: mg.tensor(1.0, device="cpu"),
        TypeError,
        "tensor does not take device=: there are no devices, leave it out",
    ),
    (lambda: mg.vjp(lambda x: None, X), TypeError, ("vjp: what the function returns must hold numbers, not None")),
    (
        lambda: mg.jacobian(lambda x: x * 1j)(X),
        TypeError,
        (
            "jacobian: a complex result has no matrix of derivatives: "
            "differentiate np.real(y) and np.imag(y), or use mg.vjp or mg.jvp"
        ),
    ),
    (
        lambda: mg.scipy.signal.convolve(X, X, method="fast"),
        ValueError,
        ("convolve: method must be 'auto', 'direct' or 'fft', not 'fast'"),
    ),
    (
        lambda: mg.scipy.signal.convolve(X, X[0]),
        ValueError,
        ("convolve: both must have as many axes, not (2, 3) and (3,)"),
    ),
    (lambda: mg.hessian(mg.sum)("abc"), TypeError, ("hessian: argument 0 must hold numbers, not 'abc'")),
    (lambda: mg.scope(3), TypeError, ("scope: the name must be a string, not int")),
    (lambda: mg.debug(nonfinite=X), TypeError, ("debug: nonfinite must be True or False, not (2, 3)")),
    (lambda: setattr(leaf(X), "shape", (3, 2)), AttributeError, f"shape {CANT_BE_SET}"),
    (lambda: setattr(leaf(X), "T", X), AttributeError, f"T {CANT_BE_SET}"),
    (lambda: delattr(leaf(X), "real"), AttributeError, f"real {CANT_BE_SET}"),
    (
        lambda: operator.delitem(leaf(X), 0),
        TypeError,
        "a Tensor's entries can't be deleted: np.delete(t, index) returns a new one",
    ),
    (
        lambda: list(leaf(1.0)),
        TypeError,
        "len: a 0-d Tensor has no length and can't be unpacked: its number is t.item(), its array t.data",
    ),
    (
        lambda: bool(leaf(X)),
        ValueError,
        "bool: The truth value of an array with more than one element is ambiguous: use t.any() or t.all() "
        "(a Tensor of shape (2, 3), float64)",
    ),
    (lambda: leaf(X) < None, TypeError, "np.less: x2 must hold numbers, not None"),
    (lambda: leaf(X) >= "a", TypeError, "np.greater_equal: x2 must hold numbers, not 'a'"),
    (
        lambda: leaf(X) == [1.0, 2.0],
        ValueError,
        "np.equal: operands could not be broadcast together with shapes (2,3) (2,) (x1 (2, 3), x2 [1.0, 2.0])",
    ),
    (lambda: mg.array([leaf(X), None]), TypeError, "array: arrays[1] must hold numbers, not None"),
    (lambda: np.concatenate(leaf(X), leaf(X)), TypeError, f"concatenate(*arrays, axis): axis {NO_TENSOR}"),
    (lambda: mg.array([leaf(X)], leaf(X)), TypeError, "array: dtype must be a dtype, not float64 of shape (2, 3)"),
    (lambda: np.prod(leaf(X), leaf(X)), TypeError, f"prod: axis must be {AXES}, not float64 of shape (2, 3)"),
    (
        lambda: mg.broadcast_to(X, 3),
        ValueError,
        "broadcast_to: the array has more axes than the shape (array (2, 3), shape 3)",
    ),
    (
        lambda: np.linalg.solve(leaf(np.eye(3)), np.ones((2, 2))),
        ValueError,
        "solve: sizes do not fit: size 2 is different from 3 (a (3, 3), b (2, 2))",
    ),
    (
        lambda: mg.scipy.linalg.solve_triangular(leaf(np.eye(3)), np.ones(2)),
        ValueError,
        "solve_triangular: sizes do not fit: size 2 is different from 3 (a (3, 3), b (2,))",
    ),
    (
        lambda: mg.scipy.signal.convolve_along(leaf(X), X, ((0,), (7,))),
        AxisError,
        "convolve_along: axis 7 is out of bounds for array of dimension 2 (a (2, 3), b (2, 3), axes ((0,), (7,)))",
    ),
    (
        lambda: mg.scipy.signal.fftconvolve(leaf(X), X[0]),
        ValueError,
        "fftconvolve: both must have as many axes, not (2, 3) and (3,)",
    ),
    (
        lambda: mg.scipy.linalg.block_diag([leaf(1.0), 2.0]),
        TypeError,
        "block_diag: arrs[0] is a list of Tensors: write mg.array(...) of it",
    ),
    (
        lambda: np.concatenate([leaf(X)], dtype=str),
        TypeError,
        "concatenate: a Tensor is boolean, integer, floating-point or complex, not <U0",
    ),
    (lambda: np.tril(leaf(1.0)), IndexError, "tril: an array has too few axes (m ())"),
    (
        lambda: np.reshape(leaf(X.T), 6, copy=False),
        ValueError,
        "reshape: Unable to avoid creating a copy while reshaping. (a (3, 2), shape 6, copy False)",
    ),
    (lambda: mg.op(lambda x: x, name=3), TypeError, "op: name must be a string, not 3"),
    (lambda: mg.testing.check_vjp(mg.sin, X, name=X), TypeError, "sin: name must be a string, not (2, 3)"),
    (
        lambda: mg.testing.check_vjp(mg.sin, X, argnums=X),
        TypeError,
        "sin: argnums (2, 3) is not a floating-point input",
    ),
    (
        lambda: mg.testing.check_grads(mg.sin, X, order=X),
        ValueError,
        "check_grads: order must be 1 or more, not (2, 3)",
    ),
    (lambda: mg.testing.gradtest(X), TypeError, f"gradtest: (2, 3) is no strategy; write {A_TEST}"),
    (lambda: mg.graph(leaf(X)).save(None), TypeError, "save: path must be a path, not None"),
    (lambda: mg.viz.trace(leaf(X).sum()).save(3), TypeError, "save: path must be a path, not 3"),
    (lambda: mg.viz.flow(leaf(X).sum()).save(3), TypeError, "save: path must be a path, not 3"),
    (lambda: mg.viz.TrainingPage(None), TypeError, "TrainingPage: path must be a path, not None"),
    (lambda: fixed_point(f=lambda a: None), TypeError, "fixed_point: f(a) must be a function of x, not None"),
    (lambda: fixed_point(distance=1), TypeError, "fixed_point: distance must be a function, not 1"),
    (lambda: fixed_point(tol=None), TypeError, "fixed_point: tol must be a number, not None"),
]


@pytest.mark.parametrize(("call", "kind", "sentence"), SENTENCES)
def test_the_sentence(call, kind, sentence):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == sentence
    assert type(caught.value) is kind


@pytest.mark.parametrize("convert", [float, complex, int, operator.index, math.floor, math.ceil, math.trunc, math.sin])
def test_several_entries_are_no_number_and_the_error_says_how_many(convert):
    for t in (mg.tensor(X), leaf(X)):
        with pytest.raises(TypeError, match=r"^\w+: only .* \(a Tensor of shape \(2, 3\), float64\)$"):
            convert(t)


def test_reshape_takes_the_option_of_numpys():
    t = leaf(X * [1.0, 2.0, 3.0])
    for copy in (None, True, False):
        for reshape in (np.reshape, mg.reshape, lambda t, shape, copy: t.reshape(shape, copy=copy)):
            assert_array_equal(reshape(t, (3, 2), copy=copy).data, np.reshape(t.data, (3, 2)))
        assert_array_equal(mg.grad(lambda t, copy=copy: np.sum(np.reshape(t, 6, copy=copy) ** 2))(t.data), 2 * t.data)


INT, INTS = np.array(2), np.array([0, 1])
REAL = np.array(2.0)
KINDS = [  # what stands in an annotation, values that are such, values that are not
    ("int", [2, True, np.int8(2), INT, mg.tensor(2), INT.astype("u1")], [2.0, REAL, INTS, np.array(True), "a", None]),
    ("float", [2, 2.0, np.int8(2), np.float32(2)], ["a", None, 2j]),
    ("bool", [True, np.True_, 1], ["a", None, 1.0]),
    ("str", ["a"], [1, None]),
    ("Order", ["C"], [1, None]),
    ("Axis", [2, INT, (0, 1), INTS, (np.int8(0), INT), None], [[0, 1], (0, 1.0), 2.0, REAL, INTS * 1.0, INTS[None]]),
    (
        "Shape",
        [2, INT, (0, 1), [0, 1], INTS, mg.tensor(INTS), ()],
        [(0, None), 2.0, REAL, INTS * 1.0, INTS[None], None],
    ),
    ("Sequence[int]", [(0, 1), [0, 1], INTS], [2, INT, (0, "a"), INTS * 1.0, INTS[None], REAL, None]),
    ("Sequence[Array]", [X, X[0], mg.tensor(X)], [2.0, REAL, None]),
    ("DType", [float, "f4", None], ["abc", 2]),
    ("int | tuple[Shape, Shape]", [2, INT, (0, 1), [(0, 1), INTS]], [(0, 1, 2), (0,), (0, "a"), 2.0, X, None]),
    (
        "IndicesLike",
        [2, INTS, INTS[None], [0, 1], [0, [1, INT]], INTS > 0],
        [2.0, REAL, X, [0, [1, 2.0]], "a", None, ...],
    ),
    ("IndicesLike | slice", [2, INTS, [0, [1, INT]], slice(3)], [2.0, X, [0, None], "a", None, ...]),
    ("Index", [2, INTS, [0, [1]], (None, ..., slice(3), INTS > 0, np.True_)], [2.0, REAL, X, (0, "a"), [[2.0]], "a"]),
    ("int | None", [2, None], [2.0, "a"]),
    ("Array", [2, X, mg.tensor(X), [2.0, 3.0], ()], [None, "a", X.astype(object), 10**30, {}]),
    ("anything else", [None, 2, "a"], []),
]


@pytest.mark.parametrize(("kind", "fitting", "other"), KINDS)
def test_what_is_not_of_the_kind_that_an_annotation_names_is_named(kind, fitting, other):
    def f(x):
        raise ValueError("no")

    f.__annotations__["x"] = kind
    for value in fitting:
        with pytest.raises(ValueError, match=r"^f: no"):
            errors.named(f)(value)
    for value in other:
        with pytest.raises(TypeError, match=r"^f: x must (be|hold) (?!.*\(x )"):
            errors.named(f)(value)


EIGHT = ", ".join(f"arrays[{i}] {i}" for i in range(8))


def complaint(*given, named="f", error=ValueError, said="no", **options):
    """What an error says that is raised in a function with these arguments."""

    def f(*arrays: int, axis: int = 0, shape: int | None = None, name: list[int] | None = None):
        raise error(said)

    f.__name__ = named
    with pytest.raises((ValueError, TypeError)) as caught:
        errors.named(f)(*given, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("sentence", "given", "options"),
    [
        ("f: no", (), {}),
        ("f: ValueError", (), {"said": ""}),
        ("f: is wrong", (1,), {"said": "f: is\nwrong"}),
        ("f: no (arrays[0] 1, arrays[1] 2)", (1, 2), {}),
        ("f: arrays[1] must be an int, not 'a'", (1, "a"), {}),
        ("f: axis must be an int, not None", (), {"axis": None}),
        ("f: no (shape None)", (), {"shape": None}),
        ("f: shape must be an int, not 'a'", (), {"shape": "a"}),
        (
            "f: no (arrays[0] 0, arrays[1] 1, arrays[2] 2, arrays[3] 3, axis 4, shape 5, name 6)",
            range(4),
            {"axis": 4, "shape": 5, "name": 6},
        ),
        (
            f"f: no ({EIGHT})",
            range(8),
            {},
        ),
        (
            f"f: no ({EIGHT}, ...)",
            range(9),
            {},
        ),
        (f"f: no (name {'a' * 38!r})", (), {"name": "a" * 38}),
        (f"f: no (name '{'a' * 36}...)", (), {"name": "a" * 39}),
    ],
)
def test_a_sentence_names_what_was_given_in_short(sentence, given, options):
    assert complaint(*given, **options) == sentence


def test_the_outermost_name_replaces_the_others():
    @errors.named
    def inner(x):
        raise ValueError(said)

    @errors.named
    def log(y):
        return inner(y)

    for said in ("inner: is wrong", "inner: log(0) is wrong", "is wrong"):
        with pytest.raises(ValueError, match=r"^log: ") as caught:
            log(2)
        assert str(caught.value) == {"is wrong": "log: is wrong (y 2)"}.get(said, f"log: {said[7:]}")


def test_a_number_is_no_array_where_one_is_indexed_and_an_array_is_one():
    @errors.named
    def f(x: "Array"):  # noqa: F821
        raise AttributeError("has no such attribute")

    with pytest.raises(TypeError, match=r"^f: x must be an array, not 2$"):
        f(2)
    with pytest.raises(TypeError, match=r"^f: has no such attribute \(x \(2, 3\)\)$"):
        f(X)


@pytest.mark.parametrize("value", [10**30, [10**30], X.astype(object), X.astype("M8[s]"), "a", None])
def test_a_tensor_of_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match=r"^tensor: data must hold numbers, not "):
        mg.tensor(value)


def test_a_matrix_of_numpys_is_refused():
    with pytest.warns(PendingDeprecationWarning):
        matrix = np.matrix([[1.0, 2.0]])
    for call in (lambda: mg.tensor(matrix), lambda: leaf(X[:1, :2]) * matrix):
        with pytest.raises(
            TypeError, match=r"^(tensor|multiply): (data|x2) is a np.matrix, whose \* is a matrix product"
        ):
            call()


MASKED = np.ma.masked_array([1.0, 5.0], [False, True])


@pytest.mark.parametrize("function", [mg.std, mg.var, mg.median, mg.average, mg.norm, mg.logsumexp, mg.diff, mg.sum])
def test_a_mask_is_never_lost(function):
    with pytest.raises(TypeError, match=rf"^{function.__name__}: [axz] is a masked array, which would lose its mask"):
        function(MASKED)


def test_an_error_of_a_vjp_is_named_as_one_of_a_forward_is():
    @mg.op
    def doubled(x):
        return x + x

    @doubled.vjp("x")
    def _(g, out, x):
        return mg.reshape(g, 5)

    with pytest.raises(
        ValueError, match=r"^doubled: the VJP of 'x': cannot reshape .* size 3 .* \(g \(3,\), .* x \(3,\)\)"
    ):
        doubled(leaf(np.ones(3))).backward(np.ones(3))
    with np.errstate(divide="ignore"):
        y = mg.log(leaf(0.0))
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError, match=r"^log: the VJP of 'x': divide by zero"):
        y.backward()


def test_the_error_that_numpy_raised_is_the_cause_of_the_one_that_is_told():
    with pytest.raises(AxisError) as caught:
        mg.ptp(X, 5)
    assert str(caught.value) == "ptp: axis 5 is out of bounds for array of dimension 2 (a (2, 3), axis 5)"
    assert str(caught.value.__cause__) == "axis 5 is out of bounds for array of dimension 2"


def test_a_users_function_inside_of_a_transform_keeps_its_errors():
    def f(x):
        raise ValueError("mine")

    for transform in (mg.grad, mg.value_and_grad, mg.jacobian, mg.hessian, mg.checkpoint):
        with pytest.raises(ValueError, match=r"^mine$"):
            transform(f)(1.0)


def test_plots_of_what_needs_a_gradient_say_what_to_pass():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    for t in (leaf(np.ones(3)), leaf(np.ones(3)) * 2):
        with pytest.raises(TypeError, match=r"can't become an array.* \.data or \.detach\(\)"):
            pyplot.plot(t)
    pyplot.plot(leaf(np.ones(3)).data)
    pyplot.close("all")


def main(names):
    """Print what is not as it should be, a line for each kind, and how many calls were tried."""
    functions = [function for function in FUNCTIONS if not names or function.label in names]
    counts, found = collections.Counter(), {}
    for call, tensors, outcome in table(functions):
        counts[outcome.kind] += 1
        if outcome.kind not in wrong_inputs.HELPFUL:
            key = (outcome.kind, call.function.label) if names else (outcome.kind, outcome.text[:70])
            found.setdefault(key, []).append((call, tensors, outcome.text))
    for (kind, _), cases in sorted(found.items(), key=lambda pair: -len(pair[1])):
        call, tensors, text = cases[0]
        print(f"{len(cases):5} {kind:14} {call.function.label}, {call.what}{' (Tensors)' * tensors}: {text[:300]!r}")
    print(f"{sum(counts.values())} calls of {len(functions)} functions: {dict(counts)}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1:])


def test_tensors_of_pytorch_are_arrays_unless_they_need_a_gradient():
    torch = pytest.importorskip("torch")
    theirs, t = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64), mg.tensor([2.0, 1.0], requires_grad=True)
    assert_array_equal(mg.tensor(theirs).data, theirs.numpy())
    for found in (t * theirs, theirs * t, np.multiply(theirs, t)):
        assert_array_equal(found.data, t.data * theirs.numpy())
    assert_array_equal(mg.grad(lambda x: np.sum(x**2))(theirs), 2 * theirs.numpy())
    with pytest.raises(RuntimeError, match="requires grad"):
        t * theirs.requires_grad_()
    with pytest.raises(TypeError, match=r"^minibatches: arrays\[0\] must be an array, .*; pass its .numpy\(\)$"):
        mg.data.minibatches((torch.ones(4, 2),), 2, rng=np.random.default_rng(0))


def test_an_argument_left_at_its_default_is_not_named():
    for b in ((), (None,)):
        with pytest.raises(ValueError, match=r"k expects 2 \(x \(1, 1, 4, 4\), k \(1, 2, 2, 2\)\)$"):
            mg.conv2d(np.ones((1, 1, 4, 4)), np.ones((1, 2, 2, 2)), *b)


def test_only_arrays_of_numpys_dtypes_are_described_by_their_shape():
    class Foreign:
        requires_grad, dtype, shape = False, "f32", (7,)

        def __repr__(self):
            return "foreign([1, 2])"

    with pytest.raises(TypeError, match=r"^reshape: shape must be .*, not foreign\(\[1, 2\]\)$"):
        mg.reshape(np.ones(2), Foreign())
    with pytest.raises(TypeError, match=r"^np\.gcd: .*\(x1 \(2,\), x2 np\.float32\(2\.0\)\)$"):
        np.gcd(mg.tensor([1.0, 2.0]), np.float32(2))
