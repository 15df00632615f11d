"""np.linalg, see the package."""

import numpy as _np

from . import seen


def __getattr__(name):
    return seen(_np.linalg, name)
