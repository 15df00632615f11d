"""Newton's method on Rosenbrock's function: with the Hessian, and without forming it.

In 2 dimensions a linear system is solved with the Hessian. In 200 it is never formed: the method of
conjugate gradients needs only its products with vectors, and `hvp` computes each at the cost of a few gradients.
"""

import argparse

import numpy as np
from command_line import needed, number

from minigrad import grad, hessian, hvp

linalg = needed("scipy.sparse.linalg", "examples")


def rosenbrock(x):
    """Rosenbrock's function: a curved valley, with the minimum 0 at x = (1, ..., 1)."""
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def newton_direction(f, x):
    """The step to the minimum of the second-order Taylor polynomial of f at x."""
    return -np.linalg.solve(hessian(f)(x), grad(f)(x))


def truncated_newton_direction(f, x):
    """The same step, by at most 50 iterations of conjugate gradients."""
    product = linalg.LinearOperator((x.size, x.size), matvec=lambda v: hvp(f, x, v), dtype=x.dtype)
    return linalg.cg(product, -grad(f)(x), rtol=1e-6, maxiter=50)[0]


def minimise(f, x, direction, steps=100):
    """Take Newton steps, each halved until f falls enough, until the gradient is nearly 0; return x and the count."""
    for step in range(steps):
        gradient = grad(f)(x)
        if np.linalg.norm(gradient) < 1e-8:
            return x, step
        d, rate = direction(f, x), 1.0
        if gradient @ d > 0:  # uphill, as the Hessian is not positive definite here
            d = -gradient
        while f(x + rate * d) > f(x) + 1e-4 * rate * (gradient @ d) and rate > 1e-12:
            rate /= 2
        x = x + rate * d
    return x, steps


def main(arguments=None):
    """Print how many steps both methods take, and how far from the minimum they end."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--dimensions", type=number(int, 2), default=200, metavar="N", help="of the second problem (default 200)"
    )
    n = parser.parse_args(arguments).dimensions
    small, steps = minimise(rosenbrock, np.array([-1.2, 1.0]), newton_direction)
    print(f"2 dimensions, Hessian:      {steps} steps, error {np.abs(small - 1).max():.1e}")
    large, steps = minimise(rosenbrock, np.zeros(n), truncated_newton_direction, 500)
    print(f"{n} dimensions, hvp and CG: {steps} steps, error {np.abs(large - 1).max():.1e}")
    return small, large


if __name__ == "__main__":
    main()
