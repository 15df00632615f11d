"""The names that annotations of public functions are written with.

`Array` and `Index` are loose, since what an op computes with is not known before it is called. Outside
of minigrad checkers read the stubs instead, ops/__init__.pyi and __init__.pyi, which say which calls return a Tensor.
NumPy's stubs know no Tensor: to a checker `mg.sum(t)` is a Tensor, and `np.sum(t)`, which runs as well, is an error.
"""

from typing import TYPE_CHECKING, Any, TypeAlias

Array: TypeAlias = Any  # an ndarray, a number, or a Tensor: what goes in decides what comes out
Nest: TypeAlias = Any  # an Array, or nested lists of these
Index: TypeAlias = Any  # what stands in a[...]: integers, slices, integer and boolean arrays

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import EllipsisType
    from typing import Concatenate, Generic, Literal, NamedTuple, ParamSpec, Protocol, SupportsIndex, TypeVar, overload

    import numpy as np
    from numpy import ndarray
    from numpy.typing import DTypeLike, NDArray

    from ._tensor import Tensor
    from .operation import Op

    T = TypeVar("T")
    T_co = TypeVar("T_co", covariant=True)
    U = TypeVar("U")
    F = TypeVar("F", bound=Callable[..., Any])
    P = ParamSpec("P")

    class SupportsArray(Protocol):
        """An array of another library."""

        def __array__(self) -> ndarray: ...

    Entry: TypeAlias = complex | np.bool | np.number | SupportsArray
    _Nested: TypeAlias = Sequence[Entry] | Sequence[Sequence[Entry]] | Sequence[Sequence[Sequence[Entry]]]

    ArrayLike: TypeAlias = Entry | _Nested | Sequence[Sequence[Sequence[Sequence[Entry]]]]
    TensorLike: TypeAlias = Tensor | ArrayLike
    IndexLike: TypeAlias = SupportsIndex | slice | EllipsisType | ndarray | Sequence[Any] | Tensor | None
    IndicesLike: TypeAlias = SupportsIndex | Sequence[int] | Sequence[Sequence[int]] | ndarray | Tensor
    Shape: TypeAlias = int | Sequence[int]
    Axis: TypeAlias = int | tuple[int, ...] | None
    Pair: TypeAlias = int | Sequence[int]  # rows and columns
    Order: TypeAlias = Literal["C", "F"]
    DType: TypeAlias = DTypeLike | None
    Booleans: TypeAlias = NDArray[np.bool]
    Integers: TypeAlias = NDArray[np.intp]
    BinaryMethod: TypeAlias = Callable[[Tensor, TensorLike], Tensor]

    class ReadOnly(Protocol[T_co]):
        """An attribute that can be read of a Tensor."""

        def __get__(self, tensor: Tensor, owner: type[Tensor] | None = None, /) -> T_co: ...

    class SlogdetResult(NamedTuple, Generic[T]):
        """What np.linalg.slogdet returns, of arrays or Tensors."""

        sign: T
        logabsdet: T

    class EighResult(NamedTuple, Generic[T]):
        """What np.linalg.eigh returns, of arrays or Tensors."""

        eigenvalues: T
        eigenvectors: T

    class SVDResult(NamedTuple, Generic[T]):
        """What np.linalg.svd returns, of arrays or Tensors."""

        U: T
        S: T
        Vh: T

    class QRResult(NamedTuple, Generic[T]):
        """What np.linalg.qr returns, of arrays or Tensors."""

        Q: T
        R: T

    class _TypedOp(Op):
        @overload  # type: ignore[override]
        def vjp(self, name: str) -> Callable[[F], F]: ...
        @overload
        def vjp(self, name: str, function: F) -> F: ...
        def vjp(self, name: str, function: Any = None) -> Any: ...

    class UnaryOp(_TypedOp, Generic[P]):
        """What `@op` makes of a function whose first parameter is an array."""

        @overload
        def __call__(self, x: ArrayLike, /, *arguments: P.args, **parameters: P.kwargs) -> ndarray: ...
        @overload
        def __call__(self, x: Tensor, /, *arguments: P.args, **parameters: P.kwargs) -> Tensor: ...
        def __call__(self, x: Any, /, *arguments: P.args, **parameters: P.kwargs) -> Any: ...

    class BinaryOp(_TypedOp, Generic[P]):
        """What `@op` makes of a function whose first two parameters are arrays."""

        @overload
        def __call__(self, x: ArrayLike, y: ArrayLike, /, *arguments: P.args, **parameters: P.kwargs) -> ndarray: ...
        @overload
        def __call__(self, x: Tensor, y: TensorLike, /, *arguments: P.args, **parameters: P.kwargs) -> Tensor: ...
        @overload
        def __call__(self, x: TensorLike, y: Tensor, /, *arguments: P.args, **parameters: P.kwargs) -> Tensor: ...
        def __call__(self, x: Any, y: Any, /, *arguments: P.args, **parameters: P.kwargs) -> Any: ...

    class OpDecorator(Protocol):
        """`@op(name=...)`."""

        @overload
        def __call__(self, forward: Callable[Concatenate[ndarray, ndarray, P], Array], /) -> BinaryOp[P]: ...
        @overload
        def __call__(self, forward: Callable[Concatenate[ndarray, P], Array], /) -> UnaryOp[P]: ...

    class Computes(Protocol[P, T_co]):
        """A module, which is called as its `forward` is."""

        def forward(self, *x: P.args, **options: P.kwargs) -> T_co: ...

    class Gradient(Protocol[P]):
        """What `grad` makes of a function: its first argument may be a nest, and the gradient is built like it."""

        @overload
        def __call__(self, x: ArrayLike, /, *arguments: P.args, **parameters: P.kwargs) -> ndarray: ...
        @overload
        def __call__(self, x: Tensor, /, *arguments: P.args, **parameters: P.kwargs) -> Tensor: ...
        @overload
        def __call__(self, x: T, /, *arguments: P.args, **parameters: P.kwargs) -> T: ...

    class GradientOfSecond(Protocol[P]):
        """What `grad(f, 1)` makes of a function."""

        @overload
        def __call__(self, x: ArrayLike, y: ArrayLike, /, *arguments: P.args, **parameters: P.kwargs) -> ndarray: ...
        @overload
        def __call__(self, x: Tensor, y: TensorLike, /, *arguments: P.args, **parameters: P.kwargs) -> Tensor: ...
        @overload
        def __call__(self, x: TensorLike, y: Tensor, /, *arguments: P.args, **parameters: P.kwargs) -> Tensor: ...
        @overload
        def __call__(self, x: Any, y: T, /, *arguments: P.args, **parameters: P.kwargs) -> T: ...

    class Gradients(Protocol[P]):
        """What `grad(f, (0, 1))` makes of a function."""

        @overload
        def __call__(
            self, x: ArrayLike, y: ArrayLike, /, *arguments: P.args, **parameters: P.kwargs
        ) -> tuple[ndarray, ndarray]: ...
        @overload
        def __call__(
            self, x: Tensor, y: TensorLike, /, *arguments: P.args, **parameters: P.kwargs
        ) -> tuple[Tensor, Tensor]: ...
        @overload
        def __call__(
            self, x: TensorLike, y: Tensor, /, *arguments: P.args, **parameters: P.kwargs
        ) -> tuple[Tensor, Tensor]: ...
        @overload
        def __call__(self, x: T, y: U, /, *arguments: P.args, **parameters: P.kwargs) -> tuple[T, U]: ...

    class ValueAndGradient(Protocol[P]):
        """What `value_and_grad` makes of a function."""

        @overload
        def __call__(self, x: ArrayLike, /, *arguments: P.args, **parameters: P.kwargs) -> tuple[ndarray, ndarray]: ...
        @overload
        def __call__(self, x: Tensor, /, *arguments: P.args, **parameters: P.kwargs) -> tuple[Tensor, Tensor]: ...
        @overload
        def __call__(self, x: T, /, *arguments: P.args, **parameters: P.kwargs) -> tuple[Any, T]: ...

    class Jacobian(Protocol[P]):
        """What `jacobian` and `hessian` make of a function."""

        @overload
        def __call__(self, x: ArrayLike, /, *arguments: P.args, **parameters: P.kwargs) -> ndarray: ...
        @overload
        def __call__(self, x: Tensor, /, *arguments: P.args, **parameters: P.kwargs) -> Tensor: ...
        @overload
        def __call__(self, x: Any, /, *arguments: P.args, **parameters: P.kwargs) -> Any: ...

else:
    ArrayLike = TensorLike = IndexLike = IndicesLike = Shape = Axis = Pair = Order = DType = Booleans = Integers = (
        BinaryMethod
    ) = Any
    SlogdetResult = EighResult = SVDResult = QRResult = ReadOnly = tuple
