"""Which windows an entry of an axis lies in, under any stride, padding and dilation: plain index arithmetic.

The entries of one phase of the stride receive from the same taps, and neighbouring entries from
neighbouring windows; so a phase is correlated with the upstream gradient as if the stride were 1.
"""

import math
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple


class Phase(NamedTuple):
    """The entries of an image axis that lie alike to the stride: each receives from the same taps.

    The entry number start + i*stride of the image receives, through the tap taps[j], from the window
    number first + i + j*apart, if there is one.
    """

    start: int
    taps: tuple[int, ...]
    first: int
    apart: int


@lru_cache
def phases(image, taps, stride, padding, dilation):
    """The phases, of an axis of `image` entries, that receive anything."""
    found = []
    for start in range(min(stride, image)):
        reached = [t for t in range(taps) if (start + padding - t * dilation) % stride == 0][::-1]
        if reached:
            first = (start + padding - reached[0] * dilation) // stride
            found.append(Phase(start, tuple(reached), first, dilation // math.gcd(stride, dilation)))
    return tuple(found)


@lru_cache
def runs(phase, out, begin, end):
    """[(slice of entries, slice of taps, first window), ...]: neighbours that receive from `out` windows alike.

    Only entries from `begin` to `end` of the phase; slices count from `begin`.
    """

    def reached(i):
        inside = [j for j in range(len(phase.taps)) if 0 <= phase.first + i + j * phase.apart < out]
        return (inside[0], inside[-1] + 1) if inside else (0, 0)

    alike = [(taps, list(entries)) for taps, entries in groupby(range(begin, end), reached)]
    return [
        (
            slice(entries[0] - begin, entries[-1] + 1 - begin),
            slice(*taps),
            phase.first + entries[0] + taps[0] * phase.apart,
        )
        for taps, entries in alike
    ]
