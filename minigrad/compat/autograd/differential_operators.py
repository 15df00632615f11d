"""Derivatives of functions, with argnum= and integers for floating-point numbers, by minigrad's transforms."""

import inspect
from functools import wraps
from typing import Any

import numpy as np

import minigrad as mg

from ..._numpy import without_tensors
from ...argnums import with_chosen
from ...nest import mapped
from ...nesting import outside
from ...tape import next_number, reached, sweep
from .extend import boxed, boxes, held
from .vspace import vspace

# fmt: off
__all__ = [
    "checkpoint", "deriv", "elementwise_grad", "grad", "grad_and_aux", "grad_named", "hessian",
    "hessian_tensor_product", "hessian_vector_product", "holomorphic_grad", "jacobian", "make_ggnvp", "make_hvp",
    "make_jvp", "make_jvp_reversemode", "make_vjp", "multigrad_dict", "tensor_jacobian_product", "value_and_grad",
    "vector_jacobian_product",
]
# fmt: on


def _real(value):
    """An argument, or a nest of them, with floating-point numbers for integers."""

    def cast(leaf):
        plain = leaf if hasattr(leaf, "dtype") else np.asarray(leaf)
        return plain.astype(float) if plain.dtype.kind in "iub" else leaf

    return mapped(cast, value)


def unary_to_nary(transform, name=None, result="the derivative"):
    """`operator(f, argnum)`: a function whose argument (or arguments) argnum the transform differentiates.

    `result` is what the function returns, for the operator's docstring.
    """

    def operator(fun, argnum=0, *further, **options):
        several = isinstance(argnum, (tuple, list))
        chosen = argnum if several else (argnum,)
        of = getattr(fun, "__name__", "function")

        @wraps(fun)
        def differentiated(*x, **kwargs):
            def unary(part):
                return fun(*with_chosen(x, chosen, part if several else (part,)), **kwargs)

            unary.__name__ = of
            try:
                parts = tuple(_real(x[i]) for i in chosen)
            except (IndexError, TypeError) as error:
                said = f"argnum must be the place of an argument, of which {len(x)} were given, not {argnum!r}"
                raise type(error)(f"{operator.__name__}: {said}") from None
            return transform(unary, parts if several else parts[0], *further, **options)

        differentiated.__name__ = f"{operator.__name__}_of_{of}_wrt_argnum_{argnum}"
        differentiated.__doc__ = f"    {operator.__name__} of function {of} with respect to argument {argnum}."
        return differentiated

    operator.__name__ = name or transform.__name__
    operator.__doc__ = f"\n    Returns a function which takes what fun takes and returns {result}.\n    "
    return operator


def _ones(y):
    return mapped(np.ones_like, y)


def _grad(f, x):
    """The gradient; of a program's own kind of value, too, by a sweep of its own."""
    if type(x) not in boxes:
        return mg.grad(f)(x)
    since, box = next_number(), boxed(x)
    y = f(box)
    if np.size(y) != 1:
        raise ValueError(f"grad: the function must return a scalar, not shape {np.shape(y)}")
    roots = {y.node: np.ones(y.shape)} if isinstance(y, mg.Tensor) and y.requires_grad else {}
    order = reached(roots, since)
    if outside(order):
        raise NotImplementedError(
            f"grad: in {type(x).__name__} it is for numbers alone, and can't be differentiated again"
        )
    gradients = dict(sweep(roots, order))
    return held(gradients[box.node]) if box.node in gradients else vspace(x).zeros()


def _elementwise(f, x):
    y, pullback = mg.vjp(f, x)
    return pullback(_ones(y))[0]


def _with_aux(f, x):
    results: Any = []
    gradient = mg.grad(lambda x: results.extend(f(x)) or results[0])(x)
    return gradient, without_tensors(results[1])


def _vjp(f, x):
    """`(pullback, y)`."""
    y, pullback = mg.vjp(f, x)
    return (lambda g: pullback(g)[0]), y


def _jvp(f, x):
    """The function of v that returns the value of f at x, and its derivative along v."""
    return lambda v: mg.jvp(f, (x,), (v,))


grad = unary_to_nary(_grad, "grad", "the gradient")
value_and_grad = unary_to_nary(lambda f, x: mg.value_and_grad(f)(x), "value_and_grad", "the value and the gradient")
grad_and_aux = unary_to_nary(_with_aux, "grad_and_aux", "the gradient of its first output, and its second")
jacobian = unary_to_nary(lambda f, x: mg.jacobian(f)(x), "jacobian", "the Jacobian")
hessian = unary_to_nary(lambda f, x: mg.jacobian(mg.jacobian(f))(x), "hessian", "the Hessian")
elementwise_grad = unary_to_nary(_elementwise, "elementwise_grad", "the gradient of the sum of its output")
make_vjp = unary_to_nary(_vjp, "make_vjp", "(pullback, value)")
# the Hessian is symmetric, and the gradient is recorded once
make_hvp = unary_to_nary(lambda f, x: _vjp(mg.grad(f), x), "make_hvp", "(product with the Hessian, gradient)")
make_jvp = unary_to_nary(_jvp, "make_jvp", "v -> (value, Jacobian times v)")
make_jvp_reversemode = unary_to_nary(
    lambda f, x: lambda v: _jvp(f, x)(v)[1], "make_jvp_reversemode", "v -> Jacobian times v"
)
deriv = unary_to_nary(lambda f, x: _jvp(f, x)(_ones(x))[1], "deriv", "the derivative along ones")
holomorphic_grad = elementwise_grad
checkpoint = mg.checkpoint


def make_ggnvp(f, g=lambda x: 0.5 * np.sum(x**2, axis=-1), f_argnum=0):
    """The generalized Gauss-Newton product: J^T H_g J v."""

    def product(f, x):
        y, pullback = mg.vjp(f, x)
        return lambda v: pullback(mg.hvp(g, y, mg.jvp(f, (x,), (v,))[1]))[0]

    return unary_to_nary(product, "make_ggnvp")(f, f_argnum)


def grad_named(fun, argname):
    """`grad` in the argument of this name."""
    return grad(fun, list(inspect.signature(fun).parameters).index(argname))


def multigrad_dict(fun):
    """The gradients in all arguments, by name."""
    signature = inspect.signature(fun)

    def gradients(*x, **kwargs):
        bound = signature.bind(*x, **kwargs)
        bound.apply_defaults()

        def called(named):
            again = inspect.BoundArguments(signature, named)
            return fun(*again.args, **again.kwargs)

        return grad(called)(bound.arguments)

    return gradients


def hessian_vector_product(fun, argnum=0):
    """`product(*x, v)`: the Hessian times v."""

    def call(*arguments, **kwargs):
        *x, v = arguments
        return make_hvp(fun, argnum)(*x, **kwargs)[0](v)

    return call


def tensor_jacobian_product(fun, argnum=0):
    """`product(*x, v)`: the sum over all axes of v, the first ones of the output, of v times the Jacobian."""

    def call(*arguments, **kwargs):
        *x, v = arguments
        return jacobian(lambda *x: np.tensordot(v, fun(*x, **kwargs), np.ndim(v)), argnum)(*x)

    return call


hessian_tensor_product = hessian_vector_product
vector_jacobian_product = tensor_jacobian_product
