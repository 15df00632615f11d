"""Fresh arrays without page faults: glibc learns, at the first large piece of work, to keep freed memory.

It hands memory back to the system as soon as twice the largest array that it has seen freed lies unused at the end of
its heap, so that each training step would pay for the same pages again.
"""

from functools import cache

import numpy as np


@cache
def keep_freed_memory() -> None:
    """Let the allocator keep what later steps will need again: once, by an array of which no page is touched.

    Of nearly 32 MB, the most that glibc learns from, it keeps up to twice as much. Other allocators take no notice.
    """
    np.empty(31 * 2**20, np.uint8)
