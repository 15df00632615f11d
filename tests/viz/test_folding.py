"""What is folded, how deep, and in which order the rest is drawn."""

import contextlib
import re
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.viz import folding


def runs(paths, depth):
    """How many runs of neighbours each scope of a depth has."""
    prefixes = [path[:depth] for path, _ in groupby(path[:depth] for path in paths)]
    return {path: prefixes.count(path) for path in prefixes if len(path) == depth}


@pytest.mark.parametrize("keep", [3, 6, 9])
def test_no_single_group_is_hidden_between_the_first_and_the_last(keep):
    groups = [folding._Group([], (), str(i)) for i in range(keep)]
    assert folding._without_middle(groups, keep) == groups


scopes = st.lists(st.sampled_from("ab"), max_size=3).map(tuple)


@given(st.lists(st.tuples(scopes, st.lists(st.integers(0, 4), max_size=2)), min_size=1, max_size=9))
def test_leaves_come_before_what_takes_them_and_part_no_scope(calls):
    weights = [mg.tensor([1.0], requires_grad=True, name=f"w{i}") for i in range(5)]
    y = mg.tensor([1.0], requires_grad=True, name="x")
    for path, taken in calls:
        with contextlib.ExitStack() as entered:
            for name in path:
                entered.enter_context(mg.scope(name))
            for i in taken or [0]:
                y = y * weights[i]
    parts = mg.graph(y, max_nodes=None).parts
    place = {part: i for i, part in enumerate(parts)}
    assert all(place[drawn] < place[part] for part in parts for drawn, _ in part.inputs)
    for depth in (1, 2, 3):
        ops = runs([part.scope for part in parts if part.kind == "op"], depth)
        assert runs([part.scope for part in parts if part.kind != "mark"], depth) == ops


def test_data_that_starts_a_computation_stands_in_the_innermost_scope_with_inputs_from_outside():
    x, w = (mg.tensor([1.0], requires_grad=True, name=name) for name in "xw")
    u = mg.sin(x)
    with mg.scope("a"):
        y = mg.exp(u)
        with mg.scope("b"):
            z = mg.tanh(mg.tensor([1.0], name="data") * w)
        y = y + z
    assert [part.scope for part in mg.graph(mg.sin(y)).parts if part.kind == "data"] == [("a",)]


def chain(count):
    y = mg.tensor([1.0], requires_grad=True, name="x")
    for i in range(count):
        y = [mg.exp, mg.tanh, mg.sin, mg.cos, mg.sinh][i % 5](y)
    return y


def test_of_a_long_chain_a_third_of_what_is_kept_is_from_its_start():
    for most in (8, 24, 48):
        titles = [part.kind for part in mg.graph(chain(100), max_nodes=most).parts if part.is_computed]
        kept, first = len(titles) - 1, titles.index("fold")
        assert len(titles) <= most / 4 + 2
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
