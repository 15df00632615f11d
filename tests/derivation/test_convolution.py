"""Section 3.1.5: the convolutional layer, built from basis kernels, ones and basis images."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg

from .literal import (
    basis,
    close,
    columns,
    convolve,
    from_all_kernels,
    image_jacobian,
    kernel_jacobian,
    stacked,
    unstacked,
    vec,
)

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def layers(draw):
    """A convolutional layer with its upstream gradient: the sizes from the output's, so that leftovers occur."""
    kernel, stride, out = draw(pairs), draw(pairs), draw(pairs)
    padding = tuple(draw(st.integers(0, n - 1)) for n in kernel)
    leftover = tuple(draw(st.integers(0, n - 1)) for n in stride)
    image = tuple(
        max(1, (o - 1) * s + k - 2 * p + r)
        for o, s, k, p, r in zip(out, stride, kernel, padding, leftover, strict=True)
    )
    c_out, c_in = draw(pairs)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    A, K, b = (
        rng.standard_normal((c_in, *image)),
        rng.standard_normal((c_out, c_in, *kernel)),
        rng.standard_normal(c_out),
    )
    options = {"stride": stride, "padding": padding}
    dJ_dZ = rng.standard_normal(mg.conv2d(A, K, b, **options).shape)
    return A, K, b, dJ_dZ, options


@given(layers())
def test_forward_of_the_layer(layer):
    """Section 3.1.5, first equation: Z_j = sum over i of A_i * K_ji, plus b_j times ones."""
    A, K, b, g, options = layer
    ones = np.ones(g[0].shape)
    Z = [sum(convolve(A[i], K[j, i], **options) for i in range(len(A))) + b[j] * ones for j in range(len(K))]
    close(mg.conv2d(A, K, b, **options), np.stack(Z))


@given(layers())
def test_jacobian_of_a_kernel_channel(layer):
    """Section 3.1.5, d_vZ_j/d_vK_ji: h_z w_z x h_k w_k, columns vec(A_i * dK_ji/dK_jipq), for any j; section 4."""
    A, K, _, g, options = layer
    for i, A_i in enumerate(A):
        M_i = kernel_jacobian(A_i, K[0, 0].shape, **options)
        assert M_i.shape == (g[0].size, K[0, 0].size)
        for K_j in K:
            channel = A_i[None], K_j[None, i : i + 1]
            close(mg.vec_jacobian(lambda a, k: mg.conv2d(a, k, **options), *channel, argnum=1), M_i)


@given(layers())
def test_dJ_dK(layer):
    """Section 3.1.5, dJ/d_vK_:i = dJ/d_vZ d_vZ_j/d_vK_ji, for each i: the oracle of conv2d's VJP for k."""
    A, K, b, g, options = layer
    t = mg.tensor(K, requires_grad=True)
    mg.conv2d(A, t, b, **options).backward(g)
    for i, A_i in enumerate(A):
        literal = stacked(g) @ kernel_jacobian(A_i, K[0, 0].shape, **options)
        close(stacked(t.grad[:, i]), literal)
        close(unstacked(literal, K[0, 0].shape), t.grad[:, i])
        for j in range(len(K)):  # the first equation of that paragraph: one kernel's channel alone
            close(vec(t.grad[j, i]), vec(g[j]) @ kernel_jacobian(A_i, K[0, 0].shape, **options))


@given(layers())
def test_dJ_db(layer):
    """Section 3.1.5, w.r.t. b: d_vZ_j/db_j is all ones, so dJ/db = (dJ/d_vZ 1)^T: the oracle of the VJP for b."""
    A, K, b, g, options = layer
    t = mg.tensor(b, requires_grad=True)
    mg.conv2d(A, K, t, **options).backward(g)
    close(t.grad[None], (stacked(g) @ np.ones((g[0].size, 1))).T)
    ones = mg.vec_jacobian(lambda b: mg.conv2d(A, K, b, **options), b)
    close(ones, np.kron(np.eye(len(b)), np.ones((g[0].size, 1))))


def test_a_number_times_ones():
    """Section 3.1.5, w.r.t. b, first step: b_j in every entry of an h_z x w_z matrix has a column of ones."""
    b = np.array([[0.3]])
    close(mg.vec_jacobian(lambda b: np.broadcast_to(b, (3, 4)), b), np.ones((12, 1)))
    close(mg.vec_jacobian(lambda b: b * np.ones((3, 4)), b), np.ones((12, 1)))


@given(layers())
def test_jacobian_of_an_image_channel(layer):
    """Section 3.1.5, d_vZ_j/d_vA_i: h_z w_z x h_a w_a, columns vec(dA_i/dA_ipq * K_ji); section 4."""
    A, K, _, g, options = layer
    for j, i in np.ndindex(K.shape[:2]):
        literal = image_jacobian(A[i].shape, K[j, i], **options)
        assert literal.shape == (g[0].size, A[i].size)
        one_channel = K[j : j + 1, i : i + 1]
        close(mg.vec_jacobian(lambda a, k: mg.conv2d(a, k, **options), A[i : i + 1], one_channel), literal)


@given(layers())
def test_dJ_dA(layer):
    """Section 3.1.5, dJ/d_vA_i: the sum over all kernels j, stacked over i: the oracle of conv2d's VJP for x."""
    A, K, b, g, options = layer
    t = mg.tensor(A, requires_grad=True)
    mg.conv2d(t, K, b, **options).backward(g)
    literal = [from_all_kernels(stacked(g), A[i].shape, K[:, i], **options) for i in range(len(A))]
    assert np.shape(literal) == (len(A), A[0].size)
    close(stacked(t.grad), np.stack(literal))


@settings(max_examples=max(settings().max_examples // 4, 2))
@given(layers())
def test_adjoint_ops_are_the_transposed_jacobians(layer):
    """Section 3.1.5 as ops: conv_transpose2d and conv2d_kernel are the products above, and their VJPs the other ops."""
    A, K, _, g, options = layer
    image, kernel = A.shape[1:], K.shape[2:]
    full_K = mg.vec_jacobian(lambda k: mg.conv2d(A, k, **options), K)
    full_A = mg.vec_jacobian(lambda x: mg.conv2d(x, K, **options), A)
    close(mg.vec_jacobian(lambda g: mg.conv_transpose2d(g, K, **options, output_size=image), g), full_A.T)
    close(mg.vec_jacobian(lambda g: mg.conv2d_kernel(A, g, size=kernel, **options), g), full_K.T)
    # each is linear in its other argument too: entry by entry from basis kernels and basis images
    of_K = mg.vec_jacobian(lambda k: mg.conv_transpose2d(g, k, **options, output_size=image), K)
    of_A = mg.vec_jacobian(lambda x: mg.conv2d_kernel(x, g, size=kernel, **options), A)
    for j, i in np.ndindex(K.shape[:2]):
        block = columns(lambda E, g_j=g[j]: pulled_image(g_j, E, image, **options), kernel)
        rows = slice(i * A[0].size, (i + 1) * A[0].size)
        position = (j * len(A) + i) * K[0, 0].size
        close(of_K[rows, position : position + K[0, 0].size], block)
        close(of_A[position : position + K[0, 0].size, rows], block.T)


def pulled_image(g_j, K_ji, image, **options):
    """dJ/dA_i of one channel through one kernel, as a matrix: entry (p, q) is tr((dJ/dZ_j)^T (E_pq * K_ji))."""
    entries = [np.sum(g_j * convolve(E, K_ji, **options)) for E in basis(image)]
    return unstacked([np.array(entries)], image)[0]


def test_transposed_convolution_has_a_bias():
    """Section 3.1.5, w.r.t. b, for the adjoint op: its bias receives the sum over its own image."""
    rng = np.random.default_rng(40)
    z, K, b, g = (rng.standard_normal(shape) for shape in ((2, 2, 3), (2, 3, 2, 2), (3,), (3, 3, 4)))
    t = mg.tensor(b, requires_grad=True)
    mg.conv_transpose2d(z, K, t).backward(g)
    close(t.grad, g.reshape(3, -1) @ np.ones(12))


@pytest.mark.parametrize(("groups", "c_in", "c_out"), [(2, 2, 3), (3, 2, 3), (3, 1, 1)])
def test_groups_are_layers_of_their_own(groups, c_in, c_out):
    """Section 3.1.5 with groups: the layer of each group, side by side, forward and backward."""
    rng = np.random.default_rng(41)
    A, K = rng.standard_normal((groups, c_in, 4, 5)), rng.standard_normal((groups, c_out, c_in, 2, 3))
    x, k = (mg.tensor(a.reshape(-1, *a.shape[2:]), requires_grad=True) for a in (A, K))
    options = {"stride": (1, 2), "padding": (1, 1)}
    z = mg.conv2d(x, k, groups=groups, **options)
    g = rng.standard_normal((groups, c_out, *z.shape[1:]))
    z.backward(g.reshape(z.shape))
    for A_n, K_n, Z_n, g_n, dA, dK in zip(
        A, K, z.data.reshape(g.shape), g, x.grad.reshape(A.shape), k.grad.reshape(K.shape), strict=True
    ):
        for j in range(c_out):
            close(Z_n[j], sum(convolve(A_n[i], K_n[j, i], **options) for i in range(c_in)))
        for i in range(c_in):
            close(stacked(dK[:, i]), stacked(g_n) @ kernel_jacobian(A_n[i], (2, 3), **options))
            close(vec(dA[i]), from_all_kernels(stacked(g_n), (4, 5), K_n[:, i], **options))
