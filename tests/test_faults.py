"""The proof bites: of a fixed sample of the injected faults none survives, unless it is argued to be harmless."""

import os
from collections import Counter

import faults
import pytest
from survivors import EQUIVALENT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="faults are injected into forked processes")
SAMPLE = 30


@pytest.fixture(scope="module")
def found():
    return faults.faults()


def test_no_unlisted_fault_of_a_sample_survives(found):
    chosen = faults.sample([f for f in found if "kernels" not in f.key], SAMPLE)  # those take minutes
    proof = faults.Proof(12)
    assert faults.sound(proof)
    verdicts = faults.judge(chosen, proof)
    assert len(verdicts) >= 0.9 * SAMPLE  # some are in code that has run, such as decorators
    assert [f.key for f, verdict in verdicts.items() if verdict == faults.SURVIVED and f.key not in EQUIVALENT] == []
    assert Counter(verdicts.values())[faults.HUNG] == 0


def test_every_fault_has_a_name_of_its_own(found):
    assert len({fault.key for fault in found}) == len(found)


def test_every_listed_survivor_is_a_fault_that_exists_and_is_argued(found):
    keys = {fault.key for fault in found}
    assert set(EQUIVALENT) <= keys
    assert all(len(reason) > 10 for reason in EQUIVALENT.values())


def test_every_vjp_has_faults(found):
    """One line of a VJP at least is broken for each op of the files."""
    broken = {fault.function for fault in found}
    for function in ("tanh.x", "conv2d.vjp('x')", "softmax.vjp('z')", "sweep", "_fit", "__call__"):
        assert any(name == function or name.endswith(f".{function}") for name in broken), function


def test_a_fault_changes_the_running_function():
    (fault,) = [f for f in faults.faults() if f.key == "ops/arithmetic.py tanh.x: 1 - a * a -> 1 + a * a"]
    child = os.fork()
    if child == 0:
        live = faults.running()
        taken = faults.inject(fault, live)
        value = faults.minigrad.tanh.vjps[0](1.0, 0.5, 0.0)
        os._exit(0 if taken and value == 1.25 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
