"""All that is known of each part, as text and numbers for the page: shapes, statistics, histograms, time, faults.

`facts` is called while the arrays are there; what it returns goes into JSON as it is.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .equations import equation_key
from .labels import link, plain
from .parts import Part, argument_name, number
from .statistics import FEW, nested, output_name

BINS = 16
SAMPLE = 4096  # entries that a histogram counts; of a larger array it takes every n-th


def facts(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """What is known of each part, in order, without the group that it is in."""
    index = {part: i for i, part in enumerate(parts)}
    return [_facts(part, index) for part in parts]


def measured(part: Part, gradient: np.ndarray) -> None:
    """Note what the page says of the gradient of a part; `part.gradient` is its norm."""
    part.gradient_summary = summary(gradient) | {"norm": _number(part.gradient)}


def _facts(part: Part, index: Mapping[Part, int]) -> dict[str, Any]:
    known = {
        "kind": part.kind,
        "title": plain(part.title),
        "shape": list(part.shape),
        "dtype": str(part.dtype),
        "bytes": part.size * part.dtype.itemsize,
        "inputs": _inputs(part, index),
        "equation": equation_key(part) if part.kind == "op" else "",
        "settings": part.settings,
        "variable": part.variable,
        "notes": [plain(note) for note in part.notes],
        "fault": plain(part.fault) if part.fault else "",
        "nonfinite": part.not_finite,
        "output": output_name(part) if part.is_output else "",
        "value": None if part.array is None else summary(part.array),
        "gradient": part.gradient_summary,
        "seconds": part.seconds,
        "maps": part.maps,
    }
    if part.line:
        known |= {"line": f"{Path(part.line[0]).name}:{part.line[1]}", "url": link(part.line)}
    return {name: fact for name, fact in known.items() if fact not in (None, "", [], {}, False)}


def _inputs(part: Part, index: Mapping[Part, int]) -> list[list]:
    """For each input its index, the name of the argument, and the norm that it contributes if others do, too."""
    found = []
    for position, (_, tensor) in zip(part.positions, part.inputs, strict=True):
        branch = part.branches.get(position)
        norm = [] if branch is None else [_number(branch)]
        found.append([index[tensor], argument_name(part.node.op, position), *norm])
    return found


def summary(array: np.ndarray) -> dict[str, Any]:
    """The entries of a small array; of a larger one least, mean, greatest entry, norm, faults and a histogram."""
    if array.size <= FEW or array.dtype.kind not in "fiub":
        return {"entries": nested(array, 4)} if 0 < array.size <= FEW else {}
    numbers = array.astype(np.float64)
    finite = np.isfinite(numbers)
    known: dict[str, Any] = {}
    if not finite.all():
        known = {"nan": int(np.isnan(numbers).sum()), "inf": int(np.isinf(numbers).sum())}
        numbers = numbers[finite]
    if numbers.size:
        with np.errstate(all="ignore"):
            statistics = {"min": numbers.min(), "mean": numbers.mean(), "max": numbers.max()}
            known |= {name: _number(value) for name, value in statistics.items()}
        known["histogram"] = histogram(numbers)
    return known


def histogram(numbers: np.ndarray) -> dict[str, Any]:
    """Counts of finite entries in equal bins from `low` to `high`; `of` says how many entries were counted."""
    sample = numbers.reshape(-1)[:: max(1, numbers.size // SAMPLE)]
    low, high = float(sample.min()), float(sample.max())
    width = high / 8 - low / 8  # of an eighth of the range, which can't overflow
    places = (sample / 8 - low / 8) / (width or 1) * BINS  # equivalent: 1 -> 2 because 0 is divided by it
    counts = np.bincount(np.minimum(places.astype(np.intp), BINS - 1), minlength=BINS)
    return {"low": _number(low), "high": _number(high), "counts": counts.tolist(), "of": len(sample)}


def _number(value: Any) -> float | str:
    """A number of few digits; text where JSON has no number."""
    value = float(value)
    return float(f"{value:.4g}") if math.isfinite(value) else number(value)
