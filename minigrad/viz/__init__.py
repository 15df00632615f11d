"""Pictures of the computational graph: `graph` draws the tape, `trace` walks through it step by step.

Both only read the tape. graphviz is imported when a picture is drawn, not with this package.
"""

from ._debug import debug as debug
from ._graph import Graph as Graph
from ._graph import graph as graph
from .walk import Step as Step
from .walk import Walk as Walk
from .walk import trace as trace

__all__ = ["Graph", "Step", "Walk", "debug", "graph", "trace"]
