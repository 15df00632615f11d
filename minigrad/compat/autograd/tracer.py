"""Boxes are Tensors."""

import minigrad as mg

from .extend import notrace_primitive, primitive

__all__ = ["Box", "getval", "isbox", "notrace_primitive", "primitive"]

Box = mg.Tensor


def isbox(value):
    """Whether it is a Tensor."""
    return isinstance(value, mg.Tensor)


def getval(value):
    """The array of a Tensor; anything else as it is."""
    return value.data if isinstance(value, mg.Tensor) else value


# programs read a box in this way, too
Box._value = property(getval)  # type: ignore[attr-defined]
