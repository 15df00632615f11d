"""Ask a network that train_cnn.py saved what it sees in one image, and why.

`python examples/predict.py IMAGE FILE.npz`; IMAGE is a picture, or the number of one of the digits that come with
minigrad. The reason is drawn: the gradient of the winning logit with respect to each pixel.
"""

import argparse
import sys

import numpy as np
from command_line import output_file
from train_cnn import cnn
from training_options import REMEMBERED, remembered

import minigrad as mg
from minigrad.serialization import replacing


def load_network(parser, path):
    """Return the network in a file of train_cnn.py, its size of images and their scale."""
    content = remembered(parser, path, set(REMEMBERED))
    options = argparse.Namespace(**content["options"])
    try:
        network = cnn(content["size"], options, np.random.default_rng(0))
        network.load_state_dict(content["network"])
        return network, tuple(content["size"]), mg.data.Scale(**content["scale"]), options.dtype
    except (KeyError, TypeError, ValueError) as error:
        parser.error(f"{path}: {error}")


def read_image(text, size, scale):
    """Return an image of this size as grey values (height, width), 0 being paper, on the scale of the training.

    A picture is made grey and smaller, and inverted if its ink is dark.
    """
    if text.isdecimal():
        digits = mg.data.digits().images
        if int(text) >= len(digits) or digits.shape[1:] != size:
            raise ValueError(f"{text}: minigrad has {len(digits)} digits of 8x8, the network takes images of {size}")
        return digits[int(text)].astype(float)
    from PIL import Image

    with Image.open(text) as picture:
        grey = np.asarray(picture.convert("L").resize(size[::-1], Image.Resampling.BOX), float) / 255
    if np.median(grey) > 0.5:
        grey = 1 - grey
    return grey * (scale.mean + 3 * scale.deviation)


def explain(network, x):
    """Return the probability of each class, and the gradient of the greatest logit with respect to the pixels."""
    with mg.no_grad():  # with respect to the pixels alone, not to the parameters
        logits = network(x).data[0]
        gradient = mg.grad(lambda x: network(x)[0, logits.argmax()])(x)
    return mg.softmax(logits), gradient[0, 0]


def draw(image, gradient, title, path):
    """Draw the image, and what each pixel says about the answer."""
    from matplotlib.figure import Figure

    whole = Figure(figsize=(6, 3.2), dpi=120, layout="constrained")
    for axes, name in zip(whole.subplots(1, 2), (title, "more ink here: blue for, red against"), strict=True):
        axes.imshow(image, cmap="gray_r")
        axes.set(xticks=[], yticks=[])
        axes.set_title(name, fontsize="medium")
    limit = np.abs(gradient).max() or 1
    axes.imshow(np.ones_like(image), cmap="gray", vmin=0, vmax=1)
    axes.imshow(gradient, cmap="RdBu", vmin=-limit, vmax=limit)
    axes.contour(image, levels=[image.max() / 2], colors="black", linewidths=1)
    with replacing(path) as file:
        whole.savefig(file, format=path.suffix[1:])


def main(arguments=None):
    """Print the most probable classes, draw the reason, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("image", metavar="IMAGE", help="a picture, or the number of a digit that comes with minigrad")
    parser.add_argument("file", metavar="FILE.npz", help="what train_cnn.py --save or --checkpoint wrote")
    suffixes = (".png", ".pdf", ".svg")
    parser.add_argument("--plot", type=output_file(*suffixes), metavar="FILE.png", help="draw the image and the reason")
    options = parser.parse_args(arguments)
    network, size, scale, dtype = load_network(parser, options.file)
    try:
        image = read_image(options.image, size, scale)
    except ImportError:
        parser.error("a picture needs Pillow, and --plot needs matplotlib: pip install -e '.[train]' brings both")
    except (OSError, ValueError) as error:
        parser.error(f"{options.image}: {error}" if options.image not in str(error) else str(error))
    x = ((image - scale.mean) / scale.deviation).astype(dtype)[np.newaxis, np.newaxis]
    probabilities, gradient = explain(network, x)
    for label in np.argsort(-probabilities)[:3]:
        print(f"{label}  {probabilities[label]:7.2%}  {'#' * round(40 * float(probabilities[label]))}")
    if options.plot:
        winner = probabilities.argmax()
        draw(image, gradient, f"This is a {winner} ({probabilities[winner]:.1%})", options.plot)
        print(f"saved {options.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
