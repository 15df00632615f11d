"""What does `mg.nn` cost over the same ops by hand? `python benchmarks/modules.py` times a training step of both.

The network is the document's CNN on 28x28 images, and the step a forward pass, a loss and `backward()`. The two take
turns. The ratio is that of the medians of the processor's time.
"""

import argparse
import sys
import time

import numpy as np

import minigrad as mg


def networks():
    """Return the network as modules, and as a function of the same parameters."""
    rng = np.random.default_rng(0)
    net = mg.nn.Sequential(
        *(mg.nn.Conv2d(1, 8, 5, padding=2, rng=rng), mg.nn.ReLU(), mg.nn.AvgPool2d(2)),
        *(mg.nn.Conv2d(8, 16, 5, padding=2, rng=rng), mg.nn.ReLU(), mg.nn.AvgPool2d(2)),
        *(mg.nn.Flatten(), mg.nn.Linear(784, 10, rng=rng)),
    )
    k1, b1, k2, b2, w, b = net.parameters()

    def by_hand(x):
        a = mg.avg_pool2d(mg.relu(mg.conv2d(x, k1, b1, padding=2)), 2)
        a = mg.avg_pool2d(mg.relu(mg.conv2d(a, k2, b2, padding=2)), 2)
        return a.reshape(len(x), -1) @ w.T + b

    return net, by_hand


def main(arguments=None):
    """Print the time of both and the difference; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--budget", type=float, default=20, help="seconds")
    options = parser.parse_args(arguments)
    net, by_hand = networks()
    rng = np.random.default_rng(1)
    x, labels = rng.random((options.batch, 1, 28, 28), np.float32), rng.integers(0, 10, options.batch)
    seconds = {net: [], by_hand: []}
    end = time.perf_counter() + options.budget
    while time.perf_counter() < end or not seconds[by_hand]:
        for f, spent in seconds.items():
            start = time.process_time()
            mg.softmax_cross_entropy(f(x), labels).backward()
            spent.append(time.process_time() - start)
            net.zero_grad()
    modules, hand = (1e3 * np.median(spent) for spent in seconds.values())
    print(f"modules {modules:.3f} ms, by hand {hand:.3f} ms: {modules / hand - 1:+.1%} of {len(seconds[net])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
