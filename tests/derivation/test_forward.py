"""Section 2: the forward equations, and the size of what a window leaves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg

from .literal import CONVOLUTION, POOLING, WINDOW, close, convolve, forward, network, size, windows

POOLS = {
    "average": (mg.avg_pool2d, np.mean),
    "maximum": (mg.max_pool2d, np.max),
    "L2 norm": (mg.l2_pool2d, lambda entries: np.sqrt(np.sum(np.square(entries)))),
}
sizes = st.tuples(st.integers(1, 9), st.integers(1, 9))
small = st.tuples(st.integers(1, 4), st.integers(1, 4))
paddings = st.tuples(st.integers(0, 3), st.integers(0, 3))


@given(sizes, small, small, paddings)
def test_size_of_a_convolution(image, kernel, stride, padding):
    """Section 2, note: (h_z, w_z) for every size, stride, padding and leftover; an error where it says 0 or less."""
    expected = tuple(size(*axis) for axis in zip(image, kernel, stride, padding, strict=True))
    x, k = np.ones((1, *image)), np.ones((1, 1, *kernel))
    if min(expected) < 1:
        with pytest.raises(ValueError, match="conv2d: a window that reaches over"):
            mg.conv2d(x, k, stride=stride, padding=padding)
    else:
        z = mg.conv2d(x, k, stride=stride, padding=padding)
        assert z.shape == (1, *expected)
        close(z[0], convolve(x[0], k[0, 0], stride, padding))
        # The size is as many steps as fit: the last window lies inside, one step more would not.
        for n, h, s, p, out in zip(image, kernel, stride, padding, expected, strict=True):
            assert (out - 1) * s + h <= n + 2 * p < out * s + h


@pytest.mark.parametrize("pool", POOLS)
@given(sizes, small, small, st.booleans())
def test_size_of_a_pooling(pool, image, window, stride, padded):
    """Section 2, note: pooling has the same size formula."""
    padding = tuple(n // 2 if padded else 0 for n in window)
    expected = tuple(size(*axis) for axis in zip(image, window, stride, padding, strict=True))
    if min(expected) < 1:
        with pytest.raises(ValueError, match="pool2d: a window that reaches over"):
            POOLS[pool][0](np.ones((1, *image)), window, stride=stride, padding=padding)
    else:
        assert POOLS[pool][0](np.ones((1, *image)), window, stride=stride, padding=padding).shape == (1, *expected)


def test_convolution_of_many_channels():
    """Section 2, first equation: Z_j = sum over i of A_i * K_ji, plus b_j."""
    net, v = network(), forward(network())
    for l in (1, 2):
        close(mg.conv2d(v[f"A{l - 1}"], net[f"K{l}"], net[f"b{l}"], **CONVOLUTION[l]), v[f"Z{l}"])


def test_activation_acts_on_each_entry():
    """Section 2, second equation: I = f(Z), here tanh."""
    v = forward(network())
    for l in (1, 2):
        close(mg.tanh(v[f"Z{l}"]), v[f"I{l}"])


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("layer", [1, 2])
def test_pooling_acts_on_each_channel(pool, layer):
    """Section 2, third equation: A_j = f_pool(I_j), for the mean, the maximum and the L2 norm of each window."""
    op, of_window = POOLS[pool]
    I = forward(network())[f"I{layer}"]
    A = op(I, WINDOW[layer], **POOLING[layer])
    for j in range(len(I)):
        cells = windows(I[j], WINDOW[layer], **POOLING[layer])
        assert A[j].shape == tuple(n + 1 for n in max(cells))
        for pq, entries in cells.items():
            close(A[j][pq], of_window([entry for _, _, entry in entries]))
