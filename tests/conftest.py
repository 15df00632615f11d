"""What starts with the suite: the sample of faults, which takes two minutes of another core while the tests run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items):
    """Ask for its result last."""
    items.sort(key=lambda item: item.name == "test_no_unlisted_fault_of_a_sample_survives")


@pytest.fixture(scope="session", autouse=True)
def sample_of_faults(request, tmp_path_factory):
    """(process, file of its output) of `tests/faults --sample 100`, if test_faults.py is among what was collected."""
    if not hasattr(os, "fork") or not any(item.path.name == "test_faults.py" for item in request.session.items):
        yield None
        return
    command = [sys.executable, str(TESTS / "faults"), "--sample", "100", "--examples", "5", "--workers", "1"]
    path = os.pathsep.join([str(TESTS.parent), os.environ.get("PYTHONPATH", "")])
    output = tmp_path_factory.mktemp("faults") / "output"
    with output.open("w") as file:
        environment = os.environ | {"PYTHONPATH": path}
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment)
    yield process, output
    process.kill()
    process.wait()
