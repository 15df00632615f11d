"""Is a derivative right? The checks, and with Hypothesis `strategies` and `gradtest`.

The checks need NumPy alone. Hypothesis is imported when `strategies` or `gradtest` is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from .errors import GradientError
from .gradient_checks import check_grads, check_jvp, check_vjp
from .subgradient_check import check_subgradient

__all__ = ["GradientError", "check_grads", "check_jvp", "check_subgradient", "check_vjp", "gradtest", "strategies"]
__dir__ = __all__.copy  # what dir() shows

if TYPE_CHECKING:
    from . import strategies
    from .property_tests import gradtest
else:  # so that checkers report a name that is misspelt

    def __getattr__(name: str) -> Any:
        try:
            if name == "strategies":
                return importlib.import_module(".strategies", __name__)
            if name == "gradtest":
                return importlib.import_module(".property_tests", __name__).gradtest
        except ModuleNotFoundError as error:
            if error.name != "hypothesis":
                raise
            raise ModuleNotFoundError(
                f"{name} draws with Hypothesis: pip install hypothesis", name="hypothesis"
            ) from error
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
