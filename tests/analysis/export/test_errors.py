"""Test refused rows, and that a failed write leaves the old file and no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import figwig
import numpy as np
import pandas as pd
import pytest

import tangermeme_creme.analysis.export.browser_fields as browser_fields
import tangermeme_creme.analysis.export.tracks as tracks
from tangermeme_creme.analysis.export import (
    tile_pair_links,
    write_bedgraph,
    write_bedpe,
    write_bigwig,
    write_cres,
    write_interact,
    write_kept,
)

TABLE = pd.DataFrame(
    {"chrom": ["chr1", "chr1", "chr2"], "start": [0, 10, 3], "end": [5, 20, 7], "strand": ["+", "-", "."]}
).assign(cre="enhancer", example="a", effect=[0.1, 0.2, 0.3])
SIZES = {"chr1": 20, "chr2": 7}
PAIRS = TABLE.rename(columns={"start": "start_1", "end": "end_1"}).assign(start_2=30, end_2=40)

Write = Callable[[pd.DataFrame, Path], Path]
WRITERS: dict[str, Write] = {
    "cres": lambda table, path: write_cres(table, path, effect="effect"),
    "kept": lambda table, path: write_kept(table, path, effect="effect"),
    "bedgraph": lambda table, path: write_bedgraph(table, path, value="effect", combine="mean"),
    "bigwig": lambda table, path: write_bigwig(table, path, SIZES, value="effect", combine="mean"),
}
PLACE = "chrom must be a name without white space or quotes that does not start as a header"
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"chrom": ["chr1", "", "chr2"]}, f"{PLACE}.*; got '' at row 1"),
    "white space": ({"chrom": ["chr1", "chr 1", "chr2"]}, f"{PLACE}.*; got 'chr 1' at row 1"),
    "tab": ({"chrom": ["chr1\t", "chr1", "chr2"]}, rf"{PLACE}.*; got 'chr1\\t' at row 0"),
    "line": ({"chrom": ["chr1", "chr1", "chr1\n"]}, rf"{PLACE}.*; got 'chr1\\n' at row 2"),
    "missing": ({"chrom": ["chr1", None, "chr2"]}, f"{PLACE}.*; got (None|nan) at row 1"),
    "fraction as a name": ({"chrom": [1.5, 1.0, 2.0]}, f"{PLACE}.*; got 1.5 at row 0"),
    "comment": ({"chrom": ["#chr1", "chr1", "chr2"]}, f"{PLACE}.*; got '#chr1' at row 0"),
    "header": ({"chrom": ["chr1", "track", "chr2"]}, f"{PLACE}.*; got 'track' at row 1"),
    "negative": ({"start": [0, -1, 3]}, r"start must be whole bp from 0 to 2\*\*32 - 1; got -1 at row 1"),
    "fraction": ({"start": [0, 10.5, 3]}, "start must be whole bp .*; got 10.5 at row 1"),
    "no end": ({"end": [5, np.nan, 7]}, "end must be whole bp .*; got nan at row 1"),
    "far": ({"end": [5, 20, 2**32]}, "end must be whole bp .*; got 4294967296 at row 2"),
    "infinite": ({"end": [5, np.inf, 7]}, "end must be finite; got inf at row 1"),
    "text": ({"end": [5, "x", 7]}, "end must be numbers; got x at row 1"),
    "flag": ({"start": [False, True, True]}, "start must be numbers; got False at row 0"),
    "empty": ({"end": [5, 10, 7]}, r"end must be above start; got \[10, 10\) at row 1"),
    "turned": ({"end": [5, 20, 2]}, r"end must be above start; got \[3, 2\) at row 2"),
    "effect": ({"effect": [0.1, np.inf, 0.3]}, "effect must be finite; got inf at row 1"),
    "effect as text": ({"effect": [0.1, 0.2, "high"]}, "effect must be numbers; got high at row 2"),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("name", BAD)
def test_bad_rows_are_named(writer: str, name: str, tmp_path: Path) -> None:
    columns, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        WRITERS[writer](TABLE.assign(**columns), tmp_path / "a")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("column", ["chrom", "start", "end", "effect"])
def test_missing_columns_are_named(writer: str, column: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"table must have column '{column}'; got "):
        WRITERS[writer](TABLE.drop(columns=column), tmp_path / "a")


@pytest.mark.parametrize("writer", ["cres", "kept"])
def test_bed_refuses_no_effect_and_strange_strands(writer: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"effect must have no NaN \(leave such rows out\); got nan at row 2"):
        WRITERS[writer](TABLE.assign(effect=[0.1, 0.2, np.nan]), tmp_path / "a")
    with pytest.raises(ValueError, match=r"strand must be '\+', '-' or '\.'; got 'plus' at row 1"):
        WRITERS[writer](TABLE.assign(strand=["+", "plus", "-"]), tmp_path / "a")


@pytest.mark.parametrize(("cre", "seen"), [("Enhancer", "'Enhancer'"), (None, "None"), (np.nan, "nan"), (1, "1")])
def test_cres_refuse_other_classes(cre: Any, seen: str, tmp_path: Path) -> None:
    table = TABLE.assign(cre=pd.Series(["enhancer", cre, "silencer"], dtype=object))
    with pytest.raises(ValueError, match=f"cre must be one of enhancer, silencer, neutral; got {seen} at row 1"):
        write_cres(table, tmp_path / "a", effect="effect")
    with pytest.raises(ValueError, match="column 'label'"):
        write_cres(TABLE, tmp_path / "a", effect="effect", labels="label")


def test_whole_floats_and_categories_are_taken(tmp_path: Path) -> None:
    table = TABLE.astype({"start": float, "end": "Int64", "chrom": "category", "cre": "category", "strand": "string"})
    for write in WRITERS.values():
        assert write(table, tmp_path / "a").read_bytes() == write(TABLE, tmp_path / "b").read_bytes()


def bigwig(path: Path, sizes: Any = SIZES, **columns: Any) -> Path:
    return write_bigwig(TABLE.assign(**columns), path, sizes, value="effect")


def test_bigwig_refuses_what_is_not_on_the_genome(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="end must be at most 20 on chr1; got 21 at row 1"):
        bigwig(tmp_path / "a", end=[5, 21, 7])
    with pytest.raises(ValueError, match="end must be at most 7 on chr2; got 8 at row 2"):
        bigwig(tmp_path / "a", end=[5, 20, 8], effect=np.nan)
    with pytest.raises(ValueError, match="chrom must be in chrom_sizes; got 'chr2' at row 2"):
        bigwig(tmp_path / "a", {"chr1": 20})
    with pytest.raises(ValueError, match="chrom_sizes of chr3 must be at least 1; got 0"):
        bigwig(tmp_path / "a", {**SIZES, "chr3": 0})
    with pytest.raises(ValueError, match=r"chrom_sizes of chr3 must be an integer; got 1\.5"):
        bigwig(tmp_path / "a", {**SIZES, "chr3": 1.5})
    with pytest.raises(ValueError, match=r"effect must be within float32; got -1e\+39 at row 0"):
        bigwig(tmp_path / "a", effect=[-1e39, 0, 0])
    assert not list(tmp_path.iterdir())


def test_bigwig_without_a_value_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="value that is not NaN for a bigWig; got 3 rows without"):
        bigwig(tmp_path / "a", effect=np.nan)
    with pytest.raises(ValueError, match="got 0 rows without"):
        write_bigwig(TABLE[:0], tmp_path / "a", SIZES, value="effect")


class Broken:
    """Sort, but fail to be written."""

    def __str__(self) -> str:
        raise OSError("disk full")


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    links = tile_pair_links(PAIRS, effect="effect")
    writers: dict[str, Callable[[Path], Path]] = {
        **{name: lambda path, write=write: write(TABLE, path) for name, write in WRITERS.items()},
        "interact": lambda path: write_interact(links, path),
        "bedpe": lambda path: write_bedpe(links, path),
    }
    before = {name: write(tmp_path / name).read_bytes() for name, write in writers.items()}
    plain = browser_fields.write_rows

    def fails_late(path: Any, header: str, columns: Any, *, keys: int = 3) -> Path:
        return plain(path, header, [*columns, [*["fine"] * (len(columns[0]) - 1), Broken()]], keys=keys)

    class Writer(figwig.BigWigWriter):
        def write(self, *args: Any, **kwargs: Any) -> None:
            super().write(*args, **kwargs)
            raise OSError("disk full")

    for module in ("bed", "tracks", "links"):
        monkeypatch.setattr(f"tangermeme_creme.analysis.export.{module}.write_rows", fails_late)
    monkeypatch.setattr(tracks, "BigWigWriter", Writer)
    for name, write in writers.items():
        with pytest.raises(OSError, match="disk full"):
            write(tmp_path / name)
        with pytest.raises(OSError, match="disk full"):
            write(tmp_path / f"new {name}")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    for write in WRITERS.values():
        with pytest.raises(FileNotFoundError, match="nowhere"):
            write(TABLE, tmp_path / "nowhere" / "a")
