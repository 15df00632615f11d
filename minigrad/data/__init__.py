"""Data to train on: files of MNIST, the digits that come with minigrad, images as numbers, mini-batches.

train, test = mg.data.split(mg.data.digits(), 0.8, rng=rng)
scale = mg.data.measure(train.images)
x = scale.standardise(train.images, np.float32)                        (N, 1, height, width)
for batch, labels in mg.data.minibatches((x, train.labels), 16, rng=rng): ...    one epoch
"""

from typing import TYPE_CHECKING

from ..foreign_names import missing
from .batches import minibatches, split
from .idx import read_idx
from .images import LabelledImages, Scale, digits, measure, mnist

__all__ = ["LabelledImages", "Scale", "digits", "measure", "minibatches", "mnist", "read_idx", "split"]
__dir__ = __all__.copy  # what dir() shows

if not TYPE_CHECKING:  # to which __getattr__ would give every name

    def __getattr__(name):
        """Say what to write instead of another framework's name."""
        raise missing(f"module {__name__!r} has no attribute {name!r}", __name__, name)
