"""Nests: dicts, lists and tuples of arrays, inside one another. Transforms take and return them.

`flatten` lists the leaves of a nest, `unflatten` puts other leaves in their places, `mapped` applies a function to
each, and `matched` checks that two nests have the same structure.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .errors import brief, named, plain_array
from .operation import arraylike


def flatten(nest: Any) -> list[Any]:
    """Return the leaves of a nest in order."""
    if isinstance(nest, dict):
        nest = nest.values()
    elif not isinstance(nest, (list, tuple)):
        return [nest]
    return [leaf for part in nest for leaf in flatten(part)]


def paths(nest: Any, start: str = "") -> list[str]:
    """Return where each leaf of a nest stands, in the order of `flatten`: `['w'][0]`."""
    if isinstance(nest, (list, tuple)):
        nest = dict(enumerate(nest))
    if not isinstance(nest, dict):
        return [start]
    return [path for key, part in nest.items() for path in paths(part, f"{start}[{key!r}]")]


def unflatten(nest: Any, leaves: Iterable[Any]) -> Any:
    """Return a nest of the same structure with new leaves."""
    leaves = iter(leaves)
    return mapped(lambda _: next(leaves), nest)


def mapped(f: Callable[[Any], Any], nest: Any) -> Any:
    """Return a nest of the same structure with f(leaf) in the place of each leaf."""
    if isinstance(nest, dict):
        return {key: mapped(f, part) for key, part in nest.items()}
    if isinstance(nest, (list, tuple)):
        return _of_kind(nest, [mapped(f, part) for part in nest])
    return f(nest)


def _of_kind(nest: list | tuple, parts: list[Any]) -> Any:
    """The parts as a list or tuple of the same class."""
    return type(nest)(*parts) if hasattr(nest, "_fields") else type(nest)(parts)


def sorted_by_key(nest: Any) -> Any:
    """Return the same nest with each dict in the order of its keys, which `flatten` follows.

    >>> minigrad.nest.sorted_by_key([{"b": 1.0, "a": 2.0}])
    [{'a': 2.0, 'b': 1.0}]
    """
    if isinstance(nest, dict):
        return {key: sorted_by_key(nest[key]) for key in sorted(nest)}
    return _of_kind(nest, [sorted_by_key(part) for part in nest]) if isinstance(nest, (list, tuple)) else nest


def matched(what: str, nest: Any, like: Any) -> list[Any]:
    """Return the leaves of `nest` in the order of `like`, cast to its dtypes.

    Raises ValueError for another structure or shape, TypeError for another kind; `what` begins the sentence.
    """
    if isinstance(like, dict):
        if not isinstance(nest, dict) or nest.keys() != like.keys():
            given = list(nest) if isinstance(nest, dict) else type(nest).__name__
            raise ValueError(f"{what} must have the keys {list(like)}, not {given}")
        return [leaf for key in like for leaf in matched(what, nest[key], like[key])]
    if isinstance(like, (list, tuple)):
        if not isinstance(nest, (list, tuple)) or len(nest) != len(like):
            raise ValueError(f"{what} must be a list or tuple of {len(like)}, not {brief(nest)}")
        return [leaf for a, b in zip(nest, like, strict=True) for leaf in matched(what, a, b)]
    return [_matched_leaf(what, nest, arraylike(like))]


def _matched_leaf(what: str, leaf: Any, like: Any) -> Any:
    if not hasattr(leaf, "requires_grad") and not (type(leaf) is np.ndarray and leaf.dtype.kind in "biufc"):
        leaf = plain_array(leaf, *what.split(": "))
    if leaf.shape != like.shape:
        raise ValueError(f"{what} must have shape {like.shape}, not {leaf.shape}")
    if leaf.dtype.kind not in "fiu" and not leaf.dtype.kind == "c" == like.dtype.kind:
        raise TypeError(f"{what} must be floating-point, not {leaf.dtype}")
    # equivalent: leaf if leaf.dtype == like.dtype else leaf.astype(like.dtype) -> leaf.astype(like.dtype)
    # because a cast to the dtype that it has changes no value
    return leaf if leaf.dtype == like.dtype else leaf.astype(like.dtype)


@named
def ravel_nest(nest: Any) -> tuple[Any, Callable]:
    """`(vector, unravel)`: all entries of a nest of arrays as one vector, and the function that makes a nest of one.

    Both can be differentiated. unravel raises ValueError for a vector of another length.

    >>> vector, unravel = mg.ravel_nest({"w": np.ones((2, 1)), "b": 3.0})
    >>> vector
    array([1., 1., 3.])
    >>> unravel(2 * vector)["b"]
    np.float64(6.0)
    """
    leaves = [arraylike(leaf) for leaf in flatten(nest)]
    shapes, size = [leaf.shape for leaf in leaves], sum(leaf.size for leaf in leaves)
    complexes = [leaf.dtype.kind == "c" for leaf in leaves]
    vector = np.concatenate([np.reshape(leaf, -1) for leaf in leaves]) if leaves else np.empty(0)

    def unravel(v: Any) -> Any:
        if np.shape(v) != (size,):
            raise ValueError(f"ravel_nest: the vector must have shape {(size,)}, not {np.shape(v)}")
        parts, start = [], 0
        for shape, is_complex in zip(shapes, complexes, strict=True):
            stop = start + math.prod(shape)
            part = np.reshape(v[start:stop], shape) if shape else v[start]
            # equivalent: without or not np.iscomplexobj(part) because the real part of a real array is that array
            parts.append(part if is_complex or not np.iscomplexobj(part) else np.real(part))
            start = stop
        return unflatten(nest, parts)

    return vector, unravel
