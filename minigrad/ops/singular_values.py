"""The singular value decomposition.

It takes stacks of matrices in the last two axes. Singular values alone are an op of their own, because their sums
have derivatives at ties too. References: M. Giles, as in `inverses`; J. Townsend, "Differentiating the singular value
decomposition", 2016.
"""

from __future__ import annotations

import numpy as np

from ..operation import array_of, arraylike, op
from ..stand_ins import implements
from ..typing import Array, SVDResult
from . import ties
from .complex_numbers import conj
from .indexing import take_along_axis
from .matrices import H, T, result_of
from .reductions import sum

__all__ = ["svd", "svdvals"]


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
    return result_of(np.linalg.svd)(vectors[..., :m, :], s, H(vectors[..., m:, :]))


def _svd_by_eigh(a, compute_uv):
    """Of a Hermitian matrix: singular values are the absolute eigenvalues, and their signs go to V."""
    # equivalent: np.linalg.eigh(a) if compute_uv else (np.linalg.eigvalsh(a), None) -> np.linalg.eigh(a) because it is
    # only slower
    w, u = np.linalg.eigh(a) if compute_uv else (np.linalg.eigvalsh(a), None)
    order = np.argsort(np.abs(w))[..., ::-1]
    w = take_along_axis(w, order)
    if not compute_uv:
        return np.abs(w)
    u = take_along_axis(u, order[..., None, :])
    # equivalent: u * np.copysign -> u / np.copysign because a sign is its own inverse
    return result_of(np.linalg.svd)(u, np.abs(w), H(u * np.copysign(1, w)[..., None, :]))


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
    return _recombined(g, a, parts=parts, fixed=ties.fixed(g))


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
    return np.concatenate([u, H(vt)], axis=-2)


@_singular_vectors.vjp("a")
def _(g, out, a, parts):
    m, n = a.shape[-2:]
    s, u, v = _singular_values(a, parts=parts), out[..., :m, :], out[..., m:, :]
    gu, gv = g[..., :m, :], g[..., m:, :]
    of_u, of_v = np.matmul(T(u), gu), np.matmul(T(v), gv)
    p, q = of_u - H(of_u), of_v - H(of_v)
    tied, zero = ties.tied(parts[1]), _both_zero(parts[1])
    unused = ties.unused(parts[1], gu, gv)  # equivalent: gu, gv -> gv, gu because both are asked alike
    by_differences = ties.quotient((p + q) / 2, ties.differences(s), tied, ties.both(unused) | ties.on_diagonal(s))
    by_sums = ties.quotient((p - q) / 2, ties.sums(s), zero, ties.both(unused) | _vanishing(a))
    uc, vc = conj(u), conj(v)
    da = np.matmul(np.matmul(uc, by_differences + by_sums), T(v))
    if m > n:
        da = da + np.matmul(_over_values(gu - np.matmul(uc, of_u), s, unused), T(v))
    if n > m:
        da = da + np.matmul(uc, H(_over_values(gv - np.matmul(vc, of_v), s, unused)))
    return da


def _vanishing(a):
    """Where an antisymmetric matrix of A's dtype has zeros: on its diagonal, unless it is complex."""
    k = min(a.shape[-2:])
    return np.eye(k, dtype=bool) & (a.dtype.kind != "c")


def _both_zero(s):
    """Whether s[i] + s[j] is 0 up to rounding."""
    return ties.sums(s) <= ties.rounding(s)[..., None]


def _over_values(columns, s, unused):
    """Each column divided by its singular value."""
    plain = array_of(s)  # equivalent: array_of(s) -> s because a comparison has no derivative
    # equivalent: <= -> < because a bound on rounding is not met exactly
    zero = plain <= ties.rounding(plain)
    return ties.quotient(columns, s[..., None, :], zero[..., None, :], unused[..., None, :])


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


@_recombined.vjp("g")
def _(h, c, g, a, parts, fixed):
    u, v = _vectors(a, parts)
    return sum(conj(u) * np.matmul(h, v), -2)


@_recombined.vjp("a")
def _(h, c, g, a, parts, fixed):
    m, n = a.shape[-2:]
    (u, v), s = _vectors(a, parts), _singular_values(a, parts=parts)
    to_u, to_v = np.matmul(h, v), np.matmul(H(h), u)
    inner = np.matmul(H(u), to_u)
    rise, total = ties.differences(g), ties.sums(g)
    tied, zero, diagonal = ties.tied(parts[1]), _both_zero(parts[1]), ties.on_diagonal(s)
    by_differences = ties.quotient(rise, ties.differences(s), tied, ties.equal(rise, fixed) | diagonal)
    by_sums = ties.quotient(total, ties.sums(s), zero, ties.equal(total, fixed) | _vanishing(a))
    core = (inner + H(inner)) / 2 * by_differences + (inner - H(inner)) / 2 * by_sums
    da = np.matmul(np.matmul(u, core), H(v))
    if m != n:
        vanishing = parts[1] <= ties.rounding(parts[1])
        ratio = ties.quotient(g, s, vanishing, ties.equal(g, fixed))[..., None, :]
    if m > n:
        da = da + np.matmul((to_u - np.matmul(u, inner)) * ratio, H(v))
    if n > m:
        da = da + np.matmul(u * ratio, H(to_v - np.matmul(v, H(inner))))
    return conj(da)


def _vectors(a, parts):
    """U and V."""
    out = _singular_vectors(a, parts=parts)
    return out[..., : a.shape[-2], :], out[..., a.shape[-2] :, :]
