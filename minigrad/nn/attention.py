"""Attention: every query reads from all keys, as much as they match."""

from __future__ import annotations  # np.random, which annotations name, is slow to load

import math
from typing import Any

import numpy as np

from .. import ops
from .._tensor import Tensor
from ..operation import array_of, arraylike
from ..typing import Array, DType
from .arguments import check_bias, check_number, check_rng, check_sizes, float_dtype
from .initial import glorot_uniform
from .layers import Dropout, Linear, parameter
from .module import Module


class MultiHeadAttention(Module):
    """softmax(Q K.T / d**(1/2)) V for each of num_heads heads, then a Linear over all; d = embed_dim / num_heads.

    query: (N, L, embed_dim); key, value: (N, S, embed_dim); N may be left out of all three. Q, K and V are the three
    parts of in_proj_weight (3 embed_dim, embed_dim), applied to query, key and value. dropout is of the weights.
    Reference: A. Vaswani et al., "Attention is all you need", 2017.

    >>> attention = mg.nn.MultiHeadAttention(8, 2, rng=np.random.default_rng(0))
    >>> x = np.ones((4, 5, 8), np.float32)
    >>> z, weights = attention(x, x, x)
    >>> z.shape, weights.shape
    ((4, 5, 8), (4, 5, 5))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        *,
        rng: np.random.Generator,
        dtype: DType = np.float32,
    ):
        check_sizes("MultiHeadAttention", embed_dim=embed_dim, num_heads=num_heads)
        if embed_dim % num_heads:
            raise ValueError(f"MultiHeadAttention: num_heads must divide embed_dim {embed_dim}, not {num_heads}")
        check_number("MultiHeadAttention", "dropout", dropout, 0, 1)
        check_bias("MultiHeadAttention", bias)
        rng, dtype = check_rng("MultiHeadAttention", rng), float_dtype("MultiHeadAttention", dtype)
        self.embed_dim, self.num_heads = embed_dim, num_heads
        self.in_proj_weight = parameter(glorot_uniform((3 * embed_dim, embed_dim), rng=rng, dtype=dtype))
        self.in_proj_bias = parameter(np.zeros(3 * embed_dim, dtype)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, rng=rng, dtype=dtype, initial=glorot_uniform)
        self.dropout = Dropout(dropout, rng=rng)

    def forward(
        self,
        query: Array,
        key: Array,
        value: Array,
        key_padding_mask: Array | None = None,
        need_weights: bool = True,
        attn_mask: Array | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Return (output, weights).

        key_padding_mask: (N, S), True for keys that nothing may read. attn_mask: (L, S), True where a query may not
        read a key, or numbers that are added to its score. is_causal: a query reads no later key.
        weights: (N, L, S), the mean over the heads; (N, num_heads, L, S) without average_attn_weights; None without
        need_weights. Raises ValueError for shapes that don't fit, or if a query may read no key.
        """
        given = zip((query, key, value), ("query", "key", "value"), strict=True)
        query, key, value = (arraylike(x, "MultiHeadAttention", name) for x, name in given)
        self._check(query, key, value)
        offsets = self._offsets(query, key, key_padding_mask, attn_mask, is_causal)
        q, k, v = (self._heads(x, i) for i, x in enumerate((query, key, value)))
        scores = q @ ops.swapaxes(k, -1, -2) / math.sqrt(self.embed_dim // self.num_heads)
        for offset in offsets:
            scores = scores + offset
        weights = self.dropout(ops.softmax(scores))
        z = ops.swapaxes(weights @ v, -2, -3)
        z = self.out_proj(ops.reshape(z, (*z.shape[:-2], self.embed_dim)))
        return z, (ops.mean(weights, -3) if average_attn_weights else weights) if need_weights else None

    def _check(self, query: Any, key: Any, value: Any) -> None:
        shapes = query.shape, key.shape, value.shape
        fits = query.ndim in (2, 3) and key.shape == value.shape and key.ndim == query.ndim
        if not fits or query.shape[:-2] != key.shape[:-2] or {shape[-1] for shape in shapes} != {self.embed_dim}:
            raise ValueError(
                f"MultiHeadAttention: query must be (N, L, {self.embed_dim}), key and value (N, S, {self.embed_dim}), "
                f"or all without N, not {', '.join(map(str, shapes))}"
            )

    def _offsets(self, query: Any, key: Any, key_padding_mask: Any, attn_mask: Any, is_causal: bool) -> list[Any]:
        """What the masks add to the scores, each to be broadcast to (N, num_heads, L, S)."""
        n, s, dtype = query.shape[-2], key.shape[-2], self.in_proj_weight.dtype
        offsets = []
        if key_padding_mask is not None:
            offset = _offset("key_padding_mask", key_padding_mask, (*key.shape[:-2], s), dtype)
            offsets.append(offset[..., None, None, :])
        if attn_mask is not None:
            offsets.append(_offset("attn_mask", attn_mask, (n, s), dtype))
        if is_causal:
            offsets.append(_offset("is_causal", ~np.tri(n, s, dtype=bool), (n, s), dtype))
        if np.isneginf(sum(map(array_of, offsets))).all(-1).any():
            raise ValueError("MultiHeadAttention: the masks leave some query without a key to read")
        return offsets

    def _heads(self, x: Any, i: int) -> Any:
        """Q, K or V, that is i = 0, 1 or 2: (N, num_heads, length, d)."""
        part = slice(i * self.embed_dim, (i + 1) * self.embed_dim)
        z = x @ self.in_proj_weight[part].T
        z = z if self.in_proj_bias is None else z + self.in_proj_bias[part]
        return ops.swapaxes(ops.reshape(z, (*z.shape[:-1], self.num_heads, self.embed_dim // self.num_heads)), -2, -3)


def _offset(name: str, mask: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """What a mask adds to the scores: -inf where a boolean one is True; numbers as they are.

    Raises ValueError unless the mask has this shape, TypeError unless it is boolean or floating-point.
    """
    mask = arraylike(mask, "MultiHeadAttention", name)
    if mask.shape != shape:
        raise ValueError(f"MultiHeadAttention: {name} must be {shape}, not {mask.shape}")
    if mask.dtype.kind not in "bf":
        raise TypeError(f"MultiHeadAttention: {name} must be boolean or floating-point, not {mask.dtype}")
    # equivalent: 0.0 -> 1.0; 0.0 -> 2 because a softmax stays the same if a constant is added
    return np.where(mask, -np.inf, 0.0).astype(dtype) if mask.dtype.kind == "b" else mask
