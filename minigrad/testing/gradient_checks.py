"""Is this derivative right? `check_vjp`, `check_grads`, `check_jvp`, for any function of arrays.

They need nothing but NumPy. Each returns None, or raises GradientError.
"""

import functools
import inspect
import zlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from ..transforms import jvp as transform_jvp
from ..transforms import vjp as transform_vjp
from . import consistency, side_effects
from .checked_function import CheckedFunction, parameter_names, shaped_as
from .errors import GradientError
from .exact_points import check_exact_points
from .finite_differences import central, constant_to_rounding, direction, relative
from .options import Options
from .tolerances import RTOL, TINY, exceeds, max_abs, norm, of_central_difference, of_jacobian
from .verdict import Comparison, settle

_DIRECTIONS = 2
_DENSE = 40  # entries of inputs and output together up to which the whole Jacobian is checked; halved for each order
_NEARBY = 1  # directions at the second input
_LARGE = 1e3  # numbers in an upstream gradient
_LOST = 1e-2  # of a slope: if rounding may change it by more, the slope cannot be seen

Check = TypeVar("Check", bound=Callable[..., None])


def _unambiguous(check: Check) -> Check:
    """Refuse an option of the check that is also a parameter of the function: only the check would get it."""
    own = [p.name for p in inspect.signature(check).parameters.values() if p.kind is p.KEYWORD_ONLY]

    @functools.wraps(check)
    def checked(fn, /, *inputs, **options):
        if not callable(fn):
            raise TypeError(f"{check.__name__}: the first argument must be a function, not {type(fn).__name__}")
        positional, keyword_only = parameter_names(fn)
        bound = fn.keywords if isinstance(fn, functools.partial) else {}
        names = {*positional[len(inputs) :], *keyword_only} - {*bound}
        if taken := [name for name in options if name in own and name in names]:
            raise TypeError(
                f"{check.__name__}: {taken[0]} is an option of the check and a parameter of the function: "
                f"bind the latter by functools.partial(fn, {taken[0]}=...)"
            )
        return check(fn, *inputs, **options)

    return checked  # type: ignore[return-value]


@_unambiguous
def check_vjp(
    fn: Callable[..., Any],
    /,
    *inputs: Any,
    vjp: Callable[..., Any] | None = None,
    argnums: int | tuple[int, ...] | None = None,
    rtol: float | dict[str, float] = RTOL,
    atol: float | dict[str, float] = 0.0,
    seed: int = 0,
    float32: bool = True,
    layouts: bool = True,
    exact: bool = True,
    nondet_tol: float = 0.0,
    name: str | None = None,
    **parameters: Any,
) -> None:
    """Compare the VJP of a function with finite differences, and check what else a VJP may and may not do.

    fn:      takes the inputs and the parameters; returns an array or a nest of arrays. An op, any function that
             minigrad can differentiate, or any function at all if `vjp` is given
    inputs:  floating-point and complex arrays are differentiated, also those in dicts, lists, tuples and objects and
             those given by keyword; of an op those with a VJP. Other values pass through. So are the Tensors that
             need a gradient and that fn holds: the parameters of a layer, each under its name
    vjp:     a VJP to check in place of minigrad's: vjp(g, out, *inputs, **parameters) returns the
             gradient of the differentiated input, or a tuple of them
    argnums: the inputs to differentiate, an int or a tuple; then nothing else is
    rtol:    the relative error allowed, of S = ||v * u|| (v the gradient, u the direction); or {label: rtol}
    atol:    an absolute error of <v, u> that is allowed besides; or {label: atol}
    seed:    of the random upstream gradients and directions
    float32: also check the function in float32
    layouts: also check it for arrays of other memory layouts
    exact:   also check it where entries are 0, 1, -1 or equal, each in the range of its input
    nondet_tol: how far two runs may be apart; by default they have the same bits
    name:    what messages call the function

    The real and the imaginary parts of complex arrays count as arrays of their own, so a missing conjugate is found.
    Each input is checked along two random directions for several upstream gradients (random, one entry, a block of
    zeros, the output), at a second input nearby, and entry by entry where it is small; very small and very large
    multiples of the upstream gradient give as many times the gradient. Then half of the entries become 0, 1, -1 or
    equal to others, where outputs at a kink are left out. The inputs must be away from kinks; at one, use
    `check_subgradient`. A parameter of fn with the name of an option is bound by functools.partial.
    Raises GradientError; TypeError if there is nothing to differentiate, or an option is a parameter of fn.

    >>> x = np.array([0.5, 1.0, 2.0])
    >>> mg.testing.check_vjp(lambda x: np.sum(np.sin(x)), x)
    >>> mg.testing.check_vjp(np.sin, x, vjp=lambda g, y, x: g * np.cos(x))
    >>> mg.testing.check_vjp(np.sin, x + 1j, vjp=lambda g, y, x: g * np.cos(x))
    """
    function = CheckedFunction(fn, inputs, parameters, vjp=vjp, argnums=argnums, name=name)
    prove(function, Options(rtol, atol, seed, float32, layouts, nondet_tol, exact=exact).checked("check_vjp"))


@_unambiguous
def check_grads(
    fn: Callable[..., Any],
    /,
    *inputs: Any,
    order: int = 2,
    vjp: Callable[..., Any] | None = None,
    argnums: int | tuple[int, ...] | None = None,
    rtol: float | dict[str, float] = RTOL,
    atol: float | dict[str, float] = 0.0,
    seed: int = 0,
    float32: bool = True,
    layouts: bool = True,
    exact: bool = True,
    nondet_tol: float = 0.0,
    name: str | None = None,
    **parameters: Any,
) -> None:
    """`check_vjp`, and the same for the derivatives up to `order`: each is the VJP of the one before it.

    The second derivative is compared with the finite difference of the analytic first one, with respect to the
    inputs and to the upstream gradient, and so on. A `vjp` that is given must then be written in NumPy's functions,
    so that minigrad can differentiate it. Raises as `check_vjp`; ValueError if the order is not positive.

    >>> mg.testing.check_grads(np.tanh, np.array([0.5, -1.0]), order=3)
    """
    function = CheckedFunction(fn, inputs, parameters, vjp=vjp, argnums=argnums, name=name)
    prove(function, Options(rtol, atol, seed, float32, layouts, nondet_tol, order, exact).checked("check_grads"))


@_unambiguous
def check_jvp(
    fn: Callable[..., Any],
    /,
    *inputs: Any,
    jvp: Callable[..., Any] | None = None,
    argnums: int | tuple[int, ...] | None = None,
    rtol: float = RTOL,
    seed: int = 0,
    name: str | None = None,
    **parameters: Any,
) -> None:
    """Compare a JVP with finite differences along random directions in all inputs at once.

    jvp: a JVP to check in place of `mg.jvp`: jvp(inputs, directions) returns (y, dy), both of y's shape; inputs and
         directions are tuples of the differentiated arrays

    The other arguments, and what is raised, are those of `check_vjp`.

    >>> mg.testing.check_jvp(np.sin, np.array([0.5, 1.0]))
    >>> mg.testing.check_jvp(np.sin, np.array([0.5]), jvp=lambda x, v: (np.sin(x[0]), v[0] * np.cos(x[0])))
    """
    function = CheckedFunction(fn, inputs, parameters, argnums=argnums, name=name)
    generator = _generator(function, seed)
    y = function.value(*function.x)
    for _ in range(_DIRECTIONS):
        directions = [direction(x, generator) for x in function.x]
        labels = [*function.labels, *(f"the direction of {label}" for label in function.labels)]
        with side_effects.watching(function, [*zip(labels, function.x + directions, strict=True)], "the JVP"):
            given = tuple(function.joined(function.x)), tuple(function.joined(directions))
            found, dy = jvp(*given) if jvp else transform_jvp(function.call, tuple(function.x), tuple(directions))
        found, dy = function._as_array(found), function._as_array(dy)
        if found.shape != y.shape or dy.shape != y.shape or exceeds(max_abs(found - y), rtol * max_abs(y)):
            statement = f"the JVP gives a value of shape {found.shape} and a derivative of shape {dy.shape}"
            raise GradientError("value", function, None, f"{statement}; the function gives another value, {y.shape}")
        _compare_jvp(function, directions, y, dy, rtol)


def _compare_jvp(
    function: CheckedFunction, directions: list[np.ndarray], y: np.ndarray, dy: np.ndarray, rtol: float
) -> None:
    def along(t):
        return function.value(*(x + t * v for x, v in zip(function.x, directions, strict=True)))

    numeric = central(along, np.zeros(()), np.ones(()))
    size = max([max_abs(y), max_abs(dy), *map(max_abs, function.x)])
    allowed = of_jacobian(y, dy, size, rtol)
    wrong = exceeds(np.abs(numeric - dy), np.maximum(allowed, 1e-8 * max_abs(dy)))
    if np.any(wrong):
        index = tuple(map(int, np.argwhere(wrong)[0]))
        statement = f"the JVP is WRONG at {list(index)} of the output"
        raise GradientError(
            "wrong", function, "the output", statement, found=(index, float(numeric[index]), float(dy[index]))
        )


def prove(function: CheckedFunction, options: Options) -> None:
    """What `check_grads` does, of a function whose inputs are bound."""
    generator = _generator(function, options.seed)
    g, gradients = _first_order(function, generator, options)
    if function.vjp is None:
        consistency.check_accumulation(function, g, gradients)
    consistency.check_linearity(function, function.pullback(function.x)[1], g, gradients, options)
    if options.layouts:
        consistency.check_layouts(function, g, gradients)
    if options.float32:
        consistency.check_float32(function, g, generator, options)
    if options.order > 1:
        _higher_orders(function, generator, options)


def _generator(function: CheckedFunction, seed: int) -> np.random.Generator:
    """Random numbers that differ from input to input, and are the same in each run."""
    return np.random.default_rng([seed, zlib.crc32(b"".join(x.tobytes() for x in function.x))])


def _first_order(
    function: CheckedFunction, generator: np.random.Generator, options: Options, order: int = 1
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Check value, gradients and numbers; the random upstream gradient and the gradients for it."""
    y = side_effects.check_value(function, options.nondet_tol, order)
    g = generator.normal(size=y.shape)
    side_effects.check_each_vjp(function, g, options.nondet_tol)
    gradients = side_effects.check_gradients(function, g, options.nondet_tol, order)
    _check_projections(function, [g, *_sparse(y, generator)], generator, options, order)
    if order == 1:
        second = function.at([_partly_moved(x, generator) for x in function.x])
        _check_projections(second, [generator.normal(size=y.shape)], generator, options, order, directions=_NEARBY)
    if sum(x.size for x in function.x) + y.size <= _DENSE >> (order - 1):
        _check_jacobian(function, y, options, order)
    if options.exact and order <= 2:
        check_exact_points(function, generator, options, order)
    return g, gradients


def _partly_moved(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A second input nearby, where half of the entries differ: a result that is kept by some entries is wrong there."""
    moved = generator.choice([True, False], x.shape)
    moved.flat[:1] = False
    return np.where(moved | ~moved.any(), side_effects.nearby([x])[0], x)


def _sparse(y: np.ndarray, generator: np.random.Generator) -> list[np.ndarray]:
    """Upstream gradients that a random one hides: one entry, large numbers and a block of zeros, the output itself."""
    if not y.size:
        return []
    one, block = np.zeros(y.size), _LARGE * generator.normal(size=y.size)
    one[generator.integers(y.size)] = 1
    block[: (y.size + 1) // 2] = 0
    block = np.roll(block, generator.integers(y.size))
    return [one.reshape(y.shape), block.reshape(y.shape), y / max(max_abs(y), TINY)]


def _check_projections(
    function: CheckedFunction,
    upstream: Sequence[np.ndarray],
    generator: np.random.Generator,
    options: Options,
    order: int,
    directions: int = _DIRECTIONS,
) -> None:
    """Compare <v, u> with the difference of sum(g * f) along random directions u, for each upstream gradient g."""
    y, pull = function.pullback(function.x)
    pulled = []
    for g in upstream:
        gradients = pull(g)
        for label, x, gradient in zip(function.labels, function.x, gradients, strict=True):
            side_effects.check_form(function, label, x, gradient, g, order)
        pulled.append((g, [np.array(gradient) for gradient in gradients]))
    for position, x in enumerate(function.x):
        f = function.along(position)
        for _ in range(directions):
            u = direction(x, generator)
            slopes = central(f, x, u)
            for g, gradients in pulled:
                _check_slope(Comparison(function, position, g, u, gradients, y, order), slopes, options)


# equivalent: v, x -> x, v; abs(numeric) -> numeric; _LOST * max(slope, abs(numeric)) -> _LOST; without + TINY; without
# lost or because bounds are known by their order only, and `settle` confirms what is right as well
def _check_slope(case: Comparison, slopes: np.ndarray, options: Options) -> None:
    """Compare one number; where it disagrees, or cannot be seen, let Romberg extrapolation decide."""
    g, u, v, x = case.g, case.u, case.gradients[case.position], case.x
    rtol, atol = options.tolerances(case.label)
    numeric, analytic = float(np.sum(g * slopes)), float(np.sum(v * u))
    slope, noise = norm(v * u), of_central_difference(g, case.y, v, x, case.size)
    lost = exceeds(noise, _LOST * max(slope, abs(numeric)))
    # equivalent: without lost and; x, u -> u, x because `settle` confirms it as well
    if lost and constant_to_rounding(case.f, x, u, g, analytic):
        return
    # equivalent: g * slopes -> slopes because `settle` confirms it as well
    if lost and not exceeds(abs(numeric - analytic), rtol * norm(g * slopes)):  # the slopes of the outputs cancel
        return
    allowed = rtol * slope + atol + options.nondet_tol * float(np.sum(np.abs(u))) + TINY + (0 if lost else noise)
    if lost or exceeds(abs(numeric - analytic), allowed):
        settle(case, numeric, analytic, allowed, lost=lost)


def _check_jacobian(function: CheckedFunction, y: np.ndarray, options: Options, order: int) -> None:
    """Every entry of the Jacobian of each input: columns by differences, rows by the VJP."""
    _, pull = function.pullback(function.x)
    basis = [*unit_arrays(y)]
    rows = [pull(e) for e in basis]
    for position, x in enumerate(function.x):
        f, steps = function.along(position), relative(x)
        rtol, atol = options.tolerances(function.labels[position])
        analytic = np.reshape([row[position] for row in rows], (y.size, x.size)) * steps.ravel()
        # equivalent: u * steps -> steps because `settle` confirms what differs, and the slopes are checked as well
        numeric = np.reshape([central(f, x, u * steps) for u in unit_arrays(x)], (x.size, y.size)).T
        size = max(map(max_abs, function.x))
        allowed = of_jacobian(y, analytic, size, rtol) + atol + options.nondet_tol * steps.ravel()
        for i, j in np.argwhere(exceeds(np.abs(numeric - analytic), allowed)):
            u = np.zeros(x.shape)
            u.flat[j] = steps.flat[j]
            case = Comparison(function, position, basis[i], u, rows[i], y, order)
            settle(case, float(numeric[i, j]), float(analytic[i, j]), float(allowed[i, j]))


def unit_arrays(y: np.ndarray) -> Any:
    """Arrays of y's shape with a 1 in one entry, one for each entry."""
    for index in np.ndindex(y.shape):
        e = np.zeros(y.shape)
        e[index] = 1
        yield e


def _higher_orders(function: CheckedFunction, generator: np.random.Generator, options: Options, nth: int = 2) -> None:
    """The gradients, one after another, are a function of the inputs and of g: check its derivatives."""
    g = generator.normal(size=function.value(*function.x).shape)
    count, differentiable = len(function.x), function.as_op()

    def gradients(*arguments):
        out, pull = transform_vjp(differentiable, *arguments[:count])
        pulled = pull(shaped_as(out, arguments[count]))
        # equivalent: any factor because the derivative of a multiple is that multiple
        return np.concatenate([np.reshape(v, (-1,)) for v in pulled])

    labels = [*function.labels, f"g{nth - 1}"]
    derivative = CheckedFunction(gradients, [*function.x, g], {}, argnums=tuple(range(count + 1)), name=function.name)
    derivative.shown, derivative.names, derivative.labels = function.given(), labels, labels
    _first_order(derivative, generator, options, nth)
    if nth < options.order:
        _higher_orders(derivative, generator, options, nth + 1)
