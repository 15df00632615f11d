"""Names that PyTorch, JAX and NumPy's arrays have and minigrad has not, each with what to write here.

Only errors read it: who arrives with the habits of another framework is told what to change. What stands between
backquotes is code, which tests run.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from functools import wraps
from types import ModuleType
from typing import Any, NoReturn

from numpy import ndarray

_OPERATORS = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "matmul": "@", "mm": "@", "bmm": "@", "mv": "@",
    "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
}  # fmt: skip
_DTYPES = {"float": "np.float32", "double": "np.float64", "half": "np.float16", "long": "np.int64", "int": "np.int32"}
_FUNCTIONS = {
    "ELU": "elu", "LeakyReLU": "leaky_relu", "LogSoftmax": "log_softmax", "SiLU": "silu", "Softmax": "softmax",
    "Softplus": "softplus",
}  # fmt: skip
_NO_DEVICES = "there are no devices, leave it out"
_ARRAYS = "NumPy makes arrays, and `mg.tensor(np.zeros(3), requires_grad=True)` a Tensor of one"
_RANDOM = "write `np.random.default_rng(0)`, and give it as rng= where something is random"
_NO_GRAD = "write `with mg.no_grad(): ...`"
_SCHEDULES = "a schedule is a function: write `optimizer.lr = mg.optim.cosine_annealing(step, 0.1, T_max=100)`"

INSTEAD: dict[str, dict[str, str]] = {
    "a Tensor": {
        **{name: f"write `t {sign} u`" for name, sign in _OPERATORS.items()},
        **{name: f"write `t.astype({dtype})`" for name, dtype in _DTYPES.items()},
        **dict.fromkeys(("to", "type", "type_as"), "write `t.astype(np.float32)`; there are no devices"),
        **dict.fromkeys(("cpu", "cuda", "device"), _NO_DEVICES),
        **dict.fromkeys(("split", "chunk"), "write `np.split(t, 2)`"),
        "clamp": "write `t.clip(0, 1)`",
        "clone": "write `t.copy()`",
        "contiguous": "leave it out",
        "detach_": "write `t.detach()`",
        "dim": "write `t.ndim`",
        "expand": "write `np.broadcast_to(t, (5, *t.shape))`",
        "expand_as": "write `np.broadcast_to(t, u.shape)`",
        "fill": "`np.full_like(t, 1)` returns a new one",
        "gather": "write `np.take_along_axis(t, indices, axis=0)`",
        "grad_fn": "write `t.node`",
        "index_select": "write `np.take(t, [0, 1], axis=0)`",
        "logical_not": "write `~mask`",
        "masked_fill": "write `mg.where(mask, 0, t)`",
        "masked_select": "write `t[mask]`",
        "ndimension": "write `t.ndim`",
        "numel": "write `t.size`",
        "partition": "`np.partition(t, 1)` returns a new one",
        "permute": "write `t.transpose(1, 0)`",
        "put": "`mg.put(t, [0], [1.0])` returns a new one",
        "register_hook": "`mg.vjp(f, t)` gives the gradient of any intermediate value",
        "requires_grad_": "write `t.requires_grad = True`",
        "resize": "`np.resize(t, (5,))` returns a new one",
        "retain_grad": "`mg.vjp(f, t)` gives the gradient of any intermediate value",
        "sort": "`np.sort(t)` returns a new one",
        "t": "write `t.T`",
        "unbind": "write `list(t)`",
        "unsqueeze": "write `np.expand_dims(t, 0)`",
        "zero_": "write `t.grad = None` for a gradient",
    },
    "a Module": {
        **dict.fromkeys(("to", "type"), "write `net.astype(np.float64)`; there are no devices"),
        **{name: f"write `net.astype({_DTYPES[name]})`" for name in ("float", "double", "half")},
        **dict.fromkeys(("cpu", "cuda"), _NO_DEVICES),
        "buffers": "write `net.state_dict()`",
        "register_buffer": "an array that is an attribute is a buffer: write `net.mean = np.zeros(3)`",
        "register_parameter": "write `net.k = mg.tensor(np.zeros(3), requires_grad=True)`",
        "requires_grad_": "write `for p in net.parameters(): p.requires_grad = False`",
    },
    "minigrad": {
        **dict.fromkeys(("zeros", "ones", "full", "empty", "eye", "arange", "zeros_like", "ones_like"), _ARRAYS),
        **dict.fromkeys(("rand", "randn", "randint", "randperm", "manual_seed", "random", "PRNGKey"), _RANDOM),
        **dict.fromkeys(("set_grad_enabled", "enable_grad", "inference_mode", "nograd"), _NO_GRAD),
        **dict.fromkeys(("from_numpy", "as_tensor", "asarray", "Variable"), "write `mg.tensor(array)`"),
        **dict.fromkeys(("mm", "bmm", "mv"), "write `t @ u`"),
        **dict.fromkeys(("jacrev", "jacfwd"), "write `mg.jacobian(f)`"),
        **dict.fromkeys(("float32", "float64", "float16", "int64", "int32"), "dtypes are NumPy's: write `np.float32`"),
        **dict.fromkeys(("device", "cuda", "device_put"), _NO_DEVICES),
        **dict.fromkeys(("jit", "compile"), "there is no compiler, leave it out"),
        "autograd": "write `mg.grad(f)` or `t.sum().backward()`",
        "cat": "write `np.concatenate([t, t])`",
        "chunk": "write `np.split(t, 2)`",
        "clamp": "write `mg.clip(t, 0, 1)`",
        "func": "the transforms are `mg.grad`, `mg.vjp`, `mg.jvp`, `mg.jacobian` and `mg.hessian`",
        "numpy": "NumPy's own functions take Tensors: write `np.exp(t)`",
        "stop_gradient": "write `t.detach()`",
        "unsqueeze": "write `np.expand_dims(t, 0)`",
        "vmap": "write f for a batch: NumPy broadcasts",
    },
    "minigrad.nn": {
        "functional": "the ops are functions: write `mg.relu(t)`",
        **{name: f"the op is a function: write `mg.{function}(t)`" for name, function in _FUNCTIONS.items()},
        "BCEWithLogitsLoss": "write `mg.binary_cross_entropy_with_logits`",
        "CrossEntropyLoss": "write `mg.softmax_cross_entropy`",
        "DataParallel": "see `mg.distributed`",
        "GRUCell": "write `mg.nn.GRU`",
        "MSELoss": "write `mg.mean_squared_error`",
        "ModuleDict": "a dict will do: a module finds the modules in it",
        "ModuleList": "a list will do: a module finds the modules in it",
        "Parameter": "write `mg.tensor(np.zeros(3), requires_grad=True)`",
        "ParameterList": "a list will do: a module finds the Tensors in it",
        "init": "write `mg.nn.he_normal` or `mg.nn.glorot_normal`",
        "utils": "write `mg.optim.clip_grad_norm`",
    },
    "minigrad.optim": {
        **dict.fromkeys(("LBFGS", "minimize"), "SciPy's `minimize(mg.value_and_grad(f), x0, jac=True)` does it"),
        **dict.fromkeys(("lr_scheduler", "StepLR", "ExponentialLR", "CosineAnnealingLR", "LinearLR"), _SCHEDULES),
    },
    "minigrad.data": {
        **dict.fromkeys(("DataLoader", "TensorDataset"), "write `mg.data.minibatches((x, labels), 32, rng=rng)`"),
        "random_split": "write `mg.data.split((x, labels), 0.8, rng=rng)`",
    },
}
OPTIONS = {
    **dict.fromkeys(("foreach", "fused", "capturable", "differentiable"), "one step updates all, leave it out"),
    **dict.fromkeys(("affine", "elementwise_affine"), "write `for p in net.parameters(): p.requires_grad = False`"),
    **dict.fromkeys(("ceil_mode", "padding_mode"), "pad x before it, as `np.pad(x, 1, mode='reflect')`"),
    "approximate": "it is exact, leave it out; `mg.gelu(t)` is the function",
    "batch_first": "x is always (N, L, features), leave it out",
    "bidirectional": "write a second one for `np.flip(x, axis=-2)`",
    "count_include_pad": "the zeros of the padding count, leave it out",
    "decoupled_weight_decay": "write `mg.optim.AdamW`",
    "device": _NO_DEVICES,
    "dropout": "write `mg.nn.Dropout(0.5, rng=rng)` after it",
    "inplace": "it returns a new Tensor, leave it out",
    "maximize": "minimise the negative: write `(-t.sum()).backward()`",
    "num_layers": "each is one layer: write `mg.nn.Sequential(net, net)` of several",
    "padding_idx": "write `mg.where(mask, 0, t)` of what it returns",
    "return_indices": "write `np.argmax(t, axis=-1)` of windows by `mg.ops.sliding_window_view(t, (2, 2))`",
}
_KEYWORDS = {"dim": "axis", "dims": "axis", "keepdim": "keepdims", "unbiased": "ddof"}


def instead(of: str, name: str) -> str:
    """What to write instead of a name that `of` does not have, after a colon; "" if that is not known.

    >>> minigrad.foreign_names.instead("a Tensor", "unsqueeze")
    ': write np.expand_dims(t, 0)'
    """
    found = INSTEAD.get(of, {}).get(name, "")
    if not found and of == "a Tensor" and name.endswith("_"):
        found = "only operators write in place, as `t += u` under `mg.no_grad()`"
    return f": {found.replace('`', '')}" if found else ""


def instead_of_keyword(name: str) -> str:
    """The keyword of NumPy that stands for one of PyTorch's, after a semicolon; "" if there is none."""
    return f"; here it is {_KEYWORDS[name]}=" if name in _KEYWORDS else ""


def explained(init: Callable) -> Callable:
    """An `__init__` whose error says what to write instead of an option of PyTorch that it does not take."""

    @wraps(init)
    def checked(self: Any, *parts: Any, **options: Any) -> None:
        foreign = next((name for name in options if name in OPTIONS), None)
        if foreign is not None:
            taken = inspect.signature(init).parameters
            if foreign not in taken and not any(p.kind is p.VAR_KEYWORD for p in taken.values()):
                said = OPTIONS[foreign].replace("`", "")
                raise TypeError(f"{type(self).__name__} does not take {foreign}=: {said}")
        init(self, *parts, **options)

    return checked


def missing(said: str, of: str, name: str, obj: object = None, functions: Collection[str] = ()) -> AttributeError:
    """The error that says what is missing, and what to write instead.

    functions: those of minigrad that take what `of` is
    """
    hint = instead(of, name)
    if not hint and name in functions:
        hint = f": write mg.{name}(t)"
    # equivalent: without and hasattr(ndarray, name) because every other name that is asked for has a hint
    elif not hint and of == "a Tensor" and hasattr(ndarray, name):
        hint = ": .data, its array, has it"
    return AttributeError(said + hint, name=name, obj=obj)


class NotHere:
    """An attribute that a Tensor does not have: reading it raises the AttributeError of `missing`.

    A `__getattr__` would do it for all names at once, and make every other attribute slower to read.
    """

    def __init__(self, name: str, functions: Collection[str]):
        self.name, self.functions = name, functions

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        return str(self.error(None))

    def error(self, tensor: object) -> AttributeError:
        return missing(f"a Tensor has no {self.name}", "a Tensor", self.name, tensor, self.functions)

    def __get__(self, tensor: object, owner: object = None) -> NoReturn:
        raise self.error(tensor)


class ForeignNames:
    """What people look for on a Tensor and it does not have. `dir` does not list it."""

    __slots__ = ()

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in vars(ForeignNames)]


def set_foreign_names(tensor: type, ops: ModuleType) -> None:
    """Let each name that people look for on a Tensor, and that it does not have, say what to write instead."""
    functions: list[str] = ops.__all__
    in_place = {f"{name}_" for name in (*_OPERATORS, "clamp", "copy", "fill", "normal", "uniform", *functions)}
    for name in {*INSTEAD["a Tensor"], *functions, *vars(ndarray), *in_place} - {*dir(tensor)}:
        if not name.startswith("_"):
            setattr(ForeignNames, name, NotHere(name, functions))
