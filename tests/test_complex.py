"""Complex numbers on the tape: the gradient in z = x + iy is dJ/dx - i dJ/dy, and J descends along its conjugate."""

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import minigrad as mg
from minigrad.testing import GradientError, check_grads, check_jvp, check_vjp, gradtest, strategies

PAGE = (Path(__file__).parents[1] / "docs" / "complex.md").read_text(encoding="utf-8")
Z = np.array([1 + 2j, 0.5 - 1j, -0.3 + 0.2j])
W = np.array([0.2 - 1j, 1.5 + 0.1j, 2j])


def energy(z):
    return np.sum(np.abs(z * z) ** 2)


def slopes(f, z, h=1e-6):
    """df/dx - i df/dy, entry by entry."""
    units = np.eye(z.size).reshape(-1, *z.shape) * h
    along, across = ([(f(z + u) - f(z - u)) / (2 * h) for u in part] for part in (units, 1j * units))
    return np.reshape(along, z.shape) - 1j * np.reshape(across, z.shape)


def test_the_gradient_is_that_of_x_minus_i_times_that_of_y():
    assert mg.grad(lambda z: 3 * np.real(z) + 5 * np.imag(z))(1j) == 3 - 5j
    assert_allclose(mg.grad(energy)(Z), slopes(energy, Z), rtol=1e-8)


def test_descent_goes_along_the_conjugate():
    gradient = mg.grad(energy)(Z)
    assert energy(Z - 1e-3 * np.conj(gradient)) < energy(Z) - 0.9e-3 * np.sum(np.abs(gradient) ** 2)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_a_leaf_accumulates_in_its_own_dtype(dtype):
    z = mg.tensor(Z.astype(dtype), requires_grad=True)
    for times in (1, 2):
        np.sum(np.square(np.real(z)) * 3.0).backward()
        assert z.grad.dtype == dtype
        assert_allclose(z.grad, times * 6 * Z.real, rtol=1e-6)
    z.grad = 1j * np.ones(3)
    assert z.grad.dtype == dtype


def test_backward_from_a_complex_result_takes_its_gradient():
    z = mg.tensor(Z, requires_grad=True)
    (z * W).backward(1j * Z)
    assert_array_equal(z.grad, 1j * Z * W)
    with pytest.raises(RuntimeError, match=r"^backward: the Tensor is complex: give the gradient"):
        np.sum(z * W).backward()
    with pytest.raises(TypeError, match=r"^backward: the gradient must be floating-point, not complex128"):
        np.real(z).backward(Z)


def test_a_real_argument_gets_the_real_part():
    x = mg.tensor(Z.real, requires_grad=True)
    (x * W).backward(Z)
    assert x.grad.dtype == float
    assert_array_equal(x.grad, np.real(Z * W))
    stretched = mg.grad(lambda x: np.sum(np.real(x * W)))(2.0)
    assert stretched == np.sum(W.real)


@pytest.mark.parametrize("transform", [mg.grad, mg.value_and_grad, mg.jacobian, mg.hessian, mg.elementwise_grad])
def test_what_has_no_gradient_says_what_to_do(transform):
    with pytest.raises(TypeError, match=rf"^{transform.__name__}: .*np\.real\(y\) and np\.imag\(y\)"):
        transform(lambda z: np.sum(z * z) * 1j)(Z)


def test_transforms_take_complex_directions():
    gradient, step = mg.grad(energy), 1e-6
    along = (gradient(Z + step * W) - gradient(Z - step * W)) / (2 * step)
    assert_allclose(mg.hvp(energy, Z, W), along, rtol=1e-7)
    _, dy = mg.jvp(np.exp, (Z,), (W,))
    assert_allclose(dy, np.exp(Z) * W)
    _, pullback = mg.vjp(lambda nest: nest["z"] * nest["x"], {"z": Z, "x": W.real})
    (found,) = pullback(W)
    assert_allclose(found["z"], W * W.real)
    assert_allclose(found["x"], np.real(W * Z))
    assert found["x"].dtype == float
    rows = mg.jacobian(lambda z: np.square(np.abs(z)))(Z)
    assert_allclose(rows, 2 * np.diag(np.conj(Z)))
    assert_allclose(mg.elementwise_grad(lambda z: np.square(np.abs(z)))(Z), 2 * np.conj(Z))


def test_a_complex_function_of_a_real_variable_has_a_complex_slope():
    _, dy = mg.jvp(lambda x: np.exp(1j * x), (0.3,), (1.0,))
    assert_allclose(dy, 1j * np.exp(0.3j))


def test_a_checkpoint_and_a_nest_of_transforms():
    assert_allclose(mg.grad(mg.checkpoint(energy))(Z), mg.grad(energy)(Z), rtol=1e-14)
    third = mg.grad(lambda z: np.sum(np.real(mg.grad(energy)(z) * W)))
    assert_allclose(third(Z), slopes(lambda z: np.sum(np.real(mg.grad(energy)(z) * W)), Z), rtol=1e-7)


def test_an_op_of_ones_own_is_real_unless_it_says_otherwise():
    def norm(z):
        return np.abs(z)

    def vjp(g, a, z):
        return g * np.conj(z) / a

    real, both = mg.op(norm), mg.op(norm, complex=True)
    real.vjp("z", vjp)
    both.vjp("z", vjp)
    z = mg.tensor(Z, requires_grad=True)
    assert_allclose(real(Z), np.abs(Z))
    with pytest.raises(TypeError, match=r"^norm: complex numbers have no derivative here"):
        real(z)
    with pytest.raises(TypeError, match=r"^clip: can't differentiate a result of dtype complex128"):
        np.clip(z.real, 1j)
    assert_allclose(mg.grad(lambda z: np.sum(both(z)))(Z), np.conj(Z) / np.abs(Z))
    check_grads(both, Z, order=2)


WRONG = {
    "a conjugate is missing": lambda g, a, z: g * z / a,
    "the gradient is conjugated": lambda g, a, z: np.conj(g * np.conj(z) / a),
    "the imaginary part is missing": lambda g, a, z: g * np.real(z) / a + 0j,
}


@pytest.mark.parametrize("vjp", WRONG.values(), ids=WRONG)
def test_a_check_finds_a_wrong_conjugate(vjp):
    check_vjp(np.abs, Z, vjp=lambda g, a, z: g * np.conj(z) / a)
    with pytest.raises(GradientError, match="WRONG"):
        check_vjp(np.abs, Z, vjp=vjp)


def test_checks_of_complex_results():
    check_vjp(np.square, np.stack([Z, Z * 1j]), vjp=lambda g, a, z: 2 * g * z)
    check_vjp(lambda z: z * z if isinstance(z, (np.ndarray, mg.Tensor)) else None, np.array(1 + 2j))
    check_grads(np.square, Z, vjp=lambda g, a, z: 2 * g * z)
    check_jvp(np.square, Z, jvp=lambda x, v: (x[0] ** 2, 2 * x[0] * v[0]))
    for vjp in (lambda g, a, z: 2 * np.conj(g) * z, lambda g, a, z: 2 * g * np.conj(z)):
        with pytest.raises(GradientError, match="WRONG"):
            check_vjp(np.square, Z, vjp=vjp)
    held = mg.tensor(Z, requires_grad=True)
    check_grads(lambda x: {"product": held * x, "size": np.abs(held)}, np.array([1.0, 2.0, 3.0]), order=1)


@gradtest(strategies.tensors(max_dims=1, min_side=1), order=1)
def test_a_property_of_a_complex_function(x):
    return np.exp((0.5 + 1j) * x)


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
def test_the_page_prints_what_it_says(code, capsys):
    exec(code, {})
    assert capsys.readouterr().out.splitlines() == re.findall(r"^print\(.*?\)  # (.*)$", code, re.MULTILINE)


def test_a_fixed_point_of_complex_numbers():
    def root(a):
        return mg.fixed_point(lambda a: lambda x: (x + a / x) / 2, a, np.array(1 + 0j), lambda x, y: abs(x - y), 1e-13)

    assert_allclose(mg.grad(lambda a: np.real(root(a)))(1 + 2j), 0.5 / np.sqrt(1 + 2j))
    assert_allclose(mg.grad(lambda a: np.real(root(a * 1j)))(2.0), mg.grad(lambda a: np.real(np.sqrt(a * 1j)))(2.0))


def test_a_nest_of_real_and_complex_arrays_is_one_complex_vector():
    vector, unravel = mg.ravel_nest({"x": 2.0, "z": Z})
    assert vector.dtype == complex
    back = unravel(vector)
    assert back["x"].dtype == float
    assert_array_equal(back["z"], Z)
