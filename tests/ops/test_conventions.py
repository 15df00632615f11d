"""The conventions where a function has no derivative, entry by entry, at first and second order."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import minigrad as mg


def slopes(f, *x):
    """The VJP of an elementwise f at x, for g = 1."""
    y, pullback = mg.vjp(f, *(np.asarray(v, float) for v in x))
    gradients = pullback(np.ones(np.shape(y)))
    return gradients[0] if len(x) == 1 else gradients


def second(f, x):
    """The derivative of the sum of f's VJP."""
    return mg.grad(lambda x: np.sum(mg.grad(lambda x: np.sum(f(x)))(x)))(np.asarray(x, float))


def test_relu_and_its_relatives_at_0():
    assert_array_equal(slopes(mg.relu, [-1, 0, 2]), [0, 0, 1])
    assert_array_equal(slopes(lambda z: mg.leaky_relu(z, 0.1), [-1, 0, 2]), [0.1, 0.1, 1])
    assert_array_equal(slopes(lambda z: mg.elu(z, 2.0), [0, 2]), [2, 1])


def test_relu_of_special_values():
    y = mg.relu(np.array([-np.inf, np.nan, -0.0, -3.0, np.inf]))
    assert_array_equal(y, [0, np.nan, 0, 0, np.inf])
    assert not np.signbit(y[[0, 2, 3]]).any()
    assert not np.signbit(mg.relu(np.full(101, -0.0, np.float32))).any()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize(
    ("f", "due"),
    [
        (mg.relu, [[0, 0, 0, 0.25], [0, 0, 0, 0.25]]),
        (lambda x: np.where(x > 0, x, 0), [[0, 0, 0, 0.25], [0, 0, 0, 0.25]]),
        (lambda x: mg.max_pool2d(x[None], 2), [[np.inf, 0, 0, 0.25], [0, 0, 0, 0]]),
        (lambda x: mg.max_pool2d(x[None], 2, stride=1), [[np.inf, np.inf, 0, 0.25], [0, 0, 0, 0]]),
    ],
)
def test_what_is_not_selected_gets_0_from_an_infinite_gradient(f, due, dtype):
    x = mg.tensor([[0, 0, 0, 4], [0, 0, 0, 4]], dtype=dtype, requires_grad=True)
    with np.errstate(divide="ignore"):
        np.sqrt(f(x)).sum().backward()
    assert_array_equal(x.grad, due)
    assert x.grad.dtype == dtype


def test_abs_at_0():
    assert_array_equal(slopes(np.abs, [-2, 0, 3]), [-1, 0, 1])


@pytest.mark.parametrize("f", [np.maximum, np.minimum])
def test_a_tie_of_two_is_split(f):
    x, y = slopes(f, [1, 2, 3], [2, 2, 2])
    first = np.array([0, 0.5, 1]) if f is np.maximum else np.array([1, 0.5, 0])
    assert_array_equal(x, first)
    assert_array_equal(y, 1 - first)


@pytest.mark.parametrize("f", [np.max, np.min])
def test_a_tie_over_an_axis_is_split(f):
    x = np.array([[1.0, 1, 5], [2, 2, 2]]) * (1 if f is np.min else -1)
    assert_array_equal(mg.grad(lambda x: np.sum(f(x, axis=1)))(x), [[0.5, 0.5, 0], [1 / 3] * 3])


def test_nan_is_not_lost_in_a_maximum():
    assert_array_equal(slopes(lambda x: np.max(x, axis=0), [1, np.nan, 2]), [0, 1, 0])
    assert_array_equal(slopes(np.maximum, [np.nan], [1.0]), ([1], [1]))


def test_clip_on_a_bound():
    assert_array_equal(slopes(lambda x: np.clip(x, 0, 1), [-1, 0, 0.5, 1, 2]), [0, 1, 1, 1, 0])


def test_power_at_0():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x, p = slopes(np.power, [0, 0, 2], [2, 1, 0])
        assert_array_equal(x, [0, 1, 0])
        assert_array_equal(p, [0, 0, np.log(2)])
        assert_array_equal(slopes(lambda x: x**0, [0, 1]), [0, 0])
        assert_array_equal(second(lambda x: x**2, [0, 1]), [2, 2])
        assert_array_equal(second(lambda x: x**1, [0, 1]), [0, 0])
        assert_array_equal(second(lambda x: x**0, [0, 1]), [0, 0])


def test_the_mixed_derivative_of_power_where_the_exponent_is_0():
    mixed = mg.grad(lambda p: mg.grad(lambda x: x**p)(3.0))
    assert mixed(0.0) == pytest.approx(1 / 3)


def test_where_selects():
    x = np.array([0.0, 4.0])
    gradient = mg.vjp(lambda a, b: np.where(x > 0, a, b), np.ones(2), np.ones(2))[1](np.array([np.nan, np.inf]))
    assert_array_equal(gradient[0], [0, np.inf])
    assert_array_equal(gradient[1], [np.nan, 0])


def test_sqrt_and_log_at_0():
    with np.errstate(divide="ignore"):
        assert_array_equal(slopes(np.sqrt, [0, 4]), [np.inf, 0.25])
        assert_array_equal(slopes(np.log, [0, 4]), [np.inf, 0.25])


@pytest.mark.parametrize("f", [np.sign, np.floor, np.ceil, np.rint, np.trunc, np.round])
def test_piecewise_constant_functions_have_derivative_0(f):
    assert_array_equal(slopes(f, [-1.5, 0, 2.3]), [0, 0, 0])


def test_max_pool_gives_a_tie_to_the_first_in_row_major_order():
    x = np.array([[[3.0, 3.0], [3.0, 3.0]]])
    assert_array_equal(mg.grad(lambda x: np.sum(mg.max_pool2d(x, 2)))(x), [[[1, 0], [0, 0]]])
    x = np.array([[[1.0, 3.0], [3.0, 3.0]]])
    assert_array_equal(mg.grad(lambda x: np.sum(mg.max_pool2d(x, 2)))(x), [[[0, 1], [0, 0]]])


def test_max_pool_padding_never_wins():
    x = np.full((1, 1, 2, 2), -np.inf)
    y, pullback = mg.vjp(lambda x: mg.max_pool2d(x, 2, stride=2, padding=1), x)
    assert_array_equal(y, x)
    assert_array_equal(pullback(np.ones(y.shape))[0], np.ones((1, 1, 2, 2)))
    assert_array_equal(mg.max_pool2d(np.full((1, 1, 2, 2), -5.0), 3, stride=2, padding=1), [[[[-5]]]])
    with pytest.raises(ValueError, match="at most half of the window"):
        mg.max_pool2d(x, 2, padding=2)


def test_max_pool_nan_wins():
    x = np.array([[[1.0, np.nan], [5.0, 2.0]]])
    y, pullback = mg.vjp(lambda x: mg.max_pool2d(x, 2), x)
    assert np.isnan(y).all()
    assert_array_equal(pullback(np.ones(y.shape))[0], [[[0, 1], [0, 0]]])


def test_avg_pool_counts_the_padding():
    assert_array_equal(mg.avg_pool2d(np.ones((1, 1, 1)), 2, stride=2, padding=1), [[[0.25]]])


def l2(x):
    return mg.l2_pool2d(x, 2)


@pytest.mark.parametrize("f", [l2, np.linalg.norm, lambda x: np.linalg.norm(x, axis=(1, 2))])
def test_a_norm_at_0_has_derivative_0_at_every_order(f):
    x = np.zeros((1, 2, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        g = mg.grad(lambda x: np.sum(f(x)))
        assert_array_equal(g(x), x)
        assert_array_equal(mg.hessian(lambda x: np.sum(f(x)))(x), np.zeros((1, 2, 2, 1, 2, 2)))


@pytest.mark.parametrize("f", [l2, mg.norm])
@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1.0, 1e200, 1e307])
def test_a_norm_neither_overflows_nor_underflows(f, scale):
    x = np.array([[[3.0, 4.0], [0.0, 0.0]]]) * scale
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.squeeze(f(x)) == pytest.approx(5 * scale, rel=1e-3)
        np.testing.assert_allclose(mg.grad(lambda x: np.sum(f(x)))(x), [[[0.6, 0.8], [0, 0]]], rtol=2e-3)


@pytest.mark.parametrize("value", [0.1, 0.0, 1e300])
def test_std_of_constant_data_has_derivative_0(value):
    x = np.full(7, value)
    assert_array_equal(mg.grad(np.std)(x), np.zeros(7))
    assert_array_equal(mg.hessian(np.std)(x), np.zeros((7, 7)))


def test_prod_with_zeros():
    x = np.array([2.0, 0.0, 3.0])
    assert_array_equal(mg.grad(np.prod)(x), [0, 6, 0])
    assert_array_equal(mg.hessian(np.prod)(x), [[0, 3, 0], [3, 0, 2], [0, 2, 0]])


def test_prod_of_tiny_entries_to_any_order():
    x = np.array([1e-150, 2.0, 3.0])
    assert_array_equal(mg.hessian(np.prod)(x), [[0, 3, 2], [3, 0, 1e-150], [2, 1e-150, 0]])
    assert_array_equal(mg.grad(mg.grad(mg.grad(np.prod)))(1e-9), 0)


def test_softmax_and_its_relatives_do_not_overflow():
    z = np.array([[1000.0, 0.0, -1000.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_array_equal(mg.softmax(z), [[1, 0, 0]])
        assert_array_equal(mg.log_softmax(z), [[0, -1000, -2000]])
        assert_array_equal(mg.logsumexp(z), 1000)
        assert_array_equal(mg.sigmoid(z), [[1, 0.5, 0]])
        assert_array_equal(mg.softplus(z), [[1000, np.log(2), 0]])
        assert mg.softmax_cross_entropy(z, np.array([2])) == 2000
        assert mg.sigmoid(np.array(-700.0)) == np.exp(-700.0)
    assert mg.logsumexp(np.array([-np.inf, 0.0])) == 0
    assert mg.logsumexp(np.array([-np.inf, -np.inf])) == -np.inf


def test_degenerate_eigenvalues():
    a = np.diag([1.0, 1.0, 2.0])
    assert_array_equal(mg.grad(lambda a: np.sum(np.linalg.eigh(a)[0]))(a), np.eye(3))
    with np.errstate(all="ignore"):
        g = mg.grad(lambda a: np.sum(np.linalg.eigh(a)[1] * np.arange(9.0).reshape(3, 3)))(a)
    assert not np.isfinite(g).all()


def test_power_with_small_integers_as_exponents():
    x = np.full(3, 1e3)
    assert_array_equal(slopes(lambda x: x ** np.array([0, 1, 2], np.uint8), x), [0, 1, 2000])
    assert_array_equal(slopes(lambda x: x**0, [1e-310, 5e-324]), [0, 0])


def test_prod_where_the_product_under_or_overflows():
    assert_array_equal(mg.grad(np.prod)(np.array([1e-200, 1e-200])), [1e-200, 1e-200])
    assert_array_equal(mg.grad(np.prod)(np.array([np.inf, 2.0])), [2, np.inf])


def test_a_tie_of_very_many():
    x = np.zeros(70_000, np.float16)
    assert mg.grad(np.max)(x).dtype == np.float16
    assert mg.grad(lambda x: np.sum(np.max(x, axis=1)))(np.zeros((1, 70_000))).sum() == pytest.approx(1)
    assert np.all(mg.grad(np.max)(x) > 0)


@pytest.mark.filterwarnings("ignore:Degrees of freedom")
@pytest.mark.parametrize("f", [np.var, np.std])
def test_no_degrees_of_freedom_give_no_finite_derivative(f):
    with np.errstate(all="ignore"):
        assert not np.isfinite(mg.grad(lambda x: f(x, ddof=3))(np.arange(3.0))).any()


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.tensordot(x, x.T, ([5], [0])),
        lambda x: np.diff(x, axis=5),
        lambda x: np.swapaxes(x, 0, 5),
        lambda x: np.split(x, 1, axis=5),
        lambda x: np.sum(x, axis=5),
        lambda x: np.std(x, axis=5),
    ],
)
def test_an_axis_out_of_range_is_refused(call):
    with pytest.raises((np.exceptions.AxisError, IndexError)):
        call(mg.tensor(np.ones((2, 3)), requires_grad=True))


def test_conv_transpose2d_names_a_padding_that_leaves_nothing():
    with pytest.raises(ValueError, match=r"conv_transpose2d: padding \(3, 3\) leaves nothing of an input of 1 x 1"):
        mg.conv_transpose2d(np.ones((1, 1, 1, 1)), np.ones((1, 1, 2, 2)), padding=3)
    with pytest.raises(ValueError, match=r"groups must be a positive int that divides 1 .*, not True"):
        mg.conv2d(np.ones((1, 1, 4, 4)), np.ones((1, 1, 2, 2)), groups=True)


@pytest.mark.parametrize("groups", [True, [1], 1.0, np.array(1)])
def test_groups_that_are_no_int_are_refused_even_after_a_call_with_the_int_that_they_equal(groups):
    x, k = np.ones((1, 1, 4, 4)), np.ones((1, 1, 2, 2))
    assert mg.conv2d(x, k, groups=1).shape == mg.conv2d(x, k, groups=np.int64(1)).shape == (1, 1, 3, 3)
    with pytest.raises(ValueError, match=r"conv2d: groups must be a positive int that divides 1 .*, not"):
        mg.conv2d(x, k, groups=groups)


@pytest.mark.parametrize("stride", [True, (True, 1), 1.0, (1, 1.0)])
def test_strides_that_are_no_ints_are_refused_even_after_a_call_with_the_ints_that_they_equal(stride):
    x, k = np.ones((1, 1, 4, 4)), np.ones((1, 1, 2, 2))
    mg.conv2d(x, k, stride=1)
    with pytest.raises(TypeError, match="conv2d: stride must be an int or a pair of ints"):
        mg.conv2d(x, k, stride=stride)
