"""Cold start, peak memory and times of two or more threads: each library in a process of its own.

In one process, the threads of a library that has finished may spin for a while and take the cores of the next one.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent

FIRST_GRADIENT = {
    "minigrad": "import minigrad as mg; x = mg.tensor([1.0, 2.0], requires_grad=True); (x * x).sum().backward()",
    "numpy": "import numpy",
    "torch": "import torch; x = torch.tensor([1.0, 2.0], requires_grad=True); (x * x).sum().backward()",
}

# Measures the peak resident memory above that of imports and inputs.
# Linux resets the peak (VmHWM) by a write of 5 to clear_refs; the peak of getrusage includes the parent's.
PEAK = """
import re, sys
from pathlib import Path
sys.path[:0] = [{here!r}, {root!r}]
import networks, torch
torch.set_num_threads(1)
run = networks.memory_case({case!r}, {library!r}, torch)
def status(field):
    return int(re.search(field + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
Path("/proc/self/clear_refs").write_text("5")
before = status("VmRSS")
run(); run()
print(status("VmHWM") - before)
"""


def _python(code):
    environment = os.environ | {"PYTHONPATH": str(HERE.parent)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as for an installed package
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)


def cold_starts(peers, rounds):
    """Return {library: seconds of each round} from starting Python to the first gradient."""
    chosen = ["minigrad", "numpy", *(["torch"] if "torch" in peers else [])]
    seconds = {library: [] for library in chosen}
    for _ in range(rounds):
        for library in chosen:
            start = time.perf_counter()
            _python(FIRST_GRADIENT[library])
            seconds[library].append(time.perf_counter() - start)
    return seconds


def peaks(case):
    """Return {library: [MB at the peak above the inputs]}; both processes import both libraries."""
    measured = {}
    for library in ("minigrad", "torch"):
        code = PEAK.format(here=str(HERE), root=str(HERE.parent), case=case, library=library)
        measured[library] = [max(1, int(_python(code).stdout)) / 1024]
    return measured


def in_turn(group, libraries, options, turns=3):
    """Yield ((family, name), goals, {library: seconds of each round}) of each case, a process each, in turn."""
    measured, goals = {}, {}
    for _ in range(turns):
        for library in libraries:
            command = [sys.executable, HERE / "compare.py", "--alone", library, "--threads", "0", "--only", group]
            command += ["--peers", library, "--match", options.match, "--rounds", str(options.rounds)]
            command += ["--budget", str(options.budget / turns), *(["--data", options.data] if options.data else [])]
            for family, name, wanted, seconds in json.loads(subprocess.check_output(command)):
                goals[family, name] = wanted
                measured.setdefault((family, name), {}).setdefault(library, []).extend(seconds)
    for key, seconds in measured.items():
        yield key, goals[key], seconds
