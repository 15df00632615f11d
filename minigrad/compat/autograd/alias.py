"""Modules with the names of others, whose functions see the Tensors in lists."""

import functools
import importlib
import sys
from types import ModuleType

import numpy as np

import minigrad as mg

from ...ops.arranging import has_tensors

__all__ = ["alias", "seeing_tensors", "seen"]

_JOIN = {"concatenate", "stack", "vstack", "hstack", "dstack", "column_stack", "row_stack", "multi_dot"}
_TAKE_LISTS = {"block", "select", "choose", "piecewise"}


def _arrays(arguments):
    """The arguments, with arrays for the lists of Tensors among them."""
    return [mg.array(a) if has_tensors(a) else a for a in arguments]


def seeing_tensors(function, joins=False):
    """A function of NumPy that makes an array of a list of Tensors first.

    One that joins arrays takes any iterable of them or of lists, such as the values of a dict.
    """

    @functools.wraps(function)
    def call(*arguments, **options):
        if joins and arguments:
            return function(_arrays(arguments[0]), *arguments[1:], **options)
        return function(*_arrays(arguments), **options)

    # equivalent: 0 -> 1 because no public name has _ in its second place
    vars(call).update({name: getattr(function, name) for name in dir(function) if name[0] != "_"})  # a ufunc's reduce
    return call


def seen(module, name):
    """The function of a module of NumPy by this name, made to see Tensors in lists where it does not."""
    value = getattr(module, name)
    if name in _JOIN:
        return seeing_tensors(value, joins=True)
    sees = hasattr(value, "_implementation") or isinstance(value, np.ufunc)
    return seeing_tensors(value) if sees and name not in _TAKE_LISTS else value


def alias(name, of):
    """A module `name` with the names of the module `of`, which is imported when one is first looked up."""
    sys.modules[name] = made = ModuleType(name, f"{of}, see there.")

    def look_up(attribute):
        vars(made)[attribute] = value = seen(importlib.import_module(of), attribute)  # where the next lookup finds it
        return value

    made.__getattr__ = look_up  # type: ignore[method-assign]
    return made
