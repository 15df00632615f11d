"""What programs import from autograd.core."""

from .differential_operators import _vjp as make_vjp
from .extend import defvjp, defvjp_argnum, primitive, primitive_vjps
from .vspace import VSpace, vspace

__all__ = ["VSpace", "defvjp", "defvjp_argnum", "make_vjp", "primitive", "primitive_vjps", "vspace"]
