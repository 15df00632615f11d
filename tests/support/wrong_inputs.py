"""Every public function with one wrong argument, and what came of it.

`public_functions` is read from minigrad itself, so that no function is forgotten. `calls` puts each wrong value into
each place of a call that works, as an array and as Tensors. `verdict` says whether the outcome is one that helps.
"""

import inspect
import itertools
import re
import traceback
import warnings
from collections import namedtuple
from pathlib import Path

import numpy as np
from scipy import sparse

import minigrad as mg
from minigrad import _numpy, stand_ins
from minigrad.errors import LostGradientError

Function = namedtuple("Function", "label names call arguments options reference")
Call = namedtuple("Call", "function what arguments options")

_M = np.array([[2.0, 0.5], [0.5, 3.0]])
_IMAGE = np.arange(36.0).reshape(1, 1, 6, 6) % 7
_POOLED = np.zeros((1, 1, 3, 3))

BY_PARAMETER = {  # parameter -> a value that works, where no other is given below
    **dict.fromkeys(("x", "a", "z", "m", "v", "arr", "array", "ary", "A", "y", "arg", "p"), _M),
    **dict.fromkeys(("x1", "x2", "b", "values", "prediction", "target", "fill_value"), _M),
    **{name: [_M, _M] for name in ("arrays", "tup", "xi", "args")},
    **dict.fromkeys(("logits", "targets"), _M),
    **dict.fromkeys(("axis", "axis1", "source", "k", "offset", "start", "decimals", "ddof", "index", "obj"), 0),
    **dict.fromkeys(("axis2", "destination", "repeats", "shift", "n", "indices", "weights"), 1),
    **dict.fromkeys(("shape", "image"), (2, 2)),
    **{"condition": _M > 1, "reps": 2, "pad_width": 1, "labels": np.array([0, 1]), "indices_or_sections": 2},
    **{"dtype": np.float32, "order": "C", "mode": "raise", "window": 2, "axes": (1, 0), "UPLO": "L", "ord": None},
    **{"slope": 0.1, "alpha": 0.5, "dx": 1.0, "keepdims": False, "compute_uv": True, "full_matrices": True},
    **{"stride": 2, "padding": 0, "dilation": 1, "groups": 1, "size": 3, "indexing": "xy", "optimize": False},
    **{"q": 0.5, "method": "linear", "kth": 0, "m": _M, "rowvar": True, "bias": False, "minlength": 0, "where": True},
    **{"initial": 0.0, "mean": None, "correction": 1, "include_initial": False, "returned": False},
    **{"ord": 2, "hermitian": False, "aweights": None, "fweights": None, "left": 0.0, "right": 0.0, "w": np.ones(2)},
    **{
        "copy": True,
        "nan": 0.0,
        "posinf": 1.0,
        "neginf": 0.0,
        "num": 3,
        "endpoint": True,
        "retstep": False,
        "base": 2.0,
    },
    **{"start": 1.0, "stop": 2.0, "discont": 1.0, "period": 2.0, "N": 2, "increasing": False, "deg": 1, "ind": 1},
    **{"axisa": -1, "axisb": -1, "axisc": -1, "sparse": False, "kind": None, "stable": None, "rcond": 1e-9},
    **{"upper": False, "constant_values": 0, "min": 0.0, "max": 1.0, "a_min": None, "a_max": None},
}
OF_IMAGES = {
    "conv2d": (_IMAGE, np.ones((2, 1, 3, 3)), np.ones(2)),
    "conv_transpose2d": (_POOLED, np.ones((1, 2, 3, 3)), np.ones(2)),
    "conv2d_kernel": (_IMAGE, np.ones((1, 2, 2, 2))), "spread2d": (_POOLED, (6, 6), 2),
    "unpool2d": (_POOLED, _IMAGE, mg.max_pool2d(_IMAGE, 2), 2), "pick2d": (_IMAGE, _IMAGE, mg.max_pool2d(_IMAGE, 2), 2),
    "fold2d": (np.ones((1, 2, 2, 3, 3)), (6, 6), 2),
    **dict.fromkeys(("avg_pool2d", "max_pool2d", "l2_pool2d", "unfold2d"), (_IMAGE, 2)),
}  # fmt: skip
OTHERS = {
    "einsum": ("ij,jk->ik", _M, _M), "tensordot": (_M, _M, 1), "cross": (np.ones((2, 3)), np.ones((2, 3))),
    "dsplit": (np.ones((2, 2, 2)), 2), "trapezoid": (_M, np.arange(2.0), 1.0, 0),
    "take_along_axis": (_M, np.array([[0, 1]]), 0), "diag": (_M, 0), "pad": (_M, 1, "constant"),
    "rot90": (_M, 1, (0, 1)), "rollaxis": (_M, 0), "reshape": (_M, (4,), "C"),
    "scatter": (np.ones(2), np.array([0, 1]), (3,)),
    "full_like": (_M, 2.0, np.float32), "clip": (_M, 0.0, 1.0), "expand_dims": (_M, 0), "squeeze": (_M[None], 0),
    "partition": (_M, 0, 0), "quantile": (_M, 0.5, 0), "percentile": (_M, 50, 0), "nanquantile": (_M, 0.5, 0),
    "nanpercentile": (_M, 50, 0), "bincount": (np.array([0, 1]), np.ones(2), 3), "cov": (_M, _M), "corrcoef": (_M, _M),
    "histogram": (_M, 2, (0, 3), False, _M), "histogram_bin_edges": (_M, 2, (0, 3)),
    "histogramdd": (_M, 2, ((0, 3), (0, 4)), False, np.ones(2)),
    "histogram2d": (_M[0], _M[1], 2, ((0, 3), (0, 4)), False, np.ones(2)),
    "array": ([[1.0], [2.0]], float), "block": ([[_M, _M]],),
    "insert": (_M, 0, 1.0, 0), "compress": (np.array([True, False]), _M, 0), "extract": (_M > 1, _M),
    "select": ([_M > 1], [_M], 0.0), "piecewise": (_M, [_M > 1, _M < 1], [1.0, 2.0]),
    "vectorize": (lambda v: v,),
    "choose": (np.array([0, 1]), [np.ones(2), np.ones(2)]), "put": (_M, 0, 1.0), "place": (_M, _M > 1, np.ones(1)),
    "put_along_axis": (_M, np.array([[0, 1]]), np.ones((1, 2)), 0), "fill_diagonal": (_M, 1.0, False),
    "diagflat": (_M, 0), "resize": (_M, (3,)), "trim_zeros": (_M[0], "fb"),
    "apply_along_axis": (lambda v, *_: v, 0, _M),
    "apply_over_axes": (mg.sum, _M, (0, 1)), "sliding_window_view": (_M, (2, 2), (0, 1)), "linspace": (1.0, 2.0, 3),
    "logspace": (1.0, 2.0, 3), "geomspace": (1.0, 2.0, 3), "interp": (_M, np.arange(2.0), np.ones(2)),
    "gradient": (_M, 1.0), "ediff1d": (_M, _M, _M), "unwrap": (_M, 1.0, 0), "convolve": (_M[0], _M[0], "full"),
    "correlate": (_M[0], _M[0], "full"), "polyval": (_M[0], _M), "polyadd": (_M[0], _M[0]), "polysub": (_M[0], _M[0]),
    "polymul": (_M[0], _M[0]), "polyder": (_M[0], 1), "polyint": (_M[0], 1, 0.0), "poly": (_M[0],),
    "polydiv": (_M[0], _M[0]), "roots": (_M[0],),
    "vander": (_M[0], 2),
    "norm": (_M, "fro", (0, 1), False), "cond": (_M, 2), "pinv": (_M, 1e-9, False), "qr": (_M, "reduced"),
    "lstsq": (_M, _M, 1e-9), "polyfit": (_M[0], _M[0], 1), "tensorinv": (_M, 1), "tensorsolve": (_M, _M[0], (1,)),
    "matvec": (_M, _M[0]), "vecmat": (_M[0], _M), "cumprod": (_M, 0, float), "ldexp": (_M, np.array([[1, 2], [0, 1]])),
    "nan_to_num": (_M, True, 0.0, 1.0, 0.0), "average": (_M, 0, np.ones(2)),
    "sort": (_M, 0), "astype": (_M, np.float32), "item": (np.ones(()),), "backward": (_M, _M),
}  # fmt: skip

SHAPES = {"0-d": (), "no entries": (0,), "no rows": (0, 2), "one axis": (3,), "others": (5, 7), "five axes": (1,) * 5}
_RNG = np.random.default_rng(0)
WRONG = {
    **{f"an array, {name}": _RNG.uniform(1, 2, shape) for name, shape in SHAPES.items()},
    "None": None, "a string": "abc", "bytes": b"abc", "a dict": {"a": 1.0}, "a set": {1.0}, "a function": len,
    "a class": int, "an object": object(), "objects": np.array([[None, 1.0], ["a", 2.0]], object),
    "strings": np.array([["a", "b"], ["c", "d"]]), "complex": _M * 1j, "ragged": [[1.0], [1.0, 2.0]], "a complex": 1j,
    "a list of strings": ["a", "b"], "a list with None": [1.0, None], "a list": [1.0, 2.0], "nothing": [],
    "integers": np.array([[2, 1], [1, 3]]), "booleans": np.array([[True, False], [False, True]]),
    "labels out of range": np.array([0, 7]), "negative labels": np.array([-1, 0]), "floats": np.array([0.0, 1.0]),
    "one-hot": np.eye(2), "zero": 0, "minus one": -1, "minus nine": -9, "nine": 9, "a fraction": 1.5, "True": True,
    "nan": np.nan, "pairs": ((1, 2), (3, 4)), "an axis twice": (0, 0), "an axis beyond": (0, 9), "a pair": (0, -2),
    "three": (1, 1, 1), "a slice": slice(0, 1), "a matrix": _M.view(np.matrix), "sparse": sparse.csr_array(_M),
    "masked": np.ma.masked_array(_M, _M > 2), "a date": np.array(["2020-01-01"], "datetime64[D]"),
    "records": np.zeros(2, [("a", float)]), "an ellipsis": ...,
}  # fmt: skip
TENSORS = {
    "a Tensor": lambda: mg.tensor(_M, requires_grad=True),
    "a constant": lambda: mg.tensor([0, 1]),
    "a list of Tensors": lambda: [mg.tensor(1.0, requires_grad=True), mg.tensor(1.0, requires_grad=True)],
    "a scalar Tensor": lambda: mg.tensor(1.0, requires_grad=True),
}


def public_functions():
    """Ops and compositions of minigrad, methods of Tensor, and NumPy's functions called with a Tensor."""
    for name in mg.ops.__all__:
        function = getattr(mg.ops, name)
        reference = next((f for f, stand_in in stand_ins.NUMPY.items() if stand_in is function), None)
        yield _function(name, {name}, function, function, reference)
    for function, stand_in in stand_ins.NUMPY.items():
        name = f"{function.__module__ or 'numpy'}.{function.__name__}".replace("numpy", "np", 1)
        yield _function(name, {stand_in.__name__, name, function.__name__}, function, stand_in, function)
    for function in sorted(_numpy._PLAIN_FUNCTIONS | _numpy._PLAIN_UFUNCS, key=lambda f: f.__name__):
        yield _plain_function(function)
    for name in dir(mg.Tensor):
        method = inspect.getattr_static(mg.Tensor, name)
        if not name.startswith("_") and callable(method) and not isinstance(method, property):
            stand_in = getattr(mg.Tensor, name)
            label = f"Tensor.{name}"
            function = _function(label, {name, label}, getattr(mg.Tensor, name), stand_in, None)
            yield function._replace(arguments=[_M, (4,)], options={}) if name == "reshape" else function


def other_functions():
    """The rest of the public names: transforms, Tensor, settings, pictures, checks and files."""
    for label, (call, *arguments) in REST.items():
        name = label.rpartition(".")[2]
        options = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}
        names = {name, f"{name}.__init__", "sum", "sin", "abs", "<lambda>"} | (
            {"tensor"} if name == "Tensor" else set()
        )
        names |= {"vjp", "jvp"} if label.startswith("testing.") else set()
        yield Function(label, names, call, arguments, options, None)


def _used(context):
    with context:
        return None


def _set_num_threads(*n):
    before = mg.get_num_threads()
    mg.set_num_threads(*n)
    mg.set_num_threads(before)


_V = np.array([1.0, 2.0])
_LAYER = mg.nn.Linear(2, 2, rng=_RNG)
_PARALLEL = mg.distributed.DataParallel(_LAYER)
_leaf = mg.tensor(_V, requires_grad=True)
REST = {  # name -> a function that calls it, and arguments for which that works
    "grad": (lambda f, x, argnums: mg.grad(f, argnums)(x), mg.sum, _V, 0),
    "value_and_grad": (lambda f, x, argnums: mg.value_and_grad(f, argnums)(x), mg.sum, _V, 0),
    "jacobian": (lambda f, x, argnums: mg.jacobian(f, argnums)(x), mg.sin, _V, 0),
    "hessian": (lambda f, x: mg.hessian(f)(x), mg.sum, _V),
    "elementwise_grad": (lambda f, x, argnums: mg.elementwise_grad(f, argnums)(x), mg.sin, _V, 0),
    "ravel_nest": (mg.ravel_nest, _V),
    "r_": (lambda *parts: mg.r_[parts], _V, _V), "c_": (lambda *parts: mg.c_[parts], _V, _V),
    "fixed_point": (lambda a, x0: mg.fixed_point(
        lambda a: lambda x: 0.5 * x + mg.ravel_nest(a)[0][:1], a, x0, lambda x, y: np.max(np.abs(x - y), initial=0), 1
    ), _V, _V),
    "hvp": (mg.hvp, mg.sum, _V, _V),
    "vjp": (lambda f, x, g: mg.vjp(f, x)[1](g), mg.sin, _V, _V),
    "jvp": (mg.jvp, mg.sin, (_V,), (_V,)),
    "checkpoint": (lambda f, x: mg.checkpoint(f)(x), mg.sin, _V),
    "vec": (mg.vec, _M), "vec_jacobian": (mg.vec_jacobian, mg.sin, _M, {"argnum": 0}),
    "tensor": (mg.tensor, _V, {"requires_grad": True, "dtype": float, "name": "x"}),
    "Tensor": (mg.Tensor, _V, {"requires_grad": True, "dtype": float, "name": "x"}),
    "scope": (lambda *name: _used(mg.scope(*name)), "s"), "no_grad": (lambda *f: _used(mg.no_grad(*f)),),
    "set_num_threads": (_set_num_threads, 1), "get_num_threads": (mg.get_num_threads,),
    "debug": (lambda **options: _used(mg.debug(**options)), {"nonfinite": True, "time": False}),
    "op": (lambda f, x: mg.op(f)(x), lambda x: x, _V),
    "graph": (mg.graph, mg.tensor(_V, requires_grad=True), {
        "gradients": False, "values": False, "depth": None, "max_nodes": 9, "names": {}}),
    "testing.check_vjp": (mg.testing.check_vjp, mg.sin, _V), "testing.check_jvp": (mg.testing.check_jvp, mg.sin, _V),
    "testing.check_grads": (mg.testing.check_grads, mg.sin, _V),
    "testing.check_subgradient": (mg.testing.check_subgradient, mg.abs, _V),
    "functional_call": (lambda module, state: mg.functional_call(module, state, _V), _LAYER, {"bias": np.ones(2)}),
    "nn.Module.load_state_dict": (lambda state, strict: _LAYER.load_state_dict(state, strict), {"bias": _V}, False),
    "nn.Module.astype": (lambda dtype: _LAYER.astype(dtype), np.float64),
    "nn.Module.train": (lambda mode: _LAYER.train(mode), True),
    "nn.Sequential": (mg.nn.Sequential, _LAYER, mg.nn.ReLU()),
    "nn.Linear": (mg.nn.Linear, 2, 3, {"rng": _RNG, "dtype": float}),
    "nn.Conv2d": (mg.nn.Conv2d, 2, 4, 3, 1, 1, 1, 2, {"rng": _RNG, "dtype": float}),
    "nn.AvgPool2d": (lambda size, stride, padding: mg.nn.AvgPool2d(size, stride, padding), 2, 2, 0),
    "nn.Dropout": (mg.nn.Dropout, 0.5, {"rng": _RNG}),
    "nn.BatchNorm2d": (mg.nn.BatchNorm2d, 3, 0.1, 0.1, {"dtype": float}),
    "nn.LayerNorm": (mg.nn.LayerNorm, (3, 2), 0.1, {"dtype": float}),
    "nn.Embedding": (mg.nn.Embedding, 3, 2, {"rng": _RNG, "dtype": float}),
    "nn.GRU": (mg.nn.GRU, 3, 2, {"rng": _RNG, "dtype": float}),
    "nn.LSTM": (mg.nn.LSTM, 3, 2, {"rng": _RNG, "dtype": float}),
    "nn.MultiHeadAttention": (mg.nn.MultiHeadAttention, 4, 2, 0.5, {"rng": _RNG, "dtype": float}),
    "nn.he_normal": (mg.nn.he_normal, (3, 2), {"rng": _RNG, "dtype": float}),
    "nn.glorot_uniform": (mg.nn.glorot_uniform, (3, 2), {"rng": _RNG, "dtype": float}),
    "save": (lambda path, mapping: mg.save(path, mapping), "no folder/file.npz", {"w": _V}),
    "load": (mg.load, "no file.npz"),
    "onnx.export": (
        lambda path, f, example, dynamic: mg.onnx.export(path, f, example, dynamic_batch=dynamic),
        *("no folder/f.onnx", mg.sin, _V, True),
    ),
    "optim.SGD": (lambda p, *options: mg.optim.SGD([p], *options).step(), _leaf, 0.1, 0.9, 0.0, 0.0, True),
    "optim.Adam": (lambda p, *options: mg.optim.Adam([p], *options).step(), _leaf, 0.1, (0.9, 0.99), 0.1, 0.1, False),
    "optim.clip_grad_norm": (lambda p, *options: mg.optim.clip_grad_norm([p], *options), _leaf, 1.0, 2.0),
    "optim.cosine_annealing": (mg.optim.cosine_annealing, 1, 0.1, 9, 0.0),
    "optim.step_decay": (mg.optim.step_decay, 1, 0.1, 9, 0.5),
    "data.minibatches": (lambda x, n, **o: list(mg.data.minibatches(x, n, **o)), _M, 2, {
        "shuffle": False, "drop_last": True, "rng": None}),
    "data.split": (lambda x, fraction, rng: mg.data.split(x, fraction, rng=rng), _M, 0.5, _RNG),
    "distributed.DataParallel": (mg.distributed.DataParallel, _LAYER, {"bucket_bytes": 8}),
    "distributed.DataParallel.backward": (lambda loss: _PARALLEL.backward(loss), mg.sum(_LAYER(_V))),
    "distributed.SyncBatchNorm2d": (
        lambda n, eps, momentum, *, dtype: mg.distributed.SyncBatchNorm2d(n, eps, momentum, dtype=dtype), 3, 0.1, 0.1,
        {"dtype": float}),
    "distributed.broadcast": (mg.distributed.broadcast, _LAYER),
    "distributed.minibatches": (lambda x, n, **o: list(mg.distributed.minibatches(x, n, **o)), _M, 2, {
        "shuffle": False, "drop_last": True, "rng": None}),
    "distributed.reduce_metrics": (mg.distributed.reduce_metrics, {"loss": 1.0}, 2.0),
    "data.measure": (mg.data.measure, np.arange(18, dtype=np.uint8).reshape(2, 3, 3)),
    "data.mnist": (mg.data.mnist, "no folder"),
    "data.read_idx": (mg.data.read_idx, "no file", {"ndim": 1, "dtype": "u1"}),
}  # fmt: skip
RETURNS = {f"a function that returns {name}": (lambda *x, value=value: value) for name, value in WRONG.items()}


def _function(label, names, call, signature, reference):
    name = signature.__name__
    positional, options = [], {}
    for parameter in inspect.signature(signature).parameters.values():
        value = _M if parameter.name == "self" else BY_PARAMETER.get(parameter.name, parameter.default)
        if parameter.kind is parameter.KEYWORD_ONLY:
            options[parameter.name] = (
                value if name not in OF_IMAGES else {"size": 3, "output_size": (6, 6)}.get(parameter.name, value)
            )
        elif parameter.kind is parameter.VAR_POSITIONAL:
            positional += value if isinstance(value, list) else []
        else:
            positional.append(value)
    arguments = [*(OF_IMAGES | OTHERS).get(name, positional)]
    if name in ("clip",):
        options = {}
    if name in ("conv_transpose2d",):
        options["output_size"] = None
    return Function(label, {*names, name}, call, arguments, options, reference)


def _plain_function(function):
    names = {f"np.{function.__name__}", function.__name__}
    count = 2 if function.__name__ in TWO or (isinstance(function, np.ufunc) and function.nin == 2) else 1
    arguments = [_M] * count + [0] * (function.__name__ in WITH_AXIS)
    arguments = [_M, 1] if function is np.argpartition else [_M[0], _M[0]] if function is np.searchsorted else arguments
    return Function(f"np.{function.__name__}", names, function, arguments, {}, function)


TWO = {"isclose", "allclose", "array_equal", "array_equiv", "isin", "may_share_memory", "shares_memory"}
WITH_AXIS = {"argmax", "argmin", "argsort", "any", "all", "count_nonzero"}


def calls(function, tensors):
    """Yield each wrong call of a function: a wrong value in a place, an argument too many, an unknown option."""
    values = [*WRONG.items(), *(TENSORS.items() if tensors else ())]
    places = [*range(len(function.arguments)), *function.options]
    if function.label in REST and callable(function.arguments[0] if function.arguments else None):
        values += RETURNS.items()
    for place, (name, value) in itertools.product(places, values):
        if function.label in REST and place == 0 and name in ("a function", "a class"):
            continue  # what they raise is theirs
        if function.label.startswith("Tensor.") and place == 0 and name == "a list of Tensors":
            continue  # then it is no method
        if tensors and place == 0 and name not in TENSORS and not _can_be_tensor(value):
            continue
        arguments, options = [*function.arguments], dict(function.options)
        given = value() if name in TENSORS else value
        (options if isinstance(place, str) else arguments)[place] = given
        yield Call(function, f"{name} for {place}", arguments, options)
    yield Call(function, "too many", [*function.arguments, *[1] * 20], function.options)
    yield Call(function, "unknown option", function.arguments, function.options | {"bogus": 1})
    yield Call(function, "no argument", [], {})
    yield Call(function, "an argument twice", [*function.arguments[:1] * 2], function.options)


def calls_with_other_forms(function):
    """Yield calls with one Tensor, and in the place of each other array a number or a list; options by default."""
    known = function.label in mg.ops.__all__
    parameters = [*inspect.signature(function.call).parameters.values()] if known else []
    needed = [p for p in parameters if p.default is p.empty]
    options = {p.name: function.options[p.name] for p in needed if p.kind is p.KEYWORD_ONLY}
    many = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    needed = len(function.arguments) if many else len(needed) - len(options)
    arguments = function.arguments[:needed]
    for kept, place in itertools.permutations(range(needed), 2):
        for name, form in FORMS.items():
            if all(isinstance(arguments[i], np.ndarray) for i in (kept, place)):
                changed = [a if i != place else form(a) for i, a in enumerate(arguments)]
                changed[kept] = mg.tensor(changed[kept], requires_grad=changed[kept].dtype.kind == "f")
                yield Call(function, f"{name} for {place} beside a Tensor for {kept}", changed, options)
    if arguments and isinstance(arguments[0], list):
        for name, form in FORMS.items():
            for pair in ([mg.tensor(_M, requires_grad=True), form(_M)], [form(_M), mg.tensor(_M, requires_grad=True)]):
                yield Call(function, f"{name} beside a Tensor", [pair, *arguments[1:]], options)
                if function.label == "concatenate":
                    yield Call(function, f"{name} beside a Tensor, flattened", [pair, None], options)


FORMS = {
    "an int": lambda a: 2, "a float": lambda a: 2.0, "a bool": lambda a: True, "a scalar": lambda a: np.float64(2),
    "a list": lambda a: a.tolist(), "a list of numbers": lambda a: [1.0, 2.0], "an int array": lambda a: a.astype(int),
}  # fmt: skip


def _can_be_tensor(value):
    return isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and type(value) is np.ndarray


def with_tensors(value):
    """Arrays of floats as Tensors that need a gradient, of integers as constants."""
    if isinstance(value, list):
        return [with_tensors(v) for v in value] if any(isinstance(v, np.ndarray) for v in value) else value
    return mg.tensor(value, requires_grad=value.dtype.kind == "f") if _can_be_tensor(value) else value


Outcome = namedtuple("Outcome", "kind text")


def outcome(call, tensors):
    """What came of a call: "works", "named", or else what is wrong with the error."""
    arguments = [with_tensors(a) for a in call.arguments] if tensors else call.arguments
    options = {k: with_tensors(a) for k, a in call.options.items()} if tensors else call.options
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = call.function.call(*arguments, **options)
            for one in result if isinstance(result, (list, tuple)) else [result]:
                if isinstance(one, mg.Tensor) and one.requires_grad:
                    one.backward(np.ones(one.shape), retain_graph=True)
    except Exception as error:
        return Outcome(fault(call, error), f"{type(error).__name__}: {error}")
    return Outcome("works", result)


PYTHONS = re.compile(
    r"has no attribute|not subscriptable|unsupported operand|not iterable|unpack|'NoneType'|has no len|ufunc '|"
    r"tuple index|remapped|object too deep|"
    r"\b_\w+\(\)|local variable"
)


# what NumPy or a user's function asked a Tensor for, that it is not
PROTOCOLS = r"len: a 0-d Tensor has no length|(index|int|float|complex|bool): .* \(a Tensor of shape .*\)$"


def fault(call, error):
    """What is wrong with an error; "named" if nothing is."""
    text, names = str(error), call.function.names
    first = re.match(r"<lambda>|[\w.]+", text)
    if isinstance(error, FileNotFoundError):
        return "named"
    if isinstance(error, mg.testing.GradientError):
        return "named"
    if _is_numpys(call, error):
        return "NumPy's"
    if type(error) not in KINDS:
        return f"a {type(error).__name__}"
    if re.match(PROTOCOLS, text) or "needs no gradient: nothing was recorded" in text:
        return "named"
    if not first or first[0] not in names or text[len(first[0]) :][:1] not in tuple(":( "):
        return "no name"
    rest = text[len(first[0]) :]
    if re.match(rf": ({'|'.join(PUBLIC)})(: |\()", rest):
        return "two names"
    if "\n" in text:
        return "several lines"
    if "the VJP of" in text:
        return "late"
    return "Python's" if PYTHONS.search(rest) else "named"


def _is_numpys(call, error):
    """Whether NumPy raised it before any Tensor was asked: the same call with plain arrays raises the same."""
    if not call.function.label.startswith("np."):
        return False
    if isinstance(error, LostGradientError) or call.what.startswith("a list of Tensors"):
        return True  # NumPy looks into the lists of some functions only
    frames = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    return not any(PACKAGE in name for name in frames)


PACKAGE = str(Path(mg.__file__).parent)
KINDS = {
    *(LostGradientError, FloatingPointError, ZeroDivisionError, OverflowError, ValueError, TypeError, RuntimeError),
    *(IndexError, np.exceptions.AxisError, np.linalg.LinAlgError),
}
PUBLIC = [*mg.ops.__all__, "copyto"]
HELPFUL = {"works", "named", "NumPy's"}
