"""Losses: value and derivatives by specs, extremes and refusals one by one."""

import warnings

import numpy as np
import pytest
from hypothesis import strategies as st
from support import naive
from support.specification import Specs, drawn_from

import minigrad as mg
from minigrad.testing import strategies as s

specs = Specs()
spec = specs.add


logits = s.shapes(min_dims=2, max_dims=2, min_side=1).flatmap(lambda shape: s.tensors(shape, domain=(-4, 4)))
spec(
    "softmax_cross_entropy",
    drawn_from(
        logits,
        lambda z: st.tuples(st.lists(st.integers(0, z.shape[1] - 1), min_size=len(z), max_size=len(z)).map(np.array)),
    ),
    naive.softmax_cross_entropy,
    refused=(
        ((np.zeros((2, 3)), np.zeros(3, int)), {}, ValueError, "labels"),
        ((np.zeros((2, 3)), np.zeros((2, 3), int)), {}, ValueError, r"not one-hot rows \(2, 3\): pass labels.argmax"),
        ((np.zeros((2, 2)), np.eye(2)), {}, ValueError, r"not one-hot rows \(2, 2\): pass labels.argmax"),
        ((np.zeros((2, 3)), np.zeros((2, 2), int)), {}, ValueError, r"labels \(N,\), neither empty"),
        ((np.zeros((2, 3, 1)), np.zeros((2, 3, 1), int)), {}, ValueError, r"logits must be \(N, K\)"),
        ((np.zeros(2), np.zeros(2, int)), {}, ValueError, r"logits must be \(N, K\)"),
        ((np.zeros((0, 3)), np.zeros(0, int)), {}, ValueError, "neither empty"),
        ((np.zeros((1, 3)), np.zeros(1)), {}, TypeError, "must be integers"),
        ((np.zeros((1, 3)), np.array([3])), {}, ValueError, "reach from 3 to 3"),
        ((np.zeros((1, 3)), np.array([-1])), {}, ValueError, "reach from -1"),
    ),
)
same = s.shapes(min_side=1).flatmap(lambda shape: st.tuples(s.tensors(shape), s.tensors(shape, domain=(0.125, 0.875))))
unlike = (
    ((np.zeros(3), np.zeros((1, 3))), {}, ValueError, "one shape"),
    ((np.zeros(0), np.zeros(0)), {}, ValueError, "no entries"),
)
spec("mean_squared_error", same, lambda p, t: sum((p - t).ravel() ** 2) / p.size, refused=unlike)
spec("binary_cross_entropy_with_logits", same, naive.binary_cross_entropy_with_logits, refused=unlike)

TestSpecs = specs.tests()


def test_binary_cross_entropy_keeps_small_losses():
    z = np.array([10, 14, 20, 80], np.float32)
    for sign, y in ((1, 1), (-1, 0)):
        losses = [mg.binary_cross_entropy_with_logits(z[i : i + 1] * sign, np.full(1, y, np.float32)) for i in range(4)]
        np.testing.assert_allclose(losses, np.log1p(np.exp(-z.astype(float))), rtol=1e-6)


def test_cross_entropy_of_rows_far_apart():
    logits = np.array([[1e3, 0.0], [-1e3, -2e3]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mg.softmax_cross_entropy(logits, np.array([1, 0])) == 500


@pytest.mark.parametrize("labels", [[0, 3], [3, 0], [-1, 1], [1, -1]])
def test_one_label_out_of_range_is_enough(labels):
    message = rf"labels must be in \[0, 3\), but reach from {min(labels)} to {max(labels)}"
    with pytest.raises(ValueError, match=message):
        mg.softmax_cross_entropy(np.zeros((2, 3)), np.array(labels))


@pytest.mark.parametrize("loss", [mg.mean_squared_error, mg.binary_cross_entropy_with_logits])
def test_a_loss_names_the_shapes_in_their_order(loss):
    with pytest.raises(ValueError, match=rf"{loss.__name__}: .* not \(3,\) and \(1, 3\)"):
        loss(np.zeros(3), np.zeros((1, 3)))


def test_an_infinite_logit_that_is_right_adds_nothing_to_the_binary_cross_entropy():
    z, y = np.array([np.inf, -np.inf, 0.0]), np.array([1.0, 0.0, 1.0])
    np.testing.assert_allclose(mg.binary_cross_entropy_with_logits(z, y), np.log(2) / 3)
    assert mg.binary_cross_entropy_with_logits(z, 1 - y) == np.inf
    for z in ([np.inf, 2.0], [-np.inf, 0.5]):
        y = np.array([z[0] > 0, 1.0])
        np.testing.assert_allclose(mg.binary_cross_entropy_with_logits(np.array(z), y), np.log1p(np.exp(-z[1])) / 2)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_gradient_of_cross_entropy_is_the_same_each_time_and_where_it_is_recorded(dtype):
    z = np.random.default_rng(0).normal(size=(6, 40)).astype(dtype)
    labels = np.arange(6)
    x = mg.tensor(z, requires_grad=True)
    loss = mg.softmax_cross_entropy(x, labels)
    loss.backward(retain_graph=True)
    first = x.grad.copy()
    loss.backward()
    np.testing.assert_array_equal(x.grad, 2 * first)
    recorded = mg.grad(lambda x: (mg.grad(lambda x: mg.softmax_cross_entropy(x, labels))(x) * z).sum())(z)
    p = mg.softmax(z.astype(float))
    expected = p * (z - (p * z).sum(axis=1, keepdims=True)) / 6
    np.testing.assert_allclose(recorded, expected, rtol=0, atol=np.finfo(dtype).eps)
    np.testing.assert_allclose(first, (p - np.eye(40)[labels]) / 6, rtol=0, atol=np.finfo(dtype).eps)
