"""Normalisation: entries shifted and scaled to mean 0 and variance 1, then by learnt numbers.

The learnt numbers and running statistics; the op is ops/normalization.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import ops
from .._tensor import Tensor
from ..operation import array_of, arraylike
from ..ops.normalization import normalized
from ..typing import Array, DType
from .arguments import check_number, check_sizes, float_dtype
from .layers import parameter
from .module import Module


class BatchNorm2d(Module):
    """Each channel of x (N, C, H, W) to mean 0 and variance 1 over the batch, times weight, plus bias.

    While training these are the mean and variance of the batch, and the buffers `running_mean` and `running_var` move
    towards them (the variance with n - 1) by the fraction `momentum`; in `eval()` the buffers are used instead.
    A batch that `mg.checkpoint` computes again moves them again.
    Raises ValueError for another shape, and while training if a channel has fewer than two entries.
    Reference: S. Ioffe and C. Szegedy, "Batch normalization", 2015.

    >>> layer = mg.nn.BatchNorm2d(3)
    >>> z = layer(np.random.default_rng(0).normal(5.0, 2.0, (8, 3, 4, 4)))
    >>> bool(abs(z.data.mean()) < 1e-6 and abs(z.data.var() - 1) < 1e-5)
    True
    """

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, *, dtype: DType = np.float32):
        name = type(self).__name__
        check_sizes(name, num_features=num_features)
        check_number(name, "eps", eps, 0, np.inf)
        check_number(name, "momentum", momentum, 0, 1)
        dtype = float_dtype(name, dtype)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.weight, self.bias = parameter(np.ones(num_features, dtype)), parameter(np.zeros(num_features, dtype))
        self.running_mean, self.running_var = np.zeros(num_features, dtype), np.ones(num_features, dtype)
        self.num_batches_tracked = np.array(0)

    def forward(self, x: Array) -> Tensor:
        """Return the normalised x."""
        x = arraylike(x, type(self).__name__, "x")
        if x.ndim != 4 or x.shape[1] != self.num_features:
            raise ValueError(f"{type(self).__name__}: x must be (N, {self.num_features}, H, W), not {x.shape}")
        n = x.size // self.num_features
        if self.training and n < 2:
            raise ValueError(f"{type(self).__name__}: training takes more than one entry in a channel, not x {x.shape}")
        if self.training:
            z, mean, variance, n = self._of_batch(x)
            self._track(array_of(mean), array_of(variance), n)
            return z
        return self._normalized(x, self.running_mean[:, None, None], self.running_var[:, None, None])

    def _normalized(self, x: Any, mean: Any, variance: Any) -> Any:
        a = (x - mean) / ops.sqrt(variance + self.eps)
        return a * self.weight[:, None, None] + self.bias[:, None, None]

    def _of_batch(self, x: Any) -> tuple[Any, Any, Any, int]:
        """The layer's result; mean and variance of each channel of the batch, and the number of its entries."""
        saved: dict[str, Any] = {}
        weight, bias = self.weight[:, None, None], self.bias[:, None, None]
        z = normalized(x, weight, bias, axis=(0, 2, 3), eps=self.eps, saved=saved)
        return z, saved["mean"], saved["variance"], x.size // self.num_features

    def _track(self, mean: np.ndarray, variance: np.ndarray, n: int) -> None:
        """Move the running statistics towards those of a batch with n entries in a channel."""
        self.running_mean = self._moved(self.running_mean, mean)
        self.running_var = self._moved(self.running_var, variance * (n / (n - 1)))
        self.num_batches_tracked = np.array(self.num_batches_tracked + 1)

    def _moved(self, running: Any, batch: np.ndarray) -> np.ndarray:
        running = array_of(running)  # equivalent: array_of(running) -> running because its copy is not used again
        return (running + self.momentum * (batch.reshape(-1) - running)).astype(running.dtype)


class LayerNorm(Module):
    """The last axes of x to mean 0 and variance 1, each example alone, times weight, plus bias.

    normalized_shape: the sizes of these axes, an int for one; weight and bias have this shape.
    Raises ValueError if x ends in another shape. Reference: J. L. Ba et al., "Layer normalization", 2016.

    >>> layer = mg.nn.LayerNorm(4, dtype=float)
    >>> layer(np.array([1.0, 2.0, 3.0, 4.0])).data.round(2)
    array([-1.34, -0.45,  0.45,  1.34])
    """

    def __init__(self, normalized_shape: int | Sequence[int], eps: float = 1e-5, *, dtype: DType = np.float32):
        shape = tuple(normalized_shape) if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
        check_sizes("LayerNorm", **{f"normalized_shape[{i}]": size for i, size in enumerate(shape)})
        check_number("LayerNorm", "eps", eps, 0, np.inf)
        dtype = float_dtype("LayerNorm", dtype)
        self.normalized_shape, self.eps = shape, eps
        self.weight, self.bias = parameter(np.ones(shape, dtype)), parameter(np.zeros(shape, dtype))

    def forward(self, x: Array) -> Tensor:
        """Return the normalised x."""
        x, n = arraylike(x, "LayerNorm", "x"), len(self.normalized_shape)
        if x.shape[-n:] != self.normalized_shape:
            raise ValueError(f"LayerNorm: x must end in {self.normalized_shape}, not {x.shape}")
        return normalized(x, self.weight, self.bias, axis=tuple(range(-n, 0)), eps=self.eps, saved={})
