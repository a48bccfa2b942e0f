"""Activities of TSSs against one prediction after the other, and the most active genes against a naive choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from contract_cases import CountsRows
from hypothesis import given, settings, strategies as st
from tangermeme.utils import TangermemeWarning

from tangermeme_creme.models import PeakReadout, Readout
from tangermeme_creme.operators import predict_activity, rank_by_activity, select_active
from tangermeme_creme.sequence.genome import extract_windows

LENGTH = 240


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path / "genome.fa"
    path.write_text("".join(f">{name}\n{''.join(rng.choice(list('ACGT'), 2000))}\n" for name in ("chr1", "chr2")))
    return path


@pytest.fixture
def tss() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    genes = [f"G{i}" for i in rng.integers(0, 6, 12)]
    table = {"chrom": ["chr1", "chr2"] * 6, "tss": rng.integers(200, 1700, 12), "strand": ["+", "-", "-"] * 4}
    return pd.DataFrame(table | {"gene_name": [f"N{gene}" for gene in genes], "gene_id": genes})


@pytest.mark.parametrize("batch_size", [1, 5, 100])
def test_activity_is_what_the_model_predicts_for_each_window(batch_size: int, fasta: Path, tss: pd.DataFrame) -> None:
    model, before = CountsRows(), tss.copy()
    table = predict_activity(Readout(model), fasta, tss, length=LENGTH, tracks=["a", "b"], batch_size=batch_size)
    assert (model.rows, model.most) == (12, min(batch_size, 12))
    expected = Readout(CountsRows())(extract_windows(fasta, tss, LENGTH).float()).detach()
    assert table["activity"].tolist() == expected.ravel().tolist()
    assert list(table.columns) == [*tss.columns, "track", "activity"]
    pd.testing.assert_frame_equal(table[table["track"] == "b"][tss.columns].reset_index(drop=True), tss)
    pd.testing.assert_frame_equal(tss, before)


def test_a_model_of_one_number_a_sequence_has_one_track(fasta: Path, tss: pd.DataFrame) -> None:
    class First(CountsRows):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return super().forward(X)[:, 0, 0]

    table = predict_activity(First(), fasta, tss.set_axis(["same"] * 12), length=LENGTH)
    assert table["track"].tolist() == [0] * 12
    assert table["activity"].tolist() == First()(extract_windows(fasta, tss, LENGTH).float()).tolist()


class AtCenter(torch.nn.Module):
    """Whether the base at an index is G or C, times a number per sequence."""

    def forward(self, X: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        return (X[:, 1, 60] + X[:, 2, 60])[:, None] * times


@pytest.mark.parametrize("batch_size", [1, 5, 100])
def test_windows_take_a_center_and_further_inputs_by_tss(batch_size: int, fasta: Path, tss: pd.DataFrame) -> None:
    times = torch.arange(1, 25).reshape(12, 2)
    options: dict[str, Any] = {"length": LENGTH, "center": 60, "args": [times], "batch_size": batch_size}
    table = predict_activity(AtCenter(), fasta, tss, **options)
    records = [record.split("\n")[1] for record in fasta.read_text().split(">")[1:]]
    expected = [
        times[i, k].item() * (records[row.chrom == "chr2"][row.tss] in "GC")
        for i, row in enumerate(tss.itertuples()) for k in range(2)
    ]  # fmt: skip
    assert table["activity"].tolist() == expected and 0 < sum(map(bool, expected)) < 24
    ranked = rank_by_activity(AtCenter(), fasta, tss, 3, **options)
    assert ranked.equals(select_active(table, 3))


def test_half_precision_gives_numbers_of_a_table(fasta: Path, tss: pd.DataFrame) -> None:
    table = predict_activity(Readout(CountsRows()), fasta, tss, length=LENGTH, dtype=torch.bfloat16)
    assert table["activity"].dtype == np.float32


def test_the_device_and_the_mode_of_the_model_come_back(fasta: Path, tss: pd.DataFrame) -> None:
    model = Readout(CountsRows()).train()
    modes = [module.training for module in model.modules()]
    predict_activity(model, fasta, tss, length=LENGTH)
    assert [module.training for module in model.modules()] == modes


class Peaks(torch.nn.Module):
    """A profile (N, 8, 1) of 30 bp bins: the number of A in each."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X[:, 0].unflatten(-1, (8, 30)).sum(-1, keepdim=True)


def test_windows_that_are_highest_elsewhere_are_left_out_before_a_gene_chooses(fasta: Path, tss: pd.DataFrame) -> None:
    model = PeakReadout(Peaks(), position=LENGTH // 2, bin_size=30, n_bins=8)
    table = predict_activity(model, fasta, tss, length=LENGTH)
    profile = Peaks()(extract_windows(fasta, tss, LENGTH).float())[:, :, 0]
    assert table["activity"].tolist() == profile[:, 3:5].mean(1).tolist()
    assert table["offset"].tolist() == [30.0 * int(row.argmax()) + 15 - 120 for row in profile]
    near = table[table["offset"].abs() <= 45]
    assert 0 < len(near) < 12
    found = rank_by_activity(model, fasta, tss, length=LENGTH, max_offset=45)
    pd.testing.assert_frame_equal(found, select_active(near))
    assert set(found["gene_id"]) == set(near["gene_id"])
    unlike = select_active(table)
    assert found[["gene_id", "tss"]].to_numpy().tolist() != unlike[["gene_id", "tss"]].to_numpy().tolist()


def test_an_offset_that_leaves_no_tss_is_said(fasta: Path, tss: pd.DataFrame) -> None:
    model = PeakReadout(Peaks(), position=LENGTH // 2, bin_size=30, n_bins=8)
    message = r"max_offset=1 leaves no TSS of 1 of 1 tracks; of track 'K562' the highest bin .* is 15 bp away"
    with pytest.warns(TangermemeWarning, match=message):
        found = rank_by_activity(model, fasta, tss, length=LENGTH, max_offset=1, tracks=["K562"])
    assert len(found) == 0 and "rank" in found


rows = st.lists(
    st.tuples(st.sampled_from("ABCDE"), st.integers(0, 50), st.integers(0, 4), st.integers(0, 4)),
    min_size=1,
    max_size=25,
)


@given(rows=rows, top=st.integers(1, 6), seed=st.integers(0, 99))
@settings(deadline=None)
def test_each_track_has_the_best_tss_of_its_best_genes(
    rows: list[tuple[str, int, int, int]], top: int, seed: int
) -> None:
    unique = {(gene, place): values for gene, place, *values in rows}
    long = [
        {
            "chrom": "chr1",
            "tss": place,
            "strand": "+",
            "gene_id": gene,
            "track": track,
            "activity": float(values[track]),
        }
        for (gene, place), values in unique.items()
        for track in (1, 0)
    ]
    table = pd.DataFrame(long)
    found = select_active(table, top)
    expected = []
    for track in (1, 0):
        of_track = [row for row in long if row["track"] == track]
        best: dict[str, dict[str, Any]] = {}
        for row in sorted(of_track, key=lambda row: (-row["activity"], row["tss"])):
            best.setdefault(row["gene_id"], row)
        chosen = list(best.values())
        # Equal activities and places of two genes are in no order that matters.
        expected += [(track, row["activity"], rank) for rank, row in enumerate(chosen[:top], start=1)]
    assert list(found[["track", "activity", "rank"]].itertuples(index=False, name=None)) == expected
    for _, part in found.groupby("track"):
        assert part["gene_id"].is_unique
        for row in part.itertuples():
            assert (
                row.activity
                == table[(table["track"] == row.track) & (table["gene_id"] == row.gene_id)]["activity"].max()
            )
    if not table.duplicated(["track", "activity", "tss"]).any():
        shuffled = table.sample(frac=1, random_state=seed)
        again = select_active(shuffled, top)
        for track in (0, 1):
            one, other = (some[some["track"] == track].reset_index(drop=True) for some in (found, again))
            pd.testing.assert_frame_equal(one, other)


def test_a_gene_goes_by_its_identifier_then_its_name_then_its_tss() -> None:
    table = pd.DataFrame({"chrom": "chr1", "tss": [1, 2, 3, 4, 5, 6], "strand": "+", "track": 0})
    table["activity"] = [6.0, 5, 4, 3, 2, 1]
    table["gene_id"] = pd.Categorical(["A", "A", "", "", None, "."])
    table["gene_name"] = ["X", "Y", "A", "A", "", None]
    assert select_active(table)["tss"].tolist() == [1, 3, 5, 6]
    assert select_active(table.drop(columns=["gene_id", "gene_name"]))["tss"].tolist() == [1, 2, 3, 4, 5, 6]


def test_no_window_left_gives_an_empty_table() -> None:
    table = pd.DataFrame({"chrom": "chr1", "tss": [1], "strand": "+", "track": 0, "activity": 1.0, "offset": 99.0})
    found = select_active(table, max_offset=10)
    assert len(found) == 0 and list(found.columns) == [*table.columns, "rank"]


class Wrong(torch.nn.Module):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, X: torch.Tensor) -> Any:
        y = X.sum((1, 2))[:, None].float()
        return {"profile": y[:, None], "three": (y, y, y), "unlike": (y, y.expand(-1, 2)), "nan": y * np.nan}[self.kind]


@pytest.mark.parametrize(
    ("kind", "match"),
    [
        ("profile", r"one number per track, shape \(N, tracks\), .*; got \(12, 1, 1\): wrap it in a Readout"),
        ("three", r"at most one more, the offset; got \(12, 1\), \(12, 1\), \(12, 1\)"),
        ("unlike", r"got \(12, 1\), \(12, 2\)"),
        ("nan", r"the window of chr1:\d+\+"),
    ],
)
def test_what_a_model_must_not_give_is_named(kind: str, match: str, fasta: Path, tss: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=match):
        predict_activity(Wrong(kind), fasta, tss, length=LENGTH)


def test_bad_arguments_are_named(fasta: Path, tss: pd.DataFrame) -> None:
    model = Readout(CountsRows())
    with pytest.raises(ValueError, match="top must be at least 1; got 0"):
        rank_by_activity(model, fasta, tss, top=0, length=LENGTH)
    with pytest.raises(ValueError, match="tracks must have 2 entries, one for each track; got 3"):
        predict_activity(model, fasta, tss, length=LENGTH, tracks=["a", "b", "c"])
    with pytest.raises(ValueError, match="batch_size must be at least 1; got 0"):
        predict_activity(model, fasta, tss, length=LENGTH, batch_size=0)
    with pytest.raises(ValueError, match="must return an offset too, as a PeakReadout does; got activities only"):
        rank_by_activity(model, fasta, tss, length=LENGTH, max_offset=100)
    with pytest.raises(ValueError, match="activity must have column 'offset'; got"):
        select_active(predict_activity(model, fasta, tss, length=LENGTH, tracks=["a", "b"]), max_offset=100)
    with pytest.raises(ValueError, match=r"tracks must be named apart; got \['a', 'a'\]"):
        predict_activity(model, fasta, tss, length=LENGTH, tracks=["a", "a"])
    for name in ("track", "activity", "offset", "rank"):
        with pytest.raises(ValueError, match=f"must not have a column '{name}'"):
            rank_by_activity(model, fasta, tss.assign(**{name: 1}), length=LENGTH)


def test_further_inputs_have_a_row_per_tss(fasta: Path, tss: pd.DataFrame) -> None:
    for call in (predict_activity, rank_by_activity):
        with pytest.raises(ValueError, match="args must have 12 rows, one per example; got 11 at index 0"):
            call(AtCenter(), fasta, tss, length=LENGTH, args=[torch.zeros(11, 2)])


def test_what_is_wrong_with_the_options_is_said_before_all_is_predicted(fasta: Path, tss: pd.DataFrame) -> None:
    model = CountsRows()
    with pytest.raises(ValueError, match="tracks must have 2 entries"):
        predict_activity(Readout(model), fasta, tss, length=LENGTH, tracks=["a"], batch_size=2)
    assert model.rows == 2
    with pytest.raises(ValueError, match="must return an offset too"):
        rank_by_activity(Readout(model), fasta, tss, length=LENGTH, max_offset=5, batch_size=3)
    assert model.rows == 2 + 3
