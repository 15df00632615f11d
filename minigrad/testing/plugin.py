"""The pytest plugin: Hypothesis profiles by `--minigrad-profile`, and failures that show the shrunk inputs alone.

Without the option it changes no setting of anyone's tests. Nothing but pytest is imported before it is needed.
"""

import os
from typing import Any

import pytest

from .errors import GradientError

PROFILES: dict[str, dict[str, Any]] = {
    "dev": {"max_examples": 20, "derandomize": False},
    "ci": {"max_examples": 20, "derandomize": True, "print_blob": True, "database": None},
    "thorough": {"max_examples": 3000, "derandomize": False},
}


def pytest_addoption(parser):
    """Add `--minigrad-profile`."""
    parser.getgroup("minigrad").addoption(
        "--minigrad-profile",
        choices=[*PROFILES, "auto"],
        help="Hypothesis profile: dev (20 examples, random), ci (20, the same on every machine), "
        "thorough (3,000), auto (ci where the variable CI is set, else dev)",
    )


def pytest_configure(config):
    """Register the profiles and load the one asked for."""
    wanted = config.getoption("--minigrad-profile")
    if wanted is None:
        return
    from hypothesis import settings

    for name, values in PROFILES.items():
        settings.register_profile(name, deadline=None, **values)
    automatic = "ci" if os.environ.get("CI") else "dev"
    settings.load_profile(automatic if wanted == "auto" else wanted)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Show a GradientError as its message and the line that asked for the check, without the frames in between."""
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, GradientError):
        error = call.excinfo.value
        replay = [note for note in getattr(error, "__notes__", ()) if "reproduce_failure" in note]
        report.longrepr = "\n".join([f"GradientError: {error}", *_place(item, call.excinfo.traceback), *replay])
    return report


def _place(item, traceback):
    """The last line of the test's own file that led to the check, if there is one."""
    own = [entry for entry in traceback if str(entry.path) == str(item.path) and _is_code(entry)]
    return [f"{item.path}:{own[-1].lineno + 1}: {str(own[-1].statement).strip()}"] if own else []


def _is_code(entry):
    """Whether the frame is the user's own: Hypothesis gives its frames the file of the test."""
    return "__hypothesistracebackhide__" not in entry.frame.f_globals
