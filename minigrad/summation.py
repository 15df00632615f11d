"""Sums that stay precise however many entries they add.

NumPy adds an axis pairwise only where it is the innermost one in memory. Along any other axis it
adds row after row, and the error grows with their number: float32 loses digits at 10**5 rows.
"""

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from .products import product

_ROWS = 16  # added one after another; the error grows with this and not with the number of rows
# entries up to which no blocks are needed, by dtype
_DIRECT = {"e": 1, "f": 128, "F": 128} | dict.fromkeys("dgDG", 1024)
_SMALL = 2**14  # entries of an array up to which adding float32 in float64 takes less time than blocks
_PAIRWISE, _MANY = 8, 1024  # entries of a row from which on NumPy adds pairwise; of all, for which steps are cheap
_SHORT = 64  # entries of a row up to which few of them are added faster one after another than by NumPy
_FEW = 64  # sums of blocks that are added without blocks of their own
_DOT, _SHORT_DOT = 1024, 16  # entries of a dot product: as many keep float32 precise, fewer take longer than products
_WIDE = 16  # entries of a row from which on BLAS adds rows faster than NumPy
_RUN = 2048  # entries that one row of a block should have: NumPy is slow on shorter ones, and the cache holds these


# equivalent: any change because each way of adding has the same sum
def blocked_sum(a: np.ndarray, axis: Any = None, keepdims: Any = False, dtype: Any = None) -> Any:
    """The sum over the axes, as np.sum, with an error that hardly grows with the number of entries.

    a: an array in any memory layout. What is neither floating-point nor complex is summed as np.sum does.
    dtype: that the sum is computed and returned in. By default that of `a`, and float16 is added in
        float32 and rounded once.

    >>> import numpy as np
    >>> rows = np.full((100_000, 2), 0.1, np.float32)
    >>> abs(rows.sum(axis=0)[0] - 10_000) > 1
    np.True_
    >>> abs(blocked_sum(rows, axis=0)[0] - 10_000) < 0.01
    np.True_
    """
    if isinstance(axis, (list, bool)):  # as np.sum does
        raise TypeError(f"axis must be an int or a tuple of ints, not {axis!r}")
    axes = normalized_axes(axis, a.ndim)
    if dtype is None and _has_short_rows(a, axes):
        total: Any = sum(np.moveaxis(a, axes[0], 0))
        return np.expand_dims(total, axes) if keepdims else total
    if _is_direct(a, axes):
        return np.add.reduce(a, axis=axes, keepdims=keepdims, dtype=dtype)
    if a.dtype.char == "f" and a.size <= _SMALL:
        return np.add.reduce(a, axis=axes, keepdims=keepdims, dtype=np.float64).astype(dtype or a.dtype)
    total = _sum_of_rows(a) if dtype is None and _has_rows(a, axes) else _sum_of_blocks(a, axes, dtype)
    return np.expand_dims(total, axes)[()] if keepdims else total[()]


# equivalent: any change because the sum of the products, as an array, is the same
def blocked_dot(x: np.ndarray, y: np.ndarray | None, axis: Any) -> Any:
    """The sum of x y over the axes, which are kept with size 1: as precise as `blocked_sum`, with no array of products.

    x, y: arrays of one shape and one floating-point dtype, not float16; y None: ones, since a product with ones
        adds short rows faster than NumPy's sum.
    """
    axes = normalized_axes(axis, x.ndim)
    if axes == (x.ndim - 1,) and _SHORT_DOT <= x.shape[-1] <= _DOT and x.flags.c_contiguous:
        return np.vecdot(x, np.ones(x.shape[-1], x.dtype) if y is None else y)[..., None]
    order = _memory_order(x, axes)
    a, b = x.transpose(order), (x if y is None else y).transpose(order)
    start, n = _innermost(a.shape, [axis in axes for axis in order])
    if n < _SHORT_DOT or not (a.flags.c_contiguous and b.flags.c_contiguous):
        return blocked_sum(x if y is None else x * y, axes, keepdims=True)
    rows = (*a.shape[:start], n)
    factors = np.ones(n, a.dtype) if y is None else b.reshape(rows)
    dots = np.vecdot(a.reshape(rows), factors).reshape(*rows[:-1], *[1] * (x.ndim - start))
    return blocked_sum(dots.transpose(np.argsort(order)), axes, keepdims=True)


# equivalent: any change because the sum is the same whatever part of it is a dot product
def _innermost(shape, added):
    """The first of the innermost axes that are all added and have _DOT entries at most, and how many they have."""
    start, n = len(shape), 1
    while start and added[start - 1] and n * shape[start - 1] <= _DOT:
        start -= 1
        n *= shape[start]
    return start, n


def normalized_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes as non-negative ints; None means all, and an array without axes takes 0 and -1, as np.sum does."""
    # equivalent: -ndim <= axis -> -ndim < axis because NumPy's own check, which is slower, gives the same
    if type(axis) is int and -ndim <= axis < ndim:
        return (axis % ndim,)
    if axis is None or (type(axis) is int and axis in (0, -1)):
        return tuple(range(ndim))
    return normalize_axis_tuple(axis, ndim)


def normalized_axis(axis: Any, ndim: int, name: str) -> int:
    """One axis as a non-negative int. Raises TypeError for a bool, as NumPy's functions written in C do."""
    if isinstance(axis, bool):
        raise TypeError(f"{name}: axis must be an integer, not {axis}")
    return normalize_axis_index(axis, ndim, name)


# equivalent: any change because each way of adding has the same sum
def _has_short_rows(a, axes):
    """Whether few entries are added along an inner axis: NumPy is slow there, and adds them in the same order."""
    if len(axes) != 1 or not 1 < a.shape[axes[0]] < _PAIRWISE or a.size < _MANY or a.dtype.char not in "fd":
        return False
    added = abs(a.strides[axes[0]])
    return math.prod(n for n, stride in zip(a.shape, a.strides, strict=True) if abs(stride) < added) < _SHORT


# equivalent: any change because each way of adding has the same sum
def _is_direct(a, axes):
    """Whether NumPy's own sum is precise: it adds pairwise, or only a few entries."""
    if math.prod([a.shape[i] for i in axes]) <= _DIRECT.get(a.dtype.char, math.inf):
        return True
    last = axes == tuple(range(a.ndim - len(axes), a.ndim)) and a.flags.c_contiguous
    pairwise = last or (len(axes) == a.ndim and a.flags.f_contiguous)
    # float16 is added in float32
    return pairwise and a.dtype.char != "e"


# equivalent: any change because each way of adding has the same sum
def _has_rows(a, axes):
    """Whether whole rows are added that lie one after another, and are so long that BLAS is faster than NumPy."""
    rows = axes == tuple(range(a.ndim - 1)) and a.flags.c_contiguous
    return rows and a.dtype.char in "fd" and a.shape[-1] >= _WIDE


# equivalent: <= -> < because one block of all rows has the same sum
def _sum_of_rows(a):
    """The sum over all axes but the last: blocks of a few rows as products with ones, then the sums of the blocks."""
    rows = a.reshape(-1, a.shape[-1])
    if len(rows) <= _FEW:
        return np.add.reduce(rows)
    end = len(rows) // _FEW * _FEW
    total = _sum_of_rows(product(np.ones(_FEW, a.dtype), rows[:end].reshape(-1, _FEW, a.shape[-1])))
    return total + np.add.reduce(rows[end:])


def _sum_of_blocks(a, axes, dtype):
    """The sum over the axes; float16 is added in float32."""
    if a.dtype.char == "e" and dtype is None:
        return _in_memory_order(a, axes, np.float32).astype(a.dtype)
    return _in_memory_order(a, axes, dtype)


def _in_memory_order(a, axes, dtype):
    """The sum over the axes, outermost in memory first; the axes that are kept stand in their old order."""
    order = _memory_order(a, axes)
    total = _sum(a.transpose(order), [i in axes for i in order], dtype)
    kept = [i for i in order if i not in axes]
    return total.reshape([a.shape[i] for i in kept]).transpose(np.argsort(kept))


# equivalent: any change because in another order the sum only takes longer
def _memory_order(a, axes):
    """All axes, outermost in memory first. Of two that repeat the same entries, the one that is kept comes last."""
    return sorted(range(a.ndim), key=lambda i: (-abs(a.strides[i]), i not in axes))


def _sum(a, summed, dtype):
    """The sum over the axes that are marked in `summed`, of an array whose axes stand as they lie in memory."""
    a, summed = _merged(a, summed)
    if True not in summed:
        return a
    i = summed.index(True)
    return _sum(_sum_over(a, i, dtype), summed[:i] + summed[i + 1 :], dtype)


# equivalent: any change because the same entries, with more axes or copied, have the same sum
def _merged(a, summed):
    """The same entries with each run of contiguous axes, all summed or all kept, as one axis."""
    merged: Any = [], [], []
    shape, strides, marks = merged
    for size, stride, mark in zip(a.shape, a.strides, summed, strict=True):
        if size == 1:
            continue
        if shape and marks[-1] == mark and strides[-1] == stride * size:
            shape[-1] *= size
            strides[-1] = stride
        else:
            shape.append(size)
            strides.append(stride)
            marks.append(mark)
    return a.reshape(shape), marks


# equivalent: any change because blocks of any size have the same sum
def _sum_over(a, axis, dtype):
    """The sum over one axis: blocks of a few rows first, then in the same way over the sums of the blocks."""
    before, n, after = a.shape[:axis], a.shape[axis], a.shape[axis + 1 :]
    width = math.prod(after)
    if n <= _FEW or width < 2:  # the innermost axis, which NumPy adds pairwise, or no entries
        return np.add.reduce(a, axis=axis, dtype=dtype)
    joined = max(1, min(_RUN // width, n // _ROWS))  # neighbours that make one long row
    blocks = n // (_ROWS * joined)
    end = blocks * _ROWS * joined
    leading = (slice(None),) * axis
    block = a[(*leading, slice(end))].reshape(*before, blocks, _ROWS, joined, *after)
    sums = np.add.reduce(block, axis=axis + 1, dtype=dtype).reshape(*before, blocks * joined, *after)
    total = _sum_over(sums, axis, dtype)
    return total if end == n else total + _sum_over(a[(*leading, slice(end, None))], axis, dtype)


class PairwiseSum:
    """A sum of arrays that arrive one by one, pairwise: its parts are sums of 1, 2, 4, ... of them.

    It owns the sums of two or more, and adds to these in place. Slices are gathered in one more array, `placed`,
    which becomes a part when an entry of it has got a few, as `counts` says. Slices that are Tensors wait in `recorded`
    for one op to add them all.
    """

    __slots__ = ("count", "counts", "parts", "placed", "recorded")

    def __init__(self, first: Any):
        self.parts = [first]
        self.count = 1
        self.placed: Any = None
        self.counts: Any = None
        self.recorded: Any = None

    def add(self, x: Any) -> None:
        """Add x as a part, and merge as many parts as the count has zeros at its end, as a binary counter carries."""
        self.count = merges = self.count + 1
        if not merges & 1:
            x = self.parts.pop() + x
            while not (merges := merges >> 1) & 1:
                part = self.parts.pop()
                # equivalent: part) is -> part) is not because what follows adds two arrays as well, to a new one
                if type(part) is np.ndarray is type(x):
                    part += x
                    x = part
                else:  # a Tensor, of a sweep that is recorded
                    x = part + x
        self.parts.append(x)

    def add_at(self, index: Any, x: Any, shape: tuple[int, ...], together: Any = None) -> None:
        """Add x to the entries of an array of `shape` at an index that names none of them twice.

        together: the op that adds Tensors.
        """
        if hasattr(x, "node"):
            self.recorded = self.recorded or (together, shape, [], [])
            self.recorded[2].append(x)
            self.recorded[3].append(index)
            return
        # equivalent: >= -> >; np.any -> np.all because one more slice in an array has the same sum
        if self.placed is None or np.any(self.counts[index] >= _ROWS):
            self.join()
            # equivalent: np.zeros(shape, np.uint8) -> np.ones(shape, np.uint8) because one fewer has the same sum
            self.placed, self.counts = np.zeros(shape, x.dtype), np.zeros(shape, np.uint8)
        self.placed[index] += x
        self.counts[index] += 1  # equivalent: 1 -> 2 because half as many have the same sum

    def join(self) -> None:
        """Add the gathered slices as one part."""
        if self.placed is not None:
            self.add(self.placed)
            self.placed = None
        if self.recorded is not None:
            (together, shape, slices, indices), self.recorded = self.recorded, None
            self.add(together(*slices, indices=indices, shape=shape))


def plus(a: Any, b: Any) -> PairwiseSum:
    """Add b to the sum a, or start one: it changes neither of two arrays."""
    pairwise = a if type(a) is PairwiseSum else PairwiseSum(a)
    pairwise.add(b)
    return pairwise


def plus_at(a: Any, index: Any, b: Any, shape: tuple[int, ...], together: Any) -> PairwiseSum:
    """Add b to the entries of the sum a at the index, or start one: it changes neither of two arrays."""
    pairwise = a if type(a) is PairwiseSum else PairwiseSum(a)
    pairwise.add_at(index, b, shape, together)
    return pairwise


def total(a: Any) -> Any:
    """Return the sum itself; an array that nothing was added to is returned as it is."""
    if type(a) is not PairwiseSum:
        return a
    a.join()
    # equivalent: reversed(a.parts[:-1]) -> a.parts[:-1] because the order is a matter of rounding, small ones first
    return sum(reversed(a.parts[:-1]), a.parts[-1])
