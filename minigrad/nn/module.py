"""`Module`: parts of a network that hold their parameters; and a module as a function of its state.

The attributes are the registry. Nothing else is kept about a module, so what `vars(module)` shows is all there is.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Iterator, Mapping, Set, ValuesView
from functools import partial
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from .._tensor import Tensor, make, tensor
from ..errors import brief, plain_array
from ..foreign_names import Explained, with_options_explained
from ..nest import mapped
from ..operation import array_of
from ..settings import call_in_scope
from ..typing import DType
from .arguments import float_dtype
from .state import IncompatibleKeys, mapping_of, paired, plain_value

_Module = TypeVar("_Module", bound="Module")
P = ParamSpec("P")
T = TypeVar("T")

if TYPE_CHECKING:
    from ..typing import Computes


class Module(Explained):
    """A part of a network: set its parts in `__init__`, and write what it computes as `forward`.

    A Tensor among the attributes is a parameter, an array is a buffer (saved, but not trained), and a Module is a part
    of this one; lists, tuples and dicts of them count too. What ops computed is none of these. Calling the module runs
    `forward` in a `mg.scope` of its name, so that pictures have a box for it; an error from there begins with the names
    of the modules it came through.

    >>> class Network(mg.nn.Module):
    ...     def __init__(self, rng):
    ...         self.hidden = mg.nn.Linear(2, 3, rng=rng)
    ...         self.scale = mg.tensor(1.0, requires_grad=True)
    ...
    ...     def forward(self, x):
    ...         return mg.tanh(self.hidden(x)) * self.scale
    >>> net = Network(np.random.default_rng(0))
    >>> net
    Network, 10 parameters: scale ()
      hidden: Linear(2, 3), 9 parameters: weight (3, 2), bias (3,)
    >>> net(np.ones((5, 2))).shape
    (5, 3)
    >>> [name for name, _ in net.named_parameters()]
    ['hidden.weight', 'hidden.bias', 'scale']
    """

    _called = "a Module"
    training: bool = True
    _has_box: bool = True  # False for what is drawn as one node
    _label: str | None = None  # what the module around it calls it
    _own: frozenset[int] | None = None  # in a copy: the ids of the parameters, since a transform's are no leaves

    def __init__(self) -> None:
        pass

    def __setattr__(self, key: str, value: Any) -> None:
        before: Any = vars(self).get(key)
        if self._is_parameter(before):
            if isinstance(value, np.ndarray):
                raise TypeError(f"{type(self).__name__}: {key} is a parameter: set {key}.data, or make it a Tensor")
            # in a copy for functional_call, parameters are results already
            if self._own is None and before.requires_grad and isinstance(value, Tensor):
                _check_trained(f"{type(self).__name__}: {key} is a parameter", key, value)
        self._name_parts(key, value)
        object.__setattr__(self, key, value)

    def _name_parts(self, key: str, value: Any) -> None:
        """Name what has parameters after the attribute. Raises TypeError where they would not be found."""
        for name, part in _leaves(key, value):
            if isinstance(part, Module):
                vars(part)["_label"] = name
            elif _is_made(part) and part.name is None:
                part.name = name
            elif _hides_parts(part):
                said = f"{name} is a {type(part).__name__}, where parameters are not found: make it a list"
                raise TypeError(f"{type(self).__name__}: {said}")

    if TYPE_CHECKING:

        def __call__(self: Computes[P, T], *x: P.args, **options: P.kwargs) -> T: ...

    else:  # hidden from checkers, for which __getattr__ has every attribute

        def __call__(self, *x: Any, **options: Any) -> Any:
            """Return `forward(*x, **options)`."""
            label = self._label or type(self).__name__
            try:
                if self._has_box:
                    return call_in_scope(label, self.forward, x, options)
                return self.forward(*x, **options)
            except (TypeError, ValueError) as error:
                if len(error.args) == 1:  # a message, not NumPy's tuple of values
                    kind = type(self).__name__
                    said = str(error).removeprefix(f"{kind}: " if label.endswith(kind) else "")
                    error.args = (f"{label}: {said}",)
                raise

    def __copy__(self: _Module) -> _Module:
        new = object.__new__(type(self))
        vars(new).update(vars(self))
        return new

    def __setstate__(self, state: dict[str, Any]) -> None:
        """What deepcopy and pickle call: their copies have no gradients, to which a backward() would add."""
        vars(self).update(state)
        for _, part in _held(self):
            if _is_made(part):
                part.grad = None

    def forward(self, *x: Any, **options: Any) -> Any:
        """Return what the module computes: each kind of module has its own."""
        raise NotImplementedError(f"{type(self).__name__}: write what it computes as a method `forward`")

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """Yield (name, module) of this module, whose name is "", and of all in it."""
        yield "", self
        yield from ((name, part) for name, part in _inside(self) if isinstance(part, Module))

    @with_options_explained
    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Yield (name, parameter), as ("conv1.weight", ...); one that is in several places once, by its first name."""
        seen = set()
        for name, part in self._state():
            if self._is_parameter(part) and id(part) not in seen:
                seen.add(id(part))
                yield name, part

    @with_options_explained
    def parameters(self) -> Iterator[Tensor]:
        """Yield each parameter once: what an optimiser takes."""
        return (parameter for _, parameter in self.named_parameters())

    @with_options_explained
    def zero_grad(self) -> None:
        """Set the gradient of each parameter to None."""
        for parameter in self.parameters():
            parameter.grad = None

    def train(self: _Module, mode: bool = True) -> _Module:
        """Set `training` of this module and of all in it, which Dropout and BatchNorm2d look at; return the module."""
        if not isinstance(mode, (bool, np.bool)):
            raise TypeError(f"train: mode must be True or False, not {brief(mode)}")
        for _, module in self.named_modules():
            module.training = bool(mode)
        return self

    def eval(self: _Module) -> _Module:
        """`train(False)`: compute as after training."""
        return self.train(False)

    def astype(self: _Module, dtype: DType) -> _Module:
        """Return a copy of the module whose floating-point parameters and buffers have this dtype."""
        dtype = float_dtype("astype", dtype)
        cast = {id(part): _cast(part, dtype) for _, part in self._state() if part.dtype.kind == "f"}
        return _copy("astype", self, cast)

    @with_options_explained
    def state_dict(self) -> dict[str, np.ndarray]:
        """Return {name: array} of the parameters and buffers: copies, which later steps of training leave alone."""
        return {name: array_of(part).copy() for name, part in self._state()}

    @with_options_explained
    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy the arrays of a state_dict into the parameters and buffers, cast to their dtypes.

        strict: every name of the module must be there, and no other. Returns the names that are missing or unexpected.
        Raises ValueError that lists all names that are missing, unexpected, or of another shape; then nothing has
        changed.
        """
        if not isinstance(strict, (bool, np.bool)):
            raise TypeError(f"load_state_dict: strict must be True or False, not {brief(strict)}")
        arrays = {name: plain_value(value, name) for name, value in mapping_of("load_state_dict", state).items()}
        pairs, incompatible = paired(
            "load_state_dict", *_named(self), arrays, missing=not strict, unexpected=not strict
        )
        for part, value in pairs:
            if isinstance(part, Tensor):
                part.data = np.array(value, part.dtype, order="C")
            else:
                part[...] = value
        return incompatible

    def _state(self) -> Iterator[tuple[str, Any]]:
        """Yield (name, parameter or buffer), one that is in several places by each of its names."""
        for name, part in _inside(self):
            of_copy = self._own is not None and isinstance(part, Tensor)
            if isinstance(part, np.ndarray) or _is_made(part) or of_copy:
                yield name, part

    def _is_parameter(self, part: Any) -> bool:
        return _is_made(part) if self._own is None else isinstance(part, Tensor) and id(part) in self._own

    def __repr__(self) -> str:
        return "\n".join(_lines(self))


def _is_made(part: Any) -> bool:
    """Whether it is a Tensor that the caller made, and so a parameter; a result of an op is not one."""
    return isinstance(part, Tensor) and part._made


def _check_trained(said: str, key: str, value: Tensor) -> None:
    """Raise TypeError unless it can take the place of a parameter that is trained."""
    if not value.is_leaf:
        raise TypeError(
            f"{said}, and a result is none: set {key}.data, or use mg.functional_call to differentiate with respect to "
            "what it depends on"
        )
    if not value.requires_grad and not hasattr(value, "_frozen"):
        raise TypeError(f"{said}, and this needs no gradient: set {key}.data, or make it with requires_grad=True")


def functional_call(module: Computes[P, T], state: Mapping[str, Any], *x: P.args, **options: P.kwargs) -> T:
    """`module(*x, **options)` with the arrays or Tensors in `state` in the place of its own: a function of its state.

    state: {name: value}, some or all of the names of a state_dict. The module keeps its own; what `forward` changes
    in the call, such as the running statistics of a BatchNorm2d, is changed in a copy. So transforms apply to networks:

    >>> net = mg.nn.Linear(2, 1, bias=False, rng=np.random.default_rng(0), dtype=float)
    >>> x = np.array([[1.0, 2.0]])
    >>> mg.grad(lambda state: mg.functional_call(net, state, x).sum())({"weight": np.ones((1, 2))})
    {'weight': array([[1., 2.]])}

    Raises ValueError that lists the names that the module does not have, and shapes that are wrong; TypeError if x is
    one tuple, as PyTorch takes it.
    """
    if not isinstance(module, Module):
        raise TypeError(f"functional_call: the first argument must be a Module, not {brief(module)}")
    if len(x) == 1 and type(x[0]) is tuple:  # which a layer would take for one array
        raise TypeError("functional_call: give the arguments of the module one by one, not as a tuple")
    given = {
        name: value if isinstance(value, Tensor) else plain_array(value, "functional_call", f"state[{name!r}]")
        for name, value in mapping_of("functional_call", state).items()
    }
    pairs, _ = paired("functional_call", *_named(module), given, missing=True)
    replaced = {id(part): _in_place_of(part, value) for part, value in pairs}
    parameters = [*module.parameters(), *(part for part, _ in pairs if isinstance(part, Tensor))]
    own = frozenset(id(replaced.get(id(parameter), parameter)) for parameter in parameters)
    return _copy("functional_call", module, replaced, own)(*x, **options)


def _in_place_of(part: Any, value: Any) -> Any:
    """A Tensor in the place of a Tensor, also for an array."""
    return make(value, None) if isinstance(part, Tensor) and not isinstance(value, Tensor) else value


def _inside(module: Module, start: str = "", above: tuple[Module, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield (name, part) of the modules, Tensors and arrays in a module, and of those inside the modules."""
    above = (*above, module)
    for name, part in _held(module):
        if isinstance(part, (Tensor, np.ndarray)):
            yield start + name, part
        elif isinstance(part, Module) and not any(part is other for other in above):
            yield start + name, part
            yield from _inside(part, f"{start}{name}.", above)


def _named(module: Module) -> tuple[dict[str, Any], list[str]]:
    """The Tensors and arrays in a module by their names, and the names of its state."""
    own = {name: part for name, part in _inside(module) if not isinstance(part, Module)}
    return own, [name for name, _ in module._state()]


def _held(module: Module) -> Iterator[tuple[str, Any]]:
    """Yield (name, value) of the attributes of a module, also of those in lists, tuples and dicts."""
    for key, value in vars(module).items():
        if isinstance(value, (list, tuple, dict)):
            yield from _leaves(key, value)
        else:
            yield key, value


def _hides_parts(value: Any) -> bool:
    """Whether it is a collection, but none that is searched, and has Tensors or modules in it."""
    # equivalent: without and value.dtype.hasobject because numbers are no parts
    if isinstance(value, np.ndarray) and value.dtype.hasobject:
        value = deque(value.flat)
    return isinstance(value, (Set, ValuesView, deque)) and any(isinstance(part, (Tensor, Module)) for part in value)


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield (name, part) of what is in a nest of lists, tuples and dicts, or of the value itself."""
    if isinstance(value, (list, tuple)):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        yield name, value
        return
    for key, part in value.items():
        yield from _leaves(f"{name}.{key}", part)


def _copy(caller: str, module: Module, replaced: dict[int, Any], own: frozenset[int] | None = None) -> Any:
    """A copy of the module with {id(part): what stands in its place}; what is not in a module is shared.

    Raises TypeError if an attribute is a function that would compute with the parameters of the original.
    """
    modules = {id(part) for _, part in module.named_modules()}
    return _copied(caller, replaced, own, modules, module)


def _copied(caller: str, replaced: dict[int, Any], own: frozenset[int] | None, modules: set[int], value: Any) -> Any:
    """The copy of a value in a module."""
    # no function inside of `_copy`, which would refer to itself and keep the copies' graph until the collector runs
    copied = partial(_copied, caller, replaced, own, modules)
    if id(value) in replaced:
        return replaced[id(value)]
    if isinstance(value, Module):
        new = replaced[id(value)] = object.__new__(type(value))
        vars(new).update({key: copied(part) for key, part in vars(value).items()} | {"_own": own})
        return new
    if isinstance(value, np.ndarray):
        return replaced.setdefault(id(value), value.copy())
    if isinstance(value, (dict, list, tuple)):
        return mapped(copied, value)
    if isinstance(value, MethodType) and id(value.__self__) in modules:
        return MethodType(value.__func__, copied(value.__self__))
    if isinstance(value, FunctionType) and modules & {*map(id, inspect.getclosurevars(value).nonlocals.values())}:
        raise TypeError(
            f"{caller}: the attribute {value.__name__} is a function that would go on using the parameters of the "
            "original module: make it a method"
        )
    return value


def _cast(part: Any, dtype: Any) -> Any:
    """A parameter or buffer in another dtype, in memory of its own."""
    if isinstance(part, np.ndarray):
        return part.astype(dtype)
    return tensor(part.data, dtype=dtype, requires_grad=part.requires_grad, name=part.name)


def _lines(module: Module, start: str = "", above: tuple[Module, ...] = ()) -> Iterator[str]:
    """The lines of the repr: the module, then its parts, each after its name."""
    yield start + _summary(module)
    above = (*above, module)
    for name, part in _held(module):
        if isinstance(part, Module) and not any(part is other for other in above):
            yield from _lines(part, f"{'  ' * len(above)}{name}: ", above)


def _summary(module: Module) -> str:
    """The call that makes such a module, the number of its parameters, and the shapes of its own arrays."""
    held = [*_held(module)]
    text = _call(module, held)
    if count := sum(parameter.size for parameter in module.parameters()):
        text += f", {count:,} parameter{'s' if count > 1 else ''}"
    shapes = [f"{name} {part.shape}" for name, part in held if module._is_parameter(part)]
    buffers = [f"{name} {part.shape}" for name, part in held if isinstance(part, np.ndarray)]
    text += f": {', '.join(shapes)}" if shapes else ""
    return text + (f"; buffers {', '.join(buffers)}" if buffers else "")


def _call(module: Module, held: list[tuple[str, Any]]) -> str:
    """The call that makes such a module; of one that has parts and no arguments, its name."""
    arguments, name = _arguments(module), type(module).__name__
    has_parts = any(isinstance(part, (Module, Tensor, np.ndarray)) for _, part in held)
    return name if has_parts and not arguments else f"{name}({', '.join(arguments)})"


def _arguments(module: Module) -> list[str]:
    """The arguments of a call that makes such a module: those that it keeps by their names and that are no defaults."""
    texts = []
    for parameter in inspect.signature(type(module)).parameters.values():
        value = vars(module).get(parameter.name)
        plain = all(isinstance(part, (int, float, str)) for _, part in _leaves("", value))
        if plain and value != parameter.default:
            required = parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
            texts.append(f"{value!r}" if required else f"{parameter.name}={value!r}")
    return texts
