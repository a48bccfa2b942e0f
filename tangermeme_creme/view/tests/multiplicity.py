"""How figures and page show the multiplicity test: dosage of CREs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from ...analysis import effect_in
from ..plots import plot_multiplicity
from .panels import Drawn, median_by, panels
from .record import CRE_COLUMNS, PageTable, SectionView, SummaryTable, formulas_on
from .study_tables import StudyTables


def _draw(tables: StudyTables) -> Iterator[Drawn]:
    table, fits = tables["multiplicity"], tables["saturation"]
    effect = effect_in(table, "fold_over_control")
    ratios = effect == "fold_over_control"
    plateau, over = ("plateau_fold", "over") if ratios else (f"plateau_{effect}", "against")

    def draw(rows: pd.DataFrame, ax: Any) -> None:
        fitted = fits[fits["track"] == rows["track"].iloc[0]] if plateau in fits.columns else None
        values = rows[effect]
        log = bool(ratios and (values > 0).all() and values.max() > 20)
        plot_multiplicity(rows, ax, saturation=fitted, value=effect, log=log)

    yield from panels(
        table.dropna(subset=[effect]) if len(table) else table,
        "multiplicity",
        "Dosage of CREs",
        "The prediction with more and more copies of a CRE in shuffled sequence, each at the best place that is free, "
        f"{over} that of the TSS tile alone: mean and standard error over CREs. Thin lines are single CREs, dashed "
        "lines fitted plateaus.",
        draw,
        lambda rows: (
            f"up to {rows['copies'].max()} copies; with all "
            + median_by(rows[rows["copies"] == rows["copies"].max()], effect, "cre")
        ),
    )


VIEW = SectionView(
    title="Dosage",
    formulas=lambda scale: formulas_on(scale, (("fold over control", "MUT / CONTROL"),), "MUT", "CONTROL"),
    reading=lambda spec: (
        "Copies of one CRE are put into backgrounds with the TSS tile, one after another, each at the place where it "
        "raises the activity most (enhancers) or lowers it most (silencers). A Hill curve through the activities says "
        "whether they level off: yes if they reach the plateau within the copies tested, flat if they hardly change."
    ),
    limits=(
        "What copies do at places that were not chosen: each place is the best of many, so a curve is near the most "
        "that copies can do. A plateau that was not reached is an extrapolation."
    ),
    draw=_draw,
    summaries=(
        SummaryTable("multiplicity", "Means by number of copies"),
        SummaryTable("saturation", "Do copies level off?"),
    ),
    tables=(
        PageTable(
            "saturation", "Fits of copies by CRE",
            (*CRE_COLUMNS, "n_copies", "saturates", "half_copies", "plateau_fold", "plateau_difference",
             "plateau_log_fold", "reached", "hill", "r2"),
            rank="plateau_fold", neutral=1.0,
        ),
        PageTable(
            "multiplicity", "Copies by CRE", (*CRE_COLUMNS, "copies", "start", "fold_over_control", "difference",
             "log_fold"),
            rank="fold_over_control", neutral=1.0, closed=True,
        ),
    ),
    columns={
        "copies": "number of copies of the CRE in the backgrounds",
        "half_copies": "number of copies that go half the way to the plateau",
        "hill": "Hill coefficient of the fit",
        "n_copies": "number of copies tested",
        "plateau": "activity that more and more copies approach",
        "plateau_difference": "plateau minus the control",
        "plateau_fold": "plateau over the control",
        "plateau_log_fold": "log2 of the plateau over the control",
        "r2": "fraction of the variance that the fit explains",
        "reached": "fraction of the way to the plateau that the last copy tested has come",
        "saturates": "whether the plateau is reached within the copies tested",
    },
)  # fmt: skip
