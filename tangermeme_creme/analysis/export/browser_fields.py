"""Make the fields of files for genome browsers (names, scores, colours), and write sorted rows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ...support import replace_file, spreadsheet_text
from ..palette import CATEGORY_COLORS

CRE_COLORS = {kind: CATEGORY_COLORS[kind] for kind in ("enhancer", "silencer", "neutral")}


def cre_classes(table: pd.DataFrame) -> np.ndarray:
    """Return column `cre` as an array of str.

    Raises
    ------
    ValueError
        If a class is not in `CRE_COLORS`.

    Examples
    --------
    >>> cre_classes(pd.DataFrame({"cre": ["silencer"]})).tolist()
    ['silencer']
    """
    values = table["cre"].to_numpy(dtype=object)
    for row, value in enumerate(values):
        if not isinstance(value, str) or value not in CRE_COLORS:
            raise ValueError(f"cre must be one of {', '.join(CRE_COLORS)}; got {value!r} at row {row}.")
    return values


def one_field(text: str) -> str:
    """Make a name without white space, at which UCSC and IGV split the fields of some formats.

    A name that a spreadsheet would run as a formula gets an apostrophe before it.

    Examples
    --------
    >>> one_field('HLA "A"\\tlike'), one_field(" "), one_field("=1+2")
    ("HLA_'A'_like", '.', "'=1+2")
    """
    return spreadsheet_text("_".join(_one_line(text).split())) or "."


def quoted(text: str) -> str:
    """Quote a value of a track line; double quotes in the value become single, because readers accept no escapes.

    Examples
    --------
    >>> print(quoted('a "b"\\nc'))
    "a 'b' c"
    """
    return f'"{_one_line(text)}"'


def track_line(name: str, description: str | None, kind: str | None = None) -> str:
    """Make the start of a track line: https://genome.ucsc.edu/goldenPath/help/customTrack.html#TRACK.

    Examples
    --------
    >>> print(track_line("CREs", None, "bedGraph"))
    track type=bedGraph name="CREs" description="CREs"
    """
    label = quoted(name if description is None else description)
    return f"track{'' if kind is None else f' type={kind}'} name={quoted(name)} description={label}"


def _one_line(text: str) -> str:
    """Replace control characters, double quotes, and backslashes, which UCSC reads as escapes."""
    plain = "".join(letter if letter.isprintable() else " " for letter in str(text))
    return " ".join(plain.replace('"', "'").replace("\\", "/").split())


def bed_scores(effect: np.ndarray) -> np.ndarray:
    """Compute BED scores, 0 to 1000: absolute effects in thousandths, so that the scores of files can be compared.

    Examples
    --------
    >>> bed_scores(np.array([0.25, -0.4996, 7.0]))
    array([ 250,  500, 1000])
    """
    return np.rint(1000 * np.minimum(np.abs(effect), 1)).astype(np.int64)


def sign_colors(effect: np.ndarray) -> list[str]:
    """Return a colour per effect, by its sign: above 0, below 0, or 0.

    Examples
    --------
    >>> sign_colors(np.array([2.0, -1.0, 0.0]))
    ['#E0661C', '#0072B2', '#A6A6A6']
    """
    by_sign = {1: "enhancer", -1: "silencer", 0: "neutral"}
    return [CRE_COLORS[by_sign[int(sign)]] for sign in np.sign(effect)]


def rgb(color: str) -> str:
    """Convert `#RRGGBB` to the format of colours in BED and track lines.

    Examples
    --------
    >>> rgb("#E0661C")
    '224,102,28'
    """
    return ",".join(str(byte) for byte in bytes.fromhex(color[1:]))


def write_rows(path: str | os.PathLike[str], header: str, columns: Sequence[Any], *, keys: int = 3) -> Path:
    """Write tab-separated rows under a header, sorted by the first `keys` columns; rows that tie keep their order.

    Chromosomes are sorted by name as text, as the tools of UCSC expect ("chr10" before "chr2").

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_rows(Path(folder) / "a.bed", "#bed", [["chr2", "chr10"], [0, 3], [5, 9]])
    ...     path.read_text().splitlines()
    ['#bed', 'chr10\\t3\\t9', 'chr2\\t0\\t5']

    Raises
    ------
    ValueError
        If a chromosome begins like a formula of a spreadsheet.
    """
    for row, chrom in enumerate(columns[0]):
        if spreadsheet_text(str(chrom)) != str(chrom):
            raise ValueError(f"chrom must not begin like a formula of a spreadsheet; got {chrom!r} at row {row}.")
    rows = sorted(zip(*columns), key=lambda row: row[:keys])

    def write(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(header + "\n")
            file.writelines("\t".join(map(str, row)) + "\n" for row in rows)

    return replace_file(Path(path), write)
