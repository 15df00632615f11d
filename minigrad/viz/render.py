"""From DOT to SVG, PNG or PDF: by the `dot` program on PATH, else by pygraphviz, whose wheels contain Graphviz.

With neither, `EngineMissingError` says what to install.
"""

import os
import re
import tempfile
import threading
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from .scope_labels import clear

INSTALL = (
    "no Graphviz engine found: pip install 'pygraphviz>=2' brings one (the extra [viz] is that); "
    "so do apt install graphviz and conda install graphviz"
)
DOTS_PER_INCH = "144"  # of a PNG: sharp on a slide

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"


class EngineMissingError(RuntimeError):
    """There is no Graphviz on this machine."""


def render(digraph: Any, format: str) -> bytes:
    """The picture in a format that Graphviz knows; raises EngineMissingError if no Graphviz is installed."""
    # equivalent: without and format in ("svg", "png", "pdf") because no other format is seen by a person
    if "subgraph cluster_" in digraph.source and format in ("svg", "png", "pdf"):
        drawn = _run_engine(digraph, "svg")
        cleared = clear(digraph, drawn.decode())
        # equivalent: never because it is drawn again then, and the same
        if cleared is digraph and format == "svg":
            return drawn
        digraph = cleared
    if format == "png":
        digraph = digraph.copy()
        digraph.attr(dpi=DOTS_PER_INCH)
    return _run_engine(digraph, format)


def _run_engine(digraph: Any, format: str) -> bytes:
    import graphviz

    try:
        return digraph.pipe(format=format, engine="dot")
    except graphviz.ExecutableNotFound:
        return _in_process(digraph.source, format)


def _in_process(source: str, format: str) -> bytes:
    try:
        import pygraphviz
    except ImportError as error:
        raise EngineMissingError(INSTALL) from error
    with _drawing, _filtered_stderr():
        return pygraphviz.AGraph(string=source).draw(format=format, prog="dot")


_drawing = threading.Lock()  # Graphviz, and the redirection of a file descriptor, belong to the process
_NOISE = b"Fontconfig warning"  # the wheel's fontconfig is older than some systems' configuration files


@contextmanager
def _filtered_stderr() -> Iterator[None]:
    """Hold back what is written to standard error, also by C code; then write all of it but the lines of _NOISE."""
    try:
        stderr = os.dup(2)
    except OSError:  # there is none
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            held.seek(0)
            os.write(stderr, b"".join(line for line in held if not line.startswith(_NOISE)))
            os.close(stderr)


def svg(digraph: Any, title: str, style: str = "max-width:100%;height:auto") -> str:
    """The picture as an <svg> element with tooltips; `title` is what a screen reader says.

    Ids begin with a digest of the picture, so that several pictures can stand in one page.
    """
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    root = ElementTree.fromstring(render(digraph, "svg"))
    prefix = "mg" + sha256(digraph.source.encode()).hexdigest()[:8]
    root.set("role", "img")
    root.set("aria-label", title)
    root.set("style", f"background:white;{style}")
    for element in root.iter():
        if "id" in element.attrib:
            element.set("id", f"{prefix}-{element.get('id')}")
        if element.tag == f"{{{SVG}}}g":
            _move_tooltip(element, title)
    return re.sub(r"\s*\n\s*", "\n", ElementTree.tostring(root, encoding="unicode"))


def _move_tooltip(group: ElementTree.Element, title: str) -> None:
    """Make the tooltip of a group its <title>, which every browser shows. Graphviz writes the id there.

    The id moves to data-part.
    """
    heading = group.find(f"{{{SVG}}}title")
    if heading is None:
        return
    if group.get("class") in ("node", "edge"):
        # equivalent: without or "" because Graphviz has a title for each
        group.set("data-part", heading.text or "")
    links = group.findall(f"{{{SVG}}}g/{{{SVG}}}a")
    texts = [a.attrib.pop(f"{{{XLINK}}}title", "") for a in links]
    if group.get("class") == "graph":
        heading.text = title
    else:
        heading.text = next((text for text in texts if text.strip()), "")
