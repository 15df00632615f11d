"""The ways out of the tape: how the values of a Tensor leave it.

`.item()`, `.data`, `.numpy()`, `.tolist()`, `.detach()`, printing and formatting leave on purpose. Whatever
else would drop a gradient raises LostGradientError, a TypeError that names them.
"""

from __future__ import annotations

import math
import operator
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from . import operation
from .errors import LostGradientError, named, noted

if TYPE_CHECKING:
    from ._tensor import Tensor
    from .typing import Order

# who asked for a number or an array, by how its module's and its own name begin -> what to do instead; None: its caller
_INSTEAD = {
    "numpy.lib._index_tricks": "write mg.r_ and mg.c_",
    "numpy.lib._function_base_impl._vectorize": "write mg.vectorize",
    "numpy.ma": "use mg.where(mask, ...) for a masked array",
    "numpy.": None,
    "minigrad.": None,
    "scipy._lib": None,
    "scipy.sparse": "write s.toarray() @ t",
    "scipy.optimize": "return a number, t.item(), to SciPy",
    "scipy": "use minigrad.scipy's function, if there is one",
    "pandas": "write s.to_numpy() @ t",
    "matplotlib": "plot its values",
}
_IN_A_PROGRAM = {
    "an array": "write mg.array of a list for np.array or a[i] = t, a @ t for a.dot(t), m + s * rng.normal() for "
    "rng.normal(m, s)",
    "a Python number": "write np.sin for math.sin, mg.array of a list for a[i] = t",
}


def _instead(what):
    """What to do instead of what was called: the innermost function that is known, or is a program's."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        name = f"{frame.f_globals.get('__name__')}.{frame.f_code.co_name}"
        known = [instead for start, instead in _INSTEAD.items() if name.startswith(start)]
        if not known:
            break
        if known[0]:
            return known[0]
        frame = frame.f_back
    return _IN_A_PROGRAM[what]


class WaysOut:
    """What a Tensor becomes: numbers, arrays, text, copies."""

    __slots__ = ()

    _array: np.ndarray
    node: Any
    requires_grad: Any
    shape: Any
    ndim: Any
    dtype: Any
    size: Any
    name: Any
    grad: Any
    copy: Any

    @property
    def is_leaf(self) -> bool:
        """Whether it was made, not computed from what is recorded."""
        return self.node is None or self.node.op is None

    @property
    def _made(self) -> bool:
        """Whether the caller made it, so that it is not the result of an op, recorded or not."""
        return self.is_leaf and (self.requires_grad or hasattr(self, "_name"))

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
        return self._number(float, lost="a Python number")

    def __complex__(self) -> complex:
        return self._number(complex, lost="a Python number")

    def _number(self, kind, lost=None):
        """The array as a Python number. `lost` says what would lose a gradient by that; empty where nothing would."""
        try:
            number = kind(self._array)
        except (TypeError, ValueError) as error:
            said = str(error).replace(". Use a.any() or a.all()", ": use t.any() or t.all()")
            raise type(error)(f"{kind.__name__}: {said} (a Tensor of shape {self.shape}, {self.dtype})") from None
        if lost:
            self._check_nothing_lost(lost)
        return number

    def _check_nothing_lost(self, what):
        if self.requires_grad:
            said = f"a Tensor that needs a gradient can't become {what}, which would lose it"
            out = "use .item(), .data or .detach() if none should flow"
            raise noted(LostGradientError(f"{said}: {out}, else {_instead(what)}"))

    def __int__(self) -> int:
        return self._number(int)

    def __index__(self) -> int:
        return self._number(operator.index)

    def __floor__(self) -> int:
        return math.floor(self._number(float))

    def __ceil__(self) -> int:
        return math.ceil(self._number(float))

    def __trunc__(self) -> int:
        return math.trunc(self._number(float))

    def __bool__(self) -> bool:
        return self._number(bool)

    def __format__(self, spec: str) -> str:
        if spec and self.ndim == 0:
            return format(self._array.item(), spec)
        try:
            return format(str(self), spec)
        except ValueError as error:
            instead = "format its entries, or write np.array2string(t.data, precision=3)"
            raise ValueError(f"format: a Tensor of shape {self.shape} does not take {spec!r}: {instead}") from error

    def __copy__(self) -> Tensor:
        return _restore(*self.__reduce__()[1]) if self._made else self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        if not self.is_leaf:
            raise TypeError(
                f"the result of {self.node.op.__name__} can't be pickled, which would lose its gradient: .detach() it"
            )
        if not self._made:
            return operation.make, (self._array, None)
        return _restore, (self._array, self.requires_grad, self.name, self.grad)


def _restore(data, requires_grad, name, grad):
    """What copy and pickle call."""
    made = operation.Tensor(data, requires_grad=requires_grad, name=name)
    made.grad = grad
    return made
