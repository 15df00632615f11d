"""The small programs of examples/ run, tiny, and find what they look for."""

import gaussian_process
import logistic_regression
import newton
import numpy as np
import pytest
import throw

import minigrad as mg


def test_logistic_regression(capsys):
    assert logistic_regression.main(["--steps", "50"]) > 0.8
    lines = capsys.readouterr().out.splitlines()
    assert float(lines[-1].split()[3]) < float(lines[0].split()[3])


def test_gaussian_process(capsys):
    assert gaussian_process.main(["--points", "30"]) < 0.3
    assert "steps of L-BFGS" in capsys.readouterr().out


def test_newton():
    for x in newton.main(["--dimensions", "10"]):
        np.testing.assert_allclose(x, 1, atol=1e-6)


def test_throw():
    assert throw.main(["--target", "12"]) == pytest.approx(12, abs=1e-3)


@pytest.mark.parametrize("velocity", [[9.0, 7.0], [20.0, 9.0]])  # short of the wall, and off it
def test_the_throws_gradient_is_the_slope_of_its_path(velocity):
    velocity, h = np.array(velocity), 1e-6
    slopes = [(throw.landing(velocity + h * e) - throw.landing(velocity - h * e)) / (2 * h) for e in np.eye(2)]
    np.testing.assert_allclose(mg.grad(throw.landing)(velocity), slopes, rtol=1e-6)
