"""The table of scipy.special's ufuncs, and its rows of powers, Bessel functions, hypergeometric ones and polynomials.

An argument without a derivative in elementary functions, such as the order of a Bessel function, is refused by name if
it needs a gradient.
Source: NIST Digital Library of Mathematical Functions (https://dlmf.nist.gov), the chapter of each function.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from ..elementwise import elementwise
from ..ops.arithmetic import power

__all__ = ["UFUNCS", "row"]

UFUNCS: dict[Any, Any] = {}  # ufunc -> op

_OF_COMPLEX_NUMBERS = {"erf", "erfc", "erfcx", "erfi", "dawsn", "ndtr", "expi", "exp1", "jv", "yv", "iv", "kv"}
_OF_COMPLEX_NUMBERS |= {"log1p", "expm1", "wofz", "wrightomega", "hankel1", "hankel2", "hankel1e", "hankel2e", "hyp0f1"}
_OF_COMPLEX_NUMBERS |= {"gamma", "rgamma", "loggamma", "log_ndtr", "xlogy", "xlog1py"}


def row(name: str, equation: str, **vjps: Any) -> Any:
    """A row of the table; VJP None: no derivative in this argument."""
    made = elementwise(getattr(sp, name), equation, table=UFUNCS, **{x: _widely(vjp) for x, vjp in vjps.items()})
    made.differentiable = "fc" if name in _OF_COMPLEX_NUMBERS else "f"
    return made


def _widely(vjp):
    """The VJP, or None, of integers of 64 bits: fewer wrap around, and have a logarithm of half precision."""
    return vjp and (lambda g, a, *x: vjp(g, a, *map(_wide, x)))


def _wide(x):
    return x * _ONE if getattr(getattr(x, "dtype", None), "kind", "") in ("i", "u") else x


def _several(name, equation, **slopes):
    """A row of a ufunc with several results, each an op of its own: its slope, of all results and the arguments."""
    ufunc = getattr(sp, name)

    def part(i):
        vjps = {x: of and (lambda g, a, *x, of=of[i]: g * of(*ufunc(*x), *x)) for x, of in slopes.items()}
        forward: Any = lambda *x: ufunc(*x)[i]  # noqa: E731
        return elementwise(forward, equation, name=name, table={}, **vjps)

    parts = [part(i) for i in range(ufunc.nout)]
    UFUNCS[ufunc] = lambda *x: tuple(op(*x) for op in parts)


# Bessel functions, of the first and second kind and modified; elliptic integrals, which are hypergeometric functions

_DEGREE = math.pi / 180
_ONE = np.int64(1)  # an order less this may be negative, even of unsigned integers


def _mean_of_neighbours(function, sign):
    """The derivative (F[v-1] + sign F[v+1]) / 2."""
    return lambda g, a, v, z: g * ((function(v - _ONE, z) + sign * function(v + _ONE, z)) / 2)


row("jv", "dA/dZ = (J[v-1] - J[v+1]) / 2.", v=None, z=_mean_of_neighbours(sp.jv, -1))
_of_yv = _mean_of_neighbours(sp.yv, -1)
row("yv", "dA/dZ = (Y[v-1] - Y[v+1]) / 2.", v=None, z=_of_yv)
row("yn", "Y of an order rounded towards 0.", n=None, x=lambda g, a, n, x: _of_yv(g, a, np.trunc(n), x))
row("iv", "dA/dZ = (I[v-1] + I[v+1]) / 2.", v=None, z=_mean_of_neighbours(sp.iv, 1))
_of_kv = lambda g, a, v, z: -g * ((sp.kv(v - _ONE, z) + sp.kv(v + _ONE, z)) / 2)  # noqa: E731
row("kv", "dA/dZ = -(K[v-1] + K[v+1]) / 2.", v=None, z=_of_kv)
row(
    "ive",
    "e**-|Z| I[v](Z).",
    v=None,
    z=lambda g, a, v, z: g * ((sp.ive(v - _ONE, z) + sp.ive(v + _ONE, z)) / 2 - np.sign(z) * a),
)
row("kve", "e**Z K[v](Z).", v=None, z=lambda g, a, v, z: g * (a - (sp.kve(v - _ONE, z) + sp.kve(v + _ONE, z)) / 2))
row("kn", "K of an order rounded towards 0.", n=None, x=lambda g, a, n, x: _of_kv(g, a, np.trunc(n), x))
row("jve", "J of real numbers.", v=None, z=_mean_of_neighbours(sp.jve, -1))
row("yve", "Y of real numbers.", v=None, z=_mean_of_neighbours(sp.yve, -1))
for kind, turn in ((1, -1j), (2, 1j)):
    _of_kind = _mean_of_neighbours(getattr(sp, f"hankel{kind}"), -1)
    _of_scaled = _mean_of_neighbours(getattr(sp, f"hankel{kind}e"), -1)
    row(f"hankel{kind}", "J[v] + i Y[v], or J[v] - i Y[v].", v=None, z=_of_kind)
    row(
        f"hankel{kind}e",
        "hankel1 e**-iZ, or hankel2 e**iZ.",
        v=None,
        z=lambda g, a, v, z, f=_of_scaled, turn=turn: f(g, a, v, z) + g * (turn * a),
    )
row("j0", "dA/dX = -J[1].", x=lambda g, a, x: -g * sp.j1(x))
row("j1", "dA/dX = (J[0] - J[2]) / 2.", x=lambda g, a, x: g * ((sp.j0(x) - sp.jv(2, x)) / 2))
row("y0", "dA/dX = -Y[1].", x=lambda g, a, x: -g * sp.y1(x))
row("y1", "dA/dX = (Y[0] - Y[2]) / 2.", x=lambda g, a, x: g * ((sp.y0(x) - sp.yv(2, x)) / 2))
row("i0", "dA/dX = I[1].", x=lambda g, a, x: g * sp.i1(x))
row("i1", "dA/dX = (I[0] + I[2]) / 2.", x=lambda g, a, x: g * ((sp.i0(x) + sp.iv(2, x)) / 2))
row("i0e", "e**-|X| I[0].", x=lambda g, a, x: g * (sp.i1e(x) - np.sign(x) * a))
row("i1e", "e**-|X| I[1].", x=lambda g, a, x: g * ((sp.i0e(x) + sp.ive(2, x)) / 2 - np.sign(x) * a))
row("k0", "dA/dX = -K[1].", x=lambda g, a, x: -g * sp.k1(x))
row("k1", "dA/dX = -(K[0] + K[2]) / 2.", x=lambda g, a, x: -g * ((sp.k0(x) + sp.kv(2, x)) / 2))
row("k0e", "e**X K[0].", x=lambda g, a, x: g * (a - sp.k1e(x)))
row("k1e", "e**X K[1].", x=lambda g, a, x: g * (a - (sp.k0e(x) + sp.kve(2, x)) / 2))


def _slope_of_hyp2f1(a, b, c, z):
    """(a b / c) F(a + 1, b + 1; c + 1; Z), which is 0 for a b = 0, where F is 1 and that other F may be infinite."""
    constant = np.equal(a * b, 0) & np.not_equal(c, 0)
    # equivalent: a + 1, b + 1 -> b + 1, a + 1 because F is symmetric in them
    return np.where(constant, 0, a / c * b * sp.hyp2f1(a + 1, b + 1, c + 1, np.where(constant, 0.0, z)))


row(
    "hyp2f1",
    "The hypergeometric function F(a, b; c; Z): dA/dZ = (a b / c) F(a + 1, b + 1; c + 1; Z).",
    a=None,
    b=None,
    c=None,
    z=lambda g, out, a, b, c, z: g * _slope_of_hyp2f1(a, b, c, z),
)
row("ellipk", "K(m), pi/2 F(1/2, 1/2; 1; m).", m=lambda g, a, m: g * (math.pi / 8 * sp.hyp2f1(1.5, 1.5, 2.0, m)))
# equivalent: 0.5, 1.5 -> 1.5, 0.5 because F is symmetric in them
row("ellipe", "E(m), pi/2 F(-1/2, 1/2; 1; m).", m=lambda g, a, m: g * (-math.pi / 8 * sp.hyp2f1(0.5, 1.5, 2.0, m)))
row("ellipkm1", "K(1 - p).", p=lambda g, a, p: g * (-math.pi / 8 * sp.hyp2f1(0.5, 0.5, 2.0, 1 - p) / p))
row("ellipkinc", "F(phi, m).", phi=lambda g, a, phi, m: g / np.sqrt(1 - m * np.sin(phi) ** 2), m=None)
row("ellipeinc", "E(phi, m).", phi=lambda g, a, phi, m: g * np.sqrt(1 - m * np.sin(phi) ** 2), m=None)
row("hyp0f1", "The function 0F1(v; Z).", v=None, z=lambda g, a, v, z: g * (sp.hyp0f1(v + _ONE, z) / v))
row(
    "hyp1f1",
    "Kummer's function 1F1(a; b; X).",
    a=None,
    b=None,
    x=lambda g, out, a, b, x: g * (a / b * sp.hyp1f1(a + _ONE, b + _ONE, x)),
)
row(
    "hyperu",
    "Tricomi's function U(a, b, X).",
    a=None,
    b=None,
    x=lambda g, out, a, b, x: g * -(a * sp.hyperu(a + _ONE, b + _ONE, x)),
)
row(
    "wright_bessel",
    "Wright's function.",
    a=None,
    b=None,
    x=lambda g, out, a, b, x: g * sp.wright_bessel(a, a + b, x),
)
row(
    "log_wright_bessel",
    "The logarithm of Wright's function.",
    a=None,
    b=None,
    x=lambda g, out, a, b, x: g * np.exp(sp.log_wright_bessel(a, a + b, x) - out),
)


def _slope_of_expn(n, x):
    """-E[n - 1](X), which is e**-X (1 + 1 / X) / X for n = 0."""
    n = np.trunc(n)
    return -np.where(np.equal(n, 0), np.exp(-x) * (1 + 1 / x) / x, sp.expn(np.maximum(n - _ONE, 0), x))


row(
    "expn",
    "The exponential integral of an order rounded towards 0.",
    n=None,
    x=lambda g, a, n, x: g * _slope_of_expn(n, x),
)

# exponentials, powers and angles

row("log1p", "A = ln(1 + X).", x=lambda g, a, x: g / (1 + x))
row("expm1", "A = e**X - 1.", x=lambda g, a, x: g * np.exp(x))
row("exp2", "A = 2**X.", x=lambda g, a, x: g * (math.log(2) * a))
row("exp10", "A = 10**X.", x=lambda g, a, x: g * (math.log(10) * a))
row("cbrt", "A = X**(1/3).", x=lambda g, a, x: g / (3 * a * a))
row("cosm1", "A = cos X - 1.", x=lambda g, a, x: g * -np.sin(x))
row("sindg", "The sine of an angle in degrees.", x=lambda g, a, x: g * (_DEGREE * sp.cosdg(x)))
row("cosdg", "The cosine of an angle in degrees.", x=lambda g, a, x: g * (-_DEGREE * sp.sindg(x)))
row("tandg", "The tangent of an angle in degrees.", x=lambda g, a, x: g * (_DEGREE * (1 + a * a)))
row("cotdg", "The cotangent of an angle in degrees.", x=lambda g, a, x: g * (-_DEGREE * (1 + a * a)))
row("round", "The nearest whole number: dA/dX = 0.", x=lambda g, a, x: np.zeros_like(x))
row(
    "powm1",
    "A = X**Y - 1.",
    x=lambda g, a, x, y: power.vjps[0](g, x**y, x, y),
    y=lambda g, a, x, y: power.vjps[1](g, x**y, x, y),
)
row("exprel", "A = (e**X - 1) / X.", x=lambda g, a, x: g * _slope_of_exprel(x))
row("wrightomega", "A + ln A = X.", z=lambda g, a, z: g * (a / (1 + a)))
row("spence", "The integral of ln t / (1 - t) from 1 to Z.", z=lambda g, a, z: g * -sp.hyp2f1(1.0, 1.0, 2.0, 1 - z))


def _slope_of_exprel(x):
    """1F1(2; 3; X) / 2. From where it is infinite, SciPy's series has no end."""
    infinite = np.greater(x, 715)
    return np.where(infinite, np.inf, sp.hyp1f1(2.0, 3.0, np.where(infinite, 0.0, x)) / 2)


def _slope_of_power(logarithm, lmbda):
    """The slope of (X**lmbda - 1) / lmbda in lmbda, from ln X: what is precise at lmbda = 0, too."""
    return logarithm * logarithm * _slope_of_exprel(lmbda * logarithm)


row(
    "boxcox",
    "A = (X**lmbda - 1) / lmbda, and ln X for 0: dA/dX = X**(lmbda - 1).",
    x=lambda g, a, x, lmbda: g * x ** (lmbda - 1.0),
    lmbda=lambda g, a, x, lmbda: g * _slope_of_power(np.log(x), lmbda),
)
row(
    "boxcox1p",
    "boxcox of 1 + X.",
    x=lambda g, a, x, lmbda: g * np.exp((lmbda - 1.0) * np.log1p(x)),
    lmbda=lambda g, a, x, lmbda: g * _slope_of_power(np.log1p(x), lmbda),
)
row(
    "inv_boxcox",
    "The inverse of boxcox in X.",
    x=lambda g, a, x, lmbda: g * a ** (1.0 - lmbda),
    lmbda=lambda g, a, x, lmbda: g * (-_slope_of_power(np.log(a), lmbda) * a ** (1.0 - lmbda)),
)
row(
    "inv_boxcox1p",
    "The inverse of boxcox1p in X.",
    x=lambda g, a, x, lmbda: g * np.exp((1.0 - lmbda) * np.log1p(a)),
    lmbda=lambda g, a, x, lmbda: g * (-_slope_of_power(np.log1p(a), lmbda) * np.exp((1.0 - lmbda) * np.log1p(a))),
)

# losses


def _size(delta, r):
    """|r|, NaN where delta is negative, for which the loss is infinite."""
    return np.where(np.less(delta, 0), np.nan, np.abs(r))


def _between(delta, r):
    """R, but delta at most in size. It is no product with a sign of R, whose derivative is wrong at 0."""
    delta = np.where(np.less(delta, 0), np.nan, delta)
    return np.clip(r, -delta, delta)


row(
    "huber",
    "A = R**2 / 2 where |R| < delta, else delta (|R| - delta / 2).",
    delta=lambda g, a, delta, r: g * np.maximum(_size(delta, r) - delta, 0),
    r=lambda g, a, delta, r: g * _between(delta, r),
)


def _slope_in_delta(delta, r):
    """Of delta**2 (s - 1), s**2 = 1 + u and u = (R / delta)**2: delta (2 (s - 1) - u / s), in which much cancels."""
    u = (_size(delta, r) / delta) ** 2
    s = np.sqrt(1 + u)
    return delta * (u / (s + 1)) ** 2 / s


row(
    "pseudo_huber",
    "A = delta**2 ((1 + (R / delta)**2)**(1/2) - 1).",
    delta=lambda g, a, delta, r: g * _slope_in_delta(delta, r),
    r=lambda g, a, delta, r: g * (r / np.sqrt(1 + (_size(delta, r) / delta) ** 2)),
)

# orthogonal polynomials, whose derivatives are Gegenbauer's, Jacobi's and Laguerre's


def _polynomial(name, equation, slope, least=0, **fixed):
    """Of the degrees from `least` to 0 it is constant, and the polynomial of its slope may have no number."""

    def vjp(g, a, n, *rest):
        constant = np.equal(n, np.trunc(n)) & np.less_equal(n, 0) & np.greater_equal(n, least)
        return g * np.where(constant, 0, slope(np.where(constant, 1, n * _ONE), *rest))

    row(name, equation, n=None, **fixed, x=vjp)


def _gegenbauer(n, x):
    """The slope of the polynomial of Chebyshev's second kind; of degree -n - 2 it is its negative."""
    sign = np.where(np.less(n, -1), -2, 2)
    return sign * sp.eval_gegenbauer(np.abs(n + _ONE) - 2, 2.0, x)


def _legendre(n, x):
    """The slope of Legendre's polynomial, which is that of degree -n - 1, too."""
    return sp.eval_gegenbauer(np.maximum(n, -n - 1) - 1, 1.5, x)


_polynomial("eval_legendre", "Legendre's.", _legendre, least=-1)
_polynomial("eval_sh_legendre", "Legendre's of 2 X - 1.", lambda n, x: 2 * _legendre(n, 2 * x - 1), least=-1)
_polynomial("eval_chebyt", "Chebyshev's first kind.", lambda n, x: n * sp.eval_chebyu(n - 1, x))
_polynomial("eval_chebyu", "Chebyshev's second kind.", _gegenbauer, least=-2)
_polynomial("eval_chebyc", "2 T(X / 2).", lambda n, x: n * sp.eval_chebys(n - 1, x))
_polynomial("eval_chebys", "U(X / 2).", lambda n, x: _gegenbauer(n, x / 2) / 2, least=-2)
_polynomial("eval_sh_chebyt", "T(2 X - 1).", lambda n, x: 2 * n * sp.eval_sh_chebyu(n - 1, x))
_polynomial("eval_sh_chebyu", "U(2 X - 1).", lambda n, x: 2 * _gegenbauer(n, 2 * x - 1), least=-2)
_polynomial("eval_hermite", "Hermite's.", lambda n, x: 2 * n * sp.eval_hermite(np.maximum(n - 1, 0), x))
_polynomial(
    "eval_hermitenorm", "Hermite's of e**(-X**2 / 2).", lambda n, x: n * sp.eval_hermitenorm(np.maximum(n - 1, 0), x)
)
_polynomial("eval_laguerre", "Laguerre's.", lambda n, x: -sp.eval_genlaguerre(n - 1, 1.0, x))
_polynomial(
    "eval_genlaguerre", "Laguerre's.", lambda n, alpha, x: -sp.eval_genlaguerre(n - 1, alpha + 1, x), alpha=None
)
_polynomial(
    "eval_gegenbauer",
    "Gegenbauer's.",
    lambda n, alpha, x: 2 * alpha * sp.eval_gegenbauer(n - 1, alpha + 1, x),
    least=-1,
    alpha=None,
)
_polynomial(
    "eval_jacobi",
    "Jacobi's.",
    lambda n, alpha, beta, x: (n + alpha + beta + 1) / 2 * sp.eval_jacobi(n - 1, alpha + 1, beta + 1, x),
    alpha=None,
    beta=None,
)

# several results

_several(
    "sici",
    "The integrals of the sine and cosine.",
    x=[lambda s, c, x: np.sinc(x / math.pi), lambda s, c, x: np.cos(x) / x],
)
_several(
    "shichi",
    "The integrals of the hyperbolic sine and cosine.",
    x=[lambda s, c, x: (sp.exprel(x) + sp.exprel(-x)) / 2, lambda s, c, x: np.cosh(x) / x],
)
_several(
    "fresnel",
    "The integrals of the sine and cosine of pi/2 X**2.",
    x=[lambda s, c, x: np.sin(math.pi / 2 * x * x), lambda s, c, x: np.cos(math.pi / 2 * x * x)],
)
_several(
    "airy",
    "Ai, Ai', Bi, Bi', which solve A'' = X A.",
    x=[lambda a, da, b, db, x: da, lambda a, da, b, db, x: x * a]
    + [lambda a, da, b, db, x: db, lambda a, da, b, db, x: x * b],
)
_several(
    "ellipj",
    "The elliptic functions sn, cn, dn and their amplitude.",
    u=[lambda s, c, d, p, u, m: c * d, lambda s, c, d, p, u, m: -s * d]
    + [lambda s, c, d, p, u, m: -m * s * c, lambda s, c, d, p, u, m: d],
    m=None,
)
