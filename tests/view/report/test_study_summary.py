"""The summary of a page tells counts, provenance and cost of a study."""

from __future__ import annotations

import tomllib

from report_cases import Page, read_page
from study_tables import TRACKS, made_tables

from tangermeme_creme.study.store import Manifest
from tangermeme_creme.view import write_page


def test_a_study_that_was_run_says_where_it_comes_from_and_what_it_cost(one_test):
    page = read_page(write_page(one_test, figures=[]))
    header, text = one_test.header, Page.one(page, "section", id="summary").text
    for value in (header["model"]["fingerprint"], header["spec_hash"], header["begun"], *header["inputs"].values()):
        assert value in text
    assert header["versions"]["torch"] in text and "toy" in text
    status = one_test.status()
    rows = [e.text for e in page.all("tr") if "summary" in e.within]
    for row in status.itertuples():
        assert any(line.startswith(f"{row.stage}{row.done}{row.failed}{row.of:.0f}") for line in rows)
    shards = Manifest.load(one_test.folder).shards
    spent = [sum(shard.cost.get(kind, 0) for shard in shards) for kind in ("full", "partial")]
    assert all(spent) and rows[-1].startswith("all") and rows[-1].endswith("".join(f"{n:,}" for n in spent))
    assert str(one_test.folder.parent) not in page.html
    settings = tomllib.loads(page.one("pre", class_="scroll").text)
    assert settings["tests"]["necessity"]["n"] == 6 and settings["out"] == "study"


def test_counts_are_those_of_the_tables(page):
    counts = {e.text: k for k, e in enumerate(page.elements) if e.tag == "dt"}
    values = {name: page.elements[k + 1].text for name, k in counts.items()}
    assert values["chosen to be studied"] == "6" and values["ranked in a track"] == "6"
    cres = made_tables()["cres"]["cre"]
    assert values["enhancers, over all tracks"] == str((cres == "enhancer").sum())
    assert values["silencers, over all tracks"] == str((cres == "silencer").sum())
    assert values["failures"] == "2"


def test_names_of_tracks_may_be_anything(page):
    assert TRACKS[1] in page.one("section", id="summary").text
