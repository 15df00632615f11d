"""`TrainingPage`: a page that shows a training while it runs, and loads itself again until that is over.

It is one file that is replaced at most every few seconds; no server, and nothing waits for a browser.
"""

import html
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .._tensor import Tensor
from ..operation import array_of
from ..serialization import path_of, replacing
from . import charts
from .measures import flow
from .walk import small_images

RELOAD = """<p><button id="pause" aria-pressed="false">pause</button></p>
<script>
const button = document.getElementById("pause");
let timer = setTimeout(() => location.reload(), {milliseconds});
button.addEventListener("click", () => {{
  clearTimeout(timer);
  if (timer === null) location.reload();
  timer = null;
  button.textContent = "go on";
  button.setAttribute("aria-pressed", "true");
}});
</script>"""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.45 system-ui, sans-serif; margin: 1rem auto; max-width: 60rem; padding: 0 1rem; }}
main {{ overflow-x: auto; }}
svg {{ display: block; margin: 1rem 0; min-width: 36rem; }}
</style>
</head>
<body><main>
<h1>{title}</h1>
<p>{state}</p>
{reload}
{charts}
</main></body>
</html>
"""


class TrainingPage:
    """A page that shows a training while it runs: curves, the flow of norms, kernels.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "training.html"
    >>> w = mg.tensor([2.0, -1.0], requires_grad=True, name="w")
    >>> with mg.viz.TrainingPage(path) as page:
    ...     for step in range(3):
    ...         loss = (w * w).sum()
    ...         page.update(step, loss=loss.item(), flow=loss)
    >>> path.read_text().count("<svg")
    2

    path: of the page, which ends in .html. It loads itself again every `seconds` until `close`, or until the end of the
    `with` block, and is written at most as often.
    Raises ValueError for another suffix, or unless seconds is positive.
    """

    def __init__(self, path: str | os.PathLike, *, title: str = "training", seconds: float = 2.0):
        self.path = path_of("TrainingPage", path)
        if self.path.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"TrainingPage: {str(path)!r} should end in .html")
        if not seconds > 0:
            raise ValueError(f"TrainingPage: seconds must be positive, not {seconds}")
        self.title, self.seconds = title, seconds
        self.curves: dict[str, list[tuple[float, float]]] = {}
        self._flow, self._images = "", ""
        self._step: float = 0
        self._due = 0.0  # by time.monotonic

    def __enter__(self) -> "TrainingPage":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def update(
        self,
        step: float,
        *,
        flow: Tensor | Callable[[], Tensor] | None = None,
        kernels: Mapping[str, Any] | None = None,
        **numbers: float,
    ) -> None:
        """Add a point to the curve of each number; write the page if the last time is long enough ago.

        flow: the loss of this step, before its graph is released, whose norms layer by layer are shown; or a function
            that returns a loss, which is called only when the page is written
        kernels: arrays or Tensors by name, shown as small images
        """
        self._step = step
        for name, value in numbers.items():
            self.curves.setdefault(name, []).append((float(step), float(value)))
        if time.monotonic() >= self._due:
            self._look(flow, kernels or {})
            self._write(reload=RELOAD.format(milliseconds=round(1000 * self.seconds)), state=f"step {step:g}")
            self._due = time.monotonic() + self.seconds

    def close(self) -> None:
        """Write the page for the last time: it no longer loads itself again."""
        self._write(reload="", state=f"ended at step {self._step:g}")

    def _look(self, loss: Tensor | Callable[[], Tensor] | None, kernels: Mapping[str, Any]) -> None:
        """Draw what is too slow for each step."""
        if loss is not None:
            self._flow = flow(loss() if callable(loss) else loss).svg()
        arrays = {name: np.asarray(array_of(array)) for name, array in kernels.items()}
        images = {name: small_images(array, "parameter") for name, array in arrays.items() if array.size}
        drawn = [charts.images(*named) for named in images.items()]
        self._images = "\n".join(drawn) or self._images

    def _write(self, reload: str, state: str) -> None:
        curves = [charts.curve(f"{name}: {points[-1][1]:.4g}", points) for name, points in self.curves.items()]
        drawn = "\n".join([*curves, self._flow, self._images])
        page = PAGE.format(title=html.escape(self.title), state=state, reload=reload, charts=drawn)
        with replacing(self.path) as file:
            file.write(page.encode())
