"""The page of a study: what is in it, what is not, and that nothing in it can do harm."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
import tomllib
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from report_cases import IMAGE, SCRIPT, Page, drawn, harmful, many, read_page
from study_cases import small_spec
from study_tables import LOCI, TRACKS, Tabled, made_spec, made_study, made_tables

import tangermeme_creme.view.report.loci as loci_module
import tangermeme_creme.view.report.tables as tables_module
from tangermeme_creme.study.run import run_study
from tangermeme_creme.study.store import Manifest
from tangermeme_creme.study.tables import Study, export_study, summary_tables
from tangermeme_creme.view.plots import CATEGORY_COLORS, INK
from tangermeme_creme.view.report import write_page

OF_TESTS = [
    "contexts", "swap", "necessity", "sufficiency", "cres", "distance", "multiplicity", "higher_order",
    "set_sufficiency", "interactions", "fine_mapping",
]  # fmt: skip


def page_of(study: Tabled, **options: object) -> Page:
    options.setdefault("figures", [])
    return read_page(write_page(study, **options))  # type: ignore[arg-type]


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return page_of(made_study(tmp_path))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study that was run, of one test."""
    spec = small_spec(tmp_path_factory.mktemp("real"), tests={"include": ["necessity"]})
    return run_study(spec, verbose=False)


def test_there_is_a_part_for_each_test_with_rows_and_none_for_others(tmp_path, page):
    assert page.sections == ["summary", *OF_TESTS, "failures", "loci", "files"]
    links = [e.attrs["href"] for e in page.all("a") if not e.within[1:] and "content" not in e.within]
    assert links == ["#content", *(f"#{key}" for key in page.sections)]
    few = {name: table for name, table in made_tables().items() if name in ("loci", "contexts", "necessity")}
    part = page_of(Tabled(tmp_path / "few", made_spec(tmp_path), few))
    assert part.sections == ["summary", "contexts", "necessity", "loci", "files"]


def test_a_study_without_tables_has_a_page(tmp_path):
    assert page_of(Tabled(tmp_path / "study", made_spec(tmp_path), {})).sections == ["summary", "files"]


def test_annotation_has_a_part_of_its_own(tmp_path):
    signal = pd.DataFrame({"example": ["g1"], "track": "K562", "cre": "enhancer", "signal": "DNase", "max": [3.5]})
    tables = {**made_tables(), "cre_signal": signal}
    page = page_of(Tabled(tmp_path / "study", made_spec(tmp_path), tables))
    assert "annotation" in page.sections
    assert page.content("table-cre_signal")["max"].tolist() == [3.5]


def test_rows_equal_those_of_the_tables(tmp_path, page):
    study = made_study(tmp_path)
    names = {"loci", "activity", "selection", *summary_tables({})}
    shown = {key.removeprefix("table-"): table for key, table in page.contents.items() if key.startswith("table-")}
    assert set(shown) == set(study.tables) - {"loci"} - names
    for name, found in shown.items():
        table = study.table(name)
        assert len(found) == len(table) and set(found.columns) - {"gene"} <= set(table.columns)
        for column in found.columns.drop("gene"):
            assert_same(found[column], table[column])


def test_summaries_equal_those_of_the_report(tmp_path, page):
    study = made_study(tmp_path)
    summaries = summary_tables({name: study.table(name) for name in study.tables})
    found = {key: table for key, table in page.contents.items() if key.startswith("summary-")}
    tests = summaries.pop("tests")
    assert {key.split("-")[2] for key in found} == {*summaries, "tests"}
    for key, table in found.items():
        if not key.endswith("-tests"):
            for column in table.columns:
                assert_same(table[column], summaries[key.split("-")[2]][column])
    of_tests = [found[f"summary-{key}-tests"]["value"] for key in ("sufficiency", "cres")]
    assert pd.concat(of_tests).tolist() == tests["value"].tolist()


def assert_same(found: pd.Series, column: pd.Series) -> None:
    if pd.api.types.is_bool_dtype(column.dtype):
        assert found.tolist() == column.map({True: "yes", False: "no"}).tolist()
    elif pd.api.types.is_numeric_dtype(column.dtype):
        np.testing.assert_allclose(found.astype(float), column.astype(float), rtol=1e-5)
    else:
        assert found.where(found.notna(), None).tolist() == column.where(column.notna() & (column != ""), None).tolist()


def test_genes_stand_beside_loci_whose_names_do_not_tell_them(tmp_path, page):
    assert page.content("table-contexts")["gene"].tolist()[:4] == ["AAA", "AAA", "BBB", "BBB"]
    tables = made_tables()
    tables["loci"] = LOCI.assign(gene_name=LOCI["example"])
    told = page_of(Tabled(tmp_path / "told", made_spec(tmp_path), tables))
    assert "gene" not in told.content("table-contexts")


def test_of_a_long_table_the_largest_effects_are_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(tables_module, "ROWS", 10)
    monkeypatch.setattr(tables_module, "CLOSED_ROWS", 5)
    page = page_of(made_study(tmp_path))
    table = made_study(tmp_path).table("necessity")
    largest = table["necessity"].abs().sort_values(ascending=False)[:5]
    np.testing.assert_allclose(page.content("table-necessity")["necessity"].abs(), largest, rtol=1e-5)
    note = "Of 72 rows the 5 with the largest |necessity| are shown; the whole table is tables/necessity.parquet"
    assert note in page.html
    assert len(page.content("table-contexts")) == 10
    assert "table-fine_tile" not in page.contents  # it has no effect to choose by
    rows = len(made_study(tmp_path).table("fine_tile"))
    assert f"It has {rows} rows, too many for a page: the whole table is tables/fine_tile.parquet" in page.html


def test_a_thousand_loci_fit_into_a_page(tmp_path):
    study = many(tmp_path, 1000)
    path = write_page(study, figures=[])
    page = read_page(path)
    assert len(page.all("details", class_="locus")) == 1000
    assert path.stat().st_size < 10e6
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


def test_loci_beyond_the_most_are_told_of(tmp_path, monkeypatch):
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


def test_nothing_comes_from_elsewhere(tmp_path):
    page = page_of(made_study(tmp_path), figures=[drawn()])
    found = [str(e.attrs[name]) for e in page.elements for name in ("src", "href") if name in e.attrs]
    assert all(place.startswith(("#", "data:")) for place in found)
    assert "innerHTML" not in page.html and "url(" not in page.one("style").text


def test_no_folder_of_the_machine_is_told(tmp_path):
    page = page_of(harmful(tmp_path), figures=[drawn()])
    assert str(tmp_path) not in page.html and tmp_path.name not in page.html
    assert 'fasta = "genome.fa"' in page.one("pre", class_="scroll").text


def test_the_same_study_gives_the_same_bytes(tmp_path):
    study = made_study(tmp_path)
    first = write_page(study, figures=[drawn()]).read_bytes()
    assert write_page(study, figures=[drawn()]).read_bytes() == first


def test_it_is_written_whole_in_the_folder_of_the_study_or_where_asked(tmp_path):
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


def test_figures_are_images_that_follow_light_and_dark(tmp_path):
    figures = [drawn("one", alt="a < b"), drawn("two", section="annotation", title="<Two>", caption="& more")]
    page = page_of(made_study(tmp_path), figures=figures)
    first, second = page.all("img")
    assert first.attrs["alt"] == "a < b" and (first.attrs["width"], first.attrs["height"]) == ("288", "192")
    assert ("necessity" in first.within, "annotation" in second.within) == (True, True)
    assert page.all("figcaption")[1].text == "<Two>. & more"
    kind, data = str(first.attrs["src"]).split(",")
    svg = base64.b64decode(data).decode()
    assert kind == "data:image/svg+xml;base64"
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg") and svg.count(INK) == 2  # both in its style
    assert "currentColor" in svg and "@media (prefers-color-scheme: dark)" in svg and ">ink</text>" in svg


def test_the_figure_that_was_given_stays_as_it_is(tmp_path):
    figure = drawn()
    before = figure.figure.axes[0].title.get_color(), figure.figure.patch.get_facecolor()
    page_of(made_study(tmp_path), figures=[figure])
    assert (figure.figure.axes[0].title.get_color(), figure.figure.patch.get_facecolor()) == before


def test_a_figure_of_no_part_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must be of contexts, .*; got 'elsewhere'"):
        page_of(made_study(tmp_path), figures=[drawn(section="elsewhere")])


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


def test_a_study_that_was_run_says_where_it_comes_from_and_what_it_cost(real):
    page = read_page(write_page(real, figures=[]))
    header, text = real.header, Page.one(page, "section", id="summary").text
    for value in (header["model"]["fingerprint"], header["spec_hash"], header["begun"], *header["inputs"].values()):
        assert value in text
    assert header["versions"]["torch"] in text and "toy" in text
    status = real.status()
    rows = [e.text for e in page.all("tr") if "summary" in e.within]
    for row in status.itertuples():
        assert any(line.startswith(f"{row.stage}{row.done}{row.failed}{row.of:.0f}") for line in rows)
    shards = Manifest.load(real.folder).shards
    spent = [sum(shard.cost.get(kind, 0) for shard in shards) for kind in ("full", "partial")]
    assert all(spent) and rows[-1].startswith("all") and rows[-1].endswith("".join(f"{n:,}" for n in spent))
    assert str(real.folder.parent) not in page.html
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


def test_thresholds_are_those_of_the_study(tmp_path):
    content = {"preset": "borzoi", "enhancer": 0.125}
    spec = small_spec(tmp_path, cres=content, context={"enhancing": 0.625})
    page = page_of(Tabled(tmp_path / "study", spec, made_tables()))
    assert "above 0.625 the context is called enhancing" in " ".join(page.one("section", id="contexts").text.split())
    text = " ".join(page.one("section", id="cres").text.split())
    assert "above 0.125 over WT in enhancing contexts" in text
    assert "below -0.15 over control in silencing and neutral ones" in text


def test_it_can_be_read_by_all(page):
    assert page.one("html").attrs["lang"] == "en" and "<title>study: a CREME study</title>" in page.html
    assert len(page.all("main")) == len(page.all("nav")) == len(page.all("header")) == len(page.all("h1")) == 1
    ids = [e.attrs["id"] for e in page.elements if "id" in e.attrs]
    assert len(ids) == len(set(ids))
    levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", page.html)]
    assert levels[0] == 1 and all(later <= earlier + 1 for earlier, later in pairwise(levels))
    assert all(e.attrs["aria-labelledby"] in ids for e in page.all("section"))
    assert all(e.attrs.get("tabindex") == "0" and e.attrs["aria-label"] for e in page.all("div", role="region"))
    named = {e.attrs["for"] for e in page.all("label")}
    assert all(e.attrs["id"] in named for e in page.all("input"))
    assert all("scope" in e.attrs for e in page.all("th"))
    assert page.html.count("<caption>") == page.html.count("<table>")


def luminance(color: str) -> float:
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_colours_are_far_enough_apart_in_light_and_dark(page):
    css = page.one("style").text
    for block in re.findall(r":root \{([^}]*--page[^}]*)\}", css):
        colors = dict(re.findall(r"--(\w+): (#\w{6})", block))
        for behind in ("page", "panel"):
            assert all(contrast(colors[name], colors[behind]) >= 4.5 for name in ("ink", "muted", "link"))
            assert all(contrast(colors[name], colors[behind]) >= 3 for name in ("edge", "bar"))
        assert all(contrast(CATEGORY_COLORS[kind], colors["page"]) >= 3 for kind in ("enhancer", "silencer"))
    assert len(re.findall(r":root \{[^}]*--page", css)) == 3  # light, dark and print


def test_names_of_tracks_may_be_anything(page):
    assert TRACKS[1] in page.one("section", id="summary").text
