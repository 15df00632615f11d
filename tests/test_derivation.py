"""The document's notation: what `vec` and `vec_jacobian` give."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import minigrad as mg


def test_vec_stacks_columns():
    a = np.arange(6.0).reshape(2, 3)
    assert_array_equal(mg.vec(a), [0, 3, 1, 4, 2, 5])
    assert mg.vec(np.ones((5, 2, 3))).shape == (5, 6)
    assert_array_equal(mg.vec(mg.tensor(a)).data, mg.vec(a))


def test_vec_jacobian_is_the_kronecker_product():
    a, x = np.arange(6.0).reshape(2, 3), np.ones((3, 4))
    assert_allclose(mg.vec_jacobian(lambda x: a @ x, x), np.kron(np.eye(4), a))  # vec(A X) = (I kron A) vec(X)
    assert_allclose(mg.vec_jacobian(lambda a, x: a @ x, a, x, argnum=0), np.kron(x.T, np.eye(2)))
    assert mg.vec_jacobian(np.sum, x).shape == (1, 12)


def test_vec_of_what_has_one_row_or_none():
    for shape in ((), (3,), (1, 3), (3, 1), (0, 2), (2, 2, 0), (2, 3, 4, 5)):
        a = np.arange(float(np.prod(shape))).reshape(shape)
        stacked = [matrix.ravel("F") for matrix in a.reshape(int(np.prod(shape[:-2])), *shape[-2:])]
        expected = np.reshape(stacked, (*shape[:-2], np.prod(shape[-2:], dtype=int))) if a.ndim > 1 else a
        assert_array_equal(mg.vec(a), expected, strict=True)


def test_vec_jacobian_of_stacks_takes_one_matrix_after_another():
    x = np.arange(12.0).reshape(2, 2, 3)

    def f(x):
        return np.swapaxes(x, -1, -2) * np.arange(1.0, 7).reshape(3, 2)

    columns = np.array([mg.vec(d).ravel() for d in map(f, np.eye(12).reshape(12, 2, 2, 3))]).T
    order = np.argsort(mg.vec(np.arange(12).reshape(2, 2, 3)).ravel())
    assert_array_equal(mg.vec_jacobian(f, x), columns[:, np.argsort(order)])
    assert_array_equal(mg.vec_jacobian(lambda a, x: f(x) + a, 1.0, x, argnum=-1), mg.vec_jacobian(f, x))
    assert_array_equal(mg.vec_jacobian(lambda a: a * np.ones((2, 2)), 1.0), np.ones((4, 1)))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: mg.vec_jacobian(np.sin, 1.0, argnum=1), ValueError, r"argnums 1 is out of range for 1 positional"),
        (
            lambda: mg.vec_jacobian(np.sin, 1.0, argnum="a"),
            TypeError,
            r"argnums must be an int or a tuple of ints, not 'a'",
        ),
        (lambda: mg.vec_jacobian(np.sin, 1.0, argnum=(0,)), TypeError, r"the function must take and return one array"),
        (lambda: mg.vec_jacobian(lambda x: [x, x], 1.0), TypeError, r"the function must take and return one array"),
        (
            lambda: mg.vec_jacobian(lambda x: x["a"], {"a": 1.0}),
            TypeError,
            r"the function must take and return one array",
        ),
        (lambda: mg.vec_jacobian(1.0, 1.0), TypeError, r"the first argument must be a function, not 1.0"),
    ],
)
def test_a_wrong_call_of_vec_jacobian_is_named(call, error, message):
    with pytest.raises(error, match=f"^vec_jacobian: {message}"):
        call()
