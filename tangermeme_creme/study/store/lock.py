"""One writer a folder, by a lock that goes with its process."""

from __future__ import annotations

import fcntl
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..spec import StudyError

NAME = "lock"

_mine: set[Path] = set()
_guard = threading.Lock()


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold a folder for this process, and within it for this block.

    The system gives the lock back when the process ends, however that happens, so that a killed study leaves none
    behind. It is a record lock: processes that this one starts do not inherit it, and it holds over NFS.

    Raises
    ------
    StudyError
        If another process has it, which the message names, or this one does.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, folder_lock(Path(folder)):
    ...     (Path(folder) / NAME).exists()
    True
    """
    path = folder.resolve() / NAME
    with _guard:
        if path in _mine:
            raise StudyError(f"a study folder has one writer at a time; got {folder}, which this process runs already.")
        _mine.add(path)
    try:
        with open(path, "a+", encoding="utf-8") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.seek(0)
                raise StudyError(
                    f"a study folder has one writer at a time; got {folder}, which is in use by "
                    f"{file.read().strip() or 'another process'}. Wait for it, or stop it."
                ) from error
            file.seek(0)
            file.truncate()
            file.write(f"process {os.getpid()} on {socket.gethostname()} since {time.strftime('%Y-%m-%d %H:%M:%S')}\n")
            file.flush()
            yield
    finally:
        with _guard:
            _mine.discard(path)
