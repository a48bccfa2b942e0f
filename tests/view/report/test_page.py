"""A page is one whole file that can do no harm and tells nothing about a machine."""

from __future__ import annotations

import base64
import hashlib
import sys

import pytest
from report_cases import IMAGE, SCRIPT, drawn, harmful, page_of
from study_tables import made_study

from tangermeme_creme.view import write_page


def test_names_are_inert(tmp_path):
    page = page_of(harmful(tmp_path))
    assert not page.all("img") and len(page.all("script")) == 1 + len(page.contents)
    assert not [e for e in page.elements if any(name.startswith("on") for name in e.attrs)]
    assert IMAGE in page.one("details", id="locus-1").text and SCRIPT in page.one("details", id="locus-2").text
    assert page.content("table-contexts")["gene"].tolist()[2] == SCRIPT
    assert page.content("table-necessity")["example"].tolist()[0] == f"{IMAGE}:1"
    assert page.content("table-failures")["message"].tolist()[0] == f"{SCRIPT} in file.bw"


def test_a_page_may_run_its_own_script_and_nothing_else(page):
    policy = page.one("meta", **{"http-equiv": "Content-Security-Policy"}).attrs["content"]
    (script,) = [e.text for e in page.all("script") if "id" not in e.attrs]
    for kind, text in (("script", script), ("style", page.one("style").text)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert not [e for e in page.elements if "style" in e.attrs]


def test_a_page_loads_nothing_from_elsewhere(tmp_path):
    page = page_of(made_study(tmp_path), figures=[drawn()])
    places = [str(e.attrs[name]) for e in page.elements for name in ("src", "href") if name in e.attrs]
    assert all(place.startswith(("#", "data:")) for place in places)
    assert "innerHTML" not in page.html and "url(" not in page.one("style").text


def test_a_page_tells_no_folder_of_the_machine(tmp_path):
    page = page_of(harmful(tmp_path), figures=[drawn()])
    assert str(tmp_path) not in page.html and tmp_path.name not in page.html
    assert 'fasta = "genome.fa"' in page.one("pre", class_="scroll").text


def test_the_same_study_gives_the_same_bytes(tmp_path):
    study = made_study(tmp_path)
    first = write_page(study, figures=[drawn()]).read_bytes()
    assert write_page(study, figures=[drawn()]).read_bytes() == first


def test_a_page_is_written_whole_to_the_folder_of_the_study_or_a_path(tmp_path):
    study = made_study(tmp_path)
    path = write_page(study, figures=[])
    assert path == study.folder / "report" / "report.html"
    other = write_page(study, tmp_path / "deep" / "er" / "page.html", figures=[])
    assert [file.name for file in other.parent.iterdir()] == ["page.html"]
    assert other.read_text() == path.read_text()


def test_without_jinja2_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ImportError, match=r'pip install "tangermeme-creme\[report\]"'):
        write_page(made_study(tmp_path), figures=[])
    assert not (tmp_path / "study" / "report").exists()


def test_the_module_is_imported_without_jinja2():
    assert "jinja2" not in vars(sys.modules["tangermeme_creme.view.report.page"])
