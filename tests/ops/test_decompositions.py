"""Decompositions where the specs can't look: NumPy's arguments, singular matrices, ties and what a NaN does."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import minigrad as mg

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
