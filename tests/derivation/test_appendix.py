"""Section 4, the appendix: the derivative of one small convolution, entry by entry."""

import numpy as np
import pytest

import minigrad as mg

from .literal import basis, close, columns, convolve, vec

OPTIONS = {"stride": (1, 2), "padding": (1, 1)}

# rep.2: each entry of Z as a sum of products "a_pq beta_rs", written pq:rs
REP_2 = [
    ["11:22", "12:21 13:22", "14:21"],
    ["11:12 21:22", "12:11 13:12 22:21 23:22", "14:11 24:21"],
    ["21:12 31:22", "22:11 23:12 32:21 33:22", "24:11 34:21"],
    ["31:12", "32:11 33:12", "34:11"],
]
# rep.1: the window of the padded A that each entry of Z reads, row by row; 0 is padding. The document
# prints (4, 1) upside down (erratum E16).
REP_1 = [
    ["0 0 0 11", "0 0 12 13", "0 0 14 0"],
    ["0 11 0 21", "12 13 22 23", "14 0 24 0"],
    ["0 21 0 31", "22 23 32 33", "24 0 34 0"],
    ["0 31 0 0", "32 33 0 0", "34 0 0 0"],
]
ENTRIES = [(p, q) for q in range(3) for p in range(4)]  # of Z, in the order of vec


def at(M, pq):
    """The entry that the document calls pq, counted from 1."""
    return M[int(pq[0]) - 1, int(pq[1]) - 1]


@pytest.fixture
def A():
    return np.random.default_rng(60).standard_normal((3, 4))


@pytest.fixture
def beta():
    return np.random.default_rng(61).standard_normal((2, 2))


def op(A, beta):
    """Z = A * beta by the op, for matrices."""
    return mg.conv2d(A[None], beta[None, None], **OPTIONS)[0]


def test_size_of_the_example(A, beta):
    """Section 4, Z = A * beta: (3, 4) by (2, 2) with padding (1, 1) and stride (1, 2) gives (4, 3)."""
    assert op(A, beta).shape == (4, 3)


@pytest.mark.parametrize(("p", "q"), ENTRIES)
def test_rep_1(A, beta, p, q):
    """Section 4, rep.1: each entry of Z is one window of the padded A, convolved with beta without padding."""
    window = np.array([at(A, pq) if pq != "0" else 0 for pq in REP_1[p][q].split()]).reshape(2, 2)
    close(convolve(window, beta)[0, 0], op(A, beta)[p, q])


@pytest.mark.parametrize(("p", "q"), ENTRIES)
def test_rep_2(A, beta, p, q):
    """Section 4, rep.2: each entry of Z as its sum of products, by the op and by the literal loops."""
    expected = sum(at(A, pq) * at(beta, rs) for pq, rs in (term.split(":") for term in REP_2[p][q].split()))
    close(op(A, beta)[p, q], expected)
    close(convolve(A, beta, **OPTIONS)[p, q], expected)


def test_rep_3_and_the_vecs(A, beta):
    """Section 4, rep.3: z_pq are the entries of Z; and the vectorised forms of A, beta and Z."""
    Z = op(A, beta)
    for M, order in (
        (A, "11 21 31 12 22 32 13 23 33 14 24 34"),
        (beta, "11 21 12 22"),
        (Z, "11 21 31 41 12 22 32 42 13 23 33 43"),
    ):
        close(mg.vec(M), [at(M, pq) for pq in order.split()])


def partial_beta(A, rs):
    """d_vZ/dbeta_rs read off rep.2: for each entry of Z the a that stands beside beta_rs."""
    terms = [REP_2[p][q].split() for p, q in ENTRIES]
    return np.array([sum(at(A, t.split(":")[0]) for t in ts if t.endswith(f":{rs}")) for ts in terms], dtype=float)


def partial_A(beta, pq):
    """d_vZ/dA_pq read off rep.2: for each entry of Z the beta that stands beside a_pq."""
    terms = [REP_2[p][q].split() for p, q in ENTRIES]
    return np.array([sum(at(beta, t.split(":")[1]) for t in ts if t.startswith(f"{pq}:")) for ts in terms], dtype=float)


def test_eq_a1_1(A, beta):
    """Section 4, eq.a1-1: d_vZ/d_vbeta, 12 x 4, its columns in the order 11, 21, 12, 22."""
    literal = np.stack([partial_beta(A, rs) for rs in ("11", "21", "12", "22")], axis=1)
    close(mg.vec_jacobian(lambda beta: op(A, beta), beta), literal)


def test_eq_a1_2(A, beta):
    """Section 4, eq.a1-2: dz_32/dbeta_21 = a_32, the window of z_32 convolved with the basis kernel 21."""
    gradient = mg.grad(lambda beta: op(A, beta)[2, 1])(beta)
    close(gradient[1, 0], A[2, 1])
    close(convolve(A[1:3, 1:3], np.array([[0.0, 0.0], [1.0, 0.0]]))[0, 0], A[2, 1])
    close(gradient, A[1:3, 1:3])  # "try out with some other combination": all four


@pytest.mark.parametrize("rs", ["11", "21", "12", "22"])
def test_eq_a1_3(A, beta, rs):
    """Section 4, eq.a1-3: d_vZ/dbeta_rs = vec(A * dbeta/dbeta_rs), a column of eq.a1-1."""
    position = ["11", "21", "12", "22"].index(rs)
    E = list(basis((2, 2)))[position]
    assert at(E, rs) == 1
    close(vec(convolve(A, E, **OPTIONS)), partial_beta(A, rs))
    close(mg.vec_jacobian(lambda beta: op(A, beta), beta)[:, position], vec(convolve(A, E, **OPTIONS)))


def test_jacobian_of_beta(A, beta):
    """Section 4, d_vZ/d_vbeta from all basis kernels, in vec's order; and the VJP that is its product with g."""
    J = columns(lambda E: convolve(A, E, **OPTIONS), (2, 2))
    close(mg.vec_jacobian(lambda beta: op(A, beta), beta), J)
    g = np.random.default_rng(62).standard_normal((4, 3))
    t = mg.tensor(beta[None, None], requires_grad=True)
    mg.conv2d(A[None], t, **OPTIONS).backward(g[None])
    close(vec(t.grad[0, 0]), vec(g) @ J)


def test_eq_a2_1(A, beta):
    """Section 4, eq.a2-1: d_vZ/d_vA, 12 x 12, its columns in the order 11, 21, 31, 12 ... 34."""
    literal = np.stack([partial_A(beta, f"{p + 1}{q + 1}") for q in range(4) for p in range(3)], axis=1)
    close(mg.vec_jacobian(lambda A: op(A, beta), A), literal)


def test_eq_a2_2(A, beta):
    """Section 4, eq.a2-2: dz_32/dA_23 = beta_12, the basis window 12 convolved with beta."""
    gradient = mg.grad(lambda A: op(A, beta)[2, 1])(A)
    close(gradient[1, 2], beta[0, 1])
    close(convolve(np.array([[0.0, 1.0], [0.0, 0.0]]), beta)[0, 0], beta[0, 1])
    expected = np.zeros((3, 4))
    expected[1:3, 1:3] = beta
    close(gradient, expected)


@pytest.mark.parametrize("position", range(12))
def test_eq_a2_3(A, beta, position):
    """Section 4, eq.a2-3: d_vZ/dA_rs = vec(dA/dA_rs * beta), a column of eq.a2-1."""
    r, s = position % 3, position // 3
    E = list(basis((3, 4)))[position]
    assert E[r, s] == 1
    close(vec(convolve(E, beta, **OPTIONS)), partial_A(beta, f"{r + 1}{s + 1}"))
    close(mg.vec_jacobian(lambda A: op(A, beta), A)[:, position], vec(convolve(E, beta, **OPTIONS)))


def test_jacobian_of_A(A, beta):
    """Section 4, last equation, d_vZ/d_vA from all basis images; and the VJP that is its product with g."""
    J = columns(lambda E: convolve(E, beta, **OPTIONS), (3, 4))
    close(mg.vec_jacobian(lambda A: op(A, beta), A), J)
    g = np.random.default_rng(63).standard_normal((4, 3))
    t = mg.tensor(A[None], requires_grad=True)
    mg.conv2d(t, beta[None, None], **OPTIONS).backward(g[None])
    close(vec(t.grad[0]), vec(g) @ J)
