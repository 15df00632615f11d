"""What the distributions of `stats` have in common: SciPy's way of calling them, places, scales and supports."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

import numpy as np

from ..errors import named
from ..operation import array_of
from ..ops import array

__all__ = ["Distribution", "positive", "row", "standard"]


class _AsSciPy(type):
    """What a distribution does not have here, such as `rvs`, is SciPy's. Its functions take lists."""

    def __init__(cls, name: str, bases: tuple, members: dict[str, Any]):
        for each, member in members.items():
            if isinstance(member, staticmethod):
                setattr(cls, each, staticmethod(named(_of_lists(member.__func__), name=f"{name}.{each}")))

    def __call__(cls, *parameters: Any, **named: Any) -> Any:
        """The distribution with these parameters."""
        return _Frozen(cls, parameters, named)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(getattr(import_module("scipy.stats"), cls.__name__), name)


def _of_lists(f):
    """A function that first makes arrays of lists, and fractions of integers: those of few bits wrap around."""

    def made(x):
        x = array(x) if isinstance(x, (list, tuple)) else x
        # equivalent: x * 1.0 -> x / 1.0 because either is a fraction
        return x * 1.0 if getattr(getattr(x, "dtype", None), "kind", "") in ("i", "u") else x

    @wraps(f)
    def call(*arguments, **options):
        return f(*map(made, arguments), **{name: made(x) for name, x in options.items()})

    return call


class _Frozen:
    """A distribution with its parameters, which follow the first argument of its functions."""

    def __init__(self, of: Any, parameters: tuple, named: dict[str, Any]):
        self._of, self._parameters, self._named = of, parameters, named

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in dir(self._of):
            of_scipy = getattr(import_module("scipy.stats"), self._of.__name__)
            return getattr(of_scipy(*self._parameters, **self._named), name)
        return lambda *x: getattr(self._of, name)(*x, *self._parameters, **self._named)


class Distribution(metaclass=_AsSciPy):
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
    def logcdf(cls: Any, *arguments: Any, **options: Any) -> Any:
        """The logarithm of the distribution function."""
        return _logarithm(cls.cdf(*arguments, **options), cls.sf(*arguments, **options))

    @classmethod
    def logsf(cls: Any, *arguments: Any, **options: Any) -> Any:
        """The logarithm of the probability of more."""
        return _logarithm(cls.sf(*arguments, **options), cls.cdf(*arguments, **options))


def _logarithm(p, rest):
    """ln P = ln(1 - rest): from the rest where that is less, since the logarithm of almost 1 is not precise."""
    less = np.less(p, 0.5)
    # equivalent: p, 0.5 -> p, 1.5; less, 0.5 -> less, -0.5 because these are not taken
    return np.where(less, np.log(np.where(less, p, 0.5)), np.log1p(-np.where(less, 0.5, rest)))


def positive(p):
    """p, or NaN where it is not positive."""
    holds = np.greater(p, 0)
    return p if np.all(holds) else np.where(holds, p, np.nan)


# equivalent: 0.0 -> any number; / array_of(scale) -> * array_of(scale) because this is not taken, or infinite
def standard(x, loc, scale, shape=1.0):
    """(x - loc) / scale, NaN where the scale or the shape is not positive; infinite is so for any scale."""
    deviation, scale = x - loc, positive(scale)
    infinite = np.isinf(deviation)
    if np.any(infinite):
        z = np.where(infinite, deviation / array_of(scale), np.where(infinite, 0.0, deviation) / scale)
    else:
        z = deviation / scale
    holds = np.greater(shape, 0)
    # equivalent: z if np.all(holds) else np.where(holds, z, np.nan) -> np.where(holds, z, np.nan) because it
    # is only slower
    return z if np.all(holds) else np.where(holds, z, np.nan)


_ALL = (-math.inf, math.inf)
_OUTSIDE = {  # of the support: below it and above it
    "logpdf": (-math.inf, -math.inf),
    "logpmf": (-math.inf, -math.inf),
    "cdf": (0.0, 1.0),
    "sf": (1.0, 0.0),
    "logcdf": (-math.inf, 0.0),
    "logsf": (0.0, -math.inf),
}
_TOLD = {
    "logpdf": "The logarithm of the density.",
    "logpmf": "The logarithm of the probability.",
    "cdf": "The distribution function.",
    "sf": "The probability of more.",
    "logcdf": "The logarithm of the distribution function.",
    "logsf": "The logarithm of the probability of more.",
    "ppf": "The quantile.",
}


def _positive_shapes(*shapes):
    return np.all([np.greater(shape, 0) for shape in np.broadcast_arrays(*map(array_of, shapes))], axis=0)


def row(
    name: str,
    what: str,
    shapes: str = "",
    *,
    support: Any = _ALL,
    closed: bool = True,
    valid: Callable = _positive_shapes,
    **functions: Callable,
) -> Any:
    """A distribution of these shapes.

    support: its ends, or a function of the shapes that gives them; `closed` if the density holds at finite ones, too
    valid:   whether there is a distribution of such shapes
    """
    ends, closed = support if callable(support) else lambda *shapes: support, closed and support != _ALL
    placed = ["loc"] if "logpmf" in functions else ["loc", "scale"]
    first = {"loc": 0.0, "scale": 1.0}
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    members: dict[str, Any] = {"__doc__": what, "__module__": "minigrad.scipy.stats"}
    for function, f in functions.items():
        names = ["q" if function == "ppf" else "k" if "logpmf" in functions else "x", *shapes.split()]
        parameters = [inspect.Parameter(x, kind, annotation="Array") for x in names]
        parameters += [inspect.Parameter(x, kind, default=first[x], annotation="Array") for x in placed]
        of = _quantile(f, ends, valid, closed) if function == "ppf" else _at(f, function, ends, valid, closed)
        members[function] = staticmethod(
            _called(of, function, inspect.Signature(parameters, return_annotation="Array"))
        )
    return _AsSciPy(name, (Distribution,), members)


def _called(of, name, signature):
    """A function of these parameters."""

    def call(*given, **options):
        bound = signature.bind(*given, **options)
        bound.apply_defaults()
        values = dict(bound.arguments)
        loc, scale = values.pop("loc"), values.pop("scale", None)
        x, *shapes = values.values()
        return of(x, *shapes, loc=loc, scale=scale)

    told: Any = call
    told.__signature__, told.__name__ = signature, name
    told.__doc__ = _TOLD[told.__name__]
    return told


def _at(f, function, ends, valid, closed):
    """f of what lies in the support, and the constants of `_OUTSIDE`, to which nothing flows back, elsewhere."""
    below, above = _OUTSIDE[function]
    density = function in ("logpdf", "logpmf")

    def of(x, *shapes, loc, scale):
        counts = scale is None
        z = np.where(valid(*shapes), x - loc if counts else standard(x, loc, scale), np.nan)
        begin, end = map(array_of, ends(*shapes))
        lower = np.isneginf(z) | (np.less(z, begin) if counts or (density and closed) else np.less_equal(z, begin))
        # equivalent: density and closed -> density because no open support has an end
        higher = np.isposinf(z) | (np.greater(z, end) if density and closed else np.greater_equal(z, end))
        if counts:  # which have no derivative
            z, given = np.floor(array_of(z)), z
            # equivalent: z, given -> given, z because either way they differ
            lower |= density & np.not_equal(z, given) & np.isfinite(z)
        value = np.where(lower, below, np.where(higher, above, f(_within(z, lower | higher, begin, end), *shapes)))
        return value - np.log(positive(scale)) if function == "logpdf" else value

    return of


def _within(z, outside, begin, end):
    """z, and some number of the support where it is outside, so that nothing becomes NaN there."""
    # equivalent: not np.any(outside) -> False because what follows gives z
    if not np.any(outside):
        return z
    # equivalent: 1.0 -> 2.0; 2 -> 3 because a margin of another size leaves some of the support, too
    margin = np.minimum(1.0, end - begin) / 2
    # equivalent: 0.5 -> any number; 0.5, begin + margin -> begin + margin, 0.5 because it is clipped
    inside = np.clip(0.5, begin + margin, end - margin)
    return np.where(outside, inside if inside.ndim else inside.item(), z)


def _quantile(f, ends, valid, closed):
    """loc + scale f(q): for 0 and 1 the ends of the support, where the slope is 1 / density."""

    def of(q, *shapes, loc, scale):
        q = np.where(np.greater_equal(q, 0) & np.less_equal(q, 1) & valid(*shapes), q, np.nan)
        begin, end = ends(*shapes)
        first, last = np.equal(q, 0) & (not closed), np.equal(q, 1) & np.isinf(end)
        # equivalent: 1.0 -> any number because this is not taken
        steep = np.sqrt(np.where(first, q, np.where(last, 1 - q, 1.0)))  # where there is no density
        inside = f(np.where(first | last, 0.5, q), *shapes)
        return loc + positive(scale) * np.where(first, begin + steep, np.where(last, end - steep, inside))

    return of
