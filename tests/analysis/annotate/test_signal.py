"""Test the signal of bigWig tracks against pybigtools, groups against scipy, and files of other genomes."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pybigtools
import pytest
from figwig import write_bigwig
from hypothesis import given, settings, strategies as st
from scipy import stats
from tangermeme.utils import TangermemeWarning

import tangermeme_creme.analysis.annotate.signal as signal_module
from tangermeme_creme.analysis.annotate import bigwig_signal, signal_enrichment

SIZES = {"chr1": 300, "chr2": 200}


def write_track(path: Path, seed: int, sizes: dict[str, int] = SIZES) -> Path:
    """Draw intervals with gaps between them; values may be 0 or negative."""
    rng = np.random.default_rng(seed)
    rows = []
    for chrom, size in sizes.items():
        edges = np.sort(rng.choice(size + 1, 20, replace=False))
        kept = rng.random(19) < 0.6
        rows += [(chrom, a, b, v) for a, b, v, k in zip(edges, edges[1:], rng.integers(-2, 9, 19) / 4, kept) if k]
    chrom, start, end, value = zip(*rows)
    write_bigwig(path, sizes, list(chrom), list(start), list(value), ends=list(end), missing=np.nan)
    return path


def naive(path: Path, chrom: str, start: int, end: int, gaps: float | None) -> tuple[float, float, int]:
    """Read the signal with pybigtools, base by base."""
    with pybigtools.open(str(path)) as file:
        values = list(file.values(chrom, start, end, fillna=None))
    known = [value for value in values if not np.isnan(value)]
    missing = len(values) - len(known)
    counted = known if gaps is None else known + [gaps] * missing
    return (np.mean(counted) if counted else np.nan, max(counted, default=np.nan), missing)


regions = st.lists(
    st.tuples(st.sampled_from(sorted(SIZES)), st.integers(0, 180), st.integers(1, 20)), min_size=1, max_size=8
)


@settings(deadline=None, max_examples=60)
@given(
    rows=regions, seed=st.integers(0, 50), gaps=st.sampled_from([None, 0.0, 1.0]), values=st.sampled_from([30, 10**6])
)
def test_signal_is_that_of_another_reader(
    rows: list[tuple[str, int, int]],
    seed: int,
    gaps: float | None,
    values: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("bw")
    tracks = {name: write_track(folder / f"{name}.bw", seed + k) for k, name in enumerate(("H3K27ac", "CTCF"))}
    cres = pd.DataFrame([(c, s, s + w, f"cre {i}") for i, (c, s, w) in enumerate(rows)], index=range(5, 5 + len(rows)))
    cres.columns = ["chrom", "start", "end", "name"]
    before = cres.copy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signal_module, "_VALUES", values)  # a few regions at a time, or all
        table = bigwig_signal(cres, tracks, gaps=gaps)
    pd.testing.assert_frame_equal(cres, before)
    assert table["signal"].tolist() == ["H3K27ac", "CTCF"] * len(cres)
    assert table["name"].tolist() == [name for name in cres["name"] for _ in range(2)]
    for row in table.itertuples():
        mean, highest, missing = naive(tracks[row.signal], row.chrom, row.start, row.end, gaps)
        assert row.missing_bp == missing
        np.testing.assert_allclose([row.mean, row.max], [mean, highest], rtol=1e-6)


def test_other_names_of_chromosomes_match_and_those_that_are_not_there_are_nan_and_counted(tmp_path: Path) -> None:
    path = write_track(tmp_path / "a.bw", 0)
    cres = pd.DataFrame({"chrom": ["1", "3", "chr2"], "start": 10, "end": 60})
    with pytest.warns(
        TangermemeWarning, match=r"1 of 3 CREs are on chromosomes that 'DNase' does not have \(3\): no values"
    ):
        table = bigwig_signal(cres, {"DNase": path})
    expected = [naive(path, name, 10, 60, None) for name in ("chr1", "chr2")]
    np.testing.assert_allclose(table["mean"], [expected[0][0], np.nan, expected[1][0]], rtol=1e-6)
    assert table["missing_bp"].tolist() == [expected[0][2], 50, expected[1][2]]
    assert table["max"].isna().tolist() == [False, True, False]


def test_no_cre_gives_an_empty_table_with_all_columns(tmp_path: Path) -> None:
    cres = pd.DataFrame({"chrom": [], "start": [], "end": []})
    table = bigwig_signal(cres, {"a": write_track(tmp_path / "a.bw", 0)})
    assert len(table) == 0 and list(table.columns) == ["chrom", "start", "end", "signal", "mean", "max", "missing_bp"]


CRES = pd.DataFrame({"chrom": ["chr1", "chr2"], "start": [10, 150], "end": [60, 200]})


def test_a_track_of_another_genome_is_named(tmp_path: Path) -> None:
    path = write_track(tmp_path / "a.bw", 0)
    other = write_track(tmp_path / "mouse.bw", 0, {"I": 300})
    with pytest.raises(
        ValueError, match=r"'a' must have chromosomes of the CREs .*; got I in .*mouse\.bw, and '1' at row"
    ):
        bigwig_signal(CRES, {"a": other})
    long = CRES.assign(end=[60, 201])
    with pytest.raises(
        ValueError, match=r"same genome; got .*a\.bw, of which chr2 has 200 bp, .* ends at 201 at row 1"
    ):
        bigwig_signal(long, {"a": path})
    assert len(bigwig_signal(CRES, {"a": path}, sizes={"1": 300, "chr2": 200, "chr9": 5})) == 2
    assert len(bigwig_signal(CRES, {"a": path}, sizes=pd.Series({1: 300}))) == 2
    with pytest.raises(ValueError, match=r"same genome; got 300 bp of chr1 in .*a\.bw, and 299 bp of 1 in sizes"):
        bigwig_signal(CRES, {"a": path}, sizes={"1": 299})


def test_a_file_that_is_no_whole_bigwig_is_named(tmp_path: Path) -> None:
    path = write_track(tmp_path / "a.bw", 0)
    whole = path.read_bytes()
    for text in (b"", b"no bigWig at all" * 10, whole[:70], whole[: len(whole) // 2]):
        path.write_bytes(text)
        with pytest.raises(ValueError, match=r"track 'H3K4me1' must be a (whole )?bigWig file; got .*a\.bw"):
            bigwig_signal(CRES, {"H3K4me1": path})
    with pytest.raises(FileNotFoundError, match="nowhere"):
        bigwig_signal(CRES, {"a": tmp_path / "nowhere.bw"})


def test_bad_arguments_are_named(tmp_path: Path) -> None:
    path = write_track(tmp_path / "a.bw", 0)
    with pytest.raises(ValueError, match="tracks must have at least one file; got none"):
        bigwig_signal(CRES, {})
    with pytest.raises(ValueError, match=r"tracks must be a mapping from a name to a file, .*; got list"):
        bigwig_signal(CRES, [path])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"end must be above start; got \[10, 5\) at row 0"):
        bigwig_signal(CRES.assign(end=5), {"a": path})
    with pytest.raises(ValueError, match="must not have column 'signal', because it is added"):
        bigwig_signal(CRES.assign(signal=1), {"a": path})


@given(seed=st.integers(0, 99), pseudocount=st.sampled_from([0.0, 0.5]))
def test_enrichment_is_that_of_scipy_and_of_means(seed: int, pseudocount: float) -> None:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "cre": rng.choice(["enhancer", "silencer", "neutral", None], 60, p=[0.3, 0.3, 0.3, 0.1]),
            "signal": ["CTCF", "REST"] * 30,
            "max": np.where(rng.random(60) < 0.1, np.nan, rng.gamma(2, 1, 60)),
        }
    )
    pairs = [("enhancer", "silencer"), ("enhancer", "neutral")]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tests = signal_enrichment(table, "max", pairs=pairs, pseudocount=pseudocount)
    assert tests[["signal", "group_1", "group_2"]].to_numpy().tolist() == [
        [name, *pair] for name in ("CTCF", "REST") for pair in pairs
    ]
    for row in tests.itertuples():
        one, other = (
            table.loc[(table["signal"] == row.signal) & (table["cre"] == group), "max"].dropna()
            for group in (row.group_1, row.group_2)
        )
        assert row.p == stats.mannwhitneyu(one, other, alternative="two-sided").pvalue
        assert row.p_bonferroni == min(1, 4 * row.p)
        expected = np.log2((one.mean() + pseudocount) / (other.mean() + pseudocount))
        np.testing.assert_allclose([row.mean_1, row.mean_2, row.log2_fold], [one.mean(), other.mean(), expected])
    np.testing.assert_allclose(tests["p_bh"], stats.false_discovery_control(tests["p"]))


def test_groups_are_compared_over_all_or_within_missing_strata() -> None:
    table = pd.DataFrame(
        {"cre": ["enhancer", "silencer"] * 2, "signal": ["a", "a", None, None], "mean": [1.0, 4, 8, 1]}
    )
    everything = signal_enrichment(table, "mean", by=[])
    assert everything[["mean_1", "mean_2"]].to_numpy().tolist() == [[4.5, 2.5]]
    assert signal_enrichment(table, "mean")["log2_fold"].tolist() == [-2.0, 3.0]


def test_a_fold_of_nothing_is_nan_and_counted() -> None:
    table = pd.DataFrame({"cre": ["enhancer", "silencer"] * 2, "signal": ["a", "a", "b", "b"], "mean": [1.0, 0, 4, 1]})
    with pytest.warns(TangermemeWarning, match="log2_fold is undefined for 1 of 2 tests"):
        tests = signal_enrichment(table, "mean")
    assert np.isnan(tests["log2_fold"][0]) and tests["log2_fold"][1] == 2
    assert signal_enrichment(table, "mean", pseudocount=1.0)["log2_fold"].tolist() == pytest.approx([1, np.log2(2.5)])
    with pytest.raises(ValueError, match="pseudocount must be 0 or more; got -1"):
        signal_enrichment(table, "mean", pseudocount=-1)
    with pytest.raises(ValueError, match="table must have column 'signal'"):
        signal_enrichment(table.drop(columns="signal"), "mean")
