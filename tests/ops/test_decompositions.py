"""Decompositions: value and derivatives by specs; NumPy's arguments, singular matrices, ties and NaN one by one."""

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support.matrices import TIES, apart, square_matrices, uneven
from support.specification import Specs, called

import minigrad as mg
from minigrad import grad
from minigrad.operation import array_of
from minigrad.ops import decompositions
from minigrad.testing import check_vjp
from minigrad.testing import strategies as s

specs = Specs()
spec = specs.add


def projectors(decompose):
    """Eigenvalues and the projectors on the eigenvectors, which don't know their sign or phase, as one array."""

    def packed(a, **options):
        w, v = decompose(a, **options)
        n = a.shape[-1]
        outer = np.reshape(v[..., :, None, :] * np.conj(v)[..., None, :, :], (*a.shape[:-2], n * n, n))
        return np.concatenate([w[..., None, :], outer], axis=-2)

    return packed


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
spec("eigvals", square_matrices.map(apart), np.linalg.eigvals, order=2)
spec("eig", square_matrices.map(apart), projectors(np.linalg.eig), fn=projectors(mg.eig), order=2)


def eigenvalue_gradient(g, a):
    return decompositions._combined(g, a, parts=np.linalg.eigh(array_of(a)), uplo="L", fixed=False)


def spectral(g, a):
    v = np.linalg.eigh(a)[1]
    return np.einsum("...ij,...j,...kj->...ik", v, g, v)


weighted = square_matrices.map(apart).flatmap(lambda a: st.tuples(s.tensors(a.shape[:-1]), st.just(a)))
spec("eigenvalue_gradient", weighted, uneven(spectral), fn=uneven(eigenvalue_gradient))

TestSpecs = specs.tests()
pytestmark = pytest.mark.filterwarnings("error")
SINGULAR = np.diag([2.0, 1.0, 0.0])


@pytest.mark.parametrize("f", [np.linalg.eigh, np.linalg.eig, np.linalg.slogdet, np.linalg.svd])
def test_results_have_numpys_names(f):
    a = np.array([[2.0, 0.5], [0.5, 1.0]])
    found, expected = f(mg.tensor(a)), f(a)
    assert type(found) is type(expected)
    for each, value in zip(found, expected, strict=True):
        assert_array_equal(each.data, value)


def test_a_stack_of_stacks_is_decomposed_matrix_by_matrix():
    a = np.random.default_rng(0).normal(size=(4, 1, 2, 2))
    a = a + np.swapaxes(a, -1, -2)
    for f in (
        lambda a: np.sum(np.linalg.eigh(a)[1] ** 4),
        lambda a: np.sum(np.linalg.cholesky(a + 9 * np.eye(2)) ** 3),
    ):
        each = [mg.grad(f)(matrix) for matrix in a.reshape(4, 2, 2)]
        assert_allclose(mg.grad(f)(a), np.reshape(each, a.shape), rtol=1e-12)


def test_the_second_derivative_of_eigenvectors_where_the_first_is_0():
    """V turns by e / (w_1 - w_0) for [[w_0, e], [e, w_1]], so d2 V_01**2 = 2 / (w_1 - w_0)**2."""
    e = np.array([[0.0, 1.0], [1.0, 0.0]])
    second = mg.hvp(lambda a: np.linalg.eigh(a)[1][0, 1] ** 2, np.diag([1.0, 5.0]), e)
    assert_allclose(np.sum(e * second), 2 / 4**2)


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


@pytest.mark.parametrize("a", TIES)
def test_the_trace_is_differentiated_right_at_ties(a):
    n = len(a)
    for f in (lambda a: np.sum(np.linalg.eigvalsh(a)), lambda a: np.sum(np.linalg.eigh(a)[0])):
        assert_allclose(grad(f)(a), np.eye(n), atol=1e-12)
        assert_array_equal(mg.hessian(f)(a), np.zeros((n,) * 4))
    squares = grad(lambda a: np.sum(np.linalg.eigvalsh(a) ** 2))(a)
    assert_allclose(squares, 2 * np.tril(a) + 2 * np.tril(a, -1), atol=1e-12)


def of_eigh(f):
    return lambda a: np.sum(f(*np.linalg.eigh(a)))


weights = np.arange(9.0).reshape(3, 3)
SINGLE_VECTORS = [
    *[(of_eigh(lambda w, v: (v * w) @ v.T), a) for a in TIES[:12]],
    (of_eigh(lambda w, v: v * weights), np.diag([1.0, 1.0, 2.0])),
    (of_eigh(lambda w, v: (v * np.log(w)) @ v.T), np.eye(3)),  # ln w is 0
    *[(lambda a, i=i: of_eigh(lambda w, v: ((v * w) @ v.T)[i])(a), TIES[1]) for i in np.ndindex(3, 3)],
    (lambda a: np.linalg.eigh(a)[1][0, 1] ** 2, np.eye(2)),
    (lambda a: grad(lambda a: np.sum(np.linalg.eigvalsh(a) ** 2))(a).sum(), TIES[0]),
    (lambda a: grad(lambda a: np.linalg.eigvalsh(a)[0])(a).sum(), TIES[2]),
]


@pytest.mark.parametrize(("f", "a"), SINGLE_VECTORS)
def test_what_depends_on_single_vectors_of_a_tie_is_nan(f, a):
    assert not np.isfinite(grad(f)(a)).all()


@pytest.mark.parametrize("f", [mg.eigh, mg.eigvalsh, mg.cholesky])
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


def test_each_matrix_of_a_batch_has_its_own_ties():
    small, large = np.array([[2.0, 0.5], [0.5, 1.0]]), np.diag([1e20, 3e20])

    def f(a):
        return np.sum(np.linalg.eigh(a)[1] ** 4)

    assert_allclose(grad(f)(np.stack([small, large]))[0], grad(f)(small))


@pytest.mark.parametrize("shape", [(0, 0), (2, 0, 0), (0, 2, 2)])
@pytest.mark.parametrize("f", [np.linalg.eigh, np.linalg.eig, np.linalg.svd, np.linalg.qr])
def test_matrices_without_entries_have_gradients_without_entries(f, shape):
    gradient = mg.grad(lambda a: sum(np.sum(np.real(part)) for part in f(a)))(np.zeros(shape))
    assert gradient.shape == shape


def test_the_vectors_of_equal_eigenvalues_of_any_matrix_have_no_derivative():
    a = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 0.5], [0.0, 0.0, 3.0]])
    with np.errstate(all="ignore"):
        assert not np.isfinite(grad(lambda a: np.linalg.eig(a)[1][0, 0] ** 2)(a)).all()


def test_vectors_of_no_effect_in_the_null_space_spoil_no_gradient():
    q = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0]
    a = q[:, :2] * [3.0, 2.0] @ q[:, :2].T

    def f(a):
        return np.linalg.eigh(a)[1][0, 4] ** 2

    step = 1e-5 * (q[:, 2:3] @ q[:, 1:2].T + q[:, 1:2] @ q[:, 2:3].T + q[:, 2:3] @ q[:, :1].T + q[:, :1] @ q[:, 2:3].T)
    assert_allclose(np.sum(grad(f)(a) * step), (f(a + step) - f(a - step)) / 2, rtol=1e-6)


@pytest.mark.parametrize("factor", [2.0**-60, 2.0**60])
def test_what_counts_as_a_tie_scales_with_the_matrix(factor):
    a, g = np.diag([1.0, 2.0, 4.0]), np.array([[0.0, 1.0, 3.0], [2.0, 0.0, 1.0], [0.0, 5.0, 0.0]])

    def slope(a):
        return mg.vjp(lambda a: mg.eigh(a)[1], a)[1](g)[0]

    assert_array_equal(slope(a * factor), slope(a) / factor)
    assert np.any(slope(a))


@pytest.mark.parametrize("sign", [1, -1])
def test_eigenvalues_that_are_equal_up_to_rounding_tie_whatever_their_sign(sign):
    a = sign * np.diag([1.0, 1.0 + 2.0**-50, 2.0])
    assert np.any(np.isnan(mg.grad(lambda a: np.sum(mg.eigh(a)[1] ** 3))(a)))
