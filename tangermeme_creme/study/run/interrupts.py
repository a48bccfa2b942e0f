"""Ctrl-C and termination signals, so that none is lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def remembered_interrupts() -> Iterator[Callable[[], None]]:
    """Remember signals that stop a run, and yield a function that raises KeyboardInterrupt once a signal came.

    Python raises wherever it is when a signal comes, and drops exceptions that are raised while an object is finalized.

    Examples
    --------
    >>> with remembered_interrupts() as check:
    ...     check()
    """
    came: list[int] = []

    def check() -> None:
        if came:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield check  # only the main thread gets signals
        return

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def remember(number: int, frame: FrameType | None) -> None:
        came.append(number)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    try:
        for number, handler in before.items():
            if callable(handler):  # a signal that is ignored, or that ends the process, stays so
                signal.signal(number, remember)
        yield check
    finally:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, handler)
