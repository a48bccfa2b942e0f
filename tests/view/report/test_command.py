"""Test that `tangermeme-creme report` writes summaries, a page and figures."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tangermeme_creme.cli import main
from tangermeme_creme.study import Study
from tangermeme_creme.view import study_figures


def test_report_is_summaries_and_a_page(one_test: Study, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(one_test.folder)]) == 0
    folder = one_test.folder / "report"
    assert f"for a browser: {folder / 'report.html'}" in capsys.readouterr().out
    assert {"report.html", "contexts.csv", "summary.txt"} <= {path.name for path in folder.iterdir()}
    assert "<h1" in (folder / "report.html").read_text() and not (folder / "figures").exists()


def test_report_writes_every_figure(one_test: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(one_test.folder), "--out", str(tmp_path / "to"), "--figures", "svg"]) == 0
    names = {path.name for path in (tmp_path / "to" / "figures").iterdir()}
    expected = {f"{figure.name}.svg" for figure in study_figures(one_test)}
    assert names == expected and len(expected) > 1
    assert f"{len(expected)} figures in {tmp_path / 'to' / 'figures'}" in capsys.readouterr().out


def test_report_without_jinja_is_summaries_and_says_why(
    one_test: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert main(["report", str(one_test.folder), "--out", str(tmp_path)]) == 0
    assert "the page of a study must have Jinja2; got none" in capsys.readouterr().err
    assert (tmp_path / "contexts.csv").exists() and not (tmp_path / "report.html").exists()


def test_report_refuses_other_formats(one_test: Study, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["report", str(one_test.folder), "--figures", "gif"])
    assert "invalid choice: 'gif'" in capsys.readouterr().err
