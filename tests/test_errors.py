"""Errors that help: each public function with each wrong input works, or raises one sentence about that function.

python tests/test_errors.py [NAME ...]    the whole table, or that of some functions: what is not so, and the count
"""

import collections
import sys
import warnings
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

from support import wrong_inputs


def table(functions, every=1):
    """Yield (call, with Tensors, outcome) of each call of the table, or of every so-manieth."""
    for function in functions:
        for tensors in (False, True):
            if not tensors and function.label.startswith(("np.", "Tensor.")):
                continue  # plain NumPy, without minigrad
            for i, call in enumerate(wrong_inputs.calls(function, tensors)):
                if i % every == len(function.label) % every:
                    yield call, tensors, wrong_inputs.outcome(call, tensors)


def main(names):
    """Print what is not as it should be, a line for each kind, and how many calls were tried."""
    functions = [*wrong_inputs.public_functions(), *wrong_inputs.other_functions()]
    counts, found = collections.Counter(), {}
    for call, tensors, outcome in table([f for f in functions if not names or f.label in names]):
        counts[outcome.kind] += 1
        if outcome.kind not in wrong_inputs.HELPFUL:
            key = (outcome.kind, call.function.label) if names else (outcome.kind, outcome.text[:70])
            found.setdefault(key, []).append((call, tensors, outcome.text))
    for (kind, _), cases in sorted(found.items(), key=lambda pair: -len(pair[1])):
        call, tensors, text = cases[0]
        print(f"{len(cases):5} {kind:14} {call.function.label}, {call.what}{' (Tensors)' * tensors}: {text[:300]!r}")
    print(f"{sum(counts.values())} calls of {len(functions)} functions: {dict(counts)}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1:])
