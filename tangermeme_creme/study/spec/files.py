"""The file of a study: read, checked, written down, hashed and compared."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .checks import check_spec
from .fields import SpecError, parse
from .sections import (
    AnnotationSpec,
    ContextSpec,
    CresSpec,
    LociSpec,
    ModelSpec,
    OutputSpec,
    RunSpec,
    StudySpec,
    TilesSpec,
    WindowsSpec,
    track_names,
    window_length,
)
from .sections_of_tests import (
    TESTS,
    DistanceSpec,
    FineTileSpec,
    HigherOrderSpec,
    InteractionsSpec,
    MultiplicitySpec,
    NecessitySpec,
    SetSufficiencySpec,
    SufficiencySpec,
    SwapSpec,
    TestsSpec,
)

__all__ = [
    "TESTS",
    "AnnotationSpec",
    "ContextSpec",
    "CresSpec",
    "DistanceSpec",
    "FineTileSpec",
    "HigherOrderSpec",
    "InteractionsSpec",
    "LociSpec",
    "ModelSpec",
    "MultiplicitySpec",
    "NecessitySpec",
    "OutputSpec",
    "RunSpec",
    "SetSufficiencySpec",
    "SpecError",
    "StudySpec",
    "SufficiencySpec",
    "SwapSpec",
    "TestsSpec",
    "TilesSpec",
    "WindowsSpec",
    "check_spec",
    "read_spec",
    "spec_differences",
    "spec_from_dict",
    "spec_hash",
    "spec_to_dict",
    "track_names",
    "window_length",
]

# They change where and how fast, and no table; annotation changes its own tables alone, which are made anew each time.
_UNHASHED = ("out", "run", "annotation")


def read_spec(path: str | os.PathLike[str]) -> StudySpec:
    """Read the TOML file of a study; `check_spec` then says whether its keys go together.

    Parameters
    ----------
    path: path

    Returns
    -------
    spec: StudySpec
        With absolute paths: those in the file start in its folder, or in the home folder after "~".

    Raises
    ------
    SpecError
        If the file is no TOML, with the line; or a key is unknown, missing or of another type or value.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     text = '[model]\\nadapter = "enformer"\\ntracks = ["K562"]\\n[windows]\\nfile = "windows.fa"\\n'
    ...     _ = Path(folder, "study.toml").write_text(text)
    ...     spec = read_spec(f"{folder}/study.toml")
    ...     spec.model.tracks, spec.windows.file == f"{folder}/windows.fa"
    (('K562',), True)
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        mapping = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise SpecError(f"a study must be TOML in UTF-8; got {path}: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        end = f"at line {len(text.splitlines())}, the end of the file"
        raise SpecError(
            f"a study must be TOML; got {path}: {str(error).replace('at end of document', end)}."
        ) from error
    try:
        return spec_from_dict(mapping, path.parent)
    except SpecError as error:
        error.add_note(f"This is about {path}.")
        raise


def spec_from_dict(mapping: Mapping[str, Any], folder: str | os.PathLike[str] | None = None) -> StudySpec:
    """A study from the tables of its file, or from `spec_to_dict`.

    Parameters
    ----------
    mapping: mapping

    folder: path or None, optional
        Where relative paths start. None leaves them as they are. Default is None.

    Returns
    -------
    spec: StudySpec

    Raises
    ------
    SpecError
        If a key is unknown, missing or of another type or value.

    Examples
    --------
    >>> spec_from_dict({"seed": 1, "model": {"adapter": "enformer", "tracks": {"K562": 5111}}}).model.tracks
    {'K562': 5111}
    """
    spec = parse(StudySpec, mapping)
    return spec if folder is None else _absolute(spec, os.path.abspath(folder))


def spec_to_dict(spec: StudySpec) -> dict[str, Any]:
    """A study as nested dictionaries that JSON can hold, with every key: `spec_from_dict` gives the same study again.

    Parameters
    ----------
    spec: StudySpec

    Returns
    -------
    content: dict
        Optional keys that are left out are None.

    Examples
    --------
    >>> spec = spec_from_dict({"model": {"adapter": "enformer", "tracks": ["K562"]}})
    >>> spec_to_dict(spec)["model"]["tracks"], spec_from_dict(spec_to_dict(spec)) == spec
    (['K562'], True)
    """
    return json.loads(json.dumps(dataclasses.asdict(spec), allow_nan=False))


def spec_hash(spec: StudySpec) -> str:
    """The SHA-256 of all that can change what is predicted: every key but `out` and those in `run` and `annotation`.

    Of files and folders it counts that they are given, not where they lie: what is in them has hashes of its own.

    Parameters
    ----------
    spec: StudySpec

    Returns
    -------
    hash: str

    Examples
    --------
    >>> model = {"adapter": "enformer", "tracks": ["K562"]}
    >>> one, same, other = ({"model": model}, {"model": model, "out": "elsewhere"}, {"model": model, "seed": 1})
    >>> [spec_hash(spec_from_dict(one)) == spec_hash(spec_from_dict(mapping)) for mapping in (same, other)]
    [True, False]
    """
    content = _comparable(StudySpec, spec_to_dict(spec))
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def spec_differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Where two studies differ in what can change what is predicted.

    Parameters
    ----------
    old, new: mapping
        From `spec_to_dict`.

    Returns
    -------
    differences: list of str
        One a key, in the order of `new`.

    Examples
    --------
    >>> spec_differences({"tests": {"necessity": {"n": 10}}}, {"tests": {"necessity": {"n": 20}}})
    ['tests.necessity.n: 10 -> 20']
    """
    return _differences(_comparable(StudySpec, old), _comparable(StudySpec, new), "")


def _comparable(section: Any, content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a section without what changes no table, and without places of files."""
    kinds = typing.get_type_hints(section)
    fields = {field.name: field for field in dataclasses.fields(section)}
    found = {}
    for name, value in content.items():
        if section is StudySpec and name in _UNHASHED:
            continue
        inner = [
            kind for kind in (kinds.get(name), *typing.get_args(kinds.get(name))) if dataclasses.is_dataclass(kind)
        ]
        if inner and isinstance(value, Mapping):
            value = _comparable(inner[0], value)
        elif name in fields and (kind := fields[name].metadata.get("path")):
            if isinstance(value, Mapping):
                value = dict.fromkeys(value, f"a {kind}")
            elif isinstance(value, str):
                value = f"a {kind}"
            elif isinstance(value, list) and kind == "folder":
                value = [f"a {kind}"] * len(value)
        found[name] = value
    return found


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> list[str]:
    found = []
    for name in [*new, *(name for name in old if name not in new)]:
        at = f"{path}.{name}" if path else name
        one, other = old.get(name), new.get(name)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            found += _differences(one, other, at)
        elif (shown := _shown(one)) != (shown_other := _shown(other)):
            found.append(f"{at}: {shown} -> {shown_other}")
    return found


def _shown(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _absolute(section: Any, folder: str) -> Any:
    """A section with the paths in it made absolute, as its fields say where these are."""
    changes = {}
    for field in dataclasses.fields(section):
        value, kind = getattr(section, field.name), field.metadata.get("path")
        if dataclasses.is_dataclass(value):
            changes[field.name] = _absolute(value, folder)
        elif kind == "file" and isinstance(value, str):
            changes[field.name] = _path(value, folder)
        elif kind == "file" and isinstance(value, dict):
            changes[field.name] = {name: _path(part, folder) for name, part in value.items()}
        elif kind == "folder" and isinstance(value, str):
            changes[field.name] = _path_or_name(value, folder)
        elif kind == "folder" and isinstance(value, tuple):
            changes[field.name] = tuple(_path_or_name(part, folder) for part in value)
    return dataclasses.replace(section, **changes)


def _path(text: str, folder: str) -> str:
    return text if "://" in text else os.path.abspath(os.path.join(folder, os.path.expanduser(text)))


def _path_or_name(text: str, folder: str) -> str:
    """A folder's path; what is none, and does not look like one, is a name on a hub."""
    path = _path(text, folder)
    return path if os.path.isdir(path) or text.startswith(("~", ".")) else text
