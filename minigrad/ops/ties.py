"""Where eigenvalues or singular values tie, and divisions by their differences, which mean nothing there."""

from __future__ import annotations

import numpy as np

from ..typing import Array


def differences(x: Array) -> Array:
    """x[j] - x[i] in row i and column j."""
    return x[..., None, :] - x[..., :, None]


def sums(x: Array) -> Array:
    """x[j] + x[i] in row i and column j."""
    return x[..., None, :] + x[..., :, None]


def on_diagonal(x: Array) -> Array:
    """Whether i and j are the same, in row i and column j."""
    return np.eye(x.shape[-1], dtype=bool)


def rounding(x: Array) -> Array:
    """What the rounding of a decomposition can add to the values x: smaller differences of them mean nothing."""
    # equivalent: 32 -> any number; x.shape[-1] -> x.shape[0]; any factor because rounding is known to a factor alone
    return max(32, x.shape[-1]) * np.finfo(x.dtype).eps * np.max(np.abs(x), axis=-1, keepdims=True, initial=0)


def tied(x: Array) -> Array:
    """Whether x[i] and x[j] are equal up to rounding."""
    return np.abs(differences(x)) <= rounding(x)[..., None]


def unused(x: Array, *gradients: Array) -> Array:
    """Whether no gradient reaches a vector, a column of each: its value is only rounding, and all of the column is 0.

    A column of 0 at an exact 0 says nothing: that of f(A) = V diag(w) V^T is 0 there, because w is.
    """
    # equivalent: <= -> < because a bound on rounding is not met exactly
    faint = (x != 0) & (np.abs(x) <= rounding(x))
    return faint & ~np.any([np.any(g != 0, axis=-2) for g in gradients], axis=0)


def both(marks: Array) -> Array:
    """Whether i and j are marked, in row i and column j."""
    return marks[..., None, :] & marks[..., :, None]


def equal(rise: Array, fixed: bool) -> Array:
    """Where two weights are equal and fixed: there 0 / 0 at a tie means 0."""
    return (rise == 0) & fixed


def fixed(g: Array) -> bool:
    """Whether g needs no gradient, so that further derivatives take it as a constant."""
    return not getattr(g, "requires_grad", False)


def quotient(numerator: Array, denominator: Array, vanishing: Array, nothing: Array) -> Array:
    """numerator / denominator, but NaN where the denominator is only rounding, and 0 where nothing flows."""
    # equivalent: 1 -> 2 because the quotient is not selected where it is the divisor
    denominator = np.where(nothing, 1, np.where(vanishing, np.nan, denominator))
    return np.where(nothing, 0, numerator / denominator)
