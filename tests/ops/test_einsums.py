"""einsum: value and derivatives by its spec, NumPy's subscripts and refusals one by one."""

import time

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.agreement import arrays, nearly_holds
from support.gradients import leaf
from support.specification import Specs

import minigrad as mg
from minigrad import grad
from minigrad.testing import strategies as s

specs = Specs()
spec = specs.add
spec(
    "einsum",
    s.einsum_inputs(),
    lambda subscripts, *arrays: np.einsum(subscripts, *arrays),
    refused=(
        (("ij", np.zeros(2)), {}, ValueError, "does not fit"),
        (("i,i", np.zeros(2)), {}, ValueError, "names 2 operands"),
        ((0, np.zeros(2)), {}, TypeError, "must be a string"),
    ),
)

TestSpecs = specs.tests()


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
    nearly_holds(np.einsum, subscripts, *arrays(*shapes))


def test_einsum_of_float32_has_gradients_of_float32():
    a = np.ones((2, 2, 3), np.float32)
    for subscripts in ("iij->j", "iij->ij", "ijk->k"):
        out, pull = mg.vjp(lambda a, s=subscripts: np.einsum(s, a), a)
        assert out.dtype == np.float32
        op = mg.ops.einsums._einsum
        left, _, right = subscripts.partition("->")
        assert op.vjps[0](out, out, a, inputs=(left,), output=right).dtype == np.float32
        assert pull(out)[0].dtype == np.float32


def test_the_vjp_of_a_product_of_two_is_a_product_of_two():
    a, b, g = (mg.tensor(x, requires_grad=True) for x in arrays((2, 3), (3, 4), (2, 4)))
    for i in range(2):
        gradient = mg.ops.einsums._einsum.vjps[i](g, g, a, b, inputs=("ij", "jk"), output="ik")
        assert len(gradient.node.parents) == 2


def test_an_infinite_gradient_of_einsum_stays_in_its_place():
    g = np.array([[np.inf, 1.0], [2.0, 3.0]])
    assert_array_equal(mg.vjp(lambda a: np.einsum("ij->ji", a), np.ones((2, 2)))[1](g)[0], g.T)


def test_einsum_takes_three_matrices_two_at_a_time():
    a = np.ones((300, 300))
    start = time.process_time()
    assert_array_equal(mg.ops.einsum("ij,jk,kl->il", a, a, a), np.full((300, 300), 90000.0))
    assert time.process_time() - start < 2  # 10 ms; all four indices in one loop take some 8 s


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: np.einsum("...ijk->k", a), r"einsum: '...ijk->k' does not fit operands of shape \[\(2, 3\)\]"),
        (lambda a: np.einsum("i,...", a, a), "does not fit operands"),
        (lambda a: np.einsum("...j->j", a), r"einsum: '...j->j' has axes of '...' that its output leaves out: write"),
        (lambda a: np.einsum("ij,ij", a), "names 2 operands, but 1 are given"),
    ],
)
def test_wrong_input_is_refused_in_words(call, message):
    with pytest.raises(ValueError, match=message):
        call(mg.tensor(np.ones((2, 3)), requires_grad=True))


def test_einsum_broadcasts_a_size_of_1():
    x, y = np.arange(1.0, 4.0).reshape(1, 3), np.arange(6.0).reshape(2, 3)
    dx, dy = grad(lambda x, y: np.sum(np.einsum("ij,ij->j", x, y)), (0, 1))(x, y)
    assert_array_equal(dx, y.sum(0, keepdims=True))
    assert_array_equal(dy, np.broadcast_to(x, (2, 3)))


def test_einsum_with_ellipses_of_different_lengths():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 4, 5, 3)), rng.normal(size=(5, 3))
    for subscripts in ("i...j,...j->i...", "i...j,...j", "...ij,ij->..."):
        assert_allclose(np.einsum(subscripts, leaf(a), b).data, np.einsum(subscripts, a, b))
        _, pullback = mg.vjp(lambda a, b, s=subscripts: np.einsum(s, a, b), a, b)
        g = rng.normal(size=np.einsum(subscripts, a, b).shape)
        da, db = pullback(g)
        assert_allclose(np.sum(da * a), np.sum(g * np.einsum(subscripts, a, b)))
        assert_allclose(np.sum(db * b), np.sum(g * np.einsum(subscripts, a, b)))


def test_a_letter_that_one_operand_alone_sums():
    a, b = np.random.default_rng(0).normal(size=(2, 3, 4)), np.random.default_rng(1).normal(size=(4, 2, 5))
    for subscripts, x, y in (("ij,jkl->ik", a[0], b), ("ijk,kl->il", a, b[:, 0]), ("ijk,klm->i", a, b)):
        np.testing.assert_allclose(
            np.einsum(subscripts, mg.tensor(x, requires_grad=True), y).data, np.einsum(subscripts, x, y)
        )


def test_an_axis_of_length_1_is_stretched_and_a_cast_that_is_allowed_keeps_the_dtype():
    a, b = np.random.default_rng(0).normal(size=(3, 1)), np.random.default_rng(1).normal(size=(4, 5))
    t = mg.tensor(a, requires_grad=True)
    np.testing.assert_allclose(np.einsum("ij,jk->ik", t, b).data, np.einsum("ij,jk->ik", a, b))
    small = mg.tensor(a.astype(np.float32), requires_grad=True)
    assert np.einsum("ij,ij->i", small, small, casting="same_kind").dtype == np.float32


def test_products_for_each_entry_of_a_batch():
    a, b = np.random.default_rng(0).normal(size=(2, 3, 4)), np.random.default_rng(1).normal(size=(4, 2, 5))
    for subscripts in ("bij,jbk->bik", "bij,jbk->ikb", "bij,jbk->kbi"):
        found = np.einsum(subscripts, mg.tensor(a, requires_grad=True), b)
        np.testing.assert_allclose(found.data, np.einsum(subscripts, a, b))


@pytest.mark.parametrize(
    "call",
    [
        lambda f, a, b, c: f(a, [0, 1], b, [1, 2]),
        lambda f, a, b, c: f(a, [0, 1], b, [1, 2], [2, 0]),
        lambda f, a, b, c: f(a, (0, 1), b, (1, 2), c, (2, 51), (51, 0)),
        lambda f, a, b, c: f(a, [..., 0], [0, ...]),
        lambda f, a, b, c: f(a, [1, 0]),
        lambda f, a, b, c: f(a, [0, 1], []),
        lambda f, a, b, c: f("ij,jk->k", a.tolist(), b),
    ],
)
def test_lists_of_numbers_stand_for_letters(call):
    a, b, c = arrays((2, 3), (3, 4), (4, 5))
    assert_allclose(call(np.einsum, mg.tensor(a), b, mg.tensor(c)), call(np.einsum, a, b, c), rtol=1e-13)
    assert_allclose(call(mg.einsum, a, b, c), call(np.einsum, a, b, c), rtol=1e-13)


def test_each_operand_needs_a_list_and_a_path_that_fits():
    a = leaf(np.ones((2, 3)))
    for wrong in ((a, [0, 1], a), (a, [0, 1], a, a, [0]), (a, [0, 1], a, 0)):
        with pytest.raises(TypeError, match=r"^einsum: each operand must be followed by a list"):
            np.einsum(*wrong)
    for no_string in ((a, a), (0, a), (a,)):
        with pytest.raises(TypeError, match=r"^einsum: subscripts must be a string"):
            np.einsum(*no_string)
    with pytest.raises(TypeError, match="einsum: optimize must be a bool, 'greedy', 'optimal' or a path, not 3"):
        np.einsum("ij->", a, optimize=3)
    with pytest.raises(KeyError, match="fast"):
        np.einsum("ij,ij,ij->", a, a, a, optimize="fast")
    for optimize in ("greedy", "optimal", ["einsum_path", (0, 1)]):
        assert np.einsum("ij,ij->", a, a, optimize=optimize).item() == 6


def test_casts_that_are_not_allowed_are_refused():
    a, single = leaf(np.ones((2, 3))), leaf(np.ones((2, 3), np.float32))
    for options in ({"dtype": np.float32}, {"dtype": int, "casting": "same_kind"}, {"casting": "no"}):
        with pytest.raises(TypeError, match=r"einsum: a cast of float.* to .* is not '"):
            np.einsum("ij,ij->", a, single, **options)
    assert np.einsum("ij,ij->", single, single, dtype=float).dtype == np.float64
    assert np.einsum("ij,ij->", a, single, dtype=np.float32, casting="same_kind").dtype == np.float32


@pytest.mark.parametrize("subscripts", ["i->", "i,->", ",i->"])
def test_an_index_that_one_operand_alone_has_is_summed_precisely(subscripts):
    a = np.full(2**18, 0.1, np.float32)
    operands = [a if "i" in letters else np.float32(1) for letters in subscripts.split("->")[0].split(",")]
    assert_allclose(mg.einsum(subscripts, *operands), 2**18 * float(a[0]), rtol=1e-6)


def test_sums_of_float16_and_of_integers_keep_the_dtype():
    half = np.full((2, 4096), 0.1, np.float16)
    total = mg.einsum("ij,j->i", half, half[0])
    assert total.dtype == np.float16
    assert_allclose(total, 4096 * float(half[0, 0]) ** 2, rtol=1e-3)
    large, small = np.float16([[300]]), np.float16([[1e-3]])
    assert_allclose(mg.einsum("ij,jk,kl->il", large, large, small), [[90]], rtol=1e-3)
    whole = np.arange(6).reshape(2, 3)
    for small in (whole, whole.astype(np.int8)):
        assert_array_equal(mg.einsum("ij,kj->ik", whole, small), whole @ whole.T, strict=True)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, bool])
@pytest.mark.parametrize("subscripts", ["ij->i", "ij->", "ii->", "ij,ij->i", "ij,jk->k"])
def test_sums_of_integers_have_numpys_dtype_and_wrap_around(subscripts, dtype):
    a = np.full((300, 300), 100).astype(dtype)
    given = [a] * (1 + subscripts.count(","))
    assert_array_equal(np.einsum(subscripts, *map(mg.tensor, given)).data, np.einsum(subscripts, *given), strict=True)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, bool])
@pytest.mark.parametrize("single", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("subscripts", ["ij,j->", "ij,k->k", "ii,j->j", "ij,jk->k", "ij,j,ij->"])
def test_integers_beside_fractions_count_as_fractions_where_they_are_summed_alone(subscripts, single, dtype):
    whole = (np.arange(9).reshape(3, 3) * 12).astype(dtype)
    _, *others = subscripts.split("->")[0].split(",")
    x = leaf(np.linspace(0.25, 1, 3 ** len(others[0]), dtype=single).reshape((3,) * len(others[0])))
    given = [whole] * (len(others) - 1)
    value = mg.einsum(subscripts, whole, x, *given)
    value.sum().backward()
    exact = mg.tensor(x.data.astype(float), requires_grad=True)
    expected = mg.einsum(subscripts, whole.astype(float), exact, *[a.astype(float) for a in given])
    expected.sum().backward()
    assert value.dtype == np.result_type(whole, x.data)
    rtol = 2 * np.finfo(single).eps
    assert_allclose(value.data, expected.data, rtol=rtol)
    assert_allclose(x.grad, exact.grad, rtol=rtol)
