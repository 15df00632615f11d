"""The network of figure 1 in minigrad's ops, for the numbers of literal.py."""

import numpy as np

import minigrad as mg

from .literal import CONVOLUTION, POOLING, WINDOW


def run(net, **given):
    """The forward equations of section 2, the value of each by name; a value that is given stands for its own."""
    v = {"A0": net["A0"]}

    def put(name, compute):
        v[name] = given[name] if name in given else compute()

    for l in (1, 2):
        put(f"Z{l}", lambda l=l: mg.conv2d(v[f"A{l - 1}"], net[f"K{l}"], net[f"b{l}"], **CONVOLUTION[l]))
        put(f"I{l}", lambda l=l: mg.tanh(v[f"Z{l}"]))
        put(f"A{l}", lambda l=l: mg.avg_pool2d(v[f"I{l}"], WINDOW[l], **POOLING[l]))
    put("B2", lambda: mg.reshape(mg.vec(v["A2"]), -1))
    put("Z3", lambda: np.transpose(net["W3"]) @ v["B2"] + net["b3"])
    put("A3", lambda: mg.softmax(v["Z3"]))
    put("J", lambda: -np.sum(net["Y"] * np.log(v["A3"])))
    return v
