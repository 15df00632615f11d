"""The error function and the distribution function of the standard normal, of arrays: NumPy has neither.

Both are rational functions P(x) / Q(x), with a factor e**(-x**2) split off where they vanish, as in W. J. Cody,
"Rational Chebyshev approximations for the error function", 1969. The coefficients are fits of the least relative error:
below 1e-8 for float32, 1e-18 for float64. Those of P and Q are positive, so that their sums don't cancel, but for erf,
where they are small. erf is precise to 1 unit in the last place, the distribution function to 12.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

_BLOCK = 2**20  # bytes of an array that is computed on the way, so that it stays in the cache

# erf(x) / x in x**2, up to the x from which erf(x) is rounded to 1: P and Q from the highest power down
_ERF_SINGLE = (
    (-1.28092437769092e-8, 4.61059628776835e-6, 3.76824640716407e-4, 3.83967427057883e-3, 5.42480949545147e-2,
     1.85157930212430e-1, 1.12837916913033),
    (6.24115536821714e-5, 1.30182344295487e-3, 1.54324100178573e-2, 1.13884096413922e-1, 4.97425348872766e-1, 1.0),
)  # fmt: skip
_ONE_FROM = {"f": 3.924, "d": 6.0}  # dtype -> the x from which erf(x) is rounded to 1
# erf(x) / x - 1 in the same way, for x < 1
_ERF_DOUBLE = (
    (-2.0732554512947536346e-5, -4.9561379362223371937e-4, -8.8156701443527837911e-3,
     -4.8329469377226585086e-2, -3.1700613397189631429e-1, 1.2837916709551257470e-1),
    (2.0810274849287490976e-5, 6.9249859719179080669e-4, 1.0693083020775375753e-2, 9.3813088632887188779e-2,
     4.6051284174446034099e-1, 1.0),
)  # fmt: skip
# e**(z**2 / 2) times the probability that a standard normal is above z >= 0
_TAIL_DOUBLE = (
    (2.2406585158194523578e-7, 6.9731362081240945117e-6, 1.0653859813091377744e-4, 1.0394518900205678932e-3,
     7.1214470970407207393e-3, 3.5662191442183640902e-2, 1.3203025332248123065e-1, 3.573133817501856743e-1,
     6.7956939026039356545e-1, 8.2790019904963042889e-1, 5.0000000000000000043e-1),
    (5.6164979895444903257e-7, 1.7479060382166864681e-5, 2.6761431221028983936e-4, 2.6229985582304938144e-3,
     1.8116750003517554921e-2, 9.196241907350100564e-2, 3.4827309067790070069e-1, 9.8000757536179311673e-1,
     2.0013037328796018634, 2.8168961263029994916, 2.4536849589021264119, 1.0),
)  # fmt: skip
# the same for float32 as c1 / (z + b1 + c2 / (z + b2 + ...)): (c1, b1), ...
_TAIL_SINGLE = (
    (3.989469081e-1, 7.390815219e-4), (9.787189116e-1, -3.812050777e-1), (6.795333284, 6.806769092),
    (-5.250165594, -8.080009406), (1.165483412e2, 1.152539556e1),
)  # fmt: skip
_ZERO_FROM = {"f": 14.5, "d": 39.0}  # dtype -> the z above which the probability is rounded to 0
_FAR = 4  # the z from which e**(-z**2 / 2) loses digits, because its exponent is rounded
_SHARE = 1 / 16  # share of the entries from which on computing all is faster than picking some out
_LEADING_BITS = np.int64(-(2**27))


def erf(x: np.ndarray) -> np.ndarray:
    """2 pi**(-1/2) times the integral of e**(-t**2) from 0 to x; float32 as float32, all else as float64."""
    x = _single_or_double(x)
    return _by_blocks(_erf_single if x.dtype.char == "f" else _erf_double, x, np.empty_like(x))


def normal_cdf(z: np.ndarray) -> np.ndarray:
    """The probability that a standard normal is below z; float32 as float32, all else as float64."""
    z = _single_or_double(z)
    return _by_blocks(_cdf_and_decay, z, np.empty_like(z))


def gelu(a: np.ndarray, z: np.ndarray, slope: np.ndarray) -> None:
    """Write z P(z) to `a` and its slope P(z) + z p(z) to `slope`, with P = normal_cdf and p = dP/dz.

    z is float32 or float64, or is computed as float64; all have its memory layout.
    """
    x = _single_or_double(z)
    results = (a, slope) if x is z else (np.empty_like(x), np.empty_like(x))
    _by_blocks(_gelu_and_slope, x, *results)
    if x is not z:
        a[...], slope[...] = results


def _single_or_double(x):
    x = np.asarray(x)
    return np.asarray(x, np.float32 if x.dtype.char == "f" else np.float64)


def _by_blocks(function: Callable, x: np.ndarray, *results: np.ndarray) -> np.ndarray:
    """Let function(x, *results) write to the results, a block at a time; return the first."""
    if not x.flags.forc:  # contiguous, in C's or Fortran's order
        x = np.copy(x, order="K")
    flat = [array.ravel(order="K") for array in (x, *results)]  # views, in one order
    block = _BLOCK // (8 if function is _erf_single else x.itemsize)  # which computes in float64
    for start in range(0, x.size, block):
        function(*[array[start : start + block] for array in flat])
    return results[0]


def _erf_single(x, out):
    x = x.clip(-_ONE_FROM["f"], _ONE_FROM["f"]).astype(np.float64)
    out[...] = x * _rational(x * x, *_ERF_SINGLE)


# equivalent: size, 1 -> size, 2; >= -> > because from 1 on it is overwritten, and at 1 both are as precise
def _erf_double(x, out):
    size = np.abs(x)
    small = np.minimum(size, 1)
    near = _rational(small * small, *_ERF_DOUBLE)
    near *= small
    near += small
    far = np.flatnonzero(size >= 1)
    if far.size:
        # equivalent: 0 -> 1 because they are no smaller
        size = size[far].clip(0, _ONE_FROM["d"])
        near[far] = 1 - 2 * _rational(size * math.sqrt(2), *_TAIL_DOUBLE) * np.exp(-size * size)
    np.copysign(near, x, out=out)


def _gelu_and_slope(z, a, slope):
    decay = _cdf_and_decay(z, slope)
    np.multiply(z, slope, out=a)
    decay *= z
    decay *= 1 / math.sqrt(2 * math.pi)
    slope += decay


def _cdf_and_decay(z, out):
    """Write P(z) to `out`; return e**(-z**2 / 2)."""
    x = np.abs(z, out=out)
    tail = _fraction(x, _TAIL_SINGLE) if z.dtype.char == "f" else _rational(x.clip(0, _ZERO_FROM["d"]), *_TAIL_DOUBLE)
    with np.errstate(over="ignore"):
        decay = x * x
    decay *= -0.5
    np.exp(decay, out=decay)
    tail *= decay
    # equivalent: < -> <=; -_FAR -> _FAR because it makes more results precise than need be, which is slower
    below = z < -_FAR
    where: Any = np.flatnonzero(below)
    if where.size:
        # equivalent: any change because the others keep their tails
        where = where if where.size < x.size * _SHARE else slice(None)
        rest = _rounded_off(x[where].clip(0, _ZERO_FROM[z.dtype.char]))
        rest *= -0.5
        rest *= below[where]
        rest += 1
        tail[where] *= rest
    # equivalent: > -> >= because at 0 the tail and the rest are 1/2
    tail -= z > 0
    np.abs(tail, out=out)  # 1 - the tail for z > 0
    return decay


def _rounded_off(x):
    """x**2 - x * x: what rounding takes from the exponent. The exponential gets it back to first order."""
    square = x * x
    if x.dtype.char == "f":
        x = x.astype(np.float64)
        return (x * x - square).astype(np.float32)
    leading = (x.view(np.int64) & _LEADING_BITS).view(np.float64)  # whose square is exact
    return (leading * leading - square) + (x - leading) * (x + leading)


def _fraction(x, levels):
    """c1 / (x + b1 + c2 / (x + b2 + ...)), from the last level up."""
    (c, b), *upper = levels[::-1]
    total = c / (x + b)
    for c, b in upper:
        total += x
        total += b
        np.divide(c, total, out=total)
    return total


def _rational(x, above, below):
    """P(x) / Q(x), their coefficients from the highest power down."""
    quotient = _polynomial(x, above)
    quotient /= _polynomial(x, below)
    return quotient


def _polynomial(x, coefficients):
    total = x * coefficients[0]
    for c in coefficients[1:-1]:
        total += c
        total *= x
    total += coefficients[-1]
    return total  # equivalent: any factor because one polynomial is divided by another
