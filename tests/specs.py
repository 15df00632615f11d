"""A specification for every op: where to differentiate it, what it computes, where it has kinks.

An op is added by one call of `spec` in the file of its kind; one without a spec fails the suite.
"""

import importlib
import pkgutil

import specs_of_arrays  # noqa: F401
import specs_of_products  # noqa: F401
from specification import SPECS as SPECS

import minigrad as mg
from minigrad.operation import Op


def all_ops():
    """Every Op that minigrad's modules hold, once each."""
    modules = [importlib.import_module(m.name) for m in pkgutil.walk_packages(mg.__path__, "minigrad.")]
    return {id(value): value for module in modules for value in vars(module).values() if isinstance(value, Op)}.values()
