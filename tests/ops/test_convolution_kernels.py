"""The fast kernels of convolution against the readable reference, and the reference against loops."""

import itertools
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support import naive

import minigrad as mg
from minigrad import threads
from minigrad.ops.kernels import KERNELS, blas, choose_kernels, im2col, im2row, memory
from minigrad.ops.windows import geometry_of
from minigrad.threads import share

COUNTS = (0, 1, 2, 7, 8, 9, 33)  # of images: from 8 on they are innermost
ORDERS = ((0, 1, 2, 3), (2, 1, 3, 0), (0, 2, 3, 1), (2, 3, 1, 0), (3, 2, 1, 0))
DERIVATIVES = ("forward", "input_gradient", "kernel_gradient")
KINDS = [(4, 2, 3, 3), (4, 2, 1, 1), (2, 1, 3, 3)]  # shapes of k: windows, 1x1, one channel a group of x's two
rng = np.random.default_rng(0)


def pairs(least, most):
    return st.tuples(st.integers(least, most), st.integers(least, most))


def in_memory_order(array, order):
    return np.ascontiguousarray(array.transpose(order)).transpose(np.argsort(order))


@st.composite
def convolutions(draw):
    """(x, k, g, groups, geometry), with rests of the stride, and padding that a window may lie in wholly."""
    groups, dtype = draw(st.integers(1, 3)), draw(st.sampled_from(["float32", "float64"]))
    channels, outputs = draw(st.sampled_from([(1, 1), (1, 2), (2, 1), (3, 2)]))  # of a group
    kernel, stride, padding = draw(st.sampled_from([((1, 1), (1, 1), (0, 0)), None, None])) or (
        draw(pairs(1, 4)),
        draw(pairs(1, 4)),
        draw(pairs(0, 3)),
    )
    dilation, out, n = draw(pairs(1, 3)), draw(pairs(1, 6)), draw(st.sampled_from(COUNTS))
    image = tuple(
        max(1, (o - 1) * s + d * (k - 1) + 1 - 2 * p + draw(st.integers(0, s - 1)))
        for o, s, d, k, p in zip(out, stride, dilation, kernel, padding, strict=True)
    )
    where = geometry_of("conv2d", image, kernel, stride, padding, dilation)
    numbers = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shapes = (n, groups * channels, *image), (groups * outputs, channels, *kernel), (n, groups * outputs, *where.out)
    x, k, g = (numbers.normal(size=shape).astype(dtype) for shape in shapes)
    return (
        in_memory_order(x, draw(st.sampled_from(ORDERS))),
        k,
        in_memory_order(g, draw(st.sampled_from(ORDERS))),
        groups,
        where,
    )


def of(derivative, kernel, x, k, g, groups, where):
    """A derivative of the trilinear form by the kernel of this name."""
    arguments = {"forward": (x, k), "input_gradient": (g, k), "kernel_gradient": (x, g)}[derivative]
    return getattr(KERNELS[kernel], derivative)(*arguments, where, groups, np.result_type(*arguments))


def applicable(derivative, x, k, groups, where):
    """The names of the fast kernels that are for such a convolution."""
    contiguous = where.dilation[0] == 1 or where.window[0] == 1
    single = x.shape[1] == len(k) == groups and (where.stride[1] == 1 or derivative == "input_gradient")
    return ["im2col", *["im2row"] * contiguous, *["depthwise"] * single]


def assert_as_the_reference(x, k, g, groups, where, kernels=None):
    """Each fast kernel agrees to a few ulp times the length of the sums, whose terms are products of normal numbers."""
    exact = [a.astype(float) for a in (x, k, g)]
    terms = {"forward": k[0].size, "input_gradient": k[:, 0].size, "kernel_gradient": g[:, 0].size}
    for derivative in DERIVATIVES:
        reference = of(derivative, "reference", *exact, groups, where)
        for kernel in kernels or applicable(derivative, x, k, groups, where):
            fast = of(derivative, kernel, x, k, g, groups, where)
            assert fast.shape == reference.shape
            assert fast.dtype == x.dtype
            assert_allclose(fast, reference, rtol=0, atol=8 * terms[derivative] * np.finfo(fast.dtype).eps)


@contextmanager
def scratch_of_nan():
    """What is lent is full of NaN, so that an entry read before it is written shows."""
    take = memory.Scratch.take

    def filled(self, name, shape, dtype):
        array = take(self, name, shape, dtype)
        array[...] = np.nan
        return array

    with patch.object(memory.Scratch, "take", filled):
        yield


@contextmanager
def cut_to(product=np.inf, tile=2**20, lanes=512, transposed=np.inf, width=1):
    """Blocks of these sizes, so that small convolutions are cut as large ones are."""
    cached = blas.tiles, blas._cuts, im2row._blocks, im2row._parts, im2col._parts
    with ExitStack() as stack:
        for module, sizes in (
            (blas, {"PRODUCT": product, "TRANSPOSED": transposed, "WIDTH": width}),
            (im2row, {"TILE": tile, "LANES": lanes}),
            (im2col, {"TILE": tile, "CONTRACTION": lanes}),
        ):
            stack.enter_context(patch.multiple(module, **sizes))
        for function in cached:
            function.cache_clear()
            stack.callback(function.cache_clear)
        yield


@given(convolutions())
@settings(max_examples=300)
def test_the_kernels_agree_with_the_reference(drawn):
    with scratch_of_nan():
        assert_as_the_reference(*drawn)


@given(convolutions(), st.integers(50, 500), st.integers(200, 4000), st.integers(1, 40), st.integers(2, 12))
@settings(max_examples=300)
def test_the_kernels_agree_with_the_reference_however_they_are_cut(drawn, product, tile, lanes, transposed):
    with cut_to(product, tile, lanes, transposed), scratch_of_nan():
        assert_as_the_reference(*drawn)


@pytest.mark.parametrize("tile", [2000, 16_000])
@pytest.mark.parametrize(("n", "lanes"), [(3, 2), (17, 40), (48, 20)])  # columns are cut; or images, in one column
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize(
    ("stride", "dilation"), [((1, 1), (1, 1)), ((1, 2), (2, 1)), ((2, 3), (1, 2)), ((2, 1), (2, 2))]
)
def test_the_kernels_agree_with_the_reference_where_all_is_cut(stride, dilation, groups, n, lanes, tile):
    where = geometry_of("conv2d", (23, 10), (3, 2), stride, (2, 1), dilation)
    x, k, g = (rng.normal(size=size) for size in ((n, 4, 23, 10), (4, 4 // groups, 3, 2), (n, 4, *where.out)))
    for order in ORDERS[:2]:
        with cut_to(200, tile, lanes, 20), scratch_of_nan():
            assert_as_the_reference(in_memory_order(x, order), k, in_memory_order(g, order), groups, where)


@given(convolutions())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_kernels_agree_with_the_reference_in_threads(three_threads, drawn):
    assert_as_the_reference(*drawn)


@pytest.fixture
def three_threads():
    """Share out every convolution, however small."""
    before = mg.get_num_threads()
    mg.set_num_threads(3)
    with patch.object(im2row, "FEWEST_PRODUCTS", 0), patch.multiple(threads, FEWEST_PRODUCTS=0, ONE_THREAD=0):
        yield
    mg.set_num_threads(before)


@given(convolutions())
def test_the_reference_agrees_with_loops(drawn):
    x, k, g, groups, where = drawn
    options = {"stride": where.stride, "padding": where.padding, "dilation": where.dilation, "groups": groups}
    x, k, g = (a[:2].astype(float) if a is not k else a.astype(float) for a in (x, k, g))
    if len(x):
        z, dx, dk = (of(derivative, "reference", x, k, g, groups, where) for derivative in DERIVATIVES)
        assert_allclose(z, naive.conv2d(x, k, **options), atol=1e-12)
        assert_allclose(dx, naive.conv_transpose2d(g, k, output_size=where.image, **options), atol=1e-12)
        assert_allclose(dk, naive.conv2d_kernel(x, g, size=where.window, **options), atol=1e-12)


@given(convolutions())
def test_the_chosen_kernels_are_for_the_convolution(drawn):
    x, k, _, groups, where = drawn
    for images in (*COUNTS, 1000):
        chosen = choose_kernels(where, images, x.shape[1], len(k), groups)
        for derivative in DERIVATIVES:
            assert getattr(chosen, derivative) in applicable(derivative, x, k, groups, where)


@given(convolutions())
def test_the_ops_agree_with_the_reference(drawn):
    x, k, g, groups, where = drawn
    options = {"stride": where.stride, "padding": where.padding, "dilation": where.dilation, "groups": groups}
    x_t, k_t = mg.tensor(x, requires_grad=True), mg.tensor(k, requires_grad=True)
    z = mg.conv2d(x_t, k_t, **options)
    z.backward(g)
    exact = [a.astype(float) for a in (x, k, g)]
    terms = k[0].size, k[:, 0].size, g[:, 0].size
    for found, derivative, n in zip((z.data, x_t.grad, k_t.grad), DERIVATIVES, terms, strict=True):
        reference = of(derivative, "reference", *exact, groups, where)
        assert_allclose(found, reference, rtol=0, atol=8 * n * np.finfo(found.dtype).eps, strict=found.dtype == float)


@pytest.mark.parametrize("n", [2, 16])
@pytest.mark.parametrize(("taps", "stride", "dilation", "padding"), [(2, 1, 4, 3), (3, 4, 6, 2), (1, 3, 1, 1)])
def test_entries_between_the_windows_receive_nothing(n, taps, stride, dilation, padding):
    image = stride + dilation * (taps - 1) + 1 - 2 * padding + stride - 1  # two windows and a rest
    where = geometry_of("conv2d", (image, image), (taps, taps), stride, padding, dilation)
    x, k = rng.normal(size=(n, 4, image, image)), rng.normal(size=(6, 2, taps, taps))
    with scratch_of_nan():
        assert_as_the_reference(x, k, rng.normal(size=(n, 6, *where.out)), 2, where)


@pytest.mark.parametrize("n", [2, 16])
def test_an_image_between_the_windows_receives_nothing(n):
    where = geometry_of("conv2d", (1, 1), (1, 1), 2, 1)
    assert_as_the_reference(np.ones((n, 2, 1, 1)), np.ones((3, 2, 1, 1)), np.ones((n, 3, 2, 2)), 1, where)


def test_windows_that_all_lie_in_the_padding_where_images_lie_pages_apart():
    z, k = np.ones((8, 64, 2, 8)), np.ones((64, 1, 1, 1))
    x = mg.conv_transpose2d(z, k, stride=(3, 1), padding=(2, 0), groups=64, output_size=(1, 8))
    assert_array_equal(x, np.zeros((8, 64, 1, 8)))


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("n", [2, 16])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("groups", [1, 3])
def test_what_is_not_finite_reaches_what_reads_it_and_nothing_else(groups, stride, n, value):
    where = geometry_of("conv2d", (6, 5), (3, 3), stride, 0)
    shapes = (n, 3, 6, 5), (3, 3 // groups, 3, 3), (n, 3, *where.out)
    for place in range(3):
        arrays = [abs(rng.normal(size=shape)) + 1 for shape in shapes]
        arrays[place][(-1, 0, 0, 0)] = value
        with np.errstate(invalid="ignore"):
            for derivative in DERIVATIVES:
                reference = of(derivative, "reference", *arrays, groups, where)
                for kernel in applicable(derivative, *arrays[:2], groups, where):
                    assert_allclose(of(derivative, kernel, *arrays, groups, where), reference)


def test_a_kernel_that_is_not_finite_reaches_no_entry_beside_its_windows():
    k = np.ones((2, 1, 3, 3))
    k[:, :, 0, 0] = np.inf
    for n in (2, 16):
        dx = mg.conv_transpose2d(np.ones((n, 2, 2, 2)), k, groups=2, stride=2)
        assert_array_equal(np.isinf(dx[0, 0]), np.isin(np.arange(5), (0, 2))[:, None] & np.isin(np.arange(5), (0, 2)))
        assert np.isfinite(dx).sum() == dx.size - 4 * 2 * n


@pytest.mark.parametrize("n", [3, 16])
@pytest.mark.parametrize("kernel", KINDS)
@pytest.mark.parametrize("single", [0, 1])
def test_mixed_dtypes_compute_in_the_wider_one(single, kernel, n):
    groups = 2 // kernel[1]
    where = geometry_of("conv2d", (5, 6), kernel[2:], 1, 0)
    shapes = (n, 2, 5, 6), kernel, (n, kernel[0], *where.out)
    for order in ORDERS[:2]:
        x, k, g = (rng.normal(size=shape).astype(np.float32) for shape in shapes)
        x, g = in_memory_order(x, order), in_memory_order(g, order)
        narrow = [(x, k), (g, k), (x, g)]
        ops = (
            mg.conv2d,
            mg.conv_transpose2d,
            lambda x, g, groups: mg.ops.conv2d_kernel(x, g, size=kernel[2:], groups=groups),
        )
        for op, derivative, pair in zip(ops, DERIVATIVES, narrow, strict=True):
            mixed = [a if i == single else a.astype(float) for i, a in enumerate(pair)]
            found = op(*mixed, groups=groups)
            assert found.dtype == float
            exact = of(derivative, "reference", *(a.astype(float) for a in (x, k, g)), groups, where)
            assert_allclose(found, exact, atol=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("derivative", DERIVATIVES)
def test_kernels_compute_in_the_dtype_that_they_are_given(derivative, kernel):
    where = geometry_of("conv2d", (5, 6), (3, 3), 1, 0)
    x, k, g = (rng.integers(-99, 99, size, np.int8) for size in ((9, 2, 5, 6), (2, 1, 3, 3), (9, 2, 3, 4)))
    arguments = {"forward": (x, k), "input_gradient": (g, k), "kernel_gradient": (x, g)}[derivative]
    found = getattr(KERNELS[kernel], derivative)(*arguments, where, 2, np.dtype(float))
    assert_array_equal(found, of(derivative, "reference", *(a.astype(float) for a in (x, k, g)), 2, where), strict=True)


def test_dtypes_mix_as_in_numpy():
    x, k = np.ones((2, 1, 4, 4), np.float32), np.ones((1, 1, 3, 3))
    assert mg.conv2d(x, k).dtype == mg.conv2d(k, x[:1, :, :3, :3]).dtype == float
    assert mg.conv2d(x, k.astype(np.float32), np.ones(1)).dtype == float
    ints = np.arange(16).reshape(1, 1, 4, 4)
    assert_array_equal(mg.conv2d(ints, np.ones((1, 1, 4, 4), int)), [[[[120]]]])


@pytest.mark.parametrize("kernel", KINDS)
def test_an_empty_batch(kernel):
    groups = 2 // kernel[1]
    x, k = np.empty((0, 2, 5, 5)), np.ones(kernel)
    z = mg.conv2d(x, k, groups=groups)
    assert z.shape == (0, kernel[0], 6 - kernel[2], 6 - kernel[3])
    assert mg.conv_transpose2d(z, k, groups=groups).shape == x.shape
    assert_array_equal(mg.ops.conv2d_kernel(x, z, size=kernel[2:], groups=groups), np.zeros(kernel))


@pytest.mark.parametrize("kernel", KINDS)
def test_one_image_without_a_batch_axis_is_a_batch_of_one(kernel):
    x, k, groups = rng.normal(size=(2, 5, 6)), rng.normal(size=kernel), 2 // kernel[1]
    z = mg.conv2d(x, k, groups=groups)
    assert_array_equal(z, mg.conv2d(x[None], k, groups=groups)[0])
    assert_array_equal(mg.conv_transpose2d(z, k, groups=groups), mg.conv_transpose2d(z[None], k, groups=groups)[0])
    size = kernel[2:]
    dk = mg.ops.conv2d_kernel(x, z, size=size, groups=groups)
    assert_array_equal(dk, mg.ops.conv2d_kernel(x[None], z[None], size=size, groups=groups))


@pytest.mark.parametrize("n", [3, 16])
def test_the_gradient_of_a_bias_is_the_sum_of_its_channel(n):
    g = rng.normal(size=(n, 3, 4, 5))
    for order in ORDERS[:2]:
        b = mg.tensor(np.zeros(3), requires_grad=True)
        mg.conv2d(in_memory_order(np.ones((n, 2, 4, 5)), order), np.ones((3, 2, 1, 1)), b).backward(g)
        assert_allclose(b.grad, g.sum(axis=(0, 2, 3)))


@pytest.mark.parametrize("n", [3, 16])
@pytest.mark.parametrize("kernel", KINDS)
def test_results_own_their_memory(n, kernel):
    x, k, groups = np.ones((n, 2, 5, 5)), np.ones(kernel), 2 // kernel[1]
    z = mg.conv2d(x, k, groups=groups)
    images = z, mg.conv2d(x, k, groups=groups), mg.conv_transpose2d(z, k, groups=groups)
    results = [*images, mg.ops.conv2d_kernel(x, z, size=kernel[2:], groups=groups)]
    kept = [x, k, *(buffer for buffers in memory._kept.free for buffer in buffers.values())]
    for i, result in enumerate(results):
        assert not any(np.shares_memory(result, other) for other in [*results[:i], *kept])
    assert all(image.flags.owndata for image in images)


@pytest.mark.parametrize("order", ORDERS[:3])
def test_results_have_their_images_innermost_from_8_images_on(order):
    for n in (1, 2, 7, 8, 9):
        x, k = in_memory_order(np.ones((n, 2, 5, 6)), order), np.ones((4, 2, 3, 3))
        z = mg.conv2d(x, k)
        for image in (z, mg.conv_transpose2d(z, k), mg.max_pool2d(z, 2), mg.ops.spread2d(z, (6, 8), 2)):
            assert memory.images_innermost(image) == (n >= 8)
            assert image.flags.c_contiguous == (n < 8)


@pytest.mark.parametrize("n", [1, 2, 16])
def test_results_of_1x1_kernels_lie_as_their_input(n):
    for order, c_order in (((0, 1, 2, 3), True), ((2, 1, 3, 0), n == 1)):
        for channels in (1, 2):
            x, k = in_memory_order(np.ones((n, channels, 5, 6)), order), np.ones((4, channels, 1, 1))
            z = mg.conv2d(x, k)
            dx = mg.conv_transpose2d(in_memory_order(z, order), k)
            assert z.flags.c_contiguous == c_order
            assert memory.images_innermost(dx) == (not c_order)


@pytest.mark.parametrize("kernel", ["im2row", "im2col"])
@pytest.mark.parametrize("n", [1, 32])
def test_windows_of_large_images_are_in_memory_piece_by_piece(n, kernel):
    """Of windows that take far more than the cache, only a part is copied at a time."""
    where = geometry_of("conv2d", (96, 96), (5, 5), 1, 2)
    x, k, g = (np.ones(size, np.float32) for size in ((n, 4, 96, 96), (8, 4, 5, 5), (n, 8, 96, 96)))
    assert 25 * x[:1].nbytes > 3 * blas.TILE
    lent, take = {}, memory.Scratch.take

    def watched(self, name, shape, dtype):
        array = take(self, name, shape, dtype)
        lent[name] = max(lent.get(name, 0), array.nbytes)
        return array

    with patch.object(memory.Scratch, "take", watched):
        for derivative in DERIVATIVES:
            of(derivative, kernel, *(innermost_first(a) if kernel == "im2row" else a for a in (x, k, g)), 1, where)
    assert sum(lent.values()) < 4 * blas.TILE


def innermost_first(array):
    return in_memory_order(array, (2, 1, 3, 0)) if len(array) >= 8 else array


@pytest.mark.parametrize("in_cache", [40, 400, 20_000, 10**9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("shape", [(16, 4, 16, 16), (17, 3, 5, 7), (1, 2, 3, 3), (40, 1, 9, 1)])
def test_images_are_put_innermost_however_they_are_cut(shape, dtype, in_cache):
    whole = rng.integers(-99, 99, (shape[0], shape[1] + 1, *shape[2:])).astype(dtype)
    for source in (whole[:, 1:], whole[:, :-1, ::-1], in_memory_order(whole, (0, 2, 3, 1))[:, 1:]):
        target = memory.empty_innermost(shape, np.float64)
        with patch.object(memory, "IN_CACHE", in_cache), patch.object(memory, "LARGE", in_cache):
            memory.copy_into(target, source)
        assert_array_equal(target, source)


ORDERS_OF_FIVE = [
    ((0, 1, 2, 3, 4), (1, 2, 3, 4, 0)),
    ((0, 3, 1, 4, 2), (4, 2, 1, 3, 0)),
    ((4, 3, 2, 1, 0), (0, 1, 2, 3, 4)),
]


@pytest.mark.parametrize("shape", [(40,), (0, 3), (20, 0, 3), (20, 7), (20, 3, 5), (20, 2, 3, 4, 5), (3, 20, 17)])
@pytest.mark.parametrize("large", [1, 10**9])
def test_arrays_of_any_number_of_axes_are_copied_between_layouts(shape, large):
    values = rng.normal(size=shape)
    for order, other in (
        itertools.product(itertools.permutations(range(len(shape))), repeat=2) if len(shape) < 4 else ORDERS_OF_FIVE
    ):
        source, target = in_memory_order(values, order), in_memory_order(np.zeros(shape), other)
        with patch.object(memory, "IN_CACHE", 300), patch.object(memory, "LARGE", large):
            memory.copy_into(target, source)
        assert_array_equal(source, values)
        assert_array_equal(target, values)
    memory.copy_into(number := np.zeros(()), np.array(3.0))
    assert number == 3


def test_images_that_lie_as_they_should_are_not_copied():
    contiguous = rng.normal(size=(16, 4, 6, 6))
    turned = in_memory_order(contiguous, (2, 1, 3, 0))
    with memory.Scratch() as take:
        for groups in (1, 2):
            for x in (contiguous, turned):
                laid = memory.laid("x", x, groups, x.dtype, take)
                assert laid.flags.c_contiguous
                assert_array_equal(laid, x.reshape(16, groups, 4 // groups, 6, 6).transpose(1, 3, 2, 4, 0))
                assert np.shares_memory(laid, x) == (x is turned and groups == 1)


@given(st.integers(0, 2000), st.integers(0, 2000), st.sampled_from([1, 8, 16]))
def test_blocks_cover_a_range_in_few_equal_slices(size, most, multiple):
    found = blas.blocks(size, most, multiple)
    lengths = [block.stop - block.start for block in found]
    assert [i for block in found for i in range(size)[block]] == list(range(size))
    assert len(found) <= -(-size // max(most, 1))
    assert len(set(lengths[:-1])) <= 1
    assert all(length % multiple == 0 for length in lengths[:-1])
    assert max(lengths, default=0) < max(most, 1) + multiple


@given(
    st.integers(1, 200), st.integers(1, 50), st.integers(1, 300), st.integers(200, 100_000), st.sampled_from([1, 4, 64])
)
def test_tiles_cover_a_product_in_few_pieces_of_the_size_for_blas(rows, depth, lanes, product, width):
    with cut_to(product, width=width):
        found = blas.tiles(rows, depth, lanes)
    whole = product >= rows * lanes * depth or 8 * width * depth > product
    assert (found == []) == whole
    if whole:
        return
    times = np.zeros((rows, lanes), int)
    for (part, down, height), (some, across, wide) in found:
        times[part, some] += 1
        assert (down * height, across * wide) == times[part, some].shape
        assert height * wide * depth <= product
        assert part.stop == rows or height % 8 == 0
        assert some.stop == lanes or wide % width == 0
    assert_array_equal(times, 1)
    assert len(found) <= 4
    (_, _, height), (_, _, wide) = found[0]
    assert height == rows or 2 * height * width * depth > product - 8 * width * depth  # tiles are large
    assert wide == lanes or 2 * height * wide * depth > product - height * width * depth


@given(st.integers(1, 9), st.integers(1, 40), st.integers(1, 30), st.sampled_from([1, 5, 8, 40]), st.data())
def test_blocks_fill_the_scratch_and_leave_nothing_out(start, rows, columns, images, data):
    held, step, overlap = (data.draw(st.integers(*bounds)) for bounds in ((1, 64), (1, 3), (0, 4)))
    tile, lanes = data.draw(st.sampled_from([500, 5000, 10**5])), data.draw(st.sampled_from([1, 16, 64]))
    with cut_to(tile=tile, lanes=lanes):
        found = im2row._blocks(start, start + rows, columns, images, held, step, overlap)
    times = np.zeros((start + rows, columns, images), int)
    for block in found:
        times[block] += 1
        p, q, n = (part.stop - part.start for part in block)
        assert q == 1 or n == images  # so that lanes are contiguous
        taken = held * q * n * (p * step + overlap)
        assert p <= max(1, 2 * overlap / step) or taken <= tile
        narrow = q * n < lanes + 16 or (q == 1 and n <= 16)
        assert narrow or held * q * n * (rows * step + overlap) <= 2 * tile  # wide lanes leave room for all rows
    assert_array_equal(times[start:], 1)
    assert not times[:start].any()
    p, q, n = (block_part.stop - block_part.start for block_part in found[0])
    assert p == rows or held * q * n * (2 * p * step + overlap) > tile - held * q * n * step  # few blocks
    assert n == images or (n + 16) > lanes
    assert q == columns or (2 * q) * n > max(lanes, images) - images


@pytest.mark.parametrize("tile", [1, 660, 1319, 1320, 6600, 13_199, 13_200])
def test_windows_copied_whole_fill_the_scratch(tile):
    where = geometry_of("conv2d", (12, 14), (3, 4), 1, 0)  # out (10, 11)
    row = 5 * 12 * 11 * 4
    with cut_to(tile=4 * tile):
        found = im2col._parts(2, 5, where, False, 4)
    sizes = {(n.stop - n.start, p.stop - p.start) for n, _, p in found}
    fitting = max((rows for rows in (1, 2, 5, 10) if rows * row <= 4 * tile), default=1)
    assert sizes == {(2 if 20 * row <= 4 * tile else 1, fitting)}
    times = np.zeros((2, 10), int)
    for n, _, p in found:
        times[n, p] += 1
    assert_array_equal(times, 1)


@pytest.mark.parametrize("transposed", [1, 20, np.inf])
@pytest.mark.parametrize("depth", [1, 6, 7])
@pytest.mark.parametrize("outputs", [1, 3, 5])
def test_products_are_added_however_they_are_cut(depth, outputs, transposed):
    stack, g = rng.normal(size=(2, 3, depth, 4)), rng.normal(size=(2, 3, outputs, 4))
    total = np.ones((3, depth, outputs))
    with cut_to(transposed=transposed), memory.Scratch() as take:
        blas.add_products(total, stack, g, take)
    assert_allclose(total, 1 + np.einsum("rgdl,rgol->gdo", stack, g))


def test_a_sum_is_cut_into_the_fewest_equal_parts_whose_products_are_small():
    with cut_to(transposed=60):
        for depth in range(1, 40):
            for outputs in range(1, 40):
                divisors = [n for n in range(1, depth + 1) if depth % n == 0]
                assert blas._cuts(depth, outputs) == min(
                    (n for n in divisors if depth // n * outputs <= 60), default=depth
                )


@pytest.mark.parametrize("in_cache", [100, 3000, 20_000, 49_151, 49_152, 10**9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(16, 3, 16, 16), (16, 16, 8, 8), (17, 9, 6, 5), (20, 3, 1, 9)])
def test_images_go_through_the_cache_where_turning_them_would_miss_it(shape, dtype, in_cache):
    contiguous = rng.normal(size=shape).astype(dtype)
    turned = in_memory_order(contiguous, (2, 1, 3, 0))
    piece = shape[3] * contiguous.itemsize  # a row of a channel, of one image
    for source, target, scattered in (
        (contiguous, memory.empty_innermost(shape, dtype), True),
        (contiguous, np.empty(shape, dtype), False),
        (turned, memory.empty_innermost(shape, dtype), False),
        (turned, np.empty(shape, dtype), False),
    ):
        lent = []

        class Recording(memory.Scratch):
            def take(self, *lending, lent=lent):
                lent.append(super().take(*lending))
                return lent[-1]

        with patch.object(memory, "IN_CACHE", in_cache), patch.object(memory, "Scratch", Recording):
            memory.copy_into(target, source)
        assert_array_equal(target, source)
        misses = source.nbytes > in_cache or source.strides[0] % memory.PAGE == 0
        assert bool(lent) == (scattered and misses)
        for staged in lent:
            assert staged.strides[0] % (2 * memory.LINE) == memory.LINE  # an odd number of lines apart
            assert staged.nbytes <= in_cache // 2 + shape[0] * max(2 * memory.LINE, piece + 2 * memory.LINE)
        if lent:
            used = min(in_cache // 2, shape[0] * shape[1] * shape[2] * piece)
            assert len(lent) <= max(4 * -(-source.nbytes // max(used, 1)), 1)


@pytest.mark.parametrize("n", [3, 16])
@pytest.mark.parametrize("derivative", DERIVATIVES)
def test_work_is_shared_out_by_its_multiplications(three_threads, derivative, n):
    where = geometry_of("conv2d", (10, 12), (3, 2), 1, (1, 0))  # out (10, 11)
    x, k, g = (rng.normal(size=size) for size in ((n, 2, 10, 12), (4, 2, 3, 2), (n, 4, 10, 11)))
    together = 1 if derivative == "input_gradient" and n < 8 else n  # few images are worked on one at a time
    work = together * 4 * 10 * 11 * 2 * 3 * 2
    for fewest, parts in ((work, 1), (work - 1, 3)):
        with (
            patch.object(im2row, "FEWEST_PRODUCTS", fewest),
            patch.object(im2row, "share", wraps=share) as spy,
        ):
            of(derivative, "im2row", x, k, g, 1, where)
        assert {len(call.args[1]) for call in spy.call_args_list} == {parts}


@pytest.mark.parametrize("n", [2, 9])
@pytest.mark.parametrize(
    ("window", "padding"), [((1, 1), (1, 2)), ((1, 1), (0, 1)), ((2, 2), (3, 0)), ((2, 1), (0, 3))]
)
def test_windows_that_lie_in_the_padding_wholly(window, padding, n):
    where = geometry_of("conv2d", (4, 6), window, 1, padding)
    x, k, g = (rng.normal(size=size) for size in ((n, 2, 4, 6), (4, 2, *window), (n, 4, *where.out)))
    for tile in (1, 2**20):
        with cut_to(tile=tile, lanes=1), scratch_of_nan():
            assert_as_the_reference(x, k, g, 1, where)
    assert_ops_as_the_reference(x, k, g, where, padding=padding)


def assert_ops_as_the_reference(x, k, g, where, **options):
    for derivative, found in (
        ("forward", mg.conv2d(x, k, **options)),
        ("input_gradient", mg.conv_transpose2d(g, k, **options, output_size=where.image)),
        ("kernel_gradient", mg.ops.conv2d_kernel(x, g, size=where.window, **options)),
    ):
        assert_allclose(found, of(derivative, "reference", x, k, g, 1, where), atol=1e-12)


@pytest.mark.parametrize("n", [2, 9])
@pytest.mark.parametrize("image", [(0, 4), (4, 0)])
def test_images_without_pixels_may_have_a_padding(image, n):
    where = geometry_of("conv2d", image, (2, 2), 1, 1)
    x, k, g = (rng.normal(size=size) for size in ((n, 2, *image), (4, 2, 2, 2), (n, 4, *where.out)))
    assert_as_the_reference(x, k, g, 1, where)
    assert_ops_as_the_reference(x, k, g, where, padding=1)


@pytest.mark.parametrize("n", [2, 9])
@pytest.mark.parametrize("dilation", [(1, 2), (2, 1)])
@pytest.mark.parametrize("window", [(1, 3), (3, 1), (2, 2)])
def test_windows_may_be_dilated_along_either_axis(window, dilation, n):
    where = geometry_of("conv2d", (8, 9), window, 1, 0, dilation)
    x, k, g = (rng.normal(size=size) for size in ((n, 2, 8, 9), (4, 2, *window), (n, 4, *where.out)))
    assert_ops_as_the_reference(x, k, g, where, dilation=dilation)


@pytest.mark.parametrize(("outputs", "lanes"), [(8, 5), (40, 9), (17, 10)])
def test_a_product_in_tiles_is_that_of_the_whole(outputs, lanes):
    matrix, stack = rng.normal(size=(2, outputs, 5)), rng.normal(size=(3, 2, 5, lanes))
    out = np.full((3, 2, outputs, lanes), np.nan)
    for product in (40, 100, 190):
        with cut_to(product):
            assert blas.tiles(outputs, 5, lanes)
            im2row.write_product(matrix, stack, out)
        assert_allclose(out, matrix @ stack, atol=1e-13)


def test_no_two_threads_add_to_one_image():
    where = geometry_of("conv2d", (12, 14), (3, 4), 1, 0)
    k, g = rng.normal(size=(4, 2, 3, 4)), rng.normal(size=(5, 4, *where.out))
    with cut_to(tile=5000), patch.object(im2col, "share", wraps=share) as spy:
        im2col.input_gradient(g, k, where, 1, g.dtype)
    (groups,) = (call.args[1] for call in spy.call_args_list)
    added_to = [{i for n, *_ in group for i in range(5)[n]} for group in groups]
    assert max(map(len, groups)) > 1  # an image is cut
    assert sorted(i for images in added_to for i in images) == [0, 1, 2, 3, 4]


def test_rows_that_no_window_reads_receive_zeros_beside_columns_that_are_cut():
    where = geometry_of("conv2d", (9, 9), (2, 2), 4, 0)  # out (2, 2)
    x, k, g = (rng.normal(size=size) for size in ((16, 2, 9, 9), (2, 2, 2, 2), (16, 2, 2, 2)))
    with cut_to(tile=1, lanes=1):
        found = of("input_gradient", "im2row", x, k, g, 1, where)
    assert_allclose(found, of("input_gradient", "reference", x, k, g, 1, where), atol=1e-14)
