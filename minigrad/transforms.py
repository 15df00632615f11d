"""Functions of functions: grad, vjp, jvp, jacobian, hessian, hvp, checkpoint.

A transform notes the creation number at which it starts. Its sweep enters only what is younger;
what is older belongs to an outer trace, and a result that depends on it is a Tensor of that trace.
"""

import itertools
import math
from functools import partial, wraps
from typing import Any

import numpy as np

from . import tape
from ._tensor import Tensor, make
from .operation import array_of, arraylike, op
from .tape import state


class _Tracing:
    """Record from here on, also under an outer no_grad. Gives the first creation number."""

    def __enter__(self):
        self._outer = state.recording, state.traced_since
        since = tape.next_number()
        state.recording, state.traced_since = True, min(state.traced_since, since)
        return since

    def __exit__(self, *exception):
        state.recording, state.traced_since = self._outer


def _leaves(nest):
    """What hangs in a nest of dicts, lists and tuples, in order."""
    if isinstance(nest, dict):
        nest = nest.values()
    elif not isinstance(nest, (list, tuple)):
        return [nest]
    return [leaf for part in nest for leaf in _leaves(part)]


def _rebuilt(nest, leaves):
    """The same nest around other leaves, taken from an iterator."""
    if isinstance(nest, dict):
        return {key: _rebuilt(part, leaves) for key, part in nest.items()}
    if isinstance(nest, (list, tuple)):
        parts = [_rebuilt(part, leaves) for part in nest]
        return type(nest)(*parts) if hasattr(nest, "_fields") else type(nest)(parts)
    return next(leaves)


def _like(what, nest, like):
    """The leaves of `nest` in the order of `like`, which it must be built as, of the same shapes and dtypes."""
    if isinstance(like, dict):
        if not isinstance(nest, dict) or nest.keys() != like.keys():
            given = list(nest) if isinstance(nest, dict) else type(nest).__name__
            raise ValueError(f"{what} must have the keys {list(like)}, not {given}")
        return [leaf for key in like for leaf in _like(what, nest[key], like[key])]
    if isinstance(like, (list, tuple)):
        if not isinstance(nest, (list, tuple)) or len(nest) != len(like):
            raise ValueError(f"{what} must be a list or tuple of {len(like)}, not {nest!r}")
        return [leaf for a, b in zip(nest, like, strict=True) for leaf in _like(what, a, b)]
    leaf, like = arraylike(nest), arraylike(like)
    if leaf.shape != like.shape:
        raise ValueError(f"{what} must have shape {like.shape}, not {leaf.shape}")
    if leaf.dtype.kind not in "fiu":
        raise TypeError(f"{what} must be floating-point, not {leaf.dtype}")
    return [leaf if leaf.dtype == like.dtype else leaf.astype(like.dtype)]


@op
def identity(x):
    """A = X: the door through which an argument of an outer trace enters an inner one."""
    return x


@identity.vjp("x")
def _(g, a, x):
    return g


def _entered(transform, value):
    """A fresh Tensor of this trace around an argument; it stays connected to an outer trace."""
    outer = value.node if isinstance(value, Tensor) else None
    array = value.data if isinstance(value, Tensor) else np.asarray(value)
    if array.dtype.kind != "f":
        raise TypeError(f"{transform}: only a floating-point argument has a derivative, not {array.dtype} ({value!r})")
    return make(array, tape.record(tape.Node(), identity, (outer,), (array,), {}, array) if outer else tape.leaf(array))


class _Trace:
    """One run of f with fresh Tensors in the chosen places: what each transform is made of.

    y is what f returned; `pull` gives the gradients at the fresh Tensors.
    """

    def __init__(self, transform, f, x, options, chosen):
        self.nest = [x[i] for i in chosen]
        given = _leaves(self.nest)
        self.as_tensor = any(isinstance(leaf, Tensor) for leaf in _leaves([x, options]))
        with _Tracing() as self.since:
            self.inputs = [_entered(transform, leaf) for leaf in given]
            arguments = list(x)
            for i, part in zip(chosen, _rebuilt(self.nest, iter(self.inputs)), strict=True):
                arguments[i] = part
            self.y = f(*arguments, **options)
        self.recorded_outside = state.recording

    def result(self, value):
        """A value for the caller: a Tensor if an outer trace records it or a Tensor came in, else an array."""
        if isinstance(value, Tensor):
            if value.node is not None and self.recorded_outside and tape.leads_older(value.node, self.since):
                return value
            value = value.data
        return make(np.array(value), None) if self.as_tensor else np.array(value)[()]

    def pull(self, ys, gradients):
        """The sum of g . dy/dx over the pairs of y and g, for each fresh Tensor x, in the nest that came in."""
        roots: dict[Any, Any] = {}
        for y, g in zip(ys, gradients, strict=True):
            if isinstance(y, Tensor) and y.node is not None:
                g = g if state.recording else array_of(g)
                roots[y.node] = roots[y.node] + g if y.node in roots else g
        targets = {x.node for x in self.inputs}
        rebuild = make if state.recording else None
        swept = tape.sweep(roots, since=self.since, targets=targets, rebuild=rebuild)
        found = {node: g for node, g in swept if node in targets}
        results = [_detached(found.get(x.node, 0), x, self.as_tensor) for x in self.inputs]
        return _rebuilt(self.nest, iter(results))


def _detached(g, x, as_tensor):
    """A gradient for the caller, of x's shape, in memory of its own; a Tensor stays as it is."""
    if isinstance(g, Tensor):
        return g
    own = np.empty(x.shape, x.dtype)
    own[...] = g
    return make(own, None) if as_tensor else own[()]


def _scalar(transform, y):
    if isinstance(y, (dict, list, tuple)) or y is None or np.size(y) != 1:
        what = f"shape {np.shape(y)}" if isinstance(y, (Tensor, np.ndarray)) else type(y).__name__
        raise ValueError(f"{transform}: the function must return a scalar, not {what}")
    if (y.dtype if isinstance(y, Tensor) else np.asarray(y).dtype).kind not in "fiu":
        raise TypeError(f"{transform}: the function must return a floating-point scalar, not {y!r}")
    return y


def _chosen(transform, argnums, count):
    """The positions that argnums means, non-negative."""
    positions = argnums if isinstance(argnums, tuple) else (argnums,)
    for i in positions:
        if not isinstance(i, (int, np.integer)) or isinstance(i, bool):
            raise TypeError(f"{transform}: argnums must be an int or a tuple of ints, not {argnums!r}")
        if not -count <= i < count:
            raise ValueError(f"{transform}: argnums {argnums} is out of range for {count} positional arguments")
    chosen = [i % count for i in positions]
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"{transform}: argnums {argnums} names an argument twice")
    return chosen


def _check_callable(transform, f):
    if not callable(f):
        raise TypeError(f"{transform}: the first argument must be a function, not {f!r}")


def value_and_grad(f, argnums=0):
    """A function that returns `(f(...), gradient)`: see `grad`."""
    return _differentiated("value_and_grad", f, argnums, with_value=True)


def _differentiated(transform, f, argnums=0, with_value=False):
    _check_callable(transform, f)

    @wraps(f)
    def differentiated(*x, **options):
        trace = _Trace(transform, f, x, options, _chosen(transform, argnums, len(x)))
        y = _scalar(transform, trace.y)
        gradients = trace.pull([y], [np.ones_like(array_of(y))])
        gradient = tuple(gradients) if isinstance(argnums, tuple) else gradients[0]
        return (trace.result(y), gradient) if with_value else gradient

    return differentiated


def grad(f, argnums=0):
    """The function that returns the gradient of the scalar f with respect to the argument (or arguments) `argnums`.

    An argument may be an array, a Python float, or a nest of dicts, lists and tuples of those; its
    gradient is built likewise. Other arguments pass through. An argument that f does not depend on has
    gradient 0. Arrays in, arrays out (a 0-d one as a NumPy scalar); Tensor in, Tensor out; and a
    Tensor where the result depends on what an outer trace records.
    Raises ValueError if f does not return a scalar, TypeError if an argument is not floating-point.
    """
    return _differentiated("grad", f, argnums)


def vjp(f, *x):
    """`(y, pullback)`: y = f(*x), and pullback(g), the tuple of g . dy/dx, one for each argument.

    The arguments and y may be nests of dicts, lists and tuples; g is built like y. The pullback
    may be called any number of times. Arrays in, arrays out; Tensor in, Tensor out.
    Raises TypeError if an argument is not floating-point; the pullback raises ValueError if g has not y's shape.
    """
    return _vjp("vjp", f, x)


def _vjp(transform, f, x):
    _check_callable(transform, f)
    kept = (leaf if isinstance(leaf, Tensor) else np.array(leaf) for leaf in _leaves(x))  # safe from later writes
    x = _rebuilt(x, kept)
    trace = _Trace(transform, f, x, {}, range(len(x)))
    ys = [y if isinstance(y, Tensor) else np.asarray(y) for y in _leaves(trace.y)]

    def pullback(g):
        return tuple(trace.pull(ys, _like(f"{transform}: the gradient given to the pullback", g, trace.y)))

    return _rebuilt(trace.y, map(trace.result, ys)), pullback


def jvp(f, x, v):
    """`(y, dy)`: y = f(*x) and its derivative along v, dy = sum of dy/dx . v; x and v are tuples.

    By two VJPs: pullback(u) is linear in u, so its own pullback is the derivative along v, whatever u is.
    Raises ValueError unless v is shaped as x.
    """
    if not isinstance(x, (tuple, list)) or not isinstance(v, (tuple, list)):
        raise TypeError(f"jvp: x and v must be tuples of arguments, not {type(x).__name__} and {type(v).__name__}")
    v = _rebuilt(x, iter(_like("jvp: v", v, x)))
    y, pullback = _vjp("jvp", f, x)
    for leaf in _leaves(y):
        if arraylike(leaf).dtype.kind != "f":
            raise TypeError(f"jvp: the function must return floating-point values, not {leaf!r}")
    u = _rebuilt(y, (np.zeros(np.shape(leaf), arraylike(leaf).dtype) for leaf in _leaves(y)))
    _, push = _vjp("jvp", pullback, (u,))
    return y, push(tuple(v))[0]


def jacobian(f: Any, argnums: Any = 0) -> Any:
    """The function that returns dY/dX, of the shape of Y followed by the shape of X.

    Where X (or Y) is a nest of dicts, lists and tuples, the result is that nest of arrays, Y's
    outside. One sweep for each entry of Y. Raises as `vjp` does.
    """
    _check_callable("jacobian", f)

    @wraps(f)
    def jacobian_of_f(*x, **options):
        chosen = _chosen("jacobian", argnums, len(x))
        parts = tuple(x[i] for i in chosen)

        def of_chosen(*parts):
            arguments = list(x)
            for i, part in zip(chosen, parts, strict=True):
                arguments[i] = part
            return f(*arguments, **options)

        y, pullback = _vjp("jacobian", of_chosen, parts)
        ys = [arraylike(leaf) for leaf in _leaves(y)]
        blocks = []
        for position, leaf in enumerate(ys):
            sweeps = (pullback(_rebuilt(y, iter(_basis(ys, position, i)))) for i in np.ndindex(leaf.shape))
            rows = [_leaves(gradients) for gradients in sweeps]
            stacked = [_stacked([r[j] for r in rows], leaf, part) for j, part in enumerate(_leaves(parts))]
            block = _rebuilt(parts, iter(stacked))
            blocks.append(block if isinstance(argnums, tuple) else block[0])
        return _rebuilt(y, iter(blocks))

    return jacobian_of_f


def _basis(ys, position, entry):
    """Zeros like each of ys, but 1 at one entry of one of them."""
    basis = [np.zeros(y.shape, y.dtype) for y in ys]
    basis[position][entry] = 1
    return basis


def _stacked(rows, y, x):
    """The gradients of the entries of y as one array."""
    shape = (*y.shape, *np.shape(x))
    if not rows:
        return np.zeros(shape, arraylike(x).dtype)
    return np.reshape(np.stack(rows), shape)[()]


def hessian(f: Any) -> Any:
    """The function that returns the second derivative of the scalar f: the shape of X twice."""
    return jacobian(_differentiated("hessian", f))


def hvp(f: Any, x: Any, v: Any) -> Any:
    """The Hessian of the scalar f at x, times v, without the Hessian: H is symmetric, so it is a VJP of grad(f).

    x is an array or a nest, v is built like it. Raises ValueError unless v is shaped as x.
    """
    _, pullback = _vjp("hvp", _differentiated("hvp", f), (x,))
    return pullback(_rebuilt(x, iter(_like("hvp: v", v, x))))[0]


class _OnceANode:
    """The VJPs of a checkpoint: the first that a sweep asks for at a node computes those of all its arrays."""

    def __getitem__(self, i):
        return _computed_before

    def __iter__(self):
        gradients: list[Any] = []

        def vjp(i, g, y, *arrays, value, recompute):
            if not gradients:
                gradients.extend(recompute(g, y, arrays))
            return gradients[i]

        return (partial(vjp, i) for i in itertools.count())


@op(name="checkpoint")
def _computed_before(*arrays, value, recompute):
    """The value that f gave for these arrays, and how to run f again for its VJP."""
    return value


_computed_before.vjps = _OnceANode()


def checkpoint(f):
    """A function with f's values and derivatives that keeps nothing of f's inside: the sweep runs f again.

    Memory for n steps falls to the order of sqrt(n) where each sqrt(n) of them are one checkpoint;
    the price is a second forward pass. What f closes over receives its gradient too.
    Raises TypeError if f returns anything but one array; RuntimeError, in the sweep, if f gives
    another value the second time (draw random numbers outside).
    """
    _check_callable("checkpoint", f)

    @wraps(f)
    def checkpointed(*x, **options):
        recording = state.recording
        nest = [x, options]
        x, options = _rebuilt(nest, (leaf.copy() if isinstance(leaf, np.ndarray) else leaf for leaf in _leaves(nest)))
        with _Tracing() as since:
            y = f(*x, **options)
        if not isinstance(y, (Tensor, np.ndarray, np.generic, float)):
            raise TypeError(f"checkpoint: the function must return one array, not {type(y).__name__}")
        if not isinstance(y, Tensor) or y.node is None or not recording:
            return make(y.data, None) if isinstance(y, Tensor) else y
        parents = tape.boundary(y.node, since) or {y.node: y.data}

        def recompute(g, output, arrays):
            return _gradients_again(f, x, options, g, output, dict(zip(parents, arrays, strict=True)))

        origins = (make(array, node) for node, array in parents.items())
        return _computed_before(*origins, value=y.data, recompute=recompute)

    return checkpointed


def _gradients_again(f, x, options, g, output, origins):
    """Run f once more and sweep it back to the nodes that it grew from: {node: its array, or Tensor if recorded}."""
    with _Tracing() as since:
        y = f(*x, **options)
    if not getattr(y, "node", None) or not np.array_equal(y.data, array_of(output), equal_nan=True):
        raise RuntimeError("checkpoint: the function gave another value when it ran again; draw random numbers outside")
    parents = tape.boundary(y.node, since) or {y.node: y.data}
    if any(node not in origins or array_of(origins[node]) is not array for node, array in parents.items()):
        raise RuntimeError("checkpoint: a Tensor that the function takes was given another array since it first ran")
    outer = {node for node, origin in origins.items() if isinstance(origin, Tensor)}
    rebuild = make if outer or isinstance(g, Tensor) else None
    found = dict(tape.sweep({y.node: g}, since=since, targets=origins, rebuild=rebuild, outer=outer))
    return [found.get(node, np.zeros(node.shape, node.dtype)) for node in origins]


def vec(a):
    """The document's vec: the columns of the last two axes stacked, (..., h, w) -> (..., h*w) (section 3.1)."""
    shape = np.shape(a)
    return a if len(shape) < 2 else np.reshape(np.swapaxes(a, -1, -2), (*shape[:-2], shape[-2] * shape[-1]))


def vec_jacobian(f, *x, argnum=0):
    """The document's numerator-layout Jacobian d vec(Y) / d vec(X), a matrix; X is the argument `argnum`.

    Column-major vec throughout; with more than two axes the vecs of the matrices follow one
    another, as section 3.1.2 stacks the channels. Sections 3.1 and 3.2: its transpose times the
    gradient of J with respect to vec(Y) is the gradient with respect to vec(X).
    """
    _chosen("vec_jacobian", argnum, len(x))
    derivative = jacobian(f, argnum)(*x)
    if isinstance(derivative, (dict, list, tuple)):
        raise TypeError("vec_jacobian: the function must take and return one array, not a nest of arrays")
    columns = _vec_order(np.shape(x[argnum]))
    rows = _vec_order(np.shape(derivative)[: np.ndim(derivative) - np.ndim(x[argnum])])
    return np.reshape(derivative, (rows.size, columns.size))[rows[:, None], columns]


def _vec_order(shape):
    """Where each entry of the vec of an array of this shape stands in row-major order."""
    return np.reshape(vec(np.arange(math.prod(shape)).reshape(shape)), -1)
