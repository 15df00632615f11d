"""Arrays inside nests and objects, and the Tensors that a callable holds."""

import functools
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing.held_arrays import held_tensors, leaves, mapped, substituted

a, b = np.array([1.0, 2.0]), np.array([3.0])
Pair = namedtuple("Pair", "first second")


@dataclass(frozen=True)
class Frozen:
    w: object
    steps: int = 3


class Slotted:
    __slots__ = ("__weakref__", "empty", "w")

    def __init__(self, w):
        self.w = w


class OneSlot(Slotted):
    __slots__ = "more"

    def __init__(self, w, more):
        super().__init__(w)
        self.more = more


class Open:
    kind = "not an attribute of the object"

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        (a, [""]), (np.float32(1), [""]), (0.5, [""]), (mg.tensor(a), [""]), (1, []), ("a", []), (None, []),
        ({"w": a, 1: [b, 0.5]}, ["['w']", "[1][0]", "[1][1]"]),
        (((a,), [b]), ["[0][0]", "[1][0]"]),
        (Pair(a, {"x": b}), [".first", ".second['x']"]),
        (Frozen(a), [".w"]), (Frozen((a, 1)), [".w[0]"]), (Frozen(2), []),
        (Slotted(a), [".w"]), (OneSlot(a, [b]), [".more[0]", ".w"]),
        (Open(w=a, inner=Open(b=b)), [".w", ".inner.b"]),
        (Open(w=a, rate=0.5), [".w", ".rate"]), (Open(rate=0.5), []),  # of an object without arrays no float is a leaf
        ([0.5], ["[0]"]), ({"a": [0.5]}, ["['a'][0]"]), (Open(rates=[0.5]), [".rates[0]"]),
        ([np.sin, a], ["[1]"]), ([int, np], []), (lambda: a, []), (Open, []),
    ],
)  # fmt: skip
def test_the_leaves_of_a_nest(value, paths):
    assert [path for path, _ in leaves(value)] == paths


def test_a_mapped_nest_is_a_copy_and_the_given_one_stays():
    def twice(path, leaf):
        return 2 * leaf

    empty = [1, "a"]
    for value in (
        {"w": a, "n": [3, (b, "x")], "p": Pair(0.5, a)},
        [Frozen(a), Open(w=a, deep={"b": b})],
        (OneSlot(a, b), a),
        Pair([a], None),
    ):
        before = [leaf.copy() if isinstance(leaf, np.ndarray) else leaf for _, leaf in leaves(value)]
        made = mapped(value, twice)
        assert type(made) is type(value)
        assert made is not value
        found = leaves(made)
        assert [path for path, _ in found] == [path for path, _ in leaves(value)]
        for (_, new), (_, old), first in zip(found, leaves(value), before, strict=True):
            np.testing.assert_array_equal(new, 2 * first)
            np.testing.assert_array_equal(old, first)
    assert mapped({"w": a, "rest": empty}, twice)["rest"] is empty
    assert mapped(empty, twice) is empty
    assert mapped([a], lambda path, leaf: path, "x") == ["x[0]"]


def test_an_object_that_is_named_twice_stays_one_and_may_hold_itself():
    shared = {"w": a}
    made = mapped([shared, shared, b], lambda path, leaf: leaf + 1)
    assert made[0] is made[1] is not shared
    ring = Open(w=a)
    ring.next = ring
    made = mapped(ring, lambda path, leaf: leaf + 1)
    assert made.next is made is not ring
    np.testing.assert_array_equal(made.w, a + 1)
    without = Open(n=1)
    without.next = without
    assert mapped(without, lambda path, leaf: leaf) is without


def weights(*names):
    return [mg.tensor(a, requires_grad=True, name=name) for name in names]


def multiply(x, w):
    return x * w


OUTSIDE, OTHER = weights("OUTSIDE", "OTHER")
NEST = [OTHER]
INTEGERS = mg.tensor([1, 2])


elsewhere = {"__name__": "elsewhere", "OTHER": OTHER}
exec("def foreign(x): return x * OTHER", elsewhere)
foreign = elsewhere["foreign"]


def uses_outside(x):
    return x * OUTSIDE + len(NEST)


class Layer:
    def __init__(self, w):
        self.w, self.list, self.count = w, [{"b": w * 2.0}], INTEGERS

    def __call__(self, x):
        return x

    def method(self, x):
        return x * self.w * OUTSIDE


HOLDER = Layer(OTHER)


def uses_an_object(x):
    return HOLDER(x)


def names_of(fn):
    return [name for name, _ in held_tensors(fn)]


def test_the_tensors_that_a_callable_holds():
    w, u = weights("w", "u")
    layer = Layer(w)
    assert names_of(layer) == ["w", "list[0]['b']"]
    assert names_of(layer.method) == ["w", "list[0]['b']", "OUTSIDE"]
    assert names_of(uses_outside) == ["OUTSIDE"]  # a global list is not looked into
    assert names_of(uses_an_object) == ["HOLDER.w", "HOLDER.list[0]['b']"]
    assert names_of(lambda x: foreign(x)) == []  # nor a function of another module
    assert names_of(functools.partial(multiply, w=w)) == ["['w']"]
    assert names_of(functools.partial(multiply, u)) == [""]
    assert names_of(functools.partial(uses_outside, x=1)) == ["OUTSIDE"]
    assert names_of(lambda x: x * w * u * w) in (["u", "w"], ["w", "u"])
    assert names_of(lambda x: uses_outside(x) * w) == ["w", "uses_outside.OUTSIDE"]
    assert names_of(lambda x: layer(x)) == ["layer.w", "layer.list[0]['b']"]
    nest, number, array = {"w": [w]}, 3.0, np.ones(2)
    assert names_of(lambda x: nest["w"][0] * number * array) == ["nest['w'][0]"]
    nest = (u, [w])
    assert names_of(lambda x: nest) == ["nest[0]", "nest[1][0]"]
    assert names_of(np.sin) == names_of(mg.sin) == names_of(lambda x: np.sin(x) + INTEGERS) == []


def test_a_variable_that_has_no_value_yet_is_passed_over():
    (w,) = weights("w")

    def fn(x):
        return later(x) * w

    assert names_of(fn) == ["w"]
    later = fn
    assert names_of(fn) == ["w"]  # though it leads to itself


def test_a_tensor_stands_for_another_array_for_a_while():
    w, u, other = *weights("w", "u"), mg.tensor([5.0, 6.0], requires_grad=True) * 1.0
    arrays, nodes = [w._array, u._array], [w.node, u.node]
    for error in (None, KeyError):
        try:
            with substituted([w, u], [b, other]):
                assert w._array is b
                assert w.node is None
                assert u._array is other._array
                assert u.node is other.node
                if error:
                    raise error
        except KeyError:
            pass
        assert w._array is arrays[0]
        assert u._array is arrays[1]
        assert [w.node, u.node] == nodes
    with pytest.raises(ValueError, match="zip"), substituted([w, u], [b]):
        pass
    assert w._array is arrays[0]
