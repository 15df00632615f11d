# Written by tests/typed/stub.py from the signatures; not to be edited.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false
# (A list of arrays is a list that may hold Tensors, too: the first overload that fits is meant.)

from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, Protocol, TypeVar, overload

from numpy import ndarray

from .._tensor import Tensor
from ..typing import ArrayLike, TensorLike

__all__ = ["odeint"]

def __getattr__(name: str) -> Any: ...  # any other function is SciPy's own
@overload
def odeint(func: Callable[..., Any], y0: ArrayLike, t: ArrayLike, args: tuple[ArrayLike, ...] = (), *, tfirst: bool = False, **options: Any) -> ndarray: ...
@overload
def odeint(func: Callable[..., Any], y0: Tensor, t: TensorLike, args: tuple[TensorLike, ...] = (), *, tfirst: bool = False, **options: Any) -> Tensor: ...
@overload
def odeint(func: Callable[..., Any], y0: TensorLike, t: Tensor, args: tuple[TensorLike, ...] = (), *, tfirst: bool = False, **options: Any) -> Tensor: ...
@overload
def odeint(func: Callable[..., Any], y0: TensorLike, t: TensorLike, args: tuple[TensorLike, ...], *, tfirst: bool = False, **options: Any) -> Tensor: ...
@overload
def odeint(func: Callable[..., Any], y0: Any, t: Any, args: tuple[Any, ...] = (), *, tfirst: bool = False, **options: Any) -> Any: ...
