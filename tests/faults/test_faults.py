"""The proof bites: of a fixed sample of the injected faults none survives, unless it is argued to be harmless."""

import os
import re
from pathlib import Path

import pytest
from faults import injection
from faults.survivors import EQUIVALENT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="faults are injected into forked processes")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found():
    return injection.faults()


def test_no_unlisted_fault_of_a_sample_survives(sample_of_faults):
    process, output = sample_of_faults
    status, said = process.wait(), output.read_text()
    assert status == 0, said
    assert int(re.search(r"injected (\d+):", said)[1]) >= 90  # some are in code that has run
    assert ", hung 0," in said


def test_every_fault_has_a_name_of_its_own(found):
    assert len({fault.key for fault in found}) == len(found)


def test_every_listed_survivor_is_a_fault_that_exists_and_is_argued(found):
    keys = {fault.key for fault in found}
    assert set(EQUIVALENT) - keys == set()
    assert all(len(reason) > 10 for reason in EQUIVALENT.values())
    page = (ROOT / "docs" / "testing.md").read_text()
    assert [argument for argument in EQUIVALENT.values() if argument not in page] == []


def test_vjps_kernels_and_the_engine_have_faults(found):
    """Each kind of function is found: a row of a table, a VJP, the sweep, what it calls, and the call of an op."""
    broken = {fault.function for fault in found}
    for function in ("tanh.x", "conv2d.vjp('x')", "softmax.vjp('z')", "sweep", "_fit", "__call__"):
        assert any(name == function or name.endswith(f".{function}") for name in broken), function


def test_a_fault_changes_the_running_function(found):
    (fault,) = [f for f in found if f.key == "ops/arithmetic.py tanh.x: 1 - a * a -> 1 + a * a"]
    child = os.fork()
    if child == 0:
        taken = injection.Live().take(fault)
        value = injection.minigrad.tanh.vjps[0](1.0, 0.5, 0.0)
        os._exit(0 if taken and value == 1.25 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
