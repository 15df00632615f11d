"""Every keyword and argument is read or refused: none is dropped, and gives another answer, in silence.

The functions are those of tests/support/wrong_inputs.py, which are read from minigrad itself, and the ones below.
"""

import inspect
from collections import namedtuple

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
import scipy.signal
import scipy.special
import scipy.stats
from numpy.testing import assert_allclose
from support import wrong_inputs

import minigrad as mg
import minigrad.compat.autograd.numpy as anp
from minigrad.compat import autograd
from minigrad.scipy import integrate, linalg, signal, special, stats

Row = namedtuple("Row", "label function arguments theirs")  # theirs: the function of NumPy or SciPy, or None

M = np.array([[2.0, 0.5], [0.5, 3.0]])
V = np.array([0.25, 0.75])
OF_SCIPY = [
    (linalg, "solve_triangular", M, V), (linalg, "cho_solve", (M, True), V),
    (linalg, "solve_banded", (0, 1), np.array([[0.0, 1.0], [1.0, 1.0]]), V), (linalg, "expm", M), (linalg, "sqrtm", M),
    (linalg, "solve_sylvester", M, M, M), (linalg, "block_diag", M, M), (special, "logsumexp", M),
    (special, "softmax", M), (special, "log_softmax", M), (special, "polygamma", 1, V),
    (special, "multigammaln", V + 3, 2), (special, "zeta", 2, V), (signal, "convolve", V, V),
    (signal, "correlate", V, V), (signal, "fftconvolve", V, V),
    (integrate, "odeint", lambda y, t: -y, V, V),
]  # fmt: skip
DISTRIBUTIONS = {"norm": (), "t": (3.0,), "gamma": (2.0,), "beta": (2.0, 3.0), "chi2": (3.0,), "poisson": (2.0,)}
DISTRIBUTIONS |= {"multivariate_normal": (), "dirichlet": (V,), "multinomial": (3, V)}
DISTRIBUTIONS |= {"lognorm": (0.9,), "cauchy": (), "truncnorm": (-0.7, 1.2), "binom": (7, 0.3)}
OTHERS = {
    "autograd.grad": (autograd.grad(np.sum), V), "autograd.numpy.array": (anp.array, [mg.tensor(1.0), 2.0]),
    "autograd.numpy.asarray": (anp.asarray, [mg.tensor(1.0), 2.0]),
    "autograd.numpy.full": (anp.full, (2,), mg.tensor(1.0)), "nn.ReLU": (mg.nn.ReLU(), V),
    "nn.Linear": (mg.nn.Linear(2, 2, rng=np.random.default_rng(0)), V), "grad(f)": (mg.grad(mg.sum), V),
    "checkpoint(f)": (mg.checkpoint(mg.sin), V), "nn.Sequential": (mg.nn.Sequential(mg.nn.ReLU()), V),
}  # fmt: skip


def rows():
    for module, name, *arguments in OF_SCIPY:
        theirs = getattr(getattr(scipy, module.__name__.rpartition(".")[2]), name)
        yield Row(f"scipy.{name}", getattr(module, name), arguments, theirs)
    for distribution, shapes in DISTRIBUTIONS.items():
        for name in ("pdf", "logpdf", "logpmf", "cdf", "sf", "logcdf", "logsf", "ppf"):
            theirs = getattr(getattr(scipy.stats, distribution), name, None)
            if theirs is not None:
                function = getattr(getattr(stats, distribution), name)
                yield Row(f"scipy.stats.{distribution}.{name}", function, [V, *shapes], theirs)
    for ufunc in special.UFUNCS:
        yield Row(f"scipy.special.{ufunc.__name__}", ufunc, [V] * ufunc.nin, ufunc)
    for label, (function, *arguments) in OTHERS.items():
        yield Row(label, function, arguments, None)
    functions = {c: f for f in wrong_inputs.public_functions() for c in (f.call, f.reference) if c is not None}
    for function, f in functions.items():
        yield Row(f.label, function, [*f.arguments], f.reference)


def _outcome(call, arguments, options):
    try:
        return call(*arguments, **options)
    except Exception as error:  # any will do
        return error


def _tensors(arguments):
    return [mg.tensor(a) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a for a in arguments]


@pytest.mark.filterwarnings("ignore")
def test_no_function_takes_a_keyword_that_it_does_not_know():
    taken = [
        (row.label, options)
        for row in rows()
        for arguments in (row.arguments, _tensors(row.arguments))
        for options in ({"nonsense": 5}, {"nonsense": None})
        if row.theirs is not np.piecewise  # whose functions get them
        if not isinstance(_outcome(row.function, arguments, options), (TypeError, ValueError))
    ]
    assert not taken


# keyword -> values: some that functions take and that change their answer, and "nonsense", which none takes
VALUES = {
    "axis": [0, 1, (0, 1), [0], True], "keepdims": [True], "dtype": [np.float32, int, complex],
    "initial": [2.0], "ddof": [1], "correction": [2],
    "order": ["F", "nonsense"], "casting": ["nonsense"], "kind": ["stable", "nonsense"],
    "method": ["lower", "direct", "nonsense"], "mode": ["wrap", "same", "r", "nonsense"], "trim": ["f", "nonsense"],
    "norm": ["ortho", "nonsense"], "UPLO": ["U", "nonsense"], "indexing": ["ij", "nonsense"], "side": ["right"],
    "k": [1], "n": [3], "offset": [1], "ord": [1, "nuc"], "rcond": [0.9], "weights": [np.array([1.0, 2.0])],
    "where": [M > 1, M], "s": [(3, 3)], "axes": [(1, 0)], "lower": [True], "trans": [1, "nonsense"],
    "unit_diagonal": [True], "overwrite_b": [False], "check_finite": [False], "loc": [0.1], "scale": [2.0],
    "return_sign": [True], "b": [V], "tfirst": [True], "rtol": [1e-3], "optimize": [True, "nonsense"],
    "dx": [2.0], "period": [3.0], "left": [9.0], "nan": [3.0], "edge_order": [2], "returned": [True],
    "rowvar": [False], "bias": [True], "full_matrices": [True], "hermitian": [True], "upper": [True],
    "include_initial": [True], "density": [True], "minlength": [5], "increasing": [True], "sparse": [True],
    "base": [3.0], "endpoint": [False], "retstep": [True], "default": [7.0], "append": [1.0], "prepend": [1.0],
}  # fmt: skip


def _keywords(row):
    """The keywords to try, and as many arguments as have no default, so that each of the rest can be a keyword."""
    if isinstance(row.theirs, np.ufunc):
        return ["dtype", "order", "casting", "axis", "keepdims"], row.arguments[: row.theirs.nin]
    parameters = [*inspect.signature(row.theirs).parameters.values()]
    needed = [p for p in parameters if p.default is p.empty and p.kind < p.VAR_POSITIONAL]
    listed = any(p.kind == p.VAR_POSITIONAL for p in parameters)
    arguments = row.arguments if listed else row.arguments[: max(len(needed), 1)]
    first = 0 if listed else len(arguments)
    return {*[p.name for p in parameters[first:]], "dtype", "order", "mode", "axis"}, arguments


def _same(ours, theirs):
    if isinstance(theirs, (tuple, list)):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    ours, theirs = np.asarray(ours.data if isinstance(ours, mg.Tensor) else ours), np.asarray(theirs)
    return ours.shape == theirs.shape and np.allclose(ours, theirs, 1e-5, 1e-7, equal_nan=True)


def test_odeint_differentiates_what_takes_the_time_first():
    times, rate = np.linspace(0, 1, 5), np.array([0.7])

    def last(w, f, **options):
        return integrate.odeint(f, np.ones(1), times, (w,), rtol=1e-10, atol=1e-10, **options)[-1, 0]

    first = mg.grad(last)(rate, lambda t, y, w: -w * y * (1 + t), tfirst=True)
    assert_allclose(first, mg.grad(last)(rate, lambda y, t, w: -w * y * (1 + t)), rtol=1e-12)
    with pytest.raises(TypeError, match="odeint: Dfun does not hold for the adjoint equation"):
        last(rate, lambda y, t, w: -w * y, Dfun=lambda y, t, w: -w)


@pytest.mark.filterwarnings("ignore")
def test_each_keyword_is_read_as_numpy_and_scipy_read_it_or_refused():
    dropped, tried = [], 0
    for row in rows():
        if row.theirs is None or row.label in ("empty_like", "np.empty_like"):
            continue
        try:
            keywords, arguments = _keywords(row)
        except ValueError:  # a function written in C has no signature before NumPy 2.4
            continue
        if isinstance(_outcome(row.theirs, arguments, {}), Exception):
            continue
        for keyword in sorted(VALUES.keys() & keywords):
            for value in VALUES[keyword]:
                tried += 1
                ours = _outcome(row.function, _tensors(arguments), {keyword: value})
                if isinstance(ours, Exception):
                    continue
                theirs = _outcome(row.theirs, arguments, {keyword: value})
                if isinstance(theirs, Exception):
                    dropped.append((row.label, keyword, value, theirs))
                elif not _same(ours, theirs):
                    dropped.append((row.label, keyword, value, ours, theirs))
    assert tried > 1000
    assert not dropped


def test_an_option_that_numpy_refuses_is_refused_of_a_tensor():
    refused = [
        *((np.einsum, ("ij->", M), {"dtype": np.float32}), (np.einsum, ("ij->", M), {"casting": "x"})),
        *((np.einsum, ("ij->", M), {"optimize": ("a",)}), (np.einsum, ("ij->", M), {"order": "x"})),
        *((np.pad, (M, 1), {"dtype": float}), (np.pad, (M, 1), {"end_values": 3.0})),
        *((np.pad, (M, 1, "edge"), {"stat_length": 1}), (np.pad, (M, 1, "mean"), {"reflect_type": "odd"})),
        *((np.nan_to_num, (M,), {"copy": "x"}), (np.cov, (M,), {"ddof": 0.5}), (np.sum, (M,), {"axis": [0]})),
        *((np.mean, (M,), {"axis": True}), (np.var, (M,), {"axis": [1]}), (np.std, (M,), {"keepdims": "x"})),
        *((np.nanmean, (M,), {"keepdims": None}), (np.nanvar, (M,), {"keepdims": "x"})),
        *((np.cumprod, (M,), {"axis": [0]}), (np.trapezoid, (M,), {"axis": [0]}), (np.vecdot, (M, M), {"axis": [0]})),
        *((np.repeat, (M, 2), {"axis": True}), (np.take, (M, [0]), {"axis": False})),
        *((f, (M,), {"where": where}) for f in (np.mean, np.var, np.std) for where in ("x", None, M)),
        *(
            (np.exp, (M,), {"where": M}),
            (np.add, (M, M), {"where": np.array(1)}),
            (np.divide, (M, M), {"signature": 1}),
        ),
        *((f, (M,), {"initial": (0, 1)}) for f in (np.sum, np.prod, np.max, np.min, np.nansum, np.nanmax)),
        *((f, (M,), {"ddof": 1, "correction": 0}) for f in (np.var, np.std, np.nanvar, np.nanstd)),
        *((np.cov, (M,), {"aweights": (-1, 5)}), (np.cov, (M,), {"fweights": np.ones((2, 2), int)})),
        *((np.linalg.cross, (M, M), {}), (np.linalg.norm, (M[None], None, (0, 1, 2)), {})),
        *((np.interp, (M, V, V), {"period": 0}), (np.interp, (M, V, V), {"left": (0.0,)})),
        *((np.polyder, (M[0], -1), {}), (np.vander, (M[0], -1), {}), (np.vander, (M[0], 0.5), {})),
        *((np.vander, (M[0], (2,)), {}), (np.polyfit, (V, V, 1), {"w": M})),
    ]
    for function, arguments, options in refused:
        t = [mg.tensor(a, requires_grad=True) if isinstance(a, np.ndarray) else a for a in arguments]
        assert isinstance(_outcome(function, arguments, options), Exception), (function, options)
        assert isinstance(_outcome(function, t, options), (TypeError, ValueError)), (function, options)


def test_einsum_computes_in_the_dtype_that_a_cast_allows():
    for options in ({"dtype": complex}, {"dtype": np.float32, "casting": "same_kind"}, {"casting": "no"}):
        t = np.einsum("ij,jk->ik", mg.tensor(M, requires_grad=True), M, **options)
        theirs = np.einsum("ij,jk->ik", M, M, **options)
        assert t.dtype == theirs.dtype
        assert_allclose(t.data, theirs, rtol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_a_variance_in_complex_numbers_is_one():
    for function in (np.var, np.std, np.mean, np.nanvar, np.nanstd, np.nanmean):
        for options in ({}, {"where": M > 1}):
            t = function(mg.tensor(M, requires_grad=True), dtype=np.complex64, **options)
            theirs = function(M, dtype=np.complex64, **options)
            assert t.dtype == theirs.dtype
            assert_allclose(t.data, theirs, rtol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_without_a_degree_of_freedom_there_is_no_variance():
    for function in (np.nanvar, np.nanstd):
        a = np.array([[1.0, np.nan], [2.0, 3.0]])
        assert_allclose(function(mg.tensor(a), axis=1, ddof=1).data, function(a[1:], axis=1, ddof=1)[[0]] * [np.nan, 1])
    assert np.cov(mg.tensor(M), ddof=7).data.tolist() == [[np.inf, -np.inf], [-np.inf, np.inf]]


@pytest.mark.filterwarnings("ignore")
def test_a_cutoff_above_1_is_lapacks_own():
    for rcond in (1.0, 2.0, 0.5):
        assert_allclose(np.linalg.lstsq(mg.tensor(M), V, rcond)[0].data, np.linalg.lstsq(M, V, rcond)[0])
        assert_allclose(np.polyfit(mg.tensor(M[0]), V, 1, rcond).data, np.polyfit(M[0], V, 1, rcond), atol=1e-12)


def test_nan_is_no_initial_value_of_an_extreme_that_leaves_out_nan():
    assert np.nanmax(mg.tensor([1.0, np.nan]), initial=np.nan).data == 1
    assert np.nanmin(mg.tensor([1.0, np.nan]), initial=np.nan, where=[True, True]).data == 1
