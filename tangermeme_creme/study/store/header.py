"""Make the header of a study, the first line of its manifest, and compare headers."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import time
from typing import Any

from ... import __version__
from ..spec import StudySpec, spec_differences, spec_hash, spec_to_dict
from .probe import probe_change

_PACKAGES = ("tangermeme", "torch", "numpy", "pandas", "pyarrow", "scipy", "enformer-pytorch", "borzoi-pytorch")


def make_header(spec: StudySpec, model: dict[str, Any], inputs: dict[str, str], n_loci: int) -> dict[str, Any]:
    """Make the header of a study from its spec, its model, the hashes of its files and its number of loci.

    `model` has `kind`, `fingerprint` (of the weights), `device`, `threads` and `probe`.
    """
    return {
        "spec": spec_to_dict(spec),
        "spec_hash": spec_hash(spec),
        "seed": spec.seed,
        "model": model,
        "inputs": inputs,
        "n_loci": n_loci,
        "versions": _versions(),
        "begun": time.strftime("%Y-%m-%d %H:%M:%S"),
    }


def study_id(header: dict[str, Any]) -> str:
    """Hash all that decides the content of the tables: spec, weights and the content of the files."""
    content = [header["spec_hash"], header["model"]["fingerprint"], _predicted_from(header)]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """List, for people, how two studies differ in what decides the content of the tables."""
    changes = spec_differences(old["spec"], new["spec"])
    one, other = old["model"], new["model"]
    if one["fingerprint"] != other["fingerprint"]:
        changes.append(
            f"weights of the model: {one['kind']} {one['fingerprint'][:12]} -> {other['kind']} "
            f"{other['fingerprint'][:12]}"
        )
    if change := probe_change(one.get("probe"), other.get("probe")):
        changes.append(f"what the model computes: {change}")
    old_files, new_files = _predicted_from(old), _predicted_from(new)
    for key in dict.fromkeys([*old_files, *new_files]):
        was, now = old_files.get(key), new_files.get(key)
        if was != now:
            changes.append(f"content of {key}: {(was or 'nothing')[:12]} -> {(now or 'nothing')[:12]}")
    return changes


def updated_header(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return the old header with what may change in a study: paths, settings of the run, and the annotation."""
    model = {"probe": new["model"].get("probe"), **old["model"]}  # a study that began without a probe gets one
    return {**old, "spec": new["spec"], "inputs": new["inputs"], "model": model}


def rounding_changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """List changes since the study began that can move the last bits of predictions: versions, device and threads."""
    pairs = [(name, was, new["versions"].get(name)) for name, was in old["versions"].items()]
    pairs += [(name, old["model"][name], new["model"][name]) for name in ("device", "threads")]
    return [f"{name} {was} -> {now}" for name, was, now in pairs if was != now]


def _versions() -> dict[str, str]:
    """Return the versions of Python, of this package and of the installed packages that it computes with."""
    by_package = {"python": platform.python_version(), "tangermeme_creme": __version__}
    for name in _PACKAGES:
        try:
            by_package[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return by_package


def _predicted_from(header: dict[str, Any]) -> dict[str, str]:
    """Return the hashes of the files that predictions depend on; annotation is joined to tables that are there."""
    return {key: value for key, value in header["inputs"].items() if not key.startswith("annotation.")}
