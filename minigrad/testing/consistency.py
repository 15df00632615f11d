"""The same gradients in another way.

Through two uses, for a multiple of the upstream gradient, from arrays in any memory layout, and in float32.
"""

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from .checked_function import CheckedFunction, Pull
from .errors import GradientError
from .held_arrays import leaves, mapped
from .options import Options
from .tolerances import EPS32, MAX32, TINY32, exceeds, max_abs, of_float32, of_reordered_gradient, of_reordered_value

_MOVES = (None, None, 1, 2)  # of the inputs by one float32 rounding: in how many blocks they move together, None: none
_SCALE = 1.0  # of the values on the way to a value, which may cancel


def check_accumulation(function: CheckedFunction, g: np.ndarray, gradients: list[np.ndarray]) -> None:
    """Where the function's result is used twice, its gradients add."""

    def doubled(*x):
        second = iter([leaf for _, leaf in leaves(function.call(*x))])
        return mapped(function.call(*x), lambda path, leaf: np.add(leaf, next(second)))

    twice: Any = copy.copy(function)
    twice.call = doubled
    _, pull = twice.pullback(function.x)
    for label, x, single, double in zip(function.labels, function.x, gradients, pull(g), strict=True):
        if exceeds(max_abs(2 * single - double), of_reordered_gradient(g, single, x)):
            statement = f"the gradient of {label} through fn(x) + fn(x) is not twice that of one"
            raise GradientError("accumulation", function, label, statement)


@np.errstate(all="ignore")
def check_linearity(
    function: CheckedFunction, pull: Pull, g: np.ndarray, gradients: list[np.ndarray], options: Options
) -> None:
    """The gradients for c * g are c times those for g, also where c is large, small or 0.

    A power of two changes no rounding, unless a number leaves the range of the dtype: such c are left out.
    """
    eps = float(np.finfo(g.dtype).eps)
    power = 60 if g.dtype == np.float64 else 30
    for c, factor in ((2.0**power, f"2**{power}"), (2.0**-power, f"2**-{power}"), (0.0, "0")):
        multiple = g * g.dtype.type(c)
        for label, x, single, found in zip(function.labels, function.x, gradients, pull(multiple), strict=True):
            statement = f"the gradient of {label} is not linear in g: for {factor} * g it "
            if np.shape(found) != x.shape:
                raise GradientError("wrong", function, label, f"{statement}has shape {np.shape(found)}", g=g)
            v = c * single
            rtol, atol = options.tolerances(label)
            slack = atol + options.nondet_tol
            allowed = rtol * max_abs(v) + of_reordered_gradient(multiple, v, x, eps) + c * slack + slack
            wrong = exceeds(np.abs(found - v), allowed) & np.isfinite(v)
            if np.any(wrong) and not _leaves_the_range(pull, multiple):
                index = tuple(map(int, np.argwhere(wrong)[0]))
                place = f" at {list(index)}" if index else ""
                statement += f"is {found[index]:.6g}{place}, and {factor} times that for g is {v[index]:.6g}"
                raise GradientError("wrong", function, label, statement, g=g)


def _leaves_the_range(pull: Pull, g: np.ndarray) -> bool:
    """Whether a number overflows or underflows on the way to the gradients."""
    try:
        with np.errstate(over="raise", under="raise"):
            pull(g)
    except GradientError:
        return True
    return False


def check_layouts(function: CheckedFunction, g: np.ndarray, gradients: list[np.ndarray]) -> None:
    """The same value and gradients whatever the memory layout.

    Column-major arrays, views with gaps and negative strides, and an upstream gradient with strides of 0.
    """
    y = function.value(*function.x)
    _, pull = function.pullback(function.x)
    ones, expected = np.broadcast_to(1.0, g.shape), pull(np.ones(g.shape))
    _compare(function, "the upstream gradient has strides of 0", ones, expected, lambda: (y, pull), ones)
    for name, layout, pullback in (
        ("column-major", partial(np.array, order="F"), _pullback_of_columns),
        ("views with gaps and negative strides", _with_gaps, _pullback_of_views),
    ):
        _compare(function, f"the arrays are {name}", g, gradients, partial(pullback, function), layout(g))


def _compare(
    function: CheckedFunction,
    case: str,
    g: np.ndarray,
    gradients: list[np.ndarray],
    pullback: Callable[[], tuple[np.ndarray, Pull]],
    g_in_layout: np.ndarray,
) -> None:
    """Check that the value and the gradients of a pullback are the expected ones."""
    y = function.value(*function.x)
    try:
        found, pull = pullback()
        pulled = pull(g_in_layout)
    except Exception as error:
        reason = error.__cause__ or error
        statement = (
            f"it raises {type(reason).__name__} where {case}: {reason}\n"
            "  pass layouts=False if the function is not meant for such arrays"
        )
        raise GradientError("layout", function, None, statement) from error
    if found.shape != y.shape or exceeds(max_abs(found - y), of_reordered_value(y)):
        raise GradientError("layout", function, None, f"the value changes where {case}")
    for i, (label, x) in enumerate(zip(function.labels, function.x, strict=True)):
        expected, gradient = gradients[i], pulled[i]
        limit = of_reordered_gradient(g, expected, x)
        if np.shape(gradient) != expected.shape or exceeds(max_abs(gradient - expected), limit):
            raise GradientError("layout", function, label, f"the gradient of {label} changes where {case}", g=g)


def _pullback_of_columns(function: CheckedFunction) -> tuple[np.ndarray, Pull]:
    return function.pullback([np.array(a, order="F") for a in function.x])


def _pullback_of_views(function: CheckedFunction) -> tuple[np.ndarray, Pull]:
    """The pullback at such views. mg.vjp copies its inputs, so they are taken inside the trace."""
    if function.vjp is not None:
        return function.pullback([_with_gaps(a) for a in function.x])
    wide = [_wide(a) for a in function.x]
    views = [_every_second(a) for a in function.x]
    within: Any = copy.copy(function)
    within.call = lambda *whole: function.call(*(a[i] for a, i in zip(whole, views, strict=True)))
    within._held = []
    y, pull = within.pullback(wide)
    return y, lambda g: [v[i] for v, i in zip(pull(g), views, strict=True)]


def _every_second(a: np.ndarray) -> Any:
    """The index of every second entry of an array twice as wide as a, backwards along the last axis."""
    return (..., slice(None, None, -2)) if a.ndim else ...


def _wide(a: np.ndarray) -> np.ndarray:
    """An array that holds the entries of a at these places, and NaN elsewhere."""
    wide = np.full((*a.shape[:-1], 2 * a.shape[-1]) if a.ndim else (), np.nan)
    wide[_every_second(a)] = a
    return wide


def _with_gaps(a: np.ndarray) -> np.ndarray:
    """The same array as a view of a larger one."""
    return _wide(a)[_every_second(a)]


def check_float32(function: CheckedFunction, g: np.ndarray, generator: np.random.Generator, options: Options) -> None:
    """float32 stays float32, and its value and gradients are the float64 ones up to rounding, entry by entry.

    What float32 cannot hold is left out: inputs and results beyond its range.
    """
    if not all(_in_range(a).all() for a in function.x):
        return
    with np.errstate(all="ignore"):
        x, upstream = [a.astype(np.float32) for a in function.x], g.astype(np.float32)
        y, pull = function.pullback(x)
        if y.dtype != np.float32:
            raise GradientError("dtype", function, None, f"float32 inputs give a {y.dtype} result")
        exact = _results(function, x, upstream, lambda a: a)
        moves = [partial(_moved, generator=generator, blocks=blocks) for blocks in _MOVES]
        moved = [_results(function, x, upstream, move) for move in moves]
        _judge(function, None, y, [exact[0], *(results[0] for results in moved)], _SCALE)
        if not _in_range(exact[0]).all():
            return
        gradients = pull(upstream)
        for i, (label, gradient) in enumerate(zip(function.labels, gradients, strict=True), start=1):
            dtype = np.asarray(gradient).dtype
            if dtype != np.float32:
                raise GradientError("dtype", function, label, f"float32 inputs give {label} a {dtype} gradient")
            _judge(function, label, gradient, [exact[i], *(results[i] for results in moved)], max_abs(g))
        check_linearity(function, pull, upstream, gradients, options)


def _results(
    function: CheckedFunction, x: list[np.ndarray], g: np.ndarray, move: Callable[[np.ndarray], np.ndarray]
) -> list[np.ndarray]:
    """The value and the gradients in float64, at inputs that are moved by a rounding or not."""
    *inputs, upstream = [move(a.astype(np.float64)) for a in (*x, g)]
    y, pull = function.pullback(inputs)
    return [y, *pull(upstream)]


def _moved(a: np.ndarray, generator: np.random.Generator, blocks: int | None) -> np.ndarray:
    """The array with each entry moved by a float32 rounding: by half to a whole of its relative spacing.

    Entry by entry up or down at random; or in blocks, up and down in turn: that changes a result by as much as the
    partial sums of these blocks would be rounded, also where the whole sum cancels.
    """
    if blocks is None:
        signs = generator.choice([-1.0, 1.0], a.shape)
    else:
        signs = np.reshape((-1.0) ** (np.arange(a.size) * blocks // a.size), a.shape)
    # equivalent: a.shape) * signs -> a.shape) / signs because a sign is its own inverse
    return a * (1 + EPS32 * generator.uniform(0.5, 1, a.shape) * signs)


def _in_range(a: np.ndarray) -> np.ndarray:
    """Which entries float32 can hold."""
    # equivalent: any factor because callers ask where it is not 0
    return (a == 0) | ((np.abs(a) >= TINY32) & (np.abs(a) <= MAX32))


def _judge(
    function: CheckedFunction, label: str | None, found: np.ndarray, results: Sequence[np.ndarray], scale: float
) -> None:
    """Compare a float32 result with the float64 ones, at the same inputs and at moved ones."""
    what = "value" if label is None else f"gradient of {label}"
    exact, *moved = results
    if found.shape != exact.shape:
        raise GradientError("float32", function, label, f"the float32 {what} has shape {found.shape}")
    error, limit = np.abs(found - exact), of_float32(exact, moved, scale)
    wrong = exceeds(error, limit) & ~exceeds(np.abs(exact), MAX32)
    if not np.any(wrong):
        return
    index = tuple(map(int, np.argwhere(wrong)[0]))
    place = f" at {list(index)}" if index else ""
    if not np.isfinite(found[index]):
        statement = (
            f"the float32 {what} is {found[index]}{place}, where float64 gives {exact[index]:.6g}: a number on the way "
            "is beyond the range of float32\n  pass float32=False if the function is not meant for such inputs"
        )
    else:
        statement = f"the float32 {what} is off by {error[index]:.3g}{place}, over {limit[index]:.3g}"
    raise GradientError("float32", function, label, statement)
