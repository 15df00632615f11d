"""Reductions with masks, initial values and dtypes, and those that leave out NaN, against NumPy's."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.gradients import leaf, numeric
from support.specification import Specs, call, calls

import minigrad as mg

specs = Specs()
spec = specs.add

RNG = np.random.default_rng(0)
A = RNG.uniform(-2, 2, (2, 3))
MASK = np.array([[True, False, True], [True, True, False]])


def with_nan(function):
    """The function, of an array whose masked entries have been replaced by NaN."""
    return lambda a, *arguments, **options: function(np.where(MASK, a, np.nan), *arguments, **options)


def nan_spec(name, *more):
    reductions = [call(A), call(A, 0), call(A, (1, 0), keepdims=True), call(A, (0,))]
    function, ours = getattr(np, name), getattr(mg, name)
    spec(name, calls(*reductions, *more), with_nan(function), fn=with_nan(ours), options={"argnums": 0})


spec(
    "std",
    calls(
        call(A, ddof=1),
        call(A, 1, correction=1, keepdims=True),
        call(A, where=MASK),
        call(A, 1, where=MASK, ddof=0.5),
        call(A, 0, mean=A[:1]),
    ),
    lambda a, axis=None, ddof=0, correction=None, **options: np.std(
        a, axis=axis, ddof=ddof if correction is None else correction, **options
    ),
    kinks=((np.full((2, 3), 0.1),),),
    options={"argnums": 0},
)
nan_spec("nansum", call(A, initial=3.0), call(A, 1, where=np.array([True, True, False])))
nan_spec("nanprod", call(A, 0, initial=3.0))
nan_spec("nanmean")
nan_spec("nanvar", call(A, ddof=0.5))
nan_spec("nanstd", call(A, ddof=0.5))
nan_spec("nanmax", call(A, initial=-9.0))
nan_spec("nanmin", call(A, initial=9.0))

TestSpecs = specs.tests(examples=3)

INITIAL = {"sum": 2.0, "prod": 2.0, "max": -1.5, "min": 1.5}


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "mean", "var", "std"])
def test_a_mask(name, axis):
    function = getattr(np, name)
    options = {"initial": INITIAL[name]} if name in INITIAL else {}
    options |= {"where": MASK, "axis": axis, "keepdims": True}

    def f(a):
        return function(a, **options)

    poisoned = leaf(np.where(MASK, A, np.nan))
    y = f(poisoned)
    assert_allclose(y.data, f(A), rtol=1e-14, strict=True)
    assert_allclose(getattr(mg, name)(A, **options), f(A), rtol=1e-14)
    np.sum(y).backward()
    assert_allclose(poisoned.grad, numeric(f, A), atol=1e-8)
    assert_array_equal(poisoned.grad[~MASK], 0)
    if name != "std":
        assert_allclose(getattr(leaf(A), name)(**options).data, f(A), rtol=1e-14)


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min"])
def test_an_initial_value_and_nothing_else(name):
    f, empty = getattr(np, name), np.zeros((0, 2))
    assert_array_equal(f(leaf(empty), axis=0, initial=3.0).data, f(empty, axis=0, initial=3.0))
    assert_array_equal(f(leaf(A), initial=9.0).data, f(A, initial=9.0))


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var", "std", "cumsum", "cumprod", "nansum", "nanmean"])
def test_a_dtype_in_any_place(name):
    f, a = getattr(np, name), A.astype(np.float32)
    expected = f(a, 1, np.float64)
    for given in (
        f(leaf(a), 1, np.float64),
        f(leaf(a), axis=1, dtype=float, out=None),
        getattr(mg, name)(leaf(a), 1, float),
    ):
        assert given.dtype == np.float64
        assert_allclose(given.data, expected, rtol=1e-14)
    assert mg.grad(lambda a: np.sum(f(a, 0, float)))(a).dtype == np.float32


@pytest.mark.parametrize("name", ["sum", "mean", "max", "var", "std"])
def test_out_and_masks_of_other_shapes_are_refused(name):
    f, t = getattr(np, name), leaf(A)
    with pytest.raises(TypeError, match="out"):
        f(t, out=np.zeros(()))
    with pytest.raises(ValueError, match=f"{name}: "):
        f(t, where=np.ones((2, 2, 3), bool), **({"initial": 0} if name == "max" else {}))


def test_an_extreme_of_a_mask_needs_an_initial_value():
    with pytest.raises(ValueError, match="max: where= needs initial="):
        np.max(leaf(A), where=MASK)


def test_correction_is_ddof():
    assert_allclose(np.var(leaf(A), correction=1).data, np.var(A, ddof=1))
    assert_allclose(np.std(leaf(A), axis=0, correction=1).data, np.std(A, axis=0, ddof=1))


def test_constant_chosen_entries_have_deviation_0():
    x, mask = np.array([0.1, 0.1, 0.1, 7.0]), np.array([True, True, True, False])
    value, slope = mg.value_and_grad(lambda x: np.std(x, where=mask))(x)
    assert value == 0
    assert_array_equal(slope, 0)


@pytest.mark.parametrize("name", ["nanmax", "nanmin", "nanmean"])
@pytest.mark.filterwarnings("ignore:All-NaN", "ignore:Mean of empty", "ignore:invalid value")
def test_nothing_but_nan(name):
    a = np.array([[np.nan, np.nan], [1.0, np.nan]])
    assert_array_equal(getattr(np, name)(leaf(a), axis=1).data, getattr(np, name)(a, axis=1))


@pytest.mark.parametrize("dtype", [bool, np.int8, int, np.float32])
def test_reductions_in_a_dtype(dtype):
    x = np.array([[1.5, 250.0], [3.5, -2.0]])
    for f in (np.sum, np.prod, np.cumsum, np.cumprod, np.nansum, np.nanprod, np.nancumsum, np.nancumprod):
        found, expected = f(leaf(x), axis=0, dtype=dtype), f(x, axis=0, dtype=dtype)
        assert found.dtype == expected.dtype
        assert_allclose(found.data, expected)
    for f in (np.mean, np.var, np.std, np.nanmean, np.nanvar, np.nanstd, np.cov):
        if dtype is np.float32:
            assert f(leaf(x), dtype=dtype).dtype == dtype
        else:
            with pytest.raises(
                TypeError, match=rf"^{f.__name__.replace('nan', '(nan)?')}: dtype must be floating-point"
            ):
                f(leaf(x), dtype=dtype)


def test_the_initial_value_is_cast_first():
    x = np.array([1.3, 2.6])
    for f in (np.sum, np.prod, np.nansum):
        assert f(leaf(x), initial=2.7, dtype=int).item() == f(x, initial=2.7, dtype=int)


def test_without_degrees_of_freedom_what_leaves_out_nan_is_nan():
    x = np.array([[1.0, np.nan, 3.0], [1.0, 2.0, 4.0]])
    for f in (np.nanvar, np.nanstd):
        for options in ({"axis": 1, "ddof": 2}, {"axis": 1, "correction": 2, "keepdims": True}, {"ddof": 5}):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = f(x, **options)
            with np.errstate(all="ignore"):
                np.testing.assert_allclose(f(leaf(x), **options).data, expected)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_mean_of_no_chosen_entry_is_nan():
    assert np.isnan(np.mean(mg.tensor([1.0, 2.0], requires_grad=True), where=False).data)
