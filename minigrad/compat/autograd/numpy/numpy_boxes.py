"""The box of an array is a Tensor."""

from minigrad import Tensor as ArrayBox

__all__ = ["ArrayBox"]
