"""`export`: what a function computes, as an ONNX model that other programs run. Needs the package onnx."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .._tensor import Tensor
from ..errors import brief
from ..nn.module import Module
from ..operation import array_of

__all__ = ["export"]
__dir__ = __all__.copy  # what dir() shows


def export(path: str | os.PathLike[str], f: Callable[..., Any], example: Any, *, dynamic_batch: bool = True) -> None:
    """Write what f computes to a file as an ONNX model, which replaces the one at path when it is complete.

    path: ends in .onnx
    f: a function of arrays or a Module, which is run as in `eval()`. It returns a Tensor or a nest of them.
    example: an array, or a tuple of one for each argument, as f takes them. Floating-point arrays become Tensors.
    dynamic_batch: the model takes any number of examples, along the first axis of each input

    Each op of the tape becomes a node, named by its scope; inputs are named by f's parameters, and the arrays in the
    model by the names of Tensors and Modules that f uses. Numbers keep their dtype. f is run on two more examples,
    of other sizes and values: what depends on the input but not by ops that are recorded is refused, since it would be
    a constant in the model. What can't be seen is a comparison with the same outcome for all of them.

    Can't depend on the number of examples: a number that is computed of it, such as 1 / N; an index of one array for
    each example; windows, axes and paddings.

    `norm` and `l2_pool2d` square their entries there, which overflows beyond 1e19 in float32; here they don't.

    Raises ValueError for what depends on the input outside of the tape, for an op without an ONNX node (all are named)
    and for another suffix; TypeError for other kinds of arguments and results; ImportError without the package onnx;
    OSError. Then the file is as it was.

    >>> import tempfile
    >>> net = mg.nn.Linear(3, 2, rng=np.random.default_rng(0))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mg.onnx.export(f"{folder}/net.onnx", lambda x: mg.softmax(net(x)), np.ones((4, 3), np.float32))
    """
    try:
        import onnx
    except ImportError:
        raise ImportError("export: an .onnx file needs the package onnx: pip install onnx") from None
    from ..serialization import path_of, replacing
    from .model import model_of
    from .runs import Runs, plain_example

    if path_of("export", path).suffix != ".onnx":
        raise ValueError(f"export: path must end in .onnx, not {brief(os.fsdecode(path))}")
    if not callable(f):
        raise TypeError(f"export: f must be a function or a Module, not {brief(f)}")
    if not isinstance(dynamic_batch, (bool, np.bool)):
        raise TypeError(f"export: dynamic_batch must be True or False, not {brief(dynamic_batch)}")
    arrays = plain_example(example)
    names = _input_names(f, len(arrays))
    with _evaluating(f):
        runs = Runs(f, arrays, bool(dynamic_batch))
    model = model_of(runs, names, _parameter_names(f), _name_of(f))
    # equivalent: any change because every model that is made so far is right
    onnx.checker.check_model(model, full_check=True)
    with replacing(path) as file:
        file.write(model.SerializeToString())


@contextmanager
def _evaluating(f: Any) -> Iterator[None]:
    """Let a Module be as in `eval()`, and then as it was."""
    modules = [module for _, module in f.named_modules()] if isinstance(f, Module) else []
    modes = [module.training for module in modules]
    try:
        for module in modules:
            module.training = False
        yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode


def _name_of(f: Any) -> str:
    return re.sub(r"\W", "", getattr(f, "__name__", type(f).__name__))


def _input_names(f: Any, count: int) -> list[str]:
    """The names of f's positional parameters; x0, x1, ... where there are none."""
    try:
        parameters = [*inspect.signature(f.forward if isinstance(f, Module) else f).parameters.values()]
    except (TypeError, ValueError):  # some functions written in C have none
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return names[:count] if len(names) >= count else [f"x{i}" for i in range(count)]


def _parameter_names(f: Any) -> dict[int, str]:
    """{id(array): name} of the Tensors in a Module, or in the variables that a function uses."""
    names: dict[int, str] = {}
    for name, part in _variables(f):
        if isinstance(part, Tensor):
            names.setdefault(id(array_of(part)), part.name if part.name and "." not in name else name)
    return names


def _variables(f: Any) -> Iterator[tuple[str, Any]]:
    """(name, Tensor) of what f computes with: of each Module among its variables the parameters."""
    owner = getattr(f, "__self__", f)
    if isinstance(owner, Module):
        yield from owner.named_parameters()
    elif inspect.isfunction(f):
        used = inspect.getclosurevars(f)
        yield from _in_nest({**used.globals, **used.nonlocals})


def _in_nest(nest: Any, start: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(nest, Module):
        yield from ((f"{start}.{name}", parameter) for name, parameter in nest.named_parameters())
    elif isinstance(nest, (dict, list, tuple)):
        for key, part in nest.items() if isinstance(nest, dict) else enumerate(nest):
            yield from _in_nest(part, f"{start}.{key}" if start else str(key))
    elif isinstance(nest, Tensor):
        yield start, nest
