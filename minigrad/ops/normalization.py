"""Normalisation: entries shifted and scaled to mean 0 and variance 1, then by a weight and a bias.

One op over any axes, for `mg.layer_norm` and for the layers of `mg.nn`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import named
from ..operation import arraylike, op
from ..typing import Array
from .casting import floating, widened
from .reductions import _count, sum_of_products

__all__ = ["layer_norm"]


@named
def layer_norm(
    x: Array,
    normalized_shape: int | Sequence[int],
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """The last axes of X to mean 0 and variance 1, each example alone, times W, plus B.

    normalized_shape: the sizes of these axes, an int for one
    weight, bias: W and B, of this shape

    Z = W (X - mean) / (variance + eps)**(1/2) + B.
    Raises ValueError for shapes that don't fit. Reference: J. L. Ba et al., "Layer normalization", 2016.

    >>> mg.layer_norm(np.array([1.0, 2.0, 3.0, 4.0]), 4).round(2)
    array([-1.34, -0.45,  0.45,  1.34])
    """
    x = arraylike(x)
    shape = tuple(normalized_shape) if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    if not shape or x.shape[-len(shape) :] != shape:
        raise ValueError(f"layer_norm: x must end in normalized_shape, {shape}, not {x.shape}")
    for name, given in {"weight": weight, "bias": bias}.items():
        if given is not None and np.shape(given) != shape:
            raise ValueError(f"layer_norm: {name} must be {shape}, not {np.shape(given)}")
    weight, bias = 1.0 if weight is None else weight, 0.0 if bias is None else bias
    return normalized(x, weight, bias, axis=tuple(range(-len(shape), 0)), eps=eps, saved={})


@op(name="normalize")
def normalized(x, weight, bias, *, axis, eps, saved):
    """Z = A W + B with A = (X - mean) R and R = (variance + eps)**(-1/2), mean and variance being X's over the axes.

    W and B broadcast: dJ/dB = g and dJ/dW = g A. Mean and R depend on X: a change of X by a constant changes nothing,
    and one along A itself changes R too. So with h = g W, dJ/dX = R (h - mean(h) - A mean(h A)).
    Mean and variance are saved for running statistics, too.
    """
    x = floating(x)
    a, mean, variance, r = _standardized(widened(x), axis, eps)
    saved.update(a=a, mean=mean, variance=variance, r=r)
    z = a * weight
    z += bias
    # equivalent: copy=False -> copy=True because a copy is the same
    return z.astype(np.result_type(x, weight, bias), copy=False)


def _standardized(x, axis, eps):
    """A, the mean, the variance, and R."""
    n = max(_count(x, axis), 1)
    mean = sum_of_products(x, None, axis) / n
    a = x - mean
    variance = sum_of_products(a, a, axis) / n
    r = 1 / np.sqrt(variance + eps)
    a *= r
    return a, mean, variance, r


def _saved(x, axis, eps, saved):
    """A and R, as saved, or of a Tensor so that they are recorded."""
    # equivalent: never because what is computed again is the same
    if type(x) is np.ndarray:
        return saved["a"], saved["r"]
    a, _, _, r = _standardized(widened(x), axis, eps)
    return a, r


@normalized.vjp("x")
def _(g, z, x, weight, bias, axis, eps, saved):
    (a, r), n = _saved(x, axis, eps, saved), max(_count(x, axis), 1)
    h = widened(g) * weight
    dx = a * (sum_of_products(h, a, axis) / n)  # a Tensor where one of them is one, so that it can be written to
    dx += sum_of_products(h, None, axis) / n
    dx -= h
    dx *= -r
    return dx


@normalized.vjp("weight")
def _(g, z, x, weight, bias, axis, eps, saved):
    return g * _saved(x, axis, eps, saved)[0]


@normalized.vjp("bias")
def _(g, z, x, weight, bias, axis, eps, saved):
    return g
