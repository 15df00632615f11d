"""A stand-in for the draw function of Hypothesis, for tests of how often something is drawn."""

import numpy as np


class Chosen:
    """A draw function that is random but for Hypothesis, so that many draws are cheap.

    It takes what draws by itself, tuples, sampled_from, integers and booleans.
    """

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)

    def __call__(self, strategy):
        strategy = getattr(strategy, "wrapped_strategy", strategy)
        if hasattr(strategy, "definition"):
            return strategy.definition(self, *strategy.args, **strategy.kwargs)
        if hasattr(strategy, "element_strategies"):
            return tuple(map(self, strategy.element_strategies))
        if hasattr(strategy, "elements"):
            return strategy.elements[self.random.integers(len(strategy.elements))]
        if hasattr(strategy, "start"):
            return int(self.random.integers(strategy.start, strategy.end + 1))
        assert repr(strategy) == "booleans()", strategy
        return bool(self.random.integers(2))
