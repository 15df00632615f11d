"""What nodes and tooltips say of the values: entries of small arrays, statistics of large ones, dtype and bytes."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from .labels import LONGEST
from .parts import Part, number

FEW = 6  # entries that are shown one by one


def annotate(parts: Iterable[Part], values: bool = False) -> None:
    """Write the tooltips of the parts that are drawn, and the value of each scalar output into its node.

    values: write the values of the others into their nodes, too.
    """
    for part in parts:
        if part.kind not in ("fold", "mark"):
            part.notes += _notes(part)
            part.detail = _detail(part, values)


def _notes(part: Part) -> list[str]:
    notes = [f"{part.dtype}, {part.size * part.dtype.itemsize:,} bytes"]
    if part.array is None:
        notes.append("values released by backward()")
    else:
        notes += statistics(part.array)
    if part.gradient is not None:
        notes.append(f"gradient norm {part.gradient:.6g}")
    return notes


def _detail(part: Part, values: bool) -> str:
    if part.array is None:
        return part.detail
    if part.is_output and part.size == 1:
        return f"{_output_name(part)} {number(part.array.item(), 4)}"
    if values and part.kind != "constant":
        return "\n".join((entries(part.array) if part.size > 1 else []) or statistics(part.array))
    return part.detail


def entries(array: np.ndarray) -> list[str]:
    """All entries in one line, in as many digits as fit, if they are few; else nothing."""
    if not 0 < array.size <= FEW:
        return []
    lines = [_nested(array, digits) for digits in (4, 3, 2)]
    return [next((line for line in lines if len(line) <= LONGEST), lines[-1])]


def statistics(array: np.ndarray) -> list[str]:
    """The value of a scalar; else how many entries are NaN, and least, mean and greatest of the others."""
    if array.size == 1:
        return [f"value {number(array.item())}"]
    if array.size == 0 or array.dtype.kind not in "fiub":
        return []
    numbers = array if array.dtype.kind == "f" else array.astype(np.float64)
    missing = np.isnan(numbers)
    lines = []
    if count := np.count_nonzero(missing):
        lines.append(f"{count:,} of {array.size:,} NaN")
        numbers = numbers[~missing]
    if numbers.size:
        with np.errstate(all="ignore"):
            low, mean, high = (float(f(numbers)) for f in (np.min, np.mean, np.max))
        lines.append(f"min {low:.3g}, mean {mean:.3g}, max {high:.3g}")
    return lines


def _nested(array: Any, digits: int) -> str:
    if np.ndim(array) == 0:
        return number(np.asarray(array).item(), digits)
    return f"[{', '.join(_nested(row, digits) for row in array)}]"


def _output_name(part: Part) -> str:
    module = getattr(part.node.op, "__module__", "")
    return part.variable or ("loss" if module.endswith(".losses") else "value")
