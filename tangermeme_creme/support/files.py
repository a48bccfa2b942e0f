"""Write files whole or not at all, and read files that may be gzipped."""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]|\r(?!\r*\n?$)")  # control characters, and line ends of old Macs


def replace_file(path: Path, write: Callable[[Path], object], *, durable: bool = False) -> Path:
    """Write a file under another name and then rename it to `path`, so that `path` never holds half a file.

    Parameters
    ----------
    path: Path
        In a folder that exists.

    write: callable
        Gets the temporary path, `.NAME.PROCESS.tmp` beside `path`, and writes it.

    durable: bool, optional
        Whether to wait until the file and its name are on the disk, so that a power failure cannot lose them. Default
        is False.

    Returns
    -------
    path: Path

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     replace_file(Path(folder) / "a.txt", lambda path: path.write_text("whole")).read_text()
    'whole'
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        if durable:
            with open(temporary, "r+b") as file:  # Windows flushes only files that are open for writing
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if error.filename is not None and Path(error.filename) == temporary:
            error.filename = str(path)  # the caller knows no other name
        raise
    finally:
        with suppress(OSError):  # it was renamed, or its folder is missing or read-only
            temporary.unlink()
    if durable:
        _sync_folder(path.parent)
    return path


def write_durably(path: Path, data: bytes) -> None:
    """Write bytes to a file, whole or not at all, and wait until they are on the disk. Missing folders are made.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_durably(Path(folder) / "new" / "a", b"whole")
    ...     (Path(folder) / "new" / "a").read_bytes()
    b'whole'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, lambda temporary: temporary.write_bytes(data), durable=True)


@contextmanager
def open_bytes(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file that may be gzipped, and read its uncompressed bytes. Its first bytes say whether it is gzipped.

    Raises
    ------
    ValueError
        While reading, if the compressed data end early or are damaged; the message names the file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.txt"
    ...     _ = path.write_bytes(gzip.compress(b"text"))
    ...     with open_bytes(path) as file:
    ...         file.read()
    b'text'
    """
    with open(path, "rb") as plain:
        compressed = plain.read(2) == b"\x1f\x8b"
        plain.seek(0)
        if not compressed:
            yield plain
            return
        with gzip.open(plain) as file:
            try:
                yield file  # type: ignore[misc]
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise ValueError(
                    f"a gzipped file must be whole; got {os.fspath(path)}, whose end is missing or damaged "
                    f"({error}): copy or download it again."
                ) from error


def text_lines(path: str | os.PathLike[str]) -> Iterator[tuple[int, str]]:
    """Read the lines of a text file that may be gzipped, with their numbers from 1 and without their line ends.

    Raises
    ------
    ValueError
        While reading, if a line has control characters or is not UTF-8; the message names the file and the line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.bed"
    ...     _ = path.write_bytes(b"chr1\\t5\\t9\\r\\n")
    ...     list(text_lines(path))
    [(1, 'chr1\\t5\\t9')]
    """
    with open_bytes(path) as file:
        for number, line in enumerate(file, start=1):
            bad = [match.start() for match in [_NOT_TEXT.search(line)] if match]
            text = ""
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                bad.append(error.start)
            if bad:
                raise ValueError(
                    "a text file must be UTF-8 with a line feed at the end of each line; got byte "
                    f"{line[min(bad)]:#04x} in line {number} of {os.fspath(path)}."
                )
            yield number, text.rstrip("\r\n")


def line_at(path: str | os.PathLike[str], offset: int) -> int:
    """Return the number, from 1, of the line that starts at a byte of a file; bytes are counted uncompressed."""
    lines = 1
    with open_bytes(path) as file:
        while offset > 0 and (block := file.read(min(offset, 2**20))):
            lines += block.count(b"\n")
            offset -= len(block)
    return lines


def _sync_folder(folder: Path) -> None:
    """Wait until the names of files in a folder are on the disk; on Windows, which cannot open folders, do nothing."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
