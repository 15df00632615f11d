"""Labelled grey images, as bytes and as numbers: the digits beside this file, or a folder of MNIST's files.

Files are checked for all that training needs, so that an error names the file before any work is done.
"""

import math
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray
from numpy.typing import DTypeLike

from ..errors import brief
from .idx import read_idx

DIGITS = Path(__file__).parent / "digits.npz"
CLASSES = 10  # of the digits, of MNIST and of Fashion-MNIST


class LabelledImages(NamedTuple):
    """Grey images (N, height, width), uint8, and their labels (N,), integers."""

    images: ndarray
    labels: ndarray


class Scale(NamedTuple):
    """Mean and standard deviation of the grey values that a network is trained on; see `measure`."""

    mean: float
    deviation: float

    def standardise(self, images: ndarray, dtype: DTypeLike = np.float32) -> ndarray:
        """Return images (N, height, width) as numbers (N, 1, height, width), minus the mean, over the deviation."""
        _check_images("standardise", images)
        grey = images.astype(dtype)[:, np.newaxis]
        grey -= self.mean
        grey /= self.deviation
        return grey


def digits() -> LabelledImages:
    """Return 1,797 handwritten digits of 8 x 8 pixels, from 0 (paper) to 16 (ink), which come with minigrad.

    They are the test part of the UCI "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998), licensed
    under CC BY 4.0; the file README.md beside them tells more.

    >>> images, labels = mg.data.digits()
    >>> images.shape, images.dtype, labels[:3]
    ((1797, 8, 8), dtype('uint8'), array([0, 1, 2]))
    """
    with np.load(DIGITS) as file:
        return LabelledImages(file["images"], file["labels"].astype(np.intp))


def mnist(folder: str | os.PathLike) -> tuple[LabelledImages, LabelledImages]:
    """Return the training and the test images of MNIST, Fashion-MNIST or another data set in the same four IDX files.

    The files are in folder, folder/raw or folder/MNIST/raw, and may be compressed by gzip.

    Raises FileNotFoundError that lists what was tried, and ValueError that begins with the path of a file that is
    damaged or does not fit the others.

    >>> train, test = mg.data.mnist("data")
    Traceback (most recent call last):
    FileNotFoundError: found no train-images file; tried data/train-images-idx3-ubyte, ...
    """
    if not isinstance(folder, (str, os.PathLike)):
        raise TypeError(f"mnist: folder must be a path, not {brief(folder)}")
    train, test = _read_part(folder, "train"), _read_part(folder, "t10k")
    if train.images.shape[1:] != test.images.shape[1:]:
        raise ValueError(
            f"{folder}: the training images have shape {train.images.shape[1:]} but the test images have shape "
            f"{test.images.shape[1:]}; all should have the same shape"
        )
    return train, test


def _read_part(folder: str | os.PathLike, prefix: str) -> LabelledImages:
    """The images and labels whose files begin with prefix, checked against each other."""
    images_path = _find(folder, f"{prefix}-images", 3)
    labels_path = _find(folder, f"{prefix}-labels", 1)
    images = read_idx(images_path, ndim=3, dtype=np.uint8)
    labels = read_idx(labels_path, ndim=1, dtype=np.uint8).astype(np.intp)
    if images.size == 0:
        raise ValueError(f"{images_path}: has no pixels (shape {images.shape})")
    if len(images) != len(labels):
        raise ValueError(f"{labels_path}: has {len(labels)} labels for the {len(images)} images of {images_path.name}")
    wrong = np.flatnonzero(labels >= CLASSES)
    if wrong.size:
        raise ValueError(f"{labels_path}: label {wrong[0]} is {labels[wrong[0]]}, should be 0 to {CLASSES - 1}")
    return LabelledImages(images, labels)


def _find(folder: str | os.PathLike, stem: str, ndim: int) -> Path:
    """The path of an IDX file: the first of the usual folders and spellings that exists."""
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


def measure(images: ndarray) -> Scale:
    """Return the mean and the standard deviation of the grey values of images (N, height, width), uint8.

    Raises ValueError if all are the same grey; TypeError for another dtype.

    >>> scale = mg.data.measure(np.array([[[0, 2]], [[0, 2]]], np.uint8))
    >>> scale
    Scale(mean=1.0, deviation=1.0)
    >>> scale.standardise(np.array([[[0, 3]]], np.uint8))
    array([[[[-1.,  2.]]]], dtype=float32)
    """
    _check_images("measure", images)
    # Counting the 256 grey values is exact and needs no large copy.
    counts = np.zeros(256, np.intp)
    for image in images:
        counts += np.bincount(image.ravel(), minlength=256)
    grey = np.arange(256)
    mean = counts @ grey / counts.sum()
    deviation = math.sqrt(counts @ (grey - mean) ** 2 / counts.sum())
    if deviation == 0:
        raise ValueError(f"measure: all {len(images)} images have only the grey value {mean:g}")
    return Scale(float(mean), deviation)


def _check_images(name: str, images: Any) -> None:
    if not isinstance(images, ndarray) or images.dtype != np.uint8:
        raise TypeError(f"{name}: images must be an array of uint8, not {brief(images)}")
    if images.ndim != 3 or not images.size:
        raise ValueError(f"{name}: images must be (N, height, width) with pixels, not {images.shape}")
