"""flatten, fixed points and optimisers."""

from .flatten import flatten

__all__ = ["flatten"]


def const_graph(fun, *arguments, **options):
    """The function with its first arguments given; what it computes is recorded anew at each call."""
    return lambda *rest: fun(*arguments, *rest, **options)
