"""`trace`: the sweep as a sequence of steps, for teaching, in one HTML file that needs nothing else.

First each op forward, then each op backward, with its equation, shapes, feature maps and gradients.
The page is plain HTML and a hundred lines of script: a slider and small images need no library.
"""

import base64
import html
import inspect
import json
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from .drawing import draw
from .engines import svg
from .folding import fold
from .picture import roots_of
from .reading import annotate, measure_gradients, read

MOST_OPS = 400  # steps that a slider can still tell apart
TILES, ROWS = 16, 64  # of a heat map: how many images, and how many of their rows and columns
KERNEL = 11  # rows of the largest parameter of four axes that is shown as kernels
DERIVATIVE = re.compile(r"\bd\S*/d|\bVJP|adjoint|Jacobian|slope")


@dataclass(frozen=True)
class Step:
    """One op, walked forward or backward.

    equation: what its docstring says of this direction; inputs, output: (name, shape) each
    """

    direction: str
    op: str
    equation: str
    inputs: tuple
    output: tuple


def trace(y, *, names=None):
    """Walk the graph that led to y: a `Walk`, whose `save("walk.html")` writes the page.

    names: as in `graph`. A y that is not a scalar is differentiated as the sum of its entries.
    Raises TypeError and RuntimeError as `graph` does, ValueError for too many ops to walk or none.
    """
    roots = roots_of("trace", (y,))
    parts = read(roots, names)
    count = sum(part.kind == "op" for part in parts)
    if count > MOST_OPS:
        raise ValueError(f"trace: {count:,} ops are too many to walk; it takes up to {MOST_OPS}")
    if not count:
        raise ValueError("trace: this Tensor is a leaf, so there is no op to walk")
    maps = {part: {"value": heat_map(part.array, part.kind)} for part in parts}

    def see(part, g):
        maps[part]["gradient"] = heat_map(g, part.kind)

    measure_gradients(parts, roots, see)
    documented = {part: _equations(part) for part in parts if part.kind == "op"}
    units, _ = fold(parts)
    annotate(units, parts)
    return Walk(units, maps, documented)


class Walk:
    """The steps of a sweep, as a sequence; made by `trace`. A notebook shows it by itself."""

    def __init__(self, parts, maps, equations):
        self._parts, self._maps = parts, maps
        ops = [part for part in parts if part.kind == "op"]
        self._walked = [("forward", part) for part in ops] + [("backward", part) for part in reversed(ops)]
        self.steps = [
            Step(
                direction,
                part.title,
                equations[part][direction == "backward"],
                tuple((tensor.title, tensor.shape) for _, tensor in part.sources),
                (part.title, part.shape),
            )
            for direction, part in self._walked
        ]

    def __len__(self):
        return len(self.steps)

    def __getitem__(self, index):
        return self.steps[index]

    def __repr__(self):
        return f"<walk of {len(self)} steps, forward and backward>"

    def html(self):
        """The page: self-contained, without any address to load from."""
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

    def save(self, path):
        """Write the page to a file that ends in .html; return its path. Raises as Graph.save does."""
        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"save: {str(path)!r} should end in .html")
        path.write_text(self.html(), encoding="utf-8")
        return path

    def _repr_html_(self):
        page = html.escape(self.html())
        return f'<iframe srcdoc="{page}" title="{self!r}" style="width:100%;height:720px;border:0"></iframe>'

    @staticmethod
    def _as_data(walked, step, ids):
        direction, part = walked
        tensors = list(dict.fromkeys(tensor for _, tensor in part.sources))
        return {
            "direction": direction,
            "node": ids[part],
            "title": step.op,
            "scope": "/".join(part.scope),
            "call": part.notes[0],
            "equation": step.equation,
            "inputs": [ids[tensor] for tensor in tensors],
            "sources": [ids[source] for source, _ in part.sources],
        }


def _tensor(part):
    norm = None if part.gradient is None else f"{part.gradient:.4g}"
    notes = [note for note in part.notes[part.kind == "op" :] if not note.startswith("gradient")]
    return {"name": part.heading, "kind": part.kind, "shape": str(part.shape), "notes": notes, "norm": norm}


def _equations(part):
    """What the docstring of an op says of the value, and of the derivative."""
    text = re.sub(r"(?<=\S)\n(?=\S)", " ", inspect.cleandoc(part.node.op.__doc__ or ""))
    text = re.sub(r" ?\bRaises .*", "", text)
    first, *rest = text.split("\n\n")
    heading, _, derivative = first.partition(": d")  # a table's row: "A = e**X: dA/dX = A."
    if not rest and derivative:
        return heading, f"d{derivative}"
    return first, "\n\n".join(paragraph for paragraph in rest if DERIVATIVE.search(paragraph)) or first


def heat_map(array, kind):
    """An array as small images, each entry a byte: 128 for 0, 1 and 255 for the extremes, 0 for not finite.

    Of a batch (N, C, H, W) the first item is shown, channel by channel; kernels are shown one by one.
    """
    if array is None or array.size < 2:
        return None
    tiles = _tiles(array, kind)
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


def _tiles(array, kind):
    """At most TILES images (n, rows, columns) of an array."""
    if array.ndim == 4 and kind == "parameter" and array.shape[-2] <= KERNEL:
        images = array.reshape(-1, *array.shape[2:])
    elif array.ndim > 2:
        images = array.reshape(-1, *array.shape[-3:])[0]
    else:
        images = array.reshape(1, -1, array.shape[-1])
    return np.asarray(images[:TILES, :ROWS, :ROWS], np.float64)
