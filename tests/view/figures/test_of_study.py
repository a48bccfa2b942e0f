"""A study has a figure for each test with rows, with one panel per track, drawn from the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt, rcParams
from study_tables import TRACKS, Tabled, made_spec, made_study, made_tables

from tangermeme_creme.view import StudyFigure, study_figures, write_figures


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("figures")


@pytest.fixture(scope="module")
def figures(folder: Path) -> dict[str, StudyFigure]:
    drawn_figures = study_figures(made_study(folder))
    assert len({figure.name for figure in drawn_figures}) == len(drawn_figures)
    return {figure.name: figure for figure in drawn_figures}


def test_every_test_has_a_figure(figures: dict[str, StudyFigure]) -> None:
    assert list(dict.fromkeys(figure.section for figure in figures.values())) == [
        "contexts", "swap", "necessity", "sufficiency", "cres", "distance", "multiplicity", "higher_order",
        "set_sufficiency", "interactions", "fine_tile",
    ]  # fmt: skip
    assert {"context_effects", "necessity_sufficiency", "greedy_min", "tile_positions_max", "kept_bp"} <= set(figures)


def test_panels_are_tracks_in_the_order_of_the_spec(figures: dict[str, StudyFigure]) -> None:
    titles = [ax.get_title(loc="left") for ax in figures["context_effects"].figure.axes]
    assert titles == list(TRACKS)
    assert figures["greedy_min_by_class"].figure.axes[0].get_title(loc="left") == f"{TRACKS[0]}, additive"


def test_panels_show_the_rows_of_their_track(figures: dict[str, StudyFigure], folder: Path) -> None:
    table = made_study(folder).table("contexts")
    for track, ax in zip(TRACKS, figures["context_effects"].figure.axes):
        rows = table[(table["track"] == track) & table["ranked"]]
        assert sum(bar.get_height() for bar in ax.patches) == len(rows)
    table = made_study(folder).table("distance")
    for track, ax in zip(TRACKS, figures["distance_fraction_of_max"].figure.axes):
        rows = table[(table["track"] == track) & (table["cre"] == "enhancer")]
        drawn = next(line for line in ax.lines if str(line.get_label()).startswith("enhancer"))
        assert drawn.get_ydata() == pytest.approx(rows.groupby("offset")["fraction_of_max"].mean().to_numpy())
    table = made_study(folder).table("higher_order")
    for track, ax in zip(TRACKS, figures["greedy_max"].figure.axes):
        rows = table[(table["track"] == track) & (table["direction"] == "max")]
        expected = rows.groupby("n_tiles")["observed"].mean()
        assert ax.lines[0].get_ydata()[1:] == pytest.approx(expected.to_numpy())


def test_distances_of_cres_are_from_the_tss_to_the_middle_of_the_tile(
    figures: dict[str, StudyFigure], folder: Path
) -> None:
    study = made_study(folder)
    table, center = study.table("cres"), 350
    far = (table["start"] + table["end"] - 1) / 2 - center
    for track, ax in zip(TRACKS, figures["cre_distances"].figure.axes):
        drawn: dict[float, float] = {}
        for container in ax.containers:
            for bar, (low, width) in zip(container, [(b.get_x(), b.get_width()) for b in container]):
                place = round((low + width / 2) * 1000 / 100) * 100
                drawn[place] = drawn.get(place, 0) + bar.get_height()
        rows = far[table["track"] == track]
        expected = pd.Series(np.floor(rows / 100 + 0.5) * 100).value_counts()
        assert {place: n for place, n in drawn.items() if n} == expected.to_dict()


def test_texts_describe_figures_in_numbers(figures: dict[str, StudyFigure]) -> None:
    for figure in figures.values():
        assert figure.caption.endswith(".") and figure.alt.endswith(".") and not figure.title.endswith(".")
        assert any(character.isdigit() for character in figure.alt), figure.name
    assert figures["context_effects"].alt.startswith(
        "K562: 6 loci, 2 enhancing, 2 silencing, 2 neutral; median effect "
    )


def test_effects_that_do_not_vary_have_no_correlation(folder: Path) -> None:
    tables = made_tables()
    tables["necessity"] = tables["necessity"].assign(necessity=0.0)
    drawn_figures = {figure.name: figure for figure in study_figures(Tabled(folder, made_spec(folder), tables))}
    assert "one effect or both do not vary" in drawn_figures["necessity_sufficiency"].alt


def test_genes_take_the_place_of_names_of_loci(figures: dict[str, StudyFigure]) -> None:
    labels = [text.get_text() for text in figures["tile_positions_min"].figure.axes[0].get_yticklabels()]
    assert labels == ["AAA", "BBB", "CCC", "DDD", "g5", "FFF"]  # the fifth has no gene


def test_two_loci_of_one_gene_keep_their_names(folder: Path) -> None:
    tables = made_tables()
    tables["loci"] = tables["loci"].assign(gene_name="TWIN")
    drawn_figures = {figure.name: figure for figure in study_figures(Tabled(folder, made_spec(folder), tables))}
    labels = [text.get_text() for text in drawn_figures["tile_positions_min"].figure.axes[0].get_yticklabels()]
    assert labels == ["g1", "g2", "g3", "g4", "g5", "g6"]


def test_logos_are_the_bases_of_the_genome(figures: dict[str, StudyFigure], folder: Path) -> None:
    shown = figures["kept_logos"]
    assert "silencer at tile 3, K562: 20 bp kept" in shown.alt
    ax = next(ax for ax in shown.figure.axes if "silencer at tile 3" in ax.get_title(loc="left"))
    assert len(ax.collections[0].get_paths()) == 100  # the whole tile, without unknown bases
    underlined = [list(line.get_xdata()) for line in ax.lines]
    assert underlined == [[10, 20], [40, 50]]


def test_without_the_genome_no_logos_are_drawn(tmp_path: Path) -> None:
    study = made_study(tmp_path)
    (tmp_path / "genome.fa").unlink()
    names = {figure.name for figure in study_figures(study)}
    assert "kept_logos" not in names and "kept_bp" in names


def test_many_tracks_make_several_figures(folder: Path) -> None:
    tables = {"contexts": pd.concat(
        [made_tables()["contexts"].query("track == 'K562'").assign(track=f"t{k}") for k in range(6)]
    )}  # fmt: skip
    study = Tabled(folder, made_spec(folder), tables)
    study.spec = study.spec.__class__(**{**study.spec.__dict__, "model": _tracks(study)})
    drawn_figures = study_figures(study)
    assert [figure.name for figure in drawn_figures] == ["context_effects", "context_effects_2"]
    assert [len(figure.figure.axes) for figure in drawn_figures] == [4, 2]


def _tracks(study: Tabled) -> object:
    model = study.spec.model
    return model.__class__(**{**model.__dict__, "tracks": tuple(f"t{k}" for k in range(6))})


def test_a_study_without_rows_has_no_figures(tmp_path: Path) -> None:
    assert study_figures(Tabled(tmp_path, made_spec(tmp_path), {})) == []


def test_annotation_is_drawn_by_pairs_of_kinds(folder: Path) -> None:
    rng = np.random.default_rng(0)
    signal = pd.DataFrame([
        {"example": f"g{i}", "track": "K562", "cre": kind, "signal": name, "mean": rng.random()}
        for name in ("DNase", "REST") for kind in ("enhancer", "silencer") for i in range(5)
    ])  # fmt: skip
    tests = pd.DataFrame({
        "track": "K562", "signal": ["DNase", "REST"] * 2, "value": ["max"] * 2 + ["mean"] * 2, "group_1": "enhancer",
        "group_2": "silencer", "log2_fold": [1.5, -2.0, 9.0, 9.0], "p_bonferroni": [1e-3, 0.5, 1.0, 1.0],
    })  # fmt: skip
    study = Tabled(folder, made_spec(folder), {"cre_signal": signal, "cre_enrichment": tests})
    drawn_figures = {figure.name: figure for figure in study_figures(study)}
    assert list(drawn_figures) == ["cre_signal", "cre_enrichment"]
    (ax,) = drawn_figures["cre_enrichment"].figure.axes
    assert ax.get_title(loc="left") == "K562, enhancer, silencer"
    points = [line.get_xydata().tolist() for line in ax.lines if "(" in str(line.get_label())]
    assert points == [[[-2.0, -np.log10(0.5)]], [[1.5, 3.0]]]  # of the maximum alone
    assert drawn_figures["cre_enrichment"].alt == "K562, enhancer, silencer: 2 tracks, 1 with p below 0.05."


def test_drawing_changes_no_setting_and_opens_no_window(folder: Path) -> None:
    before = dict(rcParams)
    study_figures(made_study(folder))
    assert dict(rcParams) == before and not plt.get_fignums()


@pytest.mark.parametrize(("format", "begin"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_figures_are_written_whole_and_with_the_same_bytes(
    figures: dict[str, StudyFigure], tmp_path: Path, format: str, begin: bytes
) -> None:
    two = [figures["kept_bp"], figures["greedy_min"]]
    paths = write_figures(two, tmp_path / "a" / "b", format=format)
    assert [path.name for path in paths] == [f"kept_bp.{format}", f"greedy_min.{format}"]
    again = write_figures(two, tmp_path / "c", format=format)
    for one, other in zip(paths, again):
        assert one.read_bytes().startswith(begin) and one.read_bytes() == other.read_bytes()
    assert len(list((tmp_path / "a" / "b").iterdir())) == 2


def test_other_formats_are_refused(figures: dict[str, StudyFigure], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'png', 'svg' or 'pdf'; got 'gif'"):
        write_figures(figures.values(), tmp_path, format="gif")
