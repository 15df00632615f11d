"""The greatest and smallest entries of rows, and how many entries tie for one: for reductions with and without NaN."""

from __future__ import annotations

import functools

import numpy as np

_SHORT, _MANY = 24, 2**12  # entries up to which a row is short; entries of an array that has many of them


# equivalent: any change because both ways give the same
def extreme(function, a, axis, keepdims):
    """What function.reduce gives: of many short rows column by column, since for NumPy each row costs a call."""
    if not (type(axis) is int and axis in (-1, np.ndim(a) - 1) and _has_short_rows(a)):
        return function.reduce(a, axis=axis, keepdims=keepdims)
    found = functools.reduce(function, np.moveaxis(a, -1, 0))
    zero = found == 0
    if np.any(zero):  # NumPy decides between 0.0 and -0.0
        found[zero] = function.reduce(a[zero], axis=-1)
    return found[..., None] if keepdims else found


# equivalent: any change because both ways give the same
def _has_short_rows(a):
    return a.size >= _MANY and 1 < a.shape[-1] <= _SHORT and a.flags.c_contiguous


def ties(chosen, axis, results):
    """How many entries are chosen for each result; for so many results one at least, and for others none, as 1."""
    # equivalent: any change because the sums are 1 then, too
    if np.count_nonzero(chosen) == results:
        return 1
    return np.maximum(np.sum(chosen, axis=axis, keepdims=True), 1)
