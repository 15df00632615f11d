"""Functions of exponentials for which NumPy is slow in float32, from those for which it is fast: exp, log, tanh.

Each is precise to 4 units in the last place. Any other dtype is left to NumPy.
"""

import numpy as np


def expm1(x: np.ndarray) -> np.ndarray:
    """e**X - 1 = tanh(X / 2) (e**X + 1)."""
    if np.asarray(x).dtype.char != "f":
        return np.expm1(x)
    return np.tanh(x * 0.5) * (np.exp(x) + 1)


def expm1_below_0(x: np.ndarray) -> np.ndarray:
    """e**X - 1 = 2 H / (1 - H) with H = tanh(X / 2), for X <= 0 alone: for great X it would divide by 0."""
    if x.dtype.char != "f":
        return np.expm1(x)
    half = np.tanh(x / 2)
    return 2 * half / (1 - half)


def log1p(x: np.ndarray) -> np.ndarray:
    """ln(1 + X) = ln U + (X - (U - 1)) / U to first order, with U the rounded 1 + X."""
    x = np.asarray(x)
    if x.dtype.char != "f" or not x.ndim:
        return np.log1p(x)
    u = x + 1
    with np.errstate(all="ignore"):
        a = np.log(u)
        a += (x - (u - 1)) / u
        np.copysign(a, x, out=a)  # at -0.0
    special = ~np.isfinite(a)
    if special.any():
        a[special] = np.log1p(x[special])
    return a


def log1p_exp(z: np.ndarray) -> np.ndarray:
    """ln(1 + e**-|Z|): 2 artanh(S) for S = E / (2 + E), from E = e**-|Z|.

    artanh(S) = S + S**3 (1/3 + S**2 / 5 + ...) is cut off and fitted to S <= 1/3.
    """
    e = np.exp(-np.abs(z))
    if e.dtype.char != "f":
        return np.log1p(e)
    s = e / (2 + e)
    square = s * s
    series = square * 0.11616604362
    for c in (0.108523053232, 0.142962468426, 0.199998516711, 0.333333336654):
        series += c
        series *= square
    return 2 * (s + s * series)
