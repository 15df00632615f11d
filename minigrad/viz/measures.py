"""`flow` and `profile`: norms layer by layer, and the time and memory of each op, as a table and a chart.

Both read the tape once and keep numbers only.
"""

import math
import os
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from .._tensor import Tensor
from ..serialization import path_of, replacing
from . import charts
from ._graph import displayed, nodes_of
from .gradients import measure_gradients, norm_of
from .labels import counted, plain
from .parts import Part, read_tape

BARS = 40  # rows of a chart


class Layer(NamedTuple):
    """The ops of a scope that follow each other, or one op outside of all scopes.

    value, gradient: norms of its output and of the gradient of that; parameters: of the gradients of its parameters
    together, None where it has none
    """

    name: str
    value: float
    gradient: float | None
    parameters: float | None


class Cost(NamedTuple):
    """What one op took: seconds of its forward and of its VJPs (None: not measured), bytes of its output."""

    op: str
    scope: str
    line: str
    forward: float | None
    backward: float | None
    bytes: int

    @property
    def seconds(self) -> float:
        """Of forward and VJPs together."""
        return (self.forward or 0.0) + (self.backward or 0.0)


class Table:
    """Rows that print as a table, and are a chart in a notebook and in a file: what `flow` and `profile` return."""

    def __init__(self, title: str, rows: Sequence, columns: dict[str, Callable[[Any], str]], chart: Callable[[], str]):
        self.title, self.rows = title, rows
        self._columns, self._chart = columns, chart

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple:
        return self.rows[index]

    def __str__(self) -> str:
        columns = [[name, *map(text, self.rows)] for name, text in self._columns.items()]
        wide = [max(map(len, column)) for column in columns]
        lines = []
        for first, *others in zip(*columns, strict=True):
            cells = [first.ljust(wide[0]), *map(str.rjust, others, wide[1:])]
            lines.append("  ".join(cells).rstrip())
        return "\n".join([self.title, *lines])

    def __repr__(self) -> str:
        return f"<{self.title}>"

    def svg(self) -> str:
        """The chart as an <svg> element."""
        return self._chart()

    def save(self, path: str | os.PathLike) -> Path:
        """Write the chart to a file that ends in .svg; return its path. Raises ValueError for another suffix."""
        path = path_of("save", path)
        if path.suffix.lower() != ".svg":
            raise ValueError(f"save: {str(path)!r} should end in .svg")
        with replacing(path) as file:
            file.write(self.svg().encode())
        return path

    def _repr_html_(self) -> str:
        return displayed(self.svg, str(self))


def flow(y: Tensor) -> Table:
    """The norms of activations and gradients, layer by layer: where they vanish or explode.

    A layer is a run of ops in one scope; without scopes each op is one. The gradient is that of y, or of the sum of
    its entries. `print` shows a table of `Layer`s, `save("flow.svg")` a chart on a logarithmic axis.

    >>> x = mg.tensor([3.0, 4.0], requires_grad=True, name="x")
    >>> print(mg.viz.flow((x * 0.1).sum()))
    norms in 2 layers
    layer     value  gradient  parameters
    multiply    0.5      1.41       0.141
    sum         0.7         1

    Raises TypeError and RuntimeError as `graph` does.
    """
    roots = nodes_of("flow", (y,))
    parts = read_tape(roots)
    measure_gradients(parts, roots)
    layers = _layers([part for part in parts if part.kind == "op"])
    columns: dict[str, Callable[[Any], str]] = {
        "layer": attrgetter("name"),
        "value": lambda layer: _short(layer.value),
        "gradient": lambda layer: _short(layer.gradient),
        "parameters": lambda layer: _short(layer.parameters),
    }

    def chart() -> str:
        series = {kind: [getattr(layer, kind) for layer in layers] for kind in ("value", "gradient", "parameters")}
        return charts.lines("norms by layer", [layer.name for layer in layers], series)

    return Table(f"norms in {counted(len(layers), 'layer')}", layers, columns, chart)


def profile(y: Tensor) -> Table:
    """The time of each op that led to y, the slowest first: `Cost`s, measured inside of `mg.debug(time=True)`.

    `print` shows a table, `save("profile.svg")` a chart. A backward() inside of the block is measured, too.

    >>> x = mg.tensor([3.0, 4.0], requires_grad=True, name="x")
    >>> with mg.debug(time=True):
    ...     y = (x * x).sum()
    ...     y.backward()
    >>> sorted(cost.op for cost in mg.viz.profile(y))
    ['multiply', 'sum']

    Raises TypeError as `graph` does, RuntimeError if nothing was measured.
    """
    parts = read_tape(nodes_of("profile", (y,)))
    costs = sorted(map(_cost, (part for part in parts if part.kind == "op")), key=attrgetter("seconds"), reverse=True)
    if all(cost.forward is None for cost in costs):
        raise RuntimeError("profile: no time was measured: compute the Tensor inside `with mg.debug(time=True):`")
    total = sum(cost.seconds for cost in costs)
    columns: dict[str, Callable[[Any], str]] = {
        "op": _full_name,
        "forward": lambda cost: _milliseconds(cost.forward),
        "VJPs": lambda cost: _milliseconds(cost.backward),
        "share": lambda cost: f"{100 * cost.seconds / (total or 1):.1f}%",
        "bytes": lambda cost: f"{cost.bytes:,}",
        "line": attrgetter("line"),
    }

    def chart() -> str:
        times = [{"forward": 1e3 * (cost.forward or 0.0), "VJPs": 1e3 * (cost.backward or 0.0)} for cost in costs]
        rows = list(zip(map(_full_name, costs), times, strict=True))
        return charts.bars("time of each op", rows[:BARS], "ms")

    return Table(f"{counted(len(costs), 'op')}, {_milliseconds(total)}", costs, columns, chart)


def _full_name(cost: Cost) -> str:
    return f"{cost.scope}/{cost.op}".removeprefix("/")


def _layers(ops: Iterable[Part]) -> list[Layer]:
    """One layer for each run of ops in a scope, and for each op outside of all."""
    return [_layer(list(run)) for _, run in groupby(ops, lambda op: op.scope or op)]


def _layer(ops: Sequence[Part]) -> Layer:
    last = ops[-1]
    leaves = dict.fromkeys(tensor for op in ops for tensor, _ in op.inputs if tensor.kind == "parameter")
    gradients = [leaf.gradient for leaf in leaves if leaf.gradient is not None]
    name = plain("/".join(last.scope) or last.title)
    return Layer(name, norm_of(last.array), last.gradient, math.hypot(*gradients) if gradients else None)


def _cost(part: Part) -> Cost:
    line = f"{Path(part.line[0]).name}:{part.line[1]}" if part.line else ""
    seconds = part.seconds
    scope = plain("/".join(part.scope)) if part.scope else ""
    return Cost(
        plain(part.title), scope, line, seconds.get("forward"), seconds.get("backward"), part.size * part.dtype.itemsize
    )


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1e3 * seconds:.3f} ms"
