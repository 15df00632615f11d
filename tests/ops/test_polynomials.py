"""Polynomials, against NumPy's."""

import numpy as np
from support.gradients import leaf
from support.specification import Specs, call, calls

import minigrad as mg

specs = Specs()
spec = specs.add

RNG = np.random.default_rng(0)
A = RNG.uniform(-2, 2, (3, 4))
V = RNG.uniform(-2, 2, 5)
W = RNG.uniform(-2, 2, 3)
first = {"argnums": 0}

spec("polyval", calls(call(W, 1.3), call(W, V), call(V, A)), np.polyval)
spec("polyadd", calls(call(V, W), call(W, V)), np.polyadd)
spec("polysub", calls(call(V, W), call(W, V)), np.polysub)
spec("polymul", calls(call(V, W)), np.polymul)
spec(
    "polydiv",
    calls(call(V, W), call(W, V), call(W, V[:1])),
    lambda u, v: np.concatenate(np.polydiv(u, v)),
    fn=lambda u, v: np.concatenate(mg.polydiv(u, v)),
)
spec("polyder", calls(call(V), call(V, 2)), np.polyder)
spec("polyint", calls(call(V), call(V, 2, W[:2]), call(V, 2, 0.5), call(V, 1, None)), np.polyint, options=first)
spec("poly", calls(call(W), call(V)), np.poly, refused=(((A,), {}, ValueError, "must be a vector"),))
spec(
    "roots",
    calls(call(np.array([1.5, -2.0, -3.0, 0.4])), call(np.array([1.0, -3.0, 0.0]))),
    np.roots,
    refused=(((A,), {}, ValueError, "rank-1 array"),),
)
spec(
    "vander",
    calls(call(W), call(W, 2), call(W, 4, True)),
    np.vander,
    refused=(((A,), {}, ValueError, "must be a vector"),),
)

TestSpecs = specs.tests(examples=3)


def test_polynomials_are_multiplied_without_zeros_in_front():
    for a, b in (([0.0, 0, 1], [1.0, 2]), ([0.0, 0], [1.0, 2]), ([3.0, 0], [0.0, 2, 0])):
        np.testing.assert_array_equal(np.polymul(leaf(a), b).data, np.polymul(a, b))
