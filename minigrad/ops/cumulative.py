"""Running sums, products and extremes.

The derivatives of a running product are a recurrence, which is solved in as many steps as its length has bits. So
entries of 0 have theirs at every order, which a quotient by the entry has not.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from ..operation import arraylike, op
from ..stand_ins import extends, implements
from ..summation import normalized_axis
from ..typing import Array, DType
from .casting import astype, in_dtype, narrowed, widened
from .indexing import scatter
from .shaping import moveaxis, ravel

__all__ = ["cumsum", "cumprod", "cumulative_sum", "cumulative_prod", "nancumsum", "nancumprod"]


LONG_ROW = 512  # entries from which on running sums are faster row by row
STEP = 32  # of running sums that are added side by side


# equivalent: any change because both ways give the same
@implements(np.cumsum)
@op(complex=True)
def cumsum(a: Array, axis: int | None = None) -> Array:
    """The running sum along the axis (None: of the flattened array). The VJP is the running sum from the end.

    float16 is added in float32, and float32 in float64.

    >>> mg.cumsum(np.array([1.0, 2.0, 4.0]))
    array([1., 3., 7.])
    >>> _, pullback = mg.vjp(mg.cumsum, np.array([1.0, 2.0, 4.0]))
    >>> pullback(np.array([1.0, 10.0, 100.0]))
    (array([111., 110., 100.]),)
    """
    a, axis = (np.ravel(a), -1) if axis is None else (np.asarray(a), axis)
    wide = {"e": np.float32, "f": np.float64}.get(a.dtype.char)
    if _has_long_rows(a, axis):
        return _summed_by_rows(a, axis, wide)
    if _has_long_sums(a, axis) and (wide or a.ndim > 1):
        return _summed_by_steps(a, axis) if wide else _summed_in_pairs(a, axis)
    return np.cumsum(a, axis=axis) if wide is None else np.cumsum(a, axis=axis, dtype=wide).astype(a.dtype)


def _has_long_rows(a, axis):
    """Whether long rows are added, along an axis that is not the last."""
    outer = axis != -1 and -a.ndim <= axis < a.ndim - 1
    return outer and a.size >= LONG_ROW * a.shape[axis] and a.dtype.kind == "f" and a.dtype.isnative


def _summed_by_rows(a, axis, wide):
    """The running sum along an axis that is not the last, whole rows at a time, which NumPy does not do."""
    out = np.empty(a.shape, a.dtype)
    rows, sums = np.moveaxis(a, axis, 0), np.moveaxis(out, axis, 0)
    total = np.full(rows.shape[1:], -0.0, wide or a.dtype)  # the number that changes no other one
    for i in range(len(rows)):
        total += rows[i]
        sums[i] = total
    return out


def _has_long_sums(a, axis):
    """Whether many float32 or float64 are added: NumPy waits for each sum before it adds the next entry."""
    if not -a.ndim <= axis < a.ndim or a.dtype.char not in "fd" or _has_long_rows(a, axis):
        return False
    return a.shape[axis] >= LONG_ROW and a.size >= LONG_ROW * STEP


def _summed_by_steps(a, axis, direction=1):
    """The running sum in float64, of all entries that lie a step apart at a time; from the end for direction -1."""
    rows, out = np.moveaxis(a, axis, -1), np.empty_like(a, a.dtype.char)
    leading, n, blocks = rows.shape[:-1], rows.shape[-1], -(-rows.shape[-1] // STEP)
    sums = np.empty((*leading, blocks, STEP))
    padded, steps = sums.reshape(*leading, -1), sums.reshape(-1, STEP)
    padded[..., :n], padded[..., n:] = rows[..., ::direction], 0
    totals = np.vecdot(steps, np.ones(STEP)).reshape(*leading, blocks)
    sums[..., 1:, 0] += np.cumsum(totals[..., :-1], -1)  # of the blocks before
    for before, entries in pairwise(steps.T):
        entries += before
    np.moveaxis(out, axis, -1)[..., ::direction] = padded[..., :n]
    return out


def _summed_in_pairs(a, axis):
    """The running sum of float64 with NumPy's bits, of two rows at a time: as the parts of complex numbers."""
    rows, out = np.moveaxis(a, axis, -1), np.empty_like(a, a.dtype.char)
    sums, half = np.moveaxis(out, axis, -1), len(rows) // 2
    pairs = np.empty((half, *rows.shape[1:]), complex)
    pairs.real, pairs.imag = rows[:half], rows[half : 2 * half]
    np.add.accumulate(pairs, -1, out=pairs)
    sums[:half], sums[half : 2 * half] = pairs.real, pairs.imag
    np.add.accumulate(rows[2 * half :], -1, out=sums[2 * half :])
    return out


@cumsum.vjp("a")
def _(g, out, a, axis):
    return np.reshape(_summed_backwards(g, -1 if axis is None else axis), a.shape)


# equivalent: any change because both ways give the same
def _summed_backwards(g, axis):
    """The running sum from the end along the axis."""
    if type(g) is np.ndarray and _has_long_sums(g, axis):
        return _summed_by_steps(g, axis, direction=-1)
    backwards = (slice(None),) * (axis % g.ndim) + (slice(None, None, -1),)
    return cumsum(g[backwards], axis)[backwards]


@extends(cumsum)
def _(a, axis=None, dtype=None):
    return in_dtype(cumsum(a if dtype is None else astype(a, dtype), axis), dtype)


@implements(np.cumprod)
def cumprod(a: Array, axis: int | None = None, dtype: DType = None) -> Array:
    """The running product along the axis (None: of the flattened array).

    >>> mg.cumprod(np.array([2.0, 3.0, 4.0]))
    array([ 2.,  6., 24.])
    >>> mg.grad(lambda a: mg.cumprod(a)[-1])(np.array([2.0, 0.0, 4.0]))
    array([0., 8., 0.])
    """
    like = a = arraylike(a) if dtype is None else astype(a, dtype)
    axis = None if axis is None else normalized_axis(axis, max(a.ndim, 1), "cumprod")
    a = ravel(a) if axis is None or a.ndim == 0 else moveaxis(a, axis, 0)
    a = _running_product(widened(a) if a.dtype.kind == "f" else a)
    a = a if axis is None else moveaxis(a, 0, axis)
    return narrowed(a, like) if a.dtype.kind == "f" else in_dtype(a, dtype)


@op(name="cumprod", complex=True)
def _running_product(a):
    """A[j] = X[0] X[1] ... X[j], along the first axis."""
    return np.cumprod(a, axis=0)


# equivalent: any change because the recurrence has the same solution
@_running_product.vjp("a")
def _(g, out, a):
    """dJ/dX[i] = A[i - 1] S[i], where S[i] = sum over j >= i of g[j] X[i + 1] ... X[j] = g[i] + X[i + 1] S[i + 1].

    Without an entry of 0 it is the sum over j >= i of g[j] A[j], over X[i]; the second derivatives of that cancel.
    """
    if type(a) is np.ndarray and np.all(np.abs(out) > _SMALLEST * np.finfo(a.dtype).tiny):
        with np.errstate(all="ignore"):
            quotient = _summed_backwards(g * out, 0) / a
        if np.all(np.isfinite(quotient)):  # so is the product
            return quotient
    g = _from_the_end(g, a[1:])
    return np.concatenate([g[:1], out[:-1] * g[1:]])


# equivalent: any change because the recurrence has the same solution
@op(name="recurrence", complex=True)
def _from_the_end(g, factors):
    """S[i] = G[i] + F[i] S[i + 1], along the first axis, in as many steps as its length has bits."""
    shift = 1
    while len(factors):
        g = np.concatenate([g[:-shift] + factors * g[shift:], g[-shift:]])
        factors = factors[:-shift] * factors[shift:]
        shift *= 2
    return g


@_from_the_end.vjp("g")
def _(u, s, g, factors):
    """dJ/dG[i] = U[i] + F[i - 1] dJ/dG[i - 1]."""
    return _from_the_end(u[::-1], factors[::-1])[::-1]


@_from_the_end.vjp("factors")
def _(u, s, g, factors):
    return _from_the_end(u[::-1], factors[::-1])[:0:-1] * s[1:]


_SMALLEST = 1e8  # times the smallest normal number: a product from which on no digit is lost


@implements(np.cumulative_sum)
def cumulative_sum(x: Array, *, axis: int | None = None, dtype: DType = None, include_initial: bool = False) -> Array:
    """The running sum along the axis, which an array of several axes needs; with a 0 before it on demand.

    >>> mg.cumulative_sum(np.array([1.0, 2.0]), include_initial=True)
    array([0., 1., 3.])
    """
    return in_dtype(_cumulative("cumulative_sum", cumsum, 0, x, axis, dtype, include_initial), dtype)


@implements(np.cumulative_prod)
def cumulative_prod(x: Array, *, axis: int | None = None, dtype: DType = None, include_initial: bool = False) -> Array:
    """The running product along the axis, which an array of several axes needs; with a 1 before it on demand.

    >>> mg.cumulative_prod(np.array([2.0, 3.0]), include_initial=True)
    array([1., 2., 6.])
    """
    return in_dtype(_cumulative("cumulative_prod", cumprod, 1, x, axis, dtype, include_initial), dtype)


def _cumulative(name: str, running: Any, initial: float, x: Array, axis: Any, dtype: Any, include_initial: bool) -> Any:
    x = np.atleast_1d(arraylike(x) if dtype is None else astype(x, dtype))
    if axis is None and x.ndim != 1:
        raise ValueError(f"{name}: an array of {x.ndim} axes needs axis=")
    axis = 0 if axis is None else normalized_axis(axis, x.ndim, name)
    out = running(x, axis)
    if not include_initial:
        return out
    first = np.full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), initial, out.dtype)
    return np.concatenate([first, out], axis=axis)


@implements(np.nancumsum)
def nancumsum(a: Array, axis: int | None = None, dtype: DType = None) -> Array:
    """The running sum, in which NaN counts as 0.

    >>> mg.nancumsum(np.array([1.0, np.nan, 2.0]))
    array([1., 1., 3.])
    """
    a = arraylike(a)
    return in_dtype(cumsum(_without_nan(a, 0, dtype), axis), dtype)


@implements(np.nancumprod)
def nancumprod(a: Array, axis: int | None = None, dtype: DType = None) -> Array:
    """The running product, in which NaN counts as 1.

    >>> mg.nancumprod(np.array([2.0, np.nan, 3.0]))
    array([2., 2., 6.])
    """
    return in_dtype(cumprod(_without_nan(arraylike(a), 1, dtype), axis), dtype)


def _without_nan(a, other, dtype):
    a = np.where(np.isnan(a), np.asarray(other, a.dtype), a)
    return a if dtype is None else astype(a, dtype)


@op(name="accumulate")
def running_extremes(a, *, name, axis):
    """The greatest ("maximum") or smallest ("minimum") entries so far. Ties: the first one gets g."""
    return getattr(np, name).accumulate(a, axis)


@op(name="accumulate")
def running(a, *, of):
    """A[j] = of(A[j - 1], X[j]) along the first axis, for an op whose slopes are at most 1, and so their products."""
    return getattr(np, of.__name__).accumulate(a)


@running.vjp("a")
def _(g, out, a, of):
    """dJ/dX[j] = S[j] dA[j]/dX[j], where S[j] = g[j] + S[j + 1] dA[j + 1]/dA[j]."""
    ones = np.ones(a[1:].shape, a.dtype)
    kept, new = (vjp(ones, out[1:], out[:-1], a[1:]) for vjp in of.vjps)
    g = _from_the_end(g, kept)
    return np.concatenate([g[:1], new * g[1:]])


@op(name="reduceat", complex=True)
def sums_between(a, *, indices):
    """The sums from each index to the next one along the first axis; of one entry where the next one is not greater."""
    return np.add.reduceat(a, indices)


@sums_between.vjp("a")
def _(g, out, a, indices):
    steps = np.diff(indices, append=len(a))
    sizes = np.maximum(steps, 1)
    g = np.repeat(g, sizes, axis=0)
    if np.all(steps > 0):
        return scatter(g, slice(indices[0], None), a.shape)
    first = indices - np.cumsum(sizes) + sizes
    return scatter(g, np.arange(np.sum(sizes)) + np.repeat(first, sizes), a.shape)


@running_extremes.vjp("a")
def _(g, out, a, name, axis):
    """Each result is the entry at the place where it was found, or a NaN."""
    found = (a == out) & (out != np.roll(out, 1, axis)) | (a != a)
    index = [*np.indices(a.shape, sparse=True)]
    index[axis] = np.maximum.accumulate(np.where(found, index[axis], 0), axis)
    return scatter(g, tuple(index), a.shape)
