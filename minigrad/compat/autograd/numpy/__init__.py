"""NumPy itself, whose functions take Tensors. Those that would not look into a list of Tensors get an array of them."""

import functools
import importlib

import numpy as _np

import minigrad as mg

from ....nest import flatten as _leaves
from ....ops.arranging import has_tensors as _has_tensors
from ..alias import alias as _alias

__all__ = [*_np.__all__]

_JOIN = {"concatenate", "stack", "vstack", "hstack", "dstack", "column_stack", "row_stack"}
_TAKE_LISTS = {"block", "select", "choose", "multi_dot", "piecewise", "lexsort"}


def seeing_tensors(function):
    """A function of NumPy that makes an array of a list of Tensors first."""

    @functools.wraps(function)
    def call(*arguments, **options):
        return function(*[mg.array(a) if _has_tensors(a) else a for a in arguments], **options)

    # equivalent: 0 -> 1 because no public name has _ in its second place
    vars(call).update({name: getattr(function, name) for name in dir(function) if name[0] != "_"})  # a ufunc's reduce
    return call


def joining(function):
    """A function of NumPy that joins arrays, of any iterable of them or of lists, such as the values of a dict."""

    @functools.wraps(function)
    def call(*arguments, **options):
        # equivalent: without and not hasattr(arguments[0], "__getitem__") because an array is joined of its rows, too
        if arguments and not hasattr(arguments[0], "__getitem__"):
            arguments = ([*arguments[0]], *arguments[1:])
        if arguments and _has_tensors(arguments[0]):
            arguments = ([mg.array(a) if _has_tensors(a) else a for a in arguments[0]], *arguments[1:])
        return function(*arguments, **options)

    return call


def seen(module, name):
    """The function of a module of NumPy by this name, made to see Tensors in lists where it does not."""
    value = getattr(module, name)
    if name in _JOIN:
        return joining(value)
    sees = hasattr(value, "_implementation") or isinstance(value, _np.ufunc)
    return seeing_tensors(value) if sees and name not in _TAKE_LISTS else value


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
    if isinstance(fill_value, mg.Tensor):
        return mg.full_like(_np.empty(shape, dtype or fill_value.dtype, **options), fill_value)
    return _np.full(shape, fill_value, dtype, **options)


def where(condition, x=None, y=None):
    """np.where, of numbers and lists alone numbers and lists."""
    if x is None or y is None:
        return _np.where(condition, *[branch for branch in (x, y) if branch is not None])
    made = seeing_tensors(_np.where)(condition, x, y)
    plain = not any(hasattr(leaf, "dtype") for leaf in _leaves([condition, x, y]))
    return made.tolist() if plain else made


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


fft, random = _alias(f"{__name__}.fft", "numpy.fft"), _alias(f"{__name__}.random", "numpy.random")
for _name in ("linalg", "numpy_boxes", "numpy_vjps"):
    importlib.import_module(f"{__name__}.{_name}")  # a plain import would find NumPy's, by __getattr__
