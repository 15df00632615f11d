"""What the kernels promise about speed, which no value shows: the sizes they cut to, what they copy, what they skip."""

import math
from contextlib import contextmanager
from itertools import product
from unittest.mock import Mock, patch

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import minigrad as mg
from minigrad.ops.kernels import depthwise, layout, phases, products, row_window, scratch, whole_windows
from minigrad.ops.windows import geometry

F4 = np.dtype("float32")
IMAGES = {"columns innermost": 3, "images innermost": 16}


@contextmanager
def matmuls():
    """The list of (M, K, N) of every call of np.matmul; one for a stack of matrices."""
    sizes, matmul = [], np.matmul

    def spy(a, b, out=None):
        sizes.append((*a.shape[-2:], b.shape[-1]))
        assert a.dtype == b.dtype == (a.dtype if out is None else out.dtype)
        return matmul(a, b, out=out)

    with patch.object(np, "matmul", spy):
        yield sizes


@contextmanager
def borrowed(module):
    """The list of (name, shape) of the scratch that a module takes, which is full of NaN."""
    taken = []

    class Recorder(scratch.Scratch):
        def take(self, name, shape, dtype):
            taken.append((name, tuple(shape)))
            array = super().take(name, shape, dtype)
            array[...] = np.nan
            return array

    with patch.object(module, "Scratch", Recorder):
        yield taken


def shapes(taken, name):
    return [shape for other, shape in taken if other == name]


def image(n, channels=2, size=(6, 7), innermost=False):
    array = np.random.default_rng(0).normal(size=(n, channels, *size)).astype(F4)
    if not innermost:
        return array
    laid = layout.empty_innermost(array.shape, F4)
    laid[...] = array
    return laid


@pytest.mark.parametrize("multiple", [1, 8, 16])
def test_blocks_are_few_and_equal(multiple):
    for size, most in product((1, 2, 7, 16, 17, 100, 768), (0, 1, 2, 5, 16, 20, 99, 1000)):
        found = products.blocks(size, most, multiple)
        fewest = math.ceil(size / (most or 1))
        length = math.ceil(math.ceil(size / fewest) / multiple) * multiple
        assert found == tuple(slice(i, min(i + length, size)) for i in range(0, size, length))
        assert len(found) <= fewest
    assert products.blocks(0, 5, multiple) == ()


def test_a_sum_is_cut_into_the_fewest_equal_parts_of_small_products():
    products.parts.cache_clear()
    with patch.object(products, "TRANSPOSED", 60):
        for depth, outputs in product(range(1, 40), repeat=2):
            divisors = [n for n in range(1, depth + 1) if depth % n == 0]
            small = [n for n in divisors if depth // n * outputs <= 60]
            assert products.parts(depth, outputs) == min(small, default=depth)
    products.parts.cache_clear()


@pytest.mark.parametrize(
    ("most", "rows", "depth", "lanes", "row_blocks", "lane_blocks"),
    [
        (800, 40, 5, 4, [40], [4]),  # just small enough, and so not cut, though 16 lanes would be too many
        (799, 40, 5, 4, [8] * 5, [4]),
        (24 * 10 * 32, 24, 10, 100, [24], [32, 32, 32, 4]),  # lanes are cut, the rows needn't be
        (80 * 10 * 16, 160, 10, 48, [80, 80], [16, 16, 16]),  # rows are cut where 16 lanes are too many
        (80 * 10 * 16, 170, 10, 48, [64, 64, 42], [16, 16, 16]),
        (80 * 10 * 16, 85, 10, 1, [85], [1]),
    ],
)
def test_large_products_are_cut_into_whole_registers(most, rows, depth, lanes, row_blocks, lane_blocks):
    rng = np.random.default_rng(0)
    matrix, stack, out = rng.normal(size=(rows, depth)), rng.normal(size=(2, depth, lanes)), np.empty((2, rows, lanes))
    with patch.object(products, "PRODUCT", most), matmuls() as sizes:
        products.multiply(matrix, stack, out)
    assert sizes == [(row, depth, lane) for lane in lane_blocks for row in row_blocks]
    assert_array_equal(out.round(9), (matrix @ stack).round(9))


def staged(source, innermost=True, in_cache=layout.IN_CACHE):
    """The shapes of the scratch that copy_images takes to put images innermost, or in C order."""
    target = layout.empty_innermost(source.shape, F4) if innermost else np.empty(source.shape, F4)
    with patch.object(layout, "IN_CACHE", in_cache), scratch.Scratch() as take:
        spy = Mock(side_effect=take)
        layout.copy_images(target, source, spy)
    assert_array_equal(target, source)
    return [call.args[1] for call in spy.call_args_list]


def test_images_are_staged_only_where_reading_them_in_turn_misses_the_cache():
    small, page = image(16, 3, (8, 8)), image(16, 16, (8, 8))
    assert page.strides[0] == layout.PAGE
    assert not staged(small)
    assert not staged(small, in_cache=small.nbytes)
    assert staged(small, in_cache=small.nbytes - 1)
    assert staged(page)
    there = image(16, 16, (8, 8), innermost=True)
    for source, innermost in ((small, False), (page, False), (there, False), (there, True)):
        assert not staged(source, innermost, in_cache=1)


@pytest.mark.parametrize(
    ("source", "in_cache", "number", "each"),
    [
        (image(16, 6, (6, 5)), 2 * 16 * 240, 3, (16, 5 * 16)),  # two channels, 240 bytes an image: 5 lines, not 4
        (image(16, 9, (6, 5)), 2 * 16 * 360, 3, (16, 7 * 16)),  # three channels: 6 lines would do
        (image(16, 6, (6, 5)), 2 * 16 * 40, 18, (16, 16)),  # two rows of a channel
        (image(16, 16, (8, 8)), 2 * 16 * 256 * 8, 2, (16, 33 * 16)),
        (image(20, 3, (1, 9)), 8, 3, (20, 16)),  # one row at the least
    ],
)
def test_staged_images_fill_half_the_cache_an_odd_number_of_lines_apart(source, in_cache, number, each):
    assert staged(source, in_cache=in_cache) == [each] * number


def test_one_image_is_never_images_innermost():
    assert not layout.images_innermost(np.ones((1, 1, 3, 3)))
    assert not layout.images_innermost(image(2))
    assert layout.images_innermost(image(2, innermost=True))


@pytest.mark.parametrize("inner", [False, True])
def test_an_image_is_turned_only_if_it_must_be(inner):
    for n, lies_innermost, dtype in product((3, 16), (False, True), ("f4", "f8")):
        x, dtype = image(n, innermost=lies_innermost), np.dtype(dtype)
        with scratch.Scratch() as take:
            spy = Mock(side_effect=take)
            laid = row_window._laid("x", x, inner, dtype, spy)
            assert_array_equal(laid, layout.axes(x, inner), strict=dtype == F4)
            assert laid.dtype == dtype
            assert laid.strides[3] == (n if inner else 1) * dtype.itemsize
            assert spy.called == (lies_innermost != inner or dtype != F4)


@pytest.mark.parametrize("n", [3, 16])
def test_images_with_gaps_are_copied_into_scratch(n):
    lie = image(n, innermost=n == 16)
    for x in (lie, lie[:, :, :, ::2], lie[:, :, ::2], lie[:, :1]):
        spy = Mock(side_effect=lambda name, shape, dtype: np.empty(shape, dtype))
        laid = row_window._laid("x", x, n == 16, F4, spy)
        assert spy.called == (x is not lie)
        assert_array_equal(laid, layout.axes(x, n == 16))


def test_only_the_border_of_a_depthwise_frame_is_zeroed():
    where = geometry("conv2d", (6, 7), (3, 3), 1, (2, 1))
    x = np.full((3, 2, 6, 7), 5.0, F4)
    expected = np.pad(np.full(x.shape, np.nan), [(0, 0), (0, 0), (2, 2), (1, 1)])

    def take(name, shape, dtype):
        return np.full(shape, np.nan, dtype)

    with patch.object(depthwise, "copy_images"):
        assert_array_equal(depthwise._padded(x, where, F4, take).transpose(3, 1, 0, 2), expected)


@pytest.mark.parametrize("innermost", [False, True])
@pytest.mark.parametrize(("taps", "dilation", "rows"), [(3, 1, 7), (1, 2, 9), (3, 2, 15)])
def test_the_rows_of_a_window_are_copied_for_it_alone_only_under_a_dilation(taps, dilation, rows, innermost):
    where = geometry("conv2d", (9, 9), (taps, taps), 1, 0, dilation)
    x, count = layout.axes(image(16, 2, (9, 9), innermost), innermost), 5
    block = row_window.Block(slice(0, len(x)), slice(0, count), slice(0, where.out[1]), slice(0, x.shape[4]))
    with scratch.Scratch() as take:
        windows = row_window._windows(x, where, 1, block._replace(rows=slice(0, min(count, where.out[0]))), F4, take)
    expected = {1: count, 3: 7 if dilation == 1 else 3 * count}[taps]
    assert windows.shape[2:5] == (expected, taps, 2)


@pytest.mark.parametrize(
    ("size", "innermost", "gathers"),
    [((4, 6), (0, 0), True), ((6, 4), (0, 0), True), ((1, 25), (0, 0), False), ((25, 1), (0, 0), False)]
    + [((5, 5), (0, 0), False), ((5, 5), (0, 1), True), ((5, 5), (1, 0), True)]
    + [((9, 2), (1, 1), True), ((2, 3), (1, 1), False)],
)
def test_a_1x1_kernels_gradient_sums_over_an_image_or_a_row_from_a_quarter_of_the_contraction_on(
    size, innermost, gathers
):
    x, g = (image(9, 2, size, bool(inner)) for inner in innermost)
    with (
        patch.object(whole_windows, "CONTRACTION", 100),
        patch.object(row_window, "kernel_gradient", Mock(wraps=row_window.kernel_gradient)) as spy,
    ):
        whole_windows.kernel_gradient(x, g, geometry("conv2d", size, (1, 1), 1, 0), 1, F4)
    assert spy.called == gathers


@pytest.mark.parametrize(
    ("tile", "images", "rows"),
    [(4 * 660, 1, 1), (4 * 1319, 1, 1), (4 * 1320, 1, 2), (4 * 6600, 1, 10), (4 * 13199, 1, 10), (4 * 13200, 2, 10)],
)
def test_whole_windows_are_cut_by_rows_and_then_by_images(tile, images, rows):
    whole_windows._cuts.cache_clear()
    with patch.object(whole_windows, "TILE", tile):  # a row is of 5 channels * (3 * 4 entries) * 11 columns
        cuts = whole_windows._cuts(2, 5, geometry("conv2d", (10, 11), (3, 4), 1, (1, 2))._replace(out=(10, 11)), 4)
    whole_windows._cuts.cache_clear()
    assert [(n.stop - n.start, p.stop - p.start) for n, p in cuts] == [(images, rows)] * (2 // images * 10 // rows)


def test_a_1x1_kernels_sums_are_cut_to_the_contraction():
    x, g = image(3, 6, (5, 9)), image(3, 2, (5, 9))
    products.parts.cache_clear()
    with patch.multiple(products, TRANSPOSED=4), patch.object(whole_windows, "CONTRACTION", 20), matmuls() as sizes:
        whole_windows.kernel_gradient(x, g, geometry("conv2d", (5, 9), (1, 1), 1, 0), 1, F4)
    products.parts.cache_clear()
    assert sizes == [(2, 15, 2)] * 3


def three(n, where, outputs=4, groups=1):
    """(x, k, g, the kernels' other arguments) of two input channels."""
    k = image(outputs, 2 // groups, where.window)
    return image(n, 2, where.image), k, image(n, outputs, where.out), (where, groups, F4)


UNEVEN = geometry("conv2d", (10, 12), (3, 2), (1, 1), (1, 0))  # out (10, 11)


def test_whole_windows_are_multiplied_at_once():
    x, k, g, others = three(3, UNEVEN)
    products.parts.cache_clear()
    with patch.multiple(products, PRODUCT=math.inf, TRANSPOSED=math.inf), matmuls() as sizes:
        whole_windows.forward(x, k, *others)
        whole_windows.input_gradient(g, k, *others)
        whole_windows.kernel_gradient(x, g, *others)
    products.parts.cache_clear()
    assert sizes == [(4, 12, 110), (12, 4, 110), (12, 110, 4)]


@pytest.mark.parametrize("n", [7, 8, 9])
def test_row_windows_are_laid_by_images_and_shared_out_by_multiplications(n):
    x, k, g, options = three(n, UNEVEN)
    with (
        patch.object(row_window, "axes", Mock(wraps=layout.axes)) as laid,
        patch.object(row_window, "share", Mock(wraps=row_window.share)) as share,
    ):
        row_window.forward(x, k, *options)
        row_window.input_gradient(g, k, *options)
        row_window.kernel_gradient(x, g, *options)
    assert {call.args[1] for call in laid.call_args_list} == {n >= 8}
    assert [call.args[1:] for call in share.call_args_list] == [(10, n * 4 * 10 * 11 * 2 * 3 * 2)] * 3


def lengths(found, field):
    """Of the slices of one field of Blocks, in order, without repetitions."""
    ends = dict.fromkeys((getattr(block, field).start, getattr(block, field).stop) for block in found)
    return [stop - start for start, stop in ends]


@pytest.mark.parametrize(("stride", "overlap"), [(1, 0), (1, 2), (3, 0), (2, 1)])
@pytest.mark.parametrize(("outer", "inner"), [(1, 40), (7, 1), (1, 3)])
def test_blocks_of_work_leave_nothing_out(outer, inner, stride, overlap):
    for tile, lanes in product((1, 400, 3000, 10**6), (1, 25, 64, 10**4)):
        with patch.multiple(row_window, TILE=tile, LANES=lanes):
            found = list(row_window._blocks(outer, slice(2, 12), 11, inner, 8, stride, overlap))
        times = np.zeros((outer, 12, 11, inner), int)
        for block in found:
            times[block] += 1
            assert block.columns.stop - block.columns.start == 1 or block.inner == slice(0, inner)  # lanes: one stretch
        assert_array_equal(times[:, 2:], 1)
        assert not times[:, :2].any()


@pytest.mark.parametrize(("stride", "overlap"), [(1, 0), (1, 2), (3, 0), (2, 1)])
def test_blocks_of_work_fill_a_tile(stride, overlap):
    rows, held = slice(2, 12), 8

    def sizes(field, tile, lanes, outer=1, inner=3):
        with patch.multiple(row_window, TILE=tile, LANES=lanes):
            return lengths(row_window._blocks(outer, rows, 11, inner, held, stride, overlap), field)

    def covered(count):
        return (count - 1) * stride + 1 + overlap

    assert sizes("columns", held * covered(10) * 9, 1) == [3, 3, 3, 2]
    assert sizes("columns", held * covered(10) * 9 - 1, 1) == [2] * 5 + [1]
    assert sizes("columns", 1, 6) == [2] * 5 + [1]
    assert sizes("inner", 1, 25, inner=40) == [32, 8]
    assert sizes("columns", 1, 25, inner=40) == [1] * 11
    assert sizes("rows", held * 33 * covered(5), 33) == [5, 5]
    assert sizes("rows", held * 33 * covered(5) - 1, 33) == [4, 4, 2]
    assert sizes("rows", 1, 33) == [1] * 10
    assert sizes("outer", held * 11 * covered(10) * 3, 11, outer=6, inner=1) == [3, 3]
    assert sizes("outer", held * 11 * covered(10) * 3 - 1, 11, outer=6, inner=1) == [2, 2, 2]


def test_no_work_is_no_block():
    assert not list(row_window._blocks(0, slice(0, 3), 3, 1, 4))
    assert not list(row_window._blocks(1, slice(0, 3), 3, 0, 4))
    assert not list(row_window._blocks(1, slice(3, 3), 3, 1, 4))


@pytest.mark.parametrize("n", IMAGES.values(), ids=IMAGES)
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(("stride", "dilation", "held"), [(1, 1, 7), (2, 1, 11), (2, 2, 15), (1, 3, 15)])
def test_what_row_windows_hold_is_what_their_blocks_are_cut_to(stride, dilation, held, groups, n):
    """Five rows of the output take `held` rows of windows of two taps in two channels, or five of products."""
    where = geometry(
        "conv2d", (9 * stride + 2 * dilation + 1, 12), (3, 2), (stride, 1), 0, (dilation, 1)
    )  # out (10, 11)
    x, k, g, options = three(n, where, groups=groups)
    lanes = 11 * (n if n >= 8 else 1)
    axis = (field[0] for field in (where.image, where.window, where.stride, where.padding, where.dilation))
    of_a_phase = [len(range(phase.start, where.image[0], stride)) for phase in phases.phases(*axis)]
    equal = [max(products.blocks(count, most)[0].stop for count in of_a_phase) for most in (5, 4)]
    for run, name, rows, fewer in (
        (lambda: row_window.forward(x, k, *options), "windows", held, held - (3 if dilation > 1 else stride)),
        (lambda: row_window.kernel_gradient(x, g, *options), "windows", held, held - (3 if dilation > 1 else stride)),
        (lambda: row_window.input_gradient(g, k, *options), "products", *equal),
    ):
        row = 2 * 2 * lanes * F4.itemsize
        tile = row * (held if name == "windows" else 5)
        for size, largest in ((tile, rows), (tile - 1, fewer)):
            with patch.multiple(row_window, TILE=size, LANES=lanes), borrowed(row_window) as taken:
                run()
            assert max(math.prod(shape) for shape in shapes(taken, name)) * F4.itemsize == row * largest


def test_the_images_of_few_are_summed_together():
    x, _, g, options = three(3, UNEVEN)
    with matmuls() as sizes:
        row_window.kernel_gradient(x, g, *options)
    assert sizes == [(12, 3 * 11, 4)]  # for each row the sum runs over three images


@pytest.mark.parametrize("n", IMAGES.values(), ids=IMAGES)
@pytest.mark.parametrize(("stride", "dilation", "copies"), [(1, 1, False), (1, 2, True), (2, 2, False), (2, 3, True)])
def test_windows_of_the_upstream_gradient_are_copied_only_if_their_entries_lie_apart(n, stride, dilation, copies):
    where = geometry("conv2d", (14, 14), (3, 3), stride, 1, dilation)
    _, k, g, options = three(n, where)
    with borrowed(row_window) as taken:
        row_window.input_gradient(g, k, *options)
    assert bool(shapes(taken, "windows")) == copies


def test_an_upstream_gradient_is_gathered_only_if_it_lies_otherwise():
    _, k, _, options = three(16, UNEVEN)
    for innermost in (False, True):
        with borrowed(row_window) as taken:
            row_window.input_gradient(image(16, 4, UNEVEN.out, innermost), k, *options)
        assert bool(shapes(taken, "g")) == (not innermost)


def test_the_frame_of_a_depthwise_convolution_is_as_large_as_its_windows_reach():
    where, k = geometry("conv2d", (6, 7), (3, 2), 1, (2, 1), (3, 2)), image(2, 1, (3, 2))  # out (4, 7)
    for innermost, of_planes in ((True, (10, 2, 9, 3)), (False, (3, 2, 10, 9))):
        x, g = image(3, 2, (6, 7), innermost), image(3, 2, (4, 7), innermost)
        with borrowed(depthwise) as taken:
            depthwise.forward(x, k, where, 2, F4)
            depthwise.kernel_gradient(x, g, where, 2, F4)
            depthwise.input_gradient(g, k, where, 2, F4)
        assert shapes(taken, "frame") == [(10, 2, 9, 3), of_planes, (12, 2, 9, 3)]


def turned(n, where, innermost=False):
    """Whether the forward, the input's VJP and the kernel's of a depthwise convolution copy images."""
    x, g = (image(n, 2, size, innermost) for size in (where.image, where.out))
    k = image(2, 1, where.window)
    found = []
    for run in (
        lambda: depthwise.forward(x, k, where, 2, F4),
        lambda: depthwise.input_gradient(g, k, where, 2, F4),
        lambda: depthwise.kernel_gradient(x, g, where, 2, F4),
    ):
        with patch.object(depthwise, "copy_images", Mock(side_effect=layout.copy_images)) as copied:
            run()
        found.append(copied.called)
    return found


@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), ((1, 2), (2, 1)), ((2, 1), (1, 2))])
@pytest.mark.parametrize("innermost", [False, True])
def test_few_contiguous_images_are_not_turned_for_a_depthwise_convolution(stride, dilation, innermost):
    """Unless its rows are dilated: bands would be mostly zeros."""
    where = geometry("conv2d", (9, 8), (3, 2), stride, 1, dilation)
    rows_dilated = where.dilation[0] > 1
    assert turned(3, where, innermost) == [innermost or rows_dilated, innermost or rows_dilated, innermost]


@pytest.mark.parametrize(("stride", "expected"), [((1, 1), True), ((2, 1), True), ((1, 2), False)])
def test_many_contiguous_images_are_turned_for_a_depthwise_convolution_unless_columns_are_strided(stride, expected):
    assert turned(8, geometry("conv2d", (9, 8), (3, 2), stride, 1)) == [expected] * 3


@pytest.mark.parametrize(("x_innermost", "g_innermost"), [(True, False), (False, True)])
def test_the_kernel_gradient_takes_planes_only_where_both_are_contiguous(x_innermost, g_innermost):
    where = geometry("conv2d", (6, 7), (3, 2), 1, 0)
    with borrowed(depthwise) as taken:
        depthwise.kernel_gradient(image(3, 2, (6, 7), x_innermost), image(3, 2, where.out, g_innermost), where, 2, F4)
    assert shapes(taken, "frame") == [(6, 2, 7, 3)]


@pytest.mark.parametrize("images", [1, 2, 3, 7])
def test_a_quarter_of_a_tile_of_depthwise_windows_is_in_use_at_a_time(images):
    where, k = geometry("conv2d", (6, 9), (3, 2), 1, (1, 0), 1), image(2, 1, (3, 2))  # out (6, 8)
    x, g = image(7, 2, (6, 9)), image(7, 2, (6, 8))
    for run, name, entries in (
        (lambda: depthwise.forward(x, k, where, 2, F4), "windows", 2 * 8 * 2 * 8),
        (lambda: depthwise.kernel_gradient(x, g, where, 2, F4), "frame", 2 * 8 * 9),
    ):
        for tile in (4 * images * entries * 4, 4 * (images + 1) * entries * 4 - 1):
            with patch.object(depthwise, "TILE", tile), borrowed(depthwise) as taken:
                run()
            largest = math.ceil(7 / math.ceil(7 / images))
            assert max(shape[0] for shape in shapes(taken, name)) == largest
            assert math.prod(max(shapes(taken, name))) == largest * entries


def test_a_band_is_no_larger_than_its_rows_need():
    k = np.arange(1.0, 7).reshape(1, 1, 3, 2)
    for rows, stride, dilation in product((1, 2, 4), (1, 2), (1, 3)):
        band = depthwise._band(k, rows, stride, dilation, np.dtype(float))
        depth = (rows - 1) * stride + 2 * dilation + 1
        expected = np.zeros((1, 1, rows, depth, 2))
        for p in range(rows):
            for r in range(3):
                expected[0, 0, p, p * stride + r * dilation] = k[0, 0, r]
        assert_array_equal(band, expected.reshape(1, 1, rows, -1))


def test_a_convolution_is_correlated_again_only_where_a_band_met_an_infinity():
    where, k = geometry("conv2d", (6, 7), (3, 2), 1, 0), image(2, 1, (3, 2))
    for value, again in ((1.0, False), (np.inf, True), (-np.inf, True), (np.nan, True)):
        x = image(3, 2, (6, 7))
        x[0, 0, 0, 0] = value
        with patch.object(depthwise, "_summed", Mock(side_effect=depthwise._summed)) as summed:
            depthwise.forward(x, k, where, 2, F4)
            depthwise.forward(-abs(x), abs(k), where, 2, F4)
        assert summed.called == again
    assert depthwise.forward(x[:0], k, where, 2, F4).shape == (0, 2, 4, 6)


def test_a_kernel_gradient_is_computed_again_where_a_zero_met_an_infinity():
    where = geometry("conv2d", (6, 7), (3, 2), 2, 0)
    x, g = image(3, 2, (6, 7)), image(3, 2, where.out)
    x[0, 1, 1, 1] = np.inf  # read by one tap of the second channel
    expected = np.full((2, 1, 3, 2), True)
    expected[1, 0, 1, 1] = False
    assert_array_equal(np.isfinite(depthwise.kernel_gradient(x, g, where, 2, F4)), expected)


def test_a_gradient_that_is_given_takes_the_layout_of_its_output_once():
    x, k = mg.tensor(image(16, 3, (8, 8)), requires_grad=True), mg.tensor(np.ones((2, 3, 3, 3), F4), requires_grad=True)
    g = image(16, 2, (6, 6))
    with patch.object(layout, "copy_images", Mock(side_effect=layout.copy_images)) as turned:
        mg.conv2d(x, k).backward(g)
    assert turned.call_count == 1
    assert_array_equal(x.grad, mg.conv_transpose2d(g, k.data))
    assert_array_equal(k.grad, mg.conv2d_kernel(x.data, g, size=(3, 3)))


def test_what_lies_as_its_pattern_is_not_copied():
    contiguous, innermost = image(16, 2, (6, 6)), image(16, 2, (6, 6), innermost=True)
    for source, pattern in ((contiguous, contiguous), (innermost, innermost), (innermost, contiguous)):
        assert layout.laid_as(source, pattern) is source
    copy = layout.laid_as(contiguous, innermost)
    assert layout.images_innermost(copy)
    assert copy.flags.owndata
    assert_array_equal(copy, contiguous)
