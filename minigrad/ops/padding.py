"""Ops that add a border or take one off: pad with every mode of NumPy's, trim_zeros, resize."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from ..nest import flatten as leaves_of
from ..operation import arraylike, op
from ..stand_ins import implements
from ..typing import Array, Shape
from .arranging import array
from .casting import astype
from .joining import RUNS, by_runs, concatenate, pieces
from .shaping import broadcast_to, moveaxis, ravel, reshape

__all__ = ["pad", "resize", "trim_zeros"]


@implements(np.pad)
def pad(
    array: Array,
    pad_width: int | Sequence[Any] | dict[int, Any],
    mode: str = "constant",
    *,
    constant_values: Array = 0,
    end_values: Array = 0,
    stat_length: int | Sequence[Any] | None = None,
    reflect_type: str = "even",
) -> Array:
    """The array with a border, as np.pad: of constants, of entries of the array, or of what is computed of these.

    The modes are those of np.pad, without a function. Adjoint of a constant border: cropping it off.

    >>> mg.pad(np.array([1.0, 2.0]), (1, 2))
    array([0., 1., 2., 0., 0.])
    >>> mg.pad(np.array([1.0, 2.0, 3.0]), 1, "reflect")
    array([2., 1., 2., 3., 2.])
    >>> mg.pad(np.array([1.0, 4.0]), 2, "linear_ramp", end_values=0.0)
    array([0. , 0.5, 1. , 4. , 2. , 0. ])
    """
    a = arraylike(array)
    _check_options(
        mode,
        constant_values=(constant_values, 0),
        end_values=(end_values, 0),
        stat_length=(stat_length, None),
        reflect_type=(reflect_type, "even"),
    )
    widths = _pairs(pad_width, a.ndim).tolist()
    if mode == "constant" and not any(hasattr(value, "detach") for value in leaves_of(constant_values)):
        return _pad(a, widths, constant_values=constant_values)
    if mode in _MOVES or (mode in ("reflect", "symmetric") and reflect_type == "even"):
        return _with_copied_border(a, widths, _MOVES.get(mode, mode))
    if mode not in _BORDERS or reflect_type not in ("even", "odd"):
        modes = ", ".join(map(repr, (*_MOVES, *_BORDERS)))
        raise ValueError(f"pad: mode must be one of {modes}, not {mode!r}, and reflect_type 'even' or 'odd'")
    given = {"constant": constant_values, "linear_ramp": end_values}.get(mode, stat_length)
    for axis, (n, value) in enumerate(zip(widths, _pairs(given, a.ndim), strict=True)):
        a = moveaxis(_with_rows(moveaxis(a, axis, 0), n, value, mode), 0, axis)
    return a


def _with_rows(a, n, value, mode):
    """The array with n[0] and n[1] computed rows before and after its own."""
    if mode in _STATISTICS and value[0] is value[1] is None:  # the same at both ends
        statistic = _STATISTICS[mode](a, axis=0)
        before, after = (_rows(statistic, k, a) for k in n)
    else:
        before, after = (_BORDERS[mode](a[::step], n[i], value[i]) for i, step in enumerate((1, -1)))
    return concatenate([astype(before, a.dtype), a, astype(after, a.dtype)[::-1]])


def _with_copied_border(a, widths, mode):
    """The array with a border of copies of its entries, axis by axis."""
    for axis, (n, (before, after)) in enumerate(zip(a.shape, widths, strict=True)):
        # equivalent: never because no width leaves the axis as it is
        if not before and not after:
            continue
        if not n:
            np.pad(np.empty(0), (before, after), mode)  # which raises
        # equivalent: any change because both ways pick the same
        if before + after < RUNS:
            border = [(int(i), int(i) + 1) for i in _PLACES[mode](np.r_[-before:0, n : n + after], n)]
            a = pieces(a, runs=[*border[:before], (0, n), *border[before:]], axis=axis)
        else:
            a = by_runs(a, _PLACES[mode](np.arange(-before, n + after), n), axis)
    return a


_PLACES = {  # mode -> the places that entries of the border are copies of
    "edge": lambda i, n: np.clip(i, 0, n - 1),
    "wrap": lambda i, n: i % n,
    "symmetric": lambda i, n: np.minimum(i % (2 * n), (-1 - i) % (2 * n)),
    "reflect": lambda i, n: np.minimum(i % max(2 * n - 2, 1), -i % max(2 * n - 2, 1)),
}


def _check_options(mode, **options):
    """Raise ValueError for an option, other than its default, that NumPy does not have in this mode."""
    given = {name: default for name, (value, default) in options.items() if value is not default}
    if given and isinstance(mode, str):
        # equivalent: 1 -> 2 because an array of any size has the same options
        np.pad(np.zeros(1), 0, mode, **given)  # type: ignore[call-overload]


def _pairs(given, ndim):
    """What is given for before and after each axis."""
    if isinstance(given, dict):
        given = [given.get(i, given.get(i - ndim, 0)) for i in range(ndim)]
        given = [pair if np.ndim(pair) else (pair, pair) for pair in given]
    return np.broadcast_to(np.asarray(given) if given is None else array(given), (ndim, 2))


@op(name="pad", complex=True)
def _pad(array, pad_width, *, constant_values):
    return np.pad(array, pad_width, constant_values=constant_values)


@_pad.vjp("array")
def _(g, out, array, pad_width, constant_values):
    return g[tuple(slice(before, before + n) for (before, _), n in zip(pad_width, array.shape, strict=True))]


def _ramp(a, n, end):
    part = np.arange(n).reshape((n,) + (1,) * (a.ndim - 1)) / n
    return end + (a[:1] - end) * part


def _statistic(function):
    return lambda a, n, length: _rows(function(a[:length], axis=0), n, a)


def _rows(value, n, a):
    return np.broadcast_to(value, (n, *a.shape[1:]))


def _odd(skipped, a, n, _):
    """The border of differences from the edge, mirrored; without the edge itself if that is to be skipped (1)."""
    if a.shape[0] == 1:
        return _rows(a, n, a)
    nearest = 2 * a[:1] - a[skipped : skipped + n][::-1]
    rest = n - nearest.shape[0]
    return concatenate([_odd(skipped, concatenate([nearest, a]), rest, _), nearest]) if rest else nearest


_STATISTICS: dict[Any, Any] = {"mean": np.mean, "median": np.median, "maximum": np.max, "minimum": np.min}
_MOVES = {"edge": "edge", "wrap": "wrap", "empty": "edge"}  # mode -> the one of np.pad that moves entries
_BORDERS = {  # mode -> the border of so many rows before the first row
    "constant": lambda a, n, value: _rows(value, n, a),
    "linear_ramp": _ramp,
    **{mode: _statistic(function) for mode, function in _STATISTICS.items()},
    **{"reflect": partial(_odd, 1), "symmetric": partial(_odd, 0)},
}


@implements(np.resize)
def resize(a: Array, new_shape: Shape) -> Array:
    """The entries in a new shape, from the start again where they don't suffice.

    >>> mg.resize(np.array([1.0, 2.0]), 3)
    array([1., 2., 1.])
    """
    size, n = int(np.prod(new_shape)), np.size(a)
    if not n and size:
        raise ValueError(f"resize: an array without entries can't fill {new_shape}")
    # equivalent: 1 -> 2 because no entries are none when repeated
    repeated = broadcast_to(ravel(a), (-(-size // (n or 1)), n))
    return reshape(ravel(repeated)[:size], new_shape)


@implements(np.trim_zeros)
def trim_zeros(filt: Array, trim: str = "fb") -> Array:
    """The array of one axis without the zeros at its front ("f") and back ("b").

    >>> mg.trim_zeros(np.array([0.0, 1.0, 0.0, 2.0, 0.0]))
    array([1., 0., 2.])
    """
    filt = arraylike(filt)
    if not {*trim.lower()} <= {*"fb"}:
        raise ValueError(f"trim_zeros: trim must be 'f', 'b' or 'fb', not {trim!r}")
    if filt.ndim != 1:
        raise ValueError(f"trim_zeros: the array must have one axis, not {filt.shape}")
    kept = np.flatnonzero(filt)
    if not kept.size:
        return filt[:0]  # equivalent: any factor because nothing is in it
    return filt[kept[0] if "f" in trim.lower() else 0 : kept[-1] + 1 if "b" in trim.lower() else filt.size]
