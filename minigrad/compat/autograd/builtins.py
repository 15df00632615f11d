"""Python's own containers: minigrad's transforms take them as they are."""

import builtins

from .tracer import getval

dict, list, tuple = builtins.dict, builtins.list, builtins.tuple
DictBox, ListBox, TupleBox = dict, list, tuple

__all__ = ["DictBox", "ListBox", "TupleBox", "dict", "isinstance", "list", "tuple", "type"]


def isinstance(value, kinds):
    """Whether a value is of one of these kinds; a Tensor is one of arrays, too."""
    return builtins.isinstance(value, kinds) or builtins.isinstance(getval(value), kinds)


def type(value):
    """The kind of a value; that of a Tensor is that of arrays."""
    return builtins.type(getval(value))
