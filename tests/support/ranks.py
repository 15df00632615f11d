"""What each rank runs in the tests of minigrad.distributed: `mpiexec -n 4 python ranks.py JOB ARGUMENTS`.

The tests call the same functions in their own process, which is the only rank there.
"""

import os
import signal
import sys

import numpy as np

import minigrad as mg
from minigrad import distributed, nn

STEPS = 20
BATCH = 16  # images of a step, on all ranks together


class Network(nn.Module):
    """A small CNN, with a parameter that no step uses."""

    def __init__(self, seed, norm):
        rng = np.random.default_rng(seed)
        self.conv = nn.Conv2d(1, 3, 3, bias=norm is None, rng=rng, dtype=float)
        self.norm = norm(3, dtype=float) if norm else None
        self.hidden = nn.Linear(27, 5, rng=rng, dtype=float)
        self.fc = nn.Linear(5, 4, rng=rng, dtype=float)
        self.unused = mg.tensor(np.ones(2), requires_grad=True)

    def forward(self, x):
        z = self.conv(x)
        z = mg.tanh(self.norm(z) if self.norm else z)
        return self.fc(mg.tanh(self.hidden(mg.avg_pool2d(z, 2).reshape(len(x), -1))))


class Training:
    """Weights that each rank draws for itself, an order that all draw, and the losses of the steps."""

    def __init__(self, norm=None, bucket_bytes=2**20):
        self.network = Network(distributed.rank(), norm)
        self.parallel = distributed.DataParallel(self.network, bucket_bytes)
        self.optimizer = mg.optim.SGD(self.network.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)
        self.rng = np.random.default_rng(2)
        self.losses = []

    def take(self, steps):
        """Take an even number of steps, two an epoch."""
        rng = np.random.default_rng(1)
        x, labels = rng.normal(size=(40, 1, 8, 8)), rng.integers(0, 4, 40)
        for _ in range(steps // 2):
            for batch in distributed.minibatches((x, labels), BATCH, rng=self.rng, drop_last=True):
                self.step(*batch)
        return self

    def step(self, x, labels):
        loss = mg.softmax_cross_entropy(self.network(x), labels)
        self.parallel.backward(loss)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.losses.append(distributed.reduce_metrics({"loss": loss.item()}, weight=len(labels))["loss"])

    def state(self):
        return self.network.state_dict() | {"losses": np.array(self.losses)}

    def save(self, path):
        if distributed.is_main():
            parts = {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}
            mg.save(path, parts | {"order": self.rng.bit_generator.state})

    def resume(self, path):
        state = mg.load(path)
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rng.bit_generator.state = state["order"]
        return self


def trained():
    """States after training in different ways."""
    return {
        "one bucket": Training().take(STEPS).state(),
        "a bucket for each parameter": Training(bucket_bytes=1).take(STEPS).state(),
        "synchronised": Training(distributed.SyncBatchNorm2d).take(STEPS).state(),
    }


class Parts(nn.Module):
    """Parameters of two dtypes, which different ranks use."""

    def __init__(self):
        self.of_all = mg.tensor(np.ones((2, 3)), requires_grad=True)
        self.of_main = mg.tensor(np.ones(4, np.float32), requires_grad=True)
        self.of_none = mg.tensor(np.ones(5), requires_grad=True)
        self.of_before = mg.tensor(np.ones(()), requires_grad=True)
        self.frozen = mg.tensor(np.ones(2))


def gradients():
    """Gradients of parameters that not every rank uses, some of them added to what was there."""
    scale = distributed.rank() + 1.0
    parts = Parts()
    parallel = distributed.DataParallel(parts)
    found = {}
    for i in range(2):
        (parts.of_before * scale).backward()  # on this rank alone, until the next average
        loss = (parts.of_all * parts.of_all).sum() * scale
        loss += parts.of_main.sum() if distributed.is_main() else 0.0
        parallel.backward(loss)
        given = {f"{i} {name}": p.grad for name, p in parts.named_parameters()}
        found |= {name: g.copy() for name, g in given.items() if g is not None}
    parts.frozen.requires_grad = True  # thawed: averaged, too
    parallel.backward((parts.frozen * scale).sum())
    return found | {"thawed": parts.frozen.grad}


class Normalised(nn.Module):
    """Batch norm of scaled images."""

    def __init__(self, norm):
        self.scale = mg.tensor(np.ones((2, 3, 3)), requires_grad=True)
        self.norm = norm(2, dtype=float)

    def forward(self, x):
        return self.norm(x * self.scale)


def uneven(norm=distributed.SyncBatchNorm2d):
    """Gradients and statistics of a batch whose images no number of ranks divides; ranks share them."""
    x = np.random.default_rng(0).normal(2.0, 3.0, (7, 2, 3, 3))
    network = Normalised(norm)
    loss = (network(x[distributed.rank() :: distributed.size()]) ** 3).sum() * distributed.size()
    distributed.DataParallel(network).backward(loss)
    return network.state_dict() | {name: p.grad for name, p in network.named_parameters()}


def shares():
    """The rows that each rank has of each batch, in an order that rank 0 draws."""
    rng = np.random.default_rng(distributed.rank())
    mine = [*distributed.minibatches(np.arange(21), 8, rng=rng)]
    return {f"{distributed.rank()} {i}": rows for i, rows in enumerate(mine)}


def metrics():
    """Means over the ranks; the last one of several has measured nothing."""
    r, n = distributed.rank(), distributed.size()
    empty = 0 < r == n - 1
    return distributed.reduce_metrics({"a": np.nan if empty else r, "b": 1.0}, weight=0 if empty else r + 1)


def refusals():
    """What wrong uses raise, None where they do not."""
    parts = Parts()
    half, swapped = (nn.Linear(2, 1, rng=np.random.default_rng(0), dtype=dtype) for dtype in (np.float16, ">f4"))
    outside = mg.tensor(1.0, requires_grad=True, name="scale")
    parallel = distributed.DataParallel(parts)
    wrong = {
        "batch": lambda: distributed.minibatches(np.arange(9), 3, shuffle=False),
        "names": lambda: distributed.reduce_metrics({f"of rank {distributed.rank()}": 1.0}),
        "weights": lambda: distributed.reduce_metrics({"a": 1.0}, weight=0),
        "value": lambda: distributed.reduce_metrics({"a": "1"}),
        "bucket": lambda: distributed.DataParallel(parts, 0),
        "leaf": lambda: parallel.backward(parts.of_all.sum() * outside),
        "unnamed leaf": lambda: parallel.backward(parts.of_all.sum() * mg.tensor([1.0], requires_grad=True)),
        "shape": lambda: parallel.backward(parts.of_all * 1.0),
        "constant": lambda: parallel.backward(mg.tensor(1.0)),
        "complex": lambda: parallel.backward(parts.of_all.sum() * 1j),
        "byte order": lambda: distributed.DataParallel(swapped).backward(swapped(np.ones((1, 2), np.float32)).sum()),
        "dtype": lambda: distributed.DataParallel(half).backward(half(np.ones((1, 2), np.float16)).sum()),
    }
    found = {}
    for name, use in wrong.items():
        try:
            use()
        except (RuntimeError, TypeError, ValueError) as error:
            found[name] = f"{type(error).__name__}: {error}"
    left = [name for name, p in parts.named_parameters() if p.grad is not None]
    loss = parts.of_all.sum()
    parallel.backward(loss)
    try:
        parallel.backward(loss)
    except RuntimeError as error:
        found["again"] = str(error)[:42]
    return found | {"left": left}


def fail(how):
    """End rank 1 after some steps of the training, or before it, while the others wait for it."""
    early, how = how.startswith("early "), how.removeprefix("early ")

    def end():
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "exit":
            raise SystemExit  # as sys.exit does, or the end of the script
        raise ValueError("rank 1 fails")

    if early and os.environ.get("PMI_RANK", os.environ.get("OMPI_COMM_WORLD_RANK")) == "1":
        end()
    training = Training().take(2)
    if distributed.rank() == 1 and how == "freeze":
        training.network.fc.weight.requires_grad = False
    elif distributed.rank() == 1:
        end()
    training.take(2)


def main(job, path, *more):
    """Run a job, and save what all ranks found to path; every rank's own bits are the same."""
    if job == "fail":
        fail(*more)
    elif job == "save":
        Training().take(STEPS // 2).save(path)
    else:
        jobs = {run.__name__: run for run in (trained, gradients, uneven, shares, metrics, refusals)}
        jobs["resume"] = lambda: Training().resume(path).take(STEPS // 2).state()
        found = {name: run() for name, run in jobs.items() if name in job.split(",")}
        every = mpi4py.MPI.COMM_WORLD.gather(found)
        if distributed.is_main():
            mg.save(path, {"ranks": every})


if __name__ == "__main__":
    import mpi4py.MPI

    main(*sys.argv[1:])
