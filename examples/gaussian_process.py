"""Fit a Gaussian process to noisy data: SciPy's L-BFGS with the gradient of the marginal likelihood.

The gradient flows through a Cholesky decomposition and a linear system.
"""

import argparse

import numpy as np
from command_line import needed, number

from minigrad import value_and_grad

minimize = needed("scipy.optimize", "examples").minimize


def covariance(log_scale, log_length, x, y):
    """The squared-exponential kernel of all pairs of points: (n,), (m,) -> (n, m)."""
    distance = (x[:, None] - y[None, :]) / np.exp(log_length)
    return np.exp(2 * log_scale - 0.5 * distance**2)


def negative_log_likelihood(parameters, x, y):
    """The negative log density of the data; the parameters are the logarithms of (scale, length, noise)."""
    log_scale, log_length, log_noise = parameters
    k = covariance(log_scale, log_length, x, x) + np.exp(2 * log_noise) * np.eye(len(x))
    lower = np.linalg.cholesky(k)
    whitened = np.linalg.solve(lower, y)
    return 0.5 * np.sum(whitened**2) + np.sum(np.log(np.diag(lower))) + 0.5 * len(x) * np.log(2 * np.pi)


def predict(parameters, x, y, at):
    """The posterior mean at the points `at`."""
    log_scale, log_length, log_noise = parameters
    k = covariance(log_scale, log_length, x, x) + np.exp(2 * log_noise) * np.eye(len(x))
    return covariance(log_scale, log_length, at, x) @ np.linalg.solve(k, y)


def main(arguments=None):
    """Fit, and print the parameters found and the error of the prediction."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=number(int, 2, 2000), default=80, metavar="N", help="of data (default 80)")
    options = parser.parse_args(arguments)

    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(-3, 3, options.points))
    y = np.sin(2 * x) + 0.1 * rng.normal(size=x.shape)
    start = np.zeros(3)
    fit = minimize(value_and_grad(negative_log_likelihood), start, args=(x, y), jac=True, method="L-BFGS-B")
    scale, length, noise = np.exp(fit.x)
    print(f"{fit.nit} steps of L-BFGS: -log likelihood {negative_log_likelihood(start, x, y):.2f} -> {fit.fun:.2f}")
    print(f"scale {scale:.3f}  length {length:.3f}  noise {noise:.3f} (true noise 0.100)")
    at = np.linspace(-2.5, 2.5, 11)
    error = np.abs(predict(fit.x, x, y, at) - np.sin(2 * at)).max()
    print(f"largest error of the prediction from -2.5 to 2.5: {error:.3f}")
    return error


if __name__ == "__main__":
    main()
