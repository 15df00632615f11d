"""Data-parallel training: measured on this machine with real ranks, and simulated with up to 1,024.

python benchmarks/scaling.py measure    images a second, costs of waiting and of averaging, constants of the model
python benchmarks/scaling.py predict    what the simulation says of more ranks, on stated networks

docs/scaling.md explains both. A measurement starts mpiexec, and runs what it compares in turn in the same processes.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

import minigrad as mg
from minigrad import distributed, nn, tape


class Network(NamedTuple):
    """What messages between two ranks take; a message of s bytes takes latency + s * byte seconds."""

    latency: float
    byte: float  # to send one
    add: float  # to add one to another, on a rank


def all_reduce(network, ready, size):
    """Return when each rank has the sum of `size` bytes, message by message; ready: when each rank joins.

    Ranks exchange with the one whose number differs in one bit: all bytes each time (recursive doubling), or half as
    many each time and then twice as many again (reduce-scatter and all-gather, Rabenseifner), whatever ends earlier.
    The number of ranks is a power of 2. (R. Thakur et al., "Optimization of collective communication operations in
    MPICH", 2005.)
    """
    rounds = [1 << i for i in range(len(ready).bit_length() - 1)]
    halves = [size / (2 * bit) for bit in rounds]
    doubling = [(bit, size, size) for bit in rounds]
    scattering = [(bit, half, half) for bit, half in zip(rounds, halves, strict=True)]
    gathering = [(bit, half, 0) for bit, half in zip(rounds[::-1], halves[::-1], strict=True)]
    return min((_exchange(network, ready, plan) for plan in (doubling, scattering + gathering)), key=max)


def _exchange(network, ready, plan):
    """When each rank is done with the messages (bit, bytes sent, bytes added) of a plan."""
    now = np.array(ready, float)
    ranks = np.arange(len(now))
    for bit, sent, added in plan:
        now = np.maximum(now, now[ranks ^ bit]) + network.latency + sent * network.byte + added * network.add
    return now


def step(seconds, buckets, network, overlap=True):
    """Return the seconds of a step of several ranks, which compute for `seconds` each.

    buckets: (fraction of the computation that is done when its gradients are there, bytes) of each, in order. A bucket
    starts on a rank when its gradients are there and the bucket before it is done. Without overlap the first one waits
    for the end of the computation.
    """
    seconds = np.asarray(seconds, float)
    done = np.zeros(len(seconds))
    for fraction, size in buckets:
        ready = seconds * (fraction if overlap else 1)
        done = all_reduce(network, np.maximum(done, ready), size)
    return max(seconds.max(), done.max())


def steps(alone, n, buckets, network, overlap=True, count=500, cores=1024):
    """Simulate steps of n ranks, each of which computes for a random one of the seconds in `alone`.

    Ranks that share a core have it in turn for short times, so they end together, after the mean of their seconds.
    """
    share = max(1, n // cores)
    drawn = np.random.default_rng(0).choice(alone, (count, n // share, share)).mean(2).repeat(share, 1)
    return [step(seconds, buckets, network, overlap) for seconds in drawn]


# measured


def small_cnn(rng):
    """The network of examples/train_cnn.py with --kernel 5, for images of 28x28."""
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 5, padding=2, rng=rng), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Conv2d(8, 16, 5, padding=2, rng=rng), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(784, 10, rng=rng)),
    )


def wide_layers(rng):
    """Four million weights in four layers, whose gradients take long to average."""
    layers = [nn.Flatten(), nn.Linear(784, 1024, rng=rng)]
    for _ in range(3):
        layers += [nn.ReLU(), nn.Linear(1024, 1024, rng=rng)]
    return nn.Sequential(*layers, nn.ReLU(), nn.Linear(1024, 10, rng=rng))


class Trainer:
    """Steps of a network on images of its own."""

    def __init__(self, make, images, bucket_bytes=2**20):
        rng = np.random.default_rng(0)
        self.network = make(rng)
        self.parallel = distributed.DataParallel(self.network, bucket_bytes)
        self.optimizer = mg.optim.SGD(self.network.parameters(), lr=1e-3)
        self.x = rng.normal(size=(images, 1, 28, 28)).astype(np.float32)
        self.labels = rng.integers(0, 10, images)

    def step(self, backward):
        """Take a step; backward: loss -> None."""
        backward(mg.softmax_cross_entropy(self.network(self.x), self.labels))
        self.optimizer.step()
        self.optimizer.zero_grad()

    def seconds(self, backward, steps, world=None):
        """Return the seconds of each step; with a world, go on until all ranks are done: so all cores stay busy."""
        taken = []
        for _ in range(steps):
            start = time.perf_counter()
            self.step(backward)
            taken.append(time.perf_counter() - start)
        others = world and world.Ibarrier()
        while others and not others.Test():
            self.step(backward)
        return taken

    def gradients(self):
        """Return (fraction of the step that is done, bytes) of each leaf's gradient, as the sweep yields it."""
        start = time.perf_counter()
        loss = mg.softmax_cross_entropy(self.network(self.x), self.labels)
        order = distributed._order(loss.node, [p.node for p in self.network.parameters()])
        seed = {loss.node: np.ones((), loss.dtype)}
        times = [(time.perf_counter() - start, g.nbytes) for _, g in tape.sweep(seed, order, leaves=True)]
        return [(seconds / times[-1][0], size) for seconds, size in times]


def meet(world):
    """A barrier at which waiting takes no processor time."""
    request = world.Ibarrier()
    while not request.Test():
        time.sleep(1e-3)


def measure_on_ranks(rounds, steps, images):
    """Run on each rank; return what rank 0 found, or None."""
    from mpi4py import MPI

    world = MPI.COMM_WORLD
    cnn, wide = Trainer(small_cnn, images), Trainer(wide_layers, images)
    wide_at_once = Trainer(wide_layers, images, 2**40)
    one_image = Trainer(small_cnn, 1)
    own = mg.Tensor.backward

    def together(loss):
        """Wait for the other ranks, as averaging does, but send nothing."""
        loss.backward()
        world.Barrier()

    cases = {  # name -> (trainer, backward, all ranks)
        "cnn, one rank": (cnn, own, False), "cnn, alone": (cnn, own, True), "cnn, together": (cnn, together, True),
        "cnn, averaged": (cnn, cnn.parallel.backward, True),
        "cnn, one image": (one_image, own, False),
        "wide, one rank": (wide, own, False), "wide, alone": (wide, own, True),
        "wide, together": (wide, together, True),
        "wide, averaged": (wide, wide.parallel.backward, True),
        "wide, averaged at the end": (wide_at_once, wide_at_once.parallel.backward, True),
    }  # fmt: skip
    found = {name: [] for name in cases}
    for trainer, backward, everyone in cases.values():
        trainer.seconds(backward, 2 if everyone or world.rank == 0 else 0)
    for i in range(rounds):
        for name, (trainer, backward, everyone) in [*cases.items()][:: -1 if i % 2 else 1]:
            meet(world)
            busy = world if everyone and backward is own else None
            found[name] += trainer.seconds(backward, steps if everyone or world.rank == 0 else 0, busy)
    meet(world)
    sizes = [4 << 2 * i for i in range(11)]
    reduced = {size: min(_all_reduce_seconds(world, MPI, size) for _ in range(rounds * steps)) for size in sizes}
    leaves = {"cnn leaves": cnn.gradients(), "wide leaves": wide.gradients()}
    return {"n": world.size, "rounds": rounds, "steps": found, "reduced": reduced} | leaves


def _all_reduce_seconds(world, MPI, size, repetitions=10):
    """Seconds of an all-reduce, of several in a row: a single one on the rank that comes last takes no waiting."""
    array = np.ones(size // 4, np.float32)
    start = time.perf_counter()
    for _ in range(repetitions):
        world.Allreduce(MPI.IN_PLACE, array)
    return (time.perf_counter() - start) / repetitions


def measure(n, rounds, steps, images):
    """Start ranks, and return what they measured."""
    command = [mpiexec(), "-n", str(n), sys.executable, __file__, "rank", *map(str, (rounds, steps, images))]
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | one_thread | {"PYTHONPATH": path}
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout)


def mpiexec():
    """Return the path of the wheel's mpiexec, or the name."""
    beside = Path(sys.executable).with_name("mpiexec")
    return str(beside) if beside.exists() else "mpiexec"


def paired(found, one, other):
    """Return how much longer the steps of one case take than those of another, as a fraction, and how sure that is.

    Rounds are compared one by one, since the machine's speed changes from round to round: the median of the fractions,
    and its standard error (of a normal distribution's median).
    """
    first, second = (np.reshape(found["steps"][name], (found["rounds"], -1)).mean(1) for name in (one, other))
    fractions = first / second - 1
    low, middle, high = np.quantile(fractions, (0.25, 0.5, 0.75))
    return middle, 1.25 * (high - low) / 1.35 / math.sqrt(len(fractions))


def report_pairs(found):
    """Print what waiting, averaging and overlapping cost two ranks, and how many images they process."""
    print("\n| two ranks, round by round | | standard error |\n|---|---|---|")
    for name in ("cnn", "wide"):
        for what, one, other in (
            ("waiting", "together", "alone"), ("averaging", "averaged", "together"), ("both", "averaged", "alone"),
        ):  # fmt: skip
            fraction, error = paired(found, f"{name}, {one}", f"{name}, {other}")
            print(f"| {name}, {what} | {fraction:.1%} | {error:.1%} |")
        slower, error = paired(found, f"{name}, averaged", f"{name}, one rank")
        print(f"| {name}, images of 1 | {2 / (1 + slower):.2f} | {2 * error / (1 + slower) ** 2:.2f} |")
    fraction, error = paired(found, "wide, averaged at the end", "wide, averaged")
    print(f"| wide, averaging at the end | {fraction:.1%} | {error:.1%} |")


def report(found, images, statistic):
    """Print what a measurement says of a network, measured and simulated."""
    print(f"\n{statistic.__name__} of the steps\n\n| case | 1 | 2 | 4 |\n|---|---|---|---|")
    s = [{name: 1e3 * statistic(taken) for name, taken in each["steps"].items()} for each in found]
    for name in s[0]:
        print(f"| {name}, ms | " + " | ".join(f"{each[name]:.2f}" for each in s) + " |")
    network = fitted(found[1]["reduced"])
    for name in ("cnn", "wide"):
        leaves = buckets(found[0][f"{name} leaves"])
        simulated = [
            steps(each["steps"][f"{name}, alone"], each["n"], leaves, network, cores=os.cpu_count()) for each in found
        ]
        print(f"| {name}, simulated, ms | " + " | ".join(f"{1e3 * statistic(each):.2f}" for each in simulated) + " |")
    print(f"two ranks: {network.latency * 1e6:.1f} us and {1e-9 / network.byte:.2f} GB/s an all-reduce")
    print(f"cnn: {s[0]['cnn, one image']:.2f} ms with one image, {s[0]['cnn, one rank']:.2f} ms with {images}")


def fitted(reduced):
    """The Network of two ranks whose all-reduce takes what was measured: a line through the (size, seconds) pairs.

    Each pair has the same weight, relative to its seconds.
    """
    sizes = np.array([int(size) for size in reduced], float)
    seconds = np.array(list(reduced.values()))
    lines = np.stack([1 / seconds, sizes / seconds], 1)
    latency, byte = np.linalg.lstsq(lines, np.ones(len(sizes)), rcond=None)[0]
    return Network(float(max(latency, 0)), float(byte), 0.0)


NETWORKS = {  # the figures of vendors, with what TCP and MPI leave of them; an addition is memory-bound
    "Ethernet 25 Gbit/s": Network(30e-6, 1 / 2.5e9, 1 / 4e9),
    "InfiniBand 200 Gbit/s": Network(2e-6, 1 / 20e9, 1 / 4e9),
}
FIXED, EACH = 1.4e-3, 2.15e-4  # processor seconds of a step of the CNN; benchmarks/results/2026-11-27-scaling.md
LEAVES = [(0.47, 31_400), (0.71, 12_864), (1.0, 832)]  # of the CNN: (fraction of the step, bytes) of each layer
RANKS = (8, 16, 32, 64, 128, 256, 512, 1024)
BATCH = 8192
NETS = {"CNN": (1, 1), "1,000 times": (1000, 1000), "heavy": (1000, 10)}  # times the weights, times the work


def buckets(leaves, factor=1, bucket_bytes=2**20):
    """Return (fraction, bytes) of each bucket, from those of each leaf, whose bytes are multiplied by a factor."""
    found, size = [], 0
    for i, (fraction, leaf) in enumerate(leaves):
        size += leaf * factor
        if size >= bucket_bytes or i + 1 == len(leaves):
            found.append((fraction, size))
            size = 0
    return found


def predict(fixed, each, images, leaves):
    """Print the speed-up over one rank: with so many images a rank, and with BATCH images in all.

    A step of a rank computes for fixed + images * each seconds, the images' part times a factor.
    """
    for name, network in NETWORKS.items():
        columns = [f"{net}, {images} a rank | {net}, {BATCH} in all" for net in NETS]
        print(f"\n{name}\n\n| ranks | {' | '.join(columns)} |\n{'|---' * (1 + 2 * len(NETS))}|")
        for n in RANKS:
            cells = []
            for weights, work in NETS.values():
                for on_one, on_each in ((n * images, images), (BATCH, BATCH / n)):
                    alone, shared = (fixed + work * k * each for k in (on_one, on_each))
                    cells.append(f"{alone / step(np.full(n, shared), buckets(leaves, weights), network):,.0f}")
            print(f"| {n:,} | {' | '.join(cells)} |")


def main(arguments=None):
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure", help="start 1, 2 and 4 ranks, and compare them with the simulation")
    measuring.add_argument("--rounds", type=int, default=30)
    measuring.add_argument("--steps", type=int, default=2, help="of each case in a round")
    measuring.add_argument("--images", type=int, default=64, help="of a step of a rank")
    measuring.add_argument("--json", type=Path, help="a file for what was measured")
    predicting = commands.add_parser("predict", help="simulate 8 to 1,024 ranks")
    predicting.add_argument("--fixed", type=float, default=FIXED, help="seconds of a step without images")
    predicting.add_argument("--each", type=float, default=EACH, help="seconds of a step for each image")
    rank = commands.add_parser("rank", help="what each rank of a measurement runs")
    rank.add_argument("numbers", type=int, nargs=3)
    options = parser.parse_args(arguments)
    if options.command == "rank":
        found = measure_on_ranks(*options.numbers)
        if distributed.is_main():
            print(json.dumps(found))
    elif options.command == "measure":
        found = [measure(n, options.rounds, options.steps, options.images) for n in (1, 2, 4)]
        if options.json:
            options.json.write_text(json.dumps(found))
        for statistic in (min, statistics.median):
            report(found, options.images, statistic)
        report_pairs(found[1])
    else:
        predict(options.fixed, options.each, 64, LEAVES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
