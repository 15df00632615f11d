"""The differences that a VJP is compared with: exact where they should be, with errors and noise that are bounds."""

import math

import numpy as np
import pytest

from minigrad.testing import finite_differences as differences
from minigrad.testing.tolerances import EPS, STEP

x, u = np.array([0.5, -0.8]), np.array([1.0, 2.0])


def noisy(seed):
    generator = np.random.default_rng(seed)
    return lambda x: float(np.sum(x)) + 1e-6 * generator.normal()


def test_directions_are_relative_steps_of_both_signs():
    a = np.array([-3.0, 0.0, 1e-3, 5.0])
    directions = [differences.direction(a, np.random.default_rng(seed)) for seed in range(100)]
    shares = np.array(directions) / [3.0, 1.0, 1e-3, 5.0]
    assert np.abs(shares).min() == pytest.approx(0.25, abs=0.05)
    assert np.abs(shares).max() == pytest.approx(2, abs=0.05)
    assert 0.4 < np.mean(shares > 0) < 0.6
    assert differences.relative(a).tolist() == [3.0, 1.0, 1e-3, 5.0]


@pytest.mark.parametrize("power", range(1, 7))
def test_polynomials_up_to_the_sixth_degree_have_their_exact_slopes(power):
    slope = power * x ** (power - 1) * u
    np.testing.assert_allclose(differences.central(lambda x: x**power, x, u), slope, rtol=1e-11)
    np.testing.assert_allclose(differences.forward(lambda x: x**power, x, u), slope, rtol=1e-10)
    for found in differences.one_sided(lambda x: x**power, x, u):
        np.testing.assert_allclose(found, slope, rtol=1e-10)


def test_differences_look_at_few_places_and_warn_of_nothing():
    seen = []

    def f(a):
        seen.append(float(a))
        return np.log(a)

    with np.errstate(all="raise"):
        assert np.isnan(differences.central(f, np.float64(0.0), 1.0))
        assert sorted(seen) == [k * STEP for k in (-3, -2, -1, 1, 2, 3)]
        assert not np.isfinite(differences.forward(f, np.float64(0.0), 1.0))
        assert np.isnan(differences.romberg(f, np.float64(0.0), np.float64(1.0)).value)
        assert differences.widest_noise(lambda a: float(np.log(a)), np.float64(0.0), 1.0) == np.inf
        with pytest.raises(FloatingPointError):
            np.log(np.float64(0.0))
    seen.clear()
    differences.one_sided(f, np.float64(1.0), 1.0)
    assert seen == [1 + k * STEP for k in range(7)] + [1 + k * STEP / 2 for k in range(7)]


def test_one_sided_slopes_are_those_of_their_side():
    assert differences.one_sided(np.abs, 0.0, 1.0) == pytest.approx((1, 1))
    assert differences.one_sided(np.abs, 0.0, -1.0) == pytest.approx((1, 1))
    full, half = differences.one_sided(lambda a: np.maximum(a - 3.2 * STEP, 0), 0.0, 1.0)
    assert half == 0 != full


def test_a_gradient_is_taken_entry_by_entry():
    g = np.array([[1.0, -2.0, 0.5], [3.0, 0.0, 1.0]])
    a = np.array([[0.5, 2.0, 0.0], [-1.0, 4.0, 3.0]])
    gradient = differences.numeric_gradient(lambda a: a**3 + a, a, g)
    np.testing.assert_allclose(gradient, g * (3 * a * a + 1), rtol=1e-9)
    entry = differences.numeric_entry(lambda a: a**3 + a, a, g, (1, 0), np.full((2, 3), 0.25))
    assert entry == pytest.approx(12, rel=1e-9)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda a: np.exp(3 * a), lambda a: 3 * np.exp(3 * a)),
        (lambda a: np.sin(40 * a), lambda a: 40 * np.cos(40 * a)),
        (lambda a: np.sin(300 * a), lambda a: 300 * np.cos(300 * a)),
        (lambda a: np.sin(900 * a), lambda a: 900 * np.cos(900 * a)),
        (lambda a: a**9, lambda a: 9 * a**8),
        (lambda a: 1 / (a - 0.52), lambda a: -1 / (a - 0.52) ** 2),
    ],
)
def test_an_extrapolation_is_precise_and_says_how_much(f, slope, sign):
    exact = sign * np.sum(slope(x) * u)
    found = differences.romberg(lambda a: sign * np.sum(f(a)), x, u)
    assert abs(found.value - exact) <= found.error < 1e-12 * abs(exact)
    found = differences.romberg(lambda a: sign * np.sum(f(a)), x, u, 1e-9)  # so no small step is any good
    assert abs(found.value - exact) < 1e-10 * abs(exact)
    assert found.error < 2e-6 * abs(exact)


def test_the_error_of_an_extrapolation_is_what_noise_makes_of_a_step():
    for rounding in (1e-6, 1e-3):
        found = differences.romberg(lambda a: 3 * np.sum(a), x, u, rounding)
        assert found.value == pytest.approx(9, rel=1e-12)
        assert found.error == pytest.approx(4 * rounding / 2.0**-8)  # of the first step that two slopes agree at
    found = differences.romberg(noisy(0), x, u)
    assert abs(found.value - 3) <= found.error < 0.01
    found = differences.romberg(lambda a: abs(float(np.sum(a - x)) - 1e-3), x, u)  # a kink within the first steps
    assert found.value == pytest.approx(-3, rel=1e-9)
    assert differences.romberg(lambda a: np.nan, x, u).error == math.inf


def test_the_noise_of_a_function_is_seen_and_a_smooth_one_has_none():
    found = [differences.observed_noise(noisy(seed), x, u) for seed in range(20)]
    assert 0.9e-6 < np.median(found) < 1.6e-6
    assert max(found) < 4e-6
    assert differences.observed_noise(lambda a: np.sum(np.exp(a)), x, u) < 4 * EPS
    assert differences.observed_noise(lambda a: 2.0, x, u) == 0


def test_noise_of_values_far_apart_is_seen_by_wide_spacings_alone():
    def rounded(a):
        return np.sum(np.round(a, 6))

    def smooth(a):
        return np.sum(np.exp(a))

    at, along = np.array([0.5, -0.25]), np.array([1.0, 0.7])  # two numbers that it leaves alone
    assert differences.observed_noise(rounded, at, along) == 0
    deviation = 1e-6 * math.sqrt(2 / 12)
    assert differences.widest_noise(rounded, at, along) == pytest.approx(4 * deviation / 2.0**-7, rel=0.6)
    assert differences.widest_noise(smooth, x, u) < 1e-12


def test_a_function_is_constant_to_rounding_if_it_changes_by_a_few_roundings():
    g = np.ones(2)
    few = 3 * EPS / 2.0**-6  # of a slope: from left to right three roundings

    def constant(slope, analytic, a=x, g=g, offset=1.0):
        return differences.constant_to_rounding(lambda b: offset + slope * (b - a), a, u, g, analytic)

    assert constant(0, 0.0)
    assert constant(few / 2, 0.0)
    assert constant(-few / 2, 0.0)
    assert not constant(20 * few, 0.0)
    assert not constant(-20 * few, 0.0)
    assert constant(2000 * few, 0.0, offset=1e4)
    quiet = 4 * EPS * (1 + 0.8)
    limit = 8 * math.sqrt(2) * quiet * 2**7
    for sign in (-1, 1):
        assert constant(0, 0.99 * sign * limit)
        assert not constant(0, 1.01 * sign * limit)
        assert constant(0, 1.9 * sign * limit, g=2 * g)
    assert not constant(20 * few, 0.0, a=np.full(2, 100.0), offset=0.0)
    for sign in (-1, 1):
        change = sign * EPS / 2.0**-5  # of one rounding, from left to right
        assert not constant(5 * change, 0.0, a=np.full(2, 100.0), offset=0.0)
        assert constant(3 * change, 0.0, a=np.full(2, 100.0), offset=0.0)
    assert constant(0, 0.0, a=np.zeros(2), offset=0.0)
    assert not constant(few / 2, 0.0, a=np.full(2, 1e-3), offset=0.0)
    with np.errstate(all="raise"):
        assert differences.constant_to_rounding(lambda a: 1 + 0 * np.exp(a - 1e4), x, u, g, 0.0)
