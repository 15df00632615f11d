"""Reductions with masks, initial values and dtypes, and those that leave out NaN, against NumPy's."""

import tracemalloc
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
        for dtype in (np.float32, np.int8, np.complex64):
            a, start = x.astype(dtype), np.float64(2.1)
            assert_array_equal(f(mg.tensor(a), initial=start).data, f(a, initial=start), strict=True)
    x = mg.tensor(x.astype(np.float32))
    assert mg.grad(lambda start: np.sum(x, initial=start))(np.float64(2.1)) == 1
    assert mg.grad(lambda start: np.prod(x, initial=start))(np.float64(2.1)) == np.prod(x).item()
    with pytest.raises(TypeError, match="would lose it"):  # a sum of integers cuts it off
        mg.grad(lambda start: np.sum(mg.tensor([1, 2]), initial=start))(2.5)


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


N = np.array([[np.nan, 2.0, 3.0], [np.nan, np.nan, -1.0], [np.nan, np.nan, np.nan]])
COLUMN = np.array([[True], [False], [True]])


@pytest.mark.parametrize("a", [N, N.astype(np.float32), np.arange(9).reshape(3, 3), N > 0, np.zeros((3, 0))])
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
@pytest.mark.filterwarnings("ignore:All-NaN:RuntimeWarning")
def test_extremes_but_nan_are_those_of_numpy(a, axis):
    for f in (np.nanmax, np.nanmin):
        for options in ({}, {"initial": 2}, {"initial": np.nan}, {"where": COLUMN}, {"initial": -3, "where": COLUMN}):
            for keepdims in (False, True):
                try:
                    expected = f(a, axis, keepdims=keepdims, **options)
                except ValueError:
                    with pytest.raises(ValueError, match=f"^{f.__name__}: "):
                        f(mg.tensor(a), axis, keepdims=keepdims, **options)
                else:
                    found = f(mg.tensor(a), axis, keepdims=keepdims, **options)
                    assert found.dtype == expected.dtype
                    assert_array_equal(found.data, expected, strict=axis is not None)


def test_the_initial_value_is_one_number():
    for f in (np.sum, np.prod, np.max, np.min, np.nansum, np.nanmax, np.nanmin):
        with pytest.raises((ValueError, TypeError), match=rf"^{f.__name__}: initial must be a number, not \[1, 2\]"):
            f(leaf(A), initial=[1, 2])


def test_degrees_of_freedom_are_given_once():
    for f in (np.var, np.std, np.nanvar, np.nanstd):
        with pytest.raises(ValueError, match=f"^{f.__name__}: ddof and correction are one number"):
            f(leaf(A), ddof=1, correction=1)


@pytest.mark.parametrize("mask", [[1, 0, 2], [1.0, 0.0, 0.5], [True, False, True]])
def test_a_list_of_numbers_is_a_mask(mask):
    for f in (np.sum, np.mean, np.std):
        expected = f(A, axis=1, where=np.array(mask, bool))
        for given in (mask, mg.tensor(np.array(mask, bool))):
            assert_allclose(f(leaf(A), axis=1, where=given).data, expected)


@pytest.mark.parametrize("mask", [np.array([1, 0, 1]), np.array([1.0, 0.0, 1.0]), ["a", "b", "c"], [1j, 0, 1]])
def test_what_is_no_mask_is_refused(mask):
    for f in (np.sum, np.mean, np.nansum):
        with pytest.raises(TypeError, match=f"^{f.__name__}: where must be booleans, not "):
            f(leaf(A), axis=1, where=mask)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_parameters_in_numpys_places(axis, keepdims):
    for f in (np.sum, np.prod, np.mean):
        assert_allclose(f(leaf(A), axis, float, None, keepdims).data, f(A, axis, float, None, keepdims))
    for f in (np.var, np.std):
        for mean in (np.mean(A, axis, keepdims=True), A[:1, :1]):
            found = f(leaf(A), axis, float, keepdims=keepdims, mean=mean)
            assert_allclose(found.data, f(A, axis, float, keepdims=keepdims, mean=mean))
        assert_allclose(f(leaf(A), axis, float, None, 1, keepdims).data, f(A, axis, float, None, 1, keepdims))
    for f in (np.max, np.min):
        assert_array_equal(f(leaf(A), axis, None, keepdims).data, f(A, axis, None, keepdims))
        empty = np.zeros((0, 2))
        assert_array_equal(f(leaf(empty), axis, None, keepdims, 3.0).data, f(empty, axis, None, keepdims, 3.0))


def test_constant_entries_beside_others_that_are_not_chosen():
    x = np.array([[0.1, 0.1, 0.1, 7.0], [1e308, 1e308, 1e308, 0.0], [-0.7, -0.7, -0.7, np.nan], [1.0, 2.0, 4.0, 9.0]])
    for f in (np.var, np.std):
        with np.errstate(over="ignore", invalid="ignore"):
            value, slope = mg.value_and_grad(lambda x, f=f: np.sum(f(x, axis=1, where=[[True, True, True, False]])))(x)
        assert_allclose(value, f(x[3, :3]))
        assert_array_equal(slope[:3], 0)
        assert np.all(slope[3, :3])
    with np.errstate(invalid="ignore"):
        assert np.isnan(np.std(leaf([np.inf, np.inf, 1.0]), where=[True, True, False]).item())


def test_the_spread_of_chosen_entries_far_from_0_is_precise():
    x, where = np.arange(1.0, 8) ** 2, np.arange(7) != 3
    far = x + 2.0**50  # without rounding
    for f in (np.var, np.std):
        assert_allclose(f(leaf(far), where=where).data, f(x, where=where), rtol=1e-14)
        slope, expected = (mg.grad(lambda x, f=f: f(x, where=where))(each) for each in (far, x))
        assert_allclose(slope, expected, rtol=1e-12)


@pytest.mark.parametrize("ddof", [0, 2, 3])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_mask_beside_a_known_mean_and_few_degrees_of_freedom(ddof):
    for f in (np.var, np.std):
        for mean in (None, np.mean(A, 1, keepdims=True)):
            options = {"axis": 1, "ddof": ddof, "where": MASK} | ({} if mean is None else {"mean": mean})
            assert_allclose(f(leaf(A), **options).data, f(A, **options), rtol=1e-14)


def test_a_mask_that_does_not_fit_an_empty_array_is_refused():
    for function in (np.max, np.min, np.sum):
        with pytest.raises(ValueError, match=function.__name__):
            function(mg.tensor(np.ones((0, 3))), where=np.ones(5, bool), initial=0.0)


def test_second_derivatives_of_the_variance_of_chosen_entries_that_are_one_number():
    hessian = mg.hessian(lambda x: np.var(x, where=[True, True, True, False]))(np.array([0.1, 0.1, 0.1, 7.0]))
    assert_allclose(hessian[:3, :3], 2 / 3 * (np.eye(3) - 1 / 3), atol=1e-15)
    assert_array_equal(hessian[3], 0)


def test_ties_beside_rows_of_nan():
    x = np.array([[np.nan, np.nan, np.nan], [2.0, np.nan, 2.0], [1.0, 0.0, 5.0]])
    expected = np.array([[0, 0, 0], [0.5, 0, 0.5], [0, 0, 1]])
    assert_array_equal(mg.grad(lambda x: np.sum(np.nanmax(x, axis=1)))(x), expected)
    assert_array_equal(mg.grad(lambda x: np.sum(np.nanmin(x, axis=1)))(-x), expected)


def test_variances_of_chosen_entries_take_little_memory():
    x = mg.tensor(np.random.default_rng(0).normal(size=(200, 200)).astype(np.float32), requires_grad=True)
    where = x.data > -1
    np.var(x, where=where).backward()
    tracemalloc.start()
    np.var(x, where=where).backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * x.nbytes  # 7.5, of which one is what it is added to
