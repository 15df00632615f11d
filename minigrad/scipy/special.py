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

from ..errors import named
from ..operation import array_of, arraylike, op
from ..ops import activations, sigmoid, sum
from ..typing import Array, Axis
from .ufuncs import UFUNCS, row

__all__ = ["lambertw", "log_softmax", "logsumexp", "multigammaln", "polygamma", "softmax", "zeta"]

UFUNCS[sp.expit] = sigmoid

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
    return g * -(x * zeta(np.add(x, 1), q))


@op(complex=True)
def lambertw(z: Array, k: int = 0, tol: float = 1e-8) -> Array:
    """The complex A with A e**A = Z, on the branch k: dA/dZ = 1 / (Z + e**A).

    >>> mg.scipy.special.lambertw(1.0).round(6)
    np.complex128(0.567143+0j)
    """
    return sp.lambertw(z, k, tol)


lambertw.vjp("z", lambda g, a, z, k, tol: g / (z + np.exp(a)))
UFUNCS |= {sp._ufuncs._lambertw: lambertw, sp._ufuncs._zeta: zeta}


@named
def multigammaln(a: Array, d: int) -> Array:
    """The logarithm of the multivariate gamma function of dimension d.

    >>> mg.scipy.special.multigammaln(3.0, 1).round(6)
    np.float64(0.693147)
    """
    halves = np.arange(d) / 2
    return sum(sp.gammaln(np.expand_dims(a, -1) - halves), -1) + d * (d - 1) / 4 * math.log(math.pi)


@named
def softmax(x: Array, axis: Axis = None) -> Array:
    """e**X over its sum, along the axis; by default over all entries.

    >>> mg.scipy.special.softmax(np.zeros((2, 2)))
    array([[0.25, 0.25],
           [0.25, 0.25]])
    """
    return activations.softmax(x, axis)


@named
def log_softmax(x: Array, axis: Axis = None) -> Array:
    """The logarithm of `softmax`.

    >>> mg.scipy.special.log_softmax(np.array([0.0, 1000.0]))
    array([-1000.,     0.])
    """
    return activations.log_softmax(x, axis)


# equivalent: never; array_of(a) -> a; shift, 0 -> shift, any number because the shift, any finite number, is added
# again, and without b the op of minigrad's own gives the same
@named
def logsumexp(
    a: Array, axis: Axis = None, b: Array | None = None, keepdims: bool = False, return_sign: bool = False
) -> tuple[Array, Array] | Array:
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
    return (np.real(x) >= 0) & (np.abs(x) > _FAR_FROM[np.real(x).dtype.itemsize])


def _slope_of_erfcx(a, x):
    far = _far(x)
    return np.where(far, _tail(np.where(far, x, 1.0), -1) / -_ROOT_PI, 2 * x * a - 2 / _ROOT_PI)


def _slope_of_dawsn(a, x):
    far = np.isrealobj(x) & _far(np.abs(x))
    return np.where(far, _tail(np.where(far, x, 1.0), 1) / -2, 1 - 2 * x * a)


# the error function and the normal distribution

row("erf", "dA/dX = 2 e**-X**2 / pi**(1/2).", x=lambda g, a, x: g * (2 / _ROOT_PI * np.exp(-x * x)))
row("erfc", "1 - erf(X).", x=lambda g, a, x: g * (-2 / _ROOT_PI * np.exp(-x * x)))
row("erfcx", "A = e**X**2 erfc(X): dA/dX = 2 X A - 2 / pi**(1/2).", x=lambda g, a, x: g * _slope_of_erfcx(a, x))
row("wofz", "A = erfcx(-i Z).", z=lambda g, a, z: g * (-1j * _slope_of_erfcx(a, -1j * z)))


def _slope_of_product(a, da, x):
    """The slope of X A of A = erfcx(X): A + X dA/dX, or its series x**-3 - 3 x**-5 + ... where most cancels (7.12)."""
    u = 1 / (x * x)
    series = u * (1 - u * (3 - u * (11.25 - u * (52.5 - u * 295.3125)))) / (x * _ROOT_PI)
    return np.where(_far(x), series, a + x * da)


def _voigt(part):
    """A slope of Re erfcx(Z) / (sigma (2 pi)**(1/2)), where Z = (gamma - i X) / (sigma 2**(1/2))."""

    def vjp(g, a, x, sigma, gamma):
        sigma = np.where(np.equal(sigma, 0), 1e-100, sigma)  # of sigma 0 it is the limit
        z = np.subtract(gamma, np.multiply(1j, x)) / (sigma * math.sqrt(2))
        value = sp.erfcx(z)
        return g * (part(value, _slope_of_erfcx(value, z), z) / (sigma * sigma))

    return vjp


row(
    "voigt_profile",
    "The density of a sum of a normal number and one of Cauchy.",
    x=_voigt(lambda a, da, z: np.imag(da) / (2 * _ROOT_PI)),
    sigma=_voigt(lambda a, da, z: -np.real(_slope_of_product(a, da, z)) / _ROOT_2PI),
    gamma=_voigt(lambda a, da, z: np.real(da) / (2 * _ROOT_PI)),
)
row("erfi", "dA/dX = 2 e**X**2 / pi**(1/2).", x=lambda g, a, x: g * (2 / _ROOT_PI * np.exp(x * x)))
row(
    "dawsn",
    "dA/dX = 1 - 2 X A.",
    x=lambda g, a, x: g * _slope_of_dawsn(a, x),
)
row("erfinv", "The inverse of erf.", x=lambda g, a, x: g * (_ROOT_PI / 2 * np.exp(a * a)))
row("erfcinv", "The inverse of erfc.", x=lambda g, a, x: g * (-_ROOT_PI / 2 * np.exp(a * a)))
row("ndtr", "The distribution function of the normal.", x=lambda g, a, x: g * _bell(x))
row("ndtri", "The inverse of ndtr.", x=lambda g, a, x: g / _bell(a))
row("log_ndtr", "ln ndtr(X).", x=lambda g, a, x: g * (2 / _ROOT_2PI / sp.erfcx(-x / math.sqrt(2))))
row("ndtri_exp", "The inverse of log_ndtr.", y=lambda g, a, y: g * (_ROOT_2PI / 2 * sp.erfcx(-a / math.sqrt(2))))
row("logit", "A = ln(X / (1 - X)).", x=lambda g, a, x: g / (x * (1 - x)))
row("log_expit", "A = ln expit(X): dA/dX = expit(-X).", x=lambda g, a, x: g * sigmoid(-x))
row(
    "owens_t",
    "Owen's T function.",
    h=lambda g, t, h, a: g * (-_bell(h) * sp.erf(a * h / math.sqrt(2)) / 2),
    a=lambda g, t, h, a: g * (np.exp(-h * h * (1 + a * a) / 2) / (2 * math.pi * (1 + a * a))),
)

# gamma and beta

row("psi", "The digamma function.", x=lambda g, a, x: g * polygamma(1, x))
row("gammasgn", "The sign of Gamma(X), constant between the integers.", x=lambda g, a, x: np.zeros_like(x))
row("gammaln", "A = ln |Gamma(X)|: dA/dX = psi(X).", x=lambda g, a, x: g * sp.psi(x))
row("loggamma", "A = ln Gamma(X): dA/dX = psi(X).", x=lambda g, a, x: g * sp.psi(x))
row("gamma", "dA/dX = A psi(X).", x=lambda g, a, x: g * (a * sp.psi(x)))


def _slope_of_rgamma(a, x):
    """-A psi(X); where X is 0, -1, ... that of A = sin(pi X) Gamma(1 - X) / pi."""
    pole = np.equal(x, np.floor(np.real(x))) & (np.real(x) <= 0)
    # equivalent: 0.0 -> any number; 1.0 -> any number because these are not taken
    at, rest = np.where(pole, x, 0.0), np.where(pole, 1.0, x)
    turned = np.cos(math.pi * at) - np.sin(math.pi * at) * sp.psi(1 - at) / math.pi
    return np.where(pole, sp.gamma(1 - at) * turned, -a * sp.psi(rest))


def _of_gammas(zero, near, far, out, *x):
    """Where a 1 / Gamma is 0 the slope of the product, near(*x); elsewhere far(*x) times the product."""
    near, far = near(*(np.where(zero, v, 1.0) for v in x)), far(*(np.where(zero, 1.0, v) for v in x))
    return np.where(zero, near, out * far)


def _is_pole(x):
    """Whether X is 0, -1, ..., where Gamma has a pole and 1 / Gamma is 0."""
    return np.equal(x, np.floor(x)) & np.less_equal(x, 0)


def _reciprocal(x):
    """1 / Gamma(X) and its slope."""
    a = sp.rgamma(x)
    return a, _slope_of_rgamma(a, x)


def _slope_of_beta(out, a, b):
    def near(a, b):
        zero, slope = _reciprocal(a + b)
        return sp.gamma(a) * sp.gamma(b) * (sp.psi(a) * zero + slope)

    return _of_gammas(_is_pole(a + b), near, lambda a, b: sp.psi(a) - sp.psi(a + b), out, a, b)


def _slope_of_poch(out, z, m):
    """In Z. Where both Gammas have a pole m is whole, and poch(Z, m) is poch(1 - Z - m, m) or its negative."""

    def near(z, m):
        zero, slope = _reciprocal(z)
        return sp.gamma(z + m) * (sp.psi(z + m) * zero + slope)

    both = _is_pole(z) & _is_pole(z + m)
    far = lambda z, m: np.where(both, -1, 1) * (sp.psi(z + m) - sp.psi(z))  # noqa: E731
    return _of_gammas(_is_pole(z) & ~both, near, far, out, np.where(both, 1 - z - m, z), m)


def _slope_of_binom(out, n, k, in_n):
    def near(n, k):
        (first, slope_of_first), (second, slope_of_second) = _reciprocal(k + 1), _reciprocal(n - k + 1)
        in_k = slope_of_first * second - first * slope_of_second
        return sp.gamma(n + 1) * (first * (sp.psi(n + 1) * second + slope_of_second) if in_n else in_k)

    def far(n, k):
        return sp.psi(n + 1 if in_n else n - k + 1) - sp.psi(n - k + 1 if in_n else k + 1)

    return _of_gammas(_is_pole(k + 1) | _is_pole(n - k + 1), near, far, out, n, k)


row("rgamma", "A = 1 / Gamma(X): dA/dX = -A psi(X).", x=lambda g, a, x: g * _slope_of_rgamma(a, x))
row(
    "beta",
    "dA/da = A (psi(a) - psi(a + b)), and so for b.",
    a=lambda g, out, a, b: g * _slope_of_beta(out, a, b),
    b=lambda g, out, a, b: g * _slope_of_beta(out, b, a),
)
row(
    "betaln",
    "dA/da = psi(a) - psi(a + b), and so for b.",
    a=lambda g, out, a, b: g * (sp.psi(a) - sp.psi(a + b)),
    b=lambda g, out, a, b: g * (sp.psi(b) - sp.psi(a + b)),
)
row(
    "poch",
    "A = Gamma(Z + m) / Gamma(Z).",
    z=lambda g, a, z, m: g * _slope_of_poch(a, z, m),
    m=lambda g, a, z, m: g * (a * sp.psi(z + m)),
)
row(
    "binom",
    "A = Gamma(n + 1) / (Gamma(k + 1) Gamma(n - k + 1)).",
    n=lambda g, a, n, k: g * _slope_of_binom(a, n, k, in_n=True),
    k=lambda g, a, n, k: g * _slope_of_binom(a, n, k, in_n=False),
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


row("gammainc", "The distribution function of gamma.", a=None, x=lambda g, y, a, x: g * _gamma_density(a, x))
row("gammaincc", "1 - gammainc(a, X).", a=None, x=lambda g, y, a, x: -g * _gamma_density(a, x))
row("gammaincinv", "The inverse of gammainc in X.", a=None, y=lambda g, x, a, y: g / _gamma_density(a, x))
row("gammainccinv", "The inverse of gammaincc in X.", a=None, y=lambda g, x, a, y: -g / _gamma_density(a, x))
row("betainc", "The distribution of beta.", a=None, b=None, x=lambda g, y, a, b, x: g * _beta_density(a, b, x))
row("betaincc", "1 - betainc(a, b, X).", a=None, b=None, x=lambda g, y, a, b, x: -g * _beta_density(a, b, x))
row("betaincinv", "The inverse of betainc in X.", a=None, b=None, y=lambda g, x, a, b, y: g / _beta_density(a, b, x))
row("betainccinv", "The inverse of betaincc.", a=None, b=None, y=lambda g, x, a, b, y: -g / _beta_density(a, b, x))


def _t_density(df, t):
    df, t = _double(df), _double(t)
    normal = np.isposinf(df)
    df = np.where(normal, 1.0, df)  # equivalent: 1.0 -> any number because it is not taken
    of_t = np.exp(-(df + 1) / 2 * np.log1p(t * t / df) - sp.betaln(df / 2, 0.5)) / np.sqrt(df)
    return np.where(normal, _bell(t), of_t)


row("stdtr", "The distribution function of Student's t.", df=None, t=lambda g, a, df, t: g * _t_density(df, t))

row("stdtrit", "The inverse of stdtr in t.", df=None, p=lambda g, t, df, p: g / _t_density(df, t))

# the distributions of counts, of squares and of their ratios

_poisson = lambda k, m: _gamma_density(np.floor(_double(k)) + 1, m)  # noqa: E731
_binomial = lambda k, n, p: _beta_density(np.floor(_double(k)) + 1, np.trunc(n) - np.floor(_double(k)), p)  # noqa: E731
_squares = lambda v, x: _gamma_density(v / 2, x / 2) / 2  # noqa: E731
row("pdtr", "The distribution of Poisson.", k=None, m=lambda g, a, k, m: -g * _poisson(k, m))
row("pdtrc", "1 - pdtr(k, m).", k=None, m=lambda g, a, k, m: g * _poisson(k, m))
row("bdtr", "The binomial distribution.", k=None, n=None, p=lambda g, a, k, n, p: -g * _binomial(k, n, p))
row("bdtrc", "1 - bdtr(k, n, p).", k=None, n=None, p=lambda g, a, k, n, p: g * _binomial(k, n, p))
row("chdtr", "The distribution of chi-squared.", v=None, x=lambda g, a, v, x: g * _squares(v, x))
row("chdtrc", "1 - chdtr(v, X).", v=None, x=lambda g, a, v, x: -g * _squares(v, x))
row("chdtri", "The inverse of chdtrc in X.", v=None, p=lambda g, x, v, p: -g / _squares(v, x))

# entropies and powers


def _slope_of_log(x, y):
    """dA/dY = X / Y of A = X ln Y: 0 where both are 0, since A is 0 for X = 0 and any Y."""
    with np.errstate(invalid="ignore"):
        return np.where(np.equal(x, 0) & np.equal(y, 0), 0, x / y)


row(
    "xlogy", "A = X ln Y, 0 at X = 0.", x=lambda g, a, x, y: g * np.log(y), y=lambda g, a, x, y: g * _slope_of_log(x, y)
)
row(
    "xlog1py",
    "A = X ln(1 + Y), 0 at X = 0.",
    x=lambda g, a, x, y: g * np.log1p(y),
    y=lambda g, a, x, y: g * _slope_of_log(x, 1 + y),
)
row("entr", "A = -X ln X.", x=lambda g, a, x: g * (-1 - np.log(x)))
row(
    "rel_entr",
    "A = X ln(X / Y).",
    x=lambda g, a, x, y: g * (np.log(x / y) + 1),
    y=lambda g, a, x, y: -g * _slope_of_log(x, y),
)
row(
    "kl_div",
    "A = X ln(X / Y) - X + Y.",
    x=lambda g, a, x, y: g * np.log(x / y),
    y=lambda g, a, x, y: g * (1 - _slope_of_log(x, y)),
)
row("expi", "The exponential integral.", x=lambda g, a, x: g * (np.exp(x) / x))
row("exp1", "The exponential integral E_1.", x=lambda g, a, x: g * (-np.exp(-x) / x))


def __getattr__(name):
    """Any other function is SciPy's own."""
    return getattr(sp, name)
