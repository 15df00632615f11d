"""`debug`: record more while a program runs, so that a picture can say where an op was called.

Outside of it an op pays nothing: the block puts another class of node in the place of `Node`.
"""

import sys
import threading
from pathlib import Path

import numpy as np

from .. import operation
from ..settings import Setting
from ..tape import Node

_OURS = tuple(f"{Path(package).parent}/".replace("\\", "/") for package in (operation.__file__, np.__file__))
_lock = threading.Lock()
_active = threading.local()
_blocks = 0  # open in all threads


class LocatedNode(Node):
    """A node that knows the line of the program that called its op, as (file, line)."""

    __slots__ = ("line",)

    def __init__(self):
        self.line = _calling_line() if getattr(_active, "depth", 0) else None


class debug(Setting):
    """Record in this thread where each op is called: `with mg.debug():`, or `@mg.debug()` on a function.

    `graph` then shows `file:line` in the tooltip of each op, with a link. It nests.
    """

    def __enter__(self):
        global _blocks
        with _lock:
            _blocks += 1
            operation.Node = LocatedNode  # type: ignore[misc]
        _active.depth = getattr(_active, "depth", 0) + 1
        return self

    def __exit__(self, *exception):
        global _blocks
        _active.depth -= 1
        with _lock:
            _blocks -= 1
            if not _blocks:
                operation.Node = Node  # type: ignore[misc]

    def _recreate_cm(self):
        return debug()


def _calling_line():
    """The innermost line outside of minigrad and NumPy."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.replace("\\", "/").startswith(_OURS):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno
