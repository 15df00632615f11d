"""How a graph is fitted to a page, and the files that the engine makes."""

import os
import re
import struct
from types import SimpleNamespace

import numpy as np
import pytest

import minigrad as mg
from minigrad.viz import render
from minigrad.viz.page import SMALLEST, Page, Way
from minigrad.viz.parts import read_tape


def parts_of(y):
    return read_tape([y.node])


def test_a_page_without_limits_has_one_way():
    page = Page.of(None, None)
    assert not page.is_limited
    assert page.size is None
    assert [*page.ways([], 2, 50, None)] == [Way(2, 50, False, "TB")]
    assert [*page.ways([], None, None, "LR")] == [Way(None, None, False, "LR")]


def test_the_size_of_a_page():
    assert Page.of(0.5, None).size == "0.5,1000"
    assert Page.of(None, 6.5).size == "1000,6.5"
    assert Page.of(3, 2) == (3, 2)
    with pytest.raises(ValueError, match="width must be a positive number of inches, not 0"):
        Page.of(0, 1)


def test_the_ways_show_less_and_less(programs):
    parts = parts_of(programs["residual"]())  # 13 ops in scopes of two levels
    ways = [*Page.of(3, 3).ways(parts, None, 100, None)]
    assert [way.direction for way in ways] == ["TB", "LR"] * 8
    plain = [(depth, 100, False) for depth in (None, 1, 0)]
    assert [way[:3] for way in ways[::2]] == plain + [(0, most, True) for most in (100, 60, 40, 24, 12)]
    ways = [*Page.of(3, 3).ways(parts, 1, 100, "LR")]
    assert [way[:3] for way in ways] == [(1, 100, False)] + [(1, most, True) for most in (100, 60, 40, 24, 12)]
    assert {way.direction for way in ways} == {"LR"}


@pytest.mark.parametrize(
    ("name", "largest", "depths"),
    [("residual", 13, [None, 1, 0]), ("residual", 12, [1, 0]), ("square", 2, [None]), ("square", 1, [0])],
)
def test_a_large_graph_is_not_tried_unfolded(programs, monkeypatch, name, largest, depths):
    monkeypatch.setattr("minigrad.viz.page.LARGEST", largest)
    ways = [*Page.of(3, 3).ways(parts_of(programs[name]()), None, 100, "TB")]
    assert [way.depth for way in ways if not way.repeats] == depths


def test_a_leaf_alone_is_not_folded():
    ways = [*Page.of(3, 3).ways(parts_of(mg.tensor(1.0, requires_grad=True)), None, 100, "TB")]
    assert [way.depth for way in ways if not way.repeats] == [None]


def test_the_first_picture_that_fits(monkeypatch):
    def picture(layout):
        return SimpleNamespace(digraph=layout)

    monkeypatch.setattr("minigrad.viz.page.render", lambda layout, format: b"graph 1 %b\nnode 9 9\n" % layout)
    page = Page(4 * SMALLEST, 2 * SMALLEST)
    wide, high, fitting = picture(b"4.01 2"), picture(b"4 2.01"), picture(b"4 2")
    assert page.first_that_fits([wide, high, fitting, picture(b"1 1")]) is fitting
    assert page.first_that_fits([wide, high]) is high
    monkeypatch.setattr("minigrad.viz.page.render", None)
    assert Page.of(None, None).first_that_fits([wide, fitting]) is wide

    def none(layout, format):
        raise render.EngineMissingError

    monkeypatch.setattr("minigrad.viz.page.render", none)
    assert page.first_that_fits([wide, fitting]) is wide


def test_a_png_has_144_dots_per_inch(programs, tmp_path):
    graph = mg.graph(programs["square"]())
    source = graph.source
    points = [float(n) for n in re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', graph.svg()).groups()]
    width, height = struct.unpack(">II", graph.save(tmp_path / "g.png").read_bytes()[16:24])
    assert (width, height) == (pytest.approx(2 * points[0], abs=3), pytest.approx(2 * points[1], abs=3))
    assert graph.source == source
    assert b"dpi" not in render.render(graph.digraph, "dot")


def test_what_the_engine_gives_is_the_picture():
    drawn = SimpleNamespace(source="digraph {}", pipe=lambda format, engine: f"{format} by {engine}".encode())
    assert render.render(drawn, "pdf") == b"pdf by dot"


def test_the_parts_of_an_svg_have_their_ids(programs):
    with mg.debug():
        y = programs["cnn"]()
    drawn = mg.graph(y).svg()
    assert "ns0:" not in drawn
    assert "ns1:" not in drawn
    assert {"n1", "n2", "n1->n4"} <= set(re.findall(r'data-part="([^"]*)"', drawn.replace("&gt;", ">")))
    assert "cluster" not in " ".join(re.findall(r'data-part="([^"]*)"', drawn))
    prefixes = {re.match("mg[0-9a-f]{8}-", name)[0] for name in re.findall(r' id="([^"]*)"', drawn)}
    assert len(prefixes) == 1


def test_standard_error_is_as_it_was(capfd):
    before = os.dup(2)
    os.close(before)
    with render._filtered_stderr():
        os.write(2, b"inside\n")
    os.write(2, b"after\n")
    assert capfd.readouterr() == ("", "inside\nafter\n")
    after = os.dup(2)
    os.close(after)
    assert after == before


def test_the_mode_of_a_page_and_its_text(programs):
    y = programs["square"]()
    assert '"mode":"explore"' in mg.graph(y).html()
    assert '"mode":"walk"' in mg.viz.trace(y).html()
    x = mg.tensor(np.ones(2), requires_grad=True, name="\u91cd\u307f")
    assert "\u91cd\u307f" in mg.graph(x * 2.0).html()
