"""Fast kernels of convolution: the three partial derivatives of the trilinear form, by three paths.

    T(x, k, g) = sum of g[n, j, p, q] * k[j, c, r, s] * x[n, c, p*s_h + r*d_h, q*s_w + s*d_w]

`path` is the rule that chooses; each path is a module with the same three functions, `forward` dT/dg,
`input_gradient` dT/dx and `kernel_gradient` dT/dk, right for everything that the rule sends it.
All take plain arrays of four axes, a Geometry that fits them, and the dtype of the result.
They check nothing: that is the ops' part. Their readable equivalent, windows and einsum, is the
oracle of their tests.
"""

import math

from . import depthwise, row_window, whole_windows
from .layout import FEWEST_IMAGES
from .scratch import release_scratch
from .threads import set_threads

FEW = 2**16  # entries of all windows: up to there the calls of NumPy take longer than the copies
MANY = 32  # kernels of a group, if they are twice the columns of the result too: BLAS packs them anew for each row

__all__ = ["path", "release_scratch", "set_threads"]


def path(where, images, channels, outputs, groups):
    """Choose the module for a convolution.

    windows that are the image (1x1, stride 1, no padding)    whole windows: nothing to copy
    one channel and one kernel a group                        depthwise: products entry by entry
    few images, with few windows or many kernels              whole windows: few large matrix products
    else                                                      row windows: many small matrix products
    """
    if whole_windows.are_the_image(where):
        return whole_windows
    if channels == outputs == groups > 1:
        return depthwise
    few = images * channels * math.prod(where.window + where.out) <= FEW
    if images < FEWEST_IMAGES and (few or outputs >= groups * max(MANY, 2 * where.out[1])):
        return whole_windows
    return row_window
