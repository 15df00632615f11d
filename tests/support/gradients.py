"""Short ways to the gradients that tests compare."""

import numpy as np

import minigrad as mg


def leaf(value, **options):
    """A Tensor that requires a gradient."""
    return mg.tensor(value, requires_grad=True, **options)


def slopes(f, *x):
    """The VJPs of f at x for an upstream gradient of ones."""
    y, pullback = mg.vjp(f, *(np.asarray(v, float) for v in x))
    gradients = pullback(np.ones(np.shape(y)))
    return gradients[0] if len(x) == 1 else gradients


def second(f, x):
    """The derivative of the sum of f's gradient."""
    return mg.grad(lambda x: np.sum(mg.grad(lambda x: np.sum(f(x)))(x)))(np.asarray(x, float))


def numeric(f, x, h=1e-6):
    """The gradient of the sum of f by central differences."""
    steps = h * np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([(np.sum(f(x + e)) - np.sum(f(x - e))) / (2 * h) for e in steps]).reshape(x.shape)
