"""The demo finds what it planted, and says so when it does not."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from tangermeme_creme import __version__, demo
from tangermeme_creme.cli import main
from tangermeme_creme.models.toy import RegulatoryToy
from tangermeme_creme.study import Study

TABLES = {
    "activity", "selection", "loci", "contexts", "swap", "necessity", "sufficiency", "cres", "distance", "multiplicity",
    "saturation", "higher_order", "interaction_classes", "set_sufficiency", "interactions", "fine_tile", "kept",
    "fine_mapping", "retention", "cres_genome", "kept_genome",
}  # fmt: skip


class Shown(NamedTuple):
    """A demo: its folder, its exit code, and what it printed."""

    out: Path
    code: int
    printed: str
    errors: str


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "LENGTH", 16_384)
        patch.setattr(demo, "TILE", 1_280)
        yield


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, small: None) -> Shown:
    """The demo with its page, which takes as long as the rest."""
    out = tmp_path_factory.mktemp("demo") / "new" / "folder"
    with redirect_stdout(StringIO()) as printed, redirect_stderr(StringIO()) as errors:
        code = main(["demo", "--out", str(out), "--quiet"])
    return Shown(out, code, printed.getvalue(), errors.getvalue())


@pytest.fixture
def without_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "write_page", lambda study: study.folder / "report.html")


def tables(out: Path) -> list[bytes]:
    return [(out / "tables" / f"{name}.csv").read_bytes() for name in sorted(TABLES)]


def test_demo_recovers_everything_and_writes_its_tables(shown: Shown) -> None:
    out = shown.out
    assert (shown.code, shown.errors) == (0, "")
    counts = re.findall(r" (\d+)/(\d+) ", shown.printed)
    assert len(counts) == 13
    assert all(found == of and int(of) for found, of in counts)
    assert {path.stem for path in (out / "tables").glob("*.csv")} == TABLES
    assert all(len(pd.read_csv(path)) for path in (out / "tables").glob("*.csv"))
    assert (out / "tile_effects.png").stat().st_size > 10_000
    page = (out / "study_0" / "report" / "report.html").read_text()
    assert "SIM1" in page and str(out.parents[1]) not in page
    assert {"cres.A.bed", "necessity.B.bedgraph", "cre_gene.A.interact"} <= {
        path.name for path in (out / "study_0" / "export").iterdir()
    }
    assert {"genome.fa", "genes.gtf", "truth.bed", "loci.tsv", "study.toml"} <= {path.name for path in out.iterdir()}
    assert not list(out.rglob(".*"))


def test_demo_is_a_study_that_can_be_run_again_by_its_file(shown: Shown) -> None:
    lines = (shown.out / "study_0" / "manifest.jsonl").read_text().splitlines()
    assert main(["run", str(shown.out / "study.toml"), "--quiet"]) == 0
    assert (shown.out / "study_0" / "manifest.jsonl").read_text().splitlines() == lines
    assert (Study.open(shown.out / "study_0").status()["done"] == 4).all()


@pytest.mark.usefixtures("without_page")
def test_demo_with_another_seed_has_other_tables(shown: Shown, tmp_path: Path) -> None:
    assert main(["demo", "--out", str(tmp_path), "--quiet", "--seed", "4"]) == 0
    assert all(a != b for a, b in zip(tables(shown.out), tables(tmp_path), strict=True))


def test_demo_is_the_same_again_and_without_jinja_has_no_report_and_says_so(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert main(["demo", "--out", str(tmp_path), "--quiet"]) == 0
    assert 'no report: the page of a study must have Jinja2; got none: install it with pip install "tang' in (
        capsys.readouterr().out
    )
    assert not (tmp_path / "study_0" / "report").exists()
    assert tables(shown.out) == tables(tmp_path)


@pytest.mark.usefixtures("without_page")
def test_demo_fails_when_a_strong_element_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Deaf(RegulatoryToy):
        """Hears nothing beyond its own promoter."""

        def __init__(self, length: int, **settings: Any) -> None:
            super().__init__(length, reach=(1.0, 1.0), **settings)

    monkeypatch.setattr(demo, "RegulatoryToy", Deaf)
    assert main(["demo", "--out", str(tmp_path), "--quiet"]) == 1
    shown = capsys.readouterr().out
    assert "missed strong elements:\n  necessity: enhancer of SIM1 in cell A" in shown
    assert re.search(r"fine-tile search +0/0 ", shown)


def test_command_line_shows_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    for argument, text in (("--help", "demo"), ("--version", __version__)):
        with pytest.raises(SystemExit, match="0"):
            main([argument])
        assert text in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main([])
