"""np.random, of which nothing is differentiated."""

from numpy import random as _random


def __getattr__(name):
    return getattr(_random, name)
