"""NumPy's functions of Tensors against the same of arrays, and a right VJP with them."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

import minigrad as mg
from minigrad.stand_ins import NUMPY
from minigrad.testing import check_vjp


def array(*shape):
    return np.random.default_rng(0).permutation(np.arange(1.0, np.prod(shape) + 1)).reshape(shape)


def as_tensors(argument):
    if isinstance(argument, list) and any(isinstance(a, np.ndarray) for a in argument):
        return [mg.tensor(a) for a in argument]
    return mg.tensor(argument) if isinstance(argument, np.ndarray) else argument


def holds(function, *arguments, **options):
    """NumPy's function has NumPy's value on Tensors too, and what stands for it a right VJP."""
    value = function(*map(as_tensors, arguments), **options)
    expected = function(*arguments, **options)
    if isinstance(expected, (list, tuple)):
        assert len(value) == len(expected)
        for found, right in zip(value, expected, strict=True):
            assert_same(found, right)
    else:
        assert_same(value, expected)
        ours = NUMPY[function]
        if isinstance(arguments[0], list):
            check_vjp(lambda *arrays: ours(arrays, *arguments[1:], **options), *arguments[0])
        else:
            check_vjp(ours, *arguments, **options)


def assert_same(found, right):
    assert isinstance(found, mg.Tensor)
    assert found.dtype == right.dtype
    assert_array_equal(found.data, right, strict=True)


def arrays(*shapes):
    rng = np.random.default_rng(0)
    return [rng.uniform(-2, 2, shape) for shape in shapes]


def nearly_holds(function, *arguments, **options):
    """The same of a function that may add in another order, whose result is one array."""
    value = function(*map(as_tensors, arguments), **options).data
    expected = function(*arguments, **options)
    assert value.shape == np.shape(expected)
    assert_allclose(value, expected, rtol=1e-12, atol=1e-14)
    check_vjp(NUMPY[function], *arguments, **options)
