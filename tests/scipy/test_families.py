"""Distributions of one row each: their values against SciPy's, their derivatives against finite differences."""

import inspect

import numpy as np
import pytest
import scipy.stats as ss
from numpy.testing import assert_allclose, assert_array_equal
from support.anew import anew
from support.gradients import leaf

import minigrad as mg
from minigrad.scipy import families, stats
from minigrad.testing import check_grads

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

SHAPES = {
    "lognorm": [(0.9,)], "weibull_min": [(1.7,), (1.0,), (0.6,)], "exponweib": [(1.4, 1.7)], "fisk": [(2.3,), (1.0,)],
    "gompertz": [(0.6,)], "pareto": [(1.8,)], "invgamma": [(2.5,)], "skewnorm": [(1.3,), (-2.0,)],
    "vonmises": [(2.1,), (0.0,)], "binom": [(7.0, 0.3), (0.0, 0.3), (4.0, 1.0)], "bernoulli": [(0.3,)],
    "geom": [(0.3,), (1.0,)], "nbinom": [(4.5, 0.3), (2.0, 1.0)],
    "truncnorm": [(-0.7, 1.2), (0.5, 3.0), (2.0, np.inf), (-np.inf, -1.0), (6.0, 9.0), (-np.inf, np.inf)],
}  # fmt: skip
WRONG = {name: tuple(-s for s in shapes[0]) for name, shapes in SHAPES.items() if name not in ("skewnorm", "vonmises")}
WRONG |= {"truncnorm": (1.0, 0.0), "binom": (2.5, 0.3), "vonmises": (-1.0,)}
MADE = {"logpdf": ["pdf"], "logpmf": ["pmf"], "sf": ["logcdf", "logsf"]}  # functions that every row has if it has one
CASES = [
    (name, function)
    for name in families.__all__
    for function in dict.fromkeys(
        f for own, member in vars(getattr(stats, name)).items() if isinstance(member, staticmethod)
        for f in (own, *MADE.get(own, []))
    )
]  # fmt: skip
each = pytest.mark.parametrize(("name", "function"), CASES)


def both(name, function):
    return getattr(getattr(stats, name), function), getattr(getattr(ss, name), function)


def placed(name, *places):
    """The places, and scales unless it is a distribution of counts."""
    return [place[: 1 if "logpmf" in vars(getattr(stats, name)) else 2] for place in places]


def inside(name, function):
    """Points in the support, and in each of its parts."""
    if function == "ppf":
        return np.array([0.2, 0.55, 0.9])
    counts = {"binom": [0.0, 3.0, 6.0], "bernoulli": [0.0, 0.0], "geom": [1.0, 4.0, 9.0], "nbinom": [0.0, 4.0, 9.0]}
    points = {"uniform": [0.2, 0.9], "pareto": [1.3, 4.1], "truncnorm": [-0.5, 0.1, 1.1], **counts}
    real = getattr(ss, name).support(*SHAPES.get(name, [()])[0])[0] < 0
    return np.array(points.get(name, [-1.3, 0.4, 2.2] if real else [0.3, 1.4, 3.1]))


@each
def test_values_are_scipys_in_the_support_and_outside(name, function):
    ours, theirs = both(name, function)
    x = np.array([-np.inf, -5, -2, -0.5, 0, 0.2, 0.7, 1, 2, 2.5, 4, 5, 7, np.inf, np.nan])
    if function == "ppf":
        x = np.array([-0.1, 0, 0.01, 0.3, 0.5, 0.8, 0.999, 1, 1.1, np.nan])
    for shapes in SHAPES.get(name, [()]):
        for place in placed(name, (), (0.3, 1.7), (-1.0, 2.0), (0.3, -1.0)):
            expected = theirs(x, *shapes, *place)
            if function in ("logpdf", "pdf", "logpmf", "pmf") and (not place[1:] or place[1] > 0):
                expected = np.where(np.isinf(x), -np.inf if function[0] == "l" else 0, expected)  # SciPy gives NaN
            assert_allclose(ours(x, *shapes, *place), expected, rtol=1e-9, atol=1e-15)
    if name in WRONG:
        assert np.isnan(ours(x, *WRONG[name])).all()


def parameters(name, function):
    """The parameters by name, and those of them that have no derivative in elementary functions."""
    shapes = SHAPES.get(name, [()])[0]
    first = next(m.__func__ for m in vars(getattr(stats, name)).values() if isinstance(m, staticmethod))
    place = {"uniform": (0.05, 1.3), "truncnorm": ()}.get(name, placed(name, (0.1, 0.9))[0])
    if "logpmf" in vars(getattr(stats, name)):
        place = ()
    given = dict(zip([*inspect.signature(first).parameters][1:], map(np.float64, (*shapes, *place)), strict=False))
    density = function in ("logpdf", "pdf", "logpmf", "pmf")
    return given, {"binom": {"n"}, **({} if density else {"invgamma": {"a"}, "nbinom": {"n"}})}.get(name, set())


@each
def test_derivatives(name, function):
    ours, _ = both(name, function)
    given, without = parameters(name, function)
    moving = [key for key in given if key not in without]
    fixed = {key: given[key] for key in without}
    x = inside(name, function)
    counts = "logpmf" in vars(getattr(stats, name))

    def f(*values):
        point, values = (x, values) if counts else (values[0], values[1:])
        return ours(point, **fixed, **dict(zip(moving, values, strict=True)))

    order = 2 if function in ("logpdf", "logpmf", "ppf") else 1  # others are made of these and of ufuncs with two
    check_grads(f, *([] if counts else [x]), *[given[key] for key in moving], order=order, float32=False)
    for key in without & {"a"}:
        with pytest.raises(TypeError, match="has no VJP for its argument"):
            ours(x, **{**given, key: leaf(given[key])})


@each
def test_lists_numbers_tensors_and_single_precision(name, function):
    ours, _ = both(name, function)
    x, shapes = inside(name, function), SHAPES.get(name, [()])[0]
    expected = ours(x, *shapes)
    for kind in (list, mg.tensor, leaf):
        assert_array_equal(mg.array(ours(kind(x), *shapes)).data, expected)
    assert_allclose(ours(x.astype(np.float32), *shapes), expected, rtol=1e-4, atol=1e-6)
    assert_allclose([ours(np.float64(x[0]), *shapes), ours(float(x[0]), *shapes)], [expected[0]] * 2)
    assert ours(np.ones((0, 2)), *shapes).shape == (0, 2)
    frozen = getattr(getattr(stats, name)(*shapes), function)
    assert_array_equal(frozen(x), expected)


WHOLE = {
    "binom": (4, 0.3),
    "bernoulli": (0.3,),
    "geom": (0.3,),
    "nbinom": (3, 0.3),
    "truncnorm": (1, 9),
    "beta": (2, 3),
}


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.uint64])
@pytest.mark.parametrize("name", [*families.__all__, "norm", "t", "gamma", "chi2", "beta", "poisson"])
def test_integers_of_any_type_count_as_fractions(name, dtype):
    theirs = getattr(ss, name)
    counts = isinstance(theirs, ss.rv_discrete)
    shapes, x = WHOLE.get(name, (2,) * theirs.numargs), np.array([1, 2, 3, 8])
    place = (2,) if counts else (2, 3)
    functions = ("logpmf", "pmf") if counts else ("logpdf", "pdf")
    for function in (*functions, *(() if name in ("skewnorm", "vonmises") else ("cdf", "sf", "logsf"))):
        f = getattr(getattr(stats, name), function)
        whole = [dtype(part) if isinstance(part, int) else part for part in (*shapes, *place)]
        expected = f(x * 1.0, *[part * 1.0 for part in (*shapes, *place)])
        assert_array_equal(f(x.astype(dtype), *whole), expected, strict=True)
        assert_array_equal(f(mg.tensor(x.astype(dtype)), *whole).data, expected)


CERTAIN = [("binom", (4.0, 1.0)), ("geom", (1.0,)), ("nbinom", (2.0, 1.0))]  # at p = 1 ln(1 - p) is infinite
SUPPORTS = [
    (name, shapes) for name in families.__all__ for shapes in SHAPES.get(name, [()]) if (name, shapes) not in CERTAIN
]
SUPPORTS += [("truncnorm", shapes) for shapes in ((0.5, 0.6), (-3.0, -2.9), (2.0, 7.0), (-7.0, -2.0), (0.1, 40.0))]


@pytest.mark.parametrize(("name", "shapes"), SUPPORTS)
def test_nothing_flows_back_from_outside_of_a_support(name, shapes):
    (begin, end), median = getattr(ss, name).support(*shapes), getattr(ss, name).median(*shapes)
    x = np.array([median, -np.inf, begin - 2, begin - 1e-3, end + 1e-3, end + 2, np.inf])
    for function in [function for row, function in CASES if row == name and function != "ppf"]:
        f, (given, without) = both(name, function)[0], parameters(name, function)
        rest = [*shapes, *[0.0, 1.0][: len(given) - len(shapes)]]
        moving = [0, *[i for i, key in enumerate(given, 1) if key not in without and np.isfinite(rest[i - 1])]]
        weighed = lambda *x, f=f, log=function[0] == "l": np.sum(np.exp(f(*x)) if log else f(*x))  # noqa: E731
        found, expected = (mg.grad(weighed, moving)(x, *rest) for x in (x, x[0]))
        assert_allclose(found[0], [expected[0], *[0] * 6])
        assert_allclose(found[1:], expected[1:], err_msg=function)


@pytest.mark.parametrize(("name", "shapes"), SUPPORTS)
def test_what_is_outside_of_a_support_warns_of_nothing(name, shapes):
    (begin, end), median = getattr(ss, name).support(*shapes), getattr(ss, name).median(*shapes)
    x = np.array(
        [median, *([begin - 2, begin - 1e-3] if begin > -np.inf else []), *([end + 2] if end < np.inf else [])]
    )
    for function in vars(getattr(stats, name)).keys() & {"logpdf", "logpmf", "cdf", "sf", "logcdf", "logsf"}:
        with np.errstate(divide="raise", invalid="raise"):
            both(name, function)[0](x, *shapes)


@pytest.mark.parametrize(("name", "shapes"), SUPPORTS)
def test_a_distribution_function_is_flat_at_the_ends_as_it_is_outside(name, shapes):
    ends = np.array(getattr(ss, name).support(*shapes), float)
    for function in [function for row, function in CASES if row == name and function in ("cdf", "sf")]:
        f = both(name, function)[0]
        assert_array_equal(mg.elementwise_grad(lambda x, f=f: f(x, *shapes))(ends), [0, 0])


EXPONENTS = [(0.4,), (0.5,), (1.0,), (1.7,), (2.0,)]
QUANTILES = [
    *[(name, shapes) for name, function in CASES if function == "ppf" for shapes in SHAPES.get(name, [()])],
    *[(name, shapes) for name in ("weibull_min", "fisk", "gamma", "chi2", "invgamma") for shapes in EXPONENTS],
    *[(name, (*a, *b)) for name in ("exponweib", "beta") for a in EXPONENTS for b in EXPONENTS],
    *[("norm", ()), ("t", (1.0,)), ("t", (3.5,))],
]


@pytest.mark.parametrize(("name", "shapes"), QUANTILES)
def test_a_quantile_at_an_end_has_the_slope_1_over_density_and_no_other(name, shapes):
    theirs, q = getattr(ss, name), np.array([0.0, 1.0])
    z = theirs.ppf(q, *shapes)
    density = np.where(np.isinf(z), 0, theirs.pdf(z, *shapes))
    if name == "exponweib":
        density[0] = {-1: np.inf, 0: 1, 1: 0}[np.sign(np.prod(shapes) - 1)]  # SciPy gives NaN or 0
    f = lambda q, *rest: getattr(stats, name).ppf(q, *rest)  # noqa: E731
    assert_array_equal(f(q, *shapes), z)
    with np.errstate(all="raise", under="ignore"):
        f(np.array([0.0, 0.3, 1.0]), *shapes)
    slopes = mg.elementwise_grad(lambda q: f(q, *shapes, 0.3, 1.7))(q)
    assert_allclose(slopes, 1.7 / density, rtol=1e-6)
    for end in q:
        assert_array_equal(mg.grad(f, (1 + len(shapes), 2 + len(shapes)))(end, *shapes, 0.3, 1.7), (1, f(end, *shapes)))
        if name not in ("t", "gamma", "chi2", "beta", "invgamma"):
            assert_array_equal(mg.grad(f, tuple(range(1, 1 + len(shapes))))(end, *shapes), np.zeros(len(shapes)))


def test_higher_slopes_of_quantiles_at_an_end():
    second = lambda f, *i: mg.grad(lambda *x: mg.grad(f, i[0])(*x), i[1])  # noqa: E731
    assert second(stats.expon.ppf, 0, 0)(0.0) == 1
    assert second(stats.weibull_min.ppf, 0, 0)(0.0, 1.0) == second(stats.exponweib.ppf, 0, 0)(0.0, 1.0, 1.0) == 1
    assert second(stats.exponweib.ppf, 0, 0)(0.0, 0.5, 2.0) == 0
    assert second(stats.exponweib.ppf, 0, 0)(0.0, 2.0, 0.5) == np.inf
    assert mg.grad(second(stats.exponweib.ppf, 0, 0))(0.0, 0.5, 2.0) == 1.5  # of q + q**3 / 4
    assert_allclose(second(stats.gompertz.ppf, 0, 1)(0.0, 0.6), -1 / 0.6**2)
    assert second(stats.lognorm.ppf, 0, 0)(0.0, 0.6) == second(stats.gumbel_l.ppf, 0, 0)(0.0) == -np.inf
    assert second(stats.logistic.ppf, 0, 0)(1.0) == np.inf


@pytest.mark.parametrize("name", [name for name in families.__all__ if name in SHAPES])
def test_shapes_that_are_wrong_entry_by_entry(name):
    shapes = [np.array(pair) for pair in zip(SHAPES[name][0], WRONG.get(name, SHAPES[name][0]), strict=True)]
    for function in [function for row, function in CASES if row == name]:
        ours, theirs = both(name, function)
        x = inside(name, function)[:1]
        assert_allclose(ours(x, *shapes), theirs(x, *shapes), rtol=1e-9)


def test_ends_entry_by_entry_and_in_single_precision():
    x, a, b = np.array([-2.0, 0.0, 0.3, 5.0])[:, None], np.array([-1.0, 0.1, -0.5]), np.array([0.5, 1.0, 6.0])
    assert_allclose(stats.truncnorm.logpdf(x, a, b), ss.truncnorm.logpdf(x, a, b), rtol=1e-9)
    k, n = np.array([-1.0, 0.0, 3.0, 9.0])[:, None], np.array([2, 3, 7])
    assert_allclose(stats.binom.cdf(k, n, 0.3), ss.binom.cdf(k, n, 0.3))
    for distribution in (stats.expon, stats.uniform, stats.rayleigh):
        for function in ("cdf", "sf"):
            assert getattr(distribution, function)(x.astype(np.float32)).dtype == np.float32


def test_which_parameters_have_a_distribution():
    k, p = np.array([0.0, 1.0, 2.0]), np.array([-0.2, 0.0, 0.4, 1.0, 1.2])[:, None]
    for name, numbers in (
        ("bernoulli", [()]),
        ("geom", [()]),
        *((name, [(-3,), (0,), (0.5,), (3,), (2.5,)]) for name in ("binom", "nbinom")),
    ):
        for n in numbers:
            for function in ("logpmf", "cdf", "sf"):
                ours, theirs = both(name, function)
                assert_allclose(ours(k, *n, p), theirs(k, *n, p), rtol=1e-12, atol=1e-15, err_msg=f"{name} {n}")


def test_a_small_probability_of_a_row_is_not_what_is_left_of_1():
    for name, x, shapes in (
        ("exponweib", 30.0, (1.4, 1.7)), ("truncnorm", 8.5, (6.0, np.inf)), ("truncnorm", 40.01, (40.0, 45.0))
    ):  # fmt: skip
        for function in ("sf", "logsf", "logcdf"):
            ours, theirs = both(name, function)
            assert_allclose(ours(x, *shapes), theirs(x, *shapes), rtol=1e-7)
    assert_allclose(stats.fisk.sf(1e6, 3.0), 1e-18)
    assert stats.expon.logsf(800.0) == -800
    assert stats.halfnorm.logsf(50.0) < -1250


@pytest.mark.parametrize(
    ("name", "shapes"),
    [*SUPPORTS, ("norm", ()), ("t", (3.5,)), ("gamma", (0.5,)), ("gamma", (2.5,)), ("beta", (2.0, 1.5))],
)
def test_the_slope_of_a_distribution_function_is_the_density_in_the_tails_too(name, shapes):
    theirs = getattr(ss, name)
    p = np.array([1e-300, 1e-100, 1e-30, 1e-17, 1e-12, 1e-6, 0.3, 0.5])
    if not isinstance(theirs, ss.rv_discrete):
        x = np.concatenate([theirs.ppf(p, *shapes), theirs.isf(p, *shapes)])
        x = x[np.isfinite(theirs.pdf(x, *shapes)) & ~np.isin(x, [*theirs.support(*shapes), -np.inf, np.inf])]
        for function, sign in (("cdf", 1), ("sf", -1)):
            f = getattr(getattr(stats, name), function, None)
            if f is not None and name not in ("skewnorm", "vonmises"):
                slopes = mg.elementwise_grad(lambda x, f=f: f(x, *shapes))(x)
                assert_allclose(sign * slopes, theirs.pdf(x, *shapes), rtol=1e-6)


def test_quantiles_far_away():
    q = np.array([1e-300, 1e-12, 0.3, 1 - 1e-9, 1 - 1e-15])
    for name in ("cauchy", "laplace", "logistic"):
        ours, theirs = both(name, "ppf")
        assert_allclose(ours(q), theirs(q), rtol=1e-12)


def test_names_and_numbers_of_parameters():
    assert_allclose(stats.lognorm.logpdf(2.0, s=0.9, scale=3.0), ss.lognorm.logpdf(2.0, s=0.9, scale=3.0))
    assert [*inspect.signature(stats.truncnorm.cdf).parameters] == ["x", "a", "b", "loc", "scale"]
    with pytest.raises(
        TypeError, match=r"^lognorm\.logpdf\(x, s, loc=0\.0, scale=1\.0\): missing a required argument: 's'"
    ):
        stats.lognorm.logpdf(2.0)
    with pytest.raises(
        TypeError, match=r"^binom\.cdf\(k, n, p, loc=0\.0\): got an unexpected keyword argument 'scale'"
    ):
        stats.binom.cdf(2.0, 3, 0.5, scale=1.0)
    assert stats.expon.mean(scale=3.0) == 3


def test_quantiles_undo_distribution_functions():
    q = np.array([0.0, 0.1, 0.5, 0.97, 1.0, np.nan, -0.5])
    for name, shapes in (("t", (3.5,)), ("gamma", (2.5,)), ("chi2", (3.0,)), ("beta", (2.0, 1.5))):
        ours, theirs = both(name, "ppf")
        assert_allclose(ours(q, *shapes, 0.3, 1.7), theirs(q, *shapes, 0.3, 1.7), rtol=1e-9)
        check_grads(lambda q, s, f=ours, z=shapes: f(q, *z, 0.3, s), q[1:4], np.float64(1.7), order=2, float32=False)
        assert np.isnan(ours(q, -1.0, *shapes[1:])).all()
        assert np.isnan(ours(q, *shapes, 0.0, -1.0)).all()


def test_several_kinds_of_counts():
    x, p = np.array([[1, 2, 4], [3, 3, 1], [0, 0, 7], [1, 1, 1]]), np.array([0.2, 0.3, 0.5])
    for points, n, of in ((x, 7, p), (x[0], 7, p), ([1, 2], 3, [0.4, 0.6]), ([1, 2], 3, [-0.4, 1.4])):
        for name in ("logpmf", "pmf"):
            ours, theirs = both("multinomial", name)
            assert_allclose(ours(points, n, of), theirs(points, n, of), rtol=1e-12)
    check_grads(lambda p: stats.multinomial.logpmf(x[:3], 7, p), p, order=2, float32=False)
    slopes = mg.grad(lambda z: stats.multinomial.logpmf(x[0], 7, mg.softmax(z)))(np.log(p))
    assert_allclose(slopes, x[0] - 7 * p, atol=1e-12)


def test_rows_made_anew(monkeypatch):
    """What makes a row has run before any test."""
    made = anew(families)
    for name in families.__all__:
        row, before, theirs = getattr(made, name), getattr(stats, name), getattr(ss, name)
        assert (row.__name__, row.__doc__, row.__module__) == (name, before.__doc__, "minigrad.scipy.stats")
        assert vars(row).keys() == vars(before).keys()
        counts = isinstance(theirs, ss.rv_discrete)
        shapes = theirs.shapes.split(", ") if theirs.shapes else []
        for function, member in vars(row).items():
            if isinstance(member, staticmethod):
                first = "q" if function == "ppf" else "k" if counts else "x"
                place = ["loc=0.0"] if counts else ["loc=0.0", "scale=1.0"]
                parameters = inspect.signature(getattr(row, function)).parameters.values()
                assert [str(p.replace(annotation=p.empty)) for p in parameters] == [first, *shapes, *place]
                assert getattr(row, function).__name__ == function
                assert getattr(row, function).__doc__ == getattr(before, function).__doc__ is not None
        monkeypatch.setattr(stats, name, row)
    for name, function in CASES:
        test_values_are_scipys_in_the_support_and_outside(name, function)
        test_lists_numbers_tensors_and_single_precision(name, function)
    test_names_and_numbers_of_parameters()


@pytest.mark.parametrize("name", ["norm", "laplace", "gamma"])
def test_wrong_arguments_are_named_with_their_distribution(name):
    logpdf = getattr(stats, name).logpdf
    shapes = (2.0,) if name == "gamma" else ()
    for x in (leaf([1.0, 2.0]), np.array([1.0, 2.0])):
        with pytest.raises(TypeError, match=rf"^{name}\.logpdf: loc must hold numbers, not None"):
            logpdf(x, *shapes, None)
        with pytest.raises(ValueError, match=rf"^{name}\.logpdf: .* could not be broadcast together .* loc \(3,\)"):
            logpdf(x, *shapes, loc=np.ones(3))
    with pytest.raises(TypeError, match=rf"^{name}\.logpdf: x must hold numbers, not 'a'"):
        getattr(stats, name)(*shapes).pdf("a")


def test_what_is_no_outcome_of_multinomial_trials():
    x = np.array([[1, 2, 4], [3.5, 2.5, 1], [-1, 4, 4], [1, 1, 1], [0, 0, 7], [1, 2, -3]])
    p = np.array([[0.2, 0.3, 0.5], [0.0, 0.4, 0.6], [1.4, -0.4, 0.0], [-0.5, 0.7, 0.8], [0.0, 0.0, 1.0]])[:, None]
    for n in (7, 3, 0, -1, np.array([7, 8, 7, 3, 7, 0])):
        assert_allclose(stats.multinomial.logpmf(x, n, p), ss.multinomial.logpmf(x, n, p), rtol=1e-12)
    no = np.array([[1.0, 1, 1], [3.5, 2.5, 1], [-1, 4, 4]])
    for chances in ([0.0, 0.4, 0.6], [1.4, -0.4, 0.0], [0.0, 1.4, -0.4]):
        slopes = mg.grad(lambda p: np.sum(stats.multinomial.pmf(no, 7, p)))(np.array(chances))
        assert_array_equal(slopes, np.zeros(3), err_msg=str(chances))
    possible = np.array([[1.0, 2, 4], [0, 0, 7]])
    assert_array_equal(mg.grad(lambda p: np.nansum(stats.multinomial.pmf(possible, 7, p)))(np.array([1.4, -0.4, 0])), 0)
