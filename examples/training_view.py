"""The output of a training: a header, a line for each epoch, a progress bar, a figure.

Text goes to standard output, in ASCII. The bar goes to standard error if that is a terminal.
"""

import math
import shutil
import sys
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from tqdm import tqdm


class Epoch(NamedTuple):
    """The results of one pass over the training images."""

    number: int
    train_loss: float  # mean over the epoch's steps
    test_accuracy: float  # after the epoch
    seconds: float


@dataclass
class History:
    """What the learning curves show: the loss of each step, and the results of each complete epoch."""

    steps_per_epoch: int
    step_losses: list[float] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)


def progress_bar(steps):
    """Return a bar that is shown on a terminal only and removed at the end."""
    columns, rows = shutil.get_terminal_size()  # 80 by 24 if the terminal reports 0 by 0, unlike tqdm's own
    return tqdm(total=steps, unit=" steps", leave=False, disable=None, ncols=min(columns, 100), nrows=rows)


def show(epoch, epochs, bar):
    """Print the line of an epoch, above the bar."""
    width = len(str(epochs))
    with bar.external_write_mode(file=sys.stdout):
        print(
            f"epoch {epoch.number:{width}}/{epochs}   train loss {epoch.train_loss:.4f}   "
            f"test accuracy {epoch.test_accuracy:.4f}   {epoch.seconds:.2f} s",
            flush=True,
        )


def describe(data, network, options):
    """Return the header: the data, the layers with their shapes, the number of steps."""
    train, test = data.train, data.test
    rows = [("layer", "input", "operations", "output", "parameters"), *layer_rows(network, options)]
    rows.append(("", "", "", "", f"{parameter_count(network):,}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    align = "<><>>"
    lines = [
        f"{data.name}: {len(train.labels):,} training and {len(test.labels):,} test images "
        f"of {dimensions(train.images.shape[1:])}",
        *("  ".join(f"{x:{a}{w}}" for x, a, w in zip(row, align, widths, strict=True)) for row in rows),
        f"{counted(options.epochs, 'epoch')} of {counted(len(train.labels) // options.batch_size, 'step')} on "
        f"{counted(options.batch_size, 'image')}, learning rate {options.lr:g}, {options.dtype}, seed {options.seed}",
    ]
    return "\n".join(lines)


def layer_rows(network, options):
    """Return the rows of a table: name, input, operations, output and number of parameters of each layer."""
    k, shapes = options.kernel, network.shapes
    work = f"conv {k}x{k}, {options.activation}, {options.pool} pool 2x2"
    rows = [("conv1", shapes[0], work, shapes[1]), ("conv2", shapes[1], work, shapes[2])]
    rows.append(("fc", (math.prod(shapes[2]),), "fully connected", network.parameters["fc.b"].shape))
    return [
        (layer, dimensions(before), what, dimensions(after), f"{parameter_count(network, layer):,}")
        for layer, before, what, after in rows
    ]


def parameter_count(network, layer=""):
    """Return the number of trainable entries of the network, or of one layer."""
    return sum(p.size for name, p in network.parameters.items() if name.startswith(layer))


def counted(number, what):
    """Return a number with its noun: 1 step, 2 steps."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def listed(words):
    """Return the words as a list in a sentence: a, b and c."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def dimensions(shape):
    """Return a shape as text, such as 28x28."""
    return "x".join(map(str, shape))


def figure(name, history, kernels):
    """Return a matplotlib figure: training loss, test accuracy, and the first layer's kernels."""
    # Imported here, since it takes long and is needed only for a plot.
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    whole = Figure(figsize=(10, 3.2), dpi=120, layout="constrained")
    curves, panels = whole.subfigures(1, 2, width_ratios=[7, 4])
    loss, accuracy = curves.subplots(1, 2)
    draw_loss(loss, history)
    draw_accuracy(accuracy, history)
    accuracy.yaxis.set_major_formatter(PercentFormatter(1))
    end = max(1, len(history.step_losses) / history.steps_per_epoch)  # so that there are at least two ticks
    for axes in (loss, accuracy):
        axes.set_xlim(-0.05 * end, 1.05 * end)
        axes.set_xlabel(f"epoch ({name})")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="0.92")
        axes.set_axisbelow(True)
    draw_kernels(panels, kernels)
    return whole


def draw_loss(axes, history):
    """Draw the loss of each step, and the mean loss of each epoch at its middle."""
    x = np.arange(1, len(history.step_losses) + 1) / history.steps_per_epoch
    axes.plot(x, history.step_losses, color="0.8", linewidth=0.5, label="each step")
    means = [epoch.train_loss for epoch in history.epochs]
    axes.plot(np.arange(len(means)) + 0.5, means, ".-", color="tab:orange", label="mean of the epoch")
    axes.set_yscale("log")
    axes.set_title("Training loss", loc="left")
    axes.legend(frameon=False, fontsize="small")


def draw_accuracy(axes, history):
    """Draw the test accuracy after each epoch; the title has the last one."""
    accuracies = [epoch.test_accuracy for epoch in history.epochs]
    if accuracies:
        axes.plot(range(1, len(accuracies) + 1), accuracies, ".-", color="tab:blue", clip_on=False)
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, 0), min(high, 1))
    axes.set_title(f"Test accuracy: {accuracies[-1]:.2%}" if accuracies else "Test accuracy", loc="left")


def draw_kernels(panels, kernels):
    """Draw the kernels of the input channel as images on a common scale, white at 0."""
    columns = min(len(kernels), max(4, math.ceil(math.sqrt(len(kernels)))))
    rows = math.ceil(len(kernels) / columns)
    limit = np.abs(kernels).max()
    grid = panels.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(kernels) :]:
        axes.set_axis_off()
    for axes, kernel in zip(grid.flat, kernels[:, 0], strict=False):
        image = axes.imshow(kernel, cmap="RdBu", vmin=-limit, vmax=limit)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_color("0.8")
    panels.colorbar(image, ax=grid, location="bottom", shrink=0.8, aspect=30)
    panels.suptitle("Kernels of the first layer", x=0.01, ha="left")
