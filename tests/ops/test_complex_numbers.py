"""Complex numbers: parts, and each op on the complex plane, or its refusal.

Entries move in complex directions, so a conjugate too many or too few is found.
"""

import functools

import numpy as np
import pytest
import scipy.linalg
import scipy.signal
from numpy.testing import assert_allclose, assert_array_equal
from support.specification import Specs, call, calls

import minigrad as mg
from minigrad.testing import check_grads

specs = Specs()
spec = specs.add

RNG = np.random.default_rng(0)


def draw(*shape):
    """Complex numbers away from 0, 1 and the branch cuts."""
    return RNG.uniform(0.2, 0.9, shape) + 1j * RNG.uniform(0.2, 0.9, shape) * RNG.choice([-1, 1], shape)


Z, W, V, M, X = draw(2, 3), draw(3), draw(4), draw(3, 3), RNG.uniform(0.5, 2, 3)
ONE = draw()


spec("real", calls(call(Z), call(X)), np.real, order=1)
spec("imag", calls(call(ONE), call(X)), np.imag, order=1)
spec("conjugate", calls(call(W), call(X)), np.conjugate, order=1)
spec("angle", calls(call(ONE), call(W, True), call(X)), np.angle, order=1)
spec("real_if_close", calls(call(W), call(X)), np.real_if_close, order=1)

TestSpecs = specs.tests(examples=1)


def two_derivatives(function, *arguments):
    """The gradient of J = Re(sum(c y)) and its derivative, against differences in complex directions."""
    parts = _parts(function(*arguments))
    weights = [draw(*part.shape) for part in parts]
    steps = [1e-5 * (draw(*x.shape) if np.iscomplexobj(x) else RNG.uniform(-1, 1, x.shape)) for x in arguments]
    ahead, behind = ([x + sign * step for x, step in zip(arguments, steps, strict=True)] for sign in (1, -1))

    def loss(*x):
        y = function(*x)
        y = y if isinstance(y, (tuple, list)) else [y]
        return sum(np.sum(np.real(c * part)) for c, part in zip(weights, y, strict=True))

    gradient = mg.grad(loss, tuple(range(len(arguments))))
    found = gradient(*arguments)
    assert [g.dtype for g in found] == [x.dtype for x in arguments]
    slope = sum(np.sum(np.real(g * step)) for g, step in zip(found, steps, strict=True))
    assert_allclose(slope, (loss(*ahead) - loss(*behind)) / 2, rtol=1e-6, atol=1e-11)
    _, second = mg.jvp(gradient, arguments, steps)
    for ours, after, before in zip(second, gradient(*ahead), gradient(*behind), strict=True):
        assert_allclose(ours, (after - before) / 2, rtol=1e-5, atol=1e-9)


HOLOMORPHIC = [
    *(np.exp, np.exp2, np.expm1, np.log, np.log2, np.log10, np.log1p, np.sqrt, np.square, np.reciprocal, np.negative),
    *(np.positive, np.sin, np.cos, np.tan, np.arcsin, np.arccos, np.arctan, np.sinh, np.cosh, np.tanh, np.arcsinh),
    *(np.arccosh, np.arctanh, np.sinc, np.prod, np.cumsum, np.cumprod, np.mean, np.sum, mg.ops.copy),
]


@pytest.mark.parametrize("function", HOLOMORPHIC, ids=lambda f: f.__name__)
def test_functions_with_a_complex_derivative(function):
    two_derivatives(function, W)
    along, across = (mg.jvp(function, (W,), (v,))[1] for v in (X, 1j * X))
    assert_allclose(across, 1j * along, rtol=1e-12)  # the Cauchy-Riemann equations


@pytest.mark.parametrize("function", [np.add, np.subtract, np.multiply, np.divide, np.power], ids=lambda f: f.__name__)
def test_two_arguments_one_of_them_real(function):
    for x, y in ((W, V[:3]), (W, X), (X, W), (-X, W)):
        two_derivatives(function, x, y)


def hermitian(a):
    return a + np.conj(np.swapaxes(a, -1, -2))


def positive(a):
    return np.matmul(a, np.conj(a.T)) + np.eye(a.shape[-1])


def projector(vectors):
    """What does not depend on the phase of each vector."""
    return vectors[..., :, :1] * np.conj(np.swapaxes(vectors, -1, -2))[..., :1, :]


def svd_without_phases(a):
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return [projector(u), s, u[:, :1] * vh[:1]]


CASES = {
    "abs": (np.abs, W),
    "angle": (np.angle, W),
    "angle in degrees": (lambda z: np.angle(z, deg=True), W),
    "real_if_close": (lambda z: np.real_if_close(z, 1e20), W),
    "real_if_close, and it is not": (np.real_if_close, W),
    "norm": (np.linalg.norm, Z),
    "norm over an axis": (lambda z: np.linalg.norm(z, axis=1), Z),
    "norm of order 3": (lambda z: np.linalg.norm(z, 3), W),
    "nuclear norm": (lambda z: np.linalg.norm(z, "nuc"), M),
    "var": (lambda z: np.var(z, axis=0, ddof=1), Z),
    "std": (np.std, W),
    "std, some entries": (lambda z: np.std(z, where=np.array([True, True, False])), W),
    "matmul": (np.matmul, Z, M),
    "matmul of vectors": (np.matmul, W, X),
    "vdot": (np.vdot, W, V[:3]),
    "vecdot": (np.vecdot, Z, W),
    "vecmat": (np.vecmat, W, M),
    "einsum": (lambda a, b: np.einsum("ij,kj->ik", a, b), Z, M),
    "correlate": (np.correlate, W, V[:2]),
    "convolve": (np.convolve, W, V[:2]),
    "cov": (np.cov, Z),
    "corrcoef": (np.corrcoef, Z),
    "inv": (np.linalg.inv, M),
    "solve": (np.linalg.solve, M, W),
    "det": (np.linalg.det, M),
    "det of a singular matrix": (lambda z: np.linalg.det(z[:, None] * W), W),
    "slogdet": (np.linalg.slogdet, M),
    "cholesky": (lambda a: np.linalg.cholesky(positive(a)), M),
    "cholesky, upper": (lambda a: np.linalg.cholesky(positive(a), upper=True), M),
    "eigvalsh": (np.linalg.eigvalsh, M),
    "eigh": (lambda a: projector(np.linalg.eigh(hermitian(a), "U").eigenvectors), M),
    "svd": (svd_without_phases, M),
    "svd of a wide matrix": (svd_without_phases, Z),
    "svd of a tall matrix": (svd_without_phases, Z.T),
    "eigvals": (np.linalg.eigvals, M),
    "eigvals of a real matrix": (np.linalg.eigvals, np.array([[1.0, 2.0], [-3.0, 0.5]])),
    "eig": (lambda a: [(parts := np.linalg.eig(a)).eigenvalues, projector(parts.eigenvectors)], M),
    "roots": (np.roots, V),
    "roots of a real polynomial": (np.roots, np.array([1.0, -0.5, 2.0, 0.7])),
    "polydiv": (np.polydiv, V, W[:2]),
    "sort_complex": (np.sort_complex, W),
    "sort_complex of real numbers": (np.sort_complex, X),
    "max": (np.max, W),
    "minimum": (np.minimum, W, V[:3]),
    "qr": (lambda a: tuple(np.linalg.qr(a)), M),
    "qr of a wide matrix": (lambda a: tuple(np.linalg.qr(a)), Z),
    "pinv": (np.linalg.pinv, Z),
    "lstsq": (lambda a, b: np.linalg.lstsq(a, b)[:2], Z.T, W),
    "getitem": (lambda z: z[[0, 0, 2]], W),
    "where": (lambda z, x: np.where(X > 1, z, x), W, X),
    "stack": (lambda z, x: np.stack([z, x, z]), W, X),
    "a real argument": (lambda x, z: np.exp(1j * x) * z, X, W),
}


@pytest.mark.parametrize("case", CASES)
def test_two_derivatives(case):
    two_derivatives(*CASES[case])


def test_values_are_numpys():
    for function, *arguments in CASES.values():
        for ours, theirs in zip(
            _parts(function(*map(mg.tensor, arguments))), _parts(function(*arguments)), strict=True
        ):
            assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)
            assert ours.dtype == theirs.dtype


def _parts(value):
    return [np.asarray(getattr(v, "data", v)) for v in (value if isinstance(value, (tuple, list)) else [value])]


@pytest.mark.parametrize(
    "function",
    [mg.relu, mg.sigmoid, mg.gelu, mg.softmax, mg.softplus, mg.erf, np.i0, mg.mean_squared_error, mg.leaky_relu],
)
def test_functions_of_real_numbers_refuse_complex_arrays(function):
    arguments = (W, W) if function is mg.mean_squared_error else (mg.tensor(W),)
    with pytest.raises(TypeError, match="complex"):
        function(*arguments)


def test_zero_has_the_derivatives_of_real_zero():
    assert mg.grad(np.abs)(0j) == 0
    assert_array_equal(mg.grad(np.linalg.norm)(np.zeros(2, complex)), [0, 0])
    assert_array_equal(mg.grad(np.std)(np.full(3, 1j)), [0, 0, 0])


def test_sums_of_many_single_precision_numbers_are_precise():
    rows = np.full((100_000, 2), 0.1 + 0.1j, np.complex64)
    assert_allclose(np.sum(mg.tensor(rows), axis=0).data, (1 + 1j) * 1e4, rtol=1e-6)
    assert mg.grad(lambda z: np.sum(np.abs(rows * z)))(np.ones(2, np.complex64)).dtype == np.complex64


def test_parts_of_a_tensor():
    t = mg.tensor(Z, requires_grad=True)
    assert_array_equal(t.real.data, Z.real)
    assert_array_equal(t.imag.data, Z.imag)
    assert_array_equal(t.conj().data, t.conjugate().data)
    assert complex(mg.tensor(1 + 2j)) == 1 + 2j
    assert t.astype(np.complex64).dtype == np.complex64
    assert mg.tensor([1.0], requires_grad=True).astype(complex).requires_grad
    assert np.real_if_close(mg.tensor([1 + 1e-20j])).dtype == float
    with pytest.raises(TypeError, match=r"^astype: float64 can't hold complex numbers"):
        t.astype(float)


SCIPY = {
    "expm": (scipy.linalg.expm, mg.scipy.linalg.expm, M),
    "sqrtm": (scipy.linalg.sqrtm, mg.scipy.linalg.sqrtm, positive(M)),
    "block_diag": (scipy.linalg.block_diag, mg.scipy.linalg.block_diag, M, W),
    "convolve": (scipy.signal.convolve, mg.scipy.signal.convolve, M, Z),
    **{
        f"solve_triangular, trans={trans}": (
            functools.partial(scipy.linalg.solve_triangular, trans=trans),
            functools.partial(mg.scipy.linalg.solve_triangular, trans=trans),
            *(M, W),
        )
        for trans in (0, 1, 2, "C")
    },
    **{
        f"cho_solve, lower={lower}": (
            lambda c, b, lower=lower: scipy.linalg.cho_solve((c, lower), b),
            lambda c, b, lower=lower: mg.scipy.linalg.cho_solve((c, lower), b),
            *(M, W),
        )
        for lower in (True, False)
    },
}


@pytest.mark.parametrize("case", SCIPY)
def test_scipys_functions(case):
    theirs, ours, *arguments = SCIPY[case]
    assert_allclose(ours(*arguments), theirs(*arguments), rtol=1e-12)
    two_derivatives(ours, *arguments)


@pytest.mark.parametrize(
    "f",
    [np.arcsin, np.arccos, np.arctan, np.arcsinh, np.arccosh, np.arctanh, np.sqrt, np.log, np.log1p, lambda z: z**0.5],
)
def test_on_a_branch_cut_the_slope_is_that_of_its_side(f):
    """The sign of a part that is 0 says which side: beside it the slope is nearly the same."""
    x = np.array([-3.0, -0.5, 0.5, 3.0])
    for zero in (1e-10, -1e-10):
        axis = np.full(4, zero)
        for at in ((x, axis), (axis, x)):
            beside, on = (np.empty(4, complex) for _ in range(2))
            beside.real, beside.imag = at
            on.real, on.imag = (np.where(np.abs(part) < 1e-9, np.copysign(0, part), part) for part in at)
            for part in (np.real, np.imag):
                slopes = mg.grad(lambda z: np.sum(part(f(z))))  # noqa: B023 (it is called here)
                assert_allclose(slopes(on), slopes(beside), rtol=1e-8, atol=1e-9)


EMATH = [
    *[(name, ()) for name in ("sqrt", "log", "log2", "log10", "arccos", "arcsin", "arctanh")],
    ("power", (2.5,)),
    ("power", (-2,)),
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "rest"), [*EMATH, ("logn", (2.0,)), ("logn", (-3.0,))])
def test_functions_that_become_complex_outside_of_their_domain(name, rest):
    function = getattr(np.emath, name)
    f = (lambda x: function(*rest, x)) if name == "logn" else (lambda x: function(x, *rest))
    for x in (np.array([-1.3, 0.4, 2.2]), np.array([0.4, 0.9]), draw(2)):
        check_grads(lambda x: f(x), x, order=2, float32=False)
        for kind in ("f", "e", "b", "u1", "F"):
            cast = x.astype(kind) if np.isrealobj(x) or kind == "F" else x
            assert_array_equal(f(mg.tensor(cast)), f(cast), strict=True)
    assert_array_equal(f(mg.tensor(np.ones(0))), f(np.ones(0)), strict=True)
    for x in (-2.0, np.array([-1.0, 0.5, 1.0])):
        assert_array_equal(f(mg.tensor(x)), f(x), strict=True)


@pytest.mark.parametrize("x", [[2, 3], [-2, 3], np.float32([2, 3]), [2 + 1j, -3]])
@pytest.mark.parametrize("p", [-1, [-1, 2], [0, 1], [1, 2], np.int8([1, -1]), np.uint8([1, 2]), np.float32([-1, 2])])
def test_integers_to_negative_integers_are_no_integers(x, p):
    x, p = np.array(x), np.array(p)
    for found in (np.emath.power(mg.tensor(x), p), np.emath.power(x, mg.tensor(p))):
        assert_array_equal(found, np.emath.power(x, p), strict=True)
