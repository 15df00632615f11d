"""Convolution with one channel a group and one kernel for it: sums of products, entry by entry.

Why it is fast. There is nothing for a matrix product to do here. With images innermost, each tap of a
window is one multiply-and-add over a long stretch of (column, image), and `np.einsum` does just that.
Contiguous images are turned for that only if they are many and their columns not strided. Otherwise a few
rows are a product with a band matrix, and each tap of the kernel's VJP is a dot product of whole planes.
"""

import numpy as np

from ..windows import inside
from .layout import FEWEST_IMAGES, copy_images, empty_innermost, innermost
from .products import TILE, blocks
from .scratch import Scratch

ROWS = 4  # of the result, that one matrix product makes: fewer are too small for BLAS, more have more zeros


def forward(x, k, where, groups, dtype):
    """dT/dg: x (N, C, H, W) and k (C, 1, kh, kw) to (N, C, *where.out)."""
    size = [n + 2 * p for n, p in zip(where.image, where.padding, strict=True)]
    return _correlated(x, size, where.padding, (1, 1), k, where.stride, where.dilation, where.out, dtype)


def kernel_gradient(x, g, where, groups, dtype):
    """dT/dk: x (N, C, H, W) and g (N, C, *where.out) to (C, 1, kh, kw)."""
    if _columns_innermost(x, where.stride[1]) and _columns_innermost(g, where.stride[1]):
        products = _products_of_planes(x, g, where, dtype)
        if np.isfinite(products).all():  # else a zero between g's entries may have met an infinity
            return products[:, None]
    with Scratch() as take:
        windows = _windows(_padded(x, where, dtype, take), where.window, where.stride, where.dilation, where.out)
        laid = take("g", innermost(g).shape, dtype)
        copy_images(laid.transpose(3, 1, 0, 2), g, take)
        lanes = laid.reshape(*laid.shape[:2], 1, 1, *windows.shape[4:])
        products = np.vecdot(windows, lanes)
        return products.sum((0, *range(4, products.ndim)))[:, None]


def _columns_innermost(x, stride):
    """Whether the columns of x are innermost in memory and shall stay so."""
    return x.strides[3] == x.itemsize and (len(x) < FEWEST_IMAGES or stride > 1)


def _products_of_planes(x, g, where, dtype):
    """The sum of g times what each tap reads, (C, kh, kw), columns innermost: nothing is turned.

    With the entries of g set apart by the stride, in planes as wide as those of the padded x, what a tap
    reads is one stretch of the plane of x, and the sum is the dot product of two stretches.
    """
    n, c, h, w = x.shape
    (ph, pw), (rows, columns), (down, right) = where.padding, where.stride, where.dilation
    height, width = h + 2 * ph, w + 2 * pw
    stretch = (where.out[0] - 1) * rows * width + (where.out[1] - 1) * columns + 1
    total = np.zeros((c, *where.window), dtype)
    with Scratch() as take, np.errstate(invalid="ignore"):
        for images in blocks(n, TILE // (4 * c * height * width * dtype.itemsize)):
            count = images.stop - images.start
            frame = take("frame", (count, c, height, width), dtype)
            frame[...] = 0
            frame[..., ph : ph + h, pw : pw + w] = x[images]
            apart = take("g", (count, c, where.out[0] * rows, width), dtype)
            apart[...] = 0
            apart[..., ::rows, : where.out[1] * columns : columns] = g[images]
            image, channel, row, item = frame.strides
            shape, steps = (count, c, *where.window, stretch), (image, channel, down * row, right * item, item)
            windows = np.ndarray(shape, dtype, frame, 0, steps)
            total += np.vecdot(windows, apart.reshape(count, c, 1, 1, -1)[..., :stretch]).sum(0)
    return total


def input_gradient(g, k, where, groups, dtype):
    """dT/dx: g (N, C, *where.out) and k (C, 1, kh, kw) to (N, C, *where.image).

    The entries of g, set apart by the stride, are correlated with the kernel turned around.
    """
    reach = [d * (taps - 1) for d, taps in zip(where.dilation, where.window, strict=True)]
    size = [n + r for n, r in zip(where.image, reach, strict=True)]
    corner = [r - p for r, p in zip(reach, where.padding, strict=True)]
    turned = k[:, :, ::-1, ::-1]
    return _correlated(g, size, corner, where.stride, turned, (1, 1), where.dilation, where.image, dtype)


def _correlated(x, size, corner, step, k, stride, dilation, out, dtype):
    """The correlation with k of x, framed as by `_framed`: (N, C, *out)."""
    if _columns_innermost(x, stride[1] * step[1]) and dilation[0] == 1:  # else bands are mostly zeros
        z = _summed_by_rows(x, size[0], corner, step, k, stride, dilation, out, dtype)
        if not np.isnan(z.max(initial=0)):  # else a zero of a band may have met an infinity
            return z
    with Scratch() as take:
        frame = _framed(x, size, corner, step, dtype, take)
        return _summed(frame, k, stride, dilation, out, dtype)


def _summed_by_rows(x, height, corner, step, k, stride, dilation, out, dtype):
    """What `_summed` gives, columns innermost: one matrix product makes `ROWS` rows of the result.

    Its matrix is a band. A row of the frame lies in memory as (tap along the columns, column of the result),
    so that the rows that a product needs are one stretch, and those of the next one overlap it.
    """
    (n, c), taps = x.shape[:2], k.shape[3]
    z = np.empty((n, c, *out), dtype)
    entries, rows = inside(corner[0], step[0], height, x.shape[2])
    columns = [_read(tap * dilation[1] - corner[1], stride[1], step[1], x.shape[3], out[1]) for tap in range(taps)]
    whole, rest = divmod(out[0], ROWS)
    bands = [
        (first, count, _band(k, each, stride[0], dilation[0], dtype))
        for first, count, each in ((0, whole, ROWS), (whole * ROWS, 1, rest))
        if count * each
    ]
    pieces = blocks(n, TILE // (4 * c * height * taps * out[1] * dtype.itemsize))
    with Scratch() as take, np.errstate(invalid="ignore"):
        windows = take("windows", (pieces[0].stop if pieces else 0, c, height, taps, out[1]), dtype)
        windows[...] = 0
        i, j, row, tap, item = windows.strides
        for images in pieces:
            part, source = windows[: images.stop - images.start], x[images]
            for t, (to, read) in enumerate(columns):
                part[:, :, rows, t, to] = source[:, :, entries, read]
            for first, count, band in bands:
                each, depth = band.shape[2:]
                shape, steps = (len(part), c, count, depth, out[1]), (i, j, row * stride[0] * each, tap, item)
                stack = np.ndarray(shape, dtype, windows, row * stride[0] * first, steps)
                target = z[images, :, first : first + count * each]
                np.matmul(band, stack, out=target.reshape(len(part), c, count, each, out[1]))
    return z


def _read(shift, stride, step, entries, out):
    """The windows p of `out` with p stride + shift = i step for an entry i of x, and these; stride or step is 1."""
    if step == 1:
        return inside(shift, stride, entries, out)
    return inside(-shift, step, out, entries)[::-1]


def _band(k, rows, stride, dilation, dtype):
    """The matrix (channel, 1, row of the result, row of the frame and tap) of the kernel k."""
    c, _, height, taps = k.shape
    band = np.zeros((c, 1, rows, (rows - 1) * stride + (height - 1) * dilation + 1, taps), dtype)
    for p in range(rows):
        band[:, 0, p, p * stride : p * stride + (height - 1) * dilation + 1 : dilation] = k[:, 0]
    return band.reshape(c, 1, rows, -1)


def _padded(x, where, dtype, take):
    size = [n + 2 * p for n, p in zip(where.image, where.padding, strict=True)]
    return _framed(x, size, where.padding, (1, 1), dtype, take)


def _framed(x, size, corner, step, dtype, take):
    """Zeros (height, C, width, N) with the entries of x, `step` apart, from `corner` on; those outside are left out."""
    frame = take("frame", (size[0], x.shape[1], size[1], x.shape[0]), dtype)
    axes = zip(corner, step, size, x.shape[2:], strict=True)
    chosen, places = zip(*(inside(c, s, length, n) for c, s, length, n in axes), strict=True)
    rows, columns = (slice(place.start, place.stop) for place in places)
    frame[: rows.start] = frame[rows.stop :] = 0
    frame[rows, :, : columns.start] = frame[rows, :, columns.stop :] = 0
    if step != (1, 1):
        frame[rows, :, columns] = 0
    copy_images(frame[places[0], :, places[1]].transpose(3, 1, 0, 2), x[:, :, chosen[0], chosen[1]], take)
    return frame


def _windows(frame, window, stride, dilation, out):
    """The view (rows, channels, kh, kw, lanes) of every window; lanes are columns and images, joined unless strided."""
    row, channel, column, item = frame.strides
    shape, lanes = (out[0], frame.shape[1], *window), (out[1], frame.shape[3])
    steps = row * stride[0], channel, row * dilation[0], column * dilation[1]
    if stride[1] == 1:
        return np.ndarray((*shape, lanes[0] * lanes[1]), frame.dtype, frame, 0, (*steps, item))
    return np.ndarray((*shape, *lanes), frame.dtype, frame, 0, (*steps, column * stride[1], item))


def _summed(frame, k, stride, dilation, out, dtype):
    """The sum of each window's entries times the kernel's, (N, C, *out)."""
    z = empty_innermost((frame.shape[3], frame.shape[1], *out), dtype)
    windows = _windows(frame, k.shape[2:], stride, dilation, out)
    out = innermost(z).reshape(*windows.shape[:2], *windows.shape[4:])
    np.einsum("pcrs...,crs->pc...", windows, np.asarray(k[:, 0], dtype), out=out)
    return z
