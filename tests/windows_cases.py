"""Pretend that this process runs on Windows, as far as the store of a study can tell the difference.

`fcntl` is missing, folders cannot be opened, and files are locked with `msvcrt.locking`, which locks bytes from the
position of the file on. The locks themselves are those of this system, so that they hold between processes.
"""

from __future__ import annotations

import errno
import os
import sys
from types import ModuleType
from typing import Any

LK_UNLCK, LK_NBLCK = 0, 2


def pretend_windows() -> None:
    """Change this process for good, before it imports the package."""
    import fcntl

    def locking(descriptor: int, mode: int, n_bytes: int) -> None:
        kind = fcntl.LOCK_UN if mode == LK_UNLCK else fcntl.LOCK_EX | fcntl.LOCK_NB
        fcntl.lockf(descriptor, kind, n_bytes, os.lseek(descriptor, 0, os.SEEK_CUR), os.SEEK_SET)

    system_open = os.open

    def open_no_folder(path: Any, *arguments: Any, **options: Any) -> int:
        if os.path.isdir(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return system_open(path, *arguments, **options)

    msvcrt: Any = ModuleType("msvcrt")
    msvcrt.locking, msvcrt.LK_NBLCK, msvcrt.LK_UNLCK = locking, LK_NBLCK, LK_UNLCK
    # fasteners needs these for locks of readers and writers only, which the package does not use.
    unused = ["fasteners.pywin32", *(f"fasteners.pywin32.{name}" for name in ("pywintypes", "win32con", "win32file"))]
    fakes = {"msvcrt": msvcrt, **{name: ModuleType(name) for name in unused}}
    sys.modules |= fakes
    name, os.name = os.name, "nt"
    try:
        import fasteners.process_mechanism
    finally:
        os.name = name
    for module in fakes:  # other packages are not to take this for Windows
        del sys.modules[module]
    assert isinstance(
        fasteners.process_mechanism._interprocess_mechanism, fasteners.process_mechanism._WindowsInterProcessMechanism
    )
    sys.modules["fcntl"] = None  # type: ignore[assignment]
    del os.O_DIRECTORY
    os.open = open_no_folder
