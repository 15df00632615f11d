"""Convolution as its definition reads: every window of x, and one einsum. The other kernels compute the same, faster.

    T(x, k, g) = sum of g[n, j, p, q] * k[j, i, r, s] * windows[n, i, r, s, p, q]

`windows` is what each entry (r, s) of the kernel reads at each place (p, q) of the output: `unfolded(x)`. It is
linear in x, and `folded` is its adjoint. So each of the three partial derivatives of T is one einsum, in
which G counts the groups, and j and i the channels of one.
"""

import numpy as np

from ..windows import folded, unfolded


def forward(x, k, geometry, groups, dtype):
    """dT/dg: x (N, C, H, W) and k (C_out, C/groups, kh, kw) to (N, C_out, *geometry.out)."""
    windows, k = _grouped(unfolded(x, geometry), groups, 1), _grouped(k, groups, 0)
    z = np.einsum("nGirspq,Gjirs->nGjpq", windows, k, dtype=dtype)
    return z.reshape(len(x), z.shape[1] * z.shape[2], *geometry.out)


def kernel_gradient(x, g, geometry, groups, dtype):
    """dT/dk: x (N, C, H, W) and g (N, C_out, *geometry.out) to (C_out, C/groups, kh, kw)."""
    windows, g = _grouped(unfolded(x, geometry), groups, 1), _grouped(g, groups, 1)
    dk = np.einsum("nGirspq,nGjpq->Gjirs", windows, g, dtype=dtype)
    return dk.reshape(g.shape[1] * g.shape[2], *dk.shape[2:])


def input_gradient(g, k, geometry, groups, dtype):
    """dT/dx: g (N, C_out, *geometry.out) and k (C_out, C/groups, kh, kw) to (N, C, *geometry.image)."""
    windows = np.einsum("nGjpq,Gjirs->nGirspq", _grouped(g, groups, 1), _grouped(k, groups, 0), dtype=dtype)
    return folded(windows.reshape(len(g), groups * k.shape[1], *windows.shape[3:]), geometry)


def _grouped(array, groups, axis):
    """The channels on `axis` as two axes: the group, and the channel of the group."""
    shape = array.shape
    return array.reshape(*shape[:axis], groups, shape[axis] // groups, *shape[axis + 1 :])
