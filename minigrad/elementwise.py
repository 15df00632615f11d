"""Elementwise ops, a row of a table each, and Python's operators on Tensors.

`x + y` writes out what calling the op does, without the cases that can't arise for two arguments and no
parameter: the hot path of programs of small arrays. A test compares the two.
"""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

import numpy as np
from numpy import ndarray

from . import operation, stand_ins, writes
from .blockwise import LARGE
from .errors import NUMPY_ERRORS, plain_array
from .operation import Op, array_of
from .settings import debugger, in_force, recording, setting
from .tape import Node, next_number
from .typing import BinaryMethod

_new = object.__new__
_IMMUTABLE = frozenset({float, int, np.float64, np.float32, np.int64})  # recorded as they are
_CHEAP = np.add, np.subtract, np.multiply, np.negative, np.positive  # VJPs as fast as memory, which blocks would slow
_FAST = *_CHEAP, np.divide, np.square, np.absolute, np.maximum, np.minimum, np.sign, np.reciprocal, np.sqrt  # forward


def elementwise(ufunc: np.ufunc, equation: str, *, name: str | None = None, table: Any = None, **vjps: Any) -> Op:
    """A row of a table of ops: a ufunc, what its derivative is, and its VJPs by argument name (None: it has none)."""
    made = Op(ufunc, tuple(vjps))
    made.__name__ = made.__qualname__ = name or ufunc.__name__
    made.__module__ = "minigrad.ops"
    # equivalent: any change because blocks, and the whole, give the same
    made.elementwise, made.elementwise_vjps = 1 if ufunc in _FAST else 2, ufunc not in _CHEAP
    made.__doc__ = equation
    made.__signature__ = inspect.Signature([_argument(name) for name in vjps], return_annotation="Array")
    for argument, vjp in vjps.items():
        made.vjp(argument, vjp)
    (stand_ins.NUMPY if table is None else table)[ufunc] = made
    return made


@cache
def _argument(name: str) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation="Array")


def defers(y: Any) -> bool:
    """Whether an operand has operators of its own that NumPy's arrays leave the operation to."""
    return hasattr(y, "__array_ufunc__") and y.__array_ufunc__ is None


def operators(op: Any) -> tuple[BinaryMethod, BinaryMethod]:
    """Return `x + y` and `y + x` as methods of Tensor, for an op of two arguments and no parameter."""
    forward, parameters = op.forward, op.parameters

    # equivalent: any change because op(x, y), which every case may be left to, gives the same, slower
    def method(x: Any, y: Any) -> Any:
        Tensor = operation.Tensor
        p = q = None
        if type(x) is Tensor:
            a, p = x._array, x.node
            if a.nbytes >= LARGE:
                return op(x, y)
        elif type(x) in _IMMUTABLE:
            a = x
        else:
            return NotImplemented if defers(x) else op(x, y)
        if type(y) is Tensor:
            b, q = y._array, y.node
        elif type(y) in _IMMUTABLE:
            b = y
        else:
            return NotImplemented if defers(y) else op(x, y)
        settings = in_force()
        if settings and debugger():
            return op(x, y)
        try:
            output = forward(a, b)
        except NUMPY_ERRORS:
            return op(x, y)  # which names the error
        if type(output) is not ndarray:
            output = np.asarray(output)
        tensor = _new(Tensor)
        tensor._array = output
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

    method.__qualname__ = reflected.__qualname__ = op.__name__
    return method, reflected


def in_place(op: Any, ufunc: np.ufunc) -> BinaryMethod:
    """`x += y`: an update in place of a leaf where nothing is recorded, else a new Tensor."""

    def method(x: Any, y: Any) -> Any:
        if x.is_leaf and not recording():
            return _update(x, ufunc, y)
        if x.is_leaf and x.requires_grad:
            raise TypeError(
                f"{op.__name__}: a leaf that needs a gradient can't be updated in place while ops are recorded: update "
                "it inside `with mg.no_grad():`, or compute a new Tensor, as by `x = x + y`"
            )
        return op(x, y)

    method.__qualname__ = op.__name__
    return method


def _update(x: Any, ufunc: np.ufunc, y: Any) -> Any:
    """x with its array written to. Results that used it refuse to be differentiated from now on."""
    y = array_of(y)
    # equivalent: without type(y) is not ndarray and because an array is then copied, which is only slower
    if type(y) is not ndarray and not isinstance(y, (int, float, np.generic)):
        y = plain_array(y, ufunc.__name__, "x2")
    try:
        ufunc(x._array, y, out=x._array, casting="same_kind")
    except (ValueError, TypeError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        what = f"can't update a Tensor of shape {x.shape} and dtype {x.dtype} in place"
        raise kind(f"{ufunc.__name__}: {what}: {error}") from error
    writes.note(x._array, next_number())
    return x
