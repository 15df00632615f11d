"""Convolution by im2col: windows are copied whole, so that each image is one large matrix product.

That copies kh * kw times the image. It pays for few images, where the calls of NumPy take longer than the copies, or
one product for each row (kernels/im2row.py) would read the kernels too often. Windows that are the image itself
(1x1, stride 1, no padding) are not copied, and the result lies in memory as the image does.
"""

import math
from functools import lru_cache

import numpy as np

from ...threads import blocks
from ..windows import padded, taps_inside
from .blas import CONTRACTION, TILE, add_products, tiles
from .innermost import empty_innermost, images_innermost, innermost, laid
from .scratch import Scratch


def are_the_image(geometry):
    """Whether the windows are the image, entry by entry."""
    return geometry.window == geometry.stride == (1, 1) and geometry.padding == (0, 0)


def forward(x, k, geometry, groups, dtype):
    """dT/dg: x (N, C, H, W) and k (C_out, C/groups, kh, kw) to (N, C_out, *geometry.out)."""
    inner = are_the_image(geometry) and images_innermost(x)
    z = (empty_innermost if inner else np.empty)((len(x), len(k), *geometry.out), dtype)
    matrix = np.asarray(k.reshape(groups, len(k) // groups, k[0].size), dtype)  # (group, output, (channel, r, s))
    with Scratch() as take:
        for n, p, stack in _stacks(x, geometry, groups, inner, dtype, take):
            _multiply(matrix, stack, _pixels(z[n, :, p], groups, inner))
    return z


def kernel_gradient(x, g, geometry, groups, dtype):
    """dT/dk: x (N, C, H, W) and g (N, C_out, *geometry.out) to (C_out, C/groups, kh, kw)."""
    inner = are_the_image(geometry) and images_innermost(x)
    channels, outputs = x.shape[1] // groups, g.shape[1]
    total = np.zeros((groups, channels * math.prod(geometry.window), outputs // groups), dtype)
    with Scratch() as take:
        g = laid("g", g, 1, dtype, take)[0].transpose(3, 1, 0, 2) if inner else np.ascontiguousarray(g)
        for n, p, stack in _stacks(x, geometry, groups, inner, dtype, take):
            upstream = _pixels(g[n, :, p], groups, inner)
            for pixels in blocks(upstream.shape[3], CONTRACTION):
                add_products(total, stack[..., pixels], upstream[..., pixels], take)
    return total.swapaxes(1, 2).reshape(outputs, channels, *geometry.window)


def input_gradient(g, k, geometry, groups, dtype):
    """dT/dx: g (N, C_out, *geometry.out) and k (C_out, C/groups, kh, kw) to (N, C, *geometry.image).

    The products with g are what each entry of each window receives; those are added where it was read.
    """
    matrix = np.asarray(k.reshape(groups, len(k) // groups, k[0].size), dtype).swapaxes(1, 2)
    channels = groups * k.shape[1]
    if are_the_image(geometry):
        return forward(g, matrix.reshape(channels, len(k) // groups, 1, 1), geometry, groups, dtype)
    dx = np.zeros((len(g), channels, *geometry.image), dtype)
    with Scratch() as take:
        for n, p, part in _parts(len(g), channels, geometry, dtype.itemsize):
            upstream = _pixels(g[n, :, p], groups)
            windows = take("windows", (len(upstream), channels, math.prod(geometry.window), *part.out), dtype)
            _multiply(matrix, upstream, windows.reshape(len(upstream), *matrix.shape[:2], upstream.shape[3]))
            for i, (inside, entries) in enumerate(taps_inside(part)):
                received = dx[n][entries]
                received += windows[:, :, i][inside]
    return dx


def _stacks(x, geometry, groups, inner, dtype, take):
    """Yield (images, rows of the output, matrices (image, group, (channel, r, s), pixel) of their windows)."""
    if are_the_image(geometry):
        yield slice(None), slice(None), _pixels(np.asarray(x, dtype), groups, inner)
        return
    xp, (kh, kw) = np.ascontiguousarray(padded(x, geometry)), geometry.window
    (image, channel, row, column), (down, right), (dh, dw) = xp.strides, geometry.stride, geometry.dilation
    strides = image, channel, row * dh, column * dw, row * down, column * right
    view = np.ndarray((*xp.shape[:2], kh, kw, *geometry.out), xp.dtype, xp, 0, strides)  # (image, channel, r, s, p, q)
    depth = x.shape[1] // groups * kh * kw
    for n, p, part in _parts(*x.shape[:2], geometry, dtype.itemsize):
        windows = take("windows", (n.stop - n.start, *view.shape[1:4], *part.out), dtype)
        windows[...] = view[n, ..., p, :]
        yield n, p, windows.reshape(len(windows), groups, depth, math.prod(part.out))


@lru_cache
def _parts(images, channels, geometry, itemsize):
    """[(images, rows of the output, their geometry), ...], so that the windows of each stay in the cache."""
    row, columns = channels * math.prod(geometry.window) * geometry.out[1] * itemsize, slice(0, geometry.out[1])
    down = blocks(geometry.out[0], TILE // row)
    return [(n, p, geometry.part(p, columns)) for n in blocks(images, TILE // (row * down[0].stop)) for p in down]


def _multiply(matrix, stack, out):
    """out = matrix @ stack, in products of the size that suits BLAS."""
    for row, lane in tiles(*matrix.shape[1:], stack.shape[3]):
        np.matmul(matrix[:, row], stack[..., lane], out=out[..., row, lane])


def _pixels(images, groups, inner=False):
    """(N, C, H, W) as (image, group, channel, pixel); with inner, as (row, group, channel, pixel of all images)."""
    n, c, h, w = images.shape
    if inner:
        return innermost(images).reshape(h, groups, c // groups, w * n)
    return images.reshape(n, groups, c // groups, h * w)
