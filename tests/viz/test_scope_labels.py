"""Where the label of a scope goes if an edge crosses it, in the coordinates of an SVG by Graphviz."""

import re
import xml.etree.ElementTree as ElementTree
from types import SimpleNamespace

import numpy as np
import pytest

import minigrad as mg
from minigrad.viz import render
from minigrad.viz.labels import width
from minigrad.viz.scope_labels import SVG, _free_side, _points, _within, clear


def line(x1, y1, x2, y2):
    """A path from one point to another as Graphviz writes it."""
    return f'<path d="M{x1},{y1}C{x1},{y1} {x2},{y2} {x2},{y2}"/>'


def cluster(left=0, right=300, text='<text x="8" y="20" font-size="9">heads</text>', outline=True):
    box = line(left, 0, right, 0) if outline else ""
    return ElementTree.fromstring(f'<g xmlns="{SVG[1:-1]}" class="cluster"><title>cluster_1</title>{box}{text}</g>')


LENGTH = width("heads", 9)  # the label is over x = 8 to 8 + LENGTH and y = 11 to 23
RIGHT, CENTRE = 300 - 8 - LENGTH, (300 - LENGTH) / 2


def vertical(*xs):
    return [((x, 0.0), (x, 100.0)) for x in xs]


@pytest.mark.parametrize(
    ("segments", "side"),
    [
        ([], ""),
        (vertical(20), "r"),
        (vertical(5.9), ""),
        (vertical(6.1), "r"),
        (vertical(10 + LENGTH - 0.1), "r"),
        (vertical(10 + LENGTH + 0.1), ""),
        (vertical(20, RIGHT + 5), "c"),
        (vertical(20, RIGHT - 1.9), "c"),
        (vertical(20, RIGHT - 2.1), "r"),
        (vertical(20, RIGHT + LENGTH + 1.9), "c"),
        (vertical(20, RIGHT + LENGTH + 2.1), "r"),
        (vertical(20, RIGHT + 5, CENTRE + 5), ""),  # no place is free
        (vertical(20, RIGHT + 5, CENTRE - 1.9), ""),
        (vertical(20, RIGHT + 5, CENTRE - 2.1), "c"),
        (vertical(20, RIGHT + 5, CENTRE + LENGTH + 2.1), "c"),
        ([((20, 0), (20, 10.9))], ""),  # above the label, and below it
        ([((20, 0), (20, 11.1))], "r"),
        ([((20, 11.1), (20, 0))], "r"),
        ([((20, 23.1), (20, 50))], ""),
        ([((20, 22.9), (20, 50))], "r"),
        ([((60, 0), (40, 15))], ""),
        ([((20, 0), (20, 11))], "r"),  # up to its edge
        ([((20, 11), (20, 0))], "r"),
        ([((20, 23), (20, 50))], "r"),
        ([((20, 50), (20, 23))], "r"),
        ([((20, 12), (20, 13))], "r"),
        ([((0, 15), (300, 15))], ""),  # a horizontal one crosses all places
        ([((0, 15), (60, 15))], "r"),
    ],
)
def test_a_label_moves_to_a_place_that_no_edge_crosses(segments, side):
    assert _free_side(cluster(), segments) == side
    moved = [tuple((x + 50, y) for x, y in segment) for segment in segments]
    text = '<text x="58" y="20" font-size="9">heads</text>'
    assert _free_side(cluster(50, 350, text), moved) == side


def test_what_has_no_label_or_no_box_stays():
    assert _free_side(cluster(text=""), vertical(20)) == ""
    assert _free_side(cluster(outline=False), vertical(20)) == ""
    assert _free_side(cluster(text='<text x="8" y="20">heads</text>'), [((20, 24), (20, 50))]) == "r"
    assert _free_side(cluster(text='<text x="8" y="20" font-size="9"/>'), vertical(20)) == ""
    assert _free_side(cluster(text='<text x="8" y="20">heads</text>'), vertical(8 + width("heads", 14))) == "r"


def test_the_part_of_a_segment_between_two_heights():
    assert _within((0, 0), (100, 100), 20, 30) == (20, 30)
    assert _within((100, 100), (0, 0), 20, 30) == (20, 30)
    assert _within((100, 0), (0, 100), 20, 30) == (70, 80)
    assert _within((10, 22), (20, 42), 20, 30) == (10, 14)
    assert _within((10, 10), (20, 25), 20, 30) == (pytest.approx(10 + 20 / 3), 20)
    assert _within((20, 25), (10, 25), 20, 30) == (10, 20)


def test_points_lie_on_the_curves_of_a_path():
    path = ElementTree.fromstring('<path d="M0,0C0,0 30,-6 30,-6 30,-6 30,10 40.5,10"/>')
    points = [*_points(path)]
    assert len(points) == 26
    assert (points[0], points[12], points[13], points[25]) == ((0, 0), (30, -6), (30, -6), (40.5, 10))
    assert points[6] == (15, -3)
    assert points[3] == (pytest.approx(30 * (3 * 0.0625 * 0.75 + 0.25**3)), pytest.approx(-6 * (0.140625 + 0.015625)))
    assert [*_points(ElementTree.fromstring("<path/>"))] == []
    quarter = [*_points(ElementTree.fromstring('<path d="M4,0C3,6 9,-3 30,6"/>'))][3]
    weights = np.array([27, 27, 9, 1]) / 64
    assert quarter == pytest.approx((weights @ [4, 3, 9, 30], weights @ [0, 6, -3, 6]))


def test_only_edges_count_and_only_the_crossed_label_moves():
    body = [
        "\tsubgraph cluster_1 {\n", "\t\tlabel=a labeljust=l\n", "\t\tsubgraph cluster_2 {\n",
        "\t\t\trank=same\n", "\t\t\tlabel=b labeljust=l\n", "\t\t\tn1 [x=labeljust=l]\n", "\t\t}\n", "\t}\n",
    ]  # fmt: skip
    digraph = SimpleNamespace(body=body, copy=lambda: SimpleNamespace(body=[*body]))
    boxes = ElementTree.tostring(cluster(), encoding="unicode")
    other = boxes.replace("cluster_1", "cluster_2").replace('y="20"', 'y="220"')

    def drawn(kind):
        return f'<svg xmlns="{SVG[1:-1]}">{boxes}{other}<g class="{kind}">{line(20, 200, 20, 300)}</g></svg>'

    assert clear(digraph, drawn("node")) is digraph
    moved = clear(digraph, drawn("edge"))
    assert moved.body == [*body[:4], "\t\t\tlabel=b labeljust=r\n", *body[5:]]
    assert digraph.body[4] == "\t\t\tlabel=b labeljust=l\n"


def test_the_label_of_a_drawn_scope_is_clear_of_its_edges():
    h = mg.tanh(mg.tensor([1.0, 2.0], requires_grad=True, name="x") * mg.tensor([3.0, -1.0], requires_grad=True))
    with mg.scope("heads"):
        graph = mg.graph((h * h).sum(), mg.exp(h * 3.0).mean(), gradients=True).digraph
    moved = clear(graph, render._run_engine(graph, "svg").decode())
    assert re.findall("labeljust=.", moved.source) != re.findall("labeljust=.", graph.source)
    assert clear(moved, render._run_engine(moved, "svg").decode()) is moved
