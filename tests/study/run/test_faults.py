"""What happens when a locus fails, a test of it, all of them, or the model."""

import dataclasses
import re
import shutil
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import study_cases
from executor_cases import NewThread
from study_cases import HERE, QUICK, logged_shards, small_spec, table_bytes, toy, write_toml

import tangermeme_creme.study.run.tasks as tasks
from tangermeme_creme.cli import main
from tangermeme_creme.study import Study, StudyError, StudySpec, run_study
from tangermeme_creme.study.run import read_loci
from tangermeme_creme.study.spec import spec_to_dict
from tangermeme_creme.study.tables import Windows
from tangermeme_creme.study.tests import TESTS

SIM1, SIM2 = "SIM1:sim1:5096+", "SIM2:sim2:5095-"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the genome, and of the flag that breaks the model."""
    return tmp_path_factory.mktemp("faults")


def spec_at(base: Path, out: Path, **sections: Any) -> StudySpec:
    """A study with a model that can be broken."""
    model = {"function": "study_cases:breakable_toy", "arguments": {"flag": str(base / "flag")}}
    return small_spec(base, out=str(out), **{"model": model, "tests": {"include": list(QUICK)}, **sections})


@pytest.fixture(scope="module")
def finished(base: Path) -> Path:
    return run_study(spec_at(base, base / "finished"), folder=HERE, verbose=False).folder


def centre_of(spec: StudySpec, example: str) -> str:
    """The bases around the TSS of a locus, which no test but the last changes."""
    loci, windows = read_loci(spec), Windows(spec)
    codes = windows.read(loci[loci["example"] == example]).to_codes()[0]
    windows.close()
    return "".join("ACGT"[code] for code in codes[len(codes) // 2 - 20 : len(codes) // 2 + 20])


def run_broken(base: Path, spec: StudySpec, example: str) -> Study:
    """Run a study whose model fails at one locus, until this is over."""
    flag = base / "flag"
    flag.write_text(centre_of(spec, example))
    try:
        return run_study(spec, folder=HERE, verbose=False)
    finally:
        flag.unlink()


@pytest.fixture(scope="module")
def broken(base: Path) -> Path:
    """A study in which the first locus failed."""
    return run_broken(base, spec_at(base, base / "broken"), SIM1).folder


@pytest.fixture
def copy(broken: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(broken, tmp_path / "study"))


def rows_but(folder: Path, name: str, example: str) -> pd.DataFrame:
    table = Study.open(folder).table(name)
    return table[table["example"] != example].reset_index(drop=True)


def test_locus_that_fails_is_recorded_with_its_error(broken: Path) -> None:
    (row,) = Study.open(broken).table("failures").to_dict("records")
    assert [row[name] for name in ("example", "stage", "what", "error")] == [SIM1, "activity", "", "RuntimeError"]
    assert row["message"].startswith("no prediction around '")
    log = (broken / "log.txt").read_text()
    assert f"FAILED activity {SIM1}: RuntimeError: no prediction around" in log
    assert "Traceback (most recent call last)" in log


def test_error_of_windows_together_is_named_though_each_is_predicted_alone(broken: Path) -> None:
    log = (broken / "log.txt").read_text()
    assert re.search(
        r"notice of activity .*: 4 windows failed together \(RuntimeError: no prediction around '[ACGT]+'\) and were "
        r"predicted one by one, of which 1 failed\.", log,
    )  # fmt: skip


def test_locus_that_fails_leaves_the_others_as_they_are(finished: Path, broken: Path) -> None:
    assert SIM1 not in set(Study.open(broken).table("necessity")["example"])
    for name in QUICK:
        assert len(rows_but(broken, name, SIM1))
        assert rows_but(broken, name, SIM1).equals(rows_but(finished, name, SIM1))


def test_locus_that_fails_is_done_by_the_next_run(base: Path, finished: Path, copy: Path) -> None:
    before = len(logged_shards(copy))
    study = run_study(spec_at(base, copy), folder=HERE, verbose=False)
    assert all(SIM1 in shard for shard in logged_shards(copy)[before:])
    assert "failures" not in study.tables
    assert table_bytes(copy) == table_bytes(finished)
    # Nor does it come back with the shards of which it once was a part.
    (copy / "manifest.jsonl").unlink()
    study = run_study(spec_at(base, copy), folder=HERE, verbose=False)
    assert "failures" not in study.tables
    assert table_bytes(copy) == table_bytes(finished)


@pytest.mark.parametrize(
    "sections",
    [
        {"tests": {"include": ["swap"]}},
        {"tests": {"include": ["higher_order"]}, "context": {"per_category": 1}},
    ],
    ids=["swap", "draw"],
)
def test_locus_that_failed_and_counts_for_others_is_made_up_for(
    base: Path, tmp_path: Path, sections: dict[str, Any]
) -> None:
    # The TSS of one locus goes into the contexts of others, and takes the place of others when loci are drawn.
    reference = run_study(spec_at(base, tmp_path / "reference", **sections), folder=HERE, verbose=False)
    spec = spec_at(base, tmp_path / "study", **sections)
    run_broken(base, spec, SIM1)
    study = run_study(spec, folder=HERE, verbose=False)
    assert "failures" not in study.tables
    for name in reference.tables:
        assert study.table(name).equals(reference.table(name)), name
    assert study.tables == reference.tables


def test_command_says_which_loci_failed_and_then_goes_on(
    base: Path, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = spec_at(base, tmp_path / "study")
    file = write_toml(spec_to_dict(spec), tmp_path / "study.toml")
    (base / "flag").write_text(centre_of(spec, SIM2))
    try:
        assert main(["run", str(file), "--quiet"]) == 1
    finally:
        (base / "flag").unlink()
    errors = capsys.readouterr().err
    assert "tangermeme-creme: 1 failures:" in errors
    assert f"  {SIM2}, activity: RuntimeError: no prediction around" in errors
    assert "run the same command again to try them again." in errors
    assert main(["run", str(file), "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert table_bytes(tmp_path / "study") == table_bytes(finished)


def test_test_that_fails_holds_up_those_that_need_it_and_no_other(
    base: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sufficiency = TESTS["sufficiency"]

    def fails(locus: Any, settings: Any, tables: Any) -> None:
        if locus.example == SIM2:
            raise ValueError("not this one")
        sufficiency.run(locus, settings, tables)

    with monkeypatch.context() as patch:
        patch.setitem(TESTS, "sufficiency", dataclasses.replace(sufficiency, run=fails))
        study = run_study(spec_at(base, tmp_path), folder=HERE, verbose=False)
    failures = study.table("failures")[["example", "stage", "error", "message"]]
    assert failures.values.tolist() == [[SIM2, "sufficiency", "ValueError", "not this one"]]
    assert study.table("necessity").equals(Study.open(finished).table("necessity"))
    for name in ("sufficiency", "distance", "cres"):
        assert rows_but(tmp_path, name, SIM2).equals(rows_but(finished, name, SIM2))
    status = study.status().set_index("stage")
    assert status.loc["sufficiency", ["done", "failed", "of"]].tolist() == [3, 1, 4]
    assert status.loc["distance", ["done", "failed", "of"]].tolist() == [3, 0, 4]
    before = logged_shards(tmp_path)
    run_study(spec_at(base, tmp_path), folder=HERE, verbose=False)
    assert logged_shards(tmp_path)[len(before) :] == [f"sufficiency {SIM2}", f"distance {SIM2}"]
    assert table_bytes(tmp_path) == table_bytes(finished)


@pytest.mark.parametrize(
    ("operator", "stage"), [("_predicted_activity", "activity"), ("context_dependence_test", "context")]
)
def test_loci_that_all_fail_end_the_run_with_the_first_error(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operator: str, stage: str
) -> None:
    def fails(*arguments: Any, **options: Any) -> None:
        raise ValueError("none at all")

    monkeypatch.setattr(tasks, operator, fails)
    with pytest.raises(StudyError, match=rf"to go on with; got none after stage {stage}: ValueError: none at all"):
        run_study(spec_at(base, tmp_path), folder=HERE, verbose=False)


def test_model_that_fails_everywhere_is_refused_with_its_error(base: Path, tmp_path: Path) -> None:
    (base / "flag").write_text("")
    try:
        with pytest.raises(StudyError, match=r"one of three windows; .* SIM4:\S+: RuntimeError: no prediction around"):
            run_study(spec_at(base, tmp_path), folder=HERE, verbose=False)
    finally:
        (base / "flag").unlink()
    assert not (tmp_path / "manifest.jsonl").exists()


@pytest.mark.parametrize(
    ("function", "match"),
    [
        ("three_tracks", r"one number for each of 2 tracks, shape \(N, 2\); got \(N, 3\): see model\.tracks"),
        ("missing", r"model\.function must be .* can be imported; got 'study_cases:missing': .* has no attribute"),
        ("not_a_model", r"must return a torch\.nn\.Module; got str from 'study_cases:not_a_model'"),
    ],
)
def test_model_that_cannot_be_used_is_refused(base: Path, tmp_path: Path, function: str, match: str) -> None:
    spec = small_spec(base, out=str(tmp_path), model={"function": f"study_cases:{function}"})
    with pytest.raises(StudyError, match=match):
        run_study(spec, folder=HERE, verbose=False)
    assert not (tmp_path / "manifest.jsonl").exists()


def test_module_that_is_not_there_is_refused(base: Path, tmp_path: Path) -> None:
    spec = small_spec(base, out=str(tmp_path), model={"function": "no_such_module:load"})
    with pytest.raises(StudyError, match=r"can be imported; got 'no_such_module:load': No module named"):
        run_study(spec, folder=HERE, verbose=False)


def test_worker_with_other_weights_is_refused(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []

    def changing() -> Any:
        model = toy()
        next(iter(model.buffers())).add_(1e-6 * len(loaded))
        loaded.append(model)
        return model

    monkeypatch.setattr(study_cases, "toy", changing)
    with pytest.raises(StudyError, match=r"every worker must load the model that the study began with, [0-9a-f]{12};"):
        run_study(small_spec(base, out=str(tmp_path)), folder=HERE, executor=NewThread(), verbose=False)
    assert len(loaded) == 2


class KilledWorker(Exception):
    """What Dask says of a task that took worker after worker down with it."""


class Deadly(Executor):
    """Workers die of the tests of one locus."""

    def submit(self, function: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        task = arguments[0]
        if function is tasks.run_task and task.stages[0] in TESTS and SIM2 in set(task.loci["example"]):
            future.set_exception(KilledWorker("4 workers"))
        else:
            future.set_result(function(*arguments, **options))
        return future


def test_locus_that_workers_die_of_is_recorded_and_the_others_go_on(base: Path, finished: Path, tmp_path: Path) -> None:
    study = run_study(spec_at(base, tmp_path), folder=HERE, executor=Deadly(), verbose=False)
    (row,) = study.table("failures").to_dict("records")
    assert (row["example"], row["error"]) == (SIM2, "KilledWorker")
    assert SIM2 not in set(study.table("necessity")["example"])
    for name in QUICK:
        assert rows_but(tmp_path, name, SIM2).equals(rows_but(finished, name, SIM2))
    run_study(spec_at(base, tmp_path), folder=HERE, verbose=False)
    assert table_bytes(tmp_path) == table_bytes(finished)
