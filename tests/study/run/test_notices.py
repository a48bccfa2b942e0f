"""Notices of a run: each names the loci that it is about."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

import tangermeme_creme.study.run.tasks as tasks
from tangermeme_creme.study.run import Progress, Task
from tangermeme_creme.study.store import Shard
from tangermeme_creme.support import warn

LOCI = pd.DataFrame({"example": list("abcde")})


def stub_study() -> Any:
    spec = SimpleNamespace(output=SimpleNamespace(raw=False), model=SimpleNamespace(activity=None))
    windows = SimpleNamespace(fasta=None)
    engine = {"batch_size": 1, "dtype": None, "device": None}
    return SimpleNamespace(spec=spec, windows=windows, engine=engine, activity_model=None, length=8, tracks=("A",))


def logged(folder: Path, stage: str) -> list[str]:
    """Run a stage of all loci, and return the notices in the log."""
    setup: Any = SimpleNamespace(study="study", probe=None)
    made = tasks._many_loci(stub_study(), Task(setup, (stage,), LOCI))
    with Progress(folder, verbose=False) as progress:
        progress.stored(Shard(made.stage, made.examples), made, 0.0)
    return [line.partition("notice of ")[2] for line in (folder / "log.txt").read_text().splitlines()[1:]]


def test_notice_names_the_locus_that_it_is_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def context(tables: Any, study: Any, locus: pd.DataFrame) -> None:
        if locus["example"].iloc[0] in "bd":
            warn("a tile of N")
        if locus["example"].iloc[0] == "c":
            warn("alone")
            warn("alone")

    monkeypatch.setattr(tasks, "_context", context)
    assert logged(tmp_path, "context") == ["context b and 1 more: a tile of N", "context c: alone"]


def test_error_of_a_batch_is_noted_though_each_locus_alone_is_fine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def predict(study: Any, loci: pd.DataFrame) -> pd.DataFrame:
        if len(loci) > 1:
            raise RuntimeError("too many\x1b[2J")
        return loci.assign(track="A", activity=1.0)

    monkeypatch.setattr(tasks, "_predicted_activity", predict)
    (notice,) = logged(tmp_path, "activity")
    assert notice == (
        r"activity a and 4 more: 5 windows failed together (RuntimeError: too many\x1b[2J) and were predicted one by "
        "one, of which 0 failed."
    )
