"""The file of a study: what it takes, what it refuses, and what makes two studies differ."""

import json
import re
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, get_args

import hypothesis.strategies as st
import pytest
from annotated_types import Le
from hypothesis import given, settings
from pydantic import ValidationError
from spec_cases import LEAVES, MINIMAL, MODEL, values, with_key

from tangermeme_creme.analysis.fine_mapping import METHODS
from tangermeme_creme.study.spec import (
    SpecError,
    spec_differences,
    spec_from_dict,
    spec_hash,
    spec_to_dict,
    track_names,
    window_length,
)
from tangermeme_creme.study.tests import TESTS
from tangermeme_creme.support import Section, hints_of, key, parse


@st.composite
def studies(draw: st.DrawFn) -> dict[str, Any]:
    mapping = json.loads(json.dumps(MINIMAL))
    for path in draw(st.sets(st.sampled_from(sorted(LEAVES)))):
        changed = with_key(path, draw(values(LEAVES[path][0])))
        *parents, name = path.split(".")
        table, source = mapping, changed
        for parent in parents:
            table, source = table.setdefault(parent, {}), source[parent]
        table[name] = source[name]
        if parents == ["windows"]:
            table.setdefault("file", "windows.fa")
    return mapping


@given(studies())
@settings(max_examples=60, deadline=None)
def test_a_study_survives_a_file_of_json(mapping):
    spec = spec_from_dict(mapping)
    stored = json.loads(json.dumps(spec_to_dict(spec), sort_keys=True))
    again = spec_from_dict(stored)
    assert again == spec and track_names(again) == track_names(spec)
    assert spec_hash(again) == spec_hash(spec) and spec_differences(stored, spec_to_dict(spec)) == []


def test_what_is_left_out_has_its_default():
    spec = spec_from_dict(MINIMAL)
    assert (spec.seed, spec.out, spec.windows, spec.tests.include) == (0, "creme_study", None, tuple(TESTS))
    assert spec.loci.gene_type == ("protein_coding",) and spec.loci.top == 10_000 and spec.tiles.size == 5000
    assert spec.tests.fine_tile == TESTS["fine_tile"].settings() and spec.tests.fine_tile.thresholds == (0.9, 0.7)
    assert spec.context.per_category == 200 and spec.run.incremental == "auto" and spec.model.arguments == {}


def test_values_take_the_type_of_their_key():
    mapping = with_key("run", {"incremental": False, "cache_gib": 2})
    mapping["tests"] = {"fine_tile": {"scales": [100], "thresholds": [0], "prune": [1], "compare": ["random"]}}
    spec = spec_from_dict(mapping)
    assert spec.run.incremental is False and isinstance(spec.run.cache_gib, float)
    assert spec.tests.fine_tile.thresholds == (0.0,) and spec.tests.fine_tile.compare == ("random",)
    assert spec.model.tracks == {"K562": 5111, "PC-3": (4824, 4825)}
    assert spec_from_dict(with_key("loci.genes", "genes.txt")).loci.genes == "genes.txt"
    assert spec_from_dict(with_key("loci.genes", ["GATA1"])).loci.genes == ("GATA1",)


def test_tracks_of_a_table_go_by_name_and_of_an_array_as_they_are():
    assert track_names(spec_from_dict(with_key("model.tracks", {"b": 1, "a": 2}))) == ("a", "b")
    assert track_names(spec_from_dict(with_key("model.tracks", ["PC-3", "K562"]))) == ("PC-3", "K562")


@pytest.mark.parametrize(("adapter", "length"), [("enformer", 196_608), ("borzoi", 524_288)])
def test_the_length_of_the_windows(adapter, length):
    assert window_length(spec_from_dict(with_key("model.adapter", adapter))) == length
    mapping = with_key("model.length", 1280)
    mapping["model"]["adapter"] = adapter
    assert window_length(spec_from_dict(mapping)) == 1280


def test_a_study_is_frozen():
    spec = spec_from_dict(MINIMAL)
    for section, name in ((spec, "seed"), (spec.tests.necessity, "n"), (spec.model, "tracks")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(section, name, 1)


def test_compare_takes_every_method_that_needs_nothing_more():
    arguments = get_args(get_args(hints_of(TESTS["fine_tile"].settings)["compare"])[0])
    assert set(arguments) == set(METHODS) - {"search", "motifs"}


def test_every_key_has_a_line_of_documentation():
    assert all(doc.endswith(".") and "\n" not in doc for _, doc in LEAVES.values())


WRONG = [
    ("sed", 1, "sed is not a key of a study; got 'sed' at the top, which takes seed, out.* Did you mean 'seed'?"),
    (
        "tests.necesity", {"n": 1},
        "tests.necesity is not a key of a study; got 'necesity' in [tests], which takes include, swap, necessity.* "
        "Did you mean 'necessity'?",
    ),
    ("tests.swap.zzz", 1, "tests.swap.zzz is not a key of a study; got 'zzz' in [tests.swap], which takes sources."),
    ("a.b c", 1, "a is not a key of a study; got 'a' at the top"),
    ("model.a b", 1, 'model."a b" is not a key of a study; got \'a b\' in [model]'),
    ("tests.necessity.n", "ten", "tests.necessity.n must be a whole number, 1 or more; got 'ten'."),
    ("tests.necessity.n", 0, "tests.necessity.n must be a whole number, 1 or more; got 0."),
    ("tests.necessity.n", True, "tests.necessity.n must be a whole number, 1 or more; got True."),
    ("tests.necessity.n", 10.0, "tests.necessity.n must be a whole number, 1 or more; got 10.0."),
    ("tests.necessity.n", None, "tests.necessity.n must be a whole number, 1 or more; got None."),
    ("tests.necessity", 10, "tests.necessity must be a table; got 10."),
    ("tests.interactions.tiles", 1, "tests.interactions.tiles must be a whole number, 2 or more; got 1."),
    ("seed", -1, "seed must be a whole number from 0 to 4294967295; got -1."),
    ("seed", 2**32, "seed must be a whole number from 0 to 4294967295; got 4294967296."),
    ("run.cache_gib", True, "run.cache_gib must be a number, 0 or more; got True."),
    ("run.cache_gib", float("nan"), "run.cache_gib must be a number, 0 or more; got nan."),
    ("context.neutral", float("inf"), "context.neutral must be a number; got inf."),
    ("context.neutral", 10**400, "context.neutral must be a number; got 1000.*..."),
    ("output.raw", 1, "output.raw must be true or false; got 1."),
    ("run.incremental", "no", "run.incremental must be true or false or 'auto'; got 'no'."),
    ("out", 3, "out must be a string; got 3."),
    ("out", "", "out must be a string that is not empty; got ''."),
    ("model.adapter", "enfomer", "model.adapter must be one of 'function', 'enformer', 'borzoi'; got 'enfomer'. "
     "Did you mean 'enformer'?"),
    ("model.tracks", 5111, "model.tracks must be an array of strings or a table of whole numbers, 0 or more or "
     "arrays of whole numbers, 0 or more; got 5111."),
    ("model.tracks", ["a", "b", 3], "model.tracks[2] must be a string; got 3."),
    ("model.tracks", {"PC-3": "x"}, "model.tracks.PC-3 must be a whole number, 0 or more or an array of whole "
     "numbers, 0 or more; got 'x'."),
    ("model.tracks", {"a b": [1, -1]}, 'model.tracks."a b"[1] must be a whole number, 0 or more; got -1.'),
    ("model.tracks", {"": 1}, "a key of model.tracks must be a string that is not empty; got ''."),
    ("model.arguments", {"when": Path("x")}, "model.arguments.when must be a string, a number, true, false, an array "
     "or a table of these; got .*Path('x')."),
    ("model.arguments", {"bins": [[1, float("nan")]]}, "model.arguments.bins[0][1] must be a string, .* got nan."),
    ("tests.include", "swap", "tests.include must be an array of strings out of 'swap', .*; got 'swap'."),
    ("tests.include", ["swp"], "tests.include[0] must be one of 'swap', .*; got 'swp'. Did you mean 'swap'?"),
    ("tests.higher_order.directions", ["min", "up"], "tests.higher_order.directions[1] must be one of 'min', 'max'; "
     "got 'up'."),
    ("tests.fine_tile.compare", ["motifs"], "tests.fine_tile.compare[0] must be one of 'saliency', .*; got 'motifs'."),
    ("tests.fine_tile.thresholds", [0.9, "x"], "tests.fine_tile.thresholds[1] must be a number; got 'x'."),
    ("annotation.bed", {"cCRE": 1}, "annotation.bed.cCRE must be a string; got 1."),
    ("loci", [1], "loci must be a table; got [1]."),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "message"), WRONG)
def test_what_is_wrong_is_refused_by_its_path(path, value, message):
    with pytest.raises(SpecError, match="^" + re.escape(message).replace(r"\.\*", ".*")):
        spec_from_dict(with_key(path, value))


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({}, r"model\.adapter must be given: one of 'function', 'enformer', 'borzoi'\."),
        ({"model": {}}, r"model\.adapter must be given: one of 'function', 'enformer', 'borzoi'\."),
        ({"model": {"adapter": "enformer"}}, r"model\.tracks must be given: an array of strings or a table of"),
        ({"model": MODEL, "loci": {"fasta": "a.fa"}}, r"loci\.tss must be given: a string\."),
        ({"model": MODEL, "windows": {}}, r"windows\.file must be given: a string\."),
        ([], r"a study must be a table; got \[\]\."),
    ],
)
def test_what_is_missing_is_named(mapping, message):
    with pytest.raises(SpecError, match=message):
        spec_from_dict(mapping)


def test_a_key_may_have_an_upper_limit_alone():
    class Share(Section):
        share: Annotated[float, Le(1)] = key(1.0, doc="A share.")

    assert parse(Share, {"share": 1}) == Share()
    with pytest.raises(SpecError, match=r"^share must be a number, 1 or less; got 2\.$"):
        parse(Share, {"share": 2})


def test_all_wrong_keys_are_named_at_once():
    mapping = with_key("tests.necessity.n", 0) | {"sed": 1, "loci": {"fasta": "a.fa"}}
    with pytest.raises(SpecError) as caught:
        spec_from_dict(mapping)
    first, *lines = str(caught.value).split("\n  ")
    assert first == "3 problems:" and [line.split()[0] for line in lines] == [
        "loci.tss",
        "tests.necessity.n",
        "sed",
    ]


def test_a_key_and_a_member_of_a_union_may_have_one_name():
    spec = spec_from_dict(with_key("model.tracks", {"int": [1, 2], "tuple": 3}))
    assert spec.model.tracks == {"int": (1, 2), "tuple": 3}
    with pytest.raises(SpecError, match=r"^model\.tracks\.int must be a whole number.*; got 'x'\.$"):
        spec_from_dict(with_key("model.tracks", {"int": "x"}))


def test_a_copy_with_other_values_is_checked():
    spec = spec_from_dict(MINIMAL)
    run = spec.run.model_copy(update={"threads": 2})
    assert spec.model_copy(update={"run": run, "out": "elsewhere"}).run.threads == 2 and spec.run.threads is None
    with pytest.raises(SpecError, match=r"sede is not a key of a study; .* Did you mean 'seed'\?"):
        spec.model_copy(update={"sede": 3})
    with pytest.raises(SpecError, match="seed must be a whole number from 0 to 4294967295; got 'x'"):
        spec.model_copy(update={"seed": "x"})


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("model.tracks", {1: 2, "1": 3}, "a key of model.tracks must be a string that is not empty; got 1."),
        ("model.arguments", {"x": {"": 1}}, "a key of model.arguments.x must be a string that is not empty; got ''."),
        ("model.arguments", {("a", "b"): 1}, "a key of model.arguments must be a string that is not empty; got ('a',"),
        ("out", "caf\udce9", "out must be text that UTF-8 can hold; got 'caf\\udce9'."),
    ],
)
def test_what_json_cannot_hold_is_refused_by_its_path(path, value, message):
    mapping = json.loads(json.dumps(MINIMAL))
    *parents, name = path.split(".")
    (mapping[parents[0]] if parents else mapping)[name] = value
    with pytest.raises(SpecError, match="(?m)^ *" + re.escape(message)):
        spec_from_dict(mapping)


def test_arrays_that_are_nested_too_deeply_are_refused():
    deep = []
    for _ in range(300):
        deep = [deep]
    with pytest.raises(SpecError, match="a study must be readable as JSON; got recursion limit exceeded"):
        spec_from_dict(with_key("model.arguments", {"x": deep}))


def test_any_mapping_is_taken():
    frozen = MappingProxyType({name: MappingProxyType(section) for name, section in MINIMAL.items()})
    assert spec_from_dict(frozen) == spec_from_dict(MINIMAL)
