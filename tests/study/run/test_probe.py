"""A study knows its model by what the model predicts, and refuses a model that is no function of one sequence."""

import json
from pathlib import Path
from typing import Any

import pytest
import run_model_cases
import torch
from executor_cases import NewThread
from run_model_cases import Scaled, window_spec
from study_cases import HERE, refused, table_bytes

from tangermeme_creme.study import Study, StudyError, StudySpec, run_study
from tangermeme_creme.study.store import Manifest
from tangermeme_creme.view.report.study_summary import summary_of


def run(spec: StudySpec, **options: Any) -> Study:
    return run_study(spec, folder=HERE, verbose=False, **options)


def test_other_bins_of_a_readout_are_another_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = window_spec(tmp_path, "readout")
    run(spec)
    monkeypatch.setattr(run_model_cases, "BINS", [5])
    refused(spec, r"begun otherwise:\n(.*\n)?  what the model computes: its prediction of .+ is off by ")
    monkeypatch.setattr(run_model_cases, "BINS", [3])
    run(spec)


def test_other_code_is_another_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = window_spec(tmp_path, "scaled")
    run(spec)
    monkeypatch.setattr(run_model_cases, "Scaled", lambda: Scaled(1.01))
    refused(spec, r"its prediction of .+ is off by 0\.0\d+ of the largest, where rounding is up to 0\.0001")


def test_rounding_is_the_same_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = window_spec(tmp_path, "scaled")
    before = table_bytes(run(spec).folder)
    monkeypatch.setattr(run_model_cases, "Scaled", lambda: Scaled(1 + 1e-5))
    assert table_bytes(run(spec).folder) == before


def test_run_settings_are_the_same_study(tmp_path: Path) -> None:
    study = run(window_spec(tmp_path, "readout", run={"batch_size": 1}))
    before = table_bytes(study.folder)
    settings = {"batch_size": 8, "threads": torch.get_num_threads() + 1, "incremental": False}
    assert table_bytes(run(window_spec(tmp_path, "readout", run=settings)).folder) == before


def test_worker_whose_model_predicts_otherwise_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scales = iter([1.0, 1.5])
    monkeypatch.setattr(run_model_cases, "Scaled", lambda: Scaled(next(scales)))
    with pytest.raises(StudyError, match=r"every worker must load .* its prediction of .+ is off by 0\.5 "):
        run(window_spec(tmp_path, "scaled"), executor=NewThread())


def test_study_that_began_without_a_probe_gets_one(tmp_path: Path) -> None:
    spec = window_spec(tmp_path, "scaled")
    study = run(spec)
    manifest = Manifest.load(study.folder)
    assert manifest is not None
    probe = manifest.header["model"].pop("probe")
    manifest.rewrite()
    run(spec)
    assert Study.open(study.folder).header["model"]["probe"] == probe
    assert set(probe["predictions"]) == {"the window of 0", "a random sequence"}


def test_model_that_drops_out_is_refused_with_the_difference(tmp_path: Path) -> None:
    match = r"the same way each time; got two predictions of a window that differ by 0\.\d+ of the largest"
    torch.manual_seed(0)
    with pytest.raises(StudyError, match=match):
        run(window_spec(tmp_path, "dropping"))
    assert not (tmp_path / "study" / "manifest.jsonl").exists()


def test_model_that_normalizes_over_the_batch_is_refused_with_the_difference(tmp_path: Path) -> None:
    match = r"alone and in a batch of 8; got predictions that differ by 0\.0\d+ of the largest, where rounding is up to"
    with pytest.raises(StudyError, match=match):
        run(window_spec(tmp_path, "normalizing"))
    run(window_spec(tmp_path, "normalizing", run={"batch_size": 1}))


def test_stochastic_model_runs_if_it_is_allowed_and_the_page_says_so(tmp_path: Path) -> None:
    spec = window_spec(tmp_path, "dropping", model={"allow_stochastic": True})
    study = run(spec)
    run(spec)
    assert study.header["model"]["probe"] is None and len(study.table("necessity"))
    assert "model.allow_stochastic: the model is not compared" in (study.folder / "log.txt").read_text()
    tables = {name: study.table(name) for name in study.tables}
    assert "allow_stochastic" in json.dumps(summary_of(study, tables).provenance)
