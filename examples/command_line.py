"""Types of command-line options for argparse, which check a value before any work is done."""

import argparse
import math
import os
from pathlib import Path


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
            temporary_beside(path).touch()
            temporary_beside(path).unlink()
        except OSError as error:
            raise argparse.ArgumentTypeError(f"can't write {text!r}: {error.strerror}") from error
        return path

    return parse


def temporary_beside(path):
    """Return the path of a temporary file in the same folder, so that it can be renamed to path."""
    return path.with_name(f".{path.name}.{os.getpid()}")
