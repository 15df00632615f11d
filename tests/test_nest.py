"""Nests of arrays: their leaves, their structure, and their entries as one vector."""

import collections

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import minigrad as mg
from minigrad.nest import flatten, matched, paths, sorted_by_key, unflatten

Point = collections.namedtuple("Point", "x y")
NEST = {"w": [1.0, (2.0, {"b": 3.0})], "point": Point(4.0, []), "n": 5.0}


def test_leaves_their_places_and_other_leaves_in_them():
    assert flatten(NEST) == [1, 2, 3, 4, 5]
    assert paths(NEST) == ["['w'][0]", "['w'][1][0]", "['w'][1][1]['b']", "['point'][0]", "['n']"]
    assert unflatten(NEST, "abcde") == {"w": ["a", ("b", {"b": "c"})], "point": Point("d", []), "n": "e"}
    assert type(unflatten(NEST, "abcde")["point"]) is Point
    assert (flatten(1.0), paths(1.0), unflatten(1.0, "a")) == ([1.0], [""], "a")


WRONG = [  # a nest that isn't like the other, and what is said
    ({"a": 1.0}, {"b": 1.0}, ValueError, r"^f: g must have the keys \['b'\], not \['a'\]$"),
    ([1.0], {"b": 1.0}, ValueError, r"^f: g must have the keys \['b'\], not list$"),
    ([1.0], [1.0, 2.0], ValueError, r"^f: g must be a list or tuple of 2, not \[1.0\]$"),
    (1.0, [1.0], ValueError, r"^f: g must be a list or tuple of 1, not 1.0$"),
    ([np.ones(2)], [np.ones((2, 1))], ValueError, r"^f: g must have shape \(2, 1\), not \(2,\)$"),
    ([True], [1.0], TypeError, r"^f: g must be floating-point, not bool$"),
    ([1j], [1.0], TypeError, r"^f: g must be floating-point, not complex128$"),
    ([1j], [1], TypeError, r"^f: g must be floating-point, not complex128$"),
    (["a"], [1.0], TypeError, r"^f: g must hold numbers, not 'a'$"),
]


@pytest.mark.parametrize(("nest", "like", "kind", "sentence"), WRONG)
def test_another_structure_is_refused(nest, like, kind, sentence):
    with pytest.raises(kind, match=sentence):
        matched("f: g", nest, like)


def test_leaves_come_in_the_order_and_the_dtypes_of_the_other_nest():
    like = {"a": np.ones(2, "f4"), "b": (np.ones(1), 1j)}
    t = mg.tensor([2.0, 3.0])
    found = matched("f: g", {"b": [[5], 4j], "a": t}, like)
    assert [leaf.dtype for leaf in found] == [np.float32, np.float64, np.complex128]
    assert isinstance(found[0], mg.Tensor)
    assert [leaf.tolist() for leaf in found] == [[2, 3], [5], 4j]


def test_a_nest_sorted_by_key():
    found = sorted_by_key([{"b": 1.0, "a": ({"d": None, "c": 2.0}, "text")}])
    assert paths(found) == paths([{"a": ({"c": 2.0, "d": None}, "text"), "b": 1.0}])
    assert [*found[0]] == ["a", "b"]
    assert [*found[0]["a"][0]] == ["c", "d"]
    assert found[0]["a"][1] == "text"


@pytest.mark.parametrize(
    "nest",
    [
        NEST,
        2.0,
        [],
        {"a": np.ones((0, 3)), "b": [np.arange(6.0).reshape(2, 3), 1.5]},
        {"a": [1j, np.ones(2)], "b": 2.5},
    ],
)
def test_a_nest_as_one_vector_and_back(nest):
    vector, unravel = mg.ravel_nest(nest)
    assert_array_equal(vector, np.concatenate([np.ravel(x) for x in [[], *flatten(nest)]]), strict=True)
    back = unravel(vector + 1)
    for leaf, x in zip(flatten(back), flatten(nest), strict=True):
        assert_array_equal(leaf, np.add(x, 1), strict=True)
        assert type(leaf) is type(np.add(x, 1))  # a number as NumPy gives it, not an array without axes
    assert paths(back) == paths(nest)
    for wrong in (
        np.append(vector, 0.0),
        vector[:, None],
        np.float64(1.0),
        np.zeros(vector.size + 2)[: vector.size - 1],
    ):
        if np.shape(wrong) != vector.shape:
            with pytest.raises(ValueError, match=r"^ravel_nest: the vector must have shape \(\d+,\), not \("):
                unravel(wrong)
