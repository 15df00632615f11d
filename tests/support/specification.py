"""`Spec`: what the suite needs to know about an op, and the proofs that it is put to.

The test file of each family of ops begins with a `Specs`, one call of `add` an op, and turns it into tests:
`TestSpecs = specs.tests()`. The fault injector puts the same calls to broken code.
"""

import runpy
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing import check_grads, check_subgradient
from minigrad.testing.property_tests import as_call
from minigrad.testing.strategies import Call

SPECS: dict[str, "Spec"] = {}  # of every family that has been imported
TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Spec:
    """What the tests need to know about one op.

    inputs:    a strategy of what to call it with, away from its kinks
    reference: its value by other means
    fn:        the function to differentiate, if not the op itself: one that makes a valid input of
               any array, or one array of several results
    kinks:     inputs at kinks, where the VJP must lie between the one-sided slopes
    refused:   (arguments, parameters, exception, words of its message) for wrong input
    exact:     (arguments, value, gradient of its sum) where the numbers are extreme or a convention says them
    order:     how many derivatives
    opt_outs:  {aspect: reason} for what is not checked
    """

    name: str
    inputs: st.SearchStrategy
    reference: Callable
    fn: Callable
    kinks: tuple = ()
    refused: tuple = ()
    exact: tuple = ()
    order: int = 3
    opt_outs: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


class Specs:
    """The specifications of a family of ops."""

    def __init__(self):
        self.by_name = {}
        self.complete = False

    def add(self, name, inputs, reference, *, fn=None, **rest):
        """Specify the op of this name."""
        if self.complete:
            raise RuntimeError(f"{name}: specify it above the line `TestSpecs = specs.tests()`, or it isn't tested")
        found = Spec(name, inputs.map(as_call), reference, fn or getattr(mg.ops, name), **rest)
        self.by_name[name] = SPECS[name] = found

    def tests(self, examples=None):
        """A class of tests that put every specified op to its proofs, each with so many inputs."""
        self.complete = True
        each = pytest.mark.parametrize("spec", self.by_name.values(), ids=self.by_name)
        slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
        quiet = settings(suppress_health_check=[*slow, HealthCheck.differing_executors])  # each test has its own self
        quiet = settings(quiet, max_examples=examples or max(quiet.max_examples * 3 // 5, 2))
        few = settings(quiet, max_examples=max(quiet.max_examples // 4, 2))

        class TestSpecs:
            @each
            @quiet
            @given(data=st.data())
            def test_value_and_derivative(self, spec, data):
                call = data.draw(spec.inputs)
                compare(spec, call)
                prove(spec, call, order=1)

            @each
            @few
            @given(data=st.data())
            def test_three_derivatives(self, spec, data):
                prove(spec, data.draw(spec.inputs), order=3)

            @pytest.mark.parametrize(("spec", "case"), self._cases("kinks"))
            def test_kinks(self, spec, case):
                at_kink(spec, case)

            @pytest.mark.parametrize(("spec", "case"), self._cases("exact"))
            def test_exact(self, spec, case):
                be_exact(spec, *case)

            @pytest.mark.parametrize(("spec", "case"), self._cases("refused"))
            def test_refusals(self, spec, case):
                refuse(spec, *case)

        for test, attribute in (("test_kinks", "kinks"), ("test_exact", "exact"), ("test_refusals", "refused")):
            if not self._cases(attribute):
                delattr(TestSpecs, test)
        return TestSpecs

    def _cases(self, attribute):
        """Each entry of an attribute of the specs, with its spec."""
        specs = self.by_name.values()
        return [pytest.param(spec, case, id=spec.name) for spec in specs for case in getattr(spec, attribute)]


def all_specs():
    """The specs of all families, by name: those that stand on top of their test files."""
    for file in sorted(TESTS.rglob("test_*.py")):
        if "= Specs()" in file.read_text(encoding="utf-8"):
            runpy.run_path(str(file))
    return SPECS


def call(*arguments, **parameters):
    """One call of an op."""
    return Call(arguments, parameters)


def calls(*each):
    """A strategy of the given calls: for ops that are made of others, which have been put to many inputs."""
    return st.sampled_from(each)


def called(arrays, *options, **parameters):
    """Calls of one array (or a tuple of them) with drawn options."""

    def build(drawn, positional, named):
        return Call((*(drawn if isinstance(drawn, tuple) else (drawn,)), *positional), named)

    return st.builds(build, arrays, st.tuples(*options), st.fixed_dictionaries(parameters))


def drawn_from(arrays, choose):
    """Calls (a, *arguments): `choose(a)` is the strategy of the arguments that suit an array."""
    return arrays.flatmap(lambda a: choose(a).map(lambda arguments: Call((a, *arguments), {})))


def of_list(function):
    """A function of a list of arrays as one of the arrays."""
    return lambda *arrays: function(arrays)


def prove(spec, call, order=2):
    """The derivatives of the spec's op at one input, with all that a check looks at."""
    float32 = "float32" not in spec.opt_outs
    order = min(order, spec.order)
    check_grads(
        spec.fn, *call.arguments, order=order, float32=float32, name=spec.name, **spec.options, **call.parameters
    )


def compare(spec, call):
    """The value of the spec's op against its reference."""
    value = spec.fn(*call.arguments, **call.parameters)
    expected = spec.reference(*call.arguments, **call.parameters)
    assert np.shape(value) == np.shape(expected)
    np.testing.assert_allclose(value, expected, rtol=1e-10, atol=1e-12)


def at_kink(spec, inputs):
    call = as_call(inputs)
    check_subgradient(spec.fn, *call.arguments, name=spec.name, **spec.options, **call.parameters)


def refuse(spec, arguments, parameters, exception, words):
    """The op's own sentence about wrong input, from arrays and from Tensors."""
    for as_input in (lambda a: a, lambda a: mg.tensor(a) if isinstance(a, np.ndarray) else a):
        with pytest.raises(exception, match=words) as caught:
            getattr(mg.ops, spec.name)(*map(as_input, arguments), **parameters)
        assert str(caught.value).startswith(f"{spec.name}: ")


def be_exact(spec, arguments, value, gradient):
    """The value, and the gradient of its sum with respect to the first argument, to the last bits."""
    found, pull = mg.vjp(lambda x: spec.fn(x, *arguments[1:]), arguments[0])
    np.testing.assert_allclose(found, value, rtol=1e-15)
    np.testing.assert_allclose(pull(np.ones(np.shape(found)))[0], gradient, rtol=1e-15)
