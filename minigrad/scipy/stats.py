"""Densities and distribution functions, with scipy.stats' names and signatures, of Tensors and arrays.

Each distribution is a class of static functions. Calling it gives it with its parameters, as SciPy's "frozen" one.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sp

from ..operation import array_of
from ..ops import cholesky, slogdet, solve, sum
from ..typing import Array
from . import special  # noqa: F401 (the table of derivatives)
from .distributions import Distribution, positive, standard
from .families import *  # noqa: F403 (one row each)
from .families import __all__ as _rows

__all__ = ["beta", "chi2", "dirichlet", "gamma", "multinomial", "multivariate_normal", "norm", "poisson", "t"]
__all__ += _rows


def _counted(k, mu, loc):
    """k - loc, NaN where the mean is negative."""
    return np.where(np.greater_equal(mu, 0), k - loc, np.nan)


def _supported(f, z, below, above=math.nan, end=math.inf):
    """f(z) for z from 0 to the end, and constants below and above, where nothing flows back."""
    lower, higher = np.less(z, 0), np.greater(z, end)
    outside = lower | higher
    # equivalent: never because what follows gives the same
    if not np.any(outside):
        return f(z)
    return np.where(lower, below, np.where(higher, above, f(np.where(outside, 0.5, z))))


class norm(Distribution):
    """The normal distribution of mean `loc` and standard deviation `scale`.

    >>> float(mg.scipy.stats.norm.logpdf(0.0).round(6))
    -0.918939
    """

    @staticmethod
    def logpdf(x: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The logarithm of the density."""
        z = (x - loc) / positive(scale)
        return -z * z / 2 - np.log(positive(scale)) - math.log(2 * math.pi) / 2

    @staticmethod
    def cdf(x: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The distribution function."""
        return sp.ndtr(standard(x, loc, scale))

    @staticmethod
    def sf(x: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The probability of more."""
        return sp.ndtr(-standard(x, loc, scale))

    @staticmethod
    def logcdf(x: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The logarithm of the distribution function."""
        return sp.log_ndtr(standard(x, loc, scale))

    @staticmethod
    def logsf(x: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The logarithm of the probability of more."""
        return sp.log_ndtr(-standard(x, loc, scale))

    @staticmethod
    def ppf(q: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The quantile."""
        return loc + positive(scale) * sp.ndtri(q)


class t(Distribution):
    """Student's t distribution of `df` degrees of freedom.

    >>> float(mg.scipy.stats.t.cdf(1.0, 1.0).round(6))
    0.75
    """

    @staticmethod
    def logpdf(x: Array, df: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The logarithm of the density; of infinite `df`, that of the normal distribution."""
        normal = np.equal(df, np.inf)
        if np.any(normal):
            # equivalent: 1.0 -> 2.0 because this is not taken
            ours = t.logpdf(x, np.where(normal, 1.0, df), loc, scale)
            # equivalent: x, loc -> loc, x because the density is symmetric
            return np.where(normal, norm.logpdf(x, loc, scale), ours)
        z = standard(x, loc, scale, df)  # equivalent: x, loc -> loc, x because the density is symmetric
        constant = -sp.betaln(df / 2, 0.5) - np.log(positive(df)) / 2
        return constant - (df + 1.0) / 2 * np.log1p(z * z / df) - np.log(positive(scale))

    @staticmethod
    def cdf(x: Array, df: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The distribution function; differentiable in all but `df`."""
        return sp.stdtr(df, standard(x, loc, scale, df))

    @staticmethod
    def sf(x: Array, df: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The probability of more."""
        return sp.stdtr(df, -standard(x, loc, scale, df))

    @staticmethod
    def ppf(q: Array, df: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The quantile; differentiable in all but `df`."""
        df = positive(df)
        zero = np.equal(q, 0)  # where SciPy's ufunc has the wrong sign
        # equivalent: 1.0 -> any number because this is not taken
        lowest = np.where(np.isnan(df), df, -np.inf) + np.sqrt(np.where(zero, q, 1.0))  # of infinite slope
        # equivalent: 0.5 -> any number because this is not taken
        return loc + positive(scale) * np.where(zero, lowest, sp.stdtrit(df, np.where(zero, 0.5, q)))


class gamma(Distribution):
    """The gamma distribution of shape `a`.

    >>> float(mg.scipy.stats.gamma.logpdf(2.0, 1.0).round(6))
    -2.0
    """

    @staticmethod
    def logpdf(x: Array, a: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The logarithm of the density."""
        z = standard(x, loc, scale, a)
        return _supported(lambda z: sp.xlogy(a - 1, z) - z, z, -np.inf) - sp.gammaln(a) - np.log(positive(scale))

    @staticmethod
    def cdf(x: Array, a: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The distribution function; differentiable in all but `a`."""
        return _supported(lambda z: sp.gammainc(a, z), standard(x, loc, scale, a), 0.0)

    @staticmethod
    def sf(x: Array, a: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The probability of more."""
        return _supported(lambda z: sp.gammaincc(a, z), standard(x, loc, scale, a), 1.0)

    @staticmethod
    def ppf(q: Array, a: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The quantile; differentiable in all but `a`."""
        return loc + positive(scale) * sp.gammaincinv(positive(a), q)


class chi2(Distribution):
    """The chi-squared distribution of `df` degrees of freedom: gamma of shape df / 2 and scale 2.

    >>> float(mg.scipy.stats.chi2.sf(2.0, 2.0).round(6))
    0.367879
    """

    @staticmethod
    def logpdf(x: Array, df: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The logarithm of the density."""
        return gamma.logpdf(x, df / 2, loc, scale * 2)

    @staticmethod
    def cdf(x: Array, df: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The distribution function; differentiable in all but `df`."""
        return gamma.cdf(x, df / 2, loc, scale * 2)

    @staticmethod
    def sf(x: Array, df: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The probability of more."""
        return gamma.sf(x, df / 2, loc, scale * 2)

    @staticmethod
    def ppf(q: Array, df: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The quantile; differentiable in all but `df`."""
        return gamma.ppf(q, df / 2, loc, scale * 2)


class beta(Distribution):
    """The beta distribution of shapes `a` and `b`.

    >>> float(mg.scipy.stats.beta.pdf(0.5, 2.0, 2.0).round(6))
    1.5
    """

    @staticmethod
    def logpdf(x: Array, a: Array, b: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The logarithm of the density."""
        z = standard(x, loc, scale, np.minimum(a, b))
        powers = _supported(lambda z: sp.xlogy(a - 1, z) + sp.xlog1py(b - 1, -z), z, -np.inf, -np.inf, end=1.0)
        return powers - sp.betaln(a, b) - np.log(positive(scale))

    @staticmethod
    def cdf(x: Array, a: Array, b: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The distribution function; differentiable in all but `a` and `b`."""
        z = standard(x, loc, scale, np.minimum(a, b))
        return _supported(lambda z: sp.betainc(a, b, z), z, 0.0, 1.0, end=1.0)

    @staticmethod
    def sf(x: Array, a: Array, b: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The probability of more."""
        z = standard(x, loc, scale, np.minimum(a, b))
        return _supported(lambda z: sp.betaincc(a, b, z), z, 1.0, 0.0, end=1.0)

    @staticmethod
    def ppf(q: Array, a: Array, b: Array, loc: Array = 0.0, scale: Array = 1.0) -> Array:
        """The quantile; differentiable in all but `a` and `b`."""
        return loc + positive(scale) * sp.betaincinv(positive(a), positive(b), q)


class poisson(Distribution):
    """The Poisson distribution of mean `mu`.

    >>> float(mg.scipy.stats.poisson.pmf(0.0, 1.0).round(6))
    0.367879
    """

    @staticmethod
    def logpmf(k: Array, mu: Array, loc: Array = 0.0) -> Array:
        """The logarithm of the probability."""
        k = _counted(k, mu, loc)
        whole = np.where(np.greater(k, np.floor(k)), -np.inf, k)  # no fraction is in the support
        return _supported(lambda k: sp.xlogy(k, mu) - mu - sp.gammaln(np.add(k, 1)), whole, -np.inf)

    @staticmethod
    def cdf(k: Array, mu: Array, loc: Array = 0.0) -> Array:
        """The distribution function."""
        return _supported(lambda k: sp.gammaincc(np.floor(k) + 1, mu), _counted(k, mu, loc), 0.0)

    @staticmethod
    def sf(k: Array, mu: Array, loc: Array = 0.0) -> Array:
        """The probability of more."""
        return _supported(lambda k: sp.gammainc(np.floor(k) + 1, mu), _counted(k, mu, loc), 1.0)


class multivariate_normal(Distribution):
    """The normal distribution of vectors, the last axis of x.

    >>> float(mg.scipy.stats.multivariate_normal.logpdf(np.zeros(2), cov=np.eye(2)).round(6))
    -1.837877
    """

    @staticmethod
    def logpdf(x: Array, mean: Array | None = None, cov: Array = 1.0, allow_singular: bool = False) -> Array:
        """The logarithm of the density. Raises LinAlgError for a singular cov, ValueError for shapes that do not fit.

        With `allow_singular` it is the density on the space that a singular cov spans, and -inf elsewhere.
        """
        mean, cov = _parameters(mean, cov)
        d = len(cov)
        if np.ndim(x) == 0 or (np.ndim(x) == 1 and d == 1):
            x = np.reshape(x, (-1, 1))
        if np.shape(x)[-1] not in (1, d):
            raise ValueError(
                f"multivariate_normal.logpdf: the last axis of x must be {d} long, as cov is, not {np.shape(x)}"
            )
        deviation = x - mean
        columns = np.reshape(deviation, (math.prod(np.shape(deviation)[:-1]), d)).T
        if allow_singular:
            squares, volume, d = _of_singular(cov, columns)
        else:
            cholesky(array_of(cov))  # refuses what is not positive definite
            cov = np.tril(cov) + np.tril(cov, -1).T
            squares, volume = sum(columns * solve(cov, columns), 0), slogdet(cov)[1]
        squares = np.squeeze(np.reshape(squares, np.shape(deviation)[:-1]))
        return -(squares + volume + d * math.log(2 * math.pi)) / 2

    @staticmethod
    def entropy(mean: Array | None = None, cov: Array = 1.0) -> Array:
        """The differential entropy."""
        _, cov = _parameters(mean, cov)
        return (len(cov) * (1 + math.log(2 * math.pi)) + slogdet(cov)[1]) / 2


def _parameters(mean, cov):
    """The mean as a vector, zeros if None, and the matrix of which cov may be the diagonal, or each entry of it."""
    cov = 1.0 if cov is None else cov
    d = math.prod(np.shape(mean)) if mean is not None else np.shape(cov)[0] if np.ndim(cov) else 1
    mean = np.zeros(d) if mean is None else np.reshape(mean, (1,)) if d == 1 else mean
    if np.shape(mean) != (d,):
        raise ValueError(f"multivariate_normal.logpdf: mean must be a vector, not of shape {np.shape(mean)}")
    if d == 1 and math.prod(np.shape(cov)) == 1:
        return mean, np.reshape(cov, (1, 1))
    if np.shape(cov) not in ((), (d,), (d, d)):
        shape = np.shape(cov)
        raise ValueError(
            f"multivariate_normal.logpdf: cov must be a number or have shape ({d},) or ({d}, {d}), not {shape}"
        )
    return mean, cov if np.ndim(cov) == 2 else cov * np.eye(d)


# equivalent: 1e6 -> any number; 1e3 -> any number; < -> <=; > -> >= because rounding is known to a factor alone, and no
# eigenvalue is met exactly
def _of_singular(cov, columns):
    """The squared lengths of columns under cov's pseudo-inverse, the log of its pseudo-determinant, and its rank."""
    values, vectors = np.linalg.eigh(cov)
    share = 1e6 * np.finfo(float).eps  # as SciPy has it
    least = share * values[-1]
    if values[0] < -least:
        raise ValueError(f"multivariate_normal.logpdf: cov has the negative eigenvalue {values[0]:.3g}")
    spanned = values > least
    inverse = np.linalg.pinv(cov, rcond=share, hermitian=True)
    left = np.linalg.norm(vectors[:, ~spanned].T @ columns, axis=0)
    squares = np.where(left < 1e3 * least, sum(columns * (inverse @ columns), 0), np.inf)
    return squares, sum(np.log(values[spanned])), np.sum(spanned)


class dirichlet(Distribution):
    """The Dirichlet distribution of concentrations `alpha`.

    >>> float(mg.scipy.stats.dirichlet.pdf(np.array([0.5, 0.5]), np.ones(2)).round(6))
    1.0
    """

    @staticmethod
    def logpdf(x: Array, alpha: Array) -> Array:
        """The logarithm of the density at x, or at each column of x."""
        if np.ndim(alpha) != 1 or len(alpha) != len(x):
            raise ValueError(
                f"dirichlet.logpdf: alpha must be a vector as long as x, not {np.shape(alpha)} and {np.shape(x)}"
            )
        return sum(sp.xlogy(alpha - 1, np.transpose(x)), -1) - sum(sp.gammaln(alpha)) + sp.gammaln(sum(alpha))


class multinomial(Distribution):
    """The multinomial distribution of `n` trials, the last axis of x and p.

    >>> float(mg.scipy.stats.multinomial.pmf(np.array([1.0, 1.0]), 2.0, np.array([0.5, 0.5])).round(6))
    0.5
    """

    @staticmethod
    def logpmf(x: Array, n: Array, p: Array) -> Array:
        """The logarithm of the probability. The last p is what the others leave of 1."""
        first = p[..., :-1]
        p = np.concatenate([first, np.expand_dims(1 - sum(first, -1), -1)], -1)
        valid = np.all(np.greater_equal(p, 0), -1) & np.greater_equal(n, 0)  # their sum is 1
        # equivalent: np.floor(x) -> np.ceil(x) because a whole number is both
        possible = np.all(np.greater_equal(x, 0) & np.equal(x, np.floor(x)), -1) & np.equal(np.sum(x, -1), n)
        mask = np.expand_dims(possible, -1)
        # equivalent: 0.0 -> any number; 1.0 -> any number because these are not taken
        x, p = np.where(mask, x, 0.0), np.where(mask, p, 1.0)
        found = sp.gammaln(np.add(n, 1.0)) + sum(sp.xlogy(x, p) - sp.gammaln(x + 1), -1)
        return np.where(valid, np.where(possible, found, -np.inf), np.nan)
