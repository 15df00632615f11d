"""Hypothesis profiles for the whole suite.

`dev` is quick and random; `ci` draws the same examples on every machine and prints how to replay a failure.
"""

import os

from hypothesis import settings

settings.register_profile("dev", max_examples=20, deadline=None)
settings.register_profile("ci", max_examples=20, deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")
