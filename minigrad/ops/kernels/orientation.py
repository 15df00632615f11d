"""Which axis of the windows the row windows copy, which they view, and the view that they copy from."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from .layout import copy_images, innermost, strided


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

    def block(self, images, outer, lanes, along=np.s_[:]):
        """These outer positions, lanes and positions along the other axis of (N, C, rows, columns)."""
        return images[lanes, :, outer, along] if self.images_innermost else images[outer, :, along, lanes]

    def kernel_axes(self, k, groups):
        """(C_out, C/groups, kh, kw) as the view (group, output, tap along, copied tap, channel)."""
        split = k.reshape(groups, k.shape[0] // groups, *k.shape[1:])
        return split.transpose((0, 1, 4, 3, 2) if self.images_innermost else (0, 1, 3, 4, 2))


@lru_cache
def orientation(images_innermost, where):
    """The orientation of a convolution's windows."""
    rows, columns = (
        Axis(*fields)
        for fields in zip(
            where.image, where.padding, where.window, where.stride, where.dilation, where.out, strict=True
        )
    )
    return Orientation(rows, columns, True) if images_innermost else Orientation(columns, rows, False)


def padded(x, where, images_innermost, dtype, take):
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
    rows, columns = slice(ph, ph + h), slice(pw, pw + w)
    if where.padding != (0, 0):
        xp[:, :, : rows.start] = xp[:, :, rows.stop :] = 0
        xp[:, :, rows, : columns.start] = xp[:, :, rows, columns.stop :] = 0
    copy_images(xp[:, :, rows, columns], x, take)
    return xp


def copied_windows(xp, groups, way):
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
        stretch, steps = (base.shape[1], 1), (a, a)
    else:
        stretch, steps = (along.out, along.taps), (a * along.stride, a * along.dilation)
    return strided(
        innermost(xp) if way.images_innermost else xp,
        (outer, groups, *stretch, copied.taps, base.shape[3], lanes),
        (strides[0], g, *steps, strides[2], c, strides[1]),
    )


def windows_apart(taps_copied, along):
    """How far windows are apart in what was copied: if their taps were copied too, one lies after the other."""
    return 1 if taps_copied > 1 else along.stride


def read_by(windows, taps_copied, along):
    """Where in what was copied these windows (a slice of them) lie."""
    if taps_copied > 1:
        return windows
    return slice(windows.start * along.stride, (windows.stop - 1) * along.stride + along.taps)
