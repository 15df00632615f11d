"""SciPy's functions of Tensors: their derivatives against finite differences, their values against SciPy's."""

import contextlib
import copy
import math
import pickle
import subprocess
import sys
import weakref
from itertools import product

import numpy as np
import pytest
import scipy.integrate as si
import scipy.interpolate as sinterpolate
import scipy.linalg as sl
import scipy.optimize as optimize
import scipy.signal as ssignal
import scipy.special as sp
import scipy.stats as ss
from numpy.testing import assert_allclose, assert_array_equal, assert_equal
from support.anew import anew
from support.gradients import leaf, numeric, slopes
from support.gradients import second as curvature
from support.specification import Specs, call, calls

import minigrad as mg
from minigrad import _numpy
from minigrad.scipy import integrate, interpolate, linalg, signal, special, stats, ufuncs
from minigrad.testing import check_grads

specs = Specs()
spec = specs.add

RNG = np.random.default_rng(0)
M = RNG.normal(size=(3, 3))
POSITIVE = M @ M.T + np.eye(3)
only64 = {"opt_outs": {"float32": "SciPy's own precision"}}

spec("polygamma", calls(call(1, np.array([0.7, 2.5])), call(3, 1.5)), sp.polygamma, fn=special.polygamma, **only64)
spec("zeta", calls(call(2, np.array([0.7, 2.5]))), sp.zeta, fn=special.zeta, **only64)
spec(
    "CubicSpline",
    calls(call(np.array([0.3, 2.1]))),
    lambda x: sinterpolate.CubicSpline(np.arange(4), M[[0, 1, 2, 0], :2])(x),
    fn=lambda x: interpolate.CubicSpline(np.arange(4), M[[0, 1, 2, 0], :2])(x),
    **only64,
)
spec("lambertw", calls(call(np.array([-1.3, 0.4]))), sp.lambertw, fn=special.lambertw, **only64)
spec("expm", calls(call(M), call(np.stack([M, M.T]))), sl.expm, fn=linalg.expm, **only64)
spec(
    "solve_sylvester",
    calls(call(POSITIVE[:1, :1], POSITIVE[1:2, 1:2], M[:1, :1])),
    sl.solve_sylvester,
    fn=linalg.solve_sylvester,
    **only64,
)
spec(
    "solve_banded",
    calls(call(POSITIVE[:1, :2], M[0, :2])),
    lambda ab, b: sl.solve_banded((0, 0), ab, b),
    fn=lambda ab, b: linalg.solve_banded((0, 0), ab, b),
    **only64,
)
spec("sqrtm", calls(call(POSITIVE)), sl.sqrtm, fn=linalg.sqrtm, **only64)

TestSpecs = specs.tests(examples=2)

ANY = np.array([-1.3, 0.4, 2.2])
PART = np.array([0.2, 0.55, 0.9])
MORE = np.array([0.3, 1.4, 3.1])
OF_COMPLEX = "log1p", "expm1", "wofz", "wrightomega", "lambertw"
ROWS = [
    *[(name, ANY) for name in ("erf", "erfc", "erfcx", "erfi", "dawsn", "ndtr", "log_ndtr", "expit", "log_expit")],
    *[(name, ANY) for name in ("j0", "j1", "i0", "i1", "i0e", "i1e")],
    *[(name, PART) for name in ("erfinv", "erfcinv", "ndtri", "logit", "ellipk", "ellipe", "entr")],
    *[(name, MORE) for name in ("psi", "gammaln", "loggamma", "gamma", "rgamma", "y0", "y1", "k0", "k1", "k0e", "k1e")],
    *[(name, MORE) for name in ("expi", "exp1")],
    *[(name, MORE, PART) for name in ("beta", "betaln", "xlogy", "xlog1py", "rel_entr", "kl_div")],
    ("owens_t", ANY, PART),
    *[(name, ANY) for name in ("expm1", "exp2", "exp10", "cbrt", "cosm1", "sindg", "cosdg", "tandg", "cotdg")],
    *[(name, ANY) for name in ("exprel", "wrightomega", "wofz", "lambertw")],
    *[("exprel", x) for x in (np.array([0.0, 1e-9, -1e-5]), np.array([-30.0, 20.0]))],
    *[("ndtri_exp", x) for x in (-MORE, np.array([-30.0, -200.0, -1e-3]))],
    *[("spence", x) for x in (MORE, np.array([1.0, 1 + 1e-9, 0.9999999]))],
    ("log1p", PART),
    ("ellipkm1", PART),
    *[(name, MORE, ANY) for name in ("powm1", "boxcox", "boxcox1p", "huber", "pseudo_huber")],
    *[(name, PART / 3, ANY) for name in ("inv_boxcox", "inv_boxcox1p")],
    *[(name, PART / 3, np.array([0.0, 1e-8, -1e-6])) for name in ("boxcox", "boxcox1p", "inv_boxcox", "inv_boxcox1p")],
    *[(name, MORE + shift, MORE) for name, shift in (("poch", 0.0), ("binom", 1.0), ("binom", -0.4))],
    *[("voigt_profile", ANY, MORE, PART * shift) for shift in (1.0, 20.0)],
]
HANKEL = "hankel1", "hankel2", "hankel1e", "hankel2e"
POLYNOMIALS = "legendre", "sh_legendre", "chebyt", "chebyu", "chebyc", "chebys", "sh_chebyt", "sh_chebyu", "laguerre"
SECOND = [  # ufuncs whose last argument alone has a derivative
    *[(name, 2, MORE) for name in ("gammainc", "gammaincc", "jv", "yv", "yn", "iv", "kv", "ive", "kve")],
    *[(name, 2.5, PART) for name in ("gammaincinv", "gammainccinv")],
    *[(name, 2.5, 1.5, PART) for name in ("betainc", "betaincc", "betaincinv")],
    ("stdtr", 3.5, ANY),
    ("hyp2f1", 0.5, 1.5, 2.0, PART),
    *[(name, v, MORE) for v in (0, 1, 2, -1, 1.5) for name in ("jve", "yve", *HANKEL)],
    *[("kn", n, MORE) for n in (0, 1, -3)],
    *[("expn", n, MORE) for n in (0, 1, 2, 5)],
    ("hyp0f1", 1.5, ANY),
    ("hyp1f1", 0.7, 1.5, ANY),
    ("hyperu", 0.7, 1.5, MORE),
    *[(name, 0.7, 1.5, MORE) for name in ("wright_bessel", "log_wright_bessel")],
    *[(name, 3, MORE) for name in ("pdtr", "pdtrc", "chdtr", "chdtrc")],
    *[(name, 2.5, MORE) for name in ("pdtr", "pdtrc")],
    *[(name, k, 7, PART) for name in ("bdtr", "bdtrc") for k in (3, 2.5)],
    ("chdtri", 3, PART),
    ("stdtrit", 3.5, PART),
    ("betainccinv", 2.5, 1.5, PART),
    *[(f"eval_{name}", n, PART) for name in POLYNOMIALS for n in (-4, -3, -2, -1.5, -1, 0, 1, 2, 5, 0.5, 2.7)],
    *[(f"eval_{name}", n, PART) for name in ("hermite", "hermitenorm") for n in (0, 1, 2, 5)],
    *[("eval_jacobi", n, 0.7, 1.2, PART) for n in (-2, 0, 1, 5, 2.7)],
    *[(f"eval_{name}", n, 0.7, PART) for name in ("genlaguerre", "gegenbauer") for n in (-2, 0, 1, 5, 2.7)],
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_ufunc(row):
    ufunc = getattr(sp, row[0])
    check_grads(lambda *x: ufunc(*x), *row[1:], order=2, float32=False)
    assert_array_equal(ufunc(leaf(row[1]), *row[2:]).data, ufunc(*row[1:]))
    single = [x.astype(np.float32) for x in row[1:]]
    assert_array_equal(ufunc(leaf(single[0]), *single[1:]).data, ufunc(*single), strict=True)


SEVERAL = [*product(("sici", "shichi"), [(MORE,)]), *product(("fresnel", "airy"), [(ANY,)]), ("ellipj", (ANY, 0.3))]


@pytest.mark.parametrize(("name", "x"), [*SEVERAL, ("ellipkinc", (ANY, 0.3)), ("ellipeinc", (ANY, 0.3))])
def test_a_ufunc_in_its_first_argument(name, x):
    ufunc = getattr(sp, name)
    check_grads(lambda first: ufunc(first, *x[1:]), x[0], order=2, float32=False)
    for first in (x[0], np.ones(0), np.array(0.3)):
        found, expected = ufunc(leaf(first), *x[1:]), ufunc(first, *x[1:])
        for part, value in zip(*[r if ufunc.nout > 1 else [r] for r in (found, expected)], strict=True):
            assert_array_equal(part.data, value, strict=np.ndim(value) > 0)
    if x[1:]:
        with pytest.raises(TypeError, match=rf"^{name} has no VJP for its argument 'm'"):
            ufunc(x[0], leaf(x[1]))


@pytest.mark.parametrize(
    "name", ["erf", "erfc", "erfcx", "erfi", "dawsn", "ndtr", "expi", "exp1", "log_ndtr", *OF_COMPLEX]
)
def test_a_ufunc_of_complex_numbers(name):
    check_grads(lambda z: getattr(sp, name)(z), ANY - 0.7j, order=2, float32=False)


@pytest.mark.parametrize("name", ["gamma", "rgamma", "loggamma"])
def test_a_gamma_function_of_complex_numbers_has_a_first_derivative(name):
    check_grads(lambda z: getattr(sp, name)(z), ANY - 0.7j, order=1, float32=False)
    with pytest.raises(TypeError, match=r"can't differentiate a result of dtype complex128"):
        mg.grad(lambda z: np.real(mg.grad(lambda z: np.real(getattr(sp, name)(z)))(z)))(0.5 - 0.7j)


@pytest.mark.parametrize("name", ["xlogy", "xlog1py"])
def test_a_logarithm_times_a_number_of_complex_numbers(name):
    check_grads(lambda x, y: getattr(sp, name)(x, y), ANY - 0.7j, ANY[::-1] + 1.3j, order=2, float32=False)


FAR = np.array([-1e10, -1e4, -60, -9.0, 9, 60, 1e4, 1e10])
TAILS = [  # ufunc, where, its slope and curvature there, within a relative distance of
    ("log_ndtr", FAR[:2], lambda x: -x, lambda x: -np.ones_like(x), 1e-5),
    ("erfcx", FAR[-3:], lambda x: -(x**-2 - 1.5 * x**-4) / np.pi**0.5, lambda x: 2 * x**-3 / np.pi**0.5, 1e-3),
    ("dawsn", FAR[abs(FAR) > 50], lambda x: -(x**-2 + 1.5 * x**-4) / 2, lambda x: x**-3, 1e-3),
    ("ellipk", np.array([-1e-15, 0, 1e-9]), lambda m: np.pi / 8 + 9 * np.pi / 64 * m, lambda m: 9 * np.pi / 64, 1e-6),
    ("ellipe", np.array([-1e-15, 0, 1e-9]), lambda m: -np.pi / 8 - 3 * np.pi / 64 * m, lambda m: -3 * np.pi / 64, 1e-6),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "x", "slope", "curvature", "rtol"), TAILS, ids=[row[0] for row in TAILS])
def test_a_slope_is_precise_where_its_terms_cancel(name, x, slope, curvature, rtol, dtype):
    first = mg.elementwise_grad(lambda x: getattr(sp, name)(x))
    assert_allclose(first(x.astype(dtype)), slope(x), rtol=rtol)
    assert_allclose(mg.elementwise_grad(first)(x.astype(dtype)), np.broadcast_to(curvature(x), x.shape), rtol=rtol)


@pytest.mark.parametrize(
    ("dtype", "edge", "rtol"), [(np.float32, 8, 1e-4), (np.float64, 20, 1e-10), (np.float64, 50, 1e-11)]
)
def test_a_tail_joins_the_formula_before_it(dtype, edge, rtol):
    x = np.array([0.99, 1.01], dtype) * edge
    exact = -sp.hyperu(1, 0.5, x.astype(float) ** 2) / np.pi**0.5  # DLMF 7.18.11
    assert_allclose(mg.elementwise_grad(sp.erfcx)(x), exact, rtol=rtol)
    u = x.astype(float) ** -2
    exact = -u / 2 * (1 + u * (1.5 + u * (3.75 + u * (13.125 + u * (59.0625 + u * 324.84375)))))
    assert_allclose(mg.elementwise_grad(sp.dawsn)(-x), exact, rtol=rtol)


def test_the_density_of_a_large_shape_is_precise_in_float32():
    x = np.float32(1e6)
    for slope in (
        mg.grad(lambda x: sp.gammainc(x.detach(), x))(x),
        1 / mg.grad(lambda y: sp.gammaincinv(x, y))(np.float32(0.5)),
    ):
        assert_allclose(slope, ss.gamma.pdf(1e6, 1e6), rtol=1e-3)
    a = np.float32(1e5)
    assert_allclose(mg.grad(lambda x: sp.betainc(a, a, x))(np.float32(0.5)), ss.beta.pdf(0.5, 1e5, 1e5), rtol=1e-3)


@pytest.mark.parametrize("name", ["jv", "yv", "iv", "kv", *HANKEL, "hyp0f1"])
def test_a_bessel_function_of_complex_numbers(name):
    check_grads(lambda z: getattr(sp, name)(1.5, z), ANY - 0.7j, order=1, float32=False)


@pytest.mark.parametrize("row", SECOND, ids=lambda row: row[0])
def test_a_ufunc_in_its_last_argument(row):
    ufunc, (_, *fixed, x) = getattr(sp, row[0]), row
    check_grads(lambda x: ufunc(*fixed, x), x, order=2, float32=False)
    with pytest.raises(TypeError, match=rf"^{ufunc.__name__} has no VJP for its argument"):
        ufunc(leaf(float(fixed[0])), *fixed[1:], x)


def test_boxcox_and_what_has_no_row():
    check_grads(lambda x: sp.boxcox(x, 0.4), MORE, float32=False)
    with pytest.raises(TypeError, match=r"^scipy\.special\.zetac has no op here"):
        sp.zetac(leaf(MORE))


def test_branches_and_orders_of_any_integer_type():
    for k in (0, 1, -1):
        check_grads(lambda z, k=k: sp.lambertw(z, k), ANY - 0.7j, order=1, float32=False)
    assert mg.grad(lambda z: np.real(sp.lambertw(z)))(0.0) == 1
    assert_allclose(mg.grad(lambda q: sp.zeta(2, q))(1.5), -2 * sp.zeta(3, 1.5))
    for name in (
        "jv",
        "yv",
        "iv",
        "kv",
        "kn",
        "hankel1e",
        "eval_legendre",
        "eval_chebyu",
        "eval_laguerre",
        "expn",
        "zeta",
    ):
        slopes = [
            mg.grad(lambda x, n=n, name=name: np.sum(np.real(getattr(sp, name)(n, x))))(PART)
            for n in (
                np.array([0, 2, 3], np.uint8)[name == "zeta" :][:, None],
                np.array([0, 2, 3])[name == "zeta" :][:, None],
            )
        ]
        assert_array_equal(*slopes)


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "row", {row[0]: row for row in [*ROWS, *SECOND] if len(row) > 2}.values(), ids=lambda row: row[0]
)
def test_slopes_beside_integers_of_any_type(row):
    ufunc, below_1 = getattr(sp, row[0]), np.max(np.abs(row[-1])) < 1
    whole = [np.array(part) for part in ([7, 1, 20, 3], [8, 1, 2, 16], [9, 1, 16, 3], [2, 3, 4, 5])]
    for i in range(ufunc.nin):
        x = [part if i != k else PART[:1] if below_1 else part / 2 for k, part in enumerate(whole[: ufunc.nin])]
        if below_1 and i < ufunc.nin - 1:
            x[-1] = PART[:1]

        def slopes(dtype, x=x, i=i):
            typed = [part.astype(dtype) if part.dtype.kind == "i" else part for part in x]
            return mg.grad(lambda v: np.sum(np.real(ufunc(*typed[:i], v, *typed[i + 1 :]))))(x[i] * 1.0)

        try:
            expected = slopes(np.int64)
        except TypeError:  # no derivative in this argument
            continue
        for dtype in (np.int8, np.uint8):
            assert_allclose(slopes(dtype), expected, rtol=1e-3, atol=1e-6)


def test_where_a_loss_changes_its_form():
    for r, in_delta in ((2.0, 0.0), (-2.0, 0.0), (3.0, 1.0), (0.0, 0.0)):
        assert mg.grad(sp.huber, (0, 1))(2.0, r) == (in_delta, np.clip(r, -2, 2))
    for loss in (sp.huber, sp.pseudo_huber):
        assert np.isnan(mg.grad(loss, (0, 1))(-1.0, 0.5)).all()
    assert_allclose(mg.grad(sp.pseudo_huber)(1e5, 1e-2), 0.25 * 1e-8 / 1e15, rtol=1e-10)


AT_EXACT_VALUES = {
    "dawsn": (sp.dawsn, [0, 1, -1]),
    "erfcx": (sp.erfcx, [0, 1, -1]),
    "shichi": (lambda x: sp.shichi(x)[0], [0, 1, -1, 500]),
    "huber": (lambda x: sp.huber(1.5, x), [0, 1, -1]),
    "beta, a": (lambda x: sp.beta(x, 0.3), [-0.3, -1.3, 0.7, 1]),
    "beta, b": (lambda x: sp.beta(-1.3, x), [0.3, -1.7, 1.3]),
    "poch of 1.5": (lambda x: sp.poch(x, 1.5), [0, -1, 1]),
    "poch of 3": (lambda x: sp.poch(x, 3), [0, -1, -2, -3, -5, 1]),
    "poch of -2": (lambda x: sp.poch(x, -2), [0, -1, -2, 3]),
    "binom, n": (lambda x: sp.binom(x, 3), [0, 1, 2, 3, 4]),
    "binom, k": (lambda x: sp.binom(3, x), [-2, -1, 0, 1, 3, 4, 5]),
    "hyp2f1": (lambda x: sp.hyp2f1(0, 2, 3, x), [0, 1, -1, 2]),
}
AT_EXACT_VALUES |= {
    f"{name} of {n}": (lambda x, name=f"eval_{name}", n=n: getattr(sp, name)(n, x), [0, 1, -1])
    for name in ("legendre", "sh_legendre", "chebyt", "chebyu", "chebyc", "chebys", "sh_chebyt", "sh_chebyu")
    for n in (-2, -1, 0, 1, 2)
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", AT_EXACT_VALUES)
def test_slopes_where_a_formula_divides_0_by_0(name):
    f, x = AT_EXACT_VALUES[name]
    x = np.array(x, float)
    slope = lambda x: slopes(f, x)  # noqa: E731
    assert_allclose(slope(x), np.diag(numeric_rows(f, x)), rtol=1e-5, atol=1e-6)
    assert_allclose(curvature(f, x), np.diag(numeric_rows(slope, x)), rtol=1e-4, atol=1e-6)


def numeric_rows(f, x, h=3e-3):
    """The derivative of each entry of f in each entry of x, by differences of fourth order."""
    steps = h * np.eye(x.size)
    return np.array([(8 * (f(x + e) - f(x - e)) - f(x + 2 * e) + f(x - 2 * e)) / (12 * h) for e in steps])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_boxcox_of_0_has_an_end():
    assert mg.grad(sp.boxcox, 1)(0.0, -0.5) == np.inf
    assert_allclose(mg.grad(sp.boxcox, 1)(2.0, 0.0), math.log(2) ** 2 / 2)


@pytest.mark.parametrize("name", ["erfcx", "wofz", "dawsn"])
def test_complex_slopes_far_away(name):
    """On a circle: of an integral over it, which is the same for any of its radii."""
    for z, radius in ((60 + 1j, 1e-2), (40 + 45j, 1e-4), (1e4 + 1e3j, 1e-2)):
        ring = z + radius * abs(z) * np.exp(2j * np.pi * np.arange(16) / 16)
        expected = np.mean(getattr(sp, name)(ring) / (ring - z))  # Cauchy's formula
        found = mg.grad(lambda z: np.real(getattr(sp, name)(z)))(z)
        assert_allclose(found, expected, rtol=1e-7)


@pytest.mark.parametrize(
    ("name", "z", "share"),
    [("erfcx", 0.5 + 1e5j, 1e-2), ("wofz", -1e5 + 0.5j, 1e-2), ("erfcx", -40 + 38j, 1e-4), ("wofz", -38 - 40j, 1e-4)],
)
def test_complex_slopes_far_away_on_either_side(name, z, share):
    ring = z + share * abs(z) * np.exp(2j * np.pi * np.arange(16) / 16)
    expected = np.mean(getattr(sp, name)(ring) / (ring - z))
    assert_allclose(mg.grad(lambda z: np.real(getattr(sp, name)(z)))(z), expected, rtol=1e-7)


def test_the_slope_of_a_voigt_profile_far_away_is_that_of_cauchys():
    assert_allclose(mg.grad(sp.voigt_profile)(1e6, 1.0, 0.7), -2 * 0.7 / np.pi / 1e18, rtol=1e-6)


@pytest.mark.parametrize("row", [*ROWS, *SECOND], ids=lambda row: row[0])
def test_a_ufunc_takes_lists(row):
    name, *x = row
    vectors = np.broadcast_arrays(*x)
    f = lambda last, others: np.sum(np.real(getattr(sp, name)(*others, last)))  # noqa: E731
    lists, arrays = [mg.grad(f)(vectors[-1], kind) for kind in ([v.tolist() for v in vectors[:-1]], vectors[:-1])]
    assert_allclose(lists, arrays)


def test_a_rate_may_be_a_list():
    times = np.linspace(0, 1, 3)
    for made in (list, tuple, mg.array):
        rate = lambda y, t, w, made=made: made([y[1], -w * y[0]])  # noqa: E731
        slope = mg.grad(lambda w, rate=rate: integrate.odeint(rate, [1.0, 0.0], times, (w,))[-1, 0])(2.0)
        assert_allclose(slope, -np.sin(2**0.5) / (2 * 2**0.5), rtol=1e-5)
        with pytest.raises(TypeError, match="closes over a Tensor"):
            mg.grad(lambda w, made=made: integrate.odeint(lambda y, t: made([-w * y[0]]), [1.0], times)[-1, 0])(2.0)


def test_orders_of_polygamma_may_be_a_list():
    slopes = mg.grad(lambda x: np.sum(special.polygamma([0, 1], x)))(MORE[:2])
    assert_allclose(slopes, [sp.polygamma(1, MORE[0]), sp.polygamma(2, MORE[1])])


SEARCHES = [  # of SciPy's C code, some of which goes on where an error is set, or prints it and raises its own
    *[lambda f, name=name: getattr(optimize, name)(f, 0.0, 3.0) for name in ("brentq", "brenth", "bisect", "ridder")],
    *[lambda f, name=name: getattr(optimize, name)(f, [1.0]) for name in ("fsolve", "root", "least_squares")],
    lambda f: si.quad(f, 0.0, 1.0)[0],
]


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("f", [lambda z, a: z * z - a, lambda z, a: np.where(z > 0, z, a) - 1])
def test_a_search_of_scipy_says_what_the_tensor_says(search, f):
    for _ in range(3):
        with pytest.raises(TypeError, match="a Tensor that needs a gradient can't become"):
            mg.grad(lambda a: search(lambda z: f(z, a)))(2.0)


def test_an_error_of_a_tensor_that_was_handled_is_not_raised_again():
    def handled(x):
        for kind in (float, np.asarray, complex):
            with contextlib.suppress(TypeError):
                kind(x)
        raise LookupError("another")

    def told(x):
        try:
            float(x)
        except TypeError as error:
            raise LookupError("another") from error

    for f in (handled, told, lambda x: mg.grad(handled)(x)):
        with pytest.raises(LookupError, match="another"):
            mg.grad(f)(2.0)


@pytest.mark.parametrize("transform", [True, False])
def test_an_error_of_a_tensor_does_not_keep_it(transform):
    kept = []

    def f(x):
        t = x * np.ones(3)
        kept.append(weakref.ref(t))
        with contextlib.suppress(TypeError):
            float(t)
        return np.sum(t)

    mg.grad(f)(2.0) if transform else f(leaf(2.0))
    assert kept[0]() is None


def test_the_table_is_read_at_the_first_call():
    code = "import minigrad as mg, scipy.special as s, sys; t = mg.tensor(2.0); a = 'minigrad.scipy' in sys.modules"
    code += "; print(a, s.gammaln(t).item(), 'minigrad.scipy.special' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "0.0", "True"]


def test_functions_beside_the_ufuncs():
    assert_allclose(special.multigammaln(leaf(4.0), 3).item(), sp.multigammaln(4.0, 3))
    assert special.comb is sp.comb
    check_grads(sp.gammasgn, np.array([-0.5, 0.3, 2.0]), float32=False)


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
def test_sums_of_exponentials(axis):
    for name in ("softmax", "log_softmax", "logsumexp"):
        f = getattr(special, name)
        assert_allclose(f(leaf(M), axis).data, getattr(sp, name)(M, axis))
    weights = np.array([[2.0, 1.0, 0.5], [1.0, -0.1, 0.0], [3.0, 0.0, 1.0]])
    assert_allclose(special.softmax(M), sp.softmax(M))
    for keepdims in (False, True):
        f = lambda a, b, keepdims=keepdims: special.logsumexp(a, axis, b, keepdims)  # noqa: E731
        assert_allclose(f(1e3 * M, weights), sp.logsumexp(1e3 * M, axis, weights, keepdims), rtol=1e-12)
        check_grads(f, M, weights, float32=False)
    size, sign = special.logsumexp(leaf(M), axis, -weights, return_sign=True)
    expected = sp.logsumexp(M, axis, -weights, return_sign=True)
    assert_allclose((size.data, sign), expected)
    assert special.logsumexp(np.full(2, -np.inf), b=np.ones(2)) == -np.inf


LOGARITHMS = [  # entries, their factors
    ([np.inf, 0.0], [1.0, 1.0]), ([np.inf, 0.0], None), ([-np.inf, 0.0], [1.0, 1.0]), ([-np.inf, -np.inf], [1.0, 2.0]),
    ([np.inf, 0.0], [0.0, 1.0]), ([np.inf, np.inf], [1.0, -2.0]), ([np.nan, 0.0], [1.0, 1.0]), ([0.0, 0.0], [-1.0, -1]),
    ([1.0, 2.0], None), ([np.nan, 0.0], [0.0, 1.0]), ([800.0, 0.0], [0.0, 1.0]),
    ([-1e4, -1e4], [2.0, 1.0]), ([1.0, 5.0], [0.0, 0.0]),
]  # fmt: skip


@pytest.mark.parametrize("kind", [list, np.array, leaf])
@pytest.mark.parametrize(("a", "b"), LOGARITHMS)
def test_logarithms_of_infinite_sums_and_of_none(a, b, kind):
    for signed in (True, False):
        with np.errstate(all="ignore"):
            expected = sp.logsumexp(np.array(a), b=b, return_sign=signed)
        found = special.logsumexp(kind(a), b=b and kind(b), return_sign=signed)
        assert_array_equal([part.item() for part in (found if signed else [found])], np.ravel(expected))


def test_a_row_of_the_table_says_whether_it_holds_for_complex_numbers(monkeypatch):
    monkeypatch.setattr(ufuncs, "UFUNCS", {})
    made = [ufuncs.row(name, "An equation.", x=lambda g, a, x: g) for name in ("erf", "ndtri")]
    assert {sp.erf: made[0], sp.ndtri: made[1]} == ufuncs.UFUNCS
    assert [row.differentiable for row in made] == ["fc", "f"]
    assert [row.__doc__ for row in made] == ["An equation."] * 2


def test_rows_of_several_results_and_of_polynomials(monkeypatch):
    """What makes a row has run before any test."""
    monkeypatch.setattr(ufuncs, "UFUNCS", {})
    parts = [lambda *x, i=i: x[i] for i in range(4)]  # as if each result were its own slope
    ufuncs._several("ellipj", "An equation.", u=parts, m=None)
    ufuncs._polynomial("eval_legendre", "Another.", lambda n, x: 7 * n * x)
    several, polynomial = ufuncs.UFUNCS[sp.ellipj], ufuncs.UFUNCS[sp.eval_legendre]
    assert_array_equal([part.data for part in several(leaf(0.7), 0.3)], sp.ellipj(0.7, 0.3))
    slopes = [mg.grad(lambda u, i=i: several(u, 0.3)[i])(0.7) for i in range(4)]
    assert_array_equal(slopes, sp.ellipj(0.7, 0.3))
    with pytest.raises(TypeError, match=r"^ellipj has no VJP for its argument 'm'"):
        several(0.7, leaf(0.3))
    assert polynomial(3, leaf(0.7)).data == sp.eval_legendre(3, 0.7)
    assert_allclose(mg.grad(lambda x: polynomial(np.uint8(3), x))(0.7), 14.7)
    with pytest.raises(TypeError, match=r"^eval_legendre has no VJP for its argument 'n'"):
        polynomial(leaf(3.0), 0.7)
    assert polynomial.__doc__ == "Another."


def results(rows):
    """The values of each row, and its derivatives by argument, or why there is none."""
    for name, *x in rows:
        ufunc = getattr(sp, name)
        for i, moving in enumerate(x):
            f = lambda moving, i=i, x=x, ufunc=ufunc: ufunc(*x[:i], moving, *x[i + 1 :])  # noqa: E731
            try:
                values = f(leaf(np.asarray(moving, float)))
            except TypeError as error:
                yield name, str(error)
                continue
            yield name, [mg.array(value).data for value in (values if isinstance(values, tuple) else [values])]
            if isinstance(values, tuple):
                yield name, [slopes(lambda v, k=k, f=f: f(v)[k], moving) for k in range(len(values))]
            else:
                yield name, slopes(f, moving)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_table_made_anew(monkeypatch):
    """What makes a row has run before any test."""
    rows, table = [*ROWS, *SECOND, *[(name, *x) for name, x in SEVERAL]], special.UFUNCS
    expected = [*results(rows)]
    for module in (ufuncs, special):
        monkeypatch.setitem(sys.modules, module.__name__, anew(module))
    monkeypatch.setattr(_numpy, "_from_scipy", _numpy._from_scipy.__wrapped__)
    made = sys.modules[special.__name__].UFUNCS
    assert made.keys() == table.keys()
    assert made is not table
    for ufunc, row in made.items():
        for told in ("__name__", "__doc__", "__signature__", "differentiable"):
            assert getattr(row, told, "") == getattr(table[ufunc], told, "")
    for found, before in zip(results(rows), expected, strict=True):
        assert_equal(found, before)


DENSITIES = [
    (stats.norm, ss.norm, ("logpdf", "pdf", "cdf", "sf", "logcdf", "logsf"), (ANY, 0.3, 1.7)),
    (stats.norm, ss.norm, ("ppf",), (PART, 0.3, 1.7)),
    (stats.t, ss.t, ("logpdf", "pdf"), (ANY, 3.5, 0.3, 1.7)),
    (stats.gamma, ss.gamma, ("logpdf", "pdf"), (MORE, 2.5, 0.1, 1.7)),
    (stats.beta, ss.beta, ("logpdf", "pdf"), (PART, 2.5, 1.5)),
    (stats.chi2, ss.chi2, ("logpdf",), (MORE, 2.5)),
    (stats.dirichlet, ss.dirichlet, ("logpdf",), (np.array([0.2, 0.3, 0.5]), MORE)),
    (stats.multivariate_normal, ss.multivariate_normal, ("logpdf", "pdf"), (M, ANY, POSITIVE)),
]


@pytest.mark.parametrize(("ours", "theirs", "names", "arguments"), DENSITIES)
def test_a_distribution(ours, theirs, names, arguments):
    for name in names:
        f = getattr(ours, name)
        assert_allclose(f(*arguments), getattr(theirs, name)(*arguments), rtol=1e-12)
        gradients = mg.grad(lambda *x, f=f: np.sum(f(*x)), tuple(range(len(arguments))))(*arguments)
        for i, gradient in enumerate(gradients):
            if theirs is ss.multivariate_normal and i == 2:
                continue  # one triangle of a covariance is read
            expected = numeric(
                lambda x, i=i, f=f: f(*arguments[:i], x, *arguments[i + 1 :]), np.asarray(arguments[i], float)
            )
            assert_allclose(gradient, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("ours", "theirs", "names", "arguments"), DENSITIES)
def test_a_distribution_of_lists_and_with_its_parameters(ours, theirs, names, arguments):
    x, *parameters = [np.asarray(part).tolist() for part in arguments]
    for name in names:
        expected = getattr(theirs, name)(*arguments)
        assert_allclose(getattr(ours, name)(x, *parameters), expected, rtol=1e-12)
        assert_allclose(getattr(ours(*parameters), name)(x), expected, rtol=1e-12)
        f, frozen = getattr(ours, name), getattr(ours(*parameters), name)
        slope = mg.grad(lambda x, f=f: np.sum(f(x, *arguments[1:])))(arguments[0])
        assert_allclose(mg.grad(lambda x, frozen=frozen: np.sum(frozen(x)))(arguments[0]), slope)


def test_a_distribution_with_its_parameters():
    made = mg.grad(lambda m: np.sum(stats.norm(loc=m, scale=2.0).logpdf(ANY)))(0.3)
    assert_allclose(made, np.sum(ANY - 0.3) / 4)
    assert_allclose(stats.multivariate_normal(ANY, POSITIVE).entropy(), ss.multivariate_normal(ANY, POSITIVE).entropy())
    assert (stats.norm(1.0, 2.0).mean(), stats.gamma(2.0, scale=3.0).var()) == (1, 18)  # SciPy's own
    assert stats.norm(1.0, 2.0).rvs(size=3, random_state=0).shape == (3,)
    assert stats.gamma(2.0, scale=3.0).kwds == {"scale": 3.0}
    with pytest.raises(AttributeError):
        stats.norm(1.0)._no_such_name  # noqa: B018
    for kept in (copy.copy(stats.norm(1.0)), pickle.loads(pickle.dumps(stats.norm(1.0)))):
        assert kept.logpdf(0.3) == stats.norm.logpdf(0.3, 1.0)


PARTS = [
    (stats.t, ss.t, ("cdf", "sf", "logcdf", "logsf"), (np.append(ANY, 0.0), 3.5)),
    (stats.gamma, ss.gamma, ("cdf", "sf"), (MORE, 2.5)),
    (stats.beta, ss.beta, ("cdf", "sf", "logcdf", "logsf"), (PART, 2.5, 1.5)),
    (stats.chi2, ss.chi2, ("cdf", "sf"), (MORE, 2.5)),
]


@pytest.mark.parametrize(("ours", "theirs", "names", "arguments"), PARTS)
def test_a_distribution_in_x(ours, theirs, names, arguments):
    for name in names:
        f, (x, *rest) = getattr(ours, name), arguments
        assert_allclose(f(*arguments), getattr(theirs, name)(*arguments), rtol=1e-12)
        assert_allclose(
            mg.grad(lambda x, f=f, rest=rest: np.sum(f(x, *rest)))(x),
            numeric(lambda x, f=f, rest=rest: f(x, *rest), x),
            rtol=1e-5,
        )


def test_counts_and_entropies():
    k, mu = np.array([0, 2, 5]), 1.7
    assert_allclose(stats.poisson.logpmf(k, mu), ss.poisson.logpmf(k, mu))
    assert_allclose(stats.poisson.pmf(k, mu), ss.poisson.pmf(k, mu))
    assert_allclose(stats.poisson.cdf(k, mu), ss.poisson.cdf(k, mu))
    assert_allclose(mg.grad(lambda mu: np.sum(stats.poisson.logpmf(k, mu)))(mu), np.sum(k / mu - 1))
    assert_allclose(stats.multivariate_normal.entropy(ANY, POSITIVE), ss.multivariate_normal.entropy(ANY, POSITIVE))
    assert_allclose(stats.multivariate_normal.logpdf(ANY), ss.multivariate_normal.logpdf(ANY))
    assert_allclose(stats.multivariate_normal.logpdf(0.3), ss.multivariate_normal.logpdf(0.3))


EVERYWHERE = np.array([-np.inf, -2.0, -0.5, 0.0, 0.3, 0.7, 1.0, 2.5, np.nan])
SUPPORTS = [
    (stats.norm, ss.norm, [()]),
    (stats.gamma, ss.gamma, [(1.0,), (2.5,), (-1.0,)]),
    (stats.beta, ss.beta, [(1.0, 1.0), (2.0, 3.0), (-1.0, 1.0), (1.0, -1.0)]),
    (stats.chi2, ss.chi2, [(2.0,)]),
    (stats.t, ss.t, [(3.0,), (-3.0,)]),
]


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize(("ours", "theirs", "shapes"), SUPPORTS)
def test_a_distribution_outside_of_its_support(ours, theirs, shapes):
    for shape in shapes:
        for placed in ((), (0.5, 2.0), (0.0, -1.0)):
            for name in ("logpdf", "pdf", "cdf", "sf", "logcdf", "logsf"):
                found = getattr(ours, name)(EVERYWHERE, *shape, *placed)
                assert_allclose(found, getattr(theirs, name)(EVERYWHERE, *shape, *placed), rtol=1e-10)


def test_what_is_outside_of_a_support_has_no_gradient():
    x, k = np.array([-1.0, 0.5, 2.0]), np.array([-1.0, 0.5, 2.0, np.nan])
    parts = lambda a, x: np.exp(stats.beta.logpdf(x, a, 1.0)) + stats.beta.cdf(x, 2.0, 1.0)  # noqa: E731
    assert_allclose(mg.elementwise_grad(parts, 1)(2.0, x), [0, 3, 0])
    assert_allclose(mg.grad(lambda a: np.sum(parts(a, x)))(2.0), np.log(0.5) + 0.5)
    assert_allclose(stats.poisson.logpmf(k, 1.7), ss.poisson.logpmf(k, 1.7))
    for name in ("cdf", "sf"):
        assert_allclose(getattr(stats.poisson, name)(k, 1.7), getattr(ss.poisson, name)(k, 1.7))
    density = lambda b: np.sum(np.exp(stats.beta.logpdf(np.array([-0.5, 0.5, 1.5]), 2.0, b)))  # noqa: E731
    assert_allclose(mg.grad(density)(3.0), numeric(density, np.array(3.0)), rtol=1e-6)


def test_a_singular_covariance():
    w = np.array([[1.0, 0.0], [0.5, 2.0], [-1.0, 1.0]])
    cov, x = w @ w.T, np.stack([w @ [0.3, -0.2], w @ [1.0, 0.5], np.ones(3)])
    logpdf = lambda x, cov: stats.multivariate_normal.logpdf(x, np.zeros(3), cov, allow_singular=True)  # noqa: E731
    assert_allclose(logpdf(x, cov), ss.multivariate_normal.logpdf(x, np.zeros(3), cov, allow_singular=True))
    assert_allclose(logpdf(ANY, POSITIVE), ss.multivariate_normal.logpdf(ANY, np.zeros(3), POSITIVE))
    check_grads(lambda v, w: logpdf(w @ v, w @ w.T), np.array([0.3, -0.2]), w, order=1, float32=False)
    with pytest.raises(ValueError, match=r"multivariate_normal\.logpdf: cov has the negative eigenvalue -1"):
        logpdf(x, np.diag([1.0, -1.0, 1.0]))


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("share", [1e-6, 1e-9, 1e-11, 0.0, -1e-11, -1e-9])
@pytest.mark.parametrize("off", [0.0, 1e-8, 1e-4])
def test_what_counts_as_singular_is_as_in_scipy(size, share, off):
    turn = np.linalg.qr(np.vander([1.0, 2.0, -1.0]))[0]
    cov, x = size * turn @ np.diag([1.0, share, share / 2]) @ turn.T, np.array([[0.3, 0, 0], [-1, off, 0]]) @ turn.T
    try:
        expected = ss.multivariate_normal.logpdf(x, None, cov, allow_singular=True)
    except ValueError:
        with pytest.raises(ValueError, match=f"cov has the negative eigenvalue {size * share:.3g}"):
            stats.multivariate_normal.logpdf(x, cov=cov, allow_singular=True)
    else:
        assert_allclose(stats.multivariate_normal.logpdf(x, cov=cov, allow_singular=True), expected, rtol=1e-6)


def test_dirichlet_densities_of_columns():
    x, alpha = np.array([[0.2, 0.5, 0.1], [0.3, 0.4, 0.1], [0.5, 0.1, 0.8]]), np.array([0.7, 2.0, 3.5])
    for columns in (x, x[:, :2]):
        assert_allclose(stats.dirichlet.logpdf(leaf(columns), alpha).data, ss.dirichlet.logpdf(columns, alpha))
    for wrong in (alpha[:2], np.stack([alpha, alpha, alpha])):
        with pytest.raises(
            ValueError, match=r"dirichlet.logpdf: alpha must be a vector as long as x, not .* and \(3, 3\)"
        ):
            stats.dirichlet.logpdf(x, wrong)


def test_gradients_of_a_density_whose_covariance_is_near_singular():
    times = np.linspace(0.0, 3.0, 20)
    cov, x = np.exp(-((times[:, None] - times) ** 2)) + 1e-4 * np.eye(20), np.sin(2 * times)
    logpdf = lambda x, cov: stats.multivariate_normal.logpdf(x, np.zeros(20), (cov + cov.T) / 2)  # noqa: E731
    to_x, to_cov = mg.grad(logpdf, (0, 1))(x, cov)
    solved, inverse = np.linalg.solve(cov, x), np.linalg.inv(cov)
    assert_allclose(to_x, -solved, rtol=1e-13)
    assert_allclose(to_cov, (np.outer(solved, solved) - inverse) / 2, rtol=0, atol=1e-11 * np.max(abs(to_cov)))


@pytest.mark.parametrize("cov", [2.5, np.array([0.5, 2.0, 1.5]), POSITIVE])
def test_entropies_of_normal_vectors(cov):
    for mean in (ANY, None)[: 1 + (np.ndim(cov) != 1)]:  # SciPy takes no diagonal without a mean
        expected = ss.multivariate_normal(mean, cov).entropy()
        assert_allclose(stats.multivariate_normal.entropy(mean, cov), expected)
    assert_allclose(stats.multivariate_normal.entropy(), ss.multivariate_normal.entropy())


def test_one_triangle_of_a_covariance_is_read():
    garbage = np.triu(np.full((3, 3), 7.0), 1)
    for allow_singular in (False, True):
        expected = ss.multivariate_normal.logpdf(M, ANY, POSITIVE + garbage, allow_singular)
        assert_allclose(stats.multivariate_normal.logpdf(M, ANY, POSITIVE + garbage, allow_singular), expected)
        found = stats.multivariate_normal.logpdf(M, cov=np.diag(POSITIVE), allow_singular=allow_singular)
        assert_allclose(found, ss.multivariate_normal.logpdf(M, np.zeros(3), np.diag(POSITIVE)))


@pytest.mark.parametrize("cov", [2.5, np.array([0.5, 2.0, 1.5]), POSITIVE])
@pytest.mark.parametrize("mean", [0.0, 0.4, ANY, ANY[:1], None])
@pytest.mark.parametrize("x", [0.3, ANY, M, np.stack([M, M + 1])])
def test_normal_vectors_of_any_shapes(x, mean, cov):
    given = (x,) if mean is None else (x, mean)
    try:
        expected = ss.multivariate_normal.logpdf(x, mean, cov)
    except ValueError:
        return
    assert_allclose(stats.multivariate_normal.logpdf(*given, cov=cov), expected, rtol=1e-12)


def test_a_covariance_of_none_is_1():
    found = stats.multivariate_normal.logpdf(M, ANY, None)
    assert_allclose(found, ss.multivariate_normal.logpdf(M, ANY, None))


PLACED = [
    ("norm", (), ("logpdf", "pdf", "cdf", "sf", "logcdf", "logsf", "ppf")),
    ("t", (np.array([2.5, -1.0, 7.0]),), ("logpdf", "pdf", "cdf", "sf")),
    ("gamma", (np.array([0.7, -1.0, 3.0]),), ("logpdf", "pdf", "cdf", "sf", "logsf")),
    ("chi2", (np.array([0.7, -1.0, 3.0]),), ("logpdf", "pdf", "cdf", "sf")),
    ("beta", (np.array([0.7, -1.0, 3.0]), np.array([2.0, 2.0, 0.6])), ("logpdf", "pdf", "cdf", "sf")),
    ("beta", (2.0, np.array([0.7, -1.0, 3.0])), ("logpdf", "pdf", "cdf", "sf")),
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "shapes", "functions"), PLACED)
def test_places_scales_and_shapes_entry_by_entry(name, shapes, functions):
    x = np.array([-2.0, -0.1, 0.0, 0.2, 0.7, 1.5, 4.0])[:, None]
    for function in functions:
        for loc, scale in ((0.3, 2.0), (np.array([0.0, -1.0, 0.5]), np.array([1.0, 2.0, -1.0]))):
            found = getattr(getattr(stats, name), function)(leaf(x), *shapes, loc, scale)
            assert_allclose(found.data, getattr(getattr(ss, name), function)(x, *shapes, loc, scale), rtol=1e-10)


@pytest.mark.parametrize("trans", [0, 1])
@pytest.mark.parametrize("options", [{"lower": True}, {"lower": False}, {"unit_diagonal": True}])
def test_triangular_systems(options, trans):
    for b in (ANY, M):
        f = lambda a, b: linalg.solve_triangular(a, b, trans, **options)  # noqa: E731
        assert_allclose(f(POSITIVE, b), sl.solve_triangular(POSITIVE, b, trans, **options))
        check_grads(f, POSITIVE, b, order=1, float32=False)


def test_factors_and_blocks():
    for lower in (True, False):
        factor = np.linalg.cholesky(POSITIVE, upper=not lower)
        assert_allclose(linalg.cho_solve((leaf(factor), lower), ANY).data, np.linalg.solve(POSITIVE, ANY))
    assert_allclose(linalg.block_diag(leaf(M), ANY, M[:2]).data, sl.block_diag(M, ANY, M[:2]))
    assert linalg.lu is sl.lu
    shift = np.diag([5.0, 1.0, 0.5])  # one eigenvalue becomes negative: the root is complex
    check_grads(lambda a: linalg.sqrtm(a), POSITIVE - shift, float32=False)


def test_sylvesters_equation():
    a, b, q = M[:2, :2], POSITIVE[:1, :1], RNG.normal(size=(2, 1))
    assert_allclose(linalg.solve_sylvester(leaf(a), b, q).data, sl.solve_sylvester(a, b, q))
    for z in (1.0, 1.0 + 0.3j):
        check_grads(lambda a, b, q: linalg.solve_sylvester(a, b, q), a * z, b * z, q * z, float32=False)


@pytest.mark.parametrize("kinds", [(1, 1, 1j), (1, 1j, 1), (1j, 1, 1), (1, 1j, 1j), (1j, 1, 1j), (1j, 1j, 1)])
def test_sylvesters_equation_of_real_and_complex_matrices(kinds):
    """SciPy's own solves another equation where a real matrix has complex eigenvalues."""
    turn = np.array([[3.0, -1.0], [1.0, 3.0]])
    a, b, q = (x * kind for x, kind in zip((turn, turn + 1, M[:2, :2]), kinds, strict=True))
    x = linalg.solve_sylvester(a, b, q)
    assert_allclose(a @ x + x @ b, q, atol=1e-12)
    check_grads(lambda a, b, q: linalg.solve_sylvester(a, b, q), a, b, q, float32=False)


@pytest.mark.parametrize("bands", [(1, 1), (0, 2), (2, 1)])
def test_banded_systems(bands):
    ab = RNG.normal(size=(sum(bands) + 1, 5)) + np.eye(sum(bands) + 1)[:, bands[1], None] * 4
    for b in (RNG.normal(size=5), RNG.normal(size=(5, 2)) + 1j):
        assert_allclose(linalg.solve_banded(bands, leaf(ab), b).data, sl.solve_banded(bands, ab, b))
        check_grads(lambda ab, b: linalg.solve_banded(bands, ab, b), ab, b, float32=False)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_convolution(mode):
    a, b = RNG.normal(size=(4, 5)), RNG.normal(size=(2, 3))
    assert_allclose(signal.convolve(leaf(a), b, mode).data, ssignal.convolve(a, b, mode))
    check_grads(lambda a, b: signal.convolve(a, b, mode), a, b, order=1, float32=False)
    assert_allclose(signal.convolve(b, a, "valid"), ssignal.convolve(b, a, "valid"))
    assert_allclose(signal.convolve(a, b[:, :1], mode), ssignal.convolve(a, b[:, :1], mode))
    assert_allclose(signal.convolve(a, a[:2], mode), ssignal.convolve(a, a[:2], mode))


def test_the_distribution_functions_of_shifted_counts():
    k = np.arange(-1.0, 7.0)
    for name in ("logpmf", "pmf", "cdf", "sf"):
        ours = getattr(stats.poisson, name, None)
        if ours is not None:
            assert_allclose(ours(k, 2.5, 2.0), getattr(ss.poisson, name)(k, 2.5, 2.0))


@pytest.mark.parametrize("trans", [0, "N", 1, "T", 2, "C"])
@pytest.mark.parametrize("unit_diagonal", [True, False])
def test_complex_triangular_systems(trans, unit_diagonal):
    a, b = M + 1j * POSITIVE, ANY - 1j
    for lower in (True, False):
        options = {"lower": lower, "unit_diagonal": unit_diagonal}
        found = linalg.solve_triangular(leaf(a), b, trans, **options).data
        assert_allclose(found, sl.solve_triangular(a, b, trans, **options), rtol=1e-10)


def test_a_complex_system_from_its_cholesky_factor():
    a = (M + 1j * M.T) @ np.conj(M + 1j * M.T).T + np.eye(3)
    for lower in (True, False):
        factor = sl.cholesky(a, lower=lower)
        assert_allclose(linalg.cho_solve((leaf(factor), lower), ANY).data, np.linalg.solve(a, ANY), rtol=1e-10)


def test_stacks_of_matrices():
    a, b = np.stack([POSITIVE, POSITIVE + M @ M.T]), np.stack([M.T + 1, M])
    for unit_diagonal in (True, False):
        for trans in (0, 1):
            f = lambda a, b, t=trans, u=unit_diagonal: linalg.solve_triangular(a, b, t, unit_diagonal=u)  # noqa: E731
            assert_allclose(f(a, b), [f(*pair) for pair in zip(a, b, strict=True)], rtol=1e-10)
            check_grads(f, a, b, order=1, float32=False)


def test_functions_of_stacks_of_matrices():
    pytest.importorskip("scipy", "1.16")  # the first to take them
    a, b = np.stack([POSITIVE, POSITIVE + M @ M.T]), np.stack([M.T + 1, M])
    for f, arguments in ((linalg.expm, (b,)), (linalg.sqrtm, (a,)), (linalg.solve_sylvester, (a, a, b))):
        single = [f(*parts) for parts in zip(*arguments, strict=True)]
        gradients = [
            mg.grad(lambda x, f=f, rest=rest: np.sum(f(x, *rest) * M))(x) for x, *rest in zip(*arguments, strict=True)
        ]
        assert_allclose(f(*arguments), single, rtol=1e-10)
        found = mg.grad(lambda x, f=f, rest=arguments[1:]: np.sum(f(x, *rest) * M))(arguments[0])
        assert_allclose(found, gradients, rtol=1e-8, atol=1e-10)
    parts = a + np.triu(b), a - np.tril(b) / 9, b
    of_all = mg.grad(lambda *x: np.sum(linalg.solve_sylvester(*x) * M), (0, 1, 2))
    for found, *single in zip(of_all(*parts), *map(of_all, *parts), strict=True):
        assert_allclose(found, single, rtol=1e-8, atol=1e-10)


def test_convolutions_of_every_mode_with_the_larger_one_second():
    a, b = RNG.normal(size=(2, 3)), RNG.normal(size=(5, 4))
    for mode in ("full", "same", "valid"):
        assert_allclose(signal.convolve(leaf(a), b, mode).data, ssignal.convolve(a, b, mode))


def test_a_convolution_along_one_axis_with_a_dot_product_along_others():
    a, b = RNG.normal(size=(5, 2, 3)), RNG.normal(size=(3, 4, 2, 2))
    for mode in ("full", "same", "valid"):
        found = signal.convolve_along(leaf(a), b, ([0], [1]), ([2, 1], [0, 3]), mode=mode)
        expected = [
            sum(np.convolve(a[:, i, j], b[j, :, k, i], mode) for i in range(2) for j in range(3)) for k in range(2)
        ]
        assert_allclose(found.data, expected)


def test_what_convolutions_refuse():
    for refused, message in (
        (lambda: signal.convolve(ANY, M), r"convolve: both must have as many axes, not \(3,\) and \(3, 3\)"),
        (lambda: signal.convolve(ANY, ANY, "wrap"), "convolve: mode must be 'full', 'valid' or 'same', not 'wrap'"),
        (lambda: signal.convolve(ANY, ANY, method="x"), "convolve: method must be 'auto', 'direct' or 'fft', not 'x'"),
        (
            lambda: signal.convolve_along(ANY[:2], ANY, ([0], [0]), mode="valid"),
            r"convolve_along: in a valid convolution b must fit into a \(a \(2,\), b \(3,\)\)",
        ),
    ):
        with pytest.raises(ValueError, match=f"^{message}$"):
            refused()


def test_solve_triangular_refuses_another_trans():
    with pytest.raises(ValueError, match="solve_triangular: trans must be 0, 1, 2, 'N', 'T' or 'C', not 3"):
        linalg.solve_triangular(np.eye(2), np.ones(2), trans=3)


def test_multigammaln_of_an_array():
    a = np.array([2.5, 3.0, 7.25])
    assert_allclose(special.multigammaln(leaf(a), 3).data, sp.multigammaln(a, 3))


@pytest.mark.parametrize("name", ["norm", "gamma", "t"])
@pytest.mark.filterwarnings("ignore:invalid value")  # as SciPy warns
def test_densities_at_infinities(name):
    shapes = {"gamma": (2.5,), "t": (3.0,)}.get(name, ())
    x = np.array([-np.inf, np.inf])
    ours, theirs = getattr(stats, name), getattr(ss, name)
    assert_array_equal(ours.logpdf(x, *shapes), theirs.logpdf(x, *shapes))
    assert_array_equal(ours.pdf(x, *shapes), theirs.pdf(x, *shapes))


def test_the_other_axes_of_both_are_kept_in_a_convolution_along_one():
    a, b = RNG.normal(size=(5, 2)), RNG.normal(size=(3, 4))
    expected = [[np.convolve(a[:, i], b[:, j], "valid") for j in range(4)] for i in range(2)]
    assert_allclose(signal.convolve_along(leaf(a), b, ([0], [0]), mode="valid").data, expected)
    summed = sum(np.convolve(a[:, i], b[:, i], "valid") for i in range(2))
    for last in (1, -1):
        found = signal.convolve_along(leaf(a), b[:, :2], ([0], [-2]), ([last], [last]), mode="valid")
        assert_allclose(found.data, summed)


def test_a_differential_equation():
    def loss(y0, t, w, odeint=integrate.odeint):
        return np.sum(odeint(lambda y, s, w: -w * y + s, y0, t, (w,), rtol=1e-10, atol=1e-10) ** 2)

    x = np.array([1.0, 2.0]), np.array([0.0, 0.5, 1.3]), np.array([0.5, 1.0])
    for i, gradient in enumerate(mg.grad(loss, (0, 1, 2))(*x)):
        expected = numeric(lambda v, i=i: loss(*x[:i], v, *x[i + 1 :], odeint=si.odeint), x[i])
        assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)
    second = mg.jacobian(lambda w: mg.grad(loss, 2)(*x[:2], w))(x[2])
    step = 1e-4 * np.eye(2)
    columns = [(mg.grad(loss, 2)(*x[:2], x[2] + h) - mg.grad(loss, 2)(*x[:2], x[2] - h)) / 2e-4 for h in step]
    assert_allclose(second, columns, rtol=1e-4, atol=1e-6)


def test_a_differential_equation_that_closes_over_a_tensor_is_refused():
    times = np.array([0.0, 1.0])
    with pytest.raises(TypeError, match="odeint: func closes over a Tensor that needs a gradient: pass it in args"):
        mg.grad(lambda w: integrate.odeint(lambda y, t: -w * y, np.ones(1), times)[1, 0])(2.0)
    fixed = mg.tensor(2.0)
    assert_allclose(integrate.odeint(lambda y, t: -fixed * y, np.ones(1), times)[1, 0], np.exp(-2), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "x", "shapes"),
    [
        ("norm", [-12.0, 12.0], ()),
        ("t", [-40.0, 40.0], (9.0,)),
        ("gamma", [1e-9, 100.0], (2.0,)),
        ("chi2", [1e-9, 100.0], (2.0,)),
        ("beta", [1e-6, 1 - 1e-6], (2.0, 5.0)),
        ("poisson", [0.0, 60.0], (5.0,)),
    ],
)
def test_a_small_probability_is_not_what_is_left_of_1(name, x, shapes):
    for function in ("cdf", "sf", "logcdf", "logsf"):
        expected = getattr(getattr(ss, name), function)(x, *shapes)
        expected = np.where((expected == 0) & (function[0] == "l"), -getattr(ss, name).sf(x, *shapes), expected)
        assert_allclose(getattr(getattr(stats, name), function)(np.array(x), *shapes), expected, rtol=1e-9)


def test_the_logarithm_of_one_half_has_one_slope():
    for f in (stats.t.logcdf, lambda x, df: -stats.t.logsf(x, df)):
        assert_allclose(mg.grad(f)(0.0, 3.0), 2 * ss.t.pdf(0.0, 3.0))


def test_many_degrees_of_freedom_are_nearly_a_normal():
    for df in (1e4, 1e8, 1e12):
        assert_allclose(stats.t.logpdf(ANY, df), ss.t.logpdf(ANY, df), rtol=1e-11)


@pytest.mark.parametrize("name", ["logpmf", "pmf", "cdf", "sf"])
def test_a_negative_mean_counts_nothing(name):
    k, mu = np.array([-1.0, 0.0, 2.0, 1.0, 0.0]), np.array([-0.5, -0.5, 1.5, 0.5, 0.0])
    assert_allclose(getattr(stats.poisson, name)(k, mu), getattr(ss.poisson, name)(k, mu))


def test_a_deviation_of_0_is_not_a_number_as_an_array_or_as_a_number():
    for scale in (0.0, np.array(0.0)):
        assert np.isnan(stats.norm.logpdf(1.0, 0.0, scale))


@pytest.mark.parametrize(
    ("f", "y", "slope"),
    [(sp.xlogy, 0.0, 0), (sp.xlog1py, -1.0, 0), (sp.rel_entr, 0.0, 0), (sp.kl_div, 0.0, 1)],
)
def test_0_times_a_logarithm_has_no_slope_in_it(f, y, slope):
    assert_array_equal(mg.elementwise_grad(lambda y: f(0.0, y))(np.array([y, y + 1])), [slope, slope])
    assert np.isnan(mg.grad(lambda y: f(0.0, y))(np.nan))
    with np.errstate(divide="ignore"):
        assert np.isinf(mg.grad(lambda y: f(1.0, y))(y))


def test_the_exponential_distribution_has_a_slope_where_it_begins():
    assert mg.grad(lambda scale: stats.gamma.logpdf(0.0, 1.0, 0.0, scale))(2.0) == -0.5
    assert mg.grad(lambda x: stats.gamma.logpdf(x, 1.0))(0.0) == -1


@pytest.mark.parametrize("name", ["expm", "sqrtm", "solve_sylvester"])
def test_matrices_of_another_byte_order(name):
    f = getattr(linalg, name)
    for matrix in (POSITIVE, POSITIVE + 0.1j * M):
        x = [matrix] * (3 if name == "solve_sylvester" else 1)
        swapped = [a.astype(a.dtype.newbyteorder()) for a in x]
        assert_allclose(f(*swapped), f(*x), rtol=1e-14)
        for found, expected in zip(mg.vjp(f, *swapped)[1](matrix), mg.vjp(f, *x)[1](matrix), strict=True):
            assert_allclose(found, expected, rtol=1e-12)


def test_stacks_of_banded_systems_are_refused():
    with pytest.raises(ValueError, match=r"solve_banded: ab must have 2 axes and b 1 or 2, not \(2, 3, 4\) and \(4,\)"):
        linalg.solve_banded((1, 1), np.ones((2, 3, 4)), np.ones(4))
    with pytest.raises(ValueError, match=r"solve_banded: ab must have 2 axes and b 1 or 2, not \(3, 4\) and \(\)"):
        linalg.solve_banded((1, 1), np.ones((3, 4)), 1.0)


def test_a_solution_is_scipys_to_the_last_bit():
    y0, times, w = np.array([1.0, 2.0]), np.array([0.0, 0.3, 1.0]), np.array([0.7, 1.1])
    found = integrate.odeint(lambda y, t, w: -w * y + t, leaf(y0), times, (w,))
    assert_array_equal(found.data, si.odeint(lambda y, t, w: -w * y + t, y0, times, (w,)))
    found = integrate.odeint(lambda t, y, w: -w * y + t, leaf(y0), times, (w,), tfirst=True)
    assert_array_equal(found.data, si.odeint(lambda t, y, w: -w * y + t, y0, times, (w,), tfirst=True))
    with pytest.raises(TypeError, match=r"^odeint: full_output does not hold for the adjoint equation: leave it out"):
        integrate.odeint(lambda y, t: -y, leaf(y0), times, full_output=True)


def test_the_gradient_of_a_solution_that_is_known():
    """dy/dt = -w y + s from y0: y = s/w + (y0 - s/w) e^(-wt)."""
    times, precise = np.array([0.2, 0.5, 1.3]), {"rtol": 1e-12, "atol": 1e-12}

    def known(y0, t, w, s):
        return s / w + (y0 - s / w) * np.exp(-w * np.expand_dims(t - t[0], -1))

    def solved(y0, t, w, s):
        return integrate.odeint(lambda y, t, w, s: -w * y + s, y0, t, (w, s), **precise)

    weights = np.array([[1.0, 2.0], [-1.0, 0.5], [0.3, 3.0]])
    x = np.array([1.0, 2.0]), times, np.array([0.7, 1.1]), 0.4
    gradients = [mg.grad(lambda *x, f=f: np.sum(f(*x) * weights), (0, 1, 2, 3))(*x) for f in (solved, known)]
    for found, expected in zip(*gradients, strict=True):
        assert_allclose(found, expected, rtol=1e-7)


def test_what_is_not_here_is_scipys():
    modules = [
        (interpolate, sinterpolate, "interp1d"),
        (integrate, si, "quad"),
        (linalg, sl, "lu"),
        (signal, ssignal, "lfilter"),
        (special, sp, "comb"),
    ]
    for ours, theirs, name in modules:
        assert getattr(ours, name) is getattr(theirs, name)
        with pytest.raises(AttributeError):
            ours.nonsense  # noqa: B018
    assert mg.scipy.__getattr__("stats") is stats
    with pytest.raises(AttributeError, match=r"^module 'minigrad.scipy' has no attribute 'nonsense'$"):
        mg.scipy.nonsense  # noqa: B018
    assert stats.norm.rvs(random_state=0) == ss.norm.rvs(random_state=0)
    with pytest.raises(AttributeError):
        stats.norm._ppf  # noqa: B018


@pytest.mark.parametrize("times", [[0.0, 1.0], (1, 0), [0.0, 0.0, 1.0], [0.5], np.array([0.0, 1.0], np.float32)])
def test_times_and_starts_in_any_form(times):
    def last(y0, w, t):
        return integrate.odeint(lambda y, t, w: -w * y, y0, t, (w,), rtol=1e-10, atol=1e-10)[-1, 0]

    change = np.exp(-2.0 * (times[-1] - times[0]))
    for y0 in (3.0, [3.0], np.array([3.0])):
        assert_allclose(last(y0, 2.0, times), 3 * change, rtol=1e-7)
        assert_allclose(mg.grad(last)(y0, 2.0, times), np.reshape(change, np.shape(y0)), rtol=1e-6)
        assert_allclose(mg.grad(last, 1)(y0, 2.0, times), -3 * (times[-1] - times[0]) * change, rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tcrit": [0.5]}, "tcrit does not hold for the adjoint equation: leave it out"),
        ({"h0": 1e-4}, "h0 does not hold for the adjoint equation: leave it out"),
        ({"atol": np.ones(1)}, "atol must be one number, since the adjoint equation has others than y"),
        ({"args": 2.0}, "args must be a tuple, not 2.0"),
        ({"args": ("name",)}, "args must hold numbers, not 'name'"),
    ],
)
def test_what_the_adjoint_of_a_differential_equation_can_not_take(options, said):
    with pytest.raises(TypeError, match=f"^odeint: {said}"):
        integrate.odeint(lambda y, t, *args: -y, np.ones(1), np.array([0.0, 1.0]), **options)


@pytest.mark.filterwarnings("ignore:Excess work")
def test_a_differential_equation_without_a_solution_is_an_error():
    for f in (lambda y, t, w: w * y**2, lambda y, t, w: w * np.cos(1e6 * t) * y):
        with pytest.raises(RuntimeError, match="odeint: Excess work done on this call"):
            mg.grad(lambda w, f=f: integrate.odeint(f, np.ones(1), np.array([0.0, 2.0]), (w,), mxstep=50)[1, 0])(1.0)


@pytest.mark.filterwarnings("ignore:floating point number truncated")
@pytest.mark.parametrize("order", [0.5, -0.5, 2.5, -2.5, 3])
def test_an_order_that_scipy_rounds(order):
    assert_allclose(mg.elementwise_grad(lambda x: sp.yn(order, x))(MORE), numeric(lambda x: sp.yn(order, x), MORE))


@pytest.mark.parametrize("dtypes", [("f", "f"), ("f", "d"), ("i", "i"), ("i", "f"), ("d", "D"), ("e",)])
def test_blocks_on_a_diagonal_have_the_dtype_that_holds_them_all(dtypes):
    blocks = [np.ones((1, 2), dtype) for dtype in dtypes]
    found, expected = linalg.block_diag(*blocks), sl.block_diag(*blocks)
    assert found.dtype == expected.dtype
    assert_array_equal(found, expected)


@pytest.mark.parametrize("shapes", [(), [(0,), (2, 1, 1)], [(2, 2, 2), (2, 2)], [(1, 2, 3), (4, 1, 1, 2)], [(2, 2, 2)]])
def test_blocks_on_a_diagonal_of_any_number_and_in_stacks(shapes):
    blocks = [np.full(shape, 2.0 + i) for i, shape in enumerate(shapes)]
    assert_array_equal(linalg.block_diag(*blocks), sl.block_diag(*blocks), strict=True)
    if blocks:
        gradient = mg.grad(lambda b: linalg.block_diag(*blocks[:-1], b).sum())(blocks[-1])
        assert_array_equal(gradient, np.full(shapes[-1], 2.0 if shapes[-1] == (2, 2) else 1.0))


def test_which_shapes_a_normal_distribution_of_vectors_takes():
    for x, mean, cov in product(
        [(), (3,), (5, 3), (5, 1), (2, 5, 3), (1, 3), (0, 3), (0,)],
        [None, (), (1,), (3,), (2,), (1, 3)],
        [(), (1,), (3,), (1, 1), (3, 3), (2, 2), (1, 3), (1, 1, 1)],
    ):
        if mean is None and cov == (3,):
            continue  # a mean of zeros, as long as cov is; SciPy refuses it
        mean = mean if mean is None else np.full(mean, 0.5)
        cov = np.ones(cov) + np.eye(cov[-1]) if len(cov) == 2 else np.ones(cov)
        try:
            expected = ss.multivariate_normal.logpdf(np.ones(x), mean, cov)
        except ValueError:
            with pytest.raises(ValueError, match=r"multivariate_normal|broadcast|subtract"):
                stats.multivariate_normal.logpdf(np.ones(x), mean, cov)
        else:
            assert_allclose(stats.multivariate_normal.logpdf(np.ones(x), mean, cov), expected, strict=True)


@pytest.mark.parametrize("x", [np.inf, -np.inf])
def test_a_distribution_function_at_infinity_has_no_slope(x):
    functions = [stats.norm.cdf, stats.norm.sf, stats.norm.logcdf if x > 0 else stats.norm.logsf]
    functions += [
        lambda x, loc, scale, f=f: f(x, 3.0, loc, scale) for f in (stats.t.cdf, stats.gamma.cdf, stats.chi2.sf)
    ]
    functions += [lambda x, loc, scale: stats.beta.cdf(x, 2.0, 3.0, loc, scale)]
    for f in functions:
        assert_array_equal(mg.grad(f, (0, 1, 2))(x, 0.3, 1.7), (0.0, 0.0, 0.0))
        among = mg.grad(lambda scale, f=f: np.sum(f(np.array([x, 0.7]), 0.3, scale)))(1.7)
        assert among == mg.grad(lambda scale, f=f: f(0.7, 0.3, scale))(1.7)


def test_infinitely_many_degrees_of_freedom_are_the_normal_distribution():
    df = np.array([np.inf, 3.0, np.inf])
    for name in ("logpdf", "pdf", "cdf", "sf", "logcdf"):
        found = getattr(stats.t, name)(leaf(ANY), df, 0.3, 1.7)
        assert_allclose(found.data, getattr(ss.t, name)(ANY, df, 0.3, 1.7))
    found = mg.grad(lambda *x: stats.t.logpdf(*x).sum(), (0, 1, 2, 3))(ANY, df, 0.3, 1.7)
    assert_allclose(found[0][::2], mg.elementwise_grad(lambda x: stats.norm.logpdf(x, 0.3, 1.7))(ANY)[::2])
    assert np.all(np.isfinite(found[3]))
    assert_array_equal(found[1][::2], 0)


def test_distribution_functions_warn_of_nothing_and_keep_float32():
    x = np.array([-1.0, 0.2, 0.7, 3.0])
    with np.errstate(all="raise"):
        for name in ("logcdf", "logsf"):
            assert_allclose(getattr(stats.t, name)(x, 3.5), getattr(ss.t, name)(x, 3.5))
    assert stats.norm.cdf(x.astype(np.float32)).dtype == stats.t.cdf(x.astype(np.float32), 3.5).dtype == np.float32


@pytest.mark.parametrize("factor", [1e-300, 1e-12, 1e-9, 1.0, 1e12])
def test_the_gradient_of_odeint_is_as_close_for_small_and_large_upstream_gradients(factor):
    def end(y0):
        return mg.scipy.integrate.odeint(lambda y, t: -y * (1 + np.sin(t)), y0, np.array([0.0, 2.0]))[1]

    expected = np.exp(-3 + np.cos(2.0))
    _, pullback = mg.vjp(end, np.zeros(1))
    np.testing.assert_allclose(pullback(np.full(1, factor))[0], factor * expected, rtol=1e-6)


PAIRS = [((7,), (3,)), ((3,), (7,)), ((4, 5), (2, 3)), ((2, 3), (4, 5)), ((5,), (2,)), ((2,), (5,)), ((3, 1), (3, 1))]


@pytest.mark.parametrize("name", ["correlate", "fftconvolve"])
@pytest.mark.parametrize("shapes", PAIRS)
@pytest.mark.parametrize("turn", [0, 1j])
def test_correlation_and_convolution_by_fourier_transforms(name, shapes, turn):
    a, b = [RNG.normal(size=shape) + turn * RNG.normal(size=shape) for shape in shapes]
    a, b = (a, b) if turn else (a.real, b.real)
    ours, theirs = getattr(signal, name), getattr(ssignal, name)
    for mode in ("full", "same", "valid"):
        assert_allclose(ours(leaf(a), b, mode).data, theirs(a, b, mode), atol=1e-12)
        single = "F" if turn else "f"
        assert ours(a.astype(single), b.astype(single), mode).dtype == single
    check_grads(lambda a, b: ours(a, b, "same"), a, b, order=2, float32=False)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_fourier_transforms_of_mixed_shapes_and_of_one_complex_array(mode):
    a, b = RNG.normal(size=(4, 5)), RNG.normal(size=(2, 3)) + 1j
    for first, second in ((a, b), (b, a), *([] if mode == "valid" else [(a, np.ones((5, 3))), (np.ones((5, 3)), a)])):
        assert_allclose(signal.fftconvolve(leaf(first), second, mode).data, ssignal.fftconvolve(first, second, mode))


@pytest.mark.parametrize("name", ["correlate", "fftconvolve"])
def test_what_no_convolution_takes(name):
    f = getattr(signal, name)
    for a, b, mode, said in (
        (ANY, M, "full", "both must have as many axes"), (ANY, ANY, "wrap", "mode must be"),
        (np.ones((2, 5)), np.ones((3, 2)), "valid", "must fit into"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            f(leaf(a), b, mode)


@pytest.mark.parametrize("bc_type", ["not-a-knot", "natural", "clamped"])
def test_splines(bc_type):
    x, places = np.array([0.0, 0.4, 1.1, 2.0, 3.3]), np.array([[0.3, 0.7], [2.9, 3.1]])
    for y in (RNG.normal(size=5), RNG.normal(size=(5, 2))):
        ours, theirs = interpolate.CubicSpline(x, y, bc_type), sinterpolate.CubicSpline(x, y, bc_type=bc_type)
        for nu in (0, 1, 2):
            assert_allclose(ours(places, nu), theirs(places, nu), atol=1e-12)
        spline = lambda y, x: interpolate.CubicSpline(np.arange(5), y, bc_type)(x)  # noqa: E731
        check_grads(spline, y, places, order=2, float32=False)
    assert np.isnan(interpolate.CubicSpline(x, leaf(x), bc_type, extrapolate=False)(5.0).item())


def test_what_a_spline_does_not_take():
    with pytest.raises(
        ValueError, match=r"^CubicSpline: x must be a vector as long as the first axis of y, not \(2,\) and \(3, 3\)$"
    ):
        interpolate.CubicSpline(ANY[:2], M)
    with pytest.raises(ValueError, match=r"^CubicSpline: x must be a vector"):
        interpolate.CubicSpline(1.0, 2.0)
    with pytest.raises(ValueError, match=r"^CubicSpline: bc_type must be 'not-a-knot', .*, not 'periodic'$"):
        interpolate.CubicSpline(ANY, M, "periodic")
    with pytest.raises(TypeError, match=r"^a Tensor that needs a gradient can't become an array"):
        interpolate.CubicSpline(leaf(ANY), M)
    with pytest.raises(TypeError, match=r"^CubicSpline: x must be real, not complex$"):
        interpolate.CubicSpline(ANY, M)(1j)


SLOPES = [  # where the formula has 0 * inf, or SciPy rounds an argument: function, position, arguments, slope
    *[(sp.rgamma, 0, (-float(n),), (-1) ** n * math.factorial(n)) for n in range(5)],
    (sp.stdtr, 1, (np.inf, 1.0), math.exp(-0.5) / math.sqrt(2 * math.pi)),
    (sp.stdtrit, 1, (np.inf, 0.5), math.sqrt(2 * math.pi)),
    (sp.powm1, 1, (0.0, 2.0), 0.0),
    (sp.powm1, 0, (0.0, 0.0), 0.0),
    (sp.powm1, 0, (3.0, 2.0), 6.0),
    (sp.expn, 1, (0.5, 2.0), -math.exp(-2.0) * 0.75),
    (sp.bdtr, 2, (0.0, 1.5, 0.3), -1.0),
    (sp.bdtrc, 2, (0.0, 1.5, 0.3), 1.0),
    *[(f, 1, (n, -1.0), 0.0) for f in (sp.eval_legendre, sp.eval_chebyt, sp.eval_chebyu) for n in (0, 0.0)],
    *[(f, 1, (0.0, 0.0), 0.0) for f in (sp.eval_sh_legendre, sp.eval_sh_chebyt, sp.eval_sh_chebyu)],
    (sp.eval_jacobi, 3, (0.0, 1.5, 0.5, -1.0), 0.0),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*truncated to an integer", "ignore:.*non-integer arg")
@pytest.mark.parametrize(("f", "i", "x", "slope"), SLOPES)
def test_slopes_that_are_limits(f, i, x, slope):
    assert_allclose(mg.grad(f, i)(*x), slope, rtol=1e-14)


def test_the_second_derivative_of_the_reciprocal_gamma_function_at_a_pole():
    for n in (0, 1, 2):
        expected = -2 * (-1) ** n * math.factorial(n) * sp.psi(n + 1)  # of sin(pi x) Gamma(1 - x) / pi
        assert_allclose(mg.grad(mg.grad(sp.rgamma))(-float(n)), expected, rtol=1e-12)
    z = leaf(np.array([-1 + 0j, 0.5 + 0.2j]))
    assert_allclose(mg.grad(lambda z: np.sum(np.real(sp.rgamma(z))))(z.data)[0], -1, rtol=1e-14)


@pytest.mark.parametrize(("z", "c"), [(1e-200, 2.0), (1e-5, 100.0), (1e-300, 1.5)])
def test_logarithms_of_probabilities_that_are_too_small_for_a_number(z, c):
    value, slopes = mg.value_and_grad(stats.weibull_min.logcdf, (0, 1))(z, c)
    assert_allclose((value, *slopes), (c * math.log(z), c / z, math.log(z)), rtol=1e-14)
    value, slope = mg.value_and_grad(lambda z: stats.exponweib.logcdf(z, 3.0, c))(z)
    assert_allclose((value, slope), (3 * c * math.log(z), 3 * c / z), rtol=1e-14)
    value, slope = mg.value_and_grad(stats.rayleigh.logcdf)(z)
    assert_allclose((value, slope), (2 * math.log(z) - math.log(2), 2 / z), rtol=1e-9)
    for f, x in ((stats.gumbel_r.logsf, -c * math.log(z)), (stats.gumbel_l.logcdf, c * math.log(z))):
        assert_allclose(mg.value_and_grad(f)(x), (c * math.log(z), -np.sign(x)), rtol=1e-14)


@pytest.mark.parametrize("sigma", [0.0, 1e-12, 1e-8, 1e-6])
@pytest.mark.parametrize("made", [float, np.array, lambda v: np.array([v])])
def test_voigts_profile_of_little_normal_width_has_the_slopes_of_cauchys(sigma, made):
    x, gamma = 0.7, 1.3
    square = x * x + gamma * gamma
    found = mg.grad(lambda *given: np.sum(sp.voigt_profile(*given)), (0, 1, 2))(*map(made, (x, sigma, gamma)))
    bend = gamma / math.pi * (6 * x * x - 2 * gamma * gamma) / square**3  # dV/dsigma = sigma d2V/dx2
    expected = -2 * x * gamma / math.pi / square**2, sigma * bend, (x * x - gamma * gamma) / math.pi / square**2
    assert_allclose(np.ravel(found), expected, rtol=1e-10, atol=1e-90)
