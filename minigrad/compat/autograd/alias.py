"""Modules that have the names of another one, which is imported when a name is first looked up."""

import importlib
import sys
from types import ModuleType

__all__ = ["alias"]


def alias(name, of):
    """A module `name` with the names of the module `of`."""
    made = ModuleType(name, f"{of}, see there.")
    made.__getattr__ = lambda attribute: getattr(importlib.import_module(of), attribute)  # type: ignore[method-assign]
    sys.modules[name] = made
    return made
