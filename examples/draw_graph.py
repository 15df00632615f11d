"""Draw computational graphs: the derivation's CNN on real digits, and small programs that show one thing each.

`python examples/draw_graph.py docs` makes the pictures of README.md and docs/graph.md, and the walk through the CNN.
"""

import argparse
from pathlib import Path

import numpy as np
from command_line import has_graphviz
from train_cnn import cnn as cnn_of
from training_data import load
from training_options import option_parser

import minigrad as mg


def cnn():
    """The loss of the network of train_cnn.py at its first batch."""
    options = option_parser().parse_args([])
    rng = np.random.default_rng(0)
    images, labels = (array[: options.batch_size] for array in load(options, rng).train)
    network = cnn_of(images.shape[2:], options, rng)
    return mg.softmax_cross_entropy(network.forward(mg.tensor(images, name="images")), labels)


def shared():
    """A tensor that is used twice, a constant, and names taken from the variables."""
    x = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    w = mg.tensor([0.5, -1.0, 0.25], requires_grad=True)
    y = x * x * 3 + w
    loss = (y * y).mean()
    return mg.graph(loss, gradients=True, names=locals())


def recurrent(steps=3):
    """A recurrent network: its parameters are drawn once, with a mark at each further use."""
    rng = np.random.default_rng(0)
    w, u = (mg.tensor(rng.normal(0, 0.5, (8, 8)), requires_grad=True, name=name) for name in "WU")
    h = mg.tensor(np.zeros((2, 8)), name="h")
    for t in range(steps):
        with mg.scope(f"step {t}"):
            h = mg.tanh(h @ w + rng.normal(size=(2, 8)) @ u)
    return mg.graph((h * h).sum(), gradients=True)


def broken():
    """A logarithm of a negative number, and everything that its NaN reaches."""
    x = mg.tensor([1.0, -1.0], requires_grad=True, name="x")
    with np.errstate(invalid="ignore"):
        y = (mg.log(x) * 0.5 + x).sum()
        return mg.graph(y, gradients=True)


def second_order():
    """A product of a Hessian and a vector: what the VJP of each op recorded is one box."""
    w = mg.tensor(np.full((3, 4), 0.1), requires_grad=True, name="w")
    x = np.ones((2, 3))
    return mg.graph(mg.hvp(lambda w: mg.tanh(x @ w).sum(), w, np.ones((3, 4))).sum(), gradients=True)


def main(arguments=None):
    """Write the pictures and print the paths."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path(), help="where to write (default: here)")
    options = parser.parse_args(arguments)
    if not has_graphviz():
        parser.error("the pictures need Graphviz, which pip install -e '.[viz]' brings")
    options.folder.mkdir(parents=True, exist_ok=True)
    loss = cnn()
    pictures = {
        "graph.png": mg.graph(loss, gradients=True),
        "graph-folded.png": mg.graph(loss, gradients=True, depth=0),
        "graph-shared.png": shared(),
        "graph-recurrent.png": recurrent(),
        "graph-nan.png": broken(),
        "graph-hvp.png": second_order(),
        "graph.html": mg.graph(loss, gradients=True),
        "walk.html": mg.viz.trace(loss),
    }
    print(pictures["graph.png"], end="\n\n")
    for name, picture in pictures.items():
        path = picture.save(options.folder / name)
        print(f"{path} ({path.stat().st_size / 1000:.0f} kB)")


if __name__ == "__main__":
    main()
