"""Elementwise ops, reductions and losses at exact values: extremes, conventions and messages, held to NumPy."""

import itertools
import tracemalloc
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import minigrad as mg

TINY = np.finfo(float).tiny
RNG = np.random.default_rng(0)
A = RNG.normal(size=(2, 3, 4))
SQUARE = RNG.normal(size=(3, 3))


def leaf(value):
    return mg.tensor(value, requires_grad=True)


def slopes(f, *x):
    """The VJPs of f at x, for g = 1."""
    y, pullback = mg.vjp(f, *(np.asarray(v, float) for v in x))
    gradients = pullback(np.ones(np.shape(y)))
    return gradients[0] if len(x) == 1 else gradients


def numeric(f, x, h=1e-6):
    """The gradient of the sum of f by central differences."""
    steps = h * np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([(np.sum(f(x + e)) - np.sum(f(x - e))) / (2 * h) for e in steps]).reshape(x.shape)


# activations


@pytest.mark.parametrize("dtype", [bool, np.int8, np.int64])
def test_relu_of_integers_is_of_integers(dtype):
    z = np.array([-2, 0, 3]).astype(dtype)
    assert mg.relu(z).dtype == np.maximum(z, 0).dtype
    assert_array_equal(mg.relu(z), np.maximum(z, 0))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_relu_has_no_negative_zero(dtype):
    for shape in ((), (1,), (3,)):
        assert not np.signbit(mg.relu(np.full(shape, -0.0, dtype))).any()


@pytest.mark.parametrize("f", [mg.relu, mg.sigmoid])
def test_an_activation_takes_one_new_array(f):
    z = np.linspace(-4, 4, 100_000)
    tracemalloc.start()
    f(z)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * z.nbytes


def test_the_second_derivative_of_elu_at_0_is_the_mean_of_both_sides():
    second = mg.grad(mg.grad(lambda z: mg.elu(z, 3.0)))
    assert [second(-1e-9), second(0.0), second(1e-9)] == pytest.approx([3, 1.5, 0])


# elementwise arithmetic


def test_astype_of_arrays():
    assert mg.astype(np.array([1.5, -1.5]), int).tolist() == [1, -1]
    assert mg.astype(leaf([1.5]), bool).data.tolist() == [True]


@pytest.mark.parametrize("x", [1.5, [1.5], np.float64(1.5), [[1.5], [2.5]]])
@pytest.mark.parametrize("dtype", [int, np.float32])
def test_astype_of_what_is_no_array(x, dtype):
    result = mg.astype(x, dtype)
    assert_array_equal(result, np.asarray(x, dtype))
    assert result.dtype == dtype


@pytest.mark.parametrize("x", [1, [1, 2], np.array([1, 2], np.int32), mg.tensor([1, 2])])
def test_erf_of_integers_is_no_integer(x):
    assert_array_equal(np.ravel(mg.erf(x)), np.ravel(mg.erf(np.asarray(getattr(x, "data", x), float))))
    assert mg.erf(np.float32(1)).dtype == np.float32


@pytest.mark.parametrize("data", [[True, False], [1, 2], [1.5], 2.0])
def test_a_copy_of_any_dtype_has_memory_of_its_own(data):
    t = mg.tensor(data)
    for made in (t.copy(), np.copy(t), mg.copy(t)):
        assert_array_equal(made.data, t.data)
        assert made.dtype == t.dtype
        assert not np.shares_memory(made.data, t.data)


def test_clip_wants_each_bound_once():
    for bounds in ((0, 1, {"min": 0}), (0, 1, {"max": 2}), (None, 1, {"max": 2})):
        with pytest.raises(ValueError, match="clip: a_min and min are one bound"):
            mg.clip(np.ones(2), bounds[0], bounds[1], **bounds[2])


def test_clip_takes_the_bounds_by_either_name():
    x = np.array([-2.0, 0.5, 2.0])
    for bounds in ({"min": -1}, {"max": 1}, {"min": -1, "max": 1}, {"a_min": -1, "a_max": 1}):
        assert_array_equal(np.clip(leaf(x), **{"a_min": None, "a_max": None} | bounds).data, np.clip(x, **bounds))
        assert_array_equal(mg.clip(x, **bounds), np.clip(x, **bounds))


@pytest.mark.parametrize("scale", [1e-200, 1e150])
def test_hypot_does_not_leave_the_range_by_its_gradient(scale):
    assert mg.grad(lambda x: mg.hypot(x, 0.0) * scale)(scale) == scale
    assert mg.grad(lambda x: mg.hypot(0.0, x) * scale)(scale) == scale


def test_binary_cross_entropy_keeps_small_losses():
    z = np.array([10, 14, 20, 80], np.float32)
    for sign, y in ((1, 1), (-1, 0)):
        losses = [mg.binary_cross_entropy_with_logits(z[i : i + 1] * sign, np.full(1, y, np.float32)) for i in range(4)]
        np.testing.assert_allclose(losses, np.log1p(np.exp(-z.astype(float))), rtol=1e-6)


def test_hypot_at_0_has_derivative_0_at_both_orders():
    x, y = np.array([0.0, 1.0, 2.0, 0.6]), np.array([0.0, 0.0, 0.0, 0.8])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for f in (np.hypot, lambda x, y: np.hypot(y, x)):
            dx, dy = slopes(f, x, y)
            assert_allclose(dx, [0, 1, 1, 0.6], rtol=1e-15)
            assert_allclose(dy, [0, 0, 0, 0.8], rtol=1e-15)
            for i in (0, 1):
                assert_array_equal(mg.grad(lambda x, y, f=f, i=i: mg.grad(f, i)(x, y), (0, 1))(0.0, 0.0), [0, 0])


@pytest.mark.parametrize("f", [np.sign, np.floor, np.ceil, np.rint, np.trunc, np.round])
def test_nan_in_the_gradient_is_not_lost_where_the_derivative_is_0(f):
    _, pullback = mg.vjp(f, np.array([0.3, 0.3, np.nan]))
    assert_array_equal(pullback(np.array([1.0, np.nan, 1.0]))[0], [0, np.nan, np.nan])


def test_an_exponent_of_0_beside_others():
    assert_array_equal(slopes(lambda x: x ** np.array([0.0, 2.0]), [0.0, 3.0]), [0, 6])


def test_a_base_of_0_under_exponents_that_are_not_positive():
    """dA/dX2 = A ln X1, as it is: -inf."""
    with np.errstate(divide="ignore"):
        assert_array_equal(slopes(lambda p: np.zeros(3) ** p, [0.0, -1.0, 2.0]), [-np.inf, -np.inf, 0])


def test_the_mixed_derivatives_of_power_at_the_base_0_are_those_of_the_base_1():
    """As its docstring says: 1 stands for the base, so dA/dX1 = X2 * 1**(X2 - 1), and dA/dX2 = A ln 1."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mg.grad(lambda p: mg.grad(lambda x: x**p)(0.0))(0.0) == 1
        assert mg.grad(lambda x: mg.grad(lambda p: x**p)(1.0))(0.0) == 0


def test_the_mixed_derivative_of_power_replaces_no_other_base():
    mixed = mg.grad(lambda p, x: mg.grad(lambda x: x**p)(x))
    assert mixed(0.0, TINY) == 1 / TINY
    with np.errstate(invalid="ignore"):
        assert np.isnan(mixed(0.0, -2.0))  # the powers of -2 are not a function of the exponent


# losses


@pytest.mark.parametrize(
    ("shape", "axis", "by_column"),
    [((50, 32), -1, True), ((50, 32), 1, True), ((50, 33), -1, False), ((50, 20), 0, False), ((3, 50, 4), -1, False)],
)
@pytest.mark.parametrize("f", [mg.softmax, mg.log_softmax])
def test_rows_of_few_entries_are_reduced_column_by_column(f, shape, axis, by_column):
    z = np.random.default_rng(0).normal(size=shape)
    a = f(z, axis)
    assert a.flags.f_contiguous == by_column
    assert a.flags.c_contiguous != by_column
    assert_allclose(a, f(np.stack([z, z]), axis if axis < 0 else axis + 1)[0], rtol=1e-12)


def test_cross_entropy_of_rows_far_apart():
    logits = np.array([[1e3, 0.0], [-1e3, -2e3]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mg.softmax_cross_entropy(logits, np.array([1, 0])) == 500


@pytest.mark.parametrize("labels", [[0, 3], [3, 0], [-1, 1], [1, -1]])
def test_one_label_out_of_range_is_enough(labels):
    message = rf"labels must be in \[0, 3\), but reach from {min(labels)} to {max(labels)}"
    with pytest.raises(ValueError, match=message):
        mg.softmax_cross_entropy(np.zeros((2, 3)), np.array(labels))


@pytest.mark.parametrize("loss", [mg.mean_squared_error, mg.binary_cross_entropy_with_logits])
def test_a_loss_names_the_shapes_in_their_order(loss):
    with pytest.raises(ValueError, match=rf"{loss.__name__}: .* not \(3,\) and \(1, 3\)"):
        loss(np.zeros(3), np.zeros((1, 3)))


# reductions

NORMS = [(A, None, axis) for axis in (None, 0, -1, (0, 2), (-1, 1))]
NORMS += [(A, "fro", axes) for axes in ((0, 1), (2, 0))]
NORMS += [(A, order, axis) for order, axis in itertools.product((1, 2, np.inf, -np.inf), (0, 1, -1))]
NORMS += [(A[0, 0], order, None) for order in (None, 1, 2, np.inf, -np.inf)]
NORMS += [(A[0], order, None) for order in (None, "fro")]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(("x", "order", "axis"), NORMS)
def test_norm(x, order, axis, keepdims):
    def ours(x):
        return np.linalg.norm(x, order, axis, keepdims)

    y, pullback = mg.vjp(ours, x)
    assert_allclose(y, ours(x), rtol=1e-14, strict=True)
    assert_allclose(pullback(np.ones(np.shape(y)))[0], numeric(ours, x), atol=1e-8)


@pytest.mark.parametrize(
    ("x", "order", "axis"),
    [(A[0], 1, None), (A[0], 2, None), (A[0], np.inf, None), (A[0], -np.inf, (0, 1)), (A[0], "nuc", None)]
    + [(A[0], "fro", 0), (A, "fro", None), (A, 2, (0, 1)), (A, 1, (0, 2)), (A[0, 0], 3, None), (A[0, 0], -1, 0)],
)
def test_norms_without_an_op_are_refused(x, order, axis):
    for argument in (x, leaf(x)):
        with pytest.raises(
            ValueError,
            match=r"norm: order .* over \d axes has no op; over one None, 1, 2, inf, -inf do, over two None, 'fro'",
        ):
            mg.norm(argument, order, axis)


def test_norms_of_rows_of_very_different_size():
    x = np.array([[3e200, 4e200], [3e-200, 4e-200], [0, 0]])
    assert_allclose(mg.norm(x, axis=1), [5e200, 5e-200, 0], rtol=1e-15)
    assert_allclose(slopes(lambda x: mg.norm(x, axis=1), x), [[0.6, 0.8]] * 2 + [[0, 0]], rtol=1e-15)


def test_std_of_constant_rows_is_0():
    x = np.repeat([[0.1], [0.2], [0.7]], 6, axis=1)
    assert np.any(np.mean(x, axis=1) != x[:, 0])  # the mean is rounded
    assert_array_equal(mg.std(x, axis=1), np.zeros(3))
    assert_array_equal(slopes(lambda x: mg.std(x, axis=1), x), np.zeros((3, 6)))


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("f", [np.sum, np.mean, np.max, np.min, np.ptp, np.prod, np.var, np.std, np.median])
def test_each_row_of_a_square_gets_its_own_gradient(f, axis, keepdims):
    y = np.asarray(f(SQUARE, axis=axis, keepdims=keepdims))
    g = np.arange(1.0, y.size + 1).reshape(y.shape)
    _, pullback = mg.vjp(lambda a: f(a, axis=axis, keepdims=keepdims), SQUARE)
    expected = numeric(lambda a: g * f(a, axis=axis, keepdims=keepdims), SQUARE)
    assert_allclose(pullback(g)[0], expected, atol=1e-8)


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1), (2, 0), (-1, 1), (0, 1, 2)])
def test_prod_with_zeros_over_any_axes(axis):
    a = A.copy()
    a[0, 1, 2] = a[1, 1, 2] = a[1, 0, 3] = 0
    y, pullback = mg.vjp(lambda a: np.prod(a, axis=axis), a)
    g = np.arange(1.0, np.size(y) + 1).reshape(np.shape(y))
    assert_allclose(pullback(g)[0], numeric(lambda a: g * np.prod(a, axis=axis), a), atol=1e-8)


def test_prod_where_some_products_are_infinite():
    x = np.array([[np.inf, 2.0], [3.0, 4.0]])
    assert_array_equal(slopes(lambda x: np.prod(x, axis=1), x), [[2, np.inf], [4, 3]])


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_diff_any_number_of_times(n):
    assert_allclose(np.diff(leaf(A), n, axis=2).data, np.diff(A, n, axis=2), atol=1e-14)
    assert_allclose(mg.diff(A, n, axis=1), np.diff(A, n, axis=1), atol=1e-14)


@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1, -2, -3, np.int64(1), (0, 1), (2, 0), (-1, 1)])
def test_average_with_weights_of_its_axes(axis):
    sizes = A.shape if axis is None else np.take(A.shape, axis)
    w = RNG.uniform(1, 2, sizes)
    assert_allclose(mg.average(A, axis, w), np.average(A, axis, w))
    assert_allclose(mg.average(A.tolist(), axis, w.tolist()), np.average(A, axis, w))

    def ours(a, w):
        return np.average(a, axis, w)

    y, pullback = mg.vjp(ours, A, w)
    assert_allclose(y, ours(A, w))
    da, dw = pullback(np.ones(np.shape(y)))
    assert_allclose(da, numeric(lambda a: ours(a, w), A), atol=1e-8)
    assert_allclose(dw, numeric(lambda w: ours(A, w), w), atol=1e-8)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_trapezoid_over_any_of_three_axes(axis):
    x = np.cumsum(RNG.uniform(1, 2, A.shape), axis)
    for points in (x, np.moveaxis(x, axis, -1)[0, 0]):
        assert_allclose(np.trapezoid(leaf(A), points, axis=axis).data, np.trapezoid(A, points, axis=axis))
    assert_allclose(mg.trapezoid(A, dx=0.5, axis=axis), np.trapezoid(A, dx=0.5, axis=axis))
