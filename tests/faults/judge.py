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
from faults.survivors import EQUIVALENT
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


def judge(chosen, trials, workers, report):
    """{fault: SURVIVED, KILLED, CRASHED or HUNG}; a fault that no running function can take is left out."""
    waiting, running, verdicts = list(chosen)[::-1], {}, {}
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
            verdicts[fault] = code if code in (SURVIVED, KILLED, HUNG) else CRASHED
            report(fault, verdicts[fault])
    return verdicts


def sample(found, count):
    """The same faults every time, whatever else is in the files: those whose names' checksums are the smallest."""
    return sorted(found, key=lambda fault: zlib.crc32(fault.key.encode()))[:count]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, help="only so many faults, always the same")
    parser.add_argument("--file", help="only the files whose path contains this")
    parser.add_argument("--examples", type=int, default=24, help="inputs for each spec and property test")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    start = time.perf_counter()
    found = [fault for fault in faults() if not arguments.file or arguments.file in str(fault.file)]
    found = sample(found, arguments.sample) if arguments.sample else found
    judged = Counter()

    def report(fault, status):
        judged[status] += 1
        if judged.total() % 100 == 0:
            print(f"{judged.total()} of {len(found)}", file=sys.stderr, flush=True)
        if status == SURVIVED:
            print(f"  survived: {fault.file.name}:{fault.line} {fault.key}", flush=True)

    def work(trials):
        print(f"{len(trials)} trials pass on sound code; {time.perf_counter() - start:.0f} s", flush=True)
        verdicts.update(judge(found, trials, arguments.workers, report))

    verdicts = {}
    if with_trials(work, arguments.examples, arguments.workers) != pytest.ExitCode.OK:
        print("the tests fail without a fault: nothing to learn")
        return 1
    count, equivalent = Counter(verdicts.values()), [f for f, v in verdicts.items() if not v and f.key in EQUIVALENT]
    real = len(verdicts) - len(equivalent)
    print(
        f"injected {len(verdicts)}: killed {count[KILLED]}, crashed {count[CRASHED]}, hung {count[HUNG]}, "
        f"survived {count[SURVIVED]}, of which {len(equivalent)} are argued to be equivalent\n"
        f"caught: {1 - count[SURVIVED] / len(verdicts):.2%} of all, "
        f"{(len(verdicts) - count[SURVIVED]) / real:.2%} of those not equivalent; {time.perf_counter() - start:.0f} s"
    )
    return int(count[SURVIVED] > len(equivalent))
