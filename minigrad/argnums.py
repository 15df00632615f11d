"""Which arguments a transform differentiates in: how it is told, and what is refused.

Every transform takes `argnums`, or `argnum` as HIPS autograd calls it: an int, or several.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from .errors import brief
from .foreign_names import refuse_foreign

P = ParamSpec("P")
R = TypeVar("R")
Argnums = int | Sequence[int]


def of_a_function(transform: Callable[P, R]) -> Callable[P, R]:
    """Decorate what takes a function first: TypeError if it gets none, or an option of another framework."""

    @wraps(transform)
    def checked(*arguments: P.args, **options: P.kwargs) -> R:
        refuse_foreign(transform.__name__, transform, options)
        f = arguments[0] if arguments else options.get("f", callable)
        if not callable(f):
            hint = ", but is a Tensor, which has backward()" if hasattr(f, "requires_grad") else f", not {brief(f)}"
            raise TypeError(f"{transform.__name__}: the first argument must be a function{hint}")
        return transform(*arguments, **options)

    return checked  # equivalent: any factor because it runs at import alone


def one_of(transform: str, argnums: Any, argnum: Any) -> Any:
    """The argument, or the tuple of arguments, that is given under one of two names."""
    if argnum is not None:
        if argnums != 0:
            raise TypeError(f"{transform}: argnum and argnums mean the same: give one of them")
        argnums = argnum
    argnums = tuple(argnums) if isinstance(argnums, list) else argnums
    if not all(isinstance(i, (int, np.integer)) and not isinstance(i, bool) for i in _positions(argnums)):
        found = f"an array: write {transform}(f)(x)" if hasattr(argnums, "dtype") else brief(argnums)
        raise TypeError(f"{transform}: argnums must be an int or a tuple of ints, not {found}")
    return argnums


def _positions(argnums: Any) -> tuple:
    return argnums if isinstance(argnums, tuple) else (argnums,)


def chosen_positions(transform: str, argnums: Any, count: int) -> list[int]:
    """The positions that argnums means, non-negative."""
    positions = _positions(argnums)
    for i in positions:
        if not -count <= i < count:
            raise ValueError(f"{transform}: argnums {argnums} is out of range for {count} positional arguments")
    chosen = [i % count for i in positions]
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"{transform}: argnums {argnums} names an argument twice")
    return chosen


def with_chosen(x: tuple, chosen: Iterable[int], parts: Iterable) -> list:
    """The arguments x with others in the chosen positions."""
    arguments = list(x)
    for i, part in zip(chosen, parts, strict=True):
        arguments[i] = part
    return arguments
