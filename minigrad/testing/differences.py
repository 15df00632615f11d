"""Finite differences: the numbers that a VJP is held against.

Each takes a function of one array and differentiates it along a direction u. One scheme judges
(central, of sixth order); a second, costlier one is asked only when the first disagrees.
"""

import math
from typing import NamedTuple

import numpy as np

STEP = 2.0**-10
REACH = 2.0**-6  # no evaluation goes further than this share of an entry
EPS = float(np.finfo(np.float64).eps)
TINY = float(np.finfo(np.float64).tiny)  # what is smaller has no relative precision

_CENTRAL = ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60))
_FORWARD = (-49 / 20, 6, -15 / 2, 20 / 3, -15 / 4, 6 / 5, -1 / 6)
_COARSE = 2.0**-7  # the first step of the extrapolation
_ROMBERG_LEVELS = 16
_CLOSE = (2.0**-30, 2.0**-24)  # spacings of the values in which noise is looked for: hardly a kink in between
_WIDE = (2.0**-18, 2.0**-12)  # those that show steps of rounding which close values don't reach
_SATURATED = 36.0  # e**-36 is EPS: larger inputs let no more cancel


def direction(x, generator):
    """A random direction of relative steps: |z| in [1/4, 2] times |x|, so that no step crosses 0.

    An entry that is 0 takes steps of z itself.
    """
    z = generator.uniform(0.25, 2, x.shape) * generator.choice([-1.0, 1.0], x.shape)
    return z * relative(x)


def relative(x):
    """The size of a step at each entry: |x|, and 1 at 0."""
    return np.where(x == 0, 1.0, np.abs(x))


def central(f, x, u):
    """df/du at x, an array of f's shape: the central difference of sixth order, six evaluations."""
    total = 0.0
    with np.errstate(all="ignore"):
        for k, weight in _CENTRAL:
            step = (k * STEP) * u
            total = total + weight * (f(x + step) - f(x - step))
    return total / STEP


def forward(f, x, u):
    """The one-sided slope of f at x on the side of u: a forward difference of sixth order, seven evaluations."""
    with np.errstate(all="ignore"):
        return sum(weight * f(x + (k * STEP) * u) for k, weight in enumerate(_FORWARD)) / STEP


def one_sided(f, x, u):
    """The slope of f at x on the side of u by steps of h and of h/2: they agree where there is a slope."""
    return forward(f, x, u), 2 * forward(f, x, u / 2)


class Slope(NamedTuple):
    """A derivative and a bound of its error, both measured."""

    value: float
    error: float


def romberg(f, x, u, rounding=0.0):
    """df/du of a scalar f by Romberg extrapolation of central differences, with the error it shows itself.

    The error is the disagreement of the best entry of the extrapolation's table with its
    neighbours, and at least what the noise of f makes of a difference: `rounding`, or more if observed.
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
                error = max(abs(row[i + 1] - row[i]), abs(row[i + 1] - above), 4 * sigma / step)
                if error < best.error:
                    best = Slope(row[i + 1], error)
            rows.append(row)
    return best


def widest_noise(f, x, u):
    """The error of a slope that noise in values far apart would make, also where close ones are all the same."""
    with np.errstate(all="ignore"):
        return 4 * observed_noise(f, x, u, _WIDE) / _COARSE


def observed_noise(f, x, u, spacings=_CLOSE):
    """The standard deviation of the rounding errors of a scalar f, as its differences of high order show it.

    Those of eight values close to each other: what is smooth shrinks from order to order, noise does
    not once the binomial factor is divided out (Moré and Wild, Estimating computational noise, 2011).
    """
    found = 0.0
    for spacing in spacings:
        line = np.array([float(f(x + (k * spacing) * u)) for k in range(8)])
        sigmas = [norm(d) / math.sqrt(d.size * math.comb(2 * k, k)) for k in (4, 5, 6) for d in [np.diff(line, k)]]
        if max(sigmas) <= 4 * min(sigmas):
            found = max(found, sigmas[0])
    return found


def rounding(g, y, v, x):
    """How far rounding alone may move a central difference of sum(g * f)."""
    noise = norm(g * y) + norm(v * x) + norm(g) * float(np.max(np.abs(x), initial=0))
    return 4 * EPS * noise / STEP


def cancelled(g, y, size):
    """How wrong rounding may make a gradient that cancels to almost nothing, size being that of the inputs.

    The value does not tell what has cancelled in its derivative, which is taken to be of order 1.
    """
    return 64 * EPS * norm(g * y) * max(1.0, size) + 4 * EPS / STEP * norm(g) * min(size, _SATURATED)


def constant_to_rounding(f, x, u, g, analytic):
    """Whether f moves no further than by a few roundings where it may go, and the slope <v, u> says no more."""
    with np.errstate(all="ignore"):
        right, left = f(x + _COARSE * u), f(x - _COARSE * u)
    quiet = 4 * EPS * (np.max(np.abs(right), initial=0) + min(1.0, np.max(np.abs(x), initial=0)))
    still = bool(np.max(np.abs(right - left), initial=0) <= quiet)
    return still and abs(analytic) * _COARSE <= 8 * norm(g) * quiet


def entrywise_tolerance(y, slopes, x, rtol):
    """What single entries may differ by: slopes[i, j] is dy_i along one step of x_j, over the flat y and x."""
    size = np.maximum(np.max(np.abs(x), initial=0), np.max(np.abs(y), initial=0))
    return rtol * np.abs(slopes) + 4 * EPS * (np.abs(slopes) + 2 * size) / STEP + TINY


def norm(a):
    """The 2-norm of all entries, as a Python float; their squares may overflow."""
    largest = float(np.max(np.abs(a), initial=0))
    if not 0 < largest < math.inf:
        return largest
    a = a / largest
    return largest * math.sqrt(np.vdot(a, a))
