"""The demo finds what it planted, and says so when it does not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tangermeme_creme import __version__, demo
from tangermeme_creme.cli import main
from tangermeme_creme.models.toy import RegulatoryToy

TABLES = {
    "context_dependence", "contexts", "context_swap", "necessity", "sufficiency", "tile_effects", "interaction_map",
    "distance", "higher_order_min", "higher_order_max", "tile_set_sufficiency", "multiplicity", "saturation",
    "fine_tile", "fine_mapping",
}  # fmt: skip


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "LENGTH", 16_384)
    monkeypatch.setattr(demo, "TILE", 1_280)


def test_demo_recovers_everything_and_writes_its_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "folder"
    assert main(["demo", "--out", str(out), "--quiet"]) == 0
    shown = capsys.readouterr()
    counts = re.findall(r" (\d+)/(\d+) ", shown.out)
    assert len(counts) == 13
    assert all(found == of for found, of in counts)
    assert shown.err == ""
    assert {path.stem for path in out.glob("*.csv")} == TABLES
    assert all(len(pd.read_csv(path)) for path in out.glob("*.csv"))
    assert (out / "tile_effects.png").stat().st_size > 10_000
    assert {"genome.fa", "genes.gtf", "truth.bed", "loci.tsv"} <= {path.name for path in out.iterdir()}
    assert not list(out.glob(".*"))


def test_demo_is_the_same_again_and_another_with_another_seed(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert main(["demo", "--out", str(tmp_path / name), "--quiet", "--seed", str(seed)]) == 0
    for table in TABLES:
        a, b, c = ((tmp_path / name / f"{table}.csv").read_bytes() for name in "abc")
        assert a == b
        assert a != c


def test_demo_fails_when_a_strong_element_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Deaf(RegulatoryToy):
        """Hears nothing beyond its own promoter."""

        def __init__(self, length: int, **settings: Any) -> None:
            super().__init__(length, reach=(1.0, 1.0), **settings)

    monkeypatch.setattr(demo, "RegulatoryToy", Deaf)
    with pytest.warns(UserWarning, match="no activity or effect to keep"):
        assert main(["demo", "--out", str(tmp_path), "--quiet"]) == 1
    assert "missed strong elements:\n  necessity: enhancer of SIM1 in cell A" in capsys.readouterr().out


def test_command_line_shows_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    for argument, text in (("--help", "demo"), ("--version", __version__)):
        with pytest.raises(SystemExit, match="0"):
            main([argument])
        assert text in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main([])
