"""`x + y` and its like on Tensors and Python numbers, written out: the hot path of programs of small arrays.

Each method does what calling the op does, without the cases that can't arise for two arguments and no
parameter. Anything but a Tensor or a Python number takes the general call. A test compares the two.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from . import operation
from .operation import NUMPY_ERRORS, Op
from .settings import in_force, recording, setting
from .tape import Node, next_number


def operators(op: Op) -> tuple[Callable, Callable]:
    """Return `x + y` and `y + x` as methods of Tensor, for an op of two arguments and no parameter."""
    forward, parameters = op.forward, op.parameters

    def method(x: Any, y: Any) -> Any:
        Tensor = operation.Tensor
        p = q = None
        if type(x) is Tensor:
            a, p = x._array, x.node
        elif type(x) is float or type(x) is int:
            a = x
        else:
            return op(x, y)
        if type(y) is Tensor:
            b, q = y._array, y.node
        elif type(y) is float or type(y) is int:
            b = y
        else:
            return op(x, y)
        try:
            output = forward(a, b)
        except NUMPY_ERRORS:
            return op(x, y)  # which names the error
        if type(output) is not ndarray:
            output = np.asarray(output)
        tensor = new(Tensor)
        tensor._array = output
        settings = in_force()
        if (p is None and q is None) or (settings and not recording()):
            tensor.node = None
        else:
            tensor.node = node = Node()
            node.op, node.parents, node.arguments = op, (p, q), (a, b)
            node.parameters, node.output, node.number = parameters, output, next_number()
            node.scope = setting("scope", ()) if settings else ()
        return tensor

    def reflected(y: Any, x: Any) -> Any:
        return method(x, y)

    return method, reflected


new = object.__new__
