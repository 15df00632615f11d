"""Solve Burgers' equation with a network that knows nothing but the equation: derivatives inside of the loss.

u_t + u u_x = v u_xx for x in [-1, 1] and t in [0, 1], u(0, x) = -sin(pi x), u(t, -1) = u(t, 1) = 0. The network is
u; its derivatives come from `grad` of `grad`, and the gradient of the loss from one more. SciPy's L-BFGS descends.
Reference: M. Raissi et al., "Physics-informed neural networks", 2019.
"""

import argparse
from itertools import pairwise

import numpy as np
from command_line import needed, number, output_file

import minigrad as mg

solve_ivp, minimize = needed("scipy.integrate", "examples").solve_ivp, needed("scipy.optimize", "examples").minimize

VISCOSITY, POINTS, SIZES = 0.05, 800, (2, 20, 20, 20, 1)
SHAPES = [shape for a, b in pairwise(SIZES) for shape in [(a, b), (b,)]]
ENDS = np.cumsum([int(np.prod(shape)) for shape in SHAPES])


def u(parameters, t, x):
    """The network: (n,), (n,) -> (n,). It is 0 at both walls and right at the start, whatever the parameters are."""
    layers = [mg.reshape(part, shape) for part, shape in zip(mg.split(parameters, ENDS[:-1]), SHAPES, strict=True)]
    a = mg.stack([t, x], axis=1)
    for w, b in zip(layers[:-2:2], layers[1:-2:2], strict=True):
        a = np.tanh(a @ w + b)
    correction = (a @ layers[-2] + layers[-1])[:, 0]
    return -np.sin(np.pi * x) + t * (1 - x**2) * correction


def residual(parameters, t, x):
    """u_t + u u_x - v u_xx at each point, which a solution makes 0."""

    def u_x(t, x):
        return mg.grad(lambda x: np.sum(u(parameters, t, x)))(x)

    u_t = mg.grad(lambda t: np.sum(u(parameters, t, x)))(t)
    u_xx = mg.grad(lambda x: np.sum(u_x(t, x)))(x)
    return u_t + u(parameters, t, x) * u_x(t, x) - VISCOSITY * u_xx


def loss(parameters, t, x):
    """The mean square of the residual."""
    return np.mean(residual(parameters, t, x) ** 2)


def by_finite_differences(t, x):
    """The solution at times t on a fine grid x: (times, points)."""
    h = x[1] - x[0]

    def rate(_, v):
        left, middle, right = v[:-2], v[1:-1], v[2:]
        return np.pad(VISCOSITY * (left - 2 * middle + right) / h**2 - (right**2 - left**2) / (4 * h), 1)

    return solve_ivp(rate, (0, 1), -np.sin(np.pi * x), "LSODA", t_eval=t, rtol=1e-8, atol=1e-10).y.T


def plot(path, t, x, found, right):
    """Write the solution and how it steepens to a file."""
    from matplotlib.figure import Figure

    whole, lines = (figure := Figure(figsize=(9, 3.2), layout="constrained")).subplots(1, 2)
    figure.colorbar(whole.pcolormesh(t, x, found.T, cmap="RdBu_r", vmin=-1, vmax=1, rasterized=True))
    whole.set(xlabel="t", ylabel="x", title="u(t, x), the network")
    for i in range(0, len(t), len(t) // 4):
        lines.plot(x, right[i], color="0.7", lw=4)
        lines.plot(x, found[i], "--", label=f"t = {t[i]:.2f}")
    lines.set(xlabel="x", title="u(x), over finite differences (grey)")
    lines.legend(fontsize="small")
    figure.savefig(path, dpi=150)


def main(arguments=None):
    """Train; print the loss and the error against finite differences; return the error."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=number(int, 1), default=400, metavar="N", help="of L-BFGS (default 400)")
    parser.add_argument("--plot", type=output_file(".png", ".pdf", ".svg"), metavar="FILE", help="the solution")
    options = parser.parse_args(arguments)

    rng = np.random.default_rng(0)
    points = rng.uniform(0, 1, POINTS), rng.uniform(-1, 1, POINTS)
    weights = [rng.normal(0, np.sqrt(2 / sum(shape)) if len(shape) == 2 else 0, shape).ravel() for shape in SHAPES]
    start, stop = np.concatenate(weights), {"maxiter": options.steps, "ftol": 0, "gtol": 0}
    fit = minimize(mg.value_and_grad(loss), start, points, "L-BFGS-B", jac=True, options=stop)
    print(f"{fit.nit} steps of L-BFGS: mean squared residual {loss(start, *points):.1e} -> {fit.fun:.1e}")
    t, x = np.linspace(0, 1, 41), np.linspace(-1, 1, 401)
    right = by_finite_differences(t, x)
    found = u(fit.x, np.repeat(t, len(x)), np.tile(x, len(t))).reshape(right.shape)
    error = np.linalg.norm(found - right) / np.linalg.norm(right)
    print(f"relative error against finite differences: {error:.1e}")
    if options.plot:
        plot(options.plot, t, x, found, right)
    return error


if __name__ == "__main__":
    main()
