"""A trained network and human sequence, where they lie beside the repository."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import fine_mapping
import pandas as pd
import pytest
import real_model
import real_profile
import real_windows
import torch
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.predict import predict
from tangermeme.utils import TangermemeWarning

from tangermeme_creme import necessity_test, sufficiency_test
from tangermeme_creme.models import Readout, tss_bins
from tangermeme_creme.sequence import shuffle_backgrounds, tile_grid, tile_seed
from tangermeme_creme.sequence.genome import extract_windows
from tangermeme_creme.view.plots import plot_profile

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "real"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="needs the trained network in ../shared/real")


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    return real_model.load_network(DATA)


@pytest.mark.parametrize(("gene", "strand"), [("NOC2L", "-"), ("KLHL17", "+")])
def test_readout_finds_the_cage_peak_at_the_annotated_tss(network: torch.nn.Module, gene: str, strand: str) -> None:
    row = pd.read_csv(DATA / "genes.tsv", sep="\t").set_index("gene").loc[gene]
    assert row["strand"] == strand
    X, tss = real_model.read_window(DATA, row["record"], int(row["record_tss"]))
    around = tss_bins(tss, bin_size=32, n_bins=2048, first_bp=32_768, width=32)
    profile = predict(network, X, device="cpu")[0, real_model.cage_tracks(DATA, strand)].mean(0)
    peak = around[int(profile[list(around)].argmax())]
    assert abs(32_768 + 32 * peak + 16 - tss) <= 64  # two bins
    other = predict(network, X, device="cpu")[0, real_model.cage_tracks(DATA, "+-"[strand == "+"])].mean(0)
    assert profile[peak] > other[peak]


def test_tests_equal_sequences_edited_by_hand(network: torch.nn.Module) -> None:
    row = pd.read_csv(DATA / "genes.tsv", sep="\t").set_index("gene").loc["BMT2"]
    X, tss = real_model.read_window(DATA, row["record"], int(row["record_tss"]))
    bins = tss_bins(tss, bin_size=32, n_bins=2048, first_bp=32_768, width=16)
    model = Readout(network, tracks=real_model.cage_tracks(DATA, "-"), bins=bins, bin_axis=2, track_axis=1)
    grid = tile_grid(X.shape[-1], 5000, center=tss)
    tiles = grid.context[torch.tensor([0, 14])]
    options = {"device": "cpu", "batch_size": 2}

    def by_hand(edited: torch.Tensor) -> torch.Tensor:
        return predict(model, edited[None], **options)[0]

    y_mut = necessity_test(model, X, tiles, n=2, random_state=3, **options).y_mut
    for t, (start, end) in enumerate(tiles.tolist()):
        seed = tile_seed(3, start, end)
        shuffled = dinucleotide_shuffle(X[:, :, start:end], n=2, random_state=seed, allow_N=True)[0]
        for k in range(2):
            edited = X[0].clone()
            edited[:, start:end] = shuffled[k]
            torch.testing.assert_close(y_mut[0, t, k], by_hand(edited), rtol=1e-5, atol=1e-6)

    backgrounds = shuffle_backgrounds(X, n=1, random_state=3)
    result = sufficiency_test(model, X, grid.center, tiles, n=1, backgrounds=backgrounds, **options)
    edited = dinucleotide_shuffle(X, n=1, random_state=3, allow_N=True)[0, 0]
    for start, end in (grid.center, tiles[1].tolist()):
        edited[:, start:end] = X[0, :, start:end]
    torch.testing.assert_close(result.y_mut[0, 1, 0], by_hand(edited), rtol=1e-5, atol=1e-6)


def test_fine_mapping_example_writes_its_tables_and_figures(
    network: torch.nn.Module, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = pd.read_csv(DATA / "genes.tsv", sep="\t").set_index("gene").loc["CLSTN3"]
    where = {"record": row["record"], "record_tss": row["record_tss"], "strand": row["strand"]}
    tiles = pd.DataFrame([{"tile": "CLSTN3:85988", **where, "tss": int(row["record_tss"]), "start": 85_988}])
    options = {"methods": ["search", "saliency", "random"], "n": 1, "draws": 1, "steps": [1000], "score": "effect"}
    results = fine_mapping.compare(
        DATA, network, tiles, {**options, "scales": (1250,), "thresholds": (0.5,), "prune": (2,)}
    )
    fine_mapping.report(results, tiles, tmp_path, "one")
    assert "fewest_bp, one:" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {
        "one_summary.tsv", "one_curves.tsv", "one_overlap.tsv", "one_curves.png", "one_tracks.png",
    }  # fmt: skip
    fine_mapping.report([results[0]._replace(importance={})], tiles, tmp_path, "none")
    assert not (tmp_path / "none_tracks.png").exists()  # there is nothing to draw
    summary = pd.read_csv(tmp_path / "one_summary.tsv", sep="\t").set_index("method")
    assert summary.loc["search", "own_bp"] < 5000 and summary["fewest_bp"].notna().all()


def test_windows_are_the_genome_and_the_most_active_genes_are_highest_at_their_tss(network: torch.nn.Module) -> None:
    on = real_windows.read_genes(DATA, "hg38_chr1_1m.fa").set_index("gene_name")
    assert dict(on["bp"]) == {
        "SAMD11": 131_072,
        "NOC2L": 106_236,
        "KLHL17": 104_950,
        "PLEKHN1": 99_040,
        "PERM1": 83_418,
    }
    with pytest.warns(TangermemeWarning, match="4 of 5 windows of 131072 bp .* padded"):
        X = extract_windows(DATA / "hg38_chr1_1m.fa", on, 131_072)
    window, tss = real_model.read_window(DATA, "chr1", on["tss"]["SAMD11"])
    assert tss == 65_536 and torch.equal(X[0], window[0])
    window, tss = real_model.read_window(DATA, "chr1", on["tss"]["NOC2L"])  # on '-': turned, and so padded in front
    assert torch.equal(X[1, :, 24_836:], window[0, :, tss - 65_535 :].flip(0, 1)) and X[1, :, :24_836].sum() == 0
    with pytest.warns(TangermemeWarning, match="padded"):
        table = real_windows.predict_genes(DATA, network).set_index("gene_name")
    assert set(table.index[:4]) == {"BMT2", "NOC2L", "CLSTN3", "YPEL1"}
    assert (table["offset"][:4].abs() <= 64).all()


def test_profiles_of_a_trained_network_peak_at_the_tss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []

    def kept(wild: torch.Tensor, shuffled: torch.Tensor, ax: Any, **settings: Any) -> None:
        drawn.append(plot_profile(wild, shuffled, ax, **settings))

    monkeypatch.setattr(real_profile, "plot_profile", kept)
    arguments = [
        "real_profile.py",
        "--data",
        str(DATA),
        "--out",
        str(tmp_path / "p.png"),
        "--genes",
        "NOC2L",
        "--n",
        "2",
    ]
    monkeypatch.setattr(sys, "argv", arguments)
    real_profile.main()
    wild = drawn[0].lines[0]
    assert abs(wild.get_xdata()[wild.get_ydata().argmax()]) < 0.1  # kb
    assert (tmp_path / "p.png").stat().st_size > 10_000
