"""A stand-in for the draw function of Hypothesis, for tests of how often something is drawn."""

import ast

import numpy as np


class Chosen:
    """A draw function that is random but for Hypothesis, so that many draws are cheap."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)

    def __call__(self, strategy):
        words = repr(strategy)
        if words.startswith("sampled_from"):
            choices = ast.literal_eval(words[len("sampled_from(") : -1])
            return choices[self.random.integers(len(choices))]
        least, most = (int(word.partition("=")[2]) for word in words[len("integers(") : -1].split(", "))
        return int(self.random.integers(least, most + 1))
