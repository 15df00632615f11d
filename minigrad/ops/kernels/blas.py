"""What OpenBLAS is fast at: the sizes to which the kernels cut their matrix products."""

import math
from functools import lru_cache

import numpy as np

from ...threads import blocks

_SIMD = np.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", ())
_AVX512 = not {"X86_V4", "AVX512_SKX"}.isdisjoint(_SIMD)  # as NumPy calls it from 2.4 on, and before
# With AVX-512, OpenBLAS has kernels for small matrices; larger ones, and all on other processors, it packs first.
PRODUCT = 1_000_000 if _AVX512 else math.inf  # M*N*K up to which it has them
TRANSPOSED = 1_200 if _AVX512 else math.inf  # M*N up to which it has them for A @ B.T
LANES = 512  # columns of one product, if there are as many: few make reading the other matrix count
CONTRACTION = 768  # length of the sums in one product A @ B.T: long enough to be worth its result
TILE = 1024 * 1024  # bytes of scratch in use at a time: about the second-level cache


@lru_cache
def tiles(rows, depth, lanes):
    """[(rows, lanes), ...] of the result of a product (rows, depth) @ (depth, lanes): each about `PRODUCT`, or all.

    They are multiples of 16 lanes and 8 rows; rows are cut only where 16 lanes of all of them are too many.
    """
    # equivalent: any change because tiles of any size give the same
    if rows * depth * lanes <= PRODUCT:
        return [(slice(rows), slice(lanes))]
    # equivalent: any change because tiles of any size give the same
    down = blocks(rows, PRODUCT // (depth * 16), 8)
    # equivalent: any change because tiles of any size give the same
    return [(row, lane) for lane in blocks(lanes, PRODUCT // (depth * down[0].stop), 16) for row in down]


def add_products(total, stack, g, take):
    """Add stack (row, group, depth, lane) times g (row, group, output, lane) to the total (group, depth, output).

    The sum is over rows and lanes.
    """
    if g.shape[2] == 1:
        total += np.vecdot(stack, g).sum(axis=0)[..., None]
        return
    groups, depth, outputs = total.shape
    cut = _cuts(depth, outputs)
    products = take("products", (len(stack), groups, cut, depth // cut, outputs), total.dtype)
    # (row, group, part of the depth, depth of the part, lane) @ (row, group, 1, lane, output)
    np.matmul(stack.reshape(*products.shape[:4], stack.shape[3]), g.swapaxes(2, 3)[:, :, None], out=products)
    total += np.add.reduce(products).reshape(total.shape)


@lru_cache
def _cuts(depth, outputs):
    """Into how many parts of equal size to cut `depth`, so that products A @ B.T of (depth, outputs) stay small."""
    # equivalent: any change because any number of parts gives the same
    fewest = max(1, math.ceil(depth * outputs / TRANSPOSED))
    return next((n for n in range(fewest, depth) if depth % n == 0), depth)
