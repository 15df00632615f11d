"""Optimisers: PyTorch's updates, in place, with a state that continues to the same bits."""

import copy
import gc
import math
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import minigrad as mg
from minigrad.optim import SGD, Adam, AdamW, RMSprop, clip_grad_norm
from minigrad.optim import optimizer as module

SHAPES = ((3, 4), (5,), (), (0, 2), (2, 2))
CASES = [
    (SGD, {}),
    (SGD, {"lr": 0.1, "weight_decay": 0.1}),
    (SGD, {"lr": 0.1, "momentum": 0.9}),
    (SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    (SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    (Adam, {}),
    (Adam, {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1}),
    (Adam, {"lr": 0.1, "amsgrad": True}),
    (AdamW, {}),
    (AdamW, {"lr": 0.1, "weight_decay": 0.3, "amsgrad": True}),
    (RMSprop, {}),
    (RMSprop, {"lr": 0.1, "alpha": 0.9, "eps": 1e-3, "weight_decay": 0.1}),
    (RMSprop, {"lr": 0.1, "momentum": 0.9}),
    (RMSprop, {"lr": 0.1, "momentum": 0.9, "centered": True, "weight_decay": 0.1}),
]
each_case = pytest.mark.parametrize(
    ("kind", "options"), CASES, ids=lambda v: "-".join(v) if isinstance(v, dict) else v.__name__
)


def leaves(rng, shapes=SHAPES, dtype=float):
    return [mg.tensor(rng.normal(size=shape).astype(dtype), requires_grad=True) for shape in shapes]


def gradients(parameters, rng):
    """Gradients of very different sizes; sometimes none."""
    sizes = np.exp(2 * rng.normal(size=len(parameters)))
    drawn = [size * rng.normal(size=p.shape) for p, size in zip(parameters, sizes, strict=True)]
    return [None if rng.random() < 0.1 else g for g in drawn]


@pytest.fixture(params=[None, 8], ids=["together", "in blocks"])
def _block(request, monkeypatch):
    """Parameters are updated together, or some alone."""
    if request.param:
        monkeypatch.setattr(module, "BLOCK", request.param)


@each_case
@pytest.mark.usefixtures("_block")
def test_100_steps_are_those_of_pytorch(kind, options):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    ours = leaves(rng)
    theirs = [torch.tensor(p.data, requires_grad=True) for p in ours]
    optimizers = kind(ours, **options), getattr(torch.optim, kind.__name__)(theirs, **options)
    for _ in range(100):
        for p, t, g in zip(ours, theirs, gradients(ours, rng), strict=True):
            p.grad, t.grad = g, g if g is None else torch.tensor(g)
        for optimizer in optimizers:
            optimizer.step()
        for p, t in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p.data, t.detach().numpy(), rtol=1e-12, atol=1e-12)


def formula(kind, x, g, state, lr, **options):
    """One step as the papers write it, for one parameter; nothing in place."""
    weight_decay = options.get("weight_decay", 1e-2 if kind is AdamW else 0)
    if kind is AdamW:
        x = x - lr * weight_decay * x
    else:
        g = g + weight_decay * x
    if kind is SGD:
        momentum, dampening = options.get("momentum", 0), options.get("dampening", 0)
        m = state["m"] = momentum * state["m"] + (1 - dampening) * g if "m" in state else g
        return x - lr * (g + momentum * m if options.get("nesterov") else m)
    if kind is RMSprop:
        a = options.get("alpha", 0.99)
        v = state["v"] = a * state.get("v", 0) + (1 - a) * g**2
        mean = state["mean"] = a * state.get("mean", 0) + (1 - a) * g
        d = g / (np.sqrt(v - mean**2 if options.get("centered") else v) + options.get("eps", 1e-8))
        m = state["m"] = options.get("momentum", 0) * state.get("m", 0) + d
        return x - lr * m
    t = state["t"] = state.get("t", 0) + 1
    beta1, beta2 = options.get("betas", (0.9, 0.999))
    m = state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * g**2
    greatest = state["greatest"] = np.maximum(state.get("greatest", 0), v)
    v = greatest if options.get("amsgrad") else v
    return x - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + options.get("eps", 1e-8))


@each_case
@pytest.mark.usefixtures("_block")
def test_100_steps_are_those_of_the_formula(kind, options):
    rng = np.random.default_rng(1)
    ours = leaves(rng)
    optimizer = kind(ours, **options)
    options = {"lr": optimizer.lr} | options
    expected, states = [p.data.copy() for p in ours], [{} for _ in ours]
    for _ in range(100):
        for i, (p, g) in enumerate(zip(ours, gradients(ours, rng), strict=True)):
            p.grad = g
            if g is not None:
                expected[i] = formula(kind, expected[i], g, states[i], **options)
        optimizer.step()
        for p, x in zip(ours, expected, strict=True):
            np.testing.assert_allclose(p.data, x, rtol=1e-12, atol=1e-12)


@each_case
def test_parameters_of_two_dtypes_are_stepped_as_each_is_alone(kind, options):
    ends = []
    for together in (True, False):
        parameters = [leaves(np.random.default_rng(i), [(3,)], f"f{4 << i % 2}")[0] for i in range(4)]
        optimizers = [kind(group, **options) for group in ([parameters] if together else [[p] for p in parameters])]
        for _ in range(3):
            for p in parameters:
                p.grad = np.sin(p.data)
            for optimizer in optimizers:
                optimizer.step()
        ends.append([p.data for p in parameters])
    for a, b in zip(*ends, strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


@each_case
@pytest.mark.parametrize("size", [1, 1e-4])
def test_a_step_of_float16_is_that_of_float32_rounded(kind, options, size):
    """The square of 1e-4 is 0 in float16, and so is the usual eps."""
    narrow, wide = (leaves(np.random.default_rng(0), dtype=dtype) for dtype in ("f2", "f4"))
    optimizers = [kind(parameters, **options) for parameters in (narrow, wide)]
    for _ in range(3):
        for p, q in zip(narrow, wide, strict=True):
            q.data = p.data.astype("f4")
            p.grad = (np.cos(p.data) * size).astype("f2")
            q.grad = p.grad.astype("f4")
        for optimizer in optimizers:
            optimizer.step()
        for p, q in zip(narrow, wide, strict=True):
            np.testing.assert_array_equal(p.data, q.data.astype("f2"), strict=True)
    optimizers[0].load_state_dict(optimizers[0].state_dict())


@each_case
def test_a_step_is_in_place_and_leaves_the_gradient(kind, options):
    (p,) = leaves(np.random.default_rng(0), [(4, 3)], np.float32)
    p.data = np.asfortranarray(p.data)
    optimizer = kind([p], **options)
    array, g = p.data, np.arange(12, dtype=np.float32).reshape(4, 3)
    before = array.copy()
    for _ in range(3):
        p.grad = g
        optimizer.step()
        np.testing.assert_array_equal(p.grad, g)
    assert p.data is array
    assert p.dtype == np.float32
    assert not np.array_equal(array, before)
    assert all(v.dtype == np.float32 for v in optimizer.state_dict().values() if isinstance(v, np.ndarray))
    optimizer.zero_grad()
    assert p.grad is None


@each_case
def test_a_result_from_before_the_step_is_not_differentiated_with_what_came_after(kind, options):
    p = mg.tensor([1.0, 2.0], requires_grad=True)
    optimizer = kind([p], **options)
    loss = mg.sum(p * p)
    loss.backward(retain_graph=True)
    optimizer.step()
    with pytest.raises(RuntimeError, match="in place"):
        loss.backward()


@each_case
def test_no_array_is_made_after_the_first_step(kind, options):
    parameters = leaves(np.random.default_rng(0), [(200, 300), (50,)])
    optimizer = kind(parameters, **options)
    for p in parameters:
        p.grad = p.data
    optimizer.step()
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(3):
            optimizer.step()
        assert tracemalloc.get_traced_memory()[1] < 20_000  # of 480,000 bytes
    finally:
        tracemalloc.stop()


@each_case
def test_a_loaded_state_continues_to_the_same_bits(kind, options, tmp_path):
    whole, halved = (leaves(np.random.default_rng(0)) for _ in range(2))
    optimizers = [kind(whole, **options), kind(halved, **options)]
    rngs = [np.random.default_rng(1), np.random.default_rng(1)]

    def steps(n):
        for optimizer, rng in zip(optimizers, rngs, strict=True):
            for _ in range(n):
                for p, g in zip(optimizer.parameters, gradients(optimizer.parameters, rng), strict=True):
                    p.grad = g
                optimizer.step()

    steps(7)
    optimizers[1].lr = 123.0  # what is loaded brings its own
    mg.save(tmp_path / "state.npz", optimizers[0].state_dict())
    state = mg.load(tmp_path / "state.npz")
    optimizers[1] = kind(halved)
    optimizers[1].load_state_dict(state)
    for value in state.values():
        if isinstance(value, np.ndarray):
            value[...] = np.nan  # it was copied
    steps(7)
    for p, q in zip(whole, halved, strict=True):
        np.testing.assert_array_equal(p.data, q.data)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda optimizer: pickle.loads(pickle.dumps(optimizer))])
def test_a_copy_goes_on_alone_as_the_original_does(copied):
    optimizer = Adam(leaves(np.random.default_rng(0)))
    g = [np.full(p.shape, 0.5) for p in optimizer.parameters]

    def step(one):
        for p, value in zip(one.parameters, g, strict=True):
            p.grad = value
        one.step()
        return [p.data.copy() for p in one.parameters]

    step(optimizer)
    other = copied(optimizer)
    first, second = step(optimizer), step(other)
    assert all(map(np.array_equal, first, second))
    assert not any(
        np.shares_memory(p.data, q.data) for p, q in zip(optimizer.parameters, other.parameters, strict=True)
    )


def test_a_state_dict_is_a_copy_of_its_time():
    (p,) = leaves(np.random.default_rng(0), [(3,)])
    optimizer = Adam([p])
    assert optimizer.state_dict().keys() == {"lr", "beta1", "beta2", "eps", "weight_decay", "amsgrad"}
    p.grad = np.ones(3)
    optimizer.step()
    state = optimizer.state_dict()
    kept = state["0.exp_avg"].copy()
    optimizer.step()
    np.testing.assert_array_equal(state["0.exp_avg"], kept)
    assert state["0.step"] == 1


def test_a_numpy_number_is_an_option_as_pythons_is():
    ends = []
    for rate in (0.1, np.float64(0.1)):
        p = mg.tensor(np.float32([1.0, 2.0]), requires_grad=True)
        optimizer = Adam([p], rate)
        p.grad = np.float32([0.3, 0.7])
        optimizer.step()
        ends.append(p.data)
        assert type(optimizer.state_dict()["lr"]) is float
    np.testing.assert_array_equal(*ends)


def test_momentum_switched_on_later_begins_with_the_gradient():
    p = mg.tensor(1.0, requires_grad=True)
    optimizer = SGD([p], lr=0.5)
    p.grad = 1.0
    optimizer.step()
    optimizer.momentum = 0.5
    for expected in (0.0, -0.75):
        optimizer.step()
        assert p.item() == expected
    optimizer.momentum = 0.0
    assert optimizer.state_dict().keys() == set(SGD.options)


def test_a_parameter_without_a_gradient_begins_after_the_load():
    ends = []
    for resumed in (False, True):
        parameters = [leaf(), leaf()]
        optimizer = Adam(parameters)
        parameters[0].grad = np.ones(2)
        optimizer.step()
        if resumed:
            state = optimizer.state_dict()
            assert not any(name.startswith("1.") for name in state)
            optimizer = Adam(parameters)
            optimizer.load_state_dict(state)
        parameters[1].grad = np.ones(2)
        optimizer.step()
        ends.append([p.data for p in parameters])
    np.testing.assert_array_equal(*ends)


def test_a_variance_that_rounding_makes_negative_is_0():
    p = leaf(np.zeros(1000, np.float32))
    optimizer = RMSprop([p], centered=True, alpha=0.9)
    for _ in range(200):
        p.grad = np.linspace(-1, 1, 1000, dtype=np.float32)  # always the same, so of variance 0
        optimizer.step()
    assert np.isfinite(p.data).all()


def leaf(value=(1.0, 2.0), **options):
    return mg.tensor(value, requires_grad=True, **options)


def frozen():
    p = leaf()
    p.data = np.broadcast_to(3.0, (2,))
    p.grad = np.ones(2)
    return p


def drained():
    items = (leaf() for _ in range(2))
    SGD(items)
    return items


TWICE = leaf(name="w")
SENTENCES = [
    (lambda: SGD([]), ValueError, "SGD: parameters is empty; a generator gives its items only once"),
    (lambda: Adam(drained()), ValueError, "Adam: parameters is empty; a generator gives its items only once"),
    (lambda: SGD(leaf()), TypeError, r"SGD: parameters must be a list of Tensors, not \(2,\)"),
    (lambda: SGD({"w": leaf()}), TypeError, r"SGD: parameters must be a list of .*; pass its .values\(\)"),
    (lambda: SGD("ab"), TypeError, "SGD: parameters must be a list of Tensors, not 'ab'"),
    (
        lambda: SGD(mg.nn.Sequential(mg.nn.ReLU())),
        TypeError,
        r"SGD: parameters must be a list of Tensors, not .*; pass net\.parameters\(\)$",
    ),
    (
        lambda: SGD(mg.nn.ReLU().parameters),
        TypeError,
        r"SGD: parameters must be a list of Tensors, not .*; pass net\.parameters\(\)$",
    ),
    (lambda: SGD(3), TypeError, "SGD: parameters must be a list of Tensors, not 3$"),
    (lambda: SGD([leaf(), np.ones(2)]), TypeError, r"SGD: parameter 1 must be a Tensor, not \(2,\)"),
    (lambda: SGD([{"params": []}]), TypeError, "SGD: parameter 0 must be a Tensor, not {'params'"),
    (
        lambda: SGD([mg.tensor([1.0], name="b")]),
        ValueError,
        r"SGD: parameter 0 \(b\) needs no gradient: leave it out, as by \[p for p in net\.parameters\(\)",
    ),
    (lambda: SGD([leaf() * 2]), ValueError, "SGD: parameter 0 must be a leaf, not the result of multiply"),
    (lambda: SGD([TWICE, leaf(), TWICE]), ValueError, r"SGD: parameters 0 and 2 \(w\) are the same Tensor"),
    (lambda: SGD([leaf()], -0.1), ValueError, "SGD: lr must be at least 0 and finite, not -0.1"),
    (lambda: SGD([leaf()], np.nan), ValueError, "SGD: lr must be at least 0 and finite, not nan"),
    (lambda: SGD([leaf()], "a"), TypeError, "SGD: lr must be a number, not 'a'"),
    (lambda: SGD([leaf()], True), TypeError, "SGD: lr must be a number, not True"),
    (lambda: SGD([leaf()], momentum=-1), ValueError, "SGD: momentum must be at least 0 and finite, not -1"),
    (lambda: SGD([leaf()], nesterov=1), TypeError, "SGD: nesterov must be True or False, not 1"),
    (
        lambda: SGD([leaf()], nesterov=True),
        ValueError,
        "SGD: nesterov takes a momentum and no dampening, not 0 and 0",
    ),
    (
        lambda: SGD([leaf()], momentum=0.9, dampening=0.1, nesterov=True),
        ValueError,
        "SGD: nesterov takes a momentum and no dampening, not 0.9 and 0.1",
    ),
    (lambda: Adam([leaf()], betas=0.9), TypeError, "Adam: betas must be a pair of numbers, not 0.9"),
    (lambda: Adam([leaf()], betas=(0.9, 0.9, 0.9)), TypeError, "Adam: betas must be a pair of numbers"),
    (lambda: AdamW([leaf()], betas=(0.9, 1)), ValueError, "AdamW: beta2 must be at least 0 and below 1, not 1"),
    (lambda: RMSprop([leaf()], alpha=1.0), ValueError, "RMSprop: alpha must be at least 0 and below 1, not 1.0"),
    (lambda: setattr(SGD([leaf()]), "lr", np.inf), ValueError, "SGD: lr must be at least 0 and finite, not inf"),
    (lambda: SGD([leaf(), frozen()]).step(), ValueError, "SGD: the data of parameter 1 is read-only; copy it"),
    (
        lambda: clip_grad_norm(iter(()), 1),
        ValueError,
        "clip_grad_norm: parameters is empty; a generator gives its items",
    ),
    (lambda: clip_grad_norm([leaf()], -1), ValueError, "clip_grad_norm: max_norm must be at least 0, not -1"),
    (lambda: clip_grad_norm([leaf()], 1, 0), ValueError, "clip_grad_norm: norm_type must be above 0, not 0"),
    (lambda: clip_grad_norm([leaf() * 2], 1), ValueError, "clip_grad_norm: parameter 0 must be a leaf"),
    (lambda: clip_grad_norm([leaf()], 1, "a"), TypeError, "clip_grad_norm: norm_type must be a number, not 'a'"),
    (lambda: mg.optim.step_decay(1, 0.1, True), TypeError, "step_decay: step_size must be an int, not True"),
    (lambda: mg.optim.cosine_annealing(1, 0.1, 0), ValueError, "cosine_annealing: T_max must be at least 1, not 0"),
    (lambda: SGD([leaf()], learning_rate=1), TypeError, "SGD does not take learning_rate=: here it is lr=$"),
    (lambda: mg.optim.Adam([leaf()], beta1=1), TypeError, "Adam does not take beta1=: here it is betas=$"),
    (lambda: mg.optim.step_decay(-1, 0.1, 3), ValueError, "step_decay: step must be at least 0"),
    (lambda: mg.optim.step_decay(1, 0.1, 0), ValueError, "step_decay: step_size must be at least 1, not 0"),
    (lambda: mg.optim.exponential_decay(1, -1, 3), ValueError, "exponential_decay: lr must be at least 0"),
    (lambda: mg.optim.linear_warmup(1, 0.1, 2.5), TypeError, "linear_warmup: total_iters must be an int, not 2.5"),
    (lambda: mg.optim.linear_warmup(1, 0.1, 5, 1), ValueError, "linear_warmup: start_factor must be at least 0 and"),
    (lambda: mg.optim.cosine_annealing(1, 0.1, 9, "a"), TypeError, "cosine_annealing: eta_min must be a number"),
]


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("learning_rate", "optimizer.lr = 0.1"),
        ("betas", "optimizer.beta1 = 0.9"),
        ("param_groups", "an option is an attr"),
    ],
)
def test_an_attribute_that_would_change_nothing_is_refused(name, instead):
    optimizer = mg.optim.Adam([leaf()])
    with pytest.raises(AttributeError, match=f"^Adam has no attribute '{name}': (write )?{instead}"):
        setattr(optimizer, name, 0.5)
    optimizer.note = "what a program keeps of its own"


@pytest.mark.parametrize(("call", "kind", "message"), SENTENCES)
def test_wrong_input_is_named(call, kind, message):
    with pytest.raises(kind, match=f"^{message}"):
        call()


STATES = [
    (None, TypeError, " must be a mapping, not None"),
    ({"0.step": None}, TypeError, ": 0.step must be an int, not None"),
    ({"0.step": True}, TypeError, ": 0.step must be an int, not True"),
    ({"0.step": 0}, ValueError, ": 0.step must be at least 1, not 0"),
    ({"0.exp_avg": [1.0, 2.0]}, TypeError, r": 0.exp_avg must be an array of dtype float64, not \[1.0, 2.0\]"),
    ({"0.exp_avg": np.ones(2, "f4")}, TypeError, ": 0.exp_avg must be an array of dtype float64, not float32"),
    ({"0.exp_avg": np.ones(3)}, ValueError, r": 0.exp_avg must have shape \(2,\), not \(3,\)"),
    ({"1.exp_avg": np.ones(2)}, ValueError, " has 1.exp_avg, which Adam does not have"),
    ({"momentum": 0.9}, ValueError, " has momentum, which Adam"),
    ({"lr": "fast"}, TypeError, None),
    ({"beta1": 1.0}, ValueError, None),
    ("lr", ValueError, " lacks lr"),
    ("0.exp_avg", ValueError, " lacks 0.exp_avg"),
]


@pytest.mark.parametrize(("change", "kind", "message"), STATES)
def test_a_wrong_state_is_named_and_changes_nothing(change, kind, message):
    p = leaf()
    optimizer = Adam([p])
    p.grad = np.ones(2)
    optimizer.step()
    before, state = optimizer.state_dict(), optimizer.state_dict() | {"lr": 0.5}
    if isinstance(change, str):
        del state[change]
    else:
        state = change if change is None else state | change
    with pytest.raises(kind, match=f"^Adam: state_dict{message}" if message else "^Adam: "):
        optimizer.load_state_dict(state)
    after = optimizer.state_dict()
    assert after.keys() == before.keys()
    assert all(np.array_equal(after[name], before[name]) for name in before)


@given(
    st.lists(arrays.arrays(float, (3,), elements=st.floats(-1e3, 1e3)), min_size=1, max_size=3),
    st.floats(0, 100),
    st.sampled_from([1, 2, 2.5, math.inf]),
)
def test_clipped_gradients_keep_their_direction(drawn, max_norm, norm_type):
    parameters = [leaf(np.zeros(3)) for _ in drawn] + [leaf()]  # the last has no gradient
    for p, g in zip(parameters, drawn, strict=False):
        p.grad = g
    norm = clip_grad_norm(parameters, max_norm, norm_type)
    entries = np.concatenate(drawn)
    assert norm == pytest.approx(np.linalg.norm(entries, norm_type), rel=1e-12)
    clipped = np.concatenate([p.grad for p in parameters[:-1]])
    assert np.linalg.norm(clipped, norm_type) <= max_norm * (1 + 1e-12) or norm <= max_norm
    np.testing.assert_allclose(clipped, entries * min(1, max_norm / (norm + 1e-6)), rtol=1e-12)


def test_clipping_is_pytorchs():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    for norm_type in (1.0, 2.0, 3.0, math.inf):
        ours = leaves(rng, ((3, 4), (5,)))
        theirs = [torch.tensor(p.data, requires_grad=True) for p in ours]
        for p, t in zip(ours, theirs, strict=True):
            p.grad = rng.normal(size=p.shape)
            t.grad = torch.tensor(p.grad)
        norm = clip_grad_norm(ours, 0.5, norm_type)
        assert norm == pytest.approx(torch.nn.utils.clip_grad_norm_(theirs, 0.5, norm_type).item(), rel=1e-12)
        for p, t in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p.grad, t.grad.numpy(), rtol=1e-12)


def test_clipping_leaves_out_what_is_frozen():
    trained, frozen = leaf(2.0), leaf(3.0)
    (trained * frozen).backward()
    frozen.requires_grad = False
    assert clip_grad_norm([frozen, trained, mg.tensor(1.0)], 0.5) == 3
    np.testing.assert_allclose(trained.grad, 0.5, rtol=1e-6)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("norm_type", [2, math.inf])
def test_a_norm_that_is_no_number_changes_no_gradient(wrong, norm_type):
    parameters = [leaf(), leaf(), leaf()]
    for p, g in zip(parameters, ([3.0, 4.0], [1.0, wrong], [1.0, 1.0]), strict=True):
        p.grad = np.array(g)
    with pytest.raises(FloatingPointError, match="clip_grad_norm: the norm of the gradients is"):
        clip_grad_norm(parameters, 1.0, norm_type)
    np.testing.assert_array_equal(parameters[0].grad, [3.0, 4.0])


@pytest.mark.parametrize("size", [1e300, 1e-300])
def test_the_norm_neither_overflows_nor_vanishes(size):
    p = leaf()
    p.grad = np.array([3.0, 4.0]) * size
    assert clip_grad_norm([p], math.inf) == pytest.approx(5 * size, rel=1e-12)


@pytest.mark.parametrize(
    ("entries", "norm_type", "norm"),
    [([-0.3, 0.4], 2, 0.5), ([-0.3, 0.1], math.inf, 0.3), ([-0.3, 0.1], 1, 0.4), (np.ones(10**5, "f2"), 2, 316.2278)],
)
def test_the_norm_of_known_entries(entries, norm_type, norm):
    p, nothing = leaf(np.zeros_like(entries)), leaf(np.zeros((0, 2)))
    p.grad, nothing.grad = np.array(entries), np.zeros((0, 2))
    assert clip_grad_norm([nothing, p], math.inf, norm_type) == pytest.approx(norm, rel=1e-6)
    np.testing.assert_array_equal(p.grad, entries)
    if norm < 1:
        clip_grad_norm([nothing, p], norm / 2, norm_type)
        np.testing.assert_allclose(p.grad, np.array(entries) / 2, rtol=1e-5)


def test_small_entries_of_float16_count_and_great_norms_are_clipped():
    small = np.array([1.0] + [2e-4] * 10**5, "f2")
    great = np.full(10**5, 3e4, "f2")
    for entries in (small, great):
        p = leaf(np.zeros_like(entries))
        p.grad = entries
        norm = np.linalg.norm(entries.astype(float))
        assert clip_grad_norm([p], 1.0) == pytest.approx(norm, rel=1e-6)
        np.testing.assert_array_equal(p.grad, (entries.astype("f4") / np.float32(norm)).astype("f2"))


def test_without_gradients_the_norm_is_0():
    assert clip_grad_norm([leaf()], 1.0) == 0.0


SCHEDULES = {
    "StepLR": (lambda t: mg.optim.step_decay(t, 0.3, 7), {"step_size": 7}),
    "ExponentialLR": (lambda t: mg.optim.exponential_decay(t, 0.3, 0.9), {"gamma": 0.9}),
    "LinearLR": (lambda t: mg.optim.linear_warmup(t, 0.3), {}),
    "CosineAnnealingLR": (lambda t: mg.optim.cosine_annealing(t, 0.3, 20, 0.1), {"T_max": 20, "eta_min": 0.1}),
}


@pytest.mark.filterwarnings("ignore:Detected call of")
@pytest.mark.parametrize(("name", "ours", "options"), [(name, *case) for name, case in SCHEDULES.items()])
def test_schedules_are_pytorchs(name, ours, options):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.3)
    schedule = getattr(torch.optim.lr_scheduler, name)(optimizer, **options)
    for t in range(21):
        assert ours(t) == pytest.approx(schedule.get_last_lr()[0], rel=1e-12)
        schedule.step()


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (lambda t: mg.optim.step_decay(t, 3.0, 2, 0.5), [3, 3, 1.5, 1.5, 0.75]),
        (lambda t: mg.optim.step_decay(t, 3.0, 1, 0.5), [3, 1.5, 0.75, 0.375, 0.1875]),
        (lambda t: mg.optim.exponential_decay(t, 3.0, 0.5), [3, 1.5, 0.75, 0.375, 0.1875]),
        (lambda t: mg.optim.linear_warmup(t, 3.0, 3, 0.25), [0.75, 1.5, 2.25, 3, 3]),
        (lambda t: mg.optim.cosine_annealing(t, 3.0, 3, 1.0), [3, 2.5, 1.5, 1, 1]),
    ],
)
def test_schedules_have_the_values_of_their_formulas(schedule, expected):
    np.testing.assert_allclose([schedule(t) for t in range(5)], expected, rtol=1e-12)


def test_cosine_annealing_stays_at_its_end():
    assert mg.optim.cosine_annealing(1000, 0.3, 20, 0.1) == 0.1


def test_scipy_minimizes_a_function_with_its_gradient_and_hessian_products():
    optimize = pytest.importorskip("scipy.optimize")

    def rosenbrock(x):
        return mg.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    found = optimize.minimize(
        mg.value_and_grad(rosenbrock),
        np.full(5, -1.5),
        jac=True,
        hessp=lambda x, v: mg.hvp(rosenbrock, x, v),
        method="trust-ncg",
    )
    assert found.success
    np.testing.assert_allclose(found.x, 1, atol=1e-5)


@pytest.mark.parametrize("make", [mg.optim.SGD, mg.optim.Adam, mg.optim.AdamW, mg.optim.RMSprop])
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_complex_parameters_descend_as_their_parts_do(make, dtype):
    """Along the conjugate of the gradient: the steps are those of the real and the imaginary part."""
    start, target = np.array([1 + 2j, -1j, 0.5]), np.array([0.3 - 1j, 2.0, 1j])
    z = mg.tensor(start.astype(dtype), requires_grad=True)
    x, y = (mg.tensor(part.astype(z.data.real.dtype), requires_grad=True) for part in (start.real, start.imag))
    of_one, of_two = (make(parameters, lr=0.1, weight_decay=0.1) for parameters in ([z], [x, y]))
    for _ in range(4):
        np.sum(np.abs(z - target.astype(dtype)) ** 2).backward()
        (
            np.sum(np.square(x - target.real.astype(x.dtype))) + np.sum(np.square(y - target.imag.astype(y.dtype)))
        ).backward()
        for optimizer in (of_one, of_two):
            optimizer.step()
            optimizer.zero_grad()
    np.testing.assert_allclose(z.data, x.data + 1j * y.data, rtol=1e-5 if dtype == np.complex64 else 1e-12)
    assert z.dtype == dtype
    state = of_one.state_dict()
    of_one.load_state_dict(state)
    assert of_one.state_dict().keys() == state.keys()


def test_the_norm_of_complex_gradients_is_clipped():
    z = mg.tensor([3j, 4.0], requires_grad=True)
    z.grad = np.array([3j, 4.0])
    assert mg.optim.clip_grad_norm([z], 1.0) == 5
    np.testing.assert_allclose(z.grad, [0.6j, 0.8], rtol=1e-5)


def test_an_array_is_no_list_of_parameters():
    for parameters in (np.array(1.0), np.array(None)):
        with pytest.raises(TypeError, match=r"^SGD: parameters must be a list of Tensors, not "):
            mg.optim.SGD(parameters)
