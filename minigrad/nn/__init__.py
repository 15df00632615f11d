"""Layers of neural networks: a `Module` holds parameters and calls ops, and that is all it does.

    net = mg.nn.Sequential(mg.nn.Conv2d(1, 8, 5, padding=2, rng=rng), mg.nn.ReLU(), mg.nn.AvgPool2d(2),
                           mg.nn.Flatten(), mg.nn.Linear(1568, 10, rng=rng))
    mg.softmax_cross_entropy(net(x), labels).backward()

Signatures, defaults, and the names and layouts of the state are PyTorch's, so a state_dict of the one loads into the
other. Four things differ. What starts at random takes its `rng`, a numpy.random.Generator. Weights start as
He et al. 2015 drew them and biases at 0, unless a layer says otherwise. A sequence is (N, L, features), as with
PyTorch's `batch_first=True`. `state_dict` copies.

dtype: each layer with parameters takes `dtype=`, float32 by default; `net.astype(dtype)` is the whole network in
another one. Arrays of two dtypes meet as in NumPy: a float64 batch makes a float32 network compute in float64.
"""

from typing import TYPE_CHECKING

from ..foreign_names import missing
from .attention import MultiHeadAttention
from .initial import glorot_normal, glorot_uniform, he_normal, he_uniform
from .layers import (
    GELU,
    AvgPool2d,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    L2Pool2d,
    Linear,
    MaxPool2d,
    ReLU,
    Sigmoid,
    Tanh,
)
from .module import Module, functional_call
from .normalization import BatchNorm2d, LayerNorm
from .recurrent import GRU, LSTM
from .sequential import Sequential

__all__ = ["Module", "Sequential", "functional_call"]
__all__ += ["Linear", "Conv2d", "AvgPool2d", "MaxPool2d", "L2Pool2d", "ReLU", "Tanh", "Sigmoid", "GELU", "Flatten"]
__all__ += ["Dropout", "BatchNorm2d", "LayerNorm", "Embedding", "MultiHeadAttention", "GRU", "LSTM"]
__all__ += ["he_normal", "he_uniform", "glorot_normal", "glorot_uniform"]
__dir__ = __all__.copy  # what dir() shows

if not TYPE_CHECKING:  # to which __getattr__ would give every name

    def __getattr__(name):
        """Say what to write instead of another framework's name."""
        raise missing(f"module {__name__!r} has no attribute {name!r}", __name__, name)
