"""Fixed points, whose derivatives are implicit: no iteration is recorded."""

from minigrad import fixed_point

__all__ = ["fixed_point"]
