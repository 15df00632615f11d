"""Large arrays in blocks: the same bits as the whole, for any shape, layout and number of threads."""

import sys
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.gradients import slopes

import minigrad as mg
from minigrad import blockwise, operation
from minigrad.ops.arithmetic import selected

SHAPES = [(16,), (9, 4), (8, 3, 5, 4), (2, 9, 4, 6), (2, 2, 10)]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Arrays of a few entries count as large."""
    for name, nbytes in (("BLOCK", 64), ("LARGE", 128), ("BEYOND_CACHE", 256)):
        monkeypatch.setattr(blockwise, name, nbytes)
    monkeypatch.setattr(operation, "LARGE", blockwise.LARGE)
    before = mg.get_num_threads()
    yield
    mg.set_num_threads(before)


@st.composite
def laid_out(draw, shape, dtype=float):
    """An array of this shape, in some order of axes in memory, perhaps with gaps and backwards."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    order = draw(st.permutations(range(len(shape))))
    step = draw(st.sampled_from([1, 2, -1]))
    last = shape[order[-1]]
    memory = rng.normal(size=[shape[i] for i in order[:-1]] + [last * abs(step)]).astype(dtype)
    return memory[..., ::step].transpose(np.argsort(order))


def broadcast(draw, shape):
    """A shape that broadcasts to this one."""
    kept = [n if draw(st.booleans()) else 1 for n in shape]
    return tuple(kept[draw(st.integers(0, len(shape))) :])


@settings(max_examples=40)
@given(st.data(), st.sampled_from(SHAPES), st.integers(1, 3))
def test_elementwise_functions(data, shape, threads):
    mg.set_num_threads(threads)
    other = broadcast(data.draw, shape)
    pair = [data.draw(laid_out(shape)), data.draw(laid_out(other, np.float32) if other else st.just(2.0))]
    arguments = data.draw(st.permutations([*pair, 0.5]))

    def f(x, y, z):
        return x * (1 - y * y) + z

    assert_array_equal(blockwise.blockwise(f, arguments, {}), f(*arguments), strict=True)
    assert_array_equal(blockwise.blockwise(np.arctan2, pair, {}), np.arctan2(*pair), strict=True)


@settings(max_examples=40)
@given(st.data(), st.integers(1, 3), st.sampled_from([(2, 9, 6, 8), (9, 2, 8, 6), (9, 6, 8)]))
def test_pools(data, threads, shape):
    x, options = (
        data.draw(laid_out(shape)),
        data.draw(st.sampled_from([{}, {"stride": 1}, {"stride": 3, "padding": 1}])),
    )
    for pool in (mg.avg_pool2d, mg.max_pool2d):
        found = []
        for n in (1, threads):
            mg.set_num_threads(n)
            y, pullback = mg.vjp(lambda x, pool=pool: pool(x, 2, **options), x)
            found.append((y, *pullback(np.cos(np.arange(y.size)).reshape(y.shape))))
        assert_array_equal(found[0][0], found[1][0], strict=True)
        assert_array_equal(found[0][1], found[1][1], strict=True)


@settings(max_examples=40)
@given(st.data(), st.integers(1, 3))
def test_relu_and_selection(data, threads):
    mg.set_num_threads(threads)
    x, mask = data.draw(laid_out((8, 3, 5, 4))), data.draw(laid_out((8, 3, 5, 4))) > 0
    assert_array_equal(mg.relu(x), np.maximum(x, 0))
    assert_array_equal(selected(x, mask), np.where(mask, x, 0))
    assert_array_equal(selected(x, mask[0]), np.where(mask[0], x, 0))


@settings(max_examples=40)
@given(st.data(), st.sampled_from(SHAPES), st.integers(1, 3))
def test_gradients(data, shape, threads):
    mg.set_num_threads(threads)
    other = broadcast(data.draw, shape)
    x, y = data.draw(laid_out(shape)), data.draw(laid_out(other) if other else st.just(2.0))
    for f in (np.arctan2, lambda x, y: np.tanh(x) * y, lambda x, y: mg.leaky_relu(x - y, 0.3)):
        found = slopes(f, x, y)
        with patch.object(operation, "LARGE", np.inf):
            for dx, expected in zip(found, slopes(f, x, y), strict=True):
                assert_array_equal(dx, expected, strict=True)


@given(st.integers(0, 60), st.integers(0, 600), st.integers(1, 3))
def test_parts_cover_everything_once(n, nbytes, threads):
    mg.set_num_threads(threads)
    assert [i for part in blockwise.parts(n, nbytes) for i in range(n)[part]] == list(range(n))


def test_an_op_whose_entries_belong_together_is_computed_as_a_whole():
    a, b = (np.random.default_rng(i).normal(size=(16, 16)) for i in range(2))
    for da, expected in zip(slopes(np.matmul, a, b), slopes(lambda a, b: np.einsum("ij,jk", a, b), a, b), strict=True):
        np.testing.assert_allclose(da, expected, rtol=1e-12)


@pytest.mark.parametrize("threads", [1, 2])
def test_second_derivatives(threads):
    mg.set_num_threads(threads)
    x = np.linspace(-1, 1, 60).reshape(12, 5)
    for f in (np.tanh, lambda x: x * np.exp(x), lambda y: np.arctan2(y, x + 2)):
        second = mg.elementwise_grad(mg.elementwise_grad(f))
        with patch.object(operation, "LARGE", np.inf):
            expected = second(x)
        assert_array_equal(second(x), expected, strict=True)


@pytest.mark.parametrize("arguments", [(np.ones(0), 2.0), (2.0, np.ones(0))])
def test_an_empty_array_has_no_blocks(arguments):
    assert_array_equal(blockwise.blockwise(np.add, arguments, {}), np.ones(0), strict=True)


def test_the_order_in_memory_is_kept_and_the_result_owns_its_memory():
    mg.set_num_threads(2)
    x = np.zeros((4, 6, 8, 10)).transpose(3, 1, 0, 2)
    for y in (mg.tanh(x), mg.relu(x), mg.avg_pool2d(x, 2), x + mg.tensor(np.ones((6, 1, 1)))):
        y = getattr(y, "data", y)
        assert np.argsort(y.strides).tolist() == np.argsort(x.strides).tolist()
    assert mg.tanh(x).flags.owndata


def test_an_argument_or_a_number_that_is_returned_is_no_new_array():
    mg.set_num_threads(2)
    g = np.ones(100)
    assert type(blockwise.blockwise(lambda g: 2.0, (g,), {})) is float
    assert blockwise.blockwise(lambda g, x: g, (g, np.ones(100)), {}) is g


@pytest.mark.parametrize("threads", [1, 2])
def test_an_array_that_lies_backwards_is_computed_as_a_whole(threads):
    """NumPy turns a whole one round, which can change the last bit on some processors."""
    mg.set_num_threads(threads)
    x = np.linspace(1, 2, 120).reshape(12, 10)
    for y, whole in ((x, False), (x[::-1], True), (x[:, ::-1], True), (x[::-1, ::-1], True), (x[:1, ::-1], True)):
        seen = set()

        def f(x, y, seen=seen):
            seen.add(x.shape)
            return x * y

        assert_array_equal(blockwise.blockwise(f, (x, y), {}), x * y, strict=True)
        assert (seen == {(12, 10)}) == whole


def test_shapes_that_are_larger_together_and_wrong_ones():
    mg.set_num_threads(2)
    column, row = np.arange(40.0)[:, None], np.arange(50.0)
    assert_array_equal(mg.add(column, row), column + row)
    with pytest.raises(ValueError, match="add"):
        mg.add(np.ones(40), np.ones(41))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts page faults as Linux does")
@pytest.mark.parametrize("images", [64, None])
def test_a_training_step_has_no_page_faults(monkeypatch, images):
    monkeypatch.undo()
    resource = pytest.importorskip("resource")
    mg.set_num_threads(2)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 4, 24, 24)).astype(np.float32)
    k = mg.tensor(rng.normal(size=(8, 4, 5, 5)).astype(np.float32), requires_grad=True)

    def step():
        mg.sum(mg.avg_pool2d(mg.tanh(mg.conv2d(x, k)), 2) if images else mg.tanh(x * 2 + k[0, 0, 0, 0]) * x).backward()
        k.grad = None

    for _ in range(5):
        step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        step()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 5 * 50  # one result alone has 230 pages


@settings(max_examples=40)
@given(st.data(), st.sampled_from(SHAPES), st.integers(1, 3), st.sampled_from([np.float16, np.float32, np.float64]))
def test_sigmoid_where_one_block_has_an_extreme_entry(data, shape, threads, dtype):
    mg.set_num_threads(threads)
    z = data.draw(laid_out(shape, dtype))
    z[(0,) * z.ndim] = extreme = data.draw(st.sampled_from([0, -1e4, 1e4, np.nan]))
    a = mg.sigmoid(z)
    wide = np.clip(z.astype(np.longdouble), -1e4, 1e4)
    expected = (1 / (1 + np.exp(-wide))).astype(dtype)
    assert a.dtype == dtype
    assert a[(0,) * z.ndim] == expected[(0,) * z.ndim] or np.isnan(extreme)
    np.testing.assert_allclose(a, expected, rtol=4 * np.finfo(dtype).eps, atol=np.finfo(dtype).tiny)
    others = np.array(z)
    others[(0,) * z.ndim] = 1
    assert_array_equal(mg.sigmoid(others).flat[1:], a.flat[1:])


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("axis", [0, 1])
def test_what_is_computed_of_a_stretched_array_lies_like_the_other(order, axis):
    x = np.asarray(np.random.default_rng(0).normal(size=(40, 30)), order=order)
    stretched = np.broadcast_to(x.sum(axis, keepdims=True), x.shape)
    for threads in (1, 2):
        mg.set_num_threads(threads)
        products = blockwise.blockwise(np.multiply, (stretched, x), {})
        assert_array_equal(products, stretched * x)
        chosen = selected(stretched, x > 0)
        assert_array_equal(chosen, np.where(x > 0, stretched, 0))
        assert products.strides == chosen.strides == x.strides
