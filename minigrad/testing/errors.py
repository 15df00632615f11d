"""`GradientError`: what a check found, told so that it leads to the line to fix."""

from collections.abc import Sequence
from typing import Any

import numpy as np

_SMALL = 48  # entries of all inputs together up to which a message prints the values
_LINES = 38
_WIDTH = 118


class GradientError(AssertionError):
    """A derivative that is wrong, that could not be decided, or a VJP that does something else than it may.

    kind:      "wrong", "inconclusive", "value", "shape", "dtype", "not finite", "missing", "raised", "mutated",
               "aliased", "stateful", "not deterministic", "accumulation", "layout", "float32" or "subgradient"
    op:        the name of the function
    argument:  the name of the input whose gradient it is; None if it is about the value
    index:     where in that input the numeric and the analytic value differ most, else None
    numeric, analytic: the two values there
    diagnosis: sentences on what the difference looks like; may be empty

    >>> try:
    ...     mg.testing.check_vjp(np.sin, np.array([0.5, 1.0]), vjp=lambda g, y, x: -g * np.cos(x))
    ... except mg.testing.GradientError as error:
    ...     print(error.kind, error.diagnosis)
    wrong ('it has the opposite sign',)
    """

    def __init__(
        self,
        kind: str,
        function: Any,
        argument: str | None,
        statement: str,
        *,
        g: np.ndarray | None = None,
        found: tuple[tuple[int, ...], float, float] | None = None,
        diagnosis: Sequence[str] = (),
        order: int = 1,
    ) -> None:
        self.kind = kind
        self.op, self.argument = function.name, argument
        self.index: tuple[int, ...] | None = found and found[0]
        self.numeric: float | None = found and found[1]
        self.analytic: float | None = found and found[2]
        self.diagnosis = tuple(diagnosis)
        lines = [f"{_nth(order)}{function.name}: {statement}"]
        if self.index is not None:
            place = f"{argument}[{', '.join(map(str, self.index))}]" if self.index else argument
            lines.append(f"  worst at {place}: numeric {self.numeric:.12g}, analytic {self.analytic:.12g}")
        lines += [f"  diagnosis: {sentence}" for sentence in self.diagnosis]
        lines += _call(function, g)
        if len(lines) > _LINES:
            lines = [*lines[: _LINES - 1], "    ..."]
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[Any, ...]:
        """A process pool sends it to the one that asked."""
        return _restored, (self.args, vars(self))


def _restored(arguments: tuple, attributes: dict[str, Any]) -> GradientError:
    """What copy and pickle call."""
    error = GradientError.__new__(GradientError, *arguments)
    vars(error).update(attributes)
    return error


def _nth(order: int) -> str:
    return {1: "", 2: "second derivative of ", 3: "third derivative of "}.get(order, f"derivative {order} of ")


def _call(function: Any, g: np.ndarray | None) -> list[str]:
    """The call that failed: the values if there are few of them, with all the digits that they need, else shapes.

    It says which inputs were checked, where others were not.
    """
    given = function.given()
    arrays = [value for value in (*given.values(), g) if isinstance(value, np.ndarray)]
    small = sum(value.size for value in arrays) <= _SMALL
    unchecked = [name for name in given if name not in function.labels]
    lines = [f"  checked: {', '.join(function.labels)}; not checked: {', '.join(unchecked)}"[:_WIDTH]] * bool(unchecked)
    lines.append("  with")
    for name, value in given.items():
        lines += _shown(name, value, small, floatmode="unique")
    return lines if g is None else lines + _shown("upstream gradient g", g, small)


def _shown(name: str, value: Any, small: bool, **digits: Any) -> list[str]:
    if not isinstance(value, np.ndarray):
        return [f"    {name} = {value!r}"[:_WIDTH]]
    prefix = f"    {name} {value.shape} = "
    if not small:
        return [f"{prefix}{value.dtype}"]
    return (prefix + np.array2string(value, separator=", ", prefix=prefix, max_line_width=_WIDTH, **digits)).split("\n")
