"""The memory of kernels: images innermost, and scratch that is reused.

An array of logical shape (N, C, H, W) is stored as (H, C, W, N) and returned as a transposed
view. Every copy, pool and elementwise op then runs over long contiguous stretches whatever the
window or the stride, a row of a channel is a row of a matrix, and NumPy's elementwise ops keep the order.
A fresh large array costs a page fault for each 4 KB, which is more than the arithmetic on it. Kernels
therefore borrow their intermediate arrays from `Scratch`; what an op returns never comes from there.
"""

import math
import threading
from itertools import product
from operator import attrgetter

import numpy as np

from ...allocator import keep_freed_memory
from ...threads import blocks, share

IN_CACHE = 512 * 1024  # bytes that surely stay in the second-level cache
PAGE = 4096  # bytes
LINE = 64  # bytes: a line of the cache
LARGE = 1024 * 1024  # bytes of a copy from which threads save more than they cost
FEWEST_STREAMS = 16  # images that are read in turn: the first-level cache keeps a line of each, if they are fewer
FEWEST_IMAGES = 8  # innermost: below, turning a C-ordered source costs more than long rows gain
SCRATCH_LIMIT = 64 * 2**20  # bytes that a thread keeps between two calls
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

    # equivalent: any change because which buffers are kept for the next call is a matter of speed
    def __exit__(self, *exception):
        _kept.free.append(self.buffers)
        if _kept.nbytes > SCRATCH_LIMIT:
            _kept.free.sort(key=attrgetter("nbytes"))
            while _kept.nbytes > SCRATCH_LIMIT:
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


_INNERMOST = np.empty((2, 2, 2, 2)).transpose(3, 1, 0, 2)


def innermost(array):
    """(N, C, H, W) -> the view (H, C, W, N)."""
    return array.transpose(2, 1, 3, 0)


def images_innermost(array):
    """Whether (N, C, H, W) lies in memory as (H, C, W, N), without gaps."""
    return len(array) > 1 and innermost(array).flags.c_contiguous


def empty(shape, dtype):
    """A new array of logical shape (N, C, H, W): images innermost if there are enough of them, else C order."""
    return empty_innermost(shape, dtype) if shape[0] >= FEWEST_IMAGES else np.empty(shape, dtype)


def empty_innermost(shape, dtype):
    """A new array of logical shape (N, C, H, W), images innermost; it owns its memory."""
    return np.empty_like(_INNERMOST, dtype, shape=shape)


def clear_outside(array, kept):
    """Set to zero what lies before and after a slice of the first axis."""
    array[: kept.start] = 0
    array[kept.stop :] = 0


# equivalent: any change because all ways copy the same
def copy_into(target, source):
    """target[...] = source, both of the same shape and possibly of different layouts.

    Putting the images of a C-ordered source innermost reads with a stride of one image. That misses the cache where
    the source is larger than it, or where the images lie a multiple of the page size apart and share a few lines of
    the cache. The source is then copied piece by piece, first to scratch whose images lie an odd number of lines apart.
    """
    if source.ndim < 3 or not source.size:
        np.copyto(target, source)
        return
    first = target.strides.index(min(target.strides))  # the images
    many, apart = source.shape[first] >= FEWEST_STREAMS, source.strides[first]
    if not many or apart < max(source.strides) or (source.nbytes <= IN_CACHE and apart % PAGE):
        np.copyto(target, source)
        return
    order = sorted(range(source.ndim), key=lambda axis: (axis != first, -abs(source.strides[axis])))
    target, source = target.transpose(order), source.transpose(order)
    cuts, size = [], source.nbytes
    for length in source.shape[1:-1]:
        size //= length
        cuts.append(blocks(length, IN_CACHE // 2 // size))
    pieces = [(slice(None), *piece) for piece in product(*cuts)]
    if source.nbytes >= LARGE:
        share(lambda piece: _copy_piece(target[piece], source[piece]), pieces)
    else:
        for piece in pieces:
            _copy_piece(target[piece], source[piece])


# equivalent: any change because images any distance apart are the same
def _copy_piece(target, source):
    """Copy by way of scratch, so that both are read and written along lines of the cache."""
    with Scratch() as take:
        apart = -(-source[0].nbytes // LINE) | 1
        staged = take("staged", (len(source), apart * LINE // source.itemsize), source.dtype)[:, : source[0].size]
        staged = staged.reshape(source.shape)
        np.copyto(staged, source)
        np.copyto(target, staged)


def laid(name, x, groups, dtype, take):
    """x (N, C, H, W) as (group, row, channel, column, image) without gaps: a view of x, or of a copy in scratch."""
    n, c, h, w = x.shape
    laid = innermost(x).reshape(h, groups, c // groups, w, n).swapaxes(0, 1)  # (row, group, ...) -> (group, row, ...)
    if not laid.flags.c_contiguous or x.dtype != dtype:
        laid = take(name, laid.shape, dtype)
        for group, channels in zip(laid, blocks(c, c // groups), strict=True):
            copy_into(group.transpose(3, 1, 0, 2), x[:, channels])
    return laid
