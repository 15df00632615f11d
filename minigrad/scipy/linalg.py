"""Functions of matrices, with scipy.linalg's names and signatures, of Tensors and arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg as sl

from ..errors import named
from ..operation import arraylike, op
from ..ops import block, solve, tril, triu
from ..ops.complex_numbers import conj
from ..typing import Array

__all__ = ["block_diag", "cho_solve", "expm", "solve_banded", "solve_sylvester", "solve_triangular", "sqrtm"]


@named
def solve_triangular(
    a: Array,
    b: Array,
    trans: Any = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Array:
    """X with A X = B, where A is the lower (or upper) triangle of a.

    trans: 1 or "T" solves with its transpose, 2 or "C" with its conjugate transpose.
    `overwrite_b` and `check_finite` change nothing. Raises ValueError for another trans.

    >>> mg.scipy.linalg.solve_triangular(np.array([[2.0, 0.0], [1.0, 1.0]]), np.array([2.0, 3.0]), lower=True)
    array([1., 2.])
    """
    if trans not in (0, "N", 1, "T", 2, "C"):
        raise ValueError(f"solve_triangular: trans must be 0, 1, 2, 'N', 'T' or 'C', not {trans!r}")
    a = tril(a) if lower else triu(a)
    if unit_diagonal:
        *_, n = a.shape
        a = np.where(np.eye(n), 1, a)
    if trans in (2, "C"):
        a = conj(arraylike(a))
    return solve(a if trans in (0, "N") else np.swapaxes(a, -1, -2), b)


@named
def cho_solve(c_and_lower: tuple[Array, bool], b: Array, overwrite_b: bool = False, check_finite: bool = True) -> Array:
    """X with A X = B, from the Cholesky factor of A and whether it is the lower one.

    `overwrite_b` and `check_finite` change nothing.

    >>> mg.scipy.linalg.cho_solve((np.array([[2.0]]), True), np.array([8.0]))
    array([2.])
    """
    c, lower = c_and_lower
    first = solve_triangular(c, b, trans=0 if lower else 2, lower=lower)
    return solve_triangular(c, first, trans=2 if lower else 0, lower=lower)


@named
def block_diag(*arrs: Array) -> Array:
    """The matrix with the given matrices along its diagonal, or stacks of such; of none, one of shape (1, 0).

    >>> mg.scipy.linalg.block_diag(np.eye(1), np.ones((1, 2)))
    array([[1., 0., 0.],
           [0., 1., 1.]])
    """
    parts = [np.atleast_2d(a) for a in arrs or ([],)]
    stack = np.broadcast_shapes(*[part.shape[:-2] for part in parts])
    parts = [np.broadcast_to(part, stack + part.shape[-2:]) for part in parts]
    rows = [
        [part if i == j else np.zeros((*part.shape[:-1], other.shape[-1]), part.dtype) for j, other in enumerate(parts)]
        for i, part in enumerate(parts)
    ]
    return block(rows)


def _native(a):
    """A matrix in the machine's byte order: some of SciPy's functions take the bytes of another one as they are."""
    return a.astype(a.dtype.newbyteorder("="))


@op(complex=True)
def expm(A: Array) -> Array:
    """C = e**A: dJ/dA is the upper right block of the exponential of [[A^T, G], [0, A^T]].

    Source: C. Van Loan, "Computing integrals involving the matrix exponential", 1978.

    >>> mg.scipy.linalg.expm(np.zeros((2, 2)))
    array([[1., 0.],
           [0., 1.]])
    """
    return sl.expm(_native(A))


@expm.vjp("A")
def _(g, c, a):
    (*_, n), at = a.shape, np.swapaxes(a, -1, -2)
    upper = np.concatenate([at, g], axis=-1)
    lower = np.concatenate([np.zeros_like(a), at], axis=-1)
    return expm(np.concatenate([upper, lower], axis=-2))[..., :n, n:]


@op(complex=True)
def solve_sylvester(a: Array, b: Array, q: Array) -> Array:
    """X with A X + X B = Q. With S, where A^T S + S B^T = dJ/dX: dJ/dA = -S X^T, dJ/dB = -X^T S, dJ/dQ = S.

    >>> mg.scipy.linalg.solve_sylvester(np.array([[1.0]]), np.array([[2.0]]), np.array([[6.0]]))
    array([[2.]])
    """
    dtype = np.result_type(a, b, q)  # of real matrices beside complex ones SciPy makes something else
    return sl.solve_sylvester(*[x.astype(dtype) for x in (a, b, q)])


def _adjoint(a, b, g):
    return solve_sylvester(np.swapaxes(a, -1, -2), np.swapaxes(b, -1, -2), g)


solve_sylvester.vjp("a", lambda g, x, a, b, q: -_adjoint(a, b, g) @ np.swapaxes(x, -1, -2))
solve_sylvester.vjp("b", lambda g, x, a, b, q: -np.swapaxes(x, -1, -2) @ _adjoint(a, b, g))
solve_sylvester.vjp("q", lambda g, x, a, b, q: _adjoint(a, b, g))


@op(complex=True)
def sqrtm(A: Array) -> Array:
    """C with C C = A, complex where a real A has no real root. dA = dC C + C dC, so dJ/dA = S with C^T S + S C^T = G.

    >>> mg.scipy.linalg.sqrtm(np.array([[4.0, 0.0], [0.0, 9.0]]))
    array([[2., 0.],
           [0., 3.]])
    """
    return sl.sqrtm(_native(A))


sqrtm.vjp("A", lambda g, c, a: _adjoint(c, c, g))


@named
def solve_banded(
    l_and_u: tuple[int, int],
    ab: Array,
    b: Array,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Array:
    """X with A X = B, where A[i, j] is ab[u + i - j, j], and 0 below the l-th and above the u-th diagonal.

    ab: (l + u + 1, n); b: (n,) or (n, k). `overwrite_ab`, `overwrite_b` and `check_finite` change nothing.
    Raises ValueError for other shapes.

    >>> mg.scipy.linalg.solve_banded((0, 1), np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([3.0, 2.0]))
    array([1., 2.])
    """
    if np.ndim(ab) != 2 or np.ndim(b) not in (1, 2):
        raise ValueError(f"solve_banded: ab must have 2 axes and b 1 or 2, not {np.shape(ab)} and {np.shape(b)}")
    return _solve_banded(ab, b, l=l_and_u[0], u=l_and_u[1])


@op(name="solve_banded", complex=True)
def _solve_banded(ab, b, *, l, u):
    return sl.solve_banded((l, u), ab, b)


@_solve_banded.vjp("ab")
def _(g, x, ab, b, *, l, u):
    """dJ/dA = -S X^T, of which ab holds the bands."""
    rows, inside = _rows_of_bands(l, u, arraylike(x).shape[0])
    products = _solve_transposed(g, ab, l, u)[rows] * x
    products = products if products.ndim == 2 else np.sum(products, axis=-1)
    return np.where(inside, -products, 0)


@_solve_banded.vjp("b")
def _(g, x, ab, b, *, l, u):
    return _solve_transposed(g, ab, l, u)


def _solve_transposed(g, ab, l, u):
    """S with A^T S = G."""
    columns, inside = _rows_of_bands(u, l, arraylike(ab).shape[1])
    # equivalent: 0 -> any number because nothing outside of the matrix is read
    transposed = np.where(inside, ab[np.arange(l + u, -1, -1)[:, None], columns], 0)
    return _solve_banded(transposed, g, l=u, u=l)


def _rows_of_bands(l, u, n):
    """The row of A in which each entry of ab stands, and whether it stands in one."""
    rows = np.arange(-u, l + 1)[:, None] + np.arange(n)
    # equivalent: rows, 0, n - 1 -> 0, rows, n - 1 because the middle one of three is taken
    return np.clip(rows, 0, n - 1), (rows >= 0) & (rows < n)


def __getattr__(name):
    """Any other function is SciPy's own."""
    return getattr(sl, name)
