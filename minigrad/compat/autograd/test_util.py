"""Checks of derivatives against finite differences."""

from itertools import product

import numpy as np

import minigrad as mg

from ...nest import flatten, unflatten
from .differential_operators import _real

__all__ = ["check_equivalent", "check_grads", "check_jvp", "check_vjp", "combo_check", "scalar_close"]

EPS = 1e-6


def scalar_close(a, b):
    """Whether two numbers agree to 1e-6, absolutely or relatively."""
    return abs(a - b) < 1e-6 or abs(a - b) / abs(a + b) < 1e-6


def check_equivalent(x, y):
    """Assert that two nests agree in a random direction, up to their own size."""
    for a, b in zip(flatten(x), flatten(y), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


def check_vjp(f, x):
    """Assert that the VJP of f agrees with its derivative along a random direction."""
    x = _real(x)
    vector, unravel = mg.ravel_nest(x)
    y, pullback = mg.vjp(f, x)
    rng = np.random.default_rng(0)
    u, direction = _random_like(y, rng), mg.ravel_nest(_random_like(x, rng))[0]
    g = mg.ravel_nest(pullback(u)[0])[0]
    ahead, behind = (mg.ravel_nest(f(unravel(vector + step * direction)))[0] for step in (EPS / 2, -EPS / 2))
    slope = np.dot(mg.ravel_nest(u)[0], (ahead - behind) / EPS)
    np.testing.assert_allclose(np.real(np.dot(g, direction)), np.real(slope), rtol=1e-4, atol=1e-5)


def _random_like(nest, rng):
    """A nest of the same structure of normal numbers, complex where it is."""

    def normal(leaf):
        z = rng.normal(size=(2, *np.shape(leaf)))
        return z[0] + 1j * z[1] if np.iscomplexobj(leaf) else z[0]

    return unflatten(nest, map(normal, flatten(nest)))


check_jvp = check_vjp  # a JVP is made of VJPs


def check_grads(f, argnum=0, modes=(), order=2):
    """A function that checks the derivatives of f up to this order at its arguments."""

    def check(*x, **options):
        chosen = [*argnum] if isinstance(argnum, (tuple, list)) else [argnum]
        chosen = [*range(len(x))] if argnum == 0 else chosen
        numbers = [i for i in chosen if np.asarray(x[i]).dtype.kind in "fiuc"] if len(x) > 1 else [0]

        def of_chosen(parts):
            arguments = list(x)
            for i, part in zip(numbers, parts, strict=True):
                arguments[i] = part
            return f(*arguments, **options)

        _check(of_chosen, [_real(x[i]) for i in numbers], order)

    return check


def _check(f, x, order):
    check_vjp(f, x)
    if order > 1:
        y, _ = mg.vjp(f, x)
        rng = np.random.default_rng(order)
        g = _random_like(y, rng)
        _check(lambda x: mg.vjp(f, x)[1](g)[0], x, order - 1)


def combo_check(fun, *arguments, **options):
    """A function that checks the derivatives at every combination of the given arguments and options."""

    def check(*choices, **named):
        for x in product(*choices):
            for values in product(*named.values()):
                check_grads(fun, *arguments, **options)(*x, **dict(zip(named, values, strict=True)))

    return check
