"""The parts as DOT: nodes, boxes of scopes, edges, and their style.

Labels are HTML tables in Courier and ASCII, which every Graphviz engine measures right.
Ids count the parts in order, so the same graph gives the same DOT.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ..settings import BACKWARD
from .folding import together
from .labels import LONGEST, label, link, plain, tooltip, width
from .parts import Part, common

GREY, ORANGE, DARK_ORANGE, RED = "#6E7781", "#D55E00", "#B34700", "#B3261E"
TEXT_GREY = "#57606A"
LOOKS = {
    "op": {},
    "parameter": {"style": "filled", "fillcolor": "#E3F5EE", "color": "#009E73"},
    "data": {"style": "filled,dashed", "fillcolor": "#FFFFFF", "color": GREY},
    "constant": {"shape": "plaintext", "style": "", "margin": "0.05,0", "height": "0.2", "width": "0.2"},
    "mark": {"shape": "plaintext", "style": "", "margin": "0.05,0", "height": "0.2", "width": "0.2"},
    "leaves": {"style": "filled", "shape": "box3d", "margin": "0.16,0.1", "fillcolor": "#E3F5EE", "color": "#009E73"},
    "fold": {"style": "filled", "shape": "box3d", "margin": "0.16,0.1", "fillcolor": "#F6F8FA", "color": TEXT_GREY},
}
SMALL, LARGE = 9, 11  # points of text
ZERO, THIN, THICK = 0.8, 1, 2.4  # pen widths of the norms of gradients: of 0, the least and the greatest
DECADE = math.log(10)
PARALLEL = 6  # edges between two nodes; more are drawn as one
QUIET = {"constant": TEXT_GREY, "mark": "#00664B"}  # one small line of text in this colour
ARROWS = {  # on which no gradient flows back
    "data": {"style": "dashed"},
    "constant": {"arrowsize": "0.4", "style": "dashed"},
    "mark": {"arrowsize": "0.4"},
}
BACKWARD_LOOK = {"fillcolor": "#FDF3E4", "color": "#B06F00"}  # of what a VJP recorded
OUTPUT = {"peripheries": "2", "fillcolor": "#F9EBF3", "color": "#A8517F"}
NOT_FINITE = {"color": RED, "fillcolor": "#FFEBE9", "penwidth": "2.4"}
BOX = {"style": "rounded,filled", "color": "#D0D7DE", "fillcolor": "#F6F8FA", "labeljust": "l", "labelloc": "t"}


def draw(parts: Sequence[Part], remarks: Sequence[str] = (), gradients: bool = False, direction: str = "TB") -> Any:
    """The parts as a graphviz.Digraph. remarks: lines of the caption; gradients: explain the arrows there."""
    import graphviz  # only now, so that importing minigrad stays quick

    picture = graphviz.Digraph("minigrad")
    picture.attr(
        rankdir=direction, nodesep="0.3", ranksep="0.3", pad="0.15", bgcolor="white", tooltip=" ", newrank="true"
    )
    picture.attr(fontname="Courier", fontsize="9", fontcolor=TEXT_GREY)
    picture.attr(labelloc="b", label=_caption(remarks, gradients))
    picture.attr("node", fontname="Courier", fontsize="11", shape="box", style="rounded,filled", penwidth="1.2")
    picture.attr("node", height="0.3", margin="0.12,0.04", fillcolor="#EAF3FA", color="#0072B2")
    picture.attr("edge", fontname="Courier", fontsize="9", fontcolor=DARK_ORANGE, arrowsize="0.6", color=GREY)
    drawing = _Drawing(parts)
    drawing.put_nodes(picture)
    drawing.put_edges(picture)
    drawing.put_order(picture)
    return picture


def _caption(remarks: Iterable[str], gradients: bool) -> str:
    rows = [_font(TEXT_GREY, remark) for remark in remarks]
    if gradients:
        rows.insert(0, _font(TEXT_GREY, "grey: value ") + _font(DARK_ORANGE, " orange: gradient norm"))
    return f"<{_table(rows, 4)}>" if rows else ""


def _font(color: str, text: str) -> str:
    ends = [" " * (text[0] == " "), " " * (text[-1] == " ")]
    return f'<FONT COLOR="{color}">{ends[0]}{label(text, 200)}{ends[1]}</FONT>'


class _Drawing:
    """Where each part is drawn, and how its edges look."""

    def __init__(self, parts: Sequence[Part]):
        self.parts = parts
        self.ids = {part: f"n{i}" for i, part in enumerate(parts, start=1)}
        self.uses = Counter(tensor for part in parts for _, tensor in part.inputs)
        self.edges = Counter((drawn, part) for part in parts for drawn, _ in part.inputs)
        self.side: dict[Part, str] = {}  # a leaf that is drawn beside its op -> "left" or "right"
        for part in _alone_on_their_levels(parts):
            self.side.update(zip(self._leaves_for_sides(part), ("left", "right"), strict=False))
        self.box: dict[Part, int] = {}  # the innermost box that a part is in
        self.pen = _pen(_norms(parts))

    def _leaves_for_sides(self, part: Part) -> list[Part]:
        """The leaves to draw beside an op, at most one on each side, so that no edge crosses a node.

        Inputs from which the computation flows are drawn above, and so are leaves that several ops take.
        """
        drawn = list(dict.fromkeys(drawn for drawn, _ in part.inputs))
        above = _flow(drawn)
        beside = [leaf for leaf in drawn if leaf not in above and (leaf.kind == "mark" or self.uses[leaf] == 1)]
        if not above or part.kind == "fold":
            return [leaf for leaf in beside if leaf.kind == "mark"]
        return beside

    def put_nodes(self, picture: Any) -> None:
        """Put the nodes into nested boxes: one box for each run of neighbours in a scope."""
        boxes, count = [picture], 0
        path: tuple = ()
        numbers: dict[int, int] = {}  # of the open boxes, by depth
        for part in self.parts:
            if part in self.side:  # comes with its op
                continue
            shared = len(common([path, part.scope]))
            _close_boxes(boxes, shared + 1)
            for depth in range(shared, len(part.scope)):
                count += 1
                numbers[depth + 1] = count
                boxes.append(_box(count, part.scope[: depth + 1]))
            path = part.scope
            if path:
                self.box[part] = numbers[len(path)]
            self._put_row(boxes[-1], part)
        _close_boxes(boxes, 1)

    def _put_row(self, picture: Any, part: Part) -> None:
        """Put an op and the leaves at its sides on one level."""
        beside = {self.side[drawn]: drawn for drawn, _ in part.inputs if drawn in self.side}
        if not beside:
            self._put_node(picture, part)
            return
        with picture.subgraph() as row:
            row.attr(rank="same")
            for each in (beside.get("left"), part, beside.get("right")):
                if each is not None:
                    self._put_node(row, each)

    def _put_node(self, picture: Any, part: Part) -> None:
        is_faulty = part.not_finite or bool(part.fault)
        is_backward = part.kind == "fold" and part.title.startswith(BACKWARD)
        attributes = dict(LOOKS[part.kind])
        for applies, look in ((is_backward, BACKWARD_LOOK), (part.is_output, OUTPUT), (is_faulty, NOT_FINITE)):
            attributes |= look if applies else {}
        text = [f"{part.kind} {part.title}", *([f"in {'/'.join(part.scope)}"] if part.scope else []), *part.notes]
        if part.line:
            text.append(f"{Path(part.line[0]).name}:{part.line[1]}")
            if url := link(part.line):
                attributes = attributes | {"URL": url, "target": "_blank"}
        picture.node(self.ids[part], label=self._label(part), tooltip=tooltip(text), **attributes)

    def _label(self, part: Part) -> str:
        """The table in a node: title, shape, value, gradient norm and fault, one row each."""
        if part.kind in QUIET:
            return f"<{_rows([(part.heading, SMALL, QUIET[part.kind], '')] + _fault_rows(part))}>"
        rows = [(part.heading, LARGE, "#000000", "B")]
        if not (part.is_output and part.detail and part.size == 1):
            rows.append((str(part.shape), SMALL, TEXT_GREY, ""))
        rows += [(line, SMALL, "#000000", "") for line in part.detail.splitlines()]
        if part.gradient is not None and (self.uses[part] > 1 or part.kind == "parameter"):
            rows.append((f"grad {part.gradient:.2g}", SMALL, DARK_ORANGE if math.isfinite(part.gradient) else RED, ""))
        return f"<{_rows(rows + _fault_rows(part))}>"

    def put_edges(self, picture: Any) -> None:
        """Put one edge for each tensor and use, in two colours where a gradient flows back."""
        for part in self.parts:
            done = set()  # what has one edge for all its tensors
            for i, (drawn, tensor) in enumerate(part.inputs):
                if drawn in done:
                    continue
                branch = part.branches.get(part.positions[i]) if part.kind == "op" else None
                if drawn.kind == "mark" or self.edges[drawn, part] > PARALLEL:
                    done.add(drawn)
                if drawn in done and drawn.kind != "mark":
                    tensors = [tensor for each, tensor in part.inputs if each is drawn]
                    tensor, branch = together("leaves", tensors), None
                self._put_edge(picture, drawn, part, tensor, branch)

    def put_order(self, picture: Any) -> None:
        """Put the leaves of a box below the op that feeds it, so that boxes are stacked and not a staircase."""
        feeder: dict[int, Part] = {}
        for part in self.parts:
            for drawn, _ in part.inputs:
                if part in self.box and drawn.is_computed and self.box.get(drawn) != self.box[part]:
                    feeder[self.box[part]] = drawn
        for leaf in self.parts:
            if not leaf.is_computed and self.box.get(leaf) in feeder:
                picture.edge(self.ids[feeder[self.box[leaf]]], self.ids[leaf], style="invis", weight="20")

    def _put_edge(self, picture: Any, drawn: Part, part: Part, tensor: Part, branch: float | None) -> None:
        """Put one edge. branch: the norm of what it contributes to the gradient of a tensor of several uses."""
        ends = self.ids[drawn], self.ids[part]
        is_reversed = self.side.get(drawn) == "right"  # Graphviz orders a row by its edges
        attributes = {"weight": "10" if drawn.is_computed else "1"}
        attributes["tooltip"] = tooltip([f"{tensor.title} {tensor.shape}"])
        attributes |= ARROWS.get(drawn.kind, {})
        if drawn.kind in ARROWS:
            attributes |= {"dir": "back"} if is_reversed else {}
        elif tensor.gradient is not None:
            gradient = tensor.gradient if branch is None else branch
            attributes |= self._two_arrows(tensor, gradient, is_reversed)
            if drawn not in self.side:
                is_in_node = (
                    tensor.kind == "parameter" if self.uses[tensor] == 1 else drawn.kind not in ("fold", "leaves")
                )
                attributes |= self._edge_label(gradient, self.edges[drawn, part], branch is None and is_in_node)
        elif is_reversed:
            attributes["dir"] = "back"
        picture.edge(*(ends[::-1] if is_reversed else ends), **attributes)

    def _two_arrows(self, tensor: Part, gradient: float, is_reversed: bool) -> dict[str, str]:
        """The style of an edge on which a gradient flows back."""
        back = ORANGE if math.isfinite(gradient) else RED
        lines = [f"{tensor.title} {tensor.shape}", f"gradient norm {gradient:.6g}"]
        if gradient != tensor.gradient:
            lines.append(f"of the sum over all uses {tensor.gradient:.6g}")
        return {
            "dir": "both",
            "color": f"{back}:{GREY}" if is_reversed else f"{GREY}:{back}",
            "penwidth": f"{self.pen(gradient):.2f}",
            "tooltip": tooltip(lines),
            "labeltooltip": tooltip(lines),
        }

    @staticmethod
    def _edge_label(gradient: float, edges: int, is_in_node: bool) -> dict[str, str]:
        """The norm beside an edge; a blank, which keeps the edge as long, if the norm is in the node."""
        room = "  " if edges > 1 else ""  # else the next arrow crosses the label
        text = " " if is_in_node else f"{room or ' '}{gradient:.2g}{room}"
        return {"label": text} | ({} if math.isfinite(gradient) else {"fontcolor": RED})


def _norms(parts: Sequence[Part]) -> list[float]:
    """All norms of gradients on edges, but 0."""
    norms = [tensor.gradient for part in parts for _, tensor in part.inputs]
    norms += [norm for part in parts for norm in part.branches.values()]
    return [norm for norm in norms if norm]


def _flow(inputs: Sequence[Part]) -> list[Part]:
    """The inputs from which the computation flows: what was computed, else the first data."""
    return [part for part in inputs if part.is_computed] or [part for part in inputs if part.kind == "data"][:1]


def _alone_on_their_levels(parts: Iterable[Part]) -> list[Part]:
    """The ops that no other op can be level with, so that there is room at both sides.

    An op may be on any level from one below the lowest of its inputs to one above the highest op that takes it.
    """
    ops = [part for part in parts if part.is_computed]
    levels = _possible_levels(ops, {op: [drawn for drawn, _ in op.inputs if drawn.is_computed] for op in ops})
    counts = Counter(level for op in ops for level in levels[op])
    return [op for op in ops if all(counts[level] == 1 for level in levels[op])]


def _possible_levels(ops: Sequence[Part], taken: dict[Part, list[Part]]) -> dict[Part, range]:
    """The levels, counted from the top, that each op can be on, given the ops that it takes."""
    to_end = dict.fromkeys(ops, 0)  # equivalent: 0 -> any number because only differences count
    for op in reversed(ops):
        for drawn in taken[op]:
            to_end[drawn] = max(to_end[drawn], to_end[op] + 1)
    end = max(to_end.values(), default=0)  # equivalent: 0 -> any number because without ops there are no levels
    highest: dict[Part, int] = {}
    for op in ops:
        highest[op] = max((highest[drawn] + 1 for drawn in taken[op]), default=end - to_end[op])
    return {op: range(highest[op], end - to_end[op] + 1) for op in ops}


def _close_boxes(boxes: list[Any], left: int) -> None:
    """Put each open box but the first `left` into the one around it."""
    while len(boxes) > left:
        inner = boxes.pop()
        boxes[-1].subgraph(inner)


def _box(count: int, path: tuple) -> Any:
    import graphviz

    box = graphviz.Digraph(f"cluster_{count}")
    box.attr(label=f"<<B>{label(path[-1])}</B>>", tooltip=tooltip(["scope " + "/".join(path)]), **BOX)
    return box


def _fault_rows(part: Part) -> list[tuple[str, int, str, str]]:
    """The fault; the line of the program is in a row of its own, and so is the second half of a long sentence."""
    text = part.fault.replace(" (", "\n(")
    if any(len(row) > LONGEST for row in text.splitlines()):
        text = text.replace(" gave ", "\ngave ")
    return [(row, SMALL, RED, "B") for row in text.splitlines()]


def _rows(rows: Iterable[tuple[str, int, str, str]]) -> str:
    """A table of rows (text, font size, colour, "B" for bold)."""
    cells: list[str | tuple[str, str]] = []
    for text, size, color, weight in rows:
        text = plain(text, LONGEST)
        content = f"<B>{label(text)}</B>" if weight else label(text)
        if (size, color) != (LARGE, "#000000"):
            content = f'<FONT POINT-SIZE="{size}" COLOR="{color}">{content}</FONT>'
        cells.append(content if text.isascii() else (content, f' WIDTH="{width(text, size)}"'))
    return _table(cells, 1)


def _table(cells: Iterable[str | tuple[str, str]], padding: int) -> str:
    """One row for each cell: its content, or (content, width attribute) where Graphviz can't measure the width."""
    rows = [cell if isinstance(cell, tuple) else (cell, "") for cell in cells]
    body = "".join(f"<TR><TD{wide}>{content}</TD></TR>" for content, wide in rows)
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{padding}">{body}</TABLE>'


def _pen(norms: Iterable[float]) -> Callable[[float], float]:
    """The pen width of a gradient norm: THIN for the least to THICK for the greatest, on a logarithmic scale."""
    logs = [math.log(norm) for norm in norms if math.isfinite(norm)]
    low, high = min(logs, default=math.nan), max(logs, default=math.nan)
    high = max(high, low + DECADE)  # nearly equal norms look nearly equal

    def width_of(norm: float) -> float:
        if norm == 0:
            return ZERO
        share = (math.log(norm) - low) / (high - low) if math.isfinite(norm) else 1.0
        return THIN + share * (THICK - THIN)

    return width_of
