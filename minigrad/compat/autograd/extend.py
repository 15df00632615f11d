"""Functions with derivatives of one's own: `primitive` makes an op of any number of arrays, `defvjp` its VJPs."""

from functools import wraps
from typing import Any

import numpy as np

import minigrad as mg

from ...argnums import with_chosen
from ...nest import flatten, mapped
from ...tape import leaf
from .vspace import VSpace, vspace

# fmt: off
__all__ = [
    "Box", "VSpace", "def_linear", "defjvp", "defjvp_argnum", "defjvp_argnums", "defvjp", "defvjp_argnum",
    "defvjp_argnums", "notrace_primitive", "primitive", "vspace",
]
# fmt: on

boxes: dict[type, Any] = {}  # a program's own kind of value, which is no array -> the class of its boxes
primitive_vjps: dict[Any, Any] = {}  # primitive -> the function that gives the maker of the VJP of an argument


class _AnyTensor(type):
    def __instancecheck__(cls, value):
        return isinstance(value, mg.Tensor) if cls is Box else super().__instancecheck__(value)


class Box(mg.Tensor, metaclass=_AnyTensor):
    """Tensors, and what programs derive the boxes of values of their own kind from."""

    @classmethod
    def register(cls, kind):
        """Name this class the one of the boxes of a kind of values."""
        boxes[kind] = cls


def primitive(f):
    """The function as an op. Its VJPs are made by `defvjp`, from the output and the arguments.

    It may return a nest; of that, integers have no derivative.
    """

    @mg.op(name=getattr(f, "__name__", "primitive"))
    def made(*arrays, places, arguments, options, form):
        return form.ravel(f(*with_chosen(arguments, places, map(held, arrays)), **options))

    @made.vjp("arrays")
    def _(i, g, out, *arrays, places, arguments, options, form):
        given, argnum = with_chosen(arguments, places, map(held, arrays)), places[i]
        makers = primitive_vjps.get(call, lambda argnum: NotImplemented)
        if hasattr(makers, "joint"):
            pullback = form.pullback(makers.joint, places, i, out, given, options)
            return _kept([*pullback(form.unravel(g, np.zeros_like))][i], arrays[i])
        maker = makers(argnum)
        if maker is NotImplemented:
            raise NotImplementedError(f"{made.__name__}: no VJP has been defined for argument {argnum}")
        if maker is None:
            # equivalent: any factor because it is made of zeros
            return np.zeros_like(arrays[i])
        return _kept(maker(form.unravel(out), *given, **options)(form.unravel(g, np.zeros_like)), arrays[i])

    made.differentiable = "fcO"

    @wraps(f)
    def call(*arguments, **options):
        places = tuple(i for i, a in enumerate(arguments) if isinstance(a, mg.Tensor))
        # equivalent: never because the op returns the same, with arrays for numbers
        if not places:
            return f(*arguments, **options)
        form = _Form()
        arrays = [arguments[i] for i in places]
        others = tuple(with_chosen(arguments, places, [None] * len(places)))  # no copies of what the op gets as arrays
        return form.unravel(made(*arrays, places=places, arguments=others, options=options, form=form))

    call.fun = f  # type: ignore[attr-defined]
    return call


class _Form:
    """What a primitive returns, since an op returns one array: of a nest, the floating-point entries as a vector."""

    nest: Any = None
    known: Any = None

    def ravel(self, value):
        """The array itself, or the vector."""
        # equivalent: never because an array is a nest of one leaf, which comes back in its shape
        if not isinstance(value, (dict, list, tuple)):
            return value
        self.nest = value
        vector, self.parts = mg.ravel_nest([leaf for leaf in flatten(value) if _is_inexact(leaf)])
        return vector

    def unravel(self, v, other=lambda leaf: leaf):
        """The array itself, or the nest with the entries of the vector; `other` is what becomes of integers."""
        if self.nest is None:
            return v
        parts = iter(self.parts(v))
        return mapped(lambda leaf: next(parts) if _is_inexact(leaf) else other(leaf), self.nest)

    def pullback(self, maker, argnums, i, out, arguments, options):
        """What the maker of the VJPs of several arguments returns, made once for all of them in a sweep."""
        # equivalent: any change because it returns the same again
        if self.known is None or self.known[0] is not out:
            self.known = out, maker(argnums, self.unravel(out), arguments, options)
        pullback = self.known[1]
        if i == len(argnums) - 1:
            self.known = None  # no cycle: it may hold the node that holds this
        return pullback


def _is_inexact(leaf):
    return np.asarray(leaf).dtype.kind in "fc"


def held(array):
    """What an array stands for: a program's own kind of value, if it holds one."""
    return array.item() if array.dtype == object else array


def _kept(value, like):
    """A gradient: of a program's own kind in an array, as the tape keeps it."""
    return kept(value) if like.dtype == object else value


def kept(value):
    """An array that holds any value. It has an axis, so that the sum of two is an array, too."""
    array = np.empty(1, object)
    array[0] = value
    return array


def boxed(value):
    """A box of a program's own kind of value: a leaf of the tape."""
    box = object.__new__(boxes[type(value)])
    box._array = kept(value)
    box.node = leaf(box._array)
    return box


def defvjp(fun, *makers, argnums=None):
    """Define the VJPs of a primitive: maker(out, *arguments) returns the function of g; None means 0.

    A function that is none, such as np.where, keeps the VJPs that minigrad has.
    """
    known = dict(zip(argnums or range(len(makers)), makers, strict=False))
    primitive_vjps[fun] = lambda argnum: known.get(argnum, NotImplemented)


def defvjp_argnum(fun, maker):
    """Define all VJPs of a primitive: maker(argnum, out, arguments, options) returns the function of g."""
    primitive_vjps[fun] = lambda argnum: lambda out, *arguments, **options: maker(argnum, out, arguments, options)


def defvjp_argnums(fun, maker):
    """The same for a maker(argnums, out, arguments, options), whose function of g returns one result for each."""
    defvjp_argnum(fun, lambda argnum, *rest: lambda g: next(iter(maker((argnum,), *rest)(g))))
    primitive_vjps[fun].joint = maker


def defjvp(fun, *jvps, argnums=None):
    """Do nothing: minigrad's forward products are made of VJPs."""


def_linear = defjvp_argnum = defjvp_argnums = defjvp


def notrace_primitive(f):
    """The function, of which nothing is recorded."""

    @wraps(f)
    def call(*arguments, **options):
        return f(*[a.data if isinstance(a, mg.Tensor) else a for a in arguments], **options)

    return call
