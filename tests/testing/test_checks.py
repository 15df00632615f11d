"""The checks catch what they promise to, one injected fault each, and say so in words that help."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import GradientError, check_grads, check_subgradient, check_vjp

x = np.linspace(-1.5, 1.6, 12).reshape(3, 4)


def op_with(forward, vjp):
    """An op of one argument with this VJP."""
    made = mg.op(lambda z: forward(z), name="suspect")
    made.vjp("z", vjp)
    return made


def caught(kind, fn, *inputs, **options):
    with pytest.raises(GradientError) as error:
        check_vjp(fn, *inputs, **options)
    assert error.value.kind == kind, error.value
    return error.value


def test_right_vjps_pass_to_the_third_order():
    check_grads(op_with(np.sin, lambda g, out, z: g * np.cos(z)), x, order=3)


def test_a_uniform_error_of_one_in_a_million():
    error = caught("wrong", op_with(np.sin, lambda g, out, z: g * np.cos(z) * (1 + 1e-6)), x)
    assert error.diagnosis == ("it is 1.000001 times the numeric gradient in every entry",)


def test_a_uniform_error_is_caught_whatever_the_seed():
    fn = op_with(lambda z: np.sin(z).sum(-1), lambda g, out, z: g[..., None] * np.cos(z) * (1 + 1e-6))
    many = np.linspace(-1.5, 1.6, 60).reshape(6, 10)
    for seed in range(100):
        caught("wrong", fn, many, seed=seed)


def test_one_doubled_entry_among_3600():
    def doubled(g, out, z):
        v = 2 * g * z
        v[17, 31] *= 2
        return v

    error = caught("wrong", op_with(np.square, doubled), np.linspace(-2, 2.5, 3600).reshape(60, 60))
    assert error.index == (17, 31)
    assert error.analytic == pytest.approx(2 * error.numeric)
    assert "1 of 3600 entries are wrong" in error.diagnosis


def test_a_zero_vjp_of_a_tiny_function():
    error = caught("wrong", op_with(lambda z: 1e-7 * np.tanh(z), lambda g, out, z: 0 * g), x)
    assert error.diagnosis == ("the VJP gives 0 everywhere",)


def test_a_zero_vjp_of_softmax_for_a_random_upstream_gradient():
    assert caught("wrong", lambda z: mg.softmax(z), x, vjp=lambda g, out, z: 0 * g).kind == "wrong"


def test_a_float32_gradient_for_a_float64_input():
    error = caught("dtype", np.sin, x, vjp=lambda g, out, z: (g * np.cos(z)).astype(np.float32))
    assert "dtype float32" in str(error)


def test_a_float64_gradient_for_a_float32_input():
    factor = np.float64(2)
    caught("dtype", lambda z: 2 * z, x, vjp=lambda g, out, z: g * factor)


def test_a_float64_result_of_float32_inputs():
    caught("dtype", op_with(lambda z: z * np.float64(2), lambda g, out, z: g * 2), x)


def test_a_vjp_that_loses_float32_precision():
    def noisy(g, out, z):
        v = g * np.cos(z)
        return v * (1 + 1e-3) if z.dtype == np.float32 else v

    caught("float32", np.sin, x, vjp=noisy)


@pytest.mark.parametrize("victim", ["z", "g", "the output"])
def test_a_mutated_array(victim):
    def vjp(g, out, z):
        v = g * np.cos(z)
        array = {"z": z, "g": g, "the output": out}[victim]
        array *= 1.5
        return v

    for options in ({}, {"vjp": vjp}):
        fn = np.sin if options else op_with(np.sin, vjp)
        assert "wrote to" in str(caught("mutated", fn, x, **options))


def test_a_function_that_mutates_its_argument():
    def fn(z):
        y = np.sin(z)
        z += 1
        return y

    caught("mutated", fn, x, vjp=lambda g, out, z: g * np.cos(z))


def test_gradients_that_share_memory():
    one = x + 3
    caught("aliased", np.add, x, one, vjp=lambda g, out, a, b: (g, g.copy()))

    def twice(g, out, a, b):
        v = g.copy()
        return v, v

    error = caught("aliased", np.add, x, one, vjp=twice)
    assert "the gradient of" in str(error)
    caught("aliased", lambda z: 0.5 * np.sum(z * z), x, vjp=lambda g, out, z: z)


def test_a_buffer_kept_between_two_calls():
    buffer = np.empty_like(x)

    def vjp(g, out, z):
        return np.multiply(g, np.cos(z), out=buffer)

    caught("aliased", op_with(np.sin, vjp), x, float32=False)
    caught("aliased", np.sin, x, vjp=vjp, float32=False)


def test_a_function_and_a_vjp_that_are_not_deterministic():
    noise = map(float, itertools.count())
    caught("not deterministic", lambda z: np.sin(z) + next(noise), x, vjp=lambda g, out, z: g * np.cos(z))
    caught("not deterministic", np.sin, x, vjp=lambda g, out, z: g * np.cos(z) + next(noise))


def test_a_missing_sum_over_the_broadcast_axes():
    error = caught("shape", np.multiply, x, x[0], vjp=lambda g, out, a, b: (g * b, g * a))
    assert error.argument == "x2"
    assert "not summed over the axes" in error.diagnosis[0]


def test_gradients_through_two_uses_must_add():
    last = []

    def once(g, out, z):
        """Forgets all but the first of the nodes that one gradient reaches."""
        again = [np.shares_memory(*pair) for pair in zip(last, (g, z, out), strict=False)] == [True, True, False]
        last[:] = g, z, out
        return 0 * z if again else g * np.cos(z)

    caught("accumulation", lambda z: op_with(np.sin, once)(z), x)


def test_a_value_that_is_not_finite():
    with np.errstate(all="ignore"):
        caught("not finite", mg.log, np.array([0.0, 1.0]))
        caught("not finite", mg.sqrt, np.array([0.0, 1.0]))


def test_a_gradient_that_depends_on_the_memory_layout():
    def vjp(g, out, z):
        return (g * np.cos(z)) if z.flags.c_contiguous else g * 0

    caught("layout", np.sin, x, vjp=vjp)
    caught("layout", lambda z: np.sin(z) * (1 + z.flags.c_contiguous), x, vjp=lambda g, out, z: 2 * g * np.cos(z))


def test_arrays_and_tensors_must_agree():
    caught("value", lambda z: z * (1 if isinstance(z, np.ndarray) else 2), x)


@pytest.mark.parametrize(
    ("forward", "vjp", "words"),
    [
        (np.sin, lambda g, out, z: -g * np.cos(z), "it has the opposite sign"),
        (np.sin, lambda g, out, z: np.cos(z), "it does not depend on the upstream gradient g"),
        (np.sin, lambda g, out, z: g * g * np.cos(z), "it is not linear in the upstream gradient g"),
        (np.sin, lambda g, out, z: g * np.cos(z) + 1, "it is not linear in the upstream gradient g"),
        (np.sin, lambda g, out, z: (g * np.cos(z))[::-1], "it is reversed along axis 0"),
        (np.abs, lambda g, out, z: g, "it is wrong exactly where the input is < 0"),
        (lambda z: z.sum(0), lambda g, out, z: g + 0 * z + 0.5 * g.sum(), "it is the numeric gradient plus"),
        (lambda z: z[1:], lambda g, out, z: np.concatenate([g, 0 * z[:1]]), "shifted by -1 along axis 0"),
        (np.sin, lambda g, out, z: g * np.cos(z) * (np.arange(4) != 3), "it is wrong only at index 3 of axis 1"),
        (np.sin, lambda g, out, z: np.pad((g * np.cos(z))[1:-1, 1:-1], 1), "only at the border of the last two axes"),
    ],
)
def test_diagnoses(forward, vjp, words):
    error = caught("wrong", op_with(forward, vjp), x)
    assert any(words in sentence for sentence in error.diagnosis), error
    assert len(str(error).splitlines()) < 40


def test_diagnosis_of_a_transpose_and_of_swapped_gradients():
    square = x[:, :3]
    transposed = op_with(lambda z: z.T @ z, lambda g, out, z: (z @ (g + g.T)).T)
    assert "it is transposed (the last two axes exchanged)" in caught("wrong", transposed, square).diagnosis
    error = caught("wrong", np.multiply, x, x + 3, vjp=lambda g, out, a, b: (g * a, g * b))
    assert "it is the gradient of" in error.diagnosis[0]


def test_a_wrong_second_derivative():
    @mg.op
    def cubed(z):
        return z**3

    @cubed.vjp("z")
    def _(g, out, z):
        return g * 3 * np.square(z) if isinstance(z, np.ndarray) else g * 3.001 * np.square(z)

    check_vjp(cubed, x)
    with pytest.raises(GradientError, match="second derivative of cubed") as error:
        check_grads(cubed, x)
    assert error.value.kind == "wrong"


def test_a_wrong_third_derivative_is_found_where_it_is_asked_for():
    @mg.op
    def fourth_power(z):
        return z**4

    @mg.op
    def slope(z):
        return 4 * z**3

    @slope.vjp("z")
    def _(g, out, z):
        return g * 12 * np.square(z) if isinstance(z, np.ndarray) else g * 12.01 * np.square(z)

    fourth_power.vjp("z")(lambda g, out, z: g * slope(z))
    check_grads(fourth_power, x[:1], order=2)
    with pytest.raises(GradientError, match="third derivative of fourth_power"):
        check_grads(fourth_power, x[:1], order=3)


@pytest.mark.parametrize("wrong", [lambda v: 1.5 * v, lambda v: 0.5 * v, lambda v: -v, lambda v: v + 0.25 * v.sum()])
def test_a_vjp_that_is_wrong_for_an_upstream_gradient_of_one_entry(wrong):
    def vjp(g, out, z):
        return wrong(g * np.cos(z)) if np.count_nonzero(g) == 1 else g * np.cos(z)

    caught("wrong", op_with(np.sin, vjp), x)


def test_a_kink_is_inconclusive_and_named():
    error = caught("inconclusive", mg.relu, np.array([0.0, 1.0]))
    assert "check_subgradient" in error.diagnosis[0]


def test_noise_is_inconclusive():
    def noisy(z):
        return np.sin(z) + 1e-9 * np.sin(1e9 * z)

    error = caught("inconclusive", noisy, x, vjp=lambda g, out, z: g * np.cos(z) * (1 + 1e-7), float32=False)
    assert "only known to" in error.diagnosis[0]


def test_the_message_shows_the_call_and_the_worst_entry():
    fn = op_with(np.sin, lambda g, out, z: g * np.cos(z) * np.where(z > 1, 2, 1))
    error = caught("wrong", fn, np.array([0.5, 1.5]))
    assert (error.op, error.argument, error.index) == ("suspect", "z", (1,))
    for words in (
        "WRONG",
        "worst at z[1]: numeric",
        "z (2,) = [0.5, 1.5]",
        "upstream gradient g (2,)",
        "allowed",
        "S =",
    ):
        assert words in str(error)


def test_a_large_input_is_shown_by_its_shape():
    error = caught("wrong", op_with(np.sin, lambda g, out, z: g), np.linspace(-1, 1, 900).reshape(30, 30))
    assert "z (30, 30) = float64" in str(error)


@pytest.mark.parametrize(
    ("fn", "point"),
    [
        (mg.relu, [0.0, 1.0]), (mg.abs, [0.0, -1.0]), (mg.max, [1.0, 1.0, 0.5]), (mg.leaky_relu, [0.0]),
        (lambda z: mg.maximum(z, 0.5), [0.5, 0.25]), (lambda z: mg.clip(z, -1, 1), [-1.0, 1.0]),
        (lambda z: np.linalg.norm(z), [0.0, 0.0]), (mg.tanh, [0.0, 0.5]),
    ],
)  # fmt: skip
def test_subgradients_that_are_right(fn, point):
    check_subgradient(fn, np.array(point))


@pytest.mark.parametrize(
    ("forward", "vjp", "point"),
    [
        (lambda z: np.maximum(z, 0), lambda g, out, z: g * np.where(z == 0, 1.5, z > 0), [0.0, 1.0]),
        (lambda z: np.maximum(z, 0), lambda g, out, z: g * np.where(z == 0, -0.5, z > 0), [0.0, 1.0]),
        (np.abs, lambda g, out, z: g * np.where(z == 0, 1.1, np.sign(z)), [0.0]),
        (np.max, lambda g, out, z: g * (z == out), [1.0, 1.0, 0.5]),
        (np.max, lambda g, out, z: g * (z == out) / 3, [1.0, 1.0, 0.5]),
        (np.tanh, lambda g, out, z: g * (1 - out * out) * (1 + 1e-6), [0.0, 0.5]),
    ],
)
def test_subgradients_that_are_wrong(forward, vjp, point):
    with pytest.raises(GradientError) as error:
        check_subgradient(op_with(forward, vjp), np.array(point))
    assert error.value.kind == "subgradient"


def test_shares_of_a_tie_between_two_inputs_sum_to_one():
    both = np.array([1.0, 2.0])
    check_subgradient(np.maximum, both, both, vjp=lambda g, out, a, b: (g * 0.25, g * 0.75))
    with pytest.raises(GradientError, match="all inputs"):
        check_subgradient(np.maximum, both, both, vjp=lambda g, out, a, b: (g * 0.5, g * 0.25))


def test_no_slope_on_both_sides_is_an_error():
    with pytest.raises(GradientError, match="no direction"):
        check_subgradient(np.sqrt, np.array([0.0]), vjp=lambda g, out, z: g + 0)


@pytest.mark.parametrize(
    ("call", "exception", "words"),
    [
        (lambda: check_vjp(mg.exp, np.arange(3)), TypeError, "none of the 1 inputs can be differentiated"),
        (lambda: check_vjp(mg.exp, x, argnums=1), TypeError, "argnums 1"),
        (lambda: check_vjp(lambda z: None, x), TypeError, "returns arrays, not None"),
        (lambda: check_vjp(lambda z: ["a"], x), TypeError, "returns arrays, not"),
        (lambda: check_vjp(np.argmax, x, vjp=lambda g, out, z: z), TypeError, "dtype int64"),
        (lambda: check_vjp(np.exp, x, vjp=lambda g, out, z: (g, g)), TypeError, "2 gradients for 1 inputs"),
        (lambda: check_grads(mg.exp, x, order=0), ValueError, "order must be 1 or more"),
        (lambda: check_grads(mg.exp, x, order=True), ValueError, "order must be 1 or more"),
        (lambda: check_vjp(3, x), TypeError, "must be a function"),
    ],
)
def test_wrong_use(call, exception, words):
    with pytest.raises(exception, match=words):
        call()


def test_parameters_constants_and_tensors_pass():
    check_grads(mg.softmax, mg.tensor(x, requires_grad=True), axis=0)
    check_grads(mg.softmax_cross_entropy, x, np.array([0, 3, 1]))
    check_grads(mg.power, x + 3, 2.5)
    check_vjp(mg.multiply, x, x, argnums=(1,))
    check_vjp(mg.tanh, x.astype(np.float32))


def test_no_hypothesis_is_needed():
    code = "import sys, numpy as np, minigrad as mg; assert 'minigrad.testing' not in sys.modules; "
    code += "mg.testing.check_grads(mg.tanh, np.ones(3)); assert not {'hypothesis', 'pytest'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nothing"):
        mg.testing.nothing  # noqa: B018
