"""NumPy's two protocols: what a NumPy function does when it is called with a Tensor.

One that has an op becomes that op. One whose result carries no gradient, such as a comparison, gets
the arrays and returns plain values. Any other is refused by name.
"""

import functools
import importlib
import inspect
import itertools
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from . import ops
from .errors import NUMPY_ERRORS, explain, refusal
from .nest import mapped
from .operation import array_of, arraylike
from .ops.casting import in_dtype
from .stand_ins import NUMPY, implements
from .summation import normalized_axes

# NumPy functions whose result carries no gradient: they get the arrays and return plain values
_PLAIN_UFUNCS = frozenset(
    {np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.isnan, np.isinf, np.isfinite}
    | {np.signbit, np.logical_and, np.logical_or, np.logical_xor, np.logical_not, np.spacing, np.gcd, np.lcm}
    | {np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift, np.bitwise_count}
)
# these return entries of their arguments, which are plain unless that would lose a gradient
_SET_FUNCTIONS = frozenset(
    {np.unique, np.unique_all, np.unique_counts, np.unique_inverse, np.unique_values, np.union1d, np.intersect1d}
    | {np.setdiff1d, np.setxor1d}
)
_PLAIN_FUNCTIONS = _SET_FUNCTIONS | frozenset(
    {np.shape, np.ndim, np.size, np.result_type, np.argmax, np.argmin, np.argsort, np.nonzero, np.count_nonzero}
    | {np.isclose, np.allclose, np.array_equal, np.any, np.all, np.searchsorted, np.iscomplexobj, np.isrealobj}
    | {np.zeros_like, np.ones_like, np.empty_like, np.may_share_memory, np.shares_memory}
    | {np.argwhere, np.argpartition, np.lexsort, np.isin, np.isposinf, np.isneginf, np.array_equiv}
    | {np.array_repr, np.array_str, np.array2string, np.flatnonzero, np.nanargmax, np.nanargmin, np.digitize}
    | {np.isreal, np.iscomplex, np.common_type, np.min_scalar_type, np.can_cast}
    | {np.linalg.matrix_rank, np.ix_, np.unravel_index, np.ravel_multi_index}
    | {np.tril_indices_from, np.triu_indices_from}
    | {np.diag_indices_from, np.einsum_path, np.packbits, np.unpackbits}
    | {np.save, np.savez, np.savez_compressed, np.savetxt}
)
_ARRAYS = {"a", "b", "v", "x", "x1", "x2", "a1", "a2", "element", "test_elements"}  # arguments of these that are arrays
_WRITING = {np.put: "put", np.place: "place", np.putmask: "where", np.copyto: "where"} | {
    np.put_along_axis: "put_along_axis", np.fill_diagonal: "fill_diagonal"
}  # fmt: skip

_NO_OP = "has no op here: use .data where no gradient is needed, or make an op of it and its VJPs by mg.op"


def array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """NumPy's `__array_ufunc__`: called for `np.exp(t)`, `array + t` and `np.add.reduce(t)`."""
    if any(o is not None for o in options.pop("out", ())):
        raise TypeError(f"{_name(ufunc)}: out= can't hold a Tensor's result (`array += tensor` means this too)")
    if method == "at":
        _check_at(ufunc, inputs[0])
    if ufunc in _PLAIN_UFUNCS:
        return _plain(ufunc, getattr(ufunc, method), *without_tensors(inputs), **without_tensors(options))
    stand_in = NUMPY.get(ufunc) or _stand_in(ufunc) or _from_scipy(ufunc)
    if stand_in is None:
        raise TypeError(f"{_name(ufunc)} {_NO_OP}")
    if method == "__call__":
        # equivalent: without if options else stand_in(*inputs) because without options it calls the op, too
        return _with_options(stand_in, ufunc, inputs, **options) if options else stand_in(*inputs)
    return _by_method(method, stand_in, ufunc, inputs, options)


def _check_at(ufunc: Any, written: Any) -> None:
    """Raise TypeError if what `ufunc.at` writes to is a Tensor, or would lose the gradient of one."""
    if ufunc not in _PLAIN_UFUNCS or array_of(written) is not written:
        instead = "mg.ops.scatter(values, index, shape) returns sums"
        raise TypeError(f"{_name(ufunc)}.at can't write in place with a Tensor: {instead}")


def _by_method(method: str, op: Any, ufunc: Any, inputs: tuple, options: dict) -> Any:
    """What a method of a ufunc, such as `reduce`, makes of an op."""
    # equivalent: never because what follows gives the same, slower
    if method == "reduce" and op.__name__ in _REDUCTIONS:
        return _reduce(op, *inputs, **options)
    options = {"initial": ufunc.identity} | options if method == "reduce" else options
    _plain(ufunc, getattr(ufunc, method), *without_tensors(inputs), **without_tensors(options))  # refuses as NumPy does
    return _METHODS[method](op, *inputs, **options)


@functools.cache
def _from_scipy(ufunc):
    """The op of a ufunc of SciPy, whose table is read when the first of these meets a Tensor."""
    if sys.modules.get("scipy.special") is None:
        return None
    return importlib.import_module(".scipy.special", __package__).UFUNCS.get(ufunc)


def _with_options(op, ufunc, inputs, where=True, dtype=None, casting="same_kind", order="K", subok=True, **options):
    """A call of a ufunc with its options. Where the mask is false, nothing is computed; the result is 0 there."""
    _plain(ufunc, np.positive, (), order=order, subok=subok)  # they change no number, but must be NumPy's
    if options.get("axes") is not None:
        op = functools.partial(_along, op, ufunc, options.pop("axes"))
    if dtype is not None or casting != "same_kind":
        inputs = _cast_inputs(ufunc, inputs, dtype, casting)
    if "signature" in options:
        raise TypeError(f"{_name(ufunc)}: give dtype= instead of signature=")
    if where is True:
        return op(*inputs, **options)
    where = _plain(ufunc, ops.masked.as_mask, where)
    found = op(*[np.where(where, x, np.ones_like(x)) for x in inputs], **options)
    return tuple(np.where(where, part, 0) for part in found) if type(found) is tuple else np.where(where, found, 0)


def _along(op, ufunc, axes, *inputs, **options):
    """A product of matrices or vectors that stand along these axes, one tuple for each operand and for the result."""
    given = [(at,) if isinstance(at, (int, np.integer)) else tuple(at) for at in axes]
    taken, _, returned = ufunc.signature.partition("->")
    sizes = [min(part.count(",") + 1, np.ndim(x)) for part, x in zip(taken.split("),("), inputs, strict=True)]
    result = sum(sizes) - 2  # both lose the axis over which they are summed
    if len(given) == 2 and returned == "()":
        given.append(())
    if [*map(len, given)] != [*sizes, result]:
        raise ValueError(f"{_name(ufunc)}: axes must hold {sizes[0]}, {sizes[1]} and {result} axes, not {axes}")
    first, second = (ops.moveaxis(x, at, tuple(range(-len(at), 0))) for x, at in zip(inputs, given, strict=False))
    return ops.moveaxis(op(first, second, **options), tuple(range(-result, 0)), given[2])


def _cast_inputs(ufunc, inputs, dtype, casting):
    """The inputs in the dtypes that NumPy computes in. Raises TypeError for a cast that `casting` does not allow."""
    given = [x if type(x) in (int, float, complex) else np.asarray(array_of(x)) for x in inputs]
    try:  # resolve_dtypes can end the process where it refuses
        # equivalent: x if np.isscalar(x) else np.ones((0,) * x.ndim, x.dtype) -> x; np.ones -> np.zeros because the
        # values do not count
        ufunc(*[x if np.isscalar(x) else np.ones((0,) * x.ndim, x.dtype) for x in given], dtype=dtype, casting=casting)
    except TypeError as error:
        raise refusal(TypeError, _name(ufunc), f"{error} (casting={casting!r})") from None
    kinds = [type(x) if np.isscalar(x) else x.dtype for x in given]
    wanted = (*[None] * ufunc.nin, *[dtype] * ufunc.nout)
    dtypes = ufunc.resolve_dtypes((*kinds, *[None] * ufunc.nout), signature=wanted, casting=casting)
    return [ops.astype(x, to) for x, to in zip(inputs, dtypes, strict=False)]


def _reduce(op, array, axis=0, dtype=None, out=None, keepdims=False, **options):
    """`np.add.reduce` and the like: the op's own reduction, or the op from one slice to the next."""
    array = in_dtype(array, dtype)
    if op.__name__ in _REDUCTIONS:
        return in_dtype(getattr(ops, _REDUCTIONS[op.__name__])(array, axis, keepdims=keepdims, **options), dtype)
    start = [value for value in [options.pop("initial", None)] if value is not None]
    if options:
        raise TypeError(f"{op.__name__}.reduce does not take {', '.join(options)} here")
    axes = normalized_axes(axis, np.ndim(array))
    array, axis = ops.moveaxis(array, axes, tuple(range(len(axes)))), axes
    rest = array.shape[len(axes) :]
    slices = ops.reshape(array, (math.prod(array.shape[: len(axes)]), *rest))
    if start:
        none = np.ones(0, array.dtype)
        slices = ops.concatenate([ops.full_like(np.ones((1, *rest)), start[0], op(none, none).dtype), slices])
    value = ops.cumulative.running(slices, of=op)[-1] if op.__name__ in _RUNNING else functools.reduce(op, [*slices])
    value = in_dtype(value, dtype)
    return ops.expand_dims(value, axis) if keepdims else value


def _accumulate(op, array, axis=0, dtype=None, out=None):
    """`np.add.accumulate` and the like."""
    array = in_dtype(array, dtype)
    if op.__name__ in _ACCUMULATIONS:
        return getattr(ops, _ACCUMULATIONS[op.__name__])(array, axis)
    if op.__name__ in ("maximum", "minimum"):
        return ops.cumulative.running_extremes(array, name=op.__name__, axis=axis)
    array = ops.moveaxis(array, axis, 0)
    if op.__name__ in _RUNNING:
        return ops.moveaxis(ops.cumulative.running(array, of=op), 0, axis)
    return ops.stack([*itertools.accumulate(array, op)], axis)


def _outer(op, a, b, **options):
    """`np.add.outer` and the like: every pair of entries."""
    return op(ops.reshape(a, np.shape(a) + (1,) * np.ndim(b)), b, **options)


def _reduceat(op, array, indices, axis=0, dtype=None, out=None):
    """`np.add.reduceat` and the like: the reductions between neighbouring indices."""
    array = ops.moveaxis(array, axis, 0)
    indices = np.asarray(indices)
    if op.__name__ == "add":
        return ops.moveaxis(ops.cumulative.sums_between(in_dtype(array, dtype), indices=indices), 0, axis)
    sizes = np.maximum(np.diff(indices, append=len(array)), 1)
    places = [np.flatnonzero(sizes == size) for size in np.unique(sizes)]
    parts = [part for at in places for part in _parts(array, indices[at], sizes[at[0]])]
    found = [_reduce(op, part, 0, dtype) for part in parts]
    return ops.moveaxis(ops.concatenate(found)[np.argsort(np.concatenate(places))], 0, axis)


def _parts(array, starts, size):
    """The parts of one size, side by side; a few, which may be long, one by one."""
    # equivalent: <= -> <; 4 -> 5 because both have the same reductions
    if len(starts) <= 4:
        return [array[i : i + size, None] for i in starts]
    return [array[starts + np.arange(size)[:, None]]]


_METHODS: dict[str, Callable] = {"reduce": _reduce, "accumulate": _accumulate, "outer": _outer, "reduceat": _reduceat}
_REDUCTIONS = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "fmax": "nanmax", "fmin": "nanmin"}
_ACCUMULATIONS = {"add": "cumsum", "multiply": "cumprod"}
_RUNNING = {"fmax", "fmin", "hypot", "logaddexp", "logaddexp2", "subtract"}


@implements(np.where)
def _where(condition: Any, *branches: Any) -> Any:
    """`mg.where`, and NumPy's other use of the name: of a condition alone, the indices at which it holds."""
    return ops.where(condition, *branches) if branches else np.nonzero(condition)


def array_function(self: Any, function: Any, types: Any, arguments: tuple, options: dict) -> Any:
    """NumPy's `__array_function__`: called for `np.sum(t)` and `np.concatenate([t, array])`."""
    if function in NUMPY:
        return NUMPY[function](*arguments, **options)
    if function in _PLAIN_FUNCTIONS:
        return _of_arrays(function, arguments, options)
    if function in _WRITING:
        raise _no_writing(function, next(iter((*arguments, *options.values())), None))
    if stand_in := _stand_in(function):
        return stand_in(*arguments, **options)
    raise TypeError(f"{_name(function)} {_NO_OP}")


def _of_arrays(function: Any, arguments: tuple, options: dict) -> Any:
    """What a function gives whose result carries no gradient, or entries of its arguments."""
    if "out" in _parameters(function):
        out = _given(function, arguments, options).get("out")
        if array_of(out) is not out:
            raise TypeError(f"{_name(function)}: out= can't be a Tensor: the write would not be recorded")
    found = _plain(function, function, *without_tensors(arguments), **without_tensors(options))
    if function is np.ix_:  # whose results are the arguments, in another shape
        return tuple(
            ops.reshape(x, a.shape) if getattr(x, "requires_grad", False) else a
            for x, a in zip(arguments, found, strict=True)
        )
    if function in _SET_FUNCTIONS:
        return _entries(found, _name(function), _given(function, arguments, options))
    return found


def _no_writing(function: Any, written: Any) -> TypeError:
    """The error about writing to a Tensor, or writing a Tensor to an array, which would lose its gradient."""
    to_array = array_of(written) is written
    what = "a Tensor to an array" if to_array else "to a Tensor"
    like = ", and so does mg.full_like" if to_array and function is np.copyto else ""
    return TypeError(f"{_name(function)} can't write {what}: mg.{_WRITING[function]} returns a new one{like}")


@functools.cache
def _stand_in(function: Any) -> Any:
    """What stands for a NumPy function where no family that is imported so far has it; None if no family has it."""
    ops.import_families()
    name, home = function.__name__, getattr(function, "__module__", None)
    # NumPy loads np.fft when it is first used
    # equivalent: getattr(ops.fourier, name, None) if home == "numpy.fft" else None -> getattr(ops.fourier, name, None)
    # because no other function has one of these names
    stand_in = getattr(ops.fourier, name, None) if home == "numpy.fft" else None
    return implements(function)(stand_in) if stand_in else NUMPY.get(function)


def _plain(function: Callable, call: Callable, *arguments: Any, **options: Any) -> Any:
    """What a NumPy function, or a method of a ufunc, gives for plain arrays."""
    try:
        return call(*arguments, **options)
    except NUMPY_ERRORS as error:
        given = _given(function, arguments, options)
        explain(error, _name(function), given, {name: "Array" for name in given if name in _ARRAYS})
        raise


def _entries(found: Any, name: str, given: dict[str, Any]) -> Any:
    """What a set function found, its values as entries of the arguments if one of these needs a gradient."""
    sets = [arraylike(given[name]) for name in ("ar", "x", "ar1", "ar2") if name in given]
    if not any(getattr(x, "requires_grad", False) for x in sets):
        return found
    if given.get("axis") is not None:
        raise TypeError(f"{name}: axis= would lose the gradient: use t[np.unique(t.data, True, axis=axis)[1]]")
    values = found[0] if isinstance(found, tuple) else found
    entries = ops.concatenate(sets, axis=None)
    order = np.argsort(entries, kind="stable")
    places = order[np.searchsorted(entries, values, sorter=order)]
    values = ops.astype(entries[places], values.dtype)
    return getattr(type(found), "_make", tuple)((values, *found[1:])) if isinstance(found, tuple) else values


def _given(function: Callable, arguments: tuple, options: dict) -> dict[str, Any]:
    """The arguments and options of a call by name."""
    return dict(zip(_parameters(function), arguments, strict=False)) | options


@functools.lru_cache
def _parameters(function: Callable) -> list[str]:
    if isinstance(function, np.ufunc):
        return [f"x{i + 1}" for i in range(function.nin)]
    try:
        return [*inspect.signature(function).parameters]
    except ValueError:  # some functions written in C have none
        return []


def _name(function: Any) -> str:
    """What a program calls it: `np.linalg.norm`, `scipy.special.expit`."""
    if not isinstance(function, np.ufunc):
        return f"{function.__module__}.{function.__name__}".replace("numpy", "np")
    homes = [("np", np), ("scipy.special", sys.modules.get("scipy.special"))]
    home = [f"{name}." for name, module in homes if getattr(module, function.__name__, None) is function]
    return f"{''.join(home[:1])}{function.__name__}"


without_tensors = functools.partial(mapped, array_of)  # the value with each Tensor in it, however deep, as its array
