"""`read_idx`: every dtype and number of axes, and no more read than the header promises."""

import gzip
import io
import math
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import minigrad as mg

CODES = {"u1": 8, "i1": 9, ">i2": 11, ">i4": 12, ">f4": 13, ">f8": 14}


def idx(array, code):
    """The bytes of an IDX file, written independently of the reader."""
    return struct.pack(f">4B{array.ndim}I", 0, 0, code, array.ndim, *array.shape) + array.tobytes()


@given(data=st.data(), dtype=st.sampled_from(list(CODES)), pack=st.sampled_from([bytes, gzip.compress]))
def test_what_was_written_is_read(data, dtype, pack, tmp_path_factory):
    array = data.draw(arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4)))
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(pack(idx(array, CODES[dtype])))
    read = mg.data.read_idx(path)
    np.testing.assert_array_equal(read, array)
    assert read.dtype == np.dtype(dtype).newbyteorder("=")
    assert read.flags.writeable
    np.testing.assert_array_equal(mg.data.read_idx(str(path), ndim=array.ndim, dtype=read.dtype), array)


@pytest.mark.parametrize("dtype", CODES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 0)])
def test_every_dtype_and_number_of_axes_is_read(dtype, shape, tmp_path):
    array = np.arange(1, math.prod(shape) + 1).reshape(shape).astype(dtype)
    for pack in (bytes, gzip.compress):
        (tmp_path / "file").write_bytes(pack(idx(array, CODES[dtype])))
        np.testing.assert_array_equal(mg.data.read_idx(tmp_path / "file"), array)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"", {}, "has 0 bytes, too few for the header of 4"),
        (b"", {"ndim": 3}, "has 0 bytes, too few for the header of 16"),
        (b"\0\0\x08", {}, "has 3 bytes, too few for the header of 4"),
        (b"\0\0\x08\x01abc", {}, "has 7 bytes, too few for the header of 8"),
        (b"\0\0\x08\x02abc", {}, "has 7 bytes, too few for the header of 12"),
        (b"\1\0\x08\0", {}, "begins with bytes 01 00 08 00, should be 00 00 a dtype's code"),
        (
            b"\x89PNG",
            {},
            "begins with bytes 89 50 4e 47, should be 00 00 a dtype's code from 08 to 0e, at most 32 axes",
        ),
        (b"\x89PNG", {"ndim": 1, "dtype": "f4"}, "begins with bytes 89 50 4e 47, should be 00 00 0d 01"),
        (b"\0\0\x08\x01\0\0\0\2ab", {"dtype": float}, "begins with bytes 00 00 08 01, should be 00 00 0e, at most"),
        (b"\0\0\x08\xff" + bytes(1020), {}, "begins with bytes 00 00 08 ff"),
        (b"\0\0\x08\x01\0\0\0\2a", {}, r"truncated, has 9 bytes but shape \(2,\) takes 10"),
        (b"\0\0\x08\x01\0\0\0\2abc", {}, r"too long, has 11 bytes but shape \(2,\) takes 10"),
        (
            b"\0\0\x08\x02" + b"\xff" * 8,
            {},
            r"truncated, .* shape \(4294967295, 4294967295\) takes 18446744065119617037",
        ),
        (b"\0\0\x08\x03" + bytes(4) + b"\xff" * 8, {}, "too large for an array"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_is_wrong_is_said_with_the_path(content, options, message, pack, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(pack(content))
    if pack is gzip.compress:
        message = message.replace("truncated, has 9", "truncated, has (9|at most [0-9]+)").replace("has 11", "has more")
        message = message.partition(" bytes but")[0] if "too long" in message else message
    with pytest.raises(ValueError, match=message) as caught:
        mg.data.read_idx(path, **options)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_gzip_file_may_be_much_shorter_than_the_array(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(idx(np.ones(100_000, np.uint8), 8)))
    assert mg.data.read_idx(path).sum() == 100_000


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        (None, {}, "path must be a path, not NoneType"),
        ("file", {"ndim": 1.0}, "ndim must be an int or None, not float"),
        ("file", {"dtype": "pixels"}, "dtype must be a dtype or None, not str"),
    ],
)
def test_an_argument_of_another_kind_is_named(path, options, message):
    with pytest.raises(TypeError, match=f"^read_idx: {message}$"):
        mg.data.read_idx(path, **options)


def test_a_dtype_that_idx_does_not_have_is_named(tmp_path):
    with pytest.raises(ValueError, match="read_idx: dtype float16 is none of IDX: uint8, int8, >i2, >i4, >f4, >f8"):
        mg.data.read_idx(tmp_path / "file", dtype=np.float16)


def peak_while_reading(path):
    """Bytes at the peak."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=str(path)):
            mg.data.read_idx(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("promised", [10, 2**30])
def test_a_gzip_bomb_is_not_unpacked(promised, tmp_path):
    unpacked = 200_000_000
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as file:
        file.write(struct.pack(">4BI", 0, 0, 8, 1, promised))
        for _ in range(unpacked // 1_000_000):
            file.write(bytes(1_000_000))
    path = tmp_path / "bomb.gz"
    path.write_bytes(packed.getvalue())
    assert len(packed.getvalue()) < 1_500_000
    assert peak_while_reading(path) < 3_000_000


def test_a_truncated_file_is_refused_before_its_promise_is_allocated(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(struct.pack(">4BI", 0, 0, 8, 1, 2**31) + bytes(100))
    assert peak_while_reading(path) < 100_000
