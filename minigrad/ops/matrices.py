"""What ops of matrices share: transposes, the check of a square matrix, and NumPy's named results."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from ..operation import arraylike
from ..typing import Array
from .complex_numbers import conj


@lru_cache
def result_of(function: Callable) -> Any:
    """The named tuple that a function of NumPy returns, which has no public name."""
    return type(function(np.eye(1)))  # equivalent: 1 -> any number because results of any matrix have this type


def T(a: Array) -> Array:
    """A^T, the transpose of each matrix."""
    return np.swapaxes(a, -1, -2)


def H(a: Array) -> Array:
    """A^H, the conjugate transpose of each matrix; of a real one the transpose."""
    return conj(T(a))


def square_matrix(name: str, a: Array) -> Array:
    """`a` as an array or Tensor; ValueError unless it holds square matrices."""
    a = arraylike(a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(f"{name}: a must be a square matrix, or a stack of them, not {a.shape}")
    return a
