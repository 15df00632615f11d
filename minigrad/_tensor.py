"""`Tensor`: an array with a place on the tape, that behaves as NumPy's arrays do.

Its operators, its methods and NumPy's own functions all lead to the ops; `backward()`
consumes the sweep. What would lose a gradient in silence raises TypeError.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _numpy, operation, ops, tape, writes
from ._exits import WaysOut
from ._methods import ArrayMethods
from ._numpy import without_tensors
from .errors import brief, plain_array
from .foreign_names import ForeignNames, with_options_explained
from .gradients import accumulate, read_only
from .names import name_array
from .operation import array_of
from .settings import setting
from .tape import Node
from .typing import ArrayLike, DType, IndexLike, TensorLike


class Tensor(ArrayMethods, WaysOut, ForeignNames):
    """An array plus a node of the tape; the node is None where nothing is recorded.

    data: anything np.array takes, of a boolean, integer, floating-point or complex dtype; it is copied.
    requires_grad: make it a leaf, whose gradient `backward()` accumulates in `.grad`.
    name: shown in pictures and messages.

    The gradient of a complex z = x + iy is dJ/dx - i dJ/dy, as in JAX; so J descends along its conjugate.
    Raises TypeError for other dtypes, and for a gradient of integers or booleans.

    >>> x = mg.Tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> x * 3
    tensor([3., 6.], op=multiply)
    """

    # _frozen: its leaf while requires_grad is False; of results, `make` sets neither this nor _name
    __slots__ = ("__weakref__", "_array", "_frozen", "_name", "node")

    node: Any

    def __init__(self, data: TensorLike, *, requires_grad: bool = False, dtype: DType = None, name: str | None = None):
        if isinstance(data, Tensor) and data.requires_grad:
            raise TypeError("tensor: the data is a Tensor that needs a gradient; detach() it to leave its history")
        array = plain_array(data, "tensor", "data", dtype)
        if array.dtype.kind not in "biufc":
            raise TypeError(f"tensor: data must be boolean, integer, floating-point or complex, not {array.dtype}")
        self._array = array
        self.node = None
        self.requires_grad = requires_grad
        self.name = name

    # what it is

    @property
    def data(self) -> np.ndarray:
        """The array itself; of a result, a read-only view.

        On a leaf it can be rebound, to an array of the same shape and dtype, which is not copied. After
        `t.data -= step` older results refuse to be differentiated. A write that nothing sees, such as
        `t.data[0] = 1` between forward and backward(), gives wrong gradients; `mg.debug()` finds it.
        """
        if self.is_leaf:
            return self._array
        view = self._array.view()
        view.flags.writeable = False
        return view

    @data.setter
    def data(self, value: ArrayLike) -> None:
        if not self.is_leaf:
            raise RuntimeError(f"data: only a leaf can be rebound, not the result of {self.node.op.__name__}")
        plain = isinstance(value, (np.ndarray, Tensor)) and not isinstance(value, np.ma.MaskedArray)
        value = np.asarray(value) if plain else plain_array(value, "data", "it")
        if value.shape != self.shape:
            raise ValueError(f"data: expected shape {self.shape}, not {value.shape}")
        if value.dtype != self.dtype:
            raise TypeError(f"data: expected dtype {self.dtype}, not {value.dtype}; use .astype")
        if value is self._array:
            writes.note(value, tape.next_number())
        self._array = value
        if self.node is not None:
            self.node.output = value
        elif self.name is not None:
            name_array(value, self.name)

    @property
    def grad(self) -> np.ndarray | None:
        """dJ/d self, summed over the backward() calls since it was None: an ndarray, on leaves only."""
        if self.node is None:
            return None
        if self.node.op is not None:
            warnings.warn(
                f"grad: the result of {self.node.op.__name__} holds no gradient, only leaves do; use mg.grad or mg.vjp",
                stacklevel=2,
            )
            return None
        return self.node.grad

    @grad.setter
    def grad(self, value: TensorLike | None) -> None:
        if value is None and not self.requires_grad:
            frozen = getattr(self, "_frozen", None)
            if frozen is not None:  # so that it has none either when requires_grad is set again
                frozen.grad = None
            return
        if not self.is_leaf or not self.requires_grad:
            raise RuntimeError("grad: only a leaf made with requires_grad=True holds a gradient")
        if value is not None:
            value = np.array(_like(value, self, "grad", "it"))
        self.node.grad = value

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to it or through it."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if not self.is_leaf:
            raise RuntimeError(f"requires_grad: can't be set on the result of {self.node.op.__name__}; detach() it")
        if not isinstance(wanted, (bool, np.bool, int)):
            raise TypeError(f"tensor: requires_grad must be True or False, not {brief(wanted)}")
        if wanted and self.dtype.kind not in "fc":
            said = f"only a floating-point Tensor can have a gradient, not {self.dtype}"
            raise TypeError(f"tensor: {said}: pass dtype=float")
        if wanted and self.node is None:
            name = self.name
            self.node = getattr(self, "_frozen", None) or tape.leaf(self._array)
            self.node.output, self.node.name = self._array, name
        elif not wanted and self.node is not None:
            self._name, self._frozen, self.node = self.name, self.node, None  # older results keep their leaf

    @property
    def name(self) -> str | None:
        """What pictures and messages call it."""
        return getattr(self, "_name", None) if self.node is None else getattr(self.node, "name", None)

    @name.setter
    def name(self, name: str | None) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"tensor: name must be a string, not {type(name).__name__}")
        if self.node is not None:
            self.node.name = name
        elif name != self.name:
            name_array(self._array, name)
        self._name = name

    def __repr__(self) -> str:
        body = np.array2string(self._array, separator=", ", prefix="tensor(")
        dtype = "" if self.dtype in (np.float64, np.int64, bool) else f", dtype={self.dtype}"
        source = (
            "" if self.node is None else ", requires_grad=True" if self.is_leaf else f", op={self.node.op.__name__}"
        )
        return f"tensor({body}{dtype}{source}{f', name={self.name!r}' if self.name else ''})"

    # backward

    @with_options_explained
    def backward(self, gradient: TensorLike | None = None, *, retain_graph: bool = False) -> None:
        """Add dJ/d leaf to the `.grad` of every leaf that led here, J being self (or gradient . self).

        gradient: dJ/d self, of this shape; needed unless self has one entry.
        retain_graph: keep the saved arrays, so that backward() can run again.

        Raises RuntimeError if there is nothing recorded, if self is not a scalar and no gradient
        is given, if the graph was released, or inside of a transform with respect to what this
        depends on; then no `.grad` has changed.

        >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        array([2., 4.])
        """
        seed = seed_of(self, gradient)
        if not isinstance(retain_graph, (bool, int, np.bool)):
            raise TypeError(f"backward: retain_graph must be True or False, not {type(retain_graph).__name__}")
        accumulate(tape.sweep({self.node: seed}, tape.reached([self.node]), leaves=True, release=not retain_graph))

    __array_ufunc__ = _numpy.array_ufunc
    __array_function__ = _numpy.array_function

    # indexing

    def __getitem__(self, index: IndexLike) -> Tensor:
        return ops.getitem(self, without_tensors(index))

    if not TYPE_CHECKING:  # so that checkers report `t[i] = value`, and leave `array @ tensor` to the Tensor

        def __setitem__(self, index, value):
            raise TypeError("a Tensor can't be assigned to in place: use mg.where(condition, value, tensor)")

        def __delitem__(self, index):
            raise TypeError("a Tensor's entries can't be deleted: np.delete(t, index) returns a new one")

        def __array__(self, dtype=None, copy=None):
            self._check_nothing_lost("an array")
            array = np.array(self._array, dtype=dtype, copy=copy)
            return read_only(array) if array is self._array else array  # a write to it would go unseen

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError(
                "len: a 0-d Tensor has no length and can't be unpacked: its number is t.item(), its array t.data"
            )
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __contains__(self, value: TensorLike) -> bool:
        return bool(np.any(self == value))  # equivalent: any factor because `in` asks whether it is 0


def make(array: np.ndarray, node: Node | None) -> Tensor:
    """A Tensor around an array, without a copy."""
    made = _new(Tensor)
    made._array = array
    made.node = node
    return made


_new = object.__new__


def _like(value, tensor, name, what):
    """An array of the Tensor's shape, dtype and layout; ValueError for another shape, TypeError for another kind."""
    value = array_of(value)
    if type(value) is not np.ndarray:
        value = plain_array(value, name, what)
    if value.shape != tensor.shape:
        raise ValueError(f"{name}: {what} must have shape {tensor.shape}, not {value.shape}")
    if value.dtype.kind not in "fiu" and tensor.dtype.kind != "c":
        raise TypeError(f"{name}: {what} must be floating-point, not {value.dtype}")
    # equivalent: never because a copy is only slower
    if value.dtype == tensor.dtype and value.strides == tensor._array.strides:
        return value
    like = np.empty_like(tensor._array)
    import_module(".ops.kernels.memory", __package__).copy_into(like, value)
    return like


def seed_of(root: Tensor, gradient: TensorLike | None = None) -> np.ndarray:
    """Return the gradient that a backward from the root begins with. Raises as `Tensor.backward` does."""
    if root.node is None:
        raise RuntimeError(
            "backward: this Tensor needs no gradient: nothing was recorded for it. Make a leaf that it is computed "
            "from with requires_grad=True, outside of no_grad"
        )
    if gradient is None and (root.size != 1 or root.dtype.kind == "c"):
        what = f"has shape {root.shape}, not a scalar's" if root.size != 1 else "is complex"
        raise RuntimeError(
            f"backward: the Tensor {what}: give the gradient of the scalar with respect to it, as backward(gradient)"
        )
    found = np.ones(root.shape, root.dtype) if gradient is None else _like(gradient, root, "backward", "the gradient")
    # equivalent: without (inputs := setting("traced", ())) and because nothing is in no inputs
    if (inputs := setting("traced", ())) and not set(inputs).isdisjoint(tape.reached([root.node])):
        raise RuntimeError(
            "backward: inside of a transform `.grad` holds plain arrays, which would lose the derivative that the "
            "transform asks for: use mg.grad or mg.vjp there"
        )
    return found


@with_options_explained
def tensor(data: TensorLike, *, requires_grad: bool = False, dtype: DType = None, name: str | None = None) -> Tensor:
    """Make a Tensor from anything that np.array takes, by copying it. See `Tensor`.

    >>> mg.tensor([[1.0, 2.0]], dtype=np.float32)
    tensor([[1., 2.]], dtype=float32)
    """
    return Tensor(data, requires_grad=requires_grad, dtype=dtype, name=name)


operation.connect(Tensor, make)
