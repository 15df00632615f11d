"""The methods: what each optimiser subtracts from a parameter."""

import math
from collections.abc import Iterable
from typing import ClassVar

import numpy as np
from numpy import ndarray

from .._tensor import Tensor
from ..errors import brief
from .optimizer import Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent: x -= lr * d, with d = g, or with momentum.

    With momentum, d is the buffer m = momentum * m + (1 - dampening) * g, which begins as the first g; with nesterov,
    d = g + momentum * m. weight_decay adds weight_decay * x to g.

    Raises ValueError for a negative or infinite option, for nesterov without momentum or with dampening, and for
    parameters that are none, twice the same, or need no gradient; TypeError for another kind.

    >>> w = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = mg.optim.SGD([w], lr=0.1)
    >>> mg.sum(w * w).backward()
    >>> optimizer.step()
    >>> optimizer.zero_grad()
    >>> w
    tensor([0.8, 1.6], requires_grad=True)
    """

    options = ("lr", "momentum", "dampening", "weight_decay", "nesterov")
    kept: ClassVar = {"momentum_buffer": "momentum"}
    lr: float
    momentum: float
    dampening: float
    weight_decay: float
    nesterov: bool

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
    ):
        super().__init__(
            parameters, lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov
        )
        if self.nesterov and (not self.momentum or self.dampening):
            raise ValueError(f"SGD: nesterov takes a momentum and no dampening, not {momentum} and {dampening}")

    def _change(self, g, x, s, kept, step):
        _decay(g, x, self.weight_decay)
        if self.momentum:
            m = kept["momentum_buffer"]
            if step == 1:
                m[...] = g
            else:
                _average(m, g, s, keep=self.momentum, add=1 - self.dampening)
            if self.nesterov:
                g += np.multiply(m, self.momentum, out=s)
            else:
                g = m
        np.multiply(g, self.lr, out=s)


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015): x -= lr * m / (sqrt(v) + eps), of moving averages without bias.

    In step t, m is the average of g with weight betas[0], divided by 1 - betas[0]**t, and v that of g**2 with betas[1].
    amsgrad takes the greatest v so far. weight_decay adds weight_decay * x to g.

    Raises ValueError and TypeError as `SGD` does; each of betas is at least 0 and below 1.

    >>> w = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = mg.optim.Adam([w], lr=0.1)
    >>> mg.sum(w * w).backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9, 1.9], requires_grad=True)
    """

    options = ("lr", "beta1", "beta2", "eps", "weight_decay", "amsgrad")
    decoupled = False  # whether the weight decay is none of the gradient
    kept: ClassVar = {"exp_avg": None, "exp_avg_sq": None, "max_exp_avg_sq": "amsgrad"}
    lr: float
    beta1: float
    beta2: float
    eps: float
    weight_decay: float
    amsgrad: bool

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
    ):
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise TypeError(f"{type(self).__name__}: betas must be a pair of numbers, not {brief(betas)}")
        averages = {"beta1": betas[0], "beta2": betas[1], "eps": eps}
        super().__init__(parameters, lr=lr, **averages, weight_decay=weight_decay, amsgrad=amsgrad)

    def _change(self, g, x, s, kept, step):
        if not self.decoupled:
            _decay(g, x, self.weight_decay)
        m = _average(kept["exp_avg"], g, s, keep=self.beta1, add=1 - self.beta1)
        v = _average(kept["exp_avg_sq"], np.multiply(g, g, out=g), s, keep=self.beta2, add=1 - self.beta2)
        if self.amsgrad:
            v = np.maximum(v, kept["max_exp_avg_sq"], out=kept["max_exp_avg_sq"])
        np.sqrt(v, out=s)
        s /= math.sqrt(1 - self.beta2**step)
        s += self.eps
        np.divide(m, s, out=s)
        s *= self.lr / (1 - self.beta1**step)
        if self.decoupled:
            _decay(s, x, self.lr * self.weight_decay)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019): x -= lr * weight_decay * x, then Adam's step.

    >>> w = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> mg.optim.AdamW([w])
    AdamW(<1 parameters>, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-08, weight_decay=0.01, amsgrad=False)
    """

    decoupled = True

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
    ):
        super().__init__(parameters, lr, betas, eps, weight_decay, amsgrad)


class RMSprop(Optimizer):
    """RMSprop (Hinton 2012): x -= lr * g / (sqrt(v) + eps), v being the moving average of g**2 with weight alpha.

    centered subtracts from v the square of the moving average of g. With momentum, the quotient goes to a buffer
    m = momentum * m + g / (sqrt(v) + eps), and x -= lr * m. weight_decay adds weight_decay * x to g.

    Raises ValueError and TypeError as `SGD` does; alpha is at least 0 and below 1.

    >>> w = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = mg.optim.RMSprop([w], lr=0.1, alpha=0.75)
    >>> mg.sum(w * w).backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8, 1.8], requires_grad=True)
    """

    options = ("lr", "alpha", "eps", "weight_decay", "momentum", "centered")
    kept: ClassVar = {"square_avg": None, "grad_avg": "centered", "momentum_buffer": "momentum"}
    lr: float
    alpha: float
    eps: float
    weight_decay: float
    momentum: float
    centered: bool

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
    ):
        options = {"weight_decay": weight_decay, "momentum": momentum, "centered": centered}
        super().__init__(parameters, lr=lr, alpha=alpha, eps=eps, **options)

    def _change(self, g, x, s, kept, step):
        _decay(g, x, self.weight_decay)
        if self.centered:
            mean = _average(kept["grad_avg"], g, s, keep=self.alpha, add=1 - self.alpha)
        v = _average(kept["square_avg"], np.multiply(g, g, out=x), s, keep=self.alpha, add=1 - self.alpha)
        if self.centered:
            v = np.subtract(v, np.multiply(mean, mean, out=s), out=s)
            np.maximum(v, 0, out=v)  # rounding can make it negative
        np.sqrt(v, out=s)
        s += self.eps
        np.divide(g, s, out=g)
        if self.momentum:
            g = _average(kept["momentum_buffer"], g, s, keep=self.momentum, add=1)
        np.multiply(g, self.lr, out=s)


def _decay(g: ndarray, x: ndarray, weight_decay: float) -> None:
    """Add to g the gradient of weight_decay / 2 * sum(x**2). x is overwritten."""
    if weight_decay:
        g += np.multiply(x, weight_decay, out=x)


def _average(average: ndarray, new: ndarray, s: ndarray, *, keep: float, add: float) -> ndarray:
    """Update a moving average in place and return it: keep and add are the weights of it and of `new`; s is scratch."""
    average *= keep
    average += np.multiply(new, add, out=s)
    return average
