"""The catalogue of ops, one module a family. Each op stands beside its VJPs and their derivation.

Every public op is importable from here and from minigrad:
"""

from textwrap import fill

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

CONTENTS = "\n".join(  # a paragraph for each family, for help(mg.ops) and help(mg)
    fill(f"    {family.__name__.rpartition('.')[2]}: {', '.join(family.__all__)}", 100, subsequent_indent=" " * 8)
    for family in FAMILIES
)
__doc__ = f"{__doc__}\n{CONTENTS}\n"
