"""Functions of matrices, with scipy.linalg's names and signatures, of Tensors and arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg as sl

from ..operation import arraylike, op
from ..ops import block, solve, tril, triu
from ..ops.complex_numbers import conj
from ..typing import Array

__all__ = ["block_diag", "cho_solve", "expm", "solve_triangular", "sqrtm"]


def solve_triangular(
    a: Array, b: Array, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False, **options: Any
) -> Array:
    """X with A X = B, where A is the lower (or upper) triangle of a.

    trans: 1 or "T" solves with its transpose, 2 or "C" with its conjugate transpose.

    >>> mg.scipy.linalg.solve_triangular(np.array([[2.0, 0.0], [1.0, 1.0]]), np.array([2.0, 3.0]), lower=True)
    array([1., 2.])
    """
    a = tril(a) if lower else triu(a)
    if unit_diagonal:
        a = np.where(np.eye(a.shape[-1], dtype=bool), 1, a)
    if trans in (2, "C"):
        a = conj(arraylike(a))
    return solve(a if trans in (0, "N") else np.swapaxes(a, -1, -2), b)


def cho_solve(c_and_lower: tuple[Array, bool], b: Array, **options: Any) -> Array:
    """X with A X = B, from the Cholesky factor of A and whether it is the lower one.

    >>> mg.scipy.linalg.cho_solve((np.array([[2.0]]), True), np.array([8.0]))
    array([2.])
    """
    c, lower = c_and_lower
    first = solve_triangular(c, b, trans=0 if lower else 2, lower=lower)
    return solve_triangular(c, first, trans=2 if lower else 0, lower=lower)


def block_diag(*arrs: Array) -> Array:
    """The matrix with the given matrices along its diagonal.

    >>> mg.scipy.linalg.block_diag(np.eye(1), np.ones((1, 2)))
    array([[1., 0., 0.],
           [0., 1., 1.]])
    """
    parts = [np.atleast_2d(a) for a in arrs]
    rows = [
        [part if i == j else np.zeros((part.shape[0], other.shape[1])) for j, other in enumerate(parts)]
        for i, part in enumerate(parts)
    ]
    return block(rows)


@op(complex=True)
def expm(A: Array) -> Array:
    """C = e**A: dJ/dA is the upper right block of the exponential of [[A^T, G], [0, A^T]].

    Source: C. Van Loan, "Computing integrals involving the matrix exponential", 1978.

    >>> mg.scipy.linalg.expm(np.zeros((2, 2)))
    array([[1., 0.],
           [0., 1.]])
    """
    return sl.expm(A)


@expm.vjp("A")
def _(g, c, a):
    n, at = a.shape[-1], np.swapaxes(a, -1, -2)
    upper = np.concatenate([at, g], axis=-1)
    lower = np.concatenate([np.zeros_like(a), at], axis=-1)
    return expm(np.concatenate([upper, lower], axis=-2))[..., :n, n:]


@op(complex=True)
def sqrtm(A: Array) -> Array:
    """C with C C = A, real for a real A. dA = dC C + C dC, so dJ/dA = S with C^T S + S C^T = G, a linear system.

    >>> mg.scipy.linalg.sqrtm(np.array([[4.0, 0.0], [0.0, 9.0]]))
    array([[2., 0.],
           [0., 3.]])
    """
    root = sl.sqrtm(A)
    if np.iscomplexobj(root) and not np.iscomplexobj(A):
        raise ValueError("sqrtm: the matrix has no real square root")
    return root


@sqrtm.vjp("A")
def _(g, c, a):
    n = arraylike(a).shape[-1]
    eye, ct = np.eye(n), np.swapaxes(c, -1, -2)
    system = np.kron(ct, eye) + np.kron(eye, c)  # of the entries of S in row-major order
    return np.reshape(solve(system, np.reshape(g, (n * n,))), (n, n))


def __getattr__(name):
    """Any other function is SciPy's own."""
    return getattr(sl, name)
