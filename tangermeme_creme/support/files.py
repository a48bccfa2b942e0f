"""Files that are there whole, or not at all; and files that are read whole, or not at all."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


def replace_file(path: Path, write: Callable[[Path], object]) -> Path:
    """Write a file under another name and then move it to `path`, so that nothing half-written is ever there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     replace_file(Path(folder) / "a.txt", lambda path: path.write_text("whole")).read_text()
    'whole'
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        os.replace(temporary, path)
    except OSError as error:
        if error.filename is not None and Path(error.filename) == temporary:
            error.filename = str(path)  # what the caller asked for
        raise
    finally:
        with suppress(OSError):  # in a folder that is not there, or cannot be written to
            temporary.unlink()
    return path


@contextmanager
def open_bytes(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file that may be gzipped, which its first bytes tell, and read what is in it.

    Raises
    ------
    ValueError
        If what was compressed ends early or is damaged, while it is read; the message names the file.

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
                    f"a gzipped file must be whole; got {os.fspath(path)}, of which the end is missing or damaged "
                    f"({error}): copy or download it again."
                ) from error


def line_at(path: str | os.PathLike[str], offset: int) -> int:
    """The number of the line, from 1, that starts at a byte of what is in a file."""
    lines = 1
    with open_bytes(path) as file:
        while offset > 0 and (block := file.read(min(offset, 2**20))):
            lines += block.count(b"\n")
            offset -= len(block)
    return lines
