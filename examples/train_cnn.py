"""Train the derivation's three-layer CNN on real handwritten digits.

minigrad's tape computes every gradient. A, B, I, K, W, Z and b are the symbols of the derivation.
Run it with --help to see the options.
"""

import argparse
import importlib.util
import math
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import images
import numpy as np
from command_line import channel_pair, number, output_file, temporary_beside
from training_view import Epoch, History, counted, describe, figure, listed, progress_bar, show

import minigrad as mg

ACTIVATIONS = {"relu": mg.relu, "tanh": mg.tanh, "sigmoid": mg.sigmoid}
POOLS = {"avg": mg.avg_pool2d, "max": mg.max_pool2d, "l2": mg.l2_pool2d}
LEARNING_RATES = {"avg": 0.2, "max": 0.2, "l2": 0.05}  # l2: the norm of four entries is up to twice the largest
WINDOW = 2  # rows and columns of a pooling window, and the stride
TEST_BATCH = 250  # images at a time, to limit the memory that measuring the accuracy takes
INTERRUPTED = 130  # the exit code of a program that Ctrl-C stopped


class Network:
    """conv -> activation -> pool, twice, then a fully connected layer: the derivation's figure 1."""

    def __init__(self, size, options, rng):
        self.pool, self.activation = POOLS[options.pool], ACTIVATIONS[options.activation]
        self.padding = options.kernel // 2  # keeps the size if the kernel is odd, else adds 1
        self.shapes = layer_shapes(size, options.channels, options.kernel)
        self.parameters = {}
        for layer, before, c in zip(("conv1", "conv2"), self.shapes, options.channels, strict=False):
            K = initial((c, before[0], options.kernel, options.kernel), options.activation, rng)
            self.add(layer, options.dtype, k=K, b=np.zeros(c))
        W = initial((images.CLASSES, math.prod(self.shapes[2])), "softmax", rng).T
        self.add("fc", options.dtype, w=W, b=np.zeros(images.CLASSES))

    def add(self, layer, dtype, **arrays):
        """Make the parameters of a layer, named as in conv1.k."""
        for symbol, array in arrays.items():
            name = f"{layer}.{symbol}"
            self.parameters[name] = mg.tensor(array.astype(dtype), requires_grad=True, name=name)

    def __call__(self, A):
        """Return the logits Z[3], shape (N, classes), of images A[0], shape (N, 1, height, width)."""
        p = self.parameters
        for layer in ("conv1", "conv2"):
            with mg.scope(layer):
                Z = mg.conv2d(A, p[f"{layer}.k"], p[f"{layer}.b"], padding=self.padding)
                I = self.activation(Z)
                A = self.pool(I, WINDOW)
        with mg.scope("fc"):
            B = A.reshape(len(A), -1)
            return B @ p["fc.w"] + p["fc.b"]


def layer_shapes(size, channels, kernel):
    """Return (channels, height, width) of the images, and of the output of each convolutional layer.

    Raises ValueError if the images are too small for two poolings.
    """
    shapes = [(1, *size)]
    for layer, c in enumerate(channels, start=1):
        convolved = [n + 2 * (kernel // 2) - kernel + 1 for n in shapes[-1][1:]]
        if min(convolved) < WINDOW:
            raise ValueError(
                f"images of {size[0]}x{size[1]} are too small: conv{layer} leaves {convolved[0]}x{convolved[1]} "
                f"but pooling needs at least {WINDOW}x{WINDOW}"
            )
        shapes.append((c, *(n // WINDOW for n in convolved)))
    return shapes


def initial(shape, followed_by, rng):
    """Draw weights (outputs, inputs, ...) with which a layer keeps the variance of its input.

    The variance is that of He et al. 2015 before relu, else that of Glorot and Bengio 2010.
    """
    outputs, inputs, window = shape[0], shape[1], math.prod(shape[2:])
    variance = 2 / (inputs * window) if followed_by == "relu" else 2 / ((inputs + outputs) * window)
    return rng.normal(0, math.sqrt(variance), shape)


def batches(count, size, rng):
    """Return the indices of the images of each step of an epoch, shape (steps, size), in a random order.

    Images that would make a smaller last batch are left out, different ones in each epoch: the gradient of a small
    batch is noisier, and its step would be as long.
    """
    order = rng.permutation(count)
    return order[: count - count % size].reshape(-1, size)


def descend(network, x, labels, lr):
    """Take one step of gradient descent (section 3 of the derivation) and return the loss before it."""
    J = mg.softmax_cross_entropy(network(x), labels)
    loss = J.item()
    if not math.isfinite(loss):
        raise FloatingPointError(f"the loss became {loss}; a smaller --lr than {lr:g} may help; nothing was saved")
    J.backward()
    for p in network.parameters.values():
        p.data = p.data - lr * p.grad
        p.grad = None
    return loss


def draw(network, x, labels, path):
    """Draw the network at one batch, with all gradients; a path that ends in .html gets a walk through it."""
    with mg.debug():
        J = mg.softmax_cross_entropy(network(mg.tensor(x, name="A[0]")), labels)
    picture = mg.viz.trace(J) if path.suffix == ".html" else mg.graph(J, gradients=True)
    picture.save(path)


def accuracy(network, part):
    """Return the fraction of the images that the network labels right."""
    right = 0
    with mg.no_grad():
        for i in range(0, len(part.labels), TEST_BATCH):
            logits = network(part.images[i : i + TEST_BATCH])
            right += np.count_nonzero(logits.data.argmax(axis=1) == part.labels[i : i + TEST_BATCH])
    return right / len(part.labels)


class CtrlC:
    """Notes Ctrl-C, so that training can stop after a whole step; a second Ctrl-C stops at once."""

    def __enter__(self):
        self.pressed = False
        self.handler_before = signal.signal(signal.SIGINT, self.remember)
        return self

    def __exit__(self, *_):
        signal.signal(signal.SIGINT, self.handler_before)

    def remember(self, *_):
        """Note that Ctrl-C was pressed."""
        self.pressed = True
        signal.signal(signal.SIGINT, self.handler_before)


def train(network, train_part, test_part, options, rng):
    """Train, and print a line for each epoch; return the history, which ends early after Ctrl-C."""
    history = History(len(train_part.labels) // options.batch_size)
    steps = options.epochs * history.steps_per_epoch
    # descend() raises if the loss is not finite, so NumPy need not warn.
    with CtrlC() as ctrl_c, progress_bar(steps) as bar, np.errstate(over="ignore", invalid="ignore"):
        for number in range(1, options.epochs + 1):
            start = time.perf_counter()
            for batch in batches(len(train_part.labels), options.batch_size, rng):
                x, labels = train_part.images[batch], train_part.labels[batch]
                if options.graph and not history.step_losses:
                    draw(network, x, labels, options.graph)
                loss = descend(network, x, labels, options.lr)
                history.step_losses.append(loss)
                bar.update()
                if ctrl_c.pressed:
                    return history
            train_loss = np.mean(history.step_losses[-history.steps_per_epoch :])
            test_accuracy = accuracy(network, test_part)
            history.epochs.append(Epoch(number, train_loss, test_accuracy, time.perf_counter() - start))
            show(history.epochs[-1], options.epochs, bar)
    return history


def write_whole(path, write):
    """Write a file with write(file), and replace path by it only when it is complete."""
    temporary = temporary_beside(path)
    try:
        with open(temporary, "wb") as file:
            write(file)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def option_parser():
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description="Train a three-layer CNN on the UCI optical digits, or on IDX files such as MNIST.",
        allow_abbrev=False,
    )

    def add(name, type, default, metavar, help):
        parser.add_argument(name, type=type, default=default, metavar=metavar, help=help)

    def choose(name, default, choices, help):
        parser.add_argument(name, default=default, choices=choices, help=f"{help} (default %(default)s)")

    shown = "(default %(default)s)"
    add("--data", Path, None, "DIR", "MNIST's or Fashion-MNIST's four IDX files (default: the UCI digits)")
    add("--epochs", number(int, 1), 30, "N", f"passes over the training images {shown}")
    add("--batch-size", number(int, 1), 16, "N", f"images a step {shown}")
    add("--lr", number(float, 0, above=True), None, "X", "learning rate (default 0.2, with l2 pooling 0.05)")
    add("--channels", channel_pair, "8,16", "A,B", f"kernels of the two convolutions {shown}")
    add("--kernel", number(int, 1), 3, "N", f"rows and columns of each kernel {shown}")
    choose("--pool", "avg", POOLS, "pooling over 2x2 windows")
    choose("--activation", "relu", ACTIVATIONS, "activation function")
    choose("--dtype", "float32", ("float32", "float64"), "of all the arithmetic")
    add("--seed", number(int, 0), 0, "N", f"the same seed gives the same bits {shown}")
    add("--save", output_file(".npz"), None, "FILE.npz", "save the parameters, also after Ctrl-C")
    add("--plot", output_file(".png", ".pdf", ".svg"), None, "FILE.png", "draw the curves and kernels")
    pictures = output_file(".png", ".pdf", ".svg", ".dot", ".html")
    add("--graph", pictures, None, "FILE.png", "draw the network at its first batch; .html: walk through it")
    return parser


def load(options, rng):
    """Return the data that the options name, checked; there are enough images for a batch."""
    data = images.load_idx(options.data) if options.data else images.load_digits(rng)
    if options.batch_size > len(data.train.labels):
        raise ValueError(f"a batch of {options.batch_size} is more than the {len(data.train.labels)} training images")
    return data


def save(options, history, network, scale, title):
    """Write the files of --save and --plot; return their paths, and that of --graph."""
    parameters = {name: p.data for name, p in network.parameters.items()}
    if options.save:
        # To use the network, one needs the scale of its input, too.
        arrays = {f"input.{name}": np.array(x, options.dtype) for name, x in scale._asdict().items()}
        write_whole(options.save, lambda file: np.savez(file, **parameters, **arrays))
    if options.plot:
        drawing = figure(title, history, parameters["conv1.k"])
        write_whole(options.plot, lambda file: drawing.savefig(file, format=options.plot.suffix[1:]))
    return [str(path) for path in (options.save, options.plot, options.graph) if path]


def main(arguments=None):
    """Run the command line and return the exit code."""
    parser = option_parser()
    options = parser.parse_args(arguments)
    if options.plot and importlib.util.find_spec("matplotlib") is None:
        parser.error("--plot needs matplotlib, which pip install -e '.[examples]' brings")
    if options.graph and not (shutil.which("dot") or importlib.util.find_spec("pygraphviz")):
        parser.error("--graph needs Graphviz, which pip install -e '.[viz]' brings")
    if options.lr is None:
        options.lr = LEARNING_RATES[options.pool]
    try:
        return run(parser, options)
    except (FloatingPointError, OSError) as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before the training, or a second Ctrl-C
        print("interrupted at once", file=sys.stderr)
        return INTERRUPTED


def run(parser, options):
    """Read the data, train and save, and return the exit code."""
    # A generator for each use, so that an option that changes one use of chance does not change the others.
    split_rng, initial_rng, order_rng = np.random.default_rng(options.seed).spawn(3)
    try:
        data = load(options, split_rng)
        scale = images.measure(data.train.images)
        network = Network(data.train.images.shape[1:], options, initial_rng)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    print(describe(data, network, options), flush=True)
    train_part, test_part = (
        images.Part(scale.standardise(part.images, options.dtype), part.labels) for part in (data.train, data.test)
    )
    history = train(network, train_part, test_part, options, order_rng)
    interrupted = len(history.epochs) < options.epochs
    if interrupted:
        print(f"interrupted in epoch {len(history.epochs) + 1} after {counted(len(history.step_losses), 'step')}")
    saved = save(options, history, network, scale, data.name)
    if saved or interrupted:
        print("saved", listed(saved) if saved else "nothing, as neither --save nor --plot was given")
    if interrupted:
        return INTERRUPTED
    if fault := divergence(history):
        print(f"{parser.prog}: error: {fault}; a smaller --lr than {options.lr:g} may help", file=sys.stderr)
        return 1
    return 0


def divergence(history):
    """Return a sentence if the training ended with a greater loss than it began with, else None."""
    first, last = max(history.step_losses[0], math.log(images.CLASSES)), history.epochs[-1].train_loss
    if last <= first:
        return None
    return f"the training diverged: the loss of the last epoch is {last:.3g}, that of the first step was {first:.3g}"


if __name__ == "__main__":
    sys.exit(main())
