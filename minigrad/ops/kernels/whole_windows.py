"""Convolution by whole windows: few matrix products, as large as they can be in the cache.

Why it is fast. All of a window is copied out (im2col), kh * kw times the image. That pays for few images where
the calls of NumPy take longer than the copies, or where there are so many kernels that a product over a mere
row would read them too often. Windows that are the image itself (1x1, stride 1, no padding) need no copy.
"""

import math
from functools import lru_cache

import numpy as np

from ..windows import inside, padded
from . import row_window
from .layout import empty_innermost, images_innermost, innermost
from .products import CONTRACTION, TILE, blocks, multiply, parts
from .scratch import Scratch


def are_the_image(where):
    """Whether the windows are the image, entry by entry."""
    return where.window == where.stride == (1, 1) and where.padding == (0, 0)


def forward(x, k, where, groups, dtype):
    """dT/dg: x (N, C, H, W) and k (C_out, C/groups, kh, kw) to (N, C_out, *where.out)."""
    kernel = _matrix(k, groups, dtype)
    if are_the_image(where):
        return _product(kernel, x, dtype)
    z = np.empty((len(x), len(k), *where.out), dtype)
    with Scratch() as take:
        view = _view(np.ascontiguousarray(padded(x, where)), where)
        for images, rows in _cuts(*x.shape[:2], where, dtype.itemsize):
            multiply(kernel, _windows(view[images, ..., rows, :], groups, dtype, take), _part(z, images, rows, groups))
    return z


def input_gradient(g, k, where, groups, dtype):
    """dT/dx: g (N, C_out, *where.out) and k (C_out, C/groups, kh, kw) to (N, C, *where.image).

    The products with g are what each entry of each window receives; those are added where it was read.
    """
    kernel = _matrix(k, groups, dtype).swapaxes(1, 2)
    if are_the_image(where):
        return _product(kernel, g, dtype)
    dx = np.zeros((len(g), groups * k.shape[1], *where.image), dtype)
    with Scratch() as take:
        for images, rows in _cuts(*dx.shape[:2], where, dtype.itemsize):
            upstream, count = _part(g, images, rows, groups), rows.stop - rows.start
            windows = take("windows", (len(upstream), dx.shape[1], *where.window, count, where.out[1]), dtype)
            multiply(kernel, upstream, windows.reshape(len(upstream), *kernel.shape[:2], upstream.shape[3]))
            _add(dx[images], windows, rows.start, where)
    return dx


def _add(dx, windows, start, where):
    """Add windows (image, channel, *window, row, column), their rows from `start` on, where they were read."""
    for i in range(where.window[0]):
        shift = start * where.stride[0] + i * where.dilation[0] - where.padding[0]
        down, rows = inside(shift, where.stride[0], where.image[0], windows.shape[4])
        for j in range(where.window[1]):
            shift = j * where.dilation[1] - where.padding[1]
            across, columns = inside(shift, where.stride[1], where.image[1], where.out[1])
            part = dx[:, :, rows, columns]
            part += windows[:, :, i, j, down, across]


def kernel_gradient(x, g, where, groups, dtype):
    """dT/dk: x (N, C, H, W) and g (N, C_out, *where.out) to (C_out, C/groups, kh, kw)."""
    channels, outputs = x.shape[1] // groups, g.shape[1] // groups
    total = np.zeros((groups, channels * math.prod(where.window), outputs), dtype)
    if are_the_image(where):
        inner = images_innermost(x)
        if inner != images_innermost(g) or x.shape[3] * x.shape[0 if inner else 2] < CONTRACTION // 4:
            return row_window.kernel_gradient(x, g, where, groups, dtype)  # turns them, or gathers for longer sums
        _add_products(total, _pixels(x, groups, inner), _pixels(g, groups, inner))
    else:
        view = _view(np.ascontiguousarray(padded(x, where)), where)
        with Scratch() as take:
            for images, rows in _cuts(*x.shape[:2], where, dtype.itemsize):
                windows = _windows(view[images, ..., rows, :], groups, dtype, take)
                _add_products(total, windows, _part(g, images, rows, groups))
    return total.swapaxes(1, 2).reshape(g.shape[1], channels, *where.window)


def _add_products(total, windows, g):
    """Add to the total (group, window entry, output) the windows' products with g (image, group, output, pixel)."""
    cut = parts(*total.shape[1:])
    a = windows.reshape(*windows.shape[:2], cut, total.shape[1] // cut, windows.shape[3])
    b = g[:, :, None].swapaxes(3, 4)
    for pixels in blocks(g.shape[3], CONTRACTION):
        total += np.add.reduce(np.matmul(a[..., pixels], b[..., pixels, :])).reshape(total.shape)


def _product(kernel, x, dtype):
    """A matrix (group, output, channel) times each pixel of x (N, C, H, W), in the layout of x."""
    groups, outputs, _ = kernel.shape
    inner = images_innermost(x)
    z = (empty_innermost if inner else np.empty)((len(x), groups * outputs, *x.shape[2:]), dtype)
    multiply(kernel, _pixels(x, groups, inner), _pixels(z, groups, inner))
    return z


def _matrix(k, groups, dtype):
    """(C_out, C/groups, kh, kw) as (group, output, window entry)."""
    return np.asarray(k.reshape(groups, len(k) // groups, k[0].size), dtype)


def _pixels(images, groups, inner=False):
    """(N, C, H, W) as (image, group, channel, pixel); with inner, as (row, group, channel, pixel of all images)."""
    n, c, h, w = images.shape
    if inner:
        return innermost(images).reshape(h, groups, c // groups, w * n)
    return images.reshape(n, groups, c // groups, h * w)


def _part(array, images, rows, groups):
    """The pixels of these rows of these images."""
    return _pixels(array[images, :, rows], groups)


def _view(xp, where):
    """The windows (image, channel, *window, *out) as an overlapping view of the padded xp, in C order."""
    (image, channel, row, column), (down, right), (dh, dw) = xp.strides, where.stride, where.dilation
    strides = image, channel, row * dh, column * dw, row * down, column * right
    return np.ndarray((*xp.shape[:2], *where.window, *where.out), xp.dtype, xp, 0, strides)


def _windows(view, groups, dtype, take):
    """Copy windows to scratch, each as a column: (image, group, window entry, pixel of the output)."""
    windows = take("windows", view.shape, dtype)
    windows[...] = view
    n, c, kh, kw, rows, columns = view.shape
    return windows.reshape(n, groups, c // groups * kh * kw, rows * columns)


@lru_cache
def _cuts(images, channels, where, itemsize):
    """[(images, rows of the output), ...] of which the windows stay in the cache at a time."""
    row = channels * math.prod(where.window) * where.out[1] * itemsize
    down = blocks(where.out[0], TILE // row)
    return [(together, rows) for together in blocks(images, TILE // (row * down[0].stop)) for rows in down]
