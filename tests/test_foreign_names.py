"""Who arrives with the names of another framework is told what to write, and that works."""

import copy
import importlib
import inspect
import pickle
import re

import numpy as np
import pytest
import scipy.special
from numpy.testing import assert_allclose
from scipy.optimize import minimize

import minigrad as mg
from minigrad import foreign_tables

ROWS = [(of, name, text) for of, names in foreign_tables.INSTEAD.items() for name, text in names.items()]


@pytest.fixture
def names():
    """What the code of the hints may use."""
    rng = np.random.default_rng(0)
    t, u = (mg.tensor(rng.random((4, 4)), requires_grad=True) for _ in range(2))
    net = mg.nn.Sequential(mg.nn.Linear(4, 3, rng=rng))
    net(t).sum().backward()
    return {
        "mg": mg, "np": np, "minimize": minimize, "rng": rng, "t": t, "u": u, "net": net, "step": 3,
        "f": lambda x: np.sum(x * x), "x0": np.ones(3), "array": np.ones(3), "mask": np.eye(4) > 0,
        "indices": np.zeros((4, 4), int), "x": rng.random((40, 3)), "labels": np.arange(40) % 4, "scipy": scipy,
        "optimizer": mg.optim.SGD(net.parameters(), lr=0.1),
    }  # fmt: skip


@pytest.mark.parametrize(("of", "name", "text"), ROWS)
def test_what_is_said_works(of, name, text, names):
    for code in re.findall("`(.*?)`", text):
        exec(compile(code, name, "exec"), names)


@pytest.mark.parametrize(("of", "name", "text"), ROWS)
def test_a_missing_name_says_it(of, name, text, names):
    owners = {"a Tensor": names["t"], "a Module": names["net"], "an Optimizer": names["optimizer"]}
    owner = owners.get(of, importlib.import_module(of) if "." in of else mg)
    with pytest.raises(AttributeError) as caught:
        getattr(owner, name)
    assert str(caught.value).endswith(f": {text.replace('`', '')}")
    assert name in str(caught.value)


SAME = {  # name -> PyTorch's own call, of its module, its functional module, and tensors t and u
    "a Tensor": {
        "addmm": lambda torch, F, t, u: torch.addmm(t, t, u),
        "cdist": lambda torch, F, t, u: torch.cdist(t, u),
        "cummax": lambda torch, F, t, u: t.cummax(0).values,
        "cummin": lambda torch, F, t, u: t.cummin(0).values,
        "diag_embed": lambda torch, F, t, u: t.diag_embed(),
        "dist": lambda torch, F, t, u: t.dist(u),
        "indices": lambda torch, F, t, u: t.max(1).indices,
        "norm": lambda torch, F, t, u: t.norm(),
        "prelu": lambda torch, F, t, u: torch.where(t > 0, t, u * t),
        "unfold": lambda torch, F, t, u: t.unfold(0, 2, 1),
        "values": lambda torch, F, t, u: t.max(1).values,
        "digamma": lambda torch, F, t, u: t.digamma(),
        "erfc": lambda torch, F, t, u: t.erfc(),
        "erfinv": lambda torch, F, t, u: t.erfinv(),
        "frac": lambda torch, F, t, u: t.frac(),
        "igamma": lambda torch, F, t, u: torch.igamma(torch.full_like(t, 3), t),
        "igammac": lambda torch, F, t, u: torch.igammac(torch.full_like(t, 3), t),
        "inverse": lambda torch, F, t, u: t.inverse(),
        "kthvalue": lambda torch, F, t, u: t.kthvalue(2).values,
        "lerp": lambda torch, F, t, u: t.lerp(u, 0.5),
        "lgamma": lambda torch, F, t, u: t.lgamma(),
        "logcumsumexp": lambda torch, F, t, u: t.logcumsumexp(0),
        "logdet": lambda torch, F, t, u: t.det().abs().log(),
        "logit": lambda torch, F, t, u: t.logit(),
        "matrix_exp": lambda torch, F, t, u: t.matrix_exp(),
        "movedim": lambda torch, F, t, u: t.movedim(0, 1),
        "msort": lambda torch, F, t, u: t.msort(),
        "narrow": lambda torch, F, t, u: t.narrow(0, 1, 2),
        "neg": lambda torch, F, t, u: t.neg(),
        "permute": lambda torch, F, t, u: t.permute(1, 0),
        "pinverse": lambda torch, F, t, u: t.pinverse(),
        "polygamma": lambda torch, F, t, u: t.polygamma(1),
        "repeat_interleave": lambda torch, F, t, u: t.repeat_interleave(2, 0),
        "rsqrt": lambda torch, F, t, u: t.rsqrt(),
        "sgn": lambda torch, F, t, u: t.sgn(),
        "swapdims": lambda torch, F, t, u: t.swapdims(0, 1),
        "topk": lambda torch, F, t, u: t.topk(2).values,
        "unflatten": lambda torch, F, t, u: t.unflatten(0, (2, 2)),
        "xlogy": lambda torch, F, t, u: torch.xlogy(u, t),
    },
    "minigrad": {
        "adaptive_avg_pool2d": lambda torch, F, t, u: F.adaptive_avg_pool2d(t[None], 1)[0],
        "adaptive_max_pool2d": lambda torch, F, t, u: F.adaptive_max_pool2d(t[None], 1)[0],
        "celu": lambda torch, F, t, u: F.celu(t),
        "cosine_similarity": lambda torch, F, t, u: F.cosine_similarity(t, u, -1),
        "glu": lambda torch, F, t, u: F.glu(t),
        "group_norm": lambda torch, F, t, u: F.group_norm(t, 2),
        "hardsigmoid": lambda torch, F, t, u: F.hardsigmoid(t),
        "hardswish": lambda torch, F, t, u: F.hardswish(t),
        "hardtanh": lambda torch, F, t, u: F.hardtanh(t),
        "huber_loss": lambda torch, F, t, u: F.huber_loss(t, torch.zeros_like(t)),
        "interpolate": lambda torch, F, t, u: F.interpolate(t[None, None], scale_factor=2)[0, 0],
        "instance_norm": lambda torch, F, t, u: F.instance_norm(t[None, None])[0],
        "kl_div": lambda torch, F, t, u: F.kl_div(t, u, reduction="batchmean"),
        "l1_loss": lambda torch, F, t, u: F.l1_loss(t, u),
        "linear": lambda torch, F, t, u: F.linear(t, u),
        "logsigmoid": lambda torch, F, t, u: F.logsigmoid(t),
        "mish": lambda torch, F, t, u: F.mish(t),
        "normalize": lambda torch, F, t, u: F.normalize(t, dim=-1),
        "relu6": lambda torch, F, t, u: F.relu6(t),
        "selu": lambda torch, F, t, u: F.selu(t),
        "scaled_dot_product_attention": lambda torch, F, t, u: F.scaled_dot_product_attention(t, u, u),
        "smooth_l1_loss": lambda torch, F, t, u: F.smooth_l1_loss(t, torch.zeros_like(t)),
        "softsign": lambda torch, F, t, u: F.softsign(t),
        "softmin": lambda torch, F, t, u: F.softmin(t, -1),
        "tanhshrink": lambda torch, F, t, u: F.tanhshrink(t),
        "threshold": lambda torch, F, t, u: F.threshold(t, 0.1, 20),
    },
}
IMAGES = {  # what is said about images, and must be true of more than one
    "minigrad.nn": {
        "CircularPad2d": lambda torch, F, t: F.pad(t, (1, 1, 1, 1), mode="circular"),
        "ConstantPad2d": lambda torch, F, t: F.pad(t, (1, 1, 1, 1)),
        "ReflectionPad2d": lambda torch, F, t: F.pad(t, (1, 1, 1, 1), mode="reflect"),
        "ReplicationPad2d": lambda torch, F, t: F.pad(t, (1, 1, 1, 1), mode="replicate"),
        "Upsample": lambda torch, F, t: F.interpolate(t, scale_factor=2),
    },
    "minigrad": {
        "adaptive_avg_pool2d": lambda torch, F, t: F.adaptive_avg_pool2d(t, 1),
        "scaled_dot_product_attention": lambda torch, F, t: F.scaled_dot_product_attention(t, t, t),
        "normalize": lambda torch, F, t: F.normalize(t, dim=-1),
    },
}
NEAR_0 = {"digamma", "erfinv", "igamma", "igammac", "lgamma", "logit", "polygamma", "rsqrt", "xlogy"}  # from 0 to 1


@pytest.mark.parametrize(("of", "name"), [(of, name) for of, calls in SAME.items() for name in calls])
def test_what_is_said_gives_what_pytorch_gives(of, name, names):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    t, u = rng.random((2, 4, 4)) if name in NEAR_0 else rng.normal(size=(2, 4, 4)) * 3
    u = np.abs(u) if name == "kl_div" else u
    code, *_ = re.findall("`(.*?)`", foreign_tables.INSTEAD[of][name])
    found = eval(code, names | {"t": mg.tensor(t, requires_grad=True), "u": mg.tensor(u, requires_grad=True)})
    expected = SAME[of][name](torch, torch.nn.functional, torch.from_numpy(t), torch.from_numpy(u))
    assert_allclose(found.data, expected, rtol=1e-8, atol=1e-12)  # PyTorch is no more precise in polygamma


def hint(text):
    """The first code in it."""
    code, *_ = re.findall("`(.*?)`", text)
    return code.replace("[None, None]", "")


@pytest.mark.parametrize(("of", "name"), [(of, name) for of, calls in IMAGES.items() for name in calls])
def test_what_is_said_about_images_is_true_of_a_batch(of, name, names):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(2).normal(size=(2, 3, 5, 5))
    x[0, 0] = 0  # whose norm is no divisor
    t = mg.tensor(x)
    found = eval(hint(foreign_tables.INSTEAD[of][name]), names | {"t": t, "u": t})
    assert_allclose(
        found.data, IMAGES[of][name](torch, torch.nn.functional, torch.from_numpy(x)), rtol=1e-12, atol=1e-12
    )


def test_what_is_said_of_options_gives_what_pytorch_gives(names):
    torch = pytest.importorskip("torch")
    functional, rng = torch.nn.functional, np.random.default_rng(3)
    t, u, x = rng.normal(size=(4, 4)), rng.random((4, 4)), rng.normal(size=(2, 3, 5, 5))
    ours = names | {"t": mg.tensor(t), "u": mg.tensor(u)}
    theirs = torch.from_numpy(t), torch.arange(4)
    said = {
        "label_smoothing": functional.cross_entropy(*theirs, label_smoothing=0.1),
        "pos_weight": functional.binary_cross_entropy_with_logits(
            theirs[0], torch.from_numpy(u), pos_weight=torch.tensor(3)
        ),
        "weight": functional.cross_entropy(*theirs, weight=torch.arange(1.0, 5).double()),
    }
    for name, expected in said.items():
        assert_allclose(eval(hint(foreign_tables.OPTIONS[name]), ours).data, expected, rtol=1e-12)
    padded = eval(hint(foreign_tables.OPTIONS["ceil_mode"]), ours | {"t": mg.tensor(x)})
    expected = functional.max_pool2d(torch.from_numpy(x), 2, ceil_mode=True)
    assert_allclose(mg.max_pool2d(padded, 2).data, expected)
    kept = eval(hint(foreign_tables.INSTEAD["minigrad"]["dropout2d"]), ours | {"t": np.ones((2, 30, 3, 3))})
    assert {*np.ptp(kept, (2, 3)).flat} == {0}  # whole channels
    assert {*kept.flat} == {0, 2}


def _refusing():
    """Option -> the name of what does not take it, and a call with it."""
    square, t = lambda x: np.sum(x * x), mg.tensor(1.0, requires_grad=True)
    classes = {
        **dict.fromkeys(("foreach", "fused", "capturable", "differentiable", "maximize"), mg.optim.Adam),
        **dict.fromkeys(("affine", "elementwise_affine", "track_running_stats"), mg.nn.BatchNorm2d),
        **dict.fromkeys(("ceil_mode", "count_include_pad", "return_indices"), mg.nn.AvgPool2d),
        **dict.fromkeys(("batch_first", "bidirectional", "dropout", "num_layers"), mg.nn.GRU),
        **dict.fromkeys(("padding_mode",), mg.nn.Conv2d),
        **{"approximate": mg.nn.GELU, "inplace": mg.nn.ReLU, "padding_idx": mg.nn.Embedding, "device": mg.nn.Linear},
        "decoupled_weight_decay": mg.optim.Adam,
        "params": mg.optim.SGD,
    }
    net = mg.nn.ReLU()
    optimizer = mg.optim.SGD([t])
    functions = {
        **{"has_aux": mg.value_and_grad, "holomorphic": mg.grad, "allow_int": mg.elementwise_grad},
        **{"vectorize": mg.jacobian, "strict": mg.hessian, "use_reentrant": mg.checkpoint},
    }
    return {
        "set_to_none": ("zero_grad", optimizer.zero_grad),
        "recurse": ("parameters", net.parameters),
        "keep_vars": ("state_dict", net.state_dict),
        "assign": ("load_state_dict", net.load_state_dict),
        **{name: (kind.__name__, kind) for name, kind in classes.items()},
        **{name: (f.__name__, lambda f=f, **option: f(square, **option)) for name, f in functions.items()},
        **dict.fromkeys(("create_graph", "inputs"), ("backward", t.backward)),
        **dict.fromkeys(("map_location", "weights_only"), ("load", lambda **option: mg.load("run.npz", **option))),
    }


REFUSING = _refusing()
OF_LOSSES = ("descending", "start_dim", "ignore_index", "label_smoothing", "pos_weight", "reduction", "weight")


@pytest.mark.parametrize("name", foreign_tables.OPTIONS)
def test_an_option_that_is_not_taken_says_it(name, names):
    text = foreign_tables.OPTIONS[name]
    for code in re.findall("`(.*?)`", text):
        exec(compile(code, name, "exec"), names)
    said = text.replace("`", "")
    if name in OF_LOSSES:
        with pytest.raises(TypeError) as caught:
            mg.softmax_cross_entropy(np.eye(2), np.arange(2), **{name: 1})
        start = "softmax_cross_entropy(logits, labels): got an unexpected keyword argument"
        assert str(caught.value) == f"{start} {name!r}; {said}"
        return
    if name == "output_padding":
        with pytest.raises(TypeError, match=f"does not take output_padding=; {said}$"):
            mg.conv_transpose2d(names["t"], names["t"], output_padding=1)
        return
    owner, call = REFUSING[name]
    with pytest.raises(TypeError) as caught:
        call(**{name: True})
    assert str(caught.value) == f"{owner} does not take {name}=: {said}"


def test_habits_of_training_loops_are_told_what_to_write(names):
    net, optimizer = names["net"], names["optimizer"]
    for owner in (net, optimizer):
        with pytest.raises(TypeError, match=r"^zero_grad does not take set_to_none=: each becomes None, leave it out$"):
            owner.zero_grad(set_to_none=True)
    with pytest.raises(AttributeError, match=r"an option is an attribute: write optimizer\.lr = 0\.01"):
        optimizer.param_groups[0]["lr"] = 0.01
    with pytest.raises(TypeError, match=r"^SGD: step calls no function: call backward\(\) before it$"):
        optimizer.step(lambda: 1.0)
    with pytest.raises(TypeError, match=r"; a group of parameters takes an optimiser of its own$"):
        mg.optim.SGD([{"params": [*net.parameters()], "lr": 0.1}])
    with pytest.raises(TypeError, match=r"; pass net\.parameters\(\), without names$"):
        mg.optim.SGD(net.named_parameters())


@pytest.mark.parametrize("transform", [mg.grad, mg.value_and_grad, mg.elementwise_grad, mg.jacobian, mg.hessian])
def test_every_transform_says_it(transform):
    with pytest.raises(TypeError, match=f"^{transform.__name__} does not take has_aux=: return the scalar alone"):
        transform(np.sum, has_aux=True)
    with pytest.raises(TypeError, match="'nonsense'"):
        transform(np.sum, nonsense=True)
    with pytest.raises(TypeError, match="'f'"):
        transform()
    with pytest.raises(TypeError, match=f"^{transform.__name__}: the first argument must be a function, not 3"):
        transform(f=3)
    with pytest.raises(TypeError, match="the first argument must be a function, but is a Tensor, which has backward"):
        transform(mg.tensor(1.0, requires_grad=True), 1.0)  # as by torch.autograd.grad


@pytest.mark.parametrize("kind", [mg.nn.Linear, mg.nn.Conv2d, mg.nn.Embedding, mg.nn.GRU])
def test_a_layer_without_its_generator_says_what_to_give(kind):
    sizes = (2, 3, 1) if kind is mg.nn.Conv2d else (2, 3)
    with pytest.raises(
        TypeError, match=rf"^{kind.__name__} needs 'rng', .*: give all layers one, as np\.random\.default_rng\(0\)$"
    ):
        kind(*sizes)
    with pytest.raises(TypeError, match="positional"):
        kind()


@pytest.mark.parametrize(
    ("of", "name", "said"),
    [
        ("minigrad", "argmax", "write np.argmax"),
        ("minigrad", "isnan", "write np.isnan"),
        ("minigrad", "pi", "write np.pi"),
        ("minigrad", "bitwise_and", "write np.bitwise_and"),
        ("minigrad.nn", "GroupNorm", "write mg.layer_norm(t.reshape(4, 2, 2), (2,)).reshape(t.shape), of 2 groups"),
        ("minigrad.nn", "SmoothL1Loss", "write mg.mean(mg.where(abs(t) < 1, t**2 / 2, abs(t) - 0.5))"),
        ("minigrad.nn", "Hardtanh", "write mg.clip(t, -1, 1)"),
        ("minigrad.nn", "Transformer", "a layer of your own is a class of mg.nn.Module with a method forward"),
        ("minigrad.optim", "Adagrad", "an optimiser of your own is a class of mg.optim.Optimizer"),
        ("minigrad.optim", "MultiStepLR", "optimizer.lr = mg.optim.cosine_annealing(step, 0.1, T_max=100)"),
        ("minigrad.data", "Dataset", "write mg.data.minibatches((x, labels), 32, rng=rng)"),
    ],
)
def test_names_of_a_kind_are_told_what_to_write(of, name, said):
    with pytest.raises(AttributeError) as caught:
        getattr(importlib.import_module(of), name)
    assert str(caught.value).startswith(f"module '{of}' has no attribute '{name}': ")
    assert str(caught.value).endswith(said)


def test_a_foreign_keyword_of_an_op_is_told_first():
    with pytest.raises(TypeError, match=r"does not take kernel_size=; here it is window=$"):
        mg.max_pool2d(np.ones((1, 1, 4, 4)), kernel_size=2)


@pytest.mark.parametrize(
    ("module", "misspelt"), [(mg, "relux"), (mg.nn, "Linaer"), (mg.optim, "Adma"), (mg.data, "digitss")]
)
def test_python_can_suggest_a_name_that_is_like_the_misspelt_one(module, misspelt):
    with pytest.raises(AttributeError) as caught:
        getattr(module, misspelt)
    assert (caught.value.name, caught.value.obj) == (misspelt, module)


def test_a_module_of_ones_own_may_have_such_an_option():
    class Own(mg.nn.Module):
        def __init__(self, device, **options):
            self.options = options, device

    class Strict(mg.nn.Module):
        def __init__(self, device):
            self.device = device

    assert Own(device="here", maximize=1).options == ({"maximize": 1}, "here")
    assert Own(maximize=1, device="here").options == ({"maximize": 1}, "here")
    assert Strict(device="here").device == "here"
    with pytest.raises(TypeError, match=r"^Strict does not take maximize="):
        Strict("here", maximize=True)
    assert not inspect.signature(mg.nn.ReLU).parameters
    assert "in_features" in inspect.signature(mg.nn.Linear).parameters
    for wrong in (lambda: mg.nn.ReLU(3), lambda: mg.nn.ReLU(other=3)):
        with pytest.raises(TypeError, match="argument"):
            wrong()


def test_an_optimiser_of_ones_own_says_it_too():
    class Own(mg.optim.SGD):
        def __init__(self, parameters, rate):
            super().__init__(parameters, lr=rate)

    class Plain(mg.optim.SGD):
        pass

    w = [mg.tensor(1.0, requires_grad=True)]
    assert Own(w, rate=0.5).lr == Plain(w, lr=0.5).lr == 0.5
    for kind in (Own, Plain):
        with pytest.raises(TypeError, match=rf"^{kind.__name__} does not take foreach=: "):
            kind(w, foreach=True)


@pytest.mark.parametrize(
    ("of", "name", "text"),
    [
        ("t", "sub_", "a Tensor has no sub_: only operators write in place, as t += u under mg.no_grad()"),
        ("t", "logsumexp", "a Tensor has no logsumexp: write mg.logsumexp(t)"),
        ("t", "relu_", "a Tensor has no relu_: only operators write in place, as t += u under mg.no_grad()"),
        ("t", "nonsense", "'Tensor' object has no attribute 'nonsense'"),
        ("t", "__cuda_array_interface__", "'Tensor' object has no attribute '__cuda_array_interface__'"),
        ("net", "nonsense", "'Sequential' object has no attribute 'nonsense'"),
        ("mg", "nonsense", "module 'minigrad' has no attribute 'nonsense'"),
        ("mg", "nonsense_", "module 'minigrad' has no attribute 'nonsense_'"),
        ("mg", "_core", "module 'minigrad' has no attribute '_core'"),
        ("net", "strides", "'Sequential' object has no attribute 'strides'"),
    ],
)
def test_other_missing_names_are_told_plainly(of, name, text, names):
    with pytest.raises(AttributeError) as caught:
        getattr(names[of], name)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda t: t.sum(dim=0), "argument 'dim'; here it is axis="),
        (lambda t: mg.exp(t, dim=0), "does not take dim=$"),  # it has no axis
        (
            lambda t: np.mean(t, keepdims=True) + t.mean(axis=1, keepdim=True),
            "argument 'keepdim'; here it is keepdims=",
        ),
        (lambda t: mg.softmax(t, dim=-1), "dim=; here it is axis="),
        (lambda t: t.argmax(dim=1), "argument 'dim'; here it is axis=$"),
        (lambda t: t.any(keepdim=True), "argument 'keepdim'(; here it is keepdims=|. Did you mean 'keepdims'\\?)$"),
        (
            lambda t: t.argsort(descending=True),
            r"argument 'descending'; flip what it returns, as np.flip\(np.sort\(t\), axis=-1\)$",
        ),
        (lambda t: t.flatten(start_dim=1), r"argument 'start_dim'; write t.reshape\(\*t.shape\[:1\], -1\)$"),
        (lambda t: t.flatten(1), r"ravel: order must be 'C' or 'F', not 1; write t.reshape\(\*t.shape\[:1\], -1\)$"),
        (lambda t: mg.norm(t, p=1), "argument 'p'; here it is ord=$"),
        (lambda t: mg.conv2d(t, t, bias=None), "does not take bias=; here it is b=$"),
        (lambda t: t.std(unbiased=False), "argument 'unbiased'; here it is ddof="),
        (lambda t: mg.sum(t, axes=0), "argument 'axes'$"),
        (lambda t: mg.tensordot(t, t, dims=1), "argument 'dims'; here it is axes=$"),
        (lambda t: t.std(p=1), "argument 'p'$"),
        (lambda t: mg.conv_transpose2d(t, t, output_padding=1), "output_padding=; give output_size=, the rows and"),
        (
            lambda t: mg.flatten(t, 1),
            r"flatten: order must be 'C' or 'F', not 1; write t.reshape\(\*t.shape\[:1\], -1\)$",
        ),
        (lambda t: mg.flatten(t, start_dim=1), r"argument 'start_dim'; write t.reshape\(\*t.shape\[:1\], -1\)$"),
        (lambda t: t.sum(1, True), "^sum: dtype can't be True: give keepdims= by name$"),
        (lambda t: t.mean(1, True), "^mean: dtype can't be True: give keepdims= by name$"),
        (lambda t: t.max(1, True), "^max: out can't be True: give keepdims= by name$"),
        (lambda t: t.std(1, True), "^std: dtype can't be True: give keepdims= by name$"),
        (lambda t: np.argmax(t, 1, True), "^np.argmax: out can't be True: give keepdims= by name$"),
        (lambda t: t.argmax(1, True), "argmax: out can't be True: give keepdims= by name$"),
        (lambda t: mg.max_pool2d(t, 2, 2), "takes 2 arguments, not 3: give options by name: stride=, padding=$"),
        (lambda t: mg.nn.ReLU(True), r"^ReLU takes \(\), not 1 arguments$"),
        (
            lambda t: mg.nn.GRU(3, 4, 2, rng=np.random.default_rng(0)),
            r"^GRU takes \(input_size, hidden_size\), and bias=, rng=, dtype= by name, not 3 arguments$",
        ),
        (
            lambda t: t.size(0),
            r"^size is the number of entries: write t.shape for the shape, t.shape\[0\] for an axis$",
        ),
    ],
)
def test_keywords_of_another_framework_name_those_of_numpy(call, text, names):
    with pytest.raises(TypeError, match=text):
        call(names["t"])


def test_two_axes_of_many_are_exchanged_by_name():
    t = mg.tensor(np.ones((2, 3, 4)))
    with pytest.raises(ValueError, match=r"^transpose: give all 3 axes, or write t.swapaxes\(1, 2\) to exchange two$"):
        t.transpose(1, 2)
    assert t.swapaxes(1, 2).shape == t.transpose(0, 2, 1).shape == (2, 4, 3)


def test_an_order_that_changes_nothing_is_told():
    t = mg.tensor(np.arange(6.0).reshape(2, 3))
    for axes in ((0, 1), (0, -1), (-2, -1)):
        with pytest.warns(UserWarning, match=r"leaves a matrix as it is: write t\.T to exchange its axes$") as caught:
            assert t.transpose(*axes).shape == (2, 3)  # as in NumPy
        assert caught[0].filename == __file__
    assert t.transpose((0, 1)).shape == np.transpose(t, (0, 1)).shape == (2, 3)
    assert t.transpose(1, 0).shape == t.transpose(-1, 0).shape == t.transpose().shape == (3, 2)


def test_a_size_is_an_int():
    size = mg.tensor(np.ones((2, 3))).size
    assert size == 6
    assert isinstance(size, int)
    assert type(pickle.loads(pickle.dumps(size))) is type(copy.copy(size)) is int
    assert np.zeros(size).shape == (6,)


def test_a_tensor_says_what_to_write_for_a_name_that_it_has_not_and_has_its_own_names(names):
    t = names["t"]
    texts = {"concatenate": "write mg.concatenate(t)", "flags": ".data, its array, has it", "exp_": "only operators"}
    for name, text in texts.items():
        with pytest.raises(AttributeError, match=f"^a Tensor has no {name}: {re.escape(text)}"):
            getattr(t, name)
        assert inspect.getattr_static(t, name).__doc__.startswith(f"a Tensor has no {name}: {text}")
    assert not hasattr(t, "__array_interface__")
    assert_allclose(t.exp().data, np.exp(t.data))
    assert_allclose(t.cumsum().data, np.cumsum(t.data))


def test_what_is_missing_is_not_listed(names):
    assert {"sum", "backward", "data"} <= {*dir(names["t"])}
    assert all(hasattr(names["t"], name) for name in dir(names["t"]) if not name.startswith("_"))
    assert "unsqueeze" not in vars(mg.Tensor)


LATE = {  # what is imported at its first use
    mg: "data distributed nn onnx optim scipy testing viz load save debug graph functional_call",
    mg.scipy: "integrate linalg signal special stats",
    mg.testing: "strategies gradtest",
    **dict.fromkeys((mg.data, mg.nn, mg.optim), ""),
}


@pytest.mark.parametrize(("module", "late"), LATE.items(), ids=lambda of: getattr(of, "__name__", ""))
def test_a_module_imports_what_it_has_and_names_what_it_has_not(module, late):
    for name in late.split():
        assert module.__getattr__(name) is getattr(module, name)
        assert name in module.__all__
    with pytest.raises(AttributeError, match=f"^module '{module.__name__}' has no attribute 'no_such_name'$"):
        module.__getattr__("no_such_name")


@pytest.mark.parametrize(
    ("module", "name", "instead"),
    [
        (mg, "Adam", "mg.optim.Adam"),
        (mg, "Linear", "mg.nn.Linear"),
        (mg, "minibatches", "mg.data.minibatches"),
        (mg, "check_grads", "mg.testing.check_grads"),
        (mg, "trace_", ""),
        (mg.nn, "relu", "mg.relu"),
        (mg.nn, "SGD", "mg.optim.SGD"),
        (mg.optim, "grad", "mg.grad"),
        (mg.data, "Sequential", "mg.nn.Sequential"),
        (mg, "CrossEntropyLoss", "mg.softmax_cross_entropy"),
        (mg, "DataLoader", "arrays are the data"),
    ],
)
def test_a_name_of_another_module_is_named(module, name, instead):
    with pytest.raises(
        AttributeError, match=rf"has no attribute '{name}'(: (write )?{re.escape(instead)}|$)"
    ) as caught:
        getattr(module, name)
    assert (":" in str(caught.value)) == bool(instead)


@pytest.mark.parametrize("module", [mg.data, mg.nn, mg.onnx, mg.ops, mg.optim, mg.scipy, mg.testing, mg.viz])
def test_dir_shows_the_public_names_alone(module):
    assert dir(module) == sorted(module.__all__)


def test_the_public_names_are_listed():
    assert {*mg.__all__} == {name for name in dir(mg) if not name.startswith("__")}
    assert {"__doc__", "__name__"} <= {*dir(mg)}
