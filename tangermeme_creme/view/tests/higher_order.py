"""How figures and page show the higher-order test: greedy searches that shuffle tile after tile."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd

from ...study.spec import StudySpec
from ..plots import plot_expectation, plot_greedy_traces, plot_tile_positions
from .panels import Drawn, panels
from .record import SET_COLUMNS, Formulas, PageTable, SectionView, SummaryTable
from .study_tables import StudyTables

_SETS = {"min": "whose loss lowers the prediction most", "max": "whose loss raises the prediction most"}


def _draw(tables: StudyTables) -> Iterator[Drawn]:
    table = tables["higher_order"]
    for direction in _SETS if len(table) else ():
        yield from _of_direction(tables, table[table["direction"] == direction], direction)


def _of_direction(tables: StudyTables, table: pd.DataFrame, direction: str) -> Iterator[Drawn]:
    scale = tables.study.spec.effects.scale
    trace, over = partial(_trace, scale), "over" if scale == "ratio" else "against"
    expected = "sum" if scale == "difference" else "sum and the product"
    yield from panels(
        table,
        f"greedy_{direction}",
        f"Sets of tiles: {direction}",
        f"The prediction {over} wild type while the tiles are shuffled {_SETS[direction]}, beside the {expected} of "
        "the tiles' single effects: mean and standard error over loci.",
        trace,
        _last_round,
    )
    classes = tables["interaction_classes"]
    if len(table) and len(classes):
        keys = ["example", "track", "direction"]
        joined = table.merge(classes[[*keys, "interaction"]], on=keys).dropna(subset=["interaction"])
        yield from panels(
            joined,
            f"greedy_{direction}_by_class",
            f"Sets of tiles by class of interaction: {direction}",
            "The same, in separate panels for loci whose traces lie on the additive expectation, above it or below it.",
            trace,
            _last_round,
            by=("track", "interaction"),
        )
        for model in ("additive", "multiplicative"):
            yield from panels(
                joined[joined["n_tiles"] == 2].dropna(subset=["observed", model]),
                f"expectation_{model}_{direction}",
                f"Two tiles against the {model} expectation: {direction}",
                "The expected and the observed prediction after the first two tiles, one point per locus. On the "
                "dashed line both are the same.",
                partial(plot_expectation, model=model, scale=scale),
                partial(_departure, model),
            )
    yield from panels(
        tables.with_genes(table),
        f"tile_positions_{direction}",
        f"Positions of the tiles of the sets: {direction}",
        "One row per locus: the tiles of the first five rounds, darker for earlier rounds. Above: how many loci chose "
        "each tile.",
        partial(plot_tile_positions, center=tables.center),
        _chosen,
    )


def _trace(scale: str, rows: pd.DataFrame, ax: Any) -> None:
    held = "holdout" in rows.columns and rows["holdout"].notna().any()
    traces = ["observed", *(["holdout"] if held else []), *_expectations(rows)]
    plot_greedy_traces(rows, ax, traces=traces, scale=scale)


def _expectations(rows: pd.DataFrame) -> list[str]:
    return [name for name in ("additive", "multiplicative") if name in rows.columns]


def _last_round(rows: pd.DataFrame) -> str:
    """Give the mean of each trace in the last round."""
    last = rows["n_tiles"].max()
    ends = rows[rows["n_tiles"] == last][["observed", *_expectations(rows)]].mean()
    means = ", ".join(f"{name} {value:.3g}" for name, value in ends.items())
    return f"{rows['example'].nunique()} loci; after {last} tiles {means}"


def _departure(model: str, rows: pd.DataFrame) -> str:
    return f"{len(rows)} loci, median of observed less expected {(rows['observed'] - rows[model]).median():.3g}"


def _chosen(rows: pd.DataFrame) -> str:
    first = rows[rows["n_tiles"] <= 5]
    return f"{rows['example'].nunique()} loci, {first['start'].nunique()} different tiles"


_FORMULAS: dict[str, Formulas] = {
    "ratio": (
        ("observed", "MUT / WT"),
        ("additive", "(WT + sum of single effects) / WT"),
        ("multiplicative", "the same with logarithms"),
    ),
    "difference": (("observed", "MUT - WT"), ("additive", "sum of single effects")),
    "log_fold": (
        ("observed", "log2(MUT / WT)"),
        ("additive", "log2((WT + sum of single effects) / WT)"),
        ("multiplicative", "sum of single log2 folds"),
    ),
}


def _reading(spec: StudySpec) -> str:
    rounds = (
        "In each round the tile whose shuffling lowers the activity most (min), or raises it most (max), is shuffled "
        "and stays shuffled."
    )
    if spec.effects.scale == "difference":
        return f"{rounds} A trace above the additive expectation falls less, or rises more, than its tiles do alone."
    of_folds = " of folds" if spec.effects.scale == "log_fold" else ""
    return (
        f"{rounds} If the mean squared error{of_folds} from the additive expectation is above 0.1, a trace above the "
        "expectation is superadditive and a trace below it subadditive; with an error below 0.05 a trace is additive, "
        "and between the two ambiguous. A trace is nonmultiplicative if the error of logarithms is above 0.04 (min) or "
        "0.01 (max)."
    )


VIEW = SectionView(
    title="Combined necessity",
    formulas=_FORMULAS.__getitem__,
    reading=_reading,
    limits=(
        "The best set: the search follows one path. The chosen tile is also the tile with the luckiest shuffles; "
        "holdout, where the study has it, is the same trace from shuffles that had no part in the choice."
    ),
    draw=_draw,
    summaries=(
        SummaryTable("higher_order", "Means by number of tiles"),
        SummaryTable("interaction_classes", "How the tiles of searches act: counts"),
    ),
    tables=(
        PageTable("interaction_classes", "Traces by locus", rank="mse_additive"),
        PageTable(
            "higher_order", "Traces round by round",
            (*SET_COLUMNS, "n_tiles", "tile", "start", "end", "observed", "additive", "multiplicative", "holdout"),
            rank="observed", neutral=1.0, closed=True,
        ),
    ),
    columns={
        "additive": "the expectation if effects of tiles add up: (WT + sum of single effects) / WT",
        "class": "number of traces or pairs of this class",
        "holdout": "observed, estimated again from shuffles that had no part in the choice",
        "mse_additive": "mean squared error of the additive expectation",
        "mse_multiplicative": "mean squared error of the multiplicative expectation, of logarithms",
        "multiplicative": "the expectation if effects of tiles multiply, or the class by it",
        "observed": "MUT / WT after the tiles up to this round are shuffled",
    },
)  # fmt: skip
