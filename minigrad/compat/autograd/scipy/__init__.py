"""SciPy's names, from minigrad.scipy."""

from ..alias import alias

integrate = alias(f"{__name__}.integrate", "minigrad.scipy.integrate")
linalg = alias(f"{__name__}.linalg", "minigrad.scipy.linalg")
special = alias(f"{__name__}.special", "minigrad.scipy.special")
