"""SciPy's names for functions of Tensors: `special`, `stats`, `linalg`, `signal`, `integrate`, `interpolate`.

SciPy's own ufuncs (`scipy.special.gammaln(t)`) take Tensors as they are, once SciPy has been imported. What is not a
ufunc stands here: `from minigrad.scipy.stats import norm` in place of `from scipy.stats import norm`.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import integrate, interpolate, linalg, signal, special, stats

__all__ = ["integrate", "interpolate", "linalg", "signal", "special", "stats"]
__dir__ = __all__.copy  # what dir() shows


def __getattr__(name):
    """A submodule, imported at its first use."""
    if name in __all__:
        return _import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
