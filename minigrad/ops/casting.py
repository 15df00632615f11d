"""Changes of dtype, what dtype an op computes in, and what its forward leaves for the VJPs."""

from __future__ import annotations

import numpy as np

from ..operation import arraylike, op
from ..stand_ins import implements
from ..typing import Array, DType
from ..writes import copied

__all__ = ["copy", "astype"]


@implements(np.copy)
@op(complex=True)
def copy(a: Array) -> Array:
    """The same values in a new array.

    >>> x = np.array([1.0, 2.0])
    >>> mg.copy(x) is x
    False
    """
    return copied(np.asarray(a))


@copy.vjp("a")
def _(g, out, a):
    return g


@op(name="astype", complex=True)
def _cast(x: Array, dtype: DType) -> Array:
    return np.asarray(x).astype(dtype)


@_cast.vjp("x")
def _(g, a, x, dtype):
    return g


@implements(np.astype)
def astype(x: Array, dtype: DType) -> Array:
    """X in another dtype. The sweep casts each gradient to its argument's dtype.

    A cast to integers or booleans is piecewise constant, so its result carries no gradient.
    Raises TypeError for any other kind of dtype, and for a complex X in a real one.

    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> mg.astype(x, np.float32).dtype
    dtype('float32')
    >>> mg.astype(x, int).requires_grad
    False
    """
    kind = np.dtype(dtype).kind
    if kind not in "fiubc":
        raise TypeError(f"astype: a Tensor is boolean, integer, floating-point or complex, not {np.dtype(dtype)}")
    if kind not in "bc" and np.iscomplexobj(x):
        raise TypeError(f"astype: {np.dtype(dtype)} can't hold complex numbers: take np.real or np.imag first")
    if kind not in "fc" and hasattr(x, "detach"):
        x = x.detach()
    return _cast(x, dtype)


def in_inexact_dtype(x: Array, dtype: DType) -> Array:
    """X in the dtype, in which a mean is computed. Raises TypeError for integers, which would cut it off."""
    if np.dtype(dtype).kind not in "fc":
        raise TypeError(f"dtype must be floating-point or complex, not {np.dtype(dtype)}")
    return astype(x, dtype)


def in_dtype(x: Array, dtype: DType) -> Array:
    """X in the dtype, if one is given and X has another: NumPy adds booleans and small integers in wider ones."""
    return x if dtype is None or x.dtype == dtype else astype(x, dtype)


def floating(x: Array) -> Array:
    """Booleans and integers as float64, which is the rule for every op of floating values that is not NumPy's own.

    (Integers of 8 bits would wrap around.) Returns an array or Tensor; what is floating-point stays as it is.
    """
    x = inexact(x)
    if x.dtype.kind == "c":
        raise TypeError("complex numbers are not supported")
    return x


def inexact(x: Array) -> Array:
    """`floating`, and complex numbers as they are."""
    # equivalent: never because it is only slower
    if type(x) is np.ndarray and x.dtype.kind in "fc":
        return x
    x = arraylike(x)
    # equivalent: 1.0 -> any number because only its type counts
    return x if x.dtype.kind in "fc" else astype(x, np.result_type(x.dtype, 1.0))


def widened(x: Array) -> Array:
    """`inexact`, and float16 as float32: for what float16 overflows in, or rounds too often. See `narrowed`."""
    x = inexact(x)
    return astype(x, np.float32) if x.dtype.char == "e" else x


def narrowed(a: Array, *arguments: Array) -> Array:
    """What was computed of `widened` arguments, in the dtype that these have together.

    A forward needs it; a VJP does not, because the sweep casts.
    """
    for x in arguments:
        if type(x) is not np.ndarray or x.dtype is not a.dtype:
            break
    else:
        return a
    dtype = common_dtype(*arguments)
    return in_dtype(a, np.finfo(dtype).dtype if dtype.kind == "c" and a.dtype.kind == "f" else dtype)


def common_dtype(*arguments: Array) -> np.dtype:
    """The floating-point or complex dtype that arguments have together, of which Python's numbers take any."""
    kinds = [x if type(x) in (int, float, complex) else arraylike(x).dtype for x in arguments]
    # equivalent: 0.0 -> any number because only its type counts
    return np.result_type(*kinds, 0.0)
