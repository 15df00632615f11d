"""Drawing: the parts as DOT, in the look of one slide.

Labels are HTML tables in Courier and ASCII, which every Graphviz engine measures right.
Ids count the parts in order, so the same graph gives the same DOT.
"""

import math
from collections import Counter
from pathlib import Path

from .escaping import LONGEST, label, link, plain, tooltip, width
from .reading import Part, common

GREY, ORANGE, DARK_ORANGE, RED = "#6E7781", "#D55E00", "#B34700", "#B3261E"
TEXT_GREY = "#57606A"
LOOKS = {
    "op": {},
    "parameter": {"style": "filled", "fillcolor": "#E3F5EE", "color": "#009E73"},
    "data": {"style": "filled,dashed", "fillcolor": "#FFFFFF", "color": GREY},
    "constant": {"shape": "plaintext", "style": "", "margin": "0.05,0", "height": "0.2", "width": "0.2"},
    "mark": {"shape": "plaintext", "style": "", "margin": "0.05,0", "height": "0.2", "width": "0.2"},
    "fold": {"style": "filled", "shape": "box3d", "margin": "0.16,0.1", "fillcolor": "#F6F8FA", "color": TEXT_GREY},
}
QUIET = {"constant": TEXT_GREY, "mark": "#00664B"}  # one small line of text in this colour
OUTPUT = {"peripheries": "2", "fillcolor": "#F9EBF3", "color": "#A8517F"}
NOT_FINITE = {"color": RED, "fillcolor": "#FFEBE9", "penwidth": "2.4"}
BOX = {"style": "rounded,filled", "color": "#D0D7DE", "fillcolor": "#F6F8FA", "labeljust": "l", "labelloc": "t"}


def draw(parts, remarks=(), gradients=False):
    """The parts as a graphviz.Digraph. remarks: lines below the picture; gradients: explain the arrows there."""
    import graphviz  # loaded with the first picture

    picture = graphviz.Digraph("minigrad")
    picture.attr(rankdir="TB", nodesep="0.3", ranksep="0.3", pad="0.15", bgcolor="white", tooltip=" ", newrank="true")
    picture.attr(fontname="Courier", fontsize="9", fontcolor=TEXT_GREY)
    picture.attr(labelloc="b", label=_caption(remarks, gradients))
    picture.attr("node", fontname="Courier", fontsize="11", shape="box", style="rounded,filled", penwidth="1.2")
    picture.attr("node", height="0.3", margin="0.12,0.04", fillcolor="#EAF3FA", color="#0072B2")
    picture.attr("edge", fontname="Courier", fontsize="9", fontcolor=DARK_ORANGE, arrowsize="0.6", color=GREY)
    drawing = _Drawing(parts)
    drawing.put_nodes(picture)
    drawing.put_edges(picture)
    return picture


def _caption(remarks, gradients):
    rows = [_font(TEXT_GREY, remark) for remark in remarks]
    if gradients:
        rows.insert(0, _font(TEXT_GREY, "grey: value ") + _font(DARK_ORANGE, " orange: gradient norm"))
    return f"<{_table(rows, 4)}>" if rows else ""


def _font(color, text):
    ends = [" " * (text[0] == " "), " " * (text[-1] == " ")]
    return f'<FONT COLOR="{color}">{ends[0]}{label(text, 200)}{ends[1]}</FONT>'


class _Drawing:
    """Where each part stands and what its edges say."""

    def __init__(self, parts):
        self.parts = parts
        self.ids = {part: f"n{i}" for i, part in enumerate(parts, start=1)}
        self.uses = Counter(tensor for part in parts for _, tensor in part.sources)
        self.between = Counter((source, part) for part in parts for source, _ in part.sources)
        self.beside: dict[Part, str] = {}  # a leaf that stands beside its op -> "left" or "right"
        for part in _alone(parts):
            self.beside.update(zip(self._near(part), ("left", "right"), strict=False))
        self.pen = _pen([tensor.gradient for tensor in self.uses if tensor.gradient])

    def _near(self, part):
        """The leaves for the sides of an op: one left and one right, so that no edge passes a node.

        What the computation comes from stands above, and so does what several ops take.
        """
        sources = list(dict.fromkeys(source for source, _ in part.sources))
        flow = [source for source in sources if source.kind in ("op", "fold")]
        flow = flow or [source for source in sources if source.kind == "data"][:1]
        if not flow or part.kind == "fold":
            return []
        return [leaf for leaf in sources if leaf not in flow and (leaf.kind == "mark" or self.uses[leaf] == 1)]

    def put_nodes(self, picture):
        """Put the nodes into nested boxes, one box for each run of neighbours in a scope."""
        boxes, path, count = [picture], (), 0
        for part in self.parts:
            if part in self.beside:  # comes with its op
                continue
            shared = len(common([path, part.scope]))
            _close(boxes, shared + 1)
            for depth in range(shared, len(part.scope)):
                count += 1
                boxes.append(_box(count, part.scope[: depth + 1]))
            path = part.scope
            self._put_row(boxes[-1], part)
        _close(boxes, 1)

    def _put_row(self, picture, part):
        near = {self.beside[source]: source for source, _ in part.sources if source in self.beside}
        if not near:
            self._put_node(picture, part)
            return
        with picture.subgraph() as row:
            row.attr(rank="same")
            for each in (near.get("left"), part, near.get("right")):
                if each is not None:
                    self._put_node(row, each)

    def _put_node(self, picture, part):
        attributes = LOOKS[part.kind] | (OUTPUT if part.is_output else {}) | (NOT_FINITE if part.not_finite else {})
        text = [f"{part.kind} {part.title}", *([f"in {'/'.join(part.scope)}"] if part.scope else []), *part.notes]
        if part.where:
            text.append(f"{Path(part.where[0]).name}:{part.where[1]}")
            if url := link(part.where):
                attributes = attributes | {"URL": url, "target": "_blank"}
        picture.node(self.ids[part], label=self._label(part), tooltip=tooltip(text), **attributes)

    def _label(self, part):
        """The table in a node: title, shape, value, gradient norm and fault, one row each."""
        if part.kind in QUIET:
            return f"<{_rows([(part.heading, 9, QUIET[part.kind], '')] + _fault_rows(part))}>"
        rows = [(part.heading, 11, "#000000", "B")]
        if not (part.is_output and part.detail and part.size == 1):
            rows.append((str(part.shape), 9, TEXT_GREY, ""))
        rows += [(line, 9, "#000000", "") for line in part.detail.splitlines()]
        if part.gradient is not None and (part in self.beside or self.uses[part] > 1 or part.kind == "parameter"):
            rows.append((f"grad {part.gradient:.2g}", 9, DARK_ORANGE, ""))
        return f"<{_rows(rows + _fault_rows(part))}>"

    def put_edges(self, picture):
        """Put one edge for each tensor and use; two colours where a gradient flows back."""
        for part in self.parts:
            for source, tensor in part.sources:
                self._put_edge(picture, source, part, tensor)

    def _put_edge(self, picture, source, part, tensor):
        tail, head, side = self.ids[source], self.ids[part], self.beside.get(source)
        mirrored = side == "right"
        attributes = {"weight": "10" if source.kind in ("op", "fold") else "1"}
        attributes["tooltip"] = tooltip([f"{tensor.title} {tensor.shape}"])
        if source.kind in ("data", "constant", "mark"):
            attributes |= {"arrowsize": "0.4"} if source.kind in QUIET else {}
            attributes |= {"style": "dashed"} if source.kind != "mark" else {}
            attributes |= {"dir": "back"} if mirrored else {}
        elif tensor.gradient is not None:
            back = ORANGE if math.isfinite(tensor.gradient) else RED
            attributes |= {"dir": "both", "color": f"{back}:{GREY}" if mirrored else f"{GREY}:{back}"}
            attributes["penwidth"] = f"{self.pen(tensor.gradient):.2f}"
            attributes["tooltip"] = attributes["labeltooltip"] = tooltip(
                [f"{tensor.title} {tensor.shape}", f"gradient norm {tensor.gradient:.6g}"]
            )
            if side is None:
                is_in_node = tensor.kind == "parameter" or (self.uses[tensor] > 1 and source.kind != "fold")
                room = "  " if self.between[source, part] > 1 else ""  # else the next arrow runs over the label
                said = f"{room or ' '}{tensor.gradient:.2g}{room}"
                attributes["label"] = " " if is_in_node else said  # " ": as long an arrow, not two heads alone
                if back == RED:
                    attributes["fontcolor"] = RED
        elif mirrored:
            attributes["dir"] = "back"
        picture.edge(*((head, tail) if mirrored else (tail, head)), **attributes)


def _alone(parts):
    """The ops that no other op can stand level with, so that there is room at both sides.

    An op may stand from one below the lowest op that it takes to one above the highest that takes it.
    """
    ops = [part for part in parts if part.kind in ("op", "fold")]
    taken = {op: [source for source, _ in op.sources if source.kind in ("op", "fold")] for op in ops}
    above_end = dict.fromkeys(ops, 0)
    for op in reversed(ops):
        for source in taken[op]:
            above_end[source] = max(above_end[source], above_end[op] + 1)
    end = max(above_end.values(), default=0)
    high: dict[Part, int] = {}
    low = {op: end - above_end[op] for op in ops}
    for op in ops:
        high[op] = max((high[source] + 1 for source in taken[op]), default=low[op])
    levels = Counter(level for op in ops for level in range(high[op], low[op] + 1))
    return [op for op in ops if all(levels[level] == 1 for level in range(high[op], low[op] + 1))]


def _close(boxes, left):
    """Put each open box but the first `left` into the one around it."""
    while len(boxes) > left:
        inner = boxes.pop()
        boxes[-1].subgraph(inner)


def _box(count, path):
    import graphviz

    box = graphviz.Digraph(f"cluster_{count}")
    box.attr(label=f"<<B>{label(path[-1])}</B>>", tooltip=tooltip(["scope " + "/".join(path)]), **BOX)
    return box


def _fault_rows(part):
    return [(part.fault, 9, RED, "B")] if part.fault else []


def _rows(rows):
    cells = []
    for text, size, color, weight in rows:
        text = plain(text, LONGEST)
        content = f"<B>{label(text)}</B>" if weight else label(text)
        if (size, color) != (11, "#000000"):
            content = f'<FONT POINT-SIZE="{size}" COLOR="{color}">{content}</FONT>'
        cells.append(content if text.isascii() else (content, f' WIDTH="{width(text, size)}"'))
    return _table(cells, 1)


def _table(cells, padding):
    """One row a cell; a cell may be (content, attribute of its width) where the engine can't tell the width."""
    rows = [cell if isinstance(cell, tuple) else (cell, "") for cell in cells]
    body = "".join(f"<TR><TD{wide}>{content}</TD></TR>" for content, wide in rows)
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{padding}">{body}</TABLE>'


def _pen(norms):
    """The pen width of a gradient norm: 1 for the least to 2.4 for the greatest, by the logarithm."""
    finite = [math.log(norm) for norm in norms if math.isfinite(norm)]
    low, high = min(finite, default=0), max(finite, default=0)
    high = max(high, low + math.log(10))  # norms that are nearly equal should look it

    def width_of(norm):
        if norm == 0:
            return 0.8
        if not math.isfinite(norm):
            return 2.4
        return 1 + 1.4 * (math.log(norm) - low) / (high - low)

    return width_of
