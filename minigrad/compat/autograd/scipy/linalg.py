"""scipy.linalg, see minigrad.scipy.linalg."""

from minigrad.scipy import linalg as _linalg


def __getattr__(name):
    return getattr(_linalg, name)
