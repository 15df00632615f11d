"""Count how often a right VJP is refused, over all specs: `python benchmarks/false_alarms.py --checks 1000000`.

One check is one number that is compared with the VJP's: a directional derivative of a value, or of a first
derivative, for one upstream gradient; or an entry of the Jacobian of a small input. Memory layouts and float32 are
checked with it, and not counted.
"""

import argparse
import itertools
import random
import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from minigrad.testing import GradientError, check_grads, gradient_checks

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.specification import all_specs

EXAMPLES = 8  # of each spec in a round


def counted(function, numbers):
    """The function, with a count of the numbers that its calls compare."""

    def count(*arguments):
        count.checks += numbers(*arguments)
        return function(*arguments)

    count.checks = 0
    return count


def one_round(spec, generator):
    """Check a spec on new random inputs; return the number of inputs, and the false alarms."""
    alarms, inputs = [], []

    @seed(generator.getrandbits(64))
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(spec.inputs)
    def check(call):
        inputs.append(call)
        options = spec.options | call.parameters | {"float32": "float32" not in spec.opt_outs}
        try:
            check_grads(spec.fn, *call.arguments, seed=generator.getrandbits(32), name=spec.name, **options)
        except GradientError as error:
            alarms.append(error)

    check()
    return len(inputs), alarms


def main():
    """Print each false alarm, and the counts."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checks", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after this time")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    generator, start = random.Random(arguments.seed), time.perf_counter()
    gradient_checks._check_slope = slopes = counted(gradient_checks._check_slope, lambda *_: 1)
    gradient_checks.of_jacobian = entries = counted(gradient_checks.of_jacobian, lambda y, slopes, *_: slopes.size)
    specs, inputs, alarms = all_specs(), 0, 0
    for name in itertools.cycle(specs):
        seconds = time.perf_counter() - start
        if slopes.checks + entries.checks >= arguments.checks or seconds > 60 * arguments.minutes:
            break
        count, found = one_round(specs[name], generator)
        inputs, alarms = inputs + count, alarms + len(found)
        for error in found:
            print(error, flush=True)
    print(
        f"{slopes.checks} directional derivatives and {entries.checks} entries of Jacobians, on {inputs} inputs of "
        f"{len(specs)} specs: {alarms} false alarms, {seconds:.0f} s"
    )
    return int(alarms > 0)


if __name__ == "__main__":
    sys.exit(main())
