"""Gradient descent on nests of parameters; each optimiser is called as optimizer(gradient, x0, callback, num_iters)."""

from functools import wraps

import numpy as np

from .flatten import flatten

__all__ = ["adam", "rmsprop", "sgd", "unflatten_optimizer"]


def unflatten_optimizer(optimize):
    """An optimiser of vectors as one of nests; both are called with (gradient, x0, callback, ...)."""

    @wraps(optimize)
    def optimizer(grad, x0, callback=None, *arguments, **options):
        x, unflatten = flatten(x0)

        def gradient(x, i):
            return flatten(grad(unflatten(x), i))[0]

        def told(x, i, g):
            callback(unflatten(x), i, unflatten(g))

        return unflatten(optimize(gradient, x, callback and told, *arguments, **options))

    return optimizer


def _descended(gradient, x, callback, num_iters, step, *state):
    """x after so many steps: step(i, g, *state) returns what is subtracted from x, and the next state."""
    for i in range(num_iters):
        g = gradient(x, i)
        if callback:
            callback(x, i, g)
        change, *state = step(i, g, *state)
        x = x - change
    return x


@unflatten_optimizer
def sgd(gradient, x, callback=None, num_iters=200, step_size=0.1, mass=0.9):
    """Descent with momentum."""

    def step(i, g, velocity):
        velocity = mass * velocity + (1.0 - mass) * g
        return step_size * velocity, velocity

    return _descended(gradient, x, callback, num_iters, step, np.zeros(len(x)))


@unflatten_optimizer
def rmsprop(gradient, x, callback=None, num_iters=100, step_size=0.1, gamma=0.9, eps=10**-8):
    """Steps divided by a running root mean square of the gradients."""

    def step(i, g, squares):
        squares = squares * gamma + g**2 * (1 - gamma)
        return step_size * g / (np.sqrt(squares) + eps), squares

    return _descended(gradient, x, callback, num_iters, step, np.ones(len(x)))


@unflatten_optimizer
def adam(gradient, x, callback=None, num_iters=100, step_size=0.001, b1=0.9, b2=0.999, eps=10**-8):
    """Adam (D. Kingma and J. Ba, 2015)."""

    def step(i, g, m, v):
        m = (1 - b1) * g + b1 * m
        v = (1 - b2) * (g**2) + b2 * v
        return step_size * (m / (1 - b1 ** (i + 1))) / (np.sqrt(v / (1 - b2 ** (i + 1))) + eps), m, v

    return _descended(gradient, x, callback, num_iters, step, np.zeros(len(x)), np.zeros(len(x)))
