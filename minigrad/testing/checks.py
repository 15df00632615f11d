"""Is this derivative right? `check_vjp`, `check_grads`, `check_subgradient`.

They run on any function of arrays, and need nothing but NumPy. Each returns None, or raises GradientError.
"""

import numpy as np

from ..transforms import vjp as transform_vjp
from . import contract
from .diagnosis import diagnose
from .differences import central, direction, entrywise_tolerance, forward, norm, relative, romberg, tolerance
from .errors import GradientError
from .subject import Subject

RTOL = 1e-9
_PROJECTIONS = 2
_DENSE = 40  # entries of inputs and output together up to which the whole Jacobian is checked; halved for each order
_LOCATED = 4096  # entries of an input up to which a failure is located entry by entry


def check_vjp(fn, *inputs, vjp=None, argnums=None, rtol=RTOL, seed=0, float32=True, name=None, **parameters):
    """Hold the VJP of a function of arrays against finite differences, and to the rest of its contract.

    fn:      takes the inputs and the parameters and returns one array: an op, any function that
             minigrad can differentiate, or anything at all if `vjp` is given
    inputs:  floating-point arrays are differentiated (those that an op has a VJP for), other values pass
    vjp:     a VJP to check in place of minigrad's: vjp(g, out, *inputs, **parameters) returns the
             gradient of the differentiated input, or a tuple of them
    argnums: the inputs to differentiate, an int or a tuple
    rtol:    the relative error allowed, of S = ||v * u|| (v the gradient, u the direction)
    seed:    of the random upstream gradient and directions
    float32: also check the function in float32
    name:    what messages call the function

    The upstream gradient is random. Each input is checked along two random directions, and entry by
    entry where it is small. Away from kinks; at one, see `check_subgradient`.
    Raises GradientError, TypeError if there is nothing to differentiate.
    """
    subject = Subject(fn, inputs, parameters, vjp, argnums, name)
    generator = np.random.default_rng(seed)
    g, gradients = _first_order(subject, generator, rtol)
    if subject.vjp is None:
        contract.check_accumulation(subject, g, gradients)
    contract.check_layouts(subject, g, gradients)
    if float32:
        contract.check_float32(subject, g, generator=generator)


def check_grads(fn, *inputs, order=2, vjp=None, argnums=None, rtol=RTOL, seed=0, float32=True, name=None, **parameters):
    """`check_vjp`, and the same for the derivatives up to `order`: each is the VJP of the one before it.

    The second derivative is the finite difference of the analytic first one, with respect to the
    inputs and to the upstream gradient, and so on. Raises as `check_vjp`; ValueError if the order is
    not positive, or over 1 for a `vjp` that is given.
    """
    if order < 1 or (vjp is not None and order > 1):
        raise ValueError(f"check_grads: order must be 1{'' if vjp else ' or more'}, not {order}")
    check_vjp(fn, *inputs, vjp=vjp, argnums=argnums, rtol=rtol, seed=seed, float32=float32, name=name, **parameters)
    if order > 1:
        subject = Subject(fn, inputs, parameters, vjp, argnums, name)
        _higher_orders(subject, np.random.default_rng(seed + 1), rtol, order)


def check_subgradient(fn, *inputs, argnums=None, vjp=None, seed=0, name=None, **parameters):
    """Hold a VJP at a kink to the one-sided slopes: the gradient lies between them wherever both exist.

    With d-, d+ the one-sided slopes of output j along u, and v the gradient for g,
    sum_j min(g_j d-_j, g_j d+_j) <= <v, u> <= sum_j max(g_j d-_j, g_j d+_j), for u = +e_i, u = 1, u = 1 over
    all inputs at once (so the shares of a tie sum to 1), and for g = e_j and a random one.
    Other kinks must be further away than 1/128. Raises GradientError, TypeError as `check_vjp`.
    """
    subject = Subject(fn, inputs, parameters, vjp, argnums, name)
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
    y = contract.check_value(subject)
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
    allowed = tolerance(g, y, v, x, u, rtol)
    if not abs(numeric - analytic) <= allowed:
        _settle(subject, position, g, u, gradients, analytic, allowed, order)


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
            _settle(subject, position, basis[i], u, rows[i], float(analytic[i, j]), float(allowed[i, j]), order)


def _settle(subject, position, g, u, gradients, analytic, allowed, order):
    """Two schemes disagree with the VJP, or one with the other: say which; pass only if the second confirms the VJP."""
    x, label = subject.x[position], subject.labels[position]
    f = subject.along(position, subject.x)
    slope = romberg(lambda value: np.sum(g * f(value)), x, u)
    difference = abs(slope.value - analytic)
    if difference <= allowed and slope.error <= 10 * allowed:
        return
    if _kinked(f, x, u, g):
        verdict, hint = "inconclusive", ["the two one-sided slopes differ: this is a kink, see check_subgradient"]
    elif not difference > allowed + 10 * slope.error:
        verdict, hint = "inconclusive", [f"the numeric slope is only known to {slope.error:.2g} here"]
    else:
        verdict, hint = "wrong", []
    found, shapes = None, f"{label} {x.shape}, output {g.shape}"
    if x.size <= _LOCATED:
        numeric = numeric_gradient(f, x, g)
        found = _worst(gradients[position], numeric)
        if verdict == "wrong":
            hint = _diagnosis(subject, position, g, gradients[position], numeric)
    statement = (
        f"the gradient of {label} is {verdict.upper()} ({shapes})\n"
        f"  along a direction: numeric {slope.value:.12g} +- {slope.error:.1g}, analytic {analytic:.12g}, "
        f"difference {difference:.3g}; allowed {allowed:.3g}, S = {norm(gradients[position] * u):.3g}"
    )
    raise GradientError(verdict, subject, label, statement, g=g, found=found, diagnosis=hint, order=order)


def _kinked(f, x, u, g):
    """Whether the slopes on the two sides differ by far more than their own error."""
    right, left = forward(f, x, u), -forward(f, x, -u)
    gap = norm(g * (right - left))
    return np.isfinite(gap) and gap > 1e-2 * (norm(g * right) + norm(g * left))


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
    scaled = subject.pullback(subject.x)[1](2 * g)[position]
    return diagnose(analytic, numeric, subject.x[position], scaled=scaled, others=others)


def _higher_orders(subject, generator, rtol, order, nth=2):
    """The gradients, one after another, are a function of the inputs and of g: check that one, to the order left."""
    g = generator.normal(size=subject.value(*subject.x).shape)
    count = len(subject.x)

    def gradients(*arguments):
        _, pull = transform_vjp(subject.call, *arguments[:count])
        return np.concatenate([np.reshape(v, (-1,)) for v in pull(arguments[count])])

    derivative = Subject(gradients, [*subject.x, g], {}, name=subject.name)
    derivative.labels = [*subject.labels, f"g{nth - 1}"]
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

    right, left = forward(along, 0.0, 1.0), -forward(along, 0.0, -1.0)
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
