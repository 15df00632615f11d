"""Images and the windows on them, of every kind: strides, padding, dilation, rests, one window, no overlap."""

from itertools import product

import numpy as np

from minigrad.ops.windows import geometry_of, taps_inside


def sizes():
    """(image, window, stride, padding, dilation) of one axis, wherever the window fits."""
    for n, k, s, p, d in product((1, 2, 4), (1, 2, 3, 6), (1, 2, 3), (0, 1, 3), (1, 2)):
        if d * (k - 1) + 1 <= n + 2 * p:
            yield n, k, s, p, d


def geometries():
    """Images whose rows are of one of these sizes and whose columns are of another."""
    found = list(sizes())
    for rows, columns in zip(found, found[7:] + found[:7], strict=True):
        yield geometry_of("conv2d", *zip(rows, columns, strict=True))
    yield geometry_of("conv2d", (4, 6), (2, 3), (2, 3), 0)  # windows that tile the image
    yield geometry_of("conv2d", (2, 3), (2, 3), 1, 0)  # one window that is the image


def times_read(where):
    """How many windows read each entry of the image."""
    read = np.zeros(where.image, int)
    for _, entries in taps_inside(where):
        read[entries] += 1
    return read
