"""A VJP at a kink lies between the one-sided slopes: which directions and bounds there are, and what is told."""

import numpy as np
import pytest

from minigrad.testing import GradientError, check_subgradient, subgradient_check
from minigrad.testing.checked_function import CheckedFunction

at = np.array([0.0, 1.0])


def caught(fn, *inputs, **options):
    with pytest.raises(GradientError) as error:
        check_subgradient(fn, *inputs, **options)
    return error.value


def of_abs(at_zero):
    return lambda g, y, x: g * np.where(x == 0, at_zero, np.sign(x))


def test_between_the_slopes_and_no_further():
    for slope in (-1, -1 + 1e-9, -0.5, 0, 1 - 1e-9, 1):
        check_subgradient(np.abs, at, vjp=of_abs(slope))
    for slope in (-1 - 1e-6, 1 + 1e-6, -2, 3):
        error = caught(np.abs, at, vjp=of_abs(slope))
        assert (error.kind, error.argument) == ("subgradient", "x")
        told = str(error).splitlines()
        assert told[0] == "absolute: the gradient of x is outside of the one-sided slopes"
        assert told[1] == f"  along u: {slope:.12g} is not between -1 and 1"
        assert told[2] == "  u = [[1.0, 0.0]]"


def test_the_slack_is_a_share_of_the_slopes_and_of_g():
    def fn(x):
        return 1e6 * np.abs(x)

    for sign in (-1, 1):
        check_subgradient(fn, at, vjp=lambda g, y, x, s=sign: 1e6 * of_abs(s * (1 + 1e-8))(g, y, x))
        caught(fn, at, vjp=lambda g, y, x, s=sign: 1e6 * of_abs(s * (1 + 1e-7))(g, y, x))
        check_subgradient(lambda x: 0 * x, at, vjp=lambda g, y, x, s=sign: g * s * 0.9e-8)
        caught(lambda x: 0 * x, at, vjp=lambda g, y, x, s=sign: g * s * 1.1e-7)


def test_directions_are_each_entry_all_of_an_input_and_all_inputs():
    function = CheckedFunction(np.maximum, (at, at), {}, vjp=lambda g, y, a, b: (g, g))
    named = [
        (label, [None if u is None else u.tolist() for u in directions])
        for label, directions in subgradient_check._all_directions(function)
    ]
    each = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    assert named == [
        *[("x1", [u, None]) for u in each],
        *[("x2", [None, u]) for u in each],
        ("all inputs", [[1.0, 1.0], [1.0, 1.0]]),
    ]
    alone = CheckedFunction(np.abs, (at,), {}, vjp=lambda g, y, a: g)
    assert [label for label, _ in subgradient_check._all_directions(alone)] == ["x"] * 3


def test_the_shares_of_two_inputs_sum_to_one():
    for share in (0.0, 0.25, 1.0):
        check_subgradient(np.maximum, at, at, vjp=lambda g, y, a, b, s=share: (s * g, (1 - s) * g))
    error = caught(np.maximum, at, at, vjp=lambda g, y, a, b: (0.25 * g, 0.5 * g))
    assert error.argument == "all inputs"
    assert "u = [[1.0, 1.0], [1.0, 1.0]]" in str(error)
    assert caught(np.maximum, at, at, vjp=lambda g, y, a, b: (0 * g, 2 * g)).argument == "x2"


def test_an_upstream_gradient_of_either_sign_and_of_one_entry():
    def wrong_for(condition):
        return lambda g, y, x: of_abs(3.0 if condition(g) else 0.5)(g, y, x)

    caught(np.abs, at, vjp=wrong_for(lambda g: np.count_nonzero(g) == 1))
    caught(np.abs, at, vjp=wrong_for(lambda g: np.count_nonzero(g) == 2))
    for seed in (0, 1, 2, 3):
        check_subgradient(np.abs, at, vjp=of_abs(0.5), seed=seed)
    seen = set()

    def noted(g, y, x):
        seen.add(tuple(g.tolist()))
        return of_abs(0.5)(g, y, x)

    for seed in (0, 1):
        check_subgradient(np.abs, at, vjp=noted, seed=seed)
    assert {(1.0, 0.0), (0.0, 1.0)} < seen
    assert len(seen) >= 4


def test_an_output_without_slopes_is_left_out():
    def fn(x):
        with np.errstate(all="ignore"):
            return np.stack([np.abs(x[0]), np.sqrt(np.abs(x[0]))])

    check_subgradient(fn, at, vjp=lambda g, y, x: np.array([0.5 * g[0] + 7 * g[1], 0.0]))
    error = caught(fn, at, vjp=lambda g, y, x: np.array([1.5 * g[0], 0.0]))
    assert error.kind == "subgradient"
    root = caught(lambda x: np.sqrt(np.abs(x)), np.array([0.0]), vjp=lambda g, y, x: 0 * g)
    assert (root.kind, root.argument) == ("subgradient", None)
    assert "no direction has a finite slope on both sides here" in str(root)
    check_subgradient(lambda x: x[:0], at, vjp=lambda g, y, x: 0 * x)
    check_subgradient(np.abs, np.zeros(0), vjp=lambda g, y, x: g + 0)


def test_a_jump_is_told():
    error = caught(lambda x: np.abs(x) + (x > 0.0), at, vjp=of_abs(0.5))
    assert (error.kind, error.argument) == ("inconclusive", "x")
    assert "the value jumps where x moves: no slope exists here" in str(error)
    error = caught(lambda x: np.abs(x) + (x < 0.0), at, vjp=of_abs(0.5))
    assert error.kind == "inconclusive"
    assert caught(lambda x: np.abs(x) - (x > 0.0), at, vjp=of_abs(0.5)).kind == "inconclusive"
    check_subgradient(lambda x: 5 + 0 * x, at, vjp=lambda g, y, x: 0 * g)


def test_a_slope_that_depends_on_the_step_is_none():
    function = CheckedFunction(np.abs, (at,), {}, vjp=of_abs(0))

    def slope(f, side=1.0):
        return subgradient_check._existing_slope(function, "x", f, side)

    assert slope(lambda t: np.array([3 * t, 2.0])).tolist() == pytest.approx([3, 0], abs=1e-10)
    assert slope(lambda t: np.array(3 * t), -1.0) == pytest.approx(-3)
    assert np.isnan(slope(lambda t: np.array(max(t - 3.5 / 1024, 0.0))))
    assert np.isnan(slope(lambda t: np.array(t**0.5)))


@pytest.mark.parametrize("scale", [1.0, -1.0, 1e-3, 1e3])
@pytest.mark.parametrize(("bend", "exists"), [(1.0, True), (1.3, False), (-1.2, True), (-1.5, False)])
def test_a_slope_exists_if_two_steps_agree_to_a_tenth(scale, bend, exists):
    function = CheckedFunction(np.abs, (at,), {}, vjp=of_abs(0))
    beyond = 3.5 / 1024  # which only the larger step reaches

    def along(t):
        return np.array(scale * (3 * t + bend * max(t - beyond, 0.0)))

    assert np.isfinite(subgradient_check._existing_slope(function, "x", along, 1.0)) == exists


def bent(scale):
    """A function with the slopes 1 and 3, and its VJP with another one at 0."""

    def vjp(slope):
        return lambda g, y, x: g * scale * np.where(x == 0, slope, np.where(x > 0, 3, 1))

    return lambda x: scale * np.where(x > 0, 3 * x, x), vjp


@pytest.mark.parametrize("scale", [1.0, -1.0, 1e6])
def test_the_bounds_are_the_two_slopes(scale):
    fn, vjp = bent(scale)
    for slope in (1, 1.5, 3):
        check_subgradient(fn, at, vjp=vjp(slope))
    for slope in (0.99, 3.01, -1, -3):
        assert caught(fn, at, vjp=vjp(slope)).kind == "subgradient"
    if scale > 1:
        check_subgradient(fn, at, vjp=vjp(3 * (1 + 1.2e-8)))
        caught(fn, at, vjp=vjp(3 * (1 + 1.5e-8)))
        check_subgradient(fn, at, vjp=vjp(1 - 3.5e-8))
        caught(fn, at, vjp=vjp(1 - 4.5e-8))
    caught(np.abs, at, vjp=lambda g, y, x: g * np.array([0.5, 0.5]))  # away from the kink


@pytest.mark.parametrize("side", [1, -1])
def test_an_output_with_one_slope_is_left_out(side):
    def fn(x):
        return np.stack([np.abs(x[0]), np.sqrt(np.maximum(side * x[0], 0))])

    check_subgradient(fn, at[:1], vjp=lambda g, y, x: np.array([0.5 * g[0] + 7 * g[1]]))
    caught(fn, at[:1], vjp=lambda g, y, x: np.array([1.5 * g[0]]))


def test_one_direction_with_slopes_is_enough_and_none_is_needed_without_entries():
    check_subgradient(lambda x: np.abs(x[0]) + np.abs(x[0] * x[1]) ** 0.25, np.zeros(2), vjp=lambda g, y, x: 0 * x)
    check_subgradient(np.sum, np.zeros(0), vjp=lambda g, y, x: 0 * x)


def test_a_steep_output_hides_no_other_one():
    def fn(x):
        return np.stack([np.abs(x[0]), 1e9 * x[0]])

    check_subgradient(fn, at[:1], vjp=lambda g, y, x: np.array([0.5 * g[0] + 1e9 * g[1]]))
    caught(fn, at[:1], vjp=lambda g, y, x: np.array([1.5 * g[0] + 1e9 * g[1]]))
