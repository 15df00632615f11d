"""The cases: the same computation written for each installed library."""

import gc
import importlib
import time

import numpy as np
from timing import Case, lines

import minigrad as mg
from minigrad.ops.kernels.memory import empty

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
    """Return {name: module} of the libraries that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.import_module(name)
        except ImportError:
            continue
    if "jax" in found:
        found["jax"].config.update("jax_enable_x64", True)
    return found


def images_innermost(x):
    """Return a copy in the memory layout of minigrad's own results, which has the images innermost if they are many."""
    if x.ndim != 4:
        return x
    laid = empty(x.shape, x.dtype)
    laid[...] = x
    return laid


def forward_and_backward(functions, arrays, g_shape, peers, *, own_layout=False, seed=1):
    """Return a run for each installed library that has a function.

    A run returns the output, and the gradients of the arrays for an upstream gradient g.
    """
    g = np.random.default_rng(seed).normal(size=g_shape).astype(arrays[0].dtype)
    lay = images_innermost if own_layout else np.asarray
    ours = [mg.tensor(lay(a), requires_grad=True) for a in arrays]
    runs = {"minigrad": _run(functions["minigrad"], ours, lay(g), lambda y: y.data)}
    if torch := peers.get("torch") if "torch" in functions else None:
        theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
        runs["torch"] = _run(functions["torch"], theirs, torch.tensor(g), lambda y: y.detach())
    if jax := peers.get("jax") if "jax" in functions else None:

        @jax.jit
        def compiled(arrays, g):
            y, pull = jax.vjp(functions["jax"], *arrays)
            return [y, *pull(g)]

        given = [jax.device_put(a) for a in arrays], jax.device_put(g)
        runs["jax"] = lambda: jax.block_until_ready(compiled(*given))
    return runs


def _run(function, tensors, g, value):
    def run():
        for t in tensors:
            t.grad = None
        y = function(*tensors)
        y.backward(g)
        return [value(y), *(t.grad for t in tensors)]

    return run


def conv2d_of(peers, padding=0, stride=1, groups=1):
    """Return {library: its conv2d} with these options."""
    options = {"padding": padding, "stride": stride, "groups": groups}

    def of_jax(x, k):
        pads = [(padding, padding)] * 2
        convolve = peers["jax"].lax.conv_general_dilated
        return convolve(x, k, (stride, stride), pads, feature_group_count=groups)

    return {
        "minigrad": lambda x, k: mg.conv2d(x, k, **options),
        "torch": lambda x, k: peers["torch"].nn.functional.conv2d(x, k, **options),
        "jax": of_jax,
    }


def normal(shape, dtype=np.float32, seed=0):
    """Draw normal numbers."""
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def convolutions(peers, dtype, own_layout):
    """Compare convolutions: forward and both VJPs."""
    for x, k, options in CONVOLUTIONS:
        arrays = [normal(x, dtype), normal(k, dtype, 2)]
        shape, functions = mg.conv2d(*arrays, **options).shape, conv2d_of(peers, **options)
        yield Case(
            f"convolution {np.dtype(dtype).name}" + (", own layout" if own_layout else ""),
            f"{x} * {k} {options or ''}".strip(),
            forward_and_backward(functions, arrays, shape, peers, own_layout=own_layout),
        )


def depthwise(peers):
    """Compare a convolution with one channel in each group."""
    arrays = [normal((32, 32, 28, 28)), normal((32, 1, 3, 3), seed=2)]
    functions = conv2d_of(peers, padding=1, groups=32)
    name = "(32, 32, 28, 28) * (32, 1, 3, 3) groups 32 padding 1"
    yield Case("depthwise", name, forward_and_backward(functions, arrays, arrays[0].shape, peers), {"torch": 2.0})


def pools(peers, own_layout):
    """Compare pooling, forward and backward."""
    torch = peers.get("torch")
    n, c, h, w = POOLED
    for name, goal in (("avg_pool2d", 0.35), ("max_pool2d", 0.7)):
        functions = {
            "minigrad": lambda x, name=name: getattr(mg, name)(x, 2),
            "torch": lambda x, name=name: getattr(torch.nn.functional, name)(x, 2),
        }
        yield Case(
            "pooling" + (", own layout" if own_layout else ""),
            f"{name} 2x2 {POOLED}",
            forward_and_backward(functions, [normal(POOLED)], (n, c, h // 2, w // 2), peers, own_layout=own_layout),
            {"torch": goal},
        )


def activations(peers):
    """Compare activations, the loss and the addition of a bias, forward and backward."""
    torch, jax = peers.get("torch"), peers.get("jax")
    labels = np.random.default_rng(3).integers(0, 10, 128)
    for name in ("relu", "tanh", "sigmoid"):
        functions = {
            library: getattr(module, name) for library, module in (("minigrad", mg), ("torch", torch)) if module
        }
        if jax:
            functions["jax"] = getattr(jax.nn, name)
        runs = forward_and_backward(functions, [normal(ACTIVATED)], ACTIVATED, peers, own_layout=True)
        yield Case("activations and losses", f"{name} {ACTIVATED}", runs, {"torch": 1.5})
    functions = {
        "minigrad": lambda z: mg.softmax_cross_entropy(z, labels),
        "torch": lambda z: torch.nn.functional.cross_entropy(z, torch.from_numpy(labels)),
    }
    runs = forward_and_backward(functions, [normal((128, 10))], (), peers)
    yield Case("activations and losses", "softmax_cross_entropy (128, 10)", runs, {"torch": 1.5})
    functions = dict.fromkeys(("minigrad", "torch", "jax"), lambda x, b: x + b)
    runs = forward_and_backward(functions, [normal(ACTIVATED), normal((16, 1, 1), seed=2)], ACTIVATED, peers)
    yield Case("activations and losses", f"bias {ACTIVATED}", runs, {"torch": 1.5})


def matmul(peers):
    """Compare one matrix product."""
    functions = dict.fromkeys(("minigrad", "torch", "jax"), lambda a, b: a @ b)
    arrays = [normal((256, 256)), normal((256, 256), seed=1)]
    yield Case("matmul", "(256, 256) @ (256, 256)", forward_and_backward(functions, arrays, (256, 256), peers))


CHAIN = 1000  # ops


def chain(y, b, c):
    """Multiply and add, CHAIN ops in all."""
    for _ in range(CHAIN // 2):
        y = y * b + c
    return y


def tape(peers):
    """Compare the overhead of an op: a chain on 4 entries, forward and backward."""
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
    if jax := peers.get("jax"):
        traced = jax.grad(lambda y: chain(y, arrays[1], arrays[2]) @ np.ones(4))
        runs["jax"] = lambda: [traced(arrays[0])]
    goals = {"torch": 0.5, "mygrad": 1 / 3, "autograd": 1 / 5}
    yield Case("tape", f"{CHAIN} ops on 4 entries", runs, goals)


def sizes(peers):
    """Compare one convolution over sizes of batch and image."""
    shapes = [(n, 8, 28, 28) for n in (1, 4, 7, 8, 16, 64, 256, 512)]
    shapes += [(16, 8, size, size) for size in (8, 32, 128)]
    functions = conv2d_of(peers, padding=1)
    for shape in shapes:
        arrays = [normal(shape), normal((16, 8, 3, 3), seed=2)]
        runs = forward_and_backward(functions, arrays, (shape[0], 16, *shape[2:]), peers)
        yield Case("sizes", f"{shape} * (16, 8, 3, 3) padding 1", runs)


def chains():
    """Yield Lines: the cost of an op in chains of several lengths against that in one of 10,000 ops."""
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
