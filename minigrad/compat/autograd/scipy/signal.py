"""scipy.signal's convolve, with HIPS autograd's axes."""

from minigrad.errors import named
from minigrad.scipy.signal import convolve_along as _along


@named
def convolve(A, B, axes=None, dot_axes=((), ()), mode="full"):
    """The convolution over pairs of axes (by default of all), summed over pairs of dot_axes."""
    axes = (range(A.ndim), range(A.ndim)) if axes is None else axes
    return _along(A, B, axes, dot_axes, mode)
