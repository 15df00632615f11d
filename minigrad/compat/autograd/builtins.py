"""Python's own containers: minigrad's transforms take them as they are."""

import builtins

dict, isinstance, list, tuple, type = builtins.dict, builtins.isinstance, builtins.list, builtins.tuple, builtins.type
DictBox, ListBox, TupleBox = dict, list, tuple

__all__ = ["DictBox", "ListBox", "TupleBox", "dict", "isinstance", "list", "tuple", "type"]
