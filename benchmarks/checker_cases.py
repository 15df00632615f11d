"""Functions with right and wrong VJPs, for benchmarks/checkers.py.

Each is a NumPy function and vjp(g, y, *x), which returns a tuple. The wrong ones have mistakes that people make, and
mistakes that a checker overlooks; the right ones look wrong to a checker that is not careful.
"""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from minigrad.testing import strategies as s


class Case(NamedTuple):
    """A function of arrays and its VJP; `make` gives both afresh.

    x is the one input that checkers of one input get, `draws` what gradtest draws from.
    """

    name: str
    good: bool
    make: Callable[[], tuple[Callable, Callable]]
    x: tuple[np.ndarray, ...]
    draws: st.SearchStrategy


line = np.linspace(-1.5, 1.6, 12).reshape(3, 4)
square = line[:, :3].copy()
any_shape, matrices, pairs = s.tensors(), s.tensors(min_dims=2, max_dims=2, min_side=1), s.broadcastable(2)
filled = s.tensors(min_dims=1, min_side=1)
squares = st.integers(1, 4).flatmap(lambda n: s.tensors((n, n)))
CASES: list[Case] = []


def add(name, good, forward, vjp, x=(line,), draws=any_shape):
    """A function without state."""
    CASES.append(Case(name, good, lambda: (forward, vjp), x, draws))


def add_made(name, good, make, x=(line,), draws=any_shape):
    """A function with state of its own, made afresh for each checker."""
    CASES.append(Case(name, good, make, x, draws))


def summed(v, x):
    """Undo a broadcast: sum v to the shape of x."""
    v = v.sum(tuple(range(v.ndim - x.ndim)))
    return v.sum(tuple(i for i, n in enumerate(x.shape) if n == 1), keepdims=True)


def averaged(v, x):
    """The mistake: means in place of sums."""
    return summed(v, x) * (x.size / max(v.size, 1))


def softmax(z):
    """Over the last axis."""
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def softmax_vjp(g, a, z):
    """Its right VJP."""
    return (a * (g - (g * a).sum(-1, keepdims=True)),)


def cosine(factor=1.0):
    """The VJP of sin, times a factor."""
    return lambda g, y, x: (g * np.cos(x) * factor,)


def along_last(v, x):
    """Spread v along the last axis of x."""
    return np.broadcast_to(v[..., None], x.shape).copy()


def scattered(g, x, index):
    """Add g to the indexed entries of zeros like x."""
    v = np.zeros_like(x)
    np.add.at(v, index, g)
    return v


def every_second(x):
    """A mask of zeros and twos."""
    return (np.arange(x.size).reshape(x.shape) % 2 * 2).astype(x.dtype)


# right
row = (line, line[0] + 2)
outer = (line[:, :1] + 2, line[:1] + 3)
two = (line, line + 3)
add("sin", True, np.sin, cosine())
add("product, broadcast", True, np.multiply, lambda g, y, a, b: (summed(g * b, a), summed(g * a, b)), row, pairs)
add("softmax", True, softmax, softmax_vjp, draws=filled)
decades = (np.geomspace(1e-3, 1e3, 12),)
add("log over 6 decades", True, np.log, lambda g, y, x: (g / x,), decades, s.tensors(domain=(0.5, 1.5)))
add("1e6 * tanh", True, lambda x: 1e6 * np.tanh(x), lambda g, y, x: (g * 1e6 / np.cosh(x) ** 2,))
add("1e-7 * tanh", True, lambda x: 1e-7 * np.tanh(x), lambda g, y, x: (g * 1e-7 / np.cosh(x) ** 2,))
add("matrix product", True, np.matmul, lambda g, y, a, b: (g @ b.T, a.T @ g), (line, line.T + 1),
    matrices.flatmap(lambda a: st.tuples(st.just(a), s.tensors((a.shape[1], 2)))))  # fmt: skip
add("norm", True, lambda x: np.sqrt((x * x).sum()), lambda g, y, x: (g * x / y,), draws=s.tensors(min_side=1, gap=True))
add("x**5", True, lambda x: x**5, lambda g, y, x: (g * 5 * x**4,))
apart = s.tensors(gap=True)
add("maximum with 0, no tie", True, lambda x: np.maximum(x, 0), lambda g, y, x: (g * (x > 0),), draws=apart)
add("exp at 80 and -200", True, np.exp, lambda g, y, x: (g * y,), (np.array([80.0, -200.0, 1.0]),))
add("exp beyond float32", True, np.exp, lambda g, y, x: (g * y,), (np.array([100.0, 1.0]),))
add("square beyond float32", True, np.square, lambda g, y, x: (2 * g * x,), (np.array([1e20, 1.0]),))
add("sum over an axis", True, lambda x: x.sum(-1), lambda g, y, x: (along_last(g, x),), draws=filled)
add("mean over an axis", True, lambda x: x.mean(-1), lambda g, y, x: (along_last(g, x) / x.shape[-1],), draws=filled)
add("variance", True, lambda x: x.var(-1), lambda g, y, x: (
    along_last(g, x) * 2 * (x - x.mean(-1, keepdims=True)) / x.shape[-1],), draws=filled)  # fmt: skip
add("maximum over an axis", True, lambda x: x.max(-1), lambda g, y, x: (
    along_last(g, x) * (x == y[..., None]),), draws=s.tensors(min_dims=1, min_side=1, gap=True))  # fmt: skip
add("cumulative sum", True, lambda x: x.cumsum(-1), lambda g, y, x: (g[..., ::-1].cumsum(-1)[..., ::-1],), draws=filled)
add("gather, repeated index", True, lambda x: x[np.array([0, 0, -1])],
    lambda g, y, x: (scattered(g, x, np.array([0, 0, -1])),), draws=filled)  # fmt: skip
add("every second, backwards", True, lambda x: x[..., ::-2],
    lambda g, y, x: (scattered(g, x, (..., slice(None, None, -2))),), draws=filled)  # fmt: skip
add("quotient, broadcast", True, np.divide, lambda g, y, a, b: (summed(g / b, a), summed(-g * y / b, b)), row,
    s.broadcastable(2, domain=[(-2, 2), (0.25, 2)]))  # fmt: skip
add("outer sum", True, np.add, lambda g, y, a, b: (summed(g, a), summed(g, b)), outer, pairs)
add("sigmoid", True, lambda z: 1 / (1 + np.exp(-z)), lambda g, a, z: (g * a * (1 - a),))
add("saturated tanh", True, np.tanh, lambda g, a, z: (g * (1 - a * a),), (np.array([-18.0, 9.0, 20.0]),))
add("normalised number", True, lambda x: x / np.abs(x), lambda g, y, x: (0 * g,), draws=apart)
add("sin + 1000", True, lambda x: np.sin(x) + 1000, cosine())
add("logsumexp", True, lambda z: np.log(np.exp(z).sum(-1)), lambda g, y, z: (
    g[..., None] * np.exp(z - y[..., None]),), draws=filled)  # fmt: skip
add("transpose", True, lambda x: 2 * x.T, lambda g, y, x: (2 * g.T,))
add("selected by where", True, lambda x: np.where(x > 0, x * x, x), lambda g, y, x: (
    g * np.where(x > 0, 2 * x, 1),), draws=apart)  # fmt: skip
add("fixed dropout mask", True, lambda x: x * every_second(x), lambda g, y, x: (g * every_second(x),))
add("constant", True, lambda x: np.full(x.shape, 2, x.dtype), lambda g, y, x: (np.zeros_like(x),))
long = (np.random.default_rng(0).normal(size=5000),)
add("long cancelling sum", True, lambda x: np.sum(x), lambda g, y, x: (np.full_like(x, g),), long)
add("reciprocal", True, np.reciprocal, lambda g, y, x: (-g * y * y,), draws=apart)


def in_blocks(g, y, x):
    """The VJP of sin, three entries at a time; the blocks of g that are 0 are left out."""
    v = np.zeros_like(x)
    for i in range(0, x.size, 3):
        part = g.flat[i : i + 3]
        if part.any():
            v.flat[i : i + 3] = part * np.cos(x.flat[i : i + 3])
    return (v,)


def scaled_in_float32(g, y, x):
    """The VJP of 3 x, through float32 of g divided by its largest entry, with the rest added."""
    scale = np.max(np.abs(g), initial=0) or 1
    small = (g / scale).astype(np.float32)
    return ((3 * (small * scale + (g - small * scale))).astype(x.dtype),)


def by_logarithms(g, y, x):
    """The VJP of exp, as exp(log|g| + x)."""
    with np.errstate(divide="ignore"):
        return (np.sign(g) * np.exp(np.log(np.abs(g)) + x),)


add("in blocks", True, np.sin, in_blocks)
add("float32 inside", True, lambda x: 3 * x, scaled_in_float32)
add("exp by logarithms", True, np.exp, by_logarithms)
add("on the brink of overflow", True, lambda x: 2 * x, lambda g, y, x: (2e-36 * (1e36 * g),))
add("on the brink of underflow", True, lambda x: 2 * x, lambda g, y, x: (2e36 * (1e-36 * g),))
add("square of a small number", True, lambda x: (1e-150 * x) ** 2, lambda g, y, x: (g * 2e-300 * x,))
add("complex product", True, lambda z: z * (1 + 2j), lambda g, y, z: (g * (1 + 2j),), (line + 1j * line[::-1],),
    any_shape.map(lambda a: a + 1j * np.cos(a)))  # fmt: skip

# wrong by a factor, everywhere or somewhere
add("sin, 10 % too large", False, np.sin, cosine(1.1))
add("sin, 1e-4 too large", False, np.sin, cosine(1 + 1e-4))
add("sin, 1e-6 too large", False, np.sin, cosine(1 + 1e-6))
add("opposite sign", False, np.sin, cosine(-1.0))
add("sin, wrong for negative x", False, np.sin, lambda g, y, x: (g * np.cos(x) * np.where(x < 0, 2, 1),))
add("sin, wrong beyond 1.5", False, np.sin, lambda g, y, x: (g * np.cos(x) * np.where(np.abs(x) > 1.5, 1.01, 1),))
many = (np.linspace(-2, 2.5, 3600).reshape(60, 60),)


def doubled(g, y, x):
    """The VJP of a square, but for one entry."""
    v = 2 * g * x
    v.flat[v.size // 2 : v.size // 2 + 1] *= 2
    return (v,)


add("one doubled entry of 3,600", False, np.square, doubled, many)
wide = (np.random.default_rng(1).normal(size=(20, 25, 10)),)
add("1.001 times, 5,000 entries", False, np.sin, cosine(1.001), wide)
add("0 for 1e-7 * tanh", False, lambda x: 1e-7 * np.tanh(x), lambda g, y, x: (0 * g,))
add("0 for softmax", False, softmax, lambda g, y, x: (0 * g,), draws=filled)
add("0 for log at 1e6", False, np.log, lambda g, y, x: (0 * g,), (np.linspace(1e6, 2e6, 6),), s.tensors(domain=(1, 2)))
add("a difference quotient", False, np.sin, lambda g, y, x: (g * (np.sin(x + 1e-4) - y) / 1e-4,))
add("tanh' from a rounded tanh", False, np.tanh, lambda g, a, z: (g * (1 - np.round(a, 4) ** 2),))

# wrong in the upstream gradient
add("ignores the upstream gradient", False, np.sin, lambda g, y, x: (np.cos(x),))
add("square of the upstream gradient", False, np.sin, lambda g, y, x: (g * g * np.cos(x),))
add("absolute upstream gradient", False, np.sin, lambda g, y, x: (np.abs(g) * np.cos(x),))
add("clips a large gradient", False, np.sin, lambda g, y, x: (np.clip(g, -10, 10) * np.cos(x),))
add("clips at 1e6", False, np.sin, lambda g, y, x: (np.clip(g, -1e6, 1e6) * np.cos(x),))
add("drops g below 1e-3", False, np.sin, lambda g, y, x: (np.where(np.abs(g) < 1e-3, 0, g) * np.cos(x),))
add("drops g below its precision", False, np.sin, lambda g, y, x: (
    np.where(np.abs(g) < np.finfo(g.dtype).eps, 0, g) * np.cos(x),))  # fmt: skip
add("drops small g in float32", False, np.sin, lambda g, y, x: (
    np.where(np.abs(g) < (1e-6 if g.dtype == np.float32 else 0), 0, g) * np.cos(x),))  # fmt: skip
add("NaN for a g of 0", False, np.sin, lambda g, y, x: (
    g / np.sqrt(np.sum(g * g)) * np.sqrt(np.sum(g * g)) * np.cos(x),))  # fmt: skip
add("a norm with a small constant", False, np.sin, lambda g, y, x: (
    g * (1 - 1e-14 / (1e-14 + np.sqrt(np.sum(g * g)))) * np.cos(x),))  # fmt: skip
add("drops small parts of complex g", False, lambda z: z * (1 + 2j), lambda g, y, z: (
    np.where(np.abs(g.imag) < 1e-8, g.real, g) * (1 + 2j),), (line + 1j * line[::-1],),
    any_shape.map(lambda a: a + 1j * np.cos(a)))  # fmt: skip
add("wrong for a one-hot g", False, np.sin, lambda g, y, x: (
    g * np.cos(x) * (2 if np.count_nonzero(g) == 1 < g.size else 1),), (np.linspace(-1, 1, 64),))  # fmt: skip
add("wrong where g has zeros", False, np.sin, lambda g, y, x: (
    g * np.cos(x) * (1 + (g == 0).any() * np.arange(g.size).reshape(g.shape)),), (np.linspace(-1, 1, 64),))  # fmt: skip
add("drops the mean of g", False, np.sin, lambda g, y, x: ((g - g.mean()) * np.cos(x),))
add("adds a constant", False, np.sin, lambda g, y, x: (g * np.cos(x) + 1e-6,))

# wrong for some shapes
add("no sum over a broadcast axis", False, np.multiply, lambda g, y, a, b: (g * b, g * a), row, pairs)
add("mean over a broadcast axis", False, np.multiply, lambda g, y, a, b: (
    averaged(g * b, a), averaged(g * a, b)), row, pairs)  # fmt: skip
add("wrong if both are stretched", False, np.multiply, lambda g, y, a, b: (
    summed(g * b, a) * (1 + (a.size < y.size and b.size < y.size)), summed(g * a, b)), row, pairs)  # fmt: skip
add("wrong for a bias row", False, np.add, lambda g, y, a, b: (
    summed(g, a), summed(g, b) / (len(a) if a.ndim == 2 and b.ndim == 1 and len(a) else 1)), two, pairs)  # fmt: skip
add("wrong for a number", False, np.add, lambda g, y, a, b: (
    summed(g, a), averaged(g, b) if b.ndim == 0 else summed(g, b)), two, pairs)  # fmt: skip
add("transposed if square", False, lambda x: x.T @ x, lambda g, y, x: (
    (x @ (g + g.T)).T if x.shape[0] == x.shape[1] else x @ (g + g.T),), draws=matrices)  # fmt: skip
add("sum over the wrong axis", False, lambda x: x.sum(0), lambda g, y, x: (along_last(g, x),), (square,), squares)
add("only right for matrices", False, lambda x: x.sum(-1), lambda g, y, x: (
    along_last(g, x) * (1 if x.ndim < 3 else 2),), draws=filled)  # fmt: skip
add("wrong for an axis of length 1", False, np.sin, lambda g, y, x: (
    g * np.cos(x) * (2 if 1 in x.shape else 1),))  # fmt: skip
add("wrong for a number only", False, np.sin, lambda g, y, x: (g * np.cos(x) * (2 if x.ndim == 0 else 1),))
add("raises for an empty array", False, np.sin, lambda g, y, x: (g * np.cos(x) * np.min(x * 0 + 1),))
add("shifted by one", False, lambda x: x[1:], lambda g, y, x: (
    np.concatenate([g, 0 * x[:1]]),), draws=filled)  # fmt: skip
add("reversed", False, np.sin, lambda g, y, x: ((g * np.cos(x))[::-1].copy(),), draws=filled)
add("right at the inner entries", False, np.sin, lambda g, y, x: (
    np.where(np.arange(x.shape[-1]) < x.shape[-1] - 1, g * np.cos(x), 0),), draws=filled)  # fmt: skip
add("overwrites repeated entries", False, lambda x: x[np.array([0, 0, -1])],
    lambda g, y, x: (overwritten(g, x, np.array([0, 0, -1])),), draws=filled)  # fmt: skip
add("cumulative sum not reversed", False, lambda x: x.cumsum(-1), lambda g, y, x: (g.cumsum(-1),), draws=filled)
add("mean without 1/n", False, lambda x: x.mean(-1), lambda g, y, x: (along_last(g, x),), draws=filled)
add("variance without its mean", False, lambda x: x.var(-1), lambda g, y, x: (
    along_last(g, x) * 2 * x / x.shape[-1],), draws=filled)  # fmt: skip
add("softmax without its projection", False, softmax, lambda g, a, z: (a * g,), draws=filled)
add("norm without its division", False, lambda x: np.sqrt((x * x).sum()), lambda g, y, x: (g * x,),
    draws=s.tensors(min_side=1, gap=True))  # fmt: skip
add("product without a transpose", False, np.matmul, lambda g, y, a, b: (g @ b, a.T @ g), (square, square + 1),
    squares.flatmap(lambda a: st.tuples(st.just(a), s.tensors(a.shape))))  # fmt: skip
add("gradients swapped", False, np.multiply, lambda g, y, a, b: (g * a, g * b), two,
    any_shape.flatmap(lambda a: st.tuples(st.just(a), s.tensors(a.shape))))  # fmt: skip
add("second gradient forgotten", False, np.multiply, lambda g, y, a, b: (summed(g * b, a), 0 * b), two, pairs)


def overwritten(g, x, index):
    """The mistake: write where it should add."""
    v = np.zeros_like(x)
    v[index] = g
    return v


# dtypes
add("float32 for float64", False, np.sin, lambda g, y, x: ((g * np.cos(x)).astype(np.float32),))
add("rounded to float32", False, np.sin, lambda g, y, x: ((g * np.cos(x)).astype(np.float32).astype(x.dtype),))
add("float64 for float32", False, np.sin, lambda g, y, x: (g * np.cos(x) * np.float64(1),))
add("float16 inside, for float32", False, np.sin, lambda g, y, x: (
    (g * np.cos(x)).astype(np.float16).astype(x.dtype) if x.dtype == np.float32 else g * np.cos(x),))  # fmt: skip


def sine_with_an_error(x):
    """A sine that is 5 % off in an entry or two, in float32."""
    y = np.sin(x)
    if x.dtype == np.float32:
        y.flat[: y.size // 2 + 1 : max(y.size // 2, 1)] *= np.float32(1.05)
    return y


many_normal = (np.random.default_rng(2).normal(size=5000),)
add("float32 value 5 % off in an entry", False, sine_with_an_error, cosine(), many_normal)


# side effects and memory
def writes_to(position, factor):
    """The VJP of sin, which multiplies one of (g, y, x) in place."""

    def vjp(g, y, x):
        v = g * np.cos(x)
        (g, y, x)[position][...] *= factor
        return (v,)

    return vjp


for title, position in (("the upstream gradient", 0), ("the output", 1), ("its argument", 2)):
    add(f"writes to {title}", False, np.sin, writes_to(position, 0.5))
    add(f"same values into {title}", False, np.sin, writes_to(position, 1.0))
add("the function writes to x", False, lambda x: np.sin(x, out=x), lambda g, y, x: (g * np.cos(x),))
add("two gradients, one memory", False, np.add, lambda g, y, a, b: (g, g), two,
    any_shape.flatmap(lambda a: st.tuples(st.just(a), s.tensors(a.shape))))  # fmt: skip
add("returns its argument", False, lambda x: 0.5 * np.sum(x * x), lambda g, y, x: (x,), draws=filled)


def with_buffer():
    """A VJP that returns the same memory in every call."""
    buffers = {}

    def vjp(g, y, x):
        buffer = buffers.setdefault((x.shape, x.dtype), np.empty_like(x))
        return (np.multiply(g, np.cos(x), out=buffer),)

    return np.sin, vjp


add_made("a buffer kept between calls", False, with_buffer)


# state
def keeps_the_mask():
    """A VJP that uses the mask of the last forward."""
    kept = {}

    def forward(x):
        kept["mask"] = x > 0
        return np.where(kept["mask"], x, 0)

    return forward, lambda g, y, x: (g * kept["mask"],)


def caches(key, of_gradient):
    """A result that is computed once for each key."""

    def make():
        kept = {}
        function = np.cos if of_gradient else np.sin

        def cached(x):
            return kept.setdefault((key(x), x.dtype), function(x)).copy()

        return (np.sin, lambda g, y, x: (g * cached(x),)) if of_gradient else (cached, cosine())

    return make


def not_deterministic():
    """A VJP that changes a little from call to call."""
    calls = itertools.count()
    return np.sin, lambda g, y, x: (g * np.cos(x) * (1 + 1e-9 * next(calls)),)


def new_mask():
    """A VJP that draws another dropout mask than the forward."""
    generator = np.random.default_rng(0)
    return lambda x: 2 * x, lambda g, y, x: (g * 4 * generator.integers(0, 2, x.shape),)


def wrong_once(calls_before):
    """A VJP that is wrong in one call."""

    def make():
        calls = itertools.count()
        return np.sin, lambda g, y, x: (g * np.cos(x) * (2 if next(calls) == calls_before else 1),)

    return make


add_made("keeps the mask of the last input", False, keeps_the_mask, draws=s.tensors(gap=True, min_side=1))
add_made("gradient cached by shape", False, caches(np.shape, True))
add_made("value cached by shape", False, caches(np.shape, False))
add_made("gradient cached by its first entry", False, caches(lambda x: (x.shape, *x.ravel()[:1]), True))
add_made("not deterministic", False, not_deterministic)
add_made("another dropout mask", False, new_mask)
add_made("wrong at the second call", False, wrong_once(1))
add("right for contiguous arrays", False, np.sin, lambda g, y, x: (
    g * np.cos(x) if x.flags.c_contiguous and g.flags.c_contiguous else 0 * g,))  # fmt: skip
add("wrong for a g with strides of 0", False, np.sin, lambda g, y, x: (
    g * np.cos(x) * (2 if 0 in g.strides else 1),), draws=s.tensors(min_dims=1, min_side=2))  # fmt: skip

# no gradient at all
add("no return", False, np.sin, lambda g, y, x: (None,))
add("raises an error", False, np.sin, lambda g, y, x: ({}[0],))
add("NaN in an entry", False, np.sin, lambda g, y, x: (
    np.where(np.arange(x.size).reshape(x.shape) == 1, np.nan, g * np.cos(x)),))  # fmt: skip
