"""The numbers that figures and text of a paper state, from the tables of a study. One function a summary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from ...analysis import CATEGORIES
from ...analysis.stats import compare_groups
from .places import sorted_by

Given = Mapping[str, pd.DataFrame]

UNDEFINED = "undefined"
_CRE = ("enhancer", "silencer")
_CONTEXTS = (*CATEGORIES, UNDEFINED)
_ORDERS: dict[str, Sequence[str]] = {
    "context": _CONTEXTS,
    "source_context": _CONTEXTS,
    "target_context": _CONTEXTS,
    "cre": _CRE,
    "direction": ("min", "max"),
    "scale": ("additive", "multiplicative", "epistasis", "log_epistasis"),
}
_SPREAD: dict[str, Any] = {
    "n": "count",
    "q25": lambda values: values.quantile(0.25),
    "median": "median",
    "q75": lambda values: values.quantile(0.75),
}
_MEAN = {"n": "count", "mean": "mean", "sem": "sem"}


def contexts(given: Given) -> pd.DataFrame:
    table = given["contexts"]
    table = table[table["ranked"].astype(bool)]
    table = table.assign(context=table["context"].astype(object).where(table["context"].notna(), UNDEFINED))
    grouped = table.groupby(["track", "context"], sort=False)
    found = grouped.agg(
        n=("example", "size"), n_selected=("selected", "sum"), median_effect=("context_effect", "median")
    )
    return _in_order(found.reset_index(), ["track", "context"], given)


def swap(given: Given) -> pd.DataFrame:
    table = given["swap"]
    others = table[table["example"] != table["source"]]
    return _described(given, others, ["track", "source_context", "target_context"], ["fold_over_source"], _SPREAD)


def necessity(given: Given) -> pd.DataFrame:
    return _described(given, given["necessity"], ["track", "context"], ["necessity"], _SPREAD)


def sufficiency(given: Given) -> pd.DataFrame:
    return _described(given, given["sufficiency"], ["track", "context"], ["over_wt", "over_control"], _SPREAD)


def calls(given: Given) -> pd.DataFrame:
    table = given["sufficiency"]
    table = table.assign(**{f"{kind}s": table["cre"] == kind for kind in _CRE})
    grouped = table.groupby(["track", "context"], sort=False)
    found = grouped.agg(
        n_loci=("example", "nunique"), n_tiles=("tile", "size"), enhancers=("enhancers", "sum"),
        silencers=("silencers", "sum"),
    )  # fmt: skip
    return _in_order(found.reset_index(), ["track", "context"], given)


def cres(given: Given) -> pd.DataFrame:
    table = _with_distance(given)
    table = table.assign(far=table["distance"].abs())
    grouped = table.groupby(["track", "cre"], sort=False)
    found = grouped.agg(n=("tile", "size"), n_loci=("example", "nunique"), median_distance=("far", "median"))
    return _in_order(found.reset_index(), ["track", "cre"], given)


def distance(given: Given) -> pd.DataFrame:
    keys, values = ["track", "cre", "offset"], ["fraction_of_max", "fold_over_control"]
    return _described(given, given["distance"], keys, values, _MEAN)


def multiplicity(given: Given) -> pd.DataFrame:
    return _described(given, given["multiplicity"], ["track", "cre", "copies"], ["fold_over_control"], _MEAN)


def saturation(given: Given) -> pd.DataFrame:
    table, answers = given["saturation"], ("yes", "no", "flat")
    table = table.assign(**{name: table["saturates"] == name for name in answers}, undefined=table["saturates"].isna())
    grouped = table.groupby(["track", "cre"], sort=False)
    counts = {name: (name, "sum") for name in (*answers, UNDEFINED)}
    found = grouped.agg(n=("cre_tile", "size"), **counts, median_half_copies=("half_copies", "median"))
    return _in_order(found.reset_index(), ["track", "cre"], given)


def higher_order(given: Given) -> pd.DataFrame:
    table = given["higher_order"]
    values = [name for name in ("observed", "additive", "multiplicative", "holdout") if name in table.columns]
    return _described(given, table, ["track", "context", "direction", "n_tiles"], values, _MEAN)


def interaction_classes(given: Given) -> pd.DataFrame:
    columns = {"additive": "interaction", "multiplicative": "multiplicative"}
    return _counted(given, given["interaction_classes"], ["track", "context", "direction"], columns)


def set_sufficiency(given: Given) -> pd.DataFrame:
    keys, values = ["track", "context", "direction", "n_tiles"], ["fold_over_wt", "fold_over_control"]
    return _described(given, given["set_sufficiency"], keys, values, _MEAN)


def interactions(given: Given) -> pd.DataFrame:
    columns = {"epistasis": "interaction", "log_epistasis": "log_interaction"}
    return _counted(given, given["interactions"], ["track", "context"], columns)


def fine_tile(given: Given) -> pd.DataFrame:
    table = given["fine_tile"].sort_values("step", kind="stable")
    last = table.drop_duplicates(["example", "cre_tile", "track"], keep="last")
    return _described(given, last, ["track", "cre"], ["bp_kept"], _SPREAD)


def fine_mapping(given: Given) -> pd.DataFrame:
    return _described(given, given["fine_mapping"], ["track", "cre", "method"], ["fewest_bp"], _SPREAD)


def compared(given: Given) -> pd.DataFrame:
    """Mann-Whitney tests, corrected within each of the two comparisons; what cannot be tested is left out."""
    parts = []
    if "sufficiency" in given:
        table, values = given["sufficiency"], ["over_wt", "over_control"]
        parts.append(_compared(table, values, "context", CATEGORIES[:3]))
    if "cres" in given:
        table = _with_distance(given)
        parts.append(_compared(table.assign(distance=table["distance"].abs()), ["distance"], "cre", _CRE))
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame()
    whole = pd.concat(parts, ignore_index=True)
    return sorted_by(whole, value=["over_wt", "over_control", "distance"], track=_tracks(given, whole))


def failures(given: Given) -> pd.DataFrame:
    table = given["failures"]
    table = table.assign(example=table["example"].where(table["example"] != ""))  # of no locus, as in the annotation
    grouped = table.groupby(["stage", "error"], sort=False)
    found = grouped.agg(n=("message", "size"), n_loci=("example", "nunique"), first_message=("message", "first"))
    return found.reset_index()


# By the name of the summary, with the table that it cannot do without.
SUMMARIES: dict[str, tuple[Callable[[Given], pd.DataFrame], str | None]] = {
    "contexts": (contexts, "contexts"),
    "swap": (swap, "swap"),
    "necessity": (necessity, "necessity"),
    "sufficiency": (sufficiency, "sufficiency"),
    "calls": (calls, "sufficiency"),
    "cres": (cres, "cres"),
    "distance": (distance, "distance"),
    "multiplicity": (multiplicity, "multiplicity"),
    "saturation": (saturation, "saturation"),
    "higher_order": (higher_order, "higher_order"),
    "interaction_classes": (interaction_classes, "interaction_classes"),
    "set_sufficiency": (set_sufficiency, "set_sufficiency"),
    "interactions": (interactions, "interactions"),
    "fine_tile": (fine_tile, "fine_tile"),
    "fine_mapping": (fine_mapping, "fine_mapping"),
    "tests": (compared, None),
    "failures": (failures, "failures"),
}


def _described(
    given: Given, table: pd.DataFrame, keys: list[str], values: list[str], how: Mapping[str, Any]
) -> pd.DataFrame:
    """One row a group and value. Groups without a key or without a value that is known are left out."""
    parts = []
    for value in values:
        known = table[table[value].notna()].dropna(subset=keys)
        if len(known):
            numbers = known.assign(**{value: known[value].astype(float)}).groupby(keys, sort=False)[value]
            part = numbers.agg(**how).reset_index()
            part.insert(len(keys), "value", value)
            parts.append(part)
    return _in_order(pd.concat(parts, ignore_index=True), keys, given) if parts else pd.DataFrame()


def _counted(given: Given, table: pd.DataFrame, keys: list[str], columns: Mapping[str, str]) -> pd.DataFrame:
    """How many of each class, of the classes on each scale."""
    parts = []
    for scale, column in columns.items():
        classes = table[column].astype(object).where(table[column].notna(), UNDEFINED)
        part = table[keys].assign(**{"scale": scale, "class": classes})
        parts.append(part.groupby([*keys, "scale", "class"], sort=False).size().rename("n").reset_index())
    return _in_order(pd.concat(parts, ignore_index=True), [*keys, "scale", "class"], given)


def _compared(table: pd.DataFrame, values: list[str], group: str, kinds: Sequence[str]) -> pd.DataFrame:
    there = [kind for kind in kinds if (table[group] == kind).any()]
    pairs = [(one, other) for i, one in enumerate(there) for other in there[i + 1 :]]
    if not pairs:
        return pd.DataFrame()
    found = compare_groups(table, values, group, pairs=pairs, by="track")
    return found[found["p"].notna()]


def _with_distance(given: Given) -> pd.DataFrame:
    """The CREs with how far their middle lies from the base of the TSS, downstream positive, as `distance_to_tss`."""
    table = given["cres"]
    middle = (table["start"] + table["end"] - 1) / 2
    tss = _tss(given["sufficiency"]) if "sufficiency" in given else None
    return table.assign(distance=middle - (float("nan") if tss is None else tss))


def _tss(tiles: pd.DataFrame) -> int | None:
    """Where the base of the TSS is in the windows: the tile around it is the one that is not there."""
    spans = tiles[["start", "end"]].drop_duplicates().sort_values("start")
    before, after = spans["end"].to_numpy()[:-1], spans["start"].to_numpy()[1:]
    gaps = [(int(start), int(end)) for start, end in zip(before, after) if start < end]
    if len(gaps) != 1:
        return None
    ((start, end),) = gaps
    return start + (end - start) // 2


def _in_order(table: pd.DataFrame, keys: Sequence[str], given: Given) -> pd.DataFrame:
    """By track as the study has them, categories as the paper has them, numbers and all else in their own order."""
    orders = {"track": _tracks(given, table), **_ORDERS}
    if "method" in table.columns:
        orders["method"] = list(dict.fromkeys(table["method"]))
    return sorted_by(table, **{name: orders.get(name) for name in keys})


def _tracks(given: Given, table: pd.DataFrame) -> list[str]:
    """Every locus has a row a track among the contexts, in the order of the model's outputs."""
    known = given["contexts"]["track"] if "contexts" in given else []
    return list(dict.fromkeys([*known, *table["track"]]))
