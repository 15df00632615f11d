"""Charts as SVG, in the colours of the pictures: lines on a logarithmic axis, curves, bars, small images."""

import html
import math
from collections.abc import Mapping, Sequence

import numpy as np

COLOURS = {
    "value": "#0072B2", "gradient": "#D55E00", "parameters": "#009E73", "forward": "#0072B2", "VJPs": "#D55E00",
}  # fmt: skip
RED = "#B3261E"  # what has no place on the axis
WIDTH, PLOT, LEFT, RIGHT, TOP, ROW = 860, 300, 70, 20, 30, 20  # pixels
FIRST, NAMES = 145, 140  # where lines begin, and the height below a chart, for names that stand aslant
FEWEST, TICKS = 2, 8  # decades of an axis, and lines across the chart
LONGEST = 28  # characters of a name
STYLE = (
    "<style>text{font:12px system-ui,sans-serif;fill:#57606a}.axis{stroke:#d0d7de}"
    "@media (prefers-color-scheme:dark){text{fill:#a3adb8}.axis{stroke:#3a424c}"
    "polyline,circle,text[style]{filter:brightness(1.6)}}</style>"
)


def lines(title: str, names: Sequence[str], series: Mapping[str, Sequence[float | None]]) -> str:
    """Lines on a logarithmic axis over the names, by the keys of COLOURS; None leaves a gap.

    What is not positive, or not finite, is a red square at the edge.
    """
    decades = _decades([value for values in series.values() for value in values])
    step = (WIDTH - FIRST - RIGHT) / max(1, len(names) - 1)
    parts = [_text(LEFT, 16, title), *_axis(decades), *_names(names, step)]
    for i, (label, values) in enumerate(series.items()):
        points = [(FIRST + j * step, _height(value, decades), j) for j, value in enumerate(values) if value is not None]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
        parts.append(f'<polyline fill="none" stroke="{COLOURS[label]}" stroke-width="2" points="{path}"/>')
        parts += [_dot(x, y, label, names[j], values[j] or 0.0) for x, y, j in points]
        parts.append(_text(WIDTH - RIGHT, 14 + 14 * i, label, "end", f' style="fill:{COLOURS[label]}"'))
    return _svg(TOP + PLOT + NAMES, title, parts)


def curve(title: str, points: Sequence[tuple[float, float]]) -> str:
    """A line through points (x, y) on linear axes; points that are not finite leave a gap."""
    proper = [(x, y) for x, y in points if math.isfinite(y)]
    left, right = min((x for x, _ in points), default=0.0), max((x for x, _ in points), default=1.0)
    low, high = min((y for _, y in proper), default=0.0), max((y for _, y in proper), default=1.0)
    high += (high == low) * (abs(high) or 1.0)

    def place(x: float, y: float) -> str:
        across = LEFT + (WIDTH - LEFT - RIGHT) * (x - left) / ((right - left) or 1.0)
        return f"{across:.1f},{TOP + PLOT * (high - y) / (high - low):.1f}"

    parts = [_text(LEFT, 16, title), _text(LEFT, TOP + PLOT + 16, f"{left:g}")]
    parts.append(_text(WIDTH - RIGHT, TOP + PLOT + 16, f"{right:g}", "end"))
    for y in (low, high):
        height = float(place(left, y).partition(",")[2])
        parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height:.1f}" y2="{height:.1f}"/>')
        parts.append(_text(LEFT - 8, height + 4, f"{y:.3g}", "end"))
    path = " ".join(place(x, y) for x, y in proper)
    parts.append(f'<polyline fill="none" stroke="{COLOURS["value"]}" stroke-width="1.5" points="{path}"/>')
    return _svg(PLOT + TOP + 30, title, parts)


def images(title: str, array: np.ndarray) -> str:
    """Arrays (n, rows, columns) side by side: blue below 0, white at 0, orange above, grey where not finite."""
    limit = float(np.abs(array[np.isfinite(array)]).max(initial=0)) or 1.0
    count, rows, columns = array.shape
    pixel = max(1.0, min(12.0, 90 / max(rows, columns)))
    step = columns * pixel + 8
    each_row = max(1, int((WIDTH - 20) // step))
    parts = [_text(10, 16, f"{title}, colours from -{limit:.3g} to {limit:.3g}")]
    for n, i, j in np.ndindex(array.shape):
        x, y = 10 + (n % each_row) * step + j * pixel, TOP + (n // each_row) * (rows * pixel + 8) + i * pixel
        colour = _colour(float(array[n, i, j]) / limit)
        parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{pixel:.2f}" height="{pixel:.2f}" fill="{colour}"/>')
    return _svg(TOP + math.ceil(count / each_row) * (rows * pixel + 8), title, parts)


def _colour(share: float) -> str:
    """Of a number between -1 and 1."""
    if not math.isfinite(share):
        return "#6E7781"
    end = (0, 90, 160) if share < 0 else (205, 85, 0)
    return "#" + "".join(f"{round(255 + abs(share) * (part - 255)):02X}" for part in end)


def bars(title: str, rows: Sequence[tuple[str, Mapping[str, float]]], unit: str) -> str:
    """A bar for each row, made of its values one after the other, by the keys of COLOURS."""
    most = max((sum(values.values()) for _, values in rows), default=0) or 1
    start = 7 * min(LONGEST, max((len(name) for name, _ in rows), default=0)) + 20
    parts = [_text(10, 16, title)]
    for i, (name, values) in enumerate(rows):
        x, y = float(start), TOP + i * ROW
        parts.append(_text(x - 8, y + 12, _shortened(name), "end"))
        for label, value in values.items():
            length = (WIDTH - start - 110) * value / most
            rect = f'<rect x="{x:.1f}" y="{y}" width="{length:.1f}" height="{ROW - 5}" fill="{COLOURS[label]}">'
            parts.append(f"{rect}<title>{value:.4g} {unit}</title></rect>")
            x += length
        parts.append(_text(x + 6, y + 12, f"{sum(values.values()):.3g} {unit}"))
    return _svg(TOP + 10 + ROW * len(rows), title, parts)


def _decades(values: Sequence[float | None]) -> range:
    """The powers of ten around the positive finite values."""
    logs = [math.log10(value) for value in values if value and value > 0 and math.isfinite(value)]
    low = math.floor(min(logs, default=0))
    return range(low, max(math.ceil(max(logs, default=0)), low + FEWEST) + 1)


def _height(value: float, decades: range) -> float:
    """Where a value is, in pixels from the top: at the lower edge if it is not positive, at the upper if not finite."""
    if not math.isfinite(value):
        return TOP
    decade = math.log10(value) if value > 0 else decades[0]
    return TOP + PLOT * (decades[-1] - decade) / (decades[-1] - decades[0])


def _axis(decades: range) -> list[str]:
    parts = []
    for decade in decades[:: math.ceil(len(decades) / TICKS)]:
        y = _height(10.0**decade, decades)
        parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(LEFT - 8, y + 4, f"1e{decade}", "end"))
    return parts


def _names(names: Sequence[str], step: float) -> list[str]:
    """The names below the chart, or as many of them as there is room for."""
    places = [FIRST + i * step for i in range(len(names))]
    shown = list(zip(places, names, strict=True))[:: math.ceil(len(names) * 16 / (WIDTH - FIRST)) or 1]
    y = TOP + PLOT + 16
    return [_text(x, y, _shortened(name), "end", f' transform="rotate(-40 {x:.1f} {y})"') for x, name in shown]


def _dot(x: float, y: float, label: str, name: str, value: float) -> str:
    said = f"<title>{html.escape(name)}: {label} {value:.4g}</title>"
    if value > 0 and math.isfinite(value):
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLOURS[label]}">{said}</circle>'
    return f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10" fill="{RED}">{said}</rect>'


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST else f"...{name[3 - LONGEST :]}"


def _text(x: float, y: float, words: str, anchor: str = "start", more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{html.escape(words)}</text>'


def _svg(height: float, title: str, parts: Sequence[str]) -> str:
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" style="max-width:100%;height:auto"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{html.escape(title)}">'
    return f"{head}{STYLE}{''.join(parts)}</svg>"
