"""FIMO's hits against a naive scan with position weight matrices, and the bases that they cover."""

from __future__ import annotations

import itertools
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import one_hot, random_sequences
from hypothesis import given, settings, strategies as st
from tangermeme.utils import PackedSequence

import tangermeme_creme.analysis.fine_mapping.motifs as motifs_module
from tangermeme_creme.analysis.fine_mapping import motif_hits, motif_mask

PSEUDO, BIN = 1e-4, 0.1  # what memelite adds to a probability, and the width of its score bins in bits
Hits = set[tuple[int, str, int, int, str]]


def matrix(width: int, seed: int, sharp: float = 3.0) -> np.ndarray:
    """Probabilities of A, C, G and T at each position of a random motif."""
    weights = np.exp(sharp * np.random.default_rng(seed).standard_normal((4, width)))
    return weights / weights.sum(0)


MOTIFS = {"five": matrix(5, 1), "eight": matrix(8, 2), "six": matrix(6, 3, sharp=2)}


@cache
def lowest_score(name: str, threshold: float) -> float:
    """The lowest score bin, in bits, that random bases reach with a probability below the threshold.

    By going through all sequences of the motif's length.
    """
    motif = MOTIFS[name]
    bits = np.log2(motif + PSEUDO) + 2
    bins = np.round(bits / BIN).astype(int)
    totals = np.array([sum(bins[base, j] for j, base in enumerate(bases)) for bases in every(motif.shape[1])])
    for total in range(totals.min(), totals.max() + 1):
        if (totals >= total).mean() < threshold:
            return float(np.float32(total * BIN))
    return np.inf


def every(width: int) -> Any:
    return itertools.product(range(4), repeat=width)


def naive_scan(X: torch.Tensor, motifs: dict[str, np.ndarray], threshold: float) -> Hits:
    """Every place of every sequence, one after the other; on the reverse strand the reverse complement is scored."""
    hits: Hits = set()
    for (name, motif), (i, x) in itertools.product(motifs.items(), enumerate(X.numpy())):
        bits, least, width = np.log2(motif + PSEUDO) + 2, lowest_score(name, threshold), motif.shape[1]
        for start in range(x.shape[1] - width + 1):
            forward = x[:, start : start + width]
            reverse = np.array([[forward[3 - base, width - 1 - j] for j in range(width)] for base in range(4)])
            for strand, text in (("+", forward), ("-", reverse)):
                if sum(bits[base, j] for base, j in zip(*np.nonzero(text))) > least:
                    hits.add((i, name, start, start + width, strand))
    return hits


def as_set(table: Any) -> Hits:
    return set(table[["example", "motif", "start", "end", "strand"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("threshold", [0.003, 0.02, 0.1])
@pytest.mark.parametrize("unknown", [0.0, 0.05])
def test_hits_are_those_of_a_naive_scan_of_both_strands(threshold: float, unknown: float) -> None:
    X = random_sequences(3, 400, seed=4, unknown=unknown)
    expected = naive_scan(X, MOTIFS, threshold)
    table = motif_hits(X, MOTIFS, threshold)
    assert as_set(table) == expected and len(table) == len(expected)
    assert {strand for *_, strand in expected} == {"+", "-"}
    assert (table["p_value"] < threshold).all()


def test_a_scan_leaves_the_threads_of_pytorch() -> None:
    # Numba's parallel loops give PyTorch as many threads as there are cores, which round otherwise.
    before, threads = torch.get_num_threads(), (os.cpu_count() or 1) + 1
    try:
        torch.set_num_threads(threads)
        motif_hits(random_sequences(1, 100), MOTIFS)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_scores_are_sums_of_bits() -> None:
    X = random_sequences(2, 300, seed=5)
    for row in motif_hits(X, MOTIFS, 0.01).itertuples():
        x = X[row.example, :, row.start : row.end].numpy()
        x = x if row.strand == "+" else x[::-1, ::-1]
        assert row.score == pytest.approx(((np.log2(MOTIFS[row.motif] + PSEUDO) + 2) * x).sum())


def test_p_values_are_the_fraction_of_all_sequences() -> None:
    motif = MOTIFS["five"]
    bits = np.log2(motif + PSEUDO) + 2
    bins = np.round(bits / BIN)
    totals = np.array([sum(bins[base, j] for j, base in enumerate(bases)) for bases in every(5)])
    table = motif_hits(random_sequences(2, 300, seed=5), {"five": motif}, 0.05)
    assert len(table) > 20
    for row in table.itertuples():
        assert row.p_value == pytest.approx((totals >= int(row.score / BIN)).mean())


def test_a_hit_on_the_reverse_strand_covers_its_own_bases() -> None:
    consensus = {"motif": one_hot("AACGGT").double().numpy()}
    X = one_hot("TTTTTTACCGTTTTTTTTTAACGGTTTT")[None]
    table = motif_hits(X, consensus, 1e-3)
    assert as_set(table) == {(0, "motif", 6, 12, "-"), (0, "motif", 19, 25, "+")}
    assert motif_mask(X, consensus, 1e-3)[0].nonzero().flatten().tolist() == [*range(6, 12), *range(19, 25)]


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_mask_is_the_union_of_the_hits(data: st.DataObject) -> None:
    """Overlapping and nested hits count once, and hits of a span lie in it whole."""
    length = data.draw(st.integers(1, 80))
    width = data.draw(st.integers(1, length))
    spans = [
        (start, start + width) for start in data.draw(st.lists(st.integers(0, length - width), min_size=2, max_size=2))
    ]
    X = random_sequences(2, length, seed=data.draw(st.integers(0, 1000)), unknown=0.05)
    mask = motif_mask(X, MOTIFS, 0.03, span=spans)
    expected = torch.zeros(2, length, dtype=torch.bool)
    for i, _, start, end, _ in naive_scan(X, MOTIFS, 0.03):
        if spans[i][0] <= start and end <= spans[i][1]:
            expected[i, start:end] = True
    assert mask.shape == (2, width)
    assert torch.equal(mask, torch.stack([row[start:end] for row, (start, end) in zip(expected, spans)]))


def test_hits_are_in_order_and_typed() -> None:
    table = motif_hits(random_sequences(3, 200, seed=1), MOTIFS, 0.02)
    assert table.columns.tolist() == ["example", "motif", "start", "end", "strand", "score", "p_value"]
    assert table.sort_values(["example", "start", "end", "motif", "strand"], kind="stable").index.equals(table.index)
    none = motif_hits(random_sequences(3, 4), MOTIFS)
    assert len(none) == 0 and none.dtypes.equals(table.dtypes)
    assert not motif_mask(random_sequences(3, 4), MOTIFS).any()


def test_many_sequences_are_scanned_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    X = random_sequences(5, 100, seed=2)
    whole = motif_hits(X, MOTIFS, 0.02)
    monkeypatch.setattr(motifs_module, "_BASES", 200)
    assert motif_hits(X, MOTIFS, 0.02).equals(whole) and whole["example"].nunique() == 5


def test_a_meme_file_and_packed_sequences_give_the_same(tmp_path: Path) -> None:
    path, X = tmp_path / "motifs.meme", random_sequences(2, 300, seed=3)
    write_meme(path, MOTIFS)
    expected = motif_hits(X, MOTIFS, 0.01)
    for motifs in (path, str(path), {name: torch.from_numpy(motif) for name, motif in MOTIFS.items()}):
        for sequences in (X, X.float(), PackedSequence.from_one_hot(X)):
            assert as_set(motif_hits(sequences, motifs, 0.01)) == as_set(expected)


def write_meme(path: Path, motifs: dict[str, np.ndarray]) -> None:
    lines = ["MEME version 4", "", "ALPHABET= ACGT", "", "strands: + -", ""]
    for name, motif in motifs.items():
        lines += [f"MOTIF {name}", f"letter-probability matrix: alength= 4 w= {motif.shape[1]} nsites= 20 E= 0"]
        lines += [" ".join(f"{value:.17g}" for value in row) for row in motif.T]
        lines += [""]
    path.write_text("\n".join(lines))


GOOD = "MOTIF a\nletter-probability matrix: alength= 4 w= 2\n1 0 0 0\n0 1 0 0\n"
BAD_FILES = {
    "nothing": ("", "at least one motif; got none in"),
    "no motif": ("MEME version 4\n", "at least one motif; got none in"),
    "twice": (GOOD + GOOD, "different names; got 'a' twice in"),
    "too few rows": (GOOD.replace("0 1 0 0\n", ""), "as many rows as their width; got fewer for 'a'"),
    "three letters": (GOOD.replace("0 1 0 0", "0 1 0"), "each row must be four numbers: '0 1 0' in line 4"),
    "words": (GOOD.replace("0 1 0 0", "0 one 0 0"), "each row must be four numbers: '0 one 0 0' in line 4"),
    "long words": (GOOD.replace("0 1 0 0", "0 " + "1" * 70_000), r"four numbers: '0 1{118}'... \(70002 characters\)"),
    "no number": (GOOD.replace("w= 2", "w= two"), "w= must be the number of rows: 'letter.*' in line 2"),
    "no matrix": ("MOTIF a\n" + GOOD.replace("a\n", "b\n", 1), "letter-probability matrix; got none for 'a' in"),
    "no second matrix": (GOOD + "MOTIF b 2\n\n" + GOOD.replace("a\n", "c\n", 1), "matrix; got none for 'b 2' in"),
    "no last matrix": (GOOD + "MOTIF b", "matrix; got none for 'b' in"),
    "no rows": ("MOTIF a\nletter-probability matrix:\nURL x\n", "as many rows as their width; got fewer for 'a'"),
    "no name": (GOOD + "MOTIF\n", "motifs must have a name; got none in line 5"),
    "no text": (GOOD + "MOTIF \x00\n", "must be UTF-8 with .*; got byte 0x00 in line 5"),
    "counts": (GOOD.replace("0 1 0 0", "0 9 3 8"), r"got \[0.0, 9.0, 3.0, 8.0\] at position 1 of 'a'"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_named(name: str, tmp_path: Path) -> None:
    text, message = BAD_FILES[name]
    path = tmp_path / "motifs.meme"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        motif_hits(random_sequences(1, 50), path)
    assert str(path) in str(caught.value) or name == "counts"


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "motifs.meme"
    path.write_bytes(b"\x93NUMPY\x01\x00\xff")
    with pytest.raises(ValueError, match=r"must be UTF-8 .*; got byte 0x93 in line 1 of .*motifs\.meme"):
        motif_hits(random_sequences(1, 50), path)


@pytest.mark.parametrize("after", ["", "\n", "\nURL http://x\n"])
def test_a_matrix_without_a_width_has_the_rows_that_follow(after: str, tmp_path: Path) -> None:
    path = tmp_path / "motifs.meme"
    path.write_text(
        "MEME version 4\n\n"
        + "".join(GOOD.replace("w= 2", "").replace("a\n", f"{name}\n", 1) + after for name in ("a", "b x"))
    )
    assert {name: motif.T.tolist() for name, motif in motifs_module.read_motifs(path).items()} == {
        name: [[1, 0, 0, 0], [0, 1, 0, 0]] for name in ("a", "b x")
    }


def test_no_file_is_said_as_such(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.meme"):
        motif_hits(random_sequences(1, 50), tmp_path / "none.meme")


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "none": ({"motifs": {}}, "at least one motif; got none"),
    "shape": ({"motifs": {"a": np.ones((5, 4)) / 5}}, r"shape \(4, w\); got shape \(5, 4\) for 'a'"),
    "empty": ({"motifs": {"a": np.ones((4, 0))}}, r"got shape \(4, 0\) for 'a'"),
    "negative": ({"motifs": {"a": [[1.5], [-0.5], [0], [0]]}}, r"got \[1.5, -0.5, 0.0, 0.0\] at position 0 of 'a'"),
    "nan": ({"motifs": {"a": np.full((4, 2), np.nan)}}, "got .nan, nan, nan, nan. at position 0 of 'a'"),
    "threshold": ({"threshold": 0}, r"threshold must be a p-value in \(0, 1\]; got 0"),
    "threshold in percent": ({"threshold": 5}, "got 5"),
    "span": ({"span": (40, 60)}, r"span must lie inside the window of 50 bp; got \[40, 60\)"),
    "spans": ({"span": [(0, 9), (0, 8)]}, "span must be of one length, 9 bp; got 8 bp for example 1"),
    "X": ({"X": torch.ones(1, 4, 50)}, "X must be one-hot"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("function", [motif_hits, motif_mask])
def test_bad_arguments_are_named(name: str, function: Any) -> None:
    options, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        function(**{"X": random_sequences(2, 50), "motifs": MOTIFS, **options})
