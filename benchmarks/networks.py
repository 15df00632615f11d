"""The document's CNN in each library: a training step, an epoch, inference, and the cases of peak memory."""

import importlib
import sys
from pathlib import Path

import numpy as np
from cases import conv2d_of, forward_and_backward, normal
from timing import Case

import minigrad as mg


class CNN:
    """The network and the step of examples/train_cnn.py with --kernel 5 and no padding, for 28x28 images."""

    def __init__(self, batch):
        rng = np.random.default_rng(0)
        shapes = {"k1": (8, 1, 5, 5), "b1": (8,), "k2": (16, 8, 5, 5), "b2": (16,), "w": (256, 10), "b": (10,)}
        self.initial = {n: (rng.normal(size=s) * 0.1).astype(np.float32) for n, s in shapes.items()}
        self.x = normal((batch, 1, 28, 28))
        self.labels = rng.integers(0, 10, batch)

    def minigrad(self):
        """Return a step and an inference in minigrad."""
        p = {n: mg.tensor(a, requires_grad=True) for n, a in self.initial.items()}

        def logits(x):
            a = mg.avg_pool2d(mg.relu(mg.conv2d(x, p["k1"], p["b1"])), 2)
            a = mg.avg_pool2d(mg.relu(mg.conv2d(a, p["k2"], p["b2"])), 2)
            return a.reshape(len(x), -1) @ p["w"] + p["b"]

        def step(x=self.x, labels=self.labels):
            loss = mg.softmax_cross_entropy(logits(mg.tensor(x)), labels)
            loss.backward()
            for t in p.values():
                t.data = t.data - 1e-3 * t.grad
                t.grad = None
            return [loss.data]

        def infer():
            with mg.no_grad():
                return [logits(mg.tensor(self.x)).data]

        return step, infer

    def torch(self, torch):
        """Return the same in PyTorch."""
        p = {n: torch.tensor(a, requires_grad=True) for n, a in self.initial.items()}
        F = torch.nn.functional
        optimiser = torch.optim.SGD(p.values(), 1e-3)

        def logits(x):
            a = F.avg_pool2d(F.relu(F.conv2d(x, p["k1"], p["b1"])), 2)
            a = F.avg_pool2d(F.relu(F.conv2d(a, p["k2"], p["b2"])), 2)
            return a.reshape(len(x), -1) @ p["w"] + p["b"]

        def step(x=self.x, labels=self.labels):
            optimiser.zero_grad(set_to_none=True)
            loss = F.cross_entropy(logits(torch.from_numpy(x)), torch.from_numpy(labels))
            loss.backward()
            optimiser.step()
            return [loss.detach()]

        def infer():
            with torch.no_grad():
                return [logits(torch.from_numpy(self.x))]

        return step, infer

    def jax(self, jax):
        """Return a step in JAX, compiled as a whole."""
        lax = jax.lax

        def convolve(x, k, b):
            z = jax.nn.relu(lax.conv(x, k, (1, 1), "VALID") + b[:, None, None])
            return lax.reduce_window(z, np.float32(0), lax.add, (1, 1, 2, 2), (1, 1, 2, 2), "VALID") / 4

        def loss_of(p, x, labels):
            a = convolve(convolve(x, p["k1"], p["b1"]), p["k2"], p["b2"])
            logits = a.reshape(len(x), -1) @ p["w"] + p["b"]
            return -jax.nn.log_softmax(logits)[np.arange(len(x)), labels].mean()

        @jax.jit
        def update(p, x, labels):
            loss, gradient = jax.value_and_grad(loss_of)(p, x, labels)
            return loss, {name: p[name] - np.float32(1e-3) * gradient[name] for name in p}

        p = {name: jax.device_put(a) for name, a in self.initial.items()}

        def step():
            nonlocal p
            loss, p = jax.block_until_ready(update(p, self.x, self.labels))
            return [loss]

        return step


def steps(peers):
    """Compare training steps of the CNN, and inference."""
    torch = peers.get("torch")
    for batch, goal in ((32, 0.55), (128, 0.7), (512, 0.6)):
        network = CNN(batch)
        runs = {"minigrad": network.minigrad()[0]}
        if torch:
            runs["torch"] = network.torch(torch)[0]
        if "jax" in peers:
            runs["jax"] = network.jax(peers["jax"])
        yield Case("CNN", f"training step, batch {batch}", runs, {"torch": goal}, 1e-3)
    network = CNN(1)
    runs = {"minigrad": network.minigrad()[1]}
    if torch:
        runs["torch"] = network.torch(torch)[1]
    yield Case("CNN", "inference, batch 1", runs, {"torch": 0.8})


def epoch(peers, folder, batch=32):
    """Compare an epoch over MNIST: the network and the step of examples/train_cnn.py, and the same in PyTorch."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))
    data, options, train = map(importlib.import_module, ("training_data", "training_options", "train_cnn"))
    arguments = ["--data", str(folder), "--kernel", "5", "--lr", "0.1", "--batch-size", str(batch)]
    options = options.option_parser().parse_args(arguments)
    loaded = data.load(options, np.random.default_rng(0))
    scaled, all_labels = loaded.train
    order = list(mg.data.minibatches(np.arange(len(scaled)), batch, rng=np.random.default_rng(0), drop_last=True))

    def training():
        network = train.cnn(loaded.size, options, np.random.default_rng(0))
        optimizer = mg.optim.SGD(network.parameters(), options.lr)
        return train.Training(network, optimizer, np.random.default_rng(0))

    initial = training().network.state_dict()

    def ours():
        run = training()
        for b in order:
            run.descend(scaled[b], all_labels[b])
        return [np.mean(run.step_losses)]

    runs = {"minigrad": ours}
    if torch := peers.get("torch"):
        F = torch.nn.functional

        def with_torch():
            p = {name: torch.tensor(array, requires_grad=True) for name, array in initial.items()}
            optimiser = torch.optim.SGD(p.values(), options.lr)
            losses = []
            for b in order:
                a = torch.from_numpy(scaled[b])
                for layer in ("conv1", "conv2"):
                    z = F.conv2d(a, p[f"{layer}.weight"], p[f"{layer}.bias"], padding=2)
                    a = F.avg_pool2d(F.relu(z), 2)
                logits = F.linear(a.reshape(len(a), -1), p["fc.weight"], p["fc.bias"])
                J = F.cross_entropy(logits, torch.from_numpy(all_labels[b]))
                losses.append(J.item())
                optimiser.zero_grad(set_to_none=True)
                J.backward()
                optimiser.step()
            return [np.mean(losses)]

        runs["torch"] = with_torch
    # rounding grows over the steps, so in float32 only the mean loss can be compared
    return Case("CNN", f"an epoch of MNIST, batch {batch}", runs, {"torch": 0.6}, 0.01)


BIG = "CNN step, batch 512"
MEMORY = {BIG: None, "conv 3x3 (64, 16, 64, 64)": (64, 16, 64, 64), "conv 3x3 (8, 32, 112, 112)": (8, 32, 112, 112)}


def memory_case(case, library, torch):
    """Return the run to measure: forward and both VJPs of a convolution, or a training step of the CNN."""
    if case == BIG:
        network = CNN(512)
        return network.minigrad()[0] if library == "minigrad" else network.torch(torch)[0]
    shape = MEMORY[case]
    arrays, peers = [normal(shape), normal((32, shape[1], 3, 3), seed=2)], {"torch": torch}
    functions = {name: f for name, f in conv2d_of(peers, padding=1).items() if name == library or name == "minigrad"}
    return forward_and_backward(functions, arrays, (shape[0], 32, *shape[2:]), peers)[library]
