"""What nodes and tooltips say of the values: entries of small arrays, statistics of large ones, dtype and bytes."""

import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .labels import LONGEST, counted
from .parts import Part, number, saved_by

FEW = 6  # entries that are shown one by one
UNITS = ("bytes", "kB", "MB", "GB")


def annotate(parts: Iterable[Part], values: bool = False, settings: bool = False) -> None:
    """Write the tooltips of the parts that are drawn, and the value of each scalar output into its node.

    values: write the values of the others into their nodes, too; settings: write how an op was called.
    """
    for part in parts:
        if part.kind not in ("fold", "mark", "leaves"):
            part.notes += _notes(part)
            part.detail = _detail(part, values)
        if settings:
            said = ", ".join(text for text in part.settings if not text.endswith(("=None", "=False")))
            part.detail = "\n".join([*textwrap.wrap(said, LONGEST), *part.detail.splitlines()])


def totals(parts: Sequence[Part]) -> list[str]:
    """Two lines: the numbers of ops and parameters, and the bytes kept for backward besides the parameters."""
    sizes = [part.size for part in parts if part.kind == "parameter"]
    facts = [counted(sum(part.kind == "op" for part in parts), "op")]
    if sizes:
        facts.append(f"{counted(len(sizes), 'parameter')} ({sum(sizes):,})")
    lines = [", ".join(facts)]
    if saved := _saved_bytes(parts):
        power = min(int(math.log(saved, 1000)), len(UNITS) - 1)
        lines.append(f"{saved / 1000**power:.3g} {UNITS[power]} saved for backward")
    return lines


def _saved_bytes(parts: Iterable[Part]) -> int:
    """The bytes of the arrays that the nodes of ops refer to, each counted once, and without those of parameters."""
    sizes: dict[int, int] = {}
    for part in parts:
        if part.kind == "op" and not part.node.released:
            for array in (*part.node.arguments, part.node.output, *saved_by(part.node).values()):
                if isinstance(array, np.ndarray):
                    memory = _memory(array)
                    sizes[id(memory)] = memory.nbytes
    for part in parts:
        if part.kind == "parameter":
            sizes.pop(id(_memory(part.array)), None)
    return sum(sizes.values())


def _memory(array: np.ndarray) -> np.ndarray:
    """The array that owns the memory of a view."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


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
        return f"{output_name(part)} {number(part.array.item(), 4)}"
    if values and part.kind != "constant":
        return "\n".join((entries(part.array) if part.size > 1 else []) or statistics(part.array))
    return part.detail


def entries(array: np.ndarray) -> list[str]:
    """All entries in one line, in as many digits as fit, if they are few; else nothing."""
    if not 0 < array.size <= FEW:
        return []
    lines = [nested(array, digits) for digits in (4, 3, 2)]
    return [next((line for line in lines if len(line) <= LONGEST), lines[-1])]


def statistics(array: np.ndarray) -> list[str]:
    """The value of a scalar; else how many entries are NaN, and least, mean and greatest of the others."""
    if array.size == 1:
        return [f"value {number(array.item())}"]
    if array.dtype.kind not in "fiub":
        return []
    missing = np.isnan(array)
    lines, numbers = [], array
    if count := np.count_nonzero(missing):
        lines.append(f"{count:,} of {array.size:,} NaN")
        numbers = array[~missing]
    if numbers.size:
        with np.errstate(all="ignore"):
            low, mean, high = (float(f(numbers)) for f in (np.min, np.mean, np.max))
        lines.append(f"min {low:.3g}, mean {mean:.3g}, max {high:.3g}")
    return lines


def nested(array: Any, digits: int) -> str:
    """All entries as text, each row in brackets."""
    if np.ndim(array) == 0:
        return number(np.asarray(array).item(), digits)
    return f"[{', '.join(nested(row, digits) for row in array)}]"


def output_name(part: Part) -> str:
    """What to call the value of an output: its variable, "loss" or "value"."""
    module = getattr(part.node.op, "__module__", "")
    return part.variable or ("loss" if module.endswith(".losses") else "value")
