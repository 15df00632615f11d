"""HIPS autograd's names for minigrad's functions, so that programs written for it run as they are.

    import minigrad.compat.autograd
    minigrad.compat.autograd.install()     from now on `import autograd.numpy as np` means this package

An array in, an array out; inside of a differentiated function there are Tensors, which are this package's boxes.
Integers count as floating-point numbers where a derivative is asked for.
"""

import importlib
import sys
from importlib.machinery import ModuleSpec

from ..._tensor import Tensor
from . import core as core
from . import differential_operators
from . import numpy as numpy
from . import wrap_util as wrap_util
from .builtins import dict, isinstance, list, tuple, type
from .differential_operators import *
from .extend import primitive

__all__ = [*differential_operators.__all__, "dict", "install", "isinstance", "list", "primitive", "tuple", "type"]


class _Finder:
    """Finds `autograd` and its submodules here."""

    def find_spec(self, name, path=None, target=None):
        """Return a spec for `autograd` and what stands below it."""
        if name.partition(".")[0] == "autograd":
            return ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]
        return None

    def create_module(self, spec):
        """Return the module of this package that stands for it."""
        try:
            return importlib.import_module(f"minigrad.compat.{spec.name}")
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(f"{spec.name} has no counterpart in minigrad.compat", name=spec.name) from error

    def exec_module(self, module):
        """Do nothing, since it has run."""


def install() -> None:
    """Let `import autograd` mean this package, for the program that runs.

    Raises RuntimeError if autograd has been imported already.
    """
    loaded = sys.modules.get("autograd")
    if loaded is not None and loaded is not sys.modules[__name__]:
        raise RuntimeError("install: autograd has been imported; call it before that")
    if not any(type(finder) is _Finder for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    # some programs ask whether `str(type(x))` is that of autograd's boxes
    Tensor.__module__, Tensor.__qualname__ = "autograd.numpy.numpy_boxes", "ArrayBox"
