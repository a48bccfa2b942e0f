"""The smallest spec of a study, and every key of it with its type."""

from __future__ import annotations

import json
from typing import Any, Literal, get_args, get_origin

import hypothesis.strategies as st
from annotated_types import Ge, Le, MinLen

from tangermeme_creme.study.spec import StudySpec
from tangermeme_creme.support import Section, hints_of, section_in

MODEL = {"adapter": "enformer", "tracks": {"K562": 5111, "PC-3": [4824, 4825]}}
MINIMAL = {"model": MODEL, "loci": {"fasta": "hg38.fa", "tss": "genes.gtf"}}


def with_key(path: str, value: Any) -> dict[str, Any]:
    """A small study with one key changed."""
    mapping = json.loads(json.dumps(MINIMAL))
    *parents, name = path.split(".")
    table = mapping
    for parent in parents:
        table = table.setdefault(parent, {})
    table[name] = value
    if parents == ["windows"]:
        mapping["windows"].setdefault("file", "windows.fa")
    return mapping


def leaves(section: type[Section] = StudySpec, path: str = "") -> dict[str, tuple[Any, str]]:
    """The hint and the documentation of every key that is not a section."""
    keys = {}
    for name, hint in hints_of(section).items():
        at, inner = f"{path}.{name}" if path else name, section_in(hint)
        doc = section.model_fields[name].description
        keys |= {at: (hint, doc)} if inner is None else leaves(inner, at)
    return keys


def bare(hint: Any) -> tuple[Any, dict[type, Any]]:
    """A hint without what `Annotated` adds, and the limits that it adds."""
    limits = {}
    while hasattr(hint, "__metadata__"):
        limits |= {type(limit): limit for limit in hint.__metadata__}
        hint = hint.__origin__
    return hint, limits


def values(hint: Any) -> st.SearchStrategy:
    """What a hint takes, as TOML or JSON has it."""
    hint, limits = bare(hint)
    low = limits[Ge].ge if Ge in limits else None
    high = limits[Le].le if Le in limits else None
    names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(names, values(arguments[1]), max_size=3)
    if arguments:
        return st.one_of(values(member) for member in arguments)
    floats = st.floats(low, high, allow_nan=False, allow_infinity=False) | st.integers(-9 if low is None else low, 9)
    kinds = {int: st.integers(low, high), float: floats, bool: st.booleans(), type(None): st.none()}
    assert hint is not str or MinLen in limits  # no key takes an empty string
    kinds[str] = names
    json_like = st.recursive(
        st.none() | st.booleans() | st.integers() | names, lambda inner: st.lists(inner, max_size=3)
    )
    return kinds.get(hint, json_like)


LEAVES = leaves()
