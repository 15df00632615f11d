"""Charts as SVG, in the colours of the pictures: lines on a logarithmic axis, curves, bars, small images."""

import html
import math
import sys
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

COLOURS = {
    "value": "#0072B2", "gradient": "#D55E00", "parameters": "#009E73", "forward": "#0072B2", "VJPs": "#D55E00",
}  # fmt: skip
RED, SQUARE = "#B3261E", 10  # what has no place on the axis
BELOW, ABOVE, GREY = (0, 90, 160), (205, 85, 0), "#6E7781"  # images: the least entry, the greatest, not finite
WIDTH, MARGIN, LEFT, RIGHT, TOP, BOTTOM = 860, 10, 70, 840, 30, 330  # pixels: a chart, and the area of its axes
FIRST, NAMES, LABELS = 160, 150, 30  # where lines begin; the heights of names and of labels below
FEWEST, TICKS, SHOWN = 2, 8, 45  # decades of an axis at least; lines across, and names, at most
LONGEST, CHARACTER = 28, 7  # characters of a name, pixels of a character
ROW, BAR, BEFORE, TOTAL = 20, 15, 20, 110  # the height of a row and of its bar; the room before it, and behind it
SIDE, PIXEL, GAP = 90, 12, 8  # images: the longest side, the largest pixel, the room between two
TINY = sys.float_info.min
TEXT = {  # how a text stands at its place
    "tick": 'text-anchor="end" dx="-8" dy="4"',
    "first": 'text-anchor="start" dy="16"',
    "last": 'text-anchor="end" dy="16"',
    "aslant": 'text-anchor="end" dx="-9" dy="11" transform="rotate(-40 {x:.1f} {y:.1f})"',
    "row": 'text-anchor="end" dx="-8" dy="12"',
    "total": 'text-anchor="start" dx="6" dy="12"',
}
STYLE = (
    "<style>text{font:12px system-ui,sans-serif;fill:#57606a}.axis{stroke:#d0d7de}rect{shape-rendering:crispEdges}"
    "@media (prefers-color-scheme:dark){text{fill:#a3adb8}.axis{stroke:#3a424c}"
    "polyline,circle,.legend{filter:brightness(1.6)}}</style>"
)


def lines(title: str, names: Sequence[str], series: Mapping[str, Sequence[float | None]]) -> str:
    """Lines on a logarithmic axis over the names, by the keys of COLOURS; None is left out.

    What is not positive, or not finite, is a red square at the edge.
    """
    decades = _decades([value for values in series.values() for value in values])
    places = np.linspace(FIRST, RIGHT, len(names))
    parts = [_tick(_height(10.0**decade, decades), f"1e{decade}") for decade in decades[:: 1 + len(decades) // TICKS]]
    for x, name in list(zip(places, names, strict=True))[:: 1 + len(names) // SHOWN]:
        parts.append(_text(x, BOTTOM, _shortened(name), "aslant"))
    for label, values in series.items():
        named = zip(places, names, values, strict=True)
        known = [(x, _height(value, decades), name, value) for x, name, value in named if value is not None]
        parts.append(_polyline([(x, y) for x, y, _, _ in known], COLOURS[label]))
        parts += [_dot(x, y, value, f"{name}: {label} {value:.4g}", COLOURS[label]) for x, y, name, value in known]
    parts.append(_legend_of(series))
    return _svg(BOTTOM + NAMES, title, parts)


def curve(title: str, points: Sequence[tuple[float, float]]) -> str:
    """A line through points (x, y) on linear axes, without those that are not finite."""
    x, y = np.reshape(np.asarray(points, np.float64), (-1, 2)).T
    finite = np.isfinite(y)
    across, height = _between(x, LEFT, RIGHT), _between(y[finite], BOTTOM, TOP)
    labels = zip(_ends(x, across), ("first", "last"), strict=False)
    parts = [_text(place, BOTTOM, f"{value:g}", role) for (value, place), role in labels]
    parts += [_tick(place, f"{value:.3g}") for value, place in _ends(y[finite], height)]
    parts.append(_polyline(zip(across[finite], height, strict=True), COLOURS["value"]))
    return _svg(BOTTOM + LABELS, title, parts)


def images(title: str, array: np.ndarray) -> str:
    """Arrays (n, rows, columns) side by side: blue below 0, white at 0, orange above, grey where not finite."""
    limit = float(np.abs(array[np.isfinite(array)]).max(initial=0)) or 1.0
    count, rows, columns = array.shape
    pixel = min(PIXEL, SIDE / max(rows, columns))
    across, down = columns * pixel + GAP, rows * pixel + GAP
    in_line = int((WIDTH - MARGIN) // across)
    parts = [_legend(f"colours from -{limit:.3g} to {limit:.3g}")]
    for (n, i, j), value in np.ndenumerate(array / limit):
        line, place = divmod(n, in_line)
        x, y = MARGIN + place * across + j * pixel, TOP + line * down + i * pixel
        parts.append(_rect(x, y, pixel, pixel, _colour(value)))
    return _svg(TOP + math.ceil(count / in_line) * down, title, parts)


def bars(title: str, rows: Sequence[tuple[str, Mapping[str, float]]], unit: str) -> str:
    """A bar for each row, made of its values one after the other, by the keys of COLOURS."""
    names = [_shortened(name) for name, _ in rows]
    start = BEFORE + CHARACTER * len(max(names, key=len, default=""))
    most = max((sum(values.values()) for _, values in rows), default=0) or 1
    parts = [_legend_of(dict.fromkeys(label for _, values in rows for label in values))]
    for i, (_, values) in enumerate(rows):
        x, y = float(start), TOP + i * ROW
        parts.append(_text(x, y, names[i], "row"))
        for label, value in values.items():
            length = (WIDTH - TOTAL - start) * value / most
            parts.append(_rect(x, y, length, BAR, COLOURS[label], _title(f"{value:.4g} {unit}")))
            x += length
        parts.append(_text(x, y, f"{sum(values.values()):.3g} {unit}", "total"))
    return _svg(TOP + len(rows) * ROW, title, parts)


def _decades(values: Iterable[float | None]) -> range:
    """The powers of ten around the positive finite values."""
    logs = [math.log10(value) for value in values if value is not None and 0 < value < math.inf] or [0.0]
    low = math.floor(min(logs))
    return range(low, max(math.ceil(max(logs)), low + FEWEST) + 1)


def _height(value: float, decades: range) -> float:
    """Where a value is, in pixels from the top: at the lower edge if it is not positive, at the upper if not finite."""
    decade = math.log10(value) if value > 0 else -math.inf
    return float(np.interp(decade, (decades[0], decades[-1]), (BOTTOM, TOP))) if math.isfinite(value) else TOP


def _between(values: np.ndarray, start: float, end: float) -> np.ndarray:
    """Places from start, for the least of the values, to end, for the greatest; start if all are equal."""
    low, high = values.min(initial=math.inf), values.max(initial=-math.inf)
    # equivalent: any factor because a millionth of a pixel is not written
    return start + (end - start) * (values - low) / max(high - low, TINY)


def _ends(values: np.ndarray, places: np.ndarray) -> Iterable[tuple[float, float]]:
    """The least and the greatest value, each with its place; one if they are equal."""
    pairs = sorted(zip(values, places, strict=True))
    return dict.fromkeys(pairs[:1] + pairs[-1:])


def _colour(share: float) -> str:
    """Of a number between -1 and 1."""
    if not math.isfinite(share):
        return GREY
    end = BELOW if share < 0 else ABOVE  # equivalent: < -> <= because 0 is white from both
    return "#" + "".join(f"{round(255 + abs(share) * (part - 255)):02X}" for part in end)


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST else f"...{name[3 - LONGEST :]}"


def _tick(y: float, words: str) -> str:
    """A line across the chart, and what it stands for."""
    line = f'<line class="axis" x1="{LEFT}" x2="{RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return line + _text(LEFT, y, words, "tick")


def _polyline(points: Iterable[tuple[float, float]], colour: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{path}"/>'


def _dot(x: float, y: float, value: float, said: str, colour: str) -> str:
    if 0 < value < math.inf:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}">{_title(said)}</circle>'
    return _rect(x - SQUARE / 2, y - SQUARE / 2, SQUARE, SQUARE, RED, _title(said))


def _rect(x: float, y: float, width: float, height: float, colour: str, title: str = "") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.2f}" height="{height:.2f}"'
    return f'<rect {place} fill="{colour}">{title}</rect>'


def _title(said: str) -> str:
    return f"<title>{html.escape(said)}</title>"


def _text(x: float, y: float, words: str, role: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {TEXT[role].format(x=x, y=y)}>{html.escape(words)}</text>'


def _legend_of(labels: Iterable[str]) -> str:
    """The keys of COLOURS, each in its colour."""
    return _legend(" ".join(f'<tspan style="fill:{COLOURS[label]}">{label}</tspan>' for label in labels))


def _legend(said: str) -> str:
    """Text, or <tspan>s, in the upper right corner."""
    return f'<text class="legend" x="{RIGHT}" y="16" text-anchor="end">{said}</text>'


def _svg(height: float, title: str, parts: Iterable[str]) -> str:
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" style="max-width:100%;height:auto"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{html.escape(title)}">'
    heading = f'<text x="{MARGIN}" y="16">{html.escape(title)}</text>'
    return f"{head}{STYLE}{heading}{''.join(parts)}</svg>"
