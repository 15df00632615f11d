"""`check_subgradient`: is a VJP right at a kink? Only one-sided slopes exist there."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import side_effects
from .checked_function import CheckedFunction
from .errors import GradientError
from .finite_differences import one_sided
from .gradient_checks import _unambiguous, unit_arrays
from .tolerances import norm, of_one_sided_slope

Directions = list[np.ndarray | None]


@_unambiguous
def check_subgradient(
    fn: Callable[..., Any],
    /,
    *inputs: Any,
    argnums: int | tuple[int, ...] | None = None,
    vjp: Callable[..., Any] | None = None,
    seed: int = 0,
    name: str | None = None,
    **parameters: Any,
) -> None:
    """Check a VJP at a kink: the gradient must lie between the one-sided slopes wherever both exist.

    With d-, d+ the one-sided slopes of output j along u, and v the gradient for g,
    sum_j min(g_j d-_j, g_j d+_j) <= <v, u> <= sum_j max(g_j d-_j, g_j d+_j), for u = +e_i, u = 1, u = 1 in
    all inputs at once (so the shares of a tie sum to 1), and for g = e_j and a random g.
    Other kinks must be further away than 1/128. Where the value jumps no slope exists, which is an error too.
    The arguments are those of `check_vjp`. Raises GradientError, TypeError as that does.

    >>> mg.testing.check_subgradient(np.abs, np.array([0.0, 1.0]), vjp=lambda g, y, x: g * np.sign(x))
    """
    prove_subgradient(CheckedFunction(fn, inputs, parameters, vjp=vjp, argnums=argnums, name=name), seed)


def prove_subgradient(function: CheckedFunction, seed: int) -> None:
    """What `check_subgradient` does, of a function whose inputs are bound."""
    y = side_effects.check_value(function)
    upstream = [*unit_arrays(y), np.random.default_rng(seed).normal(size=y.shape)]
    gradients = [side_effects.check_gradients(function, g) for g in upstream]
    compared = 0
    for label, directions in _all_directions(function):
        compared += _between_slopes(function, label, directions, upstream, gradients)
    if not compared and y.size:
        raise GradientError("subgradient", function, None, "no direction has a finite slope on both sides here")


def _all_directions(function: CheckedFunction) -> Iterator[tuple[str, Directions]]:
    """(label, one direction for each input or None): +e_i and 1 in each, and 1 in all at once."""
    for position, (label, x) in enumerate(zip(function.labels, function.x, strict=True)):
        for u in (*unit_arrays(x), np.ones(x.shape)):
            yield label, [u if i == position else None for i in range(len(function.x))]
    if len(function.x) > 1:
        yield "all inputs", [np.ones(x.shape) for x in function.x]


def _between_slopes(
    function: CheckedFunction,
    label: str,
    directions: Directions,
    upstream: list[np.ndarray],
    gradients: list[list[np.ndarray]],
) -> int:
    """Check one direction for every g; how many outputs could be compared."""

    def along(t):
        moved = [x if u is None else x + t * u for x, u in zip(function.x, directions, strict=True)]
        return function.value(*moved)

    right, left = _existing_slope(function, label, along, 1.0), -_existing_slope(function, label, along, -1.0)
    exist = np.isfinite(right) & np.isfinite(left)
    right, left = np.nan_to_num(right), np.nan_to_num(left)  # g is 0 where one of them does not exist
    for g, v in zip(upstream, gradients, strict=True):
        if not np.all(exist | (g == 0)):
            continue
        low = float(np.sum(np.minimum(g * left, g * right)))
        high = float(np.sum(np.maximum(g * left, g * right)))
        slack = 1e-8 * (norm(g * right) + norm(g * left) + norm(g))
        slope = sum(float(np.sum(a * u)) for a, u in zip(v, directions, strict=True) if u is not None)
        if not low - slack <= slope <= high + slack:
            statement = (
                f"the gradient of {label} is outside of the one-sided slopes\n"
                f"  along u: {slope:.12g} is not between {low:.12g} and {high:.12g}\n"
                f"  u = {[u if u is None else u.tolist() for u in directions]}"
            )
            raise GradientError("subgradient", function, label, statement, g=g)
    return int(np.sum(exist))  # equivalent: any factor because the caller asks whether any could be


def _existing_slope(
    function: CheckedFunction, label: str, along: Callable[[Any], np.ndarray], side: float
) -> np.ndarray:
    """The one-sided slope of each output, NaN where it depends on the step. A jump is an error."""
    coarse, fine = one_sided(along, 0.0, side)
    noise = of_one_sided_slope(function.value(*function.x))
    if np.any(np.abs(fine) > 1.9 * np.abs(coarse) + noise):
        statement = f"the value jumps where {label} moves: no slope exists here"
        raise GradientError("inconclusive", function, label, statement)
    return np.where(np.abs(fine - coarse) <= 0.1 * (np.abs(fine) + np.abs(coarse)) + noise, coarse, np.nan)
