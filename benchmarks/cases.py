"""What is compared: the same computation written for each library that is installed."""

import gc
import importlib
import sys
import time
from pathlib import Path

import numpy as np
from timing import Case, lines

import minigrad as mg

CONVOLUTIONS = [  # x (N, C, H, W), k (C_out, C, kh, kw), options
    ((32, 1, 28, 28), (8, 1, 5, 5), {}),
    ((32, 8, 12, 12), (16, 8, 5, 5), {}),
    ((32, 8, 14, 14), (16, 8, 3, 3), {"padding": 1}),
    ((64, 16, 32, 32), (32, 16, 3, 3), {"padding": 1}),
    ((16, 64, 28, 28), (64, 64, 3, 3), {"padding": 1}),
    ((32, 3, 64, 64), (16, 3, 7, 7), {"stride": 2, "padding": 3}),
    ((8, 32, 56, 56), (64, 32, 1, 1), {}),
]
POOLED = (32, 16, 24, 24)
ACTIVATED = (64, 16, 24, 24)


def installed(names):
    """Return {name: module} of the peers that can be imported."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.import_module(name)
        except ImportError:
            continue
    return found


def images_innermost(x):
    """The same values with the images innermost in memory: the layout that minigrad's own results have."""
    return np.ascontiguousarray(x.transpose(2, 3, 1, 0)).transpose(3, 2, 0, 1) if x.ndim == 4 and len(x) >= 16 else x


def forward_and_backward(ours, theirs, arrays, g_shape, torch, *, own_layout=False, seed=1):
    """Two runs: results are the output and the gradient of each array, for the upstream gradient g."""
    g = np.random.default_rng(seed).normal(size=g_shape).astype(arrays[0].dtype)
    lay = images_innermost if own_layout else np.asarray
    tensors = [mg.tensor(lay(a), requires_grad=True) for a in arrays]
    g_ours, g_theirs = lay(g), None
    runs = {}

    def run():
        for t in tensors:
            t.grad = None
        y = ours(*tensors)
        y.backward(g_ours)
        return [y.data, *(t.grad for t in tensors)]

    runs["minigrad"] = run
    if torch:
        peers = [torch.tensor(a, requires_grad=True) for a in arrays]
        g_theirs = torch.tensor(g)

        def run_torch():
            for t in peers:
                t.grad = None
            y = theirs(*peers)
            y.backward(g_theirs)
            return [y.detach(), *(t.grad for t in peers)]

        runs["torch"] = run_torch
    return runs


def normal(shape, dtype=np.float32, seed=0):
    """Draw normal numbers."""
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def convolutions(peers, dtype, own_layout):
    """Compare forward and both VJPs of the seven convolutions."""
    torch = peers.get("torch")
    for x, k, options in CONVOLUTIONS:
        arrays = [normal(x, dtype), normal(k, dtype, 2)]
        yield Case(
            f"convolution {np.dtype(dtype).name}" + (", own layout" if own_layout else ""),
            f"{x} * {k} {options or ''}".strip(),
            forward_and_backward(
                lambda x, k, o=options: mg.conv2d(x, k, **o),
                lambda x, k, o=options: torch.nn.functional.conv2d(x, k, **o),
                arrays,
                mg.conv2d(*arrays, **options).shape,
                torch,
                own_layout=own_layout,
            ),
        )


def depthwise(peers):
    """Compare a convolution with one channel a group."""
    torch = peers.get("torch")
    arrays = [normal((32, 32, 28, 28)), normal((32, 1, 3, 3), seed=2)]
    yield Case(
        "depthwise",
        "(32, 32, 28, 28) * (32, 1, 3, 3) groups 32 padding 1",
        forward_and_backward(
            lambda x, k: mg.conv2d(x, k, padding=1, groups=32),
            lambda x, k: torch.nn.functional.conv2d(x, k, padding=1, groups=32),
            arrays,
            arrays[0].shape,
            torch,
        ),
        {"torch": 2.0},
    )


def pools(peers, own_layout):
    """Compare the pools, forward and backward."""
    torch = peers.get("torch")
    n, c, h, w = POOLED
    for name, goal in (("avg_pool2d", 0.35), ("max_pool2d", 0.7)):
        yield Case(
            "pooling" + (", own layout" if own_layout else ""),
            f"{name} 2x2 {POOLED}",
            forward_and_backward(
                lambda x, name=name: getattr(mg, name)(x, 2),
                lambda x, name=name: getattr(torch.nn.functional, name)(x, 2),
                [normal(POOLED)],
                (n, c, h // 2, w // 2),
                torch,
                own_layout=own_layout,
            ),
            {"torch": goal},
        )


def activations(peers):
    """Compare the activations, the loss and the bias, forward and backward."""
    torch = peers.get("torch")
    for name in ("relu", "tanh", "sigmoid"):
        yield Case(
            "activations and losses",
            f"{name} {ACTIVATED}",
            forward_and_backward(
                getattr(mg, name), getattr(torch, name, None), [normal(ACTIVATED)], ACTIVATED, torch, own_layout=True
            ),
            {"torch": 1.5},
        )
    labels = np.random.default_rng(3).integers(0, 10, 128)
    yield Case(
        "activations and losses",
        "softmax_cross_entropy (128, 10)",
        forward_and_backward(
            lambda z: mg.softmax_cross_entropy(z, labels),
            lambda z: torch.nn.functional.cross_entropy(z, torch.from_numpy(labels)),
            [normal((128, 10))],
            (),
            torch,
        ),
        {"torch": 1.5},
    )
    yield Case(
        "activations and losses",
        f"bias {ACTIVATED}",
        forward_and_backward(
            lambda x, b: x + b, lambda x, b: x + b, [normal(ACTIVATED), normal((16, 1, 1), seed=2)], ACTIVATED, torch
        ),
        {"torch": 1.5},
    )


def matmul(peers):
    """One matrix product."""
    torch = peers.get("torch")
    x, y = normal((256, 256)), normal((256, 256), seed=1)
    runs = forward_and_backward(lambda a, b: a @ b, lambda a, b: a @ b, [x, y], (256, 256), torch)
    yield Case("matmul", "(256, 256) @ (256, 256)", runs)


CHAIN = 1000  # ops


def chain(y, b, c):
    """Multiply and add in turn."""
    for _ in range(CHAIN // 2):
        y = y * b + c
    return y


def tape(peers):
    """The overhead of an op: a chain of 4 entries, forward and backward."""
    arrays = np.ones(4), np.full(4, 0.999), np.full(4, 1e-3)

    def ours():
        y, b, c = mg.tensor(arrays[0], requires_grad=True), mg.tensor(arrays[1]), mg.tensor(arrays[2])
        chain(y, b, c).backward(np.ones(4))
        return [y.grad]

    runs = {"minigrad": ours}
    if torch := peers.get("torch"):

        def with_torch():
            y, b, c = map(torch.from_numpy, arrays)
            y = y.clone().requires_grad_()
            chain(y, b, c).backward(torch.ones(4, dtype=torch.float64))
            return [y.grad]

        runs["torch"] = with_torch
    if mygrad := peers.get("mygrad"):

        def with_mygrad():
            y = mygrad.tensor(arrays[0])
            chain(y, mygrad.tensor(arrays[1], constant=True), mygrad.tensor(arrays[2], constant=True)).sum().backward()
            return [y.grad]

        runs["mygrad"] = with_mygrad
    if autograd := peers.get("autograd"):
        gradient = autograd.grad(lambda y: chain(y, arrays[1], arrays[2]) @ np.ones(4))
        runs["autograd"] = lambda: [gradient(arrays[0])]
    goals = {"torch": 0.5, "mygrad": 1 / 3, "autograd": 1 / 5}
    yield Case("tape", f"{CHAIN} ops on 4 entries", runs, goals)


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


def steps(peers):
    """Compare whole training steps of the CNN, and inference."""
    torch = peers.get("torch")
    for batch, goal in ((32, 0.55), (128, 0.7)):
        network = CNN(batch)
        runs = {"minigrad": network.minigrad()[0]}
        if torch:
            runs["torch"] = network.torch(torch)[0]
        yield Case("CNN", f"training step, batch {batch}", runs, {"torch": goal}, 1e-3)
    network = CNN(1)
    runs = {"minigrad": network.minigrad()[1]}
    if torch:
        runs["torch"] = network.torch(torch)[1]
    yield Case("CNN", "inference, batch 1", runs, {"torch": 0.8})


def epoch(peers, folder, batch=32):
    """One epoch over MNIST, in minigrad and in PyTorch, from the same parameters and in the same order."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))
    images = importlib.import_module("images")
    part = images.load_part(folder, "train")
    scaled = images.measure(part.images).standardise(part.images, np.float32)
    network = CNN(batch)
    order = np.random.default_rng(0).permutation(len(scaled))
    order = order[: len(order) // batch * batch].reshape(-1, batch)

    def pass_over(step):
        for chosen in order:
            loss = step(scaled[chosen], part.labels[chosen])
        return loss

    runs = {"minigrad": lambda: pass_over(network.minigrad()[0])}
    if torch := peers.get("torch"):
        runs["torch"] = lambda: pass_over(network.torch(torch)[0])
    return Case("CNN", f"an epoch of MNIST, batch {batch}", runs, {"torch": 0.6}, 1e-2)


BIG = "CNN step, batch 512"
MEMORY = {BIG: None, "conv 3x3 (64, 16, 64, 64)": (64, 16, 64, 64), "conv 3x3 (8, 32, 112, 112)": (8, 32, 112, 112)}


def memory_case(case, library, torch):
    """Return the run whose peak memory counts: forward and both VJPs of a convolution, or a step of the CNN."""
    if case == BIG:
        network = CNN(512)
        return network.minigrad()[0] if library == "minigrad" else network.torch(torch)[0]
    shape = MEMORY[case]
    runs = forward_and_backward(
        lambda x, k: mg.conv2d(x, k, padding=1),
        lambda x, k: torch.nn.functional.conv2d(x, k, padding=1),
        [normal(shape), normal((32, shape[1], 3, 3), seed=2)],
        (shape[0], 32, *shape[2:]),
        torch,
    )
    return runs[library]


def sizes(peers):
    """The cost against the size: batches, images and channels of one convolution."""
    torch = peers.get("torch")
    shapes = [(n, 8, 28, 28) for n in (1, 4, 15, 16, 64, 256, 512)]
    shapes += [(16, 8, size, size) for size in (8, 32, 128)]
    for shape in shapes:
        arrays = [normal(shape), normal((16, 8, 3, 3), seed=2)]
        yield Case(
            "sizes",
            f"{shape} * (16, 8, 3, 3) padding 1",
            forward_and_backward(
                lambda x, k: mg.conv2d(x, k, padding=1),
                lambda x, k: torch.nn.functional.conv2d(x, k, padding=1),
                arrays,
                (shape[0], 16, *shape[2:]),
                torch,
            ),
        )


def chains():
    """Yield Lines: the cost of an op in a long chain against one in a chain of 10,000, garbage collector on and off."""
    for collect in (False, True):
        (gc.enable if collect else gc.disable)()
        base = [_chain_cost(10_000) for _ in range(5)]
        for n in (10, 1000, 100_000, 1_000_000):
            measured = {"minigrad": [_chain_cost(n) for _ in range(2 if n > 1e5 else 5)], "10,000 ops": base}
            goals = {"10,000 ops": 2.5 if collect else 1.3} if n == 1_000_000 else {}
            name = f"{n:,} ops, garbage collector {'on' if collect else 'off'}"
            yield from lines("chain, per op", name, measured, "us", goals)
    gc.enable()


def _chain_cost(n):
    """Microseconds an op, forward and backward."""
    y = mg.tensor(np.ones(4), requires_grad=True)
    b = mg.tensor(np.full(4, 0.999))
    start = time.process_time()
    z = y
    for _ in range(n):
        z = z * b
    z.backward(np.ones(4))
    del z
    return 1e6 * (time.process_time() - start) / n
