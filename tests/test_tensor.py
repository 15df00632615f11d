"""Tensor: what it takes, what it gives out, and what it refuses."""

import array
import copy
import math
import pickle

import numpy as np
import pytest

import minigrad as mg
from minigrad import names
from minigrad._tensor import make
from minigrad.names import name_of


def leaf(value, **options):
    return mg.tensor(value, requires_grad=True, **options)


def test_it_copies_what_it_is_made_from():
    a = np.ones(3)
    t = mg.tensor(a)
    a[0] = 9
    np.testing.assert_array_equal(t.data, [1, 1, 1])


def test_a_gradient_cleared_while_frozen_is_gone_when_thawed():
    w = leaf([1.0, 2.0])
    (w * w).sum().backward()
    w.requires_grad = False
    w.grad = None
    w.requires_grad = True
    assert w.grad is None


def test_what_is_no_number_is_not_in_a_tensor():
    x = leaf([1.0, 2.0])
    assert 2 in x
    assert 3 not in x
    assert None not in x
    assert "a" not in x


def test_it_copies_a_tensor_but_no_history():
    t = mg.tensor([1.0, 2.0])
    u = mg.tensor(t)
    assert u.tolist() == [1, 2]
    assert not np.shares_memory(u.data, t.data)
    with pytest.raises(TypeError, match=r"detach\(\) it"):
        mg.tensor(leaf(1.0))


def test_attributes():
    t = leaf(np.ones((2, 3), np.float32), name="k")
    assert (t.shape, t.ndim, t.size, t.dtype, t.name) == ((2, 3), 2, 6, np.float32, "k")
    assert t.T.shape == (3, 2)
    assert len(t) == 2
    assert t.requires_grad
    assert t.grad is None
    assert mg.Tensor([1, 2]).dtype == np.int64
    assert mg.tensor([1, 2], dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize("data", ["text", [object()], None])
def test_other_kinds_of_data_are_refused(data):
    with pytest.raises(TypeError, match=r"^tensor: data must (be boolean, integer or floating-point|hold numbers)"):
        mg.tensor(data)


@pytest.mark.parametrize("dtype", [str, object, "M8[s]"])
def test_other_kinds_of_dtypes_are_refused(dtype):
    with pytest.raises(TypeError, match=r"^tensor: data must be boolean, integer, floating-point or complex, not"):
        mg.tensor([1], dtype=dtype)


@pytest.mark.parametrize("data", [[1, 2], [True]])
def test_only_floating_point_has_a_gradient(data):
    with pytest.raises(
        TypeError, match=r"^tensor: only a floating-point Tensor can have a gradient, not \w+: pass dtype"
    ):
        leaf(data)


def test_data_is_rebound_on_leaves_to_the_same_shape_and_dtype():
    t = leaf(np.ones(3))
    t.data = t.data - 0.5
    t.data -= 0.25
    np.testing.assert_array_equal(t.data, [0.25] * 3)
    with pytest.raises(ValueError, match=r"expected shape \(3,\), not \(2,\)"):
        t.data = np.ones(2)
    with pytest.raises(TypeError, match="expected dtype float64, not float32"):
        t.data = np.ones(3, np.float32)
    with pytest.raises(RuntimeError, match="not the result of multiply"):
        (t * 2).data = np.ones(3)


def test_grad_can_be_set_and_is_checked():
    t = leaf(np.ones(3))
    mine = np.arange(3.0)
    t.grad = mine
    mine[:] = 9
    np.testing.assert_array_equal(t.grad, [0, 1, 2])
    with pytest.raises(ValueError, match=r"grad: it must have shape \(3,\), not \(2,\)"):
        t.grad = np.ones(2)
    with pytest.raises(RuntimeError, match="only a leaf"):
        mg.tensor(1.0).grad = 1.0


def test_requires_grad_can_be_switched_on_leaves():
    t = mg.tensor(np.ones(2))
    t.requires_grad = True
    assert t.requires_grad
    y = t * 2
    with pytest.raises(RuntimeError, match="result of multiply"):
        y.requires_grad = False
    t.requires_grad = False
    assert not (t * 2).requires_grad


def test_a_frozen_leaf_still_receives_what_was_computed_before():
    w = leaf([1.0, 2.0], name="w")
    y = (w * w).sum()
    w.requires_grad = False
    assert w.grad is None
    assert w.name == "w"
    assert not (w * w).requires_grad
    w.requires_grad = True
    y.backward()
    np.testing.assert_array_equal(w.grad, [2, 4])
    w.requires_grad = False
    w.data, w.name = np.array([5.0, 6.0]), "frozen"
    w.requires_grad = True
    (w * w).sum().backward()
    np.testing.assert_array_equal(w.grad, [12, 16])
    assert w.name == "frozen"


@pytest.mark.parametrize("axes", [(), (None,), (1, 0), ((1, 0),), ([1, 0],), (np.array([1, 0]),), (-1, np.int64(0))])
def test_transpose_takes_axes_in_any_form(axes):
    t = leaf(np.arange(6.0).reshape(2, 3))
    y = t.transpose(*axes)
    np.testing.assert_array_equal(y.data, t.data.T)
    (y * np.arange(6).reshape(3, 2)).sum().backward()
    np.testing.assert_array_equal(t.grad, np.arange(6).reshape(3, 2).T)
    assert leaf(1.0).transpose(()).shape == ()
    v = leaf([1.0, 2.0])
    np.transpose(v, 0).sum().backward()
    np.testing.assert_array_equal(v.grad, [1, 1])


@pytest.mark.parametrize(
    ("backward", "message"),
    [
        (lambda: leaf(np.ones(3)).backward(), r"shape \(3,\).*backward\(gradient\)"),
        (lambda: mg.tensor(1.0).backward(), "nothing was recorded"),
    ],
)
def test_backward_without_a_scalar_or_a_graph(backward, message):
    with pytest.raises(RuntimeError, match=message):
        backward()


def test_backward_checks_the_gradient_before_it_starts():
    t = leaf(np.ones(3))
    y = t * 2
    with pytest.raises(ValueError, match=r"must have shape \(3,\), not \(2,\)"):
        y.backward(np.ones(2))
    with pytest.raises(TypeError, match="must be floating-point, not complex128"):
        y.backward(np.ones(3) * 1j)
    y.backward(np.arange(3))
    np.testing.assert_array_equal(t.grad, [0, 2, 4])


def test_one_entry_is_scalar_enough():
    t = leaf([[3.0]])
    (t * t).backward()
    assert t.grad == [[6.0]]


def test_in_place_assignment_names_where():
    with pytest.raises(TypeError, match=r"mg\.where"):
        leaf(np.ones(3))[0] = 1


def test_augmented_assignment_rebinds_a_result():
    x = leaf(1.0)
    t = u = x * 1
    t += x
    assert (t.item(), u.item()) == (2, 1)
    t.backward()
    assert x.grad == 2
    c = d = mg.tensor(1.0)
    c += x
    assert (c.item(), d.item(), c.requires_grad) == (2, 1, True)


def test_augmented_assignment_updates_a_leaf_under_no_grad():
    w = other = leaf([1.0, 2.0])
    array, old = w.data, (w * w).sum()
    with mg.no_grad():
        w -= [0.5, 0.5]
        w *= 2
        w @= np.array([[0.0, 1.0], [1.0, 0.0]])
    assert w is other
    assert w.data is array
    assert w.tolist() == [3, 1]
    assert w.requires_grad
    with pytest.raises(RuntimeError, match="written to in place"):
        old.backward()
    (w * w).sum().backward()
    assert w.grad.tolist() == [6, 2]
    with mg.no_grad(), pytest.raises(ValueError, match=r"subtract: can't update a Tensor of shape \(2,\)"):
        w -= np.ones(3)
    with mg.no_grad(), pytest.raises(TypeError, match=r"can't update a Tensor of shape .* and dtype int64"):
        mg.tensor([1]).__iadd__(0.5)


def test_augmented_assignment_of_a_recorded_leaf_is_refused():
    w = leaf([1.0, 2.0])
    for update in ("+=", "-=", "*=", "/=", "**=", "@=", "%=", "//="):
        with pytest.raises(TypeError, match=r"with mg\.no_grad\(\).*x = x \+ y"):
            exec(f"w {update} w", {"w": w})
    assert w.tolist() == [1, 2]


def test_augmented_assignment_rebinds_what_a_transform_traces():
    def f(x):
        x *= 2.0
        return np.sum(x * x)

    x = np.array([1.0, 3.0])
    np.testing.assert_array_equal(mg.grad(f)(x), 8 * x)
    np.testing.assert_array_equal(mg.hessian(f)(x), 8 * np.eye(2))


def test_an_array_does_not_take_a_tensor_in_place():
    a = np.ones(3)
    with pytest.raises(TypeError, match="array \\+= tensor"):
        a += leaf(np.ones(3))


def test_what_would_lose_a_gradient_is_refused():
    t = leaf(np.ones(3))
    for lose in (lambda: np.asarray(t), lambda: np.array(t), lambda: np.array([t, t])):
        with pytest.raises(TypeError, match=r"\.data.*mg\.array"):
            lose()
    scalar = leaf(2.0)
    with pytest.raises(TypeError, match=r"mg\.array"):
        np.array([scalar, scalar])
    filled = np.zeros(3)
    for lose in (float, complex, math.sin, np.float64, lambda t: math.fsum([t]), lambda t: array.array("d", [t])):
        with pytest.raises(TypeError, match=r"\.item\(\), \.data or \.detach\(\)"):
            lose(scalar)
    with pytest.raises(ValueError, match="sequence") as caught:  # NumPy's own words; ours are its cause
        filled[0] = scalar
    assert ".item()" in str(caught.value.__cause__)
    for lose in (lambda x: math.sin(x), lambda x: filled.__setitem__(0, x), lambda x: np.fromiter([x], float)):
        with pytest.raises(TypeError, match=r"\.item\(\)"):
            mg.grad(lose)(1.0)
    assert float(mg.tensor(2.0)) == 2
    np.testing.assert_array_equal(np.asarray(mg.tensor([1.0])), [1])


@pytest.mark.parametrize("of", [mg.tensor, lambda values: (mg.tensor(values, requires_grad=True) * 1).detach()])
def test_what_shares_a_tensors_memory_is_read_only(of):
    t = of([1.0, 2.0])
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(t)[0] = 9
    for own in (np.array(t), np.asarray(t, np.float32)):
        own[0] = 9
    assert t.tolist() == [1, 2]


def test_the_ways_out():
    t = leaf(np.arange(3.0))
    assert t.detach().requires_grad is False
    copied = t.numpy()
    copied[0] = 9
    assert t.tolist() == [0, 1, 2]
    assert f"{t.sum():.1f}" == "3.0"
    assert int(t.sum()) == 3
    assert bool(t.sum() > 2)
    assert [1, 2, 3][mg.tensor(1)] == 2


def test_comparisons_are_plain_bool_arrays():
    t = leaf(np.arange(3.0))
    for result in (t < 1, t <= 1, t > 1, t >= 1, t == 1, t != 1, np.isnan(t), np.greater(1, t)):
        assert type(result) is np.ndarray
        assert result.dtype == bool
    assert 2.0 in t
    assert t in {t}


def test_iteration_and_length():
    t = leaf([[1.0, 2.0], [3.0, 4.0]])
    a, b = t
    (a * b).sum().backward()
    np.testing.assert_array_equal(t.grad, [[3, 4], [1, 2]])
    with pytest.raises(TypeError, match="0-d"):
        len(leaf(1.0))
    with pytest.raises(TypeError, match="0-d"):
        iter(leaf(1.0))


def test_numpy_functions_dispatch_to_ops():
    t = leaf(np.arange(6.0).reshape(2, 3))
    for result, name in [
        (np.exp(t), "exp"),
        (np.sum(t, axis=0), "sum"),
        (np.ones((4, 2)) @ t, "matmul"),
        (np.float64(2) * t, "multiply"),
        (np.ones(3) - t, "subtract"),
        (np.concatenate([t, np.ones((1, 3))]), "concatenate"),
        (np.where(t > 1, t, 0), "where"),
        (np.maximum(0, t), "maximum"),
    ]:
        assert result.node.op.__name__ == name
    assert np.shape(t) == (2, 3)
    assert np.argmax(t) == 5
    assert type(np.zeros_like(t)) is np.ndarray


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda t: np.busday_count(t, t), "np.busday_count"),
        (lambda t: np.datetime_as_string(t), "np.datetime_as_string"),
        (lambda t: np.isnat(t), "np.isnat"),
    ],
)
def test_a_numpy_function_without_op_is_named(call, name):
    with pytest.raises(TypeError, match=rf"^{name} .*\.data"):
        call(leaf(np.ones((2, 2))))


def test_copies_and_pickles_of_leaves():
    t = leaf([1.0, 2.0], name="w")
    t.sum().backward()
    for other in (copy.copy(t), copy.deepcopy(t), pickle.loads(pickle.dumps(t))):
        np.testing.assert_array_equal(other.data, t.data)
        np.testing.assert_array_equal(other.grad, t.grad)
        assert (other.requires_grad, other.name) == (True, "w")
        assert not np.shares_memory(other.data, t.data)
    with pytest.raises(TypeError, match="result of exp can't be pickled"):
        pickle.dumps(np.exp(t))


def test_copies_of_results_keep_their_gradient():
    x = np.array([1.0, 2.0])
    for copied in (copy.copy, copy.deepcopy, lambda y: copy.deepcopy({"a": [y]})["a"][0]):
        np.testing.assert_array_equal(mg.grad(lambda x, copied=copied: np.sum(copied(x * x)))(x), 2 * x)


def test_repr():
    assert repr(leaf([1.0, 2.0], name="w")) == "tensor([1., 2.], requires_grad=True, name='w')"
    assert repr(np.exp(leaf(np.zeros(1, np.float32)))) == "tensor([1.], dtype=float32, op=exp)"


def test_methods():
    t = leaf(np.arange(6.0).reshape(2, 3))
    assert t.reshape(3, 2).shape == t.reshape((3, 2)).shape == (3, 2)
    assert t.reshape(-1).shape == t.flatten().shape == t.ravel().shape == (6,)
    assert t.transpose().shape == t.transpose(1, 0).shape == t.transpose((1, 0)).shape == (3, 2)
    assert t.sum(axis=1, keepdims=True).shape == (2, 1)
    assert t.mean().item() == 2.5
    assert (t.max().item(), t.min().item()) == (5, 0)
    assert t.argmax() == 5
    assert t.astype(np.float32).dtype == np.float32


def test_a_wrong_name_is_not_swallowed():
    with pytest.raises(AttributeError, match="colour"):
        _ = leaf(1.0).colour
    with pytest.raises(AttributeError):
        leaf(1.0).colour = 3


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
def test_any_and_all_are_those_of_the_array(axis, keepdims):
    a = np.array([[0.0, 1.0, 0.0], [0.0, 2.0, 3.0]])
    for method in ("any", "all"):
        expected = getattr(a, method)(axis, keepdims=keepdims)
        np.testing.assert_array_equal(getattr(leaf(a), method)(axis, keepdims=keepdims), expected, strict=True)


def test_the_text_of_a_tensor_says_where_it_comes_from():
    for tensor, text in (
        (mg.tensor([1.0]), "tensor([1.])"),
        (leaf([1.0]), "tensor([1.], requires_grad=True)"),
        (leaf([1.0]) * 2, "tensor([2.], op=multiply)"),
    ):
        assert repr(tensor) == text


def test_a_name_is_a_string():
    t = leaf([1.0])
    for wrong in (lambda: mg.tensor(1.0, name=3), lambda: setattr(t, "name", 3), lambda: setattr(t * 2, "name", b"y")):
        with pytest.raises(TypeError, match=r"^tensor: name must be a string, not "):
            wrong()
    assert t.name is None


AS_NUMPY = """
x.sum(0, None, None, True); x.mean(axis=0, out=None); x.prod(0, None, None, True); x.max(0, None, True)
x.min(out=None, initial=1.0); x.var(0, None, None, 1, True); x.std(0, None, None, 1, True); x.cumsum(0, None, None)
x.cumprod(1); x.cumprod(0, None, None); x.trace(0, 0, 1, None, None); x.clip(1, 2, None); x.clip(out=None, min=1)
x.round(0, None); x.copy("C"); x.copy(order="F"); x.flatten("F"); x.ravel("F"); x.take([0, 1], 1, None, "wrap")
x.argmax(0, None); x.argmin(axis=1, out=None, keepdims=True); x.argsort(0, None, None); x.argsort(kind="stable")
x.any(axis=None, out=None, where=True); x.all(0); x.dot(y, None); x.argpartition(1, 0); x.argpartition(1)
x.compress([True, False], 0, None); x.compress([False, True], axis=0); x.nonzero(); x.tobytes(); x.tobytes("F")
x.astype("f4", "K", "unsafe", True, True); x.astype(float, copy=False); x.reshape(3, 2, order="F", copy=None)
x.item(0); x.item(0, 1); x.item((1, 2)); x.itemsize; x.strides; x.nbytes; [*x.flat]; x.flat[1:3]; x.view()
y.searchsorted([1.0], "right", [1, 2, 0]); y.searchsorted(y); y.astype(int).choose([y, 2 * y, y, y, y, y, y, 0 * y])
divmod(x, 2); divmod(7, x); x // 2; 7 % x; k & 3; 3 & k; k | k; k ^ 1; 1 ^ k; k << 2; 2 << k; k >> 1; 64 >> k; ~k
(x > 1) & (k.astype(bool)); range(k[0])
"""


@pytest.mark.parametrize("call", AS_NUMPY.replace("\n", "; ").strip("; ").split("; "))
def test_methods_and_operators_are_called_as_those_of_arrays(call):
    if call == "x.dot(y, None)" and np.lib.NumpyVersion(np.__version__) < "2.4.0":
        pytest.skip("np.dot has no signature before NumPy 2.4, so nothing says that None is its out")
    arrays = {
        "x": np.array([[2.0, 0.5, 1.0], [0.5, 3.0, 7.0]]),
        "y": np.array([3.0, 0.0, 7.0]),
        "k": np.array([1, 6, 3]),
    }
    found = eval(call, {name: mg.tensor(array) for name, array in arrays.items()})
    expected = eval(call, arrays)
    plain = [
        [getattr(part, "data", part) for part in (r if type(r) in (tuple, list) else [r])] for r in (found, expected)
    ]
    for part, whole in zip(*plain, strict=True):
        assert np.asarray(part).dtype == np.asarray(whole).dtype
        assert part == whole if isinstance(part, bytes) else np.allclose(part, whole, 1e-15, 0)


def test_gradients_flow_through_flat_and_view():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    (x.flat[1] * 2 + x.view(4)[3] + sum(x.view().flat)).backward()
    np.testing.assert_array_equal(x.grad, [[1, 3], [1, 2]])


def test_what_a_tensor_has_not_names_what_to_use():
    t = leaf([2.0, 1.0])
    assert not hasattr(t, "shapes")
    with pytest.raises(AttributeError, match=r"^'Tensor' object has no attribute 'shapes'"):
        t.shapes  # noqa: B018
    with pytest.raises(AttributeError, match=r"^a Tensor has no sort: np\.sort\(t\) returns a new one$"):
        t.sort()
    with pytest.raises(AttributeError, match=r"^a Tensor has no flags: \.data, its array, has it$"):
        t.flags  # noqa: B018
    with pytest.raises(TypeError, match=r"^astype: a cast of float64 to float32 is not 'safe'$"):
        t.astype(np.float32, casting="safe")
    with pytest.raises(TypeError, match=r"^np\.bitwise_and: not defined for dtype float64"):
        t & 1


UFUNC_CALLS = """
np.add.reduce(x); np.add.reduce(x, None); np.add.reduce(x, 1, None, None, True); np.multiply.reduce(x, axis=(0, 1))
np.maximum.reduce(x, 0); np.minimum.reduce(x, 1, initial=1.0); np.add.reduce(x, where=x > 1); np.subtract.reduce(x)
np.divide.reduce(x, 1, keepdims=True); np.logaddexp.reduce(x, axis=(1, 0)); np.hypot.reduce(x, None, keepdims=True)
np.add.accumulate(x); np.multiply.accumulate(x, 1); np.logaddexp.accumulate(x, 1); np.subtract.accumulate(x)
np.add.outer(x[0], x); np.subtract.outer(x, x[1]); np.power.outer(x[0], 2.0); np.add.reduceat(x, [0, 1])
np.add.reduceat(x, [0, 2, 1], 1); np.multiply.reduceat(x[0], [1, 0]); np.logaddexp.reduceat(x[1], [0, 1])
np.exp(x, where=x > 1, out=None) * (x > 1); np.vecdot(x, x, keepdims=False)
np.add(x, x[0], order="K", casting="same_kind")
"""


@pytest.mark.parametrize("call", UFUNC_CALLS.replace("\n", "; ").strip("; ").split("; "))
def test_methods_and_options_of_ufuncs(call):
    f = eval(f"lambda x: {call}", {"np": np})
    x = np.array([[2.0, 0.5, 1.5], [0.25, 3.0, 1.25]])
    np.testing.assert_allclose(f(leaf(x)).data, f(x), 1e-14)
    mg.testing.check_grads(f, x)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.minimum, np.hypot])
@pytest.mark.parametrize("given", [np.float64, np.uint8])
@pytest.mark.parametrize("dtype", [None, np.uint8, np.float32, np.float64])
def test_the_dtype_of_a_reduction(ufunc, given, dtype):
    """As NumPy's: the entries are of this dtype before they meet."""
    x = np.array([[200, 100], [103, 90]], given)
    if ufunc is np.hypot and dtype is np.uint8:
        pytest.skip("NumPy has none of integers")
    found, expected = ufunc.reduce(mg.tensor(x), 0, dtype=dtype), ufunc.reduce(x, 0, dtype=dtype)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found.data, expected, rtol=1e-3 if found.dtype == np.float16 else 1e-6)


REFUSED_CALLS = """
np.add.reduceat(x, [0, 3], 1); np.add.reduceat(x, [-1], 1); np.subtract.reduce(x, None); np.hypot.accumulate(x, None)
np.subtract.reduce(x[:0])
"""


@pytest.mark.parametrize("call", REFUSED_CALLS.replace("\n", "; ").strip("; ").split("; "))
def test_what_methods_of_ufuncs_refuse(call):
    f = eval(f"lambda x: {call}", {"np": np})
    x = np.ones((2, 3))
    with pytest.raises((ValueError, IndexError)) as theirs:
        f(x)
    with pytest.raises(type(theirs.value), match=r"^np\."):
        f(leaf(x))


@pytest.mark.parametrize("ufunc", [np.hypot, np.logaddexp, np.logaddexp2])
def test_a_reduction_begins_with_the_identity(ufunc):
    x = np.array([[-2.0], [3.0]])
    for part, options in ((x, {"axis": 1}), (x[:, :0], {"axis": 1}), (x[:0], {"axis": None}), (x, {"initial": 4.0})):
        np.testing.assert_allclose(ufunc.reduce(leaf(part), **options).data, ufunc.reduce(part, **options))
    mg.testing.check_grads(lambda x: ufunc.reduce(x, 1), x)


def test_backward_inside_of_a_transform_is_refused_for_what_it_differentiates_alone():
    w = leaf([1.0, 2.0])

    def f(x):
        (w * w).sum().backward()
        return np.sum(x * x)

    assert mg.grad(f)(np.ones(2)).tolist() == [2.0, 2.0]
    assert w.grad.tolist() == [2.0, 4.0]
    with pytest.raises(RuntimeError, match=r"^backward: inside of a transform `.grad` holds plain arrays"):
        mg.grad(lambda x: (x * w).sum().backward())(np.ones(2))
    assert w.grad.tolist() == [2.0, 4.0]


def test_backward_begins_by_itself_at_one_real_number_alone():
    leaf([[2.0]]).backward()
    with pytest.raises(RuntimeError, match=r"^backward: the Tensor has shape \(2,\), not a scalar's: give"):
        leaf([1.0, 2.0]).backward()
    with pytest.raises(RuntimeError, match=r"^backward: the Tensor has shape \(0,\), not a scalar's: give"):
        leaf(np.zeros(0)).backward()
    with pytest.raises(RuntimeError, match=r"^backward: the Tensor is complex: give"):
        leaf([1j]).backward()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_gradient_that_is_given_gets_dtype_and_layout_of_the_tensor(dtype):
    given = np.arange(6).reshape(2, 3)
    columns = np.asfortranarray(given, dtype=dtype)
    for g in (given, given.astype(np.float32), given.astype(float), columns, given.tolist(), leaf(given * 1.0)):
        t = leaf(np.ones((2, 3), dtype))
        t.backward(g)
        u = leaf(np.ones((2, 3), dtype))
        u.grad = g
        for grad in (t.grad, u.grad):
            assert (grad.dtype, grad.strides) == (t.dtype, t.strides)
            np.testing.assert_array_equal(grad, given)
            assert not isinstance(g, np.ndarray) or not np.shares_memory(grad, g)


def test_a_gradient_of_a_kind_that_the_tensor_has():
    z = leaf([1j])
    z.backward([1 + 2j])
    assert z.grad.tolist() == [1 + 2j]
    for wrong in ([1j], [True]):
        with pytest.raises(TypeError, match=r"^backward: the gradient must be floating-point, not (complex128|bool)"):
            leaf([1.0]).backward(wrong)
    with pytest.raises(TypeError, match=r"^backward: the gradient must hold numbers"):
        leaf([1.0]).backward(["a"])
    for wrong in ("yes", None, 1.5):
        with pytest.raises(TypeError, match=r"^backward: retain_graph must be True or False, not (str|NoneType|float)"):
            leaf([1.0]).backward([1.0], retain_graph=wrong)
    x = leaf([1.0])
    y = x * x
    y.backward(retain_graph=np.True_)
    y.backward()
    assert x.grad.tolist() == [4.0]
    with pytest.raises(RuntimeError, match="released"):
        y.backward()


def test_it_becomes_an_array_of_the_dtype_that_is_asked_for():
    t = mg.tensor([1.0, 2.0])
    assert t.__array__(np.float32).dtype == np.float32
    assert np.asarray(t).dtype == np.float64


def test_a_switch_of_requires_grad_that_changes_nothing():
    w = leaf([1.0, 2.0], name="w")
    (w * w).sum().backward()
    w.requires_grad = True
    assert w.requires_grad
    assert w.grad.tolist() == [2.0, 4.0]
    for _ in range(2):
        w.requires_grad = False
        assert (w.grad, w.name, w.requires_grad) == (None, "w", False)
    w.requires_grad = True
    assert w.grad.tolist() == [2.0, 4.0]
    assert w.name == "w"
    for data in ([1, 2], [True]):
        with pytest.raises(TypeError, match=r"^tensor: only a floating-point Tensor can have a gradient, not"):
            mg.tensor(data).requires_grad = True


def test_what_a_result_holds():
    x = leaf([1.0, 2.0])
    y = x * 2
    with pytest.warns(UserWarning, match="^grad: the result of multiply holds no gradient") as told:
        assert y.grad is None
    assert [warning.filename for warning in told] == [__file__]
    with pytest.raises(RuntimeError, match=r"^grad: only a leaf made with requires_grad=True holds a gradient"):
        y.grad = np.ones(2)
    assert not y.data.flags.writeable
    x.data -= 1.0
    with pytest.raises(RuntimeError, match="written to"):
        y.backward(np.ones(2))
    x.grad = np.ones(2)
    x.grad = None
    assert x.grad is None


def test_requires_grad_is_a_boolean():
    assert mg.tensor(1.0, requires_grad=np.True_).requires_grad
    assert mg.tensor(1.0, requires_grad=1).requires_grad
    for wrong in ("yes", None, 1.0):
        with pytest.raises(TypeError, match=r"^tensor: requires_grad must be True or False, not"):
            mg.tensor(1.0, requires_grad=wrong)
        with pytest.raises(TypeError, match=r"^tensor: requires_grad must be True or False, not"):
            mg.tensor(1.0).requires_grad = wrong


def test_a_name_is_that_of_the_array_and_of_the_node():
    t = mg.tensor([1.0], name="mean")
    assert name_of(t.data) == "mean"
    t.name = "scale"
    assert (t.name, name_of(t.data)) == ("scale", "scale")
    t.data = np.zeros(1)
    assert name_of(t.data) == "scale"
    w = leaf([1.0], name="w")
    assert make(w.data, w.node).name == "w"
    assert (w * 2).name is None


def test_the_name_of_an_array_ends_with_it():
    array = np.ones(3)
    assert name_of(array) is None
    names.name_array(array, "mean")
    assert name_of(array) == "mean"
    key = id(array)
    del array
    assert key not in names._names


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        ([[1.0], [1.0, 2.0]], ValueError, "it is ragged"),
        ("ab", TypeError, "it must hold numbers, not 'ab'"),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), TypeError, "it is a masked array, which would lose its mask"),
    ],
)
def test_data_is_rebound_to_what_stands_for_an_array(value, kind, said):
    t = mg.tensor(np.ones(2), requires_grad=True)
    with pytest.raises(kind, match=f"^data: {said}"):
        t.data = value
    t.data = [3.0, 4.0]
    np.testing.assert_array_equal(t.data, [3.0, 4.0])


def test_copies_of_stretched_arrays_lie_in_rows():
    """NumPy would copy them column by column, which slows down all that is computed of these and arrays in rows."""
    rows = np.broadcast_to(np.arange(5.0), (4, 5))
    x = mg.tensor(rows, requires_grad=True)
    assert x.data.flags.c_contiguous
    assert mg.copy(rows).flags.c_contiguous
    np.sum(x, 0).backward(np.ones(5))
    assert x.grad.flags.c_contiguous
    assert mg.tensor(np.ones((4, 5), order="F")).data.flags.f_contiguous
