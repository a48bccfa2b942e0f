"""Fields of the files that genome browsers read: named, scored, coloured, sorted and written whole."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ...support import replace_file

# Vermilion, blue and grey of the Okabe-Ito palette, that of `view.plot`: told apart with any colour vision.
CRE_COLORS = {"enhancer": "#D55E00", "silencer": "#0072B2", "neutral": "#999999"}


def classes(table: pd.DataFrame) -> np.ndarray:
    """Column `cre` as an array of str.

    Raises
    ------
    ValueError
        If one is none of `CRE_COLORS`.

    Examples
    --------
    >>> classes(pd.DataFrame({"cre": ["silencer"]})).tolist()
    ['silencer']
    """
    values = table["cre"].to_numpy(dtype=object)
    for row, value in enumerate(values):
        if not isinstance(value, str) or value not in CRE_COLORS:
            raise ValueError(f"cre must be one of {', '.join(CRE_COLORS)}; got {value!r} at row {row}.")
    return values


def field(text: str) -> str:
    """A name that is one field to every reader: those of UCSC and IGV split some formats at any white space.

    Examples
    --------
    >>> field('HLA "A"\\tlike'), field(" ")
    ("HLA_'A'_like", '.')
    """
    return "_".join(_one_line(text).split()) or "."


def quoted(text: str) -> str:
    """A value of a track line. No reader of one takes escaped quotes, so inner ones become single.

    Examples
    --------
    >>> print(quoted('a "b"\\nc'))
    "a 'b' c"
    """
    return f'"{_one_line(text)}"'


def track(name: str, description: str | None, kind: str | None = None) -> str:
    """The start of a track line: https://genome.ucsc.edu/goldenPath/help/customTrack.html#TRACK.

    Examples
    --------
    >>> print(track("CREs", None, "bedGraph"))
    track type=bedGraph name="CREs" description="CREs"
    """
    label = quoted(name if description is None else description)
    return f"track{'' if kind is None else f' type={kind}'} name={quoted(name)} description={label}"


def _one_line(text: str) -> str:
    """Without line breaks, tabs and other control characters, double quotes, and backslashes, which escape in UCSC."""
    plain = "".join(letter if letter.isprintable() else " " for letter in str(text))
    return " ".join(plain.replace('"', "'").replace("\\", "/").split())


def scores(effect: np.ndarray) -> np.ndarray:
    """BED scores, 0 to 1000: absolute effects in thousandths, so that files can be compared with each other.

    Examples
    --------
    >>> scores(np.array([0.25, -0.4996, 7.0]))
    array([ 250,  500, 1000])
    """
    return np.rint(1000 * np.minimum(np.abs(effect), 1)).astype(np.int64)


def sign_colors(effect: np.ndarray) -> list[str]:
    """Colours of effects that raise activity, lower it, or are 0.

    Examples
    --------
    >>> sign_colors(np.array([2.0, -1.0, 0.0]))
    ['#D55E00', '#0072B2', '#999999']
    """
    by_sign = {1: "enhancer", -1: "silencer", 0: "neutral"}
    return [CRE_COLORS[by_sign[int(sign)]] for sign in np.sign(effect)]


def rgb(color: str) -> str:
    """`#RRGGBB` as UCSC writes it in BED and track lines.

    Examples
    --------
    >>> rgb("#D55E00")
    '213,94,0'
    """
    return ",".join(str(byte) for byte in bytes.fromhex(color[1:]))


def write_rows(path: str | os.PathLike[str], header: str, columns: Sequence[Any], *, keys: int = 3) -> Path:
    """Write rows in tabs under a header, sorted by the first `keys` columns; rows that tie keep their order.

    Chromosomes are sorted by their names as text, as UCSC's tools expect ("chr10" before "chr2").

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_rows(Path(folder) / "a.bed", "#bed", [["chr2", "chr10"], [0, 3], [5, 9]])
    ...     path.read_text().splitlines()
    ['#bed', 'chr10\\t3\\t9', 'chr2\\t0\\t5']
    """
    rows = sorted(zip(*columns), key=lambda row: row[:keys])

    def write(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(header + "\n")
            file.writelines("\t".join(map(str, row)) + "\n" for row in rows)

    return replace_file(Path(path), write)
