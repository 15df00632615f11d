"""SciPy's names, from minigrad.scipy."""

from ..alias import alias
from . import signal, special, stats

__all__ = ["integrate", "linalg", "signal", "special", "stats"]

integrate = alias(f"{__name__}.integrate", "minigrad.scipy.integrate")
linalg = alias(f"{__name__}.linalg", "minigrad.scipy.linalg")
