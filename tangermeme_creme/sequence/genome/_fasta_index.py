"""Check that the index of a FASTA file fits the file, and find the line that cannot be indexed."""

from __future__ import annotations

import os
from pathlib import Path

_LONGEST_HEADER = 2**20  # bytes


def index_fits(path: str, index: Path) -> bool:
    """Return whether each record of an index begins after its header in the file, and the last ends with the file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path, index = f"{folder}/a.fa", Path(folder, "a.fa.fai")
    ...     _ = Path(path).write_text(">chr1 first\\nACGT\\nAC\\n"), index.write_text("chr1\\t6\\t12\\t4\\t5\\n")
    ...     fits = index_fits(path, index)
    ...     _ = Path(path).write_text(">chr1 1st\\nACGT\\nAC\\n")
    ...     fits, index_fits(path, index)
    (True, False)
    """
    try:
        records = _records(index)
    except ValueError:  # not an index
        return False
    size, end = os.path.getsize(path), 0
    with open(path, "rb") as file:
        for offset, name, length, bases, width in records:
            if not (end <= offset <= size and offset - end <= _LONGEST_HEADER and 0 <= bases <= width and length >= 0):
                return False
            file.seek(end)
            lines = [line for line in file.read(offset - end).split(b"\n") if line.strip() and line[:1] != b";"]
            if len(lines) != 1 or lines[0][:1] != b">" or lines[0][1:].split()[:1] != [name]:
                return False
            n_lines = -(-length // bases) if bases else 0
            if n_lines > 1:
                file.seek(offset + bases)
                if file.read(width - bases) not in (b"\n", b"\r\n"):
                    return False
            end = offset + length + n_lines * (width - bases)
        if not records:
            return False
        if end > size:  # the last line may lack its line end
            file.seek(size - 1)
            return end - size == width - bases and file.read(1) != b"\n"
        file.seek(end)
        rest = file.read(_LONGEST_HEADER)
    return not rest.strip()


def line_not_to_index(path: str) -> int | None:
    """Return the number of the first line that breaks a record: blank, or longer or shorter than the lines before.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".fa") as file:
    ...     _ = file.write(">chr1\\nACGT\\nAC\\nACGT\\n")
    ...     file.flush()
    ...     line_not_to_index(file.name)
    3
    """
    width, short = -1, 0  # the first line of a record has any width; `short` is the last line that may be shorter
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            text = line.strip()
            if text.startswith(b">"):
                width, short = 0, 0
                if text == b">":
                    return number
            elif width < 0:
                if text and not text.startswith(b";"):
                    return number
            elif short:
                return short
            else:
                width = width or len(text)
                if len(text) > width:
                    return number
                short = number if len(text) < width or not text else 0
    return None


def _records(index: Path) -> list[tuple[int, bytes, int, int, int]]:
    """Return the offset, the name, the length in bases, and the bases and bytes per line of each record, in order."""
    records = []
    for line in index.read_text(encoding="utf-8").splitlines():
        name, length, offset, bases, width = line.split("\t")  # ValueError if it has other columns
        records.append((int(offset), name.encode(), int(length), int(bases), int(width)))
    return sorted(records)
