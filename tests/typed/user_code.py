"""A user's program, typed: mypy --strict and pyright in strict mode must agree with each `assert_type`.

It also runs (test_typed.py), and what it computes then must be of the type that was asserted.
"""

# pyright: strict

from typing import Any

import numpy as np
from numpy import ndarray
from numpy.typing import NDArray
from typing_extensions import assert_type

import minigrad as mg
from minigrad import Tensor
from minigrad.scipy import linalg, special, stats

Floats = NDArray[np.float64]

array: Floats = np.ones((2, 2))
images: Floats = np.ones((1, 1, 4, 4))
x = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True, name="x")
k = mg.tensor(np.ones((1, 1, 2, 2)), requires_grad=True)
labels = [0, 1]

# a Tensor in, a Tensor out
assert_type(x, Tensor)
assert_type(x + x, Tensor)
assert_type(2 * x, Tensor)
assert_type(x / 2 - array, Tensor)
assert_type(1 - x**2, Tensor)
assert_type(-x, Tensor)
assert_type(mg.tensor([1 + 1j, 2j]) - (3 - 1j), Tensor)
assert_type(x @ array, Tensor)
assert_type(array @ x, Tensor)
assert_type(np.ones(2) @ x, Tensor)
assert_type(np.float64(2.0) * x, Tensor)
assert_type(x[0], Tensor)
assert_type(x[:, None, [0, 1]], Tensor)
assert_type(x[x > 1], Tensor)
assert_type(x.sum(), Tensor)
assert_type(x.mean(axis=0, keepdims=True), Tensor)
assert_type(x.reshape(4).reshape((2, 2)), Tensor)
assert_type(x.transpose(1, 0), Tensor)
assert_type(x.T, Tensor)
assert_type(x.relu(), Tensor)
assert_type(x.astype(np.float32), Tensor)
assert_type(x.detach(), Tensor)
assert_type(x.copy(), Tensor)
assert_type(x.argmax(axis=0), NDArray[np.intp])
assert_type(x.any(), NDArray[np.bool])
assert_type(abs(x), Tensor)
assert_type(mg.relu(x), Tensor)
assert_type(mg.add(array, x), Tensor)
assert_type(mg.sum(x, axis=(0, 1)), Tensor)
assert_type(mg.where(array > 0, x, 0), Tensor)
assert_type(mg.clip(x, 0, 1), Tensor)
assert_type(mg.clip(array, x), Tensor)
assert_type(mg.clip(array, 0, max=2.0), ndarray)
assert_type(mg.histogram(array, weights=x)[0], Tensor)
assert_type(mg.stack([x, x]), Tensor)
assert_type(mg.concatenate((x, array)), Tensor)
assert_type(mg.einsum("ij,jk->ik", array, x), Tensor)
assert_type(mg.conv2d(images, k), Tensor)
assert_type(mg.conv2d(images, k, np.ones(1), stride=2, padding=(1, 1)), Tensor)
assert_type(mg.max_pool2d(mg.conv2d(images, k), 2), Tensor)
assert_type(mg.softmax_cross_entropy(x, labels), Tensor)
assert_type(mg.eigh(x @ x.T).eigenvalues, Tensor)
assert_type(mg.svd(x, compute_uv=False), Tensor)
assert_type(mg.split(x, 2), list[Tensor])
assert_type(mg.qr(x).R, Tensor)
assert_type(mg.qr(x, "r"), Tensor)
assert_type(mg.array([[x[0, 0], 1.0], [2.0, x[1, 1]]]), Tensor)
assert_type(mg.array([x, x], dtype=np.float32), Tensor)
assert_type(mg.array([[1.0, 2.0]]), ndarray)
assert_type(mg.block([[x, array]]), Tensor)
assert_type(mg.block([[array], [array]]), ndarray)
assert_type(mg.r_[x[0], 1.0, 0:2], Tensor)
assert_type(mg.c_[array, [1, 2]], ndarray)
assert_type(list(x), list[Tensor])

# arrays in, arrays out
assert_type(mg.relu(array), ndarray)
assert_type(mg.exp([1.0, 2.0]), ndarray)
assert_type(mg.conv2d(images, k.data, padding=1), ndarray)
assert_type(mg.stack([array, array]), ndarray)
assert_type(mg.softmax_cross_entropy(array, labels), ndarray)

# what leaves the tape
assert_type(x > 0, NDArray[np.bool])
assert_type(array > x, NDArray[np.bool])
assert_type(x == x, NDArray[np.bool])
assert_type(x.shape, tuple[int, ...])
assert_type(x.ndim, int)
assert_type(x.dtype, np.dtype[Any])
assert_type(x.data, ndarray)
assert_type(x.numpy(), ndarray)
assert_type(x.tolist(), list[Any])
assert_type(x.sum().item(), float)
assert_type(len(x), int)
assert_type(x.name, str | None)
assert_type(x.requires_grad, bool)

(x * x).sum().backward()
assert_type(x.grad, ndarray | None)
x.grad = None
with mg.no_grad():
    x -= 0.1
assert_type(x, Tensor)


@mg.no_grad()
def update(weight: Tensor, *, step: float = 0.1) -> float:
    weight -= step
    return step


assert_type(update(x, step=0.5), float)


with mg.scope("layer"), mg.debug():
    y = mg.tanh(x)
assert_type(mg.debug(), mg.debug)
assert_type(mg.graph(y), mg.viz.Graph)
assert_type(mg.graph(y).source, str)
assert_type(mg.viz.trace(y), mg.viz.Walk)


# transforms keep the parameters of their function
def loss(w: Tensor, scale: float = 1.0) -> Tensor:
    return (w * w).sum() * scale


def of_arrays(w: Floats, *, scale: float = 1.0) -> Floats:
    return w * scale


def of_parameters(parameters: dict[str, Tensor], inputs: Floats) -> Tensor:
    return (inputs @ parameters["weight"]).sum()


def of_two(w: Tensor, b: Tensor, *, scale: float = 1.0) -> Tensor:
    return (w * b).sum() * scale


def of_numbers(z: float) -> float:
    return z * z


assert_type(mg.grad(loss)(array), ndarray)
assert_type(mg.grad(loss)(x, scale=2.0), Tensor)
assert_type(mg.grad(of_parameters)({"weight": x}, array), dict[str, Tensor])
assert_type(mg.grad(of_numbers)(2.0), float)
assert_type(mg.grad(loss, argnums=(0, 1))(x, 2.0), tuple[Any, ...])
assert_type(mg.grad(of_two, 1)(x, array), Tensor)
assert_type(mg.grad(of_two, argnums=(0, 1))(array, array, scale=2.0), tuple[ndarray, ndarray])
assert_type(mg.grad(of_two, (0, 1))(array, x), tuple[Tensor, Tensor])
assert_type(mg.value_and_grad(loss)(array), tuple[ndarray, ndarray])
assert_type(mg.value_and_grad(of_parameters)({"weight": x}, array), tuple[Tensor, dict[str, Tensor]])
assert_type(mg.elementwise_grad(np.tanh)(array), ndarray)
assert_type(mg.elementwise_grad(np.tanh)(x), Tensor)
assert_type(mg.elementwise_grad(of_numbers)(2.0), float)
assert_type(mg.jacobian(of_arrays)(array, scale=2.0), ndarray)
assert_type(mg.hessian(loss)(array, 2.0), ndarray)
assert_type(mg.hessian(loss)(x), Tensor)
assert_type(mg.hvp(loss, array, array), ndarray)
assert_type(mg.jvp(loss, (array,), (array,)), tuple[ndarray, ndarray])
assert_type(mg.checkpoint(loss)(x, scale=2.0), Tensor)
value, pullback = mg.vjp(loss, x)
assert_type(value, Tensor)
assert_type(pullback(1.0), tuple[Tensor, ...])
assert_type(mg.vec(x), Tensor)
assert_type(mg.vec_jacobian(mg.softmax, array), ndarray)


assert_type(mg.testing.check_grads(of_arrays, array), None)


# an op of one's own
@mg.op
def cube(z: Floats, power: int = 3, *, scale: float = 1.0) -> Floats:
    return np.multiply(scale, z**power)


@cube.vjp("z")
def cube_vjp(g: Floats, out: Floats, z: Floats, power: int, scale: float) -> Floats:
    return g * scale * power * z ** (power - 1)


@mg.op(name="weighted sum")
def weighted(z: Floats, y: Floats, *, weight: float = 0.5) -> Floats:
    return weight * z + (1 - weight) * y


@weighted.vjp("z")
def weighted_vjp_z(g: Floats, out: Floats, z: Floats, y: Floats, weight: float) -> Floats:
    return weight * g


@weighted.vjp("y")
def weighted_vjp_y(g: Floats, out: Floats, z: Floats, y: Floats, weight: float) -> Floats:
    return (1 - weight) * g


assert_type(cube(x), Tensor)
assert_type(cube(array, 2, scale=3.0), ndarray)
assert_type(weighted(x, array, weight=0.1), Tensor)
assert_type(weighted(array, x), Tensor)
assert_type(weighted(array, array), ndarray)
assert_type(mg.jacobian(cube)(array, power=2), ndarray)
assert_type(cube_vjp(array, array, array, 2, 1.0), Floats)


# a network


class Network(mg.nn.Module):
    """A module of the user's."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.hidden = mg.nn.Linear(2, 4, rng=rng, dtype=np.float64)
        self.out = mg.nn.Sequential(mg.nn.Tanh(), mg.nn.Linear(4, 2, rng=rng))

    def forward(self, x: Tensor | Floats) -> Tensor:
        return self.out(self.hidden(x))


net = Network(np.random.default_rng(0))
assert_type(net(x), Tensor)
assert_type(net.hidden(array), Tensor)
assert_type(net.out(np.ones((2, 4))), Tensor)
assert_type(net.out[:1], mg.nn.Sequential)
assert_type(mg.functional_call(net.hidden, {}, array), Tensor)
assert_type(mg.nn.Conv2d(1, 1, 2, rng=np.random.default_rng(0))(images), Tensor)
assert_type(mg.nn.GRU(2, 3, rng=np.random.default_rng(0))(array), tuple[Tensor, Tensor])
assert_type(mg.nn.LSTM(2, 3, rng=np.random.default_rng(0))(array), tuple[Tensor, tuple[Tensor, Tensor]])
assert_type(mg.nn.ReLU()(x), Tensor)
assert_type(mg.nn.MaxPool2d(2)(images), ndarray)
assert_type(net.eval(), Network)
assert_type(net.train(False), Network)
assert_type(net.astype(np.float64), Network)
assert_type(net.hidden.weight, Tensor)
assert_type(dict(net.named_parameters()), dict[str, Tensor])
assert_type(net.state_dict(), dict[str, ndarray])
net.load_state_dict(net.state_dict())


def of_state(state: dict[str, ndarray]) -> Tensor:
    return mg.softmax_cross_entropy(mg.functional_call(net, state, array), labels)


assert_type(mg.grad(of_state)({name: p.data for name, p in net.named_parameters()}), dict[str, ndarray])

# SciPy's names


def decay(y: Floats, t: float) -> Floats:
    return -y


assert_type(special.logsumexp(x, axis=0), Tensor)
assert_type(special.logsumexp(array, return_sign=True), tuple[ndarray, ndarray])
assert_type(special.softmax(array), ndarray)
assert_type(special.gammaln(x), Tensor)
assert_type(special.gammaincc(2.0, x), Tensor)
assert_type(special.polygamma(1, array), ndarray)
assert_type(stats.norm.logpdf(x), Tensor)
assert_type(stats.norm.cdf(array, scale=x), Tensor)
assert_type(stats.gamma.logsf(array, 2.0), ndarray)
assert_type(stats.expon.ppf(0.5, scale=x), Tensor)
assert_type(stats.norm(0.0, x).pdf(array), Tensor)
assert_type(stats.norm(0.0, 1.0).pdf(x), Tensor)
assert_type(stats.norm(0.0, 1.0).pdf(array), ndarray)
assert_type(stats.multivariate_normal.logpdf(array, cov=x @ x.T), Tensor)
assert_type(linalg.expm(x), Tensor)
assert_type(linalg.solve_triangular(array, x), Tensor)
assert_type(linalg.block_diag(array, array), ndarray)
assert_type(mg.scipy.signal.convolve(array, x), Tensor)
assert_type(mg.scipy.integrate.odeint(decay, x[0], [0.0, 1.0]), Tensor)
assert_type(mg.scipy.interpolate.CubicSpline([0.0, 1.0], x)(0.5), Tensor)
assert_type(mg.scipy.interpolate.CubicSpline([0.0, 1.0], [0.0, 1.0])(x), Tensor)
assert_type(mg.scipy.interpolate.CubicSpline([0.0, 1.0], [0.0, 1.0])(array), ndarray)
