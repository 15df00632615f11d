"""NumPy itself, whose functions take Tensors. Those that would not look into a list of Tensors get an array of them."""

import functools

import numpy as _np

import minigrad as mg

from ...._numpy import without_tensors as _without_tensors
from ....nest import flatten as _leaves
from ....ops.arranging import has_tensors as _has_tensors
from ..alias import alias, seeing_tensors, seen
from . import numpy_boxes as numpy_boxes
from . import numpy_vjps as numpy_vjps

__all__ = [*_np.__all__]


def _making(function):
    """A function of NumPy that makes an array of anything, whose gradients flow if Tensors stand in it."""

    @functools.wraps(function)
    def call(a, dtype=None, **options):
        if not (isinstance(a, mg.Tensor) or _has_tensors(a)):
            return function(a, dtype, **options)
        # equivalent: 0.0 -> any number because its axes are counted; NumPy refuses the options that it does not have
        axes = function(0.0, **options).ndim
        made = mg.array(a, None if dtype is object else dtype)  # programs ask for objects to keep their boxes
        return mg.reshape(made, (1,) * (axes - made.ndim) + made.shape)

    return call  # equivalent: any factor because it runs at import alone


array, asarray, asanyarray = map(_making, (_np.array, _np.asarray, _np.asanyarray))
ascontiguousarray, asfortranarray = map(_making, (_np.ascontiguousarray, _np.asfortranarray))


def full(shape, fill_value, dtype=None, **options):
    """np.full, of a Tensor too."""
    dtype = dtype or _np.asarray(_without_tensors(fill_value)).dtype
    return full_like(_np.empty(shape, dtype, **options), fill_value)


def full_like(a, fill_value, dtype=None, **options):
    """np.full_like, of a Tensor too."""
    like = _np.empty_like(_without_tensors(a), dtype, **options)
    return mg.full_like(like, fill_value) if isinstance(fill_value, mg.Tensor) else _np.full_like(like, fill_value)


def where(condition, x=None, y=None):
    """np.where, of numbers and lists alone numbers and lists."""
    condition = _without_tensors(condition)  # its derivative is 0
    if x is None or y is None:
        return _np.where(condition, *[branch for branch in (x, y) if branch is not None])
    made = seeing_tensors(_np.where)(condition, x, y)
    # not by any(), whose name is NumPy's function here once a program has asked for it
    arrays = [leaf for leaf in _leaves([condition, x, y]) if hasattr(leaf, "dtype")]
    return made if arrays else made.tolist()


def isscalar(element):
    """np.isscalar, for which a Tensor without axes is a number."""
    return (isinstance(element, mg.Tensor) and element.ndim == 0) or _np.isscalar(element)


def make_diagonal(D, offset=0, axis1=0, axis2=1):
    """The last axis of D along the diagonals of matrices, which are the last two axes."""
    if offset != 0 or {axis1, axis2} != {-1, -2}:
        raise NotImplementedError("make_diagonal: offset must be 0, and the axes -1 and -2")
    return D[..., None] * _np.eye(D.shape[-1])


r_, c_ = mg.r_, mg.c_


def __getattr__(name):
    globals()[name] = value = seen(_np, name)  # where the next lookup finds it
    return value


def __dir__():
    return [*dir(_np)]


fft, linalg, random = (alias(f"{__name__}.{name}", f"numpy.{name}") for name in ("fft", "linalg", "random"))
linalg.T, linalg._dot = _np.matrix_transpose, _np.matmul
