"""The sections of a page show the rows of a study's tables and summaries."""

from __future__ import annotations

import numpy as np
import pandas as pd
from report_cases import page_of
from study_cases import small_spec
from study_tables import LENGTH, LOCI, Tabled, made_spec, made_study, made_tables

import tangermeme_creme.view.report.tables as tables_module
from tangermeme_creme.study.tables import summary_tables

OF_TESTS = [
    "contexts", "swap", "necessity", "sufficiency", "cres", "distance", "multiplicity", "higher_order",
    "set_sufficiency", "interactions", "fine_tile",
]  # fmt: skip


def test_each_test_with_rows_has_a_section_and_no_other(tmp_path, page):
    assert page.sections == ["summary", *OF_TESTS, "failures", "loci", "files"]
    links = [e.attrs["href"] for e in page.all("a") if not e.within[1:] and "content" not in e.within]
    assert links == ["#content", *(f"#{key}" for key in page.sections)]
    few = {name: table for name, table in made_tables().items() if name in ("loci", "contexts", "necessity")}
    part = page_of(Tabled(tmp_path / "few", made_spec(tmp_path), few))
    assert part.sections == ["summary", "contexts", "necessity", "loci", "files"]


def test_a_study_without_tables_has_a_page(tmp_path):
    assert page_of(Tabled(tmp_path / "study", made_spec(tmp_path), {})).sections == ["summary", "files"]


def test_annotation_has_a_section(tmp_path):
    signal = pd.DataFrame({"example": ["g1"], "track": "K562", "cre": "enhancer", "signal": "DNase", "max": [3.5]})
    tables = {**made_tables(), "cre_signal": signal}
    page = page_of(Tabled(tmp_path / "study", made_spec(tmp_path), tables))
    assert "annotation" in page.sections
    assert page.content("table-cre_signal")["max"].tolist() == [3.5]


def test_rows_equal_those_of_the_tables(tmp_path, page):
    study = made_study(tmp_path)
    shown = {key.removeprefix("table-"): table for key, table in page.contents.items() if key.startswith("table-")}
    assert set(shown) == set(study.tables) - {"loci", "activity", "selection"}
    for name, content in shown.items():
        table = study.table(name)
        assert len(content) == len(table) and set(content.columns) - {"gene"} <= set(table.columns)
        for column in content.columns.drop("gene"):
            assert_same(content[column], table[column])


def test_summaries_equal_those_of_the_report(tmp_path, page):
    study = made_study(tmp_path)
    summaries = summary_tables({name: study.table(name) for name in study.tables}, length=LENGTH)
    shown = {key: table for key, table in page.contents.items() if key.startswith("summary-")}
    tests = summaries.pop("tests")
    assert {key.split("-")[2] for key in shown} == {*summaries, "tests"}
    for key, table in shown.items():
        if not key.endswith("-tests"):
            for column in table.columns:
                assert_same(table[column], summaries[key.split("-")[2]][column])
    of_tests = [shown[f"summary-{key}-tests"]["value"] for key in ("sufficiency", "cres")]
    assert pd.concat(of_tests).tolist() == tests["value"].tolist()


def assert_same(shown: pd.Series, column: pd.Series) -> None:
    if pd.api.types.is_bool_dtype(column.dtype):
        assert shown.tolist() == column.map({True: "yes", False: "no"}).tolist()
    elif pd.api.types.is_numeric_dtype(column.dtype):
        np.testing.assert_allclose(shown.astype(float), column.astype(float), rtol=1e-5)
    else:
        assert shown.where(shown.notna(), None).tolist() == column.where(column.notna() & (column != ""), None).tolist()


def test_genes_stand_beside_loci_whose_names_do_not_include_them(tmp_path, page):
    assert page.content("table-contexts")["gene"].tolist()[:4] == ["AAA", "AAA", "BBB", "BBB"]
    tables = made_tables()
    tables["loci"] = LOCI.assign(gene_name=LOCI["example"])
    named = page_of(Tabled(tmp_path / "named", made_spec(tmp_path), tables))
    assert "gene" not in named.content("table-contexts")


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
    assert "table-fine_tile" not in page.contents  # it has no column that ranks its rows
    rows = len(made_study(tmp_path).table("fine_tile"))
    assert f"It has {rows} rows, too many for a page: the whole table is tables/fine_tile.parquet" in page.html


def test_thresholds_are_those_of_the_study(tmp_path):
    content = {"preset": "borzoi", "enhancer": 0.125}
    spec = small_spec(tmp_path, cres=content, context={"enhancing": 0.625})
    page = page_of(Tabled(tmp_path / "study", spec, made_tables()))
    assert "above 0.625 the context is called enhancing" in " ".join(page.one("section", id="contexts").text.split())
    text = " ".join(page.one("section", id="cres").text.split())
    assert "above 0.125 over WT in enhancing contexts" in text
    assert "below -0.15 over control in silencing and neutral ones" in text
