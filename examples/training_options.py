"""The command line of the training, and what a file of an earlier run says of it."""

import argparse
import importlib.util
import os
import sys
from functools import partial
from pathlib import Path

from command_line import channel_pair, has_graphviz, number, output_file

import minigrad as mg
from minigrad import distributed, nn, optim

ACTIVATIONS = {  # with the initial weights that go with them
    "relu": (nn.ReLU, nn.he_normal), "tanh": (nn.Tanh, nn.glorot_normal), "sigmoid": (nn.Sigmoid, nn.glorot_normal),
}  # fmt: skip
POOLS = {"avg": nn.AvgPool2d, "max": nn.MaxPool2d, "l2": nn.L2Pool2d}
OPTIMIZERS = {
    "sgd": optim.SGD, "momentum": partial(optim.SGD, momentum=0.9), "adam": optim.Adam, "adamw": optim.AdamW,
    "rmsprop": optim.RMSprop,
}  # fmt: skip
LEARNING_RATES = {"sgd": 0.2, "momentum": 0.02, "adam": 2e-3, "adamw": 2e-3, "rmsprop": 1e-3}
L2_RATE = 1 / 4  # of the others, with l2 pooling: the norm of four entries is up to twice the largest
# what the bits of the result depend on; a file remembers it
REMEMBERED = (
    "optimizer", "lr", "anneal", "batch_size", "channels", "kernel", "pool", "activation", "dtype", "seed",
    "validation",
)  # fmt: skip


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
    add("--epochs", number(int, 1), 30, "N", f"passes over the training images in all {shown}")
    add("--batch-size", number(int, 1), 16, "N", f"images a step {shown}")
    choose("--optimizer", "sgd", OPTIMIZERS, "what makes a step of a gradient")
    add(
        "--lr",
        number(float, 0, above=True),
        None,
        "X",
        "learning rate (default: the optimizer's own; 0.2 for sgd)",
    )
    add("--anneal", number(int, 1), None, "N", "lower the learning rate along half a cosine, to 0 after N epochs")
    add("--channels", channel_pair, "8,16", "A,B", f"kernels of the two convolutions {shown}")
    add("--kernel", number(int, 1), 3, "N", f"rows and columns of each kernel {shown}")
    choose("--pool", "avg", POOLS, "pooling over 2x2 windows")
    choose("--activation", "relu", ACTIVATIONS, "activation function")
    choose("--dtype", "float32", ("float32", "float64"), "of all the arithmetic")
    add("--seed", number(int, 0), 0, "N", f"the same seed gives the same bits {shown}")
    add("--validation", number(float, 0, 0.9), 0, "F", f"fraction of the training images to validate with {shown}")
    add("--patience", number(int, 1), None, "N", "stop after N epochs without a better validation accuracy")
    add("--save", output_file(".npz"), None, "FILE.npz", "save the trained network, also after Ctrl-C")
    add("--checkpoint", output_file(".npz"), None, "FILE.npz", "save the state of the training after each epoch")
    add("--resume", Path, None, "FILE.npz", "continue the training of a checkpoint, and go on saving to it")
    add("--log", output_file(".jsonl"), None, "FILE.jsonl", "write the results of each epoch as a line of JSON")
    add("--onnx", output_file(".onnx"), None, "FILE.onnx", "export the trained network as an ONNX model")
    add("--plot", output_file(".png", ".pdf", ".svg"), None, "FILE.png", "draw curves, mistakes and feature maps")
    pictures = output_file(".png", ".pdf", ".svg", ".dot", ".html")
    add("--graph", pictures, None, "FILE.png", "draw the network at its first batch; .html: walk through it")
    add("--page", output_file(".html"), None, "FILE.html", "show the training while it runs: curves, norms, kernels")
    return parser


def read_options(parser, arguments):
    """Return the options, and the checkpoint to resume or None, checked against each other."""
    options = parser.parse_args(arguments)
    for name, package, extra, is_there in (
        ("onnx", "onnx", "onnx", importlib.util.find_spec("onnx")),
        ("plot", "matplotlib", "train", importlib.util.find_spec("matplotlib")),
        ("graph", "Graphviz", "viz", has_graphviz()),
    ):
        if getattr(options, name) and not is_there:
            parser.error(f"--{name} needs {package}, which pip install -e '.[{extra}]' brings")
    checkpoint = resumed(parser, options, arguments) if options.resume else None
    if options.patience and not options.validation:
        parser.error("--patience needs --validation, the fraction of the images to validate with")
    if options.lr is None:
        options.lr = LEARNING_RATES[options.optimizer] * (L2_RATE if options.pool == "l2" else 1)
    if not distributed.is_main():  # the first of several processes prints and saves
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        vars(options).update(dict.fromkeys(("save", "checkpoint", "log", "plot", "graph", "page", "onnx")))
    return options, checkpoint


def learning_rate(options, step, steps):
    """Return the rate of a step, if an epoch has so many steps."""
    if not options.anneal:
        return options.lr
    return optim.cosine_annealing(step, options.lr, T_max=options.anneal * steps)


def resumed(parser, options, arguments):
    """Return the checkpoint to resume, and take its options where the command says nothing else."""
    checkpoint = remembered(parser, options.resume, {*REMEMBERED, "data"}, "optimizer")
    given = vars(parser.parse_args(arguments, argparse.Namespace(**dict.fromkeys(REMEMBERED))))
    for name in REMEMBERED:
        value = checkpoint["options"][name]
        if given[name] not in (None, value):
            option = f"--{name.replace('_', '-')}"
            parser.error(
                f"{option} {given[name]} contradicts {options.resume}, which was trained with {option} {value}"
            )
        setattr(options, name, value)
    options.data = options.data or checkpoint["options"]["data"]
    options.checkpoint = options.checkpoint or options.resume
    return checkpoint


def remember(options):
    """Return what a file says of the options."""
    return {
        "options": {name: getattr(options, name) for name in REMEMBERED} | {"data": options.data and str(options.data)}
    }


def remembered(parser, path, names, *entries):
    """Return what is in a file of an earlier run, which has these options and other entries."""
    try:
        content = mg.load(path)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    options = content.get("options")
    needed = {"network", "scale", "size", *entries}
    if not isinstance(options, dict) or not names <= options.keys() or not needed <= content.keys():
        parser.error(f"{path}: has no {'checkpoint' if entries else 'network'} that train_cnn.py saved")
    return content
