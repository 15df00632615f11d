"""A nest of arrays as one vector."""

from minigrad import ravel_nest

from ....nest import sorted_by_key

__all__ = ["flatten", "flatten_func"]


def flatten(value):
    """`(vector, unflatten)`, dicts in the order of their keys."""
    return ravel_nest(sorted_by_key(value))


def flatten_func(func, example):
    """A function of a nest as one of vectors: `(function, unflatten, vector of the example)`."""
    vector, unflatten = flatten(example)
    return (lambda x, *rest: flatten(func(unflatten(x), *rest))[0]), unflatten, vector
