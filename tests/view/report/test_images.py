"""Figures become images of a page."""

from __future__ import annotations

import base64
import io
from xml.etree import ElementTree

import matplotlib
import pytest
from matplotlib.figure import Figure
from report_cases import drawn, page_of
from study_tables import made_study

from tangermeme_creme.view.plots import INK
from tangermeme_creme.view.report.images import _SETTINGS, _printed


def test_figures_are_images_that_follow_light_and_dark(tmp_path):
    figures = [drawn("one", alt="a < b"), drawn("two", section="annotation", title="<Two>", caption="& more")]
    page = page_of(made_study(tmp_path), figures=figures)
    first, second = page.all("img")
    assert first.attrs["alt"] == "a < b" and (first.attrs["width"], first.attrs["height"]) == ("288", "192")
    assert ("necessity" in first.within, "annotation" in second.within) == (True, True)
    assert page.all("figcaption")[1].text == "<Two>. & more"
    kind, data = str(first.attrs["src"]).split(",")
    svg = base64.b64decode(data).decode()
    assert kind == "data:image/svg+xml;base64"
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg") and svg.count(INK) == 2  # both in its style
    assert "currentColor" in svg and "@media (prefers-color-scheme: dark)" in svg and ">ink</text>" in svg


def test_the_figure_does_not_change(tmp_path):
    figure = drawn()
    before = figure.figure.axes[0].title.get_color(), figure.figure.patch.get_facecolor()
    page_of(made_study(tmp_path), figures=[figure])
    assert (figure.figure.axes[0].title.get_color(), figure.figure.patch.get_facecolor()) == before


def several_axes() -> Figure:
    figure = Figure(figsize=(5, 3), dpi=150, layout="constrained", facecolor="red")
    left, right = figure.subplots(1, 2)
    figure.colorbar(left.imshow([[0.0, 1.0]]), ax=left, label="effect")
    right.inset_axes((0.6, 0.6, 0.3, 0.3), facecolor="blue").plot([0, 1])
    right.twinx().set_ylabel("another scale")
    return figure


def test_the_image_is_what_matplotlib_saves():
    saved, figure = io.StringIO(), several_axes()
    with matplotlib.rc_context(_SETTINGS):
        figure.savefig(saved, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    assert _printed(several_axes()) == saved.getvalue()


def test_a_figure_with_several_axes_does_not_change():
    figure = several_axes()
    right = figure.axes[1]
    canvas, colors = figure.canvas, [ax.get_facecolor() for ax in (*figure.axes, *right.child_axes)]
    _printed(figure)
    assert figure.canvas is canvas and figure.dpi == 150 and figure.get_facecolor() == (1, 0, 0, 1)
    assert [ax.get_facecolor() for ax in (*figure.axes, *right.child_axes)] == colors


def test_a_figure_of_an_unknown_section_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must be one of contexts, .*; got 'elsewhere'"):
        page_of(made_study(tmp_path), figures=[drawn(section="elsewhere")])
