"""Sections 3.1.6, 3.2 and 3: the whole back-propagation, gradients from Jacobians, and gradient descent."""

import numpy as np
import pytest

import minigrad as mg

from .literal import CONVOLUTION, PARAMETERS, backward, close, forward, network, stacked, unstacked, vec
from .network import run

NET = network()
VALUES = forward(NET)
DENSE = backward(NET, VALUES)


def parameters(net=NET):
    return {name: net[name] for name in PARAMETERS}


def loss(p):
    return run(NET | p)["J"]


def test_forward_values():
    """Section 2, the three layers of figure 1, as the literal loops compute them."""
    v = run(NET)
    for name, value in VALUES.items():
        close(v[name], value)


@pytest.mark.parametrize("name", ["A3", "Z3", "B2", "A2", "I2", "Z2", "A1", "I1", "Z1"])
def test_dJ_of_each_intermediate_result(name):
    """Sections 3.1.1 to 3.1.6, the chain dJ/dA3, dJ/dZ3, dJ/dB2, dJ/d_vA2 ... dJ/d_vI1, dJ/d_vZ1, by dense matrices."""
    gradient = mg.grad(lambda given: run(NET, **{name: given})["J"])(VALUES[name])
    close(stacked(gradient) if gradient.ndim == 3 else gradient, DENSE[name])


@pytest.mark.parametrize("layer", [1, 2])
def test_dJ_of_each_kernel_and_bias(layer):
    """Sections 3.1.5 and 3.1.6, dJ/d_vK_:i for each i and dJ/db = (dJ/d_vZ 1)^T, in both convolutional layers."""
    gradients = mg.grad(loss)(parameters())
    assert len(DENSE[f"K{layer}"]) == len(VALUES[f"A{layer - 1}"])
    for i, dJ_dvK_i in enumerate(DENSE[f"K{layer}"]):
        close(stacked(gradients[f"K{layer}"][:, i]), dJ_dvK_i)
    close(gradients[f"b{layer}"], DENSE[f"b{layer}"])


def test_dJ_of_the_fully_connected_layer():
    """Section 3.1.1, dJ/dW = (dJ/dZ)^T B^T and dJ/db = dJ/dZ, at the end of the whole network."""
    gradients = mg.grad(loss)(parameters())
    close(gradients["W3"].T, DENSE["W3"])
    close(gradients["b3"], DENSE["b3"])


def test_backward_gives_what_grad_gives():
    """Section 3.1.6, by the tape: one backward() leaves every gradient in its leaf."""
    tensors = {name: mg.tensor(value, requires_grad=True) for name, value in parameters().items()}
    loss(tensors).backward()
    for name, gradient in mg.grad(loss)(parameters()).items():
        close(tensors[name].grad, gradient)


@pytest.mark.parametrize("count", [3, 17])  # few images, and so many that conv2d puts them innermost
def test_a_batch_sums_its_images(count):
    """Section 3.1.6 for N images: conv2d's kernels and bias receive the sum, each image its own gradient."""
    rng = np.random.default_rng(50)
    A, g = (rng.standard_normal((count, *VALUES[name].shape)) for name in ("A1", "Z2"))

    def pull(A, g):
        return mg.vjp(lambda x, k, b: mg.conv2d(x, k, b, **CONVOLUTION[2]), A, NET["K2"], NET["b2"])[1](g)

    each = [pull(A[n], g[n]) for n in range(count)]
    dA, dK, db = pull(A, g)
    close(dA, np.stack([gradients[0] for gradients in each]))
    close(dK, sum(gradients[1] for gradients in each))
    close(db, sum(gradients[2] for gradients in each))


def test_gradient_is_the_transposed_jacobian():
    """Section 3.2: the gradient of each K_ji and of each b is its Jacobian, transposed and put back into shape."""
    gradients = mg.grad(loss)(parameters())
    for l in (1, 2):
        K, b = NET[f"K{l}"], NET[f"b{l}"]
        dJ_dvK = mg.vec_jacobian(lambda K, l=l: run(NET | {f"K{l}": K})["J"], K)
        assert dJ_dvK.shape == (1, K.size)
        close(unstacked(dJ_dvK.reshape(-1, K[0, 0].size), K[0, 0].shape).reshape(K.shape), gradients[f"K{l}"])
        dJ_db = mg.vec_jacobian(lambda b, l=l: run(NET | {f"b{l}": b})["J"], b)
        close(dJ_db.T[:, 0], gradients[f"b{l}"])
    dJ_dvW = mg.vec_jacobian(lambda W: run(NET | {"W3": W})["J"], NET["W3"])
    close(dJ_dvW[0], vec(gradients["W3"]))


def test_one_step_of_gradient_descent():
    """Section 3: K := K - alpha dJ/dK and b := b - alpha dJ/db, the literal update against the tape's."""
    alpha, tensors = 0.1, {name: mg.tensor(value, requires_grad=True) for name, value in parameters().items()}
    loss(tensors).backward()
    for p in tensors.values():
        p.data = p.data - alpha * p.grad
    for l in (1, 2):
        for i, dJ_dvK_i in enumerate(DENSE[f"K{l}"]):
            step = alpha * unstacked(dJ_dvK_i, NET[f"K{l}"][0, 0].shape)
            close(tensors[f"K{l}"].data[:, i], NET[f"K{l}"][:, i] - step)
        close(tensors[f"b{l}"].data, NET[f"b{l}"] - alpha * DENSE[f"b{l}"])
    close(tensors["W3"].data, NET["W3"] - alpha * DENSE["W3"].T)


def test_gradient_descent_falls_as_fast_as_the_gradient_says():
    """Section 3: a step lowers J by alpha |gradient|^2, up to alpha^2; and many steps reach the entropy of Y."""
    p, gradients = parameters(), mg.grad(loss)(parameters())
    slope = sum(np.sum(g * g) for g in gradients.values())
    J, short = VALUES["J"], []
    for alpha in (2e-3, 1e-3):
        after = loss({name: p[name] - alpha * gradients[name] for name in p})
        short.append(abs((J - after) / alpha - slope))
    assert short[1] < 0.6 * short[0] < 0.6 * 0.2 * slope
    for _ in range(300):
        p = {name: p[name] - 0.02 * g for name, g in mg.grad(loss)(p).items()}
    close(loss(p), -np.sum(NET["Y"] * np.log(NET["Y"])), rtol=1e-2)


def test_second_derivative_of_the_whole_network():
    """Sections 3.1.1 to 3.1.6 differentiated once more: H v against a difference of the analytic gradient, to 1e-8."""
    rng = np.random.default_rng(51)
    p = parameters()
    v = {name: rng.standard_normal(value.shape) for name, value in p.items()}
    H_v, h = mg.hvp(loss, p, v), 2.0**-10

    def gradient(step):
        return mg.grad(loss)({name: p[name] + step * v[name] for name in p})

    weights = {1: 45 / 60, 2: -9 / 60, 3: 1 / 60}
    ends = {n: (gradient(n * h), gradient(-n * h)) for n in weights}
    for name in p:
        numeric = sum(w * (ends[n][0][name] - ends[n][1][name]) for n, w in weights.items()) / h
        assert np.linalg.norm(H_v[name] - numeric) <= 1e-8 * np.linalg.norm(numeric)
