"""What Tensor has in common with NumPy's arrays: operators, comparisons, and the methods that are ops.

Comparisons, `argmax` and the like give plain arrays, which carry no gradient.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from . import ops
from .elementwise import in_place, operators
from .errors import keyword_instead, named
from .operation import array_of
from .typing import Axis, Booleans, DType, Integers, Order, ReadOnly, Shape, TensorLike

if TYPE_CHECKING:
    from ._tensor import Tensor

C = TypeVar("C", bound=Callable[..., Any])


def _as(function: Any) -> Callable[[C], C]:
    """Decorate a method that takes the calls of NumPy's as well."""

    def as_numpy(arguments, options):
        try:
            return function(*arguments, **options)
        except TypeError as error:
            raise type(error)(f"{error}{keyword_instead(error)}") from None

    return lambda method: named(method, as_numpy)  # type: ignore[return-value]


def _bitwise(ufunc: Any) -> tuple[Callable[[Any, Any], Integers], Callable[[Any, Any], Integers]]:
    """`x & y` and `y & x` as methods, of plain values."""
    return lambda self, other: ufunc(self, other), lambda self, other: ufunc(other, self)


def _compares(compare: Any, ufunc: Any) -> Callable[[Any, TensorLike], Booleans]:
    """A comparison as a method."""

    def compared(self, other):
        try:
            # equivalent: array_of(other) -> other because NumPy gives a Tensor to the same function
            return compare(self._array, array_of(other))
        except (TypeError, ValueError):
            if getattr(other, "__array_ufunc__", ...) is None:  # it has operators of its own
                raise
            return ufunc(self, other)  # which says what is wrong, and looks into lists

    return compared


_equal: Any = _compares(operator.eq, np.equal)
_not_equal: Any = _compares(operator.ne, np.not_equal)


# untyped, so that checkers take the type on its left
def _attribute(name: str, get: Any = None, doc: str | None = None) -> Any:
    """What can't be set: an attribute of the array, or what an op gives."""

    def refuse(self, value=None):
        raise AttributeError(
            f"{name} can't be set: t.reshape(shape), t.astype(dtype) and mg.where(...) give new Tensors"
        )

    return property(get or operator.attrgetter(f"_array.{name}"), refuse, refuse, doc)


class Size(int):
    """A number of entries, which says what to write if it is called, as PyTorch's method is."""

    def __call__(self, *axis: Any) -> Any:
        raise TypeError("size is the number of entries: write t.shape for the shape, t.shape[0] for an axis")

    def __reduce__(self) -> tuple[Any, ...]:
        return int, (int(self),)


class _Later:
    """A method that is an op, whose family is imported when it is first asked for."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.owner, self.name = owner, name

    def __get__(self, tensor: Any, owner: Any = None) -> Any:
        op = getattr(ops, self.name.strip("_"))
        setattr(self.owner, self.name, op)
        return op.__get__(tensor, owner)


class ArrayMethods:
    """The operators and methods of Tensor that lead to an op, or to plain values."""

    __slots__ = ()
    __pandas_priority__ = 5000  # above pandas' own, so that `series * tensor` comes here

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
        return NotImplemented if other is None or isinstance(other, str) else _equal(self, other)

    def __ne__(self, other: object) -> Booleans:  # type: ignore[override]
        return NotImplemented if other is None or isinstance(other, str) else _not_equal(self, other)

    __lt__, __le__ = _compares(operator.lt, np.less), _compares(operator.le, np.less_equal)
    __gt__, __ge__ = _compares(operator.gt, np.greater), _compares(operator.ge, np.greater_equal)

    __and__, __rand__ = _bitwise(np.bitwise_and)
    __or__, __ror__ = _bitwise(np.bitwise_or)
    __xor__, __rxor__ = _bitwise(np.bitwise_xor)
    __lshift__, __rlshift__ = _bitwise(np.left_shift)
    __rshift__, __rrshift__ = _bitwise(np.right_shift)

    def __rdivmod__(self: Any, other: Any) -> Any:
        return ops.divmod(other, self)

    def __invert__(self) -> Integers:
        return np.invert(self)  # type: ignore[call-overload]

    __hash__ = object.__hash__

    # attributes

    shape: ReadOnly[tuple[int, ...]] = _attribute("shape")
    ndim: ReadOnly[int] = _attribute("ndim")
    size: ReadOnly[int] = _attribute("size", lambda self: Size(self._array.size), "The number of entries.")
    dtype: ReadOnly[np.dtype[Any]] = _attribute("dtype")
    nbytes: ReadOnly[int] = _attribute("nbytes")
    itemsize: ReadOnly[int] = _attribute("itemsize")
    strides: ReadOnly[tuple[int, ...]] = _attribute("strides")
    flat: ReadOnly[Tensor] = _attribute("flat", ops.ravel, "The entries as one axis.")
    T: ReadOnly[Tensor] = _attribute("T", ops.transpose, "The axes reversed.")
    mT: ReadOnly[Tensor] = _attribute("mT", ops.matrix_transpose, "The last two axes exchanged.")
    real: ReadOnly[Tensor] = _attribute("real", ops.real)
    imag: ReadOnly[Tensor] = _attribute("imag", ops.imag)

    # methods: the ops that arrays have as methods, and the activations

    sum, mean, max, min, prod = ops.sum, ops.mean, ops.max, ops.min, ops.prod
    var, std, dot, trace = ops.var, ops.std, ops.dot, ops.trace
    exp, log, sqrt, square, sin, cos, tanh = ops.exp, ops.log, ops.sqrt, ops.square, ops.sin, ops.cos, ops.tanh
    abs, clip, round = ops.abs, ops.clip, ops.round
    flatten, ravel, squeeze, swapaxes = ops.ravel, ops.ravel, ops.squeeze, ops.swapaxes
    diagonal, repeat, take = ops.diagonal, ops.repeat, ops.take
    conjugate = conj = ops.conjugate
    if TYPE_CHECKING:
        __divmod__, cumsum, cumprod, choose = ops.divmod, ops.cumsum, ops.cumprod, ops.choose
        relu, sigmoid, softmax, log_softmax = ops.relu, ops.sigmoid, ops.softmax, ops.log_softmax
    else:
        __divmod__, cumsum, cumprod, choose = _Later(), _Later(), _Later(), _Later()
        relu, sigmoid, softmax, log_softmax = _Later(), _Later(), _Later(), _Later()

    @named
    def reshape(self: Any, *shape: Shape, order: Order = "C", copy: bool | None = None) -> Tensor:
        """The same entries in another shape: `t.reshape(2, 3)` or `t.reshape((2, 3))`. `copy` changes nothing."""
        sizes: Any = shape[0] if len(shape) == 1 else shape
        return ops.reshape(self, sizes, order)

    @named
    def view(self: Any, *shape: Shape) -> Tensor:
        """The same entries, in another shape where one is given."""
        return self.reshape(*shape or (self.shape,))

    @named
    def transpose(self: Any, *axes: int | Sequence[int] | None) -> Tensor:
        """The axes in another order: `t.transpose(1, 0)` or `t.transpose((1, 0))`; reversed by default."""
        order: Any = axes[0] if len(axes) == 1 and (axes[0] is None or np.iterable(axes[0])) else axes
        if len(axes) == 2 < self.ndim:
            raise ValueError(f"transpose: give all {self.ndim} axes, or write t.swapaxes{axes} to exchange two")
        if len(axes) == 2 and axes in ((0, 1), (0, -1), (-2, -1), (-2, 1)):  # PyTorch's would exchange them
            said = f"transpose: the order {axes} leaves a matrix as it is: write t.T to exchange its axes"
            warnings.warn(said, stacklevel=3)
        return ops.transpose(self, None if order is None or len(order) == 0 else tuple(order))

    @named
    def astype(
        self: Any, dtype: DType, order: Any = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
    ) -> Tensor:
        """In another dtype, see `mg.astype`. Raises TypeError for a cast that `casting` does not allow.

        `order`, `subok` and `copy` change nothing.
        """
        np.array((), order=order)  # which checks the order
        if not np.can_cast(self.dtype, np.dtype(dtype), casting):
            raise TypeError(f"astype: a cast of {self.dtype} to {np.dtype(dtype)} is not {casting!r}")
        return ops.astype(self, dtype)

    @named
    def copy(self: Any, order: Any = "C") -> Tensor:
        """The same values in a new array. `order` changes nothing."""
        np.array((), order=order)  # which checks the order
        return ops.copy(self)

    @named
    def compress(self: Any, condition: Any, *arguments: Any, **options: Any) -> Tensor:
        """The slices along an axis where the condition is true, as `t.compress(condition, axis)`."""
        return np.compress(condition, self, *arguments, **options)

    @_as(np.any)
    def any(self, axis: Axis = None, *, keepdims: bool = False) -> Booleans:
        """Whether some entry is not 0: plain booleans."""
        return self._array.any(axis, keepdims=keepdims)

    @_as(np.all)
    def all(self, axis: Axis = None, *, keepdims: bool = False) -> Booleans:
        """Whether no entry is 0: plain booleans."""
        return self._array.all(axis, keepdims=keepdims)

    @_as(np.argmax)
    def argmax(self, axis: int | None = None, *, keepdims: bool = False) -> Integers:
        """Where the greatest entry stands: plain integers."""
        return self._array.argmax(axis, keepdims=keepdims)

    @_as(np.argmin)
    def argmin(self, axis: int | None = None, *, keepdims: bool = False) -> Integers:
        """Where the smallest entry stands: plain integers."""
        return self._array.argmin(axis, keepdims=keepdims)

    @_as(np.argsort)
    def argsort(self, axis: int | None = -1) -> Integers:
        """The indices that would sort it: plain integers."""
        return self._array.argsort(axis, kind="stable")

    @_as(np.argpartition)
    def argpartition(self, kth: Shape, axis: int | None = -1) -> Integers:
        """The indices that would bring the kth entry in order into its place: plain integers."""
        return self._array.argpartition(kth, axis)

    @_as(np.searchsorted)
    def searchsorted(self, v: TensorLike, side: Any = "left", sorter: Any = None) -> Integers:
        """Where the values v belong in its ascending order: plain integers."""
        return self._array.searchsorted(array_of(v), side, sorter)

    @named
    def nonzero(self) -> tuple[Integers, ...]:
        """The indices of the entries that are not 0: plain integers."""
        return self._array.nonzero()
