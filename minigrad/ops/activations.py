"""Activations: relu and its relatives, sigmoid, and softmax with its logarithms.

The elementwise ones have a diagonal Jacobian (derivation, section 3.1.4); softmax has a full
one (section 3.1.1). Each is written so that no finite input overflows. `tanh` is in arithmetic.
"""

from __future__ import annotations

import math

import numpy as np

from ..operation import op
from ..typing import Array, Axis
from .arithmetic import erf, selected
from .reductions import _floating, _kept, _reduced_shape

__all__ = ["relu", "leaky_relu", "elu", "sigmoid", "softplus", "softmax", "log_softmax", "logsumexp", "silu", "gelu"]

# size of the dtype -> the z above which e**-z does not overflow and 1 / (1 + e**-z) is not subnormal
SIGMOID_FROM = {2: -9.0, 4: -87.0, 8: -708.0, 16: -708.0}

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
        return np.maximum(z, 0) + 0
    a = z.clip(0, np.inf)  # faster than np.maximum with a scalar
    a += 0  # turns -0.0 into 0.0
    return a


@relu.vjp("z")
def _(g, a, z):
    return selected(g, z > 0)


@op
def leaky_relu(z: Array, slope: float = 0.01) -> Array:
    """A = Z for Z > 0, else slope * Z: dA/dZ = 1 or slope; slope at 0.

    >>> mg.leaky_relu(np.array([-1.0, 0.0, 2.0]), slope=0.1)
    array([-0.1,  0. ,  2. ])
    """
    # equivalent: z > 0 -> z >= 0 because both branches are 0 at 0
    return np.where(z > 0, z, slope * z)


@leaky_relu.vjp("z")
def _(g, a, z, slope):
    return np.where(z > 0, g, slope * g)


@op
def elu(z: Array, alpha: float = 1.0) -> Array:
    """A = Z for Z > 0, else alpha (e**Z - 1): dA/dZ = 1 or alpha e**Z; alpha at 0.

    >>> mg.elu(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.6321,  0.    ,  2.    ])
    """
    # equivalent: z > 0 -> z >= 0; z, 0 -> z, any number because both branches are 0 at 0, and below it the minimum is
    # Z
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


@elu.vjp("z")
def _(g, a, z, alpha):
    return np.where(z > 0, g, g * alpha * np.exp(np.minimum(z, 0)))


@op
def sigmoid(z: Array) -> Array:
    """A = 1 / (1 + e**-Z): dA/dZ = A (1 - A). Where e**-Z would overflow, it is computed as e**Z / (1 + e**Z).

    >>> mg.sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    >>> mg.grad(mg.sigmoid)(0.0)
    np.float64(0.25)
    """
    # equivalent: > -> >= because both forms are right at the limit itself
    if _is_float_array(z) and z.min() > SIGMOID_FROM[z.dtype.itemsize]:
        a = np.negative(z)
        np.exp(a, out=a)
        a += 1
        return np.divide(1, a, out=a)
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
    return np.logaddexp(z, 0)


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
    e = np.exp(_shifted(z, axis))
    return e / np.sum(e, axis=axis, keepdims=True)


def _shifted(z, axis):
    """Z minus its maximum along the axis. An array of short rows is laid out column by column first.

    NumPy then adds whole columns instead of reducing one short row after another.
    """
    z = _floating(z)
    if z.ndim == 2 and axis in (-1, 1) and z.shape[1] <= FEW_COLUMNS:
        z = np.asfortranarray(z)
    return z - np.max(z, axis=axis, keepdims=True)


@softmax.vjp("z")
def _(g, a, z, axis):
    return a * (g - np.sum(g * a, axis=axis, keepdims=True))


@op
def log_softmax(z: Array, axis: Axis = -1) -> Array:
    """A_i = Z_i - ln sum_j e**Z_j: dA_i/dZ_j = delta_ij - softmax(Z)_j, so dJ/dZ = g - e**A sum(g).

    >>> mg.log_softmax(np.array([0.0, 1000.0]))
    array([-1000.,     0.])
    """
    shifted = _shifted(z, axis)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


@log_softmax.vjp("z")
def _(g, a, z, axis):
    return g - np.exp(a) * np.sum(g, axis=axis, keepdims=True)


@op
def logsumexp(z: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """A = ln sum_j e**Z_j over the axis (or axes): dA/dZ_j = e**(Z_j - A).

    Infinities are as in the limit: entries of -inf count as absent, and only -inf gives -inf.

    >>> mg.logsumexp(np.array([[1000.0, 1000.0]]), axis=1).round(4)
    array([1000.6931])
    >>> mg.grad(mg.logsumexp)(np.array([0.0, -np.inf]))
    array([1., 0.])
    """
    z = _floating(z)
    greatest = np.max(z, axis=axis, keepdims=True)
    # equivalent: 0 -> any number because any finite number has the same limit
    greatest = np.where(np.isfinite(greatest), greatest, 0)
    with np.errstate(divide="ignore"):
        a = greatest + np.log(np.sum(np.exp(z - greatest), axis=axis, keepdims=True))
    return np.reshape(a, _reduced_shape(z, axis, keepdims))


@logsumexp.vjp("z")
def _(g, a, z, axis, keepdims):
    return _kept(g, z, axis) * np.exp(z - _kept(a, z, axis))


@op
def silu(z: Array) -> Array:
    """A = Z S with S = sigmoid(Z): dA/dZ = S + Z S (1 - S) = S + A (1 - S).

    >>> mg.silu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.2689,  0.    ,  0.7311])
    >>> mg.grad(mg.silu)(0.0)
    np.float64(0.5)
    """
    return z * sigmoid(z)


@silu.vjp("z")
def _(g, a, z):
    s = sigmoid(z)
    return g * (s + a * (1 - s))


@op
def gelu(z: Array) -> Array:
    """A = Z P(Z), with P(Z) = (1 + erf(Z / 2**(1/2))) / 2, the probability that a standard normal is below Z.

    dA/dZ = P(Z) + Z p(Z), with the density p(Z) = (2 pi)**(-1/2) e**(-Z**2 / 2).
    Reference: D. Hendrycks and K. Gimpel, "Gaussian error linear units", 2016; the exact form.

    >>> mg.gelu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    return z * _normal(z)


def _normal(z):
    return (1 + erf(z * math.sqrt(0.5))) * 0.5


@gelu.vjp("z")
def _(g, a, z):
    density = np.exp(-z * z * 0.5) * (1 / math.sqrt(2 * math.pi))
    return g * (_normal(z) + z * density)
