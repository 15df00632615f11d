"""Train the derivation's three-layer CNN on real handwritten digits.

The network is a few lines of mg.nn, and minigrad's tape computes every gradient. Run it with --help to see the options,
and by `mpiexec -n 4 python examples/train_cnn.py` on several cores or machines.
"""

import math
import sys
import time
from dataclasses import dataclass, field

import numpy as np
from command_line import INTERRUPTED, CtrlC, counted
from training_data import CLASSES, accuracy, load
from training_options import ACTIVATIONS, OPTIMIZERS, POOLS, learning_rate, option_parser, read_options, remember
from training_view import Epoch, ProgressBar, describe, draw_graph, draw_page, print_saved, write_log

import minigrad as mg
from minigrad import distributed, nn


def cnn(size, options, rng):
    """Return the network of the derivation's figure 1: images (N, 1, *size) -> logits Z[3] (N, classes).

    Weights start with the variance of He et al. 2015 before a relu, else with that of Glorot and Bengio 2010.
    """
    (Activation, initial), Pool = ACTIVATIONS[options.activation], POOLS[options.pool]
    (c1, c2), kernel = options.channels, options.kernel
    conv = {"padding": kernel // 2, "rng": rng, "initial": initial}  # keeps the size if the kernel is odd, else adds 1
    network = nn.Sequential({
        "conv1": nn.Conv2d(1, c1, kernel, **conv), "activation1": Activation(), "pool1": Pool(2),
        "conv2": nn.Conv2d(c1, c2, kernel, **conv), "activation2": Activation(), "pool2": Pool(2),
        "flatten": nn.Flatten(),
    })  # fmt: skip
    features = network(np.zeros((1, 1, *size), np.float32)).size
    network.fc = nn.Linear(features, CLASSES, rng=rng, initial=nn.glorot_normal)
    return network.astype(options.dtype)


@dataclass
class Training:
    """All that changes during the training."""

    network: nn.Module
    optimizer: mg.optim.Optimizer
    rng: np.random.Generator  # draws the order of the images
    step_losses: list[float] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)
    best: dict = field(default_factory=dict)  # of the validation accuracies: the accuracy, the epoch, the network

    def __post_init__(self):
        self.parallel = distributed.DataParallel(self.network)

    def state_dict(self):
        """Return it as `mg.save` takes it."""
        parts = {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict(), "best": self.best}
        results = {"step_losses": np.array(self.step_losses), "epochs": [tuple(epoch) for epoch in self.epochs]}
        return parts | results | {"order": self.rng.bit_generator.state}

    def load_state_dict(self, state):
        """Continue where the training was that gave this state."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rng.bit_generator.state = state["order"]
        self.step_losses, self.best = state["step_losses"].tolist(), state["best"]
        self.epochs = [Epoch(*epoch) for epoch in state["epochs"]]

    @np.errstate(over="ignore", invalid="ignore")  # NumPy need not warn, since a loss that is not finite is an error
    def descend(self, x, labels):
        """Take one step of gradient descent (section 3 of the derivation)."""
        J = mg.softmax_cross_entropy(self.network(x), labels)
        loss = distributed.reduce_metrics({"loss": J.item()})["loss"]
        if not math.isfinite(loss):
            raise FloatingPointError(f"the loss became {loss}")
        self.step_losses.append(loss)
        self.parallel.backward(J)
        self.optimizer.step()
        self.optimizer.zero_grad()

    def finish_epoch(self, data, steps, seconds):
        """Note the results of an epoch of so many steps."""
        loss = float(np.mean(self.step_losses[-steps:]))
        validation, test = accuracy(self.network, data.validation), accuracy(self.network, data.test)
        self.epochs.append(Epoch(len(self.epochs) + 1, loss, validation, test, seconds))
        if validation is not None and validation > self.best.get("accuracy", -1):
            self.best = {"accuracy": validation, "epoch": len(self.epochs), "network": self.network.state_dict()}

    def is_over(self, options):
        """Whether all epochs are done, or the validation accuracy has not become better for too long."""
        waited = len(self.epochs) - self.best.get("epoch", len(self.epochs))
        return len(self.epochs) >= options.epochs or waited >= (options.patience or math.inf)

    def check(self):
        """Raise FloatingPointError if the loss has become clearly greater than it was, and than that of a guess."""
        first, last = self.step_losses[0], self.epochs[-1].train_loss
        if last > 1.1 * max(first, math.log(CLASSES)):
            raise FloatingPointError(f"the training diverged: from a loss of {first:.3g} to {last:.3g}")


def train(training, data, options, run):
    """Train, and print a line and save the checkpoint after each epoch; return whether Ctrl-C ended it."""
    steps = len(data.train.labels) // options.batch_size
    with CtrlC() as ctrl_c, ProgressBar(training, data, options) as bar:
        while not training.is_over(options):
            start = time.perf_counter()
            for x, labels in distributed.minibatches(data.train, options.batch_size, rng=training.rng, drop_last=True):
                training.optimizer.lr = learning_rate(options, len(training.step_losses), steps)
                training.descend(x, labels)
                bar.advance()
                if ctrl_c.pressed:
                    return True
            training.finish_epoch(data, steps, time.perf_counter() - start)
            if options.checkpoint:
                mg.save(options.checkpoint, run | training.state_dict())
            write_log(training.epochs, options.log)
            bar.show_epoch()
    return False


def begin(parser, options, checkpoint):
    """Return the data, the training as it begins or goes on, and what its files say of the run."""
    # A generator for each use, so that an option that changes one use of chance does not change the others.
    split_rng, initial_rng, order_rng = np.random.default_rng(options.seed).spawn(3)
    try:
        data = load(options, split_rng)
        network = cnn(data.size, options, initial_rng)
        training = Training(network, OPTIMIZERS[options.optimizer](network.parameters(), lr=options.lr), order_rng)
        if checkpoint and checkpoint["digest"] != data.digest:
            raise ValueError(f"--resume: {options.resume} was trained on other data than {data.name}")
        if checkpoint:
            training.load_state_dict(checkpoint)
    except (KeyError, OSError, TypeError, ValueError) as error:
        parser.error(str(error))
    return data, training, remember(options) | {"digest": data.digest, "size": data.size, "scale": data.scale._asdict()}


def main(arguments=None):
    """Run the command line and return the exit code."""
    parser = option_parser()
    try:
        options, checkpoint = read_options(parser, arguments)
        data, training, run = begin(parser, options, checkpoint)
        print(describe(data, training, options), flush=True)
        if options.graph:
            draw_graph(training.network, *(array[: options.batch_size] for array in data.train), options.graph)
        return finish(training, data, options, run, interrupted=train(training, data, options, run))
    except (FloatingPointError, OSError) as error:
        hint = f"; a smaller --lr than {options.lr:g} may help" if isinstance(error, FloatingPointError) else ""
        print(f"{parser.prog}: error: {error}{hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before the training, or a second Ctrl-C
        print("interrupted at once", file=sys.stderr)
        return INTERRUPTED


def finish(training, data, options, run, interrupted):
    """Write the files that the options name, say what happened, and return the exit code."""
    steps, epochs, best = len(training.step_losses), training.epochs, training.best
    if interrupted:
        print(f"interrupted in epoch {len(epochs) + 1} after {counted(steps, 'step')}")
    elif options.patience:
        training.network.load_state_dict(best["network"])
        print(f"the best validation accuracy was {best['accuracy']:.4f}: this is the network of epoch {best['epoch']}")
    if options.save:
        mg.save(options.save, run | {"network": training.network.state_dict()})
    if options.plot:
        draw_page(training, data, options.plot)
    if options.onnx:
        mg.onnx.export(options.onnx, training.network, data.test[0][:2])
    after_epochs = epochs and (options.checkpoint, options.log)
    print_saved([options.save, *after_epochs, options.plot, options.graph, options.page, options.onnx], interrupted)
    return INTERRUPTED if interrupted else training.check() or 0


if __name__ == "__main__":
    sys.exit(main())
