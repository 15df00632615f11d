"""Spacings, interpolation, finite differences and convolution, against NumPy's."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.gradients import leaf
from support.specification import Specs, call, calls

import minigrad as mg
from minigrad.testing import check_grads

specs = Specs()
spec = specs.add

RNG = np.random.default_rng(0)
A = RNG.uniform(-2, 2, (3, 4))
V = RNG.uniform(-2, 2, 5)
W = RNG.uniform(-2, 2, 3)
XP = np.array([0.0, 0.7, 1.1, 2.0, 3.1])
X = np.array([[-0.5, 0.35, 2.4], [0.9, 3.5, 1.7]])
first = {"argnums": 0}
ends = {"argnums": (0, 1)}

spec("linspace", calls(call(1.5, -2.0, 4), call(W, 2.0, 3, False), call(W, -W, 3, axis=1)), np.linspace, options=ends)
spec("logspace", calls(call(0.5, -1.0, 4), call(W, 1.0, 3, base=2.0)), np.logspace, options=ends)
spec(
    "geomspace",
    calls(call(0.5, 8.0, 4), call(2.0, 32.0, 3), call(-0.5, -2.0, 3), call(np.abs(W), 1.0, 3)),
    np.geomspace,
    options=ends,
    refused=(
        ((1.0, -1.0), {}, ValueError, "must have one sign"),
        ((0.0, 1.0), {}, ValueError, "must have one sign"),
        ((W, np.abs(W)), {}, ValueError, "must have one sign"),
        ((np.arange(2.0), np.arange(2.0)), {}, ValueError, "must have one sign"),
    ),
)
spec(
    "interp",
    calls(
        call(X, XP, V),
        call(0.4, XP, V),
        call(X, XP, V, 7.0, -7.0),
        call(X + 4.13, XP[[1, 0, 3, 2, 4]], V, period=3.3),
        call(X, XP, V, period=-3.3),
    ),
    np.interp,
    options={"argnums": (0, 1, 2)},
    kinks=((XP[1:3], XP, V),),
    refused=(
        ((X, XP, W), {}, ValueError, r"xp \(5,\) and fp \(3,\)"),
        ((X, A, A), {}, ValueError, r"xp \(3, 4\) and fp \(3, 4\)"),
        ((X, V[:0], V[:0]), {}, ValueError, r"xp \(0,\) and fp \(0,\)"),
        ((X, XP, V, [1.0]), {}, ValueError, "left and right must be numbers"),
        ((X, XP, V, None, [1.0]), {}, ValueError, "left and right must be numbers"),
        ((X, XP, V), {"period": 0}, ValueError, "period not 0"),
    ),
)
slopes = [call(V), call(A, axis=1), call(V, 0.5), call(V, XP), call(V, XP, edge_order=2), call(V, edge_order=2)]
spec(
    "gradient",
    calls(*slopes),
    np.gradient,
    options=first,
    refused=(
        ((A, 1.0, 1.0, 1.0), {}, ValueError, "2 axes need as many spacings"),
        ((V[:1],), {}, ValueError, "at least 2"),
        ((V[:2],), {"edge_order": 2}, ValueError, "at least 3"),
        ((V,), {"edge_order": 3}, ValueError, "edge_order 1 or 2"),
        ((V, W), {}, ValueError, "the coordinates must be as many as the entries, 5"),
    ),
)
spec(
    "ediff1d",
    calls(call(V), call(A, 1.5, W)),
    np.ediff1d,
    refused=(((np.array([1, 2]), 0.5), {}, TypeError, "to_end of float64 does not fit an array of int64$"),),
)
spec(
    "unwrap",
    calls(call(np.cumsum(np.abs(V) * 3)), call(A * 5, axis=0), call(A * 3, period=4)),
    np.unwrap,
    options=first,
)
modes = [call(a, v, mode) for a, v in ((V, W), (W, V), (V, V[:4]), (V[:2], V)) for mode in ("full", "same", "valid")]
spec(
    "convolve",
    calls(*modes),
    np.convolve,
    refused=(
        ((A, V), {}, ValueError, "must be sequences"),
        ((V, A), {}, ValueError, "must be sequences"),
        ((V, V[:0]), {}, ValueError, "must be sequences"),
        ((V[:0], V), {}, ValueError, "must be sequences"),
        ((V, W, "none"), {}, ValueError, "mode must"),
    ),
)
spec("correlate", calls(*modes), np.correlate)
TestSpecs = specs.tests(examples=3)


def test_coordinates_along_one_axis_do_not_stand_for_those_of_two():
    with pytest.raises(ValueError, match="gradient: 2 axes need as many spacings or one"):
        np.gradient(leaf(np.ones((3, 3))), np.arange(3.0))


@pytest.mark.parametrize("f", [np.linspace, np.logspace, np.geomspace])
def test_spacings_in_a_dtype(f):
    spaced = f(leaf(0.5), 2.0, 4, dtype=np.float32)
    assert spaced.requires_grad
    assert spaced.dtype == np.float32
    assert_array_equal(spaced.data, f(0.5, 2.0, 4, dtype=np.float32))


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_sequences_of_any_two_lengths(mode):
    for n in range(1, 6):
        for m in range(1, 6):
            a, v = RNG.normal(size=n), RNG.normal(size=m)
            assert_allclose(np.convolve(leaf(a), v, mode).data, np.convolve(a, v, mode), atol=1e-14)
            assert_allclose(np.correlate(leaf(a), v, mode).data, np.correlate(a, v, mode), atol=1e-14)
    for a, v in ((V, W), (W, V)):
        check_grads(mg.convolve, a, v, mode)


def test_several_slopes_and_steps():
    ours = np.gradient(leaf(A), 0.5, [0.0, 1.0, 3.0, 4.0])
    for mine, theirs in zip(ours, np.gradient(A, 0.5, [0.0, 1.0, 3.0, 4.0]), strict=True):
        assert_allclose(mine.data, theirs)
    samples, step = np.linspace(leaf(1.0), 3.0, 5, retstep=True)
    assert step.item() == 0.5
    assert_array_equal(samples.data, [1, 1.5, 2, 2.5, 3])
    assert np.linspace(leaf(1.0), 3.0, 2, retstep=True)[1].item() == 2
    assert np.isnan(np.linspace(leaf(1.0), 3.0, 1, retstep=True)[1])
    assert np.linspace(leaf(1.0), 3.0, dtype=np.float32).dtype == np.float32
    assert_array_equal(np.linspace(leaf(-2.5), 2.0, 7, dtype=int).data, np.linspace(-2.5, 2.0, 7, dtype=int))


def test_interpolation_at_its_ends_and_at_nan():
    x = np.array([0.0, 3.1, np.nan, -1.0, 4.0])
    for more in ((), (7.0, 8.0)):
        assert_array_equal(np.interp(leaf(x), XP, V, *more).data, np.interp(x, XP, V, *more))
    assert_array_equal(np.interp(leaf(x[:2]), [1.0], [5.0]).data, [5.0, 5.0])


def test_spacings_have_numpys_bits():
    rng = np.random.default_rng(0)
    for f in (np.linspace, np.logspace, np.geomspace):
        for n, endpoint in ((1, True), (1, False), (2, True), (7, True), (50, False), (0, True)):
            start, stop = rng.uniform(0.1, 3, 2)
            np.testing.assert_array_equal(f(leaf(start), stop, n, endpoint).data, f(start, stop, n, endpoint))
    assert np.geomspace(leaf(0.1), 1.3, 5)[-1].item() == 1.3
    with pytest.raises(ValueError, match=r"linspace: .*-1"):
        np.linspace(leaf(0.0), 1.0, -1)


def test_a_slope_inside_does_not_count_its_own_entry():
    f = np.array([1.0, np.nan, 3.0, 5.0, 4.0])
    for spacing in (1.0, 2.0 * np.arange(5)):
        np.testing.assert_array_equal(np.gradient(leaf(f), spacing).data, np.gradient(f, spacing))
    check_grads(lambda h: mg.gradient(np.arange(5.0) ** 3, h), np.arange(5.0), float32=False)


@pytest.mark.parametrize("num", [1, 2, 3])
def test_the_ends_of_geomspace_are_not_rounded(num):
    start, stop = RNG.uniform(0.1, 3, (2, 500))
    start[0] = stop[1] = 1
    for sign in (1, -1):
        found = np.geomspace(leaf(sign * start), sign * stop, num).data
        assert_allclose(found, np.geomspace(sign * start, sign * stop, num), rtol=1e-14)
        assert_array_equal(found[0], sign * start)
        assert_array_equal(found[-1], sign * (stop if num > 1 else start))


@pytest.mark.parametrize("num", [1, 2, 3, 7])
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_spacings_along_any_axis_are_numpys_and_those_of_linspace_to_the_bit(num, axis):
    start, stop = np.random.default_rng(0).normal(size=(2, 5, 4))
    assert_array_equal(np.linspace(leaf(start), stop, num, axis=axis).data, np.linspace(start, stop, num, axis=axis))
    for f in (np.logspace, np.geomspace):
        found = f(leaf(abs(start)), abs(stop), num, axis=axis)
        assert_allclose(found.data, f(abs(start), abs(stop), num, axis=axis), rtol=1e-13)


@pytest.mark.parametrize("axis", [0, -1])
def test_logspace_of_several_bases(axis):
    for start, stop in ((0.5, 1.0), (np.zeros(3), 2.0), (np.zeros((2, 1)), np.ones(3))):
        base = np.array([2.0, 3.0, 4.0])
        found, expected = (np.logspace(start, stop, 3, base=b, axis=axis) for b in (leaf(base), base))
        assert_allclose(found.data, expected, rtol=1e-14)
    mg.testing.check_grads(lambda b, x: mg.logspace(x, x + 1, 3, base=b, axis=axis), base, np.zeros((2, 3)))


@pytest.mark.parametrize("edge_order", [1, 2])
def test_slopes_along_any_axes_with_any_spacings(edge_order):
    f, steps = RNG.normal(size=(3, 4, 7)), [np.cumsum(RNG.uniform(0.1, 1, n)) for n in (3, 4, 7)]
    for spacings in ((), (0.3,), (0.3, 2.0, 0.7), (steps[0], 0.5, steps[2])):
        found, expected = (np.gradient(x, *spacings, edge_order=edge_order) for x in (leaf(f), f))
        for mine, theirs in zip(found, expected, strict=True):
            assert_allclose(mine.data, theirs, rtol=1e-12, atol=1e-13)
    few = f[0, 0, : edge_order + 1]
    assert_allclose(np.gradient(leaf(few), edge_order=edge_order).data, np.gradient(few, edge_order=edge_order))


def test_a_spacing_that_is_a_tensor_counts_no_more_entries():
    f = np.array([1.0, np.nan, 3.0, 5.0])
    assert_array_equal(np.gradient(f, leaf(0.5)).data, np.gradient(f, 0.5))


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_a_number_is_a_sequence_of_one(mode):
    for a, v in ((2.0, V), (V, 2.0), (2.0, 3.0)):
        assert_array_equal(np.convolve(leaf(a), v, mode).data, np.convolve(a, v, mode))


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_a_correlation_is_with_conjugates(mode):
    a, v = RNG.normal(size=(2, 5)) + 1j * RNG.normal(size=(2, 5))
    for n in (2, 5):
        assert_allclose(np.correlate(leaf(a), v[:n], mode).data, np.correlate(a, v[:n], mode))
        assert_allclose(np.correlate(leaf(a[:n]), v, mode).data, np.correlate(a[:n], v, mode))


@pytest.mark.parametrize("p", [[-0.0, -0.0, 9.0], [np.inf], [1.0, 5.0, np.inf, 2.0], [np.nan, 7.0], [0.0, 3.2, 2.9]])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("period", [4, 4.0, np.float64(4)])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_unwrapped_angles_have_numpys_bits(p, dtype, period):
    p = np.array(p, dtype)
    found, expected = np.unwrap(leaf(p), period=period).data, np.unwrap(p, period=period)
    assert_array_equal(found, expected, strict=True)
    assert_array_equal(np.signbit(found), np.signbit(expected))


def test_the_slope_of_interpolation_at_a_point_is_that_of_the_line_after_it():
    xp, fp = np.array([1.0, 2.0, 4.0]), np.array([3.0, 4.0, 2.0])
    slope = mg.vjp(lambda x: mg.interp(x, xp, fp), np.array([0.5, 1.0, 2.0, 4.0, np.inf, -np.inf]))[1](np.ones(6))[0]
    assert_array_equal(slope, [0, 1, -1, 0, 0, 0])
    assert mg.grad(mg.interp, (0, 1, 2))(1.0, xp[:1], fp[:1]) == (0, [0], [1])


@pytest.mark.parametrize("period", [3.3, 1.9, 0.77, -1.9])
def test_interpolation_within_any_period(period):
    x = np.linspace(-4, 5, 40)
    for xp, fp in ((XP, V), (XP[::-1], V), (XP[:1], V[:1]), (XP - 7, V)):
        assert_allclose(np.interp(leaf(x), xp, fp, period=period).data, np.interp(x, xp, fp, period=period), atol=1e-12)


def test_an_infinite_value_reaches_no_point_beside_it():
    x, fp = np.array([-np.inf, 0.0, 0.7, 1.1, 2.0, 2.5, 3.1, 4.0]), np.array([1.0, 2.0, 3.0, 4.0, np.inf])
    assert_array_equal(np.interp(leaf(x), XP, fp).data, np.interp(x, XP, fp))
