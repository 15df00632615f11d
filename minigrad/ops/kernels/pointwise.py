"""Convolution with 1x1 kernels, stride 1 and no padding: a matrix product over the channels.

Why it is fast. There are no windows, so nothing is copied: each image (or each row of all images, where
these are innermost) is a matrix (channel, lane) as it lies in memory, and so is the result.
"""

import numpy as np

from . import row_window
from .layout import empty_innermost, images_innermost, innermost
from .products import CONTRACTION, blocks, multiply, parts


def forward(x, k, where, groups, dtype):
    """dT/dg: x (N, C, H, W) and k (C_out, C/groups, 1, 1) to (N, C_out, H, W), in the layout of x."""
    kernel = k.reshape(groups, len(k) // groups, k.shape[1])
    return _product(kernel, x, dtype)


def input_gradient(g, k, where, groups, dtype):
    """dT/dx: g (N, C_out, H, W) and k (C_out, C/groups, 1, 1) to (N, C, H, W), in the layout of g."""
    kernel = k.reshape(groups, len(k) // groups, k.shape[1]).swapaxes(1, 2)
    return _product(kernel, g, dtype)


def _product(kernel, x, dtype):
    """Each group of channels of x times its matrix (group, output, channel)."""
    n, _, h, w = x.shape
    groups, outputs, channels = kernel.shape
    if images_innermost(x):
        stack = innermost(x).reshape(h, groups, channels, w * n)
        z = empty_innermost((n, groups * outputs, h, w), dtype)
        multiply(kernel, stack, innermost(z).reshape(h, groups, outputs, w * n))
        return z
    stack = x.reshape(n, groups, channels, h * w)
    z = np.empty((n, groups * outputs, h, w), dtype)
    multiply(kernel, stack, z.reshape(n, groups, outputs, h * w))
    return z


def kernel_gradient(x, g, where, groups, dtype):
    """dT/dk: x (N, C, H, W) and g (N, C_out, H, W) to (C_out, C/groups, 1, 1)."""
    if images_innermost(x) or x.shape[2] * x.shape[3] < CONTRACTION // 4:
        return row_window.kernel_gradient(x, g, where, groups, dtype)  # gathers pixels (images) for longer sums
    n, c, h, w = x.shape
    channels, outputs = c // groups, g.shape[1] // groups
    cut = parts(outputs, channels)
    a = g.reshape(n, groups, cut, outputs // cut, h * w)
    b = x.reshape(n, groups, 1, channels, h * w).swapaxes(-1, -2)
    total = np.zeros((groups, cut, outputs // cut, channels), dtype)
    for lanes in blocks(h * w, CONTRACTION):
        total += np.matmul(a[..., lanes], b[..., lanes, :]).sum(0)
    return total.reshape(groups * outputs, channels, 1, 1)
