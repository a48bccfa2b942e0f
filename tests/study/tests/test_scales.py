"""Test studies whose effects are differences, of a model that predicts logarithms, or logarithms of fold changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from report_cases import Page, read_page
from study_cases import HERE, small_spec

from tangermeme_creme.analysis import CallRule, call_cres, classify_context
from tangermeme_creme.study import Study, export_study, run_study
from tangermeme_creme.study.spec import check_spec
from tangermeme_creme.study.tables import summary_tables, summary_text
from tangermeme_creme.support import SpecError
from tangermeme_creme.view import StudyFigure, study_figures, write_page

CONTEXT = {"enhancing": 1.0, "neutral": 0.1, "silencing": -0.3}
CRES = {"enhancer": 0.3, "silencer": -0.3, "silencer_contexts": ["enhancing", "silencing", "neutral"]}
MODELS = {"difference": "study_cases:log_toy", "log_fold": "study_cases:toy"}
COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "difference": lambda one, other: one - other,
    "log_fold": lambda one, other: np.log2(np.where(one > 0, one, np.nan) / other),
}


def spec_on(scale: str, folder: Path, **sections: Any) -> Any:
    base = {
        "model": {"function": MODELS[scale]}, "effects": {"scale": scale}, "context": CONTEXT, "cres": CRES,
        "tests": {"interactions": {"n": 6, "tiles": 3, "threshold": 0.04}},
    }  # fmt: skip
    merged = {name: {**base.get(name, {}), **sections.get(name, {})} for name in {*base, *sections}}
    return small_spec(folder, 2, out=str(folder / "study"), **merged)


@pytest.fixture(scope="module", params=list(MODELS))
def study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp(request.param)
    return run_study(spec_on(request.param, folder), folder=HERE, verbose=False)


@pytest.fixture(scope="module")
def scale(study: Study) -> str:
    return study.spec.effects.scale


@pytest.fixture(scope="module")
def figures(study: Study) -> dict[str, StudyFigure]:
    return {figure.name: figure for figure in study_figures(study)}


@pytest.fixture(scope="module")
def page(study: Study) -> Page:
    return read_page(write_page(study, figures=[]))


def test_every_table_has_effects_of_its_scale_and_no_ratio(study: Study, scale: str) -> None:
    between, tables = COMPARED[scale], {name: study.table(name) for name in study.tables}
    for name in ("contexts", "necessity"):
        np.testing.assert_allclose(tables[name][scale], between(tables[name]["y_wt"], tables[name]["y_mut"]), atol=1e-6)
    for name in ("sufficiency", "distance", "set_sufficiency", "multiplicity"):
        table = tables[name]
        np.testing.assert_allclose(table[scale], between(table["y_mut"], table["y_control"]), atol=1e-6)
    swap = tables["swap"]
    np.testing.assert_allclose(swap[scale], between(swap["y_mut"], swap["y_source"]), atol=1e-6)
    searches = tables["higher_order"]
    np.testing.assert_allclose(searches["observed"], between(searches["y_mut"], searches["y_wt"]), atol=1e-6)
    saturation = tables["saturation"]
    np.testing.assert_allclose(
        saturation[f"plateau_{scale}"], between(saturation["plateau"], saturation["control"]), atol=1e-6
    )
    ratios = ("over_wt", "over_control", "fold_over_wt", "fold_over_control", "fold_over_source", "context_effect")
    for name, table in tables.items():
        assert not {*ratios, "plateau_fold"} & set(table.columns), name
        assert table.get(scale, pd.Series([0.0])).notna().all(), name


def test_contexts_and_cres_are_called_by_the_thresholds_of_the_study(study: Study, scale: str) -> None:
    contexts, sufficiency = study.table("contexts"), study.table("sufficiency")
    assert contexts["context"].tolist() == classify_context(contexts[scale], **CONTEXT).tolist()
    assert {"enhancing"} <= set(contexts["context"])
    rule = CallRule(0.3, -0.3, silencer_contexts=tuple(CRES["silencer_contexts"]))
    assert (
        sufficiency["cre"].fillna("").tolist() == call_cres(sufficiency, by=scale, rule=rule)["cre"].fillna("").tolist()
    )
    cres = study.table("cres")
    assert len(cres) and (cres["effect"] == cres[scale]).all()


def test_pairs_are_called_on_the_scale(study: Study, scale: str) -> None:
    pairs = study.table("interactions")
    effect = {"difference": "epistasis_difference", "log_fold": "log_epistasis"}[scale]
    if scale == "difference":
        expected = pairs["y_both"] - pairs["y_1"] - pairs["y_2"] + pairs["y_wt"]
        np.testing.assert_allclose(pairs[effect], expected, atol=1e-6)
        assert "epistasis" not in pairs and "interaction_classes" not in study.tables
        assert set(pairs["interaction"]) == {"none"}  # logarithms of what multiplies add up
    else:
        assert set(pairs["log_interaction"]) == {"none"}


def test_summaries_name_the_effect(study: Study, scale: str) -> None:
    tables = {name: study.table(name) for name in study.tables}
    summaries = summary_tables(tables, length=8192)
    for name in ("necessity", "sufficiency", "swap", "multiplicity", "set_sufficiency", "distance"):
        assert set(summaries[name]["value"]) - {"fraction_of_max"} == {scale}, name
    text = summary_text(tables, length=8192)
    words = {"difference": "difference", "log_fold": "log2 fold change"}[scale]
    assert f"Copies: mean {words} against the control" in text and "over the wild type" not in text
    contexts = tables["contexts"]
    (row,) = summaries["contexts"].query("track == 'A' and context == 'enhancing'").itertuples()
    assert row.median_effect == contexts.loc[
        (contexts["track"] == "A") & (contexts["context"] == "enhancing"), scale
    ].median()  # fmt: skip


def test_figures_say_what_they_show(figures: dict[str, StudyFigure], scale: str) -> None:
    sections = {figure.section for figure in figures.values()}
    assert {"contexts", "swap", "necessity", "sufficiency", "distance", "multiplicity", "higher_order"} <= sections
    for name, figure in figures.items():
        if figure.section in ("fine_tile", "cres") or "tile_positions" in name:
            continue
        labels = " ".join(f"{ax.get_xlabel()} {ax.get_ylabel()}" for ax in figure.figure.axes)
        of_shape = name.startswith(("distance_fraction", "greedy_min_by", "epistasis"))
        assert of_shape or "fold change over" not in labels.replace("log2 fold change over", ""), (name, labels)
        assert "/ WT" not in labels.replace("log2(WT / MUT)", "") and "/ CONTROL)" not in labels.replace(
            "MUT / CONTROL)", ""
        )
    (context,) = (f for n, f in figures.items() if n == "context_effects")
    assert {"difference": "WT - MUT", "log_fold": "log2(WT / MUT)"}[scale] in context.figure.axes[0].get_xlabel()
    trace = figures["greedy_min"].figure.axes[0]
    assert trace.lines[0].get_ydata()[0] == 0


def test_page_says_what_it_shows(page: Page, scale: str) -> None:
    formula = {"difference": ("WT - MUT", "MUT - CONTROL"), "log_fold": ("log2(WT / MUT)", "log2(MUT / CONTROL)")}[
        scale
    ]
    formulas = [element.text for element in page.all("dd")]
    assert set(formula) <= set(formulas) and "(WT - MUT) / WT" not in formulas
    assert scale in page.content("table-contexts") and scale in page.content("table-sufficiency")
    assert "over WT" not in page.html


def test_tracks_of_effects_are_named_by_test_and_scale(study: Study, scale: str, tmp_path: Path) -> None:
    names = {path.name for path in export_study(study, tmp_path, ["bedgraph"])}
    assert names == {f"{test}_{scale}.{track}.bedgraph" for test in ("necessity", "sufficiency") for track in "AB"}


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"context": {"neutral": None}}, "context.neutral must be given for effects.scale 'difference'"),
        ({"cres": {"enhancer": None, "silencer": None}}, "cres.enhancer, silencer must be given"),
        ({"tests": {"interactions": {"threshold": None}}}, "tests.interactions.threshold must be given"),
        ({"tests": {"fine_tile": {"score": "activity"}}}, "tests.fine_tile.score must be 'effect' or left out"),
    ],
)
def test_thresholds_of_ratios_are_not_taken_on_another_scale(
    sections: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(SpecError, match=message):
        check_spec(spec_on("difference", tmp_path, **sections))
