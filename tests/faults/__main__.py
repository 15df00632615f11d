"""`python tests/faults`: break minigrad's code in every place, and count what the tests catch."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # Python has put this folder there

from faults.judge import main  # noqa: E402

sys.exit(main())
