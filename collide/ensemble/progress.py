"""What a run says while it runs: a bar on a terminal, lines of JSON for a machine, otherwise nothing."""

import json
import sys
import time
from typing import Any, Literal

EVERY = 5.0  # seconds between two lines for a machine


class Progress:
    """Counts trajectories.

    Parameters
    ----------
    mode : bool or "json"
        True: a bar with rate and time left if a person watches (a terminal or a notebook); False: nothing; "json": one
        line of JSON on standard error every few seconds.
    total, done : int
        Trajectories of the run, and how many of them were there before.
    """

    def __init__(self, mode: "bool | Literal['json']", total: int, done: int = 0) -> None:
        self.total, self.done, self._fresh = total, done, 0
        self._lines = mode == "json"
        self._begin = self._last = time.monotonic()
        watched = mode is True and (sys.stderr.isatty() or "ipykernel" in sys.modules)
        self._bar: Any = None
        if watched:
            from tqdm.auto import tqdm  # nobody else needs it, and it takes a moment to import

            self._bar = tqdm(
                total=total, initial=done, unit="traj", unit_scale=True, dynamic_ncols=True, mininterval=0.2
            )

    def update(self, n: int) -> None:
        """Count `n` more trajectories."""
        self.done, self._fresh = self.done + n, self._fresh + n
        if self._bar is not None:
            self._bar.update(n)
        if self._lines and time.monotonic() - self._last >= EVERY:
            self._last = time.monotonic()
            self._print()

    def _print(self) -> None:
        elapsed = time.monotonic() - self._begin
        rate = self._fresh / elapsed
        line = {
            "event": "progress",
            "done": self.done,
            "ntraj": self.total,
            "rate": round(rate, 3),
            "seconds": round(elapsed, 3),
            "seconds_left": round((self.total - self.done) / rate, 3) if rate else None,
        }
        print(json.dumps(line), file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()
