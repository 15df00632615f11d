"""Decompositions: value and derivatives by specs; NumPy's arguments, singular matrices, ties and NaN one by one."""

import warnings

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support import naive
from support.gradients import leaf
from support.specification import Specs

import minigrad as mg
from minigrad import grad
from minigrad.testing import strategies as s

specs = Specs()
spec = specs.add


square_matrices = s.shapes(max_dims=1, max_side=2).flatmap(
    lambda lead: st.integers(1, 3).flatmap(lambda n: s.tensors((*lead, n, n), domain=(-0.5, 0.5)))
)


def regular(a):
    """The matrix with a diagonal that makes it well conditioned."""
    return a + 2 * np.eye(a.shape[-1], dtype=a.dtype)


def symmetric(a):
    """The symmetric part, with a diagonal that keeps eigenvalues apart and positive."""
    return (a + np.swapaxes(a, -1, -2)) * 0.25 + np.diag(2 * np.arange(1.0, a.shape[-1] + 1).astype(a.dtype))


def projectors(decompose):
    """Eigenvalues and the projectors on the eigenvectors, which don't know their sign, as one array."""

    def packed(a):
        w, v = decompose(symmetric(a))
        n = a.shape[-1]
        outer = np.reshape(v[..., :, None, :] * v[..., None, :, :], (*a.shape[:-2], n * n, n))
        return np.concatenate([w[..., None, :], outer], axis=-2)

    return packed


def singular(decompose):
    """U, s and V without their signs, as one array: sum_k k u_k v_k^T, and below it sum_k k s_k in every place."""

    def packed(a):
        wide = a + np.diag(2 * np.arange(1.0, 4).astype(a.dtype))[: a.shape[-2], : a.shape[-1]]
        u, s, vt = decompose(wide, full_matrices=False)
        weights = np.arange(1.0, s.shape[-1] + 1).astype(a.dtype)
        below = np.sum(s * weights, axis=-1)[..., None, None] * np.ones((1, a.shape[-1]), a.dtype)
        return np.concatenate([np.matmul(u * weights, vt), below], axis=-2)

    return packed


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
spec("cholesky", square_matrices, lambda a: np.linalg.cholesky(symmetric(a)), fn=lambda a: mg.cholesky(symmetric(a)))
spec("eigh", square_matrices, projectors(np.linalg.eigh), fn=projectors(mg.eigh))
spec("eigvalsh", square_matrices, lambda a: np.linalg.eigvalsh(symmetric(a)), fn=lambda a: mg.eigvalsh(symmetric(a)))
spec(
    "svd",
    st.sampled_from([(2, 2), (3, 2), (2, 3), (2, 2, 3), (3, 3)]).flatmap(
        lambda shape: s.tensors(shape, domain=(-0.5, 0.5))
    ),
    singular(np.linalg.svd),
    fn=singular(mg.svd),
    refused=tuple(
        ((np.zeros(shape),), {}, ValueError, "pass full_matrices=False for a matrix of {} x {}".format(*shape))
        for shape in ((2, 3), (3, 2))
    ),
)

TestSpecs = specs.tests()

SINGULAR = np.diag([2.0, 1.0, 0.0])


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("f", [np.linalg.slogdet, np.linalg.eigh, np.linalg.svd])
def test_results_have_numpys_names(f):
    a = np.array([[2.0, 0.5], [0.5, 1.0]])
    found, expected = f(mg.tensor(a)), f(a)
    assert type(found) is type(expected)
    for each, value in zip(found, expected, strict=True):
        assert_array_equal(each.data, value)


def test_cholesky_has_a_symmetric_gradient():
    weights = np.arange(9.0).reshape(3, 3)
    gradient = mg.grad(lambda a: np.sum(weights * np.linalg.cholesky(a)))(np.diag([1.0, 4.0, 9.0]) + 0.5)
    assert_allclose(gradient, gradient.T)


@pytest.mark.parametrize("shape", [(2, 2), (3, 2), (2, 3)])
def test_singular_values_alone(shape):
    a = np.random.default_rng(0).normal(size=shape)
    s = np.linalg.svd(mg.tensor(a), compute_uv=False)
    assert isinstance(s, mg.Tensor)
    assert_allclose(s.data, np.linalg.svd(a, compute_uv=False), rtol=1e-14)


@pytest.mark.parametrize("shape", [(3, 2), (2, 3)])
def test_what_needs_no_vector_of_a_singular_value_0_has_a_gradient(shape):
    a = np.ones(shape)
    largest = mg.grad(lambda a: np.linalg.svd(a, compute_uv=False)[0])(a)
    assert_allclose(largest, np.full(shape, 6**-0.5), rtol=1e-12)  # u v^T
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    vector = mg.grad(lambda a: np.sum(np.arange(3.0)[: shape[0]] * np.linalg.svd(a, full_matrices=False)[0][:, 0]))(a)
    direction = np.arange(3.0)[: shape[0]]
    assert_allclose(vector, np.outer(direction - u[:, 0] * (u[:, 0] @ direction), vt[0]) / s[0], atol=1e-12)


def test_singular_values_of_a_singular_matrix_have_a_gradient():
    """dJ/dA = U diag(g) V^T needs no division: for a square U and V nothing is left to project."""
    gradient = mg.grad(lambda a: np.sum(np.array([3.0, 5.0, 7.0]) * np.linalg.svd(a, compute_uv=False)))(SINGULAR)
    assert_allclose(np.abs(gradient), np.diag([3.0, 5.0, 7.0]))


def test_a_stack_of_stacks_is_decomposed_matrix_by_matrix():
    a = np.random.default_rng(0).normal(size=(4, 1, 2, 2))
    a = a + np.swapaxes(a, -1, -2)
    for f in (
        lambda a: np.sum(np.linalg.eigh(a)[1] ** 4),
        lambda a: np.sum(np.linalg.cholesky(a + 9 * np.eye(2)) ** 3),
        lambda a: np.sum(np.linalg.svd(a, full_matrices=False)[0] ** 4),
    ):
        each = [mg.grad(f)(matrix) for matrix in a.reshape(4, 2, 2)]
        assert_allclose(mg.grad(f)(a), np.reshape(each, a.shape), rtol=1e-12)


def test_the_second_derivative_of_eigenvectors_where_the_first_is_0():
    """V turns by e / (w_1 - w_0) for [[w_0, e], [e, w_1]], so d2 V_01**2 = 2 / (w_1 - w_0)**2."""
    e = np.array([[0.0, 1.0], [1.0, 0.0]])
    second = mg.hvp(lambda a: np.linalg.eigh(a)[1][0, 1] ** 2, np.diag([1.0, 5.0]), e)
    assert_allclose(np.sum(e * second), 2 / 4**2)


def test_a_tie_that_nothing_flows_through_has_derivative_0_at_every_order():
    def f(a):
        return np.linalg.eigh(a)[1][0, 1] ** 2

    assert_array_equal(mg.grad(f)(np.eye(2)), np.zeros((2, 2)))
    assert_array_equal(mg.hessian(f)(np.eye(2)), np.zeros((2, 2, 2, 2)))


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


def test_eigh_has_a_symmetric_gradient():
    a = np.array([[2.0, 0.3, 0.1], [0.3, 1.0, 0.2], [0.1, 0.2, 4.0]])
    g = grad(lambda a: np.linalg.eigh(a)[1][0, 0] ** 2)(a)
    assert_allclose(g, g.T)


def test_degenerate_eigenvalues():
    a = np.diag([1.0, 1.0, 2.0])
    assert_array_equal(mg.grad(lambda a: np.sum(np.linalg.eigh(a)[0]))(a), np.eye(3))
    with np.errstate(all="ignore"):
        g = mg.grad(lambda a: np.sum(np.linalg.eigh(a)[1] * np.arange(9.0).reshape(3, 3)))(a)
    assert not np.isfinite(g).all()
