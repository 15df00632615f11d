"""The gradients of a picture: their norms, measured by one sweep, and the op whose VJP made the first NaN or inf."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import tape
from ..ops import norm
from .parts import Part, argument_name, first_index, kind_of_fault, number


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
            "graph: this graph was released by backward(), so its gradients can't be computed: "
            "draw it before, or call backward(retain_graph=True)"
        )
    not_finite: dict[Part, str] = {}
    with np.errstate(all="ignore"):  # what NumPy would warn of is said in the picture
        for node, g in _gradients(roots):
            part = of[node]
            part.gradient = _norm(g)
            if kind := kind_of_fault(g):
                not_finite[part] = kind
            if see is not None:
                see(part, g)
        if not_finite:
            _find_faults(parts, roots, not_finite)


def _gradients(roots: Sequence[Any]) -> Iterator[tuple[Any, np.ndarray]]:
    """Pairs (node, gradient of the sum of all entries of the roots), youngest node first."""
    return tape.sweep({node: np.ones(node.shape, node.dtype) for node in roots})


def _norm(g: np.ndarray) -> float:
    magnitudes = np.abs(g) if np.iscomplexobj(g) else g
    return float(norm(np.asarray(magnitudes, np.float64)))


def _find_faults(parts: Sequence[Part], roots: Sequence[Any], not_finite: dict[Part, str]) -> None:
    """Say at the op whose VJP made a NaN or an infinity from finite numbers that it did.

    not_finite: the parts whose gradient has one. Each came from an op whose own gradient is finite, from one whose
    own is not (then it began further back), or from the sum of finite gradients.
    """
    users = _users_of(not_finite, parts)
    suspects = {op.node: op for ops in users.values() for op in ops if op not in not_finite and not _has_fault(op)}
    accused = _accused(suspects, roots)
    for tensor, ops in users.items():
        if not any(op in not_finite or op in accused or _has_fault(op) for op in ops):
            tensor.fault = tensor.fault or f"the sum of its gradients is {not_finite[tensor]}"


def _accused(suspects: dict[Any, Part], roots: Sequence[Any]) -> set[Part]:
    """The suspects, by node, whose own VJP makes a NaN or an infinity of its gradient; each is told so."""
    accused = set()
    for node, g in _gradients(roots):  # once more: to keep all gradients would double the memory
        if node in suspects and (found := _own_fault(node, g)):
            _accuse(suspects[node], *found)
            accused.add(suspects[node])
    return accused


def _users_of(tensors: Iterable[Part], ops: Iterable[Part]) -> dict[Part, list[Part]]:
    """The ops that take each of the tensors."""
    users: dict[Part, list[Part]] = {tensor: [] for tensor in tensors}
    for op in ops:
        for tensor in {tensor for _, tensor in op.inputs}:
            if tensor in users:
                users[tensor].append(op)
    return users


def _has_fault(op: Part) -> bool:
    """Whether the values of an op's call are not finite, which is said where they began."""
    return op.not_finite or any(tensor.not_finite for _, tensor in op.inputs)


def _own_fault(node: Any, g: np.ndarray) -> tuple[str, str, str] | None:
    """What the VJPs of a node make of a finite g: (kind, entry, the numbers there) of the first NaN or inf, or None."""
    for i, parent in enumerate(node.parents):
        if parent is None:
            continue
        contribution = np.asarray(node.op.vjps[i](g, node.output, *node.arguments, **node.parameters))
        if kind := kind_of_fault(contribution):
            bad = np.isnan(contribution) if kind == "NaN" else np.isinf(contribution)
            several = sum(vjp is not None for _, vjp in zip(node.parents, node.op.vjps, strict=False)) > 1
            index = first_index(_unbroadcast(bad, node.arguments[i].shape))
            entry = (argument_name(node.op, i) if several else "") + (str(list(index)) if index else "")
            return kind, entry, _numbers_at(first_index(bad), contribution.shape, node, g)
    return None


def _unbroadcast(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A mask of the shape that was broadcast to that of `mask`: True where any of an entry's copies is."""
    leading = mask.ndim - len(shape)
    stretched = tuple(i for i, size in enumerate(shape, start=leading) if size != mask.shape[i])
    return np.any(mask, axis=(*range(leading), *stretched), keepdims=True).reshape(shape)


def _numbers_at(index: tuple[int, ...], shape: tuple[int, ...], node: Any, g: np.ndarray) -> str:
    """The upstream gradient and the arguments at one entry, if all have one shape or none; else ""."""
    values = {"g": g} | {argument_name(node.op, i): a for i, a in enumerate(node.arguments)}
    if any(np.shape(a) not in (shape, ()) for a in values.values()):
        return ""
    return ", ".join(f"{name} = {number(np.asarray(a)[index if np.ndim(a) else ()])}" for name, a in values.items())


def _accuse(op: Part, kind: str, entry: str, numbers: str) -> None:
    at = f" at {entry}" if entry else ""
    said = f"{op.title}'s derivative gave {kind}{at}"
    op.notes.append(said + (f", where {numbers}" if numbers else ""))
    where = f" ({Path(op.line[0]).name}:{op.line[1]})" if op.line else ""
    op.fault = op.fault or said + where
