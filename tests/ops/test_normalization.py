"""Normalisation: value and derivatives by specs, dtypes and large arrays one by one; the layers are in tests/nn."""

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support.gradients import numeric
from support.specification import Specs

import minigrad as mg
from minigrad import nn
from minigrad.ops import normalization
from minigrad.testing import strategies as s

specs = Specs()


def by_numpy(x, weight, bias, axis, eps):
    deviation = x - np.mean(x, axis, keepdims=True)
    return deviation / np.sqrt(np.mean(deviation**2, axis, keepdims=True) + eps) * weight + bias


def last_axes(x, n, weight=None, bias=None, eps=1e-5):
    weight, bias = 1 if weight is None else weight, 0 if bias is None else bias
    return by_numpy(x, weight, bias, tuple(range(-np.size(n), 0)), eps)


arrays = s.tensors(min_dims=2, max_dims=3, min_side=1)


@st.composite
def calls(draw):
    """x, the axes, and W and B, which broadcast."""
    x, axis = draw(arrays), draw(st.sampled_from([(-1,), (0,), (0, -1)]))
    weight, bias = draw(s.tensors(x.shape[-1:])), draw(s.tensors((x.shape[-2], 1)))
    return x, weight, bias, axis, draw(st.sampled_from([0.1, 1.0]))


@st.composite
def calls_of_last_axes(draw):
    """x, the sizes of the last axes as an int, a tuple or a list, and neither, one or both of W and B."""
    x = draw(arrays)
    shape = draw(st.sampled_from([x.shape[-1], x.shape[-1:], [*x.shape[-2:]]]))
    given = [draw(s.tensors(tuple(np.atleast_1d(shape)))) for _ in range(2)]
    rest = draw(st.sampled_from([(), given[:1], (None, given[1]), given]))
    return s.Call((x, shape, *rest), {"eps": draw(st.sampled_from([0.1, 1.0]))})


specs.add(
    "normalize",
    calls(),
    by_numpy,
    fn=lambda x, weight, bias, axis, eps: normalization.normalized(x, weight, bias, axis=axis, eps=eps, saved={}),
    options={"argnums": (0, 1, 2)},
)
specs.add(
    "layer_norm",
    calls_of_last_axes(),
    last_axes,
    refused=(
        ((np.ones((2, 3)), 2), {}, ValueError, r"x must end in normalized_shape, \(2,\), not \(2, 3\)"),
        ((np.ones(()), ()), {}, ValueError, "x must end in normalized_shape"),
        ((np.ones((2, 3)), ()), {}, ValueError, "x must end in normalized_shape"),
        ((np.ones((2, 3)), (1, 2, 3)), {}, ValueError, "x must end in normalized_shape"),
        ((np.ones((2, 3)), 3, np.ones(2)), {}, ValueError, r"weight must be \(3,\), not \(2,\)"),
        ((np.ones((2, 3)), 3, None, np.ones((2, 3))), {}, ValueError, r"bias must be \(3,\), not \(2, 3\)"),
    ),
)
TestSpecs = specs.tests()


def test_dtypes_are_those_of_the_formula():
    """float16 is computed in float32; integers count as float64; W and B widen the result."""
    x = np.array([[1.0, 2.0, 4.0], [-300.0, 200.0, 100.0]])
    half = mg.layer_norm(x.astype(np.float16), 3)
    assert half.dtype == np.float16
    assert_allclose(half, last_axes(x, 3), rtol=1e-3)
    assert mg.layer_norm(x.astype(np.float32), 3, eps=1e-3).dtype == np.float32
    assert mg.layer_norm(x.astype(np.float32), 3, np.ones(3)).dtype == np.float64
    assert_allclose(mg.layer_norm(x.astype(int), 3), last_axes(x, 3), rtol=1e-12)
    assert_array_equal(mg.layer_norm(np.ones((2, 0)), 0), np.ones((2, 0)))
    assert_array_equal(mg.grad(lambda x: mg.sum(mg.layer_norm(x, 0)))(np.ones((2, 0))), np.ones((2, 0)))
    with pytest.raises(TypeError, match="layer_norm: complex numbers"):
        mg.layer_norm(x + 1j, 3)


@pytest.mark.parametrize("frozen", ["x", "weight and bias", "nothing"])
def test_second_derivatives_where_some_arguments_are_arrays(frozen):
    """The gradient of what needs one, again by finite differences."""
    x, w = np.array([[1.0, 2.0, 4.0], [3.0, 2.0, -1.0]]), np.array([1.0, -2.0, 0.5])

    def loss(x, w):
        return mg.sum(mg.layer_norm(x, 3, w, w * w, 0.1) ** 3)

    chosen = {"x": (lambda w: loss(x, w), w), "weight and bias": (lambda x: loss(x, w), x)}
    f, at = chosen.get(frozen, (lambda x: loss(x, x[0] + w), x))
    mg.testing.check_grads(f, at, order=2, float32=False)


@pytest.mark.parametrize(("kind", "shape"), [(nn.LayerNorm, (2, 3)), (nn.BatchNorm2d, (2, 3, 2, 1))])
def test_the_hessian_in_what_a_frozen_layer_takes(kind, shape):
    rng = np.random.default_rng(0)
    layer, x, w = kind(3, dtype=float), rng.normal(size=shape), rng.normal(size=shape)
    for parameter in layer.parameters():
        parameter.requires_grad = False
    loss = lambda x: np.sum(layer(x) * w)  # noqa: E731
    along = rng.normal(size=shape)
    product = numeric(lambda x: mg.grad(loss)(x) * along, x)
    assert_allclose(mg.hvp(loss, x, along), product, atol=1e-7)
    assert_allclose(np.tensordot(mg.hessian(loss)(x), along, x.ndim), product, atol=1e-7)
