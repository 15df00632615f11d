"""Optimisers: each step moves parameters along their gradients, in place.

Names, defaults and updates are PyTorch's. A learning rate that changes is a function of the step, such as
`cosine_annealing`, whose value is assigned to `optimizer.lr`.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy import ndarray

from ._tensor import Tensor
from .errors import brief

__all__ = ["Optimizer", "SGD", "Adam", "AdamW", "RMSprop", "clip_grad_norm"]
__all__ += ["step_decay", "exponential_decay", "linear_warmup", "cosine_annealing"]

BELOW_1 = ("beta1", "beta2", "alpha", "start_factor")
SWITCHES = ("nesterov", "amsgrad", "centered")
BLOCK = 2**16  # entries that are updated together; small enough for a cache


class Run(NamedTuple):
    """Parameters that lie side by side in the flat arrays and are updated together, which is faster."""

    numbers: list[int]
    dtype: np.dtype
    place: slice  # in what is kept
    views: list[tuple[Tensor, ndarray, ndarray, ndarray]]  # each parameter with its part of the scratch g, x, s
    scratch: ndarray


class Optimizer:
    """What the optimisers have in common: parameters, options, and what they keep for each parameter.

    Each option, such as `optimizer.lr`, is an attribute; an assignment checks it.
    """

    options: ClassVar[tuple[str, ...]] = ()
    kept: ClassVar[dict[str, str | None]] = {}  # what is kept for each parameter, and for which option; None: always
    weight_decay: float

    def __init__(self, parameters: Iterable[Tensor], **options: Any):
        name = type(self).__name__
        self.parameters = _leaves(name, parameters)
        if not self.parameters:
            raise ValueError(f"{name}: parameters is empty; a generator gives its items only once")
        for option, value in options.items():
            setattr(self, option, value)
        self._steps = [0 for _ in self.parameters]  # that were taken with what is kept
        self._places: list[slice] = []  # of each parameter, in the flat arrays of its dtype
        sizes: dict[np.dtype, int] = {}
        longest: dict[np.dtype, int] = {}
        for p in self.parameters:
            start = sizes.setdefault(p.dtype, 0)
            self._places.append(slice(start, start + p.size))
            sizes[p.dtype] += p.size
            longest[p.dtype] = max(longest.get(p.dtype, BLOCK), p.size)
        self._sizes = sizes
        self._scratch = {dtype: np.empty((3, min(size, longest[dtype])), dtype) for dtype, size in sizes.items()}
        self._flat: dict[tuple[str, np.dtype], ndarray] = {}  # what is kept, of all parameters of a dtype
        self._planned: list[bool] = []  # which had a gradient when the runs were planned
        self._runs: list[Run] = []

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, _option(type(self).__name__, name, value) if name in self.options else value)

    def __repr__(self) -> str:
        options = (f"{name}={getattr(self, name)!r}" for name in self.options)
        return f"{type(self).__name__}(<{len(self.parameters)} parameters>, {', '.join(options)})"

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_planned": [], "_runs": []}  # views, which in a copy would be arrays of their own

    def zero_grad(self) -> None:
        """Clear the gradients of all parameters: each becomes None."""
        for p in self.parameters:
            p.grad = None

    def step(self) -> None:
        """Update each parameter that has a gradient, in place.

        The first step makes the arrays that are kept; later steps make none.
        Raises ValueError, before any update, if the array of a parameter is read-only.
        """
        for i, p in enumerate(self.parameters):
            if not p.data.flags.writeable:
                raise ValueError(f"{type(self).__name__}: the data of parameter {_named(i, p)} is read-only; copy it")
        with_gradient = [p.grad is not None for p in self.parameters]
        if with_gradient != self._planned:
            self._runs, self._planned = [*self._plan(with_gradient)], with_gradient
        names = self._names_kept({name: getattr(self, name) for name in self.options})
        for run in self._runs:
            self._step_together(run, names)

    def _plan(self, with_gradient: list[bool]) -> Iterator[Run]:
        """Divide the parameters that have a gradient into runs."""
        numbers: list[int] = []
        size = 0
        for i, p in enumerate(self.parameters):
            first = numbers[0] if numbers else i
            fits = p.dtype == self.parameters[first].dtype and self._steps[i] == self._steps[first]
            if numbers and not (with_gradient[i] and fits and size + p.size <= BLOCK):
                yield self._run(numbers)
                numbers, size = [], 0
            if with_gradient[i]:
                numbers.append(i)
                size += p.size
        if numbers:
            yield self._run(numbers)

    def _run(self, numbers: list[int]) -> Run:
        dtype = self.parameters[numbers[0]].dtype
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
            g[...] = p.grad
            if self.weight_decay:
                x[...] = p.data
        if names:
            for i in run.numbers:
                self._steps[i] += 1
        kept = {name: self._all(name, run.dtype)[run.place] for name in names}
        g, x, s = run.scratch
        self._change(g, x, s, kept, self._steps[run.numbers[0]])
        for p, _, _, s in run.views:
            array = p.data
            array -= s
            p.data = array  # notes the write, so that older results refuse to be differentiated

    def _change(self, g: ndarray, x: ndarray, s: ndarray, kept: dict[str, ndarray], step: int) -> None:
        """Write to s what is subtracted from x, whose gradient is g, in this step; the first one is 1.

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
                arrays = {name: self._all(name, p.dtype)[place] for name in names}
                state |= {f"{i}.{name}": array.reshape(p.shape).copy() for name, array in arrays.items()}
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue where the optimiser was that gave this `state_dict()`. Arrays are copied.

        Raises ValueError that lists the names that are missing or unexpected, or names an entry of another shape;
        TypeError for an entry of another kind. Then nothing has changed.
        """
        what = f"{type(self).__name__}: state_dict"
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"{what} must be a mapping, not {brief(state_dict)}")
        if missing := [name for name in self.options if name not in state_dict]:
            raise ValueError(f"{what} lacks {', '.join(missing)}")
        options = {name: _option(type(self).__name__, name, state_dict[name]) for name in self.options}
        names = self._names_kept(options)
        entries = [{name: f"{i}.{name}" for name in ("step", *names) if names} for i in range(len(self.parameters))]
        known = {*self.options, *(entry for of_one in entries for entry in of_one.values())}
        if unexpected := [str(name) for name in state_dict if name not in known]:
            raise ValueError(f"{what} has {', '.join(unexpected)}, which {type(self).__name__} does not have")
        for i, (p, of_one) in enumerate(zip(self.parameters, entries, strict=True)):
            missing = [entry for entry in of_one.values() if entry not in state_dict]
            if len(missing) == len(of_one):
                entries[i] = {}  # it had no gradient so far
            elif missing:
                raise ValueError(f"{what} lacks {', '.join(missing)}")
            for entry in entries[i].values():
                _check_entry(f"{what}: {entry}", state_dict[entry], p)
        for name, value in options.items():
            setattr(self, name, value)
        self._steps = [int(state_dict[of_one["step"]]) if of_one else 0 for of_one in entries]
        self._flat, self._planned = {}, []
        for p, place, of_one in zip(self.parameters, self._places, entries, strict=True):
            for name in names if of_one else ():
                self._all(name, p.dtype)[place].reshape(p.shape)[...] = state_dict[of_one[name]]

    def _names_kept(self, options: Mapping[str, Any]) -> list[str]:
        """What is kept for a parameter with these options."""
        return [name for name, option in self.kept.items() if option is None or options[option]]


class SGD(Optimizer):
    """Stochastic gradient descent: x -= lr * d, with d = g, or with momentum.

    With momentum, d is the buffer m = momentum * m + (1 - dampening) * g, which begins as the first g; with nesterov,
    d = g + momentum * m. weight_decay adds weight_decay * x to g.

    Raises ValueError for a negative or infinite option, for nesterov without momentum or with dampening, and for
    parameters that are none, twice the same, or need no gradient; TypeError for another kind.

    >>> w = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = mg.optim.SGD([w], lr=0.1)
    >>> mg.sum(w * w).backward()
    >>> optimizer.step()
    >>> optimizer.zero_grad()
    >>> w
    tensor([0.8, 1.6], requires_grad=True)
    """

    options = ("lr", "momentum", "dampening", "weight_decay", "nesterov")
    kept: ClassVar = {"momentum_buffer": "momentum"}
    lr: float
    momentum: float
    dampening: float
    weight_decay: float
    nesterov: bool

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
    ):
        super().__init__(
            parameters, lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov
        )
        if self.nesterov and (not self.momentum or self.dampening):
            raise ValueError(f"SGD: nesterov takes a momentum and no dampening, not {momentum} and {dampening}")

    def _change(self, g, x, s, kept, step):
        _decay(g, x, self.weight_decay)
        if self.momentum:
            m = kept["momentum_buffer"]
            if step == 1:
                m[...] = g
            else:
                _average(m, self.momentum, g, 1 - self.dampening, s)
            if self.nesterov:
                g += np.multiply(m, self.momentum, out=s)
            else:
                g = m
        np.multiply(g, self.lr, out=s)


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015): x -= lr * m / (sqrt(v) + eps), of moving averages without bias.

    In step t, m is the average of g with weight betas[0], divided by 1 - betas[0]**t, and v that of g**2 with betas[1].
    amsgrad takes the greatest v so far. weight_decay adds weight_decay * x to g.

    Raises ValueError and TypeError as `SGD` does; each of betas is at least 0 and below 1.

    >>> w = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = mg.optim.Adam([w], lr=0.1)
    >>> mg.sum(w * w).backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9, 1.9], requires_grad=True)
    """

    options = ("lr", "beta1", "beta2", "eps", "weight_decay", "amsgrad")
    decoupled = False  # whether the weight decay is none of the gradient
    kept: ClassVar = {"exp_avg": None, "exp_avg_sq": None, "max_exp_avg_sq": "amsgrad"}
    lr: float
    beta1: float
    beta2: float
    eps: float
    weight_decay: float
    amsgrad: bool

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
    ):
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise TypeError(f"{type(self).__name__}: betas must be a pair of numbers, not {brief(betas)}")
        averages = {"beta1": betas[0], "beta2": betas[1], "eps": eps}
        super().__init__(parameters, lr=lr, **averages, weight_decay=weight_decay, amsgrad=amsgrad)

    def _change(self, g, x, s, kept, step):
        if not self.decoupled:
            _decay(g, x, self.weight_decay)
        m = _average(kept["exp_avg"], self.beta1, g, 1 - self.beta1, s)
        v = _average(kept["exp_avg_sq"], self.beta2, np.multiply(g, g, out=g), 1 - self.beta2, s)
        if self.amsgrad:
            v = np.maximum(v, kept["max_exp_avg_sq"], out=kept["max_exp_avg_sq"])
        np.sqrt(v, out=s)
        s /= math.sqrt(1 - self.beta2**step)
        s += self.eps
        np.divide(m, s, out=s)
        s *= self.lr / (1 - self.beta1**step)
        if self.decoupled:
            _decay(s, x, self.lr * self.weight_decay)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019): x -= lr * weight_decay * x, then Adam's step.

    >>> w = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> mg.optim.AdamW([w])
    AdamW(<1 parameters>, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-08, weight_decay=0.01, amsgrad=False)
    """

    decoupled = True

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
    ):
        super().__init__(parameters, lr, betas, eps, weight_decay, amsgrad)


class RMSprop(Optimizer):
    """RMSprop (Hinton 2012): x -= lr * g / (sqrt(v) + eps), v being the moving average of g**2 with weight alpha.

    centered subtracts from v the square of the moving average of g. With momentum, the quotient goes to a buffer
    m = momentum * m + g / (sqrt(v) + eps), and x -= lr * m. weight_decay adds weight_decay * x to g.

    Raises ValueError and TypeError as `SGD` does; alpha is at least 0 and below 1.

    >>> w = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = mg.optim.RMSprop([w], lr=0.1, alpha=0.75)
    >>> mg.sum(w * w).backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8, 1.8], requires_grad=True)
    """

    options = ("lr", "alpha", "eps", "weight_decay", "momentum", "centered")
    kept: ClassVar = {"square_avg": None, "grad_avg": "centered", "momentum_buffer": "momentum"}
    lr: float
    alpha: float
    eps: float
    weight_decay: float
    momentum: float
    centered: bool

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
    ):
        options = {"weight_decay": weight_decay, "momentum": momentum, "centered": centered}
        super().__init__(parameters, lr=lr, alpha=alpha, eps=eps, **options)

    def _change(self, g, x, s, kept, step):
        _decay(g, x, self.weight_decay)
        if self.centered:
            mean = _average(kept["grad_avg"], self.alpha, g, 1 - self.alpha, s)
        v = _average(kept["square_avg"], self.alpha, np.multiply(g, g, out=x), 1 - self.alpha, s)
        if self.centered:
            v = np.subtract(v, np.multiply(mean, mean, out=s), out=s)
            np.maximum(v, 0, out=v)  # rounding can make it negative
        np.sqrt(v, out=s)
        s += self.eps
        np.divide(g, s, out=g)
        if self.momentum:
            g = _average(kept["momentum_buffer"], self.momentum, g, 1, s)
        np.multiply(g, self.lr, out=s)


def clip_grad_norm(parameters: Iterable[Tensor], max_norm: float, norm_type: float = 2.0) -> float:
    """Scale the gradients of all parameters, in place, so that their norm is at most max_norm; return the norm before.

    The norm is that of all entries of all gradients together: (sum of |g|**p)**(1/p) with p = norm_type, which may be
    infinity. Parameters without a gradient are left out. The factor is max_norm / (norm + 1e-6), as in PyTorch.

    Raises FloatingPointError if the norm is infinite or not a number; then no gradient has changed. Raises ValueError
    and TypeError for parameters as an optimiser does, and if max_norm is negative or norm_type not above 0.

    >>> w = mg.tensor([3.0, 4.0], requires_grad=True)
    >>> mg.sum(w * w).backward()
    >>> mg.optim.clip_grad_norm([w], 1.0)
    10.0
    >>> np.round(w.grad, 4)
    array([0.6, 0.8])
    """
    name = "clip_grad_norm"
    gradients = [p.grad for p in _leaves(name, parameters) if p.grad is not None]
    max_norm = _option(name, "max_norm", max_norm, infinite=True)
    norm_type = _option(name, "norm_type", norm_type, infinite=True)
    if norm_type == 0:
        raise ValueError(f"{name}: norm_type must be above 0, not 0")
    # divided by the greatest entry, no power overflows
    greatest = float(np.max([np.max(np.abs(g), initial=0) for g in gradients], initial=0))
    norm = greatest
    if 0 < greatest < math.inf and norm_type < math.inf:
        powers = (np.sum((np.abs(g) / greatest) ** norm_type, dtype=float) for g in gradients)
        norm = greatest * float(sum(powers)) ** (1 / norm_type)
    if not math.isfinite(norm):
        raise FloatingPointError(f"{name}: the norm of the gradients is {norm}")
    factor = max_norm / (norm + 1e-6)
    if factor < 1:
        for g in gradients:
            g *= factor
    return norm


def step_decay(step: int, lr: float, step_size: int, gamma: float = 0.1) -> float:
    """Return lr, multiplied by gamma after each step_size steps: PyTorch's StepLR.

    >>> [mg.optim.step_decay(step, 1.0, step_size=2, gamma=0.5) for step in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    _check_schedule("step_decay", step=step, lr=lr, gamma=gamma)
    _check_length("step_decay", step_size=step_size)
    return lr * gamma ** (step // step_size)


def exponential_decay(step: int, lr: float, gamma: float) -> float:
    """Return lr, multiplied by gamma after each step: PyTorch's ExponentialLR.

    >>> [mg.optim.exponential_decay(step, 1.0, gamma=0.5) for step in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """
    _check_schedule("exponential_decay", step=step, lr=lr, gamma=gamma)
    return lr * gamma**step


def linear_warmup(step: int, lr: float, total_iters: int = 5, start_factor: float = 1 / 3) -> float:
    """Return a rate that rises in total_iters steps from start_factor * lr to lr, and stays: PyTorch's LinearLR.

    >>> [mg.optim.linear_warmup(step, 1.0, total_iters=4, start_factor=0.0) for step in range(6)]
    [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    """
    _check_schedule("linear_warmup", step=step, lr=lr, start_factor=start_factor)
    _check_length("linear_warmup", total_iters=total_iters)
    return lr * (start_factor + (1 - start_factor) * min(step / total_iters, 1))


def cosine_annealing(step: int, lr: float, T_max: int, eta_min: float = 0.0) -> float:
    """Return a rate that falls in T_max steps from lr to eta_min along half a cosine, and stays there.

    Until T_max it is PyTorch's CosineAnnealingLR, which rises again later.

    >>> [round(mg.optim.cosine_annealing(step, 1.0, T_max=4), 3) for step in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """
    _check_schedule("cosine_annealing", step=step, lr=lr, eta_min=eta_min)
    _check_length("cosine_annealing", T_max=T_max)
    return eta_min + (lr - eta_min) * (1 + math.cos(math.pi * min(step / T_max, 1))) / 2


def _check_schedule(name: str, **numbers: Any) -> None:
    for what, value in numbers.items():
        _option(name, what, value)


def _check_length(name: str, **lengths: Any) -> None:
    for what, value in lengths.items():
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
            raise TypeError(f"{name}: {what} must be an int, not {brief(value)}")
        if value < 1:
            raise ValueError(f"{name}: {what} must be at least 1, not {value}")


def _option(owner: str, name: str, value: Any, infinite: bool = False) -> Any:
    """The value of an option as a Python number; ValueError or TypeError if it can't have it."""
    said = f"{owner}: {name} must be"
    if name in SWITCHES:
        if not isinstance(value, (bool, np.bool)):
            raise TypeError(f"{said} True or False, not {brief(value)}")
        return bool(value)
    if isinstance(value, (bool, np.bool)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{said} a number, not {brief(value)}")
    limit = 1 if name in BELOW_1 else math.inf
    if not (0 <= value < limit or (infinite and value == limit)):
        bounds = "at least 0" if infinite else "at least 0 and below 1" if limit == 1 else "at least 0 and finite"
        raise ValueError(f"{said} {bounds}, not {value}")
    return value.item() if isinstance(value, np.generic) else value  # NumPy's would turn float32 into float64


def _leaves(owner: str, parameters: Any) -> list[Tensor]:
    """The parameters as a list, each a leaf that needs a gradient, none twice."""
    if isinstance(parameters, (Tensor, Mapping, str)) or not isinstance(parameters, Iterable):
        hint = "; pass its .values()" if isinstance(parameters, Mapping) else ""
        raise TypeError(f"{owner}: parameters must be a list of Tensors, not {brief(parameters)}{hint}")
    found = list(parameters)
    seen: dict[int, int] = {}
    for i, p in enumerate(found):
        if not isinstance(p, Tensor):
            raise TypeError(f"{owner}: parameter {i} must be a Tensor, not {brief(p)}")
        if not p.is_leaf:
            raise ValueError(
                f"{owner}: parameter {_named(i, p)} must be a leaf, not the result of {p.node.op.__name__}"
            )
        if not p.requires_grad:
            raise ValueError(f"{owner}: parameter {_named(i, p)} needs no gradient; make it with requires_grad=True")
        if seen.setdefault(id(p), i) != i:
            raise ValueError(f"{owner}: parameters {seen[id(p)]} and {_named(i, p)} are the same Tensor")
    return found


def _named(i: int, p: Tensor) -> str:
    """A parameter in a message: its place, and its name if it has one."""
    return f"{i}{f' ({p.name})' if p.name else ''}"


def _check_entry(what: str, value: Any, p: Tensor) -> None:
    """Raise ValueError or TypeError unless it can be an entry of a state_dict for this parameter."""
    if what.endswith(".step"):
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
            raise TypeError(f"{what} must be an int, not {brief(value)}")
        if value < 1:
            raise ValueError(f"{what} must be at least 1, not {value}")
    elif not isinstance(value, ndarray) or value.dtype != p.dtype:
        raise TypeError(f"{what} must be an array of dtype {p.dtype}, not {getattr(value, 'dtype', brief(value))}")
    elif value.shape != p.shape:
        raise ValueError(f"{what} must have shape {p.shape}, not {value.shape}")


def _decay(g: ndarray, x: ndarray, weight_decay: float) -> None:
    """Add to g the gradient of weight_decay / 2 * sum(x**2). x is overwritten."""
    if weight_decay:
        g += np.multiply(x, weight_decay, out=x)


def _average(average: ndarray, weight: float, new: ndarray, weight_of_new: float, s: ndarray) -> ndarray:
    """Update a moving average in place and return it; s is scratch."""
    average *= weight
    average += np.multiply(new, weight_of_new, out=s)
    return average
