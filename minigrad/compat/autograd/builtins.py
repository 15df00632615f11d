"""Python's own containers: minigrad's transforms take them as they are."""

import builtins

from .tracer import getval

dict, list, tuple, type = builtins.dict, builtins.list, builtins.tuple, builtins.type
DictBox, ListBox, TupleBox = dict, list, tuple

__all__ = ["DictBox", "ListBox", "TupleBox", "dict", "isinstance", "list", "tuple", "type"]


def isinstance(value, kinds):
    """Whether a value is of one of these kinds; a Tensor is one of arrays, too."""
    return builtins.isinstance(value, kinds) or builtins.isinstance(getval(value), kinds)
