"""The errors of every op and its VJP in float16 and float32, beside PyTorch's.

    python benchmarks/precision.py            (needs torch)

The truth is the op itself in float64, at the same rounded inputs. An error is the greatest one over the entries,
relative to the entry ("entry") and to the greatest entry ("all"). Of PyTorch's, at least half a unit in the last
place counts. A row is printed where ours is over 4 times PyTorch's; the upstream gradient is about 1, and about 1024,
as under the loss scaling of float16.
"""

import sys

import numpy as np
import torch
import torch.nn.functional as nn

import minigrad as mg

LIMIT = 4
rng = np.random.default_rng(0)
CASES = []


def uniform(low, high, *shape):
    """Numbers between two bounds: 2000, or of a shape."""
    return rng.uniform(low, high, shape or (2000,))


def either(low, high, *shape):
    """The same with either sign."""
    return uniform(low, high, *shape) * rng.choice([-1, 1], shape or (2000,))


def case(name, ours, theirs, *inputs, half=True):
    """Compare two functions at inputs; half: in float16, too."""
    CASES.append((name, ours, theirs, inputs, half))


def both(name, ours, theirs, *inputs, options=(), half=True):
    """Compare two functions with positional options that both take."""
    case(name, lambda *x: ours(*x, *options), lambda *x: theirs(*x, *options), *inputs, half=half)


def of_entries():
    """Elementwise ops, each over its domains."""
    for name, theirs, *domains in [
        ("exp", torch.exp, (-9, 9), (-1, 1)), ("exp2", torch.exp2, (-12, 4)),
        ("expm1", torch.expm1, (-9, 9), (-0.01, 0.01)),
        ("log", torch.log, (1e-3, 6e4), (0.9, 1.1)), ("log2", torch.log2, (1e-3, 6e4)),
        ("log10", torch.log10, (1e-3, 6e4)), ("log1p", torch.log1p, (-0.9, 6e4), (-0.01, 0.01)),
        ("sqrt", torch.sqrt, (1e-4, 6e4)), ("square", torch.square, (-250, 250), (-0.01, 0.01)),
        ("reciprocal", torch.reciprocal, (0.01, 6e4)), ("negative", torch.negative, (-9, 9)),
        ("sin", torch.sin, (-9, 9)), ("cos", torch.cos, (-9, 9)), ("tan", torch.tan, (-1.5, 1.5)),
        ("arcsin", torch.arcsin, (-0.99, 0.99)), ("arccos", torch.arccos, (-0.99, 0.99)),
        ("arctan", torch.arctan, (-9, 9), (200, 6e4)), ("sinh", torch.sinh, (-9, 9)), ("cosh", torch.cosh, (-9, 9)),
        ("tanh", torch.tanh, (-3, 3), (-9, 9)), ("arcsinh", torch.arcsinh, (-9, 9), (200, 6e4)),
        ("arccosh", torch.arccosh, (1.01, 9), (200, 6e4)), ("arctanh", torch.arctanh, (-0.99, 0.99)),
        ("erf", torch.erf, (-3, 3)), ("deg2rad", torch.deg2rad, (-360, 360)), ("rad2deg", torch.rad2deg, (-6, 6)),
        ("abs", torch.abs, (-9, 9)), ("relu", torch.relu, (-9, 9)), ("sigmoid", torch.sigmoid, (-9, 9), (-20, -9)),
        ("softplus", nn.softplus, (-9, 9)), ("silu", nn.silu, (-9, 9)), ("gelu", nn.gelu, (-3, 3), (-5, -2)),
        ("leaky_relu", nn.leaky_relu, (-9, 9)), ("elu", nn.elu, (-9, 9)),
    ]:  # fmt: skip
        for low, high in domains:
            case(f"{name} [{low}, {high}]", getattr(mg, name), theirs, uniform(low, high))
    x, y = (either(1, 2) * np.exp(uniform(-4, 4)) for _ in range(2))
    for name in ("add", "subtract", "multiply", "divide", "logaddexp", "arctan2", "hypot", "maximum", "minimum"):
        case(name, getattr(mg, name), getattr(torch, name), x, y)
    case("remainder", mg.remainder, torch.remainder, x, uniform(1, 9))
    case("where", lambda x, y: mg.where(x > 0, y, x), lambda x, y: torch.where(x > 0, y, x), x, uniform(0, 1, 1))
    for name in ("arctan2", "hypot"):
        case(f"{name} of large entries", getattr(mg, name), getattr(torch, name), either(200, 3e4), either(200, 3e4))
    case("power", mg.power, torch.pow, uniform(0.25, 4), uniform(-3, 4))
    for p in (0, 1, 2, 3, 0.5, -1):
        both(f"x ** {p}", lambda x, p: x**p, lambda x, p: x**p, np.abs(x), options=(p,))


def of_axes():
    """Reductions, many entries in each direction."""
    for shape, axis in [((70_000,), 0), ((5000, 3), 0), ((3, 5000), 1), ((100_000, 2), 0), ((4, 30, 40), (0, 2))]:
        x, name = uniform(0, 1, *shape), f"{shape} over {axis}"
        both(f"sum {name}", mg.sum, torch.sum, x, options=(axis,))
        both(f"mean {name}", mg.mean, torch.mean, x, options=(axis,))
        both(f"logsumexp {name}", mg.logsumexp, torch.logsumexp, x, options=(axis,))
        both(f"max {name}", mg.max, torch.amax, x, options=(axis,))
        both(f"min of ties {name}", mg.min, torch.amin, np.round(x, 1), options=(axis,))
        both(
            f"norm {name}",
            lambda x, a: mg.norm(x, None, a),
            lambda x, a: torch.linalg.vector_norm(x, 2, a),
            x,
            options=(axis,),
        )
        both(f"var {name}", mg.var, lambda x, a: torch.var(x, a, correction=0), x, options=(axis,))
        both(f"std {name}", mg.std, lambda x, a: torch.std(x, a, correction=0), x, options=(axis,))
        if isinstance(axis, int):
            for op in ("softmax", "log_softmax", "cumsum"):
                both(f"{op} {name}", getattr(mg, op), getattr(torch, op), x * 4, options=(axis,))
    for centre in (100, 1e4):
        x = uniform(-1, 1, 1000, 3) + centre
        case(
            f"var around {centre:g}",
            lambda x: mg.var(x, 0),
            lambda x: torch.var(x, 0, correction=0),
            x,
            half=centre < 1e3,
        )
        case(
            f"std around {centre:g}",
            lambda x: mg.std(x, 0),
            lambda x: torch.std(x, 0, correction=0),
            x,
            half=centre < 1e3,
        )
    x = uniform(-30, 30, 50, 20)
    both("softmax far apart", mg.softmax, torch.softmax, x, options=(1,))
    both("log_softmax far apart", mg.log_softmax, torch.log_softmax, x, options=(1,))
    both("logsumexp around 1000", mg.logsumexp, torch.logsumexp, x / 10 + 1000, options=(1,))
    case("norm of large entries", mg.norm, torch.linalg.vector_norm, either(1, 300, 50))
    case("norm of order 1", lambda x: mg.norm(x, 1), lambda x: torch.linalg.vector_norm(x, 1), either(0, 1, 7000))
    case("prod", lambda x: mg.prod(x, axis=1), lambda x: torch.prod(x, 1), uniform(0.5, 2, 20, 30))
    case("prod of many", mg.prod, torch.prod, uniform(0.99, 1.01, 500))
    case("diff", mg.diff, torch.diff, either(0, 1))
    case("trapezoid", mg.trapezoid, torch.trapezoid, uniform(0, 1, 7000))


def of_losses():
    """Losses over batches of every size."""
    for n, k in [(64, 10), (3000, 5), (30_000, 2), (4, 5000)]:
        labels = rng.integers(0, k, n)
        case(
            f"softmax_cross_entropy ({n}, {k})",
            lambda z, labels=labels: mg.softmax_cross_entropy(z, labels),
            lambda z, labels=labels: nn.cross_entropy(z, torch.tensor(labels)),
            uniform(-4, 4, n, k),
        )
    for n in (50, 3000, 70_000, 200_000):
        case(f"mean_squared_error {n}", mg.mean_squared_error, nn.mse_loss, uniform(-4, 4, n), uniform(-4, 4, n))
        case(
            f"binary_cross_entropy {n}",
            mg.binary_cross_entropy_with_logits,
            nn.binary_cross_entropy_with_logits,
            uniform(-9, 9, n),
            rng.integers(0, 2, n).astype(float),
        )


def of_products():
    """Products, broadcasting, indexing, and decompositions."""
    case("matmul", mg.matmul, torch.matmul, uniform(-1, 1, 40, 300), uniform(-1, 1, 300, 20))
    rows = uniform(0, 1, 300_000, 3)
    case("matmul of 300,000 rows", mg.matmul, torch.matmul, rows, uniform(0, 1, 3, 2))
    for letters, *inputs in [
        ("nij,njk->ik", uniform(0, 1, 50, 4, 30), uniform(0, 1, 50, 30, 5)),
        ("bi,bj->ij", rows, uniform(0, 1, 300_000, 2)),
        ("ij->j", rows), ("ii->", uniform(0, 1, 3000, 3000)),
        ("ij,jk,kl->il", *(uniform(0, 1, 30, 30) for _ in range(3))),
    ]:  # fmt: skip
        case(
            f"einsum {letters}",
            lambda *x, s=letters: mg.einsum(s, *x),
            lambda *x, s=letters: torch.einsum(s, *x),
            *inputs,
        )
    case("trace", mg.trace, torch.trace, uniform(0, 1, 3000, 3000))
    case("vecdot", mg.vecdot, torch.linalg.vecdot, uniform(0, 1, 5, 5000), uniform(0, 1, 5, 5000))
    case("vdot", mg.vdot, torch.dot, uniform(0, 1, 5000), uniform(0, 1, 5000))
    case("inner", mg.inner, torch.inner, uniform(0, 1, 3, 5000), uniform(0, 1, 2, 5000))
    both("tensordot", mg.tensordot, torch.tensordot, uniform(0, 1, 3, 50, 60), uniform(0, 1, 50, 60, 2), options=(2,))
    case("cross", mg.cross, torch.linalg.cross, either(0, 9, 100, 3), either(0, 9, 100, 3))
    case("kron", mg.kron, torch.kron, uniform(0, 1, 30, 30), uniform(0, 1, 20, 20))
    case("outer", mg.outer, torch.outer, uniform(0, 1, 3000), uniform(0, 1, 2000))
    case("bias", mg.add, torch.add, uniform(0, 1, 30_000, 3), uniform(0, 1, 3))
    case("scale", mg.multiply, torch.multiply, uniform(0, 1, 30_000, 3), uniform(0, 1, 3))
    case("bias of images", mg.add, torch.add, uniform(0, 1, 50, 3, 20, 20), uniform(0, 1, 3, 1, 1))
    both("broadcast_to", mg.broadcast_to, torch.broadcast_to, uniform(0, 1, 3), options=((9000, 3),))
    index = rng.integers(0, 3, 5000)
    case("getitem", lambda x: x[index], lambda x: x[torch.tensor(index)], uniform(0, 1, 3))
    both("repeat", mg.repeat, torch.repeat_interleave, uniform(0, 1, 3), options=(3000,))
    both("tile", mg.tile, torch.tile, uniform(0, 1, 3), options=((3000,),))
    positive = uniform(-1, 1, 4, 4)
    positive = positive @ positive.T + 4 * np.eye(4)
    for name in ("inv", "det", "cholesky", "eigvalsh", "svdvals"):
        case(name, getattr(mg, name), getattr(torch.linalg, name), positive, half=False)
    case("slogdet", lambda a: mg.slogdet(a)[1], lambda a: torch.linalg.slogdet(a)[1], positive, half=False)
    case("solve", mg.solve, torch.linalg.solve, positive, uniform(-1, 1, 4, 2), half=False)


def of_windows():
    """Convolution and pooling."""
    x, k, b = uniform(0, 1, 8, 3, 20, 20), uniform(0, 1, 4, 3, 5, 5), uniform(0, 1, 4)
    case("conv2d", mg.conv2d, nn.conv2d, x, k, b)
    case(
        "conv2d of 200,000 pixels",
        mg.conv2d,
        nn.conv2d,
        uniform(0, 1, 200_000, 2, 1, 1),
        uniform(0, 1, 3, 2, 1, 1),
        b[:3],
    )
    case("conv_transpose2d", mg.conv_transpose2d, nn.conv_transpose2d, x, np.swapaxes(k, 0, 1), b)
    for size, window in [(30, 30), (60, 30), (300, 300), (20, 2)]:
        both(
            f"avg_pool2d {size} by {window}",
            mg.avg_pool2d,
            nn.avg_pool2d,
            uniform(90, 110, 1, 2, size, size),
            options=(window,),
        )
    x = uniform(1, 11, 1, 2, 40, 40)
    for stride in (5, 1):
        case(
            f"avg_pool2d, stride {stride}",
            lambda x, s=stride: mg.avg_pool2d(x, 15, stride=s),
            lambda x, s=stride: nn.avg_pool2d(x, 15, s),
            x,
        )
        case(
            f"max_pool2d, stride {stride}",
            lambda x, s=stride: mg.max_pool2d(x, 15, stride=s),
            lambda x, s=stride: nn.max_pool2d(x, 15, s),
            x,
        )
        case(
            f"l2_pool2d, stride {stride}",
            lambda x, s=stride: mg.l2_pool2d(x, 15, stride=s),
            lambda x, s=stride: nn.lp_pool2d(x, 2.0, 15, s),
            x,
        )


def errors(found, truth, dtype):
    """The greatest error relative to the entry, and relative to the greatest one; an overflow of the truth is none."""
    info = np.finfo(dtype)
    apart = np.where(np.isinf(found) & (np.abs(truth) > info.max), 0, np.abs(found.astype(float) - truth))
    apart = np.where(np.isnan(apart), np.inf, apart)
    relative = apart / np.maximum(np.abs(truth), info.tiny)
    size = np.max(np.abs(truth), initial=float(info.tiny))
    return float(np.max(relative, initial=0)), float(np.max(apart, initial=0) / size)


def compared(ours, theirs, inputs, dtype):
    """Yield (part, kind, our error, PyTorch's)."""
    given = [x.astype(dtype) for x in inputs]
    exact, exact_pullback = mg.vjp(ours, *(x.astype(float) for x in given))
    value, pullback = mg.vjp(ours, *given)
    for scale in (1.0, 1024.0):
        g = (rng.uniform(0.5, 1.5, np.shape(value)) * scale).astype(dtype)
        tensors = [torch.tensor(x, requires_grad=True) for x in given]
        result = theirs(*tensors)
        result.backward(torch.tensor(g))
        gradients = [t.grad if t.grad is not None else torch.zeros_like(t) for t in tensors]
        truth, mine = [exact, *exact_pullback(g.astype(float))], [value, *pullback(g)]
        yours = [result.detach(), *gradients]
        parts = ["value", *(f"d/dx{i}, g about {scale:g}" for i in range(len(inputs)))]
        for part, a, b, c in zip(parts, mine, yours, truth, strict=True):
            found = errors(np.asarray(a), np.asarray(c), dtype), errors(b.numpy(), np.asarray(c), dtype)
            for kind, e, f in zip(("entry", "all"), *found, strict=True):
                yield part, kind, e, f


def main():
    """Print the errors that are over the limit, and how many were compared."""
    for add in (of_entries, of_axes, of_losses, of_products, of_windows):
        add()
    count = worse = 0
    for name, ours, theirs, inputs, half in CASES:
        for dtype in (np.float16, np.float32) if half else (np.float32,):
            with np.errstate(all="ignore"):
                rows = list(compared(ours, theirs, inputs, dtype))
            count += len(rows)
            for part, kind, e, f in rows:
                ratio = e / max(f, float(np.finfo(dtype).eps) / 2)
                if not (ratio <= LIMIT or e == f == np.inf):
                    worse += 1
                    print(f"{name:32} {dtype.__name__:8} {part:20} {kind:6} ours {e:.1e}, PyTorch {f:.1e}: {ratio:.3g}")
    print(f"{len(CASES)} cases, {count} errors, {worse} of them over {LIMIT} times PyTorch's")
    return worse


if __name__ == "__main__":
    sys.exit(bool(main()))
