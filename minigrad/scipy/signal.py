"""Convolution of arrays of any axes, with scipy.signal's name and signature.

Every window of the first array is multiplied by the reversed second: one einsum, whose derivatives are known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.signal as ss
from numpy.lib.array_utils import normalize_axis_index

from ..errors import named
from ..operation import arraylike
from ..ops import einsum, flip, pad, sliding_window_view
from ..ops.complex_numbers import conj
from ..ops.fourier import fftn, ifftn, irfftn, rfftn
from ..typing import Array

__all__ = ["convolve", "convolve_along", "correlate", "fftconvolve"]


@named
def convolve(in1: Array, in2: Array, mode: str = "full", method: str = "auto") -> Array:
    """The convolution over all axes: "full", or where the second fits into the first ("valid"), or its middle ("same").

    `method` changes nothing, but must be SciPy's.

    >>> mg.scipy.signal.convolve(np.ones((2, 2)), np.ones((2, 2)), "valid")
    array([[4.]])
    """
    if method not in ("auto", "direct", "fft"):
        raise ValueError(f"convolve: method must be 'auto', 'direct' or 'fft', not {method!r}")
    in1, in2 = arraylike(in1), arraylike(in2)
    if in1.ndim != in2.ndim:
        raise ValueError(f"convolve: both must have as many axes, not {in1.shape} and {in2.shape}")
    if mode == "valid" and any(m < n for m, n in zip(in1.shape, in2.shape, strict=True)):
        in1, in2 = in2, in1
    axes = tuple(range(in1.ndim))
    return convolve_along(in1, in2, (axes, axes), mode=mode)


@named
def correlate(in1: Array, in2: Array, mode: str = "full", method: str = "auto") -> Array:
    """The convolution with the reversed conjugate of the second, see `convolve`.

    >>> mg.scipy.signal.correlate(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0]), "valid")
    array([2., 3.])
    """
    return convolve(in1, flip(conj(arraylike(in2))), mode, method)


@named
def fftconvolve(in1: Array, in2: Array, mode: str = "full") -> Array:
    """The same as `convolve`, by Fourier transforms: fast for large arrays.

    >>> mg.scipy.signal.fftconvolve(np.ones(2), np.ones(3)).round(6)
    array([1., 2., 2., 1.])
    """
    in1, in2 = arraylike(in1), arraylike(in2)
    if mode not in ("full", "valid", "same") or in1.ndim != in2.ndim:
        return convolve(in1, in2, mode)  # equivalent: any factor because it raises an error that says what is wrong
    # equivalent: in1.shape, in2.shape -> in2.shape, in1.shape because the sizes below are the same either way
    sizes = [*zip(in1.shape, in2.shape, strict=True)]
    # equivalent: m > n -> m >= n; m > n -> m < n because the sizes differ, and it matters only whether all do one way
    if mode == "valid" and len({m > n for m, n in sizes if m != n}) > 1:
        raise ValueError(f"fftconvolve: for 'valid' one array must fit into the other, not {in1.shape}, {in2.shape}")
    full = [m + n - 1 for m, n in sizes]
    real = np.isrealobj(in1) and np.isrealobj(in2)
    forward, back = (rfftn, irfftn) if real else (fftn, ifftn)
    axes = [*range(in1.ndim)]
    found = back(forward(in1, full, axes) * forward(in2, full, axes), full, axes)
    return _centre(found, {"full": full, "same": in1.shape, "valid": [abs(m - n) + 1 for m, n in sizes]}[mode])


def _centre(a, shape):
    """The entries in the middle of a."""
    starts = [(whole - size) // 2 for whole, size in zip(a.shape, shape, strict=True)]
    return a[tuple(slice(start, start + size) for start, size in zip(starts, shape, strict=True))]


@named
def convolve_along(
    a: Array,
    b: Array,
    axes: tuple[Sequence[int], Sequence[int]],
    dot_axes: tuple[Sequence[int], Sequence[int]] = ((), ()),
    mode: str = "full",
) -> Array:
    """The convolution over pairs of axes, summed over pairs of dot_axes.

    The result has the other axes of a, the other axes of b, and the convolved axes, as long as a's for "same".
    Raises ValueError for other modes than "full", "valid" and "same", and with "valid" for a b that is larger than a.
    """
    a, b = arraylike(a), arraylike(b)
    of_a, of_b, dot_a, dot_b = (
        [normalize_axis_index(i, x.ndim) for i in along]
        for x, along in zip((a, b, a, b), (*axes, *dot_axes), strict=True)
    )
    sizes = tuple(b.shape[i] for i in of_b)
    if mode not in ("full", "valid", "same"):
        raise ValueError(f"convolve_along: mode must be 'full', 'valid' or 'same', not {mode!r}")
    if mode != "valid":
        borders = {i: _border(n, mode) for i, n in zip(of_a, sizes, strict=True)}
        a = pad(a, [borders.get(i, (0, 0)) for i in range(a.ndim)])
    if any(a.shape[i] < n for i, n in zip(of_a, sizes, strict=True)):
        raise ValueError(f"convolve_along: in a valid convolution b must fit into a (a {a.shape}, b {b.shape})")
    windows = sliding_window_view(a, sizes, tuple(of_a))
    return einsum(_subscripts(a.ndim, b.ndim, (of_a, of_b), (dot_a, dot_b)), windows, flip(b, tuple(of_b)))


def _border(n: int, mode: str) -> tuple[int, int]:
    """How many zeros stand before and after an axis that n entries are convolved with."""
    return (n - 1, n - 1) if mode == "full" else (n // 2, (n - 1) // 2)


def _subscripts(a_ndim: int, b_ndim: int, axes: Sequence[list[int]], dot_axes: Sequence[list[int]]) -> str:
    """The einsum of the windows of a with b: "abw,wc->bca" where a's first axis is convolved with b's."""
    (of_a, of_b), (dot_a, dot_b) = axes, dot_axes
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    in_a = [next(letters) for _ in range(a_ndim)]
    in_window = [next(letters) for _ in of_a]
    named = dict(zip(of_b, in_window, strict=True)) | {j: in_a[i] for i, j in zip(dot_a, dot_b, strict=True)}
    in_b = [named.get(i) or next(letters) for i in range(b_ndim)]
    kept = [c for i, c in enumerate(in_a) if i not in of_a and i not in dot_a]
    kept += [c for i, c in enumerate(in_b) if i not in named]
    output = kept + [in_a[i] for i in of_a]
    return f"{''.join(in_a + in_window)},{''.join(in_b)}->{''.join(output)}"


def __getattr__(name):
    """Any other function is SciPy's own."""
    return getattr(ss, name)
