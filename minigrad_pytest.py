"""The pytest plugin: Hypothesis profiles by `--minigrad-profile`, and a GradientError shown without its traceback.

pytest loads every installed plugin in every run. So this module stands outside of the package and imports neither
minigrad nor NumPy; without the option it changes no setting.
"""

import os
import sys
from collections.abc import Generator
from typing import Any

import pytest

PROFILES: dict[str, dict[str, Any]] = {
    "dev": {"max_examples": 20, "derandomize": False},
    "ci": {"max_examples": 20, "derandomize": True, "print_blob": True, "database": None},
    "thorough": {"max_examples": 3000, "derandomize": False},
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--minigrad-profile`."""
    parser.getgroup("minigrad").addoption(
        "--minigrad-profile",
        choices=[*PROFILES, "auto"],
        help="Hypothesis profile: dev (20 examples, random), ci (20, the same on every machine), "
        "thorough (3,000), auto (ci where the variable CI is set, else dev)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the profiles and load the chosen one."""
    wanted = config.getoption("--minigrad-profile")
    if wanted is None:
        return
    try:
        from hypothesis import settings
    except ModuleNotFoundError as error:
        raise pytest.UsageError("--minigrad-profile needs Hypothesis: pip install hypothesis") from error
    for name, values in PROFILES.items():
        settings.register_profile(name, deadline=None, **values)
    automatic = "ci" if os.environ.get("CI") else "dev"
    settings.load_profile(automatic if wanted == "auto" else wanted)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Generator[None, Any, Any]:
    """Show a GradientError as its message and the line of the test that called the check."""
    report = yield
    errors = sys.modules.get("minigrad.testing.errors")  # not imported: then no test has raised its GradientError
    if errors is not None and call.excinfo is not None and isinstance(call.excinfo.value, errors.GradientError):
        error = call.excinfo.value
        replay = [note for note in getattr(error, "__notes__", ()) if "reproduce_failure" in note]
        report.longrepr = "\n".join([f"GradientError: {error}", *_place(item, call.excinfo.traceback), *replay])
    return report


def _place(item, traceback):
    """The innermost line of the test's own file in the traceback, as a list of at most one string."""
    own = [entry for entry in traceback if str(entry.path) == str(item.path) and _is_code(entry)]
    return [f"{item.path}:{own[-1].lineno + 1}: {str(own[-1].statement).strip()}"] if own else []


def _is_code(entry):
    """Whether the frame is the user's own. Hypothesis's wrappers report the file of the test, too."""
    return "__hypothesistracebackhide__" not in entry.frame.f_globals
