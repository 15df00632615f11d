"""The layout of images in memory that suits NumPy: images innermost.

An array of logical shape (N, C, H, W) is stored as (H, W, C, N) and handed out as a transposed
view. Every copy, pool and elementwise op then runs over long contiguous stretches whatever the
window or the stride, and NumPy's elementwise ops keep the order by themselves.
"""

import numpy as np

IN_CACHE = 512 * 1024  # bytes that surely stay in the second-level cache
PAGE = 4096  # bytes
FEWEST_IMAGES = 16  # one AVX-512 register of float32; below it the columns are the longer stretch


def innermost(array):
    """(N, C, H, W) -> the view (H, W, C, N)."""
    return array.transpose(2, 3, 1, 0)


def images_innermost(array):
    """Whether (N, C, H, W) lies in memory as (H, W, C, N), without gaps."""
    return len(array) > 1 and innermost(array).flags.c_contiguous


def empty(shape, dtype):
    """A new array of logical shape (N, C, H, W): images innermost if there are enough of them, else C order."""
    n, c, h, w = shape
    if n < FEWEST_IMAGES:
        return np.empty(shape, dtype)
    return np.empty((h, w, c, n), dtype).transpose(3, 2, 0, 1)


def copy_images(target, source):
    """target[...] = source, both (N, C, H, W) and possibly of different layouts.

    To put the images of a C-ordered source innermost, one entry of each image is read in turn. They lie
    far apart: where the source is larger than the cache, only eight images at a time are kept until their
    neighbours are wanted. Entries a multiple of the page size apart fall on the same few cache lines; if
    the channels lie so, they are taken one by one.
    """
    n, c, *_ = source.shape
    per_image, per_channel = source.strides[:2]
    scattered = target.strides[0] == target.itemsize < per_image
    if not scattered or (source.nbytes <= IN_CACHE and per_image % PAGE):
        np.copyto(target, source)
        return
    channels = c if per_channel % PAGE else 1
    for j in range(0, c, channels):
        for i in range(0, n, 8):
            np.copyto(target[i : i + 8, j : j + channels], source[i : i + 8, j : j + channels])
