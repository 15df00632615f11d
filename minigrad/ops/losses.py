"""Losses: each takes the mean over a batch and returns a scalar J, where the sweep begins.

Booleans and integers count as float64; float16 is computed in float32 and rounded once.
"""

from __future__ import annotations

import numpy as np

from ..errors import named
from ..operation import op
from ..typing import Array
from .activations import above_0, shifted_by_maximum, sigmoid, softmax, total
from .casting import floating, narrowed, widened
from .exponentials import log1p_exp
from .reductions import mean

__all__ = ["softmax_cross_entropy", "mean_squared_error", "binary_cross_entropy_with_logits"]


@named
def softmax_cross_entropy(logits: Array, labels: Array) -> Array:
    """J = mean over n of ln sum_k e**Z[n, k] - Z[n, labels[n]].

    logits: Z (N, K), floating-point
    labels: (N,), integers in [0, K)

    Stable for any finite Z. dJ/dZ = (softmax(Z) - Y) / N, with Y the one-hot rows of the labels: the full
    Jacobian of softmax (derivation, section 3.1.1) times that of the logarithm.
    Raises ValueError for shapes that don't fit or a label out of range, TypeError for labels
    that aren't integers.

    >>> logits = mg.tensor([[2.0, 0.0], [1e4, 0.0]], requires_grad=True)
    >>> loss = mg.softmax_cross_entropy(logits, np.array([0, 1]))
    >>> round(loss.item(), 4)
    5000.0635
    >>> loss.backward()
    >>> logits.grad.round(3)
    array([[-0.06,  0.06],
           [ 0.5 , -0.5 ]])
    """
    return _cross_entropy(logits, labels, saved={})


@op(name="softmax_cross_entropy")
def _cross_entropy(logits, labels, *, saved):
    """The loss; E = e**(Z - max Z) and its sums are saved, since softmax(Z) = E / sum(E)."""
    logits, labels = np.asarray(logits), np.asarray(labels)
    _check_labels(logits, labels)
    e = shifted_by_maximum(widened(floating(logits)), 1)
    of_labels = e[np.arange(len(e)), labels]
    np.exp(e, out=e)
    saved.update(e=e, sums=total(e, 1))
    return narrowed((np.log(saved["sums"][:, 0]) - of_labels).sum() / len(e), logits)


@_cross_entropy.vjp("logits")
def _(g, j, logits, labels, saved):
    scale, own = widened(g) / len(labels), (np.arange(len(labels)), labels)
    # equivalent: never because what is computed again is the same
    if type(logits) is np.ndarray and not hasattr(g, "node"):
        e, sums = saved["e"], saved["sums"]
        dz = e * (scale / sums)
        dz[own] = (e[own] / sums[:, 0] - 1) * scale
        return dz
    y = np.zeros(logits.shape, scale.dtype)
    y[own] = 1
    return (softmax(widened(logits)) - y) * scale


def _check_labels(logits, labels):
    shape = logits.shape
    if len(shape) == 2 and labels.shape == shape:
        one_hot = np.all((labels == 0) | (labels == 1))
        rows = "one-hot rows" if one_hot else "probabilities"
        write = (
            "pass labels.argmax(1)" if one_hot else "write -mg.mean(mg.sum(labels * mg.log_softmax(logits), axis=1))"
        )
        raise ValueError(f"softmax_cross_entropy: labels must be class numbers (N,), not {rows} {shape}: {write}")
    if len(shape) != 2 or 0 in shape or labels.shape != shape[:1]:
        raise ValueError(
            "softmax_cross_entropy: logits must be (N, K) and labels (N,), neither empty, not "
            f"{shape}, {labels.shape}{_flattened(shape, labels.shape)}"
        )
    if labels.dtype.kind not in "iu":
        raise TypeError(f"softmax_cross_entropy: labels must be integers, not {labels.dtype}")
    if labels.min() < 0 or labels.max() >= shape[1]:
        raise ValueError(
            f"softmax_cross_entropy: labels must be in [0, {shape[1]}), but reach from {labels.min()} to {labels.max()}"
        )


def _flattened(shape: tuple[int, ...], labels: tuple[int, ...]) -> str:
    """What to write for labels at many places, with the classes on the last axis or, as in PyTorch, the second."""
    last, second = labels == shape[:-1], labels == (*shape[:1], *shape[2:])
    if len(shape) < 3 or last == second:
        return ""
    rows = f"logits.reshape(-1, {shape[-1]})" if last else f"np.moveaxis(logits, 1, -1).reshape(-1, {shape[1]})"
    return f": pass {rows} and labels.reshape(-1)"


def _check_same_shape(name, x, y):
    if np.shape(x) != np.shape(y):
        raise ValueError(f"{name}: both arguments must have one shape, not {np.shape(x)} and {np.shape(y)}")
    if 0 in np.shape(x):
        raise ValueError(f"{name}: the mean over no entries is not defined (shape {np.shape(x)})")


@op
def mean_squared_error(prediction: Array, target: Array) -> Array:
    """J = mean (prediction - target)**2: dJ/d prediction = 2 (prediction - target) / n, and minus that for target.

    Both have one shape. Raises ValueError otherwise, since broadcasting here is nearly always a mistake.

    >>> mg.mean_squared_error(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    np.float64(2.0)
    >>> mg.grad(mg.mean_squared_error)(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    array([ 0., -2.])
    """
    _check_same_shape("mean_squared_error", prediction, target)
    # equivalent: prediction, target -> target, prediction because the difference is squared
    return narrowed(mean(np.square(widened(floating(prediction)) - widened(floating(target)))), prediction, target)


@mean_squared_error.vjp("prediction")
def _(g, j, prediction, target):
    return (widened(prediction) - widened(target)) * (widened(g) * (2 / np.size(prediction)))


@mean_squared_error.vjp("target")
def _(g, j, prediction, target):
    return (widened(target) - widened(prediction)) * (widened(g) * (2 / np.size(prediction)))


@op
def binary_cross_entropy_with_logits(logits: Array, targets: Array) -> Array:
    """J = mean of ln(1 + e**Z) - Z Y, for logits Z and targets Y in [0, 1], both of one shape.

    dJ/dZ = (sigmoid(Z) - Y) / n, rounded to 0 where sigmoid(Z) is rounded to Y; dJ/dY = -Z / n. Stable for any
    Z: an infinite one that Y is certain of adds 0. Raises ValueError unless the shapes are the same.

    >>> mg.grad(mg.binary_cross_entropy_with_logits)(np.array([0.0, 1e4]), np.array([1.0, 1.0]))
    array([-0.25,  0.  ])
    """
    _check_same_shape("binary_cross_entropy_with_logits", logits, targets)
    z, y = widened(floating(logits)), widened(floating(targets))
    overshoot = log1p_exp(z)  # ln(1 + e**Z) = max(Z, 0) + this, which stays apart from Z Y
    with np.errstate(invalid="ignore"):
        loss = above_0(z) - z * y + overshoot
    if np.any(np.isinf(z)):
        # equivalent: > -> >=; > 0 -> > any number because z is infinite there
        loss = np.where(np.isinf(z), np.where(y == (z > 0), 0, np.inf), loss)
    # equivalent: logits, targets -> targets, logits because the dtype is that of both together
    return narrowed(mean(loss), logits, targets)


@binary_cross_entropy_with_logits.vjp("logits")
def _(g, j, logits, targets):
    return (sigmoid(widened(logits)) - widened(targets)) * (widened(g) / np.size(logits))


@binary_cross_entropy_with_logits.vjp("targets")
def _(g, j, logits, targets):
    return -widened(logits) * (widened(g) / np.size(logits))
