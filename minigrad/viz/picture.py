"""`graph`: the picture of what was computed, that shows itself in notebooks, files and terminals.

It reads the tape at once and keeps text only, so it neither holds a graph alive nor changes later.
"""

import html
import os
import tempfile
import webbrowser
from pathlib import Path

from .._tensor import Tensor
from .drawing import draw
from .engines import EngineMissingError, render, svg
from .folding import fold
from .listing import listing
from .reading import annotate, measure_gradients, read

FORMATS = ("svg", "png", "pdf", "dot")


def graph(y, *more, gradients=False, values=False, depth=None, max_nodes=100, names=None):
    """Draw the computational graph that led to y, and to more Tensors: one node an op, one edge a tensor.

    gradients: sweep back and put the norm of each gradient on its edge, and in each parameter. What
        is differentiated is the sum of all entries drawn as outputs (a scalar itself); the caption says so.
    values: show extremes and mean of each output in its node, not only in the tooltip.
    depth: draw each scope that lies deeper than this as one node (0: all of them).
    max_nodes: fold more where the picture would have more nodes; None never does.
    names: variables to name parameters and data by, as `names=locals()`.

    Nothing changes by it: no gradient, no random state, and the graph can still be swept.
    Raises TypeError for what is no Tensor, RuntimeError where nothing was recorded, or where
    gradients are wanted and backward() has released the graph.
    """
    roots = roots_of("graph", (y, *more))
    if max_nodes is not None and max_nodes < 3:
        raise ValueError(f"graph: max_nodes must be at least 3, not {max_nodes}")
    if depth is not None and depth < 0:
        raise ValueError(f"graph: depth must be at least 0, not {depth}")
    parts = read(roots, names)
    if gradients:
        measure_gradients(parts, roots)
    units, remark = fold(parts, depth, max_nodes)
    annotate(units, parts, values)
    remarks = [remark] if remark else []
    if gradients and (len(roots) > 1 or roots[0].output.size > 1):
        remarks.append("gradient of the sum of all entries of the outputs")
    return Graph(units, remarks, gradients)


def roots_of(caller, tensors):
    """The nodes of the Tensors; TypeError for what is none, RuntimeError where nothing was recorded."""
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{caller}: expected a Tensor, not {type(tensor).__name__}")
        if tensor.node is None:
            raise RuntimeError(f"{caller}: this Tensor needs no gradient: nothing was recorded for it")
    return list(dict.fromkeys(tensor.node for tensor in tensors))


class Graph:
    """A picture of a graph; made by `graph`.

    digraph: the graphviz.Digraph, to edit; source: its DOT. `save` writes a file, `view` opens one,
    `print` shows text, and a notebook shows it by itself.
    """

    def __init__(self, parts, remarks, gradients):
        self.parts = parts
        self.digraph = draw(parts, remarks, gradients)
        self._text = listing(parts, remarks)

    @property
    def source(self):
        """The DOT."""
        return self.digraph.source

    @property
    def title(self):
        """What the picture shows, in one line."""
        return self._text.splitlines()[0]

    def __str__(self):
        return self._text

    def __repr__(self):
        return f"<{self.title}>"

    def save(self, path):
        """Write the picture, in the format of the suffix: .svg, .png, .pdf or .dot; return the path.

        Raises ValueError for another suffix, and RuntimeError that says what to install where there
        is no Graphviz engine.
        """
        path = Path(path)
        format = path.suffix[1:].lower()
        if format not in FORMATS:
            raise ValueError(f"save: {str(path)!r} should end in {', '.join('.' + known for known in FORMATS)}")
        if format == "dot":
            content = self.source.encode()
        elif format == "svg":
            content = svg(self.digraph, self.title, style="").encode()  # CairoSVG draws nothing of height auto
        else:
            content = render(self.digraph, format)
        path.write_bytes(content)
        return path

    def view(self):
        """Open the picture with the web browser; return the path of the temporary file, which stays."""
        handle, path = tempfile.mkstemp(suffix=".svg", prefix="minigrad-")
        os.close(handle)
        path = self.save(path)
        webbrowser.open(path.as_uri())
        return path

    def _repr_html_(self):
        try:
            return svg(self.digraph, self.title)
        except EngineMissingError as error:
            reason = str(error)
        except Exception as error:  # a display must not raise, but says what went wrong
            reason = f"the picture could not be drawn: {error}"
        return f"<pre>{html.escape(self._text)}\n\n{html.escape(reason)}</pre>"
