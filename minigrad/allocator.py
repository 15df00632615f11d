"""Fresh arrays without page faults: glibc is told, at the first backward pass, to keep freed memory.

glibc returns memory to the system when the unused end of its heap is twice as large as the largest array freed so far.
Each training step would then pay for the same pages again, with arrays of 128 KB or more.
"""

import ctypes
import sys
from functools import cache

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # as in glibc's malloc.h
_LARGEST = 31 * 2**20  # bytes of an array whose memory is kept: nearly the most that glibc takes


# equivalent: any change because memory only takes longer to get without it
@cache
def keep_freed_memory() -> None:
    """Tell glibc's allocator, once, to keep freed memory for later steps. Other allocators are left alone."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform.startswith("linux") else None
    if mallopt:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST)
        mallopt(_M_TRIM_THRESHOLD, 2 * _LARGEST)
