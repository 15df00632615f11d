"""Norms of any order, and systems of equations: pinv, qr, lstsq and what is made of them.

References as in `inverses`; for pinv: G. Golub and V. Pereyra, "The differentiation of pseudo-inverses and
nonlinear least squares problems whose variables separate", 1973.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence

import numpy as np

from ..operation import array_of, arraylike, op
from ..stand_ins import implements
from ..summation import normalized_axes
from ..typing import Array, ArrayLike, Axis, QRResult
from .casting import inexact, narrowed, widened
from .complex_numbers import conj, squared
from .indexing import diagonal
from .inverses import inv, solve
from .linalg import matmul
from .matrices import H, T, result_of, square_matrix
from .polynomials import vander
from .reductions import _norm, _reduced_shape, _scale, axes_joined, max, min, sum
from .shaping import moveaxis, reshape
from .singular_values import svdvals
from .ties import rounding

__all__ = [
    "norm", "vector_norm", "matrix_norm", "cond", "pinv", "qr", "lstsq", "polyfit", "tensorinv", "tensorsolve",
    "matvec", "vecmat",
]  # fmt: skip

# norms


@implements(np.linalg.norm)
def norm(x: Array, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False) -> Array:
    """np.linalg.norm: of any order over one axis; over two None, "fro", "nuc", 1, -1, 2, -2, inf and -inf.

    The Euclidean norm has derivative 0 where it is 0, at every order. Raises ValueError for other orders.

    >>> mg.norm(np.array([[3.0, 4.0], [0.0, 2.0]]), axis=1)
    array([5., 2.])
    >>> mg.grad(mg.norm)(np.array([3.0, 4.0]))
    array([0.6, 0.8])
    >>> mg.grad(mg.norm)(np.zeros(2))
    array([0., 0.])
    """
    x = inexact(x)
    axes = normalized_axes(axis, x.ndim)
    if len(axes) == 1 and getattr(ord, "requires_grad", False):
        return _power_norm(x, ord, axis, keepdims)
    if (ord is None and axis is None) or ord in {1: (None, 2), 2: (None, "fro")}.get(len(axes), ()):
        return _norm(x, axis, keepdims=keepdims)
    if len(axes) == 1 and not isinstance(ord, str):
        return _vector_norm(x, ord, axis, keepdims)
    if len(axes) == 2 and ord in _MATRIX_NORMS:
        value = _MATRIX_NORMS[ord](moveaxis(x, axes, (-2, -1)))
        return reshape(value, _reduced_shape(x, axis, keepdims))
    raise ValueError(
        f"norm: order {ord!r} over {len(axes)} axes has no op; over one any number does, over two None, 'fro', 'nuc', "
        "1, -1, 2, -2, inf and -inf"
    )


def _vector_norm(x, order, axis, keepdims):
    """The norm of a constant order; some are simpler than their formula, or its limit."""
    if order == 0:
        return np.sum(x != 0, axis=axis, keepdims=keepdims).astype(np.abs(x).dtype)
    if order in (math.inf, -math.inf):
        return (_greatest if order == math.inf else min)(np.abs(x), axis, keepdims=keepdims)
    if order == 1:
        return sum(np.abs(x), axis, keepdims=keepdims)
    return _power_norm(x, order, axis, keepdims)


def _power_norm(x, order, axis, keepdims):
    """(sum of |X_p|**order)**(1 / order), of entries divided by the greatest.

    0, with derivative 0, where all entries are 0, or for a negative order one is.
    """
    like, x = x, widened(x)
    scale = _scale(array_of(x), axis)  # equivalent: array_of(x) -> x because it cancels in the derivative
    size = np.abs(x) / scale
    # equivalent: > -> >=; array_of(size) -> size because the root of order 0 has no value, and marks no derivative
    none = (np.all if order > 0 else np.any)(array_of(size) == 0, axis=axis, keepdims=True)
    # equivalent: 1, size -> 2, size because 0 is selected there
    total = sum(np.where(none, 1, size) ** order, axis, keepdims=True)
    # equivalent: none, 1, total -> none, 2, total because 0 is selected there
    value = np.where(none, 0, scale * np.where(none, 1, total) ** (1 / order))  # the total of no entries is 0
    return reshape(narrowed(value, like), _reduced_shape(x, axis, keepdims))


def _greatest(x, axis, keepdims=False):
    """The greatest of numbers that are not negative, and 0 of none."""
    return (max if x.size else sum)(x, axis, keepdims=keepdims)


_MATRIX_NORMS = {
    "nuc": lambda x: sum(svdvals(x), -1),
    1: lambda x: _greatest(sum(np.abs(x), -2), -1),
    -1: lambda x: min(sum(np.abs(x), -2), -1),
    2: lambda x: sum(svdvals(x)[..., :1], -1),  # 0 of none
    -2: lambda x: svdvals(x)[..., -1],
    math.inf: lambda x: _greatest(sum(np.abs(x), -1), -1),
    -math.inf: lambda x: min(sum(np.abs(x), -1), -1),
}


@implements(np.linalg.vector_norm)
def vector_norm(x: Array, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Array:
    """The norm of all entries, or over the axis (or axes), as of one vector.

    >>> mg.vector_norm(np.array([[3.0, 4.0]]))
    np.float64(5.0)
    """
    x, axis = inexact(x), axis if axis is None or isinstance(axis, tuple) else operator.index(axis)
    value = norm(axes_joined(x, axis), ord, -1)
    return reshape(value, _reduced_shape(x, axis, keepdims))


@implements(np.linalg.matrix_norm)
def matrix_norm(x: Array, *, keepdims: bool = False, ord: float | str | None = "fro") -> Array:
    """The norm of each matrix of a stack; see `norm`.

    >>> mg.matrix_norm(np.array([[3.0, 0.0], [0.0, 4.0]]), ord="nuc").round(12)
    np.float64(7.0)
    """
    return norm(x, ord, (-2, -1), keepdims)


@implements(np.linalg.cond)
def cond(x: Array, p: float | str | None = None) -> Array:
    """The condition number: the greatest by the smallest singular value; or the norm of x times that of its inverse.

    Raises LinAlgError for matrices without entries.

    >>> mg.cond(np.diag([2.0, 1.0]))
    np.float64(2.0)
    """
    if 0 in np.shape(x)[-2:]:
        raise np.linalg.LinAlgError(f"cond: a matrix without entries has no condition number, x is {np.shape(x)}")
    if p is None or p in (2, -2):
        s = svdvals(inexact(x))
        greatest, least = s[..., 0], s[..., -1]
        none = greatest == 0  # 0 / 0, which is infinite here
        over, under = (least, greatest) if p == -2 else (greatest, least)
        return np.where(none, 1, over) / under  # equivalent: 1 -> 2 because it is divided by 0
    return norm(x, p, (-2, -1)) * norm(inv(x), p, (-2, -1))


# systems of equations


@op(name="pinv", complex=True)
def _pinv(a, *, rcond):
    """P with A P A = A and P A P = P, for matrices that keep their rank.

    With ^H the conjugate transpose, dP = -P dA P + P P^H dA^H (1 - A P) + (1 - P A) dA^H P^H P, so
    dJ/dA = -P^T G P^T + conj((1 - A P) G^T P P^H + P^H P G^T (1 - P A)).
    Singular values that are left out, and are not 0, add `_across`.
    """
    return np.linalg.pinv(a, rcond)


@_pinv.vjp("a")
def _(g, p, a, rcond):
    pt, ph = T(p), H(p)
    left = T(g) - np.matmul(a, np.matmul(p, T(g)))
    right = T(g) - np.matmul(np.matmul(T(g), p), a)
    direct = np.matmul(np.matmul(pt, g), pt)
    da = conj(np.matmul(np.matmul(left, p), ph) + np.matmul(np.matmul(ph, p), right)) - direct
    s = np.linalg.svdvals(array_of(a))  # equivalent: array_of(a) -> a because comparisons have no derivative
    least = np.multiply(np.expand_dims(rcond, -1), np.max(s, axis=-1, keepdims=True, initial=0))
    kept = s > least
    # equivalent: least > rounding(s) -> least >= rounding(s) because rounding is no sharp border
    return da + _across(g, p, a, kept) if np.any(~kept & (least > rounding(s))) else da


def _across(g, p, a, kept):
    """What lies between singular values s[i] that P keeps and s[j] that it leaves out.

    With A = U diag(s) V^H, N = U^H dA V and D = s[i]**2 - s[j]**2, V^H dP U has N^H / D + N s[j] / (s[i] D) there, of
    which `_pinv` has N^H / s[i]**2. The difference is w (N + N^H s[j] / s[i]), with w = s[j] / (s[i] D); so with
    C = V^T G conj(U) it adds conj(U) w (C + C^H s[j] / s[i]) V^T to dJ/dA.
    Where s[j] is 0, its singular vectors are not unique. So the sums over j are written without them, by the part
    of A that is left out, B = A - A P A, and R[i] = (s[i]**2 - B B^H)^-1 B, which is the sum of u[j] s[j] v[j]^H / D.
    """
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    b = a - np.matmul(a, np.matmul(p, a))
    # equivalent: 2 -> 3 because the inverse is 0 there
    large = np.where(kept, s, 1 + 2 * np.max(s, axis=-1, keepdims=True))[..., None]
    inverse = np.where(kept[..., None], 1 / large, 0)
    square = large[..., None] ** 2 * np.eye(a.shape[-2]) - np.matmul(b, H(b))[..., None, :, :]
    r = conj(solve(square, np.broadcast_to(b[..., None, :, :], (*square.shape[:-1], a.shape[-1]))))
    # for each i a row that R[i] takes from the left, and one that it takes from the right
    left = (np.matmul(conj(vh), g) + T(np.matmul(b, np.matmul(conj(g), u))) * inverse) * inverse
    right = (T(np.matmul(g, conj(u))) + T(np.matmul(T(b), conj(np.matmul(T(g), H(vh))))) * inverse) * inverse
    rows, columns = np.matmul(left[..., None, :], r)[..., 0, :], np.matmul(r, right[..., None])[..., 0]
    return np.matmul(conj(u), rows) + np.matmul(T(columns), conj(vh))


@implements(np.linalg.pinv)
def pinv(a: Array, rcond: ArrayLike | None = None, hermitian: bool = False, *, rtol: ArrayLike | None = 1e-15) -> Array:
    """The pseudo-inverse of a matrix, or a stack. The derivative is the one along matrices of the same rank.

    Where singular values are left out that are not 0, all matrices nearby count.

    rcond, rtol: the part of the greatest singular value below which one counts as 0; of rtol=None it is the greater
                 side times the rounding of the dtype.
    hermitian: take A as Hermitian, and read its lower triangle only.

    >>> mg.pinv(np.array([[2.0], [0.0]]))
    array([[0.5, 0. ]])
    """
    a = inexact(a)
    if a.ndim < 2:
        raise ValueError(f"pinv: a must be a matrix, or a stack of them, not {a.shape}")
    if hermitian:
        a = square_matrix("pinv", a)
        half = (np.tril(a) + np.tril(a, -1)) / 2
        a = half + H(half)
    rcond = rtol if rcond is None else rcond
    least = np.max(a.shape[-2:]) * np.finfo(a.dtype).eps if rcond is None else array_of(rcond)
    return _pinv(a, rcond=least)


@op(name="qr", complex=True)
def _qr(a):
    """Q (m, n) above R (n, n), with A = Q R and m >= n.

    With M = R G_R^T - G_Q^T Q and S(M) = M's lower triangle mirrored to the upper one, there without the
    conjugate that the lower one and the real diagonal get: dJ/dA = (G_Q + conj(Q) S(M)) R^-T.
    """
    return np.concatenate(np.linalg.qr(a), axis=-2)


@_qr.vjp("a")
def _(g, out, a):
    m = a.shape[-2]
    q, r, gq, gr = out[..., :m, :], out[..., m:, :], g[..., :m, :], g[..., m:, :]
    mixed = np.matmul(r, T(gr)) - np.matmul(T(gq), q)
    half = (np.tril(mixed) + np.tril(mixed, -1)) / 2
    return T(np.linalg.solve(r, T(gq + np.matmul(conj(q), conj(half) + T(half)))))


@implements(np.linalg.qr)
def qr(a: Array, mode: str = "reduced") -> QRResult[Array] | Array:
    """`(Q, R)` with A = Q R, Q of orthonormal columns and R upper triangular; R alone with mode="r".

    Raises ValueError for other modes; "complete" will do where it is the same as "reduced", if m <= n. In a tall matrix
    the columns that it adds to Q are any basis of what the others leave, which is not a function of A to differentiate.

    >>> mg.qr(np.array([[3.0, 1.0], [4.0, 2.0]]), "r").round(6)
    array([[-5. , -2.2],
           [ 0. ,  0.4]])
    """
    a = arraylike(a)
    if a.ndim < 2:
        raise ValueError(f"qr: a must be a matrix, or a stack of them, not {a.shape}")
    m, n = a.shape[-2:]
    if mode not in ("reduced", "r") and not (mode == "complete" and m <= n):
        reason = "adds arbitrary columns to Q" if mode == "complete" else "has no derivative"
        raise ValueError(f"qr: mode {mode!r} {reason} for a matrix of {m} x {n}: pass 'reduced' or 'r'")
    both = _qr(a[..., :m])
    q, r = both[..., :m, :], both[..., m:, :]
    # equivalent: > -> >= because no column is added then
    if n > m:  # the other columns are rotated too
        r = np.concatenate([r, np.matmul(H(q), a[..., m:])], axis=-1)
    return r if mode == "r" else result_of(np.linalg.qr)(q, r)


@implements(np.linalg.lstsq)
def lstsq(a: Array, b: Array, rcond: float | None = None) -> tuple[Array, Array, int, Array]:
    """`(x, residuals, rank, singular values)` of the x that minimises the norm of A x - b, the shortest if many do.

    >>> mg.lstsq(np.array([[1.0], [1.0]]), np.array([1.0, 3.0]))[0].round(12)
    array([2.])
    """
    a, b = inexact(a), inexact(b)
    if a.ndim != 2 or b.ndim not in (1, 2) or a.shape[0] != b.shape[0]:
        raise ValueError(f"lstsq: a must be a matrix with as many rows as b, not a {a.shape} and b {b.shape}")
    m, n = a.shape
    rcond = _cutoff(rcond, np.max(a.shape), a.dtype)
    x = matmul(pinv(a, rcond), b)
    rank = int(np.linalg.matrix_rank(a, rtol=rcond))
    squares = sum(squared(matmul(a, x) - b), 0) if rank == n < m else squared(x[:0])
    return x, reshape(squares, (-1,)), rank, svdvals(a)


def _cutoff(rcond, size, dtype):
    """Below which share of the greatest a singular value counts as 0. LAPACK takes only numbers between 0 and 1."""
    least = np.finfo(dtype).eps
    return size * least if rcond is None else rcond if 0 < rcond < 1 else least


@implements(np.polyfit)
def polyfit(x: Array, y: Array, deg: int, rcond: float | None = None, *, w: Array | None = None) -> Array:
    """The coefficients of the polynomial of least squares, the highest power first; w are weights of the errors.

    >>> mg.polyfit(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0]), 1).round(9)
    array([2., 1.])
    """
    x, y = inexact(x), inexact(y)
    if x.ndim != 1 or y.ndim not in (1, 2) or x.shape[0] != y.shape[0] or deg < 0 or not x.size:
        raise ValueError(f"polyfit: x must be a vector as long as y, not {x.shape} and {y.shape}, and deg 0 or more")
    a = vander(x, deg + 1)
    if w is not None:
        w = inexact(w)
        if w.shape != x.shape:
            raise ValueError(f"polyfit: w must be a vector as long as x, not {w.shape}")
        a, y = a * w[:, None], y * (w if y.ndim == 1 else w[:, None])
    scale = np.sqrt(sum(squared(a), 0))
    coefficients = matmul(pinv(a / scale, _cutoff(rcond, x.size, x.dtype)), y)
    return coefficients / (scale if y.ndim == 1 else scale[:, None])


@implements(np.linalg.tensorinv)
def tensorinv(a: Array, ind: int = 2) -> Array:
    """The inverse of a as a matrix whose rows are its first `ind` axes.

    >>> mg.tensorinv(np.eye(4).reshape(2, 2, 2, 2)).shape
    (2, 2, 2, 2)
    """
    a = arraylike(a)
    if ind <= 0:
        raise ValueError(f"tensorinv: ind must be at least 1, not {ind}")
    rows, columns = a.shape[:ind], a.shape[ind:]
    return reshape(inv(reshape(a, (math.prod(rows), math.prod(columns)))), (*columns, *rows))


@implements(np.linalg.tensorsolve)
def tensorsolve(a: Array, b: Array, axes: Sequence[int] | None = None) -> Array:
    """x with tensordot(a, x, x.ndim) = b; `axes` of a are moved to its end first.

    >>> mg.tensorsolve(2 * np.eye(4).reshape(2, 2, 2, 2), np.ones((2, 2)))
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    a, b = arraylike(a), arraylike(b)
    if axes is not None:
        a = moveaxis(a, axes, tuple(range(-len(axes), 0)))
    shape = a.shape[b.ndim :]
    return reshape(solve(reshape(a, (b.size, math.prod(shape))), reshape(b, -1)), shape)


@implements(np.linalg.diagonal)
def _diagonal(x: Array, *, offset: int = 0) -> Array:
    """np.linalg.diagonal: the diagonals of the last two axes."""
    return diagonal(x, offset, -2, -1)


@implements(np.linalg.trace)
def _trace(x: Array, *, offset: int = 0) -> Array:
    """np.linalg.trace: the traces of the last two axes."""
    return sum(diagonal(x, offset, -2, -1), -1)


@implements(np.matvec)
def matvec(x1: Array, x2: Array) -> Array:
    """The product of matrices and vectors, in the last axes.

    >>> mg.matvec(np.eye(2), np.array([1.0, 2.0]))
    array([1., 2.])
    """
    _check_axes(x1, x2)
    return matmul(x1, np.expand_dims(x2, -1))[..., 0]


def _check_axes(matrix, vector):
    if np.ndim(matrix) < 2 or not np.ndim(vector):
        shapes = f"{np.shape(matrix)} and {np.shape(vector)}"
        raise ValueError(f"the matrix must have at least 2 axes, and the vector 1: their shapes are {shapes}")


@implements(np.vecmat)
def vecmat(x1: Array, x2: Array) -> Array:
    """The product of vectors (of complex ones the conjugates) and matrices, in the last axes.

    >>> mg.vecmat(np.array([1.0, 2.0]), np.eye(2))
    array([1., 2.])
    """
    _check_axes(x2, x1)
    return matmul(np.expand_dims(conj(arraylike(x1)), -2), x2)[..., 0, :]
