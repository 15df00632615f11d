"""Implicit derivatives: `fixed_point` differentiates the equation that its result solves, not the way to it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ._tensor import Tensor
from .argnums import of_a_function
from .errors import brief, plain_array, refusal
from .nest import flatten, ravel_nest
from .operation import array_of, op
from .transforms import vjp


@of_a_function
def fixed_point(f: Callable, a: Any, x0: Any, distance: Callable, tol: float, *, max_iterations: int = 10_000) -> Any:
    """The x with f(a)(x) = x, reached from x0 by repeating f(a) until `distance(x, previous x)` is below tol.

    Its derivative in a is implicit: x - f(a)(x) = 0, so dx = (1 - df/dx)^-1 df/da, and the VJP solves
    u = g + (df/dx)^T u by the same iteration. Nothing of the iterations is kept.
    a and x0 are arrays, or nests for a.
    Raises RuntimeError if the distance is not below tol after max_iterations, forward or in the VJP; TypeError if f
    closes over a Tensor that needs a gradient.

    >>> root = lambda a: mg.fixed_point(lambda a: lambda x: (x + a / x) / 2, a, 1.0, lambda x, y: abs(x - y), 1e-12)
    >>> root(2.0).round(12)
    np.float64(1.414213562373)
    >>> mg.grad(root)(4.0)
    np.float64(0.25)
    """
    if not callable(distance):
        raise TypeError(f"fixed_point: distance must be a function, not {brief(distance)}")
    if not isinstance(tol, (int, float, np.number)):
        raise TypeError(f"fixed_point: tol must be a number, not {brief(tol)}")
    if not isinstance(max_iterations, (int, np.integer)) or max_iterations < 1:
        raise ValueError(f"fixed_point: max_iterations must be a positive int, not {brief(max_iterations)}")
    return reached(f, a, x0, distance, tol, max_iterations=max_iterations)


def reached(f, a, x0, distance, tol, unit=None, max_iterations=10_000):
    """The fixed point. The VJP divides its g by unit(g), by default `power_of_two`, so that tol is relative to it."""
    for leaf in flatten(a):
        if not isinstance(leaf, Tensor):
            plain_array(leaf, "fixed_point", "a")
    vector, unravel = ravel_nest(a)
    start = plain_array(array_of(x0), "fixed_point", "x0")
    return _steps(f, unravel, distance, tol, unit or power_of_two, max_iterations)(vector, start)


def _steps(f, unravel, distance, tol, unit, max_iterations):
    """The op of a whole iteration, of the vector of a and the start."""

    def iterate(step, x):
        for _ in range(max_iterations):
            last, x = x, step(x)
            left = distance(x, last)
            if not left >= tol:  # NaN ends it, too
                return x
        still = f"the distance is {float(left):.3g}, and not below tol {tol:.3g}"
        raise RuntimeError(f"fixed_point: after {max_iterations} iterations {still}")

    @op(name="fixed_point", complex=True)
    def solved(a, x0):
        def step(x):  # f may write to what it is given
            of_a = f(unravel(a.copy()))
            if not callable(of_a):
                raise refusal(TypeError, "fixed_point", f"f(a) must be a function of x, not {brief(of_a)}")
            return free_array(of_a(x.copy()), "fixed_point", "f", "a")

        return np.asarray(iterate(step, np.asarray(x0)))

    @solved.vjp("a")
    def _(g, x, a, x0):
        _, pullback = vjp(lambda a, x: f(unravel(a))(x), a, x)

        def adjoint(given):
            g, a, x = given
            return lambda u: g + vjp(f(a), x)[1](u)[0]

        scale = unit(g)
        u = reached(adjoint, (g / scale, unravel(a), x), g / scale, distance, tol, unit, max_iterations)
        return scale * pullback(u)[0]

    return solved


def power_of_two(g: Any, *, below: float = np.inf) -> float:
    """The greatest power of two that is not above the largest entry: dividing by it is exact. Any, if all are 0.

    1.0 if the largest entry is not `below` a number.

    >>> power_of_two(np.array([3.0, -5.0]))
    4.0
    """
    largest = np.max(np.abs(array_of(g)), initial=0)
    # equivalent: < -> <= because both units serve
    return float(np.ldexp(0.5, np.frexp(largest)[1])) if largest < below else 1.0


def free_array(y: Any, name: str, function: str, argument: str) -> np.ndarray:
    """The array that a function gave for arrays.

    Raises TypeError, in the name of the op that called it, if the function closes over a Tensor that needs a gradient.
    """
    if isinstance(y, Tensor) and y.requires_grad:
        raise refusal(
            TypeError,
            name,
            f"{function} closes over a Tensor that needs a gradient: pass it in {argument}, or detach() it",
        )
    return np.asarray(y)
