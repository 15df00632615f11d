"""The engine, proven by a state machine: random define-by-run programs against their own finite differences.

A program draws ops, uses results many times, repeats arguments, switches recording off, retains or
releases graphs, accumulates and clears gradients. Beside each Tensor the machine keeps how to
compute its value again from the leaves, by NumPy alone.
"""

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

import minigrad as mg
from minigrad.testing import check_grads
from minigrad.testing.finite_differences import central
from minigrad.testing.strategies import values
from minigrad.testing.tolerances import STEP

SHAPES = [(2, 3), (3,), (2, 1), ()]


def fitting(function):
    """The function of two arrays; the second is summed up where the shapes don't broadcast together."""

    def fitted(x, y):
        p, q = np.shape(x), np.shape(y)
        fits = all(m == n or 1 in (m, n) for m, n in zip(p[::-1], q[::-1], strict=False))
        return function(x, y if fits else np.sum(y))

    return fitted


ONE = {
    "tanh": np.tanh,
    "sin": np.sin,
    "negative": np.negative,
    "halved": lambda x: x * np.array(0.5),
    "doubled": lambda x: 2 * x,
    "sum": np.sum,
    "rows": lambda x: np.sum(x, axis=-1, keepdims=True) if np.ndim(x) else x * 1,
    "transposed": np.transpose,
    "repeated": lambda x: x[[0, 0, -1]] if np.ndim(x) else x + 0.0,
    "flat": lambda x: np.reshape(x, -1)[:3],
}
TWO = {
    "add": fitting(np.add),
    "subtract": fitting(np.subtract),
    "multiply": fitting(lambda x, y: x * y),
    "scaled": fitting(lambda x, y: np.tanh(x) * y),
    "joined": lambda x, y: np.concatenate([np.reshape(x, -1), np.reshape(y, -1), np.reshape(x, -1)])[:6],
    "outer": lambda x, y: np.matmul(np.reshape(x, (-1, 1))[:2], np.reshape(y, (1, -1))[:, :3]),
}


class Value:
    """A Tensor of the program, and how it came about: a function of earlier values, or data."""

    def __init__(self, tensor, function=None, parents=()):
        self.tensor, self.function = tensor, function
        self.parents = parents if tensor.requires_grad else ()
        self.data = np.array(tensor.data)
        self.released = False

    def history(self):
        """The values that it grew from and that need a gradient, itself included, each once."""
        found, pending = {}, [self]
        while pending:
            value = pending.pop()
            if id(value) not in found and value.tensor.requires_grad:
                found[id(value)] = value
                pending += value.parents
        return list(found.values())


class Programs(RuleBasedStateMachine):
    """Builds one program and proves each gradient that it asks for."""

    @initialize(shape=st.sampled_from(SHAPES), data=st.data())
    def begin(self, shape, data):
        self.values, self.leaves, self.expected = [], [], {}
        self.leaf(shape, True, data)

    @rule(shape=st.sampled_from(SHAPES), needs_gradient=st.booleans(), data=st.data())
    def leaf(self, shape, needs_gradient, data):
        array = data.draw(values(shape, domain=(-1, 1)))
        value = Value(mg.tensor(array, requires_grad=needs_gradient))
        self.values.append(value)
        if needs_gradient:
            self.leaves.append(value)

    @rule(name=st.sampled_from(sorted(ONE)), i=st.integers(0, 99))
    def apply(self, name, i):
        self._record(ONE[name], [self._pick(i)])

    @rule(name=st.sampled_from(sorted(TWO)), i=st.integers(0, 99), j=st.integers(0, 99))
    def combine(self, name, i, j):
        self._record(TWO[name], [self._pick(i), self._pick(j)])

    @rule(name=st.sampled_from(sorted(TWO)), i=st.integers(0, 99))
    def repeat_an_argument(self, name, i):
        self._record(TWO[name], [self._pick(i), self._pick(i)])

    @rule(name=st.sampled_from(sorted(TWO)), i=st.integers(0, 99), j=st.integers(0, 99))
    def combine_without_recording(self, name, i, j):
        with mg.no_grad():
            self._record(TWO[name], [self._pick(i), self._pick(j)])
        assert not self.values[-1].tensor.requires_grad

    @rule(i=st.integers(0, 99))
    def detach(self, i):
        self.values.append(Value(self._pick(i).tensor.detach()))

    @rule(retain=st.booleans(), i=st.integers(0, 99), seed=st.integers(0, 9))
    def backward(self, retain, i, seed):
        value = self._pick(i)
        g = np.random.default_rng(seed).normal(size=value.data.shape)
        if not value.tensor.requires_grad:
            return
        if any(v.released for v in value.history()):
            with pytest.raises(RuntimeError, match="released"):
                value.tensor.backward(g, retain_graph=retain)
        else:
            value.tensor.backward(g, retain_graph=retain)
            self._expect(value, g)
            for v in value.history():
                v.released = not retain and v.function is not None
        self._compare()

    @rule(i=st.integers(0, 99))
    def clear(self, i):
        leaf = self.leaves[i % len(self.leaves)]
        leaf.tensor.grad = None
        self.expected.pop(id(leaf), None)

    @precondition(lambda self: len(self.values) < 12)
    @rule(i=st.integers(0, 99))
    def two_orders_by_transform(self, i):
        value = self._pick(i)
        leaves = [leaf for leaf in value.history() if leaf.function is None][:2]
        if leaves and value.data.size:
            fn = lambda *x: _evaluate(value, dict(zip(map(id, leaves), x, strict=True)))  # noqa: E731
            check_grads(fn, *(leaf.data for leaf in leaves), float32=False, rtol=1e-8, name="program")

    def _pick(self, i):
        return self.values[-1 - i % min(len(self.values), 5)]

    def _record(self, function, arguments):
        value = Value(function(*(a.tensor for a in arguments)), function, tuple(arguments))
        if np.max(np.abs(value.data), initial=0) < 1e3:
            self.values.append(value)

    def _expect(self, value, g):
        """Add the numeric gradient of sum(g * value) for each leaf to what the leaf should hold."""
        for leaf in value.history():
            if leaf.function is None:
                gradient = np.zeros(leaf.data.shape)
                for index in np.ndindex(gradient.shape):
                    u = np.zeros(gradient.shape)
                    u[index] = 1
                    gradient[index] = np.sum(
                        g * central(lambda x, leaf=leaf: _evaluate(value, {id(leaf): x}), leaf.data, u)
                    )
                total, noise = self.expected.get(id(leaf), (0, 0))
                size = np.sum(np.abs(g)) * (1 + np.max(np.abs(value.data), initial=0))
                self.expected[id(leaf)] = total + gradient, noise + 1e-14 * size / STEP

    def _compare(self):
        for leaf in self.leaves:
            expected, noise = self.expected.get(id(leaf), (None, 0))
            grad = leaf.tensor.grad
            assert (grad is None) == (expected is None)
            if grad is not None:
                assert (grad.shape, grad.dtype) == (leaf.data.shape, leaf.data.dtype)
                np.testing.assert_allclose(
                    grad, expected, rtol=1e-7, atol=noise + 1e-7 * np.max(np.abs(expected), initial=0)
                )
                assert not any(np.shares_memory(grad, other.tensor.data) for other in self.values)
        for value in self.values:
            assert np.array_equal(value.tensor.data, value.data)


def _evaluate(value, given):
    """The value once more, from the leaves as given (or as they are)."""
    known = dict(given)
    pending = [value]
    while pending:
        v = pending[-1]
        missing = [p for p in v.parents if id(p) not in known]
        if id(v) in known or not v.parents:
            known.setdefault(id(v), v.data)
            pending.pop()
        elif missing:
            pending += missing
        else:
            known[id(v)] = v.function(*(known[id(p)] for p in v.parents))
            pending.pop()
    return known[id(value)]


TestPrograms = Programs.TestCase
TestPrograms.settings = settings(max_examples=3 * settings().max_examples, stateful_step_count=20)
