"""The catalogue of ops, one module a family. Each op stands beside its VJPs and their derivation.

Every public op is importable from here and from minigrad:
"""

from . import (
    activations,
    arithmetic,
    convolution,
    decompositions,
    linalg,
    losses,
    pooling,
    reductions,
    shaping,
)
from .activations import *
from .arithmetic import *
from .convolution import *
from .decompositions import *
from .linalg import *
from .losses import *
from .pooling import *
from .reductions import *
from .shaping import *

FAMILIES = (arithmetic, reductions, shaping, linalg, decompositions, activations, losses, convolution, pooling)

__all__ = [name for family in FAMILIES for name in family.__all__]


def _paragraph(family):
    """The family and its ops, nine to a line."""
    name, ops = family.__name__.rpartition(".")[2], family.__all__
    return f"    {name}: " + ",\n        ".join([", ".join(ops[i : i + 9]) for i in range(0, len(ops), 9)])


CONTENTS = "\n".join([_paragraph(family) for family in FAMILIES])  # for help(mg.ops) and help(mg)
__doc__ = f"{__doc__}\n{CONTENTS}\n"
