"""Densities and distribution functions, with scipy.stats' names and signatures, of Tensors and arrays.

Each distribution is a class of static functions that is never instantiated.
"""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

import numpy as np
import scipy.special as sp

from ..ops import cholesky, slogdet, solve, sum
from ..typing import Array
from . import special  # noqa: F401 (the table of derivatives)

__all__ = ["beta", "chi2", "dirichlet", "gamma", "multivariate_normal", "norm", "poisson", "t"]


class _AsSciPy(type):
    """What a distribution does not have here, such as `rvs`, is SciPy's."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(getattr(import_module("scipy.stats"), cls.__name__), name)


class _Distribution(metaclass=_AsSciPy):
    """`pdf` from `logpdf`, and the like."""

    @classmethod
    def pdf(cls: Any, *arguments: Any, **options: Any) -> Any:
        """The density."""
        return np.exp(cls.logpdf(*arguments, **options))

    @classmethod
    def pmf(cls: Any, *arguments: Any, **options: Any) -> Any:
        """The probability."""
        return np.exp(cls.logpmf(*arguments, **options))

    @classmethod
    def sf(cls: Any, *arguments: Any, **options: Any) -> Any:
        """The probability of more."""
        return 1 - cls.cdf(*arguments, **options)

    @classmethod
    def logcdf(cls: Any, *arguments: Any, **options: Any) -> Any:
        """The logarithm of the distribution function."""
        return np.log(cls.cdf(*arguments, **options))

    @classmethod
    def logsf(cls: Any, *arguments: Any, **options: Any) -> Any:
        """The logarithm of the probability of more."""
        return np.log(cls.sf(*arguments, **options))


class norm(_Distribution):
    """The normal distribution of mean `loc` and standard deviation `scale`.

    >>> float(mg.scipy.stats.norm.logpdf(0.0).round(6))
    -0.918939
    """

    @staticmethod
    def logpdf(x: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The logarithm of the density."""
        z = (x - loc) / scale
        return -z * z / 2 - np.log(scale) - math.log(2 * math.pi) / 2

    @staticmethod
    def cdf(x: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The distribution function."""
        return sp.ndtr((x - loc) / scale)

    @staticmethod
    def sf(x: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The probability of more."""
        return sp.ndtr((loc - x) / scale)

    @staticmethod
    def logcdf(x: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The logarithm of the distribution function."""
        return sp.log_ndtr((x - loc) / scale)

    @staticmethod
    def logsf(x: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The logarithm of the probability of more."""
        return sp.log_ndtr((loc - x) / scale)

    @staticmethod
    def ppf(q: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The quantile."""
        return loc + scale * sp.ndtri(q)


class t(_Distribution):
    """Student's t distribution of `df` degrees of freedom."""

    @staticmethod
    def logpdf(x: Array, df: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The logarithm of the density."""
        z = (x - loc) / scale
        constant = sp.gammaln((df + 1) / 2) - sp.gammaln(df / 2) - np.log(df * math.pi) / 2
        return constant - (df + 1) / 2 * np.log1p(z * z / df) - np.log(scale)

    @staticmethod
    def cdf(x: Array, df: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The distribution function: a half of the incomplete beta function at df / (df + z**2)."""
        z = (x - loc) / scale
        tail = sp.betainc(df / 2, 0.5, df / (df + z * z)) / 2
        return np.where(z > 0, 1 - tail, tail)


class gamma(_Distribution):
    """The gamma distribution of shape `a`."""

    @staticmethod
    def logpdf(x: Array, a: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The logarithm of the density."""
        z = (x - loc) / scale
        return sp.xlogy(a - 1, z) - z - sp.gammaln(a) - np.log(scale)

    @staticmethod
    def cdf(x: Array, a: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The distribution function; differentiable in all but `a`."""
        return sp.gammainc(a, (x - loc) / scale)

    @staticmethod
    def sf(x: Array, a: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The probability of more."""
        return sp.gammaincc(a, (x - loc) / scale)


class chi2(_Distribution):
    """The chi-squared distribution of `df` degrees of freedom: gamma of shape df / 2 and scale 2."""

    @staticmethod
    def logpdf(x: Array, df: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The logarithm of the density."""
        return gamma.logpdf(x, df / 2, loc, scale * 2)

    @staticmethod
    def cdf(x: Array, df: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The distribution function; differentiable in all but `df`."""
        return gamma.cdf(x, df / 2, loc, scale * 2)


class beta(_Distribution):
    """The beta distribution of shapes `a` and `b`."""

    @staticmethod
    def logpdf(x: Array, a: Array, b: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The logarithm of the density."""
        z = (x - loc) / scale
        return sp.xlogy(a - 1, z) + sp.xlog1py(b - 1, -z) - sp.betaln(a, b) - np.log(scale)

    @staticmethod
    def cdf(x: Array, a: Array, b: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The distribution function; differentiable in all but `a` and `b`."""
        return sp.betainc(a, b, (x - loc) / scale)


class poisson(_Distribution):
    """The Poisson distribution of mean `mu`."""

    @staticmethod
    def logpmf(k: Array, mu: Array, loc: Array = 0.0) -> Array:
        """The logarithm of the probability."""
        k = k - loc
        return sp.xlogy(k, mu) - mu - sp.gammaln(np.add(k, 1))

    @staticmethod
    def cdf(k: Array, mu: Array, loc: Array = 0.0) -> Array:
        """The distribution function."""
        return sp.gammaincc(np.floor(k - loc) + 1, mu)


class multivariate_normal(_Distribution):
    """The normal distribution of vectors, the last axis of x."""

    @staticmethod
    def logpdf(x: Array, mean: Array = 0.0, cov: Array = 1.0, allow_singular: bool = False) -> Array:
        """The logarithm of the density. `allow_singular` is taken, but a singular cov raises LinAlgError."""
        x = np.reshape(x, (1,)) if np.ndim(x) == 0 else x
        d = np.shape(cov)[-1] if np.ndim(cov) else max(np.shape(mean)[-1] if np.ndim(mean) else 1, 1)
        cov = cov if np.ndim(cov) == 2 else cov * np.eye(d)
        deviation = x - mean
        deviation = deviation if np.shape(deviation)[-1] == d else np.expand_dims(deviation, -1)
        half = solve(cholesky(cov), np.reshape(deviation, (-1, d)).T)
        squares = np.reshape(sum(half * half, 0), np.shape(deviation)[:-1])
        return -(squares + slogdet(cov)[1] + d * math.log(2 * math.pi)) / 2

    @staticmethod
    def entropy(mean: Array = None, cov: Array = 1.0) -> Array:
        """The differential entropy."""
        d = np.shape(cov)[-1]
        return (d * (1 + math.log(2 * math.pi)) + slogdet(cov)[1]) / 2


class dirichlet(_Distribution):
    """The Dirichlet distribution of concentrations `alpha`."""

    @staticmethod
    def logpdf(x: Array, alpha: Array) -> Array:
        """The logarithm of the density."""
        return sum(sp.xlogy(alpha - 1, x), -1) - sum(sp.gammaln(alpha), -1) + sp.gammaln(sum(alpha, -1))
