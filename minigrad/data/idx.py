"""Reading data from files: IDX, the format of MNIST and of Fashion-MNIST.

A file is not trusted: its header is read first, and no more than what that promises is read or unpacked.
"""

import gzip
import math
import os
import zlib
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

__all__ = ["read_idx"]

GZIP_MAGIC = b"\x1f\x8b"
EXPANSION = 1032  # no deflate stream unpacks to more times its own size
DTYPES = {code: np.dtype(name) for code, name in {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}.items()}
MAX_AXES = 32  # fewer than the format allows, as many as every NumPy does


def read_idx(path: str | os.PathLike, *, ndim: int | None = None, dtype: DTypeLike | None = None) -> np.ndarray:
    """Return the array in an IDX file, which may be compressed by gzip.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
    ...     file.flush()
    ...     mg.data.read_idx(file.name)
    array([7, 2, 1], dtype=uint8)

    The file: two zero bytes, a code for the dtype, the number of axes; the length of each axis as four bytes, the
    most significant first; then the entries in row-major order, in the same byte order. (Source: LeCun, Cortes and
    Burges, "The MNIST database of handwritten digits".)

    ndim, dtype: what the array must have (None: anything). The result has the byte order of this machine.
    Raises ValueError that begins with the path if the file is something else, damaged, truncated or too long.
    """
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(f"read_idx: path must be a path, not {type(path).__name__}")
    if ndim is not None and not isinstance(ndim, (int, np.integer)):
        raise TypeError(f"read_idx: ndim must be an int or None, not {type(ndim).__name__}")
    codes = _codes(dtype)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            if file.peek()[:2] != GZIP_MAGIC:
                return _read(file, codes, ndim, size, size)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _read(unpacked, codes, ndim, size * EXPANSION)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path}: damaged gzip file ({error})") from error
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None


def _codes(dtype: Any) -> list[int]:
    """The codes of IDX for a dtype; all of them for None."""
    if dtype is None:
        return list(DTYPES)
    try:
        wanted = np.dtype(dtype)
    except (TypeError, ValueError):
        raise TypeError(f"read_idx: dtype must be a dtype or None, not {type(dtype).__name__}") from None
    codes = [code for code, known in DTYPES.items() if known.newbyteorder("=") == wanted]
    if not codes:
        raise ValueError(f"read_idx: dtype {wanted} is none of IDX: {', '.join(map(str, DTYPES.values()))}")
    return codes


def _read(file: Any, codes: list[int], ndim: int | None, limit: int, size: int | None = None) -> np.ndarray:
    """The array in an open file. limit: bytes that it has at most; size: bytes that it has, if that is known."""
    dtype, shape = _read_header(file, codes, ndim)
    header = 4 + 4 * len(shape)
    needed = header + math.prod(shape) * dtype.itemsize
    takes = f"but shape {shape} takes {needed}"
    if needed > limit:
        raise ValueError(f"truncated, has {f'at most {limit}' if size is None else size} bytes {takes}")
    if size is not None and needed < size:
        raise ValueError(f"too long, has {size} bytes {takes}")
    array = _empty(shape, dtype)
    filled = file.readinto(array.reshape(-1).view(np.uint8).data)
    if filled < array.nbytes:
        raise ValueError(f"truncated, has {header + filled} bytes {takes}")
    if file.read(1):  # equivalent: 1 -> 2 because one byte is too many
        raise ValueError(f"too long, has more bytes than the {needed} that shape {shape} takes")
    # equivalent: False -> True because a copy has the same entries
    return array.astype(dtype.newbyteorder("="), copy=False)


def _read_header(file: Any, codes: list[int], ndim: int | None) -> tuple[np.dtype, tuple[int, ...]]:
    """The dtype and the shape that the file promises."""
    magic = file.read(4)
    axes = ndim if ndim is not None else magic[-1] if len(magic) == 4 else 0
    if len(magic) == 4 and not (magic[:2] == bytes(2) and magic[2] in codes and magic[3] == axes <= MAX_AXES):
        wanted = f"{codes[0]:02x}" if len(codes) == 1 else "a dtype's code from 08 to 0e"
        wanted += f" {axes:02x}" if ndim is not None else f", at most {MAX_AXES} axes"
        raise ValueError(f"begins with bytes {magic.hex(' ')}, should be 00 00 {wanted}")
    lengths = file.read(4 * axes)
    if len(magic) + len(lengths) < 4 + 4 * axes:
        raise ValueError(f"has {len(magic) + len(lengths)} bytes, too few for the header of {4 + 4 * axes}")
    return DTYPES[magic[2]], tuple(int(length) for length in np.frombuffer(lengths, ">u4"))


def _empty(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    try:
        return np.empty(shape, dtype)
    except (ValueError, MemoryError) as error:  # also of (0, 2**32 - 1, 2**32 - 1), which NumPy has no array for
        raise ValueError(f"shape {shape} is too large for an array") from error
