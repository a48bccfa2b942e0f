"""A TSS that is not in the middle of its windows: every table, export and picture follows `tiles.center`."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from run_model_cases import around_tss, window_spec
from study_cases import HERE, small_spec

from tangermeme_creme.operators import necessity_test
from tangermeme_creme.study import Study, StudyError, export_study, run_study
from tangermeme_creme.study.spec import window_center
from tangermeme_creme.study.tables import Windows, summary_tables
from tangermeme_creme.study.tests import locus_seed
from tangermeme_creme.view.report.loci import loci_of

LENGTH, CENTER, TILE = 96, 24, 16
TILE_OF_TSS, STARTS = (16, 32), [0, 32, 48, 64, 80]
OTHER = str.maketrans("ACGT", "TGCA")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Two loci, on both strands, of a model that counts C before the TSS and A around it."""
    folder = tmp_path_factory.mktemp("center")
    genome = "".join(np.random.RandomState(0).choice(list("ACGT"), 400))
    (folder / "genome.fa").write_text(f">chr1\n{genome}\n")
    (folder / "loci.tsv").write_text("example\tchrom\ttss\tstrand\nplus\tchr1\t80\t+\nminus\tchr1\t250\t-\n")
    spec = small_spec(
        folder, n_loci=1, model={"function": "run_model_cases:around_tss", "length": LENGTH},
        loci={"fasta": str(folder / "genome.fa"), "tss": str(folder / "loci.tsv"), "top": 5, "min_activity": 0.0},
        tiles={"size": TILE, "center": CENTER}, context={"n": 2, "neutral": 10, "enhancing": 11, "silencing": -11},
        cres={"silencer": -0.01, "enhancer": 0.01, "enhancer_contexts": ["neutral"], "silencer_contexts": ["neutral"]},
        tests={"include": ["swap", "necessity", "sufficiency", "distance"], "necessity": {"n": 2}},
    )  # fmt: skip
    return run_study(spec, folder=HERE, verbose=False)


def window(study: Study, example: str) -> str:
    """The window of a locus, cut out of the text of the genome by hand."""
    assert study.spec.loci is not None
    genome = Path(study.spec.loci.fasta).read_text().split()[1]
    if example == "plus":
        return genome[80 - CENTER : 80 - CENTER + LENGTH]
    return genome[250 + CENTER + 1 - LENGTH : 250 + CENTER + 1][::-1].translate(OTHER)


def one_hot(text: str) -> torch.Tensor:
    return torch.tensor([[[float(base == row) for base in text] for row in "ACGT"]])


def test_windows_and_tiles_are_around_the_center(study: Study) -> None:
    windows = Windows(study.spec, center=window_center(study.spec))
    loci = study.table("loci")
    for i, example in enumerate(loci["example"]):
        whole, tile = windows.read(loci.iloc[[i]]), windows.read(loci.iloc[[i]], TILE)
        assert whole.to_one_hot().equal(one_hot(window(study, example)).to(torch.int8))
        assert tile.to_one_hot().equal(one_hot(window(study, example)[slice(*TILE_OF_TSS)]).to(torch.int8))
    windows.close()


def test_activity_is_that_of_windows_cut_by_hand(study: Study) -> None:
    selection = study.table("selection").set_index(["example", "track"])["activity"]
    for example in ("plus", "minus"):
        assert selection[example].tolist() == around_tss()(one_hot(window(study, example)))[0].tolist()


def test_necessity_is_that_of_windows_cut_by_hand(study: Study) -> None:
    spans, table = [(start, start + TILE) for start in STARTS], study.table("necessity")
    for example in ("plus", "minus"):
        result = necessity_test(
            around_tss(), one_hot(window(study, example)), spans, n=2, random_state=[locus_seed(1, example)]
        )
        rows = table[(table["example"] == example) & (table["track"] == "A")]
        assert rows["start"].tolist() == STARTS
        assert rows["y_mut"].tolist() == result.y_mut[0, :, :, 0].mean(1).tolist()


def test_swap_puts_the_tss_tile_of_a_source_around_the_tss(study: Study) -> None:
    (start, end), swap = TILE_OF_TSS, study.table("swap")
    row = swap[(swap["example"] == "plus") & (swap["source"] == "minus") & (swap["track"] == "A")].iloc[0]
    target, source = window(study, "plus"), window(study, "minus")
    swapped = target[:start] + source[start:end] + target[end:]
    assert row["y_mut"] == float(around_tss()(one_hot(swapped))[0, 0])


def test_offsets_are_from_the_tss(study: Study) -> None:
    distance = study.table("distance")
    assert (distance["offset"] == distance["start"] + TILE // 2 - CENTER).all() and len(distance)
    tables = {name: study.table(name) for name in study.tables}
    cres = study.table("cres").assign(far=lambda table: (table["start"] + table["end"] - 1) / 2 - CENTER)
    median = summary_tables(tables, length=LENGTH, center=CENTER)["cres"].set_index(["track", "cre"])["median_distance"]
    assert median.to_dict() == cres["far"].abs().groupby([cres["track"], cres["cre"]]).median().to_dict()


def test_exported_places_have_the_sequences_of_their_tiles(study: Study, tmp_path: Path) -> None:
    assert study.spec.loci is not None
    genome = Path(study.spec.loci.fasta).read_text().split()[1]
    export_study(study, tmp_path, ["bedgraph"])
    (file,) = tmp_path.glob("necessity.A.bedgraph")
    lines = [line.split("\t") for line in file.read_text().splitlines() if line.startswith("chr1")]
    places = {(int(start), int(end)) for _, start, end, _ in lines}
    sequences = {window(study, example)[start : start + TILE] for example in ("plus", "minus") for start in STARTS}
    exported = {genome[start:end] for start, end in places}
    assert exported and all(text in sequences or text[::-1].translate(OTHER) in sequences for text in exported)
    cres = study.table("cres_genome")
    for row in cres.itertuples():
        text = genome[row.start : row.end]
        text = text if row.strand == "+" else text[::-1].translate(OTHER)
        assert text == window(study, row.example)[row.tile_start : row.tile_end]
    assert len(cres)


def test_page_draws_windows_from_the_tss(study: Study) -> None:
    tables = {name: study.table(name) for name in study.tables}
    (locus,) = loci_of(study.spec, tables, ["plus"])
    assert "from -0.024 to 0.072 kb around the TSS" in locus.svg


def test_files_of_windows_have_the_center_too(tmp_path: Path) -> None:
    spec = window_spec(tmp_path, "scaled", tiles={"size": 8, "center": 12})
    windows = Windows(spec, center=12)
    loci = pd.DataFrame({"example": ["1"]})
    assert windows.read(loci, 8).to_one_hot().equal(windows.read(loci).to_one_hot()[:, :, 8:16])
    assert run_study(spec, folder=HERE, verbose=False).table("necessity")["start"].unique().tolist() == [
        0, 16, 24, 32, 40, 48, 56
    ]  # fmt: skip


def test_resume_with_another_center_is_refused(study: Study) -> None:
    moved = study.spec.model_copy(update={"tiles": {"size": TILE, "center": CENTER + 1}})
    with pytest.raises(StudyError, match=r"tiles\.center: 24 -> 25"):
        run_study(moved, folder=HERE, verbose=False)
