"""Random programs against PyTorch, in float64: no gradient differs without an error.

python benchmarks/random_programs.py --count 10000 --seed 0

A program makes leaves and constants, aliases and views of them, computes with fan-out, writes in place in
every way that minigrad offers, enters no_grad, checkpoints and nested transforms, and calls backward()
again and again. PyTorch runs the same program without any write: where minigrad writes, it computes a new
tensor. A RuntimeError that names a write or a released graph is an answer too, and is counted.
"""

import argparse
import collections
import random
import sys

import numpy as np
import torch

import minigrad as mg

SHAPES = [(), (3,), (1, 3), (2, 1), (2, 3), (3, 3)]
UNARY = {
    "tanh": (np.tanh, torch.tanh),
    "sin": (np.sin, torch.sin),
    "exp": (lambda x: np.exp(np.tanh(x)), lambda x: torch.exp(torch.tanh(x))),
    "square": (np.square, torch.square),
    "relu": (mg.relu, torch.relu),
    "sigmoid": (mg.sigmoid, torch.sigmoid),
    "negative": (lambda x: -x, lambda x: -x),
    "sum": (np.sum, torch.sum),
    "mean of rows": (lambda x: np.mean(x, axis=-1) if x.ndim else x * 1, lambda x: x.mean(-1) if x.ndim else x * 1),
    "transposed": (lambda x: x.T, lambda x: x.permute(tuple(reversed(range(x.ndim))))),
    "raveled": (np.ravel, lambda x: x.reshape(-1)),
    "first": (lambda x: x[0] if x.ndim else x * 2, lambda x: x[0] if x.ndim else x * 2),
    "reversed": (lambda x: x[::-1] if x.ndim else x * 3, lambda x: x.flip(0) if x.ndim else x * 3),
    "gathered": (
        lambda x: x[np.array([0, 0, -1])] if x.ndim else x / 2,
        lambda x: x[[0, 0, x.shape[0] - 1]] if x.ndim else x / 2,
    ),
    "softmax": (lambda x: mg.softmax(x) if x.ndim else x * 1, lambda x: torch.softmax(x, -1) if x.ndim else x * 1),
    "checkpointed": (mg.checkpoint(lambda x: np.sin(x) * x), lambda x: torch.sin(x) * x),
    "inner gradient": (
        lambda x: mg.grad(lambda y: np.sum(y * y * y + x * y))(x),
        lambda x: 3 * x * x + x,
    ),
    "detached": (lambda x: x.detach() * 2, lambda x: x.detach() * 2),
}
BINARY = {
    "add": (lambda x, y: x + y, lambda x, y: x + y),
    "subtract": (lambda x, y: x - y, lambda x, y: x - y),
    "multiply": (lambda x, y: x * y, lambda x, y: x * y),
    "divide": (lambda x, y: x / (2 + np.tanh(y)), lambda x, y: x / (2 + torch.tanh(y))),
    "where": (lambda x, y: np.where(x.data > y.data, x, y), lambda x, y: torch.where(x > y, x, y)),
    "maximum": (np.maximum, torch.maximum),
}


class Program:
    """One random program, run by minigrad and by PyTorch side by side.

    Each variable is a pair. On PyTorch's side a leaf that minigrad wrote to is `leaf + what was added`, and an
    alias is a function of the variable that it shares memory with.
    """

    def __init__(self, random):
        self.random = random
        self.rng = np.random.default_rng(random.getrandbits(32))
        self.leaves, self.pairs, self.errors = [], [], collections.Counter()
        for _ in range(random.randint(1, 3)):
            self.make_leaf()

    def make_leaf(self):
        """A leaf that needs a gradient, or a constant."""
        array, needs = self.rng.normal(size=self.random.choice(SHAPES)), self.random.random() < 0.7
        ours, theirs = mg.tensor(array, requires_grad=needs), torch.tensor(array, requires_grad=needs)
        self.leaves.append([ours, theirs, torch.zeros_like(theirs)])
        self.pairs.append((ours, self.value_of(self.leaves[-1])))

    @staticmethod
    def value_of(leaf):
        """What PyTorch's side of a leaf is when it is used: minigrad may have written to it meanwhile."""
        return lambda: leaf[1] + leaf[2]

    def pick(self):
        """A variable: minigrad's Tensor, and PyTorch's as it is now."""
        ours, theirs = self.random.choice(self.pairs[-6:] + self.pairs[:3])
        return ours, theirs()

    def keep(self, ours, theirs):
        """A result becomes a variable."""
        if isinstance(ours, mg.Tensor) and ours.size < 50:
            self.pairs.append((ours, lambda: theirs))

    def alias(self):
        """A Tensor that shares a leaf's memory: writes to one are seen through the other."""
        leaf = self.random.choice(self.leaves)
        ours, where = leaf[0], self.random.choice(["detach", "view", "reversed"])
        if where == "detach" or not ours.ndim or len(ours) < 2:
            self.pairs.append((ours.detach(), lambda: self.value_of(leaf)().detach()))
            return
        with mg.no_grad():
            view = ours[1:] if where == "view" else ours.T
        cut = (lambda t: t[1:]) if where == "view" else (lambda t: t.permute(tuple(reversed(range(t.ndim)))))
        self.pairs.append((view, lambda: cut(self.value_of(leaf)().detach())))

    def write(self):
        """Write to a leaf, or rebind it."""
        leaf = self.random.choice(self.leaves)
        ours, step = leaf[0], self.rng.normal()
        way = self.random.choice(["data", "no_grad", "rebind"])
        if way != "rebind":  # a result that is a view of the leaf shows what is written, as in PyTorch
            self.pairs = [(t, u) for t, u in self.pairs if t.is_leaf or not np.shares_memory(t._array, ours._array)]
        if way == "data":
            ours.data -= step
        elif way == "no_grad":
            with mg.no_grad():
                ours -= step
        else:  # aliases keep the old memory
            before = leaf[:]
            for i, (tensor, _) in enumerate(self.pairs):
                if tensor is not ours and tensor.node is None and np.shares_memory(tensor._array, ours._array):
                    frozen = torch.tensor(np.array(tensor._array))
                    self.pairs[i] = (tensor, lambda frozen=frozen: frozen)
            ours.data = ours.data - step
            leaf[:] = [ours, before[1], before[2].clone()]
        leaf[2] = leaf[2] - step

    def compute(self):
        """Apply an op, sometimes without recording."""
        recorded = self.random.random() < 0.9
        with mg.no_grad() if not recorded else mg.scope("program"), torch.set_grad_enabled(recorded):
            if self.random.random() < 0.5:
                name = self.random.choice(list(UNARY))
                x, t = self.pick()
                if name == "detached" and x.is_leaf:
                    return
                ours, theirs = (f(v) for f, v in zip(UNARY[name], (x, t), strict=True))
            else:
                f, g = BINARY[self.random.choice(list(BINARY))]
                (x, t), (y, u) = self.pick(), self.pick()
                try:
                    np.broadcast_shapes(x.shape, y.shape)
                except ValueError:
                    return
                ours, theirs = f(x, y), g(t, u)
        if (
            isinstance(ours, mg.Tensor)
            and ours.node is None
            and any(np.shares_memory(ours._array, leaf[0]._array) for leaf in self.leaves)
        ):
            return  # an alias by the way: `alias` makes these
        self.keep(ours, theirs)

    def backward(self):
        """Sweep a result back, and compare the gradients of all leaves."""
        ours, theirs = self.pick()
        if not ours.requires_grad or not theirs.requires_grad:
            assert not ours.requires_grad, "minigrad records what PyTorch does not"
            return
        g = self.rng.normal(size=ours.shape)
        grads = [leaf[0].grad if leaf[0].grad is None else leaf[0].grad.copy() for leaf in self.leaves]
        try:
            ours.backward(g, retain_graph=self.random.random() < 0.8)
        except RuntimeError as error:
            kind = next(
                k
                for k in ("written to in place", "was released", "did not compute the same", "another array")
                if k in str(error)
            )
            self.errors[kind] += 1
            for leaf, before in zip(self.leaves, grads, strict=True):
                np.testing.assert_array_equal(
                    *(np.zeros(()) if a is None else a for a in (leaf[0].grad, before)),
                    err_msg="a failure changed this",
                )
            return
        theirs.backward(torch.tensor(g), retain_graph=True)
        self.compare()

    def compare(self):
        """The gradients of all leaves agree."""
        self.errors["compared"] += 1
        for ours, theirs, _ in self.leaves:
            a, b = ours.grad, theirs.grad
            a = np.zeros(ours.shape) if a is None else a
            b = np.zeros(ours.shape) if b is None else b.numpy()
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * max(1, np.abs(b).max(initial=0)))

    def run(self):
        """Take random steps."""
        steps = [self.compute] * 8 + [self.alias, self.write, self.make_leaf, self.backward, self.backward]
        for _ in range(self.random.randint(5, 30)):
            self.random.choice(steps)()
        self.backward()
        return self.errors


def main():
    """Run the programs and print the counts; exit code 1 at the first difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    total = collections.Counter()
    for seed in range(options.seed, options.seed + options.count):
        try:
            total += Program(random.Random(seed)).run()
        except Exception as error:
            print(f"program {seed}: {type(error).__name__}: {error}")
            raise
        total["programs"] += 1
    print(", ".join(f"{name}: {count}" for name, count in sorted(total.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
