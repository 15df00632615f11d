"""What a person sees of a chart: marks lie where their numbers are, and every text is legible beside what it names."""

import math
import re
import xml.etree.ElementTree as ElementTree
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minigrad.viz import charts

SVG = "{http://www.w3.org/2000/svg}"
NAMES = [f"block{i}/" + "layer" * (i % 7) for i in range(60)]
NAN = math.nan
DRAWN = {
    "lines": lambda: charts.lines("norms", NAMES[:9], {
        "value": [10.0**i for i in range(9)], "gradient": [0.0, NAN, None, *[0.1] * 6], "parameters": [1.0] * 9,
    }),
    "many lines": lambda: charts.lines("norms", NAMES, {"value": [10.0 ** (i / 3) for i in range(60)]}),
    "45 lines": lambda: charts.lines("norms", NAMES[:45], {"value": [3e-7] * 45}),
    "a long name": lambda: charts.lines("norms", ["w" * 50], {"value": [1.0]}),
    "nothing": lambda: charts.lines("norms", [], {"value": []}),
    "curve": lambda: charts.curve("loss: 2", [(100, -1.2345e-5), (250, 1e5), (1e6, NAN)]),
    "flat": lambda: charts.curve("loss: 2", [(7, 5.0)]),
    "no number": lambda: charts.curve("loss: nan", [(7, NAN)]),
    "no point": lambda: charts.curve("loss", []),
    "kernels": lambda: charts.images("conv1", np.linspace(-1, 0.5, 40 * 77).reshape(40, 7, 11)),
    "full lines": lambda: charts.images("conv1", np.ones((12, 15, 13))),
    "one image": lambda: charts.images("conv1", np.ones((1, 64, 40))),
    "bars": lambda: charts.bars("times", [(n, {"value": i, "gradient": 12345.6}) for i, n in enumerate(NAMES)], "ms"),
    "short bars": lambda: charts.bars("times", [("add", {"value": 1.0}), ("exp", {"value": 0.0})], "ms"),
    "no bar": lambda: charts.bars("times", [("add", {"value": 0.0, "gradient": 0.0})], "ms"),
}  # fmt: skip


def elements(svg, tag):
    return list(ElementTree.fromstring(svg).iter(SVG + tag))


def numbers(element, *names):
    return [float(element.get(name, 0)) for name in names]


def rectangle(left, top, right, bottom):
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def text_of(element):
    return "".join(element.itertext())


def text_box(element):
    """The corners of a text of 12 pixels: 6.5 for each character, 9 above its line and 2 below."""
    x, y, dx, dy = numbers(element, "x", "y", "dx", "dy")
    left = x + dx - 6.5 * len(text_of(element)) * (element.get("text-anchor") == "end")
    corners = rectangle(left, y + dy - 9, left + 6.5 * len(text_of(element)), y + dy + 2)
    turn = re.fullmatch(r"rotate\((\S+) (\S+) (\S+)\)", element.get("transform", "rotate(0 0 0)"))
    angle, *centre = map(float, turn.groups())
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return (corners - centre) @ np.array([[cos, sin], [-sin, cos]]) + centre


def marks(svg):
    """The corners of all that is no text."""
    found = []
    for rect in elements(svg, "rect"):
        x, y, width, height = numbers(rect, "x", "y", "width", "height")
        found.append(rectangle(x, y, x + width, y + height))
    for circle in elements(svg, "circle"):
        x, y, r = numbers(circle, "cx", "cy", "r")
        found.append(rectangle(x - r, y - r, x + r, y + r))
    found += [np.reshape(numbers(line, "x1", "y1", "x2", "y2"), (2, 2)) for line in elements(svg, "line")]
    return found + [point.reshape(1, 2) for line in elements(svg, "polyline") for point in points(line)]


def points(polyline):
    return np.array([tuple(map(float, pair.split(","))) for pair in polyline.get("points").split()]).reshape(-1, 2)


def overlap(one, other):
    """Whether two convex polygons have a point in common: no line along an edge of one parts them."""
    for corners in (one, other):
        for along in np.roll(corners, -1, axis=0) - corners:
            normal = np.array([-along[1], along[0]])
            if (one @ normal).max() <= (other @ normal).min() or (other @ normal).max() <= (one @ normal).min():
                return False
    return True


@pytest.mark.parametrize("drawn", DRAWN)
def test_all_lies_inside_of_the_picture_and_every_text_is_free(drawn):
    svg = DRAWN[drawn]()
    root = ElementTree.fromstring(svg)
    left, top, width, height = map(float, root.get("viewBox").split())
    assert (left, top, width, height) == (0, 0, *numbers(root, "width", "height"))
    texts = {f"{i} {text_of(text)}": text_box(text) for i, text in enumerate(elements(svg, "text"))}
    others = marks(svg)
    for corners in [*texts.values(), *others]:
        assert (corners >= 0).all()
        assert (corners <= (width, height)).all()
    lowest = max(corners[:, 1].max() for corners in [*texts.values(), *others])
    assert height < lowest + 160 or not others
    assert [pair for pair in combinations(texts, 2) if overlap(*map(texts.get, pair))] == []
    assert [name for name, box in texts.items() if any(overlap(box, other) for other in others)] == []


@pytest.mark.parametrize("drawn", DRAWN)
def test_every_chart_has_a_title_and_is_named_by_it(drawn):
    svg = DRAWN[drawn]()
    assert text_of(elements(svg, "text")[0]) == ElementTree.fromstring(svg).get("aria-label")


def ticks(svg):
    """(value, height) of each line across; its label stands before it, in the middle of its height."""
    found = []
    for line in elements(svg, "line"):
        x1, x2, y1, y2 = numbers(line, "x1", "x2", "y1", "y2")
        assert y1 == y2
        assert x2 - x1 > 700
        boxes = {text_of(text): text_box(text) for text in elements(svg, "text")}
        near = [said for said, box in boxes.items() if abs(box[:, 1].mean() - y1) < 3 and 2 < x1 - box[:, 0].max() < 12]
        assert len(near) == 1
        found.append((float(near[0]), y1))
    return found


positive = st.floats(1e-12, 1e12)


@example([1.0, 5e4])
@given(st.lists(st.none() | positive | st.sampled_from([0.0, NAN, math.inf]), max_size=60))
def test_a_dot_is_at_the_height_of_its_value_and_above_its_name(values):
    names = [f"n{i}" for i in range(len(values))]
    svg = charts.lines("t", names, {"gradient": values})
    (low, bottom), *_, (high, top) = logs = [(math.log10(value), y) for value, y in ticks(svg)]
    proper = [value for value in values if value is not None and 0 < value < math.inf]
    assert low <= math.log10(min(proper, default=1)) < low + 1
    assert high >= low + 1
    assert 2 <= len(logs) <= 8
    assert len({round(b - a) for (a, _), (b, _) in pairwise(logs)}) == 1
    slope = (top - bottom) / (high - low)
    assert all(y == pytest.approx(bottom + slope * (log - low), abs=0.1) for log, y in logs)
    end = max(low + 2, math.ceil(math.log10(max(proper, default=1))))
    said = {text_of(circle): numbers(circle, "cx", "cy") for circle in elements(svg, "circle")}
    said |= {
        text_of(square): [sum(numbers(square, "x", "width")) - 5, sum(numbers(square, "y", "height")) - 5]
        for square in elements(svg, "rect")
    }
    across = np.linspace(160, 840, len(values))
    assert list(points(elements(svg, "polyline")[0])[:, 0]) == [
        pytest.approx(x, abs=0.06) for x, value in zip(across, values, strict=True) if value is not None
    ]
    for x, name, value in zip(across, names, values, strict=True):
        if value is not None:
            at = (math.log10(value) if value > 0 else low) if value < math.inf else end
            assert said[f"{name}: gradient {value:.4g}"] == pytest.approx([x, bottom + slope * (at - low)], abs=0.2)
    assert len(said) == len(values) - values.count(None)


def test_an_axis_without_values_begins_at_one():
    assert [value for value, _ in ticks(charts.lines("t", ["a"], {"value": [None]}))] == [1, 10, 100]


@pytest.mark.parametrize("count", [1, 2, 44, 45, 90, 300])
def test_each_name_ends_below_its_dot(count):
    svg = charts.lines("t", [f"n{i}" for i in range(count)], {"value": [1.0] * count})
    (floor, *_) = [y for _, y in ticks(svg)]
    dots = points(elements(svg, "polyline")[0])
    shown = 0
    for text in elements(svg, "text"):
        if "rotate" in text.get("transform", ""):
            end = text_box(text)[1:3].mean(axis=0)  # where the reader's eye is when it has read the name
            x, _ = dots[int(text_of(text)[1:])]
            assert abs(end[0] - x) < 6
            assert 0 < end[1] - floor < 16
            shown += 1
    assert shown == count if count < 45 else 20 < shown <= 45


def test_the_legend_has_the_colours_of_the_lines():
    svg = charts.lines("t", ["a"], {"value": [1.0], "gradient": [2.0]})
    legend = {span.get("style"): span.text for span in elements(svg, "tspan")}
    strokes = [line.get("stroke") for line in elements(svg, "polyline")]
    assert legend == {f"fill:{strokes[0]}": "value", f"fill:{strokes[1]}": "gradient"}
    assert strokes == [circle.get("fill") for circle in elements(svg, "circle")]


def test_the_legend_has_the_colours_of_the_bars():
    svg = charts.bars("t", [("a", {"forward": 1.0}), ("b", {"forward": 1.0, "VJPs": 2.0})], "ms")
    legend = {span.text: span.get("style") for span in elements(svg, "tspan")}
    fills = [f"fill:{rect.get('fill')}" for rect in elements(svg, "rect")]
    assert legend == {"forward": fills[0], "VJPs": fills[2]}


finite = st.floats(-1e6, 1e6).map(lambda x: float(f"{x:.2g}"))


@given(st.lists(st.tuples(st.integers(0, 10**4), finite | st.just(NAN)), unique_by=lambda point: point[0]))
def test_a_curve_goes_through_its_points(values):
    """Both axes are linear, and the labels at their ends are the least and the greatest number."""
    svg = charts.curve("t", values)
    proper = np.reshape([point for point in values if math.isfinite(point[1])], (-1, 2))
    drawn = points(elements(svg, "polyline")[0])
    assert len(drawn) == len(proper)
    levels = dict(ticks(svg))
    assert levels.keys() == {*proper[:, 1]} & {proper[:, 1].min(initial=1e9), proper[:, 1].max(initial=-1e9)}
    if len(levels) == 2:
        ends, heights = zip(*sorted(levels.items()), strict=True)
        assert drawn[:, 1] == pytest.approx(np.interp(proper[:, 1], ends, heights), abs=0.15)
    for _, y in proper[: len(levels) == 1]:
        assert drawn[0, 1] == levels[y]
    floor = max(levels.values(), default=330)
    below = [text for text in elements(svg, "text")[1:] if text_box(text)[:, 1].min() > floor]
    steps = [step for step, _ in values]
    assert [float(text_of(text)) for text in below] == sorted({min(steps), max(steps)} if steps else [])
    ends = [numbers(text, "x")[0] for text in below]
    assert all(text_box(text)[:, 1].max() < floor + 25 for text in below)
    if len(ends) == 2:
        assert drawn[:, 0] == pytest.approx(np.interp(proper[:, 0], (min(steps), max(steps)), ends), abs=0.15)
        assert ends[1] - ends[0] > 700
        assert text_box(below[0])[:, 0].min() == ends[0]
        assert text_box(below[1])[:, 0].max() == ends[1]
    elif len(drawn):
        assert drawn[:, 0] == ends


@pytest.mark.parametrize("shape", [(1, 1, 1), (30, 3, 5), (9, 64, 2), (10, 5, 5), (40, 1, 12)])
def test_images_stand_side_by_side_and_in_order(shape):
    array = np.linspace(-0.25, -1, math.prod(shape)).reshape(shape)
    svg = charts.images("t", array)
    assert f"colours from -{abs(array).max():g} to " in svg
    boxes = np.array([numbers(rect, "x", "y", "width", "height") for rect in elements(svg, "rect")])
    boxes = boxes.reshape(*shape, 4)
    x, y, width, height = np.moveaxis(boxes, -1, 0)
    pixel = width.flat[0]
    assert (width == pixel).all()
    assert (height == pixel).all()
    assert 11 < max(12 * (pixel == 12), max(shape[1:]) * pixel / 7.5) < 13  # as large as it may be
    assert np.diff(x, axis=2) == pytest.approx(pixel, abs=0.11)
    assert np.diff(y, axis=1) == pytest.approx(pixel, abs=0.11)
    assert (np.ptp(x, axis=1) == 0).all()
    assert (np.ptp(y, axis=2) == 0).all()
    assert x.min() == numbers(elements(svg, "text")[0], "x")[0]  # below the title
    corners = list(zip(x[:, 0, 0], y[:, 0, 0], strict=True))
    across, down = shape[2] * pixel, shape[1] * pixel
    for (x1, y1), (x2, y2) in pairwise(corners):
        is_beside = y1 == y2 and 4 < x2 - x1 - across < 12
        is_next_line = x2 == corners[0][0] and 4 < y2 - y1 - down < 12 and x1 + 2 * across > 840
        assert is_beside or is_next_line


def test_the_colours_of_images_say_sign_and_size():
    def colours(*entries):
        svg = charts.images("t", np.reshape(entries, (1, 1, -1)))
        return [rect.get("fill") for rect in elements(svg, "rect")], text_of(elements(svg, "text")[1])

    assert colours(-0.5, 0.0, 0.5, NAN) == (["#005AA0", "#FFFFFF", "#CD5500", "#6E7781"], "colours from -0.5 to 0.5")
    assert colours(-4.0, 1.0) == (["#005AA0", "#F2D4BF"], "colours from -4 to 4")
    assert colours(NAN) == (["#6E7781"], "colours from -1 to 1")
    assert colours(0.0, NAN) == (["#FFFFFF", "#6E7781"], "colours from -1 to 1")


costs = st.floats(0, 1e6).map(lambda x: float(f"{x:.3g}"))


@given(st.lists(st.tuples(st.sampled_from(NAMES), costs, costs), min_size=1, max_size=20))
@example([("block0/", 0.0, 5e-324)])
def test_a_bar_is_as_long_as_its_number(rows):
    """Beside each row its name and its sum; the longest takes at least half of the width."""
    svg = charts.bars("t", [(name, {"value": a, "gradient": b}) for name, a, b in rows], "s")
    rects, texts = elements(svg, "rect"), elements(svg, "text")[2:]  # after the title and the legend
    assert [text_of(rect) for rect in rects] == [f"{value:.4g} s" for _, *pair in rows for value in pair]
    assert [rect.get("fill") for rect in rects[:2]] == [charts.COLOURS["value"], charts.COLOURS["gradient"]]
    most = max(a + b for _, a, b in rows)
    start = numbers(rects[0], "x")[0]
    longest = max(sum(numbers(rect, "x", "width")) for rect in rects) - start
    assert longest > 430 or most == 0
    assert any(text_box(text)[:, 0].min() < 30 for text in texts)  # no room is left beside the longest name
    for i, (name, *pair) in enumerate(rows):
        x = start
        for rect, value in zip(rects[2 * i : 2 * i + 2], pair, strict=True):
            assert numbers(rect, "x", "width") == pytest.approx([x, longest * value / (most or 1)], abs=0.2)
            x += numbers(rect, "width")[0]
            top, bottom = numbers(rect, "y")[0], sum(numbers(rect, "y", "height"))
        before, after = texts[2 * i : 2 * i + 2]
        assert name.endswith(text_of(before).removeprefix("..."))
        assert text_of(after) == f"{sum(pair):.3g} s"
        assert 2 < start - text_box(before)[:, 0].max() < 12
        assert 2 < text_box(after)[:, 0].min() - x < 12
        for text in (before, after):
            assert text_box(text)[:, 1].mean() == pytest.approx((top + bottom) / 2, abs=3)


def test_a_name_is_cut_where_it_is_too_long():
    for count, said in ((28, "x" * 28), (29, "..." + "x" * 25)):
        svg = charts.lines("t", ["x" * count], {"value": [1.0]})
        assert said in [text_of(text) for text in elements(svg, "text")]
