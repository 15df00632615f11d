"""What the command lines of the examples have in common: options that are checked before any work, Ctrl-C, words."""

import argparse
import importlib.util
import math
import shutil
import signal
import sys
import tempfile
from pathlib import Path

INTERRUPTED = 130  # the exit code of a program that Ctrl-C stopped


def needed(module, extra):
    """Import and return a module; end the program if it is missing, and say what brings it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        sys.exit(f"{Path(sys.argv[0]).name}: needs {error.name}, which pip install -e '.[{extra}]' brings")


def has_graphviz():
    """Return whether there is an engine that draws pictures of graphs."""
    return bool(shutil.which("dot") or importlib.util.find_spec("pygraphviz"))


def number(kind, least, most=math.inf, *, above=False):
    """Return an argparse type: a finite number of this kind from least (or above it) to most."""

    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and (value > least if above else value >= least) and value <= most):
            what = "a whole number" if kind is int else "a number"
            bounds = f"{'above' if above else 'from'} {least}" + (f" to {most}" if most < math.inf else "")
            raise argparse.ArgumentTypeError(f"{text!r} should be {what} {bounds}")
        return value

    return parse


def channel_pair(text):
    """Return the two numbers of the option --channels."""
    try:
        first, second = map(number(int, 1), text.split(","))
    except (ValueError, argparse.ArgumentTypeError):
        raise argparse.ArgumentTypeError(f"{text!r} should be two whole numbers from 1, such as 8,16") from None
    return first, second


def output_file(*suffixes):
    """Return an argparse type: a path that ends in one of the suffixes and can be written to."""

    def parse(text):
        path = Path(text)
        if path.suffix not in suffixes:
            raise argparse.ArgumentTypeError(f"{text!r} should end in {' or '.join(suffixes)}")
        if path.is_dir():
            raise argparse.ArgumentTypeError(f"{text!r} is a folder, should be a file")
        try:
            with tempfile.TemporaryFile(dir=path.parent):
                pass
        except OSError as error:
            raise argparse.ArgumentTypeError(f"can't write {text!r}: {error.strerror}") from error
        return path

    return parse


class CtrlC:
    """Notes Ctrl-C, so that training can stop after a whole step; a second Ctrl-C stops at once."""

    def __enter__(self):
        self.pressed = False
        self.handler_before = signal.signal(signal.SIGINT, self.remember)
        return self

    def __exit__(self, *_):
        signal.signal(signal.SIGINT, self.handler_before)

    def remember(self, *_):
        """Note that Ctrl-C was pressed."""
        self.pressed = True
        signal.signal(signal.SIGINT, self.handler_before)


def counted(number, what):
    """Return a number with its noun: 1 step, 2 steps."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def listed(words):
    """Return the words as a list in a sentence: a, b and c."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
