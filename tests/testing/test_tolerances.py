"""The bounds of the checks: which numbers each grows with, and that they are neither missed by rounding nor slack."""

import math
from functools import partial

import numpy as np
import pytest

from minigrad.testing import tolerances
from minigrad.testing.tolerances import EPS, EPS32, STEP, TINY, TINY32

G, Y, V, X = np.array([3.0, -4.0]), np.array([2.0, 2.0]), np.array([0.0, 5.0]), np.array([7.0, -2.0])
NONE = np.zeros(2)
approx = partial(pytest.approx, rel=1e-9, abs=0)


@pytest.mark.parametrize(
    ("array", "size"),
    [
        ([], 0.0),
        ([0.0, 0.0], 0.0),
        ([3.0, -4.0], 5.0),
        ([[1.0, 1.0], [1.0, -1.0]], 2.0),
        ([3e200, 4e200], 5e200),
        ([3e-200, -4e-200], 5e-200),
        ([1.0, -math.inf], math.inf),
        ([1.0, math.nan], math.nan),
    ],
)
def test_the_norm_of_numbers_of_any_size(array, size):
    assert tolerances.norm(np.array(array)) == pytest.approx(size, rel=1e-15, abs=0, nan_ok=True)


def test_the_largest_entry_has_a_sign_or_not():
    assert [tolerances.max_abs(np.array(a)) for a in ([1.0, -2.0], [2.0, -1.0], [])] == [2.0, 2.0, 0.0]


def test_the_bound_of_a_central_difference_has_three_terms():
    unit = tolerances.of_central_difference(1.0, 1.0, 0.0, 0.0, 0.0)
    bound = tolerances.of_central_difference
    assert bound(G, Y, NONE, NONE, 0.0) == approx(10 * unit)  # ||g y||
    assert bound(NONE, Y, V, X, 0.0) == approx(10 * unit)  # ||v x||
    assert bound(G, NONE, V, NONE, 3.0) == approx(15 * unit)  # ||g|| size
    assert bound(G, Y, V, X, 3.0) == approx(35 * unit)


def test_rounding_stays_below_the_bound_of_a_central_difference_and_comes_near_to_it():
    rng, h, errors = np.random.default_rng(0), STEP, []
    for _ in range(2000):
        y = 1.0 + rng.uniform(-0.5, 0.5, 6) * EPS  # a constant, each value of which is rounded
        errors.append(abs(45 * (y[3] - y[2]) - 9 * (y[4] - y[1]) + (y[5] - y[0])) / (60 * h))
    bound = tolerances.of_central_difference(1.0, 1.0, 0.0, 0.0, 0.0)
    assert max(errors) < bound < 20 * max(errors)


def test_the_bound_of_a_jacobian_is_entry_by_entry():
    slopes, unit = np.array([[0.0, -2.0]]), tolerances.of_central_difference(1.0, 1.0, 0.0, 0.0, 0.0)
    exact = tolerances.of_jacobian(NONE, slopes, 0.0, 0.0)
    assert exact == approx(np.array([[TINY, 2 * unit + TINY]]))
    for y, size in ((NONE, 3.0), (np.array([1.0, -3.0]), 0.5)):  # the larger of inputs and outputs
        assert tolerances.of_jacobian(y, slopes, size, 0.0) == approx(exact + 6 * unit)
    assert tolerances.of_jacobian(NONE, slopes, 0.0, 0.5) == approx(exact + [[0.0, 1.0]])


def test_the_bounds_of_what_cancels_stop_growing_where_a_function_is_saturated():
    rounding, unit = tolerances.of_rounding(1.0, 1.0, 0.0), tolerances.of_central_difference(1.0, 1.0, 0.0, 0.0, 0.0)
    for size, times in ((0.5, 0.5), (3.0, 3.0), (1e3, 36.0)):  # e**-36 is EPS
        assert tolerances.of_cancellation(G, NONE, size) == approx(5 * times * unit)
        assert tolerances.of_rounding(G, NONE, np.array([size, -size])) == approx(5 * times * rounding)
    for size, times in ((0.0, 1.0), (0.5, 1.0), (3.0, 3.0)):
        grown = tolerances.of_cancellation(G, Y, size) - tolerances.of_cancellation(G, NONE, size)
        assert grown == approx(10 * times * rounding)
    assert tolerances.of_rounding(G, Y, NONE) == approx(10 * rounding)
    assert tolerances.of_rounding(G, Y, np.ones(2)) == approx(15 * rounding)
    assert EPS < rounding < 100 * EPS


def test_the_bounds_of_other_orders_and_sides_grow_with_the_largest_entry():
    slope = tolerances.of_one_sided_slope
    assert slope(np.array([1.0, -3.0])) == approx(3 * slope(1.0))
    assert EPS / STEP < slope(1.0) < 1000 * EPS / STEP
    value, gradient = tolerances.of_reordered_value, tolerances.of_reordered_gradient
    assert 0 < value(NONE) == gradient(1.0, 0.0, 0.0) < 1e-9
    assert value(np.array([1.0, -3.0])) - value(NONE) == approx(3e-9)
    assert gradient(NONE, V, X) == approx(5e-9)
    assert gradient(G, NONE, 0.5 * X / 7) == approx(5 * value(NONE))  # of inputs below 1 as of 1
    assert gradient(G, NONE, X) == approx(35 * value(NONE))
    assert gradient(G, V, X) == approx(35 * value(NONE) + 5e-9)


def test_the_bound_of_float32_is_entry_by_entry_and_measures_what_its_inputs_round():
    exact, few = np.array([1.0, -2.0, 0.0]), tolerances.of_float32(1.0, [1.0], 0.0) / EPS32
    moved = [exact + [0.0, 3e-6, 0.0], exact - [1e-6, 1e-6, 0.0]]
    assert tolerances.of_float32(exact, moved, 0.0) == approx(
        few * (np.array([1, 2, 0]) * EPS32 + [1e-6, 3e-6, 0.0]) + [0.0, 0.0, TINY32]
    )
    assert tolerances.of_float32(exact, [exact], 5.0) == approx(few * np.array([6, 7, 5]) * EPS32)
    assert 2 < few < 200


def test_a_bound_is_exceeded_by_what_is_larger_and_by_nan():
    found = tolerances.exceeds(np.array([0.5, 1.0, 2.0, np.nan, np.inf]), 1.0)
    np.testing.assert_array_equal(found, np.array([False, False, True, True, True]), strict=True)
    assert tolerances.exceeds(np.nan, np.nan)
    assert not tolerances.exceeds(0.0, 0.0)
