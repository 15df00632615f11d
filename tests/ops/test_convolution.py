"""Convolution: value and derivatives by specs, its options and refusals one by one."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import naive
from support.specification import Specs

import minigrad as mg
from minigrad.testing import check_grads
from minigrad.testing import strategies as s
from minigrad.testing.strategies import Call

specs = Specs()
spec = specs.add


def conv_transpose(call):
    """The call of the adjoint for a call of conv2d: its output in place of its input."""
    (x, k, b), options = call
    z = naive.conv2d(x, k, **options)
    bias = None if b is None else np.arange(1.0, k.shape[1] * options["groups"] + 1)
    return Call((z, k, bias), {**options, "output_size": x.shape[-2:]})


def conv_kernel(call):
    (x, k, _), options = call
    return Call((x, naive.conv2d(x, k, **options)), {**options, "size": k.shape[2:]})


image, kernel = np.zeros((1, 2, 4, 4)), np.zeros((2, 2, 3, 3))
spec(
    "conv2d",
    s.conv2d_inputs(batches=((), (2,), (17,))),  # from 8 images on, another layout and way of computing
    naive.conv2d,
    refused=(
        ((np.zeros((1, 3, 4, 4)), kernel), {}, ValueError, r"x has 3 channels but k expects 2 \("),
        ((np.zeros((4, 4)), kernel), {}, ValueError, "must be"),
        ((image, kernel[0]), {}, ValueError, "must be"),
        ((image, np.zeros(3)), {}, ValueError, "must be"),
        ((image, kernel, np.zeros(3)), {}, ValueError, r"b must be \(2,\)"),
        ((image, kernel), {"groups": 3}, ValueError, "groups must"),
        ((image, kernel), {"groups": 0}, ValueError, "groups must"),
        ((image, kernel), {"groups": 1.0}, ValueError, "groups must"),
        ((image, kernel[:, :, :0]), {}, ValueError, "must not be empty"),
        ((image, kernel), {"stride": 0}, ValueError, "stride must be at least 1"),
        ((image, kernel), {"stride": (1, 1, 1)}, TypeError, "a pair"),
        ((image, kernel), {"stride": True}, TypeError, "an int or a pair"),
        ((image, kernel), {"padding": -1}, ValueError, "padding must be at least 0"),
        ((image, kernel), {"dilation": (1, 2)}, ValueError, "does not fit"),
        ((image, kernel), {"dilation": (2, 1)}, ValueError, "reaches over 5 x 3 does not fit"),
        ((image, kernel), {"dilation": 0}, ValueError, "at least 1"),
        ((image, np.zeros((2, 3, 3, 3))), {"groups": 2}, ValueError, "expects 6 = 3 x 2 groups"),
    ),
)
spec(
    "conv_transpose2d",
    s.conv2d_inputs().map(conv_transpose),
    naive.conv_transpose2d,
    refused=(
        ((image, np.zeros((3, 2, 3, 3))), {}, ValueError, "z has 2 channels but k expects 3"),
        ((image, np.zeros(())), {}, ValueError, "must be"),
        ((image, kernel[0]), {}, ValueError, "must be"),
        ((image, kernel, np.zeros(3)), {}, ValueError, r"b must be \(2,\)"),
        ((image, kernel), {"output_size": (7, 6)}, ValueError, "must be 6 x 6"),
        ((image, kernel), {"output_size": -1}, ValueError, "output_size must be at least 0, not -1"),
        ((image, kernel), {"output_size": 6.0}, TypeError, "output_size must be an int or a pair"),
        ((image, kernel), {"output_size": 6, "dilation": 0}, ValueError, "dilation must be at least 1"),
        ((image, kernel), {"stride": 2, "output_size": (11, 10)}, ValueError, "9 to 10"),
        ((image, kernel), {"stride": 2, "output_size": (10, 8)}, ValueError, "9 to 10"),
        ((np.zeros((1, 2, 0, 4)), kernel), {}, ValueError, "output size must be"),
    ),
)
spec(
    "conv2d_kernel",
    s.conv2d_inputs().map(conv_kernel),
    naive.conv2d_kernel,
    refused=(
        ((image, np.zeros((1, 2, 3, 3))), {"size": 3}, ValueError, r"which gives \(1, 2, 2, 2\)"),
        ((image, np.zeros((1, 2, 2, 2))), {"size": (3, 3), "groups": 3}, ValueError, "divides 2 and 2, not 3"),
        ((image, np.zeros((1, 3, 2, 2))), {"size": (3, 3), "groups": 2}, ValueError, "divides 2 and 3, not 2"),
        ((image, np.zeros((1, 3, 2, 2))), {"size": (3, 3), "groups": 3}, ValueError, "divides 2 and 3, not 3"),
        ((image, np.zeros((1, 2, 2, 2))), {"size": (3, 3), "groups": 0}, ValueError, "divides 2 and 2, not 0"),
        ((image, np.zeros((1, 2, 2, 2))), {"size": (0, 0)}, ValueError, "size must be at least 1"),
        ((image[0, 0], np.zeros((2, 2))), {"size": (3, 3)}, ValueError, r"or both without N, not \(4, 4\)"),
        ((image, np.zeros((2, 2, 2))), {"size": (3, 3)}, ValueError, r"or both without N, not .* \(2, 2, 2\)"),
    ),
)

TestSpecs = specs.tests()

rng = np.random.default_rng(0)


def test_a_bias_of_a_wider_dtype_widens_the_result():
    x, k = np.ones((1, 1, 3, 3), np.float32), np.ones((2, 1, 2, 2), np.float32)
    b = np.array([1 / 3, 2 / 3])
    z = mg.conv2d(x, k, b)
    assert z.dtype == np.float64
    assert_array_equal(z[0, :, 0, 0], 4 + b)


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


@pytest.mark.parametrize("n", [1, 16])
@pytest.mark.parametrize("image", [(0, 0), (0, 3), (2, 0)])
def test_an_empty_image_with_a_padding_has_a_gradient(n, image):
    x, k = np.zeros((n, 2, *image)), np.random.default_rng(0).normal(size=(4, 1, 2, 2))
    assert mg.conv2d(x, k, padding=1, groups=2).shape == (n, 4, image[0] + 1, image[1] + 1)
    check_grads(mg.conv2d, x, k, padding=1, groups=2, order=2)


def test_conv_transpose2d_names_a_padding_that_leaves_nothing():
    with pytest.raises(ValueError, match=r"conv_transpose2d: padding \(3, 3\) leaves nothing of an input of 1 x 1"):
        mg.conv_transpose2d(np.ones((1, 1, 1, 1)), np.ones((1, 1, 2, 2)), padding=3)
    with pytest.raises(ValueError, match=r"groups must be a positive int that divides 1 .*, not True"):
        mg.conv2d(np.ones((1, 1, 4, 4)), np.ones((1, 1, 2, 2)), groups=True)


@pytest.mark.parametrize("groups", [True, [1], 1.0, np.array(1)])
def test_groups_that_are_no_int_are_refused_even_after_a_call_with_the_int_that_they_equal(groups):
    x, k = np.ones((1, 1, 4, 4)), np.ones((1, 1, 2, 2))
    assert mg.conv2d(x, k, groups=1).shape == mg.conv2d(x, k, groups=np.int64(1)).shape == (1, 1, 3, 3)
    with pytest.raises(ValueError, match=r"conv2d: groups must be a positive int that divides 1 .*, not"):
        mg.conv2d(x, k, groups=groups)


@pytest.mark.parametrize("stride", [True, (True, 1), 1.0, (1, 1.0)])
def test_strides_that_are_no_ints_are_refused_even_after_a_call_with_the_ints_that_they_equal(stride):
    x, k = np.ones((1, 1, 4, 4)), np.ones((1, 1, 2, 2))
    mg.conv2d(x, k, stride=1)
    with pytest.raises(TypeError, match="conv2d: stride must be an int or a pair of ints"):
        mg.conv2d(x, k, stride=stride)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float16, np.float32])
def test_convolutions_of_integers_are_of_float64(dtype):
    x, k = (rng.uniform(0, 3, shape).astype(dtype) for shape in ((2, 2, 4, 4), (2, 2, 2, 2)))
    due = dtype if np.dtype(dtype).kind == "f" else np.float64
    for f, z in ((mg.conv2d, x), (mg.conv_transpose2d, x)):
        assert f(z, k).dtype == due
        assert_allclose(f(z, k), f(z.astype(float), k.astype(float)), rtol=4 * np.finfo(due).eps)
    assert mg.ops.conv2d_kernel(x, x[..., :3, :3], size=2).dtype == due


@pytest.mark.parametrize("dtype", [complex, object])
def test_convolutions_of_other_kinds_are_refused(dtype):
    x, k, b = (np.zeros(shape) for shape in ((1, 1, 4, 4), (1, 1, 2, 2), 1))
    for names, arrays in (("x and k", (x, k.astype(dtype))), ("b", (x, k, b.astype(dtype)))):
        with pytest.raises(TypeError, match=rf"^conv2d: {names} must be floating-point, integer or boolean, not"):
            mg.conv2d(*arrays)


@pytest.mark.parametrize("size", [(9, 10), (10, 9), (10, 10)])
def test_conv_transpose2d_gives_each_image_that_has_so_many_windows(size):
    z, k = rng.normal(size=(1, 2, 4, 4)), rng.normal(size=(2, 1, 3, 3))
    x = mg.conv_transpose2d(z, k, stride=2, output_size=size)
    assert_allclose(x, naive.conv_transpose2d(z, k, stride=2, output_size=size))
    for wrong in ((8, 9), (9, 8), (8, 8), (11, 11)):
        with pytest.raises(ValueError, match="must be 9 to 10 x 9 to 10"):
            mg.conv_transpose2d(z, k, stride=2, output_size=wrong)


@pytest.mark.parametrize("f", [mg.conv2d, mg.conv_transpose2d])
@pytest.mark.parametrize("batch", [(), (1,), (9,)])
def test_the_gradient_of_a_bias_is_the_sum_over_images_rows_and_columns(f, batch):
    x, k, b = rng.normal(size=(*batch, 2, 4, 5)), rng.normal(size=(2, 2, 2, 2)), rng.normal(size=2)
    z, pullback = mg.vjp(f, x, k, b)
    g = np.cos(z)  # in its layout
    assert_allclose(pullback(g)[2], np.moveaxis(g, -3, 0).reshape(2, -1).sum(1))
