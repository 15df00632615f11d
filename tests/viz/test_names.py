"""The name of a Tensor that needs no gradient reaches the tape, which sees only its array."""

import gc

import numpy as np

import minigrad as mg
from minigrad import names


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
