"""NumPy's functions of Tensors: names in errors, options, and what stays plain."""

import functools
import itertools
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import minigrad as mg
from minigrad import _numpy, stand_ins, tape


def leaf(value):
    return mg.tensor(value, requires_grad=True)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: np.invert(t), TypeError, r"np\.invert: not defined for dtype float64 \(x1 \(2,\)\)"),
        (lambda t: np.gcd(t, 2), TypeError, r"np\.gcd: not defined for dtype float64 \(x1 \(2,\), x2 2\)"),
        (lambda t: np.argsort(t, axis=3), np.exceptions.AxisError, r"np\.argsort: axis 3 .* \(a \(2,\), axis 3\)"),
        (lambda t: np.linalg.matrix_rank(t, 1, rtol=1), ValueError, r"np\.linalg\.matrix_rank: .*\(A \(2,\), tol 1, "),
        (lambda t: np.put(t, 0, 1.0), TypeError, r"np\.put can't write to a Tensor: mg\.put returns a new one$"),
        (lambda t: np.copyto(t, 1.0), TypeError, r"np\.copyto can't write to a Tensor: mg\.where returns a new one$"),
        (lambda t: np.add(t, 1.0, signature="dd->d"), TypeError, r"np\.add: give dtype= instead of signature=$"),
        (
            lambda t: np.add.at(t, 0, 1.0),
            TypeError,
            r"np\.add\.at can't write in place with a Tensor: mg\.ops\.scatter",
        ),
        (lambda t: np.hypot.reduce(t, where=t > 1), TypeError, r"hypot\.reduce does not take where here"),
        (
            lambda t: np.matmul(t, t, axes=[0, 0]),
            ValueError,
            r"np\.matmul: axes must hold 1, 1 and 0 axes, not \[0, 0\]",
        ),
        (lambda t: np.add(t, t, axes=[0, 0, 0]), TypeError, r"add.* unexpected keyword argument 'axes'"),
        (lambda t: np.exp(t, keepdims=False), TypeError, r"exp.* unexpected keyword argument 'keepdims'"),
    ],
)
def test_an_error_begins_with_the_name_that_the_program_has_for_the_function(call, error, message):
    with pytest.raises(error, match=rf"^{message}"):
        call(leaf([1.0, 2.0]))


def test_a_ufunc_without_op_is_named_where_scipy_is_not_installed(monkeypatch):
    for name in ("scipy", "scipy.special"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "minigrad.scipy.special", raising=False)
    _numpy._from_scipy.cache_clear()
    with pytest.raises(TypeError, match=r"^np\.heaviside has no op here|^np\.isnat has no op here"):
        np.isnat(leaf(1.0))


def test_a_set_of_what_needs_no_gradient_is_a_plain_array():
    found = np.union1d(np.array([1.0, 3.0]), mg.tensor([2.0, 1.0]))
    assert type(found) is np.ndarray
    assert_array_equal(found, [1, 2, 3])


def test_options_at_their_defaults_change_nothing():
    t = leaf([1.0, 4.0])
    assert np.sqrt(t, where=True).node.op is mg.sqrt
    assert_array_equal(np.fft.fft(t, None, -1, None, None).data, np.fft.fft(t.data))
    assert_array_equal(np.fft.fft(t, out=None).data, np.fft.fft(t.data))
    assert np.vecdot(t, t, keepdims=False).item() == 17


def test_the_dtype_of_both_results_and_of_a_list():
    t = leaf([1.5, 2.5, 3.25])
    for f in (
        lambda x: np.modf(x, dtype=np.float32),
        lambda x: np.divmod(x, 2, dtype=np.float32),
        lambda x: [np.add(x, [1, 2, 3], dtype=np.float32), np.multiply([0.1, 1, 2], x, dtype=np.longdouble)],
    ):
        for found, expected in zip(f(t), f(t.data), strict=True):
            assert isinstance(found, mg.Tensor)
            assert_array_equal(found.data, expected, strict=True)


DTYPES = ["?", "u1", "i2", "i8", "f2", "f4", "f8", "c8", "c16"]
CALLS = """
np.tril(x); np.triu(x); np.angle(x); np.fabs(x); np.modf(x)[0]; np.modf(x)[1]; np.insert(x, 1, [7.5, 2.5], axis=1)
np.ediff1d(x); np.ediff1d(x, to_begin=[True]); np.ediff1d(x, to_end=np.int8([1])); np.vecdot(x, x); np.vecdot(x, y)
np.einsum("ij->i", x); np.einsum("ii->i", x[:, :2]); np.einsum("ij,kj->kij", x, y); np.einsum("ij,k->jk", x, x[0])
np.sum(x, initial=np.float64(2)); np.prod(x, initial=np.float64(2)); np.mean(x, where=x > 1); np.var(x, where=x > 1)
np.linspace(x, 3, 4); np.linspace(x, 2.5, 4); np.linspace(2, x[0], 4); np.logspace(x, 0.5, 3); np.linspace(x, y, 3)
np.logaddexp2(x, 1.5); np.logaddexp2(x, y); np.logaddexp2(y, True); np.nanvar(x); np.nanstd(x); np.nanmean(x)
"""


@pytest.mark.parametrize("call", CALLS.replace("\n", "; ").strip("; ").split("; "))
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::numpy.exceptions.ComplexWarning")
def test_the_dtype_is_numpys(call):
    f = eval(f"lambda x, y: {call}", {"np": np})
    for x, of_y in itertools.product(map(np.array([[1, 2, 3], [0, 2, 1]]).astype, DTYPES), [None, np.float32]):
        y = x if of_y is None else x.astype(of_y)
        try:
            expected = f(x, y)
        except TypeError:  # a difference of booleans, an order of complex numbers
            continue
        found = f(mg.tensor(x), y)
        assert found.dtype == expected.dtype
        assert_allclose(mg.tensor(found).data, expected, rtol=4 * np.finfo((expected * 1.0).dtype).eps)


def test_indices_of_a_grid_stay_as_they_are_beside_a_tensor():
    found = np.ix_(np.array([True, False, True]), leaf([1.0, 2.0]), [0, 1])
    expected = np.ix_(np.array([True, False, True]), np.array([1.0, 2.0]), [0, 1])
    assert [type(part) for part in found] == [np.ndarray, mg.Tensor, np.ndarray]
    for part, whole in zip(found, expected, strict=True):
        assert_array_equal(getattr(part, "data", part) if isinstance(part, mg.Tensor) else part, whole, strict=True)


def test_where_the_mask_is_false_the_result_is_0():
    assert_array_equal(np.sqrt(leaf([-1.0, 4.0]), where=[False, True]).data, [0, 2])
    t = leaf([-1.5, 4.25])
    for f in (np.modf, np.frexp, lambda x, **options: np.divmod(x, 2, **options)):
        for found, whole in zip(f(t, where=[False, True]), f(t.data), strict=True):
            assert_array_equal(mg.tensor(found).data if type(found) is np.ndarray else found.data, [0, whole[1]])


def test_tensors_are_saved_as_their_arrays(tmp_path):
    t = leaf([[1.0, 2.0]])
    np.save(tmp_path / "one.npy", t)
    np.savez(tmp_path / "two.npz", t=t)
    np.savetxt(tmp_path / "three.txt", t)
    for found in (np.load(tmp_path / "one.npy"), np.load(tmp_path / "two.npz")["t"]):
        assert_array_equal(found, t.data)
    assert_array_equal(np.loadtxt(tmp_path / "three.txt"), [1, 2])


METHODS = """
np.add.reduceat(x, [0, 1, 1], 2); np.add.reduceat(x, np.array([1, 0]), 1); np.logaddexp.reduceat(x, [0, 2], 2)
np.logaddexp.accumulate(x, 2); np.subtract.accumulate(x, 1); np.hypot.reduce(x, 2); np.logaddexp.reduce(x, (2, 0))
np.logaddexp.reduce(x, (2, 0), keepdims=True); np.subtract.reduce(x, 2); np.power.outer(x[0], x[1, 0])
np.multiply.reduceat(x, [1, 0, 2, 2], 2); np.hypot.reduceat(x, [2, 0, 1], 1); np.divide.accumulate(x, 2)
np.divide.accumulate(x); np.divide.reduce(x, 1); np.hypot.reduce(x, (2, 0)); np.subtract.outer(x[0], x)
np.hypot.reduce(x, 1, initial=x[0, 0, 0]); np.divide.reduce(x, 1, initial=x[0, 0, 0], keepdims=True)
"""


@pytest.mark.parametrize("call", METHODS.replace("\n", "; ").strip("; ").split("; "))
def test_methods_of_ufuncs_along_an_inner_axis(call):
    f = eval(f"lambda x: {call}", {"np": np})
    x = 1 + np.arange(24.0).reshape(2, 3, 4) % 5 / 7
    assert_allclose(f(leaf(x)).data, f(x), 1e-14)
    mg.testing.check_grads(f, x)


@pytest.mark.parametrize("name", ["fmax", "hypot", "logaddexp", "subtract", "divide", "floor_divide"])
@pytest.mark.parametrize("x", [[[3, 4], [1, 2]], np.float32([[3, 4], [1, 2]]), np.ones((0, 2)), np.ones((0, 2), int)])
@pytest.mark.parametrize("initial", [2, 2.5])
def test_a_reduction_starts_in_the_dtype_that_numpy_computes_in(name, x, initial):
    reduce, x = getattr(np, name).reduce, np.array(x)
    for keepdims in (False, True):
        found, expected = (reduce(a, initial=initial, keepdims=keepdims) for a in (mg.tensor(x), x))
        assert_allclose(np.array(found.data), expected, rtol=1e-6, strict=True)


@pytest.mark.parametrize("method", ["accumulate", "reduce"])
def test_small_integers_are_added_in_larger_ones(method):
    x = np.array([200, 100], np.uint8)
    found, expected = getattr(np.add, method)(mg.tensor(x)), getattr(np.add, method)(x)
    assert_array_equal(found.data, expected, strict=True)
    assert_array_equal(np.add.reduceat(mg.tensor(x), mg.tensor([0, 1])).data, np.add.reduceat(x, [0, 1]), strict=True)


@pytest.mark.parametrize("ufunc", [np.add, np.greater, np.logical_and, np.isnan, np.spacing, np.gcd], ids=str)
def test_no_method_of_a_ufunc_writes_to_a_tensor(ufunc):
    x = leaf([1.5, 2.0])
    for t in (x, x * 1.0):
        with pytest.raises(TypeError, match=rf"^np\.{ufunc.__name__}\.at can't write in place with a Tensor"):
            ufunc.at(t, [0], *[1.0] * (ufunc.nin - 1))
        assert_array_equal(t.data, [1.5, 2.0])
    flags = np.array([False, True])
    np.logical_or.at(flags, mg.tensor([0]), True)
    assert flags.tolist() == [True, True]


@pytest.mark.parametrize("function", [np.any, np.all, np.argmax, np.isneginf])
def test_no_function_writes_what_it_found_to_a_tensor(function):
    x = leaf([5.0, 5.0])
    for t in (x, x * 1.0):
        with pytest.raises(TypeError, match=rf"{function.__name__}: out= can't be a Tensor"):
            function(-np.ones((2, 2)), 0, out=t) if function is not np.isneginf else function(np.ones(2), t)
        assert_array_equal(t.data, [5.0, 5.0])
    with pytest.raises(TypeError, match="out= can't be a Tensor"):
        np.any(np.ones((2, 2)), 0, x * 1.0)


def test_what_copies_a_tensor_to_an_array_says_so():
    for call in (lambda t: np.copyto(np.zeros(2), t), lambda t: np.full_like(np.zeros(2), t)):
        with pytest.raises(TypeError, match=r"^np\.copyto can't write a Tensor to an array: .* so does mg\.full_like$"):
            call(leaf([1.0, 2.0]))
    with pytest.raises(TypeError, match=r"^np\.put can't write a Tensor to an array: mg\.put returns a new one$"):
        np.put(np.zeros(2), 0, leaf(1.0))


class Formula:
    """An operand that NumPy's arrays leave the operators to."""

    __array_ufunc__ = None

    def __radd__(self, other):
        return "sum"

    def __rmatmul__(self, other):
        return "product"

    def __eq__(self, other):
        return "equal"

    def __gt__(self, other):
        return "greater"


def test_an_operand_with_operators_of_its_own_has_them_called():
    x, formula = leaf([1.0, 2.0]), Formula()
    assert (x + formula, x @ formula, x == formula, x < formula) == ("sum", "product", "equal", "greater")
    assert x == pytest.approx(np.array([1.0, 2.0]))
    assert x.sum() == pytest.approx(3.0)
    for wrong in (lambda: x * formula, lambda: formula + x, lambda: x >= formula):
        with pytest.raises(TypeError, match=r"not supported between|unsupported operand"):
            wrong()


def test_the_oldest_numpy_that_is_allowed_has_each_function():
    pyproject = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    oldest = re.search(r'"numpy>=([\d.]+)"', pyproject)[1].split(".")
    for function in stand_ins.NUMPY:
        about = (function.__doc__ or "").partition("Parameters\n")[0]  # further on, versions of parameters
        for version in re.findall(r"versionadded:: ([\d.]+)", about):
            assert list(map(int, version.split(".")))[:2] <= list(map(int, oldest)), function


@pytest.mark.parametrize("ufunc", [np.maximum, np.minimum])
@pytest.mark.parametrize("axis", [0, -1])
def test_running_extremes_are_entries(ufunc, axis):
    x = np.random.default_rng(0).integers(-4, 5, (6, 7)) * 0.5
    x[2, 3], x[4, 4], x[0, :2] = np.nan, -0.0, [0.0, -0.0]
    t = mg.tensor(x, requires_grad=True)
    found = ufunc.accumulate(t, axis)
    expected = ufunc.accumulate(x, axis)
    assert_array_equal(found.data, expected, strict=True)
    assert_array_equal(np.signbit(found.data), np.signbit(expected))
    found.sum().backward()
    first = np.array([0.0, 2.0, 2.0, 1.0])
    assert_array_equal(mg.grad(lambda x: np.maximum.accumulate(x).sum())(first), [1.0, 3.0, 0.0, 0.0])
    assert_array_equal(t.grad.sum(axis), np.full(t.grad.sum(axis).shape, x.shape[axis]))


@pytest.mark.parametrize("name", ["fmax", "fmin", "hypot", "logaddexp", "logaddexp2", "subtract"])
def test_running_results_are_those_of_one_call_after_another(name):
    ufunc = getattr(np, name)
    x = np.random.default_rng(0).integers(-4, 5, (9, 2)) * 0.5
    x[3, 0], x[5, 1] = x[2, 0], -np.inf if name.startswith("log") else 0
    g = np.random.default_rng(1).normal(size=x.shape)

    def derivatives(results):
        t = mg.tensor(x, requires_grad=True)
        y = results(t)
        y.backward(g)
        return y.data, t.grad

    found = derivatives(lambda t: ufunc.accumulate(t, 0))
    by_calls = derivatives(lambda t: np.stack([*itertools.accumulate(t, ufunc)]))
    assert_array_equal(found[0], by_calls[0], strict=True)
    assert_allclose(found[1], by_calls[1], rtol=1e-12, atol=1e-14)
    t = mg.tensor(x, requires_grad=True)
    for start in [None, 0.5]:
        expected = np.array([functools.reduce(ufunc, column, *[start] * bool(start)) for column in x.T])
        found = ufunc.reduce(t, axis=0, initial=start)
        assert_array_equal(found.data, expected, strict=True)


@pytest.mark.parametrize(
    "call",
    [
        *(np.logaddexp.reduce, np.hypot.accumulate, lambda t: np.add.reduceat(t, range(len(t)))),
        lambda t: np.maximum.reduceat(t, range(0, len(t), 5)),
    ],
)
def test_methods_of_ufuncs_take_no_op_for_each_entry(call):
    t = mg.tensor(np.ones(50), requires_grad=True)
    assert len(tape.reached([call(t).sum().node])) <= 10


def test_parts_of_any_sizes_are_reduced_as_numpy_does():
    x = np.random.default_rng(0).uniform(0.5, 2, (40, 3))
    for ufunc in (np.multiply, np.maximum, np.logaddexp, np.subtract):
        for axis, indices in ((0, [0, 3, 3, 20, 5, 6, 39]), (1, [2, 0, 1])):
            found = ufunc.reduceat(leaf(x), indices, axis)
            assert_array_equal(found.data, ufunc.reduceat(x, indices, axis), strict=True)


def test_reductions_by_fmax_and_fmin_pass_over_nan():
    x = np.array([[1.0, np.nan, 3.0], [2.0, np.nan, np.nan]])
    for ufunc in (np.fmax, np.fmin):
        for options in ({"axis": 0}, {"axis": (0, 1), "keepdims": True}, {"axis": 1, "initial": 2.5, "where": x > 1.5}):
            assert_array_equal(ufunc.reduce(mg.tensor(x), **options).data, ufunc.reduce(x, **options), strict=True)
    assert_array_equal(mg.grad(lambda x: np.fmax.reduce(x, axis=None))(x), [[0, 0, 1], [0, 0, 0]])


def test_where_of_a_condition_alone_is_where_it_holds():
    x = np.array([[0.0, 2.0], [3.0, 0.0]])
    for condition in (x, x > 2):
        for ours, expected in zip(np.where(leaf(condition + 0.0)), np.where(condition), strict=True):
            assert type(ours) is np.ndarray
            assert_array_equal(ours, expected)
    with pytest.raises(TypeError, match=r"^where\(condition, x, y\) needs y$"):
        np.where(x > 2, leaf(x))
