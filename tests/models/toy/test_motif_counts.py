"""Test counts of motifs in bins against a string search."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
import torch
from motif_text import reverse_complement, text_of
from toy_cases import LENGTH, MIXED, sequence

from tangermeme_creme.models.toy import (
    MOTIFS,
    Element,
    RegulatoryToy,
)


def test_motifs_are_unlike_each_other_on_both_strands_and_at_every_shift() -> None:
    def longest_shared_run(a: str, b: str) -> int:
        return max(k for k in range(17) if any(a[i : i + k] in b for i in range(17 - k)))

    for kind, motif in MOTIFS.items():
        assert len(motif) == 16
        assert motif.count("CG") >= 4
        assert motif[0] in "ACT"  # no CG across an edge
        assert motif[-1] in "AGT"
        assert not any(motif[:k] == motif[-k:] for k in range(1, 16))  # does not overlap itself
        for other in MOTIFS:
            both = [reverse_complement(MOTIFS[other])] + ([MOTIFS[other]] if other != kind else [])
            for rival in both:
                assert sum(a != b for a, b in zip(motif, rival, strict=True)) >= 8
                assert longest_shared_run(motif, rival) <= 4


@pytest.mark.parametrize("bin_size", [1, 16, 128, 4096])
def test_local_counts_equal_a_string_search(bin_size: int) -> None:
    X = sequence([*MIXED, Element("enhancer", 120), Element("silencer", LENGTH - 16)])
    counts = np.zeros((len(MOTIFS), LENGTH // bin_size))
    for m, motif in enumerate(MOTIFS.values()):
        for match in re.finditer(motif, text_of(X[0])):
            counts[m, match.start() // bin_size] += 1
    assert counts.sum() == sum(e.copies for e in MIXED) + 2
    np.testing.assert_array_equal(RegulatoryToy(LENGTH, bin_size=bin_size).local(X)[0].numpy(), counts)


def test_local_counts_no_match_that_runs_off_the_end() -> None:
    X = sequence([Element("enhancer", LENGTH - 16)])
    local = RegulatoryToy(LENGTH).local
    assert local(X).sum() == 1
    for shift in range(1, 16):
        assert local(X.roll(shift, dims=2) * (torch.arange(LENGTH) >= shift)).sum() == 0


def test_local_counts_no_match_with_an_unknown_or_a_wrong_base() -> None:
    local = RegulatoryToy(LENGTH).local
    for position, channel in itertools.product((0, 7, 15), (None, 0, 3)):
        X = sequence([Element("enhancer", 500)])
        was = X[0, :, 500 + position].argmax()
        X[0, :, 500 + position] = 0
        if channel is not None:
            X[0, channel, 500 + position] = 1
        assert local(X).sum() == (1 if channel == was else 0)


def test_local_counts_the_forward_strand_only() -> None:
    X = sequence(MIXED)
    assert RegulatoryToy(LENGTH).local(X.flip(1, 2)).sum() == 0


@pytest.mark.parametrize("position", [0, 300, 384, 398, 399, 2048, LENGTH - 1])
def test_local_is_position_local(position: int) -> None:
    local = RegulatoryToy(LENGTH).local
    X = sequence([*MIXED, Element("enhancer", 380)])
    edited = X.clone()
    edited[:, :, position] = float("nan")
    changed = torch.nonzero(local(edited).isnan().any(dim=1)[0]).flatten().tolist()
    assert changed == sorted({max(position - 15, 0) // 128, position // 128})
    kept = [b for b in range(LENGTH // 128) if b not in changed]
    assert torch.equal(local(edited)[:, :, kept], local(X)[:, :, kept])


def test_local_of_a_stretch_of_bins_equals_the_bins_of_the_whole() -> None:
    local = RegulatoryToy(LENGTH).local
    X = sequence([*MIXED, Element("enhancer", 1275)])  # crosses from bin 9 into bin 10
    whole, part = local(X), local(X[:, :, 2 * 128 : 10 * 128])
    assert torch.equal(part[:, :, :-1], whole[:, :, 2:9])
    assert (whole[0, 1, 9], part[0, 1, -1]) == (1, 0)
