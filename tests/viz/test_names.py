"""The name of a Tensor that needs no gradient reaches the tape, which sees only its array."""

import gc

import numpy as np

import minigrad as mg
from minigrad import names
from minigrad.viz.names import VariableNames


def test_an_array_is_called_as_its_tensor():
    x, w = mg.tensor([1.0, 2.0], name="x"), mg.tensor([3.0, 4.0], requires_grad=True)
    for y in (x * w, mg.mean_squared_error(w, x)):
        assert [names.name_of(a) for a, p in zip(y.node.arguments, y.node.parents, strict=True) if p is None] == ["x"]


def test_a_name_follows_renaming_and_rebinding():
    x = mg.tensor([1.0], name="before")
    x.name = "after"
    assert names.name_of(x.data) == "after"
    x.data = np.array([2.0])
    assert names.name_of(x.data) == "after"
    x.name = None
    assert names.name_of(x.data) is None


def test_a_name_dies_with_its_array():
    before = len(names._names)
    x = mg.tensor([1.0], name="x")
    assert len(names._names) == before + 1
    del x
    gc.collect()
    assert len(names._names) == before


def test_plain_arrays_are_copied_and_those_of_tensors_are_not():
    w, labels, x = mg.tensor(np.ones((1, 2)), requires_grad=True), np.array([1]), mg.tensor(np.ones((1, 2)))
    y = mg.softmax_cross_entropy(w, labels)
    labels[0] = 0
    assert y.node.arguments[1] == 1
    assert mg.mean_squared_error(w, x).node.arguments[1] is x.data


def test_a_variable_names_the_array_that_it_holds_or_an_equal_one():
    held, twin, other = np.array([5.0, 6.0]), np.array([5.0, 6.0]), np.array([[1.0]])
    variables = VariableNames({"held": held, "twin": twin, "other": other, "n": 3})
    assert variables.of_array(held) == "held"
    assert variables.of_array(twin) == "twin"
    assert variables.of_array(np.array([5.0, 6.0])) == ""  # of two it can't be told which
    assert variables.of_array(np.array([[1.0]])) == "other"
    assert variables.of_array(np.array([[1]])) == ""  # of another dtype
    assert variables.of_array(np.array([1.0])) == ""
    assert variables.of_array(np.array([[2.0]])) == ""


def test_an_array_equal_to_that_of_a_named_tensor_has_its_name():
    variables = VariableNames({"v": mg.tensor([5.0, 6.0], name="own"), "w": mg.tensor([7.0])})
    assert variables.of_array(np.array([5.0, 6.0])) == "own"
    assert variables.of_array(np.array([7.0])) == "w"
    held = mg.tensor([8.0])
    assert VariableNames({"held": held, "twin": np.array([8.0])}).of_array(held.data) == "held"


def test_entries_of_dictionaries_are_variables_and_private_ones_are_not():
    x, y, z = (mg.tensor([1.0], requires_grad=True) for _ in range(3))
    variables = VariableNames({"layer": {"b": x, "_c": y, 3: y}, "_private": {"d": y}, "_e": y, "f": z, "g": z})
    assert [variables.of_node(each.node) for each in (x, y, z)] == ["b", None, "f"]


def test_two_leaves_without_a_name_are_numbered():
    a, b = (mg.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    assert [part.title for part in mg.graph(b * a).parts if part.kind == "parameter"] == ["tensor 2", "tensor 1"]
