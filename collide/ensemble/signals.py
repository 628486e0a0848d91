"""Ctrl-C and SIGTERM in good order: the chunks under way are finished and saved, then the signal is heard."""

from collections.abc import Iterator
from contextlib import contextmanager
import signal
import threading
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """A run was stopped by a signal; what was finished is saved.

    Attributes
    ----------
    signum : int
    """

    def __init__(self, signum: int, message: str = "") -> None:
        super().__init__(message)
        self.signum = signum


def interrupt(signum: int, frame: FrameType | None) -> None:
    """Signal handler that raises `Interrupted`; runs take it over for their duration."""
    raise Interrupted(signum, f"interrupted by {signal.Signals(signum).name}")


class Stop:
    """Whether, and by which signal, a run was asked to stop."""

    def __init__(self) -> None:
        self.signum: int | None = None

    def __call__(self) -> bool:
        """Whether a signal came."""
        return self.signum is not None

    def handle(self, signum: int, frame: FrameType | None) -> None:
        """Note the first signal; a second one is not patient any more."""
        if self.signum is not None:
            interrupt(signum, frame)
        self.signum = signum


@contextmanager
def interruption() -> Iterator[Stop]:
    """Let a signal that would raise KeyboardInterrupt ask for a stop instead, so that chunks under way are finished."""
    stop, before = Stop(), {}
    if threading.current_thread() is threading.main_thread():
        for signum in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(signum) in (signal.default_int_handler, interrupt):
                before[signum] = signal.signal(signum, stop.handle)
    try:
        yield stop
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
