"""Finite differences: the numbers that a VJP is held against.

Each takes a function of one array and differentiates it along a direction u. One scheme judges
(central, of sixth order); a second, costlier one is asked only when the first disagrees.
"""

import math
from typing import NamedTuple

import numpy as np

STEP = 2.0**-10
EPS = float(np.finfo(np.float64).eps)

_CENTRAL = ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60))
_FORWARD = (-49 / 20, 6, -15 / 2, 20 / 3, -15 / 4, 6 / 5, -1 / 6)
_ROMBERG_LEVELS = 8


def direction(x, generator):
    """A random direction of relative steps: |z| in [1/4, 2] times min(|x|, 1), so that no step crosses 0.

    An entry that is 0 takes steps of z itself.
    """
    z = generator.uniform(0.25, 2, x.shape) * generator.choice([-1.0, 1.0], x.shape)
    return z * relative(x)


def relative(x):
    """The size of a step at each entry: min(|x|, 1), and 1 at 0."""
    return np.where(x == 0, 1.0, np.minimum(np.abs(x), 1))


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


class Slope(NamedTuple):
    """A derivative and a bound of its error, both measured."""

    value: float
    error: float


def romberg(f, x, u):
    """df/du of a scalar f by Romberg extrapolation of central differences, with the error it shows itself.

    The error is the disagreement of the best entry of the extrapolation's table with its
    neighbours: it holds the truncation as well as the noise of f.
    """
    rows: list[list[float]] = []
    best = Slope(np.nan, np.inf)
    with np.errstate(all="ignore"):
        for level in range(_ROMBERG_LEVELS):
            step = 2.0 ** -(7 + level)
            row = [float(f(x + step * u) - f(x - step * u)) / (2 * step)]
            for i, above in enumerate(rows[-1] if rows else ()):
                row.append(row[i] + (row[i] - above) / (4 ** (i + 1) - 1))
                error = max(abs(row[i + 1] - row[i]), abs(row[i + 1] - above))
                if error < best.error:
                    best = Slope(row[i + 1], error)
            rows.append(row)
    return best


def tolerance(g, y, v, x, u, rtol):
    """How far numeric and analytic slope along u may differ: rtol of S = ||v * u||, plus the noise of f."""
    noise = norm(g * y) + norm(v * x) + norm(g) * float(np.max(np.abs(x), initial=0))
    return rtol * norm(v * u) + 4 * EPS * noise / STEP


def entrywise_tolerance(y, slopes, x, rtol):
    """The same for single entries: slopes[i, j] is dy_i along one step of x_j, over the flat y and x."""
    size = np.maximum(np.max(np.abs(x), initial=0), np.max(np.abs(y), initial=0))
    share = np.abs(slopes) * np.maximum(np.abs(x.ravel()), 1)  # a step is min(|x|, 1)
    return rtol * np.abs(slopes) + 4 * EPS * (share + 2 * size) / STEP


def norm(a):
    """The 2-norm of all entries, as a Python float."""
    return math.sqrt(np.vdot(a, a))
