"""The DOT of a graph: its nodes, edges, boxes and styles, what its gradients are, and what drawing leaves alone."""

import gc
import inspect
import itertools
import os
import random
import re
import sys
import weakref

import numpy as np
import pygraphviz
import pytest

import minigrad as mg
from minigrad.viz.folding import fold
from minigrad.viz.parts import read_tape


def structure(graph):
    """Nodes by title and the boxes around each, edges as pairs of titles, boxes by label: as Graphviz parses it."""
    parsed = pygraphviz.AGraph(string=graph.source)
    inside, boxes = dict.fromkeys(parsed.nodes(), ()), {}

    def visit(part, path):
        for inner in part.subgraphs():
            name = text(inner.graph_attr["label"]) if inner.name and inner.name.startswith("cluster") else None
            if name:
                boxes.setdefault(name, []).append(path)
            inner_path = (*path, name) if name else path
            inside.update({node: inner_path for node in inner.nodes() if len(inner_path) >= len(inside[node])})
            visit(inner, inner_path)

    visit(parsed, ())
    title = {node: text(node.attr["label"].split("</TR>")[0]) for node in inside}
    edges = sorted((title[tail], title[head]) for tail, head in parsed.edges())
    return {title[node]: (node.attr.to_dict(), path) for node, path in inside.items()}, edges, boxes


def cpu_seconds():
    """Of this process and its children, which other load on the machine does not change."""
    return sum(os.times()[:4])


def text(label):
    return re.sub("<[^>]*>", "", label)


def test_the_cnn_has_its_nodes_edges_boxes_and_styles(programs):
    nodes, edges, boxes = structure(mg.graph(programs["cnn"](), gradients=True))
    chain = ["images", "conv2d", "relu", "avg_pool2d", "reshape", "matmul", "add", "softmax_cross_entropy"]
    assert set(nodes) == {*chain, "k", "b", "w", "labels"}
    assert set(itertools.pairwise(chain)) < set(edges)
    assert len(edges) == 12
    assert set(boxes) == {"conv1", "fc"}
    assert nodes["relu"][1] == nodes["k"][1] == ("conv1",)
    assert nodes["images"][1] == nodes["labels"][1] == ()
    assert nodes["images"][0]["style"] == "filled,dashed"
    assert nodes["k"][0]["fillcolor"] == "#E3F5EE"
    assert nodes["softmax_cross_entropy"][0]["peripheries"] == "2"
    assert "loss 1." in nodes["softmax_cross_entropy"][0]["label"]
    assert "(2, 2, 6, 6)" in nodes["conv2d"][0]["label"]
    for said in ("padding=0", "stride=1", "float64", "bytes", "mean"):
        assert said in nodes["conv2d"][0]["tooltip"]


def test_a_tensor_used_twice_is_one_node_with_two_edges(programs):
    nodes, edges, _ = structure(mg.graph(programs["square"]()))
    assert set(nodes) == {"x", "multiply", "sum"}
    assert edges == [("multiply", "sum"), ("x", "multiply"), ("x", "multiply")]


def test_scopes_nest(programs):
    nodes, _, boxes = structure(mg.graph(programs["residual"]()))
    assert boxes["dense"] == [("block0",), ("block1",)]
    assert nodes["scale"][1] == ("block1", "dense")


def test_a_leaf_of_two_scopes_stands_where_they_meet():
    x, w, v = (mg.tensor(np.ones(2), requires_grad=True, name=name) for name in "xwv")
    y = mg.tanh(x)
    with mg.scope("a"):
        with mg.scope("b"):
            with mg.scope("c"):
                y = mg.tanh(y)
            with mg.scope("d"):
                y = y * w * v
            with mg.scope("e"):
                y = y * v
        with mg.scope("f"):
            y = y * w
    nodes, _, boxes = structure(mg.graph(y))
    assert (nodes["w"][1], nodes["v"][1], nodes["x"][1]) == (("a",), ("a", "b"), ())
    assert {name: len(places) for name, places in boxes.items()} == dict.fromkeys("abcdef", 1)


def test_only_an_op_with_room_has_leaves_at_its_sides(programs):
    parsed = pygraphviz.AGraph(string=mg.graph(programs["attention"]()).source)
    box = parsed.get_subgraph("cluster_1")
    rows = [{text(node.attr["label"].split("</TR>")[0]) for node in row.nodes()} for row in box.subgraphs()]
    assert {"O", "matmul"} in rows
    assert {"Q", "K", "V"}.isdisjoint(set().union(*rows))


def test_norms_are_those_of_vjp():
    def f(x, w, b):
        h = mg.tanh(x @ w + b)
        return (h * h).sum()

    rng = np.random.default_rng(0)
    arrays = rng.normal(size=(3, 4)), rng.normal(size=(4, 2)), rng.normal(size=2)
    tensors = [mg.tensor(a, requires_grad=True, name=n) for a, n in zip(arrays, "xwb", strict=True)]
    drawn = {part.title: part.gradient for part in mg.graph(f(*tensors), gradients=True).parts}
    expected = mg.vjp(f, *arrays)[1](1.0)
    for name, gradient in zip("xwb", expected, strict=True):
        assert drawn[name] == pytest.approx(np.linalg.norm(gradient), rel=1e-14)
    z = arrays[0] @ arrays[1] + arrays[2]
    assert drawn["add"] == pytest.approx(np.linalg.norm(2 * np.tanh(z) * (1 - np.tanh(z) ** 2)), rel=1e-14)
    assert f"grad {drawn['w']:.2g}" in mg.graph(f(*tensors), gradients=True).source


def test_norms_neither_overflow_nor_underflow():
    x = mg.tensor([1.0, 1.0], requires_grad=True, name="x")
    part = mg.graph((x * 1e200).sum(), gradients=True).parts[0]
    assert part.gradient == pytest.approx(1e200 * 2**0.5)
    tiny = mg.tensor([1.0, 1.0], requires_grad=True)
    assert mg.graph((tiny * 1e-200).sum(), gradients=True).parts[0].gradient == pytest.approx(1e-200 * 2**0.5)


def test_an_arrow_of_two_heads_has_a_line_between_them_also_without_a_label(programs):
    graph = mg.graph(programs["square"](), gradients=True).digraph
    plain = pygraphviz.AGraph(string=graph.source).draw(format="plain", prog="dot").decode()
    ys = [float(line.split()[3]) for line in plain.splitlines() if line.startswith("node")]
    assert len(ys) == 3
    assert ys[0] - ys[1] > ys[1] - ys[2] - 0.1  # inches; x * x is as far from x as from its sum


def test_several_outputs_and_arrays_are_differentiated_as_their_sum():
    x = mg.tensor([1.0, 2.0], requires_grad=True, name="x")
    graph = mg.graph(x * 3, (x * x).sum(), gradients=True)
    assert graph.parts[0].gradient == pytest.approx(np.linalg.norm([5.0, 7.0]))
    assert "gradient of the sum" in graph.source
    assert sum(part.is_output for part in graph.parts) == 2


def test_the_caption_says_where_a_sum_is_differentiated():
    x = mg.tensor([1.0, 2.0], requires_grad=True, name="x")
    said = "gradient of the sum of all entries of the outputs"
    for outputs, is_sum in (((x * 3,), True), ((x[0], x[1]), True), ((x.sum(),), False), ((x[:1] * 3,), False)):
        assert (said in mg.graph(*outputs, gradients=True).source) == is_sum
        assert said not in mg.graph(*outputs).source


def test_each_branch_of_a_shared_tensor_shows_its_own_norm_and_the_tensor_that_of_the_sum():
    x = mg.tensor([0.3, -0.5], requires_grad=True, name="x")
    h = mg.tanh(x)
    graph = mg.graph((h * h).sum(), mg.exp(h * 3.0).mean(), gradients=True)
    own = [2 * np.abs(np.tanh([0.3, -0.5])) / 2] * 2 + [1.5 * np.exp(3 * np.tanh([0.3, -0.5]))]
    parsed = pygraphviz.AGraph(string=graph.source)
    title = {node: text(node.attr["label"].split("</TR>")[0]) for node in parsed.nodes()}
    shown = sorted(edge.attr["label"].strip() for edge in parsed.edges() if title[edge[0]] == "tanh")
    assert shown == sorted(f"{np.linalg.norm(norm):.2g}" for norm in own)
    total = np.linalg.norm(2 * np.tanh([0.3, -0.5]) + own[2])
    assert f"grad {total:.2g}" in graph.source


def test_each_use_of_a_parameter_shows_its_own_norm():
    w = mg.tensor([1.0, 2.0], requires_grad=True, name="w")
    a, b = np.array([3.0, 4.0]), np.array([0.0, 2.0])
    parsed = pygraphviz.AGraph(string=mg.graph((w * a + w * b).sum(), gradients=True).source)
    labels = [edge.attr["label"].strip() for edge in parsed.edges() if "grad" in parsed.get_node(edge[0]).attr["label"]]
    assert sorted(labels) == ["2", "5"]


def leaves_of(y):
    nodes = [y.node]
    for node in nodes:  # grows while it is read
        nodes += [parent for parent in node.parents if parent is not None and parent not in nodes]
    return [node for node in nodes if node.op is None]


def test_drawing_changes_nothing(program):
    y, undrawn = program(), program()
    states = str(np.random.get_state()), random.getstate()  # noqa: NPY002
    mg.graph(y, gradients=True, values=True).svg()
    mg.viz.trace(y).html()
    assert (str(np.random.get_state()), random.getstate()) == states  # noqa: NPY002
    assert all(leaf.grad is None for leaf in leaves_of(y))
    y.backward()
    undrawn.backward()
    for leaf, expected in zip(leaves_of(y), leaves_of(undrawn), strict=True):
        np.testing.assert_array_equal(leaf.grad, expected.grad)


def test_a_picture_keeps_no_array_alive():
    x = mg.tensor(np.ones(3), requires_grad=True)
    y = (x * x).sum()
    inner, leaf = weakref.ref(y.node.parents[0].output), weakref.ref(x.data)
    graph, walk = mg.graph(y, gradients=True), mg.viz.trace(y)
    del x, y
    assert inner() is leaf() is None
    assert len(graph.parts) == 3
    assert len(walk) == 4


def test_a_folded_picture_keeps_no_array_alive(programs):
    y = programs["cnn"]()
    arrays = [weakref.ref(y.node.output), weakref.ref(y.node.parents[0].output)]
    graph = mg.graph(y, gradients=True, depth=0)
    del y
    assert [array() for array in arrays] == [None, None]
    assert graph.source.count("box3d") == 2


def test_a_released_graph_is_drawn_without_gradients(programs):
    y = programs["cnn"]()
    y.backward()
    nodes, _, boxes = structure(mg.graph(y))
    assert {"conv2d", "k", "softmax_cross_entropy"} < set(nodes)
    assert set(boxes) == {"conv1", "fc"}
    assert "released" in nodes["conv2d"][0]["tooltip"]
    for draw in (mg.viz.flow, lambda y: mg.graph(y, gradients=True)):
        with pytest.raises(RuntimeError, match=r"^this graph was released by backward\(\).*retain_graph"):
            draw(y)


def test_names_of_variables():
    w = mg.tensor(np.ones((2, 2)), requires_grad=True)
    biases = {"b": mg.tensor(np.ones(2), requires_grad=True)}
    data = np.arange(4.0).reshape(2, 2)
    loss = mg.relu(mg.tensor(data) @ w + biases["b"]).mean()
    graph = mg.graph(loss, names=locals())
    nodes, _, _ = structure(graph)
    assert {"w", "b", "data", "loss"} < set(nodes) | {"loss"}
    assert "loss 4" in graph.source


def test_names_of_what_needs_no_gradient():
    w = mg.tensor(np.ones(2), requires_grad=True, name="w")
    held, scale = mg.tensor([2.0, 3.0]), mg.tensor([4.0])
    twin, other_twin = np.array([5.0, 6.0]), np.array([5.0, 6.0])
    names = {"held": held, "scale": scale, "twin": twin, "other_twin": other_twin, "_hidden": w, "number": 3}
    nodes, _, _ = structure(mg.graph(w * held * scale * twin, names=names))
    assert {"w", "held", "scale", "array"} < set(nodes)  # which of the twins it was can't be told


def test_what_has_no_name_is_called_by_its_role():
    x, k = mg.tensor(np.ones((1, 1, 3, 3))), mg.tensor(np.ones((1, 1, 2, 2)), requires_grad=True)
    nodes, _, _ = structure(mg.graph(mg.conv2d(x, k)))
    assert set(nodes) == {"x", "k", "conv2d"}


def test_several_parameters_without_name_or_role_are_numbered_as_they_were_made():
    a, b, c = (mg.tensor([1.0, 2.0], requires_grad=True) for _ in range(3))
    graph = mg.graph(((c * a) * b).sum())
    calls = [part.notes[0] for part in graph.parts if part.kind == "op"]
    assert calls[:2] == ["multiply(tensor 3, tensor 1)", "multiply(multiply, tensor 2)"]
    assert "tensor 2 [parameter]" in str(graph)
    assert "tensor [parameter]" in str(mg.graph(a * 2))


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([1.0, 2.0], "[1, 2]"),
        ([[1.5, np.nan], [-np.inf, 123456.0]], "[[1.5, nan], [-inf, 1.235e+05]]"),
        ([[1.23456e-7, -1.23456e-7, 0.1]] * 2, "[[1.2e-07, -1.2e-07, 0.1], [1.2e-07, ..."),
        ([np.nan], "value nan"),
        ([1.0] * 4 + [2.0] * 4, "min 1, mean 1.5, max 2"),
        ([1.0] * 7 + [np.nan], "1 of 8 NaN\nmin 1, mean 1, max 1"),
        ([np.nan, np.inf] + [2.0] * 6, "1 of 8 NaN\nmin 2, mean inf, max inf"),
        ([np.nan] * 8, "8 of 8 NaN"),
    ],
)
def test_values_are_the_entries_of_small_arrays_and_the_statistics_of_large_ones(entries, expected):
    graph = mg.graph(mg.tensor(entries, requires_grad=True) * 1.0, values=True)
    label = "".join(graph.digraph.body)
    assert all(f">{line}<" in label for line in expected.splitlines())


@pytest.mark.parametrize("data", [np.array([True, False]), np.array(["a", "b"]), np.array([1 + 2j, 3]), np.arange(2)])
def test_values_of_any_dtype_are_shown(data):
    op = mg.op(lambda x, kinds: x * 1.0, name="op")
    op.vjp("x", lambda g, a, x, kinds: g)
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    shown = str(mg.graph(op(x, data), values=True))
    assert "[1, 2]" in shown
    for one in ([], data[:1], data, [data] * 9):
        mg.graph(op(x, np.array(one)), values=True).svg()


def test_constants_are_small_and_settings_in_the_tooltip():
    x = mg.tensor(np.ones((2, 3)), requires_grad=True, name="x")
    nodes, edges, _ = structure(mg.graph((x * 2.5).reshape(3, 2)[1]))
    assert nodes["2.5"][0]["shape"] == "plaintext"
    assert ("2.5", "multiply") in edges
    assert "shape=(3, 2)" in nodes["reshape"][0]["tooltip"]
    assert "index=1" in nodes["getitem"][0]["tooltip"]


@pytest.mark.parametrize(("depth", "expected"), [(0, {"block0", "block1"}), (1, {"dense"})])
def test_depth_folds_scopes(programs, depth, expected):
    graph = mg.graph(programs["residual"](), depth=depth, gradients=True)
    folds = [part for part in graph.parts if part.kind == "fold"]
    assert {fold.title for fold in folds} == expected
    assert folds[1].detail == "6 ops, 3 parameters (80)"
    assert {fold.shape for fold in folds} == {(4, 8)}
    assert "relu" not in structure(graph)[0]


def test_a_fold_names_the_data_that_it_hides(programs):
    graph = mg.graph(programs["recurrent"](), depth=0)
    details = [part.detail for part in graph.parts if part.kind == "fold"]
    assert details == ["5 ops", *(f"5 ops\ndata x{t}" for t in range(1, 5))]  # h and x0 are drawn: it starts there
    w = mg.tensor(np.ones((2, 2)), requires_grad=True, name="w")
    with mg.scope("step"):
        y = w
        for i in range(5):
            y = y @ np.full((2, 2), i)
    (fold,) = [part for part in mg.graph(mg.tanh(y) * 2.0, depth=0).parts if part.kind == "fold"]
    assert fold.detail == "5 ops, 1 parameter (4)\n4 arrays of data"
    y = mg.graph((w * np.ones((2, 2))).sum(), max_nodes=3)
    assert len(y.parts) == 4


def fold_of(count):
    """The fold of a scope that hides so many named arrays, the last of which is a parameter."""
    y = mg.tensor([1.0, 2.0], requires_grad=True, name="x") * 2.0
    with mg.scope("step"):
        for j in range(count):
            y = y + mg.tensor([1.0, 2.0], name=f"d{j}")
        y = y * mg.tensor([1.0, 2.0], requires_grad=True, name="w")
    (fold,) = [part for part in mg.graph(y.sum(), gradients=True, depth=0).parts if part.kind == "fold"]
    return fold


@pytest.mark.parametrize(
    ("count", "said"), [(3, "data d0, d1, d2"), (4, "4 arrays of data"), (22, "22 arrays of data")]
)
def test_a_fold_lists_few_arrays_and_its_tooltip_many(count, said):
    fold = fold_of(count)
    assert fold.detail.splitlines()[1] == said
    assert fold.notes[2:] == [f"data d{i} (2,)" for i in range(min(count, 20))]


def test_a_fold_of_one_op_has_no_range_of_norms():
    assert fold_of(0).notes == ["1 multiply"]
    assert fold_of(1).notes[1].startswith("gradient norm ")


def test_two_repeats_are_counted(programs):
    drawn, _ = fold(read_tape([programs["residual"]().node]), 0, None, repeats=True)
    (block,) = [part for part in drawn if part.kind == "fold"]
    assert (block.title, block.detail.splitlines()[0]) == ("block0 to block1", "x 2")


def test_only_leaves_of_many_uses_are_marked():
    h = mg.tanh(mg.tensor([1.0, 2.0], requires_grad=True, name="x"))
    parts = mg.graph(mg.sin(h) + mg.cos(h) + mg.exp(h) + mg.sqrt(h + 3.0)).parts
    assert not [part.title for part in parts if part.kind == "mark"]


def test_a_folded_chain_says_what_it_hides():
    x = mg.tensor(np.ones(2), requires_grad=True, name="x")
    y = x
    for _ in range(10_000):
        y = mg.tanh(y)
    start = cpu_seconds()
    graph = mg.graph(y, gradients=True)
    str(graph)
    graph.svg()
    assert cpu_seconds() - start < 12
    (fold,) = [part for part in graph.parts if part.kind == "fold"]
    hidden = 10_000 - sum(part.kind == "op" for part in graph.parts)
    assert fold.title == f"{hidden:,} ops"
    assert f"{hidden:,} tanh" in fold.notes[0]
    assert len(graph.parts) < 40
    gc.collect()
    assert sum(type(living) is type(fold) for living in gc.get_objects()) < 100
    assert "folded" in graph.source


def test_max_nodes_folds_scopes_first():
    y = mg.tensor(np.ones(2), requires_grad=True)
    for i in range(20):
        with mg.scope(f"layer{i}"):
            for _ in range(10):
                y = mg.tanh(y)
    graph = mg.graph(y, max_nodes=30)
    assert [part.title for part in graph.parts if part.kind == "fold"] == [f"layer{i}" for i in range(20)]
    assert repr(graph) == "<computational graph: 20 nodes>"  # the parameter is inside of a fold, not missing
    assert len(mg.graph(y, max_nodes=None).parts) == 201


def test_a_thousand_nodes_are_quick():
    y, b = mg.tensor(np.ones(2), requires_grad=True), mg.tensor(np.ones(2), requires_grad=True)
    for _ in range(500):
        y = mg.tanh(y) * b
    start = cpu_seconds()
    graph = mg.graph(y, gradients=True, max_nodes=None)
    assert graph.svg().startswith("<svg")
    assert cpu_seconds() - start < (3 if sys.gettrace() is None else 12)  # a coverage tool makes Python slow
    assert sum(part.kind == "op" for part in graph.parts) == 1000


def test_data_of_a_later_step_stands_in_its_scope(programs):
    nodes, _, _ = structure(mg.graph(programs["recurrent"]()))
    assert [nodes[name][1] for name in ("x0", "x1", "x4")] == [(), ("step1",), ("step4",)]


def test_data_without_a_name_stands_outside_only_where_the_computation_starts():
    w, u = (mg.tensor(np.ones((2, 2)), requires_grad=True, name=name) for name in "wu")
    with mg.scope("step"):
        y = np.ones((2, 2)) @ w + np.zeros((2, 2)) @ u
    assert [part.scope for part in mg.graph(y).parts if part.kind == "data"] == [(), ("step",)]


def inches(graph):
    """The width and height of the picture, and the scale at which they are so."""
    layout = pygraphviz.AGraph(string=graph.source).draw(format="plain", prog="dot").decode()
    scale, width, height = map(float, layout.splitlines()[0].split()[1:])
    return scale * width, scale * height, scale


def test_a_picture_goes_down_or_across(programs):
    width, height, _ = inches(mg.graph(programs["cnn"]()))
    assert height > width
    width, height, _ = inches(mg.graph(programs["cnn"](), direction="LR"))
    assert width > height


def test_settings_are_in_the_node(programs):
    nodes, _, _ = structure(mg.graph(programs["cnn"](), settings=True))
    assert "stride=1, padding=0" in text(nodes["conv2d"][0]["label"])
    assert "window=2" in nodes["avg_pool2d"][0]["label"]
    assert "stride=None" not in nodes["avg_pool2d"][0]["label"]
    assert "stride" not in structure(mg.graph(programs["cnn"]()))[0]["conv2d"][0]["label"]


def test_the_caption_has_the_totals():
    w, b = (mg.tensor(np.ones(n), requires_grad=True) for n in (100, 1))
    y = mg.tanh(w * 2.0 + b)
    for graph in (mg.graph(y), mg.graph(y, max_nodes=3, gradients=True)):
        assert ">3 ops, 2 parameters (101)<" in graph.source
        assert ">2.4 kB saved for backward<" in graph.source  # of w * 2, + b and tanh
    y.backward(np.ones(100))
    assert "saved for backward" not in mg.graph(y).source
    assert ">3 ops, 2 parameters (101)<" in mg.graph(y).source


def residual_net(blocks):
    x = mg.tensor(np.ones((4, 8)), requires_grad=True, name="x")
    for i in range(blocks):
        with mg.scope(f"block{i}"):
            w = mg.tensor(np.ones((8, 8)) / 64, requires_grad=True, name=f"block{i}.w")
            x = x + mg.relu(x @ w)
    with mg.scope("head"):
        return mg.tanh(x).mean()


def test_repeated_scopes_are_one_node_with_their_number():
    graph = mg.graph(residual_net(20), gradients=True, max_nodes=8)
    details = {part.title: part.detail for part in graph.parts if part.kind == "fold"}
    assert details["block0 to block19"] == "x 20\n3 ops each, 21 parameters (1,312)"
    assert details["head"] == "2 ops"
    assert "repeats as one" in graph.source
    x = residual_net(2)
    assert "x 2" not in str(mg.graph(x, depth=0))


@pytest.mark.parametrize(
    ("width", "height"), [(6.5, 9.0), (3.0, 9.0), (9.0, 3.0), (2.0, 2.0), (None, 3.0), (3.0, None)]
)
@pytest.mark.parametrize("blocks", [1, 5, 20])
def test_a_picture_fits_its_page(blocks, width, height):
    graph = mg.graph(residual_net(blocks), gradients=True, width=width, height=height)
    found_width, found_height, scale = inches(graph)
    assert found_width <= (width or np.inf) + 0.05
    assert found_height <= (height or np.inf) + 0.05
    assert scale >= (0.64 if width != height else 0.3)  # there is no way to draw five nodes on two inches


def test_a_page_shows_as_much_as_fits():
    counts = [len(mg.graph(residual_net(8), width=side, height=side).parts) for side in (2, 5, 12, 40)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1] == len(mg.graph(residual_net(8)).parts)


def test_a_picture_that_is_tried_several_times_says_nothing_twice():
    w = x = mg.tensor(np.ones((2, 2)), requires_grad=True, name="w")
    for _ in range(3):
        x = mg.tanh(x @ w)
    for part in mg.graph(x.mean(), width=2, height=2).parts:
        assert len(set(part.notes)) == len(part.notes)


def test_a_doubled_sum_takes_linear_time():
    a = mg.tensor(1.0, requires_grad=True, name="a")
    y = a
    for _ in range(40):
        y = y + y
    start = cpu_seconds()
    graph = mg.graph(y, gradients=True)
    graph.svg()
    assert cpu_seconds() - start < 2
    assert len(graph.parts) == 41
    assert graph.parts[0].gradient == 2.0**40
    assert graph.source.count("->") == 80


def test_leaves_of_many_uses_share_a_mark(programs):
    graph = mg.graph(programs["recurrent"](), depth=0)
    marks = [part.title for part in graph.parts if part.kind == "mark"]
    assert marks == ["w, u, b"] * 4
    parsed = pygraphviz.AGraph(string=graph.source)
    layout = pygraphviz.AGraph(string=graph.source).draw(format="plain", prog="dot").decode()
    xs = [float(line.split()[2]) for line in layout.splitlines() if line.startswith("node") and "box3d" in line]
    assert max(xs) - min(xs) < 0.5  # inches: the steps go down and not aside
    assert len(parsed.edges()) == len({*map(tuple, parsed.edges())})


def test_the_steps_of_a_recurrent_net_go_down(programs):
    graph = mg.graph(programs["recurrent"]())
    layout = pygraphviz.AGraph(string=graph.source).draw(format="plain", prog="dot").decode()
    width, height = map(float, layout.splitlines()[0].split()[2:])
    assert width < height / 2


def test_a_leaf_that_many_ops_take_is_drawn_once_and_marked(programs):
    graph = mg.graph(programs["recurrent"]())
    kinds = [part.kind for part in graph.parts if part.title == "w"]
    assert sorted(kinds) == ["mark"] * 4 + ["parameter"]


def stacked(count=120, fault=False):
    """A stack of many parameters, one of them NaN if there is to be a fault, and a constant."""
    tensors = [mg.tensor([float(i), 2.0], requires_grad=True, name=f"x{i}") for i in range(count)]
    if fault:
        tensors[7].data[0] = np.nan
    return mg.stack([*tensors, np.zeros(2)]).sum()


def test_many_leaves_of_one_op_are_one_node():
    graph = mg.graph(stacked(), gradients=True)
    leaves, stack, _ = graph.parts
    assert (leaves.kind, leaves.title, leaves.shape) == ("leaves", "x0 to array", (2,))
    assert leaves.detail == "120 parameters (240)\n1 array of data"
    assert leaves.gradient == pytest.approx(240**0.5)
    assert [drawn for drawn, _ in stack.inputs] == [leaves] * 121
    assert graph.source.count(" -> ") == 2
    assert "stack(x0 to array)" in str(graph)
    assert "x0 to array [leaves]" in str(graph)
    assert "first" not in graph.source
    assert len(mg.graph(stacked(), max_nodes=None).parts) == 123
    assert len(mg.graph(stacked(12)).parts) == 15
    assert "holds NaN: x7" in mg.graph(stacked(fault=True)).source


def test_a_leaf_that_two_ops_take_is_not_folded_with_the_others_of_one():
    tensors = [mg.tensor([float(i), 2.0], requires_grad=True, name=f"x{i}") for i in range(120)]
    graph = mg.graph(mg.stack(tensors).sum() + tensors[0].sum())
    assert [part.title for part in graph.parts if part.kind != "op"] == ["x0", "x1 to x119"]


def test_many_numbers_of_one_op_show_their_shape():
    numbers = [mg.tensor(float(i), requires_grad=True, name=f"x{i}") for i in range(120)]
    assert ">()<" in mg.graph(mg.stack(numbers).sum()).source


def test_many_tensors_from_a_fold_to_one_op_are_one_edge():
    def edges(count):
        x = mg.tensor([1.0, 2.0], requires_grad=True, name="x")
        with mg.scope("parts"):
            parts = [mg.sin(x) for _ in range(count)]
        graph = mg.graph(mg.stack(parts).sum(), gradients=True, depth=0)
        return [line for line in graph.source.splitlines() if line.strip().startswith("n1 -> n2")]

    assert len(edges(6)) == 6
    (edge,) = edges(7)
    assert f'label="{7**0.5 * 2**0.5:.2g}"' in edge.replace(" ", "")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_op_that_makes_the_first_nan_is_marked_in_words():
    x = mg.tensor([1.0, -1.0], requires_grad=True, name="x")
    graph = mg.graph((mg.log(x) * 2).sum())
    nodes, _, _ = structure(graph)
    assert [name for name, (node, _) in nodes.items() if "first NaN here" in node["label"]] == ["log"]
    assert [name for name, (node, _) in nodes.items() if node["color"] == "#B3261E"] == ["log", "multiply", "sum"]
    with mg.scope("bad"):
        bad = mg.log(x)
    assert "first NaN here: log" in mg.graph(bad.sum(), depth=0).source
    zero = mg.tensor([0.0], requires_grad=True, name="zero")
    graph = mg.graph(mg.sqrt(zero * 2).sum(), gradients=True)
    assert {part.title: part.fault for part in graph.parts if part.fault} == {
        "sqrt": "sqrt's derivative gave inf at [0]"
    }


def faults(graph):
    return {part.title: part.fault for part in graph.parts if part.fault}


def test_a_nan_gradient_belongs_to_the_op_whose_derivative_made_it():
    x = mg.tensor([[4.0, 0.0], [1.0, 1.0]], requires_grad=True, name="x")
    mask = np.array([[1.0, 0.0], [1.0, 1.0]])
    with mg.scope("distance"), mg.debug():
        y = (mg.sqrt(x) * mask).sum()
        line = inspect.currentframe().f_lineno - 1
    said = f"sqrt's derivative gave NaN at [0, 1] (test_graph.py:{line})"
    graph = mg.graph(y, gradients=True)
    assert faults(graph) == {"sqrt": said}
    assert f"! {said}" in str(graph)
    nodes, _, _ = structure(graph)
    assert [name for name, (node, _) in nodes.items() if node["color"] == "#B3261E"] == ["sqrt"]
    assert "where g = 0, " in nodes["sqrt"][0]["tooltip"]
    assert faults(mg.graph(y, gradients=True, depth=0)) == {"distance": said}
    assert "first NaN" not in graph.source


def test_of_several_arguments_the_one_is_named():
    x, b = (mg.tensor(a, requires_grad=True, name="xb"[len(np.shape(a)) == 0]) for a in ([0.0, 0.0], 0.0))
    y = mg.tensor([1.0, 2.0], requires_grad=True) * mg.exp(x)
    power = mg.power(x, b + 2.0) + mg.power(x * 1.0, b + 0.5)  # the second: 0.5 * 0**-0.5
    assert faults(mg.graph((power * y).sum(), gradients=True)) == {"power": "power's derivative gave inf at x1[0]"}


def test_every_op_that_makes_a_nan_gradient_is_named_and_none_that_passes_it_on():
    x = mg.tensor([0.0, 1.0], requires_grad=True, name="x")
    y = mg.sqrt(mg.tanh(x * 2.0))
    graph = mg.graph(y[1] + mg.sqrt(mg.sin(x))[0], gradients=True)
    assert [part.fault for part in graph.parts if part.fault] == [
        "sqrt's derivative gave NaN at [0]",
        "sqrt's derivative gave inf at [0]",
    ]


def notes(graph):
    return [note for part in graph.parts for note in part.notes if "derivative" in note]


def test_what_is_said_of_a_nan_is_all_that_is_known_of_it():
    """The numbers where all arrays have one shape, the place unless there is but one; the first of two arguments."""
    x, y = (mg.tensor([1.0, 0.0], requires_grad=True, name=name) for name in "xy")
    assert notes(mg.graph(mg.sqrt(x).sum(), gradients=True)) == [
        "sqrt's derivative gave inf at [1], where g = 1, x = 0"
    ]
    assert notes(mg.graph(mg.sqrt(x[1]), gradients=True)) == ["sqrt's derivative gave inf, where g = 1, x = 0"]
    column = mg.power(x, np.array([[0.5], [1.0]])).sum()
    assert notes(mg.graph(column, gradients=True)) == ["power's derivative gave inf at [1]"]
    with np.errstate(all="ignore"):
        graph = mg.graph(nan_in_both(x, y).sum(), gradients=True)
    assert notes(graph) == [
        f"nan_in_both's derivative gave NaN at {name}[1], where g = 1, x = 0, y = 0" for name in "xy"
    ]
    assert faults(graph) == {"nan_in_both": "nan_in_both's derivative gave NaN at x[1]"}


@mg.op
def nan_in_both(x, y):
    return x + y


nan_in_both.vjp("x")(lambda g, out, x, y: g * (x / x))
nan_in_both.vjp("y")(lambda g, out, x, y: g * (y / y))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_op_is_not_blamed_for_a_nan_that_it_was_given_or_gave_before():
    x = mg.tensor([np.inf], requires_grad=True, name="x")
    b = mg.tensor([0.0], requires_grad=True, name="b")
    graph = mg.graph(mg.power(x, b).sum(), gradients=True)  # inf**0 = 1, and its derivative in b is log(inf)
    assert faults(graph) == {"x": "holds inf"}
    graph = mg.graph(mg.log(b).sum(), gradients=True)
    assert (faults(graph), notes(graph)) == ({"log": "first inf here"}, [])
    y = mg.log(b)
    graph = mg.graph((y * 1e308 + y * 1e308).sum(), gradients=True)
    assert faults(graph)["log"] == "first inf here"


def test_a_sum_of_gradients_that_overflows_is_not_blamed_on_an_op():
    x = mg.tensor([0.0, 0.0], requires_grad=True, name="x")
    y = mg.tanh(x)
    graph = mg.graph((y * 1e308 + y * 1e308).sum(), gradients=True)
    assert faults(graph) == {"tanh": "the sum of its gradients is inf"}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_nan_of_the_forward_is_not_blamed_on_a_derivative():
    x, w = (mg.tensor([1.0, 2.0], requires_grad=True, name=name) for name in "xw")
    graph = mg.graph((w * mg.log(x - 2.0)).sum(), gradients=True)
    assert faults(graph) == {"log": "first NaN here"}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_picture_inside_debug_is_drawn_and_not_an_error():
    x = mg.tensor([0.0], requires_grad=True, name="x")
    with mg.debug():
        y = (mg.sqrt(x) * 0.0).sum()
        assert list(faults(mg.graph(y, gradients=True))) == ["sqrt"]
        assert mg.graph(y).parts[1].line[0] == __file__


def test_a_bad_constant_is_marked():
    x = mg.tensor([1.0], requires_grad=True, name="x")
    nodes, _, _ = structure(mg.graph(x * float("nan")))
    assert "holds NaN" in nodes["nan"][0]["label"]
    assert "first" not in nodes["multiply"][0]["label"]


def test_dead_gradients_are_thin_and_zero():
    x = mg.tensor([-1.0, -2.0], requires_grad=True, name="x")
    parsed = pygraphviz.AGraph(string=mg.graph((mg.relu(x) * 2).sum(), gradients=True).source)
    assert [edge.attr["penwidth"] for edge in parsed.edges() if edge[0] == parsed.nodes()[0]] == ["0.80"]


def test_a_leaf_alone():
    assert len(mg.graph(mg.tensor(1.0, requires_grad=True, name="x"), gradients=True).parts) == 1


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((np.ones(2),), {}, TypeError, "graph: expected a Tensor, not ndarray"),
        ((mg.tensor(1.0),), {}, RuntimeError, "graph: this Tensor needs no gradient"),
        ((mg.tensor(1.0, requires_grad=True),), {"max_nodes": 2}, ValueError, "max_nodes must be at least 3, not 2"),
        ((mg.tensor(1.0, requires_grad=True),), {"depth": -1}, ValueError, "depth must be at least 0, not -1"),
        ((mg.tensor(1.0, requires_grad=True),), {"direction": "BT"}, ValueError, "must be 'TB' or 'LR', not 'BT'"),
        ((mg.tensor(1.0, requires_grad=True),), {"names": ["x"]}, TypeError, "names must be a dict of Tensors by name"),
        ((mg.tensor(1.0, requires_grad=True),), {"width": 0}, ValueError, "width must be a positive number of inches"),
        ((mg.tensor(1.0, requires_grad=True),), {"height": np.inf}, ValueError, "height must be a positive number"),
    ],
)
def test_wrong_input(arguments, options, error, message):
    with pytest.raises(error, match=message):
        mg.graph(*arguments, **options)


def test_the_repr_of_a_part_has_an_end():
    y = mg.tensor(1.0, requires_grad=True)
    for _ in range(60):
        y = y * y
    assert len(repr(mg.graph(y, max_nodes=None).parts[-1])) < 1000


def test_a_fold_says_where_in_it_the_norm_of_the_gradient_is_least():
    y = mg.tensor([1.0], requires_grad=True)
    with mg.scope("deep"):
        for _ in range(4):
            y = y * 0.1
    (deep, _) = [part for part in mg.graph(y.sum(), gradients=True, depth=0).parts if part.is_computed]
    assert "gradient norm 0.001, the least, at op 1, to 1" in deep.notes
    (deep, _) = [part for part in mg.graph(y.sum(), depth=0).parts if part.is_computed]
    assert not any("gradient" in note for note in deep.notes)


def second_order():
    """The sum of a product of the Hessian of tanh(x @ w) with a vector."""

    def f(w):
        with mg.scope("layer"):
            return mg.tanh(mg.tensor(np.ones((2, 3)), name="data") @ w).sum()

    w = mg.tensor(np.full((3, 4), 0.1), requires_grad=True, name="w")
    return mg.hvp(f, w, np.ones((3, 4))).sum()


def test_what_a_vjp_recorded_is_one_node_named_after_its_op():
    graph = mg.graph(second_order(), gradients=True)
    names = [part.title for part in graph.parts if part.is_computed]
    assert names[:2] == ["matmul", "tanh"]
    assert {"backward of tanh", "backward of matmul"} <= set(names)
    assert "identity" not in names
    assert [part.title for part in graph.parts if part.kind == "parameter"] == ["w"]
    (first, *_) = [part for part in graph.parts if part.title == "backward of tanh"]
    assert (first.kind, first.scope) == ("fold", ("layer",))
    assert '"#B06F00"' in graph.source
    assert '"#B06F00"' not in mg.graph(mg.tensor(1.0, requires_grad=True) * 2).source


def test_a_depth_opens_what_a_vjp_recorded():
    names = [part.title for part in mg.graph(second_order(), depth=9).parts if part.is_computed]
    assert "subtract" in names
    assert not any(name.startswith("backward") for name in names)


def test_a_vjp_of_a_vjp_is_inside_of_it():
    x = mg.tensor(0.5, requires_grad=True, name="x")
    y = mg.grad(mg.grad(mg.grad(mg.tanh)))(x)
    scopes = {part.scope for part in mg.graph(y, depth=9).parts}
    assert any(len(scope) == 2 and scope[0] == "backward of tanh" for scope in scopes)
    assert mg.graph(y).parts[0].title == "x"


def test_gradients_through_what_only_carries_a_tensor():
    x = mg.tensor([2.0, 3.0], requires_grad=True, name="x")
    y = (mg.grad(lambda x: (x * x * x).sum())(x) * x).sum()
    graph = mg.graph(y, gradients=True)
    y.backward()
    (drawn,) = [part for part in graph.parts if part.kind == "parameter"]
    assert drawn.gradient == pytest.approx(np.linalg.norm(x.grad))


def test_a_nan_behind_what_only_carries_a_tensor_is_explained():
    x = mg.tensor([0.0], requires_grad=True, name="x")
    with np.errstate(all="ignore"):
        y = mg.grad(lambda x: (mg.sqrt(x) ** 4.0).sum())(x)
        faults = [part.fault for part in mg.graph(y.sum(), gradients=True, depth=9).parts if part.fault]
    assert faults
    assert not any("sum of its gradients" in fault for fault in faults)


def test_the_entry_of_a_tensor_alone_is_drawn():
    y = mg.grad(lambda x: (x * x).sum())(mg.tensor([2.0], requires_grad=True, name="x"))
    assert [part.title for part in mg.graph(y).parts if part.is_computed][-1] != "identity"


def test_a_value_that_is_used_twice_shows_the_norm_of_its_gradient():
    x = mg.tensor([3.0, 4.0], requires_grad=True, name="x")
    y = mg.sin(x)
    assert ">grad 14<" not in mg.graph((y * 10).sum(), gradients=True).source
    assert ">grad 14<" in mg.graph((y * 1 + y * 9).sum(), gradients=True).source


def test_a_picture_inside_of_a_transform():
    drawn = []

    def f(x):
        drawn.append(mg.graph(x * x))
        drawn.append(mg.graph(x))
        return (x * x).sum()

    mg.grad(f)(np.ones(2))
    assert [[part.title for part in graph.parts] for graph in drawn] == [
        ["x", "identity", "multiply"],
        ["x", "identity"],
    ]
    drawn.clear()
    mg.grad(f)(mg.tensor([1.0, 2.0], requires_grad=True, name="w"))
    assert [[part.title for part in graph.parts] for graph in drawn] == [["w", "multiply"], ["w", "identity"]]
    assert all(graph.parts[-1].is_output for graph in drawn)


def test_a_number_is_not_named_after_an_equal_array():
    x = mg.tensor([1.0, 2.0], requires_grad=True, name="x")
    graph = mg.graph(x * 2.5 * np.float64(3.5), names={"a": np.array(3.5), "b": np.ones(2)})
    assert [part.title for part in graph.parts if part.kind == "constant"] == ["2.5", "3.5"]


def test_the_note_of_an_op_says_which_variable_it_became():
    x = mg.tensor([1.0, 2.0], requires_grad=True, name="x")
    y = x * 2.0
    notes = [part.notes[0] for part in mg.graph(mg.sin(y), names={"y": y}).parts if part.kind == "op"]
    assert notes == ["y = multiply(x, 2)", "sin(multiply)"]


def test_a_folded_picture_leads_to_none_of_the_parts_that_it_hides():
    y = mg.tensor([1.0, 2.0], requires_grad=True, name="x")
    for _ in range(100):
        y = mg.tanh(y)
    reached = list(mg.graph(y, max_nodes=8).parts)
    for part in reached:  # grows while it is read
        reached += [each for pair in part.inputs for each in pair if each not in reached]
    assert len(reached) < 20


def test_the_value_of_one_entry_is_said_wherever_it_is():
    x = mg.tensor([2.0], requires_grad=True, name="x")
    graph = mg.graph(mg.sin(x * 3.0), values=True)
    assert [part.detail for part in graph.parts if part.title in ("x", "multiply")] == ["value 2", "value 6"]
    empty = mg.graph(mg.sin(mg.tensor(np.zeros((0, 2)), requires_grad=True)), values=True)
    assert [part.detail for part in empty.parts] == ["", ""]


@pytest.mark.parametrize("suffix", ["html", "dot", "flow", "walk"])
def test_a_picture_replaces_the_one_before_whole_or_not_at_all(suffix, tmp_path, monkeypatch):
    loss = mg.tensor([1.0, 2.0], requires_grad=True).sum()
    picture = {"flow": mg.viz.flow, "walk": mg.viz.trace}.get(suffix, mg.graph)(loss)
    path = tmp_path / f"picture.{ {'flow': 'svg', 'walk': 'html'}.get(suffix, suffix) }"
    assert picture.save(path) == path
    before = path.read_bytes()

    def full(_):
        raise OSError("No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        picture.save(path)
    assert [path.read_bytes()] == [before]
    assert [*tmp_path.iterdir()] == [path]
