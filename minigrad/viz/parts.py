"""The parts of a picture: what the tape recorded, as ops, parameters, data and constants, oldest first.

A part holds text and numbers. `drop_arrays` removes its array and node, so a picture keeps no graph alive.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from reprlib import Repr
from typing import Any

import numpy as np

from ..transforms import identity
from .names import VariableNames, name_leaves

short = Repr()
short.maxother = short.maxstring = 60


@dataclass(eq=False)
class Part:
    """One node of the picture.

    kind: "op", "parameter" (a leaf), "data", "constant", "fold" (of many ops), "leaves" (many, of one op) or "mark"
    inputs: what it is computed from, as pairs (part drawn in its place, the part itself)
    positions: of the inputs of an op among its arguments; branches: by position, the norm of the gradient that the
        op contributes to an input that other ops take, too
    roles: the arguments of ops that it is for; settings: the other arguments and the parameters of its op
    variable: the caller's variable that holds it; line: (file, number) of the call
    gradient: the norm of dJ/d output, or None; gradient_summary: what `facts.summary` says of it
    seconds: of the forward and of each VJP, by argument, as `mg.debug(time=True)` measured them
    maps: the value and the gradient as small images
    detail: lines below the title; notes: lines of the tooltip
    fault: says that a NaN or an infinity appears first here; not_finite: whether its value has one
    """

    kind: str
    title: str
    shape: tuple
    dtype: np.dtype
    scope: tuple = ()
    inputs: list = field(default_factory=list, repr=False)  # its repr would grow with the depth of the graph
    positions: list = field(default_factory=list, repr=False)
    branches: dict = field(default_factory=dict, repr=False)
    is_output: bool = False
    detail: str = ""
    notes: list = field(default_factory=list)
    roles: list = field(default_factory=list)
    settings: list = field(default_factory=list)
    variable: str | None = None
    line: tuple | None = None
    gradient: float | None = None
    gradient_summary: dict | None = field(default=None, repr=False)
    seconds: dict = field(default_factory=dict, repr=False)
    maps: dict = field(default_factory=dict, repr=False)
    not_finite: bool = False
    fault: str = ""
    array: Any = field(default=None, repr=False)
    node: Any = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """The number of entries of the output."""
        return math.prod(self.shape)

    @property
    def heading(self) -> str:
        """The title without the names of the scopes around it: k for conv1.k in conv1."""
        for i in range(len(self.scope)):
            prefix = ".".join(self.scope[i:]) + "."
            if self.title.startswith(prefix) and self.title != prefix:
                return self.title.removeprefix(prefix)
        return self.title

    @property
    def is_computed(self) -> bool:
        """Whether it is an op, or a fold of ops."""
        return self.kind in ("op", "fold")


def common(scopes: Sequence[tuple]) -> tuple:
    """The longest prefix that all the scopes share."""
    shared = scopes[0] if scopes else ()
    for scope in scopes:
        length = 0
        while length < min(len(shared), len(scope)) and shared[length] == scope[length]:
            length += 1
        shared = shared[:length]
    return shared


def read_tape(roots: Sequence[Any], variables: Mapping[str, Any] | None = None) -> list[Part]:
    """The parts that lead to the nodes `roots`, each after its inputs."""
    reader = _Reader(VariableNames(variables or {}))
    for node in _ancestors(roots):
        reader.add_node(node, node in roots)
    name_leaves(reader.parts)
    for part in reader.parts:
        if part.kind == "op":
            call = f"{part.title}({', '.join([tensor.title for _, tensor in part.inputs] + part.settings)})"
            part.notes.append(f"{part.variable} = {call}" if part.variable else call)
    return reader.parts


def drop_arrays(parts: Iterable[Part], drawn: Iterable[Part]) -> None:
    """Remove arrays and nodes from the parts, and the inputs of parts that are not drawn."""
    kept = set(drawn)
    for part in parts:
        part.array = part.node = None
        if part not in kept:
            part.inputs = []


def kind_of_fault(array: Any) -> str:
    """Which fault the entries of an array have: "NaN", "inf" or ""."""
    if array is None or array.dtype.kind not in "fc" or np.isfinite(array).all():
        return ""
    return "NaN" if np.isnan(array).any() else "inf"


def first_index(mask: np.ndarray) -> tuple[int, ...]:
    """The index of the first True entry."""
    return tuple(int(i) for i in np.unravel_index(int(mask.argmax()), mask.shape))


def _ancestors(roots: Sequence[Any]) -> list[Any]:
    """The roots and all nodes that lead to them, oldest first (a loop, so depth does not matter)."""
    order = list(dict.fromkeys(roots))
    seen = set(order)
    for node in order:  # grows while it is read
        for parent in node.parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                order.append(parent)
    return sorted(order, key=attrgetter("number"))


class _Reader:
    """Makes the parts of nodes, and of the arrays and numbers that they were called with."""

    def __init__(self, names: VariableNames):
        self.parts: list[Part] = []
        self._names = names
        self._of_node: dict[Any, Part] = {}
        self._of_array: dict[int, Part] = {}  # by id: one array is one part, however often it is used

    def add_node(self, node: Any, is_output: bool) -> None:
        """Add the part of a node; its parents were added before. What only carries a tensor is not drawn."""
        if not is_output and (carried := _carried(node)) is not node:
            self._of_node[node] = self._of_node[carried]
            return
        part = self._parameter(node) if node.op is None else self._op(node)
        part.node, part.is_output = node, is_output
        self._of_node[node] = part
        self._add(part)

    def _add(self, part: Part) -> None:
        _find_fault(part)
        self.parts.append(part)

    def _parameter(self, node: Any) -> Part:
        # equivalent: without or "" because a leaf without a name gets one either way
        name = getattr(node, "name", None) or self._names.of_node(node) or ""
        return Part("parameter", name, node.shape, node.dtype, array=_output_of(node))

    def _op(self, node: Any) -> Part:
        part = Part("op", node.op.__name__, node.shape, node.dtype, node.scope, array=_output_of(node))
        if hasattr(node, "seen"):
            part.line, part.seconds = node.seen.line, dict(node.seen.seconds)
        part.variable = self._names.of_node(node)
        for i, parent in enumerate(node.parents):
            argument = None if node.arguments is None else node.arguments[i]
            role = argument_name(node.op, i)
            if parent is not None:
                tensor = self._of_node[parent]
            elif argument is None:
                continue
            elif isinstance(argument, np.ndarray) or node.op.vjps[i] is not None:
                tensor = self._data(argument)
            else:
                part.settings.append(f"{role}={short.repr(argument)}")
                continue
            tensor.roles.append(role)
            part.inputs.append((tensor, tensor))
            part.positions.append(i)
        left = saved_by(node)
        part.settings += [f"{name}={short.repr(value)}" for name, value in node.parameters.items() if value is not left]
        return part

    def _data(self, value: Any) -> Part:
        """The part of an array or number that needs no gradient."""
        if id(value) in self._of_array:
            return self._of_array[id(value)]
        array = np.asarray(value)
        name = self._names.of_array(value) if array is value else ""
        if array.size == 1 and not name:
            part = Part("constant", number(array.item()), array.shape, array.dtype, array=array)
        else:
            part = Part("data", name, array.shape, array.dtype, array=array)
        if array is value:
            self._of_array[id(value)] = part
        self._add(part)
        return part


def _carried(node: Any) -> Any:
    """The node whose tensor enters a transform by this one; the node itself if it is another op."""
    is_entry = node.op is identity and node.parents[0] is not None
    return node.parents[0] if is_entry else node


def saved_by(node: Any) -> dict[str, np.ndarray]:
    """What an op of minigrad's own has left for its VJPs: no option of the call."""
    return {} if node.op.foreign else node.parameters.get("saved", {})


def source(node: Any) -> Any:
    """The node that is drawn for this one: what only carries a tensor into a transform is not drawn."""
    while (carried := _carried(node)) is not node:
        node = carried
    return node


def argument_name(op: Any, i: int) -> str:
    """The name of an op's i-th argument; all arrays of an op of any number have one name."""
    return op.names[min(i, len(op.names) - 1)]


def number(value: Any, digits: int = 6) -> str:
    """A number in a few digits; anything else by its repr."""
    is_number = isinstance(value, (int, float, complex, np.number)) and not isinstance(value, bool)
    return f"{value:.{digits}g}" if is_number else short.repr(value)


def _output_of(node: Any) -> np.ndarray | None:
    """The output of a node, or None once it is released."""
    return node.output if isinstance(node.output, np.ndarray) else None


def _find_fault(part: Part) -> None:
    """Mark a part whose value has a NaN or an infinity; say so if all its inputs are finite."""
    kind = kind_of_fault(part.array)
    part.not_finite = bool(kind)
    if kind and not any(tensor.not_finite for _, tensor in part.inputs):
        part.fault = f"first {kind} here" if part.kind == "op" else f"holds {kind}"
        if part.array.ndim:
            mask = np.isnan(part.array) if kind == "NaN" else np.isinf(part.array)
            part.notes.append(f"first {kind} at {list(first_index(mask))}")
