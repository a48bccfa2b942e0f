"""The published K562 tables give the published counts."""

from __future__ import annotations

from pathlib import Path

import bioframe
import numpy as np
import pandas as pd
import pytest

from tangermeme_creme.analysis import (
    call_cres,
    classify_context,
    fraction_of_max,
    normalized_effect,
    tile_effect_over_control,
    tile_effect_over_wt,
)
from tangermeme_creme.analysis.annotate import distance_to_tss
from tangermeme_creme.analysis.export import write_cres
from tangermeme_creme.analysis.fine_mapping import summarize_curves
from tangermeme_creme.analysis.interactions import additive_trace, expected_pair, multiplicative_trace
from tangermeme_creme.analysis.stats import compare_groups
from tangermeme_creme.sequence.genome import tiles_to_genome

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "paper_data"


def read(name: str) -> pd.DataFrame:
    path = FOLDER / f"k562_{name}.csv"
    if not path.exists():
        pytest.skip(f"the published table {path.name} is not at hand")
    return pd.read_csv(path)


def test_context_effects_and_categories_are_the_published_ones():
    table = read("context_dependence")
    effect = normalized_effect(table["wt"], table["mean_mut"])
    assert len(table) == 600
    np.testing.assert_allclose(effect, table["delta_mean"], atol=1e-6)
    category = classify_context(effect)
    assert (category == table["context"]).all()
    assert category.value_counts().to_dict() == {"enhancing": 200, "neutral": 200, "silencing": 200}


def test_necessity_calls_count_as_published():
    table = read("necessity").rename(columns={"Normalized shuffle effect": "necessity"})
    called = call_cres(table, by="necessity")
    assert len(called) == 22_800
    assert called["cre"].value_counts().to_dict() == {"enhancer": 238, "silencer": 143}


def test_sufficient_cres_have_the_published_effects_and_classes():
    table = read("sufficient_cres")
    over_wt = tile_effect_over_wt(table["mut"], table["control"], table["wt"])
    over_control = tile_effect_over_control(table["mut"], table["control"])
    np.testing.assert_allclose(over_wt, table["(MUT - CONTROL) / WT"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(over_control, table["(MUT - CONTROL) / CONTROL"], rtol=1e-5, atol=1e-5)
    called = call_cres(table.assign(over_wt=over_wt, over_control=over_control))
    assert (called["cre"] == table["tile class"].str.lower()).all()
    assert called["cre"].value_counts().to_dict() == {"silencer": 222, "enhancer": 74}


def test_distance_curves_are_the_published_ones_and_fall_faster_upstream():
    kb, cre = "Binned distance (Kb)", "enf_data_id"
    cres = read("sufficient_cres")
    cres[cre] = cres["seq_id"] + "_" + cres["tile_start"].astype(str) + "_" + cres["tile_end"].astype(str)
    table = read("distance").merge(cres[[cre, "wt"]], on=cre)
    # Effects are over the wild type for enhancers, over the control for silencers.
    reference = table["wt"].where(table["tile class"] == "Enhancer", table["control"])
    table["activity"] = table["control"] + table["CRE sufficiency effect"] * reference
    activity = table.pivot(index=cre, columns=kb, values="activity")
    assert len(table) == 296 * 38 and activity.shape == (296, 38)
    fraction = pd.DataFrame(fraction_of_max(activity.to_numpy(), axis=1), activity.index, activity.columns)
    published = table.pivot(index=cre, columns=kb, values="Fold change over control")
    np.testing.assert_allclose(fraction, published, atol=1e-6)

    enhancers = table.loc[table["tile class"] == "Enhancer", cre].unique()
    curve = fraction.loc[enhancers].mean()
    assert len(enhancers) == 74 and curve.idxmax() == 5.0
    for distance in (5, 10, 20, 40, 60, 80):
        assert curve[-distance] < curve[distance]


def test_pairs_of_the_second_round_against_additive_and_multiplicative_expectation():
    """Additive effects explain additive pairs, multiplicative ones explain the superadditive better (Fig. 6e-h)."""
    table = read("second_iteration_min").pivot(index="seq_id", columns="step", values="activity")
    wt, first, second, both = (table[name] for name in ("wt", "greedy_it1", "greedy_it2", "two_cres_shuffled"))
    assert len(table) == 600
    expected = expected_pair(wt, first, second)
    np.testing.assert_allclose(expected.additive, first + second - wt)
    np.testing.assert_allclose(expected.multiplicative, first * second / wt)
    singles = np.stack([first, second], axis=1)
    np.testing.assert_allclose(additive_trace(wt.to_numpy(), singles, [0, 1])[:, 1], expected.additive / wt)
    folds = multiplicative_trace(wt.to_numpy(), singles, [0, 1], scale="fold")
    np.testing.assert_allclose(folds[:, 1], expected.multiplicative / wt)

    observed = both / wt
    above = observed > expected.additive / wt + 0.05
    far = {name: (value / wt - observed).abs()[above].median() for name, value in expected._asdict().items()}
    assert above.sum() > 20 and far["multiplicative"] < far["additive"]


def cres_in_the_genome() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The sufficient CREs where they lie, from their names and tiles, and the published places."""
    tiles, published = read("sufficient_cres"), read("sufficient_cre_coordinates")
    gene, chrom, tss, strand = zip(*(name.rsplit("_", 3) for name in tiles["seq_id"]))
    # In these names the TSS of '-' is the end of the transcript in the GTF: one more than the base counted from 0.
    base = [int(place) - (way == "-") for place, way in zip(tss, strand)]
    loci = pd.DataFrame({"chrom": chrom, "tss": base, "strand": strand, "gene_name": gene}, index=tiles["seq_id"])
    tiles = tiles.rename(columns={"seq_id": "example", "tile_start": "start", "tile_end": "end"})
    ours = tiles_to_genome(tiles, loci[~loci.index.duplicated()], 196_608)
    return ours.assign(cre=ours["tile class"].str.lower()), published


def test_coordinates_of_the_sufficient_cres_are_the_published_ones_to_the_base():
    ours, published = cres_in_the_genome()
    assert len(ours) == len(published) == 296 and set(ours["strand"]) == {"+", "-"}
    names = {"start": "CRE start coordinate", "end": "CRE end coordinate", "chrom": "chromosome", "gene_name": "gene"}
    renamed = ours.rename(columns=names).assign(**{"TSS coordinate": ours["tss"] + (ours["strand"] == "-")})
    columns = [*names.values(), "strand", "TSS coordinate"]
    pd.testing.assert_frame_equal(renamed[columns], published[columns], check_dtype=False)
    assert (ours["tile class"] == published["CRE type"]).all()
    assert (ours["tile_start"] == read("sufficient_cres")["tile_start"]).all()


def test_enhancers_lie_closer_to_their_tss_than_silencers():  # Fig. 2d
    table = distance_to_tss(cres_in_the_genome()[0])
    # The grid is centred between the TSS, at 98,304, and the base before it.
    assert ((table["distance"] + 0.5) % 5000 == 0).all()
    middle = table.groupby("cre")["distance"].apply(lambda distance: distance.abs().median())
    assert middle["enhancer"] < middle["silencer"]
    test = compare_groups(table.assign(distance=table["distance"].abs()), "distance", "cre").iloc[0]
    assert (test["n_1"], test["n_2"]) == (74, 222) and test["p"] < 0.001


def test_the_published_cres_survive_a_bed_file(tmp_path):
    ours, _ = cres_in_the_genome()
    path = write_cres(ours, tmp_path / "cres.bed", effect="Normalized CRE effect")
    found = bioframe.read_table(str(path), schema="bed9", skiprows=1)
    assert found["itemRgb"].nunique() == 2 and found["name"].str.endswith((":enhancer", ":silencer")).all()
    order = ours.sort_values(["chrom", "start", "end"], kind="stable")
    for column in ("chrom", "start", "end", "strand"):
        assert found[column].tolist() == order[column].tolist()


def test_fine_tile_search_keeps_more_with_fewer_bases_than_saliency_and_saliency_than_random():
    table = read("fine_tile_vs_baselines")
    table["bp pruned"] = table.groupby("seq_id", sort=False).cumcount() * 500
    assert len(table) == 74 * 11 and table["seq_id"].nunique() == 74
    searched = table.dropna()  # some searches ended early
    assert (searched["CREME bps"] == searched["bp pruned"]).all()
    names = ["CREME score", "Saliency score", "Random score"]
    # Medians: one CRE rises to many times its activity without its first 500 bp, and would carry a mean.
    medians = searched.groupby("bp pruned")[names].median()
    assert (medians.loc[500:4500].diff(axis=1).iloc[:, 1:] < 0).all(axis=None)
    # At both ends all methods are at the same sequence.
    np.testing.assert_allclose(medians.loc[[0, 5000]], medians.loc[[0, 5000], ["CREME score"] * 3], atol=1e-3)

    curves = table.melt(["seq_id", "bp pruned"], names, "method", "score")
    curves["bp_kept"] = 5000 - curves["bp pruned"]
    summary = summarize_curves(curves.drop(columns="bp pruned").rename(columns={"seq_id": "example"}))
    assert len(summary) == 3 * 74 and summary["fewest_bp"].notna().all()
    fewest = summary.pivot(index="example", columns="method", values="fewest_bp")[names]
    area = summary.pivot(index="example", columns="method", values="area")[names]
    assert fewest.mean().is_monotonic_increasing and fewest.median().tolist() == [1000, 4000, 5000]
    assert area.mean().is_monotonic_decreasing and area.median().is_monotonic_decreasing
    # Figure 3c: most CREs need fewer bases by the search than by saliency.
    assert (fewest["CREME score"] < fewest["Saliency score"]).mean() > 0.9
    # Figure 3b: what all motif hits recover is below what the search does anywhere before its end.
    motifs = table.groupby("seq_id")["XSTREME score"].first()
    assert motifs.median() < 0.8 < medians.loc[:4000, "CREME score"].min()
