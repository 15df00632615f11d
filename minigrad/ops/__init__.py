"""The catalogue of ops, one module a family. Each op stands beside its VJPs and their derivation.

A family is imported when one of its ops is first asked for, here or from minigrad:
"""

from importlib import import_module as _import_module

from ..catalogue import FAMILIES, FAMILY_OF

__all__ = [*FAMILY_OF]
__dir__ = __all__.copy  # what dir() shows


def __getattr__(name):
    """The op, or the family, of this name."""
    if name in FAMILIES:
        return _import_module(f".{name}", __name__)
    if name not in FAMILY_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    op = globals()[name] = getattr(_import_module(f".{FAMILY_OF[name]}", __name__), name)
    return op


def import_families():
    """Import all of them: which one stands for a NumPy function is known only then."""
    for family in FAMILIES:
        _import_module(f".{family}", __name__)


def _paragraph(family):
    """The family and its ops, nine to a line."""
    ops = FAMILIES[family]
    return f"    {family}: " + ",\n        ".join([", ".join(ops[i : i + 9]) for i in range(0, len(ops), 9)])


CONTENTS = "\n".join(map(_paragraph, FAMILIES))  # for help(mg.ops) and help(mg)
__doc__ = f"{__doc__}\n{CONTENTS}\n"
