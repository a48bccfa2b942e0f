"""Test BED, bedGraph and bigWig files, read back by bioframe and pybigtools."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bioframe
import numpy as np
import pandas as pd
import pybigtools
import pytest

from tangermeme_creme.analysis.export import CRE_COLORS, write_bedgraph, write_bigwig, write_cres, write_kept

CRES = pd.DataFrame(
    {
        "chrom": ["chr2", "chr10", "chr1", "chr1", "chr1"],
        "start": [5, 0, 300, 20, 20],
        "end": [9, 7, 320, 90, 30],
        "cre": ["enhancer", "silencer", "neutral", "silencer", "enhancer"],
        "strand": ["+", "-", None, ".", "+"],
        "gene_name": ["GATA1", "MYC", None, "HLA A", "LMO2"],
        "over_wt": [0.3456, -0.25, 0.0, -7.0, 0.0004],
    },
    index=list("edcba"),
)
TILES = pd.DataFrame(
    {
        "chrom": ["chr2", "chr10", "chr1", "chr1", "chr1"],
        "start": [5, 0, 300, 20, 90],
        "end": [9, 7, 320, 90, 95],
        "effect": [0.1, -1 / 3, 0.0, np.nan, 1e-7],
    }
)
SIZES = {"chr1": 320, "chr2": 1000, "chr10": 7, "chr3": 5}


def read(path: Path, schema: Any) -> pd.DataFrame:
    return bioframe.read_table(path, schema=schema, skiprows=1)


def test_cres_read_back_as_bed9(tmp_path: Path) -> None:
    before = CRES.copy()
    path = write_cres(CRES, str(tmp_path / "a.bed"), effect="over_wt", name="K562", description="Called at 0.3")
    assert path == tmp_path / "a.bed" and CRES.equals(before)
    header = path.read_text().splitlines()[0]
    assert header == 'track name="K562" description="Called at 0.3" visibility=pack itemRgb="On"'
    bed = read(path, "bed9")
    expected = CRES.sort_values(["chrom", "start", "end"])
    assert bed["chrom"].tolist() == ["chr1", "chr1", "chr1", "chr10", "chr2"]
    for column, same in {"start": "start", "end": "end", "thickStart": "start", "thickEnd": "end"}.items():
        assert bed[column].tolist() == expected[same].tolist()
    names = ["LMO2:enhancer", "HLA_A:silencer", "neutral", "MYC:silencer", "GATA1:enhancer"]
    assert bed["name"].tolist() == names
    assert bed["score"].tolist() == [0, 1000, 0, 250, 346]
    assert bed["strand"].tolist() == ["+", ".", ".", "-", "+"]
    colors = bed["itemRgb"].map(lambda text: "#" + "".join(f"{int(byte):02X}" for byte in text.split(",")))
    assert colors.tolist() == [CRE_COLORS[cre] for cre in expected["cre"]]


def test_cres_take_names_from_a_column_and_need_no_genes(tmp_path: Path) -> None:
    given = CRES.assign(label=["a b", 'c"d"', "e\tf\ng", " ", None]).drop(columns=["strand", "gene_name"])
    bed = read(write_cres(given, tmp_path / "a.bed", effect="over_wt", labels="label"), "bed9")
    assert dict(zip(bed["start"].astype(str) + "-" + bed["end"].astype(str), bed["name"])) == {
        "5-9": "a_b", "0-7": "c'd'", "300-320": "e_f_g", "20-90": ".", "20-30": ".",
    }  # fmt: skip
    assert set(bed["strand"]) == {"."}
    bed = read(write_cres(given, tmp_path / "a.bed", effect="over_wt"), "bed9")
    assert bed["name"].tolist() == ["enhancer", "silencer", "neutral", "silencer", "enhancer"]


@pytest.mark.parametrize("write", ["cres", "kept", "bedgraph"])
@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ('a "b" c', "a 'b' c"),
        ("tabs\tand\r\nlines\u2028too\x00", "tabs and lines too"),
        ("ends in \\", "ends in /"),
        ("it's Größe", "it's Größe"),
        ('"', "'"),
    ],
)
def test_names_of_tracks_stay_one_quoted_value(write: str, name: str, seen: str, tmp_path: Path) -> None:
    writers: dict[str, Callable[..., Path]] = {
        "cres": lambda path, **kwargs: write_cres(CRES, path, effect="over_wt", **kwargs),
        "kept": lambda path, **kwargs: write_kept(CRES.assign(example="x"), path, **kwargs),
        "bedgraph": lambda path, **kwargs: write_bedgraph(TILES, path, value="effect", **kwargs),
    }
    path = writers[write](tmp_path / "a", name=name)
    lines = path.read_bytes().decode().split("\n")
    rows = 4 if write == "bedgraph" else 5
    assert len(lines) == rows + 2 and all(len(line.split("\t")) >= 4 for line in lines[1:-1])
    assert f' name="{seen}" description="{seen}" ' in lines[0]
    assert lines[0].count('"') == (6 if write == "cres" else 4)


def test_kept_bases_read_back_as_bed6(tmp_path: Path) -> None:
    kept = pd.DataFrame(
        {"chrom": [2, 2, 1], "start": [50, 10, 7], "end": [60, 20, 17], "strand": list("+-+"), "example": ["b", "b", 0]}
    )
    path = write_kept(kept, tmp_path / "kept.bed", name="Kept")
    assert path.read_text().splitlines()[0] == 'track name="Kept" description="Kept" visibility=pack'
    bed = read(path, "bed6")
    assert bed.to_numpy().tolist() == [
        [1, 7, 17, "0", 1000, "+"], [2, 10, 20, "b", 1000, "-"], [2, 50, 60, "b", 1000, "+"],
    ]  # fmt: skip
    path = write_kept(kept.assign(weight=[0.1, 0.2, -0.3]), tmp_path / "kept.bed", effect="weight")
    assert path.read_text().splitlines()[0].endswith(" useScore=1")
    assert read(path, "bed6")["score"].tolist() == [300, 200, 100]


@pytest.mark.parametrize("dtype", ["float64", "float32", "Float64", "Float32", "object", "category"])
def test_bedgraph_reads_back_the_same_values(dtype: str, tmp_path: Path) -> None:
    tiles = TILES.assign(effect=TILES["effect"].astype(dtype))
    path = write_bedgraph(tiles, tmp_path / "a.bedgraph", value="effect")
    header = path.read_text().splitlines()[0]
    assert header.startswith('track type=bedGraph name="effect" description="effect" visibility=full')
    got = bioframe.read_table(path, schema="bedGraph", skiprows=1, converters={"value": float})
    expected = tiles[TILES["effect"].notna()].sort_values(["chrom", "start"])
    for column in ("chrom", "start", "end"):
        assert got[column].tolist() == expected[column].tolist()
    kept = "float32" if dtype.lower() == "float32" else "float64"
    assert got["value"].astype(kept).tolist() == expected["effect"].astype(kept).tolist()
    assert "0.33333334\n" in path.read_text() or kept == "float64"


def test_bedgraph_of_counts(tmp_path: Path) -> None:
    path = write_bedgraph(TILES.assign(effect=[3, -2, 0, 1, 7]), tmp_path / "a.bedgraph", value="effect")
    assert read(path, "bedGraph")["value"].tolist() == [1, 7, 0, -2, 3]


@pytest.mark.parametrize("sizes", [SIZES, pd.Series(SIZES)], ids=["dict", "Series"])
def test_bigwig_reads_back_the_same_values_zeros_too(sizes: Any, tmp_path: Path) -> None:
    path = write_bigwig(TILES, tmp_path / "a.bw", sizes, value="effect")
    with pybigtools.open(str(path)) as file:
        assert list(file.chroms().items()) == list(SIZES.items())
        got = {name: list(file.records(name)) for name in SIZES}
    expected: dict[str, list[Any]] = {name: [] for name in SIZES}
    for row in TILES.dropna().sort_values("start").itertuples():
        expected[row.chrom].append((row.start, row.end, float(np.float32(row.effect))))
    assert got == expected and got["chr1"][1] == (300, 320, 0.0)


def test_bigwig_and_bedgraph_hold_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    start = rng.integers(0, 900, 200)
    tiles = pd.DataFrame({"chrom": rng.choice(["chr1", "chr2"], 200), "start": start, "end": start + 50})
    tiles["effect"] = rng.normal(size=200).astype(np.float32)
    sizes = {"chr2": 1000, "chr1": 1000}
    for combine in ("mean", "extreme"):
        text = read(write_bedgraph(tiles, tmp_path / "a.bg", value="effect", combine=combine), "bedGraph")
        path = write_bigwig(tiles, tmp_path / "a.bw", sizes, value="effect", combine=combine)
        with pybigtools.open(str(path)) as file:
            for name in sizes:
                here = text[text["chrom"] == name].astype({"value": "float32"})
                assert list(file.records(name)) == list(zip(here["start"], here["end"], map(float, here["value"])))


@pytest.mark.parametrize("seed", range(3))
def test_order_of_rows_changes_no_byte(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    start = rng.permutation(3000)[:300]
    tiles = pd.DataFrame({"chrom": rng.choice(["chr1", "chr2"], 300), "start": start, "end": start + 20})
    tiles = tiles.assign(effect=rng.normal(size=300), cre="enhancer", example="a")
    other = tiles.sample(frac=1, random_state=seed)
    sizes = {"chr1": 4000, "chr2": 4000}
    writers: list[Callable[[pd.DataFrame, Path], Path]] = [
        lambda table, path: write_cres(table, path, effect="effect"),
        lambda table, path: write_kept(table, path),
        lambda table, path: write_bedgraph(table, path, value="effect", combine="mean"),
        lambda table, path: write_bedgraph(table, path, value="effect", combine="extreme"),
        lambda table, path: write_bigwig(table, path, sizes, value="effect", combine="mean"),
    ]
    for write in writers:
        assert write(tiles, tmp_path / "a").read_bytes() == write(other, tmp_path / "b").read_bytes()


def test_lines_at_one_place_keep_their_order(tmp_path: Path) -> None:
    kept = pd.DataFrame({"chrom": "chr1", "start": [9, 5, 5, 5], "end": [10, 9, 9, 9], "example": list("dcab")})
    assert read(write_kept(kept, tmp_path / "a.bed"), "bed6")["name"].tolist() == ["c", "a", "b", "d"]


def test_empty_tables_give_the_header_alone(tmp_path: Path) -> None:
    texts = [
        write_cres(CRES[:0], tmp_path / "a", effect="over_wt").read_text(),
        write_kept(CRES[:0].assign(example=""), tmp_path / "a").read_text(),
        write_bedgraph(TILES[:0], tmp_path / "a", value="effect").read_text(),
        write_bedgraph(TILES[3:4], tmp_path / "a", value="effect", combine="mean").read_text(),
    ]
    assert all(text.startswith("track ") and text.endswith("\n") and text.count("\n") == 1 for text in texts)


class OnlyPathLike:
    """Stand for a path that is only os.PathLike."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)


def test_paths_may_be_anything_that_is_one(tmp_path: Path) -> None:
    assert write_kept(CRES.assign(example=1), OnlyPathLike(tmp_path / "a.bed")) == tmp_path / "a.bed"
    assert write_bigwig(TILES, OnlyPathLike(tmp_path / "a.bw"), SIZES, value="effect").stat().st_size


def test_bigwig_has_the_names_of_the_genome(tmp_path: Path) -> None:
    one = write_bigwig(TILES, tmp_path / "a.bw", SIZES, value="effect").read_bytes()
    plain = TILES.assign(chrom=TILES["chrom"].str.removeprefix("chr"))
    assert write_bigwig(plain, tmp_path / "b.bw", SIZES, value="effect").read_bytes() == one
