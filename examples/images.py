"""The data sets of the training: the digits that come with minigrad, or a folder of MNIST's files."""

from pathlib import Path
from typing import NamedTuple

from minigrad.data import LabelledImages as Part
from minigrad.data import digits, measure, mnist, split
from minigrad.data.images import CLASSES

__all__ = ["CLASSES", "Dataset", "Part", "load_digits", "load_idx", "measure"]


class Dataset(NamedTuple):
    """Images to train on, and images to test on."""

    name: str
    train: Part
    test: Part


def load_digits(rng):
    """Return the UCI optical digits, 80 % of them to train and 20 % to test, as rng shuffles them."""
    return Dataset("UCI optical digits", *split(digits(), 0.8, rng=rng))


def load_idx(folder):
    """Return the data of MNIST's four IDX files, which are in folder, folder/raw or folder/MNIST/raw."""
    return Dataset(Path(folder).resolve().name, *mnist(folder))
