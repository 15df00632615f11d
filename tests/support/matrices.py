"""Matrices to decompose: well conditioned ones, and such whose eigenvalues or singular values tie."""

import numpy as np
from hypothesis import strategies as st

from minigrad.testing import strategies as s

square_matrices = s.shapes(max_dims=1, max_side=2).flatmap(
    lambda lead: st.integers(1, 3).flatmap(lambda n: s.tensors((*lead, n, n), domain=(-0.5, 0.5)))
)


def apart(a):
    """A matrix, not symmetric, with a diagonal that keeps the eigenvalues of both triangles apart and positive."""
    return a * 0.5 + np.diag(2 * np.arange(1.0, a.shape[-1] + 1))


def uneven(f):
    """Rows weighed unequally: the norm of f itself does not depend on a, and a gradient of 0 shows rounding alone."""
    return lambda g, a: f(g, a) * np.arange(1.0, a.shape[-2] + 1)[:, None].astype(a.dtype)


def turned(values, seed=0, rows=None):
    """A symmetric matrix with these eigenvalues; with `rows`, one of so many rows with these singular values."""
    rng = np.random.default_rng(seed)
    n = len(values)
    left = np.linalg.qr(rng.normal(size=(rows or n, n)))[0]
    right = left if rows is None else np.linalg.qr(rng.normal(size=(n, n)))[0]
    return (left * np.array(values)) @ right.T


TIES = [np.diag([2.0, 2.0, 1.0]), np.diag([0.0, 0.0, 1.0]), np.eye(3), np.zeros((3, 3))]
TIES += [
    turned(values, seed) for values in ([2.0, 2.0, 1.0], [1.0, 1.0, 1.0, 5.0], [0.0, 0.0, 3.0]) for seed in range(4)
]
