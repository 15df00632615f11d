"""Scratch memory: per thread, reused, bounded, and given back on request.

A fresh large array costs a page fault for each 4 KB, which is more than the arithmetic on it.
Kernels therefore borrow their intermediate arrays here; what an op returns never comes from here.
"""

import math
import threading

import numpy as np

LIMIT = 64 * 2**20  # bytes that a thread keeps between two calls
ALIGNMENT = 64  # bytes: a cache line, and the widest vector register

# The other fresh arrays are the results. glibc hands freed memory back to the system as soon as twice the
# largest array it has seen freed lies unused at the end of its heap, so that each training step would pay
# for the same pages again. Once it has seen an array of nearly 32 MB, the most that it learns from, it keeps
# up to twice as much. No page of this one is ever touched; other allocators take no notice of it.
_ = np.empty(31 * 2**20, np.uint8)
del _


class _Kept(threading.local):
    """The buffers that this thread keeps while no kernel uses them; None while one does."""

    buffers: dict[str, np.ndarray] | None = None

    def __init__(self):
        self.buffers = {}


_kept = _Kept()


class Scratch:
    """`with Scratch() as take: r = take("windows", shape, dtype)` lends an array of unspecified content.

    Names are told apart only within one `with`; arrays die with it. A kernel that interrupts
    another one of its thread (in a signal handler) finds nothing kept, and so gets memory of its own.
    """

    def __enter__(self):
        kept, _kept.buffers = _kept.buffers, None
        self.buffers = {} if kept is None else kept
        self.grown = False
        return self.take

    def __exit__(self, *exception):
        if self.grown and sum(buffer.nbytes for buffer in self.buffers.values()) > LIMIT:
            self.buffers = {}
        _kept.buffers = self.buffers

    def take(self, name, shape, dtype):
        """An array of this shape and dtype, in C order and aligned."""
        size = math.prod(shape) * dtype.itemsize
        buffer = self.buffers.get(name)
        if buffer is None or buffer.nbytes < size:
            self.grown = True
            raw = np.empty(size + ALIGNMENT, np.uint8)
            start = -raw.ctypes.data % ALIGNMENT
            buffer = self.buffers[name] = raw[start : start + size]
        return np.ndarray(shape, dtype, buffer)


def release_scratch():
    """Give back the memory that this thread's kernels keep for their next call."""
    _kept.buffers = {}
