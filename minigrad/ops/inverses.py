"""Inverses and determinants of matrices: inv, solve, det, slogdet.

All take stacks of matrices in the last two axes. Reference: M. Giles, "Collected matrix
derivative results for forward and reverse mode algorithmic differentiation", 2008.
"""

from __future__ import annotations

import numpy as np

from ..operation import array_of, op
from ..stand_ins import implements
from ..typing import Array, SlogdetResult
from .casting import astype
from .complex_numbers import conj, squared
from .indexing import scatter
from .matrices import H, T, result_of
from .reductions import products_of_others, sum
from .singular_values import svd

__all__ = ["inv", "solve", "det", "log_abs_det", "slogdet"]


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
    return -np.matmul(np.matmul(T(c), g), T(c))


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


@solve.vjp("a")
def _(g, x, a, b):
    return -np.matmul(_solve_transposed(g, a, b), x[..., None, :] if b.ndim == 1 else T(x))


@solve.vjp("b")
def _(g, x, a, b):
    db = _solve_transposed(g, a, b)
    return db[..., 0] if b.ndim == 1 else db


def _solve_transposed(g, a, b):
    """A^-T G, a column for each of G's."""
    return np.linalg.solve(T(a), g[..., None] if b.ndim == 1 else g)


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
    finite = _finite(a)
    if a.shape[-1] in (2, 3):
        return g[..., None, None] * np.where(finite, _small_cofactors(a), np.nan)
    wide = astype(a, np.result_type(a.dtype, np.float64))
    # equivalent: without c if wide.dtype == a.dtype else because it is computed again
    c = (c if wide.dtype == a.dtype else np.linalg.det(wide))[..., None, None]
    # equivalent: array_of(c) -> c because a comparison has no derivative
    regular = finite & (array_of(c) != 0)
    inverse = np.linalg.inv(np.where(regular, wide, np.eye(a.shape[-1])))
    # equivalent: array_of(wide) -> wide; array_of(inverse) -> inverse; array_of(wide), array_of(inverse) ->
    # array_of(inverse), array_of(wide) because a comparison has no derivative, and both count alike
    regular &= _well_conditioned(array_of(wide), array_of(inverse))
    cofactors, others = c * T(inverse), ~regular[..., 0, 0]
    if np.any(others):
        cofactors = np.where(regular, cofactors, scatter(_cofactors(wide[others]), others, a.shape))
    return g[..., None, None] * cofactors


def _small_cofactors(a):
    """The cofactors of matrices of 2 or 3 rows: the other entries, or the cross products of the other rows."""
    if a.shape[-1] == 2:
        return a[..., ::-1, ::-1] * np.array([[1, -1], [-1, 1]], a.dtype)
    return np.cross(a[..., [1, 2, 0], :], a[..., [2, 0, 1], :])


# equivalent: any change because cofactors, which are taken more often then, serve all matrices
def _well_conditioned(a, inverse):
    """For which matrices products with A^-1, and with its square for the second derivative, are precise."""
    condition = sum(squared(a), (-2, -1), keepdims=True) * sum(squared(inverse), (-2, -1), keepdims=True)  # squared
    return condition < np.finfo(a.dtype).eps ** (-2 / 3)


@op(name="cofactors", complex=True)
def _cofactors(a):
    """C = det(U) det(V^H) conj(U diag(p) V^H) for A = U S V^H, with p[i] the product of all singular values but s[i].

    For A = S the minors of two rows and two columns give dC[i,i]/dA[j,j] = q[i,j] and dC[i,j]/dA[j,i] = -q[i,j],
    with q[i,j] the product of all singular values but s[i] and s[j]; the rest is 0. U and V only turn this.
    """
    finite = _finite(a)
    # equivalent: 0 -> any number because what comes of it is replaced
    u, s, vt = np.linalg.svd(np.where(finite, a, 0))
    cofactors = _orientation(u, vt) * conj(np.matmul(u * products_of_others(s)[..., None, :], vt))
    return np.where(finite, cofactors, np.nan)


def _finite(a):
    """Which matrices have neither NaN nor infinities, with which LAPACK's decomposition may never end."""
    # equivalent: any factor because only its truth counts
    return np.isfinite(a).all((-2, -1), keepdims=True)


@_cofactors.vjp("a")
def _(g, c, a):
    finite = _finite(a)
    u, s, vt = svd(np.where(finite, a, 0))  # equivalent: 0 -> any number because what comes of it is replaced
    m = np.matmul(np.matmul(H(u), g), H(vt))
    diagonal = np.eye(s.shape[-1])
    q = np.where(diagonal, 0, products_of_others(np.where(diagonal, 1, s[..., None, :])))
    # equivalent: 0), -2 -> 0), -1 because a diagonal matrix has the same sums over rows and columns
    minors = sum(q * sum(np.where(diagonal, m, 0), -2)[..., None, :], -1)
    inner = np.where(diagonal, minors[..., None, :], -q * T(m))
    return np.where(finite, _orientation(u, vt) * np.matmul(np.matmul(conj(u), inner), conj(vt)), np.nan)


def _orientation(u, vt):
    """det(U) det(V^H) of unitary matrices, a number of modulus 1, for each of a stack."""
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
    return g[..., None, None] * T(inverse)


@implements(np.linalg.slogdet)
def slogdet(a: Array) -> SlogdetResult[Array]:
    """`(sign of det A, ln |det A|)`; a singular A raises LinAlgError where it is differentiated.

    The second has the derivative A^-T. The sign of a real matrix is constant; of a complex one it is det A / |det A|.

    >>> mg.grad(lambda a: mg.slogdet(a).logabsdet)(np.diag([2.0, 4.0])).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    return result_of(np.linalg.slogdet)(_sign_det(a), log_abs_det(a))


@op(name="sign_det", complex=True)
def _sign_det(a):
    """C = the sign of det A, of a real A piecewise constant; else dC = i C Im tr(A^-1 dA): dJ/dA = i Im(g C) A^-T."""
    return np.linalg.slogdet(a)[0]


@_sign_det.vjp("a")
def _(g, c, a):
    if a.dtype.kind == "c":
        return (np.imag(g * c) * 1j)[..., None, None] * T(np.linalg.inv(a))
    return g[..., None, None] * np.zeros_like(a)  # equivalent: any change because 0, or NaN, times anything is that
