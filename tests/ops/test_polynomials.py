"""Polynomials, against NumPy's."""

import numpy as np
import pytest
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
    for a, b in (([0.0, 0, 1], [1.0, 2]), ([0.0, 0, 0], [1.0, 2]), ([np.nan, 1], [1.0]), ([3.0, 0], [0.0, 2, 0])):
        np.testing.assert_array_equal(np.polymul(leaf(a), b).data, np.polymul(a, b))


@pytest.mark.parametrize("dtype", [int, np.float32, float])
@pytest.mark.parametrize(
    "call",
    [
        *[lambda p, m=m: np.polyder(p, m) for m in (0, 1, 3, 4, 9)],
        *[lambda p, m=m: np.polyint(p, m) for m in (0, 1, 3)],
        lambda p: np.polyint(p, 2, [3, 5]),
        lambda p: np.polyint(p, k=7),
        *[lambda p, x=x: np.polyval(p, x) for x in (2, 2.5, np.float32(0.5), np.arange(3))],
        lambda p: np.polyval([1, 2], p),
        *[lambda p, q=q: np.polydiv(p, q)[0] for q in ([2, 1], [3], [1, 2, 3, 4, 5], [2, 0, 0, 0])],
        *[lambda p, q=q: np.polydiv(p, q)[1] for q in ([2, 1], [3], [1, 2, 3, 4, 5], [2, 0, 0, 0])],
        *[lambda p, q=q: np.polydiv(q, p)[1] for q in ([2, 1], [4, 2, -6, 8], [8, 4, -12, 16.5], [4, 2, -6, 8 + 1e-9])],
        *[lambda p, first=first: np.polydiv([first, 1.0], p)[1] for first in (1e-8, -1.0)],
        lambda p: np.polydiv([1.1e-8, 1.0], p)[1],
        *[lambda p, f=f: f(p, [2, 1]) for f in (np.polyadd, np.polysub, np.polymul)],
        *[lambda p, f=f: f(3, p) for f in (np.polyadd, np.polysub, np.polymul)],
        lambda p: np.poly(p),
        lambda p: np.poly(p[:0]),
        *[lambda p, n=n: np.vander(p, n) for n in (None, 0, 1, 6)],
        lambda p: np.vander(p, 3, True),
        lambda p: np.vander(p, increasing=True),
    ],
)
def test_calls_of_polynomials_are_those_of_numpy(call, dtype):
    p = np.array([2, 1, -3, 4], dtype)
    found, expected = call(mg.tensor(p)), call(p)
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(getattr(found, "data", found), expected, rtol=1e-5 if dtype is np.float32 else 1e-12)
    if dtype is float:
        assert np.asarray(getattr(found, "data", found)).dtype == np.asarray(expected).dtype


def test_calls_of_polynomials_that_do_not_fit_are_refused():
    for given, sentence in (
        (lambda p: np.polyder(p, -1), "polyder: m must be 0 or more, not -1"),
        (lambda p: np.vander(p, -1), "vander: negative dimensions"),
        (lambda p: np.polyval(p[None], 1.0), r"polyval: p must be a vector, not \(1, 2\)"),
        (lambda p: np.polyint(p, 3, [1.0, 2.0]), "polyint: "),
    ):
        with pytest.raises(ValueError, match=f"^{sentence}"):
            given(leaf([1.0, 2.0]))


def test_no_quotient_has_the_dtype_of_both():
    for first, second in ((np.float32, float), (float, np.float32), (np.float32, np.float32)):
        u, v = np.ones(2, first), np.ones(3, second)
        found = mg.polydiv(u, v)[0]
        np.testing.assert_array_equal(found, np.zeros(1, np.result_type(first, second)), strict=True)


@pytest.mark.parametrize("function", [np.polyadd, np.polysub, np.polymul, np.polydiv])
def test_coefficients_are_vectors(function):
    for a, b in ((A, V), (V, A), (A, A)):
        with pytest.raises(ValueError, match=rf"^{function.__name__}: the coefficients must be vectors, not of shape"):
            function(leaf(a), b)


def test_a_derivative_of_a_matrix_of_coefficients_is_refused():
    for function in (np.polyder, np.polyint):
        with pytest.raises(ValueError, match=rf"^{function.__name__}: the coefficients must be vectors, not of shape"):
            function(leaf(A))


def test_powers_of_small_integers_do_not_wrap_around():
    x = np.array([100, 3], np.uint8)
    found = np.vander(mg.tensor(x), 4)
    assert found.tolist() == np.vander(x, 4).tolist()
    assert found.dtype == np.vander(x, 4).dtype
