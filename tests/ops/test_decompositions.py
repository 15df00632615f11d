"""Decompositions: value and derivatives by specs; NumPy's arguments, singular matrices, ties and NaN one by one."""

import warnings

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support import naive
from support.gradients import leaf
from support.specification import Specs, called

import minigrad as mg
from minigrad import grad
from minigrad.operation import array_of
from minigrad.ops import decompositions
from minigrad.testing import check_grads, check_vjp
from minigrad.testing import strategies as s

specs = Specs()
spec = specs.add


square_matrices = s.shapes(max_dims=1, max_side=2).flatmap(
    lambda lead: st.integers(1, 3).flatmap(lambda n: s.tensors((*lead, n, n), domain=(-0.5, 0.5)))
)


def regular(a):
    """The matrix with a diagonal that makes it well conditioned."""
    return a + 2 * np.eye(a.shape[-1], dtype=a.dtype)


def apart(a):
    """A matrix, not symmetric, with a diagonal that keeps the eigenvalues of both triangles apart and positive."""
    return a * 0.5 + np.diag(2 * np.arange(1.0, a.shape[-1] + 1))


def projectors(decompose):
    """Eigenvalues and the projectors on the eigenvectors, which don't know their sign or phase, as one array."""

    def packed(a, **options):
        w, v = decompose(a, **options)
        n = a.shape[-1]
        outer = np.reshape(v[..., :, None, :] * np.conj(v)[..., None, :, :], (*a.shape[:-2], n * n, n))
        return np.concatenate([w[..., None, :], outer], axis=-2)

    return packed


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
    "cholesky",
    called(square_matrices.map(apart), upper=st.booleans()),
    np.linalg.cholesky,
    refused=(((np.zeros((2, 3)),), {}, ValueError, r"a must be a square matrix, .* not \(2, 3\)"),),
)
spec(
    "eigh",
    called(square_matrices.map(apart), UPLO=st.sampled_from("LU")),
    projectors(np.linalg.eigh),
    fn=projectors(mg.eigh),
)
spec(
    "eigvalsh",
    called(square_matrices.map(apart), st.sampled_from("LUlu")),
    np.linalg.eigvalsh,
    options={"argnums": 0},
)
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
spec("eigvals", square_matrices.map(apart), np.linalg.eigvals, order=2)
spec("eig", square_matrices.map(apart), projectors(np.linalg.eig), fn=projectors(mg.eig), order=2)


def eigenvalue_gradient(g, a):
    return decompositions._combined(g, a, parts=np.linalg.eigh(array_of(a)), uplo="L", fixed=False)


def singular_value_gradient(g, a):
    parts = np.linalg.svd(array_of(a), full_matrices=False)
    return decompositions._recombined(g, a, parts=parts, fixed=False)


def spectral(g, a):
    v = np.linalg.eigh(a)[1]
    return np.einsum("...ij,...j,...kj->...ik", v, g, v)


def recombined(g, a):
    u, _, vt = np.linalg.svd(a, full_matrices=False)
    return np.einsum("...ij,...j,...jk->...ik", u, g, vt)


def uneven(f):
    """Rows weighed unequally: the norm of f itself does not depend on a, and a gradient of 0 shows rounding alone."""
    return lambda g, a: f(g, a) * np.arange(1.0, a.shape[-2] + 1)[:, None].astype(a.dtype)


weighted = square_matrices.map(apart).flatmap(lambda a: st.tuples(s.tensors(a.shape[:-1]), st.just(a)))
shapes = st.sampled_from([(2, 2), (3, 2), (2, 3), (2, 2, 3), (3, 3)])
wide = shapes.flatmap(lambda shape: s.tensors(shape, domain=(-0.5, 0.5))).map(distinct)
weighted_values = wide.flatmap(lambda a: st.tuples(s.tensors((*a.shape[:-2], min(a.shape[-2:]))), st.just(a)))
spec("eigenvalue_gradient", weighted, uneven(spectral), fn=uneven(eigenvalue_gradient))
spec(
    "singular_value_gradient",
    weighted_values,
    uneven(recombined),
    fn=uneven(singular_value_gradient),
)
spec(
    "cofactors",
    square_matrices.map(apart),
    lambda a: np.linalg.det(a)[..., None, None] * np.swapaxes(np.linalg.inv(a), -1, -2),
    fn=decompositions._cofactors,
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


LOWER, UPPER = np.tri(3, dtype=bool), np.tri(3, dtype=bool).T


@pytest.mark.parametrize(
    ("f", "read"),
    [
        (lambda a: np.linalg.cholesky(a)[2, 2], LOWER),
        (lambda a: np.linalg.cholesky(a, upper=True)[2, 2], UPPER),
        (lambda a: np.linalg.eigvalsh(a)[2], LOWER),
        (lambda a: np.linalg.eigvalsh(a, "U")[2], UPPER),
        (lambda a: np.linalg.eigh(a)[1][0, 2] ** 2, LOWER),
        (lambda a: np.linalg.eigh(a, UPLO="u")[1][0, 2] ** 2, UPPER),
    ],
)
def test_the_gradient_goes_to_the_triangle_that_numpy_reads(f, read):
    a = np.array([[2.0, 0.3, 0.1], [0.3, 3.0, 0.2], [0.1, 0.2, 5.0]])
    gradient = grad(f)(a)
    assert_array_equal(gradient != 0, read)
    with_nan = np.where(read, a, np.nan)
    assert_allclose(grad(f)(with_nan), gradient)
    check_vjp(f, np.where(read, a, 9.0), float32=False)


def test_a_symmetric_parameter_moves_both_triangles():
    """d/dp of the larger eigenvalue of [[1, p], [p, 3]], which is 2 + (1 + p**2)**(1/2), is p / (1 + p**2)**(1/2)."""

    def both(p):
        return np.linalg.eigvalsh(p * np.array([[0.0, 1.0], [1.0, 0.0]]) + np.diag([1.0, 3.0]))[1]

    def lower(p):
        return np.linalg.eigvalsh(p * np.array([[0.0, 0.0], [1.0, 0.0]]) + np.diag([1.0, 3.0]))[1]

    for f in (both, lower):
        assert_allclose(grad(f)(2.0), 2 / np.sqrt(5))


def turned(values, seed=0, rows=None):
    """A symmetric matrix with these eigenvalues; with `rows`, one of so many rows with these singular values."""
    rng = np.random.default_rng(seed)
    n = len(values)
    left = np.linalg.qr(rng.normal(size=(rows or n, n)))[0]
    right = left if rows is None else np.linalg.qr(rng.normal(size=(n, n)))[0]
    return (left * np.array(values)) @ right.T


TIES = [np.diag([2.0, 2.0, 1.0]), np.diag([0.0, 0.0, 1.0]), np.eye(3), np.zeros((3, 3))]
TIES += [
    turned(values, seed) for values in ([2.0, 2.0, 1.0], [1.0, 1.0, 1.0, 5.0], [0.0, 0.0, 3.0]) for seed in range(4)
]


@pytest.mark.parametrize("a", TIES)
def test_the_trace_is_differentiated_right_at_ties(a):
    n = len(a)
    for f in (lambda a: np.sum(np.linalg.eigvalsh(a)), lambda a: np.sum(np.linalg.eigh(a)[0])):
        assert_allclose(grad(f)(a), np.eye(n), atol=1e-12)
        assert_array_equal(mg.hessian(f)(a), np.zeros((n,) * 4))
    squares = grad(lambda a: np.sum(np.linalg.eigvalsh(a) ** 2))(a)
    assert_allclose(squares, 2 * np.tril(a) + 2 * np.tril(a, -1), atol=1e-12)


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
    *[(of_eigh(lambda w, v: (v * w) @ v.T), a) for a in TIES[:12]],
    (of_eigh(lambda w, v: v * weights), np.diag([1.0, 1.0, 2.0])),
    (of_svd(lambda u, s, vt: u * weights), np.diag([3.0, 2.0, 2.0])),
    (of_svd(lambda u, s, vt: u[:, 1] ** 3), turned([3.0, 0.0], 1, 3)),
    (of_svd(lambda u, s, vt: vt[1] ** 3), turned([3.0, 0.0], 1, 3).T),
    (of_eigh(lambda w, v: (v * np.log(w)) @ v.T), np.eye(3)),  # ln w is 0
    *[(lambda a, i=i: of_svd(lambda u, s, vt: ((u * s) @ vt)[i])(a), TIES[1]) for i in np.ndindex(3, 3)],
    *[(lambda a, i=i: of_eigh(lambda w, v: ((v * w) @ v.T)[i])(a), TIES[1]) for i in np.ndindex(3, 3)],
    (of_svd(lambda u, s, vt: (u * s) @ vt), np.eye(3, 2) * [2, 0]),
    (lambda a: np.linalg.eigh(a)[1][0, 1] ** 2, np.eye(2)),
    (lambda a: grad(lambda a: np.sum(np.linalg.eigvalsh(a) ** 2))(a).sum(), TIES[0]),
    (lambda a: grad(lambda a: np.sum(np.linalg.svdvals(a) ** 2))(a).sum(), TIES[0]),
    (lambda a: grad(lambda a: np.linalg.eigvalsh(a)[0])(a).sum(), TIES[2]),
]


@pytest.mark.parametrize(("f", "a"), SINGLE_VECTORS)
def test_what_depends_on_single_vectors_of_a_tie_is_nan(f, a):
    assert not np.isfinite(grad(f)(a)).all()


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


@pytest.mark.parametrize("f", [mg.eigh, mg.eigvalsh, mg.cholesky, mg.svd])
def test_a_vector_is_refused(f):
    with pytest.raises(ValueError, match=r"a must be a .*matrix, or a stack of them, not \(3,\)"):
        f(np.ones(3))


@pytest.mark.parametrize("f", [mg.eigh, mg.eigvalsh])
@pytest.mark.parametrize("triangle", ["X", "", None, 0])
def test_the_triangle_is_one_of_two(f, triangle):
    with pytest.raises(ValueError, match=f"^{f.__name__}: UPLO must be 'L' or 'U', not {triangle!r}"):
        f(np.eye(2), triangle)


def test_a_shift_of_all_eigenvalues_changes_no_gradient_of_vectors():
    """Of eigenvalues that tie too, on either side of 0."""

    def largest(a):
        return np.linalg.eigh(a)[1][0, 2] ** 2

    a = np.diag([1.0, 1.0, 5.0])
    for shift in (0.0, -3.0, -1.0, 7.0):
        found = mg.grad(largest)(a + shift * np.eye(3))
        assert_array_equal(np.isnan(found), np.isnan(mg.grad(largest)(a)))


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
