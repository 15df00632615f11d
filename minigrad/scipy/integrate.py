"""odeint, whose gradient is the solution of the adjoint equation, integrated backwards.

Source: R. Chen, Y. Rubanova, J. Bettencourt and D. Duvenaud, "Neural ordinary differential equations", 2018.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate as si

from .._tensor import Tensor
from ..errors import brief, plain_array
from ..implicit import free_array, power_of_two
from ..nest import flatten, ravel_nest
from ..operation import op
from ..ops import array
from ..transforms import vjp
from ..typing import Array

__all__ = ["odeint"]


_OF_THE_FORWARD_EQUATION = {"Dfun", "col_deriv", "full_output", "ml", "mu", "h0", "tcrit"}
_FOUND = ("Integration successful", "Nothing was done")  # the second where all times are one


def odeint(
    func: Callable[..., Any], y0: Array, t: Array, args: tuple[Array, ...] = (), *, tfirst: bool = False, **options: Any
) -> Array:
    """The solution of dy/dt = func(y, t, *args) at the times t, from y0, a vector, at t[0]: one row a time.

    y0, t and args are differentiated, any number of times. With `tfirst` it is func(t, y, *args). SciPy gets the
    `options`, such as rtol, for the solution and for its adjoint; what holds for one of them alone is not taken.
    Raises TypeError for those, for args that are no tuple of (nests of) numbers, and if func closes over a Tensor that
    needs a gradient; RuntimeError where SciPy warns that it found no solution, also in the sweep.

    >>> mg.scipy.integrate.odeint(lambda y, t: -y, np.ones(1), np.array([0.0, 1.0])).round(6)[1]
    array([0.367879])
    """
    return solution(func, y0, t, args, tfirst, options)


def solution(func, y0, t, args, tfirst, options, unit=power_of_two):
    """What `odeint` returns. The VJP divides its g by unit(g), so that the tolerances are relative to it."""
    if refused := _OF_THE_FORWARD_EQUATION & options.keys():
        raise TypeError(f"odeint: {min(refused)} does not hold for the adjoint equation: leave it out")
    if arrays := [name for name in ("rtol", "atol") if name in options and np.ndim(options[name])]:
        raise TypeError(f"odeint: {arrays[0]} must be one number, since the adjoint equation has others than y")
    if not isinstance(args, tuple):
        raise TypeError(f"odeint: args must be a tuple, not {brief(args)}")
    for leaf in flatten(args):
        if not isinstance(leaf, Tensor):
            plain_array(leaf, "odeint", "args")
    given, unravel = ravel_nest([array(y0), array(t), list(args)])
    rate = (lambda y, s, *args: func(s, y, *args)) if tfirst else func
    return _solver(rate, unravel, options, unit)(given)


def _solver(func, unravel, options, unit):
    """The op of the whole integration, of the vector of the start, the times and the arguments."""

    @op(name="odeint")
    def solved(given):
        y0, t, args = unravel(given)
        rate = lambda y, s: free_array(array(func(y, s, *args)), "odeint", "func", "args")  # noqa: E731
        y, told = si.odeint(rate, y0, t, full_output=True, **options)
        if not told["message"].startswith(_FOUND):
            raise RuntimeError(f"odeint: {told['message']}")
        return y

    @solved.vjp("given")
    def _(g, out, given):
        """From the last time to the first: the state is y, dJ/dy, dJ/dt and dJ/dargs; func's VJP gives their rates."""
        scale = unit(g)
        g, (_, t, args) = g / scale, unravel(given)
        parameters, unravel_args = ravel_nest(args)
        n = out.shape[1]

        def slope(y, s, p):
            return np.ravel(array(func(y, s, *unravel_args(p))))

        def backwards(state, s, p):
            rate, pullback = vjp(slope, state[:n], s, p)
            to_y, to_s, to_p = pullback(-state[n : 2 * n])
            return np.concatenate([rate, to_y, np.reshape(to_s, 1), to_p])

        dy, dt, dp, moved = g[-1], np.zeros(1), np.zeros(parameters.size), []
        for i in range(t.size - 1, 0, -1):
            moved.append(np.reshape(slope(out[i], t[i], parameters) @ g[i], 1))
            start = np.concatenate([out[i], dy, dt - moved[-1], dp])
            state = solution(backwards, start, np.stack([t[i], t[i - 1]]), (parameters,), False, options, unit)[1]
            dy, dt, dp = state[n : 2 * n] + g[i - 1], state[2 * n : 2 * n + 1], state[2 * n + 1 :]
        return scale * np.concatenate([dy, dt, *moved[::-1], dp])

    return solved


def __getattr__(name):
    """Any other function is SciPy's own."""
    return getattr(si, name)
