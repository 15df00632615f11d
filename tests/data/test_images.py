"""Reading images: the digits against their source, IDX files in every spelling, and every fault named."""

import gzip
import struct

import numpy as np
import pytest

import minigrad as mg
from minigrad.data.images import DIGITS

SIZE = (4, 5)


def idx(array):
    """The bytes of an IDX file, written independently of the reader."""
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_part(folder, prefix, count=6, separator="-", suffix="", pack=bytes, seed=0):
    rng = np.random.default_rng(seed)
    grey, labels = rng.integers(0, 256, (count, *SIZE), np.uint8), rng.integers(0, 10, count, np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    for kind, array in {"images": grey, "labels": labels}.items():
        path = folder / f"{prefix}-{kind}{separator}idx{array.ndim}-ubyte{suffix}"
        path.write_bytes(pack(idx(array)))
    return grey, labels


@pytest.fixture
def mnist_like(tmp_path):
    write_part(tmp_path, "train", count=6)
    write_part(tmp_path, "t10k", count=3, seed=1)
    return tmp_path


def test_digits_are_those_of_scikit_learn():
    source = pytest.importorskip("sklearn.datasets").load_digits()
    with np.load(DIGITS, allow_pickle=False) as copy:
        assert copy["images"].dtype == np.uint8
        np.testing.assert_array_equal(copy["images"], source.images)
        np.testing.assert_array_equal(copy["labels"], source.target)


def test_digits_are_small_and_attributed():
    assert DIGITS.stat().st_size < 64 * 1024
    attribution = (DIGITS.parent / "README.md").read_text(encoding="utf-8")
    for words in ("Alpaydin", "Kaynak", "UCI Machine Learning Repository", "CC BY 4.0"):
        assert words in attribution


def test_digits_are_bytes_with_labels():
    images, labels = mg.data.digits()
    assert (images.shape, images.dtype, labels.shape, labels.dtype) == ((1797, 8, 8), np.uint8, (1797,), np.intp)
    assert set(labels) == set(range(10))
    images[...] = 0  # not the next caller's
    assert mg.data.digits().images.any()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gzip"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("separator", ["-", "."])
@pytest.mark.parametrize("place", ["", "raw", "MNIST/raw"])
def test_idx_is_found_and_read(place, separator, suffix, pack, tmp_path):
    train = write_part(tmp_path / place, "train", 6, separator, suffix, pack, seed=0)
    test = write_part(tmp_path / place, "t10k", 3, separator, suffix, pack, seed=1)
    for part, expected in zip(mg.data.mnist(tmp_path), (train, test), strict=True):
        np.testing.assert_array_equal(part.images, expected[0])
        np.testing.assert_array_equal(part.labels, expected[1])
        assert (part.images.dtype, part.labels.dtype) == (np.uint8, np.intp)


def test_missing_file_names_every_path_tried(mnist_like):
    (mnist_like / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match="found no t10k-labels file") as caught:
        mg.data.mnist(mnist_like)
    for place in ("", "raw", "MNIST/raw"):
        for spelling in ("t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte"):
            for suffix in ("", ".gz"):
                assert str(mnist_like / place / (spelling + suffix)) in str(caught.value)


def test_missing_folder_is_an_error_too(tmp_path):
    with pytest.raises(FileNotFoundError, match="found no train-images file"):
        mg.data.mnist(tmp_path / "absent")


def change(path, change_bytes):
    path.write_bytes(change_bytes(path.read_bytes()))


WRONG = {
    "not IDX": ("images-idx3", lambda b: b"\x89PNG" + b[4:], "begins with bytes 89 50 4e 47, should be 00 00 08 03"),
    "labels for images": ("images-idx3", lambda b: idx(np.zeros(9, np.uint8)), "begins with bytes 00 00 08 01"),
    "images for labels": ("labels-idx1", lambda b: idx(np.zeros((6, 1, 1), np.uint8)), "should be 00 00 08 01"),
    "floats": ("images-idx3", lambda b: b"\0\0\x0d\x03" + b[4:], "begins with bytes 00 00 0d 03"),
    "empty": ("images-idx3", lambda b: b"", "has 0 bytes, too few for the header of 16"),
    "only magic": ("images-idx3", lambda b: b[:9], "has 9 bytes, too few for the header of 16"),
    "truncated": ("images-idx3", lambda b: b[:-1], r"truncated, has 135 bytes but shape \(6, 4, 5\) takes 136"),
    "too long": ("labels-idx1", lambda b: b + b"\0", r"too long, has 15 bytes but shape \(6,\) takes 14"),
    "huge": ("images-idx3", lambda b: b[:4] + b"\xff" * 12 + b[16:], "truncated, has 136 bytes"),
    "damaged gzip": ("images-idx3", lambda b: gzip.compress(b)[:-12], "damaged gzip file"),
    "wrong checksum": ("images-idx3", lambda b: gzip.compress(b)[:-8] + bytes(8), "damaged gzip file"),
    "garbage in gzip": ("images-idx3", lambda b: gzip.compress(b)[:10] + b"\xff" * 40, "damaged gzip file"),
    "no image": ("images-idx3", lambda b: idx(np.zeros((0, 4, 5), np.uint8)), r"has no pixels \(shape \(0, 4, 5\)\)"),
    "no pixel": ("images-idx3", lambda b: idx(np.zeros((6, 0, 5), np.uint8)), "has no pixels"),
    "counts": ("labels-idx1", lambda b: idx(np.zeros(5, np.uint8)), "has 5 labels for the 6 images of train-images"),
    "label": ("labels-idx1", lambda b: b[:-1] + b"\x0a", "label 5 is 10, should be 0 to 9"),
}


@pytest.mark.parametrize(("kind", "fault", "message"), WRONG.values(), ids=WRONG)
def test_wrong_file_is_named_with_what_is_wrong(kind, fault, message, mnist_like):
    path = mnist_like / f"train-{kind}-ubyte"
    change(path, fault)
    with pytest.raises(ValueError, match=message) as caught:
        mg.data.mnist(mnist_like)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_sizes_are_an_error(mnist_like):
    (mnist_like / "t10k-images-idx3-ubyte").write_bytes(idx(np.zeros((3, 5, 4), np.uint8)))
    with pytest.raises(ValueError, match=r"have shape \(4, 5\) but the test images have shape \(5, 4\)"):
        mg.data.mnist(mnist_like)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_standardised_images_have_mean_0_and_deviation_1(dtype):
    grey = np.random.default_rng(0).integers(0, 256, (50, *SIZE), np.uint8)
    kept = grey.copy()
    scale = mg.data.measure(grey)
    x = scale.standardise(grey, dtype)
    assert (x.shape, x.dtype) == ((50, 1, *SIZE), np.dtype(dtype))
    tolerance = 10 * np.finfo(dtype).eps
    assert abs(x.mean(dtype=np.float64)) < tolerance
    assert abs(x.std(dtype=np.float64) - 1) < tolerance
    np.testing.assert_array_equal(grey, kept)


def test_constant_images_are_an_error():
    with pytest.raises(ValueError, match="measure: all 3 images have only the grey value 7"):
        mg.data.measure(np.full((3, *SIZE), 7, np.uint8))


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: mg.data.measure(np.zeros((3, 4, 4))), TypeError, r"measure: images must be an array of uint8, not"),
        (lambda: mg.data.measure([1]), TypeError, r"measure: images must be an array of uint8, not \[1\]"),
        (
            lambda: mg.data.measure(np.zeros((4, 4), np.uint8)),
            ValueError,
            r"measure: images must be \(N, height, width",
        ),
        (lambda: mg.data.measure(np.zeros((0, 4, 4), np.uint8)), ValueError, r"with pixels, not \(0, 4, 4\)"),
        (lambda: mg.data.Scale(0, 1).standardise(np.zeros(3)), TypeError, "standardise: images must be an array of"),
        (lambda: mg.data.mnist(3), TypeError, "mnist: folder must be a path, not 3"),
    ],
)
def test_wrong_images_are_named(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
