"""Recurrent layers: one step after another over a sequence, each from the state of the step before."""

from __future__ import annotations  # np.random, which annotations name, is slow to load

import math
from typing import Any

import numpy as np

from .. import ops
from .._tensor import Tensor
from ..errors import brief
from ..operation import arraylike
from ..typing import Array, DType
from .arguments import check_bias, check_rng, check_sizes, float_dtype
from .layers import parameter
from .module import Module


class _Recurrent(Module):
    """What the layers have in common: the weights of their gates, side by side, and the loop over the steps."""

    _gates: int

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        rng: np.random.Generator,
        dtype: DType = np.float32,
    ):
        name = type(self).__name__
        check_sizes(name, input_size=input_size, hidden_size=hidden_size)
        check_bias(name, bias)
        rng, dtype = check_rng(name, rng), float_dtype(name, dtype)
        self.input_size, self.hidden_size, rows = input_size, hidden_size, self._gates * hidden_size

        def drawn(*shape: int) -> Tensor:
            limit = 1 / math.sqrt(hidden_size)
            return parameter(rng.uniform(-limit, limit, shape).astype(dtype))

        self.weight_ih_l0 = drawn(rows, input_size)
        self.weight_hh_l0 = drawn(rows, hidden_size)
        self.bias_ih_l0 = drawn(rows) if bias else None
        self.bias_hh_l0 = drawn(rows) if bias else None

    def _over_steps(self, x: Any, **states: Any) -> tuple[Tensor, list[Tensor]]:
        """(H after each step, the states after the last one), from the states before the first; 0 for None."""
        name = type(self).__name__
        x = arraylike(x, name, "x")
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size or x.shape[-2] == 0:
            raise ValueError(f"{name}: x must be (N, L, {self.input_size}) or (L, {self.input_size}), not {x.shape}")
        shape = (1, *x.shape[:-2], self.hidden_size)
        now: Any = []
        for key, state in states.items():
            state = arraylike(np.zeros(shape, self.weight_hh_l0.dtype) if state is None else state, name, key)
            if state.shape != shape:
                raise ValueError(f"{name}: {key} must be {shape} for x {x.shape}, not {state.shape}")
            now.append(state[0])
        outputs: list[Any] = []
        # equivalent: -2, 0 -> 0, -2 because x has at most three axes
        of_x = ops.moveaxis(x, -2, 0) @ self.weight_ih_l0.T
        if self.bias_ih_l0 is not None:
            of_x = of_x + self.bias_ih_l0
        weight = self.weight_hh_l0.T
        for of_step in ops.unstack(of_x):
            of_h = now[0] @ weight
            now = self._step(of_step, of_h if self.bias_hh_l0 is None else of_h + self.bias_hh_l0, *now)
            outputs.append(now[0])
        return ops.stack(outputs, -2), [state[None] for state in now]

    def _step(self, of_x: Any, of_h: Any, *states: Any) -> tuple[Any, ...]:
        """The states after a step, H first, from those before it and what its x and H give to the gates."""
        raise NotImplementedError


class GRU(_Recurrent):
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

    _gates = 3

    def forward(self, x: Array, h: Array | None = None) -> tuple[Tensor, Tensor]:
        """Return (output, h): the hidden state after each step, (N, L, hidden_size), and after the last one.

        h: (1, N, hidden_size), the state before the first step, 0 by default; without N if x is without it.
        Raises ValueError for shapes that don't fit.
        """
        output, (h,) = self._over_steps(x, h=h)
        return output, h

    def _step(self, of_x, of_h, h):
        size = self.hidden_size
        gates = ops.sigmoid(of_x[..., : 2 * size] + of_h[..., : 2 * size])
        r, z = gates[..., :size], gates[..., size:]
        n = ops.tanh(of_x[..., 2 * size :] + r * of_h[..., 2 * size :])
        return (n + z * (h - n),)


class LSTM(_Recurrent):
    """A long short-term memory over x (N, L, input_size), or (L, input_size), for any L.

    In each step, with H the hidden state, C the cell and sigma the sigmoid:

        i = sigma(W_ii x + b_ii + W_hi H + b_hi)        the input gate
        f = sigma(W_if x + b_if + W_hf H + b_hf)        the forget gate
        g = tanh(W_ig x + b_ig + W_hg H + b_hg)         the new content
        o = sigma(W_io x + b_io + W_ho H + b_ho)        the output gate
        C = f C + i g
        H = o tanh(C)

    weight_ih_l0: (4 hidden_size, input_size), for i, f, g and o in this order; the rest as in `GRU`.
    Reference: S. Hochreiter and J. Schmidhuber, "Long short-term memory", 1997.

    >>> layer = mg.nn.LSTM(3, 4, rng=np.random.default_rng(0))
    >>> output, (h, c) = layer(np.ones((2, 7, 3), np.float32))
    >>> output.shape, h.shape, c.shape
    ((2, 7, 4), (1, 2, 4), (1, 2, 4))
    """

    _gates = 4

    def forward(self, x: Array, state: tuple[Array, Array] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return (output, (h, c)): the hidden state after each step, (N, L, hidden_size); both after the last one.

        state: (h, c), each (1, N, hidden_size), before the first step, 0 by default; without N if x is without it.
        Raises ValueError for shapes that don't fit, TypeError if state is no pair.
        """
        if state is not None and not (isinstance(state, (tuple, list)) and len(state) == 2):
            raise TypeError(f"LSTM: state must be a pair (h, c), not {brief(state)}")
        h, c = state or (None, None)
        output, (h, c) = self._over_steps(x, h=h, c=c)
        return output, (h, c)

    def _step(self, of_x, of_h, h, c):
        size, gates = self.hidden_size, of_x + of_h
        i_and_f, o = ops.sigmoid(gates[..., : 2 * size]), ops.sigmoid(gates[..., 3 * size :])
        c = i_and_f[..., size:] * c + i_and_f[..., :size] * ops.tanh(gates[..., 2 * size : 3 * size])
        return o * ops.tanh(c), c
