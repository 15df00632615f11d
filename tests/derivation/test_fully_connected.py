"""Sections 3.1 to 3.1.2: the rules, the fully connected layer, and the reshaping of dJ/dB."""

import numpy as np
import pytest

import minigrad as mg

from .literal import basis, close, softmax, softmax_jacobian, stacked, unstacked, vec


@pytest.fixture
def layer():
    """W, B, b and a row dJ/dZ of a layer from 6 inputs to 4 outputs."""
    rng = np.random.default_rng(1)
    return rng.standard_normal((6, 4)), rng.standard_normal(6), rng.standard_normal(4), rng.standard_normal((1, 4))


def gradients(f, g, *arrays):
    """What backward() gives each of the arrays, from the upstream gradient g."""
    tensors = [mg.tensor(a, requires_grad=True) for a in arrays]
    f(*tensors).backward(g)
    return [t.grad for t in tensors]


def test_derivative_is_read_off_a_trace():
    """Section 3.1, first rule: dy = tr(A dX) means dy/dX = A, so the gradient is its transpose."""
    rng = np.random.default_rng(2)
    A, X, dX = rng.standard_normal((3, 4)), rng.standard_normal((4, 3)), rng.standard_normal((4, 3))

    def y(X):
        return np.trace(A @ X)

    gradient = mg.grad(lambda X: np.sum(A.T * X))(X)  # tr(A X) entry by entry
    close(gradient, A.T)
    close(y(X + dX) - y(X), np.trace(gradient.T @ dX))


def test_vec_stacks_columns():
    """Section 3.1, second rule: vec of a matrix, and of a matrix of c channels."""
    A = np.arange(24.0).reshape(2, 3, 4)
    close(mg.vec(A[0]), [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])
    close(mg.vec(A), stacked(A))


def test_matrix_derivative_is_that_of_the_vecs():
    """Section 3.1, second rule: dA/dB holds each entry of vec(A) by each entry of vec(B); here A = M B N."""
    rng = np.random.default_rng(3)
    M, N, B = rng.standard_normal((2, 3)), rng.standard_normal((4, 5)), rng.standard_normal((3, 4))
    close(mg.vec_jacobian(lambda B: M @ B @ N, B), np.kron(N.T, M))


def test_softmax_has_a_full_jacobian():
    """Section 3.1.1, dA/dZ: n x n and not diagonal; the VJP is dJ/dA times it."""
    rng = np.random.default_rng(4)
    z, dJ_dA = rng.standard_normal(5), rng.standard_normal(5)
    J = softmax_jacobian(z)
    assert np.min(np.abs(J - np.diag(np.diag(J)))[~np.eye(5, dtype=bool)]) > 1e-3
    close(mg.softmax(z), softmax(z))
    close(mg.vec_jacobian(mg.softmax, z), J)
    close(gradients(mg.softmax, dJ_dA, z)[0], dJ_dA @ J)


def test_logarithms_of_softmax_have_its_jacobian():
    """Section 3.1.1, dA/dZ, where a logarithm follows: by the chain rule from softmax's full Jacobian."""
    rng = np.random.default_rng(11)
    z, g = rng.standard_normal(5), rng.standard_normal(5)
    literal = np.diag(1 / softmax(z)) @ softmax_jacobian(z)
    close(mg.vec_jacobian(mg.log_softmax, z), literal)
    close(gradients(mg.log_softmax, g, z)[0], g @ literal)
    # ln sum e**z = z_i - (log softmax)_i, whichever i
    close(mg.grad(mg.logsumexp)(z), np.eye(5)[2] - literal[2])


def test_dJ_dA_of_a_scalar_is_a_row():
    """Section 3.1.1, dJ/dA: [dJ/da_1 ... dJ/da_n], one row, here of J = -sum of y ln a."""
    a, y = np.array([0.2, 0.3, 0.5]), np.array([0.1, 0.6, 0.3])
    close(mg.vec_jacobian(lambda a: -np.sum(y * np.log(a)), a), (-y / a)[None])


def test_dJ_dZ_of_softmax_and_logarithm():
    """Section 3.1.1, first equation: dJ/dZ = dJ/dA dA/dZ, which is softmax_cross_entropy's VJP when J = -ln a_label."""
    Z, labels = np.random.default_rng(5).standard_normal((3, 4)), np.array([2, 0, 3])
    (gradient,) = gradients(lambda Z: mg.softmax_cross_entropy(Z, labels), np.array(1.7), Z)
    for n, label in enumerate(labels):
        dJ_dA = np.zeros(4)
        dJ_dA[label] = -1 / softmax(Z[n])[label]
        close(gradient[n], 1.7 / 3 * dJ_dA @ softmax_jacobian(Z[n]))


def test_dJ_dW(layer):
    """Section 3.1.1, w.r.t. W: dJ/dW = (dJ/dZ)^T B^T, n x m for W of m x n; the gradient is its transpose."""
    W, B, b, g = layer
    dJ_dW = g.T @ B[None, :]
    close(gradients(lambda W: W.T @ B + b, g[0], W)[0], dJ_dW.T)
    # By the definition too: the entry (j, i) is dJ/dZ times the change of Z along one entry of W.
    literal = [(g @ (E.T @ B)).item() for E in basis(W.shape)]
    close(vec(dJ_dW.T), literal)
    close(g @ mg.vec_jacobian(lambda W: W.T @ B + b, W), [literal])


def test_dJ_db(layer):
    """Section 3.1.1, w.r.t. b: dJ/db = dJ/dZ."""
    W, B, b, g = layer
    close(gradients(lambda b: W.T @ B + b, g[0], b)[0], g[0])
    close(mg.vec_jacobian(lambda b: W.T @ B + b, b), np.eye(4))


def test_dJ_dB(layer):
    """Section 3.1.1, w.r.t. B: dJ/dB = dJ/dZ W^T."""
    W, B, b, g = layer
    close(gradients(lambda B: W.T @ B + b, g[0], B)[0], (g @ W.T)[0])
    close(mg.vec_jacobian(lambda B: W.T @ B + b, B), W.T)


def test_dZ_is_the_sum_of_three_differentials(layer):
    """Section 3.1.1, dZ = d(W)^T B + W^T dB + db: the derivative along all three at once."""
    W, B, b, _ = layer
    rng = np.random.default_rng(6)
    dW, dB, db = (rng.standard_normal(a.shape) for a in (W, B, b))
    _, dZ = mg.jvp(lambda W, B, b: W.T @ B + b, (W, B, b), (dW, dB, db))
    close(dZ, dW.T @ B + W.T @ dB + db)


def test_a_batch_of_rows(layer):
    """Section 3.1.1 for N examples as rows, Z = B W + b: W and b receive the sum, each row of B its own."""
    W, _, b, _ = layer
    rng = np.random.default_rng(7)
    B, G = rng.standard_normal((3, 6)), rng.standard_normal((3, 4))
    dW, dB, db = gradients(lambda W, B, b: B @ W + b, G, W, B, b)
    close(dW, sum(np.outer(B[n], G[n]) for n in range(3)))
    close(dB, np.stack([W @ G[n] for n in range(3)]))
    close(db, G[0] + G[1] + G[2])


def test_B_stacks_the_vecs_of_the_channels():
    """Section 3.1.2, B and vec(A_j): columns within a channel, channels one below the other."""
    A = np.random.default_rng(8).standard_normal((3, 2, 4))
    B = mg.reshape(mg.vec(A), -1)
    close(B, np.concatenate([vec(A_j) for A_j in A]))
    close(B[:3], [A[0, 0, 0], A[0, 1, 0], A[0, 0, 1]])


def test_dJ_dvA_is_dJ_dB_reshaped():
    """Section 3.1.2, dJ/d_vA: a row for each channel, and back in A's own shape through vec's VJP."""
    rng = np.random.default_rng(9)
    A, dJ_dB = rng.standard_normal((3, 2, 4)), rng.standard_normal(24)
    dJ_dvA = dJ_dB.reshape(3, 8)
    (gradient,) = gradients(lambda A: mg.reshape(mg.vec(A), -1), dJ_dB, A)
    close(stacked(gradient), dJ_dvA)
    close(gradient, unstacked(dJ_dvA, A[0].shape))
    close(mg.vec_jacobian(lambda A: mg.reshape(mg.vec(A), -1), A), np.eye(24))


def test_vec_jacobian_follows_the_channels():
    """Section 3.1.2's order holds on both sides of a Jacobian: the rows are vec(Y), the columns vec(X)."""
    X = np.random.default_rng(10).standard_normal((2, 3, 2))
    weights = np.arange(24.0).reshape(2, 12)  # d y_r / d (entry c of B)
    J = mg.vec_jacobian(lambda X: weights @ mg.reshape(mg.vec(X), -1), X)
    close(J, weights)
    J = mg.vec_jacobian(lambda X: np.swapaxes(X, -1, -2) * 2.0, X)
    assert J.shape == (12, 12)
    close(J @ np.concatenate([vec(X_j) for X_j in X]), np.concatenate([2 * vec(X_j.T) for X_j in X]))
