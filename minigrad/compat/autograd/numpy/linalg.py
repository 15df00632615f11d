"""np.linalg, see the package."""

import numpy as _np

from . import seen

T, _dot = _np.matrix_transpose, _np.matmul


def __getattr__(name):
    globals()[name] = value = seen(_np.linalg, name)
    return value
