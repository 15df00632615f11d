"""Ops that change the shape of an array, or the order of its axes, and compute nothing: each VJP moves g back.

Adjoint pairs: reshape and transpose with their inverses, broadcast_to and sum.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..errors import named
from ..foreign_names import instead_of_keyword
from ..operation import array_of, arraylike, op
from ..stand_ins import extends, implements
from ..typing import Array, Axis, DType, Order, Shape
from .casting import astype

__all__ = [
    "reshape", "ravel", "flatten", "transpose", "swapaxes", "matrix_transpose", "moveaxis", "expand_dims", "squeeze",
    "broadcast_to", "full_like", "atleast_1d", "atleast_2d", "meshgrid", "broadcast_arrays", "tile", "rollaxis",
    "atleast_3d", "sliding_window_view",
]  # fmt: skip

MANY = 2**16  # entries of a matrix from which on the order of a copy counts
LINE, SHARED = 64, 1024  # bytes of a line of the cache; rows so far apart, or a multiple of it, share a few lines


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
        hint = ": give the shape as one tuple" if isinstance(order, int) else ""
        raise ValueError(f"reshape: order must be 'C' or 'F', not {order!r}{hint}")
    # equivalent: any change because NumPy's copy, which is slower, is the same
    if order == "C" and _is_slow_to_copy(a):
        try:
            return np.reshape(a, shape, copy=False)
        except ValueError:
            a = _copied_by_rows(a)
    return a.reshape(shape, order=order) if type(a) is np.ndarray else np.reshape(a, shape, order=order)


# equivalent: any change because NumPy's copy, which is slower, is the same
def _is_slow_to_copy(a):
    """Whether it is a large transposed matrix whose rows share few lines of the cache, a power of two apart."""
    if type(a) is not np.ndarray or a.ndim != 2 or a.size < MANY:
        return False
    return a.flags.f_contiguous and not a.flags.c_contiguous and a.strides[1] % SHARED == 0


# equivalent: any change because NumPy's copy, which is slower, is the same
def _copied_by_rows(a):
    """A transposed matrix in row-major order, by way of rows an odd number of lines of the cache apart."""
    line = LINE // a.itemsize
    staged = np.empty((a.shape[1], (-(-a.shape[0] // line) | 1) * line), a.dtype)[:, : a.shape[0]]
    staged[...] = a.T
    return np.ascontiguousarray(staged.T)


@extends(reshape)
def _with_copy(a: Array, shape: Shape, order: Order = "C", copy: bool | None = None) -> Array:
    """Raises ValueError if copy is False and the entries do not lie so that their array could be a view."""
    if copy is False:
        np.reshape(array_of(a), shape, order, copy=copy)
    return reshape(a, shape, order)


@reshape.vjp("a")
def _(g, out, a, shape, order):
    return np.reshape(g, a.shape, order=order)


@implements(np.ravel)
def ravel(a: Array, order: Order = "C") -> Array:
    """The entries as one axis.

    >>> mg.ravel(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([1., 2., 3., 4.])
    """
    if isinstance(order, int):  # the first axis to flatten, in PyTorch
        raise TypeError(f"ravel: order must be 'C' or 'F', not {order}{instead_of_keyword('start_dim')}")
    return reshape(a, -1, order)


@named
def flatten(a: Array, order: Order = "C") -> Array:
    """The entries as one axis, in row-major order (`order="F"`: column-major).

    >>> mg.flatten(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([1., 2., 3., 4.])
    """
    return ravel(a, order)


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
    axes = list(range(arraylike(a).ndim))
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
    numbered = np.empty(tuple(range(arraylike(a).ndim)))  # the size of axis i is i, so a shape is a permutation
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


@implements(np.full_like)
def full_like(a: Any, fill_value: Array, dtype: DType = None) -> Array:
    """The fill value, broadcast to the shape of `a`, in its dtype unless another is given.

    >>> mg.full_like(np.zeros((2, 2)), 7.0)
    array([[7., 7.],
           [7., 7.]])
    """
    return astype(broadcast_to(fill_value, np.shape(a)), dtype or arraylike(a).dtype)


@implements(np.atleast_1d)
def atleast_1d(*arys: Array) -> Any:
    """The array; a scalar becomes an array of one entry. Of several arrays, a tuple.

    >>> mg.atleast_1d(3.0)
    array([3.])
    """
    return _each(lambda a: a if a.ndim else reshape(a, 1), arys)


def _each(f, arrays):
    """f of each array; of one, its result alone."""
    found = tuple(f(arraylike(a)) for a in arrays)
    return found[0] if len(found) == 1 else found


@implements(np.atleast_2d)
def atleast_2d(*arys: Array) -> Any:
    """The array as a matrix. An array of one axis becomes a row. Of several arrays, a tuple.

    >>> mg.atleast_2d(np.array([1.0, 2.0]))
    array([[1., 2.]])
    """
    return _each(lambda a: a if a.ndim > 1 else reshape(a, (1, -1)), arys)


@implements(np.atleast_3d)
def atleast_3d(*arys: Array) -> Any:
    """The array with at least three axes: a vector becomes (1, n, 1), a matrix (m, n, 1). Of several arrays, a tuple.

    >>> mg.atleast_3d(np.array([1.0, 2.0])).shape
    (1, 2, 1)
    """
    return _each(lambda a: reshape(a, np.atleast_3d(array_of(a)).shape), arys)


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


@implements(np.broadcast_arrays)
def broadcast_arrays(*args: Array) -> tuple[Array, ...]:
    """The arrays, each broadcast to the shape of all of them together.

    >>> [a.tolist() for a in mg.broadcast_arrays(np.array([1.0, 2.0]), np.array([[5.0], [6.0]]))]
    [[[1.0, 2.0], [1.0, 2.0]], [[5.0, 5.0], [6.0, 6.0]]]
    """
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(broadcast_to(a, shape) for a in args)


@implements(np.tile)
def tile(A: Array, reps: Shape) -> Array:
    """The array repeated `reps` times along each axis.

    >>> mg.tile(np.array([1.0, 2.0]), 2)
    array([1., 2., 1., 2.])
    """
    times = tuple(int(operator.index(n)) for n in np.atleast_1d(reps).tolist())
    return _tiled(A, times=(1,) * (np.ndim(A) - len(times)) + times)


@op(name="tile", complex=True)
def _tiled(a, *, times):
    return np.tile(a, times)


@_tiled.vjp("a")
def _(g, out, a, times):
    """The repetitions are axes, which go to the front, where the sweep sums over them."""
    sizes = [size for pair in zip(times, (1,) * (len(times) - a.ndim) + a.shape, strict=True) for size in pair]
    apart = np.reshape(g, sizes)
    front = np.moveaxis(apart, range(0, len(sizes), 2), range(len(times)))
    return np.reshape(front, (*(n for n in times if n != 1), *a.shape))


@implements(np.rollaxis)
def rollaxis(a: Array, axis: int, start: int = 0) -> Array:
    """The axis moved back until it stands before the axis `start`.

    >>> mg.rollaxis(np.ones((2, 3, 4)), 2).shape
    (4, 2, 3)
    """
    numbered = np.empty(tuple(range(np.ndim(a))))  # as in moveaxis
    return transpose(a, np.rollaxis(numbered, axis, start).shape)


@implements(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(x: Array, window_shape: Shape, axis: Axis = None) -> Array:
    """Every window of a shape in the array: their places, then the axes of the window. It is a copy.

    >>> mg.sliding_window_view(np.array([1.0, 2.0, 3.0]), 2)
    array([[1., 2.],
           [2., 3.]])
    """
    sizes = tuple(window_shape) if np.iterable(window_shape) else (window_shape,)
    axes = range(np.ndim(x)) if axis is None else normalize_axis_tuple(axis, np.ndim(x), allow_duplicate=True)
    return _windows(x, sizes=sizes, axes=tuple(axes))


@op(name="sliding_window_view", complex=True)
def _windows(x, *, sizes, axes):
    return np.lib.stride_tricks.sliding_window_view(x, sizes, axes).copy()


@_windows.vjp("x")
def _(g, out, x, sizes, axes):
    return _over_windows(g, sizes=sizes, axes=axes, shape=x.shape)


@op(complex=True)
def _over_windows(g, *, sizes, axes, shape):
    """The sum over the windows that an entry is in: those of one place in the window at a time."""
    total = np.zeros(shape, np.result_type(g, np.float64))
    for place in np.ndindex(sizes):
        starts = np.bincount(np.array(axes, int), place, len(shape)).astype(int)
        total[tuple(map(slice, starts, starts + g.shape[: len(shape)]))] += g[(..., *place)]
    return total.astype(g.dtype)


@_over_windows.vjp("g")
def _(g, out, windows, sizes, axes, shape):
    return _windows(g, sizes=sizes, axes=axes)
