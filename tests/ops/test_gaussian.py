"""The error function and the normal distribution function, against Python's math and a wider float."""

import math

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from minigrad.ops import gaussian

SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 6.0, 40.0, -40.0, 3.924, 1e300, -1e300]


def points(dtype, number):
    """Numbers around 0, in the tails, of every magnitude, subnormal, and special ones."""
    rng, info = np.random.default_rng(0), np.finfo(dtype)
    magnitudes = np.exp(rng.uniform(math.log(info.smallest_subnormal), 3.6, number)) * rng.choice([-1, 1], number)
    x = [rng.normal(size=number), 3 * rng.normal(size=number), magnitudes, info.tiny * rng.normal(size=100), SPECIAL]
    with np.errstate(over="ignore"):
        return np.concatenate(x).astype(dtype)


def units_in_the_last_place(computed, exact):
    spacing = np.spacing(np.abs(exact).astype(computed.dtype)).astype(np.longdouble)
    same = (computed == exact) | (np.isnan(computed) & np.isnan(exact))
    with np.errstate(invalid="ignore"):
        return np.where(same, 0, np.abs(computed - exact) / spacing).max()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_erf_is_precise_to_one_unit_in_the_last_place(dtype):
    x = points(dtype, 100_000)
    exact = np.array([*map(math.erf, x.tolist())], np.longdouble)
    assert units_in_the_last_place(gaussian.erf(x), exact) <= 1
    assert_array_equal(np.signbit(gaussian.erf(x)), np.signbit(x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_distribution_function_is_precise_far_out_in_the_tail(dtype):
    """math.erfc gets z / 2**(1/2) rounded to float64; its derivative takes that back."""
    z = np.concatenate([points(dtype, 30_000), np.linspace(-13 if dtype is np.float32 else -37, 0, 30_000)]).astype(
        dtype
    )
    argument = z.astype(np.longdouble) * -np.sqrt(np.longdouble(0.5))
    near = argument.astype(float)
    exact = np.array([*map(math.erfc, near.tolist())], np.longdouble) / 2
    finite = np.abs(near) < 30
    correction = argument[finite] - near[finite]
    exact[finite] -= correction * np.exp(-np.square(argument[finite])) / np.sqrt(np.longdouble(math.pi))
    normal = ~(exact < np.finfo(dtype).tiny)
    assert units_in_the_last_place(gaussian.normal_cdf(z)[normal], exact[normal]) <= 12
    assert np.abs(gaussian.normal_cdf(z) - exact)[~normal].max() <= 12 * np.finfo(dtype).tiny


@pytest.mark.parametrize("function", [gaussian.erf, gaussian.normal_cdf])
def test_any_layout_shape_and_dtype(function):
    x = np.random.default_rng(1).normal(size=(60, 4, 200))
    expected = function(x)
    assert_array_equal(function(np.asfortranarray(x)), expected)
    assert_array_equal(function(x.transpose(2, 0, 1)), expected.transpose(2, 0, 1))
    assert_array_equal(function(x[::-2, :, ::3]), expected[::-2, :, ::3])
    assert_array_equal(function(x.astype(">f8")), expected)
    assert_array_equal(function(np.broadcast_to(x[:1], x.shape)), np.broadcast_to(expected[:1], x.shape))
    assert function(np.zeros((0, 3))).shape == (0, 3)
    assert function(np.float32(1)).dtype == np.float32
    assert_array_equal(function(2), function(2.0))


def test_an_entry_far_out_depends_on_no_other_one():
    z = points(np.float32, 2_000)
    each = np.concatenate([gaussian.normal_cdf(z[i : i + 1]) for i in range(z.size)])
    assert_array_equal(gaussian.normal_cdf(z), each)
    for near in (np.zeros(10 * z.size, np.float32), np.linspace(-3.9, 4, z.size, dtype=np.float32)):
        found = gaussian.normal_cdf(np.concatenate([z, near]))
        assert_array_equal(found, np.concatenate([each, gaussian.normal_cdf(near)]))
