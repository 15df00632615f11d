"""Solving and decomposing matrices: inv, solve, det, slogdet, cholesky, eigh, svd.

All take stacks of matrices in the last two axes. Reference: M. Giles, "Collected matrix
derivative results for forward and reverse mode algorithmic differentiation", 2008.
Where eigenvalues or singular values tie, their vectors are not determined, and what reaches the
matrix through them is NaN. Eigenvalues and singular values alone are ops of their own, because
their sums have derivatives at ties too.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ..operation import array_of, arraylike, op
from ..stand_ins import implements
from ..typing import Array, EighResult, SlogdetResult, SVDResult
from .complex_numbers import conj, squared
from .reductions import products_of_others, sum
from .shaping import take_along_axis

__all__ = [
    "inv",
    "solve",
    "det",
    "log_abs_det",
    "slogdet",
    "cholesky",
    "eigh",
    "eigvalsh",
    "eig",
    "eigvals",
    "svd",
    "svdvals",
]


@lru_cache
def _result_of(function):
    """The named tuple that a function of NumPy returns, which has no public name."""
    return type(function(np.eye(1)))  # equivalent: 1 -> any number because results of any matrix have this type


def _t(a):
    """The transpose of each matrix."""
    return np.swapaxes(a, -1, -2)


def _h(a):
    """A^H, the conjugate transpose of each matrix; of a real one the transpose."""
    return conj(_t(a))


def _square(name, a):
    """`a` as an array or Tensor; ValueError unless it holds square matrices."""
    a = arraylike(a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(f"{name}: a must be a square matrix, or a stack of them, not {a.shape}")
    return a


# inverses and determinants


@implements(np.linalg.inv)
@op(complex=True)
def inv(a: Array) -> Array:
    """C = A**-1: dC = -C dA C, so dJ/dA = -C^T G C^T. Raises LinAlgError if A is singular.

    >>> mg.grad(lambda a: np.sum(mg.inv(a)))(np.diag([1.0, 2.0])).tolist()
    [[-1.0, -0.5], [-0.5, -0.25]]
    """
    return np.linalg.inv(a)


@inv.vjp("a")
def _(g, c, a):
    return -np.matmul(np.matmul(_t(c), g), _t(c))


@implements(np.linalg.solve)
@op(complex=True)
def solve(a: Array, b: Array) -> Array:
    """X with A X = B; b is a vector if it has one axis, else a stack of matrices.

    A dX = dB - dA X, so dJ/dB = A^-T G and dJ/dA = -(dJ/dB) X^T. Raises LinAlgError if A is singular.

    >>> a, b = np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([1.0, 1.0])
    >>> mg.grad(lambda b: np.sum(mg.solve(a, b)))(b).tolist()
    [0.5, 0.25]
    """
    return np.linalg.solve(a, b)


def _solve_transposed(g, a, b):
    """A^-T G, a column for each of G's."""
    return np.linalg.solve(_t(a), g[..., None] if b.ndim == 1 else g)


@solve.vjp("a")
def _(g, x, a, b):
    return -np.matmul(_solve_transposed(g, a, b), x[..., None, :] if b.ndim == 1 else _t(x))


@solve.vjp("b")
def _(g, x, a, b):
    db = _solve_transposed(g, a, b)
    return db[..., 0] if b.ndim == 1 else db


@implements(np.linalg.det)
@op(complex=True)
def det(a: Array) -> Array:
    """C = det A: dJ/dA = g times the cofactors of A, which are C A^-T if A is invertible.

    A singular matrix has cofactors, too, and so do their own derivatives.

    >>> mg.grad(mg.det)(np.array([[1.0, 2.0], [2.0, 4.0]])).round(12).tolist()
    [[4.0, -2.0], [-2.0, 1.0]]
    """
    return np.linalg.det(a)


@det.vjp("a")
def _(g, c, a):
    try:
        inverse = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return g[..., None, None] * _cofactors(a)
    if not _well_conditioned(array_of(a), array_of(inverse)):
        return g[..., None, None] * _cofactors(a)
    return (g * c)[..., None, None] * _t(inverse)


def _well_conditioned(a, inverse):
    """Whether products with A^-1, and with its square for the second derivative, are precise for all matrices."""
    condition = np.sum(squared(a), axis=(-2, -1)) * np.sum(squared(inverse), axis=(-2, -1))  # squared
    return bool(np.all(condition < np.finfo(a.dtype).eps ** (-2 / 3)))


@op(name="cofactors", complex=True)
def _cofactors(a):
    """C = det(U) det(V^H) conj(U diag(p) V^H) for A = U S V^H, with p[i] the product of all singular values but s[i].

    For A = S the minors of two rows and two columns give dC[i,i]/dA[j,j] = q[i,j] and dC[i,j]/dA[j,i] = -q[i,j],
    with q[i,j] the product of all singular values but s[i] and s[j]; the rest is 0. U and V only turn this.
    """
    u, s, vt = np.linalg.svd(a)
    return _orientation(u, vt) * conj(np.matmul(u * products_of_others(s)[..., None, :], vt))


@_cofactors.vjp("a")
def _(g, c, a):
    u, s, vt = svd(a)
    m = np.matmul(np.matmul(_h(u), g), _h(vt))
    diagonal = np.eye(a.shape[-1], dtype=bool)
    q = np.where(diagonal, 0, products_of_others(np.where(diagonal, 1, s[..., None, :])))
    # equivalent: 0), -2 -> 0), -1 because a diagonal matrix has the same sums over rows and columns
    minors = sum(q * sum(np.where(diagonal, m, 0), -2)[..., None, :], -1)
    inner = np.where(diagonal, minors[..., None, :], -q * _t(m))
    return _orientation(u, vt) * np.matmul(np.matmul(conj(u), inner), conj(vt))


def _orientation(u, vt):
    """det(U) det(V^H) of unitary matrices, a number of modulus 1, for each of a stack; of real ones 1 or -1."""
    if u.dtype.kind != "c":
        return np.sign(np.linalg.det(array_of(u)) * np.linalg.det(array_of(vt)))[..., None, None]
    return (np.linalg.det(u) * np.linalg.det(vt))[..., None, None]


@op(complex=True)
def log_abs_det(a: Array) -> Array:
    """C = ln |det A|: dC = Re tr(A^-1 dA), so dJ/dA = g A^-T. The VJP raises LinAlgError if A is singular.

    >>> mg.ops.log_abs_det(np.array([[[2.0, 1.0], [0.0, 0.5]]]))
    array([0.])
    >>> mg.grad(mg.ops.log_abs_det)(np.array([[2.0, 1.0], [1.0, 1.0]]))
    array([[ 1., -1.],
           [-1.,  2.]])
    """
    return np.linalg.slogdet(a)[1]


@log_abs_det.vjp("a")
def _(g, c, a):
    try:
        inverse = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        raise np.linalg.LinAlgError("slogdet: ln |det A| has no derivative where A is singular") from None
    return g[..., None, None] * _t(inverse)


@implements(np.linalg.slogdet)
def slogdet(a: Array) -> SlogdetResult[Array]:
    """`(sign of det A, ln |det A|)`; a singular A raises LinAlgError where it is differentiated.

    The second has the derivative A^-T. The sign of a real matrix is constant; of a complex one it is det A / |det A|.

    >>> mg.grad(lambda a: mg.slogdet(a).logabsdet)(np.diag([2.0, 4.0])).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    return _result_of(np.linalg.slogdet)(_sign_det(a), log_abs_det(a))


@op(name="sign_det", complex=True)
def _sign_det(a):
    """C = the sign of det A, of a real A piecewise constant; else dC = i C Im tr(A^-1 dA): dJ/dA = i Im(g C) A^-T."""
    return np.linalg.slogdet(a)[0]


@_sign_det.vjp("a")
def _(g, c, a):
    if a.dtype.kind == "c":
        return (np.imag(g * c) * 1j)[..., None, None] * _t(np.linalg.inv(a))
    return g[..., None, None] * np.zeros_like(a)  # equivalent: any change because 0, or NaN, times anything is that


# symmetric (Hermitian) matrices, of which NumPy reads one triangle


def _to_triangle(s, uplo):
    """The gradient with respect to the triangle that was read, from that with respect to all entries.

    An entry off the diagonal stands for two of the symmetric matrix, so it gets the sum of both. Those of a
    Hermitian one are conjugates, and its diagonal is real.
    """
    n = s.shape[-1]
    read = np.tri(n, k=-1, dtype=bool)
    read = read if uplo == "L" else read.T
    return np.where(read, s + _h(s), np.where(np.eye(n, dtype=bool), np.real(s), 0))


@implements(np.linalg.cholesky)
def cholesky(a: Array, *, upper: bool = False) -> Array:
    """The lower triangular L with L L^H = A, for a Hermitian positive definite A; its L^H for upper=True.

    Reads one triangle of A, the lower one (upper=True: the upper one). The gradient goes to that triangle.
    Raises LinAlgError if A is not positive definite.

    >>> mg.grad(lambda a: np.sum(mg.cholesky(a)))(np.eye(2)).tolist()
    [[0.5, 0.0], [1.0, 0.5]]
    """
    a = _square("cholesky", a)
    return _h(_cholesky(_h(a))) if upper else _cholesky(a)


@op(name="cholesky", complex=True)
def _cholesky(a):
    """L^-1 dA L^-H = L^-1 dL + (L^-1 dL)^H, so L^-1 dL is the lower half of this, with half of the diagonal: P(.).

    Hence dJ/dA = L^-T P(L^T G) conj(L)^-1, summed into the lower triangle.
    """
    return np.linalg.cholesky(a)


@_cholesky.vjp("a")
def _(g, l, a):
    p = np.matmul(_t(l), g)
    half = (np.tril(p) + np.tril(p, -1)) / 2
    s = _t(np.linalg.solve(_h(l), _t(np.linalg.solve(_t(l), half))))
    return _to_triangle((s + _h(s)) / 2, "L")


@implements(np.linalg.eigh)
def eigh(a: Array, UPLO: str = "L") -> EighResult[Array]:
    """`(eigenvalues, eigenvectors)` of a Hermitian matrix, ascending; the eigenvectors are columns.

    Reads the lower triangle of A (UPLO="U": the upper one). The gradient goes to that triangle. The sign (or phase) of
    each eigenvector is NumPy's choice: a function that depends on it has no derivative. Where eigenvalues tie, what
    reaches A through the eigenvectors is NaN.

    >>> mg.grad(lambda a: mg.eigh(a).eigenvalues[-1])(np.array([[1.0, 0.0], [1.0, 1.0]])).round(12).tolist()
    [[0.5, 0.0], [1.0, 0.5]]
    """
    a, options = _decomposed("eigh", a, UPLO)
    return _result_of(np.linalg.eigh)(_eigenvalues(a, **options), _eigenvectors(a, **options))


@implements(np.linalg.eigvalsh)
def eigvalsh(a: Array, UPLO: str = "L") -> Array:
    """The eigenvalues of a Hermitian matrix, ascending; reads and differentiates one triangle, as `eigh`.

    Their sums have first and second derivatives where eigenvalues tie, too. A single one of a tie has a kink;
    its gradient is then that of one choice of eigenvectors.

    >>> mg.grad(lambda a: np.sum(mg.eigvalsh(a)))(np.eye(2)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    a, options = _decomposed("eigvalsh", a, UPLO)
    return _eigenvalues(a, **options)


def _decomposed(name: str, a: Any, uplo: Any) -> Any:
    """The matrices, and what the ops of their eigenvalues and eigenvectors share: one decomposition."""
    a = _square(name, a)
    if not isinstance(uplo, str) or uplo.upper() not in ("L", "U"):
        raise ValueError(f"{name}: UPLO must be 'L' or 'U', not {uplo!r}")
    triangle: Any = uplo.upper()
    return a, {"parts": np.linalg.eigh(array_of(a), triangle), "uplo": triangle}


@op(name="eigvalsh", complex=True)
def _eigenvalues(a, *, parts, uplo):
    """w with A = V diag(w) V^H: dw = diag(V^H dA V), so dJ/dA = conj(V diag(g) V^H)."""
    return parts[0]


@_eigenvalues.vjp("a")
def _(g, w, a, parts, uplo):
    return _to_triangle(_combined(g, a, parts=parts, uplo=uplo, fixed=_fixed(g)), uplo)


@op(name="eigh", complex=True)
def _eigenvectors(a, *, parts, uplo):
    """V with A = V diag(w) V^H: V^H dV has the entries (V^H dA V)[i,j] / (w[j] - w[i]), and 0 on its diagonal.

    So dJ/dA = conj(V) E V^T with E[i,j] = (V^T G)[i,j] / (w[j] - w[i]) and 0 on the diagonal.
    """
    return parts[1]


@_eigenvectors.vjp("a")
def _(g, v, a, parts, uplo):
    w = _eigenvalues(a, parts=parts, uplo=uplo)
    tied = _tied(parts[0])
    inner = _quotient(np.matmul(_t(v), g), _differences(w), tied, tied & _both(_unused(parts[0], g)) | _diagonal(w))
    return _to_triangle(np.matmul(np.matmul(conj(v), inner), _t(v)), uplo)


@op(name="eigenvalue_gradient", complex=True)
def _combined(g, a, *, parts, uplo, fixed):
    """C = conj(V diag(g) V^H), the gradient of a sum of eigenvalues w with the weights g. fixed: g is independent of A.

    For a fixed g: V^H conj(dC) V = (V^H dA V)[i,j] (g[j] - g[i]) / (w[j] - w[i]), entry by entry; and 0 where the
    weights are equal, also at a tie. This map is its own adjoint. dJ/dg = diag(V^H H V), with H the upstream gradient.
    """
    v = parts[1]
    return np.matmul(conj(v) * g[..., None, :], _t(v))


@_combined.vjp("g")
def _(h, c, g, a, parts, uplo, fixed):
    v = _eigenvectors(a, parts=parts, uplo=uplo)
    return sum(conj(v) * np.matmul(h, v), -2)


@_combined.vjp("a")
def _(h, c, g, a, parts, uplo, fixed):
    w, v = _eigenvalues(a, parts=parts, uplo=uplo), _eigenvectors(a, parts=parts, uplo=uplo)
    tied, rise = _tied(parts[0]), _differences(g)
    slopes = _quotient(rise, _differences(w), tied, _equal(rise, fixed) | _diagonal(w))
    inner = np.matmul(np.matmul(_h(v), h), v) * slopes
    return _to_triangle(conj(np.matmul(np.matmul(v, inner), _h(v))), uplo)


# matrices of any kind: complex eigenvalues, and vectors that are not orthogonal


@implements(np.linalg.eig)
def eig(a: Array) -> EighResult[Array]:
    """`(eigenvalues, eigenvectors)` of a square matrix; the eigenvectors are columns of norm 1.

    They are complex unless A and all eigenvalues are real. As for `eigh`, the order and the signs (phases) are NumPy's
    choice, and where eigenvalues tie, what reaches A through the eigenvectors is NaN.

    >>> mg.eig(np.array([[0.0, 1.0], [-1.0, 0.0]])).eigenvalues
    array([0.+1.j, 0.-1.j])
    """
    a = _square("eig", a)
    parts = np.linalg.eig(array_of(a))
    return _result_of(np.linalg.eig)(_any_eigenvalues(a, parts=parts), _any_eigenvectors(a, parts=parts))


@implements(np.linalg.eigvals)
def eigvals(a: Array) -> Array:
    """The eigenvalues of a square matrix, as `eig` gives them.

    >>> mg.grad(lambda a: np.sum(np.real(mg.eigvals(a))))(np.array([[2.0, 1.0], [0.0, 3.0]])).round(12).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    a = _square("eigvals", a)
    return _any_eigenvalues(a, parts=np.linalg.eig(array_of(a)))


@op(name="eigvals", complex=True)
def _any_eigenvalues(a, *, parts):
    """w with A V = V diag(w): dw = diag(V^-1 dA V), so dJ/dA = V^-T diag(g) V^T."""
    return parts[0]


@_any_eigenvalues.vjp("a")
def _(g, w, a, parts):
    vt = _t(_any_eigenvectors(a, parts=parts))
    return np.linalg.solve(vt, g[..., None] * vt)


@op(name="eig", complex=True)
def _any_eigenvectors(a, *, parts):
    """V with A V = V diag(w): V^-1 dV has the entries M[i,j] = (V^-1 dA V)[i,j] / (w[j] - w[i]), 0 on its diagonal.

    The norm of a column v stays 1, which subtracts v Re(v^H V M) from it. So dJ/dA = V^-T E V^T with
    E[i,j] = (V^T G - conj(V^H V) diag(Re(V^T G)))[i,j] / (w[j] - w[i]).
    """
    return parts[1]


@_any_eigenvectors.vjp("a")
def _(g, v, a, parts):
    w, vt = _any_eigenvalues(a, parts=parts), _t(v)
    k = np.matmul(vt, g)
    along = np.real(sum(np.where(_diagonal(w), k, 0), -2))
    turned = k - np.matmul(vt, conj(v)) * along[..., None, :]
    inner = _quotient(turned, _differences(w), _tied(parts[0]), _diagonal(w))
    return np.linalg.solve(vt, np.matmul(inner, vt))


# ties, and divisions by the differences of what ties


def _differences(x):
    """x[j] - x[i] in row i and column j."""
    return x[..., None, :] - x[..., :, None]


def _sums(x):
    """x[j] + x[i] in row i and column j."""
    return x[..., None, :] + x[..., :, None]


def _diagonal(x):
    return np.eye(x.shape[-1], dtype=bool)


def _rounding(x):
    """What the rounding of a decomposition can add to the values x: smaller differences of them mean nothing."""
    return max(32, x.shape[-1]) * np.finfo(x.dtype).eps * np.max(np.abs(x), axis=-1, keepdims=True, initial=0)


def _tied(x):
    """Whether x[i] and x[j] are equal up to rounding."""
    return np.abs(_differences(x)) <= _rounding(x)[..., None]


def _unused(x, *gradients):
    """Whether no gradient reaches a vector, a column of each: its value is only rounding, and all of the column is 0.

    A column of 0 at an exact 0 says nothing: that of f(A) = V diag(w) V^T is 0 there, because w is.
    """
    # equivalent: <= -> < because a bound on rounding is not met exactly
    faint = (x != 0) & (np.abs(x) <= _rounding(x))
    return faint & ~np.any([np.any(array_of(g) != 0, axis=-2) for g in gradients], axis=0)


def _both(marks):
    """Whether i and j are marked, in row i and column j."""
    return marks[..., None, :] & marks[..., :, None]


def _equal(rise, fixed):
    """Where two weights do not differ, nor could: these give 0 / 0 at a tie, for which 0 is right."""
    return (array_of(rise) == 0) & fixed


def _fixed(g):
    """Whether g is a constant for whoever differentiates further."""
    return not getattr(g, "requires_grad", False)


def _quotient(numerator, denominator, vanishing, nothing):
    """numerator / denominator, but NaN where the denominator is only rounding, and 0 where nothing flows."""
    denominator = np.where(nothing, 1, np.where(vanishing, np.nan, denominator))
    return np.where(nothing, 0, numerator / denominator)


# singular values


@implements(np.linalg.svd)
def svd(
    a: Array, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> SVDResult[Array] | Array:
    """`(U, s, V^H)` with A = U diag(s) V^H; or s alone, with compute_uv=False.

    hermitian: take A as Hermitian, and read its lower triangle only, as `eigh` does.

    The signs (phases) of the vectors are NumPy's choice, as for `eigh`. What reaches A through U and V is NaN where
    singular values tie, and where one is 0 and A is not square. (A value that is 0 up to rounding does no harm as long
    as its vectors are not used.)
    Raises ValueError for full_matrices=True unless A is square: the added columns of U or V are arbitrary.

    >>> mg.grad(lambda a: mg.svd(a, full_matrices=False).S[0])(np.diag([3.0, 1.0])).round(12).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    a = arraylike(a)
    if a.ndim < 2:
        raise ValueError(f"svd: a must be a matrix, or a stack of them, not {a.shape}")
    if hermitian:
        return _svd_by_eigh(a, compute_uv)
    m, n = a.shape[-2:]
    if compute_uv and full_matrices and m != n:
        raise ValueError(f"svd: pass full_matrices=False for a matrix of {m} x {n}: the added columns are arbitrary")
    parts = np.linalg.svd(array_of(a), full_matrices=False)
    s = _singular_values(a, parts=parts)
    if not compute_uv:
        return s
    vectors = _singular_vectors(a, parts=parts)
    return _result_of(np.linalg.svd)(vectors[..., :m, :], s, _h(vectors[..., m:, :]))


def _svd_by_eigh(a, compute_uv):
    """Of a Hermitian matrix: singular values are the absolute eigenvalues, and their signs go to V."""
    w, u = np.linalg.eigh(a) if compute_uv else (np.linalg.eigvalsh(a), None)
    order = np.argsort(np.abs(array_of(w)))[..., ::-1]
    w = take_along_axis(w, order)
    if not compute_uv:
        return np.abs(w)
    u = take_along_axis(u, order[..., None, :])
    return _result_of(np.linalg.svd)(u, np.abs(w), _h(u * np.sign(w)[..., None, :]))


@implements(np.linalg.svdvals)
def svdvals(x: Array) -> Array:
    """The singular values of a matrix, descending.

    Their sums have first and second derivatives where singular values tie, too, as for `eigvalsh`.

    >>> mg.grad(lambda a: np.sum(mg.ops.svdvals(a)))(np.diag([2.0, 2.0, 1.0])).tolist() == np.eye(3).tolist()
    True
    """
    return svd(x, compute_uv=False)


@op(name="svdvals", complex=True)
def _singular_values(a, *, parts):
    """s with A = U diag(s) V^H: ds = Re diag(U^H dA V), so dJ/dA = conj(U diag(g) V^H)."""
    return parts[1]


@_singular_values.vjp("a")
def _(g, s, a, parts):
    return _recombined(g, a, parts=parts, fixed=_fixed(g))


@op(name="svd", complex=True)
def _singular_vectors(a, *, parts):
    """U (..., m, k), and V (..., n, k) below it.

    With B = U^T GU, C = V^T GV, P = B - B^H and Q = C - C^H (Giles, and J. Townsend, "Differentiating the
    singular value decomposition", 2016, whose quotients by s[j]**2 - s[i]**2 are taken apart here):
    dJ/dA = conj(U) E V^T + (GU - conj(U) B) diag(1/s) V^T + conj(U) diag(1/s) (GV - conj(V) C)^H,
    E[i,j] = (P + Q)[i,j] / 2 (s[j] - s[i]) + (P - Q)[i,j] / 2 (s[j] + s[i]), on the diagonal the second term alone,
    which is 0 for real matrices. The last two terms of dJ/dA vanish for a square U (V).
    """
    u, _, vt = parts
    return np.concatenate([u, _h(vt)], axis=-2)


@_singular_vectors.vjp("a")
def _(g, out, a, parts):
    m, n = a.shape[-2:]
    s, u, v = _singular_values(a, parts=parts), out[..., :m, :], out[..., m:, :]
    gu, gv = g[..., :m, :], g[..., m:, :]
    of_u, of_v = np.matmul(_t(u), gu), np.matmul(_t(v), gv)
    p, q = of_u - _h(of_u), of_v - _h(of_v)
    tied, zero = _tied(parts[1]), _both_zero(parts[1])
    unused = _unused(parts[1], gu, gv)
    by_differences = _quotient((p + q) / 2, _differences(s), tied, tied & _both(unused) | _diagonal(s))
    by_sums = _quotient((p - q) / 2, _sums(s), zero, zero & _both(unused) | _vanishing(a))
    uc, vc = conj(u), conj(v)
    da = np.matmul(np.matmul(uc, by_differences + by_sums), _t(v))
    if m > n:
        da = da + np.matmul(_over_values(gu - np.matmul(uc, of_u), s, unused), _t(v))
    if n > m:
        da = da + np.matmul(uc, _h(_over_values(gv - np.matmul(vc, of_v), s, unused)))
    return da


def _vanishing(a):
    """Where an antisymmetric matrix of A's dtype has zeros: on its diagonal, unless it is complex."""
    k = min(a.shape[-2:])
    return np.eye(k, dtype=bool) & (a.dtype.kind != "c")


def _both_zero(s):
    """Whether s[i] + s[j] is 0 up to rounding."""
    return _sums(s) <= _rounding(s)[..., None]


def _over_values(columns, s, unused):
    """Each column divided by its singular value."""
    zero = array_of(s) <= _rounding(array_of(s))
    return _quotient(columns, s[..., None, :], zero[..., None, :], unused[..., None, :])


@op(name="singular_value_gradient", complex=True)
def _recombined(g, a, *, parts, fixed):
    """C = conj(U diag(g) V^H), the gradient of a sum of singular values s with the weights g. fixed: g is not A's.

    For a fixed g the differential is, with M = U^H dA V, its Hermitian part S and its anti-Hermitian part K:
    conj(dC) = U E V^H + (1 - U U^H) dA V diag(g/s) V^H + U diag(g/s) U^H dA (1 - V V^H),
    E[i,j] = S[i,j] (g[j] - g[i]) / (s[j] - s[i]) + K[i,j] (g[j] + g[i]) / (s[j] + s[i]).
    It is its own adjoint, as the second derivative of a function is. dJ/dg = diag(U^H H V),
    with H the upstream gradient.
    """
    u, _, vt = parts
    return np.matmul(conj(u) * g[..., None, :], conj(vt))


def _vectors(a, parts):
    """U and V."""
    out = _singular_vectors(a, parts=parts)
    return out[..., : a.shape[-2], :], out[..., a.shape[-2] :, :]


@_recombined.vjp("g")
def _(h, c, g, a, parts, fixed):
    u, v = _vectors(a, parts)
    return sum(conj(u) * np.matmul(h, v), -2)


@_recombined.vjp("a")
def _(h, c, g, a, parts, fixed):
    m, n = a.shape[-2:]
    (u, v), s = _vectors(a, parts), _singular_values(a, parts=parts)
    to_u, to_v = np.matmul(h, v), np.matmul(_h(h), u)
    inner = np.matmul(_h(u), to_u)
    rise, total = _differences(g), _sums(g)
    tied, zero, diagonal = _tied(parts[1]), _both_zero(parts[1]), _diagonal(s)
    by_differences = _quotient(rise, _differences(s), tied, _equal(rise, fixed) | diagonal)
    by_sums = _quotient(total, _sums(s), zero, _equal(total, fixed) | _vanishing(a))
    core = (inner + _h(inner)) / 2 * by_differences + (inner - _h(inner)) / 2 * by_sums
    da = np.matmul(np.matmul(u, core), _h(v))
    if m != n:
        vanishing = parts[1] <= _rounding(parts[1])
        ratio = _quotient(g, s, vanishing, _equal(g, fixed))[..., None, :]
    if m > n:
        da = da + np.matmul((to_u - np.matmul(u, inner)) * ratio, _h(v))
    if n > m:
        da = da + np.matmul(u * ratio, _h(to_v - np.matmul(v, _h(inner))))
    return conj(da)
