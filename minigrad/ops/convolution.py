"""Convolution: one trilinear form, and its three partial derivatives as three ops.

    T(x, k, g) = sum over n, j, i, p, q, r, s of g[n, j, p, q] * k[j, i, r, s] * x[n, i, p*s_h + r*d_h, q*s_w + s*d_w]

with x zero-padded: dT/dg = conv2d(x, k), dT/dx = conv_transpose2d(g, k), dT/dk = conv2d_kernel(x, g).
Each is linear in its two arguments, so the VJPs of each are the other two. The ops check their arguments and then
call a kernel (ops/kernels); the readable one, windows and einsum, is ops/kernels/reference.py.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..operation import array_of, op
from ..typing import Array, Pair
from .kernels import KERNELS, choose_kernels
from .kernels.memory import images_innermost
from .linalg import matmul
from .windows import geometry_of, pair, pairs

__all__ = ["conv2d", "conv_transpose2d", "conv2d_kernel"]


def _check(op, x, k, groups, channels, of):
    """Check shapes that the arguments of `op` have; `channels` is how many x must have."""
    if len(x) not in (3, 4) or len(k) != 4:
        raise ValueError(
            f"{op}: {of} must be (N, C, H, W) or (C, H, W) and k (C_out, C/groups, kh, kw), not {x} and {k}"
        )
    if not _divides(groups, k[0]):
        raise ValueError(f"{op}: groups must be a positive int that divides {k[0]} (k {k}), not {groups!r}")
    if 0 in k:
        raise ValueError(f"{op}: k must not be empty, but is {k}")
    if x[-3] != channels:
        per_group = f" = {channels // groups} x {groups} groups" if groups > 1 else ""
        raise ValueError(f"{op}: {of} has {x[-3]} channels but k expects {channels}{per_group} ({of} {x}, k {k})")


def _dtype(op, **arrays):
    """The dtype of the result: floating-point, also of integers and booleans. Raises TypeError for other kinds."""
    dtype = np.result_type(*arrays.values())
    if dtype.kind == "f":
        return dtype
    if dtype.kind not in "biu":
        names = " and ".join(arrays)
        raise TypeError(f"{op}: {names} must be floating-point, integer or boolean, not {dtype}")
    return np.result_type(dtype, 1.0)  # equivalent: 1.0 -> any number because only its type counts


def _divides(groups, *channels):
    """Whether groups is a positive int, not True, that divides each number of channels."""
    return (
        isinstance(groups, (int, np.integer))
        and groups is not True
        and groups > 0
        and not any(c % groups for c in channels)
    )


def _check_bias(op, b, channels):
    if b not in (None, (channels,)):
        raise ValueError(f"{op}: b must be ({channels},), one entry for each channel of the output, not {b}")


# equivalent: any change because it runs at import alone, and what it makes only saves time
def _remembered(op):
    """A plan of `op` that is made once for each set of arguments. The options are ints, which it checks, or pairs."""

    def decorator(plan):
        cached = lru_cache(plan)

        def remembered(stride, padding, dilation, groups, *others):
            if not (type(stride) is type(padding) is type(dilation) is int):
                stride, padding, dilation = pairs(op, stride, padding, dilation)
            return (cached if type(groups) is int else plan)(stride, padding, dilation, groups, *others)

        return remembered

    return decorator


def _images(shape):
    # equivalent: any change because the number decides between kernels that compute the same
    return shape[0] if len(shape) == 4 else 1


@_remembered("conv2d")
def _conv2d_plan(stride, padding, dilation, groups, x, k, b):
    """Check the shapes x, k and b and the options of a conv2d; return its geometry and the choice of kernels."""
    _check("conv2d", x, k, groups, k[1] * groups if len(k) == 4 else None, "x")
    _check_bias("conv2d", b, k[0])
    geometry = geometry_of("conv2d", x[-2:], k[2:], stride, padding, dilation)
    # equivalent: any change because each kernel computes the same, at another speed
    return geometry, choose_kernels(geometry, _images(x), x[-3], k[0], groups)


def _plus_bias(op, z, b):
    """z + b for each channel, in the place of z where the dtypes are the same."""
    if b.dtype != z.dtype:
        _dtype(op, b=b)  # refuses complex numbers
        return z + b[:, None, None]
    z += b[:, None, None]
    return z


@op
def conv2d(
    x: Array,
    k: Array,
    b: Array | None = None,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Array:
    """Z[j] = sum over i of A[i] * K[j, i] + b[j]; `*` is the document's convolution, a cross-correlation (section 2).

    x: (N, C, H, W) or (C, H, W); k: (C_out, C/groups, kh, kw); b: (C_out,) or None.
    stride, padding, dilation: an int or a pair (rows, columns). Output: (N, C_out, Ho, Wo) with
    Ho = floor((H + 2p - d (kh - 1) - 1) / s) + 1.

    x is A, and k is K. With g = dJ/dZ, dJ/dk = conv2d_kernel(x, g) and dJ/dx = conv_transpose2d(g, k), which are
    section 3.1.5's sums over basis kernels and basis images; dJ/db[j] is the sum of g[:, j].
    What is computed is `forward` of ops/kernels/reference.py; the fast kernels beside it compute the same.
    Raises ValueError if shapes or options don't fit.

    >>> x = np.arange(16.0).reshape(1, 4, 4)
    >>> k = mg.tensor([[[[1.0, 0.0], [0.0, -1.0]]]], requires_grad=True)
    >>> mg.conv2d(x, k, stride=2).data
    array([[[-5., -5.],
            [-5., -5.]]])
    >>> mg.conv2d(x, k, stride=2).sum().backward()
    >>> k.grad
    array([[[[20., 24.],
             [36., 40.]]]])
    """
    bias = None if b is None else b.shape
    geometry, choice = _conv2d_plan(stride, padding, dilation, groups, x.shape, k.shape, bias)
    images = x if x.ndim == 4 else x[None]
    z = KERNELS[choice.forward].forward(images, k, geometry, groups, _dtype("conv2d", x=x, k=k))
    if b is not None:
        z = _plus_bias("conv2d", z, b)
    return z if x.ndim == 4 else z[0]


@op
def conv_transpose2d(
    z: Array,
    k: Array,
    b: Array | None = None,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
    output_size: Pair | None = None,
) -> Array:
    """The adjoint of conv2d in x: each entry of z adds its kernel, times itself, where conv2d would have read.

    z: (N, C_in, H, W) or (C_in, H, W); k: (C_in, C_out/groups, kh, kw), as that conv2d takes it;
    b: (C_out,) or None. Output: (N, C_out, *output_size), by default the smallest that gives z's size:
    (H - 1) s - 2p + d (kh - 1) + 1.

    It is dT/dx. Its VJPs are dT/dg = conv2d(u, k) for z and dT/dk = conv2d_kernel(u, z) for k.
    Raises ValueError if shapes or options don't fit.

    >>> z = np.array([[[1.0, 10.0]]])
    >>> mg.conv_transpose2d(z, np.ones((1, 1, 2, 2)), stride=2)
    array([[[ 1.,  1., 10., 10.],
            [ 1.,  1., 10., 10.]]])
    """
    if output_size is not None:
        output_size = pair(output_size, "output_size", "conv_transpose2d", 0)
    bias = None if b is None else b.shape
    geometry, choice = _transpose_plan(stride, padding, dilation, groups, z.shape, k.shape, bias, output_size)
    images = z if z.ndim == 4 else z[None]
    x = KERNELS[choice.input_gradient].input_gradient(images, k, geometry, groups, _dtype("conv_transpose2d", z=z, k=k))
    if b is not None:
        x = _plus_bias("conv_transpose2d", x, b)
    return x if z.ndim == 4 else x[0]


@_remembered("conv_transpose2d")
def _transpose_plan(stride, padding, dilation, groups, z, k, b, output_size):
    """Check the shapes z, k, b and the options of conv_transpose2d; return its geometry and the choice of kernels."""
    _check("conv_transpose2d", z, k, groups, k[0] if k else None, "z")
    _check_bias("conv_transpose2d", b, k[1] * groups)
    stride, padding, dilation = pairs("conv_transpose2d", stride, padding, dilation)
    image = _image_of(z[-2:], k[2:], stride, padding, dilation, output_size)
    geometry = geometry_of("conv_transpose2d", image, k[2:], stride, padding, dilation)
    # equivalent: any change because each kernel computes the same, at another speed
    return geometry, choose_kernels(geometry, _images(z), k[1] * groups, k[0], groups)


def _image_of(out, window, stride, padding, dilation, size):
    """The size of the image whose windows `out` counts: the given size, once checked, or the smallest."""
    smallest = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + 1
        for n, s, p, d, k in zip(out, stride, padding, dilation, window, strict=True)
    )
    if size is None:
        if min(smallest) < 1:
            raise ValueError(f"conv_transpose2d: padding {padding} leaves nothing of an input of {out[0]} x {out[1]}")
        size = smallest
    if min(out) < 1 or any(not 0 <= n - m < s for n, m, s in zip(size, smallest, stride, strict=True)):
        reach = " x ".join(f"{m} to {m + s - 1}" if s > 1 else f"{m}" for m, s in zip(smallest, stride, strict=True))
        raise ValueError(
            f"conv_transpose2d: the output size must be {reach} for an input of {out[0]} x {out[1]}, not {size}"
        )
    return size


@op
def conv2d_kernel(
    x: Array, g: Array, *, size: Pair, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1, groups: int = 1
) -> Array:
    """dT/dk: the gradient of conv2d's kernel, for kernels of `size` (kh, kw).

    x: (N, C, H, W) or (C, H, W); g: (N, C_out, Ho, Wo) or (C_out, Ho, Wo), shaped as conv2d's output.

    Each entry of the kernel receives the product of g with what the entry read (section 3.1.5:
    dJ/dK[j, i, p, q] = the sum of all entries of dJ/dZ[j] times A[i] * basis kernel pq), summed over the batch.
    Its VJPs are dT/dx = conv_transpose2d(g, v) for x and dT/dg = conv2d(x, v) for g.

    >>> x, g = np.arange(9.0).reshape(1, 3, 3), np.ones((1, 2, 2))
    >>> mg.ops.conv2d_kernel(x, g, size=2)
    array([[[[ 8., 12.],
             [20., 24.]]]])
    """
    size = pair(size, "size", "conv2d_kernel", 1)
    geometry, choice = _kernel_plan(stride, padding, dilation, groups, x.shape, g.shape, size)
    if x.ndim == 3:
        x, g = x[None], g[None]
    return KERNELS[choice.kernel_gradient].kernel_gradient(x, g, geometry, groups, _dtype("conv2d_kernel", x=x, g=g))


@_remembered("conv2d_kernel")
def _kernel_plan(stride, padding, dilation, groups, x, g, size):
    """Check the shapes x and g and the options of a conv2d_kernel; return its geometry and the choice of kernels."""
    if len(x) not in (3, 4) or len(g) != len(x):
        raise ValueError(
            f"conv2d_kernel: x and g must be (N, C, H, W) and (N, C_out, Ho, Wo), or both without N, not {x} and {g}"
        )
    # equivalent: x[-3], g[-3] -> g[-3], x[-3] because both must be divided
    if not _divides(groups, x[-3], g[-3]):
        raise ValueError(
            f"conv2d_kernel: groups must be a positive int that divides {x[-3]} and {g[-3]}, not {groups!r}"
        )
    geometry = geometry_of("conv2d_kernel", x[-2:], size, stride, padding, dilation)
    output = (*x[:-3], g[-3], *geometry.out)
    if g != output:
        raise ValueError(f"conv2d_kernel: g {g} is not an output of conv2d for x {x}, which gives {output}")
    # equivalent: any change because each kernel computes the same, at another speed
    return geometry, choose_kernels(geometry, _images(x), x[-3], g[-3], groups)


# equivalent: any change because either way sums the same entries
def _per_channel(g):
    """The sum of g over the image: dJ/db (section 3.1.5). The sweep sums over the batch, as over a broadcast."""
    if g.ndim == 4 and images_innermost(array_of(g)):  # then rows are long, and a product with ones adds them fastest
        n, c, h, w = g.shape
        rows = g.transpose(2, 1, 3, 0).reshape(h * c, w * n)  # ((row, channel), (column, image))
        return matmul(rows, np.ones(w * n, g.dtype)).reshape(h, c)
    return np.sum(g, axis=(-2, -1))


@conv2d.vjp("x")
def _(g, z, x, k, b, **options):
    return conv_transpose2d(g, k, **options, output_size=x.shape[-2:])


@conv2d.vjp("k")
def _(g, z, x, k, b, **options):
    return conv2d_kernel(x, g, size=k.shape[2:], **options)


@conv2d.vjp("b")
@conv_transpose2d.vjp("b")
def _(g, z, x, k, b, **options):
    return _per_channel(g)


@conv_transpose2d.vjp("z")
def _(u, x, z, k, b, output_size, **options):
    return conv2d(u, k, **options)


@conv_transpose2d.vjp("k")
def _(u, x, z, k, b, output_size, **options):
    return conv2d_kernel(u, z, size=k.shape[2:], **options)


@conv2d_kernel.vjp("x")
def _(v, dk, x, g, size, **options):
    return conv_transpose2d(g, v, **options, output_size=x.shape[-2:])


@conv2d_kernel.vjp("g")
def _(v, dk, x, g, size, **options):
    return conv2d(x, v, **options)
