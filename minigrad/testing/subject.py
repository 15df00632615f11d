"""`Subject`: a function and its inputs as a check sees them, whatever library the function is of.

It knows which inputs are differentiated, evaluates in plain arrays, and pulls a gradient back:
by `mg.vjp`, or by a VJP that the caller gives.
"""

import functools

import numpy as np

from .._tensor import Tensor
from ..operation import Op, array_of
from ..transforms import vjp as transform_vjp


class Subject:
    """The function of the moving inputs alone; the rest of the call stays as it is.

    fn:       takes the inputs and the parameters, returns one array
    inputs:   arrays of floating point move, unless `argnums` says which; what else there is stays
    vjp:      None, or a function vjp(g, out, *inputs, **parameters) that returns the gradients of
              the moving inputs: one, or a tuple
    """

    def __init__(self, fn, inputs, parameters, vjp=None, argnums=None, name=None):
        self.fn, self.parameters, self.vjp = fn, parameters, vjp
        self.name = name or _name(fn)
        self.inputs = [_plain(value) for value in inputs]
        self.argnums = self._chosen(argnums)
        self.labels = [_label(fn, i) for i in self.argnums]
        self.x = [np.array(self.inputs[i], np.float64) for i in self.argnums]

    def _chosen(self, argnums):
        candidates = [i for i, value in enumerate(self.inputs) if is_floating(value)]
        if argnums is None:
            vjps = self.fn.vjps if isinstance(self.fn, Op) and self.vjp is None else None
            chosen = [i for i in candidates if vjps is None or vjps[i] is not None]
        else:
            chosen = list(argnums) if isinstance(argnums, (tuple, list)) else [argnums]
            for i in chosen:
                if i not in candidates:
                    raise TypeError(f"{self.name}: argnums {i} is not a floating-point input")
        if not chosen:
            raise TypeError(f"{self.name}: none of the {len(self.inputs)} inputs can be differentiated")
        return chosen

    def arguments(self, x):
        """The whole list of arguments, x in the moving places."""
        filled = [_cast(value, x[0].dtype) for value in self.inputs]
        for i, value in zip(self.argnums, x, strict=True):
            filled[i] = value
        return filled

    def call(self, *x):
        """What the function returns, as it returns it."""
        return self.fn(*self.arguments(x), **self.keywords(x))

    def keywords(self, x):
        """The parameters."""
        return {name: _cast(value, x[0].dtype) for name, value in self.parameters.items()}

    def value(self, *x):
        """The function's value as an array; TypeError unless it returns one floating-point array."""
        y = self.call(*x)
        if isinstance(y, (tuple, list, dict)) or y is None:
            raise TypeError(
                f"{self.name}: a check needs a function that returns one array, not a {type(y).__name__}; "
                "check one of its results at a time"
            )
        y = np.asarray(array_of(y))
        if y.dtype.kind != "f":
            raise TypeError(f"{self.name}: the result has dtype {y.dtype}; only floating point has a derivative")
        return y

    def pullback(self, x):
        """(y, pull): the value at x, and the function from g to the list of gradients."""
        if self.vjp is None:
            y, pulled = transform_vjp(self.call, *x)
            return np.asarray(array_of(y)), lambda g: list(pulled(g))
        y, given = self.value(*x), self.vjp

        def pull(g):
            gradients = given(g, y, *self.arguments(x), **self.keywords(x))
            gradients = list(gradients) if isinstance(gradients, (tuple, list)) else [gradients]
            if len(gradients) != len(x):
                raise TypeError(f"{self.name}: the VJP returned {len(gradients)} gradients for {len(x)} inputs")
            return [array_of(gradient) for gradient in gradients]

        return y, pull

    def along(self, position, x):
        """The function of one moving input, the others held at x."""

        def f(value):
            arguments = list(x)
            arguments[position] = value
            return self.value(*arguments)

        return f


def is_floating(value):
    """Whether a check differentiates it: a floating-point array or a Python float."""
    return isinstance(value, float) or (isinstance(value, (np.ndarray, np.floating)) and value.dtype.kind == "f")


def _cast(value, dtype):
    """A constant array of floating point in the dtype of the moving ones; else the value as it is."""
    return value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value


def _plain(value):
    return value.data if isinstance(value, Tensor) else value


def _name(fn):
    while isinstance(fn, functools.partial):
        fn = fn.func
    return getattr(fn, "__name__", type(fn).__name__)


def _label(fn, i):
    """What to call input i in a message: its name where the function tells."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    if isinstance(fn, Op):
        names = list(fn.names)
        return f"{names[0]}[{i}]" if fn.any_number else names[i]
    code = getattr(fn, "__code__", None)
    return code.co_varnames[i] if code is not None and i < code.co_argcount else f"input {i}"
