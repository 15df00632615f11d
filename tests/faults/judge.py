"""Is a wrong VJP caught? `python tests/faults` breaks minigrad's code in every place and counts.

Each fault (injection.py) is put into a forked process, which goes through the trials that run its line (trials.py).
"""

import argparse
import gc
import os
import signal
import sys
import time
import zlib
from collections import Counter

import pytest
from faults.injection import faults
from faults.trials import LIVE, with_trials

SURVIVED, KILLED, CRASHED, HUNG, NOT_TAKEN = range(5)
SECONDS = 15  # of trials for one fault: what every trial runs would take minutes


def verdict(fault, trials):
    """Put a fault into this process and go through the trials; SURVIVED, KILLED, CRASHED or NOT_TAKEN."""
    if not LIVE.take(fault):
        return NOT_TAKEN
    lines, spent = {(str(fault.file), line) for line in fault.lines}, 0.0
    try:
        for trial in trials:
            if not lines.isdisjoint(trial.lines) and spent < SECONDS:
                signal.alarm(5 + int(5 * trial.seconds))
                trial.run()
                spent += trial.seconds
    except (AssertionError, pytest.fail.Exception):
        return KILLED
    except Exception:
        return CRASHED
    return SURVIVED


def _child(fault, trials):
    """Judge a fault in this forked process, and end it."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    signal.signal(signal.SIGALRM, lambda *_: os._exit(HUNG))
    status = CRASHED
    try:
        status = verdict(fault, trials)
    finally:
        os._exit(status)


def judge(chosen, trials, workers, verdicts, report):
    """Note each fault's verdict: SURVIVED, KILLED, CRASHED or HUNG. One that no function can take is left out."""
    waiting, running, again = list(chosen)[::-1], {}, set()
    gc.collect()
    gc.freeze()  # the children's collectors leave alone, and so don't copy, what is shared
    while waiting or running:
        while waiting and len(running) < workers:
            fault = waiting.pop()
            pid = os.fork()
            if pid == 0:
                _child(fault, trials)
            running[pid] = fault
        pid, status = os.wait()
        fault, code = running.pop(pid), os.waitstatus_to_exitcode(status)
        if code != NOT_TAKEN:
            status = code if code in (SURVIVED, KILLED, HUNG) else CRASHED
            if (
                status != SURVIVED and fault.arguments and fault not in again
            ):  # a loaded machine may fail a test of time
                again.add(fault)
                waiting.append(fault)
                continue
            report(fault, status)
            verdicts[fault] = status


def sample(found, count):
    """The same faults every time, whatever else is in the files: those whose names' checksums are the smallest."""
    return sorted(found, key=lambda fault: zlib.crc32(fault.key.encode()))[:count]


def main():
    """Judge the faults that the command line asks for, print what is amiss and the counts; 0 if nothing is."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, help="only so many faults, always the same")
    parser.add_argument("--file", nargs="+", default=[""], help="only the files whose path contains one of these")
    parser.add_argument("--examples", type=int, default=24, help="inputs for each spec and property test")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    start = time.perf_counter()
    found = [fault for fault in faults() if any(part in str(fault.file) for part in arguments.file)]
    found = sample(found, arguments.sample) if arguments.sample else found
    verdicts, amiss = {}, []

    def report(fault, status):
        if len(verdicts) % 100 == 99:
            print(f"{len(verdicts) + 1} of {len(found)}", file=sys.stderr, flush=True)
        if (status == SURVIVED and not fault.arguments) or (status != SURVIVED and fault.is_said_to_survive):
            amiss.append(fault)
            words = "survived" if status == SURVIVED else "caught, though argued to be equivalent"
            print(f"  {words}: {fault.file.name}:{fault.line} {fault.key}", flush=True)

    def work(trials):
        print(f"{len(trials)} trials pass on sound code; {time.perf_counter() - start:.0f} s", flush=True)
        judge(found, trials, arguments.workers, verdicts, report)

    if with_trials(work, arguments.examples, arguments.workers) != pytest.ExitCode.OK:
        print("the tests fail without a fault: nothing to learn")
        return 1
    count = Counter(verdicts.values())
    equivalent = sum(status == SURVIVED and bool(fault.arguments) for fault, status in verdicts.items())
    caught = len(verdicts) - count[SURVIVED]
    print(
        f"injected {len(verdicts)}: killed {count[KILLED]}, crashed {count[CRASHED]}, hung {count[HUNG]}, "
        f"survived {count[SURVIVED]}, of which {equivalent} are argued to be equivalent\n"
        f"caught: {caught / len(verdicts):.2%} of all, {caught / (len(verdicts) - equivalent):.2%} of those not "
        f"equivalent; {time.perf_counter() - start:.0f} s"
    )
    return int(bool(amiss))
