"""`trace`: a walk through the graph step by step, for teaching, as one HTML file without dependencies.

First each op forward, then each op backward, with its equation, shapes, feature maps and gradients.
The page (walk.html) is plain HTML and script: a slider and small images need no library.
"""

import base64
import html
import inspect
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from .._tensor import Tensor
from ._graph import displayed, nodes_of
from .dot import draw
from .folding import fold
from .gradients import measure_gradients
from .parts import Part, drop_arrays, read_tape
from .render import svg
from .statistics import annotate

MOST_OPS = 400  # more steps than this are hard to choose from with a slider
TILES, ROWS = 16, 64  # a heat map shows at most this many images, and rows and columns of each
KERNEL = 11  # a parameter with four axes and at most this many rows is shown as kernels
DERIVATIVE = re.compile(r"\bd\S*/d|\bVJP|adjoint|Jacobian|slope")


@dataclass(frozen=True)
class Step:
    """One op, forward or backward.

    equation: what its docstring says about this direction; inputs, output: (name, shape) each
    """

    direction: str
    op: str
    equation: str
    inputs: tuple[tuple[str, tuple], ...]
    output: tuple[str, tuple]


def trace(y: Tensor, *, names: Mapping[str, Any] | None = None) -> "Walk":
    """Walk through the graph that led to y: a `Walk`, whose `save("walk.html")` writes the page.

    >>> x = mg.tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> walk = mg.viz.trace(mg.exp(x).sum())
    >>> walk
    <walk of 4 steps, forward and backward>
    >>> walk[0].op, walk[0].direction, walk[0].equation
    ('exp', 'forward', 'A = e**X')

    names: as in `graph`. A y that is not a scalar is differentiated as the sum of its entries.
    Raises TypeError and RuntimeError as `graph` does, ValueError if there are too many ops to walk through, or none.
    """
    roots = nodes_of("trace", (y,))
    parts = read_tape(roots, names)
    count = sum(part.kind == "op" for part in parts)
    if count > MOST_OPS:
        raise ValueError(f"trace: {count:,} ops are too many to walk; it takes up to {MOST_OPS}")
    if not count:
        raise ValueError("trace: this Tensor is a leaf, so there is no op to walk")
    maps = {part: {"value": heat_map(part.array, part.kind)} for part in parts}

    def see(part: Part, g: np.ndarray) -> None:
        maps[part]["gradient"] = heat_map(g, part.kind)

    measure_gradients(parts, roots, see)
    documented = {part: _equations(part) for part in parts if part.kind == "op"}
    drawn, _ = fold(parts)
    annotate(drawn)
    drop_arrays(parts, drawn)
    return Walk(drawn, maps, documented)


class Walk:
    """A sequence of `Step`s, first forward and then backward, made by `trace`. A notebook displays its page."""

    def __init__(self, parts: Sequence[Part], maps: dict[Part, dict], equations: dict[Part, tuple[str, str]]):
        self._parts, self._maps = parts, maps
        ops = [part for part in parts if part.kind == "op"]
        self._walked = [("forward", part) for part in ops] + [("backward", part) for part in reversed(ops)]
        self.steps = [
            Step(
                direction,
                part.title,
                equations[part][direction == "backward"],
                tuple((tensor.title, tensor.shape) for _, tensor in part.inputs),
                (part.title, part.shape),
            )
            for direction, part in self._walked
        ]

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index: Any) -> Any:
        return self.steps[index]

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __repr__(self) -> str:
        return f"<walk of {len(self)} steps, forward and backward>"

    def html(self) -> str:
        """The page, which loads nothing from elsewhere. Raises RuntimeError if no Graphviz engine is installed."""
        digraph = draw(self._parts, gradients=True)
        title = f"walk of {len(self)} steps: {self.steps[0].op} to {self.steps[len(self) // 2].op}"
        ids = {part: f"n{i}" for i, part in enumerate(self._parts, start=1)}
        data = {
            "steps": [self._as_data(*pair, ids) for pair in zip(self._walked, self.steps, strict=True)],
            "tensors": {ids[part]: _tensor(part) | self._maps[part] for part in self._parts if part in self._maps},
        }
        filled = {
            "title": html.escape(title),
            "picture": svg(digraph, title),
            "data": json.dumps(data, allow_nan=False).replace("<", "\\u003c"),
        }
        page = resources.files(__package__).joinpath("walk.html").read_text(encoding="utf-8")
        return re.sub(r"\{\{(\w+)\}\}", lambda match: filled[match[1]], page)

    def save(self, path: str | os.PathLike) -> Path:
        """Write the page to a file that ends in .html; return its path. Raises as Graph.save does."""
        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"save: {str(path)!r} should end in .html")
        path.write_text(self.html(), encoding="utf-8")
        return path

    def _repr_html_(self) -> str:
        return displayed(self._frame, self._text())

    def _frame(self) -> str:
        page = html.escape(self.html())
        return f'<iframe srcdoc="{page}" title="{self!r}" style="width:100%;height:720px;border:0"></iframe>'

    def _text(self) -> str:
        """The steps as lines of text."""
        lines = [f"{i:3d}  {step.direction:8}  {step.op} {step.output[1]}" for i, step in enumerate(self, start=1)]
        return "\n".join([repr(self)[1:-1], *lines])

    @staticmethod
    def _as_data(walked: tuple[str, Part], step: Step, ids: dict[Part, str]) -> dict[str, Any]:
        direction, part = walked
        tensors = list(dict.fromkeys(tensor for _, tensor in part.inputs))
        return {
            "direction": direction,
            "node": ids[part],
            "title": step.op,
            "scope": "/".join(part.scope),
            "call": part.notes[0],
            "equation": step.equation,
            "inputs": [ids[tensor] for tensor in tensors],
            "drawn": [ids[drawn] for drawn, _ in part.inputs],
        }


def _tensor(part: Part) -> dict[str, Any]:
    norm = None if part.gradient is None else f"{part.gradient:.4g}"
    notes = [note for note in part.notes[part.kind == "op" :] if not note.startswith("gradient")]
    return {"name": part.heading, "kind": part.kind, "shape": str(part.shape), "notes": notes, "norm": norm}


def _equations(part: Part) -> tuple[str, str]:
    """What the docstring of an op says about its value, and about its derivative."""
    text = re.sub(r"(?<=\S)\n(?=\S)", " ", inspect.cleandoc(part.node.op.__doc__ or ""))
    text = re.sub(r" ?\bRaises .*", "", text)
    first, *rest = text.split("\n\n")
    heading, _, derivative = first.partition(": d")  # a row of a table: "A = e**X: dA/dX = A."
    if not rest and derivative:
        return heading, f"d{derivative}"
    return first, "\n\n".join(paragraph for paragraph in rest if DERIVATIVE.search(paragraph)) or first


def heat_map(array: np.ndarray | None, kind: str) -> dict[str, Any] | None:
    """An array as small images, one byte an entry: 128 for 0, 1 and 255 for the extremes, 0 for NaN and infinities.

    The channels of the first item of a batch (N, C, H, W) are shown, and all kernels of a parameter.
    """
    if array is None or array.size < 2:
        return None
    tiles = _small_images(array, kind)
    note = "" if tiles.size == array.size else "a part of it"
    if array.ndim == 4 and len(tiles) < len(array) * array.shape[1]:
        whole = tiles.shape[0] == array.shape[1]
        note = "the first of the batch" if whole else f"{len(tiles)} of {len(array) * array.shape[1]} images"
    finite = np.isfinite(tiles)
    limit = float(np.abs(tiles[finite], dtype=np.float64).max(initial=0))
    scaled = np.where(finite, tiles, 0) / (limit or 1)
    bytes_ = np.where(finite, np.rint(scaled * 127) + 128, 0).astype(np.uint8)
    count, rows, columns = tiles.shape
    text = base64.b64encode(bytes_.tobytes()).decode("ascii")
    return {"count": count, "rows": rows, "columns": columns, "limit": f"{limit:.3g}", "note": note, "bytes": text}


def _small_images(array: np.ndarray, kind: str) -> np.ndarray:
    """At most TILES images (n, rows, columns) of an array."""
    if array.ndim == 4 and kind == "parameter" and array.shape[-2] <= KERNEL:
        images = array.reshape(-1, *array.shape[2:])
    elif array.ndim > 2:
        images = array.reshape(-1, *array.shape[-3:])[0]
    else:
        images = array.reshape(1, -1, array.shape[-1])
    return np.asarray(images[:TILES, :ROWS, :ROWS], np.float64)
