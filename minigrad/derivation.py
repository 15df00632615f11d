"""The document's notation: `vec`, and the numerator-layout matrix of a derivative.

Section 3.1 stacks the columns of a matrix; its equations are about d vec(Y) / d vec(X).
"""

import math

import numpy as np

from .transforms import chosen_positions, jacobian


def vec(a):
    """The document's vec: the columns of the last two axes stacked, (..., h, w) -> (..., h*w) (section 3.1)."""
    shape = np.shape(a)
    return a if len(shape) < 2 else np.reshape(np.swapaxes(a, -1, -2), (*shape[:-2], shape[-2] * shape[-1]))


def vec_jacobian(f, *x, argnum=0):
    """The document's numerator-layout Jacobian d vec(Y) / d vec(X), a matrix; X is the argument `argnum`.

    Column-major vec throughout; with more than two axes the vecs of the matrices follow one
    another, as section 3.1.2 stacks the channels. Sections 3.1 and 3.2: its transpose times the
    gradient of J with respect to vec(Y) is the gradient with respect to vec(X).
    """
    chosen_positions("vec_jacobian", argnum, len(x))
    derivative = jacobian(f, argnum)(*x)
    if isinstance(derivative, (dict, list, tuple)):
        raise TypeError("vec_jacobian: the function must take and return one array, not a nest of arrays")
    columns = _vec_order(np.shape(x[argnum]))
    rows = _vec_order(np.shape(derivative)[: np.ndim(derivative) - np.ndim(x[argnum])])
    return np.reshape(derivative, (rows.size, columns.size))[rows[:, None], columns]


def _vec_order(shape):
    """Where each entry of the vec of an array of this shape stands in row-major order."""
    return np.reshape(vec(np.arange(math.prod(shape)).reshape(shape)), -1)
