"""What is given for the parameters and buffers of a module: values by name, checked before any is taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from .._tensor import Tensor
from ..errors import brief, plain_array


class IncompatibleKeys(NamedTuple):
    """The names in which a state and a module differ: what `load_state_dict(state, strict=False)` returns."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def mapping_of(caller: str, state: Any) -> Mapping[str, Any]:
    """The state itself. Raises TypeError if it is no mapping."""
    if not isinstance(state, Mapping):
        raise TypeError(f"{caller}: the state must be a mapping of names to arrays, not {brief(state)}")
    return state


def plain_value(value: Any, name: str) -> np.ndarray:
    """What a state_dict holds, here or in another framework, as an array of real numbers."""
    if hasattr(value, "requires_grad"):
        value = value.data if isinstance(value, Tensor) else np.asarray(value)
    array = plain_array(value, "load_state_dict", f"state[{name!r}]")
    if array.dtype.kind == "c":
        raise TypeError(f"load_state_dict: state[{name!r}] must be real, not {array.dtype}")
    return array


def paired(
    caller: str,
    own: dict[str, Any],
    needed: list[str],
    given: dict[str, Any],
    *,
    missing: bool = False,
    unexpected: bool = False,
) -> tuple[list[tuple[Any, Any]], IncompatibleKeys]:
    """([(part of the module, value given for it)], the names that differ). Raises ValueError about all that is wrong.

    own: the parts of the module by their names; needed: the names of its state
    missing, unexpected: whether such names may be.
    """
    missing_keys = [name for name in needed if name not in given]
    unexpected_keys = [name for name in given if name not in own]
    pairs = {name: (part, given[name]) for name, part in own.items() if name in given}
    said = [] if missing else _said("missing", missing_keys)
    said += [] if unexpected else _said("unexpected", unexpected_keys)
    said += _misfits(pairs)
    if said:
        raise ValueError(f"{caller}: {'; '.join(said)}")
    return [*pairs.values()], IncompatibleKeys(missing_keys, unexpected_keys)


def _said(what: str, names: list[str]) -> list[str]:
    return [f"{what} {', '.join(map(repr, names))}"] if names else []


def _misfits(pairs: dict[str, tuple[Any, Any]]) -> Iterator[str]:
    """Say what is wrong with {name: (part of a module, value given for it)}."""
    first: dict[int, str] = {}
    for name, (part, value) in pairs.items():
        if part.shape != value.shape:
            yield f"{name!r} must have shape {part.shape}, not {value.shape}"
        earlier = first.setdefault(id(part), name)
        if not _same(pairs[earlier][1], value):
            yield f"{earlier!r} and {name!r} are one parameter, but are given two values"


def _same(x: Any, y: Any) -> bool:
    """Whether either of two values will do; equal Tensors may have derivatives of their own."""
    return x is y or (type(x) is type(y) is np.ndarray and np.array_equal(x, y, equal_nan=True))
