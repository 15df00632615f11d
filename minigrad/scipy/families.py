"""Distributions, one row each: their functions at loc = 0 and scale = 1, of z and the shapes, within the support.

A function that a row does not have is made of the others (`distributions.Distribution`), or SciPy's own, which takes no
Tensor. Parameters for which there is no distribution, and what is no probability, give NaN.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sp

from . import special  # noqa: F401 (the table of derivatives)
from .distributions import row

__all__ = [
    "bernoulli", "binom", "cauchy", "expon", "exponweib", "fisk", "geom", "gompertz", "gumbel_l", "gumbel_r",
    "halfcauchy", "halfnorm", "invgamma", "laplace", "logistic", "lognorm", "nbinom", "pareto", "rayleigh",
    "skewnorm", "truncnorm", "uniform", "vonmises", "weibull_min",
]  # fmt: skip

_INF = math.inf
_LOG_2, _LOG_PI = math.log(2), math.log(math.pi)
_ROOT_2 = math.sqrt(2)


def _log_of_rest(t, log_t):
    """ln(1 - e**-t), for t > 0: ln t + ln((1 - e**-t) / t) where t is small, even if it is 0 as a number."""
    small = np.less(t, _LOG_2)
    few = np.where(small, t, 1.0)  # equivalent: 1.0 -> any number because it is not taken
    many = np.where(small, 1.0, t)  # equivalent: 1.0 -> any number because it is not taken
    return np.where(small, log_t + np.log(sp.exprel(-few)), np.log1p(-np.exp(-many)))


def _log_of_weibull(z, c):
    return _log_of_rest(z**c, c * np.log(z))


def _share(of_odds, odds):
    """odds / (1 + odds) where this is asked for, and what is left of 1 elsewhere; of precise slope for odds <= 1."""
    return np.where(of_odds, odds, 1.0) / (1 + odds)


expon = row(
    "expon",
    "The exponential distribution.",
    support=(0.0, _INF),
    logpdf=lambda z: -z,
    cdf=lambda z: -np.expm1(-z),
    sf=lambda z: np.exp(-z),
    logsf=lambda z: -z,
    ppf=lambda q: -np.log1p(-q),
)
uniform = row(
    "uniform",
    "The uniform distribution, from `loc` to `loc` + `scale`.",
    support=(0.0, 1.0),
    logpdf=lambda z: 0.0 * z,
    cdf=lambda z: z,
    sf=lambda z: 1 - z,
    ppf=lambda q: q,
)
_half = lambda z: np.exp(np.where(np.less(z, 0), z, -z)) / 2  # noqa: E731
laplace = row(
    "laplace",
    "Laplace's distribution.",
    logpdf=lambda z: -np.abs(z) - _LOG_2,
    cdf=lambda z: np.where(np.less(z, 0), _half(z), 1 - _half(z)),
    sf=lambda z: np.where(np.less(z, 0), 1 - _half(z), _half(z)),
    ppf=lambda q: np.where(np.less(q, 0.5), np.log(2 * q), -np.log(2 - 2 * q)),
)
logistic = row(
    "logistic",
    "The logistic distribution.",
    logpdf=lambda z: sp.log_expit(z) + sp.log_expit(-z),
    cdf=lambda z: _share(np.less(z, 0), np.exp(np.where(np.less(z, 0), z, -z))),
    sf=lambda z: _share(np.greater_equal(z, 0), np.exp(np.where(np.less(z, 0), z, -z))),
    logcdf=lambda z: sp.log_expit(z),
    logsf=lambda z: sp.log_expit(-z),
    ppf=lambda q: sp.logit(q),
)
_cotangent = lambda q: 1 / np.tan(math.pi * q)  # noqa: E731
cauchy = row(
    "cauchy",
    "Cauchy's distribution.",
    logpdf=lambda z: -np.log1p(z * z) - _LOG_PI,
    cdf=lambda z: np.arctan2(1.0, -z) / math.pi,
    sf=lambda z: np.arctan2(1.0, z) / math.pi,
    ppf=lambda q: np.where(np.less(q, 0.5), -_cotangent(q), _cotangent(1 - q)),
)
halfcauchy = row(
    "halfcauchy",
    "Cauchy's distribution of positive numbers.",
    support=(0.0, _INF),
    logpdf=lambda z: _LOG_2 - _LOG_PI - np.log1p(z * z),
    cdf=lambda z: np.arctan(z) * (2 / math.pi),
    sf=lambda z: np.arctan2(1.0, z) * (2 / math.pi),
    ppf=lambda q: np.tan(math.pi / 2 * q),
)
halfnorm = row(
    "halfnorm",
    "The normal distribution of positive numbers.",
    support=(0.0, _INF),
    logpdf=lambda z: (_LOG_2 - _LOG_PI - z * z) / 2,
    cdf=lambda z: sp.erf(z / _ROOT_2),
    sf=lambda z: sp.erfc(z / _ROOT_2),
    logsf=lambda z: sp.log_ndtr(-z) + _LOG_2,
    ppf=lambda q: _ROOT_2 * sp.erfinv(q),
)
gumbel_r = row(
    "gumbel_r",
    "Gumbel's distribution of the greatest.",
    logpdf=lambda z: -z - np.exp(-z),
    cdf=lambda z: np.exp(-np.exp(-z)),
    sf=lambda z: -np.expm1(-np.exp(-z)),
    logcdf=lambda z: -np.exp(-z),
    logsf=lambda z: _log_of_rest(np.exp(-z), -z),
    ppf=lambda q: -np.log(-np.log(q)),
)
gumbel_l = row(
    "gumbel_l",
    "Gumbel's distribution of the least.",
    logpdf=lambda z: z - np.exp(z),
    cdf=lambda z: -np.expm1(-np.exp(z)),
    sf=lambda z: np.exp(-np.exp(z)),
    logcdf=lambda z: _log_of_rest(np.exp(z), z),
    logsf=lambda z: -np.exp(z),
    ppf=lambda q: np.log(-np.log1p(-q)),
)
rayleigh = row(
    "rayleigh",
    "Rayleigh's distribution.",
    support=(0.0, _INF),
    closed=False,
    logpdf=lambda z: np.log(z) - z * z / 2,
    cdf=lambda z: -np.expm1(-z * z / 2),
    sf=lambda z: np.exp(-z * z / 2),
    logcdf=lambda z: _log_of_weibull(z / _ROOT_2, 2),
    logsf=lambda z: -z * z / 2,
    ppf=lambda q: np.sqrt(-2 * np.log1p(-q)),
)
lognorm = row(
    "lognorm",
    "The distribution of what has a normal logarithm, of standard deviation `s`.",
    "s",
    support=(0.0, _INF),
    closed=False,
    logpdf=lambda z, s: -((np.log(z) / s) ** 2) / 2 - np.log(s * z) - (_LOG_2 + _LOG_PI) / 2,
    cdf=lambda z, s: sp.ndtr(np.log(z) / s),
    sf=lambda z, s: sp.ndtr(-np.log(z) / s),
    logcdf=lambda z, s: sp.log_ndtr(np.log(z) / s),
    logsf=lambda z, s: sp.log_ndtr(-np.log(z) / s),
    ppf=lambda q, s: np.exp(s * sp.ndtri(q)),
)
weibull_min = row(
    "weibull_min",
    "Weibull's distribution of shape `c`.",
    "c",
    support=(0.0, _INF),
    logpdf=lambda z, c: np.log(c) + sp.xlogy(c - 1, z) - z**c,
    cdf=lambda z, c: -np.expm1(-(z**c)),
    sf=lambda z, c: np.exp(-(z**c)),
    logcdf=_log_of_weibull,
    logsf=lambda z, c: -(z**c),
    ppf=lambda q, c: (-np.log1p(-q)) ** (1.0 / c),
)


def _quantile_of_exponweib(q, a, c):
    """(-ln(1 - q**(1/a)))**(1/c): at 0 by two terms of its series, since there the chain rule has 0 * inf."""
    zero, p = np.equal(q, 0), 1 / (a * c)
    first = np.where(zero, q, 1.0)  # equivalent: 1.0 -> any number because this is not taken
    begin = first**p + first ** (p + 1 / a) / (2 * c)
    return np.where(zero, begin, (-np.log1p(-(np.where(zero, 0.5, q) ** (1.0 / a)))) ** (1.0 / c))


exponweib = row(
    "exponweib",
    "Weibull's distribution of shape `c`, its distribution function to the power `a`.",
    "a c",
    support=(0.0, _INF),
    logpdf=lambda z, a, c: np.log(a) + np.log(c) + sp.xlogy(a - 1, -np.expm1(-(z**c))) - z**c + sp.xlogy(c - 1, z),
    cdf=lambda z, a, c: (-np.expm1(-(z**c))) ** a,
    sf=lambda z, a, c: -np.expm1(a * _log_of_weibull(z, c)),
    logcdf=lambda z, a, c: a * _log_of_weibull(z, c),
    ppf=_quantile_of_exponweib,
)
fisk = row(
    "fisk",
    "The log-logistic distribution of shape `c`.",
    "c",
    support=(0.0, _INF),
    logpdf=lambda z, c: np.log(c) + sp.xlogy(c - 1, z) + 2 * sp.log_expit(-c * np.log(z)),
    cdf=lambda z, c: _share(np.less(z, 1), z ** np.where(np.less(z, 1), c, -c)),
    sf=lambda z, c: _share(np.greater_equal(z, 1), z ** np.where(np.less(z, 1), c, -c)),
    logcdf=lambda z, c: sp.log_expit(c * np.log(z)),
    logsf=lambda z, c: sp.log_expit(-c * np.log(z)),
    ppf=lambda q, c: q ** (1.0 / c) / (1 - q) ** (1.0 / c),
)
gompertz = row(
    "gompertz",
    "Gompertz' distribution of shape `c`.",
    "c",
    support=(0.0, _INF),
    logpdf=lambda z, c: np.log(c) + z - c * np.expm1(z),
    cdf=lambda z, c: -np.expm1(-c * np.expm1(z)),
    sf=lambda z, c: np.exp(-c * np.expm1(z)),
    logsf=lambda z, c: -c * np.expm1(z),
    ppf=lambda q, c: np.log1p(-np.log1p(-q) / c),
)
pareto = row(
    "pareto",
    "Pareto's distribution of shape `b`.",
    "b",
    support=(1.0, _INF),
    logpdf=lambda z, b: np.log(b) - (b + 1) * np.log(z),
    cdf=lambda z, b: -np.expm1(-b * np.log(z)),
    sf=lambda z, b: np.exp(-b * np.log(z)),
    logsf=lambda z, b: -b * np.log(z),
    ppf=lambda q, b: np.exp(-np.log1p(-q) / b),
)
invgamma = row(
    "invgamma",
    "The distribution of 1 / z, where z has a gamma distribution of shape `a`.",
    "a",
    support=(0.0, _INF),
    closed=False,
    logpdf=lambda z, a: -(a + 1) * np.log(z) - sp.gammaln(a) - 1 / z,
    cdf=lambda z, a: sp.gammaincc(a, 1 / z),
    sf=lambda z, a: sp.gammainc(a, 1 / z),
    ppf=lambda q, a: 1 / sp.gammainccinv(a, q),
)
_bell = lambda z: -z * z / 2 - (_LOG_2 + _LOG_PI) / 2  # noqa: E731
skewnorm = row(
    "skewnorm",
    "The skewed normal distribution.",
    "a",
    valid=lambda a: np.isfinite(a),
    logpdf=lambda z, a: _LOG_2 + _bell(z) + sp.log_ndtr(a * z),
)
vonmises = row(
    "vonmises",
    "The normal distribution of angles, of concentration `kappa`.",
    "kappa",
    valid=lambda kappa: np.greater_equal(kappa, 0),
    logpdf=lambda z, kappa: kappa * (np.cos(z) - 1) - np.log(2 * math.pi * sp.i0e(kappa)),
)


def _logarithms(a, b):
    """ln P of what is less than b, of a normal distribution, and how much less it is for a; mirrored if a > 0."""
    upper = np.greater(a, 0)  # equivalent: 0 -> any number because either half will do near the middle
    low, high = np.where(upper, -b, a), np.where(upper, -a, b)
    most = sp.log_ndtr(high)
    return most, most - sp.log_ndtr(low)


def _log_mass(a, b):
    """The logarithm of the normal probability from a to b."""
    most, less = _logarithms(a, b)
    return most + _log_of_rest(less, np.log(less))


def _mass(a, b, log_whole):
    """The normal probability from a to b, as a share of the whole."""
    most, less = _logarithms(a, b)
    return np.exp(most - log_whole) * -np.expm1(-less)


truncnorm = row(
    "truncnorm",
    "The normal distribution from `a` to `b`.",
    "a b",
    support=lambda a, b: (a, b),
    valid=lambda a, b: np.less(a, b),
    logpdf=lambda z, a, b: _bell(z) - _log_mass(a, b),
    cdf=lambda z, a, b: _mass(a, z, _log_mass(a, b)),
    sf=lambda z, a, b: _mass(z, b, _log_mass(a, b)),
    logcdf=lambda z, a, b: _log_mass(a, z) - _log_mass(a, b),
    logsf=lambda z, a, b: _log_mass(z, b) - _log_mass(a, b),
)

_probability = lambda p: np.greater_equal(p, 0) & np.less_equal(p, 1)  # noqa: E731
binom = row(
    "binom",
    "The binomial distribution of `n` trials.",
    "n p",
    support=lambda n, p: (0.0, n),
    # equivalent: np.floor(n) -> np.ceil(n) because a whole number is both
    valid=lambda n, p: np.greater_equal(n, 0) & np.equal(n, np.floor(n)) & _probability(p),
    logpmf=lambda k, n, p: (
        sp.gammaln(n + 1.0) - sp.gammaln(k + 1) - sp.gammaln(n - k + 1) + sp.xlogy(k, p) + sp.xlog1py(n - k, -p)
    ),
    cdf=lambda k, n, p: sp.betaincc(k + 1, n - k, p),
    sf=lambda k, n, p: sp.betainc(k + 1, n - k, p),
)
bernoulli = row(
    "bernoulli",
    "The distribution of 1, of probability `p`, and 0.",
    "p",
    support=(0.0, 1.0),
    valid=_probability,
    logpmf=lambda k, p: sp.xlogy(k, p) + sp.xlog1py(1 - k, -p),
    # equivalent: 1 - p - k -> 1 - p + k because k is 0 between the ends
    cdf=lambda k, p: 1 - p - k,
    # equivalent: p + k -> p - k because k is 0 between the ends
    sf=lambda k, p: p + k,
)
geom = row(
    "geom",
    "The distribution of the number of trials up to the first success.",
    "p",
    support=(1.0, _INF),
    valid=lambda p: np.greater(p, 0) & np.less_equal(p, 1),
    logpmf=lambda k, p: sp.xlog1py(k - 1, -p) + np.log(p),
    cdf=lambda k, p: -np.expm1(sp.xlog1py(k, -p)),
    sf=lambda k, p: np.exp(sp.xlog1py(k, -p)),
    logsf=lambda k, p: sp.xlog1py(k, -p),
)
nbinom = row(
    "nbinom",
    "The distribution of the number of failures before `n` successes.",
    "n p",
    support=(0.0, _INF),
    valid=lambda n, p: np.greater(n, 0) & np.greater(p, 0) & np.less_equal(p, 1),
    logpmf=lambda k, n, p: sp.gammaln(n + k) - sp.gammaln(k + 1) - sp.gammaln(n) + n * np.log(p) + sp.xlog1py(k, -p),
    cdf=lambda k, n, p: sp.betainc(n, k + 1, p),
    sf=lambda k, n, p: sp.betaincc(n, k + 1, p),
)
