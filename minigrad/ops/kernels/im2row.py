"""Convolution by im2row: the columns of each window are copied, its rows are read through an overlapping view.

im2col (kernels/im2col.py) copies every window whole, kh * kw times the image. Here only the kw columns are copied,

    windows[group, row, s, channel, lane] = x[n, (group, channel), row, q * stride + s * dilation]

into scratch memory that stays in the cache. The kh rows of a window are then contiguous, so an overlapping view is
one matrix for each row p of the output, which BLAS reads as it is:

    stack[p, group, (r, s, channel), lane] = windows[group, p * stride + r, s, channel, lane]

A lane is a column and an image (q, n) of the output. Images are innermost in memory (kernels/memory.py), so lanes
are many. The rows of a window may not be dilated: then they are not contiguous.
"""

import math
from functools import lru_cache, partial
from itertools import groupby

import numpy as np

from ...threads import FEWEST_PRODUCTS, blocks, get_num_threads, share
from ..windows import inside
from .blas import LANES, TILE, add_products, tiles
from .memory import FEWEST_IMAGES, Scratch, clear_outside, empty, empty_innermost, innermost, laid


def rows_are_contiguous(geometry):
    """Whether the rows of a window are neighbours in the image: no other windows can be read through a view."""
    # equivalent: without or geometry.window[0] == 1; window[0] == 1 -> window[0] == 0 because im2col gives the same
    return geometry.dilation[0] == 1 or geometry.window[0] == 1


def forward(x, k, geometry, groups, dtype):
    """dT/dg: x (N, C, H, W) and k (C_out, C/groups, kh, kw) to (N, C_out, *geometry.out)."""
    z = empty_innermost((len(x), len(k), *geometry.out), dtype)
    matrix = k.transpose(0, 2, 3, 1).reshape(groups, len(k) // groups, k[0].size)  # (group, output, (r, s, channel))
    with Scratch() as take:
        source, matrix = laid("x", x, 1, dtype, take)[0], np.ascontiguousarray(matrix, dtype)
        run = partial(_forward, matrix, geometry, source, innermost(z))
        _by_rows(run, geometry.out[0], z.size * k[0].size)
    return z


def _forward(matrix, geometry, x, z, rows):
    """Write these rows of the output z. Both are (row, channel, column, image)."""
    with Scratch() as take:
        for p, q, n, part in _parts(geometry, rows.start, rows.stop, *x.shape[1::2], z.itemsize):
            write_product(matrix, _stack(x, n, part, len(matrix), take), _lanes(z[p, :, q, n], len(matrix)))


def write_product(matrix, stack, out):
    """Write matrix (group, output, depth) @ stack (row, group, depth, lane) to out (row, group, output, lane)."""
    size, depth = stack.shape[:2], matrix.shape[2]
    cut = tiles(*matrix.shape[1:], stack.shape[3])
    if not cut:
        np.matmul(matrix, stack, out=out)
    for (rows, down, height), (lanes, across, width) in cut:
        # (group, tile down, 1, output, depth) @ (row, group, 1, tile across, depth, lane)
        left = matrix[:, rows].reshape(size[1], down, 1, height, depth)
        right = stack[..., lanes].reshape(*size, 1, depth, across, width).swapaxes(3, 4)
        np.matmul(left, right, out=out[..., rows, lanes].reshape(*size, down, height, across, width).swapaxes(3, 4))


def kernel_gradient(x, g, geometry, groups, dtype):
    """dT/dk: x (N, C, H, W) and g (N, C_out, *geometry.out) to (C_out, C/groups, kh, kw).

    Each row of the output gives a product: of the windows that it was computed from, and the row of g.
    """
    channels, outputs = x.shape[1] // groups, g.shape[1] // groups
    size = groups, math.prod(geometry.window) * channels, outputs
    with Scratch() as take:
        source, upstream = (laid(name, a, 1, dtype, take)[0] for name, a in (("x", x), ("g", g)))
        run = partial(_kernel_gradient, size, geometry, source, upstream)
        total = sum(_by_rows(run, geometry.out[0], g.size * size[1]))
    kernel = total.reshape(groups, *geometry.window, channels, outputs)  # (group, r, s, channel, output)
    # -> (group, output, channel, r, s) -> ((group, output), channel, r, s)
    return kernel.transpose(0, 4, 3, 1, 2).reshape(g.shape[1], channels, *geometry.window)


def _kernel_gradient(size, geometry, x, g, rows):
    """The part of the gradient, (group, (r, s, channel), output), that these rows of g give."""
    total = np.zeros(size, x.dtype)
    with Scratch() as take:
        for p, q, n, part in _parts(geometry, rows.start, rows.stop, *x.shape[1::2], x.itemsize):
            add_products(total, _stack(x, n, part, size[0], take), _lanes(g[p, :, q, n], size[0]), take)
    return total


def input_gradient(g, k, geometry, groups, dtype):
    """dT/dx: g (N, C_out, *geometry.out) and k (C_out, C/groups, kh, kw) to (N, C, *geometry.image).

    Rows of g, read as rows of windows are in `forward`, give what each row of the image receives through each column
    of the kernel. Those are then added, shifted, to the image. Few images are worked on one at a time.
    """
    dx = empty((len(g), groups * k.shape[1], *geometry.image), dtype)
    split = k.reshape(groups, len(k) // groups, *k.shape[1:]).transpose(0, 4, 2, 3, 1)  # (group, s, channel, r, output)
    # (group, (s, channel), (r, output)), with r in the order of `_order`
    matrix = np.asarray(split[:, :, :, _order(geometry)].reshape(groups, k.shape[3] * k.shape[1], -1), dtype)
    with Scratch() as take:
        # equivalent: any change because any number of images at a time gives the same
        for n in blocks(len(g), len(g) if len(g) >= FEWEST_IMAGES else 1):
            upstream = laid("g", g[n], groups, dtype, take)
            run = partial(_input_gradient, matrix, geometry, upstream, innermost(dx[n]))
            _by_rows(run, geometry.image[0], upstream.size * k[0].size)
    return dx


def _order(geometry):
    """The rows of the kernel: together those through which the same rows of the image receive, the last one first."""
    return sorted(range(geometry.window[0]), key=lambda r: (r % geometry.stride[0], -r))


@lru_cache
def _runs(geometry, start, stop):
    """[(rows of the image, rows of the kernel, first row of g), ...]: what rows start to stop of the image receive.

    Rows of the image are counted from start, and a stride apart. They receive through the same rows of the kernel,
    counted in `_order`, and from neighbouring rows of g.
    """
    order, (stride, _), (padding, _) = _order(geometry), geometry.stride, geometry.padding

    def received(row):
        found = [j for j, r in enumerate(order) if row + padding - r in range(0, geometry.out[0] * stride, stride)]
        # equivalent: (0, 0) -> (any number, 0) because no row of the kernel is read then
        return (found[0], found[-1] + 1) if found else (0, 0)

    runs = []
    for phase in range(start, min(start + stride, stop)):
        for (first, last), group in groupby(range(phase, stop, stride), received):
            rows = list(group)
            # equivalent: else 0 -> else any number because no row of g is read then
            p = (rows[0] + padding - order[first]) // stride if last else 0
            runs.append((slice(rows[0] - start, rows[-1] + 1 - start, stride), slice(first, last), p))
    return runs


def _input_gradient(matrix, geometry, g, dx, rows):
    """Write these rows of the image dx (row, channel, column, image), from g (group, row, output, column, image)."""
    (groups, height, outputs, columns, images), (_, channels, width, _) = g.shape, dx.shape
    item, taps, channels = g.itemsize, geometry.window[1], channels // groups
    output = columns * images * item  # the strides of g: its own may be anything where an axis has one entry
    group, row = height * outputs * output, outputs * output
    with Scratch() as take:
        # equivalent: any change because blocks of any size give the same
        for p, q, n in _blocks(rows.start, rows.stop, columns, images, groups * taps * channels * item, 1, 0):
            count, across = p.stop - p.start, (q.stop - q.start, n.stop - n.start)
            lanes, corner = math.prod(across), (q.start * images + n.start) * item
            addends = take("addends", (count, groups, taps * channels, lanes), g.dtype)
            for to, some, first in _runs(geometry, p.start, p.stop):
                left, out = matrix[..., some.start * outputs : some.stop * outputs], addends[to]
                shape, strides = (len(out), groups, left.shape[2], lanes), (row, group, output, item)
                # the lanes of neighbouring rows of g, (row, group, (r, output), lane), as one view
                write_product(left, np.ndarray(shape, g.dtype, g, first * row + corner, strides), out)
            # (row, group, (s, channel), lane) -> (s, row, group, channel, column, image); image is the same without s
            addends = addends.reshape(count, groups, taps, channels, *across).transpose(2, 0, 1, 3, 4, 5)
            image = dx[p, ..., n].reshape(count, groups, channels, width, across[1])
            # equivalent: any change because zeros that are written over change nothing
            if q.start == 0 and geometry.stride[1] > 1:
                image[...] = 0
            for s, addend in enumerate(addends):
                shift = q.start * geometry.stride[1] + s * geometry.dilation[1] - geometry.padding[1]
                windows, entries = inside(shift, geometry.stride[1], width, across[0])
                received = image[..., entries, :]
                if s == q.start == 0:
                    clear_outside(image.swapaxes(0, 3), entries)
                    received[...] = addend[..., windows, :]
                else:
                    received += addend[..., windows, :]


def _by_rows(run, rows, products):
    """[run(slice of the rows), ...], in threads if there are enough multiplications."""
    count = get_num_threads() if products > FEWEST_PRODUCTS else 1
    return share(run, blocks(rows, math.ceil(rows / count)), products)


# equivalent: any change because blocks of any size give the same
@lru_cache
def _blocks(start, stop, columns, images, held, step, overlap):
    """Cut rows start to stop, columns and images to [(rows, columns, images), ...], so that scratch stays in the cache.

    held: bytes of scratch that a lane takes in a row, of which there are overlap + step * rows. Lanes are so many that
    products are efficient: whole columns, or some of the images of one column. Rows are twice the overlap or more,
    which is copied for each block.
    """
    images = max(images, 1)
    most = max(LANES, TILE // (held * max(1, (stop - start) * step + overlap)))
    together = blocks(images, most, 16)
    across = blocks(columns, most // images)
    width = held * together[0].stop * across[0].stop
    down = blocks(stop - start, max(2 * overlap, TILE // width - overlap) // step)
    return [(slice(start + p.start, start + p.stop), q, n) for n in together for q in across for p in down]


# equivalent: any change because blocks of any size give the same
@lru_cache
def _parts(geometry, start, stop, channels, images, itemsize):
    """The blocks of rows start to stop of the output, each with the geometry of its windows."""
    step, held = geometry.stride[0], geometry.window[1] * channels * itemsize
    found = _blocks(start, stop, geometry.out[1], images, held, step, geometry.window[0] - step)
    return [(p, q, n, geometry.part(p, q)) for p, q, n in found]


def _stack(x, images, geometry, groups, take):
    """Copy the columns of windows of some images of x (row, channel, column, image), with zeros for the padding.

    Return the matrix of each row of the output, (row, group, (r, s, channel), lane).
    """
    (height, channels, width, n), (p, q), (kh, kw) = x.shape, geometry.out, geometry.window
    # equivalent: any change because rows that no window reads change nothing
    count, channels = (p - 1) * geometry.stride[0] + kh, channels // groups
    source = x.reshape(height, groups, channels, width, n).swapaxes(0, 1)  # (group, row, channel, column, image)
    n = min(images.stop, n) - images.start
    windows = take("windows", (groups, count, kw, channels, q * n), x.dtype)
    target = windows.reshape(groups, count, kw, channels, q, n)  # lane -> (column, image)
    rows, read = inside(-geometry.padding[0], 1, height, count)
    # equivalent: < -> <= because then there is nothing to clear
    if rows.stop - rows.start < count:
        clear_outside(target.swapaxes(0, 1), rows)
    _copy_columns(geometry, x, source, read, images, target[:, rows])
    group, row, _, channel, item = windows.strides
    shape, strides = (p, groups, kh * kw * channels, q * n), (row * geometry.stride[0], group, channel, item)
    return np.ndarray(shape, x.dtype, windows, 0, strides)


def _copy_columns(geometry, x, source, rows, images, target):
    """Copy to target (group, row, s, channel, column of the output, image) the column that each tap s reads.

    Some rows and images are read of the source (group, row, channel, column, image), a view of x; beyond it are zeros.
    """
    (_, _, taps, _, q, _), width = target.shape, source.shape[3]
    first, step, stride = -geometry.padding[1], geometry.dilation[1], geometry.stride[1]
    # equivalent: any change because the loop copies the same
    if target.size and first >= 0 and first + (taps - 1) * step + (q - 1) * stride < width:  # all taps are one view
        group, row, channel, column, image = source.strides
        start = rows.start * row + first * column + images.start * image
        strides = (group, row, column * step, channel, column * stride, image)
        np.copyto(target, np.ndarray(target.shape, x.dtype, x, start, strides))
        return
    for s in range(taps):
        columns, entries = inside(first + s * step, stride, width, q)
        tap = target[:, :, s]
        # equivalent: < -> <= because then there is nothing to clear
        if columns.stop - columns.start < q:
            clear_outside(tap.swapaxes(0, 3), columns)
        tap[..., columns, :] = source[:, rows, :, entries, images]


def _lanes(array, groups):
    """(row, channel, column, image) -> (row, group, channel of the group, lane)."""
    rows, channels, columns, images = array.shape
    return array.reshape(rows, groups, channels // groups, columns * images)
