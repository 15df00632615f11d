"""Functions of sampled curves: spacings, interpolation, finite differences and convolution.

Nearly all are compositions. The convolution of sequences is an op, whose VJPs are convolutions with a reversed
sequence.
"""

from __future__ import annotations

import numpy as np

from ..operation import array_of, arraylike, op
from ..stand_ins import implements
from ..summation import normalized_axes
from ..typing import Array, Axis, DType
from .arithmetic import power
from .casting import astype, common_dtype, floating, in_dtype, inexact
from .complex_numbers import conj
from .indexing import scatter
from .joining import concatenate
from .reductions import diff
from .shaping import expand_dims, moveaxis, ravel, reshape

__all__ = [
    "linspace", "logspace", "geomspace", "interp", "gradient", "ediff1d", "unwrap", "convolve", "correlate",
]  # fmt: skip


@implements(np.linspace)
def linspace(
    start: Array,
    stop: Array,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DType = None,
    axis: int = 0,
) -> Array:
    """Equally spaced numbers from start to stop: mixtures of both, so both are differentiated.

    >>> mg.linspace(0.0, 2.0, 5)
    array([0. , 0.5, 1. , 1.5, 2. ])
    >>> mg.grad(lambda stop: mg.linspace(0.0, stop, 5)[1])(2.0)
    np.float64(0.25)
    """
    kind = common_dtype(start, stop)
    start, stop = in_dtype(arraylike(start), kind), in_dtype(arraylike(stop), kind)
    count = np.arange(len(np.linspace((), (), num))).reshape((-1,) + (1,) * max(start.ndim, stop.ndim))
    gaps = num - 1 if endpoint else num
    step = (stop - start) / max(gaps, 1)
    samples = start + count.astype(kind) * step
    if endpoint and num > 1:
        samples = np.where(count == num - 1, stop, samples)
    samples = moveaxis(samples, 0, axis)
    if dtype is not None:
        samples = astype(np.floor(samples) if np.dtype(dtype).kind in "iu" else samples, dtype)
    return (samples, step if gaps > 0 else np.nan) if retstep else samples


@implements(np.logspace)
def logspace(
    start: Array,
    stop: Array,
    num: int = 50,
    endpoint: bool = True,
    base: Array = 10.0,
    dtype: DType = None,
    axis: int = 0,
) -> Array:
    """The base, or each of an array of bases, to the powers of `linspace`.

    >>> mg.logspace(0.0, 2.0, 3)
    array([  1.,  10., 100.])
    """
    if np.ndim(base):
        ndim = max(map(np.ndim, (start, stop, base)))
        start, stop, base = (reshape(x, (1,) * (ndim - np.ndim(x)) + np.shape(x)) for x in (start, stop, base))
        base = expand_dims(base, axis)
    samples = power(base, linspace(start, stop, num, endpoint, axis=axis))
    return samples if dtype is None else astype(samples, dtype)


@implements(np.geomspace)
def geomspace(
    start: Array, stop: Array, num: int = 50, endpoint: bool = True, dtype: DType = None, axis: int = 0
) -> Array:
    """Numbers in equal ratios from start to stop, of one sign.

    >>> mg.geomspace(1.0, 100.0, 3).round(12)
    array([  1.,  10., 100.])
    """
    start, stop = floating(start), floating(stop)
    if np.any(np.sign(start) != np.sign(stop)) or np.any(start == 0):
        raise ValueError("geomspace: start and stop must have one sign, and not be 0")
    samples = np.copysign(logspace(np.log10(np.abs(start)), np.log10(np.abs(stop)), num, endpoint), start)
    count = np.arange(num).reshape((-1,) + (1,) * (samples.ndim - 1))
    samples = np.where(count == 0, start, samples)  # the ends are not rounded
    if endpoint and num > 1:
        samples = np.where(count == num - 1, stop, samples)
    samples = moveaxis(samples, 0, axis)
    return samples if dtype is None else astype(samples, dtype)


@implements(np.interp)
def interp(
    x: Array, xp: Array, fp: Array, left: Array | None = None, right: Array | None = None, period: float | None = None
) -> Array:
    """The values at x of the line through the points (xp, fp), xp ascending; differentiated in all three.

    Beyond the points the value is left or right, by default that of the nearest point. At a point the slope is that
    of the line after it.

    >>> mg.interp(0.5, np.array([0.0, 1.0]), np.array([2.0, 4.0]))
    np.float64(3.0)
    >>> mg.grad(mg.interp)(0.5, np.array([0.0, 1.0]), np.array([2.0, 4.0]))
    np.float64(2.0)
    """
    x, xp, fp = floating(x), floating(xp), floating(fp)
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ValueError(f"interp: xp and fp must be of one axis and one size, not xp {xp.shape} and fp {fp.shape}")
    if period == 0 or any(np.ndim(side) for side in (left, right) if side is not None):
        raise ValueError(f"interp: left and right must be numbers, and period not 0, not {left}, {right} and {period}")
    if period is not None:
        (x, xp, fp), left, right = _in_one_period(x, xp, fp, abs(period)), None, None
    value = _on_line(x, xp, fp, saved={})
    if left is not None:
        value = np.where(x < xp[0], left, value)
    if right is not None:
        value = np.where(x > xp[-1], right, value)
    # equivalent: without if np.any(np.isnan(x)) else value because selecting none changes nothing
    return np.where(np.isnan(x), x, value) if np.any(np.isnan(x)) else value


@op(name="interp")
def _on_line(x, xp, fp, *, saved):
    """A = fp[i] + T (fp[j] - fp[i]), T = (X - xp[i]) / (xp[j] - xp[i]), between neighbours; beyond the points T = 0.

    dA/dX = slope = (fp[j] - fp[i]) / (xp[j] - xp[i]), dA/dfp[i] = 1 - T, dA/dfp[j] = T, dA/dxp = -slope dA/dfp.
    """
    low = np.maximum(np.searchsorted(xp, x, "right") - 1, 0)
    high = np.minimum(low + 1, xp.shape[0] - 1)
    at = low, high, (x >= xp[0]) & (x < xp[-1]) & ((x > xp[low]) | np.isfinite(fp[high]))
    part, rise, width = _on_piece(x, xp, fp, *at)
    saved.update(at=at, part=part, slope=rise / width)
    return fp[low] + part * rise


# equivalent: xp[low], 1 -> xp[low], 2; fp[high], 0 -> fp[high], any number; fp[low], 0 -> fp[low], any number;
# x - xp[low], 0 -> x - xp[low], any number because outside there is no rise
def _on_piece(x, xp, fp, low, high, inside):
    """T, and the rise and the width of the line's piece."""
    width = np.where(inside, xp[high] - xp[low], 1)
    rise = np.where(inside, fp[high], 0) - np.where(inside, fp[low], 0)
    return np.where(inside, x - xp[low], 0) / width, rise, width


def _part_and_slope(x, xp, fp, saved):
    """T and the slope, as saved, or of Tensors so that they are recorded."""
    # equivalent: never because what is computed again is the same
    if type(x) is type(xp) is type(fp) is np.ndarray:
        return saved["part"], saved["slope"]
    part, rise, width = _on_piece(x, xp, fp, *saved["at"])
    return part, rise / width


@_on_line.vjp("x")
def _(g, a, x, xp, fp, saved):
    return g * _part_and_slope(x, xp, fp, saved)[1]


@_on_line.vjp("xp")
def _(g, a, x, xp, fp, saved):
    part, slope = _part_and_slope(x, xp, fp, saved)
    return _to_ends(-g * slope, part, saved["at"], xp.shape)


@_on_line.vjp("fp")
def _(g, a, x, xp, fp, saved):
    return _to_ends(g, _part_and_slope(x, xp, fp, saved)[0], saved["at"], fp.shape)


def _to_ends(g, part, at, shape):
    low, high, _ = at
    return scatter(g * (1 - part), low, shape) + scatter(g * part, high, shape)


def _in_one_period(x, xp, fp, period):
    """x within a period, and the points of one in order, between a point of the period before and one of the next."""
    x, xp = x % period, xp % period
    order = np.argsort(xp, kind="stable")
    xp, fp = xp[order], fp[order]
    # equivalent: xp[:1] -> xp; xp[:1] -> xp[:2]; fp[:1] -> fp; fp[:1] -> fp[:2] because further points change nothing
    return x, concatenate([xp[-1:] - period, xp, xp[:1] + period]), concatenate([fp[-1:], fp, fp[:1]])


@implements(np.gradient)
def gradient(f: Array, *varargs: Array, axis: Axis = None, edge_order: int = 1) -> Array | list[Array]:
    """The finite differences of f along each axis: central inside, one-sided at the edges.

    varargs: the spacing, one for all axes or one for each: a number, or the coordinates along the axis.
    edge_order: 1 or 2. Raises ValueError for an axis with too few entries.

    >>> mg.gradient(np.array([1.0, 2.0, 4.0, 7.0]))
    array([1. , 1.5, 2.5, 3. ])
    """
    f = inexact(f)
    axes = normalized_axes(axis, f.ndim)
    spacings = list(varargs) or [1.0]
    spacings = spacings * len(axes) if len(spacings) == 1 and np.ndim(spacings[0]) == 0 else spacings
    if len(spacings) != len(axes) or edge_order not in (1, 2):
        raise ValueError(f"gradient: {len(axes)} axes need as many spacings or one, and edge_order 1 or 2")
    slopes = [_slopes(moveaxis(f, i, -1), h, edge_order) for i, h in zip(axes, spacings, strict=True)]
    slopes = [moveaxis(slope, -1, i) for i, slope in zip(axes, slopes, strict=True)]
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


def _slopes(f, spacing, edge_order):
    """The finite differences along the last axis."""
    n = f.shape[-1]
    if n < edge_order + 1:
        raise ValueError(f"gradient: an axis needs at least {edge_order + 1} entries, not {n}")
    h = astype(floating(spacing), np.real(f).dtype)
    moving = h.ndim == 1 and getattr(h, "requires_grad", False)
    # equivalent: h * -> h / because a quotient by 1 is the same
    h = np.diff(h) if h.ndim == 1 else h * np.ones(n - 1, h.dtype)
    if h.shape != (n - 1,):
        raise ValueError(f"gradient: the coordinates must be as many as the entries, {n}")
    before, after = h[:-1], h[1:]
    if moving or np.any(before != after):
        rise = np.diff(f) / h  # of each interval
        inside = (rise[..., :-1] * after + rise[..., 1:] * before) / (before + after)
    else:  # the entry itself, which may be infinite, does not count
        inside = (f[..., 2:] - f[..., :-2]) / (before + after)
    if edge_order == 1:
        first, last = (f[..., 1:2] - f[..., :1]) / h[0], (f[..., -1:] - f[..., -2:-1]) / h[-1]
    else:
        first, last = _edge(f, h[0], h[1]), -_edge(f[..., ::-1], h[-1], h[-2])
    return concatenate([first, inside, last], -1)


def _edge(f, h, k):
    """The slope at the first entry of the parabola through three points, at distances h and k."""
    total = h + k
    return f[..., 1:2] * (total / (h * k)) - f[..., :1] * ((h + total) / (h * total)) - f[..., 2:3] * (h / (k * total))


@implements(np.ediff1d)
def ediff1d(ary: Array, to_end: Array | None = None, to_begin: Array | None = None) -> Array:
    """The differences of neighbours of the flattened array, with values before and after them.

    >>> mg.ediff1d(np.array([1.0, 2.0, 4.0]), to_begin=0.0)
    array([0., 1., 2.])
    """
    ary = ravel(ary)

    def end(name, values):
        values = ravel(values)
        if not np.can_cast(values.dtype, ary.dtype, "same_kind"):
            raise TypeError(f"ediff1d: {name} of {values.dtype} does not fit an array of {ary.dtype}")
        return in_dtype(values, ary.dtype)

    before = [] if to_begin is None else [end("to_begin", to_begin)]
    return concatenate([*before, diff(ary), *([] if to_end is None else [end("to_end", to_end)])])


@implements(np.unwrap)
def unwrap(p: Array, discont: float | None = None, axis: int = -1, *, period: float = 2 * np.pi) -> Array:
    """Angles without jumps: multiples of the period are added, so the derivative is 1.

    >>> mg.unwrap(np.array([0.0, 3.0, 7.0])).round(4)
    array([0.    , 3.    , 0.7168])
    """
    p = floating(p)
    plain = array_of(p)
    unwrapped = np.unwrap(plain, discont, axis, period=period)
    with np.errstate(invalid="ignore"):  # of infinities, which stay as they are
        return p + np.where(unwrapped == plain, np.copysign(0, unwrapped), unwrapped - plain)


# convolution of sequences


@op(name="convolve", complex=True)
def _convolve(a, v):
    """C[n] = sum of A[m] V[n - m], of length N + M - 1: dJ/dA[m] = sum of G[n] V[n - m], where V lies within G."""
    return np.convolve(a, v)


@op(name="convolve", complex=True)
def _overlap(a, v):
    """The part of the convolution where V, which is not longer, lies within A: C[n] = sum of A[n + M - 1 - m] V[m]."""
    return np.convolve(a, v, "valid")


_convolve.vjp("a", lambda g, out, a, v: _overlap(g, v[::-1]))
_convolve.vjp("v", lambda g, out, a, v: _overlap(g, a[::-1]))
_overlap.vjp("a", lambda g, out, a, v: _convolve(g, v[::-1]))
_overlap.vjp("v", lambda g, out, a, v: _overlap(a, g[::-1])[::-1])


@implements(np.convolve)
def convolve(a: Array, v: Array, mode: str = "full") -> Array:
    """The convolution of two sequences: all of it ("full"), its middle ("same"), or where they overlap ("valid").

    >>> mg.convolve(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0]))
    array([1., 3., 5., 3.])
    """
    a, v = (reshape(x, 1) if np.ndim(x) == 0 else arraylike(x) for x in (a, v))
    if a.ndim != 1 or v.ndim != 1 or not a.size or not v.size:
        raise ValueError(f"convolve: a and v must be sequences with entries, not a {a.shape} and v {v.shape}")
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"convolve: mode must be 'full', 'same' or 'valid', not {mode!r}")
    a, v = (a, v) if a.size >= v.size else (v, a)  # equivalent: >= -> > because convolution has no order
    if mode == "valid":
        return _overlap(a, v)
    out, start = _convolve(a, v), (v.size - 1) // 2
    return out if mode == "full" else out[start : start + a.size]


@implements(np.correlate)
def correlate(a: Array, v: Array, mode: str = "valid") -> Array:
    """The convolution of a with the reversed v, or its conjugate, whose offset counts from v's end.

    >>> mg.correlate(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0]))
    array([2., 3.])
    """
    v = conj(arraylike(v))
    if mode == "same" and np.size(v) > np.size(a):  # NumPy swaps them, and counts from behind
        return convolve(a, np.flip(v), "full")[np.size(a) // 2 :][: np.size(v)]
    return convolve(a, np.flip(v), mode)
