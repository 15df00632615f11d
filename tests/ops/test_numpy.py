"""NumPy's functions on Tensors give NumPy's values, also where that takes some care."""

import inspect
import tracemalloc
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import minigrad as mg
from minigrad import grad


def leaf(value):
    return mg.tensor(value, requires_grad=True)


def test_slogdet_where_det_under_or_overflows():
    sign, log_abs_det = np.linalg.slogdet(leaf(np.eye(200) * 0.01))
    assert sign.item() == 1
    assert_allclose(log_abs_det.data, 200 * np.log(0.01))
    assert_allclose(grad(lambda x: np.prod(np.stack(np.linalg.slogdet(x * np.eye(200)))))(1e-3), 2e5)


def test_trapezoid_along_any_axis():
    y, x = np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[0.0, 0.0], [1.0, 3.0]])
    assert_array_equal(np.trapezoid(leaf(y), x=x, axis=0).data, np.trapezoid(y, x=x, axis=0))
    assert_array_equal(np.trapezoid(leaf(y), x=[0.0, 2.0]).data, np.trapezoid(y, x=[0.0, 2.0]))
    with pytest.raises(ValueError, match="trapezoid: x must have one axis or those of y"):
        np.trapezoid(leaf(np.ones((2, 2, 2))), x=x)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [(np.std, ()), (np.var, ()), (np.median, ()), (np.diff, ()), (np.full_like, (2,)), (np.sum, ()), (np.cumsum, ())],
)
def test_a_list_will_do_for_an_array(function, arguments):
    result = getattr(mg.ops, function.__name__)([1.0, 4.0, 2.0], *arguments)
    assert_allclose(result, function([1.0, 4.0, 2.0], *arguments))
    assert_array_equal(mg.ops.cross([1.0, 0, 0], [0, 1.0, 0]), [0, 0, 1])
    assert_array_equal(mg.ops.matrix_power([[1.0, 2.0], [3.0, 4.0]], 0), np.eye(2))


@pytest.mark.parametrize("function", [np.var, np.std])
@pytest.mark.parametrize("a", [[0.0, 1.0, 2.0], [2.0, 2.0]])
def test_no_freedom_left_is_a_division_by_0(function, a):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_array_equal(function(leaf(a), ddof=len(a)).data, function(a, ddof=len(a)))


@pytest.mark.parametrize(
    ("function", "name", "options"),
    [
        (np.tile, "A", {"reps": 2}), (np.repeat, "a", {"repeats": 2}), (np.roll, "a", {"shift": 1}), (np.flip, "m", {}),
        (np.fliplr, "m", {}), (np.flipud, "m", {}), (np.rot90, "m", {}), (np.diagonal, "a", {}),
        (np.take, "a", {"indices": [0]}), (np.delete, "arr", {"obj": 0}), (np.rollaxis, "a", {"axis": 1}),
    ],
)  # fmt: skip
def test_the_array_goes_by_numpys_name(function, name, options):
    a = np.arange(6.0).reshape(2, 3)
    assert_array_equal(function(**{name: leaf(a)}, **options).data, function(**{name: a}, **options))
    with pytest.raises(TypeError, match=f"^{function.__name__} needs {name}$"):
        getattr(mg.ops, function.__name__)(**options)
    assert name in inspect.signature(getattr(mg.ops, function.__name__)).parameters


def test_a_running_sum_of_a_number():
    assert grad(lambda x: np.sum(np.cumsum(x, axis=0)))(3.0) == 1


SMALL = [
    np.array([200, 200], np.uint8), np.array([100, 100, -100], np.int8), np.array([2**62] * 2), np.array([True, True]),
    np.array([1e308]), np.array([3e38], np.float32), np.array([65000] * 2, np.float16), np.array([3, 1, 2]),
]  # fmt: skip


@pytest.mark.parametrize("a", SMALL)
@pytest.mark.parametrize("function", [np.median, np.mean])
def test_the_middle_does_not_wrap_around(function, a):
    assert_array_equal(function(mg.tensor(a)).data, function(a))
    assert function(mg.tensor(a)).dtype == function(a).dtype


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
def test_median_of_nothing():
    assert_array_equal(np.median(mg.tensor(np.ones((2, 0))), axis=1).data, [np.nan] * 2)


@pytest.mark.parametrize("a", [a for a in SMALL if a.dtype.kind != "f"])
def test_integers_are_computed_with_as_floating_point_numbers(a):
    t, real = mg.tensor(a), a.astype(float)
    assert_allclose(np.std(t).data, np.std(real))
    assert_allclose(np.linalg.norm(t, 1).data, np.linalg.norm(real, 1))
    assert_allclose(np.average(t, weights=mg.tensor(a)).data, np.average(real, weights=real))
    for f in (mg.softmax, mg.log_softmax, mg.logsumexp):
        assert_allclose(f(a), f(real), rtol=1e-3)
    assert mg.norm(np.array([-128], np.int8), np.inf) == 128


def test_prod_over_the_other_axis_of_an_empty_array():
    assert grad(lambda a: np.sum(np.prod(a, axis=0)))(np.zeros((3, 0))).shape == (3, 0)


def test_out_is_refused_where_entries_only_move():
    for call in (lambda t, out: np.take(t, [0, 2], out=out), lambda t, out: t.take([0, 2], out=out)):
        with pytest.raises(TypeError, match="take does not take out="):
            call(leaf([1.5, 2.5, 3.5]), np.zeros(2))


def test_median_over_axes_and_of_nan():
    a = np.random.default_rng(0).normal(size=(2, 3, 4))
    for axis in (None, 1, (0, 2), (1, -1)):
        for keepdims in (False, True):
            expected = np.median(a, axis=axis, keepdims=keepdims)
            assert_allclose(np.median(leaf(a), axis=axis, keepdims=keepdims).data, expected)
    assert np.isnan(np.median(leaf([1.0, np.nan, 2.0])).item())
    assert np.median(leaf([-np.inf, 1.0, np.inf])).item() == 1


def test_eigh_has_a_symmetric_gradient():
    a = np.array([[2.0, 0.3, 0.1], [0.3, 1.0, 0.2], [0.1, 0.2, 4.0]])
    g = grad(lambda a: np.linalg.eigh(a)[1][0, 0] ** 2)(a)
    assert_allclose(g, g.T)


def test_einsum_broadcasts_a_size_of_1():
    x, y = np.arange(1.0, 4.0).reshape(1, 3), np.arange(6.0).reshape(2, 3)
    dx, dy = grad(lambda x, y: np.sum(np.einsum("ij,ij->j", x, y)), (0, 1))(x, y)
    assert_array_equal(dx, y.sum(0, keepdims=True))
    assert_array_equal(dy, np.broadcast_to(x, (2, 3)))


def test_indices_may_be_tensors():
    x, index = leaf(np.arange(4.0)), mg.tensor([2])
    assert np.take(x, index).item() == 2
    assert np.take_along_axis(x, index, 0).item() == 2
    assert np.delete(x, index).shape == (3,)
    assert [a.shape for a in np.split(x, index)] == [(2,), (2,)]


@pytest.mark.filterwarnings("ignore:Mean of empty", "ignore:Degrees of freedom", "ignore:invalid value")
def test_std_of_nothing():
    assert np.isnan(np.std(leaf(np.ones(0))).item())


def test_matrix_power_0_is_a_tensor():
    assert isinstance(np.linalg.matrix_power(leaf(np.ones((2, 2))), 0), mg.Tensor)
    with pytest.raises(ValueError, match="must be a square matrix"):
        np.linalg.matrix_power(leaf(np.ones((2, 3))), 0)
    with pytest.raises(ValueError, match="n must be an int of at least 0, not -1"):
        np.linalg.matrix_power(leaf(np.eye(2)), -1)


def test_kron_of_vectors():
    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0])
    assert_array_equal(np.kron(leaf(a), b).data, np.kron(a, b))


def test_linalg_spellings():
    a = np.arange(6.0).reshape(2, 3)
    assert_array_equal(np.matrix_transpose(leaf(a)).data, a.T)
    assert_array_equal(np.linalg.matmul(leaf(a), a.T).data, a @ a.T)
    assert_array_equal(np.vecdot(leaf(a), a, axis=0).data, np.vecdot(a, a, axis=0))
    assert_array_equal(np.linalg.tensordot(leaf(a), a.T, axes=1).data, a @ a.T)
    assert_array_equal(np.dsplit(leaf(np.ones((1, 2, 4))), 2)[1].data, np.ones((1, 2, 2)))


def test_matmul_sums_over_a_batch_in_one_product():
    x1, x2 = np.ones((5, 4, 3)), np.ones((3, 2))
    dx2 = mg.matmul.vjps[1](np.ones((5, 4, 2)), x1 @ x2, x1, x2)
    assert_array_equal(dx2, np.full((3, 2), 20.0))  # not (5, 3, 2), left to the sweep to sum


def test_prod_takes_no_square_of_memory():
    x = np.ones(2000)
    tracemalloc.start()
    assert_array_equal(grad(np.prod)(x), x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50 * x.nbytes


def test_einsum_with_ellipses_of_different_lengths():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 4, 5, 3)), rng.normal(size=(5, 3))
    for subscripts in ("i...j,...j->i...", "i...j,...j", "...ij,ij->..."):
        assert_allclose(np.einsum(subscripts, leaf(a), b).data, np.einsum(subscripts, a, b))
        _, pullback = mg.vjp(lambda a, b, s=subscripts: np.einsum(s, a, b), a, b)
        g = rng.normal(size=np.einsum(subscripts, a, b).shape)
        da, db = pullback(g)
        assert_allclose(np.sum(da * a), np.sum(g * np.einsum(subscripts, a, b)))
        assert_allclose(np.sum(db * b), np.sum(g * np.einsum(subscripts, a, b)))


def test_trace_over_a_stack():
    a = np.arange(18.0).reshape(2, 3, 3)
    assert_array_equal(np.trace(leaf(a), axis1=1, axis2=2).data, np.trace(a, axis1=1, axis2=2))
    assert_array_equal(np.trace(leaf(a), 1, 1, 2).data, np.trace(a, 1, 1, 2))


def test_kron_refuses_what_it_does_not_do():
    with pytest.raises(ValueError, match=r"kron: both must be matrices or both vectors, not \(2,\) and \(2, 2\)"):
        np.kron(leaf(np.ones(2)), np.ones((2, 2)))


def test_a_norm_of_infinity_is_infinite():
    assert mg.norm(np.array([np.inf, 1.0])) == np.inf
    assert np.isnan(mg.norm(np.array([np.nan, 1.0])))


def test_a_bias_of_a_wider_dtype_widens_the_result():
    x, k = np.ones((1, 1, 3, 3), np.float32), np.ones((2, 1, 2, 2), np.float32)
    b = np.array([1 / 3, 2 / 3])
    z = mg.conv2d(x, k, b)
    assert z.dtype == np.float64
    assert_array_equal(z[0, :, 0, 0], 4 + b)
