"""Is this derivative right? `check_vjp`, `check_grads`, `check_subgradient`.

They run on any function of arrays, and need nothing but NumPy. Each returns None, or raises GradientError.
"""

import functools
import inspect

import numpy as np

from ..transforms import vjp as transform_vjp
from . import contract
from .diagnosis import diagnose
from .differences import (
    EPS,
    STEP,
    TINY,
    cancelled,
    central,
    constant_to_rounding,
    direction,
    entrywise_tolerance,
    norm,
    one_sided,
    relative,
    romberg,
    rounding,
    widest_noise,
)
from .errors import GradientError
from .subject import Subject, parameter_names

RTOL = 1e-9
_PROJECTIONS = 2
_DENSE = 40  # entries of inputs and output together up to which the whole Jacobian is checked; halved for each order
_LOST = 1e-2  # of a slope: rounding that may move it by more hides it
_LOCATED = 4096  # entries of an input up to which a failure is located entry by entry


def _unambiguous(check):
    """Refuse an option that is also the name of a parameter of fn: it would reach the check alone."""
    own = [p.name for p in inspect.signature(check).parameters.values() if p.kind is p.KEYWORD_ONLY]

    @functools.wraps(check)
    def checked(fn, /, *inputs, **options):
        positional, keyword_only = parameter_names(fn)
        bound = fn.keywords if isinstance(fn, functools.partial) else {}
        names = {*positional[len(inputs) :], *keyword_only} - {*bound}
        if taken := [name for name in options if name in own and name in names]:
            raise TypeError(
                f"{check.__name__}: {taken[0]} is an option of the check and a parameter of the function: "
                f"bind the latter by functools.partial(fn, {taken[0]}=...)"
            )
        return check(fn, *inputs, **options)

    return checked


@_unambiguous
def check_vjp(fn, /, *inputs, vjp=None, argnums=None, rtol=RTOL, seed=0, float32=True, name=None, **parameters):
    """Hold the VJP of a function of arrays against finite differences, and to the rest of its contract.

    fn:      takes the inputs and the parameters and returns one array: an op, any function that
             minigrad can differentiate, or anything at all if `vjp` is given
    inputs:  floating-point arrays are differentiated (those that an op has a VJP for), other values pass;
             an op's arguments may be given by keyword
    vjp:     a VJP to check in place of minigrad's: vjp(g, out, *inputs, **parameters) returns the
             gradient of the differentiated input, or a tuple of them
    argnums: the inputs to differentiate, an int or a tuple
    rtol:    the relative error allowed, of S = ||v * u|| (v the gradient, u the direction)
    seed:    of the random upstream gradient and directions
    float32: also check the function in float32
    name:    what messages call the function

    The upstream gradient is random. Each input is checked along two random directions, and entry by
    entry where it is small. Away from kinks; at one, see `check_subgradient`. A parameter of fn that
    is called as one of these options must be bound by functools.partial.
    Raises GradientError, TypeError if there is nothing to differentiate, or an option is a parameter of fn.
    """
    prove(Subject(fn, inputs, parameters, vjp, argnums, name), 1, rtol, seed, float32)


@_unambiguous
def check_grads(
    fn, /, *inputs, order=2, vjp=None, argnums=None, rtol=RTOL, seed=0, float32=True, name=None, **parameters
):
    """`check_vjp`, and the same for the derivatives up to `order`: each is the VJP of the one before it.

    The second derivative is the finite difference of the analytic first one, with respect to the
    inputs and to the upstream gradient, and so on. Raises as `check_vjp`; ValueError if the order is
    not positive, or over 1 for a `vjp` that is given.
    """
    if order < 1 or (vjp is not None and order > 1):
        raise ValueError(f"check_grads: order must be 1{'' if vjp else ' or more'}, not {order}")
    prove(Subject(fn, inputs, parameters, vjp, argnums, name), order, rtol, seed, float32)


@_unambiguous
def check_subgradient(fn, /, *inputs, argnums=None, vjp=None, seed=0, name=None, **parameters):
    """Hold a VJP at a kink to the one-sided slopes: the gradient lies between them wherever both exist.

    With d-, d+ the one-sided slopes of output j along u, and v the gradient for g,
    sum_j min(g_j d-_j, g_j d+_j) <= <v, u> <= sum_j max(g_j d-_j, g_j d+_j), for u = +e_i, u = 1, u = 1 over
    all inputs at once (so the shares of a tie sum to 1), and for g = e_j and a random one.
    Other kinks must be further away than 1/128. Where the value jumps nothing can be held to anything:
    that is an error too. Raises GradientError, TypeError as `check_vjp`.
    """
    prove_subgradient(Subject(fn, inputs, parameters, vjp, argnums, name), seed)


def prove(subject, order, rtol, seed, float32):
    """What `check_grads` does, of a subject."""
    generator = np.random.default_rng(seed)
    g, gradients = _first_order(subject, generator, rtol)
    if subject.vjp is None:
        contract.check_accumulation(subject, g, gradients)
    contract.check_layouts(subject, g, gradients)
    if float32:
        contract.check_float32(subject, g, generator=generator)
    if order > 1:
        _higher_orders(subject, np.random.default_rng(seed + 1), rtol, order)


def prove_subgradient(subject, seed):
    """What `check_subgradient` does, of a subject."""
    y = contract.check_value(subject)
    upstream = [*_basis(y), np.random.default_rng(seed).normal(size=y.shape)]
    gradients = [contract.check_gradients(subject, g) for g in upstream]
    compared = 0
    for label, directions in _all_directions(subject):
        compared += _between_slopes(subject, label, directions, upstream, gradients)
    if not compared and y.size and any(x.size for x in subject.x):
        raise GradientError("subgradient", subject, None, "no direction has a finite slope on both sides here")


def _first_order(subject, generator, rtol, order=1):
    """Check value, gradients and numbers; the upstream gradient and the gradients."""
    y = contract.check_value(subject, order)
    g = generator.normal(size=y.shape)
    contract.check_each_vjp(subject, g)
    gradients = contract.check_gradients(subject, g, order)
    for position, x in enumerate(subject.x):
        if x.size:
            for _ in range(_PROJECTIONS):
                _check_projection(subject, position, g, y, gradients, generator, rtol, order)
    if sum(x.size for x in subject.x) + y.size <= _DENSE >> (order - 1):
        _check_jacobian(subject, y, rtol, order)
    return g, gradients


def _check_projection(subject, position, g, y, gradients, generator, rtol, order):
    x, v = subject.x[position], gradients[position]
    u = direction(x, generator)
    f = subject.along(position, subject.x)
    numeric, analytic = float(np.sum(g * central(f, x, u))), float(np.sum(v * u))
    slope, noise = norm(v * u), rounding(g, y, v, x)
    lost = not noise <= _LOST * max(slope, abs(numeric))
    if lost and (numeric == analytic == 0 or constant_to_rounding(f, x, u, g, analytic)):
        return
    allowed = rtol * slope + TINY + (0 if lost else noise)
    if lost or not abs(numeric - analytic) <= allowed:
        _settle(subject, position, g, u, gradients, numeric, analytic, allowed, order, lost=lost)


def _check_jacobian(subject, y, rtol, order):
    """Every entry of the Jacobian of each input: columns by differences, rows by the VJP."""
    _, pull = subject.pullback(subject.x)
    basis = list(_basis(y))
    rows = [pull(e) for e in basis]
    for position, x in enumerate(subject.x):
        f, steps = subject.along(position, subject.x), relative(x)
        analytic = np.reshape([row[position] for row in rows], (y.size, x.size)) * steps.ravel()
        numeric = np.reshape([central(f, x, u * steps) for u in _basis(x)], (x.size, y.size)).T
        allowed = entrywise_tolerance(y, analytic, x, rtol)
        for i, j in np.argwhere(~(np.abs(numeric - analytic) <= allowed)):
            u = np.zeros(x.shape)
            u.flat[j] = steps.flat[j]
            entry = (float(numeric[i, j]), float(analytic[i, j]), float(allowed[i, j]))
            _settle(subject, position, basis[i], u, rows[i], *entry, order)


def _settle(subject, position, g, u, gradients, numeric, analytic, allowed, order, lost=False):
    """Ask a second scheme, which measures its own error, and say what it says; pass only if it confirms the VJP.

    lost: the slope is so small beside the value that three quarters of it are all that can be asked for.
    """
    x, label = subject.x[position], subject.labels[position]
    f, y = subject.along(position, subject.x), subject.value(*subject.x)

    def scalar(value):
        return np.sum(g * f(value))

    slope = romberg(scalar, x, u, rounding=EPS / 4 * norm(g * y))
    difference, apart = abs(slope.value - analytic), abs(slope.value - numeric)
    if difference <= allowed and slope.error <= 10 * allowed:
        return
    if lost:
        rest = cancelled(g, y, max(float(np.max(np.abs(a), initial=0)) for a in subject.x))
        known = slope.error <= max(rest, abs(slope.value) / 4, abs(analytic) / 4)
        if known and difference <= allowed + slope.error + rest:
            return
    if _kinked(f, x, u, g, y, difference):
        verdict, hint = "inconclusive", ["the two one-sided slopes differ: this is a kink, see check_subgradient"]
    elif not difference > allowed + 10 * (error := max(slope.error, widest_noise(scalar, x, u), apart / 5)):
        verdict, hint = "inconclusive", [f"the numeric slope is only known to {error:.2g} here"]
    else:
        verdict, hint = "wrong", []
    found, shapes = None, f"{label} {x.shape}, output {g.shape}"
    if x.size <= _LOCATED:
        gradient = numeric_gradient(f, x, g)
        found = _worst(gradients[position], gradient)
        if verdict == "wrong":
            hint = _diagnosis(subject, position, g, gradients[position], gradient)
    statement = (
        f"the gradient of {label} is {verdict.upper()} ({shapes})\n"
        f"  along a direction: numeric {slope.value:.12g} +- {slope.error:.1g}, analytic {analytic:.12g}, "
        f"difference {difference:.3g}; allowed {allowed:.3g}, S = {norm(gradients[position] * u):.3g}"
    )
    raise GradientError(verdict, subject, label, statement, g=g, found=found, diagnosis=hint, order=order)


def _kinked(f, x, u, g, y, difference):
    """Whether the slopes of an output differ on the two sides of x: by 1 %, or by what there is to explain."""
    right, left = one_sided(f, x, u), one_sided(f, x, -u)
    gap = np.abs(right[1] + left[1])  # the slope on the left is minus the one along -u
    error = np.abs(right[1] - right[0]) + np.abs(left[1] - left[0]) + _slope_noise(y)
    clear = (g != 0) & np.isfinite(gap) & (gap > 2 * error)
    if np.any(clear & (gap > 1e-2 * (np.abs(right[1]) + np.abs(left[1])))):
        return True
    return bool(np.sum(np.abs(g) * gap, where=clear) >= difference)


def _slope_noise(y):
    """What rounding makes of a one-sided slope of zero."""
    return 100 * EPS * float(np.max(np.abs(y), initial=0)) / STEP


def numeric_gradient(f, x, g):
    """The gradient of sum(g * f) at x by central differences, one entry after another."""
    gradient, steps = np.zeros(x.shape), relative(x)
    for index in np.ndindex(x.shape):
        u = np.zeros(x.shape)
        u[index] = steps[index]
        gradient[index] = np.sum(g * central(f, x, u)) / steps[index]
    return gradient


def _worst(analytic, numeric):
    differences = np.where(np.isfinite(numeric), np.abs(analytic - numeric), np.inf)
    index = np.unravel_index(int(np.argmax(differences)), differences.shape)
    return tuple(map(int, index)), float(numeric[index]), float(analytic[index])


def _diagnosis(subject, position, g, analytic, numeric):
    others = [
        (subject.labels[i], numeric_gradient(subject.along(i, subject.x), x, g))
        for i, x in enumerate(subject.x)
        if i != position and x.shape == analytic.shape
    ]
    _, pull = subject.pullback(subject.x)
    multiples = {factor: pull(factor * g)[position] for factor in (2, -1)}
    return diagnose(analytic, numeric, subject.x[position], multiples=multiples, others=others)


def _higher_orders(subject, generator, rtol, order, nth=2):
    """The gradients, one after another, are a function of the inputs and of g: check that one, to the order left."""
    g = generator.normal(size=subject.value(*subject.x).shape)
    count = len(subject.x)

    def gradients(*arguments):
        _, pull = transform_vjp(subject.call, *arguments[:count])
        return np.concatenate([np.reshape(v, (-1,)) for v in pull(arguments[count])])

    derivative = Subject(gradients, [*subject.x, g], {}, name=subject.name, beside=subject.given())
    derivative.names = derivative.labels = [*subject.labels, f"g{nth - 1}"]
    _first_order(derivative, generator, rtol, nth)
    if nth < order:
        _higher_orders(derivative, generator, rtol, order, nth + 1)


def _basis(y):
    for index in np.ndindex(y.shape):
        e = np.zeros(y.shape)
        e[index] = 1
        yield e


def _all_directions(subject):
    """(label, one direction for each input or None): +e_i and 1 in each, and 1 in all at once."""
    for position, (label, x) in enumerate(zip(subject.labels, subject.x, strict=True)):
        for u in (*_basis(x), np.ones(x.shape)):
            yield label, [u if i == position else None for i in range(len(subject.x))]
    if len(subject.x) > 1:
        yield "all inputs", [np.ones(x.shape) for x in subject.x]


def _between_slopes(subject, label, directions, upstream, gradients):
    """Check one direction for every g; how many outputs could be compared."""

    def along(t):
        moved = [x if u is None else x + t * u for x, u in zip(subject.x, directions, strict=True)]
        return subject.value(*moved)

    right, left = _existing_slope(subject, label, along, 1.0), -_existing_slope(subject, label, along, -1.0)
    exist = np.isfinite(right) & np.isfinite(left)
    for g, v in zip(upstream, gradients, strict=True):
        if not np.all(exist | (g == 0)):
            continue
        low = float(np.sum(np.minimum(g * left, g * right), where=exist))
        high = float(np.sum(np.maximum(g * left, g * right), where=exist))
        slack = 1e-8 * (norm(g * np.where(exist, right, 0)) + norm(g * np.where(exist, left, 0)) + norm(g))
        slope = sum(float(np.sum(a * u)) for a, u in zip(v, directions, strict=True) if u is not None)
        if not low - slack <= slope <= high + slack:
            statement = (
                f"the gradient of {label} is outside of the one-sided slopes\n"
                f"  along u: {slope:.12g} is not between {low:.12g} and {high:.12g}\n"
                f"  u = {[u if u is None else u.tolist() for u in directions]}"
            )
            raise GradientError("subgradient", subject, label, statement, g=g)
    return int(np.sum(exist))


def _existing_slope(subject, label, along, side):
    """The one-sided slope of each output, NaN where it depends on the step; a jump is an error."""
    y = along(0.0)
    coarse, fine = one_sided(along, 0.0, side)
    noise = _slope_noise(y)
    if np.any(np.abs(fine) > 1.9 * np.abs(coarse) + noise):
        statement = f"the value jumps where {label} moves: there is no slope to hold the VJP to"
        raise GradientError("inconclusive", subject, label, statement)
    return np.where(np.abs(fine - coarse) <= 0.1 * (np.abs(fine) + np.abs(coarse)) + noise, coarse, np.nan)
