"""What starts with the suite: the sample of faults, which takes two minutes of another core while the tests run."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SAMPLE = "test_no_unlisted_fault_of_a_sample_survives"


def pytest_collection_modifyitems(items):
    """Ask for its result last."""
    items.sort(key=lambda item: item.name == SAMPLE)


@pytest.fixture(scope="session", autouse=True)
def sample_of_faults(request, tmp_path_factory):
    """(process, file of its output) of `tests/faults --sample 100`, if the test of it will run."""
    if not hasattr(os, "fork") or not any(item.name == SAMPLE for item in request.session.items):
        yield None
        return
    command = [sys.executable, str(TESTS / "faults"), "--sample", "100", "--examples", "5", "--workers", "1"]
    path = os.pathsep.join([str(TESTS.parent), os.environ.get("PYTHONPATH", "")])
    output = tmp_path_factory.mktemp("faults") / "output"
    with output.open("w") as file:
        environment = os.environ | {"PYTHONPATH": path}
        process = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
    yield process, output
    if process.poll() is None:  # an earlier test failed, or was interrupted: end its workers too
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
