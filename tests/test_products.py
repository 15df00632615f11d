"""Products in threads are NumPy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad import products, threads


@pytest.fixture(autouse=True)
def small_products_are_shared(monkeypatch):
    monkeypatch.setattr(threads, "_pool", threads._Pool(3))
    for name, value in (("FEWEST_PRODUCTS", 30), ("FEWEST_ROWS", 1), ("ONE_THREAD", 0), ("_ONE_THREAD_OF_VECTOR", 0)):
        monkeypatch.setattr(products, name, value)
    products._parts_of_product.cache_clear()
    yield
    products._parts_of_product.cache_clear()


SIZES = st.integers(0, 9)


@given(
    st.data(), st.sampled_from([(1, 1), (1, 2), (2, 1), (2, 2), (3, 2), (2, 3), (3, 3), (4, 3), (4, 4), (1, 3), (3, 1)])
)
def test_a_product_is_numpys(data, axes):
    n, batch = data.draw(SIZES), data.draw(st.tuples(SIZES, SIZES))
    a = (*batch[: max(axes[0] - 2, 0)], data.draw(SIZES), n)[-axes[0] :]
    b = (n,) if axes[1] == 1 else (*batch[: axes[1] - 2], n, data.draw(SIZES))
    if axes == (4, 3):
        b = (batch[1], *b[1:])
    if data.draw(st.booleans()) and len(b) > 2:  # broadcast
        b = (1, *b[1:])
    dtypes = st.sampled_from(["f8", "f4", "f2", "i8", "u1", "?", "D", "O", ">f8"])
    x, y = ((np.arange(np.prod(shape)).reshape(shape) % 7).astype(data.draw(dtypes)) for shape in (a, b))
    if data.draw(st.booleans()):
        x, y = np.asfortranarray(x), y[::-1].copy()[::-1]
    np.testing.assert_array_equal(products.product(x, y), np.matmul(x, y), strict=True)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((20, 7), (7, 5)),
        ((5, 7), (7, 40)),
        ((4, 5, 7), (7, 6)),
        ((4, 5, 7), (4, 7, 6)),
        ((3, 1, 5, 7), (3, 4, 7, 6)),
        ((3, 2, 5, 7), (3, 1, 7, 6)),
    ],
)
def test_a_product_of_several_parts_is_numpys(a, b):
    assert len(products._parts_of_product(a, b, 3)) > 1
    x, y = np.arange(np.prod(a), dtype=float).reshape(a), np.arange(np.prod(b)).reshape(b)
    np.testing.assert_array_equal(products.product(x, y), np.matmul(x, y), strict=True)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((4, 5, 7), (1, 7, 6)),
        ((1, 5, 7), (4, 7, 6)),
        ((4, 5, 7), (3, 4, 7, 6)),
        ((3, 4, 5, 7), (4, 7, 6)),
        ((3, 4, 5, 7), (1, 4, 7, 6)),
        ((3, 5, 7), (3, 3, 7, 6)),
        ((4, 3, 5, 7), (4, 1, 7, 6)),
        ((5, 7), (4, 7, 6)),
    ],
)
def test_a_product_of_batches_that_differ_is_numpys(a, b):
    x, y = np.arange(np.prod(a), dtype=float).reshape(a), np.arange(np.prod(b)).reshape(b)
    np.testing.assert_array_equal(products.product(x, y), np.matmul(x, y), strict=True)


def test_blas_has_as_many_threads_as_before():
    before = threads._blas.get and threads._blas.get()
    mg.matmul(np.ones((50, 40)), np.ones((40, 30)))
    assert (threads._blas.get and threads._blas.get()) == before
