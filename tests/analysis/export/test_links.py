"""Test links in interact files, read back by pandas, and in BEDPE files, read back by bioframe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bioframe
import numpy as np
import pandas as pd
import pytest

from tangermeme_creme.analysis.export import (
    CRE_COLORS,
    LINK_COLUMNS,
    cre_gene_links,
    tile_pair_links,
    write_bedpe,
    write_interact,
)

INTERACT = [  # https://genome.ucsc.edu/goldenPath/help/examples/interact/interact.as
    "chrom", "chromStart", "chromEnd", "name", "score", "value", "exp", "color",
    "sourceChrom", "sourceStart", "sourceEnd", "sourceName", "sourceStrand",
    "targetChrom", "targetStart", "targetEnd", "targetName", "targetStrand",
]  # fmt: skip
CRES = pd.DataFrame(
    {
        "chrom": ["chr2", "chr1", "chr1"],
        "start": [500, 900, 0],
        "end": [550, 950, 50],
        "tss": [100, 400, 400],
        "strand": ["-", "+", "+"],
        "gene_name": ["MYC", "GATA 1", None],
        "cre": ["silencer", "enhancer", "neutral"],
        "effect": [-0.1, 1 / 3, 0.0],
    },
    index=[7, 7, 3],
)
PAIRS = pd.DataFrame(
    {
        "chrom": ["chr1", "chr1", "chr2"],
        "start_1": [70, 0, 10],
        "end_1": [120, 50, 60],
        "start_2": [0, 70, 10],
        "end_2": [50, 120, 40],
        "tile": [3, 4, 5],
        "gene_name": ["A", "B", "C"],
        "strand": ["-", "+", "."],
        "epistasis": [0.5, -2.0, 0.25],
    }
)


def read_interact(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep=r"\s+", names=INTERACT, skiprows=1, converters={"value": float})


def test_links_of_cres_go_from_the_cre_to_the_base_of_the_tss() -> None:
    before = CRES.copy()
    links = cre_gene_links(CRES, effect="effect")
    assert CRES.equals(before) and tuple(links.columns) == LINK_COLUMNS and links.index.tolist() == [0, 1, 2]
    assert links[["start_1", "end_1"]].to_numpy().tolist() == CRES[["start", "end"]].to_numpy().tolist()
    assert links[["start_2", "end_2"]].to_numpy().tolist() == [[100, 101], [400, 401], [400, 401]]
    assert links["chrom_1"].tolist() == links["chrom_2"].tolist() == CRES["chrom"].tolist()
    assert links["name_1"].tolist() == CRES["cre"].tolist() and links["name_2"].tolist() == ["MYC", "GATA 1", "."]
    assert set(links["strand_1"]) == {"."} and links["strand_2"].tolist() == CRES["strand"].tolist()
    assert links["effect"].tolist() == CRES["effect"].tolist() and set(links["kind"]) == {"cre_gene"}
    assert set(cre_gene_links(CRES.drop(columns="cre"), effect="effect")["name_1"]) == {"CRE"}


def test_links_of_pairs_keep_their_ends() -> None:
    links = tile_pair_links(PAIRS, effect="epistasis")
    assert tuple(links.columns) == LINK_COLUMNS
    for suffix in ("_1", "_2"):
        for column in ("start", "end"):
            assert links[column + suffix].tolist() == PAIRS[column + suffix].tolist()
        assert links["name" + suffix].tolist() == PAIRS["gene_name"].tolist()
        assert links["strand" + suffix].tolist() == PAIRS["strand"].tolist()
    assert links["effect"].tolist() == PAIRS["epistasis"].tolist() and set(links["kind"]) == {"tile_pair"}
    bare = tile_pair_links(PAIRS.drop(columns=["gene_name", "strand"]), effect="epistasis")
    assert set(bare["name_1"]) == set(bare["strand_2"]) == {"."}


def test_interact_of_cres_reads_back(tmp_path: Path) -> None:
    path = write_interact(cre_gene_links(CRES, effect="effect"), tmp_path / "a.interact", name="Links", description="d")
    header = path.read_text().splitlines()[0]
    assert header == 'track type=interact name="Links" description="d" visibility=full interactDirectional=true'
    got = read_interact(path)
    assert got.to_numpy().tolist() == [
        ["chr1", 0, 401, "neutral/.", 0, 0.0, "cre_gene", CRE_COLORS["neutral"],
         "chr1", 0, 50, "neutral", ".", "chr1", 400, 401, ".", "+"],
        ["chr1", 400, 950, "enhancer/GATA_1", 333, 1 / 3, "cre_gene", CRE_COLORS["enhancer"],
         "chr1", 900, 950, "enhancer", ".", "chr1", 400, 401, "GATA_1", "+"],
        ["chr2", 100, 550, "silencer/MYC", 100, -0.1, "cre_gene", CRE_COLORS["silencer"],
         "chr2", 500, 550, "silencer", ".", "chr2", 100, 101, "MYC", "-"],
    ]  # fmt: skip


def test_interact_without_direction_has_the_lower_end_first(tmp_path: Path) -> None:
    links = tile_pair_links(PAIRS, effect="epistasis")
    path = write_interact(links, tmp_path / "a.interact", directional=False)
    assert "interactDirectional" not in path.read_text()  # UCSC reads any value, also "false", as true
    got = read_interact(path)
    assert got["value"].tolist() == [0.5, -2.0, 0.25] and got["score"].tolist() == [500, 1000, 250]
    columns = ["chromStart", "chromEnd", "sourceStart", "sourceEnd", "targetStart", "targetEnd"]
    assert got[columns].to_numpy().tolist() == [[0, 120, 0, 50, 70, 120]] * 2 + [[10, 60, 10, 40, 10, 60]]
    turned = links.rename(columns=lambda name: name.translate(str.maketrans("12", "21")))
    again = write_interact(turned, tmp_path / "b.interact", directional=False)
    assert again.read_bytes() == path.read_bytes()


def test_interact_turns_the_whole_end(tmp_path: Path) -> None:
    links = cre_gene_links(CRES[:1], effect="effect")
    got = read_interact(write_interact(links, tmp_path / "a", directional=False)).iloc[0]
    assert [got[c] for c in INTERACT[8:]] == ["chr2", 100, 101, "MYC", "-", "chr2", 500, 550, "silencer", "."]
    assert got["name"] == "MYC/silencer"


def test_bedpe_reads_back(tmp_path: Path) -> None:
    links = pd.concat([cre_gene_links(CRES, effect="effect"), tile_pair_links(PAIRS, effect="epistasis")])
    path = write_bedpe(links, tmp_path / "a.bedpe")
    schema = [*bioframe.SCHEMAS["bedpe"], "effect"]
    assert path.read_text().splitlines()[0] == "#" + "\t".join(schema)
    got = bioframe.read_table(path, schema=schema, skiprows=1, converters={"effect": float})
    expected = links.sort_values(["chrom_1", "start_1", "end_1", "start_2"])
    for k in (1, 2):
        for column in ("chrom", "start", "end", "strand"):
            assert got[f"{column}{k}"].tolist() == expected[f"{column}_{k}"].tolist()
    assert got["effect"].tolist() == expected["effect"].tolist()
    assert got["score"].tolist() == [1000, 0, 500, 333, 250, 100]
    assert got["name"].tolist() == ["B/B", "neutral/.", "A/A", "enhancer/GATA_1", "C/C", "silencer/MYC"]


def test_bedpe_takes_two_chromosomes_and_interact_does_not(tmp_path: Path) -> None:
    links = tile_pair_links(PAIRS, effect="epistasis").assign(chrom_2=["chr1", "chr7", "chr2"])
    got = bioframe.read_table(write_bedpe(links, tmp_path / "a"), schema="bedpe", skiprows=1, usecols=range(10))
    assert got["chrom2"].tolist() == ["chr7", "chr1", "chr2"]
    with pytest.raises(ValueError, match=r"one chromosome \(write_bedpe takes others\); got chr1 and chr7 at row 1"):
        write_interact(links, tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_names_that_are_numbers_are_no_scores(tmp_path: Path) -> None:
    links = tile_pair_links(PAIRS.assign(gene_name=[1, 2, 3]), effect="epistasis")
    rows = write_bedpe(links, tmp_path / "a").read_text().splitlines()[1:]
    assert [row.split("\t")[6] for row in rows] == ["2/2", "1/1", "3/3"]
    links = tile_pair_links(PAIRS.drop(columns="gene_name"), effect="epistasis")
    rows = write_bedpe(links, tmp_path / "a").read_text().splitlines()[1:]
    assert [row.split("\t")[6] for row in rows] == ["."] * 3


@pytest.mark.parametrize("name", ['a "b"', "tab\there", "line\nline", "back\\", "  "])
def test_hostile_names_stay_in_their_field(name: str, tmp_path: Path) -> None:
    links = cre_gene_links(CRES.assign(gene_name=name), effect="effect").assign(kind=name)
    lines = write_interact(links, tmp_path / "a", name=name, description=name).read_text().split("\n")
    assert lines[0].count('"') == 4 and "\t" not in lines[0] and "\\" not in lines[0]
    assert len(lines) == 5 and [len(line.split()) for line in lines[1:-1]] == [18] * 3
    lines = write_bedpe(links, tmp_path / "a").read_text().split("\n")
    assert len(lines) == 5 and [len(line.split()) for line in lines[:-1]] == [11] * 4


def test_order_of_links_changes_no_byte(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cres = pd.DataFrame({"chrom": rng.choice(["chr1", "chr2"], 200), "start": rng.permutation(200) * 10})
    cres = cres.assign(end=cres["start"] + 10, tss=900, strand="+", gene_name="A", effect=rng.normal(size=200))
    for write in (write_interact, write_bedpe):
        one = write(cre_gene_links(cres, effect="effect"), tmp_path / "a")
        other = write(cre_gene_links(cres.sample(frac=1, random_state=1), effect="effect"), tmp_path / "b")
        assert one.read_bytes() == other.read_bytes()


def test_no_links_give_the_header_alone(tmp_path: Path) -> None:
    for links in (cre_gene_links(CRES[:0], effect="effect"), tile_pair_links(PAIRS[:0], effect="epistasis")):
        assert tuple(links.columns) == LINK_COLUMNS and not len(links)
        assert write_interact(links, tmp_path / "a").read_text().count("\n") == 1
        assert write_interact(links, tmp_path / "a", directional=False).read_text().count("\n") == 1
        assert write_bedpe(links, tmp_path / "a").read_text().count("\n") == 1


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "tss": ({"tss": [100, -4, 400]}, r"tss must be whole bp from 0 to 2\*\*32 - 1; got -4 at row 1"),
    "fraction": ({"tss": [100, 400, 4.5]}, "tss must be whole bp .*; got 4.5 at row 2"),
    "region": ({"end": [500, 950, 50]}, r"end must be above start; got \[500, 500\) at row 0"),
    "class": (
        {"cre": ["silencer", None, "x"]},
        "cre must be one of enhancer, silencer, neutral; got (None|nan) at row 1",
    ),
    "strand": ({"strand": ["-", "+", "*"]}, r"strand must be '\+', '-' or '\.'; got '\*' at row 2"),
    "NaN": ({"effect": [0.0, np.nan, 1.0]}, r"effect must have no NaN \(leave such rows out\); got nan at row 1"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_cres_are_named(name: str) -> None:
    columns, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        cre_gene_links(CRES.assign(**columns), effect="effect")


def test_bad_pairs_and_links_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"end_2 must be above start_2; got \[70, 60\) at row 1"):
        tile_pair_links(PAIRS.assign(end_2=[50, 60, 40]), effect="epistasis")
    with pytest.raises(ValueError, match="column 'epistasis'; got chrom"):
        tile_pair_links(PAIRS.drop(columns="epistasis"), effect="epistasis")
    links = tile_pair_links(PAIRS, effect="epistasis")
    for write in (write_interact, write_bedpe):
        with pytest.raises(ValueError, match="column 'kind'; got chrom_1"):
            write(links.drop(columns="kind"), tmp_path / "a")
        with pytest.raises(ValueError, match=r"chrom_2 must be a name .*; got 'chr 1' at row 0"):
            write(links.assign(chrom_2="chr 1"), tmp_path / "a")
        with pytest.raises(ValueError, match="effect must be finite; got -inf at row 2"):
            write(links.assign(effect=[0, 1, -np.inf]), tmp_path / "a")
    assert not list(tmp_path.iterdir())
