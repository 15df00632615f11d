"""Who arrives with the names of another framework is told what to write, and that works."""

import importlib
import re

import numpy as np
import pytest
from scipy.optimize import minimize

import minigrad as mg
from minigrad import foreign_names

ROWS = [(of, name, text) for of, names in foreign_names.INSTEAD.items() for name, text in names.items()]


@pytest.fixture
def names():
    """What the code of the hints may use."""
    rng = np.random.default_rng(0)
    t, u = (mg.tensor(rng.random((4, 4)), requires_grad=True) for _ in range(2))
    net = mg.nn.Sequential(mg.nn.Linear(4, 3, rng=rng))
    return {
        "mg": mg, "np": np, "minimize": minimize, "rng": rng, "t": t, "u": u, "net": net, "step": 3,
        "f": lambda x: np.sum(x * x), "x0": np.ones(3), "array": np.ones(3), "mask": np.eye(4) > 0,
        "indices": np.zeros((4, 4), int), "x": rng.random((40, 3)), "labels": np.arange(40),
        "optimizer": mg.optim.SGD(net.parameters(), lr=0.1),
    }  # fmt: skip


@pytest.mark.parametrize(("of", "name", "text"), ROWS)
def test_what_is_said_works(of, name, text, names):
    for code in re.findall("`(.*?)`", text):
        exec(compile(code, name, "exec"), names)


@pytest.mark.parametrize(("of", "name", "text"), ROWS)
def test_a_missing_name_says_it(of, name, text, names):
    owner = {"a Tensor": names["t"], "a Module": names["net"]}.get(of, importlib.import_module(of) if "." in of else mg)
    with pytest.raises(AttributeError) as caught:
        getattr(owner, name)
    assert str(caught.value).endswith(f": {text.replace('`', '')}")
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("of", "name", "text"),
    [
        ("t", "sub_", "a Tensor has no sub_: only operators write in place, as t += u under mg.no_grad()"),
        ("t", "logsumexp", "a Tensor has no logsumexp: write mg.logsumexp(t)"),
        ("t", "relu_", "a Tensor has no relu_: only operators write in place, as t += u under mg.no_grad()"),
        ("t", "nonsense", "'Tensor' object has no attribute 'nonsense'"),
        ("t", "__cuda_array_interface__", "'Tensor' object has no attribute '__cuda_array_interface__'"),
        ("net", "nonsense", "'Sequential' object has no attribute 'nonsense'"),
        ("mg", "nonsense", "module 'minigrad' has no attribute 'nonsense'"),
    ],
)
def test_other_missing_names_are_told_plainly(of, name, text, names):
    with pytest.raises(AttributeError) as caught:
        getattr(names[of], name)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda t: t.sum(dim=0), "argument 'dim'; here it is axis="),
        (lambda t: mg.exp(t, dim=0), "dim=; here it is axis="),
        (
            lambda t: np.mean(t, keepdims=True) + t.mean(axis=1, keepdim=True),
            "argument 'keepdim'; here it is keepdims=",
        ),
        (lambda t: mg.softmax(t, dim=-1), "dim=; here it is axis="),
        (lambda t: t.argmax(dim=1), "argument 'dim'; here it is axis=$"),
        (lambda t: t.any(keepdim=True), "argument 'keepdim'; here it is keepdims=$"),
        (lambda t: t.argsort(descending=True), "argument 'descending'$"),
        (lambda t: t.std(unbiased=False), "argument 'unbiased'; here it is ddof="),
        (lambda t: mg.sum(t, axes=0), "argument 'axes'$"),
    ],
)
def test_keywords_of_pytorch_name_those_of_numpy(call, text, names):
    with pytest.raises(TypeError, match=text):
        call(names["t"])


def test_what_is_missing_is_not_listed(names):
    assert {"sum", "backward", "data"} <= {*dir(names["t"])}
    assert all(hasattr(names["t"], name) for name in dir(names["t"]) if not name.startswith("_"))
    assert "unsqueeze" not in vars(mg.Tensor)
