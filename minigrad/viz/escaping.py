"""Text as DOT, SVG and HTML can hold it, whatever a user called a thing or a file."""

import html
import unicodedata
from pathlib import Path
from urllib.parse import quote

LONGEST = 40  # characters of a name in a node; the tooltip has it whole
ADVANCE = 0.62  # from one character of Courier to the next, in sizes of the font: 0.6, and a little for its stand-ins


def plain(text, longest=None):
    """One line without control characters and lone surrogates, which XML can't hold, cut to a length."""
    kept = "".join(c if unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn") else " " for c in str(text))
    line = " ".join(kept.split()) or " "
    return line if longest is None or len(line) <= longest else line[: longest - 3] + "..."


def label(text, longest=LONGEST):
    """Text inside an HTML label. A backslash would begin an escape that stands for the id."""
    return _entities(plain(text, longest)).replace("\\", 2 * "\\")


def tooltip(lines):
    """Lines as the text of a tooltip, whose escapes Graphviz resolves twice."""
    return "&#10;".join(_entities(plain(line)) for line in lines if line).replace("\\", 4 * "\\")


def width(text, points):
    """How wide a monospaced text is, in points; East Asian characters take two places."""
    places = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
    return round(places * points * ADVANCE)


def link(where):
    """What to open for a (file, line): a path relative to the working directory if it is below it; None for no file."""
    path = Path(where[0])
    if not path.is_file():
        return None
    path = path.resolve()
    try:
        text = quote(path.relative_to(Path.cwd()).as_posix())
    except ValueError:
        text = path.as_uri()
    return f"{text}#L{where[1]}"


def _entities(line):
    """In ASCII, as every engine reads it."""
    return html.escape(line).encode("ascii", "xmlcharrefreplace").decode("ascii")
