"""Recurrent layers: one step after another over a sequence, each from the hidden state of the step before."""

from __future__ import annotations  # np.random, which annotations name, is slow to load

import math
from typing import Any

import numpy as np

from .. import ops
from .._tensor import Tensor
from ..operation import arraylike
from ..typing import Array, DType
from .arguments import check_bias, check_rng, check_sizes, float_dtype
from .layers import parameter
from .module import Module


class GRU(Module):
    """A gated recurrent unit over x (N, L, input_size), or (L, input_size), for any L.

    In each step, with H the hidden state and sigma the sigmoid:

        r = sigma(W_ir x + b_ir + W_hr H + b_hr)        the reset gate
        z = sigma(W_iz x + b_iz + W_hz H + b_hz)        the update gate
        n = tanh(W_in x + b_in + r (W_hn H + b_hn))     the new state
        H = (1 - z) n + z H

    weight_ih_l0: (3 hidden_size, input_size), for r, z and n in this order; weight_hh_l0: (3 hidden_size,
    hidden_size); bias_ih_l0, bias_hh_l0: (3 hidden_size,) or None; all uniform between -hidden_size**(-1/2) and that.
    Reference: K. Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014.

    >>> layer = mg.nn.GRU(3, 4, rng=np.random.default_rng(0))
    >>> output, h = layer(np.ones((2, 7, 3), np.float32))
    >>> output.shape, h.shape
    ((2, 7, 4), (1, 2, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        rng: np.random.Generator,
        dtype: DType = np.float32,
    ):
        check_sizes("GRU", input_size=input_size, hidden_size=hidden_size)
        check_bias("GRU", bias)
        rng, dtype = check_rng("GRU", rng), float_dtype("GRU", dtype)
        self.input_size, self.hidden_size = input_size, hidden_size

        def drawn(*shape: int) -> Tensor:
            limit = 1 / math.sqrt(hidden_size)
            return parameter(rng.uniform(-limit, limit, shape).astype(dtype))

        self.weight_ih_l0 = drawn(3 * hidden_size, input_size)
        self.weight_hh_l0 = drawn(3 * hidden_size, hidden_size)
        self.bias_ih_l0 = drawn(3 * hidden_size) if bias else None
        self.bias_hh_l0 = drawn(3 * hidden_size) if bias else None

    def forward(self, x: Array, h: Array | None = None) -> tuple[Tensor, Tensor]:
        """Return (output, h): the hidden state after each step, (N, L, hidden_size), and after the last one.

        h: (1, N, hidden_size), the state before the first step, 0 by default; without N if x is without it.
        Raises ValueError for shapes that don't fit.
        """
        x = arraylike(x, "GRU", "x")
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size or x.shape[-2] == 0:
            raise ValueError(f"GRU: x must be (N, L, {self.input_size}) or (L, {self.input_size}), not {x.shape}")
        shape = (1, *x.shape[:-2], self.hidden_size)
        h = arraylike(np.zeros(shape, self.weight_hh_l0.dtype) if h is None else h, "GRU", "h")
        if h.shape != shape:
            raise ValueError(f"GRU: h must be {shape} for x {x.shape}, not {h.shape}")
        states: list[Any] = []
        # equivalent: -2, 0 -> 0, -2 because x has at most three axes
        of_x = ops.moveaxis(x, -2, 0) @ self.weight_ih_l0.T
        if self.bias_ih_l0 is not None:
            of_x = of_x + self.bias_ih_l0
        h, weight = h[0], self.weight_hh_l0.T
        for of_step in ops.unstack(of_x):
            h = self._step(of_step, h, weight)
            states.append(h)
        return ops.stack(states, -2), h[None]

    def _step(self, of_x: Any, h: Any, weight: Any) -> Any:
        """H after a step, from H and what the step's x gives to r, z and n."""
        of_h, size = h @ weight, self.hidden_size
        if self.bias_hh_l0 is not None:
            of_h = of_h + self.bias_hh_l0
        gates = ops.sigmoid(of_x[..., : 2 * size] + of_h[..., : 2 * size])
        r, z = gates[..., :size], gates[..., size:]
        n = ops.tanh(of_x[..., 2 * size :] + r * of_h[..., 2 * size :])
        return n + z * (h - n)
