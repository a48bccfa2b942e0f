"""Which studies a folder is refused to, and how it is begun, continued and made again."""

import errno
import os
import shutil
from pathlib import Path

import pytest
import study_cases
import torch
from study_cases import HERE, file_bytes, quick_spec, refused, shard_lines, toy

from tangermeme_creme.study import run_study
from tangermeme_creme.study.store import disk_error, free_folder


@pytest.fixture(scope="module")
def base(study_base: Path) -> Path:
    return study_base


@pytest.fixture(scope="module")
def finished(quick_study: Path) -> Path:
    return quick_study


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "study"))


def test_changed_spec_is_refused_with_its_differences(base: Path, copy: Path) -> None:
    tests = {"necessity": {"n": 7}, "include": ["necessity", "sufficiency"]}
    refused(
        quick_spec(base, copy, tests=tests, seed=2),
        r"(?s)one study; got .*begun otherwise:\n  seed: 1 -> 2\n  tests\.include: .*\n  tests\.necessity\.n: 6 -> 7\n"
        r"Undo the change to go on, or begin another folder with --new-folder",
    )


def test_changed_weights_are_refused_with_both_fingerprints(
    base: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study_cases, "toy", changed_toy)
    refused(
        quick_spec(base, copy),
        r"weights of the model: IncrementalModel [0-9a-f]{12} -> IncrementalModel [0-9a-f]{12}\nUndo",
    )


def changed_toy() -> torch.nn.Module:
    model = toy()
    next(iter(model.buffers())).add_(1e-6)
    return model


def test_changed_genome_is_refused(base: Path, copy: Path, tmp_path: Path) -> None:
    fasta = tmp_path / "genome.fa"
    bases = {"A": "C", "C": "A", "G": "T", "T": "G"}
    text = (base / "genome" / "genome.fa").read_text()
    fasta.write_text(text[:-2] + bases[text[-2]] + "\n")
    refused(
        quick_spec(base, copy, loci={"fasta": str(fasta)}),
        r"begun otherwise:\n  content of loci\.fasta: [0-9a-f]{12} -> [0-9a-f]{12}\nUndo",
    )


def test_moved_genome_is_no_change(base: Path, copy: Path, tmp_path: Path) -> None:
    fasta = shutil.copy(base / "genome" / "genome.fa", tmp_path / "moved.fa")
    before = shard_lines(copy)
    study = run_study(quick_spec(base, copy, loci={"fasta": str(fasta)}), folder=HERE, verbose=False)
    assert shard_lines(copy) == before
    assert study.header["spec"]["loci"]["fasta"] == str(fasta)


def test_changed_annotation_is_made_anew_and_costs_no_prediction(base: Path, copy: Path, tmp_path: Path) -> None:
    before = shard_lines(copy)
    bed = tmp_path / "all.bed"
    bed.write_text("".join(f"sim{k}\t0\t10000\n" for k in range(1, 5)))
    for annotation, there in (({"bed": {"all": str(bed)}}, True), ({}, False)):
        study = run_study(quick_spec(base, copy, annotation=annotation), folder=HERE, verbose=False)
        assert ("cre_overlap" in study.tables) == there
        assert shard_lines(copy) == before


def test_new_folder_begins_beside_the_study(base: Path, copy: Path) -> None:
    spec, before = quick_spec(base, copy, tests={"include": ["necessity"]}), file_bytes(copy)
    study = run_study(spec, folder=HERE, new_folder=True, verbose=False)
    assert study.folder == copy.with_name("study-2")
    assert file_bytes(copy) == before


def test_free_folder_is_the_first_that_is_missing_or_empty(tmp_path: Path) -> None:
    out = tmp_path / "study"
    assert free_folder(out) == out
    out.mkdir()
    (tmp_path / "study-2").mkdir()
    assert free_folder(out) == out
    for folder in (out, tmp_path / "study-2"):
        (folder / "a").touch()
    assert free_folder(out) == tmp_path / "study-3"


@pytest.mark.parametrize(
    ("number", "file", "message"),
    [
        (errno.ENOSPC, None, "the disk of {out} is full. What was finished is stored: run the same command again"),
        (errno.EROFS, "a", "the folder of a study must be writable; got {out}: Read-only file system (a)."),
        (errno.EACCES, b"a", "the folder of a study must be writable; got {out}: Permission denied (a)."),
        (errno.EIO, "a", "{out}: Input/output error (a). What was finished is stored: run the same command again"),
    ],
)
def test_disk_error_says_what_to_do(tmp_path: Path, number: int, file: str | bytes | None, message: str) -> None:
    error = OSError(number, os.strerror(number), file)
    assert disk_error(tmp_path, error).startswith(message.format(out=tmp_path))


def test_disk_error_names_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "study").touch()
    error = FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), tmp_path / "study")
    assert disk_error(error.filename, error) == f"out must be a folder; got {str(error.filename)!r}, which is a file."
