"""`Tensor`: an array with a place on the tape, that behaves as NumPy's arrays do.

Its operators, its methods and NumPy's own functions all lead to the ops; `backward()`
consumes the sweep. What would lose a gradient in silence raises TypeError.
"""

import operator
import warnings
import weakref
from typing import Any

import numpy as np

from . import _numpy, operation, ops, tape, writes
from ._numpy import without_tensors
from .elementwise import in_place, operators
from .operation import array_of

_WAYS_OUT = (
    "use .item(), .data or .detach() where none should flow, and NumPy's functions where one should "
    "(np.sin, not math.sin; np.stack for a list of Tensors)"
)


class LostGradientError(TypeError):
    """What would drop a gradient in silence: a Tensor that needs one was turned into a number or an array."""


class Tensor:
    """An array plus a node of the tape; the node is None where nothing is recorded.

    data: anything np.array takes, of a boolean, integer or floating-point dtype; it is copied.
    requires_grad: make it a leaf, whose gradient `backward()` accumulates in `.grad`.
    name: shown in pictures and messages.

    Raises TypeError for other dtypes, and for a gradient of anything but floating point.
    """

    __slots__ = ("__weakref__", "_array", "_frozen", "_name", "node")

    node: Any

    def __init__(self, data, *, requires_grad=False, dtype=None, name=None):
        if isinstance(data, Tensor) and data.requires_grad:
            raise TypeError(
                "tensor: the data is a Tensor that needs a gradient; detach() it to leave its history behind"
            )
        array = np.array(data, dtype=dtype)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"tensor: data must be boolean, integer or floating-point, not {array.dtype}")
        self._array = array
        self.node = None
        self.requires_grad = requires_grad
        self.name = name

    # what it is

    @property
    def data(self):
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
    def data(self, value):
        if not self.is_leaf:
            raise RuntimeError(f"data: only a leaf can be rebound, not the result of {self.node.op.__name__}")
        value = np.asarray(value)
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
            _name_array(value, self.name)

    @property
    def grad(self) -> Any:
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
    def grad(self, value):
        if value is None and not self.requires_grad:
            return
        if not self.is_leaf or not self.requires_grad:
            raise RuntimeError("grad: only a leaf made with requires_grad=True holds a gradient")
        if value is not None:
            value = _like(value, self, "grad")
        self.node.grad = value

    @property
    def requires_grad(self):
        """Whether gradients flow to it or through it."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, wanted):
        if not self.is_leaf:
            raise RuntimeError(f"requires_grad: can't be set on the result of {self.node.op.__name__}; detach() it")
        if wanted and self.dtype.kind != "f":
            raise TypeError(f"requires_grad: only a floating-point Tensor can have a gradient, not {self.dtype}")
        if wanted and self.node is None:
            name = self.name
            self.node = getattr(self, "_frozen", None) or tape.leaf(self._array)
            self.node.output, self.node.name = self._array, name
        elif not wanted and self.node is not None:
            self._name, self._frozen, self.node = self.name, self.node, None  # older results keep their leaf

    @property
    def is_leaf(self):
        """Whether it was made, not computed from what is recorded."""
        return self.node is None or self.node.op is None

    @property
    def name(self):
        """What pictures and messages call it."""
        return getattr(self, "_name", None) if self.node is None else getattr(self.node, "name", None)

    @name.setter
    def name(self, name):
        if self.node is not None:
            self.node.name = name
        elif name != self.name:
            _name_array(self._array, name)
        self._name = name

    shape = property(lambda self: self._array.shape)
    ndim = property(lambda self: self._array.ndim)
    size = property(lambda self: self._array.size)
    dtype = property(lambda self: self._array.dtype)
    nbytes = property(lambda self: self._array.nbytes)
    T = property(lambda self: ops.transpose(self), doc="The axes reversed.")
    mT = property(lambda self: ops.matrix_transpose(self), doc="The last two axes exchanged.")

    def __repr__(self):
        body = np.array2string(self._array, separator=", ", prefix="tensor(")
        dtype = "" if self.dtype in (np.float64, np.int64, bool) else f", dtype={self.dtype}"
        source = (
            "" if self.node is None else ", requires_grad=True" if self.is_leaf else f", op={self.node.op.__name__}"
        )
        return f"tensor({body}{dtype}{source}{f', name={self.name!r}' if self.name else ''})"

    # the way out

    def item(self):
        """The only entry, as a Python number. Raises ValueError if there are more."""
        if self.size != 1:
            raise ValueError(f"item: the Tensor has shape {self.shape}, not one entry; use .tolist() or .data")
        return self._array.item()

    def numpy(self):
        """A copy of the array, without history."""
        return self._array.copy()

    def tolist(self):
        """The entries as nested lists of Python numbers."""
        return self._array.tolist()

    def detach(self):
        """The same array in a Tensor without history."""
        return make(self._array, None)

    def __array__(self, dtype=None, copy=None):
        self._check_nothing_lost("become an array")
        return np.array(self._array, dtype=dtype, copy=copy)

    def __float__(self):
        self._check_nothing_lost("become a Python number")
        return float(self._array)

    def _check_nothing_lost(self, what):
        if self.requires_grad:
            raise LostGradientError(f"a Tensor that needs a gradient can't {what}, which would lose it: {_WAYS_OUT}")

    def __int__(self):
        return int(self._array)

    def __index__(self):
        return operator.index(self._array)

    def __bool__(self):
        return bool(self._array)

    def __format__(self, spec):
        return format(self._array.item(), spec) if spec and self.ndim == 0 else format(str(self), spec)

    def __reduce__(self):
        if not self.is_leaf:
            raise TypeError(
                f"the result of {self.node.op.__name__} can't be copied or pickled: use .copy(), which keeps its "
                "gradient, or .detach() it first"
            )
        return _restore, (self._array, self.requires_grad, self.name, self.grad)

    # backward

    def backward(self, gradient=None, *, retain_graph=False):
        """Add dJ/d leaf to the `.grad` of every leaf that led here, J being self (or gradient . self).

        gradient: dJ/d self, of this shape; needed unless self has one entry.
        retain_graph: keep the saved arrays, so that backward() can run again.

        Raises RuntimeError if there is nothing recorded, if self is not a scalar and no gradient
        is given, or if the graph was released; then no `.grad` has changed.
        """
        if self.node is None:
            raise RuntimeError(
                "backward: this Tensor needs no gradient: nothing was recorded for it. Make a leaf that it is computed "
                "from with requires_grad=True, outside of no_grad"
            )
        if gradient is None:
            if self.size != 1:
                raise RuntimeError(
                    f"backward: the Tensor has shape {self.shape}, not a scalar's: give the gradient of the scalar "
                    "with respect to it, as backward(gradient)"
                )
            gradient = np.ones(self.shape, self.dtype)
        else:
            gradient = _like(gradient, self, "backward: the gradient")
        swept = tape.sweep({self.node: gradient}, release=not retain_graph)
        tape.accumulate([(node, g) for node, g in swept if node.op is None])

    __array_ufunc__ = _numpy.array_ufunc
    __array_function__ = _numpy.array_function

    # indexing

    def __getitem__(self, index):
        return ops.getitem(self, without_tensors(index))

    def __setitem__(self, index, value):
        raise TypeError("a Tensor can't be assigned to in place: use mg.where(condition, value, tensor)")

    def __len__(self):
        if not self.ndim:
            raise TypeError("len() of a 0-d Tensor")
        return self.shape[0]

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __contains__(self, value):
        return bool((self == value).any())

    # operators

    __add__, __radd__ = operators(ops.add)
    __iadd__ = in_place(ops.add, np.add)
    __sub__, __rsub__ = operators(ops.subtract)
    __isub__ = in_place(ops.subtract, np.subtract)
    __mul__, __rmul__ = operators(ops.multiply)
    __imul__ = in_place(ops.multiply, np.multiply)
    __truediv__, __rtruediv__ = operators(ops.divide)
    __itruediv__ = in_place(ops.divide, np.divide)
    __pow__, __rpow__ = operators(ops.power)
    __ipow__ = in_place(ops.power, np.power)
    __matmul__, __rmatmul__ = operators(ops.matmul)
    __imatmul__ = in_place(ops.matmul, np.matmul)
    __mod__, __rmod__ = operators(ops.remainder)
    __imod__ = in_place(ops.remainder, np.remainder)
    __floordiv__, __rfloordiv__ = operators(ops.floor_divide)
    __ifloordiv__ = in_place(ops.floor_divide, np.floor_divide)
    __neg__, __pos__, __abs__, __round__ = ops.negative, ops.positive, ops.abs, ops.round

    def __eq__(self, other):
        return NotImplemented if other is None or isinstance(other, str) else np.equal(self, other)

    def __ne__(self, other):
        return NotImplemented if other is None or isinstance(other, str) else np.not_equal(self, other)

    def __lt__(self, other):
        return np.less(self, other)

    def __le__(self, other):
        return np.less_equal(self, other)

    def __gt__(self, other):
        return np.greater(self, other)

    def __ge__(self, other):
        return np.greater_equal(self, other)

    __hash__ = object.__hash__

    # methods: the ops that arrays have as methods, and the activations

    sum, mean, max, min, prod = ops.sum, ops.mean, ops.max, ops.min, ops.prod
    var, std, cumsum, dot, trace = ops.var, ops.std, ops.cumsum, ops.dot, ops.trace
    exp, log, sqrt, square, sin, cos, tanh = ops.exp, ops.log, ops.sqrt, ops.square, ops.sin, ops.cos, ops.tanh
    abs, clip, round, astype, copy = ops.abs, ops.clip, ops.round, ops.astype, ops.copy
    relu, sigmoid, softmax, log_softmax = ops.relu, ops.sigmoid, ops.softmax, ops.log_softmax
    flatten, ravel, squeeze, swapaxes = ops.flatten, ops.ravel, ops.squeeze, ops.swapaxes
    diagonal, repeat, take = ops.diagonal, ops.repeat, ops.take

    def reshape(self, *shape, order="C"):
        """The same entries in another shape: `t.reshape(2, 3)` or `t.reshape((2, 3))`."""
        return ops.reshape(self, shape[0] if len(shape) == 1 else shape, order)

    def transpose(self, *axes):
        """The axes in another order: `t.transpose(1, 0)` or `t.transpose((1, 0))`; reversed by default."""
        if len(axes) == 1 and not isinstance(axes[0], (int, np.integer)):
            axes = axes[0]
        return ops.transpose(self, None if axes is None or len(axes) == 0 else tuple(axes))

    def any(self, axis=None, *, keepdims=False):
        """Whether some entry is not 0: plain booleans."""
        return self._array.any(axis, keepdims=keepdims)

    def all(self, axis=None, *, keepdims=False):
        """Whether no entry is 0: plain booleans."""
        return self._array.all(axis, keepdims=keepdims)

    def argmax(self, axis=None, *, keepdims=False):
        """Where the greatest entry stands: plain integers."""
        return self._array.argmax(axis, keepdims=keepdims)

    def argmin(self, axis=None, *, keepdims=False):
        """Where the smallest entry stands: plain integers."""
        return self._array.argmin(axis, keepdims=keepdims)

    def argsort(self, axis=-1):
        """The indices that would sort it: plain integers."""
        return self._array.argsort(axis, kind="stable")


def make(array, node):
    """A Tensor around an array, without a copy."""
    made = _new(Tensor)
    made._array = array
    made.node = node
    return made


_new = object.__new__


def _restore(data, requires_grad, name, grad):
    """What copy and pickle call."""
    made = Tensor(data, requires_grad=requires_grad, name=name)
    made.grad = grad
    return made


def _like(value, tensor, what):
    """A new array of the Tensor's shape, dtype and layout; ValueError for another shape, TypeError for another kind."""
    value = np.asarray(array_of(value))
    if value.shape != tensor.shape:
        raise ValueError(f"{what} must have shape {tensor.shape}, not {value.shape}")
    if value.dtype.kind not in "fiu":
        raise TypeError(f"{what} must be floating-point, not {value.dtype}")
    like = np.empty_like(tensor._array)
    like[...] = value
    return like


_names: dict[int, tuple] = {}  # id(array) -> (name, weak reference to the array)


def _name_array(array, name):
    """Remember the name of a Tensor without a node by its array, which is all that the tape sees of it."""
    key = id(array)
    _names[key] = name, weakref.ref(array, lambda _: _names.pop(key, None))


def name_of(array):
    """The name of the Tensor without a node that holds this very array, or None."""
    return _names.get(id(array), (None,))[0]


def tensor(data, *, requires_grad=False, dtype=None, name=None):
    """Make a Tensor from anything that np.array takes, by copying it. See `Tensor`."""
    return Tensor(data, requires_grad=requires_grad, dtype=dtype, name=name)


operation.connect(Tensor, make)
