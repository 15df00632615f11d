"""Gradients where a random input never is: at 0, 1 and -1, and where entries are equal.

A formula may be wrong there alone: it divides 0 by 0, asks for a sign, or takes another branch.
"""

from itertools import islice

import numpy as np

from .checked_function import CheckedFunction, Pull
from .errors import GradientError
from .finite_differences import direction
from .options import Options
from .tolerances import EPS, TINY, exceeds, max_abs, norm

_STEP = 2.0**-13  # where a slope changes with the side, as in x * abs(x), a smaller step has a smaller error
_ROUNDING = 64 * EPS / _STEP  # a few roundings
_SMOOTH = 1e-2  # of a slope, or of 1: an output whose slope is known less well may have a kink here
_JUMP = 1e-2  # of a value, or of 1
_KNOWN = 10  # times the error of a slope
_CLOSE = 1e-6  # the least relative error that is looked for
_MORE = 8  # directions that must agree before a gradient is called wrong
_ENTRIES = 4096  # that are tried for the one that is wrong

Arrays = list[np.ndarray]


def check_exact_points(function: CheckedFunction, generator: np.random.Generator, options: Options, order: int) -> None:
    """Compare where all of these values occur, and where one does, as others may hide it; of a higher order at either.

    They stay in the range of the entries of each input, as a function may be something else beyond.
    """
    entries = np.concatenate([x.ravel() for x in function.x])
    if not entries.size:
        return
    values = np.array([0.0, 1.0, -1.0, generator.choice(entries)])
    choices = [values, generator.choice(values, 1)]
    for chosen in choices if order == 1 else [choices[generator.integers(2)]]:
        x = [_moved(a, chosen, generator) for a in function.x]
        if not all(map(np.array_equal, x, function.x)):
            with np.errstate(all="ignore"):
                _compare(function.at(x), generator, options, order)


def _moved(x: np.ndarray, values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The input with each of the values at as many entries, and half of them as they were; none leaves its range."""
    pattern = np.resize([*generator.permutation(values), *np.full(values.shape, np.nan)], x.size)
    chosen = generator.permutation(pattern).reshape(x.shape)
    inside = (chosen >= np.min(x, initial=np.inf)) & (chosen <= np.max(x, initial=-np.inf))
    return np.where(inside, chosen, x)


def _compare(function: CheckedFunction, generator: np.random.Generator, options: Options, order: int) -> None:
    """Compare <v, u> with the slope of sum(g * f), where g leaves out the outputs that are not differentiable here.

    The caller did not choose this input: where the function refuses it, nothing is said.
    """
    u = [direction(x, generator) for x in function.x]
    try:
        y, pull = function.pullback(function.x)
        slopes, errors = _slopes(function, y, u)
    except Exception:
        return
    if slopes.shape != y.shape:
        return
    errors = errors + options.nondet_tol / _STEP
    g = np.where(errors <= _SMOOTH * (1 + np.abs(slopes)), generator.normal(size=y.shape), 0)
    jumped = errors * _STEP > _JUMP * (1 + np.abs(y))
    if np.any(jumped & np.isfinite(errors)):  # it may have another sign here, which an output of 0 does not show
        return
    if _agree(function, pull, u, g, slopes, errors, options):
        return
    largest = errors
    for _ in range(_MORE):  # a median of equal entries has a slope along each u, but these do not add
        v = [direction(x, generator) for x in function.x]
        along_v, errors_v = _slopes(function, y, v)
        both, errors_both = _slopes(function, y, [a + b for a, b in zip(u, v, strict=True)])
        known = _KNOWN * (errors + errors_v + errors_both) + _CLOSE * (np.abs(slopes) + np.abs(along_v))
        g = np.where(np.abs(both - along_v - slopes) <= known, g, 0)
        largest = np.maximum(largest, errors_v)  # one error may be small by accident
    errors = largest
    if not _agree(function, pull, u, g, slopes, errors, options):
        _report(function, pull, y, g, order)


def _slopes(function: CheckedFunction, y: np.ndarray, u: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """The slope of each output along u, and its error: how far both sides and two steps are apart, and rounding."""

    def quotient(step):
        return (function.value(*(x + step * a for x, a in zip(function.x, u, strict=True))) - y) / step

    right, left = quotient(_STEP), quotient(-_STEP)
    finer_right, finer_left = 2 * quotient(_STEP / 2) - right, 2 * quotient(-_STEP / 2) - left
    slope, rounding = (finer_right + finer_left) / 2, _ROUNDING * max(map(max_abs, (y, *function.x))) + TINY
    return slope, np.abs(finer_right - finer_left) + np.abs(slope - (right + left) / 2) + rounding


def _agree(
    function: CheckedFunction,
    pull: Pull,
    u: Arrays,
    g: np.ndarray,
    slopes: np.ndarray,
    errors: np.ndarray,
    options: Options,
) -> bool:
    """Whether <v, u> is the slope, to what is known of it; what is left out may make it infinite or NaN."""
    weighed = g != 0
    if not np.any(weighed):
        return True
    products = [v * a for v, a in zip(pull(g), u, strict=True)]
    analytic, allowed = sum(map(np.sum, products)), _KNOWN * np.sum(np.abs(g) * errors, where=weighed)
    for label, product in zip(function.labels, products, strict=True):
        rtol, atol = options.tolerances(label)
        allowed += max(rtol, _CLOSE) * norm(product) + atol
    hidden = not np.isfinite(analytic) and not np.all(weighed)
    return hidden or not exceeds(abs(np.sum(g * slopes, where=weighed) - analytic), allowed)


def _report(function: CheckedFunction, pull: Pull, y: np.ndarray, g: np.ndarray, order: int) -> None:
    """Raise the error for the entry where numeric and analytic gradient differ most; of one at least they do."""
    gradients, worst = pull(g), (0.0, 0, (), 0.0, 0.0)
    for position, index in islice(((i, j) for i, x in enumerate(function.x) for j in np.ndindex(x.shape)), _ENTRIES):
        u = [np.zeros(x.shape) for x in function.x]
        u[position][index] = 1
        slopes, errors = _slopes(function, y, u)
        numeric, analytic = float(np.sum(g * slopes, where=g != 0)), float(gradients[position][index])
        difference = abs(numeric - analytic) - _KNOWN * float(np.sum(np.abs(g) * errors, where=g != 0))
        worst = max(worst, (difference if np.isfinite(analytic) else np.inf, position, index, numeric, analytic))
    largest, position, index, numeric, analytic = worst
    if not largest:  # a value jumps where entries move together
        return
    label, x = function.labels[position], function.x[position]
    statement = (
        f"the gradient of {label} is WRONG at 0, 1, -1 or equal entries ({label} {x.shape}, output {y.shape})\n"
        "  the slopes on both sides are the same there; exact=False leaves such inputs out"
    )
    raise GradientError("wrong", function, label, statement, g=g, found=(index, numeric, analytic), order=order)
