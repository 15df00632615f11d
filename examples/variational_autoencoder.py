"""Draw new handwritten digits: a variational autoencoder on the digits that come with minigrad.

The encoder gives each image a normal distribution of a few hidden numbers z, and the decoder an image for each z. The
loss is -ln P(image | z) plus the divergence of that distribution from a standard normal one (Kingma and Welling 2013).
"""

import argparse

import numpy as np
from command_line import number, output_file

import minigrad as mg
from minigrad import nn

HIDDEN, SIZE = 6, 256


class Autoencoder(nn.Module):
    """Images (N, 64) of inks from 0 to 1 -> their logits, and the mean and log variance of z (N, HIDDEN)."""

    def __init__(self, rng):
        self.encoder = nn.Sequential(nn.Linear(64, SIZE, rng=rng), nn.ReLU(), nn.Linear(SIZE, 2 * HIDDEN, rng=rng))
        self.decoder = nn.Sequential(nn.Linear(HIDDEN, SIZE, rng=rng), nn.ReLU(), nn.Linear(SIZE, 64, rng=rng))
        self.rng = rng

    def forward(self, x):
        mean, log_variance = mg.split(self.encoder(x), 2, axis=1)
        noise = self.rng.standard_normal(mean.shape, np.float32)
        return self.decoder(mean + mg.exp(log_variance / 2) * noise), mean, log_variance


def loss(model, x):
    """The bound on -ln P(x) that is minimised, for one image; and how much of it is the divergence."""
    logits, mean, log_variance = model(x)
    ink = mg.binary_cross_entropy_with_logits(logits, x) * 64
    divergence = (mg.exp(log_variance) + mean**2 - 1 - log_variance).sum() / (2 * len(x))
    return ink + divergence, divergence


@mg.no_grad()
def pictures(model, x):
    """Three rows of images (3, n, 64): some, what the decoder makes of their means, and new ones."""
    mean = mg.split(model.encoder(x), 2, axis=1)[0]
    again, new = (mg.sigmoid(model.decoder(z)) for z in (mean, model.rng.standard_normal(mean.shape, np.float32)))
    return np.stack([x, again.data, new.data])


def plot(rows, path):
    """Write the three rows of images to a file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 1.4), layout="constrained")
    for axes, images, title in zip(figure.subplots(3, 1), rows, ["seen", "decoded", "new"], strict=True):
        axes.imshow(np.hstack(np.pad(images.reshape(-1, 8, 8), [(0, 0), (1, 1), (1, 1)])), cmap="gray_r")
        axes.set(xticks=[], yticks=[], frame_on=False)
        axes.set_ylabel(title, rotation=0, ha="right", va="center")
    figure.savefig(path, dpi=150)


def main(arguments=None):
    """Train; print the loss on test images; return it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=number(int, 0), default=3000, metavar="N", help="(default 3000)")
    parser.add_argument("--plot", type=output_file(".png", ".pdf", ".svg"), metavar="FILE", help="images, old and new")
    options = parser.parse_args(arguments)

    rng = np.random.default_rng(0)
    images = (mg.data.digits().images.reshape(-1, 64) / 16).astype(np.float32)
    train, test = mg.data.split(images, 0.9, rng=rng)
    model = Autoencoder(rng)
    optimizer = mg.optim.Adam(model.parameters(), lr=2e-3)
    for step in range(options.steps + 1):
        if step % 500 == 0 or step == options.steps:
            with mg.no_grad():
                total, divergence = (value.item() for value in loss(model, test))
            print(f"step {step:4d}  test loss {total:.2f} nats an image, {divergence:.2f} of them divergence")
        optimizer.zero_grad()
        loss(model, train[rng.integers(0, len(train), 128)])[0].backward()
        optimizer.step()
    if options.plot:
        plot(pictures(model, test[:20]), options.plot)
    return total


if __name__ == "__main__":
    main()
