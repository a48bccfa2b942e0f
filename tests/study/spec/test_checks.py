"""Keys of a study that do not go together."""

import copy
import re

import pytest

from tangermeme_creme.study.spec import SpecError, check_spec, spec_from_dict
from tangermeme_creme.study.tests import TESTS

ENFORMER = {
    "model": {"adapter": "enformer", "tracks": {"K562": 5111, "PC-3": [4824, 4825]}},
    "loci": {"fasta": "hg38.fa", "tss": "genes.gtf"},
}
BORZOI = {**ENFORMER, "model": {"adapter": "borzoi", "tracks": ["K562"], "weights": "weights"}}
OWN = {
    **ENFORMER,
    "model": {"adapter": "function", "function": "a.b:load", "tracks": ["one", "two"], "length": 100_000},
}


def changed(base, changes):
    """A study with some keys changed, or taken out where they are None."""
    mapping = copy.deepcopy(base)
    for path, value in changes.items():
        *parents, name = path.split(".")
        table = mapping
        for parent in parents:
            table = table.setdefault(parent, {})
        if value is None:
            table.pop(name)
        else:
            table[name] = value
    return spec_from_dict(mapping)


WINDOWS = {"loci": None, "windows.file": "data/w.fa"}


@pytest.mark.parametrize(
    ("base", "changes"),
    [
        (ENFORMER, {}),
        (BORZOI, {}),
        (OWN, {}),
        (OWN, {"tiles.center": 2500, "model.args": ["age", ["utr5", "utr3"]]}),
        (OWN, {"tiles.center": 97_500, "model.allow_stochastic": True}),
        (ENFORMER, {"model.weights": "weights", "model.tracks": ["K562", "GM12878"]}),
        (BORZOI, {"model.weights": ["a", "b"], "model.tracks": {"K562": [872, 873]}, "model.length": 262_144}),
        (ENFORMER, WINDOWS),
        (ENFORMER, {**WINDOWS, "windows.loci": "w.tsv", "annotation.bed": {"a": "a.bed"}}),
        (ENFORMER, {"annotation.repeats": "rmsk.txt", "loci.top": 0}),
        (ENFORMER, {"loci.max_offset": 500, "model.activity": "a:peak"}),
        (ENFORMER, {"tests.include": []}),
        (ENFORMER, {"tests.include": ["necessity", "interactions"], "tests.interactions.tracks": ["PC-3"]}),
        (
            OWN,
            {"model.length": 15_000, "tests.include": ["multiplicity", "sufficiency"], "tests.multiplicity.copies": 2},
        ),
        (OWN, {"model.length": 15_000, "tests.include": ["higher_order"], "tests.higher_order.rounds": 2}),
        (ENFORMER, {"tests.fine_tile.score": "activity", "cres.silencer_contexts": []}),
        (ENFORMER, {"tests.fine_tile.score": "activity", "tests.include": ["swap"]}),
        (ENFORMER, {"context.preset": "borzoi", "context.enhancing": 0.8}),
    ],
)  # fmt: skip
def test_what_goes_together(base, changes):
    check_spec(changed(base, changes))


FINE = "tests.fine_tile."
REFUSED = [
    (ENFORMER, {"loci": None}, "loci or windows must be given; got neither."),
    (ENFORMER, {"windows.file": "w.fa"}, "loci must not be given with windows."),
    # The model
    (OWN, {"model.function": None}, 'model.function must be given for adapter "function": "package.module:function".'),
    (OWN, {"model.function": "a.b.load"}, 'model.function must be like "package.module:function"; got \'a.b.load\'.'),
    (OWN, {"model.function": "a/b.py:f"}, 'model.function must be like "package.module:function"; got \'a/b.py:f\'.'),
    (OWN, {"model.function": "a.b:"}, 'model.function must be like "package.module:function"; got \'a.b:\'.'),
    (OWN, {"model.weights": "w"}, "model.weights must be left out for adapter \"function\"; got 'w'"),
    (OWN, {"model.length": None}, 'model.length must be given for adapter "function": a whole number, 1 or more.'),
    (OWN, {"model.tracks": {"a": 1}}, "model.tracks must be an array of names for adapter \"function\"; got {'a': 1}."),
    (ENFORMER, {"model.args": ["age"]}, "model.args must be left out but for adapter \"function\"; got ('age',)."),
    (OWN, {"model.args": ["age", []]}, "model.args[1] must name at least one column; got none."),
    (OWN, {**WINDOWS, "model.args": ["age"]}, "model.args must come with windows.loci, a table with these columns; got "
     "['age'] with w.fa alone."),
    (ENFORMER, {"model.function": "a:b"}, "model.function must be left out but for adapter \"function\"; got 'a:b'."),
    (ENFORMER, {"model.activity": "peak"}, 'model.activity must be like "package.module:function"; got \'peak\'.'),
    (ENFORMER, {"model.weights": ["a", "b"]}, "model.weights must be one folder or name for adapter \"enformer\"; got"),
    (ENFORMER, {"model.length": 1000}, 'model.length must be a multiple of 128 bp for adapter "enformer"; got 1000.'),
    (ENFORMER, {"model.arguments": {"tracks": [1]}}, "model.arguments must not have 'tracks', which is a key of"),
    (BORZOI, {"model.arguments": {"length": 1}}, "model.arguments must not have 'length', which is a key of"),
    (BORZOI, {"model.weights": None}, 'model.weights must be given for adapter "borzoi": a folder or a name'),
    (BORZOI, {"model.weights": []}, 'model.weights must be given for adapter "borzoi": a folder or a name'),
    # Tracks
    (OWN, {"model.tracks": []}, "model.tracks must name at least one; got none."),
    (ENFORMER, {"model.tracks": {}}, "model.tracks must name at least one; got none."),
    (ENFORMER, {"model.tracks": {"K562": []}}, "model.tracks.K562 must be at least one number; got none."),
    (OWN, {"model.tracks": ["a", "b", "a"]}, "model.tracks[2] must be named once; got 'a' again."),
    (ENFORMER, {"model.tracks": ["K562", "HepG2"]}, "model.tracks[1] must be of PC-3, GM12878, K562, or a table"),
    (BORZOI, {"model.tracks": ["HepG2"]}, "model.tracks[0] must be of PC-3, GM12878, K562, or a table of names"),
    *(
        (ENFORMER, {f"tests.{test}.tracks": ["K562", "k562"]}, f"tests.{test}.tracks[1] must be of model.tracks: K562, "
         "PC-3; got 'k562'.")
        for test in ("multiplicity", "higher_order", "interactions", "fine_tile")
    ),
    (ENFORMER, {"tests.fine_tile.tracks": ["K562", "K562"]}, "tests.fine_tile.tracks[1] must be named once; got"),
    # Loci and annotations
    (ENFORMER, {"loci.max_offset": 500}, "loci.max_offset must come with model.activity, which gives the offset; got"),
    (ENFORMER, {"loci.min_activity": 2, "loci.top": 0}, "loci.min_activity must come with a loci.top of 1 or more"),
    (ENFORMER, {"loci.max_offset": 2, "loci.top": 0, "model.activity": "a:b"}, "loci.max_offset must come with a loci"),
    (ENFORMER, {**WINDOWS, "annotation.bigwig": {"a": "a.bw"}}, "annotation.bigwig must come with coordinates, from "
     "loci or windows.loci; got {'a': 'a.bw'} with w.fa alone."),
    (ENFORMER, {**WINDOWS, "annotation.bed": {"a": "a.bed"}}, "annotation.bed must come with coordinates"),
    (ENFORMER, {**WINDOWS, "annotation.gene_lists": {"a": "a"}}, "annotation.gene_lists must come with coordinates"),
    (ENFORMER, {**WINDOWS, "annotation.repeats": "r.out"}, "annotation.repeats must come with coordinates"),
    # Thresholds
    (ENFORMER, {"context.enhancing": 0.01}, "[context] thresholds must keep silencing <= -neutral <= 0 <= neutral <= "
     "enhancing; got enhancing=0.01, neutral=0.05, silencing=-0.3."),
    (ENFORMER, {"context.preset": "borzoi", "context.neutral": 0.25}, "[context] thresholds must keep .*; got "
     "enhancing=0.9, neutral=0.25, silencing=-0.2."),
    (ENFORMER, {"context.neutral": -0.1}, "[context] thresholds must keep .* neutral=-0.1"),
    (ENFORMER, {"cres.enhancer_contexts": ["neutral", "loud"]}, "cres.enhancer_contexts[1] must be of enhancing, "
     "neutral, silencing, other; got 'loud'."),
    (ENFORMER, {"cres.silencer_contexts": ["other", "other"]}, "cres.silencer_contexts[1] must be named once; got"),
    # Tests
    *(
        (ENFORMER, {"tests.include": [name for name in TESTS if name != needed]}, f"tests.include must have "
         f"'{needed}', which '{first}' needs; got ['swap',")
        for first, needed in (("distance", "sufficiency"), ("set_sufficiency", "higher_order"),
                              ("interactions", "necessity"))
    ),
    *(
        (ENFORMER, {"tests.include": [name]}, f"tests.include must have 'sufficiency', which '{name}' needs; got ['")
        for name in ("multiplicity", "fine_tile")
    ),
    (ENFORMER, {"tests.include": ["swap", "swap"]}, "tests.include[1] must be named once; got 'swap' again."),
    (ENFORMER, {"tests.higher_order.directions": []}, "tests.higher_order.directions must name at least one of "),
    (ENFORMER, {"tests.higher_order.directions": ["max", "max"]}, "tests.higher_order.directions[1] must be named"),
    (ENFORMER, {FINE + "compare": ["random", "random"]}, "tests.fine_tile.compare[1] must be named once; got 'random'"),
    (ENFORMER, {FINE + "scales": [500]}, "tests.fine_tile.scales, thresholds and prune must have one entry per stage; "
     "got 1, 2 and 2."),
    (ENFORMER, {FINE + "scales": [500, 0]}, "tests.fine_tile.scales must be at least 1 bp; got 0 at index 1."),
    (ENFORMER, {FINE + "prune": [0, 1]}, "tests.fine_tile.prune must be at least 1; got 0 at index 0."),
    (ENFORMER, {FINE + "thresholds": [1.1, 0.5]}, "tests.fine_tile.thresholds must be below 1, .*; got 1.1 at index 0"),
    (ENFORMER, {FINE + "score": "activity"}, "tests.fine_tile.score must be 'effect' or left out where silencers are "
     "called, in contexts silencing; got 'activity'."),
    (ENFORMER, {FINE + "score": "activity", "cres.preset": "borzoi"}, ".* in contexts silencing, neutral; got"),
    # Sizes
    (ENFORMER, {"tiles.size": 150_000}, "tiles.size must leave room for a tile beside the one on the TSS in a window "
     "of 196608 bp; got 150000."),
    (OWN, {"tiles.size": 200_000}, "tiles.size must leave room for a tile beside the one on the TSS in a window of "
     "100000 bp; got 200000."),
    (OWN, {"tiles.center": 2499}, "tiles.center must leave the tile on the TSS in the window, from 2500 to 97500; got "
     "2499."),
    (OWN, {"tiles.center": 97_501}, "tiles.center must leave the tile on the TSS in the window, from 2500 to 97500; "
     "got 97501."),
    (OWN, {"tiles.center": 50_001, "tests.multiplicity.copies": 19}, "tests.multiplicity.copies must be at most 18"),
    (OWN, {"tests.multiplicity.copies": 19}, "tests.multiplicity.copies must be at most 18, the context tiles of 5000 "
     "bp in a window of 100000 bp; got 19."),
    (ENFORMER, {"tests.higher_order.rounds": 39}, "tests.higher_order.rounds must be at most 38, the context tiles of"),
]  # fmt: skip


@pytest.mark.parametrize(("base", "changes", "message"), REFUSED)
def test_what_does_not_go_together_is_refused(base, changes, message):
    spec = changed(base, changes)
    with pytest.raises(SpecError, match="(?m)^ *" + re.escape(message).replace(r"\.\*", ".*")):
        check_spec(spec)
