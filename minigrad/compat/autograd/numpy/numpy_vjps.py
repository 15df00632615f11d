"""The sweep undoes broadcasting, so a VJP need not."""

__all__ = ["unbroadcast_f"]


def unbroadcast_f(target, fun):
    """The VJP as it is."""
    return fun
