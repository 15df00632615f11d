"""Seeing the computational graph: `graph` draws the tape, `trace` walks it.

Both read the tape and change nothing. graphviz loads when a picture is drawn, not with this package.
"""

from .debugging import debug as debug
from .picture import Graph as Graph
from .picture import graph as graph
from .walk import Step as Step
from .walk import Walk as Walk
from .walk import trace as trace

__all__ = ["Graph", "Step", "Walk", "debug", "graph", "trace"]
