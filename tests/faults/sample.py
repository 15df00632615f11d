"""The sample of faults that the suite judges, in a process of its own beside the tests."""

import os
import subprocess
import sys
from pathlib import Path

NOT_RUN_WHOLE = [  # faults may survive there unlisted
    *("/testing/", "/viz/", "/data/", "/onnx/", "/distributed.py", "/serialization.py", "__init__.py", "/typing.py")
]
OUTPUT = "MINIGRAD_SAMPLE_OF_FAULTS"  # tells every process of a run which file the sample writes to


def start_sample(output):
    """A process that judges the sample, writes what it says to `output`, and then its status to output.status."""
    command = [sys.executable, str(Path(__file__).parent), "--sample", "100", "--examples", "5", "--workers", "1"]
    command += ["--except", *NOT_RUN_WHOLE]
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    shell = ["sh", "-c", '"$@" > "$0" 2>&1; echo $? > "$0.new"; mv "$0.new" "$0.status"', str(output), *command]
    return subprocess.Popen(shell, env=os.environ | {"PYTHONPATH": path}, start_new_session=True)
