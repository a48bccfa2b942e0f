"""What a study began with: the first line of its manifest, and how it is compared."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import time
from typing import Any

from ..spec import StudySpec, spec_differences, spec_hash, spec_to_dict

_PACKAGES = ("tangermeme", "torch", "numpy", "pandas", "pyarrow", "scipy", "enformer-pytorch", "borzoi-pytorch")


def make_header(spec: StudySpec, model: dict[str, Any], inputs: dict[str, str], n_loci: int) -> dict[str, Any]:
    """The header of a study with this spec, model (`first_prediction`), files (`input_files`) and number of loci."""
    return {
        "spec": spec_to_dict(spec),
        "spec_hash": spec_hash(spec),
        "seed": spec.seed,
        "model": model,
        "inputs": inputs,
        "n_loci": n_loci,
        "versions": versions(),
        "begun": time.strftime("%Y-%m-%d %H:%M:%S"),
    }


def study_id(header: dict[str, Any]) -> str:
    """A hash of all that decides what the tables hold: spec, model and the content of the files."""
    content = [header["spec_hash"], header["model"]["fingerprint"], _predicted_from(header)]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Where two studies differ in what decides what the tables hold, for people to read."""
    found = spec_differences(old["spec"], new["spec"])
    one, other = old["model"], new["model"]
    if one["fingerprint"] != other["fingerprint"]:
        found.append(
            f"weights of the model: {one['kind']} {one['fingerprint'][:12]} -> {other['kind']} "
            f"{other['fingerprint'][:12]}"
        )
    inputs = [_predicted_from(header) for header in (old, new)]
    for key in dict.fromkeys([*inputs[0], *inputs[1]]):
        was, now = (some.get(key) for some in inputs)
        if was != now:
            found.append(f"content of {key}: {(was or 'nothing')[:12]} -> {(now or 'nothing')[:12]}")
    return found


def with_annotation(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The header of a study that goes on, with what may have changed: where it is, how it runs and its annotation."""
    return {**old, "spec": new["spec"], "inputs": new["inputs"]}


def rounding_changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What moves the last bits of predictions, where it is not what a study began with: versions, device, threads."""
    pairs = [(name, was, new["versions"].get(name)) for name, was in old["versions"].items()]
    pairs += [(name, old["model"][name], new["model"][name]) for name in ("device", "threads")]
    return [f"{name} {was} -> {now}" for name, was, now in pairs if was != now]


def _predicted_from(header: dict[str, Any]) -> dict[str, str]:
    """The hashes of the files that predictions depend on."""
    return {key: value for key, value in header["inputs"].items() if not key.startswith("annotation.")}


def versions() -> dict[str, str]:
    """Versions of Python, of this package and of those that it computes with."""
    from ... import __version__

    found = {"python": platform.python_version(), "tangermeme_creme": __version__}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
