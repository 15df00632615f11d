"""Pooling: average, maximum and L2 norm over windows (derivation, section 3.1.3).

Average pooling and `spread2d` are adjoint; so are `unfold2d` and `fold2d`, of which L2 pooling's
VJP is made. Maximum pooling is a gather by its switches, and its VJP the scatter.
"""

import numpy as np

from ..operation import array_of, op
from .shaping import scatter
from .windows import folded, geometry, padded, pair, taps, unfolded


def _geometry(op, x, window, stride, padding):
    if np.ndim(x) not in (3, 4):
        raise ValueError(f"{op}: x must be (N, C, H, W) or (C, H, W), not {np.shape(x)}")
    if x.dtype.kind != "f":
        raise TypeError(f"{op}: x must be floating-point, not {x.dtype}")
    window = pair(window, "window", op, 1)
    return geometry(op, x.shape[-2:], window, window if stride is None else stride, padding)


@op
def avg_pool2d(x, window, *, stride=None, padding=0):
    """A = X * P: the mean over each window, a convolution with the constant kernel P = 1/(h w).

    x: (N, C, H, W) or (C, H, W); window: an int or a pair; stride: the window's size by default.
    The zeros of the padding count in the mean, as the document's convolution has it.
    d vec(A) / d vec(X) has vec(dX/dX_pq * P) as its columns (section 3.1.3), so its transpose
    spreads each g evenly over its window: spread2d. Raises ValueError if a window does not fit.
    """
    where = _geometry("avg_pool2d", x, window, stride, padding)
    total = 0
    for _, tap in taps(padded(x, where), where):
        total = total + tap
    return total / (where.window[0] * where.window[1])


@op
def spread2d(g, image, window, *, stride=None, padding=0):
    """The adjoint of avg_pool2d: each g, divided by the window's area, added to its window in an image of zeros."""
    window = pair(window, "window", "spread2d", 1)
    where = geometry("spread2d", image, window, window if stride is None else stride, padding)
    share = (g / (window[0] * window[1]))[..., None, None, :, :]
    return folded(np.broadcast_to(share, (*g.shape[:-2], *window, *where.out)), where)


@avg_pool2d.vjp("x")
def _(g, a, x, window, stride, padding):
    return spread2d(g, x.shape[-2:], window, stride=stride, padding=padding)


@spread2d.vjp("g")
def _(u, x, g, image, window, stride, padding):
    return avg_pool2d(u, window, stride=stride, padding=padding)


@op
def max_pool2d(x, window, *, stride=None, padding=0):
    """The greatest entry of each window; the padding never wins. NaN wins.

    x: (N, C, H, W) or (C, H, W); window: an int or a pair; stride: the window's size by default.
    A[w] = X[switch of w], so dJ/dX is zero but at the switches, where each g is added (section
    3.1.3). A tie goes to the first entry in row-major order.
    Raises ValueError if a window does not fit, or the padding is over half of it.
    """
    where = _max_geometry(x, window, stride, padding)
    best = None
    for _, tap in taps(padded(x, where, -np.inf), where):
        best = tap if best is None else np.maximum(best, tap)
    return best.copy() if where.window == (1, 1) else best


def _max_geometry(x, window, stride, padding):
    where = _geometry("max_pool2d", x, window, stride, padding)
    if any(2 * p > k for p, k in zip(where.padding, where.window, strict=True)):
        raise ValueError(
            f"max_pool2d: the padding may be at most half of the window, not {where.padding} for {where.window}"
        )
    return where


def _switches(x, where):
    """The index, into x read as one row-major axis, of the entry that each window takes."""
    (height, width), (ph, pw) = where.image, where.padding
    rows = [max(0, p * where.stride[0] - ph) for p in range(where.out[0])]
    columns = [max(0, q * where.stride[1] - pw) for q in range(where.out[1])]
    first = np.add.outer(np.multiply(rows, width), columns)  # an entry of the image even if all are -inf
    index = np.broadcast_to(first, (*x.shape[:-2], *where.out)).copy()
    best = np.full(index.shape, -np.inf, x.dtype)
    corner = np.add.outer(
        (np.arange(where.out[0]) * where.stride[0] - ph) * width, np.arange(where.out[1]) * where.stride[1] - pw
    )
    for (i, j), tap in taps(padded(x, where, -np.inf), where):
        wins = (tap > best) | ((tap != tap) & (best == best))
        np.copyto(index, corner + (i * width + j), where=wins)
        np.copyto(best, tap, where=wins)
    images = np.arange(x.size // (height * width)) * (height * width)
    return index + images.reshape(*x.shape[:-2], 1, 1)


@max_pool2d.vjp("x")
def _(g, a, x, window, stride, padding):
    switches = _switches(array_of(x), _max_geometry(x, window, stride, padding))
    return np.reshape(scatter(np.reshape(g, -1), switches.ravel(), (x.size,)), x.shape)


@op
def l2_pool2d(x, window, *, stride=None, padding=0):
    """A = (sum of X_p**2 over each window)**(1/2), which the document leaves as a TODO (section 3.1.3).

    x: (N, C, H, W) or (C, H, W); window: an int or a pair; stride: the window's size by default.
    A**2 = sum X_p**2, so 2 A dA = sum 2 X_p dX_p and dA/dX_p = X_p / A: the unit vector along the
    window. Then dJ/dX_p is the sum of g X_p / A over the windows that p lies in. In an all-zero
    window the norm has a cone's tip and no derivative: 0 there, at every order.
    Windows are divided by their greatest entry before they are squared, so nothing overflows or
    underflows. Raises ValueError if a window does not fit.
    """
    where = _geometry("l2_pool2d", x, window, stride, padding)
    xp = padded(x, where)
    greatest = 0
    for _, tap in taps(xp, where):
        greatest = np.maximum(greatest, np.abs(tap))
    scale = np.where((greatest > 0) & np.isfinite(greatest), greatest, 1).astype(x.dtype)
    total = 0
    for _, tap in taps(xp, where):
        total = total + np.square(tap / scale)
    return scale * np.sqrt(total)


@l2_pool2d.vjp("x")
def _(g, a, x, window, stride, padding):
    options = {"stride": stride, "padding": padding}
    norm, g = a[..., None, None, :, :], g[..., None, None, :, :]
    tip = norm == 0
    unit = np.where(tip, 0, unfold2d(x, window, **options) / np.where(tip, 1, norm))
    return fold2d(g * unit, x.shape[-2:], window, **options)


@op
def unfold2d(x, window, *, stride=None, padding=0):
    """Every window of the zero-padded image: (..., H, W) -> (..., kh, kw, Ho, Wo). Adjoint: fold2d."""
    return unfolded(x, _geometry("unfold2d", x, window, stride, padding))


@op
def fold2d(windows, image, window, *, stride=None, padding=0):
    """The adjoint of unfold2d: each window added where it was read, (..., kh, kw, Ho, Wo) -> (..., H, W)."""
    window = pair(window, "window", "fold2d", 1)
    return folded(windows, geometry("fold2d", image, window, window if stride is None else stride, padding))


@unfold2d.vjp("x")
def _(g, windows, x, window, stride, padding):
    return fold2d(g, x.shape[-2:], window, stride=stride, padding=padding)


@fold2d.vjp("windows")
def _(u, x, windows, image, window, stride, padding):
    return unfold2d(u, window, stride=stride, padding=padding)
