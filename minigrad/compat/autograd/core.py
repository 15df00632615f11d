"""What programs import from autograd.core."""

from . import extend
from .differential_operators import _jvp as make_jvp
from .differential_operators import _vjp as make_vjp
from .extend import *  # noqa: F403
from .extend import defvjp, primitive_vjps, vspace
from .tracer import getval, isbox

__all__ = [*extend.__all__, "getval", "isbox", "make_jvp", "make_vjp", "primitive_vjps"]


def primitive(f):  # type: ignore[no-redef]
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
