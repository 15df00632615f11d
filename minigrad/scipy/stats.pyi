# Written by tests/typed/stub.py from the signatures; not to be edited.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false
# (A list of arrays is a list that may hold Tensors, too: the first overload that fits is meant.)

from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, Protocol, TypeVar, overload

from numpy import ndarray

from .._tensor import Tensor
from ..typing import ArrayLike, TensorLike

__all__ = ["beta", "chi2", "dirichlet", "gamma", "multinomial", "multivariate_normal", "norm", "poisson", "t", "bernoulli", "binom", "cauchy", "expon", "exponweib", "fisk", "geom", "gompertz", "gumbel_l", "gumbel_r", "halfcauchy", "halfnorm", "invgamma", "laplace", "logistic", "lognorm", "nbinom", "pareto", "rayleigh", "skewnorm", "truncnorm", "uniform", "vonmises", "weibull_min"]

def __getattr__(name: str) -> Any: ...  # any other function is SciPy's own

T = TypeVar("T", covariant=True)

class _Function(Protocol[T]):
    @overload
    def __call__(self, x: ArrayLike) -> T: ...
    @overload
    def __call__(self, x: Tensor) -> Tensor: ...

class Frozen(Protocol[T]):
    """A distribution with its parameters."""

    @property
    def pdf(self) -> _Function[T]: ...
    @property
    def logpdf(self) -> _Function[T]: ...
    @property
    def pmf(self) -> _Function[T]: ...
    @property
    def logpmf(self) -> _Function[T]: ...
    @property
    def cdf(self) -> _Function[T]: ...
    @property
    def logcdf(self) -> _Function[T]: ...
    @property
    def sf(self) -> _Function[T]: ...
    @property
    def logsf(self) -> _Function[T]: ...
    @property
    def ppf(self) -> _Function[T]: ...
    def __getattr__(self, name: str) -> Any: ...
class _OfXABLocScale(Protocol):
    @overload
    def __call__(self, x: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> ndarray: ...
    @overload
    def __call__(self, x: TensorLike, a: TensorLike, b: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Tensor: ...
class _OfQABLocScale(Protocol):
    @overload
    def __call__(self, q: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> ndarray: ...
    @overload
    def __call__(self, q: TensorLike, a: TensorLike, b: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Tensor: ...
class _OfXDfLocScale(Protocol):
    @overload
    def __call__(self, x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> ndarray: ...
    @overload
    def __call__(self, x: TensorLike, df: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Tensor: ...
class _OfQDfLocScale(Protocol):
    @overload
    def __call__(self, q: ArrayLike, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> ndarray: ...
    @overload
    def __call__(self, q: TensorLike, df: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Tensor: ...
class _OfXAlpha(Protocol):
    @overload
    def __call__(self, x: ArrayLike, alpha: ArrayLike) -> ndarray: ...
    @overload
    def __call__(self, x: TensorLike, alpha: TensorLike) -> Tensor: ...
class _OfXALocScale(Protocol):
    @overload
    def __call__(self, x: ArrayLike, a: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> ndarray: ...
    @overload
    def __call__(self, x: TensorLike, a: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Tensor: ...
class _OfQALocScale(Protocol):
    @overload
    def __call__(self, q: ArrayLike, a: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> ndarray: ...
    @overload
    def __call__(self, q: TensorLike, a: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Tensor: ...
class _OfXNP(Protocol):
    @overload
    def __call__(self, x: ArrayLike, n: ArrayLike, p: ArrayLike) -> ndarray: ...
    @overload
    def __call__(self, x: TensorLike, n: TensorLike, p: TensorLike) -> Tensor: ...
class _OfXMeanCovAllowSingular(Protocol):
    @overload
    def __call__(self, x: ArrayLike, mean: ArrayLike | None = None, cov: ArrayLike = 1.0, allow_singular: bool = False) -> ndarray: ...
    @overload
    def __call__(self, x: TensorLike, mean: TensorLike | None = None, cov: TensorLike = 1.0, allow_singular: bool = False) -> Tensor: ...
class _OfMeanCov(Protocol):
    @overload
    def __call__(self, mean: ArrayLike | None = None, cov: ArrayLike = 1.0) -> ndarray: ...
    @overload
    def __call__(self, mean: TensorLike | None = None, cov: TensorLike = 1.0) -> Tensor: ...
class _OfXLocScale(Protocol):
    @overload
    def __call__(self, x: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> ndarray: ...
    @overload
    def __call__(self, x: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Tensor: ...
class _OfQLocScale(Protocol):
    @overload
    def __call__(self, q: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> ndarray: ...
    @overload
    def __call__(self, q: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Tensor: ...
class _OfKMuLoc(Protocol):
    @overload
    def __call__(self, k: ArrayLike, mu: ArrayLike, loc: ArrayLike = 0.0) -> ndarray: ...
    @overload
    def __call__(self, k: TensorLike, mu: TensorLike, loc: TensorLike = 0.0) -> Tensor: ...
class _OfKPLoc(Protocol):
    @overload
    def __call__(self, k: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> ndarray: ...
    @overload
    def __call__(self, k: TensorLike, p: TensorLike, loc: TensorLike = 0.0) -> Tensor: ...
class _OfKNPLoc(Protocol):
    @overload
    def __call__(self, k: ArrayLike, n: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> ndarray: ...
    @overload
    def __call__(self, k: TensorLike, n: TensorLike, p: TensorLike, loc: TensorLike = 0.0) -> Tensor: ...
class _OfXACLocScale(Protocol):
    @overload
    def __call__(self, x: ArrayLike, a: ArrayLike, c: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> ndarray: ...
    @overload
    def __call__(self, x: TensorLike, a: TensorLike, c: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Tensor: ...
class _OfQACLocScale(Protocol):
    @overload
    def __call__(self, q: ArrayLike, a: ArrayLike, c: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> ndarray: ...
    @overload
    def __call__(self, q: TensorLike, a: TensorLike, c: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Tensor: ...
class _OfXCLocScale(Protocol):
    @overload
    def __call__(self, x: ArrayLike, c: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> ndarray: ...
    @overload
    def __call__(self, x: TensorLike, c: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Tensor: ...
class _OfQCLocScale(Protocol):
    @overload
    def __call__(self, q: ArrayLike, c: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> ndarray: ...
    @overload
    def __call__(self, q: TensorLike, c: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Tensor: ...
class _OfXSLocScale(Protocol):
    @overload
    def __call__(self, x: ArrayLike, s: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> ndarray: ...
    @overload
    def __call__(self, x: TensorLike, s: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Tensor: ...
class _OfQSLocScale(Protocol):
    @overload
    def __call__(self, q: ArrayLike, s: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> ndarray: ...
    @overload
    def __call__(self, q: TensorLike, s: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Tensor: ...
class _OfXBLocScale(Protocol):
    @overload
    def __call__(self, x: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> ndarray: ...
    @overload
    def __call__(self, x: TensorLike, b: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Tensor: ...
class _OfQBLocScale(Protocol):
    @overload
    def __call__(self, q: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> ndarray: ...
    @overload
    def __call__(self, q: TensorLike, b: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Tensor: ...
class _OfXKappaLocScale(Protocol):
    @overload
    def __call__(self, x: ArrayLike, kappa: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> ndarray: ...
    @overload
    def __call__(self, x: TensorLike, kappa: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Tensor: ...
class _beta:
    """The beta distribution of shapes `a` and `b`.

    >>> float(mg.scipy.stats.beta.pdf(0.5, 2.0, 2.0).round(6))
    1.5
    """

    pdf: _OfXABLocScale
    logpdf: _OfXABLocScale
    cdf: _OfXABLocScale
    logcdf: _OfXABLocScale
    sf: _OfXABLocScale
    logsf: _OfXABLocScale
    ppf: _OfQABLocScale
    @overload
    def __call__(self, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, a: TensorLike, b: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

beta: _beta
class _chi2:
    """The chi-squared distribution of `df` degrees of freedom: gamma of shape df / 2 and scale 2.

    >>> float(mg.scipy.stats.chi2.sf(2.0, 2.0).round(6))
    0.367879
    """

    pdf: _OfXDfLocScale
    logpdf: _OfXDfLocScale
    cdf: _OfXDfLocScale
    logcdf: _OfXDfLocScale
    sf: _OfXDfLocScale
    logsf: _OfXDfLocScale
    ppf: _OfQDfLocScale
    @overload
    def __call__(self, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, df: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

chi2: _chi2
class _dirichlet:
    """The Dirichlet distribution of concentrations `alpha`.

    >>> float(mg.scipy.stats.dirichlet.pdf(np.array([0.5, 0.5]), np.ones(2)).round(6))
    1.0
    """

    pdf: _OfXAlpha
    logpdf: _OfXAlpha
    @overload
    def __call__(self, alpha: ArrayLike) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, alpha: TensorLike) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

dirichlet: _dirichlet
class _gamma:
    """The gamma distribution of shape `a`.

    >>> float(mg.scipy.stats.gamma.logpdf(2.0, 1.0).round(6))
    -2.0
    """

    pdf: _OfXALocScale
    logpdf: _OfXALocScale
    cdf: _OfXALocScale
    logcdf: _OfXALocScale
    sf: _OfXALocScale
    logsf: _OfXALocScale
    ppf: _OfQALocScale
    @overload
    def __call__(self, a: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, a: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

gamma: _gamma
class _multinomial:
    """The multinomial distribution of `n` trials, the last axis of x and p.

    >>> float(mg.scipy.stats.multinomial.pmf(np.array([1.0, 1.0]), 2.0, np.array([0.5, 0.5])).round(6))
    0.5
    """

    pmf: _OfXNP
    logpmf: _OfXNP
    @overload
    def __call__(self, n: ArrayLike, p: ArrayLike) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, n: TensorLike, p: TensorLike) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

multinomial: _multinomial
class _multivariate_normal:
    """The normal distribution of vectors, the last axis of x.

    >>> float(mg.scipy.stats.multivariate_normal.logpdf(np.zeros(2), cov=np.eye(2)).round(6))
    -1.837877
    """

    pdf: _OfXMeanCovAllowSingular
    logpdf: _OfXMeanCovAllowSingular
    entropy: _OfMeanCov
    @overload
    def __call__(self, mean: ArrayLike | None = None, cov: ArrayLike = 1.0, allow_singular: bool = False) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, mean: TensorLike | None = None, cov: TensorLike = 1.0, allow_singular: bool = False) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

multivariate_normal: _multivariate_normal
class _norm:
    """The normal distribution of mean `loc` and standard deviation `scale`.

    >>> float(mg.scipy.stats.norm.logpdf(0.0).round(6))
    -0.918939
    """

    pdf: _OfXLocScale
    logpdf: _OfXLocScale
    cdf: _OfXLocScale
    logcdf: _OfXLocScale
    sf: _OfXLocScale
    logsf: _OfXLocScale
    ppf: _OfQLocScale
    @overload
    def __call__(self, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

norm: _norm
class _poisson:
    """The Poisson distribution of mean `mu`.

    >>> float(mg.scipy.stats.poisson.pmf(0.0, 1.0).round(6))
    0.367879
    """

    pmf: _OfKMuLoc
    logpmf: _OfKMuLoc
    cdf: _OfKMuLoc
    logcdf: _OfKMuLoc
    sf: _OfKMuLoc
    logsf: _OfKMuLoc
    @overload
    def __call__(self, mu: ArrayLike, loc: ArrayLike = 0.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, mu: TensorLike, loc: TensorLike = 0.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

poisson: _poisson
class _t:
    """Student's t distribution of `df` degrees of freedom.

    >>> float(mg.scipy.stats.t.cdf(1.0, 1.0).round(6))
    0.75
    """

    pdf: _OfXDfLocScale
    logpdf: _OfXDfLocScale
    cdf: _OfXDfLocScale
    logcdf: _OfXDfLocScale
    sf: _OfXDfLocScale
    logsf: _OfXDfLocScale
    ppf: _OfQDfLocScale
    @overload
    def __call__(self, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, df: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

t: _t
class _bernoulli:
    """The distribution of 1, of probability `p`, and 0."""

    pmf: _OfKPLoc
    logpmf: _OfKPLoc
    cdf: _OfKPLoc
    logcdf: _OfKPLoc
    sf: _OfKPLoc
    logsf: _OfKPLoc
    @overload
    def __call__(self, p: ArrayLike, loc: ArrayLike = 0.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, p: TensorLike, loc: TensorLike = 0.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

bernoulli: _bernoulli
class _binom:
    """The binomial distribution of `n` trials."""

    pmf: _OfKNPLoc
    logpmf: _OfKNPLoc
    cdf: _OfKNPLoc
    logcdf: _OfKNPLoc
    sf: _OfKNPLoc
    logsf: _OfKNPLoc
    @overload
    def __call__(self, n: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, n: TensorLike, p: TensorLike, loc: TensorLike = 0.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

binom: _binom
class _cauchy:
    """Cauchy's distribution."""

    pdf: _OfXLocScale
    logpdf: _OfXLocScale
    cdf: _OfXLocScale
    logcdf: _OfXLocScale
    sf: _OfXLocScale
    logsf: _OfXLocScale
    ppf: _OfQLocScale
    @overload
    def __call__(self, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

cauchy: _cauchy
class _expon:
    """The exponential distribution."""

    pdf: _OfXLocScale
    logpdf: _OfXLocScale
    cdf: _OfXLocScale
    logcdf: _OfXLocScale
    sf: _OfXLocScale
    logsf: _OfXLocScale
    ppf: _OfQLocScale
    @overload
    def __call__(self, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

expon: _expon
class _exponweib:
    """Weibull's distribution of shape `c`, its distribution function to the power `a`."""

    pdf: _OfXACLocScale
    logpdf: _OfXACLocScale
    cdf: _OfXACLocScale
    logcdf: _OfXACLocScale
    sf: _OfXACLocScale
    logsf: _OfXACLocScale
    ppf: _OfQACLocScale
    @overload
    def __call__(self, a: ArrayLike, c: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, a: TensorLike, c: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

exponweib: _exponweib
class _fisk:
    """The log-logistic distribution of shape `c`."""

    pdf: _OfXCLocScale
    logpdf: _OfXCLocScale
    cdf: _OfXCLocScale
    logcdf: _OfXCLocScale
    sf: _OfXCLocScale
    logsf: _OfXCLocScale
    ppf: _OfQCLocScale
    @overload
    def __call__(self, c: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, c: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

fisk: _fisk
class _geom:
    """The distribution of the number of trials up to the first success."""

    pmf: _OfKPLoc
    logpmf: _OfKPLoc
    cdf: _OfKPLoc
    logcdf: _OfKPLoc
    sf: _OfKPLoc
    logsf: _OfKPLoc
    @overload
    def __call__(self, p: ArrayLike, loc: ArrayLike = 0.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, p: TensorLike, loc: TensorLike = 0.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

geom: _geom
class _gompertz:
    """Gompertz' distribution of shape `c`."""

    pdf: _OfXCLocScale
    logpdf: _OfXCLocScale
    cdf: _OfXCLocScale
    logcdf: _OfXCLocScale
    sf: _OfXCLocScale
    logsf: _OfXCLocScale
    ppf: _OfQCLocScale
    @overload
    def __call__(self, c: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, c: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

gompertz: _gompertz
class _gumbel_l:
    """Gumbel's distribution of the least."""

    pdf: _OfXLocScale
    logpdf: _OfXLocScale
    cdf: _OfXLocScale
    logcdf: _OfXLocScale
    sf: _OfXLocScale
    logsf: _OfXLocScale
    ppf: _OfQLocScale
    @overload
    def __call__(self, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

gumbel_l: _gumbel_l
class _gumbel_r:
    """Gumbel's distribution of the greatest."""

    pdf: _OfXLocScale
    logpdf: _OfXLocScale
    cdf: _OfXLocScale
    logcdf: _OfXLocScale
    sf: _OfXLocScale
    logsf: _OfXLocScale
    ppf: _OfQLocScale
    @overload
    def __call__(self, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

gumbel_r: _gumbel_r
class _halfcauchy:
    """Cauchy's distribution of positive numbers."""

    pdf: _OfXLocScale
    logpdf: _OfXLocScale
    cdf: _OfXLocScale
    logcdf: _OfXLocScale
    sf: _OfXLocScale
    logsf: _OfXLocScale
    ppf: _OfQLocScale
    @overload
    def __call__(self, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

halfcauchy: _halfcauchy
class _halfnorm:
    """The normal distribution of positive numbers."""

    pdf: _OfXLocScale
    logpdf: _OfXLocScale
    cdf: _OfXLocScale
    logcdf: _OfXLocScale
    sf: _OfXLocScale
    logsf: _OfXLocScale
    ppf: _OfQLocScale
    @overload
    def __call__(self, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

halfnorm: _halfnorm
class _invgamma:
    """The distribution of 1 / z, where z has a gamma distribution of shape `a`."""

    pdf: _OfXALocScale
    logpdf: _OfXALocScale
    cdf: _OfXALocScale
    logcdf: _OfXALocScale
    sf: _OfXALocScale
    logsf: _OfXALocScale
    ppf: _OfQALocScale
    @overload
    def __call__(self, a: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, a: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

invgamma: _invgamma
class _laplace:
    """Laplace's distribution."""

    pdf: _OfXLocScale
    logpdf: _OfXLocScale
    cdf: _OfXLocScale
    logcdf: _OfXLocScale
    sf: _OfXLocScale
    logsf: _OfXLocScale
    ppf: _OfQLocScale
    @overload
    def __call__(self, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

laplace: _laplace
class _logistic:
    """The logistic distribution."""

    pdf: _OfXLocScale
    logpdf: _OfXLocScale
    cdf: _OfXLocScale
    logcdf: _OfXLocScale
    sf: _OfXLocScale
    logsf: _OfXLocScale
    ppf: _OfQLocScale
    @overload
    def __call__(self, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

logistic: _logistic
class _lognorm:
    """The distribution of what has a normal logarithm, of standard deviation `s`."""

    pdf: _OfXSLocScale
    logpdf: _OfXSLocScale
    cdf: _OfXSLocScale
    logcdf: _OfXSLocScale
    sf: _OfXSLocScale
    logsf: _OfXSLocScale
    ppf: _OfQSLocScale
    @overload
    def __call__(self, s: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, s: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

lognorm: _lognorm
class _nbinom:
    """The distribution of the number of failures before `n` successes."""

    pmf: _OfKNPLoc
    logpmf: _OfKNPLoc
    cdf: _OfKNPLoc
    logcdf: _OfKNPLoc
    sf: _OfKNPLoc
    logsf: _OfKNPLoc
    @overload
    def __call__(self, n: ArrayLike, p: ArrayLike, loc: ArrayLike = 0.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, n: TensorLike, p: TensorLike, loc: TensorLike = 0.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

nbinom: _nbinom
class _pareto:
    """Pareto's distribution of shape `b`."""

    pdf: _OfXBLocScale
    logpdf: _OfXBLocScale
    cdf: _OfXBLocScale
    logcdf: _OfXBLocScale
    sf: _OfXBLocScale
    logsf: _OfXBLocScale
    ppf: _OfQBLocScale
    @overload
    def __call__(self, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, b: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

pareto: _pareto
class _rayleigh:
    """Rayleigh's distribution."""

    pdf: _OfXLocScale
    logpdf: _OfXLocScale
    cdf: _OfXLocScale
    logcdf: _OfXLocScale
    sf: _OfXLocScale
    logsf: _OfXLocScale
    ppf: _OfQLocScale
    @overload
    def __call__(self, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

rayleigh: _rayleigh
class _skewnorm:
    """The skewed normal distribution."""

    pdf: _OfXALocScale
    logpdf: _OfXALocScale
    @overload
    def __call__(self, a: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, a: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

skewnorm: _skewnorm
class _truncnorm:
    """The normal distribution from `a` to `b`."""

    pdf: _OfXABLocScale
    logpdf: _OfXABLocScale
    cdf: _OfXABLocScale
    logcdf: _OfXABLocScale
    sf: _OfXABLocScale
    logsf: _OfXABLocScale
    @overload
    def __call__(self, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, a: TensorLike, b: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

truncnorm: _truncnorm
class _uniform:
    """The uniform distribution, from `loc` to `loc` + `scale`."""

    pdf: _OfXLocScale
    logpdf: _OfXLocScale
    cdf: _OfXLocScale
    logcdf: _OfXLocScale
    sf: _OfXLocScale
    logsf: _OfXLocScale
    ppf: _OfQLocScale
    @overload
    def __call__(self, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

uniform: _uniform
class _vonmises:
    """The normal distribution of angles, of concentration `kappa`."""

    pdf: _OfXKappaLocScale
    logpdf: _OfXKappaLocScale
    @overload
    def __call__(self, kappa: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, kappa: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

vonmises: _vonmises
class _weibull_min:
    """Weibull's distribution of shape `c`."""

    pdf: _OfXCLocScale
    logpdf: _OfXCLocScale
    cdf: _OfXCLocScale
    logcdf: _OfXCLocScale
    sf: _OfXCLocScale
    logsf: _OfXCLocScale
    ppf: _OfQCLocScale
    @overload
    def __call__(self, c: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Frozen[ndarray]: ...
    @overload
    def __call__(self, c: TensorLike, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Frozen[Tensor]: ...
    def __getattr__(self, name: str) -> Any: ...

weibull_min: _weibull_min
