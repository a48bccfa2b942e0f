"""The command line of studies: what it prints, writes and returns."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from study_cases import HERE, command, file_bytes, quick_spec, small_spec, table_bytes, write_toml

from tangermeme_creme.cli import main
from tangermeme_creme.study.run import plan_study
from tangermeme_creme.study.spec import read_spec, spec_to_dict


@pytest.fixture(scope="module")
def toml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("command")
    content = spec_to_dict(small_spec(folder, model={"module_folder": str(HERE)}))
    return write_toml(content, folder / "study.toml")


@pytest.fixture(scope="module")
def finished(toml: Path) -> Path:
    assert main(["run", str(toml), "--quiet"]) == 0
    return toml.parent / "study"


@pytest.fixture(scope="module")
def quick_toml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quick")
    content = spec_to_dict(quick_spec(folder, folder / "study", model={"module_folder": str(HERE)}))
    return write_toml(content, folder / "study.toml")


@pytest.fixture(scope="module")
def quick(quick_toml: Path) -> Path:
    """A study of three tests, whose page takes seconds."""
    assert main(["run", str(quick_toml), "--quiet"]) == 0
    return quick_toml.parent / "study"


def test_init_writes_a_file_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.toml"
    assert main(["init", str(path)]) == 0
    assert "--dry-run" in capsys.readouterr().out
    assert read_spec(path).model.adapter == "enformer"
    path.write_text(path.read_text() + "# mine\n")
    before = path.read_bytes()
    assert main(["init", str(path)]) == 2
    assert f"init writes a new file; got {path}" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_dry_run_counts_and_writes_nothing(toml: Path, finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = file_bytes(toml.parent)
    capsys.readouterr()
    assert main(["run", str(toml), "--timed"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split() == ["stage", "loci", "in", "full", "in", "part", "time", "disk"]
    rows = {line.split()[0]: line.split()[1:4] for line in shown[1:13]}
    assert rows["activity"] == ["4", "4", "0"]
    assert rows["context"] == ["4", "28", "0"]
    assert rows["fine_tile"][0] == "4"
    assert rows["necessity"] == ["4", "0", "148"]  # 1 + 6 tiles x 6 shuffles, each
    assert "s per sequence in full" in shown[-2]
    assert file_bytes(toml.parent) == before


def test_dry_run_neither_imports_nor_calls_the_function(
    toml: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = spec_to_dict(read_spec(toml))
    (tmp_path / "evil.py").write_text(f"import pathlib; pathlib.Path({str(tmp_path / 'ran')!r}).touch()\n")
    content["model"] |= {"function": "evil:load", "module_folder": str(tmp_path)}
    path = write_toml(content, tmp_path / "study.toml")
    assert main(["run", str(path), "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert not (tmp_path / "ran").exists()
    rows = {line.split()[0]: line.split()[1:5] for line in shown.splitlines()[1:13]}
    assert rows["necessity"] == ["4", "148", "0", "unknown"]
    assert "the time, and how many sequences run in part, are not known: the function" in shown
    assert main(["run", str(path), "--timed"]) == 2
    assert (tmp_path / "ran").exists()
    assert "model.function must be a function that can be imported; got 'evil:load'" in capsys.readouterr().err


def test_plan_agrees_with_what_is_run(finished: Path, toml: Path) -> None:
    plan = plan_study(read_spec(toml), timed=True).stages.set_index("stage")
    log = pd.Series((finished / "log.txt").read_text().splitlines())
    for stage in ("swap", "necessity", "sufficiency", "higher_order", "set_sufficiency", "interactions"):
        counts = log.str.extract(rf" {stage} \S+: \d+ rows, (\d+) full, (\d+) partial").dropna().astype(int)
        total = counts.to_numpy().sum()
        shared = plan.loc["shared", "full"] if stage == "swap" else 0  # the first test runs what all share
        assert plan.loc[stage, ["full", "partial"]].sum() + shared == total, stage


def test_plan_of_a_model_that_cannot_be_split_is_in_full(toml: Path) -> None:
    content = spec_to_dict(read_spec(toml))
    content["model"]["function"], content["model"]["arguments"] = "study_cases:breakable_toy", {"flag": "no"}
    from tangermeme_creme.study.spec import spec_from_dict

    plan = plan_study(spec_from_dict(content), timed=True)
    assert (plan.stages["partial"] == 0).all() and plan.speed.partial != plan.speed.partial
    assert "shared" not in set(plan.stages["stage"]) and "in part." not in str(plan)


def test_status_report_and_export(finished: Path, toml: Path, quick: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["status", str(toml)]) == 0
    assert capsys.readouterr().out.splitlines()[3].split()[:3] == ["swap", "4", "0"]
    assert main(["report", str(quick)]) == 0
    shown = capsys.readouterr().out
    assert "enhancing" in shown and (quick / "report" / "contexts.csv").exists()
    assert main(["export", str(finished), "--formats", "csv", "bed", "--out", str(finished / "files")]) == 0
    written = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert finished / "files" / "necessity.csv" in written and all(path.stat().st_size for path in written)
    assert main(["export", str(finished), "--formats", "pdf"]) == 2
    assert "got 'pdf'" in capsys.readouterr().err


def test_what_is_refused_is_told_without_a_traceback(
    tmp_path: Path, toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "study.toml"
    path.write_text(toml.read_text().replace("n = 6", 'n = "ten"', 1))
    assert main(["run", str(path)]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("tangermeme-creme: context.n must be a whole number, 1 or more; got 'ten'.")
    assert f"This is about {path}." in shown and "Traceback" not in shown
    assert main(["status", str(tmp_path)]) == 2
    assert "must have a whole manifest.jsonl" in capsys.readouterr().err
    assert main(["run", str(tmp_path / "none.toml")]) == 2
    assert "none.toml" in capsys.readouterr().err
    assert main(["run", str(toml), "--dask", "somewhere", "--quiet"]) == 2
    assert "--dask must be 'local:N' or the address of a scheduler" in capsys.readouterr().err


def test_command_runs_on_local_processes(
    quick: Path, quick_toml: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = spec_to_dict(read_spec(quick_toml)) | {"out": str(tmp_path / "wide")}
    path = write_toml(content, tmp_path / "wide.toml")
    assert main(["run", str(path), "--dask", "local:2"]) == 0
    assert "tests: 100%" in capsys.readouterr().err
    assert table_bytes(tmp_path / "wide") == table_bytes(quick)


def test_dry_run_counts_a_search_by_the_size_of_tiles(toml: Path, tmp_path: Path) -> None:
    spec = read_spec(toml)
    small = spec.model_copy(update={"tiles": spec.tiles.model_copy(update={"size": 512})})
    of_tiles, of_small = (plan_study(one).stages.set_index("stage")["full"] for one in (spec, small))
    # 4 loci, 1 CRE, 2 shuffles; 2 + (8 + 7 + 6 + 5) + (16 + 14 + 12 + 10) passes of 1,024 bp, and 2 + 7 + 14 of 512 bp.
    assert of_tiles["fine_tile"] == 4 * 2 * 80 and of_small["fine_tile"] == 4 * 2 * 23


def test_ctrl_c_is_heard_while_workers_start(toml: Path, tmp_path: Path) -> None:
    starts = "class LocalCluster:\n    def __init__(self, **options):\n        "
    wait = 'print("here", flush=True); import threading; threading.Event().wait()\n'
    (tmp_path / "distributed.py").write_text(f"Client = None\n{starts}{wait}")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])}
    with subprocess.Popen(
        command("run", toml, "--dask", "local:2"), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        errors = process.communicate()[1]
    assert (process.returncode, errors) == (130, "tangermeme-creme: stopped.\n")


def test_report_is_written_though_nobody_reads_what_is_printed(quick: Path, tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as unread:
        ended = subprocess.run(
            command("report", quick, "--out", tmp_path / "report"), stdout=unread, stderr=subprocess.PIPE
        )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert (tmp_path / "report" / "report.html").exists() and (tmp_path / "report" / "summary.txt").exists()
