"""Every op, held to its spec: value, derivatives, kinks, refusals; and no op without a spec."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from specification import at_kink, be_exact, compare, prove, refuse
from specs import SPECS, all_ops

import minigrad as mg

each = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
quiet = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much])
few = settings(quiet, max_examples=max(quiet.max_examples // 5, 2))


def cases(attribute):
    """One test for each entry of an attribute of the specs."""
    found = [pytest.param(spec, case, id=spec.name) for spec in SPECS.values() for case in getattr(spec, attribute)]
    return pytest.mark.parametrize(("spec", "case"), found)


@each
@quiet
@given(data=st.data())
def test_value_and_derivative(spec, data):
    call = data.draw(spec.inputs)
    compare(spec, call)
    prove(spec, call, order=1)


@each
@few
@given(data=st.data())
def test_three_derivatives(spec, data):
    prove(spec, data.draw(spec.inputs), order=3)


@cases("kinks")
def test_kinks(spec, case):
    at_kink(spec, case)


@cases("exact")
def test_exact(spec, case):
    be_exact(spec, *case)


@cases("refused")
def test_refusals(spec, case):
    refuse(spec, *case)


def test_every_public_op_has_a_spec():
    assert set(mg.ops.__all__) - set(SPECS) == set()


def test_every_vjp_is_swept_by_a_spec():
    """Also those of private ops: each argument with a VJP is on the tape of some spec."""
    swept = {pair for spec in SPECS.values() for pair in _vjps_on_tape(spec)}
    ours = {(id(op), i): f"{op.__name__}({op.argument(i)})" for op in all_ops() for i in _positions(op)}
    made_by_hand = {"checkpoint(arrays[0])"}  # it has no forward of its own: tests/test_transforms.py
    assert {name for key, name in ours.items() if key not in swept} == made_by_hand


def _positions(op):
    return [0] if op.any_number else [i for i, vjp in enumerate(op.vjps) if vjp is not None]


def _vjps_on_tape(spec):
    """(op, position) of every VJP that the sweep of some inputs of the spec runs."""
    found = set()

    @settings(quiet, max_examples=6, database=None, derandomize=True)
    @given(spec.inputs)
    def record(call):
        tensors = [mg.tensor(a, requires_grad=True) if _moves(spec, a, i) else a for i, a in enumerate(call.arguments)]
        pending = [getattr(spec.fn(*tensors, **call.parameters), "node", None)]
        while pending:
            node = pending.pop()
            if node is not None and node.op is not None:
                found.update((id(node.op), 0 if node.op.any_number else i) for i, p in enumerate(node.parents) if p)
                pending += node.parents

    record()
    return found


def _moves(spec, argument, i):
    chosen = spec.options.get("argnums", i)
    return isinstance(argument, np.ndarray) and argument.dtype.kind == "f" and i == chosen
