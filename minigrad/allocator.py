"""Fresh arrays without page faults: glibc learns, at the first backward pass, to keep freed memory.

It hands memory back to the system as soon as twice the largest array that it has seen freed lies unused at the end of
its heap. Each training step would pay for the same pages again, already if its arrays are larger than 128 KB.
"""

from functools import cache

import numpy as np


@cache
def keep_freed_memory() -> None:
    """Let the allocator keep what later steps will need again: once, by an array of which no page is touched.

    Of nearly 32 MB, the most that glibc learns from, it keeps up to twice as much. Other allocators take no notice.
    """
    np.empty(31 * 2**20, np.uint8)
