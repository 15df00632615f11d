"""Finite differences: the numbers that a VJP is compared with.

Each function differentiates a function of one array along a direction u. The central difference decides; the
costlier Romberg extrapolation is used only where the two disagree.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .tolerances import EPS, STEP, max_abs, norm

_CENTRAL = ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60))
_FORWARD = (-49 / 20, 6, -15 / 2, 20 / 3, -15 / 4, 6 / 5, -1 / 6)
_COARSE = 2.0**-7  # the first step of the extrapolation
_ROMBERG_LEVELS = 16
_CLOSE = (2.0**-30, 2.0**-24)  # spacings of the values that show noise, too close for a kink in between
_WIDE = (2.0**-18, 2.0**-12)  # spacings that show the steps of a rounded function, which close values miss

Function = Callable[[Any], Any]


def direction(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A random direction of relative steps: |z| in [1/4, 2] times |x|, so that no step crosses 0.

    An entry that is 0 takes steps of z itself.
    """
    z = np.copysign(generator.uniform(0.25, 2, x.shape), generator.normal(size=x.shape))
    return z * relative(x)  # equivalent: any factor because a direction is a random one


def relative(x: np.ndarray) -> np.ndarray:
    """The size of a step at each entry: |x|, and 1 at 0.

    >>> relative(np.array([-3.0, 0.0]))
    array([3., 1.])
    """
    return np.where(x == 0, 1.0, np.abs(x))


def central(f: Function, x: np.ndarray, u: np.ndarray) -> np.ndarray:
    """df/du at x, an array of f's shape: the central difference of sixth order, six evaluations.

    >>> x, u = np.array([0.0, 1.0]), np.array([1.0, 2.0])
    >>> bool(np.allclose(central(np.sin, x, u), np.cos(x) * u, rtol=1e-12))
    True
    """
    total: Any = 0.0
    with np.errstate(all="ignore"):
        for k, weight in _CENTRAL:
            step = (k * STEP) * u
            total = total + weight * (f(x + step) - f(x - step))
    return total / STEP


def numeric_gradient(f: Function, x: np.ndarray, g: Any) -> np.ndarray:
    """The gradient of sum(g * f) at x by central differences, one entry after another."""
    steps = relative(x)
    entries = [numeric_entry(f, x, g, index, steps) for index in np.ndindex(x.shape)]
    return np.reshape(entries, x.shape)


def numeric_entry(f: Function, x: np.ndarray, g: Any, index: tuple, steps: np.ndarray) -> float:
    """One entry of the gradient of sum(g * f) at x."""
    u = np.zeros(x.shape)
    u[index] = steps[index]
    return float(np.sum(g * central(f, x, u)) / steps[index])


def forward(f: Function, x: Any, u: Any) -> Any:
    """The one-sided slope of f at x on the side of u: a forward difference of sixth order, seven evaluations."""
    with np.errstate(all="ignore"):
        total: Any = sum(weight * f(x + (k * STEP) * u) for k, weight in enumerate(_FORWARD))
        return total / STEP


def one_sided(f: Function, x: Any, u: Any) -> tuple[Any, Any]:
    """The slope of f at x on the side of u by steps of h and of h/2: they agree where there is a slope."""
    return forward(f, x, u), 2 * forward(f, x, u / 2)


class Slope(NamedTuple):
    """A derivative and a bound of its error, both measured."""

    value: float
    error: float


def romberg(f: Function, x: np.ndarray, u: np.ndarray, rounding: float = 0.0) -> Slope:
    """df/du of a scalar f by Romberg extrapolation of central differences, with its own error.

    The error is how far the best entry of the extrapolation's table is from its neighbours, and at least the
    noise of f divided by the step; the noise is `rounding`, or what is observed if that is more.
    """
    rows: list[list[float]] = []
    best = Slope(np.nan, np.inf)
    with np.errstate(all="ignore"):
        sigma = max(rounding, observed_noise(f, x, u))
        for level in range(_ROMBERG_LEVELS):
            step = _COARSE / 2**level
            row = [float(f(x + step * u) - f(x - step * u)) / (2 * step)]
            for i, above in enumerate(rows[-1] if rows else ()):
                row.append(row[i] + (row[i] - above) / (4 ** (i + 1) - 1))
                # equivalent: any change because an estimate that is larger or smaller by a small factor is as good
                error = max(abs(row[i + 1] - row[i]), abs(row[i + 1] - above), 4 * sigma / step)
                if error < best.error:  # equivalent: < -> <= because of two with one error either will do
                    best = Slope(row[i + 1], error)
            rows.append(row)
    return best


def widest_noise(f: Function, x: np.ndarray, u: np.ndarray) -> float:
    """The error of a slope that the noise of values far apart makes, which close values may not show."""
    with np.errstate(all="ignore"):
        # equivalent: any change because noise is known by its order only
        return 4 * observed_noise(f, x, u, _WIDE) / _COARSE


# equivalent: any change because noise is known by its order only, and other values and differences show it as well
def observed_noise(f: Function, x: np.ndarray, u: np.ndarray, spacings: tuple = _CLOSE) -> float:
    """The standard deviation of the rounding errors of a scalar f, from the high differences of eight close values.

    In these a smooth function shrinks from order to order. Noise does not, once the binomial factor is divided
    out (Moré and Wild, Estimating computational noise, 2011).
    """
    found = 0.0
    for spacing in spacings:
        line = np.array([float(f(x + (k * spacing) * u)) for k in range(8)])
        sigmas = [norm(d) / math.sqrt(d.size * math.comb(2 * k, k)) for k in (4, 5, 6) for d in [np.diff(line, k)]]
        if max(sigmas) <= 4 * min(sigmas):
            found = max(found, sigmas[0])
    return found


def constant_to_rounding(f: Function, x: np.ndarray, u: np.ndarray, g: Any, analytic: float) -> bool:
    """Whether f changes by a few roundings at most along u, and the slope <v, u> is no larger than that."""
    with np.errstate(all="ignore"):
        right, left = f(x + _COARSE * u), f(x - _COARSE * u)
    quiet = 4 * EPS * (max_abs(right) + min(1.0, max_abs(x)))
    still = bool(max_abs(right - left) <= quiet)
    return still and abs(analytic) * _COARSE <= 8 * norm(g) * quiet
