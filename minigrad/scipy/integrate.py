"""odeint, whose gradient is the solution of the adjoint equation, integrated backwards.

Source: R. Chen, Y. Rubanova, J. Bettencourt and D. Duvenaud, "Neural ordinary differential equations", 2018.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate as si

from ..nest import ravel_nest
from ..operation import array_of, op
from ..transforms import vjp
from ..typing import Array

__all__ = ["odeint"]


def odeint(func: Callable, y0: Array, t: Array, args: tuple = (), **options: Any) -> Array:
    """The solution of dy/dt = func(y, t, *args) at the times t, from y0, a vector, at t[0]: one row a time.

    y0, t and args are differentiated, once; the gradient itself is computed by numbers.

    >>> mg.scipy.integrate.odeint(lambda y, t: -y, np.ones(1), np.array([0.0, 1.0])).round(6)[1]
    array([0.367879])
    """
    parameters, unravel = ravel_nest(list(args))
    solve = _solver(func, unravel, options)
    return solve(y0, t, parameters)


def _solver(func, unravel, options):
    """The op of the whole integration, of the start, the times, and the vector of the arguments."""

    def slope(y, t, p):
        return func(y, t, *unravel(p))

    @op(name="odeint")
    def solved(y0, t, p):
        return si.odeint(lambda y, s: array_of(slope(y, s, p)), y0, t, **options)

    def adjoint(g, out, t, p):
        """dJ/dy0, dJ/dt and dJ/dp: the state is y, dJ/dy and dJ/dp, from the last time to the first."""
        g, out, t, p = map(array_of, (g, out, t, p))
        n = out.shape[1]

        def backwards(state, s):
            y, dy = state[:n], state[n : 2 * n]
            rate, pullback = vjp(lambda y, p: slope(y, float(s), p), y, p)
            to_y, to_p = pullback(dy)
            return np.concatenate([np.ravel(rate), -to_y, -to_p])

        dy, dp, dt = np.zeros(n), np.zeros(p.size), np.zeros(t.size)
        for i in range(t.size - 1, 0, -1):
            dy = dy + g[i]
            dt[i] = np.dot(g[i], array_of(slope(out[i], t[i], p)))
            state = si.odeint(backwards, np.concatenate([out[i], dy, dp]), np.array([t[i], t[i - 1]]), **options)[1]
            dy, dp = state[n : 2 * n], state[2 * n :]
        dt[0] = -np.dot(dy, array_of(slope(out[0], t[0], p)))
        return dy + g[0], dt, dp

    for position, name in enumerate(("y0", "t", "p")):
        solved.vjp(name, lambda g, out, y0, t, p, position=position: adjoint(g, out, t, p)[position])
    return solved


def __getattr__(name):
    """Any other function is SciPy's own."""
    return getattr(si, name)
