"""Convolution and pooling: their conventions, the messages about wrong input, and the windows that they share."""

import warnings
from itertools import product

import naive
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import minigrad as mg
from minigrad.ops.kernels.layout import images_innermost
from minigrad.ops.pooling import _blank
from minigrad.ops.windows import geometry, overlap, padded, taps, taps_inside
from minigrad.testing import check_grads, check_vjp

POOLS = (mg.avg_pool2d, mg.max_pool2d, mg.l2_pool2d)
rng = np.random.default_rng(0)


def sizes():
    """(image, window, stride, padding, dilation) of one axis, wherever the window fits."""
    for n, k, s, p, d in product((1, 2, 4), (1, 2, 3, 6), (1, 2, 3), (0, 1, 3), (1, 2)):
        if d * (k - 1) + 1 <= n + 2 * p:
            yield n, k, s, p, d


def geometries():
    """Images whose rows are of one of these sizes and whose columns are of another."""
    found = list(sizes())
    for rows, columns in zip(found, found[7:] + found[:7], strict=True):
        yield geometry("conv2d", *zip(rows, columns, strict=True))
    yield geometry("conv2d", (4, 6), (2, 3), (2, 3), 0)  # windows that tile the image
    yield geometry("conv2d", (2, 3), (2, 3), 1, 0)  # one window that is the image


def test_the_entries_of_windows():
    for where in geometries():
        x = rng.normal(size=where.image)
        xp = padded(x, where, value=np.inf)
        expected = np.pad(x, [(p, p) for p in where.padding], constant_values=np.inf)
        assert_array_equal(xp, expected)
        seen = []
        for (i, j), tap in taps(xp, where):
            seen.append((i, j))
            (sh, sw), (dh, dw) = where.stride, where.dilation
            for p, q in np.ndindex(where.out):
                assert tap[p, q] == expected[p * sh + i * dh, q * sw + j * dw]
            assert tap.shape == where.out
        assert seen == list(np.ndindex(where.window))


def test_what_needs_no_padding_is_not_copied():
    x = np.ones((2, 3))
    assert padded(x, geometry("conv2d", (2, 3), (1, 1), 1, 0)) is x
    assert padded(x, geometry("conv2d", (2, 3), (1, 1), 1, (1, 0))) is not x
    assert padded(x, geometry("conv2d", (2, 3), (1, 1), 1, (0, 1))) is not x


def test_the_entries_of_windows_inside_the_image():
    for where in geometries():
        for tap, (windows, entries) in zip(np.ndindex(where.window), taps_inside(where), strict=True):
            for axis in range(2):
                position = np.arange(where.out[axis]) * where.stride[axis]
                position += tap[axis] * where.dilation[axis] - where.padding[axis]
                inside = (position >= 0) & (position < where.image[axis])
                assert_array_equal(np.arange(where.out[axis])[windows[1 + axis]], np.flatnonzero(inside))
                assert_array_equal(np.arange(where.image[axis])[entries[1 + axis]], position[inside])


def times_read(where):
    """How many windows read each entry of the image."""
    read = np.zeros(where.image, int)
    for _, entries in taps_inside(where):
        read[entries] += 1
    return read


def test_windows_that_share_an_entry_overlap():
    for where in geometries():
        assert overlap(where) or times_read(where).max(initial=0) <= 1
        if where.dilation == (1, 1):
            assert overlap(where) == (where.window[0] > where.stride[0] or where.window[1] > where.stride[1])


def test_what_no_window_writes_to_is_made_zero_and_nothing_needlessly():
    for where in geometries():
        x = np.full(where.image, np.nan)
        read = times_read(where)
        if _blank(x, where):
            assert_array_equal(x, np.zeros_like(x))
        else:
            assert read.max(initial=0) <= 1
            assert_array_equal(x[read == 0], 0)
            if where.padding == (0, 0) and read.all():
                assert np.isnan(x).all()


def test_the_spread_of_integers_keeps_fractions():
    x = mg.ops.spread2d(np.array([[[[1, 2]]]]), (2, 4), 2)
    assert_array_equal(x, np.array([[[[0.25, 0.25, 0.5, 0.5]] * 2]]).reshape(1, 1, 2, 4))


@pytest.mark.parametrize("f", POOLS)
def test_pools_with_wide_padding(f):
    """Taps that lie in the padding for several windows, or for all of them."""
    for n, k, s, p, d in sizes():
        if d == 1 and 2 * p <= k:
            size = 2 * n * (n + 1)
            x = (rng.permutation(size).reshape(2, n, n + 1) + 0.5) / size  # apart: no ties
            options = {"stride": (s, 1), "padding": (p, k // 2)}
            assert_allclose(f(x, k, **options), getattr(naive, f.__name__)(x, k, **options))
            check_vjp(f, x, k, **options)


@pytest.mark.parametrize("n", [1, 16])
@pytest.mark.parametrize("f", POOLS)
def test_a_pool_of_single_entries_is_a_copy(f, n):
    x = rng.uniform(1, 2, (n, 1, 3, 3))
    before = x.copy()
    z = f(x, 1)
    assert_allclose(z, before, rtol=1e-15)
    assert not np.shares_memory(z, x)
    z[...] = 0
    assert_array_equal(x, before)


@pytest.mark.parametrize("f", POOLS)
def test_one_image_of_many_channels_is_a_batch_of_one(f):
    x = rng.uniform(1, 2, (17, 4, 4))
    (z, pullback), (batch, of_batch) = mg.vjp(lambda x: f(x, 2), x), mg.vjp(lambda x: f(x, 2), x[None])
    assert_array_equal(z, batch[0])
    assert_array_equal(pullback(z)[0], of_batch(batch)[0][0])


def test_from_16_images_on_the_gradient_of_an_average_pool_has_them_innermost():
    assert images_innermost(mg.ops.spread2d(np.ones((16, 2, 2, 2)), (4, 4), 2))


def test_the_l2_pool_of_infinity_is_infinite():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_array_equal(mg.l2_pool2d(np.array([[[np.inf, 1.0], [-np.inf, 2.0]]]), 2), [[[np.inf]]])
    assert np.isnan(mg.l2_pool2d(np.array([[[np.nan, 1.0], [0.0, 2.0]]]), 2)).all()


def test_the_l2_pool_of_large_negative_entries():
    assert_allclose(mg.l2_pool2d(np.full((1, 2, 2), -1e200), 2), [[[2e200]]])


@pytest.mark.parametrize("n", [1, 16])
def test_several_kernels_for_each_group_of_one_channel(n):
    """Not depthwise, however the numbers of channels, groups and rows of the kernel agree."""
    x, k = rng.normal(size=(n, 3, 4, 5)), rng.normal(size=(6, 1, 3, 2))
    z = mg.conv2d(x, k, groups=3)
    assert_allclose(z, naive.conv2d(x, k, groups=3))
    assert_allclose(mg.conv_transpose2d(z, k, groups=3), naive.conv_transpose2d(z, k, groups=3))


@pytest.mark.parametrize("options", [{}, {"stride": (2, 3)}, {"stride": 2, "padding": (1, 0)}, {"dilation": (1, 2)}])
@pytest.mark.parametrize("window", [(1, 1), (3, 2)])
def test_conv_transpose2d_gives_the_smallest_image_by_default(options, window):
    if window == (1, 1) and "padding" in options:
        options = options | {"padding": 0}
    for size in ((1, 1), (2, 3)):
        z, k = rng.normal(size=(1, 2, *size)), rng.normal(size=(2, 1, *window))
        x = mg.conv_transpose2d(z, k, **options)
        assert_allclose(x, naive.conv_transpose2d(z, k, **options))
        assert mg.conv2d(x, k, **options).shape == z.shape


def test_conv_transpose2d_of_which_nothing_is_left():
    with pytest.raises(ValueError, match=r"conv_transpose2d: padding \(1, 1\) leaves nothing of an input of 1 x 1"):
        mg.conv_transpose2d(np.ones((1, 1, 1, 1)), np.ones((1, 1, 2, 2)), padding=1)


@pytest.mark.parametrize("f", [mg.conv2d, mg.conv_transpose2d])
@pytest.mark.parametrize(("option", "least"), [("stride", 1), ("padding", 0), ("dilation", 1)])
def test_options_of_convolution(f, option, least):
    x, k = np.ones((1, 1, 5, 5)), np.ones((1, 1, 2, 2))
    for wrong in (least - 1, (least, least - 1), (least - 1, least)):
        with pytest.raises(ValueError, match=f"^{f.__name__}: {option} must be at least {least}, not "):
            f(x, k, **{option: wrong})
    for wrong in (1.5, (1, 1.5), (1.0, 1), True, (True, 1), "1", None, (1,), (1, 1, 1)):
        with pytest.raises(TypeError, match=f"^{f.__name__}: {option} must be an int or a pair of ints, not "):
            f(x, k, **{option: wrong})


@pytest.mark.parametrize("option", ["stride", "padding", "dilation"])
def test_a_pair_may_be_a_list_or_of_numpys_integers(option):
    x, k = rng.normal(size=(1, 1, 5, 5)), rng.normal(size=(1, 1, 2, 2))
    expected = mg.conv2d(x, k, **{option: (1, 2)})
    for alike in ([1, 2], (np.int64(1), 2), (1, np.uint8(2)), np.array([1, 2]).tolist()):
        assert_array_equal(mg.conv2d(x, k, **{option: alike}), expected)
    assert_array_equal(mg.conv2d(x, k, **{option: np.int32(2)}), mg.conv2d(x, k, **{option: (2, 2)}))


@pytest.mark.parametrize(
    ("f", "arguments"),
    [
        *((f, (np.ones((1, 4, 4)),)) for f in (*POOLS, mg.ops.unfold2d)),
        (mg.ops.fold2d, (np.ones((1, 2, 2, 2, 2)), (4, 4))),
        (mg.ops.spread2d, (np.ones((1, 2, 2)), (4, 4))),
    ],
)
def test_windows_of_pools(f, arguments):
    for wrong in (0, (0, 2), (2, 0)):
        with pytest.raises(ValueError, match=f"^{f.__name__}: window must be at least 1, not "):
            f(*arguments, wrong)
    for wrong in (1.5, True, (1, 1, 1)):
        with pytest.raises(TypeError, match=f"^{f.__name__}: window must be an int or a pair of ints, not "):
            f(*arguments, wrong)
    for option, wrong in (("stride", 0), ("padding", -1)):
        with pytest.raises(ValueError, match=f"^{f.__name__}: {option} must be at least {wrong + 1}, not {wrong}"):
            f(*arguments, 2, **{option: wrong})


@pytest.mark.parametrize("n", [1, 16])
@pytest.mark.parametrize("image", [(0, 0), (0, 3), (2, 0)])
def test_an_empty_image_with_a_padding_has_a_gradient(n, image):
    x, k = np.zeros((n, 2, *image)), np.random.default_rng(0).normal(size=(4, 1, 2, 2))
    assert mg.conv2d(x, k, padding=1, groups=2).shape == (n, 4, image[0] + 1, image[1] + 1)
    check_grads(mg.conv2d, x, k, padding=1, groups=2, order=2)
