"""Ops that put entries of one or several arrays into a new array.

Most need no derivation of their own: NumPy's function arranges the numbers of the entries, and `getitem` then picks
the entries, whose adjoint is scatter.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..errors import named
from ..nest import flatten as leaves_of
from ..operation import array_of, arraylike
from ..stand_ins import implements
from ..summation import normalized_axis
from ..typing import Array, ArrayLike, DType, IndicesLike, Nest
from .casting import in_dtype
from .indexing import getitem, scatter
from .joining import by_runs, concatenate, stack
from .shaping import broadcast_arrays, broadcast_to, expand_dims, moveaxis, ravel, reshape

__all__ = [
    "array", "block", "insert", "compress", "extract", "select", "piecewise", "choose", "put_along_axis", "put",
    "place", "fill_diagonal", "apply_along_axis", "apply_over_axes", "vectorize",
]  # fmt: skip


def _arranged(function: Callable, *arrays: Array) -> Array:
    """`function(*arrays)` for a function that only moves entries: it is called with their flat indices instead."""
    arrays = tuple(map(arraylike, arrays))
    sizes = [math.prod(a.shape) for a in arrays]
    starts = itertools.accumulate(sizes, initial=0)
    numbers = [np.arange(start, start + n).reshape(a.shape) for start, n, a in zip(starts, sizes, arrays, strict=False)]
    # equivalent: any change because one array alone, joined, is the same
    entries = ravel(arrays[0]) if len(arrays) == 1 else concatenate([ravel(a) for a in arrays])
    return getitem(entries, function(*numbers))


@named
def array(object: Nest, dtype: DType = None) -> Array:
    """np.array of nested lists in which Tensors stand: their gradients flow. Without Tensors it is np.array.

    Raises ValueError if the rows differ in length or shape.

    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> mg.array([[x[0], 0.0], [1.0, x[1] * 3]])
    tensor([[1., 0.],
            [1., 6.]], op=stack)
    """
    if hasattr(object, "detach"):
        made = np.copy(object)
    else:
        made = _of_rows(object) if has_tensors(object) else np.array(object)
    return made if dtype is None else made.astype(dtype)


def has_tensors(nest):
    """Whether it is a list or tuple in which Tensors stand, however deep."""
    return isinstance(nest, (list, tuple)) and any(hasattr(leaf, "detach") for leaf in leaves_of(list(nest)))


def _of_rows(rows):
    return stack([_of_rows(row) if has_tensors(row) else row for row in rows])


@implements(np.block)
def block(arrays: Nest) -> Array:
    """An array made of nested lists of blocks: the innermost lists are rows of blocks.

    >>> mg.block([[np.eye(2), np.zeros((2, 1))], [np.ones((1, 3))]])
    array([[1., 0., 0.],
           [0., 1., 0.],
           [1., 1., 1.]])
    """

    def outline(nest):  # np.block of it says what does not fit
        if isinstance(nest, (list, tuple)):
            return type(nest)(map(outline, nest))
        # equivalent: any factor; True -> False because only the shape counts
        return np.broadcast_to(True, np.shape(nest))

    def depth(nest):
        return 1 + max(map(depth, nest)) if isinstance(nest, list) else 0

    ndim, lists = np.block(outline(arrays)).ndim, depth(arrays)

    def joined(nest, axis):
        if isinstance(nest, list):
            return concatenate([joined(part, axis + 1) for part in nest], axis)
        return reshape(nest, (1,) * (ndim - np.ndim(nest)) + np.shape(nest))

    return joined(arrays, -lists)


@implements(np.insert)
def insert(arr: Array, obj: IndicesLike | slice, values: Array, axis: int | None = None) -> Array:
    """The array with values inserted before the indices, as np.insert does.

    >>> mg.insert(np.array([1.0, 3.0]), 1, 2.0)
    array([1., 2., 3.])
    """
    arr = arraylike(arr)
    arr, axis = (ravel(arr), 0) if axis is None else (arr, normalize_axis_index(axis, arr.ndim, "insert"))
    values, index = in_dtype(arraylike(values), arr.dtype), array_of(obj)
    values = reshape(values, (1,) * (arr.ndim - values.ndim) + values.shape)
    values = moveaxis(values, 0, axis) if np.ndim(index) == 0 and not isinstance(index, slice) else values
    n, count = arr.shape[axis], values.shape[axis]
    values = broadcast_to(values, (*arr.shape[:axis], count, *arr.shape[axis + 1 :]))
    places = np.insert(np.arange(n), index, np.arange(n, n + count))
    return by_runs(concatenate([arr, values], axis), places, axis)


def _joining(name: str, numpys: Any) -> Any:
    """The `__class_getitem__` that arranges the parts of an index as NumPy's object `numpys` does."""

    def join(*parts: Any) -> Any:
        directive = parts[:1] if isinstance(parts[0], str) else ()
        arrays = [np.r_[part] if isinstance(part, slice) else array(part) for part in parts[len(directive) :]]
        return _arranged(lambda *numbers: numpys[(*directive, *numbers)], *arrays)

    join.__name__ = name
    joined = named(join)
    return lambda cls, parts: joined(*parts if isinstance(parts, tuple) else (parts,))


class r_:
    """np.r_: arrays and numbers one after another, by an index.

    >>> mg.r_[np.array([1.0, 2.0]), 5.0, 0:2]
    array([1., 2., 5., 0., 1.])
    """

    __class_getitem__: Any = classmethod(_joining("r_", np.r_))


class c_:
    """np.c_: arrays as columns beside one another, by an index.

    >>> mg.c_[np.array([1.0, 2.0]), [3, 4]]
    array([[1., 3.],
           [2., 4.]])
    """

    __class_getitem__: Any = classmethod(_joining("c_", np.c_))


@implements(np.compress)
def compress(condition: Any, a: Array, axis: int | None = None) -> Array:
    """The slices along the axis where the condition, of one axis, is true.

    >>> mg.compress([True, False, True], np.array([1.0, 2.0, 3.0]))
    array([1., 3.])
    """
    a, axis = (ravel(a), 0) if axis is None else (a, normalized_axis(axis, np.ndim(a), "compress"))
    chosen = np.zeros(np.shape(a)[axis], bool)
    chosen[np.compress(array_of(condition), np.arange(chosen.size))] = True
    return getitem(a, (*(slice(None),) * axis, chosen))


@implements(np.extract)
def extract(condition: Any, arr: Array) -> Array:
    """The entries where the condition is true, as one axis.

    >>> x = np.array([1.0, -2.0, 3.0])
    >>> mg.extract(x > 0, x)
    array([1., 3.])
    """
    return compress(ravel(condition), ravel(arr))


@implements(np.select)
def select(condlist: Sequence[ArrayLike], choicelist: Sequence[Array], default: Any = 0) -> Array:
    """For each entry the choice of the first condition that is true, else the default.

    Raises ValueError unless there are as many choices as conditions.

    >>> x = np.array([-1.0, 0.5, 2.0])
    >>> mg.select([x < 0, x < 1], [x + 1, x], 1.0)
    array([0. , 0.5, 1. ])
    """
    if not isinstance(condlist, (list, tuple)) or not isinstance(choicelist, (list, tuple)):
        raise TypeError("select: condlist and choicelist must be lists")
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ValueError(f"select: {len(condlist)} conditions and {len(choicelist)} choices must be as many, and not 0")
    out = default
    for condition, choice in zip(reversed(list(condlist)), reversed(list(choicelist)), strict=True):
        out = np.where(condition, choice, out)
    return out


@implements(np.piecewise)
def piecewise(x: Array, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Array:
    """Each function applied to the entries where its condition is true, the last one elsewhere if it has none.

    >>> x = np.array([-2.0, 3.0])
    >>> mg.piecewise(x, [x < 0, x >= 0], [lambda x: -x, lambda x: x**2])
    array([2., 9.])
    """
    if not isinstance(funclist, (list, tuple)):
        raise TypeError("piecewise: funclist must be a list of functions or numbers")
    x = arraylike(x)
    conditions = np.asarray(condlist, bool)
    conditions = conditions[None] if conditions.ndim == x.ndim else conditions
    if len(funclist) == len(conditions) + 1:
        conditions = np.concatenate([conditions, ~np.any(conditions, axis=0, keepdims=True)])
    if len(funclist) != len(conditions):
        raise ValueError(f"piecewise: {len(conditions)} conditions need as many functions or one more")
    out = np.zeros(x.shape, x.dtype)
    for i, (condition, f) in enumerate(zip(conditions, funclist, strict=True)):
        mask = condition & ~np.any(conditions[i + 1 :], axis=0)  # a later condition wins
        values = f(x[mask], *args, **kw) if callable(f) else f
        out = out + scatter(arraylike(values), mask, x.shape)
    return out.astype(x.dtype)


@implements(np.choose)
def choose(a: Any, choices: Sequence[Array], mode: Any = "raise") -> Array:
    """For each entry of the integers a, the entry at its place in that choice.

    >>> mg.choose(np.array([1, 0]), [np.array([1.0, 2.0]), np.array([10.0, 20.0])])
    array([10.,  2.])
    """
    numbers = np.asarray(a)
    parts: Any = broadcast_arrays(*choices, numbers)[:-1]
    return _arranged(lambda *parts: np.choose(numbers, parts, mode=mode), *parts)


def _written(write, a, values):
    """The array after NumPy's function has written the numbers of the values to one of -1. Its dtype stays."""
    a, values = arraylike(a), in_dtype(arraylike(values), a.dtype)
    numbers = np.full(a.shape, -1)  # equivalent: -1 -> -2 because each is no place
    write(numbers, np.arange(values.size).reshape(values.shape))
    written = numbers >= 0
    return np.where(written, scatter(getitem(ravel(values), numbers[written]), written, a.shape), a)


@named
def put_along_axis(arr: Array, indices: IndicesLike, values: Array, axis: int | None = -1) -> Array:
    """A new array with the values at the given indices along the axis. np.put_along_axis writes in place.

    >>> mg.put_along_axis(np.array([[1.0, 2.0]]), np.array([[1]]), 7.0, 1)
    array([[1., 7.]])
    """
    return _written(lambda a, v: np.put_along_axis(a, np.asarray(indices), v, axis), arr, values)


@named
def put(a: Array, ind: IndicesLike, v: Array, mode: Any = "raise") -> Array:
    """A new array with the values at the given indices of the flattened array. np.put writes in place.

    >>> mg.put(np.array([1.0, 2.0, 3.0]), [0, 2], 7.0)
    array([7., 2., 7.])
    """
    return _written(lambda a, v: np.put(a, array_of(ind), v, mode), a, v)


@named
def place(arr: Array, mask: Any, vals: Array) -> Array:
    """A new array with the values, one after another, where the mask is true. np.place writes in place.

    >>> mg.place(np.array([1.0, 2.0, 3.0]), [True, False, True], [7.0, 8.0])
    array([7., 2., 8.])
    """
    return _written(lambda a, v: np.place(a, array_of(mask), v), arr, vals)


@named
def fill_diagonal(a: Array, val: Array, wrap: bool = False) -> Array:
    """A new array with the value (or values) on its diagonal. np.fill_diagonal writes in place.

    >>> mg.fill_diagonal(np.ones((2, 2)), 5.0)
    array([[5., 1.],
           [1., 5.]])
    """
    return _written(lambda a, v: np.fill_diagonal(a, v, wrap), a, val)


@implements(np.apply_along_axis)
def apply_along_axis(func1d: Any, axis: int, arr: Array, *args: Any, **kwargs: Any) -> Array:
    """A function of vectors applied to each slice along the axis, which its results replace.

    >>> mg.apply_along_axis(lambda v: v[0] * v[1], 0, np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([3., 8.])
    """
    if not callable(func1d):
        raise TypeError(f"apply_along_axis: func1d must be a function, not {type(func1d).__name__}")
    axis = normalize_axis_index(axis, np.ndim(arr))
    arr = moveaxis(arr, axis, -1)
    lead = arr.shape[:-1]
    made = stack([func1d(v, *args, **kwargs) for v in reshape(arr, (math.prod(lead), arr.shape[-1]))])
    shape = made.shape[1:]
    made = reshape(made, (*lead, *shape))
    return moveaxis(made, tuple(range(len(lead), len(lead) + len(shape))), tuple(range(axis, axis + len(shape))))


@implements(np.apply_over_axes)
def apply_over_axes(func: Any, a: Array, axes: int | tuple[int, ...]) -> Array:
    """A function `func(a, axis)` applied over one axis after another; axes that it drops are put back at size 1.

    >>> mg.apply_over_axes(mg.sum, np.ones((2, 3)), (0, 1))
    array([[6.]])
    """
    if not callable(func):
        raise TypeError(f"apply_over_axes: func must be a function, not {type(func).__name__}")
    for axis in np.atleast_1d(axes):
        reduced = func(a, int(axis))
        a = reduced if np.ndim(reduced) == np.ndim(a) else expand_dims(reduced, int(axis))
    return a


@named
def vectorize(pyfunc: Any, *, signature: str | None = None) -> Any:
    """A function of arrays, that calls `pyfunc` for each entry of these, broadcast, and makes an array of the results.

    signature: which last axes `pyfunc` gets and returns as they are, as in "(n),(n)->()". Several results are a tuple.
    Raises ValueError for arrays that do not fit it.

    >>> mg.vectorize(lambda a, b: a if a > b else b)(np.array([1.0, 4.0]), 2.0)
    array([2., 4.])
    >>> mg.vectorize(np.dot, signature="(n),(n)->()")(np.eye(2), np.array([2.0, 3.0]))
    array([2., 3.])
    """
    if not callable(pyfunc):
        raise TypeError(f"vectorize: pyfunc must be a function, not {type(pyfunc).__name__}")
    taken, returned = ((), ((),)) if signature is None else _core_axes(signature)

    def vectorized(*arrays):
        cores = taken if signature is not None else ((),) * len(arrays)
        shape, parts = _rows_of_entries([*map(arraylike, arrays)], cores, signature)
        if any(returned) and not math.prod(shape):
            raise ValueError("there is no entry for which the function could say its result's shape")
        results = [pyfunc(*entries) for entries in zip(*parts, strict=True)]
        outputs = [*zip(*results, strict=True)] if len(returned) > 1 else [results]
        if len(outputs) != len(returned) or not all(
            np.ndim(value) == len(core) for output, core in zip(outputs, returned, strict=False) for value in output
        ):
            raise ValueError(f"what the function returned does not fit the signature {signature!r}")
        rows = [array([*values]) for values in outputs]
        made = tuple(reshape(row, (*shape, *row.shape[1:])) for row in rows)
        return made if len(returned) > 1 else made[0]

    vectorized.__name__ = "vectorize"
    return named(vectorized)


def _core_axes(signature: str) -> tuple[tuple, tuple]:
    """The names of the core axes of each argument, and of each result."""
    axes = r"\(\s*(?:\w+\s*(?:,\s*\w+\s*)*)?\)"
    if not re.fullmatch(rf"\s*{axes}(\s*,\s*{axes})*\s*->\s*{axes}(\s*,\s*{axes})*\s*", signature):
        raise ValueError(f"vectorize: signature must be such as '(n),(n)->()', not {signature!r}")
    sides = (re.findall(axes, side) for side in signature.split("->"))
    taken, returned = (tuple(tuple(re.findall(r"\w+", names)) for names in side) for side in sides)
    return taken, returned


def _rows_of_entries(arrays, cores, signature):
    """The shape of the other axes, broadcast, and each array with these as one axis in front of the core axes."""
    if len(arrays) != len(cores) or any(a.ndim < len(core) for a, core in zip(arrays, cores, strict=True)):
        raise ValueError(f"the arrays {[a.shape for a in arrays]} do not fit the signature {signature!r}")
    pairs = [
        (a.shape[: a.ndim - len(core)], a.shape[a.ndim - len(core) :]) for a, core in zip(arrays, cores, strict=True)
    ]
    sizes = {pair for core, (_, own) in zip(cores, pairs, strict=True) for pair in zip(core, own, strict=True)}
    if len(sizes) > len({name for name, _ in sizes}):
        raise ValueError(f"axes of one name differ in size: {sorted(sizes)} (signature {signature!r})")
    shape = np.broadcast_shapes(*[outer for outer, _ in pairs])
    count = math.prod(shape)
    return shape, [
        reshape(broadcast_to(a, shape + own), (count, *own)) for a, (_, own) in zip(arrays, pairs, strict=True)
    ]
