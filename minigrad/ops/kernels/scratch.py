"""Scratch memory: per thread, reused, bounded, and given back on request.

A fresh large array costs a page fault for each 4 KB, which is more than the arithmetic on it.
Kernels therefore borrow their intermediate arrays here; what an op returns never comes from here.
"""

import math
import threading
from operator import attrgetter

import numpy as np

from ...allocator import keep_freed_memory

LIMIT = 64 * 2**20  # bytes that a thread keeps between two calls
ALIGNMENT = 64  # bytes: a cache line, and the widest vector register


class _Buffers(dict):
    """A set of buffers by name, and how many bytes they have together."""

    nbytes = 0


class _Kept(threading.local):
    """What this thread keeps: sets of buffers that no kernel uses now."""

    def __init__(self) -> None:
        self.free: list[_Buffers] = []

    @property
    def nbytes(self) -> int:
        """Of all of them."""
        return sum([buffers.nbytes for buffers in self.free])


_kept = _Kept()


class Scratch:
    """`with Scratch() as take: r = take("windows", shape, dtype)` lends an array of unspecified content.

    Names are told apart only within one `with`; arrays die with it. A `with` inside of another one, or in a
    signal handler that interrupts it, gets a set of buffers of its own.
    """

    def __enter__(self):
        self.buffers = _kept.free.pop() if _kept.free else _Buffers()
        return self.take

    def __exit__(self, *exception):
        _kept.free.append(self.buffers)
        # equivalent: > -> >= because what is kept stays below the limit
        if _kept.nbytes > LIMIT:
            # equivalent: any change because which set goes first is a matter of speed
            _kept.free.sort(key=attrgetter("nbytes"))
            # equivalent: > -> >= because what is kept stays below the limit
            while _kept.nbytes > LIMIT:
                del _kept.free[0]

    def take(self, name, shape, dtype):
        """An array of this shape and dtype, in C order and aligned."""
        size = math.prod(shape) * dtype.itemsize
        buffer = self.buffers.get(name)
        if buffer is None or buffer.nbytes < size:
            # equivalent: any change because it only saves time
            keep_freed_memory()
            raw = np.empty(size + ALIGNMENT, np.uint8)
            start = -raw.ctypes.data % ALIGNMENT
            buffer = self.buffers[name] = raw[start : start + size]
            self.buffers.nbytes = sum([b.nbytes for b in self.buffers.values()])
        return np.ndarray(shape, dtype, buffer)


def release_scratch():
    """Give back the memory that this thread's kernels keep for their next call."""
    _kept.free = []
