"""`debug`, the sanitizer: it looks at every op and every VJP of a task while the program runs.

It finds the first NaN or infinity, and arrays that were written to between forward and backward().
It is a setting of the task; outside of it an op pays nothing.
"""

import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from .. import operation
from ..errors import NUMPY_ERRORS, brief
from ..operation import array_of
from ..settings import Setting

_OURS = tuple(f"{Path(package).parent}/".replace("\\", "/") for package in (operation.__file__, np.__file__))


class Seen(NamedTuple):
    """What is noted of a node: the line that called its op, as (file, number), checksums of what it saved, times."""

    line: tuple[str, int]
    checksums: dict[str, tuple]
    seconds: dict[str, float]


class debug(Setting):
    """Look at every op of this task: `with mg.debug():`, or `@mg.debug()` on a function.

    nonfinite: raise at the first NaN or infinity; False lets them pass.
    time: measure how long each forward and each VJP takes, for `mg.viz.profile` and the colours of `graph`'s page.

    Raises FloatingPointError when an op, or a VJP, gives NaN or infinity though all that it was given is
    finite, and RuntimeError in a sweep when an array that an op saved was written to after the call. Both
    name the op, the argument, the entry and the line of the program. `graph` then shows `file:line` in the
    tooltip of each op, with a link. It nests.

    >>> x = mg.tensor([1.0, 0.0], requires_grad=True)
    >>> with mg.debug():
    ...     mg.sqrt(x).sum().backward()
    Traceback (most recent call last):
        ...
    FloatingPointError: sqrt: the VJP of 'x' gave inf at [1] from finite values: g = 1.0, out = 0.0, x = 0.0, ...
    """

    kind = "debug"

    def __init__(self, *, nonfinite: bool = True, time: bool = False):
        for name, value in (("nonfinite", nonfinite), ("time", time)):
            if not isinstance(value, (bool, np.bool)):
                raise TypeError(f"debug: {name} must be True or False, not {brief(value)}")
        super().__init__()
        self.nonfinite, self.time = nonfinite, time

    def __enter__(self) -> "debug":
        self._enter(_Debugger(self.nonfinite, self.time))
        return self

    def _recreate_cm(self) -> "debug":
        return debug(nonfinite=self.nonfinite, time=self.time)


class _Debugger:
    """What ops and the sweep call while `debug` is in force."""

    def __init__(self, nonfinite: bool, time: bool):
        self.nonfinite, self.time = nonfinite, time
        self.last = threading.local()  # what the last forward took; threads may share the block of a task
        self.errstate: dict[str, Any] = {"all": "ignore"} if nonfinite else {}  # what NumPy warns of is raised here

    def forward(self, op: Any) -> Callable:
        """The forward of the op, timed."""
        return partial(self._timed, op.forward)

    def _timed(self, forward: Callable, *arrays: Any, **parameters: Any) -> Any:
        start = perf_counter()
        output = forward(*arrays, **parameters)
        self.last.seconds = perf_counter() - start
        return output

    def computed(self, op: Any, arrays: Any, tensor: Any) -> Any:
        """Return the Tensor that an op computed from these arrays, looked at, with what its node saved noted."""
        line, node = _calling_line(), tensor.node
        if self.nonfinite:
            named = [(op.argument(i), array) for i, array in enumerate(arrays)]
            _check_finite(f"{op.__name__}: it gave", tensor._array, named, line)
        if node is not None:
            seconds = {"forward": self.last.seconds} if self.time else {}
            node.seen = Seen(line, {name: _checksum(array) for name, array in _saved(node)}, seconds)
        return tensor

    def contribution(self, i: int, node: Any, g: Any) -> Any:
        """Return what the op's VJP gives, once it and what the node saved have been looked at."""
        op, seen = node.op, getattr(node, "seen", None)
        if seen is not None:
            _check_unwritten(node, seen)
        where, line = f"{op.__name__}: the VJP of {op.argument(i)!r}", seen and seen.line
        try:
            with np.errstate(**self.errstate):
                start = perf_counter()
                gradient = op.contribution(i, node, g)
                if self.time and seen is not None:
                    seen.seconds["backward"] = seen.seconds.get("backward", 0.0) + perf_counter() - start
        except NUMPY_ERRORS as error:
            kind = next(kind for kind in NUMPY_ERRORS if isinstance(error, kind))
            raise kind(f"{error}{_called(line)}") from error
        if self.nonfinite:
            given = [("g", g), ("out", node.output), *((op.argument(j), a) for j, a in enumerate(node.arguments))]
            _check_finite(f"{where} gave", array_of(gradient), [(name, array_of(a)) for name, a in given], line)
        return gradient


def _check_finite(what: str, result: Any, given: list[tuple[str, Any]], line: tuple[str, int] | None) -> None:
    """Raise FloatingPointError if the result is not finite though all that it was computed from is."""
    if _finite(result) or not all(_finite(array) for _, array in given):
        return
    index = tuple(map(int, np.argwhere(~np.isfinite(result))[0]))
    there = ", ".join(_entry(name, array, np.shape(result), index) for name, array in given)
    raise FloatingPointError(
        f"{what} {result[index]} at {list(index)} from finite values: {there}{_called(line)} "
        "(mg.debug(nonfinite=False) lets it pass)"
    )


def _finite(array: Any) -> bool:
    """Whether no entry is NaN or infinity; what is not made of numbers, such as an axis or an index, has none."""
    if not isinstance(array, (np.ndarray, np.generic, float)):
        return True
    return np.result_type(array).kind not in "fc" or bool(np.all(np.isfinite(array)))


def _entry(name: str, array: Any, shape: tuple[int, ...], index: tuple[int, ...]) -> str:
    """The entry at the index, of an array that broadcasts to the shape; the array's own shape if it does not."""
    try:
        return f"{name} = {np.broadcast_to(array, shape)[index]}"
    except (ValueError, TypeError):
        return f"{name} of shape {np.shape(array)}"


def _saved(node: Any) -> Iterator[tuple[str, np.ndarray]]:
    """What a node saved, by name."""
    given = [(f"its argument {node.op.argument(i)!r}", array_of(a)) for i, a in enumerate(node.arguments)]
    return ((name, a) for name, a in [*given, ("its output", array_of(node.output))] if isinstance(a, np.ndarray))


def _check_unwritten(node: Any, seen: Seen) -> None:
    for name, array in _saved(node):
        if _checksum(array) != seen.checksums[name]:
            raise RuntimeError(
                f"{node.op.__name__}: {name} was written to since the op was called at {_text(seen.line)}, so its "
                "derivative would be wrong: write to a copy"
            )


def _checksum(array: np.ndarray) -> tuple:
    return array.shape, array.dtype.str, zlib.crc32(np.ascontiguousarray(array).data)


def _called(line: tuple[str, int] | None) -> str:
    return f", called at {_text(line)}" if line else ""


def _text(line: tuple[str, int]) -> str:
    return f"{Path(line[0]).name}:{line[1]}"


def _calling_line() -> tuple[str, int]:
    """The innermost line outside of minigrad and NumPy."""
    frame: Any = sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.replace("\\", "/").startswith(_OURS):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno
