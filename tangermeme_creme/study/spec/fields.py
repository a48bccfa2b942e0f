"""From the tables of a TOML or JSON file to frozen dataclasses, whose type hints say what each key takes."""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import re
import types
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class SpecError(ValueError):
    """A key of a study that is unknown, missing or impossible; the message names the key, the rule and the value."""


def key(default: Any = dataclasses.MISSING, *, doc: str, **metadata: Any) -> Any:
    """A field of a section: its default, a line of documentation, and limits.

    Parameters
    ----------
    default: optional
        A dataclass, `dict` or another class is called for each. Without, the key must be given.

    doc: str
        What the key is for: its comment in the template.

    **metadata: optional
        `minimum` and `maximum` of every number in the value, `choices` of every string, and what else a reader of the
        fields asks for.
    """
    metadata["doc"] = doc
    if isinstance(default, type):
        return dataclasses.field(default_factory=default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def parse(cls: type[T], mapping: Any, path: str = "") -> T:
    """A table as a dataclass; the first key that is wrong is refused.

    Type hints may be bool, int, float, str, Any, Literal, dataclasses, ``tuple[T, ...]``, ``dict[str, T]`` and unions
    of these that a TOML type tells apart. An int is taken for a float, a bool for neither. Tables of ``dict[str, T]``
    have no order in TOML: they come sorted. None, which JSON has and TOML lacks, is taken where it is a default.

    Parameters
    ----------
    cls: type
        A dataclass, with fields from `key`.

    mapping: mapping

    path: str, optional
        The name of the table, as in "tests.necessity". Default is "", the top.

    Returns
    -------
    section: cls

    Raises
    ------
    SpecError
        If a key is unknown, missing, or of another type or value than its field says.

    Examples
    --------
    >>> @dataclasses.dataclass(frozen=True)
    ... class Section:
    ...     n: int = key(10, doc="Shuffles.", minimum=1)
    >>> parse(Section, {"n": 20})
    Section(n=20)
    >>> parse(Section, {"n": "ten"}, "tests")
    Traceback (most recent call last):
    ...
    tangermeme_creme.study.spec.fields.SpecError: tests.n must be a whole number, 1 or more; got 'ten'.
    """
    if not isinstance(mapping, Mapping):
        raise SpecError(f"{path or 'a study'} must be a table; got {_shown(mapping)}.")
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for name in mapping:
        if name not in fields:
            where = f"in [{path}], which" if path else "at the top, which"
            raise SpecError(
                f"{_join(path, name)} is not a key of a study; got {name!r} {where} takes {', '.join(fields)}."
                f"{_meant(name, fields)}"
            )
    hints, values = get_type_hints(cls), {}
    for name, field in fields.items():
        at, hint = _join(path, name), hints[name]
        if name in mapping:
            values[name] = _value(hint, mapping[name], at, field.metadata)
        elif field.default is field.default_factory is dataclasses.MISSING:
            if isinstance(hint, type) and dataclasses.is_dataclass(hint):
                parse(hint, {}, at)  # names a key that the table lacks, which says more
            raise SpecError(f"{at} must be given: {describe(hint, field.metadata)}.")
    return cls(**values)


def describe(hint: Any, metadata: Mapping[str, Any] | None = None, many: bool = False) -> str:
    """What a type hint takes, in words.

    Examples
    --------
    >>> describe(tuple[int, ...], {"minimum": 1}), describe(str | None)
    ('an array of whole numbers, 1 or more', 'a string')
    """
    metadata = metadata or {}
    kinds = _members(hint)
    if len(kinds) > 1:
        return " or ".join(describe(kind, metadata, many) for kind in kinds)
    hint, origin, arguments = kinds[0], get_origin(kinds[0]), get_args(kinds[0])
    choices = arguments if origin is Literal else metadata.get("choices") if hint is str else None
    if choices:
        listed = ", ".join(map(repr, choices))
        return f"strings out of {listed}" if many else f"one of {listed}" if len(choices) > 1 else listed
    if origin is tuple:
        return f"{'arrays' if many else 'an array'} of {describe(arguments[0], metadata, many=True)}"
    if origin is dict:
        return f"{'tables' if many else 'a table'} of {describe(arguments[1], metadata, many=True)}"
    if hint in (int, float):
        return ("whole number" if many else "a whole number", "number" if many else "a number")[hint is float] + (
            ("s" if many else "") + _bounds(metadata)
        )
    one, several = {
        bool: ("true or false", "true or false"),
        str: ("a string", "strings"),
        Any: ("a string, a number, true, false, an array or a table of these", "values"),
    }.get(hint, ("a table", "tables"))
    return several if many else one


def _value(hint: Any, value: Any, path: str, metadata: Mapping[str, Any]) -> Any:
    if value is None and type(None) in get_args(hint):
        return None
    for kind in _members(hint):
        origin, arguments = get_origin(kind), get_args(kind)
        if kind is Any:
            return _json_like(value, path)
        if dataclasses.is_dataclass(kind) and isinstance(kind, type) and isinstance(value, Mapping):
            return parse(kind, value, path)
        if origin is dict and isinstance(value, Mapping):
            return {
                name: _value(arguments[1], value[name], _join(path, name), metadata)
                for name in sorted(value, key=lambda name: _string(name, f"a key of {path}"))
            }
        if origin is tuple and isinstance(value, (list, tuple)):
            return tuple(_value(arguments[0], item, f"{path}[{i}]", metadata) for i, item in enumerate(value))
        if origin is Literal and isinstance(value, str) and value in arguments:
            return value
        if kind is str and isinstance(value, str) and value in (metadata.get("choices") or (value,)):
            return _string(value, path)
        if kind is bool and isinstance(value, bool):
            return value
        if kind in (int, float) and isinstance(value, (int, kind)) and not isinstance(value, bool):
            number = _number(kind, value)
            if number is not None and _inside(number, metadata):
                return number
    choices = [choice for kind in _members(hint) if get_origin(kind) is Literal for choice in get_args(kind)]
    meant = _meant(value, choices or metadata.get("choices") or ()) if isinstance(value, str) else ""
    raise SpecError(f"{path} must be {describe(hint, metadata)}; got {_shown(value)}.{meant}")


def _members(hint: Any) -> list[Any]:
    """What a union is of, without None; else the hint itself."""
    if get_origin(hint) in (Union, types.UnionType):
        return [member for member in get_args(hint) if member is not type(None)]
    return [hint]


def _number(kind: type, value: int | float) -> int | float | None:
    if kind is int:
        return value
    try:
        number = float(value) + 0.0  # -0.0 is 0.0, so that it is written in one way
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _inside(number: float, metadata: Mapping[str, Any]) -> bool:
    low, high = metadata.get("minimum"), metadata.get("maximum")
    return (low is None or number >= low) and (high is None or number <= high)


def _bounds(metadata: Mapping[str, Any]) -> str:
    low, high = metadata.get("minimum"), metadata.get("maximum")
    if low is not None and high is not None:
        return f" from {low} to {high}"
    return f", {low} or more" if low is not None else f", {high} or less" if high is not None else ""


def _string(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value:
        raise SpecError(f"{path} must be a string that is not empty; got {value!r}.")
    return value


def _json_like(value: Any, path: str) -> Any:
    """A value that JSON can hold, as it is but for tuples, which become lists."""
    if isinstance(value, Mapping):
        names = [_string(name, f"a key of {path}") for name in value]
        return {name: _json_like(value[name], _join(path, name)) for name in names}
    if isinstance(value, (list, tuple)):
        return [_json_like(item, f"{path}[{i}]") for i, item in enumerate(value)]
    if value is None or isinstance(value, (bool, int, str)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise SpecError(f"{path} must be {describe(Any)}; got {_shown(value)}.")


def _join(path: str, name: Any) -> str:
    quoted = name if isinstance(name, str) and _BARE.fullmatch(name) else json.dumps(str(name), ensure_ascii=False)
    return f"{path}.{quoted}" if path else quoted


def _meant(name: Any, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(str(name), list(names), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
