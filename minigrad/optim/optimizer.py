"""`Optimizer`: parameters and what is kept for each, in flat arrays, so that many small ones are updated together."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy import ndarray

from .._tensor import Tensor
from ..blockwise import parts
from ..errors import brief
from ..foreign_names import Explained, instead, with_options_explained
from ..threads import share
from .arguments import leaves, named, number

_MISTAKEN = ("learning_rate", "betas", "param_groups")  # for attributes
BLOCK = 2**16  # entries that are updated together; small enough for a cache


class Run(NamedTuple):
    """Parameters that lie side by side in the flat arrays and are updated together, which is faster."""

    numbers: list[int]
    dtype: np.dtype
    place: slice  # of these parameters in the flat arrays
    views: list[tuple[Tensor, ndarray, ndarray, ndarray]]  # each parameter with its part of the scratch g, x, s
    scratch: ndarray


class Optimizer(Explained):
    """What the optimisers have in common: parameters, options, and what they keep for each parameter.

    Each option, such as `optimizer.lr`, is an attribute; an assignment checks it. A step of float16 parameters is
    computed in float32 and rounded once.
    """

    _called = "an Optimizer"
    options: ClassVar[tuple[str, ...]] = ()
    kept: ClassVar[dict[str, str | None]] = {}  # what is kept for each parameter, and for which option; None: always
    weight_decay: float

    def __init__(self, parameters: Iterable[Tensor], **options: Any):
        name = type(self).__name__
        self.parameters = leaves(name, parameters)
        for option, value in options.items():
            setattr(self, option, value)
        self._steps = [0 for _ in self.parameters]  # how many each parameter has taken
        self._places: list[slice] = []  # where each parameter lies in the flat arrays of its dtype
        sizes: dict[np.dtype, int] = defaultdict(int)
        longest: dict[np.dtype, int] = {}
        for p in self.parameters:
            dtype = _dtype(p)
            start = sizes[dtype]
            sizes[dtype] += p.size
            self._places.append(slice(start, sizes[dtype]))
            longest[dtype] = max(longest.get(dtype, BLOCK), p.size)
        self._sizes = sizes
        self._scratch = {dtype: np.empty((3, min(size, longest[dtype])), dtype) for dtype, size in sizes.items()}
        self._flat: dict[tuple[str, np.dtype], ndarray] = {}  # state of all parameters of a dtype, by name
        self._planned: list[bool] = []  # whether each had a gradient when the runs were planned
        self._runs: list[Run] = []

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _MISTAKEN and name not in self.options:  # it would be set without an effect
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}{instead('an Optimizer', name)}")
        super().__setattr__(name, number(type(self).__name__, name, value) if name in self.options else value)

    def __repr__(self) -> str:
        options = (f"{name}={getattr(self, name)!r}" for name in self.options)
        return f"{type(self).__name__}(<{len(self.parameters)} parameters>, {', '.join(options)})"

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_planned": [], "_runs": []}  # views, which in a copy would be arrays of their own

    @with_options_explained
    def zero_grad(self) -> None:
        """Clear the gradients of all parameters: each becomes None."""
        for p in self.parameters:
            p.grad = None

    def step(self, closure: None = None) -> None:
        """Update each parameter that has a gradient, in place.

        The first step makes the arrays that are kept; later steps make none. Ctrl-C in the middle of a step leaves it
        done for some parameters, as do other exceptions: go on from a checkpoint if that matters.
        Raises ValueError, before any update, if the array of a parameter is read-only; TypeError for a closure.
        """
        if closure is not None:
            raise TypeError(f"{type(self).__name__}: step calls no function: call backward() before it")
        for i, p in enumerate(self.parameters):
            if not p.data.flags.writeable:
                raise ValueError(f"{type(self).__name__}: the data of parameter {named(i, p)} is read-only; copy it")
        with_gradient = [p.grad is not None for p in self.parameters]
        if with_gradient != self._planned:
            self._runs, self._planned = [*self._plan(with_gradient)], with_gradient
        names = self._names_kept({name: getattr(self, name) for name in self.options})
        for run in self._runs:
            self._step_together(run, names)

    def _plan(self, with_gradient: list[bool]) -> Iterator[Run]:
        """Divide the parameters that have a gradient into runs."""
        numbers: list[int] = []
        for i, p in enumerate(self.parameters):
            first = numbers[0] if numbers else i
            alike = _dtype(p) == _dtype(self.parameters[first]) and self._steps[i] == self._steps[first]
            # equivalent: any change because where a run ends changes the speed alone
            near = self._places[i].stop - self._places[first].start <= BLOCK
            # equivalent: without and not (with_gradient[i] and alike and near) because runs of one are only slower
            if numbers and not (with_gradient[i] and alike and near):
                yield self._run(numbers)
                numbers = []
            if with_gradient[i]:
                numbers.append(i)
        if numbers:
            yield self._run(numbers)

    def _run(self, numbers: list[int]) -> Run:
        dtype = _dtype(self.parameters[numbers[0]])
        start, stop = self._places[numbers[0]].start, self._places[numbers[-1]].stop
        scratch = self._scratch[dtype][:, : stop - start]
        views = []
        for i in numbers:
            p, place = self.parameters[i], self._places[i]
            g, x, s = (row[place.start - start : place.stop - start].reshape(p.shape) for row in scratch)
            views.append((p, g, x, s))
        return Run(numbers, dtype, slice(start, stop), views, scratch)

    def _step_together(self, run: Run, names: list[str]) -> None:
        """Update the parameters of a run."""
        for p, g, x, _ in run.views:
            gradient: Any = p.grad
            g[...] = gradient if run.dtype.kind != "c" else np.conjugate(gradient)  # along which J descends
            if self.weight_decay:
                x[...] = p.data
        if names:
            first, stop = run.numbers[0], run.numbers[-1] + 1
            self._steps[first:stop] = [self._steps[first] + 1] * (stop - first)
        kept = {name: _as_real(self._all(name, run.dtype)[run.place]) for name in names}
        g, x, s = _as_real(run.scratch)

        def change(part):
            of_part = {name: array[part] for name, array in kept.items()}
            self._change(g[part], x[part], s[part], of_part, self._steps[run.numbers[0]])

        # equivalent: len(g), g.nbytes -> g.nbytes, len(g) because parts past the end are empty
        share(change, parts(len(g), g.nbytes))
        for p, _, _, s in run.views:
            array = p.data
            array -= s
            p.data = array  # notes the write, so that older results refuse to be differentiated

    def _change(self, g: ndarray, x: ndarray, s: ndarray, kept: dict[str, ndarray], step: int) -> None:
        """Write to s what is subtracted from x, whose gradient is g, in this step; the first one is 1.

        Entry by entry: of large arrays, threads work on parts.
        x is filled only if there is weight decay. g and x may be overwritten.
        """
        raise NotImplementedError

    def _all(self, name: str, dtype: np.dtype) -> ndarray:
        """What is kept under this name, for all parameters of a dtype; zeros at first."""
        if (name, dtype) not in self._flat:
            self._flat[name, dtype] = np.zeros(self._sizes[dtype], dtype)
        return self._flat[name, dtype]

    def state_dict(self) -> dict[str, Any]:
        """Return the options, and copies of what is kept for parameter i as "i.name": what `mg.save` takes."""
        state = {name: getattr(self, name) for name in self.options}
        names = self._names_kept(state)
        for i, (p, place, step) in enumerate(zip(self.parameters, self._places, self._steps, strict=True)):
            if names and step:
                state[f"{i}.step"] = step
                arrays = {name: self._all(name, _dtype(p))[place] for name in names}
                state |= {f"{i}.{name}": array.reshape(p.shape).copy() for name, array in arrays.items()}
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue where the optimiser was that gave this `state_dict()`. Arrays are copied.

        Raises ValueError that lists the names that are missing or unexpected, or names an entry of another shape;
        TypeError for an entry of another kind. Then nothing has changed.
        """
        options, entries = self._checked(state_dict)
        for name, value in options.items():
            setattr(self, name, value)
        self._steps = [int(of_one.pop("step", 0)) for of_one in entries]
        self._flat, self._planned = {}, []
        for p, place, of_one in zip(self.parameters, self._places, entries, strict=True):
            for name, array in of_one.items():
                self._all(name, _dtype(p))[place].reshape(p.shape)[...] = array

    def _checked(self, state_dict: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The options in a `state_dict`, and what it has for each parameter: {} for one that had no gradient so far."""
        what = f"{type(self).__name__}: state_dict"
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"{what} must be a mapping, not {brief(state_dict)}")
        _require(self.options, state_dict, what)
        options = {name: number(type(self).__name__, name, state_dict[name]) for name in self.options}
        kept = self._names_kept(options)
        entries = [{name: f"{i}.{name}" for name in ("step", *kept) if kept} for i in range(len(self.parameters))]
        known = {*self.options, *(entry for of_one in entries for entry in of_one.values())}
        if unexpected := [str(name) for name in state_dict if name not in known]:
            raise ValueError(f"{what} has {', '.join(unexpected)}, which {type(self).__name__} does not have")
        return options, [
            _of_one(of_one, state_dict, p, what) for of_one, p in zip(entries, self.parameters, strict=True)
        ]

    def _names_kept(self, options: Mapping[str, Any]) -> list[str]:
        """What is kept for a parameter with these options."""
        return [name for name, option in self.kept.items() if option is None or options[option]]


def _dtype(p: Tensor) -> np.dtype:
    """In which a parameter's step is computed, and what is kept for it: float32 for float16, whose squares vanish."""
    return np.dtype(np.float32) if p.dtype.char == "e" else p.dtype


def _as_real(a: ndarray) -> ndarray:
    """A complex array as real and imaginary parts, which are updated as real numbers are; a real array as it is."""
    return a.view(a.real.dtype)


def _require(names: Iterable[str], state_dict: Mapping[str, Any], what: str) -> None:
    if missing := [name for name in names if name not in state_dict]:
        raise ValueError(f"{what} lacks {', '.join(missing)}")


def _of_one(entries: dict[str, str], state_dict: Mapping[str, Any], p: Tensor, what: str) -> dict[str, Any]:
    """What a `state_dict` has for one parameter, checked: all of the entries, or none."""
    found = {name: state_dict[entry] for name, entry in entries.items() if entry in state_dict}
    if found:
        _require(entries.values(), state_dict, what)
    for name, value in found.items():
        _check_entry(f"{what}: {entries[name]}", value, p)
    return found


def _check_entry(what: str, value: Any, p: Tensor) -> None:
    """Raise ValueError or TypeError unless it can be an entry of a state_dict for this parameter."""
    if what.endswith(".step"):
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
            raise TypeError(f"{what} must be an int, not {brief(value)}")
        if value < 1:
            raise ValueError(f"{what} must be at least 1, not {value}")
    elif not isinstance(value, ndarray) or value.dtype != _dtype(p):
        raise TypeError(f"{what} must be an array of dtype {_dtype(p)}, not {getattr(value, 'dtype', brief(value))}")
    elif value.shape != p.shape:
        raise ValueError(f"{what} must have shape {p.shape}, not {value.shape}")
