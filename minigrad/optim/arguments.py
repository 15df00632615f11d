"""What optimisers and schedules are given: numbers within bounds, and parameters that can be trained."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .._tensor import Tensor
from ..errors import brief

BELOW_1 = ("beta1", "beta2", "alpha", "start_factor")
SWITCHES = ("nesterov", "amsgrad", "centered")


def number(owner: str, name: str, value: Any, infinite: bool = False) -> Any:
    """The value of an option as a Python number; ValueError or TypeError if it can't have it."""
    said = f"{owner}: {name} must be"
    if name in SWITCHES:
        if not isinstance(value, (bool, np.bool)):
            raise TypeError(f"{said} True or False, not {brief(value)}")
        return bool(value)
    if isinstance(value, (bool, np.bool)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{said} a number, not {brief(value)}")
    limit = 1 if name in BELOW_1 else math.inf
    if not (0 <= value < limit or (infinite and value == limit)):
        bounds = "at least 0" if infinite else "at least 0 and below 1" if limit == 1 else "at least 0 and finite"
        raise ValueError(f"{said} {bounds}, not {value}")
    return value.item() if isinstance(value, np.generic) else value  # NumPy's would turn float32 into float64


def leaves(owner: str, parameters: Any, frozen: bool = False) -> list[Tensor]:
    """The parameters as a list, each a leaf that needs a gradient (or may be frozen), none twice."""
    single = isinstance(parameters, (Tensor, Mapping, str)) or getattr(parameters, "shape", None) == ()
    if single or callable(parameters) or not isinstance(parameters, Iterable):  # a Module can be called
        hint = "; pass net.parameters()" if callable(parameters) else ""
        hint = "; pass its .values()" if isinstance(parameters, Mapping) else hint
        raise TypeError(f"{owner}: parameters must be a list of Tensors, not {brief(parameters)}{hint}")
    found = list(parameters)
    if not found:
        raise ValueError(f"{owner}: parameters is empty; a generator gives its items only once")
    seen: dict[int, int] = {}
    for i, p in enumerate(found):
        _check_leaf(owner, i, p, frozen)
        if seen.setdefault(id(p), i) != i:
            raise ValueError(f"{owner}: parameters {seen[id(p)]} and {named(i, p)} are the same Tensor")
    return found


def _check_leaf(owner: str, i: int, p: Any, frozen: bool) -> None:
    if not isinstance(p, Tensor):
        hint = "; a group of parameters takes an optimiser of its own" if isinstance(p, Mapping) else ""
        hint = "; pass net.parameters(), without names" if isinstance(p, tuple) else hint
        raise TypeError(f"{owner}: parameter {i} must be a Tensor, not {brief(p)}{hint}")
    if not p.is_leaf:
        raise ValueError(f"{owner}: parameter {named(i, p)} must be a leaf, not the result of {p.node.op.__name__}")
    if not p.requires_grad and not frozen:
        said = "leave it out, as by [p for p in net.parameters() if p.requires_grad], or set p.requires_grad = True"
        raise ValueError(f"{owner}: parameter {named(i, p)} needs no gradient: {said}")


def named(i: int, p: Tensor) -> str:
    """A parameter in a message: its place, and its name if it has one."""
    return f"{i}{f' ({p.name})' if p.name else ''}"
