"""`debug`: look at every op while a program runs, so that a picture can say where an op was called.

It is a setting of the task; outside of it an op pays nothing.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from .. import operation
from ..settings import Setting

_OURS = tuple(f"{Path(package).parent}/".replace("\\", "/") for package in (operation.__file__, np.__file__))


class debug(Setting):
    """Record in this task where each op is called: `with mg.debug():`, or `@mg.debug()` on a function.

    `graph` then shows `file:line` in the tooltip of each op, with a link. It nests.
    """

    kind = "debug"

    def __enter__(self) -> "debug":
        self._enter(_Debugger())
        return self

    def _recreate_cm(self) -> "debug":
        return debug()


class _Debugger:
    """What ops and the sweep call while `debug` is in force."""

    def computed(self, op: Any, arrays: Any, tensor: Any) -> None:
        """Note the line of the program that called the op."""
        if tensor.node is not None:
            tensor.node.seen = _calling_line()

    def contribution(self, i: int, node: Any, g: Any) -> Any:
        """Return what the op's VJP gives."""
        return node.op.contribution(i, node, g)


def _calling_line() -> tuple[str, int]:
    """The innermost line outside of minigrad and NumPy."""
    frame: Any = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.replace("\\", "/").startswith(_OURS):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno
