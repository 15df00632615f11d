"""Optimisers: each step moves parameters along their gradients, in place.

Names, defaults and updates are PyTorch's. A learning rate that changes is a function of the step, such as
`cosine_annealing`, whose value is assigned to `optimizer.lr`.
"""

from typing import TYPE_CHECKING

from ..foreign_names import missing
from .clipping import clip_grad_norm
from .methods import SGD, Adam, AdamW, RMSprop
from .optimizer import Optimizer
from .schedules import cosine_annealing, exponential_decay, linear_warmup, step_decay

__all__ = ["Optimizer", "SGD", "Adam", "AdamW", "RMSprop", "clip_grad_norm"]
__all__ += ["step_decay", "exponential_decay", "linear_warmup", "cosine_annealing"]
__dir__ = __all__.copy  # what dir() shows

if not TYPE_CHECKING:  # to which __getattr__ would give every name

    def __getattr__(name):
        """Say what to write instead of another framework's name."""
        raise missing(f"module {__name__!r} has no attribute {name!r}", __name__, name)
