"""Let one process at a time write to the folder of a study."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fasteners import InterProcessLock

from ..spec import StudyError
from .names import LOCK_FILE, LOG_FILE, MANIFEST_FILE, WRITER_FILE

# A process may take a record lock twice, so that the threads of this process need a check of their own.
_held: set[Path] = set()
_held_guard = threading.Lock()


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold a folder for this process, and within the process for this block.

    The system frees the lock when the process ends, however it ends, so that a killed study leaves no lock behind. The
    lock is a record lock (`lockf`): it holds over NFS, and processes that this one starts do not inherit it.

    Raises
    ------
    StudyError
        If another process holds the folder (the message names the process), if this process holds it already, if files
        cannot be locked there, or if a file that is written to in place, such as the lock or the log, is a link.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, folder_lock(Path(folder)):
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['lock', 'writer.txt']
    """
    path = folder.resolve()
    _refuse_links(path)
    with _held_guard:
        if path in _held:
            raise StudyError(f"a study folder has one writer at a time; got {folder}, which this process runs already.")
        _held.add(path)
    try:
        lock = _locked(path, folder)
        try:
            writer = f"process {os.getpid()} on {socket.gethostname()} since {time.strftime('%Y-%m-%d %H:%M:%S')}\n"
            with suppress(OSError):  # it serves the message of others alone
                (path / WRITER_FILE).write_text(writer, encoding="utf-8")
            yield
        finally:
            lock.release()
    finally:
        with _held_guard:
            _held.discard(path)


def _refuse_links(folder: Path) -> None:
    """Refuse a folder in which writing to a file of the study would write to a file elsewhere, or wait for a reader."""
    for path in (folder / name for name in (LOCK_FILE, WRITER_FILE, LOG_FILE, MANIFEST_FILE)):
        if path.is_symlink():
            raise StudyError(f"a file of a study must not be a link; got {path}, which leads to {os.readlink(path)}.")
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise StudyError(f"a file of a study must be a plain file; got {path}, which is a pipe or a device.")


def _locked(path: Path, folder: Path) -> InterProcessLock:
    """Take the lock of a folder, or refuse at once."""
    lock = InterProcessLock(path / LOCK_FILE)
    try:
        if lock.acquire(blocking=False):
            return lock
    except threading.ThreadError as error:  # every error of the system but "locked by another process"
        raise StudyError(f"a study folder must be where files can be locked; got {folder}: {error}") from error
    finally:
        if not lock.acquired and lock.lockfile is not None:
            lock.lockfile.close()
    writer = ""
    with suppress(OSError):  # the other process may just have taken the lock and not yet written its name
        writer = (path / WRITER_FILE).read_text(encoding="utf-8", errors="replace").strip()
    raise StudyError(
        f"a study folder has one writer at a time; got {folder}, which is in use by {writer or 'another process'}. "
        "Wait for it, or stop it."
    )
