"""What a wrong gradient looks like: common mistakes, recognised by comparing it with the numeric one."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from .tolerances import exceeds, max_abs

_CLOSE = 1e-6


def diagnose(
    analytic: np.ndarray,
    numeric: np.ndarray,
    x: np.ndarray,
    *,
    multiples: dict[float, np.ndarray] | None = None,
    others: Sequence[tuple[str, np.ndarray]] = (),
) -> list[str]:
    """Sentences on how the analytic gradient differs from the numeric one, the simplest explanation first.

    multiples: {factor: the analytic gradient for factor * g}; others: (label, numeric gradient) of the
    other inputs of this shape.

    >>> numeric = np.array([1.0, 2.0])
    >>> diagnose(-numeric, numeric, numeric)
    ['it has the opposite sign']
    """
    same = _Agreement(numeric)
    found = list(_wrong_in_g(same, analytic, multiples or {}))
    for rule in (_rounded, _multiple, _rearranged, _offset):
        found += rule(same, analytic, numeric)
        if found:
            return found
    found = [f"it is the gradient of {label}" for label, other in others if same(analytic, other)]
    return found or list(_confined(analytic, numeric, x))


def constant_factor(analytic: np.ndarray, numeric: np.ndarray) -> str | None:
    """The sentence that says that one gradient is a multiple of the other, if it is.

    >>> constant_factor(np.array([2.0, 4.0]), np.array([1.0, 2.0]))
    'it is 2 times the numeric gradient in every entry'
    """
    return next(_multiple(_Agreement(numeric), analytic, numeric), None)


class _Agreement:
    """Whether two arrays agree, relative to the largest entry of the numeric gradient."""

    def __init__(self, numeric: np.ndarray) -> None:
        self.scale = max_abs(numeric)

    def __call__(self, a: np.ndarray, b: np.ndarray, close: float = _CLOSE) -> bool:
        return a.shape == b.shape and bool(np.all(np.abs(a - b) <= close * self.scale))


def _wrong_in_g(same: _Agreement, analytic: np.ndarray, multiples: dict[float, np.ndarray]) -> Iterator[str]:
    if all(same(gradient / factor, analytic) for factor, gradient in multiples.items()):
        return
    if all(same(gradient, analytic) for gradient in multiples.values()):
        yield "it does not depend on the upstream gradient g"
    else:
        yield "it is not linear in the upstream gradient g"


def _rounded(same: _Agreement, analytic: np.ndarray, numeric: np.ndarray) -> Iterator[str]:
    if same(analytic, numeric) and np.array_equal(analytic, np.float32(analytic)):
        yield "it looks rounded to float32"


def _multiple(same: _Agreement, analytic: np.ndarray, numeric: np.ndarray) -> Iterator[str]:
    if not np.any(analytic):
        yield "the VJP gives 0 everywhere"
        return
    if analytic.size < 2 or not np.any(numeric):
        return
    unit = numeric / same.scale  # whose square does not underflow
    ratio = float(np.sum(analytic * unit) / np.sum(numeric * unit))
    if same(analytic, ratio * numeric, min(_CLOSE, 1e-3 * abs(ratio - 1))):
        if math.isclose(ratio, -1, rel_tol=_CLOSE):  # equivalent: ratio, -1 -> -1, ratio because it is symmetric
            yield "it has the opposite sign"
        else:
            yield f"it is {ratio:.9g} times the numeric gradient in every entry"


def _rearranged(same: _Agreement, analytic: np.ndarray, numeric: np.ndarray) -> Iterator[str]:
    """The first that fits: several may be the same for this gradient."""
    if numeric.ndim >= 2 and same(analytic, np.swapaxes(numeric, -1, -2)):
        yield "it is transposed (the last two axes exchanged)"
        return
    for axis in range(numeric.ndim):
        for shift in (1, -1, 2, -2):
            if same(analytic, _shifted(numeric, shift, axis)):
                yield f"it is the numeric gradient shifted by {shift} along axis {axis}: an offset is wrong"
                return
    for axis in range(numeric.ndim):
        if numeric.shape[axis] > 1 and same(analytic, np.flip(numeric, axis)):
            yield f"it is reversed along axis {axis}"
            return


def _shifted(a: np.ndarray, shift: int, axis: int) -> np.ndarray:
    """The array shifted along the axis, filled up with zeros."""
    moved = np.roll(a, shift, axis)
    gap = [slice(None)] * a.ndim
    gap[axis] = slice(0, shift) if shift > 0 else slice(shift, None)  # equivalent: > -> >= because no shift is 0
    moved[tuple(gap)] = 0
    # equivalent: any factor because gradients agree to a millionth of the largest entry
    return moved


def _offset(same: _Agreement, analytic: np.ndarray, numeric: np.ndarray) -> Iterator[str]:
    difference = analytic - numeric
    offset = float(np.mean(difference))
    if analytic.size > 1 and not exceeds(np.ptp(difference), _CLOSE * abs(offset)):
        yield f"it is the numeric gradient plus {offset:.6g} in every entry"


def _confined(analytic: np.ndarray, numeric: np.ndarray, x: np.ndarray) -> Iterator[str]:
    """Where it is wrong, if there is a pattern."""
    wrong = np.abs(analytic - numeric) > _CLOSE * max_abs(numeric)
    if not wrong.any() or wrong.all():
        return
    yield f"{int(wrong.sum())} of {wrong.size} entries are wrong"
    for sign, side in (("< 0", x < 0), ("> 0", x > 0), ("= 0", x == 0)):
        if np.array_equal(wrong, side):
            yield f"it is wrong exactly where the input is {sign}"
    if np.all(analytic[wrong] == 0):
        yield "the wrong entries are 0 where they should not be"
    elif np.all(np.abs(numeric[wrong]) <= _CLOSE * max_abs(numeric)):
        yield "the wrong entries should be 0"
    border = _border(wrong.shape)
    if not np.any(wrong & ~border) and not border.all():
        yield "it is wrong only at the border of the last two axes"
    for axis, indices in enumerate(np.nonzero(wrong)):
        if wrong.shape[axis] > 1 and indices.min() == indices.max():
            yield f"it is wrong only at index {indices[0]} of axis {axis}, of size {wrong.shape[axis]}"


def _border(shape: tuple[int, ...]) -> np.ndarray:
    border = np.zeros(shape, bool)
    for axis in range(max(0, len(shape) - 2), len(shape)):
        at = np.moveaxis(border, axis, 0)
        at[0] = at[-1] = True
    return border
