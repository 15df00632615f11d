"""Calls that are wrong: mypy and pyright must report each line that is marked, and no other."""

import numpy as np

import minigrad as mg

array = np.ones((2, 2))
x = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)


def loss(w: mg.Tensor, scale: float = 1.0) -> mg.Tensor:
    return (w * w).sum() * scale


@mg.op
def cube(z: np.ndarray, power: int = 3, *, scale: float = 1.0) -> np.ndarray:
    return np.full_like(z, scale)


layer = mg.nn.Linear(2, 3, rng=np.random.default_rng(0))
mg.conv2d(1, 2, 3, 4, nonsense=5)  # wrong
mg.conv2d(x, x, strides=2)  # wrong
mg.conv2d(x, x, stride="two")  # wrong
mg.conv2d(x)  # wrong
mg.sum(x, axes=0)  # wrong
mg.sum(x, 0, True)  # wrong
mg.relu("a")  # wrong
mg.exp(x, out=array)  # wrong
mg.stack(x, x)  # wrong
mg.softmax_cross_entropy(x)  # wrong
mg.nosuch(x)  # wrong
mg.grpah(x)  # wrong
mg.testing.check_grad(loss, array)  # wrong
mg.testing.check_grads()  # wrong
mg.graph(x, value=True)  # wrong
mg.tensor([1.0], require_grad=True)  # wrong
mg.tensor("a")  # wrong
x + "a"  # wrong
x[0] = 1.0  # wrong
x.sum(axes=0)  # wrong
x.relu(1)  # wrong
x.shape = (4,)  # wrong
x.item("a")  # wrong
x.backwards()  # wrong
x.backward(retain=True)  # wrong
x.grad.sum()  # wrong
x.grad = "a"  # wrong
np.stack([x, x])  # wrong
mg.scope(1)  # wrong
mg.grad(3)  # wrong
mg.grad(loss, argument=0)  # wrong
mg.grad(loss)(array, scal=2.0)  # wrong
mg.grad(loss)(array, scale="a")  # wrong
mg.value_and_grad(loss)(array, 1.0, 2.0)  # wrong
mg.hvp(loss, array)  # wrong
mg.checkpoint(loss)("a")  # wrong
cube(x, "a")  # wrong
cube(x, scal=1.0)  # wrong
cube.vjp(3)  # wrong

mg.grad(loss, (0, 1))(array, scal=1.0)  # wrong
layer(x, x)  # wrong
layer(y=x)  # wrong
mg.nn.Tanh()("a")  # wrong
x.argmax(axes=0)  # wrong
mg.scipy.stats.norm.logpdf(x, mean=0.0)  # wrong
mg.scipy.special.gammaln("a")  # wrong
mg.scipy.linalg.expm(x, 2)  # wrong
mg.functional_call(layer, {}, x, x)  # wrong

mg.conv2d(x, x, stride=2, padding=(1, 1))
mg.grad(loss)(array, scale=2.0)
cube(x, power=2, scale=1.0)
