"""np.fft's functions, against NumPy's values and finite differences along real and imaginary parts."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support.specification import Specs, call, calls

import minigrad as mg

specs = Specs()
spec = specs.add

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (2, 5))
Z = X + 1j * RNG.uniform(-1, 1, (2, 5))
SQUARE = X[:, :4].reshape(2, 2, 2)
BLOCK = RNG.uniform(-1, 1, (2, 3, 4)) + 1j * RNG.uniform(-1, 1, (2, 3, 4))
PLANES = Z[:, :4].reshape(2, 2, 2)

for _name in ("fft", "ifft", "irfft", "hfft"):
    _each = calls(call(Z), call(X, 4, 0, "ortho"), call(Z, 3), call(Z, 7, -1, "forward"), call(Z, 1))
    spec(_name, _each, getattr(np.fft, _name), order=1)
for _name in ("rfft", "ihfft"):
    _each = calls(call(X), call(X, 4, 0, "ortho"), call(X, 3), call(X, 8, -1, "forward"))
    spec(_name, _each, getattr(np.fft, _name), order=1)
for _name in ("fft2", "ifft2", "fftn", "ifftn", "irfft2", "irfftn"):
    _each = calls(call(PLANES), call(PLANES, (3, 1), (0, -1), "ortho"), call(SQUARE, (2, 3), (1, 2)))
    spec(_name, _each, getattr(np.fft, _name), order=1)
for _name in ("rfft2", "rfftn"):
    _each = calls(call(SQUARE), call(SQUARE, (3, 1), (0, -1), "ortho"), call(SQUARE, (2, -1), (1, 2)))
    spec(_name, _each, getattr(np.fft, _name), order=1)
for _name in ("fftshift", "ifftshift"):
    spec(_name, calls(call(Z), call(X, 1)), getattr(np.fft, _name), order=1)

TestSpecs = specs.tests(examples=1)


def agrees(name, x, *arguments):
    """NumPy's value of a Tensor, and a VJP that is the adjoint of the transform: it is linear, so that is all."""
    x = x.real if name.startswith(("rfft", "ihfft")) else x
    function = getattr(np.fft, name)
    value, expected = function(mg.tensor(x), *arguments), function(x, *arguments)
    assert value.dtype == expected.dtype
    assert_allclose(value.data, expected, rtol=1e-13, atol=1e-13)
    _, pullback = mg.vjp(lambda x: function(x, *arguments), x)
    g, v = (
        RNG.normal(size=a.shape) + (1j * RNG.normal(size=a.shape) if np.iscomplexobj(a) else 0) for a in (expected, x)
    )
    (gradient,) = pullback(g)
    assert gradient.dtype == x.dtype
    assert_allclose(np.sum(gradient * v).real, np.sum(g * function(v, *arguments)).real, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_every_length_is_cropped_or_padded(name):
    for n in (None, 1, 2, 3, 4, 7, 8):
        for norm in (None, "ortho", "forward"):
            agrees(name, Z[0], n, -1, norm)
        for axis in range(-3, 3):
            agrees(name, BLOCK, n, axis)


@pytest.mark.parametrize("name", ["fft2", "ifft2", "fftn", "ifftn", "rfft2", "rfftn", "irfft2", "irfftn"])
def test_every_choice_of_axes(name):
    agrees(name, BLOCK)
    agrees(name, BLOCK, (3, 5), (2, 0), "ortho")
    agrees(name, BLOCK, (-1, 5), (1, 2), "forward")
    agrees(name, BLOCK, (3, -1), (-1, 0))
    agrees(name, BLOCK, None, (0, 1))
    agrees(name, BLOCK, (3, 5), (1, 1))  # one after another, the last one first
    if name.endswith("n"):
        agrees(name, BLOCK, None, (1,))
        agrees(name, BLOCK, None, (2, 0, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        if name.endswith("n"):
            agrees(name, BLOCK, (2, 3))  # of the last axes
    if name.startswith(("rfft", "irfft")):
        with pytest.raises(ValueError, match=rf"^{name}: at least one axis is needed"):
            getattr(np.fft, name)(mg.tensor(BLOCK.real), None, ())
    else:
        agrees(name, BLOCK, None, ())


@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
def test_shifts_of_any_axes(name):
    for axes in (None, 0, -1, (0, 2)):
        agrees(name, BLOCK, axes)


def test_numpys_functions_take_tensors_and_stay_in_single_precision():
    t = mg.tensor(X.astype(np.float32), requires_grad=True)
    y = np.fft.irfft(np.fft.rfft(t, axis=1, norm="ortho"), 5, norm="ortho")
    assert y.dtype == np.float32
    assert_allclose(y.data, X, rtol=1e-5)
    np.sum(y * y).backward()
    assert t.grad.dtype == np.float32
    assert_allclose(t.grad, 2 * X, rtol=1e-5)


def test_energy_in_time_is_that_in_frequency():
    """Parseval: sum |x|**2 = sum |fft(x)|**2 / n, and so are the gradients."""
    gradient = mg.grad(lambda z: np.sum(np.abs(np.fft.fft2(z)) ** 2) / z.size)(Z)
    assert_allclose(gradient, 2 * np.conj(Z), rtol=1e-12)


@pytest.mark.parametrize("norm", ["orthogonal", "none"])
def test_other_norms_are_refused(norm):
    for function in (np.fft.fft, np.fft.rfftn, np.fft.hfft):
        with pytest.raises(ValueError, match=r"norm|Invalid"):
            function(mg.tensor(X), norm=norm)


@pytest.mark.parametrize("name", ["fft2", "ifft2", "fftn", "ifftn", "rfft2", "rfftn", "irfft2", "irfftn"])
@pytest.mark.parametrize(("s", "axes"), [((2, -1), (0, 1)), ((-1, 3), (1, 0)), (None, (0, 0))])
def test_a_size_of_minus_one_is_that_of_the_array(name, s, axes):
    x = np.random.default_rng(0).normal(size=(3, 4))
    assert_allclose(getattr(mg, name)(x, s, axes), getattr(np.fft, name)(x, s, axes), atol=1e-14)


def test_a_size_for_each_axis():
    with pytest.raises(ValueError, match="fftn: s and axes must be as many, not 1 and 2"):
        np.fft.fftn(mg.tensor(X), (2,), (0, 1))


def test_the_real_transform_refuses_complex_numbers():
    with pytest.raises(TypeError, match=r"^rfft: "):
        np.fft.rfft(mg.tensor(Z))
