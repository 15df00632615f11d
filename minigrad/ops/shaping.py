"""Ops that move entries and compute nothing: each VJP moves g back.

Adjoint pairs: reshape and transpose with their inverses, broadcast_to and sum, pad and its
crop, getitem and scatter.
"""

import itertools
import math
from functools import wraps

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..operation import array_of, arraylike, implements, op
from .arithmetic import astype


@implements(np.reshape)
@op
def reshape(a, shape, order="C"):
    """The same entries in another shape, read and written in row-major order (`order="F"`: column-major)."""
    if order not in ("C", "F"):
        raise ValueError(f"reshape: order must be 'C' or 'F', not {order!r}")
    return np.reshape(a, shape, order=order)


@reshape.vjp("a")
def _(g, out, a, shape, order):
    return np.reshape(g, a.shape, order=order)


@implements(np.ravel)
def ravel(a, order="C"):
    """The entries as one axis."""
    return reshape(a, -1, order)


def flatten(a):
    """The entries as one axis, in row-major order."""
    return ravel(a)


@implements(np.transpose, np.permute_dims)
@op
def transpose(a, axes=None):
    """The axes in another order (reversed by default). The VJP applies the inverse permutation."""
    return np.transpose(a, axes)


@transpose.vjp("a")
def _(g, out, a, axes):
    inverse = None if axes is None else tuple(np.argsort(np.atleast_1d(axes) % max(a.ndim, 1)).tolist())
    return np.transpose(g, inverse)


@implements(np.swapaxes)
def swapaxes(a, axis1, axis2):
    """Exchange two axes."""
    axes = list(range(np.ndim(a)))
    i, j = (normalize_axis_index(axis, len(axes), "swapaxes") for axis in (axis1, axis2))
    axes[i], axes[j] = axes[j], axes[i]
    return transpose(a, tuple(axes))


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x):
    """The last two axes exchanged."""
    return swapaxes(x, -1, -2)


@implements(np.moveaxis)
def moveaxis(a, source, destination):
    """Move the axis (or axes) at `source` to `destination`."""
    numbered = np.empty(tuple(range(np.ndim(a))))  # the size of axis i is i, so a shape is a permutation
    return transpose(a, np.moveaxis(numbered, source, destination).shape)


@implements(np.expand_dims)
def expand_dims(a, axis):
    """Insert an axis of size 1 at each position that `axis` names."""
    return reshape(a, np.expand_dims(array_of(a), axis).shape)


@implements(np.squeeze)
def squeeze(a, axis=None):
    """Drop axes of size 1."""
    return reshape(a, np.squeeze(array_of(a), axis).shape)


@implements(np.broadcast_to)
@op
def broadcast_to(array, shape):
    """The array repeated along new axes and axes of size 1. The sweep sums g back: the adjoint."""
    return np.broadcast_to(array, shape)


@broadcast_to.vjp("array")
def _(g, out, array, shape):
    return g


@op
def getitem(a, index):
    """a[index]: slices, integers, integer and boolean arrays, as in NumPy. Adjoint: scatter."""
    return a[index]


@op
def scatter(a, index, shape):
    """Zeros of `shape`, with `a` added at [index]; an entry named twice receives both. Adjoint: getitem."""
    out = np.zeros(shape, a.dtype)
    if _names_once(index):
        out[index] = a
    else:
        np.add.at(out, index, a)
    return out


def _names_once(index):
    """Whether no entry can be named twice: no integer array in the index."""
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


@op(name="concatenate")
def _join(*arrays, axis):
    return np.concatenate(arrays, axis=axis)


@_join.vjp("arrays")
def _(i, g, out, *arrays, axis):
    """Array i is the part of out that starts where the arrays before it end."""
    if axis is None:
        starts = list(itertools.accumulate((math.prod(a.shape) for a in arrays), initial=0))
        return np.reshape(g[starts[i] : starts[i + 1]], arrays[i].shape)
    axis %= out.ndim
    starts = list(itertools.accumulate((a.shape[axis] for a in arrays), initial=0))
    return g[(slice(None),) * axis + (slice(starts[i], starts[i + 1]),)]


@implements(np.concatenate)
def concatenate(arrays, axis=0):
    """The arrays one after another along an existing axis (axis None: flattened). The VJP cuts g up again."""
    return _join(*arrays, axis=axis)


@implements(np.full_like)
def full_like(a, fill_value, dtype=None):
    """The fill value, broadcast to the shape of `a`, in its dtype unless another is given."""
    return astype(broadcast_to(fill_value, np.shape(a)), dtype or arraylike(a).dtype)


@implements(np.stack)
def stack(arrays, axis=0):
    """The arrays, all of one shape, along a new axis."""
    arrays = list(arrays)
    shapes = {np.shape(a) for a in arrays}
    if len(shapes) != 1:
        found = ", ".join(map(str, sorted(shapes))) or "nothing"
        raise ValueError(f"stack: the arrays must have one shape, not {found}")
    return concatenate([expand_dims(a, axis) for a in arrays], axis)


@implements(np.pad)
@op
def pad(array, pad_width, mode="constant", *, constant_values=0):
    """The array with a constant border; `pad_width` as in np.pad. Adjoint: cropping the border off.

    Raises ValueError for the modes that fill the border from the array.
    """
    if mode != "constant":
        raise ValueError(f"pad: mode must be 'constant', not {mode!r}")
    if isinstance(pad_width, dict):
        raise TypeError("pad: pad_width must be a number or pairs of numbers, not a dict")
    return np.pad(array, pad_width, constant_values=constant_values)


@pad.vjp("array")
def _(g, out, array, pad_width, mode, constant_values):
    before = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2))[:, 0]
    return g[tuple(slice(int(b), int(b) + n) for b, n in zip(before, array.shape, strict=True))]


@implements(np.hstack)
def hstack(tup):
    """The arrays side by side: along the second axis, or the first of one-axis arrays."""
    arrays = [atleast_1d(a) for a in tup]
    return concatenate(arrays, 0 if np.ndim(arrays[0]) == 1 else 1)


@implements(np.vstack)
def vstack(tup):
    """The arrays as rows below one another."""
    return concatenate([atleast_2d(a) for a in tup], 0)


@implements(np.dstack)
def dstack(tup):
    """The arrays behind one another along the third axis."""
    shapes = [np.atleast_3d(array_of(a)).shape for a in tup]
    return concatenate([reshape(a, shape) for a, shape in zip(tup, shapes, strict=True)], 2)


@implements(np.column_stack)
def column_stack(tup):
    """The arrays side by side, one-axis arrays as columns."""
    return concatenate([a if np.ndim(a) > 1 else reshape(a, (-1, 1)) for a in tup], 1)


@implements(np.append)
def append(arr, values, axis=None):
    """The values after the array, both flattened unless an axis is given."""
    return concatenate([arr, values], axis)


@implements(np.atleast_1d)
def atleast_1d(a):
    """The array, a scalar as one of one entry."""
    return a if np.ndim(a) else reshape(a, 1)


@implements(np.atleast_2d)
def atleast_2d(a):
    """The array as a matrix: one axis as a row."""
    return a if np.ndim(a) > 1 else reshape(a, (1, -1))


@implements(np.meshgrid)
def meshgrid(*xi, indexing="xy"):
    """The coordinates of a grid, one array for each axis; indexing "xy" exchanges the first two axes."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij', not {indexing!r}")
    grids = [reshape(x, (-1,) + (1,) * (len(xi) - 1 - i)) for i, x in enumerate(xi)]
    grids = broadcast_arrays(*grids)
    return tuple(swapaxes(a, 0, 1) for a in grids) if indexing == "xy" and len(xi) > 1 else grids


@implements(np.array_split)
def array_split(ary, indices_or_sections, axis=0):
    """The pieces of the array along the axis, as np.array_split cuts them."""
    pieces = np.array_split(np.arange(np.shape(ary)[axis]), array_of(indices_or_sections))
    return _cut(ary, pieces, axis)


@implements(np.split)
def split(ary, indices_or_sections, axis=0):
    """Equal pieces of the array along the axis, or the pieces between the given indices."""
    pieces = np.split(np.arange(np.shape(ary)[axis]), array_of(indices_or_sections))
    return _cut(ary, pieces, axis)


def _cut(a, pieces, axis):
    """One slice of the array for each piece of its range of indices."""
    before = (slice(None),) * normalize_axis_index(axis, np.ndim(a), "split")
    return [a[(*before, slice(p[0], p[-1] + 1) if len(p) else slice(0))] for p in pieces]


@implements(np.hsplit)
def hsplit(ary, indices_or_sections):
    """`split` along the second axis, or the first of a one-axis array."""
    return split(ary, indices_or_sections, 0 if np.ndim(ary) == 1 else 1)


@implements(np.vsplit)
def vsplit(ary, indices_or_sections):
    """`split` along the first of at least two axes."""
    if np.ndim(ary) < 2:
        raise ValueError(f"vsplit: the array must have at least two axes, not shape {np.shape(ary)}")
    return split(ary, indices_or_sections, 0)


@implements(np.dsplit)
def dsplit(ary, indices_or_sections):
    """`split` along the third axis."""
    return split(ary, indices_or_sections, 2)


@implements(np.broadcast_arrays)
def broadcast_arrays(*args):
    """The arrays, each broadcast to the shape that they have together."""
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(broadcast_to(a, shape) for a in args)


def _moved_by(function, name, doc):
    """A row of the table below: whatever `function` does to the entries' indices, it does to the entries.

    name: what NumPy calls its first argument, the array.
    """

    @wraps(function, ("__name__", "__qualname__"), ())  # inspect and help then show NumPy's signature
    def moved(*arguments, **options):
        if name in options:
            arguments = (options.pop(name), *arguments)
        if not arguments:
            raise TypeError(f"{function.__name__} needs {name}")
        if options.get("out") is not None:
            raise TypeError(f"{function.__name__} does not take out=")
        a, *others = arguments
        numbered = np.arange(math.prod(np.shape(a))).reshape(np.shape(a))
        index = function(numbered, *map(array_of, others), **options)
        return getitem(ravel(a), index)

    moved.__doc__ = doc
    return implements(function)(moved)


# functions that only move, repeat or select entries: a gather by the moved indices, whose adjoint is scatter
tile = _moved_by(np.tile, "A", "The array repeated `reps` times along each axis.")
repeat = _moved_by(np.repeat, "a", "Each entry repeated, along an axis or flattened.")
roll = _moved_by(np.roll, "a", "The entries shifted along the axis; what falls off the end comes in at the start.")
flip = _moved_by(np.flip, "m", "The order of the entries reversed along the axis (or all).")
fliplr = _moved_by(np.fliplr, "m", "The columns in reverse order.")
flipud = _moved_by(np.flipud, "m", "The rows in reverse order.")
rot90 = _moved_by(np.rot90, "m", "The first two axes turned by 90 degrees, k times.")
diagonal = _moved_by(np.diagonal, "a", "The entries where the two axes' indices agree, up to an offset.")
take = _moved_by(np.take, "a", "The entries (or slices along an axis) at the given indices.")
delete = _moved_by(np.delete, "arr", "The array without the slices at the given indices.")
rollaxis = _moved_by(np.rollaxis, "a", "The axis moved back to where `start` stands.")


@implements(np.take_along_axis)
def take_along_axis(arr, indices, axis=-1):
    """The entries at the given indices along the axis, as np.take_along_axis matches them."""
    numbered = np.arange(math.prod(np.shape(arr))).reshape(np.shape(arr))
    return getitem(ravel(arr), np.take_along_axis(numbered, array_of(indices), axis))


@implements(np.sort)
def sort(a, axis=-1):
    """The entries in ascending order along the axis (None: flattened); entries that tie keep their order."""
    return take_along_axis(a, np.argsort(a, axis=axis, kind="stable"), axis)


@implements(np.trace)
def trace(a, offset=0, axis1=0, axis2=1):
    """The sum of the diagonal."""
    return np.sum(diagonal(a, offset, axis1, axis2), axis=-1)


@implements(np.diag)
def diag(v, k=0):
    """The k-th diagonal of a matrix, or the matrix with v as its k-th diagonal."""
    if np.ndim(v) == 2:
        return diagonal(v, k)
    where = np.nonzero(np.diag(np.ones(np.shape(v)), k))
    n = np.shape(v)[0] + abs(k)
    return scatter(v, where, (n, n))


def _below(m, k):
    """Where the last two axes stand on or below the k-th diagonal."""
    sides = np.shape(m)[-2:]  # one axis stands for each row of a square
    return np.tri(sides[0], sides[-1], k, dtype=bool)


@implements(np.triu)
def triu(m, k=0):
    """The array with zeros below the k-th diagonal of its last two axes."""
    return np.where(_below(m, k - 1), 0, m)


@implements(np.tril)
def tril(m, k=0):
    """The array with zeros above the k-th diagonal of its last two axes."""
    return np.where(_below(m, k), m, 0)
