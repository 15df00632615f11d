"""`Module`: attributes are the registry, the state, train and eval, errors, pictures; and `functional_call`."""

import collections
import contextlib
import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad import nn


def generator(seed=0):
    return np.random.default_rng(seed)


def linear(inputs, outputs, **options):
    return nn.Linear(inputs, outputs, rng=generator(inputs + outputs), **options)


def cnn(dtype=np.float32):
    rng = generator()
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 5, padding=2, rng=rng, dtype=dtype), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Conv2d(8, 16, 5, padding=2, rng=rng, dtype=dtype), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(784, 10, rng=rng, dtype=dtype)),
    )


class Tree(nn.Module):
    """Parameters, buffers and modules, also in lists and dicts."""

    def __init__(self):
        self.first = linear(3, 4)
        self.layers = [linear(4, 4), nn.Tanh()]
        self.heads = {"a": linear(4, 2), "b": linear(4, 2, bias=False)}
        self.scale = mg.tensor(np.full(4, 2.0), requires_grad=True)
        self.count = np.zeros(2)
        self.kept, self.described, self.steps = None, "a text", [1, 2.5]

    def forward(self, x):
        a = self.first(x) * self.scale
        for layer in self.layers:
            a = layer(a)
        self.kept = self.heads["a"](a) + self.heads["b"](a)
        return self.kept


NAMES = ["first.weight", "first.bias", "layers.0.weight", "layers.0.bias", "heads.a.weight", "heads.a.bias"]
NAMES += ["heads.b.weight", "scale"]


def test_the_document_cnn_trains_in_six_lines():
    net = cnn()
    rng = generator(1)
    x, labels = rng.random((16, 1, 28, 28), np.float32), rng.integers(0, 10, 16)
    losses = []
    for _ in range(8):
        loss = mg.softmax_cross_entropy(net(x), labels)
        loss.backward()
        losses.append(loss.item())
        for p in net.parameters():
            assert p.grad.shape == p.shape
            assert p.grad.dtype == p.dtype == np.float32
            p.data -= 0.05 * p.grad
        net.zero_grad()
        assert all(p.grad is None for p in net.parameters())
    assert losses[-1] < losses[0]


def test_a_network_computes_what_its_ops_compute():
    net, x = cnn(), generator(1).random((4, 1, 28, 28), np.float32)
    k1, b1, k2, b2, w, b = net.parameters()
    a = mg.avg_pool2d(mg.relu(mg.conv2d(x, k1, b1, padding=2)), 2)
    a = mg.avg_pool2d(mg.relu(mg.conv2d(a, k2, b2, padding=2)), 2)
    np.testing.assert_array_equal(net(x).data, (a.reshape(4, -1) @ w.T + b).data)


# the registry


def test_what_the_attributes_hold_is_what_the_module_has():
    tree = Tree()
    assert [name for name, _ in tree.named_parameters()] == NAMES
    assert list(tree.state_dict()) == [*NAMES, "count"]
    assert [name for name, _ in tree.named_modules()] == ["", "first", "layers.0", "layers.1", "heads.a", "heads.b"]
    assert all(p.name == name.rpartition(".")[2] for name, p in tree.named_parameters())
    tree.layers[1] = nn.Sequential(nn.Tanh())
    assert [name for name, _ in tree.named_modules()][3:5] == ["layers.1", "layers.1.0"]


def test_a_result_that_is_kept_is_no_parameter():
    tree = Tree()
    tree(np.ones((2, 3)))
    assert tree.kept.requires_grad
    assert [name for name, _ in tree.named_parameters()] == NAMES
    assert "kept" not in tree.state_dict()
    assert tree.kept.name is None


def test_what_is_frozen_stays_a_parameter():
    tree = Tree()
    for p in tree.first.parameters():
        p.requires_grad = False
    assert list(dict(tree.named_parameters())) == NAMES
    tree(np.ones((2, 3))).sum().backward()
    assert tree.first.weight.grad is None
    assert tree.scale.grad is not None
    for other in (copy.deepcopy(tree.first), pickle.loads(pickle.dumps(tree.first))):
        assert list(other.state_dict()) == ["weight", "bias"]


def test_a_shared_parameter_counts_once_and_has_all_its_names():
    tree = Tree()
    tree.layers[0].weight = tree.layers.append(linear(4, 4)) or tree.layers[2].weight
    assert len([*tree.parameters()]) == len({id(p) for p in tree.parameters()}) == len(NAMES) + 1
    assert {"layers.0.weight", "layers.2.weight"} <= set(tree.state_dict())
    with pytest.raises(
        ValueError, match=r"'layers.0.weight' and 'layers.2.weight' are one parameter, but are given two"
    ):
        tree.load_state_dict(tree.state_dict() | {"layers.2.weight": np.ones((4, 4))})
    tree.layers[0].weight.data[0, 0] = np.nan  # equal to itself here
    tree.load_state_dict(tree.state_dict())


def test_a_module_may_hold_the_one_around_it():
    tree = Tree()
    tree.first.parent = tree
    assert [name for name, _ in tree.named_parameters()] == NAMES
    assert len(tree.train().state_dict()) == len(NAMES) + 1
    assert "first: Linear(3, 4)" in repr(tree)


def test_an_array_in_the_place_of_a_parameter_is_refused():
    layer = linear(3, 4)
    with pytest.raises(TypeError, match=r"^Linear: weight is a parameter: set weight.data, or make it a Tensor$"):
        layer.weight = np.ones((4, 3))
    layer.weight = mg.tensor(np.ones((4, 3)), requires_grad=True, name="W")
    assert layer.weight.name == "W"
    assert layer(np.ones(3)).data.tolist() == [3.0] * 4
    layer.bias = None  # it has none from now on
    assert [name for name, _ in layer.named_parameters()] == ["weight"]
    assert layer(np.ones(3)).data.tolist() == [3.0] * 4


# the state


@given(seed=st.integers(0, 9), dtype=st.sampled_from([np.float16, np.float32, np.float64]))
def test_a_state_dict_brings_a_module_back(seed, dtype):
    def made(seed):
        rng = generator(seed)
        return nn.Sequential(nn.Conv2d(2, 4, 3, rng=rng, dtype=dtype), nn.BatchNorm2d(4, dtype=dtype))

    rng = generator(seed)
    x = rng.normal(size=(4, 2, 5, 5)).astype(dtype)
    trained, other = made(seed), made(seed + 1)
    trained(x)
    assert other.load_state_dict(trained.state_dict()) == ([], [])
    for name, array in other.state_dict().items():
        assert array.dtype == trained.state_dict()[name].dtype
        np.testing.assert_array_equal(array, trained.state_dict()[name])
    np.testing.assert_array_equal(other.eval()(x).data, trained.eval()(x).data)


def test_a_state_dict_is_a_copy_both_ways():
    layer = linear(3, 4)
    state = layer.state_dict()
    before = state["weight"].copy()
    layer.weight.data -= 1.0
    np.testing.assert_array_equal(state["weight"], before)
    layer.load_state_dict(state)
    state["weight"][...] = 7
    assert not (layer.weight.data == 7).any()


def test_what_was_computed_before_a_load_is_differentiated_as_it_was_computed():
    layer = nn.Linear(2, 1, bias=False, rng=generator())
    x, before = mg.tensor(np.ones((1, 2)), requires_grad=True), layer.weight.data.copy()
    y = layer(x)
    layer.load_state_dict({"weight": np.zeros((1, 2))})
    y.backward()
    np.testing.assert_array_equal(x.grad, before)


def test_load_state_dict_lists_all_that_is_wrong_and_changes_nothing():
    tree = Tree()
    before, state = tree.state_dict(), tree.state_dict()
    del state["first.bias"], state["count"]
    state |= {"scale": np.ones(3), "first.weight": np.ones((3, 4)), "last.weight": np.ones(2), "zz": np.ones(())}
    expected = (
        "load_state_dict: missing 'first.bias', 'count'; unexpected 'last.weight', 'zz'; "
        "'first.weight' must have shape (4, 3), not (3, 4); 'scale' must have shape (4,), not (3,)"
    )
    with pytest.raises(ValueError, match="load_state_dict") as caught:
        tree.load_state_dict(state)
    assert str(caught.value) == expected
    for name, array in tree.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_load_state_dict_that_is_not_strict_takes_what_fits():
    layer = linear(3, 4)
    result = layer.load_state_dict({"bias": np.ones(4), "gain": np.ones(2)}, strict=False)
    assert (result.missing_keys, result.unexpected_keys) == (["weight"], ["gain"])
    assert layer.bias.data.tolist() == [1.0] * 4
    with pytest.raises(ValueError, match=r"^load_state_dict: 'bias' must have shape \(4,\), not \(5,\)$"):
        layer.load_state_dict({"bias": np.ones(5)}, strict=False)


class Foreign:
    """Another framework's tensor."""

    requires_grad = False

    @property
    def data(self):
        return self

    def __array__(self, dtype=None, copy=None):
        return np.array([[1.0, 2.0]])


def test_load_state_dict_takes_lists_and_tensors_and_casts():
    layer = nn.Linear(2, 1, rng=generator())
    for value in (mg.tensor([[1.0, 2.0]], requires_grad=True), Foreign()):
        layer.weight.data *= 0
        layer.load_state_dict({"weight": value, "bias": [3]})
        assert layer.weight.dtype == layer.bias.dtype == np.float32
        assert layer(np.array([1.0, 1.0])).item() == 6.0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1],), TypeError, r"load_state_dict: the state must be a mapping of names to arrays, not \[1\]"),
        (({}, 1), TypeError, "load_state_dict: strict must be True or False, not 1"),
        (({"bias": "abc"},), TypeError, r"load_state_dict: state\['bias'\] must hold numbers, not 'abc'"),
        (({"bias": np.ones(4) * 1j},), TypeError, r"load_state_dict: state\['bias'\] must be real, not complex128"),
    ],
)
def test_a_state_of_another_kind_is_refused(arguments, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        linear(3, 4).load_state_dict(*arguments)


def test_astype_copies_into_another_dtype():
    net = nn.Sequential(linear(3, 4), nn.LayerNorm(4))
    wide = net.astype(np.float64)
    assert {p.dtype for p in wide.parameters()} == {np.dtype(np.float64)}
    assert {p.dtype for p in net.parameters()} == {np.dtype(np.float32)}
    assert all(p.requires_grad and p.name == q.name for p, q in zip(wide.parameters(), net.parameters(), strict=True))
    wide[0].weight.data -= 1.0
    np.testing.assert_array_equal(net[0].weight.data, linear(3, 4).weight.data)
    norm = nn.BatchNorm2d(2)
    norm(generator().normal(size=(4, 2, 3, 3)))
    norm.weight.requires_grad = False
    wide = norm.astype(np.float64)
    assert [array.dtype.char for array in wide.state_dict().values()] == [*"dddd", np.array(0).dtype.char]
    for name, array in norm.state_dict().items():
        np.testing.assert_array_equal(wide.state_dict()[name], array)
    assert (wide.weight.requires_grad, wide.bias.requires_grad) == (False, True)
    with pytest.raises(TypeError, match=r"^astype: dtype must be a floating-point dtype, not <class 'int'>$"):
        net.astype(int)


# train, eval, repr, errors


def test_train_and_eval_reach_every_module():
    tree = Tree()
    assert tree.training
    assert tree.eval() is tree
    assert not any(module.training for _, module in tree.named_modules())
    assert tree.train() is tree
    assert all(module.training for _, module in tree.named_modules())
    with pytest.raises(TypeError, match=r"^train: mode must be True or False, not 1$"):
        tree.train(1)


def test_the_repr_is_the_tree():
    tree = nn.Sequential({"conv1": nn.Conv2d(1, 8, (5, 3), padding=2, rng=generator()), "bn": nn.BatchNorm2d(8)})
    tree.tail = nn.Sequential(nn.ReLU(), linear(8, 1, bias=False))
    assert repr(tree) == (
        "Sequential, 152 parameters\n"
        "  conv1: Conv2d(1, 8, (5, 3), padding=2), 128 parameters: weight (8, 1, 5, 3), bias (8,)\n"
        "  bn: BatchNorm2d(8), 16 parameters: weight (8,), bias (8,); "
        "buffers running_mean (8,), running_var (8,), num_batches_tracked ()\n"
        "  tail: Sequential, 8 parameters\n"
        "    0: ReLU()\n"
        "    1: Linear(8, 1), 8 parameters: weight (1, 8)"
    )


def test_the_repr_is_a_call_where_a_module_keeps_its_arguments():
    class Block(nn.Module):
        def __init__(self, size, depth=2, *, factor, kind="plain", shape=(1, 2), rng=None):
            self.size, self.factor, self.kind, self.shape, self.depth = size, factor, kind, shape, depth
            self.rng = rng

    assert repr(Block(3, factor=2.0)) == "Block(3, factor=2.0)"
    rng = generator()
    assert (
        repr(Block(3, 4, factor=1, kind="b", shape=[3], rng=rng)) == "Block(3, depth=4, factor=1, kind='b', shape=[3])"
    )
    one = linear(1, 1, bias=False)
    assert repr(one) == "Linear(1, 1), 1 parameter: weight (1, 1)"


def test_an_error_says_which_module_it_comes_from():
    with pytest.raises(ValueError, match=r"^Sequential: 3 Conv2d: conv2d: x has 8 channels but k expects 1 "):
        nn.Sequential(*cnn()[:3], nn.Conv2d(1, 3, 1, rng=generator()), cnn()[3])(np.ones((1, 1, 28, 28)))
    with pytest.raises(
        ValueError, match=r"^Tree: first: Linear: the last axis of x must have 3 features, not x \(2, 5\)$"
    ):
        Tree()(np.ones((2, 5)))
    with pytest.raises(ValueError, match=r"^Linear: the last axis of x must have 3 features, not x \(\)$"):
        linear(3, 4)(1.0)


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match=r"^Module: write what it computes as a method `forward`$"):
        nn.Module()(1.0)


def test_sequential_takes_modules_alone():
    with pytest.raises(
        TypeError, match=r"^Sequential: each part must be a Module, not <op relu\(z\)>; write a class of mg\.nn"
    ):
        nn.Sequential(linear(3, 4), mg.relu)
    with pytest.raises(TypeError, match=r"^Sequential: each part must be a Module, not {'a'"):
        nn.Sequential({"a": linear(3, 4)}, nn.ReLU())
    assert len(nn.Sequential(nn.ReLU())) == 1
    net = nn.Sequential(linear(3, 4), nn.ReLU(), linear(4, 2))
    assert len(net) == 3
    assert [*net] == [net[0], net[1], net[-1]]
    assert isinstance(net[:2], nn.Sequential)
    assert [*net[:2]] == [net[0], net[1]]


def test_a_module_of_a_sequential_is_replaced_at_its_index():
    shared = nn.Tanh()
    net = nn.Sequential(linear(3, 4), shared, linear(4, 2), shared)
    net[1], net[-2] = nn.ReLU(), linear(4, 5)
    assert [type(part) for part in net] == [nn.Linear, nn.ReLU, nn.Linear, nn.Tanh]
    assert net(np.ones((2, 3))).shape == (2, 5)
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    with pytest.raises(ValueError, match=r"^2 Linear: the last axis of x must have 4 features"):
        net[2](np.ones((2, 3)))
    named = nn.Sequential({"first": linear(3, 4), "last": nn.Tanh()})
    named[1] = nn.ReLU()
    assert type(named.last) is nn.ReLU
    with pytest.raises(
        IndexError, match=r"^Sequential: the index must be a slice or an int, of one of 4 modules, not 4$"
    ):
        net[4] = nn.ReLU()
    with pytest.raises(TypeError, match=r"^Sequential: each part must be a Module, not 3$"):
        net[0] = 3
    with pytest.raises(TypeError, match=r"^Sequential: one module can be replaced at a time, not those of slice"):
        net[:2] = nn.ReLU()


# pictures


def test_each_module_is_a_scope_of_its_name():
    y = Tree()(np.ones((2, 3)))
    scopes, pending = set(), [y.node]
    while pending:
        node = pending.pop()
        if node.op is not None:
            scopes.add(node.scope)
        pending += [parent for parent in node.parents if parent is not None]
    expected = {("Tree",), *(("Tree", name) for name in ("first", "layers.0", "heads.a", "heads.b"))}
    assert scopes == expected


def test_the_picture_has_a_box_for_each_layer_and_names_for_its_parameters():
    source = mg.graph(mg.softmax_cross_entropy(cnn()(np.ones((2, 1, 28, 28))), np.array([0, 1]))).source
    for label in ("Sequential", "0 Conv2d", "3 Conv2d", "7 Linear"):
        assert f"<B>{label}</B>" in source
    assert source.count("weight") >= 3
    assert "<B>1 ReLU</B>" not in source


# a module as a function of its state


def loss_of(net, x, target):
    return lambda state: mg.mean_squared_error(mg.functional_call(net, state, x), target)


def small():
    rng = generator(3)
    net = nn.Sequential(linear(3, 4, dtype=float), nn.Tanh(), linear(4, 2, dtype=float))
    return net, {name: p.data for name, p in net.named_parameters()}, rng.normal(size=(5, 3)), rng.normal(size=(5, 2))


@pytest.mark.parametrize("kind", [None, Tree])
def test_the_gradient_of_functional_call_is_that_of_backward(kind):
    net, state, x, target = small()
    if kind is not None:
        net = kind().astype(float)
        state = {name: p.data for name, p in net.named_parameters()}
    gradients = mg.grad(loss_of(net, x, target))(state)
    mg.mean_squared_error(net(x), target).backward()
    for name, p in net.named_parameters():
        np.testing.assert_allclose(gradients[name], p.grad, rtol=1e-12)


def test_transforms_of_functional_call_pass_the_checks():
    net, state, x, target = small()
    mg.testing.check_grads(loss_of(net, x, target), state, order=2, float32=False)
    rng = generator(4)
    v = {name: rng.normal(size=array.shape) for name, array in state.items()}
    f = loss_of(net, x, target)
    _, slope = mg.jvp(f, (state,), (v,))
    gradients = mg.grad(f)(state)
    np.testing.assert_allclose(slope, sum((gradients[name] * v[name]).sum() for name in state), rtol=1e-10)
    hessian = mg.hessian(f)(state)
    along = mg.hvp(f, state, v)
    for name in state:
        total = sum(np.tensordot(hessian[name][other], v[other], v[other].ndim) for other in state)
        np.testing.assert_allclose(along[name], total, rtol=1e-8, atol=1e-12)


def test_functional_call_takes_other_values_and_leaves_the_module_alone():
    net = nn.Sequential(nn.Conv2d(1, 2, 3, rng=generator()), nn.BatchNorm2d(2))
    before, x = net.state_dict(), generator(1).normal(size=(3, 1, 5, 5))
    other = nn.Sequential(nn.Conv2d(1, 2, 3, rng=generator(9)), nn.BatchNorm2d(2))
    np.testing.assert_array_equal(mg.functional_call(net, other.state_dict(), x).data, other(x).data)
    for name, array in net.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_parameter_that_is_not_given_is_the_module_s_own():
    net, state, x, target = small()
    gradient = mg.grad(loss_of(net, x, target))({"0.weight": state["0.weight"]})
    np.testing.assert_allclose(gradient["0.weight"].data, mg.grad(loss_of(net, x, target))(state)["0.weight"])


class Decayed(nn.Module):
    """A loss that takes its own parameters by other ways than attributes."""

    def __init__(self):
        self.layer = linear(2, 1, dtype=float)
        self.mask, self.calls = np.array([1.0, 2.0]), np.zeros(1)
        self.call = self.through_the_layer

    def through_the_layer(self, x):
        return self.layer(x * self.mask)

    def forward(self, x):
        self.calls += 1.0
        return self.call(x).sum() + sum((p * p).sum() for p in self.parameters())


def test_parameters_inside_of_functional_call_are_those_of_the_state():
    net = Decayed()
    state = {"layer.weight": np.array([[3.0, 4.0]]), "layer.bias": np.array([5.0])}
    x = np.ones((1, 2))
    gradient = mg.grad(lambda state: mg.functional_call(net, state, x))(state)
    np.testing.assert_array_equal(gradient["layer.weight"], [[1.0 + 6.0, 2.0 + 8.0]])
    np.testing.assert_array_equal(gradient["layer.bias"], [1.0 + 10.0])
    whole = mg.grad(lambda state: mg.functional_call(net, state, x))(state | {"mask": np.ones(2)})
    np.testing.assert_array_equal(whole["mask"], [3.0, 4.0])
    assert mg.functional_call(net, state, x).item() == 3 + 8 + 5 + 9 + 16 + 25
    assert net.calls == 0


def test_checkpoint_inside_of_a_module_keeps_the_state_of_its_call():
    class Block(nn.Module):
        def __init__(self, whole):
            self.layer, self.whole = linear(3, 3, dtype=float), whole

        def forward(self, x):
            return (self.layer if self.whole else mg.checkpoint(self.layer))(x).sum()

    state, x = linear(3, 3, dtype=float).state_dict(), generator().normal(size=(2, 3))
    state = {f"layer.{name}": array + 1 for name, array in state.items()}
    kept, again = (mg.grad(lambda s, b=b: mg.functional_call(Block(b), s, x) ** 2)(state) for b in (True, False))
    for name in state:
        np.testing.assert_allclose(kept[name], again[name], rtol=1e-12)


def test_a_tied_parameter_is_replaced_everywhere():
    net = nn.Sequential(linear(3, 3, dtype=float), linear(3, 3, dtype=float))
    net[1].weight = net[0].weight
    x, state = np.ones((1, 3)), dict.fromkeys(["0.weight"], np.eye(3))
    np.testing.assert_array_equal(mg.functional_call(net, state, x).data, x)
    by_name = mg.grad(lambda s: mg.functional_call(net, s, x).sum())(state)["0.weight"]
    np.testing.assert_array_equal(by_name.data, np.full((3, 3), 2.0))
    with pytest.raises(ValueError, match=r"^functional_call: '0.weight' and '1.weight' are one parameter"):
        mg.grad(lambda s: mg.functional_call(net, s, x).sum())({"0.weight": np.eye(3), "1.weight": np.eye(3)})


def test_a_function_that_would_keep_the_module_s_own_parameters_is_refused():
    layer = linear(2, 1)
    layer.scaled = lambda x: layer.weight * x
    said = "the attribute <lambda> is a function that would go on using the parameters of the original module"
    with pytest.raises(TypeError, match=f"^functional_call: {said}"):
        mg.functional_call(layer, {}, np.ones(2))
    with pytest.raises(TypeError, match=f"^astype: {said}"):
        layer.astype(float)
    two, other = 2, linear(2, 1)
    layer.scaled, layer.other = lambda x: two * x, other.forward  # of what is not in the module: shared
    mg.functional_call(layer, {}, np.ones(2))
    assert layer.astype(float).other.__self__ is other


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((mg.relu, {}), TypeError, r"functional_call: the first argument must be a Module, not <op relu\(z\)>"),
        ((linear(3, 4), [1]), TypeError, r"functional_call: the state must be a mapping of names to arrays, not \[1\]"),
        ((linear(3, 4), {"w": np.ones(2), "bias": 1.0}), ValueError,
         r"functional_call: unexpected 'w'; 'bias' must have shape \(4,\), not \(\)"),
        ((linear(3, 4), {"bias": "abc"}), TypeError, r"functional_call: state\['bias'\] must hold numbers, not 'abc'"),
    ],
)  # fmt: skip
def test_functional_call_refuses_what_does_not_fit(arguments, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        mg.functional_call(*arguments, np.ones(3))


def test_threads_call_one_module_with_states_of_their_own():
    net, x, results = linear(50, 50, dtype=float), np.eye(50), {}

    def work(i):
        for _ in range(20):
            state = {"weight": np.full((50, 50), float(i)), "bias": np.zeros(50)}
            results.setdefault(i, []).append(mg.functional_call(net, state, x).data.max())

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {i: [float(i)] * 20 for i in range(4)}


# with the rest of minigrad


def test_a_run_resumes_to_the_same_bits(tmp_path):
    def started(seed):
        rng = generator(seed)
        net = nn.Sequential(
            *(nn.Conv2d(1, 2, 3, rng=rng), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten()),
            *(nn.Dropout(0.3, rng=rng), nn.Linear(18, 3, rng=rng)),
        )
        return net, mg.optim.Adam(net.parameters(), 0.01), rng

    def train(net, optimizer, rng, steps):
        for _ in range(steps):
            x, labels = rng.normal(size=(8, 1, 5, 5)).astype(np.float32), rng.integers(0, 3, 8)
            optimizer.zero_grad()
            mg.softmax_cross_entropy(net(x), labels).backward()
            optimizer.step()

    net, optimizer, rng = started(0)
    train(net, optimizer, rng, 2)
    parts = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "rng": rng.bit_generator.state}
    mg.save(tmp_path / "run.npz", parts)
    train(net, optimizer, rng, 3)

    resumed, its_optimizer, its_rng = started(1)
    parts = mg.load(tmp_path / "run.npz")
    resumed.load_state_dict(parts["net"])
    its_optimizer.load_state_dict(parts["optimizer"])
    its_rng.bit_generator.state = parts["rng"]
    train(resumed, its_optimizer, its_rng, 3)
    for name, array in net.state_dict().items():
        np.testing.assert_array_equal(resumed.state_dict()[name], array, err_msg=name)
    np.testing.assert_array_equal(its_rng.random(3), rng.random(3))


def test_what_functional_call_computes_dies_with_its_last_tensor():
    net = mg.nn.Sequential(mg.nn.Linear(2, 3, rng=np.random.default_rng(0), dtype=float), mg.nn.Tanh())
    gc.collect()
    gc.disable()
    try:
        state = {name: mg.tensor(value, requires_grad=True) for name, value in net.state_dict().items()}
        y = mg.functional_call(net, state, np.ones((1, 2)))
        alive = [weakref.ref(t) for t in (*state.values(), y)]
        del state, y
        assert [t() for t in alive] == [None] * 3
    finally:
        gc.enable()


def test_a_result_in_the_place_of_a_parameter_is_refused():
    layer, x = linear(3, 4), np.ones(3)
    before = layer.weight
    with pytest.raises(TypeError, match=r"^Linear: weight is a parameter, and a result is none: set weight.data, or"):
        layer.weight = layer.weight * 2
    assert layer.weight is before

    class Halving(mg.nn.Linear):
        def forward(self, x):
            self.weight = self.weight / 2
            return super().forward(x)

    halving = Halving(3, 4, rng=np.random.default_rng(0), dtype=float)
    state = {"weight": mg.tensor(np.ones((4, 3)), requires_grad=True)}
    mg.functional_call(halving, state, x).sum().backward()  # of a copy
    np.testing.assert_array_equal(state["weight"].grad, np.full((4, 3), 0.5))
    layer.state = mg.tensor(np.zeros(4))
    layer.state = layer(x)  # what needs no gradient is none that an optimiser has


class Keeping(mg.nn.Module):
    """Keeps what it computes, as programs do that look at it later, or go on from it."""

    def __init__(self):
        self.first, self.state, self.seen = linear(2, 3), None, []
        self.second = linear(3, 3)

    def forward(self, x):
        self.first.output = self.first(x)
        self.seen.append(self.first.output)
        self.state = self.second(self.first.output if self.state is None else self.first.output + self.state)
        return self.state


def test_what_a_module_keeps_of_its_results_is_no_part_of_its_state():
    net, x = Keeping(), np.ones((2, 2))
    names = [name for name, _ in net.named_parameters()]
    for context in (contextlib.nullcontext, mg.no_grad):
        with context():
            net(x)
            y = net(x)  # in the place of the first result
        net.state = y.detach()
        for other in (net, copy.deepcopy(net), net.astype(np.float32)):
            assert [name for name, _ in other.named_parameters()] == names == list(other.state_dict())
            assert "state" not in repr(other)
        net.state = np.zeros((2, 3))  # a buffer from here on
        assert list(net.state_dict()) == [*names[:2], "state", *names[2:]]
        net.state = None
    net = Keeping()
    with mg.no_grad():
        net(x)
    assert [name for name, _ in pickle.loads(pickle.dumps(net)).named_parameters()] == names


def test_a_copy_has_no_gradients():
    """A program that copies a network in the middle of a step would add to them."""
    net = Keeping()
    net.second.weight = net.first.weight = mg.tensor(np.ones((3, 3)), requires_grad=True)
    net.parts = [{"scale": mg.tensor(2.0, requires_grad=True)}]
    (sum((p * p).sum() for p in net.parameters())).backward()
    for other in (copy.deepcopy(net), copy.deepcopy([net])[0], pickle.loads(pickle.dumps(net))):
        assert [p.grad for p in other.parameters()] == [None] * 4
        assert other.second.weight is other.first.weight is not net.first.weight
        assert other.second is not net.second
    shallow = copy.copy(net)
    assert shallow.first is net.first
    assert all(p.grad is not None for p in net.parameters())


def test_a_frozen_parameter_stays_a_part_of_the_state():
    net = Keeping()
    names = list(net.state_dict())
    for parameter in net.parameters():
        parameter.requires_grad = False
    for other in (net, copy.deepcopy(net), pickle.loads(pickle.dumps(net)), net.astype(np.float32)):
        assert [name for name, _ in other.named_parameters()] == names == list(other.state_dict())
    tied = linear(3, 3)
    tied.weight = net.second.weight  # which is frozen on purpose


def test_what_needs_no_gradient_in_the_place_of_a_parameter_is_refused():
    """It would never be trained."""
    layer = linear(3, 4)
    for table in (mg.tensor(np.ones((4, 3))), layer.weight.detach()):
        with pytest.raises(
            TypeError, match=r"^Linear: weight is a parameter, and this needs no gradient: set weight\.data"
        ):
            layer.weight = table


def test_functional_call_takes_arguments_one_by_one():
    layer, x = linear(3, 4), np.ones((2, 3))
    with pytest.raises(
        TypeError, match=r"^functional_call: give the arguments of the module one by one, not as a tuple$"
    ):
        mg.functional_call(layer, layer.state_dict(), (x,))
    assert mg.functional_call(layer, layer.state_dict(), x).shape == (2, 4)
    assert mg.functional_call(layer, layer.state_dict(), x=(x, x)).shape == (2, 2, 4)


@pytest.mark.parametrize(("index", "kind"), [(5, IndexError), ("a", TypeError), (None, TypeError), (1.0, TypeError)])
def test_a_wrong_index_of_a_sequential_is_named(index, kind):
    with pytest.raises(kind, match=r"^Sequential: the index must be a slice or an int, of one of 2 modules, not "):
        nn.Sequential(nn.ReLU(), nn.Tanh())[index]


def of_objects(part):
    array = np.empty(2, object)
    array[1] = part
    return array


@pytest.mark.parametrize(
    ("collection", "kind"),
    [
        (lambda part: {part}, "set"),
        (lambda part: collections.deque([part]), "deque"),
        (lambda part: {"a": part}.values(), "dict_values"),
        (of_objects, "ndarray"),
    ],
)
@pytest.mark.parametrize("part", [nn.ReLU(), mg.tensor(1.0, requires_grad=True)], ids=["module", "parameter"])
def test_a_collection_in_which_no_parts_are_found_is_refused(collection, kind, part):
    """Its parameters would never be trained."""
    net = nn.Module()
    with pytest.raises(
        TypeError, match=f"^Module: parts.a is a {kind}, where parameters are not found: make it a list$"
    ):
        net.parts = {"a": collection(part)}
    net.sizes = {1, 2}, collections.deque([3]), np.array([None]), np.ones(2)


def test_a_property_that_lacks_an_attribute_names_that_one():
    class Net(nn.Module):
        @property
        def depth(self):
            return self.layers

    with pytest.raises(AttributeError, match="'Net' object has no attribute 'layers'"):
        Net().depth  # noqa: B018

    class Steps(mg.optim.SGD):
        @property
        def rate(self):
            return self.missing

    with pytest.raises(AttributeError, match="'Steps' object has no attribute 'missing'"):
        Steps([mg.tensor(1.0, requires_grad=True)]).rate  # noqa: B018
