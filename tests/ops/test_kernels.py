"""The fast kernels of convolution and pooling against readable ones, across the boundaries of their paths."""

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from unittest.mock import Mock, call, patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference_convolution import conv2d, conv2d_kernel, conv_transpose2d

import minigrad as mg
from minigrad.ops import convolution, kernels
from minigrad.ops.kernels import (
    depthwise,
    layout,
    path,
    products,
    release_scratch,
    row_window,
    scratch,
    set_threads,
    threads,
    whole_windows,
)
from minigrad.ops.windows import geometry

COUNTS = (1, 2, 7, 8, 9, 33)  # of images: they are put innermost from 8 on


def pairs(least, most):
    return st.tuples(st.integers(least, most), st.integers(least, most))


@st.composite
def convolutions(draw, windowed=(False, True), sizes=((1, 1), (1, 2), (2, 1), (3, 2))):
    """(x, k, g, options, where) of any path, with leftovers of the stride; built from the size of the output."""
    groups, dtype = draw(st.integers(1, 3)), draw(st.sampled_from(["float32", "float64"]))
    channels, outputs = draw(st.sampled_from(sizes))  # of a group
    if draw(st.sampled_from(windowed)):
        kernel, stride, padding = draw(pairs(1, 4)), draw(pairs(1, 4)), draw(pairs(0, 3))
    else:
        kernel, stride, padding = (1, 1), (1, 1), (0, 0)
    dilation, out, n = draw(pairs(1, 3)), draw(pairs(1, 5)), draw(st.sampled_from(COUNTS))
    image = tuple(
        max(1, (o - 1) * s + d * (k - 1) + 1 - 2 * p + draw(st.integers(0, s - 1)))
        for o, s, d, k, p in zip(out, stride, dilation, kernel, padding, strict=True)
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    where = geometry("conv2d", image, kernel, stride, padding, dilation)
    x = rng.normal(size=(n, groups * channels, *image)).astype(dtype)
    k = rng.normal(size=(groups * outputs, channels, *kernel)).astype(dtype)
    g = rng.normal(size=(n, groups * outputs, *where.out)).astype(dtype)
    order = st.sampled_from([(0, 1, 2, 3), (2, 1, 3, 0), (0, 2, 3, 1), (2, 3, 1, 0), (3, 2, 1, 0)])
    return in_memory_order(x, draw(order)), k, in_memory_order(g, draw(order)), options, where


def in_memory_order(array, order):
    return np.ascontiguousarray(array.transpose(order)).transpose(np.argsort(order))


def assert_close(fast, reference, terms):
    """Equal to a few ulp times the length of the sums, whose terms are products of normal numbers."""
    assert fast.shape == reference.shape
    assert_allclose(fast, reference, rtol=0, atol=8 * terms * np.finfo(fast.dtype).eps)


def assert_as_the_reference(kernels, x, k, g, options, where):
    X, K, G = (a.astype(float) for a in (x, k, g))
    groups = options["groups"]
    z = kernels.forward(x, k, where, groups, x.dtype)
    dx = kernels.input_gradient(g, k, where, groups, x.dtype)
    dk = kernels.kernel_gradient(x, g, where, groups, x.dtype)
    assert z.dtype == dx.dtype == dk.dtype == x.dtype
    assert_close(z, conv2d(X, K, **options), K[0].size)
    assert_close(dx, conv_transpose2d(G, K, image=where.image, **options), K[:, 0].size)
    assert_close(dk, conv2d_kernel(X, G, kernel=where.window, **options), G[:, 0].size)


@given(convolutions())
@settings(max_examples=200)
def test_convolution_agrees_with_the_reference(drawn):
    x, k, g, options, where = drawn
    with patch.object(kernels, "FEW", 300):  # so that small convolutions take either path
        assert_as_the_reference(path(where, len(x), x.shape[1], len(k), options["groups"]), x, k, g, options, where)


@given(convolutions(windowed=(True,), sizes=((1, 1),)))
@settings(max_examples=200)
def test_depthwise_convolution_agrees_with_the_reference(drawn):
    assert_as_the_reference(depthwise, *drawn)


@given(convolutions(windowed=(True,), sizes=((1, 1),)), st.integers(1, 3), st.integers(100, 4000))
@settings(max_examples=200)
def test_depthwise_convolution_agrees_with_the_reference_however_it_is_cut(drawn, rows, tile):
    with patch.multiple(depthwise, ROWS=rows, TILE=tile):
        x, k, g, options, where = drawn
        for order in ((0, 1, 2, 3), (2, 1, 3, 0)):
            laid = in_memory_order(x, order), k, in_memory_order(g, order)
            assert_as_the_reference(depthwise, *laid, options, where)


@pytest.mark.parametrize("kernel", [depthwise, row_window])
@pytest.mark.parametrize(
    ("stride", "dilation", "padding"),
    [((1, 1), (1, 1), (1, 1)), ((2, 2), (1, 1), (0, 0)), ((1, 1), (2, 2), (2, 2)), ((3, 2), (1, 2), (0, 3))],
)
def test_many_rows_agree_with_the_reference(kernel, stride, dilation, padding):
    rng = np.random.default_rng(0)
    for n, order in ((3, (0, 1, 2, 3)), (17, (0, 1, 2, 3)), (17, (2, 1, 3, 0)), (2, (0, 2, 3, 1))):
        where = geometry("conv2d", (23, 12), (3, 4), stride, padding, dilation)
        x, k = rng.normal(size=(n, 2, 23, 12)), rng.normal(size=(2, 1, 3, 4))
        g = rng.normal(size=(n, 2, *where.out))
        options = {"stride": stride, "dilation": dilation, "padding": padding, "groups": 2}
        laid = in_memory_order(x, order), k, in_memory_order(g, order)
        assert_as_the_reference(kernel, *laid, options, where)


@st.composite
def cuts(draw):
    """Sizes to cut to, so small that the smallest convolution is cut: what `cut_to` takes."""
    return [draw(st.integers(*bounds)) for bounds in ((50, 500), (200, 4000), (1, 40), (2, 12))]


@contextmanager
def cut_to(product, tile, contraction, transposed):
    products.parts.cache_clear()
    whole_windows._cuts.cache_clear()
    with (
        patch.multiple(products, PRODUCT=product, TRANSPOSED=transposed),
        patch.multiple(row_window, TILE=tile, LANES=contraction),
        patch.multiple(whole_windows, CONTRACTION=contraction, TILE=tile),
    ):
        yield
    products.parts.cache_clear()
    whole_windows._cuts.cache_clear()


@given(convolutions(), cuts())
@settings(max_examples=200)
def test_row_windows_agree_with_the_reference_however_they_are_cut(drawn, sizes):
    with cut_to(*sizes):
        assert_as_the_reference(row_window, *drawn)


@pytest.mark.parametrize(("kernel", "tile"), [(row_window, 16_000), (whole_windows, 2000)])
@pytest.mark.parametrize(("n", "lanes"), [(3, 2), (17, 40), (48, 20)])  # columns are cut; or images, in one column
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(
    ("stride", "dilation"), [((1, 1), (1, 1)), ((1, 2), (2, 1)), ((2, 3), (1, 2)), ((2, 1), (2, 2))]
)
def test_windows_agree_with_the_reference_where_all_is_cut(stride, dilation, groups, n, lanes, kernel, tile):
    rng = np.random.default_rng(0)
    options = {"stride": stride, "padding": (2, 1), "dilation": dilation, "groups": groups}
    where = geometry("conv2d", (11, 10), (3, 2), stride, (2, 1), dilation)
    x, k = rng.normal(size=(n, 4, 11, 10)), rng.normal(size=(6, 4 // groups, 3, 2))
    g = rng.normal(size=(n, 6, *where.out))
    for order in ((0, 1, 2, 3), (2, 1, 3, 0)):
        with cut_to(100, tile, lanes, 20):
            laid = in_memory_order(x, order), k, in_memory_order(g, order)
            assert_as_the_reference(kernel, *laid, options, where)


@given(convolutions(), cuts())
@settings(max_examples=200)
def test_whole_windows_agree_with_the_reference_however_they_are_cut(drawn, sizes):
    with cut_to(*sizes):
        assert_as_the_reference(whole_windows, *drawn)


@given(convolutions(windowed=(True,)))
@settings(max_examples=200)
def test_whole_windows_agree_with_the_reference(drawn):
    assert_as_the_reference(whole_windows, *drawn)


@pytest.mark.parametrize("groups", [1, 2])
def test_the_kernel_gradient_of_large_images_with_1x1_kernels(groups):
    rng = np.random.default_rng(0)
    x, k, g = (rng.normal(size=size) for size in ((3, 4 * groups, 5, 9), (6 * groups, 4, 1, 1), (3, 6 * groups, 5, 9)))
    options = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": groups}
    with cut_to(500, 1000, 20, 10):  # three products of 15 pixels, for outputs two at a time
        assert_as_the_reference(whole_windows, x, k, g, options, geometry("conv2d", (5, 9), (1, 1), 1, 0))


@pytest.mark.parametrize("n", [3, 16])
@pytest.mark.parametrize("kernel", [(4, 2, 3, 3), (4, 2, 1, 1), (2, 1, 3, 3)])
@pytest.mark.parametrize("single", ["x", "k"])
def test_mixed_dtypes_compute_in_the_wider_one(single, kernel, n):
    rng = np.random.default_rng(0)
    options = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 2 // kernel[1]}
    for order in ((0, 1, 2, 3), (2, 1, 3, 0)):
        x, k = in_memory_order(rng.normal(size=(n, 2, 5, 6)), order), rng.normal(size=kernel)
        z = in_memory_order(conv2d(x, k, **options), order)
        x, k, z = (a.astype(np.float32) if who == single else a for a, who in ((x, "x"), (k, "k"), (z, "x")))
        X, K, Z = (a.astype(float) for a in (x, k, z))
        other = x.astype(np.float64 if single == "x" else np.float32)
        for result, reference in (
            (mg.conv2d(x, k, **options), conv2d(X, K, **options)),
            (mg.conv_transpose2d(z, k, **options), conv_transpose2d(Z, K, image=(5, 6), **options)),
            (
                mg.ops.conv2d_kernel(other, z, size=kernel[2:], **options),
                conv2d_kernel(other.astype(float), Z, kernel=kernel[2:], **options),
            ),
        ):
            assert result.dtype == float
            assert_close(result, reference, z[:, 0].size)


@pytest.mark.parametrize("n", [2, 16])
@pytest.mark.parametrize(
    ("taps", "stride", "dilation", "padding"), [(2, 1, 4, 3), (3, 1, 5, 0), (3, 4, 6, 2), (1, 3, 1, 1)]
)
def test_entries_between_the_taps_of_few_windows_receive_nothing(n, taps, stride, dilation, padding):
    rng = np.random.default_rng(0)
    image = stride + dilation * (taps - 1) + 1 - 2 * padding + stride - 1  # two windows and a leftover
    options = {"stride": (stride,) * 2, "padding": (padding,) * 2, "dilation": (dilation,) * 2, "groups": 2}
    where = geometry("conv2d", (image, image), (taps, taps), stride, padding, dilation)
    assert where.out == (2, 2)
    x, k = rng.normal(size=(n, 4, image, image)), rng.normal(size=(6, 2, taps, taps))
    assert_as_the_reference(row_window, x, k, rng.normal(size=(n, 6, 2, 2)), options, where)


@pytest.mark.parametrize("n", [2, 16])
def test_an_image_between_the_windows_receives_nothing(n):
    options = {"stride": (2, 2), "padding": (1, 1), "dilation": (1, 1), "groups": 1}
    x, k, g = np.ones((n, 2, 1, 1)), np.ones((3, 2, 1, 1)), np.ones((n, 3, 2, 2))
    assert_as_the_reference(row_window, x, k, g, options, geometry("conv2d", (1, 1), (1, 1), 2, 1))


@pytest.mark.parametrize("in_cache", [40, 400, 20_000, 10**9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("shape", [(16, 4, 16, 16), (17, 3, 5, 7), (1, 2, 3, 3), (40, 1, 9, 1)])
def test_images_are_put_innermost_however_they_are_cut(shape, dtype, in_cache):
    whole = np.random.default_rng(0).integers(-99, 99, (shape[0], shape[1] + 1, *shape[2:])).astype(dtype)
    for source in (whole[:, 1:], whole[:, :-1, ::-1], in_memory_order(whole, (0, 2, 3, 1))[:, 1:]):
        target = layout.empty_innermost(shape, np.float64)
        with patch.object(layout, "IN_CACHE", in_cache), scratch.Scratch() as take:
            layout.copy_images(target, source, take)
        assert_array_equal(target, source)


@given(convolutions())
def test_the_ops_agree_with_the_reference(drawn):
    x, k, g, options, where = drawn
    x_t, k_t = mg.tensor(x, requires_grad=True), mg.tensor(k, requires_grad=True)
    mg.conv2d(x_t, k_t, **options).backward(g)
    X, K, G = (a.astype(float) for a in (x, k, g))
    assert_close(x_t.grad, conv_transpose2d(G, K, image=where.image, **options), K[:, 0].size)
    assert_close(k_t.grad, conv2d_kernel(X, G, kernel=where.window, **options), G[:, 0].size)


@pytest.mark.parametrize(
    ("options", "images", "channels", "outputs", "expected"),
    [
        ({"size": (1, 1)}, 99, 4, 3, whole_windows),
        ({"size": (1, 1), "groups": 4}, 99, 4, 4, whole_windows),
        ({"size": (1, 1), "stride": 2}, 16, 4, 3, row_window),
        ({"size": (1, 1), "padding": 1}, 16, 4, 3, row_window),
        ({"size": (1, 2)}, 16, 4, 3, row_window),
        ({"size": (3, 3), "groups": 4}, 1, 4, 4, depthwise),
        ({"size": (3, 3), "groups": 4}, 16, 4, 8, row_window),
        ({"size": (3, 3)}, 8, 1, 1, row_window),
        ({"size": (3, 3)}, 7, 1, 1, whole_windows),
        ({"size": (3, 2)}, 3, 4, 3, whole_windows),
        ({"size": (3, 2)}, 4, 4, 3, row_window),
        ({"size": (3, 2)}, 7, 4, 8, whole_windows),
        ({"size": (3, 2)}, 7, 4, 7, row_window),
        ({"size": (3, 2), "groups": 2}, 7, 4, 16, whole_windows),
        ({"size": (3, 2), "groups": 2}, 7, 4, 14, row_window),
        ({"size": (3, 5)}, 7, 4, 5, row_window),
        ({"size": (3, 5)}, 7, 4, 6, whole_windows),
        ({"size": (3, 2)}, 8, 4, 8, row_window),
    ],
)
def test_the_rule_of_three_paths(options, images, channels, outputs, expected):
    options = {"stride": 1, "padding": 0, "groups": 1} | options
    where = geometry("conv2d", (5, 5), options["size"], options["stride"], options["padding"])
    most = 7 * 9 * 9 if channels == 1 else 3 * 4 * 6 * 12  # as many entries as the largest whole ones above
    with patch.multiple(kernels, FEW=most, MANY=6):
        assert path(where, images, channels, outputs, options["groups"]) is expected


@pytest.mark.parametrize("images", [(), (5,)])
def test_the_ops_ask_the_rule_for_their_convolution(images):
    x, k, z = np.ones((*images, 6, 7, 8)), np.ones((4, 3, 2, 3)), np.ones((*images, 4, 6, 6))
    groups = np.int64(2)  # for which no plan is remembered
    with patch.object(convolution, "path", Mock(wraps=path)) as rule:
        mg.conv2d(x, k, groups=groups)
        mg.conv_transpose2d(z, k, groups=groups)
        mg.ops.conv2d_kernel(x, z, size=(2, 3), groups=groups)
    where = geometry("conv2d", (7, 8), (2, 3), 1, 0)
    assert rule.call_args_list == [call(where, images[0] if images else 1, 6, 4, 2)] * 3


@pytest.mark.parametrize("n", [3, 16])
def test_the_gradient_of_a_bias_is_the_sum_of_its_channel(n):
    g = np.random.default_rng(0).normal(size=(n, 3, 4, 5))
    for order in ((0, 1, 2, 3), (2, 1, 3, 0)):
        b = mg.tensor(np.zeros(3), requires_grad=True)
        z = mg.conv2d(in_memory_order(np.ones((n, 2, 4, 5)), order), np.ones((3, 2, 1, 1)), b)
        z.backward(g)
        assert_allclose(b.grad, g.sum(axis=(0, 2, 3)))


@pytest.mark.parametrize("kernel", [(4, 2, 3, 3), (4, 2, 1, 1), (2, 1, 3, 3)])
def test_an_empty_batch(kernel):
    groups = 2 // kernel[1]
    x, k = np.empty((0, 2, 5, 5)), np.ones(kernel)
    z = mg.conv2d(x, k, groups=groups)
    assert z.shape == (0, kernel[0], 6 - kernel[2], 6 - kernel[3])
    assert mg.conv_transpose2d(z, k, groups=groups).shape == x.shape
    assert_array_equal(mg.ops.conv2d_kernel(x, z, size=kernel[2:], groups=groups), np.zeros(kernel))


@pytest.mark.parametrize("kernel", [(4, 2, 3, 3), (4, 2, 1, 1), (2, 1, 3, 3)])
def test_one_image_without_a_batch_axis_is_a_batch_of_one(kernel):
    rng = np.random.default_rng(0)
    x, k, groups = rng.normal(size=(2, 5, 6)), rng.normal(size=kernel), 2 // kernel[1]
    z = mg.conv2d(x, k, groups=groups)
    assert_array_equal(z, mg.conv2d(x[None], k, groups=groups)[0])
    assert_array_equal(mg.conv_transpose2d(z, k, groups=groups), mg.conv_transpose2d(z[None], k, groups=groups)[0])


def test_dtypes_mix_as_in_numpy():
    x, k = np.ones((2, 1, 4, 4), np.float32), np.ones((1, 1, 3, 3))
    assert mg.conv2d(x, k).dtype == mg.conv2d(k, x[:1, :, :3, :3]).dtype == float
    assert mg.conv2d(x, k.astype(np.float32), np.ones(1)).dtype == float
    ints = np.arange(16).reshape(1, 1, 4, 4)
    assert_array_equal(mg.conv2d(ints, np.ones((1, 1, 4, 4), int)), [[[[120]]]])


@pytest.mark.parametrize("n", [3, 16])
@pytest.mark.parametrize("kernel", [(4, 2, 3, 3), (4, 2, 1, 1), (2, 1, 3, 3)])
def test_no_result_shares_memory_with_another_one_or_with_scratch(n, kernel):
    x, k, groups = np.ones((n, 2, 5, 5)), np.ones(kernel), 2 // kernel[1]
    z = mg.conv2d(x, k, groups=groups)
    results = [
        z,
        mg.conv2d(x, k, groups=groups),
        mg.conv_transpose2d(z, k, groups=groups),
        mg.ops.conv2d_kernel(x, z, size=kernel[2:], groups=groups),
    ]
    kept = [x, k, *(buffer for buffers in scratch._kept.free for buffer in buffers.values())]
    for i, result in enumerate(results):
        assert not any(np.shares_memory(result, other) for other in [*results[:i], *kept])


@pytest.mark.parametrize("kernel", [(4, 2, 3, 3), (4, 2, 1, 1), (2, 1, 3, 3)])
def test_a_leaf_takes_the_gradient_without_a_copy(kernel):
    x, groups = in_memory_order(np.ones((16, 2, 5, 5)), (2, 1, 3, 0)), 2 // kernel[1]
    z = mg.conv2d(x, np.ones(kernel), groups=groups)
    for image in (z, mg.conv_transpose2d(z, np.ones(kernel), groups=groups)):
        assert image.flags.owndata
        assert layout.images_innermost(image)


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 1, 3, 0), (2, 3, 1, 0)])
def test_results_lie_with_images_innermost_from_8_images_on(order, n):
    x, k = in_memory_order(np.ones((n, 2, 5, 6)), order), np.ones((4, 2, 3, 3))
    z = mg.conv2d(x, k)
    where = geometry("conv2d", (5, 6), (3, 3), 1, 0)
    others = row_window.forward(x, k, where, 1, x.dtype), mg.ops.spread2d(z, (6, 8), 2)
    for image in (z, mg.conv_transpose2d(z, k), mg.max_pool2d(z, 2), *others):
        assert layout.images_innermost(image) == (n >= 8)
        assert image.flags.c_contiguous == (n < 8)


@pytest.mark.parametrize("n", [1, 2, 16])
def test_results_of_1x1_kernels_lie_as_their_input(n):
    for order, c_order in (((0, 1, 2, 3), True), ((2, 1, 3, 0), n == 1)):
        for channels in (1, 2):
            x, k = in_memory_order(np.ones((n, channels, 5, 6)), order), np.ones((4, channels, 1, 1))
            z = mg.conv2d(x, k)
            dx = mg.conv_transpose2d(in_memory_order(z, order), k)
            assert z.flags.c_contiguous == c_order
            assert dx.flags.c_contiguous or not c_order
            assert layout.images_innermost(dx) == (not c_order)


@pytest.mark.parametrize(
    ("n", "stride", "contiguous"),
    [
        (7, (1, 1), True),
        (8, (1, 1), False),
        (8, (2, 1), False),
        (8, (1, 2), True),
        (9, (1, 2), True),
        (9, (1, 1), False),
    ],
)
def test_depthwise_results_lie_as_their_input_if_columns_are_strided_or_images_few(n, stride, contiguous):
    x, k = np.ones((n, 2, 6, 7)), np.ones((2, 1, 3, 3))
    g = np.ones(mg.conv2d(x, k, stride=stride, groups=2).shape)
    for order, expected in (((0, 1, 2, 3), contiguous), ((2, 1, 3, 0), False)):
        z = mg.conv2d(in_memory_order(x, order), k, stride=stride, groups=2)
        dx = mg.conv_transpose2d(in_memory_order(g, order), k, stride=stride, groups=2)
        for image in (z, dx):
            assert (image.flags.c_contiguous, layout.images_innermost(image)) == (expected, not expected)


def kept_buffers():
    """(id, bytes) of each."""
    return {(id(buffer), buffer.nbytes) for buffers in scratch._kept.free for buffer in buffers.values()}


def test_scratch_is_kept_and_released():
    release_scratch()
    x, k = np.ones((16, 2, 8, 8)), np.ones((3, 2, 3, 3))
    mg.conv2d(x, k, padding=1)
    before = kept_buffers()
    mg.conv2d(x, k, padding=1)
    assert before
    assert before == kept_buffers()
    assert scratch._kept.nbytes == sum(nbytes for _, nbytes in before)
    release_scratch()
    assert not kept_buffers()
    assert scratch._kept.nbytes == 0


def test_scratch_is_bounded():
    release_scratch()
    with patch.object(scratch, "LIMIT", 1000):
        mg.conv2d(np.ones((16, 2, 8, 8)), np.ones((3, 2, 3, 3)), padding=1)
    assert not kept_buffers()
    assert scratch._kept.nbytes == 0


def test_scratch_survives_an_interruption():
    with scratch.Scratch() as outer:
        mine = outer("windows", (4,), np.dtype(float))
        mine[...] = 1
        with scratch.Scratch() as inner:
            inner("windows", (4,), np.dtype(float))[...] = 2
        assert_array_equal(mine, 1)


def test_threads_have_scratch_of_their_own():
    rng = np.random.default_rng(0)
    inputs = [(rng.normal(size=(16, 3, 12, 12)), rng.normal(size=(4, 3, 3, 3))) for _ in range(4)]
    expected = [mg.conv2d(x, k, padding=1) for x, k in inputs]
    wrong = []

    def work(i):
        for _ in range(50):
            if not np.array_equal(mg.conv2d(*inputs[i], padding=1), expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(inputs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.fixture
def three_threads():
    """Share out every convolution, however small."""
    set_threads(3)
    with patch.object(threads, "FEWEST_PRODUCTS", 0):
        yield
    set_threads(1)


@given(convolutions())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_shared_out_over_threads_it_agrees_with_the_reference(three_threads, drawn):
    assert_as_the_reference(row_window, *drawn)


def test_an_error_in_a_thread_is_raised_after_all_have_stopped(three_threads):
    finished = []

    def work(part):
        if part.start == 0:
            raise ZeroDivisionError
        time.sleep(0.05)
        finished.append(part)

    with pytest.raises(ZeroDivisionError):
        threads.share(work, 3, 1)
    assert len(finished) == 2


def test_threads_compute_under_the_callers_errstate(three_threads):
    def work(part):
        return np.geterr()["over"]

    with np.errstate(over="raise"):
        assert threads.share(work, 3, 1) == ["raise"] * 3


def test_small_convolutions_stay_in_the_calling_thread():
    set_threads(3)
    assert threads.share(lambda part: threading.get_ident(), 64, 1000) == [threading.get_ident()]
    set_threads(1)


def test_the_environment_bounds_the_threads(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    set_threads(None)
    assert threads._ready()[0] == 3
    set_threads(1)
    assert threads._ready() == (1, None)


@pytest.mark.parametrize("count", [0, -1, 1.5, "2"])
def test_a_wrong_number_of_threads_is_refused(count):
    with pytest.raises(ValueError, match="positive int"):
        set_threads(count)


def test_windows_that_all_lie_in_the_padding_where_images_lie_pages_apart():
    z, k = np.ones((8, 64, 2, 8)), np.ones((64, 1, 1, 1))
    x = mg.conv_transpose2d(z, k, stride=(3, 1), padding=(2, 0), groups=64, output_size=(1, 8))
    np.testing.assert_array_equal(x, np.zeros((8, 64, 1, 8)))


@pytest.mark.skipif(not hasattr(os, "register_at_fork"), reason="there is no fork here")
def test_a_forked_child_computes_in_one_thread():
    code = """if True:
        import os, numpy as np, minigrad as mg
        from minigrad.ops.kernels import set_threads, threads
        set_threads(2)
        threads.FEWEST_PRODUCTS = 0
        x, k = np.ones((32, 1, 4, 4)), np.ones((1, 1, 3, 3))
        mg.conv2d(x, k)
        child = os.fork()
        if child == 0:
            os._exit(0 if mg.conv2d(x, k).sum() == 32 * 4 * 9 and threads._ready() == (1, None) else 1)
        assert os.waitpid(child, 0)[1] == 0
    """
    root = str(Path(mg.__file__).parent.parent)
    options = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
    subprocess.run(options, check=True, timeout=60, env=os.environ | {"PYTHONPATH": root})


@st.composite
def pooled(draw):
    """(x, options): integers, so that ties abound; and now and then NaN or a window of nothing but -inf."""
    window = draw(pairs(1, 3))
    padding = tuple(draw(st.integers(0, w // 2)) for w in window)
    image = tuple(draw(st.integers(max(1, w - 2 * p), 8)) for w, p in zip(window, padding, strict=True))
    batch = draw(st.sampled_from([(2,), (1, 2), (16, 2), (17, 1)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.integers(-2, 3, (*batch, *image)).astype(float)
    x.flat[0] = draw(st.sampled_from([0.0, np.nan, np.inf]))
    if draw(st.integers(0, 9)) == 0:
        x[...] = -np.inf
    if x.ndim == 4 and draw(st.booleans()):
        x = in_memory_order(x, (2, 1, 3, 0))
    return x, {"window": window, "stride": draw(pairs(1, 4)), "padding": padding}


def reference_pools(x, g, window, stride, padding):
    """(maximum, its dx, average, its dx), window by window."""
    (kh, kw), (sh, sw), (ph, pw) = window, stride, padding
    borders = [(0, 0)] * (x.ndim - 2) + [(ph, ph), (pw, pw)]
    zeros, lowest = np.pad(x, borders), np.pad(x, borders, constant_values=-np.inf)
    inside = np.pad(np.ones(x.shape, bool), borders)
    maximum, average = np.empty(g.shape), np.empty(g.shape)
    d_maximum, d_average = np.zeros(zeros.shape), np.zeros(zeros.shape)
    for index in product(*map(range, g.shape)):
        *image, p, q = index
        at = (*image, slice(p * sh, p * sh + kh), slice(q * sw, q * sw + kw))
        maximum[index], average[index] = np.max(lowest[at]), np.mean(zeros[at])
        d_average[at] += g[index] / (kh * kw)
        wins = inside[at] & ((lowest[at] == maximum[index]) | (np.isnan(maximum[index]) & np.isnan(lowest[at])))
        row, column = np.unravel_index(np.argmax(wins), wins.shape)
        d_maximum[(*image, p * sh + row, q * sw + column)] += g[index]
    crop = (..., slice(ph, ph + x.shape[-2]), slice(pw, pw + x.shape[-1]))
    return maximum, d_maximum[crop], average, d_average[crop]


@given(pooled())
@settings(max_examples=100)
def test_pools_agree_with_the_reference(drawn):
    x, options = drawn
    with np.errstate(invalid="ignore"):
        maximum, average = mg.max_pool2d(x, **options), mg.avg_pool2d(x, **options)
        g = np.random.default_rng(0).normal(size=maximum.shape)
        expected = reference_pools(x, g, **options)
    assert_array_equal(maximum, expected[0])
    assert_allclose(average, expected[2], atol=1e-14)
    for op, reference in ((mg.max_pool2d, expected[1]), (mg.avg_pool2d, expected[3])):
        with np.errstate(invalid="ignore"):
            t = mg.tensor(x, requires_grad=True)
            op(t, **options).backward(g)
        assert_allclose(t.grad, reference, atol=1e-13)


@pytest.mark.parametrize("stride", [1, 2])
def test_an_infinity_reaches_only_the_taps_that_read_it(stride):
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 5))
    x[0, 1, 0, 0] = np.inf  # in the corner only the first tap reads
    g = np.ones((2, 3, 3, 3) if stride == 1 else (2, 3, 2, 2))
    dk = mg.ops.conv2d_kernel(x, g, size=(3, 3), stride=stride, groups=3)
    assert dk[1, 0, 0, 0] == np.inf
    assert np.isfinite(dk).sum() == dk.size - 1


def test_an_infinity_reaches_only_the_results_that_read_it():
    x, k = np.ones((2, 3, 8, 6)), np.random.default_rng(0).normal(size=(3, 1, 3, 3))
    x[1, 2, 0, 0] = np.inf
    z = mg.conv2d(x, k, groups=3)
    assert np.isinf(z[1, 2, 0, 0])
    assert np.isfinite(z).sum() == z.size - 1
