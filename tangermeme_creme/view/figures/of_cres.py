"""What is drawn of CREs in a study: where they lie, what marks them, what they do, and which of their bases do it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ...study.tables import Windows
from ...support import collected
from ..plots import (
    plot_cre_distances,
    plot_cre_logo,
    plot_distance_curves,
    plot_enrichment,
    plot_kept_bp,
    plot_multiplicity,
    plot_retention_curves,
    plot_signal,
)
from .panels import Drawn, Given, count_by, median_by, panels

_LOGOS, _BASES = 4, 120  # CREs whose kept bases are drawn, and how many bases of each
_CURVES = {
    "fraction_of_max": ("Distance, as a fraction of the maximum", "over its largest at any distance"),
    "over_control": ("Distance, as an effect", "less that of the TSS tile alone, over it"),
}


def cres(given: Given) -> Iterator[Drawn]:
    table = given["cres"]
    if len(table):
        table = table.assign(distance=(table["start"] + table["end"] - 1) / 2 - given.center)
    size = given.study.spec.tiles.size if len(table) else 0
    yield from panels(
        table,
        "cre_distances",
        "Where CREs lie",
        "How far the tiles that are called CREs lie from the TSS, upstream to the left.",
        partial(plot_cre_distances, bin_size=size),
        lambda rows: (
            f"{count_by(rows, 'cre')}; median distance "
            f"{median_by(rows.assign(kb=rows['distance'].abs() / 1000), 'kb', 'cre')} kb"
        ),
    )


def annotation(given: Given) -> Iterator[Drawn]:
    signal = given["cre_signal"]
    yield from panels(
        signal.dropna(subset=["mean"]) if len(signal) else signal,
        "cre_signal",
        "Signal of tracks in CREs",
        "The mean coverage of each track in CREs of each kind.",
        plot_signal,
        lambda rows: "; ".join(
            f"{name}: {median_by(part, 'mean', 'cre')}" for name, part in rows.groupby("signal", sort=False)
        ),
        size=(6.4, 3.6),
        most=2,
    )
    tests = given["cre_enrichment"]
    if len(tests):
        tests = tests[(tests["value"] == "max") & tests["log2_fold"].notna() & tests["p_bonferroni"].notna()]
    yield from panels(
        tests,
        "cre_enrichment",
        "Enrichment of tracks in CREs",
        "How much more of its maximum coverage a track has in one kind of CRE than in the other, and how sure that is: "
        "two-sided Mann-Whitney tests, corrected for how many there are.",
        plot_enrichment,
        lambda rows: f"{len(rows)} tracks, {int((rows['p_bonferroni'] < 0.05).sum())} with p below 0.05",
        by=("track", "group_1", "group_2"),
    )


def distance(given: Given) -> Iterator[Drawn]:
    table = given["distance"]
    for value, (title, what) in _CURVES.items():
        yield from panels(
            table.dropna(subset=[value]) if value in table.columns else pd.DataFrame(),
            f"distance_{value}",
            title,
            f"The prediction with a CRE at each distance from the TSS in shuffled sequence, {what}: mean and standard "
            "error over CREs, or the interval of a single one.",
            partial(plot_distance_curves, value=value),
            partial(_extremes, value),
        )


def multiplicity(given: Given) -> Iterator[Drawn]:
    table, fits = given["multiplicity"], given["saturation"]

    def draw(rows: pd.DataFrame, ax: Any) -> None:
        some = fits[fits["track"] == rows["track"].iloc[0]] if "plateau_fold" in fits.columns else None
        values = rows["fold_over_control"]
        plot_multiplicity(rows, ax, saturation=some, log=bool((values > 0).all() and values.max() > 20))

    yield from panels(
        table.dropna(subset=["fold_over_control"]) if len(table) else table,
        "multiplicity",
        "Copies of CREs",
        "The prediction with more and more copies of a CRE in shuffled sequence, each at the best place left, over "
        "that of the TSS tile alone: mean and standard error over CREs, thin lines single ones, dashed the fitted "
        "plateau.",
        draw,
        lambda rows: (
            f"up to {rows['copies'].max()} copies; with all "
            + median_by(rows[rows["copies"] == rows["copies"].max()], "fold_over_control", "cre")
        ),
    )


def fine_mapping(given: Given) -> Iterator[Drawn]:
    curves = given["retention"]
    if len(curves):
        curves = curves.dropna(subset=["score"])
        # One curve a CRE: a locus may have several.
        curves = curves.assign(example=curves["example"].astype(str) + " " + curves["cre_tile"].astype(str))
    yield from panels(
        curves,
        "retention",
        "Fine mapping, by method",
        "What is left of a CRE's effect while each method prunes the bases that it holds for the least important: mean "
        "and standard error over CREs.",
        plot_retention_curves,
        lambda rows: f"{rows['example'].nunique()} CREs, methods {', '.join(map(str, rows['method'].unique()))}",
    )
    steps = given["fine_tile"]
    if len(steps):
        steps = steps.sort_values("step", kind="stable").drop_duplicates(["example", "cre_tile", "track"], keep="last")
        steps = steps.sort_index()
    yield from panels(
        steps,
        "kept_bp",
        "Bases kept",
        "How many bases of each CRE the fine-tile search keeps at the end.",
        plot_kept_bp,
        lambda rows: f"{len(rows)} CREs; {median_by(rows, 'bp_kept', 'cre')} bp",
    )
    yield from _logos(given)


def _logos(given: Given) -> Iterator[Drawn]:
    """The densest stretch of kept bases of the strongest CREs."""
    kept, called = given["kept"], given["cres"]
    if not len(kept) or not len(called):
        return
    called = called.assign(size=called["effect"].abs()).sort_values("size", ascending=False, kind="stable")
    strongest = called.merge(
        kept[["example", "cre_tile", "track"]].drop_duplicates(), left_on=["example", "tile", "track"],
        right_on=["example", "cre_tile", "track"],
    ).drop_duplicates(["example", "tile"])[:_LOGOS]  # fmt: skip
    X = _sequences(given, list(strongest["example"].unique()))
    if not X:
        return
    figure = Figure(figsize=(11, 1.7 * len(strongest)), layout="constrained")
    told = []
    for ax, cre in zip(figure.subplots(len(strongest), squeeze=False)[:, 0], strongest.itertuples()):
        rows = (kept["example"] == cre.example) & (kept["cre_tile"] == cre.tile) & (kept["track"] == cre.track)
        spans = kept[rows].sort_values("start")
        low, high = _densest(spans[["start", "end"]].to_numpy(dtype=int), int(cre.start), int(cre.end))
        plot_cre_logo(X[cre.example][:, low:high], ax, start=low, kept=spans, center=given.center)
        total = int((spans["end"] - spans["start"]).sum())
        label = f"{given.called(cre.example)}, {cre.cre} at tile {cre.tile}, {cre.track}: {total} bp kept"
        ax.set_title(label, fontsize=10, loc="left", fontweight="bold")
        told.append(label)
    yield Drawn(
        "kept_logos",
        "Sequence of the bases kept",
        f"The {_BASES} bases with most of what the fine-tile search keeps of the strongest CREs; kept bases are tall "
        "and underlined.",
        "; ".join(told) + ".",
        figure,
    )


def _sequences(given: Given, examples: list[str]) -> dict[str, Any]:
    """One-hot windows of some loci, where the files of the study are still there."""
    loci = given["loci"].set_index("example", drop=False)
    try:
        windows = Windows(given.study.spec)
    except (OSError, ValueError):
        return {}
    try:
        with collected():  # padding is no news
            return {name: windows.read(loci.loc[[name]]).to_one_hot()[0] for name in examples}
    except (OSError, ValueError, KeyError):
        return {}
    finally:
        windows.close()


def _extremes(value: str, rows: pd.DataFrame) -> str:
    """Where the mean of each kind is highest and lowest."""
    told = []
    for cre, part in rows.groupby("cre"):
        mean = part.groupby("offset")[value].mean()
        told.append(f"{cre} highest at {mean.idxmax() / 1000:.3g} kb, lowest at {mean.idxmin() / 1000:.3g} kb")
    return "; ".join(told)


def _densest(spans: np.ndarray, start: int, end: int) -> tuple[int, int]:
    """Where the stretch of a CRE with most kept bases begins and ends; in the middle of several alike."""
    inside = np.zeros(end - start, dtype=int)
    for low, high in spans:
        inside[low - start : high - start] = 1
    width = min(_BASES, end - start)
    total = np.convolve(inside, np.ones(width, dtype=int), mode="valid")
    best = np.flatnonzero(total == total.max())
    first = int(best[len(best) // 2])
    return start + first, start + first + width
