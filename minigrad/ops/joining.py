"""Ops that put arrays one after another, and their adjoints, which cut them up again."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..operation import array_of, arraylike, op
from ..stand_ins import implements
from ..typing import Array, Axis, IndicesLike, Shape
from .shaping import atleast_1d, atleast_2d, atleast_3d, moveaxis, ravel, reshape

__all__ = [
    "concatenate", "stack", "hstack", "vstack", "dstack", "column_stack", "append", "array_split", "split", "hsplit",
    "vsplit", "dsplit", "roll", "unstack",
]  # fmt: skip

RUNS = 32  # pieces up to which an array is cut up and joined


def without_arguments(g, out, arguments):
    """Leave the arguments out of calls of VJPs: passing n arrays to n VJPs takes quadratic time."""
    return g, out


@op(name="concatenate", complex=True)
def _join(*arrays, axis, saved):
    """The shapes and the start of each array are saved, since finding them again in each VJP takes quadratic time."""
    joined = np.concatenate(arrays, axis=axis)
    saved["shapes"] = [*map(np.shape, arrays)]
    sizes = (math.prod(shape) if axis is None else shape[axis] for shape in saved["shapes"])
    saved["starts"] = [*itertools.accumulate(sizes, initial=0)]
    return joined


@_join.vjp("arrays")
def _(i, g, out, *_, axis, saved):
    """Array i is the part of out that starts where the arrays before it end."""
    start, end = saved["starts"][i : i + 2]
    if axis is None:
        return np.reshape(g[start:end], saved["shapes"][i])
    return g[(slice(None),) * (axis % out.ndim) + (slice(start, end),)]


_join.given_to_vjps = without_arguments


@implements(np.concatenate)
def concatenate(arrays: Sequence[Array], axis: int | None = 0) -> Array:
    """The arrays one after another along an existing axis (axis None: flattened). The VJP cuts g up again.

    >>> mg.concatenate([np.array([1.0, 2.0]), np.array([3.0])])
    array([1., 2., 3.])
    """
    return _join(*arrays, axis=axis, saved={})


def by_runs(a: Array, places: Array, axis: int) -> Array:
    """The slices of `a` at the places along the axis; neighbours in one piece, since NumPy gathers one by one."""
    a, before = arraylike(a), (slice(None),) * axis
    cuts = np.flatnonzero(np.diff(places) != 1) + 1
    # equivalent: any change because both ways pick the same
    if len(cuts) >= RUNS or not places.size:
        return a[(*before, places)]
    return pieces(a, runs=[(int(run[0]), int(run[-1]) + 1) for run in np.split(places, cuts)], axis=axis)


@op(name="pieces", complex=True)
def pieces(a, *, runs, axis):
    """The slices of `a` along the axis, each from its start to its stop, one after another."""
    before = (slice(None),) * axis
    return np.concatenate([a[(*before, slice(*run))] for run in runs], axis)


@pieces.vjp("a")
def _(g, out, a, runs, axis):
    return _put_back(g, runs=runs, axis=axis, size=a.shape[axis])


@op(name="put_back", complex=True)
def _put_back(g, *, runs, axis, size):
    """Each piece added to where it comes from: the adjoint of `pieces`."""
    shape = (*g.shape[:axis], size, *g.shape[axis + 1 :])
    starts, stops = zip(*sorted(runs), strict=True)
    disjoint = (*starts, size) == (0, *stops)
    # equivalent: any change because the entries are the same in any order in memory
    total = (np.empty if disjoint else np.zeros)(shape, g.dtype, "F" if g.flags.f_contiguous else "C")
    rows, parts, end = np.moveaxis(total, axis, 0), np.moveaxis(g, axis, 0), 0
    for start, stop in runs:
        part = parts[end : end + stop - start]
        rows[start:stop] = part if disjoint else rows[start:stop] + part
        end += stop - start
    return total


@_put_back.vjp("g")
def _(u, out, g, runs, axis, size):
    return pieces(u, runs=runs, axis=axis)


@op(name="stack", complex=True)
def _stacked(*arrays, axis):
    return np.stack(arrays, axis)


@_stacked.vjp("arrays")
def _(i, g, out, *_, axis):
    return g[(*(slice(None),) * axis, i)]


_stacked.given_to_vjps = without_arguments


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
        for i, a in enumerate(arrays):
            arraylike(a, "stack", f"arrays[{i}]")  # which says what holds no numbers
        found = ", ".join(map(str, sorted(shapes))) or "nothing"
        raise ValueError(f"stack: the arrays must have one shape, not {found}")
    return _stacked(*arrays, axis=normalize_axis_index(axis, len(shapes.pop()) + 1, "stack"))


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
    return concatenate([atleast_3d(a) for a in tup], 2)


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
    whole = type(values) is int and arraylike(arr).dtype.kind in "biu"  # its digits may need more than arr's dtype
    return concatenate([arr, np.asarray(values) if whole else values], axis)


@implements(np.roll)
def roll(a: Array, shift: Shape, axis: Axis = None) -> Array:
    """The entries shifted along the axis. Those that leave at the end enter at the start.

    >>> mg.roll(np.array([1.0, 2.0, 3.0]), 1)
    array([3., 1., 2.])
    """
    a = arraylike(a)
    if axis is None:
        return reshape(roll(ravel(a), shift, 0), a.shape)
    if np.ndim(shift) > 1:
        raise ValueError(f"roll: shift must be an int or a sequence of ints, not of shape {np.shape(shift)}")
    for places, i in np.broadcast(shift, normalize_axis_tuple(axis, a.ndim, "roll", allow_duplicate=True)):
        # equivalent: a.shape[i] or 1 -> a.shape[i] or 2 because an empty axis has no parts to exchange
        start = a.shape[i] - int(places) % (a.shape[i] or 1)
        a = pieces(a, runs=[(start, a.shape[i]), (0, start)], axis=i)
    return a


@implements(np.array_split)
def array_split(ary: Array, indices_or_sections: IndicesLike, axis: int = 0) -> list[Array]:
    """The pieces of the array along the axis, as np.array_split cuts them.

    >>> mg.array_split(np.arange(5.0), 2)
    [array([0., 1., 2.]), array([3., 4.])]
    """
    return _cut(np.array_split, ary, indices_or_sections, axis)


@implements(np.split)
def split(ary: Array, indices_or_sections: IndicesLike, axis: int = 0) -> list[Array]:
    """Equal pieces of the array along the axis, or the pieces between the given indices.

    >>> mg.split(np.arange(5.0), [2, 3])
    [array([0., 1.]), array([2.]), array([3., 4.])]
    """
    return _cut(np.split, ary, indices_or_sections, axis)


def _cut(cut, a, indices_or_sections, axis):
    """The slice of the array for each piece that NumPy's function cuts off its range of indices."""
    axis = normalize_axis_index(axis, np.ndim(a))
    pieces = cut(np.arange(np.shape(a)[axis]), array_of(indices_or_sections))
    before = (slice(None),) * axis
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


@implements(np.unstack)
def unstack(x: Array, *, axis: int = 0) -> tuple[Array, ...]:
    """The slices along an axis.

    >>> mg.unstack(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=1)
    (array([1., 3.]), array([2., 4.]))
    """
    return tuple(moveaxis(x, axis, 0))
