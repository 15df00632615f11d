"""Complex arrays as pairs of real ones, and back."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import complex_parts

z = np.array([[1 + 2j, -3 + 0.5j], [0 - 1j, 4 + 0j]])


@pytest.mark.parametrize("a", [z, z.T, z[0, 0].reshape(()), z[:0], z.astype(np.complex64)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_parts_are_joined_to_the_same_array(a, order):
    parts = np.array(complex_parts.in_parts(a), order=order)
    np.testing.assert_array_equal(parts[..., 0], a.real)
    np.testing.assert_array_equal(parts[..., 1], a.imag)
    for given in (parts, np.flip(np.flip(parts, -1).copy(), -1)):
        np.testing.assert_array_equal(complex_parts.joined(given), a, strict=True)
        np.testing.assert_array_equal(complex_parts.upstream(given), np.conjugate(np.asarray(a))[...], strict=True)
        assert isinstance(complex_parts.joined(given), np.ndarray)
        assert isinstance(complex_parts.upstream(given), np.ndarray)
    np.testing.assert_array_equal(complex_parts.gradient_in_parts(complex_parts.upstream(parts)), parts)


def test_a_joined_array_lies_in_the_memory_of_its_parts():
    parts = complex_parts.in_parts(z)
    complex_parts.joined(parts)[0, 1] = 7 - 8j
    assert parts[0, 1].tolist() == [7, -8]
    real = z.real.copy()
    assert complex_parts.in_parts(real) is real


def test_tensors_stay_on_the_tape():
    parts = mg.tensor(complex_parts.in_parts(z), requires_grad=True)
    for of_tensor in (complex_parts.joined(parts), complex_parts.upstream(parts)):
        assert isinstance(of_tensor, mg.Tensor)
        assert of_tensor.requires_grad
    np.testing.assert_array_equal(complex_parts.joined(parts).data, z)
    np.testing.assert_array_equal(complex_parts.upstream(parts).data, z.conj())
