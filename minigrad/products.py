"""Products of matrices in minigrad's threads.

BLAS has threads of its own, which spin for a while after each product, on the cores that other ops need next. So
minigrad shares a large product out itself, and lets BLAS use one thread for those that are too small for that.
"""

import math
from functools import lru_cache

import numpy as np

from .threads import FEWEST_PRODUCTS, ONE_THREAD, blocks, get_num_threads, share

FEWEST_ROWS = 32  # of a part of a product
_ONE_THREAD_OF_VECTOR = 9_216  # multiplications of a matrix and a vector that OpenBLAS does in one thread


# equivalent: any change because BLAS, and any parts, give the same
def product(a, b):
    """a @ b of arrays, as np.matmul: a large one in minigrad's threads instead of BLAS's, which spin after it."""
    if a.size * b.size <= _ONE_THREAD_OF_VECTOR or not (
        parts := _parts_of_product(a.shape, b.shape, get_num_threads())
    ):
        return np.matmul(a, b)
    if len(parts) == 1:
        return share(lambda _: np.matmul(a, b), parts, products=math.inf)[0]
    out = np.empty((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]), np.result_type(a, b))
    share(lambda part: np.matmul(a[part[0]], b[part[1]], out=out[part[2]]), parts, products=math.inf)
    return out


# equivalent: any change because any parts give the same
@lru_cache
def _parts_of_product(a, b, threads):
    """[(index of a, of b, of the result), ...], of the parts of a product of these shapes: one for each thread.

    None at all if BLAS computes it in one thread by itself.
    """
    if min(len(a), len(b)) > 1:
        few, rows, columns = ONE_THREAD, a[-2], b[-1]
    else:
        few, rows, columns = _ONE_THREAD_OF_VECTOR, 1, 1
    if math.prod(a) * columns <= few and math.prod(b) * rows <= few:
        return []
    whole = [(..., ..., ...)]
    if min(len(a), len(b)) < 2 or math.prod(a) * columns < FEWEST_PRODUCTS:
        return whole
    if len(a) == len(b) == 2:
        return _parts_of_matrices(rows, columns, threads) or whole
    return _parts_of_batch(a, b, threads) or whole


# equivalent: any change because any parts give the same
def _parts_of_matrices(rows, columns, threads):
    if max(rows, columns) < FEWEST_ROWS * threads:
        return []
    if rows >= columns:
        return [(part, ..., part) for part in blocks(rows, math.ceil(rows / threads), 8)]
    return [(..., (..., part), (..., part)) for part in blocks(columns, math.ceil(columns / threads), 16)]


# equivalent: any change because any parts give the same
def _parts_of_batch(a, b, threads):
    same = len(a) == len(b) and a[0] == b[0]
    if len(a) < 3 or a[0] < threads or not (same or len(b) == 2):
        return []
    return [(part, part if same else ..., part) for part in blocks(a[0], math.ceil(a[0] / threads))]
