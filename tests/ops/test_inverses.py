"""Inverses and determinants: value and derivatives by specs; singular matrices one by one."""

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support import naive
from support.gradients import leaf
from support.matrices import apart, square_matrices, turned
from support.specification import Specs

import minigrad as mg
from minigrad import grad
from minigrad.ops import inverses
from minigrad.testing import strategies as s

specs = Specs()
spec = specs.add


def regular(a):
    """The matrix with a diagonal that makes it well conditioned."""
    return a + 2 * np.eye(a.shape[-1], dtype=a.dtype)


spec(
    "inv",
    square_matrices,
    lambda a: np.linalg.solve(regular(a), np.broadcast_to(np.eye(a.shape[-1]), a.shape)),
    fn=lambda a: mg.inv(regular(a)),
)
spec(
    "solve",
    square_matrices.flatmap(lambda a: st.tuples(st.just(a), s.tensors((a.shape[-1], 2)) | s.tensors((a.shape[-1],)))),
    lambda a, b: np.linalg.inv(regular(a)) @ b,
    fn=lambda a, b: mg.solve(regular(a), b),
)
spec("det", square_matrices, lambda a: naive.det(regular(a)), fn=lambda a: mg.det(regular(a)))
spec(
    "log_abs_det",
    square_matrices,
    lambda a: np.log(np.abs(naive.det(-regular(a)))),
    fn=lambda a: mg.ops.log_abs_det(-regular(a)),
)
spec(
    "slogdet",
    square_matrices,
    lambda a: 2 * np.sign(naive.det(-regular(a))) + np.log(np.abs(naive.det(-regular(a)))),
    fn=lambda a: 2 * mg.slogdet(-regular(a))[0] + mg.slogdet(-regular(a))[1],
)
spec(
    "cofactors",
    square_matrices.map(apart),
    lambda a: np.linalg.det(a)[..., None, None] * np.swapaxes(np.linalg.inv(a), -1, -2) + a**3,
    fn=lambda a: inverses._cofactors(a) + a**3,  # a check can't tell a third derivative of 0 from rounding
    options={"exact": False},  # of a tie of singular values it has no second derivative
)

TestSpecs = specs.tests()
pytestmark = pytest.mark.filterwarnings("error")
SINGULAR = np.diag([2.0, 1.0, 0.0])


def test_the_sign_of_det_hands_a_nan_on():
    sign, pullback = mg.vjp(lambda a: np.linalg.slogdet(a).sign, np.eye(2))
    assert sign == 1
    assert_array_equal(pullback(np.array(1.0))[0], np.zeros((2, 2)))
    assert np.isnan(pullback(np.array(np.nan))[0]).all()


def test_slogdet_where_det_under_or_overflows():
    sign, log_abs_det = np.linalg.slogdet(leaf(np.eye(200) * 0.01))
    assert sign.item() == 1
    assert_allclose(log_abs_det.data, 200 * np.log(0.01))
    assert_allclose(grad(lambda x: np.prod(np.stack(np.linalg.slogdet(x * np.eye(200)))))(1e-3), 2e5)


def differences(f, a, h):
    """The derivative of f by differences of fourth order, entry by entry; exact for a polynomial of degree 4."""
    slopes = []
    for e in np.eye(a.size).reshape(a.size, *a.shape) * h:
        slopes.append((8 * (f(a + e) - f(a - e)) - (f(a + 2 * e) - f(a - 2 * e))) / (12 * h))
    return np.moveaxis(np.reshape(slopes, (*a.shape, *np.shape(f(a)))), [0, 1], [-2, -1])


@pytest.mark.parametrize(
    "a",
    [
        np.array([[1.0, 2.0], [2.0, 4.0]]), np.arange(9.0).reshape(3, 3), np.zeros((1, 1)), np.zeros((2, 2)),
        np.zeros((3, 3)), np.diag([1.0, 0.0, 0.0]), np.diag([2.0, 2.0, 0.0]), turned([3.0, 2.0, 1.0, 0.0]),
        turned([3.0, 2.0, 0.0, 0.0]), turned([3.0, 2.0, 1.0, 1e-13]), np.eye(3),
    ],
)  # fmt: skip
def test_det_has_derivatives_at_singular_matrices(a):
    assert_allclose(grad(np.linalg.det)(a), differences(np.linalg.det, a, 0.125), atol=1e-11)
    second = differences(lambda a: differences(np.linalg.det, a, 0.125), a, 0.125)
    assert_allclose(mg.hessian(np.linalg.det)(a), second, atol=1e-9)


def test_one_singular_matrix_of_a_stack_spoils_nothing():
    a = np.array([np.diag([2.0, 3.0]), np.diag([2.0, 0.0])])
    assert_allclose(grad(lambda a: np.sum(np.linalg.det(a)))(a), [np.diag([3.0, 2.0]), np.diag([0.0, 2.0])], atol=1e-15)


def test_slogdet_of_a_singular_matrix():
    pullback = mg.vjp(lambda a: np.linalg.slogdet(a)[1], SINGULAR)[1]
    with pytest.raises(np.linalg.LinAlgError, match=r"slogdet: .* no derivative where A is singular"):
        pullback(np.array(1.0))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_the_cofactors_of_a_matrix_that_is_not_finite_are_nan(value):
    """LAPACK's decomposition of such a matrix may never end."""
    a = np.random.default_rng(0).normal(size=(3, 3, 3))
    a[1, 2, 0] = value
    with np.errstate(all="ignore"):
        gradient = mg.grad(lambda a: np.linalg.det(a)[[0, 2]].sum())(a)
        bent = mg.hvp(lambda a: np.linalg.det(a)[[0, 2]].sum(), a, np.ones(a.shape))
    fine = mg.grad(lambda a: np.linalg.det(a).sum())(a[[0, 2]])
    np.testing.assert_allclose(gradient[[0, 2]], fine, rtol=1e-12)
    assert np.isnan(gradient[1]).all()
    np.testing.assert_allclose(bent[[0, 2]], mg.hvp(lambda a: np.linalg.det(a).sum(), a[[0, 2]], np.ones((2, 3, 3))))


@pytest.mark.parametrize("seed", range(6))
def test_the_second_derivative_of_det_at_singular_matrices_of_either_orientation(seed):
    a = turned([2.0, 1.0, 0.0], seed)
    u, step = np.random.default_rng(seed).normal(size=a.shape), 1e-6
    gradient = mg.grad(mg.det)
    numeric = (gradient(a + step * u) - gradient(a - step * u)) / (2 * step)
    assert_allclose(mg.hvp(mg.det, a, u), numeric, atol=1e-8)


def test_a_multiple_of_det_has_that_multiple_of_the_cofactors_at_an_exactly_singular_matrix():
    assert_allclose(mg.grad(lambda a: 3 * mg.det(a))(np.array([[1.0, 2.0], [2.0, 4.0]])), [[12, -6], [-6, 3]])


def test_det_of_a_complex_matrix_has_derivatives_where_it_is_singular():
    u, v = np.random.default_rng(0).normal(size=(2, 2)) + 1j * np.random.default_rng(1).normal(size=(2, 2))
    for a in (np.outer(u, v), np.outer(u, v) + np.eye(2)):
        cofactors, pullback = mg.vjp(lambda a: mg.vjp(mg.det, a)[1](1 + 0j)[0], a)
        assert_allclose(cofactors, [[a[1, 1], -a[1, 0]], [-a[0, 1], a[0, 0]]], atol=1e-14)
        g = np.array([[1, 2j], [3, 4 - 1j]])
        assert_allclose(pullback(g)[0], [[g[1, 1], -g[1, 0]], [-g[0, 1], g[0, 0]]], atol=1e-14)


@pytest.mark.parametrize("part", [np.real, np.imag])
def test_the_sign_of_a_complex_det_is_det_over_its_size(part):
    a = np.random.default_rng(0).normal(size=(2, 3, 3)) + 1j * np.random.default_rng(1).normal(size=(2, 3, 3))
    found = mg.grad(lambda a: np.sum(part(np.linalg.slogdet(a).sign)))(a)
    det = np.linalg.det
    assert_allclose(found, mg.grad(lambda a: np.sum(part(det(a) / np.abs(det(a)))))(a), rtol=1e-12)


@pytest.mark.parametrize("least", [1e-5, 1e-7, 1e-13])
def test_an_almost_singular_matrix_in_a_stack_has_precise_derivatives_of_det(least):
    a = np.stack([np.eye(3), turned([3.0, 2.0, least])])
    slope = mg.grad(lambda a: 3 * np.linalg.det(a).sum())
    assert_allclose(slope(a)[1], 3 * differences(np.linalg.det, a[1], 0.125), atol=1e-12)
    second = differences(lambda a: differences(np.linalg.det, a, 0.125), a[1], 0.125)
    for size in (1e-6, 1.0, 1e6):
        found = mg.jacobian(lambda b, size=size: slope(np.stack([a[0], b]))[1])(size * a[1])
        assert_allclose(found / size, 3 * second, atol=1e-10)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6])
def test_one_singular_matrix_in_a_stack_leaves_the_others_their_precision(n):
    a = np.random.default_rng(n).normal(size=(3, 2, n, n))
    a[1, 0, -1] = a[1, 0, 0] if n > 1 else 0
    a[2, 1, 0] = np.nan
    with np.errstate(invalid="ignore"):
        found, alone = mg.grad(lambda a: np.sum(mg.det(a)))(a), mg.grad(mg.det)
        for place in np.ndindex(3, 2):
            assert_allclose(found[place], alone(a[place]), rtol=1e-12, atol=1e-14)
    assert_allclose(found[1, 0], differences(np.linalg.det, a[1, 0], 0.125), atol=1e-11)


def test_float32_matrices_have_derivatives_of_det_without_a_decomposition():
    a = np.random.default_rng(0).normal(size=(20, 5, 5)).astype(np.float32)
    exact = mg.grad(lambda a: np.sum(mg.det(a)))(a.astype(float))
    assert_allclose(mg.grad(lambda a: np.sum(mg.det(a)))(a), exact, rtol=1e-6, atol=1e-6)
