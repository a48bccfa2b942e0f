"""Each locus of a study has a part on its page."""

from __future__ import annotations

from report_cases import many, page_of, read_page
from study_tables import LOCI, made_study

import tangermeme_creme.view.report.loci as loci_module


def test_a_thousand_loci_fit_into_a_page(large_file):
    page = read_page(large_file)
    assert len(page.all("details", class_="locus")) == 1000
    assert large_file.stat().st_size < 10e6
    assert len(page.content("table-necessity")) == 2000


def test_each_locus_that_was_drawn_has_a_part(tmp_path, page):
    loci = page.all("details", class_="locus")
    assert [e.attrs["id"] for e in loci] == [f"locus-{k}" for k in range(1, 7)]
    assert ["open" in e.attrs for e in loci] == [True] + [False] * 5
    assert "AAA" in loci[0].text and "chr1:150 +" in loci[0].text and "2 enhancers" in loci[0].text
    assert "g5" in loci[4].text and LOCI["gene_name"][4] == ""
    assert "stage" not in loci[0].text and "failed: distance, tile 5: RuntimeError: no memory" in loci[0].text
    links = [e.attrs["href"] for e in page.all("a") if "loci" in e.within]
    assert links == [f"#locus-{k}" for k in range(1, 7)]
    six = page.all("desc")
    assert len(six) == 6 and "sufficiency over control" in six[2].text


def test_names_of_loci_lead_to_their_parts(page):
    assert '"links":[1,2,3,4,5,6]' in page.one("script", id="data-table-contexts").text


def test_the_first_locus_is_closed_where_there_are_many(tmp_path):
    assert not any("open" in e.attrs for e in page_of(many(tmp_path, 13)).all("details", class_="locus"))


def test_a_note_counts_loci_beyond_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr("tangermeme_creme.view.report.page.LOCI", 4)
    page = page_of(made_study(tmp_path))
    assert len(page.all("details", class_="locus")) == 4
    assert "The first 4 of 6 loci are shown" in page.html
    assert loci_module.LOCI == 2000


def test_cres_of_a_locus_are_in_its_part(page):
    table = next(e for e in page.all("table") if "locus-1" in e.within)
    assert "CREs of AAA" in table.text
    cells = [e.text for e in page.all("td") if "locus-1" in e.within]
    assert cells[:4] == ["K562", "enhancer", "-0.15 to -0.05", "0.8 [0.78, 0.82]"]
