"""`GradientError`: what a check found, in words that lead to the line to fix."""

import numpy as np

_SMALL = 48  # entries of all inputs together that a message still prints
_LINES = 38


class GradientError(AssertionError):
    """A derivative that is wrong, that could not be proven, or that breaks the contract of a VJP.

    kind:      "wrong", "inconclusive", "value", "shape", "dtype", "not finite", "mutated", "aliased",
               "not deterministic", "accumulation", "layout", "float32" or "subgradient"
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
    """The call that failed: values where they are few, shapes where not."""
    given = {f"input {i}": value for i, value in enumerate(subject.inputs)}
    for i, label, value in zip(subject.argnums, subject.labels, subject.x, strict=True):
        given[f"input {i}"] = value
        given = {label if key == f"input {i}" else key: v for key, v in given.items()}
    given |= subject.parameters
    if g is not None:
        given["upstream gradient g"] = g
    small = sum(value.size for value in given.values() if isinstance(value, np.ndarray)) <= _SMALL
    lines = ["  with"]
    for name, value in given.items():
        if isinstance(value, np.ndarray):
            prefix = f"    {name} {value.shape} = "
            body = np.array2string(value, separator=", ", prefix=prefix, max_line_width=118) if small else value.dtype
            lines += f"{prefix}{body}".split("\n")
        else:
            lines.append(f"    {name} = {value!r}"[:118])
    return lines
