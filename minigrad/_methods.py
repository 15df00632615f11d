"""What Tensor has in common with NumPy's arrays: operators, comparisons, and the methods that are ops.

Comparisons, `argmax` and the like give plain arrays, which carry no gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import ops
from .elementwise import in_place, operators
from .errors import named
from .operation import array_of
from .typing import Axis, Booleans, Integers, Order, Shape, TensorLike

if TYPE_CHECKING:
    from ._tensor import Tensor


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

    def __eq__(self, other: object) -> Booleans:  # type: ignore[override]
        return NotImplemented if other is None or isinstance(other, str) else np.equal(self._array, array_of(other))

    def __ne__(self, other: object) -> Booleans:  # type: ignore[override]
        return NotImplemented if other is None or isinstance(other, str) else np.not_equal(self._array, array_of(other))

    def __lt__(self, other: TensorLike) -> Booleans:
        return np.less(self._array, array_of(other))

    def __le__(self, other: TensorLike) -> Booleans:
        return np.less_equal(self._array, array_of(other))

    def __gt__(self, other: TensorLike) -> Booleans:
        return np.greater(self._array, array_of(other))

    def __ge__(self, other: TensorLike) -> Booleans:
        return np.greater_equal(self._array, array_of(other))

    __hash__ = object.__hash__

    # methods: the ops that arrays have as methods, and the activations

    sum, mean, max, min, prod = ops.sum, ops.mean, ops.max, ops.min, ops.prod
    var, std, cumsum, dot, trace = ops.var, ops.std, ops.cumsum, ops.dot, ops.trace
    exp, log, sqrt, square, sin, cos, tanh = ops.exp, ops.log, ops.sqrt, ops.square, ops.sin, ops.cos, ops.tanh
    abs, clip, round, astype, copy = ops.abs, ops.clip, ops.round, ops.astype, ops.copy
    relu, sigmoid, softmax, log_softmax = ops.relu, ops.sigmoid, ops.softmax, ops.log_softmax
    flatten, ravel, squeeze, swapaxes = ops.flatten, ops.ravel, ops.squeeze, ops.swapaxes
    diagonal, repeat, take = ops.diagonal, ops.repeat, ops.take

    @named
    def reshape(self: Any, *shape: Shape, order: Order = "C") -> Tensor:
        """The same entries in another shape: `t.reshape(2, 3)` or `t.reshape((2, 3))`."""
        sizes: Any = shape[0] if len(shape) == 1 else shape
        return ops.reshape(self, sizes, order)

    @named
    def transpose(self: Any, *axes: int | Sequence[int] | None) -> Tensor:
        """The axes in another order: `t.transpose(1, 0)` or `t.transpose((1, 0))`; reversed by default."""
        order: Any = axes[0] if len(axes) == 1 and not isinstance(axes[0], (int, np.integer)) else axes
        return ops.transpose(self, None if order is None or len(order) == 0 else tuple(order))

    @named
    def any(self, axis: Axis = None, *, keepdims: bool = False) -> Booleans:
        """Whether some entry is not 0: plain booleans."""
        return self._array.any(axis, keepdims=keepdims)

    @named
    def all(self, axis: Axis = None, *, keepdims: bool = False) -> Booleans:
        """Whether no entry is 0: plain booleans."""
        return self._array.all(axis, keepdims=keepdims)

    @named
    def argmax(self, axis: int | None = None, *, keepdims: bool = False) -> Integers:
        """Where the greatest entry stands: plain integers."""
        return self._array.argmax(axis, keepdims=keepdims)

    @named
    def argmin(self, axis: int | None = None, *, keepdims: bool = False) -> Integers:
        """Where the smallest entry stands: plain integers."""
        return self._array.argmin(axis, keepdims=keepdims)

    @named
    def argsort(self, axis: int | None = -1) -> Integers:
        """The indices that would sort it: plain integers."""
        return self._array.argsort(axis, kind="stable")
