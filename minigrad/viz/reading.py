"""Reading the tape: its nodes, leaves and constants as the parts of a picture, oldest first.

A part keeps text and numbers; `annotate` lets go of the arrays, so a picture holds no graph alive.
"""

import math
from dataclasses import dataclass, field
from operator import attrgetter
from reprlib import Repr

import numpy as np

from .. import tape
from .._tensor import Tensor
from ..operation import array_of
from ..ops import norm

NAMELESS = frozenset({"a", "arrays", "x1", "x2", "equation"})  # argument names that say nothing of their role
short = Repr()
short.maxother = short.maxstring = 60


@dataclass(eq=False)
class Part:
    """What is drawn as one node: an op, a parameter (a leaf), data, a constant, or a fold of many ops.

    sources: what it is computed from, as (part, tensor): the part it is drawn at, and the one it is
    roles: the arguments of ops that it is for; settings: what an op was called with besides
    variable: what the caller's variables call it; where: the (file, line) of the call
    gradient: the norm of dJ/d output, or None
    detail: lines below the title; notes: lines of the tooltip
    fault: in words, where a NaN or an infinity appears first; not_finite: whether one is here
    """

    kind: str
    title: str
    shape: tuple
    dtype: np.dtype
    scope: tuple = ()
    sources: list = field(default_factory=list, repr=False)  # each has its own: a repr of all would have no end
    is_output: bool = False
    detail: str = ""
    notes: list = field(default_factory=list)
    roles: list = field(default_factory=list)
    settings: list = field(default_factory=list)
    variable: str | None = None
    where: tuple | None = None
    gradient: float | None = None
    not_finite: bool = False
    fault: str = ""
    array: object = field(default=None, repr=False)
    node: object = field(default=None, repr=False)

    @property
    def size(self):
        """How many entries the output has."""
        return math.prod(self.shape)

    @property
    def heading(self):
        """The title, without the names of the scopes that it stands in: k for conv1.k in conv1."""
        for i in range(len(self.scope)):
            prefix = ".".join(self.scope[i:]) + "."
            if self.title.startswith(prefix) and self.title != prefix:
                return self.title.removeprefix(prefix)
        return self.title


def common(scopes):
    """The longest beginning that all the scopes share."""
    shared = scopes[0] if scopes else ()
    for scope in scopes[1:]:
        length = 0
        while length < min(len(shared), len(scope)) and shared[length] == scope[length]:
            length += 1
        shared = shared[:length]
    return shared


def read(roots, names=None):
    """The parts that lead to the nodes `roots`, each after what it is computed from."""
    known = _Names(names or {})
    parts: dict[object, Part] = {}
    order: list[Part] = []
    for node in _reached(roots):
        part = _leaf(node, known) if node.op is None else _op(node, parts, order, known)
        part.node, part.is_output = node, node in roots
        _find_fault(part)
        parts[node] = part
        order.append(part)
    _name_leaves(order)
    return order


def _reached(roots):
    """The nodes from which the roots were computed, and they: oldest first, without recursion."""
    order = list(dict.fromkeys(roots))
    seen = set(order)
    for node in order:  # grows while it is read
        for parent in node.parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                order.append(parent)
    return sorted(order, key=attrgetter("number"))


def _leaf(node, known):
    name = getattr(node, "name", None) or known.of(node) or ""
    return Part("parameter", name, node.shape, node.dtype, array=_array(node))


def _op(node, parts, order, known):
    part = Part("op", node.op.__name__, node.shape, node.dtype, node.scope, array=_array(node))
    part.where = getattr(node, "line", None)
    part.variable = known.of(node)
    for i, parent in enumerate(node.parents):
        argument = None if node.arguments is None else node.arguments[i]
        role = node.op.names[min(i, len(node.op.names) - 1)]
        if parent is not None:
            source = parts[parent]
        elif argument is None:
            continue
        elif isinstance(argument, np.ndarray) or (node.op.vjps[i] is not None and np.isscalar(argument)):
            source = _data(argument, parts, order, known)
        else:
            part.settings.append(f"{role}={short.repr(argument)}")
            continue
        source.roles.append(role)
        part.sources.append((source, source))
    part.settings += [f"{name}={short.repr(value)}" for name, value in node.parameters.items()]
    return part


def _data(value, parts, order, known):
    """The part of an array or number that needs no gradient; one array is one part, however often it is used."""
    if id(value) in parts:
        return parts[id(value)]
    array = np.asarray(value)
    name = known.of_array(value) if array is value else ""
    if array.size == 1 and not name:
        part = Part("constant", f"{array.item():.6g}", array.shape, array.dtype, array=array)
    else:
        part = Part("data", name, array.shape, array.dtype, array=array)
    if array is value:
        parts[id(value)] = part
    _find_fault(part)
    order.append(part)
    return part


def _array(node):
    return node.output if isinstance(node.output, np.ndarray) else None


def _name_leaves(order):
    """Call what has no name by the argument that it is for, else by its kind; then say each call in full."""
    nameless = []
    for part in order:
        if part.kind in ("parameter", "data") and not part.title:
            roles = [role for role in part.roles if role not in NAMELESS]
            part.title = roles[0] if roles else "tensor" if part.kind == "parameter" else "array"
            if part.kind == "parameter" and not roles:
                nameless.append(part)
    if len(nameless) > 1:
        for i, part in enumerate(nameless, start=1):
            part.title = f"tensor {i}"
    for part in order:
        if part.kind == "op":
            call = f"{part.title}({', '.join([source.title for source, _ in part.sources] + part.settings)})"
            part.notes.append(f"{part.variable} = {call}" if part.variable else call)


def _find_fault(part):
    """Mark a part that holds a NaN or an infinity, in words where everything it came from is finite."""
    array = part.array
    if array is None or array.dtype.kind != "f" or np.isfinite(array).all():
        return
    part.not_finite = True
    if not any(source.not_finite for source, _ in part.sources):
        what = "NaN" if np.isnan(array).any() else "inf"
        part.fault = f"first {what} here" if part.kind == "op" else f"holds {what}"


class _Names:
    """What the caller's variables, such as locals(), call a Tensor or an array."""

    def __init__(self, variables):
        self.nodes, self.arrays = {}, []
        for name, value in variables.items():
            nested = isinstance(value, dict) and not name.startswith("_")
            for key, held in value.items() if nested else [(name, value)]:
                if isinstance(key, str) and not key.startswith("_"):
                    self._note(key, held)

    def _note(self, name, value):
        if isinstance(value, Tensor) and value.node is not None:
            self.nodes.setdefault(value.node, name)
        elif isinstance(value, (Tensor, np.ndarray)):
            own = value.name if isinstance(value, Tensor) else None
            self.arrays.append((array_of(value), own or name))

    def of(self, node):
        """The variable that holds the Tensor of this node, or None."""
        return self.nodes.get(node)

    def of_array(self, array):
        """What an array is called: by its Tensor, by a variable that holds it, or by the only one with its content."""
        if name := tape.name_of(array):
            return name
        for held, name in self.arrays:
            if held is array:
                return name
        equal = {name for held, name in self.arrays if _same(held, array)}
        return equal.pop() if len(equal) == 1 else ""


def _same(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b)


def measure_gradients(parts, roots, see=None):
    """Sweep back from the roots, dJ/dJ being ones, and note the norm of each gradient; nothing is changed.

    see(part, gradient) is called with each gradient, which it must not write to.

    Raises RuntimeError where the tape was released.
    """
    of = {part.node: part for part in parts if part.node is not None}
    if any(node.released for node in of):
        raise RuntimeError(
            "graph: this graph was released by backward(), so its gradients can't be computed: "
            "draw it before, or call backward(retain_graph=True)"
        )
    for node, g in gradients_of(roots):
        of[node].gradient = float(norm(np.asarray(g, np.float64)))
        if see is not None:
            see(of[node], g)
    _find_gradient_fault(parts)


def gradients_of(roots):
    """The sweep from the roots: (node, gradient of the sum of all their entries), youngest node first."""
    return tape.sweep({node: np.ones(node.shape, node.dtype) for node in roots})


def _find_gradient_fault(parts):
    bad = {part for part in parts if part.gradient is not None and not math.isfinite(part.gradient)}
    inherited = {source for part in bad for source, _ in part.sources}
    for part in bad - inherited:
        what = "NaN" if math.isnan(part.gradient) else "inf"
        part.fault = part.fault or f"first {what} gradient here"


def annotate(drawn, read, values=False):
    """Write what nodes and tooltips say of the values, then let go of all that was read: arrays, nodes, hidden parts.

    values: say it in the node too, not only in the tooltip.
    """
    for part in drawn:
        if part.kind == "fold":
            continue
        if part.kind == "mark":
            part.notes.append(f"{part.shape}, drawn once, above")
            continue
        array, nbytes = part.array, part.size * part.dtype.itemsize
        part.notes.append(f"{part.dtype}, {nbytes:,} bytes")
        lines = _statistics(array)
        part.notes += lines
        if array is None:
            part.notes.append("values released by backward()")
        if part.gradient is not None:
            part.notes.append(f"gradient norm {part.gradient:.6g}")
        if part.is_output and part.size == 1 and array is not None:
            part.detail = f"{_output_name(part)} {array.item():.4g}"
        elif values and part.kind != "constant":
            part.detail = "\n".join(lines)
    kept = set(drawn)
    for part in read:
        part.array = part.node = None
        if part not in kept:
            part.sources = []


def _statistics(array):
    """Lines on the entries: the value of a scalar, else how many are NaN, and the extremes and mean of the rest."""
    if array is None or array.size == 0:
        return []
    if array.size == 1:
        return [f"value {array.item():.6g}"]
    numbers = array if array.dtype.kind == "f" else array.astype(np.float64)
    missing = np.isnan(numbers)
    lines = []
    if count := np.count_nonzero(missing):
        lines.append(f"{count:,} of {array.size:,} NaN")
        numbers = numbers[~missing]
    if numbers.size:
        with np.errstate(all="ignore"):
            low, mean, high = (float(f(numbers)) for f in (np.min, np.mean, np.max))
        lines.append(f"min {low:.3g}, mean {mean:.3g}, max {high:.3g}")
    return lines


def _output_name(part):
    module = getattr(part.node.op, "__module__", "")
    return part.variable or ("loss" if module.endswith(".losses") else "value")
