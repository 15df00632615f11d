"""Text for labels and tooltips: escaped for DOT, SVG and HTML, whatever characters a name has."""

import html
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

LONGEST = 40  # characters of a line in a node
LONGEST_IN_A_TOOLTIP = 400  # Graphviz takes 16,384 bytes in all
ADVANCE = 0.62  # width of a character by font size: 0.6 in Courier, a little more in the fonts that replace it


def plain(text: object, longest: int | None = None) -> str:
    """One line, without control characters and lone surrogates (XML has no place for them), cut to a length."""
    line = str(text)
    if not line.isprintable():
        line = "".join(c if unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn") else " " for c in line)
    line = " ".join(line.split()) or " "
    return line if longest is None or len(line) <= longest else line[: longest - 3] + "..."


def counted(count: int, what: str) -> str:
    """A count with its noun: 1 op, 2 ops."""
    return f"{count:,} {what}{'s' * (count != 1)}"


def label(text: object, longest: int = LONGEST) -> str:
    """Text inside an HTML label, where Graphviz resolves escapes once."""
    return _entities(plain(text, longest)).replace("\\", 2 * "\\")


def tooltip(lines: Iterable[object]) -> str:
    """Lines as the text of a tooltip, where Graphviz resolves escapes twice.

    Characters above U+FFFF stand for themselves: in a tooltip Graphviz reads their entities as broken UTF-8.
    """
    text = "&#10;".join(_entities(plain(line, LONGEST_IN_A_TOOLTIP)) for line in lines if line).replace("\\", 4 * "\\")
    # equivalent: > -> >=; 0xFFFF -> 65534 because U+FFFF is no character, and `plain` leaves it out
    return re.sub(r"&#(\d{5,});", lambda entity: chr(int(entity[1])) if int(entity[1]) > 0xFFFF else entity[0], text)


def width(text: str, points: float) -> int:
    """The width of monospaced text, in points; East Asian characters and emoji are two characters wide."""
    places = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
    return round(places * points * ADVANCE)


def link(line: tuple[str, int]) -> str | None:
    """The URL of a (file, line number): relative if the file is below the working directory; None if there is none."""
    path = Path(line[0])
    if not path.is_file():
        return None
    path = path.resolve()
    try:
        text = quote(path.relative_to(Path.cwd()).as_posix())
    except ValueError:
        text = path.as_uri()
    return f"{text}#L{line[1]}"


def _entities(line: str) -> str:
    """In ASCII, which every Graphviz engine reads the same way."""
    return html.escape(line).encode("ascii", "xmlcharrefreplace").decode("ascii")
