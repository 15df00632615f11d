"""Seeing the computational graph: `graph` draws the tape.

It reads the tape and changes nothing. graphviz loads when a picture is drawn, not with this package.
"""

from .debugging import debug as debug
from .picture import Graph as Graph
from .picture import graph as graph

__all__ = ["Graph", "debug", "graph"]
