"""`GradientError`: what a check found, in words that lead to the line to fix."""

import numpy as np

_SMALL = 48  # entries of all inputs together that a message still prints
_LINES = 38


class GradientError(AssertionError):
    """A derivative that is wrong, that could not be proven, or that breaks the contract of a VJP.

    kind:      "wrong", "inconclusive", "value", "shape", "dtype", "not finite", "mutated", "aliased",
               "stateful", "not deterministic", "accumulation", "layout", "float32" or "subgradient"
    op:        the name of the function
    argument:  the name of the input whose gradient it is, None if it is the output's fault
    index:     where in that input numeric and analytic value differ most, else None
    numeric, analytic: the two values there
    diagnosis: sentences on what the difference looks like; may be empty
    """

    def __init__(self, kind, subject, argument, statement, *, g=None, found=None, diagnosis=(), order=1):
        self.kind = kind
        self.op, self.argument = subject.name, argument
        self.index: tuple[int, ...] | None = found and found[0]
        self.numeric: float | None = found and found[1]
        self.analytic: float | None = found and found[2]
        self.diagnosis = tuple(diagnosis)
        lines = [f"{_nth(order)}{subject.name}: {statement}"]
        if found:
            place = f"{argument}[{', '.join(map(str, self.index))}]" if self.index else argument
            lines.append(f"  worst at {place}: numeric {self.numeric:.12g}, analytic {self.analytic:.12g}")
        lines += [f"  diagnosis: {sentence}" for sentence in self.diagnosis]
        lines += _call(subject, g)
        if len(lines) > _LINES:
            lines = [*lines[: _LINES - 1], "    ..."]
        super().__init__("\n".join(lines))


def _nth(order):
    return {1: "", 2: "second derivative of ", 3: "third derivative of "}.get(order, f"derivative {order} of ")


def _call(subject, g):
    """The call that failed: values where they are few, with all digits that they need, shapes where not."""
    given = subject.given()
    arrays = [value for value in (*given.values(), g) if isinstance(value, np.ndarray)]
    small = sum(value.size for value in arrays) <= _SMALL
    lines = ["  with"]
    for name, value in given.items():
        lines += _shown(name, value, small, floatmode="unique")
    return lines if g is None else lines + _shown("upstream gradient g", g, small)


def _shown(name, value, small, **digits):
    if not isinstance(value, np.ndarray):
        return [f"    {name} = {value!r}"[:118]]
    prefix = f"    {name} {value.shape} = "
    body = np.array2string(value, separator=", ", prefix=prefix, max_line_width=118, **digits) if small else value.dtype
    return f"{prefix}{body}".split("\n")
