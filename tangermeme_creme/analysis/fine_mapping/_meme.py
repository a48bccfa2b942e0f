"""Read motifs from a file in MEME format, also where widths are left out, which the format allows."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from ...support import shown, text_lines

_WIDTH = re.compile(r"\bw=\s*(\S+)")


def read_meme(path: Path) -> dict[str, np.ndarray]:
    """Read the letter-probability matrix of each motif, shape (4, w), by the words of its MOTIF line.

    Format: https://meme-suite.org/meme/doc/meme-format.html. Without ``w=`` a matrix has the rows up to the first line
    that is no row.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.

    ValueError
        If the file has no motif, a motif has no name, no matrix, or fewer rows than its width, or two have one name;
        the message names the file and the line or the motif.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".meme") as file:
    ...     _ = file.write("MOTIF M1 GATA1\\nletter-probability matrix: alength= 4\\n1 0 0 0\\n0 0 0.5 0.5\\n")
    ...     file.flush()
    ...     read_meme(Path(file.name))["M1 GATA1"].T.tolist()
    [[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    motifs: dict[str, np.ndarray] = {}
    # Of the motif whose lines are read; there are no rows before its matrix.
    name, width, ended = "", None, False
    rows: list[list[float]] | None = None

    def finish() -> None:
        if name and rows is None:
            raise ValueError(f"motifs must have a letter-probability matrix; got none for {shown(name)} in {path}.")
        if name and (not rows or (width is not None and len(rows) < width)):
            raise ValueError(f"motifs must have as many rows as their width; got fewer for {shown(name)} in {path}.")
        if name:
            motifs[name] = np.array(rows).T

    for number, text in text_lines(path):
        words = text.split()
        if words[:1] == ["MOTIF"]:
            finish()
            name, width, rows, ended = " ".join(words[1:]), None, None, False
            if not name:
                raise ValueError(f"motifs must have a name; got none in line {number} of {path}.")
            if name in motifs:
                raise ValueError(f"motifs must have different names; got {shown(name)} twice in {path}.")
        elif name and rows is None and words[:1] == ["letter-probability"]:
            width, rows = _width(text, number, path), []
        elif rows is not None and not ended:
            ended = len(rows) == width or not words or (width is None and not _is_number(words[0]))
            if not ended:
                rows.append(_row(words, text, number, path))
    finish()
    if not motifs:
        raise ValueError(f"motifs must be a file in MEME format with at least one motif; got none in {path}.")
    return motifs


def _width(text: str, number: int, path: Path) -> int | None:
    match = _WIDTH.search(text)
    if match and not (match[1].isascii() and match[1].isdigit() and 0 < len(match[1]) < 10 and int(match[1]) > 0):
        _refuse("w= must be the number of rows", text, number, path)
    return int(match[1]) if match else None


def _row(words: list[str], text: str, number: int, path: Path) -> list[float]:
    if len(words) != 4 or not all(map(_is_number, words)):
        _refuse("each row must be four numbers", text, number, path)
    return [float(word) for word in words]


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False


def _refuse(rule: str, text: str, number: int, path: Path) -> Any:
    raise ValueError(
        f"motifs must be a file in MEME format; got {path}, in which {rule}: {shown(text)} in line {number}."
    )
