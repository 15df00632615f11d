"""Fixed points, whose derivatives are implicit: no iteration is recorded."""

from functools import partial

import numpy as np

from ....implicit import power_of_two, reached

__all__ = ["fixed_point"]


def fixed_point(f, a, x0, distance, tol):
    """mg.fixed_point up to a distance of at most tol; a gradient's too, unless it is small beside tol."""
    return reached(f, a, x0, distance, np.nextafter(tol, np.inf), partial(power_of_two, below=100 * tol))
