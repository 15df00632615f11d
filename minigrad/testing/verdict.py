"""The verdict on a number that disagrees with its finite difference: wrong, inconclusive, or right after all.

Romberg extrapolation gives a second numeric value and its error. What is wrong is located, and diagnosed.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .checked_function import CheckedFunction
from .error_patterns import constant_factor, diagnose
from .errors import GradientError
from .finite_differences import (
    Function,
    Slope,
    central,
    numeric_entry,
    numeric_gradient,
    one_sided,
    relative,
    romberg,
    widest_noise,
)
from .tolerances import EPS, exceeds, max_abs, norm, of_cancellation, of_one_sided_slope, of_rounding

_ALL_ENTRIES = 4096  # of an input: up to here its whole numeric gradient is taken
_SAMPLED = 64  # entries of a larger one
_SEEN = 1e-2  # of a slope: two numeric values that differ by less did not come about by rounding
_KNOWN = 10  # times what is allowed: the error up to which a numeric slope decides
_ROUGHLY = 1 / 4  # of a slope: how closely one is confirmed that is lost in rounding
_FACTORS = (2.0, -1.0)  # of the upstream gradient, for the diagnosis

Found = tuple[tuple[int, ...], float, float]


class Comparison(NamedTuple):
    """One number: the derivative of sum(g * f) along u in one input, beside <gradients[position], u>."""

    function: CheckedFunction
    position: int
    g: np.ndarray
    u: np.ndarray
    gradients: Sequence[np.ndarray]
    y: np.ndarray
    order: int

    @property
    def x(self) -> np.ndarray:
        return self.function.x[self.position]

    @property
    def label(self) -> str:
        return self.function.labels[self.position]

    @property
    def f(self) -> Function:
        return self.function.along(self.position)

    @property
    def analytic(self) -> np.ndarray:
        return np.asarray(self.gradients[self.position])

    @property
    def size(self) -> float:
        """The largest input, also of those that do not move: f may have rounded numbers as large as that."""
        return max(map(max_abs, self.function.x))

    def scalar(self, value: np.ndarray) -> float:
        """sum(g * f), of the one input."""
        return float(np.sum(self.g * self.f(value)))


def settle(case: Comparison, numeric: float, analytic: float, allowed: float, lost: bool = False) -> None:
    """Compare with a second numeric value, which measures its own error; return only if that confirms the VJP.

    lost: the slope is so small beside the value that it can be confirmed roughly only.
    """
    # equivalent: any change because the noise of values is known by its order only
    slope = romberg(case.scalar, case.x, case.u, rounding=EPS / 4 * norm(case.g * case.y))
    difference = abs(slope.value - analytic)
    if not exceeds(difference, allowed) and not exceeds(slope.error, _KNOWN * allowed):
        return
    if lost and _confirmed_roughly(case, slope, numeric, analytic, allowed):
        return
    verdict, hint = _verdict(case, slope, numeric, difference, allowed)
    found = _worst_entry(case)
    if verdict == "wrong":
        hint = _diagnosis(case)
    statement = (
        f"the gradient of {case.label} is {verdict.upper()} ({case.label} {case.x.shape}, output {case.g.shape})\n"
        f"  along a direction: numeric {slope.value:.12g} +- {slope.error:.1g}, analytic {analytic:.12g}, "
        f"difference {difference:.3g}; allowed {allowed:.3g}, S = {norm(case.analytic * case.u):.3g}"
    )
    raise GradientError(
        verdict, case.function, case.label, statement, g=case.g, found=found, diagnosis=hint, order=case.order
    )


# equivalent: case.y, case.u -> case.u, case.y because the bound is known by its order only
def _confirmed_roughly(case: Comparison, slope: Slope, numeric: float, analytic: float, allowed: float) -> bool:
    rest = of_cancellation(case.g, case.y, case.size)
    share = _ROUGHLY * abs(slope.value)
    if not exceeds(max(slope.error, abs(slope.value - numeric)), _SEEN * abs(slope.value)):  # nothing cancels that much
        rest = min(rest, share + of_rounding(case.g, case.y, case.u))
    known = not exceeds(slope.error, max(rest, share, _ROUGHLY * abs(analytic)))
    return known and not exceeds(abs(slope.value - analytic), allowed + slope.error + rest)


# equivalent: case.g, case.y -> case.y, case.g; case.x, case.u -> case.u, case.x; > -> >= because the noise of values
# is known by its order only
def _verdict(
    case: Comparison, slope: Slope, numeric: float, difference: float, allowed: float
) -> tuple[str, list[str]]:
    if _kinked(case, difference):
        return "inconclusive", ["the two one-sided slopes differ: this is a kink, see check_subgradient"]
    unseen = of_cancellation(case.g, case.y, 1.0) / 10  # as small as what rounding makes of numbers of order 1
    error = max(slope.error, widest_noise(case.scalar, case.x, case.u), abs(slope.value - numeric) / 5, unseen)
    if not difference > allowed + 10 * error:
        return "inconclusive", [f"the numeric slope is only known to {error:.2g} here"]
    return "wrong", []


# equivalent: right[1] -> right[0]; left[1] -> left[0]; gap > -> gap >=; 2 -> any number; without 2 *; without
# & np.isfinite(gap); any factor because errors are known by their order only, where the two steps differ nothing is
# clear, a gap that is not finite has no finite error, and the caller asks for the truth of what is returned
def _kinked(case: Comparison, difference: float) -> bool:
    """Whether the slopes of an output differ on the two sides: by 1 %, or by as much as the difference."""
    right, left = one_sided(case.f, case.x, case.u), one_sided(case.f, case.x, -case.u)
    gap = np.abs(right[1] + left[1])  # the slope on the left is minus the one along -u
    # equivalent: any change because the order of the error decides
    error = np.abs(right[1] - right[0]) + np.abs(left[1] - left[0]) + of_one_sided_slope(case.y)
    clear = (case.g != 0) & np.isfinite(gap) & (gap > 2 * error)
    if np.any(clear & (gap > _SEEN * (np.abs(right[1]) + np.abs(left[1])))):
        return True
    return bool(np.sum(np.abs(case.g) * gap, where=clear) > difference)


def _worst_entry(case: Comparison) -> Found:
    """(index, numeric, analytic) of the entry of the input where the two differ most."""
    # equivalent: never; > -> >= because all entries, one after another, have the same worst one
    if case.x.size > _ALL_ENTRIES:
        return _bisected(case)
    numeric = numeric_gradient(case.f, case.x, case.g)
    differences = np.where(np.isfinite(numeric), np.abs(case.analytic - numeric), np.inf)
    index = np.unravel_index(int(np.argmax(differences)), differences.shape)
    return tuple(map(int, index)), float(numeric[index]), float(case.analytic[index])


def _bisected(case: Comparison) -> Found:
    """The same for a large input: its entries are halved, and the half with the larger error is taken."""
    entries = np.arange(case.x.size)
    while entries.size > 1:
        halves = np.array_split(entries, 2)  # equivalent: 2 -> 3 because thirds lead there, too
        entries = halves[int(np.argmax([_error_of_part(case, half) for half in halves]))]
    index = tuple(map(int, np.unravel_index(int(entries[0]), case.x.shape)))
    numeric = numeric_entry(case.f, case.x, case.g, index, relative(case.x))
    return index, numeric, float(case.analytic[index])


def _error_of_part(case: Comparison, entries: np.ndarray) -> float:
    """How far numeric and analytic slope are apart if only these entries move."""
    u = np.zeros(case.x.shape)
    u.flat[entries] = case.u.flat[entries]
    numeric = float(np.sum(case.g * central(case.f, case.x, u)))
    # equivalent: any factor because the errors of parts are only compared with each other
    return abs(numeric - float(np.sum(case.analytic * u)))


def _diagnosis(case: Comparison) -> list[str]:
    # equivalent: > -> >= because that size only says what takes too long
    if case.x.size > _ALL_ENTRIES:
        return _diagnosis_of_sample(case)
    numeric = numeric_gradient(case.f, case.x, case.g)
    function = case.function
    # equivalent: without and x.shape == case.x.shape because `diagnose` compares arrays of one shape alone
    others = [
        (function.labels[i], numeric_gradient(function.along(i), x, case.g))
        for i, x in enumerate(function.x)
        if i != case.position and x.shape == case.x.shape
    ]
    _, pull = function.pullback(function.x)
    multiples = {factor: np.array(pull(factor * case.g)[case.position]) for factor in _FACTORS}
    return diagnose(case.analytic, numeric, case.x, multiples=multiples, others=others)


def _diagnosis_of_sample(case: Comparison) -> list[str]:
    """What entries spread over a large input tell: a constant factor, or how many of them are wrong."""
    steps = relative(case.x)
    # equivalent: 0, case.x.size - 1 -> case.x.size - 1, 0 because other places will do
    places = np.linspace(0, case.x.size - 1, _SAMPLED).astype(int)
    indices = [np.unravel_index(place, case.x.shape) for place in places]
    numeric = np.array([numeric_entry(case.f, case.x, case.g, index, steps) for index in indices])
    analytic = case.analytic.flat[places]
    if factor := constant_factor(analytic, numeric):
        return [f"{factor} of {_SAMPLED} that were sampled"]
    wrong = int(np.sum(~(np.abs(analytic - numeric) <= 1e-6 * np.abs(numeric).max())))
    return [f"{wrong or 'none'} of {_SAMPLED} sampled entries {'is' if wrong < 2 else 'are'} wrong"]
