"""The first section of a page: what was studied, with which model, and at what cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ...analysis import CATEGORIES, effect_in
from ...study.spec import StudySpec, spec_to_dict, track_names, window_length
from ...study.store import Manifest
from ...study.tables import ReadableStudy
from ...support import duration, map_marked, toml_text
from .text import last_name, number

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class StudySummary:
    """Counts, results by track, provenance, cost, and the spec of a study as TOML."""

    counts: Pairs
    tracks: pd.DataFrame
    provenance: Pairs
    inputs: Pairs
    versions: Pairs
    cost: pd.DataFrame
    spec: str


def summary_of(study: ReadableStudy, tables: Mapping[str, pd.DataFrame]) -> StudySummary:
    """Summarize a study as a whole. Fields that the study does not have, such as the header of a run, stay empty."""
    header: dict[str, Any] = getattr(study, "header", {})
    versions = [(str(name), str(version)) for name, version in sorted(header.get("versions", {}).items())]
    return StudySummary(
        _counts(header, tables),
        _tracks(study, tables),
        _provenance(study, header),
        [(str(name), str(value)) for name, value in sorted(header.get("inputs", {}).items())],
        versions,
        _cost(study),
        toml_of(study),
    )


def _counts(header: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Pairs:
    contexts, cres = tables.get("contexts", pd.DataFrame()), tables.get("cres", pd.DataFrame())
    counts = [("loci read", header.get("n_loci")), ("chosen to be studied", len(tables.get("loci", ())) or None)]
    if len(contexts):
        counts += [
            (label, contexts.loc[contexts[column].astype(bool), "example"].nunique())
            for label, column in (("ranked in a track", "ranked"), ("drawn for all tests", "selected"))
        ]
        known = contexts.loc[contexts[effect_in(contexts, "context_effect")].notna(), "example"]
        counts.insert(2, ("with a context effect", known.nunique()))
    if len(cres):
        counts += [(f"{kind}s, over all tracks", int((cres["cre"] == kind).sum())) for kind in ("enhancer", "silencer")]
    failed = len(tables.get("failures", ())) + len(tables.get("annotation_failures", ()))
    return [(label, number(count)) for label, count in [*counts, ("failures", failed)] if count is not None]


def _tracks(study: ReadableStudy, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Count by track the loci ranked and drawn, the drawn loci by category, and CREs."""
    contexts, cres = tables.get("contexts", pd.DataFrame()), tables.get("cres", pd.DataFrame())
    if not len(contexts):
        return pd.DataFrame()
    rows = []
    for track in track_names(study.spec):
        in_track = contexts[contexts["track"] == track]
        drawn = in_track[in_track["selected"].astype(bool)]
        row: dict[str, Any] = {"track": track, "loci ranked": int(in_track["ranked"].sum()), "drawn": len(drawn)}
        row |= {name: int((drawn["context"] == name).sum()) for name in CATEGORIES}
        if len(cres):
            called = cres.loc[cres["track"] == track, "cre"]
            row |= {f"{kind}s": int((called == kind).sum()) for kind in ("enhancer", "silencer")}
        rows.append(row)
    return pd.DataFrame(rows)


def _provenance(study: ReadableStudy, header: Mapping[str, Any]) -> Pairs:
    spec, model = study.spec, header.get("model", {})
    function = f", {spec.model.function}" if spec.model.function else ""
    pairs = [
        ("study", study.folder.resolve().name),
        ("begun", header.get("begun")),
        ("seed", spec.seed),
        ("model", model.get("kind")),
        ("adapter", f"{spec.model.adapter}{function}"),
        ("fingerprint of its weights", model.get("fingerprint")),
        (
            "repeatable",
            "no, as model.allow_stochastic allows: with another run or batch, the tables are others"
            if spec.model.allow_stochastic
            else None,
        ),
        ("tracks", ", ".join(track_names(spec))),
        ("device", model.get("device")),
        ("threads", model.get("threads")),
        ("data type", spec.model.dtype),
        ("windows", f"{number(window_length(spec))} bp"),
        ("TSS in the windows", None if spec.tiles.center is None else f"{number(spec.tiles.center)} bp"),
        ("tiles", f"{number(spec.tiles.size)} bp"),
        ("hash of the settings", header.get("spec_hash")),
    ]
    return [(label, str(value)) for label, value in pairs if value is not None and value != ""]


def _cost(study: ReadableStudy) -> pd.DataFrame:
    """Return by stage the loci done, failed and in total, the time, and sequences that ran in full and in part."""
    status = getattr(study, "status", None)
    if status is None:
        return pd.DataFrame()
    table: pd.DataFrame = status()
    manifest = Manifest.load(study.folder)
    work = pd.DataFrame(
        [{"stage": shard.stage, **shard.cost} for shard in (manifest.shards if manifest else ())],
        columns=["stage", "full", "partial"],
    )
    work = work.groupby("stage").sum().reindex(table["stage"], fill_value=0)
    rows = table.assign(**{name: work[name].to_numpy() for name in ("full", "partial")})
    total = {"stage": "all", **{name: rows[name].sum() for name in ("seconds", "full", "partial")}}
    rows = pd.concat([rows, pd.DataFrame([total])], ignore_index=True)
    shown = {
        "stage": rows["stage"],
        "loci done": [number(value) for value in rows["done"]],
        "failed": [number(value) for value in rows["failed"]],
        "of": [number(value) for value in rows["of"]],
        "time of work": [duration(value) for value in rows["seconds"]],
    }
    if rows[["full", "partial"]].to_numpy().any():
        shown["sequences in full"] = [number(value) if value else "" for value in rows["full"]]
        shown["sequences in part"] = [number(value) if value else "" for value in rows["partial"]]
    return pd.DataFrame(shown)


def toml_of(study: ReadableStudy) -> str:
    """Write the spec of a study as TOML, without settings that are not given. Paths are cut to their last names."""
    content = map_marked(StudySpec, spec_to_dict(study.spec), "path", lambda value, kind: _last_names(value))
    content["model"]["arguments"] = _last_names(content["model"]["arguments"])  # any of these may be a path
    return toml_text(content)


def _last_names(value: Any) -> Any:
    if isinstance(value, str):
        return last_name(value)
    if isinstance(value, Mapping):
        return {name: _last_names(part) for name, part in value.items()}
    return [_last_names(part) for part in value] if isinstance(value, list) else value
