"""Forward functions written again, by loops and definitions: what the specs hold the ops' values against."""

import itertools
import math

import numpy as np


def scalar(function):
    """An elementwise function from one of Python numbers."""
    return np.vectorize(function, otypes=[float])


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


def windows(x, window, stride, padding, dilation=(1, 1), fill=0.0):
    """Yield ((p, q), block): each window of the padded image as a (..., kh, kw) array."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (window, stride, padding, dilation))
    height, width = x.shape[-2:]
    xp = np.full((*x.shape[:-2], height + 2 * ph, width + 2 * pw), fill)
    xp[..., ph : ph + height, pw : pw + width] = x
    rows = range(0, xp.shape[-2] - dh * (kh - 1), sh)
    columns = range(0, xp.shape[-1] - dw * (kw - 1), sw)
    for (p, i), (q, j) in itertools.product(enumerate(rows), enumerate(columns)):
        yield (p, q), xp[..., i : i + dh * (kh - 1) + 1 : dh, j : j + dw * (kw - 1) + 1 : dw]


def pooled(function, fill=0.0):
    """Pooling: a function of each window."""

    def pool(x, window, stride=None, padding=0):
        found = dict(windows(x, window, window if stride is None else stride, padding, fill=fill))
        rows, columns = max(found)
        z = np.empty((*x.shape[:-2], rows + 1, columns + 1))
        for (p, q), block in found.items():
            z[..., p, q] = function(block.reshape(*block.shape[:-2], -1))
        return z

    return pool


avg_pool2d = pooled(lambda block: block.mean(-1))
max_pool2d = pooled(lambda block: block.max(-1), -np.inf)
l2_pool2d = pooled(lambda block: np.sqrt((block * block).sum(-1)))


def unfold2d(x, window, stride=None, padding=0):
    found = dict(windows(x, window, window if stride is None else stride, padding))
    rows, columns = max(found)
    z = np.empty((*x.shape[:-2], *pair(window), rows + 1, columns + 1))
    for (p, q), block in found.items():
        z[..., p, q] = block
    return z


def conv2d(x, k, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Section 2 of the derivation, output entry by output entry."""
    images = x if x.ndim == 4 else x[None]
    found = dict(windows(images, k.shape[2:], stride, padding, dilation))
    rows, columns = max(found)
    z = np.zeros((len(images), len(k), rows + 1, columns + 1))
    per_group, filters = k.shape[1], len(k) // groups
    for (p, q), block in found.items():
        for j in range(len(k)):
            first = j // filters * per_group
            z[:, j, p, q] = (block[:, first : first + per_group] * k[j]).sum(axis=(1, 2, 3))
    z = z if b is None else z + b.reshape(-1, 1, 1)
    return z if x.ndim == 4 else z[0]


def _adjoint(linear, shape, y):
    """The adjoint of a linear function of an array of this shape, by its whole matrix."""
    out = np.empty(shape)
    for index in np.ndindex(shape):
        basis = np.zeros(shape)
        basis[index] = 1
        out[index] = np.sum(linear(basis) * y)
    return out


def conv_transpose2d(z, k, b=None, stride=1, padding=0, dilation=1, groups=1, output_size=None):
    if output_size is None:
        sizes = zip(z.shape[-2:], k.shape[2:], *map(pair, (stride, padding, dilation)), strict=True)
        output_size = tuple((n - 1) * s - 2 * p + d * (m - 1) + 1 for n, m, s, p, d in sizes)
    shape = (*z.shape[:-3], k.shape[1] * groups, *pair(output_size))
    x = _adjoint(lambda x: conv2d(x, k, None, stride, padding, dilation, groups), shape, z)
    return x if b is None else x + b.reshape(-1, 1, 1)


def conv2d_kernel(x, g, size, groups=1, **options):
    shape = (g.shape[-3], x.shape[-3] // groups, *size)
    return _adjoint(lambda k: conv2d(x, k, groups=groups, **options), shape, g)


def fold2d(windows_, image, window, **options):
    shape = (*windows_.shape[:-4], *image)
    return _adjoint(lambda x: unfold2d(x, window, **options), shape, windows_)


def spread2d(g, image, window, **options):
    return _adjoint(lambda x: avg_pool2d(x, window, **options), (*g.shape[:-2], *image), g)


def scatter(a, index, shape):
    out = np.zeros(shape)
    numbered = np.arange(math.prod(shape)).reshape(shape)[index]
    for position, value in zip(np.ravel(numbered), np.ravel(np.broadcast_to(a, numbered.shape)), strict=True):
        out.flat[position] += value
    return out


def softmax(z, axis=-1):
    e = np.exp(z)
    return e / e.sum(axis=axis, keepdims=True)


def softmax_cross_entropy(logits, labels):
    p = softmax(logits)
    return -sum(math.log(p[n, label]) for n, label in enumerate(labels)) / len(labels)


def binary_cross_entropy_with_logits(logits, targets):
    p = 1 / (1 + np.exp(-logits))
    return -np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p))


def logsumexp(z, axis=None, keepdims=False):
    return np.log(np.sum(np.exp(z), axis=axis, keepdims=keepdims))


def det(a):
    """Laplace's expansion along the first row."""
    if a.shape[-1] == 0:
        return np.ones(a.shape[:-2])
    minors = (np.delete(a[..., 1:, :], j, axis=-1) for j in range(a.shape[-1]))
    return sum((-1) ** j * a[..., 0, j] * det(minor) for j, minor in enumerate(minors))


def pick2d(u, x, a, window, **options):
    """The entry of u that stands where x has the maximum a of each window."""
    first = pooled(lambda block: block.argmax(-1), -np.inf)(x, window, **options)
    blocks = unfold2d(u, window, **options)
    blocks = blocks.reshape(*blocks.shape[:-4], -1, *blocks.shape[-2:])
    return np.take_along_axis(blocks, first.astype(int)[..., None, :, :], -3)[..., 0, :, :]


def unpool2d(g, x, a, window, **options):
    return _adjoint(lambda u: pick2d(u, x, a, window, **options), x.shape, g)
