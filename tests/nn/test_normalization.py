"""Normalisation: what both layers do to the entries, by a spec; the layers themselves are in test_layers.py."""

import numpy as np
from hypothesis import strategies as st
from support.specification import Specs

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
