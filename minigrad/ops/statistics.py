"""Order statistics, covariances and weighted counts.

A quantile is a weighted mean of two neighbours in order. Which two, and how they are weighted, NumPy says itself:
the quantile of 0, 1, 2, ... is the position between them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..operation import array_of, arraylike
from ..stand_ins import implements
from ..summation import normalized_axes
from ..typing import Array, ArrayLike, Axis, DType, IndicesLike
from .casting import astype, floating, inexact, narrowed, widened
from .complex_numbers import conj
from .indexing import scatter, sort, take_along_axis
from .reductions import _count, average
from .shaping import moveaxis, reshape

__all__ = [
    "quantile", "percentile", "nanquantile", "nanpercentile", "nanmedian", "partition", "cov", "corrcoef", "bincount",
    "histogram",
]  # fmt: skip


@implements(np.quantile)
def quantile(a: Array, q: ArrayLike, axis: Axis = None, *, method: str = "linear", keepdims: bool = False) -> Array:
    """The value below which the part q (0 to 1) of the entries lies, over the axis (or axes); q may be an array.

    The two neighbours in order share g as they share the value. NaN if any entry is. `method` is as in np.quantile.

    >>> mg.quantile(np.array([4.0, 1.0, 3.0]), 0.75)
    array(3.5)
    >>> mg.grad(mg.quantile)(np.array([4.0, 1.0, 3.0]), 0.75)
    array([0.5, 0. , 0.5])
    """
    return _quantile(a, q, axis, method, keepdims, ignore_nan=False)


@implements(np.percentile)
def percentile(a: Array, q: ArrayLike, axis: Axis = None, *, method: str = "linear", keepdims: bool = False) -> Array:
    """`quantile` for q in percent.

    >>> mg.percentile(np.array([1.0, 2.0, 5.0]), [0, 50])
    array([1., 2.])
    """
    return _quantile(a, np.true_divide(array_of(q), 100), axis, method, keepdims, ignore_nan=False)


@implements(np.nanquantile)
def nanquantile(a: Array, q: ArrayLike, axis: Axis = None, *, method: str = "linear", keepdims: bool = False) -> Array:
    """`quantile` of the entries that are not NaN; NaN where there is none.

    >>> mg.nanquantile(np.array([1.0, np.nan, 2.0]), 0.5)
    array(1.5)
    """
    return _quantile(a, q, axis, method, keepdims, ignore_nan=True)


@implements(np.nanpercentile)
def nanpercentile(
    a: Array, q: ArrayLike, axis: Axis = None, *, method: str = "linear", keepdims: bool = False
) -> Array:
    """`percentile` of the entries that are not NaN; NaN where there is none.

    >>> mg.nanpercentile(np.array([1.0, np.nan, 2.0]), 50)
    array(1.5)
    """
    return _quantile(a, np.true_divide(array_of(q), 100), axis, method, keepdims, ignore_nan=True)


@implements(np.nanmedian)
def nanmedian(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """`median` of the entries that are not NaN; NaN where there is none.

    >>> mg.nanmedian(np.array([1.0, np.nan, 2.0]))
    array(1.5)
    """
    return _quantile(a, 0.5, axis, "linear", keepdims, ignore_nan=True)


def _quantile(a: Array, q: Any, axis: Axis, method: Any, keepdims: bool, ignore_nan: bool) -> Array:
    a, q = floating(a), np.asarray(array_of(q), float)
    axes, n = normalized_axes(axis, a.ndim), _count(a, axis)
    if n == 0:
        raise ValueError(f"a has no entries over axis {axis} (a {a.shape})")
    lead = [size for i, size in enumerate(a.shape) if i not in axes]
    ordered = sort(reshape(moveaxis(a, axes, tuple(range(-len(axes), 0))), (*lead, n)))  # NaN comes last
    counts = np.sum(~np.isnan(ordered), axis=-1)
    positions = np.empty((*lead, q.size))
    for count in np.unique(counts):
        usable = count if ignore_nan else (count if count == n else 0)
        where = np.quantile(np.arange(float(usable)), q.ravel(), method=method) if usable else n - 1.0
        positions[counts == count] = where
    low = np.floor(positions).astype(int)
    part = (positions - low).astype(ordered.dtype)
    below = take_along_axis(ordered, low, -1)
    above = take_along_axis(ordered, np.minimum(low + 1, n - 1), -1)
    value = np.where(part == 0, below, below + part * np.where(part == 0, 0, above - below))
    value = moveaxis(value, -1, 0)
    kept = [1 if i in axes else size for i, size in enumerate(a.shape)] if keepdims else lead
    return reshape(value, (*q.shape, *kept))


@implements(np.partition)
def partition(a: Array, kth: IndicesLike, axis: int | None = -1) -> Array:
    """The entries reordered along the axis: the k-th in its place, the smaller ones before it.

    >>> mg.partition(np.array([3.0, 1.0, 2.0]), 0)[0]
    np.float64(1.0)
    """
    a = arraylike(a)
    return take_along_axis(a, np.argpartition(array_of(a), array_of(kth), axis=axis), axis)


@implements(np.cov)
def cov(
    m: Array,
    y: Array | None = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Array | None = None,
    aweights: Array | None = None,
    *,
    dtype: DType = None,
) -> Array:
    """The covariance matrix of the variables, which are the rows of m (and of y), or the columns (rowvar=False).

    fweights: how often each observation counts; aweights: how much. Raises ValueError for more than two axes.

    >>> mg.cov(np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    x = _variables(m, rowvar)
    if y is not None:
        x = np.concatenate([x, _variables(y, rowvar)], axis=0)
    x = widened(x) if dtype is None else astype(x, dtype)
    ddof = (0 if bias else 1) if ddof is None else ddof
    w = None if aweights is None else floating(aweights)
    if fweights is not None:
        w = floating(fweights) if w is None else w * floating(fweights)
    total = x.shape[1] if w is None else np.sum(w)
    if aweights is None or ddof == 0:
        freedom = total - ddof
    else:
        freedom = total - ddof * np.sum(w * aweights) / total
    x = x - (average(x, 1, w) if w is not None else np.mean(x, axis=1))[:, None]
    c = np.matmul(x if w is None else x * w, np.transpose(conj(x))) / freedom
    return np.squeeze(c if dtype is not None else narrowed(c, m, *([] if y is None else [y])))


def _variables(m, rowvar):
    m = inexact(m)
    if m.ndim > 2:
        raise ValueError(f"the variables must be the rows of a matrix, not {m.shape}")
    m = reshape(m, (1, -1)) if m.ndim < 2 else m
    return m if rowvar or m.shape[0] == 1 else np.transpose(m)


@implements(np.corrcoef)
def corrcoef(x: Array, y: Array | None = None, rowvar: bool = True, *, dtype: DType = None) -> Array:
    """The correlation coefficients of the variables; see `cov`.

    >>> mg.corrcoef(np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])).round(6)
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if np.ndim(c) == 0:
        return c / c
    deviations = np.sqrt(np.real(np.diagonal(c)))
    return c / deviations[:, None] / deviations[None, :]


@implements(np.bincount)
def bincount(x: ArrayLike, weights: Array | None = None, minlength: int = 0) -> Array:
    """How often each integer from 0 stands in x; or the sum of its weights, which are differentiated.

    >>> mg.bincount(np.array([0, 2, 2]), np.array([0.5, 1.0, 2.0]))
    array([0.5, 0. , 3. ])
    """
    numbers: Any = array_of(x)
    counts = np.bincount(numbers, minlength=minlength)
    if weights is None:
        return counts
    weights = floating(weights)
    if np.shape(weights) != np.shape(numbers):
        raise ValueError(f"x and weights must have one shape, not {np.shape(numbers)} and {np.shape(weights)}")
    return scatter(weights, np.asarray(numbers, int), counts.shape)


@implements(np.histogram)
def histogram(
    a: ArrayLike,
    bins: ArrayLike = 10,
    range: Any = None,
    density: bool = False,
    weights: Array | None = None,
) -> tuple[Array, Array]:
    """`(counts, edges)` as np.histogram; weights, which are summed in place of counts, are differentiated.

    >>> mg.histogram(np.array([0.0, 1.0, 2.0]), 2, weights=np.array([1.0, 2.0, 4.0]))
    (array([1., 6.]), array([0., 1., 2.]))
    """
    a = np.ravel(array_of(a))
    if range is not None and np.shape(range) != (2,):
        raise ValueError(f"histogram: range must be a pair (least, greatest), not {range!r}")
    edges = np.histogram_bin_edges(a, array_of(bins), range)
    if weights is None:
        return np.histogram(a, edges, density=density)
    weights = np.ravel(floating(weights))
    inside = (a >= edges[0]) & (a <= edges[-1])
    places = np.minimum(np.searchsorted(edges, a[inside], "right") - 1, edges.size - 2)
    counts = bincount(places, weights[inside], edges.size - 1)
    return counts / np.diff(edges).astype(counts.dtype) / np.sum(counts) if density else counts, edges
