"""Data-parallel training on MPI: each rank computes the gradients of its share of a batch, and all take the same step.

    parallel = mg.distributed.DataParallel(network)                   every rank has the weights of rank 0
    for x, labels in mg.distributed.minibatches(data, 64, rng=rng):   this rank's share of each batch of 64
        parallel.backward(mg.softmax_cross_entropy(network(x), labels))
        optimizer.step()                                              the same step on every rank
        optimizer.zero_grad()
    if mg.distributed.is_main(): mg.save("run.npz", network.state_dict())

`mpiexec -n 4 python script.py` starts four ranks. Without mpiexec there is one rank, and no MPI is needed. A rank with
an exception that nothing catches ends the whole job, and so does one that waits for a rank that has ended.
"""

from __future__ import annotations  # np.random, which annotations name, is slow to load

import atexit
import os
import sys
import time
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import groupby
from numbers import Real
from types import SimpleNamespace
from typing import Any, TypeVar

import numpy as np

from . import data, ops, tape
from ._tensor import Tensor, seed_of
from .data.batches import Batches, count_rows
from .errors import brief
from .nn import BatchNorm2d, Module
from .nn.arguments import check_number, check_sizes
from .operation import op
from .tape import Node

__all__ = ["DataParallel", "SyncBatchNorm2d", "broadcast", "is_main", "minibatches", "rank", "reduce_metrics", "size"]

T = TypeVar("T")

# what mpiexec tells a rank of MPICH (Intel's and Microsoft's MPI too), of Open MPI, and of Slurm's srun
LAUNCHED = ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK")
SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")
launched = any(name in os.environ for name in LAUNCHED)
ENDED = 1  # the tag of the message that a rank ends
give_way = getattr(os, "sched_yield", lambda: None)


class _Ranks:
    """The ranks that mpiexec started. Each makes the same calls of `add` and `wait` or `gather` in the same order."""

    def __init__(self, MPI: Any):
        self.MPI, self.world = MPI, MPI.COMM_WORLD.Dup()  # apart from the program's own messages
        self.rank, self.size = self.world.rank, self.world.size
        # equivalent: any change because all ranks begin to count alike
        self.waits = 0  # how often this rank has waited
        self.ended: list[tuple[int, int]] = []  # for each rank that has ended: how often it had waited, and its number

    def add(self, array: np.ndarray) -> Any:
        """Start to add up the arrays of all ranks, in place; return what to wait for."""
        return self.world.Iallreduce(self.MPI.IN_PLACE, array)

    def wait(self, requests: list[Any]) -> None:
        """Wait until all ranks have made the same calls. End the job if one has ended before."""
        self.waits += 1  # equivalent: 1 -> 2 because all ranks count alike
        while not self.MPI.Request.Testall(requests):
            if self.world.iprobe(tag=ENDED):
                self.ended.append(self.world.recv(tag=ENDED))
            if min(self.ended, default=(self.waits,)) < (self.waits,):
                _end_job(self.MPI.COMM_WORLD, f": it waits for rank {min(self.ended)[1]}, which has ended")
            give_way()  # equivalent: any change because it saves time: the rank that it waits for may need this core

    def gather(self, call: str, value: Any) -> list[Any]:
        """Return the values of all ranks. Raises RuntimeError if they come from different calls."""
        self.wait([self.world.Ibarrier()])
        calls, values = zip(*self.world.allgather((call, value)), strict=True)
        if {*calls} != {call}:
            raise RuntimeError(f"{call}: the ranks make different calls, {', '.join(calls)}")
        return [*values]

    def end(self) -> None:
        """Tell all that this rank ends, and wait until all do."""
        sent = [self.world.isend((self.waits, self.rank), each, ENDED) for each in range(self.size)]
        while len(self.ended) < self.size:
            self.ended.append(self.world.recv(tag=ENDED))
        self.MPI.Request.Waitall(sent)  # equivalent: any change because a message of few bytes is sent at once


@cache
def _ranks() -> Any:
    if not launched:
        return SimpleNamespace(rank=0, size=1, gather=lambda call, value: [value])
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        said = "a program that mpiexec starts needs mpi4py: pip install mpi4py"
        raise ImportError(f"distributed: {said} ({error})") from error
    # equivalent: 1 -> 0 because mpi4py finds at least one
    started, found = max(int(os.environ.get(name, 1)) for name in SIZES), MPI.COMM_WORLD.size
    if found < started:
        said = f"mpiexec started {started} ranks but mpi4py finds {found}"
        raise RuntimeError(f"distributed: {said}: use the mpiexec of the MPI that mpi4py loads")
    return _Ranks(MPI)


def _end_job(world: Any, why: str = "") -> None:
    # equivalent: True -> False because the ranks of the tests are threads, whose standard error is written at once
    print(f"rank {world.rank} of {world.size} ends the job{why}", file=sys.stderr, flush=True)
    # equivalent: any change because ranks that are threads have nothing to wait for
    time.sleep(0.2)  # mpiexec passes on what ranks print, but drops what is left when the job ends
    world.Abort(1)


# before a rank has started MPI, mpiexec itself ends the job when the rank fails
def _after(*error: Any, hook: Any = sys.excepthook) -> None:
    """Report an uncaught exception as Python does, then end the job."""
    hook(*error)
    if MPI := sys.modules.get("mpi4py.MPI"):
        _end_job(MPI.COMM_WORLD)


if launched:
    sys.excepthook = _after
    atexit.register(lambda: "mpi4py.MPI" in sys.modules and _ranks().end())


def rank() -> int:
    """Return the number of this process, from 0 to size() - 1."""
    return _ranks().rank


def size() -> int:
    """Return how many processes there are: 1 without mpiexec."""
    return _ranks().size


def is_main() -> bool:
    """Return whether this is rank 0: the one that prints, draws and saves."""
    return rank() == 0


def broadcast(part: Any) -> None:
    """Load the state of rank 0 on every other rank. All ranks call it.

    part: a Module or an Optimizer, or anything else with `state_dict()` and `load_state_dict(state)`.
    Raises TypeError for anything else.

    >>> network = mg.nn.Linear(2, 1, rng=np.random.default_rng(mg.distributed.rank()))
    >>> mg.distributed.broadcast(network)
    """
    if isinstance(part, type) or not (hasattr(part, "state_dict") and hasattr(part, "load_state_dict")):
        raise TypeError(f"broadcast: part must be a Module or an Optimizer, not {brief(part)}")
    # equivalent: part.state_dict() if is_main() else None -> part.state_dict() because only the first is used
    state, *_ = _ranks().gather("broadcast", part.state_dict() if is_main() else None)
    if not is_main():
        part.load_state_dict(state)


def minibatches(
    arrays: T, batch_size: int, *, rng: np.random.Generator | None = None, shuffle: bool = True, drop_last: bool = False
) -> Batches[T]:
    """Return this rank's shares of the mini-batches of `mg.data.minibatches`. All ranks call it, and loop together.

    batch_size: rows of a batch on all ranks together, a multiple of size(). rng draws the order on rank 0, which every
    rank follows. So the batches do not depend on the number of ranks. Each rank has the same number of rows, without
    which the mean of the gradients would not be that of the batch: a last batch whose rows size() does not divide
    loses up to size() - 1 of them.

    Raises ValueError and TypeError as `mg.data.minibatches` does, and ValueError for another batch_size, and if the
    ranks give different ones or have different numbers of rows.

    >>> [x.tolist() for x in mg.distributed.minibatches(np.arange(5), 2, shuffle=False)]
    [[0, 1], [2, 3], [4]]
    """
    rows, n = np.arange(count_rows("minibatches", arrays)), size()
    batches = data.minibatches(rows, batch_size, rng=rng, shuffle=shuffle, drop_last=drop_last)
    if batch_size % n:
        raise ValueError(f"minibatches: batch_size must be a multiple of the {n} ranks, not {batch_size}")

    def drawn() -> list[np.ndarray]:
        own = [*batches]
        # equivalent: own if is_main() else None -> own because only the first are used
        every = _ranks().gather("minibatches", (len(rows), batch_size, own if is_main() else None))
        counts, sizes, (of_main, *_) = zip(*every, strict=True)
        for what, numbers in (("numbers of rows", counts), ("batch sizes", sizes)):
            if len({*numbers}) > 1:
                raise ValueError(f"minibatches: the ranks have different {what}: {', '.join(map(str, numbers))}")
        shares = [batch[: len(batch) - len(batch) % n].reshape(n, -1)[rank()] for batch in of_main]
        return [share for share in shares if len(share)]

    return Batches(arrays, drawn)


def reduce_metrics(metrics: Mapping[str, float], weight: float = 1.0) -> dict[str, float]:
    """Return the weighted mean over the ranks of each number, the same on every rank. All ranks call it.

    weight: what this rank counts, such as the rows that it measured; numbers of weight 0 are left out.
    Raises ValueError unless the ranks give the same names, and if all weights are 0; TypeError for other values.

    >>> mg.distributed.reduce_metrics({"loss": 0.5, "accuracy": 0.75}, weight=32)
    {'loss': 0.5, 'accuracy': 0.75}
    """
    every = _ranks().gather("reduce_metrics", _weighted(metrics, weight))
    if any(theirs.keys() != metrics.keys() for _, theirs in every):
        raise ValueError(f"reduce_metrics: the ranks give different names: {[list(theirs) for _, theirs in every]}")
    total = sum(weight for weight, _ in every)
    if not total:
        raise ValueError("reduce_metrics: weight must be above 0 on one rank at least")
    return {name: sum(weight * theirs[name] for weight, theirs in every if weight) / total for name in metrics}


def _weighted(metrics: Any, weight: Any) -> tuple[float, dict[str, float]]:
    """The arguments of reduce_metrics as plain numbers."""
    if not isinstance(metrics, Mapping) or not all(isinstance(value, Real) for value in metrics.values()):
        raise TypeError(f"reduce_metrics: metrics must be a mapping of names to numbers, not {brief(metrics)}")
    check_number("reduce_metrics", "weight", weight, 0, sys.float_info.max)
    return float(weight), {name: float(value) for name, value in metrics.items()}


class DataParallel:
    """A module that every rank has, and whose gradients are means over the ranks.

    module: takes rank 0's state at once. bucket_bytes: gradients that fill this many bytes are sent together, as soon
    as the sweep has found them, while it goes on; a larger number sends fewer messages, later.

    Every rank must call `backward` as often. Raises TypeError if the module is none.

    >>> network = mg.nn.Linear(2, 1, rng=np.random.default_rng(0))
    >>> parallel = mg.distributed.DataParallel(network)
    >>> parallel.backward(mg.mean_squared_error(network(np.ones((4, 2))), np.zeros((4, 1))))
    >>> network.weight.grad.shape
    (1, 2)
    """

    def __init__(self, module: Module, bucket_bytes: int = 2**20):
        if not isinstance(module, Module):
            raise TypeError(f"DataParallel: module must be a Module, not {brief(module)}")
        check_sizes("DataParallel", bucket_bytes=bucket_bytes)
        self.module, self.bucket_bytes = module, bucket_bytes
        self._nodes: list[Node] = []
        self._buckets: list[_Bucket] = []
        broadcast(module)

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of this rank's loss to the `.grad` of each parameter, then average that over the ranks.

        A parameter that has no gradient on any rank keeps None. The gradients are views of arrays which the next call
        uses again: copy what should outlive it. What `loss.backward()` has added before is averaged, too.

        Raises TypeError unless loss is a Tensor, and RuntimeError as `Tensor.backward` does; if the loss depends on a
        leaf outside of the module, whose gradient would not be averaged; and if the ranks train different parameters.
        After another exception, in the sweep, the gradients are not defined.
        """
        if not isinstance(loss, Tensor):
            raise TypeError(f"backward: loss must be a Tensor, not {brief(loss)}")
        ranks, seed = _ranks(), seed_of(loss)
        places = {p.node: i for i, p in enumerate(self.module.parameters()) if p.requires_grad}
        nodes = [*places]
        order = _order(loss.node, nodes)
        if ranks.size == 1:
            loss.backward()
            return
        if nodes != self._nodes:
            self._nodes, self._buckets = nodes, [*_fill(places, self.bucket_bytes)]
        for node in nodes:
            node.grad = None if node.grad is None else node.grad / ranks.size
        swept = tape.sweep({loss.node: seed / ranks.size}, order, leaves=True, release=True)
        requests: list[Any] = []
        try:
            self._start(ranks, swept, {*nodes}.difference(order), requests)
        finally:
            ranks.wait(requests)
        for bucket in self._buckets:
            bucket.assign(ranks.size)

    def _start(self, ranks: _Ranks, swept: Iterator[tuple[Node, Any]], found: set[Node], requests: list[Any]) -> None:
        """Start to average each bucket once its gradients are found.

        The last parameters come first: every rank starts the buckets in this order, as MPI requires.
        """
        waiting = self._buckets[:]
        for node, g in swept:
            node.grad = g if node.grad is None else node.grad + g
            found.add(node)
            # equivalent: any change because it only lets MPI continue what was started
            ranks.MPI.Request.Testall(requests)
            while waiting and found.issuperset(waiting[-1].gradients):
                requests.append(ranks.add(waiting.pop().filled()))


def _order(root: Node, nodes: list[Node]) -> list[Node]:
    """The nodes that the root grew from, each leaf right after the last op that uses it, so that its gradient is early.

    Raises RuntimeError if a leaf is not among these nodes.
    """
    order = tape.reached([root])
    if others := {node for node in order if node.op is None}.difference(nodes):
        said = sorted(node.name or f"one of shape {node.shape}" for node in others)[0]
        raise RuntimeError(f"backward: the loss depends on a leaf outside of the module, {said}")
    last_use = {parent: node.number for node in order for parent in node.parents}
    # equivalent: any change because any order is right in which a node stands before its parents
    return sorted(order, key=lambda node: node.number if node.op else last_use.get(node, 0) - 0.5, reverse=True)


class _Bucket:
    """Leaves whose gradients are sent together, side by side in `flat`.

    At its end are, for each leaf, on how many ranks it has a gradient, and a number that stands for all that is sent.
    """

    def __init__(self, nodes: list[Node], layout: int):
        self.layout = layout
        # equivalent: 1 -> 2 because one entry before the last is then not used
        self.flat = np.empty(sum(node.output.size for node in nodes) + len(nodes) + 1, nodes[0].dtype)
        *parts, self.ranks = np.split(self.flat, np.cumsum([node.output.size for node in nodes]))
        self.gradients = {node: part.reshape(node.shape) for node, part in zip(nodes, parts, strict=True)}

    def filled(self) -> np.ndarray:
        """The array, with this rank's parts of the means: 0 where a leaf has no gradient."""
        for i, (node, total) in enumerate(self.gradients.items()):
            self.ranks[i] = node.grad is not None
            total[...] = 0 if node.grad is None else node.grad
        self.ranks[-1] = self.layout
        return self.flat

    def assign(self, ranks: int) -> None:
        """Give each leaf its gradient, once so many ranks have added theirs."""
        if self.ranks[-1] != ranks * self.layout:
            raise RuntimeError("backward: the ranks have different parameters, or make different calls")
        for (node, total), having in zip(self.gradients.items(), self.ranks, strict=False):
            node.grad = total if having else None


def _fill(nodes: dict[Node, int], bucket_bytes: int) -> Iterator[_Bucket]:
    """Divide leaves, each with its place in the module, into buckets of one dtype."""
    all_that_is_sent = [bucket_bytes, *((place, node.shape, node.dtype) for node, place in nodes.items())]
    # equivalent: any change because the number only has to differ for most other lists
    layout = zlib.crc32(repr(all_that_is_sent).encode()) % 4095 + 1
    for node in nodes:
        if node.dtype not in (np.float32, np.float64):  # which are those of this machine's byte order
            raise TypeError(f"backward: {node.name or 'a parameter'} must be float32 or float64, not {node.dtype}")
    ends = dict(zip(nodes, np.cumsum([node.output.nbytes for node in nodes]), strict=True))
    # equivalent: any change because where a bucket ends only tunes
    for _, group in groupby(nodes, lambda node: (node.dtype, ends[node] // bucket_bytes)):
        yield _Bucket([*group], layout)


@op
def _sum_over_ranks(x: Any) -> Any:
    """Y = X of rank 0 + ... + X of rank n - 1, on every rank.

    J is the sum of the losses of all ranks, so dJ/dX = dJ/dY of rank 0 + ...: the same function of g.
    """
    total = np.array(x, float, order="C")
    if size() > 1:
        _ranks().wait([_ranks().add(total)])
    return total.astype(x.dtype)


@_sum_over_ranks.vjp("x")
def _(g, y, x):
    return _sum_over_ranks(g)


class SyncBatchNorm2d(BatchNorm2d):
    """BatchNorm2d whose mean and variance, while training, are those of the batch on all ranks together.

    A plain BatchNorm2d takes those of this rank's share. Its running statistics then differ between ranks, and
    `broadcast(network)` gives every rank those of rank 0.

    >>> layer = mg.distributed.SyncBatchNorm2d(3)
    >>> layer(np.random.default_rng(0).normal(5.0, 2.0, (8, 3, 4, 4))).shape
    (8, 3, 4, 4)
    """

    def _of_batch(self, x: Any) -> tuple[Any, Any, Any, int]:
        entries = sum(_ranks().gather("SyncBatchNorm2d", x.size // self.num_features))
        mean = _sum_over_ranks(ops.sum(x, (0, 2, 3), keepdims=True) / entries)
        variance = _sum_over_ranks(ops.sum((x - mean) ** 2, (0, 2, 3), keepdims=True) / entries)
        return self._normalized(x, mean, variance), mean, variance, entries
