"""What the strategies are called with, checked at once: Hypothesis would say late, and elsewhere, what is wrong."""

import functools
import inspect
from collections.abc import Callable
from numbers import Real
from typing import Any, TypeVar

import numpy as np
from hypothesis import strategies as st

from ..errors import brief

Strategy = TypeVar("Strategy", bound=Callable[..., Any])


def _is_count(value):
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 0


def _is_shape(value):
    return isinstance(value, (tuple, list)) and all(map(_is_count, value))


def _is_pair(value):
    return isinstance(value, (tuple, list)) and len(value) == 2 and all(isinstance(end, Real) for end in value)


_COUNT = _is_count, "an int of 0 or more"
_COUNTS = ("count", "ndim", "min_dims", "max_dims", "min_side", "max_side", "max_operands", "max_out", "lane", "lanes")
_WANTED: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(_COUNTS, _COUNT),
    "shape": (
        lambda value: isinstance(value, st.SearchStrategy) or _is_shape(value),
        "a tuple of ints, or a strategy of such",
    ),
    "domain": (
        lambda value: _is_pair(value) or (isinstance(value, list) and all(map(_is_pair, value))),
        "a pair (low, high) of numbers",
    ),
    "scales": (
        lambda value: isinstance(value, (tuple, list)) and value != () and all(isinstance(n, Real) for n in value),
        "a tuple of numbers",
    ),
}


def checked(strategy: Strategy) -> Strategy:
    """Decorate a strategy: TypeError or ValueError, with its name, for what it can't be called with."""
    signature, name = inspect.signature(strategy), strategy.__name__

    @functools.wraps(strategy)
    def call(*arguments, **options):
        try:
            given = signature.bind(*arguments, **options)
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from None
        given.apply_defaults()
        values = given.arguments | given.arguments.get("sides", {})
        for argument, (fits, wanted) in _WANTED.items():
            default = signature.parameters[argument].default if argument in signature.parameters else ...
            if argument in values and (value := values[argument]) is not default and not fits(value):
                raise TypeError(f"{name}: {argument} must be {wanted}, not {brief(value)}")
        for what in ("dims", "side"):
            least, most = values.get(f"min_{what}", 0), values.get(f"max_{what}")
            if most is not None and least > most:
                raise ValueError(f"{name}: min_{what} must be at most max_{what}, not {least} and {most}")
        return strategy(*arguments, **options)

    return call  # type: ignore[return-value]
