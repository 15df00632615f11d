"""A stand-in for the draw function of Hypothesis, for tests of how often something is drawn."""

import numpy as np


class Chosen:
    """A draw function that is random but for Hypothesis, so that many draws are cheap.

    It takes what draws by itself, tuples, sampled_from, integers, booleans, lists of these, and `|`.
    """

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)

    def __call__(self, strategy):
        strategy = getattr(strategy, "wrapped_strategy", strategy)
        if hasattr(strategy, "definition"):
            return strategy.definition(self, *strategy.args, **strategy.kwargs)
        if hasattr(strategy, "original_strategies"):
            return self(strategy.original_strategies[self.random.integers(len(strategy.original_strategies))])
        if hasattr(strategy, "element_strategy"):
            return self.several(strategy)
        if hasattr(strategy, "element_strategies"):
            return tuple(map(self, strategy.element_strategies))
        if hasattr(strategy, "elements"):
            return strategy.elements[self.random.integers(len(strategy.elements))]
        if hasattr(strategy, "start"):
            return int(self.random.integers(strategy.start, strategy.end + 1))
        assert repr(strategy) == "booleans()", strategy
        return bool(self.random.integers(2))

    def several(self, lists):
        """A list of any of the sizes, each as likely."""
        size = self.random.integers(lists.min_size, 1 + min(lists.max_size, 9))
        if hasattr(lists, "keys"):  # each no more than once
            elements = lists.element_strategy.elements
            return [elements[i] for i in self.random.permutation(len(elements))[:size]]
        return [self(lists.element_strategy) for _ in range(size)]
