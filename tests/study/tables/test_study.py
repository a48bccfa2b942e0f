"""What a study is read by: tables, datasets, raw predictions, how far it is; and the ways to give it windows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from study_cases import HERE, LENGTH, QUICK, TRACKS, small_spec, toy

from tangermeme_creme import necessity_test, sufficiency_test
from tangermeme_creme.analysis.stats import summarize_effects
from tangermeme_creme.engine import fingerprint_model
from tangermeme_creme.sequence import tile_grid
from tangermeme_creme.sequence.genome import extract_windows
from tangermeme_creme.study import Study, StudyError, run_study
from tangermeme_creme.study.run import Progress, fingerprint_file
from tangermeme_creme.study.tests import locus_seed


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def study(base: Path) -> Study:
    return run_study(small_spec(base, output={"raw": True}), folder=HERE, verbose=False)


def windows_of(base: Path, study: Study) -> torch.Tensor:
    X = extract_windows(base / "genome" / "genome.fa", study.table("loci"), LENGTH)
    assert isinstance(X, torch.Tensor)
    return X


def test_tables_are_what_the_operators_give(base: Path, study: Study) -> None:
    X, loci = windows_of(base, study), study.table("loci")
    tss, tiles = tile_grid(LENGTH, study.spec.tiles.size)
    options: dict[str, Any] = {"n": 6, "random_state": loci["seed"].tolist()}
    labels: dict[str, Any] = {"tiles": tiles, "ids": loci["example"].tolist(), "tracks": TRACKS}
    necessity = summarize_effects(necessity_test(toy(), X, tiles, **options).to_frame(**labels), "necessity")
    sufficiency = sufficiency_test(toy(), X, tss, tiles, **options).to_frame(**labels)
    sufficiency = summarize_effects(sufficiency, ["over_wt", "over_control"])
    for name, expected in (("necessity", necessity), ("sufficiency", sufficiency)):
        found = study.table(name)[expected.columns]
        pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-5)


def test_raw_predictions_average_to_the_tables(study: Study) -> None:
    assert study.raw_tables == [
        f"raw_{name}"
        for name in (
            "context", "distance", "higher_order", "interactions", "multiplicity", "necessity", "set_sufficiency",
            "sufficiency",
        )
    ]  # fmt: skip
    raw = study.dataset("raw_necessity").to_table().to_pandas()
    means = raw.groupby(["example", "tile", "track"])["y_mut"].mean().reset_index(name="mean")
    joined = study.table("necessity").merge(means, on=["example", "tile", "track"], validate="one_to_one")
    assert len(joined) == len(means) > 0
    assert np.allclose(joined["y_mut"], joined["mean"])


def test_raw_predictions_are_kept_on_request_only(base: Path, tmp_path: Path) -> None:
    spec = small_spec(base, out=str(tmp_path), tests={"include": ["necessity"]})
    study = run_study(spec, folder=HERE, verbose=False)
    assert study.raw_tables == []
    with pytest.raises(StudyError, match=r"must be one of activity, contexts, .*; got 'raw_necessity'"):
        study.dataset("raw_necessity")


def test_datasets_are_the_tables(study: Study) -> None:
    for name in study.tables:
        pd.testing.assert_frame_equal(study.dataset(name).to_table().to_pandas(), study.table(name))


def test_table_that_is_not_there_has_no_rows(study: Study) -> None:
    assert study.table("failures").shape == (0, 0)
    assert "failures" not in study.tables


def test_tile_effects_have_both_sides(study: Study) -> None:
    effects = study.tile_effects()
    assert len(effects) == len(study.table("necessity"))
    assert {"necessity", "over_wt", "over_control", "context", "cre"} <= set(effects.columns)


def test_header_says_what_the_study_began_with(base: Path, study: Study) -> None:
    header = study.header
    assert (header["seed"], header["n_loci"]) == (1, 4)
    assert header["model"]["fingerprint"] == fingerprint_model(toy())
    assert header["inputs"]["loci.fasta"] == fingerprint_file(base / "genome" / "genome.fa")
    assert {"torch", "tangermeme", "tangermeme_creme", "python"} <= set(header["versions"])
    assert study.spec == small_spec(base, output={"raw": True})


def test_loci_have_the_seed_of_their_name(study: Study) -> None:
    loci = study.table("loci")
    assert loci["seed"].tolist() == [locus_seed(1, name) for name in loci["example"]]
    assert loci["example"].tolist() == sorted(loci["example"])


def test_folder_without_a_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"must have a whole manifest\.jsonl; got '.*nothing'"):
        Study.open(tmp_path / "nothing")


def test_status_tells_how_far_it_is(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored, count = Progress.stored, 0

    def stop(self: Progress, *arguments: Any) -> None:
        nonlocal count
        stored(self, *arguments)
        count += 1
        if count == 5:  # activity, contexts, and three tests of the first locus
            raise KeyboardInterrupt

    spec = small_spec(base, out=str(tmp_path), tests={"include": ["swap", *QUICK]})
    with monkeypatch.context() as patch:
        patch.setattr(Progress, "stored", stop)
        with pytest.raises(KeyboardInterrupt):
            run_study(spec, folder=HERE, verbose=False)
    status = Study.open(tmp_path).status().set_index("stage")
    assert status.loc["activity", ["done", "of"]].tolist() == [4, 4]
    assert status.loc["swap":"distance", "done"].tolist() == [1, 1, 1, 0]
    assert (status["of"] == 4).all() and (status["failed"] == 0).all()
    run_study(spec, folder=HERE, verbose=False)
    assert (Study.open(tmp_path).status()["done"] == 4).all()


@pytest.mark.parametrize("ending", ["fa", "npy"])
def test_ready_windows_give_what_the_genome_gives(base: Path, study: Study, tmp_path: Path, ending: str) -> None:
    X, loci = windows_of(base, study), study.table("loci")
    if ending == "npy":
        np.save(tmp_path / "windows.npy", X.numpy())
    else:
        letters = np.array(list("ACGTN"))
        codes = torch.where(X.sum(1) == 0, 4, X.argmax(1))
        records = (f">{name}\n{''.join(letters[row])}\n" for name, row in zip(loci["example"], codes))
        (tmp_path / "windows.fa").write_text("".join(records))
    loci.drop(columns="seed").to_csv(tmp_path / "windows.tsv", sep="\t", index=False)
    windows = {"file": str(tmp_path / f"windows.{ending}"), "loci": str(tmp_path / "windows.tsv")}
    tests = {"include": ["swap", *QUICK]}
    spec = small_spec(base, out=str(tmp_path / "study"), loci=None, windows=windows, tests=tests)
    found = run_study(spec, folder=HERE, verbose=False)
    names = set(found.tables) - {"selection", "loci"}
    assert names == {"contexts", "swap", "necessity", "sufficiency", "cres", "cres_genome", "distance"}
    for name in names:
        assert found.table(name).equals(study.table(name)), name
    assert "activity" not in found.tables


def test_ready_windows_of_another_length_are_refused(base: Path, study: Study, tmp_path: Path) -> None:
    np.save(tmp_path / "windows.npy", windows_of(base, study)[:, :, :-1].numpy())
    spec = small_spec(base, out=str(tmp_path / "s"), loci=None, windows={"file": str(tmp_path / "windows.npy")})
    with pytest.raises(StudyError, match=rf"must have shape \(4, {LENGTH}\); got \(4, {LENGTH - 1}\)"):
        run_study(spec, folder=HERE, verbose=False)


def test_genes_can_be_chosen_and_must_be_there(base: Path, study: Study, tmp_path: Path) -> None:
    tests = {"include": ["necessity"]}
    spec = small_spec(base, out=str(tmp_path), loci={"genes": ["SIM2", "SIMG00000000003.1"]}, tests=tests)
    found = run_study(spec, folder=HERE, verbose=False)
    assert found.table("loci")["gene_name"].tolist() == ["SIM2", "SIM3"]
    with pytest.raises(StudyError, match=r"loci\.genes must be in loci\.tss; got 'SIM9'"):
        run_study(small_spec(base, out=str(tmp_path / "x"), loci={"genes": ["SIM9"]}), folder=HERE, verbose=False)


def test_most_active_genes_are_selected_in_each_track(base: Path, study: Study, tmp_path: Path) -> None:
    spec = small_spec(base, out=str(tmp_path), loci={"top": 2}, tests={"include": ["necessity"]})
    found = run_study(spec, folder=HERE, verbose=False)
    activity = study.table("activity")
    for track, chosen in found.table("selection").groupby("track"):
        expected = activity[activity["track"] == track].nlargest(2, "activity")
        assert set(chosen["example"]) == set(expected["example"])
    contexts = found.table("contexts")
    assert not contexts.loc[~contexts["ranked"], "selected"].any()


def test_genes_whose_peak_is_elsewhere_are_left_out(base: Path, study: Study, tmp_path: Path) -> None:
    table = study.table("loci").drop(columns="seed")
    strayed = table.assign(example="strayed", tss=table["tss"] + 500, gene_name="OFF", gene_id="OFF")
    pd.concat([table, strayed.iloc[[0]]]).to_csv(tmp_path / "loci.tsv", sep="\t", index=False)
    options: dict[str, Any] = {
        "model": {"activity": "study_cases:toy_peaks"}, "tests": {"include": ["necessity"]},
    }  # fmt: skip
    loci = {"tss": str(tmp_path / "loci.tsv"), "max_offset": 200.0}
    found = run_study(small_spec(base, out=str(tmp_path / "s"), loci=loci, **options), folder=HERE, verbose=False)
    activity = found.table("activity").set_index(["example", "track"])
    assert (activity["offset"].drop("strayed").abs() <= 64).all()
    assert abs(activity.loc[("strayed", "A"), "offset"]) > 200
    assert found.table("loci")["example"].tolist() == table["example"].tolist()
    assert found.table("necessity").equals(study.table("necessity"))
    # Other weights of the model for the activity are another study.
    assert found.header["model"]["fingerprint"] != study.header["model"]["fingerprint"]


def test_threads_of_the_caller_come_back(base: Path, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    spec = small_spec(base, out=str(tmp_path), tests={"include": ["necessity"]}, run={"threads": before + 1})
    run_study(spec, folder=HERE, verbose=False)
    assert torch.get_num_threads() == before
