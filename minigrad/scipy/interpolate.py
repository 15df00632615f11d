"""CubicSpline: its values are linear in y, with weights that are splines themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import numpy as np
import scipy.interpolate as si

from ..operation import arraylike, op
from ..ops import sum
from ..typing import Array

if TYPE_CHECKING:
    from .._tensor import Tensor
    from ..typing import ArrayLike

__all__ = ["CubicSpline"]
T = TypeVar("T")


class CubicSpline(Generic[T]):
    """The spline through the points (x, y), along the first axis of y; called with places, it gives its values there.

    y and the places are differentiated, x is plain. bc_type: "not-a-knot", "natural" or "clamped"; ValueError else.

    >>> mg.scipy.interpolate.CubicSpline(np.arange(4.0), np.arange(4.0) ** 2)(1.5).round(6)
    np.float64(2.25)
    """

    @overload
    def __init__(self: CubicSpline[np.ndarray], x: Array, y: ArrayLike, bc_type: str = ..., extrapolate: Any = ...): ...
    @overload
    def __init__(self: CubicSpline[Tensor], x: Array, y: Tensor, bc_type: str = ..., extrapolate: Any = ...): ...
    def __init__(self, x: Array, y: Array, bc_type: str = "not-a-knot", extrapolate: bool | None = None):
        if bc_type not in ("not-a-knot", "natural", "clamped"):
            raise ValueError(f"CubicSpline: bc_type must be 'not-a-knot', 'natural' or 'clamped', not {bc_type!r}")
        x, self._y = np.asarray(x), arraylike(y)
        if x.ndim != 1 or self._y.shape[:1] != x.shape:
            shapes = f"{x.shape} and {self._y.shape}"
            raise ValueError(f"CubicSpline: x must be a vector as long as the first axis of y, not {shapes}")
        self._weights = si.CubicSpline(x, np.eye(x.size), bc_type=bc_type, extrapolate=extrapolate)

    @overload
    def __call__(self, x: ArrayLike, nu: int = 0) -> T: ...
    @overload
    def __call__(self, x: Tensor, nu: int = 0) -> Tensor: ...
    def __call__(self, x: Array, nu: int = 0) -> Any:
        """The values at x, or those of the nu-th derivative."""
        return np.tensordot(_at(x, spline=self._weights, nu=nu), self._y, 1)


@op(name="CubicSpline")
def _at(x, *, spline, nu):
    """The weight of each of the points, on the last axis."""
    if np.iscomplexobj(x):  # of which SciPy takes the real part
        raise TypeError("CubicSpline: x must be real, not complex")
    return spline(x, nu)


@_at.vjp("x")
def _(g, a, x, *, spline, nu):
    return sum(g * _at(x, spline=spline, nu=nu + 1), -1)


def __getattr__(name):
    """Any other function is SciPy's own."""
    return getattr(si, name)
