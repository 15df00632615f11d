"""The document's definitions, in plain NumPy loops: the oracle of every test in this folder.

Nothing here comes from minigrad. Jacobians are in numerator layout, vec is column-major, and a
matrix of many channels is a list of channels, as in the document.
"""

import numpy as np

# The network of figure 1. No two of its sizes are equal, so that none can stand for another; layer 2
# has a stride that leaves a column over, and its pooling windows overlap and leave a row over.
CONVOLUTION = {1: {"stride": (1, 1), "padding": (1, 0)}, 2: {"stride": (1, 2), "padding": (1, 1)}}
WINDOW = {1: (2, 2), 2: (2, 2)}
POOLING = {1: {"stride": (2, 2), "padding": (0, 0)}, 2: {"stride": (2, 1), "padding": (0, 0)}}
PARAMETERS = ("K1", "b1", "K2", "b2", "W3", "b3")


def network(seed=0):
    """The image A0, the parameters of three layers and the target Y of figure 1's network."""
    rng = np.random.default_rng(seed)
    shapes = {
        "A0": (2, 8, 14),
        "K1": (3, 2, 3, 3),
        "b1": (3,),
        "K2": (5, 3, 2, 3),
        "b2": (5,),
        "W3": (20, 7),
        "b3": (7,),
    }
    values = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    return values | {"Y": rng.dirichlet(np.ones(7))}


def size(image, kernel, stride, padding):
    """Section 2's note, one axis: floor((h_a + 2 h_p - h_k) / h_s + 1)."""
    return int(np.floor((image + 2 * padding - kernel) / stride + 1))


def convolve(A, K, stride=(1, 1), padding=(0, 0)):
    """Z = A * K for matrices: entry (p, q) is the sum of one window of the padded A, times K entry by entry."""
    (h_k, w_k), (h_s, w_s), (h_p, w_p) = K.shape, stride, padding
    padded = np.zeros((A.shape[0] + 2 * h_p, A.shape[1] + 2 * w_p))
    padded[h_p : h_p + A.shape[0], w_p : w_p + A.shape[1]] = A
    Z = np.empty((size(A.shape[0], h_k, h_s, h_p), size(A.shape[1], w_k, w_s, w_p)))
    for p, q in np.ndindex(Z.shape):
        Z[p, q] = np.sum(padded[p * h_s : p * h_s + h_k, q * w_s : q * w_s + w_k] * K)
    return Z


def windows(A, window, stride, padding=(0, 0), outside=0.0):
    """The entries of each pooling window as {(p, q): [(row, column, entry), ...]}, row by row; `outside` is padding."""
    (h_s, w_s), (h_p, w_p) = stride, padding
    shape = [size(n, k, s, p) for n, k, s, p in zip(A.shape, window, stride, padding, strict=True)]
    found = {}
    for p, q in np.ndindex(*shape):
        cells = [(p * h_s - h_p + r, q * w_s - w_p + s) for r, s in np.ndindex(*window)]
        inside = [0 <= r < A.shape[0] and 0 <= s < A.shape[1] for r, s in cells]
        found[p, q] = [(r, s, A[r, s] if i else outside) for (r, s), i in zip(cells, inside, strict=True)]
    return found


def vec(M):
    """The columns of a matrix one below the other (section 3.1)."""
    return np.concatenate([M[:, q] for q in range(M.shape[1])])


def stacked(channels):
    """One row vec(M_j)^T for each channel j: the c x hw layout of section 3.1.2's dJ/d_vA."""
    return np.stack([vec(M) for M in channels])


def unstacked(rows, shape):
    """The channels of this shape (h, w) whose vecs are these rows: the inverse of `stacked`."""
    return np.stack([np.reshape(row, shape[::-1]).T for row in rows])


def basis(shape):
    """dM/dM_pq, a one among zeros, for each entry of a matrix in the order of vec: 11, 21, ..."""
    for q, p in np.ndindex(*shape[::-1]):
        E = np.zeros(shape)
        E[p, q] = 1
        yield E


def columns(linear, shape):
    """[vec(f(E_11)) vec(f(E_21)) ...]: the Jacobian of a linear f, column by column."""
    return np.stack([vec(linear(E)) for E in basis(shape)], axis=1)


def average_kernel(window):
    """Section 3.1.3's P: every entry 1 / (h_l w_l)."""
    return np.full(window, 1 / (window[0] * window[1]))


def softmax(z):
    """A3 of a vector Z3, layer 3's activation."""
    return np.exp(z) / np.sum(np.exp(z))


def softmax_jacobian(z):
    """dA3/dZ3 entry by entry (section 3.1.1): a_i (1 - a_i) on the diagonal, -a_i a_j off it."""
    a = softmax(z)
    return np.array([[a[i] * ((i == j) - a[j]) for j in range(a.size)] for i in range(a.size)])


def forward(net):
    """Section 2's equations, and layer 3 as section 3.1.1 has it; J = -sum of Y ln A3, tanh and average pooling."""
    v = {"A0": net["A0"]}
    for l in (1, 2):
        A, K, b = v[f"A{l - 1}"], net[f"K{l}"], net[f"b{l}"]
        v[f"Z{l}"] = np.stack(
            [sum(convolve(A[i], K[j, i], **CONVOLUTION[l]) for i in range(len(A))) + b[j] for j in range(len(K))]
        )
        v[f"I{l}"] = np.tanh(v[f"Z{l}"])
        P = average_kernel(WINDOW[l])
        v[f"A{l}"] = np.stack([convolve(I, P, **POOLING[l]) for I in v[f"I{l}"]])
    v["B2"] = np.concatenate([vec(A) for A in v["A2"]])
    v["Z3"] = net["W3"].T @ v["B2"] + net["b3"]
    v["A3"] = softmax(v["Z3"])
    v["J"] = -np.sum(net["Y"] * np.log(v["A3"]))
    return v


def backward(net, v):
    """Section 3.1, from J to the first layer: each dJ/d... in the document's layout, by dense matrices alone.

    The keys are those of the forward values; K1 and K2 are lists of dJ/d_vK_:i, one for each i.
    """
    d = {"A3": -net["Y"] / v["A3"]}
    d["Z3"] = d["A3"] @ softmax_jacobian(v["Z3"])
    d["W3"], d["b3"] = np.outer(d["Z3"], v["B2"]), d["Z3"]
    d["B2"] = d["Z3"] @ net["W3"].T
    d["A2"] = d["B2"].reshape(len(v["A2"]), -1)
    for l in (2, 1):
        A, K, I = v[f"A{l - 1}"], net[f"K{l}"], v[f"I{l}"]
        d[f"I{l}"] = d[f"A{l}"] @ pooling_jacobian(I[0].shape, l)
        d[f"Z{l}"] = np.stack([d[f"I{l}"][j] @ np.diag(vec(1 - I[j] ** 2)) for j in range(len(K))])
        d[f"K{l}"] = [d[f"Z{l}"] @ kernel_jacobian(A_i, K[0, 0].shape, **CONVOLUTION[l]) for A_i in A]
        d[f"b{l}"] = d[f"Z{l}"] @ np.ones(I[0].size)
        if l == 2:
            d["A1"] = np.stack(
                [from_all_kernels(d["Z2"], A[i].shape, K[:, i], **CONVOLUTION[2]) for i in range(len(A))]
            )
    return d


def pooling_jacobian(shape, layer):
    """d_vA_j/d_vI_j of average pooling: its columns are vec(dI_j/dI_jpq * P)."""
    P = average_kernel(WINDOW[layer])
    return columns(lambda E: convolve(E, P, **POOLING[layer]), shape)


def kernel_jacobian(A_i, shape, **options):
    """d_vZ_j/d_vK_ji: its columns are vec(A_i * dK_ji/dK_jipq), one for each basis kernel."""
    return columns(lambda E: convolve(A_i, E, **options), shape)


def image_jacobian(shape, K_ji, **options):
    """d_vZ_j/d_vA_i: its columns are vec(dA_i/dA_ipq * K_ji), one for each basis image."""
    return columns(lambda E: convolve(E, K_ji, **options), shape)


def from_all_kernels(dJ_dZ, shape, K_i, **options):
    """dJ/d_vA_i, the sum over j of dJ/d_vZ_j times d_vZ_j/d_vA_i; K_i holds the i-th channel of each kernel."""
    return sum(row @ image_jacobian(shape, K_ji, **options) for row, K_ji in zip(dJ_dZ, K_i, strict=True))


def close(actual, expected, rtol=1e-12, atol=1e-13):
    """Equal shapes, and entries equal up to the rounding of sums in another order."""
    assert np.shape(actual) == np.shape(expected)
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol)
