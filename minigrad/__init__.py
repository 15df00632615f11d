"""minigrad: define-by-run reverse-mode automatic differentiation on NumPy.

The public names, and nothing else. See `Tensor`, `op` and the ops.
"""

from . import ops
from ._tensor import Tensor, tensor
from .operation import op
from .ops import *
from .tape import no_grad, scope

__version__ = "0.1.0"
