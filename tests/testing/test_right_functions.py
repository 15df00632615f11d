"""Right functions that were refused once: coincidences, roundings, constants, cancellation, edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing import GradientError, check_grads, check_vjp, gradtest
from minigrad.testing import strategies as s

matrix = np.random.default_rng(0).normal(size=(4, 4)) + 3 * np.eye(4)


def kind(fn, *inputs, **options):
    with pytest.raises(GradientError) as error:
        check_vjp(fn, *inputs, **options)
    return error.value.kind


def test_a_kink_of_one_entry_among_many_is_not_called_wrong():
    x = np.array([[0.1875, -0.4375, -0.3125, 0.0625], [-0.1875, 0.3125, -0.0625, 0.4375]])
    w = np.array([[-0.4375, -0.3125], [-0.1875, -0.0625], [0.0625, 0.1875], [0.3125, 0.4375]])
    assert (x @ w)[0, 0] == 0
    assert kind(lambda x, w: mg.relu(x @ w), x, w) == "inconclusive"


@pytest.mark.parametrize("share", [1e-1, 1e-3, 1e-5])
def test_a_kink_that_is_a_small_part_of_the_slope_is_not_called_wrong(share):
    x = np.array([0.5, 0.7, 0.9])
    assert kind(lambda x: np.sum(np.sin(x)) + share * mg.relu(x[0] - 0.5), x) == "inconclusive"


three, dense = s.tensors((3,)), s.tensors((2, 4))
test_a_dense_layer = gradtest(dense, s.tensors((4, 2)), order=1)(lambda x, w: mg.relu(x @ w))
test_the_distance_of_two_tensors = gradtest(three, three, order=1)(lambda x, y: np.sqrt(np.sum((x - y) ** 2)))
test_the_relu_of_a_sum = gradtest(s.tensors(min_side=1), order=1)(lambda x: mg.relu(np.sum(x)))


@given(st.tuples(s.tensors((3,), gap=True), s.tensors((3,), gap=True), three))
def test_no_two_arrays_of_an_example_are_alike(arrays):
    x, y, z = arrays
    assert not set(x) & set(y)
    assert not set(y) & set(z)
    assert np.sum(x) != 0
    assert np.sum(x) != np.sum(y)


@pytest.mark.parametrize(
    "fn",
    [
        np.linalg.norm, np.std, lambda a: np.linalg.svd(a, compute_uv=False),
        lambda a: np.linalg.eigvalsh(a + np.swapaxes(a, -1, -2)),
        lambda a: np.linalg.multi_dot([a, a, a]), lambda a: np.einsum("ij,jk,kl->il", a, a, a),
    ],
)  # fmt: skip
def test_arrays_and_tensors_may_differ_by_rounding(fn):
    check_vjp(lambda a: fn(a), matrix, float32=False)


def test_a_long_sum_in_float32():
    half = np.random.default_rng(0).uniform(0, 2, 50_000)
    check_vjp(lambda x: np.sum(np.sin(x)), np.concatenate([half, -half[::-1]]))


@pytest.mark.parametrize("c", [5e-324, 1e-320, 2.3e-308, 1e-200])
def test_a_subnormal_number(c):
    check_vjp(lambda x, c: x * c, np.array(0.5), c)


@pytest.mark.parametrize(
    ("fn", "x"),
    [
        (lambda x: (x + 1e4) - 1e4, [0.0625]),
        (lambda x: (x + 1e10) - 1e10, [0.0625, 0.3]),
        (lambda x: np.mean(x * x) - np.mean(x) ** 2, [9999.1, 10000.2, 10000.9]),
        (lambda x: (1 - np.cos(x)) / x**2, [0.01, 0.02]),
    ],
)
def test_cancellation_is_not_called_wrong(fn, x):
    assert kind(fn, np.array(x), float32=False) == "inconclusive"


@pytest.mark.parametrize(("fn", "size"), [(mg.softmax, 1e-6), (lambda x: mg.tanh(x) - x, 1e-2)])
def test_second_derivatives_of_what_cancels_at_small_inputs(fn, size):
    for seed in range(3):
        x = size * np.random.default_rng(seed).uniform(-1, 1, 3)
        check_grads(lambda x: fn(x).sum(), x, order=2, seed=seed, float32=False)


def test_small_inputs_that_vanish_beside_one_are_not_called_wrong():
    for seed in range(10):
        x = 1e-12 * np.random.default_rng(seed).uniform(-1, 1, 3)
        assert kind(lambda x: mg.sigmoid(x) - 0.5, x, seed=seed, float32=False) == "inconclusive"


@pytest.mark.parametrize("fn", [mg.sigmoid, mg.tanh, mg.gelu, mg.softplus])
def test_a_saturated_function(fn):
    for z in (-30.0, -16.2, -7.8, 9.0, 20.0, 34.0, 37.0):
        check_grads(fn, np.array(z), float32=False)


def test_a_function_that_is_constant_but_for_rounding():
    for size in (0.3, 1.7, 1.9):
        check_grads(lambda x: x / np.sqrt(np.sum(x * x)), np.array([size]))


@pytest.mark.parametrize(
    ("fn", "domain"),
    [
        (lambda x: np.arccos(x), (-1, 1)), (lambda x: np.log1p(x), (-1, 2)), (lambda x: np.sqrt(1 - x * x), (-1, 1)),
        (lambda x: np.log(x) - np.log(1 - x), (0, 1)), (lambda x: np.arccosh(x), (1, 3)),
    ],
)  # fmt: skip
def test_a_domain_up_to_its_edges(fn, domain):
    gradtest(s.tensors(domain=domain), order=1)(fn)()


@pytest.mark.parametrize("edges", [(0.25, 1.5), (-3.0, -1.0), (-2.0, 2.0), (0.0, 1.0)])
def test_steps_stay_in_the_domain(edges):
    low, high = edges

    @settings(max_examples=20)
    @given(s.tensors((40,), domain=edges))
    def inside(x):
        assert np.all((x - np.abs(x) / 64 >= low) & (x + np.abs(x) / 64 <= high))

    inside()


@pytest.mark.parametrize("constant", [np.float64(0.5), np.int64(3), [0.5, 1.0, 2.0], (np.ones(3), np.ones(3)), 2.0])
def test_constants_keep_float32(constant):
    @mg.op
    def scaled(x, *, s):
        return x * (s[0] if isinstance(s, tuple) else s)

    @scaled.vjp("x")
    def _(g, y, x, s):
        return g * (s[0] if isinstance(s, tuple) else s)

    check_vjp(scaled, np.ones(3), s=constant)


@pytest.mark.parametrize("x", [6.45e-5, 1e-3, 0.0])
def test_numbers_of_order_one_that_cancel_in_float32(x):
    check_vjp(lambda z: np.log(np.sum(np.exp(z))), np.array([x]))
