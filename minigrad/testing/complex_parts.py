"""Complex arrays as pairs of real ones: what the checks, which move real numbers, see of them.

The parts stand along a new last axis. Finite differences then go along the real and the imaginary direction of each
entry, and an upstream gradient weighs both parts of a result.
"""

from typing import Any

import numpy as np


def in_parts(a: Any) -> Any:
    """The real and the imaginary part of a complex array along a new last axis; a real array as it is.

    >>> in_parts(np.array([1 + 2j]))
    array([[1., 2.]])
    """
    return np.stack([a.real, a.imag], axis=-1) if np.iscomplexobj(a) else a


def joined(parts: Any) -> Any:
    """The complex array, or Tensor, of these parts; an array in their memory if it can be: writes to it are seen there.

    >>> joined(np.array([[1.0, 2.0]]))
    array([1.+2.j])
    """
    if isinstance(parts, np.ndarray) and parts.strides[-1] == parts.itemsize:
        return parts.view(np.result_type(parts, np.complex64))[..., 0]
    return (parts[..., 0] + 1j * parts[..., 1])[...]  # an array also of one number


def upstream(parts: Any) -> Any:
    """The gradient with respect to a complex result z = x + iy of J with dJ/dx and dJ/dy: dJ/dx - i dJ/dy.

    >>> upstream(np.array([[1.0, 2.0]]))
    array([1.-2.j])
    """
    return np.conjugate(joined(parts))[...]


def gradient_in_parts(gradient: Any) -> Any:
    """The inverse of `upstream`: dJ/dx and dJ/dy from the gradient with respect to z.

    >>> gradient_in_parts(np.array([1 - 2j]))
    array([[1., 2.]])
    """
    return np.stack([np.real(gradient), -np.imag(gradient)], axis=-1)
