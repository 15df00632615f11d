"""`trace`: a walk through the graph step by step, for teaching: the page of `graph` in the mode that goes through it.

First each op forward, then each op backward, with its equation, shapes, feature maps and gradients.
"""

import base64
import inspect
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .._tensor import Tensor
from ..operation import Op
from ..serialization import path_of, replacing
from ._graph import check_options, displayed, nodes_of
from .explorer import frame, page, page_data
from .facts import measured
from .gradients import measure_gradients
from .parts import Part, read_tape
from .statistics import totals

MAPPED = 400  # ops up to which arrays are shown as small images; more would make a large page
TILES, ROWS = 16, 64  # a heat map shows at most this many images, and rows and columns of each
KERNEL = 11  # a parameter with four axes and at most this many rows is shown as kernels
SECTIONS = {  # of the derivation, which docstrings refer to by number
    "3.1.1": "dJ/dW, dJ/db and dJ/dB of the fully connected layer",
    "3.1.2": "dJ/d_vA of the last pooling",
    "3.1.3": "dJ/d_vI through pooling",
    "3.1.4": "dJ/d_vZ through the activation",
    "3.1.5": "dJ/d_vK, dJ/db and dJ/d_vA of a convolutional layer",
}
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


def trace(
    y: Tensor, *, depth: int | None = None, max_nodes: int | None = 100, names: Mapping[str, Any] | None = None
) -> "Walk":
    """Walk through the graph that led to y: a `Walk`, whose `save("walk.html")` writes the page.

    >>> x = mg.tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> walk = mg.viz.trace(mg.exp(x).sum())
    >>> walk
    <walk of 4 steps, forward and backward>
    >>> walk[0].op, walk[0].direction, walk[0].equation
    ('exp', 'forward', 'A = e**X')

    depth, max_nodes, names: as in `graph`. A closed group is one step of the page until it is opened.
    A y that is not a scalar is differentiated as the sum of its entries.
    Raises TypeError and RuntimeError as `graph` does, ValueError if there is no op to walk through.
    """
    roots = nodes_of("trace", (y,))
    check_options("trace", depth, max_nodes, names)
    parts = read_tape(roots, names)
    ops = [part for part in parts if part.kind == "op"]
    if not ops:
        raise ValueError("trace: this Tensor is a leaf, so there is no op to walk")
    is_mapped = len(ops) <= MAPPED

    def see(part: Part, g: np.ndarray) -> None:
        measured(part, g)
        if is_mapped:
            part.maps["gradient"] = heat_map(g, part.kind)

    if is_mapped:
        for part in parts:
            part.maps["value"] = heat_map(part.array, part.kind)
    measure_gradients(parts, roots, see)
    data = page_data(parts, depth, max_nodes) | {"caption": totals(parts), "gradients": True, "direction": "TB"}
    texts = {part.title: _equations(part.node.op) for part in ops}
    return Walk(ops, texts, data)


class Walk:
    """A sequence of `Step`s, first forward and then backward, made by `trace`. A notebook displays its page."""

    def __init__(self, ops: Sequence[Part], texts: Mapping[str, tuple[str, str]], data: Mapping[str, Any]):
        pairs = [("forward", part) for part in ops] + [("backward", part) for part in reversed(ops)]
        self.steps = [
            Step(
                direction,
                part.title,
                texts[part.title][direction == "backward"],
                tuple((tensor.title, tensor.shape) for _, tensor in part.inputs),
                (part.title, part.shape),
            )
            for direction, part in pairs
        ]
        title = f"walk of {len(self)} steps: {self.steps[0].op} to {self.steps[len(ops)].op}"
        self._data = {**data, "title": title, "docs": texts}

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index: Any) -> Any:
        return self.steps[index]

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __repr__(self) -> str:
        return f"<walk of {len(self)} steps, forward and backward>"

    def html(self) -> str:
        """The page, which loads nothing from elsewhere."""
        return page(self._data, "walk")

    def save(self, path: str | os.PathLike) -> Path:
        """Write the page to a file that ends in .html; return its path. Raises ValueError for another suffix."""
        path = path_of("save", path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"save: {str(path)!r} should end in .html")
        with replacing(path) as file:
            file.write(self.html().encode())
        return path

    def _repr_html_(self) -> str:
        return displayed(lambda: frame(self.html(), repr(self)), self._text())

    def _text(self) -> str:
        """The steps as lines of text."""
        lines = [f"{i:3d}  {step.direction:8}  {step.op} {step.output[1]}" for i, step in enumerate(self, start=1)]
        return "\n".join([repr(self)[1:-1], *lines])


def _equations(op: Op) -> tuple[str, str]:
    """What the docstring of an op says about its value, and about its derivative."""
    text = re.sub(r"(?<=\S)\n(?=\S)", " ", inspect.cleandoc(op.__doc__ or ""))
    text = re.sub(r" ?\bRaises .*", "", text)
    text = re.sub(r"\bsection (3\.1\.\d)\b(?!')", lambda found: f'{found[0]} ("{SECTIONS[found[1]]}")', text)
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
    tiles = small_images(array, kind)
    count, rows, columns = tiles.shape
    of = array.size // math.prod(array.shape[-2:])
    note = "" if tiles.size == array.size else "a part of it" if count == of else f"the first {count} of {of} images"
    finite = np.isfinite(tiles)
    limit = float(np.abs(tiles[finite]).max(initial=0))
    shares = tiles / (limit or 1)  # equivalent: 1 -> 2 because 0 is divided by it
    bytes_ = np.where(finite, np.rint(128 + 127 * shares), 0).astype(np.uint8)
    text = base64.b64encode(bytes_.tobytes()).decode("ascii")
    return {"count": count, "rows": rows, "columns": columns, "limit": f"{limit:.3g}", "note": note, "bytes": text}


def small_images(array: np.ndarray, kind: str) -> np.ndarray:
    """At most TILES images (n, rows, columns) of an array, cut to ROWS rows and columns; moduli of complex entries."""
    if array.ndim == 4 and kind == "parameter" and array.shape[2] <= KERNEL:
        images = array.reshape(-1, *array.shape[2:])
    elif array.ndim > 2:
        images = array.reshape(-1, *array.shape[-3:])[0]
    else:
        images = np.atleast_2d(array)[np.newaxis]
    shown = images[:TILES, :ROWS, :ROWS]
    return (np.abs(shown) if np.iscomplexobj(shown) else shown).astype(np.float64)
