"""What is drawn of contexts, tiles and sets of tiles in a study. One function a section, a panel a track."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pandas as pd

from ...analysis import join_tile_effects
from ..plots import (
    plot_context_effects,
    plot_effects_by_context,
    plot_expectation,
    plot_greedy_traces,
    plot_interaction_map,
    plot_necessity_sufficiency,
    plot_set_sufficiency,
    plot_swap,
    plot_tile_positions,
)
from .of_cres import annotation, cres, distance, fine_mapping, multiplicity
from .panels import Drawn, Given, count_by, median_by, panels

_SETS = {"min": "whose loss lowers the prediction most", "max": "whose loss raises the prediction most"}


def contexts(given: Given) -> Iterator[Drawn]:
    table = given["contexts"]
    if len(table):
        table = table[table["ranked"].astype(bool) & table["context_effect"].notna()]
    yield from panels(
        table,
        "context_effects",
        "Context effects",
        "How much of the prediction is lost when all but the TSS tile is shuffled, a count a locus, by category.",
        plot_context_effects,
        lambda rows: (
            f"{len(rows)} loci, {count_by(rows, 'context')}; median effect {rows['context_effect'].median():.3g}"
        ),
    )


def swap(given: Given) -> Iterator[Drawn]:
    table = given["swap"]
    if len(table):
        table = table[(table["example"] != table["source"]) & table["fold_over_source"].notna()]
        table = table.dropna(subset=["source_context", "target_context"])

    def draw(rows: pd.DataFrame, ax: Any) -> None:
        values = rows["fold_over_source"]
        plot_swap(rows, ax, log=bool((values > 0).all() and values.max() > 20 * values.min()))

    yield from panels(
        table,
        "swap",
        "TSS tiles in other contexts",
        "The prediction of each TSS tile in the contexts of other loci, over that in its own, by both categories.",
        draw,
        lambda rows: "; ".join(
            f"TSS from {source}: {median_by(part, 'fold_over_source', 'target_context')}"
            for source, part in rows.groupby("source_context")
        ),
        size=(6.4, 3.6),
        most=2,
    )


def necessity(given: Given) -> Iterator[Drawn]:
    yield from _by_context(given, "necessity", "necessity", "Necessity of tiles", "lost when a tile is shuffled")


def sufficiency(given: Given) -> Iterator[Drawn]:
    what = "that a tile adds to the TSS tile in shuffled sequence"
    yield from _by_context(given, "sufficiency", "over_wt", "Sufficiency over wild type", what)
    yield from _by_context(given, "sufficiency", "over_control", "Sufficiency over control", what)
    if len(given["necessity"]) and len(given["sufficiency"]):
        table = join_tile_effects(given["necessity"], given["sufficiency"]).dropna(subset=["necessity", "over_wt"])
        yield from panels(
            table,
            "necessity_sufficiency",
            "Sufficiency against necessity",
            "Each tile's share of the prediction as it is added to the TSS tile alone, and as it is taken from the "
            "whole. On the dashed line both are the same.",
            plot_necessity_sufficiency,
            _agreement,
        )


def higher_order(given: Given) -> Iterator[Drawn]:
    table = given["higher_order"]
    for direction, which in _SETS.items():
        some = table[table["direction"] == direction] if len(table) else table
        yield from panels(
            some,
            f"greedy_{direction}",
            f"Sets of tiles: {direction}",
            f"The prediction over wild type while the tiles are shuffled {which}, with what the tiles' own effects add "
            "and multiply up to: mean and standard error over loci.",
            _trace,
            lambda rows: f"{rows['example'].nunique()} loci; {_ends(rows)}",
        )
        classes = given["interaction_classes"]
        if len(some) and len(classes):
            keys = ["example", "track", "direction"]
            joined = some.merge(classes[[*keys, "interaction"]], on=keys).dropna(subset=["interaction"])
            yield from panels(
                joined,
                f"greedy_{direction}_by_class",
                f"Sets of tiles by class of interaction: {direction}",
                "The same, apart for loci whose traces lie on the additive expectation, above or below it.",
                _trace,
                lambda rows: f"{rows['example'].nunique()} loci; {_ends(rows)}",
                by=("track", "interaction"),
            )
            for model in ("additive", "multiplicative"):
                yield from panels(
                    joined[joined["n_tiles"] == 2].dropna(subset=["observed", model]),
                    f"expectation_{model}_{direction}",
                    f"Two tiles against the {model} expectation: {direction}",
                    "What is expected of the first two tiles and what is observed, a point a locus. On the dashed line "
                    "both are the same.",
                    partial(plot_expectation, model=model),
                    partial(_departure, model),
                )
        yield from panels(
            given.named(some),
            f"tile_positions_{direction}",
            f"Where the tiles of the sets lie: {direction}",
            "One row a locus: the tiles of the first five rounds, the darker the earlier; above, how many loci chose "
            "each.",
            partial(plot_tile_positions, center=given.center),
            _chosen,
        )


def set_sufficiency(given: Given) -> Iterator[Drawn]:
    table = given["set_sufficiency"]
    for direction, value in (("min", "fold_over_wt"), ("max", "fold_over_control")):
        some = table[(table["direction"] == direction) & table[value].notna()] if len(table) else table
        yield from panels(
            some,
            f"set_sufficiency_{direction}",
            f"Sets of tiles alone: {direction}",
            f"The prediction of the TSS tile and the first tiles of the set in shuffled sequence, over "
            f"{'wild type' if value == 'fold_over_wt' else 'the TSS tile alone'}: mean and standard error over loci.",
            partial(plot_set_sufficiency, value=value),
            partial(_at_the_end, value),
        )


def interactions(given: Given) -> Iterator[Drawn]:
    table = given["interactions"]
    if not len(table):
        return
    for value, column in (("epistasis", "interaction"), ("log_epistasis", "log_interaction")):
        for k, (track, rows) in enumerate(table.groupby("track", sort=False)):
            strength = rows.assign(size=rows[value].abs()).groupby("example")["size"].max()
            # A map a locus, since loci have their own tiles: those with the strongest pairs.
            chosen = strength[strength > 0].sort_values(ascending=False, kind="stable").index[:4]
            yield from panels(
                given.named(rows[rows["example"].isin(chosen)]),
                f"{value}_{k + 1}",
                f"Pairs of tiles, {'natural logs' if value.startswith('log') else 'over wild type'}: {track}",
                "What two shuffled tiles do together, less what is expected of both; + and - are called with their "
                f"interval. The {len(chosen)} loci with the strongest pairs.",
                partial(plot_interaction_map, value=value),
                partial(_strongest, value, column),
                by=("example",),
                size=(4.6, 3.6),
            )


def _by_context(given: Given, name: str, effect: str, title: str, what: str) -> Iterator[Drawn]:
    table = given[name]
    if len(table):
        table = table[table[effect].notna() & table["context"].notna()]
    yield from panels(
        table,
        f"{effect}_by_context",
        title,
        f"The share of the prediction {what}, of all tiles of all loci, by the category of the locus.",
        partial(plot_effects_by_context, effect=effect),
        lambda rows: f"{len(rows)} tiles; {median_by(rows, effect, 'context')}; largest {rows[effect].max():.3g}",
    )


def _trace(rows: pd.DataFrame, ax: Any) -> None:
    held = "holdout" in rows.columns and rows["holdout"].notna().any()
    plot_greedy_traces(rows, ax, traces=["observed", *(["holdout"] if held else []), "additive", "multiplicative"])


def _ends(rows: pd.DataFrame) -> str:
    """Where traces are in the last round."""
    last = rows["n_tiles"].max()
    ends = rows[rows["n_tiles"] == last][["observed", "additive", "multiplicative"]].mean()
    return f"after {last} tiles " + ", ".join(f"{name} {value:.3g}" for name, value in ends.items())


def _departure(model: str, rows: pd.DataFrame) -> str:
    return f"{len(rows)} loci, median of observed less expected {(rows['observed'] - rows[model]).median():.3g}"


def _chosen(rows: pd.DataFrame) -> str:
    first = rows[rows["n_tiles"] <= 5]
    return f"{rows['example'].nunique()} loci, {first['start'].nunique()} different tiles"


def _agreement(rows: pd.DataFrame) -> str:
    if min(rows["necessity"].nunique(), rows["over_wt"].nunique()) < 2:
        return f"{len(rows)} tiles, of which one effect or both do not vary"
    return f"{len(rows)} tiles, rank correlation {rows['necessity'].corr(rows['over_wt'], 'spearman'):.2f}"


def _at_the_end(value: str, rows: pd.DataFrame) -> str:
    last = rows["n_tiles"].max()
    mean = rows.loc[rows["n_tiles"] == last, value].mean()
    return f"{rows['example'].nunique()} loci; with {last} tiles mean {mean:.3g}"


def _strongest(value: str, column: str, rows: pd.DataFrame) -> str:
    return f"{len(rows)} pairs, {count_by(rows, column)}; strongest {rows[value].abs().max():.3g}"


SECTIONS: tuple[tuple[str, Callable[[Given], Iterator[Drawn]]], ...] = (
    ("contexts", contexts),
    ("swap", swap),
    ("necessity", necessity),
    ("sufficiency", sufficiency),
    ("cres", cres),
    ("annotation", annotation),
    ("distance", distance),
    ("multiplicity", multiplicity),
    ("higher_order", higher_order),
    ("set_sufficiency", set_sufficiency),
    ("interactions", interactions),
    ("fine_mapping", fine_mapping),
)
