"""Workers that take turns at a locus or outlive a run, older draws, broken places: no row is lost, or kept wrongly."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from study_cases import HERE, changed, small_spec, table_bytes

import tangermeme_creme.study.run.runner as runner
import tangermeme_creme.study.run.tasks as tasks
from tangermeme_creme.study import Study, StudyError, run_study
from tangermeme_creme.study.run import read_loci, select_loci
from tangermeme_creme.study.spec import StudySpec
from tangermeme_creme.study.store import Manifest, Store, how_to_resume, write_table


class InTurn(Executor):
    """Workers of one thread each, and tasks to each in turn: a locus goes from one to the other and back."""

    def __init__(self) -> None:
        self.workers = [ThreadPoolExecutor(1), ThreadPoolExecutor(1)]
        self.k, self._max_workers = 0, 2

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.k += 1
        return self.workers[self.k % 2].submit(function, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        for worker in self.workers:
            worker.shutdown(wait)


@pytest.fixture(scope="module")
def spec(study_base: Path) -> StudySpec:
    return small_spec(study_base, run={"threads": torch.get_num_threads()})


@pytest.fixture(scope="module")
def whole(whole_study: Path) -> Study:
    return Study.open(whole_study)


def test_a_locus_that_goes_from_worker_to_worker_loses_nothing(
    spec: StudySpec, whole: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_REMOTE_SECONDS", 0.0)  # a worker gives a locus back after each test
    with InTurn() as workers:
        run_study(changed(spec, out=str(tmp_path / "turns")), folder=HERE, executor=workers, width=1, verbose=False)
    assert table_bytes(tmp_path / "turns") == table_bytes(whole.folder)
    assert len(whole.table("distance"))


def test_a_worker_that_outlives_a_run_reads_the_genome_anew(spec: StudySpec, tmp_path: Path) -> None:
    own = small_spec(tmp_path, tests={"include": []})
    assert own.loci is not None
    fasta = Path(own.loci.fasta)
    with ThreadPoolExecutor(1) as worker:
        old = run_study(own, folder=HERE, executor=worker, verbose=False).table("contexts")
        other = fasta.with_suffix(".new")
        other.write_text(fasta.read_text().translate(str.maketrans("ACGT", "CGTA")))
        os.replace(other, fasta)  # the open file of the worker is still the old one
        for index in fasta.parent.glob("*.fai"):
            os.utime(index, (0, 0))  # older than the genome, so that it is made again
        shutil.rmtree(own.out)
        found = run_study(own, folder=HERE, executor=worker, verbose=False).table("contexts")
    fresh = run_study(changed(own, out=str(tmp_path / "fresh")), folder=HERE, verbose=False).table("contexts")
    pd.testing.assert_frame_equal(found, fresh)
    assert not np.array_equal(old["y_wt"], found["y_wt"])


def test_rows_of_an_older_draw_are_in_no_table(spec: StudySpec, whole: Study, tmp_path: Path) -> None:
    out = tmp_path / "drawn"
    rows = Study.open(shutil.copytree(whole.folder, out)).table("distance")
    manifest = Manifest.load(out)
    assert manifest is not None
    name, stages = rows["example"].iloc[0], ("sufficiency", "distance")
    manifest.shards = [
        replace(shard, basis="an older draw") if shard.stage in stages and name in shard.examples else shard
        for shard in manifest.shards
    ]
    manifest.rewrite()

    def fails(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("no memory")

    with pytest.MonkeyPatch.context() as patch:
        test = replace(tasks.TESTS["sufficiency"], run=fails)
        patch.setitem(tasks.TESTS, "sufficiency", test)  # distance, which starts from its CREs, is not tried
        again = run_study(changed(spec, out=str(out)), folder=HERE, verbose=False)
    assert again.table("failures")["example"].tolist() == [name]
    assert set(again.table("distance")["example"]) == set(rows["example"]) - {name}


def test_raw_rows_of_an_older_draw_are_in_no_dataset(spec: StudySpec, tmp_path: Path) -> None:
    out = tmp_path / "raw"
    tests = changed(spec.tests, include=("sufficiency", "distance"))
    study = run_study(
        changed(spec, out=str(out), tests=tests, output=changed(spec.output, raw=True)), folder=HERE, verbose=False
    )
    drawn = set(study.dataset("raw_distance").to_table()["example"].to_pylist())
    manifest = Manifest.load(out)
    assert manifest is not None and len(drawn) > 1
    name = min(drawn)
    manifest.shards = [
        replace(shard, basis="an older draw") if shard.stage == "distance" and name in shard.examples else shard
        for shard in manifest.shards
    ]
    manifest.rewrite()
    again = Study.open(out)
    assert set(again.dataset("raw_distance").to_table()["example"].to_pylist()) == drawn - {name}
    assert again.status().set_index("stage")["done"].loc[["sufficiency", "distance"]].tolist() == [4, 3]


def test_a_manifest_is_made_again_at_once(
    spec: StudySpec, whole: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = changed(spec, out=str(shutil.copytree(whole.folder, tmp_path / "lost")))
    (tmp_path / "lost" / "manifest.jsonl").unlink()

    def full(self: Manifest) -> None:
        raise OSError(28, "No space left on device", "manifest.jsonl")

    with monkeypatch.context() as patch:
        patch.setattr(Manifest, "rewrite", full)
        with pytest.raises(StudyError, match=r"the disk of .* is full"):
            run_study(out, folder=HERE, verbose=False)
    run_study(out, folder=HERE, verbose=False)
    manifest = Manifest.load(tmp_path / "lost")
    assert manifest is not None and table_bytes(tmp_path / "lost") == table_bytes(whole.folder)
    stored = [shard for shard in manifest.shards if shard.files]  # a shard without a row has no file to be found by
    assert stored and all("seconds" not in shard.cost for shard in stored)  # none was computed again


def windows(folder: Path, table: pd.DataFrame, n: int = 2) -> StudySpec:
    X = np.zeros((n, 4, 64), dtype=np.int8)
    X[:, 0] = 1
    np.save(folder / "X.npy", X)
    table.to_csv(folder / "loci.tsv", sep="\t", index=False)
    return small_spec(
        folder, loci=None, windows={"file": str(folder / "X.npy"), "loci": str(folder / "loci.tsv")},
        model={"length": 64}, tiles={"size": 8},
    )  # fmt: skip


PLACED = pd.DataFrame({"example": ["a", "b"], "chrom": "chr1", "tss": ["5", "7"], "strand": ["+", "-"]})


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"strand": ["+", "x"]}, "got chrom 'chr1', tss '7', strand 'x' at row 1"),
        ({"strand": ["1", "-"]}, r"strand '1' at row 0"),
        ({"tss": ["5", "7.5"]}, r"tss '7\.5'"),
        ({"tss": ["", "7"]}, r"tss ''.* at row 0"),
        ({"track": "K562"}, "leave the columns .* to the study; got 'track'"),
        ({"context": "neutral"}, "got 'context'"),
        ({"example": ["a", ""]}, "got none at row"),
    ],
)
def test_loci_that_are_not_whole_are_refused_before_anything_is_computed(
    tmp_path: Path, changed: dict[str, Any], match: str
) -> None:
    with pytest.raises(StudyError, match=match):
        read_loci(windows(tmp_path, PLACED.assign(**changed)))


def test_a_place_may_be_missing_and_the_others_written_as_floats(tmp_path: Path) -> None:
    table = PLACED.assign(tss=["5.0", ""], chrom=["chr1", ""])
    assert read_loci(windows(tmp_path, table))["tss"].tolist() == ["5", ""]


def test_places_that_are_whole_are_left_as_they_are(tmp_path: Path) -> None:
    read = read_loci(windows(tmp_path, PLACED))
    assert read["tss"].tolist() == [5, 7] and pd.api.types.is_integer_dtype(read["tss"])


def test_columns_of_loci_may_have_the_names_of_those_that_activity_gives(tmp_path: Path) -> None:
    own = small_spec(tmp_path)
    assert own.loci is not None
    table = read_loci(own)[["example", "chrom", "tss", "strand"]].assign(activity=0.0, offset=9.0, rank=9)
    table.to_csv(tmp_path / "mine.tsv", sep="\t", index=False)
    loci = read_loci(changed(own, loci=changed(own.loci, tss=str(tmp_path / "mine.tsv"), max_offset=5)))
    activity = pd.DataFrame({"example": loci["example"], "track": "A", "activity": [4.0, 3.0, 2.0, 1.0], "offset": 1.0})
    chosen = select_loci(changed(own, loci=changed(own.loci, max_offset=5, top=2)), loci, activity)
    assert chosen[["activity", "offset", "rank"]].to_numpy().tolist() == [[4, 1, 1], [3, 1, 2]]


def test_no_locus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="there must be a locus to study; got none"):
        read_loci(windows(tmp_path, PLACED[:0], n=0))


def test_a_file_of_genes_without_one_is_refused(spec: StudySpec, tmp_path: Path) -> None:
    path = tmp_path / "genes.txt"
    path.write_text("# none yet\n\n")
    assert spec.loci is not None
    with pytest.raises(StudyError, match=r"must name a gene; got none in '.*genes\.txt'"):
        read_loci(changed(spec, loci=changed(spec.loci, genes=str(path))))


def test_a_new_folder_says_how_to_go_on_in_it(spec: StudySpec, whole: Study, tmp_path: Path) -> None:
    assert "run the same command again" in how_to_resume(tmp_path, False)
    few = changed(spec, tests=changed(spec.tests, include=("necessity",)))
    other = run_study(few, folder=HERE, new_folder=True, verbose=False)
    assert other.folder == whole.folder.with_name("study-2") and other.spec.out == str(other.folder)
    assert f"set out to {str(other.folder)!r}" in how_to_resume(other.folder, True)


def test_a_new_folder_that_was_stopped_is_gone_on_with_as_its_log_says(
    spec: StudySpec, whole: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "study"
    shutil.copytree(whole.folder, out)

    def stops(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tasks, "_context", stops)
        with pytest.raises(KeyboardInterrupt):
            run_study(changed(spec, out=str(out)), folder=HERE, new_folder=True, verbose=False)
    other = tmp_path / "study-2"
    log = (other / "log.txt").read_text()
    assert f"what was finished is stored: set out to {str(other)!r} and run without a new folder to go on." in log
    run_study(changed(spec, out=str(other)), folder=HERE, verbose=False)
    assert table_bytes(other) == table_bytes(whole.folder)


@pytest.mark.parametrize("new_folder", [False, True])
def test_out_that_is_a_file_is_refused(spec: StudySpec, tmp_path: Path, new_folder: bool) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match=r"out must be a folder; got '.*/file', which is a file\.$"):
        run_study(changed(spec, out=str(tmp_path / "file")), folder=HERE, new_folder=new_folder, verbose=False)


def test_files_of_others_are_left_alone(spec: StudySpec, tmp_path: Path) -> None:
    mine = tmp_path / "out" / "notes" / ".draft.tmp"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    few = changed(spec.tests, include=("necessity",))
    run_study(changed(spec, out=str(tmp_path / "out"), tests=few), folder=HERE, verbose=False)
    assert mine.read_text() == "mine"


def test_loci_that_are_not_drawn_any_more_count_nowhere(spec: StudySpec, tmp_path: Path) -> None:
    out = tmp_path / "undrawn"
    few = changed(spec.tests, include=("swap", "necessity", "sufficiency", "distance"))
    raw = changed(spec, out=str(out), tests=few, output=changed(spec.output, raw=True))
    study = run_study(raw, folder=HERE, verbose=False)
    contexts = study.table("contexts")
    name, manifest = contexts["example"].iloc[0], Manifest.load(out)
    assert manifest is not None
    write_table(
        Store(out, manifest), "contexts", contexts.assign(selected=contexts["selected"] & (contexts["example"] != name))
    )
    status = Study.open(out).status().set_index("stage")
    assert (status.loc["necessity":, "done"] == 3).all() and (status.loc["necessity":, "of"] == 3).all()
    assert status.loc["context", "done"] == 4
    assert name not in Study.open(out).dataset("raw_necessity").to_table()["example"].to_pylist()
    assert name in Study.open(out).dataset("raw_context").to_table()["example"].to_pylist()
