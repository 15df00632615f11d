"""Norms of any order and systems of equations, against NumPy's."""

import itertools

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support.gradients import leaf, numeric, slopes
from support.specification import Specs, call, called, calls

import minigrad as mg
from minigrad.testing import strategies as s

specs = Specs()
spec = specs.add

RNG = np.random.default_rng(0)
A = RNG.normal(size=(2, 3, 4))
M = RNG.normal(size=(4, 3))
SQUARE = RNG.normal(size=(3, 3)) + 2 * np.eye(3)
B = RNG.normal(size=(4, 2))
first = {"argnums": 0}

spec(
    "norm",
    called(
        s.tensors(min_side=1, max_dims=2, min_dims=2, gap=True),
        st.none() | st.just("fro"),
        st.sampled_from([None, (0, 1), (-1, 0)]),
        st.booleans(),
    )
    | called(s.tensors((3, 2), gap=True), st.none() | st.just(2), st.sampled_from([0, -1]), st.booleans())
    | called(
        s.tensors(min_side=1, max_dims=1, min_dims=1, gap=True, domain=(0.25, 2)).map(
            lambda a: a * (-1) ** np.arange(a.size)
        ),
        st.sampled_from([1, 2, np.inf, -np.inf]),
        st.none(),
        st.booleans(),
    ),
    np.linalg.norm,
    exact=(
        ((np.array([-3e200, -4e200]),), np.hypot(3e200, 4e200), np.array([-3e200, -4e200]) / np.hypot(3e200, 4e200)),
        ((np.array([0.0, 0.0]), 3), 0, [0, 0]),
    ),
    options=first,
    kinks=(
        (np.zeros(3),),
        (np.zeros((2, 2)), None, 0),
        (np.array([0.5, 0.0, -1.0]), 1),
        (np.array([0.5, -0.5]), np.inf),
    ),
    refused=(
        ((M, "nuc", 0), {}, ValueError, "order 'nuc' over 1 axes has no op"),
        ((M, 3), {}, ValueError, "order 3 over 2 axes has no op; over one any number does"),
        ((A, 1), {}, ValueError, "order 1 over 3 axes has no op"),
        ((A, None, (0, 1, 2)), {}, ValueError, "order None over 3 axes has no op"),
        ((M, leaf(3.0)), {}, ValueError, "order tensor.* over 2 axes has no op"),
    ),
)
spec(
    "vector_norm",
    calls(call(A), call(A, axis=(0, 2), ord=3), call(A, axis=1, keepdims=True)),
    np.linalg.vector_norm,
    options=first,
)
spec(
    "matrix_norm",
    calls(call(A), call(A, ord="nuc"), call(A, ord=-2, keepdims=True)),
    np.linalg.matrix_norm,
    options=first,
)
spec(
    "cond", calls(call(M), call(SQUARE, 1), call(M, 2), call(M, -2), call(SQUARE, "fro")), np.linalg.cond, options=first
)
spec(
    "pinv",
    calls(call(M), call(M.T), call(A), call(SQUARE)),
    np.linalg.pinv,
    refused=(((M[0],), {}, ValueError, "must be a matrix"),),
)


def orthogonal_and_triangular(qr):
    """Q and R as one array."""
    return lambda a: np.concatenate([np.ravel(part) for part in qr(a)])


spec(
    "qr",
    calls(call(M), call(M.T), call(SQUARE), call(np.stack([SQUARE, SQUARE.T]))),
    orthogonal_and_triangular(np.linalg.qr),
    fn=orthogonal_and_triangular(mg.qr),
    refused=(
        ((M, "complete"), {}, ValueError, "mode 'complete' adds arbitrary columns to Q for a matrix of 4 x 3"),
        ((M, "raw"), {}, ValueError, "mode 'raw' has no derivative for a matrix of 4 x 3"),
        ((M[0],), {}, ValueError, "must be"),
    ),
)
spec(
    "lstsq",
    calls(call(M, B), call(M, B[:, 0]), call(M.T, B[:3])),
    lambda a, b: np.linalg.lstsq(a, b)[0],
    fn=lambda a, b: mg.lstsq(a, b)[0],
    refused=(((M, B[:2]), {}, ValueError, "as many rows"),),
)
t = np.array([0.0, 0.5, 1.5, 2.0])
spec(
    "polyfit",
    calls(call(t, B[:, 0], 1), call(t, B, 2), call(t, B[:, 0], 1, w=np.array([1.0, 2, 3, 4]))),
    np.polyfit,
    options={"argnums": (0, 1)},
    refused=(((t, B[:2, 0], 1), {}, ValueError, "as long as y"),),
)
FOUR = (RNG.normal(size=(4, 4)) + 3 * np.eye(4)).reshape(2, 2, 2, 2)
spec(
    "tensorinv",
    calls(call(FOUR), call(SQUARE, 1)),
    np.linalg.tensorinv,
    refused=(((FOUR, 0), {}, ValueError, "ind must be"),),
)
spec("tensorsolve", calls(call(FOUR, B[:2]), call(FOUR, B[:2], (0, 2))), np.linalg.tensorsolve)
spec("matvec", calls(call(M, SQUARE), call(A, B[:, 0])), lambda m, v: np.einsum("...ij,...j->...i", m, v))
spec("vecmat", calls(call(SQUARE, M.T), call(B[:3, 0], A)), lambda v, m: np.einsum("...i,...ij->...j", v, m))

TestSpecs = specs.tests(examples=3)

NORMS = [(A, None, axis) for axis in (None, 0, -1, (0, 2), (-1, 1))]
NORMS += [(A, order, axes) for order in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf) for axes in ((0, 1), (2, 0))]
NORMS += [(A, order, axis) for order, axis in itertools.product((1, 2, 3, 0.5, -1, 0, np.inf, -np.inf), (0, -1))]
NORMS += [(A[0, 0], order, None) for order in (None, 1, 2, np.inf, -np.inf)]
NORMS += [(A[0], order, None) for order in (None, "fro")]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(("x", "order", "axis"), NORMS)
def test_norm(x, order, axis, keepdims):
    def ours(x):
        return np.linalg.norm(x, order, axis, keepdims)

    y, pullback = mg.vjp(ours, x)
    assert_allclose(y, ours(x), rtol=1e-13, strict=True)
    assert_allclose(pullback(np.ones(np.shape(y)))[0], numeric(ours, x), atol=1e-7)


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0, -1.0])
@pytest.mark.parametrize("ours", [lambda p: mg.norm(A, p, 1), lambda p: mg.vector_norm(A[0], ord=p)])
def test_an_order_that_needs_a_gradient(ours, order):
    assert_allclose(mg.grad(lambda p: np.sum(ours(p)))(order), numeric(ours, np.array(order)), atol=1e-7)


def test_vector_norms_over_any_axes_and_of_order_0():
    for wrong in ([0, 1], 1.0):
        with pytest.raises(TypeError, match="vector_norm: axis must be an int, a tuple of ints or None, not "):
            np.linalg.vector_norm(leaf(A), axis=wrong)
    for axis in ((0, 1), (2, 0), (1, 2)):
        assert_allclose(np.linalg.vector_norm(leaf(A), axis=axis).data, np.linalg.vector_norm(A, axis=axis))
    x = np.array([1.0, 0.0, 2.0, 1.0])
    for each in (x, x * 1j):
        assert_array_equal(np.linalg.norm(leaf(each), 0), np.linalg.norm(each, 0), strict=True)


@pytest.mark.parametrize("order", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf, 3, -3])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1), (-2, -1)])
@pytest.mark.parametrize("shape", [(0,), (0, 0), (0, 3), (2, 0), (2, 0, 3)])
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_norms_of_no_entries_are_those_of_numpy(shape, axis, order):
    x = np.zeros(shape)
    try:
        expected = np.linalg.norm(x, order, axis)
    except (ValueError, np.linalg.LinAlgError):
        if np.lib.NumpyVersion(np.__version__) < "2.3.0":
            pytest.skip("NumPy 2.2 refuses what later versions have a value for")
        with pytest.raises((ValueError, IndexError)):
            np.linalg.norm(leaf(x), order, axis)
        return
    y, pullback = mg.vjp(lambda x: np.linalg.norm(x, order, axis), x)
    assert_array_equal(y, expected)
    assert pullback(np.ones(y.shape))[0].shape == shape


def test_a_matrix_without_entries_has_no_condition_number():
    assert np.linalg.cond(leaf(np.zeros((0, 2, 2)))).shape == (0,)
    for order in (None, -2, 1):
        with pytest.raises(np.linalg.LinAlgError, match=r"cond: a matrix without entries .* x is \(2, 0, 0\)"):
            np.linalg.cond(leaf(np.zeros((2, 0, 0))), order)


def test_norms_of_rows_of_very_different_size():
    x = np.array([[3e200, 4e200], [3e-200, 4e-200], [0, 0]])
    assert_allclose(mg.norm(x, axis=1), [5e200, 5e-200, 0], rtol=1e-15)
    assert_allclose([mg.norm(np.array([3, 4]) * size) / size for size in (1e-310, 1e-160, 1e-100, 1e100, 1e160)], 5)
    assert_allclose(slopes(lambda x: mg.norm(x, axis=1), x), [[0.6, 0.8]] * 2 + [[0, 0]], rtol=1e-15)
    for g, size in itertools.product((1e-300, 1e-70, 1.0, 1e70, 1e300), repeat=2):
        assert_allclose(mg.vjp(mg.norm, size * np.array([3, 4]))[1](np.array(g))[0], [0.6 * g, 0.8 * g])
    assert_allclose(mg.norm(x, 4, axis=1), np.append((3**4 + 4**4) ** 0.25 * np.array([1e200, 1e-200]), 0), rtol=1e-14)


def test_a_matrix_of_lower_rank_keeps_it():
    a = np.outer([1.0, 2.0, 3.0], [1.0, 2.0])
    v = np.outer([1.0, 2.0, 3.0], [0.5, -1.0])  # keeps the rank
    _, along = mg.jvp(mg.pinv, (a,), (v,))
    assert_allclose(along, (np.linalg.pinv(a + 1e-6 * v) - np.linalg.pinv(a - 1e-6 * v)) / 2e-6, atol=1e-8)
    ours, theirs = mg.lstsq(leaf(a), np.ones(3)), np.linalg.lstsq(a, np.ones(3))
    assert_allclose(ours[0].data, theirs[0], atol=1e-12)
    assert (ours[2], ours[1].shape) == (theirs[2], theirs[1].shape)


def test_all_that_lstsq_returns():
    for ours, theirs in zip(np.linalg.lstsq(leaf(M), B), np.linalg.lstsq(M, B), strict=True):
        assert_allclose(getattr(ours, "data", ours), theirs)


DEFICIENT = np.outer([1.0, 2.0, 3.0, 5.0], [1.0, 2.0, -1.0]) + np.outer([1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0])
NEARLY = np.linalg.qr(RNG.normal(size=(300, 2)))[0] * [1, 1e-14]


@pytest.mark.parametrize("a", [M, M.T, SQUARE, M * [1, 0.1, 1e-5], DEFICIENT, DEFICIENT.astype(np.float32), NEARLY])
@pytest.mark.parametrize("rcond", [None, 1e-3, 0.5, 1, 1.5, 0.0, -1])
def test_what_counts_as_0_in_least_squares_is_as_in_numpy(a, rcond):
    rtol = {"f": 1e-4, "d": 1e-8}[a.dtype.char]
    for b in (np.arange(len(a), dtype=a.dtype), np.arange(2 * len(a), dtype=a.dtype).reshape(-1, 2) % 7):
        for ours, theirs in zip(np.linalg.lstsq(leaf(a), b, rcond), np.linalg.lstsq(a, b, rcond), strict=True):
            found = np.asarray(getattr(ours, "data", ours))
            assert_allclose(found, theirs, rtol=rtol, atol=rtol * np.max(np.abs(theirs), initial=0))
            assert found.shape == np.shape(theirs)
            assert found.dtype.kind != "f" or found.dtype == theirs.dtype


@pytest.mark.parametrize("rcond", [None, 1e-3, 0.1, 1, 1.5, 0.0])
@pytest.mark.filterwarnings("ignore:Polyfit may be poorly")
def test_polyfit_cuts_off_what_numpys_does(rcond):
    y = np.array([1.0, -2.0, 4.0, 0.5, 3.0, 3.0])
    for x, deg in ((np.arange(6.0), 0), (np.arange(6.0), 3), (1e5 * np.arange(1.0, 7), 3), (1e-4 * np.arange(6.0), 2)):
        assert_allclose(np.polyfit(leaf(x), y, deg, rcond).data, np.polyfit(x, y, deg, rcond), rtol=1e-6, atol=1e-12)
    if rcond is None:
        t = np.linspace(-1, 1, 1000)
        x = 1 + 1e-6 * t  # the power of 2 is hardly one of its own
        assert_allclose(np.polyfit(leaf(x), t**3, 2).data, np.polyfit(x, t**3, 2), rtol=1e-6, atol=1)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: np.polyfit(leaf(M), M[:, 0], 1), "polyfit: x must be a vector as long as y, not"),
        (lambda: np.polyfit(leaf(M[:, 0]), M[:, 1], -1), r"polyfit: x must be .* \(4,\) and \(4,\), and deg 0 or more"),
        (lambda: np.polyfit(leaf(M[:0, 0]), M[:0, 1], 1), "polyfit: x must be a vector as long as y, not"),
        (lambda: np.polyfit(leaf(M[:, 0]), M[:, 1], 1, w=M), r"polyfit: w must be a vector as long as x, not \(4, 3\)"),
        (lambda: np.linalg.lstsq(leaf(A), B), "lstsq: a must be a matrix with as many rows as b, not a"),
        (lambda: np.linalg.lstsq(leaf(M), A), "lstsq: a must be a matrix with as many rows as b, not a"),
        (lambda: np.linalg.lstsq(leaf(M[0]), M[0]), "lstsq: a must be a matrix with as many rows as b, not a"),
        (lambda: np.linalg.lstsq(leaf(M), M[0, 0]), "lstsq: a must be a matrix with as many rows as b, not a"),
    ],
)
def test_equations_that_do_not_fit_are_refused(call, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}"):
        call()


def test_the_cutoff_of_each_matrix_of_a_stack():
    stack = np.stack([np.diag([1.0, 0.1]), np.diag([2.0, 0.1])])
    for rcond in (np.array([0.01, 0.2]), [0.2, 0.01]):
        expected = np.linalg.pinv(stack, rcond)
        for given in (rcond, mg.tensor(rcond)):
            assert_allclose(np.linalg.pinv(leaf(stack), given).data, expected)


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (3, 3)])
@pytest.mark.parametrize("rcond", [0.1, 0.5, np.array([0.1, 0.3]), 0.95])
def test_singular_values_that_are_left_out_and_not_0_count_in_the_slopes(shape, rcond):
    rng, k = np.random.default_rng(0), 3
    u, v = (np.linalg.qr(rng.normal(size=(2, n, n)))[0][..., :k] for n in shape)
    a = (u * np.array([[3.0, 1.0, 0.2], [2.0, 0.5, 0.4]])[:, None]) @ np.swapaxes(v, -1, -2)
    # equal entries can make singular values tie, where the second derivative is NaN
    mg.testing.check_grads(lambda a: mg.pinv(a, rcond=rcond), a, order=2, exact=False)
    mg.testing.check_grads(lambda a: mg.pinv(a, rcond=rcond), a + 0.05j * rng.normal(size=a.shape))
    if np.ndim(rcond) == 0:
        b = rng.normal(size=shape[0])
        mg.testing.check_grads(lambda a, b: mg.lstsq(a, b, rcond)[0], a[0], b)


@pytest.mark.parametrize("s", [[3.0, 1.0, 0.0], [3.0, 0.1, 0.0], [3.0, 0.0, 0.0]])
@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (3, 3)])
def test_second_derivatives_where_singular_values_that_are_left_out_are_0(shape, s):
    rng = np.random.default_rng(0)
    u, v = (np.linalg.qr(rng.normal(size=(n, n)))[0][:, :3] for n in shape)
    mg.testing.check_grads(lambda a: mg.pinv(a, rcond=0.15), (u * s) @ v.T, order=2, exact=False)


def test_all_derivatives_along_matrices_of_rank_1():
    u, v, p, q = np.random.default_rng(0).normal(size=(4, 3))

    def inverse(t):
        return np.sum(M[:3] * np.linalg.pinv(np.outer(u + t * p, v + t * q)))

    def formula(t):
        x, y = u + t * p, v + t * q
        return np.sum(M[:3] * np.outer(y, x)) / (np.sum(x * x) * np.sum(y * y))

    for _ in range(4):
        assert_allclose(inverse(0.1), formula(0.1), rtol=1e-9)
        inverse, formula = mg.grad(inverse), mg.grad(formula)


def test_equal_singular_values_on_either_side_of_the_cutoff():
    a = np.diag([2.0, 2.0, 0.1, 0.1])
    mg.testing.check_grads(lambda a: mg.pinv(a, rcond=0.2), a, order=1)


def test_a_singular_value_at_the_cutoff_is_left_out():
    a = np.diag([2.0, 1.0])
    at, above = (slopes(lambda a, r=r: mg.pinv(a, rcond=r)[0, 1], a) for r in (0.5, 0.6))
    assert_allclose(at, above)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 0, 2)])
def test_the_pseudo_inverse_of_no_entries_has_a_gradient(shape):
    assert slopes(mg.pinv, np.ones(shape)).shape == shape


def test_the_cutoff_is_a_part_of_the_greatest_however_small():
    a = np.diag([2.0, 1.0, 0.1]) + 0.05
    for rcond in (0.01, 0.3):
        large, small = (slopes(lambda a, r=rcond: np.sum(SQUARE * mg.pinv(a, rcond=r)), x) for x in (a, a * 1e-6))
        assert_allclose(small * 1e-12, large, rtol=1e-9)


@pytest.mark.parametrize("rcond", [0.05, 0.3])
@pytest.mark.filterwarnings("ignore:Polyfit may be poorly")
def test_slopes_of_a_polynomial_of_fewer_terms(rcond):
    x, y = np.linspace(0, 1, 6), np.array([1.0, -2.0, 4.0, 0.5, 3.0, 3.0])
    mg.testing.check_grads(lambda x, y: mg.polyfit(x, y, 3, rcond=rcond), x, y)


def test_diagonals_and_traces_of_stacks_and_factors():
    t = leaf(A)
    assert_array_equal(np.linalg.diagonal(t, offset=1).data, np.linalg.diagonal(A, offset=1))
    for a in (A, M, np.stack([A, 2 * A])):
        for offset in (0, 1, -1):
            assert_allclose(np.linalg.trace(leaf(a), offset=offset).data, np.linalg.trace(a, offset=offset))
    assert_allclose(np.linalg.qr(leaf(M.T), "complete").R.data, np.linalg.qr(M.T, "complete").R)
    assert_allclose(np.linalg.qr(leaf(M), mode="r").data, np.linalg.qr(M, mode="r"))


def test_einsum_by_lists_of_numbers():
    for given in ((M, [0, 1], SQUARE, [1, 2], [0, 2]), (M, [0, 1], SQUARE, [1, 2]), (A, [..., 0], [0, ...])):
        ours = np.einsum(*[leaf(x) if isinstance(x, np.ndarray) else x for x in given])
        assert_allclose(ours.data, np.einsum(*given))


@pytest.mark.parametrize("options", [{}, {"rtol": None}, {"rcond": 1e-13}, {"rtol": 1e-13}])
@pytest.mark.parametrize("smallest", [1e-14, 2e-13])
def test_pinv_leaves_out_the_singular_values_that_numpys_does(options, smallest):
    tall = np.linalg.qr(RNG.normal(size=(300, 2)))[0] * [1, smallest]
    for a in (tall, tall.T):
        expected = np.linalg.norm(np.linalg.pinv(a, **options))
        assert_allclose(np.linalg.norm(np.linalg.pinv(leaf(a), **options)).data, expected, rtol=1e-3)
        assert_allclose(np.linalg.norm(mg.pinv(a, **options)), expected, rtol=1e-3)


def test_pinv_of_a_symmetric_matrix_and_under_both_names_of_the_tolerance():
    a = np.array([[2.0, 9.0], [0.5, -3.0]])
    mg.testing.check_grads(lambda a: mg.pinv(a, hermitian=True), a, order=2)
    np.testing.assert_allclose(mg.pinv(a, hermitian=True), np.linalg.pinv(a, hermitian=True))
    low = np.diag([1.0, 0.1])
    for options in ({"rtol": 0.5}, {"rcond": 0.5}):
        np.testing.assert_allclose(np.linalg.pinv(leaf(low), **options).data, np.diag([1.0, 0.0]))


def test_polyfit_weighs_the_errors_of_each_column():
    x, y, w = A[0, 0], A[0].T, np.arange(1.0, 1 + A.shape[2])
    assert_allclose(np.polyfit(x, leaf(y), 1, w=w).data, np.polyfit(x, y, 1, w=w), atol=1e-12)


def test_polyfit_refuses_values_of_three_axes():
    for y in (np.ones((4, 1, 1)), np.ones(())):
        with pytest.raises(ValueError, match="polyfit: x must be a vector as long as y"):
            np.polyfit(leaf(np.arange(4.0)), y, 1)


def test_the_cutoff_of_pinv_does_not_grow_with_the_stack():
    a = np.broadcast_to(np.diag([1.0, 1e-13]), (3000, 2, 2)).copy()
    assert_allclose(np.linalg.pinv(leaf(a), rtol=None).data, np.linalg.pinv(a, rtol=None))


@pytest.mark.parametrize("a", [M.T, SQUARE, np.stack([M.T, M.T + 1]), np.stack([SQUARE, SQUARE.T])])
def test_qr_of_what_is_not_tall(a):
    for mode in ("reduced", "complete", "r"):
        found, expected = np.linalg.qr(leaf(a), mode), np.linalg.qr(a, mode)
        for ours, theirs in [(found, expected)] if mode == "r" else zip(found, expected, strict=True):
            assert_allclose(ours.data, theirs, atol=1e-14)
    with pytest.raises(ValueError, match="qr: mode 'raw' has no derivative for a matrix of 3 x"):
        np.linalg.qr(leaf(a), "raw")


def test_matvec_needs_a_matrix():
    for matrix, vector in ((M[0], M[0]), (M[:, :1], M[0, 0]), (M[0, 0], M[0])):
        sentence = (
            rf"the matrix must have .*: their shapes are \({matrix.shape and '.*'}\) and \({vector.shape and '3,'}\)"
        )
        with pytest.raises(ValueError, match=f"^matvec: {sentence}"):
            np.matvec(leaf(matrix), vector)
        with pytest.raises(ValueError, match=f"^vecmat: {sentence}"):
            np.vecmat(leaf(vector), matrix)


@pytest.mark.parametrize("p", [None, 2, -2, 1, -1, "fro", "nuc", np.inf, -np.inf])
def test_condition_numbers_of_every_order(p):
    for x in (SQUARE, np.stack([SQUARE, SQUARE.T + 1])):
        assert_allclose(np.linalg.cond(leaf(x), p).data, np.linalg.cond(x, p), rtol=1e-10)
    if p in (None, 2, -2):
        assert_allclose(np.linalg.cond(leaf(A), p).data, np.linalg.cond(A, p), rtol=1e-10)
    for shape in ((0, 3), (3, 0), (2, 0, 3), (2, 3, 0)):
        with pytest.raises(np.linalg.LinAlgError, match="cond: a matrix without entries"):
            np.linalg.cond(leaf(np.zeros(shape)), p)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("p", [None, 2, -2])
def test_the_condition_number_of_0_is_infinite_as_numpys(p):
    x = np.zeros((2, 3))
    assert np.linalg.cond(leaf(x), p).data == np.linalg.cond(x, p) == np.inf


def test_a_hermitian_pinv_needs_a_square():
    for shape in ((1, 2), (2, 1), (2, 3)):
        with pytest.raises(ValueError, match=r"^pinv: a must be a square matrix, or a stack of them, not \("):
            np.linalg.pinv(leaf(np.ones(shape)), hermitian=True)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("order", [None, 1, 2, 3, np.inf])
def test_the_norm_of_an_infinite_complex_number_is_infinite(order):
    for x in ([complex(np.inf, 1), 1], [complex(-1, -np.inf), 1], [complex(np.inf, 1), 1e308]):
        assert np.linalg.norm(leaf(x), order).data == np.linalg.norm(x, order) == np.inf


@pytest.mark.parametrize("order", [0.25, 0.5, 1, 1.5, 2, 3, -1, -0.5])
def test_norms_of_zeros_have_derivative_0_and_those_of_order_1_numpys_bits(order):
    value, slope = mg.value_and_grad(lambda x: np.linalg.norm(x, order, axis=-1))(np.zeros(3))
    assert value == 0
    assert_array_equal(slope, 0)
    if order < 0:
        value, slope = mg.value_and_grad(lambda x: np.linalg.norm(x, order))(np.array([-2.0, 0, 1]))
        assert value == 0
        assert_array_equal(slope, 0)
    for seed in range(9):
        x = np.random.default_rng(seed).normal(size=(3, 5))
        found, expected = (np.linalg.norm(a, order, axis=1) for a in (leaf(x), x))
        assert_allclose(found.data, expected, rtol=0 if order == 1 else 1e-13)


@pytest.mark.parametrize("order", [0.5, 1.5, 3, 4, -1, -3])
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_norms_of_rows_of_which_some_are_0_in_part(order):
    x = np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 2.0], [2.0, 2.0, 2.0], [-1.0, 3.0, 0.5]])
    assert_allclose(np.linalg.norm(leaf(x), order, axis=1).data, np.linalg.norm(x, order, axis=1), rtol=1e-14)
    smooth = x if order > 1 else x[2:]
    expected = numeric(lambda x: np.linalg.norm(x, order, axis=1), smooth[-3:])
    found = slopes(lambda x: np.linalg.norm(x, order, axis=1), smooth)
    assert_allclose(found[-3:], expected, atol=1e-7)
    assert_array_equal(found[:-3], 0)
