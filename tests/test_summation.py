"""Sums of very many entries, and of every order of axes and memory layout."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.operation import array_of
from minigrad.summation import PairwiseSum, blocked_dot, blocked_sum, normalized_axis, plus, plus_at, total


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((1_000_000, 3), 0),
        ((3, 1_000_000), 1),
        ((3, 2, 200_001), (0, 2)),
        ((99_999, 2, 5), (0, 2)),
        ((1_000_000,), None),
    ],
)
def test_a_million_equal_entries(shape, axis, dtype):
    a = np.full(shape, dtype(0.01))
    count = math.prod(shape[i] for i in np.atleast_1d(range(len(shape)) if axis is None else axis))
    for laid in (
        a,
        np.asfortranarray(a),
        np.broadcast_to(a[(slice(1),) * a.ndim], shape),
        np.repeat(a, 2, -1)[..., ::-2],
    ):
        found = blocked_sum(laid, axis)
        np.testing.assert_allclose(found, dtype(0.01).astype(np.longdouble) * count, rtol=8 * np.finfo(dtype).eps)


def test_all_entries_of_short_rows_that_lie_apart():
    apart = np.full((200_000, 4), 0.1, np.float32)[:, :2]
    for laid in (apart, apart.T):
        assert abs(blocked_sum(laid) - 40_000) < 0.05


@pytest.mark.parametrize("axis", [[0], True])
def test_a_list_or_a_boolean_is_no_axis(axis):
    with pytest.raises(TypeError, match=r"^axis must be an int or a tuple of ints, not (\[0\]|True)$"):
        blocked_sum(np.ones((2, 2)), axis)


def test_one_axis_is_an_int():
    assert [normalized_axis(axis, 3, "f") for axis in (0, -1, np.int64(1))] == [0, 2, 1]
    for axis in (True, 1.0):
        with pytest.raises(TypeError):
            normalized_axis(axis, 3, "f")
    with pytest.raises(TypeError, match=r"^f: axis must be an integer, not True$"):
        normalized_axis(True, 3, "f")
    with pytest.raises(np.exceptions.AxisError, match=r"^f: axis 3 is out of bounds for array of dimension 2"):
        normalized_axis(3, 2, "f")


def test_float16_is_rounded_once():
    assert np.all(blocked_sum(np.full((4096, 2), 0.1, np.float16), 0) == np.float16(4096 * float(np.float16(0.1))))
    assert blocked_sum(np.full((70_000, 1), 1.0, np.float16), dtype=np.float32) == 70_000


@given(data=st.data())
def test_every_layout_and_all_axes(data):
    shape = data.draw(
        st.lists(st.sampled_from([0, 1, 2, 3, 17, 40]), min_size=1, max_size=4).filter(lambda s: np.prod(s) < 1e5)
    )
    axis = data.draw(st.none() | st.sets(st.integers(0, len(shape) - 1)).map(tuple))
    order = data.draw(st.permutations(range(len(shape))))
    steps = data.draw(st.tuples(*[st.sampled_from([1, 2, -1, -2])] * len(shape)))
    repeated = data.draw(st.tuples(*[st.booleans()] * len(shape)))
    dtype, keepdims = data.draw(st.sampled_from([np.float16, np.float32, np.float64])), data.draw(st.booleans())
    a = np.random.default_rng(0).uniform(0.5, 2, [2 * n for n in shape]).astype(dtype)
    a = np.ascontiguousarray(a.transpose(order)).transpose(np.argsort(order))
    a = a[tuple(slice(None, None, step) for step in steps)][tuple(slice(n) for n in shape)]
    a = np.broadcast_to(a[tuple(slice(0, 1) if r else slice(None) for r in repeated)], a.shape)
    with np.errstate(over="ignore"):  # float16 ends at 65504
        found, plain = blocked_sum(a, axis, keepdims), np.sum(a, axis=axis, keepdims=keepdims)
    assert type(found) is type(plain)
    assert (found.dtype, np.shape(found)) == (dtype, np.shape(plain))
    expected = np.sum(a, axis=axis, keepdims=keepdims, dtype=np.longdouble)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(found, expected.astype(dtype), rtol=32 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, complex])
def test_other_dtypes_are_summed_as_numpy_does(dtype):
    a = np.ones((300, 4), dtype)
    found = blocked_sum(a, 0)
    assert found.dtype == np.sum(a, axis=0).dtype
    np.testing.assert_array_equal(found, np.full(4, 300))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_no_entries(dtype):
    for shape, axis in (((2, 40, 0), (0, 1)), ((20_000, 0), 0), ((0, 20_000, 2), 1), ((0, 5), 0)):
        a = np.ones(shape, dtype)
        np.testing.assert_array_equal(blocked_sum(a, axis), np.sum(a, axis=axis), strict=True)


def test_nan_and_infinities_pass():
    a = np.zeros((5000, 3), np.float32)
    a[77, 0], a[4000, 1], a[12, 2] = np.nan, np.inf, -np.inf
    np.testing.assert_array_equal(blocked_sum(a, 0), [np.nan, np.inf, -np.inf])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_all_sets_of_axes_of_a_large_array(order, dtype):
    a = np.asarray(np.random.default_rng(0).uniform(0.5, 1, (30, 4, 50, 20)), dtype, order=order)
    exact = a.astype(np.longdouble)
    for count in range(5):
        for axes in itertools.combinations(range(4), count):
            rtol = 16 * np.finfo(dtype).eps
            np.testing.assert_allclose(blocked_sum(a, axes), np.sum(exact, axis=axes), rtol=rtol)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("orders", ["CC", "FF", "CF"])
@pytest.mark.parametrize("shape", [(30, 4, 50, 20), (2, 3, 1500), (40, 2, 16), (3, 0, 20), (1,), ()])
def test_sums_of_products_over_all_sets_of_axes(shape, orders, dtype):
    rng = np.random.default_rng(0)
    x, y = (np.asarray(rng.uniform(0.5, 1, shape), dtype, order=order) for order in orders)
    exact = x.astype(np.longdouble) * y
    for axes in itertools.chain.from_iterable(itertools.combinations(range(len(shape)), n) for n in range(5)):
        for other, products in ((y, exact), (None, x.astype(np.longdouble))):
            found = blocked_dot(x, other, axes)
            assert found.dtype == dtype
            np.testing.assert_allclose(
                found, np.sum(products, axis=axes, keepdims=True), rtol=16 * np.finfo(dtype).eps, strict=False
            )


def test_a_sum_of_a_million_products_is_precise():
    x = np.full((2, 1000, 1000), np.float32(0.1))
    np.testing.assert_allclose(blocked_dot(x, x, (1, 2)), np.float32(0.1) ** 2 * 1e6, rtol=1e-6)


@pytest.mark.parametrize("one", [np.ones(3), 1.0, np.float32(1), mg.tensor([1.0, 1.0])])
def test_a_pairwise_sum_has_a_part_for_each_binary_digit_of_the_count(one):
    pairwise = PairwiseSum(one)
    for count in range(2, 80):
        pairwise.add(one)
        sizes = [2**i for i in reversed(range(8)) if count & 2**i]
        assert [np.ravel(array_of(part))[-1] for part in pairwise.parts] == sizes
        found = total(pairwise)
        assert isinstance(found, type(one))
        assert np.all(array_of(found) == count)
    assert np.all(array_of(one) == 1)


def test_a_sum_of_arrays_that_arrive_one_by_one_is_precise_and_changes_none():
    parts = np.full((50_000, 2), 0.1, np.float32)
    pairwise = parts[0]
    for part in parts[1:]:
        pairwise = plus(pairwise, part)
    np.testing.assert_allclose(total(pairwise), 50_000 * float(parts[0, 0]), rtol=4 * np.finfo(np.float32).eps)
    assert np.all(parts == np.float32(0.1))
    assert total(parts) is parts


def test_a_sum_of_slices_that_arrive_one_by_one_is_precise_and_changes_none():
    parts = np.full((20_000, 2), 0.1, np.float32)
    first = pairwise = np.zeros(3, np.float32)
    for part in parts:
        pairwise = plus_at(pairwise, slice(2), part, (3,), None)
    np.testing.assert_allclose(total(pairwise), 2000 * np.array([1, 1, 0]), rtol=4 * np.finfo(np.float32).eps)
    assert np.all(parts == np.float32(0.1))
    assert np.all(first == 0)


def layouts(a):
    """The same entries as they may lie in memory."""
    yield a
    if a.ndim:
        yield np.asfortranarray(a)
        yield np.repeat(a, 2, -1)[..., ::2]
        yield a[::-1].copy()[::-1]
    if a.ndim > 1:
        yield np.ascontiguousarray(np.swapaxes(a, 0, 1)).swapaxes(0, 1)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, np.complex64, complex, int])
@pytest.mark.parametrize(
    "shape", [(), (5,), (3000,), (2000, 3), (3, 2000, 2), (70, 2100), (1, 5), (0, 3), (3, 0), (2, 70, 1, 70)]
)
def test_sums_of_whole_numbers_are_exact(shape, dtype):
    whole = np.asarray(np.random.default_rng(0).integers(0, 4, shape, dtype=np.int64))
    sets = [axes for n in range(len(shape) + 1) for axes in itertools.combinations(range(len(shape)), n)]
    for a in layouts(whole.astype(dtype)):
        for axis in [None, *sets, *range(-len(shape), len(shape))]:
            for keepdims in (False, True):
                with np.errstate(over="ignore"):  # float16 ends at 65504
                    found = blocked_sum(a, axis, keepdims)
                    expected = np.sum(whole, axis=axis, keepdims=keepdims).astype(dtype)
                np.testing.assert_array_equal(found, expected, strict=True)
                assert not np.shares_memory(found, a)
        if dtype in (np.float16, np.float32, int):
            for axis in (None, 0 if shape else None):
                wide = blocked_sum(a, axis, dtype=np.float64)
                np.testing.assert_array_equal(wide, np.sum(whole, axis=axis).astype(float), strict=True)


@pytest.mark.parametrize(("shape", "axis"), [((2000, 3), 0), ((3, 2000, 2), 1), ((130, 40), 0)])
def test_a_small_sum_in_float32_is_rounded_once(shape, axis):
    a = np.random.default_rng(0).uniform(0.5, 1, shape).astype(np.float32)
    exact = np.sum(a, axis=axis, dtype=np.float64).astype(np.float32)
    np.testing.assert_array_equal(blocked_sum(a, axis), exact, strict=True)


def test_the_sum_of_an_array_with_gaps_is_precise():
    wide, turned = np.full((200_000, 4), 0.01, np.float32), np.full((20, 50_000, 4), 0.1, np.float32)
    for a in (wide[:, :3], turned.transpose(1, 0, 2)[..., :2]):
        exact = np.sum(a, dtype=np.float64)
        np.testing.assert_allclose(blocked_sum(a), exact, rtol=8 * np.finfo(np.float32).eps)


@pytest.mark.parametrize("axis", [1, -2, 5, (0, 0), "a", 0.0])
@pytest.mark.parametrize("shape", [(), (3,)])
def test_wrong_axes_are_refused_as_numpy_does(shape, axis):
    a = np.ones(shape)
    with pytest.raises((ValueError, TypeError)) as told:
        np.sum(a, axis=axis)
    with pytest.raises(told.type):
        blocked_sum(a, axis)


def test_an_array_without_axes_takes_the_first_and_the_last():
    for axis in (0, -1, None, ()):
        assert blocked_sum(np.array(2.0), axis) == np.sum(np.array(2.0), axis=axis) == 2


@pytest.mark.parametrize("n", range(1, 9))
@pytest.mark.parametrize("dtype", "fd")
def test_short_rows_are_added_as_numpy_adds_them(n, dtype):
    a = np.random.default_rng(0).normal(size=(40, 30, n)).astype(dtype)
    a[0], a[1, :, 0], a[2] = -0.0, np.inf, 0.0
    inside = a.transpose(0, 2, 1).copy()
    for x, axis in ((a, -1), (a[::-2], 2), (a.transpose(1, 0, 2), -1), (np.asfortranarray(a), -1), (inside, 1)):
        for keepdims in (False, True):
            found, expected = blocked_sum(x, axis, keepdims), np.sum(x, axis, keepdims=keepdims)
            np.testing.assert_array_equal(found, expected, strict=True)
            np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 63, 64, 65, 128, 1030, 4096 + 7, 70_000])
def test_the_sum_of_any_number_of_long_rows(n, dtype):
    rows = np.random.default_rng(n).normal(size=(n, 17)).astype(dtype)
    exact = rows.astype(np.longdouble).sum(axis=0)
    size = np.abs(rows).astype(np.longdouble).sum(axis=0)
    for a in (rows, rows.reshape(1, n, 1, 17)):
        for keepdims in (False, True):
            axes = tuple(range(a.ndim - 1))
            total = blocked_sum(a, axes, keepdims)
            assert total.shape == np.sum(a, axes, keepdims=keepdims).shape
            assert total.dtype == dtype
            assert np.all(np.abs(total.ravel() - exact) <= 8 * np.finfo(dtype).eps * size)
