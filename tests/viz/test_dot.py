"""The rules of a drawing: which arrows are thick, red or turned round, what a label says, what stands beside an op."""

import html
import math
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pygraphviz
import pytest

import minigrad as mg
from minigrad.viz import dot
from minigrad.viz.labels import LONGEST, width
from minigrad.viz.parts import Part

GOLDEN = Path(__file__).parent / "golden"


def drawn(*outputs, **options):
    """The nodes and edges by the titles of nodes, as Graphviz reads them: what stands in the table, and attributes."""
    parsed = pygraphviz.AGraph(string=mg.graph(*outputs, **options).source)
    rows = {node: rows_of(node.attr["label"]) for node in parsed.nodes()}
    nodes = {rows[node][0]: node for node in parsed.nodes()}
    edges = [(rows[edge[0]][0], rows[edge[1]][0], edge.attr.to_dict()) for edge in parsed.edges()]
    return nodes, edges, parsed


def rows_of(label):
    return [html.unescape(re.sub("<[^>]*>", "", row)) for row in re.findall("<TR>.*?</TR>", label)]


@pytest.mark.parametrize("name", ["cnn", "square", "residual"])
def test_golden(programs, name):
    graph = mg.graph(programs[name](), gradients=name == "cnn")
    assert graph.source == mg.graph(programs[name](), gradients=name == "cnn").source
    assert graph.source == (GOLDEN / f"{name}.dot").read_text(encoding="utf-8")


def test_the_width_of_an_arrow_is_logarithmic():
    pen = dot._pen([1e-3, math.inf, 1e3, 1.0, math.nan])
    assert [pen(norm) for norm in (1e-3, 1.0, 1e3)] == pytest.approx([dot.THIN, (dot.THIN + dot.THICK) / 2, dot.THICK])
    assert pen(math.inf) == pen(math.nan) == dot.THICK
    assert pen(0.0) == dot.ZERO < dot.THIN
    nearly = dot._pen([1.0, 1.1])
    assert dot.THIN == nearly(1.0) < nearly(1.1) < dot.THIN + 0.1 * (dot.THICK - dot.THIN)


def test_the_widest_arrow_is_that_of_the_greatest_norm_on_any_edge():
    """Also where only a branch has it, as of two that cancel."""
    x = mg.tensor([1.0, 2.0], requires_grad=True, name="x")
    h = mg.tanh(x)
    _, edges, _ = drawn((h * 1000.0 - h * 999.9).sum(), gradients=True)
    widths = {(tail, head): float(look["penwidth"]) for tail, head, look in edges if look.get("dir") == "both"}
    assert max(widths.values()) == dot.THICK
    assert widths["x", "tanh"] == dot.THIN


WAYS = (
    {},
    {"gradients": True},
    {"gradients": True, "max_nodes": 5},
    {"depth": 0},
    {"gradients": True, "depth": 1},
    {"gradients": True, "depth": 0},
)


@pytest.mark.parametrize("options", WAYS)
def test_each_arrow_points_at_what_takes_the_tensor_and_shows_its_norm_once(program, options):
    graph = mg.graph(program(), **options)
    parsed = pygraphviz.AGraph(string=graph.source)
    ids = {part: f"n{i}" for i, part in enumerate(graph.parts, start=1)}
    inputs = {ids[part]: part.inputs for part in graph.parts}
    taken = Counter((ids[source], ids[part]) for part in graph.parts for source, _ in part.inputs)
    found = Counter()
    for edge in parsed.edges():
        look = edge.attr.to_dict()
        if look.get("style") == "invis":
            continue
        source, taker = edge if (edge[0], edge[1]) in taken else edge[::-1]
        found[source, taker] += 1
        is_reversed = taker == edge[0]
        if look.get("dir") == "both":  # Graphviz draws the head in the first colour, the tail in the last
            assert look["color"].split(":")[-1 if is_reversed else 0] == dot.GREY
            assert look["color"].split(":")[0 if is_reversed else -1] == dot.ORANGE
            norm = re.search("gradient norm (.*?)&#10;|gradient norm (.*?)$", look["tooltip"])
            in_node = [row for row in rows_of(parsed.get_node(source).attr["label"]) if row.startswith("grad ")]
            said = [look["label"].strip()] if look.get("label", "").strip() else [row[5:] for row in in_node]
            assert said == [f"{float(norm[1] or norm[2]):.2g}"]
        else:
            assert (look.get("dir") == "back") == is_reversed
        names = {tensor.title for drawn, tensor in inputs[taker] if drawn.kind == "mark" and ids[drawn] == source}
        assert not names or any(look["tooltip"].startswith(name) for name in names)
    assert {pair: min(count, 1) for pair, count in taken.items()} == dict.fromkeys(found, 1)
    assert all(found[pair] in (1, count) for pair, count in taken.items())


def test_parallel_arrows_have_room_for_their_norms():
    """Of a single one the label stands at its right; of several the next arrow would cross it."""
    x = mg.tensor([1.0, 2.0], requires_grad=True, name="x")
    h = mg.tanh(x)
    _, edges, _ = drawn(mg.exp(h * h), gradients=True)
    labels = {(tail, head): look["label"] for tail, head, look in edges}
    assert labels["x", "tanh"] == " "  # in the node
    assert re.fullmatch(r" \S+", labels["multiply", "exp"])
    assert re.fullmatch(r"  \S+  ", labels["tanh", "multiply"])


def test_an_arrow_of_nan_is_red_and_a_share_of_a_sum_says_so():
    x = mg.tensor([0.0, 1.0], requires_grad=True, name="x")
    with np.errstate(all="ignore"):
        _, edges, _ = drawn(mg.sqrt(mg.tanh(x) * 0.0), gradients=True)
    looks = {(tail, head): look for tail, head, look in edges}
    for pair in (("tanh", "multiply"), ("multiply", "sqrt")):
        assert dot.RED in looks[pair]["color"]
        assert looks[pair]["fontcolor"] == dot.RED
        assert float(looks[pair]["penwidth"]) == dot.THICK
    h = mg.tanh(x)
    _, edges, _ = drawn(h * 3.0 + h, gradients=True)
    tips = {(tail, head): look["tooltip"] for tail, head, look in edges if head != "x"}
    assert "of the sum over all uses" in tips["tanh", "multiply"]
    assert "of the sum" not in tips["multiply", "add"]
    assert all(look.get("fontcolor") != dot.RED for _, _, look in edges)


@pytest.mark.parametrize(
    ("taken", "alone"),
    [
        ({"a": ""}, "a"),
        ({"a": "", "b": "a", "c": "b"}, "abc"),
        ({"a": "", "b": "a", "c": "a", "d": "bc"}, "ad"),
        ({"a": "", "b": "a", "c": "b", "d": "ca"}, "abcd"),  # a skip takes no level
        ({"a": "", "b": "a", "c": "b", "e": "a", "d": "ce"}, "ad"),  # e may be level with b or with c
        ({"a": "", "b": "a", "c": "b", "e": "", "d": "ce"}, "abd"),  # e is just above d
        ({"a": "", "b": "", "c": "ab", "d": "c"}, "cd"),
        ({"a": "", "b": "a", "c": "a"}, "a"),
    ],
)
def test_an_op_is_alone_on_its_level_if_no_other_can_be_there(taken, alone):
    """It may be on any level between its inputs and what takes it."""
    ops = {name: Part("op", name, (), np.dtype(float)) for name in taken}
    for name, sources in taken.items():
        ops[name].inputs = [(ops[source], ops[source]) for source in sources]
    assert "".join(op.title for op in dot._alone_on_their_levels(list(ops.values()))) == alone


def test_the_first_data_of_an_op_stands_above_it_and_the_second_beside_it():
    """A computation starts where its first data are."""
    w = mg.tensor([1.0, 2.0], requires_grad=True, name="w")
    data = {"above": np.ones((3, 2)), "beside": np.zeros((3, 2))}
    _, edges, parsed = drawn(mg.where(data["above"], w, data["beside"]), names=data)
    (row,) = parsed.subgraphs()
    assert [rows_of(node.attr["label"])[0] for node in row.nodes()] == ["w", "where", "beside"]
    looks = {(tail, head): look.get("dir") or "forward" for tail, head, look in edges}
    assert looks == {("above", "where"): "forward", ("w", "where"): "forward", ("where", "beside"): "back"}


@pytest.mark.parametrize("options", [{}, {"gradients": True, "depth": 0}])
def test_a_node_says_its_shape_unless_it_says_the_one_number_that_it_has(program, options):
    output = program()
    graph = mg.graph(output, **options)
    parsed = pygraphviz.AGraph(string=graph.source)
    for i, part in enumerate(graph.parts, start=1):
        says_value = part.is_output or part.kind in dot.QUIET
        assert (str(part.shape) in rows_of(parsed.get_node(f"n{i}").attr["label"])) == (not says_value)
    output.backward()
    nodes, _, parsed = drawn(output)
    assert "()" in rows_of(parsed.get_node(list(nodes.values())[-1]).attr["label"])  # the value is released


def test_what_a_vjp_recorded_has_a_look_of_its_own():
    x = mg.tensor([1.0, 2.0], requires_grad=True, name="x")
    with mg.scope("inner"):
        y = mg.tanh(mg.exp(x)).sum()
    slopes = mg.grad(lambda x: mg.tanh(mg.exp(x)).sum())(x)
    nodes, _, parsed = drawn(slopes.sum() + y, depth=0)
    colours = {title: parsed.get_node(node).attr["fillcolor"] for title, node in nodes.items()}
    assert {colour for title, colour in colours.items() if title.startswith(dot.BACKWARD)} == {
        dot.BACKWARD_LOOK["fillcolor"]
    }
    assert colours["inner"] == dot.LOOKS["fold"]["fillcolor"]


def faults(text):
    return [row for row, *_ in dot._fault_rows(Part("op", "sqrt", (), np.dtype(float), fault=text))]


def test_a_long_fault_has_rows_that_are_not_cut():
    said = "x" * (LONGEST - len(" gave NaN at [0]")) + " gave NaN at [0]"
    assert faults(f"{said} (file.py:3)") == [said, "(file.py:3)"]
    assert faults(f"x{said} (file.py:3)") == [
        "x" + said.removesuffix(" gave NaN at [0]"),
        "gave NaN at [0]",
        "(file.py:3)",
    ]
    assert faults("") == []


def test_text_that_graphviz_can_not_measure_has_its_width_said():
    x = mg.tensor([1.0], requires_grad=True, name="größe重み")
    nodes, _, parsed = drawn(mg.exp(x))
    label = parsed.get_node(nodes["größe重み"]).attr["label"]
    assert f'<TD WIDTH="{width("größe重み", dot.LARGE)}">' in label
    assert "WIDTH" not in parsed.get_node(nodes["exp"]).attr["label"]


def row_of(parsed, node):
    """The titles that stand on one level with a node: those of its leaves, and its own."""
    rows = [row.nodes() for row in parsed.subgraphs_iter() if row.graph_attr["rank"] == "same"]
    return [rows_of(parsed.get_node(each).attr["label"])[0] for row in rows if node in row for each in row]


def test_a_norm_that_a_fold_takes_stands_in_the_node_of_the_op_that_has_it():
    h = mg.tanh(mg.tensor([1.0, 2.0], requires_grad=True, name="x"))
    with mg.scope("inside"):
        y = mg.sin(h) * 3.0
        z = mg.cos(h)
    nodes, edges, parsed = drawn(mg.stack([y, z, y]), y + h, gradients=True, depth=0)
    labels = {(tail, head): look["label"].strip() for tail, head, look in edges if look.get("label")}
    assert labels["tanh", "inside"] == ""
    assert "grad " in str(rows_of(parsed.get_node(nodes["tanh"]).attr["label"]))
    assert labels["inside", "stack"] != ""  # a fold has no gradient of its own
    assert not any(row.startswith("grad") for row in rows_of(parsed.get_node(nodes["inside"]).attr["label"]))


def test_what_stands_beside_an_op():
    """Leaves that it alone takes, and marks; not those of a fold, which has the picture's width."""
    w, v = (mg.tensor([1.0, 2.0], requires_grad=True, name=name) for name in "wv")
    y = mg.tanh(w)
    for _ in range(3):
        y = mg.sin(y * w)
    with mg.scope("inside"):
        y = mg.sin(y * v)
    many = [mg.tensor([1.0, 2.0], requires_grad=True, name=f"x{i}") for i in range(20)]
    nodes, edges, parsed = drawn(mg.stack([y, *many]), gradients=True, depth=0, max_nodes=30)
    assert row_of(parsed, nodes["inside"]) == []
    assert [look["label"].strip() for tail, _, look in edges if tail == "x0 to x19"] == ["6.3"]  # sqrt(40)
    titles = [rows_of(node.attr["label"])[0] for node in parsed.nodes()]
    ops = [node for node, title in zip(parsed.nodes(), titles, strict=True) if title == "multiply"]
    assert [sorted(row_of(parsed, op)) for op in ops] == 3 * [["multiply", "w"]]
    beside = {leaf for op in ops for leaf in row_of(parsed, op)}
    assert not any(look.get("style") == "invis" and head in beside for _, head, look in edges)


def test_a_fold_has_no_leaf_beside_it():
    first, second = (mg.tensor([1.0, 2.0], name=name) for name in ("first", "second"))
    w = mg.tensor([1.0, 2.0], requires_grad=True, name="w")
    with mg.scope("inside"):
        y = first * w + second * w
    nodes, edges, parsed = drawn(mg.exp(y), depth=0)
    assert [(tail, head) for tail, head, _ in edges] == [("first", "inside"), ("second", "inside"), ("inside", "exp")]
    assert row_of(parsed, nodes["inside"]) == []


def test_an_op_of_a_box_is_fed_from_above_all_its_leaves_but_those_beside_it():
    x = mg.tensor([1.0, 2.0], requires_grad=True, name="x")
    y = mg.tanh(x)
    with mg.scope("inside"):
        above, beside = (mg.tensor([1.0, 2.0], requires_grad=True, name=name) for name in ("above", "beside"))
        y = mg.exp(y * beside)
        y = y * above + mg.sin(above)
    _, edges, _ = drawn(y.sum())
    assert [(tail, head) for tail, head, look in edges if look.get("style") == "invis"] == [("tanh", "above")]


def test_a_norm_that_is_not_finite_is_red_in_its_node():
    x, w = (mg.tensor([0.0, 1.0], requires_grad=True, name=name) for name in "xw")
    with np.errstate(all="ignore"):
        nodes, _, parsed = drawn(mg.sqrt(x) * w, gradients=True)
    labels = {name: parsed.get_node(nodes[name]).attr["label"] for name in "xw"}
    assert re.search(f'COLOR="{dot.RED}">grad (inf|nan)<', labels["x"])
    assert re.search(f'COLOR="{dot.DARK_ORANGE}">grad 1<', labels["w"])


def test_an_output_of_several_entries_shows_its_shape_and_its_values():
    x = mg.tensor([1.0, 2.0], requires_grad=True, name="x")
    nodes, _, parsed = drawn(x * 2.0, values=True)
    assert rows_of(parsed.get_node(nodes["multiply"]).attr["label"]) == ["multiply", "(2,)", "[2, 4]"]


def test_a_leaf_with_the_name_of_a_vjp_looks_like_a_leaf():
    nodes, _, parsed = drawn(mg.exp(mg.tensor([1.0], requires_grad=True, name=f"{dot.BACKWARD}tanh")))
    assert parsed.get_node(nodes[f"{dot.BACKWARD}tanh"]).attr["fillcolor"] == dot.LOOKS["parameter"]["fillcolor"]


def test_a_drawing_of_nothing_has_no_caption():
    assert "TABLE" not in dot.draw([]).source
