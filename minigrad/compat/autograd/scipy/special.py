"""scipy.special, see minigrad.scipy.special: a file, since some packages load it by its path."""

from minigrad import scipy as _scipy


def __getattr__(name):
    return getattr(_scipy.special, name)
