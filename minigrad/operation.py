"""`Op` and `@op`: a NumPy function that knows its VJPs.

Called with arrays, an op is its NumPy function. Called with a Tensor, it unwraps the arrays,
computes, and records a node; every differentiable function of minigrad is made of these.
"""

import inspect
from collections.abc import Callable
from functools import partial
from types import MethodType
from typing import Any

import numpy as np
from numpy import ndarray

from .blockwise import LARGE, blockwise
from .errors import COMPLEX, NUMPY_ERRORS, brief, explain, plain_array, refusal, unfit
from .gradients import computes_otherwise, fitted, is_array, kind_of, owned, read_only
from .settings import debugger, in_force, recording, setting
from .signature import EachPosition, Signature, from_numpy, snapshot
from .tape import Node, record, released

_NUMBERS = (int, float, complex, np.generic)  # arguments that are recorded as they are

Tensor: Any
make: Any


def connect(tensor_class: Any, make_tensor: Any) -> None:
    """Called once by _tensor.py, so that ops recognise and make Tensors: the one hook that points up."""
    global Tensor, make
    Tensor, make = tensor_class, make_tensor


class Op(Signature):
    """A NumPy function, `forward`, plus one VJP for each differentiable argument.

    The positional parameters of `forward` are the op's arguments; those with a VJP are arrays.
    Its keyword-only parameters are the op's parameters and may not be Tensors. An op of any
    number of arrays takes `*arrays` and no other argument. In an op of minigrad's own, a parameter `saved` is a dict
    in which the forward leaves what it has computed for the VJPs; a user's op gets copies of its parameters.

    `elementwise` lets the forward work on large arrays in blocks: its work for an entry, as a multiple of that of
    reading and writing it. `elementwise_vjps` lets the VJPs. `names` stands in for the signature of a ufunc, which has
    none.
    `extended` is called where a call has parameters that `forward` does not name: a function of ops, see `extends`.
    `numpy` is the NumPy function whose calls it takes as well.
    `places` says of an index whether the VJP puts g there, each entry of it in a place of its own, among zeros.
    `together(*gs, indices=..., shape=...)` is the op that sums many of these.
    `given_to_vjps` makes (g, out, *arguments), what a VJP gets, of g, out and the arguments, if it should get others.
    """

    elementwise: float
    elementwise_vjps: bool
    extended: Callable | None = None
    places: Callable[[Any], bool] | None = None
    together: Any = None
    given_to_vjps: Callable | None
    numpy: Callable | None = None
    differentiable: str  # the kinds of dtypes that the VJPs hold for; "fc": complex numbers, too
    __name__: str
    __qualname__: str
    __signature__: inspect.Signature
    vjps: Any

    def __init__(self, forward: Callable, names: tuple[str, ...] | None = None):
        super().__init__(forward, names)
        self.forward, self.elementwise, self.elementwise_vjps, self.differentiable = forward, 0, False, "f"
        # a user's op: its functions may write to what they get, and keep what they return
        # equivalent: any change because ours do neither
        self.foreign = names is None and not (forward.__module__ or "").startswith("minigrad.")
        # since others use the same arrays
        # equivalent: without if self.foreign else None because ours do not write to them
        self.given_to_vjps = (lambda g, out, rest: map(read_only, (g, out, *rest))) if self.foreign else None
        self.vjps = EachPosition(None) if self.any_number else [None] * len(self.names)

    def vjp(self, name: str, function: Callable | None = None) -> Any:
        """Register the VJP of the argument `name`: a decorator, or called with the function.

        The VJP is called as `vjp(g, out, *arguments, **parameters)` and returns dJ/d argument from
        g = dJ/d out, which has out's shape. It may leave a broadcast as it is: the sweep sums it away.
        With `*arrays` it is called as `vjp(i, g, out, *arrays, **parameters)`, i being the position.

        Raises ValueError if the op has no such argument, TypeError if the VJP can't be called so.
        """
        if callable(name):
            raise TypeError(f"{self.__name__}: name the argument, as in @{self.__name__}.vjp({self.argument(0)!r})")
        if name not in self.names:
            raise ValueError(f"{self.__name__} has no argument {name!r}; it has {', '.join(self.names)}")
        if function is None:
            return partial(self.vjp, name)
        self.check_vjp(name, function)
        if self.any_number:
            self.vjps = EachPosition(function)
        else:
            self.vjps[self.names.index(name)] = function
        return function

    # equivalent: without if in_force() else None because nothing in force means no debugger
    def __call__(self, *arguments: Any, **parameters: Any) -> Any:
        """Compute; record it if an argument leads to a leaf and this task records."""
        if parameters or len(arguments) != self.arity:
            try:
                arguments, parameters = self._bound(arguments, parameters)
            except TypeError:
                return self._extended(arguments, parameters)
        else:
            parameters = self.parameters
        arrays, parents, of_tensors = [*arguments], [None] * len(arguments), False
        for i, argument in enumerate(arguments):
            if isinstance(argument, Tensor):
                arrays[i], parents[i] = argument._array, argument.node
                of_tensors = True
            elif type(argument) is not ndarray and not isinstance(argument, _NUMBERS):
                arrays[i] = self._plain(i, argument)
        watching = debugger() if in_force() else None
        if not of_tensors:
            return self._forward(arrays, parameters, watching)
        recorded = self._records(parents, arrays)
        output = self._output(arrays, parameters, watching)
        node = self._node(parents, arrays, arguments, parameters, output) if recorded else None
        tensor = make(output, node)
        return tensor if watching is None else watching.computed(self, arrays, tensor)

    def _bound(self, arguments: tuple, parameters: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """The arguments in order and the parameters by name, with every default filled in."""
        # equivalent: never because `bind` gives the same, slower
        if not parameters and len(arguments) in self.rest:
            return arguments + self.rest[len(arguments)], self.parameters
        arguments, parameters = self.bind(arguments, parameters)
        for name, value in parameters.items():
            if isinstance(value, Tensor):
                raise TypeError(f"{self.text()}: {name} may not be a Tensor; pass its .data or .item()")
        return arguments, parameters

    def _extended(self, arguments: tuple, parameters: dict[str, Any]) -> Any:
        """Call `extended` for what `forward` does not name, or as NumPy is called.

        Otherwise raise again the TypeError that is being handled.
        """
        if self.names_all(arguments, parameters) or self.numpy is None:
            raise
        if self.extended is None:
            return from_numpy(self.numpy, self, arguments, parameters)
        return self.extended(*arguments, **parameters)

    def _output(self, arrays: list, parameters: dict[str, Any], watching: Any) -> ndarray:
        """What the forward returns, as an array; of a user's op, one that nothing else refers to."""
        if self.foreign:
            arrays, parameters = [*map(read_only, arrays)], snapshot(parameters)
            output = self._array(self._forward(arrays, parameters, watching))
            return owned([(None, output)])[0][1]
        output = self._forward(arrays, parameters, watching)
        # equivalent: output if type(output) is ndarray else self._array(output) -> self._array(output) because an array
        # stays as it is
        return output if type(output) is ndarray else self._array(output)

    def _forward(self, arrays: list, parameters: dict[str, Any], watching: Any) -> Any:
        """What the forward returns. NumPy's errors get the name of the op, and shapes."""
        forward = self.forward if watching is None else watching.forward(self)
        try:
            # equivalent: any change because blocks, and the whole, give the same
            if self.elementwise and watching is None and getattr(arrays[0], "nbytes", 0) * self.elementwise >= LARGE:
                return blockwise(forward, arrays, parameters, weight=self.elementwise)
            return forward(*arrays, **parameters)
        except NUMPY_ERRORS as error:
            explain(error, self.__name__, self.given(arrays, parameters), self.kinds(len(arrays)))
            raise

    def _records(self, parents: list, arrays: list) -> bool:
        """Whether to record a call with these parents. Raises TypeError if one of them has no derivative here."""
        # equivalent: without in_force() and because nothing in force means recording
        if not any(parents) or (in_force() and not recording()):
            return False
        if self.foreign or None in self.vjps:
            for i, parent in enumerate(parents):
                if parent is not None and (self.vjps[i] is None or arrays[i].dtype.kind not in self.differentiable):
                    raise self._no_derivative(i, arrays[i])
        return True

    def _no_derivative(self, i: int, array: ndarray) -> TypeError:
        """There is no VJP for argument i, or it does not hold for such numbers."""
        if array.dtype.kind not in self.differentiable:
            return refusal(TypeError, self.__name__, COMPLEX)
        name = self.argument(i)
        if problem := unfit({name: array}, self.kinds(0)):
            return refusal(TypeError, self.__name__, problem[1])
        said = "which needs a gradient here: detach() it if none should flow"
        return TypeError(f"{self.__name__} has no VJP for its argument {name!r}, {said}")

    # equivalent: without if in_force() else () because nothing in force means no scope
    def _node(self, parents: list, arrays: list, arguments: tuple, parameters: dict, output: ndarray) -> Node:
        """A new node, which keeps the arrays of Tensors, and copies of the caller's arrays and values."""
        if output.dtype.kind not in self.differentiable:
            raise refusal(TypeError, self.__name__, f"can't differentiate a result of dtype {output.dtype}")
        if None in parents:
            arrays = [snapshot(a) if a is given else a for a, given in zip(arrays, arguments, strict=True)]
        if parameters is not self.parameters:
            own = None if self.foreign else "saved"  # is no caller's, so that nobody writes to it
            parameters = {name: value if name == own else snapshot(value) for name, value in parameters.items()}
        scope = setting("scope", ()) if in_force() else ()
        return record(self, tuple(parents), tuple(arrays), parameters, output, scope)

    def contribution(self, i: int, node: Node, g: Any) -> Any:
        """Return dJ/d argument i of the node from g = dJ/d output: the VJP, with the argument's shape and dtype."""
        output, parameters, arguments = node.output, node.parameters, node.arguments
        # they are read last, since another thread that releases the node takes them away first
        if arguments is None:
            raise released(node)
        vjp, argument = self.vjps[i], arguments[i]
        if self.given_to_vjps:
            g, output, *arguments = self.given_to_vjps(g, output, arguments)
        try:
            # equivalent: >= -> >; without and g.nbytes >= LARGE because blocks have the same result
            if self.elementwise_vjps and g.nbytes >= LARGE:
                gradient = blockwise(vjp, (g, output, *arguments), parameters)
            elif parameters or len(arguments) != 2:
                gradient = vjp(g, output, *arguments, **parameters)
            else:  # the same, but faster
                gradient = vjp(g, output, arguments[0], arguments[1])
        except NUMPY_ERRORS as error:
            self._explain_vjp(error, i, {"g": g, "out": output} | self.given(arguments, parameters))
            raise
        # equivalent: never because `fitted` returns such a gradient as it is
        if type(gradient) is ndarray and gradient.shape == argument.shape and gradient.dtype is argument.dtype:
            return gradient
        return self._fitted(i, gradient, argument, isinstance(g, Tensor) or isinstance(output, Tensor))

    def _fitted(self, i: int, gradient: Any, argument: Any, of_tensors: bool) -> Any:
        # equivalent: any change because `fitted` makes an array of a number, too, which is slower
        if type(gradient) is argument.dtype.type and not argument.shape:  # what NumPy returns for 0-d arrays
            return np.asarray(gradient)
        if isinstance(gradient, Tensor) and not of_tensors:
            raise TypeError(f"{self._where(i)} returned a Tensor where it was given arrays")
        return fitted(gradient, argument, partial(self._where, i), self.differentiable)

    def _explain_vjp(self, error: Exception, i: int, given: dict[str, Any]) -> None:
        hint = "" if setting("debug", None) else " (inside mg.debug(), the message names the line of the op)"
        explain(error, self.__name__, given, {}, where=f"the VJP of {self.argument(i)!r}: ", hint=hint)

    def _where(self, i: int) -> str:
        return f"{self.__name__}: the VJP of {self.argument(i)!r}"

    def _plain(self, i: int, argument: Any) -> Any:
        """What is an array in some other form, such as a list or a memory map, as a plain array of its own."""
        if argument is None and not self.any_number and self.defaults.get(self.names[i], ...) is None:
            return None  # it may be left out
        if self.vjps[i] is not None or self.elementwise or isinstance(argument, np.ma.MaskedArray):
            return plain_array(argument, self.__name__, self.argument(i))
        return np.array(np.asarray(argument)) if hasattr(type(argument), "__array__") else argument

    def _array(self, output: Any) -> ndarray:
        if type(output) is not ndarray and (not is_array(output) or computes_otherwise(output)):
            raise TypeError(f"{self.__name__}: an op returns one array, not {kind_of(output)}")
        return np.asarray(output)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """An op put into a class is a method of it."""
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> str:
        """An op is copied and pickled by its name, as a function is."""
        return self.__qualname__

    def __repr__(self) -> str:
        return f"<op {self.text()}>"


def op(forward: Any = None, *, name: str | None = None, complex: bool = False) -> Any:
    """Make a NumPy function an op: `@op`, then `@f.vjp("argument")` for each derivative.

    The function gets arrays, which it may not write to, and returns one array. Inside a VJP use NumPy
    functions, operators and ops only: then it can be differentiated again. `name` is what pictures and
    messages call the op, if not the function's own name. `complex=True` says that the VJPs hold for complex numbers
    too: the gradient of z = x + iy is dJ/dx - i dJ/dy. Without it complex Tensors that need a gradient are refused.
    Raises TypeError for anything but a Python function.

    >>> @mg.op
    ... def cube(x):
    ...     return x * x * x
    >>> @cube.vjp("x")
    ... def _(g, out, x):
    ...     return g * 3 * x * x
    >>> mg.grad(cube)(2.0)
    np.float64(12.0)
    >>> mg.grad(mg.grad(cube))(2.0)
    np.float64(12.0)
    """
    if forward is None:
        return partial(op, name=name, complex=complex)
    if not inspect.isfunction(forward):
        raise TypeError(f"op: decorate a Python function, not {brief(forward)}")
    if name is not None and not isinstance(name, str):
        raise TypeError(f"op: name must be a string, not {brief(name)}")
    made = Op(forward)
    made.__name__ = name or made.__name__
    made.differentiable = "fc" if complex else "f"
    return made


def arraylike(x: Any, owner: str = "array", name: str = "it") -> Any:
    """x with a shape and a dtype: a Tensor as it is, and anything else as an array. The others begin an error."""
    if isinstance(x, Tensor) or type(x) is ndarray:
        return x
    return plain_array(x, owner, name)


def array_of(x: Any) -> Any:
    """The array of a Tensor, or x itself: for what a VJP computes with plain NumPy, such as switches."""
    return x._array if isinstance(x, Tensor) else x
