"""Test simulated sequences: planted elements, refused elements, and expected activities."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch
from motif_text import motifs_in, motifs_of, reverse_complement, text_of
from tangermeme.ersatz import dinucleotide_shuffle

import tangermeme_creme.models.toy.simulate as simulate
from tangermeme_creme.models.toy import (
    MOTIFS,
    Element,
    expected_activity,
    motif_starts,
    moved,
    simulate_sequence,
    within,
    without,
)

LENGTH, TILE = 8192, 1000
ELEMENTS = [
    Element("promoter", 4096),
    Element("enhancer", 600, copies=6),
    Element("silencer", 7000, copies=3),
]


def test_simulate_sequence_is_one_hot_and_holds_exactly_what_was_planted() -> None:
    X = simulate_sequence(LENGTH, ELEMENTS, random_state=0)
    assert (X.shape, X.dtype) == ((1, 4, LENGTH), torch.int8)
    assert (X.sum(dim=1) == 1).all()
    assert motifs_in(text_of(X[0])) == motifs_of(ELEMENTS)
    assert motifs_in(reverse_complement(text_of(X[0]))) == set()


def test_simulate_sequence_has_no_cg_outside_its_motifs() -> None:
    text = text_of(simulate_sequence(LENGTH, ELEMENTS, random_state=0)[0])
    inside = {start + i for _, start in motifs_of(ELEMENTS) for i in range(15)}
    assert {m.start() for m in re.finditer("CG", text)} <= inside
    assert "CG" not in text_of(simulate_sequence(LENGTH, [], random_state=0)[0])
    assert all(text.count(base) > LENGTH / 6 for base in "ACGT")


def test_simulate_sequence_depends_on_the_seed_alone() -> None:
    X = simulate_sequence(LENGTH, ELEMENTS, random_state=5)
    assert torch.equal(X, simulate_sequence(LENGTH, ELEMENTS, random_state=5))
    assert torch.equal(X, simulate_sequence(LENGTH, ELEMENTS, random_state=np.random.default_rng(5)))
    assert not torch.equal(X, simulate_sequence(LENGTH, ELEMENTS, random_state=6))


def test_simulate_sequence_plants_at_both_ends_and_side_by_side() -> None:
    kinds = list(MOTIFS)
    elements = [Element(a, 32 * (5 * i + j)) for i, a in enumerate(kinds) for j in range(5)]
    elements += [Element(b, 32 * (5 * i + j) + 16) for i in range(5) for j, b in enumerate(kinds)]
    X = simulate_sequence(32 * 25, elements, random_state=0)
    assert motifs_in(text_of(X[0])) == motifs_of(elements)


def test_simulate_sequence_redraws_a_background_that_holds_a_motif(monkeypatch: pytest.MonkeyPatch) -> None:
    real, backgrounds = simulate._background, []

    def background(length: int, rng: np.random.Generator) -> str:
        text = real(length, rng)
        accident = [MOTIFS["silencer"], reverse_complement(MOTIFS["enhancer"]), ""][len(backgrounds)]
        backgrounds.append(text)
        return text[: length - 100] + accident + text[length - 100 + len(accident) :]

    monkeypatch.setattr(simulate, "_background", background)
    X = simulate_sequence(LENGTH, ELEMENTS[:2], random_state=0)
    assert len(backgrounds) == 3
    assert motifs_in(text_of(X[0])) == motifs_of(ELEMENTS[:2])


def test_dinucleotide_shuffles_hold_no_motif() -> None:
    X = simulate_sequence(LENGTH, ELEMENTS, random_state=0)
    window = dinucleotide_shuffle(X, n=50, random_state=0, allow_N=True)[0]
    tile = dinucleotide_shuffle(X[:, :, 500:1000], n=50, random_state=0, allow_N=True)[0]
    for shuffled in [*window, *tile]:
        text = text_of(shuffled)
        assert motifs_in(text) | motifs_in(reverse_complement(text)) == set()


@pytest.mark.parametrize(
    ("elements", "match"),
    [
        ([Element("promotor", 0)], r"needs a kind .*; got element 0, Element\(kind='promotor', start=0"),
        ([ELEMENTS[0], Element("enhancer", 0, 0)], r"at least one copy; got element 1, .*copies=0"),
        ([Element("enhancer", -1)], r"must lie in the 8192 bp sequence; got element 0, .*start=-1"),
        (
            [Element("enhancer", LENGTH - 15)],
            r"must lie in the 8192 bp sequence; got element 0, .*start=8177",
        ),
        ([Element("enhancer", LENGTH - 39, 2)], r"got element 0, .*start=8153, copies=2"),
        (
            [Element("enhancer", 9, 2), Element("silencer", 48)],
            r"not overlap; got element 1, .*, over .*start=9",
        ),
    ],
)
def test_bad_elements_are_refused_by_name(elements: list[Element], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        simulate_sequence(LENGTH, elements, random_state=0)
    with pytest.raises(ValueError, match=match):
        expected_activity(elements, length=LENGTH)


def test_element_ends_after_its_last_motif() -> None:
    for copies in (1, 2, 6):
        element = Element("enhancer", 40, copies)
        assert len(motif_starts(element)) == copies
        assert element.end == motif_starts(element)[-1] + 16
        assert moved(element, 7).end == element.end + 7


def test_within_and_without_part_the_elements() -> None:
    assert within(ELEMENTS, [(0, LENGTH)]) == without(ELEMENTS, []) == ELEMENTS
    assert within(ELEMENTS, []) == without(ELEMENTS, [(0, LENGTH)]) == []
    spans = [(4096, 4112), (600, 640), (7024, 7500)]
    inside, outside = motifs_of(within(ELEMENTS, spans)), motifs_of(without(ELEMENTS, spans))
    assert inside == {
        ("promoter", 4096),
        *(("enhancer", s) for s in (600, 624)),
        ("silencer", 7024),
        ("silencer", 7048),
    }
    assert outside == motifs_of(ELEMENTS) - inside


@pytest.mark.parametrize("split", [within, without])
@pytest.mark.parametrize(
    ("spans", "match"),
    [
        (
            [(0, 50), (4100, 5000)],
            r"not cut a motif; got span 1, \(4100, 5000\), and the motif at 4096 of Element",
        ),
        ([(0, 625)], r"got span 0, \(0, 625\), and the motif at 624"),
        ([(4097, 4111)], r"got span 0, \(4097, 4111\)"),
        ([(0, 9), (9, 9)], r"must not be empty or negative; got span 1, \(9, 9\)"),
        ([(-5, 9)], r"got span 0, \(-5, 9\)"),
    ],
)
def test_within_and_without_refuse_bad_spans(split, spans: list[tuple[int, int]], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        split(ELEMENTS, spans)


def test_expected_activity_equals_hand_worked_numbers() -> None:
    elements = [Element("promoter", 512), Element("enhancer", 0), Element("enhancer_a", 1023 - 16)]
    up, down = math.exp(-512 / 10_000), math.exp(-384 / 20_000)  # bins 0, 4 (the TSS) and 7
    a, b = up + down, up
    additive = expected_activity(elements, length=1024)
    log_link = expected_activity(elements, length=1024, response="multiplicative", basal=2)
    saturating = expected_activity(elements, length=1024, response="saturating", basal=1, ceiling=4)
    np.testing.assert_allclose(additive, [1 + a, 1 + b])
    np.testing.assert_allclose(log_link, [2 * math.exp(a), 2 * math.exp(b)])
    np.testing.assert_allclose(saturating, [4 * math.exp(d) / (3 + math.exp(d)) for d in (a, b)])
    np.testing.assert_array_equal(expected_activity(elements[1:], length=1024), [0, 0])
    np.testing.assert_array_equal(expected_activity([moved(elements[0], 128)], length=1024), [0, 0])
