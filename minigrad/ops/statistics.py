"""Order statistics, covariances and weighted counts.

A quantile is a weighted mean of two neighbours in order. Which two, and how they are weighted, NumPy says itself:
the quantile of 0, 1, 2, ... is the position between them.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from ..errors import COMPLEX, brief, plain_array
from ..operation import array_of, arraylike, op
from ..stand_ins import implements
from ..typing import Array, ArrayLike, Axis, DType
from .casting import astype, floating, in_inexact_dtype, inexact, narrowed, widened
from .complex_numbers import conj
from .indexing import scatter
from .joining import stack
from .reductions import _count, _reduced_shape, along_axes, average, axes_joined
from .shaping import moveaxis, reshape

__all__ = [
    "quantile", "percentile", "nanquantile", "nanpercentile", "nanmedian", "cov",
    "corrcoef", "bincount", "histogram_bin_edges", "histogram", "histogramdd", "histogram2d",
]  # fmt: skip


@implements(np.quantile)
def quantile(
    a: Array,
    q: ArrayLike,
    axis: Axis = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: ArrayLike | None = None,
) -> Array:
    """The value below which the part q (0 to 1) of the entries lies, over the axis (or axes); q may be an array.

    The two neighbours in order share g as they share the value. NaN if any entry is. `method` is as in np.quantile.
    weights, of the shape of a or of its axis (or axes), go with method="inverted_cdf" alone.
    Raises TypeError for a q and for weights that need a gradient: the value jumps from entry to entry with them.

    >>> mg.quantile(np.array([4.0, 1.0, 3.0]), 0.75)
    array(3.5)
    >>> mg.grad(mg.quantile)(np.array([4.0, 1.0, 3.0]), 0.75)
    array([0.5, 0. , 0.5])
    """
    return _quantile(a, q, axis, method, keepdims, ignore_nan=False, weights=weights)


@implements(np.percentile)
def percentile(
    a: Array,
    q: ArrayLike,
    axis: Axis = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: ArrayLike | None = None,
) -> Array:
    """`quantile` for q in percent.

    >>> mg.percentile(np.array([1.0, 2.0, 5.0]), [0, 50])
    array([1., 2.])
    """
    return _quantile(a, np.asarray(q, float) / 100, axis, method, keepdims, ignore_nan=False, weights=weights)


@implements(np.nanquantile)
def nanquantile(
    a: Array,
    q: ArrayLike,
    axis: Axis = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: ArrayLike | None = None,
) -> Array:
    """`quantile` of the entries that are not NaN; NaN where there is none.

    >>> mg.nanquantile(np.array([1.0, np.nan, 2.0]), 0.5)
    array(1.5)
    """
    return _quantile(a, q, axis, method, keepdims, ignore_nan=True, weights=weights)


@implements(np.nanpercentile)
def nanpercentile(
    a: Array,
    q: ArrayLike,
    axis: Axis = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: ArrayLike | None = None,
) -> Array:
    """`percentile` of the entries that are not NaN; NaN where there is none.

    >>> mg.nanpercentile(np.array([1.0, np.nan, 2.0]), 50)
    array(1.5)
    """
    return _quantile(a, np.asarray(q, float) / 100, axis, method, keepdims, ignore_nan=True, weights=weights)


@implements(np.nanmedian)
def nanmedian(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """`median` of the entries that are not NaN; NaN where there is none.

    >>> mg.nanmedian(np.array([1.0, np.nan, 2.0]))
    array(1.5)
    """
    return _quantile(a, 0.5, axis, "linear", keepdims, ignore_nan=True)


def _quantile(
    a: Array, q: Any, axis: Axis, method: Any, keepdims: bool, ignore_nan: bool, weights: Any = None
) -> Array:
    a, q = floating(a), np.asarray(q, float)
    n = _count(a, axis)
    if n == 0 and ignore_nan:
        # equivalent: any factor because NaN times a number is NaN
        return np.full((*q.shape, *_reduced_shape(a, axis, keepdims)), np.nan, a.dtype)[()]
    if n == 0:
        raise ValueError(f"a has no entries over axis {axis} (a {a.shape})")
    entries = axes_joined(a, axis)
    plain = array_of(entries)
    if weights is None:
        positions = _positions(plain, q.ravel(), method, ignore_nan)
    else:
        weights = axes_joined(np.broadcast_to(along_axes(np.asarray(weights), a, axis), a.shape), axis)
        positions = _weighted_positions(plain, weights, q.ravel(), method, ignore_nan)
    low = np.floor(positions).astype(int)
    high = np.minimum(low + 1, n - 1)
    order = _ordered(plain, np.unique((low, high)), weights)
    below, above = (np.take_along_axis(order, at, -1) for at in (low, high))
    found = _between(entries, below=below, above=above, part=(positions - low).astype(a.dtype))
    return reshape(moveaxis(found, -1, 0), (*q.shape, *_reduced_shape(a, axis, keepdims)))


def _ordered(entries, places, weights):
    """Indices of which those at these places are in order. NaN comes last.

    Of equal entries the one whose weight reaches q is meant, as `_weighted_positions` counts them.
    """
    if weights is not None:
        return np.argsort(entries, kind="stable")
    # equivalent: without np.zeros(entries.shape, int) if entries.shape[-1] == 1 else because it is only slower
    return np.zeros(entries.shape, int) if entries.shape[-1] == 1 else np.argpartition(entries, places)


@op(name="quantile")
def _between(a, *, below, above, part):
    """A = X (1 - t) + Y t, t = part, X and Y at the places below and above in the last axis: dA/dX = 1 - t, dA/dY = t.

    Y does not count where t = 0, and may be infinite there.
    """
    x, y = (np.take_along_axis(a, at, -1) for at in (below, above))
    exact, infinite = part == 0, np.isinf(x)
    rise = np.where(exact | infinite, 0, y - x)  # equivalent: 0 -> any number because another is selected
    # equivalent: 0 -> any number because another value is selected there
    mixture = np.where(infinite, x * (1 - part) + np.where(exact, 0, y) * part, x + part * rise)
    return np.where(exact, x, mixture)


@_between.vjp("a")
def _(g, out, a, below, above, part):
    index = (*np.indices((*below.shape[:-1], 1), sparse=True)[:-1], np.concatenate([below, above], -1))
    return scatter(np.concatenate([g * (1 - part), g * part], -1), index, a.shape)


def _positions(entries, q, method, ignore_nan):
    """Where the quantiles stand in order, by how many entries of each row are no NaN."""
    lead, n, nan = entries.shape[:-1], entries.shape[-1], np.isnan(entries)
    counts = n - np.sum(nan, axis=-1) if np.any(nan) else np.broadcast_to(n, lead)
    positions = np.empty((*lead, q.size))
    # equivalent: any change because both are the numbers that occur
    for count in np.unique(counts) if np.any(nan) else [n]:
        usable = count if ignore_nan else (count if count == n else 0)
        where = np.quantile(np.arange(float(usable)), q, method=method) if usable else n - 1.0
        positions[counts == count] = where
    return positions


def _weighted_positions(entries, weights, q, method, ignore_nan):
    """The same, as the quantiles of the places that the entries take in order."""
    places = np.argsort(np.argsort(entries, kind="stable"))
    places = np.where(np.isnan(entries), np.nan, places)
    quantile = np.nanquantile if ignore_nan else np.quantile
    positions = quantile(places, q, axis=-1, method=method, weights=weights)
    return np.moveaxis(np.nan_to_num(positions, nan=entries.shape[-1] - 1), 0, -1)


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

    fweights: how often each observation counts; aweights: how much. Without degrees of freedom, infinite or NaN.
    Raises ValueError for more than two axes and negative weights, TypeError for fweights that are no integers.

    >>> mg.cov(np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    ddof = int(bias == 0) if ddof is None else ddof
    if ddof != int(ddof):
        raise ValueError(f"cov: ddof must be an integer, not {ddof}")
    x = _variables(m, rowvar or np.ndim(m) == 1)
    if y is not None:
        x = np.concatenate([x, _variables(y, rowvar or len(np.atleast_2d(y)) == 1)])
    x = widened(x) if dtype is None else in_inexact_dtype(x, dtype)
    w = _weights_of(aweights, fweights)
    x = x - average(x, 1, w)[:, None]
    c = np.matmul(x if w is None else x * w, np.transpose(conj(x))) / _freedom(x.shape[1], w, aweights, ddof)
    return np.squeeze(c if dtype is not None else narrowed(c, m, *([] if y is None else [y])))


def _weights_of(aweights, fweights):
    weights = [floating(given) for given in (aweights, fweights) if given is not None]
    if any(w.ndim != 1 or np.any(w < 0) for w in weights):
        raise ValueError("cov: fweights and aweights must be vectors, of numbers that are not negative")
    if fweights is not None and np.any(np.rint(fweights) != fweights):
        raise TypeError("cov: fweights must be integers: how often each observation counts")
    return reduce(np.multiply, weights) if weights else None


def _freedom(count, w, aweights, ddof):
    """What the sums of products are divided by: the sum of the weights, less what the mean takes of it; or 0."""
    total = count if w is None else np.sum(w)
    return max(total - (ddof if aweights is None else ddof * np.sum(w * aweights) / total), 0)


def _variables(m, rowvar):
    m = inexact(m)
    if m.ndim > 2:
        raise ValueError(f"the variables must be the rows of a matrix, not {m.shape}")
    m = reshape(m, (1, -1)) if m.ndim < 2 else m
    return m if rowvar else np.transpose(m)


@implements(np.corrcoef)
def corrcoef(x: Array, y: Array | None = None, rowvar: bool = True, *, dtype: DType = None) -> Array:
    """The correlation coefficients of the variables; see `cov`. None is beyond -1 or 1 by rounding.

    >>> mg.corrcoef(np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])).round(6).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if np.ndim(c) == 0:
        return c / c
    deviations = np.sqrt(np.real(np.diagonal(c)))
    c = c / deviations[:, None] / deviations
    plain = array_of(c)
    within = np.clip(plain.view(plain.real.dtype), -1, 1).view(plain.dtype)  # real and imaginary parts
    return c + (within - plain)  # with the derivative of the quotient, also where that is beyond 1


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


@implements(np.histogram_bin_edges)
def histogram_bin_edges(a: Array, bins: Any = 10, range: Any = None, weights: Any = None) -> Array:
    """The edges of a histogram's bins, as np.histogram_bin_edges.

    They are at equal distances between the least and the greatest entry, or the ends of the range, and move with these.

    >>> mg.grad(lambda a: mg.histogram_bin_edges(a, 2)[1])(np.array([0.0, 3.0, 4.0]))
    array([0.5, 0. , 0.5])
    """
    a = arraylike(a)
    if a.dtype.kind == "c":
        raise TypeError(COMPLEX)
    if range is not None and plain_array(array_of(range), "histogram", "range", float).shape != (2,):
        raise ValueError(f"range must be a pair (least, greatest), not {range!r}")
    given = np.iterable(bins) and not isinstance(bins, str)
    bins = arraylike(bins) if given else bins
    edges = np.histogram_bin_edges(array_of(a), array_of(bins), array_of(range), array_of(weights))
    return bins if given else _moving(edges, a, range)


def _moving(edges, a, ends):
    """Edges at equal distances, with the derivatives of the first and last one."""
    if ends is None and not a.size:
        return edges
    low, high = [floating(end) - array_of(end) for end in ((np.min(a), np.max(a)) if ends is None else ends)]
    return edges + astype(np.linspace(low, high, edges.size), edges.dtype)


@implements(np.histogram)
def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: bool = False, weights: Array | None = None
) -> tuple[Array, Any]:
    """`(counts, edges)` as np.histogram; weights, which are summed in place of counts, are differentiated.

    So are the edges: they move with the least and greatest entry, and a density is divided by their distances.

    >>> mg.histogram(np.array([0.0, 1.0, 2.0]), 2, weights=np.array([1.0, 2.0, 4.0]))
    (array([1., 6.]), array([0., 1., 2.]))
    """
    entries = np.ravel(arraylike(a))
    edges = histogram_bin_edges(entries, bins, range)
    entries, plain = array_of(entries), array_of(edges)
    counts = np.histogram(entries, plain)[0] if weights is None else _weighted([entries], [plain], weights)
    return _per_volume(counts, [edges]) if density else counts, edges


@implements(np.histogramdd)
def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: bool = False, weights: Array | None = None
) -> tuple[Array, tuple[Array, ...]]:
    """`(counts, edges of each axis)` as np.histogramdd; weights, which are summed instead, are differentiated.

    >>> mg.histogramdd(np.array([[0.0, 0.0], [1.0, 2.0]]), 2, weights=np.array([1.0, 4.0]))[0]
    array([[1., 0.],
           [0., 4.]])
    """
    listed = isinstance(sample, (list, tuple))
    # equivalent: without if listed else sample because rows are stacked to the same points, slower
    points = arraylike(stack(sample) if listed else sample)
    if points.ndim != 2:
        raise ValueError(f"sample must be points (N, D), or a list of D arrays of coordinates, not {points.shape}")
    columns = [*(points if listed else points.T)]
    each = [[*x] if np.iterable(x) else [x] * len(columns) for x in (bins, range)]
    if {*map(len, each)} != {len(columns)}:
        wanted = f"one for each of {len(columns)} axes"
        raise ValueError(f"bins and range must be {wanted}, not {brief(bins)} and {brief(range)}")
    edges = tuple(map(histogram_bin_edges, columns, *each))
    arrays, plain = [*map(array_of, columns)], [*map(array_of, edges)]
    counts = np.histogramdd(arrays, plain)[0] if weights is None else _weighted(arrays, plain, weights)
    return _per_volume(counts, edges) if density else counts, edges


@implements(np.histogram2d)
def histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: bool = False, weights: Array | None = None
) -> tuple[Array, Any, Any]:
    """`(counts, edges in x, edges in y)` as np.histogram2d; weights are differentiated, see `histogramdd`.

    >>> mg.histogram2d(np.array([0.0, 1.0]), np.array([0.0, 2.0]), 2, weights=np.array([1.0, 4.0]))[0]
    array([[1., 0.],
           [0., 4.]])
    """
    if np.iterable(bins) and len([*bins]) not in (1, 2):
        bins = [bins, bins]  # one array of edges for both
    counts, edges = histogramdd([x, y], bins, range, density, weights)
    return counts, *edges


def _weighted(columns, edges, weights):
    """The sums of the weights of the points in each bin; the last edge belongs to the last bin."""
    weights = np.ravel(floating(weights))
    if weights.shape != columns[0].shape:
        raise ValueError(f"there must be a weight for each of {columns[0].size} points, not {weights.size}")
    axes = [*zip(columns, edges, strict=True)]
    inside = np.all([(x >= edge[0]) & (x <= edge[-1]) for x, edge in axes], axis=0)
    places = tuple(np.minimum(np.searchsorted(e, x[inside], "right") - 1, e.size - 2) for x, e in axes)
    return scatter(weights[inside], places, tuple(edge.size - 1 for edge in edges))


def _per_volume(counts, edges):
    counts = floating(counts)
    volumes = reduce(np.multiply.outer, [np.diff(edge) for edge in edges])
    return counts / astype(volumes, counts.dtype) / np.sum(counts)
