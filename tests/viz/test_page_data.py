"""What the page knows of each node, and the tree of groups, without a browser."""

import json
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support.pages import data_of

import minigrad as mg
from minigrad.viz.explorer import page_data
from minigrad.viz.facts import histogram, summary
from minigrad.viz.parts import common, number, read_tape
from minigrad.viz.tree import Group, groups_of, grow, ops_of, place


def node(data, title):
    (found,) = [each for each in data["nodes"] if each["title"] == title]
    return found


def test_facts_of_an_op(programs):
    data = data_of(mg.graph(programs["cnn"](), gradients=True).html())
    conv = node(data, "conv2d")
    assert conv["kind"] == "op"
    assert conv["shape"] == [2, 2, 6, 6]
    assert (conv["dtype"], conv["bytes"]) == ("float64", 2 * 2 * 6 * 6 * 8)
    names = [(data["nodes"][i]["title"], role) for i, role in conv["inputs"]]
    assert names == [("images", "x"), ("conv1.k", "k"), ("conv1.b", "b")]
    assert "stride=1" in conv["settings"]
    assert conv["notes"] == ["conv2d(images, conv1.k, conv1.b, stride=1, padding=0, dilation=1, groups=1)"]
    assert set(conv["value"]) == {"min", "mean", "max", "histogram"}
    assert set(conv["gradient"]) == {"min", "mean", "max", "histogram", "norm"}
    assert "<math" in data["equations"][conv["equation"]]["forward"]
    assert {"output", "fault", "nonfinite"}.isdisjoint(conv)
    assert node(data, "softmax_cross_entropy")["output"] == "loss"
    assert "gradient" not in node(data, "images")


def test_facts_without_gradients_and_after_a_release(programs):
    loss = programs["square"]()
    assert "gradient" not in node(data_of(mg.graph(loss).html()), "sum")
    loss.backward()
    data = data_of(mg.graph(loss).html())
    assert "value" not in node(data, "sum")
    assert node(data, "multiply")["shape"] == [3]


def test_the_gradient_on_the_page_is_that_of_backward():
    x = mg.tensor([1.0, 2.0, 3.0], requires_grad=True, name="x")
    data = data_of(mg.graph((x * x).sum(), gradients=True).html())
    assert node(data, "x")["gradient"] == {"entries": "[2, 4, 6]", "norm": 7.483}
    assert node(data, "x")["value"] == {"entries": "[1, 2, 3]"}


def test_each_use_of_a_tensor_has_its_norm():
    x = mg.tensor([3.0], requires_grad=True, name="x")
    data = data_of(mg.graph((x * x).sum(), gradients=True).html())
    assert node(data, "multiply")["inputs"] == [[0, "x1", 3.0], [0, "x2", 3.0]]


def test_a_fault_is_told_with_its_line():
    x = mg.tensor([0.0, 1.0], requires_grad=True, name="x")
    with mg.debug(nonfinite=False), np.errstate(all="ignore"):
        y = (mg.sqrt(x) * np.array([0.0, 1.0])).sum()
    data = data_of(mg.graph(y, gradients=True).html())
    root = node(data, "sqrt")
    assert root["fault"].startswith("sqrt's derivative gave NaN at [0] (test_page_data.py:")
    assert root["line"].startswith("test_page_data.py:")
    assert root["url"].endswith(root["line"].partition(":")[2])
    assert root["notes"][1] == "sqrt's derivative gave NaN at [0], where g = 0, x = 0"
    assert node(data, "x")["gradient"]["norm"] == "nan"


def test_a_summary_counts_what_is_not_finite():
    array = np.array([1.0, np.nan, np.inf, -np.inf, 3.0, 5.0, 7.0, 8.0])
    known = summary(array)
    assert (known["nan"], known["inf"]) == (1, 2)
    assert (known["min"], known["mean"], known["max"]) == (1, 4.8, 8)
    assert sum(known["histogram"]["counts"]) == known["histogram"]["of"] == 5
    assert summary(np.full(8, np.nan)) == {"nan": 8, "inf": 0}
    assert summary(np.array([1.5])) == {"entries": "[1.5]"}
    assert summary(np.array([5] * 6 + [6], np.float16))["mean"] == 5.143  # with more digits than the entries have
    assert summary(np.array([1.23456, 0, 0, 0, 0, 0])) == {"entries": "[1.235, 0, 0, 0, 0, 0]"}
    assert summary(np.zeros((0, 3))) == {}
    assert summary(np.ones(7, np.complex128)) == {}
    assert summary(np.arange(7))["max"] == 6


@given(
    arrays(
        st.sampled_from([np.float16, np.float32, np.float64, np.int64, np.uint8]),
        st.integers(7, 40),
        elements=st.integers(0, 99),
    ),
    st.sampled_from([1, 0.37, np.inf, np.nan]),
)
def test_a_summary_is_that_of_the_finite_entries(entries, factor):
    with np.errstate(invalid="ignore"):  # 0 * inf
        entries = entries * np.where(np.arange(len(entries)) == 3, factor, -0.5).astype(np.float32)
    numbers = [Fraction(entry) for entry in entries.tolist() if math.isfinite(entry)]
    least, greatest = min(numbers), max(numbers)
    found, width = summary(entries), (greatest - least) / 16 or 1
    mean = sum(numbers) / len(numbers)
    assert [found[name] for name in ("min", "mean", "max")] == [
        float(f"{float(x):.4g}") for x in (least, mean, greatest)
    ]
    bins = Counter(min(int((entry - least) / width), 15) for entry in numbers)
    assert found["histogram"]["counts"] == [bins[i] for i in range(16)]


def test_a_histogram_has_its_entries_in_the_right_bins():
    assert histogram(np.arange(16.0))["counts"] == [1] * 16
    for size in (1e-320, 1e-300, 1e307):  # neither underflows nor overflows
        assert histogram(np.arange(16.0) * size)["counts"] == [1] * 16
    assert histogram(np.array([-1.7e308, 1.7e308]))["counts"] == [1] + [0] * 14 + [1]
    assert histogram(np.zeros(3))["counts"][0] == 3
    large = histogram(np.linspace(0, 1, 100_000))
    assert 4096 <= large["of"] == sum(large["counts"]) < 2 * 4096
    assert large["low"] == 0
    skewed = histogram(np.array([0.0, 0.0, 1.0]))
    assert (skewed["counts"][0], skewed["counts"][-1]) == (2, 1)


def test_json_has_no_nan(programs):
    x = mg.tensor([np.nan] * 9, requires_grad=True, name="x")
    with np.errstate(all="ignore"):
        html = mg.graph((x * np.inf).sum(), gradients=True).html()
    data = data_of(html)
    json.loads(json.dumps(data, allow_nan=False))
    assert node(data, "x")["nonfinite"] is True


def test_a_large_page_is_compressed_and_says_the_same(programs, monkeypatch):
    graph = mg.graph(programs["cnn"](), gradients=True)
    expected = data_of(graph.html())
    assert 'type="application/json"' in graph.html()
    monkeypatch.setattr("minigrad.viz.explorer.LARGE", 10)
    assert 'type="application/zlib"' in graph.html()
    assert data_of(graph.html()) == expected


def test_the_sizes_that_are_promised(programs):
    assert len(mg.graph(programs["cnn"](), gradients=True).html()) < 150_000
    y = x = mg.tensor(np.ones(9), requires_grad=True, name="x")
    for _ in range(300):
        y = mg.tanh(y) * x
    assert len(mg.graph(y.sum(), gradients=True).html()) < 2_000_000


def chain(count, scopes=()):
    y = x = mg.tensor(1.0, requires_grad=True, name="x")
    for i in range(count):
        name = scopes[i * len(scopes) // count] if scopes else None
        if name is None:
            y = y * x
        else:
            with mg.scope(name):
                y = y * x
    return y


def tree(y, **options):
    parts = read_tape([y.node])
    return parts, grow(parts, **options)


def names(group):
    return [(m.kind, m.name) if isinstance(m, Group) else m.title for m in group.members]


def test_scopes_become_groups():
    with mg.scope("net"):
        y = chain(4, ["a", "b"]) * 2.0
    _, root = tree(y)
    assert names(root) == [("scope", "net")]
    assert names(root.members[0]) == [("scope", "a"), ("scope", "b"), "multiply"]
    assert [group.depth for group in groups_of(root)] == [0, 1, 2, 2]


def test_a_scope_that_is_entered_again_is_another_group():
    x = mg.tensor(1.0, requires_grad=True)
    with mg.scope("a"):
        y = x * x
    y = y + 1.0
    with mg.scope("a"):
        y = y * y
    _, root = tree(y)
    assert names(root) == [("scope", "a"), "add", ("scope", "a")]


def test_scopes_that_are_alike_become_one_group():
    _, root = tree(mg.exp(chain(8, "abcd")))
    assert names(root) == [("repeat", "a to d"), "exp"]
    assert names(root.members[0]) == [("scope", name) for name in "abcd"]
    _, root = tree(mg.exp(chain(3, "abc")))
    assert names(root)[:3] == [("scope", name) for name in "abc"]
    _, root = tree(chain(8, "abcd"))  # a box around all would say nothing
    assert names(root) == [("scope", name) for name in "abcd"]


@pytest.mark.parametrize("count", [60, 61, 1000, 5000])
def test_no_group_has_too_many_members(count):
    parts, root = tree(chain(count))
    assert all(len(group.members) <= 60 for group in groups_of(root))
    assert ops_of(root) == [part for part in parts if part.kind == "op"]
    assert (len(list(groups_of(root))) > 1) == (count > 60)


def test_runs_are_named_by_numbers_or_by_their_scopes():
    _, root = tree(chain(61))
    assert names(root)[0] == ("run", "ops 1 to 8")
    assert names(root)[-1] == ("run", "ops 57 to 61")
    _, root = tree(chain(4000))
    assert names(root)[1] == ("run", "ops 541 to 1,080")
    y = mg.tensor(1.0, requires_grad=True)
    for i in range(61):
        with mg.scope(f"s{i}"):
            y = mg.tanh(y) if i % 2 else mg.exp(y)
    _, root = tree(y)
    assert names(root)[0] == ("run", "s0 ... s7")


def test_all_is_unfolded_where_that_is_wished():
    _, root = tree(chain(200), max_nodes=None)
    assert len(root.members) == 200
    _, root = tree(chain(8, "abcd") * 1.0, max_nodes=None)
    assert all(group.is_open for group in groups_of(root))
    _, root = tree(chain(200, [f"s{i}" for i in range(100)]) * 1.0, max_nodes=None)
    assert all(group.is_open for group in groups_of(root))


def test_groups_open_level_by_level():
    with mg.scope("net"):
        y = chain(40, "abcd") * 2.0

    def opened(**options):
        return [group.name for group in groups_of(tree(y, **options)[1]) if group.is_open]

    assert opened() == ["", "net", "a to d", "a", "b", "c", "d"]
    assert opened(max_nodes=20) == ["", "net", "a to d"]
    assert opened(max_nodes=4) == ["", "net"]
    # seen are net; "a to d" and the op after it; the four scopes and that op; all ops
    for most, last in ((1, ""), (2, "net"), (5, "a to d"), (40, "a to d"), (41, "d")):
        assert opened(max_nodes=most)[-1] == last
    assert opened(depth=0) == [""]
    assert opened(depth=1) == ["", "net", "a to d"]


def test_leaves_are_in_the_group_that_their_users_share():
    w = mg.tensor([2.0], requires_grad=True, name="w")
    with mg.scope("a"):
        y = w * mg.tensor([1.0], name="images")
        v = mg.tensor([1.0], requires_grad=True, name="v")
        y = y * v + mg.tensor([3.0, 4.0], name="inner")
    with mg.scope("b"):
        y = y * w
    parts, root = tree(y)
    placed = {part.title: group.name for part, group in place(parts, root).items()}
    assert placed == {"w": "", "images": "", "v": "a", "inner": "a", "multiply": "b", "add": "a"}


def test_data_at_which_a_scope_starts_stands_where_something_enters():
    w = mg.tensor([2.0], requires_grad=True, name="w")

    def placed(outside, inside, name="z"):
        y = mg.tanh(w)
        with mg.scope("a"):
            if outside:
                y = mg.sin(y)
            with mg.scope("b"):
                z = mg.tensor([3.0, 4.0], name=name)
                u = w * z if not inside else w * z + y
            y = u * y if outside else u
        parts, root = tree(y * mg.exp(y))
        (leaf,) = [part for part in parts if part.kind == "data"]
        return place(parts, root)[leaf].name

    assert placed(outside=True, inside=False) == "a"
    assert placed(outside=True, inside=True) == placed(outside=False, inside=True) == "b"
    assert placed(outside=False, inside=False) == ""
    assert placed(outside=False, inside=False, name=None) == "b"  # without a name it may be any constant


def test_a_parameter_of_the_first_op_stands_in_its_scope():
    with mg.scope("a"):
        y = mg.tensor([1.0], requires_grad=True, name="x") * mg.tensor([1.0], name="z")
    with mg.scope("b"):
        y = y * 2.0
    parts, root = tree(y)
    assert {part.title: group.name for part, group in place(parts, root).items() if part.kind != "constant"} == {
        "x": "a", "z": "", "multiply": "b"
    }  # fmt: skip


def test_a_graph_that_is_too_large_is_not_unfolded(monkeypatch):
    for large, count in ((70, 70), (69, 8)):
        monkeypatch.setattr("minigrad.viz.tree.LARGE", large)
        _, root = tree(chain(70), max_nodes=None)
        assert len(root.members) == count


def test_a_part_knows_what_it_is_called_in_its_scope_and_where_it_is_not_finite():
    x = mg.tensor([[1.0, -1.0]], requires_grad=True, name="net.x.")
    with mg.scope("net"), mg.scope("x"), np.errstate(all="ignore"):
        y = mg.log(x) + 1.0 / mg.relu(x)
    parts = {part.title: part for part in read_tape([y.node])}
    leaf = parts["net.x."]
    leaf.scope = ("net", "x")
    for leaf.title, heading in (("net.x.", "net.x."), ("net.x.b", "b"), ("x.b", "b"), ("net.b", "net.b")):
        assert leaf.heading == heading
    assert "first NaN at [0, 1]" in parts["log"].notes
    assert "first inf at [0, 1]" in parts["divide"].notes
    assert [number(value) for value in (True, 1.0, 3, "a", 2j)] == ["True", "1", "3", "'a'", "0+2j"]
    assert common([("a", "b"), ("a", "b", "c"), ("a", "d")]) == ("a",)
    assert common([]) == ()


def test_many_leaves_of_one_op_are_a_closed_group():
    tensors = [mg.tensor([1.0], requires_grad=True, name=f"x{i}") for i in range(120)]
    with mg.scope("inner"):
        y = mg.stack(tensors)
    data = data_of(mg.graph(y.sum()).html())
    assert data["groups"][1:] == [
        {"kind": "scope", "name": "inner", "parent": 0, "open": True},
        {"kind": "inputs", "name": "x0 to x119", "parent": 1, "open": False},
    ]
    assert [node["group"] for node in data["nodes"]] == [2] * 120 + [1, 0]
    assert len(data_of(mg.graph(y.sum(), max_nodes=None).html())["groups"]) == 2


def test_the_groups_of_the_page_refer_to_their_parents(programs):
    data = page_data(read_tape([programs["residual"]().node]), None, 100)
    assert data["groups"][0] == {"kind": "graph", "name": "", "parent": -1, "open": True}
    for i, group in enumerate(data["groups"][1:], start=1):
        assert 0 <= group["parent"] < i
    paths = {(data["groups"][n["group"]]["name"], n["title"]) for n in data["nodes"]}
    assert {("dense", "matmul"), ("dense", "x"), ("", "mean")} <= paths


def test_what_a_vjp_recorded_is_a_closed_group_of_its_own_kind():
    x = mg.tensor([0.5, 1.0], requires_grad=True, name="x")
    data = data_of(mg.graph(mg.grad(lambda x: mg.tanh(x).sum())(x), max_nodes=None).html())
    groups = [(group["kind"], group["name"], group["open"]) for group in data["groups"][1:]]
    assert ("backward", "backward of tanh", False) in groups
    assert all(kind == "backward" for kind, _, _ in groups)


def test_runs_inside_of_a_scope_open_with_it():
    with mg.scope("net"):
        y = chain(200)
    _, root = tree(y, depth=1, max_nodes=1000)
    (net,) = root.members
    assert {(run.kind, run.depth, run.is_open) for run in net.members} == {("run", 1, True)}
    _, root = tree(y, depth=0, max_nodes=1000)
    assert not root.members[0].is_open


def test_ops_that_are_alike_are_no_repeat():
    y = mg.tensor([1.0], requires_grad=True)
    for _ in range(5):
        y = mg.tanh(y)
    with mg.scope("net"):
        y = mg.tanh(y)
    _, root = tree(y)
    assert names(root) == ["tanh"] * 5 + [("scope", "net")]


def test_data_without_a_name_enters_where_the_first_op_is():
    w = mg.tensor([2.0], requires_grad=True, name="w")
    shared = mg.tensor([1.0, 2.0])
    with mg.scope("a"):
        y = mg.sin(w * shared)
        with mg.scope("b"):
            y = y * shared + np.array([3.0, 4.0])
    parts, root = tree(y)
    assert [place(parts, root)[part].name for part in parts if part.kind == "data"] == ["", "b"]


@pytest.mark.parametrize("count", [12, 13])
def test_many_leaves_have_a_group_where_they_are_gathered(count):
    leaves = [mg.tensor([float(i)], requires_grad=True, name=f"x{i}") for i in range(count)]
    parts, root = tree(mg.stack(leaves).sum())
    placed = place(parts, root)
    assert {placed[part] for part in parts} == {root}
    placed = place(parts, root, is_gathered=True)
    groups = {placed[part].kind for part in parts if part.kind == "parameter"}
    assert groups == ({"inputs"} if count > 12 else {"graph"})
    if count > 12:
        assert names(root) == [("inputs", "x0 to x12"), "stack", "sum"]


@pytest.mark.parametrize(("count", "is_gathered"), [(98, False), (99, True)])
def test_leaves_are_gathered_where_the_page_has_more_nodes_than_it_may(count, is_gathered):
    leaves = [mg.tensor([float(i)], requires_grad=True, name=f"x{i}") for i in range(count)]
    parts = read_tape([mg.stack(leaves).sum().node])
    kinds = [group["kind"] for group in page_data(parts, None, 100)["groups"]]
    assert ("inputs" in kinds) == is_gathered
    assert [group["kind"] for group in page_data(parts, None, None)["groups"]] == ["graph"]


def test_the_page_of_a_graph_opens_what_its_options_draw(programs):
    y = programs["residual"]()
    for options in ({"depth": 0, "max_nodes": None}, {"depth": 1, "max_nodes": 100}, {"max_nodes": 3}):
        known = page_data(read_tape([y.node]), options.get("depth"), options["max_nodes"])
        assert data_of(mg.graph(y, **options).html())["groups"] == known["groups"]
    opened = [
        sum(group["open"] for group in data_of(mg.graph(y, depth=depth, max_nodes=100).html())["groups"])
        for depth in (0, 1, 2)
    ]
    assert opened == sorted(set(opened))
    assert opened[0] == 1
