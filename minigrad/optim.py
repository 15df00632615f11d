"""Optimisers: each step moves parameters along their gradients, in place.

Names, defaults and updates are PyTorch's. A learning rate that changes is a function of the step, such as
`cosine_annealing`, whose value is assigned to `optimizer.lr`.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy import ndarray

from ._tensor import Tensor
from .errors import brief

__all__ = ["Optimizer", "SGD", "Adam", "AdamW", "RMSprop", "clip_grad_norm"]
__all__ += ["step_decay", "exponential_decay", "linear_warmup", "cosine_annealing"]

BELOW_1 = ("beta1", "beta2", "alpha", "start_factor")
SWITCHES = ("nesterov", "amsgrad", "centered")


class Optimizer:
    """What the optimisers have in common: parameters, options, and what they keep for each parameter.

    Each option, such as `optimizer.lr`, is an attribute; an assignment checks it.
    """

    options: ClassVar[tuple[str, ...]] = ()
    kept: ClassVar[dict[str, str | None]] = {}  # what is kept for each parameter, and for which option; None: always

    def __init__(self, parameters: Iterable[Tensor], **options: Any):
        name = type(self).__name__
        self.parameters = _leaves(name, parameters)
        if not self.parameters:
            raise ValueError(f"{name}: parameters is empty; a generator gives its items only once")
        for option, value in options.items():
            setattr(self, option, value)
        self._states: list[dict[str, Any]] = [{} for _ in self.parameters]
        self._scratch = _scratch(self.parameters)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, _option(type(self).__name__, name, value) if name in self.options else value)

    def __repr__(self) -> str:
        options = (f"{name}={getattr(self, name)!r}" for name in self.options)
        return f"{type(self).__name__}(<{len(self.parameters)} parameters>, {', '.join(options)})"

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
        for p, state, scratch in zip(self.parameters, self._states, self._scratch, strict=True):
            if p.grad is not None:
                array = p.data
                self._update(array, p.grad, state, *scratch)
                p.data = array  # notes the write, so that older results refuse to be differentiated

    def _update(self, x: ndarray, g: ndarray, state: dict[str, Any], s: ndarray, t: ndarray) -> None:
        """Update x, whose gradient is g. s and t are scratch of its shape."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Return the options, and copies of the arrays kept for parameter i as "i.name": what `mg.save` takes."""
        options = {name: getattr(self, name) for name in self.options}
        names = self._names_kept(options)
        kept = {
            f"{i}.{name}": state[name] for i, state in enumerate(self._states) for name in names if name in state
        }
        return options | {name: value.copy() if isinstance(value, ndarray) else value for name, value in kept.items()}

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
        names, states = self._names_kept(options), []
        known = set(self.options)
        for i, p in enumerate(self.parameters):
            keys = {name: f"{i}.{name}" for name in names}
            known.update(keys.values())
            missing = [key for key in keys.values() if key not in state_dict]
            if missing and len(missing) < len(keys):
                raise ValueError(f"{what} lacks {', '.join(missing)}")
            states.append({} if missing else {n: _loaded(f"{what}: {k}", state_dict[k], p) for n, k in keys.items()})
        if unexpected := [str(name) for name in state_dict if name not in known]:
            raise ValueError(f"{what} has {', '.join(unexpected)}, which {self!r} does not have")
        for name, value in options.items():
            setattr(self, name, value)
        self._states = states

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

    def _update(self, x, g, state, s, t):
        g = _decayed(g, x, self.weight_decay, t)
        if self.momentum:
            if "momentum_buffer" in state:
                m = state["momentum_buffer"]
                m *= self.momentum
                m += np.multiply(g, 1 - self.dampening, out=s)
            else:
                m = state["momentum_buffer"] = g.copy()
            g = np.add(g, np.multiply(m, self.momentum, out=s), out=s) if self.nesterov else m
        x -= np.multiply(g, self.lr, out=s)


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
    kept: ClassVar = {"step": None, "exp_avg": None, "exp_avg_sq": None, "max_exp_avg_sq": "amsgrad"}
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

    def _decay(self, x, g, t):
        """The gradient with the weight decay; t is scratch."""
        return _decayed(g, x, self.weight_decay, t)

    def _update(self, x, g, state, s, t):
        g = self._decay(x, g, t)
        step = state["step"] = state.get("step", 0) + 1
        m = _average(state, "exp_avg", self.beta1, g, s)
        v = _average(state, "exp_avg_sq", self.beta2, np.multiply(g, g, out=t), s)
        if self.amsgrad:
            greatest = _kept(state, "max_exp_avg_sq", x)
            v = np.maximum(greatest, v, out=greatest)
        np.sqrt(v, out=s)
        s /= math.sqrt(1 - self.beta2**step)
        s += self.eps
        np.divide(m, s, out=s)
        s *= self.lr / (1 - self.beta1**step)
        x -= s


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019): x -= lr * weight_decay * x, then Adam's step.

    >>> w = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> mg.optim.AdamW([w])
    AdamW(<1 parameters>, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-08, weight_decay=0.01, amsgrad=False)
    """

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

    def _decay(self, x, g, t):
        x *= 1 - self.lr * self.weight_decay
        return g


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

    def _update(self, x, g, state, s, t):
        g = _decayed(g, x, self.weight_decay, t)
        v = _average(state, "square_avg", self.alpha, np.multiply(g, g, out=s), s)
        if self.centered:
            mean = _average(state, "grad_avg", self.alpha, g, s)
            v = np.subtract(v, np.multiply(mean, mean, out=s), out=s)
            np.maximum(v, 0, out=v)  # rounding can make it negative
        np.sqrt(v, out=s)
        s += self.eps
        np.divide(g, s, out=s)
        if self.momentum:
            m = _kept(state, "momentum_buffer", x)
            m *= self.momentum
            m += s
            np.copyto(s, m)
        s *= self.lr
        x -= s


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


def _scratch(parameters: list[Tensor]) -> list[tuple[ndarray, ndarray]]:
    """Two arrays for each parameter, of its shape and dtype, which all parameters share."""
    sizes: dict[np.dtype, int] = {}
    for p in parameters:
        sizes[p.dtype] = max(p.size, sizes.get(p.dtype, 0))
    flat = {dtype: np.empty((2, size), dtype) for dtype, size in sizes.items()}
    return [tuple(row[: p.size].reshape(p.shape) for row in flat[p.dtype]) for p in parameters]


def _loaded(what: str, value: Any, p: Tensor) -> Any:
    """A copy of an entry of a state_dict, checked against its parameter."""
    if what.endswith(".step"):
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
            raise TypeError(f"{what} must be an int, not {brief(value)}")
        if value < 1:
            raise ValueError(f"{what} must be at least 1, not {value}")
        return int(value)
    if not isinstance(value, ndarray) or value.dtype != p.dtype:
        raise TypeError(f"{what} must be an array of dtype {p.dtype}, not {getattr(value, 'dtype', brief(value))}")
    if value.shape != p.shape:
        raise ValueError(f"{what} must have shape {p.shape}, not {value.shape}")
    return value.copy()


def _decayed(g: ndarray, x: ndarray, weight_decay: float, out: ndarray) -> ndarray:
    """The gradient of the loss with weight_decay / 2 * sum(x**2) added."""
    return np.add(g, np.multiply(x, weight_decay, out=out), out=out) if weight_decay else g


def _kept(state: dict[str, Any], name: str, like: ndarray) -> ndarray:
    """An array of the state; zeros at first."""
    if name not in state:
        state[name] = np.zeros_like(like)
    return state[name]


def _average(state: dict[str, Any], name: str, weight: float, new: ndarray, s: ndarray) -> ndarray:
    """A moving average, updated in place: the weight is that of the average so far. s is scratch, and may be `new`."""
    average = _kept(state, name, new)
    average *= weight
    average += np.multiply(new, 1 - weight, out=s)
    return average
