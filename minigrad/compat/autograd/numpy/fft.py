"""np.fft, see the package."""

from numpy import fft as _fft


def __getattr__(name):
    return getattr(_fft, name)
