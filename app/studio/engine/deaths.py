"""Deaths: which recipes end the process each time, so that one of them cannot keep it down."""

import time

#: A recipe that the process died of this often in a row is not tried again for so many seconds.
MOST_DEATHS, REFUSED_SECONDS = 3, 600.0


class Deaths:
    """How often in a row the process died of each recipe."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[int, float]] = {}

    def too_many_of(self, key: str) -> bool:
        """Whether it is better not to try that one again now."""
        times, last = self._of.get(key, (0, 0.0))
        if times and time.monotonic() - last > REFUSED_SECONDS:
            self.none_of(key)
        return key in self._of and times >= MOST_DEATHS

    def one_of(self, key: str) -> None:
        """It died of it."""
        self._of[key] = (self._of.get(key, (0, 0.0))[0] + 1, time.monotonic())

    def none_of(self, key: str) -> None:
        """It lived."""
        self._of.pop(key, None)
