"""Depthwise convolution: one channel and one kernel a group, which leaves nothing to a matrix product.

With images innermost, what an entry (r, s) of a kernel reads for one row of the output is one contiguous lane of
(column, image), so no window is copied: x is copied once, into a frame of zeros that is its padding. The columns of
the windows may not be strided: then their lanes are not contiguous.
"""

import numpy as np

from ..windows import Geometry, inside
from . import im2col, im2row
from .innermost import FEWEST_IMAGES, clear, copy_images, empty_innermost, innermost, laid
from .scratch import Scratch


def forward(x, k, where, groups, dtype):
    """dT/dg: x (N, C, H, W) and k (C, 1, kh, kw) to (N, C, *where.out)."""
    with Scratch() as take:
        return _correlated(_framed(x, where, (1, 1), dtype, take), k, where)


def kernel_gradient(x, g, where, groups, dtype):
    """dT/dk: x (N, C, H, W) and g (N, C, *where.out) to (C, 1, kh, kw)."""
    with Scratch() as take:
        taps = _taps(_framed(x, where, (1, 1), dtype, take), where)
        lanes = laid("g", g, 1, dtype, take).reshape(*taps.shape[:2], 1, 1, taps.shape[4])
        return np.vecdot(taps, lanes).sum(axis=0)[:, None]


def input_gradient(g, k, where, groups, dtype):
    """dT/dx: g (N, C, *where.out) and k (C, 1, kh, kw) to (N, C, *where.image).

    It is a correlation with the turned kernel, of g with its entries set apart by the stride.
    """
    few = len(g) < FEWEST_IMAGES
    if (few and where.dilation[0] > 1) or not np.isfinite(k).all():  # its product with the frame's zeros would be NaN
        return im2col.input_gradient(g, k, where, groups, dtype)
    padding = tuple(d * (n - 1) - p for d, n, p in zip(where.dilation, where.window, where.padding, strict=True))
    turned = Geometry(where.window, (1, 1), padding, where.dilation, where.out, where.image)
    with Scratch() as take:
        frame, k = _framed(g, turned, where.stride, dtype, take), k[:, :, ::-1, ::-1]
        if not few:
            return _correlated(frame, k, turned)
        framed = turned._replace(padding=(0, 0), image=frame.shape[::2])
        return im2row.forward(frame.transpose(3, 1, 0, 2), k, framed, groups, dtype)


def _framed(x, where, step, dtype, take):
    """The padded x (N, C, H, W), with its entries `step` apart: (row, channel, column, image)."""
    spans = zip(where.out, where.stride, where.window, where.dilation, strict=True)
    height, width = size = [(out - 1) * stride + dilation * (taps - 1) + 1 for out, stride, taps, dilation in spans]
    frame = take("frame", (height, x.shape[1], width, len(x)), dtype)
    axes = zip(where.padding, step, size, where.image, strict=True)
    (some, rows), (others, columns) = (inside(*axis) for axis in axes)
    clear(frame, rows)
    clear(frame.swapaxes(0, 2), columns)
    if step != (1, 1):
        frame[rows.start : rows.stop] = 0
    copy_images(frame[rows, :, columns].transpose(3, 1, 0, 2), x[:, :, some, others], take)
    return frame


def _taps(frame, where):
    """The view (row, channel, r, s, lane) of what each entry of a kernel reads."""
    (row, channel, column, image), (down, right) = frame.strides, where.dilation
    shape = where.out[0], frame.shape[1], *where.window, where.out[1] * frame.shape[3]
    return np.ndarray(shape, frame.dtype, frame, 0, (row * where.stride[0], channel, row * down, column * right, image))


def _correlated(frame, k, where):
    """The sum of what each entry of a kernel reads, times that entry: (N, C, *where.out)."""
    z, taps = empty_innermost((frame.shape[3], frame.shape[1], *where.out), frame.dtype), _taps(frame, where)
    out = innermost(z).reshape(*taps.shape[:2], taps.shape[4])
    np.einsum("pcrsl,crs->pcl", taps, np.asarray(k[:, 0], frame.dtype), out=out)
    return z
