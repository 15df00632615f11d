"""Trains the derivation's three-layer CNN on real handwritten digits.

Every gradient comes from minigrad's tape; A, B, I, K, W, Z and b are the derivation's symbols.
Run it with --help for the options.
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
from training_view import Epoch, History, counted, describe, figure, listed, progress_bar, show

import minigrad as mg

ACTIVATIONS = {"relu": mg.relu, "tanh": mg.tanh, "sigmoid": mg.sigmoid}
POOLS = {"avg": mg.avg_pool2d, "max": mg.max_pool2d, "l2": mg.l2_pool2d}
LEARNING_RATES = {"avg": 0.2, "max": 0.2, "l2": 0.05}  # l2: a norm of four entries is up to twice as large as each
WINDOW = 2  # of the pooling, and its stride
TEST_BATCH = 250  # bounds the memory that measuring the accuracy takes
INTERRUPTED = 130  # the exit code that shells give to a program stopped by Ctrl-C


class Network:
    """conv -> activation -> pool, twice, then a fully connected layer: the derivation's figure 1."""

    def __init__(self, size, options, rng):
        self.pool, self.activation = POOLS[options.pool], ACTIVATIONS[options.activation]
        self.padding = options.kernel // 2  # an odd kernel then keeps the size, an even one adds 1
        self.shapes = layer_shapes(size, options.channels, options.kernel)
        self.parameters = {}
        for layer, before, c in zip(("conv1", "conv2"), self.shapes, options.channels, strict=False):
            K = initial((c, before[0], options.kernel, options.kernel), options.activation, rng)
            self.add(layer, options.dtype, k=K, b=np.zeros(c))
        W = initial((images.CLASSES, math.prod(self.shapes[2])), "softmax", rng).T
        self.add("fc", options.dtype, w=W, b=np.zeros(images.CLASSES))

    def add(self, layer, dtype, **arrays):
        """Make a layer's parameters, each named after both."""
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
    """Return (channels, height, width) of the images and after each of the convolutional layers.

    Raises ValueError if a layer has nothing left to pool.
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
    """Draw weights (outputs, inputs, ...) that keep the size of the signal through the layer.

    He et al. 2015 before relu, which loses half of it; Glorot and Bengio 2010 otherwise.
    """
    outputs, inputs, window = shape[0], shape[1], math.prod(shape[2:])
    variance = 2 / (inputs * window) if followed_by == "relu" else 2 / ((inputs + outputs) * window)
    return rng.normal(0, math.sqrt(variance), shape)


def batches(count, size, rng):
    """Return the rows of images of each step of one epoch, shape (steps, size), in an order of its own.

    The images that fill no whole batch sit this epoch out, others the next: a step on a few images
    is as long as any other and far noisier.
    """
    order = rng.permutation(count)
    return order[: count - count % size].reshape(-1, size)


def descend(network, x, labels, lr):
    """Take one step of gradient descent (the derivation's section 3) and return the loss before it."""
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
    """Draw the network at one batch with all gradients, or walk through it where path ends in .html."""
    with mg.debug():
        J = mg.softmax_cross_entropy(network(mg.tensor(x, name="A[0]")), labels)
    picture = mg.viz.trace(J) if path.suffix == ".html" else mg.graph(J, gradients=True)
    picture.save(path)


def accuracy(network, part):
    """Return the share of the images that the network labels right."""
    right = 0
    with mg.no_grad():
        for i in range(0, len(part.labels), TEST_BATCH):
            logits = network(part.images[i : i + TEST_BATCH])
            right += np.count_nonzero(logits.data.argmax(axis=1) == part.labels[i : i + TEST_BATCH])
    return right / len(part.labels)


class CtrlC:
    """Keeps a Ctrl-C until it is asked for, so that no step is left half done; a second one stops at once."""

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
    """Train and show how it goes; return the history, which is shorter than asked for after a Ctrl-C."""
    history = History(len(train_part.labels) // options.batch_size)
    steps = options.epochs * history.steps_per_epoch
    # descend() raises where a number overflows, so NumPy need not warn as well.
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


def number(kind, least, *, above=False):
    """Return an argparse type: a finite number of this kind, at least (or above) least."""

    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and (value > least if above else value >= least)):
            what = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"{text!r} should be {what} {'above' if above else 'from'} {least}")
        return value

    return parse


def channel_pair(text):
    """Read the option --channels."""
    try:
        first, second = map(number(int, 1), text.split(","))
    except (ValueError, argparse.ArgumentTypeError):
        raise argparse.ArgumentTypeError(f"{text!r} should be two whole numbers from 1, such as 8,16") from None
    return first, second


def output_file(*suffixes):
    """Return an argparse type: a path that ends in one of suffixes and can be written, as is tried out."""

    def parse(text):
        path = Path(text)
        if path.suffix not in suffixes:
            raise argparse.ArgumentTypeError(f"{text!r} should end in {' or '.join(suffixes)}")
        if path.is_dir():
            raise argparse.ArgumentTypeError(f"{text!r} is a folder, should be a file")
        try:
            temporary_beside(path).touch()
            temporary_beside(path).unlink()
        except OSError as error:
            raise argparse.ArgumentTypeError(f"can't write {text!r}: {error.strerror}") from error
        return path

    return parse


def temporary_beside(path):
    """Return a name in the same folder, from where a file can be renamed to path in one go."""
    return path.with_name(f".{path.name}.{os.getpid()}")


def write_whole(path, write):
    """Make the file at path by write(file); until it is whole, what was there stays."""
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
    add("--graph", pictures, None, "FILE.png", "draw the network at its first batch; .html walks through it")
    return parser


def load(options, rng):
    """Return the data as asked for, read and checked; its training part holds a batch at least."""
    data = images.load_idx(options.data) if options.data else images.load_digits(rng)
    if options.batch_size > len(data.train.labels):
        raise ValueError(f"a batch of {options.batch_size} is more than the {len(data.train.labels)} training images")
    return data


def save(options, history, network, scale, title):
    """Write what --save and --plot ask for, and return the paths with that of --graph."""
    parameters = {name: p.data for name, p in network.parameters.items()}
    if options.save:
        # Whoever loads the network needs the scale of its input, too.
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
    except KeyboardInterrupt:  # while there is nothing to save, or a second time
        print("interrupted at once", file=sys.stderr)
        return INTERRUPTED


def run(parser, options):
    """Read, train and save as the options say, and return the exit code."""
    # One stream for each use, so that the choice of one thing doesn't change the chance of another.
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
    return INTERRUPTED if interrupted else 0


if __name__ == "__main__":
    sys.exit(main())
