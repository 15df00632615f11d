"""Elementwise arithmetic: one row an op, its NumPy function beside its VJPs.

Each op acts entry by entry, so its Jacobian is diagonal (derivation, section 3.1.4) and the
VJP is g times the derivative of one entry. A = out. Broadcasting is undone by the sweep.
"""

import numpy as np

from ..operation import elementwise, implements, op

add = elementwise(
    np.add,
    "A = X1 + X2: dA/dX1 = dA/dX2 = 1.",
    x1=lambda g, a, x1, x2: g,
    x2=lambda g, a, x1, x2: g,
)
subtract = elementwise(
    np.subtract,
    "A = X1 - X2: dA/dX1 = 1, dA/dX2 = -1.",
    x1=lambda g, a, x1, x2: g,
    x2=lambda g, a, x1, x2: -g,
)
multiply = elementwise(
    np.multiply,
    "A = X1 * X2, entry by entry: dA/dX1 = X2, dA/dX2 = X1.",
    x1=lambda g, a, x1, x2: g * x2,
    x2=lambda g, a, x1, x2: g * x1,
)
divide = elementwise(
    np.divide,
    "A = X1 / X2: dA/dX1 = 1 / X2, dA/dX2 = -X1 / X2**2 = -A / X2.",
    x1=lambda g, a, x1, x2: g / x2,
    x2=lambda g, a, x1, x2: -g * a / x2,
)
negative = elementwise(np.negative, "A = -X: dA/dX = -1.", x=lambda g, a, x: -g)
positive = elementwise(np.positive, "A = +X: dA/dX = 1.", x=lambda g, a, x: g)
exp = elementwise(np.exp, "A = e**X: dA/dX = A.", x=lambda g, a, x: g * a)
log = elementwise(np.log, "A = ln X: dA/dX = 1 / X; inf at 0.", x=lambda g, a, x: g / x)
sqrt = elementwise(np.sqrt, "A = X**(1/2): dA/dX = 1 / (2 A); inf at 0.", x=lambda g, a, x: g / (2 * a))
tanh = elementwise(
    np.tanh,
    "A = tanh(X), the document's activation: dA/dX = 1 - A**2 (section 3.1.4).",
    x=lambda g, a, x: g * (1 - a * a),
)
abs = elementwise(
    np.absolute,
    "A = |X|: dA/dX = sign(X); 0 at 0.",
    name="abs",
    x=lambda g, a, x: g * np.sign(x),
)
sign = elementwise(
    np.sign,
    "A = sign(X), piecewise constant: dA/dX = 0, NaN where X is.",
    x=lambda g, a, x: g * (a - a),
)
maximum = elementwise(
    np.maximum,
    "A = max(X1, X2): the greater one gets g; a tie is split equally.",
    x1=lambda g, a, x1, x2: np.where(x1 == x2, g / 2, np.where(x1 < x2, 0, g)),
    x2=lambda g, a, x1, x2: np.where(x1 == x2, g / 2, np.where(x2 < x1, 0, g)),
)
minimum = elementwise(
    np.minimum,
    "A = min(X1, X2): the smaller one gets g; a tie is split equally.",
    x1=lambda g, a, x1, x2: np.where(x1 == x2, g / 2, np.where(x1 > x2, 0, g)),
    x2=lambda g, a, x1, x2: np.where(x1 == x2, g / 2, np.where(x2 > x1, 0, g)),
)


@implements(np.power)
@op
def power(x1, x2):
    """A = X1**X2, entry by entry.

    dA/dX1 = X2 * X1**(X2 - 1); 0 where X2 = 0, at X1 = 0 too.
    dA/dX2 = A * ln X1; 0 at X1 = 0 for X2 > 0, where A = 0.
    A base of 0 under the exponent 0 (or under the logarithm) is replaced by 1, so that
    neither these nor their own derivatives meet 0 * inf.
    """
    return x1**x2


@power.vjp("x1")
def _(g, a, x1, x2):
    base = np.where((x1 == 0) & (x2 == 0), 1, x1) if np.any(x2 == 0) else x1
    return g * x2 * base ** (x2 - 1)


@power.vjp("x2")
def _(g, a, x1, x2):
    return g * a * np.log(np.where((x1 == 0) & (x2 > 0), 1, x1))


@implements(np.where)
@op
def where(condition, x, y):
    """A = X where the condition holds, else Y, entry by entry.

    The branch not taken gets 0, also where it is NaN or inf: the VJP selects, it never multiplies.
    """
    return np.where(condition, x, y)


@where.vjp("x")
def _(g, a, condition, x, y):
    return np.where(condition, g, 0)


@where.vjp("y")
def _(g, a, condition, x, y):
    return np.where(condition, 0, g)


@implements(np.clip)
@op
def clip(a, a_min=None, a_max=None):
    """A limited to [a_min, a_max]: dA/da = 1 inside and on a bound, 0 outside (NaN stays NaN).

    The bounds are data: a Tensor that needs a gradient is refused there.
    """
    return np.clip(a, a_min, a_max)


@clip.vjp("a")
def _(g, out, a, a_min, a_max):
    below = False if a_min is None else a < a_min
    above = False if a_max is None else a > a_max
    return np.where(below | above, 0, g)


@op
def astype(x, dtype):
    """X in another floating-point dtype. The sweep casts each gradient to its argument's dtype."""
    return x.astype(dtype)


@astype.vjp("x")
def _(g, a, x, dtype):
    return g
