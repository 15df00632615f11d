"""Ops: the contract that a user's own op has with the tape."""

import array
import collections
import contextlib
import copy
import functools
import inspect
import operator
import pickle
import sys
import weakref
from collections import namedtuple
from typing import NamedTuple

import numpy as np
import pytest
from scipy import sparse

import minigrad as mg
from minigrad import elementwise, operation, recompute, signature, stand_ins, tape


@mg.op
def scaled(x, factor=2.0, *, shift=0.0):
    """x times factor, plus shift."""
    return x * factor + shift


@scaled.vjp("x")
def _(g, out, x, factor, shift):
    return g * factor


def leaf(value, **options):
    return mg.tensor(value, requires_grad=True, **options)


def test_arrays_in_array_out_tensor_in_tensor_out():
    x = np.ones(3)
    assert type(scaled(x)) is np.ndarray
    assert isinstance(scaled(mg.tensor(x)), mg.Tensor)
    assert not scaled(mg.tensor(x)).requires_grad
    assert scaled(leaf(x)).requires_grad


def test_defaults_are_filled_in_for_the_vjp():
    seen = []

    @mg.op
    def f(x, power=3, *, scale=1.0):
        return scale * x**power

    @f.vjp("x")
    def _(g, out, x, power, scale):
        seen.append((power, scale))
        return g * scale * power * x ** (power - 1)

    x = leaf(2.0)
    for y in (f(x), f(x, 2), f(x, power=2), f(x=x, scale=5.0)):
        y.backward()
    assert seen == [(3, 1.0), (2, 1.0), (2, 1.0), (3, 5.0)]
    assert x.grad == 12 + 4 + 4 + 60


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("kept", [0, 1])
def test_a_forward_that_writes_to_an_argument_is_refused(recorded, kept):
    """It would change a leaf, or an array of the caller, and what the VJP is given."""

    @mg.op
    def scaled_here(x, factor):
        written = (x, factor)[kept]
        written *= 2
        return x * factor

    @scaled_here.vjp("x")
    def _(g, out, x, factor):
        return g * factor

    x, factor = mg.tensor(np.ones(3), requires_grad=recorded), np.full(3, 3.0)
    with pytest.raises(ValueError, match=r"^scaled_here: .* is read-only, since the graph keeps it: write to a copy"):
        scaled_here(x, factor)
    np.testing.assert_array_equal(x.data, np.ones(3))
    np.testing.assert_array_equal(factor, np.full(3, 3.0))


def test_a_forward_may_write_to_its_parameters_without_changing_what_is_recorded():
    @mg.op
    def weighted(x, *, weights):
        weights[0] *= 2
        return x * weights[0]

    @weighted.vjp("x")
    def _(g, out, x, weights):
        return g * 2 * weights[0]

    weights = [np.ones(3)]
    assert mg.grad(lambda x: np.sum(weighted(x, weights=weights)))(np.ones(3)).tolist() == [2, 2, 2]
    assert weights[0].tolist() == [1, 1, 1]


def test_a_forward_may_return_one_array_at_each_call():
    """Also one of its arguments: a result is its own array."""
    buffer = np.empty(3)

    @mg.op
    def exponential(x):
        return np.exp(x, out=buffer)

    @exponential.vjp("x")
    def _(g, out, x):
        return g * out

    @mg.op
    def same(x):
        return x

    x = leaf(np.zeros(3))
    first, second = exponential(x), exponential(x + 1)
    np.sum(first).backward()
    np.testing.assert_array_equal(x.grad, np.ones(3))
    assert not np.shares_memory(second.data, buffer)
    assert not np.shares_memory(same(x.detach()).data, x.data)


def test_an_op_of_any_number_of_arrays():
    @mg.op
    def weighted(*arrays, weights):
        return sum(w * a for w, a in zip(weights, arrays, strict=True))

    @weighted.vjp("arrays")
    def _(i, g, out, *arrays, weights):
        return g * weights[i]

    x, y = leaf(1.0), leaf(2.0)
    weighted(x, y, x, weights=[1, 2, 3]).backward()
    assert (x.grad, y.grad) == (4, 2)


def test_a_users_op_differentiates_to_any_order():
    @mg.op
    def cube(x):
        return x * x * x

    @cube.vjp("x")
    def _(g, out, x):
        return g * 3 * x * x

    f = cube
    for expected in (12.0, 12.0, 6.0, 0.0):
        f = mg.grad(f)
        assert f(2.0) == expected


def test_a_recorded_argument_without_vjp_is_refused_when_the_op_is_called():
    with pytest.raises(TypeError, match="scaled has no VJP for its argument 'factor'"):
        scaled(np.ones(3), leaf(2.0))
    with mg.no_grad():
        assert scaled(np.ones(3), leaf(2.0)).data.sum() == 6


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: scaled(x, 1, 2), r"scaled\(x, factor=2.0, \*, shift=0.0\) takes 2 arguments, not 3"),
        (lambda x: scaled(x, x=x), "got x twice"),
        (lambda x: scaled(), "needs x"),
        (lambda x: scaled(x, bogus=1), "does not take bogus="),
        (lambda x: scaled(x, shift=x), "shift may not be a Tensor"),
        (lambda x: mg.op(lambda x, *, size: x)(x), "needs size="),
        (lambda x: mg.op(lambda x, *, size: x)(), "needs x"),
        (lambda x: mg.op(lambda *arrays, size: x)(), "needs size="),
        (lambda x: np.sum(x, out=np.ones(())), "sum: out= can't hold a Tensor's result"),
        (lambda x: np.sum(x, keepdims=x), "sum.*: keepdims may not be a Tensor"),
        (lambda x: mg.sum(x, axes=1), r"sum\(a, axis=None, dtype=None, .*unexpected keyword argument 'axes'"),
        (lambda x: mg.exp(x, axis=0), "does not take axis="),
    ],
)
def test_a_wrong_call_says_what_is_wrong(call, message):
    with pytest.raises(TypeError, match=message):
        call(leaf(np.ones(3)))


def test_a_vjp_is_checked_when_it_is_registered():
    with pytest.raises(ValueError, match="scaled has no argument 'y'; it has x, factor"):
        scaled.vjp("y")
    with pytest.raises(TypeError, match=r"the VJP of 'x' must take \(g, out, x, factor, shift\)"):
        scaled.vjp("x", lambda g, x: g)
    with pytest.raises(TypeError, match=r"the VJP of 'arrays' must take \(i, g, out, arrays\)"):
        mg.op(lambda *arrays: arrays[0]).vjp("arrays", lambda g, out, arrays: g)


class Vjp:
    def takes(self, g, out, x, factor, shift):
        return g

    def misses_one(self, g, out, x, shift):
        return g


@pytest.mark.parametrize(
    ("function", "fits"),
    [
        (lambda g, out, x, factor, shift: g, True),
        (lambda g, out, x, factor, *, shift: g, True),
        (lambda a, b, c, d, /, shift: a, True),
        (lambda g, out, x, factor, shift=0.0: g, True),
        (lambda g, out, x, factor, shift, more=0: g, True),
        (lambda *arguments, shift: shift, True),
        (lambda g, out, x, factor, **options: g, True),
        (lambda *arguments, **options: options, True),
        (functools.partial(lambda more, g, out, x, factor, shift: g, 0), True),
        (Vjp().takes, True),
        (Vjp().misses_one, False),
        (lambda g, out, x, shift: g, False),
        (lambda g, out, x, *, factor, shift: g, False),
        (lambda g, out, x, factor: g, False),
        (lambda x, factor, shift: x, False),
        (lambda *, shift: shift, False),
        (lambda g, out, x, factor, scale: g, False),
        (lambda g, out, x, factor, shift, more: g, False),
        (lambda g, out, x, factor, more, *, shift: g, False),
        (lambda g, out, x, factor, *, shift, more: g, False),
        (lambda a, b, c, d, shift, /: a, False),
        (lambda *arguments: arguments, False),
        (lambda **options: options, False),
    ],
)
def test_any_function_that_takes_what_a_vjp_is_given_will_do(function, fits):
    another = mg.op(lambda x, factor, *, shift: x)
    if fits:
        another.vjp("x", function)
    else:
        with pytest.raises(TypeError, match=r"the VJP of 'x' must take \(g, out, x, factor, shift\)"):
            another.vjp("x", function)


def test_a_local_name_is_no_argument_of_a_vjp():
    def function(g, out, x, factor):
        shift = g + factor
        return shift

    with pytest.raises(TypeError, match="must take"):
        mg.op(lambda x, factor, *, shift: x).vjp("x", function)


def test_a_vjp_may_not_need_what_the_op_has_not():
    with pytest.raises(TypeError, match=r"the VJP of 'x' must take \(g, out, x\)"):
        mg.op(lambda x: x).vjp("x", lambda g, out, x, *, shift: g)


@pytest.mark.parametrize("forward", [lambda x, *rest: x, lambda x, **options: x])
def test_an_op_names_its_arguments(forward):
    with pytest.raises(TypeError, match=r"^<lambda>\(x, \*\*?\w+\): name each argument"):
        mg.op(forward)


def test_an_op_of_a_decorated_function_has_the_arguments_that_it_shows():
    def plain(x, factor=2.0, *, shift):
        return x * factor + shift

    @functools.wraps(plain)
    def decorated(*arguments, **options):
        return plain(*arguments, **options)

    f = mg.op(decorated)
    f.vjp("x", lambda g, out, x, factor, *, shift: g * factor)
    x = leaf([1.0, 2.0])
    f(x, shift=1.0).sum().backward()
    np.testing.assert_array_equal(x.grad, [2, 2])
    with pytest.raises(TypeError, match=r"^plain\(x, factor=2.0, \*, shift\) needs shift="):
        f(x)


@pytest.mark.parametrize(
    ("returned", "kind"),
    [
        (lambda x: (x, x), "a tuple"),
        (lambda x: [x, x], "a list"),
        (lambda x: None, r"None \(is a `return` missing\?\)"),
        (lambda x: {"x": x}, "a dict"),
        (lambda x: "x", "a str"),
        (lambda x: (entry for entry in x), "a generator"),
    ],
)
def test_an_op_returns_one_array(returned, kind):
    made = mg.op(returned, name="made")
    made.vjp("x", lambda g, out, x: g)
    for x in (leaf(np.ones(2)), mg.tensor([1.0])):
        with pytest.raises(TypeError, match=f"^made: an op returns one array, not {kind}$"):
            made(x)


def test_vjp_wants_the_argument():
    with pytest.raises(TypeError, match=r"name the argument, as in @half.vjp\('x'\)"):
        mg.op(lambda x: x / 2, name="half").vjp(lambda g, out, x: g / 2)


def test_numpys_errors_get_the_name_of_the_op():
    with pytest.raises(ValueError, match=r"^add: .*\(2,\) \(3,\)"):
        leaf(np.ones(2)) + np.ones(3)
    with pytest.raises(ValueError, match=r"^multiply: .*\(2,\) \(3,\)"):
        leaf(np.ones(2)) * leaf(np.ones(3))
    with pytest.raises(np.exceptions.AxisError, match=r"^sum: axis 3 is out of bounds"):
        leaf(np.ones(2)).sum(3)
    with pytest.raises(IndexError, match=r"^getitem: "):
        leaf(np.ones(2))[5]


def test_a_users_own_exception_keeps_its_type():
    class OddLengthError(ValueError):
        pass

    @mg.op
    def halves(x):
        raise OddLengthError("odd")

    with pytest.raises(OddLengthError, match=r"^odd$"):
        halves(mg.tensor(np.ones(3)))


def test_options_at_the_defaults_of_ufuncs_are_left_out_where_a_function_has_no_signature():
    defaults = {"out": None, "where": True, "dtype": None, "casting": "same_kind", "order": "K", "subok": True}
    defaults["keepdims"] = False
    equal = defaults | {"casting": "same_kinds"[:-1]}
    for given in (defaults, equal):
        assert signature._given(max, ["a"], (1.0,), {**given, "axis": 0}) == ((1.0,), {"axis": 0})
    assert signature._given(max, ["a", "out"], (1.0,), {"out": None}) == ((1.0,), {"out": None})
    others = {"out": 1, "where": False, "dtype": float, "casting": "safe", "order": "C", "subok": False}
    others["keepdims"] = np.array([True, False])
    assert signature._given(max, ["a"], (1.0,), others) == ((1.0,), others)


def called(ours, theirs, *arguments, **options):
    """What stands for `theirs` is called with, or its result in the dtype that is asked for."""
    return signature.from_numpy(theirs, ours, arguments, options)


def test_a_call_of_numpys_without_what_is_at_its_default_reaches_what_stands_for_it():
    def ours(x, n=3, *, fill="no"):
        return x, n, fill

    assert called(ours, lambda x, /, n=1, *, out=None: 0, "x", 2, out=None) == ("x", 2, "no")
    assert called(ours, lambda x, n=1, out=None: 0, "x", 1) == ("x", 1, "no")
    assert called(ours, lambda x, out=None: 0, "x", None) == ("x", 3, "no")
    assert called(ours, lambda x, n=ENTRIES, out=None: 0, "x", 2, out=None) == ("x", 2, "no")
    assert called(lambda x: x, lambda x, n=1.0: 0, "x", 1) == "x"
    with pytest.raises(TypeError, match="'n'"):
        called(lambda x: x, lambda x, n=1.0: 0, "x", np.array([1.0, 1.0]))
    assert called(ours, lambda x, n, out=None, **more: 0, "x", 2, None, fill=5) == ("x", 2, 5)
    with pytest.raises(TypeError, match=r"^ours\(x, n=3, \*, fill='no'\): .* 'out'"):
        called(ours, lambda x, out=None: 0, "x", out=1)
    with pytest.raises(TypeError, match=r"^ours\(x, n=3, \*, fill='no'\): .* 'size'"):
        called(ours, lambda x, **more: 0, "x", size=1)
    with pytest.raises(TypeError, match=r"^ours\(x, n=3, \*, fill='no'\): too many"):
        called(ours, lambda x: 0, "x", 1, 2)

    def some(*arrays, fill=0):
        return arrays, fill

    assert called(some, lambda first, *arrays, fill=1, copy=True: 0, 1, 2, 3, copy=True) == ((1, 2, 3), 0)
    assert called(some, lambda *arrays, fill=1, copy=True: 0, 1, 2, fill=4, copy=True) == ((1, 2), 4)


def test_a_result_is_cast_where_numpys_function_has_a_dtype():
    def ours(x):
        return np.asarray(x) / 3

    def theirs(x, dtype=None, casting="same_kind", out=None):
        return 0

    assert called(ours, theirs, 1.0, dtype=np.float32) == np.float32(1 / 3)
    assert called(ours, theirs, 1.0, dtype=np.float32).dtype == np.float32
    assert called(ours, theirs, 1.0, out=None) == 1 / 3
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'casting'$"):
        called(ours, theirs, 1.0, casting="unsafe")
    assert called(lambda x: np.float32(x), theirs, 1.0, dtype=None, out=None).dtype == np.float32
    assert called(ours, theirs, 3.7, dtype=int, casting="unsafe") == 1
    for options in ({"dtype": int}, {"dtype": np.float32, "casting": "safe"}):
        with pytest.raises(
            TypeError, match=r"^ours: a cast of float64 to (int64 is not 'same_kind'|float32 is not 's)"
        ):
            called(ours, theirs, 1.0, **options)
    assert called(lambda x, dtype=None: (x, dtype), theirs, 1.0, dtype=int, out=None) == (1.0, int)
    assert called(ours, np.negative, 2, dtype=np.float32) == -2


def test_what_an_op_of_any_number_of_arrays_takes():
    filled = mg.op(lambda *arrays, size: np.full(size, len(arrays)), name="filled")
    assert filled(size=2).tolist() == [0, 0]
    assert filled(1.0, 2.0, 3.0, size=1).tolist() == [3]
    with pytest.raises(TypeError, match=r"does not take arrays="):
        filled(arrays=np.ones(2), size=2)
    total = mg.op(lambda *arrays: np.sum(arrays, axis=0), name="total")
    total.vjp("arrays", lambda i, g, out, *arrays: g)
    with pytest.raises(TypeError, match=r"^total: arrays\[1\] must hold numbers, not None$"):
        total(leaf(1.0), None)


def test_what_may_be_left_out_may_be_a_list():
    scaled = mg.op(lambda x, w=None: x * 1.0 if w is None else x * w, name="scaled")
    scaled.vjp("x", lambda g, out, x, w: g if w is None else g * w)
    for w, expected in (([2.0, 3.0], [2, 6]), (None, [1, 2])):
        assert scaled(leaf(np.array([1.0, 2.0])), w).data.tolist() == expected
        assert scaled(np.array([1.0, 2.0]), w).tolist() == expected


def test_an_error_leaves_out_the_defaults():
    reshaped = mg.op(lambda x, n=7, *, order="C": x.reshape(n, order=order), name="reshaped")
    with pytest.raises(ValueError, match=r"^reshaped: .* \(x \(2,\)\)$"):
        reshaped(np.ones(2))
    with pytest.raises(ValueError, match=r"^reshaped: .* \(x \(2,\), n 3, order 'F'\)$"):
        reshaped(np.ones(2), 3, order="F")


def test_what_a_call_was_given_is_recorded_as_it_was_whatever_holds_it():
    class Marked:
        _fields = ("n",)

    start, x = np.array(1), leaf(np.arange(3.0))
    y = x[slice(start, None)]
    start[...] = 2
    y.backward(np.ones(2))
    assert x.grad.tolist() == [0, 1, 1]
    doubled = mg.op(lambda x, *, options: x * 2, name="doubled")
    doubled.vjp("x", lambda g, out, x, options: seen.append(options) or g * 2)
    seen, options = [], Marked()
    doubled(x, options=options).backward(np.ones(3))
    assert seen == [options]


def test_complex_results_are_refused():
    """Of an op that was made for real numbers."""
    with pytest.raises(TypeError, match="clip: can't differentiate a result of dtype complex128"):
        np.clip(leaf(np.ones(3)), 1j)


def test_an_op_says_what_it_is():
    assert repr(scaled) == "<op scaled(x, factor=2.0, *, shift=0.0)>"
    assert scaled.__doc__ == "x times factor, plus shift."
    assert list(inspect.signature(scaled).parameters) == ["x", "factor", "shift"]
    assert repr(mg.add) == "<op add(x1, x2)>"


def test_lists_are_arrays():
    np.testing.assert_array_equal(mg.tanh([0.0, 0.0]), [0, 0])
    x = leaf([1.0, 2.0])
    (x * [3, 4] + [1, 1]).sum().backward()
    np.testing.assert_array_equal(x.grad, [3, 4])


class Subclass(np.ndarray):
    """An array that would like to come first."""

    __array_priority__ = 1e6


class Holder:
    """What np.asarray makes an array of."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array.copy() if copy else self.array


class Series(Holder):
    """It computes as pandas' Series does: by itself, with all but what has a higher priority."""

    __pandas_priority__ = 3000

    def __mul__(self, other):
        """The product of the arrays."""
        if getattr(other, "__pandas_priority__", 0) > self.__pandas_priority__:
            return NotImplemented
        return Series(self.array * np.asarray(other))

    def __array_ufunc__(self, ufunc, method, *inputs):
        if ufunc is np.multiply and isinstance(inputs[0], Series):
            return inputs[0] * inputs[1]
        return NotImplemented


ENTRIES = np.array([[1.0, 2.0], [3.0, 4.0]])
KINDS = {
    "memory map": lambda path: np.save(path, ENTRIES) or np.load(path, mmap_mode="r"),
    "subclass": lambda path: ENTRIES.view(Subclass),
    "record array": lambda path: ENTRIES.view(np.recarray),
    "holder": lambda path: Holder(ENTRIES),
    "series": lambda path: Series(ENTRIES),
}
PRODUCTS = [
    lambda x, other: x * other,
    lambda x, other: other * x,
    lambda x, other: np.multiply(other, x),
    lambda x, other: mg.multiply(other, x),
    lambda x, other: mg.tensor(other) * x,
    lambda x, other: np.prod(np.stack([other, x]), axis=0),
]


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_of_others_are_constants(kind, tmp_path):
    other = KINDS[kind](tmp_path / "entries.npy")
    for product in PRODUCTS:
        x = leaf(np.full((2, 2), 3.0))
        product(x, other).backward(np.ones((2, 2)))
        np.testing.assert_array_equal(x.grad, ENTRIES)
    gradient = mg.grad(lambda x: mg.sum(x * x))(other)
    np.testing.assert_array_equal(gradient, 2 * ENTRIES)
    assert type(gradient) is np.ndarray


SPARSE = [sparse.csr_array(ENTRIES), sparse.csr_matrix(ENTRIES), sparse.coo_array(ENTRIES)]


@pytest.mark.parametrize("other", [np.ma.masked_array(ENTRIES, ENTRIES > 3), *SPARSE])
def test_others_that_would_lose_a_gradient_or_a_mask_say_what_to_do(other):
    x = leaf(ENTRIES)
    for product in (*PRODUCTS, lambda x, other: other @ x, lambda x, other: x @ other):
        with pytest.raises(TypeError, match=r"toarray\(\)|use mg.where\(mask"):
            product(x, other)


@mg.op
def sparse_product(x, *, matrix):
    """A sparse matrix times x."""
    return matrix @ x


@sparse_product.vjp("x")
def _(g, out, x, *, matrix):
    return sparse_product(g, matrix=matrix.T)


@pytest.mark.parametrize("matrix", SPARSE)
def test_an_op_of_ones_own_multiplies_by_a_sparse_matrix(matrix):
    mg.testing.check_grads(sparse_product, np.arange(6.0).reshape(2, 3), matrix=matrix, layouts=False)


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_a_subclass_that_computes_otherwise_is_refused():
    x, matrix = leaf(np.ones((2, 2))), np.matrix([[1, 2], [3, 4]])
    for product in (lambda: x * matrix, lambda: matrix * x, lambda: np.multiply(matrix, x), lambda: x @ matrix):
        with pytest.raises(TypeError, match=r"^(multiply|matmul): x[12] is a np\.matrix, .* pass np\.asarray"):
            product()
    masked = np.ma.masked_array([[1.0, 2.0], [3.0, 4.0]], [[0, 1], [0, 0]])
    with pytest.raises(TypeError, match="multiply: x2 is a masked array, which would lose its mask"):
        x * masked
    with pytest.raises(TypeError):
        masked * x
    with mg.no_grad(), pytest.raises(TypeError, match=r"multiply: .* is a masked array, which would lose its mask"):
        x *= masked
    with mg.no_grad(), pytest.raises(TypeError, match=r"subtract: .* is a np\.matrix"):
        x -= matrix
    np.testing.assert_array_equal(x.data, np.ones((2, 2)))


class Options(NamedTuple):
    factors: np.ndarray


def options_in(kind):
    factors = np.array([1.0, 2.0])
    return factors, {"dict": {"factors": factors}, "namedtuple": Options(factors), "nest": [{"factors": factors}]}[kind]


def factors_of(options):
    options = options[0] if isinstance(options, list) else options
    return options.factors if isinstance(options, Options) else options["factors"]


@mg.op
def factored(x, other, *, options=None):
    return x * factors_of(other or options)


@factored.vjp("x")
def _(g, out, x, other, options):
    return g * factors_of(other or options)


@pytest.mark.parametrize("kind", ["dict", "namedtuple", "nest"])
@pytest.mark.parametrize("positional", [True, False])
def test_arrays_in_nests_are_recorded_as_they_were(kind, positional):
    factors, options = options_in(kind)
    x = leaf([1.0, 1.0])
    y = factored(x, options) if positional else factored(x, None, options=options)
    factors[:] = 9
    y.backward(np.ones(2))
    np.testing.assert_array_equal(x.grad, [1, 2])


class Place:
    """What stands for an integer that changes."""

    def __init__(self, values):
        self.values = values

    def __index__(self):
        return self.values[0]

    def __setitem__(self, i, value):
        self.values[i] = value


class Places(Place):
    """An array that is no copy, whatever is asked for."""

    def __array__(self, dtype=None, copy=None):
        self.values = np.asarray(self.values)
        return self.values


@pytest.mark.parametrize(
    "kind",
    [list, np.array, array.array, collections.deque, collections.UserList, Place, Places, memoryview],
)
@pytest.mark.parametrize("around", [lambda i: i, lambda i: (i,), lambda i: (..., i), lambda i: (i, None)])
def test_an_index_is_recorded_as_it_was(kind, around):
    places = [0, 1]
    given = {array.array: ("q", places), memoryview: (np.array(places),)}.get(kind, (places,))
    index = kind(*given)
    x = leaf([1.0, 2.0, 4.0])
    y = x[around(index)].sum()
    index[0] = 2
    y.backward()
    assert x.grad.tolist() == ([1, 0, 0] if kind is Place else [1, 1, 0])


def test_arrays_among_the_parameters_are_released_with_the_others():
    x = leaf([1.0, 1.0])
    _, options = options_in("dict")
    y = factored(x, None, options=options)
    gone = weakref.ref(y.node.parameters["options"]["factors"])
    y.backward(np.ones(2))
    assert gone() is None


def test_ops_are_copied_and_pickled_by_name():
    public = [getattr(mg.ops, name) for name in mg.ops.__all__]
    assert recompute.__name__ in sys.modules
    modules = [module for name, module in sys.modules.items() if name.startswith("minigrad.")]
    found = [value for module in modules for value in vars(module).values()]  # also those that nobody calls by name
    for op in {value for value in (*public, *found) if isinstance(value, operation.Op)}:
        assert pickle.loads(pickle.dumps(op)) is op
        assert copy.deepcopy(op) is op


@pytest.mark.parametrize("forward", [3, int, np.exp, functools.partial(np.sum)])
def test_only_a_function_becomes_an_op(forward):
    with pytest.raises(TypeError, match="op: decorate a Python function"):
        mg.op(forward)


def test_what_numpy_passes_as_none_is_taken():
    x = leaf(np.ones(3))
    assert np.sum(x, axis=0, dtype=None, out=None).item() == 3
    assert np.exp(x, out=None).shape == (3,)
    with pytest.raises(TypeError, match=r"np\.less: out= can't hold"):
        np.less(1.0, 2.0, out=mg.tensor([True]))


def test_an_op_may_be_given_a_name():
    @mg.op(name="triple")
    def f(x):
        return 3 * x

    f.vjp("x", lambda g, out, x: 3 * g)
    assert repr(f) == "<op triple(x)>"
    assert mg.grad(f)(2.0) == 3
    with pytest.raises(TypeError, match="triple"):
        f()


def test_an_op_of_a_ufunc(monkeypatch):
    """A row of the table of elementwise ops: it stands for the ufunc where that meets a Tensor."""
    monkeypatch.setattr(stand_ins, "NUMPY", {})
    made = elementwise.elementwise(np.exp, "A = e**Z", z=lambda g, a, z: g * a)
    assert repr(made) == "<op exp(z)>"
    assert (made.__doc__, made.__qualname__) == ("A = e**Z", "exp")
    assert {np.exp: made} == stand_ins.NUMPY
    assert mg.grad(made)(0.0) == 1
    assert elementwise.elementwise(np.exp, "", name="other", z=lambda g, a, z: g * a).__name__ == "other"


def test_a_function_stands_for_others_of_numpy(monkeypatch):
    monkeypatch.setattr(stand_ins, "NUMPY", {})

    def stand_in(x):
        return x

    registered = stand_ins.implements(np.sort, np.partition)(stand_in)
    assert registered.__wrapped__ is stand_in
    assert {np.sort: registered, np.partition: registered} == stand_ins.NUMPY


def test_a_stand_in_takes_the_calls_of_the_first_of_its_functions(monkeypatch):
    monkeypatch.setattr(stand_ins, "NUMPY", {})

    def doubled(a):
        return a * 2

    for registered in (
        stand_ins.implements(np.sort, np.partition)(doubled),
        stand_ins.NUMPY[np.partition],
        stand_ins.extends(stand_ins.implements(np.sort)(mg.op(lambda a: a, name="own")))(lambda a: a * 2),
    ):
        assert registered(3) == registered(3, kind=None, order=None) == 6
        with pytest.raises(TypeError, match="unexpected keyword argument 'kth'"):
            registered(3, kth=1)


def test_an_op_of_any_number_of_arrays_without_vjp_is_refused():
    @mg.op
    def chosen(*arrays):
        return arrays[0]

    with pytest.raises(TypeError, match=r"chosen has no VJP for its argument 'arrays\[1\]'"):
        chosen(np.ones(2), leaf(np.ones(2)))


def test_a_sequence_of_a_kind_of_its_own_reaches_the_vjp_as_it_is():
    Size = namedtuple("Size", ["rows", "columns"])
    seen = []

    @mg.op
    def scaled_by(x, size):
        return x * size.rows

    @scaled_by.vjp("x")
    def _(g, out, x, size):
        seen.append(size)
        return g * size.rows

    scaled_by(leaf(1.0), Size(3, 4)).backward()
    assert seen == [Size(3, 4)]
    assert type(seen[0]) is Size


def test_an_error_that_names_the_op_is_left_as_it_is():
    for multiply in (operator.matmul, np.matmul):
        with pytest.raises(ValueError, match=r"^matmul: (?!matmul)"):
            multiply(leaf(np.ones((2, 3))), leaf(np.ones((2, 3))))


@pytest.mark.parametrize("symbol", ["add", "sub", "mul", "truediv", "pow", "mod"])
@pytest.mark.parametrize(
    "other", [2.5, 3, True, np.float64(2.5), np.array([0.3, 2.5]), [0.3, 2.5], np.array(3), np.float32(0.1)]
)
def test_operators_compute_what_numpys_do(symbol, other):
    """To the last bit, on either side, recorded or not, and each is one op on the tape."""
    compute, x = getattr(operator, symbol), np.array([0.7, 1.3])
    as_array = np.asarray(other) if isinstance(other, list) else other
    for t in (mg.tensor(x), leaf(x)):
        for found, expected in (
            (compute(t, other), compute(x, as_array)),
            (compute(other, t), compute(as_array, x)),
            (compute(t, mg.tensor(other)), compute(x, np.asarray(other))),
        ):
            np.testing.assert_array_equal(found.data, expected, strict=True)
            assert found.requires_grad == t.requires_grad
    assert {type(p) for p in compute(leaf(x), other).node.parents} == {tape.Node, type(None)}


def test_kinds_of_errors_that_are_numpys_own_get_the_name_of_the_op():
    with pytest.raises(TypeError, match=r"^add: x2 must hold numbers, not dtype <U1"):
        leaf(np.ones(2)) + np.array(["a", "b"])
    with pytest.raises(TypeError, match=r"^exp: x must hold numbers, not dtype object"):
        mg.exp(np.array([object()]))


def test_an_op_in_a_class_is_a_method():
    assert mg.Tensor.sum is mg.sum
    assert mg.tensor([1.0, 2.0]).sum().item() == 3


def test_what_stands_for_an_array_reaches_the_op_as_one():
    """Lists and subclasses do where there is a VJP; elsewhere a list may be a shape, and stays."""

    class Marked(np.ndarray):
        pass

    seen, marked = [], np.ones(2).view(Marked)

    @mg.op
    def noted(x, y, shape):
        seen.append((type(x), type(y), type(shape)))
        return x * y

    noted.vjp("x", lambda g, out, x, y, shape: g * y)
    noted.vjp("y", lambda g, out, x, y, shape: g * x)
    for x in (np.ones(2), leaf(np.ones(2))):
        noted([1.0, 2.0], x, [1, 2])
        noted(x, (1.0, 2.0), marked)
        noted(marked, x, (1, 2))
    array = np.ndarray
    assert seen == [(array, array, list), (array, array, array), (array, array, tuple)] * 2


def test_the_data_of_a_scalar_is_an_array():
    for y in (mg.exp(leaf(1.0)), mg.sum(leaf(np.ones(3))), leaf(1.0) * 2.0, leaf(np.ones(3))[0]):
        assert type(y.data) is type(y.node.output) is np.ndarray


def test_a_default_that_changes_later_does_not_reach_what_was_recorded():
    scale = np.array([2.0])

    @mg.op
    def scaled(x, *, by=scale):
        return x * by

    scaled.vjp("x", lambda g, out, x, by: g * by)
    x = mg.tensor([1.0], requires_grad=True)
    y = scaled(x)
    scale[0] = 5
    y.backward()
    assert y.item() == x.grad.item() == 2


def with_options():
    @mg.op
    def f(x, w, b=None, n=1):
        return x * 2 if w is None else x * w

    f.vjp("x", lambda g, out, x, w, b, n: g * 2)
    f.vjp("b", lambda g, out, x, w, b, n: 0 * g)
    return f


def test_none_stands_for_an_argument_without_a_vjp_or_for_one_that_may_be_left_out():
    f, x = with_options(), mg.tensor([1.0, 2.0], requires_grad=True)
    assert f(x, None).tolist() == f(x, None, None, None).tolist() == [2.0, 4.0]
    with pytest.raises(TypeError, match=r"^f: x must hold numbers, not None"):
        f(None, x)
    with pytest.raises(TypeError, match=r"^concatenate: arrays\[1\] must hold numbers, not None"):
        mg.concatenate([x, None])
    with pytest.raises(TypeError, match=r"^f: w is a masked array, which would lose its mask"):
        f(x, np.ma.array([1.0, 2.0]))


def test_an_op_differentiates_complex_numbers_only_if_it_says_so():
    z = mg.tensor([1j], requires_grad=True)
    for is_complex in (True, False):
        doubled = mg.op(lambda z: z * 2, name="doubled", complex=is_complex)
        doubled.vjp("z", lambda g, out, z: g * 2)
        assert doubled(mg.tensor([1j])).tolist() == [2j]
        if is_complex:
            doubled(z).backward([1.0])
            assert z.grad.tolist() == [2.0]
        else:
            with pytest.raises(TypeError, match=r"^doubled"):
                doubled(z)


def test_a_real_result_of_complex_numbers_has_no_derivative_either():
    modulus = mg.op(lambda z: np.abs(z), name="modulus")
    modulus.vjp("z", lambda g, out, z: g * z / out)
    assert modulus(mg.tensor([3 + 4j])).tolist() == [5.0]
    with pytest.raises(TypeError, match=r"^modulus: complex numbers have no derivative here"):
        modulus(leaf([3 + 4j]))


def test_a_function_that_belongs_to_no_module_becomes_an_op():
    doubled = eval("lambda x: x * 2", {"__name__": None})
    doubled.__module__ = None
    made = mg.op(doubled)
    made.vjp("x", lambda g, out, x: g * 2)
    assert mg.grad(made)(3.0) == 2


def test_what_stands_for_an_array():
    a, t = np.ones(2), mg.tensor([1.0])
    assert operation.arraylike(a) is a
    assert operation.arraylike(t) is t
    assert operation.arraylike([1, 2]).tolist() == [1, 2]
    with pytest.raises(TypeError, match=r"^array: it must hold numbers, not 'a'"):
        operation.arraylike("a")


@pytest.mark.parametrize(
    ("vjp", "error", "words"),
    [
        (lambda g, out, x: mg.tensor(g), TypeError, "returned a Tensor where it was given arrays"),
        (lambda g, out, x: 1j * g, TypeError, "returned dtype complex128 for a gradient of float64"),
        (lambda g, out, x: np.ones(3), ValueError, r"returned shape \(3,\) for an argument of shape \(2,\)"),
        (lambda g, out, x: None, TypeError, "returned None"),
    ],
)
def test_what_a_vjp_may_not_return(vjp, error, words):
    op = mg.op(lambda x: x * 2, name="doubled")
    op.vjp("x", vjp)
    with pytest.raises(error, match=f"^doubled: the VJP of 'x' {words}"):
        op(mg.tensor([1.0, 2.0], requires_grad=True)).backward(np.ones(2))


def test_an_error_in_a_vjp_tells_what_it_was_given():
    op = mg.op(lambda x: x * 2, name="doubled")
    op.vjp("x", lambda g, out, x: np.reshape(g, (7,)))
    hint = "inside mg.debug(), the message names the line of the op"
    for inside in (False, True):
        with contextlib.ExitStack() as entered:
            if inside:
                entered.enter_context(mg.debug())
            with pytest.raises(
                ValueError, match=r"^doubled: the VJP of 'x': .*g \(2,\), out \(2,\), x \(2,\)"
            ) as error:
                op(mg.tensor([1.0, 2.0], requires_grad=True)).backward(np.ones(2))
        assert (hint in str(error.value)) != inside


def test_a_gradient_in_another_dtype_gets_that_of_the_argument():
    seen = []
    kept = mg.op(lambda x: x * 1, name="kept")
    kept.vjp("x", lambda g, out, x: seen.append(g.dtype) or g)
    wider = mg.op(lambda x: x * 2, name="wider")
    wider.vjp("x", lambda g, out, x: g * np.full(2, 2.0))
    x = mg.tensor(np.ones(2, np.float32), requires_grad=True)
    wider(kept(x)).backward(np.ones(2))
    assert seen == [np.float32]
    assert x.grad.dtype == np.float32


def test_a_node_keeps_its_scopes():
    x = mg.tensor(1.0, requires_grad=True)
    with mg.scope("outer"), mg.scope("inner"):
        y = x * 2
    assert y.node.scope == ("outer", "inner")
    assert (x * 2).node.scope == ()


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of np.matrix
@pytest.mark.parametrize("kind", [np.ma.array, np.matrix])
def test_what_would_lose_its_class_is_no_result(kind):
    """A mask would be dropped; a matrix keeps two axes, so that a gradient had another shape than its leaf."""
    double = mg.op(lambda x: kind(2 * x))
    double.vjp("x", lambda g, out, x: 2 * g)
    with pytest.raises(TypeError, match=r"an op returns one array, not a (MaskedArray|matrix)$"):
        double(mg.tensor([1.0, 2.0]))
    twice = mg.op(lambda x: 2 * x)
    twice.vjp("x", lambda g, out, x: kind(2 * g))
    with pytest.raises(TypeError, match=r"the VJP of 'x' returned a (MaskedArray|matrix), not one array$"):
        mg.grad(lambda x: np.sum(twice(x)))(np.array([1.0, 2.0]))


def test_a_vjp_may_return_an_array_of_another_kind():
    pandas = pytest.importorskip("pandas")
    twice = mg.op(lambda x: 2 * x)
    twice.vjp("x", lambda g, out, x: pandas.Series(2 * g))
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    np.sum(twice(x)).backward()
    assert type(x.grad) is np.ndarray
    assert x.grad.tolist() == [2, 2]
