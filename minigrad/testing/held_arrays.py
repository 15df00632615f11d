"""Arrays inside dicts, lists, tuples and objects, and the Tensors that a callable holds: found, and replaced.

A check copies and watches the arrays of its arguments wherever they are, and differentiates the parameters of a layer.
"""

import contextlib
import copy
import functools
from collections.abc import Callable, Iterator
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from .._tensor import Tensor
from ..operation import Op

_ARRAYS = (np.ndarray, np.generic, Tensor)
_CLOSED = (*_ARRAYS, type, ModuleType, FunctionType, MethodType, Op, np.ufunc)  # objects that are not looked into


def mapped(value: Any, function: Callable, path: str = "", copies: dict | None = None) -> Any:
    """A copy of a nest with function(path, leaf) in place of each leaf: each array, and each Python float.

    A nest is made of dicts, lists, tuples and objects with attributes. What holds no array stays as it is.

    >>> mapped({"w": [np.array([1.0]), "relu"]}, lambda path, leaf: path)
    {'w': ["['w'][0]", 'relu']}
    """
    if isinstance(value, (*_ARRAYS, float)):
        return function(path, value)
    copies = {} if copies is None else copies
    if id(value) in copies:
        return copies[id(value)]
    if not _holds_arrays(value):
        return value
    if isinstance(value, tuple):
        new = [mapped(part, function, path + step, copies) for step, _, part in _parts(value)]
        return type(value)(*new) if hasattr(value, "_fields") else type(value)(new)
    made = copies[id(value)] = copy.copy(value)
    for step, key, part in _parts(value):
        _put(made, key, mapped(part, function, path + step, copies))
    return made


def leaves(value: Any) -> list[tuple[str, Any]]:
    """The pairs (path, leaf) of a nest, in order.

    >>> leaves([1.0, {"b": np.float64(2.0)}])
    [('[0]', 1.0), ("[1]['b']", np.float64(2.0))]
    """
    found: list[tuple[str, Any]] = []

    def note(path, leaf):
        found.append((path, leaf))
        return leaf  # equivalent: any factor because the copy is not used

    mapped(value, note)
    return found


def held_tensors(fn: Any) -> list[tuple[str, Tensor]]:
    """The pairs (name, Tensor) of the floating-point Tensors that a callable holds.

    They are looked for in the attributes of an object, in a method's object, in the arguments of a partial and in
    the variables from outside that a function uses.

    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> held_tensors(lambda x: x * w)
    [('w', tensor([1., 2.], requires_grad=True))]
    """
    found: list[tuple[str, Tensor]] = []
    _visit(fn, "", found, {})
    return found


@contextlib.contextmanager
def substituted(tensors: list[Tensor], values: Any) -> Iterator[None]:
    """Inside, each Tensor stands for another array or Tensor; afterwards it is what it was."""
    before = [(tensor._array, tensor.node) for tensor in tensors]
    try:
        for tensor, value in zip(tensors, values, strict=True):
            is_tensor = isinstance(value, Tensor)
            tensor._array, tensor.node = (value._array, value.node) if is_tensor else (value, None)
        yield
    finally:
        for tensor, (array, node) in zip(tensors, before, strict=True):
            tensor._array, tensor.node = array, node


def _parts(value: Any) -> list[tuple[str, Any, Any]]:
    """The triples (step of a path, key, part) of a container or an object."""
    if isinstance(value, dict):
        return [(f"[{key!r}]", key, part) for key, part in value.items()]
    if isinstance(value, (list, tuple)):
        names = getattr(value, "_fields", None)
        steps = [f".{name}" for name in names] if names else [f"[{i}]" for i in range(len(value))]
        return [*zip(steps, range(len(value)), value, strict=True)]
    return [] if isinstance(value, _CLOSED) else _attributes(value)


def _attributes(value: Any) -> list[tuple[str, Any, Any]]:
    slots = [name for kind in type(value).__mro__ for name in _slots(kind) if hasattr(value, name)]
    names = [*getattr(value, "__dict__", ()), *slots]
    return [(f".{name}", name, getattr(value, name)) for name in names]


def _slots(kind: type) -> tuple:
    """The names of the slots of a class that was written in Python."""
    slots = kind.__dict__.get("__slots__", ())
    slots = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple(name for name in slots if not name.startswith("__"))


def _put(container: Any, key: Any, part: Any) -> None:
    if isinstance(container, (dict, list)):
        container[key] = part
    else:
        object.__setattr__(container, key, part)  # also of a frozen dataclass


def _holds_arrays(value: Any) -> bool:
    """Whether an array can be reached, or a Python float in a container."""
    seen, waiting = {id(value): value}, [value]
    while waiting:
        owner = waiting.pop()
        for _, _, part in _parts(owner):
            if isinstance(part, _ARRAYS) or (isinstance(part, float) and isinstance(owner, (dict, list, tuple))):
                return True
            if id(part) not in seen:
                seen[id(part)] = part
                waiting.append(part)
    return False


def _visit(value: Any, path: str, found: list, seen: dict[int, Any]) -> None:
    if id(value) in seen:
        return
    seen[id(value)] = value
    if isinstance(value, Tensor):
        if value.dtype.kind in "fc":
            found.append((path.lstrip("."), value))
    elif isinstance(value, functools.partial):
        for part in (value.func, *value.args, value.keywords):
            _visit(part, path, found, seen)
    elif isinstance(value, MethodType):
        _visit(value.__self__, path, found, seen)
        _visit(value.__func__, path, found, seen)
    elif isinstance(value, FunctionType):
        for name, part in _variables(value):
            _visit(part, f"{path}.{name}", found, seen)
    else:
        for step, _, part in _parts(value):
            _visit(part, path + step, found, seen)


def _variables(function: FunctionType) -> list[tuple[str, Any]]:
    """The variables of outer functions and the global ones that a function uses, those that may hold Tensors."""
    code, outside = function.__code__, function.__globals__
    cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
    inner = [(name, _contents(cell)) for name, cell in cells]
    outer = [(name, outside[name]) for name in code.co_names if name in outside]
    used = [(name, value) for name, value in inner if callable(value) or isinstance(value, (Tensor, dict, list, tuple))]
    return used + [(name, value) for name, value in outer if _may_hold(value, function.__module__)]


def _may_hold(value: Any, module: str) -> bool:
    """Whether a global variable may be, or hold, a Tensor. Functions of other modules are left out."""
    if isinstance(value, FunctionType):
        return value.__module__ == module
    return isinstance(value, Tensor) or callable(value)


def _contents(cell: Any) -> Any:
    """The value of a variable of an outer function; None if it has none yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return None
