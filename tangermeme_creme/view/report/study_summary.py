"""What was studied, by what, and what it cost: the first part of a report."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ...analysis import CATEGORIES
from ...study.spec import spec_to_dict, track_names, window_length
from ...study.store import Manifest
from ...study.tables import ReadableStudy
from .text import last_name, number, seconds

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Summary:
    """Counts, what was found by track, where it came from, what it cost, and the file of the study."""

    counts: Pairs
    tracks: pd.DataFrame
    provenance: Pairs
    inputs: Pairs
    versions: Pairs
    cost: pd.DataFrame
    spec: str


def summary_of(study: ReadableStudy, tables: Mapping[str, pd.DataFrame]) -> Summary:
    """What a report says of a study as a whole. What a study that is made of tables alone does not know is left out."""
    header: dict[str, Any] = getattr(study, "header", {})
    versions = [(str(name), str(version)) for name, version in sorted(header.get("versions", {}).items())]
    return Summary(
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
    found = [("loci read", header.get("n_loci")), ("chosen to be studied", len(tables.get("loci", ())) or None)]
    if len(contexts):
        found += [
            (label, contexts.loc[contexts[column].astype(bool), "example"].nunique())
            for label, column in (("ranked in a track", "ranked"), ("drawn for all tests", "selected"))
        ]
        known = contexts.loc[contexts["context_effect"].notna(), "example"]
        found.insert(2, ("with a context effect", known.nunique()))
    if len(cres):
        found += [(f"{kind}s, over all tracks", int((cres["cre"] == kind).sum())) for kind in ("enhancer", "silencer")]
    failed = len(tables.get("failures", ())) + len(tables.get("annotation_failures", ()))
    return [(label, number(count)) for label, count in [*found, ("failures", failed)] if count is not None]


def _tracks(study: ReadableStudy, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """By track: loci ranked and drawn, those drawn by category, and CREs."""
    contexts, cres = tables.get("contexts", pd.DataFrame()), tables.get("cres", pd.DataFrame())
    if not len(contexts):
        return pd.DataFrame()
    rows = []
    for track in track_names(study.spec):
        some = contexts[contexts["track"] == track]
        drawn = some[some["selected"].astype(bool)]
        row: dict[str, Any] = {"track": track, "loci ranked": int(some["ranked"].sum()), "drawn": len(drawn)}
        row |= {name: int((drawn["context"] == name).sum()) for name in CATEGORIES}
        if len(cres):
            called = cres.loc[cres["track"] == track, "cre"]
            row |= {f"{kind}s": int((called == kind).sum()) for kind in ("enhancer", "silencer")}
        rows.append(row)
    return pd.DataFrame(rows)


def _provenance(study: ReadableStudy, header: Mapping[str, Any]) -> Pairs:
    spec, model = study.spec, header.get("model", {})
    function = f", {spec.model.function}" if spec.model.function else ""
    found = [
        ("study", study.folder.resolve().name),
        ("begun", header.get("begun")),
        ("seed", spec.seed),
        ("model", model.get("kind")),
        ("adapter", f"{spec.model.adapter}{function}"),
        ("fingerprint of its weights", model.get("fingerprint")),
        ("tracks", ", ".join(track_names(spec))),
        ("device", model.get("device")),
        ("threads", model.get("threads")),
        ("data type", spec.model.dtype),
        ("windows", f"{number(window_length(spec))} bp"),
        ("tiles", f"{number(spec.tiles.size)} bp"),
        ("hash of the settings", header.get("spec_hash")),
    ]
    return [(label, str(value)) for label, value in found if value is not None and value != ""]


def _cost(study: ReadableStudy) -> pd.DataFrame:
    """By stage: loci done, failed and of how many; seconds; sequences that ran in full and in part."""
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
        "time of work": [seconds(value) for value in rows["seconds"]],
    }
    if rows[["full", "partial"]].to_numpy().any():
        shown["sequences in full"] = [number(value) if value else "" for value in rows["full"]]
        shown["sequences in part"] = [number(value) if value else "" for value in rows["partial"]]
    return pd.DataFrame(shown)


def toml_of(study: ReadableStudy) -> str:
    """The settings of a study as TOML, without those that are left out. Paths are cut to their last name."""
    content = spec_to_dict(study.spec)
    return "\n".join(_toml(_unplaced(study.spec, content), "")).strip() + "\n"


def _unplaced(section: Any, content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a section with the places of files cut off, as its fields say where these are."""
    found = {}
    for field in dataclasses.fields(section):
        value, inner = content[field.name], getattr(section, field.name)
        if dataclasses.is_dataclass(inner):
            value = _unplaced(inner, value)
        elif field.metadata.get("path") or field.name in ("arguments", "out"):
            value = _last_names(value)
        found[field.name] = value
    return found


def _last_names(value: Any) -> Any:
    if isinstance(value, str):
        return last_name(value)
    if isinstance(value, Mapping):
        return {name: _last_names(part) for name, part in value.items()}
    return [_last_names(part) for part in value] if isinstance(value, list) else value


def _toml(content: Mapping[str, Any], path: str) -> list[str]:
    lines, sections = [], []
    for name, value in content.items():
        if isinstance(value, Mapping):
            inner = f"{path}.{_key(name)}" if path else _key(name)
            body = _toml(value, inner)
            sections += ["", f"[{inner}]", *body] if any(not line.startswith("[") for line in body if line) else body
        elif value is not None:
            lines.append(f"{_key(name)} = {json.dumps(value, ensure_ascii=False)}")
    return lines + sections


def _key(name: str) -> str:
    plain = name and all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in name)
    return name if plain else json.dumps(name, ensure_ascii=False)
