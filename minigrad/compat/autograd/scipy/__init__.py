"""SciPy's names, from minigrad.scipy."""

from ..alias import alias
from . import integrate, signal, special, stats

__all__ = ["integrate", "linalg", "signal", "special", "stats"]

linalg = alias(f"{__name__}.linalg", "minigrad.scipy.linalg")
