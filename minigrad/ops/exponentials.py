"""NumPy's functions of exponentials that have slow code for float32, from those that have fast code: exp, log, tanh.

Each is precise to 4 units in the last place. Any other dtype is left to NumPy.
"""

import numpy as np


def expm1(x: np.ndarray) -> np.ndarray:
    """e**X - 1 = tanh(X / 2) (e**X + 1)."""
    if np.asarray(x).dtype.char != "f":
        return np.expm1(x)
    return np.tanh(x * 0.5) * (np.exp(x) + 1)


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
