"""Which function of minigrad stands for which of NumPy's, where that meets a Tensor.

The families of ops register here while they are imported; NumPy's two protocols look here (_numpy.py).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from .errors import named
from .operation import Op
from .signature import from_numpy

NUMPY: dict[Any, Any] = {}  # NumPy function -> what stands for it when it is called with a Tensor


def implements(*functions: Any) -> Callable:
    """Let what is decorated, an op or a function of ops, stand for these NumPy functions where they meet a Tensor."""

    def register(stand_in):
        if isinstance(stand_in, Op):
            stand_in.numpy = functions[0]
        else:
            stand_in.__name__ = stand_in.__name__.lstrip("_")  # what errors call it
            stand_in = named(stand_in, partial(from_numpy, functions[0], stand_in))
        NUMPY.update(dict.fromkeys(functions, stand_in))
        return stand_in

    return register


def extends(op: Op) -> Callable:
    """Let a function of ops compute the calls of this op that have further parameters, such as where=."""

    def register(function):
        function.__name__ = op.__name__
        op.extended = named(function, partial(from_numpy, op.numpy, function))
        return op.extended

    return register
