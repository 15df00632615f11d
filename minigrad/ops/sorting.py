"""Entries in ascending order: `sort`, `partition`, `sort_complex`."""

from __future__ import annotations

import numpy as np

from ..operation import array_of, arraylike, op
from ..stand_ins import implements
from ..typing import Array, IndicesLike
from .casting import astype
from .indexing import take_along_axis
from .shaping import ravel

__all__ = ["sort", "partition", "sort_complex"]

_SHORT = 16  # entries of a row up to which comparing each two of them is faster than sorting


@implements(np.sort)
def sort(a: Array, axis: int | None = -1, kind: str | None = None, *, stable: bool | None = None) -> Array:
    """The entries in ascending order along the axis (None: flattened). Tied entries keep their order.

    `kind` and `stable` change nothing, but must be NumPy's.

    >>> mg.sort(np.array([3.0, 1.0, 2.0]))
    array([1., 2., 3.])
    >>> _, pullback = mg.vjp(mg.sort, np.array([3.0, 1.0, 2.0]))
    >>> pullback(np.array([10.0, 20.0, 30.0]))
    (array([30., 10., 20.]),)
    """
    np.array(()).sort(kind=kind, stable=stable)  # type: ignore[arg-type] # which checks them
    return _sorted(ravel(a), axis=-1) if axis is None else _sorted(a, axis=axis)


@op(name="sort", complex=True)
def _sorted(a, *, axis):
    return np.sort(a, axis)


@_sorted.vjp("a")
def _(g, out, a, axis):
    """Each entry gets the g of its place in order."""
    return take_along_axis(g, _places(array_of(a), array_of(out), axis), axis)


# equivalent: any change because each way gives the same order
def _places(a, ordered, axis):
    """Where each entry stands in the order that keeps ties as they are."""
    a, ordered = np.moveaxis(a, axis, -1), np.moveaxis(ordered, axis, -1)
    nan = ordered != ordered
    if a.shape[-1] <= _SHORT and not np.any(nan):
        return np.moveaxis(_ranks(np.ascontiguousarray(np.moveaxis(a, -1, 0))), 0, axis)
    tied = (ordered[..., 1:] == ordered[..., :-1]) | nan[..., :-1]
    few = 8 * np.count_nonzero(tied) < a.size and a.dtype.kind == "f"
    order = np.argsort(a, kind=None if few else "stable")
    if few and np.any(tied):
        _restore(order, tied)
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.arange(a.shape[-1]), -1)
    return np.moveaxis(places, -1, axis)


def _ranks(columns):
    """The places of entries in many short rows, given column by column: how many others come before each."""
    places = np.zeros(columns.shape, np.uint8)
    for j, column in enumerate(columns):
        after = columns[:j] <= column
        places[j] += np.add.reduce(after, 0, np.uint8)
        places[:j] += ~after
    return places


def _restore(order, tied):
    """Sort the places of entries that tie with the one before them, or after, which stand in some order."""
    first = np.ones(order.shape, bool)
    first[..., 1:] = ~tied
    among = ~first
    among[..., :-1] |= tied
    group = np.cumsum(first).reshape(order.shape)[among]
    n = order.shape[-1]
    order[among] = np.sort(group * n + order[among]) % n


@implements(np.partition)
def partition(a: Array, kth: IndicesLike, axis: int | None = -1) -> Array:
    """The entries reordered along the axis: the k-th in its place, the smaller ones before it.

    >>> mg.partition(np.array([3.0, 1.0, 2.0]), 0)[0]
    np.float64(1.0)
    """
    a = arraylike(a)
    return take_along_axis(a, np.argpartition(a, kth, axis=axis), axis)  # type: ignore[arg-type]


@implements(np.sort_complex)
def sort_complex(a: Array) -> Array:
    """`sort` by the real parts, then the imaginary ones, as complex numbers.

    >>> mg.sort_complex(np.array([3.0, 1.0]))
    array([1.+0.j, 3.+0.j])
    """
    a = arraylike(a)
    # equivalent: 1 -> any number; zeros -> ones because only the dtype is asked for
    return astype(sort(a), np.sort_complex(np.zeros(1, a.dtype)).dtype)
