"""The gradients of a picture: their norms, measured by one sweep, and the op whose VJP made the first NaN or inf.

A second sweep looks at single contributions: to tensors that several ops take, and to gradients that are not finite.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import tape
from ..ops import norm
from ..settings import Setting
from .parts import Part, argument_name, first_index, kind_of_fault, number, source


def measure_gradients(
    parts: Sequence[Part], roots: Sequence[Any], see: Callable[[Part, np.ndarray], None] | None = None
) -> None:
    """Sweep back from the roots, dJ/dJ being ones, and note the norm of each gradient; nothing is changed.

    see(part, gradient) is called with each gradient, which it must not write to.

    Raises RuntimeError where the tape was released.
    """
    of = {part.node: part for part in parts if part.node is not None}
    if any(node.released for node in of):
        raise RuntimeError(
            "this graph was released by backward(), so its gradients can't be computed: "
            "draw it before, or call backward(retain_graph=True)"
        )
    not_finite: dict[Part, str] = {}
    with np.errstate(all="ignore"), _Undisturbed():  # the picture says what NumPy and mg.debug() would say
        for node, g in _gradients(roots):
            if node not in of:  # it only carries a tensor into a transform
                continue
            part = of[node]
            part.gradient = norm_of(g)
            if kind := kind_of_fault(g):
                not_finite[part] = kind
            if see is not None:
                see(part, g)
        _examine(roots, of, not_finite)


class _Undisturbed(Setting):
    """Outside of `mg.debug()`, which would raise an error at the first NaN."""

    kind = "debug"

    def __enter__(self) -> "_Undisturbed":
        self._enter(None)
        return self


def _gradients(roots: Sequence[Any]) -> Iterator[tuple[Any, np.ndarray]]:
    """Pairs (node, gradient of the sum of all entries of the roots), youngest node first."""
    return tape.sweep({node: np.ones(node.shape, node.dtype) for node in roots}, tape.reached(roots))


def norm_of(array: np.ndarray) -> float:
    """The norm of an array of any kind of number, in float64."""
    return float(norm(np.abs(array).astype(np.float64)))


def _examine(roots: Sequence[Any], of: Mapping[Any, Part], not_finite: Mapping[Part, str]) -> None:
    """Note the norms of contributions to shared tensors, and say where gradients that are not finite began.

    not_finite: the parts whose gradient is not. Each came from an op whose own gradient is finite, from one whose own
    is not (then it began further back), or from the sum of finite gradients.
    """
    watched, users = _watched(of, not_finite)
    explained: set[Any] = set()
    # again, since to keep all gradients would double the memory
    # equivalent: _gradients(roots) if users else () -> _gradients(roots) because without users there is nothing to do
    for node, g in _gradients(roots) if users else ():
        if node in users:
            op = of[node]
            explained |= _examine_op(op, g, watched, op in not_finite or _has_fault(op))
    for part in not_finite:
        if part.node not in explained:
            part.fault = part.fault or f"the sum of its gradients is {not_finite[part]}"


def _watched(of: Iterable[Any], not_finite: Iterable[Part]) -> tuple[set[Any], set[Any]]:
    """The parents whose contributions are of interest, shared or not finite, and the nodes that make these."""
    taken = [parent for node in of for parent in node.parents if parent is not None]
    uses = Counter(map(source, taken))
    wanted = {part.node for part in not_finite} | {node for node, count in uses.items() if count > 1}
    watched = {parent for parent in taken if source(parent) in wanted}
    return watched, {node for node in of if not watched.isdisjoint(node.parents)}


def _has_fault(op: Part) -> bool:
    """Whether the values of an op's call are not finite, which is said where they began."""
    return op.not_finite or any(tensor.not_finite for _, tensor in op.inputs)


def _examine_op(op: Part, g: np.ndarray, watched: set[Any], inherited: bool) -> set[Any]:
    """Note the contributions of an op to the watched nodes; return those whose NaN or infinity came through it.

    inherited: whether the values or the gradient of the op were not finite before, so that it is not to blame.
    """
    came_through = set()
    for i, parent in enumerate(op.node.parents):
        if parent not in watched:
            continue
        contribution = op.node.op.contribution(i, op.node, g)
        op.branches[i] = norm_of(contribution)
        kind = kind_of_fault(contribution)
        if kind and not inherited:
            _accuse(op, i, kind, contribution, g)
        if kind:
            came_through.add(source(parent))
    return came_through


def _accuse(op: Part, i: int, kind: str, contribution: np.ndarray, g: np.ndarray) -> None:
    """Say that an op's derivative by its i-th argument has a NaN or an infinity, and at which entry."""
    bad = np.isnan(contribution) if kind == "NaN" else np.isinf(contribution)
    index = first_index(bad)
    is_one_of_several = sum(parent is not None for parent in op.node.parents) > 1
    entry = (argument_name(op.node.op, i) if is_one_of_several else "") + (str(list(index)) if index else "")
    said = f"{op.title}'s derivative gave {kind}{f' at {entry}' if entry else ''}"
    numbers = _numbers_at(index, contribution.shape, op.node, g)
    op.notes.append(said + (f", where {numbers}" if numbers else ""))
    op.fault = op.fault or said + (f" ({Path(op.line[0]).name}:{op.line[1]})" if op.line else "")


def _numbers_at(index: tuple[int, ...], shape: tuple[int, ...], node: Any, g: np.ndarray) -> str:
    """The upstream gradient and the arguments at one entry, if all have one shape or none; else ""."""
    values = {"g": g} | {argument_name(node.op, i): a for i, a in enumerate(node.arguments)}
    if any(np.shape(a) not in (shape, ()) for a in values.values()):
        return ""
    return ", ".join(f"{name} = {number(np.asarray(a)[index if np.ndim(a) else ()])}" for name, a in values.items())
