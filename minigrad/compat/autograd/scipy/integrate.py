"""scipy.integrate, see minigrad.scipy.integrate."""

from minigrad.scipy import integrate as _integrate


def __getattr__(name):
    return getattr(_integrate, name)
