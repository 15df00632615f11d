"""Quantiles, covariances and weighted counts, against NumPy's."""

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
A = RNG.permuted(np.arange(24.0)).reshape(2, 3, 4) / 8
M = RNG.normal(size=(3, 6))
W = RNG.uniform(0.5, 2, 6)
METHODS = ["linear", "lower", "higher", "midpoint", "nearest", "hazen", "weibull", "median_unbiased", "inverted_cdf"]
first = {"argnums": 0}

quantiles = [call(A, 0.3), call(A, [0.25, 0.9], 1), call(A, 0.5, (0, 2), keepdims=True), call(A, 1, -1)]
spec(
    "quantile",
    calls(*quantiles),
    np.quantile,
    options=first,
    kinks=((np.array([1.0, 1.0, 2.0]), 0.2),),
    refused=(((np.ones((2, 0)), 0.5, 1), {}, ValueError, r"a has no entries over axis 1 \(a \(2, 0\)\)"),),
)
spec("nanquantile", calls(*quantiles), np.nanquantile, options=first)
BY_WEIGHT = {"weights": W[:4], "method": "inverted_cdf"}
spec("weighted quantile", calls(call(A, [0.2, 0.6], 2, **BY_WEIGHT)), np.quantile, fn=mg.quantile, options=first)
percents = [call(A, 30), call(A, [[25, 90]], 0), call(A, 50.0, None, keepdims=True)]
spec("percentile", calls(*percents), np.percentile, options=first)
spec("nanpercentile", calls(*percents), np.nanpercentile, options=first)
spec("nanmedian", calls(call(A), call(A, 1), call(A, (0, 1), keepdims=True)), np.nanmedian)
spec(
    "cov",
    calls(
        call(M),
        call(M.T, None, False),
        call(M[0], M[1]),
        call(M, aweights=W),
        call(M, ddof=0, fweights=np.arange(1, 7)),
    ),
    np.cov,
    options=first,
)
spec("corrcoef", calls(call(M), call(M.T, None, False), call(M[0], M[1])), np.corrcoef, options=first)
spec("bincount", calls(call(np.array([0, 2, 2, 5, 1, 0]), W, 8)), np.bincount)
spec(
    "histogram",
    calls(call(np.arange(6), 4, None, False, W), call(np.arange(6), (0, 1, 4.5), None, True, W)),
    lambda *arguments: np.histogram(*arguments)[0],
    fn=lambda *arguments: mg.histogram(*arguments)[0],
    options={"argnums": 4},
)
spec(
    "histogram_bin_edges", calls(call(A, 4), call(M, "fd"), call(A, 3, (0.5, 2))), np.histogram_bin_edges, options=first
)
spec(
    "histogram2d",
    calls(call(M[0], M[1], 4, None, False, W), call(M[0], M[1], (2, 3), None, True, W)),
    lambda *arguments: np.histogram2d(*arguments)[0],
    fn=lambda *arguments: mg.histogram2d(*arguments)[0],
    options={"argnums": 5},
)
spec(
    "histogramdd",
    calls(call(M.T, 2, None, False, W)),
    lambda *arguments: np.histogramdd(*arguments)[0],
    fn=lambda *arguments: mg.histogramdd(*arguments)[0],
    options={"argnums": 4},
)

TestSpecs = specs.tests(examples=3)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("q", [0.0, 0.1, 0.37, 0.5, 1.0])
def test_each_method(method, q):
    for function in (np.quantile, np.nanquantile):
        assert_allclose(function(leaf(A), q, axis=2, method=method).data, function(A, q, axis=2, method=method))
        assert_allclose(function(A, q, axis=1, method=method), function(leaf(A), q, 1, method=method).data)


@pytest.mark.parametrize("function", [np.quantile, np.nanquantile, np.percentile, np.nanpercentile])
@pytest.mark.parametrize(
    ("axis", "sizes"), [(None, (2, 3, 4)), (1, (2, 3, 4)), (1, (3,)), (-1, (4,)), ((2, 0), (4, 2))]
)
def test_weighted_quantiles(function, axis, sizes):
    if type(axis) is tuple and "nan" in function.__name__ and np.lib.NumpyVersion(np.__version__) < "2.4.0":
        pytest.skip("NumPy raises IndexError before 2.4")
    a, q = np.round(A), np.array([[0.0, 0.3, 1.0]]) * (100 if "percentile" in function.__name__ else 1)
    weights = np.random.default_rng(1).integers(1, 4, sizes)
    options = {"axis": axis, "method": "inverted_cdf", "keepdims": True}
    whole = np.broadcast_to(mg.ops.reductions.along_axes(weights, a, axis), a.shape)  # np.nanquantile takes no others
    assert_array_equal(function(leaf(a), q, weights=weights, **options).data, function(a, q, weights=whole, **options))
    a[0, 0, 0] = np.nan
    assert_array_equal(function(leaf(a), q, weights=weights, **options).data, function(a, q, weights=whole, **options))


def test_of_equal_entries_the_one_whose_weight_reaches_q_gets_the_gradient():
    a, options = np.array([0.5, 0.5, 0.125, 2.0]), {"method": "inverted_cdf"}
    for weights, expected in (([1.9, 1.0, 1.4, 1.0], [1, 0, 0, 0]), ([1.0, 1.9, 1.4, 1.0], [0, 1, 0, 0])):
        assert_allclose(mg.grad(lambda a, w=weights: np.quantile(a, 0.6, weights=w, **options))(a), expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": W}, "quantile: Only method 'inverted_cdf' supports weights"),
        ({"weights": W[:2], "method": "inverted_cdf"}, r"quantile: weights \(2,\) fit neither a \(6,\) nor its axis"),
        (
            {"weights": leaf(W), "method": "inverted_cdf"},
            "quantile: a Tensor that needs a gradient can't become an array",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        mg.quantile(M[0], 0.5, **options)


def test_nan_is_kept_or_left_out():
    a = np.array([[1.0, np.nan, 3.0, 4.0], [2.0, 1.0, 0.0, 5.0], [np.nan] * 4])
    with np.errstate(all="ignore"):
        assert_array_equal(np.quantile(leaf(a), 0.4, axis=1).data, np.quantile(a, 0.4, axis=1))
        assert_array_equal(np.nanmedian(leaf(a[:2]), axis=1).data, np.nanmedian(a[:2], axis=1))
        assert np.isnan(np.nanquantile(leaf(a), 0.4, axis=1).data[2])
    x = leaf(a[0])
    np.nanmedian(x).backward()
    assert_array_equal(x.grad, [0, 0, 1, 0])


@pytest.mark.parametrize("options", [{"bias": True}, {"ddof": 2}, {"rowvar": False}, {"aweights": W}, {"dtype": float}])
def test_covariances_with_options(options):
    assert_allclose(np.cov(leaf(M), **options).data, np.cov(M, **options))


@pytest.mark.parametrize(
    "options", [{"ddof": M.shape[1]}, {"ddof": 9}, {"aweights": np.full(M.shape[1], 0.1), "ddof": 9}]
)
def test_without_degrees_of_freedom_a_covariance_is_infinite(options):
    with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_array_equal(np.cov(leaf(M), **options).data, np.cov(M, **options))
        assert_array_equal(np.cov(leaf(np.zeros((2, 0)))).data, np.cov(np.zeros((2, 0))))


def test_weights_of_a_covariance_that_are_no_counts_are_refused():
    n = M.shape[1]
    with pytest.raises(TypeError, match="cov: fweights must be integers"):
        np.cov(leaf(M), fweights=np.append(np.ones(n - 1), 0.5))
    for name in ("fweights", "aweights"):
        for wrong in (np.arange(n) - 1, np.ones((1, n), int)):
            with pytest.raises(ValueError, match=r"cov: .* vectors, of numbers that are not negative"):
                np.cov(leaf(M), **{name: wrong})
        for given in (np.arange(n), mg.tensor(np.arange(n)), [2.0, 1.0, 0.0, 1.0, 1.0, 3.0]):
            plain = np.asarray(given, None if name == "aweights" else int)
            for ddof in (0, 1, 2):
                expected = np.cov(M, ddof=ddof, **{name: plain})
                assert_allclose(np.cov(leaf(M), ddof=ddof, **{name: given}).data, expected)


def test_a_covariance_has_the_dtype_of_both():
    for first, second in ((np.float16, np.float32), (np.float32, np.float16), (np.float32, np.float64)):
        found = np.cov(leaf(M[0].astype(first)), M[1].astype(second))
        assert found.dtype == np.result_type(first, second)


def test_one_row_of_variables_in_columns():
    for a in (M[:1], M[:, :1]):
        with np.errstate(all="ignore"):
            assert np.cov(leaf(a), rowvar=False).shape == np.shape(mg.cov(a.T)) == (a.shape[1],) * 2 * (a.size > len(a))
    assert np.cov(leaf(M[0]), rowvar=False).shape == ()


def test_no_correlation_is_beyond_1():
    """Its derivatives are those of the quotient: second ones do not vanish where it is 1."""
    for seed in range(20):
        x = np.random.default_rng(seed).normal(size=5)
        both = np.array([x, x * 3 + 1])
        assert np.max(np.abs(mg.corrcoef(both))) <= 1
        assert np.min(mg.corrcoef(np.array([x, 1 - x * 3]))) >= -1
        bent = mg.hvp(lambda m: mg.corrcoef(m)[0, 1], both, np.eye(2, 5))
        further = mg.grad(lambda m: mg.corrcoef(m)[0, 1])(both + 1e-5 * np.eye(2, 5))
        assert_allclose(bent, further / 1e-5, atol=1e-3 * np.max(np.abs(bent)))
    z = np.array([x + 1j, 2 * x - 3j])
    assert_allclose(np.corrcoef(mg.tensor(z)).data, np.corrcoef(z))


def test_one_variable_and_too_many_axes():
    assert_allclose(np.cov(leaf(M[0])).data, np.cov(M[0]))
    assert np.corrcoef(leaf(M[0])).item() == 1
    with pytest.raises(ValueError, match="cov: the variables must be the rows of a matrix"):
        np.cov(leaf(A))


@pytest.mark.parametrize(
    "density",
    [
        lambda x: np.histogram(x, 4, density=True)[0],
        lambda x: np.histogram(x, 4, (-2, 2), True)[0],
        lambda x: np.histogram(np.arange(6), np.abs(x[0, 0]) + np.array([0, 2, 5, 7]), density=True)[0],
        lambda x: np.histogram(np.arange(6), (1 + np.square(x[0, 0])) * np.array([0, 2, 5.5]), density=True)[0],
        lambda x: np.histogram2d(x[0], x[1], (2, 3), density=True)[0],
        lambda x: np.histogramdd(x, 2, density=True, weights=[1.0, 2.0, 3.0])[0],
        lambda x: np.histogram2d(x[0], x[1], 3)[2],
    ],
)
def test_a_density_moves_with_the_edges(density):
    assert_allclose(density(leaf(M)).data, density(M))
    expected = numeric(lambda x: density(x) ** 2, M)
    assert_allclose(mg.grad(lambda x: np.sum(density(x) ** 2))(M), expected, rtol=1e-5, atol=1e-7)


def test_a_part_that_needs_a_gradient_is_refused():
    for function in (np.quantile, np.percentile, np.nanquantile, np.nanpercentile):
        with pytest.raises(TypeError, match=f"^{function.__name__}: a Tensor that needs a gradient"):
            function(A, leaf(0.5))
        assert function(A, mg.tensor(0.5)) == function(A, 0.5)


def test_counts_without_weights_are_plain():
    assert_array_equal(np.bincount(mg.tensor([0, 2, 2])), [1, 0, 2])
    assert_array_equal(np.histogram(mg.tensor([0.0, 1.0, 2.0]), 2)[0], [1, 2])
    with pytest.raises(ValueError, match="bincount: x and weights must have one shape"):
        np.bincount(np.array([0, 1]), leaf([1.0]))


@pytest.mark.parametrize(
    "options",
    [{}, {"bins": [3, 4]}, {"bins": [-1, 0, 1]}, {"bins": [np.array([-1.0, 0.5]), 3]}, {"range": [(-1, 1), (0, 2)]}],
)
def test_histograms_of_two_axes(options):
    expected = np.histogram2d(M[0], M[1], weights=W, **options)
    for found in (
        np.histogram2d(leaf(M[0]), M[1], weights=leaf(W), **options),
        np.histogram2d(M[0], leaf(M[1]), weights=W, **options),
    ):
        for ours, theirs in zip(found, expected, strict=True):
            assert_allclose(getattr(ours, "data", ours), theirs)
    assert_array_equal(np.histogramdd(leaf(M.T), 2)[0], np.histogramdd(M.T, 2)[0])


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 0, 3)])
@pytest.mark.filterwarnings("ignore:All-NaN|Mean of empty:RuntimeWarning")
def test_nan_reductions_of_no_entries_are_those_of_numpy(shape, axis):
    x = np.zeros(shape)
    for f in (
        np.nanmedian,
        np.nanmax,
        np.nanmin,
        lambda a, axis, keepdims: np.nanquantile(a, 0.3, axis, keepdims=keepdims),
    ):
        for keepdims in (False, True):
            try:
                expected = f(x, axis=axis, keepdims=keepdims)
            except ValueError:
                with pytest.raises(ValueError, match="zero-size array"):
                    f(leaf(x), axis=axis, keepdims=keepdims)
            else:
                found = f(leaf(x), axis=axis, keepdims=keepdims)
                assert_array_equal(getattr(found, "data", found), expected)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: np.histogram2d(M[0], M[1], weights=leaf(W[:3])), "histogram2d: there must be a weight for each of 6"),
        (lambda: np.histogram2d(leaf(M[0]), M[1], [3]), "histogram2d: bins and range must be one for each of 2 axes"),
        (lambda: mg.histogramdd([]), "histogramdd: the arrays must have one shape, not nothing"),
        (lambda: np.histogram(leaf(W), 2, [[0, 1]]), r"histogram: range must be a pair \(least, greatest\), not \[\[0"),
        (lambda: np.histogramdd(leaf(W)), r"histogramdd: sample must be points \(N, D\), or a list of D .* not \(6,\)"),
        (
            lambda: np.histogramdd(leaf(M.T), [2]),
            r"histogramdd: bins and range must be one for each of 3 axes, not \[2\]",
        ),
        (lambda: np.histogramdd(leaf(M.T), range=[(0, 1)]), r"histogramdd: bins and range .* not 10 and \[\(0, 1\)\]"),
        (lambda: np.histogramdd(leaf(M.T), range=2), r"histogramdd: range must be a pair \(least, greatest\), not 2"),
    ],
)
def test_histograms_that_do_not_fit_are_refused(call, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}"):
        call()


def test_a_histogram_between_given_limits():
    a, weights = np.array([-1.0, 0.0, 1.0, 2.0, 5.0]), np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    counts, edges = mg.histogram(a, 2, (0, 2), weights=weights)
    assert_array_equal(counts, [2, 12])
    assert_array_equal(edges, [0, 1, 2])
    with pytest.raises(ValueError, match="histogram: range must be a pair"):
        mg.histogram(a, 2, (0, 1, 2))


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [0, 1, -1, (0, 2)])
def test_several_quantiles_of_three_axes(axis, keepdims):
    x = np.random.default_rng(0).normal(size=(3, 4, 5))
    found = np.quantile(leaf(x), [0.2, 0.7], axis, keepdims=keepdims).data
    assert_allclose(found, np.quantile(x, [0.2, 0.7], axis, keepdims=keepdims))


@pytest.mark.parametrize("rowvar", [False, True])
@pytest.mark.parametrize("m", [(5,), (2, 5), (5, 2), (5, 5)])
@pytest.mark.parametrize("y", [(5,), (1, 5), (5, 1), (5, 5), (2, 5)])
def test_cov_of_vectors_and_matrices(m, y, rowvar):
    rng = np.random.default_rng(0)
    m, y = rng.normal(size=m), rng.normal(size=y)
    try:
        expected = np.cov(m, y, rowvar)
    except ValueError:
        with pytest.raises(ValueError, match="cov"):
            np.cov(leaf(m), y, rowvar)
    else:
        assert_allclose(np.cov(leaf(m), y, rowvar).data, expected)


def test_corrcoef_of_complex_numbers():
    real, imaginary = np.random.default_rng(0).normal(size=(2, 3, 6))
    z = real + 1j * imaginary
    assert_allclose(np.corrcoef(mg.tensor(z, requires_grad=True)).data, np.corrcoef(z))
    for row in (*z, *(1 / z)):
        for factor in (1j, -3j, 0.7j):
            found = mg.corrcoef(np.array([row, row * factor]))
            assert np.max(np.abs([found.real, found.imag])) <= 1
            assert_allclose(found, np.corrcoef(np.array([row, row * factor])), atol=1e-15)


def test_the_dtype_of_correlations_and_edges():
    for dtype in (np.float32, np.float64):
        assert np.corrcoef(leaf(M), dtype=dtype).dtype == dtype
        edges = np.histogram_bin_edges(leaf(M.astype(dtype)), 3)
        assert_array_equal(edges.data, np.histogram_bin_edges(M.astype(dtype), 3), strict=True)


def test_what_has_no_edges_is_refused():
    for f in (np.histogram, np.histogram_bin_edges):
        with pytest.raises(TypeError, match=f"^{f.__name__}: complex numbers have no derivative here: pass np.real"):
            f(mg.tensor(M + 1j), 2)
        with pytest.raises(TypeError, match=f"^{f.__name__}: range must hold numbers, not 'ab'"):
            f(leaf(M), 2, "ab")


def test_edges_between_tensors_and_with_weights():
    ends = mg.tensor([-1.0, 2.0], requires_grad=True)
    edges = mg.histogram_bin_edges(M, 3, ends)
    assert_array_equal(edges.data, [-1, 0, 1, 2])
    edges[1].backward()
    assert_allclose(ends.grad, [2 / 3, 1 / 3])
    assert_array_equal(mg.histogram_bin_edges(leaf(M), 3, weights=leaf(M)).data, np.histogram_bin_edges(M, 3))
    whole = np.arange(4) > 1
    with pytest.warns(RuntimeWarning, match="bool"):
        expected = np.histogram_bin_edges(whole, 3)
    with pytest.warns(RuntimeWarning, match="bool"):
        assert_array_equal(np.histogram_bin_edges(mg.tensor(whole), 3), expected)


@pytest.mark.parametrize("a", [np.array([1, 2, 5, 9]), np.array([]), np.array([0.5, 2.5])])
def test_edges_that_nothing_moves_are_those_of_numpy(a):
    t = mg.tensor(a)
    for ends in (None, (0.0, 4.0)):
        assert_array_equal(mg.histogram_bin_edges(t, 3, ends), np.histogram_bin_edges(a, 3, ends))


def test_fractions_of_a_degree_of_freedom_are_refused():
    with pytest.raises(ValueError, match=r"^cov: ddof must be an integer, not 0\.5"):
        np.cov(leaf(M), ddof=0.5)


def test_the_edges_of_no_entries_move_with_the_range():
    edges = lambda low: np.sum(mg.histogram_bin_edges(np.ones(0), 2, np.stack([low, 4.0])))  # noqa: E731
    assert mg.grad(edges)(0.0) == 1.5


def test_a_quantile_beside_infinity_warns_of_nothing():
    with np.errstate(all="raise"):
        assert np.quantile(leaf([1.0, np.inf]), 0.0).data == 1
        assert np.quantile(leaf([-np.inf, 1.0]), 0.25).data == -np.inf


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_quantiles_between_infinities():
    inf = np.inf
    for a, q, expected in (
        *(([1, inf, inf], 0.8, inf), ([-inf, -inf, 1], 0.2, -inf), ([-inf, inf], 0.5, np.nan)),
        *(([-inf, 3], 0.25, -inf), ([-inf, 3], 0.75, -inf), ([-inf, 3], 1.0, 3), ([3, inf], 0.25, inf)),
    ):
        assert_array_equal(np.quantile(leaf(np.array(a, float)), q).data, expected)
    assert_array_equal(mg.grad(mg.quantile)(np.array([-inf, 3]), 0.25), [0.75, 0.25])
    assert np.nanmedian(leaf([-inf, -inf, np.nan, 3, inf])).data == -inf


def test_quantiles_take_less_memory_than_a_sort():
    x = mg.tensor(np.random.default_rng(0).normal(size=40_000), requires_grad=True)
    for quantile in (lambda: np.quantile(x, [0.1, 0.5]), lambda: np.nanmedian(x)):
        quantile().sum().backward()
        tracemalloc.start()
        quantile().sum().backward()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 4.5 * x.nbytes  # positions, g and what it is added to; sorting takes 6 and more


def test_many_quantiles_of_rows_with_nan_in_different_numbers():
    x = np.random.default_rng(0).normal(size=(30, 40))
    x[np.arange(40) < np.arange(30)[:, None]] = np.nan
    q = np.linspace(0, 1, 23)
    t = mg.tensor(x, requires_grad=True)
    found = np.nanquantile(t, q, axis=1)
    assert_allclose(found.data, np.nanquantile(x, q, axis=1), rtol=1e-14)
    found.sum().backward()
    assert_allclose(t.grad.sum(1), np.full(30, 23.0))
    assert not t.grad[np.isnan(x)].any()
