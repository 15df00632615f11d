"""Polynomials as vectors of coefficients, the highest power first."""

from __future__ import annotations

import numpy as np

from ..operation import array_of, arraylike, op
from ..stand_ins import implements
from ..typing import Array
from .casting import astype, inexact
from .curves import convolve
from .joining import concatenate
from .shaping import ravel

__all__ = ["polyval", "polyadd", "polysub", "polymul", "polydiv", "polyder", "polyint", "poly", "roots", "vander"]


@implements(np.polyval)
def polyval(p: Array, x: Array) -> Array:
    """The polynomial with coefficients p, the highest power first, at x.

    >>> mg.polyval(np.array([1.0, 0.0, 2.0]), 3.0)
    np.float64(11.0)
    """
    if np.ndim(p) != 1:
        raise ValueError(f"polyval: p must be a vector, not {np.shape(p)}")
    x, value = arraylike(x), np.zeros_like(x)
    for coefficient in p:
        value = value * x + coefficient
    return value


def _vector(a):
    """Coefficients as a vector; one alone may be a number."""
    if np.ndim(a) > 1:
        raise ValueError(f"the coefficients must be vectors, not of shape {np.shape(a)}")
    return ravel(a)


def _aligned(a1, a2):
    """Both coefficients as vectors of one length, with zeros in front."""
    a1, a2 = _vector(a1), _vector(a2)
    n = max(a1.size, a2.size)
    return [concatenate([np.zeros(n - a.size, a.dtype), a]) for a in (a1, a2)]


@implements(np.polyadd)
def polyadd(a1: Array, a2: Array) -> Array:
    """The coefficients of the sum.

    >>> mg.polyadd(np.array([1.0, 2.0]), np.array([3.0]))
    array([1., 5.])
    """
    a1, a2 = _aligned(a1, a2)  # equivalent: _aligned(a1, a2) -> _aligned(a2, a1) because a sum has no order
    return a1 + a2


@implements(np.polysub)
def polysub(a1: Array, a2: Array) -> Array:
    """The coefficients of the difference.

    >>> mg.polysub(np.array([1.0, 2.0]), np.array([3.0]))
    array([ 1., -1.])
    """
    a1, a2 = _aligned(a1, a2)
    return a1 - a2


@implements(np.polymul)
def polymul(a1: Array, a2: Array) -> Array:
    """The coefficients of the product: their convolution, without zeros in front, as NumPy's.

    >>> mg.polymul(np.array([1.0, 1.0]), np.array([1.0, -1.0]))
    array([ 1.,  0., -1.])
    """
    return convolve(_without_leading_zeros(a1), _without_leading_zeros(a2))


def _without_leading_zeros(a, zero=0):
    """The coefficients from the first one that is greater than `zero`, or is NaN; the last one, if there is none."""
    a = _vector(a)
    # equivalent: array_of(a) -> a because the marks need no derivative
    others = np.flatnonzero(~(np.abs(array_of(a)) <= zero))
    return a[others[0] if others.size else -1 :]


@implements(np.polydiv)
def polydiv(u: Array, v: Array) -> tuple[Array, Array]:
    """The coefficients of the quotient and of the remainder.

    >>> mg.polydiv(np.array([1.0, 0.0, 1.0]), np.array([1.0, 1.0]))
    (array([ 1., -1.]), array([2.]))
    """
    rest, v = inexact(_vector(u)), inexact(_vector(v))
    quotient = []
    for _ in range(rest.size - v.size + 1):
        quotient.append(rest[0] / v[0])
        rest = concatenate([rest[1 : v.size] - quotient[-1] * v[1:], rest[v.size :]])
    # equivalent: 1 -> 2 because zeros in front are left out
    rest = _without_leading_zeros(concatenate([np.zeros(1, rest.dtype), rest]), 1e-8)
    return np.stack(quotient) if quotient else np.zeros(1, np.result_type(rest.dtype, v.dtype)), rest


@implements(np.polyder)
def polyder(p: Array, m: int = 1) -> Array:
    """The coefficients of the m-th derivative.

    >>> mg.polyder(np.array([1.0, 2.0, 3.0]))
    array([2., 2.])
    """
    p = _vector(p)
    if m < 0:
        raise ValueError(f"polyder: m must be 0 or more, not {m}")
    for _ in range(m):
        powers = np.arange(p.shape[0] - 1, 0, -1)
        p = p[:-1] * (powers.astype(p.dtype) if p.dtype.kind in "fc" else powers)
    return p


@implements(np.polyint)
def polyint(p: Array, m: int = 1, k: Array = 0.0) -> Array:
    """The coefficients of the m-th integral, with constants k (one for all, or one for each integral).

    >>> mg.polyint(np.array([2.0, 2.0]))
    array([1., 2., 0.])
    """
    p = inexact(_vector(p))
    constants = np.broadcast_to(0.0 if k is None else k, (m,))
    for i in range(m):
        p = concatenate([p / np.arange(p.shape[0], 0, -1).astype(p.dtype), astype(constants[i : i + 1], p.dtype)])
    return p


@implements(np.poly)
def poly(seq_of_zeros: Array) -> Array:
    """The coefficients of the polynomial with these zeros and a leading 1.

    >>> mg.poly(np.array([1.0, -1.0]))
    array([ 1.,  0., -1.])
    """
    zeros = inexact(seq_of_zeros)
    if np.ndim(zeros) != 1:
        raise ValueError(f"poly: the zeros must be a vector, not {np.shape(zeros)}")
    p = np.ones(1, zeros.dtype)
    for zero in zeros:
        p = convolve(p, np.stack([np.ones((), zeros.dtype), -zero]))
    return p


@implements(np.roots)
@op(complex=True)
def roots(p: Array) -> Array:
    """The zeros of the polynomial: P(R) = 0, so dR_j/dP_k = -R_j^(n-k) / P'(R_j). None where two are equal.

    >>> mg.roots(np.array([1.0, 0.0, -4.0]))
    array([-2.,  2.])
    """
    return np.roots(p)


@roots.vjp("p")
def _(g, out, p):
    return -np.matmul(g / polyval(polyder(p), out), vander(out, p.size))


@implements(np.vander)
def vander(x: Array, N: int | None = None, increasing: bool = False) -> Array:
    """The powers of each entry of a vector as a row, the highest (increasing=True: the lowest) first.

    >>> mg.vander(np.array([2.0, 3.0]), 3)
    array([[4., 2., 1.],
           [9., 3., 1.]])
    """
    x = arraylike(x)
    if x.ndim != 1:
        raise ValueError(f"vander: x must be a vector, not {x.shape}")
    n = np.empty((x.size if N is None else N,)).size  # which refuses what is no size
    return _powers(x, count=n, increasing=increasing)


@op(name="vander", complex=True)
def _powers(x, *, count, increasing):
    powers = np.vander(x, count, increasing)
    return powers.astype(x.dtype) if x.dtype.kind in "fc" else powers


@_powers.vjp("x")
def _(g, out, x, count, increasing):
    """The derivative of X**k is k X**(k - 1)."""
    if not increasing:
        g, out = g[:, ::-1], out[:, ::-1]
    return np.matmul(g[:, 1:] * out[:, :-1], np.arange(1, max(count, 1)).astype(x.dtype))
