"""What a VJP returns, made to fit: of the argument's kind, dtype and shape, with broadcasting undone.

So a VJP may leave a broadcast as it is, return g itself, or compute in another precision. And at the end of
`backward()`: the gradients of the leaves, added to what they have.
"""

import itertools
import math
import os
import sys
from _thread import RLock
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy import ndarray

from .summation import blocked_sum
from .writes import copied


def computes_otherwise(value: Any) -> bool:
    """Whether it is a masked array or a matrix, whose operators are not those of the array that it would become."""
    # numpy.ma is slow to load
    return (
        isinstance(value, ndarray) and type(value) is not ndarray and isinstance(value, (np.ma.MaskedArray, np.matrix))
    )


def fitted(gradient: Any, argument: Any, where: Callable[[], str], kinds: str = "f") -> Any:
    """Return the gradient with the argument's shape and dtype; `where` begins the sentence if it can't be.

    kinds: of the numbers that the op differentiates; "fc": complex ones too. A real argument gets their real part.
    """
    if type(gradient) is not ndarray and not hasattr(gradient, "node"):
        gradient = _array(gradient, where)
    if gradient.dtype.kind not in "fiub":
        if gradient.dtype.kind not in kinds:
            raise TypeError(f"{where()} returned dtype {gradient.dtype} for a gradient of {argument.dtype}")
        gradient = gradient if argument.dtype.kind == "c" else np.real(gradient)  # of x + i0 there is dJ/dx alone
    if gradient.shape != argument.shape:
        gradient = _unbroadcast(gradient, argument, where)
    # equivalent: without gradient if gradient.dtype == argument.dtype else because it is then a copy
    return gradient if gradient.dtype == argument.dtype else gradient.astype(argument.dtype)


def _array(value: Any, where: Callable[[], str]) -> ndarray:
    """The gradient as a plain array. Raises TypeError for what is none, or would be another one without its class."""
    if is_array(value) and not computes_otherwise(value):
        return np.asarray(value)
    raise TypeError(f"{where()} returned {kind_of(value)}, not one array")


def is_array(value: Any) -> bool:
    """Whether a function that returns this returns one array: a number is one, too."""
    return isinstance(value, (int, float, complex)) or hasattr(value, "__array__")


def kind_of(value: Any) -> str:
    """What a function returned instead of an array, in a message."""
    return "None (is a `return` missing?)" if value is None else f"a {type(value).__name__}"


def _unbroadcast(gradient: Any, argument: Any, where: Callable[[], str]) -> Any:
    """Sum over the axes along which the argument was stretched: broadcasting is linear, and this is its adjoint."""
    shape = argument.shape
    extra = gradient.ndim - len(shape)
    stretched = tuple(range(extra))
    if extra < 0 or gradient.shape[extra:] != shape:
        axes = range(max(extra, 0), gradient.ndim)
        stretched += tuple([axis for axis in axes if gradient.shape[axis] != shape[axis - extra] == 1])
        kept = tuple([1 if axis in stretched else gradient.shape[axis] for axis in axes])
        if kept != shape:
            raise ValueError(f"{where()} returned shape {gradient.shape} for an argument of shape {shape}")
    # equivalent: without if type(gradient) is ndarray else np.sum(gradient, axis=stretched) because it sums a Tensor as
    # well, in more ops than one
    summed = blocked_sum(gradient, stretched) if type(gradient) is ndarray else np.sum(gradient, axis=stretched)
    return summed if summed.shape == shape else np.reshape(summed, shape)


_references = getattr(sys, "getrefcount", lambda g: math.nan)  # NaN: then every gradient is copied


def _reference_counts(found: list) -> list:
    return [_references(g) for _, g in found]


_UNSHARED = _reference_counts([(None, np.empty(0))])[0]  # measured, since Pythons count differently


def owned(found: list[tuple[Any, ndarray]]) -> list[tuple[Any, ndarray]]:
    """Return the pairs (node, g) with a copy of each array that anything else may refer to.

    An array that owns its memory and has its pair as its only reference has no alias, since a view refers
    to the array that it shows. A gradient that a VJP has just computed need not be copied then.
    """
    counts = _reference_counts(found)
    # equivalent: without g if n == _UNSHARED and g.flags.owndata and g.flags.writeable else because a copy is only
    # slower
    return [
        (node, g if n == _UNSHARED and g.flags.owndata and g.flags.writeable else copied(g))
        for n, (node, g) in zip(counts, found, strict=True)
    ]


_GRAD = itertools.repeat("grad")
_accumulating = RLock()  # threads may share leaves, and the handler of a signal may interrupt here


def accumulate(found: Iterable[tuple[Any, ndarray]]) -> None:
    """Add each gradient of the pairs (leaf node, g) to what the leaf has: all of them, or none if there is an error.

    A leaf without a gradient takes the array itself, if nothing else may refer to it.
    """
    pairs = owned([*found])
    with _accumulating:
        sums = [np.asarray(g if node.grad is None else node.grad + g, node.output.dtype) for node, g in pairs]
        any(map(setattr, [node for node, _ in pairs], _GRAD, sums))  # in one call, which Ctrl-C can't interrupt


def _forked() -> None:
    """A thread that held the lock is not there in a child."""
    global _accumulating
    _accumulating = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def read_only(value: Any) -> Any:
    """A view of an array that can't be written to; anything else as it is."""
    if type(value) is not ndarray:
        return value
    view = value.view()
    view.flags.writeable = False
    return view
