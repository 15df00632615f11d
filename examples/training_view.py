"""The output of a training: a header, a line for each epoch, a progress bar, pictures.

Text goes to standard output, in ASCII. The bar goes to standard error if that is a terminal.
"""

import json
import math
import shutil
import sys
from typing import NamedTuple

import numpy as np
from command_line import counted, listed, needed
from training_data import CLASSES, logits

import minigrad as mg
from minigrad.serialization import replacing

tqdm = needed("tqdm", "train").tqdm


class Epoch(NamedTuple):
    """The results of one pass over the training images."""

    number: int
    train_loss: float  # mean over the epoch's steps
    validation_accuracy: float | None  # after the epoch, as is the test accuracy
    test_accuracy: float
    seconds: float


class ProgressBar:
    """A bar that is shown on a terminal only and removed at the end, lines above it, and the page of --page."""

    def __init__(self, training, data, options):
        self.training, self.epochs = training, options.epochs
        steps = len(data.train.labels) // options.batch_size
        self.batch = [array[: options.batch_size] for array in data.train]
        self.page = mg.viz.TrainingPage(options.page, title=f"training on {data.name}") if options.page else None
        columns, rows = shutil.get_terminal_size()  # 80 by 24 if the terminal reports 0 by 0, unlike tqdm's own
        size = {"ncols": min(columns, 100), "nrows": rows}
        done = len(training.step_losses)
        self.bar = tqdm(total=self.epochs * steps, initial=done, unit=" steps", leave=False, disable=None, **size)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.bar.close()
        if self.page:
            self.page.close()

    def advance(self):
        """Show that a step is done, with the mean loss of the latest ones."""
        if self.bar.update():
            recent = self.training.step_losses[-50:]
            self.bar.set_description_str(f"epoch {len(self.training.epochs) + 1}", refresh=False)
            self.bar.set_postfix_str(f"loss {sum(recent) / len(recent):.4f}", refresh=False)
        self._show(loss=self.training.step_losses[-1])

    def _show(self, **numbers):
        """Add the numbers to the page, with the norms of gradients of the first batch, and the kernels."""
        if self.page:
            kernels = {"kernels of the first layer": self.training.network.conv1.weight}
            self.page.update(len(self.training.step_losses), flow=self._loss, kernels=kernels, **numbers)

    def _loss(self):
        x, labels = self.batch
        return mg.softmax_cross_entropy(self.training.network.forward(x), labels)

    def show_epoch(self):
        """Print the line of the last epoch."""
        epoch = self.training.epochs[-1]
        width = len(str(self.epochs))
        accuracies = {"validation": epoch.validation_accuracy, "test": epoch.test_accuracy}
        accuracies = {f"{name} accuracy": x for name, x in accuracies.items() if x is not None}
        shown = "".join(f"{name} {x:.4f}   " for name, x in accuracies.items())
        self._show(**accuracies)
        with self.bar.external_write_mode(file=sys.stdout):
            print(
                f"epoch {epoch.number:{width}}/{self.epochs}   train loss {epoch.train_loss:.4f}   "
                f"{shown}{epoch.seconds:.2f} s",
                flush=True,
            )


def describe(data, training, options):
    """Return the header: the data, the layers with their shapes, the number of steps."""
    network = training.network
    rows = [("layer", "operation", "output", "parameters"), *layer_rows(network, data.size)]
    rows.append(("", "", "", f"{sum(p.size for p in network.parameters()):,}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    counts = {"training": data.train, "validation": data.validation, "test": data.test}
    counts = [f"{len(part.labels):,} {name}" for name, part in counts.items() if len(part.labels)]
    steps = counted(len(data.train.labels) // options.batch_size, "step")
    lines = [
        f"{data.name}: {', '.join(counts[:-1])} and {counts[-1]} images of {dimensions(data.size)}",
        *("  ".join(f"{x:{a}{w}}" for x, a, w in zip(row, "<<>>", widths, strict=True)).rstrip() for row in rows),
        f"{counted(options.epochs, 'epoch')} of {steps} on {counted(options.batch_size, 'image')}, "
        f"{options.optimizer}, learning rate {options.lr:g}, {options.dtype}, seed {options.seed}",
    ]
    if training.epochs:
        lines.append(f"resumed after {counted(len(training.epochs), 'epoch')} of {options.resume}")
    return "\n".join(lines)


def layer_rows(network, size):
    """Return (name, operation, shape of the output, number of parameters) of each layer."""
    x = np.zeros((1, 1, *size), next(network.parameters()).dtype)
    for name, layer in list(network.named_modules())[1:]:
        x = layer(x)
        operation = repr(layer).partition("), ")[0].rstrip(")") + ")"
        count = sum(p.size for p in layer.parameters())
        yield name, operation, dimensions(x.shape[1:]), f"{count:,}" if count else ""


def dimensions(shape):
    """Return a shape as text, such as 28x28."""
    return "x".join(map(str, shape))


def print_saved(paths, interrupted):
    """Print which files were written; after an interrupt also that there are none."""
    saved = [str(path) for path in paths if path]
    if saved or interrupted:
        print("saved", listed(saved) if saved else "nothing, as no option names a file")


def write_log(epochs, path):
    """Write a line of JSON for each epoch, unless the path is None."""
    if path is None:
        return
    with replacing(path) as file:
        file.writelines(f"{json.dumps(epoch._asdict())}\n".encode() for epoch in epochs)


def draw_graph(network, x, labels, path):
    """Draw the network at one batch, with all gradients; a path that ends in .html gets a walk through it."""
    with mg.debug():
        J = mg.softmax_cross_entropy(network.forward(mg.tensor(x, name="A[0]")), labels)
    (mg.viz.trace(J) if path.suffix == ".html" else mg.graph(J, gradients=True)).save(path)


def draw_page(training, data, path):
    """Draw the learning curves, the confusion matrix, the worst mistakes, kernels, and feature maps of one image."""
    whole = page(training, data)
    with replacing(path) as file:
        whole.savefig(file, format=path.suffix[1:])


def page(training, data):
    """Return the page as a matplotlib figure."""
    # Imported here, since it takes long and is needed only for a plot.
    from matplotlib.figure import Figure

    whole = Figure(figsize=(12, 7.6), dpi=120, layout="constrained")
    upper, lower = whole.subfigures(2, 1, height_ratios=[1, 1.15])
    curves, confusion = upper.subfigures(1, 2, width_ratios=[2.1, 1])
    mistakes, kernels, maps = lower.subfigures(1, 3, width_ratios=[1.25, 1, 1.25])
    steps = len(training.step_losses) // max(1, len(training.epochs))
    draw_curves(curves, data.name, training, steps)
    z = logits(training.network, data.test.images)
    draw_confusion(confusion, data.test.labels, z.argmax(axis=1))
    draw_mistakes(mistakes, data.test, z)
    draw_kernels(kernels, training.network.conv1.weight.data)
    draw_maps(maps, training.network, data.test.images[:1])
    return whole


def draw_curves(panel, name, training, steps):
    """Draw the loss and the accuracies over the epochs."""
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    loss, accuracy = panel.subplots(1, 2)
    draw_loss(loss, training, steps)
    draw_accuracy(accuracy, training.epochs)
    accuracy.yaxis.set_major_formatter(PercentFormatter(1))
    end = max(1, len(training.step_losses) / steps) if steps else 1  # so that there are at least two ticks
    for axes in (loss, accuracy):
        axes.set_xlim(-0.05 * end, 1.05 * end)
        axes.set_xlabel(f"epoch ({name})")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="0.92")
        axes.set_axisbelow(True)


def draw_loss(axes, training, steps):
    """Draw the loss of each step, and the mean loss of each epoch at its middle."""
    x = np.arange(1, len(training.step_losses) + 1) / max(steps, 1)
    axes.plot(x, training.step_losses, color="0.8", linewidth=0.5, label="each step")
    means = [epoch.train_loss for epoch in training.epochs]
    axes.plot(np.arange(len(means)) + 0.5, means, ".-", color="tab:orange", label="mean of the epoch")
    axes.set_yscale("log")
    axes.set_title("Training loss", loc="left")
    axes.legend(frameon=False, fontsize="small")


def draw_accuracy(axes, epochs):
    """Draw the accuracies after each epoch; the title has the last on test images."""
    numbers = range(1, len(epochs) + 1)
    if epochs and epochs[-1].validation_accuracy is not None:
        validation = [epoch.validation_accuracy for epoch in epochs]
        axes.plot(numbers, validation, ".--", color="tab:green", label="validation", clip_on=False)
    if epochs:
        test = [epoch.test_accuracy for epoch in epochs]
        axes.plot(numbers, test, ".-", color="tab:blue", label="test", clip_on=False)
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, 0), min(high, 1))
        axes.legend(frameon=False, fontsize="small", loc="lower right")
    axes.set_title(f"Test accuracy: {epochs[-1].test_accuracy:.2%}" if epochs else "Test accuracy", loc="left")


def draw_confusion(panel, labels, predicted):
    """Draw how many images of each class get which label."""
    counts = np.zeros((CLASSES, CLASSES), int)
    np.add.at(counts, (labels, predicted), 1)
    axes = panel.subplots()
    wrong = counts - np.diag(np.diag(counts))
    axes.imshow(wrong, cmap="Oranges", vmin=0, vmax=max(1, wrong.max()))
    for (i, j), count in np.ndenumerate(counts):
        if count:
            color = "0.6" if i == j else "white" if count > 0.6 * wrong.max() else "black"
            axes.text(j, i, f"{count}", ha="center", va="center", fontsize=6.5, color=color)
    axes.set(xticks=range(CLASSES), yticks=range(CLASSES), xlabel="predicted", ylabel="label")
    axes.set_title(f"Test images: {counted(int(wrong.sum()), 'mistake')}", loc="left")


def draw_mistakes(panel, part, z, rows=3, columns=4):
    """Draw the images whose label the network finds least probable."""
    losses = np.logaddexp.reduce(z.astype(float), axis=1) - z[np.arange(len(z)), part.labels]
    predicted = z.argmax(axis=1)
    losses[predicted == part.labels] = -math.inf
    worst = np.argsort(-losses, kind="stable")[: rows * columns]
    for axes, i in zip(tiles(panel, rows, columns), worst, strict=False):
        if predicted[i] != part.labels[i]:
            axes.imshow(part.images[i, 0], cmap="gray_r")
            axes.set_title(f"{part.labels[i]}, seen as {predicted[i]}", fontsize="small")
    panel.suptitle("Most wrong", x=0.01, ha="left")


def draw_kernels(panel, kernels):
    """Draw the kernels of the input channel as images on a common scale, white at 0."""
    columns = math.ceil(math.sqrt(len(kernels)))
    limit = np.abs(kernels).max()
    grid = tiles(panel, math.ceil(len(kernels) / columns), columns)
    for axes, kernel in zip(grid, kernels[:, 0], strict=False):
        image = axes.imshow(kernel, cmap="RdBu", vmin=-limit, vmax=limit)
        outline(axes)
    panel.colorbar(image, ax=grid, location="bottom", shrink=0.8, aspect=30)
    panel.suptitle("Kernels of the first layer", x=0.01, ha="left")


def draw_maps(panel, network, image):
    """Draw one image, and what the two layers of convolution and pooling make of it."""
    first = logits(network[:3], image)
    maps = [image[0, 0], *first[0], *logits(network[3:6], first)[0]]
    columns = math.ceil(math.sqrt(len(maps)))
    names = ["image", *(f"pool{layer}" for layer, a in ((1, first[0]), (2, maps[len(first[0]) + 1 :])) for _ in a)]
    for axes, a, name in zip(tiles(panel, math.ceil(len(maps) / columns), columns), maps, names, strict=False):
        axes.imshow(a, cmap="gray_r")
        axes.set_title(name, fontsize="x-small", pad=2)
        outline(axes)
    panel.suptitle("Feature maps of one image", x=0.01, ha="left")


def tiles(panel, rows, columns):
    """Return the axes of a grid of small images, without ticks, which are invisible until `outline`."""
    grid = panel.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    return list(grid.flat)


def outline(axes):
    """Draw a thin line around an image."""
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color("0.8")
