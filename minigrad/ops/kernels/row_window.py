"""Convolution by row windows: the three kernels of the trilinear form, for any geometry.

Why it is fast. Copying every window out (im2col) makes kh*kw copies of the image, and then one large
matrix product. Here only the columns of the windows are copied, into scratch that stays in the cache:

    windows[outer, group, row, tap, channel, lane]    tap: of a window's columns; lane: (column, inner)

In it the rows of a window are one stretch of memory, so an overlapping view of it,

    stack[outer, p, group, (down, tap, channel), lane] = windows[outer, group, p*stride + down, tap, channel, lane]

is a stack of matrices that BLAS reads as it is, and the result of each product is where z has its row p.
Lanes are long: from 8 images on these are inner, so that a row of the output is one stretch of
(column, image); fewer are outer, and lanes are columns. That is all the difference there is between the two.
"""

import math
from typing import NamedTuple

import numpy as np

from ..windows import inside
from .layout import FEWEST_IMAGES, axes, copy_images, empty, images_innermost, innermost
from .phases import phases, runs
from .products import LANES, TILE, blocks, multiply, parts
from .scratch import Scratch
from .threads import share


class Block(NamedTuple):
    """What is worked on at a time: slices of the outer axis, the rows, the columns and the inner axis."""

    outer: slice
    rows: slice
    columns: slice
    inner: slice

    def lanes(self, array, groups):
        """Its part of an array (outer, row, channel, column, inner) as (outer, row, group, channel, lane)."""
        part = array[self.outer, self.rows, :, self.columns, self.inner]
        o, rows, channels, columns, n = part.shape
        return part.reshape(o, rows, groups, channels // groups, columns * n)


def _blocks(outer, rows, columns, inner, held, stride=1, overlap=0):
    """Cut to Blocks: lanes so many that products are efficient, rows so many that scratch stays in the cache.

    held: bytes that a lane of a row takes; each block holds `overlap` rows more than its own, times the stride.
    Lanes are whole columns, or parts of one column where the inner axis is long.
    """
    if inner == 0 or rows.stop == rows.start:
        return
    most = max(LANES, TILE // (held * ((rows.stop - rows.start - 1) * stride + 1 + overlap)))
    images = blocks(inner, most, 16)
    across = blocks(columns, most // inner)
    width = held * images[0].stop * across[0].stop
    down = blocks(rows.stop - rows.start, max(0, TILE // width - overlap - 1) // stride + 1)
    together = blocks(outer, TILE // (width * ((down[0].stop - 1) * stride + 1 + overlap)))
    for n in images:
        for q in across:
            for o in together:
                for p in down:
                    yield Block(o, slice(rows.start + p.start, rows.start + p.stop), q, n)


def _laid(name, x, inner, dtype, take):
    """x (N, C, H, W) as (outer, row, channel, column, inner), from scratch unless it lies so, without gaps."""
    n, c, h, w = x.shape
    if not (innermost(x) if inner else x).flags.c_contiguous or x.dtype != dtype:
        source = x
        x = take(name, (h, c, w, n), dtype).transpose(3, 1, 0, 2) if inner else take(name, x.shape, dtype)
        copy_images(x, source, take)
    return axes(x, inner)


def _rows_copied(where):
    """(how many copies of its rows each window gets, how far it is to the next window's)."""
    if where.dilation[0] > 1 and where.window[0] > 1:  # then the rows of a window are no neighbours
        return where.window[0], where.window[0]
    return 1, where.stride[0]


def _cut(where, rows, x, dtype):
    """The Blocks of the output, of which the windows of x are copied at a time."""
    _, step = _rows_copied(where)
    held = where.window[1] * x.shape[2] * dtype.itemsize
    return _blocks(len(x), rows, where.out[1], x.shape[4], held, step, where.window[0] - 1)


def _windows(x, where, groups, block, dtype, take, joined=False):
    """What the windows of a block read: (outer, group, row, tap, channel, lane), zero outside of the image.

    joined: with the images of the outer axis side by side, as columns.
    """
    (p, q), (n, inner) = (s.stop - s.start for s in block[1:3]), (s.stop - s.start for s in block[::3])
    copies, step = _rows_copied(where)
    count, taps, channels = (p - 1) * step + where.window[0], where.window[1], x.shape[2] // groups
    o, across = (1, n) if joined else (n, 1)
    windows = take("windows", (o, groups, count, taps, channels, across * q * inner), dtype)
    target = windows.reshape(*windows.shape[:5], across, q, inner).transpose(0, 5, 1, 2, 3, 4, 6, 7)
    target = target.reshape(n, *target.shape[2:])  # still a view: one of the two is 1
    _, height, _, width, _ = x.shape
    source = x[block.outer, ..., block.inner].reshape(n, height, groups, channels, width, inner).swapaxes(1, 2)
    for r in range(copies):
        shift = block.rows.start * where.stride[0] + r * where.dilation[0] - where.padding[0]
        rows, entries = inside(shift, where.stride[0] if copies > 1 else 1, height, count // copies)
        each = target[:, :, r::copies]
        _blank(each, 2, rows)
        for t in range(taps):
            shift = block.columns.start * where.stride[1] + t * where.dilation[1] - where.padding[1]
            columns, read = inside(shift, where.stride[1], width, q)
            tap = each[:, :, rows, t]
            _blank(tap, 4, columns)
            tap[:, :, :, :, columns] = source[:, :, entries, :, read]
    return windows


def _blank(array, axis, kept):
    """Set to zero what lies before and after a slice of an axis."""
    before = (slice(None),) * axis
    if kept.start > 0:
        array[(*before, slice(0, kept.start))] = 0
    if kept.stop < array.shape[axis]:
        array[(*before, slice(kept.stop, None))] = 0


def _stack(windows, where, rows, cut=1):
    """The view of the windows, a matrix for each row of the output: (outer, row, group, part, depth, lane)."""
    o, group, row, _, channel, item = windows.strides
    depth = math.prod(where.window) * windows.shape[4] // cut
    shape = len(windows), rows, windows.shape[1], cut, depth, windows.shape[5]
    strides = o, row * _rows_copied(where)[1], group, channel * depth, channel, item
    return np.ndarray(shape, windows.dtype, windows, 0, strides)


def forward(x, k, where, groups, dtype):
    """dT/dg: x (N, C, H, W) and k (C_out, C/groups, kh, kw) to (N, C_out, *where.out)."""
    inner = len(x) >= FEWEST_IMAGES
    z = empty((len(x), len(k), *where.out), dtype)
    kernel = np.asarray(k.transpose(0, 2, 3, 1).reshape(groups, len(k) // groups, k[0].size), dtype)
    target = axes(z, inner)
    with Scratch() as take:
        source = _laid("x", x, inner, dtype, take)

        def part(rows):
            with Scratch() as take:
                for block in _cut(where, rows, source, dtype):
                    windows = _windows(source, where, groups, block, dtype, take)
                    stack = _stack(windows, where, block.rows.stop - block.rows.start)
                    multiply(kernel, stack[:, :, :, 0], block.lanes(target, groups))

        share(part, where.out[0], z.size * k[0].size)
    return z


def kernel_gradient(x, g, where, groups, dtype):
    """dT/dk: x (N, C, H, W) and g (N, C_out, *where.out) to (C_out, C/groups, kh, kw).

    Each row of the output gives a product, of the windows that it was computed from and the row of g.
    """
    inner = len(x) >= FEWEST_IMAGES
    channels, outputs = x.shape[1] // groups, g.shape[1] // groups
    with Scratch() as take:
        source, upstream = _laid("x", x, inner, dtype, take), _laid("g", g, inner, dtype, take)

        def part(rows):
            total = np.zeros((groups, channels * math.prod(where.window), outputs), dtype)
            with Scratch() as take:
                for block in _cut(where, rows, source, dtype):
                    windows = _windows(source, where, groups, block, dtype, take, joined=True)
                    _add_products(total, windows, _joined(block.lanes(upstream, groups), take), where, take)
            return total

        total = sum(share(part, where.out[0], g.size * channels * math.prod(where.window)))
    kernel = total.reshape(groups, *where.window, channels, outputs).transpose(0, 4, 3, 1, 2)
    return kernel.reshape(g.shape[1], channels, *where.window)


def _joined(g, take):
    """(outer, row, group, output, lane) with the images of the outer axis side by side: (row, group, output, lane)."""
    if len(g) == 1:
        return g[0]
    joined = take("g", (*g.shape[1:4], len(g), g.shape[4]), g.dtype)
    np.copyto(joined, g.transpose(1, 2, 3, 0, 4))
    return joined.reshape(*g.shape[1:4], len(g) * g.shape[4])


def _add_products(total, windows, g, where, take):
    """Add to the total (group, window entry, output) the products of the windows with g (row, group, output, lane)."""
    cut = parts(*total.shape[1:])
    a, b = _stack(windows, where, len(g), cut)[0], g.swapaxes(2, 3)[:, :, None]
    products = take("products", (*a.shape[:-1], g.shape[2]), total.dtype)
    np.matmul(a, b, out=products)
    total += np.add.reduce(products).reshape(total.shape)


def input_gradient(g, k, where, groups, dtype):
    """dT/dx: g (N, C_out, *where.out) and k (C_out, C/groups, kh, kw) to (N, C, *where.image).

    A window of g over its rows, one phase of the stride at a time, gives what each row of the image receives
    through each tap of the columns; those are then added, shifted, into the image.
    """
    inner = len(g) >= FEWEST_IMAGES
    dx = empty((len(g), groups * k.shape[1], *where.image), dtype)
    o, h, c, w, n = axes(dx, inner).shape
    target = axes(dx, inner).reshape(o, h, groups, c // groups, w, n)
    rows_of = phases(*(pair[0] for pair in (where.image, where.window, where.stride, where.padding, where.dilation)))
    kernels = [_adjoint_kernel(k, groups, phase, dtype) for phase in rows_of]
    with Scratch() as take:
        upstream = _upstream(g, groups, inner, dtype, take)

        def part(rows):
            if where.stride != (1, 1):  # else every entry receives something
                target[:, rows] = 0
            with Scratch() as take:
                for phase, kernel in zip(rows_of, kernels, strict=True):
                    _add_shares(target, upstream, kernel, phase, rows, where, take)

        share(part, h, g.size * k[0].size)
    return dx


def _upstream(g, groups, inner, dtype, take):
    """g as (outer, group, row, output, column, inner) without gaps: itself, or a copy in scratch."""
    if inner and groups == 1 and g.dtype == dtype and images_innermost(g):
        return innermost(g)[None, None]
    o, rows, channels, columns, n = axes(g, inner).shape
    outputs = channels // groups
    upstream = take("g", (o, groups, rows, outputs, columns, n), dtype)
    for group in range(groups):
        part = upstream[0, group].transpose(3, 1, 0, 2) if inner else upstream[:, group, ..., 0].transpose(0, 2, 1, 3)
        copy_images(part, g[:, group * outputs : (group + 1) * outputs], take)
    return upstream


def _adjoint_kernel(k, groups, phase, dtype):
    """The matrix (group, tap of the columns and channel, tap of the phase and output)."""
    split = k.reshape(groups, len(k) // groups, *k.shape[1:])
    chosen = split[:, :, :, list(phase.taps)].transpose(0, 4, 2, 3, 1)
    return np.asarray(chosen.reshape(groups, k.shape[3] * k.shape[1], len(phase.taps) * split.shape[1]), dtype)


def _add_shares(target, g, kernel, phase, rows, where, take):
    """Add to these rows of the image what those of a phase receive, block by block.

    The first tap of the first columns is written, and zeros beside it, in place of adding it to zeros.
    """
    stride, taps = where.stride[0], where.window[1]
    begin, end = (-((phase.start - row) // stride) for row in (rows.start, rows.stop))
    _, _, groups, channels, width, inner = target.shape
    held = groups * taps * channels * g.itemsize
    for block in _blocks(len(g), slice(begin, end), g.shape[4], inner, held):
        shares = _shares(g, kernel, phase, block, take)
        shares = shares.reshape(*shares.shape[:3], taps, channels, -1, block.inner.stop - block.inner.start)
        start = phase.start + block.rows.start * stride
        image = target[block.outer, start : phase.start + (block.rows.stop - 1) * stride + 1 : stride, ..., block.inner]
        for tap in range(taps):
            shift = block.columns.start * where.stride[1] + tap * where.dilation[1] - where.padding[1]
            columns, entries = inside(shift, where.stride[1], width, block.columns.stop - block.columns.start)
            part, received = image[..., entries, :], shares[:, :, :, tap, :, columns]
            if tap == block.columns.start == 0:
                _blank(image, 4, entries)
                part[...] = received
            else:
                part += received


def _strides(array):
    """The strides of an array without gaps, also of axes of one entry, whose own may be anything."""
    return [math.prod(array.shape[axis + 1 :]) * array.itemsize for axis in range(array.ndim)]


def _shares(g, kernel, phase, block, take):
    """What the rows of a block of a phase receive: (outer, row, group, tap of the columns and channel, lane).

    g: (outer, group, row, output, column, inner), in which a window along the rows is one stretch of memory. Rows
    near the border receive through some of the taps only; their products leave the others out.
    """
    o, group, row, output, column, item = _strides(g)
    counts = [s.stop - s.start for s in block]
    lanes, outputs = counts[2] * counts[3], g.shape[3]
    corner = block.outer.start * o + block.columns.start * column + block.inner.start * item
    shares = take("products", (counts[0], counts[1], g.shape[1], kernel.shape[1], lanes), g.dtype)
    for entries, taps, first in runs(phase, g.shape[2], block.rows.start, block.rows.stop):
        size, number = entries.stop - entries.start, taps.stop - taps.start
        if number == 0:
            shares[:, entries] = 0
            continue
        shape = counts[0], size, g.shape[1], number, outputs, lanes
        strides = o, row, group, row * phase.apart, output, item
        read = windows = np.ndarray(shape, g.dtype, g, corner + first * row, strides)
        if phase.apart > 1:
            windows = take("windows", shape, g.dtype)
            np.copyto(windows, read)
        matrix = kernel[..., taps.start * outputs : taps.stop * outputs]
        multiply(matrix, windows.reshape(*shape[:3], number * outputs, lanes), shares[:, entries])
    return shares
