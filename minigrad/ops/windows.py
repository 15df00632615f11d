"""Sliding windows over the last two axes: their geometry, the view that reads them, and its adjoint.

Convolution and pooling share this file, so that the window that a forward reads is the
window that its VJP writes. All functions here take plain arrays.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..errors import brief

_INTS = (int, int)


class Geometry(NamedTuple):
    """Where windows lie. Each field is a pair (rows, columns)."""

    window: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    image: tuple[int, int]
    out: tuple[int, int]

    def part(self, rows, columns):
        """The geometry of the windows in these rows and columns of the output, which are slices."""
        (top, left), (down, right) = self.padding, self.stride
        corner = top - rows.start * down, left - columns.start * right
        return self._replace(padding=corner, out=(rows.stop - rows.start, columns.stop - columns.start))


# equivalent: any change because what is left out goes the long way to the same pair
def pair(value, option, op, least):
    """An option given as an int or a pair of ints, as (rows, columns).

    Raises TypeError if it is neither, ValueError below `least`.
    """
    if type(value) is int and value >= least:
        return value, value
    if type(value) is tuple and (*map(type, value),) == _INTS and min(value) >= least:
        return value
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(values) != 2 or not all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in values):
        raise TypeError(f"{op}: {option} must be an int or a pair of ints, not {brief(value)}")
    if min(values) < least:
        raise ValueError(f"{op}: {option} must be at least {least}, not {value!r}")
    return int(values[0]), int(values[1])


def pairs(op, stride, padding, dilation=1):
    """The three options as pairs (rows, columns)."""
    return pair(stride, "stride", op, 1), pair(padding, "padding", op, 0), pair(dilation, "dilation", op, 1)


def geometry_of(op, image, window, stride, padding, dilation=1):
    """Check the options of `op` and compute the size of its output (derivation, section 2).

    Along each axis: floor((image + 2 padding - dilation (window - 1) - 1) / stride) + 1.
    Raises TypeError or ValueError as `pair` does, and ValueError if the window does not fit into the padded image.
    """
    return _geometry(op, tuple(image), tuple(window), *pairs(op, stride, padding, dilation))


@lru_cache
def _geometry(op, image, window, stride, padding, dilation):
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, window, strict=True)]
    padded = [n + 2 * p for n, p in zip(image, padding, strict=True)]
    if reach[0] > padded[0] or reach[1] > padded[1]:
        raise ValueError(
            f"{op}: a window that reaches over {reach[0]} x {reach[1]} does not fit into the image of "
            f"{image[0]} x {image[1]}, {padded[0]} x {padded[1]} with its padding"
        )
    out = tuple((n - r) // s + 1 for n, r, s in zip(padded, reach, stride, strict=True))
    return Geometry(window, stride, padding, dilation, image, out)


def padded(x, geometry, value=0):
    """Pad the image of x, in the memory layout of x; x itself where there is nothing to pad."""
    (ph, pw), (h, w) = geometry.padding, geometry.image
    if ph == pw == 0:
        return x
    xp = np.empty_like(x, shape=(*x.shape[:-2], h + 2 * ph, w + 2 * pw))
    xp[...] = value
    xp[..., ph : ph + h, pw : pw + w] = x
    return xp


def taps(xp, geometry):
    """Yield ((i, j), view): the entry (i, j) of every window of the padded xp, of shape (..., *out).

    The views are writable: adding to each is the adjoint of reading each.
    """
    (kh, kw), (sh, sw), (dh, dw), (ho, wo) = geometry.window, geometry.stride, geometry.dilation, geometry.out
    for i in range(kh):
        for j in range(kw):
            rows = slice(i * dh, i * dh + (ho - 1) * sh + 1, sh)
            columns = slice(j * dw, j * dw + (wo - 1) * sw + 1, sw)
            yield (i, j), xp[..., rows, columns]


@lru_cache
def taps_inside(geometry):
    """List (windows, image) for each entry of the window in row-major order, each a pair of slices.

    windows: those whose entry lies inside the image rather than in its padding; image: these entries.
    """
    axes = zip(*geometry, strict=True)
    return _crossed(*([inside(tap * d - p, s, n, o) for tap in range(k)] for k, s, p, d, n, o in axes))


def _crossed(rows, columns):
    """[(windows, image), ...] of pairs for the rows and for the columns."""
    return [((..., p, q), (..., r, s)) for p, r in rows for q, s in columns]


# equivalent: any change because both ways give the same, one of them in fewer steps
def few(geometry):
    """Whether the windows are so few that one after another takes fewer steps than tap after tap."""
    return geometry.padding == (0, 0) and 4 * math.prod(geometry.out) <= math.prod(geometry.window)


@lru_cache
def parts(geometry):
    """List (windows, image), each a pair of slices: of each tap, or of each window if these are `few`."""
    if not few(geometry):
        return taps_inside(geometry)
    axes = zip(*geometry, strict=True)
    one = [[(slice(i, i + 1), slice(i * s, i * s + d * (k - 1) + 1, d)) for i in range(o)] for k, s, _, d, _, o in axes]
    return _crossed(*one)


@lru_cache
def inside(shift, stride, image, out):
    """The windows p of `out` with 0 <= p stride + shift < image, and these entries."""
    first = max(0, -(shift // stride))
    last = max(first - 1, min(out - 1, (image - 1 - shift) // stride))
    entry = first * stride + shift
    return slice(first, last + 1), slice(entry, max(entry, entry + (last - first) * stride + 1), stride)


def unfolded(x, geometry):
    """Every window: (..., H, W) -> (..., kh, kw, *out), a new array."""
    xp = padded(x, geometry)
    windows = np.empty((*x.shape[:-2], *geometry.window, *geometry.out), x.dtype)
    if few(geometry):
        for place, entries in parts(geometry):
            windows[place] = x[entries][..., None, None]
        return windows
    for (i, j), tap in taps(xp, geometry):
        windows[..., i, j, :, :] = tap
    return windows


def folded(windows, geometry):
    """The adjoint of `unfolded`: each window added where it was read, (..., kh, kw, *out) -> (..., H, W)."""
    (height, width), (ph, pw) = geometry.image, geometry.padding
    # equivalent: 2 * ph -> 3 * ph; 2 * pw -> 3 * pw because the last line cuts off what is too much
    xp = np.zeros((*windows.shape[:-4], height + 2 * ph, width + 2 * pw), windows.dtype)
    if few(geometry):
        for place, entries in parts(geometry):
            xp[entries] += windows[place][..., 0, 0]
        return xp
    for (i, j), tap in taps(xp, geometry):
        tap += windows[..., i, j, :, :]
    return xp[..., ph : ph + height, pw : pw + width]


def overlap(geometry):
    """Whether two windows can share an entry."""
    return any(d * (k - 1) >= s for d, k, s in zip(geometry.dilation, geometry.window, geometry.stride, strict=True))
