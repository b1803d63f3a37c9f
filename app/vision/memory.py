"""Memory: (an exception) -> whether there was not enough of it. No torch in here."""

#: How torch says that there is no memory, where it has no kind of error for that.
NO_MEMORY = ("can't allocate memory", "out of memory", "STATUS_ALLOC_FAILED")


def is_out_of_memory(error: Exception) -> bool:
    """Whether there was no memory for it, so that less of it may work."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in NO_MEMORY)
