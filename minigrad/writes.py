"""What was written in place: so that a result computed before the write is not differentiated with what came after.

A write that goes through minigrad (`t.data -= step`, `p -= step` under no_grad) is noted with its number
on the tape. A sweep then finds saved arrays whose memory was written to later, also through an alias.
"""

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.lib.array_utils import byte_bounds

# {id(owner of the memory): (the owner, weakly, {(first byte, last byte), or None for all: number of the last write})}
_written: dict[int, tuple[weakref.ref, dict[tuple[int, int] | None, int]]] = {}
_last = 0


def copied(a: ndarray, dtype: Any = None) -> ndarray:
    """A copy, which later writes don't reach: laid out alike; in C order if the array is stretched.

    For NumPy an axis along which it is stretched would be the innermost one.
    """
    return np.array(a, dtype, order="C" if 0 in a.strides else "K")


def _owner(array: ndarray) -> ndarray:
    while isinstance(array.base, ndarray):
        array = array.base
    return array


def note(array: ndarray, number: int) -> None:
    """Note that the array's memory was written to, at this creation number."""
    global _last
    owner = _owner(array)
    key = id(owner)
    if key not in _written:
        _written[key] = weakref.ref(owner, lambda _: _written.pop(key, None)), {}
    # equivalent: None if array is owner else byte_bounds(array) -> byte_bounds(array) because only speed is lost
    _written[key][1][None if array is owner else byte_bounds(array)] = number
    _last = max(_last, number)


# equivalent: any change because what is asked first only saves time
def check(nodes: Sequence[Any]) -> None:
    """Raise RuntimeError if an array of one of these nodes, youngest first, was written to since it was recorded."""
    if not nodes or not _last > nodes[-1].number:
        return
    recorded = [node for node in nodes if node.op is not None]
    if recorded and _last > recorded[-1].number:
        for node in recorded:
            if any(_after(array, node.number) for array in (*node.arguments, node.output)):
                raise RuntimeError(
                    f"{node.op.__name__}: an array that it used was written to in place (by `t -= step` under no_grad "
                    "or by `t.data -= step`) since this Tensor was computed: compute it again, or rebind the leaf "
                    "instead, as by `t.data = t.data - step`"
                )


def _after(array: Any, number: int) -> bool:
    """Whether memory of this array was written to after this creation number."""
    if type(array) is not ndarray:
        return False
    low, high = byte_bounds(array)
    for reference, writes in [*_written.values()]:  # by address: arrays around one buffer have different owners
        owner = reference()
        if owner is None:  # equivalent: never because only another thread sees an owner that is gone
            continue
        for bounds, written in [*writes.items()]:
            first, last = bounds or byte_bounds(owner)
            # equivalent: written > number -> written >= number because no node has the number of a write
            if written > number and first < high and low < last:
                return True
    return False
