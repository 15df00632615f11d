"""`Subject`: a function and its inputs as a check sees them, whatever library the function is of.

It knows which inputs are differentiated, evaluates in plain arrays, and pulls a gradient back:
by `mg.vjp`, or by a VJP that the caller gives.
"""

import functools
import inspect

import numpy as np

from .._tensor import Tensor
from ..operation import Op, array_of
from ..transforms import vjp as transform_vjp


class Subject:
    """The function of the moving inputs alone; the rest of the call stays as it is.

    fn:         takes the inputs and the parameters, returns one array
    inputs:     arrays of floating point move, unless `argnums` says which; what else there is stays
    parameters: those that an op takes as arguments become inputs
    vjp:        None, or a function vjp(g, out, *inputs, **parameters) that returns the gradients of
                the moving inputs: one, or a tuple
    beside:     {name: value} of what else a message should show
    """

    def __init__(self, fn, inputs, parameters, vjp=None, argnums=None, name=None, beside=()):
        self.fn, self.vjp, self.beside = fn, vjp, dict(beside)
        self.name = name or _name(fn)
        inputs, parameters = _in_position(fn, inputs, parameters)
        self.inputs = [_own(value) for value in inputs]
        self.parameters = {key: _own(value) for key, value in parameters.items()}
        self.names = _names(fn, len(self.inputs))
        self.argnums = self._chosen(argnums)
        self.labels = [self.names[i] for i in self.argnums]
        self.x = [np.array(self.inputs[i], np.float64) for i in self.argnums]

    def _chosen(self, argnums):
        obstacles = [_obstacle(value) for value in self.inputs]
        candidates = [i for i, obstacle in enumerate(obstacles) if not obstacle]
        if argnums is None:
            vjps = self.fn.vjps if isinstance(self.fn, Op) and self.vjp is None else None
            chosen = [i for i in candidates if vjps is None or vjps[i] is not None]
        else:
            chosen = list(argnums) if isinstance(argnums, (tuple, list)) else [argnums]
            for i in chosen:
                if i not in candidates:
                    raise TypeError(f"{self.name}: argnums {i} is not a floating-point input")
        if not chosen:
            reasons = [f"{name} {why or 'has no VJP'}" for name, why in zip(self.names, obstacles, strict=True)]
            raise TypeError(
                f"{self.name}: none of the {len(self.inputs)} inputs can be differentiated"
                + (f": {', '.join(reasons)}" if reasons else "")
            )
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

    def constants(self):
        """The arrays that don't move: a list of (name, array)."""
        held = [(self.names[i], value) for i, value in enumerate(self.inputs) if i not in self.argnums]
        return [(name, a) for name, value in (*held, *self.parameters.items()) for a in _arrays(value)]

    def given(self):
        """{name: value} of the whole call, for messages."""
        moving = dict(zip(self.argnums, self.x, strict=True))
        inputs = {name: moving.get(i, self.inputs[i]) for i, name in enumerate(self.names)}
        return self.beside | inputs | self.parameters

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


def parameter_names(fn):
    """What fn calls its positional and its keyword-only parameters, as far as it tells; *arrays of an op are none."""
    if isinstance(fn, Op):
        return [] if fn.any_number else list(fn.names), list(fn.parameters)
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):  # many a function in C has no signature
        return [], []
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return positional, [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]


def _names(fn, count):
    """What to call each of so many inputs in a message."""
    if isinstance(fn, Op) and fn.any_number:
        return [fn.argument(i) for i in range(count)]
    names = parameter_names(fn)[0][:count]
    return [*names, *(f"input {i}" for i in range(len(names), count))]


def _in_position(fn, inputs, parameters):
    """An op's arguments that were given by keyword in their places, as are the defaults in between."""
    if not isinstance(fn, Op) or fn.any_number or not parameters.keys() & set(fn.names):
        return inputs, parameters
    bound, _ = fn._bind(inputs, parameters)
    last = max(i for i, name in enumerate(fn.names) if name in parameters)
    return bound[: last + 1], {key: value for key, value in parameters.items() if key not in fn.names}


def _obstacle(value):
    """Why a check does not differentiate it: "" for a floating-point array and a Python float."""
    if isinstance(value, (np.ndarray, np.generic)):
        return "" if value.dtype.kind == "f" else f"has dtype {value.dtype}"
    return "" if isinstance(value, float) else f"is of type {type(value).__name__}"


def _own(value):
    """A copy that nobody else writes to."""
    if isinstance(value, (Tensor, np.ndarray)):
        return np.array(array_of(value), copy=True, subok=True)
    return type(value)(map(_own, value)) if type(value) in (list, tuple) else value


def _arrays(value):
    """The arrays in a constant."""
    if isinstance(value, np.ndarray):
        return [value]
    return [a for part in value for a in _arrays(part)] if type(value) in (list, tuple) else []


def _cast(value, dtype, inside=False):
    """A constant as it would be beside inputs of this dtype, so that they keep it: of floating point as they are."""
    if type(value) in (list, tuple):
        return type(value)(_cast(part, dtype, True) for part in value)
    if isinstance(value, np.integer) and dtype != np.float64:
        return int(value)
    if isinstance(value, (np.ndarray, np.floating)) and value.dtype.kind == "f":
        return value.astype(dtype, copy=False)
    return dtype.type(value) if inside and isinstance(value, float) else value


def _name(fn):
    while isinstance(fn, functools.partial):
        fn = fn.func
    return getattr(fn, "__name__", type(fn).__name__)
