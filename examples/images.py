"""Labelled grey images: the digits beside this file, or a folder of IDX files.

Reading checks everything that training relies on, so that a wrong file is named before any work.
"""

import gzip
import math
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

DIGITS = Path(__file__).parent / "data" / "digits.npz"
CLASSES = 10  # of the digits, of MNIST and of Fashion-MNIST
GZIP_MAGIC = b"\x1f\x8b"
UNSIGNED_BYTE = 0x08  # IDX's code for the only element type that is read here


class Part(NamedTuple):
    """Some images (N, height, width) and their labels (N,)."""

    images: np.ndarray
    labels: np.ndarray


class Dataset(NamedTuple):
    """What to learn from, and what to measure by."""

    name: str
    train: Part
    test: Part


class Scale(NamedTuple):
    """Mean and deviation of the grey values that a network was trained on."""

    mean: float
    deviation: float

    def standardise(self, images, dtype):
        """Return images as (N, 1, height, width), on the scale on which the measured ones have mean 0, deviation 1."""
        grey = images.astype(dtype)[:, np.newaxis]
        grey -= self.mean
        grey /= self.deviation
        return grey


def load_digits(rng, path=DIGITS):
    """Return the UCI optical digits, 80 % of them to train and 20 % to test, as rng shuffles them."""
    with np.load(path, allow_pickle=False) as file:
        images, labels = file["images"], file["labels"].astype(np.intp)
    order = rng.permutation(len(images))
    train, test = np.split(order, [len(images) * 4 // 5])
    return Dataset("UCI optical digits", Part(images[train], labels[train]), Part(images[test], labels[test]))


def load_idx(folder):
    """Return the four IDX files of MNIST's layout that lie in folder, folder/raw or folder/MNIST/raw."""
    train, test = load_part(folder, "train"), load_part(folder, "t10k")
    if train.images.shape[1:] != test.images.shape[1:]:
        raise ValueError(
            f"{folder}: the training images are of shape {train.images.shape[1:]} but the test images of "
            f"{test.images.shape[1:]}; all should have one shape"
        )
    return Dataset(Path(folder).resolve().name, train, test)


def load_part(folder, prefix):
    """Return the images and labels whose files begin with prefix, checked against each other."""
    images_path = find_idx(folder, f"{prefix}-images", 3)
    labels_path = find_idx(folder, f"{prefix}-labels", 1)
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1).astype(np.intp)
    if images.size == 0:
        raise ValueError(f"{images_path}: holds no pixel (shape {images.shape})")
    if len(images) != len(labels):
        raise ValueError(f"{labels_path}: has {len(labels)} labels for the {len(images)} images of {images_path.name}")
    if labels.max() >= CLASSES:
        worst = int(labels.argmax())
        raise ValueError(f"{labels_path}: label {worst} is {labels[worst]}, should be 0 to {CLASSES - 1}")
    return Part(images, labels)


def find_idx(folder, stem, ndim):
    """Return the first of the usual places and spellings of an IDX file that exists."""
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


def read_idx(path, ndim):
    """Return the array of unsigned bytes, ndim axes, in an IDX file that may be gzipped.

    The file: two zero bytes, the element type, the number of axes; each axis's length as four bytes,
    the highest first; then the elements, row by row.
    """
    content = Path(path).read_bytes()
    if content.startswith(GZIP_MAGIC):
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"{path}: damaged gzip file ({error})") from error
    header = 4 + 4 * ndim
    if len(content) < header:
        raise ValueError(f"{path}: has {len(content)} bytes, too few for the header of {header}")
    magic, expected = content[:4], bytes([0, 0, UNSIGNED_BYTE, ndim])
    if magic != expected:
        raise ValueError(f"{path}: begins with bytes {magic.hex(' ')}, should be {expected.hex(' ')}")
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", count=ndim, offset=4))
    size = header + math.prod(shape)
    if len(content) != size:
        fault = "truncated" if len(content) < size else "too long"
        raise ValueError(f"{path}: {fault}, has {len(content)} bytes but shape {shape} takes {size}")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def measure(images):
    """Return the scale on which images have mean 0 and deviation 1."""
    # Counting the 256 grey values is exact, whatever the dtype to train in, and needs no large copy.
    counts = np.zeros(256, np.intp)
    for image in images:
        counts += np.bincount(image.ravel(), minlength=256)
    grey = np.arange(256)
    mean = counts @ grey / counts.sum()
    deviation = math.sqrt(counts @ (grey - mean) ** 2 / counts.sum())
    if deviation == 0:
        raise ValueError(f"all {len(images)} training images have the one grey value {mean:g}")
    return Scale(float(mean), deviation)
