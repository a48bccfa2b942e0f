"""The file of a study: read, written down, hashed and compared."""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...support import SpecError, map_marked, parse
from .sections import StudySpec

# Sections that change no prediction. Annotation changes its own tables, which are made anew each time.
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
    """Make a study from the tables of its file, or from `spec_to_dict`.

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
    """Return a study as nested dictionaries that JSON can hold, with every key: `spec_from_dict` makes it again.

    Parameters
    ----------
    spec: StudySpec

    Returns
    -------
    content: dict
        Optional keys that are not given are None.

    Examples
    --------
    >>> spec = spec_from_dict({"model": {"adapter": "enformer", "tracks": ["K562"]}})
    >>> spec_to_dict(spec)["model"]["tracks"], spec_from_dict(spec_to_dict(spec)) == spec
    (['K562'], True)
    """
    return spec.model_dump(mode="json")


def spec_hash(spec: StudySpec) -> str:
    """Return the SHA-256 of every key that can change a prediction: all but `out`, `run` and `annotation`.

    Whether a file or folder is given counts, but not where it lies: its content is hashed by `input_files`.

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
    content = _comparable(spec_to_dict(spec))
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def spec_differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """List the keys that can change a prediction and differ between two studies.

    Parameters
    ----------
    old, new: mapping
        From `spec_to_dict`.

    Returns
    -------
    differences: list of str
        One per key, in the order of `new`.

    Examples
    --------
    >>> spec_differences({"tests": {"necessity": {"n": 10}}}, {"tests": {"necessity": {"n": 20}}})
    ['tests.necessity.n: 10 -> 20']
    """
    return _differences(_comparable(old), _comparable(new), "")


def _comparable(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a study without the sections that change no table, and without the places of files."""

    def without_place(value: Any, kind: str) -> Any:
        if isinstance(value, Mapping):
            return dict.fromkeys(value, f"a {kind}")
        if isinstance(value, str):
            return f"a {kind}"
        return [f"a {kind}"] * len(value) if kind == "folder" else value

    counted = {name: value for name, value in content.items() if name not in _UNHASHED}
    return map_marked(StudySpec, counted, "path", without_place)


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> list[str]:
    differences = []
    for name in [*new, *(name for name in old if name not in new)]:
        at = f"{path}.{name}" if path else name
        one, other = old.get(name), new.get(name)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            differences += _differences(one, other, at)
        elif (shown := _shown(one)) != (shown_other := _shown(other)):
            differences.append(f"{at}: {shown} -> {shown_other}")
    return differences


def _shown(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _absolute(spec: StudySpec, folder: str) -> StudySpec:
    """The study with absolute paths."""

    def absolute(value: Any, kind: str) -> Any:
        place = _path if kind == "file" else _path_or_name
        if isinstance(value, str):
            return place(value, folder)
        if isinstance(value, Mapping):
            return {name: place(part, folder) for name, part in value.items()}
        return [place(part, folder) for part in value] if kind == "folder" else value  # else names of genes

    return parse(StudySpec, map_marked(StudySpec, spec_to_dict(spec), "path", absolute))


def _path(text: str, folder: str) -> str:
    return text if "://" in text else os.path.abspath(os.path.join(folder, os.path.expanduser(text)))


def _path_or_name(text: str, folder: str) -> str:
    """The absolute path of a folder; a text that is no folder and does not look like one is a name on a hub."""
    path = _path(text, folder)
    return path if os.path.isdir(path) or text.startswith(("~", ".")) else text
