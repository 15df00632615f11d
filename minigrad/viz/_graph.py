"""`graph`: the picture of what was computed, for notebooks, files and terminals.

It reads the tape once and keeps text only, so it keeps no graph alive and never changes.
"""

import html
import os
import tempfile
import webbrowser
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .._tensor import Tensor
from ..errors import named
from ..serialization import path_of, replacing
from .dot import draw
from .explorer import frame, page, page_data
from .facts import measured
from .folding import fold
from .gradients import measure_gradients
from .page import Page, Way
from .parts import Part, drop_arrays, read_tape
from .render import EngineMissingError, render, svg
from .statistics import annotate, totals
from .text import as_text, heading

FORMATS = ("html", "svg", "png", "pdf", "dot")


@named
def graph(
    y: Tensor,
    *more: Tensor,
    gradients: bool = False,
    values: bool = False,
    settings: bool = False,
    depth: int | None = None,
    max_nodes: int | None = 100,
    direction: str | None = None,
    width: float | None = None,
    height: float | None = None,
    names: Mapping[str, Any] | None = None,
) -> "Graph":
    """Draw the computational graph that led to y, and to more Tensors: one node an op, one edge a tensor.

    >>> x = mg.tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> print(mg.graph((x * x).sum(), gradients=True))
    computational graph: 2 nodes, 1 parameter
    x [parameter]      (2,)  gradient norm 4.5
    #1 multiply(x, x)  (2,)  gradient norm 1.4
    #2 sum(#1)         ()    value 5  gradient norm 1

    gradients: sweep back once and show the norm of each gradient on its edge, and in each parameter.
        What is differentiated is the sum of all entries drawn as outputs (a scalar itself); the caption says so.
    values: show values in the nodes, not only in the tooltips: all entries of a small array, least, mean and
        greatest entry of a larger one.
    settings: show in each node how its op was called, as stride and axis.
    depth: draw each scope that is deeper than this as one node (0: all of them).
    max_nodes: fold more where the picture would have more nodes; None never does.
    direction: "TB", from top to bottom, which is the default, or "LR", from left to right.
    width, height: the size of a page, in inches. Folding, and the direction if none is given, are chosen so that
        the picture fits with text that can still be read; it is scaled down if need be.
    names: variables to name parameters and data by, as `names=locals()`.

    Nothing is changed by it: no gradient, no random state, and `backward()` still works.
    Raises TypeError if an argument is not a Tensor, ValueError for an option that can't be, RuntimeError if nothing
    was recorded for a Tensor, or if gradients are wanted and backward() has released the graph.
    """
    roots = nodes_of("graph", (y, *more))
    check_options("graph", depth, max_nodes, names)
    if direction not in (None, "TB", "LR"):
        raise ValueError(f"graph: direction must be 'TB' or 'LR', not {direction!r}")
    paper = Page.of(width, height)
    parts = read_tape(roots, names)
    if gradients:
        measure_gradients(parts, roots, measured)
    said = ["gradient of the sum of all entries of the outputs"] if gradients and _is_sum(roots) else []
    known = page_data(parts, depth, max_nodes)
    annotated: set[Part] = set()

    def picture(way: Way) -> Graph:
        drawn, remark = fold(parts, way.depth, way.max_nodes, way.repeats)
        annotate([part for part in drawn if part not in annotated], values, settings)
        annotated.update(drawn)
        remarks = [remark] * bool(remark) + said
        return Graph(drawn, remarks, gradients, totals(parts), way.direction, paper.size, known)

    ways = paper.ways(parts, depth, max_nodes, direction)
    chosen = paper.first_that_fits(picture(way) for way in ways)
    drop_arrays(parts, chosen.parts)
    return chosen


def check_options(caller: str, depth: int | None, max_nodes: int | None, names: Mapping[str, Any] | None) -> None:
    """Raise ValueError or TypeError for options that can't be."""
    if max_nodes is not None and max_nodes < 3:
        raise ValueError(f"{caller}: max_nodes must be at least 3, not {max_nodes}")
    if names is not None and not isinstance(names, Mapping):
        raise TypeError(f"{caller}: names must be a dict of Tensors by name, not {type(names).__name__}")
    if depth is not None and depth < 0:
        raise ValueError(f"{caller}: depth must be at least 0, not {depth}")


def _is_sum(roots: list[Any]) -> bool:
    return len(roots) > 1 or roots[0].output.size > 1


def nodes_of(caller: str, tensors: Iterable[Tensor]) -> list[Any]:
    """The nodes of the Tensors; TypeError for anything else, RuntimeError where nothing was recorded."""
    nodes = []
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{caller}: expected a Tensor, not {type(tensor).__name__}")
        if tensor.node is None:
            raise RuntimeError(f"{caller}: this Tensor needs no gradient: nothing was recorded for it")
        nodes.append(tensor.node)
    return list(dict.fromkeys(nodes))


class Graph:
    """The picture of a graph, made by `graph`.

    digraph: the graphviz.Digraph, to edit; source: its DOT. `save` writes a file, `view` opens one,
    `print` shows text, and a notebook displays the picture.

    >>> x = mg.tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> picture = mg.graph((x * x).sum())
    >>> picture
    <computational graph: 2 nodes, 1 parameter>
    >>> picture.source.splitlines()[0]
    'digraph minigrad {'
    """

    def __init__(
        self,
        parts: Sequence[Part],
        remarks: Sequence[str],
        gradients: bool,
        totals: Sequence[str],
        direction: str,
        size: str | None,
        known: Mapping[str, Any],
    ):
        self.parts = parts
        self.digraph = draw(parts, [*totals, *remarks], gradients, direction)
        if size is not None:
            self.digraph.attr(size=size)
        self.title = heading(parts)
        self._text = as_text(parts, remarks)
        self._data = {
            "title": "computational graph", "caption": list(totals), "gradients": gradients, "direction": direction,
            **known,
        }  # fmt: skip

    @property
    def source(self) -> str:
        """The picture in DOT, Graphviz's language."""
        return self.digraph.source

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"<{self.title}>"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture, in the format of the suffix: .html, .svg, .png, .pdf or .dot; return the path.

        .html is a page to explore: zoom, search, fold, click for all that is known of a node. It needs no Graphviz.
        Raises ValueError for another suffix, and RuntimeError if no Graphviz engine is installed.
        """
        path = path_of("save", path)
        format = path.suffix[1:].lower()
        if format not in FORMATS:
            raise ValueError(f"save: {str(path)!r} should end in {', '.join('.' + known for known in FORMATS)}")
        if format == "html":
            content = self.html().encode()
        elif format == "dot":
            content = self.source.encode()
        elif format == "svg":
            content = self._svg_file()
        else:
            content = render(self.digraph, format)
        with replacing(path) as file:
            file.write(content)
        return path

    def html(self) -> str:
        """The page to explore the graph, which loads nothing from elsewhere."""
        return page(self._data)

    def svg(self) -> str:
        """The picture as an <svg> element with tooltips, for a page of your own.

        Raises RuntimeError if no Graphviz engine is installed.
        """
        return svg(self.digraph, self.title)

    def view(self) -> Path:
        """Open the picture with the web browser; return the path of the temporary file, which is not deleted."""
        content = self._svg_file()
        handle, name = tempfile.mkstemp(suffix=".svg", prefix="minigrad-")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        path = Path(name)
        webbrowser.open(path.as_uri())
        return path

    def _svg_file(self) -> bytes:
        return svg(self.digraph, self.title, style="").encode()  # CairoSVG draws nothing if the height is auto

    def _repr_html_(self) -> str:
        return displayed(lambda: frame(self.html(), self.title), self._text)


def displayed(draw: Callable[[], str], text: str) -> str:
    """The HTML that `draw` makes; if it can't, `text` and the reason, since a display must not raise."""
    try:
        return draw()
    except EngineMissingError as error:
        reason = str(error)
    except Exception as error:
        reason = f"the picture could not be drawn: {error}"
    return f"<pre>{html.escape(text)}\n\n{html.escape(reason)}</pre>"
