"""What Tensor has in common with NumPy's arrays: operators, comparisons, and the methods that are ops.

Comparisons, `argmax` and the like give plain arrays, which carry no gradient.
"""

from typing import Any

import numpy as np

from . import ops
from .elementwise import in_place, operators


class ArrayMethods:
    """The operators and methods of Tensor that lead to an op, or to plain values."""

    __slots__ = ()

    _array: Any

    # operators

    __add__, __radd__ = operators(ops.add)
    __iadd__ = in_place(ops.add, np.add)
    __sub__, __rsub__ = operators(ops.subtract)
    __isub__ = in_place(ops.subtract, np.subtract)
    __mul__, __rmul__ = operators(ops.multiply)
    __imul__ = in_place(ops.multiply, np.multiply)
    __truediv__, __rtruediv__ = operators(ops.divide)
    __itruediv__ = in_place(ops.divide, np.divide)
    __pow__, __rpow__ = operators(ops.power)
    __ipow__ = in_place(ops.power, np.power)
    __matmul__, __rmatmul__ = operators(ops.matmul)
    __imatmul__ = in_place(ops.matmul, np.matmul)
    __mod__, __rmod__ = operators(ops.remainder)
    __imod__ = in_place(ops.remainder, np.remainder)
    __floordiv__, __rfloordiv__ = operators(ops.floor_divide)
    __ifloordiv__ = in_place(ops.floor_divide, np.floor_divide)
    __neg__, __pos__, __abs__, __round__ = ops.negative, ops.positive, ops.abs, ops.round

    def __eq__(self, other):
        return NotImplemented if other is None or isinstance(other, str) else np.equal(self, other)

    def __ne__(self, other):
        return NotImplemented if other is None or isinstance(other, str) else np.not_equal(self, other)

    def __lt__(self, other):
        return np.less(self, other)

    def __le__(self, other):
        return np.less_equal(self, other)

    def __gt__(self, other):
        return np.greater(self, other)

    def __ge__(self, other):
        return np.greater_equal(self, other)

    __hash__ = object.__hash__

    # methods: the ops that arrays have as methods, and the activations

    sum, mean, max, min, prod = ops.sum, ops.mean, ops.max, ops.min, ops.prod
    var, std, cumsum, dot, trace = ops.var, ops.std, ops.cumsum, ops.dot, ops.trace
    exp, log, sqrt, square, sin, cos, tanh = ops.exp, ops.log, ops.sqrt, ops.square, ops.sin, ops.cos, ops.tanh
    abs, clip, round, astype, copy = ops.abs, ops.clip, ops.round, ops.astype, ops.copy
    relu, sigmoid, softmax, log_softmax = ops.relu, ops.sigmoid, ops.softmax, ops.log_softmax
    flatten, ravel, squeeze, swapaxes = ops.flatten, ops.ravel, ops.squeeze, ops.swapaxes
    diagonal, repeat, take = ops.diagonal, ops.repeat, ops.take

    def reshape(self, *shape, order="C"):
        """The same entries in another shape: `t.reshape(2, 3)` or `t.reshape((2, 3))`."""
        return ops.reshape(self, shape[0] if len(shape) == 1 else shape, order)

    def transpose(self, *axes):
        """The axes in another order: `t.transpose(1, 0)` or `t.transpose((1, 0))`; reversed by default."""
        if len(axes) == 1 and not isinstance(axes[0], (int, np.integer)):
            axes = axes[0]
        return ops.transpose(self, None if axes is None or len(axes) == 0 else tuple(axes))

    def any(self, axis=None, *, keepdims=False):
        """Whether some entry is not 0: plain booleans."""
        return self._array.any(axis, keepdims=keepdims)

    def all(self, axis=None, *, keepdims=False):
        """Whether no entry is 0: plain booleans."""
        return self._array.all(axis, keepdims=keepdims)

    def argmax(self, axis=None, *, keepdims=False):
        """Where the greatest entry stands: plain integers."""
        return self._array.argmax(axis, keepdims=keepdims)

    def argmin(self, axis=None, *, keepdims=False):
        """Where the smallest entry stands: plain integers."""
        return self._array.argmin(axis, keepdims=keepdims)

    def argsort(self, axis=-1):
        """The indices that would sort it: plain integers."""
        return self._array.argsort(axis, kind="stable")
