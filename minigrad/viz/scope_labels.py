"""Labels of scopes that no edge crosses. Graphviz keeps nodes clear of them, but not edges.

A label is at the left of its box, at the right or in the middle; to move it changes nothing else of the layout.
"""

import itertools
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import Any

from .labels import width

SVG = "{http://www.w3.org/2000/svg}"
STEPS = 12  # points at which a curve is looked at

Point = tuple[float, float]


def clear(digraph: Any, drawn: str) -> Any:
    """The digraph with the labels moved that an edge crosses in the SVG `drawn`; itself if there is none."""
    groups = list(ElementTree.fromstring(drawn).iter(f"{SVG}g"))
    paths = [path for group in groups if group.get("class") == "edge" for path in group.iter(f"{SVG}path")]
    segments = [segment for path in paths for segment in itertools.pairwise(_points(path))]
    clusters = [group for group in groups if group.get("class") == "cluster"]
    sides = {cluster.findtext(f"{SVG}title"): _free_side(cluster, segments) for cluster in clusters}
    return _with_sides(digraph, {name: side for name, side in sides.items() if side})


def _with_sides(digraph: Any, sides: dict[str | None, str]) -> Any:
    """The digraph with the label of each cluster in `sides` at that side."""
    if not sides:
        return digraph
    changed = digraph.copy()
    cluster = None
    for i, line in enumerate(changed.body):
        if found := re.match(r"\s*subgraph (cluster_\d+) \{", line):
            cluster = found[1]
        elif cluster in sides and "labeljust=l" in line:  # the first line that has it is the cluster's own
            changed.body[i] = line.replace("labeljust=l", f"labeljust={sides.pop(cluster)}")
    return changed


def _free_side(cluster: ElementTree.Element, segments: list[tuple[Point, Point]]) -> str:
    """Where the label should move, "r" or "c", or "" if it can stay or if no place is free."""
    text, outline = cluster.find(f".//{SVG}text"), cluster.find(f".//{SVG}path")
    if text is None or outline is None:
        return ""
    size = float(text.get("font-size", "14"))
    x, y, length = float(text.get("x", "0")), float(text.get("y", "0")), width(text.text or "", size)
    xs = [px for px, _ in _points(outline)]
    margin = x - min(xs)
    top, bottom = y - size, y + size / 3
    # equivalent: _within(p, q -> _within(q, p because a segment has no direction
    crossings = [_within(p, q, top, bottom) for p, q in segments if not (p[1] < top > q[1] or p[1] > bottom < q[1])]
    lefts = {"": x, "r": max(xs) - margin - length, "c": (min(xs) + max(xs) - length) / 2}
    for side, left in lefts.items():
        # equivalent: low < -> low <=; 2 < high -> 2 <= high because at the very edge either will do
        if not any(low < left + length + 2 and left - 2 < high for low, high in crossings):
            return side
    return ""


def _within(p: Point, q: Point, top: float, bottom: float) -> Point:
    """The least and the greatest x of a segment between two heights."""
    (px, py), (qx, qy) = sorted((p, q), key=lambda point: point[1])
    # equivalent: 0.0 -> any number because it is not used then
    slope = (qx - px) / (qy - py) if qy > py else 0.0
    ends = (px + slope * (max(top, py) - py), px + slope * (min(bottom, qy) - py)) if qy > py else (px, qx)
    return min(ends), max(ends)


def _points(path: ElementTree.Element) -> Iterator[Point]:
    """Points on the cubic curves of a path as Graphviz writes it: Mx,yCx,y x,y x,y ..."""
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", path.get("d", ""))]
    corners = list(zip(numbers[::2], numbers[1::2], strict=False))
    # equivalent: - 3 -> - 2 because a path has three points for each curve, and one
    for i in range(0, len(corners) - 3, 3):
        a, b, c, d = corners[i : i + 4]
        for step in range(STEPS + 1):
            t = step / STEPS
            weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
            yield tuple(sum(w * p[k] for w, p in zip(weights, (a, b, c, d), strict=True)) for k in (0, 1))  # type: ignore[misc]
