"""minigrad: define-by-run reverse-mode automatic differentiation on NumPy.

The public names, and nothing else. Begin at `Tensor`, `grad` and `op`.
"""

from importlib import import_module as _import_module

from . import ops as ops
from ._tensor import Tensor as Tensor
from ._tensor import tensor as tensor
from .operation import op as op
from .ops import *
from .tape import no_grad as no_grad
from .tape import scope as scope
from .transforms import checkpoint as checkpoint
from .transforms import grad as grad
from .transforms import hessian as hessian
from .transforms import hvp as hvp
from .transforms import jacobian as jacobian
from .transforms import jvp as jvp
from .transforms import value_and_grad as value_and_grad
from .transforms import vec as vec
from .transforms import vec_jacobian as vec_jacobian
from .transforms import vjp as vjp

__version__ = "0.1.0"


def __getattr__(name):
    """What reads the tape loads at its first use."""
    if name in ("testing", "viz"):
        return _import_module(f".{name}", __name__)
    if name in ("debug", "graph"):
        return getattr(_import_module(".viz", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
