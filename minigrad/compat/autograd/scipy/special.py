"""scipy.special, whose ufuncs take Tensors."""

from minigrad.scipy import special as _special


def __getattr__(name):
    return getattr(_special, name)
