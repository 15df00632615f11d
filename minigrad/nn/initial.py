"""Where weights start: He and Glorot, from a normal or a uniform distribution.

A layer keeps the variance of what passes through it if its weights have the right one. It depends on how many entries
are added up for an output (the inputs), and backward for an input (the outputs).
"""

from __future__ import annotations  # np.random, which annotations name, is slow to load

import math
from collections.abc import Sequence

import numpy as np

from ..errors import brief
from ..typing import DType
from .arguments import check_rng, check_sizes, float_dtype


def he_normal(shape: Sequence[int], *, rng: np.random.Generator, dtype: DType = np.float32) -> np.ndarray:
    """Weights (outputs, inputs, *window) of variance 2 / inputs, normal: for layers before a relu.

    inputs: shape[1] times the entries of the window. Raises ValueError for fewer than two axes.
    Reference: K. He et al., "Delving deep into rectifiers", 2015.

    >>> weight = mg.nn.he_normal((16, 8, 5, 5), rng=np.random.default_rng(0))
    >>> weight.dtype, round(float(weight.var() * 8 * 5 * 5), 1)
    (dtype('float32'), 2.0)
    """
    return _normal("he_normal", shape, lambda inputs, outputs: 2 / inputs, rng, dtype)


def he_uniform(shape: Sequence[int], *, rng: np.random.Generator, dtype: DType = np.float32) -> np.ndarray:
    """Weights of the variance of `he_normal`, uniform between -(6 / inputs)**(1/2) and that.

    >>> bool(np.abs(mg.nn.he_uniform((2, 6), rng=np.random.default_rng(0))).max() <= 1)
    True
    """
    return _uniform("he_uniform", shape, lambda inputs, outputs: 2 / inputs, rng, dtype)


def glorot_normal(shape: Sequence[int], *, rng: np.random.Generator, dtype: DType = np.float32) -> np.ndarray:
    """Weights (outputs, inputs, *window) of variance 2 / (inputs + outputs), normal: for tanh, or no activation.

    Both numbers are multiplied by the entries of the window. Raises ValueError for fewer than two axes.
    Reference: X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    2010.

    >>> weight = mg.nn.glorot_normal((1000, 600), rng=np.random.default_rng(0))
    >>> round(float(weight.var() * 1600), 1)
    2.0
    """
    return _normal("glorot_normal", shape, lambda inputs, outputs: 2 / (inputs + outputs), rng, dtype)


def glorot_uniform(shape: Sequence[int], *, rng: np.random.Generator, dtype: DType = np.float32) -> np.ndarray:
    """Weights of the variance of `glorot_normal`, uniform between -(6 / (inputs + outputs))**(1/2) and that.

    >>> bool(np.abs(mg.nn.glorot_uniform((2, 4), rng=np.random.default_rng(0))).max() <= 1)
    True
    """
    return _uniform("glorot_uniform", shape, lambda inputs, outputs: 2 / (inputs + outputs), rng, dtype)


def _normal(name, shape, variance, rng, dtype):
    inputs, outputs, dtype = _checked(name, shape, rng, dtype)
    return rng.normal(0, math.sqrt(variance(inputs, outputs)), shape).astype(dtype)


def _uniform(name, shape, variance, rng, dtype):
    inputs, outputs, dtype = _checked(name, shape, rng, dtype)
    limit = math.sqrt(3 * variance(inputs, outputs))
    return rng.uniform(-limit, limit, shape).astype(dtype)


def _checked(name, shape, rng, dtype):
    """(inputs, outputs, dtype) of weights."""
    if not isinstance(shape, (tuple, list)) or len(shape) < 2:
        raise ValueError(f"{name}: shape must be (outputs, inputs, ...), not {brief(shape)}")
    check_sizes(name, **{f"shape[{i}]": size for i, size in enumerate(shape)})
    check_rng(name, rng)
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window, float_dtype(name, dtype)
