"""The page to explore a graph: one HTML file with its data, styles and scripts, which loads nothing from elsewhere.

The data is plain JSON: what `facts` says of each node, and the tree of groups. Layout and drawing are the page's
own scripts, so no Graphviz engine is needed.
"""

import base64
import html
import json
import re
import zlib
from collections.abc import Sequence
from importlib import resources
from typing import Any

from .equations import equations
from .facts import facts
from .labels import plain
from .parts import Part
from .tree import Group, groups_of, grow, place

SCRIPTS = (
    "layout.js", "scene.js", "places.js", "drawing.js", "view.js", "explorer.js", "details.js", "walk.js",
)  # fmt: skip
LARGE = 300_000  # bytes of data from which on it is compressed


def page_data(parts: Sequence[Part], depth: int | None, max_nodes: int | None) -> dict[str, Any]:
    """Nodes and groups as text and numbers: nodes after their inputs, the root group first, groups by number."""
    root = grow(parts, depth, max_nodes)
    placed = place(parts, root, max_nodes is not None and len(parts) > max_nodes)
    groups = list(groups_of(root))
    number = {group: i for i, group in enumerate(groups)}
    parents = {member: number[group] for group in groups for member in group.members if isinstance(member, Group)}
    nodes = [known | {"group": number[placed[part]]} for part, known in zip(parts, facts(parts), strict=True)]
    tree = [
        {"kind": group.kind, "name": group.name, "parent": parents.get(group, -1), "open": group.is_open}
        for group in groups
    ]
    return {"nodes": nodes, "groups": tree, "equations": equations([part for part in parts if part.kind == "op"])}


def page(data: dict[str, Any], mode: str = "explore") -> str:
    """The HTML of the page. mode: "explore", or "walk" for a page that opens at the first step of its walk."""
    # equivalent: allow_nan=False -> allow_nan=True because `facts` writes NaN as text, and json.dumps only checks it
    text = json.dumps(data | {"mode": mode}, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    kind, text = "application/json", text.encode(errors="replace").decode()  # no file takes half of a surrogate pair
    # equivalent: > -> >= because at one length either is as good
    if len(text) > LARGE:
        # equivalent: 9 -> 8 because it only takes more bytes
        kind, text = "application/zlib", base64.b64encode(zlib.compress(text.encode(), 9)).decode("ascii")
    filled = {
        "title": html.escape(plain(data["title"])),
        "styles": _asset("explorer.css"),
        "kind": kind,
        "data": text.replace("<", "\\u003c"),
        "script": "\n".join(map(_asset, SCRIPTS)),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: filled[match[1]], _asset("explorer.html"))


def frame(content: str, title: str) -> str:
    """A page as an element of another one, as a notebook is."""
    style = "width:100%;height:640px;border:1px solid #d0d7de;border-radius:6px"
    return f'<iframe srcdoc="{html.escape(content)}" title="{html.escape(plain(title))}" style="{style}"></iframe>'


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
