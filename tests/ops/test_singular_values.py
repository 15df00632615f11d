"""Singular values: value and derivatives by specs; ties and zeros one by one."""

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support.gradients import leaf, numeric
from support.matrices import TIES, apart, square_matrices, turned, uneven
from support.specification import Specs

import minigrad as mg
from minigrad import grad
from minigrad.operation import array_of
from minigrad.ops import singular_values
from minigrad.testing import check_grads
from minigrad.testing import strategies as s

specs = Specs()
spec = specs.add


def distinct(a):
    """A matrix with a diagonal that keeps its singular values apart."""
    return a + np.diag(2 * np.arange(1.0, 4).astype(a.dtype))[: a.shape[-2], : a.shape[-1]]


def singular(decompose):
    """U, s and V without their signs, as one array: sum_k k u_k v_k^T, and below it sum_k k s_k in every place."""

    def packed(a):
        u, s, vt = decompose(distinct(a), full_matrices=False)
        weights = np.arange(1.0, s.shape[-1] + 1).astype(a.dtype)
        below = np.sum(s * weights, axis=-1)[..., None, None] * np.ones((1, a.shape[-1]), a.dtype)
        return np.concatenate([np.matmul(u * weights, vt), below], axis=-2)

    return packed


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
spec("svdvals", square_matrices.map(apart), np.linalg.svdvals)


def singular_value_gradient(g, a):
    parts = np.linalg.svd(array_of(a), full_matrices=False)
    return singular_values._recombined(g, a, parts=parts, fixed=False)


def recombined(g, a):
    u, _, vt = np.linalg.svd(a, full_matrices=False)
    return np.einsum("...ij,...j,...jk->...ik", u, g, vt)


shapes = st.sampled_from([(2, 2), (3, 2), (2, 3), (2, 2, 3), (3, 3)])
wide = shapes.flatmap(lambda shape: s.tensors(shape, domain=(-0.5, 0.5))).map(distinct)
weighted_values = wide.flatmap(lambda a: st.tuples(s.tensors((*a.shape[:-2], min(a.shape[-2:]))), st.just(a)))
spec(
    "singular_value_gradient",
    weighted_values,
    uneven(recombined),
    fn=uneven(singular_value_gradient),
)

TestSpecs = specs.tests()
pytestmark = pytest.mark.filterwarnings("error")
SINGULAR = np.diag([2.0, 1.0, 0.0])


@pytest.mark.parametrize("shape", [(2, 2), (3, 2), (2, 3)])
def test_singular_values_alone(shape):
    a = np.random.default_rng(0).normal(size=shape)
    s = np.linalg.svd(mg.tensor(a), compute_uv=False)
    assert isinstance(s, mg.Tensor)
    assert_allclose(s.data, np.linalg.svd(a, compute_uv=False), rtol=1e-14)


@pytest.mark.parametrize("shape", [(3, 2), (2, 3)])
def test_a_singular_value_has_a_gradient_beside_one_of_0(shape):
    largest = mg.grad(lambda a: np.linalg.svd(a, compute_uv=False)[0])(np.ones(shape))
    assert_allclose(largest, np.full(shape, 6**-0.5), rtol=1e-12)  # u v^T


def test_singular_values_of_a_singular_matrix_have_a_gradient():
    """dJ/dA = U diag(g) V^T needs no division: for a square U and V nothing is left to project."""
    gradient = mg.grad(lambda a: np.sum(np.array([3.0, 5.0, 7.0]) * np.linalg.svd(a, compute_uv=False)))(SINGULAR)
    assert_allclose(np.abs(gradient), np.diag([3.0, 5.0, 7.0]))


def test_a_stack_of_stacks_is_decomposed_matrix_by_matrix():
    a = np.random.default_rng(0).normal(size=(4, 1, 2, 2))
    a = a + np.swapaxes(a, -1, -2)
    f = lambda a: np.sum(np.linalg.svd(a, full_matrices=False)[0] ** 4)  # noqa: E731
    each = [mg.grad(f)(matrix) for matrix in a.reshape(4, 2, 2)]
    assert_allclose(mg.grad(f)(a), np.reshape(each, a.shape), rtol=1e-12)


REGULAR_TIES = [
    np.diag([2.0, 2.0, 1.0]), np.eye(3), -np.eye(2), turned([2.0, 2.0, 1.0]), turned([3.0, 3.0], 1, 4),
    turned([3.0, 3.0], 1, 3).T,
]  # fmt: skip


@pytest.mark.parametrize("a", REGULAR_TIES)
def test_the_sum_of_singular_values_has_two_derivatives_at_ties(a):
    for f in (np.linalg.svdvals, lambda a: np.linalg.svd(a, full_matrices=False)[1]):
        check_grads(lambda a, f=f: np.sum(f(a)), a, order=1, float32=False)
        slope, u = grad(lambda a, f=f: np.sum(f(a))), np.random.default_rng(3).normal(size=a.shape)
        central = (slope(a + 1e-5 * u) - slope(a - 1e-5 * u)) / 2e-5
        assert_allclose(mg.hvp(lambda a, f=f: np.sum(f(a)), a, u), central, atol=1e-8)


def of_svd(f):
    return lambda a: np.sum(f(*np.linalg.svd(a, full_matrices=False)))


def of_eigh(f):
    return lambda a: np.sum(f(*np.linalg.eigh(a)))


weights = np.arange(9.0).reshape(3, 3)
SINGLE_VECTORS = [
    *[
        (of_svd(lambda u, s, vt: (u * s) @ vt), a)
        for a in (TIES[0], TIES[1], TIES[4], TIES[5], turned([3.0, 3.0], 1, 4))
    ],
    (of_svd(lambda u, s, vt: u * weights), np.diag([3.0, 2.0, 2.0])),
    (of_svd(lambda u, s, vt: u[:, 1] ** 3), turned([3.0, 0.0], 1, 3)),
    (of_svd(lambda u, s, vt: vt[1] ** 3), turned([3.0, 0.0], 1, 3).T),
    *[(lambda a, i=i: of_svd(lambda u, s, vt: ((u * s) @ vt)[i])(a), TIES[1]) for i in np.ndindex(3, 3)],
    (of_svd(lambda u, s, vt: (u * s) @ vt), np.eye(3, 2) * [2, 0]),
    (lambda a: grad(lambda a: np.sum(np.linalg.svdvals(a) ** 2))(a).sum(), TIES[0]),
]


@pytest.mark.parametrize(("f", "a"), SINGLE_VECTORS)
def test_what_depends_on_single_vectors_of_a_tie_is_nan(f, a):
    assert not np.isfinite(grad(f)(a)).all()


@pytest.mark.parametrize("f", [of_eigh(lambda w, v: v[0, 0]), of_svd(lambda u, s, vt: u[0, 2])])
def test_an_entry_of_one_of_several_vectors_of_values_that_are_0_up_to_rounding_is_nan(f):
    assert np.isnan(grad(f)(turned([3.0, 0.0, 0.0], 2))).any()


@pytest.mark.parametrize("values", [[3.0, 2.0, 0.0], [3.0, 2.0, 0.0, 0.0]])
def test_what_needs_no_vector_of_a_value_that_is_0_up_to_rounding_has_a_gradient(values):
    """Such as the leading vectors of data of a lower rank."""
    a, b = turned(values, 2), turned(values, 2, 5)
    for f, x in (
        (of_eigh(lambda w, v: v[:, -1] ** 4), a),
        (of_svd(lambda u, s, vt: u[:, 0] ** 4 * vt[0, 0] ** 2), a),
        (of_svd(lambda u, s, vt: u[:, 1] ** 4), b),
        (of_svd(lambda u, s, vt: vt[1] ** 4), b.T),
    ):
        values = np.linalg.svd(x, compute_uv=False)
        gradient, u = grad(f)(x), np.random.default_rng(4).normal(size=x.shape)
        if (values[2:] == 0).any():  # an exact 0, which another LAPACK may find
            assert np.isnan(gradient).any()
        else:
            assert_allclose(np.sum(gradient * u), (f(x + 1e-6 * u) - f(x - 1e-6 * u)) / 2e-6, rtol=1e-6)


def test_a_single_singular_value_of_a_tie_has_the_slope_of_one_choice():
    gradient = grad(lambda a: np.linalg.svdvals(a)[0])(np.eye(2))
    assert_array_equal(np.sort(gradient.ravel()), [0, 0, 0, 1])


def test_a_vector_is_refused():
    with pytest.raises(ValueError, match=r"a must be a .*matrix, or a stack of them, not \(3,\)"):
        mg.svd(np.ones(3))


@pytest.mark.parametrize("compute_uv", [False, True])
def test_svd_of_a_symmetric_matrix_reads_its_lower_triangle(compute_uv):
    a = np.array([[2.0, 9.0, 9.0], [0.5, -3.0, 9.0], [0.25, 1.0, 1.0]])
    parts = np.linalg.svd(leaf(a), compute_uv=compute_uv, hermitian=True)
    theirs = np.linalg.svd(a, compute_uv=compute_uv, hermitian=True)
    for ours, right in zip(parts, theirs, strict=True) if compute_uv else [(parts, theirs)]:
        np.testing.assert_allclose(ours.data, right, atol=1e-14)

    def f(a):
        parts = mg.svd(a, compute_uv=compute_uv, hermitian=True)
        return parts.U * parts.S + parts.Vh if compute_uv else parts

    mg.testing.check_grads(f, a, order=2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_svd_of_a_singular_symmetric_matrix_has_unitary_factors(dtype):
    a = np.diag([2, -1, 0]).astype(dtype)
    u, s, vh = (part.data for part in mg.svd(leaf(a), hermitian=True))
    for x, right in ((u @ u.T, np.eye(3)), (vh @ vh.T, np.eye(3)), (u * s @ vh, a)):
        assert_array_equal(x, right.astype(dtype), strict=True)


REGULAR, BLOCK = (
    np.random.default_rng(0).normal(size=(3, 3)),
    np.pad(np.random.default_rng(1).normal(size=(2, 2)), (0, 1)),
)
OUTER = np.outer([1.0, 2.0, -1.0], [0.5, 1.0, 3.0])


@pytest.mark.parametrize(
    ("a", "weights", "u"),
    [
        *[(REGULAR[:m, :n], [1, 0, 0], REGULAR.T[:m, :n]) for m, n in ((3, 3), (3, 2), (2, 3), (3, 1))],
        *[(REGULAR[:m, :n], [2, 3, 5], REGULAR.T[:m, :n]) for m, n in ((3, 3), (3, 2), (2, 3), (1, 3))],
        *[(OUTER[:m, :n], [1, 0, 0], REGULAR[:m, :n]) for m, n in ((3, 3), (3, 2), (2, 3))],
        (SINGULAR, [3, 5, 7], BLOCK),  # which keeps the value of 0
    ],
)
def test_weighted_singular_values_have_two_derivatives(a, weights, u):
    slope = grad(lambda a: np.sum(np.linalg.svdvals(a) * weights[: min(a.shape)]))
    central = (slope(a + 1e-5 * u) - slope(a - 1e-5 * u)) / 2e-5
    assert_allclose(mg.hvp(lambda a: np.sum(np.linalg.svdvals(a) * weights[: min(a.shape)]), a, u), central, atol=1e-7)


@pytest.mark.parametrize("shape", [(3, 2), (2, 3)])
def test_a_matrix_of_zeros_has_no_second_derivative_of_its_singular_values(shape):
    found = mg.hvp(lambda a: np.sum(np.linalg.svdvals(a)), np.zeros(shape), np.ones(shape))
    assert np.isnan(found).any()


def test_every_vector_of_a_square_matrix_with_one_value_of_0_has_a_gradient():
    left, right = (np.linalg.qr(m)[0] for m in (REGULAR, REGULAR.T + 1))
    a = left @ np.diag([3.0, 2.0, 0.0]) @ right
    for f in (lambda a: np.sum(np.linalg.svd(a).U[:, 2] ** 4), lambda a: np.sum(np.linalg.svd(a).Vh[2] ** 4)):
        assert_allclose(grad(f)(a), numeric(f, a), atol=1e-8)
