"""Learning rates as functions of the step."""

import math
from typing import Any

from ..errors import check_sizes
from .arguments import number


def step_decay(step: int, lr: float, step_size: int, gamma: float = 0.1) -> float:
    """Return lr, multiplied by gamma after each step_size steps: PyTorch's StepLR.

    >>> [mg.optim.step_decay(step, 1.0, step_size=2, gamma=0.5) for step in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    _check_schedule("step_decay", step=step, lr=lr, gamma=gamma)
    check_sizes("step_decay", step_size=step_size)
    return lr * gamma ** (step // step_size)


def exponential_decay(step: int, lr: float, gamma: float) -> float:
    """Return lr, multiplied by gamma after each step: PyTorch's ExponentialLR.

    >>> [mg.optim.exponential_decay(step, 1.0, gamma=0.5) for step in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """
    _check_schedule("exponential_decay", step=step, lr=lr, gamma=gamma)
    return lr * gamma**step


def linear_warmup(step: int, lr: float, total_iters: int = 5, start_factor: float = 1 / 3) -> float:
    """Return a rate that rises in total_iters steps from start_factor * lr to lr, and stays: PyTorch's LinearLR.

    >>> [mg.optim.linear_warmup(step, 1.0, total_iters=4, start_factor=0.0) for step in range(6)]
    [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    """
    _check_schedule("linear_warmup", step=step, lr=lr, start_factor=start_factor)
    check_sizes("linear_warmup", total_iters=total_iters)
    return lr * (start_factor + (1 - start_factor) * min(step / total_iters, 1))


def cosine_annealing(step: int, lr: float, T_max: int, eta_min: float = 0.0) -> float:
    """Return a rate that falls in T_max steps from lr to eta_min along half a cosine, and stays there.

    Until T_max it is PyTorch's CosineAnnealingLR, which rises again later.

    >>> [round(mg.optim.cosine_annealing(step, 1.0, T_max=4), 3) for step in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """
    _check_schedule("cosine_annealing", step=step, lr=lr, eta_min=eta_min)
    check_sizes("cosine_annealing", T_max=T_max)
    return eta_min + (lr - eta_min) * (1 + math.cos(math.pi * min(step / T_max, 1))) / 2


def _check_schedule(name: str, **numbers: Any) -> None:
    for what, value in numbers.items():
        number(name, what, value)
