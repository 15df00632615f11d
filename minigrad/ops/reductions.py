"""Reductions over axes: sum, mean, max, min, var.

Each VJP first gives g the reduced axes back with size 1 (`_kept`); then it broadcasts
against the argument. sum and broadcast_to are each other's adjoint.
"""

import math

import numpy as np

from ..operation import implements, op


def _axes(axis, ndim):
    """The axes as a tuple of non-negative ints."""
    if axis is None:
        return tuple(range(ndim))
    return tuple(a % ndim for a in (axis if isinstance(axis, tuple) else (axis,)))


def _kept(g, a, axis):
    """Give g the reduced axes of `a` back, with size 1."""
    axes = _axes(axis, a.ndim)
    return np.reshape(g, tuple(1 if i in axes else n for i, n in enumerate(a.shape)))


def _count(a, axis):
    return math.prod(a.shape[i] for i in _axes(axis, a.ndim))


@implements(np.sum)
@op
def sum(a, axis=None, *, keepdims=False):
    """The sum over the axes. Each entry has derivative 1, so g is broadcast back."""
    return np.sum(a, axis=axis, keepdims=keepdims)


@sum.vjp("a")
def _(g, out, a, axis, keepdims):
    return np.broadcast_to(_kept(g, a, axis), a.shape)


@implements(np.mean)
@op
def mean(a, axis=None, *, keepdims=False):
    """The mean over the axes: the sum over n entries divided by n. Empty: NaN, as in NumPy."""
    return np.mean(a, axis=axis, keepdims=keepdims)


@mean.vjp("a")
def _(g, out, a, axis, keepdims):
    return np.broadcast_to(_kept(g, a, axis) / _count(a, axis), a.shape)


@implements(np.max, np.amax)
@op
def max(a, axis=None, *, keepdims=False):
    """The greatest entry over the axes. Entries that tie share g equally; NaN gets it where it is."""
    return np.max(a, axis=axis, keepdims=keepdims)


@implements(np.min, np.amin)
@op
def min(a, axis=None, *, keepdims=False):
    """The smallest entry over the axes. Entries that tie share g equally; NaN gets it where it is."""
    return np.min(a, axis=axis, keepdims=keepdims)


@max.vjp("a")
@min.vjp("a")
def _(g, out, a, axis, keepdims):
    chosen = (a == _kept(out, a, axis)) | (a != a)
    ties = np.sum(chosen, axis=axis, keepdims=True).astype(a.dtype)
    return np.where(chosen, _kept(g, a, axis) / ties, 0)


@implements(np.var)
@op
def var(a, axis=None, *, ddof=0, keepdims=False):
    """The variance over n entries: sum((a - mean)**2) / (n - ddof).

    d/da = 2 (a - mean) / (n - ddof): the mean's own derivative drops out, as deviations sum to 0.
    """
    return np.var(a, axis=axis, ddof=ddof, keepdims=keepdims)


@var.vjp("a")
def _(g, out, a, axis, ddof, keepdims):
    deviation = a - np.mean(a, axis=axis, keepdims=True)
    return _kept(g, a, axis) * (2 / (_count(a, axis) - ddof)) * deviation
