"""What is folded, how deep, and in which order the rest is drawn."""

import contextlib
import re
from itertools import groupby
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.viz import folding
from minigrad.viz._graph import nodes_of
from minigrad.viz.parts import read_tape


def runs(paths, depth):
    """How many runs of neighbours each scope of a depth has."""
    prefixes = [path[:depth] for path, _ in groupby(path[:depth] for path in paths)]
    return {path: prefixes.count(path) for path in prefixes if len(path) == depth}


@pytest.mark.parametrize("keep", [3, 6, 9])
def test_no_single_group_is_hidden_between_the_first_and_the_last(keep):
    groups = [folding._Group([], (), str(i)) for i in range(keep)]
    assert folding._without_middle(groups, keep) == groups


@pytest.mark.parametrize("keep", [0, 1, 3, 4, 6, 9, 12])
def test_of_one_group_more_than_is_kept_two_are_hidden_after_a_third(keep):
    groups = [folding._Group([SimpleNamespace(scope=())], ()) for _ in range(max(keep, 3) + 1)]
    drawn = folding._without_middle(groups, keep)
    assert len(drawn) == max(keep, 3)
    ((place, fold),) = [(i, group) for i, group in enumerate(drawn) if group.name is not None]
    assert (place, len(fold.ops), fold.name) == (max(1, keep // 3), 2, "2 ops")


scopes = st.lists(st.sampled_from("ab"), max_size=3).map(tuple)


@given(st.lists(st.tuples(scopes, st.lists(st.integers(0, 4), max_size=2)), min_size=1, max_size=9))
@example([(("a",), [1]), ((), []), (("a",), [1])])
def test_leaves_come_before_what_takes_them_and_part_no_scope(calls):
    weights = [mg.tensor([1.0], requires_grad=True, name=f"w{i}") for i in range(5)]
    y = mg.tensor([1.0], requires_grad=True, name="x")
    for path, taken in calls:
        with contextlib.ExitStack() as entered:
            for name in path:
                entered.enter_context(mg.scope(name))
            for i in taken or [0]:
                y = y * weights[i]
    for graph in (mg.graph(y, max_nodes=None), mg.graph(y, max_nodes=3)):
        place = {part: i for i, part in enumerate(graph.parts)}
        assert all(place[drawn] < place[part] for part in place for drawn, _ in part.inputs)
        for depth in (1, 2, 3):
            ops = runs([part.scope for part in place if part.is_computed], depth)
            assert runs([part.scope for part in place if part.kind != "mark"], depth) == ops


def test_data_that_starts_a_computation_stands_in_the_innermost_scope_with_inputs_from_outside():
    x, w = (mg.tensor([1.0], requires_grad=True, name=name) for name in "xw")
    u = mg.sin(x)
    with mg.scope("a"):
        y = mg.exp(u)
        with mg.scope("b"):
            z = mg.tanh(mg.tensor([1.0], name="data") * w)
        y = y + z
    assert [part.scope for part in mg.graph(mg.sin(y)).parts if part.kind == "data"] == [("a",)]


def scope_of(graph, name):
    (leaf,) = [part for part in graph.parts if part.title == name]
    return leaf.scope


def test_data_that_starts_a_computation_stands_outside_of_nested_scopes_that_take_nothing_else():
    w = mg.tensor([1.0], requires_grad=True, name="w")
    with mg.scope("a"):
        with mg.scope("b"):
            y = mg.tensor([1.0], name="data") * w
        with mg.scope("c"):
            y = mg.exp(y)
        y = mg.tanh(y)
    assert scope_of(mg.graph(y), "data") == ()
    assert scope_of(mg.graph(y), "w") == ("a", "b")
    u = mg.sin(w)
    with mg.scope("a"):
        with mg.scope("b"):
            y = mg.exp(u)
        with mg.scope("c"):
            y = y + mg.tensor([1.0], name="data") * w
    assert scope_of(mg.graph(y), "data") == ("a", "c")
    with mg.scope("a"):
        with mg.scope("b"):
            y = mg.exp(u)
        with mg.scope("c"):
            z = mg.tensor([1.0], name="data") * w
        y = y + z
    assert scope_of(mg.graph(y), "data") == ("a",)


def test_data_without_a_name_stands_outside_only_for_the_first_op():
    w = mg.tensor([1.0, 1.0], requires_grad=True, name="w")
    with mg.scope("a"):
        y = np.ones(2) * w
    with mg.scope("b"):
        z = np.full(2, 3.0) * w
    with mg.scope("c"):
        y = y + z + np.full(2, 4.0) * w
    assert [part.scope for part in mg.graph(y).parts if part.kind == "data"] == [(), ("b",), ("c",)]


@pytest.mark.parametrize("count", [folding.OWN, folding.OWN + 1])
def test_leaves_of_one_op_are_one_part_if_they_are_many(count):
    y = mg.concatenate([mg.sin(named("x")), *(named(f"w{i}") for i in range(count))])
    kinds = [part.kind for part in mg.graph(y, max_nodes=5).parts]
    assert ("leaves" in kinds) == (count > folding.OWN)


def test_what_has_no_more_parts_than_are_allowed_is_drawn_whole():
    y = mg.stack([named(f"w{i}") for i in range(30)])
    assert len(mg.graph(y, max_nodes=31).parts) == 31
    assert len(mg.graph(y, max_nodes=30).parts) == 2


def test_the_remark_says_what_was_folded():
    def remark(*roots, **options):
        return folding.fold(read_tape(nodes_of("graph", roots)), **options)[1]

    repeated = named("x")
    for i in range(6):
        for inner in "ab":
            with mg.scope(f"step{i}"), mg.scope(inner):
                repeated = mg.exp(mg.tanh(repeated))
    assert remark(repeated, max_nodes=None) == remark(repeated, max_nodes=25) == ""
    assert remark(repeated, max_nodes=24) == remark(repeated, max_nodes=12) == "folded to depth 1"
    assert remark(repeated, depth=1, max_nodes=12) == ""
    for depth in (None, 1, 2, 9):
        assert remark(repeated, depth=depth, max_nodes=11) == "folded to depth 0"
        assert remark(repeated, depth=depth, max_nodes=6) == "folded to depth 0"
    assert remark(repeated, depth=0, max_nodes=6) == ""
    assert remark(repeated, max_nodes=3) == "folded to depth 0, repeats as one"
    assert remark(repeated, depth=0, max_nodes=3) == "repeats as one"
    assert remark(chain(100), max_nodes=24) == "95 of 100 ops folded: max_nodes=None draws all"
    assert remark(chain(3000), max_nodes=24) == "2,995 of 3,000 ops folded: max_nodes=None draws all"
    assert remark(*(named(f"w{i}") for i in range(30)), max_nodes=5) == ""
    assert remark(named("v") + named("w"), max_nodes=2) == ""
    many = mg.stack([named(f"w{i}") for i in range(30)])  # whose inputs are drawn as one
    for _ in range(6):
        many = mg.tanh(many)
    assert remark(many, max_nodes=8) == ""
    assert remark(many, max_nodes=7) == "5 of 7 ops folded: max_nodes=None draws all"


def test_data_that_is_combined_with_a_computed_tensor_is_a_detail_of_its_scope():
    with mg.scope("a"):
        y = mg.exp(mg.tensor([1.0], requires_grad=True, name="w"))
        y = y * mg.tensor([2.0], name="mask")
    assert scope_of(mg.graph(y), "mask") == ("a",)
    with mg.scope("a"):
        start = mg.tensor([2.0], name="start")
        y = mg.tensor([1.0], requires_grad=True, name="w") * start
        y = y * start
    assert scope_of(mg.graph(y), "start") == ("a",)


def chain(count):
    y = mg.tensor([1.0], requires_grad=True, name="x")
    for i in range(count):
        y = [mg.exp, mg.tanh, mg.sin, mg.cos, mg.sinh][i % 5](y)
    return y


def test_of_a_long_chain_a_third_of_what_is_kept_is_from_its_start():
    for most in (8, 24, 48):
        titles = [part.kind for part in mg.graph(chain(100), max_nodes=most).parts if part.is_computed]
        kept, first = len(titles) - 1, titles.index("fold")
        assert len(titles) == max(most // 4, 3)
        assert abs(first - kept / 3) <= 1


def test_a_fold_of_the_middle_names_its_three_commonest_ops():
    (fold,) = [part for part in mg.graph(chain(100), max_nodes=8).parts if part.kind == "fold"]
    assert len(re.findall("exp|tanh|sin|cos|sinh", fold.detail)) == 3


@pytest.mark.parametrize("most", range(3, 40, 3))
def test_the_deepest_scopes_that_fit_are_drawn(most):
    x = mg.tensor(np.ones(2), requires_grad=True, name="x")
    for i in range(2):
        for j in range(2):
            for k in range(2):
                with mg.scope(f"a{i}"), mg.scope(f"b{j}"), mg.scope(f"c{k}"):
                    x = mg.exp(mg.tanh(x) * (i + 2 * j + 4 * k + 2.0))
    y = x.sum()
    fitting = [len(mg.graph(y, depth=depth, max_nodes=None).parts) <= most for depth in range(4)]
    drawn = [part.title for part in mg.graph(y, max_nodes=most).parts]
    if any(fitting):
        deepest = max(depth for depth in range(4) if fitting[depth])
        assert drawn == [part.title for part in mg.graph(y, depth=deepest, max_nodes=None).parts]


def named(name, *entries, **options):
    return mg.tensor(entries or [1.0, 2.0], requires_grad=True, name=name, **options)


def titles(graph):
    return [part.title for part in graph.parts]


def test_a_leaf_stands_right_before_the_run_of_its_scope_that_takes_it():
    names = ["outer", "own", "inner", "last", "shared", "late"]
    outer, own, inner, last, shared, late = map(named, names)
    y = mg.sin(named("x"))
    with mg.scope("a"):
        with mg.scope("b"):
            with mg.scope("c"):
                y = y * own * shared * outer * late * inner
            y = mg.exp(y) * inner
            with mg.scope("d"):
                y = y * last * shared
        with mg.scope("e"):
            y = y * outer * last
    y = y + late
    assert [title for title in titles(mg.graph(y, max_nodes=None)) if title not in ("multiply", "add")] == [
        *("x", "sin", "late", "outer", "last", "shared", "inner", "own", "exp")
    ]  # fmt: skip


def test_a_fold_is_not_blamed_for_what_comes_into_it():
    with np.errstate(all="ignore"):
        y = mg.log(named("x", -1.0, 1.0))
        with mg.scope("step"):
            y = mg.maximum(mg.sin(y), 0.0).sum() * 0.0
            y = mg.where(np.array(True), 1.0, y)
    (fold,) = [part for part in mg.graph(y * 2.0, depth=0).parts if part.kind == "fold"]
    assert fold.fault == ""


@pytest.mark.parametrize("gradients", [False, True])
def test_many_leaves_without_names_beside_one_that_is_computed(gradients):
    y = mg.sin(named("x"))
    parts = [y, *(np.full(i % 3 + 2, float(i)) for i in range(100))]
    graph = mg.graph(mg.concatenate(parts).sum(), gradients=gradients)
    _, sine, leaves, joined, _ = graph.parts
    assert (leaves.title, leaves.kind, leaves.shape, leaves.gradient) == ("100 arrays", "leaves", (2,), None)
    assert [drawn for drawn, _ in joined.inputs] == [sine, *[leaves] * 100]
    assert leaves.notes == [f"array ({i % 3 + 2},)" for i in range(20)]


def test_in_the_middle_that_is_folded_all_is_hidden_that_only_it_takes():
    def chain(shared):
        y, weights = named("x"), [named(f"w{i}") for i in range(40)]
        for i, w in enumerate(weights):
            y = mg.tanh(y) * w
            if i in shared:
                y = y + weights[15]
        return mg.graph(y, max_nodes=24)

    for shared in ([], [17], [39], [1, 39]):
        graph = chain(shared)
        (fold,) = [part for part in graph.parts if part.kind == "fold"]
        outside = {i for i in shared if not 3 < i < 30}
        assert ("w15" in titles(graph)) == bool(outside)
        drawn = {part for part in graph.parts if part.kind == "parameter"}
        ops = [part for part in graph.parts if part.kind == "op"]
        assert drawn == {tensor for part in [*ops, fold] for tensor, _ in part.inputs if tensor.kind == "parameter"}
        assert all(any(tensor is leaf for op in ops for _, tensor in op.inputs) for leaf in drawn)
        assert fold.scope == ()
