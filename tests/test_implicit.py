"""mg.fixed_point."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.implicit import power_of_two


def test_an_iteration_that_does_not_converge_says_how_far_it_is():
    flip = lambda a: lambda x: a - x  # noqa: E731
    with pytest.raises(RuntimeError, match=r"fixed_point: after 7 iterations the distance is 2, and not below tol 0.1"):
        mg.fixed_point(flip, 2.0, 0.0, lambda x, y: abs(x - y), 0.1, max_iterations=7)
    with pytest.raises(ValueError, match="max_iterations must be a positive int, not 0"):
        mg.fixed_point(flip, 2.0, 0.0, lambda x, y: abs(x - y), 0.1, max_iterations=0)


def test_a_function_that_closes_over_a_tensor_is_refused():
    def root(w):
        return mg.fixed_point(lambda a: lambda x: (x + w * a / x) / 2, 2.0, 1.0, lambda x, y: abs(x - y), 1e-12)

    with pytest.raises(TypeError, match="fixed_point: f closes over a Tensor that needs a gradient: pass it in a,"):
        mg.grad(root)(3.0)
    assert root(mg.tensor(2.0)).round(9) == 2


def test_a_function_may_write_to_what_it_is_given():
    def halved(a):
        def step(x):
            x *= 0.5
            x += a
            return x

        return step

    start = np.zeros(3)
    root = lambda a: mg.fixed_point(halved, a, start, lambda x, y: np.max(np.abs(x - y)), 1e-12)  # noqa: E731
    np.testing.assert_allclose(root(mg.tensor(np.ones(3))).data, 2, rtol=1e-10)
    np.testing.assert_allclose(mg.grad(lambda a: np.sum(root(a)))(np.ones(3)), 2, rtol=1e-10)
    assert start.tolist() == [0, 0, 0]


def test_an_iteration_goes_on_while_the_distance_is_the_tolerance_or_more():
    steps = []

    def halved(a):
        def step(x):
            steps.append(float(x))
            return x / 2

        return step

    found = mg.fixed_point(halved, 0.0, 8.0, lambda x, y: abs(x - y), 1.0)
    assert (found, steps) == (0.5, [8.0, 4.0, 2.0, 1.0])
    steps.clear()
    with pytest.raises(RuntimeError, match="after 3 iterations the distance is 1, and not below tol 1"):
        mg.fixed_point(halved, 0.0, 8.0, lambda x, y: abs(x - y), 1.0, max_iterations=3)
    assert len(steps) == 3
    assert mg.fixed_point(halved, 0.0, 8.0, lambda x, y: abs(x - y), 1.0, max_iterations=np.int64(4)) == 0.5
    with pytest.raises(ValueError, match=r"max_iterations must be a positive int, not 2\.0"):
        mg.fixed_point(halved, 0.0, 8.0, lambda x, y: abs(x - y), 1.0, max_iterations=2.0)
    assert np.isnan(mg.fixed_point(lambda a: lambda x: x * np.nan, 0.0, 8.0, lambda x, y: abs(x - y), 1.0))


def test_the_distance_is_from_the_previous_value_and_the_function_may_write_to_a():
    seen = []

    def halfway(a):
        a *= 0.5
        return lambda x: x / 2 + a

    def distance(x, last):
        seen.append((float(x[0]), float(last[0])))
        return abs(x[0] - last[0])

    start, zeros = np.array([4.0]), np.zeros(1)
    assert mg.fixed_point(halfway, start, zeros, distance, 0.75).tolist() == [3.5]
    assert seen == [(2.0, 0.0), (3.0, 2.0), (3.5, 3.0)]
    assert start.tolist() == [4]
    assert mg.fixed_point(halfway, start, start, distance, 0.75, max_iterations=1).tolist() == [4]


def test_a_start_that_is_no_array_is_refused():
    with pytest.raises(TypeError, match="fixed_point: x0 must hold numbers"):
        mg.fixed_point(lambda a: lambda x: x, 1.0, len, lambda x, y: abs(x - y), 1e-6)


def test_the_derivative_of_a_nest_and_of_the_start():
    def root(a, x0):
        return mg.fixed_point(
            lambda a: lambda x: np.cos(x * a["w"]) / 2 + a["b"][0], a, x0, lambda x, y: np.max(np.abs(x - y)), 1e-13
        )

    a, start = {"w": np.array([0.5, 1.0]), "b": [np.array([0.25, 0.0])]}, np.array([0.5, 0.5])
    x = root(a, start)
    np.testing.assert_allclose(x, np.cos(x * a["w"]) / 2 + a["b"][0], rtol=1e-12)
    found, of_start = mg.grad(lambda a, x0: np.sum(root(a, x0)), argnums=(0, 1))(a, start)
    slope = 1 / (1 + a["w"] * np.sin(x * a["w"]) / 2)
    np.testing.assert_allclose(found["b"][0], slope, rtol=1e-10)
    np.testing.assert_allclose(found["w"], -slope * x * np.sin(x * a["w"]) / 2, rtol=1e-10)
    assert of_start.tolist() == [0.0, 0.0]
    second = mg.grad(lambda b: mg.grad(lambda b: root({"w": np.ones(1), "b": [b]}, np.ones(1))[0])(b)[0])
    h = 1e-5
    first = mg.grad(lambda b: root({"w": np.ones(1), "b": [b]}, np.ones(1))[0])
    numeric = (first(np.array([0.25 + h])) - first(np.array([0.25 - h]))) / (2 * h)
    np.testing.assert_allclose(second(np.array([0.25])), numeric, rtol=1e-6)


def test_what_a_fixed_point_is_of_is_numbers():
    with pytest.raises(TypeError, match=r"^fixed_point: a must hold numbers"):
        mg.fixed_point(lambda a: lambda x: x, {"w": "text"}, 1.0, lambda x, y: 0.0, 1.0)
    with pytest.raises(TypeError, match=r"^fixed_point: the first argument must be a function, not 3"):
        mg.fixed_point(3, 1.0, 1.0, lambda x, y: 0.0, 1.0)


@pytest.mark.parametrize("factor", [0.0, 2.0**-1000, -1e-12, 1e-6, 1e6, -1e300, 1.5e308])
def test_the_gradient_is_as_close_for_small_and_large_upstream_gradients(factor):
    def root(a):
        return mg.fixed_point(lambda a: lambda x: a * np.cos(x), a, 1.0, lambda x, y: abs(x - y), 1e-10)

    a = np.array(0.9)
    x = root(a)
    slope = np.cos(x) / (1 + a * np.sin(x))
    _, pullback = mg.vjp(root, a)
    np.testing.assert_allclose(pullback(np.asarray(factor))[0], factor * slope, rtol=1e-9, atol=5e-324)
    _, pullback = mg.vjp(root, np.float32(a))
    with np.errstate(over="ignore"):
        upstream = np.asarray(np.float32(factor))
    if np.isfinite(upstream):
        np.testing.assert_allclose(pullback(upstream)[0], upstream * np.float32(slope), rtol=1e-5, atol=1e-44)
    by_vjp = mg.grad(lambda g: mg.vjp(root, a)[1](g)[0])
    assert float(by_vjp(np.asarray(factor))) == pytest.approx(slope, rel=1e-9)


def test_a_division_by_the_power_of_two_below_the_largest_entry_rounds_nothing():
    assert [power_of_two(np.array(g)) for g in ([3.0, -5.0], [-5.0], [[0.75]], 1.0)] == [4, 4, 0.5, 1]
    assert power_of_two(np.zeros((0, 2))) > 0
