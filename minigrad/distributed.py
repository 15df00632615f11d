"""Data-parallel training on MPI: each rank computes the gradients of its share of a batch, and all take the same step.

    parallel = mg.distributed.DataParallel(network)                   every rank has the weights of rank 0
    for x, labels in mg.distributed.minibatches(data, 64, rng=rng):   this rank's share of each batch of 64
        parallel.backward(mg.softmax_cross_entropy(network(x), labels))
        optimizer.step()                                              the same step on every rank
        optimizer.zero_grad()
    if mg.distributed.is_main(): mg.save("run.npz", network.state_dict())

`mpiexec -n 4 python script.py` starts four ranks. Without mpiexec there is one rank, and no MPI is needed. A rank that
ends by an exception or by `sys.exit(code)`, unless the code is 0, ends the whole job.
"""

from __future__ import annotations  # np.random, which annotations name, is slow to load

import atexit
import os
import sys
import time
from collections.abc import Iterator, Mapping
from functools import cache, partial
from numbers import Real
from typing import Any, NoReturn, TypeVar

import numpy as np

from . import data, ops, tape
from ._tensor import Tensor
from .data.batches import count_rows, taken
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


@cache
def _mpi() -> Any:
    """The module mpi4py.MPI, or None in a program that mpiexec did not start."""
    if not any(name in os.environ for name in LAUNCHED):
        return None
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        said = "a program that mpiexec starts needs mpi4py: pip install 'minigrad-numpy[mpi]'"
        raise ImportError(f"distributed: {said} ({error})") from error
    started, found = max(int(os.environ.get(name, 1)) for name in SIZES), MPI.COMM_WORLD.size
    if found < started:
        said = f"mpiexec started {started} ranks but mpi4py finds {found}"
        raise RuntimeError(f"distributed: {said}: use the mpiexec of the MPI that mpi4py loads")
    return MPI


def _end_job(code: int = 1) -> None:
    """End all ranks: they would wait for this one for ever."""
    print(f"rank {rank()} of {size()} ends the job", file=sys.stderr, flush=True)
    time.sleep(0.2)  # mpiexec passes on what ranks print, but drops what is left when the job ends
    _mpi().COMM_WORLD.Abort(code)


def _after(hook: Any, *error: Any) -> None:
    """What Python does with an exception that nothing catches, and then the end."""
    hook(*error)
    _end_job()


def _exit(code: Any = None) -> NoReturn:
    """`sys.exit`; Python says nothing about it to a hook, but runs what is registered."""
    if code:
        atexit.register(_end_job, code if isinstance(code, int) else 1)
    raise SystemExit(code)


if any(name in os.environ for name in LAUNCHED):
    sys.excepthook, sys.exit = partial(_after, sys.excepthook), _exit


def rank() -> int:
    """Return the number of this process, from 0 to size() - 1."""
    return 0 if _mpi() is None else _mpi().COMM_WORLD.rank


def size() -> int:
    """Return how many processes there are: 1 without mpiexec."""
    return 1 if _mpi() is None else _mpi().COMM_WORLD.size


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
    if size() > 1:
        state = _mpi().COMM_WORLD.bcast(part.state_dict() if is_main() else None)
        if not is_main():
            part.load_state_dict(state)


def minibatches(
    arrays: T, batch_size: int, *, rng: np.random.Generator | None = None, shuffle: bool = True, drop_last: bool = False
) -> Iterator[T]:
    """Return an iterator over this rank's shares of the mini-batches of `mg.data.minibatches`. All ranks call it.

    batch_size: rows of a batch on all ranks together, a multiple of size(). rng draws the order on rank 0, which every
    rank follows. So the batches do not depend on the number of ranks. Each rank has the same number of rows, without
    which the mean of the gradients would not be that of the batch: a last batch whose rows size() does not divide
    loses up to size() - 1 of them.

    Raises ValueError and TypeError as `mg.data.minibatches` does, and ValueError for another batch_size.

    >>> [x.tolist() for x in mg.distributed.minibatches(np.arange(5), 2, shuffle=False)]
    [[0, 1], [2, 3], [4]]
    """
    rows, n = np.arange(count_rows("minibatches", arrays)), size()
    batches = [*data.minibatches(rows, batch_size, rng=rng, shuffle=shuffle, drop_last=drop_last)]
    if batch_size % n:
        raise ValueError(f"minibatches: batch_size must be a multiple of the {n} ranks, not {batch_size}")
    if n > 1:
        batches = _mpi().COMM_WORLD.bcast(batches)
    shares = [batch[: len(batch) - len(batch) % n].reshape(n, -1)[rank()] for batch in batches]
    return (taken(arrays, share) for share in shares if len(share))


def reduce_metrics(metrics: Mapping[str, float], weight: float = 1.0) -> dict[str, float]:
    """Return the weighted mean over the ranks of each number, the same on every rank. All ranks call it.

    weight: what this rank counts, such as the rows that it measured; numbers of weight 0 are left out.
    Raises ValueError unless the ranks give the same names, and if all weights are 0; TypeError for other values.

    >>> mg.distributed.reduce_metrics({"loss": 0.5, "accuracy": 0.75}, weight=32)
    {'loss': 0.5, 'accuracy': 0.75}
    """
    own = _weighted(metrics, weight)
    if size() == 1:
        return own[1]
    every = _mpi().COMM_WORLD.allgather(own)
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
        self._buckets: list[_Bucket] = []
        broadcast(module)

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of this rank's loss to the `.grad` of each parameter, then average that over the ranks.

        A parameter that has no gradient on any rank keeps None. The gradients are views of arrays which the next call
        uses again: copy what should outlive it. What `loss.backward()` has added before is averaged, too.

        Raises TypeError unless loss is a Tensor, RuntimeError as `Tensor.backward` does, and RuntimeError if the loss
        depends on a leaf outside of the module, whose gradient would not be averaged. After another exception, in the
        sweep, the gradients are not defined.
        """
        parameters = [p for p in self.module.parameters() if p.requires_grad]
        order = _order(loss, parameters)
        if size() == 1 or loss.node is None or loss.size != 1:
            loss.backward()  # says what is wrong with the loss
            return
        if [*map(id, parameters)] != [id(p) for bucket in self._buckets for p in bucket.parameters]:
            self._buckets = [*_fill(parameters, self.bucket_bytes)]
        self._sweep(loss, order)
        for bucket in self._buckets:
            bucket.assign()

    def _sweep(self, loss: Tensor, order: list[Node]) -> None:
        """Add up the gradients of loss / size() over the ranks, each bucket as soon as it is complete."""
        places = {p.node: (bucket, i) for bucket in self._buckets for i, p in enumerate(bucket.parameters)}
        for bucket in self._buckets:
            bucket.missing = len(bucket.parameters)
        for bucket, i in (places[node] for node in places.keys() - order):
            bucket.put(i, None)
        MPI, requests = _mpi(), []
        # the last parameters come first; every rank starts the buckets in this order, as MPI requires
        waiting = self._buckets[:]
        try:
            seed = {loss.node: np.full(loss.shape, 1 / size(), loss.dtype)}
            for node, g in tape.sweep(seed, _leaves_early(order), leaves=True, release=True):
                bucket, i = places[node]
                bucket.put(i, g)
                while waiting and not waiting[-1].missing:
                    requests.append(MPI.COMM_WORLD.Iallreduce(MPI.IN_PLACE, waiting.pop().flat))
                MPI.Request.Testall(requests)  # lets MPI continue what was started
        finally:
            MPI.Request.Waitall(requests)


def _order(loss: Any, parameters: list[Tensor]) -> list[Node]:
    """The nodes that the loss grew from. Raises RuntimeError if one is a leaf that is none of the parameters."""
    if not isinstance(loss, Tensor):
        raise TypeError(f"backward: loss must be a Tensor, not {brief(loss)}")
    order = tape.reached([] if loss.node is None else [loss.node])
    if others := {node for node in order if node.op is None} - {p.node for p in parameters}:
        said = sorted(node.name or f"one of shape {node.shape}" for node in others)[0]
        raise RuntimeError(f"backward: the loss depends on a leaf outside of the module, {said}")
    return order


def _leaves_early(order: list[Node]) -> list[Node]:
    """The same nodes, each leaf right after the last op that uses it. So the sweep yields it as soon as it can."""
    last_use = {parent: node.number for node in order for parent in node.parents}
    return sorted(order, key=lambda node: node.number if node.op else last_use.get(node, 0) - 0.5, reverse=True)


class _Bucket:
    """Parameters whose gradients are sent together, side by side in `flat`.

    `ranks`, at its end, has an entry for each parameter: on how many ranks it has a gradient.
    """

    def __init__(self, parameters: list[Tensor]):
        ends = np.cumsum([p.size for p in parameters])
        self.parameters = parameters
        self.flat = np.zeros(ends[-1] + len(parameters), parameters[0].dtype)
        *parts, self.ranks = np.split(self.flat, ends)
        self.gradients = [part.reshape(p.shape) for part, p in zip(parts, parameters, strict=True)]
        self.missing = len(parameters)

    def put(self, i: int, g: np.ndarray | None) -> None:
        """Note the gradient that the sweep found for parameter i, or that there is none."""
        before = self.parameters[i].grad
        self.ranks[i] = g is not None or before is not None
        found = 0 if g is None else g
        self.gradients[i][...] = found if before is None else before / size() + found
        self.missing -= 1

    def assign(self) -> None:
        """Give each parameter its gradient."""
        for p, g, ranks in zip(self.parameters, self.gradients, self.ranks, strict=True):
            p.node.grad = g if ranks else None


def _fill(parameters: list[Tensor], bucket_bytes: int) -> Iterator[_Bucket]:
    """Divide parameters into buckets of one dtype."""
    bucket: list[Tensor] = []
    for p in parameters:
        if p.dtype not in (np.float32, np.float64) or not p.dtype.isnative:
            raise TypeError(f"backward: {p.name or 'a parameter'} must be float32 or float64, not {p.dtype}")
        if bucket and (p.dtype != bucket[0].dtype or sum(q.nbytes for q in bucket) >= bucket_bytes):
            yield _Bucket(bucket)
            bucket = []
        bucket.append(p)
    if bucket:
        yield _Bucket(bucket)


@op
def _mean_over_ranks(x: Any) -> Any:
    """Y = (X of rank 0 + ... + X of rank n - 1) / n, on every rank.

    J is the sum of the losses of all ranks, so dJ/dX = (dJ/dY of rank 0 + ...) / n: the same function of g.
    """
    total = np.array(x, float, order="C")
    if size() > 1:
        _mpi().COMM_WORLD.Allreduce(_mpi().IN_PLACE, total)
    return (total / size()).astype(x.dtype)


@_mean_over_ranks.vjp("x")
def _(g, y, x):
    return _mean_over_ranks(g)


class SyncBatchNorm2d(BatchNorm2d):
    """BatchNorm2d whose mean and variance, while training, are those of the batch on all ranks together.

    A plain BatchNorm2d takes those of this rank's share. Its running statistics then differ between ranks, and
    `broadcast(network)` gives every rank those of rank 0. Every rank must have a share of the same shape.

    >>> layer = mg.distributed.SyncBatchNorm2d(3)
    >>> layer(np.random.default_rng(0).normal(5.0, 2.0, (8, 3, 4, 4))).shape
    (8, 3, 4, 4)
    """

    def _statistics(self, x: Any) -> tuple[Any, Any, int]:
        mean = _mean_over_ranks(ops.mean(x, (0, 2, 3), keepdims=True))
        variance = _mean_over_ranks(ops.mean((x - mean) ** 2, (0, 2, 3), keepdims=True))
        return mean, variance, size() * x.size // self.num_features
