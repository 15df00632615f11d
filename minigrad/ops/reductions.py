"""Reductions over axes: sums, means, extremes, spreads, norms, products, medians; and differences.

Each VJP first gives g the reduced axes back with size 1 (`_kept`); then it broadcasts
against the argument. sum and broadcast_to are each other's adjoint.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..operation import array_of, arraylike, op
from ..stand_ins import implements
from ..summation import blocked_dot, blocked_sum, normalized_axes, normalized_axis
from ..typing import Array, Axis
from .arithmetic import selected
from .casting import narrowed, widened
from .complex_numbers import conj, squared
from .extremes import extreme, ties
from .indexing import take_along_axis
from .shaping import moveaxis, reshape

__all__ = ["sum", "mean", "max", "min", "var", "prod", "diff", "average", "median", "trapezoid", "ptp"]


def _reduced_shape(a, axis, keepdims):
    axes, keepdims = normalized_axes(axis, a.ndim), operator.index(keepdims)
    return tuple(1 if i in axes else n for i, n in enumerate(a.shape) if keepdims or i not in axes)


def _kept(g, a, axis):
    """Return g with the reduced axes of `a` back, at size 1; a scalar as it is, since it broadcasts as well."""
    # equivalent: without if g.shape else g because a scalar broadcasts to the same
    return np.reshape(g, _reduced_shape(a, axis, True)) if g.shape else g


def _count(a, axis):
    return math.prod(a.shape[i] for i in normalized_axes(axis, a.ndim))


def axes_joined(a, axis):
    """The array with the axis (or axes) at its end, as one."""
    axes = normalized_axes(axis, a.ndim)
    return reshape(moveaxis(a, axes, tuple(range(-len(axes), 0))), (*_reduced_shape(a, axis, False), _count(a, axis)))


@implements(np.sum)
@op(complex=True)
def sum(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The sum over the axes. Each entry has derivative 1, so g is broadcast back.

    It is more precise than NumPy's along axes that are not innermost in memory (see `minigrad.summation`).

    >>> x = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> mg.sum(x, axis=0).data
    array([4., 6.])
    >>> mg.sum(x).backward()
    >>> x.grad
    array([[1., 1.],
           [1., 1.]])
    """
    return blocked_sum(np.asarray(a), axis, keepdims)


@sum.vjp("a")
def _(g, out, a, axis, keepdims):
    return np.broadcast_to(_kept(g, a, axis), a.shape)


def sum_of_products(x, y, axis):
    """The sum of X Y, or of X, entry by entry over the axis (or axes), which are kept with size 1."""
    # equivalent: any change because the sum of the products, as an array, is the same
    if type(x) is np.ndarray and (y is None or type(y) is np.ndarray):
        return blocked_dot(x, y, axis)
    return sum(x if y is None else x * y, axis, keepdims=True)


@implements(np.mean)
@op(complex=True)
def mean(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The mean over the axes: the sum over n entries divided by n. Empty: NaN, as in NumPy.

    >>> mg.grad(mg.mean)(np.array([1.0, 2.0, 6.0, 7.0]))
    array([0.25, 0.25, 0.25, 0.25])
    """
    a = np.asarray(a)
    if a.dtype.kind not in "fc" or not a.size:
        return np.mean(a, axis=axis, keepdims=keepdims)
    total = blocked_sum(a, axis, keepdims, np.float32 if a.dtype.char == "e" else None)
    # equivalent: False -> True because a copy is the same
    return (total / _count(a, axis)).astype(a.dtype, copy=False)


@mean.vjp("a")
def _(g, out, a, axis, keepdims):
    return np.broadcast_to(_kept(widened(g), a, axis) / _count(a, axis), a.shape)


@implements(np.max, np.amax)
@op(complex=True)
def max(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The greatest entry over the axes. Tied entries share g equally, and a NaN gets it where there is one.

    >>> mg.grad(mg.max)(np.array([3.0, 1.0, 3.0]))
    array([0.5, 0. , 0.5])
    """
    return extreme(np.maximum, a, axis, keepdims)


@implements(np.min, np.amin)
@op(complex=True)
def min(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The smallest entry over the axes. Tied entries share g equally, and a NaN gets it where there is one.

    >>> mg.grad(mg.min)(np.array([3.0, 1.0, 3.0]))
    array([0., 1., 0.])
    """
    return extreme(np.minimum, a, axis, keepdims)


@max.vjp("a")
@min.vjp("a")
def _(g, out, a, axis, keepdims):
    chosen = a == _kept(out, a, axis)
    if np.any(out != out):
        chosen |= a != a
    return selected(np.broadcast_to(_kept(g, a, axis) / ties(chosen, axis, out.size), a.shape), chosen)


@implements(np.var)
@op(complex=True)
def var(a: Array, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False) -> Array:
    """The variance over n entries: sum(|a - mean|**2) / (n - ddof).

    d/da = 2 (a - mean) / (n - ddof), of complex entries the conjugate of it. The derivative of the mean drops out,
    since deviations sum to 0.
    That is NaN where n <= ddof. The value is more precise than NumPy's: the mean comes from a precise sum, and what its
    rounding leaves of the deviations' own mean is subtracted too.

    >>> x = np.array([1.0, 2.0, 6.0])
    >>> mg.grad(mg.var)(x) - 2 * (x - 3) / 3
    array([0., 0., 0.])
    """
    deviation = _deviations(widened(a), axis)
    total = blocked_sum(squared(deviation), axis, keepdims)
    return narrowed(total * _per_degree_of_freedom(deviation, axis, ddof), a)


@var.vjp("a")
def _(g, out, a, axis, ddof, keepdims):
    scale = 2 * _per_degree_of_freedom(a, axis, ddof, math.nan)
    return _kept(widened(g), a, axis) * scale * conj(_deviations(widened(a), axis))


# equivalent: any change because each way is as precise
def _deviations(a, axis):
    """The entries minus their mean, and minus the number that this was rounded by, which is the mean of the rest."""
    if type(a) is np.ndarray and a.dtype.char == "f" and a.size:
        exact = np.add.reduce(a, axis=normalized_axes(axis, a.ndim), keepdims=True, dtype=np.float64) / _count(a, axis)
        rounded = exact.astype(np.float32)
        deviation = a - rounded
        deviation -= (exact - rounded).astype(np.float32)
        return deviation
    a = a - mean(a, axis, keepdims=True)
    return a - mean(array_of(a), axis, keepdims=True)


def _per_degree_of_freedom(a, axis, ddof, none=math.inf):
    """1 / (n - ddof), or `none` where n <= ddof: infinity, since NumPy divides by 0 then."""
    n = _count(a, axis)
    return none if n <= ddof else 1 / (n - ddof)


@op(name="norm", complex=True)
def _norm(x, axis=None, *, keepdims=False):
    """A = (sum of |X_p|**2)**(1/2) over the axis (or axes): dA/dX = conj(X) / A; 0, at every order, where A = 0.

    Where squares overflow or underflow, X is divided by its greatest entry first.
    """
    x, like = widened(x), x
    with np.errstate(over="ignore"):
        norm = np.sqrt(sum(squared(x), axis))
    # equivalent: any change because scaled entries have the same norm
    if not (_moderate(norm) and np.all(norm)):
        scale = _scale(x, axis)
        scaled = np.where(scale == 1, x, x / scale)  # an infinite complex number by 1 is NaN
        norm = scale * np.sqrt(sum(squared(scaled), axis, keepdims=True))
    return np.reshape(narrowed(norm, like), _reduced_shape(x, axis, keepdims))


def _scale(x, axis):
    """The greatest entry, or 1 where that is 0 or not finite."""
    greatest = np.max(np.abs(x), axis=axis, keepdims=True, initial=0)
    # equivalent: any factor; 1 -> 2 because the norm is the same at any scale
    return np.where((greatest > 0) & np.isfinite(greatest), greatest, 1)


@_norm.vjp("x")
def norm_gradient(g, a, x, axis, keepdims):
    g, a, x = _kept(widened(g), x, axis), widened(_kept(a, x, axis)), widened(x)
    if not np.all(np.isfinite(a)):  # the unit vector is that of the scaled entries, whose norm does not overflow
        x = x / _scale(array_of(x), axis)  # equivalent: array_of(x) -> x because it cancels in the derivative
        a = _norm(x, axis, keepdims=True)
    tip = a == 0
    if np.any(tip):
        # equivalent: 1 -> 2 because x is 0 where it is the divisor
        g, a = np.where(tip, 0, g), np.where(tip, 1, a)
    # equivalent: any change because both are the same product
    return g / a * conj(x) if _moderate(g) and _moderate(a) else g * (conj(x) / a)


# equivalent: any change because what is said not to be moderate goes a safe way, which is only slower
def _moderate(x):
    """Whether quotients and squares of these numbers, and of quotients again, neither overflow nor underflow."""
    size = np.abs(x)
    least = np.finfo(size.dtype).tiny ** 0.25
    return np.all((size == 0) | (least < size) & (size < 1 / least))


def plain_std(a, axis, ddof, keepdims):
    """`std` over all entries."""
    x = widened(a)
    plain = array_of(x)  # equivalent: array_of(x) -> x because nothing of it is differentiated
    freedom = _count(plain, axis) - ddof
    # equivalent: <= -> < because dividing by 0 gives the same
    if freedom <= 0:
        # equivalent: any factor because it is infinite or NaN, as its root is
        return var(a, axis, ddof=ddof, keepdims=keepdims)
    constant, deviation = _constant(plain, axis), _deviations(x, axis)
    # equivalent: without if np.any(constant) else deviation because selecting none changes nothing
    deviation = np.where(constant, 0, deviation) if np.any(constant) else deviation
    return narrowed(_norm(deviation, axis, keepdims=keepdims) / math.sqrt(freedom), a)


def _constant(a, axis, where=True):
    """Whether the chosen entries are one finite number, with the reduced axes kept."""
    greatest = np.max(a, axis=axis, keepdims=True, initial=-np.inf, where=where)
    # equivalent: any factor because only its truth counts
    return np.isfinite(greatest) & (greatest == np.min(a, axis=axis, keepdims=True, initial=np.inf, where=where))


@implements(np.prod)
@op(complex=True)
def prod(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The product over the axis (or axes): the derivative of each entry is the product of the others.

    These products come from a tree of pairs where there is an entry of 0, by which the quotient out / a would divide,
    or where the derivative is differentiated, since that of the quotient loses precision by cancellation.

    >>> mg.grad(mg.prod)(np.array([2.0, 0.0, 5.0]))
    array([ 0., 10.,  0.])
    """
    return np.prod(a, axis=axis, keepdims=keepdims)


@prod.vjp("a")
def _(g, out, a, axis, keepdims):
    axes = normalized_axes(axis, a.ndim)
    # equivalent: any change because the tree has the same products
    if type(a) is np.ndarray and a.dtype.char in "fd":
        product = np.multiply.reduce(a, axis=axes, keepdims=True, dtype=np.float64)
        # equivalent: np.abs(product) > -> product >; > 1e-290 -> >= 1e-290 because the tree has the same products
        if np.all((np.abs(product) > 1e-290) & (np.abs(product) < math.inf)):
            return _kept(g, a, axis) * (product / a)
    last = tuple(range(-len(axes), 0))
    moved = moveaxis(a, axes, last)
    others = products_of_others(np.reshape(moved, (*moved.shape[: a.ndim - len(axes)], _count(a, axis))))
    return _kept(g, a, axis) * moveaxis(np.reshape(others, moved.shape), last, axes)


def products_of_others(x):
    """For each entry of the last axis the product of all the others, from the products of pairs."""
    n = x.shape[-1]
    if n < 2:
        return np.ones(x.shape, x.dtype)
    if n % 2:
        x = np.concatenate([x, np.ones((*x.shape[:-1], 1), x.dtype)], axis=-1)
    pairs = np.reshape(x, (*x.shape[:-1], x.shape[-1] // 2, 2))
    others = products_of_others(pairs[..., 0] * pairs[..., 1])
    return np.reshape(others[..., None] * pairs[..., ::-1], x.shape)[..., :n]


@implements(np.diff)
def diff(a: Array, n: int = 1, axis: int = -1, prepend: Array | None = None, append: Array | None = None) -> Array:
    """The differences of neighbours along the axis, n times. Raises ValueError for a negative n.

    prepend, append: what stands before and after the array; a scalar is one entry.

    >>> mg.diff(np.array([1.0, 4.0, 9.0, 16.0]))
    array([3., 5., 7.])
    >>> mg.diff(np.array([1.0, 4.0, 9.0, 16.0]), n=2)
    array([2., 2.])
    """
    if n < 0:
        raise ValueError(f"diff: n must be at least 0, not {n}")
    a = arraylike(a)
    axis = normalize_axis_index(axis, a.ndim, "diff")
    if n == 0:
        return a
    one = (*a.shape[:axis], 1, *a.shape[axis + 1 :])
    parts = [np.broadcast_to(x, one) if np.ndim(x) == 0 else x for x in (prepend, a, append) if x is not None]
    # equivalent: without if len(parts) > 1 else a; > -> >=; > 1 -> > 0 because one part is the array itself
    a = np.concatenate(parts, axis) if len(parts) > 1 else a
    before = (slice(None),) * axis
    for _ in range(n):
        a = a[(*before, slice(1, None))] - a[(*before, slice(None, -1))]
    return a


@implements(np.average)
def average(
    a: Array, axis: Axis = None, weights: Array | None = None, returned: bool = False, *, keepdims: bool = False
) -> Any:
    """The mean, or sum(a * weights) / sum(weights). The weights have the shape of a, or of its axis (or axes).

    returned: return `(average, sum of the weights)`.

    Both are differentiated. Raises ValueError for weights that fit neither, and ZeroDivisionError, as np.average does,
    for weights whose sum is 0.

    >>> mg.average(np.array([1.0, 4.0]), weights=np.array([3.0, 1.0]))
    np.float64(1.75)
    """
    if weights is None:
        found = mean(a, axis, keepdims=keepdims)
        return (found, np.full_like(found, _count(arraylike(a), axis))) if returned else found
    like, a, weights = (a, weights), widened(a), widened(weights)
    weights = along_axes(weights, a, axis)
    total = sum(weights, axis, keepdims=keepdims)
    if np.any(total == 0):
        raise ZeroDivisionError("average: the weights' sum is 0")
    found = narrowed(sum(np.multiply(a, weights), axis, keepdims=keepdims) / total, *like)
    return (found, np.broadcast_to(total, np.shape(found))) if returned else found


def along_axes(weights, a, axis):
    """Weights of the shape of a, or of its axis (or axes), with as many axes as a."""
    if np.shape(weights) == np.shape(a):
        return weights
    axes = normalized_axes(axis, np.ndim(a))
    if np.shape(weights) != tuple(np.shape(a)[i] for i in axes):
        raise ValueError(f"weights {np.shape(weights)} fit neither a {np.shape(a)} nor its axis {axis}")
    others = tuple(i for i in range(np.ndim(a)) if i not in axes)
    return np.expand_dims(np.transpose(weights, np.argsort(axes)), others)


@implements(np.median)
def median(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The middle entry in order, or the mean of the two in the middle, over the axis (or axes). NaN if any entry is.

    >>> mg.median(np.array([[5.0, 1.0, 2.0, 4.0]]), axis=1)
    array([3.])
    >>> mg.grad(mg.median)(np.array([5.0, 1.0, 2.0, 4.0]))
    array([0. , 0. , 0.5, 0.5])
    """
    a = arraylike(a)
    n = _count(a, axis)
    if n < 2:
        # equivalent: any factor because the mean of nothing is NaN
        return mean(a, axis, keepdims=keepdims)
    rows = axes_joined(a, axis)
    lower, upper = (n - 1) // 2, n // 2
    # equivalent: n - 1 -> n - 2 because the last one has its place then, too
    order = np.argpartition(rows, (lower, upper, n - 1))
    ordered = take_along_axis(rows, order[..., [lower, upper, n - 1]])
    middle = mean(ordered[..., : 1 + upper - lower], -1)
    m = np.where(np.isnan(ordered[..., -1]), ordered[..., -1], middle)
    return reshape(m, _reduced_shape(a, axis, keepdims))


@implements(np.trapezoid)
def trapezoid(y: Array, x: Array | None = None, dx: float = 1.0, axis: int = -1) -> Array:
    """The integral of y by trapezoids, between the points x (one axis, or y's shape) or at equal distances dx.

    Raises ValueError for an x of any other shape.

    >>> mg.trapezoid(np.array([0.0, 1.0, 4.0]), x=np.array([0.0, 1.0, 2.0]))
    np.float64(3.0)
    """
    like, axis = [y] if x is None else [y, x], normalized_axis(axis, np.ndim(y), "trapezoid")
    y, x = moveaxis(widened(y), axis, -1), None if x is None else widened(x)
    if x is not None and np.ndim(x) not in (1, np.ndim(y)):
        raise ValueError(f"trapezoid: x must have one axis or those of y, not {np.shape(x)} for {np.shape(y)}")
    widths = dx if x is None else np.diff(moveaxis(x, axis, -1) if np.ndim(x) > 1 else x)
    return narrowed(sum(widths * (y[..., 1:] + y[..., :-1]) / 2, -1), *like)


@implements(np.ptp)
def ptp(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The greatest entry minus the smallest, over the axis (or axes).

    >>> mg.grad(mg.ptp)(np.array([3.0, 7.0, 1.0]))
    array([ 0.,  1., -1.])
    """
    return max(a, axis, keepdims=keepdims) - min(a, axis, keepdims=keepdims)
