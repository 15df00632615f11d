# Written by tests/typed/stub.py from the signatures; not to be edited.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false
# (A list of arrays is a list that may hold Tensors, too: the first overload that fits is meant.)

from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, Protocol, TypeVar, overload

from numpy import ndarray

from .._tensor import Tensor
from ..typing import ArrayLike, TensorLike

__all__ = ["convolve", "convolve_along", "correlate", "fftconvolve"]

def __getattr__(name: str) -> Any: ...  # any other function is SciPy's own
@overload
def convolve(in1: ArrayLike, in2: ArrayLike, mode: str = "full", method: str = "auto") -> ndarray: ...
@overload
def convolve(in1: Tensor, in2: TensorLike, mode: str = "full", method: str = "auto") -> Tensor: ...
@overload
def convolve(in1: TensorLike, in2: Tensor, mode: str = "full", method: str = "auto") -> Tensor: ...
@overload
def convolve_along(a: ArrayLike, b: ArrayLike, axes: tuple[Sequence[int], Sequence[int]], dot_axes: tuple[Sequence[int], Sequence[int]] = ((), ()), mode: str = "full") -> ndarray: ...
@overload
def convolve_along(a: Tensor, b: TensorLike, axes: tuple[Sequence[int], Sequence[int]], dot_axes: tuple[Sequence[int], Sequence[int]] = ((), ()), mode: str = "full") -> Tensor: ...
@overload
def convolve_along(a: TensorLike, b: Tensor, axes: tuple[Sequence[int], Sequence[int]], dot_axes: tuple[Sequence[int], Sequence[int]] = ((), ()), mode: str = "full") -> Tensor: ...
@overload
def correlate(in1: ArrayLike, in2: ArrayLike, mode: str = "full", method: str = "auto") -> ndarray: ...
@overload
def correlate(in1: Tensor, in2: TensorLike, mode: str = "full", method: str = "auto") -> Tensor: ...
@overload
def correlate(in1: TensorLike, in2: Tensor, mode: str = "full", method: str = "auto") -> Tensor: ...
@overload
def fftconvolve(in1: ArrayLike, in2: ArrayLike, mode: str = "full") -> ndarray: ...
@overload
def fftconvolve(in1: Tensor, in2: TensorLike, mode: str = "full") -> Tensor: ...
@overload
def fftconvolve(in1: TensorLike, in2: Tensor, mode: str = "full") -> Tensor: ...
