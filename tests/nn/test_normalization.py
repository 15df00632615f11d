"""Normalisation: what both layers do to the entries, by a spec; the layers themselves are in test_layers.py."""

import numpy as np
import pytest
from hypothesis import strategies as st
from support.gradients import numeric
from support.specification import Specs

import minigrad as mg
from minigrad import nn
from minigrad.nn import normalization
from minigrad.testing import strategies as s

specs = Specs()


def standardized(x, axis, eps):
    return normalization._standardize(x, axis=axis, eps=eps, saved={})


def by_numpy(x, axis, eps):
    deviation = x - np.mean(x, axis, keepdims=True)
    return deviation / np.sqrt(np.mean(deviation**2, axis, keepdims=True) + eps)


arrays = s.tensors(min_dims=2, max_dims=3, min_side=1)
specs.add(
    "standardize",
    st.tuples(arrays, st.sampled_from([(-1,), (0,), (0, -1)]), st.sampled_from([0.1, 1.0])),
    by_numpy,
    fn=standardized,
    options={"argnums": 0},
)
TestSpecs = specs.tests()


@pytest.mark.parametrize(("kind", "shape"), [(nn.LayerNorm, (2, 3)), (nn.BatchNorm2d, (2, 3, 2, 1))])
def test_the_hessian_in_what_a_frozen_layer_takes(kind, shape):
    rng = np.random.default_rng(0)
    layer, x, w = kind(3, dtype=float), rng.normal(size=shape), rng.normal(size=shape)
    for parameter in layer.parameters():
        parameter.requires_grad = False
    loss = lambda x: np.sum(layer(x) * w)  # noqa: E731
    along = rng.normal(size=shape)
    product = numeric(lambda x: mg.grad(loss)(x) * along, x)
    np.testing.assert_allclose(mg.hvp(loss, x, along), product, atol=1e-7)
    np.testing.assert_allclose(np.tensordot(mg.hessian(loss)(x), along, x.ndim), product, atol=1e-7)
