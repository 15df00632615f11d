"""The derivatives of scipy.special's ufuncs: a table, with one row for each; and logsumexp, polygamma and the like.

The table is read when a Tensor meets the first of these ufuncs, or when this module is imported. An argument without
a derivative in elementary functions, such as the order of a Bessel function, is refused by name if it needs a gradient.
Source: NIST Digital Library of Mathematical Functions (https://dlmf.nist.gov), the chapter of each function.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from ..elementwise import elementwise
from ..operation import array_of, arraylike, op
from ..ops import activations, sigmoid, sum
from ..typing import Array, Axis

__all__ = ["log_softmax", "logsumexp", "multigammaln", "polygamma", "softmax", "zeta"]

UFUNCS: dict[Any, Any] = {sp.expit: sigmoid}  # ufunc -> op

_OF_COMPLEX_NUMBERS = {"erf", "erfc", "erfcx", "erfi", "dawsn", "ndtr", "expi", "exp1", "jv", "yv", "iv", "kv"}

_ROOT_PI = math.sqrt(math.pi)
_ROOT_2PI = math.sqrt(2 * math.pi)


@op
def polygamma(n: int, x: Array) -> Array:
    """The n-th derivative of psi; its own is the next one.

    >>> mg.scipy.special.polygamma(1, 1.0).round(6)
    np.float64(1.644934)
    """
    return sp.polygamma(n, x)


@polygamma.vjp("x")
def _(g, a, n, x):
    return g * polygamma(np.add(n, 1), x)


@op
def zeta(x: Any, q: Array) -> Array:
    """The Hurwitz zeta function, the sum of (k + q)**-x: its derivative in q is -x zeta(x + 1, q).

    >>> mg.scipy.special.zeta(2.0, 1.0).round(6)
    np.float64(1.644934)
    """
    return sp.zeta(x, q)


@zeta.vjp("q")
def _(g, a, x, q):
    return g * (-x * zeta(np.add(x, 1), q))


def multigammaln(a: Array, d: int) -> Array:
    """The logarithm of the multivariate gamma function of dimension d.

    >>> mg.scipy.special.multigammaln(3.0, 1).round(6)
    np.float64(0.693147)
    """
    halves = np.arange(d) / 2
    return sum(sp.gammaln(np.expand_dims(a, -1) - halves), -1) + d * (d - 1) / 4 * math.log(math.pi)


def softmax(x: Array, axis: Axis = None) -> Array:
    """e**X over its sum, along the axis; by default over all entries.

    >>> mg.scipy.special.softmax(np.zeros((2, 2)))
    array([[0.25, 0.25],
           [0.25, 0.25]])
    """
    return activations.softmax(x, axis)


def log_softmax(x: Array, axis: Axis = None) -> Array:
    """The logarithm of `softmax`.

    >>> mg.scipy.special.log_softmax(np.array([0.0, 1000.0]))
    array([-1000.,     0.])
    """
    return activations.log_softmax(x, axis)


# equivalent: never; array_of(a) -> a; shift, 0 -> shift, any number because the shift, any finite number, is added
# again, and without b the op of minigrad's own gives the same
def logsumexp(
    a: Array, axis: Axis = None, b: Array | None = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """ln of the sum of b e**a along the axis; NaN for a negative sum, or `(ln |sum|, sign)` with return_sign.

    >>> mg.scipy.special.logsumexp(np.array([0.0, 0.0]), b=np.array([3.0, -1.0])).round(6)
    np.float64(0.693147)
    """
    if b is None and not return_sign:
        return activations.logsumexp(a, axis, keepdims)
    a, factor = arraylike(a), 1.0 if b is None else arraylike(b)
    unused = np.equal(factor, 0)
    shift = np.max(np.where(unused, -np.inf, array_of(a)), axis=axis, keepdims=True)
    shift = np.where(np.isfinite(shift), shift, 0)
    largest = np.log(np.finfo(np.result_type(shift, np.float32)).max)
    with np.errstate(divide="ignore", invalid="ignore"):
        exponents = np.where(unused, np.fmin(a - shift, largest), a - shift)
        total = sum(factor * np.exp(exponents), axis, keepdims=keepdims)
        logarithm = np.log(np.abs(total) if return_sign else total) + (shift if keepdims else np.squeeze(shift, axis))
    return (logarithm, np.sign(array_of(total))) if return_sign else logarithm


def _bell(x):
    """The density of the standard normal distribution."""
    return np.exp(-x * x / 2) / _ROOT_2PI


_FAR_FROM = {2: 8, 4: 8, 8: 50}  # bytes of a number -> where `_tail` is more precise


def _tail(x, sign):
    """The sum of sign**n (2n + 1)!! / 2**n / x**(2n + 2): the slope of 1/x + sign/(2 x**3) + ..., negative."""
    u = 1 / (x * x)
    return u * (1 + sign * u * (1.5 + sign * u * (3.75 + sign * u * 13.125)))


def _far(x):
    """Where so much cancels in 1 - 2 X A that the tail is more precise (DLMF 7.12)."""
    # equivalent: > -> >= because both are precise there
    return np.isrealobj(x) and np.real(x) > _FAR_FROM[x.dtype.itemsize]


def _row(name, equation, **vjps):
    """A row of the table; VJP None: no derivative in this argument."""
    made = elementwise(getattr(sp, name), equation, table=UFUNCS, **vjps)
    made.differentiable = "fc" if name in _OF_COMPLEX_NUMBERS else "f"
    return made


# the error function and the normal distribution

_row("erf", "dA/dX = 2 e**-X**2 / pi**(1/2).", x=lambda g, a, x: g * (2 / _ROOT_PI * np.exp(-x * x)))
_row("erfc", "1 - erf(X).", x=lambda g, a, x: g * (-2 / _ROOT_PI * np.exp(-x * x)))
_row(
    "erfcx",
    "A = e**X**2 erfc(X): dA/dX = 2 X A - 2 / pi**(1/2).",
    x=lambda g, a, x: g * np.where(_far(x), _tail(x, -1) / -_ROOT_PI, 2 * x * a - 2 / _ROOT_PI),
)
_row("erfi", "dA/dX = 2 e**X**2 / pi**(1/2).", x=lambda g, a, x: g * (2 / _ROOT_PI * np.exp(x * x)))
_row(
    "dawsn",
    "dA/dX = 1 - 2 X A.",
    x=lambda g, a, x: g * np.where(_far(np.abs(x)), _tail(x, 1) / -2, 1 - 2 * x * a),
)
_row("erfinv", "The inverse of erf.", x=lambda g, a, x: g * (_ROOT_PI / 2 * np.exp(a * a)))
_row("erfcinv", "The inverse of erfc.", x=lambda g, a, x: g * (-_ROOT_PI / 2 * np.exp(a * a)))
_row("ndtr", "The distribution function of the normal.", x=lambda g, a, x: g * _bell(x))
_row("ndtri", "The inverse of ndtr.", x=lambda g, a, x: g / _bell(a))
_row("log_ndtr", "ln ndtr(X).", x=lambda g, a, x: g * (2 / _ROOT_2PI / sp.erfcx(-x / math.sqrt(2))))
_row("logit", "A = ln(X / (1 - X)).", x=lambda g, a, x: g / (x * (1 - x)))
_row("log_expit", "A = ln expit(X): dA/dX = expit(-X).", x=lambda g, a, x: g * sigmoid(-x))
_row(
    "owens_t",
    "Owen's T function.",
    h=lambda g, t, h, a: g * (-_bell(h) * sp.erf(a * h / math.sqrt(2)) / 2),
    a=lambda g, t, h, a: g * (np.exp(-h * h * (1 + a * a) / 2) / (2 * math.pi * (1 + a * a))),
)

# gamma and beta

_row("psi", "The digamma function.", x=lambda g, a, x: g * polygamma(1, x))
_row("gammasgn", "The sign of Gamma(X), constant between the integers.", x=lambda g, a, x: np.zeros_like(x))
_row("gammaln", "A = ln |Gamma(X)|: dA/dX = psi(X).", x=lambda g, a, x: g * sp.psi(x))
_row("loggamma", "A = ln Gamma(X): dA/dX = psi(X).", x=lambda g, a, x: g * sp.psi(x))
_row("gamma", "dA/dX = A psi(X).", x=lambda g, a, x: g * (a * sp.psi(x)))
_row("rgamma", "A = 1 / Gamma(X): dA/dX = -A psi(X).", x=lambda g, a, x: g * (-a * sp.psi(x)))
_row(
    "beta",
    "dA/da = A (psi(a) - psi(a + b)), and so for b.",
    a=lambda g, out, a, b: g * (out * (sp.psi(a) - sp.psi(a + b))),
    b=lambda g, out, a, b: g * (out * (sp.psi(b) - sp.psi(a + b))),
)
_row(
    "betaln",
    "dA/da = psi(a) - psi(a + b), and so for b.",
    a=lambda g, out, a, b: g * (sp.psi(a) - sp.psi(a + b)),
    b=lambda g, out, a, b: g * (sp.psi(b) - sp.psi(a + b)),
)


def _gamma_density(a, x):
    a, x = _double(a), np.minimum(_double(x), np.finfo(float).max)  # at infinity it is 0
    return np.exp(sp.xlogy(a - 1, x) - x - sp.gammaln(a))


def _double(x):
    """x in double precision at least: of large numbers, a small difference is left."""
    return np.float64(1) * x


def _beta_density(a, b, x):
    a, b, x = _double(a), _double(b), _double(x)
    return np.exp(sp.xlogy(a - 1, x) + sp.xlog1py(b - 1, -x) - sp.betaln(a, b))


_row("gammainc", "The distribution function of gamma.", a=None, x=lambda g, y, a, x: g * _gamma_density(a, x))
_row("gammaincc", "1 - gammainc(a, X).", a=None, x=lambda g, y, a, x: -g * _gamma_density(a, x))
_row("gammaincinv", "The inverse of gammainc in X.", a=None, y=lambda g, x, a, y: g / _gamma_density(a, x))
_row("gammainccinv", "The inverse of gammaincc in X.", a=None, y=lambda g, x, a, y: -g / _gamma_density(a, x))
_row("betainc", "The distribution of beta.", a=None, b=None, x=lambda g, y, a, b, x: g * _beta_density(a, b, x))
_row("betaincc", "1 - betainc(a, b, X).", a=None, b=None, x=lambda g, y, a, b, x: -g * _beta_density(a, b, x))
_row("betaincinv", "The inverse of betainc in X.", a=None, b=None, y=lambda g, x, a, b, y: g / _beta_density(a, b, x))


def _t_density(df, t):
    df, t = _double(df), _double(t)
    return np.exp(-(df + 1) / 2 * np.log1p(t * t / df) - sp.betaln(df / 2, 0.5)) / np.sqrt(df)


_row("stdtr", "The distribution function of Student's t.", df=None, t=lambda g, a, df, t: g * _t_density(df, t))

# entropies and powers


def _slope_of_log(x, y):
    """dA/dY = X / Y of A = X ln Y: 0 where both are 0, since A is 0 for X = 0 and any Y."""
    with np.errstate(invalid="ignore"):
        return np.where(np.equal(x, 0) & np.equal(y, 0), 0, x / y)


_row(
    "xlogy", "A = X ln Y, 0 at X = 0.", x=lambda g, a, x, y: g * np.log(y), y=lambda g, a, x, y: g * _slope_of_log(x, y)
)
_row(
    "xlog1py",
    "A = X ln(1 + Y), 0 at X = 0.",
    x=lambda g, a, x, y: g * np.log1p(y),
    y=lambda g, a, x, y: g * _slope_of_log(x, 1 + y),
)
_row("entr", "A = -X ln X.", x=lambda g, a, x: g * (-1 - np.log(x)))
_row(
    "rel_entr",
    "A = X ln(X / Y).",
    x=lambda g, a, x, y: g * (np.log(x / y) + 1),
    y=lambda g, a, x, y: -g * _slope_of_log(x, y),
)
_row(
    "kl_div",
    "A = X ln(X / Y) - X + Y.",
    x=lambda g, a, x, y: g * np.log(x / y),
    y=lambda g, a, x, y: g * (1 - _slope_of_log(x, y)),
)
_row(
    "boxcox",
    "A = (X**lmbda - 1) / lmbda, and ln X for 0: dA/dX = X**(lmbda - 1).",
    x=lambda g, a, x, lmbda: g * x ** (lmbda - 1.0),
    lmbda=None,
)
_row("expi", "The exponential integral.", x=lambda g, a, x: g * (np.exp(x) / x))
_row("exp1", "The exponential integral E_1.", x=lambda g, a, x: g * (-np.exp(-x) / x))

# Bessel functions, of the first and second kind and modified; elliptic integrals, which are hypergeometric functions


def _mean_of_neighbours(function, sign):
    """The derivative (F[v-1] + sign F[v+1]) / 2."""
    return lambda g, a, v, z: g * ((function(v - 1, z) + sign * function(v + 1, z)) / 2)


_row("jv", "dA/dZ = (J[v-1] - J[v+1]) / 2.", v=None, z=_mean_of_neighbours(sp.jv, -1))
_of_yv = _mean_of_neighbours(sp.yv, -1)
_row("yv", "dA/dZ = (Y[v-1] - Y[v+1]) / 2.", v=None, z=_of_yv)
_row("yn", "Y of an order rounded towards 0.", n=None, x=lambda g, a, n, x: _of_yv(g, a, np.trunc(n), x))
_row("iv", "dA/dZ = (I[v-1] + I[v+1]) / 2.", v=None, z=_mean_of_neighbours(sp.iv, 1))
_row(
    "kv", "dA/dZ = -(K[v-1] + K[v+1]) / 2.", v=None, z=lambda g, a, v, z: -g * ((sp.kv(v - 1, z) + sp.kv(v + 1, z)) / 2)
)
_row(
    "ive",
    "e**-|Z| I[v](Z).",
    v=None,
    z=lambda g, a, v, z: g * ((sp.ive(v - 1, z) + sp.ive(v + 1, z)) / 2 - np.sign(z) * a),
)
_row("kve", "e**Z K[v](Z).", v=None, z=lambda g, a, v, z: g * (a - (sp.kve(v - 1, z) + sp.kve(v + 1, z)) / 2))
_row("j0", "dA/dX = -J[1].", x=lambda g, a, x: -g * sp.j1(x))
_row("j1", "dA/dX = (J[0] - J[2]) / 2.", x=lambda g, a, x: g * ((sp.j0(x) - sp.jv(2, x)) / 2))
_row("y0", "dA/dX = -Y[1].", x=lambda g, a, x: -g * sp.y1(x))
_row("y1", "dA/dX = (Y[0] - Y[2]) / 2.", x=lambda g, a, x: g * ((sp.y0(x) - sp.yv(2, x)) / 2))
_row("i0", "dA/dX = I[1].", x=lambda g, a, x: g * sp.i1(x))
_row("i1", "dA/dX = (I[0] + I[2]) / 2.", x=lambda g, a, x: g * ((sp.i0(x) + sp.iv(2, x)) / 2))
_row("i0e", "e**-|X| I[0].", x=lambda g, a, x: g * (sp.i1e(x) - np.sign(x) * a))
_row("i1e", "e**-|X| I[1].", x=lambda g, a, x: g * ((sp.i0e(x) + sp.ive(2, x)) / 2 - np.sign(x) * a))
_row("k0", "dA/dX = -K[1].", x=lambda g, a, x: -g * sp.k1(x))
_row("k1", "dA/dX = -(K[0] + K[2]) / 2.", x=lambda g, a, x: -g * ((sp.k0(x) + sp.kv(2, x)) / 2))
_row("k0e", "e**X K[0].", x=lambda g, a, x: g * (a - sp.k1e(x)))
_row("k1e", "e**X K[1].", x=lambda g, a, x: g * (a - (sp.k0e(x) + sp.kve(2, x)) / 2))
_row(
    "hyp2f1",
    "The hypergeometric function F(a, b; c; Z): dA/dZ = (a b / c) F(a + 1, b + 1; c + 1; Z).",
    a=None,
    b=None,
    c=None,
    # equivalent: a + 1, b + 1 -> b + 1, a + 1 because F is symmetric in them
    z=lambda g, out, a, b, c, z: g * (a * b / c * sp.hyp2f1(a + 1, b + 1, c + 1, z)),
)
_row("ellipk", "K(m), pi/2 F(1/2, 1/2; 1; m).", m=lambda g, a, m: g * (math.pi / 8 * sp.hyp2f1(1.5, 1.5, 2.0, m)))
# equivalent: 0.5, 1.5 -> 1.5, 0.5 because F is symmetric in them
_row("ellipe", "E(m), pi/2 F(-1/2, 1/2; 1; m).", m=lambda g, a, m: g * (-math.pi / 8 * sp.hyp2f1(0.5, 1.5, 2.0, m)))


def __getattr__(name):
    """Any other function is SciPy's own."""
    return getattr(sp, name)
