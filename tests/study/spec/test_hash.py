"""What makes two studies differ, and what does not."""

from typing import Any, Literal, get_args, get_origin

import pytest
from spec_cases import LEAVES, MINIMAL, MODEL, with_key

from tangermeme_creme.study.spec import (
    SpecError,
    StudySpec,
    spec_differences,
    spec_from_dict,
    spec_hash,
    spec_to_dict,
)


def other(path: str) -> Any:
    """A value of a key that is not its default."""
    hint, default = LEAVES[path][0], parse_default(path)
    candidates = [1, 2, 3.5, "x", True, False, ["x"], [3], {"x": "y"}]
    for member in (hint, *get_args(hint), *(inner for arg in get_args(hint) for inner in get_args(arg))):
        if get_origin(member) is Literal:
            candidates += [*get_args(member), [get_args(member)[0]]]
    for value in candidates:
        try:
            spec = spec_from_dict(with_key(path, value))
        except SpecError:
            continue
        if get(spec, path) != default:
            return value
    raise AssertionError(path)


def get(spec: StudySpec, path: str) -> Any:
    for name in path.split("."):
        spec = getattr(spec, name, None)
    return spec


def parse_default(path: str) -> Any:
    return get(spec_from_dict(MINIMAL), path)


@pytest.mark.parametrize("path", sorted(LEAVES))
def test_the_hash_is_of_every_key_that_can_change_a_table(path):
    one, changed = spec_from_dict(MINIMAL), spec_from_dict(with_key(path, other(path)))
    # Which file, of those that are always given, is for the hashes of the inputs to tell.
    counts = path not in ("out", "loci.fasta", "loci.tss") and not path.startswith(("run.", "annotation."))
    assert (spec_hash(one) != spec_hash(changed)) == counts
    differences = spec_differences(spec_to_dict(one), spec_to_dict(changed))
    named = path if not path.startswith("windows.") else "windows"
    assert len(differences) >= counts and all(line.startswith(named) for line in differences)


def test_the_hash_is_not_of_where_files_lie():
    one, moved, without = (
        {"model": MODEL, "windows": windows}
        for windows in ({"file": "a.fa", "loci": "a.tsv"}, {"file": "b.fa", "loci": "c/b.tsv"}, {"file": "a.fa"})
    )
    assert spec_hash(spec_from_dict(one)) == spec_hash(spec_from_dict(moved))
    assert spec_hash(spec_from_dict(one)) != spec_hash(spec_from_dict(without))


def test_the_hash_is_not_of_the_order_of_the_file_nor_of_how_numbers_are_written():
    mapping = with_key("context.neutral", 0)
    shuffled = {name: mapping[name] for name in reversed(mapping)}
    shuffled["context"] = {"neutral": -0.0}
    shuffled["model"] = {**MODEL, "tracks": dict(reversed(MODEL["tracks"].items()))}
    assert spec_hash(spec_from_dict(mapping)) == spec_hash(spec_from_dict(shuffled))


def test_differences_name_the_key_and_both_values():
    mapping = with_key("tests.necessity.n", 20)
    mapping |= {"out": "elsewhere", "run": {"batch_size": 1}, "seed": 7}
    mapping["model"]["tracks"] = {"K562": 1, "GM": 2}
    mapping["loci"]["min_activity"] = 1
    old, new = spec_to_dict(spec_from_dict(MINIMAL)), spec_to_dict(spec_from_dict(mapping))
    assert spec_differences(old, new) == [
        "seed: 0 -> 7",
        "model.tracks.GM: nothing -> 2",
        "model.tracks.K562: 5111 -> 1",
        "model.tracks.PC-3: [4824, 4825] -> nothing",
        "loci.min_activity: nothing -> 1.0",
        "tests.necessity.n: 10 -> 20",
    ]
    assert spec_differences(old, old) == []
    assert spec_differences({"a": True, "b": None}, {"a": 1}) == ["a: true -> 1"]
