"""Compare gradient checkers: `python benchmarks/checkers.py` gives right and wrong VJPs to those that are installed.

A case is a NumPy function and its VJP, given to each library as its own custom operation and
checked with its own checker at its default settings. A good VJP that is refused is a false alarm, a bad one
that is accepted a miss. Checkers: minigrad.testing.check_vjp, torch.autograd.gradcheck,
autograd.test_util.check_grads, jax.test_util.check_grads.
"""

import importlib.util
import itertools
import time
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from minigrad.testing import check_vjp


class Case(NamedTuple):
    """`make` returns a new function of arrays and its VJP, vjp(g, y, *x), which returns a tuple."""

    name: str
    good: bool
    make: Callable
    x: tuple


line = np.linspace(-1.5, 1.6, 12).reshape(3, 4)
calls = itertools.count()


def _softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _softmax_vjp(g, a, z):
    return (a * (g - (g * a).sum(-1, keepdims=True)),)


def _constant(forward, vjp):
    return lambda: (forward, vjp)


def _doubled(g, y, x):
    v = 2 * g * x
    v[17, 31] *= 2
    return (v,)


def _writes_to(position):
    def vjp(g, y, x):
        v = g * np.cos(x)
        (g, y, x)[position][...] *= 0.5
        return (v,)

    return vjp


def _with_buffer():
    buffer = np.empty_like(line)
    return np.sin, lambda g, y, x: (np.multiply(g, np.cos(x), out=buffer),)


def _cosine(factor):
    return lambda g, y, x: (g * np.cos(x) * factor,)


CASES = [
    Case("sin", True, _constant(np.sin, _cosine(1)), (line,)),
    Case(
        "product, broadcast",
        True,
        _constant(np.multiply, lambda g, y, a, b: (g * b, (g * a).sum(0))),
        (line, line[0] + 2),
    ),
    Case("softmax", True, _constant(_softmax, _softmax_vjp), (line,)),
    Case("log over 6 decades", True, _constant(np.log, lambda g, y, x: (g / x,)), (np.geomspace(1e-3, 1e3, 12),)),
    Case(
        "1e6 * tanh", True, _constant(lambda x: 1e6 * np.tanh(x), lambda g, y, x: (g * 1e6 / np.cosh(x) ** 2,)), (line,)
    ),
    Case(
        "1e-7 * tanh",
        True,
        _constant(lambda x: 1e-7 * np.tanh(x), lambda g, y, x: (g * 1e-7 / np.cosh(x) ** 2,)),
        (line,),
    ),
    Case("matrix product", True, _constant(np.matmul, lambda g, y, a, b: (g @ b.T, a.T @ g)), (line, line.T + 1)),
    Case("norm", True, _constant(lambda x: np.sqrt((x * x).sum()), lambda g, y, x: (g * x / y,)), (line,)),
    Case("x**5", True, _constant(lambda x: x**5, lambda g, y, x: (g * 5 * x**4,)), (line,)),
    Case(
        "maximum with 0, no tie", True, _constant(lambda x: np.maximum(x, 0), lambda g, y, x: (g * (x > 0),)), (line,)
    ),
    Case("sin, 10 % too large", False, _constant(np.sin, _cosine(1.1)), (line,)),
    Case("sin, 1e-4 too large", False, _constant(np.sin, _cosine(1 + 1e-4)), (line,)),
    Case("sin, 1e-6 too large", False, _constant(np.sin, _cosine(1 + 1e-6)), (line,)),
    Case(
        "sin, wrong for negative x",
        False,
        _constant(np.sin, lambda g, y, x: (g * np.cos(x) * np.where(x < 0, 2, 1),)),
        (line,),
    ),
    Case(
        "one doubled entry of 3,600",
        False,
        _constant(np.square, _doubled),
        (np.linspace(-2, 2.5, 3600).reshape(60, 60),),
    ),
    Case("0 for 1e-7 * tanh", False, _constant(lambda x: 1e-7 * np.tanh(x), lambda g, y, x: (0 * g,)), (line,)),
    Case("0 for softmax", False, _constant(_softmax, lambda g, y, x: (0 * g,)), (line,)),
    Case("ignores the upstream gradient", False, _constant(np.sin, lambda g, y, x: (np.cos(x),)), (line,)),
    Case(
        "float32 for float64", False, _constant(np.sin, lambda g, y, x: ((g * np.cos(x)).astype(np.float32),)), (line,)
    ),
    Case("writes to its argument", False, _constant(np.sin, _writes_to(2)), (line,)),
    Case("writes to the upstream gradient", False, _constant(np.sin, _writes_to(0)), (line,)),
    Case("two gradients, one memory", False, _constant(np.add, lambda g, y, a, b: (g, g)), (line, line + 1)),
    Case("a buffer kept between calls", False, _with_buffer, (line,)),
    Case(
        "not deterministic",
        False,
        _constant(np.sin, lambda g, y, x: (g * np.cos(x) * (1 + 1e-9 * next(calls)),)),
        (line,),
    ),
    Case(
        "no sum over a broadcast axis",
        False,
        _constant(np.multiply, lambda g, y, a, b: (g * b, g * a)),
        (line, line[0] + 2),
    ),
]


def by_minigrad(case):
    """Check with minigrad."""
    forward, vjp = case.make()
    check_vjp(forward, *case.x, vjp=vjp)


def by_torch(case):
    """Check with PyTorch, as a torch.autograd.Function."""
    import torch

    forward, vjp = case.make()

    class Custom(torch.autograd.Function):
        @staticmethod
        def forward(context, *x):
            y = torch.from_numpy(np.array(forward(*(a.numpy() for a in x))))
            context.save_for_backward(y, *x)
            return y

        @staticmethod
        def backward(context, g):
            y, *x = (a.detach().numpy() for a in context.saved_tensors)
            return tuple(torch.from_numpy(np.asarray(v)) for v in vjp(g.numpy(), y, *x))

    torch.autograd.gradcheck(Custom.apply, [torch.tensor(a, requires_grad=True) for a in case.x])


def by_autograd(case):
    """Check with autograd, as a primitive."""
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    forward, vjp = case.make()
    custom = primitive(forward)
    pulls = [lambda y, *x, i=i: lambda g: vjp(np.array(g), y, *x)[i] for i in range(len(case.x))]
    defvjp(custom, *pulls)
    check_grads(lambda *x: custom(*x), modes=["rev"], order=1)(*map(np.array, case.x))


def by_jax(case):
    """Check with JAX, as a custom_vjp that calls back to NumPy."""
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    forward, vjp = case.make()
    like = lambda a: jax.ShapeDtypeStruct(np.shape(a), np.float64)  # noqa: E731
    out = like(forward(*case.x))

    @jax.custom_vjp
    def custom(*x):
        return jax.pure_callback(lambda *x: np.asarray(forward(*map(np.array, x))), out, *x)

    def backward(kept, g):
        y, x = kept
        return jax.pure_callback(lambda *a: tuple(vjp(*map(np.array, a))), tuple(map(like, x)), g, y, *x)

    custom.defvjp(lambda *x: (custom(*x), (custom(*x), x)), backward)
    check_grads(custom, case.x, order=1, modes=["rev"])


CHECKERS = {"minigrad": by_minigrad, "torch": by_torch, "autograd": by_autograd, "jax": by_jax}


def accepted(check, case):
    """Return whether a checker accepts the case; any error is a refusal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            check(case._replace(x=tuple(a.copy() for a in case.x)))
        except Exception:
            return False
    return True


def main():
    """Print the table."""
    checkers = {name: check for name, check in CHECKERS.items() if importlib.util.find_spec(name)}
    misses, alarms, seconds = (dict.fromkeys(checkers, 0) for _ in range(3))
    print(f"{'':36}" + "".join(f"{name:>12}" for name in checkers))
    for case in CASES:
        cells = []
        for name, check in checkers.items():
            np.random.seed(0)  # noqa: NPY002 (autograd's checker uses it)
            start = time.perf_counter()
            passed = accepted(check, case)
            seconds[name] += time.perf_counter() - start
            misses[name] += passed and not case.good
            alarms[name] += not passed and case.good
            cells.append("ok" if passed == case.good else "FALSE ALARM" if case.good else "MISSED")
        print(f"{'good' if case.good else 'bad ':5}{case.name:31}" + "".join(f"{cell:>12}" for cell in cells))
    for title, counts in (("misses", misses), ("false alarms", alarms)):
        print(f"{title:36}" + "".join(f"{count:>12}" for count in counts.values()))
    print(f"{'seconds':36}" + "".join(f"{s:>12.2f}" for s in seconds.values()))


if __name__ == "__main__":
    main()
