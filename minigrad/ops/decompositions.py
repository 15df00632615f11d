"""Decomposing square matrices: cholesky, eigh, eig.

All take stacks of matrices in the last two axes. Reference: M. Giles, as in `inverses`.
Where eigenvalues tie, their vectors are not determined, and what reaches the matrix through them is NaN.
Eigenvalues alone are ops of their own, because their sums have derivatives at ties too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..operation import array_of, op
from ..stand_ins import implements
from ..typing import Array, EighResult
from . import ties
from .complex_numbers import conj
from .matrices import H, T, result_of, square_matrix
from .reductions import sum

__all__ = ["cholesky", "eigh", "eigvalsh", "eig", "eigvals"]


# symmetric (Hermitian) matrices, of which NumPy reads one triangle


def _to_triangle(s, uplo):
    """The gradient with respect to the triangle that was read, from that with respect to all entries.

    An entry off the diagonal stands for two of the symmetric matrix, so it gets the sum of both. Those of a
    Hermitian one are conjugates, and its diagonal is real.
    """
    n = s.shape[-1]  # equivalent: -1 -> -2 because the matrices are square
    read = np.tri(n, k=-1)
    read = read if uplo == "L" else read.T
    return np.where(read, s + H(s), np.where(np.eye(n), np.real(s), 0))


@implements(np.linalg.cholesky)
def cholesky(a: Array, *, upper: bool = False) -> Array:
    """The lower triangular L with L L^H = A, for a Hermitian positive definite A; its L^H for upper=True.

    Reads one triangle of A, the lower one (upper=True: the upper one). The gradient goes to that triangle.
    Raises LinAlgError if A is not positive definite.

    >>> mg.grad(lambda a: np.sum(mg.cholesky(a)))(np.eye(2)).tolist()
    [[0.5, 0.0], [1.0, 0.5]]
    """
    a = square_matrix("cholesky", a)
    return H(_cholesky(H(a))) if upper else _cholesky(a)


@op(name="cholesky", complex=True)
def _cholesky(a):
    """L^-1 dA L^-H = L^-1 dL + (L^-1 dL)^H, so L^-1 dL is the lower half of this, with half of the diagonal: P(.).

    Hence dJ/dA = L^-T P(L^T G) conj(L)^-1, summed into the lower triangle.
    """
    return np.linalg.cholesky(a)


@_cholesky.vjp("a")
def _(g, l, a):
    p = np.matmul(T(l), g)
    half = (np.tril(p) + np.tril(p, -1)) / 2
    s = T(np.linalg.solve(H(l), T(np.linalg.solve(T(l), half))))
    return _to_triangle((s + H(s)) / 2, "L")


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
    return result_of(np.linalg.eigh)(_eigenvalues(a, **options), _eigenvectors(a, **options))


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
    a = square_matrix(name, a)
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
    return _to_triangle(_combined(g, a, parts=parts, uplo=uplo, fixed=ties.fixed(g)), uplo)


@op(name="eigh", complex=True)
def _eigenvectors(a, *, parts, uplo):
    """V with A = V diag(w) V^H: V^H dV has the entries (V^H dA V)[i,j] / (w[j] - w[i]), and 0 on its diagonal.

    So dJ/dA = conj(V) E V^T with E[i,j] = (V^T G)[i,j] / (w[j] - w[i]) and 0 on the diagonal.
    """
    return parts[1]


@_eigenvectors.vjp("a")
def _(g, v, a, parts, uplo):
    w = _eigenvalues(a, parts=parts, uplo=uplo)
    tied = ties.tied(parts[0])
    # equivalent: without tied & because two values that are only rounding are tied
    inner = ties.quotient(
        np.matmul(T(v), g), ties.differences(w), tied, tied & ties.both(ties.unused(parts[0], g)) | ties.on_diagonal(w)
    )
    return _to_triangle(np.matmul(np.matmul(conj(v), inner), T(v)), uplo)


@op(name="eigenvalue_gradient", complex=True)
def _combined(g, a, *, parts, uplo, fixed):
    """C = conj(V diag(g) V^H), the gradient of a sum of eigenvalues w with the weights g. fixed: g is independent of A.

    For a fixed g: V^H conj(dC) V = (V^H dA V)[i,j] (g[j] - g[i]) / (w[j] - w[i]), entry by entry; and 0 where the
    weights are equal, also at a tie. This map is its own adjoint. dJ/dg = diag(V^H H V), with H the upstream gradient.
    """
    v = parts[1]
    return np.matmul(conj(v) * g[..., None, :], T(v))


@_combined.vjp("g")
def _(h, c, g, a, parts, uplo, fixed):
    v = _eigenvectors(a, parts=parts, uplo=uplo)
    return sum(conj(v) * np.matmul(h, v), -2)


@_combined.vjp("a")
def _(h, c, g, a, parts, uplo, fixed):
    w, v = _eigenvalues(a, parts=parts, uplo=uplo), _eigenvectors(a, parts=parts, uplo=uplo)
    tied, rise = ties.tied(parts[0]), ties.differences(g)
    slopes = ties.quotient(rise, ties.differences(w), tied, ties.equal(rise, fixed) | ties.on_diagonal(w))
    inner = np.matmul(np.matmul(H(v), h), v) * slopes
    return _to_triangle(conj(np.matmul(np.matmul(v, inner), H(v))), uplo)


# matrices of any kind: complex eigenvalues, and vectors that are not orthogonal


@implements(np.linalg.eig)
def eig(a: Array) -> EighResult[Array]:
    """`(eigenvalues, eigenvectors)` of a square matrix; the eigenvectors are columns of norm 1.

    They are complex unless A and all eigenvalues are real. As for `eigh`, the order and the signs (phases) are NumPy's
    choice, and where eigenvalues tie, what reaches A through the eigenvectors is NaN.

    >>> mg.eig(np.array([[0.0, 1.0], [-1.0, 0.0]])).eigenvalues
    array([0.+1.j, 0.-1.j])
    """
    a = square_matrix("eig", a)
    parts = np.linalg.eig(array_of(a))
    return result_of(np.linalg.eig)(_any_eigenvalues(a, parts=parts), _any_eigenvectors(a, parts=parts))


@implements(np.linalg.eigvals)
def eigvals(a: Array) -> Array:
    """The eigenvalues of a square matrix, as `eig` gives them.

    >>> mg.grad(lambda a: np.sum(np.real(mg.eigvals(a))))(np.array([[2.0, 1.0], [0.0, 3.0]])).round(12).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    a = square_matrix("eigvals", a)
    return _any_eigenvalues(a, parts=np.linalg.eig(array_of(a)))


@op(name="eigvals", complex=True)
def _any_eigenvalues(a, *, parts):
    """w with A V = V diag(w): dw = diag(V^-1 dA V), so dJ/dA = V^-T diag(g) V^T."""
    return parts[0]


@_any_eigenvalues.vjp("a")
def _(g, w, a, parts):
    vt = T(_any_eigenvectors(a, parts=parts))
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
    w, vt = _any_eigenvalues(a, parts=parts), T(v)
    k = np.matmul(vt, g)
    along = np.real(np.linalg.diagonal(k))
    turned = k - np.matmul(vt, conj(v)) * along[..., None, :]
    inner = ties.quotient(turned, ties.differences(w), ties.tied(parts[0]), ties.on_diagonal(w))
    return np.linalg.solve(vt, np.matmul(inner, vt))
