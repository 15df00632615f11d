"""Gradients of a bounded norm."""

import math
from collections.abc import Iterable

import numpy as np

from .._tensor import Tensor
from ..ops.casting import widened
from .arguments import leaves, number


def clip_grad_norm(parameters: Iterable[Tensor], max_norm: float, norm_type: float = 2.0) -> float:
    """Scale the gradients of all parameters, in place, so that their norm is at most max_norm; return the norm before.

    The norm is that of all entries of all gradients together: (sum of |g|**p)**(1/p) with p = norm_type, which may be
    infinity. Parameters without a gradient are left out. The factor is max_norm / (norm + 1e-6), as in PyTorch.

    Raises FloatingPointError if the norm is infinite or not a number; then no gradient has changed. Raises ValueError
    and TypeError for parameters as an optimiser does, and if max_norm is negative or norm_type not above 0.

    >>> w = mg.tensor([3.0, 4.0], requires_grad=True)
    >>> mg.sum(w * w).backward()
    >>> mg.optim.clip_grad_norm([w], 1.0)
    10.0
    >>> np.round(w.grad, 4)
    array([0.6, 0.8])
    """
    name = "clip_grad_norm"
    gradients = [p.grad for p in leaves(name, parameters, frozen=True) if p.grad is not None]
    max_norm = number(name, "max_norm", max_norm, infinite=True)
    norm_type = number(name, "norm_type", norm_type, infinite=True)
    if norm_type == 0:
        raise ValueError(f"{name}: norm_type must be above 0, not 0")
    # divided by the greatest entry, no power overflows
    greatest = float(np.max([np.max(np.abs(g), initial=0) for g in gradients], initial=0))
    norm = greatest
    if 0 < greatest < math.inf:
        powers = (np.sum((widened(np.abs(g)) / greatest) ** norm_type, dtype=float) for g in gradients)
        norm = greatest * float(sum(powers)) ** (1 / norm_type)
    if not math.isfinite(norm):
        raise FloatingPointError(f"{name}: the norm of the gradients is {norm}")
    factor = min(1.0, max_norm / (norm + 1e-6))
    for g in gradients:
        g *= np.float32(factor) if g.dtype.char == "e" else factor  # float16 has no small factors
    return norm
