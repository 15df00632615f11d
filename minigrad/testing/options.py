"""`Options`: what a check allows, and what it leaves out."""

from typing import Any, NamedTuple

import numpy as np

from ..errors import brief
from .tolerances import RTOL


class Options(NamedTuple):
    """What a check allows, and what it leaves out."""

    rtol: Any = RTOL
    atol: Any = 0.0
    seed: int = 0
    float32: bool = True
    layouts: bool = True
    nondet_tol: float = 0.0
    order: int = 1
    exact: bool = True

    def checked(self, name: str) -> "Options":
        """Return the options; raise TypeError or ValueError, in the name of a check, for what they cannot be."""
        for option in ("rtol", "atol", "nondet_tol"):
            value = getattr(self, option)
            for one in value.values() if isinstance(value, dict) else [value]:
                if not isinstance(one, (int, float, np.number)):
                    raise TypeError(f"{name}: {option} must be a number, not {brief(one)}")
                if not 0 <= one < np.inf:
                    raise ValueError(f"{name}: {option} must be at least 0 and finite, not {one}")
        if not isinstance(self.seed, (int, np.integer)) or self.seed < 0:
            raise TypeError(f"{name}: seed must be an int that is not negative, not {brief(self.seed)}")
        if not isinstance(self.order, int) or isinstance(self.order, bool) or self.order < 1:
            raise ValueError(f"{name}: order must be 1 or more, not {brief(self.order)}")
        return self

    def tolerances(self, label: str) -> tuple[float, float]:
        """(rtol, atol) for one input."""
        rtol = self.rtol.get(label, RTOL) if isinstance(self.rtol, dict) else self.rtol
        return rtol, self.atol.get(label, 0.0) if isinstance(self.atol, dict) else self.atol
