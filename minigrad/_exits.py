"""The ways out of the tape: how the values of a Tensor leave it.

`.item()`, `.data`, `.numpy()`, `.tolist()`, `.detach()`, printing and formatting leave on purpose. Whatever
else would drop a gradient raises LostGradientError, a TypeError that names them.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from . import operation
from .errors import LostGradientError, named

if TYPE_CHECKING:
    from ._tensor import Tensor
    from .typing import Order

_WAYS_OUT = (
    "use .item(), .data or .detach() where none should flow, and NumPy's functions where one should "
    "(np.sin, not math.sin; np.stack for a list of Tensors; s.toarray() @ t for a sparse matrix s, s.to_numpy() @ t "
    "for one of pandas)"
)


class WaysOut:
    """What a Tensor becomes: numbers, arrays, text, copies."""

    __slots__ = ()

    _array: np.ndarray
    node: Any
    requires_grad: Any
    shape: Any
    ndim: Any
    size: Any
    name: Any
    grad: Any

    @property
    def is_leaf(self) -> bool:
        """Whether it was made, not computed from what is recorded."""
        return self.node is None or self.node.op is None

    @named
    def item(self, *index: int) -> float:
        """The only entry, or the one at an index, as a Python number. Raises ValueError if there are more."""
        if self.size != 1 and not index:
            raise ValueError(f"item: the Tensor has shape {self.shape}, not one entry; use .tolist() or .data")
        return self._array.item(*index)

    @named
    def numpy(self) -> np.ndarray:
        """A copy of the array, without history."""
        return self._array.copy()

    @named
    def tobytes(self, order: Order = "C") -> bytes:
        """The bytes of the entries, in row-major order (`order="F"`: column-major)."""
        return self._array.tobytes(order)

    @named
    def tolist(self) -> list[Any]:
        """The entries as nested lists of Python numbers."""
        return self._array.tolist()

    @named
    def detach(self) -> Tensor:
        """The same array in a Tensor without history."""
        return operation.make(self._array, None)

    def __float__(self) -> float:
        self._check_nothing_lost("become a Python number")
        return float(self._array)

    def __complex__(self) -> complex:
        self._check_nothing_lost("become a Python number")
        return complex(self._array)

    def _check_nothing_lost(self, what):
        if self.requires_grad:
            raise LostGradientError(f"a Tensor that needs a gradient can't {what}, which would lose it: {_WAYS_OUT}")

    def __int__(self) -> int:
        return int(self._array)

    def __index__(self) -> int:
        return operator.index(self._array)

    def __bool__(self) -> bool:
        return bool(self._array)

    def __format__(self, spec: str) -> str:
        return format(self._array.item(), spec) if spec and self.ndim == 0 else format(str(self), spec)

    def __copy__(self) -> Tensor:
        if not self.is_leaf:
            raise LostGradientError(
                "copy: a copy of a Tensor that needs a gradient, as plt.plot(t) makes it, would lose the gradient: use "
                ".copy(), which keeps it, or .data or .detach() where none should flow"
            )
        return _restore(*self.__reduce__()[1])

    def __reduce__(self) -> tuple[Any, ...]:
        if not self.is_leaf:
            raise TypeError(
                f"the result of {self.node.op.__name__} can't be copied or pickled: use .copy(), which keeps its "
                "gradient, or .detach() it first"
            )
        return _restore, (self._array, self.requires_grad, self.name, self.grad)


def _restore(data, requires_grad, name, grad):
    """What copy and pickle call."""
    made = operation.Tensor(data, requires_grad=requires_grad, name=name)
    made.grad = grad
    return made
