"""mg.onnx.export: what onnxruntime computes with the file is what f computes, for any number of examples."""

import collections
import functools
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad.nest import flatten
from minigrad.onnx import nodes
from minigrad.onnx.nodes import CONVERTERS
from minigrad.ops import reductions

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

nn = mg.nn
F32 = np.float32


def plain(y):
    """The arrays in what f returned."""
    return [np.asarray(leaf.data if isinstance(leaf, mg.Tensor) else leaf) for leaf in flatten(y) if leaf is not None]


def exported(tmp_path, f, example, **options):
    """The model in the file, which passes every check of the package onnx, and a session that runs it."""
    path = tmp_path / "model.onnx"
    mg.onnx.export(path, f, example, **options)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    return model, onnxruntime.InferenceSession(path, settings)


def answers(model, session, arrays):
    return session.run(None, {x.name: np.asarray(a) for x, a in zip(model.graph.input, arrays, strict=True)})


def agree(tmp_path, f, example, *others, **options):
    """Check that the model agrees with f on the example and on other arguments; return it."""
    model, session = exported(tmp_path, f, example, **options)
    if isinstance(f, nn.Module):
        f = functools.partial(nn.functional_call, f.eval(), {})
    for arguments in (example, *others):
        arrays = arguments if isinstance(arguments, tuple) else (arguments,)
        found, right = answers(model, session, arrays), plain(f(*arrays))
        assert [a.shape for a in found] == [a.shape for a in right]
        assert [a.dtype for a in found] == [a.dtype for a in right]
        for a, b in zip(found, right, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6 * max(1, np.abs(b).max(initial=0)))
    return model


# networks


def activation(rng):
    return [nn.ReLU, nn.Tanh, nn.Sigmoid, nn.GELU][rng.integers(4)]()


def image_network(rng):
    """Convolutions, normalisation and pooling in random order, then a linear layer."""
    channels, size, layers = int(rng.integers(1, 4)), int(rng.integers(18, 23)), []
    shape = (channels, size, size)
    for _ in range(rng.integers(1, 3)):
        more = channels * int(rng.integers(1, 3))
        groups = channels if rng.random() < 0.3 else 1
        kernel, stride = (int(rng.integers(1, 4)), int(rng.integers(1, 4))), (1, int(rng.integers(1, 3)))
        options = {"stride": stride, "padding": int(rng.integers(2)), "dilation": (int(rng.integers(1, 3)), 1)}
        layers.append(nn.Conv2d(channels, more, kernel, groups=groups, bias=rng.random() < 0.7, rng=rng, **options))
        channels = more
        if rng.random() < 0.4:
            layers.append(nn.BatchNorm2d(channels))
        layers.append(activation(rng))
        if rng.random() < 0.4:
            pool = [nn.AvgPool2d, nn.MaxPool2d, nn.L2Pool2d][rng.integers(3)]
            layers.append(pool(2, stride=int(rng.integers(1, 3)), padding=int(rng.integers(2))))
    features = nn.Sequential(*layers)
    out = features(np.zeros((1, *shape), F32)).shape[1:]
    for module in layers:
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean = rng.normal(size=module.num_features).astype(F32)
            module.running_var = rng.uniform(0.5, 2, module.num_features).astype(F32)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(int(np.prod(out)), 3, rng=rng)), shape


def dense_network(rng):
    sizes = rng.integers(1, 9, rng.integers(2, 6)).tolist()
    layers = []
    for i, (a, b) in enumerate(itertools.pairwise(sizes)):
        layers += [nn.Linear(a, b, bias=rng.random() < 0.7, rng=rng)]
        layers += [nn.LayerNorm(b)] if b > 3 and rng.random() < 0.5 else [nn.Dropout(0.5, rng=rng)] if i == 0 else []
        layers += [activation(rng)]
    return nn.Sequential(*layers), (sizes[0],)


class Recurrent(nn.Module):
    def __init__(self, rng, inputs, hidden):
        self.gru = nn.GRU(inputs, hidden, bias=rng.random() < 0.7, rng=rng)
        self.out = nn.Linear(hidden, 2, rng=rng)

    def forward(self, x):
        states, last = self.gru(x)
        return {"each": self.out(states), "last": last}


class Transformer(nn.Module):
    """A block with residual connections around attention and a small network, between an embedding and logits."""

    def __init__(self, rng, letters, length, heads):
        size = 4 * heads
        self.letters, self.positions = (nn.Embedding(n, size, rng=rng) for n in (letters, length))
        self.attention, self.norms = nn.MultiHeadAttention(size, heads, rng=rng), [nn.LayerNorm(size) for _ in "ab"]
        self.wide = nn.Sequential(nn.Linear(size, 2 * size, rng=rng), nn.GELU(), nn.Linear(2 * size, size, rng=rng))
        self.out = nn.Linear(size, letters, rng=rng)

    def forward(self, letters):
        x = self.letters(letters) + self.positions(np.arange(letters.shape[1]))
        y = self.norms[0](x)
        x = x + self.attention(y, y, y, need_weights=False, is_causal=True)[0]
        return mg.log_softmax(self.out(x + self.wide(self.norms[1](x))))


def random_network(seed):
    """A network, and a function that draws n examples for it."""
    rng = np.random.default_rng(seed)
    kind = seed % 4
    if kind < 2:
        network, shape = (image_network, dense_network)[kind](rng)
        return network, lambda n: rng.normal(size=(n, *shape)).astype(F32)
    if kind == 2:
        inputs, hidden, length = rng.integers(1, 5, 3).tolist()
        return Recurrent(rng, inputs, hidden), lambda n: rng.normal(size=(n, length, inputs)).astype(F32)
    letters, length, heads = (rng.integers(1, 4, 3) + [2, 1, 0]).tolist()
    network = Transformer(rng, letters, length, heads)
    return network, lambda n: np.arange(n * length).reshape(n, length) % letters


@pytest.mark.parametrize("seed", range(60))
def test_random_networks_agree(tmp_path, seed):
    network, draw = random_network(seed)
    agree(tmp_path, network, draw(1 + seed % 3), draw(1), draw(5))


def test_the_documents_network_agrees_after_some_steps_of_training(tmp_path):
    rng = np.random.default_rng(0)
    x, labels = rng.random((16, 1, 14, 14), F32), rng.integers(0, 10, 16)
    k1, k2 = (mg.tensor(rng.normal(0, 0.3, s), dtype=F32, requires_grad=True) for s in [(4, 1, 3, 3), (6, 4, 3, 3)])
    b1, b2, b3 = (mg.tensor(np.zeros(n), dtype=F32, requires_grad=True) for n in (4, 6, 10))
    w3 = mg.tensor(rng.normal(0, 0.1, (54, 10)), dtype=F32, requires_grad=True)

    def logits(images):
        with mg.scope("layer 1"):
            a = mg.avg_pool2d(mg.tanh(mg.conv2d(images, k1, b1, padding=1)), 2)
        with mg.scope("layer 2"):
            a = mg.avg_pool2d(mg.tanh(mg.conv2d(a, k2, b2, padding=1)), 2)
        with mg.scope("layer 3"):
            b = mg.reshape(mg.vec(a), (len(images), -1))
            return b @ w3 + b3

    optimizer = mg.optim.SGD([k1, b1, k2, b2, w3, b3], 0.5)
    for _ in range(5):
        optimizer.zero_grad()
        mg.softmax_cross_entropy(logits(x), labels).backward()
        optimizer.step()
    model = agree(tmp_path, logits, x[:2], x, x[:1])
    assert [node.op_type for node in model.graph.node] == [
        *("Conv", "Tanh", "AveragePool") * 2, *("Transpose", "Reshape", "Reshape", "MatMul", "Add")
    ]  # fmt: skip
    assert model.graph.node[0].name == "layer 1/conv2d"
    assert {"k1", "b1", "k2", "b2", "w3", "b3"} <= {tensor.name for tensor in model.graph.initializer}
    assert (model.graph.name, [x.name for x in model.graph.input]) == ("logits", ["images"])
    shape = model.graph.input[0].type.tensor_type.shape.dim
    assert [length.dim_param or length.dim_value for length in shape] == ["batch", 1, 14, 14]
    shape = model.graph.output[0].type.tensor_type.shape.dim
    assert [length.dim_param or length.dim_value for length in shape] == ["batch", 10]


# ops

X = np.random.default_rng(1).uniform(0.2, 0.9, (3, 4, 6)).astype(F32)
I = np.random.default_rng(1).normal(size=(2, 4, 7, 8)).astype(F32)
K, B = np.random.default_rng(2).normal(size=(6, 2, 3, 2)).astype(F32), np.arange(6, dtype=F32)
T = np.random.default_rng(2).normal(size=(4, 3, 3, 2)).astype(F32)
W = np.random.default_rng(3).normal(size=(6, 5)).astype(F32)
SIGNED = X - F32(0.5)


def each(names, case):
    """{name: the case with the function of this name}."""
    return {name: functools.partial(case, getattr(mg, name)) for name in names.split()}


ENTRY_BY_ENTRY = """negative positive reciprocal sqrt exp log abs sign sin cos tan arcsin arccos arctan sinh cosh
    arcsinh arctanh tanh erf relu sigmoid softplus gelu silu square copy"""
REDUCTIONS = "sum mean max min prod logsumexp"
CASES = {
    **each(ENTRY_BY_ENTRY, lambda f, x: f(x)),
    **each("floor ceil rint", lambda f, x: f(4 * x - 2)),
    **each("add subtract multiply divide maximum minimum power", lambda f, x: f(x, x[0, 0] * 1.5)),
    **each(REDUCTIONS, lambda f, x: (
        f(x), f(x, axis=-1), f(x, (1, 2), keepdims=True), f(x, axis=0), f(x, ()))),
    "norm": lambda x: (mg.norm(x), mg.norm(x, axis=(1, 2), keepdims=True), mg.norm(x, axis=0), mg.norm(x[0, 0, 0]),
        reductions._norm(x - 0.5, ())),  # as mg.std(x, axis=()) is made of
    "normalize": lambda x: (mg.nn.LayerNorm(x.shape[-1], eps=0.25)(x), mg.layer_norm(x, x.shape[1:]),
        mg.layer_norm(x, 6, x[0, 0], np.arange(6.0))),
    "var": lambda x: (mg.var(x), mg.var(x, 1, ddof=1, keepdims=True), mg.var(x, (0, 1))),
    "cumsum": lambda x: (mg.cumsum(x), mg.cumsum(x, 1)),
    "arccosh": lambda x: mg.arccosh(x + 1),
    "identity": lambda x: mg.vjp(mg.sin, x)[0],
    "astype": lambda x: (x.astype(float) * 2, x + np.ones(6)),
    "leaky_relu": lambda x: mg.leaky_relu(x - 0.5, 0.3), "elu": lambda x: mg.elu(x - 0.5, 1.5),
    "where": lambda x: (mg.where(X[0] > 0.5, x, -x), mg.where(np.array([1, 0, 2, 0, 0, 1]), x, 2.0)),
    "clip": lambda x: (mg.clip(x, 0.4, 0.6), mg.clip(x, None, X[0]), mg.clip(x, np.float64(0.5), None), mg.clip(x)),
    "softmax": lambda x: (mg.softmax(x), mg.softmax(x, 1)), "log_softmax": lambda x: mg.log_softmax(x, axis=0),
    "matmul": lambda x: (x @ W, x @ W[:, 0], x[:, 0] @ W, np.ones((2, 4)) @ x),
    "einsum": lambda x: (
        mg.einsum("nij,jk->nki", x, W), mg.einsum("nij,nij->", x, x), mg.einsum("nii->n", x[:, :, :4])),
    "reshape": lambda x: (
        mg.reshape(x, (-1, 24)), mg.reshape(x, (len(x) * 4, 6)), mg.reshape(x, (2, len(x), 2, 6)), mg.ravel(x),
        mg.reshape(x, (len(x), 2, 12), order="F"), mg.expand_dims(x, (0, 2)), mg.reshape(x[:, :0], (0, len(x), 6)),
        mg.reshape(mg.einsum("ni,mj->nmij", x[:, 0], x[:, 0]), (len(x), len(x), 36))),
    "transpose": lambda x: (x.T, mg.transpose(x, (0, -1, 1)), mg.swapaxes(x, 0, 1)),
    "broadcast_to": lambda x: (mg.broadcast_to(x, (2, *x.shape)), mg.broadcast_to(x[:1, :1], x.shape)),
    "concatenate": lambda x: (
        mg.concatenate([x, x], 0), mg.concatenate([x, np.zeros((len(x), 4, 1))], -1), mg.concatenate([x, x], None),
        mg.concatenate([x, X[:1]])),
    "tile": lambda x: (mg.tile(x, 2), mg.tile(x, (1, 3, 2)), mg.tile(x, (2, 1, 1, 3)), mg.tile(x, (2, 1, 1))),
    "stack": lambda x: (mg.stack([x, 2 * x], 1), mg.stack([x, x], -1)),
    "pad": lambda x: (mg.pad(x, 1), mg.pad(x, ((0, 0), (1, 2), (0, 3)), constant_values=-1.5),
        mg.pad(x, 1, constant_values=[2.0])),
    "pieces": lambda x: (
        mg.roll(x, 1, -1), mg.roll(x, 1, 0), mg.pad(x, ((0, 0), (1, 2), (0, 1)), "wrap"), mg.delete(x, 1, 1)),
    "getitem": lambda x: (
        x[0], x[-1, 2], x[..., 1], x[:, 1:3, ::2], x[:, ::-1, -1:0:-2], x[:, None, 2, :, None], x[1:], x[: len(x) - 1],
        x[None, ..., 1], x[:, [0, 2, 0]], x[:, :, np.array([[1, -1]])], x[None], x[...], x[:, 3:1],
        x[:, :, np.array([], int)]),
    "conv2d": lambda x: (
        mg.conv2d(x, K, B, stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2), mg.conv2d(x[0], K, groups=2)),
    "conv_transpose2d": lambda x: (
        mg.conv_transpose2d(x, T, B, stride=(2, 3), padding=1, dilation=(2, 1), groups=2, output_size=(16, 22)),
        mg.conv_transpose2d(x[0], T)),
    **each("avg_pool2d max_pool2d l2_pool2d", lambda f, x: (
        f(x, 2), f(x, (3, 2), stride=(1, 2), padding=1), f(x[0], 3, stride=2))),
}  # fmt: skip
IMAGES = {"conv2d", "conv_transpose2d", "avg_pool2d", "max_pool2d", "l2_pool2d"}
SIGNS = {
    "sum",
    "mean",
    "max",
    "min",
    "negative",
    "abs",
    "sign",
    "arctan",
    "arcsin",
    "sinh",
    "tanh",
    "erf",
    "relu",
    "sigmoid",
    "softplus",
    "gelu",
}
WITHOUT_THE_FIRST = {"conv2d", "conv_transpose2d", "getitem"}  # these cases need more than one example


@pytest.mark.parametrize("name", sorted(CONVERTERS))
def test_each_op_agrees(tmp_path, name):
    x = I if name in IMAGES else SIGNED if name in SIGNS else X
    others = [np.concatenate([x, x[::-1]])] + [x[:1]] * (name not in WITHOUT_THE_FIRST)
    agree(tmp_path, CASES[name], x, *others)


def test_parameters_are_named_and_kept_once(tmp_path):
    rng = np.random.default_rng(0)
    net = nn.Sequential({"first": nn.Linear(3, 3, rng=rng), "second": nn.Linear(3, 2, rng=rng)})
    weights = {"u": mg.tensor(np.eye(3), dtype=F32, requires_grad=True), "v": [mg.tensor(np.ones(3, F32))]}
    own = mg.tensor(np.ones(2, F32), requires_grad=True, name="its own")

    def f(a, b):
        c = mg.tensor(np.full(2, 3.0, F32), name="constant")
        h = a @ weights["u"] + weights["v"][0]
        return net(h) * own + net(b) * c, a

    x = np.arange(6, dtype=F32).reshape(2, 3)
    model = agree(tmp_path, f, (x, x + 1), (x[:1], x[:1] + 2))
    names = [tensor.name for tensor in model.graph.initializer if "int64" not in tensor.name]
    assert sorted(names) == [
        *("constant", "its own", "net.first.bias", "net.first.weight", "net.second.bias", "net.second.weight"),
        *("weights.u", "weights.v.0"),
    ]
    assert [x.name for x in model.graph.input] == ["a", "b"]
    assert [y.name for y in model.graph.output] == ["y_0", "y_1"]
    assert agree(tmp_path, net, x).graph.initializer[0].name == "first.weight"
    assert agree(tmp_path, net.forward, x).graph.initializer[0].name == "first.weight"
    assert agree(tmp_path, lambda *x: x[0] * x[1], (x, x)).graph.input[1].name == "x1"


def test_outputs_may_be_one_value_an_input_or_a_parameter(tmp_path):
    w = mg.tensor(np.ones(3, F32), requires_grad=True)
    agree(tmp_path, lambda x: (x, w, x * w, [x * w, x]), X[0, :, :3], X[0, :1, :3])
    y = lambda y: {"y": y * 2, "a b": y + 1}  # noqa: E731 (an input that has the name of the output)
    model = agree(tmp_path, y, X[0])
    assert len({x.name for x in (*model.graph.input, *model.graph.output)}) == 3


def test_numbers_that_grow_with_the_batch_are_computed(tmp_path):
    gru = nn.GRU(6, 2, rng=np.random.default_rng(0))
    agree(tmp_path, lambda x: (x.sum() / len(x), gru(x)), X, X[:1])
    agree(tmp_path, lambda x: x + np.full((2 * len(x) + 1, 1, 1), 3.0, F32)[len(x) + 1 :], X, X[:1])
    for times, more in ((1, 1), (1, 2), (2, 1)):
        f = lambda x, t=times, n=more: mg.concatenate([x, np.ones((t * len(x) + n, 4, 6), F32)])  # noqa: E731
        model = agree(tmp_path, f, X, X[:1])
        assert model.graph.output[0].type.tensor_type.shape.dim[0].dim_param != "batch"
    agree(tmp_path, lambda x: x + np.broadcast_to(np.arange(6, dtype=F32), x.shape), X, X[:1])


def test_constants_may_be_nan(tmp_path):
    agree(tmp_path, lambda x: (x * np.nan, x * np.array([np.nan, *range(5)], F32)), X)


def test_whole_numbers_are_told_apart(tmp_path):
    table = mg.tensor(np.arange(12.0).reshape(6, 2), dtype=F32, requires_grad=True)
    ids = np.array([[1, 5, 0], [0, 2, 4]])
    with pytest.raises(ValueError, match="getitem: an index must be slices"):
        mg.onnx.export(tmp_path / "f.onnx", lambda ids: table[ids] + table[np.full((len(ids), 3), 2)], ids)
    with pytest.raises(ValueError, match=r"getitem: index is .* for the example and .* for another one"):
        mg.onnx.export(tmp_path / "f.onnx", lambda ids: table[(ids + 1) % 6], ids[:1])


def test_integers_are_inputs_or_constants(tmp_path):
    table = mg.tensor(np.arange(12.0).reshape(6, 2), dtype=F32, requires_grad=True)
    ids, x = np.array([[1, 5, 0], [0, 2, 4]]), np.ones((2, 3, 2), F32)
    agree(tmp_path, lambda ids, x: table[ids] * x + table[np.array([1, 5, 0])], (ids, x), (ids[:1], x[:1]))
    agree(tmp_path, lambda ids: table[ids], ids.astype(np.int32), ids[:1].astype(np.int32))
    agree(tmp_path, lambda ids, x: (table[ids, None], x[:, None, :, [1, 0]]), (ids, x), (ids[:1], x[:1]))
    mask = np.array([[True, False, True], [True, True, False]])  # with as many in each row
    with pytest.raises(ValueError, match="getitem: an index must be slices"):
        mg.onnx.export(tmp_path / "f.onnx", lambda mask, x: x[mask], (mask, x))
    agree(tmp_path, lambda mask, x: mg.where(mask, x * 2, x), (x[..., 0].cumsum(1) < 2.5, x[..., 0]))


def test_any_dtype(tmp_path):
    path = tmp_path / "net.onnx"
    from onnx.reference import ReferenceEvaluator

    for dtype in (np.float16, F32, np.float64):
        net = nn.Sequential(nn.Conv2d(1, 2, 3, rng=np.random.default_rng(0), dtype=dtype), nn.Tanh())
        x = np.random.default_rng(0).normal(size=(2, 1, 5, 5)).astype(dtype)
        mg.onnx.export(path, net, x.astype(x.dtype.newbyteorder(">")))
        (y,) = ReferenceEvaluator(str(path)).run(None, {"x": x})
        assert y.dtype == dtype
        np.testing.assert_allclose(y, net(x).data, rtol=100 * np.finfo(dtype).eps, atol=10 * np.finfo(dtype).eps)


def test_without_a_free_batch(tmp_path):
    f = lambda x, h: mg.tanh(x + h[0]) / x.shape[0]  # noqa: E731
    x, h = X[0], X[:1, :, :]
    with pytest.raises(ValueError, match=r"the first axis of each input must be the batch.* \(4, 6\), \(1, 4, 6\)"):
        mg.onnx.export(tmp_path / "f.onnx", f, (x, h))
    model = agree(tmp_path, f, (x, h), dynamic_batch=False)
    assert [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim] == [4, 6]
    agree(tmp_path, lambda x: mg.exp(x), F32(0.5).reshape(()), dynamic_batch=False)
    gru = nn.GRU(6, 2, rng=np.random.default_rng(0))
    agree(tmp_path, gru, X[0], dynamic_batch=False)


def test_a_module_is_exported_as_in_eval_and_stays_as_it_was(tmp_path):
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.BatchNorm2d(4), nn.Dropout(0.5, rng=rng)).train()
    net[1].eval()
    before, state = net.state_dict(), rng.bit_generator.state
    mg.onnx.export(tmp_path / "net.onnx", net, I)
    assert (net.training, net[0].training, net[1].training) == (True, True, False)
    assert rng.bit_generator.state == state
    assert all(np.array_equal(value, before[name]) for name, value in net.state_dict().items())


@mg.op
def sin(x):
    return np.sin(x)


@sin.vjp("x")
def _(g, out, x):
    return g * np.cos(x)


W6 = mg.tensor(W, requires_grad=True)
REFUSED = {
    "an op of the user's": (lambda x: mg.exp(sin(x)), "no ONNX node is known for sin$"),
    "all such ops": (lambda x: mg.log1p(mg.cbrt(x)), "no ONNX node is known for cbrt, log1p$"),
    "a checkpoint": (mg.checkpoint(mg.exp), "no ONNX node is known for checkpoint$"),
    "values of the input": (lambda x: x * x.data.max(), "multiply: x2 is .* for the example and .* for another one"),
    "its array": (lambda x: x * x.data, r"multiply: x2 is \(3, 4, 6\) for the example and \(4, 4, 6\) for another"),
    "chance": (lambda x: x * np.random.default_rng().random(), "multiply: x2 is .* no random numbers"),
    "a comparison": (lambda x: mg.where(x > 0, x, -x), r"where: condition is \(3, 4, 6\) bool for the example"),
    "a comparison with a number": (lambda x: x * float(x.data[0, 0, 0] > 0), "multiply: x2 is 1.0 for the example and"),
    "a branch": (lambda x: mg.exp(x) if len(x) == 3 else mg.sin(x), "f does exp where it does sin for another"),
    "a longer branch": (lambda x: mg.exp(x if len(x) == 3 else x + 1), "does exp where it does add"),
    "more steps": (lambda x: mg.exp(x) if len(x) == 3 else mg.exp(mg.exp(x)), "takes 1 steps, and 2"),
    "another result": (lambda x: x if len(x) == 3 else (x, x), "f returns something else"),
    "another rank": (lambda x: mg.exp(x) if len(x) == 3 else mg.exp(x[0]), "f does exp where it does getitem"),
    "one size": (lambda x: x + X, "f raises ValueError for other examples .* dynamic_batch=False"),
    "a part of the batch": (lambda x: x * (1 / len(x)), r"x2 is 0.333.* for the example and 0.25 for another"),
    "an index for each example": (lambda x: x[np.arange(len(x)), 0], r"getitem: index is"),
    "a constant of another rank": (
        lambda x: x * (np.ones(6, F32) if len(x) == 3 else np.ones((1, 6), F32)), r"is \(6,\) or \(1, 6\)"),
    "a constant of another dtype": (
        lambda x: x * np.full(6, 2, F32 if len(x) == 3 else float), "multiply: x2 is .* for another one"),
    "an axis or axes": (lambda x: mg.sum(x, (0, 1, 2) if len(x) == 3 else None), r"axis is \(0, 1, 2\) .* and None"),
    "an axis or one in a tuple": (lambda x: mg.sum(x, 1 if len(x) == 3 else (1,)), r"axis is 1 for the .* \(1,\) for"),
    "an array or a slice": (
        lambda x: x[:, np.array([0, 1]) if len(x) == 3 else slice(2)], r"getitem: index is .* for another one"),
    "a slice or an array": (
        lambda x: x[:, slice(2) if len(x) == 3 else np.array([0, 1])], r"getitem: index is .* for another one"),
    "an array or a number": (lambda x: x * (np.ones(6, F32) if len(x) == 3 else 1.0), r"x2 is \(6,\) .* and 1.0 for"),
    "an array or none": (
        lambda x: mg.clip(x, np.ones(6, F32) if len(x) == 3 else None, None), r"a_min is \(6,\) .* None for another"),
    "an array of another rank": (
        lambda x: mg.reshape(x, (-1, 24) if len(x) == 3 else (-1, 24, 1)), r"is \(3, 24\) or \(4, 24, 1\)"),
    "the last example alone": (lambda x: x * (1.0 if len(x) < 6 else 2.0), r"x2 is 1\.0 for the example and 2\.0 for"),
    "other arguments": (lambda x: (lambda y: x - y if len(x) == 3 else y - x)(mg.exp(x)), "f does subtract where it"),
    "a setting": (
        lambda x: mg.conv2d(x[:, None], W6[None, None, :1, :1], dilation=1 if len(x) == 3 else 2),
        "conv2d: dilation is 1 for the example and 2 for another one"),
    "a number of another type": (lambda x: x * (F32(2) if len(x) == 3 else np.float64(2)), r"x2 is .*2\.0"),
    "a longer index": (lambda x: x[(0,) if len(x) == 3 else (0, slice(None))], "getitem: index is"),
    "a square": (lambda x: x + np.ones((len(x) ** 2, 1, 1, 1), F32), r"is \(9, 3, 4, 6\) or \(16, 4, 4, 6\)"),
    "two arrays as an index": (lambda x: x[:, [0, 1], [1, 2]], "getitem: an index must be slices"),
    "a mask": (lambda x: x[:, np.array([True, False, True, True])], "getitem: an index must be slices"),
    "a number and an array": (lambda x: x[0, [0, 1]], "getitem: an index must be slices"),
    "axes of a softmax": (lambda x: mg.softmax(x, (1, 2)), r"softmax: axis must be an int, not \(1, 2\)"),
    "a frame": (lambda x: mg.pad(x, 1, constant_values=((1, 2),)), r"pad: constant_values must be one number"),
    "a variance of the batch": (lambda x: mg.var(x, 0, ddof=1), "var: with a ddof it can't run over the examples"),
    "a frame that grows": (lambda x: mg.pad(x, ((0, len(x)), (1, 1), (1, 1))), "pad: pad_width can't depend on"),
    "a row that moves": (lambda x: x[len(x) - 1], "getitem: an index must be slices"),
    "another dtype": (lambda x: x * np.longdouble(2), "multiply gives float128, which no ONNX node does"),
    "an axis that grows": (lambda x: mg.sum(mg.reshape(x, (-1, *[1] * 9)), len(x)), "sum: axis can't depend on"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_be_wrong_is_refused_before_a_file_is_written(tmp_path, case):
    f, said = REFUSED[case]
    with pytest.raises(ValueError, match=said) as caught:
        mg.onnx.export(tmp_path / "f.onnx", f, X)
    assert str(caught.value).startswith("export: ")
    assert "\n" not in str(caught.value)
    assert [*tmp_path.iterdir()] == []


def test_a_constant_that_is_taken_from_a_row_of_integers_is_refused(tmp_path):
    ids = np.array([1, 5, 2])
    with pytest.raises(ValueError, match=r"multiply: x2 is 1 for the example and [25] for another one"):
        mg.onnx.export(tmp_path / "f.onnx", lambda ids: W6 * int(ids[0]), ids)


def test_a_count_of_the_runs_is_no_size(tmp_path):
    counts = iter((5, 6, 8))
    with pytest.raises(ValueError, match="multiply: x2 is 5 for the example and 6 for another one"):
        mg.onnx.export(tmp_path / "f.onnx", lambda x: x * next(counts), X, dynamic_batch=False)


def test_a_shape_may_be_a_named_tuple(tmp_path):
    shape = collections.namedtuple("Shape", "examples entries")
    agree(tmp_path, lambda x: mg.reshape(x, shape(-1, 24)), X)


def test_the_scope_is_in_the_message(tmp_path):
    def f(x):
        with mg.scope("net"), mg.scope("head"):
            return x * (1.0 if len(x) == 3 else 2.0)

    with pytest.raises(ValueError, match=r"export: multiply in net/head: x2 is 1.0 for the example and 2.0"):
        mg.onnx.export(tmp_path / "f.onnx", f, X)


KINDS = {
    "a suffix": (ValueError, ("f.pt", mg.exp, X), "path must end in .onnx, not 'f.pt'"),
    "a path": (TypeError, (1, mg.exp, X), "path must be a path, not 1"),
    "a function": (TypeError, ("f.onnx", X, X), "f must be a function"),
    "an example": (TypeError, ("f.onnx", mg.exp, "x"), "example must be an array, or a tuple"),
    "a list": (TypeError, ("f.onnx", mg.exp, [1.0]), r"example must be an array, .* \[0\] is \[1.0\]"),
    "a complex example": (TypeError, ("f.onnx", mg.exp, (X, X * 1j)), r"\[1\] is \(3, 4, 6\) complex64"),
    "no array": (ValueError, ("f.onnx", lambda: W6 * 2, ()), "not no array"),
    "no examples": (ValueError, ("f.onnx", mg.exp, X[:0]), r"not \(0, 4, 6\)"),
    "equal integers": (
        ValueError,
        ("f.onnx", lambda i: W6[i], np.zeros((2, 3), int)),
        r"example\[0\] must have entries",
    ),
    "no Tensor": (TypeError, ("f.onnx", lambda x: x.data, X), r"what f returns must be a Tensor.*, not \(3, 4, 6\)"),
    "a part that is none": (TypeError, ("f.onnx", lambda x: (x, 1.0), X), r"what f returns at \[1\] must be"),
    "a Tensor that was not computed": (
        TypeError,
        ("f.onnx", lambda x: mg.tensor([1.0]), X),
        "must be a Tensor that was computed of parameters",
    ),
    "nothing": (ValueError, ("f.onnx", lambda x: None, X), "f returns no Tensor"),
}


@pytest.mark.parametrize("case", KINDS)
def test_wrong_arguments_are_one_sentence(tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    kind, arguments, said = KINDS[case]
    with pytest.raises(kind, match=f"^export: .*{said}"):
        mg.onnx.export(*arguments)
    assert [*tmp_path.iterdir()] == []


def test_arrays_too_large_for_a_file_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("minigrad.onnx.model.LARGEST", W.nbytes)
    with pytest.raises(ValueError, match=r"^export: the arrays take 240 bytes, and an .onnx file holds 120$"):
        mg.onnx.export(tmp_path / "f.onnx", lambda x: x @ W6 @ (2 * W6.data.T), X)
    mg.onnx.export(tmp_path / "f.onnx", lambda x: x @ W6, X)


def test_an_older_file_stays_if_the_export_fails(tmp_path):
    path = tmp_path / "f.onnx"
    mg.onnx.export(path, mg.exp, X)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="no ONNX node"):
        mg.onnx.export(path, sin, X)
    assert path.read_bytes() == before
    with pytest.raises(TypeError, match=r"^export: dynamic_batch must be True or False, not 1$"):
        mg.onnx.export(path, mg.sin, X, dynamic_batch=1)
    assert path.read_bytes() == before
    mg.onnx.export(os.fsencode(path), mg.sin, mg.tensor(X))
    assert path.read_bytes() != before


def test_without_the_package_the_error_names_it():
    code = "import sys; sys.modules['onnx'] = None; import minigrad as mg; mg.onnx.export('f.onnx', mg.exp, 1.0)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ImportError: export: an .onnx file needs the package onnx: pip install onnx" in run.stderr


@pytest.mark.filterwarnings("ignore:Degrees of freedom", "ignore:divide by zero")
def test_a_variance_without_degrees_of_freedom_is_infinite(tmp_path):
    agree(tmp_path, lambda x: (mg.var(x[:, :2], 1, ddof=2), mg.var(x[:, :2], 1, ddof=3)), X)


def test_a_size_may_be_a_number_of_numpys_in_one_run(tmp_path):
    agree(tmp_path, lambda x: x[: len(x) - 1 if len(x) == 3 else np.int64(len(x)) - 1], X, X[:2])


def test_a_converter_is_registered_for_each_of_its_ops(monkeypatch):
    monkeypatch.setattr(nodes, "CONVERTERS", {})
    converter = lambda call: ""  # noqa: E731
    assert nodes.converts("one", "two")(converter) is converter
    assert {"one": converter, "two": converter} == nodes.CONVERTERS


def test_the_constant_of_a_pad_is_a_number_as_onnx_asks(tmp_path):
    model = agree(tmp_path, lambda x: mg.pad(x, 1, constant_values=[2.0]), X)
    (constant,) = [tensor for tensor in model.graph.initializer if tensor.name == model.graph.node[0].input[2]]
    assert [*constant.dims] == []


def test_what_lies_between_inputs_and_outputs_is_described_once(tmp_path):
    model, _ = exported(tmp_path, lambda x: (mg.exp(x) * 2, x, mg.tanh(x)), np.ones((3, 4), F32))
    outputs = {value.name for value in model.graph.output}
    described = [value.name for value in model.graph.value_info]
    assert described == [node.name for node in model.graph.node if node.op_type == "Exp"]
    assert outputs.isdisjoint(described)
