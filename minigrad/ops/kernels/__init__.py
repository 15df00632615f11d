"""Fast kernels of convolution: the three partial derivatives of the trilinear form, by three paths.

    T(x, k, g) = sum of g[n, j, p, q] * k[j, c, r, s] * x[n, c, p*s_h + r*d_h, q*s_w + s*d_w]

`path` is the rule that chooses; each path is a module with the same three functions, `forward` dT/dg,
`input_gradient` dT/dx and `kernel_gradient` dT/dk, right for everything that the rule sends it.
All take plain arrays of four axes, a Geometry that fits them, and the dtype of the result.
They check nothing: that is the ops' part. Their readable equivalent, windows and einsum, is the
oracle of their tests.
"""

from . import depthwise, pointwise, row_window
from .scratch import release_scratch
from .threads import set_threads

__all__ = ["path", "release_scratch", "set_threads"]


def path(where, channels, outputs, groups):
    """Choose the module for a convolution.

    no window to speak of (1x1, stride 1, no padding)    pointwise: one matrix product
    one channel and one kernel a group                   depthwise: products entry by entry
    else                                                 row windows: many small matrix products
    """
    if where.window == where.stride == (1, 1) and where.padding == (0, 0):
        return pointwise
    if channels == outputs == groups > 1:
        return depthwise
    return row_window
