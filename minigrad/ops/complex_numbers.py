"""Parts of complex numbers: real, imag, conjugate, angle.

The gradient of a real J in z = x + iy is g = dJ/dx - i dJ/dy, HIPS autograd's and JAX's convention. Then
dJ = Re(g dz), so for a function with a complex derivative dA = f'(z) dz the VJP is g f'(z), as it is for real numbers:
no conjugate appears in the rows of the tables. Only what is here, abs and what is made of |z| has its own.
A real argument of a complex result gets the real part, which the sweep takes. J descends along the conjugate of g.
"""

from __future__ import annotations

import numpy as np

from ..elementwise import elementwise
from ..operation import array_of, arraylike, op
from ..stand_ins import implements
from ..typing import Array
from .casting import astype

__all__ = ["real", "imag", "conjugate", "angle", "real_if_close"]


@implements(np.real)
@op(complex=True)
def real(val: Array) -> Array:
    """A = Re Z: dJ = g dA = Re(g dZ) for a real g, so dJ/dZ = g. A real array is its own real part.

    >>> mg.real(np.array([1 + 2j]))
    array([1.])
    """
    return np.array(np.real(val))


@real.vjp("val")
def _(g, a, val):
    return g


@implements(np.imag)
@op(complex=True)
def imag(val: Array) -> Array:
    """A = Im Z = Re(-i Z): dJ/dZ = -i g. Of a real array it is 0.

    >>> mg.grad(lambda z: mg.imag(z * z))(1 + 2j)
    np.complex128(4-2j)
    """
    return np.array(np.imag(val))


@imag.vjp("val")
def _(g, a, val):
    return g * -1j


conjugate = elementwise(
    np.conjugate, "A = the conjugate of X: Re(g dA) = Re(conj(g) dX), so dJ/dX = conj(g).", x=lambda g, a, x: np.conj(g)
)
conjugate.differentiable = "fc"


@implements(np.angle)
def angle(z: Array, deg: bool = False) -> Array:
    """The angle of the point (Re Z, Im Z), in radians, or in degrees.

    >>> mg.angle(1j, deg=True)
    np.float64(90.0)
    >>> mg.grad(mg.angle)(2j)
    np.complex128(-0.5+0j)
    """
    a = np.arctan2(imag(z) if np.iscomplexobj(z) else 0, real(z))
    return np.rad2deg(a) if deg else a


@implements(np.real_if_close)
def real_if_close(a: Array, tol: float = 100) -> Array:
    """The real part, if all imaginary parts are below tol roundings; else the array itself.

    >>> mg.real_if_close(np.array([2 + 1e-20j]))
    array([2.])
    """
    close = np.isrealobj(np.real_if_close(array_of(a), tol))
    return real(a) if close else arraylike(a)


def _with_complex_results(x, outside):
    """x, as complex numbers if the function of real numbers is not defined for an entry of it."""
    x = arraylike(x)
    # equivalent: 2 -> 3 because the results of both are complex
    return astype(x, np.emath.arccos(np.full((), 2, x.dtype)).dtype) if np.any(outside(x)) else x


_NEGATIVE = lambda x: x < 0  # noqa: E731
_BEYOND_1 = lambda x: np.abs(x) > 1  # noqa: E731


def _emath(name, outside):
    function = lambda x: getattr(np, name)(_with_complex_results(x, outside))  # noqa: E731
    function.__name__ = name
    implements(getattr(np.emath, name))(function)  # equivalent: any change because it runs at import alone


for _name in ("sqrt", "log", "log2", "log10"):
    _emath(_name, _NEGATIVE)
for _name in ("arccos", "arcsin", "arctanh"):
    _emath(_name, _BEYOND_1)


@implements(np.emath.logn)
def _logn(n, x):
    return np.log(_with_complex_results(x, _NEGATIVE)) / np.log(_with_complex_results(n, _NEGATIVE))


@implements(np.emath.power)
def _power(x, p):
    p = arraylike(p)
    # equivalent: p * 1.0 -> p / 1.0 because it gives the same
    p = p * 1.0 if np.any(p < 0) else p  # integers to negative integers are no integers
    return np.power(_with_complex_results(x, _NEGATIVE), p)


def conj(x: Array) -> Array:
    """The conjugate; of a real array the array itself, for the VJPs of real numbers need none."""
    # equivalent: without if x.dtype.kind == "c" else x because the conjugate of a real array is a copy
    return np.conjugate(x) if x.dtype.kind == "c" else x


def squared(x: Array) -> Array:
    """|X|**2, real."""
    # equivalent: without np.square(x) if x.dtype.kind != "c" else because an imaginary part of 0 adds nothing
    return np.square(x) if x.dtype.kind != "c" else np.square(np.real(x)) + np.square(np.imag(x))
