"""Compare minigrad with the installed peers. The table has ratios of time or memory: minigrad uses less where below 1.

python benchmarks/compare.py                    one thread
python benchmarks/compare.py --threads 0        each library's default, in a process of its own
python benchmarks/compare.py --only CNN tape    some of the groups
python benchmarks/compare.py --only breadth --match pool    some of the cases
"""

import argparse
import json
import math
import os
import sys
import time
from pathlib import Path

PEERS = ("torch", "mygrad", "autograd", "jax")


def option_parser():
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", nargs="+", metavar="GROUP", help=f"some of: {', '.join(groups({}, None, None, None, None))}"
    )
    parser.add_argument("--match", default="", metavar="TEXT", help="only the cases with this text in group or name")
    parser.add_argument("--peers", nargs="+", default=PEERS, metavar="LIBRARY", help=f"some of: {', '.join(PEERS)}")
    parser.add_argument("--threads", type=int, default=1, help="0: each library's default, in processes (default 1)")
    parser.add_argument("--alone", metavar="LIBRARY", help="print the times of one library, in JSON: for --threads 0")
    parser.add_argument("--rounds", type=int, default=200, help="of a case, at most (default 200)")
    parser.add_argument("--budget", type=float, default=5.0, help="seconds for a case (default 5)")
    parser.add_argument(
        "--block", type=float, default=0.02, help="seconds that each library runs in a round (default 0.02)"
    )
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu: for a machine with other load")
    parser.add_argument("--data", type=Path, help="the folder of MNIST's IDX files, for the epoch")
    parser.add_argument("--json", type=Path, help="write the rows to this file, too")
    return parser


def groups(peers, cases, networks, breadth, options):
    """Return {name: a function that yields Cases}."""
    return {
        "tape": lambda: cases.tape(peers),
        "conv": lambda: cases.convolutions(peers, "float32", own_layout=False),
        "conv-own": lambda: cases.convolutions(peers, "float32", own_layout=True),
        "conv64": lambda: cases.convolutions(peers, "float64", own_layout=False),
        "depthwise": lambda: cases.depthwise(peers),
        "pool": lambda: (case for own in (True, False) for case in cases.pools(peers, own)),
        "elementwise": lambda: cases.activations(peers),
        "matmul": lambda: cases.matmul(peers),
        "CNN": lambda: networks.steps(peers),
        "epoch": lambda: [networks.epoch(peers, options.data)] if options.data else [],
        "sizes": lambda: cases.sizes(peers),
        "breadth": lambda: breadth.cases(peers),
        "chain": None,
        "start": None,
        "memory": None,
    }


def lines_of(group, sources, peers, options):
    """Yield the Lines of a group."""
    import cases
    import networks
    import processes
    import timing

    if group == "start":
        seconds = processes.cold_starts(peers, 15)
        milliseconds = {library: [1e3 * s for s in times] for library, times in seconds.items()}
        yield from timing.lines("cold start", "first gradient", milliseconds, "ms", {"torch": 0.1, "numpy": 1.15})
    elif group == "memory":
        if "torch" in peers:
            for case in networks.MEMORY:
                yield from timing.lines("peak memory", case, processes.peaks(case), "MB", {"torch": 1.6})
    elif group == "chain":
        yield from cases.chains()
    elif options.threads == 0:
        for (family, name), goals, seconds in processes.in_turn(group, ["minigrad", *peers], options):
            yield from timing.lines(family, name, {k: [1e6 * s for s in v] for k, v in seconds.items()}, "us", goals)
    else:
        clock = time.process_time if options.clock == "cpu" else time.perf_counter
        for case in sources[group]():
            if options.match not in f"{case.group} {case.name}":
                continue
            rounds = 3 if group == "epoch" else options.rounds
            yield from timing.compare(case, rounds, options.budget, clock, options.block)


def times_of(library, options, sources):
    """Return [[group, name, goals, seconds of each round], ...] of the cases that the library has."""
    import timing

    return [
        [case.group, case.name, dict(case.goals), timing.rounds(case.runs[library], options.rounds, options.budget)]
        for group in options.only
        for case in sources[group]()
        if library in case.runs and options.match in f"{case.group} {case.name}"
    ]


def table_row(line):
    """Return a Line as a row of the table."""
    goal = "" if line.goal is None else f"{line.goal:.2f}"
    return (
        f"| {line.group} | {line.name} | {line.ours:.4g} {line.unit} | {line.peer} "
        f"| {line.of_minima:.2f} | {line.of_medians:.2f} | {goal} |"
    )


def geometric_mean(ratios):
    """Return the geometric mean, for which 1/2 and 2 cancel."""
    return math.exp(math.fsum(map(math.log, ratios)) / len(ratios))


def main(arguments=None):
    """Run the command line and return the exit code."""
    options = option_parser().parse_args(arguments)
    if options.threads:
        for library in ("OPENBLAS", "MKL", "OMP"):
            os.environ[f"{library}_NUM_THREADS"] = str(options.threads)  # read when NumPy is imported, below
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    sys.path.insert(0, str(Path(__file__).parent.parent))
    import breadth
    import cases
    import networks

    import minigrad as mg

    if options.threads:
        mg.set_num_threads(options.threads)
    peers = cases.installed(options.peers)
    if "torch" in peers and options.threads:
        peers["torch"].set_num_threads(options.threads)
    sources = groups(peers, cases, networks, breadth, options)
    if options.alone:
        print(json.dumps(times_of(options.alone, options, sources)))
        return 0
    measured = []
    print("| group | case | minigrad | peer | ratio of minima | of medians | goal |\n|---|---|---|---|---|---|---|")
    for group in options.only or sources:
        lines = []
        for line in lines_of(group, sources, peers, options):
            lines.append(line)
            print(table_row(line), flush=True)
        for peer in dict.fromkeys(line.peer for line in lines):
            ratios = [(line.of_minima, line.of_medians) for line in lines if line.peer == peer]
            if len(ratios) > 2 and group != "chain":
                minima, medians = map(geometric_mean, zip(*ratios, strict=True))
                print(
                    f"| | geometric mean of the {len(ratios)} | | {peer} | {minima:.2f} | {medians:.2f} | |", flush=True
                )
        measured += lines
    if options.json:
        options.json.write_text(json.dumps([line._asdict() for line in measured], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
