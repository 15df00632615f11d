"""Discrete Fourier transforms: np.fft's functions.

A transform is a product with a matrix W[k, j] = c e**(-2 pi i k j / n). The gradient of a complex number needs no
conjugate (see `complex_numbers`), so a VJP is the product with W^T, and W is symmetric: a transform is its own VJP.
An input that is padded or cropped to n entries gets a gradient that is cropped or padded. Those over several axes are
one after another. NumPy loads np.fft at its first use, so `_numpy` finds these by their names.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..errors import named
from ..operation import arraylike, op
from ..summation import normalized_axes
from ..typing import Array, Axis
from .joining import roll

__all__ = [
    "fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn",
    "irfftn", "fftshift", "ifftshift",
]  # fmt: skip


def _transform_along(transform, a, n, axis, norm):
    """np.fft's transform along an axis, of which it says no more than IndexError if it is not there."""
    return transform(a, n, normalize_axis_index(axis, a.ndim), norm)


@op(complex=True)
def fft(a: Array, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """A[k] = sum over j of X[j] e**(-2 pi i k j / n), along an axis: dJ/dX[j] = sum of g[k] e**(-2 pi i k j / n).

    n: the length, to which X is cropped or padded with zeros; its own by default. norm: "backward" (no factor),
    "ortho" (n**(-1/2)) or "forward" (1 / n).

    >>> mg.fft(np.array([1.0, 2.0]))
    array([ 3.+0.j, -1.+0.j])
    >>> mg.grad(lambda x: np.sum(np.abs(mg.fft(x)) ** 2))(np.array([1.0, 2.0]))
    array([4., 8.])
    """
    return _transform_along(np.fft.fft, a, n, axis, norm)


@op(complex=True)
def ifft(a: Array, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """The inverse of `fft`, with e**(2 pi i k j / n) and the factor 1 / n ("ortho": n**(-1/2), "forward": none).

    >>> mg.ifft(np.array([3.0, -1.0]))
    array([1.+0.j, 2.+0.j])
    """
    return _transform_along(np.fft.ifft, a, n, axis, norm)


fft.vjp("a", lambda g, out, a, n, axis, norm: _resized(fft(g, None, axis, norm), a.shape[axis], axis))
ifft.vjp("a", lambda g, out, a, n, axis, norm: _resized(ifft(g, None, axis, norm), a.shape[axis], axis))


@op(complex=True)
def rfft(a: Array, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """The first n // 2 + 1 entries of `fft` of a real X; the others are their conjugates.

    dJ/dX is the real part, which the sweep takes, of the transform of g with zeros for the others.

    >>> mg.rfft(np.array([1.0, 2.0, 3.0]))
    array([ 6. +0.j       , -1.5+0.8660254j])
    """
    return _transform_along(np.fft.rfft, a, n, axis, norm)


@rfft.vjp("a")
def _(g, out, a, n, axis, norm):
    size = a.shape[axis]
    return _resized(fft(g, size if n is None else int(n), axis, norm), size, axis)


@op(complex=True)
def irfft(a: Array, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """The inverse of `rfft`: real, of n entries, 2 (m - 1) by default for m that are given.

    An entry stands for its conjugate too, so dJ/dX is twice the inverse transform of g; once in entry 0 and (for an
    even n) n / 2, of which the real part alone is read.

    >>> mg.irfft(mg.rfft(np.array([1.0, 2.0, 3.0])), 3)
    array([1., 2., 3.])
    """
    return _transform_along(np.fft.irfft, a, n, axis, norm)


@irfft.vjp("a")
def _(g, out, a, n, axis, norm):
    n = out.shape[axis]
    times = np.where(np.arange(n // 2 + 1) * 2 % n == 0, 1, 2).reshape((-1,) + (1,) * (out.ndim - 1 - axis % out.ndim))
    return _resized(_resized(ifft(g, None, axis, norm), n // 2 + 1, axis) * times, a.shape[axis], axis)


def _resized(a, size, axis):
    """The array cropped, or padded with zeros, to this size along the axis."""
    a = a[(*(slice(None),) * (axis % a.ndim), slice(size))]
    widths = [(0, size - a.shape[i] if i == axis % a.ndim else 0) for i in range(a.ndim)]
    # equivalent: without if a.shape[axis] < size else a; < -> <= because a border of 0 entries changes nothing
    return np.pad(a, widths) if a.shape[axis] < size else a


_SWAPPED = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


@named
def hfft(a: Array, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """The real transform of a signal of which one half is given, as the other half is its conjugate.

    >>> mg.hfft(np.array([1.0, 1j, 0.0]))
    array([ 1.,  3.,  1., -1.])
    """
    return irfft(np.conj(a), n, axis, _swapped(norm))


@named
def ihfft(a: Array, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """The inverse of `hfft`.

    >>> mg.ihfft(mg.hfft(np.array([1.0, 1j, 0.0])))[1]
    np.complex128(1j)
    """
    return np.conj(rfft(a, n, axis, _swapped(norm)))


def _swapped(norm):
    """The norm of the inverse transform that puts the factor in the same place."""
    if norm not in _SWAPPED:
        raise ValueError(f"norm must be 'backward', 'ortho' or 'forward', not {norm!r}")
    return _SWAPPED[norm]


def _over_axes(a, s, axes, needs_one=False):
    """The array, and a list of the pairs (size, axis): by default, and for -1, the size that the array has there."""
    a = arraylike(a)
    if axes is None:
        axes = range(a.ndim) if s is None else range(-len(s), 0)
    if not axes and needs_one:
        raise ValueError("at least one axis is needed")
    sizes = [-1] * len(axes) if s is None else s
    if len(sizes) != len(axes):
        raise ValueError(f"s and axes must be as many, not {len(sizes)} and {len(axes)}")
    own = [a.shape[normalize_axis_index(i, a.ndim)] for i in axes]
    return a, [(here if n == -1 else n, i) for n, here, i in zip(sizes, own, axes, strict=True)]


def _transformed(transform, a, pairs, norm):
    """The array transformed along each axis of the pairs (size, axis), the last one first."""
    for n, axis in reversed(pairs):
        a = transform(a, n, axis, norm)
    return a


@named
def fftn(a: Array, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = None) -> Array:
    """`fft` along each of the axes (all by default), of sizes s.

    >>> mg.fftn(np.eye(2))
    array([[2.+0.j, 0.+0.j],
           [0.+0.j, 2.+0.j]])
    """
    a, pairs = _over_axes(a, s, axes)
    return _transformed(fft, a, pairs, norm)


@named
def ifftn(
    a: Array, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = None
) -> Array:
    """The inverse of `fftn`.

    >>> mg.ifftn(2 * np.eye(2))
    array([[1.+0.j, 0.+0.j],
           [0.+0.j, 1.+0.j]])
    """
    a, pairs = _over_axes(a, s, axes)
    return _transformed(ifft, a, pairs, norm)


@named
def rfftn(
    a: Array, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = None
) -> Array:
    """`rfft` along the last of the axes, then `fft` along the others.

    >>> mg.rfftn(np.ones((2, 2)))
    array([[4.+0.j, 0.+0.j],
           [0.+0.j, 0.+0.j]])
    """
    a, [*others, (n, axis)] = _over_axes(a, s, axes, needs_one=True)
    return _transformed(fft, rfft(a, n, axis, norm), others, norm)


@named
def irfftn(
    a: Array, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = None
) -> Array:
    """The inverse of `rfftn`.

    >>> mg.irfftn(mg.rfftn(np.ones((2, 2))))
    array([[1., 1.],
           [1., 1.]])
    """
    a, [*others, (n, axis)] = _over_axes(a, s, axes, needs_one=True)
    return irfft(_transformed(ifft, a, others, norm), None if s is None else n, axis, norm)


@named
def fft2(a: Array, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str | None = None) -> Array:
    """`fftn` over two axes.

    >>> mg.fft2(np.ones((1, 2, 2)))[0, 0, 0]
    np.complex128(4+0j)
    """
    return fftn(a, s, axes, norm)


@named
def ifft2(a: Array, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str | None = None) -> Array:
    """`ifftn` over two axes.

    >>> mg.ifft2(np.ones((1, 2, 2)))[0, 0, 0]
    np.complex128(1+0j)
    """
    return ifftn(a, s, axes, norm)


@named
def rfft2(a: Array, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str | None = None) -> Array:
    """`rfftn` over two axes.

    >>> mg.rfft2(np.ones((1, 2, 4))).shape
    (1, 2, 3)
    """
    return rfftn(a, s, axes, norm)


@named
def irfft2(a: Array, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str | None = None) -> Array:
    """`irfftn` over two axes.

    >>> mg.irfft2(np.ones((1, 2, 3))).shape
    (1, 2, 4)
    """
    return irfftn(a, s, axes, norm)


@named
def fftshift(x: Array, axes: Axis = None) -> Array:
    """The entries moved so that frequency 0 is in the middle.

    >>> mg.fftshift(np.array([0.0, 1.0, 2.0]))
    array([2., 0., 1.])
    """
    axes = normalized_axes(axes, np.ndim(x))
    return roll(x, tuple(np.shape(x)[i] // 2 for i in axes), axes)


@named
def ifftshift(x: Array, axes: Axis = None) -> Array:
    """The inverse of `fftshift`.

    >>> mg.ifftshift(np.array([2.0, 0.0, 1.0]))
    array([0., 1., 2.])
    """
    axes = normalized_axes(axes, np.ndim(x))
    return roll(x, tuple(-(np.shape(x)[i] // 2) for i in axes), axes)
