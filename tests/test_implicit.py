"""mg.fixed_point."""

import numpy as np
import pytest

import minigrad as mg


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
