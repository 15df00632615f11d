"""The breadth of the library: ops of every family and small programs, in minigrad and in PyTorch."""

import math
from functools import partial

import numpy as np
from cases import conv2d_of, forward_and_backward, normal
from timing import Case

import minigrad as mg

LARGE = (256, 1024)


def cases(peers):
    """Yield a Case for each row of each family, if PyTorch is installed."""
    if torch := peers.get("torch"):
        for family in (
            elementwise,
            reductions,
            softmaxes,
            products,
            matrices,
            arranging,
            convolutions,
            pools,
            programs,
        ):
            for name, ours, theirs, arrays in family(torch):
                runs = forward_and_backward({"minigrad": ours, "torch": theirs}, arrays, ours(*arrays).shape, peers)
                yield Case(f"breadth, {family.__name__}", name, runs, {"torch": 2.0}, tolerance=1e-3)


def _of(name, shape, dtype):
    return f"{name} {', '.join(map(str, shape)) if isinstance(shape[0], tuple) else shape} {np.dtype(dtype).name}"


def _row(name, ours, theirs, *shapes, dtype=np.float32, prepare=lambda x: x):
    arrays = [prepare(normal(shape, dtype, seed)) for seed, shape in enumerate(shapes)]
    return _of(name, shapes, dtype), ours, theirs, arrays


def _same(name, function, *shapes, **options):
    return _row(name, function, function, *shapes, **options)


def elementwise(torch):
    """Functions of single entries; contiguous, transposed and sliced."""
    F = torch.nn.functional
    for name in ("gelu", "silu", "sigmoid", "relu", "softplus", "elu", "leaky_relu"):
        yield _row(name, getattr(mg, name), getattr(F, name), LARGE)
    for name in ("exp", "tanh", "sin", "expm1", "square", "abs", "erf"):
        yield _row(name, getattr(mg, name), getattr(torch, name), LARGE)
    yield _row("sinc", mg.sinc, torch.sinc, LARGE)
    for name in ("log", "sqrt", "log1p", "reciprocal"):
        yield _row(name, getattr(mg, name), getattr(torch, name), LARGE, prepare=lambda x: np.abs(x) + 0.1)
    for name in ("gelu", "sigmoid"):
        yield _row(name, getattr(mg, name), getattr(F, name), (8, 4))
    yield _row("erf", mg.erf, torch.erf, LARGE, dtype=np.float64)
    yield _row("gelu", mg.gelu, F.gelu, LARGE, dtype=np.float64)
    yield _row("tanh", mg.tanh, torch.tanh, (16, 64), dtype=np.float64)
    yield _same("x**3", lambda x: x**3, LARGE)
    yield _same("x**0.5", lambda x: x**0.5, LARGE, dtype=np.float64, prepare=lambda x: np.abs(x) + 0.1)
    yield _row("arctan2", mg.arctan2, torch.arctan2, LARGE, LARGE)
    yield _row("logaddexp", mg.logaddexp, torch.logaddexp, LARGE, LARGE)
    yield _same("x * y + x / y", lambda x, y: x * y + x / y, LARGE, LARGE, prepare=lambda x: np.abs(x) + 1)
    yield _same("x * row + column", lambda x, r, c: x * r + c, LARGE, (1024,), (256, 1))
    yield _same("x.T * y", lambda x, y: x.T * y, (512, 256), (256, 512))
    yield _row("exp of x[:, ::2]", lambda x: mg.exp(x[:, ::2]), lambda x: torch.exp(x[:, ::2]), LARGE)
    yield _row("gelu of x.T", lambda x: mg.gelu(x.T), lambda x: F.gelu(x.T), LARGE)
    yield _row("clip", lambda x: mg.clip(x, -1, 1), lambda x: torch.clip(x, -1, 1), LARGE)
    yield _row("maximum", mg.maximum, torch.maximum, LARGE, LARGE)
    mask = normal(LARGE, seed=9) > 0
    theirs = torch.from_numpy(mask)
    yield _row("where", lambda x, y: mg.where(mask, x, y), lambda x, y: torch.where(theirs, x, y), LARGE, LARGE)


def reductions(torch):
    """Sums, extremes, spreads and running sums, over rows, columns and all."""
    for axis in (0, 1, None):
        dim = (0, 1) if axis is None else axis
        yield _row(f"sum axis={axis}", lambda x, a=axis: mg.sum(x, a), lambda x, d=dim: torch.sum(x, d), LARGE)
    for name, axis in (("mean", 0), ("max", 1), ("min", 0)):
        torch_name = {"max": "amax", "min": "amin"}.get(name, name)
        yield _row(
            f"{name} axis={axis}",
            lambda x, n=name, a=axis: getattr(mg, n)(x, a),
            lambda x, n=torch_name, a=axis: getattr(torch, n)(x, a),
            LARGE,
        )
    yield _row("sum of x.T", lambda x: mg.sum(x.T, 1), lambda x: torch.sum(x.T, 1), LARGE)
    for dtype in (np.float32, np.float64):
        yield _row("var", lambda x: mg.var(x, -1), lambda x: torch.var(x, -1, correction=0), LARGE, dtype=dtype)
        yield _row("cumsum", lambda x: mg.cumsum(x, -1), lambda x: torch.cumsum(x, -1), LARGE, dtype=dtype)
    yield _row("var", lambda x: mg.var(x, (0, 2, 3)), lambda x: torch.var(x, (0, 2, 3), correction=0), (16, 32, 28, 28))
    yield _row("std", lambda x: mg.std(x, 0), lambda x: torch.std(x, 0, correction=0), LARGE)
    yield _row("cumsum axis=0", lambda x: mg.cumsum(x, 0), lambda x: torch.cumsum(x, 0), LARGE)
    yield _row("norm", lambda x: mg.norm(x, axis=-1), lambda x: torch.linalg.norm(x, dim=-1), LARGE)
    yield _row("prod", lambda x: mg.prod(x, -1), lambda x: torch.prod(x, -1), (256, 64), prepare=lambda x: 1 + x / 10)
    yield _row(
        "cumprod", lambda x: mg.cumprod(x, -1), lambda x: torch.cumprod(x, -1), LARGE, prepare=lambda x: 1 + x / 10
    )
    yield _row("median", mg.median, torch.median, (99_999,))
    yield _row("mean of few", mg.mean, torch.mean, (4, 8))


def softmaxes(torch):
    """Softmax, its logarithm, and the losses made of it, over short, middle and long rows."""
    F = torch.nn.functional
    for shape in ((128, 10), (8, 4, 64, 64), (512, 1000)):
        yield _row("softmax", mg.softmax, lambda x: F.softmax(x, -1), shape)
        yield _row("log_softmax", mg.log_softmax, lambda x: F.log_softmax(x, -1), shape)
    yield _row("softmax axis=1", lambda x: mg.softmax(x, 1), lambda x: F.softmax(x, 1), (16, 21, 32, 32))
    yield _row("softmax of x.T", lambda x: mg.softmax(x.T), lambda x: F.softmax(x.T, -1), LARGE)
    yield _row("softmax", mg.softmax, lambda x: F.softmax(x, -1), LARGE, dtype=np.float64)
    yield _row("logsumexp", lambda x: mg.logsumexp(x, -1), lambda x: torch.logsumexp(x, -1), LARGE)
    for n, k in ((128, 10), (512, 1000), (4096, 100)):
        labels = np.random.default_rng(3).integers(0, k, n)
        theirs = torch.from_numpy(labels)
        yield _row(
            "softmax_cross_entropy",
            lambda z, y=labels: mg.softmax_cross_entropy(z, y),
            lambda z, y=theirs: F.cross_entropy(z, y),
            (n, k),
        )
    y = np.random.default_rng(3).integers(0, 2, LARGE).astype(np.float32)
    theirs = torch.from_numpy(y)
    yield _row(
        "binary cross-entropy",
        lambda z: mg.binary_cross_entropy_with_logits(z, y),
        lambda z: F.binary_cross_entropy_with_logits(z, theirs),
        LARGE,
    )
    yield _row("mean_squared_error", mg.mean_squared_error, F.mse_loss, LARGE, LARGE)


def products(torch):
    """Matrix products and sums of products."""
    yield _same("a @ b", lambda a, b: a @ b, (256, 256), (256, 256))
    yield _same("a @ b", lambda a, b: a @ b, (8, 8), (8, 8))
    yield _same("a @ b", lambda a, b: a @ b, (64, 16, 16), (64, 16, 16))
    yield _same("a @ b", lambda a, b: a @ b, (64, 32, 128), (128, 64))
    yield _same("a @ x", lambda a, x: a @ x, (512, 512), (512,), dtype=np.float64)
    yield _same("a.T @ b.T", lambda a, b: a.T @ b.T, (256, 128), (192, 256))
    for subscripts, *shapes in (
        ("ij,jk->ik", (128, 128), (128, 128)),
        ("bij,bjk->bik", (32, 32, 32), (32, 32, 32)),
        ("bqhd,bkhd->bhqk", (8, 32, 4, 16), (8, 32, 4, 16)),
        ("bhqk,bkhd->bqhd", (8, 4, 32, 32), (8, 32, 4, 16)),
        ("ijk,k->ij", (32, 64, 64), (64,)),
        ("bi,bj->bij", (64, 64), (64, 64)),
        ("bi,bi->b", (256, 256), (256, 256)),
        ("nchw,dc->ndhw", (8, 16, 28, 28), (32, 16)),
        ("ij,jk,kl->il", (64, 64), (64, 64), (64, 64)),
    ):
        yield _row(
            f"einsum {subscripts}",
            lambda *a, s=subscripts: mg.einsum(s, *a),
            lambda *a, s=subscripts: torch.einsum(s, *a),
            *shapes,
        )
    yield _row("cross", mg.cross, torch.linalg.cross, (10_000, 3), (10_000, 3), prepare=lambda x: x + 1)
    yield _row(
        "convolve",
        lambda a, v: mg.convolve(a, v, "valid"),
        lambda a, v: torch.nn.functional.conv1d(a[None, None], torch.flip(v, (0,))[None, None])[0, 0],
        *((16_384,), (9,)),
    )
    ours, theirs = (lambda a, b, of=of: of.tensordot(a, b, ((1, 2), (0, 1))) for of in (mg, torch))
    yield _row("tensordot", lambda a, b: ours(a, b), lambda a, b: theirs(a, b), (64, 16, 16), (16, 16, 64))


def matrices(torch):
    """Solving and decomposing matrices, in float64."""
    double = {"dtype": np.float64, "prepare": lambda a: a + 4 * np.eye(a.shape[-1])}
    # NumPy reads one triangle and PyTorch both, so they agree where A + A.T or A @ A.T stands before
    for shape in ((8, 8), (64, 64), (256, 256), (32, 16, 16)):
        yield _row(
            "cholesky of a @ a.T",
            lambda a: mg.cholesky(a @ mg.swapaxes(a, -1, -2)),
            lambda a: torch.linalg.cholesky(a @ a.swapaxes(-1, -2)),
            shape,
            **double,
        )
    yield _row("inv", mg.inv, torch.linalg.inv, (64, 64), **double)
    yield _row("solve", mg.solve, torch.linalg.solve, (100, 100), (100, 100), **double)
    yield _row("slogdet", lambda a: mg.slogdet(a)[1], lambda a: torch.linalg.slogdet(a)[1], (64, 64), **double)
    ours, theirs = mg.eigvalsh, torch.linalg.eigvalsh
    yield _row("eigvalsh of a + a.T", lambda a: ours(a + a.T), lambda a: theirs(a + a.T), (32, 32), **double)


def arranging(torch):
    """Ops that move entries: gathers, scatters, joins, borders and copies."""
    rng = np.random.default_rng(3)
    rows, few = rng.integers(0, 1000, 4096), rng.integers(0, 50, 64)
    for name, index, shape in (("4096 rows", rows, (1000, 64)), ("64 rows", few, (50, 32))):
        theirs = torch.from_numpy(index)
        yield _row(f"gather {name}", lambda x, i=index: x[i], lambda x, i=theirs: x[i], shape)
    entries = np.arange(512), rng.integers(0, 1000, 512)
    their_entries = tuple(map(torch.from_numpy, entries))
    yield _row("x[i, j]", lambda x: x[entries], lambda x: x[their_entries], (512, 1000))
    order = np.argsort(rng.random(LARGE), axis=1)
    their_order = torch.from_numpy(order)
    yield _row(
        "take_along_axis",
        lambda x: mg.take_along_axis(x, order, 1),
        lambda x: torch.take_along_dim(x, their_order, 1),
        LARGE,
    )
    yield _row("sort", mg.sort, lambda x: torch.sort(x, stable=True)[0], LARGE)
    yield _same("x[:, 3:500]", lambda x: x[:, 3:500], LARGE)
    yield _row("concatenate", lambda *x: mg.concatenate(x, 1), lambda *x: torch.concatenate(x, 1), LARGE, (256, 512))
    yield _row("stack of 16", lambda *x: mg.stack(x), lambda *x: torch.stack(x), *[(64, 64)] * 16)
    border = ((0, 0), (0, 0), (2, 2), (2, 2))
    yield _row("pad", lambda x: mg.pad(x, border), lambda x: torch.nn.functional.pad(x, (2, 2, 2, 2)), (16, 8, 28, 28))
    yield _same("x.T.reshape", lambda x: x.T.reshape(-1), LARGE)
    yield _row("flip", lambda x: mg.flip(x, 1), lambda x: torch.flip(x, (1,)), LARGE)
    yield _row("roll", lambda x: mg.roll(x, 3, 1), lambda x: torch.roll(x, 3, 1), LARGE)
    yield _row("tile", lambda x: mg.tile(x, (4, 1)), lambda x: torch.tile(x, (4, 1)), (64, 256))
    yield _row("repeat", lambda x: mg.repeat(x, 4, 0), lambda x: torch.repeat_interleave(x, 4, 0), (64, 256))
    yield _row("tril", mg.tril, torch.tril, (256, 256))
    yield _row("rot90", mg.rot90, torch.rot90, LARGE)
    yield _row("diag", mg.diag, torch.diag, (256,))
    columns = rng.integers(0, 1024, 1024)
    their_columns = torch.from_numpy(columns)
    yield _row("columns", lambda x: x[:, columns], lambda x: x[:, their_columns], LARGE)


def convolutions(torch):
    """Convolutions with options, and with few or many images."""
    for x, k, options in (
        ((1, 64, 56, 56), (64, 64, 3, 3), {"padding": 1}),
        ((8, 256, 14, 14), (256, 256, 3, 3), {"padding": 1}),
        ((8, 32, 56, 56), (64, 32, 3, 3), {"stride": 2, "padding": 1}),
        ((16, 32, 28, 28), (32, 8, 3, 3), {"groups": 4, "padding": 1}),
        ((32, 32, 28, 28), (32, 1, 3, 3), {"groups": 32, "padding": 1}),
        ((4, 32, 28, 28), (32, 1, 3, 3), {"groups": 32, "padding": 1}),
        ((8, 8, 28, 28), (16, 8, 3, 3), {"padding": 1}),
        ((256, 8, 28, 28), (16, 8, 3, 3), {"padding": 1}),
        ((512, 8, 28, 28), (16, 8, 3, 3), {"padding": 1}),
    ):
        functions = conv2d_of({"torch": torch}, **options)
        yield _row(f"conv2d {options}", functions["minigrad"], functions["torch"], x, k)
    F = torch.nn.functional
    for shape in ((2, 16, 32, 32), (16, 16, 32, 32)):
        for label, name, options, kernel in (
            ("conv2d dilation=2", "conv2d", {"dilation": 2, "padding": 2}, (32, 16, 3, 3)),
            ("conv_transpose2d stride=2", "conv_transpose2d", {"stride": 2, "padding": 1}, (16, 16, 4, 4)),
        ):
            ours, theirs = (partial(getattr(library, name), **options) for library in (mg, F))
            yield _row(label, ours, theirs, shape, kernel)


def pools(torch):
    """Pools of several windows and strides."""
    F = torch.nn.functional
    for name, window, stride, padding, shape in (
        ("max_pool2d", 2, 2, 0, (32, 16, 8, 8)),
        ("max_pool2d", 3, 2, 1, (16, 32, 28, 28)),
        ("max_pool2d", 3, 1, 1, (4, 16, 32, 32)),
        ("max_pool2d", 2, 2, 0, (1, 64, 56, 56)),
        ("avg_pool2d", 2, 2, 0, (32, 16, 24, 24)),
        ("avg_pool2d", 3, 1, 1, (16, 32, 28, 28)),
        ("avg_pool2d", 7, 7, 0, (32, 64, 7, 7)),
    ):
        yield _row(
            f"{name} {window} stride={stride} padding={padding}",
            lambda x, n=name, w=window, s=stride, p=padding: getattr(mg, n)(x, w, stride=s, padding=p),
            lambda x, n=name, w=window, s=stride, p=padding: getattr(F, n)(x, w, stride=s, padding=p),
            shape,
        )


def programs(torch):
    """Small programs: networks, a variational autoencoder, a Gaussian process, a differential equation."""
    F = torch.nn.functional
    yield from _recurrent(torch)
    labels = np.random.default_rng(3).integers(0, 10, 64)
    their_labels = torch.from_numpy(labels)
    x = normal((64, 784), seed=9)
    their_x = torch.from_numpy(x)
    yield _row(
        "MLP",
        lambda u, b, v, c: mg.softmax_cross_entropy(mg.relu(x @ u + b) @ v + c, labels),
        lambda u, b, v, c: F.cross_entropy(F.relu(their_x @ u + b) @ v + c, their_labels),
        *((784, 128), (128,), (128, 10), (10,)),
        prepare=lambda w: w / 10,
    )
    for name in ("gelu", "silu"):
        act, their_act = getattr(mg, name), getattr(F, name)
        yield _row(
            f"feed-forward {name}",
            lambda x, u, v, f=act: f(x @ u) @ v,
            lambda x, u, v, f=their_act: f(x @ u) @ v,
            *((256, 64), (64, 256), (256, 64)),
        )
    heads = [(8, 4, 64, 16)] * 3
    yield _row(
        "attention",
        lambda q, k, v: mg.softmax(q @ mg.swapaxes(k, -1, -2) / 4) @ v,
        lambda q, k, v: F.softmax(q @ k.transpose(-1, -2) / 4, -1) @ v,
        *heads,
    )
    yield from _normalisations(torch)
    images, noise = normal((64, 784), seed=9) * 0.1, normal((64, 16), seed=8)
    yield _row(
        "VAE",
        lambda *p: _vae(mg, mg.tanh, mg.softplus, images, noise, p),
        lambda *p: _vae(torch, torch.tanh, F.softplus, *map(torch.from_numpy, (images, noise)), p),
        *((784, 128), (128, 32), (16, 128), (128, 784)),
        prepare=lambda w: w / 20,
    )
    inputs, targets = normal((100, 2), np.float64, 7), normal((100,), np.float64, 8)
    theirs = [*map(torch.from_numpy, (inputs, targets))]
    yield _row(
        "GP likelihood",
        lambda s: _likelihood(mg, mg.cholesky, mg.solve, np.eye, inputs, targets, s),
        lambda s: _likelihood(
            torch, torch.linalg.cholesky, torch.linalg.solve, lambda n: torch.eye(n, dtype=torch.float64), *theirs, s
        ),
        (3,),
        dtype=np.float64,
    )
    yield from _physics(torch)
    words = np.random.default_rng(3).integers(0, 2000, (64, 32))
    their_words = torch.from_numpy(words)
    yield _row(
        "embedding, mean, logits", lambda e, w: e[words].mean(1) @ w, lambda e, w: e[their_words].mean(1) @ w,
        (2000, 64), (64, 10),
    )  # fmt: skip


def _recurrent(torch):
    sequence = normal((50, 32, 16), seed=9)

    def rnn(tanh, xs, w, u):
        h = xs[0] @ w
        for x in xs:
            h = tanh(x @ w + h @ u)
        return h

    theirs = torch.from_numpy(sequence)
    shapes = (16, 32), (32, 32)
    yield _row("RNN", lambda w, u: rnn(mg.tanh, sequence, w, u), lambda w, u: rnn(torch.tanh, theirs, w, u), *shapes,
               prepare=lambda w: w / 8)  # fmt: skip
    layer, their_layer = mg.nn.GRU(16, 32, rng=np.random.default_rng(0)), torch.nn.GRU(16, 32, batch_first=True)
    their_layer.load_state_dict({name: torch.tensor(p.data) for name, p in layer.named_parameters()})
    yield _row("GRU", lambda x: layer(x)[0], lambda x: their_layer(x)[0], (32, 20, 16))


def _normalisations(torch):
    def by_hand(x, w, b, root, variance):
        return (x - x.mean(-1, **KEEP[root])) / root(variance(x) + 1e-5) * w + b

    KEEP = {mg.sqrt: {"keepdims": True}, torch.sqrt: {"keepdim": True}}
    shapes = (512, 256), (256,), (256,)
    yield _row(
        "layer norm by hand",
        lambda x, w, b: by_hand(x, w, b, mg.sqrt, lambda x: mg.var(x, -1, keepdims=True)),
        lambda x, w, b: by_hand(x, w, b, torch.sqrt, lambda x: x.var(-1, correction=0, keepdim=True)),
        *shapes,
    )
    layer, their_layer = mg.nn.LayerNorm(256), torch.nn.LayerNorm(256)
    yield _row("nn.LayerNorm", layer, their_layer, (512, 256))
    batch, their_batch = mg.nn.BatchNorm2d(16), torch.nn.BatchNorm2d(16)
    yield _row("nn.BatchNorm2d", batch, their_batch, (32, 16, 14, 14))


def _vae(of, tanh, softplus, x, noise, parameters):
    """The loss of a variational autoencoder with logits for pixels."""
    encode, to_code, decode, to_pixels = parameters
    code = tanh(x @ encode) @ to_code
    mean, logarithm = code[:, :16], code[:, 16:]
    z = mean + of.exp(logarithm / 2) * noise
    logits = tanh(z @ decode) @ to_pixels
    return (softplus(logits) - x * logits).sum() + (of.exp(logarithm) + mean * mean - 1 - logarithm).sum() / 2


def _likelihood(of, cholesky, solve, eye, x, y, scales):
    """The negative logarithm of the marginal likelihood of a Gaussian process, a squared exponential as its kernel."""
    length, height, noise = of.exp(scales[0]), of.exp(scales[1]), of.exp(scales[2])
    distances = ((x[:, None] - x[None]) ** 2).sum(-1)
    k = height * of.exp(-distances / (2 * length * length)) + (noise + 0.1) * eye(len(y))
    lower = cholesky(k)
    return (solve(lower, y[:, None]) ** 2).sum() / 2 + of.log(of.diagonal(lower)).sum()


def _physics(torch):
    points = np.linspace(0, math.pi, 256)[:, None]

    def network(tanh, x, u, b, v):
        return tanh(x @ u + b) @ v

    def ours(u, b, v):
        def slope(x):
            return mg.grad(lambda x: mg.sum(network(mg.tanh, x, u, b, v)))(x)

        curvature = mg.grad(lambda x: mg.sum(slope(x)))(points)
        return mg.mean((curvature + np.sin(points)) ** 2)

    def theirs(u, b, v):
        x = torch.from_numpy(points).requires_grad_()
        (slope,) = torch.autograd.grad(network(torch.tanh, x, u, b, v).sum(), x, create_graph=True)
        (curvature,) = torch.autograd.grad(slope.sum(), x, create_graph=True)
        return ((curvature + torch.sin(x.detach())) ** 2).mean()

    yield _row("physics, second derivatives", ours, theirs, (1, 64), (64,), (64, 1), dtype=np.float64)


FAMILIES = (elementwise, reductions, softmaxes, products, matrices, arranging, convolutions, pools, programs)
