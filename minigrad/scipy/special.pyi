# Written by tests/typed/stub.py from the signatures; not to be edited.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false
# (A list of arrays is a list that may hold Tensors, too: the first overload that fits is meant.)

from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, Protocol, TypeVar, overload

from numpy import ndarray

from .._tensor import Tensor
from ..typing import ArrayLike, Axis, TensorLike

__all__ = ["lambertw", "log_softmax", "logsumexp", "multigammaln", "polygamma", "softmax", "zeta"]

def __getattr__(name: str) -> Any: ...  # any other function is SciPy's own
@overload
def lambertw(z: ArrayLike, k: int = 0, tol: float = 1e-08) -> ndarray: ...
@overload
def lambertw(z: Tensor, k: int = 0, tol: float = 1e-08) -> Tensor: ...
@overload
def log_softmax(x: ArrayLike, axis: Axis = None) -> ndarray: ...
@overload
def log_softmax(x: Tensor, axis: Axis = None) -> Tensor: ...
@overload
def logsumexp(a: ArrayLike, axis: Axis = None, b: ArrayLike | None = None, keepdims: bool = False, return_sign: Literal[False] = False) -> ndarray: ...
@overload
def logsumexp(a: Tensor, axis: Axis = None, b: TensorLike | None = None, keepdims: bool = False, return_sign: Literal[False] = False) -> Tensor: ...
@overload
def logsumexp(a: TensorLike, axis: Axis = None, *, b: Tensor, keepdims: bool = False, return_sign: Literal[False] = False) -> Tensor: ...
@overload
def logsumexp(a: TensorLike, axis: Axis, b: Tensor, keepdims: bool = False, return_sign: Literal[False] = False) -> Tensor: ...
@overload
def logsumexp(a: ArrayLike, axis: Axis = None, b: ArrayLike | None = None, keepdims: bool = False, *, return_sign: Literal[True]) -> tuple[ndarray, ndarray]: ...
@overload
def logsumexp(a: Tensor, axis: Axis = None, b: TensorLike | None = None, keepdims: bool = False, *, return_sign: Literal[True]) -> tuple[Tensor, Tensor]: ...
@overload
def logsumexp(a: TensorLike, axis: Axis = None, *, b: Tensor, keepdims: bool = False, return_sign: Literal[True]) -> tuple[Tensor, Tensor]: ...
@overload
def logsumexp(a: TensorLike, axis: Axis, b: Tensor, keepdims: bool = False, *, return_sign: Literal[True]) -> tuple[Tensor, Tensor]: ...
@overload
def logsumexp(a: ArrayLike, axis: Axis, b: ArrayLike | None, keepdims: bool, return_sign: Literal[True]) -> tuple[ndarray, ndarray]: ...
@overload
def logsumexp(a: Tensor, axis: Axis, b: TensorLike | None, keepdims: bool, return_sign: Literal[True]) -> tuple[Tensor, Tensor]: ...
@overload
def logsumexp(a: TensorLike, axis: Axis, b: Tensor, keepdims: bool, return_sign: Literal[True]) -> tuple[Tensor, Tensor]: ...
@overload
def multigammaln(a: ArrayLike, d: int) -> ndarray: ...
@overload
def multigammaln(a: Tensor, d: int) -> Tensor: ...
@overload
def polygamma(n: int, x: ArrayLike) -> ndarray: ...
@overload
def polygamma(n: int, x: Tensor) -> Tensor: ...
@overload
def softmax(x: ArrayLike, axis: Axis = None) -> ndarray: ...
@overload
def softmax(x: Tensor, axis: Axis = None) -> Tensor: ...
@overload
def zeta(x: Any, q: ArrayLike) -> ndarray: ...
@overload
def zeta(x: Any, q: Tensor) -> Tensor: ...
@overload
def jv(v: ArrayLike, z: ArrayLike) -> ndarray: ...
@overload
def jv(v: Tensor, z: TensorLike) -> Tensor: ...
@overload
def jv(v: TensorLike, z: Tensor) -> Tensor:
    """dA/dZ = (J[v-1] - J[v+1]) / 2."""
@overload
def yv(v: ArrayLike, z: ArrayLike) -> ndarray: ...
@overload
def yv(v: Tensor, z: TensorLike) -> Tensor: ...
@overload
def yv(v: TensorLike, z: Tensor) -> Tensor:
    """dA/dZ = (Y[v-1] - Y[v+1]) / 2."""
@overload
def yn(n: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def yn(n: Tensor, x: TensorLike) -> Tensor: ...
@overload
def yn(n: TensorLike, x: Tensor) -> Tensor:
    """Y of an order rounded towards 0."""
@overload
def iv(v: ArrayLike, z: ArrayLike) -> ndarray: ...
@overload
def iv(v: Tensor, z: TensorLike) -> Tensor: ...
@overload
def iv(v: TensorLike, z: Tensor) -> Tensor:
    """dA/dZ = (I[v-1] + I[v+1]) / 2."""
@overload
def kv(v: ArrayLike, z: ArrayLike) -> ndarray: ...
@overload
def kv(v: Tensor, z: TensorLike) -> Tensor: ...
@overload
def kv(v: TensorLike, z: Tensor) -> Tensor:
    """dA/dZ = -(K[v-1] + K[v+1]) / 2."""
@overload
def ive(v: ArrayLike, z: ArrayLike) -> ndarray: ...
@overload
def ive(v: Tensor, z: TensorLike) -> Tensor: ...
@overload
def ive(v: TensorLike, z: Tensor) -> Tensor:
    """e**-|Z| I[v](Z)."""
@overload
def kve(v: ArrayLike, z: ArrayLike) -> ndarray: ...
@overload
def kve(v: Tensor, z: TensorLike) -> Tensor: ...
@overload
def kve(v: TensorLike, z: Tensor) -> Tensor:
    """e**Z K[v](Z)."""
@overload
def kn(n: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def kn(n: Tensor, x: TensorLike) -> Tensor: ...
@overload
def kn(n: TensorLike, x: Tensor) -> Tensor:
    """K of an order rounded towards 0."""
@overload
def jve(v: ArrayLike, z: ArrayLike) -> ndarray: ...
@overload
def jve(v: Tensor, z: TensorLike) -> Tensor: ...
@overload
def jve(v: TensorLike, z: Tensor) -> Tensor:
    """J of real numbers."""
@overload
def yve(v: ArrayLike, z: ArrayLike) -> ndarray: ...
@overload
def yve(v: Tensor, z: TensorLike) -> Tensor: ...
@overload
def yve(v: TensorLike, z: Tensor) -> Tensor:
    """Y of real numbers."""
@overload
def hankel1(v: ArrayLike, z: ArrayLike) -> ndarray: ...
@overload
def hankel1(v: Tensor, z: TensorLike) -> Tensor: ...
@overload
def hankel1(v: TensorLike, z: Tensor) -> Tensor:
    """J[v] + i Y[v], or J[v] - i Y[v]."""
@overload
def hankel1e(v: ArrayLike, z: ArrayLike) -> ndarray: ...
@overload
def hankel1e(v: Tensor, z: TensorLike) -> Tensor: ...
@overload
def hankel1e(v: TensorLike, z: Tensor) -> Tensor:
    """hankel1 e**-iZ, or hankel2 e**iZ."""
@overload
def hankel2(v: ArrayLike, z: ArrayLike) -> ndarray: ...
@overload
def hankel2(v: Tensor, z: TensorLike) -> Tensor: ...
@overload
def hankel2(v: TensorLike, z: Tensor) -> Tensor:
    """J[v] + i Y[v], or J[v] - i Y[v]."""
@overload
def hankel2e(v: ArrayLike, z: ArrayLike) -> ndarray: ...
@overload
def hankel2e(v: Tensor, z: TensorLike) -> Tensor: ...
@overload
def hankel2e(v: TensorLike, z: Tensor) -> Tensor:
    """hankel1 e**-iZ, or hankel2 e**iZ."""
@overload
def j0(x: ArrayLike) -> ndarray: ...
@overload
def j0(x: Tensor) -> Tensor:
    """dA/dX = -J[1]."""
@overload
def j1(x: ArrayLike) -> ndarray: ...
@overload
def j1(x: Tensor) -> Tensor:
    """dA/dX = (J[0] - J[2]) / 2."""
@overload
def y0(x: ArrayLike) -> ndarray: ...
@overload
def y0(x: Tensor) -> Tensor:
    """dA/dX = -Y[1]."""
@overload
def y1(x: ArrayLike) -> ndarray: ...
@overload
def y1(x: Tensor) -> Tensor:
    """dA/dX = (Y[0] - Y[2]) / 2."""
@overload
def i0(x: ArrayLike) -> ndarray: ...
@overload
def i0(x: Tensor) -> Tensor:
    """dA/dX = I[1]."""
@overload
def i1(x: ArrayLike) -> ndarray: ...
@overload
def i1(x: Tensor) -> Tensor:
    """dA/dX = (I[0] + I[2]) / 2."""
@overload
def i0e(x: ArrayLike) -> ndarray: ...
@overload
def i0e(x: Tensor) -> Tensor:
    """e**-|X| I[0]."""
@overload
def i1e(x: ArrayLike) -> ndarray: ...
@overload
def i1e(x: Tensor) -> Tensor:
    """e**-|X| I[1]."""
@overload
def k0(x: ArrayLike) -> ndarray: ...
@overload
def k0(x: Tensor) -> Tensor:
    """dA/dX = -K[1]."""
@overload
def k1(x: ArrayLike) -> ndarray: ...
@overload
def k1(x: Tensor) -> Tensor:
    """dA/dX = -(K[0] + K[2]) / 2."""
@overload
def k0e(x: ArrayLike) -> ndarray: ...
@overload
def k0e(x: Tensor) -> Tensor:
    """e**X K[0]."""
@overload
def k1e(x: ArrayLike) -> ndarray: ...
@overload
def k1e(x: Tensor) -> Tensor:
    """e**X K[1]."""
@overload
def hyp2f1(a: ArrayLike, b: ArrayLike, c: ArrayLike, z: ArrayLike) -> ndarray: ...
@overload
def hyp2f1(a: Tensor, b: TensorLike, c: TensorLike, z: TensorLike) -> Tensor: ...
@overload
def hyp2f1(a: TensorLike, b: Tensor, c: TensorLike, z: TensorLike) -> Tensor: ...
@overload
def hyp2f1(a: TensorLike, b: TensorLike, c: Tensor, z: TensorLike) -> Tensor: ...
@overload
def hyp2f1(a: TensorLike, b: TensorLike, c: TensorLike, z: Tensor) -> Tensor:
    """The hypergeometric function F(a, b; c; Z): dA/dZ = (a b / c) F(a + 1, b + 1; c + 1; Z)."""
@overload
def ellipk(m: ArrayLike) -> ndarray: ...
@overload
def ellipk(m: Tensor) -> Tensor:
    """K(m), pi/2 F(1/2, 1/2; 1; m)."""
@overload
def ellipe(m: ArrayLike) -> ndarray: ...
@overload
def ellipe(m: Tensor) -> Tensor:
    """E(m), pi/2 F(-1/2, 1/2; 1; m)."""
@overload
def ellipkm1(p: ArrayLike) -> ndarray: ...
@overload
def ellipkm1(p: Tensor) -> Tensor:
    """K(1 - p)."""
@overload
def ellipkinc(phi: ArrayLike, m: ArrayLike) -> ndarray: ...
@overload
def ellipkinc(phi: Tensor, m: TensorLike) -> Tensor: ...
@overload
def ellipkinc(phi: TensorLike, m: Tensor) -> Tensor:
    """F(phi, m)."""
@overload
def ellipeinc(phi: ArrayLike, m: ArrayLike) -> ndarray: ...
@overload
def ellipeinc(phi: Tensor, m: TensorLike) -> Tensor: ...
@overload
def ellipeinc(phi: TensorLike, m: Tensor) -> Tensor:
    """E(phi, m)."""
@overload
def hyp0f1(v: ArrayLike, z: ArrayLike) -> ndarray: ...
@overload
def hyp0f1(v: Tensor, z: TensorLike) -> Tensor: ...
@overload
def hyp0f1(v: TensorLike, z: Tensor) -> Tensor:
    """The function 0F1(v; Z)."""
@overload
def hyp1f1(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def hyp1f1(a: Tensor, b: TensorLike, x: TensorLike) -> Tensor: ...
@overload
def hyp1f1(a: TensorLike, b: Tensor, x: TensorLike) -> Tensor: ...
@overload
def hyp1f1(a: TensorLike, b: TensorLike, x: Tensor) -> Tensor:
    """Kummer's function 1F1(a; b; X)."""
@overload
def hyperu(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def hyperu(a: Tensor, b: TensorLike, x: TensorLike) -> Tensor: ...
@overload
def hyperu(a: TensorLike, b: Tensor, x: TensorLike) -> Tensor: ...
@overload
def hyperu(a: TensorLike, b: TensorLike, x: Tensor) -> Tensor:
    """Tricomi's function U(a, b, X)."""
@overload
def wright_bessel(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def wright_bessel(a: Tensor, b: TensorLike, x: TensorLike) -> Tensor: ...
@overload
def wright_bessel(a: TensorLike, b: Tensor, x: TensorLike) -> Tensor: ...
@overload
def wright_bessel(a: TensorLike, b: TensorLike, x: Tensor) -> Tensor:
    """Wright's function."""
@overload
def log_wright_bessel(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def log_wright_bessel(a: Tensor, b: TensorLike, x: TensorLike) -> Tensor: ...
@overload
def log_wright_bessel(a: TensorLike, b: Tensor, x: TensorLike) -> Tensor: ...
@overload
def log_wright_bessel(a: TensorLike, b: TensorLike, x: Tensor) -> Tensor:
    """The logarithm of Wright's function."""
@overload
def expn(n: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def expn(n: Tensor, x: TensorLike) -> Tensor: ...
@overload
def expn(n: TensorLike, x: Tensor) -> Tensor:
    """The exponential integral of an order rounded towards 0."""
@overload
def log1p(x: ArrayLike) -> ndarray: ...
@overload
def log1p(x: Tensor) -> Tensor:
    """A = ln(1 + X)."""
@overload
def expm1(x: ArrayLike) -> ndarray: ...
@overload
def expm1(x: Tensor) -> Tensor:
    """A = e**X - 1."""
@overload
def exp2(x: ArrayLike) -> ndarray: ...
@overload
def exp2(x: Tensor) -> Tensor:
    """A = 2**X."""
@overload
def exp10(x: ArrayLike) -> ndarray: ...
@overload
def exp10(x: Tensor) -> Tensor:
    """A = 10**X."""
@overload
def cbrt(x: ArrayLike) -> ndarray: ...
@overload
def cbrt(x: Tensor) -> Tensor:
    """A = X**(1/3)."""
@overload
def cosm1(x: ArrayLike) -> ndarray: ...
@overload
def cosm1(x: Tensor) -> Tensor:
    """A = cos X - 1."""
@overload
def sindg(x: ArrayLike) -> ndarray: ...
@overload
def sindg(x: Tensor) -> Tensor:
    """The sine of an angle in degrees."""
@overload
def cosdg(x: ArrayLike) -> ndarray: ...
@overload
def cosdg(x: Tensor) -> Tensor:
    """The cosine of an angle in degrees."""
@overload
def tandg(x: ArrayLike) -> ndarray: ...
@overload
def tandg(x: Tensor) -> Tensor:
    """The tangent of an angle in degrees."""
@overload
def cotdg(x: ArrayLike) -> ndarray: ...
@overload
def cotdg(x: Tensor) -> Tensor:
    """The cotangent of an angle in degrees."""
@overload
def round(x: ArrayLike) -> ndarray: ...
@overload
def round(x: Tensor) -> Tensor:
    """The nearest whole number: dA/dX = 0."""
@overload
def powm1(x: ArrayLike, y: ArrayLike) -> ndarray: ...
@overload
def powm1(x: Tensor, y: TensorLike) -> Tensor: ...
@overload
def powm1(x: TensorLike, y: Tensor) -> Tensor:
    """A = X**Y - 1."""
@overload
def exprel(x: ArrayLike) -> ndarray: ...
@overload
def exprel(x: Tensor) -> Tensor:
    """A = (e**X - 1) / X."""
@overload
def wrightomega(z: ArrayLike) -> ndarray: ...
@overload
def wrightomega(z: Tensor) -> Tensor:
    """A + ln A = X."""
@overload
def spence(z: ArrayLike) -> ndarray: ...
@overload
def spence(z: Tensor) -> Tensor:
    """The integral of ln t / (1 - t) from 1 to Z."""
@overload
def boxcox(x: ArrayLike, lmbda: ArrayLike) -> ndarray: ...
@overload
def boxcox(x: Tensor, lmbda: TensorLike) -> Tensor: ...
@overload
def boxcox(x: TensorLike, lmbda: Tensor) -> Tensor:
    """A = (X**lmbda - 1) / lmbda, and ln X for 0: dA/dX = X**(lmbda - 1)."""
@overload
def boxcox1p(x: ArrayLike, lmbda: ArrayLike) -> ndarray: ...
@overload
def boxcox1p(x: Tensor, lmbda: TensorLike) -> Tensor: ...
@overload
def boxcox1p(x: TensorLike, lmbda: Tensor) -> Tensor:
    """boxcox of 1 + X."""
@overload
def inv_boxcox(x: ArrayLike, lmbda: ArrayLike) -> ndarray: ...
@overload
def inv_boxcox(x: Tensor, lmbda: TensorLike) -> Tensor: ...
@overload
def inv_boxcox(x: TensorLike, lmbda: Tensor) -> Tensor:
    """The inverse of boxcox in X."""
@overload
def inv_boxcox1p(x: ArrayLike, lmbda: ArrayLike) -> ndarray: ...
@overload
def inv_boxcox1p(x: Tensor, lmbda: TensorLike) -> Tensor: ...
@overload
def inv_boxcox1p(x: TensorLike, lmbda: Tensor) -> Tensor:
    """The inverse of boxcox1p in X."""
@overload
def huber(delta: ArrayLike, r: ArrayLike) -> ndarray: ...
@overload
def huber(delta: Tensor, r: TensorLike) -> Tensor: ...
@overload
def huber(delta: TensorLike, r: Tensor) -> Tensor:
    """A = R**2 / 2 where |R| < delta, else delta (|R| - delta / 2)."""
@overload
def pseudo_huber(delta: ArrayLike, r: ArrayLike) -> ndarray: ...
@overload
def pseudo_huber(delta: Tensor, r: TensorLike) -> Tensor: ...
@overload
def pseudo_huber(delta: TensorLike, r: Tensor) -> Tensor:
    """A = delta**2 ((1 + (R / delta)**2)**(1/2) - 1)."""
@overload
def eval_legendre(n: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def eval_legendre(n: Tensor, x: TensorLike) -> Tensor: ...
@overload
def eval_legendre(n: TensorLike, x: Tensor) -> Tensor:
    """Legendre's."""
@overload
def eval_sh_legendre(n: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def eval_sh_legendre(n: Tensor, x: TensorLike) -> Tensor: ...
@overload
def eval_sh_legendre(n: TensorLike, x: Tensor) -> Tensor:
    """Legendre's of 2 X - 1."""
@overload
def eval_chebyt(n: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def eval_chebyt(n: Tensor, x: TensorLike) -> Tensor: ...
@overload
def eval_chebyt(n: TensorLike, x: Tensor) -> Tensor:
    """Chebyshev's first kind."""
@overload
def eval_chebyu(n: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def eval_chebyu(n: Tensor, x: TensorLike) -> Tensor: ...
@overload
def eval_chebyu(n: TensorLike, x: Tensor) -> Tensor:
    """Chebyshev's second kind."""
@overload
def eval_chebyc(n: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def eval_chebyc(n: Tensor, x: TensorLike) -> Tensor: ...
@overload
def eval_chebyc(n: TensorLike, x: Tensor) -> Tensor:
    """2 T(X / 2)."""
@overload
def eval_chebys(n: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def eval_chebys(n: Tensor, x: TensorLike) -> Tensor: ...
@overload
def eval_chebys(n: TensorLike, x: Tensor) -> Tensor:
    """U(X / 2)."""
@overload
def eval_sh_chebyt(n: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def eval_sh_chebyt(n: Tensor, x: TensorLike) -> Tensor: ...
@overload
def eval_sh_chebyt(n: TensorLike, x: Tensor) -> Tensor:
    """T(2 X - 1)."""
@overload
def eval_sh_chebyu(n: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def eval_sh_chebyu(n: Tensor, x: TensorLike) -> Tensor: ...
@overload
def eval_sh_chebyu(n: TensorLike, x: Tensor) -> Tensor:
    """U(2 X - 1)."""
@overload
def eval_hermite(n: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def eval_hermite(n: Tensor, x: TensorLike) -> Tensor: ...
@overload
def eval_hermite(n: TensorLike, x: Tensor) -> Tensor:
    """Hermite's."""
@overload
def eval_hermitenorm(n: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def eval_hermitenorm(n: Tensor, x: TensorLike) -> Tensor: ...
@overload
def eval_hermitenorm(n: TensorLike, x: Tensor) -> Tensor:
    """Hermite's of e**(-X**2 / 2)."""
@overload
def eval_laguerre(n: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def eval_laguerre(n: Tensor, x: TensorLike) -> Tensor: ...
@overload
def eval_laguerre(n: TensorLike, x: Tensor) -> Tensor:
    """Laguerre's."""
@overload
def eval_genlaguerre(n: ArrayLike, alpha: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def eval_genlaguerre(n: Tensor, alpha: TensorLike, x: TensorLike) -> Tensor: ...
@overload
def eval_genlaguerre(n: TensorLike, alpha: Tensor, x: TensorLike) -> Tensor: ...
@overload
def eval_genlaguerre(n: TensorLike, alpha: TensorLike, x: Tensor) -> Tensor:
    """Laguerre's."""
@overload
def eval_gegenbauer(n: ArrayLike, alpha: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def eval_gegenbauer(n: Tensor, alpha: TensorLike, x: TensorLike) -> Tensor: ...
@overload
def eval_gegenbauer(n: TensorLike, alpha: Tensor, x: TensorLike) -> Tensor: ...
@overload
def eval_gegenbauer(n: TensorLike, alpha: TensorLike, x: Tensor) -> Tensor:
    """Gegenbauer's."""
@overload
def eval_jacobi(n: ArrayLike, alpha: ArrayLike, beta: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def eval_jacobi(n: Tensor, alpha: TensorLike, beta: TensorLike, x: TensorLike) -> Tensor: ...
@overload
def eval_jacobi(n: TensorLike, alpha: Tensor, beta: TensorLike, x: TensorLike) -> Tensor: ...
@overload
def eval_jacobi(n: TensorLike, alpha: TensorLike, beta: Tensor, x: TensorLike) -> Tensor: ...
@overload
def eval_jacobi(n: TensorLike, alpha: TensorLike, beta: TensorLike, x: Tensor) -> Tensor:
    """Jacobi's."""
@overload
def expit(z: ArrayLike) -> ndarray: ...
@overload
def expit(z: Tensor) -> Tensor: ...
@overload
def erf(x: ArrayLike) -> ndarray: ...
@overload
def erf(x: Tensor) -> Tensor:
    """dA/dX = 2 e**-X**2 / pi**(1/2)."""
@overload
def erfc(x: ArrayLike) -> ndarray: ...
@overload
def erfc(x: Tensor) -> Tensor:
    """1 - erf(X)."""
@overload
def erfcx(x: ArrayLike) -> ndarray: ...
@overload
def erfcx(x: Tensor) -> Tensor:
    """A = e**X**2 erfc(X): dA/dX = 2 X A - 2 / pi**(1/2)."""
@overload
def wofz(z: ArrayLike) -> ndarray: ...
@overload
def wofz(z: Tensor) -> Tensor:
    """A = erfcx(-i Z)."""
@overload
def voigt_profile(x: ArrayLike, sigma: ArrayLike, gamma: ArrayLike) -> ndarray: ...
@overload
def voigt_profile(x: Tensor, sigma: TensorLike, gamma: TensorLike) -> Tensor: ...
@overload
def voigt_profile(x: TensorLike, sigma: Tensor, gamma: TensorLike) -> Tensor: ...
@overload
def voigt_profile(x: TensorLike, sigma: TensorLike, gamma: Tensor) -> Tensor:
    """The density of a sum of a normal number and one of Cauchy."""
@overload
def erfi(x: ArrayLike) -> ndarray: ...
@overload
def erfi(x: Tensor) -> Tensor:
    """dA/dX = 2 e**X**2 / pi**(1/2)."""
@overload
def dawsn(x: ArrayLike) -> ndarray: ...
@overload
def dawsn(x: Tensor) -> Tensor:
    """dA/dX = 1 - 2 X A."""
@overload
def erfinv(x: ArrayLike) -> ndarray: ...
@overload
def erfinv(x: Tensor) -> Tensor:
    """The inverse of erf."""
@overload
def erfcinv(x: ArrayLike) -> ndarray: ...
@overload
def erfcinv(x: Tensor) -> Tensor:
    """The inverse of erfc."""
@overload
def ndtr(x: ArrayLike) -> ndarray: ...
@overload
def ndtr(x: Tensor) -> Tensor:
    """The distribution function of the normal."""
@overload
def ndtri(x: ArrayLike) -> ndarray: ...
@overload
def ndtri(x: Tensor) -> Tensor:
    """The inverse of ndtr."""
@overload
def log_ndtr(x: ArrayLike) -> ndarray: ...
@overload
def log_ndtr(x: Tensor) -> Tensor:
    """ln ndtr(X)."""
@overload
def ndtri_exp(y: ArrayLike) -> ndarray: ...
@overload
def ndtri_exp(y: Tensor) -> Tensor:
    """The inverse of log_ndtr."""
@overload
def logit(x: ArrayLike) -> ndarray: ...
@overload
def logit(x: Tensor) -> Tensor:
    """A = ln(X / (1 - X))."""
@overload
def log_expit(x: ArrayLike) -> ndarray: ...
@overload
def log_expit(x: Tensor) -> Tensor:
    """A = ln expit(X): dA/dX = expit(-X)."""
@overload
def owens_t(h: ArrayLike, a: ArrayLike) -> ndarray: ...
@overload
def owens_t(h: Tensor, a: TensorLike) -> Tensor: ...
@overload
def owens_t(h: TensorLike, a: Tensor) -> Tensor:
    """Owen's T function."""
@overload
def psi(x: ArrayLike) -> ndarray: ...
@overload
def psi(x: Tensor) -> Tensor:
    """The digamma function."""
@overload
def gammasgn(x: ArrayLike) -> ndarray: ...
@overload
def gammasgn(x: Tensor) -> Tensor:
    """The sign of Gamma(X), constant between the integers."""
@overload
def gammaln(x: ArrayLike) -> ndarray: ...
@overload
def gammaln(x: Tensor) -> Tensor:
    """A = ln |Gamma(X)|: dA/dX = psi(X)."""
@overload
def loggamma(x: ArrayLike) -> ndarray: ...
@overload
def loggamma(x: Tensor) -> Tensor:
    """A = ln Gamma(X): dA/dX = psi(X)."""
@overload
def gamma(x: ArrayLike) -> ndarray: ...
@overload
def gamma(x: Tensor) -> Tensor:
    """dA/dX = A psi(X)."""
@overload
def rgamma(x: ArrayLike) -> ndarray: ...
@overload
def rgamma(x: Tensor) -> Tensor:
    """A = 1 / Gamma(X): dA/dX = -A psi(X)."""
@overload
def beta(a: ArrayLike, b: ArrayLike) -> ndarray: ...
@overload
def beta(a: Tensor, b: TensorLike) -> Tensor: ...
@overload
def beta(a: TensorLike, b: Tensor) -> Tensor:
    """dA/da = A (psi(a) - psi(a + b)), and so for b."""
@overload
def betaln(a: ArrayLike, b: ArrayLike) -> ndarray: ...
@overload
def betaln(a: Tensor, b: TensorLike) -> Tensor: ...
@overload
def betaln(a: TensorLike, b: Tensor) -> Tensor:
    """dA/da = psi(a) - psi(a + b), and so for b."""
@overload
def poch(z: ArrayLike, m: ArrayLike) -> ndarray: ...
@overload
def poch(z: Tensor, m: TensorLike) -> Tensor: ...
@overload
def poch(z: TensorLike, m: Tensor) -> Tensor:
    """A = Gamma(Z + m) / Gamma(Z)."""
@overload
def binom(n: ArrayLike, k: ArrayLike) -> ndarray: ...
@overload
def binom(n: Tensor, k: TensorLike) -> Tensor: ...
@overload
def binom(n: TensorLike, k: Tensor) -> Tensor:
    """A = Gamma(n + 1) / (Gamma(k + 1) Gamma(n - k + 1))."""
@overload
def gammainc(a: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def gammainc(a: Tensor, x: TensorLike) -> Tensor: ...
@overload
def gammainc(a: TensorLike, x: Tensor) -> Tensor:
    """The distribution function of gamma."""
@overload
def gammaincc(a: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def gammaincc(a: Tensor, x: TensorLike) -> Tensor: ...
@overload
def gammaincc(a: TensorLike, x: Tensor) -> Tensor:
    """1 - gammainc(a, X)."""
@overload
def gammaincinv(a: ArrayLike, y: ArrayLike) -> ndarray: ...
@overload
def gammaincinv(a: Tensor, y: TensorLike) -> Tensor: ...
@overload
def gammaincinv(a: TensorLike, y: Tensor) -> Tensor:
    """The inverse of gammainc in X."""
@overload
def gammainccinv(a: ArrayLike, y: ArrayLike) -> ndarray: ...
@overload
def gammainccinv(a: Tensor, y: TensorLike) -> Tensor: ...
@overload
def gammainccinv(a: TensorLike, y: Tensor) -> Tensor:
    """The inverse of gammaincc in X."""
@overload
def betainc(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def betainc(a: Tensor, b: TensorLike, x: TensorLike) -> Tensor: ...
@overload
def betainc(a: TensorLike, b: Tensor, x: TensorLike) -> Tensor: ...
@overload
def betainc(a: TensorLike, b: TensorLike, x: Tensor) -> Tensor:
    """The distribution of beta."""
@overload
def betaincc(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def betaincc(a: Tensor, b: TensorLike, x: TensorLike) -> Tensor: ...
@overload
def betaincc(a: TensorLike, b: Tensor, x: TensorLike) -> Tensor: ...
@overload
def betaincc(a: TensorLike, b: TensorLike, x: Tensor) -> Tensor:
    """1 - betainc(a, b, X)."""
@overload
def betaincinv(a: ArrayLike, b: ArrayLike, y: ArrayLike) -> ndarray: ...
@overload
def betaincinv(a: Tensor, b: TensorLike, y: TensorLike) -> Tensor: ...
@overload
def betaincinv(a: TensorLike, b: Tensor, y: TensorLike) -> Tensor: ...
@overload
def betaincinv(a: TensorLike, b: TensorLike, y: Tensor) -> Tensor:
    """The inverse of betainc in X."""
@overload
def betainccinv(a: ArrayLike, b: ArrayLike, y: ArrayLike) -> ndarray: ...
@overload
def betainccinv(a: Tensor, b: TensorLike, y: TensorLike) -> Tensor: ...
@overload
def betainccinv(a: TensorLike, b: Tensor, y: TensorLike) -> Tensor: ...
@overload
def betainccinv(a: TensorLike, b: TensorLike, y: Tensor) -> Tensor:
    """The inverse of betaincc."""
@overload
def stdtr(df: ArrayLike, t: ArrayLike) -> ndarray: ...
@overload
def stdtr(df: Tensor, t: TensorLike) -> Tensor: ...
@overload
def stdtr(df: TensorLike, t: Tensor) -> Tensor:
    """The distribution function of Student's t."""
@overload
def stdtrit(df: ArrayLike, p: ArrayLike) -> ndarray: ...
@overload
def stdtrit(df: Tensor, p: TensorLike) -> Tensor: ...
@overload
def stdtrit(df: TensorLike, p: Tensor) -> Tensor:
    """The inverse of stdtr in t."""
@overload
def pdtr(k: ArrayLike, m: ArrayLike) -> ndarray: ...
@overload
def pdtr(k: Tensor, m: TensorLike) -> Tensor: ...
@overload
def pdtr(k: TensorLike, m: Tensor) -> Tensor:
    """The distribution of Poisson."""
@overload
def pdtrc(k: ArrayLike, m: ArrayLike) -> ndarray: ...
@overload
def pdtrc(k: Tensor, m: TensorLike) -> Tensor: ...
@overload
def pdtrc(k: TensorLike, m: Tensor) -> Tensor:
    """1 - pdtr(k, m)."""
@overload
def bdtr(k: ArrayLike, n: ArrayLike, p: ArrayLike) -> ndarray: ...
@overload
def bdtr(k: Tensor, n: TensorLike, p: TensorLike) -> Tensor: ...
@overload
def bdtr(k: TensorLike, n: Tensor, p: TensorLike) -> Tensor: ...
@overload
def bdtr(k: TensorLike, n: TensorLike, p: Tensor) -> Tensor:
    """The binomial distribution."""
@overload
def bdtrc(k: ArrayLike, n: ArrayLike, p: ArrayLike) -> ndarray: ...
@overload
def bdtrc(k: Tensor, n: TensorLike, p: TensorLike) -> Tensor: ...
@overload
def bdtrc(k: TensorLike, n: Tensor, p: TensorLike) -> Tensor: ...
@overload
def bdtrc(k: TensorLike, n: TensorLike, p: Tensor) -> Tensor:
    """1 - bdtr(k, n, p)."""
@overload
def chdtr(v: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def chdtr(v: Tensor, x: TensorLike) -> Tensor: ...
@overload
def chdtr(v: TensorLike, x: Tensor) -> Tensor:
    """The distribution of chi-squared."""
@overload
def chdtrc(v: ArrayLike, x: ArrayLike) -> ndarray: ...
@overload
def chdtrc(v: Tensor, x: TensorLike) -> Tensor: ...
@overload
def chdtrc(v: TensorLike, x: Tensor) -> Tensor:
    """1 - chdtr(v, X)."""
@overload
def chdtri(v: ArrayLike, p: ArrayLike) -> ndarray: ...
@overload
def chdtri(v: Tensor, p: TensorLike) -> Tensor: ...
@overload
def chdtri(v: TensorLike, p: Tensor) -> Tensor:
    """The inverse of chdtrc in X."""
@overload
def xlogy(x: ArrayLike, y: ArrayLike) -> ndarray: ...
@overload
def xlogy(x: Tensor, y: TensorLike) -> Tensor: ...
@overload
def xlogy(x: TensorLike, y: Tensor) -> Tensor:
    """A = X ln Y, 0 at X = 0."""
@overload
def xlog1py(x: ArrayLike, y: ArrayLike) -> ndarray: ...
@overload
def xlog1py(x: Tensor, y: TensorLike) -> Tensor: ...
@overload
def xlog1py(x: TensorLike, y: Tensor) -> Tensor:
    """A = X ln(1 + Y), 0 at X = 0."""
@overload
def entr(x: ArrayLike) -> ndarray: ...
@overload
def entr(x: Tensor) -> Tensor:
    """A = -X ln X."""
@overload
def rel_entr(x: ArrayLike, y: ArrayLike) -> ndarray: ...
@overload
def rel_entr(x: Tensor, y: TensorLike) -> Tensor: ...
@overload
def rel_entr(x: TensorLike, y: Tensor) -> Tensor:
    """A = X ln(X / Y)."""
@overload
def kl_div(x: ArrayLike, y: ArrayLike) -> ndarray: ...
@overload
def kl_div(x: Tensor, y: TensorLike) -> Tensor: ...
@overload
def kl_div(x: TensorLike, y: Tensor) -> Tensor:
    """A = X ln(X / Y) - X + Y."""
@overload
def expi(x: ArrayLike) -> ndarray: ...
@overload
def expi(x: Tensor) -> Tensor:
    """The exponential integral."""
@overload
def exp1(x: ArrayLike) -> ndarray: ...
@overload
def exp1(x: Tensor) -> Tensor:
    """The exponential integral E_1."""
