"""Ops that pick entries: getitem and its adjoint scatter, and what is an index in other words."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..errors import brief
from ..operation import array_of, arraylike, op
from ..stand_ins import implements
from ..summation import PairwiseSum, normalized_axis, total
from ..typing import Array, Axis, Index, IndicesLike, Shape
from .joining import by_runs, without_arguments
from .shaping import broadcast_to, expand_dims, moveaxis, ravel, reshape, swapaxes

__all__ = [
    "getitem", "scatter", "repeat", "flip", "fliplr", "flipud", "rot90", "diagonal", "take", "delete",
    "take_along_axis", "trace", "diag", "triu", "tril", "diagflat",
]  # fmt: skip


_FEW = 16  # places up to which an index takes no longer than np.take
_LONG_ROW, _MANY = 64, 2**15  # entries of a row, and of all, from which on whole rows are added
_BASIC = (int, np.integer, slice, type(None), type(...))  # parts of an index that name nothing twice
_OFTEN = 16  # rows that are added to one, one after another; more are added in float64


@op(complex=True)
def getitem(a: Array, index: Index) -> Array:
    """a[index]: slices, integers, integer and boolean arrays, as in NumPy. Adjoint: scatter.

    >>> x = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> x[[0, 0, 2]].data
    array([1., 1., 3.])
    >>> x[[0, 0, 2]].sum().backward()
    >>> x.grad
    array([2., 0., 1.])
    """
    parts = index if type(index) is tuple else (index,)
    # equivalent: never because what is indexed is the same, slower
    if parts and type(parts[-1]) is np.ndarray and _is_taken(a, *parts):
        return np.take(a, parts[-1], len(parts) - 1)
    return a[index]


# equivalent: any change because np.take and an index pick the same
def _is_taken(a, *parts):
    """Whether an index of whole axes and one array of integers picks so much that np.take is faster."""
    picks, whole = parts[-1], all(type(part) is slice and part == slice(None) for part in parts[:-1])
    return whole and len(parts) <= a.ndim and picks.dtype.kind in "iu" and picks.size >= _FEW and a.flags.c_contiguous


@getitem.vjp("a")
def _(g, out, a, index):
    return scatter(g, index, a.shape)


# equivalent: any change because each way of adding gives the same sums
@op(complex=True)
def scatter(a: Array, index: Index, shape: Shape) -> Array:
    """Zeros of `shape`, with `a` added at [index]. An entry that is indexed twice receives both. Adjoint: getitem.

    >>> mg.ops.scatter(np.array([1.0, 2.0, 4.0]), np.array([0, 0, 2]), (3,))
    array([3., 0., 4.])
    """
    out = np.zeros(shape, a.dtype)
    if _names_once(index) or not a.size:
        out[index] = a
    elif a.dtype.char not in "efd":
        np.add.at(out, index, a)
    elif (picked := _picked(index, out.shape)) is None:
        places = np.arange(out.size).reshape(shape)[index]
        _add(out, np.ravel(places), np.ravel(np.broadcast_to(a, places.shape)))
    else:
        before, picks, after = picked
        a = np.broadcast_to(a, (*before, *picks.shape, *after))
        if math.prod(after) > 1 and np.bincount(np.ravel(picks), minlength=1).max() <= 1:
            out.reshape(*before, -1, *after)[(*(slice(None),) * len(before), picks)] = a
            return out
        by_rows = a.dtype.char != "e" and math.prod(after) >= _LONG_ROW and a.size >= _MANY
        if not (by_rows and _add_rows(out, picked, a)):
            _add(out, _numbers(picked, out.shape), np.ravel(a))
    return out


@scatter.vjp("a")
def _(g, out, a, index, shape):
    return getitem(g, index)


# equivalent: any change because where it gives None, each entry is added by its number, to the same sums
def _picked(index, shape):
    """(sizes before, places, sizes after) of an index of whole axes around integer arrays; None for any other index.

    The arrays stand side by side, and their axes count as one.
    """
    parts = _written_out(index, len(shape))
    whole = [isinstance(p, slice) and p == slice(None) for p in parts]
    start, end = whole.index(False), len(parts) - whole[::-1].index(False)
    arrays = [np.asarray(p) for p in parts[start:end]]  # of objects where p is a slice or None
    if len(parts) > len(shape) or not all(p.dtype.kind in "iu" or (p.dtype == bool and p.ndim == 1) for p in arrays):
        return None
    counted = [np.arange(n)[p] for n, p in zip(shape[start:], arrays, strict=False)]  # none is negative or boolean
    places = counted[0] if len(counted) == 1 else np.ravel_multi_index(np.broadcast_arrays(*counted), shape[start:end])
    return shape[:start], places, shape[end:]


# equivalent: any change because where no whole axes are seen, each entry is added by its number
def _written_out(index, ndim):
    """The parts of an index, with whole axes in place of an Ellipsis."""
    parts = index if isinstance(index, tuple) else (index,)
    whole = [slice(None)] * (ndim - len(parts) + 1)
    return [part for p in parts for part in (whole if p is ... else [p])]


def _numbers(picked, shape):
    """The numbers of the entries that are picked, as one axis."""
    before, picks, after = picked
    # equivalent: never because what follows gives the same
    if not before and not after:
        return np.ravel(picks)
    count, size = math.prod(before), math.prod(after)
    starts = np.add.outer(np.arange(count) * (math.prod(shape) // count), np.ravel(picks) * size)
    return np.ravel(np.add.outer(starts, np.arange(size)))


def _add(out, numbers, values):
    """Add each value to the entry of its number, in float64: those of one entry first, if few entries are named."""
    flat = out.reshape(-1)
    # equivalent: any change because both give the same sums
    if 4 * values.size > flat.size:
        flat[...] = np.bincount(numbers, values, flat.size)
    else:
        named, numbers = np.unique(numbers, return_inverse=True)
        flat[named] = np.bincount(numbers, values, named.size)


# equivalent: any change because where it does not add all, the sums are made in the other way
def _add_rows(out, picked, values):
    """Add whole rows: the first one for each place, then the second one for each. False if one has too many."""
    before, picks, after = picked
    places, leading = np.ravel(picks), (slice(None),) * len(before)
    out, values = out.reshape(*before, -1, *after), values.reshape(*before, -1, *after)
    order = np.argsort(places, kind="stable")
    _, starts, counts = np.unique(places[order], return_index=True, return_counts=True)
    if counts.max() > _OFTEN:
        return False
    for i in range(counts.max()):
        rows = order[starts[counts > i] + i]
        out[(*leading, places[rows])] += values[(*leading, rows)]
    return True


def _names_once(index):
    """Whether no entry can be indexed twice: there is no integer array in the index."""
    parts = index if isinstance(index, tuple) else (index,)
    # equivalent: any factor because only its truth counts
    return all(p.dtype == bool if isinstance(p, np.ndarray) else isinstance(p, _BASIC) for p in parts)


@op(name="scatter", complex=True)
def _scattered(*arrays, indices, shape):
    """Zeros of `shape`, with each array added at its index, which names no entry twice."""
    gathered = PairwiseSum(np.zeros(shape, arrays[0].dtype))
    for a, index in zip(arrays, indices, strict=True):
        gathered.add_at(index, a, shape)
    return total(gathered)


@_scattered.vjp("arrays")
def _(i, g, out, *_, indices, shape):
    return getitem(g, indices[i])


getitem.places, getitem.together, _scattered.given_to_vjps = _names_once, _scattered, without_arguments


def _with_axis(name, a, axis):
    """An array with at least one axis, flattened for axis None, and the axis counted from 0."""
    a = ravel(a) if axis is None or np.ndim(a) == 0 else arraylike(a)
    return a, normalized_axis(0 if axis is None else axis, a.ndim, name)


def _slices_at(a, indices, axis):
    """The slices of `a` at the indices along the axis."""
    return getitem(a, (*(slice(None),) * axis, indices))


@implements(np.take)
def take(a: Array, indices: IndicesLike, axis: int | None = None, *, mode: str = "raise") -> Array:
    """The entries (or slices along an axis) at the given indices.

    >>> mg.take(np.array([1.0, 2.0, 3.0]), [2, 0, 0])
    array([3., 1., 1.])
    """
    a, axis = _with_axis("take", a, axis)
    places = np.take(np.arange(np.shape(a)[axis]), np.asarray(indices), mode=mode)  # type: ignore[call-overload]
    return _slices_at(a, places, axis)


@implements(np.take_along_axis)
def take_along_axis(arr: Array, indices: IndicesLike, axis: int | None = -1) -> Array:
    """The entries at the given indices along the axis, as np.take_along_axis matches them.

    >>> mg.take_along_axis(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1], [0]]), 1)
    array([[2.],
           [3.]])
    """
    arr, indices = arraylike(arr), np.asarray(indices)
    if axis is None:
        arr, axis = ravel(arr), 0
    axis = normalize_axis_index(axis, arr.ndim, "take_along_axis")
    if indices.ndim != arr.ndim:
        raise ValueError(f"take_along_axis: indices must have {arr.ndim} axes, as arr has, not shape {indices.shape}")
    if indices.dtype == bool:
        raise TypeError("take_along_axis: indices must be integers, not a mask")
    before, n, after = arr.shape[:axis], arr.shape[axis], arr.shape[axis + 1 :]
    size = math.prod(after)
    starts = np.add.outer(np.arange(math.prod(before)) * (n * size), np.arange(size)).reshape(*before, 1, *after)
    return getitem(ravel(arr), (np.arange(n) * size)[indices] + starts)


@implements(np.repeat)
def repeat(a: Array, repeats: IndicesLike, axis: int | None = None) -> Array:
    """Each entry repeated, along an axis or flattened.

    >>> mg.repeat(np.array([1.0, 2.0]), 2)
    array([1., 1., 2., 2.])
    """
    a, axis = _with_axis("repeat", a, axis)
    # equivalent: array_of(repeats) -> repeats because NumPy takes what a Tensor of integers holds
    times: Any = array_of(repeats)
    index = np.repeat(np.arange(a.shape[axis]), times)
    if np.ndim(times):
        return _slices_at(a, index, axis)
    spread = broadcast_to(expand_dims(a, axis + 1), (*a.shape[: axis + 1], int(times), *a.shape[axis + 1 :]))
    return reshape(spread, (*a.shape[:axis], index.size, *a.shape[axis + 1 :]))


@implements(np.delete)
def delete(arr: Array, obj: IndicesLike | slice, axis: int | None = None) -> Array:
    """The array without the slices at the given indices.

    >>> mg.delete(np.array([1.0, 2.0, 3.0]), 1)
    array([1., 3.])
    """
    arr, axis = (ravel(arr), 0) if axis is None else (arr, normalize_axis_index(axis, np.ndim(arr), "delete"))
    return by_runs(arr, np.delete(np.arange(np.shape(arr)[axis]), array_of(obj)), axis)


@implements(np.flip)
def flip(m: Array, axis: Axis = None) -> Array:
    """The entries in reverse order along the axis (None: along every axis).

    >>> mg.flip(np.array([1.0, 2.0, 3.0]))
    array([3., 2., 1.])
    """
    turned = range(np.ndim(m)) if axis is None else normalize_axis_tuple(axis, np.ndim(m), "flip")
    return getitem(m, tuple(slice(None, None, -1 if i in turned else 1) for i in range(np.ndim(m))))


@implements(np.fliplr)
def fliplr(m: Array) -> Array:
    """The columns in reverse order.

    >>> mg.fliplr(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[2., 1.],
           [4., 3.]])
    """
    if np.ndim(m) < 2:
        raise ValueError(f"fliplr: the array must have at least two axes, not shape {np.shape(m)}")
    return flip(m, 1)


@implements(np.flipud)
def flipud(m: Array) -> Array:
    """The rows in reverse order.

    >>> mg.flipud(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[3., 4.],
           [1., 2.]])
    """
    if np.ndim(m) < 1:
        raise ValueError(f"flipud: the array must have at least one axis, not shape {np.shape(m)}")
    return flip(m, 0)


@implements(np.rot90)
def rot90(m: Array, k: int = 1, axes: Sequence[int] = (0, 1)) -> Array:
    """Two axes, by default the first two, rotated by 90 degrees, k times.

    >>> mg.rot90(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[2., 4.],
           [1., 3.]])
    """
    if not isinstance(k, (int, np.integer)):
        raise TypeError(f"rot90: k must be an int, not {brief(k)}")
    if len(axes) != 2:
        raise ValueError(f"rot90: axes must be two, not {axes}")
    first, second = normalize_axis_tuple(axes, np.ndim(m), "rot90")
    turned = flip(m, {0: (), 1: second, 2: (first, second), 3: first}[k % 4])
    return swapaxes(turned, first, second) if k % 2 else turned


@implements(np.diagonal)
def diagonal(a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The entries where the indices of the two axes agree, up to an offset.

    >>> mg.diagonal(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([1., 4.])
    """
    if np.ndim(a) < 2:
        raise ValueError(f"diagonal: the array must have at least two axes, not shape {np.shape(a)}")
    a = moveaxis(a, normalize_axis_tuple((axis1, axis2), np.ndim(a), "diagonal"), (-2, -1))
    offset = operator.index(offset)  # NumPy's integers wrap around
    if array_of(a).strides[-2] < array_of(a).strides[-1]:  # a transpose, which reshape would copy
        a, offset = swapaxes(a, -1, -2), -offset
    rows, columns = a.shape[-2:]
    return getitem(reshape(a, (*a.shape[:-2], rows * columns)), (..., _diagonal(columns, offset)))


def _diagonal(columns, k):
    """The k-th diagonal of a matrix, as a slice of its entries in row-major order: it ends at the last row."""
    start, count = max(k, -k * columns), max(0, columns - max(k, 0))
    return slice(start, start + count * columns, columns + 1)


@implements(np.trace)
def trace(a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The sum of the diagonal.

    >>> mg.trace(np.array([[1.0, 2.0], [3.0, 4.0]]))
    np.float64(5.0)
    """
    return np.sum(diagonal(a, offset, axis1, axis2), axis=-1)


@implements(np.diag)
def diag(v: Array, k: int = 0) -> Array:
    """The k-th diagonal of a matrix, or the matrix with v as its k-th diagonal.

    >>> mg.diag(np.array([1.0, 2.0]))
    array([[1., 0.],
           [0., 2.]])
    >>> mg.diag(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([1., 4.])
    """
    if np.ndim(v) not in (1, 2):
        raise ValueError(f"diag: v must have one axis or two, not shape {np.shape(v)}")
    n = np.shape(v)[0] + abs(operator.index(k))
    return diagonal(v, k) if np.ndim(v) == 2 else reshape(scatter(v, _diagonal(n, operator.index(k)), (n * n,)), (n, n))


def _below(m, k):
    """Return the mask of the entries on or below the k-th diagonal of the last two axes."""
    sides = np.shape(m)[-2:]  # of a single axis, every row of a square
    # equivalent: any factor; without , dtype=bool because only whether an entry is 0 counts
    return np.tri(sides[0], sides[-1], k, dtype=bool)


@implements(np.triu)
def triu(m: Array, k: int = 0) -> Array:
    """The array with zeros below the k-th diagonal of its last two axes.

    >>> mg.triu(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[1., 2.],
           [0., 4.]])
    """
    m = arraylike(m)
    return np.where(_below(m, k - 1), m.dtype.type(0), m)


@implements(np.tril)
def tril(m: Array, k: int = 0) -> Array:
    """The array with zeros above the k-th diagonal of its last two axes.

    >>> mg.tril(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[1., 0.],
           [3., 4.]])
    """
    m = arraylike(m)
    return np.where(_below(m, k), m, m.dtype.type(0))


@implements(np.diagflat)
def diagflat(v: Array, k: int = 0) -> Array:
    """The matrix with the flattened array as its k-th diagonal.

    >>> mg.diagflat(np.array([[1.0, 2.0]]))
    array([[1., 0.],
           [0., 2.]])
    """
    return np.diag(ravel(v), k)
