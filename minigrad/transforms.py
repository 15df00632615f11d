"""Functions of functions: grad, value_and_grad, vjp, jvp, jacobian, hessian, hvp.

A transform notes the creation number at which it starts. Its sweep enters only what is younger;
what is older belongs to an outer trace, and a result that depends on it is a Tensor of that trace.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from . import tape
from ._tensor import Tensor, make
from .argnums import Argnums, chosen_positions, of_a_function, one_of, with_chosen
from .errors import kind_of_array, plain_array
from .nest import flatten, matched, paths, unflatten
from .nesting import leading_to, left_out, outside, retracing, run
from .operation import array_of, arraylike, op
from .settings import call_with, recording, setting

IN_PARTS = "differentiate np.real(y) and np.imag(y), or use mg.vjp or mg.jvp"


@op(complex=True)
def identity(x):
    """A = X: where an argument enters a trace. It links an argument of an outer trace to the inner one."""
    return x


@identity.vjp("x")
def _(g, a, x):
    return g


def _entered(transform: str, value: Any, path: str) -> Tensor:
    """A fresh Tensor of this trace around an argument, or an entry of one; it stays connected to an outer trace."""
    outer = value.node if isinstance(value, Tensor) else None
    where = f"argument {path[1:].replace(']', '', 1)}"
    array = array_of(value) if isinstance(value, Tensor) else plain_array(value, transform, where)
    if array.dtype.kind not in "fc":
        found = kind_of_array(array) if array.ndim else f"{array.dtype} {array}"
        raise TypeError(
            f"{transform}: only a floating-point argument has a derivative, not {where}, which is {found}: make it a "
            "float, or pass it as another argument"
        )
    return make(array, tape.record(identity, (outer,), (array,), {}, array))


class _Trace:
    """One run of f with fresh Tensors in the chosen places: what each transform is made of.

    y is what f returned; `pull` gives the gradients at the fresh Tensors.
    """

    def __init__(self, transform: str, f: Callable, x: tuple, options: dict, chosen: Iterable[int]):
        self.nest = [x[i] for i in chosen]
        self.as_tensor = any(isinstance(leaf, Tensor) for leaf in flatten([*x, *options.values()]))
        self.since = tape.next_number()
        places = paths(dict(zip(chosen, self.nest, strict=True)))
        self.inputs = [_entered(transform, leaf, place) for leaf, place in zip(flatten(self.nest), places, strict=True)]
        arguments = with_chosen(x, chosen, unflatten(self.nest, self.inputs))
        traced = (*setting("traced", ()), *[leaf.node for leaf in self.inputs])
        self.y = call_with(run, (f, arguments, options), recording=True, traced=traced)  # also under no_grad
        self.recorded_outside = recording()

    def result(self, value: Any) -> Any:
        """A value for the caller: a Tensor if an outer trace records it or a Tensor came in, else an array."""
        if isinstance(value, Tensor):
            if value.node is not None and self.recorded_outside and self._leads_older(value.node):
                return value
            value = value.data
        return make(np.array(value), None) if self.as_tensor else np.array(value)[()]

    def _leads_older(self, node: tape.Node) -> bool:
        """Whether the node's value depends on a node of an outer trace."""
        # equivalent: < -> <= because no node has the number `since`
        return node.number < self.since or bool(outside(tape.reached([node], self.since)))

    def pull(self, ys: list, gradients: list) -> Any:
        """The sum of g . dy/dx over the pairs of y and g, for each fresh Tensor x, in the nest that came in."""
        roots = _roots(ys, gradients)
        order = tape.reached(roots, self.since)
        entered = leading_to([x.node for x in self.inputs], order)
        older = outside(order) if recording() else ()
        # equivalent: without if older else None because nothing leads to none
        retrace = retracing(leading_to(older, order)) if older else None
        started = {root: g for root, g in roots.items() if root in entered}
        order = [node for node in order if node in entered]
        found: dict[tape.Node, Any] = {x.node: 0 for x in self.inputs}  # other gradients are freed as the sweep goes on
        swept = tape.sweep(started, order, left_out=left_out(order, entered), retrace=retrace)
        found.update(pair for pair in swept if pair[0] in found)
        return unflatten(self.nest, [_detached(found[x.node], x, self.as_tensor) for x in self.inputs])


def _roots(ys: list, gradients: list) -> dict[tape.Node, Any]:
    """The nodes that a sweep starts at, each with the sum of its gradients: f may return one Tensor twice."""
    roots: dict[tape.Node, Any] = {}
    for y, g in zip(ys, gradients, strict=True):
        if isinstance(y, Tensor) and y.node is not None:
            g = g if recording() else array_of(g)
            roots[y.node] = roots[y.node] + g if y.node in roots else g
    return roots


def _detached(g: Any, x: Tensor, as_tensor: bool) -> Any:
    """A gradient for the caller, of x's shape, in memory of its own; a Tensor stays as it is."""
    if isinstance(g, Tensor):
        return g
    own = np.full(x.shape, g, x.dtype)
    return make(own, None) if as_tensor else own[()]


def _scalar(transform, y):
    if isinstance(y, (dict, list, tuple)) or y is None or np.size(y) != 1:
        what = f"shape {np.shape(y)}" if isinstance(y, (Tensor, np.ndarray)) else type(y).__name__
        raise ValueError(f"{transform}: the function must return a scalar, not {what}")
    dtype = y.dtype if isinstance(y, Tensor) else np.asarray(y).dtype
    if dtype.kind not in "fiu":
        hint = f": {IN_PARTS}" if dtype.kind == "c" else ""
        raise TypeError(f"{transform}: the function must return a floating-point scalar, not {kind_of_array(y)}{hint}")
    return y


@of_a_function
def value_and_grad(f: Callable, argnums: Argnums = 0, *, argnum: Argnums | None = None) -> Callable:
    """A function that returns `(f(...), gradient)`: see `grad`.

    >>> mg.value_and_grad(lambda x: x**2)(3.0)
    (np.float64(9.0), np.float64(6.0))
    """
    return _differentiated("value_and_grad", f, one_of("value_and_grad", argnums, argnum), with_value=True)


def _differentiated(transform, f, argnums=0, with_value=False):
    @wraps(f)
    def differentiated(*x, **options):
        trace = _Trace(transform, f, x, options, chosen_positions(transform, argnums, len(x)))
        y = _scalar(transform, trace.y)
        # equivalent: array_of(y) -> y because NumPy asks the Tensor then, which takes longer
        gradients = trace.pull([y], [np.ones_like(array_of(y))])
        gradient = tuple(gradients) if isinstance(argnums, tuple) else gradients[0]
        return (trace.result(y), gradient) if with_value else gradient

    return differentiated


@of_a_function
def grad(f: Callable, argnums: Argnums = 0, *, argnum: Argnums | None = None) -> Callable:
    """The function that returns the gradient of the scalar f with respect to the argument (or arguments) `argnums`.

    argnums: an int, or a tuple or list of ints, for which the gradients are a tuple; `argnum` is another name for it.

    An argument may be an array, a Python float, or a nest of dicts, lists and tuples of those. Its
    gradient is built likewise. Other arguments pass through. An argument that f does not depend on has
    gradient 0. Arrays in, arrays out (a 0-d one as a NumPy scalar); Tensor in, Tensor out; and a
    Tensor where the result depends on what an outer trace records.
    The gradient in a complex z = x + iy is dJ/dx - i dJ/dy, so f descends along its conjugate.
    Raises ValueError if f does not return a scalar, TypeError if that is complex or an argument has no derivative.

    >>> mg.grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    array([2., 4.])
    >>> mg.grad(lambda z: np.real(z) ** 2 + 3 * np.imag(z))(1 + 2j)
    np.complex128(2-3j)
    >>> mg.grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 3.0)
    (np.float64(3.0), np.float64(2.0))
    >>> mg.grad(lambda p: p["w"] * p["b"] ** 2)({"w": 2.0, "b": 3.0})
    {'w': np.float64(9.0), 'b': np.float64(12.0)}
    >>> mg.grad(mg.grad(lambda x: x**3))(2.0)
    np.float64(12.0)
    """
    return _differentiated("grad", f, one_of("grad", argnums, argnum))


@of_a_function
def elementwise_grad(f: Callable, argnums: Argnums = 0, *, argnum: Argnums | None = None) -> Callable:
    """The gradient of the sum of f's entries: its derivative entry by entry, if entry i depends on x[i] alone.

    >>> mg.elementwise_grad(np.tanh)(np.array([0.0, 1.0])).round(4)
    array([1.  , 0.42])
    """

    @wraps(f)
    def total(*x, **options):
        y: Any = f(*x, **options)
        if not isinstance(y, Tensor):
            y = plain_array(y, "elementwise_grad", "what the function returns")
        return np.sum(y)

    return _differentiated("elementwise_grad", total, one_of("elementwise_grad", argnums, argnum))


@of_a_function
def vjp(f: Callable, *x: Any) -> tuple[Any, Callable]:
    """`(y, pullback)`: y = f(*x), and pullback(g), the tuple of g . dy/dx, one for each argument.

    The arguments and y may be nests of dicts, lists and tuples, and g is built like y. The pullback
    may be called any number of times. Arrays in, arrays out; Tensor in, Tensor out.
    Raises TypeError if an argument is not floating-point. The pullback raises ValueError unless g has y's shape.

    >>> y, pullback = mg.vjp(lambda a, x: a @ x, np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 1.0]))
    >>> y
    array([3., 7.])
    >>> pullback(np.array([1.0, 10.0]))[1]
    array([31., 42.])
    """
    return _vjp("vjp", f, x)


def _vjp(transform, f, x):
    trace = _Trace(transform, f, x, {}, range(len(x)))
    what = "what the function returns"
    ys = [y if isinstance(y, Tensor) else plain_array(y, transform, what) for y in flatten(trace.y)]

    def pullback(g):
        given = matched(f"{transform}: the gradient given to the pullback", g, trace.y)
        return tuple(trace.pull(ys, given))

    return unflatten(trace.y, map(trace.result, ys)), pullback


@of_a_function
def jvp(f: Callable, x: Sequence, v: Sequence) -> tuple[Any, Any]:
    """`(y, dy)`: y = f(*x) and its derivative along v, dy = sum of dy/dx . v; x and v are tuples.

    It takes two VJPs: pullback(u) is linear in u, so its own pullback is the derivative along v, whatever u is.
    Raises ValueError unless v is shaped as x.

    >>> mg.jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.5))
    (np.float64(6.0), np.float64(4.0))
    """
    if not isinstance(x, (tuple, list)) or not isinstance(v, (tuple, list)):
        raise TypeError(f"jvp: x and v must be tuples of arguments, not {type(x).__name__} and {type(v).__name__}")
    v = unflatten(x, matched("jvp: v", v, x))
    y, pullback = _vjp("jvp", f, x)
    for leaf in flatten(y):
        if arraylike(leaf).dtype.kind not in "fc":
            raise TypeError(f"jvp: the function must return floating-point values, not {kind_of_array(leaf)}")
    # equivalent: np.zeros -> np.ones because any u will do
    u = unflatten(y, (np.zeros(np.shape(leaf), arraylike(leaf).dtype) for leaf in flatten(y)))
    _, push = _vjp("jvp", pullback, (u,))
    return y, push(tuple(v))[0]


@of_a_function
def jacobian(f: Callable, argnums: Argnums = 0, *, argnum: Argnums | None = None) -> Callable:
    """The function that returns dY/dX, of the shape of Y followed by the shape of X.

    Where X (or Y) is a nest of dicts, lists and tuples, the result is that nest of arrays, Y's
    outside. It takes one sweep for each entry of Y. Raises as `vjp` does.

    >>> mg.jacobian(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 3.0]))
    array([[3., 0., 1.],
           [0., 3., 2.]])
    """
    return jacobian_for("jacobian", f, one_of("jacobian", argnums, argnum))


def jacobian_for(transform: str, f: Callable, argnums: int | tuple[int, ...] = 0) -> Callable:
    """`jacobian`, with errors about another transform that is made of it."""

    @wraps(f)
    def jacobian_of_f(*x, **options):
        chosen = chosen_positions(transform, argnums, len(x))
        parts = tuple(x[i] for i in chosen)

        def of_chosen(*parts):
            return f(*with_chosen(x, chosen, parts), **options)

        y, pullback = _vjp(transform, of_chosen, parts)
        ys = [arraylike(leaf) for leaf in flatten(y)]
        if "c" in [leaf.dtype.kind for leaf in ys]:
            raise TypeError(f"{transform}: a complex result has no matrix of derivatives: {IN_PARTS}")
        blocks = []
        for position, leaf in enumerate(ys):
            sweeps = (pullback(unflatten(y, _basis(ys, position, i))) for i in np.ndindex(leaf.shape))
            rows = [flatten(gradients) for gradients in sweeps]
            stacked = [_stacked([r[j] for r in rows], leaf, part) for j, part in enumerate(flatten(parts))]
            block = unflatten(parts, stacked)
            blocks.append(block if isinstance(argnums, tuple) else block[0])
        return unflatten(y, blocks)

    return jacobian_of_f


def _basis(ys, position, entry):
    """Zeros like each of ys, but 1 at one entry of one of them."""
    basis = [np.zeros(y.shape, y.dtype) for y in ys]
    basis[position][entry] = 1
    return basis


def _stacked(rows, y, x):
    """The gradients of the entries of y as one array."""
    shape, dtype = (*y.shape, *np.shape(x)), arraylike(x).dtype
    if not rows:
        return np.empty(shape, dtype)  # equivalent: any factor because it has no entries
    return np.reshape(np.stack(rows), shape).astype(dtype)[()]  # a stack's byte order is the machine's


@of_a_function
def hessian(f: Callable, argnums: Argnums = 0, *, argnum: Argnums | None = None) -> Callable:
    """The function that returns the second derivative of the scalar f: the shape of X twice.

    With several argnums it is a tuple of rows of blocks, as `jacobian` of `grad`.

    >>> mg.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    chosen = one_of("hessian", argnums, argnum)
    return jacobian_for("hessian", _differentiated("hessian", f, chosen), chosen)


@of_a_function
def hvp(f: Callable, x: Any, v: Any, *others: Any) -> Any:
    """The Hessian of the scalar f at x, times v, without the Hessian: H is symmetric, so it is a VJP of grad(f).

    x is an array or a nest, and v is built like it; f gets the other arguments after x.
    Raises ValueError unless v is shaped as x.

    >>> mg.hvp(lambda x: x[0] ** 2 * x[1], np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([4., 2.])
    """
    gradient = _differentiated("hvp", f)
    _, pullback = _vjp("hvp", lambda x: gradient(x, *others), (x,))
    return pullback(unflatten(x, matched("hvp: v", v, x)))[0]
