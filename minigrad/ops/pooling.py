"""Pooling: average, maximum and L2 norm over windows (derivation, section 3.1.3).

Average pooling and `spread2d` are adjoint; so are `unfold2d` and `fold2d`, of which L2 pooling's
VJP is made. Maximum pooling picks an entry of each window, its switch; `unpool2d` and `pick2d` are adjoint too.
A tap is one place of the window, and its entry in all windows at once.
"""

from __future__ import annotations

import math
from functools import lru_cache
from types import NoneType

import numpy as np

from ..blockwise import blockwise
from ..operation import array_of, op
from ..summation import blocked_sum
from ..typing import Array, Pair, Shape
from .arithmetic import selected
from .casting import narrowed, widened
from .kernels.memory import empty
from .reductions import norm_gradient
from .windows import few, folded, geometry_of, overlap, padded, pair, parts, taps_inside, unfolded

__all__ = ["avg_pool2d", "spread2d", "max_pool2d", "unpool2d", "pick2d", "l2_pool2d", "unfold2d", "fold2d"]


def _checked(op, x, window, stride, padding):
    if getattr(x, "ndim", None) not in (3, 4):
        raise ValueError(f"{op}: x must be (N, C, H, W) or (C, H, W), not {np.shape(x)}")
    if x.dtype.kind != "f":
        raise TypeError(f"{op}: x must be floating-point, not {x.dtype}")
    return _geometry(op, x.shape[-2:], window, stride, padding)


def _adjoint_geometry(op, image, window, stride, padding):
    """The windows over an image that is given by its size alone."""
    return _geometry(op, pair(image, "image", op, 0), window, stride, padding)


def _geometry(op, image, window, stride, padding):
    """The windows over an image, which are found once for options that are ints: True is 1 to a cache."""
    ints = type(window) is type(padding) is int and type(stride) in (int, NoneType)
    # equivalent: _found if ints else _found.__wrapped__ -> _found.__wrapped__ because the cache only saves time
    return (_found if ints else _found.__wrapped__)(op, image, window, stride, padding)


@lru_cache
def _found(op, image, window, stride, padding):
    window = pair(window, "window", op, 1)
    return geometry_of(op, image, window, window if stride is None else stride, padding)


def _check_ends(op, name, array, shape):
    if array.shape[-len(shape) :] != shape:
        raise ValueError(f"{op}: {name} must end in {shape}, as the windows do, not {array.shape}")


def _separably(ufunc, xp, geometry):
    """The ufunc over all entries of each window of the padded xp: over its rows first, then its columns.

    That takes kh + kw passes instead of kh * kw, and the first kh of them read contiguous memory. A window of
    one entry gives a view of xp.
    """
    rows, columns = _entries(geometry)
    over_rows = _over(ufunc, [xp[entry] for entry in rows])
    return _over(ufunc, [over_rows[entry] for entry in columns])


@lru_cache
def _entries(geometry):
    """For the rows and for the columns: the index of each entry of a window, over all windows."""
    rows, columns = (
        [slice(i, i + (out - 1) * stride + 1, stride) for i in range(taps)]
        for taps, stride, out in zip(geometry.window, geometry.stride, geometry.out, strict=True)
    )
    return [(..., tap, slice(None)) for tap in rows], [(..., tap) for tap in columns]


@lru_cache
def _area(geometry, dtype):
    """The entries of a window, as an array, which ufuncs take faster than a number."""
    return np.array(math.prod(geometry.window), dtype)


# equivalent: any change because np.add and np.maximum commute
def _over(ufunc, arrays):
    if len(arrays) == 1:
        return arrays[0]
    total = ufunc(arrays[0], arrays[1])
    for array in arrays[2:]:
        ufunc(total, array, out=total)
    return total


@op
def avg_pool2d(x: Array, window: Pair, *, stride: Pair | None = None, padding: Pair = 0) -> Array:
    """A = X * P: the mean over each window, a convolution with the constant kernel P = 1/(h w).

    x: (N, C, H, W) or (C, H, W)
    window: an int or a pair (rows, columns)
    stride: an int or a pair; the window's size by default
    padding: an int or a pair; its zeros count in the mean, as in the document's convolution

    The columns of d vec(A) / d vec(X) are vec(dX/dX_pq * P) (derivation, section 3.1.3), so its transpose
    spreads each g evenly over its window: spread2d. Raises ValueError if a window does not fit.

    >>> x = np.arange(16.0).reshape(1, 4, 4)
    >>> mg.avg_pool2d(x, 2)
    array([[[ 2.5,  4.5],
            [10.5, 12.5]]])
    """
    geometry = _checked("avg_pool2d", x, window, stride, padding)
    return blockwise(_means, (x,), {"geometry": geometry}, core=2)


def _means(x, geometry):
    total = _separably(np.add, padded(widened(x), geometry), geometry)
    # equivalent: without total if total.base is None else because a new array is the same, and only slower
    out = total if total.base is None else None  # not a view of x, which windows of one entry give
    return narrowed(np.divide(total, _area(geometry, total.dtype), out=out), x)


@op
def spread2d(g: Array, image: Shape, window: Pair, *, stride: Pair | None = None, padding: Pair = 0) -> Array:
    """The adjoint of avg_pool2d: each g, divided by the window's area, added to its window in an image of zeros.

    >>> mg.ops.spread2d(np.array([[[4.0, 8.0]]]), (2, 4), 2)
    array([[[1., 1., 2., 2.],
            [1., 1., 2., 2.]]])
    """
    geometry = _adjoint_geometry("spread2d", image, window, stride, padding)
    _check_ends("spread2d", "g", g, geometry.out)
    # equivalent: any change because blocks give the same
    return blockwise(_spread, (g,), {"geometry": geometry}, core=2, weight=math.prod(geometry.stride))


# equivalent: any change because a slower way, or another order in memory, gives the same entries
def _spread(g, geometry):
    like, g = g, widened(g)
    share, x = empty(g.shape, g.dtype), empty((*g.shape[:-2], *geometry.image), g.dtype)
    np.copyto(share, g)  # changes the layout faster than np.divide does
    share /= _area(geometry, g.dtype)
    if _tiles(geometry) and not x.flags.c_contiguous:  # images innermost: one assignment copies long runs
        (rows, columns), (height, width) = geometry.out, geometry.window
        # (..., row of windows, row in it, column of windows, column in it)
        x.reshape(*g.shape[:-2], rows, height, columns, width)[...] = share[..., :, None, :, None]
        return narrowed(x, like)
    _blank(x, geometry)
    add = overlap(geometry)
    for windows, entries in parts(geometry):
        if add:
            x[entries] += share[windows]
        else:
            x[entries] = share[windows]
    return narrowed(x, like)


@lru_cache
def _tiles(geometry):
    """Whether each entry of the image lies in exactly one window."""
    # equivalent: geometry.out, geometry.window -> geometry.window, geometry.out because the pairs are multiplied
    covered = tuple(n * k for n, k in zip(geometry.out, geometry.window, strict=True))
    return not overlap(geometry) and geometry.padding == (0, 0) and covered == geometry.image


def _blank(x, geometry):
    """Set the new array x to zero, unless every entry will be written to because windows tile it."""
    if not _tiles(geometry):
        x[...] = 0


@avg_pool2d.vjp("x")
def _(g, a, x, window, stride, padding):
    return spread2d(g, x.shape[-2:], window, stride=stride, padding=padding)


@spread2d.vjp("g")
def _(u, x, g, image, window, stride, padding):
    return avg_pool2d(u, window, stride=stride, padding=padding)


@op
def max_pool2d(x: Array, window: Pair, *, stride: Pair | None = None, padding: Pair = 0) -> Array:
    """The greatest entry of each window. The padding never wins, and a NaN always does.

    x: (N, C, H, W) or (C, H, W)
    window: an int or a pair (rows, columns)
    stride: an int or a pair; the window's size by default
    padding: an int or a pair; at most half of the window

    A[w] = X[switch of w], so dJ/dX is 0 except at the switches, where each g is added (derivation, section
    3.1.3). A tie goes to the first entry in row-major order.
    Raises ValueError if a window does not fit, or the padding is over half of it.

    >>> x = mg.tensor([[[1.0, 5.0, 2.0, 2.0], [3.0, 4.0, 2.0, 2.0]]], requires_grad=True)
    >>> mg.max_pool2d(x, 2).data
    array([[[5., 2.]]])
    >>> mg.max_pool2d(x, 2).sum().backward()
    >>> x.grad
    array([[[0., 1., 1., 0.],
            [0., 0., 0., 0.]]])
    """
    geometry = _max_geometry("max_pool2d", x, window, stride, padding)
    return blockwise(_maxima, (x,), {"geometry": geometry}, core=2)


def _maxima(x, geometry):
    best = _separably(np.maximum, padded(x, geometry, -np.inf), geometry)
    # equivalent: without if best.base is not None else best because a copy of a new array is the same, and only
    # slower
    return best.copy() if best.base is not None else best


def _max_geometry(op, x, window, stride, padding):
    geometry = _checked(op, x, window, stride, padding)
    if any(2 * p > k for p, k in zip(geometry.padding, geometry.window, strict=True)):
        padding, window = geometry.padding, geometry.window
        raise ValueError(f"{op}: the padding may be at most half of the window, not {padding} for {window}")
    return geometry


@max_pool2d.vjp("x")
def _(g, a, x, window, stride, padding):
    return unpool2d(g, array_of(x), array_of(a), window, stride=stride, padding=padding)


def _switches(x, a, geometry):
    """Yield (windows, entries, mask) for each part of the windows: the mask is true where an entry is the switch.

    The switch is the first entry, in row-major order, that equals the maximum a, or that is NaN where a is.
    """
    if few(geometry):
        places = np.arange(math.prod(geometry.window)).reshape(geometry.window)
        for windows, entries in parts(geometry):
            window = x[entries]
            first = window.reshape(*window.shape[:-2], -1).argmax(axis=-1)  # which is that of a NaN, too
            yield windows, entries, places == first[..., None, None]
        return
    nan = np.isnan(a).any()
    free = np.ones_like(a, bool)
    for windows, entries in taps_inside(geometry):
        tap = x[entries]
        mask = tap == a[windows]
        if nan:
            mask |= tap != tap
        mask &= free[windows]
        free[windows] ^= mask
        yield windows, entries, mask


@op
def unpool2d(g: Array, x: Array, a: Array, window: Pair, *, stride: Pair | None = None, padding: Pair = 0) -> Array:
    """Each g added at the switch of its window in an image of zeros: the VJP of a = max_pool2d(x, ...).

    It is linear in g. Where the switches are depends on x and a, which have no derivative. Adjoint: pick2d.

    >>> x = np.array([[[1.0, 5.0], [3.0, 4.0]]])
    >>> mg.ops.unpool2d(np.array([[[10.0]]]), x, mg.max_pool2d(x, 2), 2)
    array([[[ 0., 10.],
            [ 0.,  0.]]])
    """
    geometry = _max_geometry("unpool2d", x, window, stride, padding)
    _check_ends("unpool2d", "a", a, (*x.shape[:-2], *geometry.out))
    _check_ends("unpool2d", "g", g, a.shape)
    return blockwise(_unpooled, (g, x, a), {"geometry": geometry}, core=2)


def _unpooled(g, x, a, geometry):
    dx = np.empty_like(x, g.dtype)
    _blank(dx, geometry)
    add = overlap(geometry)
    for windows, entries, mask in _switches(x, a, geometry):
        moved = g[windows]
        # equivalent: never because it is then only slower
        if moved.shape != mask.shape:
            moved = np.broadcast_to(moved, mask.shape)
        moved = selected(moved, mask)
        if add:
            dx[entries] += moved
        else:
            dx[entries] = moved
    return dx


@op
def pick2d(u: Array, x: Array, a: Array, window: Pair, *, stride: Pair | None = None, padding: Pair = 0) -> Array:
    """The entry of u at the switch of each window of a = max_pool2d(x, ...). Adjoint: unpool2d.

    >>> x, u = np.array([[[1.0, 5.0], [3.0, 4.0]]]), np.array([[[10.0, 20.0], [30.0, 40.0]]])
    >>> mg.ops.pick2d(u, x, mg.max_pool2d(x, 2), 2)
    array([[[20.]]])
    """
    geometry = _max_geometry("pick2d", x, window, stride, padding)
    _check_ends("pick2d", "a", a, (*x.shape[:-2], *geometry.out))
    _check_ends("pick2d", "u", u, x.shape)
    out = np.zeros_like(a, u.dtype)
    for windows, entries, mask in _switches(x, a, geometry):
        out[windows] += _in_each(np.sum, selected(u[entries], mask), geometry)
    return out


@unpool2d.vjp("g")
def _(u, dx, g, x, a, window, stride, padding):
    return pick2d(u, x, a, window, stride=stride, padding=padding)


@pick2d.vjp("u")
def _(g, out, u, x, a, window, stride, padding):
    return unpool2d(g, x, a, window, stride=stride, padding=padding)


@op
def l2_pool2d(x: Array, window: Pair, *, stride: Pair | None = None, padding: Pair = 0) -> Array:
    """A = (sum of X_p**2 over each window)**(1/2), which the document leaves as a TODO (section 3.1.3).

    x: (N, C, H, W) or (C, H, W)
    window: an int or a pair (rows, columns)
    stride: an int or a pair; the window's size by default
    padding: an int or a pair

    A**2 = sum X_p**2, so 2 A dA = sum 2 X_p dX_p and dA/dX_p = X_p / A: the unit vector along the
    window. Then dJ/dX_p is the sum of g X_p / A over the windows that p lies in. At an all-zero window the
    norm is the tip of a cone and has no derivative: 0 there, at every order.
    Windows are divided by their greatest entry before they are squared, so nothing overflows or
    underflows. Raises ValueError if a window does not fit.

    >>> mg.l2_pool2d(np.array([[[3.0, 0.0], [0.0, 4.0]]]), 2)
    array([[[5.]]])
    >>> mg.grad(lambda x: mg.l2_pool2d(x, 2).sum())(np.array([[[3.0, 0.0], [0.0, 4.0]]]))
    array([[[0.6, 0. ],
            [0. , 0.8]]])
    """
    geometry = _checked("l2_pool2d", x, window, stride, padding)
    wide = widened(x)
    greatest = np.zeros((*x.shape[:-2], *geometry.out), wide.dtype)
    for windows, entries in parts(geometry):
        greatest[windows] = np.maximum(greatest[windows], _in_each(np.max, np.abs(wide[entries]), geometry))
    # equivalent: 1 -> 2 because windows that are all 0, or not all finite, have the same norm at any scale
    scale = np.where((greatest > 0) & np.isfinite(greatest), greatest, 1)
    total = np.zeros_like(greatest)
    for windows, entries in parts(geometry):
        total[windows] += _in_each(blocked_sum, np.square(wide[entries] / scale[windows]), geometry)
    return narrowed(scale * np.sqrt(total), x)


def _in_each(reduction, part, geometry):
    """What one part of the windows gives to their results: a tap one entry to each, a window all that it holds."""
    return reduction(part, axis=(-2, -1), keepdims=True) if few(geometry) else part


@l2_pool2d.vjp("x")
def _(g, a, x, window, stride, padding):
    options = {"stride": stride, "padding": padding}
    # equivalent: False -> True because either way the reduced axes are put back
    gradient = norm_gradient(g, a, unfold2d(x, window, **options), axis=(-4, -3), keepdims=False)
    return fold2d(gradient, x.shape[-2:], window, **options)


@op
def unfold2d(x: Array, window: Pair, *, stride: Pair | None = None, padding: Pair = 0) -> Array:
    """Every window of the zero-padded image: (..., H, W) -> (..., kh, kw, Ho, Wo). Adjoint: fold2d.

    >>> mg.ops.unfold2d(np.arange(9.0).reshape(1, 3, 3), 2, stride=1)[0, :, :, 1, 0]
    array([[3., 4.],
           [6., 7.]])
    """
    return unfolded(x, _checked("unfold2d", x, window, stride, padding))


@op
def fold2d(windows: Array, image: Shape, window: Pair, *, stride: Pair | None = None, padding: Pair = 0) -> Array:
    """The adjoint of unfold2d: each window added where it was read, (..., kh, kw, Ho, Wo) -> (..., H, W).

    >>> windows = mg.ops.unfold2d(np.ones((1, 3, 3)), 2, stride=1)
    >>> mg.ops.fold2d(windows, (3, 3), 2, stride=1)
    array([[[1., 2., 1.],
            [2., 4., 2.],
            [1., 2., 1.]]])
    """
    geometry = _adjoint_geometry("fold2d", image, window, stride, padding)
    _check_ends("fold2d", "windows", windows, geometry.window + geometry.out)
    return folded(windows, geometry)


@unfold2d.vjp("x")
def _(g, windows, x, window, stride, padding):
    return fold2d(g, x.shape[-2:], window, stride=stride, padding=padding)


@fold2d.vjp("windows")
def _(u, x, windows, image, window, stride, padding):
    return unfold2d(u, window, stride=stride, padding=padding)
