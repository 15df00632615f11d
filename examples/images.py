"""Labelled grey images: the digits beside this file, or a folder of IDX files.

The files are checked for everything that training needs, so that an error names the file before any work is done.
"""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minigrad.data import read_idx

DIGITS = Path(__file__).parent / "data" / "digits.npz"
CLASSES = 10  # of the digits, of MNIST and of Fashion-MNIST


class Part(NamedTuple):
    """Some images (N, height, width) and their labels (N,)."""

    images: np.ndarray
    labels: np.ndarray


class Dataset(NamedTuple):
    """Images to train on, and images to test on."""

    name: str
    train: Part
    test: Part


class Scale(NamedTuple):
    """Mean and standard deviation of the grey values that a network was trained on."""

    mean: float
    deviation: float

    def standardise(self, images, dtype):
        """Return images, as (N, 1, height, width), minus the mean and divided by the deviation."""
        grey = images.astype(dtype)[:, np.newaxis]
        grey -= self.mean
        grey /= self.deviation
        return grey


def load_digits(rng, path=DIGITS):
    """Return the UCI optical digits, 80 % of them to train and 20 % to test, as rng shuffles them.

    Raises ValueError that names the path if the file is damaged.
    """
    images, labels = read_digits(path)
    order = rng.permutation(len(images))
    train, test = np.split(order, [len(images) * 4 // 5])
    return Dataset("UCI optical digits", Part(images[train], labels[train]), Part(images[test], labels[test]))


def read_digits(path):
    """Return the images and labels in an .npz file of that name, checked."""
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            images, labels = (np.asarray(file[name]) for name in ("images", "labels"))  # a damaged file gives bytes
    except FileNotFoundError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy raise a dozen kinds for a damaged file
        raise ValueError(f"{path}: damaged or not a file of digits ({first_line(error)})") from error
    fit = images.ndim == 3 and labels.shape == images.shape[:1] and images.size > 0
    if not fit or images.dtype != np.uint8 or labels.dtype.kind not in "iu":
        raise ValueError(
            f"{path}: has images {images.shape} {images.dtype} and labels {labels.shape} {labels.dtype}, "
            "should have images (N, height, width) uint8 and labels (N,) of integers"
        )
    check_labels(labels, path)
    return images, labels.astype(np.intp)


def first_line(error):
    """Return the first line of what an error says, or its kind."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def check_labels(labels, path):
    """Raise ValueError unless every label is a class."""
    wrong = np.flatnonzero((labels < 0) | (labels >= CLASSES))
    if wrong.size:
        raise ValueError(f"{path}: label {wrong[0]} is {labels[wrong[0]]}, should be 0 to {CLASSES - 1}")


def load_idx(folder):
    """Return the data of MNIST's four IDX files, which are in folder, folder/raw or folder/MNIST/raw."""
    train, test = load_part(folder, "train"), load_part(folder, "t10k")
    if train.images.shape[1:] != test.images.shape[1:]:
        raise ValueError(
            f"{folder}: the training images have shape {train.images.shape[1:]} but the test images have shape "
            f"{test.images.shape[1:]}; all should have the same shape"
        )
    return Dataset(Path(folder).resolve().name, train, test)


def load_part(folder, prefix):
    """Return the images and labels whose files begin with prefix, checked against each other."""
    images_path = find_idx(folder, f"{prefix}-images", 3)
    labels_path = find_idx(folder, f"{prefix}-labels", 1)
    images = read_idx(images_path, ndim=3, dtype=np.uint8)
    labels = read_idx(labels_path, ndim=1, dtype=np.uint8).astype(np.intp)
    if images.size == 0:
        raise ValueError(f"{images_path}: has no pixels (shape {images.shape})")
    if len(images) != len(labels):
        raise ValueError(f"{labels_path}: has {len(labels)} labels for the {len(images)} images of {images_path.name}")
    check_labels(labels, labels_path)
    return Part(images, labels)


def find_idx(folder, stem, ndim):
    """Return the path of an IDX file: the first of the usual folders and spellings that exists."""
    tried = [
        Path(folder) / place / f"{stem}{separator}idx{ndim}-ubyte{suffix}"
        for place in ("", "raw", "MNIST/raw")
        for separator in "-."
        for suffix in ("", ".gz")
    ]
    for path in tried:
        if path.is_file():
            return path
    raise FileNotFoundError(f"found no {stem} file; tried {', '.join(map(str, tried))}")


def measure(images):
    """Return the mean and the standard deviation of the grey values of images (N, height, width)."""
    # Counting the 256 grey values is exact and needs no large copy.
    counts = np.zeros(256, np.intp)
    for image in images:
        counts += np.bincount(image.ravel(), minlength=256)
    grey = np.arange(256)
    mean = counts @ grey / counts.sum()
    deviation = math.sqrt(counts @ (grey - mean) ** 2 / counts.sum())
    if deviation == 0:
        raise ValueError(f"all {len(images)} training images have only the grey value {mean:g}")
    return Scale(float(mean), deviation)
