# What checkers and editors know of minigrad's public names. Those with simple types come from their modules;
# `op` and the transforms are declared here, since which of their calls return a Tensor takes overloads.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from collections.abc import Callable, Sequence
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar, overload

from numpy import ndarray
from numpy.random import Generator

from . import data as data
from . import distributed as distributed
from . import nn as nn
from . import onnx as onnx
from . import ops as ops
from . import optim as optim
from . import scipy as scipy
from . import testing as testing
from . import viz as viz
from ._tensor import Tensor as Tensor
from ._tensor import tensor as tensor
from .nn import functional_call as functional_call
from .ops import *
from .serialization import load as load
from .serialization import save as save
from .settings import no_grad as no_grad
from .settings import scope as scope
from .threads import get_num_threads as get_num_threads
from .threads import set_num_threads as set_num_threads
from .typing import (
    ArrayLike,
    BinaryOp,
    Gradient,
    GradientOfSecond,
    Gradients,
    Jacobian,
    OpDecorator,
    TensorLike,
    UnaryOp,
    ValueAndGradient,
)
from .viz import debug as debug
from .viz import graph as graph

P = ParamSpec("P")
A = TypeVar("A")
R = TypeVar("R")

__version__: str
__all__ = ["Tensor", "c_", "checkpoint", "data", "debug", "distributed", "elementwise_grad", "fixed_point"]
__all__ += ["functional_call", "get_num_threads", "grad", "graph", "hessian", "hvp", "jacobian", "jvp", "load", "nn"]
__all__ += ["no_grad", "onnx", "op", "ops", "optim", "r_", "ravel_nest", "save", "scipy", "scope", "set_num_threads"]
__all__ += ["tensor", "testing", "value_and_grad", "vec", "vec_jacobian", "viz", "vjp"]
__all__ += ops.__all__

class _Joined(Protocol):
    @overload
    def __getitem__(self, parts: ArrayLike | slice | tuple[ArrayLike | slice | str, ...]) -> ndarray: ...
    @overload
    def __getitem__(self, parts: TensorLike | slice | tuple[TensorLike | slice | str, ...]) -> Tensor: ...

c_: _Joined
r_: _Joined

@overload
def op(
    forward: Callable[Concatenate[ndarray, ndarray, P], Any], *, name: str | None = None, complex: bool = False
) -> BinaryOp[P]: ...
@overload
def op(
    forward: Callable[Concatenate[ndarray, P], Any], *, name: str | None = None, complex: bool = False
) -> UnaryOp[P]: ...
@overload
def op(*, name: str | None = None, complex: bool = False) -> OpDecorator: ...
@overload
def grad(f: Gradient[P], argnums: Literal[0] = 0) -> Gradient[P]: ...
@overload
def grad(f: Callable[Concatenate[Tensor, P], Any], argnums: Literal[0] = 0) -> Gradient[P]: ...
@overload
def grad(f: Callable[Concatenate[A, P], Any], argnums: Literal[0] = 0) -> Callable[Concatenate[A, P], A]: ...
@overload
def grad(f: Callable[Concatenate[Tensor, Tensor, P], Any], argnums: Literal[1]) -> GradientOfSecond[P]: ...
@overload
def grad(f: Callable[Concatenate[Tensor, Tensor, P], Any], argnums: tuple[Literal[0], Literal[1]]) -> Gradients[P]: ...
@overload
def grad(f: Callable[P, Any], argnums: tuple[int, ...]) -> Callable[P, tuple[Any, ...]]: ...
@overload
def grad(f: Callable[P, Any], argnums: int | Sequence[int]) -> Callable[P, Any]: ...
@overload
def grad(f: Callable[P, Any], *, argnum: int | Sequence[int]) -> Callable[P, Any]: ...
@overload
def value_and_grad(f: Callable[Concatenate[Tensor, P], Any], argnums: Literal[0] = 0) -> ValueAndGradient[P]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[A, P], R], argnums: Literal[0] = 0
) -> Callable[Concatenate[A, P], tuple[R, A]]: ...
@overload
def value_and_grad(f: Callable[P, R], argnums: tuple[int, ...]) -> Callable[P, tuple[R, tuple[Any, ...]]]: ...
@overload
def value_and_grad(f: Callable[P, R], argnums: int | Sequence[int]) -> Callable[P, tuple[R, Any]]: ...
@overload
def value_and_grad(f: Callable[P, R], *, argnum: int | Sequence[int]) -> Callable[P, tuple[R, Any]]: ...
@overload
def jacobian(f: Callable[Concatenate[Tensor, P], Any], argnums: Literal[0] = 0) -> Jacobian[P]: ...
@overload
def jacobian(
    f: Callable[Concatenate[ndarray, P], ndarray], argnums: Literal[0] = 0
) -> Callable[Concatenate[ndarray, P], ndarray]: ...
@overload
def jacobian(
    f: Callable[P, Any], argnums: int | Sequence[int] = 0, *, argnum: int | Sequence[int] | None = None
) -> Callable[P, Any]: ...
@overload
def elementwise_grad(f: Callable[Concatenate[Tensor, P], Any], argnums: Literal[0] = 0) -> Gradient[P]: ...
@overload
def elementwise_grad(
    f: Callable[Concatenate[A, P], Any], argnums: Literal[0] = 0
) -> Callable[Concatenate[A, P], A]: ...
@overload
def elementwise_grad(f: Callable[P, Any], argnums: int | Sequence[int]) -> Callable[P, Any]: ...
@overload
def elementwise_grad(f: Callable[P, Any], *, argnum: int | Sequence[int]) -> Callable[P, Any]: ...
def fixed_point(
    f: Callable[[Any], Callable[[Any], Any]],
    a: Any,
    x0: Any,
    distance: Callable[[Any, Any], Any],
    tol: float,
    *,
    max_iterations: int = 10000,
) -> Any: ...
def ravel_nest(nest: A) -> tuple[Any, Callable[[Any], A]]: ...
@overload
def hessian(f: Callable[Concatenate[Tensor, P], Any], argnums: Literal[0] = 0) -> Jacobian[P]: ...
@overload
def hessian(
    f: Callable[Concatenate[ndarray, P], Any], argnums: Literal[0] = 0
) -> Callable[Concatenate[ndarray, P], ndarray]: ...
@overload
def hessian(
    f: Callable[P, Any], argnums: int | Sequence[int] = 0, *, argnum: int | Sequence[int] | None = None
) -> Callable[P, Any]: ...
@overload
def hvp(f: Callable[..., Any], x: ArrayLike, v: ArrayLike, *others: Any) -> ndarray: ...
@overload
def hvp(f: Callable[..., Any], x: Tensor, v: TensorLike, *others: Any) -> Tensor: ...
@overload
def hvp(f: Callable[..., Any], x: A, v: A, *others: Any) -> A: ...
@overload
def vjp(f: Callable[..., TensorLike], *x: ArrayLike) -> tuple[ndarray, Callable[[ArrayLike], tuple[ndarray, ...]]]: ...
@overload
def vjp(f: Callable[..., TensorLike], *x: TensorLike) -> tuple[Tensor, Callable[[TensorLike], tuple[Tensor, ...]]]: ...
@overload
def vjp(f: Callable[..., R], *x: Any) -> tuple[R, Callable[[R], tuple[Any, ...]]]: ...
@overload
def jvp(f: Callable[..., TensorLike], x: Sequence[ArrayLike], v: Sequence[ArrayLike]) -> tuple[ndarray, ndarray]: ...
@overload
def jvp(f: Callable[..., TensorLike], x: Sequence[TensorLike], v: Sequence[TensorLike]) -> tuple[Tensor, Tensor]: ...
@overload
def jvp(f: Callable[..., R], x: Sequence[Any], v: Sequence[Any]) -> tuple[R, R]: ...
def checkpoint(f: Callable[P, R], *, rng: Generator | None = None) -> Callable[P, R]: ...
@overload
def vec(a: ArrayLike) -> ndarray: ...
@overload
def vec(a: Tensor) -> Tensor: ...
@overload
def vec_jacobian(f: Callable[..., Any], *x: ArrayLike, argnum: int = 0) -> ndarray: ...
@overload
def vec_jacobian(f: Callable[..., Any], *x: TensorLike, argnum: int = 0) -> Tensor: ...
