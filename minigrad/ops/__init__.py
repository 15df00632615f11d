"""The catalogue of ops, one module a family. Each op stands beside its VJPs and their derivation.

Every public op is importable from here and from minigrad:
"""

from . import (
    activations,
    arithmetic,
    arranging,
    casting,
    complex_numbers,
    convolution,
    cumulative,
    curves,
    decompositions,
    einsums,
    elementary,
    fourier,
    indexing,
    inverses,
    joining,
    linalg,
    losses,
    masked,
    normalization,
    padding,
    polynomials,
    pooling,
    reductions,
    shaping,
    singular_values,
    sorting,
    statistics,
    systems,
)
from .activations import *
from .arithmetic import *
from .arranging import *
from .casting import *
from .complex_numbers import *
from .convolution import *
from .cumulative import *
from .curves import *
from .decompositions import *
from .einsums import *
from .elementary import *
from .fourier import *
from .indexing import *
from .inverses import *
from .joining import *
from .linalg import *
from .losses import *
from .masked import *
from .normalization import *
from .padding import *
from .polynomials import *
from .pooling import *
from .reductions import *
from .shaping import *
from .singular_values import *
from .sorting import *
from .statistics import *
from .systems import *

FAMILIES = (arithmetic, elementary, casting, complex_numbers, reductions, masked, cumulative, statistics)
FAMILIES += (shaping, indexing, sorting, joining, arranging, padding, linalg, einsums, inverses, decompositions)
FAMILIES += (singular_values, systems, curves, polynomials, fourier, activations, normalization, losses)
FAMILIES += (convolution, pooling)

__all__ = [name for family in FAMILIES for name in family.__all__]
__dir__ = __all__.copy  # what dir() shows


def _paragraph(family):
    """The family and its ops, nine to a line."""
    name, ops = family.__name__.rpartition(".")[2], family.__all__
    return f"    {name}: " + ",\n        ".join([", ".join(ops[i : i + 9]) for i in range(0, len(ops), 9)])


CONTENTS = "\n".join([_paragraph(family) for family in FAMILIES])  # for help(mg.ops) and help(mg)
__doc__ = f"{__doc__}\n{CONTENTS}\n"
