"""What layers require of their arguments: sizes, dtypes and generators, each refused in one sentence."""

from __future__ import annotations  # np.random, which annotations name, is slow to load

from typing import Any

import numpy as np

from ..errors import brief, check_sizes
from ..typing import DType

__all__ = ["check_bias", "check_number", "check_rng", "check_sizes", "float_dtype"]


def check_number(layer: str, name: str, value: Any, low: float, high: float) -> None:
    """Raise TypeError unless the value is a number, ValueError unless it is from low to high."""
    if not isinstance(value, (int, float, np.integer, np.floating)) or isinstance(value, bool):
        raise TypeError(f"{layer}: {name} must be a number, not {brief(value)}")
    if not low <= value <= high:
        raise ValueError(f"{layer}: {name} must be from {low} to {high}, not {value}")


def check_bias(layer: str, bias: Any) -> None:
    """Raise TypeError unless it says whether there is one: its values are no argument."""
    if not isinstance(bias, (bool, np.bool)):
        raise TypeError(f"{layer}: bias must be True or False, not {brief(bias)}")


def check_rng(layer: str, rng: Any) -> np.random.Generator:
    """Return the generator. Raises TypeError for anything else, such as a seed."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"{layer}: rng must be a numpy.random.Generator, as np.random.default_rng(0), not {brief(rng)}")
    return rng


def float_dtype(layer: str, dtype: DType) -> np.dtype:
    """Return the dtype. Raises TypeError unless it is floating-point."""
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = np.dtype(object)
    if found.kind != "f":
        raise TypeError(f"{layer}: dtype must be a floating-point dtype, not {brief(dtype)}")
    return found
