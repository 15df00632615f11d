"""What a function and its VJP do besides computing: they write to nothing, share no memory and keep no state.

Checked with it: the shape and dtype of each gradient, that all numbers are finite, and the same bits in two runs.
"""

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .._tensor import Tensor
from ..operation import Op, array_of
from .checked_function import CheckedFunction, shaped_as
from .errors import GradientError
from .tolerances import SAME_VALUE, STEP, max_abs

NamedArrays = list[tuple[str, np.ndarray]]


def check_value(function: CheckedFunction, nondet_tol: float = 0.0, order: int = 1) -> np.ndarray:
    """The value, after checks: finite, nothing written, the same bits twice, the same from arrays and Tensors.

    Kept state is looked for in the function itself only (order 1): its derivatives are made of VJPs checked before.
    """
    x = [a.copy() for a in function.x]
    with watching(function, [*zip(function.labels, x, strict=True)], "the function"):
        first = function.value(*x)
    y = first.copy()
    if not np.isfinite(y).all():
        raise GradientError("not finite", function, None, "the value is not finite here, so it has no derivative")
    if not _same(y, function.value(*x), nondet_tol):
        raise GradientError("not deterministic", function, None, "two runs at one input gave two different values")
    if order == 1:
        _check_writes_of_equal_values(function, "the function", function.labels, function.x, function.value)
        _run_elsewhere(function)
    if not _same(y, first):
        statement = "the value changes when the function runs at another input: it returns memory that it keeps"
        raise GradientError("aliased", function, None, statement)
    if function.vjp is None:
        _check_tensors(function, x, y, nondet_tol)
    return y


def _check_tensors(function: CheckedFunction, x: list[np.ndarray], y: np.ndarray, nondet_tol: float) -> None:
    found = function.value(*map(Tensor, x))
    same_kind = found.shape == y.shape and found.dtype == y.dtype
    if not same_kind or not max_abs(found - y) <= SAME_VALUE * max_abs(y) + nondet_tol:
        raise GradientError("value", function, None, "arrays and Tensors give different values")


def nearby(x: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Inputs close to x, where every entry differs: what is right at x by a kept result is wrong there."""
    return [a * (1 - STEP) - STEP * (a == 0) for a in x]


def _run_elsewhere(function: CheckedFunction) -> None:
    """Run the function nearby, and at its inputs in reverse order: what it keeps of them must not matter later."""
    other = nearby(function.x)
    with np.errstate(all="ignore"):
        function.pullback(other)
        with contextlib.suppress(Exception):  # an input that it refuses leaves the nearby one as the last
            function.pullback([np.array(np.flip(a)) for a in other])


def check_gradients(
    function: CheckedFunction, g: np.ndarray, nondet_tol: float = 0.0, order: int = 1
) -> list[np.ndarray]:
    """The gradients at function.x for the upstream gradient g, after all checks but that of the numbers."""
    x, upstream = [a.copy() for a in function.x], g.copy()
    y, pull = function.pullback(x)
    watched = [*zip(function.labels, x, strict=True), ("the upstream gradient", upstream), ("the output", y)]
    with watching(function, watched, "the VJP"):
        gradients = pull(upstream)
    for label, argument, gradient in zip(function.labels, x, gradients, strict=True):
        check_form(function, label, argument, gradient, g, order)
    kept = [np.array(gradient) for gradient in gradients]
    again = pull(upstream)
    for i, label in enumerate(function.labels):
        if not _same(kept[i], again[i], nondet_tol):
            statement = f"two runs of the VJP gave {label} two gradients"
            raise GradientError("not deterministic", function, label, statement)
    _check_memory(function, gradients, [*watched, *(("the gradient of the next run", a) for a in again)])
    if order == 1:
        _check_given_vjp(function, g)
        _check_state(function, pull, g, kept, nondet_tol)
    return kept


def check_form(
    function: CheckedFunction, label: str, argument: np.ndarray, gradient: Any, g: np.ndarray, order: int = 1
) -> None:
    """Check the shape and dtype of one gradient, and that it is finite."""
    shape, dtype = np.shape(gradient), getattr(gradient, "dtype", type(gradient).__name__)
    if shape != argument.shape:
        statement = f"the gradient of {label} has shape {shape}, but {label} has {argument.shape}"
        hint = _explained_shape(shape, argument, g)
        raise GradientError("shape", function, label, statement, diagnosis=hint, order=order)
    if dtype != argument.dtype:
        statement = f"the gradient of {label} has dtype {dtype}, but {label} has {argument.dtype}"
        raise GradientError("dtype", function, label, statement, order=order)
    if not np.isfinite(gradient).all():
        raise GradientError("not finite", function, label, f"the gradient of {label} is not finite", g=g, order=order)


def _explained_shape(shape: tuple, argument: np.ndarray, g: np.ndarray) -> list[str]:
    if shape == g.shape or len(shape) > argument.ndim:
        return ["it is not summed over the axes along which the input was broadcast"]
    return ["it is transposed"] if shape == argument.shape[::-1] else []


def _check_memory(function: CheckedFunction, gradients: list, others: Sequence[tuple[str, Any]]) -> None:
    """Check that no gradient shares its memory with another one, or with what else is named."""
    for i, (label, gradient) in enumerate(zip(function.labels, gradients, strict=True)):
        owners = [*others, *((f"the gradient of {function.labels[j]}", gradients[j]) for j in range(i))]
        for owner, array in owners:
            if np.shares_memory(gradient, array):
                statement = f"the gradient of {label} shares its memory with {owner}: return a copy"
                raise GradientError("aliased", function, label, statement)


def _check_state(
    function: CheckedFunction, pull: Callable, g: np.ndarray, kept: list[np.ndarray], nondet_tol: float
) -> None:
    """Check that the gradients stay those of this input after the function ran at another one."""
    _run_elsewhere(function)
    after = pull(g)
    for i, label in enumerate(function.labels):
        if not _same(kept[i], after[i], nondet_tol):
            statement = (
                f"the gradient of {label} changes when the function runs at another input before the VJP does: "
                "the VJP reads what the function keeps; let it compute that from its arguments"
            )
            raise GradientError("stateful", function, label, statement)


def check_each_vjp(function: CheckedFunction, g: np.ndarray, nondet_tol: float = 0.0) -> None:
    """The VJPs of an op as the sweep calls them: they return a gradient, write to nothing, and keep no buffer."""
    op = function.fn
    if not isinstance(op, Op) or function.vjp is not None:
        return
    given, keywords = function.arguments(function.x)
    if op.numpy and not op.names_all(tuple(given), keywords):  # made of other ops, which have their own checks
        return
    arguments, parameters = op.bind(tuple(given), keywords)
    out = np.asarray(op.forward(*arguments, **parameters))
    values = [*arguments, shaped_as(out, g=g), out]
    names = [*(op.names if not op.any_number else map(str, range(len(arguments)))), "g", "the output"]
    places = [i for i, value in enumerate(values) if isinstance(value, np.ndarray)]
    arrays, labels = [values[i] for i in places], [names[i] for i in places]
    for i, label in zip(function.argnums, function.labels, strict=True):

        def run(*replaced, vjp=op.vjps[i]):
            filled = dict(enumerate(values)) | dict(zip(places, replaced, strict=True))
            *inputs, upstream, output = filled.values()
            return vjp(upstream, output, *inputs, **parameters)

        _check_one_vjp(function, label, labels, arrays, run, nondet_tol)


def _check_one_vjp(
    function: CheckedFunction,
    label: str,
    names: Sequence[str],
    arrays: Sequence[np.ndarray],
    run: Callable,
    nondet_tol: float,
) -> None:
    writer = f"the VJP of {label}"
    first, second = _run_twice(function, writer, names, arrays, run)
    if first is None:
        function.missing(label, first)
    if isinstance(first, np.ndarray) and first.flags.writeable and np.shares_memory(first, second):
        raise GradientError("aliased", function, label, f"{writer} returns the same memory in every call")
    if not _same(first, second, nondet_tol):
        raise GradientError("not deterministic", function, label, f"two runs of the VJP gave {label} two gradients")
    _check_writes_of_equal_values(function, writer, names, arrays, run)


def _run_twice(
    function: CheckedFunction, writer: str, labels: Sequence[str], arrays: Sequence[np.ndarray], run: Callable
) -> list[Any]:
    results = []
    runs = [[a.copy() for a in arrays] for _ in range(2)]  # so no memory of the first is free for the second
    for copies in runs:
        with watching(function, [*zip(labels, copies, strict=True)], writer):
            results.append(function._answer_of_vjp(run, *copies))
    return results


def _check_given_vjp(function: CheckedFunction, g: np.ndarray) -> None:
    """Check that a given VJP writes to nothing, also not what is there already."""
    given = function.vjp
    if given is None:
        return

    def run(*arrays):
        *x, upstream, out = arrays
        arguments, parameters = function.arguments(x)
        given(upstream, out, *arguments, **parameters)

    y = function.call(*function.x)
    if not isinstance(y, (dict, list, tuple)):
        labels = [*function.labels, "the upstream gradient", "the output"]
        out = np.asarray(array_of(y))
        arrays = [*function.x, shaped_as(out, g=g), out]
        _check_writes_of_equal_values(function, "the VJP", labels, arrays, run)


def _check_writes_of_equal_values(
    function: CheckedFunction, writer: str, labels: Sequence[str], arrays: Sequence[np.ndarray], run: Callable
) -> None:
    """Find writes that leave the same bits: they fail on read-only arrays. Other writes are seen by comparing."""
    for only in (None, *range(len(arrays))):
        copies = [a.copy() for a in arrays]
        for i, a in enumerate(copies):
            a.flags.writeable = only not in (None, i)
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message=".*not writ")  # another library takes it all the same
                run(*copies)
        except ValueError as error:
            if "read-only" not in str(error) or "buffer" in str(error):  # a buffer that asks to be writable is no write
                return
            if only is not None:
                statement = f"{writer} writes to {labels[only]} (values that are there already)"
                raise GradientError("mutated", function, labels[only], statement) from error
        else:
            if only is None:  # equivalent: never because each of them then passes alone, too
                return


@contextlib.contextmanager
def watching(function: CheckedFunction, arrays: NamedArrays, writer: str) -> Iterator[None]:
    """Raise at the end if one of the arrays, or one that was given, was written to inside."""
    watched = [(label, a, a.copy()) for label, a in (*arrays, *function.given_arrays())]
    yield
    for label, now, before in watched:
        if not _same(now, before):
            raise GradientError("mutated", function, label, f"{writer} wrote to {label}")


def _same(a: Any, b: Any, tolerance: float = 0.0) -> bool:
    """Whether two arrays have the same bits, or differ by the tolerance at most."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return a.tobytes() == b.tobytes() or (tolerance > 0 and bool(np.all(np.abs(a - b) <= tolerance)))
