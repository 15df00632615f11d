"""How far each op is from what the processor can do, as its arrays grow: a picture, and the numbers as a table.

The limits are measured first: multiplications a second of a large matrix product, and bytes a second of a large copy.
`python benchmarks/growth.py --plot FILE.png` draws it, in one thread and in all.
"""

import argparse
import statistics
import time

import numpy as np

import minigrad as mg
from minigrad.threads import share

CONVOLUTIONS = {
    "images N: (N, 8, 28, 28) * (16, 8, 3, 3)": [(n, 8, 28, 16) for n in (1, 4, 8, 16, 64, 256, 512)],
    "size H = W: (16, 8, H, W) * (16, 8, 3, 3)": [(16, 8, size, 16) for size in (8, 16, 32, 64, 128)],
    "channels C: (16, C, 28, 28) * (C, C, 3, 3)": [(16, c, 28, c) for c in (1, 4, 16, 64, 256)],
}
ELEMENTWISE = {"x + x": np.add, "relu": mg.relu, "tanh": np.tanh, "softmax": mg.softmax}
ENTRIES = [2**i for i in range(10, 25, 2)]
COLUMNS = 256  # entries over which softmax goes


def main():
    """Measure, print the table, and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, mg.get_num_threads()}))
    parser.add_argument("--seconds", type=float, default=0.2, help="of each measurement (default %(default)s)")
    parser.add_argument("--plot", metavar="FILE.png", help="draw the picture")
    options = parser.parse_args()
    curves = {n: measure(n, options.seconds) for n in options.threads}
    for n, panels in curves.items():
        for panel, (limit, unit, lines) in panels.items():
            print(f"\n{panel}, threads: {n}. Limit: {limit:.3g} {unit}")
            for name, points in lines.items():
                print(f"  {name}: " + ", ".join(f"{size:,}: {value / limit:.0%}" for size, value in points))
    if options.plot:
        draw(curves, options.plot)


def measure(threads, seconds):
    """Return {panel: (limit, unit, {line: [(size, value), ...]})} with so many threads."""
    mg.set_num_threads(threads)
    a = np.ones((1024, 1024), np.float32)
    x = np.ones(2**25, np.float32)
    products = 1024**3 / rate(lambda: mg.matmul(a, a), seconds) / 1e9
    halves = np.array_split(x, threads), np.array_split(np.empty_like(x), threads)
    copies = (
        2
        * x.nbytes
        / rate(lambda: share(lambda i: np.copyto(halves[1][i], halves[0][i]), range(threads)), seconds)
        / 1e9
    )
    panels = {
        name: (products, "10⁹ multiplications a second", dict(convolutions(shapes, seconds)))
        for name, shapes in CONVOLUTIONS.items()
    }
    lines = {
        name: [(n, 2 * n * x.itemsize / rate(call(f, n), seconds) / 1e9) for n in ENTRIES]
        for name, f in ELEMENTWISE.items()
    }
    return panels | {"entries, float32": (copies, "10⁹ bytes a second", lines)}


def convolutions(shapes, seconds):
    """Yield (name, points) of each derivative of a convolution."""
    rng = np.random.default_rng(0)
    found = {"forward": [], "dJ/dx": [], "dJ/dk": []}
    for n, c, size, outputs in shapes:
        x, k, g = (
            mg.relu(rng.normal(size=shape).astype(np.float32))
            for shape in ((n, c, size, size), (outputs, c, 3, 3), (n, outputs, size, size))
        )
        calls = (
            lambda x=x, k=k: mg.conv2d(x, k, padding=1),
            lambda g=g, k=k: mg.conv_transpose2d(g, k, padding=1),
            lambda x=x, g=g: mg.conv2d_kernel(x, g, size=3, padding=1),
        )
        varied = next(value for i, value in enumerate((n, c, size)) if len({s[i] for s in shapes}) > 1)
        for points, f in zip(found.values(), calls, strict=True):
            points.append((varied, g.size * c * 9 / rate(f, seconds) / 1e9))
    yield from found.items()


def call(f, n):
    """A call of an elementwise op, or of softmax over rows, of n entries an array."""
    x = np.random.default_rng(0).normal(size=(n // COLUMNS, COLUMNS)).astype(np.float32)
    t = mg.tensor(x)
    return (lambda: f(t, t)) if f is np.add else lambda: f(t)


def rate(f, seconds):
    """Seconds of a call: the median of as many as fit."""
    f()
    taken, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(taken) < 3:
        start = time.perf_counter()
        f()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def draw(curves, path):
    """One row of panels for each number of threads; a dashed line is the limit."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(len(curves), 4, figsize=(17, 4 * len(curves)), squeeze=False, layout="constrained")
    for row, (n, panels) in zip(axes, curves.items(), strict=True):
        for ax, (panel, (limit, unit, lines)) in zip(row, panels.items(), strict=True):
            ax.axhline(
                limit, color="black", linestyle="--", label="limit of products" if "mult" in unit else "limit of memory"
            )
            for name, points in lines.items():
                ax.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
            ax.set(xscale="log", yscale="log", xlabel=panel, ylabel=unit, title=f"threads: {n}")
            ax.set_xscale("log", base=2)
            ax.grid(alpha=0.3)
            ax.legend(fontsize="small")
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    main()
