"""Products of matrices and tensors, held to NumPy's own value, its refusals, and the VJP to finite differences."""

import time
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import minigrad as mg
from minigrad.operation import NUMPY
from minigrad.testing import check_vjp

BOTH_WAYS = [((), (2, 3)), ((2, 3), ()), ((), ()), ((3,), (3,))]


def arrays(*shapes):
    rng = np.random.default_rng(0)
    return [rng.uniform(-2, 2, shape) for shape in shapes]


def holds(function, *arguments, **options):
    """NumPy's function has NumPy's value on Tensors too, and what stands for it a right VJP."""
    value = function(*map(as_tensors, arguments), **options).data
    expected = function(*arguments, **options)
    assert value.shape == np.shape(expected)
    assert_allclose(value, expected, rtol=1e-12, atol=1e-14)
    check_vjp(NUMPY[function], *arguments, **options)


def as_tensors(argument):
    return mg.tensor(argument) if isinstance(argument, np.ndarray) else argument


@pytest.mark.parametrize(
    "shapes",
    [
        ((3,), (3,)),
        ((3,), (3, 2)),
        ((3,), (4, 3, 2)),
        ((2, 3), (3,)),
        ((4, 2, 3), (3,)),
        ((2, 3), (3, 4)),
        ((5, 2, 3), (3, 4)),
        ((2, 3), (5, 3, 4)),
        ((5, 2, 3), (5, 3, 4)),
        ((5, 1, 2, 3), (2, 3, 4)),
    ],
)
def test_matmul_of_every_number_of_axes(shapes):
    holds(np.matmul, *arrays(*shapes))


@pytest.mark.parametrize(
    "shapes",
    [
        *BOTH_WAYS,
        ((2, 3), (3,)),
        ((3,), (3, 2)),
        ((2, 3), (3, 4)),
        ((5, 2, 3), (3,)),
        ((5, 2, 3), (3, 4)),
        ((3,), (5, 3, 4)),
        ((2, 3), (5, 3, 4)),
        ((2, 2, 3), (5, 3, 4)),
    ],
)
def test_dot_of_every_number_of_axes(shapes):
    holds(np.dot, *arrays(*shapes))


@pytest.mark.parametrize(
    "shapes", [*BOTH_WAYS, ((2, 3), (3,)), ((3,), (2, 3)), ((2, 3), (4, 3)), ((2, 1, 3), (4, 2, 3))]
)
def test_inner_of_every_number_of_axes(shapes):
    holds(np.inner, *arrays(*shapes))


@pytest.mark.parametrize("shapes", [*BOTH_WAYS, ((3,), (2,)), ((2, 3), (3, 2))])
def test_outer_of_every_number_of_axes(shapes):
    holds(np.outer, *arrays(*shapes))


@pytest.mark.parametrize("shape", [(3,), (2, 3)])
def test_vdot_and_vecdot(shape):
    a, b = arrays(shape, shape)
    holds(np.vdot, a, b)
    holds(np.vecdot, a, b)


@pytest.mark.parametrize(
    ("shapes", "axis"),
    [
        (((3,), (3, 3)), 0),
        (((3, 3), (3,)), 0),
        (((2, 3, 4), (3, 4)), -2),
        (((2, 3), (2, 3)), 1),
        (((2, 1, 3), (4, 3)), -1),
    ],
)
def test_vecdot_takes_the_axis_of_each_before_it_broadcasts(shapes, axis):
    holds(np.vecdot, *arrays(*shapes), axis=axis)


@pytest.mark.parametrize("shapes", [((1,), (3,)), ((), (3,)), ((3,), ()), ((2, 3), (3, 2))])
def test_vecdot_wants_one_size(shapes):
    a, b = arrays(*shapes)
    with pytest.raises(ValueError, match="vecdot: the axis must be of one size in both"):
        np.vecdot(mg.tensor(a), b)


@pytest.mark.parametrize("call", [lambda t: t @ 2.0, lambda t: 2.0 @ t, lambda t: np.matmul(t, 2)])
def test_matmul_of_a_number_is_refused_in_words(call):
    with pytest.raises(ValueError, match=r"matmul: operands need at least one axis: x1 .*\(\)"):
        call(mg.tensor(np.ones(3)))


@pytest.mark.parametrize("shapes", [((2,), (3,)), ((2, 3), (4, 5))])
def test_kron(shapes):
    holds(np.kron, *arrays(*shapes))


@pytest.mark.parametrize("axes", [0, 1, 2, np.int64(1), (1, 1), (-1, 0), ([1, 2], [0, 1]), ([2, 1], [1, 0]), ([], [])])
def test_tensordot(axes):
    holds(np.tensordot, *arrays((2, 3, 3), (3, 3, 2)), axes)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 6, np.int64(5)])
@pytest.mark.parametrize("shape", [(2, 2), (2, 3, 3), (5, 2, 3, 3), (2, 1, 1)])
def test_matrix_power(shape, n):
    holds(np.linalg.matrix_power, *arrays(shape), n)


def test_matrix_power_has_the_dtype_of_its_matrix():
    for n in range(3):
        assert mg.ops.matrix_power(np.eye(2, dtype=np.float32), n).dtype == np.float32


def test_matrix_power_overflows_only_where_the_power_does():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_array_equal(mg.ops.matrix_power(np.eye(2) * 1e200, 1), np.eye(2) * 1e200)


def test_the_first_power_is_the_matrix_in_an_array_of_its_own():
    a = np.array([[np.inf, 1.0], [np.nan, -0.0]])
    power = mg.ops.matrix_power(a, 1)
    assert_array_equal(power, a)
    assert not np.shares_memory(power, a)


def test_cross_over_the_last_axis():
    holds(np.cross, *arrays((3,), (3,)))
    holds(np.cross, *arrays((2, 3), (3,)))
    holds(np.cross, *arrays((3,), (2, 3)))


def test_multi_dot_may_begin_and_end_with_a_vector():
    a, b, c = arrays((2,), (2, 3), (3,))
    assert_allclose(mg.ops.multi_dot([a, b, c]), a @ b @ c)
    check_vjp(lambda *arrays: mg.ops.multi_dot(arrays), a, b, c)


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("ij,jk->ik", ((2, 3), (3, 4))),
        ("ij,jk,kl->il", ((2, 3), (3, 4), (4, 2))),
        (" i j -> j i ", ((2, 3),)),
        ("ij->", ((2, 3),)),
        ("->", ((),)),
        (",", ((), ())),
        ("ii", ((3, 3),)),
        ("ii->i", ((3, 3),)),
        ("iii->i", ((3, 3, 3),)),
        ("iij,jk->ik", ((2, 2, 3), (3, 4))),
        ("iijj->ij", ((2, 2, 3, 3),)),
        ("ij,ij->j", ((1, 3), (2, 3))),
        ("fedcba", ((1, 2, 3, 1, 2, 3),)),  # the output of an implicit sum is in alphabetical order
        ("zfY,fe", ((2, 3, 4), (3, 2))),
        ("...", ((2, 3),)),
        ("...i->i...", ((2, 3, 4),)),
        ("A...,b...->...bA", ((2, 3, 2), (4, 3, 2))),
        ("...,...", ((2, 3), (3,))),
        ("b...a,a", ((2, 3, 4, 2), (2,))),
    ],
)
def test_einsum(subscripts, shapes):
    holds(np.einsum, subscripts, *arrays(*shapes))


def test_einsum_of_float32_has_gradients_of_float32():
    a = np.ones((2, 2, 3), np.float32)
    for subscripts in ("iij->j", "iij->ij", "ijk->k"):
        out, pull = mg.vjp(lambda a, s=subscripts: np.einsum(s, a), a)
        assert out.dtype == np.float32
        op = mg.ops.linalg._einsum
        left, _, right = subscripts.partition("->")
        assert op.vjps[0](out, out, a, inputs=(left,), output=right).dtype == np.float32
        assert pull(out)[0].dtype == np.float32


def test_the_vjp_of_a_product_of_two_is_a_product_of_two():
    a, b, g = (mg.tensor(x, requires_grad=True) for x in arrays((2, 3), (3, 4), (2, 4)))
    for i in range(2):
        gradient = mg.ops.linalg._einsum.vjps[i](g, g, a, b, inputs=("ij", "jk"), output="ik")
        assert len(gradient.node.parents) == 2


def test_an_infinite_gradient_of_einsum_stays_in_its_place():
    g = np.array([[np.inf, 1.0], [2.0, 3.0]])
    assert_array_equal(mg.vjp(lambda a: np.einsum("ij->ji", a), np.ones((2, 2)))[1](g)[0], g.T)


def test_einsum_takes_three_matrices_two_at_a_time():
    a = np.ones((300, 300))
    start = time.perf_counter()
    assert_array_equal(mg.ops.einsum("ij,jk,kl->il", a, a, a), np.full((300, 300), 90000.0))
    assert time.perf_counter() - start < 2  # 10 ms; all four indices in one loop take some 8 s


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: np.dot(a, a), r"x1 has 3 columns but x2 has 2 rows \(x1 \(2, 3\), x2 \(2, 3\)\)"),
        (lambda a: np.dot(a[0], a), r"x1 has 3 columns but x2 has 2 rows \(x1 \(3,\), x2 \(2, 3\)\)"),
        (lambda a: np.matmul(a, np.ones((4, 2, 3))), r"x1 has 3 columns but x2 has 2 rows"),
        (lambda a: np.vdot(a, a[0]), "x1 has 6 columns but x2 has 3 rows"),
        (lambda a: np.kron(a, np.ones(2)), r"kron: both must be .*, not \(2, 3\) and \(2,\)"),
        (lambda a: np.kron(np.ones(2), a), r"kron: both must be .*, not \(2,\) and \(2, 3\)"),
        (lambda a: np.kron(a, np.ones((2, 1, 2))), r"kron: both must be .*, not \(2, 3\) and \(2, 1, 2\)"),
        (lambda a: np.kron(np.ones((2, 1, 2)), a), r"kron: both must be .*, not \(2, 1, 2\) and \(2, 3\)"),
        (lambda a: np.tensordot(a, np.ones((3, 2))), r"tensordot: axes \(0, 1\) of \(2, 3\) and \(0, 1\) of \(3, 2\)"),
        (lambda a: np.tensordot(a, a, 1), r"tensordot: axes \(1,\) of \(2, 3\) and \(0,\) of \(2, 3\) differ in size"),
        (lambda a: np.linalg.matrix_power(a[0], 2), r"a must be a square matrix, not \(3,\)"),
        (lambda a: np.linalg.matrix_power(a[0, 0], 2), r"a must be a square matrix, not \(\)"),
        (lambda a: np.linalg.matrix_power(a[None], 2), r"a must be a square matrix, not \(1, 2, 3\)"),
        (lambda a: np.linalg.matrix_power(np.reshape(a, (1, 3, 2)), 2), r"a must be a square matrix, not \(1, 3, 2\)"),
        (lambda a: np.linalg.matrix_power(np.reshape(a, (1, 2, 1, 3)), 0), "a must be a square matrix"),
        (lambda a: np.einsum("...ijk->k", a), r"einsum: '...ijk->k' does not fit operands of shape \[\(2, 3\)\]"),
        (lambda a: np.einsum("i,...", a, a), "does not fit operands"),
        (lambda a: np.einsum("ij,ij", a), "names 2 operands, but 1 are given"),
    ],
)
def test_wrong_input_is_refused_in_words(call, message):
    with pytest.raises(ValueError, match=message):
        call(mg.tensor(np.ones((2, 3)), requires_grad=True))
