"""Convolution by whole windows: a matrix product for each image, and nothing is cut.

Why it is fast. The windows of few small images, copied out one and all (im2col), fit into the cache, and
take a single call of NumPy, as the products do: there the calls are what takes the time. Windows of one
entry (1x1, stride 1, no padding) are the image itself, so that nothing is copied, in either layout.
"""

import math

import numpy as np

from ..windows import taps_inside
from . import row_window
from .layout import empty_innermost, images_innermost, innermost
from .products import CONTRACTION, blocks, multiply, parts
from .scratch import Scratch

MOST = 2**16  # entries of all windows, to copy them whole


def are_the_image(where):
    """Whether the windows are the image, entry by entry."""
    return where.window == where.stride == (1, 1) and where.padding == (0, 0)


def forward(x, k, where, groups, dtype):
    """dT/dg: x (N, C, H, W) and k (C_out, C/groups, kh, kw) to (N, C_out, *where.out)."""
    inner = are_the_image(where) and images_innermost(x)
    z = _empty((len(x), len(k), *where.out), dtype, inner)
    with Scratch() as take:
        windows = _windows(x, where, groups, dtype, inner, take)
        multiply(_matrix(k, groups, dtype), windows, _pixels(z, groups, inner))
    return z


def input_gradient(g, k, where, groups, dtype):
    """dT/dx: g (N, C_out, *where.out) and k (C_out, C/groups, kh, kw) to (N, C, *where.image).

    The products with g are what each entry of each window receives; those are added where it was read.
    """
    inner = are_the_image(where) and images_innermost(g)
    dx = _empty((len(g), groups * k.shape[1], *where.image), dtype, inner)
    kernel, upstream = _matrix(k, groups, dtype).swapaxes(1, 2), _pixels(g, groups, inner)
    if are_the_image(where):
        multiply(kernel, upstream, _pixels(dx, groups, inner))
        return dx
    dx[...] = 0
    with Scratch() as take:
        windows = take("windows", (*dx.shape[:2], math.prod(where.window), *where.out), dtype)
        multiply(kernel, upstream, windows.reshape(len(g), *kernel.shape[:2], upstream.shape[3]))
        for tap, (inside, entries) in enumerate(taps_inside(where)):
            part = dx[entries]
            part += windows[:, :, tap][inside]
    return dx


def kernel_gradient(x, g, where, groups, dtype):
    """dT/dk: x (N, C, H, W) and g (N, C_out, *where.out) to (C_out, C/groups, kh, kw)."""
    if are_the_image(where) and (images_innermost(x) or x.shape[2] * x.shape[3] < CONTRACTION // 4):
        return row_window.kernel_gradient(x, g, where, groups, dtype)  # gathers pixels (images) for longer sums
    upstream = _pixels(g, groups, False)
    with Scratch() as take:
        windows = _windows(x, where, groups, dtype, False, take)
        n, _, depth, size = windows.shape
        outputs = upstream.shape[2]
        cut = parts(depth, outputs)
        a = windows.reshape(n, groups, cut, depth // cut, size)
        b = upstream[:, :, None].swapaxes(-1, -2)
        total = np.zeros((groups, cut, depth // cut, outputs), dtype)
        for lanes in blocks(size, CONTRACTION):
            total += np.add.reduce(np.matmul(a[..., lanes], b[..., lanes, :]))
    kernel = total.reshape(groups, depth, outputs).swapaxes(1, 2)
    return kernel.reshape(g.shape[1], x.shape[1] // groups, *where.window)


def _empty(shape, dtype, inner):
    return empty_innermost(shape, dtype) if inner else np.empty(shape, dtype)


def _matrix(k, groups, dtype):
    """(C_out, C/groups, kh, kw) as (group, output, window entry)."""
    return np.asarray(k.reshape(groups, len(k) // groups, k[0].size), dtype)


def _pixels(images, groups, inner):
    """(N, C, H, W) as (image, group, channel, pixel); or, inner, (row, group, channel, pixel of all images)."""
    n, c, h, w = images.shape
    if inner:
        return innermost(images).reshape(h, groups, c // groups, w * n)
    return images.reshape(n, groups, c // groups, h * w)


def _windows(x, where, groups, dtype, inner, take):
    """Every window as a column: (image, group, window entry, pixel of the output); `inner` as in _pixels."""
    if are_the_image(where):
        return _pixels(x, groups, inner)
    n, c, h, w = x.shape
    (kh, kw), (ph, pw), (rows, columns) = where.window, where.padding, where.out
    if not x.flags.c_contiguous or ph or pw:
        source, x = x, take("padded", (n, c, h + 2 * ph, w + 2 * pw), x.dtype)
        x[...] = 0
        x[:, :, ph : ph + h, pw : pw + w] = source
    image, channel, row, column = x.strides
    strides = image, channel, row * where.dilation[0], column * where.dilation[1]
    strides += row * where.stride[0], column * where.stride[1]
    windows = take("windows", (n, c, kh, kw, rows, columns), dtype)
    windows[...] = np.ndarray(windows.shape, x.dtype, x, 0, strides)
    return windows.reshape(n, groups, c // groups * kh * kw, rows * columns)
