"""Is a wrong VJP caught? `python tests/faults` breaks minigrad's code in every place and counts.

Each fault (injection.py) is put into a forked process, which goes through the trials that run its line (trials.py).
"""

import argparse
import gc
import os
import random
import signal
import sys
import time
import zlib
from collections import Counter
from datetime import date

import pytest
from faults.injection import FILES, ROOT, faults
from faults.trials import LIVE, with_trials

SURVIVED, KILLED, CRASHED, HUNG, NOT_TAKEN = range(5)
_TIMES_UP = (signal.SIGALRM, signal.SIGPROF)
SECONDS = 15  # of trials for one fault: what every trial runs would take minutes


def verdict(fault, trials):
    """Put a fault into this process and go through the trials; SURVIVED, KILLED, CRASHED or NOT_TAKEN."""
    if not LIVE.take(fault):
        return NOT_TAKEN
    spent = 0.0
    try:
        for trial in sorted(trials, key=lambda trial: not trial.is_near(fault)):
            if spent < SECONDS and trial.runs(fault):
                allowed = 5 + 5 * trial.seconds
                signal.setitimer(signal.ITIMER_PROF, allowed)  # of processor time: the machine may be loaded
                signal.alarm(int(10 * allowed))  # for one that waits
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
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number in _TIMES_UP:
        signal.signal(number, signal.SIG_DFL)  # which ends LAPACK's loops, too
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
            status = code if code in (SURVIVED, KILLED) else HUNG if -code in _TIMES_UP else CRASHED
            if (
                status != SURVIVED and fault.arguments and fault not in again
            ):  # a loaded machine may fail a test of time
                again.add(fault)
                waiting.append(fault)
                continue
            report(fault, status)
            verdicts[fault] = status


def sample(found, count, date=None, seed=None):
    """The same faults every time: those whose names' checksums are the smallest. With a date, those of that day.

    The days share all faults among them, so as many days as there are samples see each one once. With a seed, random
    ones.
    """
    ranked = sorted(found, key=lambda fault: zlib.crc32(fault.key.encode()))
    if seed is not None:
        return random.Random(seed).sample(ranked, min(count, len(ranked)))
    if date is None:
        return ranked[:count]
    days = -(-len(ranked) // count)
    return ranked[date.toordinal() % days :: days]


def _is_amiss(fault, status):
    """Whether a fault survives unargued, or is caught though it is said to survive."""
    return not fault.arguments if status == SURVIVED else fault.is_said_to_survive


def _counts(verdicts):
    """A row of numbers: injected, killed, crashed, hung, survived, and of those argued to be equivalent."""
    count = Counter(verdicts.values())
    argued = sum(status == SURVIVED and bool(fault.arguments) for fault, status in verdicts.items())
    return [len(verdicts), *(count[status] for status in (KILLED, CRASHED, HUNG, SURVIVED)), argued]


def table(verdicts):
    """The counts of each file, in Markdown."""
    lines = ["| file | injected | killed | crashed | hung | survived | argued |", "|---|---|---|---|---|---|---|"]
    for file in FILES:
        of_file = {fault: status for fault, status in verdicts.items() if fault.file == file}
        if of_file:
            lines.append(f"| {file.relative_to(ROOT)} | {' | '.join(map(str, _counts(of_file)))} |")
    return "\n".join(lines)


def _arguments(given):
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, help="only so many faults, always the same")
    parser.add_argument("--date", type=date.fromisoformat, help="the sample of this day (YYYY-MM-DD) instead")
    parser.add_argument("--seed", type=int, help="a random sample instead, by this seed")
    parser.add_argument("--file", nargs="+", default=[""], help="only the files whose path contains one of these")
    parser.add_argument("--except", nargs="+", default=[], dest="left_out", help="no file whose path contains these")
    parser.add_argument("--tests", nargs="+", default=(), help="only these of tests/ as trials, to know more quickly")
    parser.add_argument("--examples", type=int, default=24, help="inputs for each spec and property test")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args(given)
    if (arguments.date or arguments.seed is not None) and not arguments.sample:
        parser.error("--date and --seed choose a sample: say how many, by --sample")
    if arguments.date and arguments.seed is not None:
        parser.error("--date and --seed choose two samples: give one of them")
    return arguments


def _is_chosen(file, arguments):
    return any(part in file for part in arguments.file) and not any(part in file for part in arguments.left_out)


def main(given=None):
    """Judge the faults that the command line asks for, print what is amiss and the counts; 0 if nothing is."""
    arguments = _arguments(given)
    start = time.perf_counter()
    found = [fault for fault in faults() if _is_chosen(str(fault.file), arguments)]
    found = sample(found, arguments.sample, arguments.date, arguments.seed) if arguments.sample else found
    verdicts, amiss, ended = {}, [], []

    def report(fault, status):
        if ended:  # not raised by the handler of the signal: Python loses what is raised while it forks
            raise KeyboardInterrupt
        if len(verdicts) % 100 == 99:
            print(f"{len(verdicts) + 1} of {len(found)}", file=sys.stderr, flush=True)
        if _is_amiss(fault, status):
            amiss.append(fault)
            words = "survived" if status == SURVIVED else "caught, though argued to be equivalent"
            print(f"  {words}: {fault.file.name}:{fault.line} {fault.key}", flush=True)

    def work(trials):
        print(f"{len(trials)} trials pass on sound code; {time.perf_counter() - start:.0f} s", flush=True)
        signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
        try:
            judge(found, trials, arguments.workers, verdicts, report)
        except KeyboardInterrupt:
            print(f"stopped after {len(verdicts)} of {len(found)} faults", flush=True)

    run = with_trials(work, found, arguments.examples, arguments.workers, arguments.tests)
    if run != pytest.ExitCode.OK:
        print("the tests fail without a fault: nothing to learn")
        return 1
    print(table(verdicts))
    injected, killed, crashed, hung, survived, equivalent = _counts(verdicts)
    caught = injected - survived
    print(
        f"injected {injected}: killed {killed}, crashed {crashed}, hung {hung}, "
        f"survived {survived}, of which {equivalent} are argued to be equivalent\n"
        f"caught: {caught / injected:.2%} of all, {caught / (injected - equivalent):.2%} of those not "
        f"equivalent; {time.perf_counter() - start:.0f} s"
    )
    return int(bool(amiss or hung or injected < 0.9 * len(found)))  # code that has run takes no faults: a few lines
