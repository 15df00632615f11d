"""Norms layer by layer, and the time of each op."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import minigrad as mg
from minigrad.viz import _debug, charts, measures
from minigrad.viz.gradients import norm_of
from minigrad.viz.parts import read_tape
from minigrad.viz.statistics import _saved_bytes, entries, statistics, totals

SVG = "{http://www.w3.org/2000/svg}"


def slow(seconds_forward, seconds_backward, wait=lambda seconds: None):
    @mg.op
    def waits(x):
        wait(seconds_forward)
        return x * 1.0

    @waits.vjp("x")
    def _(g, out, x):
        wait(seconds_backward)
        return g

    return waits


def test_the_norms_of_each_layer(programs):
    loss = programs["cnn"]()
    flow = mg.viz.flow(loss)
    assert [layer.name for layer in flow] == ["conv1", "fc", "softmax_cross_entropy"]
    drawn = {part.title: part for part in mg.graph(loss, gradients=True).parts}
    assert flow[1].gradient == drawn["add"].gradient
    assert flow[1].parameters == pytest.approx(np.hypot(drawn["fc.w"].gradient, drawn["fc.b"].gradient))
    assert flow[2] == ("softmax_cross_entropy", pytest.approx(loss.item()), 1.0, None)
    assert len(flow) == 3


def test_flow_as_text():
    x = mg.tensor([3.0, 4.0], requires_grad=True)
    assert str(mg.viz.flow((x * 0.1).sum())).splitlines() == [
        "norms in 2 layers",
        "layer     value  gradient  parameters",
        "multiply    0.5      1.41       0.141",
        "sum         0.7         1",
    ]
    assert repr(mg.viz.flow(x * 0.1)) == "<norms in 1 layer>"
    with mg.scope("of_a_long_name"):
        y = x * 0.1
    assert str(mg.viz.flow(y.sum())).splitlines()[1:] == [
        "layer           value  gradient  parameters",
        "of_a_long_name    0.5      1.41       0.141",
        "sum               0.7         1",
    ]


def test_flow_of_a_released_graph_says_so():
    x = mg.tensor([3.0, 4.0], requires_grad=True)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"released by backward\(\)"):
        mg.viz.flow(y)


def test_an_op_that_waits_is_the_slowest(monkeypatch):
    now = [100.0]  # a clock of its own, since the machine may be busy

    def wait(seconds):
        now[0] += seconds

    monkeypatch.setattr(_debug, "perf_counter", lambda: now[0])
    x = mg.tensor([1.0], requires_grad=True)
    with mg.debug(time=True):
        y = mg.exp(slow(0.25, 0.0, wait)(slow(0.0, 0.5, wait)(x)))
        y.backward()
    costs = list(mg.viz.profile(y))
    assert [cost.op for cost in costs] == ["waits", "waits", "exp"]
    assert (costs[0].forward, costs[0].backward) == (0.0, 0.5)
    assert (costs[1].forward, costs[1].backward) == (0.25, 0.0)
    assert costs[0].seconds == costs[0].forward + costs[0].backward
    assert costs[2].bytes == 8
    assert costs[2].line.startswith("test_measures.py:")


def test_the_operators_are_timed_too():
    x = mg.tensor([1.0], requires_grad=True)
    with mg.debug(time=True), mg.scope("inner"):
        y = x * x + 1.0
    costs = list(mg.viz.profile(y))
    assert {cost.op for cost in costs} == {"multiply", "add"}
    assert all(cost.forward > 0 and cost.backward is None and cost.scope == "inner" for cost in costs)
    text = str(mg.viz.profile(y)).splitlines()
    assert text[0].startswith("2 ops, 0.")
    assert text[1].split() == ["op", "forward", "VJPs", "share", "bytes", "line"]
    assert sorted(line.split()[0] for line in text[2:]) == ["inner/add", "inner/multiply"]
    assert all(" - " in line for line in text[2:])


def test_times_are_on_the_page():
    x = mg.tensor([1.0], requires_grad=True)
    with mg.debug(time=True):
        y = x * x
        y.backward()
    html = mg.graph(y).html()
    assert '"seconds":{"forward":' in html
    assert '"seconds"' not in mg.graph(x * x).html()


def test_without_times_there_is_no_profile():
    x = mg.tensor([1.0], requires_grad=True)
    with mg.debug():
        y = x * x
    with pytest.raises(RuntimeError, match=r"profile: no time was measured: .*mg\.debug\(time=True\)"):
        mg.viz.profile(y)
    with pytest.raises(TypeError, match="profile: expected a Tensor, not float"):
        mg.viz.profile(1.0)
    with pytest.raises(TypeError, match="flow: expected a Tensor, not float"):
        mg.viz.flow(1.0)


def test_the_decorator_keeps_the_option():
    x = mg.tensor([1.0], requires_grad=True)
    y = mg.debug(time=True)(lambda: x * x)()
    assert mg.viz.profile(y)[0].forward > 0


def test_errors_are_those_of_the_op():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    with mg.debug(time=True), pytest.raises(ValueError, match=r"^add: "):
        x + np.ones(3)
    with pytest.raises(TypeError, match="debug: time must be True or False, not 1"):
        mg.debug(time=1)


def test_charts_are_saved_and_shown(tmp_path):
    x = mg.tensor([1.0], requires_grad=True)
    with mg.debug(time=True):
        y = x * x
    for table in (mg.viz.flow(y), mg.viz.profile(y)):
        path = table.save(tmp_path / "chart.svg")
        assert path.read_text("utf-8") == table.svg() == table._repr_html_()
        ElementTree.fromstring(table.svg())
        with pytest.raises(ValueError, match=r"should end in \.svg"):
            table.save(tmp_path / "chart.png")


def places(svg, tag, *names):
    return [[float(each.get(name)) for name in names] for each in ElementTree.fromstring(svg).iter(SVG + tag)]


def test_a_line_is_logarithmic():
    svg = charts.lines("t", ["a", "b", "c"], {"gradient": [1.0, 1e-2, 1e-4]})
    dots = places(svg, "circle", "cx", "cy")
    assert [x for x, _ in dots] == [160, 500, 840]
    assert [y for _, y in dots] == [30, 180, 330]
    assert [
        float(each.split(",")[1]) for each in ElementTree.fromstring(svg).find(SVG + "polyline").get("points").split()
    ] == [30, 180, 330]
    labels = ["".join(each.itertext()) for each in ElementTree.fromstring(svg).iter(SVG + "text")]
    assert labels == ["t", "1e-4", "1e-3", "1e-2", "1e-1", "1e0", "a", "b", "c", "gradient"]


def test_what_has_no_place_on_the_axis_is_marked_at_the_edge():
    svg = charts.lines("t", list("abcd"), {"value": [1.0, 0.0, float("nan"), None], "gradient": [0.1] * 4})
    assert [y for (y,) in places(svg, "rect", "y")] == [330 - 5, 30 - 5]
    assert len(places(svg, "circle", "cx")) == 5
    assert "b: value 0<" in svg
    assert "c: value nan<" in svg
    assert charts.lines("t", [], {"value": []}).startswith("<svg")


def test_many_names_and_decades_leave_room():
    svg = charts.lines("t", [f"layer {i}" for i in range(200)], {"value": [10.0 ** (-i) for i in range(200)]})
    texts = ["".join(each.itertext()) for each in ElementTree.fromstring(svg).iter(SVG + "text")]
    assert 20 < sum(text.startswith("layer") for text in texts) < 60
    assert sum(text.startswith("1e") for text in texts) <= 8
    assert "...bcdefghijklmnopqrstuvwxyz" in charts.lines("t", ["abcdefghijklmnopqrstuvwxyz" * 2], {"value": [1.0]})


def test_bars_add_up():
    svg = charts.bars("t", [("<op>", {"value": 1.0, "gradient": 3.0}), ("b", {"value": 2.0})], "s")
    (x1, w1), (x2, w2), (x3, w3) = places(svg, "rect", "x", "width")
    assert x1 == x3
    assert x2 == pytest.approx(x1 + w1, abs=0.2)
    assert w2 == pytest.approx(3 * w1, abs=0.2)
    assert w3 == pytest.approx(2 * w1, abs=0.2)
    assert "4 s" in svg
    assert "&lt;op&gt;" in svg
    assert [y for (y,) in places(svg, "rect", "y")] == [30, 30, 50]
    assert charts.bars("t", [], "s").startswith("<svg")


def test_the_bars_of_a_profile_are_its_times():
    x = mg.tensor([1.0], requires_grad=True)
    with mg.debug(time=True):
        y = x * x
        mg.exp(y).backward()
    z = slow(0.0, 0.0)(y)  # has no times
    profile = mg.viz.profile(z)
    assert [cost.seconds for cost in profile if cost.op == "waits"] == [0.0]
    (cost, _) = profile
    assert cost.seconds == cost.forward + cost.backward
    root = ElementTree.fromstring(profile.svg())
    titles = [each.text for each in root.iter(SVG + "title")]
    expected = [f"{1e3 * seconds:.4g} ms" for seconds in (cost.forward, cost.backward, 0.0, 0.0)]
    assert [title for title in titles if title.endswith(" ms")] == expected


def test_a_profile_draws_its_first_rows():
    y = mg.tensor([1.0], requires_grad=True)
    with mg.debug(time=True):
        for _ in range(measures.BARS + 1):
            y = y * y
    profile = mg.viz.profile(y)
    assert len(profile) == measures.BARS + 1
    assert len(places(profile.svg(), "rect", "x")) == 2 * measures.BARS


def test_norms_of_any_dtype():
    assert norm_of(np.array([3.0 + 4.0j])) == 5.0
    assert norm_of(np.ones(5000, np.float16)) == pytest.approx(5000**0.5, rel=1e-12)
    x = mg.tensor([3.0 + 4.0j, 12.0], requires_grad=True, name="x")
    assert mg.viz.flow(mg.real(x * 2.0))[0].value == pytest.approx(26.0)
    assert mg.graph(mg.real(x * 2j).sum(), gradients=True).parts[0].gradient == pytest.approx(8**0.5)


def test_bytes_are_those_of_the_output():
    x = mg.tensor(np.ones((3, 2), np.float32), requires_grad=True)
    with mg.debug(time=True):
        y = x * x
    assert [(cost.bytes, cost.scope) for cost in mg.viz.profile(y)] == [(24, "")]


@pytest.mark.parametrize(
    ("bytes", "said"),
    [
        (1, "1 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (10**6 - 5000, "995 kB"),
        (10**6, "1 MB"),
        (10**9, "1 GB"),
        (2 * 10**13, "2e+04 GB"),
    ],
)
def test_units(bytes, said, monkeypatch):
    monkeypatch.setattr("minigrad.viz.statistics._saved_bytes", lambda parts: bytes)
    assert totals([]) == ["0 ops", f"{said} saved for backward"]


def test_what_is_saved_is_counted_once():
    x = mg.tensor(np.ones(9), requires_grad=True)
    y = x * np.ones(9)
    parts = read_tape([(y.reshape(3, 3) * y.reshape(3, 3)).node])
    assert totals(parts)[1] == f"{3 * 72} bytes saved for backward"


def test_entries_and_statistics():
    assert entries(np.zeros(0)) == []
    assert entries(np.zeros(1)) == ["[0]"]
    assert entries(np.zeros(6)) == ["[0, 0, 0, 0, 0, 0]"]
    assert entries(np.zeros(7)) == []
    forty = np.array([5.1111] * 5 + [123.0])
    assert entries(forty) == ["[5.111, 5.111, 5.111, 5.111, 5.111, 123]"]
    assert len(entries(forty)[0]) == 40
    assert entries(np.array([5.1111] * 5 + [1234.0])) == ["[5.11, 5.11, 5.11, 5.11, 5.11, 1.23e+03]"]
    assert entries(np.array([5.1111] * 4 + [-1234.0] * 2)) == ["[5.1, 5.1, 5.1, 5.1, -1.2e+03, -1.2e+03]"]
    assert statistics(np.zeros((0, 3))) == []
    assert statistics(np.array(["a", "b"])) == []
    assert statistics(np.array([True, False])) == ["min 0, mean 0.5, max 1"]
    assert statistics(np.arange(7, dtype=np.uint8) * 30) == ["min 0, mean 90, max 180"]
    assert statistics(np.array([np.nan, 1.0, 3.0])) == ["1 of 3 NaN", "min 1, mean 2, max 3"]


def test_a_constant_says_its_value_once():
    x = mg.tensor([1.0, 2.0], requires_grad=True, name="x")
    parts = mg.graph(x * 2.5, values=True, settings=True).parts
    assert [part.detail for part in parts] == ["[1, 2]", "", "[2.5, 5]"]


def test_the_bytes_that_are_saved_are_counted_exactly():
    x = mg.tensor(np.ones(1000), requires_grad=True)
    y = mg.exp(x * np.ones(1000))
    assert _saved_bytes(read_tape([y.node])) == 3 * 8000


def test_what_an_op_leaves_for_its_vjps_is_counted_and_no_option():
    x = mg.tensor(np.random.default_rng(0).normal(size=(8, 16)), requires_grad=True, name="x")
    y = mg.layer_norm(x, 16)
    parts = read_tape([y.node])
    assert _saved_bytes(parts) == 2 * x.data.nbytes + 3 * 8 * 8  # two arrays of this size, and three numbers a row
    assert parts[-1].settings[-2:] == ["axis=(-1,)", "eps=1e-05"]
    theirs = mg.op(lambda x, *, saved: x * saved, name="theirs")
    theirs.vjp("x", lambda g, out, x, saved: g * saved)
    assert read_tape([theirs(x, saved=2.0).node])[-1].settings == ["saved=2.0"]
