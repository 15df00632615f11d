"""Layers, initial weights: what they compute, by NumPy and PyTorch; derivatives of two orders; wrong calls."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minigrad as mg
from minigrad import nn


def generator(seed=0):
    return np.random.default_rng(seed)


def random(*shape, seed=1):
    return generator(seed).normal(size=shape)


# every layer: a maker for one dtype, and the shape of an input
DIFFERENTIABLE = {
    "Linear": (lambda rng, dtype: nn.Linear(3, 4, rng=rng, dtype=dtype), (2, 3)),
    "Linear without bias": (lambda rng, dtype: nn.Linear(3, 4, False, rng=rng, dtype=dtype), (2, 3)),
    "Conv2d": (lambda rng, dtype: nn.Conv2d(2, 4, (3, 2), 2, 1, (1, 2), 2, rng=rng, dtype=dtype), (2, 2, 5, 6)),
    "AvgPool2d": (lambda rng, dtype: nn.AvgPool2d(3, 2, 1), (2, 2, 5, 6)),
    "MaxPool2d": (lambda rng, dtype: nn.MaxPool2d((2, 3), (1, 2)), (2, 2, 5, 6)),
    "L2Pool2d": (lambda rng, dtype: nn.L2Pool2d(2), (2, 2, 4, 6)),
    "ReLU": (lambda rng, dtype: nn.ReLU(), (3, 4)),
    "Tanh": (lambda rng, dtype: nn.Tanh(), (3, 4)),
    "Sigmoid": (lambda rng, dtype: nn.Sigmoid(), (3, 4)),
    "GELU": (lambda rng, dtype: nn.GELU(), (3, 4)),
    "Flatten": (lambda rng, dtype: nn.Flatten(), (2, 3, 4)),
    "Dropout, eval": (lambda rng, dtype: nn.Dropout(rng=rng).eval(), (3, 4)),
    "BatchNorm2d": (lambda rng, dtype: nn.BatchNorm2d(2, dtype=dtype), (3, 2, 2, 3)),
    "BatchNorm2d, eval": (lambda rng, dtype: nn.BatchNorm2d(2, dtype=dtype).eval(), (3, 2, 2, 3)),
    "LayerNorm": (lambda rng, dtype: nn.LayerNorm((2, 3), dtype=dtype), (4, 2, 3)),
    "GRU": (lambda rng, dtype: nn.GRU(3, 2, rng=rng, dtype=dtype), (2, 3, 3)),
    "LSTM": (lambda rng, dtype: nn.LSTM(3, 2, rng=rng, dtype=dtype), (2, 3, 3)),
    "MultiHeadAttention": (lambda rng, dtype: Attending(nn.MultiHeadAttention(4, 2, rng=rng, dtype=dtype)), (2, 3, 4)),
}
LAYERS = pytest.mark.parametrize(("make", "shape"), DIFFERENTIABLE.values(), ids=DIFFERENTIABLE)


class Attending(nn.Module):
    """Self-attention, in which no step reads a later one."""

    def __init__(self, attention):
        self.attention = attention

    def forward(self, x):
        return self.attention(x, x, x, is_causal=True)[0]


def of_state(layer):
    """The layer as a function of its input and its parameters, and the parameters."""
    state = {name: p.data for name, p in layer.named_parameters()}

    def f(x, state):
        y = mg.functional_call(layer, state, x)
        return y[0] if isinstance(y, tuple) else y

    return f, state


@LAYERS
def test_derivatives_of_two_orders_are_right(make, shape):
    layer = make(generator(), np.float64)
    f, state = of_state(layer)
    state = {name: array + 0.1 * random(*array.shape, seed=7) for name, array in state.items()}
    x = random(*shape)

    def loss(x, state):
        y = f(x, state)
        return (y * y * random(*y.shape, seed=5)).sum()

    # the check of all arrays together; a layer without parameters has its input alone
    g, arguments = (loss, (x, state)) if state else (lambda x: loss(x, {}), (x,))
    mg.testing.check_grads(g, *arguments, order=2, float32=False, layouts=False)


@LAYERS
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_dtype_is_chosen_once(make, shape, dtype):
    layer = make(generator(), dtype)
    assert {p.dtype for p in layer.parameters()} <= {np.dtype(dtype)}
    y = layer(mg.tensor(random(*shape).astype(dtype), requires_grad=True))
    y = y[0] if isinstance(y, tuple) else y
    assert y.dtype == dtype
    y.sum().backward()
    for p in layer.parameters():
        assert p.grad.dtype == dtype
    state = layer.state_dict()
    layer(random(*shape).astype(dtype))
    assert all(array.dtype == state[name].dtype for name, array in layer.state_dict().items())


def test_layers_are_float32_unless_another_dtype_is_asked_for():
    rng = generator()
    made = [
        nn.Linear(2, 2, rng=rng),
        nn.Conv2d(1, 1, 1, rng=rng),
        nn.BatchNorm2d(2),
        nn.LayerNorm(2),
        nn.GRU(2, 2, rng=rng),
        nn.LSTM(2, 2, rng=rng),
    ]
    made += [nn.Embedding(2, 2, rng=rng), nn.MultiHeadAttention(2, 1, rng=rng)]
    assert {p.dtype for layer in made for p in layer.parameters()} == {np.dtype(np.float32)}


@LAYERS
def test_the_same_generator_gives_the_same_layer(make, shape):
    a, b = make(generator(3), np.float32), make(generator(3), np.float32)
    other = make(generator(4), np.float32)
    for name, array in a.state_dict().items():
        np.testing.assert_array_equal(array, b.state_dict()[name])
        is_drawn = array.ndim == 2 and not isinstance(a, nn.LayerNorm)
        assert not (is_drawn and np.array_equal(array, other.state_dict()[name]))


# against PyTorch


def same_as_torch(ours, theirs, x, rtol=1e-10, **options):
    """Compare values, gradients, and gradients of the gradients, of float64 layers with one state."""
    torch = pytest.importorskip("torch")
    theirs.double()
    ours.load_state_dict(theirs.state_dict())
    y, tx = ours(mg.tensor(x), **options), torch.tensor(x, requires_grad=True)
    z = theirs(tx, **options)
    y, z = (v if isinstance(v, tuple) else (v,) for v in (y, z))
    y, z = (v[:1] + v[1] if isinstance(v[-1], tuple) else v for v in (y, z))  # an LSTM has two states
    for a, b in zip(y, z, strict=True):
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol, rtol)
    cotangent = random(*y[0].shape, seed=9)
    names = [name for name, _ in theirs.named_parameters()]
    f, state = of_state(ours)

    def gradients(x, state):
        return mg.grad(lambda x, state: (f(x, state) * cotangent).sum(), argnums=(0, 1))(x, state)

    mine = gradients(x, state)
    first = torch.autograd.grad((z[0] * torch.tensor(cotangent)).sum(), [tx, *theirs.parameters()], create_graph=True)
    for name, g, expected in zip(["x", *names], [mine[0], *(mine[1][n] for n in names)], first, strict=True):
        np.testing.assert_allclose(g, expected.detach().numpy(), rtol, rtol, err_msg=name)

    def squares(x, state):
        of_x, of_state = gradients(x, state)
        return (of_x * of_x).sum() + sum((g * g).sum() for g in of_state.values())

    mine = mg.grad(squares, argnums=(0, 1))(x, state)
    second = torch.autograd.grad(sum((g * g).sum() for g in first), [tx, *theirs.parameters()], allow_unused=True)
    for name, g, expected in zip(["x", *names], [mine[0], *(mine[1][n] for n in names)], second, strict=True):
        expected = np.zeros(g.shape) if expected is None else expected.numpy()
        np.testing.assert_allclose(g, expected, 100 * rtol, 100 * rtol, err_msg=name)


def test_batch_norm_is_that_of_pytorch_and_so_are_its_running_statistics():
    torch = pytest.importorskip("torch")
    ours, theirs = nn.BatchNorm2d(3, 1e-3, 0.2, dtype=float), torch.nn.BatchNorm2d(3, 1e-3, 0.2).double()
    with torch.no_grad():
        theirs.weight[:], theirs.bias[:] = torch.tensor(random(3)), torch.tensor(random(3, seed=2))
    for seed in range(3):
        x = 2 + 3 * random(4, 3, 2, 5, seed=seed)
        theirs.train(seed < 2)
        ours.train(seed < 2)
        same_as_torch(ours, theirs, x)
        for name, array in theirs.state_dict().items():
            np.testing.assert_allclose(ours.state_dict()[name], array.numpy(), 1e-12, err_msg=name)
    assert ours.num_batches_tracked == 2


def test_layer_norm_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    ours, theirs = nn.LayerNorm([2, 3], dtype=float), torch.nn.LayerNorm([2, 3])
    with torch.no_grad():
        theirs.weight[:], theirs.bias[:] = torch.tensor(random(2, 3)), torch.tensor(random(2, 3, seed=2))
    same_as_torch(ours, theirs, random(4, 2, 3))


@pytest.mark.parametrize("name", ["GRU", "LSTM"])
def test_recurrent_layers_are_those_of_pytorch(name):
    torch = pytest.importorskip("torch")
    ours, theirs = getattr(nn, name), getattr(torch.nn, name)
    same_as_torch(ours(3, 4, rng=generator(), dtype=float), theirs(3, 4, batch_first=True), random(2, 5, 3))
    same_as_torch(ours(3, 4, bias=False, rng=generator(), dtype=float), theirs(3, 4, bias=False), random(5, 3))


@LAYERS
def test_an_input_that_holds_no_numbers_is_named(make, shape):
    layer = make(generator(), np.float64)
    if isinstance(layer, nn.Dropout):
        layer.train()
    with pytest.raises(TypeError, match=r": (x|z|query) must hold numbers, not None$"):
        layer(None)


@LAYERS
def test_an_empty_batch_gives_an_empty_result_and_no_gradient(make, shape):
    layer = make(generator(), np.float64)
    x = mg.tensor(np.zeros((0, *shape[1:])), requires_grad=True)
    if isinstance(layer, nn.BatchNorm2d) and layer.training:
        with pytest.raises(ValueError, match="training takes more than one entry in a channel"):
            layer(x)
        return
    (y, full) = (z[0] if isinstance(z, tuple) else z for z in (layer(x), layer(np.zeros(shape))))
    assert y.shape == (0, *full.shape[1:])
    y.sum().backward()
    assert x.grad.shape == x.shape
    assert not any(p.grad.any() for p in layer.parameters())


def test_attention_is_that_of_pytorch():
    torch = pytest.importorskip("torch")

    class Theirs(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = torch.nn.MultiheadAttention(4, 2, batch_first=True)

        def forward(self, x):
            later = torch.ones(x.shape[-2], x.shape[-2], dtype=bool).triu(1)
            return self.attention(x, x, x, attn_mask=later)[0]

    attention = nn.MultiHeadAttention(4, 2, rng=generator(), dtype=float)
    same_as_torch(Attending(attention), Theirs(), random(2, 3, 4))


@given(seed=st.integers(0, 99), batch=st.sampled_from([(), (2,)]), masks=st.sets(st.sampled_from("kbfc")))
def test_attention_of_other_keys_and_masks_is_that_of_pytorch(seed, batch, masks):
    torch = pytest.importorskip("torch")
    rng = generator(seed)
    theirs = torch.nn.MultiheadAttention(6, 3, batch_first=True).double()
    ours = nn.MultiHeadAttention(6, 3, rng=rng, dtype=float)
    ours.load_state_dict(theirs.state_dict())
    query, key, value = (
        rng.normal(size=(*batch, 4, 6)),
        rng.normal(size=(*batch, 5, 6)),
        rng.normal(size=(*batch, 5, 6)),
    )
    options = {}
    if "k" in masks:
        options["key_padding_mask"] = np.broadcast_to(np.arange(5) > 3, (*batch, 5))
    if "b" in masks:
        options["attn_mask"] = rng.random((4, 5)) < np.array([0, 0.5, 0.5, 0.5, 0.5])
    elif "f" in masks:
        options["attn_mask"] = rng.normal(size=(4, 5))
    if masks >= {"k", "f"} and "b" not in masks:  # PyTorch wants masks of one kind
        options["key_padding_mask"] = np.where(options["key_padding_mask"], -np.inf, 0.0)
    average = "c" in masks
    z, weights = ours(query, key, value, **options, average_attn_weights=average)
    theirs_options = {name: torch.tensor(mask) for name, mask in options.items()}
    expected = theirs(*map(torch.tensor, (query, key, value)), **theirs_options, average_attn_weights=average)
    for a, b in zip((z, weights), expected, strict=True):
        np.testing.assert_allclose(a.data, b.detach().numpy(), 1e-10, 1e-10)
    assert ours(query, key, value, need_weights=False)[1] is None


def test_embedding_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    theirs, ours = torch.nn.Embedding(5, 3).double(), nn.Embedding(5, 3, rng=generator(), dtype=float)
    ours.load_state_dict(theirs.state_dict())
    indices = np.array([[0, 4, 4], [1, 0, 4]])
    y, z = ours(indices), theirs(torch.tensor(indices))
    np.testing.assert_array_equal(y.data, z.detach().numpy())
    (y * y * y).sum().backward()
    (z * z * z).sum().backward()
    np.testing.assert_allclose(ours.weight.grad, theirs.weight.grad.numpy(), 1e-12)

    def f(w):
        return (mg.functional_call(ours, {"weight": w}, indices) ** 3).sum()

    mg.testing.check_grads(f, ours.weight.data, order=2)


def test_embedding_takes_indices_of_any_shape():
    layer = nn.Embedding(5, 3, rng=generator())
    for shape in ((), (0,), (2, 0), (4,), (2, 3, 1)):
        indices = generator().integers(0, 5, shape)
        np.testing.assert_array_equal(layer(indices).data, layer.weight.data[indices])
        np.testing.assert_array_equal(layer(mg.tensor(indices)).data, layer.weight.data[indices])
    layer([0, 4, 4]).sum().backward()
    np.testing.assert_array_equal(layer.weight.grad, np.array([1, 0, 0, 0, 2])[:, None] * np.ones(3))


def test_linear_convolution_and_pools_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    same_as_torch(nn.Linear(3, 4, rng=generator(), dtype=float), torch.nn.Linear(3, 4), random(2, 3))
    options = (4, 6, (3, 2), 2, 1, (1, 2), 2)
    same_as_torch(nn.Conv2d(*options, rng=generator(), dtype=float), torch.nn.Conv2d(*options), random(2, 4, 5, 6))
    for ours, theirs in ((nn.AvgPool2d, torch.nn.AvgPool2d), (nn.MaxPool2d, torch.nn.MaxPool2d)):
        same_as_torch(ours(3, 2, 1), theirs(3, 2, 1), random(2, 2, 6, 7))
    same_as_torch(nn.GELU(), torch.nn.GELU(), random(2, 3, 4))


# by the ops, and by NumPy


SAME = {
    "ReLU": (nn.ReLU(), mg.relu),
    "Tanh": (nn.Tanh(), mg.tanh),
    "Sigmoid": (nn.Sigmoid(), mg.sigmoid),
    "GELU": (nn.GELU(), mg.gelu),
    "AvgPool2d": (nn.AvgPool2d((3, 2), (2, 1), 1), lambda x: mg.avg_pool2d(x, (3, 2), stride=(2, 1), padding=1)),
    "MaxPool2d": (nn.MaxPool2d((3, 2), (2, 1), 1), lambda x: mg.max_pool2d(x, (3, 2), stride=(2, 1), padding=1)),
    "L2Pool2d": (nn.L2Pool2d((3, 2), (2, 1), 1), lambda x: mg.l2_pool2d(x, (3, 2), stride=(2, 1), padding=1)),
    "L2Pool2d of tiles": (nn.L2Pool2d(2), lambda x: mg.l2_pool2d(x, 2)),
}


@pytest.mark.parametrize(("layer", "op"), SAME.values(), ids=SAME)
def test_a_layer_without_parameters_is_its_op(layer, op):
    x = random(2, 3, 6, 4)
    assert isinstance(layer(x), np.ndarray)
    np.testing.assert_array_equal(layer(x), op(x))
    np.testing.assert_array_equal(layer(mg.tensor(x)).data, op(x))


def test_a_layer_with_parameters_is_its_ops():
    x, layer = random(2, 3), nn.Linear(3, 4, rng=generator(), dtype=float)
    layer.bias.data += random(4, seed=2)
    np.testing.assert_array_equal(layer(x).data, x @ layer.weight.data.T + layer.bias.data)
    x = random(2, 4, 7, 9)
    layer = nn.Conv2d(4, 6, (3, 2), (2, 1), (0, 1), (1, 3), 2, rng=generator(), dtype=float)
    layer.bias.data += random(6, seed=2)
    options = {"stride": (2, 1), "padding": (0, 1), "dilation": (1, 3), "groups": 2}
    np.testing.assert_array_equal(layer(x).data, mg.conv2d(x, layer.weight.data, layer.bias.data, **options))
    layer = nn.Conv2d(4, 6, 3, bias=False, rng=generator(), dtype=float)
    np.testing.assert_array_equal(layer(x).data, mg.conv2d(x, layer.weight.data))
    assert (layer.weight.shape, layer.bias) == ((6, 4, 3, 3), None)


def of_random_state(layer):
    """The layer with all its parameters drawn anew."""
    rng = generator(8)
    for p in layer.parameters():
        p.data = rng.normal(size=p.shape)
    return layer


def test_batch_norm_by_numpy():
    x, layer = random(4, 3, 2, 5), of_random_state(nn.BatchNorm2d(3, 1e-3, 0.3, dtype=float))
    weight, bias = layer.weight.data[:, None, None], layer.bias.data[:, None, None]
    mean, variance = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
    expected = (x - mean) / np.sqrt(variance + 1e-3) * weight + bias
    np.testing.assert_allclose(layer(x).data, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(layer.running_mean, 0.3 * mean.ravel(), rtol=1e-12)
    np.testing.assert_allclose(layer.running_var, 0.7 + 0.3 * x.var((0, 2, 3), ddof=1), rtol=1e-12)
    before = layer.state_dict()
    mean, variance = (before[name][:, None, None] for name in ("running_mean", "running_var"))
    expected = (x - mean) / np.sqrt(variance + 1e-3) * weight + bias
    np.testing.assert_allclose(layer.eval()(x).data, expected, rtol=1e-12, atol=1e-12)
    for name, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    assert layer.num_batches_tracked == 1


def test_batch_norm_of_the_smallest_batch():
    x = np.array([1.0, 3.0]).reshape(2, 1, 1, 1)
    layer = nn.BatchNorm2d(1, 0.0, 1.0, dtype=float)
    np.testing.assert_array_equal(layer(x).data.ravel(), [-1.0, 1.0])
    assert (layer.running_mean.tolist(), layer.running_var.tolist()) == ([2.0], [2.0])
    assert layer.eval()(x[:1]).data.ravel() == pytest.approx(-1 / math.sqrt(2))


@pytest.mark.parametrize(("shape", "axes"), [(5, (-1,)), ((2, 5), (-2, -1))])
def test_layer_norm_by_numpy(shape, axes):
    x, layer = random(4, 2, 5), of_random_state(nn.LayerNorm(shape, 1e-3, dtype=float))
    expected = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-3)
    expected = expected * layer.weight.data + layer.bias.data
    np.testing.assert_allclose(layer(x).data, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(), (4,)])
def test_gru_by_numpy(bias, batch):
    layer = of_random_state(nn.GRU(2, 3, bias=bias, rng=generator(), dtype=float))
    state = layer.state_dict()
    assert ("bias_ih_l0" in state, "bias_hh_l0" in state) == (bias, bias)
    x, h = random(*batch, 5, 2), random(1, *batch, 3, seed=2)
    (wr, wz, wn), (ur, uz, un) = np.split(state["weight_ih_l0"], 3), np.split(state["weight_hh_l0"], 3)
    (br, bz, bn), (cr, cz, cn) = (np.split(state.get(f"bias_{k}_l0", np.zeros(9)), 3) for k in ("ih", "hh"))
    before, states = h[0], []
    for t in range(5):
        now = x[..., t, :]
        r = 1 / (1 + np.exp(-(now @ wr.T + br + before @ ur.T + cr)))
        z = 1 / (1 + np.exp(-(now @ wz.T + bz + before @ uz.T + cz)))
        n = np.tanh(now @ wn.T + bn + r * (before @ un.T + cn))
        before = (1 - z) * n + z * before
        states.append(before)
    output, last = layer(x, h)
    np.testing.assert_allclose(output.data, np.stack(states, -2), rtol=1e-11)
    assert last.shape == h.shape
    np.testing.assert_array_equal(last.data[0], output.data[..., -1, :])
    np.testing.assert_array_equal(layer(x)[0].data, layer(x, np.zeros(h.shape))[0].data)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(), (4,)])
def test_lstm_by_numpy(bias, batch):
    layer = of_random_state(nn.LSTM(2, 3, bias=bias, rng=generator(), dtype=float))
    state = layer.state_dict()
    x, h, c = random(*batch, 5, 2), random(1, *batch, 3, seed=2), random(1, *batch, 3, seed=3)
    biases = state.get("bias_ih_l0", np.zeros(12)) + state.get("bias_hh_l0", np.zeros(12))
    hidden, cell, states = h[0], c[0], []
    for t in range(5):
        z = x[..., t, :] @ state["weight_ih_l0"].T + hidden @ state["weight_hh_l0"].T + biases
        i, f, g, o = np.split(z, 4, -1)
        cell = cell / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        hidden = np.tanh(cell) / (1 + np.exp(-o))
        states.append(hidden)
    output, (last, last_cell) = layer(x, (h, c))
    np.testing.assert_allclose(output.data, np.stack(states, -2), rtol=1e-11)
    np.testing.assert_allclose(last_cell.data[0], cell, rtol=1e-11)
    np.testing.assert_array_equal(last.data[0], output.data[..., -1, :])
    assert last.shape == last_cell.shape == h.shape
    start = np.zeros(h.shape)
    np.testing.assert_array_equal(layer(x)[0].data, layer(x, [start, start])[0].data)


@pytest.mark.parametrize("masks", ["", "b", "f", "k", "c", "bk", "fkc"])
@pytest.mark.parametrize("batch", [(), (2,)])
@pytest.mark.parametrize("bias", [True, False])
def test_attention_by_numpy(masks, batch, bias):
    layer = of_random_state(nn.MultiHeadAttention(6, 2, bias=bias, rng=generator(), dtype=float))
    state = layer.state_dict()
    assert len(state) == (4 if bias else 2)
    query, key, value = random(*batch, 3, 6), random(*batch, 4, 6, seed=2), random(*batch, 4, 6, seed=3)
    options, added = {}, np.zeros((3, 4))
    if "b" in masks:
        options["attn_mask"] = np.arange(12).reshape(3, 4) % 5 == 1
        added = np.where(options["attn_mask"], -np.inf, added)
    if "f" in masks:
        options["attn_mask"] = random(3, 4, seed=4)
        added = added + options["attn_mask"]
    if "k" in masks:
        options["key_padding_mask"] = np.broadcast_to(np.arange(4) == 2, (*batch, 4))
        added = np.where(np.arange(4) == 2, -np.inf, added)
    if "c" in masks:
        options["is_causal"] = True
        added = np.where(np.arange(4) > np.arange(3)[:, None], -np.inf, added)
    parts = np.split(state["in_proj_weight"], 3), np.split(state.get("in_proj_bias", np.zeros(18)), 3)
    q, k, v = (x @ w.T + b for x, w, b in zip((query, key, value), *parts, strict=True))
    heads, expected = [], []
    for head in (slice(0, 3), slice(3, 6)):
        scores = np.exp(q[..., head] @ np.swapaxes(k[..., head], -1, -2) / math.sqrt(3) + added)
        expected.append(scores / scores.sum(-1, keepdims=True))
        heads.append(expected[-1] @ v[..., head])
    z = np.concatenate(heads, -1) @ state["out_proj.weight"].T + state.get("out_proj.bias", 0)
    found, weights = layer(query, key, value, **options, average_attn_weights=False)
    np.testing.assert_allclose(weights.data, np.stack(expected, -3), rtol=1e-11, atol=1e-300)
    np.testing.assert_allclose(found.data, z, rtol=1e-11)
    np.testing.assert_allclose(layer(query, key, value, **options)[1].data, sum(expected) / 2, rtol=1e-11)
    assert layer(query, key, value, need_weights=False, **options)[1] is None
    options |= {name: mg.tensor(mask) for name, mask in options.items() if name != "is_causal"}
    np.testing.assert_array_equal(layer(query, key, value, **options)[0].data, found.data)


@pytest.mark.parametrize(
    "shapes",
    [
        ((2, 3, 6), (5, 3, 6), (5, 3, 6)), ((3, 5), (3, 6), (3, 6)), ((3, 6), (3, 5), (3, 5)), ((3, 5),) * 3,
        ((3, 6), (2, 3, 6), (2, 3, 6)), ((2, 3, 6), (3, 6), (3, 6)), ((6,),) * 3, ((1, 1, 3, 6),) * 3,
        ((3, 6), (6,), (6,)),
    ],
)  # fmt: skip
def test_attention_refuses_shapes_that_do_not_fit(shapes):
    layer = nn.MultiHeadAttention(6, 2, rng=generator())
    with pytest.raises(ValueError, match=r"^MultiHeadAttention: query must be \(N, L, 6\), key and value \(N, S, 6\)"):
        layer(*map(np.ones, shapes))


def test_a_mask_of_numbers_has_a_derivative():
    layer, x = nn.MultiHeadAttention(2, 1, rng=generator(), dtype=float), random(3, 2)
    mg.testing.check_grads(lambda mask: layer(x, x, x, attn_mask=mask)[0], random(3, 3, seed=2), float32=False)


def test_attention_drops_weights_while_it_trains():
    layer, x = nn.MultiHeadAttention(4, 2, 0.5, rng=generator(), dtype=float), random(5, 4)
    weights = layer(x, x, x, average_attn_weights=False)[1].data
    assert 0.2 < (weights == 0).mean() < 0.8
    kept = layer.eval()(x, x, x, average_attn_weights=False)[1].data
    np.testing.assert_allclose(weights[weights != 0], 2 * kept[weights != 0], rtol=1e-12)


@given(p=st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), seed=st.integers(0, 99))
def test_dropout_keeps_what_its_generator_says_and_the_mean(p, seed):
    x, layer = np.full((100, 50), 2.0, np.float32), nn.Dropout(p, rng=generator(seed))
    y = layer(mg.tensor(x, requires_grad=True))
    kept = generator(seed).random(x.shape) >= p if p else np.ones(x.shape, bool)
    expected = np.where(kept, x / (1 - p), 0).astype(np.float32) if p < 1 else np.zeros_like(x)
    np.testing.assert_allclose(y.data, expected, rtol=1e-6)
    assert y.dtype == np.float32
    assert p == 1 or abs(y.data.mean() - 2) < 0.3
    assert layer.eval()(x) is x


def test_dropout_of_integers_is_floating_point():
    y = nn.Dropout(0.6, rng=generator())(np.full(50, 3))
    np.testing.assert_allclose(np.unique(y), [0, 7.5])


def test_the_derivatives_of_dropout_are_those_of_its_mask():
    def f(x):
        return nn.Dropout(0.4, rng=generator(5))(x * x)

    mg.testing.check_grads(f, random(3, 4), order=2)
    mask = generator(5).random((3, 4)) >= 0.4
    np.testing.assert_allclose(mg.grad(lambda x: f(x).sum())(np.ones((3, 4))), 2 * mask / 0.6)


def test_a_dropout_resumes_with_the_state_of_its_generator():
    rng = generator(1)
    layer, x = nn.Dropout(rng=rng), np.ones(50)
    layer(x)
    state = rng.bit_generator.state
    expected = layer(x)
    other = nn.Dropout(rng=generator(2))
    other.rng.bit_generator.state = state
    np.testing.assert_array_equal(other(x), expected)


@example(shape=[2, 3, 4, 5], start=1, end=2)
@example(shape=[2, 3, 4, 5], start=-4, end=-3)
@example(shape=[2, 3, 4, 5], start=3, end=3)
@example(shape=[2, 3], start=2, end=1)
@example(shape=[2, 3], start=-3, end=1)
@example(shape=[2, 3], start=0, end=2)
@example(shape=[2, 3], start=0, end=-3)
@example(shape=[2, 3], start=1, end=0)
@given(
    shape=st.lists(st.integers(1, 3), min_size=1, max_size=4),
    start=st.integers(-4, 3),
    end=st.integers(-4, 3),
)
def test_flatten_joins_the_axes_from_start_to_end(shape, start, end):
    n = len(shape)
    fits = -n <= start < n and -n <= end < n and start % n <= end % n
    if not fits:
        with pytest.raises(ValueError, match=r"^Flatten: .*x \(.*\) (has no axes from|stands behind axis) "):
            nn.Flatten(start, end)(np.zeros(shape))
        return
    expected = (*shape[: start % n], math.prod(shape[start % n : end % n + 1]), *shape[end % n + 1 :])
    assert nn.Flatten(start, end)(np.zeros(shape)).shape == expected


def test_flatten_takes_an_empty_batch():
    assert nn.Flatten()(np.zeros((0, 2, 3))).shape == (0, 6)


# initial weights


@pytest.mark.parametrize("name", ["he_normal", "he_uniform", "glorot_normal", "glorot_uniform"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_initial_weights_have_the_variance_of_their_name(name, dtype):
    shape = (60, 40, 5, 3)
    weight = getattr(nn, name)(shape, rng=generator(), dtype=dtype)
    expected = 2 / (40 * 15) if name.startswith("he") else 2 / ((40 + 60) * 15)
    assert weight.shape == shape
    assert weight.dtype == dtype
    assert abs(weight.mean()) < 4 * math.sqrt(expected / weight.size)
    np.testing.assert_allclose(weight.var(), expected, rtol=0.05)
    limit = math.sqrt(3 * expected)
    assert (abs(weight).max() <= limit) == name.endswith("uniform")
    assert abs(weight).max() > 0.99 * limit
    unit = generator().uniform(-1, 1, shape) * limit
    if name.endswith("normal"):
        unit = generator().standard_normal(shape) * math.sqrt(expected)
    np.testing.assert_allclose(weight, unit, rtol=4 * np.finfo(dtype).eps, atol=1e-9)


def test_where_the_parameters_of_layers_start():
    rng = generator()
    for layer, inputs in ((nn.Linear(400, 300, rng=rng), 400), (nn.Conv2d(40, 60, 5, groups=2, rng=rng), 500)):
        np.testing.assert_allclose(layer.weight.data.var(), 2 / inputs, rtol=0.05)
        assert not layer.bias.data.any()
    layer = nn.Linear(400, 300, rng=rng, initial=nn.glorot_uniform)
    np.testing.assert_allclose(abs(layer.weight.data).max(), math.sqrt(6 / 700), rtol=1e-2)
    assert abs(nn.Embedding(100, 50, rng=rng).weight.data.var() - 1) < 0.1
    layer = nn.MultiHeadAttention(60, 2, rng=rng)
    np.testing.assert_allclose(abs(layer.in_proj_weight.data).max(), math.sqrt(6 / 240), rtol=1e-2)
    np.testing.assert_allclose(abs(layer.out_proj.weight.data).max(), math.sqrt(6 / 120), rtol=1e-2)
    assert not layer.in_proj_bias.data.any()
    for p in (*nn.GRU(30, 25, rng=rng).parameters(), *nn.LSTM(30, 25, rng=rng).parameters()):
        assert 0.18 < abs(p.data).max() <= 0.2


# wrong calls


def test_normalisation_has_the_values_of_its_formula():
    x = 1 + 3 * random(4, 3, 5, 2)

    def normalised(axes, eps):
        return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)

    np.testing.assert_allclose(nn.LayerNorm((5, 2), 0.5, dtype=float)(x).data, normalised((2, 3), 0.5), rtol=1e-12)
    layer = nn.BatchNorm2d(3, 0.5, 0.25, dtype=float)
    np.testing.assert_allclose(layer(x).data, normalised((0, 2, 3), 0.5), rtol=1e-12)
    layer(x)
    np.testing.assert_allclose(layer.running_mean, (1 - 0.75**2) * x.mean((0, 2, 3)), rtol=1e-12)
    variance = 0.75**2 + (1 - 0.75**2) * x.var((0, 2, 3), ddof=1)
    np.testing.assert_allclose(layer.running_var, variance, rtol=1e-12)
    assert layer.num_batches_tracked == 2
    mean, variance = layer.running_mean[:, None, None], layer.running_var[:, None, None]
    np.testing.assert_allclose(layer.eval()(x).data, (x - mean) / np.sqrt(variance + 0.5), rtol=1e-12)
    layer = nn.BatchNorm2d(3)
    layer(x)  # of another dtype
    assert layer.running_mean.dtype == layer.running_var.dtype == np.float32


def test_layers_that_change_no_entry():
    x, rng = random(4, 5, 3), generator()
    assert nn.Dropout(0, rng=rng)(x) is x
    assert rng.random() == generator().random()
    for axes, shape in (((0, -3), (4, 5, 3)), ((0, -2), (20, 3)), ((-2, -1), (4, 15))):
        np.testing.assert_array_equal(nn.Flatten(*axes)(x), x.reshape(shape), strict=True)


RNG = generator()
IMAGES = np.ones((2, 3, 4, 4))
WRONG = {
    "Linear: in_features must be an int, not 2.0": (TypeError, lambda: nn.Linear(2.0, 3, rng=RNG)),
    "Linear: out_features must be at least 1, not 0": (ValueError, lambda: nn.Linear(2, 0, rng=RNG)),
    "Linear: rng must be a numpy.random.Generator, as np.random.default_rng(0), not 0": (
        TypeError, lambda: nn.Linear(2, 3, rng=0)),
    "Linear: dtype must be a floating-point dtype, not <class 'int'>": (
        TypeError, lambda: nn.Linear(2, 3, rng=RNG, dtype=int)),
    "Linear: dtype must be a floating-point dtype, not 'abc'": (
        TypeError, lambda: nn.Linear(2, 3, rng=RNG, dtype="abc")),
    "Linear: the last axis of x must have 2 features, not x (3, 4)": (
        ValueError, lambda: nn.Linear(2, 3, rng=RNG)(np.ones((3, 4)))),
    "Linear: the last axis of x must have 2 features, not x ()": (ValueError, lambda: nn.Linear(2, 3, rng=RNG)(1.0)),
    "Conv2d: kernel_size must be an int or a pair of ints, not 'same'": (
        TypeError, lambda: nn.Conv2d(1, 2, "same", rng=RNG)),
    "Conv2d: padding must be at least 0, not -1": (ValueError, lambda: nn.Conv2d(1, 2, 3, padding=-1, rng=RNG)),
    "Conv2d: groups must divide 3 and 4 channels, not 2": (ValueError, lambda: nn.Conv2d(3, 4, 1, groups=2, rng=RNG)),
    "Conv2d: groups must divide 4 and 3 channels, not 2": (ValueError, lambda: nn.Conv2d(4, 3, 1, groups=2, rng=RNG)),
    "Conv2d: groups must be at least 1, not 0": (ValueError, lambda: nn.Conv2d(4, 3, 1, groups=0, rng=RNG)),
    "Conv2d: kernel_size must be at least 1, not 0": (ValueError, lambda: nn.Conv2d(4, 3, 0, rng=RNG)),
    "Conv2d: dilation must be at least 1, not (1, 0)": (
        ValueError, lambda: nn.Conv2d(4, 3, 1, dilation=(1, 0), rng=RNG)),
    "Conv2d: out_channels must be an int, not None": (TypeError, lambda: nn.Conv2d(4, None, 1, rng=RNG)),
    "Conv2d: in_channels must be at least 1, not 0": (ValueError, lambda: nn.Conv2d(0, 4, 1, rng=RNG)),
    "Conv2d: rng must be a numpy.random.Generator, as np.random.default_rng(0), not None": (
        TypeError, lambda: nn.Conv2d(1, 4, 1, rng=None)),
    "MaxPool2d: stride must be at least 1, not 0": (ValueError, lambda: nn.MaxPool2d(2, 0)),
    "AvgPool2d: kernel_size must be at least 1, not (2, 0)": (ValueError, lambda: nn.AvgPool2d((2, 0))),
    "Dropout: p must be from 0 to 1, not 1.5": (ValueError, lambda: nn.Dropout(1.5, rng=RNG)),
    "Dropout: p must be a number, not True": (TypeError, lambda: nn.Dropout(True, rng=RNG)),
    "Dropout: p must be a number, not '1'": (TypeError, lambda: nn.Dropout("1", rng=RNG)),
    "Dropout: rng must be a numpy.random.Generator, as np.random.default_rng(0), not 3": (
        TypeError, lambda: nn.Dropout(0.5, rng=3)),
    "Flatten: axis -1 of x (4, 5) stands behind axis 0": (ValueError, lambda: nn.Flatten(-1, 0)(np.ones((4, 5)))),
    "BatchNorm2d: x must be (N, 2, H, W), not (2, 3, 4, 4)": (ValueError, lambda: nn.BatchNorm2d(2)(IMAGES)),
    "BatchNorm2d: x must be (N, 3, H, W), not (2, 3)": (ValueError, lambda: nn.BatchNorm2d(3)(np.ones((2, 3)))),
    "BatchNorm2d: num_features must be at least 1, not 0": (ValueError, lambda: nn.BatchNorm2d(0)),
    "BatchNorm2d: training takes more than one entry in a channel, not x (1, 3, 1, 1)": (
        ValueError, lambda: nn.BatchNorm2d(3)(IMAGES[:1, :, :1, :1])),
    "BatchNorm2d: momentum must be from 0 to 1, not 2": (ValueError, lambda: nn.BatchNorm2d(3, momentum=2)),
    "BatchNorm2d: eps must be a number, not None": (TypeError, lambda: nn.BatchNorm2d(3, None)),
    "LayerNorm: x must end in (3,), not (2, 3, 4, 4)": (ValueError, lambda: nn.LayerNorm(3)(IMAGES)),
    "LayerNorm: normalized_shape[0] must be an int, not 'a'": (TypeError, lambda: nn.LayerNorm("a")),
    "LayerNorm: eps must be from 0 to inf, not -1.0": (ValueError, lambda: nn.LayerNorm(3, -1.0)),
    "Embedding: the indices must be integers, not float64": (
        TypeError, lambda: nn.Embedding(5, 2, rng=RNG)(np.ones(2))),
    "Embedding: the indices must be in [0, 5), but reach from -1 to 4": (
        ValueError, lambda: nn.Embedding(5, 2, rng=RNG)([4, -1])),
    "Embedding: the indices must be in [0, 5), but reach from 0 to 5": (
        ValueError, lambda: nn.Embedding(5, 2, rng=RNG)([0, 5])),
    "Embedding: embedding_dim must be an int, not True": (TypeError, lambda: nn.Embedding(5, True, rng=RNG)),
    "GRU: hidden_size must be at least 1, not 0": (ValueError, lambda: nn.GRU(3, 0, rng=RNG)),
    "GRU: x must be (N, L, 3) or (L, 3), not (2, 5)": (ValueError, lambda: nn.GRU(3, 2, rng=RNG)(np.ones((2, 5)))),
    "GRU: x must be (N, L, 3) or (L, 3), not (2, 0, 3)": (
        ValueError, lambda: nn.GRU(3, 2, rng=RNG)(np.ones((2, 0, 3)))),
    "GRU: x must be (N, L, 3) or (L, 3), not (3,)": (ValueError, lambda: nn.GRU(3, 2, rng=RNG)(np.ones(3))),
    "LSTM: x must be (N, L, 3) or (L, 3), not (3,)": (ValueError, lambda: nn.LSTM(3, 2, rng=RNG)(np.ones(3))),
    "LSTM: c must be (1, 2, 2) for x (2, 5, 3), not (2, 2)": (
        ValueError, lambda: nn.LSTM(3, 2, rng=RNG)(np.ones((2, 5, 3)), (np.ones((1, 2, 2)), np.ones((2, 2))))),
    "LSTM: state must be a pair (h, c), not (1, 2, 2)": (
        TypeError, lambda: nn.LSTM(3, 2, rng=RNG)(np.ones((2, 5, 3)), np.ones((1, 2, 2)))),
    "GRU: h must be (1, 2, 2) for x (2, 5, 3), not (2, 2)": (
        ValueError, lambda: nn.GRU(3, 2, rng=RNG)(np.ones((2, 5, 3)), np.ones((2, 2)))),
    "MultiHeadAttention: num_heads must be at least 1, not 0": (
        ValueError, lambda: nn.MultiHeadAttention(6, 0, rng=RNG)),
    "MultiHeadAttention: embed_dim must be an int, not 6.0": (
        TypeError, lambda: nn.MultiHeadAttention(6.0, 2, rng=RNG)),
    "MultiHeadAttention: dropout must be from 0 to 1, not 1.5": (
        ValueError, lambda: nn.MultiHeadAttention(6, 2, 1.5, rng=RNG)),
    "MultiHeadAttention: num_heads must divide embed_dim 6, not 4": (
        ValueError, lambda: nn.MultiHeadAttention(6, 4, rng=RNG)),
    "MultiHeadAttention: query must be (N, L, 6), key and value (N, S, 6), or all without N, not "
    "(2, 6), (3, 6), (4, 6)": (
        ValueError, lambda: nn.MultiHeadAttention(6, 2, rng=RNG)(np.ones((2, 6)), np.ones((3, 6)), np.ones((4, 6)))),
    "MultiHeadAttention: attn_mask must be (2, 2), not (2,)": (
        ValueError, lambda: nn.MultiHeadAttention(6, 2, rng=RNG)(*[np.ones((2, 6))] * 3, attn_mask=np.ones(2))),
    "MultiHeadAttention: attn_mask must be boolean or floating-point, not int64": (
        TypeError,
        lambda: nn.MultiHeadAttention(6, 2, rng=RNG)(*[np.ones((2, 6))] * 3, attn_mask=np.ones((2, 2), np.int64))),
    "MultiHeadAttention: key_padding_mask must be (5, 2), not (2,)": (
        ValueError,
        lambda: nn.MultiHeadAttention(6, 2, rng=RNG)(*[np.ones((5, 2, 6))] * 3, key_padding_mask=np.ones(2, bool))),
    "MultiHeadAttention: the masks leave some query without a key to read": (
        ValueError,
        lambda: nn.MultiHeadAttention(6, 2, rng=RNG)(
            *[np.ones((2, 6))] * 3, attn_mask=~np.eye(2, dtype=bool), key_padding_mask=np.array([True, False]))),
    "he_normal: shape must be (outputs, inputs, ...), not (3,)": (ValueError, lambda: nn.he_normal((3,), rng=RNG)),
    "he_normal: shape must be (outputs, inputs, ...), not 3": (ValueError, lambda: nn.he_normal(3, rng=RNG)),
    "glorot_uniform: shape[1] must be at least 1, not 0": (ValueError, lambda: nn.glorot_uniform((3, 0), rng=RNG)),
    "he_uniform: rng must be a numpy.random.Generator, as np.random.default_rng(0), not 7": (
        TypeError, lambda: nn.he_uniform((3, 1), rng=7)),
}  # fmt: skip


@pytest.mark.parametrize(("message", "error", "call"), [(m, *case) for m, case in WRONG.items()])
def test_a_wrong_call_is_refused_in_one_sentence(message, error, call):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


def test_a_refused_batch_leaves_the_running_statistics_alone():
    layer = nn.BatchNorm2d(3)
    with pytest.raises(ValueError, match="BatchNorm2d"):
        layer(IMAGES[:, :2])
    assert layer.num_batches_tracked == 0
    assert not layer.running_mean.any()


@pytest.mark.parametrize("make", [nn.Linear, nn.Dropout, nn.Embedding, nn.GRU, nn.LSTM, nn.MultiHeadAttention])
def test_the_generator_must_be_given(make):
    with pytest.raises(TypeError, match="'rng'"):
        make(*[4, 2][: 1 if make is nn.Dropout else 2])


@pytest.mark.parametrize("bias", [np.ones(4), "no", 1, None])
@pytest.mark.parametrize("make", [nn.Linear, nn.Conv2d, nn.GRU, nn.LSTM, nn.MultiHeadAttention])
def test_a_bias_is_there_or_not(make, bias):
    with pytest.raises(TypeError, match=f"^{make.__name__}: bias must be True or False, not "):
        make(*[4, 2, 2][: 3 if make is nn.Conv2d else 2], bias=bias, rng=generator())
