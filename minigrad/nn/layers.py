"""The layers of feed-forward networks, each a few lines around the op that it calls."""

from __future__ import annotations  # np.random, which annotations name, is slow to load

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from .. import ops
from .._tensor import Tensor, tensor
from ..operation import arraylike
from ..ops.windows import pair, pairs
from ..typing import Array, DType, Pair
from .arguments import check_bias, check_number, check_rng, check_sizes, float_dtype
from .initial import he_normal
from .module import Module

if TYPE_CHECKING:
    from ..typing import ArrayLike


def parameter(array: np.ndarray) -> Tensor:
    """A Tensor that requires a gradient."""
    return tensor(array, requires_grad=True)


class Linear(Module):
    """Z = X W.T + b, over the last axis of X (derivation, section 3.1.2).

    x: (..., in_features); output: (..., out_features). weight: (out_features, in_features); bias: (out_features,)
    or None. initial: a function like `he_normal` that draws the weight.
    Raises ValueError if x has another number of features.

    >>> layer = mg.nn.Linear(3, 2, rng=np.random.default_rng(0))
    >>> layer(np.ones((5, 3))).shape
    (5, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: np.random.Generator,
        dtype: DType = np.float32,
        initial: Callable[..., np.ndarray] = he_normal,
    ):
        check_sizes("Linear", in_features=in_features, out_features=out_features)
        check_bias("Linear", bias)
        dtype = float_dtype("Linear", dtype)
        self.in_features, self.out_features = in_features, out_features
        shape = (out_features, in_features)
        self.weight = parameter(initial(shape, rng=check_rng("Linear", rng), dtype=dtype))
        self.bias = parameter(np.zeros(out_features, dtype)) if bias else None

    def forward(self, x: Array) -> Tensor:
        """Return Z."""
        x = arraylike(x, "Linear", "x")
        if x.ndim == 0 or x.shape[-1] != self.in_features:
            raise ValueError(f"Linear: the last axis of x must have {self.in_features} features, not x {x.shape}")
        z = x @ self.weight.T
        return z if self.bias is None else z + self.bias


class Conv2d(Module):
    """`mg.conv2d` with its kernels: Z[j] = sum over i of A[i] * K[j, i] + b[j] (derivation, section 2).

    x: (N, in_channels, H, W) or without N; output: (N, out_channels, Ho, Wo). weight: (out_channels,
    in_channels / groups, kh, kw); bias: (out_channels,) or None. kernel_size, stride, padding, dilation: an int or a
    pair (rows, columns). initial: a function like `he_normal` that draws the weight.
    Raises ValueError if sizes don't fit.

    >>> layer = mg.nn.Conv2d(1, 8, 5, padding=2, rng=np.random.default_rng(0))
    >>> layer(np.ones((4, 1, 28, 28))).shape
    (4, 8, 28, 28)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        rng: np.random.Generator,
        dtype: DType = np.float32,
        initial: Callable[..., np.ndarray] = he_normal,
    ):
        check_sizes("Conv2d", in_channels=in_channels, out_channels=out_channels, groups=groups)
        check_bias("Conv2d", bias)
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"Conv2d: groups must divide {in_channels} and {out_channels} channels, not {groups}")
        window = pair(kernel_size, "kernel_size", "Conv2d", 1)
        pairs("Conv2d", stride, padding, dilation)
        dtype = float_dtype("Conv2d", dtype)
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, kernel_size
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        shape = (out_channels, in_channels // groups, *window)
        self.weight = parameter(initial(shape, rng=check_rng("Conv2d", rng), dtype=dtype))
        self.bias = parameter(np.zeros(out_channels, dtype)) if bias else None

    def forward(self, x: Array) -> Tensor:
        """Return Z."""
        return ops.conv2d(
            *(x, self.weight, self.bias),
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
        )


class _Keeping(Module):
    """A layer without parameters, which makes an array of an array and a Tensor of a Tensor."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, x: Tensor) -> Tensor: ...
        @overload
        def __call__(self, x: ArrayLike) -> np.ndarray: ...
        def __call__(self, x: Any) -> Any: ...


class _OneOp(_Keeping):
    """A layer without parameters that is one op, and so one node of a picture, without a box around it."""

    _has_box = False


class _Pool2d(_OneOp):
    """A pooling op over windows."""

    def __init__(self, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0):
        name = type(self).__name__
        pair(kernel_size, "kernel_size", name, 1)
        pairs(name, kernel_size if stride is None else stride, padding)
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding


class AvgPool2d(_Pool2d):
    """`mg.avg_pool2d`: the mean of each window (derivation, section 3.1.3). The stride is by default the window.

    >>> mg.nn.AvgPool2d(2)(np.arange(8.0).reshape(1, 2, 4))
    array([[[2.5, 4.5]]])
    """

    def forward(self, x: Array) -> Array:
        """Return the means."""
        return ops.avg_pool2d(x, self.kernel_size, stride=self.stride, padding=self.padding)


class MaxPool2d(_Pool2d):
    """`mg.max_pool2d`: the maximum of each window. The stride is by default the window.

    >>> mg.nn.MaxPool2d(2)(np.arange(8.0).reshape(1, 2, 4))
    array([[[5., 7.]]])
    """

    def forward(self, x: Array) -> Array:
        """Return the maxima."""
        return ops.max_pool2d(x, self.kernel_size, stride=self.stride, padding=self.padding)


class L2Pool2d(_Pool2d):
    """`mg.l2_pool2d`: the L2 norm of each window. The stride is by default the window.

    >>> mg.nn.L2Pool2d(2)(np.array([[[3.0, 0.0], [0.0, 4.0]]]))
    array([[[5.]]])
    """

    def forward(self, x: Array) -> Array:
        """Return the norms."""
        return ops.l2_pool2d(x, self.kernel_size, stride=self.stride, padding=self.padding)


class ReLU(_OneOp):
    """`mg.relu`, entry by entry.

    >>> mg.nn.ReLU()(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def forward(self, x: Array) -> Array:
        """Return max(x, 0)."""
        return ops.relu(x)


class Tanh(_OneOp):
    """`mg.tanh`, entry by entry.

    >>> mg.nn.Tanh()(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.7616])
    """

    def forward(self, x: Array) -> Array:
        """Return tanh(x)."""
        return ops.tanh(x)


class Sigmoid(_OneOp):
    """`mg.sigmoid`, entry by entry.

    >>> mg.nn.Sigmoid()(np.array([0.0, 1.0])).round(4)
    array([0.5   , 0.7311])
    """

    def forward(self, x: Array) -> Array:
        """Return 1 / (1 + e**-x)."""
        return ops.sigmoid(x)


class GELU(_OneOp):
    """`mg.gelu`, entry by entry; the exact form.

    >>> mg.nn.GELU()(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.8413])
    """

    def forward(self, x: Array) -> Array:
        """Return x times the probability that a standard normal is below x."""
        return ops.gelu(x)


class Flatten(_OneOp):
    """The axes from start_dim to end_dim as one; by default all but the first, that of the batch.

    >>> mg.nn.Flatten()(np.ones((4, 8, 14, 14))).shape
    (4, 1568)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1):
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Array) -> Array:
        """Return x in its new shape."""
        x = arraylike(x, "Flatten", "x")
        if not -x.ndim <= self.start_dim < x.ndim or not -x.ndim <= self.end_dim < x.ndim:
            raise ValueError(f"Flatten: x {x.shape} has no axes from {self.start_dim} to {self.end_dim}")
        start, end = self.start_dim % x.ndim, self.end_dim % x.ndim
        if start > end:
            raise ValueError(f"Flatten: axis {self.start_dim} of x {x.shape} stands behind axis {self.end_dim}")
        return ops.reshape(x, (*x.shape[:start], math.prod(x.shape[start : end + 1]), *x.shape[end + 1 :]))


class Dropout(_Keeping):
    """While training, each entry is 0 with probability p, and else divided by 1 - p; in `eval()`, x itself.

    The generator is the caller's, and what it draws depends on its state: to resume a run, save
    `rng.bit_generator.state` beside the state_dict. A dropout inside of `mg.checkpoint` needs it as `rng=` there, too.

    >>> layer = mg.nn.Dropout(0.5, rng=np.random.default_rng(0))
    >>> layer(np.ones(6))
    array([2., 0., 0., 0., 2., 2.])
    """

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator):
        check_number("Dropout", "p", p, 0, 1)
        self.p, self.rng = p, check_rng("Dropout", rng)

    def forward(self, x: Array) -> Array:
        """Return x with zeros in it."""
        if not self.training or self.p == 0:
            return x
        x = arraylike(x, "Dropout", "x")
        # equivalent: >= -> > because a number that is drawn is hardly ever p itself
        kept = self.rng.random(x.shape) >= self.p
        scaled = kept.astype(np.result_type(x.dtype, np.float16))
        if self.p < 1:
            scaled /= 1 - self.p
        return ops.multiply(x, scaled)


class Embedding(Module):
    """Row i of a table for each index i. weight: (num_embeddings, embedding_dim), standard normal at the start.

    indices: integers from 0 to num_embeddings - 1, of any shape; output: (*indices.shape, embedding_dim).
    Raises TypeError unless they are integers, ValueError for one out of range.

    >>> layer = mg.nn.Embedding(10, 3, rng=np.random.default_rng(0))
    >>> layer([[1, 2], [9, 1]]).shape
    (2, 2, 3)
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, *, rng: np.random.Generator, dtype: DType = np.float32):
        check_sizes("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        dtype = float_dtype("Embedding", dtype)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        rows = check_rng("Embedding", rng).standard_normal((num_embeddings, embedding_dim))
        self.weight = parameter(rows.astype(dtype))

    def forward(self, indices: Array) -> Tensor:
        """Return the rows."""
        indices = arraylike(indices, "Embedding", "the indices")
        if indices.dtype.kind not in "iu":
            raise TypeError(f"Embedding: the indices must be integers, not {indices.dtype}")
        if indices.size and not 0 <= indices.min() <= indices.max() < self.num_embeddings:
            raise ValueError(
                f"Embedding: the indices must be in [0, {self.num_embeddings}), but reach from {indices.min()} to "
                f"{indices.max()}"
            )
        return self.weight[indices]
