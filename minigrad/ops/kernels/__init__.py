"""Kernels of convolution: the three partial derivatives of the trilinear form, one readable and three fast.

    T(x, k, g) = sum of g[n, j, p, q] * k[j, i, r, s] * x[n, i, p*s_h + r*d_h, q*s_w + s*d_w]

Read `reference` first: windows and einsum. The others compute the same, faster; `choose_kernels` names those to use.
Each module has `forward` dT/dg, `input_gradient` dT/dx and `kernel_gradient` dT/dk, which take plain arrays of four
axes, a Geometry that fits them, the number of groups, and the dtype of the result. They check nothing: the ops do.
"""

import math
from collections import namedtuple

from . import depthwise, im2col, im2row, reference
from .blas import CONTRACTION
from .memory import FEWEST_IMAGES, release_scratch

KERNELS = {"reference": reference, "im2row": im2row, "im2col": im2col, "depthwise": depthwise}
FEW = 2**16  # entries of the windows of an image: up to there the calls of NumPy take longer than the copies
MANY = 32  # kernels of a group, if they are twice the columns of the result too: BLAS packs them anew for each row

Choice = namedtuple("Choice", "forward input_gradient kernel_gradient")  # names in KERNELS, one for each derivative

__all__ = ["KERNELS", "Choice", "choose_kernels", "release_scratch"]


# equivalent: any change because each kernel computes the same, at another speed
def choose_kernels(geometry, images, channels, outputs, groups):
    """Choose the kernel of each derivative of a convolution by its sizes."""
    many = images >= FEWEST_IMAGES
    if im2col.are_the_image(geometry):  # nothing to copy, but sums over an image of few pixels are too short for BLAS
        short = many and math.prod(geometry.image) < CONTRACTION // 4
        return Choice("im2col", "im2col", "im2row" if short else "im2col")
    contiguous = im2row.rows_are_contiguous(geometry)
    best = "im2row" if many and contiguous else "im2col"
    if channels == outputs == groups > 1:
        best = "depthwise" if many and geometry.stride[1] == 1 else best
        return Choice(best, "depthwise", best)
    by_rows = contiguous and (many or not _whole(geometry, channels, outputs // groups))
    return Choice(best, "im2row" if by_rows else "im2col", best)


# equivalent: any change because each kernel computes the same, at another speed
def _whole(geometry, channels, outputs):
    """Whether few images are better multiplied whole than row by row."""
    return channels * math.prod(geometry.window + geometry.out) <= FEW or outputs >= max(MANY, 2 * geometry.out[1])
