"""More elementwise functions of NumPy: rows of a table as in `arithmetic`, and a few made of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..elementwise import elementwise
from ..operation import array_of, arraylike, op
from ..stand_ins import implements
from ..typing import Array, Integers
from .activations import difference, sigmoid
from .arithmetic import _zero, floor_divide, power, remainder, selected, trunc
from .casting import astype, floating, in_dtype

__all__ = [
    "fmax", "fmin", "fmod", "copysign", "heaviside", "ldexp", "float_power", "logaddexp2", "divmod", "modf", "frexp",
    "nextafter", "sinc", "i0", "nan_to_num",
]  # fmt: skip

fmax = elementwise(
    np.fmax,
    "A = max(X1, X2), where a number wins over NaN: the greater one gets g; a tie is split equally.",
    x1=lambda g, a, x1, x2: selected(g, (x1 > x2) | (x2 != x2)) + selected(g / 2, x1 == x2),
    x2=lambda g, a, x1, x2: selected(g, (x2 > x1) | (x1 != x1) & (x2 == x2)) + selected(g / 2, x1 == x2),
)
fmin = elementwise(
    np.fmin,
    "A = min(X1, X2), where a number wins over NaN: the smaller one gets g; a tie is split equally.",
    x1=lambda g, a, x1, x2: selected(g, (x1 < x2) | (x2 != x2)) + selected(g / 2, x1 == x2),
    x2=lambda g, a, x1, x2: selected(g, (x2 < x1) | (x1 != x1) & (x2 == x2)) + selected(g / 2, x1 == x2),
)
fmod = elementwise(
    np.fmod,
    "A = X1 - X2 trunc(X1 / X2), the remainder of C: dA/dX1 = 1, dA/dX2 = -trunc(X1 / X2).",
    x1=lambda g, a, x1, x2: g,
    x2=lambda g, a, x1, x2: -g * np.rint((x1 - a) / x2),
)
copysign = elementwise(
    np.copysign,
    "A = |X1| with the sign of X2: dA/dX1 = 1 where the signs agree, else -1; 0 at 0. dA/dX2 = 0.",
    # equivalent: * np.copysign(1, x2)) -> / np.copysign(1, x2)) because a sign is its own inverse
    x1=lambda g, a, x1, x2: g * (np.sign(x1) * np.copysign(1, x2)),
    x2=_zero,
)
heaviside = elementwise(
    np.heaviside,
    "A = 0 where X1 < 0, 1 where X1 > 0, and X2 where X1 = 0: dA/dX1 = 0, dA/dX2 = 1 where X1 = 0.",
    x1=_zero,
    x2=lambda g, a, x1, x2: selected(g, x1 == 0),
)
nextafter = elementwise(
    np.nextafter, "The number next to X1 towards X2: dA/dX1 = 1, dA/dX2 = 0.", x1=lambda g, a, x1, x2: g, x2=_zero
)
implements(np.fix)(trunc)


@implements(np.ldexp)
@op
def ldexp(x1: Array, x2: Any) -> Array:
    """A = X1 * 2**X2, for integers X2: dA/dX1 = 2**X2.

    >>> mg.ldexp(np.array([1.0, 3.0]), 2)
    array([ 4., 12.])
    """
    return np.ldexp(x1, x2)


@ldexp.vjp("x1")
def _(g, a, x1, x2):
    return ldexp(g, x2)


@implements(np.float_power)
def float_power(x1: Array, x2: Array) -> Array:
    """`power` in float64, or complex128.

    >>> mg.float_power(np.array([1, 2]), -1)
    array([1. , 0.5])
    """
    x1, x2 = (astype(x, np.result_type(arraylike(x).dtype, np.float64)) for x in (x1, x2))
    return power(x1, x2)


@implements(np.logaddexp2)
@op
def logaddexp2(x1: Array, x2: Array) -> Array:
    """A = log2(2**X1 + 2**X2), without overflow: dA/dX1 = 1 / (1 + 2**(X2 - X1)). Equal infinities share g.

    >>> mg.logaddexp2(1000.0, 1000.0).round(9)
    np.float64(1001.0)
    """
    return np.logaddexp2(x1, x2)


logaddexp2.vjp("x1", lambda g, a, x1, x2: g * sigmoid(difference(x1, x2) * math.log(2)))
logaddexp2.vjp("x2", lambda g, a, x1, x2: g * sigmoid(difference(x2, x1) * math.log(2)))


@implements(np.divmod)
def divmod(x1: Array, x2: Array) -> tuple[Array, Array]:
    """`(floor_divide, remainder)`.

    >>> mg.divmod(7.0, 2.0)
    (np.float64(3.0), np.float64(1.0))
    """
    return floor_divide(x1, x2), remainder(x1, x2)


@implements(np.modf)
def modf(x: Array) -> tuple[Array, Array]:
    """The fraction and the integer part, both of the sign of x. The fraction has derivative 1, the other 0.

    >>> mg.modf(-2.5)
    (np.float64(-0.5), np.float64(-2.0))
    """
    fraction = _fraction(x)
    return fraction, in_dtype(trunc(x), fraction.dtype)


@op(name="modf")
def _fraction(x):
    """X - trunc(X), with the sign of X, and 0 of an infinite one."""
    return np.modf(x)[0]


_fraction.vjp("x", lambda g, a, x: g)


@implements(np.frexp)
def frexp(x: Array) -> tuple[Array, Integers]:
    """`(mantissa, exponent)` with x = mantissa * 2**exponent; the exponent is plain integers.

    >>> mg.frexp(6.0)
    (np.float64(0.75), np.int32(3))
    """
    return _mantissa(x), np.frexp(array_of(x))[1]


@op(name="frexp")
def _mantissa(x):
    """X / 2**exponent, between 1/2 and 1, also where that power overflows."""
    return np.frexp(x)[0]


_mantissa.vjp("x", lambda g, a, x: ldexp(g, -np.frexp(x)[1]))


@implements(np.sinc)
def sinc(x: Array) -> Array:
    """A = sin(pi X) / (pi X), and 1 at 0.

    >>> mg.sinc(np.array([0.0, 0.5])).round(4)
    array([1.    , 0.6366])
    >>> mg.hessian(mg.sinc)(0.0).round(4)
    np.float64(-3.2899)
    """
    return _sinc(np.multiply(x, math.pi), n=0)


# equivalent: < -> <=; < n + 1 -> < n; < n + 1 -> < n + any number; near, 1 -> near, 2; 1, n -> 0, n because a little
# further both ways are as precise, what stands near 0 is overwritten, and a step for 0 leaves f as it is
@op(name="sinc", complex=True)
def _sinc(y, *, n):
    """The n-th derivative f of sin(y) / y: from y f_n + n f_(n-1) = sin(y + n pi/2), or near 0 from its series."""
    like, y = y, np.asarray(y, np.result_type(y, np.float32))  # whose powers and factorials float16 can't hold
    near = np.abs(y) < n + 1 if n else y == 0
    far = np.where(near, 1, y)
    waves = [np.sin(far), np.cos(far)] if n else [np.sin(far)]
    f = waves[0] / far
    for i in range(1, n + 1):
        f = ((-1) ** (i // 2) * waves[i % 2] - i * f) / far
    f = np.asarray(f)
    f[near] = _near_0(y[near], n)
    return f.astype(np.result_type(like, np.float16))


def _near_0(y, n):
    """The sum over k of (-1)**k y**(2k - n) / ((2k + 1) (2k - n)!)."""
    least, square, total = (n + 1) // 2, y * y, 0
    # equivalent: any change because the last terms are below rounding
    for k in reversed(range(least, 12 + 2 * n)):
        total = total * square + (-1) ** k / ((2 * k + 1) * math.factorial(2 * k - n))
    return total * y ** (2 * least - n)


@_sinc.vjp("y")
def _(g, a, y, n):
    return g * _sinc(y, n=n + 1)


@implements(np.i0)
@op
def i0(x: Array) -> Array:
    """A = I_0(X), the modified Bessel function: the mean of e**(X cos t) over t from 0 to pi.

    The derivatives are means of e**(X cos t) cos(t)**n. They come from so many points t that the part that these
    miss, I_2n(X) for n points, is below rounding.

    >>> mg.i0(np.array([0.0, 1.0])).round(4)
    array([1.    , 1.2661])
    """
    return np.i0(floating(x))


@i0.vjp("x")
def _(g, a, x):
    return g * _i0_derivative(x, order=1)


@op(name="i0")
def _i0_derivative(x, *, order):
    """The mean of cos(t)**order e**(X cos t): that of t and pi - t is a hyperbolic function."""
    x, like = floating(x).astype(np.float64), x  # whose rounding the exponential would enlarge
    greatest = np.max(np.abs(x), initial=0)  # equivalent: 0 -> any number because more points will do
    # equivalent: any change because a few points more or less miss nothing yet
    n = 8 + math.ceil(2.5 * math.sqrt(min(greatest, 1000))) if greatest == greatest else 8
    cosines = np.cos((np.arange(n) + 0.5) * (math.pi / (2 * n))).tolist()
    hyperbolic = np.sinh if order % 2 else np.cosh
    return np.asarray(sum(c**order * hyperbolic(x * c) for c in cosines) / n, like.dtype)


@_i0_derivative.vjp("x")
def _(g, a, x, order):
    return g * _i0_derivative(x, order=order + 1)


@implements(np.nan_to_num)
def nan_to_num(
    x: Array, copy: bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Array:
    """Numbers in place of NaN and infinities, which have derivative 0 then. `copy` changes nothing.

    >>> mg.nan_to_num(np.array([1.0, np.nan, np.inf]), posinf=9.0)
    array([1., 0., 9.])
    """
    x = arraylike(x)
    plain = array_of(x)
    np.array(np.array(()), copy=copy)  # which checks it
    return np.where(np.isfinite(plain), x, np.nan_to_num(plain, nan=nan, posinf=posinf, neginf=neginf))
