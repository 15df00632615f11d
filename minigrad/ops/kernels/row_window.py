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
from numpy.lib.stride_tricks import as_strided

from .layout import FEWEST_IMAGES, copy_images, empty
from .products import CONTRACTION, TILE, blocks, multiply, parts
from .scratch import Scratch
from .threads import share


class Axis(NamedTuple):
    """One axis of the windows: `image` entries, padded on both sides, hold `out` windows of `taps` entries."""

    image: int
    padding: int
    taps: int
    stride: int
    dilation: int
    out: int


class Orientation(NamedTuple):
    """Which axis of the windows is copied, which is viewed, and whether the images are innermost."""

    copied: Axis
    along: Axis
    images_innermost: bool

    def axes(self, images, groups):
        """(N, C, rows, columns) as the view (outer, along, group, channel, lane)."""
        n, c, h, w = images.shape
        split = images.reshape(n, groups, c // groups, h, w)
        return split.transpose((3, 4, 1, 2, 0) if self.images_innermost else (0, 3, 1, 2, 4))

    def kernel_axes(self, k, groups):
        """(C_out, C/groups, kh, kw) as the view (group, output, tap along, copied tap, channel)."""
        split = k.reshape(groups, k.shape[0] // groups, *k.shape[1:])
        return split.transpose((0, 1, 4, 3, 2) if self.images_innermost else (0, 1, 3, 4, 2))


@lru_cache
def _orientation(images_innermost, where):
    rows, columns = (
        Axis(*fields)
        for fields in zip(
            where.image, where.padding, where.window, where.stride, where.dilation, where.out, strict=True
        )
    )
    return Orientation(rows, columns, True) if images_innermost else Orientation(columns, rows, False)


def _padded(x, where, images_innermost, dtype, take):
    """x with its padding, in the layout of the orientation: x itself where it is so already."""
    lane = x.strides[0 if images_innermost else 3]
    if where.padding == (0, 0) and lane == x.itemsize and x.dtype == dtype:
        return x
    n, c, h, w = x.shape
    (ph, pw), (hp, wp) = where.padding, (h + 2 * where.padding[0], w + 2 * where.padding[1])
    if images_innermost:
        xp = take("padded", (hp, wp, c, n), dtype).transpose(3, 2, 0, 1)
    else:
        xp = take("padded", (n, c, hp, wp), dtype)
    for border in (np.s_[:ph], np.s_[ph + h :]):
        xp[:, :, border] = 0
    for border in (np.s_[:pw], np.s_[pw + w :]):
        xp[:, :, ph : ph + h, border] = 0
    copy_images(xp[:, :, ph : ph + h, pw : pw + w], x)
    return xp


def _laid_out(g, way, dtype, take):
    """g with its lanes innermost: g itself where it is so already."""
    if g.strides[0 if way.images_innermost else 3] == g.itemsize:
        return g
    n, c, h, w = g.shape
    if way.images_innermost:
        laid = take("laid out", (h, w, c, n), dtype).transpose(3, 2, 0, 1)
    else:
        laid = take("laid out", g.shape, dtype)
    copy_images(laid, g)
    return laid


def _windows(xp, groups, way):
    """The copied axis of every window: a view (outer, group, along, taps along, copied tap, channel, lane).

    `taps along` has size 1, as the other axis of the windows is a stretch of what is copied; only under
    a dilation it is not, and its taps are copied as well.
    """
    base, copied, along = way.axes(xp, groups), way.copied, way.along
    o, a, g, c, lane = base.strides
    if way.images_innermost:
        outer, lanes, strides = copied.out, len(xp), (o * copied.stride, lane, o * copied.dilation)
    else:
        outer, lanes, strides = len(xp), copied.out, (o, lane * copied.stride, lane * copied.dilation)
    if along.dilation == 1 or along.taps == 1:
        stretch, steps = (base.shape[1], 1), (a, 0)
    else:
        stretch, steps = (along.out, along.taps), (a * along.stride, a * along.dilation)
    return as_strided(
        base,
        (outer, groups, *stretch, copied.taps, base.shape[3], lanes),
        (strides[0], g, *steps, strides[2], c, strides[1]),
    )


def _stack(scratch, along, group_axis, depth):
    """The overlapping view of what was copied: (.., position, group, window entry, trailing axes as one).

    scratch: (.., group, along, taps along, copied tap, channel, *trailing), the group at `group_axis`;
    depth: how many entries a window of one group has.
    """
    shape, strides, item = scratch.shape, scratch.strides, scratch.itemsize
    lanes = math.prod(shape[group_axis + 5 :])
    step = 1 if shape[group_axis + 2] > 1 else along.stride
    return np.ndarray(
        (*shape[:group_axis], along.out, shape[group_axis], depth, lanes),
        scratch.dtype,
        scratch,
        0,
        (*strides[:group_axis], strides[group_axis + 1] * step, strides[group_axis], lanes * item, item),
    )


def forward(x, k, where, groups, dtype):
    """dT/dg: x (N, C, H, W) and k (C_out, C/groups, kh, kw) to (N, C_out, *where.out)."""
    way = _orientation(len(x) >= FEWEST_IMAGES, where)
    z = empty((len(x), len(k), *where.out), dtype)
    kernel = way.kernel_axes(k, groups).reshape(groups, len(k) // groups, -1).astype(dtype, copy=False)

    def part(images):
        _correlate(x[images], kernel, where, way, z[images])

    share(part, len(x), z.size * k[0].size)
    return z


def _correlate(x, kernel, where, way, z):
    """Write to z the windows of x times the kernel, (group, output, window entry)."""
    groups, _, depth = kernel.shape
    dtype = z.dtype
    with Scratch() as take:
        source = _windows(_padded(x, where, way.images_innermost, dtype, take), groups, way)
        target = way.axes(z, groups)
        each = math.prod(source.shape[1:-1]) * z.itemsize
        for lanes in blocks(source.shape[-1], TILE // each, 16):
            part = source[..., lanes]
            for o in blocks(len(source), TILE // (each * part.shape[-1])):
                scratch = take("windows", (o.stop - o.start, *part.shape[1:]), dtype)
                np.copyto(scratch, part[o])
                multiply(kernel, _stack(scratch, way.along, 1, depth), target[o, ..., lanes])


def kernel_gradient(x, g, where, groups, dtype):
    """dT/dk: x (N, C, H, W) and g (N, C_out, *where.out) to (C_out, C/groups, kh, kw)."""
    way = _orientation(len(x) >= FEWEST_IMAGES, where)
    outputs, channels = g.shape[1] // groups, x.shape[1] // groups

    def part(images):
        return _products(x[images], g[images], where, way, groups, dtype)

    total = sum(share(part, len(x), g.size * channels * math.prod(where.window)))
    kernel = total.reshape(groups, way.along.taps, way.copied.taps, channels, outputs)
    order = (0, 4, 3, 2, 1) if way.images_innermost else (0, 4, 3, 1, 2)
    return np.ascontiguousarray(kernel.transpose(order)).reshape(g.shape[1], channels, *where.window)


def _products(x, g, where, way, groups, dtype):
    """The sum of g times the windows of x: (group, window entry, output)."""
    (copied, along, _), outputs = way, g.shape[1] // groups
    depth = along.taps * copied.taps * (x.shape[1] // groups)
    cut = parts(depth, outputs)
    total = np.zeros((groups, depth, outputs), dtype)
    with Scratch() as take:
        source = _windows(_padded(x, where, way.images_innermost, dtype, take), groups, way)
        upstream = way.axes(_laid_out(g, way, dtype, take), groups)
        for lanes in blocks(source.shape[-1], 2 * CONTRACTION, 16):
            for o in blocks(len(source), CONTRACTION // (lanes.stop - lanes.start)):
                part, gs = source[o, ..., lanes], upstream[o, ..., lanes]
                scratch = take("windows", (*part.shape[1:6], part.shape[0], part.shape[6]), dtype)
                np.copyto(scratch, part.transpose(1, 2, 3, 4, 5, 0, 6))
                g_scratch = take("g", (*gs.shape[1:4], gs.shape[0], gs.shape[4]), dtype)
                np.copyto(g_scratch, gs.transpose(1, 2, 3, 0, 4))
                a = _stack(scratch, along, 0, depth)
                a = a.reshape(*a.shape[:2], cut, depth // cut, a.shape[3])
                b = g_scratch.reshape(along.out, groups, 1, outputs, a.shape[-1])
                products = take("products", (along.out, groups, cut, depth // cut, outputs), dtype)
                np.matmul(a, b.swapaxes(-1, -2), out=products)
                total += products.sum(0).reshape(total.shape)
    return total


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
    """[(slice of entries, slice of taps), ...]: neighbours in the phase that receive from `out` windows alike."""

    def reached(i):
        inside = [j for j in range(len(phase.taps)) if 0 <= phase.first + i + j * phase.apart < out]
        return (inside[0], inside[-1] + 1) if inside else (0, 0)

    runs = [(taps, list(entries)) for taps, entries in groupby(range(phase.entries), reached)]
    return [(slice(entries[0], entries[-1] + 1), slice(*taps)) for taps, entries in runs]


def input_gradient(g, k, where, groups, dtype):
    """dT/dx: g (N, C_out, *where.out) and k (C_out, C/groups, kh, kw) to (N, C, *where.image).

    A window of g over one axis, one phase of the stride at a time, gives what each image row (or column)
    receives through each tap of the other axis; those are then added, shifted, into the image.
    """
    way = _orientation(len(g) >= FEWEST_IMAGES, where)
    dx = empty((len(g), groups * k.shape[1], *where.image), dtype)
    dx[...] = 0
    phases = _phases(way.along)
    if not phases:
        return dx
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
        upstream = way.axes(_laid_out(g, way, dx.dtype, take), groups)
        for lanes in blocks(upstream.shape[-1], 2 * TILE // held, 16):
            for o in blocks(len(upstream), 2 * TILE // (held * (lanes.stop - lanes.start))):
                part = _taps_joined(upstream[o, ..., lanes], dx.dtype, take)
                for phase, kernel in zip(phases, kernels, strict=True):
                    shares = _shares(part, kernel, phase, take)
                    _fold(target[:, phase.start :: way.along.stride], shares, o, lanes, way)


def _taps_joined(g, dtype, take):
    """g (outer, along, group, output, lane) such that a stretch along the axis is one matrix (tap and output, lane)."""
    _, a, _, c, lane = g.strides
    if a == c * g.shape[3] and lane == g.itemsize and g.dtype == dtype:
        return g
    outer, along, groups, outputs, lanes = g.shape
    joined = take("g", (outer, groups, along, outputs, lanes), dtype).swapaxes(1, 2)
    np.copyto(joined, g)
    return joined


def _adjoint_kernel(k, phase, dtype):
    """The matrix (group, copied tap and channel, tap of the phase and output) of the kernel's view."""
    groups, outputs, _, copied, channels = k.shape
    chosen = k[:, :, list(phase.taps)].transpose(0, 3, 4, 2, 1)
    return chosen.reshape(groups, copied * channels, len(phase.taps) * outputs).astype(dtype, copy=False)


def _shares(g, kernel, phase, take):
    """What the entries of a phase receive: (outer, along, group, copied tap and channel, lane).

    Entries near the border receive through some of the taps only; their products leave the others out.
    """
    count, out, groups, outputs, lanes = g.shape
    o, a, group, c, e = g.strides
    shares = take("shares", (count, phase.entries, groups, kernel.shape[1], lanes), g.dtype)
    stretches = as_strided(g, (count, out, groups, kernel.shape[2], lanes), (o, a, group, c, e))  # some stick out
    for entries, taps in _runs(phase, out):
        size, depth = entries.stop - entries.start, (taps.stop - taps.start) * outputs
        first = phase.first + entries.start + taps.start * phase.apart
        if depth == 0:
            shares[:, entries] = 0
            continue
        if phase.apart == 1:
            windows = stretches[:, first : first + size, :, :depth]
        else:
            shape = (count, size, groups, taps.stop - taps.start, outputs, lanes)
            windows = take("windows", shape, g.dtype)
            np.copyto(windows, as_strided(g[:, first:], shape, (o, a, group, a * phase.apart, c, e)))
            windows = windows.reshape(count, size, groups, depth, lanes)
        multiply(kernel[..., taps.start * outputs : taps.stop * outputs], windows, shares[:, entries])
    return shares


def _fold(target, shares, outer, lanes, way):
    """Add the shares of each copied tap into the image, shifted by the tap."""
    copied, block = way.copied, outer if way.images_innermost else lanes
    shares = shares.reshape(*shares.shape[:3], copied.taps, -1, shares.shape[-1])
    for tap in range(copied.taps):
        share = shares[:, :, :, tap]
        windows, entries = _reached(copied, tap, block.start, block.stop)
        if way.images_innermost:
            image = target[entries, ..., lanes]
            image += share[windows]
        else:
            image = target[outer, ..., entries]
            image += share[..., windows]


@lru_cache
def _reached(axis, tap, start, stop):
    """(those of the windows start to stop, counted from start, whose tap is within the image; the entries there)."""
    shift = tap * axis.dilation - axis.padding
    first = max(start, math.ceil(-shift / axis.stride))
    last = min(stop - 1, (axis.image - 1 - shift) // axis.stride)
    if last < first:
        return slice(0, 0), slice(0, 0)
    entry = first * axis.stride + shift
    return (
        slice(first - start, last + 1 - start),
        slice(entry, entry + (last - first) * axis.stride + 1, axis.stride),
    )
