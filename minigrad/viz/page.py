"""Fitting a picture to a page: how far to fold it, and in which direction, so that its text can still be read."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

from .parts import Part
from .render import EngineMissingError, render

SMALLEST = 0.65  # to which a picture may be scaled: its smallest text has 9 points
LARGEST = 400  # ops of a picture whose layout is tried: larger ones are slow to lay out, and fit no page


class Way(NamedTuple):
    """How to draw a graph: what `fold` takes, and the direction."""

    depth: int | None
    max_nodes: int | None
    repeats: bool
    direction: str


class _Picture(Protocol):
    digraph: object


P = TypeVar("P", bound=_Picture)


class Page(NamedTuple):
    """The width and the height in inches; infinite where there is no limit."""

    width: float
    height: float

    @classmethod
    def of(cls, width: float | None, height: float | None) -> "Page":
        """The page of the options of `graph`; raises ValueError unless they are positive."""
        for name, length in (("width", width), ("height", height)):
            if length is not None and not 0 < length < math.inf:
                raise ValueError(f"graph: {name} must be a positive number of inches, not {length}")
        return cls(width or math.inf, height or math.inf)

    @property
    def is_limited(self) -> bool:
        """Whether there is a limit at all."""
        return min(self) < math.inf

    @property
    def size(self) -> str | None:
        """The page as Graphviz's `size`, to which it scales a larger picture down."""
        return ",".join(f"{min(length, 1000):g}" for length in self) if self.is_limited else None

    def ways(
        self, parts: Sequence[Part], depth: int | None, max_nodes: int | None, direction: str | None
    ) -> Iterator[Way]:
        """The ways to draw a graph, those that show most first; one only if the page has no limit."""
        if not self.is_limited:
            yield Way(depth, max_nodes, False, direction or "TB")
            return
        depths = [depth] if depth is not None else _depths(parts)
        foldings = [(level, max_nodes, False) for level in depths]
        foldings += [(depths[-1], most, True) for most in (max_nodes, 60, 40, 24, 12)]
        for level, most, repeats in foldings:
            for each in [direction] if direction else ["TB", "LR"]:
                yield Way(level, most, repeats, each)

    def first_that_fits(self, pictures: Iterable[P]) -> P:
        """The first picture that fits, scaled down to SMALLEST at most; the last if none does, or without an engine."""
        for picture in pictures:
            if not self.is_limited or self._fits(picture):
                return picture
        return picture

    def _fits(self, picture: _Picture) -> bool:
        try:
            layout = render(picture.digraph, "plain")
        except EngineMissingError:
            return True
        width, height = map(float, layout.partition(b"\n")[0].split()[2:])  # before it is scaled to the page
        return width * SMALLEST <= self.width and height * SMALLEST <= self.height


def _depths(parts: Sequence[Part]) -> list[int | None]:
    """The depths to fold to, from none to all scopes."""
    ops = [part for part in parts if part.kind == "op"]
    deepest = max((len(op.scope) for op in ops), default=0)
    unfolded: list[int | None] = [None] if len(ops) <= LARGEST else []
    return [*unfolded, *range(deepest - 1, -1, -1)] or [0]
