"""The data of the training: the digits that come with minigrad, or a folder of MNIST's files, as numbers."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

import minigrad as mg
from minigrad import distributed
from minigrad.data.images import CLASSES

__all__ = ["CLASSES", "Data", "accuracy", "load", "logits"]

AT_ONCE = 250  # images, to limit the memory that the logits of many take


class Data(NamedTuple):
    """Standardised images to train on, to stop early by (perhaps none), and to test on."""

    name: str
    size: tuple[int, int]  # rows and columns of an image
    scale: mg.data.Scale
    train: mg.data.LabelledImages
    validation: mg.data.LabelledImages
    test: mg.data.LabelledImages
    digest: str  # of the images and labels, so that a run is resumed with its own


def load(options, rng):
    """Return the data that the options name, checked: there are enough images for a batch.

    rng splits the digits into 80 % to train and 20 % to test, and validation images from those to train.
    """
    if options.data:
        (train, test), name = mg.data.mnist(options.data), Path(options.data).resolve().name
    else:
        (train, test), name = mg.data.split(mg.data.digits(), 0.8, rng=rng), "UCI optical digits"
    scale = mg.data.measure(train.images)
    digest = hashlib.sha256(b"".join(array.tobytes() for part in (train, test) for array in part)).hexdigest()
    validation = mg.data.LabelledImages(*(array[:0] for array in train))
    if options.validation:
        train, validation = mg.data.split(train, 1 - options.validation, rng=rng)
    if options.batch_size > len(train.labels):
        raise ValueError(f"a batch of {options.batch_size} is more than the {len(train.labels)} training images")
    if options.batch_size % distributed.size():
        raise ValueError(f"a batch of {options.batch_size} can't be shared by {distributed.size()} processes")
    parts = [
        part._replace(images=scale.standardise(part.images, options.dtype)) if len(part.labels) else part
        for part in (train, validation, test)
    ]
    return Data(name, train.images.shape[1:], scale, *parts, digest)


def logits(network, images):
    """Return the network's logits (N, classes) of images (N, 1, height, width), as an array."""
    with mg.no_grad():
        return np.concatenate([network(images[i : i + AT_ONCE]).data for i in range(0, max(1, len(images)), AT_ONCE)])


def accuracy(network, part):
    """Return the fraction of the images that the network labels right; None of no images. Processes share them."""
    if not len(part.labels):
        return None
    images, labels = (array[distributed.rank() :: distributed.size()] for array in part)
    right = np.count_nonzero(logits(network, images).argmax(axis=1) == labels)
    return distributed.reduce_metrics({"accuracy": right / max(1, len(labels))}, weight=len(labels))["accuracy"]
