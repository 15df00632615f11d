"""What OpenBLAS is fast at: the sizes that the kernels cut their matrix products to."""

import math
from functools import lru_cache

import numpy as np

_SIMD = np.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", ())
_AVX512 = not {"X86_V4", "AVX512_SKX"}.isdisjoint(_SIMD)  # as NumPy calls it from 2.4 on, and before
# With AVX-512, OpenBLAS has kernels for small matrices; larger ones, and all on other processors, it packs first.
PRODUCT = 1_000_000 if _AVX512 else math.inf  # M*N*K up to which it has them
TRANSPOSED = 1_200 if _AVX512 else math.inf  # M*N up to which it has them for A @ B.T
LANES = 512  # columns of one product, if there are as many: few make reading the other matrix count
CONTRACTION = 768  # length of the sums in one product A @ B.T: long enough to be worth its result
TILE = 1024 * 1024  # bytes of scratch in use at a time: about the second-level cache


@lru_cache
def blocks(size, most, multiple=1):
    """Slices that cover range(size): as few as have at most `most` entries, made equal and rounded up to a multiple."""
    if size == 0:
        return ()
    count = math.ceil(size / max(most, 1))
    length = math.ceil(size / count / multiple) * multiple
    return tuple(slice(start, min(start + length, size)) for start in range(0, size, length))


def multiply(matrix, stack, out):
    """out = matrix @ stack over stacks of matrices, each product above `PRODUCT` cut into blocks of about that size.

    Blocks are multiples of 16 lanes and 8 rows; rows are cut only where 16 lanes of all of them are too many.
    """
    rows, depth = matrix.shape[-2:]
    lanes = stack.shape[-1]
    if rows * depth * lanes <= PRODUCT:
        np.matmul(matrix, stack, out=out)
        return
    row_blocks = blocks(rows, PRODUCT // (depth * 16), 8)
    for lane in blocks(lanes, PRODUCT // (depth * row_blocks[0].stop), 16):
        for row in row_blocks:
            np.matmul(matrix[..., row, :], stack[..., lane], out=out[..., row, lane])


@lru_cache
def parts(depth, outputs):
    """Into how many parts of equal size to cut `depth`, so that products A @ B.T of (depth, outputs) stay small."""
    fewest = max(1, math.ceil(depth * outputs / TRANSPOSED))
    return next((n for n in range(fewest, depth) if depth % n == 0), depth)
