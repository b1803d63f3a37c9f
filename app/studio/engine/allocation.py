"""Allocation: how the device's process keeps the memory that it had once (glibc's malloc).

Sheets need several tensors of some megabytes for a moment. Without this each of them is new memory
from the kernel, page by page: a first grid of GoogLeNet's first layer takes 12 ms in place of 8.
https://www.gnu.org/software/libc/manual/html_node/Malloc-Tunable-Parameters.html
"""

MIB = 1024 * 1024
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(256 * MIB),
    "MALLOC_TRIM_THRESHOLD_": str(1024 * MIB),
    "MALLOC_TOP_PAD_": str(128 * MIB),
}
