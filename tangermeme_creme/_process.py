"""The process of the command line: how it ends, and what it writes to."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import warnings
from contextlib import suppress
from types import FrameType
from typing import Any

from ._signals import INTERRUPTED, SIGNALS

_READER_GONE = (errno.EPIPE, errno.EIO)  # of a pipe, or of a terminal that was closed


def entry() -> None:
    """Run the command line as the process that the console script starts, and end the process.

    Ctrl-C ends it with one line and exit status 130 at any moment: at once while it imports, and else as `stop_signals`
    says. Output that nobody reads any more, as after ``| head``, is dropped, and the work goes on.
    """
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup and shells ask for jobs in the background
            signal.signal(number, _leave)
    sys.stdout, sys.stderr = _lasting(sys.stdout), _lasting(sys.stderr)
    from .cli import main  # not before: signals come first
    from .support import printable

    shown = warnings.formatwarning
    warnings.formatwarning = lambda *parts, **options: printable(shown(*parts, **options))
    try:
        code: Any = main()
    except SystemExit as end:  # of argparse
        code = end.code
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # all is done
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # there is no stream
            stream.flush()
    if code == INTERRUPTED:
        os._exit(code)  # without waiting for threads and processes of what was stopped
    sys.exit(code)


def _leave(number: int, frame: FrameType | None) -> None:
    """End the process at once."""
    with suppress(OSError):
        os.write(2, b"tangermeme-creme: stopped.\n")
    os._exit(INTERRUPTED)


def _lasting(stream: Any) -> Any:
    """Return a text stream to the same file that drops what nobody reads, and escapes what it cannot encode."""
    try:
        number = stream.fileno()
    except (AttributeError, OSError, ValueError):
        return stream  # there is none, or it is no file
    return io.TextIOWrapper(
        io.BufferedWriter(_Lasting(number, "w", closefd=False)),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=True,
    )


class _Lasting(io.FileIO):
    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in _READER_GONE:
                raise
            return memoryview(data).nbytes
