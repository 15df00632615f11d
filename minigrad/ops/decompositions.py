"""Solving and decomposing matrices: inv, solve, det, slogdet, cholesky, eigh, svd.

All take stacks of matrices in the last two axes. References: M. Giles, "Collected matrix
derivative results for forward and reverse mode algorithmic differentiation", 2008.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..operation import implements, op
from ..typing import Array, EighResult, SlogdetResult, SVDResult

__all__ = ["inv", "solve", "det", "log_abs_det", "slogdet", "cholesky", "eigh", "eigvalsh", "svd"]


@lru_cache
def _result_of(function):
    """The named tuple of a function's results, which NumPy hands out but does not name in public."""
    return type(function(np.eye(1)))


def _t(a):
    """The transpose of each matrix."""
    return np.swapaxes(a, -1, -2)


@implements(np.linalg.inv)
@op
def inv(a: Array) -> Array:
    """C = A**-1: dC = -C dA C, so dJ/dA = -C^T G C^T. Raises LinAlgError if A is singular."""
    return np.linalg.inv(a)


@inv.vjp("a")
def _(g, c, a):
    return -np.matmul(np.matmul(_t(c), g), _t(c))


@implements(np.linalg.solve)
@op
def solve(a: Array, b: Array) -> Array:
    """X with A X = B; b is a vector if it has one axis, else a stack of matrices.

    A dX = dB - dA X, so dJ/dB = A^-T G and dJ/dA = -(dJ/dB) X^T. Raises LinAlgError if A is singular.
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
@op
def det(a: Array) -> Array:
    """C = det A: dC = C tr(A^-1 dA), so dJ/dA = g C A^-T. The VJP raises LinAlgError if A is singular."""
    return np.linalg.det(a)


@det.vjp("a")
def _(g, c, a):
    return (g * c)[..., None, None] * _t(np.linalg.inv(a))


@op
def log_abs_det(a: Array) -> Array:
    """C = ln |det A|: dJ/dA = g A^-T, as for det."""
    return np.linalg.slogdet(a)[1]


@log_abs_det.vjp("a")
def _(g, c, a):
    return g[..., None, None] * _t(np.linalg.inv(a))


@implements(np.linalg.slogdet)
def slogdet(a: Array) -> SlogdetResult[Array]:
    """`(sign of det A, ln |det A|)`."""
    return _result_of(np.linalg.slogdet)(_sign_det(a), log_abs_det(a))


@op(name="sign_det")
def _sign_det(a):
    """The sign of det A, piecewise constant: derivative 0."""
    return np.linalg.slogdet(a)[0]


@_sign_det.vjp("a")
def _(g, c, a):
    return g[..., None, None] * np.zeros_like(a)


@implements(np.linalg.cholesky)
@op
def cholesky(a: Array) -> Array:
    """The lower triangular L with L L^T = A, for a symmetric positive definite A.

    L^-1 dA L^-T = L^-1 dL + (L^-1 dL)^T, so L^-1 dL is its lower half, the diagonal halved: P(.).
    Hence dJ/dA = L^-T P(L^T G) L^-1, made symmetric as A is. Raises LinAlgError if A is not positive definite.
    """
    return np.linalg.cholesky(a)


@cholesky.vjp("a")
def _(g, l, a):
    p = np.matmul(_t(l), g)
    half = (np.tril(p) + np.tril(p, -1)) / 2
    s = np.linalg.solve(_t(l), _t(np.linalg.solve(_t(l), half)))  # transposed, which the next line doesn't see
    return (s + _t(s)) / 2


def _over_differences(numerator, x):
    """numerator[i, j] / (x[j] - x[i]); 0 on the diagonal, and where x ties and nothing flows."""
    difference = x[..., None, :] - x[..., :, None]
    tie = (difference == 0) & (numerator == 0) | np.eye(x.shape[-1], dtype=bool)
    return np.where(tie, 0, numerator / np.where(tie, 1, difference))


@op
def _eigh(a, uplo):
    """Eigenvalues w in the first row and eigenvectors, as columns V, below: one array, (..., n + 1, n).

    dA V = V dW + (dV) W - V W V^T dV with V^T dV antisymmetric gives dw = diag(V^T dA V) and
    (V^T dV)_ij = (V^T dA V)_ij / (w_j - w_i). Hence dJ/dA = V (diag(gw) + (V^T GV)_ij / (w_j - w_i)) V^T,
    made symmetric as A is. The directions of equal eigenvalues are not differentiable: inf where a
    gradient reaches them.
    """
    w, v = np.linalg.eigh(a, uplo)
    return np.concatenate([w[..., None, :], v], axis=-2)


@_eigh.vjp("a")
def _(g, out, a, uplo):
    w, v = out[..., 0, :], out[..., 1:, :]
    gw, gv = g[..., :1, :], g[..., 1:, :]
    inner = np.where(np.eye(w.shape[-1]), gw, _over_differences(np.matmul(_t(v), gv), w))
    da = np.matmul(np.matmul(v, inner), _t(v))
    return (da + _t(da)) / 2


@implements(np.linalg.eigh)
def eigh(a: Array, UPLO: str = "L") -> EighResult[Array]:
    """`(eigenvalues, eigenvectors)` of a symmetric matrix, ascending. Its gradient is symmetric, too.

    The sign of each eigenvector is NumPy's choice: a function that depends on it has no derivative.
    """
    packed = _eigh(a, UPLO)
    return _result_of(np.linalg.eigh)(packed[..., 0, :], packed[..., 1:, :])


@implements(np.linalg.eigvalsh)
def eigvalsh(a: Array, UPLO: str = "L") -> Array:
    """The eigenvalues of a symmetric matrix, ascending."""
    return eigh(a, UPLO)[0]


@op(name="svd")
def _svd(a):
    """U (..., m, k), the singular values s as one row, and V (..., n, k) below one another.

    With F(X)_ij = X_ij / (s_j**2 - s_i**2), D = diag(s), and A = U D V^T (Giles, and J. Townsend,
    "Differentiating the singular value decomposition", 2016):
    dJ/dA = U (F(U^T GU - GU^T U) D + D F(V^T GV - GV^T V) + diag(gs)) V^T
            + (1 - U U^T) GU D^-1 V^T + U D^-1 GV^T (1 - V V^T)
    The last two terms vanish for a square U (V). Equal singular values: as for eigh.
    """
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    return np.concatenate([u, s[..., None, :], _t(vt)], axis=-2)


@_svd.vjp("a")
def _(g, out, a):
    m, n = a.shape[-2:]
    k = min(m, n)
    u, s, v = out[..., :m, :], out[..., m, :], out[..., m + 1 :, :]
    gu, gs, gv = g[..., :m, :], g[..., m, :], g[..., m + 1 :, :]
    of_u, of_v = np.matmul(_t(u), gu), np.matmul(_t(v), gv)
    d = s[..., None, :]
    off_diagonal = _over_differences(of_u - _t(of_u), s * s) * d + _t(d) * _over_differences(of_v - _t(of_v), s * s)
    inner = np.where(np.eye(k), gs[..., None, :], off_diagonal)
    da = np.matmul(np.matmul(u, inner), _t(v))
    if m > k:
        da = da + np.matmul(_over(gu - np.matmul(u, of_u), d), _t(v))
    if n > k:
        da = da + np.matmul(u, _t(_over(gv - np.matmul(v, of_v), d)))
    return da


def _over(numerator, d):
    """numerator / d, but 0 for 0 / 0: what does not depend on the vectors of a singular value 0 has a derivative."""
    absent = (numerator == 0) & (d == 0)
    return np.where(absent, 0, numerator / np.where(absent, 1, d))


@implements(np.linalg.svd)
def svd(a: Array, full_matrices: bool = True, compute_uv: bool = True) -> SVDResult[Array] | Array:
    """`(U, s, V^T)` with A = U diag(s) V^T; or s alone, with compute_uv=False.

    Raises ValueError for full_matrices=True unless A is square: the added columns of U or V are arbitrary.
    """
    m, n = np.shape(a)[-2:]
    if compute_uv and full_matrices and m != n:
        raise ValueError(f"svd: pass full_matrices=False for a matrix of {m} x {n}: the added columns are arbitrary")
    packed = _svd(a)
    s = packed[..., m, :]
    if not compute_uv:
        return s
    return _result_of(np.linalg.svd)(packed[..., :m, :], s, _t(packed[..., m + 1 :, :]))
