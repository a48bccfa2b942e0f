"""The types of settings: what they hold, and in words."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le

from .toml import toml_key

if TYPE_CHECKING:
    from .settings import Section

ANYTHING = Any


@cache
def hints_of(section: type[Section]) -> dict[str, Any]:
    """Return the hints of the keys of a section by name, with their limits."""
    hints = get_type_hints(section, include_extras=True)
    return {name: hints[name] for name in section.model_fields}


def members_of(hint: Any) -> list[Any]:
    """Return the members of a union without None, or else the hint itself; limits stay with each."""
    if get_origin(hint) in (Union, types.UnionType):
        return [member for member in get_args(hint) if member is not type(None)]
    if get_origin(hint) is Annotated and get_origin(get_args(hint)[0]) in (Union, types.UnionType):
        return members_of(get_args(hint)[0])
    return [hint]


def plain(hint: Any) -> Any:
    """Return a hint without what `Annotated` adds.

    >>> plain(Annotated[int, Ge(1)])
    <class 'int'>
    """
    return plain(get_args(hint)[0]) if get_origin(hint) is Annotated else hint


def section_in(hint: Any) -> type[Section] | None:
    """Return the section that a hint names, optional or not."""
    for member in members_of(hint):
        if isinstance(member, type) and hasattr(member, "model_fields"):
            return member
    return None


def dict_member(hint: Any) -> Any:
    """Return the hint of the values of a table."""
    for member in map(plain, members_of(hint)):
        if get_origin(member) is dict:
            return get_args(member)[1]
    return ANYTHING


def item_hint(hint: Any) -> Any:
    """Return the hint of the items of an array."""
    for member in map(plain, members_of(hint)):
        if get_origin(member) is tuple:
            return get_args(member)[0]
    return ANYTHING


def type_in_words(hint: Any, many: bool = False) -> str:
    """Say what a type of a key takes.

    Examples
    --------
    >>> type_in_words(tuple[Annotated[int, Ge(1)], ...]), type_in_words(str | None)
    ('an array of whole numbers, 1 or more', 'a string')
    """
    kinds = members_of(hint)
    if len(kinds) > 1:
        return " or ".join(type_in_words(kind, many) for kind in kinds)
    kind = plain(kinds[0])
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        listed = ", ".join(map(repr, arguments))
        return f"strings out of {listed}" if many else f"one of {listed}" if len(arguments) > 1 else listed
    if origin is tuple:
        return f"{'arrays' if many else 'an array'} of {type_in_words(arguments[0], many=True)}"
    if origin is dict:
        return f"{'tables' if many else 'a table'} of {type_in_words(arguments[1], many=True)}"
    if kind in (int, float):
        one = "whole number" if kind is int else "number"
        return (f"{one}s" if many else f"a {one}") + _limits(kinds[0])
    words: dict[Any, tuple[str, str]] = {
        bool: ("true or false", "true or false"),
        str: ("a string", "strings"),
        ANYTHING: ("a string, a number, true, false, an array or a table of these", "values"),
    }
    return words.get(kind, ("a table", "tables"))[many]


def _limits(hint: Any) -> str:
    bounds = _annotations(hint)
    low = next((bound.ge for bound in bounds if isinstance(bound, Ge)), None)
    high = next((bound.le for bound in bounds if isinstance(bound, Le)), None)
    if low is not None and high is not None:
        return f" from {low} to {high}"
    return f", {low} or more" if low is not None else f", {high} or less" if high is not None else ""


def _annotations(hint: Any) -> list[Any]:
    if get_origin(hint) is not Annotated:
        return []
    inner, *annotations = get_args(hint)
    return [*annotations, *_annotations(inner)]


def close_to(name: Any, choices: Any) -> str:
    """Say which name may be meant: " Did you mean 'seed'?"; "" where none is close.

    `choices` are names, or a hint whose choices are the names.
    """
    names: Iterable[Any] = choices
    if not isinstance(choices, Iterable) or get_origin(choices) is not None:
        names = [
            choice
            for kind in map(plain, members_of(choices))
            if get_origin(kind) is Literal
            for choice in get_args(kind)
        ]
    close = difflib.get_close_matches(str(name), list(names), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def join_path(path: str, name: Any) -> str:
    """Add a key to a path as TOML writes it.

    >>> join_path("model", "tracks"), join_path("tracks", "PC 3")
    ('model.tracks', 'tracks."PC 3"')
    """
    quoted = toml_key(str(name))
    return f"{path}.{quoted}" if path else quoted


def shown(value: Any) -> str:
    """Show a value in no more than 80 characters."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
