"""How far two numbers may be apart that are equal in exact arithmetic: the bounds of all checks, derived.

EPS is the relative spacing of float64, EPS32 that of float32; one operation rounds its result by at most half of it.
"""

import math
from typing import Any

import numpy as np

EPS = float(np.finfo(np.float64).eps)
TINY = float(np.finfo(np.float64).tiny)  # smaller numbers are subnormal: they have no relative precision
EPS32 = float(np.finfo(np.float32).eps)
TINY32 = float(np.finfo(np.float32).tiny)
MAX32 = float(np.finfo(np.float32).max)

RTOL = 1e-9  # the relative error of a central difference of sixth order of a smooth function, with a wide margin
STEP = 2.0**-10  # h of a central difference, relative to the entry
REACH = 2.0**-6  # no evaluation moves an entry by a larger share of itself

SAME_VALUE = 1e-12  # of the largest entry: arrays and Tensors run the same NumPy functions, in another order at most

_REORDERED = 1e-9  # of the largest entry: sums in another order
_ROUNDINGS = 1e3  # operations, each on numbers as large as the input, between an input and the result
_FEW = 64  # a few roundings
_DIFFERENCE = (
    4 * EPS / STEP
)  # a rounding in a central difference: six evaluations, with weights that sum to less than 2
_ONE_SIDED = 100 * EPS / STEP  # in a one-sided one, whose weights sum to less than 100
_SATURATED = 36.0  # e**-36 is EPS: larger inputs of a saturated function cancel no further


def norm(a: Any) -> float:
    """The 2-norm of all entries. It does not overflow where their squares do.

    >>> norm(np.array([0.0, 3e200]))
    3e+200
    """
    largest = max_abs(a)
    if not 0 < largest < math.inf:
        return largest  # equivalent: any factor because it is 0, infinity or NaN
    a = a / largest
    return largest * math.sqrt(np.vdot(a, a))


def max_abs(a: Any) -> float:
    """The largest absolute value, 0 of an empty array.

    >>> max_abs(np.array([1.0, -2.0]))
    2.0
    """
    return float(np.max(np.abs(a), initial=0))


def exceeds(error: Any, bound: Any) -> Any:
    """Whether an error is larger than its bound, entry by entry; NaN is.

    >>> exceeds(np.array([0.5, 2.0, np.nan]), 1.0)
    array([False,  True,  True])
    """
    return ~np.less_equal(error, bound)


def of_central_difference(g: Any, y: Any, v: Any, x: Any, size: float) -> float:
    """How far rounding may move the central difference of sum(g * f) from <v, u>.

    The difference divides an error of the values by h. The values have three: f(x) is rounded by EPS |y|,
    which g weighs: ||g y||. Each x + t u is rounded by EPS |x|, which the slope v carries on: ||v x||. And f
    may have rounded numbers as large as its largest input on its way: ||g|| size.
    """
    return _DIFFERENCE * (norm(g * y) + norm(v * x) + norm(g) * size)


def of_jacobian(y: Any, slopes: Any, size: float, rtol: float) -> Any:
    """The same for single entries: slopes[i, j] is the change of y_i along one step of x_j, over the flat y and x."""
    size = max(size, max_abs(y))
    return rtol * np.abs(slopes) + _DIFFERENCE * (np.abs(slopes) + 2 * size) + TINY


def of_cancellation(g: Any, y: Any, size: float) -> float:
    """How wrong a gradient may be that cancels to almost nothing; `size` is the largest input.

    Nothing tells what cancelled: a slope of order 1 is assumed. It is rounded by EPS a few times (64), and its
    difference by EPS / h, for inputs up to where a saturated function is flat.
    """
    return _FEW * EPS * norm(g * y) * max(1.0, size) + _DIFFERENCE * norm(g) * min(size, _SATURATED)


def of_rounding(g: Any, y: Any, u: Any) -> float:
    """How wrong a slope along u may be whose VJP subtracts numbers of the order of g and of g y, such as 1 - y."""
    return _FEW * EPS * (norm(g * y) + norm(g) * min(max_abs(u), _SATURATED))


def of_one_sided_slope(y: Any) -> float:
    """What rounding makes of a one-sided slope of zero."""
    # equivalent: any factor because no bound is known to a millionth
    return _ONE_SIDED * max_abs(y)


def of_reordered_value(y: Any) -> float:
    """How far two values of one function may be apart when the sums inside run in another order."""
    return _REORDERED * max_abs(y) + _ROUNDINGS * EPS


def of_reordered_gradient(g: Any, v: Any, x: Any, eps: float = EPS) -> float:
    """The same for two gradients v: rounding of numbers of the size of x, weighed by g, that cancel in v."""
    return _REORDERED * max_abs(v) + _ROUNDINGS * eps * norm(g) * max(1.0, max_abs(x))


def of_float32(exact: Any, moved: list, scale: float) -> Any:
    """How far each float32 entry may be from the float64 result `exact` at the same inputs.

    Three terms, each of a few roundings (64):
    |exact|: the entry itself is rounded, relative to its size;
    max |moved - exact|: the inputs, and numbers as ill-conditioned as they are, are rounded. `moved` are float64
        results for inputs moved by one float32 rounding each, so this is measured, entry by entry;
    scale: what cancels exactly cannot be measured so, such as exp(x) - 1 at a small x. It is taken to be of order 1
        for a value, and of g's order for a gradient.
    No term grows with the number of entries; the second grows with the number that one entry sums, as its rounding
    does. Below TINY32 float32 has no relative precision.
    """
    change = np.max([np.abs(a - exact) for a in moved], axis=0)
    return _FEW * (EPS32 * (np.abs(exact) + scale) + change) + TINY32
