"""The examples in the docstrings of minigrad.testing, those of private modules included, print what they say."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import minigrad as mg
from minigrad import testing

MODULES = [module.name for module in pkgutil.iter_modules(testing.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_print_what_they_say(name):
    module = importlib.import_module(f"minigrad.testing.{name}")
    assert doctest.testmod(module, extraglobs={"np": np, "mg": mg}).failed == 0
