"""Checks of derivatives against finite differences."""

from itertools import product

import numpy as np

import minigrad as mg
from minigrad.nest import flatten

from .differential_operators import _real, unary_to_nary
from .vspace import vspace

__all__ = ["check_equivalent", "check_grads", "check_jvp", "check_vjp", "combo_check", "scalar_close"]

EPS = 1e-6


def scalar_close(a, b):
    """Whether two numbers agree to 1e-6, absolutely or relatively."""
    return abs(a - b) < 1e-6 or abs(a - b) / abs(a + b) < 1e-6


# equivalent: flatten(x), flatten(y) -> flatten(y), flatten(x); a, b, rtol -> b, a, rtol because equality
# knows no order
def check_equivalent(x, y):
    """Assert that two nests agree in a random direction, up to their own size."""
    for a, b in zip(flatten(x), flatten(y), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


def check_vjp(f, x):
    """Assert that the VJP of f agrees with its derivative along a random direction."""
    x = _real(x)
    vector, unravel = mg.ravel_nest(x)
    y, pullback = mg.vjp(f, x)
    rng = np.random.default_rng(0)  # equivalent: 0 -> any number because any direction serves
    u, direction = vspace(y).randn(rng), mg.ravel_nest(vspace(x).randn(rng))[0]
    g = mg.ravel_nest(pullback(u)[0])[0]
    ahead, behind = (mg.ravel_nest(f(unravel(vector + step * direction)))[0] for step in (EPS / 2, -EPS / 2))
    slope = np.real(np.sum(mg.ravel_nest(u)[0] * (ahead - behind)) / EPS)
    failed = f"Derivative (VJP) check of {f.__name__} failed with arg {x}"
    along = np.real(np.sum(g * direction))
    # equivalent: along, slope -> slope, along because the one that the tolerance is relative to hardly matters
    np.testing.assert_allclose(along, slope, rtol=1e-4, atol=1e-5, err_msg=failed)


check_jvp = check_vjp  # a JVP is made of VJPs


@unary_to_nary
def check_grads(f, x, modes=(), order=2):
    """Check the derivatives of f up to this order; those of a VJP also in what it is given."""
    check_vjp(f, x)
    if order > 1:

        def pulled(x, g):
            return mg.vjp(f, x)[1](g)[0]

        pulled.__name__ = f"vjp_{f.__name__}"
        g = vspace(mg.vjp(f, _real(x))[0]).randn(np.random.default_rng(order))
        check_grads(pulled, (0, 1), order=order - 1)(x, g)


def combo_check(fun, *arguments, **options):
    """A function that checks the derivatives at every combination of the given arguments and options."""

    def check(*choices, **named):
        for x in product(*choices):
            for values in product(*named.values()):
                check_grads(fun, *arguments, **options)(*x, **dict(zip(named, values, strict=True)))

    return check
