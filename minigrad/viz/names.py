"""The names of leaves: from `name=`, from the caller's variables, or from the argument that a leaf is for."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .._tensor import Tensor
from ..names import name_of
from ..operation import array_of

GENERIC = frozenset({"a", "arrays", "x1", "x2", "equation"})  # argument names that do not say what the argument is
DEFAULTS = {"parameter": "tensor", "data": "array"}


class VariableNames:
    """The names that the caller's variables, such as locals(), give to Tensors and arrays."""

    def __init__(self, variables: Mapping[str, Any]):
        self._nodes: dict[Any, str] = {}
        self._arrays: list[tuple[np.ndarray, str]] = []
        for name, value in _named_values(variables):
            if isinstance(value, Tensor) and value.node is not None:
                self._nodes.setdefault(value.node, name)
            elif isinstance(value, (Tensor, np.ndarray)):
                own = value.name if isinstance(value, Tensor) else None
                self._arrays.append((array_of(value), own or name))

    def of_node(self, node: Any) -> str | None:
        """The variable that holds the Tensor of this node, or None."""
        return self._nodes.get(node)

    def of_array(self, array: np.ndarray) -> str:
        """The name of an array, or "".

        It is the name of its Tensor, else of a variable that holds it, else of the only variable with an equal array.
        """
        if name := name_of(array):
            return name
        for held, name in self._arrays:
            if held is array:
                return name
        equal = {name for held, name in self._arrays if held.dtype == array.dtype and np.array_equal(held, array)}
        return equal.pop() if len(equal) == 1 else ""


def name_leaves(parts: list) -> None:
    """Name each part without a name, a parameter or an array: by the argument that it is for, else by its kind.

    Several parameters that would be "tensor" are numbered in the order in which they were made.
    """
    alike = []
    for part in parts:
        if not part.title:
            part.title = next((role for role in part.roles if role not in GENERIC), DEFAULTS[part.kind])
            if part.title == DEFAULTS["parameter"]:
                alike.append(part)
    if len(alike) > 1:
        for i, part in enumerate(alike, start=1):
            part.title = f"{part.title} {i}"


def _named_values(variables: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The variables, and the entries of dictionaries among them, without those that begin with an underscore."""
    for name, value in variables.items():
        is_nest = isinstance(value, dict) and not name.startswith("_")
        for key, held in value.items() if is_nest else [(name, value)]:
            if isinstance(key, str) and not key.startswith("_"):
                yield key, held
