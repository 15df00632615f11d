"""Depthwise convolution: one channel and one kernel a group, which leaves nothing to a matrix product.

With images innermost, what an entry (r, s) of a kernel reads for one row of the output is one contiguous lane of
(column, image), so no window is copied: x is copied once, into a frame of zeros that is its padding. The columns of
the windows may not be strided: then their lanes are not contiguous.
"""

import numpy as np

from ..windows import Geometry, inside
from . import im2col, im2row
from .memory import FEWEST_IMAGES, Scratch, clear_outside, copy_into, empty_innermost, innermost, laid


def forward(x, k, geometry, groups, dtype):
    """dT/dg: x (N, C, H, W) and k (C, 1, kh, kw) to (N, C, *geometry.out)."""
    with Scratch() as take:
        return _correlated(_framed(x, geometry, (1, 1), dtype, take), k, geometry)


def kernel_gradient(x, g, geometry, groups, dtype):
    """dT/dk: x (N, C, H, W) and g (N, C, *geometry.out) to (C, 1, kh, kw)."""
    with Scratch() as take:
        taps = _taps(_framed(x, geometry, (1, 1), dtype, take), geometry)
        lanes = laid("g", g, 1, dtype, take).reshape(*taps.shape[:2], 1, 1, taps.shape[4])  # (row, channel, 1, 1, lane)
        return np.vecdot(taps, lanes).sum(axis=0)[:, None]


def input_gradient(g, k, geometry, groups, dtype):
    """dT/dx: g (N, C, *geometry.out) and k (C, 1, kh, kw) to (N, C, *geometry.image).

    It is a correlation with the turned kernel, of g with its entries set apart by the stride.
    """
    few = len(g) < FEWEST_IMAGES  # equivalent: any change because either way gives the same
    # equivalent: any change because im2col gives the same
    if (few and geometry.dilation[0] > 1) or not np.isfinite(k).all():  # not to multiply k by the zeros of the frame
        return im2col.input_gradient(g, k, geometry, groups, dtype)
    (kh, kw), (dh, dw), (ph, pw) = geometry.window, geometry.dilation, geometry.padding
    padding = dh * (kh - 1) - ph, dw * (kw - 1) - pw
    turned = Geometry((kh, kw), (1, 1), padding, (dh, dw), geometry.out, geometry.image)
    with Scratch() as take:
        frame, k = _framed(g, turned, geometry.stride, dtype, take), k[:, :, ::-1, ::-1]
        if not few:
            return _correlated(frame, k, turned)
        # equivalent: 2 -> any number; without [::2] because im2row takes the size of the image from the frame itself
        framed = turned._replace(padding=(0, 0), image=frame.shape[::2])
        return im2row.forward(frame.transpose(3, 1, 0, 2), k, framed, groups, dtype)


def _framed(x, geometry, step, dtype, take):
    """The padded x (N, C, H, W), with its entries `step` apart: (row, channel, column, image)."""
    axes = zip(geometry.out, geometry.stride, geometry.window, geometry.dilation, strict=True)
    # equivalent: any change because a frame may be larger than what is read of it
    height, width = size = [(out - 1) * stride + dilation * (taps - 1) + 1 for out, stride, taps, dilation in axes]
    frame = take("frame", (height, x.shape[1], width, len(x)), dtype)
    axes = zip(geometry.padding, step, size, geometry.image, strict=True)
    (read_rows, rows), (read_columns, columns) = (inside(*axis) for axis in axes)
    clear_outside(frame, rows)
    clear_outside(frame.swapaxes(0, 2), columns)
    # equivalent: (1, 1) -> (0, 1); (1, 1) -> (1, 0) because zeros that are written over change nothing
    if step != (1, 1):
        frame[rows.start : rows.stop] = 0
    # (row, channel, column, image) -> (image, channel, row, column)
    copy_into(frame[rows, :, columns].transpose(3, 1, 0, 2), x[:, :, read_rows, read_columns])
    return frame


def _taps(frame, geometry):
    """The view (row, channel, r, s, lane) of what each entry of a kernel reads."""
    (row, channel, column, image), (down, right) = frame.strides, geometry.dilation
    shape = geometry.out[0], frame.shape[1], *geometry.window, geometry.out[1] * frame.shape[3]
    strides = row * geometry.stride[0], channel, row * down, column * right, image
    return np.ndarray(shape, frame.dtype, frame, 0, strides)


def _correlated(frame, k, geometry):
    """The sum of what each entry of a kernel reads, times that entry: (N, C, *geometry.out)."""
    z, taps = empty_innermost((frame.shape[3], frame.shape[1], *geometry.out), frame.dtype), _taps(frame, geometry)
    out = innermost(z).reshape(*taps.shape[:2], taps.shape[4])  # (row, channel, lane)
    np.einsum("pcrsl,crs->pcl", taps, np.asarray(k[:, 0], frame.dtype), out=out)
    return z
