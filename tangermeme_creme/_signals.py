"""Signals that stop a command."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

INTERRUPTED = 130
SIGNALS = (signal.SIGINT, signal.SIGTERM)  # clusters send the second before they kill


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Raise KeyboardInterrupt at Ctrl-C and at a termination signal, and yield the list of the signals that came.

    A second signal does what it did before this block, such as ending the process at once. Python drops exceptions that
    are raised while an object is finalized; the signal is then sent again.

    Examples
    --------
    >>> with stop_signals() as came:
    ...     came
    []
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came  # only the main thread gets signals
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    hook = sys.unraisablehook

    def stop(number: int, frame: FrameType | None) -> None:
        came.append(number)
        handler = before[signal.Signals(number)]
        if len(came) > 1 and callable(handler):
            handler(number, frame)
        raise KeyboardInterrupt

    def send_again(dropped: Any) -> None:
        if came and issubclass(dropped.exc_type, KeyboardInterrupt):
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()  # not within this hook
        else:
            hook(dropped)

    try:
        for number, handler in before.items():
            if handler != signal.SIG_IGN:
                signal.signal(number, stop)
        sys.unraisablehook = send_again
        yield came
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)
