"""Ops that move entries and compute nothing: each VJP moves g back.

Adjoint pairs: reshape and transpose with their inverses, broadcast_to and sum, getitem and scatter.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..errors import named
from ..operation import array_of, arraylike, op
from ..stand_ins import implements
from ..typing import Array, Axis, DType, Index, IndicesLike, Order, Shape
from .arithmetic import astype

__all__ = [
    "reshape", "ravel", "flatten", "transpose", "swapaxes", "matrix_transpose", "moveaxis", "expand_dims",
    "squeeze", "broadcast_to", "getitem", "scatter", "concatenate", "full_like", "stack", "hstack", "vstack",
    "dstack", "column_stack", "append", "atleast_1d", "atleast_2d", "meshgrid", "array_split", "split", "hsplit",
    "vsplit", "dsplit", "broadcast_arrays", "tile", "repeat", "roll", "flip", "fliplr", "flipud", "rot90",
    "diagonal", "take", "delete", "rollaxis", "take_along_axis", "sort", "trace", "diag", "triu", "tril",
]  # fmt: skip


@implements(np.reshape)
@op(complex=True)
def reshape(a: Array, shape: Shape, order: Order = "C") -> Array:
    """The same entries in another shape, read and written in row-major order (`order="F"`: column-major).

    Raises ValueError for other orders and for a shape of another size.

    >>> mg.reshape(np.arange(6.0), (2, 3))
    array([[0., 1., 2.],
           [3., 4., 5.]])
    """
    if order not in ("C", "F"):
        raise ValueError(f"reshape: order must be 'C' or 'F', not {order!r}")
    return np.reshape(a, shape, order=order)


@reshape.vjp("a")
def _(g, out, a, shape, order):
    return np.reshape(g, a.shape, order=order)


@implements(np.ravel)
def ravel(a: Array, order: Order = "C") -> Array:
    """The entries as one axis.

    >>> mg.ravel(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([1., 2., 3., 4.])
    """
    return reshape(a, -1, order)


@named
def flatten(a: Array) -> Array:
    """The entries as one axis, in row-major order.

    >>> mg.flatten(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([1., 2., 3., 4.])
    """
    return ravel(a)


@implements(np.transpose, np.permute_dims)
@op(complex=True)
def transpose(a: Array, axes: Sequence[int] | None = None) -> Array:
    """The axes in another order (reversed by default). The VJP applies the inverse permutation.

    >>> mg.transpose(np.ones((2, 3, 4))).shape
    (4, 3, 2)
    >>> mg.transpose(np.ones((2, 3, 4)), (0, 2, 1)).shape
    (2, 4, 3)
    """
    return np.transpose(a, axes)


@transpose.vjp("a")
def _(g, out, a, axes):
    inverse = None if axes is None else tuple(np.argsort(np.atleast_1d(axes) % a.ndim).tolist())
    return np.transpose(g, inverse)


@implements(np.swapaxes)
def swapaxes(a: Array, axis1: int, axis2: int) -> Array:
    """Exchange two axes.

    >>> mg.swapaxes(np.ones((2, 3, 4)), 0, -1).shape
    (4, 3, 2)
    """
    axes = list(range(np.ndim(a)))
    i, j = (normalize_axis_index(axis, len(axes), "swapaxes") for axis in (axis1, axis2))
    axes[i], axes[j] = axes[j], axes[i]
    return transpose(a, tuple(axes))


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x: Array) -> Array:
    """The last two axes exchanged.

    >>> mg.matrix_transpose(np.ones((2, 3, 4))).shape
    (2, 4, 3)
    """
    return swapaxes(x, -1, -2)


@implements(np.moveaxis)
def moveaxis(a: Array, source: Shape, destination: Shape) -> Array:
    """Move the axis (or axes) at `source` to `destination`.

    >>> mg.moveaxis(np.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    numbered = np.empty(tuple(range(np.ndim(a))))  # the size of axis i is i, so a shape is a permutation
    return transpose(a, np.moveaxis(numbered, source, destination).shape)


@implements(np.expand_dims)
def expand_dims(a: Array, axis: int | tuple[int, ...]) -> Array:
    """Insert an axis of size 1 at each position in `axis`.

    >>> mg.expand_dims(np.ones((2, 3)), 1).shape
    (2, 1, 3)
    """
    return reshape(a, np.expand_dims(array_of(a), axis).shape)


@implements(np.squeeze)
def squeeze(a: Array, axis: Axis = None) -> Array:
    """Drop axes of size 1.

    >>> mg.squeeze(np.ones((2, 1, 3, 1))).shape
    (2, 3)
    """
    return reshape(a, np.squeeze(array_of(a), axis).shape)


@implements(np.broadcast_to)
@op(complex=True)
def broadcast_to(array: Array, shape: Shape) -> Array:
    """The array repeated along new axes and axes of size 1. Its adjoint is the sum over them, which the sweep does.

    >>> mg.broadcast_to(np.array([1.0, 2.0]), (2, 2))
    array([[1., 2.],
           [1., 2.]])
    """
    return np.broadcast_to(array, shape)


@broadcast_to.vjp("array")
def _(g, out, array, shape):
    return g


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
    return a[index]


@op(complex=True)
def scatter(a: Array, index: Index, shape: Shape) -> Array:
    """Zeros of `shape`, with `a` added at [index]. An entry that is indexed twice receives both. Adjoint: getitem.

    >>> mg.ops.scatter(np.array([1.0, 2.0, 4.0]), np.array([0, 0, 2]), (3,))
    array([3., 0., 4.])
    """
    out = np.zeros(shape, a.dtype)
    if _names_once(index) or not a.size:
        out[index] = a
    elif a.dtype.char == "e" or (a.dtype.char in "fd" and 4 * a.size > out.size):
        places = np.arange(out.size).reshape(shape)[index]
        out[...] = np.bincount(np.ravel(places), np.ravel(np.broadcast_to(a, places.shape)), out.size).reshape(shape)
    elif a.dtype.char in "fd" and (rows := _rows(index, out.shape)) is not None:  # add those that meet, then assign
        parts, ends = np.unique(rows, return_inverse=True), out.shape[len(index) if isinstance(index, tuple) else 1 :]
        values = np.broadcast_to(a, (*rows.shape, *ends))
        out.reshape(-1, *ends)[parts[0]] = scatter(values, parts[1].reshape(rows.shape), (parts[0].size, *ends))
    else:
        np.add.at(out, index, a)
    return out


def _rows(index, shape):
    """The rows that integer arrays name along the leading axes, counted as one axis; None for any other index."""
    parts = index if isinstance(index, tuple) else (index,)
    if any(p is None or p is ... or isinstance(p, slice) or np.asarray(p).dtype.kind not in "iu" for p in parts):
        return None
    counted = [np.arange(n)[np.asarray(p)] for n, p in zip(shape, parts, strict=False)]  # from 0, and none is outside
    return np.ravel_multi_index(np.broadcast_arrays(*counted), shape[: len(parts)])


def _names_once(index):
    """Whether no entry can be indexed twice: there is no integer array in the index."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(p is None or p is ... or isinstance(p, (int, np.integer, slice)) for p in parts) or (
        isinstance(index, np.ndarray) and index.dtype == bool
    )


@getitem.vjp("a")
def _(g, out, a, index):
    return scatter(g, index, a.shape)


@scatter.vjp("a")
def _(g, out, a, index, shape):
    return getitem(g, index)


@op(name="concatenate", complex=True)
def _join(*arrays, axis):
    return np.concatenate(arrays, axis=axis)


@_join.vjp("arrays")
def _(i, g, out, *arrays, axis):
    """Array i is the part of out that starts where the arrays before it end."""
    if axis is None:
        starts = list(itertools.accumulate((math.prod(np.shape(a)) for a in arrays), initial=0))
        return np.reshape(g[starts[i] : starts[i + 1]], arrays[i].shape)
    axis %= out.ndim
    starts = list(itertools.accumulate((np.shape(a)[axis] for a in arrays), initial=0))
    return g[(slice(None),) * axis + (slice(starts[i], starts[i + 1]),)]


@implements(np.concatenate)
def concatenate(arrays: Sequence[Array], axis: int | None = 0) -> Array:
    """The arrays one after another along an existing axis (axis None: flattened). The VJP cuts g up again.

    >>> mg.concatenate([np.array([1.0, 2.0]), np.array([3.0])])
    array([1., 2., 3.])
    """
    return _join(*arrays, axis=axis)


@implements(np.full_like)
def full_like(a: Any, fill_value: Array, dtype: DType = None) -> Array:
    """The fill value, broadcast to the shape of `a`, in its dtype unless another is given.

    >>> mg.full_like(np.zeros((2, 2)), 7.0)
    array([[7., 7.],
           [7., 7.]])
    """
    return astype(broadcast_to(fill_value, np.shape(a)), dtype or arraylike(a).dtype)


@implements(np.stack)
def stack(arrays: Sequence[Array], axis: int = 0) -> Array:
    """The arrays, all of one shape, along a new axis. Raises ValueError if the shapes differ.

    >>> mg.stack([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
    array([[1., 2.],
           [3., 4.]])
    """
    arrays = list(arrays)
    shapes = {np.shape(a) for a in arrays}
    if len(shapes) != 1:
        found = ", ".join(map(str, sorted(shapes))) or "nothing"
        raise ValueError(f"stack: the arrays must have one shape, not {found}")
    return _stacked(*arrays, axis=normalize_axis_index(axis, len(shapes.pop()) + 1, "stack"))


@op(name="stack", complex=True)
def _stacked(*arrays, axis):
    return np.stack(arrays, axis)


@_stacked.vjp("arrays")
def _(i, g, out, *arrays, axis):
    return g[(*(slice(None),) * axis, i)]


@implements(np.hstack)
def hstack(tup: Sequence[Array]) -> Array:
    """The arrays side by side: along the second axis, or the first for arrays of one axis.

    >>> mg.hstack([np.array([1.0, 2.0]), np.array([3.0])])
    array([1., 2., 3.])
    """
    arrays = [atleast_1d(a) for a in tup]
    return concatenate(arrays, 0 if np.ndim(arrays[0]) == 1 else 1)


@implements(np.vstack)
def vstack(tup: Sequence[Array]) -> Array:
    """The arrays as rows below one another.

    >>> mg.vstack([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
    array([[1., 2.],
           [3., 4.]])
    """
    return concatenate([atleast_2d(a) for a in tup], 0)


@implements(np.dstack)
def dstack(tup: Sequence[Array]) -> Array:
    """The arrays one after another along the third axis.

    >>> mg.dstack([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
    array([[[1., 3.],
            [2., 4.]]])
    """
    shapes = [np.atleast_3d(array_of(a)).shape for a in tup]
    return concatenate([reshape(a, shape) for a, shape in zip(tup, shapes, strict=True)], 2)


@implements(np.column_stack)
def column_stack(tup: Sequence[Array]) -> Array:
    """The arrays side by side, those of one axis as columns.

    >>> mg.column_stack([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
    array([[1., 3.],
           [2., 4.]])
    """
    return concatenate([a if np.ndim(a) > 1 else reshape(a, (-1, 1)) for a in tup], 1)


@implements(np.append)
def append(arr: Array, values: Array, axis: int | None = None) -> Array:
    """The values after the array, both flattened unless an axis is given.

    >>> mg.append(np.array([1.0, 2.0]), 3.0)
    array([1., 2., 3.])
    """
    return concatenate([arr, values], axis)


@implements(np.atleast_1d)
def atleast_1d(a: Array) -> Array:
    """The array; a scalar becomes an array of one entry.

    >>> mg.atleast_1d(3.0)
    array([3.])
    """
    return a if np.ndim(a) else reshape(a, 1)


@implements(np.atleast_2d)
def atleast_2d(a: Array) -> Array:
    """The array as a matrix. An array of one axis becomes a row.

    >>> mg.atleast_2d(np.array([1.0, 2.0]))
    array([[1., 2.]])
    """
    return a if np.ndim(a) > 1 else reshape(a, (1, -1))


@implements(np.meshgrid)
def meshgrid(*xi: Array, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Array, ...]:
    """The coordinates of a grid, one array for each axis; indexing "xy" exchanges the first two axes.

    sparse: leave the axes that a coordinate does not depend on at size 1. `copy` changes nothing.

    >>> x, y = mg.meshgrid(np.array([1.0, 2.0]), np.array([5.0, 6.0]))
    >>> x
    array([[1., 2.],
           [1., 2.]])
    >>> y
    array([[5., 5.],
           [6., 6.]])
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij', not {indexing!r}")
    grids: Any = [reshape(x, (1,) * i + (-1,) + (1,) * (len(xi) - 1 - i)) for i, x in enumerate(xi)]
    grids = tuple(grids) if sparse else broadcast_arrays(*grids)
    return tuple(swapaxes(a, 0, 1) for a in grids) if indexing == "xy" and len(xi) > 1 else grids


@implements(np.array_split)
def array_split(ary: Array, indices_or_sections: IndicesLike, axis: int = 0) -> list[Array]:
    """The pieces of the array along the axis, as np.array_split cuts them.

    >>> mg.array_split(np.arange(5.0), 2)
    [array([0., 1., 2.]), array([3., 4.])]
    """
    pieces = np.array_split(np.arange(np.shape(ary)[axis]), array_of(indices_or_sections))
    return _cut(ary, pieces, axis)


@implements(np.split)
def split(ary: Array, indices_or_sections: IndicesLike, axis: int = 0) -> list[Array]:
    """Equal pieces of the array along the axis, or the pieces between the given indices.

    >>> mg.split(np.arange(5.0), [2, 3])
    [array([0., 1.]), array([2.]), array([3., 4.])]
    """
    pieces = np.split(np.arange(np.shape(ary)[axis]), array_of(indices_or_sections))
    return _cut(ary, pieces, axis)


def _cut(a, pieces, axis):
    """The slice of the array for each piece of its range of indices."""
    before = (slice(None),) * normalize_axis_index(axis, np.ndim(a), "split")
    return [a[(*before, slice(p[0], p[-1] + 1) if len(p) else slice(0))] for p in pieces]


@implements(np.hsplit)
def hsplit(ary: Array, indices_or_sections: IndicesLike) -> list[Array]:
    """`split` along the second axis, or the first for an array of one axis.

    >>> mg.hsplit(np.arange(4.0), 2)
    [array([0., 1.]), array([2., 3.])]
    """
    return split(ary, indices_or_sections, 0 if np.ndim(ary) == 1 else 1)


@implements(np.vsplit)
def vsplit(ary: Array, indices_or_sections: IndicesLike) -> list[Array]:
    """`split` along the first of at least two axes. Raises ValueError for fewer.

    >>> mg.vsplit(np.arange(4.0).reshape(2, 2), 2)
    [array([[0., 1.]]), array([[2., 3.]])]
    """
    if np.ndim(ary) < 2:
        raise ValueError(f"vsplit: the array must have at least two axes, not shape {np.shape(ary)}")
    return split(ary, indices_or_sections, 0)


@implements(np.dsplit)
def dsplit(ary: Array, indices_or_sections: IndicesLike) -> list[Array]:
    """`split` along the third axis.

    >>> [part.shape for part in mg.dsplit(np.ones((2, 3, 4)), 2)]
    [(2, 3, 2), (2, 3, 2)]
    """
    return split(ary, indices_or_sections, 2)


@implements(np.broadcast_arrays)
def broadcast_arrays(*args: Array) -> tuple[Array, ...]:
    """The arrays, each broadcast to the shape of all of them together.

    >>> [a.tolist() for a in mg.broadcast_arrays(np.array([1.0, 2.0]), np.array([[5.0], [6.0]]))]
    [[[1.0, 2.0], [1.0, 2.0]], [[5.0, 5.0], [6.0, 6.0]]]
    """
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(broadcast_to(a, shape) for a in args)


def _moved(function, a, *arguments, **options):
    """Index the entries as `function` moves an array of their positions. The adjoint is scatter."""
    numbered = np.arange(math.prod(np.shape(a))).reshape(np.shape(a))
    return getitem(ravel(a), function(numbered, *map(array_of, arguments), **options))


def _with_axis(name, a, axis):
    """An array with at least one axis, flattened for axis None, and the axis counted from 0."""
    a = ravel(a) if axis is None or np.ndim(a) == 0 else arraylike(a)
    return a, normalize_axis_index(axis or 0, a.ndim, name)


def _along(a, indices, axis):
    """The slices of `a` at the indices along the axis."""
    return getitem(a, (*(slice(None),) * axis, indices))


@implements(np.tile)
def tile(A: Array, reps: Shape) -> Array:
    """The array repeated `reps` times along each axis.

    >>> mg.tile(np.array([1.0, 2.0]), 2)
    array([1., 2., 1., 2.])
    """
    a, times = arraylike(A), tuple(np.atleast_1d(array_of(reps)).tolist())
    shape, times = (1,) * (len(times) - a.ndim) + a.shape, (1,) * (a.ndim - len(times)) + times
    apart = tuple(size for n in shape for size in (1, n))
    spread = tuple(size for pair in zip(times, shape, strict=True) for size in pair)
    return reshape(broadcast_to(reshape(a, apart), spread), tuple(map(math.prod, zip(times, shape, strict=True))))


@implements(np.repeat)
def repeat(a: Array, repeats: IndicesLike, axis: int | None = None) -> Array:
    """Each entry repeated, along an axis or flattened.

    >>> mg.repeat(np.array([1.0, 2.0]), 2)
    array([1., 1., 2., 2.])
    """
    a, axis = _with_axis("repeat", a, axis)
    times: Any = array_of(repeats)
    index = np.repeat(np.arange(a.shape[axis]), times)
    if np.ndim(times):
        return _along(a, index, axis)
    spread = broadcast_to(expand_dims(a, axis + 1), (*a.shape[: axis + 1], int(times), *a.shape[axis + 1 :]))
    return reshape(spread, (*a.shape[:axis], index.size, *a.shape[axis + 1 :]))


@implements(np.roll)
def roll(a: Array, shift: Shape, axis: Axis = None) -> Array:
    """The entries shifted along the axis. Those that leave at the end enter at the start.

    >>> mg.roll(np.array([1.0, 2.0, 3.0]), 1)
    array([3., 1., 2.])
    """
    a, shift = arraylike(a), array_of(shift)
    if axis is None:
        return reshape(roll(ravel(a), shift, 0), a.shape)
    if np.ndim(shift) > 1:
        raise ValueError(f"roll: shift must be an int or a sequence of ints, not of shape {np.shape(shift)}")
    for places, i in np.broadcast(shift, normalize_axis_tuple(axis, a.ndim, "roll", allow_duplicate=True)):
        # equivalent: a.shape[i] or 1 -> a.shape[i] or 2 because an empty axis has no parts to exchange
        start = a.shape[i] - int(places) % (a.shape[i] or 1)
        before = (slice(None),) * i
        a = concatenate([a[(*before, slice(start, None))], a[(*before, slice(start))]], i)
    return a


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
    return _moved(np.rot90, m, k, axes)


@implements(np.diagonal)
def diagonal(a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The entries where the indices of the two axes agree, up to an offset.

    >>> mg.diagonal(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([1., 4.])
    """
    return _moved(np.diagonal, a, offset, axis1, axis2)


@implements(np.take)
def take(a: Array, indices: IndicesLike, axis: int | None = None, *, mode: str = "raise") -> Array:
    """The entries (or slices along an axis) at the given indices.

    >>> mg.take(np.array([1.0, 2.0, 3.0]), [2, 0, 0])
    array([3., 1., 1.])
    """
    a, axis = _with_axis("take", a, axis)
    places = np.take(np.arange(np.shape(a)[axis]), array_of(indices), mode=mode)  # type: ignore[call-overload]
    return _along(a, places, axis)


@implements(np.delete)
def delete(arr: Array, obj: Index, axis: int | None = None) -> Array:
    """The array without the slices at the given indices.

    >>> mg.delete(np.array([1.0, 2.0, 3.0]), 1)
    array([1., 3.])
    """
    arr, axis = (ravel(arr), 0) if axis is None else (arr, normalize_axis_index(axis, np.ndim(arr), "delete"))
    return _along(arr, np.delete(np.arange(np.shape(arr)[axis]), array_of(obj)), axis)


@implements(np.rollaxis)
def rollaxis(a: Array, axis: int, start: int = 0) -> Array:
    """The axis moved back until it stands before the axis `start`.

    >>> mg.rollaxis(np.ones((2, 3, 4)), 2).shape
    (4, 2, 3)
    """
    return _moved(np.rollaxis, a, axis, start)


@implements(np.take_along_axis)
def take_along_axis(arr: Array, indices: IndicesLike, axis: int | None = -1) -> Array:
    """The entries at the given indices along the axis, as np.take_along_axis matches them.

    >>> mg.take_along_axis(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1], [0]]), 1)
    array([[2.],
           [3.]])
    """
    return _moved(np.take_along_axis, arr, np.asarray(array_of(indices)), axis)


@implements(np.sort)
def sort(a: Array, axis: int | None = -1, kind: str | None = None, *, stable: bool | None = None) -> Array:
    """The entries in ascending order along the axis (None: flattened). Tied entries keep their order.

    `kind` and `stable` change nothing.

    >>> mg.sort(np.array([3.0, 1.0, 2.0]))
    array([1., 2., 3.])
    >>> _, pullback = mg.vjp(mg.sort, np.array([3.0, 1.0, 2.0]))
    >>> pullback(np.array([10.0, 20.0, 30.0]))
    (array([30., 10., 20.]),)
    """
    return take_along_axis(a, np.argsort(a, axis=axis, kind="stable"), axis)


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
    if np.ndim(v) == 2:
        return diagonal(v, k)
    where = np.nonzero(np.diag(np.ones(np.shape(v)), k))
    n = np.shape(v)[0] + abs(k)
    return scatter(v, where, (n, n))


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
    return np.where(_below(m, k - 1), 0, m)


@implements(np.tril)
def tril(m: Array, k: int = 0) -> Array:
    """The array with zeros above the k-th diagonal of its last two axes.

    >>> mg.tril(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[1., 0.],
           [3., 4.]])
    """
    return np.where(_below(m, k), m, 0)
