"""What a check differentiates, copies and watches: parameters of layers, nests, keywords; and other libraries."""

import functools
from dataclasses import dataclass

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import GradientError, check_grads, check_jvp, check_vjp

x = np.linspace(-1.5, 1.6, 12).reshape(3, 4)


@mg.op
def product(x, w):
    return x @ w


product.vjp("x", lambda g, y, x, w: g @ w.T)
product.vjp("w", lambda g, y, x, w: 2 * (x.T @ g))


def error_of(fn, *inputs, check=check_vjp, **options):
    with pytest.raises(GradientError) as error:
        check(fn, *inputs, **options)
    return error.value


def parameter(*shape):
    return mg.tensor(np.linspace(0.1, 0.9, int(np.prod(shape))).reshape(shape), requires_grad=True)


class Layer:
    """Holds a parameter, a list of them, another layer's, and a Tensor that needs no gradient."""

    def __init__(self, multiply=np.matmul):
        self.weight, self.biases = parameter(4, 2), [parameter(2)]
        self.inner = {"scale": parameter(2)}
        self.mean, self.multiply = mg.tensor([0.5, 0.25]), multiply

    def __call__(self, x):
        return np.tanh(self.multiply(x, self.weight) + self.biases[0] - self.mean) * self.inner["scale"]

    def method(self, x):
        return self(x)


def test_a_layer_with_right_vjps():
    layer = Layer()
    check_grads(layer, x)
    assert layer.weight.grad is None
    np.testing.assert_array_equal(layer.weight.data, parameter(4, 2).data)


WRONG = Layer(product)
closed_over = WRONG.weight


@pytest.mark.parametrize(
    ("fn", "name"),
    [
        (WRONG, "weight"),
        (WRONG.method, "weight"),
        (lambda x: 2 * WRONG(x), "WRONG.weight"),
        (lambda x: product(x, closed_over), "closed_over"),
        (functools.partial(lambda layer, x: layer(x), WRONG), "weight"),
        ((lambda held: lambda x: product(x, held[0]["w"]))([{"w": parameter(4, 2)}]), "held[0]['w']"),
    ],
)
def test_a_parameter_with_a_wrong_vjp_is_named(fn, name):
    assert error_of(fn, x).argument == name


def test_chosen_inputs_leave_out_the_parameters():
    check_vjp(WRONG, x, argnums=0)


def test_a_parameter_that_is_written_to():
    weight = parameter(4, 2)

    def layer(x):
        with mg.no_grad():
            y = x @ weight
            weight._array[...] *= 0.5
        return y

    assert error_of(layer, x).argument == "weight"


@dataclass(frozen=True)
class State:
    w: np.ndarray
    steps: int = 3


def affine(x, p):
    return x @ p["w"] + p["b"][0]


nest = {"w": np.ones((4, 2)), "b": [np.array([0.5, 0.25])], "name": "affine"}


def test_nests_as_inputs_and_results():
    check_grads(lambda x, p: np.tanh(affine(x, p)), x, nest)
    check_grads(lambda x, state: np.sin(x @ state.w), x, State(np.ones((4, 2))))
    check_grads(lambda x: {"sine": np.sin(x), "rest": [x.sum(), np.exp(x[0])]}, x)
    check_jvp(affine, x, nest)


@pytest.mark.parametrize(("factor", "name"), [((1, 2, 1), "p['w']"), ((1, 1, 2), "p['b'][0]"), ((2, 1, 1), "x")])
def test_a_given_vjp_of_a_nest(factor, name):
    def vjp(g, y, x, p):
        gradients = {"w": factor[1] * (x.T @ g), "b": [factor[2] * g.sum(0)], "name": None}
        return factor[0] * (g @ p["w"].T), gradients

    assert error_of(affine, x, nest, vjp=vjp).argument == name


def test_a_given_vjp_of_several_results():
    def fn(x):
        return np.sin(x), [np.exp(x)]

    check_vjp(fn, x, vjp=lambda g, y, x: g[0] * np.cos(x) + g[1][0] * y[1][0])
    assert error_of(fn, x, vjp=lambda g, y, x: g[0] * np.cos(x)).kind == "wrong"


@pytest.mark.parametrize(
    ("held", "write"),
    [
        (lambda a: {"w": a}, lambda p: p["w"]),
        (lambda a: [{"w": (a,)}], lambda p: p[0]["w"][0]),
        (State, lambda p: p.w),
    ],
)
def test_a_function_that_writes_to_arrays_inside_of_arguments(held, write):
    array = np.ones((4, 2))

    def fn(x, p):
        y = x @ write(p)
        write(p)[...] *= 0.5
        return y

    for argnums in (0, None):
        gradients = [lambda g, y, x, p: (g @ write(p).T, held(x.T @ g)), lambda g, y, x, p: g @ write(p).T]
        error = error_of(fn, x, held(array), vjp=gradients[argnums is not None], argnums=argnums)
        assert error.kind == "mutated"
        assert array.tolist() == np.ones((4, 2)).tolist()


def test_arrays_by_keyword_are_differentiated():
    assert error_of(lambda x, *, w: product(x, w), x, w=np.ones((4, 2))).argument == "w"


def test_the_message_says_what_was_checked():
    text = str(error_of(lambda x, i, w: product(x, w)[i], x, np.array([0, 2]), np.ones((4, 2))))
    assert "checked: x, w; not checked: i" in text


@pytest.mark.parametrize("vjp", [lambda g, y, x: None, lambda g, y, x: {"a": g}])
def test_a_vjp_that_returns_no_gradient(vjp):
    assert error_of(np.sin, x, vjp=vjp).kind == "missing"


def test_a_vjp_without_return():
    for options in ({"vjp": lambda g, y, z: None}, {}):
        fn = mg.op(lambda z: np.sin(z))
        fn.vjp("z", lambda g, y, z: None)
        assert "a `return` is missing" in error_of(fn, x, **options).diagnosis


def test_a_vjp_that_raises_is_told_with_the_inputs():
    error = error_of(np.sin, np.zeros((0,)), vjp=lambda g, y, x: g * np.min(x))
    assert error.kind == "raised"
    assert "ValueError: zero-size array" in str(error)


@pytest.mark.parametrize("victim", ["z", "g", "the output"])
def test_writes_of_the_same_values(victim):
    def vjp(g, out, z):
        if isinstance(z, np.ndarray):
            array = {"z": z, "g": g, "the output": out}[victim]
            array *= 1.0
        return g * np.cos(z)

    fn = mg.op(lambda z: np.sin(z))
    fn.vjp("z", vjp)
    for options in ({}, {"vjp": vjp}):
        assert error_of(fn, x, **options).kind in ("mutated", "raised")
    assert error_of(lambda z: np.multiply(z, 1.0, out=z), x, vjp=lambda g, y, z: g).kind == "mutated"


def test_state_that_the_first_call_fixes():
    for key in (np.shape, lambda a: (a.shape, a.flat[0])):
        kept = {}
        vjp = lambda g, y, x, kept=kept, key=key: g * kept.setdefault(key(x), np.cos(x))  # noqa: E731
        assert {error_of(np.sin, x, vjp=vjp, seed=seed).kind for seed in range(3)} <= {"wrong", "stateful"}


@pytest.mark.parametrize(
    "vjp",
    [
        lambda g, y, x: g * np.cos(x) * (2 if np.count_nonzero(g) == 1 else 1),
        lambda g, y, x: g * np.cos(x) * (2 if (g == 0).any() and np.count_nonzero(g) > 1 else 1),
        lambda g, y, x: g * np.cos(x) * (2 if np.allclose(g * np.abs(y).max(), y) else 1),
        lambda g, y, x: np.clip(g, -10, 10) * np.cos(x),
    ],
)
def test_upstream_gradients_that_a_random_one_hides(vjp):
    error_of(np.sin, np.linspace(-1, 1, 64), vjp=vjp)


def test_the_second_derivative_of_a_given_vjp():
    check_grads(np.sin, x, vjp=lambda g, y, x: g * np.cos(x), order=3)
    error = error_of(
        np.sin, x, check=check_grads, vjp=lambda g, y, x: g * np.cos(x if isinstance(x, np.ndarray) else x.detach())
    )
    assert "second derivative" in str(error)


def test_a_jvp():
    check_jvp(np.multiply, x, x + 3)
    check_jvp(lambda x, i: x[i], x, np.array([0, 0]))
    sine = lambda x, v, factor=1: (np.sin(x[0]), factor * v[0] * np.cos(x[0]))  # noqa: E731
    check_jvp(np.sin, x, jvp=sine)
    error = error_of(np.sin, x, check=check_jvp, jvp=functools.partial(sine, factor=1 + 1e-6))
    assert error.kind == "wrong"
    assert error.numeric == pytest.approx(error.analytic)
    assert error_of(np.sin, x, check=check_jvp, jvp=lambda x, v: (np.cos(x[0]), v[0])).kind == "value"

    def writes(x, v):
        y = sine(x, v)
        v[0][...] = 0
        return y

    assert error_of(np.sin, x, check=check_jvp, jvp=writes).kind == "mutated"


def test_tolerances():
    def almost(g, y, x):
        return g * np.cos(x) * (1 + 1e-6)

    assert error_of(np.sin, x, vjp=almost).kind == "wrong"
    for options in ({"rtol": 1e-5}, {"atol": 0.1}, {"rtol": {"x": 1e-5}}, {"atol": {"x": 0.1}}):
        check_vjp(np.sin, x, vjp=almost, **options)
    assert error_of(np.sin, x, vjp=almost, rtol={"other": 1.0}).kind == "wrong"
    noise = np.random.default_rng(0)
    noisy = lambda g, y, x: g * np.cos(x) + 1e-12 * noise.normal(size=x.shape)  # noqa: E731
    assert error_of(np.sin, x, vjp=noisy).kind == "not deterministic"
    check_vjp(np.sin, x, vjp=noisy, nondet_tol=1e-10, float32=False)


def test_another_library_through_a_plain_wrapper():
    torch = pytest.importorskip("torch")

    def sine(x):
        return torch.sin(torch.as_tensor(x)).numpy()

    def vjp(g, y, x):
        a = torch.tensor(x, requires_grad=True)
        torch.sin(a).backward(torch.as_tensor(g.copy()))
        return a.grad.numpy()

    check_vjp(sine, x, vjp=vjp, layouts=False)
    error = error_of(sine, x, vjp=vjp)
    assert error.kind == "layout"
    assert "layouts=False" in str(error)


@pytest.mark.parametrize("n", [10, 10_000, 100_000])
def test_the_float32_tolerance_does_not_grow_with_the_array(n):
    values = np.random.default_rng(0).normal(size=n)

    def sine(x, error):
        return np.sin(x) * (1 + error * (np.arange(n) == n // 2) * (x.dtype == np.float32)).astype(x.dtype)

    def cosine(g, y, x, error):
        return g * np.cos(x)

    check_vjp(sine, values, vjp=cosine, error=0)
    assert error_of(sine, values, vjp=cosine, error=2e-4).kind == "float32"


@pytest.mark.parametrize(("fn", "at"), [(np.exp, 100.0), (np.exp, -200.0), (np.sqrt, 1e-300), (np.square, 1e20)])
def test_what_float32_cannot_hold_is_not_called_wrong(fn, at):
    check_vjp(fn, np.array([at, 1.0]))


def test_an_overflow_on_the_way_is_told():
    error = error_of(lambda x: np.log(np.sum(np.exp(x))), np.array([100.0, 1.0]))
    assert error.kind == "float32"
    assert "range of float32" in str(error)


def test_a_fault_in_a_large_array_is_located():
    images, kernel = np.random.default_rng(0).normal(size=(4, 3, 40, 40)), np.ones((2, 3, 3, 3))
    fn = lambda x: mg.conv2d(x, kernel)  # noqa: E731

    def vjp(g, y, x, entry=1.0, all_of_them=1.0):
        v = all_of_them * mg.vjp(fn, x)[1](g)[0]
        v[3, 2, 10, 11] *= entry
        return v

    error = error_of(fn, images, vjp=functools.partial(vjp, entry=1.5))
    assert error.index == (3, 2, 10, 11)
    assert error.analytic == pytest.approx(1.5 * error.numeric)
    error = error_of(fn, images, vjp=functools.partial(vjp, all_of_them=1.001))
    assert "it is 1.001 times the numeric gradient" in error.diagnosis[0]
