"""The oracle of the convolution tests: the trilinear form as windows and einsum, and nothing else.

Slow and readable. `windows` is the view of the document's sums; dT/dx is found through it as well,
since the window view of an array of zeros can be added to.
"""

import numpy as np


def windows(xp, kernel, stride, dilation, out):
    """The view (N, C, Ho, Wo, kh, kw) of a padded image; writable."""
    n, c, h, w = xp.strides
    (sh, sw), (dh, dw) = stride, dilation
    return np.lib.stride_tricks.as_strided(xp, (*xp.shape[:2], *out, *kernel), (n, c, h * sh, w * sw, h * dh, w * dw))


def pad(x, padding):
    return np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])


def split(array, groups, axis):
    """The channels on `axis` as two axes: group and channel of the group."""
    shape = array.shape
    return array.reshape(*shape[:axis], groups, shape[axis] // groups, *shape[axis + 1 :])


def output_size(image, kernel, stride, padding, dilation):
    return tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(image, kernel, stride, padding, dilation, strict=True)
    )


def conv2d(x, k, stride, padding, dilation, groups):
    out = output_size(x.shape[2:], k.shape[2:], stride, padding, dilation)
    view = split(windows(pad(x, padding), k.shape[2:], stride, dilation, out), groups, 1)
    z = np.einsum("ngcpqrs,gjcrs->ngjpq", view, split(k, groups, 0))
    return z.reshape(len(x), len(k), *out)


def conv2d_kernel(x, g, kernel, stride, padding, dilation, groups):
    view = split(windows(pad(x, padding), kernel, stride, dilation, g.shape[2:]), groups, 1)
    dk = np.einsum("ngcpqrs,ngjpq->gjcrs", view, split(g, groups, 1))
    return dk.reshape(g.shape[1], x.shape[1] // groups, *kernel)


def conv_transpose2d(g, k, image, stride, padding, dilation, groups):
    shares = np.einsum("ngjpq,gjcrs->ngcpqrs", split(g, groups, 1), split(k, groups, 0))
    shares = shares.reshape(len(g), -1, *shares.shape[3:])
    dx = pad(np.zeros((*shares.shape[:2], *image), shares.dtype), padding)
    for r in range(k.shape[2]):
        for s in range(k.shape[3]):
            windows(dx, k.shape[2:], stride, dilation, g.shape[2:])[..., r, s] += shares[..., r, s]
    (ph, pw), (h, w) = padding, image
    return dx[:, :, ph : ph + h, pw : pw + w]
