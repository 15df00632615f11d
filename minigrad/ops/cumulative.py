"""Running sums and products.

A running product is made of products of shifted arrays, in as many steps as its length has bits. So entries
of 0 have their derivatives at every order, which a quotient by the entry has not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..operation import arraylike
from ..stand_ins import extends, implements
from ..typing import Array, DType
from .casting import astype, in_dtype, narrowed, widened
from .reductions import cumsum
from .shaping import moveaxis, ravel

__all__ = ["cumprod", "cumulative_sum", "cumulative_prod", "nancumsum", "nancumprod"]


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
    a = ravel(a) if axis is None or a.ndim == 0 else moveaxis(a, axis, 0)
    a = widened(a) if a.dtype.kind == "f" else a
    shift = 1
    while shift < a.shape[0]:
        a = np.concatenate([a[:shift], a[shift:] * a[:-shift]])
        shift *= 2
    a = a if axis is None or like.ndim == 0 else moveaxis(a, 0, axis)
    return narrowed(a, like) if a.dtype.kind == "f" else in_dtype(a, dtype)


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
    x = arraylike(x) if dtype is None else astype(x, dtype)
    if x.ndim == 0 or (axis is None and x.ndim != 1):
        raise ValueError(f"{name}: an array of {x.ndim} axes needs axis=, and at least one axis")
    axis = 0 if axis is None else normalize_axis_index(axis, x.ndim)
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
