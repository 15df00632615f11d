"""Fresh arrays without page faults: glibc is told, at the first backward pass, to keep freed memory.

It hands memory back to the system as soon as twice the largest array that it has seen freed lies unused at the end of
its heap. Each training step would pay for the same pages again, already if its arrays are larger than 128 KB.
"""

import ctypes
import sys
from functools import cache

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # as in glibc's malloc.h
_LARGEST = 31 * 2**20  # bytes of an array whose memory is kept: nearly the most that glibc takes


# equivalent: any change because memory only takes longer to get without it
@cache
def keep_freed_memory() -> None:
    """Let the allocator keep what later steps will need again, up to twice the largest array: once.

    Only glibc is told so; other allocators stay as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform.startswith("linux") else None
    if mallopt:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST)
        mallopt(_M_TRIM_THRESHOLD, 2 * _LARGEST)
