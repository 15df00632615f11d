"""Convolution by row windows: the three kernels of the trilinear form, for any geometry.

Why it is fast. Copying every window out (im2col) makes kh*kw copies of the image, and then one large
matrix product. Here only one axis of the window is copied, into scratch that stays in the cache:

    scratch[o, group, t, tap, channel, lane]    o: outer position, t: position along the other axis

In it a window of the other axis is one stretch of memory, so an overlapping view of it,

    stack[o, q, group, (taps, tap, channel), lane] = scratch[o, group, q*stride + taps, tap, channel, lane]

is a stack of matrices that BLAS reads as it is. `np.matmul` multiplies them one small product at a
time, and small products, up to `PRODUCT` multiplications, are what OpenBLAS does best.

The roles of the axes depend on the orientation, and nothing else does:

                          outer     along     lanes     copied axis of the window
    images innermost      rows      columns   images    rows                         from 16 images
    columns innermost     images    rows      columns   columns                      below
"""

import math
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import numpy as np

from ..windows import inside
from .layout import FEWEST_IMAGES, copy_images, empty, strided
from .orientation import copied_windows, orientation, padded, read_by, windows_apart
from .products import CONTRACTION, TILE, blocks, multiply, parts
from .scratch import Scratch
from .threads import share

HELD = (
    3 * TILE
)  # bytes of x and g that the kernel's VJP copies at a time, and reads once for each tap of the other axis


def _stack(scratch, along, depth):
    """The overlapping view of what was copied: (outer, position, group, window entry, lane).

    scratch: (outer, group, along, taps along, copied tap, channel, lane); depth: how many entries a window
    of one group has.
    """
    o, group, position, _, _, channel, lane = scratch.strides
    return strided(
        scratch,
        (len(scratch), along.out, scratch.shape[1], depth, scratch.shape[-1]),
        (o, position * windows_apart(scratch.shape[3], along), group, channel, lane),
    )


def forward(x, k, where, groups, dtype):
    """dT/dg: x (N, C, H, W) and k (C_out, C/groups, kh, kw) to (N, C_out, *where.out)."""
    way = orientation(len(x) >= FEWEST_IMAGES, where)
    z = empty((len(x), len(k), *where.out), dtype)
    kernel = np.asarray(way.kernel_axes(k, groups).reshape(groups, len(k) // groups, k[0].size), dtype)

    def part(images):
        _correlate(x[images], kernel, where, way, z[images])

    share(part, len(x), z.size * k[0].size)
    return z


def _correlate(x, kernel, where, way, z):
    """Write to z the windows of x times the kernel, (group, output, window entry)."""
    groups, _, depth = kernel.shape
    dtype = z.dtype
    with Scratch() as take:
        source = copied_windows(padded(x, where, way.images_innermost, dtype, take), groups, way)
        target = way.axes(z, groups)
        each = math.prod(source.shape[1:-1]) * z.itemsize
        for lanes in blocks(source.shape[-1], TILE // each, 16):
            part = source[..., lanes]
            for o in blocks(len(source), TILE // (each * part.shape[-1])):
                scratch = take("windows", (o.stop - o.start, *part.shape[1:]), dtype)
                np.copyto(scratch, part[o])
                multiply(kernel, _stack(scratch, way.along, depth), target[o, ..., lanes])


class Shift(NamedTuple):
    """The `number` taps that read rows of one phase of the stride: from its row `first` on, each `apart` further."""

    taps: slice
    number: int
    phase: int
    first: int
    apart: int


@lru_cache
def _each_row(way, rows):
    """The orientation of windows of one row, each row being one."""
    return way._replace(copied=way.copied._replace(taps=1, stride=1, out=rows))


_ALL_AT_ONCE = (Shift(np.s_[:], 1, 0, 0, 0),)


@lru_cache
def _shifts(copied):
    """The shifts that make up the taps of an axis."""
    common = math.gcd(copied.stride, copied.dilation)
    period = copied.stride // common
    shifts = []
    for tap in range(min(period, copied.taps)):
        first, phase = divmod(tap * copied.dilation, copied.stride)
        taps = slice(tap, None, period)
        shifts.append(Shift(taps, len(range(copied.taps)[taps]), phase, first, copied.dilation // common))
    return tuple(shifts)


def kernel_gradient(x, g, where, groups, dtype):
    """dT/dk: x (N, C, H, W) and g (N, C_out, *where.out) to (C_out, C/groups, kh, kw)."""
    way = orientation(len(x) >= FEWEST_IMAGES, where)
    outputs, channels = g.shape[1] // groups, x.shape[1] // groups

    def part(images):
        return _products(x[images], g[images], where, way, groups, dtype)

    total = sum(share(part, len(x), g.size * channels * math.prod(where.window)))
    taps = math.prod(where.window) // len(total)
    kernel = total.reshape(len(total), groups, taps, channels, outputs).transpose(1, 4, 3, 0, 2)
    return kernel.reshape(g.shape[1], channels, *where.window)


def _products(x, g, where, way, groups, dtype):
    """The sum of g times the windows of x: (copied tap, group, tap along and channel, output).

    Images innermost, what a copied tap reads is a stretch of memory, (rows, images), that begins some rows
    after that of the first tap, if rows of one phase of the stride lie together. So rows are copied once, and
    not for each tap. Columns innermost, all taps are copied, and the sum is (1, group, window entry, output).
    """
    outputs, taps = g.shape[1] // groups, 1 if way.images_innermost else way.copied.taps
    entries = way.along.taps * taps * (x.shape[1] // groups)
    total = np.zeros((way.copied.taps // taps, groups, entries, outputs), dtype)
    with Scratch() as take:
        xp = padded(x, where, way.images_innermost, dtype, take)
        if way.images_innermost:
            step, shifts = way.copied.stride, _shifts(way.copied)
            source = copied_windows(xp, groups, _each_row(way, xp.shape[2]))
        else:
            step, shifts = 1, _ALL_AT_ONCE
            source = copied_windows(xp, groups, way)
        reach = max(shift.first + (shift.number - 1) * shift.apart for shift in shifts)
        position = groups * step * windows_apart(source.shape[3], way.along) * math.prod(source.shape[3:6])
        for lanes in blocks(source.shape[-1], CONTRACTION, 16):
            width = lanes.stop - lanes.start
            for o in blocks(g.shape[2] if way.images_innermost else len(g), CONTRACTION // width):
                count = o.stop - o.start
                each = (position * (count + reach) + g.shape[1] * count) * width * dtype.itemsize
                for q in blocks(way.along.out, HELD // each):
                    read = source[:, :, read_by(q, source.shape[3], way.along), ..., lanes]
                    windows = take("windows", (step, *read.shape[1:6], count + reach, width), dtype)
                    for shift in shifts:
                        part = read[o.start * step + shift.phase :: step][: count + reach]
                        np.copyto(windows[shift.phase, ..., : len(part), :], part.transpose(1, 2, 3, 4, 5, 0, 6))
                    laid = take("g", (q.stop - q.start, g.shape[1], count, width), dtype)
                    order = (3, 1, 2, 0) if way.images_innermost else (2, 1, 0, 3)
                    copy_images(laid.transpose(order), way.block(g, o, lanes, q), take)
                    _add_products(total, windows, laid, shifts, way.along, take)
    return total


def _add_products(total, windows, g, shifts, along, take):
    """Add to the total of each tap the products of what it reads with g (along, channel, *lanes)."""
    _, groups, depth, outputs = total.shape
    phase, group, position, _, _, channel, row, item = windows.strides
    position *= windows_apart(windows.shape[3], along)
    cut, lanes = parts(depth, outputs), g.shape[2] * g.shape[3]
    b = g.reshape(len(g), groups, 1, outputs, lanes).swapaxes(-1, -2)
    for shift in shifts:
        a = np.ndarray(
            (shift.number, len(g), groups, cut, depth // cut, lanes),
            windows.dtype,
            windows,
            shift.phase * phase + shift.first * row,
            (shift.apart * row, position, group, channel * (depth // cut), channel, item),
        )
        products = take("products", (*a.shape[:-1], outputs), total.dtype)
        np.matmul(a, b, out=products)
        sums = total[shift.taps]
        sums += np.add.reduce(products, axis=1).reshape(sums.shape)


class Phase(NamedTuple):
    """The entries of an image axis that lie alike to the stride: each receives from the same taps.

    The entry number start + i*stride of the image receives, through the tap taps[j], from the window
    number first + i + j*apart, if there is one.
    """

    start: int
    entries: int
    taps: tuple[int, ...]
    first: int
    apart: int


@lru_cache
def _phases(axis):
    """The phases of an axis that receive anything."""
    image, padding, taps, stride, dilation, _ = axis
    phases = []
    for start in range(min(stride, image)):
        reached = [t for t in range(taps) if (start + padding - t * dilation) % stride == 0][::-1]
        if reached:
            first = (start + padding - reached[0] * dilation) // stride
            count = len(range(start, image, stride))
            phases.append(Phase(start, count, tuple(reached), first, dilation // math.gcd(stride, dilation)))
    return tuple(phases)


@lru_cache
def _runs(phase, out):
    """[(slice of entries, slice of taps, first window), ...]: neighbours that receive from `out` windows alike."""

    def reached(i):
        inside = [j for j in range(len(phase.taps)) if 0 <= phase.first + i + j * phase.apart < out]
        return (inside[0], inside[-1] + 1) if inside else (0, 0)

    runs = [(taps, list(entries)) for taps, entries in groupby(range(phase.entries), reached)]
    return [
        (slice(entries[0], entries[-1] + 1), slice(*taps), phase.first + entries[0] + taps[0] * phase.apart)
        for taps, entries in runs
    ]


def input_gradient(g, k, where, groups, dtype):
    """dT/dx: g (N, C_out, *where.out) and k (C_out, C/groups, kh, kw) to (N, C, *where.image).

    A window of g over one axis, one phase of the stride at a time, gives what each image row (or column)
    receives through each tap of the other axis; those are then added, shifted, into the image.
    """
    way = orientation(len(g) >= FEWEST_IMAGES, where)
    dx = empty((len(g), groups * k.shape[1], *where.image), dtype)
    dx[...] = 0
    phases = _phases(way.along)
    kernels = [_adjoint_kernel(way.kernel_axes(k, groups), phase, dtype) for phase in phases]

    def part(images):
        _add_shares(g[images], kernels, phases, way, groups, dx[images])

    share(part, len(g), g.size * k[0].size)
    return dx


def _add_shares(g, kernels, phases, way, groups, dx):
    """Add to dx what each of its entries receives, phase by phase."""
    outputs, channels = g.shape[1] // groups, dx.shape[1] // groups
    target = way.axes(dx, groups)
    held = way.along.out * groups * max(outputs, channels * way.copied.taps) * dx.itemsize
    with Scratch() as take:
        upstream = way.axes(g, groups).swapaxes(1, 2)
        for lanes in blocks(upstream.shape[-1], 2 * TILE // held, 16):
            for o in blocks(len(upstream), 2 * TILE // (held * (lanes.stop - lanes.start))):
                part = upstream[o, ..., lanes]
                if not part.flags.c_contiguous or part.dtype != dx.dtype:
                    part = _gathered(part.shape, way.block(g, o, lanes), way, dx.dtype, take)
                for phase, kernel in zip(phases, kernels, strict=True):
                    shares = _shares(part, kernel, phase, take)
                    _fold(target[:, phase.start :: way.along.stride], shares, o, lanes, way)


def _gathered(shape, g, way, dtype, take):
    """g (N, C, rows, columns) as a copy of shape (outer, group, along, output, lane)."""
    gathered, outputs = take("g", shape, dtype), shape[3]
    for group in range(shape[1]):
        order = (3, 2, 0, 1) if way.images_innermost else (0, 2, 1, 3)
        copy_images(gathered[:, group].transpose(order), g[:, group * outputs : (group + 1) * outputs], take)
    return gathered


def _adjoint_kernel(k, phase, dtype):
    """The matrix (group, copied tap and channel, tap of the phase and output) of the kernel's view."""
    groups, outputs, _, copied, channels = k.shape
    chosen = k[:, :, list(phase.taps)].transpose(0, 3, 4, 2, 1)
    return np.asarray(chosen.reshape(groups, copied * channels, len(phase.taps) * outputs), dtype)


def _shares(g, kernel, phase, take):
    """What the entries of a phase receive: (outer, along, group, copied tap and channel, lane).

    g: (outer, group, along, output, lane), in which a window along the axis is one stretch of memory. Entries
    near the border receive through some of the taps only; their products leave the others out.
    """
    count, groups, out, outputs, lanes = g.shape
    c = lanes * g.itemsize  # strides, which may be anything in an axis of one entry
    a, group, o = outputs * c, out * outputs * c, groups * out * outputs * c
    shares = take("products", (count, phase.entries, groups, kernel.shape[1], lanes), g.dtype)
    for entries, taps, first in _runs(phase, out):
        size, number = entries.stop - entries.start, taps.stop - taps.start
        if number == 0:
            shares[:, entries] = 0
            continue
        shape = (count, size, groups, number * outputs, lanes)
        if phase.apart == 1:
            windows = np.ndarray(shape, g.dtype, g, first * a, (o, a, group, c, g.itemsize))
        else:
            shape_apart, steps = (
                (count, size, groups, number, outputs, lanes),
                (o, a, group, a * phase.apart, c, g.itemsize),
            )
            windows = take("windows", shape, g.dtype)
            np.copyto(windows.reshape(shape_apart), np.ndarray(shape_apart, g.dtype, g, first * a, steps))
        multiply(kernel[..., taps.start * outputs : taps.stop * outputs], windows, shares[:, entries])
    return shares


def _fold(target, shares, outer, lanes, way):
    """Add the shares of each copied tap into the image, shifted by the tap."""
    copied, block = way.copied, outer if way.images_innermost else lanes
    shares = shares.reshape(*shares.shape[:3], copied.taps, target.shape[3], shares.shape[-1])
    for tap in range(copied.taps):
        share = shares[:, :, :, tap]
        shift = block.start * copied.stride + tap * copied.dilation - copied.padding
        windows, entries = inside(shift, copied.stride, copied.image, block.stop - block.start)
        if way.images_innermost:
            image = target[entries, ..., lanes]
            image += share[windows]
        else:
            image = target[outer, ..., entries]
            image += share[..., windows]
