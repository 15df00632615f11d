"""What programs import from autograd.core."""

from . import extend
from .differential_operators import _vjp as make_vjp
from .extend import defvjp, defvjp_argnum, primitive_vjps
from .vspace import VSpace, vspace

__all__ = ["VSpace", "defvjp", "defvjp_argnum", "make_vjp", "primitive", "primitive_vjps", "vspace"]


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
