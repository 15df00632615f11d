"""Elementwise arithmetic: one row an op, its NumPy function beside its VJPs.

Each op acts entry by entry, so its Jacobian is diagonal (derivation, section 3.1.4) and the
VJP is g times the derivative of one entry. A = out. Broadcasting is undone by the sweep.
Where a derivative has factors, they are multiplied before g, which may be as large as the dtype allows.
"""

from __future__ import annotations

import math

import numpy as np

from ..blockwise import filled
from ..elementwise import elementwise
from ..operation import op
from ..stand_ins import NUMPY, implements
from ..typing import Array
from . import exponentials, gaussian
from .casting import floating, in_dtype, widened
from .complex_numbers import conj

__all__ = [
    "add", "subtract", "multiply", "divide", "negative", "positive", "exp", "log", "sqrt", "tanh", "square",
    "reciprocal", "cbrt", "exp2", "expm1", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos", "arctan",
    "sinh", "cosh", "arcsinh", "arccosh", "arctanh", "deg2rad", "rad2deg", "arctan2", "hypot", "remainder", "abs",
    "sign", "floor", "ceil", "trunc", "rint", "floor_divide", "power", "where", "maximum", "minimum", "clip", "round",
    "erf",
]  # fmt: skip

add = elementwise(
    np.add,
    "A = X1 + X2: dA/dX1 = dA/dX2 = 1.",
    x1=lambda g, a, x1, x2: g,
    x2=lambda g, a, x1, x2: g,
)
subtract = elementwise(
    np.subtract,
    "A = X1 - X2: dA/dX1 = 1, dA/dX2 = -1.",
    x1=lambda g, a, x1, x2: g,
    x2=lambda g, a, x1, x2: -g,
)
multiply = elementwise(
    np.multiply,
    "A = X1 * X2, entry by entry: dA/dX1 = X2, dA/dX2 = X1.",
    x1=lambda g, a, x1, x2: g * x2,
    x2=lambda g, a, x1, x2: g * x1,
)
divide = elementwise(
    np.divide,
    "A = X1 / X2: dA/dX1 = 1 / X2, dA/dX2 = -X1 / X2**2 = -A / X2.",
    x1=lambda g, a, x1, x2: g / x2,
    x2=lambda g, a, x1, x2: -g * (a / x2),
)
negative = elementwise(np.negative, "A = -X: dA/dX = -1.", x=lambda g, a, x: -g)
positive = elementwise(np.positive, "A = +X: dA/dX = 1.", x=lambda g, a, x: g)
exp = elementwise(np.exp, "A = e**X: dA/dX = A.", x=lambda g, a, x: g * a)
log = elementwise(np.log, "A = ln X: dA/dX = 1 / X; inf at 0.", x=lambda g, a, x: g / x)
sqrt = elementwise(np.sqrt, "A = X**(1/2): dA/dX = 1 / (2 A); inf at 0.", x=lambda g, a, x: g / (2 * a))
tanh = elementwise(
    np.tanh,
    "A = tanh(X), the document's activation: dA/dX = 1 - A**2 (section 3.1.4), which is 0 where A is rounded to 1.",
    x=lambda g, a, x: g * (1 - a * a),
)
square = elementwise(np.square, "A = X**2: dA/dX = 2 X.", x=lambda g, a, x: g * (2 * x))
reciprocal = elementwise(np.reciprocal, "A = 1 / X: dA/dX = -A**2.", x=lambda g, a, x: -g * a * a)
cbrt = elementwise(np.cbrt, "A = X**(1/3): dA/dX = 1 / (3 A**2); inf at 0.", x=lambda g, a, x: g / (3 * a * a))
exp2 = elementwise(np.exp2, "A = 2**X: dA/dX = A ln 2.", x=lambda g, a, x: g * (a * math.log(2)))
log2 = elementwise(np.log2, "A = log2 X: dA/dX = 1 / (X ln 2).", x=lambda g, a, x: g / x / math.log(2))
log10 = elementwise(np.log10, "A = log10 X: dA/dX = 1 / (X ln 10).", x=lambda g, a, x: g / x / math.log(10))
sin = elementwise(np.sin, "A = sin X: dA/dX = cos X.", x=lambda g, a, x: g * np.cos(x))
cos = elementwise(np.cos, "A = cos X: dA/dX = -sin X.", x=lambda g, a, x: -g * np.sin(x))
tan = elementwise(np.tan, "A = tan X: dA/dX = 1 + A**2.", x=lambda g, a, x: g * (1 + a * a))


def _root(x):
    """(1 - X**2)**(1/2). As differences 1 - X and 1 + X keep the sign of an imaginary 0: the side of a branch cut."""
    return np.sqrt(-(x - 1)) * np.sqrt(x - -1)


arcsin = elementwise(np.arcsin, "A = arcsin X: dA/dX = (1 - X**2)**(-1/2).", x=lambda g, a, x: g / _root(x))
arccos = elementwise(np.arccos, "A = arccos X: dA/dX = -(1 - X**2)**(-1/2).", x=lambda g, a, x: -g / _root(x))
arctan = elementwise(
    np.arctan, "A = arctan X: dA/dX = 1 / (1 + X**2).", x=lambda g, a, x: g / (1 + np.square(widened(x)))
)
sinh = elementwise(np.sinh, "A = sinh X: dA/dX = cosh X.", x=lambda g, a, x: g * np.cosh(x))
cosh = elementwise(np.cosh, "A = cosh X: dA/dX = sinh X.", x=lambda g, a, x: g * np.sinh(x))
arcsinh = elementwise(
    np.arcsinh,
    "A = arcsinh X: dA/dX = (X**2 + 1)**(-1/2) = 1 / cosh A.",
    x=lambda g, a, x: g / (np.cosh(a) if a.dtype.kind == "c" else np.hypot(x, 1)),
)
arccosh = elementwise(
    np.arccosh, "A = arccosh X: dA/dX = (X**2 - 1)**(-1/2).", x=lambda g, a, x: g / (np.sqrt(x - 1) * np.sqrt(x - -1))
)
arctanh = elementwise(np.arctanh, "A = arctanh X: dA/dX = 1 / (1 - X**2).", x=lambda g, a, x: g / ((1 - x) * (1 + x)))
deg2rad = elementwise(np.deg2rad, "A = X pi / 180: a constant factor.", x=lambda g, a, x: g * (math.pi / 180))
rad2deg = elementwise(np.rad2deg, "A = X 180 / pi: a constant factor.", x=lambda g, a, x: g * (180 / math.pi))
NUMPY |= {np.radians: deg2rad, np.degrees: rad2deg}
arctan2 = elementwise(
    np.arctan2,
    "A = the angle of the point (X2, X1): dA/dX1 = X2 / R**2, dA/dX2 = -X1 / R**2, with R = hypot(X1, X2).",
    x1=lambda g, a, x1, x2: g * _over_square(x2, np.hypot(x1, x2)),
    x2=lambda g, a, x1, x2: -g * _over_square(x1, np.hypot(x1, x2)),
)
hypot = elementwise(
    np.hypot,
    "A = (X1**2 + X2**2)**(1/2): dA/dX = X / A; 0 where A = 0, as for every norm.",
    x1=lambda g, a, x1, x2: g * _cosine(x1, x2, a),
    x2=lambda g, a, x1, x2: g * _cosine(x2, x1, a),
)
remainder = elementwise(
    np.remainder,
    "A = X1 - X2 floor(X1 / X2), the `%` of Python: dA/dX1 = 1, dA/dX2 = -floor(X1 / X2).",
    x1=lambda g, a, x1, x2: g,
    x2=lambda g, a, x1, x2: -g * np.floor_divide(x1, x2),
)


def _over_square(x, r):
    """X / R**2, without overflow."""
    return x / r / r


def _cosine(x, y, a):
    """X / A with A = hypot(X, Y), also where A overflows; 0 where A = 0."""
    if not np.all(np.isfinite(a)):
        x, y = x / 2, y / 2
        a = np.hypot(x, y)
    return _unit(x, a)


abs = elementwise(
    np.absolute,
    "A = |X|: dA/dX = sign(X), of a complex X conj(X) / A; 0 at 0.",
    name="abs",
    x=lambda g, a, x: g * (_unit(conj(x), a) if x.dtype.kind == "c" else np.sign(x)),
)
elementwise(np.fabs, "A = |X| of real numbers, as floating-point ones.", x=lambda g, a, x: g * np.sign(x))


def _unit(x, a):
    """X / A; 0 where A = 0."""
    # equivalent: 1 -> 2 because the quotient is not selected where it is the divisor
    return np.where(a == 0, 0, x / np.where(a == 0, 1, a))


def _zero(g, a, *x):
    """0, and NaN where A is not finite: a - a."""
    # equivalent: any factor because the result is 0 or NaN
    return g * (a - a)


sign = elementwise(np.sign, "A = sign(X), piecewise constant: dA/dX = 0.", x=_zero)
floor = elementwise(np.floor, "A = the integer below X, piecewise constant: dA/dX = 0.", x=_zero)
ceil = elementwise(np.ceil, "A = the integer above X, piecewise constant: dA/dX = 0.", x=_zero)
trunc = elementwise(np.trunc, "A = X without its fraction, piecewise constant: dA/dX = 0.", x=_zero)
rint = elementwise(np.rint, "A = the integer nearest to X, piecewise constant: dA/dX = 0.", x=_zero)
floor_divide = elementwise(
    np.floor_divide, "A = floor(X1 / X2), piecewise constant: dA/dX1 = dA/dX2 = 0.", x1=_zero, x2=_zero
)


@implements(np.expm1)
@op(complex=True)
def expm1(x: Array) -> Array:
    """A = e**X - 1, precise near 0 too: dA/dX = e**X.

    >>> mg.expm1(np.array([0.0, 1e-12, 1.0])).round(15)
    array([0.00000000e+00, 1.00000000e-12, 1.71828183e+00])
    """
    return exponentials.expm1(x)


@implements(np.log1p)
@op(complex=True)
def log1p(x: Array) -> Array:
    """A = ln(1 + X), precise near 0 too: dA/dX = 1 / (1 + X).

    >>> mg.log1p(np.array([0.0, 1e-12, 1.0])).round(15)
    array([0.00000000e+00, 1.00000000e-12, 6.93147181e-01])
    """
    return exponentials.log1p(x)


expm1.vjp("x", lambda g, a, x: g * np.exp(x))
log1p.vjp("x", lambda g, a, x: g / (1 + x))


_MANY = 1024  # entries from which the time of a power counts


@implements(np.power)
@op(complex=True)
def power(x1: Array, x2: Array) -> Array:
    """A = X1**X2, entry by entry.

    dA/dX1 = X2 * X1**(X2 - 1); 0 where X2 = 0, at X1 = 0 too.
    dA/dX2 = A * ln X1; 0 at X1 = 0 for X2 > 0, where A = 0.
    Where the exponent is 0 the power is constant, so the base is replaced by 1 (if the exponent is differentiated
    too: a base so small that 1 / X1 overflows). So is a base of 0 under the logarithm. Then neither these
    derivatives nor their own contain 0 * inf.
    Third and fourth powers of large arrays are products, within 2 units in the last place of NumPy's.

    >>> mg.power(np.array([2.0, 3.0]), 2)
    array([4., 9.])
    >>> mg.grad(mg.power)(3.0, 2.0)
    np.float64(6.0)
    >>> mg.grad(mg.power)(0.0, 0.0)
    np.float64(0.0)
    """
    return _raised(x1, x2)


def _raised(x, n):
    """X**n, of large arrays by products: NumPy's power is slow where a base is negative."""
    # equivalent: any change because both ways give the same, to rounding
    if type(n) in (int, float) and n in (3, 4) and type(x) is np.ndarray and x.size >= _MANY and x.dtype.char in "fd":
        square = x * x
        return square * (x if n == 3 else square)
    return x**n


@power.vjp("x1")
def _(g, a, x1, x2):
    if type(x2) in (int, float) and x2 in (-1, 2):  # NumPy's power of a negative or complex base is slow
        return g * (2 * x1) if x2 == 2 else -g * a * a
    base, constant = x1, x2 == 0
    if np.any(constant):
        if getattr(x2, "requires_grad", False):
            constant &= np.abs(x1) < np.finfo(x1.dtype).tiny
        base = np.where(constant, 1, x1)
    return g * (x2 * _raised(base, x2 - 1.0))  # 1.0: an unsigned 0 - 1 wraps around


@power.vjp("x2")
def _(g, a, x1, x2):
    base = np.where((x1 == 0) & (x2 > 0), 1, x1)
    return g * a * np.log(in_dtype(base, a.dtype))


@op(complex=True)
def where(condition: Array, x: Array, y: Array) -> Array:
    """A = X where the condition holds, else Y, entry by entry.

    The branch not taken gets 0, even where it is NaN or inf: the VJP selects, it never multiplies.

    >>> x = np.array([-1.0, 4.0])
    >>> mg.where(x > 0, x, 0.0)
    array([0., 4.])
    >>> mg.grad(lambda x: mg.where(x > 0, 3 * x, x).sum())(x)
    array([1., 3.])
    """
    return np.where(condition, x, y)


@where.vjp("x")
def _(g, a, condition, x, y):
    return selected(g, np.asarray(condition, bool))


@where.vjp("y")
def _(g, a, condition, x, y):
    return selected(g, np.logical_not(condition))


@op(complex=True)
def selected(g: Array, mask: Array) -> Array:
    """A = G where the mask (of its shape, or broadcast to it) is true, else 0: dA/dG = 1 or 0.

    The same as np.where(mask, g, 0), but faster: the bits of G, read as an integer, are multiplied by 1 or 0.
    So an infinity in G leaves 0 where the mask is false, and not the NaN of 0 * inf.
    """
    if g.dtype.char not in _AS_LARGE:
        return np.where(mask, g, 0)
    # laid out like the mask, since G may be stretched
    return filled(_select, g, mask, out=np.empty_like(mask, g.dtype, shape=g.shape))


def _select(a, g, mask):
    integer = _AS_LARGE[g.dtype.char]
    bits = a.view(integer)
    bits[...] = mask
    bits *= g.view(integer)


@selected.vjp("g")
def _(u, a, g, mask):
    return selected(u, mask)


def _shared(g, alone, tie):
    """G where the entry is the extreme alone, half of it in a tie."""
    chosen = selected(g, alone)
    # equivalent: without if np.any(tie) else chosen because zeros are added
    return chosen + selected(g / 2, tie) if np.any(tie) else chosen


_AS_LARGE = {"e": np.int16, "f": np.int32, "d": np.int64}  # dtype -> the integer of its size
maximum = elementwise(
    np.maximum,
    "A = max(X1, X2): the greater one gets g; a tie is split equally.",
    x1=lambda g, a, x1, x2: _shared(g, ~(x1 <= x2), x1 == x2),
    x2=lambda g, a, x1, x2: _shared(g, ~(x2 <= x1), x1 == x2),
)
minimum = elementwise(
    np.minimum,
    "A = min(X1, X2): the smaller one gets g; a tie is split equally.",
    x1=lambda g, a, x1, x2: _shared(g, ~(x1 >= x2), x1 == x2),
    x2=lambda g, a, x1, x2: _shared(g, ~(x2 >= x1), x1 == x2),
)
# these have a complex derivative (or, as abs, a row of their own), so the rows hold for complex numbers as they stand
for _op in (
    *(add, subtract, multiply, divide, negative, positive, exp, log, sqrt, tanh, square, reciprocal, exp2, log2),
    *(log10, sin, cos, tan, arcsin, arccos, arctan, sinh, cosh, arcsinh, arccosh, arctanh, abs, rint),
    *(maximum, minimum),  # in NumPy's order: by the real part, then by the imaginary one
):
    _op.differentiable = "fc"


@implements(np.clip)
def clip(
    a: Array,
    a_min: Array | None = None,
    a_max: Array | None = None,
    *,
    min: Array | None = None,
    max: Array | None = None,
) -> Array:
    """A limited to [a_min, a_max] (or [min, max]): dA/da = 1 inside and on a bound, 0 outside (NaN stays NaN).

    A bound gets g where it is the result: dA/da_min = 1 where a < a_min, dA/da_max = 1 where a > a_max. Raises
    ValueError for a bound that is given twice.

    >>> mg.clip(np.array([-2.0, 0.5, 3.0]), -1.0, 1.0)
    array([-1. ,  0.5,  1. ])
    >>> [float(mg.grad(mg.clip)(x, -1.0, 1.0)) for x in (-2.0, 0.5, 1.0)]
    [0.0, 1.0, 1.0]
    """
    if (a_min is not None and min is not None) or (a_max is not None and max is not None):
        raise ValueError("clip: a_min and min are one bound, and so are a_max and max: give each once")
    return _clip(a, min if a_min is None else a_min, max if a_max is None else a_max)


@op(name="clip")
def _clip(a, a_min=None, a_max=None):
    return np.clip(a, a_min, a_max)


@_clip.vjp("a")
def _(g, out, a, a_min, a_max):
    below = False if a_min is None else a < a_min
    above = False if a_max is None else a > a_max
    return selected(g, np.logical_not(below | above))


@_clip.vjp("a_min")
def _(g, out, a, a_min, a_max):
    below = a < a_min
    return selected(g, below if a_max is None else below & (a_min <= a_max))


@_clip.vjp("a_max")
def _(g, out, a, a_min, a_max):
    return selected(g, a > a_max if a_min is None else np.maximum(a, a_min) > a_max)


@implements(np.round, np.around)
@op(complex=True)
def round(a: Array, decimals: int = 0) -> Array:
    """A rounded to so many decimals, piecewise constant: dA/da = 0.

    >>> mg.round(np.array([0.126, 2.5]), 2)
    array([0.13, 2.5 ])
    >>> mg.grad(mg.round)(0.126)
    np.float64(0.0)
    """
    return np.round(a, decimals)


@round.vjp("a")
def _(g, out, a, decimals):
    # equivalent: g, out -> out, g; any factor because the result is 0 or NaN in any case
    return _zero(g, out)


@op
def erf(x: Array) -> Array:
    """A = the error function 2 pi**(-1/2) times the integral of e**(-t**2) from 0 to X.

    dA/dX = 2 pi**(-1/2) e**(-X**2). NumPy has no erf: `minigrad.ops.gaussian` computes it.

    >>> mg.erf(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.8427,  0.    ,  0.8427])
    """
    # equivalent: 1.0 -> any number; False -> True because only its type counts, and a copy is the same
    return gaussian.erf(floating(x)).astype(np.result_type(np.asarray(x), 1.0), copy=False)


@erf.vjp("x")
def _(g, a, x):
    return g * (2 / math.sqrt(math.pi) * np.exp(-np.square(widened(x))))


for _structured in (expm1, log1p, power, where, _clip, erf):
    _structured.elementwise, _structured.elementwise_vjps = 1 if _structured in (where, _clip) else 2, True
