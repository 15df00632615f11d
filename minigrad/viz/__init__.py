"""Pictures of the computational graph: `graph` draws the tape, `trace` walks through it step by step.

`flow` shows norms layer by layer, `profile` the time of each op, and `TrainingPage` a training while it runs.
graphviz is imported when a picture is drawn, not with this package.
"""

from ._debug import debug as debug
from ._graph import Graph as Graph
from ._graph import graph as graph
from .measures import Cost as Cost
from .measures import Layer as Layer
from .measures import Table as Table
from .measures import flow as flow
from .measures import profile as profile
from .training_page import TrainingPage as TrainingPage
from .walk import Step as Step
from .walk import Walk as Walk
from .walk import trace as trace

__all__ = [
    "Cost", "Graph", "Layer", "Step", "Table", "TrainingPage", "Walk", "debug", "flow", "graph", "profile", "trace",
]  # fmt: skip
__dir__ = __all__.copy  # what dir() shows
