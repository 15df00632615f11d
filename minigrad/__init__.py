"""minigrad: define-by-run reverse-mode automatic differentiation on NumPy.

    x = mg.tensor([1.0, 2.0], requires_grad=True)    an array whose operations are recorded
    mg.sum(x * x).backward()                         dJ/dx is now in x.grad
    mg.grad(f), mg.jacobian(f), mg.hvp(f, x, v)      the same for functions of arrays
    @mg.op                                           a NumPy function and its VJPs: an operation of your own
    mg.graph(y), mg.debug(), mg.viz.trace(y)         the graph as a picture, and as a walk through it
    mg.testing                                       is a derivative right?
    mg.nn, mg.functional_call(net, state, x)         layers of neural networks, also as functions of their state
    mg.optim.Adam(parameters), mg.data               a step that trains, and data to train on
    mg.save(path, mapping), mg.load(path)            arrays, numbers and strings in files
    mg.onnx.export(path, f, example)                 what a function computes, as an ONNX model
    mg.scipy.special, mg.scipy.stats, ...            SciPy's functions, of Tensors
    mg.distributed.DataParallel(net)                 training on many machines, by MPI

The functions of mg.ops, NumPy's and those of neural networks, stand here too, by family:
"""

import os as _os
import sys as _sys
from importlib import import_module as _import_module

from . import ops
from ._tensor import Tensor, tensor
from .foreign_names import missing as _missing
from .nest import ravel_nest
from .operation import op
from .settings import no_grad, scope
from .threads import get_num_threads, set_num_threads

__version__ = "0.1.0"
__doc__ = f"{__doc__}\n{ops.CONTENTS}\n"
__all__ = ["Tensor", "c_", "checkpoint", "data", "debug", "distributed", "elementwise_grad", "fixed_point"]
__all__ += ["functional_call", "get_num_threads", "grad", "graph", "hessian", "hvp", "jacobian", "jvp", "load", "nn"]
__all__ += ["no_grad", "onnx", "op", "ops", "optim", "r_", "ravel_nest", "save", "scipy", "scope", "set_num_threads"]
__all__ += ["tensor", "testing", "value_and_grad", "vec", "vec_jacobian", "viz", "vjp"]
__all__ += ops.__all__


_LATER = {"load": "serialization", "save": "serialization", "debug": "viz", "graph": "viz", "functional_call": "nn"}
_LATER |= {"checkpoint": "recompute", "fixed_point": "implicit", "vec": "derivation", "vec_jacobian": "derivation"}
_LATER |= dict.fromkeys(("elementwise_grad", "grad", "hessian", "hvp", "jacobian"), "transforms")
_LATER |= dict.fromkeys(("jvp", "value_and_grad", "vjp"), "transforms")
_LATER |= {"c_": "ops.arranging", "r_": "ops.arranging"} | dict.fromkeys(ops.__all__, "ops")


def __getattr__(name):
    """What the core does not need is imported at its first use."""
    if name in ("data", "distributed", "nn", "onnx", "optim", "scipy", "testing", "viz"):
        return _import_module(f".{name}", __name__)
    if name in _LATER:
        value = globals()[name] = getattr(_import_module(f".{_LATER[name]}", __name__), name)
        return value
    raise _missing(f"module {__name__!r} has no attribute {name!r}", __name__, name)


def _import_the_rest():
    """Import what is left, before a fork: a child would wait forever for a module that another thread is importing."""
    ops.import_families()
    begun = [name for name in [*_sys.modules] if name.startswith(f"{__name__}.")]
    core = [f"{__name__}.{name}" for name in ("transforms", "recompute", "implicit", "derivation", "foreign_tables")]
    for name in (*begun, *core, "copy", "queue", "numpy.fft", "numpy.ma"):
        _import_module(name)


if hasattr(_os, "register_at_fork"):
    _os.register_at_fork(before=_import_the_rest)


def __dir__():
    """The public names, without the helpers of this module."""
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
