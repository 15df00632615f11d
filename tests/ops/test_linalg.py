"""Products of matrices and tensors: value and derivatives by specs, NumPy's arguments and refusals one by one."""

import itertools
import math
import re
import warnings

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support.agreement import arrays, nearly_holds
from support.gradients import leaf
from support.specification import Specs, called, of_list

import minigrad as mg
from minigrad.testing import check_grads, check_vjp
from minigrad.testing import strategies as s

specs = Specs()
spec = specs.add
small, vectors = s.tensors(max_dims=2), s.tensors(min_dims=1, max_dims=1)
products = s.matmul_inputs(scales=(1, 10, 1e3, 1e-3))
spec(
    "matmul",
    products,
    lambda x, y: np.einsum(
        "...ij,...jk->...ik"
        if min(x.ndim, y.ndim) > 1
        else "i,i"
        if max(x.ndim, y.ndim) < 2
        else "i,...ij->...j"
        if x.ndim < 2
        else "...ij,j->...i",
        x,
        y,
    ),
    refused=(
        ((np.zeros((2, 3)), np.zeros((2, 3))), {}, ValueError, "3 columns but x2 has 2 rows"),
        ((np.zeros(()), np.zeros(3)), {}, ValueError, "at least one axis"),
        ((np.zeros(3), np.zeros(())), {}, ValueError, "at least one axis"),
        ((np.zeros((2, 3)), np.zeros(4)), {}, ValueError, "3 columns but x2 has 4 rows"),
    ),
)
spec("dot", products.filter(lambda d: max(d[0].ndim, d[1].ndim) < 4), np.dot)
spec("vdot", vectors.flatmap(lambda a: st.tuples(st.just(a), s.tensors(a.shape))), lambda a, b: np.sum(a * b))
spec(
    "vecdot",
    st.sampled_from([((3,), (3,)), ((2, 3), (3,)), ((2, 1, 3), (4, 3))]).flatmap(
        lambda shapes: st.tuples(*map(s.tensors, shapes))
    ),
    np.vecdot,
)
spec(
    "inner",
    st.tuples(s.tensors((2, 3)), s.tensors((4, 3)) | s.tensors((3,))) | st.tuples(small, s.tensors(())),
    np.inner,
)
spec("outer", st.tuples(small, small), np.outer)
spec("kron", st.tuples(s.tensors((2, 1)), s.tensors((1, 3))) | st.tuples(s.tensors((2, 2)), s.tensors((2, 2))), np.kron)
spec(
    "tensordot",
    st.tuples(
        s.tensors((2, 3, 2)), s.tensors((3, 2, 2)), st.sampled_from([2, 0, ([1, 0], [0, 2]), ([1], [0]), (-1, -1)])
    ).filter(lambda d: d[2] != 2),
    np.tensordot,
)
spec(
    "multi_dot",
    st.tuples(s.tensors((2, 3)), s.tensors((3, 2)), s.tensors((2,))),
    of_list(np.linalg.multi_dot),
    fn=of_list(mg.ops.multi_dot),
)
spec(
    "matrix_power",
    called(s.tensors((2, 2)) | s.tensors((2, 1, 1)), st.integers(0, 5)),
    np.linalg.matrix_power,
    refused=(((np.eye(2), 1.5), {}, TypeError, "must be an int"),),
)
spec(
    "cross",
    st.tuples(s.tensors((3,)) | s.tensors((2, 3)), s.tensors((3,)) | s.tensors((2, 3))),
    np.cross,
    refused=(
        ((np.zeros(4), np.zeros(3)), {}, ValueError, "size 2 or 3"),
        ((np.zeros(3), np.zeros(1)), {}, ValueError, "size 2 or 3"),
    ),
)

TestSpecs = specs.tests()
BOTH_WAYS = [((), (2, 3)), ((2, 3), ()), ((), ()), ((3,), (3,))]


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
    nearly_holds(np.matmul, *arrays(*shapes))


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
    nearly_holds(np.dot, *arrays(*shapes))


@pytest.mark.parametrize(
    "shapes", [*BOTH_WAYS, ((2, 3), (3,)), ((3,), (2, 3)), ((2, 3), (4, 3)), ((2, 1, 3), (4, 2, 3))]
)
def test_inner_of_every_number_of_axes(shapes):
    nearly_holds(np.inner, *arrays(*shapes))


@pytest.mark.parametrize("shapes", [*BOTH_WAYS, ((3,), (2,)), ((2, 3), (3, 2))])
def test_outer_of_every_number_of_axes(shapes):
    nearly_holds(np.outer, *arrays(*shapes))


@pytest.mark.parametrize("shape", [(3,), (2, 3)])
def test_vdot_and_vecdot(shape):
    a, b = arrays(shape, shape)
    nearly_holds(np.vdot, a, b)
    nearly_holds(np.vecdot, a, b)


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
    nearly_holds(np.vecdot, *arrays(*shapes), axis=axis)


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
    nearly_holds(np.kron, *arrays(*shapes))


@pytest.mark.parametrize(
    "axes", [0, 1, 2, np.int64(1), np.array(2), (1, 1), (-1, 0), ([1, 2], [0, 1]), ([2, 1], [1, 0]), ([], [])]
)
def test_tensordot(axes):
    nearly_holds(np.tensordot, *arrays((2, 3, 3), (3, 3, 2)), axes)


@pytest.mark.parametrize("n", [0, 1, 2, 3, np.array(6), np.int64(5)])
@pytest.mark.parametrize("shape", [(2, 2), (2, 3, 3), (5, 2, 3, 3), (2, 1, 1)])
def test_matrix_power(shape, n):
    nearly_holds(np.linalg.matrix_power, *arrays(shape), n)


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
    nearly_holds(np.cross, *arrays((3,), (3,)))
    nearly_holds(np.cross, *arrays((2, 3), (3,)))
    nearly_holds(np.cross, *arrays((3,), (2, 3)))


def test_multi_dot_may_begin_and_end_with_a_vector():
    a, b, c = arrays((2,), (2, 3), (3,))
    assert_allclose(mg.ops.multi_dot([a, b, c]), a @ b @ c)
    check_vjp(lambda *arrays: mg.ops.multi_dot(arrays), a, b, c)


def fewest(sizes):
    """The fewest multiplications for a chain of matrices between these sizes, of all orders."""
    ends = range(1, len(sizes) - 1)
    orders = [fewest(sizes[: i + 1]) + fewest(sizes[i:]) + sizes[0] * sizes[i] * sizes[-1] for i in ends]
    return min(orders, default=0)


@pytest.mark.parametrize(
    "sizes",
    [
        (5, 2, 8, 3),
        (1, 8, 5, 2, 3),
        (3, 8, 2, 8, 1),
        (2, 3, 5, 8, 1, 4),
        (4, 4, 4, 4, 4),
        (4, 2, 3),
        (5, 1, 8, 9, 2, 7),
    ],
)
def test_multi_dot_multiplies_as_rarely_as_numpys(sizes):
    chain = [leaf(a) for a in arrays(*itertools.pairwise(sizes))]
    found = mg.ops.multi_dot(chain)
    assert_array_equal(found.data, np.linalg.multi_dot([a.data for a in chain]))
    assert multiplications(found) == fewest(sizes)


@pytest.mark.parametrize("sizes", [(1, 2, 3, 2), (1, 1, 2, 1), (2, 3, 2, 1), (1, 2, 1, 1), (1, 2, 1), (1, 4, 3, 3, 1)])
def test_multi_dot_multiplies_vectors_as_rarely(sizes):
    """They are at the ends whose size is 1."""
    chain = arrays(*itertools.pairwise(sizes))
    chain[0] = chain[0][0] if sizes[0] == 1 else chain[0]
    chain[-1] = chain[-1][:, 0] if sizes[-1] == 1 else chain[-1]
    found = mg.ops.multi_dot([*map(leaf, chain)])
    assert_allclose(found.data, np.linalg.multi_dot(chain), rtol=1e-13)
    assert multiplications(found) == fewest(sizes)


def multiplications(product):
    """How many a recorded product of matrices took."""
    nodes, taken = [product.node], 0
    for node in nodes:
        if node.op is not None:
            x, y = node.arguments
            taken += x.size * math.prod(y.shape[1:])
            nodes += node.parents
    return taken


def test_a_chain_does_not_begin_with_a_stack():
    for stack in (np.ones((2, 2, 2)), np.ones(())):
        with pytest.raises(np.linalg.LinAlgError, match=r"^multi_dot: arrays\[0\] must be a matrix"):
            mg.multi_dot([stack, np.ones((2, 2))])


@pytest.mark.parametrize(("count", "said"), [(0, "at least two"), (1, "at least two"), (3, r"arrays\[1\] must be a")])
def test_what_is_no_chain_of_matrices(count, said):
    with pytest.raises(ValueError, match=f"^multi_dot: .*{said}"):
        mg.multi_dot([np.ones((2, 2)), np.ones(2), np.ones((2, 2))][:count])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: np.dot(a, a), r"x1 has 3 columns but x2 has 2 rows \(x1 \(2, 3\), x2 \(2, 3\)\)"),
        (lambda a: np.dot(a[0], a), r"x1 has 3 columns but x2 has 2 rows \(x1 \(3,\), x2 \(2, 3\)\)"),
        (lambda a: np.matmul(a, np.ones((4, 2, 3))), r"x1 has 3 columns but x2 has 2 rows"),
        (lambda a: np.vdot(a, a[0]), "x1 has 6 columns but x2 has 3 rows"),
        (lambda a: np.tensordot(a, np.ones((3, 2))), r"tensordot: axes \(0, 1\) of \(2, 3\) and \(0, 1\) of \(3, 2\)"),
        (lambda a: np.tensordot(a, a, 1), r"tensordot: axes \(1,\) of \(2, 3\) and \(0,\) of \(2, 3\) differ in size"),
        (lambda a: np.linalg.matrix_power(a[0], 2), r"a must be a square matrix, not \(3,\)"),
        (lambda a: np.linalg.matrix_power(a[0, 0], 2), r"a must be a square matrix, not \(\)"),
        (lambda a: np.linalg.matrix_power(a[None], 2), r"a must be a square matrix, not \(1, 2, 3\)"),
        (lambda a: np.linalg.matrix_power(np.reshape(a, (1, 3, 2)), 2), r"a must be a square matrix, not \(1, 3, 2\)"),
        (lambda a: np.linalg.matrix_power(np.reshape(a, (1, 2, 1, 3)), 0), "a must be a square matrix"),
    ],
)
def test_wrong_input_is_refused_in_words(call, message):
    with pytest.raises(ValueError, match=message):
        call(mg.tensor(np.ones((2, 3)), requires_grad=True))


def test_matrix_power_0_is_a_tensor():
    assert isinstance(np.linalg.matrix_power(leaf(np.ones((2, 2))), 0), mg.Tensor)
    with pytest.raises(ValueError, match="must be a square matrix"):
        np.linalg.matrix_power(leaf(np.ones((2, 3))), 0)
    with pytest.raises(TypeError, match=r"n must be an int, not 1\.5"):
        np.linalg.matrix_power(leaf(np.eye(2)), 1.5)


def test_kron_of_vectors():
    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0])
    assert_array_equal(np.kron(leaf(a), b).data, np.kron(a, b))


def test_linalg_spellings():
    a = np.arange(6.0).reshape(2, 3)
    assert_array_equal(np.matrix_transpose(leaf(a)).data, a.T)
    assert_array_equal(np.linalg.matmul(leaf(a), a.T).data, a @ a.T)
    assert_array_equal(np.vecdot(leaf(a), a, axis=0).data, np.vecdot(a, a, axis=0))
    assert_array_equal(np.linalg.tensordot(leaf(a), a.T, axes=1).data, a @ a.T)
    assert_array_equal(np.dsplit(leaf(np.ones((1, 2, 4))), 2)[1].data, np.ones((1, 2, 2)))


def test_matmul_sums_over_a_batch_in_one_product():
    x1, x2 = np.ones((5, 4, 3)), np.ones((3, 2))
    dx2 = mg.matmul.vjps[1](np.ones((5, 4, 2)), x1 @ x2, x1, x2)
    assert_array_equal(dx2, np.full((3, 2), 20.0))  # not (5, 3, 2), left to the sweep to sum


def test_scalar_products_conjugate_the_first_as_numpys_do():
    a, b = np.array([1.0, 2j]), np.array([3j, 4.0])
    assert mg.vdot(a, b) == np.vdot(a, b)
    assert mg.vecdot(a, b) == np.vecdot(a, b)


@pytest.mark.parametrize("n", [0.0, 2.0, "2", None, [2], np.array([2])])
def test_a_power_that_is_no_int_is_refused(n):
    with pytest.raises(TypeError, match=re.escape(f"matrix_power: n must be an int, not {n!r}")):
        mg.matrix_power(np.eye(2), n)


@pytest.mark.parametrize(
    ("function", "shapes", "axes"),
    [
        (np.matmul, ((3, 4, 5), (5, 3, 4)), [(2, 0), (1, 0), (0, 1)]),
        (np.matmul, ((3, 4, 5), (3, 2, 5)), [(1, 2), (2, 1), (2, 1)]),
        (np.matmul, ((3,), (3, 4, 5)), [0, (0, 1), 1]),
        (np.matmul, ((3,), (3,)), [0, 0, ()]),
        (np.vecdot, ((3, 4), (3, 4)), [0, 0]),
        (np.vecdot, ((3, 4), (3,)), [0, 0, ()]),
        (np.matvec, ((3, 4, 5), (5, 3)), [(1, 0), 1, 1]),
        (np.vecmat, ((5, 4), (4, 3, 5)), [1, (0, 1), 0]),
    ],
)
def test_products_along_axes(function, shapes, axes):
    a, b = (np.random.default_rng(0).normal(size=shape) for shape in shapes)
    assert_allclose(function(leaf(a), b, axes=axes).data, function(a, b, axes=axes))
    check_grads(lambda a, b: function(a, b, axes=axes), a, b)
    with pytest.raises(ValueError, match=f"np.{function.__name__}: axes must hold"):
        function(leaf(a), b, axes=[(0, 1, 2), *axes[1:]])


def test_outer_of_linalg_takes_vectors_alone():
    a, b, matrix = arrays(3, 4, (2, 3))
    assert_array_equal(np.linalg.outer(leaf(a), b).data, np.outer(a, b))
    for x, y in ((matrix, a), (a, matrix), (np.array(1.0), a)):
        with pytest.raises(ValueError, match="outer: x1 and x2 must be vectors, not"):
            np.linalg.outer(leaf(x), y)


def test_vectors_in_the_plane():
    a, b = arrays((4, 2), (4, 2))
    third = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    assert_array_equal(mg.cross(a, b), third)
    assert_array_equal(mg.cross(a, np.ones((4, 3)))[:, 2], a[:, 0] - a[:, 1])
    with pytest.raises(ValueError, match="cross: the vectors must have size 2 or 3, not 4 and 4"):
        mg.cross(*arrays((2, 3, 4), (2, 3, 4)))


def test_kronecker_products_of_any_axes():
    stack, matrix = arrays((2, 3, 4), (4, 3))
    for x, y in ((stack, matrix), (matrix[0], stack), (matrix, 2.0), (matrix[0], matrix[1])):
        assert_allclose(np.kron(leaf(x), y).data, np.kron(x, y))


@pytest.mark.parametrize("n", [-3, -1, 0, 1, 4, 6])
def test_powers_of_matrices_of_a_stack(n):
    stack = np.eye(3) + arrays((2, 3, 3))[0]
    assert_allclose(np.linalg.matrix_power(leaf(stack), n).data, np.linalg.matrix_power(stack, n), rtol=1e-10)


@pytest.mark.parametrize("sizes", [(3, 3), (2, 3), (3, 2)])
@pytest.mark.parametrize("axes", [(-1, -1, -1), (0, 1, 2), (2, 0, 1), (1, -1, 0), (-2, 0, -3)])
def test_vector_products_along_any_axes(sizes, axes):
    a, b = arrays((4, 5, sizes[0]), (4, 5, sizes[1]))
    in_space = [np.concatenate([x, np.zeros((4, 5, 3 - x.shape[-1]))], -1) for x in (a, b)]
    expected = np.moveaxis(np.cross(*in_space), -1, axes[2])
    given = np.moveaxis(a, -1, axes[0]), np.moveaxis(b, -1, axes[1])
    assert_array_equal(mg.cross(*given, *axes), expected)
    check_vjp(mg.cross, *given, *axes)


def test_one_axis_stands_for_all_three():
    a, b = arrays((4, 3, 5), (4, 3, 5))
    for axis in (1, -2):
        expected = np.cross(a, b, axis=axis)
        assert_array_equal(np.cross(leaf(a), b, 0, 2, 0, axis).data, expected)
        assert_array_equal(np.linalg.cross(leaf(a), b, axis=axis).data, expected)
    vector = np.ones(3)
    for x, y in ((vector[:2], vector), (vector, vector[:2]), (vector[:2], vector[:2])):
        with pytest.raises(ValueError, match="cross: the vectors must have size 3, not x1"):
            np.linalg.cross(leaf(x), y)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_vecdot_along_any_of_three_axes(axis):
    a, b = arrays((2, 3, 4), (2, 3, 4))
    assert_allclose(np.vecdot(leaf(a), b, axis=axis).data, np.vecdot(a, b, axis=axis))


def test_a_product_with_no_columns_has_a_gradient_of_zeros():
    assert_array_equal(mg.grad(lambda a: np.sum(a @ np.ones((3, 0))))(np.ones((2, 3))), np.zeros((2, 3)))
