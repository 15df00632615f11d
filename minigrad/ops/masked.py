"""Reductions with where=, initial=, dtype= and correction=, and those that leave out NaN.

Each is made of the plain reduction: an entry that is left out is replaced by one that does not count,
so its derivative is 0 even if it is NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..operation import arraylike, op
from ..stand_ins import extends, implements
from ..summation import normalized_axes
from ..typing import Array, Axis, DType
from . import extremes
from . import reductions as r
from .arithmetic import selected
from .casting import astype, in_dtype, in_inexact_dtype, narrowed, widened
from .complex_numbers import squared

__all__ = ["std", "nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin"]


def _read(a, dtype, out, cast=astype):
    """The array, cast to the dtype that a reduction computes in."""
    if out is not None:
        raise TypeError("out= can't hold a Tensor's result")
    return arraylike(a) if dtype is None else cast(a, dtype)


_NEEDS_INITIAL = "where= needs initial=, the result where no entry is chosen"


def _chosen(a, where, other):
    """The array with `other` in place of the entries that the mask leaves out."""
    # equivalent: never because an entry that is chosen is left as it is
    if where is True:
        return a
    mask = np.broadcast_to(as_mask(where), a.shape)
    # equivalent: never because it is only slower
    if other == 0 and a.dtype.kind == "f":
        return selected(a, mask)
    return np.where(mask, a, np.asarray(other, a.dtype))


def as_mask(where: Any) -> Array:
    """The mask as booleans. Raises TypeError for arrays of others, as NumPy does, and for what is no number."""
    mask = np.asarray(where)
    if mask.dtype.kind not in ("b" if hasattr(where, "dtype") else "biuf"):
        raise TypeError(f"where must be booleans, not {mask.dtype}")
    return mask.astype(bool)


def _number(initial):
    """The initial value. Raises ValueError for an array of several, as NumPy does."""
    if np.ndim(initial):
        raise ValueError(f"initial must be a number, not {initial!r}")
    return initial


def _one_of(ddof, correction):
    """The difference of the degrees of freedom, which has two names."""
    if correction is not None and ddof != 0:
        raise ValueError("ddof and correction are one number: give it once")
    return ddof if correction is None else correction


def _counted(a, axis, where):
    """How many entries the mask leaves, with the reduced axes kept."""
    mask = np.broadcast_to(as_mask(where), a.shape)
    return np.sum(mask, axis=normalized_axes(axis, a.ndim), keepdims=True)


@extends(r.sum)
def _(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=True):
    total = r.sum(_chosen(_read(a, dtype, out), where, 0), axis, keepdims=keepdims)
    return in_dtype(total if initial is None else total + _as_start(initial, total), dtype)


@extends(r.prod)
def _(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=True):
    product = r.prod(_chosen(_read(a, dtype, out), where, 1), axis, keepdims=keepdims)
    return in_dtype(product if initial is None else product * _as_start(initial, product), dtype)


def _as_start(initial, total):
    """What a sum or a product begins with, in the dtype that it is computed in."""
    initial = _number(initial)
    return astype(initial, total.dtype) if total.dtype.kind in "fc" else np.asarray(initial, total.dtype)


def _extreme(reduction, combine, a, axis, out, keepdims, initial, where):
    """The extreme of the chosen entries and the initial value; a tie between both is split equally."""
    a = _read(a, None, out)
    if initial is None:
        if where is not True:
            raise ValueError(_NEEDS_INITIAL)
        return reduction(a, axis, keepdims=keepdims)
    initial = np.asarray(_number(initial), a.dtype)
    chosen = _chosen(a, where, initial)
    if not a.size:
        return np.full(r._reduced_shape(a, axis, keepdims), initial, a.dtype)
    # equivalent: any change because the greater of two is that in any order, with the initial value once or twice
    return combine(reduction(chosen, axis, keepdims=keepdims), initial)


@extends(r.max)
def _(a, axis=None, out=None, keepdims=False, initial=None, where=True):
    return _extreme(r.max, np.maximum, a, axis, out, keepdims, initial, where)


@extends(r.min)
def _(a, axis=None, out=None, keepdims=False, initial=None, where=True):
    return _extreme(r.min, np.minimum, a, axis, out, keepdims, initial, where)


@extends(r.mean)
def _(a, axis=None, dtype=None, out=None, keepdims=False, *, where=True):
    like = a = _read(a, dtype, out, in_inexact_dtype)
    a = widened(a)
    kept = r.sum(_chosen(a, where, 0), axis, keepdims=True) / _counted(a, axis, where)
    return in_dtype(narrowed(np.reshape(kept, r._reduced_shape(a, axis, keepdims)), like), dtype)


@extends(r.var)
def _(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, mean=None, correction=None):
    a = _read(a, dtype, out, in_inexact_dtype)
    deviation, freedom = _deviations_and_freedom(a, axis, _one_of(ddof, correction), where, mean)
    kept = r.sum(squared(deviation), axis, keepdims=True) / freedom
    return in_dtype(narrowed(np.reshape(kept, r._reduced_shape(a, axis, keepdims)), a), dtype)


@implements(np.std)
def std(
    a: Array,
    axis: Axis = None,
    dtype: DType = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    where: Any = True,
    mean: Array | None = None,
    correction: float | None = None,
) -> Array:
    """The standard deviation: the norm of the deviations from the mean, divided by (n - ddof)**(1/2).

    where: which entries count; mean: the mean, if it is known (it needs the reduced axes, at size 1);
    correction: another name for ddof.
    Constant data have deviation 0, even where their mean is rounded, and derivative 0. The derivative is
    NaN where n <= ddof. The value is more precise than NumPy's, as that of `var`.

    >>> mg.std(np.array([[1.0, 3.0], [2.0, 6.0]]), axis=1).round(4)
    array([1., 2.])
    >>> mg.grad(mg.std)(np.array([1.0, 3.0]))
    array([-0.5,  0.5])
    >>> mg.grad(mg.std)(np.array([0.1, 0.1, 0.1]))
    array([0., 0., 0.])
    """
    a, ddof = a if dtype is None else in_inexact_dtype(a, dtype), _one_of(ddof, correction)
    # equivalent: never; True -> False because the other way is only slower
    if where is True and mean is None:
        return in_dtype(r.plain_std(a, axis, ddof, keepdims), dtype)
    a = arraylike(a)
    deviation, freedom = _deviations_and_freedom(a, axis, ddof, where, mean)
    kept = r._norm(deviation, axis, keepdims=True) / np.sqrt(freedom)
    return in_dtype(narrowed(np.reshape(kept, r._reduced_shape(a, axis, keepdims)), a), dtype)


def _deviations_and_freedom(a, axis, ddof, where, mean):
    """The deviations from the mean of the chosen entries, 0 if these are all one number; and the degrees of freedom."""
    a = widened(a)
    counted = _counted(a, axis, where)
    freedom = np.maximum(counted - ddof, 0)
    if mean is not None:
        return _chosen(a - mean, where, 0), freedom
    return _centred(a, axis=axis, where=as_mask(where), counted=counted), freedom


@op(name="deviations", complex=True)
def _centred(a, *, axis, where, counted):
    """The chosen entries minus their mean, which is 0 if they are all one number; and 0 for the others.

    It is a projection: linear, and its own adjoint.
    """
    deviation = _chosen(a, where, 0)
    mean = (r.sum(deviation, axis, keepdims=True) / counted).astype(a.dtype)
    deviation = _chosen(deviation - mean, where, 0)
    rounded = (r.sum(deviation, axis, keepdims=True) / counted).astype(a.dtype)  # of the mean
    deviation = _chosen(deviation - rounded, where, 0)
    size = r.sum(np.abs(deviation), axis, keepdims=True)
    # equivalent: any change because the check in full only takes longer
    if np.any((size != 0) & ~(size > 100 * np.finfo(a.dtype).eps * counted * np.abs(mean))):
        return np.where(r._constant(a, axis, where), 0, deviation)  # which could be what rounding leaves
    return deviation


@_centred.vjp("a")
def _(g, out, a, axis, where, counted):
    return _centred(g, axis=axis, where=where, counted=counted)


# reductions of the entries that are not NaN


def _numbers(a, where):
    """The array, and the mask of its chosen entries that are not NaN."""
    a = arraylike(a)
    return a, np.logical_not(np.isnan(a)) & as_mask(where)


@implements(np.nansum)
def nansum(
    a: Array, axis: Axis = None, dtype: DType = None, *, keepdims: bool = False, initial: float = 0, where: Any = True
) -> Array:
    """The sum of the entries that are not NaN, which have derivative 1; NaN has 0.

    >>> mg.grad(mg.nansum)(np.array([1.0, np.nan, 2.0]))
    array([1., 0., 1.])
    """
    a, mask = _numbers(a, where)
    return r.sum.extended(a, axis, dtype, None, keepdims, initial, mask)


@implements(np.nanprod)
def nanprod(
    a: Array, axis: Axis = None, dtype: DType = None, *, keepdims: bool = False, initial: float = 1, where: Any = True
) -> Array:
    """The product of the entries that are not NaN.

    >>> mg.grad(mg.nanprod)(np.array([3.0, np.nan, 2.0]))
    array([2., 0., 3.])
    """
    a, mask = _numbers(a, where)
    return r.prod.extended(a, axis, dtype, None, keepdims, initial, mask)


@implements(np.nanmean)
def nanmean(a: Array, axis: Axis = None, dtype: DType = None, *, keepdims: bool = False, where: Any = True) -> Array:
    """The mean of the entries that are not NaN; NaN where there is none.

    >>> mg.nanmean(np.array([1.0, np.nan, 2.0]))
    array(1.5)
    """
    a, mask = _numbers(a, where)
    return r.mean.extended(a, axis, dtype, None, keepdims, where=mask)


@implements(np.nanvar)
def nanvar(
    a: Array,
    axis: Axis = None,
    dtype: DType = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    where: Any = True,
    mean: Array | None = None,
    correction: float | None = None,
) -> Array:
    """The variance of the entries that are not NaN; see `var`.

    >>> mg.nanvar(np.array([1.0, np.nan, 3.0]))
    array(1.)
    """
    a, mask = _numbers(a, where)
    variance = r.var.extended(a, axis, dtype, None, ddof, keepdims, where=mask, mean=mean, correction=correction)
    return _where_free(variance, mask, axis, ddof or correction or 0, keepdims)


@implements(np.nanstd)
def nanstd(
    a: Array,
    axis: Axis = None,
    dtype: DType = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    where: Any = True,
    mean: Array | None = None,
    correction: float | None = None,
) -> Array:
    """The standard deviation of the entries that are not NaN; see `std`.

    >>> mg.nanstd(np.array([1.0, np.nan, 3.0]))
    array(1.)
    """
    a, mask = _numbers(a, where)
    deviation = std(a, axis, dtype, ddof=ddof, keepdims=keepdims, where=mask, mean=mean, correction=correction)
    return _where_free(deviation, mask, axis, ddof or correction or 0, keepdims)


def _where_free(value, mask, axis, ddof, keepdims):
    """NaN where no degree of freedom is left."""
    counted = np.sum(mask, axis=axis, keepdims=keepdims)
    return np.where(counted > ddof, value, np.asarray(np.nan, value.dtype))


@implements(np.nanmax)
def nanmax(a: Array, axis: Axis = None, *, keepdims: bool = False, initial: Any = None, where: Any = True) -> Array:
    """The greatest entry that is not NaN; NaN where all are NaN. Ties share g equally.

    >>> mg.grad(mg.nanmax)(np.array([1.0, np.nan, 3.0]))
    array([0., 0., 1.])
    """
    return _nan_extreme(r.max, _nanmax, a, axis, keepdims, initial, where)


@implements(np.nanmin)
def nanmin(a: Array, axis: Axis = None, *, keepdims: bool = False, initial: Any = None, where: Any = True) -> Array:
    """The smallest entry that is not NaN; NaN where all are NaN. Ties share g equally.

    >>> mg.grad(mg.nanmin)(np.array([1.0, np.nan, 3.0]))
    array([1., 0., 0.])
    """
    return _nan_extreme(r.min, _nanmin, a, axis, keepdims, initial, where)


def _nan_extreme(extreme, extreme_but_nan, a, axis, keepdims, initial, where):
    a = arraylike(a)
    if initial is None and where is not True:
        raise ValueError(_NEEDS_INITIAL)
    if initial is not None and (not a.size or a.dtype.kind not in "fc" or _number(initial) == initial):
        return extreme.extended(a, axis, None, keepdims, initial, _numbers(a, where)[1])
    return extreme_but_nan(_chosen(a, where, np.nan), axis=axis, keepdims=keepdims)


@op(name="nanmax", complex=True)
def _nanmax(a, *, axis, keepdims):
    return extremes.extreme(np.fmax, a, axis, keepdims)


@op(name="nanmin", complex=True)
def _nanmin(a, *, axis, keepdims):
    return extremes.extreme(np.fmin, a, axis, keepdims)


@_nanmax.vjp("a")
@_nanmin.vjp("a")
def _(g, out, a, axis, keepdims):
    chosen = a == r._kept(out, a, axis)
    equal = extremes.ties(chosen, axis, np.count_nonzero(out == out))  # where all are NaN, none is chosen
    return selected(np.broadcast_to(r._kept(g, a, axis) / equal, a.shape), chosen)
