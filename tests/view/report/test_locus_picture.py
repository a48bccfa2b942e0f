"""The picture of a locus shows the values of its tables."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from study_tables import LENGTH, TILE, made_tables

from tangermeme_creme.view.report.loci import ByLocus
from tangermeme_creme.view.report.locus_picture import LEFT, RIGHT, locus_svg
from tangermeme_creme.view.report.row_types import BarRow, CurveRow, HeadingRow, MarkRow, OrderRow, Row, SpanRow
from tangermeme_creme.view.report.rows import picture_rows

WINDOW, TSS_TILE = (-350, 350), (-50, 50)
SPANS = {"start": np.array([-350, -150, 50]), "end": np.array([-250, -50, 150])}
NUMBER = re.compile(r"-?[\d.]+")


def parsed(*rows: Row, title: str = "AAA", description: str = "tests") -> ElementTree.Element:
    svg = locus_svg(title, description, rows, window=WINDOW, tss_tile=TSS_TILE)
    return ElementTree.fromstring(svg)


def bp(x: float) -> float:
    return WINDOW[0] + (x - LEFT) / (RIGHT - LEFT) * (WINDOW[1] - WINDOW[0])


def drawn(svg: ElementTree.Element, name: str) -> list[tuple[str, list[list[tuple[float, float]]]]]:
    """Return the classes of paths, and the points of each of their lines in units of the picture."""
    classes = []
    for group in svg.iter():
        move = [float(part) for part in NUMBER.findall(group.get("transform", "translate(0 0)scale(1 1)"))]
        for path in group.findall("path"):
            if path.get("class", "").split()[0] == name:
                lines = [points(part) for part in path.get("d", "").split("M")[1:]]
                classes.append(
                    (
                        path.get("class", ""),
                        [[(move[0] + x * move[2], move[1] + y * move[3]) for x, y in line] for line in lines],
                    )
                )
    return classes


def points(path: str) -> list[tuple[float, float]]:
    """Return the points of a path: "3 4V5h1" has (3, 4), (3, 5) and (4, 5)."""
    x = y = 0.0
    corners = []
    for command, numbers in re.findall(r"([MLHVhvz]?)([^MLHVhvz]*)", "M" + path):
        values = [float(number) for number in NUMBER.findall(numbers)]
        if command in ("M", "L"):
            x, y = values
        elif command in ("H", "h"):
            x = values[0] + (x if command == "h" else 0)
        elif command in ("V", "v"):
            y = values[0] + (y if command == "v" else 0)
        else:
            continue
        corners.append((x, y))
    return corners


def test_bars_and_intervals_are_as_high_as_their_effects() -> None:
    value, low, high = np.array([0.5, -0.2, 1.0]), np.array([0.4, -0.3, 0.8]), np.array([0.6, -0.1, 1.2])
    svg = parsed(BarRow("necessity", **SPANS, value=value, low=low, high=high))
    ((name, bars),) = drawn(svg, "b")
    assert name == "b"
    unit = 44 / 1.5  # pixels of an effect of 1: from the lowest end, -0.3, to the highest, 1.2
    zero = bars[0][0][1]
    assert [bp(line[0][0]) for line in bars] == pytest.approx(SPANS["start"], abs=0.2)
    assert [bp(line[2][0]) for line in bars] == pytest.approx(SPANS["end"], abs=0.2)
    assert [(zero - line[1][1]) / unit for line in bars] == pytest.approx(value, abs=0.003)
    ((_, ends),) = drawn(svg, "i")
    assert [(zero - line[0][1]) / unit for line in ends] == pytest.approx(low, abs=0.003)
    assert [(zero - line[1][1]) / unit for line in ends] == pytest.approx(high, abs=0.003)
    assert [bp(line[0][0]) for line in ends] == pytest.approx([-300, -100, 100], abs=0.2)
    assert [text.text for text in svg.iter("text") if text.get("class") == "t e"] == ["1.2", "-0.3"]


def test_called_tiles_are_separate_paths() -> None:
    kind = np.array(["", "silencer", "enhancer"], dtype=object)
    ones = np.ones(3)
    svg = parsed(BarRow("sufficiency", **SPANS, kind=kind, value=ones, low=ones, high=ones))
    assert {name: bp(lines[0][0][0]) for name, lines in drawn(svg, "b")} == {
        "b": pytest.approx(-350, abs=0.2), "b silencer": pytest.approx(-150, abs=0.2),
        "b enhancer": pytest.approx(50, abs=0.2),
    }  # fmt: skip


def test_missing_values_are_not_drawn() -> None:
    value, low = np.array([0.5, np.nan, 1.0]), np.array([np.nan, np.nan, 0.8])
    svg = parsed(BarRow("necessity", **SPANS, value=value, low=low, high=low))
    assert [len(lines) for _, lines in drawn(svg, "b")] == [2]
    assert [len(lines) for _, lines in drawn(svg, "i")] == [1]
    assert "nan" not in ElementTree.tostring(svg, encoding="unicode")


def test_effects_of_zero_have_a_scale() -> None:
    zeros = np.zeros(3)
    svg = parsed(BarRow("necessity", **SPANS, value=zeros, low=zeros, high=zeros))
    ((_, bars),) = drawn(svg, "b")
    assert all(line[0][1] == line[1][1] for line in bars)


def test_curves_go_through_their_values_from_left_to_right() -> None:
    where = np.array([100, -300, -100, 100, -300, -100])
    value, line = np.array([3.0, 1.0, 2.0, 0.5, 1.0, 0.75]), np.array([4, 4, 4, 7, 7, 7])
    kind = np.array(["enhancer"] * 3 + ["silencer"] * 3, dtype=object)
    svg = parsed(CurveRow("distance", where, where, kind, value=value, line=line))
    curves = dict(drawn(svg, "c"))
    assert list(curves) == ["c enhancer", "c silencer"]
    unit = 34 / 2.5
    (base,) = [float(path.get("d", "").split(" ")[1].split("H")[0]) for path in svg.findall("path[@class='z']")[:1]]
    for name, values in (("c enhancer", [1.0, 2.0, 3.0]), ("c silencer", [1.0, 0.75, 0.5])):
        (points_,) = curves[name]
        assert [bp(x) for x, _ in points_] == pytest.approx([-300, -100, 100], abs=0.3)
        assert [1 + (base - y) / unit for _, y in points_] == pytest.approx(values, abs=0.01)


def test_marks_stand_over_the_middle_and_point_down_for_silencers() -> None:
    kind = np.array(["enhancer", "silencer", "enhancer"], dtype=object)
    marks = dict(drawn(parsed(MarkRow("CREs", **SPANS, kind=kind)), "f"))
    tips = {name: [line[2] for line in lines] for name, lines in marks.items()}
    assert [bp(x) for x, _ in tips["f enhancer"]] == pytest.approx([-300, 100], abs=0.2)
    assert [bp(x) for x, _ in tips["f silencer"]] == pytest.approx([-100], abs=0.2)
    assert marks["f enhancer"][0][0][1] > tips["f enhancer"][0][1]
    assert marks["f silencer"][0][0][1] < tips["f silencer"][0][1]


def test_spans_are_at_their_places_and_at_least_one_pixel_wide() -> None:
    row = SpanRow("kept", np.array([-350, 50]), np.array([-250, 50]), np.array(["enhancer"] * 2, dtype=object))
    ((_, blocks),) = drawn(parsed(row), "f")
    assert [bp(line[0][0]) for line in blocks] == pytest.approx([-350, 50], abs=0.2)
    assert bp(blocks[0][1][0]) == pytest.approx(-250, abs=0.2)
    assert blocks[1][1][0] - blocks[1][0][0] == pytest.approx(1, abs=0.1)


def test_numbers_stand_in_the_tiles_in_the_order_of_the_search() -> None:
    svg = parsed(OrderRow("min", SPANS["start"][::-1], SPANS["end"][::-1]))
    (text,) = svg.findall("text[@class='o']")
    assert text.text == "123"
    assert [bp(float(x)) for x in text.get("x", "").split()] == pytest.approx([100, -100, -300], abs=0.2)


def test_the_axis_has_round_ticks_and_the_tss() -> None:
    svg = parsed(HeadingRow("Track A", np.array([]), np.array([])))
    ticks = [text for text in svg.iter("text") if text.get("class") == "t m"]
    shown = {text.text: bp(float(text.get("x", ""))) for text in ticks if text.text != "distance to the TSS (kb)"}
    assert shown == {
        text: pytest.approx(1000 * float(text), abs=0.2) for text in ("-0.3", "-0.2", "-0.1", "0", "0.1", "0.2", "0.3")
    }
    (band,) = svg.findall("path[@class='tss']")
    left, right = (float(x) for x in re.match(r"M([\d.]+) 4H([\d.]+)", band.get("d", "")).groups())  # type: ignore[union-attr]
    assert [bp(left), bp(right)] == pytest.approx(TSS_TILE, abs=0.2)


def test_names_are_escaped_and_said_to_those_who_cannot_see_it() -> None:
    svg = parsed(HeadingRow("<b>&", np.array([]), np.array([])), title='"<i>', description="a & b")
    assert svg.get("role") == "img"
    assert [child.tag for child in svg][:2] == ["title", "desc"]
    assert (svg[0].text, svg[1].text) == ('"<i>', "a & b")
    assert not list(svg.iter("b"))


def test_a_picture_has_no_styles() -> None:
    ones = np.ones(3)
    svg = parsed(BarRow("necessity", **SPANS, value=ones, low=ones, high=ones))
    assert not [element for element in svg.iter() if element.get("style") or element.tag == "style"]


def rows(tables: dict[str, pd.DataFrame], example: str, *tracks: str) -> list[Row]:
    by_locus = {name: ByLocus(table) for name, table in tables.items() if "track" in table}
    return picture_rows(by_locus, example, tracks, LENGTH // 2)


def test_rows_of_a_locus_equal_its_tables() -> None:
    tables = made_tables()
    heading, necessity, sufficiency, cres, first, last, distance, kept = rows(tables, "g1", "K562")
    assert heading.label == "Track K562, enhancing context"
    table = tables["necessity"].query("example == 'g1' and track == 'K562'")
    assert isinstance(necessity, BarRow) and isinstance(sufficiency, BarRow) and isinstance(distance, CurveRow)
    np.testing.assert_array_equal(necessity.value, table["necessity"])
    np.testing.assert_array_equal(necessity.start, table["start"] - LENGTH // 2)
    assert necessity.kind.tolist() == ["", "", "enhancer", "", "", "enhancer"]
    table = tables["sufficiency"].query("example == 'g1' and track == 'K562'")
    assert sufficiency.label == "sufficiency over WT"
    np.testing.assert_array_equal(sufficiency.high, table["over_wt_high"])
    assert cres.start.tolist() == [-150, 250] and cres.kind.tolist() == ["enhancer"] * 2
    assert [first.label, last.label] == ["shuffled in turn, min", "shuffled in turn, max"]
    assert first.start.tolist() == [-350, -250, -150]
    table = tables["distance"].query("example == 'g1' and track == 'K562'")
    np.testing.assert_array_equal(distance.start, table["offset"])
    np.testing.assert_array_equal(distance.value, table["fold_over_control"])
    table = tables["kept"].query("example == 'g1' and track == 'K562'")
    np.testing.assert_array_equal(kept.start, table["start"] - LENGTH // 2)


def test_silencing_contexts_show_the_effect_over_the_control() -> None:
    (bars,) = [row for row in rows(made_tables(), "g3", "K562") if row.label.startswith("sufficiency")]
    table = made_tables()["sufficiency"].query("example == 'g3' and track == 'K562'")
    assert isinstance(bars, BarRow) and bars.label == "sufficiency over control"
    np.testing.assert_array_equal(bars.value, table["over_control"])
    assert bars.kind.tolist() == ["", "", "", "silencer", "", ""]


def test_tests_without_rows_leave_no_row() -> None:
    tables = {name: table for name, table in made_tables().items() if name in ("contexts", "necessity")}
    assert [row.label for row in rows(tables, "g1", "K562")] == ["Track K562, enhancing context", "necessity"]
    assert rows({"contexts": tables["contexts"]}, "g1", "K562") == []


def test_tracks_follow_each_other() -> None:
    tables = {name: table for name, table in made_tables().items() if name in ("contexts", "necessity")}
    labels = [row.label for row in rows(tables, "g1", "K562", "../../x")]
    assert labels[::2] == ["Track K562, enhancing context", "Track ../../x, enhancing context"]


def test_of_a_long_search_the_first_nine_are_numbered() -> None:
    table = pd.DataFrame({"example": "g1", "track": "K562", "direction": "min", "round": range(12), "tile": 0})
    table = table.assign(start=np.arange(12) * 10, end=np.arange(12) * 10 + TILE)
    _, order = rows({"higher_order": table}, "g1", "K562")
    assert order.label == "shuffled in turn, min, 9 of 12"
    (text,) = parsed(order).findall("text[@class='o']")
    assert text.text == "123456789"
