"""Sections of settings: read from TOML or JSON through pydantic, with every error by its key."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, Self, TypeVar

from annotated_types import Ge, MinLen
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticUndefined

from ._setting_types import (
    ANYTHING,
    close_to,
    dict_member,
    hints_of,
    item_hint,
    join_path,
    section_in,
    shown,
    type_in_words,
)

T = TypeVar("T")
SectionT = TypeVar("SectionT", bound="Section")

# Types of keys. A limit stands in the type, so that it holds for every number in an array or a table too.
Count = Annotated[int, Ge(1)]
Whole = Annotated[int, Ge(0)]
Number = Annotated[float, AfterValidator(lambda value: value + 0.0)]  # -0.0 is 0.0, so that it is written in one way
Positive = Annotated[Number, Ge(0)]
Text = Annotated[str, MinLen(1)]
# TOML gives tables no order: sorted by name, two files with the same keys are the same.
Table = Annotated[dict[str, T], AfterValidator(lambda table: dict(sorted(table.items())))]


class SpecError(ValueError):
    """A key of a study that is unknown, missing or impossible; the message names each key, the rule and the value."""


class Section(BaseModel):
    """A table of settings: strict, frozen, and without unknown keys."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        protected_namespaces=(),
        hide_input_in_errors=True,
    )

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy a section with other values of keys, which are checked as in `parse`."""
        content = self.model_dump(mode="json")
        for name, value in (update or {}).items():
            content[name] = value.model_dump(mode="json") if isinstance(value, Section) else value
        return parse(type(self), content)


def key(default: Any = PydanticUndefined, *, doc: str, **metadata: Any) -> Any:
    """Declare a key of a section.

    Parameters
    ----------
    default: optional
        A section or `dict` is made anew for each instance. Without a default the key must be given.

    doc: str
        What the key is for: its comment in the template, and its description in the JSON schema.

    **metadata: optional
        `example`, a value for the template; `path`, "file" or "folder"; and what else a reader of sections asks for.
    """
    if "example" in metadata:
        metadata["examples"] = [metadata.pop("example")]  # as JSON schema has it
    made = {"default_factory": default} if isinstance(default, type) else {"default": default}
    return Field(**made, description=doc, json_schema_extra=metadata)


def metadata_of(section: type[Section], name: str) -> dict[str, Any]:
    """Return what was declared about a key beside its default and its documentation."""
    extra = section.model_fields[name].json_schema_extra
    return extra if isinstance(extra, dict) else {}


def map_marked(
    section: type[Section], content: Mapping[str, Any], mark: str, change: Callable[[Any, Any], Any]
) -> dict[str, Any]:
    """Change the values of the keys that were declared with a mark, in nested sections too.

    Parameters
    ----------
    section: type

    content: mapping
        Of the section, as nested dictionaries.

    mark: str
        A name in the metadata of keys, such as "path".

    change: callable
        From a value that is not None, and what the mark says, to the new value.

    Returns
    -------
    content: dict

    Examples
    --------
    >>> class Files(Section):
    ...     genome: str = key("hg38.fa", doc="The genome.", path="file")
    >>> map_marked(Files, {"genome": "hg38.fa"}, "path", lambda value, kind: f"{kind} {value}")
    {'genome': 'file hg38.fa'}
    """
    hints, changed = hints_of(section), {}
    for name, value in content.items():
        inner = section_in(hints.get(name))
        if inner is not None and isinstance(value, Mapping):
            value = map_marked(inner, value, mark, change)
        elif name in hints and value is not None and mark in metadata_of(section, name):
            value = change(value, metadata_of(section, name)[mark])
        changed[name] = value
    return changed


def parse(section: type[SectionT], mapping: Any) -> SectionT:
    """Read a section from the tables of a TOML or JSON file.

    Numbers, strings and booleans are not converted into each other, but a whole number serves as a number. None, which
    JSON has and TOML lacks, is taken where it is a default.

    Parameters
    ----------
    section: type

    mapping: mapping

    Returns
    -------
    section: Section

    Raises
    ------
    SpecError
        If keys are unknown, missing, or of another type or value than their section says; one line per key.

    Examples
    --------
    >>> class Shuffles(Section):
    ...     n: Count = key(10, doc="Shuffles.")
    >>> parse(Shuffles, {"n": 20})
    Shuffles(n=20)
    >>> parse(Shuffles, {"n": "ten"})
    Traceback (most recent call last):
    ...
    tangermeme_creme.support.settings.SpecError: n must be a whole number, 1 or more; got 'ten'.
    """
    problems = dict(_not_json(section, mapping))
    content = _as_json(mapping)
    try:
        parsed = section.model_validate_json(json.dumps(content))
    except ValidationError as error:
        problems = dict(_by_path(section, content, error)) | problems
    if problems:
        raise SpecError(in_one_message(problems.values()))
    return parsed


def in_one_message(problems: Iterable[str]) -> str:
    """Join several messages, one line per problem.

    Examples
    --------
    >>> print(in_one_message(["n must be 1 or more; got 0.", "seed must be given."]))
    2 problems:
      n must be 1 or more; got 0.
      seed must be given.
    """
    lines = list(problems)
    return lines[0] if len(lines) == 1 else "\n  ".join([f"{len(lines)} problems:", *lines])


def _not_json(section: type[Section], mapping: Any) -> Iterator[tuple[str, str]]:
    """Values that JSON cannot hold, such as dates, and numbers that are not finite where any value is taken."""

    def walk(value: Any, hint: Any, path: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, Mapping):
            inner = section_in(hint)
            for name, part in value.items():
                if not isinstance(name, str) or not name:
                    rule = f"a key of {path or 'a study'} must be a string that is not empty"
                    yield join_path(path, name), f"{rule}; got {shown(name)}."
                    continue
                hints = hints_of(inner) if inner else {}
                yield from walk(part, hints.get(name, dict_member(hint)), join_path(path, name))
        elif isinstance(value, (list, tuple)):
            for i, part in enumerate(value):
                yield from walk(part, item_hint(hint), f"{path}[{i}]")
        elif isinstance(value, float) and not math.isfinite(value):
            if hint is ANYTHING:
                yield path, f"{path} must be {type_in_words(ANYTHING)}; got {shown(value)}."
        elif isinstance(value, str) and value != value.encode(errors="replace").decode():
            yield path, f"{path} must be text that UTF-8 can hold; got {shown(value)}."
        elif value is not None and not isinstance(value, (bool, int, float, str)):
            yield path, f"{path} must be {type_in_words(hint)}; got {shown(value)}."

    yield from walk(mapping, section, "")


def _as_json(value: Any) -> Any:
    """The part of a value that JSON can hold; `_not_json` names the rest."""
    if isinstance(value, Mapping):
        return {name: _as_json(part) for name, part in value.items() if isinstance(name, str) and name}
    if isinstance(value, (list, tuple)):
        return [_as_json(part) for part in value]
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    return value if isinstance(value, (bool, int, float)) else None


def _by_path(section: type[Section], mapping: Any, error: ValidationError) -> Iterator[tuple[str, str]]:
    """The errors of pydantic as one message per key; of the members of a union the one that came furthest counts."""
    problems: dict[str, str] = {}
    for one in error.errors(include_url=False):
        if one["type"] == "json_invalid":  # arrays that are nested too deeply
            yield "", f"a study must be readable as JSON; got {one['ctx']['error']}."
            return
        path, message = _problem(section, mapping, one["type"], one["loc"])
        problems.setdefault(path, message)
    for path, message in problems.items():
        if not any(other.startswith((f"{path}.", f"{path}[")) for other in problems):
            yield path, message


def _problem(section: type[Section], mapping: Any, kind: str, loc: tuple[int | str, ...]) -> tuple[str, str]:
    hint: Any = section
    path, value = "", mapping
    for part in loc:
        inner = section_in(hint)
        if inner is not None and part in inner.model_fields:
            if not isinstance(value, Mapping) or part not in value:
                return _missing(inner, str(part), path)
            path, hint, value = join_path(path, part), hints_of(inner)[str(part)], value[part]
        elif inner is not None:
            where = f"in [{path}], which" if path else "at the top, which"
            return join_path(path, part), (
                f"{join_path(path, part)} is not a key of a study; got {part!r} {where} takes "
                f"{', '.join(inner.model_fields)}.{close_to(part, inner.model_fields)}"
            )
        elif isinstance(value, Mapping) and part in value:
            path, hint, value = join_path(path, part), dict_member(hint), value[part]
        elif isinstance(value, (list, tuple)) and isinstance(part, int) and part < len(value):
            path, hint, value = f"{path}[{part}]", item_hint(hint), value[part]
        # else it names a member of a union
    empty = kind == "string_too_short"
    rule = "a string that is not empty" if empty else type_in_words(hint)
    meant = close_to(value, hint) if isinstance(value, str) else ""
    return path, f"{path or 'a study'} must be {rule}; got {shown(value)}.{meant}"


def _missing(section: type[Section], name: str, path: str) -> tuple[str, str]:
    """Name a missing key: if a whole section is missing, its first required key."""
    hint, at = hints_of(section)[name], join_path(path, name)
    inner = section_in(hint)
    if inner is not None:
        required = next((one for one, field in inner.model_fields.items() if field.is_required()), None)
        if required is not None:
            return _missing(inner, required, at)
    return at, f"{at} must be given: {type_in_words(hint)}."
