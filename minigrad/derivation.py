"""The document's notation: `vec`, and the numerator-layout matrix of a derivative.

Section 3.1 stacks the columns of a matrix; its equations are about d vec(Y) / d vec(X).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .argnums import of_a_function, one_of
from .errors import named
from .transforms import jacobian_for
from .typing import Array


@named
def vec(a: Array) -> Array:
    """The document's vec: the columns of the last two axes stacked, (..., h, w) -> (..., h*w) (section 3.1).

    >>> mg.vec(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([1., 3., 2., 4.])
    """
    shape = np.shape(a)
    return a if len(shape) < 2 else np.reshape(np.swapaxes(a, -1, -2), (*shape[:-2], shape[-2] * shape[-1]))


@of_a_function
def vec_jacobian(f: Callable, *x: Array, argnum: int = 0) -> Array:
    """The document's numerator-layout Jacobian d vec(Y) / d vec(X), a matrix; X is the argument `argnum`.

    vec is column-major throughout. With more than two axes the vecs of the matrices follow one
    another, as section 3.1.2 stacks the channels. Its transpose times the gradient of J with respect to
    vec(Y) is the gradient with respect to vec(X) (sections 3.1 and 3.2).
    Raises TypeError if f takes or returns a nest.

    >>> A = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> mg.vec_jacobian(lambda X: A @ X, np.zeros((2, 1)))
    array([[1., 2.],
           [3., 4.]])
    """
    derivative = jacobian_for("vec_jacobian", f, one_of("vec_jacobian", argnum, None))(*x)
    if isinstance(derivative, (dict, list, tuple)):
        raise TypeError("vec_jacobian: the function must take and return one array, not a nest of arrays")
    columns = _vec_order(np.shape(x[argnum]))
    rows = _vec_order(np.shape(derivative)[: np.ndim(derivative) - np.ndim(x[argnum])])
    return np.reshape(derivative, (rows.size, columns.size))[rows[:, None], columns]


def _vec_order(shape):
    """Where each entry of the vec of an array of this shape stands in row-major order."""
    return np.reshape(vec(np.arange(math.prod(shape)).reshape(shape)), -1)
