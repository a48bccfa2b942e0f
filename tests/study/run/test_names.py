"""Loci may be called anything: their files stay in the folder, and their names come back as they were."""

import re
import shutil
from pathlib import Path

import hypothesis.strategies as st
import pandas as pd
import pytest
from hypothesis import given
from study_cases import HERE, LENGTH, small_spec

from tangermeme_creme.cli import main
from tangermeme_creme.models.toy import simulate_genome
from tangermeme_creme.study import Study, export_study, run_study
from tangermeme_creme.study.store import Manifest, Store, write_table
from tangermeme_creme.study.tests import locus_seed
from tangermeme_creme.support import printable

NAMES = [
    "../../x",
    "/etc/x",
    "a/b",
    "a_b",
    "a b",
    "gene name",
    "g" * 300,
    "g" * 300 + "h",
    "β-globin 基因",
    ".",
    "..",
    "-rf",
    "con\x01trol",
    "GATA2",
    "gata2",
    "a,b",
    'a"b',
    "=1+1",
    "NA",
    "007",
    "%2e%2e%2f",
    "and 2 more",
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("names") / "deep" / "enough"


@pytest.fixture(scope="module")
def study(base: Path) -> Study:
    """A study of loci of one chromosome, at places a little apart, with all of these names."""
    base.mkdir(parents=True)
    place = simulate_genome(1, length=LENGTH, tile_size=1024, random_state=0, margin=1000).loci.iloc[0]
    table = pd.DataFrame({"example": NAMES, "chrom": place["chrom"], "strand": "+"})
    table["tss"] = place["tss"] + pd.RangeIndex(len(NAMES))
    small_spec(base, n_loci=1)  # which writes the genome
    table.to_csv(base / "loci.tsv", sep="\t", index=False)
    spec = small_spec(
        base,
        model={"function": "study_cases:counts"},
        loci={"tss": str(base / "loci.tsv"), "top": 0},
        tests={"include": ["necessity"], "necessity": {"n": 1}},
        context={"n": 1},
        run={"loci_per_shard": 3},
        tiles={"size": 2048},
        output={"raw": True},
    )
    return run_study(spec, folder=HERE, verbose=False)


def test_every_file_lies_in_the_folder_of_the_study(base: Path, study: Study) -> None:
    found = {path.relative_to(base.parent.parent).as_posix() for path in base.parent.parent.rglob("*")}
    outside = {name for name in found if not name.startswith("deep/enough/study")}
    files = ("genes.gtf", "genome.fa", "genome.fa.fai", "loci.tsv", "truth.bed")
    expected = {"deep", "deep/enough", "deep/enough/loci.tsv", "deep/enough/genome"}
    assert outside == expected | {f"deep/enough/genome/{name}" for name in files}


def test_every_file_has_a_plain_and_short_name(study: Study) -> None:
    names = [path.name for path in study.folder.rglob("*")]
    assert len(names) > 2 * len(NAMES)
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9_+-][A-Za-z0-9_.+-]*", name), name
        assert len(name.encode()) <= 255


def test_every_name_comes_back_as_it_was(study: Study) -> None:
    for table in ("loci", "contexts", "selection", "necessity"):
        assert set(study.table(table)["example"]) == set(NAMES), table
    raw = study.dataset("raw_necessity").to_table().to_pandas()
    assert set(raw["example"]) == set(NAMES)


def test_every_name_keeps_its_own_rows(study: Study) -> None:
    # Loci are a base apart: one locus with the rows of another would have its seed and shuffles too.
    assert study.table("loci").set_index("example")["seed"].to_dict() == {name: locus_seed(1, name) for name in NAMES}
    counts = study.table("necessity")["example"].value_counts()
    assert set(counts) == {2 * 2} and len(counts) == len(NAMES)
    assert study.tables == ["contexts", "loci", "necessity", "selection"]


def test_every_name_survives_csv(study: Study, tmp_path: Path) -> None:
    study.table("necessity").to_csv(tmp_path / "necessity.csv", index=False)
    read = pd.read_csv(tmp_path / "necessity.csv", dtype={"example": str}, keep_default_na=False)
    assert read["example"].tolist() == study.table("necessity")["example"].tolist()


def test_every_name_is_exported_so_that_no_spreadsheet_runs_it(study: Study, tmp_path: Path) -> None:
    export_study(study, tmp_path, ["csv"])
    read = pd.read_csv(tmp_path / "necessity.csv", dtype={"example": str}, keep_default_na=False)
    changed = {"=1+1": "'=1+1", "-rf": "'-rf", "con\x01trol": "con\\x01trol"}
    assert read["example"].tolist() == [changed.get(name, name) for name in study.table("necessity")["example"]]
    loci = pd.read_csv(tmp_path / "loci.csv", keep_default_na=False)
    assert set(loci["strand"]) == {"+"}


def test_no_name_reaches_the_log_or_a_terminal_with_its_control_characters(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failures = pd.DataFrame({"example": ["con\x01trol"], "stage": "context", "what": "", "error": "E"})
    copy = Path(shutil.copytree(study.folder, tmp_path / "study"))
    manifest = Manifest.load(copy)
    assert manifest is not None
    write_table(Store(copy, manifest), "failures", failures.assign(message="\x1b]0;title\x07"))
    for command in ("status", "report", "export"):
        assert main([command, str(copy)]) == 0
    shown = "".join(capsys.readouterr())
    assert r"con\x01trol" in shown and r"\x1b]0;title\x07" in shown
    for text in (shown, (study.folder / "log.txt").read_text(), (copy / "export" / "failures.csv").read_text()):
        assert printable(text) == text


def test_every_name_is_done_when_the_study_goes_on(study: Study) -> None:
    before = (study.folder / "manifest.jsonl").read_bytes()
    run_study(study.spec, folder=HERE, verbose=False)
    assert (study.folder / "manifest.jsonl").read_bytes() == before


@given(st.integers(0, 2**32 - 1), st.text(max_size=300))
def test_locus_seed_is_a_seed(seed: int, example: str) -> None:
    assert 0 <= locus_seed(seed, example) < 2**32
    assert locus_seed(seed, example) == locus_seed(seed, example)
