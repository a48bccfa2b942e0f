"""A page links to the files that were exported."""

from __future__ import annotations

import re
from urllib.parse import unquote

from report_cases import page_of
from study_tables import made_study

from tangermeme_creme.study import export_study


def test_exported_files_are_linked_from_within_the_study(tmp_path):
    study = made_study(tmp_path)
    export_study(study, formats=["bed", "csv"])
    odd = study.folder / "export" / "a b#%.bed"
    odd.write_text("")
    page = page_of(study)
    links = [e for e in page.all("a") if "files" in e.within]
    for link in links:
        place = unquote(str(link.attrs["href"]))
        assert (study.folder / "report" / place).resolve() == study.folder / "export" / link.text
    assert "../export/a%20b%23%25.bed" in [link.attrs["href"] for link in links]
    assert len(links) == len(list((study.folder / "export").iterdir()))
    assert links[0].text == odd.name and links[-1].text.endswith(".csv")  # tracks first
    assert re.search(r"CREs, BED</td><td class=\"number\">\d+ bytes", page.html)


def test_exported_files_are_named_only_where_links_would_not_hold(tmp_path):
    study = made_study(tmp_path)
    export_study(study, formats=["bed"])
    page = page_of(study, path=tmp_path / "elsewhere" / "page.html")
    assert "cres.K562.bed" in page.html
    assert not [e for e in page.all("a") if "files" in e.within]


def test_without_exported_files_it_says_how_to_make_them(page):
    assert "tangermeme-creme export study" in page.html
