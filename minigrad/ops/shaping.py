"""Ops that move entries and compute nothing: each VJP moves g back.

Adjoint pairs: reshape and transpose with their inverses, broadcast_to and sum, pad and its
crop, getitem and scatter.
"""

import itertools
import math

import numpy as np

from ..operation import implements, op


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
    return reshape(a, -1)


@implements(np.transpose, np.permute_dims)
@op
def transpose(a, axes=None):
    """The axes in another order (reversed by default). The VJP applies the inverse permutation."""
    return np.transpose(a, axes)


@transpose.vjp("a")
def _(g, out, a, axes):
    inverse = None if axes is None else tuple(int(i) for i in np.argsort([axis % a.ndim for axis in axes]))
    return np.transpose(g, inverse)


@implements(np.swapaxes)
def swapaxes(a, axis1, axis2):
    """Exchange two axes."""
    axes = list(range(np.ndim(a)))
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return transpose(a, tuple(axes))


@implements(np.moveaxis)
def moveaxis(a, source, destination):
    """Move the axis (or axes) at `source` to `destination`."""
    numbered = np.empty(tuple(range(np.ndim(a))))  # the size of axis i is i, so a shape is a permutation
    return transpose(a, np.moveaxis(numbered, source, destination).shape)


@implements(np.expand_dims)
def expand_dims(a, axis):
    """Insert an axis of size 1 at each position that `axis` names."""
    return reshape(a, np.expand_dims(np.broadcast_to(0, np.shape(a)), axis).shape)


@implements(np.squeeze)
def squeeze(a, axis=None):
    """Drop axes of size 1."""
    return reshape(a, np.squeeze(np.broadcast_to(0, np.shape(a)), axis).shape)


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


@implements(np.stack)
def stack(arrays, axis=0):
    """The arrays, all of one shape, along a new axis."""
    shapes = {np.shape(a) for a in arrays}
    if len(shapes) != 1:
        raise ValueError(f"stack: the arrays must have one shape, not {', '.join(map(str, sorted(shapes)))}")
    return concatenate([expand_dims(a, axis) for a in arrays], axis)


@implements(np.pad)
@op
def pad(array, pad_width, mode="constant", *, constant_values=0):
    """The array with a constant border; `pad_width` as in np.pad. Adjoint: cropping the border off.

    Raises ValueError for the modes that fill the border from the array.
    """
    if mode != "constant":
        raise ValueError(f"pad: mode must be 'constant', not {mode!r}")
    return np.pad(array, pad_width, constant_values=constant_values)


@pad.vjp("array")
def _(g, out, array, pad_width, mode, constant_values):
    before = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2))[:, 0]
    return g[tuple(slice(int(b), int(b) + n) for b, n in zip(before, array.shape, strict=True))]
