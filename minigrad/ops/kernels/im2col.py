"""Convolution by im2col: windows are copied whole, so that each image is one large matrix product.

That copies kh * kw times the image. It pays for few images, where the calls of NumPy take longer than the copies, or
one product for each row (kernels/im2row.py) would read the kernels too often. Windows that are the image itself
(1x1, stride 1, no padding) are not copied, and the result lies in memory as the image does.
"""

import math
from functools import lru_cache
from itertools import groupby

import numpy as np

from ...threads import blocks, share
from ..windows import padded, taps_inside
from .blas import CONTRACTION, TILE, add_products
from .im2row import write_product
from .memory import Scratch, empty_innermost, images_innermost, innermost, laid


def are_the_image(geometry):
    """Whether the windows are the image, entry by entry."""
    return geometry.window == geometry.stride == (1, 1) and geometry.padding == (0, 0)


def forward(x, k, geometry, groups, dtype):
    """dT/dg: x (N, C, H, W) and k (C_out, C/groups, kh, kw) to (N, C_out, *geometry.out)."""
    inner = are_the_image(geometry) and images_innermost(x)
    z = (empty_innermost if inner else np.empty)((len(x), len(k), *geometry.out), dtype)
    matrix = np.asarray(k.reshape(groups, len(k) // groups, k[0].size), dtype)  # (group, output, (channel, r, s))
    windows = _windows(x, geometry, dtype)

    def work(part):
        with Scratch() as take:
            write_product(matrix, _stack(windows, part, groups, inner, take), _pixels(z[part], groups, inner))

    # equivalent: any change because the size only decides whether threads share the work
    share(work, _parts(*x.shape[:2], geometry, inner, dtype.itemsize), z.size * k[0].size)
    return z


def kernel_gradient(x, g, geometry, groups, dtype):
    """dT/dk: x (N, C, H, W) and g (N, C_out, *geometry.out) to (C_out, C/groups, kh, kw)."""
    inner = are_the_image(geometry) and images_innermost(x)
    channels, outputs = x.shape[1] // groups, g.shape[1]
    size = groups, channels * math.prod(geometry.window), outputs // groups
    windows = _windows(x, geometry, dtype)

    def work(part):
        total = np.zeros(size, dtype)
        with Scratch() as take:
            stack, upstream = _stack(windows, part, groups, inner, take), _pixels(g[part], groups, inner)
            for pixels in blocks(upstream.shape[3], CONTRACTION):
                add_products(total, stack[..., pixels], upstream[..., pixels], take)
        return total

    with Scratch() as take:
        # equivalent: any change because the same entries are read in any layout
        g = laid("g", g, 1, dtype, take)[0].transpose(3, 1, 0, 2) if inner else np.ascontiguousarray(g)
        parts = _parts(*x.shape[:2], geometry, inner, dtype.itemsize)
        # equivalent: any change because the size only decides whether threads share the work
        total = sum(share(work, parts, g.size * size[1]), np.zeros(size, dtype))
    # (group, (channel, r, s), output) -> ((group, output), channel, r, s)
    return total.swapaxes(1, 2).reshape(outputs, channels, *geometry.window)


def input_gradient(g, k, geometry, groups, dtype):
    """dT/dx: g (N, C_out, *geometry.out) and k (C_out, C/groups, kh, kw) to (N, C, *geometry.image).

    The products with g are what each entry of each window receives; those are added where it was read.
    """
    # the transposed kernels: (group, (channel, r, s), output)
    matrix = np.asarray(k.reshape(groups, len(k) // groups, k[0].size), dtype).swapaxes(1, 2)
    channels = groups * k.shape[1]
    if are_the_image(geometry):
        # equivalent: len(k) // groups, 1, 1 -> 1, len(k) // groups, 1 because these axes are joined again
        return forward(g, matrix.reshape(channels, len(k) // groups, 1, 1), geometry, groups, dtype)
    dx = np.zeros((len(g), channels, *geometry.image), dtype)

    def work(parts):
        with Scratch() as take:
            for n, _, p in parts:
                part, upstream = geometry.part(p, slice(0, geometry.out[1])), _pixels(g[n, :, p], groups)
                # (image, channel, (r, s), p, q), and for the product (image, group, (channel, r, s), (p, q))
                windows = take("windows", (len(upstream), channels, math.prod(geometry.window), *part.out), dtype)
                write_product(matrix, upstream, windows.reshape(len(upstream), *matrix.shape[:2], upstream.shape[3]))
                for i, (inside, entries) in enumerate(taps_inside(part)):
                    received = dx[n][entries]
                    received += windows[:, :, i][inside]

    parts = _parts(len(g), channels, geometry, False, dtype.itemsize)
    # equivalent: 0 -> 1 because one thread may add all
    by_images = [list(found) for _, found in groupby(parts, lambda part: part[0].start)]
    # equivalent: any change because the size only decides whether threads share the work
    share(work, by_images, g.size * k[0].size)
    return dx


def _windows(x, geometry, dtype):
    """The windows (image, channel, r, s, p, q) of x, as a view; x itself where they are its entries."""
    if are_the_image(geometry):
        return np.asarray(x, dtype)
    xp, (kh, kw) = np.ascontiguousarray(padded(x, geometry), dtype), geometry.window
    (image, channel, row, column), (down, right), (dh, dw) = xp.strides, geometry.stride, geometry.dilation
    strides = image, channel, row * dh, column * dw, row * down, column * right
    return np.ndarray((*xp.shape[:2], kh, kw, *geometry.out), dtype, xp, 0, strides)


def _stack(windows, part, groups, inner, take):
    """The matrices (image, group, (channel, r, s), pixel) of some windows."""
    if windows.ndim == 4:
        return _pixels(windows[part], groups, inner)
    n, _, p = part
    found = windows[n, ..., p, :]
    copied = take("windows", found.shape, found.dtype)
    np.copyto(copied, found)
    n, channels, kh, kw, p, q = found.shape
    return copied.reshape(n, groups, channels // groups * kh * kw, p * q)  # (image, group, (channel, r, s), (p, q))


# equivalent: any change because parts of any size give the same
@lru_cache
def _parts(images, channels, geometry, inner, itemsize):
    """[index of images, channels and rows of the output, ...], so that the windows of each stay in the cache."""
    row = channels * math.prod(geometry.window) * geometry.out[1] * itemsize
    if inner:
        return [(slice(None), slice(None), p) for p in blocks(geometry.out[0], TILE // (row * images))]
    down = blocks(geometry.out[0], TILE // row)
    return [(n, slice(None), p) for n in blocks(images, TILE // (row * down[0].stop)) for p in down]


def _pixels(images, groups, inner=False):
    """(N, C, H, W) as (image, group, channel, pixel); with inner, as (row, group, channel, pixel of all images)."""
    n, c, h, w = images.shape
    if inner:
        return innermost(images).reshape(h, groups, c // groups, w * n)
    return images.reshape(n, groups, c // groups, h * w)
