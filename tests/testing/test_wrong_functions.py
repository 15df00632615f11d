"""Wrong VJPs that passed once: swallowed parameters, arguments by keyword, state, large values, jumps."""

import functools

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import GradientError, check_grads, check_subgradient, check_vjp, gradtest
from minigrad.testing import strategies as s

x = np.linspace(-1.5, 1.6, 6)


def kind(fn, *inputs, check=check_vjp, **options):
    with pytest.raises(GradientError) as error:
        check(fn, *inputs, **options)
    return error.value.kind


def power_with(parameter):
    """|x| ** parameter with a VJP that is right for 2 only."""
    space = {"np": np}
    exec(f"def f(x, *, {parameter}=2.0): return np.abs(x) ** {parameter}", space)
    exec(f"def v(g, y, x, {parameter}): return g * 2 * x", space)
    op = mg.op(space["f"])
    op.vjp("x", space["v"])
    return op


@pytest.mark.parametrize("parameter", ["seed", "rtol", "argnums", "float32", "order", "kink"])
def test_a_call_reaches_the_function(parameter):
    calls = s.tensors((2,)).map(lambda a: s.Call((a,), {parameter: 3.0}))
    with pytest.raises(GradientError, match=f"{parameter} = 3.0"):
        gradtest(calls)(power_with(parameter))()


@pytest.mark.parametrize("parameter", ["seed", "rtol", "argnums", "float32", "order"])
def test_an_option_that_is_a_parameter_too_is_refused(parameter):
    op = power_with(parameter)
    with pytest.raises(TypeError, match=f"{parameter} is an option .* functools.partial"):
        check_grads(op, x, **{parameter: 3.0})
    assert kind(functools.partial(op, **{parameter: 3.0}), x) == "wrong"


@mg.op
def product(x, w):
    return x * w


product.vjp("x", lambda g, y, x, w: g * w)
product.vjp("w", lambda g, y, x, w: 0 * g)


def test_an_argument_by_keyword_is_differentiated():
    with pytest.raises(GradientError) as error:
        check_vjp(product, x, w=x + 3)
    assert error.value.argument == "w"
    check_vjp(product, x, w=x + 3, argnums=0)
    check_vjp(mg.conv2d, np.ones((1, 3, 3)), np.ones((2, 1, 2, 2)), b=np.ones(2), stride=1)


def test_state_that_the_forward_keeps_for_the_vjp():
    kept = {}

    @mg.op
    def rectified(z):
        kept["mask"] = z > 0
        return np.where(kept["mask"], z, 0.0)

    rectified.vjp("z", lambda g, y, z: g * kept["mask"])
    assert kind(rectified, x, float32=False) == "stateful"

    @mg.op
    def sine(z):
        kept["slope"] = np.cos(z)
        return np.sin(z)

    sine.vjp("z", lambda g, y, z: g * kept["slope"])
    assert kind(sine, np.array(0.5)) == "stateful"


def test_a_function_that_refuses_other_inputs_can_be_checked():
    def increasing(z):
        if np.any(np.diff(getattr(z, "data", z)) < 0):
            raise ValueError("not sorted")
        return z * z

    check_vjp(increasing, np.array([0.25, 0.5, 1.0]), vjp=lambda g, y, z: 2 * g * z)


def test_a_result_in_memory_that_the_function_keeps():
    buffer = np.empty(6)
    fn = lambda z: np.sin(z, out=buffer)  # noqa: E731
    assert kind(fn, x, vjp=lambda g, y, z: g * np.cos(z), float32=False) == "aliased"


def nothing(g, y, z):
    return 0 * g


@pytest.mark.parametrize(
    ("fn", "at"),
    [
        (np.log, np.linspace(1e6, 2e6, 6)),
        (np.reciprocal, np.linspace(1e6, 1e8, 6)),
        (lambda z: np.tanh(z / 1e6), np.linspace(1e6, 3e6, 6)),
        (lambda z: 1e160 * np.sin(z), np.linspace(-1, 1.1, 64)),
        (np.exp, np.linspace(400, 700, 64)),
    ],
)
def test_no_size_lets_a_zero_vjp_pass(fn, at):
    assert kind(fn, at, vjp=nothing, float32=False) == "wrong"


@pytest.mark.parametrize("offset", [1e12, 1e13])
def test_a_slope_lost_in_the_value_is_inconclusive(offset):
    assert kind(lambda z: np.sin(z) + offset, x, vjp=nothing, float32=False) == "inconclusive"


def test_views_of_the_inputs_reach_the_vjp():
    @mg.op
    def sine(z):
        return np.sin(z)

    sine.vjp("z", lambda g, y, z: g * np.cos(z) * (2 if isinstance(z, np.ndarray) and z.strides[-1] < 0 else 1))
    assert kind(sine, x) == "layout"


def test_a_function_that_writes_to_a_constant():
    def pick(z, index):
        index.sort()
        return z[index]

    def scaled(z, *, w):
        y = z * w
        w /= 2
        return y

    index = np.array([3, 1, 2])
    assert kind(pick, x, index) == "mutated"
    assert kind(scaled, x, w=np.ones(6)) == "mutated"
    assert index.tolist() == [3, 1, 2]


def test_a_float32_value_that_is_another():
    fn = lambda z: (2 if z.dtype == np.float32 else 1) * np.sin(z)  # noqa: E731
    assert kind(fn, x, vjp=lambda g, y, z: g * np.cos(z)) == "float32"


def test_a_jump_is_reported():
    fails = functools.partial(kind, check=check_subgradient)
    assert fails(np.round, np.array([0.5, 0.3]), vjp=lambda g, y, z: 7 * g * (z == 0.5)) == "inconclusive"


def message(fn, *inputs, check=check_vjp, **options):
    with pytest.raises(GradientError) as error:
        check(fn, *inputs, **options)
    return str(error.value)


class Layer:
    def apply(self, a, w):
        return product(a, w)


def test_names_of_methods_and_partials():
    assert "the gradient of w is" in message(Layer().apply, x, x + 3)
    assert "the gradient of w is" in message(functools.partial(lambda a, x, w: product(x, w) * a, 2.0), x, x + 3)


def test_a_second_derivative_shows_the_whole_call():
    @mg.op
    def cube(z, i, *, k):
        return k * z[i] ** 3

    def detached(g, y, z, i, k):
        factor = z.detach() if isinstance(z, mg.Tensor) else z
        return mg.ops.scatter(g * k * 3 * z[i] * factor[i], (i,), z.shape)

    cube.vjp("z", detached)
    text = message(cube, x, np.array([2, 0]), check=check_grads, k=5)
    assert "k = 5" in text
    assert "i (2,) = [2, 0]" in text


def test_inputs_are_shown_with_all_their_digits():
    at = np.array([1 / 3, 0.1 + 0.2])
    text = message(np.sin, at, vjp=nothing)
    assert "0.3333333333333333 " in text
    assert "0.30000000000000004]" in text


@pytest.mark.parametrize(
    ("vjp", "diagnosis"),
    [
        (lambda g, y, z: np.abs(g) * np.cos(z), "it is not linear in the upstream gradient g"),
        (lambda g, y, z: np.float64(np.float32(g * np.cos(z))), "it looks rounded to float32"),
    ],
)
def test_what_the_gradient_looks_like(vjp, diagnosis):
    with pytest.raises(GradientError) as error:
        check_vjp(np.sin, x, vjp=vjp)
    assert error.value.diagnosis == (diagnosis,)


def test_hypotheses_that_coincide_are_told_once():
    with pytest.raises(GradientError) as error:
        check_vjp(lambda z: np.sum(z[:-1]), x[:2], vjp=lambda g, y, z: g * np.array([0.0, 1.0]))
    assert len(error.value.diagnosis) == 1


def test_an_offset_is_told_only_where_it_is_one():
    almost = 1e-7 * (1 + 1e-3 * np.arange(6))
    with pytest.raises(GradientError) as error:
        check_vjp(lambda z: np.sin(z), x, vjp=lambda g, y, z: g * np.cos(z) + almost * g)
    assert not any("plus" in sentence or "times" in sentence for sentence in error.value.diagnosis)


def test_why_nothing_can_be_differentiated():
    with pytest.raises(TypeError, match="a is of type int, b is of type list, c has dtype int64"):
        check_vjp(lambda a, b, c: 0, 1, [2.0], np.arange(3))
    with pytest.raises(TypeError, match="x has no VJP"):
        check_vjp(mg.op(lambda x: x), x)


@pytest.mark.parametrize("factor", [0.0, 2.0, -1.0])
@pytest.mark.parametrize(("small", "large"), [(1e-6, 1e6), (1e-3, 1e8), (1.0, 1e12)])
def test_a_small_slope_beside_a_large_input(small, large, factor):
    values = small * x, large * (x + 3)
    options = {"float32": False, "layouts": False}
    check_vjp(np.divide, *values, vjp=lambda g, y, a, b: (g / b, -g * y / b), **options)
    kind(np.divide, *values, vjp=lambda g, y, a, b: (factor * g / b, -g * y / b), **options)


def test_a_shape_that_depends_on_the_layout_or_the_dtype():
    matrix = np.arange(6.0).reshape(2, 3) + 1

    def by_layout(x):
        return np.sin(x) if x.flags.c_contiguous else np.sin(x)[None]

    def by_dtype(x):
        return np.sin(x) if x.dtype == np.float64 else np.sin(x)[None]

    def vjp(g, y, x):
        return np.reshape(g, x.shape) * np.cos(x)

    assert kind(by_layout, matrix, vjp=vjp) == "layout"
    with pytest.raises(GradientError, match=r"the float32 value has shape \(1, 2, 3\)"):
        check_vjp(by_dtype, matrix, vjp=vjp, layouts=False)


@pytest.mark.parametrize("at", [np.array(1 + 2j), np.array([1 + 2j, 0.5 - 1j])])
def test_an_upstream_gradient_of_any_size_of_a_complex_function(at):
    factor = 1 + 2j
    check_vjp(lambda z: factor * z, at, vjp=lambda g, y, z: factor * g)
    for limit in (1e-12, 1e-3):
        assert kind(lambda z: factor * z, at, vjp=lambda g, y, z: factor * np.where(abs(g) < limit, 0, g)) == "wrong"  # noqa: B023
    assert kind(lambda z: factor * z, at, vjp=lambda g, y, z: factor * g / max(np.max(abs(g)) / 1e6, 1)) == "wrong"


def test_a_vjp_of_a_complex_scalar_gets_an_array():
    seen = []
    check_vjp(np.sin, np.array(1 + 2j), vjp=lambda g, y, z: (seen.append(type(g)), g * np.cos(z))[1])
    assert {*seen} == {np.ndarray}
