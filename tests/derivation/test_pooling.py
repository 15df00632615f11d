"""Section 3.1.3: the Jacobians of average, maximum and L2-norm pooling."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.ops.pooling import pick2d

from .literal import average_kernel, basis, close, columns, convolve, stacked, vec, windows

OPTIONS = [
    {"window": (2, 2), "stride": (2, 2), "padding": (0, 0)},
    {"window": (2, 3), "stride": (1, 2), "padding": (1, 1)},  # overlapping, padded
    {"window": (3, 2), "stride": (3, 4), "padding": (1, 0)},  # with gaps, and leftovers
]
each_option = pytest.mark.parametrize("options", OPTIONS, ids=["plain", "padded", "gaps"])


@pytest.fixture(name="I")
def intermediate_result():
    return np.random.default_rng(20).standard_normal((3, 4, 7))


def pulled(op, g, I, window, **options):
    """dJ/d_vI from the op's VJP, in the document's layout: a row for each channel."""
    t = mg.tensor(I, requires_grad=True)
    op(t, window, **options).backward(g)
    return stacked(t.grad)


def upstream(op, I, window, **options):
    return np.random.default_rng(21).standard_normal(op(I, window, **options).shape)


@each_option
def test_average_pooling_is_a_convolution(I, options):
    """Section 3.1.3, A_j = I_j * P, with the zeros of the padding in the mean."""
    P = average_kernel(options["window"])
    A = mg.avg_pool2d(I, **options)
    for j in range(len(I)):
        close(A[j], convolve(I[j], P, options["stride"], options["padding"]))
    close(A, mg.conv2d(I, np.kron(np.eye(3)[..., None, None], P), stride=options["stride"], padding=options["padding"]))


def test_average_of_one_window_is_the_mean(I):
    """Section 3.1.3, A_j = I_j * P, where the window is the whole image: P itself is the derivative of the mean."""
    P = average_kernel(I[0].shape)
    close(mg.avg_pool2d(I, I[0].shape)[:, 0, 0], np.mean(I, axis=(1, 2)))
    close(mg.vec_jacobian(lambda I: np.mean(I, axis=(1, 2)), I), np.kron(np.eye(len(I)), vec(P)))


@each_option
def test_average_pooling_column_by_column(I, options):
    """Section 3.1.3, d_vA_j/dI_jpq = vec(dI_j/dI_jpq * P), the columns of d_vA_j/d_vI_j, equal for all channels."""
    P, geometry = average_kernel(options["window"]), (options["stride"], options["padding"])
    block = columns(lambda E: convolve(E, P, *geometry), I[0].shape)
    assert block.shape == (mg.avg_pool2d(I, **options)[0].size, I[0].size)
    for j in range(len(I)):
        close(mg.vec_jacobian(lambda X: mg.avg_pool2d(X, **options), I[j : j + 1]), block)
    # All of vec(A) by all of vec(I) is therefore block-diagonal, with that one block.
    close(mg.vec_jacobian(lambda X: mg.avg_pool2d(X, **options), I), np.kron(np.eye(len(I)), block))


@each_option
def test_average_pooling_pulls_back_through_its_jacobian(I, options):
    """Section 3.1.3, first equation: dJ/d_vI = dJ/d_vA d_vA/d_vI, the oracle of avg_pool2d's VJP."""
    P, g = average_kernel(options["window"]), upstream(mg.avg_pool2d, I, **options)
    block = columns(lambda E: convolve(E, P, options["stride"], options["padding"]), I[0].shape)
    close(pulled(mg.avg_pool2d, g, I, **options), stacked(g) @ block)
    # spread2d is that product as an op; its own VJP is multiplication with the block again.
    spread = mg.spread2d(g, I.shape[1:], **options)
    close(stacked(spread), stacked(g) @ block)
    close(
        mg.vec_jacobian(lambda g: mg.spread2d(g, I.shape[1:], **options), g),
        np.kron(np.eye(len(I)), block.T),
    )


def switches(I_j, options):
    """d_vA_j/d_vI_j of maximum pooling: in each row a one where the window's first greatest entry is."""
    cells = windows(I_j, **options, outside=-np.inf)
    shape = tuple(n + 1 for n in max(cells))
    rows = []
    for E in basis(shape):
        (pq,) = zip(*np.nonzero(E), strict=True)
        winner = np.zeros(I_j.shape)
        row, column, _ = max(cells[tuple(int(n) for n in pq)], key=lambda cell: cell[2])  # the first of equals
        winner[row, column] = 1
        rows.append(vec(winner))
    return np.stack(rows)


@each_option
@pytest.mark.parametrize("ties", [False, True], ids=["distinct", "ties"])
def test_max_pooling_routes_by_its_switches(I, options, ties):
    """Section 3.1.3, max-pooling: the gradient goes to the input that was highest, channel by channel."""
    X = np.round(I) if ties else I
    g, S = upstream(mg.max_pool2d, I, **options), [switches(X_j, options) for X_j in X]
    assert not np.array_equal(S[0], S[1])
    if not ties:
        close(stacked(mg.max_pool2d(X, **options)), np.stack([S_j @ vec(X_j) for S_j, X_j in zip(S, X, strict=True)]))
    close(pulled(mg.max_pool2d, g, X, **options), np.stack([row @ S_j for row, S_j in zip(stacked(g), S, strict=True)]))


@each_option
def test_max_pooling_has_no_second_derivative(I, options):
    """Section 3.1.3, max-pooling: switches don't move, so dJ/d_vI is linear in g and constant in I."""
    g = upstream(mg.max_pool2d, I, **options)

    def pull(X, g):
        return mg.vjp(lambda X: mg.max_pool2d(X, **options), X)[1](g)[0]

    size = I[0].size
    in_I = mg.vec_jacobian(lambda X: pull(X, g), I)
    close(in_I, np.zeros((I.size, I.size)))
    in_g = mg.vec_jacobian(lambda g: pull(I, g), g)
    close(in_g[:size, : g[0].size], switches(I[0], options).T)
    # pick2d is the product with the Jacobian itself, at any u; its VJP the product with its transpose.
    A = mg.max_pool2d(I, **options)
    in_u = mg.vec_jacobian(lambda u: pick2d(u, I, A, **options), I + 1.0)
    close(in_u[: g[0].size, :size], switches(I[0], options))


def unit_windows(I_j, options):
    """The rows u^T, one for each window: I_p / A at the window's own entries, 0 elsewhere; and the norms A."""
    cells = windows(I_j, **options)
    units, norms = [], []
    for q, p in np.ndindex(*[n + 1 for n in max(cells)][::-1]):  # in the order of vec
        norm = np.sqrt(sum(entry**2 for _, _, entry in cells[p, q]))
        unit = np.zeros(I_j.shape)
        for row, column, entry in cells[p, q]:
            if entry:
                unit[row, column] = entry / norm
        units.append(vec(unit))
        norms.append(norm)
    return np.stack(units), np.array(norms)


@each_option
def test_l2_pooling_pulls_back_the_unit_windows(I, options):
    """Section 3.1.3, L2-norm pooling, left open there: dA/dI_p = I_p / A, in each channel its own Jacobian."""
    g = upstream(mg.l2_pool2d, I, **options)
    units, norms = zip(*(unit_windows(I_j, options) for I_j in I), strict=True)
    close(stacked(mg.l2_pool2d(I, **options)), np.stack(norms))
    close(pulled(mg.l2_pool2d, g, I, **options), np.stack([row @ U for row, U in zip(stacked(g), units, strict=True)]))
    close(mg.vec_jacobian(lambda X: mg.l2_pool2d(X, **options), I[:1]), units[0])


@each_option
def test_l2_pooling_second_derivative(I, options):
    """Section 3.1.3, L2-norm pooling: the Hessian of sum g A is the sum over windows of g (D - u u^T) / A."""
    X, g = I[:1], upstream(mg.l2_pool2d, I[:1], **options)
    U, norms = unit_windows(X[0], options)
    cells = windows(X[0], **options)
    inside = [np.zeros(X[0].shape) for _ in norms]
    for mask, (q, p) in zip(inside, np.ndindex(*[n + 1 for n in max(cells)][::-1]), strict=True):
        for row, column, _ in cells[p, q]:
            if 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1]:
                mask[row, column] = 1
    hessian = sum(
        weight * (np.diag(vec(mask)) - np.outer(u, u)) / norm
        for weight, mask, u, norm in zip(stacked(g)[0], inside, U, norms, strict=True)
    )
    gradient = mg.grad(lambda X: np.sum(g * mg.l2_pool2d(X, **options)))
    close(mg.vec_jacobian(gradient, X), hessian)


def test_l2_pooling_of_an_empty_window():
    """Section 3.1.3, L2-norm pooling: at a norm of 0 the first and the second derivative are 0 by convention."""
    X = np.zeros((1, 2, 4))
    X[0, :, 2:] = [[3.0, 0.0], [0.0, 4.0]]
    gradient = mg.grad(lambda X: np.sum(mg.l2_pool2d(X, 2)))
    close(gradient(X)[0], [[0, 0, 0.6, 0], [0, 0, 0, 0.8]])
    H = mg.vec_jacobian(gradient, X)
    close(H[:4], np.zeros((4, 8)))
    close(H[4:, :4], np.zeros((4, 4)))
    close(H[4:, 4:], (np.eye(4) - np.outer([0.6, 0, 0, 0.8], [0.6, 0, 0, 0.8])) / 5)


@given(st.integers(0, 2**32 - 1), st.floats(-300, 300))
def test_l2_pooling_at_any_scale(seed, exponent):
    """Section 3.1.3, L2-norm pooling: A is as long as its window and its gradient has length 1, without overflow."""
    X = np.random.default_rng(seed).uniform(0.5, 2, (1, 2, 2)) * 10.0**exponent
    (A,), pullback = mg.vjp(lambda X: mg.l2_pool2d(X, 2), X)
    (u,) = pullback(np.ones((1, 1, 1)))
    close(np.sum(u * u), 1.0)
    close(np.sum(u * X) / A.item(), 1.0)


@each_option
def test_windows_and_their_fold_are_adjoint(I, options):
    """Section 3.1.3, L2-norm pooling: unfold2d's Jacobian holds one 1 a row, and fold2d's is its transpose."""
    X = I[:1]
    W = mg.unfold2d(X, **options)
    J = mg.vec_jacobian(lambda X: mg.unfold2d(X, **options), X)
    assert set(np.unique(J)) <= {0.0, 1.0}
    close(J @ vec(X[0]), mg.vec(W).ravel())
    close(mg.vec_jacobian(lambda W: mg.fold2d(W, X.shape[1:], **options), W), J.T)
