"""Activations: relu and its relatives, sigmoid, and softmax with its logarithms.

The elementwise ones have a diagonal Jacobian (derivation, section 3.1.4); softmax has a full
one (section 3.1.1). Each is written so that no finite input overflows. `tanh` is in arithmetic.
Booleans and integers count as float64, except in relu, which needs no fractions.
"""

from __future__ import annotations

import math

import numpy as np

from ..blockwise import filled
from ..errors import named
from ..operation import op
from ..stand_ins import implements
from ..summation import blocked_sum
from ..typing import Array, Axis
from . import gaussian
from .arithmetic import selected
from .casting import floating, narrowed, widened
from .exponentials import expm1_below_0, log1p_exp
from .reductions import _kept, _reduced_shape, sum_of_products

__all__ = [
    "relu", "leaky_relu", "elu", "sigmoid", "softplus", "softmax", "log_softmax", "logaddexp", "logsumexp", "silu",
    "gelu",
]  # fmt: skip

# size of the dtype -> the z above which e**-z does not overflow and 1 / (1 + e**-z) is not subnormal
SIGMOID_FROM = {2: -9.0, 4: -87.0, 8: -708.0, 16: -708.0}
MODERATE = 60.0  # up to so large Z, of either sign, e**Z needs no shift: a pass over Z less, and one digit more
BOUNDS = {c: (np.array(0, c), np.array(np.inf, c)) for c in "efdg"}  # arrays, which ufuncs take faster than numbers
MANY = 2**14  # entries from which on a pass over them takes longer than a few calls
FEW_COLUMNS = 32  # up to so many entries in a row, reducing column by column is faster


def _is_float_array(z):
    """Whether z is a non-empty floating-point array with at least one axis, so that in-place steps work."""
    # equivalent: size > 0 -> size > any number because the general way gives the same for so few entries
    return isinstance(z, np.ndarray) and z.dtype.kind == "f" and z.ndim > 0 and z.size > 0


@op
def relu(z: Array) -> Array:
    """A = max(Z, 0): dA/dZ = 1 for Z > 0, else 0; so 0 at 0. NaN stays NaN.

    >>> mg.relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    >>> [float(mg.grad(mg.relu)(z)) for z in (-1.0, 0.0, 2.0)]
    [0.0, 0.0, 1.0]
    """
    if not _is_float_array(z):
        a = np.maximum(z, 0) + 0
        return a if a.dtype.kind != "c" else floating(a)  # which refuses complex numbers
    return filled(_relu, z)


def _relu(a, z):
    zero, infinity = BOUNDS[z.dtype.char]
    z.clip(zero, infinity, out=a)  # faster than np.maximum with a scalar
    a += zero  # turns -0.0 into 0.0


@relu.vjp("z")
def _(g, a, z):
    return selected(g, z > 0)


# equivalent: any change because both ways give the same, and the branches of both are 0 at 0
@op
def leaky_relu(z: Array, slope: float = 0.01) -> Array:
    """A = Z for Z > 0, else slope * Z: dA/dZ = 1 or slope; slope at 0.

    >>> mg.leaky_relu(np.array([-1.0, 0.0, 2.0]), slope=0.1)
    array([-0.1,  0. ,  2. ])
    """
    z = floating(z)
    if 0 < slope <= 1:
        return np.maximum(z, z * z.dtype.type(slope))
    return z * _one_or(slope, z > 0, z.dtype)


@leaky_relu.vjp("z")
def _(g, a, z, slope):
    return g * _one_or(slope, z > 0, g.dtype)


def _one_or(number, mask, dtype):
    """1 where the mask is true, else the number, as np.where(mask, 1, number), but faster for the usual numbers."""
    # equivalent: never; 0 <= number -> 0 < number; 0 -> 1; 0 -> 2; 1 -> 0 because both ways give the same
    if 0 <= number <= 1:
        slopes = np.asarray(mask, dtype)
        return slopes.clip(number, 1, out=slopes)  # equivalent: 1 -> 2 because nothing is above 1
    return np.where(mask, dtype.type(1), dtype.type(number))


@op
def elu(z: Array, alpha: float = 1.0) -> Array:
    """A = Z for Z > 0, else alpha (e**Z - 1): dA/dZ = 1 or alpha e**Z; alpha at 0.

    >>> mg.elu(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.6321,  0.    ,  2.    ])
    """
    z = floating(z)
    return above_0(z) + alpha * expm1_below_0(_below_0(z))


@elu.vjp("z")
def _(g, a, z, alpha):
    return np.exp(_below_0(z)) * _one_or(alpha, z > 0, g.dtype) * g


# equivalent: any change because NumPy's functions, which are slower for a number, give the same
def above_0(z):
    """max(Z, 0)."""
    return z.clip(0, np.inf) if type(z) is np.ndarray else np.maximum(z, 0)


# equivalent: any change because NumPy's functions, which are slower for a number, give the same
def _below_0(z):
    """min(Z, 0)."""
    return z.clip(-np.inf, 0) if type(z) is np.ndarray else np.minimum(z, 0)


@op
def sigmoid(z: Array) -> Array:
    """A = 1 / (1 + e**-Z): dA/dZ = A (1 - A). Where e**-Z would overflow, it is computed as e**Z / (1 + e**Z).

    Where A is rounded to 1 (from Z = 37 on in float64, 17 in float32) dA/dZ = e**-Z is rounded to 0.

    >>> mg.sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    >>> mg.grad(mg.sigmoid)(0.0)
    np.float64(0.25)
    """
    # equivalent: 2 -> any number because blocks of any size give the same
    return filled(_sigmoid, z, weight=2) if _is_float_array(z) else _sigmoid_of_any(floating(z))


def _sigmoid(a, z):
    least = SIGMOID_FROM[z.dtype.itemsize]
    ordinary = z.min() > least  # equivalent: > -> >= because both forms are right at the limit itself
    np.negative(z if ordinary else np.maximum(z, least), out=a)
    np.exp(a, out=a)
    a += 1
    np.divide(1, a, out=a)
    if not ordinary:  # so each entry has the same bits, whatever the others are
        low = z <= least  # equivalent: <= -> < because both forms are right at the limit itself
        a[low] = _sigmoid_of_any(z[low])


def _sigmoid_of_any(z):
    return np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z)))


@sigmoid.vjp("z")
def _(g, a, z):
    return (1 - a) * a * g  # in this order NumPy allocates once


@op
def softplus(z: Array) -> Array:
    """A = ln(1 + e**Z): dA/dZ = e**Z / (1 + e**Z) = sigmoid(Z).

    >>> mg.softplus(np.array([-1000.0, 0.0, 10.0])).round(4)
    array([ 0.    ,  0.6931, 10.    ])
    >>> mg.grad(mg.softplus)(0.0)
    np.float64(0.5)
    """
    z = floating(z)
    return above_0(z) + log1p_exp(z)


@softplus.vjp("z")
def _(g, a, z):
    return g * sigmoid(z)


@op
def softmax(z: Array, axis: Axis = -1) -> Array:
    """A_i = e**Z_i / sum_j e**Z_j along the axis.

    dA_i/dZ_j = A_i (delta_ij - A_j), so dJ/dZ_j = A_j (g_j - sum_i g_i A_i) (derivation, section 3.1.1).

    >>> mg.softmax(np.array([0.0, np.log(3.0)])).round(4)
    array([0.25, 0.75])
    >>> mg.jacobian(mg.softmax)(np.array([0.0, np.log(3.0)])).round(4)
    array([[ 0.1875, -0.1875],
           [-0.1875,  0.1875]])
    """
    wide = _by_columns(widened(floating(z)), axis)
    # equivalent: any change because both ways give the same
    moderate = wide.size >= MANY and wide.min() > -MODERATE and wide.max() < MODERATE
    e = np.exp(wide if moderate else shifted_by_maximum(wide, axis))
    e /= total(e, axis)
    return narrowed(e, z)


def _by_columns(z, axis):
    """Z, laid out column by column if its rows are short: NumPy then adds whole columns, not one row after another."""
    return np.asfortranarray(z) if z.ndim == 2 and axis in (-1, 1) and z.shape[1] <= FEW_COLUMNS else z


# equivalent: never; > 0 -> >= 0; > 0 -> > any number because infinite maxima are treated apart, row by row, and
# a finite number minus itself is 0
def shifted_by_maximum(z, axis):
    """Z minus its maximum along the axis, laid out column by column if its rows are short."""
    z = _by_columns(z, axis)
    greatest = np.maximum.reduce(z, axis=axis, keepdims=True)  # what np.max calls
    if math.isfinite(np.add.reduce(greatest, axis=None)):
        return z - greatest
    with np.errstate(invalid="ignore"):  # an infinite maximum: itself at 0, and the others at -inf
        return np.where((z == greatest) & (z > 0), 0, z - greatest)


# equivalent: any change because both ways give the same
def total(x, axis):
    """The sum along the axis, which is kept with size 1."""
    few = type(x) is np.ndarray and x.size < MANY
    return blocked_sum(x, axis, keepdims=True) if few else sum_of_products(x, None, axis)


@softmax.vjp("z")
def _(g, a, z, axis):
    g, a = widened(g), widened(a)
    return a * (g - sum_of_products(g, a, axis))


@named
def log_softmax(z: Array, axis: Axis = -1) -> Array:
    """A_i = Z_i - ln sum_j e**Z_j: dA_i/dZ_j = delta_ij - softmax(Z)_j, so dJ/dZ = g - e**A sum(g).

    >>> mg.log_softmax(np.array([0.0, 1000.0]))
    array([-1000.,     0.])
    """
    return _log_softmax(z, axis, saved={})


@op(name="log_softmax")
def _log_softmax(z, axis, *, saved):
    """A; E = e**(Z - max Z) and its sums are saved, since e**A = E / sum(E)."""
    shifted = shifted_by_maximum(widened(floating(z)), axis)
    e = np.exp(shifted)
    saved.update(e=e, sums=total(e, axis))
    shifted -= np.log(saved["sums"])
    return narrowed(shifted, z)


@_log_softmax.vjp("z")
def _(g, a, z, axis, saved):
    g = widened(g)
    g_sums = total(g, axis)
    # equivalent: never because what is computed again is the same
    if type(z) is np.ndarray:
        return g - saved["e"] * (g_sums / saved["sums"])
    return g - np.exp(widened(a)) * g_sums


@implements(np.logaddexp)
@op
def logaddexp(x1: Array, x2: Array) -> Array:
    """A = ln(e**X1 + e**X2), without overflow: dA/dX1 = 1 / (1 + e**(X2 - X1)). Equal infinities share g.

    >>> mg.logaddexp(1000.0, 1000.0).round(4)
    np.float64(1000.6931)
    """
    if np.result_type(x1, x2).char != "f":  # float32, for which NumPy is slow
        return np.logaddexp(x1, x2)
    # equivalent: difference(x1, x2) -> difference(x2, x1) because its sign does not count
    return np.maximum(x1, x2) + log1p_exp(difference(x1, x2))


logaddexp.vjp("x1", lambda g, a, x1, x2: g * sigmoid(difference(x1, x2)))
logaddexp.vjp("x2", lambda g, a, x1, x2: g * sigmoid(difference(x2, x1)))


def difference(x1, x2):
    """X1 - X2, and 0 for equal infinities."""
    same = np.isinf(x1) & (x1 == x2)
    # equivalent: without if np.any(same) else x1 - x2 because it is only slower
    return np.where(same, 0, x1) - np.where(same, 0, x2) if np.any(same) else x1 - x2


@op
def logsumexp(z: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """A = ln sum_j e**Z_j over the axis (or axes): dA/dZ = softmax(Z), from the differences of the entries.

    Infinities are as in the limit: entries of -inf count as absent, and only -inf gives -inf. Then all share g
    equally, as entries of +inf do.

    >>> mg.logsumexp(np.array([[1000.0, 1000.0]]), axis=1).round(4)
    array([1000.6931])
    >>> mg.grad(mg.logsumexp)(np.array([0.0, -np.inf]))
    array([1., 0.])
    """
    like, z = z, widened(floating(z))
    greatest = np.maximum.reduce(z, axis=axis, keepdims=True)
    # equivalent: 0 -> any number because any finite number has the same limit
    greatest = np.where(np.isfinite(greatest), greatest, 0)
    with np.errstate(divide="ignore"):
        a = greatest + np.log(blocked_sum(np.exp(z - greatest), axis, keepdims=True))
    return np.reshape(narrowed(a, like), _reduced_shape(z, axis, keepdims))


@logsumexp.vjp("z")
def _(g, a, z, axis, keepdims):
    absent = np.isneginf(_kept(a, z, axis))
    if np.any(absent):
        z = np.where(absent, 0, z)  # equivalent: 0 -> any number because entries that are equal share g equally
    return _kept(g, z, axis) * softmax(z, axis)


@named
def silu(z: Array) -> Array:
    """A = Z S with S = sigmoid(Z): dA/dZ = S + Z S (1 - S) = S + A (1 - S).

    >>> mg.silu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.2689,  0.    ,  0.7311])
    >>> mg.grad(mg.silu)(0.0)
    np.float64(0.5)
    """
    return _silu(z, saved={})


@op(name="silu")
def _silu(z, *, saved):
    """A; S is saved."""
    wide = widened(floating(z))
    saved["s"] = sigmoid(wide)
    return narrowed(wide * saved["s"], z)


@_silu.vjp("z")
def _(g, a, z, saved):
    z = widened(z)
    # equivalent: any change because both are S
    s = saved["s"] if type(z) is np.ndarray else sigmoid(z)
    # equivalent: any change because z * s is A, where float16 has not rounded it
    a = a if a.dtype == z.dtype else z * s  # float16 has rounded A
    return ((1 - s) * a + s) * g  # in this order NumPy allocates once


@named
def gelu(z: Array) -> Array:
    """A = Z P(Z), with P(Z) = (1 + erf(Z / 2**(1/2))) / 2, the probability that a standard normal is below Z.

    dA/dZ = P(Z) + Z p(Z), with the density p(Z) = (2 pi)**(-1/2) e**(-Z**2 / 2) = dP/dZ.
    Reference: D. Hendrycks and K. Gimpel, "Gaussian error linear units", 2016; the exact form.

    >>> mg.gelu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    return _gelu(z, saved={})


@op(name="gelu")
def _gelu(z, *, saved):
    """A; the slopes dA/dZ are saved."""
    like, z = z, widened(floating(z))
    saved["slope"] = np.empty_like(z)
    # equivalent: 2 -> any number because blocks of any size give the same
    return narrowed(filled(gaussian.gelu, z, saved["slope"], weight=2), like)[()]


@_gelu.vjp("z")
def _(g, a, z, saved):
    # equivalent: never because what is computed again is the same
    if type(z) is np.ndarray:
        return g * saved["slope"]
    z = widened(z)
    return g * (_normal(z) + z * _density(z))


@op(name="normal_cdf")
def _normal(z):
    """P(Z): dP/dZ = p(Z)."""
    return gaussian.normal_cdf(floating(z))


@_normal.vjp("z")
def _(g, a, z):
    return g * _density(z)


def _density(z):
    return np.exp(z * -0.5 * z) * (1 / math.sqrt(2 * math.pi))


for _activation in (leaky_relu, elu, softplus, logaddexp):
    _activation.elementwise, _activation.elementwise_vjps = 1 if _activation is leaky_relu else 2, True
sigmoid.elementwise_vjps = True
