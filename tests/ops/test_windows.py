"""The windows that convolution and pooling share: their entries, and which of them overlap."""

import numpy as np
from numpy.testing import assert_array_equal
from support.geometries import geometries, times_read

from minigrad.ops.windows import geometry_of, overlap, padded, taps, taps_inside

rng = np.random.default_rng(0)


def test_the_entries_of_windows():
    for where in geometries():
        x = rng.normal(size=where.image)
        xp = padded(x, where, value=np.inf)
        expected = np.pad(x, [(p, p) for p in where.padding], constant_values=np.inf)
        assert_array_equal(xp, expected)
        seen = []
        for (i, j), tap in taps(xp, where):
            seen.append((i, j))
            (sh, sw), (dh, dw) = where.stride, where.dilation
            for p, q in np.ndindex(where.out):
                assert tap[p, q] == expected[p * sh + i * dh, q * sw + j * dw]
            assert tap.shape == where.out
        assert seen == list(np.ndindex(where.window))


def test_what_needs_no_padding_is_not_copied():
    x = np.ones((2, 3))
    assert padded(x, geometry_of("conv2d", (2, 3), (1, 1), 1, 0)) is x
    assert padded(x, geometry_of("conv2d", (2, 3), (1, 1), 1, (1, 0))) is not x
    assert padded(x, geometry_of("conv2d", (2, 3), (1, 1), 1, (0, 1))) is not x


def test_the_entries_of_windows_inside_the_image():
    for where in geometries():
        for tap, (windows, entries) in zip(np.ndindex(where.window), taps_inside(where), strict=True):
            for axis in range(2):
                position = np.arange(where.out[axis]) * where.stride[axis]
                position += tap[axis] * where.dilation[axis] - where.padding[axis]
                inside = (position >= 0) & (position < where.image[axis])
                assert_array_equal(np.arange(where.out[axis])[windows[1 + axis]], np.flatnonzero(inside))
                assert_array_equal(np.arange(where.image[axis])[entries[1 + axis]], position[inside])


def test_windows_that_share_an_entry_overlap():
    for where in geometries():
        assert overlap(where) or times_read(where).max(initial=0) <= 1
        if where.dilation == (1, 1):
            assert overlap(where) == (where.window[0] > where.stride[0] or where.window[1] > where.stride[1])
