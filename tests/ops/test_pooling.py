"""Pooling: value and derivatives by specs, its conventions and refusals one by one."""

import warnings
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support import naive
from support.geometries import geometries, sizes, times_read
from support.specification import Specs

import minigrad as mg
from minigrad.ops.kernels.memory import images_innermost
from minigrad.ops.pooling import _blank, pick2d, unpool2d
from minigrad.ops.windows import overlap
from minigrad.testing import check_vjp
from minigrad.testing import strategies as s
from minigrad.testing.strategies import Call

specs = Specs()
spec = specs.add


leads = ((1,), (2, 2), (17, 2))
pools, apart_pools = s.pool2d_inputs(leads=leads), s.pool2d_inputs(gap=True, leads=leads)
few_pools = s.pool2d_inputs()
bad_pool = (
    ((np.zeros((4, 4)), 2), {}, ValueError, "must be"),
    ((1.0, 2), {}, ValueError, r"x must be .*, not \(\)"),
    ((np.zeros((1, 4, 4), int), 2), {}, TypeError, "floating-point"),
    ((np.zeros((1, 4, 4)), 5), {}, ValueError, "does not fit"),
    ((np.zeros((1, 4, 4)), (0, 1)), {}, ValueError, "at least 1"),
)
spec("avg_pool2d", pools, naive.avg_pool2d, refused=bad_pool)
plateau = np.array([[[0.5, 0.5, 0.25], [0.5, -1.0, 0.25], [0.25, 0.25, 0.25]]])
spec(
    "max_pool2d",
    apart_pools,
    naive.max_pool2d,
    refused=(*bad_pool, ((np.zeros((1, 4, 4)), 3), {"padding": 2}, ValueError, "padding")),
    kinks=((plateau, 2), Call((plateau, 2), {"stride": 1, "padding": 1})),
)
tips = np.array([[[0.0, 0.0, 0.25], [0.0, 0.0, 0.25], [0.25, 0.5, 0.25]]])
spec("l2_pool2d", apart_pools, naive.l2_pool2d, refused=bad_pool, kinks=((tips, 2), Call((tips, 2), {"stride": 1})))
spec("unfold2d", pools, naive.unfold2d, refused=bad_pool)
spec(
    "fold2d",
    few_pools.map(lambda c: Call((naive.unfold2d(*c[0], **c[1]), c[0][0].shape[-2:], c[0][1]), c[1])),
    naive.fold2d,
    refused=(
        ((np.zeros((1, 3, 3, 2, 2)), 4, 2), {}, ValueError, r"windows must end in \(2, 2, 2, 2\)"),
        ((np.zeros((1, 2, 2, 2, 2)), 4.0, 2), {}, TypeError, "image must be an int or a pair"),
    ),
)
spec(
    "spread2d",
    few_pools.map(lambda c: Call((naive.avg_pool2d(*c[0], **c[1]), c[0][0].shape[-2:], c[0][1]), c[1])),
    naive.spread2d,
    refused=(
        ((np.zeros((1, 1, 1)), 4, 2), {}, ValueError, r"g must end in \(2, 2\)"),
        ((np.zeros((1, 3, 3)), (4, 4), 2), {}, ValueError, r"g must end in \(2, 2\)"),
    ),
)


def switched(by_image):
    """Calls of unpool2d (or pick2d): something to route, x, a = its maxima, and the window."""

    def build(call):
        (x, window), options = call
        a = naive.max_pool2d(x, window, **options)
        return Call((np.sin(x if by_image else a), x, a, window), options)

    return apart_pools.map(build)


one, four, whole = np.zeros((1, 1, 1)), np.zeros((1, 2, 2)), np.zeros((1, 4, 4))
spec(
    "unpool2d",
    switched(by_image=False),
    naive.unpool2d,
    fn=unpool2d,
    options={"argnums": 0},
    refused=(
        ((one, whole, four, 2), {}, ValueError, r"g must end in \(1, 2, 2\)"),
        ((one, whole, one, 2), {}, ValueError, r"a must end in \(1, 2, 2\)"),
        ((four, whole, four, 2), {"padding": 2}, ValueError, "at most half"),
    ),
)
spec(
    "pick2d",
    switched(by_image=True),
    naive.pick2d,
    fn=pick2d,
    options={"argnums": 0},
    refused=(
        ((one, whole, four, 2), {}, ValueError, r"u must end in \(1, 4, 4\)"),
        ((whole, whole, one, 2), {}, ValueError, r"a must end in \(1, 2, 2\)"),
    ),
)

TestSpecs = specs.tests()

rng = np.random.default_rng(0)

POOLS = (mg.avg_pool2d, mg.max_pool2d, mg.l2_pool2d)


def test_what_no_window_writes_to_is_made_zero_and_nothing_needlessly():
    for where in geometries():
        x = np.full(where.image, np.nan)
        read = times_read(where)
        _blank(x, where)
        if overlap(where):
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
    for n, k, stride, p, d in sizes():
        if d == 1 and 2 * p <= k:
            size = 2 * n * (n + 1)
            x = (rng.permutation(size).reshape(2, n, n + 1) + 0.5) / size  # apart: no ties
            options = {"stride": (stride, 1), "padding": (p, k // 2)}
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


def test_a_pool_of_single_entries_does_not_write_to_its_argument():
    x = np.arange(16.0).reshape(1, 4, 4)
    x.flags.writeable = False
    assert_array_equal(mg.avg_pool2d(x, 1, stride=2), x[:, ::2, ::2])


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


@pytest.mark.parametrize("f", POOLS)
@pytest.mark.parametrize("option", ["window", "stride", "padding"])
def test_true_is_refused_after_a_call_with_one(f, option):
    options = (
        {"window": 1, "stride": 1, "padding": 0} if option == "window" else {"window": 2, "stride": 1, "padding": 1}
    )
    f(np.ones((1, 4, 4)), **options)
    with pytest.raises(TypeError, match=f"^{f.__name__}: {option} must be an int or a pair of ints, not True"):
        f(np.ones((1, 4, 4)), **options | {option: True})


def test_max_pool_gives_a_tie_to_the_first_in_row_major_order():
    x = np.array([[[3.0, 3.0], [3.0, 3.0]]])
    assert_array_equal(mg.grad(lambda x: np.sum(mg.max_pool2d(x, 2)))(x), [[[1, 0], [0, 0]]])
    x = np.array([[[1.0, 3.0], [3.0, 3.0]]])
    assert_array_equal(mg.grad(lambda x: np.sum(mg.max_pool2d(x, 2)))(x), [[[0, 1], [0, 0]]])


def test_max_pool_padding_never_wins():
    x = np.full((1, 1, 2, 2), -np.inf)
    y, pullback = mg.vjp(lambda x: mg.max_pool2d(x, 2, stride=2, padding=1), x)
    assert_array_equal(y, x)
    assert_array_equal(pullback(np.ones(y.shape))[0], np.ones((1, 1, 2, 2)))
    assert_array_equal(mg.max_pool2d(np.full((1, 1, 2, 2), -5.0), 3, stride=2, padding=1), [[[[-5]]]])
    with pytest.raises(ValueError, match="at most half of the window"):
        mg.max_pool2d(x, 2, padding=2)


def test_max_pool_nan_wins():
    x = np.array([[[1.0, np.nan], [5.0, 2.0]]])
    y, pullback = mg.vjp(lambda x: mg.max_pool2d(x, 2), x)
    assert np.isnan(y).all()
    assert_array_equal(pullback(np.ones(y.shape))[0], [[[0, 1], [0, 0]]])


def test_avg_pool_counts_the_padding():
    assert_array_equal(mg.avg_pool2d(np.ones((1, 1, 1)), 2, stride=2, padding=1), [[[0.25]]])


def pairs(least, most):
    return st.tuples(st.integers(least, most), st.integers(least, most))


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
        x = np.ascontiguousarray(x.transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2)
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


@pytest.mark.parametrize("f", [mg.avg_pool2d, mg.l2_pool2d])
@pytest.mark.parametrize("image", [(0, 0), (0, 3), (2, 0)])
def test_an_empty_image_with_a_padding_has_a_gradient(f, image):
    x = np.zeros((2, 1, *image))
    z, pullback = mg.vjp(lambda x: f(x, 2, stride=1, padding=1), x)
    assert_array_equal(z, np.zeros((2, 1, image[0] + 1, image[1] + 1)))
    assert pullback(z)[0].shape == x.shape


def test_the_l2_pool_of_tiny_entries():
    assert_allclose(mg.l2_pool2d(np.array([[[3e-200, 0.0], [4e-200, 0.0]]]), 2), [[[5e-200]]])


@pytest.mark.parametrize("shape", [(1, 1, 1024, 1024), (16, 256, 256)])
def test_large_images_of_few_channels(shape):
    x = np.random.default_rng(0).normal(size=shape)
    a = mg.max_pool2d(x, 2)
    windows = x.reshape(*shape[:-2], shape[-2] // 2, 2, shape[-1] // 2, 2)
    assert_array_equal(a, windows.max((-3, -1)))
    assert_allclose(mg.avg_pool2d(x, 2), windows.mean((-3, -1)), atol=1e-15)
    chosen = x == np.repeat(np.repeat(a, 2, -2), 2, -1)
    assert_array_equal(unpool2d(np.ones_like(a), x, a, 2), chosen)


def test_a_window_or_stride_is_a_tuple_or_a_list():
    x = np.arange(30.0).reshape(1, 5, 6)
    for f in (mg.avg_pool2d, mg.max_pool2d, mg.l2_pool2d):
        assert_array_equal(f(x, 2, stride=[1, 2]), f(x, 2, stride=(1, 2)))
        assert_array_equal(f(x, [2, 3]), f(x, (2, 3)))


def _norm(x, axis):
    return np.sqrt(np.sum(x * x, axis=axis))


@pytest.mark.parametrize(
    ("pool", "reduction"), [(mg.avg_pool2d, np.mean), (mg.max_pool2d, np.max), (mg.l2_pool2d, _norm)]
)
@pytest.mark.parametrize(("window", "stride"), [((9, 8), 1), ((7, 7), 1), ((4, 8), (5, 1)), ((6, 2), 3)])
def test_large_windows_are_reductions_of_sliding_windows(pool, reduction, window, stride):
    rng = np.random.default_rng(0)
    x, (down, right) = rng.normal(size=(2, 3, 9, 8)), np.broadcast_to(stride, 2)

    def by_views(x):
        return reduction(
            np.lib.stride_tricks.sliding_window_view(x, window, (-2, -1))[..., ::down, ::right, :, :], (-2, -1)
        )

    value, pullback = mg.vjp(lambda x: pool(x, window, stride=stride), x)
    expected, back = mg.vjp(by_views, x)
    np.testing.assert_allclose(value, expected)
    g = rng.normal(size=value.shape)
    np.testing.assert_allclose(pullback(g)[0], back(g)[0], atol=1e-12)
    check_vjp(lambda x: mg.grad(lambda x: (pool(x, window, stride=stride) ** 2).sum())(x), x)
