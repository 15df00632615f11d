"""What programs import from autograd.core."""

import minigrad as mg

from . import extend
from .differential_operators import _vjp as make_vjp
from .extend import (
    Box,
    VSpace,
    def_linear,
    defjvp,
    defjvp_argnum,
    defjvp_argnums,
    defvjp,
    defvjp_argnum,
    defvjp_argnums,
    primitive_vjps,
    vspace,
)
from .tracer import getval, isbox

# fmt: off
__all__ = [
    "Box", "VSpace", "def_linear", "defjvp", "defjvp_argnum", "defjvp_argnums", "defvjp", "defvjp_argnum",
    "defvjp_argnums", "getval", "isbox", "make_jvp", "make_vjp", "primitive", "primitive_vjps", "vspace",
]
# fmt: on


def make_jvp(fun, x):
    """The function of v that returns the value of `fun` at x, and its derivative along v."""
    return lambda v: mg.jvp(fun, (x,), (v,))


def primitive(f):
    """The same as `extend.primitive`, with the methods of autograd before 1.2."""
    made, makers = extend.primitive(f), {}

    def defgrad(maker, argnum=0):
        makers[argnum] = maker
        defvjp(made, *makers.values(), argnums=tuple(makers))

    def defvjp_method(vjp, argnum=0):
        def maker(out, *x, **options):
            return lambda g: vjp(g, out, vspace(x[argnum]), vspace(g), *x, **options)

        defgrad(maker, argnum)

    made.defgrad, made.defvjp = defgrad, defvjp_method
    made.defvjp_is_zero = lambda argnums=(0,): [defgrad(None, argnum) for argnum in argnums]
    return made
