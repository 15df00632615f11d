"""NumPy's two protocols: what a NumPy function does when it is called with a Tensor.

One that has an op becomes that op. One whose result carries no gradient, such as a comparison, gets
the arrays and returns plain values. Any other is refused by name.
"""

import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import NUMPY_ERRORS, explain
from .operation import NUMPY, array_of

# NumPy functions whose result carries no gradient: they get the arrays and return plain values
_PLAIN_UFUNCS = frozenset(
    {np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.isnan, np.isinf, np.isfinite}
    | {np.signbit, np.logical_and, np.logical_or, np.logical_xor, np.logical_not}
)
_PLAIN_FUNCTIONS = frozenset(
    {np.shape, np.ndim, np.size, np.result_type, np.argmax, np.argmin, np.argsort, np.nonzero, np.count_nonzero}
    | {np.isclose, np.allclose, np.array_equal, np.any, np.all, np.searchsorted, np.iscomplexobj, np.isrealobj}
    | {np.zeros_like, np.ones_like, np.empty_like, np.may_share_memory, np.shares_memory}
    | {np.argwhere, np.argpartition, np.lexsort, np.isin, np.isposinf, np.isneginf, np.array_equiv}
    | {np.array_repr, np.array_str, np.array2string, np.flatnonzero}
)
_ARRAYS = {"a", "b", "v", "x", "x1", "x2", "a1", "a2", "element", "test_elements"}  # arguments of these that are arrays


def array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """NumPy's `__array_ufunc__`: called for `np.exp(t)` and `array + t`."""
    if method != "__call__":
        raise TypeError(f"{_name(ufunc)}.{method} has no op here: use .data where no gradient is needed")
    if any(o is not None for o in options.pop("out", ())):
        raise TypeError(f"{_name(ufunc)}: out= can't hold a Tensor's result (`array += tensor` means this too)")
    if ufunc in _PLAIN_UFUNCS:
        return _plain(ufunc, *map(array_of, inputs), **options)
    stand_in = NUMPY.get(ufunc)
    if stand_in is None:
        raise TypeError(f"{_name(ufunc)} has no op here: use .data where no gradient is needed")
    return stand_in(*inputs, **options)


def array_function(self: Any, function: Any, types: Any, arguments: tuple, options: dict) -> Any:
    """NumPy's `__array_function__`: called for `np.sum(t)` and `np.concatenate([t, array])`."""
    stand_in = NUMPY.get(function)
    if stand_in is not None:
        given = {k: v for k, v in options.items() if v is not None or k not in ("out", "dtype")}
        return stand_in(*arguments, **given)
    if function in _PLAIN_FUNCTIONS:
        return _plain(function, *without_tensors(arguments), **without_tensors(options))
    raise TypeError(f"{_name(function)} has no op here: use .data where no gradient is needed")


def _plain(function: Callable, *arguments: Any, **options: Any) -> Any:
    """What a NumPy function gives for plain arrays."""
    try:
        return function(*arguments, **options)
    except NUMPY_ERRORS as error:
        given = dict(zip(_parameters(function), arguments, strict=False)) | options
        explain(error, _name(function), given, {name: "Array" for name in given if name in _ARRAYS})
        raise


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
        return f"{function.__module__}.{function.__name__}".replace("numpy", "np", 1)
    homes = [("np", np), ("scipy.special", sys.modules.get("scipy.special"))]
    home = [f"{name}." for name, module in homes if getattr(module, function.__name__, None) is function]
    return f"{''.join(home[:1])}{function.__name__}"


def without_tensors(value: Any) -> Any:
    """The value with each Tensor in it, however deep in tuples, lists and dicts, replaced by its array."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(without_tensors, value))
    if isinstance(value, (tuple, list)):
        return type(value)(map(without_tensors, value))
    if isinstance(value, dict):
        return {key: without_tensors(v) for key, v in value.items()}
    return array_of(value)
