"""`CheckedFunction`: a function and its inputs as a check sees them, whatever library the function is from.

It is a function of a list of arrays, those that are differentiated, and has one array as its result. Gradients come
from `mg.vjp`, or from a VJP that the caller gives. Complex arrays are pairs of real ones, see `complex_parts`.
"""

import contextlib
import copy
import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .._tensor import Tensor
from ..errors import brief
from ..operation import Op, array_of
from ..transforms import vjp as transform_vjp
from .complex_parts import gradient_in_parts, in_parts, joined, upstream
from .errors import GradientError
from .held_arrays import held_tensors, leaves, mapped, substituted

Pull = Callable[[np.ndarray], list]
Place = int | str  # of an input: its position, or its name if it was given by keyword
Leaves = list[tuple[str, Any]]  # pairs (path in the value, array)


class CheckedFunction:
    """The function of the differentiated arrays alone; the rest of the call stays as it is.

    fn:         takes the inputs and the parameters; returns an array, or a nest of arrays, which is flattened to one
    inputs:     their floating-point arrays are differentiated, unless `argnums` chooses; also those in dicts, lists,
                tuples and the attributes of objects, and those that are given by keyword
    vjp:        None, or a function vjp(g, out, *inputs, **parameters) that returns the gradient of the
                differentiated input, or a tuple of them

    x are the differentiated arrays in float64 (complex ones as pairs), `labels` their names. Tensors that need a
    gradient and that fn holds, such as the parameters of a layer, follow the inputs. `shown` is {name: value} of what
    else a message should show.
    """

    def __init__(
        self,
        fn: Callable,
        inputs: Sequence[Any],
        parameters: dict[str, Any],
        *,
        vjp: Callable | None = None,
        argnums: Any = None,
        name: str | None = None,
    ) -> None:
        self.fn, self.vjp = fn, vjp
        self.shown: dict[str, Any] = {}
        if name is not None and not isinstance(name, str):
            raise TypeError(f"{_name(fn)}: name must be a string, not {brief(name)}")
        self.name = name or _name(fn)
        inputs, parameters = _in_position(fn, inputs, parameters)
        self.names = _names(fn, len(inputs))
        self._values: dict[Place, Any] = dict(enumerate(inputs))
        self._values.update(parameters)
        self._refuse_masks()
        self._moving = self._chosen(argnums)
        self._values = {place: mapped(value, _own_copy) for place, value in self._values.items()}
        moving = [(self._title(place) + path, leaf) for place, parts in self._moving.items() for path, leaf in parts]
        moving += self._hold(differentiated=vjp is None and argnums is None)
        self.labels = [label for label, _ in moving]
        self._complex = [np.iscomplexobj(leaf) for _, leaf in moving]
        self.x = [np.array(in_parts(array_of(leaf)), np.float64) for _, leaf in moving]
        if not self.x:
            self._nothing_to_check()

    def _refuse_masks(self) -> None:
        for label, array in self.given_arrays():
            if isinstance(array, np.ma.MaskedArray):
                raise TypeError(f"{self.name}: {label} is a masked array, which would lose its mask: pass its .data")

    def _hold(self, differentiated: bool) -> Leaves:
        """Note the Tensors that fn holds, with their arrays; return those that are differentiated."""
        held = held_tensors(self.fn)
        self._held = [(tensor, tensor.data.copy(), differentiated and tensor.requires_grad) for _, tensor in held]
        return [pair for pair, (_, _, moves) in zip(held, self._held, strict=True) if moves]

    def _chosen(self, argnums: Any) -> dict[Place, Leaves]:
        """{place: the leaves of its value that are differentiated}, for each place that has some."""
        if argnums is not None:
            return self._named(list(argnums) if isinstance(argnums, (tuple, list)) else [argnums])
        found = {place: _floating_arrays(value, place) for place, value in self._values.items()}
        return {place: parts for place, parts in found.items() if parts and self._has_vjp(place, parts)}

    def _named(self, argnums: list) -> dict[Place, Leaves]:
        """The same for inputs that the caller names."""
        found: dict[Place, Leaves] = {}
        for i in argnums:
            known = isinstance(i, int) and i in self._values
            parts = _floating_leaves(self._values[i]) if known else []
            if not parts:
                raise TypeError(f"{self.name}: argnums {brief(i)} is not a floating-point input")
            found[i] = parts
        return found

    def _has_vjp(self, place: Place, parts: Leaves) -> bool:
        """Whether there is a VJP for this input: a given one is for positions, an op's for arrays, not for lists."""
        if self.vjp is None and isinstance(self.fn, Op):
            known = isinstance(place, int) and (self.fn.any_number or place < len(self.fn.names))
            return known and self.fn.vjps[place] is not None and not any(path for path, _ in parts)
        return self.vjp is None or isinstance(place, int)

    def _title(self, place: Place) -> str:
        return self.names[place] if isinstance(place, int) else place

    def _nothing_to_check(self) -> None:
        count = len(self.names)
        reasons = [f"{self.names[i]} {_obstacle(self._values[i])}" for i in range(count)]
        raise TypeError(
            f"{self.name}: none of the {count} inputs can be differentiated"
            + (f": {', '.join(reasons)}" if reasons else "")
        )

    @property
    def argnums(self) -> list[Place]:
        """The places of the differentiated inputs: positions, and the names of those given by keyword."""
        return list(self._moving)

    def at(self, x: list[np.ndarray]) -> "CheckedFunction":
        """The same function at other inputs."""
        other = copy.copy(self)
        other.x = x
        return other

    def call(self, *x: Any) -> Any:
        """What the function returns, as it returns it."""
        arguments, parameters = self.arguments(x)
        with self._holding(x):
            return self.fn(*arguments, **parameters)

    def joined(self, x: Sequence[Any]) -> list:
        """The arrays as the function takes them, complex where it does."""
        return [joined(a) if is_complex else a for a, is_complex in zip(x, self._complex, strict=True)]

    def _holding(self, x: Sequence[Any]) -> contextlib.AbstractContextManager[None]:
        """Inside, the parameters that fn holds are the last of x; its other Tensors have x's dtype."""
        count = sum(moves for _, _, moves in self._held)
        given = iter(self.joined(x)[len(x) - count :])
        values = [next(given) if moves else _in_dtype(array, x[0].dtype) for _, array, moves in self._held]
        return substituted([tensor for tensor, _, _ in self._held], values)

    def arguments(self, x: Sequence[Any]) -> tuple[list, dict[str, Any]]:
        """The arguments and the parameters of the call, x in place of the differentiated arrays."""
        given, dtype = iter(self.joined(x)), x[0].dtype
        filled = {place: self._replaced(place, given, dtype) for place in self._moving}
        for place, value in self._values.items():
            if place not in filled:
                filled[place] = _cast(value, dtype)
        arguments = [filled[i] for i in range(len(self.names))]
        return arguments, {place: filled[place] for place in self._values if isinstance(place, str)}

    def _replaced(self, place: Place, given: Iterator[Any], dtype: np.dtype) -> Any:
        """The value of a place with the next of the given arrays for each leaf that is differentiated."""
        paths = {path for path, _ in self._moving[place]}

        def replaced(path, leaf):
            return next(given) if path in paths else _cast_leaf(path, leaf, dtype)

        return mapped(self._values[place], replaced)

    def given_arrays(self) -> list[tuple[str, np.ndarray]]:
        """The pairs (name, array) of all arrays in the call, as they were given."""
        values = self._values.items()
        arrays = [(self._title(place) + path, leaf) for place, value in values for path, leaf in leaves(value)]
        return [(name, a) for name, a in arrays if isinstance(a, np.ndarray)]

    def given(self) -> dict[str, Any]:
        """{name: value} of the whole call, for messages."""
        unmoved = {self._title(place): value for place, value in self._values.items() if place not in self._moving}
        return self.shown | dict(zip(self.labels, self.x, strict=True)) | unmoved

    def value(self, *x: Any) -> np.ndarray:
        """The function's value as one real array; TypeError unless it returns floating-point or complex arrays."""
        return self._as_array(self.call(*x))

    def _as_array(self, y: Any) -> np.ndarray:
        if isinstance(y, (dict, list, tuple)):
            parts = [np.asarray(array_of(leaf)) for _, leaf in leaves(y)]
            parts = [in_parts(part) for part in parts if part.dtype.kind in "fc"]
            if parts:
                return np.concatenate([part.ravel() for part in parts])
        if isinstance(y, (dict, list, tuple)) or y is None:
            raise TypeError(f"{self.name}: a check needs a function that returns arrays, not {brief(y)}")
        y = np.asarray(array_of(y))
        if y.dtype.kind not in "fc":
            raise TypeError(f"{self.name}: the result has dtype {y.dtype}; only floating point has a derivative")
        return in_parts(y)

    def pullback(self, x: Sequence[Any]) -> tuple[np.ndarray, Pull]:
        """(y, pull): the value at x, and the function from g to the list of gradients."""
        if self.vjp is not None:
            return self._pullback_of_given(self.vjp, x)
        fresh: list[Any] = []

        def call(*inputs):
            fresh[:] = inputs
            return self.call(*inputs)

        y, pulled = transform_vjp(call, *x)

        def pull(g):
            with self._holding(fresh):
                return list(self._answer_of_vjp(pulled, shaped_as(y, g)))

        return self._as_array(y), pull

    def _pullback_of_given(self, given: Callable, x: Sequence[Any]) -> tuple[np.ndarray, Pull]:
        out = self.call(*x)
        y = self._as_array(out)
        if not isinstance(out, (dict, list, tuple)):
            out = np.asarray(array_of(out))

        def pull(g):
            arguments, parameters = self.arguments(x)
            gradients = self._answer_of_vjp(given, shaped_as(out, g), out, *arguments, **parameters)
            return [array_of(gradient) for gradient in self._sorted(gradients)]

        return y, pull

    def _answer_of_vjp(self, function: Callable, *arguments: Any, **parameters: Any) -> Any:
        """What the VJP returns; what it raises becomes a GradientError, except for a write to a read-only array."""
        try:
            return function(*arguments, **parameters)
        except GradientError:
            raise
        except Exception as error:
            if isinstance(error, ValueError) and "read-only" in str(error):
                raise
            statement = f"the VJP raised {type(error).__name__}: {error}"
            raise GradientError("raised", self, None, statement) from error

    def _sorted(self, gradients: Any) -> list:
        """What a given VJP returned as one gradient for each differentiated array."""
        places = self.argnums
        listed = len(places) == 1 and isinstance(self._values[places[0]], (list, tuple))
        in_tuple = isinstance(gradients, (list, tuple)) and not (listed and len(gradients) != 1)
        gradients = list(gradients) if in_tuple else [gradients]
        if len(gradients) != len(places):
            raise TypeError(f"{self.name}: the VJP returned {len(gradients)} gradients for {len(places)} inputs")
        found = []
        for place, gradient in zip(places, gradients, strict=True):
            parts = dict(leaves(gradient))
            for path, _ in self._moving[place]:
                if path not in parts:
                    self.missing(self._title(place) + path, gradient)
                found.append(parts[path])
                if isinstance(parts[path], (np.ma.MaskedArray, np.matrix)):
                    self.missing(self._title(place) + path, parts[path])
        return [gradient_in_parts(v) if c else v for v, c in zip(found, self._complex, strict=True)]

    def missing(self, label: str, gradient: Any) -> None:
        """Raise for a VJP that returned something else than a gradient."""
        hint = ["a `return` is missing"] if gradient is None else []
        statement = f"the VJP returned {'None' if gradient is None else repr(gradient)[:80]} for {label}, not an array"
        raise GradientError("missing", self, label, statement, diagnosis=hint)

    def along(self, position: int) -> Callable[[Any], np.ndarray]:
        """The function of one differentiated array, the others held at x."""

        def f(value):
            x = list(self.x)
            x[position] = value
            return self.value(*x)

        return f

    def as_op(self) -> Callable:
        """The function as an op of its differentiated arrays, with the given VJP: for derivatives of that VJP."""
        if self.vjp is None:
            return self.call
        given = self.vjp

        def forward(*arrays):
            return self.value(*arrays)

        def vjp(i, g, out, *arrays):
            arguments, parameters = self.arguments(arrays)
            if np.iscomplexobj(self.call(*map(array_of, arrays))):
                g, out = upstream(g), joined(out)
            return self._sorted(given(g, out, *arguments, **parameters))[i]

        made = Op(forward)
        made.__name__ = self.name
        made.vjp("arrays", vjp)
        return made


def parameter_names(fn: Callable) -> tuple[list[str], list[str]]:
    """The names of the positional and of the keyword-only parameters of fn, where they can be known.

    >>> parameter_names(lambda x, y=1, *, axis: x)
    (['x', 'y'], ['axis'])
    """
    if isinstance(fn, np.ufunc):
        return [f"x{i}" if fn.nin > 1 else "x" for i in range(1, fn.nin + 1)], []
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):  # many a function in C has no signature
        return [], []
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return positional, [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]


def _names(fn: Callable, count: int) -> list[str]:
    """What messages call each of so many inputs."""
    if isinstance(fn, Op) and fn.any_number:
        return [fn.argument(i) for i in range(count)]
    names = parameter_names(fn)[0][:count]
    return [*names, *(f"input {i}" for i in range(len(names), count))]


def _in_position(fn: Any, inputs: Sequence[Any], parameters: dict[str, Any]) -> tuple[Sequence[Any], dict[str, Any]]:
    """An op's arguments that were given by keyword in their positions, with the defaults in between."""
    if not (isinstance(fn, Op) and fn.names_all(tuple(inputs), parameters) and parameters.keys() & set(fn.names)):
        return inputs, parameters
    bound, _ = fn.bind(tuple(inputs), parameters)
    last = max(i for i, name in enumerate(fn.names) if name in parameters)
    return bound[: last + 1], {key: value for key, value in parameters.items() if key not in fn.names}


def _floating_leaves(value: Any) -> Leaves:
    """The leaves of a value that have a derivative, Python floats included."""
    return [(path, leaf) for path, leaf in leaves(value) if getattr(leaf, "dtype", np.dtype(float)).kind in "fc"]


def _floating_arrays(value: Any, place: Place) -> Leaves:
    """The leaves of a value that a check differentiates by itself: arrays, or a Python float that is an argument.

    Where some of them are Tensors that need a gradient, the others stay.
    """
    found = _floating_leaves(value)
    if not (isinstance(place, int) and isinstance(value, float)):
        found = [(path, leaf) for path, leaf in found if not isinstance(leaf, float)]
    needing = [(path, leaf) for path, leaf in found if isinstance(leaf, Tensor) and leaf.requires_grad]
    return needing or found


def _obstacle(value: Any) -> str:
    """Why a check does not differentiate an input."""
    if isinstance(value, (np.ndarray, np.generic)):
        return "has no VJP" if value.dtype.kind in "fc" else f"has dtype {value.dtype}"
    return "has no VJP" if isinstance(value, float) else f"is of type {type(value).__name__}"


def _own_copy(path: str, leaf: Any) -> Any:
    """A copy that nobody else writes to, without history."""
    if isinstance(leaf, Tensor):
        return leaf.numpy()
    return np.array(leaf, copy=True, subok=True) if isinstance(leaf, np.ndarray) else leaf


def _cast(value: Any, dtype: np.dtype) -> Any:
    """A constant as it would be beside inputs of this dtype; in float64 as it is."""
    return value if dtype == np.float64 else mapped(value, lambda path, leaf: _cast_leaf(path, leaf, dtype))


def _cast_leaf(path: str, leaf: Any, dtype: np.dtype) -> Any:
    if dtype == np.float64:
        return leaf
    if isinstance(leaf, np.integer):
        return int(leaf)
    if isinstance(leaf, (np.ndarray, np.inexact)):
        return _in_dtype(leaf, dtype) if leaf.dtype.kind in "fc" else leaf
    return dtype.type(leaf) if path and isinstance(leaf, float) else leaf


def _in_dtype(a: Any, dtype: np.dtype) -> Any:
    """The array in a floating-point dtype, or in the complex dtype whose parts have it."""
    return a.astype(np.result_type(dtype, np.complex64) if a.dtype.kind == "c" else dtype, copy=False)


def shaped_as(y: Any, g: np.ndarray) -> Any:
    """The flat upstream gradient in the structure of the result; where that is one real array, g itself."""
    if not isinstance(y, (dict, list, tuple)):
        return upstream(g) if np.iscomplexobj(y) else g
    start = 0

    def part(path, leaf):
        nonlocal start
        leaf = np.asarray(array_of(leaf))
        if leaf.dtype.kind not in "fc":
            return np.zeros_like(leaf)
        parts = in_parts(leaf)
        start += parts.size
        own = np.reshape(g[start - parts.size : start], parts.shape)
        # equivalent: False -> True because a copy holds the same numbers
        return (own if parts is leaf else upstream(own)).astype(leaf.dtype, copy=False)

    return mapped(y, part)


def _name(fn: Any) -> str:
    while isinstance(fn, functools.partial):
        fn = fn.func
    return getattr(fn, "__name__", type(fn).__name__)
