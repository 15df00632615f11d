"""Logistic regression by gradient descent: tell odd handwritten digits from even ones.

Plain NumPy and `value_and_grad`. The parameters are a dictionary, and so is their gradient.
"""

import argparse

import numpy as np
from command_line import number

import minigrad as mg
from minigrad import value_and_grad


def predict(parameters, x):
    """The logit of each image being odd: (N, 64) -> (N,)."""
    return np.dot(x, parameters["w"]) + parameters["b"]


def loss(parameters, x, odd):
    """The mean of -ln P(label), where P(odd) = 1 / (1 + e**-z), plus a little weight decay."""
    z = predict(parameters, x)
    return np.mean(np.logaddexp(0, z) - odd * z) + 1e-4 * np.sum(parameters["w"] ** 2)


def accuracy(parameters, x, odd):
    """The fraction of the images whose logit has the right sign."""
    return np.mean((predict(parameters, x) > 0) == odd)


def main(arguments=None):
    """Train; print the loss and the accuracy on test images; return the accuracy."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=number(int, 0), default=300, metavar="N", help="(default 300)")
    parser.add_argument(
        "--lr", type=number(float, 0, above=True), default=1.0, metavar="X", help="learning rate (default 1)"
    )
    options = parser.parse_args(arguments)

    parts = mg.data.split(mg.data.digits(), 0.8, rng=np.random.default_rng(0))
    x, x_test = (part.images.reshape(-1, 64) / 16 for part in parts)
    odd, odd_test = (part.labels % 2 for part in parts)

    parameters = {"w": np.zeros(64), "b": 0.0}
    loss_and_gradient = value_and_grad(loss)
    for step in range(options.steps + 1):
        j, gradient = loss_and_gradient(parameters, x, odd)
        if step % 50 == 0:
            print(f"step {step:4d}  loss {j:.4f}  test accuracy {accuracy(parameters, x_test, odd_test):.3f}")
        parameters = {name: parameters[name] - options.lr * gradient[name] for name in parameters}
    return accuracy(parameters, x_test, odd_test)


if __name__ == "__main__":
    main()
