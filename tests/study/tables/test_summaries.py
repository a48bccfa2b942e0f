"""What a report states, against pandas and numbers counted by hand."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from study_tables import LENGTH, TRACKS, Tabled, made_spec, made_study, made_tables, through_parquet

from tangermeme_creme.analysis.stats import compare_groups
from tangermeme_creme.study.tables import SUMMARIES, few_contexts, summary_tables, summary_text, write_report
from tangermeme_creme.study.tables._summary_text import text_of


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return {name: through_parquet(table) for name, table in made_tables().items()}


@pytest.fixture(scope="module")
def found(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return summary_tables(tables, length=LENGTH)


def row(table: pd.DataFrame, **keys: object) -> pd.Series:
    for name, value in keys.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_every_summary_is_there(found):
    assert list(found) == [summary.name for summary in SUMMARIES]


def test_contexts_are_counted_among_ranked_loci(found, tables):
    contexts = found["contexts"]
    assert contexts[["track", "context", "n", "n_selected"]].to_numpy().tolist() == [
        ["K562", "enhancing", 2, 2], ["K562", "neutral", 2, 2], ["K562", "silencing", 2, 2],
        ["../../x", "enhancing", 2, 2], ["../../x", "neutral", 2, 2], ["../../x", "silencing", 1, 1],
    ]  # fmt: skip
    given = tables["contexts"]
    effects = given.loc[(given["track"] == "K562") & (given["context"] == "neutral"), "context_effect"]
    assert row(contexts, track="K562", context="neutral")["median_effect"] == effects.median()


def test_a_context_without_a_category_is_counted_apart(tables):
    contexts = tables["contexts"].assign(context=[np.nan, *tables["contexts"]["context"][1:]])
    counted = summary_tables({"contexts": contexts}, length=LENGTH)["contexts"]
    assert row(counted, track="K562", context="undefined")["n"] == 1
    assert counted["n"].sum() == contexts["ranked"].sum()


@pytest.mark.parametrize(
    ("name", "values"), [("necessity", ["necessity"]), ("sufficiency", ["over_wt", "over_control"])]
)
def test_quartiles_of_tiles_are_those_of_known_effects(found, tables, name, values):
    table = tables[name]
    assert found[name]["n"].sum() == sum((table["context"].notna() & table[value].notna()).sum() for value in values)
    for one in found[name].itertuples():
        effects = table.loc[(table["track"] == one.track) & (table["context"] == one.context), one.value].dropna()
        expected = np.percentile(effects, [25, 50, 75])
        assert one.n == len(effects)
        np.testing.assert_allclose([one.q25, one.median, one.q75], expected, rtol=1e-12)


def test_swaps_leave_out_a_locus_in_its_own_context(found, tables):
    swap, given = found["swap"], tables["swap"]
    assert swap["n"].sum() == (given["example"] != given["source"]).sum()
    one = row(swap, track="K562", source_context="enhancing", target_context="enhancing")
    other = {("g1", "g2"), ("g2", "g1")}
    folds = [
        pair.fold_over_source
        for pair in given.itertuples()
        if pair.track == "K562" and (pair.example, pair.source) in other
    ]
    assert one["n"] == 2 and one["median"] == np.mean(folds)


def test_cres_are_counted_and_their_distance_is_from_the_base_of_the_tss(found, tables):
    calls = found["calls"].set_index(["track", "context"])
    assert calls.loc[("K562", "enhancing")].tolist() == [2, 12, 3, 0]
    assert calls.loc[("../../x", "silencing")].tolist() == [1, 6, 0, 1]
    cres = found["cres"].set_index(["track", "cre"])
    given = tables["cres"]
    far = ((given["start"] + given["end"] - 1) / 2 - LENGTH // 2).abs()
    for (track, cre), one in cres.iterrows():
        rows = (given["track"] == track) & (given["cre"] == cre)
        assert one["n"] == rows.sum() and one["n_loci"] == given.loc[rows, "example"].nunique()
        assert one["median_distance"] == far[rows].median()
    alone = summary_tables({"cres": given}, length=LENGTH)["cres"]  # without the tiles around the TSS
    pd.testing.assert_frame_equal(alone, found["cres"])


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("distance", ["track", "cre", "offset"]),
        ("multiplicity", ["track", "cre", "copies"]),
        ("higher_order", ["track", "context", "direction", "n_tiles"]),
        ("set_sufficiency", ["track", "context", "direction", "n_tiles"]),
    ],
)
def test_means_have_their_standard_error(found, tables, name, keys):
    for one in found[name].to_dict("records"):
        some = tables[name]
        for key in keys:
            some = some[some[key] == one[key]]
        values = some[one["value"]].to_numpy()
        assert one["n"] == len(values)
        assert one["mean"] == pytest.approx(values.mean(), rel=1e-12)
        sem = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
        assert one["sem"] == pytest.approx(sem, rel=1e-12, nan_ok=True)
    n_values = found[name]["value"].nunique()
    assert len(found[name]) == n_values * len(tables[name].groupby(keys))


def test_classes_are_counted(found):
    classes = found["interaction_classes"]
    assert row(classes, track="K562", context="neutral", direction="min", scale="multiplicative")["n"] == 2
    assert (
        row(classes, track="K562", context="neutral", direction="max", scale="multiplicative")["class"] == "undefined"
    )
    pairs = found["interactions"]
    some = pairs[(pairs["track"] == "K562") & (pairs["context"] == "enhancing")]
    assert some[["scale", "class", "n"]].to_numpy().tolist() == [
        ["epistasis", "negative", 2], ["epistasis", "none", 2], ["epistasis", "positive", 2],
        ["log_epistasis", "none", 6],
    ]  # fmt: skip
    saturation = row(found["saturation"], track="K562", cre="silencer")
    assert saturation[["n", "yes", "no", "flat", "undefined"]].tolist() == [2, 0, 0, 0, 2]
    assert row(found["saturation"], track="K562", cre="enhancer")["median_half_copies"] == 2.0


def test_fine_tiles_count_what_is_kept_at_the_end(found, tables):
    one = row(found["fine_tile"], track="K562", cre="enhancer")  # tiles 2, 5 and 0 keep 22, 25 and 20
    assert one[["n", "q25", "median", "q75"]].tolist() == [3, 21.0, 22.0, 23.5]
    turned = {"contexts": tables["contexts"], "fine_tile": tables["fine_tile"].iloc[::-1]}
    pd.testing.assert_frame_equal(summary_tables(turned, length=LENGTH)["fine_tile"], found["fine_tile"])
    methods = found["fine_mapping"]
    some = methods[(methods["track"] == "K562") & (methods["cre"] == "enhancer")]
    assert some[["method", "n", "median"]].to_numpy().tolist() == [["search", 3, 20.0], ["saliency", 3, 40.0]]


def test_tests_are_those_of_compare_groups(found, tables):
    tests, given = found["tests"], tables["sufficiency"]
    pairs = [("enhancing", "neutral"), ("enhancing", "silencing"), ("neutral", "silencing")]
    direct = compare_groups(given, ["over_wt", "over_control"], "context", pairs=pairs, by="track")
    keys = ["value", "track", "group_1", "group_2"]
    mine = tests[tests["value"] != "distance"].set_index(keys)
    pd.testing.assert_frame_equal(mine.sort_index(), direct.set_index(keys).sort_index())
    cres = tables["cres"]
    far = cres.assign(distance=((cres["start"] + cres["end"] - 1) / 2 - LENGTH // 2).abs())
    direct = compare_groups(far, "distance", "cre", pairs=[("enhancer", "silencer")], by="track").set_index(keys)
    mine = tests[tests["value"] == "distance"].set_index(keys)
    pd.testing.assert_frame_equal(mine.sort_index(), direct.sort_index())


def test_one_group_has_nothing_to_be_compared_with(tables):
    cres = tables["cres"]
    alone = {"cres": cres[cres["cre"] == "enhancer"], "sufficiency": tables["sufficiency"].assign(context="neutral")}
    assert "tests" not in summary_tables(alone, length=LENGTH)


def test_failures_are_counted(found, tables):
    assert found["failures"].to_numpy().tolist() == [["distance", "RuntimeError", 2, 2, "no memory"]]
    lost = pd.DataFrame([("", "annotation", "bed.a", "OSError", "gone")], columns=tables["failures"].columns)
    both = summary_tables({"failures": pd.concat([tables["failures"], lost])}, length=LENGTH)["failures"]
    assert both[["stage", "n", "n_loci"]].to_numpy().tolist() == [["distance", 2, 2], ["annotation", 1, 0]]


def test_tables_may_be_empty_or_missing_one_by_one(tables):
    assert summary_tables({}, length=LENGTH) == {}
    assert summary_tables({name: pd.DataFrame() for name in tables}, length=LENGTH) == {}
    assert summary_text({}, length=LENGTH) == "no table has rows yet."
    for name in tables:
        for some in ({name: tables[name]}, {**tables, name: pd.DataFrame()}):
            summaries = summary_tables(some, length=LENGTH)
            assert all(len(table) for table in summaries.values())
            assert text_of(summaries)


def test_unknown_values_and_contexts_leave_nothing(tables):
    unknown = tables["necessity"].assign(context=None)
    undefined = tables["sufficiency"].assign(over_wt=np.nan, over_control=np.nan)
    found = summary_tables({"necessity": unknown, "sufficiency": undefined}, length=LENGTH)
    assert list(found) == ["calls"]


def test_rows_are_in_the_order_of_tracks_and_categories(found, tables):
    for name, table in found.items():
        if "track" in table and name != "tests":
            assert list(dict.fromkeys(table["track"])) == list(TRACKS)
        if "cre" in table:
            assert list(dict.fromkeys(table.loc[table["track"] == "K562", "cre"])) == ["enhancer", "silencer"]
    offsets = found["distance"].loc[lambda table: (table["track"] == "K562") & (table["cre"] == "enhancer"), "offset"]
    assert offsets.tolist() == [offset for offset in (-300, -200, -100, 100, 200, 300) for _ in range(2)]


def test_the_text_is_narrow_whatever_tracks_are_called(tables):
    long = "a track\nof a very long name " * 9
    renamed = {
        name: table.assign(track=table["track"].replace("K562", long)) if "track" in table else table
        for name, table in tables.items()
    }
    text = summary_text(renamed, length=LENGTH)
    assert max(map(len, text.splitlines())) <= 100
    assert "a track of a very long" in text and ".." in text
    assert all(line == line.rstrip() for line in text.splitlines())
    assert "Necessity of tiles" in text and "median_distance" in text


def test_long_sections_say_where_the_rest_is(tables):
    many = pd.concat([tables["necessity"].assign(track=f"track {k}") for k in range(20)])
    lines = summary_text({"necessity": many}, length=LENGTH).splitlines()
    assert len(lines) == 27 and lines[-1] == "  and 36 more rows: see necessity.csv"


def test_a_report_is_csv_and_text(tmp_path, found):
    study = made_study(tmp_path)
    folder = write_report(study)
    assert folder == study.folder / "report"
    assert {path.name for path in folder.iterdir()} == {
        "summary.txt",
        *(f"{summary.name}.csv" for summary in SUMMARIES),
    }
    for name, table in found.items():
        read = pd.read_csv(folder / f"{name}.csv")
        pd.testing.assert_frame_equal(read, table, check_dtype=False, rtol=1e-12)
    text = (folder / "summary.txt").read_text()
    assert text == summary_text({name: study.table(name) for name in study.tables}, length=LENGTH) + "\n"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {path.name: path.read_bytes() for path in write_report(study, tmp_path / "other").iterdir()} == before


def test_a_summary_that_lost_its_rows_is_taken_away_from_its_own_folder_only(tmp_path):
    study = made_study(tmp_path)
    write_report(study)
    write_report(study, tmp_path / "mine")
    calm = Tabled(study.folder, study.spec, {name: table for name, table in study.given.items() if name != "failures"})
    assert not (write_report(calm) / "failures.csv").exists()
    assert (write_report(calm, tmp_path / "mine") / "failures.csv").exists()


def test_a_study_without_tables_has_a_report(tmp_path):
    folder = write_report(Tabled(tmp_path, made_spec(tmp_path), {}))
    assert [path.name for path in folder.iterdir()] == ["summary.txt"]


def test_names_of_tracks_stay_as_they_are_in_csv(tmp_path):
    path = Path(write_report(made_study(tmp_path))) / "cres.csv"
    with path.open(newline="") as file:
        assert {line["track"] for line in csv.DictReader(file)} == set(TRACKS)


@pytest.mark.parametrize(
    ("kinds", "y_wt", "expected"),
    [
        (["other"] * 9 + [None] * 3, -1.0, "0 of 12 loci .*: 9 other, 3 undefined .3 with a prediction that"),
        (["other"] * 9 + [None] * 3, 1.0, r"0 of 12 loci .*: 9 other, 3 undefined\.$"),
        (["enhancing"] + ["other"] * 11, 1.0, "track K562: 1 of 12 loci are enhancing, .* 11 other, 0 undefined"),
        (["enhancing"] * 10 + [None] * 2, 0.0, "10 of 12 loci .* 0 other, 2 undefined"),
        (["enhancing"] * 2 + ["other"] * 9 + [None], 0.0, None),
    ],
)
def test_few_contexts_are_explained(kinds: list[str | None], y_wt: float, expected: str | None) -> None:
    contexts = pd.DataFrame({"track": "K562", "context": kinds, "y_wt": y_wt, "ranked": True})
    unranked = contexts.assign(ranked=False, context=None)
    (sentence,) = few_contexts(pd.concat([contexts, unranked])) or [None]
    assert (sentence is None) == (expected is None) and re.search(expected or "", sentence or "")


def test_the_text_begins_with_why_few_loci_are_tested(tables):
    contexts = tables["contexts"].assign(context="other")
    text = summary_text({"contexts": contexts}, length=LENGTH)
    assert text.startswith("track K562: 0 of 6 loci are enhancing, neutral or silencing: 6 other, 0 undefined.")
    assert max(map(len, text.splitlines())) <= 100
