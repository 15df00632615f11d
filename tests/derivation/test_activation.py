"""Section 3.1.4: activations, channel by channel, stacked."""

import math

import numpy as np
import pytest

import minigrad as mg

from .literal import close, stacked, vec

erf = np.vectorize(math.erf)

# each activation, and its derivative at Z as a function of Z (written apart from the ops)
ACTIVATIONS = {
    "tanh": (mg.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "relu": (mg.relu, lambda z: (z > 0) * 1.0),
    "sigmoid": (mg.sigmoid, lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "leaky_relu": (mg.leaky_relu, lambda z: np.where(z > 0, 1, 0.01)),
    "elu": (mg.elu, lambda z: np.where(z > 0, 1, np.exp(z))),
    "softplus": (mg.softplus, lambda z: 1 / (1 + np.exp(-z))),
    "silu": (mg.silu, lambda z: (1 + np.exp(-z) + z * np.exp(-z)) / (1 + np.exp(-z)) ** 2),
    "gelu": (mg.gelu, lambda z: 0.5 + 0.5 * erf(z / np.sqrt(2)) + z * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)),
}
each_activation = pytest.mark.parametrize("name", ACTIVATIONS)


@pytest.fixture
def Z():
    lattice = np.random.default_rng(30).permutation(24) - 11.5  # no entry near the kinks at 0
    return lattice.reshape(3, 2, 4) / 8


@each_activation
def test_jacobian_of_one_channel_is_diagonal(name, Z):
    """Section 3.1.4, second equation: d_vI_j/d_vZ_j holds f'(Z_j) on its diagonal, so each channel has its own."""
    f, slope = ACTIVATIONS[name]
    jacobians = [mg.vec_jacobian(f, Z_j) for Z_j in Z]
    for Z_j, J in zip(Z, jacobians, strict=True):
        close(J, np.diag(vec(slope(Z_j))))
    assert not np.allclose(jacobians[0], jacobians[1])


@each_activation
def test_channels_are_stacked(name, Z):
    """Section 3.1.4, first and third equation: dJ/d_vZ stacks dJ/d_vI_j d_vI_j/d_vZ_j, the oracle of the VJPs."""
    f, slope = ACTIVATIONS[name]
    g = np.random.default_rng(31).standard_normal(Z.shape)
    literal = np.stack([row @ np.diag(vec(slope(Z_j))) for row, Z_j in zip(stacked(g), Z, strict=True)])
    t = mg.tensor(Z, requires_grad=True)
    f(t).backward(g)
    close(stacked(t.grad), literal)


@each_activation
def test_second_derivative(name, Z):
    """Section 3.1.4 once more: f'' stands on the diagonal where the VJP, being NumPy, is differentiated again."""
    f, slope = ACTIVATIONS[name]
    h = 2.0**-10  # a sixth-order difference of f', to its own accuracy
    weights = {1: 45 / 60, 2: -9 / 60, 3: 1 / 60}
    literal = sum(w * (slope(Z + n * h) - slope(Z - n * h)) for n, w in weights.items()) / h
    g = np.random.default_rng(32).standard_normal(Z.shape)
    gradient = mg.grad(lambda Z: np.sum(g * f(Z)))
    close(mg.vec_jacobian(gradient, Z), np.diag(stacked(g * literal).ravel()), rtol=1e-9, atol=1e-11)
